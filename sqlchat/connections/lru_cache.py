"""Keeps the most recently used results by a text."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class LruCache(Generic[T]):
    """Keeps at most `most` results, whose representations have `most_characters` together. Safe to share by threads.

    A result that takes more than a tenth of the characters is not kept.
    """

    def __init__(self, most: int, most_characters: int) -> None:
        self._most, self._most_characters = most, most_characters
        self._kept: OrderedDict[str, tuple[int, T]] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def get(self, text: str) -> T | None:
        """The result that was kept for this very text; None without one."""
        with self._lock:
            found = self._kept.get(text)
            if found is None:
                return None
            self._kept.move_to_end(text)
            return found[1]

    def put(self, text: str, result: T) -> None:
        """Keep `result`, and forget those that were not used for longest if there is no room."""
        size = len(text) + len(repr(result))
        if size * 10 > self._most_characters:
            return
        with self._lock:
            self._characters += size - self._kept.pop(text, (0, None))[0]
            self._kept[text] = size, result
            while len(self._kept) > self._most or self._characters > self._most_characters:
                self._characters -= self._kept.popitem(last=False)[1][0]
