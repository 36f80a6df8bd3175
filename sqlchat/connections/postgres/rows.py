"""Collects rows from Postgres as JSON, and limits their size."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from typing import NoReturn

import psycopg2
import psycopg2.extensions

from sqlchat.connections.postgres.csv import write_json_rows
from sqlchat.connections.postgres.statement import PORTAL
from sqlchat.connections.postgres.types import Decoder, encode_copied_row, encode_fetched_row
from sqlchat.connections.servers import deadlines
from sqlchat.connections.servers.connection import write_comment
from sqlchat.errors import TooLargeError

FETCHED_AT_ONCE = 100


class Rows(ABC):
    """Takes the rows of a COPY, up to `largest` bytes together."""

    def __init__(self, cursor: psycopg2.extensions.cursor, largest: int) -> None:
        self._cursor, self._largest, self._size = cursor, largest, 0
        self._rows: list[bytes] = []

    def __len__(self) -> int:
        return len(self._rows)

    @abstractmethod
    def write(self, line: bytes) -> None:
        """Take a line from the driver. Raises TooLargeError, which also closes the connection."""

    @abstractmethod
    def json(self, most: int) -> bytes:
        """Return the first `most` rows as a JSON array of arrays. Raises TooLargeError."""

    def make_error(self) -> TooLargeError:
        return TooLargeError(f"The result is larger than {self._largest >> 20} MiB; ask for fewer rows or columns.")

    def _refuse(self) -> NoReturn:
        hang_up(self._cursor.connection)  # else the driver would read all the rest first
        raise self.make_error()


class CsvRows(Rows):
    """Collects lines of CSV, which become JSON together."""

    def write(self, line: bytes) -> None:
        self._size += len(line) + 2
        if self._size > self._largest:
            self._refuse()
        self._rows.append(line)

    def json(self, most: int) -> bytes:
        array = write_json_rows(self._rows[:most])
        if len(array) > self._largest + 2:  # escaped characters take more than one byte
            raise self.make_error()
        return array


class DecodedRows(Rows):
    """Collects rows whose values are decoded one by one."""

    def __init__(self, cursor: psycopg2.extensions.cursor, largest: int, decoders: list[Decoder]) -> None:
        super().__init__(cursor, largest)
        self._decoders = decoders

    def write(self, line: bytes) -> None:
        self._add_row(encode_copied_row(line, self._decoders))

    def fetch(self, count: int, tag: str) -> None:
        """Fetch up to `count` rows from the portal."""
        while len(self) < count:
            wanted = min(FETCHED_AT_ONCE, count - len(self))
            self._cursor.execute(f"FETCH {wanted} FROM {PORTAL}{write_comment(tag)}")
            fetched = self._cursor.fetchall()
            for row in fetched:
                self._add_row(encode_fetched_row(row, self._decoders))
            if len(fetched) < wanted:
                return

    def json(self, most: int) -> bytes:
        return b"[" + b",".join(self._rows[:most]) + b"]"

    def _add_row(self, row: bytes) -> None:
        self._size += len(row) + 1
        if self._size > self._largest:
            self._refuse()
        self._rows.append(row)


def hang_up(raw: psycopg2.extensions.connection) -> None:
    """Close the connection from our side, even if a thread waits for an answer."""
    with contextlib.suppress(psycopg2.Error):
        deadlines.hang_up(raw.fileno())
