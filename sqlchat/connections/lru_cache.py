"""Keeps the most recently used results, each under a key."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class LruCache(Generic[T]):
    """Keeps at most `most` results, and `most_characters` of the `repr`s of keys and results. Safe for threads.

    It does not keep a result that needs more than a tenth of the characters. Without `most_characters`, results may
    have any size.
    """

    def __init__(self, most: int, most_characters: int | None = None) -> None:
        self._most, self._most_characters = most, most_characters
        self._entries: OrderedDict[Hashable, tuple[int, T]] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> T | None:
        """Return the result for exactly this key; None if there is none."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, key: Hashable, result: T) -> None:
        """Keep `result`; if there is no room, remove the least recently used results."""
        most_characters = self._most_characters
        size = 0 if most_characters is None else len(repr(key)) + len(repr(result))
        if size * 10 > (most_characters or 0):
            return
        with self._lock:
            self._characters += size - self._entries.pop(key, (0, None))[0]
            self._entries[key] = size, result
            while len(self._entries) > self._most or self._characters > (most_characters or 0):
                self._characters -= self._entries.popitem(last=False)[1][0]

    def remove(self, key: Hashable) -> None:
        with self._lock:
            self._characters -= self._entries.pop(key, (0, None))[0]
