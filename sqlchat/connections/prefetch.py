"""Reads in the background what the first question on a connection would otherwise wait for. For the runtime."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

from sqlchat.errors import ConnectionNotFoundError, SqlchatError

log = logging.getLogger(__name__)

MOST_WAITING = 100
"""Connections that wait to be read; one more is read by its first question."""
PAUSE = 0.5
"""Seconds left to whoever asks at once, before reading begins beside them."""
GRACE = 1.0
"""Seconds that a process which ends waits for the reading under way."""


class Prefetcher:
    """One daemon thread, which is there only while there is something to read: so none of it crosses a fork.

    `read` takes an owner and a connection's name and reads step by step. What it reads is kept where questions look:
    they find it there, or join the reading. One thread means that no database is read twice at once, and that at most
    one worker process and one pooled connection are taken from those who ask.
    """

    def __init__(self, read: Callable[[str, str], Iterator[object]]) -> None:
        self._read = read
        self._wanted: dict[tuple[str, str], None] = {}  # in their order
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()

    def want(self, owner: str, name: str) -> None:
        """Have a connection read soon, and anew where it is being read now. Neither waits nor raises."""
        with self._lock:
            if (
                self._closed.is_set()
                or len(self._wanted) >= MOST_WAITING
                or threading.current_thread() is self._thread
            ):
                return
            self._wanted[owner, name] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError as exc:  # the system has no room for a thread; questions read for themselves
                    self._thread = None
                    self._wanted.clear()
                    log.warning("nothing is read ahead", extra={"reason": str(exc)})

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
        while (place := self._next()) is not None:
            self._follow(*place)

    def _next(self) -> tuple[str, str] | None:
        with self._lock:
            if not self._wanted:
                self._thread = None
                return None
            place = next(iter(self._wanted))
            del self._wanted[place]
            return place

    def _follow(self, owner: str, name: str) -> None:
        """A failure is kept by nobody: the question that comes reads for itself, and tells its own."""
        try:
            for _ in self._read(owner, name):
                if self._closed.is_set() or (owner, name) in self._wanted:  # which was changed meanwhile
                    return
        except ConnectionNotFoundError:  # deleted meanwhile
            return
        except SqlchatError as exc:
            if not self._closed.is_set():
                log.warning("connection could not be read ahead", extra={"connection": name, "reason": exc.detail})
        except Exception as exc:  # noqa: BLE001 - its text may hold anything, and the thread has others to read
            log.error("reading ahead failed", extra={"connection": name, "reason": type(exc).__name__})
