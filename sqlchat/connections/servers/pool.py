"""The pool of connections to one database server, alike for Postgres, MySQL and Spark."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from sqlchat.config import Settings
from sqlchat.errors import BusyError

RECYCLE = 1800
"""Seconds after which a pooled connection is replaced."""
UNENCRYPTED = "The connection is not encrypted; set sslmode to require or verify-full."
"""Warning for a server that is not near."""


class Pooled:
    """A driver's session, lent to one caller at a time, who calls `close`. It is lost if the caller forgets it."""

    def __init__(self, session: Any, pool: Pool) -> None:
        self.session, self._pool = session, pool
        self.info: dict[str, Any] = {}
        """Facts that a driver keeps as long as the session lives."""
        self.ends_at = time.monotonic() + RECYCLE
        self.is_lent = False

    def close(self) -> None:
        """Give the session back; does nothing if it was given back."""
        if self.is_lent:
            self._pool.take_back(self)

    def invalidate(self) -> None:
        """Close the session instead: the next caller gets another one."""
        self.ends_at = 0
        self.close()

    __del__ = invalidate


class Pool:
    """Lends up to `settings.pool_size` sessions, the last returned first.

    It does not reset a returned session: its user knows what outlives a ROLLBACK. It does not ping before use: the
    first message of a statement changes nothing, so it can be sent again on another session. The queue of free places
    is the standard library's in C, as each request takes one and most wait for it.
    """

    def __init__(self, settings: Settings, connect: Callable[[], Any]) -> None:
        self._connect, self._timeout, self.size = connect, settings.pool_timeout, settings.pool_size
        self._places: SimpleQueue[None] = SimpleQueue()
        for _ in range(self.size):
            self._places.put(None)
        self._idle: list[Pooled] = []
        self._is_closed = False
        self._waiting, self._lock = 0, threading.Lock()
        POOLS.add(self)

    def lend(self) -> Pooled:
        """Return a session of the caller's own. Raises BusyError, and the errors of `connect`."""
        try:
            self._places.get_nowait()
        except Empty:
            self._wait_for_place()
        try:
            pooled = self._find_idle() or Pooled(self._connect(), self)
        except BaseException:
            self._places.put(None)
            raise
        pooled.is_lent = True
        return pooled

    def take_back(self, pooled: Pooled) -> None:
        pooled.is_lent = False
        if self._is_closed or time.monotonic() >= pooled.ends_at:
            _close_session(pooled)
        else:
            self._idle.append(pooled)
        self._places.put(None)

    def close(self) -> None:
        """Close the idle sessions now, and the others when they are returned."""
        self._is_closed = True
        while self._find_idle() is not None:
            pass

    def count_use(self) -> tuple[int, int, int]:
        """Count the sessions that are lent and idle, and the callers that wait for one."""
        return self.size - self._places.qsize(), len(self._idle), self._waiting

    def _wait_for_place(self) -> None:
        with self._lock:
            self._waiting += 1
        try:
            self._places.get(timeout=self._timeout)
        except Empty as exc:
            raise BusyError("All connections to this database are in use.", retry_after=1) from exc
        finally:
            with self._lock:
                self._waiting -= 1

    def _find_idle(self) -> Pooled | None:
        """Take an idle session that may be used on, and close those that are too old."""
        while True:
            try:
                pooled = self._idle.pop()
            except IndexError:
                return None
            if not self._is_closed and time.monotonic() < pooled.ends_at:
                return pooled
            _close_session(pooled)


POOLS: weakref.WeakSet[Pool] = weakref.WeakSet()
"""All that live in this process."""


def count_connections() -> dict[str, int]:
    """Count this process' pooled connections that are `in_use` and `idle`, and threads that are `waiting` for one."""
    counts = [pool.count_use() for pool in list(POOLS)]
    return {state: sum(each[index] for each in counts) for index, state in enumerate(("in_use", "idle", "waiting"))}


def _close_session(pooled: Pooled) -> None:
    with contextlib.suppress(Exception):  # its line may be broken, each driver has errors of its own for that
        pooled.session.close()
