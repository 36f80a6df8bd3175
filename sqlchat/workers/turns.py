"""Shares a few worker processes fairly among waiting calls."""

from __future__ import annotations

import threading
from collections import Counter

REMEMBERED = 1000
"""Owners whose last turn is remembered."""


class Turns:
    """A semaphore that is fair: among the calls of one owner, and among owners.

    One owner holds `share` of the `count` turns at most. Of the owners who wait, the next turn goes to the one who
    holds the fewest, then to the one whose last turn is the longest ago; the calls of an owner keep their order.

    Python's own semaphore lets whoever releases it have it back before the one who was woken looks: a thread that
    makes one call after the other would keep all others waiting.
    """

    def __init__(self, count: int, share: int | None = None) -> None:
        self._free, self._share = count, count if share is None else share
        self._waiting: list[tuple[str, threading.Event]] = []
        self._held: Counter[str] = Counter()
        self._last: dict[str, int] = {}
        self._number = 0
        self._lock = threading.Lock()

    def acquire(self, timeout: float | None = None, owner: str = "") -> bool:
        """False where no turn came in `timeout` seconds; None waits for it."""
        with self._lock:
            if self._free and not self._waiting and self._held[owner] < self._share:
                self._grant_turn(owner)
                return True
            waiter = owner, threading.Event()
            self._waiting.append(waiter)
            self._hand_out()
        if waiter[1].wait(timeout):
            return True
        with self._lock:
            if not waiter[1].is_set():
                self._waiting.remove(waiter)
            return waiter[1].is_set()

    def release(self, owner: str = "") -> None:
        """Give a turn back, which hands it to the next."""
        with self._lock:
            self._free += 1
            self._held[owner] -= 1
            if not self._held[owner]:
                del self._held[owner]
            self._hand_out()

    def count_waiting(self) -> int:
        return len(self._waiting)

    def _hand_out(self) -> None:
        while self._free:
            able = [waiter for waiter in self._waiting if self._held[waiter[0]] < self._share]
            if not able:
                return
            waiter = min(able, key=lambda waiter: (self._held[waiter[0]], self._last.get(waiter[0], 0)))
            self._waiting.remove(waiter)
            self._grant_turn(waiter[0])
            waiter[1].set()

    def _grant_turn(self, owner: str) -> None:
        self._free -= 1
        self._held[owner] += 1
        self._number += 1
        if len(self._last) >= REMEMBERED and owner not in self._last:
            self._last.clear()
        self._last[owner] = self._number
