"""Collects the bytes that a writer of Arrow or Parquet makes, until they are taken out."""

from __future__ import annotations

import io
from typing import Any


class Sink(io.RawIOBase):
    """A file that can only be written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        """Return the bytes that were written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
