"""Takes the rows that a database sends: a Collector makes `Results` of them, a `streams.Feed` hands them on."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from sqlchat.connections.encoding import LINE_ENDS_AS_BLANKS, encode_lines, encode_rows
from sqlchat.errors import TooLargeError

if TYPE_CHECKING:
    import pyarrow as pa

    from sqlchat.connections.servers.deadlines import Deadline

INT_DIGITS = 19
"""A number with so many digits may not fit into 64 bits."""
BLOCK = 1 << 18
"""Bytes that travel together."""
FLUSH = 0.25
"""Seconds after which the rows that are there travel, however few."""


@dataclass(frozen=True, slots=True)
class Results:
    """Rows as they leave the database, encoded once."""

    columns: tuple[str, ...]
    """Names in order; a name may occur twice."""
    types: tuple[str, ...]
    """The database's type of each column; "" if unknown."""
    rows: bytes
    """A JSON array of arrays."""
    row_count: int
    truncated: bool
    """Whether the database had more rows than were asked for."""

    def read_rows(self) -> list[list[Any]]:
        """Return the rows as JSON values; a number beyond the range of a double is infinite."""
        try:
            rows: list[list[Any]] = orjson.loads(self.rows)
        except orjson.JSONDecodeError:
            rows = json.loads(self.rows, parse_int=lambda text: int(text) if len(text) < INT_DIGITS else float(text))
        return rows


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a result, which come before its first row."""

    columns: tuple[str, ...]
    """Names in order; a name may occur twice."""
    types: tuple[str, ...]
    """The database's type of each column; "" where it does not say."""
    arrow: tuple[str | pa.DataType, ...]
    """The type of each column in Arrow and Parquet, or its name, such as `int64` or `decimal(12, 2)`."""
    is_document: tuple[bool, ...]
    """Whether a column holds JSON or nested values, which are JSON in Arrow and Parquet too."""


@dataclass(frozen=True, slots=True)
class Request:
    """A statement to run once."""

    sql: str
    max_rows: int
    timeout: float
    """Seconds for all rows; in a stream, seconds without a row."""
    tag: str = ""
    """A request's id, which goes into a trailing comment for the database's administrator."""


ReadRows = Callable[[Any], bytes]
"""Makes rows of JSON of a batch: `1,"a"` and a line end each. A batch that is a list has an item for each row.

Strings may hold control characters as they are in a stream; else they hold no line end.
"""
ReadTyped = Callable[[Any, "pa.Schema"], "pa.RecordBatch | None"]
"""Makes a batch with a schema's types of a batch; None if only the rows of JSON can tell."""


def keep_rows(batch: bytes) -> bytes:
    """Return a batch that is rows of JSON already."""
    return batch


def read_no_types(batch: Any, schema: pa.Schema) -> None:
    """Leave it to the rows of JSON to tell the values."""


class Sink(ABC):
    """Takes the columns of a result, then its rows in batches, in whatever form the database sends them."""

    is_streamed = True
    """Whether each batch goes on at once, and `timeout` limits the time without a row."""

    @abstractmethod
    def begin(self, header: Header, read_rows: ReadRows = keep_rows, read_typed: ReadTyped = read_no_types) -> None:
        """Take the columns, and the functions that read the batches to come. A repeated statement begins again."""

    @abstractmethod
    def put(self, batch: Any) -> None:
        """Take a batch; wait for room. Raises TooLargeError and StreamClosedError."""

    def put_values(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take rows of Python values, as a batch that is rows of JSON."""
        self.put(encode_lines(rows))

    def correct_types(self, types: tuple[str, ...]) -> None:  # noqa: B027 - a stream has told them
        """Take the columns' types anew after the last row, if the rows tell them."""

    def watch(
        self, stop: Callable[[], object], deadline: Deadline | None = None, idle: float = 0.0
    ) -> AbstractContextManager[None]:
        """Around a statement that `stop()` ends from another thread if nobody wants the rest of its rows.

        Each batch of a stream renews its deadline: `idle` seconds from when the batch has gone.
        """
        return nullcontext()


class Collector(Sink):
    """Collects the first `max_rows` rows. The database may send one row more, by which it says that it has more."""

    is_streamed = False

    def __init__(self, max_rows: int, max_bytes: int) -> None:
        self._max_rows, self._max_bytes = max_rows, max_bytes

    def begin(self, header: Header, read_rows: ReadRows = keep_rows, read_typed: ReadTyped = read_no_types) -> None:
        self._header, self._read_rows = header, read_rows
        self._pieces: list[bytes] = []
        self._count = self._size = 0

    def correct_types(self, types: tuple[str, ...]) -> None:
        self._header = replace(self._header, types=types)

    def put(self, batch: Any) -> None:
        rows = self._read_rows(batch)
        count = len(batch) if isinstance(batch, list) else rows.count(b"\n")
        if self._count + count > self._max_rows:
            rows = rows[: rows.rfind(b"\n", 0, -1) + 1]
        self._add(b"[" + rows[:-1].replace(b"\n", b"],[") + b"]" if rows else b"", count)

    def put_values(self, rows: Sequence[Sequence[Any]]) -> None:
        self._add(encode_rows(rows[: self._max_rows - self._count])[1:-1], len(rows))

    def _add(self, piece: bytes, count: int) -> None:
        """Add the JSON arrays of rows, with commas between them; of `count` rows, the last one may be left out."""
        if piece:
            self._pieces.append(piece)
        self._count += count
        self._size += len(piece) + 1
        if self._size > self._max_bytes:
            raise TooLargeError(
                f"The result is larger than {self._max_bytes >> 20} MiB; ask for fewer rows or columns."
            )

    def make_results(self) -> Results:
        return Results(
            columns=self._header.columns,
            types=self._header.types,
            rows=b"[" + b",".join(self._pieces) + b"]",
            row_count=min(self._count, self._max_rows),
            truncated=self._count > self._max_rows,
        )


class RowBatches:
    """Joins single rows to batches for `put`: lists of about BLOCK bytes, or of what came in FLUSH seconds.

    `write` takes a row as the database sends it, and `encode` makes a row of JSON of it. A driver may use it as a
    file. The last rows go at the end of its context.
    """

    def __init__(self, put: Callable[[list[bytes]], None], encode: Callable[[Any], bytes]) -> None:
        self._put, self._encode = put, encode
        self._rows: list[bytes] = []
        self._size, self._due = 0, 0.0

    def write(self, row: Any) -> None:
        self._rows.append(encoded := self._encode(row))
        self._size += len(encoded)
        if self._size >= BLOCK or time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._put(self._rows)
            self._rows = []
        self._size, self._due = 0, time.monotonic() + FLUSH

    def __enter__(self) -> RowBatches:
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        if kind is None:
            self.flush()


def write_row(cells: Iterable[bytes]) -> bytes:
    """Return the row of JSON of its values."""
    return b",".join(cells).translate(LINE_ENDS_AS_BLANKS) + b"\n"
