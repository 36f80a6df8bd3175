"""Encodes rows of Python values as the JSON bytes of `Results.rows`.

Exact numbers keep every digit, times are ISO 8601, and bytes are base64. NaN and the infinities are the texts `NaN`,
`Infinity` and `-Infinity`. orjson encodes nearly all rows; `_replace_unknown` handles types that it does not know.
Python walks only rows that orjson refuses (integers past 64 bits, unpaired surrogates) or changes (NaN, infinities).
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
"""Most levels of a nested value in an answer. A deeper one is sent as text: common readers of JSON fail on it."""
JSON_BUT_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+')
BRACES_AS_BRACKETS = bytes.maketrans(b"{}", b"[]")
LINE_ENDS_AS_BLANKS = bytes.maketrans(b"\r\n", b"  ")
"""Line ends in JSON are white space, since strings have them escaped."""
WRITTEN_OUT = 100
"""Most zeros that may be added to write an exact number without an exponent."""


def encode_rows(rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a JSON array of arrays, one for each row."""
    listed = rows if isinstance(rows, list) else list(rows)
    try:
        encoded = orjson.dumps(listed, default=_replace_unknown, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return orjson.dumps(_make_encodable(listed))
    if b"null" in encoded and _has_no_number(listed):
        return orjson.dumps(_make_encodable(listed))
    return encoded


def encode_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    """Return rows for a stream: the values of each as JSON with commas between them, and a line end."""
    encoded = encode_rows(rows).translate(LINE_ENDS_AS_BLANKS)
    if encoded.count(b"],[") != len(rows) - 1:  # in texts or nested values
        return b"".join(encode_rows([row])[2:-2].translate(LINE_ENDS_AS_BLANKS) + b"\n" for row in rows)
    return encoded[2:-2].replace(b"],[", b"\n") + b"\n"


def no_number(value: float | Decimal) -> str:
    """Return the name of NaN or an infinity."""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - NaN alone differs


def _has_no_number(rows: list[Sequence[Any]]) -> bool:
    """Whether a value in the rows is NaN or an infinity, which orjson writes as null."""
    kinds = set(map(type, chain.from_iterable(rows)))
    if float in kinds:
        floats = [value for value in chain.from_iterable(rows) if type(value) is float]
        if not all(map(math.isfinite, floats)):
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
    """Whether a JSON value is nested deeper than DEEPEST."""
    if json.count(b"[") + json.count(b"{") <= DEEPEST:
        return False
    brackets = JSON_BUT_BRACKETS.sub(b"", json).translate(BRACES_AS_BRACKETS)
    for _ in range(DEEPEST):
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    return bool(brackets)


def read_document(text: str) -> Any:
    """Return a text of JSON as JSON, with every digit; as text if it is nested too deep, or no JSON."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return text if is_deep(text.encode()) else orjson.Fragment(text)


def _replace_unknown(value: Any) -> Any:
    """Replace a value of a type that orjson does not write."""
    match value:
        case Decimal():
            return orjson.Fragment(_write_digits(value)) if value.is_finite() else no_number(value)
        case bytes() | bytearray() | memoryview():
            return b64encode(value).decode("ascii")
        case datetime.timedelta():
            return _write_interval(value)
        case AbstractSet() | Sequence() if not isinstance(value, str):
            return list(value)
        case Mapping():
            return dict(value)
    return str(value)


def _write_interval(value: datetime.timedelta) -> str:
    """Write an interval as Postgres and DuckDB do: `3 days 04:05:06.7`, `-00:00:01`."""
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


def _write_digits(value: Decimal) -> str:
    """Write an exact number; without an exponent unless that adds more than WRITTEN_OUT zeros."""
    exponent = value.as_tuple().exponent
    written_out = isinstance(exponent, int) and -len(value.as_tuple().digits) - WRITTEN_OUT < exponent <= WRITTEN_OUT
    return format(value, "f") if written_out else str(value)


def _make_encodable(value: Any) -> Any:
    """Replace values that orjson refuses or changes by fragments and texts of the same meaning."""
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
            return {write_text(key): _make_encodable(item) for key, item in value.items()}
        case list() | tuple():
            return [_make_encodable(item) for item in value]
    return _make_encodable(_replace_unknown(value))


def write_text(value: Any) -> str:
    """Return `value` as a text, for example for the key of an object: its JSON, without quotes if that is a text."""
    encodable = _make_encodable(value)
    return encodable if isinstance(encodable, str) else orjson.dumps(encodable).decode()


def unique_names(names: Sequence[str]) -> list[str]:
    """Add a number to each name that occurs again: a, b, a -> a, b, a_2."""
    unique: list[str] = []
    for place, name in enumerate(names):
        candidate, number = name, max(2, names[:place].count(name) + 1)
        while candidate in unique or (candidate != name and candidate in names):
            candidate, number = f"{name}_{number}", number + 1
        unique.append(candidate)
    return unique
