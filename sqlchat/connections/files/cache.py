"""Keeps databases that were made of files on disk, for all processes of this machine.

A database is a folder named by the hash of what it was made of. One process builds it, under a lock, in a folder
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
"""Seconds after which a database that nobody used is removed, room or not: its files may be gone for long."""
PART = ".part"
"""Ends the name of a folder that is on its way in or out: `<key>.<random>.part`."""


class DatabaseCache:
    """Folders below `folder`, together at most `limit` bytes but for the newest one and those in use."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit

    def make_path(self, key: str) -> Path:
        """Where the database of that key is, or would be."""
        return self._folder / key

    @contextmanager
    def hold(self, key: str, patience: float) -> Iterator[bool]:
        """Keep the database of that key from being removed; False where there is none.

        Waits for one that is being removed, `patience` seconds at most, and gives False then. Raises OSError.
        """
        place = self.make_path(key)
        if not place.exists():
            yield False
            return
        with self._hold_lock(key, fcntl.LOCK_SH, patience) as locked:
            there = locked and place.exists()
            if there:
                with contextlib.suppress(OSError):
                    os.utime(place)
            yield there

    def make(self, key: str, build: Callable[[Path], None], patience: float) -> bool:
        """Have `build` fill a folder, unless that was done; False where somebody else is still at it.

        `patience` in seconds.
        Raises OSError and what `build` raises, and leaves nothing behind then.
        """
        place = self.make_path(key)
        if place.exists():
            return True
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._hold_lock(key, fcntl.LOCK_EX, patience) as locked:
            if not locked or place.exists():
                return place.exists()
            self._clear(key)
            # A name that nobody had before: a process that outlives its parent may still write into an older one.
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

    def discard(self, key: str) -> None:
        """Remove a database that is out of date, unless somebody still reads it, or the disk does not let us."""
        with contextlib.suppress(OSError), self._hold_lock(key, fcntl.LOCK_EX, 0) as locked:
            if locked:
                self._remove(key)

    def tidy(self, keep: str = "") -> None:
        """Remove what was not used for long, what is past the limit, the least recently used first, and leftovers."""
        found = []
        for entry in self._list_entries():
            key, _, kind = entry.name.partition(".")
            if not kind:
                with contextlib.suppress(OSError):
                    found.append((entry.stat().st_mtime, key, _measure_folder(entry.path)))
            elif entry.name.endswith(PART) or not self.make_path(key).exists():
                self._sweep(key)
        total = sum(size for _, _, size in found)
        for used, key, size in sorted(found):
            if key != keep and (total > self._limit or time.time() - used > LONGEST_UNUSED):
                self.discard(key)
                total -= 0 if self.make_path(key).exists() else size

    def _list_entries(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._folder) as entries:
                return list(entries)
        except OSError:
            return []

    def _sweep(self, key: str) -> None:
        """Remove what a process that died, or a build that failed, left of a database."""
        with contextlib.suppress(OSError), self._hold_lock(key, fcntl.LOCK_EX, 0) as locked:
            if locked:
                self._clear(key)
                if not self.make_path(key).exists():
                    self._remove(key)

    def _clear(self, key: str) -> None:
        """With its lock held, so that nobody is at work there."""
        for entry in self._list_entries():
            if entry.name.startswith(f"{key}.") and entry.name.endswith(PART):
                shutil.rmtree(entry.path, ignore_errors=True)

    def _remove(self, key: str) -> None:
        """With its lock held. The lock's file goes last; who waits for it sees that it is another one.

        The database goes in one step: of one that lost some of its files, nobody could tell. Raises OSError.
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
            # Made meanwhile by somebody who has another lock: the whole folder was removed, or it is on a file system
            # that does not tell the hosts which share it of each other's locks.
            if not place.exists():
                raise
        _sync_folder(self._folder)

    def _make_part_path(self, key: str) -> Path:
        return self._folder / f"{key}.{secrets.token_hex(8)}{PART}"

    def _make_lock_path(self, key: str) -> Path:
        return self._folder / f"{key}.lock"

    @contextmanager
    def _hold_lock(self, key: str, mode: int, patience: float) -> Iterator[bool]:
        """Hold the lock of a key, also against other threads of this process. False where it was not to be had."""
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
        access = os.O_RDONLY if mode == fcntl.LOCK_SH else os.O_RDWR  # a reader's is had on a read-only disk too
        try:
            descriptor = os.open(path, access | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # the whole folder went
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
    """Have the disk take a folder's files, so that no loss of power leaves one that looks whole. Raises OSError."""
    for path in folder.iterdir():
        _sync(path)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system does this for folders
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _measure_folder(folder: str) -> int:
    """Bytes of all files below it."""
    return sum(os.lstat(os.path.join(root, name)).st_size for root, _, names in os.walk(folder) for name in names)
