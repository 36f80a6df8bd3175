"""Sends a COPY's rows as a stream: blocks of CSV, which is nearly JSON, or cells that are decoded one by one."""

from __future__ import annotations

import contextlib
import io
import pickle
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import psycopg2.extensions

from sqlchat.connections.postgres.csv import Shape, quote_no_numbers
from sqlchat.connections.postgres.statement import PORTAL
from sqlchat.connections.postgres.types import Decoder, encode_copied_cells, encode_fetched_cells, is_document
from sqlchat.connections.servers.connection import write_comment
from sqlchat.connections.streams import BLOCK, FLUSH, Header, StreamClosedError, write_row

if TYPE_CHECKING:
    import pyarrow as pa

FETCHED_AT_ONCE = 100
DECODED_AT_ONCE = 1000
LARGEST_DECIMAL = 76
"""Digits that 256 bits hold."""
SIMPLE = {
    16: "bool", 17: "binary", 20: "int64", 21: "int16", 23: "int32", 26: "int64", 700: "float32", 701: "float64",
    1082: "date32", 1083: "time64[us]", 1114: "timestamp[us]", 1184: "timestamp[us, UTC]",
}  # fmt: skip
"""Arrow's type by a type's OID; other types are text."""


def find_arrow_type(column: psycopg2.extensions.Column) -> str:
    """Return the Arrow type of a column. An exact number without a declared scale is text: any scale may occur."""
    digits, scale = column.precision or 0, column.scale or 0
    if column.type_code == 1700 and digits and 0 <= scale <= digits <= LARGEST_DECIMAL:
        return f"decimal({digits}, {scale})"
    return SIMPLE.get(column.type_code, "string")


def make_header(shape: Shape) -> Header:
    return Header(
        columns=tuple(column.name for column in shape.columns),
        types=shape.type_names,
        arrow=tuple(map(find_arrow_type, shape.columns)),
        is_document=tuple(is_document(column.type_code, shape.types) for column in shape.columns),
    )


class CsvLines(bytes):
    """Whole lines of CSV as COPY writes them with `CsvColumns`."""


class Lines(io.RawIOBase):
    """Sends the lines of a COPY in blocks of whole lines.

    The driver writes each line into `file`, a buffer that runs no Python code until it is full. A thread empties it
    every FLUSH seconds, so the rows of a slow query need not wait for more rows.
    """

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put, self._ended = put, threading.Event()
        self.file = io.BufferedWriter(self, BLOCK)

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        """Put a block of the buffer; called under the buffer's lock."""
        self._put(CsvLines(block))
        return len(block)

    def __enter__(self) -> Lines:
        threading.Thread(target=self._flush_regularly, name="stream", daemon=True).start()
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        self._ended.set()
        if kind:
            self._put = lambda _: None  # nobody wants the rest
        self.file.close()

    def _flush_regularly(self) -> None:
        with contextlib.suppress(StreamClosedError, ValueError):  # which the driver's thread finds as well
            while not self._ended.wait(FLUSH):
                self.file.flush()


class Cells:
    """Takes the rows of a COPY as text, or of the portal, and sends rows of JSON."""

    def __init__(self, put: Callable[[bytes], None], decoders: list[Decoder]) -> None:
        self._put, self._decoders, self._due, self._size = put, decoders, 0.0, 0
        self._rows: list[bytes] = []

    @property
    def file(self) -> Cells:
        return self

    def __enter__(self) -> Cells:
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        if kind is None:
            self.flush()

    def write(self, line: bytes) -> None:
        """Take a line from the driver."""
        self._size += len(line)
        self._rows.append(write_row(encode_copied_cells(line, self._decoders)))
        if len(self._rows) >= DECODED_AT_ONCE or self._size >= BLOCK or time.monotonic() >= self._due:
            self.flush()

    def fetch(self, cursor: psycopg2.extensions.cursor, count: int, tag: str) -> None:
        """Fetch up to `count` rows from the portal."""
        while count > 0:
            cursor.execute(f"FETCH {min(FETCHED_AT_ONCE, count)} FROM {PORTAL}{write_comment(tag)}")
            fetched = cursor.fetchall()
            self._rows += [write_row(encode_fetched_cells(row, self._decoders)) for row in fetched]
            if not fetched:
                return
            count -= len(fetched)
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._put(b"".join(self._rows))
            self._rows.clear()
        self._size, self._due = 0, time.monotonic() + FLUSH


def read_rows(block: bytes) -> bytes:
    """Return a block of Lines or of Cells as rows of JSON."""
    return quote_no_numbers(block) if isinstance(block, CsvLines) else block


def read_typed(block: bytes, schema: pa.Schema) -> pa.RecordBatch | None:
    """Return a block of Lines as a batch of the schema's types; None if a value does not fit its type."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if not isinstance(block, CsvLines):
        return None
    names = [str(number) for number in range(len(schema))]
    text = block if block.isascii() else block.decode(errors="replace").encode()
    with contextlib.suppress(pa.ArrowException):
        return arrow_csv.open_csv(
            pa.py_buffer(text),
            arrow_csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
            arrow_csv.ParseOptions(
                double_quote=False, escape_char="\\", newlines_in_values=True, ignore_empty_lines=False
            ),
            arrow_csv.ConvertOptions(
                column_types=dict(zip(names, schema.types, strict=True)),
                null_values=["null"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                check_utf8=False,
            ),
        ).read_next_batch()
    return None


@contextlib.contextmanager
def hold_back(put: Callable[[Any], None], until_confirmed: Callable[[], None]) -> Iterator[Callable[[Any], None]]:
    """Keep items on disk, and put them after `until_confirmed` has raised nothing."""
    with tempfile.TemporaryFile(prefix="sqlchat-stream-") as file:
        count = 0

        def keep(item: Any) -> None:
            nonlocal count
            pickle.dump(item, file)
            count += 1

        yield keep
        until_confirmed()
        file.seek(0)
        for _ in range(count):
            put(pickle.load(file))  # noqa: S301 - written above
