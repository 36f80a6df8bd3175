"""Stores the reading options that were given with uploaded files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import delete, select

from sqlchat.store.engine import Database
from sqlchat.store.tables import readings


class Readings:
    """The table `readings`. All methods raise StoreUnavailableError while the store is gone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, bucket: str, name: str, read: Mapping[str, Any]) -> None:
        """Replace the options `read` of a file; empty ones are deleted."""
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            connection.execute(delete(readings).where(readings.c.bucket == bucket, readings.c.name == name))
            if read:
                changes = {"read": orjson.dumps(dict(read)).decode(), "updated_at": now}
                insert = self._database.insert(readings).values(bucket=bucket, name=name, **changes)
                connection.execute(insert.on_conflict_do_update(index_elements=["bucket", "name"], set_=changes))

    def recall(self, places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
        """Return (bucket, name) -> `read` for those `places` that have one."""
        names = {name for _, name in places}
        rows = self._database.fetch(select(readings).where(readings.c.name.in_(names)))
        wanted = set(places)
        return {(row.bucket, row.name): orjson.loads(row.read) for row in rows if (row.bucket, row.name) in wanted}
