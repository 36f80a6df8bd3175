"""Objects as files below a folder, `<bucket>/<name>`, for where Supabase Storage is not configured."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from pathlib import Path
from typing import BinaryIO

from sqlchat.errors import ConflictError, StorageError
from sqlchat.files.storage.base import Storage

PIECE = 1 << 20
NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What file systems without hard links answer."""


class LocalStorage(Storage):
    """Writes beside the target, then gives the finished file its name in one step."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(
        self, bucket: str, name: str, file: BinaryIO, size: int, content_type: str, *, upsert: bool = False
    ) -> str:
        target = self._target(bucket, name)
        if target.exists() and not upsert:
            raise _taken(bucket, name)
        temporary = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            file.seek(0)
            with temporary.open("xb") as copy:
                shutil.copyfileobj(file, copy, PIECE)
                written = copy.tell()
                copy.flush()
                os.fsync(copy.fileno())
            if written != size:
                raise StorageError(f"Only {written:,} of {size:,} bytes could be stored.")
            if upsert:
                temporary.replace(target)
            else:
                _name(temporary, target)
        except FileExistsError as exc:
            raise _taken(bucket, name) from exc
        except OSError as exc:
            raise StorageError(f"The file could not be stored: {exc.strerror or 'the disk refused it'}.") from exc
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        return f"{bucket}/{name}"

    def _target(self, bucket: str, name: str) -> Path:
        parts = (bucket, *name.split("/"))
        if any(part in {"", ".", ".."} or "\\" in part or "\0" in part for part in parts):
            raise StorageError("The object's name leads out of its bucket.")
        return self._folder.joinpath(*parts)


def _name(temporary: Path, target: Path) -> None:
    """Give a file its name unless that is taken, FileExistsError."""
    try:
        target.hardlink_to(temporary)
    except OSError as exc:
        if exc.errno not in NO_LINKS:
            raise
        with target.open("xb"):  # claims the name, so that the one who comes second is told
            temporary.replace(target)


def _taken(bucket: str, name: str) -> ConflictError:
    return ConflictError(
        f"There is already a file {name!r} in {bucket!r}; rename yours, or replace it with upsert=true."
    )
