"""Columns of texts, a whole batch at a time: JSON and plain strings, and rows joined to bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import orjson
import pyarrow as pa
import pyarrow.compute as pc

CONTROL = bytes(range(32))
FEW = 4
OFFSET = 4
"""Bytes of a number that says where a text ends."""


def holds_any(column: pa.Array, signs: bytes) -> bool:
    """Whether any text of the column has one of `signs`, which are ASCII. Looks at all texts at once."""
    data = column.buffers()[2]
    if data is None:
        return False
    texts = data.to_pybytes()
    if len(signs) <= FEW:  # a search for one sign is much faster than what looks for several
        return any(sign in texts for sign in signs)
    return len(texts.translate(None, signs)) != len(texts)


def as_json(column: pa.Array, is_json: bool) -> list[pa.Array | str]:
    """The column's values as JSON texts, in pieces for `join`; null stays null."""
    if is_json:
        return [column]
    if holds_any(column, CONTROL):
        values = column.to_pylist()
        return [pa.array([None if value is None else orjson.dumps(value).decode() for value in values], pa.string())]
    if holds_any(column, b'"\\'):
        column = pc.replace_substring(pc.replace_substring(column, "\\", "\\\\"), '"', '\\"')
    quoted = ['"', column, '"']
    return [pc.binary_join_element_wise(*quoted, "")] if column.null_count else quoted


def as_plain(column: pa.Array, is_json: bool) -> tuple[pa.Array, pa.Array | pa.Scalar | None]:
    """The column's values without the quotes of JSON's strings, and which of them are strings.

    That is None if all are, and one `false` if none is.
    """
    if not is_json:
        return column, None
    if not holds_any(column, b'"'):
        return column, pa.scalar(False)
    strings = pc.starts_with(column, '"')
    if holds_any(column, b"\\"):
        values = [value and (orjson.loads(value) if value[0] == '"' else value) for value in column.to_pylist()]
        return pa.array(values, pa.string()), strings
    return pc.if_else(strings, pc.utf8_trim(column, '"'), column), strings


def join(pieces: Iterable[pa.Array | str], null: str) -> bytes:
    """The pieces of each row, one row after the other; `null` stands for null."""
    merged: list[pa.Array | str] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    joined = pc.binary_join_element_wise(*merged, "", null_handling="replace", null_replacement=null)
    _, offsets, texts = joined.buffers()
    size = int.from_bytes(offsets.slice(len(joined) * OFFSET, OFFSET).to_pybytes(), sys.byteorder)
    return texts[:size].to_pybytes() if size else b""
