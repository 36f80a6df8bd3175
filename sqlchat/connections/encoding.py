"""Encodes rows of Python values as the JSON bytes of `Results.rows`.

Values keep their meaning: exact numbers keep every digit, times are ISO 8601, bytes base64, and numbers that JSON
has no word for are the texts `NaN`, `Infinity` and `-Infinity`, apart from null. orjson writes nearly everything by
itself; `_other` sees what it does not know, and only rows that it refuses outright (integers past 64 bits, unpaired
surrogates) or would lose something of (floats that are no numbers) are walked in Python.
"""

from __future__ import annotations

import datetime
import math
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from itertools import chain
from typing import Any

import orjson

DEEPEST = 60
"""Levels of a nested value that is JSON in an answer. A deeper one is its text, since common readers of JSON fail."""
JSON_BUT_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+')
BRACES_AS_BRACKETS = bytes.maketrans(b"{}", b"[]")
WRITTEN_OUT = 100
"""Zeros that an exact number may gain by being written without an exponent."""


def encode_rows(rows: Iterable[Sequence[Any]]) -> bytes:
    """A JSON array of arrays, one for each row."""
    listed = rows if isinstance(rows, list) else list(rows)
    try:
        encoded = orjson.dumps(listed, default=_other, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return orjson.dumps(_walked(listed))
    if b"null" in encoded and _loses_floats(listed):
        return orjson.dumps(_walked(listed))
    return encoded


def no_number(value: float | Decimal) -> str:
    """The word for what is no finite number."""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - NaN alone differs


def _loses_floats(rows: list[Sequence[Any]]) -> bool:
    """Whether a float that orjson writes as null is in the rows."""
    kinds = set(map(type, chain.from_iterable(rows)))
    if float in kinds and not all(map(math.isfinite, [c for c in chain.from_iterable(rows) if type(c) is float])):
        return True
    return not kinds.isdisjoint((list, tuple, dict)) and any(map(_holds_no_number, chain.from_iterable(rows)))


def _holds_no_number(value: Any) -> bool:
    match value:
        case float():
            return not math.isfinite(value)
        case list() | tuple():
            return any(map(_holds_no_number, value))
        case dict():
            return any(map(_holds_no_number, value.values()))
    return False


def is_deep(json: bytes) -> bool:
    """Whether a JSON value is nested deeper than DEEPEST, so that an answer should hold its text."""
    if json.count(b"[") + json.count(b"{") <= DEEPEST:
        return False
    left = JSON_BUT_BRACKETS.sub(b"", json).translate(BRACES_AS_BRACKETS)
    for _ in range(DEEPEST):
        left = left.replace(b"[]", b"")  # the innermost level
    return bool(left)


def _other(value: Any) -> Any:
    """Replace a value of a type that orjson does not write."""
    match value:
        case Decimal():
            return orjson.Fragment(_digits(value)) if value.is_finite() else no_number(value)
        case bytes() | bytearray() | memoryview():
            return b64encode(value).decode("ascii")
        case datetime.timedelta():
            return interval_text(value)
        case AbstractSet() | Sequence() if not isinstance(value, str):
            return list(value)
        case Mapping():
            return dict(value)
    return str(value)


def interval_text(value: datetime.timedelta) -> str:
    """As Postgres and DuckDB write an interval: `3 days 04:05:06.7`, `-00:00:01`."""
    sign = "-" if value < datetime.timedelta(0) else ""
    size = abs(value)
    minutes, seconds = divmod(size.seconds, 60)
    clock = f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    if size.microseconds:
        clock += f".{size.microseconds:06}".rstrip("0")
    if not size.days:
        return clock
    days = f"{sign}{size.days} day{'' if size.days == 1 else 's'}"
    return f"{days} {clock}" if size.seconds or size.microseconds else days


def _digits(value: Decimal) -> str:
    exponent = value.as_tuple().exponent
    written_out = isinstance(exponent, int) and -len(value.as_tuple().digits) - WRITTEN_OUT < exponent <= WRITTEN_OUT
    return format(value, "f") if written_out else str(value)


def _walked(value: Any) -> Any:
    """`value` with all that orjson refuses replaced by a fragment or a text of the same meaning."""
    match value:
        case None | bool() | orjson.Fragment():
            return value
        case float():
            return value if math.isfinite(value) else no_number(value)
        case int():
            return orjson.Fragment(str(int(value)))
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case dict():
            return {write_text(key): _walked(item) for key, item in value.items()}
        case list() | tuple():
            return [_walked(item) for item in value]
    return _walked(_other(value))


def write_text(value: Any) -> str:
    """A text of `value`, as the keys of JSON's objects must be: its JSON, without quotes if that is a text."""
    walked = _walked(value)
    return walked if isinstance(walked, str) else orjson.dumps(walked).decode()


def json_cells(values: Iterable[Any]) -> list[bytes | None]:
    """The JSON of each value of a column; None for what is null there."""
    cells = [None if value is None else encode_rows([(value,)])[2:-2] for value in values]
    return [None if cell == b"null" else cell for cell in cells]


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, in which one that occurs again gets a number: a, b, a -> a, b, a_2."""
    unique: list[str] = []
    for place, name in enumerate(names):
        candidate, number = name, max(2, names[:place].count(name) + 1)
        while candidate in unique or (candidate != name and candidate in names):
            candidate, number = f"{name}_{number}", number + 1
        unique.append(candidate)
    return unique
