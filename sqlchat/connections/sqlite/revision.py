"""Finds out from the bytes of an SQLite file whether its tables and views have changed.

It does not use SQLite, which would read a stranger's file outside of a worker process. The database's header has a
cookie, which each change of a definition increments. In WAL mode, the newest header may be in the WAL, as the last
committed copy of page 1.
"""

from __future__ import annotations

import os
from typing import BinaryIO, NamedTuple

COOKIE = slice(40, 44)
"""Bytes of a database's header, or of its page 1, that change with its tables and views."""
VERSIONS = slice(18, 20)
WAL_VERSIONS = b"\x02\x02"
"""The bytes at VERSIONS of a database in WAL mode."""
WAL_HEADER, FRAME_HEADER = 32, 24
"""Bytes before the first page of a WAL, and before each page."""


class WalPosition(NamedTuple):
    """How far a WAL was read. `salts` distinguish its present frames from older ones."""

    salts: bytes = b""
    end: int = WAL_HEADER
    """Where the last committed frame ends."""
    cookie: bytes = b""
    """The cookie of the last committed page 1; empty if the WAL holds none."""


class RevisionReader:
    """Reads the revisions of one database. Reads each frame of its WAL once."""

    def __init__(self) -> None:
        self._position = WalPosition()

    def read(self, path: str) -> tuple[int, bytes] | None:
        """Return the file's inode and its cookie; None if the file cannot be read."""
        wal_cookie = self._read_wal(path)  # before the file, to which a checkpoint may move it meanwhile
        try:
            with open(path, "rb") as file:
                header = file.read(COOKIE.stop)
                inode = os.fstat(file.fileno()).st_ino
        except OSError:
            return None
        return inode, (wal_cookie if header[VERSIONS] == WAL_VERSIONS else b"") or header[COOKIE]

    def _read_wal(self, path: str) -> bytes:
        try:
            with open(path + "-wal", "rb", buffering=0) as wal:
                self._position = read_frames(wal, self._position)
        except OSError:
            self._position = WalPosition()
        return self._position.cookie


def read_frames(wal: BinaryIO, since: WalPosition) -> WalPosition:
    """Read the frames after `since`, or all of them if the WAL was begun anew."""
    header = wal.read(WAL_HEADER)
    page_size, salts = int.from_bytes(header[8:12]), header[16:24]
    if len(header) < WAL_HEADER or not page_size:
        return WalPosition()
    if salts != since.salts:
        since = WalPosition(salts)
    at, cookie = since.end, since.cookie
    while wal.seek(at) and (frame := wal.read(FRAME_HEADER + COOKIE.stop))[8:16] == salts:
        at += FRAME_HEADER + page_size
        if int.from_bytes(frame[:4]) == 1:
            cookie = frame[FRAME_HEADER:][COOKIE]
        if any(frame[4:8]):  # the size of the database after a commit
            since = WalPosition(salts, at, cookie)
    return since


def is_resting(path: str) -> bool:
    """Return whether a database in WAL mode has no writer: the last one to close it removes the WAL."""
    try:
        with open(path, "rb") as file:
            header = file.read(VERSIONS.stop)
        with open(path + "-wal", "rb") as wal:
            return not wal.read(1)
    except FileNotFoundError:
        return header[VERSIONS] == WAL_VERSIONS
    except OSError:
        return False
