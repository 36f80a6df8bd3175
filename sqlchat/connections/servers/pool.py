"""The pool of connections to one database server, alike for Postgres, MySQL and Spark."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from sqlchat.config import Settings

RECYCLE = 1800
"""Seconds after which a pooled connection is replaced."""
UNENCRYPTED = "The connection is not encrypted; set sslmode to require or verify-full."
"""Warning for a server that is not near."""


class CountedPool(QueuePool):
    """A pool that counts the threads that wait for a connection."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.asking, self._asking_lock = 0, threading.Lock()
        POOLS.add(self)

    def _do_get(self) -> ConnectionPoolEntry:
        self._count(1)
        try:
            return super()._do_get()
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._asking_lock:
            self.asking += change


# SQLAlchemy logs a pool's life at INFO, under the name of its class, which is below our own logger.
logging.getLogger(f"{CountedPool.__module__}.{CountedPool.__name__}").setLevel(logging.WARNING)

POOLS: weakref.WeakSet[CountedPool] = weakref.WeakSet()
"""All that live in this process."""


def count_connections() -> dict[str, int]:
    """Count this process' pooled connections that are `in_use` and `idle`, and threads that are `waiting` for one."""
    pools = list(POOLS)
    return {
        "in_use": sum(pool.checkedout() for pool in pools),
        "idle": sum(pool.checkedin() for pool in pools),
        "waiting": sum(pool.asking for pool in pools),
    }


def make_pool(settings: Settings, connect: Callable[[], Any]) -> QueuePool:
    """Make a pool that waits `settings.pool_timeout` seconds for a free connection of `settings.pool_size`.

    It does not reset a returned connection: its user knows what outlives a ROLLBACK. It does not ping before use: the
    first message of a statement changes nothing, so it can be sent again on another connection.
    """
    return CountedPool(
        lambda: cast(DBAPIConnection, connect()),
        pool_size=settings.pool_size,
        max_overflow=0,
        timeout=settings.pool_timeout,
        recycle=RECYCLE,
        use_lifo=True,
        reset_on_return=None,
    )
