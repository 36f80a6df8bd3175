"""Rows of JSON -> Arrow's types, without a digit lost: a value that its type cannot hold is an error."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from sqlchat.connections.encoding import unique_names
from sqlchat.connections.results import Header
from sqlchat.connections.streams import Stream
from sqlchat.errors import QueryError
from sqlchat.exports.values import Values

LONG_INTEGER = r"^-?\d{16,}$"
QUOTED = re.compile(r"'(.*?)'", re.DOTALL)
DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")
SMALL_DECIMAL = 38
"""Digits that 128 bits hold."""


def make_schema(header: Header) -> pa.Schema:
    """Return a schema of unique names and Arrow's types, with the database's types as metadata."""
    names = unique_names(header.columns)
    return pa.schema(
        [
            pa.field(name, read_type(kind), metadata={"database_type": type} if type else None)
            for name, kind, type in zip(names, header.arrow, header.types, strict=True)
        ]
    )


def read_type(name: str | pa.DataType) -> pa.DataType:
    """Return Arrow's type of a name such as `int64`, `timestamp[us, UTC]` or `decimal(12, 2)`."""
    if isinstance(name, pa.DataType):
        return name
    if match := DECIMAL.fullmatch(name):
        digits, scale = int(match[1]), int(match[2])
        return pa.decimal128(digits, scale) if digits <= SMALL_DECIMAL else pa.decimal256(digits, scale)
    return pa.timestamp("us", "UTC") if name == "timestamp[us, UTC]" else pa.type_for_alias(name)


def read_batches(stream: Stream, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows with the schema's types. Raises the errors of the stream, and QueryError as `cast_rows` does."""
    for item in stream.items():
        batch = stream.read_typed(item, schema)
        if batch is None:
            batch = cast_rows(Values(stream.read_rows(item), len(schema)), stream.header, schema)
        stream.row_count += batch.num_rows
        yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def cast_rows(values: Values, header: Header, schema: pa.Schema) -> pa.RecordBatch:
    """Return the rows with the schema's types. Raises QueryError for a value that its column's type cannot hold."""
    columns = []
    for place, (field, is_document) in enumerate(zip(schema, header.is_document, strict=True)):
        try:
            columns.append(_cast(_read_texts(values, place, is_document), field.type))
        except (pa.ArrowInvalid, ValueError) as exc:
            raise QueryError(
                f"The column {field.name!r} holds a value that {field.type} cannot hold{_quote_value(exc)}; "
                "cast it in the SQL, to text for instance, or take CSV or NDJSON."
            ) from exc
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _read_texts(values: Values, place: int, is_document: bool) -> pa.Array:
    """Return the texts of a column: JSON if it holds documents, else strings without quotes."""
    is_text = np.zeros_like(values.is_text) if is_document else values.is_text
    indices = np.arange(place, len(values.ends), values.width)
    order = 2 * indices
    escaped = np.flatnonzero((is_text & values.is_escaped)[indices])
    order[escaped] = 2 * len(values.ends) + np.arange(len(escaped))
    pieces = [values.read(index).encode() for index in indices[escaped].tolist()]
    texts = values.join(*values.find_contents(strips=is_text), order, pieces)
    return _make_array(pa.string(), ~values.is_null[indices], *texts.buffers()[1:])


def _make_array(kind: pa.DataType, is_valid: Any, *buffers: Any) -> pa.Array:
    """Make an array without `pyarrow.array`, which imports pandas and so takes 40 MiB."""
    validity = pa.py_buffer(np.packbits(is_valid, bitorder="little"))
    return pa.Array.from_buffers(kind, len(is_valid), [validity, *buffers])


def _cast(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        return texts
    if pa.types.is_binary(kind):
        return _make_binary(texts)
    if pa.types.is_time(kind):  # which Arrow does not cast texts to
        moments = [time.fromisoformat(text or "00:00") for text in texts.to_pylist()]
        sizes = [timedelta(0, t.hour * 3600 + t.minute * 60 + t.second, t.microsecond) for t in moments]
        microseconds = np.array([size // timedelta(microseconds=1) for size in sizes], np.int64)
        return _make_array(kind, _find_valid(texts), pa.py_buffer(microseconds))
    if pa.types.is_float64(kind):  # Arrow rounds a number that does not fit
        _refuse_rounding(texts)
    return texts.cast(kind)


def _make_binary(texts: pa.Array) -> pa.Array:
    values = [b64decode(text or "", validate=True) for text in texts.to_pylist()]
    offsets = np.cumsum([0, *map(len, values)], dtype=np.int32)
    return _make_array(pa.binary(), _find_valid(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(values)))


def _find_valid(texts: pa.Array) -> Any:
    return np.array(texts.is_valid().to_pylist(), bool)


def _refuse_rounding(texts: pa.Array) -> None:
    """Raise ValueError for an integer that no double equals, such as SQLite has beside its reals."""
    import pyarrow.compute as pc  # not at the top: most exports have no use for it

    for text in texts.filter(pc.match_substring_regex(texts, LONG_INTEGER)).to_pylist():
        if int(float(text)) != int(text):
            raise ValueError(f"'{text}' is between two doubles")


def _quote_value(exc: Exception) -> str:
    quoted = QUOTED.search(str(exc))
    return f" ({quoted[1][:80]!r})" if quoted else ""
