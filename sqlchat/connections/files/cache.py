"""Caches the databases of files on disk, for all processes of this machine.

A database is a folder with a hash as its name. One process builds it, under a lock, in a folder
of its own that is moved to its place when it is complete. A reader holds a shared lock, so no database in use is
removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

POLL = 0.05
"""Seconds between two tries for a lock."""
LONGEST_UNUSED = 7 * 86_400
"""Seconds after which an unused database is removed even if there is room: its files may not exist any more."""
PART = ".part"
"""Suffix of a folder that is being built or removed: `<key>.<random>.part`."""


class DatabaseCache:
    """Databases below `folder`, of at most `limit` bytes without the newest one and those in use."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit

    def make_path(self, key: str) -> Path:
        """Return the folder of a database, whether it exists or not."""
        return self._folder / key

    @contextmanager
    def hold(self, key: str, patience: float) -> Iterator[bool]:
        """Keep a database from being removed; False if there is none.

        If it is being removed, this waits `patience` seconds at most and gives False. Raises OSError.
        """
        place = self.make_path(key)
        if not place.exists():
            yield False
            return
        with self._hold_lock(key, fcntl.LOCK_SH, patience) as locked:
            exists = locked and place.exists()
            if exists:
                with contextlib.suppress(OSError):
                    os.utime(place)
            yield exists

    def make(self, key: str, build: Callable[[Path], None], patience: float) -> bool:
        """Let `build` fill the folder of a database if there is none; False if another process is still building it.

        Waits `patience` seconds at most. Raises OSError and the errors of `build`, and leaves nothing behind then.
        """
        place = self.make_path(key)
        if place.exists():
            return True
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._hold_lock(key, fcntl.LOCK_EX, patience) as locked:
            if not locked or place.exists():
                return place.exists()
            self._clear(key)
            # A new name: a process that outlives its parent may still write into an older one.
            part = self._make_part_path(key)
            try:
                part.mkdir(mode=0o700)
                build(part)
                _sync_files(part)
                self._move(part, place)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        self.tidy(keep=key)
        return True

    def discard(self, key: str, *, is_leftover: bool = False) -> None:
        """Remove a database and its unfinished folders, unless it is in use or the disk refuses.

        `is_leftover`: a process died or a build failed, so a complete database is kept.
        """
        with contextlib.suppress(OSError), self._hold_lock(key, fcntl.LOCK_EX, 0) as locked:
            if locked:
                self._clear(key)
                if not (is_leftover and self.make_path(key).exists()):
                    self._remove(key)

    def tidy(self, keep: str = "") -> None:
        """Remove leftovers, long unused databases, and the least recently used ones while the limit is exceeded."""
        databases = []
        for entry in self._list_entries():
            key, _, kind = entry.name.partition(".")
            if not kind:
                with contextlib.suppress(OSError):
                    databases.append((entry.stat().st_mtime, key, _measure_folder(entry.path)))
            elif entry.name.endswith(PART) or not self.make_path(key).exists():
                self.discard(key, is_leftover=True)
        total = sum(size for _, _, size in databases)
        for used, key, size in sorted(databases):
            if key != keep and (total > self._limit or time.time() - used > LONGEST_UNUSED):
                self.discard(key)
                total -= 0 if self.make_path(key).exists() else size

    def _list_entries(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._folder) as entries:
                return list(entries)
        except OSError:
            return []

    def _clear(self, key: str) -> None:
        """Remove unfinished folders of a key. The caller holds its lock, so nobody works in them."""
        for entry in self._list_entries():
            if entry.name.startswith(f"{key}.") and entry.name.endswith(PART):
                shutil.rmtree(entry.path, ignore_errors=True)

    def _remove(self, key: str) -> None:
        """Remove a database and its lock, which the caller holds. Raises OSError.

        The database goes in one step, so that no reader sees a part of it. The lock's file goes last; a process that
        waits for it notices that the file is another one.
        """
        part = self._make_part_path(key)
        with contextlib.suppress(FileNotFoundError):
            self.make_path(key).rename(part)
        shutil.rmtree(part, ignore_errors=True)
        self._make_lock_path(key).unlink(missing_ok=True)

    def _move(self, part: Path, place: Path) -> None:
        try:
            part.rename(place)
        except OSError:
            # Another process with another lock built it meanwhile: the whole folder was removed, or its file system
            # does not share locks between hosts.
            if not place.exists():
                raise
        _sync_folder(self._folder)

    def _make_part_path(self, key: str) -> Path:
        return self._folder / f"{key}.{secrets.token_hex(8)}{PART}"

    def _make_lock_path(self, key: str) -> Path:
        return self._folder / f"{key}.lock"

    @contextmanager
    def _hold_lock(self, key: str, mode: int, patience: float) -> Iterator[bool]:
        """Hold the lock of a key, also against other threads of this process. False if it stays taken."""
        until = time.monotonic() + patience
        while (descriptor := self._try_lock(key, mode)) is None:
            if time.monotonic() >= until or not self._folder.exists():
                yield False
                return
            time.sleep(POLL)
        try:
            yield True
        finally:
            os.close(descriptor)

    def _try_lock(self, key: str, mode: int) -> int | None:
        path = self._make_lock_path(key)
        access = os.O_RDONLY if mode == fcntl.LOCK_SH else os.O_RDWR  # a reader can lock on a read-only disk too
        try:
            descriptor = os.open(path, access | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # the whole folder was removed
            return None
        with ExitStack() as opened:
            opened.callback(os.close, descriptor)
            with contextlib.suppress(BlockingIOError, FileNotFoundError):
                fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_ino == path.stat().st_ino:
                    opened.pop_all()
                    return descriptor
        return None


def _sync_files(folder: Path) -> None:
    """Sync a folder's files, so that a power loss leaves no damaged one that looks complete. Raises OSError."""
    for path in folder.iterdir():
        _sync(path)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system syncs folders
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _measure_folder(folder: str) -> int:
    """Sum the bytes of all files below a folder."""
    return sum(os.lstat(os.path.join(root, name)).st_size for root, _, names in os.walk(folder) for name in names)
