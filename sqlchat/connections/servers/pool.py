"""The pool of connections to one database server, alike for Postgres and MySQL. Their files alone use this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import QueuePool

from sqlchat.config import Settings

RECYCLE = 1800
"""Seconds after which a pooled connection is replaced."""
UNENCRYPTED = "The connection is not encrypted; set sslmode to require or verify-full."
"""Warning for a server that is not near."""
NAME_COLUMNS = "Of a table that the user may read in part, name the columns that the schema has instead of *."
"""What is said where a right is missing."""


def server_pool(settings: Settings, connect: Callable[[], Any]) -> QueuePool:
    """A pool that waits `settings.pool_timeout` seconds for a free connection of `settings.pool_size`.

    It leaves the reset of a returned connection to its user, who knows what outlives a ROLLBACK. There is no ping
    before use either: the first message of a statement changes nothing, so it can be sent again over another one.
    """
    return QueuePool(
        lambda: cast(DBAPIConnection, connect()),
        pool_size=settings.pool_size,
        max_overflow=0,
        timeout=settings.pool_timeout,
        recycle=RECYCLE,
        use_lifo=True,
        reset_on_return=None,
    )
