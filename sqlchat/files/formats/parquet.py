"""Reads Parquet in its own types, after a check of the size that it unpacks to."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from sqlchat.errors import FileInvalidError, TooLargeError
from sqlchat.files.formats import Block, Load, Part, Table, check_width, make_unique_names
from sqlchat.files.formats.values import make_parts
from sqlchat.files.options import Options
from sqlchat.files.source import Source

MAX_VALUES = 2_000_000_000
"""Rows times columns: a run-length encoded bomb has billions in a few bytes."""

MAX_UNPACKED = 16 << 30
"""Bytes, as the file itself states them."""

BLOCK_VALUES = 1 << 20
MAX_BLOCK_ROWS, MIN_BLOCK_ROWS = 1 << 16, 1 << 8


def read(source: Source, options: Options) -> Table:
    """Open a table of typed values. Raises FileInvalidError for a damaged file, TooLargeError for a bomb."""
    try:
        file = pyarrow.parquet.ParquetFile(source.path, memory_map=False, pre_buffer=False, buffer_size=1 << 20)
        columns = file.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise FileInvalidError("The file does not read as Parquet; it may be cut off.") from exc
    held = file.metadata
    check_width(len(columns))
    unpacked = sum(held.row_group(i).total_byte_size for i in range(held.num_row_groups))
    if held.num_rows * len(columns) > MAX_VALUES or unpacked > MAX_UNPACKED:
        raise TooLargeError(
            f"The file unpacks to {held.num_rows:,} rows of {len(columns):,} columns ({unpacked >> 20:,} MiB), "
            "which is more than is read."
        )
    warnings: list[str] = []
    names = make_unique_names(columns, warnings)
    spans = frozenset(
        names[i]
        for i in range(len(names))
        if len(file.schema) == len(names) and file.schema.column(i).converted_type == "INTERVAL"
    )
    return Table(names, _read_blocks(file, names, spans), {"row_groups": held.num_row_groups}, warnings)


def _read_blocks(file: Any, names: list[str], spans: frozenset[str]) -> Iterator[Load]:
    rows = min(MAX_BLOCK_ROWS, max(MIN_BLOCK_ROWS, BLOCK_VALUES // max(1, len(names))))
    with _translate_faults():
        for batch in file.iter_batches(batch_size=rows, use_threads=False):
            yield partial(make_block, batch, names, spans)


@contextmanager
def _translate_faults() -> Iterator[None]:
    """Raise FileInvalidError in place of Arrow's errors for a damaged file."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError) as exc:
        if isinstance(exc, MemoryError):
            raise
        raise FileInvalidError("The file does not read as Parquet to its end; it may be damaged.") from exc


def make_block(batch: pa.RecordBatch, names: list[str], spans: frozenset[str] = frozenset()) -> Block:
    """Make a block of Arrow's rows. Raises FileInvalidError if Arrow cannot read them."""
    with _translate_faults():
        columns = {name: batch.column(i) for i, name in enumerate(names)}
        columns |= {name: _convert_spans(columns[name]) for name in spans}
        return Block(batch.num_rows, {name: _make_parts(array) for name, array in columns.items()})


def _convert_spans(array: pa.Array) -> pa.Array:
    """Convert Parquet's INTERVAL, which Arrow gives as twelve bytes of months, days and milliseconds."""
    if not pa.types.is_fixed_size_binary(array.type):
        return array
    values = [v and struct.unpack("<III", v) for v in array.to_pylist()]
    return pa.array([v and (v[0], v[1], v[2] * 1_000_000) for v in values], pa.month_day_nano_interval())


def _make_parts(array: pa.Array) -> tuple[Part, ...]:
    if pa.types.is_null(array.type):
        return ()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if isinstance(array, pa.UuidArray):
        texts = pa.array([str(v) for v in array.drop_null().to_pylist()], pa.string())
        return (_make_part(texts, array, "string"),)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_nested(array.type):
        return make_parts([_convert_maps(v) for v in array.to_pylist()])
    nan = int(pc.sum(pc.is_nan(array)).as_py() or 0) if pa.types.is_floating(array.type) else 0
    if nan:
        array = pc.if_else(pc.is_nan(array), None, array)
    return (_make_part(array.drop_null(), array, nan=nan),)


def _make_part(values: pa.Array, array: pa.Array, inferred: Any = None, nan: int = 0) -> Part:
    rows = np.flatnonzero(array.is_valid()) if array.null_count else None
    return Part(values, rows, inferred, nan)


def _convert_maps(value: Any) -> Any:
    """Convert a nested value to dicts and lists; Arrow gives maps as lists of pairs."""
    return list(value) if isinstance(value, tuple) else value
