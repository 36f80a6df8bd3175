"""Sends DuckDB's rows as a stream of the same values as in JSON answers, with their Arrow types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlchat.connections.duckdb.types import NESTED
from sqlchat.connections.encoding import encode_lines
from sqlchat.connections.streams import Header
from sqlchat.connections.worker_streams import Sender

FETCHED_AT_ONCE = 2048
SIMPLE = {
    "boolean": "bool", "tinyint": "int8", "smallint": "int16", "integer": "int32", "bigint": "int64",
    "utinyint": "uint8", "usmallint": "uint16", "uinteger": "uint32", "ubigint": "uint64",
    "hugeint": "decimal(39, 0)", "uhugeint": "decimal(39, 0)", "float": "float32", "double": "float64",
    "blob": "binary", "date": "date32", "time": "time64[us]", "timestamp": "timestamp[us]",
    "timestamp_s": "timestamp[s]", "timestamp_ms": "timestamp[ms]", "timestamp_ns": "timestamp[ns]",
    "timestamp with time zone": "timestamp[us, UTC]",
}  # fmt: skip
"""By a type's id; all others are text."""


def make_header(columns: Sequence[str], types: Sequence[Any]) -> Header:
    return Header(
        columns=tuple(columns),
        types=tuple(map(str, types)),
        arrow=tuple(map(_find_arrow_type, types)),
        is_document=tuple(str(type.id) in NESTED or str(type) == "JSON" for type in types),
    )


def _find_arrow_type(type: Any) -> str:
    if (kind := str(type.id)) == "decimal":
        precision, scale = (value for _, value in type.children)
        return f"decimal({precision}, {scale})"
    return SIMPLE.get(kind, "string")


def send(
    fetch: Callable[[int], Sequence[Sequence[Any]]],
    decode_rows: Callable[[Sequence[Sequence[Any]]], Sequence[Sequence[Any]]],
    sender: Sender,
) -> None:
    """Send all rows of `fetch(count)`, decoded."""
    while rows := fetch(FETCHED_AT_ONCE):
        sender.put(encode_lines(decode_rows(rows)))
    sender.end()
