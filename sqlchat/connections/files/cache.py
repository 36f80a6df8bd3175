"""Databases made of files, on disk for all processes of this machine. For `databases.py` alone.

A database is a folder named by the hash of what it was made of. It is built once: under a lock, beside its place, and
moved there when it is whole. Whoever reads one holds its lock too, shared, so that none is removed while in use.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLL = 0.05
"""Seconds between two tries for a lock."""
LONGEST_UNUSED = 7 * 86_400
"""Seconds after which a database that nobody used is removed, room or not: its files may be gone for long."""
PART = ".part"


class DatabaseCache:
    """Folders below `folder`, together at most `limit` bytes but for the newest one and those in use."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit

    def path(self, key: str) -> Path:
        """Where the database of that key is, or would be."""
        return self._folder / key

    @contextmanager
    def held(self, key: str, patience: float) -> Iterator[bool]:
        """Keep the database of that key from being removed; False where there is none.

        Waits for one that is being built, `patience` seconds at most, and gives False then.
        """
        place = self.path(key)
        if not place.exists():
            yield False
            return
        with self._locked(key, fcntl.LOCK_SH, patience) as locked:
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
        place = self.path(key)
        if place.exists():
            return True
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked(key, fcntl.LOCK_EX, patience) as locked:
            if not locked:
                return place.exists()
            if place.exists():
                return True
            part = place.with_name(key + PART)
            shutil.rmtree(part, ignore_errors=True)  # of a process that died
            try:
                part.mkdir(mode=0o700)
                build(part)
                part.rename(place)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        self.tidy(keep=key)
        return True

    def discard(self, key: str) -> None:
        """Remove a database that is out of date, unless somebody still reads it, or the disk does not let us."""
        with contextlib.suppress(OSError), self._locked(key, fcntl.LOCK_EX, 0) as locked:
            if locked:
                self._remove(key)

    def tidy(self, keep: str = "") -> None:
        """Remove what was not used for long, what is past the limit, the least recently used first, and leftovers."""
        found = []
        for entry in self._entries():
            key, _, kind = entry.name.partition(".")
            if kind:
                self._sweep(key)
            else:
                with contextlib.suppress(OSError):
                    found.append((entry.stat().st_mtime, key, _size(Path(entry.path))))
        total = sum(size for _, _, size in found)
        for used, key, size in sorted(found):
            if key != keep and (total > self._limit or time.time() - used > LONGEST_UNUSED):
                self.discard(key)
                total -= 0 if self.path(key).exists() else size

    def _entries(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._folder) as entries:
                return list(entries)
        except OSError:
            return []

    def _sweep(self, key: str) -> None:
        """Remove what a process that died, or a build that failed, left of a database."""
        if self.path(key).exists():
            return
        with contextlib.suppress(OSError), self._locked(key, fcntl.LOCK_EX, 0) as locked:
            if locked and not self.path(key).exists():
                shutil.rmtree(self.path(key + PART), ignore_errors=True)
                self._remove(key)

    def _remove(self, key: str) -> None:
        """With its lock held. The lock's file goes last; who waits for it sees that it is another one."""
        shutil.rmtree(self.path(key), ignore_errors=True)
        with contextlib.suppress(OSError):
            self._lock(key).unlink()

    def _lock(self, key: str) -> Path:
        return self._folder / f"{key}.lock"

    @contextmanager
    def _locked(self, key: str, mode: int, patience: float) -> Iterator[bool]:
        """Hold the lock of a key, also against other threads of this process. False where it was not to be had."""
        until = time.monotonic() + patience
        while (descriptor := self._try(key, mode)) is None:
            if time.monotonic() >= until:
                yield False
                return
            time.sleep(POLL)
        try:
            yield True
        finally:
            os.close(descriptor)

    def _try(self, key: str, mode: int) -> int | None:
        path = self._lock(key)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # the whole folder went
            return None
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(descriptor)
        return None


def _size(folder: Path) -> int:
    """Bytes on disk."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
