"""Reads in the background what the first question on a connection would otherwise wait for."""

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
"""Connections that wait to be read; one more is read by its first question."""
PAUSE = 0.5
"""Seconds left to whoever asks at once, before reading begins beside them."""
GRACE = 1.0
"""Seconds that a process which ends waits for the reading under way."""


class Prefetcher:
    """One daemon thread, which is there only while there is something to read: so none of it crosses a fork.

    What it reads is kept where questions look: they find it there, or join the reading. One thread means that no
    database is read twice at once, and that at most one worker process and one pooled connection are taken from
    those who ask. `prepare` is told of each catalog and profiles that were read, to index them.
    """

    def __init__(self, prepare: Callable[[Catalog, Profiles], object] = lambda catalog, profiles: None) -> None:
        self._prepare = prepare
        self._wanted: dict[object, OpenConnection] = {}  # by key, in their order
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()

    def want(self, connection: OpenConnection) -> None:
        """Have a connection read soon. Neither waits nor raises."""
        with self._lock:
            if self._closed.is_set() or len(self._wanted) >= MOST_WAITING:
                return
            self._wanted[connection.key] = connection
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError as exc:  # the system has no room for a thread; questions read for themselves
                    self._thread = None
                    self._wanted.clear()
                    log.warning("nothing is prefetched", extra={"reason": str(exc)})

    def close(self) -> None:
        """Read nothing more. A reading that does not end in a second is left to end by its own deadline."""
        with self._lock:
            self._closed.set()
            thread = self._thread
            self._wanted.clear()
        if thread is not None:
            thread.join(GRACE)

    def _run(self) -> None:
        self._closed.wait(PAUSE)
        while (connection := self._next()) is not None:
            self._follow(connection)
            del connection  # which may be what closes it

    def _next(self) -> OpenConnection | None:
        with self._lock:
            if not self._wanted:
                self._thread = None
                return None
            return self._wanted.pop(next(iter(self._wanted)))

    def _follow(self, connection: OpenConnection) -> None:
        """A failure is kept by nobody: the question that comes reads for itself, and tells its own."""
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
    """Read what a question would, for no caller: catalog and profiles as far as they are known, after each reading.

    Skips data that is private to one caller or excluded from prompts. The catalog is not kept: tables may well be
    made right after a connection to them, and a question shall find them. Profiles are good for as long as the
    tables are what they were. Raises what the connection raises.
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
