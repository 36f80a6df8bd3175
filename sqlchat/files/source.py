"""The bytes of one upload, plain, gzipped or in a zip archive, with a bound on their unpacked size."""

from __future__ import annotations

import errno
import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from sqlchat.errors import FileInvalidError, TooLargeError

if TYPE_CHECKING:
    import pyarrow as pa

MAX_UNPACKED = 4 << 30
"""Bytes that a compressed upload may write to the disk."""

MAX_MEMBERS = 10_000

MAX_RATIO = 200
"""Real tables shrink 3 to 50 times in gzip; one repeated byte shrinks 1032 times."""

RATIO_APPLIES_FROM = 64 << 20
"""Bytes; even a bomb of fewer does no harm."""


@dataclass(frozen=True)
class Source:
    """An upload on disk, unpacked."""

    path: str
    suffix: str
    """Suffix of the caller's file name, without `.gz`, in lower case: ".csv"."""
    packed: Literal["", "gzip", "zip"] = ""
    """Compression of the upload."""
    member: str = ""
    """Name within a zip archive of several files."""
    scan: Any = field(default=None, compare=False, repr=False)
    """The scan of all bytes, if an earlier reading made it."""
    kept: Any = field(default=None, compare=False, repr=False)
    """A temporary file that is removed with the source."""

    @property
    def size(self) -> int:
        return Path(self.path).stat().st_size

    def open(self) -> IO[bytes]:
        return open(self.path, "rb")

    def head(self, size: int) -> bytes:
        """Read the first `size` bytes, or all."""
        with self.open() as stream:
            return stream.read(size)

    def tail(self, size: int) -> bytes:
        """Read the last `size` bytes, or all."""
        with self.open() as stream:
            stream.seek(max(0, self.size - size))
            return stream.read()

    def open_stretch(self, start: int, end: int) -> pa.NativeFile:
        """Open the bytes between two offsets."""
        import pyarrow as pa

        return pa.OSFile(self.path).get_stream(start, end - start)


def list_members(path: str) -> list[str]:
    """List the files in a zip archive, without those that systems add. Raises FileInvalidError if it is broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist()[:MAX_MEMBERS] if not entry.is_dir()]
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as exc:
        raise FileInvalidError("The file does not read as a zip archive; it may be damaged.") from exc
    return [
        name for name in names if not name.startswith("__MACOSX/") and not name.rpartition("/")[2].startswith(".")
    ]


def unpack(path: str, member: str | None = None) -> Any:
    """Unpack a gzip file, or a file of a zip archive, to a temporary file, which is removed with its object.

    Raises FileInvalidError if it is broken or locked, TooLargeError if it is a bomb or the disk has no room.
    """
    packed, kind = Path(path).stat().st_size, "gzip file" if member is None else "zip archive"
    copy = tempfile.NamedTemporaryFile(prefix="unpacked-")  # noqa: SIM115  its owner closes it
    size = 0
    try:
        with _open_packed(path, member) as file:
            while piece := file.read(1 << 20):
                size += len(piece)
                if size > MAX_UNPACKED or (size > RATIO_APPLIES_FROM and size > MAX_RATIO * packed):
                    raise TooLargeError(
                        f"The {kind} unpacks to more than {size >> 20} MiB, which is more than is read."
                    )
                copy.write(piece)
        copy.flush()
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as exc:
        raise FileInvalidError(f"The {kind} is damaged, or locked by a password.") from exc
    except OSError as exc:
        if exc.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        raise TooLargeError(f"The disk has no room to unpack the {kind}.") from exc
    return copy


@contextmanager
def _open_packed(path: str, member: str | None) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if member is None:
        with gzip.open(path, "rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(member) as inner:
        yield inner
