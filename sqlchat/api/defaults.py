"""Chooses connection and provider: those of the request, or the defaults in the caller's settings."""

from __future__ import annotations

from typing import Any

from flask import g

from sqlchat.api.resource import INVALID, runtime
from sqlchat.errors import PayloadError


def choose_connection(payload: dict[str, Any]) -> str:
    """Return the request's `connection_id`, else the caller's `default_connection`; else raises PayloadError."""
    if connection_id := payload.get("connection_id"):
        return str(connection_id)
    name = _read_setting("default_connection")
    g.default_connection = name is not None
    if name is None:
        raise PayloadError(INVALID, errors={"connection_id": ["Missing data for required field."]})
    return name


def choose_provider(payload: dict[str, Any]) -> str | None:
    """Return the request's `provider`, else the caller's `default_provider`, else None (the first configured one)."""
    provider = payload.get("provider")
    return provider if isinstance(provider, str) else _read_setting("default_provider")


def _read_setting(name: str) -> str | None:
    if g.caller is None:
        return None
    value = runtime().store.user_settings.get(g.caller.id).get(name)
    return value if isinstance(value, str) and value else None
