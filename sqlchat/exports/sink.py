"""A file that is only written, whose bytes are taken out as they come."""

from __future__ import annotations


class Sink:
    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """All that is written can be taken at once."""

    def close(self) -> None:
        """Nothing is held but bytes."""

    def take(self) -> bytes:
        """The bytes that were written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
