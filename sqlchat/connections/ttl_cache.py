"""Keeps a value that takes long to read for a while, and lets one thread at a time read it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

T = TypeVar("T")

LATE = 2
"""Times its age that a value may have while it is read anew."""


class TtlCache(Generic[T]):
    """Keeps the value of `read`, and reads it anew when it is `ttl` seconds old.

    Callers that come while it is read share its value or its error. If only its time is over, one caller waits for
    the reading, and the others get the old value until that is twice as old as `ttl`. `source` gives the default of
    `of`; `read` gets the positional arguments of `get`.
    """

    def __init__(self, read: Callable[..., T], ttl: float, source: Callable[[], object] = lambda: None) -> None:
        self._read, self._ttl, self._source = read, ttl, source
        self._lock = threading.Lock()
        self._value: tuple[float, object, T] | None = None  # read when, of what
        self._flight: Future[T] | None = None

    def get(self, *handed: object, refresh: bool = False, of: object = None) -> T:
        """The value. It is read anew with `refresh`, past its time, and when it was read for another `of`.

        Raises what `read` and `source` raise, which is not kept.
        """
        of = self._source() if of is None else of
        if refresh and (begun := self._flight):  # before it was asked for, and so maybe before what it is to find
            wait((begun,))
        with self._lock:
            flight = self._flight
            if self._value is not None and not refresh:
                when, source, value = self._value
                if source == of and time.monotonic() - when < self._ttl * (LATE if flight else 1):
                    return value
            if flight is None:
                own = self._flight = Future()
        return flight.result() if flight else self._fly(own, of, handed)

    def glance(self) -> T:
        """The value that is kept or just being read for another; else one read now, which nobody keeps."""
        with self._lock:
            flight, kept = self._flight, self._value
        if flight is not None:
            return flight.result()
        return self._read() if kept is None else kept[2]

    def _fly(self, flight: Future[T], of: object, handed: tuple[object, ...]) -> T:
        started = time.monotonic()
        try:
            value = self._read(*handed)
        except BaseException as exc:
            with self._lock:
                self._flight = None
            flight.set_exception(exc)
            raise
        with self._lock:
            self._value, self._flight = (started, of, value), None
        flight.set_result(value)
        return value
