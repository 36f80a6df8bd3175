"""Columns of texts, a whole batch at a time: JSON and plain strings, and rows joined to bytes."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
import pyarrow as pa
import pyarrow.compute as pc

CONTROL = bytes(range(32))


def holds_any(column: pa.Array, signs: bytes) -> bool:
    """Whether any text of the column has one of `signs`, which are ASCII. Looks at all texts at once."""
    data = column.buffers()[2]
    texts = b"" if data is None else data.to_pybytes()
    return len(texts.translate(None, signs)) != len(texts)


def as_json(column: pa.Array, is_json: bool) -> pa.Array:
    """The column's values as JSON texts; null stays null."""
    if is_json:
        return column
    if holds_any(column, CONTROL):
        values = column.to_pylist()
        return pa.array([None if value is None else orjson.dumps(value).decode() for value in values], pa.string())
    if holds_any(column, b'"\\'):
        column = pc.replace_substring(pc.replace_substring(column, "\\", "\\\\"), '"', '\\"')
    return pc.binary_join_element_wise('"', column, '"', "")


def as_plain(column: pa.Array, is_json: bool) -> tuple[pa.Array, pa.Array | None]:
    """The column's values without the quotes of JSON's strings, and which of them are strings; None where all are."""
    if not is_json:
        return column, None
    strings = pc.starts_with(column, '"')
    if not holds_any(column, b'"'):
        return column, strings
    if holds_any(column, b"\\"):
        values = [value and (orjson.loads(value) if value[0] == '"' else value) for value in column.to_pylist()]
        return pa.array(values, pa.string()), strings
    return pc.if_else(strings, pc.utf8_trim(column, '"'), column), strings


def join(pieces: Iterable[pa.Array | str], null: str) -> bytes:
    """The pieces of each row, one row after the other; `null` stands for null."""
    joined = pc.binary_join_element_wise(*pieces, "", null_handling="replace", null_replacement=null)
    size = pc.sum(pc.binary_length(joined)).as_py()
    return joined.buffers()[2][:size].to_pybytes() if size else b""
