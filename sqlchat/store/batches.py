"""Collects rows and writes them in batches, on one background thread."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

MOST = 5_000
"""Items that may wait; the caller who adds one more writes them all."""


class Batches(Generic[Item]):
    """Passes the items of `put` to `write` as one list, in their order, within `window` seconds.

    `write` is called by one thread at a time and must not raise. The thread starts with the first item and runs until
    `close`. The end of the process calls `close` too, so only a killed process loses items.
    """

    def __init__(self, write: Callable[[list[Item]], None], window: float) -> None:
        self._write, self._window = write, window
        self._waiting: list[Item] = []
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._arrived, self._closed = threading.Event(), threading.Event()

    def put(self, item: Item) -> None:
        with self._lock:
            self._waiting.append(item)
            count = len(self._waiting)
            if self._thread is None:
                self._start()
        if count == 1:
            self._arrived.set()
        elif count > MOST:
            self.flush()

    def flush(self) -> None:
        """Write all waiting items. Returns when they are written, also if another thread writes them."""
        with self._writing:
            with self._lock:
                items, self._waiting = self._waiting, []
            if items:
                self._write(items)

    def close(self) -> None:
        """Write all waiting items and end the thread. The next `put` starts another."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._closed.set()
            self._arrived.set()
        if thread:
            thread.join()
            atexit.unregister(self.close)
        self.flush()

    def _start(self) -> None:
        self._arrived, self._closed = threading.Event(), threading.Event()
        events = self._arrived, self._closed
        self._thread = threading.Thread(target=self._run, args=events, name="batches", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def _run(self, arrived: threading.Event, closed: threading.Event) -> None:
        while not closed.is_set():
            arrived.wait()
            closed.wait(self._window)
            arrived.clear()
            self.flush()
