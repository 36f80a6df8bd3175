"""Caches a value that takes long to read, and lets one thread at a time read it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

T = TypeVar("T")

LATE = 2
"""Factor of the allowed age while another thread reads the value anew."""


class TtlCache(Generic[T]):
    """Keeps the value of `read`, and reads it anew when it is `ttl` seconds old.

    Callers that come during a reading share its value or its error. If the value is only too old, one caller waits
    for the reading; the others get the old value until it is LATE times as old as `ttl`. `of` of `get` identifies the
    source of the value; its default is `source()`. `read` gets the positional arguments of `get`.
    """

    def __init__(self, read: Callable[..., T], ttl: float, source: Callable[[], object] = lambda: None) -> None:
        self._read, self._ttl, self._source = read, ttl, source
        self._lock = threading.Lock()
        self._value: tuple[float, object, T] | None = None  # time of reading, source
        self._flight: Future[T] | None = None

    def get(self, *arguments: object, refresh: bool = False, of: object = None) -> T:
        """Return the value; read it anew with `refresh`, if it is too old, or if it has another source than `of`.

        Raises the errors of `read` and `source`, which are not kept.
        """
        of = self._source() if of is None else of
        if refresh and (begun := self._flight):  # it may have begun before the change that the caller wants to see
            wait((begun,))
        with self._lock:
            flight = self._flight
            if self._value is not None and not refresh:
                when, source, value = self._value
                if source == of and time.monotonic() - when < self._ttl * (LATE if flight else 1):
                    return value
            if flight is None:
                own = self._flight = Future()
        return flight.result() if flight else self._fly(own, of, arguments)

    def glance(self) -> T:
        """Return the cached value, or the one that is just being read; else read one and do not keep it."""
        with self._lock:
            flight, cached = self._flight, self._value
        if flight is not None:
            return flight.result()
        return self._read() if cached is None else cached[2]

    def _fly(self, flight: Future[T], of: object, arguments: tuple[object, ...]) -> T:
        """Read the value for all callers that wait for `flight`."""
        started = time.monotonic()
        try:
            value = self._read(*arguments)
        except BaseException as exc:
            with self._lock:
                self._flight = None
            flight.set_exception(exc)
            raise
        with self._lock:
            self._value, self._flight = (started, of, value), None
        flight.set_result(value)
        return value
