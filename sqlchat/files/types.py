"""Which SQL type holds every text of a column: one `Reading` a way to read it. Used by `columns`.

A reading survives only while it fits every text of every block, so that a type is never guessed from the first rows.
What would not survive a round trip through a type (leading zeros, a plus sign, more digits than it has) stays TEXT.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.files import moments
from sqlchat.files.sketch import text_buffers

INTEGER_RANGE = range(-(2**31), 2**31)
BIGINT_RANGE = range(-(2**63), 2**63)
NUMERIC_DIGITS = 38
"""Digits of a decimal that the usual databases hold exactly."""

SWAP = str.maketrans("dm", "md")

NUMBER_KINDS = ("INTEGER", "NUMERIC", "DOUBLE PRECISION")
"""From narrow to wide; BIGINT is an INTEGER whose bounds say so."""


@dataclass(frozen=True)
class Fit:
    """What a reading found in the texts that it fits."""

    least: Any
    most: Any
    total: float | None = None
    """Sum, of numbers."""
    kind: str = ""
    """The narrowest of NUMBER_KINDS, for numbers."""
    digits: tuple[int, int] = (0, 0)
    """Before and after the point at least, for a NUMERIC; it may need more before it, as `least` and `most` tell."""
    values: pa.Array | None = field(default=None, repr=False, compare=False)
    """What was read, where values are compared as such rather than as texts."""


CLOCKS = {len("10:30"): "%H:%M", len("10:30:59"): "%H:%M:%S"}
"""Length of a time -> its format, where all numbers have two digits."""

UUID_LENGTH, UUID_DASHES = 36, [8, 13, 18, 23]
FEW_UUIDS = 1 << 10
"""Looked at together, as a processor's cache holds them."""

Fitting = Callable[[pa.Array], Fit | None]


@dataclass(frozen=True)
class Reading:
    """One way to read texts. `fit` takes an Arrow string array with neither nulls nor outer blanks, not empty, and
    gives None where a text does not fit."""

    name: str
    sql_type: str
    fit: Fitting
    format: str | None = None
    """strptime's notation, where the texts are no ISO 8601."""


def _boolean(texts: pa.Array) -> Fit | None:
    if len(texts[0].as_py()) > len("false"):
        return None
    lower = pc.ascii_lower(texts)
    words = pc.unique(lower).to_pylist()
    return Fit(min(words), max(words), values=lower) if set(words) <= {"true", "false"} else None


def _number(texts: pa.Array) -> Fit | None:
    starts, data = text_buffers(texts)
    longest = int(np.diff(starts).max())
    if _pads(starts, data):
        return None
    letters = bool((data > ord("9")).any())
    points = np.flatnonzero(data == ord("."))  # Arrow makes an error of every text that it cannot cast
    if not letters and not len(points) and longest < 20:
        numbers = _cast(texts, pa.int64())
        if numbers is not None:
            least, most = number_bounds(numbers)
            total = float(pc.mean(numbers).as_py()) * len(texts)
            return Fit(least, most, total, "INTEGER", values=numbers)
    floats = _cast(texts, pa.float64())
    if floats is None:
        return None
    least, most = number_bounds(floats)
    if not (math.isfinite(least) and math.isfinite(most)):
        return None
    total = pc.sum(floats).as_py()
    if letters:
        return Fit(least, most, total, "DOUBLE PRECISION", values=floats)
    # a digit string past 18 digits is a code, no number; a decimal may have as many as a NUMERIC holds
    if longest > NUMERIC_DIGITS + 2 or (longest > 18 and not _all_pointed(texts, starts, points)):
        return None
    return Fit(least, most, total, "NUMERIC", (0, _scale(starts, points)), floats)


def number_bounds(numbers: pa.Array) -> tuple[Any, Any]:
    """The least and the greatest of numbers that are there; NaN for both where one is none."""
    values = numbers.to_numpy()  # NumPy is five times as fast as Arrow here
    return values.min().item(), values.max().item()


