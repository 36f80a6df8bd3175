"""Sends a COPY's rows as a stream: parses blocks of CSV lines, or decodes cells one by one."""

from __future__ import annotations

import contextlib
import io
import pickle
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg2.extensions
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from sqlchat.connections.postgres.csv import Shape
from sqlchat.connections.postgres.statement import PORTAL
from sqlchat.connections.postgres.types import Decoder, encode_copied_cells
from sqlchat.connections.servers.connection import write_comment
from sqlchat.connections.streams import BLOCK, FLUSH, Header, StreamClosedError, batch_of, without_null

FETCHED_AT_ONCE = 100
DECODED_AT_ONCE = 1000
LARGEST_DECIMAL = 76
SMALL_DECIMAL = 38
"""Digits that 256 and 128 bits hold."""
NO_NUMBER = r"^-?(NaN|Infinity)$"
SIMPLE = {
    16: pa.bool_(), 17: pa.binary(), 20: pa.int64(), 21: pa.int16(), 23: pa.int32(), 26: pa.int64(),
    700: pa.float32(), 701: pa.float64(), 1082: pa.date32(), 1083: pa.time64("us"), 1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
}  # fmt: skip
"""Arrow's type by a type's OID; other types are text."""


def find_arrow_type(column: psycopg2.extensions.Column) -> pa.DataType:
    """Return the Arrow type of a column. An exact number without a declared scale is text: any scale may occur."""
    if column.type_code == 1700 and column.precision and 0 <= (column.scale or 0) <= column.precision:
        if column.precision <= SMALL_DECIMAL:
            return pa.decimal128(column.precision, column.scale or 0)
        if column.precision <= LARGEST_DECIMAL:
            return pa.decimal256(column.precision, column.scale or 0)
    return SIMPLE.get(column.type_code, pa.string())


def make_header(shape: Shape) -> Header:
    """Make the header of a stream. All decoded cells are JSON."""
    return Header(
        columns=tuple(column.name for column in shape.columns),
        types=shape.type_names,
        arrow=tuple(map(find_arrow_type, shape.columns)),
        is_json=tuple(not shape.csv or index not in shape.csv.quoted for index in range(len(shape.columns))),
    )


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
        self._put(bytes(block))
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
    """Takes the rows of a COPY as text, or of the portal, and sends batches of JSON."""

    def __init__(self, put: Callable[[pa.RecordBatch], None], decoders: list[Decoder]) -> None:
        self._put, self._decoders, self._due, self._size = put, decoders, 0.0, 0
        self._rows: list[list[bytes]] = []

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
        self._rows.append(encode_copied_cells(line, self._decoders))
        if len(self._rows) >= DECODED_AT_ONCE or self._size >= BLOCK or time.monotonic() >= self._due:
            self.flush()

    def fetch(self, cursor: psycopg2.extensions.cursor, count: int, tag: str) -> None:
        """Fetch up to `count` rows from the portal."""
        while count > 0:
            cursor.execute(f"FETCH {min(FETCHED_AT_ONCE, count)} FROM {PORTAL}{write_comment(tag)}")
            fetched = cursor.fetchall()
            for row in fetched:
                cells = zip(row, self._decoders, strict=True)
                self._rows.append([b"null" if cell is None else decode(cell.encode()) for cell, decode in cells])
            if not fetched:
                return
            count -= len(fetched)
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._put(batch_of(map(without_null, column) for column in zip(*self._rows, strict=True)))
            self._rows.clear()
        self._size, self._due = 0, time.monotonic() + FLUSH


def read_texts(block: Any, header: Header) -> pa.RecordBatch:
    """Return a block of Lines or of Cells as a batch of strings."""
    if isinstance(block, pa.RecordBatch):
        return block
    columns = [
        _quote_texts(column) if is_json and not pa.types.is_integer(kind) else column
        for column, is_json, kind in zip(
            _parse(block, [pa.string()] * len(header.columns)).columns, header.is_json, header.arrow, strict=True
        )
    ]
    return pa.RecordBatch.from_arrays(columns, names=[str(number) for number in range(len(columns))])


def read_typed(block: Any, header: Header) -> pa.RecordBatch | None:
    """Return a block of Lines as a batch of the header's types; None if a value does not fit its type."""
    if isinstance(block, pa.RecordBatch):
        return None
    try:
        return _parse(block, header.arrow)
    except pa.ArrowException:
        return None


def _parse(block: bytes, types: Sequence[pa.DataType]) -> pa.RecordBatch:
    """Raises pa.ArrowException."""
    if not block.isascii():
        block = block.decode(errors="replace").encode()
    names = [str(number) for number in range(len(types))]
    reader = arrow_csv.open_csv(
        pa.py_buffer(block),
        arrow_csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
        arrow_csv.ParseOptions(
            double_quote=False, escape_char="\\", newlines_in_values=True, ignore_empty_lines=False
        ),
        arrow_csv.ConvertOptions(
            column_types=dict(zip(names, types, strict=True)),
            null_values=["null"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    return reader.read_next_batch()


def _quote_texts(column: pa.Array) -> pa.Array:
    """Put quotes around NaN and Infinity, which JSON has no number for."""
    data = column.buffers()[2]
    texts = b"" if data is None else data.to_pybytes()
    if b"N" not in texts and b"I" not in texts:
        return column
    return pc.if_else(
        pc.match_substring_regex(column, NO_NUMBER), pc.binary_join_element_wise('"', column, '"', ""), column
    )


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
