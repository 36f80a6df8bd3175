"""Sends DuckDB's rows as a stream of the same values as in JSON answers, with their Arrow types."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from sqlchat.connections.duckdb.types import INTEGERS, NESTED, NUMBERS, Reading
from sqlchat.connections.encoding import json_cells
from sqlchat.connections.streams import Header, batch_of
from sqlchat.connections.worker_streams import Sender

FETCHED_AT_ONCE = 2048
SIMPLE = {
    "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(),
    "utinyint": pa.uint8(), "usmallint": pa.uint16(), "uinteger": pa.uint32(), "ubigint": pa.uint64(),
    "hugeint": pa.decimal256(39, 0), "uhugeint": pa.decimal256(39, 0), "float": pa.float32(), "double": pa.float64(),
    "blob": pa.binary(), "date": pa.date32(), "time": pa.time64("us"), "timestamp": pa.timestamp("us"),
    "timestamp_s": pa.timestamp("s"), "timestamp_ms": pa.timestamp("ms"), "timestamp_ns": pa.timestamp("ns"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
}  # fmt: skip
"""By a type's id; all others are text."""
JSON = NESTED | NUMBERS | INTEGERS | {"boolean", "double"}
"""Types whose values are not strings in JSON."""


def make_header(columns: Sequence[str], types: Sequence[Any]) -> Header:
    return Header(
        columns=tuple(columns),
        types=tuple(map(str, types)),
        arrow=tuple(map(_find_arrow_type, types)),
        is_json=tuple(str(type.id) in JSON or str(type) == "JSON" for type in types),
    )


def _find_arrow_type(type: Any) -> pa.DataType:
    if str(type) == "JSON":
        return pa.string()
    if (kind := str(type.id)) == "decimal":
        precision, scale = (value for _, value in type.children)
        return pa.decimal128(precision, scale)
    return SIMPLE.get(kind, pa.string())


def send(
    fetch: Callable[[int], Sequence[Sequence[Any]]], readings: Sequence[Reading], header: Header, sender: Sender
) -> None:
    """Send all rows of `fetch(count)`, decoded by `readings`."""
    while rows := fetch(FETCHED_AT_ONCE):
        columns = []
        for values, reading, is_json in zip(zip(*rows, strict=True), readings, header.is_json, strict=True):
            read = values if reading.decode is None else map(reading.decode, values)
            columns.append(json_cells(read) if is_json else map(_write_text, read))
        sender.put(batch_of(columns))
    sender.end()


def _write_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)
