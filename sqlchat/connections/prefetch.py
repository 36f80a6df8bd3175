"""Reads catalogs and profiles in the background, so that the first question need not wait for them."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

from sqlchat.connections.open_connection import OpenConnection
from sqlchat.errors import SqlchatError, UnauthorizedError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.profiles import Profiles

log = logging.getLogger(__name__)

MOST_WAITING = 100
"""Most connections that wait to be read; any other is read by its first question."""
PAUSE = 0.5
"""Seconds before reading begins, so that an immediate question has the database for itself."""
GRACE = 1.0
"""Seconds that `close` waits for the current reading."""


class Prefetcher:
    """Reads connections on one daemon thread, which lives only while connections wait, so it does not cross a fork.

    It reads through the caches of the connection, so questions find the result or join the reading. With one thread,
    it reads no database twice at once, and takes at most one worker process and one pooled connection from questions.
    `prepare(catalog, profiles)` indexes what was read.
    """

    def __init__(self, prepare: Callable[[Catalog, Profiles], object] = lambda catalog, profiles: None) -> None:
        self._prepare = prepare
        self._wanted: dict[object, OpenConnection] = {}  # by key, in their order
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()

    def want(self, connection: OpenConnection) -> None:
        """Queue a connection. Neither waits nor raises."""
        with self._lock:
            if self._closed.is_set() or len(self._wanted) >= MOST_WAITING:
                return
            self._wanted[connection.key] = connection
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError as exc:  # the system has no room for a thread
                    self._thread = None
                    self._wanted.clear()
                    log.warning("nothing is prefetched", extra={"reason": str(exc)})

    def close(self) -> None:
        """Read nothing more. Waits GRACE seconds for the current reading, which then ends by its own deadline."""
        with self._lock:
            self._closed.set()
            thread = self._thread
            self._wanted.clear()
        if thread is not None:
            thread.join(GRACE)

    def _run(self) -> None:
        self._closed.wait(PAUSE)
        while (connection := self._next()) is not None:
            self._prefetch(connection)
            del connection  # the last reference closes it

    def _next(self) -> OpenConnection | None:
        with self._lock:
            if not self._wanted:
                self._thread = None
                return None
            return self._wanted.pop(next(iter(self._wanted)))

    def _prefetch(self, connection: OpenConnection) -> None:
        """Read and index a connection. Logs a failure: the next question reads anew, and gets its own error."""
        try:
            for catalog, profiles in read_ahead(connection):
                if self._closed.is_set() or connection.is_dropped:
                    return
                latest = catalog, profiles
            catalog, profiles = latest
            self._prepare(catalog.listed, profiles)
        except SqlchatError as exc:
            if not self._closed.is_set() and not connection.is_dropped:
                extra = {"connection": connection.name, "reason": exc.detail}
                log.warning("connection could not be prefetched", extra=extra)
        except Exception as exc:  # noqa: BLE001 - its text may hold anything, and the thread has others to read
            extra = {"connection": connection.name, "reason": type(exc).__name__}
            log.error("prefetching failed", extra=extra)


def read_ahead(connection: OpenConnection) -> Iterator[tuple[Catalog, Profiles]]:
    """Read what a question needs, and yield catalog and profiles after each step.

    Skips data that is private to one caller or excluded from prompts. The catalog is not cached, since tables are
    often made right after the connection. Raises the errors of the connection.
    """
    catalog, profiles = connection.glance_at_catalog(), Profiles()
    yield catalog, profiles
    if connection.privacy == "schema":
        return
    profiles = connection.read_profiles(catalog=catalog)
    yield catalog, profiles
    if connection.privacy == "rows":
        with contextlib.suppress(UnauthorizedError):  # each caller has rows of their own
            connection.for_caller(None).read_samples(catalog=catalog)
            yield catalog, profiles
