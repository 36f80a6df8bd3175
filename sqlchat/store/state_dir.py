"""Makes the private folder of the embedded store and its key file, and locks it among processes."""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlchat.config import Settings, unusable


def make_folder(settings: Settings) -> Path:
    """Make the folder, closed to other users of the machine, and return it. Raises ConfigError if that fails."""
    folder = settings.state_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as exc:
        raise unusable(folder, exc) from exc
    return folder


@contextmanager
def hold_lock(settings: Settings, name: str) -> Iterator[Path]:
    """Hold the lock `name` among all processes on this data folder, and yield the folder."""
    folder = make_folder(settings)
    handle = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(handle)


def share_number(settings: Settings, name: str) -> memoryview:
    """Map a file with one number that all processes on this data folder share; reading it takes no system call.

    Raises OSError, for example on a full disk.
    """
    handle = os.open(make_folder(settings) / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(handle, 0, 8)  # a page without room on the disk would end the process at the first write
        return memoryview(mmap.mmap(handle, 8)).cast("Q")
    finally:
        os.close(handle)
