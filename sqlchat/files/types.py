"""Which SQL type holds every text of a column: one `Reading` a way to read it. Used by `columns`.

A reading survives only while it fits every text of every block, so that a type is never guessed from the first rows.
What would not survive a round trip through a type (leading zeros, a plus sign, more digits than it has) stays TEXT.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.files import moments
from sqlchat.files.fits import NUMBER_TYPES, Fit
from sqlchat.files.notations import CURRENCY, NOTATIONS, Notation
from sqlchat.files.options import Options
from sqlchat.files.sketch import text_buffers

CLOCKS = {len("10:30"): "%H:%M", len("10:30:59"): "%H:%M:%S"}
"""Length of a time -> its format, where all numbers have two digits."""

UUID_LENGTH, UUID_DASHES = 36, [8, 13, 18, 23]
FEW_UUIDS = 1 << 10
"""Looked at together, as a processor's cache holds them."""

NUMERIC_DIGITS = 38
"""Digits of a decimal that the usual databases hold exactly."""

Fitting = Callable[[pa.Array], Fit | None]

DATE_DIRECTIVES = re.compile(r"%(\w)")


def _order_letter(directive: re.Match[str]) -> str:
    return {"Y": "y", "y": "y", "m": "m", "b": "m", "B": "m", "d": "d"}.get(directive[1], "")


class Relaxed:
    """Numbers as somebody says they are: with leading zeros, a plus sign or any exponent."""

    def plain(self, texts: pa.Array) -> tuple[pa.Array, frozenset[str]] | None:
        """The numbers as SQL has them, and no marks; what is no number stays as it is."""
        return pc.replace_substring_regex(
            pc.replace_substring_regex(texts, r"^\+", ""), r"^(-?)0+(\d)", r"\1\2"
        ), frozenset()


@dataclass(frozen=True)
class Reading:
    """One way to read texts. `fit` takes an Arrow string array with neither nulls nor outer blanks, not empty, and
    gives None where a text does not fit."""

    name: str
    sql_type: str
    fit: Fitting
    format: str | None = None
    """strptime's notation, where the texts are no ISO 8601."""
    notation: Notation | Relaxed | None = None
    """Of numbers that SQL writes in another way."""

    @property
    def order(self) -> str:
        """Of year, month and day in a format: `dmy`; empty without one."""
        return "".join(re.findall("[ymd]", DATE_DIRECTIVES.sub(_order_letter, self.format or "")))


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
    if letters and pc.any(pc.match_substring_regex(texts, CODE_LIKE)).as_py():
        return None
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


def _notation(notation: Notation | Relaxed) -> Fitting:
    def fit(texts: pa.Array) -> Fit | None:
        found = notation.plain(texts)
        number = _number(found[0]) if found is not None else None
        return replace(number, marks=found[1]) if found is not None and number is not None else None

    return fit


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


def _iso_timestamp(texts: pa.Array) -> Fit | None:
    if pc.min(pc.binary_length(texts)).as_py() < len("2024-01-01 10:00"):
        return None
    read = _cast(texts, pa.timestamp("us"))
    return _iso(read if read is not None else _cast(texts, pa.timestamp("ns")))


def _zoned(texts: pa.Array) -> Fit | None:
    read = moments.read_zoned(texts)
    fit = _iso(read)
    if fit is None:
        return None
    offset = bool(pc.any(pc.match_substring_regex(texts, OFFSET)).as_py())
    return replace(fit, marks=frozenset({"offset"} if offset else ()))


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
        if format == COMPACT and not pc.all(pc.equal(pc.binary_length(texts), 8)).as_py():
            return None
        found = moments.read(texts, format)
        if found is None:
            return None
        least, most = number_bounds(found[0].view(pa.int64()))
        first, last = (datetime(1970, 1, 1) + timedelta(microseconds=moment) for moment in (least, most))
        if "%d" not in format:
            return Fit(first.time().isoformat(), last.time().isoformat())
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


_SEPARATED = (
    *("%Y/%m/%d", "%Y-%m-%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%y/%m/%d", "%m.%d.%Y", "%m.%d.%y"),
)
_NAMED = (
    *("%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d %B %Y", "%d-%B-%Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y"),
    *("%b %d %Y", "%B %d %Y", "%b-%d-%Y", "%Y-%b-%d", "%d-%b-%y", "%d %b %y"),
)
DATE_FORMATS = _SEPARATED + _NAMED
COMPACT = "%Y%m%d"
"""Of days, if the caller says that they are days: else they are numbers."""
RARE = ("%m.%d.%Y", "%m.%d.%y", "%y/%m/%d")
"""Tried only if the caller names their order: nobody else means them."""
CLOCK_FORMATS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")
TIME_FORMATS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")
BETWEEN = (" ", ", ")
"""A date and its time."""

DATE_LIKE = re.compile(r"([A-Za-z]{3,9} \d|\d{1,2}[-/. ]|\d{4}[-/.]|\d{4})[\w ./:,-]{3,30}$", re.ASCII)
TIME_LIKE = re.compile(r"\d{1,2}:\d\d")
"""Only where the first text looks like these are the formats above tried."""

NUMBER_LIKE = re.compile(
    rf"[-+\u2212\u2013( ]{{0,3}}(?:{CURRENCY})?[-\u2212\u2013 \xa0\u202f]{{0,2}}[.,]?\d.{{0,40}}$"
)
"""The same for numbers."""

