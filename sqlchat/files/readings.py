"""Lists the readings of a column's texts. Each has a name, an SQL type and a reader.

A reading survives only while it fits every text of every block, so no type is guessed from the first rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from sqlchat.files.notations import CURRENCY, NOTATIONS, Notation
from sqlchat.files.options import Options
from sqlchat.files.readers import (
    COMPACT,
    Relaxed,
    TextReader,
    make_format_reader,
    make_notation_reader,
    read_booleans,
    read_durations,
    read_hours,
    read_iso_dates,
    read_iso_timestamps,
    read_json,
    read_numbers,
    read_times,
    read_uuids,
    read_zoned,
)
from sqlchat.files.sketch import find_text_buffers
from sqlchat.files.value_stats import NUMBER_TYPES, ValueStats
from sqlchat.files.worded_dates import WORDED_DAYS, WORDED_MOMENTS, WordedDate

DATE_DIRECTIVES = re.compile(r"%([Yymd])")


@dataclass(frozen=True)
class Reading:
    name: str
    sql_type: str
    fit: TextReader
    """A function of `readers`."""
    format: str | None = None
    """strptime's notation, if the texts are no ISO 8601."""
    notation: Notation | Relaxed | WordedDate | None = None
    """Rewrites the texts before they are read: numbers as SQL writes them, and months in words as digits."""

    @property
    def shown(self) -> str | None:
        """The format in the file."""
        return self.name if isinstance(self.notation, WordedDate) else self.format

    @property
    def order(self) -> str:
        """Order of year, month and day in a format of digits: `dmy`; empty without one."""
        directives = DATE_DIRECTIVES.findall(self.format or "") if self.notation is None else []
        return "".join(each.lower() for each in directives)


DATE_FORMATS = (
    *("%Y/%m/%d", "%Y-%m-%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%y/%m/%d", "%m.%d.%Y", "%m.%d.%y"),
)
RARE = ("%m.%d.%Y", "%m.%d.%y", "%y/%m/%d")
"""Tried only if the caller names their order, since they are rare."""
CLOCK_FORMATS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")
TIME_FORMATS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")
BETWEEN = (" ", ", ")
"""Separators of a date and its time."""

DATE_LIKE = re.compile(r"(\d{1,2}[-/.]|\d{4}[-/.]|\d{4})[\w ./:,-]{3,30}$", re.ASCII)
TIME_LIKE = re.compile(r"\d{1,2}:\d\d")
"""The formats above are tried only if the first text looks like one of these."""

NUMBER_LIKE = re.compile(
    rf"[-+\u2212\u2013( ]{{0,3}}(?:{CURRENCY})?[-\u2212\u2013 \xa0\u202f]{{0,2}}[.,]?\d.{{0,40}}$"
)
"""The notations of numbers are tried only if the first text looks like this."""


def _make_worded(sql_type: str, notation: WordedDate, clock: str = "") -> Reading:
    format = ("%y-%m-%d" if notation.has_short_year else "%Y-%m-%d") + clock
    return Reading(notation.name + clock, sql_type, make_format_reader(format, notation), format, notation)


NUMBER = Reading("number", "NUMERIC", read_numbers)
PLAIN = (
    Reading("boolean", "BOOLEAN", read_booleans),
    NUMBER,
    *(Reading(each.name, "NUMERIC", make_notation_reader(each), notation=each) for each in NOTATIONS),
)
RELAXED = Reading("number as said", "NUMERIC", make_notation_reader(Relaxed()), notation=Relaxed())
ISO_DATES, ISO_TIMESTAMPS = "date", "timestamp"
ZONED = Reading("timestamp with zone", "TIMESTAMP", read_zoned)
TEMPORAL = (
    Reading(ISO_DATES, "DATE", read_iso_dates),
    Reading(ISO_TIMESTAMPS, "TIMESTAMP", read_iso_timestamps),
    ZONED,
    Reading("time", "TIME", read_times),
    *(Reading(f, "TIME", make_format_reader(f), f) for f in TIME_FORMATS),
    Reading("duration", "INTERVAL", read_durations),
    Reading("duration of hours and minutes", "INTERVAL", read_hours),
    Reading("uuid", "UUID", read_uuids),
    *(Reading(f, "DATE", make_format_reader(f), f) for f in (*DATE_FORMATS, COMPACT)),
    *(
        Reading(f"{d}{b}{c}", "TIMESTAMP", make_format_reader(f"{d}{b}{c}"), f"{d}{b}{c}")
        for d in DATE_FORMATS
        for b in BETWEEN
        for c in CLOCK_FORMATS
    ),
    *(_make_worded("DATE", each) for each in WORDED_DAYS),
    *(_make_worded("TIMESTAMP", each, f" {clock}") for each in WORDED_MOMENTS for clock in CLOCK_FORMATS),
)
JSON = Reading("json", "JSON", read_json)
READINGS = {reading.name: reading for reading in (*PLAIN, RELAXED, *TEMPORAL, JSON)}

