"""A COPY's rows as a stream: lines of CSV parsed by the block, or cells decoded one by one. For `connection.py`."""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2.extensions
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from sqlchat.connections.postgres.csv import CsvColumns
from sqlchat.connections.postgres.statement import PORTAL, write_comment
from sqlchat.connections.postgres.types import Decoder, encode_copied_cells
from sqlchat.connections.streams import BLOCK, FLUSH, Header, batch_of, without_null

FETCHED_AT_ONCE = 100
DECODED_AT_ONCE = 1000
LARGEST_DECIMAL = 76
SMALL_DECIMAL = 38
"""Digits that 256 and 128 bits hold."""
NO_NUMBER = r"^-?(NaN|Infinity)$"
SIMPLE = {
    16: pa.bool_(),
    17: pa.binary(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    26: pa.int64(),  # oid
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1083: pa.time64("us"),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
}
"""By a type's OID; all others are text."""


def find_arrow_type(column: psycopg2.extensions.Column) -> pa.DataType:
    """An exact number without a declared scale is text, since it may have any."""
    if column.type_code == 1700 and column.precision and 0 <= (column.scale or 0) <= column.precision:
        if column.precision <= SMALL_DECIMAL:
            return pa.decimal128(column.precision, column.scale or 0)
        if column.precision <= LARGEST_DECIMAL:
            return pa.decimal256(column.precision, column.scale or 0)
    return SIMPLE.get(column.type_code, pa.string())


def make_header(
    columns: Sequence[psycopg2.extensions.Column], names: tuple[str, ...], csv: CsvColumns | None
) -> Header:
    """`names` are those of the columns' types. Decoded cells are all JSON."""
    return Header(
        columns=tuple(column.name for column in columns),
        types=names,
        arrow=tuple(map(find_arrow_type, columns)),
        is_json=tuple(not csv or index not in csv.quoted for index in range(len(columns))),
    )


class Lines:
    """What a COPY as `CsvColumns` says writes its lines into; hands on blocks of whole lines."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put, self._block, self._due = put, bytearray(), 0.0

    def write(self, line: bytes) -> None:
        """Called by the driver with each line."""
        self._block += line
        if len(self._block) >= BLOCK or time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        if self._block:
            self._put(bytes(self._block))
            self._block.clear()
        self._due = time.monotonic() + FLUSH


class Cells:
    """What a COPY as text, or fetching from the portal, writes its rows into; hands on batches of JSON."""

    def __init__(self, put: Callable[[pa.RecordBatch], None], decoders: list[Decoder]) -> None:
        self._put, self._decoders, self._due, self._size = put, decoders, 0.0, 0
        self._rows: list[list[bytes]] = []

    def write(self, line: bytes) -> None:
        """Called by the driver with each line."""
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


def make_batch(block: Any, header: Header) -> pa.RecordBatch:
    """A block of Lines or of Cells as a batch."""
    if isinstance(block, pa.RecordBatch):
        return block
    if not block.isascii():
        block = block.decode(errors="replace").encode()
    names = [str(number) for number in range(len(header.columns))]
    table = arrow_csv.read_csv(
        pa.py_buffer(block),
        arrow_csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
        arrow_csv.ParseOptions(
            double_quote=False, escape_char="\\", newlines_in_values=True, ignore_empty_lines=False
        ),
        arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=["null"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    columns = [column.combine_chunks() for column in table.columns]
    if b"NaN" in block or b"Infinity" in block:
        columns = [
            _quote_texts(column) if is_json else column
            for column, is_json in zip(columns, header.is_json, strict=True)
        ]
    return pa.RecordBatch.from_arrays(columns, names=names)


def _quote_texts(column: pa.Array) -> pa.Array:
    """What is no number in JSON becomes a text there."""
    return pc.if_else(
        pc.match_substring_regex(column, NO_NUMBER), pc.binary_join_element_wise('"', column, '"', ""), column
    )


@contextmanager
def hold_back(put: Callable[[Any], None], until_confirmed: Callable[[], None]) -> Iterator[Callable[[Any], None]]:
    """Keeps what is put on disk, and puts it after `until_confirmed` has raised nothing."""
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
