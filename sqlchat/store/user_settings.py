"""Stores a small JSON object of settings for each user."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import select, update

from sqlchat.errors import PayloadError
from sqlchat.store.engine import Database
from sqlchat.store.tables import user_settings

MAX_BYTES = 16 * 1024
MAX_DEPTH = 8
MAX_KEY = 64


class UserSettings:
    """The table `user_settings`. All methods raise StoreUnavailableError while the store is gone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: str) -> dict[str, Any]:
        """Return the user's settings; {} if none were set."""
        rows = self._database.fetch(select(user_settings.c.settings).where(user_settings.c.user_id == user_id))
        return _parse_settings(rows[0].settings if rows else None)

    def patch(self, user_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Set the keys of `changes`, remove those that are None, and return all settings.

        Two patches at once lose no key: it is one transaction. Raises PayloadError past 16 KB of JSON, 8 levels or 64
        characters of a key; the settings then stay as they were.
        """
        faults = {str(key): sorted(set(_find_faults(key, value))) for key, value in changes.items()}
        errors = {key: messages for key, messages in faults.items() if messages}
        if errors:
            raise PayloadError("Some settings cannot be kept.", errors=errors)
        now, same_user = datetime.now(UTC), user_settings.c.user_id == user_id
        with self._database.writing() as connection:
            insert = self._database.insert(user_settings).values(user_id=user_id, settings="{}", updated_at=now)
            connection.execute(insert.on_conflict_do_nothing())
            text = connection.scalar(select(user_settings.c.settings).where(same_user).with_for_update())
            merged = {k: v for k, v in (_parse_settings(text) | dict(changes)).items() if v is not None}
            encoded = orjson.dumps(merged)
            if len(encoded) > MAX_BYTES:
                raise PayloadError(f"All settings together may take {MAX_BYTES // 1024} KB of JSON; this is more.")
            changed = {"settings": encoded.decode(), "updated_at": now}
            connection.execute(update(user_settings).where(same_user).values(**changed))
        return merged


def _parse_settings(text: str | None) -> dict[str, Any]:
    settings: dict[str, Any] = orjson.loads(text or "{}")
    return settings


def _find_faults(key: str, value: Any, depth: int = 2) -> Iterator[str]:
    """Yield the reasons why `value` under `key` cannot be stored and read back unchanged."""
    if len(key) > MAX_KEY:
        yield f"A key may have {MAX_KEY} characters at most."
    yield from _find_text_faults(key)
    match value:
        case str():
            yield from _find_text_faults(value)
        case float() if not math.isfinite(value):
            yield "NaN and infinity are no JSON."
        case int() if not -(1 << 63) <= value < 1 << 63:
            yield "A whole number must fit into 64 bits."
        case dict() | list() if depth > MAX_DEPTH:
            yield f"Settings may be {MAX_DEPTH} levels deep at most."
        case dict():
            for inner, item in value.items():
                yield from _find_faults(inner, item, depth + 1)
        case list():
            for item in value:
                yield from _find_faults("", item, depth + 1)


def _find_text_faults(text: str) -> Iterator[str]:
    if any("\ud800" <= character <= "\udfff" for character in text):
        yield "Text must be valid Unicode."