ASKED_FOR = frozenset({COMPACT, "duration of hours and minutes"})
"""Readings that are tried only if the caller names the type: else they are numbers, or minutes."""

OF_STRINGS = frozenset(reading.name for reading in TEMPORAL)
"""Readings of strings in a format that has numbers but no dates (JSON)."""


def list_readings(options: Options, column: str | None = None) -> tuple[str, ...]:
    """List the readings that a caller's options allow for the texts of a column."""
    wanted = options.wanted(column) if column is not None else None
    if wanted == "TEXT":
        return ()
    kind = "NUMERIC" if wanted in NUMBER_TYPES else wanted
    return _list_readings(kind, options.decimal, options.thousands, options.date_order)


@cache
def _list_readings(
    kind: str | None, decimal: str | None, thousands: str | None, order: str | None
) -> tuple[str, ...]:
    found = [r for r in READINGS.values() if r is not RELAXED and (kind is None or r.sql_type == kind)]
    found = [r for r in found if _agrees(r, decimal, thousands, order) and (kind or r.name not in ASKED_FOR)]
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
        if order and reading.notation is None and not reading.format.startswith("%Y"):
            return reading.order == order
        return not reading.format.startswith(RARE)
    return True


def apply_readings(texts: pa.Array, names: tuple[str, ...]) -> dict[str, ValueStats]:
    """Statistics by the readings that fit all texts. Tries a few texts first, since most readings fail there."""
    if not len(texts):
        return {}
    few = texts.slice(0, 32)
    first = texts[0].as_py()
    date_like, time_like = DATE_LIKE.match(first), TIME_LIKE.match(first)
    found: dict[str, ValueStats] = {}
    for name in names:
        reading = READINGS[name]
        number = found.get(NUMBER.name)
        if isinstance(reading.notation, WordedDate):
            if number is not None or not reading.notation.may_fit(first):
                continue
        elif reading.format and (number is not None or not (date_like if "%d" in reading.format else time_like)):
            continue
        if isinstance(reading.notation, Notation) and number is not None:
            if number.kind == "INTEGER" or reading.notation.decimal == ".":
                found[name] = number  # written alike
                continue
            if number.kind == "DOUBLE PRECISION" or reading.notation.group != "." or number.digits[1] != 3:
                continue
        elif isinstance(reading.notation, Notation | Relaxed) and not NUMBER_LIKE.match(first):
            continue
        if len(names) > 1 and reading.fit(few) is None:
            continue
        fit = _find_same(reading, found, texts) or reading.fit(texts)
        if fit is not None:
            found[name] = fit
    return found


def _find_same(reading: Reading, found: dict[str, ValueStats], texts: pa.Array) -> ValueStats | None:
    """Return the statistics of ISO 8601 if they are those of a format that reads the first of the texts.

    They are, if all texts have one length and a blank before the time: a pattern takes ten times as long.
    """
    iso = found.get(ISO_DATES) or found.get(ISO_TIMESTAMPS)
    if iso is None or reading.format is None or not reading.format.startswith("%Y-%m-%d") or reading.notation:
        return None
    starts, data = find_text_buffers(texts)
    length = int(starts[1])
    is_even = bool((np.diff(starts) == length).all())
    return iso if is_even and (length == 10 or (data[10::length] == ord(" ")).all()) else None


def read_values(name: str, texts: pa.Array) -> pa.Array | None:
    """Read texts that fit a reading as values."""
    fit = READINGS[name].fit(texts)
    return fit.values if fit is not None else None


def find_rival(best: str, names: Iterable[str]) -> Reading | None:
    """Among the readings of a column, one that puts day, month and year in another order than the best."""
    mine = READINGS[best].order
    return next((r for r in map(READINGS.__getitem__, names) if mine and r.order and r.order != mine), None)
