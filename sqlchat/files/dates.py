"""Reads dates and times of one format, all texts at once.

A format is strptime's: the directives in `READERS`, blanks and other ASCII characters. It reads what Python's
strptime reads, and nanoseconds and `a.m.` too, but no seconds past 59.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.files.sketch import STRETCH, text_buffers

MOST_BLANKS = 8
"""Where a format has one."""

DAY = 86_400_000_000
"""In microseconds, as are the two below."""
HOUR, MINUTE = DAY // 24, DAY // 1440

PIVOT = 69
"""The first two-digit year of the last century."""

SHORTEST_MONTH = 28
"""In days."""

Numbers = npt.NDArray[np.int64]


class _MisfitError(Exception):
    """A text does not fit."""


class _Texts:
    """Texts that are read from left to right, all at once."""

    def __init__(self, data: npt.NDArray[np.uint8], starts: Numbers) -> None:
        """`data` has some bytes more than the last text."""
        self.at, self._ends, self._data = starts[:-1], starts[1:], data

    def byte(self, ahead: int = 0) -> npt.NDArray[np.uint8]:
        return self._data[self.at + ahead]

    def number(self, least: int, most: int) -> tuple[Numbers, Numbers]:
        """The numbers that come next, and how many digits each has, from `least` to `most`."""
        value = count = np.zeros(len(self.at), np.int64)
        for place in range(most):
            digit = self.byte() - np.uint8(ord("0"))  # a byte before "0" wraps round to a large one
            there = (digit <= 9) & (self.at < self._ends)
            if place < least:
                self.expect(there)
                value = value * 10 + digit
            else:
                there &= count == place
                value = np.where(there, value * 10 + digit, value)
            count = count + there
            self.at = self.at + there
        return value, count

    def skip(self, byte: int) -> None:
        """One such byte; of blanks some more."""
        self.expect(self.skip_any(byte))
        if byte == ord(" "):
            for _ in range(MOST_BLANKS - 1):
                if not self.skip_any(byte).any():
                    break

    def skip_any(self, byte: int) -> npt.NDArray[np.bool_]:
        """One such byte where it comes next; tells where."""
        there: npt.NDArray[np.bool_] = (self.byte() == byte) & (self.at < self._ends)
        self.at = self.at + there
        return there

    def end(self) -> None:
        self.expect(self.at == self._ends)

    @staticmethod
    def expect(fits: npt.NDArray[np.bool_]) -> None:
        if not fits.all():
            raise _MisfitError


def _between(least: int, most: int, digits: tuple[int, int] = (1, 2)) -> Callable[[_Texts], Numbers]:
    def number(texts: _Texts) -> Numbers:
        value, _ = texts.number(*digits)
        texts.expect((value >= least) & (value <= most))
        return value

    return number


def _fraction(texts: _Texts) -> Numbers:
    """Nanoseconds."""
    value, count = texts.number(1, 9)
    scaled: Numbers = value * 10 ** (9 - count)
    return scaled


def _half(texts: _Texts) -> Numbers:
    """Of the day, `am`, `PM` or `a.m.`: 0 or 1."""
    letter = texts.byte() | 0x20
    texts.expect((letter == ord("a")) | (letter == ord("p")))
    texts.at = texts.at + 1
    texts.skip_any(ord("."))
    texts.expect(texts.byte() | 0x20 == ord("m"))
    texts.at = texts.at + 1
    texts.skip_any(ord("."))
    afternoon: Numbers = (letter == ord("p")).astype(np.int64)
    return afternoon


def _short_year(texts: _Texts) -> Numbers:
    """As POSIX has it: 69 to 99 are of the last century."""
    value, _ = texts.number(2, 2)
    return value + np.where(value < PIVOT, 2000, 1900)


READERS: dict[str, Callable[[_Texts], Numbers]] = {
    "%Y": _between(1, 9999, (4, 4)),
    "%y": _short_year,
    "%m": _between(1, 12),
    "%d": _between(1, 31),
    "%H": _between(0, 23),
    "%I": _between(1, 12),
    "%M": _between(0, 59),
    "%S": _between(0, 59),
    "%f": _fraction,
    "%p": _half,
}


def read(texts: pa.Array, format: str) -> tuple[pa.Array, bool] | None:
    """Timestamps in microseconds, and whether one was cut to those; None where a text does not fit.

    `texts` is an Arrow string array without nulls.
    """
    starts, data = text_buffers(texts)
    padded = np.concatenate((data, np.zeros(16, np.uint8)))
    parts = re.findall(r"%\w|[^%]", format)
    found, cut = np.empty(len(texts), np.int64), False
    try:
        for begin in range(0, len(texts), STRETCH):
            stretch = _Texts(padded, starts[begin : begin + STRETCH + 1])
            fields: dict[str, Any] = {}
            for part in parts:
                if part in READERS:
                    fields["%Y" if part == "%y" else part] = READERS[part](stretch)
                else:
                    stretch.skip(ord(part))
            stretch.end()
            found[begin : begin + STRETCH] = _moments(fields)
            cut = cut or bool((fields.get("%f", np.int64(0)) % 1000).any())
    except _MisfitError:
        return None
    return pa.array(found).cast(pa.timestamp("us")), cut


UTC_WORD = r"\s?(?:UTC|GMT|[zZ])$"
OFFSET_ASIDE = r"\s([+-]\d\d)"


def read_zoned(texts: pa.Array) -> pa.Array | None:
    """Timestamps in UTC, in micro- or nanoseconds, of ISO 8601 texts with a zone; None where one has none.

    `UTC` or `GMT` may stand for Z, and a blank before the zone.
    """
    texts = pc.replace_substring_regex(pc.replace_substring_regex(texts, UTC_WORD, "Z"), OFFSET_ASIDE, r"\1")
    for unit in ("us", "ns"):
        try:
            return pc.cast(texts, pa.timestamp(unit, "UTC"))
        except pa.ArrowInvalid:
            continue
    return None


def _moments(fields: dict[str, Any]) -> Numbers:
    """Microseconds since 1970, or since midnight where there is no date."""
    hours = fields["%I"] % 12 + 12 * fields["%p"] if "%I" in fields else fields.get("%H", 0)
    seconds = fields.get("%S", 0) * 1_000_000 + fields.get("%f", np.int64(0)) // 1000
    clock: Numbers = hours * HOUR + fields.get("%M", 0) * MINUTE + seconds
    if "%Y" not in fields:
        return clock
    months = ((fields["%Y"] - 1970) * 12 + fields["%m"] - 1).view("datetime64[M]")
    days: Numbers = months.astype("datetime64[D]").view(np.int64) + fields["%d"] - 1
    late = fields["%d"] > SHORTEST_MONTH
    if late.any():
        _Texts.expect(days[late] < (months[late] + 1).astype("datetime64[D]").view(np.int64))
    return days * DAY + clock
