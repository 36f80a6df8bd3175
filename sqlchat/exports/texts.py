"""Columns of texts, a whole batch at a time: JSON and plain strings, and rows joined to bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import orjson
import pyarrow as pa
import pyarrow.compute as pc

TO_ESCAPE = r'["\\\x00-\x1f]'
CONTROL = r"[\x00-\x1f]"


def as_json(column: pa.Array, is_json: bool) -> pa.Array:
    """The column's values as JSON texts; null stays null."""
    if is_json:
        return column
    if pc.any(pc.match_substring_regex(column, TO_ESCAPE)).as_py():
        if pc.any(pc.match_substring_regex(column, CONTROL)).as_py():
            values = column.to_pylist()
            return pa.array(
                [None if value is None else orjson.dumps(value).decode() for value in values], pa.string()
            )
        column = pc.replace_substring(pc.replace_substring(column, "\\", "\\\\"), '"', '\\"')
    return pc.binary_join_element_wise('"', column, '"', "")


def as_plain(column: pa.Array, is_json: bool) -> tuple[pa.Array, pa.Array | None]:
    """The column's values without the quotes of JSON's strings, and which of them are strings; None where all are."""
    if not is_json:
        return column, None
    strings = pc.starts_with(column, '"')
    if not pc.any(strings).as_py():
        return column, strings
    if pc.any(pc.and_(strings, pc.match_substring(column, "\\"))).as_py():
        values = [value and (orjson.loads(value) if value[0] == '"' else value) for value in column.to_pylist()]
        return pa.array(values, pa.string()), strings
    return pc.if_else(strings, pc.utf8_trim(column, '"'), column), strings


def join(pieces: Iterable[pa.Array | str], null: str) -> bytes:
    """The pieces of each row, one row after the other; `null` stands for null."""
    joined = pc.binary_join_element_wise(*pieces, "", null_handling="replace", null_replacement=null)
    size = pc.sum(pc.binary_length(joined)).as_py() or 0
    start = joined.offset and 0
    return bytes(joined.buffers()[2][start : start + size]) if size else b""


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, in which one that occurs again gets a number: a, b, a -> a, b, a_2."""
    seen: Counter[str] = Counter()
    unique: list[str] = []
    for name in names:
        seen[name] += 1
        candidate, number = name, seen[name]
        while candidate in unique or (candidate != name and candidate in names):
            candidate, number = f"{name}_{max(number, 2)}", max(number, 2) + 1
        unique.append(candidate)
    return unique
