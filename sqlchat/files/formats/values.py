"""Python values of one column as typed parts: what JSON and Excel hand over. Used by those formats' modules."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Sequence
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa

from sqlchat.files.formats import Part

INT64 = range(-(2**63), 2**63)
NUMERIC_LIMIT = 10**38


def parts(values: Sequence[Any]) -> tuple[Part, ...]:
    """Split values by their Python type, without None and NaN. Times of day, dates, texts, numbers, truth values,
    durations, and dicts and lists as JSON are known."""
    found = []
    for kind in set(map(type, values)) - {type(None)}:
        same: list[Any] = [v for v in values if type(v) is kind]
        match kind:
            case _ if kind is int:
                found.extend(_integers(same))
            case _ if kind is float:
                found.append(_part([v for v in same if not math.isnan(v)], pa.float64()))
            case _ if kind is str:
                found.append(_part(list(map(valid_text, same)), pa.string(), "string"))
            case _ if kind in {dict, list}:
                found.append(_part([_json(v) for v in same], pa.string(), "json"))
            case _ if kind in ARROW:
                found.append(_part(same, ARROW[kind]))
            case _:
                found.append(_part([str(v) for v in same], pa.string()))
    return tuple(found)


def valid_text(text: str) -> str:
    """JSON may escape half a surrogate pair, which no UTF-8 holds: it becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


ARROW: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    datetime.datetime: pa.timestamp("us"),
    datetime.date: pa.date32(),
    datetime.time: pa.time64("us"),
}


def _integers(values: list[int]) -> list[Part]:
    if all(v in INT64 for v in (min(values), max(values))):
        return [_part(values, pa.int64())]
    if max(map(abs, values)) < NUMERIC_LIMIT:
        return [_part(list(map(decimal.Decimal, values)), pa.decimal128(38, 0))]
    return [_part(list(map(str, values)), pa.string())]


def _json(value: dict[str, Any] | list[Any]) -> str:
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, TypeError):  # integers past 64 bits, half a surrogate pair
        return repr(value)


def _part(values: list[Any], kind: pa.DataType, inferred: Any = None) -> Part:
    return Part(pd.Series(pa.array(values, kind), dtype=pd.ArrowDtype(kind)), inferred)
