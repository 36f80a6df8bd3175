"""Texts -> Arrow's types, without a digit lost: what a type has no word for is an error."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.connections.encoding import unique_names
from sqlchat.connections.streams import Header, Stream
from sqlchat.errors import QueryError
from sqlchat.exports.texts import as_plain

LONG_INTEGER = r"^-?\d{16,}$"
QUOTED = re.compile(r"'(.*?)'", re.DOTALL)


def schema_of(header: Header) -> pa.Schema:
    """The names, each once, with Arrow's types and the database's own as metadata."""
    names = unique_names(header.columns)
    return pa.schema(
        [
            pa.field(name, kind, metadata={"database_type": told} if told else None)
            for name, kind, told in zip(names, header.arrow, header.types, strict=True)
        ]
    )


def typed_batches(stream: Stream, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows with the schema's types. Raises what iterating the stream raises, and QueryError as `typed` does."""
    batches = stream.typed_batches(lambda texts: typed(texts, stream.header, schema))
    return (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in batches)


def typed(batch: pa.RecordBatch, header: Header, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with the schema's types. Raises QueryError for a value that its column's type cannot hold."""
    columns = []
    for column, field, is_json in zip(batch.columns, schema, header.is_json, strict=True):
        texts, _ = as_plain(column, is_json)
        try:
            columns.append(_cast(texts, field.type))
        except (pa.ArrowInvalid, ValueError) as exc:
            raise QueryError(
                f"The column {field.name!r} holds a value that {field.type} cannot hold{_shown(exc)}; "
                "cast it in the SQL, to text for instance, or take CSV or NDJSON."
            ) from exc
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _cast(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        return texts
    if pa.types.is_binary(kind):
        values: list[Any] = [None if text is None else b64decode(text, validate=True) for text in texts.to_pylist()]
        return pa.array(values, kind)
    if pa.types.is_time(kind):  # which Arrow does not cast texts to
        return pa.array([None if text is None else time.fromisoformat(text) for text in texts.to_pylist()], kind)
    if pa.types.is_float64(kind):  # Arrow rounds what does not fit
        _refuse_rounding(texts)
    return pc.cast(texts, kind)


def _refuse_rounding(texts: pa.Array) -> None:
    """Raise ValueError for an integer that no double equals, such as SQLite has beside its reals."""
    for text in texts.filter(pc.match_substring_regex(texts, LONG_INTEGER)).to_pylist():
        if int(float(text)) != int(text):
            raise ValueError(f"'{text}' is between two doubles")


def _shown(exc: Exception) -> str:
    quoted = QUOTED.search(str(exc))
    return f" ({quoted[1][:80]!r})" if quoted else ""
