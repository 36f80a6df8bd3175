"""Reads dates and times of one format, all texts at once.

A format is strptime's: the directives in `FIELDS`, blanks and other ASCII characters. It reads what Python's
strptime reads, and nanoseconds and `a.m.` too, but no seconds past 59.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

DAY = 86_400_000_000
"""In microseconds, as are the two below."""
HOUR, MINUTE = DAY // 24, DAY // 1440

PIVOT = 69
"""The first two-digit year of the last century, as POSIX has it."""

FIELDS = {
    "%Y": r"(?P<year>\d{4})",
    "%y": r"(?P<short_year>\d{2})",
    "%m": r"(?P<month>0?[1-9]|1[0-2])",
    "%d": r"(?P<day>0?[1-9]|[12]\d|3[01])",
    "%H": r"(?P<hour>[01]?\d|2[0-3])",
    "%I": r"(?P<half_hour>0?[1-9]|1[0-2])",
    "%M": r"(?P<minute>[0-5]?\d)",
    "%S": r"(?P<second>[0-5]?\d)",
    "%f": r"(?P<fraction>\d{1,9})",
    "%p": r"(?P<half>[aApP])\.?[mM]\.?",
    " ": " {1,8}",
}
"""Part of a format -> the pattern of its texts."""

Numbers = npt.NDArray[np.int64]


def read(texts: pa.Array, format: str) -> tuple[pa.Array, bool] | None:
    """Read timestamps in microseconds; say if one was cut to those. Returns None if a text does not fit.

    `texts` is an Arrow string array without nulls.
    """
    parts = re.findall(r"%\w|[^%]", format)
    found = pc.extract_regex(texts, f"^{''.join(FIELDS.get(part) or re.escape(part) for part in parts)}$")
    if found.null_count:
        return None
    fields = {each.name: found.field(each.name) for each in found.type}
    nanoseconds, cut = np.zeros(len(texts), np.int64), False
    if "fraction" in fields:
        nanoseconds = _to_numbers(pc.utf8_rpad(fields.pop("fraction"), 9, "0"))
        cut = bool((nanoseconds % 1000).any())
    if "half" in fields:
        fields["half"] = pc.is_in(fields["half"], pa.array(["p", "P"])).cast(pa.int8())
    moments = _to_moments({name: _to_numbers(each) for name, each in fields.items()})
    return None if moments is None else (pa.array(moments + nanoseconds // 1000).cast(pa.timestamp("us")), cut)


def _to_numbers(texts: pa.Array) -> Numbers:
    numbers: Numbers = texts.cast(pa.int64()).to_numpy()
    return numbers


def _to_moments(fields: dict[str, Any]) -> Numbers | None:
    """Return microseconds since 1970, or since midnight without a date; None if a month has no such day."""
    hours = fields["half_hour"] % 12 + 12 * fields["half"] if "half" in fields else fields.get("hour", 0)
    clock = hours * HOUR + fields.get("minute", 0) * MINUTE + fields.get("second", 0) * 1_000_000
    if "day" not in fields:
        return np.asarray(clock, np.int64)
    years = fields.get("year")
    if years is None:
        years = fields["short_year"] + np.where(fields["short_year"] < PIVOT, 2000, 1900)
    months = ((years - 1970) * 12 + fields["month"] - 1).view("datetime64[M]")
    days = months.astype("datetime64[D]").view(np.int64) + fields["day"] - 1
    is_real = (years > 0) & (days < (months + 1).astype("datetime64[D]").view(np.int64))
    return np.asarray(days * DAY + clock, np.int64) if is_real.all() else None


UTC_WORD = r"\s?(?:UTC|GMT|[zZ])$"
OFFSET_ASIDE = r"\s([+-]\d\d)"


def read_zoned(texts: pa.Array) -> pa.Array | None:
    """Read ISO 8601 texts with a zone as timestamps in UTC, in micro- or nanoseconds; None if one has no zone.

    `UTC` or `GMT` may stand for Z, and a blank before the zone.
    """
    texts = pc.replace_substring_regex(pc.replace_substring_regex(texts, UTC_WORD, "Z"), OFFSET_ASIDE, r"\1")
    for unit in ("us", "ns"):
        try:
            return pc.cast(texts, pa.timestamp(unit, "UTC"))
        except pa.ArrowInvalid:
            continue
    return None