def _pads(starts: Any, data: Any) -> bool:
    """Does any text, of which none is empty, begin with a plus sign, or with a zero and one more digit?"""
    begins = starts[:-1]
    first = data[begins]
    if (first == ord("+")).any():
        return True
    signed = first == ord("-")
    padded = np.concatenate((data, np.zeros(2, np.uint8)))
    if signed.any():
        begins = begins + signed
        first = padded[begins]
    zeros = np.flatnonzero(first == ord("0"))
    after = begins[zeros] + 1
    digits = padded[after] - ord("0") <= 9  # a byte before "0" wraps round to a large one
    return bool((digits & (after < starts[1:][zeros])).any())


def _all_pointed(texts: pa.Array, starts: Any, points: Any) -> bool:
    """Has each number of more than 18 characters a point?"""
    if len(points) == len(texts):
        return True
    long = texts.filter(pa.array(np.diff(starts) > 18))
    return bool(pc.all(pc.match_substring(long, ".")).as_py())


def _scale(starts: Any, points: Any) -> int:
    """Digits after the point at most, of numbers of digits, signs and points only."""
    if not len(points):
        return 0
    ends = starts[1:] if len(points) == len(starts) - 1 else starts[np.searchsorted(starts, points, "right")]
    return int((ends - points).max()) - 1


def _iso_date(texts: pa.Array) -> Fit | None:
    return _iso(_cast(texts, pa.date32()) if len(texts[0].as_py()) == 10 else None)


def _iso_timestamp(zone: str | None) -> Fitting:
    def fit(texts: pa.Array) -> Fit | None:
        if pc.min(pc.binary_length(texts)).as_py() < len("2024-01-01 10:00"):
            return None
        read = _cast(texts, pa.timestamp("us", zone))
        return _iso(read if read is not None else _cast(texts, pa.timestamp("ns", zone)))

    return fit


def _time(texts: pa.Array) -> Fit | None:
    lengths = np.diff(text_buffers(texts)[0])
    format = CLOCKS.get(int(lengths[0]))
    if format and (lengths == lengths[0]).all():
        fits = moments.read(texts, format) is not None
    else:
        fits = bool(pc.all(pc.match_substring_regex(texts, r"^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$")).as_py())
        dated = pc.binary_join_element_wise("1970-01-01", texts, " ")
        fits = fits and _cast(dated, pa.timestamp("us")) is not None
    if not fits:
        return None
    bounds = pc.min_max(texts)
    return Fit(bounds["min"].as_py(), bounds["max"].as_py())


def _uuid(texts: pa.Array) -> Fit | None:
    starts, data = text_buffers(texts)
    if not (np.diff(starts) == UUID_LENGTH).all():
        return None
    rows = data.reshape(-1, UUID_LENGTH)
    for begin in range(0, len(rows), FEW_UUIDS):
        few = rows[begin : begin + FEW_UUIDS]
        small = few | 0x20
        fits = ((few >= ord("0")) & (few <= ord("9"))) | ((small >= ord("a")) & (small <= ord("f")))
        fits[:, UUID_DASHES] = few[:, UUID_DASHES] == ord("-")
        if not fits.all():
            return None
    bounds = pc.min_max(texts)
    return Fit(bounds["min"].as_py(), bounds["max"].as_py())


def _json(texts: pa.Array) -> Fit | None:
    """Objects and arrays only: a bare number or word is what it looks like."""
    if texts[0].as_py().lstrip()[:1] not in ("[", "{"):
        return None
    if not pc.all(pc.match_substring_regex(texts, r"^\s*[\[{]")).as_py():
        return None
    try:
        for text in texts.to_pylist():
            orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return Fit(None, None)


def _strptime(format: str) -> Fitting:
    def fit(texts: pa.Array) -> Fit | None:
        found = moments.read(texts, format)
        if found is None:
            return None
        least, most = number_bounds(found[0].view(pa.int64()))
        first, last = (datetime(1970, 1, 1) + timedelta(microseconds=moment) for moment in (least, most))
        if "%M" in format:
            return Fit(first.isoformat(), last.isoformat())
        return Fit(first.date().isoformat(), last.date().isoformat())

    return fit


