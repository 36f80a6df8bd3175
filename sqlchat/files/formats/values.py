"""Makes typed parts of Python values of one column, as JSON, workbooks and SQLite bring them."""

from __future__ import annotations

import datetime
import decimal
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from sqlchat.files.formats import Part

INT64 = range(-(2**63), 2**63)
NUMERIC_LIMIT = 10**38


def make_parts(values: Sequence[Any]) -> tuple[Part, ...]:
    """Split values by their Python type, without None and NaN. Times of day, dates, texts, numbers, truth values,
    durations, and dicts and lists as JSON are known."""
    found = []
    kinds = set(map(type, values))
    for kind in kinds - {type(None)}:
        same: list[Any] = list(values)
        rows: list[int] | None = None
        if len(kinds) > 1:
            rows = [row for row, v in enumerate(values) if type(v) is kind]
            same = [values[row] for row in rows]
        match kind:
            case _ if kind is int:
                found.append(_make_part(*_choose_integers(same), rows))
            case _ if kind is float:
                if nan := sum(map(math.isnan, same)):
                    rows = [row for row, v in zip(rows or range(len(same)), same, strict=True) if not math.isnan(v)]
                    same = [values[row] for row in rows]
                found.append(replace(_make_part(same, pa.float64(), rows), nan=nan))
            case _ if kind is str:
                found.append(_make_part(list(map(replace_surrogates, same)), pa.string(), rows, "string"))
            case _ if kind in {dict, list}:
                found.append(_make_part([_write_json(v) for v in same], pa.string(), rows, "json"))
            case _ if kind in ARROW:
                found.append(_make_part(same, ARROW[kind], rows))
            case _:
                found.append(_make_part([str(v) for v in same], pa.string(), rows))
    return tuple(found)


def replace_surrogates(text: str) -> str:
    """Replace each half of a surrogate pair, which JSON may escape and UTF-8 cannot hold, by a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


ARROW: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    datetime.datetime: pa.timestamp("us"),
    datetime.date: pa.date32(),
    datetime.time: pa.time64("us"),
    datetime.timedelta: pa.duration("us"),
}


def _choose_integers(values: list[int]) -> tuple[list[Any], pa.DataType]:
    if all(v in INT64 for v in (min(values), max(values))):
        return values, pa.int64()
    if max(map(abs, values)) < NUMERIC_LIMIT:
        return list(map(decimal.Decimal, values)), pa.decimal128(38, 0)
    return list(map(str, values)), pa.string()


def _write_json(value: dict[str, Any] | list[Any]) -> str:
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, TypeError):  # integers past 64 bits, half a surrogate pair, bytes of Parquet
        return replace_surrogates(json.dumps(value, ensure_ascii=False, default=str))


def _make_part(values: list[Any], kind: pa.DataType, rows: list[int] | None, inferred: Any = None) -> Part:
    return Part(pa.array(values, kind), None if rows is None else np.array(rows, np.int64), inferred)
