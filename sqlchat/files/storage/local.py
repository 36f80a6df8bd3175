"""Keeps objects as files below a folder, `<bucket>/<name>`. It has no policies, so it needs no caller's token."""

from __future__ import annotations

import builtins
import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

from sqlchat.errors import StorageError
from sqlchat.files import formats
from sqlchat.files.storage.base import Storage, StoredObject, make_absent_error, make_taken_error

PIECE = 1 << 20
NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""Errors of file systems without hard links."""
NO_NAMES = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ})
"""Errors for a name that no file of ours can have, and for a link."""


class LocalStorage(Storage):
    """Writes beside the target, then gives the finished file its name in one step."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(
        self,
        bucket: str,
        name: str,
        file: BinaryIO,
        size: int,
        content_type: str,
        *,
        upsert: bool = False,
        token: str | None = None,
    ) -> str:
        target = self._target(bucket, name)
        if target.exists() and not upsert:
            raise make_taken_error(f"{bucket}/{name}")
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
                _claim_name(temporary, target)
        except FileExistsError as exc:
            raise make_taken_error(f"{bucket}/{name}") from exc
        except OSError as exc:
            raise StorageError(f"The file could not be stored: {exc.strerror or 'the disk refused it'}.") from exc
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        return f"{bucket}/{name}"

    def stat(self, bucket: str, name: str, *, token: str | None = None) -> StoredObject:
        with _translate_errors(bucket, name):
            return _describe(name, self._target(bucket, name))

    def fetch(self, bucket: str, name: str, target: BinaryIO, *, token: str | None = None) -> None:
        with _translate_errors(bucket, name):
            file = open(self._target(bucket, name), "rb", opener=_open_no_link)  # noqa: SIM115
        with file:
            shutil.copyfileobj(file, target, PIECE)

    def list(self, bucket: str, folder: str, *, token: str | None = None) -> builtins.list[StoredObject]:
        objects = []
        path = self._target(bucket, folder) if folder else self._target(bucket)
        with _translate_errors(bucket, folder), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for entry in path.iterdir():
                # A file that is removed meanwhile is left out, and so is an unfinished one.
                with contextlib.suppress(FileNotFoundError):
                    if not entry.name.startswith("."):
                        objects.append(_describe(f"{folder}/{entry.name}" if folder else entry.name, entry))
        return sorted(objects, key=attrgetter("name"))

    def delete(self, bucket: str, name: str, *, token: str | None = None) -> None:
        with _translate_errors(bucket, name):
            path = self._target(bucket, name)
            _describe(name, path)
            path.unlink()

    def _target(self, bucket: str, name: str | None = None) -> Path:
        parts = (bucket, *(name.split("/") if name is not None else ()))
        if any(part in {"", ".", ".."} or "\\" in part or "\0" in part for part in parts):
            raise StorageError("The object's name leads out of its bucket.")
        return self._folder.joinpath(*parts)


def _describe(name: str, path: Path) -> StoredObject:
    """Describe a file. Raises FileNotFoundError if there is none; folders and links are no files."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError(errno.ENOENT, "not a file")
    return StoredObject(
        name,
        status.st_size,
        formats.find_content_type(name) or "application/octet-stream",
        datetime.fromtimestamp(status.st_mtime, UTC),
        f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}",
    )


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


@contextlib.contextmanager
def _translate_errors(bucket: str, name: str) -> Iterator[None]:
    """Translate errors of the disk to errors of the storage."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as exc:
        raise make_absent_error(f"{bucket}/{name}") from exc
    except OSError as exc:
        if exc.errno in NO_NAMES:
            raise make_absent_error(f"{bucket}/{name}") from exc
        raise StorageError(f"The files cannot be read: {exc.strerror or 'the disk refused it'}.") from exc


def _claim_name(temporary: Path, target: Path) -> None:
    """Give a file its name. Raises FileExistsError if that is taken."""
    try:
        target.hardlink_to(temporary)
    except OSError as exc:
        if exc.errno not in NO_LINKS:
            raise
        with target.open("xb"):  # claims the name, so that a second upload fails
            temporary.replace(target)