def _iso(read: pa.Array | None) -> Fit | None:
    if read is None:
        return None
    bounds = pc.min_max(read)
    return Fit(bounds["min"].as_py().isoformat(), bounds["max"].as_py().isoformat(), values=read)


def _cast(texts: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(texts, kind)
    except pa.ArrowInvalid:
        return None


DATE_FORMATS = (
    *("%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y"),
)
CLOCK_FORMATS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")

DATE_LIKE = re.compile(r"([A-Za-z]{3,9} \d|\d{1,2}[-/. ]|\d{4}/)[\w ./:,-]{5,30}$", re.ASCII)
"""Only where the first text looks like this are the formats above tried."""

NUMBER = Reading("number", "NUMERIC", _number)
PLAIN = (
    Reading("boolean", "BOOLEAN", _boolean),
    NUMBER,
)
TEMPORAL = (
    Reading("date", "DATE", _iso_date),
    Reading("timestamp", "TIMESTAMP", _iso_timestamp(None)),
    Reading("timestamp with zone", "TIMESTAMP", _iso_timestamp("UTC")),
    Reading("time", "TIME", _time),
    Reading("uuid", "UUID", _uuid),
    *(Reading(f, "DATE", _strptime(f), f) for f in DATE_FORMATS),
    *(
        Reading(f"{d} {c}", "TIMESTAMP", _strptime(f"{d} {c}"), f"{d} {c}")
        for d in DATE_FORMATS
        for c in CLOCK_FORMATS
    ),
)
JSON = Reading("json", "JSON", _json)
READINGS = {reading.name: reading for reading in (*PLAIN, *TEMPORAL, JSON)}

OF_TEXT_FILES = tuple(READINGS)
"""Names of the readings of a format that has texts only."""

OF_STRINGS = tuple(reading.name for reading in TEMPORAL)
"""Names of the readings of a format that tells a number from a string, but has no dates (JSON)."""


def fits(texts: pa.Array, names: tuple[str, ...]) -> dict[str, Fit]:
    """Of the readings named, those that fit all texts. A few texts are tried first, as most readings fail there."""
    if not len(texts):
        return {}
    few = texts.slice(0, 32)
    date_like = DATE_LIKE.match(texts[0].as_py())
    found = {}
    for name in names:
        reading = READINGS[name]
        if reading.format and (not date_like or NUMBER.name in found):
            continue
        if len(names) > 1 and reading.fit(few) is None:
            continue
        fit = reading.fit(texts)
        if fit is not None:
            found[name] = fit
    return found


def number_type(kind: str, least: float, most: float) -> str:
    """The SQL type of numbers of that kind between those bounds."""
    if kind != "INTEGER":
        return kind
    if least in INTEGER_RANGE and most in INTEGER_RANGE:
        return "INTEGER"
    return "BIGINT" if least in BIGINT_RANGE and most in BIGINT_RANGE else "NUMERIC"


def swaps_day_and_month(one: Reading, other: Reading) -> bool:
    """Do both read the same texts, with day and month in each other's place?"""
    if one.format is None or other.format is None:
        return False
    return one.format.translate(SWAP) == other.format


def finite(value: Any) -> Any:
    """NaN and infinities have no JSON."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def arrow_type(kind: pa.DataType) -> str:
    """The SQL type of an Arrow type that a typed format brought."""
    tests: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
        (pa.types.is_boolean, "BOOLEAN"),
        (pa.types.is_integer, "INTEGER"),
        (pa.types.is_floating, "DOUBLE PRECISION"),
        (pa.types.is_decimal, "NUMERIC"),
        (pa.types.is_date, "DATE"),
        (pa.types.is_timestamp, "TIMESTAMP"),
        (pa.types.is_time, "TIME"),
        (pa.types.is_nested, "JSON"),
    )
    return next((name for test, name in tests if test(kind)), "TEXT")
