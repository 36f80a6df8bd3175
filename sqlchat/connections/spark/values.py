"""Converts Spark's Arrow arrays, nested ones too, to Python values that `encode_rows` writes as JSON."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice, pairwise
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.connections.encoding import read_document, unique_names, write_text


def read_values(column: pa.Array) -> list[Any]:
    """Return the values of a column. Most scalars become texts, which Arrow makes much faster than Python objects."""
    kind = column.type
    if pa.types.is_decimal(kind):
        texts = column.cast(pa.string())
        write = _write_digits if pc.any(pc.match_substring(texts, "E")).as_py() else orjson.Fragment
        return [None if text is None else write(text) for text in texts.to_pylist()]
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return list(write_moments(column).to_pylist())
    if pa.types.is_float32(kind):  # its own digits, not those of the double beside it
        return [None if text is None else float(text) for text in column.cast(pa.string()).to_pylist()]
    if pa.types.is_struct(kind):
        names = unique_names([kind.field(number).name for number in range(kind.num_fields)])
        fields = [read_values(field) for field in column.flatten()]
        rows = zip(*fields, strict=True) if fields else [()] * len(column)
        valid = column.is_valid().to_pylist()
        return [dict(zip(names, row, strict=True)) if there else None for there, row in zip(valid, rows, strict=True)]
    if pa.types.is_map(kind):
        offsets, valid = column.offsets.to_pylist(), column.is_valid().to_pylist()
        keys, items = [write_text(key) for key in read_values(column.keys)], read_values(column.items)
        ranges = zip(valid, pairwise(offsets), strict=True)
        return [dict(zip(keys[i:j], items[i:j], strict=True)) if there else None for there, (i, j) in ranges]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        elements = iter(read_values(column.flatten()))
        sizes = pc.list_value_length(column).to_pylist()
        return [None if size is None else list(islice(elements, size)) for size in sizes]
    return list(column.to_pylist())


def read_documents(column: pa.Array) -> list[Any]:
    """Return texts of JSON as JSON. A text that is nested too deep, or no JSON, stays a text."""
    return [None if text is None else read_document(text) for text in column.to_pylist()]


def write_moments(column: pa.Array) -> pa.Array:
    """Write dates and times in ISO 8601, with a T, an offset such as +00:00, and no fraction of zeros."""
    texts = pc.replace_substring(column.cast(pa.string()), " ", "T")
    if pa.types.is_date(column.type):
        return texts
    texts = pc.replace_substring_regex(texts, r"\.0+(Z|[+-]\d{4})?$", r"\1")
    return pc.replace_substring_regex(
        pc.replace_substring_regex(texts, "Z$", "+0000"), r"([+-]\d\d)(\d\d)$", r"\1:\2"
    )


def _write_digits(text: str) -> Any:
    return orjson.Fragment(format(Decimal(text), "f") if "E" in text else text)
