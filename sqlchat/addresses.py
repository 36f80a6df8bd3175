"""Judges addresses and keys of other services by their text. Connects to nothing."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import json
from urllib.parse import urlsplit


def is_postgres_url(url: str) -> bool:
    """Whether SQLAlchemy can read `url` as one of a Postgres database."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).get_backend_name() in {"postgres", "postgresql"}
    except (ArgumentError, ValueError):
        return False


def is_encrypted_or_local(url: str) -> bool:
    """Whether what is sent there is encrypted, or stays on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or parts.scheme != "http":
        return bool(host) and parts.scheme == "https"
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def role_of_key(key: str, wanted: str) -> str:
    """The role of a Supabase key, by its JWT or its prefix; "" if it is `wanted`, or not told."""
    if key.startswith("sb_publishable_"):
        return "publishable"
    with contextlib.suppress(ValueError, IndexError):
        payload = key.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if isinstance(claims, dict) and (role := claims.get("role", wanted)) != wanted:
            return str(role)
    return ""