OFFSET = r"[+-](?:0[1-9]|1\d|00:?[1-9])[\d:]*$"
"""Of a time that is not told in UTC."""
CODE_LIKE = r"^-?\d+[eE]\d+$"
"""Programs write a sign or a point into numbers with exponents; what has neither is a code more likely."""

NUMBER = Reading("number", "NUMERIC", _number)
PLAIN = (
    Reading("boolean", "BOOLEAN", _boolean),
    NUMBER,
    *(Reading(each.name, "NUMERIC", _notation(each), notation=each) for each in NOTATIONS),
)
RELAXED = Reading("number as said", "NUMERIC", _notation(Relaxed()), notation=Relaxed())
ZONED = Reading("timestamp with zone", "TIMESTAMP", _zoned)
TEMPORAL = (
    Reading("date", "DATE", _iso_date),
    Reading("timestamp", "TIMESTAMP", _iso_timestamp),
    ZONED,
    Reading("time", "TIME", _time),
    *(Reading(f, "TIME", _strptime(f), f) for f in TIME_FORMATS),
    Reading("uuid", "UUID", _uuid),
    *(Reading(f, "DATE", _strptime(f), f) for f in (*DATE_FORMATS, COMPACT)),
    *(
        Reading(f"{d}{b}{c}", "TIMESTAMP", _strptime(f"{d}{b}{c}"), f"{d}{b}{c}")
        for d in DATE_FORMATS
        for b in BETWEEN
        for c in CLOCK_FORMATS
    ),
)
JSON = Reading("json", "JSON", _json)
READINGS = {reading.name: reading for reading in (*PLAIN, RELAXED, *TEMPORAL, JSON)}

OF_STRINGS = frozenset(reading.name for reading in TEMPORAL)
"""Names of the readings of a format that tells a number from a string, but has no dates (JSON)."""


def readings(options: Options, column: str | None = None) -> tuple[str, ...]:
    """Names of the readings that a caller's options leave for the texts of a column."""
    wanted = options.wanted(column) if column is not None else None
    if wanted == "TEXT":
        return ()
    kind = "NUMERIC" if wanted in NUMBER_TYPES else wanted
    return _readings(kind, options.decimal, options.thousands, options.date_order)


@cache
def _readings(kind: str | None, decimal: str | None, thousands: str | None, order: str | None) -> tuple[str, ...]:
    found = [r for r in READINGS.values() if r is not RELAXED and (kind is None or r.sql_type == kind)]
    found = [r for r in found if _agrees(r, decimal, thousands, order) and (r.format != COMPACT or kind == "DATE")]
    if kind == "NUMERIC" and decimal in {None, "."}:
        found.append(RELAXED)
    return tuple(r.name for r in found)


def _agrees(reading: Reading, decimal: str | None, thousands: str | None, order: str | None) -> bool:
    """Does a reading agree with the caller's words on numbers and dates?"""
    if reading is NUMBER:
        return decimal in {None, "."} and thousands in {None, ",", "'", " "}
    if isinstance(reading.notation, Notation):
        return decimal in {None, reading.notation.decimal} and thousands in {None, reading.notation.group}
    if reading.format and "%d" in reading.format:
        numeric = "%b" not in reading.format and "%B" not in reading.format and not reading.format.startswith("%Y")
        if order and numeric:
            return reading.order == order
        return not reading.format.startswith(RARE)
    return True


def fits(texts: pa.Array, names: tuple[str, ...]) -> dict[str, Fit]:
    """Of the readings named, those that fit all texts. A few texts are tried first, as most readings fail there."""
    if not len(texts):
        return {}
    few = texts.slice(0, 32)
    first = texts[0].as_py()
    date_like, time_like = DATE_LIKE.match(first), TIME_LIKE.match(first)
    found: dict[str, Fit] = {}
    for name in names:
        reading = READINGS[name]
        number = found.get(NUMBER.name)
        if reading.format and (number is not None or not (date_like if "%d" in reading.format else time_like)):
            continue
        if isinstance(reading.notation, Notation) and number is not None:
            if number.kind == "INTEGER" or reading.notation.decimal == ".":
                found[name] = number  # written alike
                continue
            if number.kind == "DOUBLE PRECISION" or reading.notation.group != "." or number.digits[1] != 3:
                continue
        elif reading.notation is not None and not NUMBER_LIKE.match(first):
            continue
        if len(names) > 1 and reading.fit(few) is None:
            continue
        fit = reading.fit(texts)
        if fit is not None:
            found[name] = fit
    return found


def values(name: str, texts: pa.Array) -> pa.Array | None:
    """What a reading finds in texts that it fits."""
    fit = READINGS[name].fit(texts)
    return fit.values if fit is not None else None


def rival(best: str, names: Iterable[str]) -> Reading | None:
    """Among the readings of a column, one that puts day, month and year in another order than the best."""
    mine = READINGS[best].order
    return next((r for r in map(READINGS.__getitem__, names) if mine and r.order and r.order != mine), None)


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
        (pa.types.is_duration, "INTERVAL"),
        (pa.types.is_interval, "INTERVAL"),
        (pa.types.is_nested, "JSON"),
    )
    return next((name for test, name in tests if test(kind)), "TEXT")
