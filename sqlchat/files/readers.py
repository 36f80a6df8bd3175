"""Reads the texts of a column as values of one kind. A reader gives their statistics, or None if a text does not fit.

Readers take an Arrow string array with neither nulls nor outer blanks, not empty. A text does not fit if a round trip
through the type would change it, as with leading zeros. `readings` has a name for each reader.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.files import dates
from sqlchat.files.notations import Notation
from sqlchat.files.sketch import find_text_buffers
from sqlchat.files.value_stats import ValueStats, is_increasing
from sqlchat.files.worded_dates import WordedDate

UUID = r"(?i)^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$"

NUMERIC_DIGITS = 38
"""Digits of a decimal that the usual databases hold exactly."""

OFFSET = r"[+-](?:0[1-9]|1\d|00:?[1-9])[\d:]*$"
"""Offset of a time that is not in UTC."""

MINUS_SIGN = "(?P<sign>-?)"
ISO_DURATION = (
    rf"^{MINUS_SIGN}P(?:(?P<d>\d{{1,6}})D)?T(?:(?P<h>\d{{1,6}})H)?(?:(?P<m>\d{{1,6}})M)?"
    r"(?:(?P<s>\d{1,6}(?:\.\d{1,6})?)S)?$"
)

COMPACT = "%Y%m%d"
"""Format of days that are numbers unless the caller names the type."""

TextReader = Callable[[pa.Array], ValueStats | None]


class Relaxed:
    """Numbers if the caller names the type: with leading zeros, a plus sign or any exponent."""

    def plain(self, texts: pa.Array) -> tuple[pa.Array, frozenset[str]] | None:
        """Return the numbers as SQL writes them, and no marks; other texts stay unchanged."""
        return pc.replace_substring_regex(
            pc.replace_substring_regex(texts, r"^\+", ""), r"^(-?)0+(\d)", r"\1\2"
        ), frozenset()


def read_booleans(texts: pa.Array) -> ValueStats | None:
    if len(texts[0].as_py()) > len("false"):
        return None
    lower = pc.ascii_lower(texts)
    words = pc.unique(lower).to_pylist()
    return ValueStats(min(words), max(words), values=lower) if set(words) <= {"true", "false"} else None


def drop_plus_of_infinity(texts: pa.Array) -> pa.Array:
    """Drop the plus sign of infinities, as Prometheus writes them: `+Inf`."""
    has_plus = (find_text_buffers(texts)[1] == ord("+")).any()
    return pc.replace_substring_regex(texts, r"^\+([iI])", r"\1") if has_plus else texts


def read_numbers(texts: pa.Array) -> ValueStats | None:
    texts = drop_plus_of_infinity(texts)
    starts, data = find_text_buffers(texts)
    longest = int(np.diff(starts).max())
    lettered = np.flatnonzero(data > ord("9"))
    letters = bool(len(lettered))
    if _has_padded(starts, data) or (letters and _has_codes(texts, starts, lettered)):
        return None
    points = np.flatnonzero(data == ord("."))  # Arrow makes an error of every text that it cannot cast
    if not letters and not len(points) and longest < 20:
        numbers = _cast(texts, pa.int64())
        if numbers is not None:
            least, most = find_number_bounds(numbers)
            total = float(pc.mean(numbers).as_py()) * len(texts)
            return ValueStats(
                least, most, total, "INTEGER", values=numbers, is_increasing=is_increasing(numbers.to_numpy())
            )
    floats = _cast(texts, pa.float64())
    if floats is None:
        return None
    least, most = find_number_bounds(floats)
    if math.isnan(least):
        return None
    infinite = 0 if math.isfinite(least) and math.isfinite(most) else pc.sum(pc.is_inf(floats)).as_py()
    total = math.inf if infinite else pc.sum(floats).as_py()
    if letters:
        marks = frozenset({"fraction"} if len(points) or not infinite else ())
        return ValueStats(least, most, total, "DOUBLE PRECISION", values=floats, infinite=infinite, marks=marks)
    # a digit string past 18 digits is a code, no number; a decimal may have as many as a NUMERIC holds
    has_codes = longest > 18 and pc.any(pc.match_substring_regex(texts, r"^[^.]{19,}$")).as_py()
    if has_codes or longest > NUMERIC_DIGITS + 2:
        return None
    return ValueStats(least, most, total, "NUMERIC", (0, _find_scale(starts, points)), floats)


def _has_padded(starts: Any, data: Any) -> bool:
    """Has a text a plus sign in front, or a zero before a digit, which a number would lose?"""
    firsts = data[starts[:-1]]
    if (firsts == ord("+")).any():
        return True
    begins = np.concatenate((starts[:-1][firsts == ord("0")], starts[:-1][firsts == ord("-")] + 1))
    begins = begins[begins < starts[-1]]  # a last `-` has nothing behind it
    ends = np.searchsorted(starts, begins, "right")
    begins = begins[begins + 1 < starts[ends]]
    seconds = data[begins + 1]
    return bool(((data[begins] == ord("0")) & (seconds >= ord("0")) & (seconds <= ord("9"))).any())


def _has_codes(texts: pa.Array, starts: Any, lettered: Any) -> bool:
    """Is a text a code such as 1E5? Programs write a sign or a point into numbers with exponents."""
    rows = np.unique(np.searchsorted(starts, lettered, "right") - 1)
    return bool(pc.any(pc.match_substring_regex(texts.take(pa.array(rows)), r"^-?\d+[eE]\d+$")).as_py())


def make_notation_reader(notation: Notation | Relaxed) -> TextReader:
    def fit(texts: pa.Array) -> ValueStats | None:
        found = notation.plain(texts)
        number = read_numbers(found[0]) if found is not None else None
        return replace(number, marks=found[1]) if found is not None and number is not None else None

    return fit


def find_number_bounds(numbers: pa.Array) -> tuple[Any, Any]:
    """Return the least and the greatest number; NaN for both if one is NaN."""
    values = numbers.to_numpy()  # NumPy is five times as fast as Arrow here
    return values.min().item(), values.max().item()


def _find_scale(starts: Any, points: Any) -> int:
    """Return the most digits after a point, in numbers of digits, signs and points only."""
    if not len(points):
        return 0
    ends = starts[1:] if len(points) == len(starts) - 1 else starts[np.searchsorted(starts, points, "right")]
    return int((ends - points).max()) - 1


def read_iso_dates(texts: pa.Array) -> ValueStats | None:
    return _fit_moments(_cast(texts, pa.date32()) if len(texts[0].as_py()) == 10 else None)


def read_iso_timestamps(texts: pa.Array) -> ValueStats | None:
    if pc.min(pc.binary_length(texts)).as_py() < len("2024-01-01 10:00"):
        return None
    read = _cast(texts, pa.timestamp("us"))
    return _fit_moments(read if read is not None else _cast(texts, pa.timestamp("ns")))


def read_zoned(texts: pa.Array) -> ValueStats | None:
    read = dates.read_zoned(texts)
    fit = _fit_moments(read)
    if fit is None:
        return None
    offset = bool(pc.any(pc.match_substring_regex(texts, OFFSET)).as_py())
    return replace(fit, marks=frozenset({"offset"} if offset else ()))


def read_times(texts: pa.Array) -> ValueStats | None:
    if not pc.all(pc.match_substring_regex(texts, r"^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$")).as_py():
        return None
    moments = _cast(pc.binary_join_element_wise("1970-01-01", texts, " "), pa.timestamp("us"))
    if moments is None:
        return None
    bounds = pc.min_max(texts)
    return ValueStats(bounds["min"].as_py(), bounds["max"].as_py(), values=moments)


def read_durations(texts: pa.Array) -> ValueStats | None:
    """Read `112:00:05`, `-0:30:00.5`, `PT1H30M`, `P1DT2H`."""
    found = _read_spans(texts, rf"^{MINUS_SIGN}(?P<h>\d{{1,6}}):(?P<m>[0-5]\d):(?P<s>[0-5]\d(?:\.\d{{1,6}})?)$")
    return found or _read_spans(texts, ISO_DURATION)


def read_hours(texts: pa.Array) -> ValueStats | None:
    """Read `25:30` as hours and minutes."""
    return _read_spans(texts, rf"^{MINUS_SIGN}(?P<h>\d{{1,6}}):(?P<m>[0-5]\d)$")


def _read_spans(texts: pa.Array, pattern: str) -> ValueStats | None:
    """Read durations by a pattern with groups for days, hours, minutes and seconds."""
    found = pc.extract_regex(texts, pattern)
    if found.null_count:
        return None
    micros: Any = np.zeros(len(texts), np.int64)
    for field, unit in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        if found.type.get_field_index(field) >= 0:
            numbers = found.field(field)
            numbers = pc.if_else(pc.equal(numbers, ""), "0", numbers).cast(pa.float64()).to_numpy()
            micros = micros + np.round(numbers * unit * 1e6).astype(np.int64)
    signs = np.where(pc.equal(found.field("sign"), "-").to_numpy(zero_copy_only=False), -1, 1)
    spans = pa.array(micros * signs).cast(pa.duration("us"))
    least, most = (timedelta(microseconds=each) for each in find_number_bounds(spans.cast(pa.int64())))
    return ValueStats(least, most, values=spans)


def read_uuids(texts: pa.Array) -> ValueStats | None:
    if not pc.all(pc.match_substring_regex(texts, UUID)).as_py():
        return None
    bounds = pc.min_max(texts)
    return ValueStats(bounds["min"].as_py(), bounds["max"].as_py())


def read_json(texts: pa.Array) -> ValueStats | None:
    """Read objects and arrays; a bare number or word is no JSON here."""
    if texts[0].as_py().lstrip()[:1] not in ("[", "{"):
        return None
    if not pc.all(pc.match_substring_regex(texts, r"^\s*[\[{]")).as_py():
        return None
    try:
        for text in texts.to_pylist():
            orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return ValueStats(None, None)


def make_format_reader(format: str, notation: WordedDate | None = None) -> TextReader:
    def fit(texts: pa.Array) -> ValueStats | None:
        if notation is not None:
            plain = notation.plain(texts)
            if plain is None:
                return None
            texts = plain[0]
        if format == COMPACT and not pc.all(pc.equal(pc.binary_length(texts), 8)).as_py():
            return None
        found = dates.read(texts, format)
        if found is None:
            return None
        least, most = find_number_bounds(found[0].view(pa.int64()))
        first, last = (datetime(1970, 1, 1) + timedelta(microseconds=moment) for moment in (least, most))
        bounds: Any = (first, last)
        if "%d" not in format:
            bounds = first.time(), last.time()
        elif "%M" not in format:
            bounds = first.date(), last.date()
        marks = frozenset({"cut"} if found[1] else ())
        return ValueStats(bounds[0].isoformat(), bounds[1].isoformat(), values=found[0], marks=marks)

    return fit


def _fit_moments(read: pa.Array | None) -> ValueStats | None:
    if read is None:
        return None
    bounds = pc.min_max(read)
    return ValueStats(bounds["min"].as_py().isoformat(), bounds["max"].as_py().isoformat(), values=read)


def _cast(texts: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(texts, kind)
    except pa.ArrowInvalid:
        return None
