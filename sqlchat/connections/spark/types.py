"""Decides how each column of Spark's answers is read, in JSON answers and in exports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sqlchat.connections.encoding import encode_lines, encode_rows, write_text
from sqlchat.connections.results import Header
from sqlchat.connections.spark.session import find_arrow_type
from sqlchat.connections.spark.statement import PREFIX, write_limit
from sqlchat.connections.spark.values import read_documents, read_values, write_moments

WRITTEN_ALIKE = (pa.types.is_string, pa.types.is_boolean, pa.types.is_integer, pa.types.is_date)
"""Tests of types whose values have the same text in Arrow and in JSON answers."""
OF_MONTHS = re.compile(r"interval(?: year| month|[>,]|$)")
"""Types that Python's Arrow cannot read, alone or nested: intervals that have months."""
NOT_PARQUET = ("duration", "null not null", "map<null")
"""Parts of the names of Arrow's types that Parquet lacks."""
VARIANT = "variant"


def cast_unreadable(text: str, types: Sequence[tuple[str, Any]], max_rows: int) -> str:
    """Write the query with casts of columns that Python's Arrow cannot read; empty if it can read all."""
    columns = [f"c{number}" for number in range(len(types))]
    casts = [_write_cast(kind.simpleString(), column) for column, (_, kind) in zip(columns, types, strict=True)]
    if casts == columns:
        return ""
    return f"{PREFIX.replace('*', ', '.join(casts))}{text}\n) AS t({', '.join(columns)}){write_limit(max_rows)}"


def _write_cast(type: str, column: str) -> str:
    if VARIANT in type:
        return f"to_json({column})"
    if OF_MONTHS.search(type):
        return f"CAST({column} AS STRING)"
    return column


@dataclass(frozen=True, slots=True)
class Reading:
    """How one column is read."""

    type: str
    """Spark's name, such as `decimal(10,2)`."""
    arrow: pa.DataType
    """The type in exports."""
    is_json: bool
    """Whether its texts are JSON: numbers, booleans, nested values."""
    is_document: bool = False
    """Whether its values come as texts of JSON."""

    def values(self, column: pa.Array) -> list[Any]:
        """Return Python values that `encode_rows` writes."""
        return read_documents(column) if self.is_document else read_values(column)

    def texts(self, column: pa.Array) -> pa.Array:
        """Return texts for a column of texts in exports."""
        if not self.is_document and any(is_like(column.type) for is_like in WRITTEN_ALIKE):
            return column.cast(pa.string())
        if pa.types.is_timestamp(column.type):
            return write_moments(column)
        values = self.values(column)
        write = _write_json if self.is_json else write_text
        return pa.array([None if value is None else write(value) for value in values], pa.string())

    def typed(self, column: pa.Array) -> pa.Array:
        """Return the column in the type of exports."""
        if column.type.equals(self.arrow):
            return column
        return self.texts(column) if pa.types.is_string(self.arrow) else column.cast(self.arrow)


def _write_json(value: Any) -> str | None:
    text = encode_rows([(value,)])[2:-2].decode()
    return None if text == "null" else text


def make_readings(types: Sequence[tuple[str, Any]], schema: pa.Schema | None) -> list[Reading]:
    """Choose how to read columns that the server described by `types` and sent with `schema`; None without rows."""
    readings = []
    for number, (_, kind) in enumerate(types):
        name, sent = kind.simpleString(), find_arrow_type(kind) if schema is None else schema.field(number).type
        is_document, is_cast = VARIANT in name, _write_cast(name, "") != ""
        is_json = is_document or not (is_cast or _is_plain(sent))
        readings.append(Reading(name, pa.string() if is_cast else _find_export_type(sent), is_json, is_document))
    return readings


def make_header(types: Sequence[tuple[str, Any]], readings: Sequence[Reading]) -> Header:
    return Header(
        columns=tuple(name for name, _ in types),
        types=tuple(reading.type for reading in readings),
        arrow=tuple(reading.arrow for reading in readings),
        is_document=tuple(reading.is_document for reading in readings),
    )


def write_lines(readings: Sequence[Reading], batch: pa.RecordBatch) -> bytes:
    """Write the rows of a batch as rows of JSON."""
    columns = [reading.values(column) for reading, column in zip(readings, batch.columns, strict=True)]
    rows = list(zip(*columns, strict=True)) if columns else [()] * batch.num_rows
    return encode_lines(rows) if rows else b""


def write_typed(readings: Sequence[Reading], batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with the types of exports, which are those of `schema`."""
    columns = [reading.typed(column) for reading, column in zip(readings, batch.columns, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=[str(number) for number in range(len(columns))])


def _is_plain(kind: pa.DataType) -> bool:
    """Is a value a string in JSON?"""
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_temporal)
    return any(test(kind) for test in (*tests, *OF_BYTES)) or pa.types.is_null(kind)


OF_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)


def _find_export_type(kind: pa.DataType) -> pa.DataType:
    name = str(kind)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or any(each in name for each in NOT_PARQUET):
        return pa.string()
    if any(test(kind) for test in OF_BYTES):
        return pa.binary()
    return kind
