"""Makes a column's entry in a profile, as JSON values: bounds, mean, common values."""

from __future__ import annotations

import datetime
import decimal
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sqlchat.files.decisions import count_words
from sqlchat.files.notations import Notation
from sqlchat.files.value_stats import NUMBER_TYPES, finite

if TYPE_CHECKING:
    from sqlchat.files.columns import Column
    from sqlchat.files.readers import Relaxed
    from sqlchat.files.readings import Reading
    from sqlchat.files.worded_dates import WordedDate

TOP = 5
SHOWN_CHARACTERS = 200
"""Of a text in a profile."""


def summarize(column: Column, rows: int, warnings: list[str]) -> dict[str, Any]:
    """The column's entry in a profile of that many rows; `warnings` is told what deserves a second look.

    >>> summarize(column, 3, [])
    {"name": "id", "type": "INTEGER", "nulls": 0, "distinct": 3, "distinct_is_exact": True, "min": 1, "max": 3, ...}
    """
    decision = column.decide()
    warnings += decision.warnings
    sql_type, fit, reading = decision.sql_type, decision.fit, decision.reading
    nulls, missing = rows - column.values, column.missing if sql_type not in {"TEXT", "JSON"} else Counter()
    show = _find_shower(sql_type, reading)
    if missing:
        nulls += missing.total()
        warnings.append(f"{column.name!r} is {sql_type} but for {count_words(missing)}, which were counted as nulls.")
    present = rows - nulls
    distinct = column.sketch.count() - (len(missing) if column.kinds and column.sketch.exact else 0)
    entry: dict[str, Any] = {
        "name": column.name,
        "type": sql_type,
        "nulls": nulls,
        "distinct": min(distinct, present),
        "distinct_is_exact": column.sketch.exact,
        "min": show_value(fit.least),
        "max": show_value(fit.most),
        "example": show(column.example) if _strip(column.example) not in missing else show_value(fit.least),
    }
    if fit.total is not None and present:
        entry["mean"] = finite(fit.total / present)
    if column.counts is not None:
        is_merged = fit.kind not in {"", "INTEGER"} or sql_type == "BOOLEAN"  # 1.5 and 1.50 are one value
        common: Counter[Any] = Counter()
        for value, count in column.counts.most_common(None if is_merged else TOP + len(missing)):
            if _strip(value) not in missing:
                common[show(value)] += count
        entry["top"] = [{"value": value, "count": count} for value, count in common.most_common(TOP)]
    if reading and reading.shown:
        entry["format"] = reading.shown
    return entry


def _find_shower(sql_type: str, reading: Reading | None) -> Callable[[Any], Any]:
    if sql_type in NUMBER_TYPES:
        return partial(_show_number, notation=reading.notation if reading else None)
    return _show_truth if sql_type == "BOOLEAN" else show_value


def _strip(value: Any) -> Any:
    """A text without outer blanks, as words for no value are known."""
    return value.strip() if isinstance(value, str) else value


def _show_truth(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _show_number(value: Any, notation: Notation | Relaxed | WordedDate | None = None) -> Any:
    """A number, which the file may hold as a text."""
    if not isinstance(value, str):
        return show_value(value)
    number = value.strip()
    if notation is not None and (plain := notation.plain(pa.array([number]))) is not None:
        number = plain[0][0].as_py()
    return show_value(int(number) if re.fullmatch(r"-?\d+", number) else float(number))


def show_value(value: Any) -> Any:
    """A value as JSON has it, and short."""
    match value:
        case str():
            return value if len(value) <= SHOWN_CHARACTERS else value[: SHOWN_CHARACTERS - 1] + "…"
        case bool() | None:
            return value
        case int():
            return value if value.bit_length() < 64 else float(value)  # JSON writers stop at 64 bits
        case float():
            return finite(value)
        case decimal.Decimal():
            return float(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return str(value)
        case bytes():
            return value[: SHOWN_CHARACTERS // 2].hex()
    return show_value(str(value))
