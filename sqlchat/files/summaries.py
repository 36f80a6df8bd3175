"""Makes the columns' entries in a profile, as JSON values: nulls, bounds, mean, common values."""

from __future__ import annotations

import datetime
import decimal
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import pyarrow as pa

from sqlchat.files.decisions import count_words
from sqlchat.files.notations import Notation
from sqlchat.files.value_stats import NUMBER_TYPES, drop_non_finite

if TYPE_CHECKING:
    from sqlchat.files.columns import Column
    from sqlchat.files.readers import Relaxed
    from sqlchat.files.readings import Reading
    from sqlchat.files.worded_dates import WordedDate

TOP = 5
SHOWN_CHARACTERS = 200
"""Characters of a text in a profile."""


def summarize(columns: Sequence[Column], rows: int, warnings: list[str]) -> list[dict[str, Any]]:
    """Make the columns' entries in a profile of that many rows; adds to `warnings`.

    >>> summarize(columns, 3, [])
    [{"name": "id", "type": "INTEGER", "nulls": 0, "distinct": 3, "distinct_is_exact": True, "min": 1, ...}, ...]
    """
    figures = _count(columns, rows)
    return [_describe(column, figure, warnings) for column, figure in zip(columns, figures, strict=True)]


def _count(columns: Sequence[Column], rows: int) -> list[dict[str, Any]]:
    """Count the nulls and different values of each column, and compute its mean (NaN without numbers)."""
    missing = [_find_missing(column).total() for column in columns]
    frame = pd.DataFrame(
        {
            "nulls": [rows - column.values for column in columns],
            "missing": missing,
            "distinct": [
                column.count_distinct() - (len(_find_missing(column)) if column.kinds and column.sketch.exact else 0)
                for column in columns
            ],
            "total": pd.Series([column.decide().fit.total for column in columns], dtype="float64"),
        }
    )
    frame["nulls"] += frame["missing"]
    present = rows - frame["nulls"]
    frame["distinct"] = frame["distinct"].clip(upper=present)
    frame["mean"] = frame["total"] / present.where(present > 0)
    return cast(list[dict[str, Any]], frame[["nulls", "distinct", "mean"]].to_dict("records"))


def _find_missing(column: Column) -> Counter[str]:
    """Return the words for no value; none in a column of texts, whose values they are."""
    return column.missing if column.decide().sql_type not in {"TEXT", "JSON"} else Counter()


def _describe(column: Column, figures: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    decision, missing = column.decide(), _find_missing(column)
    sql_type, fit, reading = decision.sql_type, decision.fit, decision.reading
    warnings += decision.warnings
    show = _find_shower(sql_type, reading)
    if missing:
        warnings.append(f"{column.name!r} is {sql_type} but for {count_words(missing)}, which were counted as nulls.")
    if column.nan:
        warnings.append(f"{column.name!r} has NaN for a value ({column.nan:,}), which was counted as null.")
    entry: dict[str, Any] = {
        "name": column.name,
        "type": sql_type,
        "nulls": figures["nulls"],
        "distinct": figures["distinct"],
        "distinct_is_exact": column.has_exact_count(),
        "min": show_value(fit.least),
        "max": show_value(fit.most),
        "example": show(column.example) if _strip(column.example) not in missing else show_value(fit.least),
    }
    if fit.total is not None and column.values > missing.total():
        entry["mean"] = drop_non_finite(figures["mean"])
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
    """Strip a text as words for no value are stripped."""
    return value.strip() if isinstance(value, str) else value


def _show_truth(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _show_number(value: Any, notation: Notation | Relaxed | WordedDate | None = None) -> Any:
    """Convert a number, which may be a text, to a JSON value."""
    if not isinstance(value, str):
        return show_value(value)
    number = value.strip()
    if notation is not None and (plain := notation.plain(pa.array([number]))) is not None:
        number = plain[0][0].as_py()
    return show_value(int(number) if re.fullmatch(r"-?\d+", number) else float(number))


def show_value(value: Any) -> Any:
    """Convert a value to a short JSON value."""
    match value:
        case str():
            return value if len(value) <= SHOWN_CHARACTERS else value[: SHOWN_CHARACTERS - 1] + "…"
        case bool() | None:
            return value
        case int():
            return value if value.bit_length() < 64 else float(value)  # JSON writers stop at 64 bits
        case float():
            return drop_non_finite(value)
        case decimal.Decimal():
            return float(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return str(value)
        case bytes():
            return value[: SHOWN_CHARACTERS // 2].hex()
    return show_value(str(value))
