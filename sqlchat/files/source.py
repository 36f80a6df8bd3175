"""The bytes of one upload, plain or gzipped, with a bound on what a gzip may grow to. Read by `formats`."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlchat.errors import FileInvalidError, TooLargeError

if TYPE_CHECKING:
    import pyarrow as pa

MAX_UNPACKED = 8 << 30
"""Bytes of text that a compressed upload may hold."""

MAX_UNPACKED_FILE = 2 << 30
"""Bytes of a file in a zip archive, which are written to the disk."""

MAX_MEMBERS = 10_000

MAX_RATIO = 200
"""Real tables shrink 3 to 50 times in gzip; gzip's own limit, of one repeated byte, is 1032."""

RATIO_APPLIES_FROM = 64 << 20
"""Below this many bytes even a bomb does no harm."""


BEFORE = 4
"""Bytes, as many as a character of UTF-8 has at most."""


@dataclass(frozen=True)
class Piece:
    """Some bytes of a text."""

    open: Callable[[], pa.NativeFile]
    """Gives them, in any thread, as often as wanted."""
    before: bytes
    """The four bytes before them; none at the beginning of the text."""
    after: bytes
    """The byte after them; none at the end of the text."""


@dataclass(frozen=True)
class Source:
    """An upload on disk."""

    path: str
    suffix: str
    """Of the name that the caller gave, without `.gz`, in lower case: ".csv"."""
    gzipped: bool = False
    zipped: bool = False
    member: str = ""
    """Name within a zip archive of several files."""
    kept: Any = field(default=None, compare=False, repr=False)
    """Holds a file that is removed with the source."""

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return Path(self.path).stat().st_size

    def open(self) -> IO[bytes]:
        """The (unpacked) bytes from their beginning. Reading raises FileInvalidError for a broken gzip, TooLargeError
        for a bomb."""
        if not self.gzipped:
            return open(self.path, "rb")
        return io.BufferedReader(_Unpacked(self.path, self.size), 1 << 20)

    def head(self, size: int) -> bytes:
        """The first `size` bytes, or all."""
        with self.open() as stream:
            return stream.read(size)

    def tail(self, size: int) -> bytes:
        """The last `size` bytes, or all."""
        with self.open() as stream:
            if not self.gzipped:
                stream.seek(max(0, self.size - size))
                return stream.read()
            last = b""
            while piece := stream.read(1 << 20):
                last = (last + piece)[-size:]
            return last

    def pieces(self, start: int, size: int) -> Iterator[Piece]:
        """The (unpacked) bytes from offset `start` on, in pieces of `size`, four or more; the last may be less."""
        import pyarrow as pa

        if not self.gzipped:
            end = self.size
            with open(self.path, "rb") as file:
                for begin in range(start, end, size):
                    file.seek(max(start, begin - BEFORE))
                    before = file.read(min(begin - start, BEFORE))
                    file.seek(begin + size)
                    piece = partial(_between, self.path, begin, min(begin + size, end))
                    yield Piece(piece, before, file.read(1))
            return
        with self.open() as stream:
            stream.read(start)
            before, held = b"", stream.read(size)
            while held:
                following = stream.read(size)
                yield Piece(partial(pa.BufferReader, held), before, following[:1])
                before, held = held[-BEFORE:], following

    def stretches(self, offsets: Sequence[int]) -> Iterator[Callable[[], pa.NativeFile]]:
        """For each two neighbouring offsets what opens the (unpacked) bytes between them, in any thread."""
        import pyarrow as pa

        if not self.gzipped:
            yield from (partial(_between, self.path, start, end) for start, end in pairwise(offsets))
            return
        with self.open() as stream:
            stream.read(offsets[0])
            for start, end in pairwise(offsets):
                yield partial(pa.BufferReader, stream.read(end - start))


def list_members(path: str) -> list[str]:
    """Names of the files in a zip archive but for those that systems add. Raises FileInvalidError if it is broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist()[:MAX_MEMBERS] if not entry.is_dir()]
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as exc:
        raise FileInvalidError("The file does not read as a zip archive; it may be damaged.") from exc
    return [
        name for name in names if not name.startswith("__MACOSX/") and not name.rpartition("/")[2].startswith(".")
    ]


def unpack(path: str, member: str) -> Any:
    """A file of a zip archive as a temporary file, which is removed when nobody holds it any more.

    Raises FileInvalidError for a broken or locked archive, TooLargeError for a bomb.
    """
    packed = Path(path).stat().st_size
    copy = tempfile.NamedTemporaryFile(prefix="unpacked-")  # noqa: SIM115  its holder ends it
    size = 0
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            while piece := file.read(1 << 20):
                size += len(piece)
                if size > MAX_UNPACKED_FILE or (size > RATIO_APPLIES_FROM and size > MAX_RATIO * packed):
                    raise TooLargeError(
                        f"The zip archive unpacks to more than {size >> 20} MiB, which is more than is read."
                    )
                copy.write(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as exc:
        raise FileInvalidError("The zip archive is damaged, or locked by a password.") from exc
    copy.flush()
    return copy


def _between(path: str, start: int, end: int) -> pa.NativeFile:
    import pyarrow as pa

    return pa.OSFile(path).get_stream(start, end - start)


class _Unpacked(io.RawIOBase):
    """A gzip that stops where it grows out of proportion."""

    def __init__(self, path: str, packed: int) -> None:
        self._gzip = gzip.open(path, "rb")  # noqa: SIM115  close() closes it
        self._packed, self._unpacked = packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            count = self._gzip.readinto(buffer)
        except (OSError, EOFError, zlib.error) as exc:
            raise FileInvalidError("The file ends in .gz, but it is no whole gzip file.") from exc
        self._unpacked += count
        inflated = self._unpacked > RATIO_APPLIES_FROM and self._unpacked > MAX_RATIO * self._packed
        if inflated or self._unpacked > MAX_UNPACKED:
            raise TooLargeError(
                f"The gzip file unpacks to more than {self._unpacked >> 20} MiB, which is more than is read."
            )
        return count

    def close(self) -> None:
        self._gzip.close()
        super().close()
