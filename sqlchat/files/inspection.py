"""Inspects one column of one block: types, fitting readings, bounds, counts and hashes of its values.

Texts that are read as numbers, dates or timestamps are hashed by value: that takes a third of the time, and 1.5 and
1.50 are one value. All other texts are hashed as written.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.files import readings
from sqlchat.files.formats import Part
from sqlchat.files.notations import CURRENCY
from sqlchat.files.sketch import Hashes, has_outer_blanks, hash_moments, hash_reals, hash_texts, least
from sqlchat.files.value_stats import NUMBER_KINDS, ValueStats, is_increasing

COMMON_VALUES = 256
"""Each value is counted if a column has no more different ones."""

SAMPLE = 2048
"""Values that show if a column repeats its values or is like numbers or dates."""

MISSING = (
    *("na", "n/a", "n.a.", "n. a.", "#n/a", "#na", "<na>", "n/v", "nv", "#nv", "n.d.", "n/d", "nd", "k.a.", "k. a."),
    *("nan", "none", "null", "(null)", "nil", "missing"),
    *("-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "\u2026", "?", "??", "*", "**", "***", "\\n", "/", ":"),
    *("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "0000-00-00", "0000-00-00 00:00:00"),
    "",
)
"""Words and marks for no value, in lower case: nulls in a column of numbers, dates or truth values, else texts."""

MOST_STRAYS = 20
"""Different texts among numbers that a warning may name."""

GROUP = r"[.,'\x{2019} \x{A0}\x{202F}]"
NUMBER_LIKE = (
    rf"^[-(\x{{2212}}]?\s?(?:{CURRENCY})?\s?-?(?:(?:[1-9]\d{{0,2}}(?:{GROUP}\d{{3}})+|0|[1-9]\d{{0,17}})"
    rf"(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]\d+)?\s?(?:{CURRENCY}|%)?\)?-?$"
)
MARKED = r"\d[.,'\x{2019} \x{A0}\x{202F}%\p{Sc}]|\p{Sc}"
"""A number with more than digits."""
DATE_LIKE = r"^(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2}(?:\d\d)?|"
DATE_LIKE += r"(?:\pL{2,9}[.,]{1,2} )?\d{1,2}\.?[-/ .]\pL{3,9}\.?[-/ .]\d{2,4})(?:[ T:,].*)?$"
DURATION_LIKE = r"^\d{1,4}:[0-5]\d$"
ALIKE = {"numbers": NUMBER_LIKE, "dates": DATE_LIKE, "durations": DURATION_LIKE}

AS_WRITTEN = "as written"
"""Texts are compared as texts, not by the values of a reading."""
INTEGERS = "integers"
"""Texts are compared as integers, which every notation of numbers reads alike."""


@dataclass(frozen=True)
class ColumnHint:
    """Facts of a column for the inspection of its next block. They may be a few blocks old.

    `readings` fitted all texts so far. `repeats`: many values are equal, so they are counted first. `counted`: each
    value is still counted. `strays`: few texts so far are no numbers or dates. `ceiling` and `size` are the sketch's.
    `wanted`: the caller named the type.
    """

    readings: tuple[str, ...]
    repeats: bool
    counted: bool
    strays: bool
    ceiling: np.uint64
    size: int
    wanted: bool = False


@dataclass
class BlockFacts:
    """Facts of one column in one block."""

    values: int = 0
    nan: int = 0
    kinds: dict[str, ValueStats] = field(default_factory=dict)
    """SQL type -> statistics of the values whose type the file gives."""
    texts: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    fits: dict[str, ValueStats] | None = None
    """Reading -> statistics of the texts; None if all texts are words for no value."""
    alike: dict[str, int] = field(default_factory=dict)
    """Kind -> number of texts like numbers, dates or durations; empty if most are none of these."""
    strays: Counter[str] | None = None
    """Texts of no such kind, without words for no value; None if they are too many."""
    compared: str | None = None
    """How the texts were compared: AS_WRITTEN, INTEGERS, a reading's name, or None if there are none."""
    bounds: tuple[str, str] | None = None
    """Of texts compared as written."""
    repeats: bool = False
    counts: Counter[Any] | None = None
    hashes: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    example: Any = None


def inspect_parts(parts: tuple[Part, ...], hint: ColumnHint) -> BlockFacts:
    """Inspect the values of one column in one block."""
    facts = BlockFacts(counts=Counter() if hint.counted else None)
    hashes = []
    for part in parts:
        array = part.array
        facts.nan += part.nan
        if not len(array):
            continue
        facts.values += len(array)
        if facts.example is None:
            facts.example = convert_to_python(array[0])
        weights = None
        if hint.repeats and (distinct := _count_distinct(array)) is not None:
            array, weights = distinct
            facts.repeats = True
        if weights is None or len(array) > COMMON_VALUES or len(parts) > 1:
            facts.counts = None
        elif facts.counts is not None:
            facts.counts = Counter(dict(zip(map(convert_to_python, array), weights.to_pylist(), strict=True)))
        if part.inferred == "json":
            facts.kinds["JSON"] = ValueStats(None, None)
            hashes.append(hash_texts(array, hint.ceiling))
        elif part.inferred is None:
            kind, fit = _inspect_typed(array, weights)
            facts.kinds[kind] = fit
            hashes.append(_hash(array, hint.ceiling))
        else:
            facts.texts += len(array)
            hashes.append(_read_texts(array, weights, part.inferred, hint, facts))
    if hashes:
        facts.hashes = least(np.concatenate(hashes), hint.size, hint.ceiling)
    return facts


def convert_to_python(scalar: pa.Scalar) -> Any:
    """Convert a value to Python's; None for times after the year 9999, which Python lacks."""
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return None


def _count_distinct(array: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Return the different values and the count of each if there are few; else None."""
    sample, kind = array.slice(0, SAMPLE), array.type
    if pa.types.is_nested(kind) or pa.types.is_interval(kind) or pa.types.is_duration(kind):
        return None  # Arrow cannot count these
    if pc.count_distinct(sample).as_py() > max(COMMON_VALUES, len(sample) // 2):
        return None
    counts = pc.value_counts(array)
    if len(counts) > max(COMMON_VALUES, len(array) // 4):
        return None
    return counts.field("values"), counts.field("counts")


def _inspect_typed(array: pa.Array, weights: pa.Array | None) -> tuple[str, ValueStats]:
    """Return SQL type and bounds of values whose type the file gives, and the sum of numbers."""
    kind = _find_type(array.type)
    if kind == "TEXT" and not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return kind, ValueStats(None, None)
    if pa.types.is_interval(array.type):
        return kind, ValueStats(None, None, marks=frozenset({"months"}))
    ordered = array.view(pa.int64()) if pa.types.is_duration(array.type) else array
    bounds = pc.min_max(ordered)
    least, most = (convert_to_python(bounds[end].cast(array.type)) for end in ("min", "max"))
    digits = (array.type.precision - array.type.scale, array.type.scale) if kind == "NUMERIC" else (0, 0)
    total = _sum(array, weights) if kind in NUMBER_KINDS else None
    has_zone = pa.types.is_timestamp(array.type) and array.type.tz not in {None, "UTC"}
    increases = kind == "INTEGER" and weights is None and is_increasing(array.to_numpy())
    infinite = _count_infinite(array, weights) if kind == "DOUBLE PRECISION" else 0
    marks = frozenset({"zone"} if has_zone else ())
    return kind, ValueStats(
        least, most, total, digits=digits, is_increasing=increases, infinite=infinite, marks=marks
    )


def _count_infinite(numbers: pa.Array, weights: pa.Array | None) -> int:
    is_infinite = pc.is_inf(numbers)
    return int(pc.sum(is_infinite if weights is None else weights.filter(is_infinite)).as_py() or 0)


def _sum(numbers: pa.Array, weights: pa.Array | None) -> float:
    """Return the weighted sum of numbers or of texts that are numbers."""
    floats = pc.cast(numbers, pa.float64(), safe=False)
    return float(pc.sum(floats if weights is None else pc.multiply(floats, pc.cast(weights, pa.float64()))).as_py())


def _read_texts(
    array: pa.Array, weights: pa.Array | None, inferred: str, hint: ColumnHint, facts: BlockFacts
) -> Hashes:
    """Add facts of texts, and return their hashes. If no reading fits, words for no value are left out."""
    names = tuple(n for n in hint.readings if inferred == "text" or hint.wanted or n in readings.OF_STRINGS)
    texts = pc.utf8_trim_whitespace(array) if has_outer_blanks(array) else array  # whatever type was inferred
    fits = readings.apply_readings(texts, names)
    if not fits and (names or inferred == "string"):
        words = pc.is_in(pc.utf8_lower(texts), pa.array(MISSING))
        if pc.any(words).as_py():
            missing = texts.filter(words)
            counts = weights.filter(words) if weights is not None else pa.array([1] * len(missing))
            for word, count in zip(missing.to_pylist(), counts.to_pylist(), strict=True):
                facts.missing[word] += count
            texts = texts.filter(pc.invert(words))
            weights = weights.filter(pc.invert(words)) if weights is not None else None
            if not len(texts) and inferred == "text":
                return np.empty(0, np.uint64)
        if len(texts):
            fits = readings.apply_readings(texts, names)
    number = next((fit for fit in fits.values() if fit.kind), None)
    if number is not None and weights is not None:
        fits = {name: _weigh(name, fit, texts, weights) for name, fit in fits.items()}
    if len(texts):
        facts.fits = {name: replace(fit, values=None) for name, fit in fits.items()}
        if hint.strays and not fits:
            _find_strays(texts, weights, facts, few=inferred == "string")
        elif fits:
            facts.alike = {"numbers" if number is not None else "dates": len(texts)}
            facts.strays = Counter()
    by_value = next(
        (n for n, fit in fits.items() if fit.values is not None and not readings.READINGS[n].format), None
    )
    if by_value is None or inferred == "string":
        written = texts if len(texts) and fits and inferred == "text" else array
        bounds = pc.min_max(array)
        facts.bounds = bounds["min"].as_py(), bounds["max"].as_py()
        facts.compared = AS_WRITTEN
        return hash_texts(written, hint.ceiling)
    facts.compared = INTEGERS if by_value == readings.NUMBER.name and fits[by_value].kind == "INTEGER" else by_value
    return _hash(fits[by_value].values, hint.ceiling)


def _weigh(name: str, fit: ValueStats, texts: pa.Array, weights: pa.Array) -> ValueStats:
    """Return the statistics with the weighted sum, if the reading is of numbers."""
    values = fit.values if fit.values is not None else readings.read_values(name, texts)
    if not fit.kind:
        return fit
    infinite = _count_infinite(values, weights) if fit.infinite else 0
    total = math.inf if infinite else _sum(values, weights)
    return replace(fit, total=total, is_increasing=False, infinite=infinite)


def _find_strays(texts: pa.Array, weights: pa.Array | None, facts: BlockFacts, *, few: bool) -> None:
    """Count the texts like numbers, dates or durations if most are of one kind, and keep the others as strays.

    `few`: other values of the column have types, so all texts are strays if they are few.
    """
    if few:
        has_marks = pc.any(pc.match_substring_regex(texts, MARKED)).as_py()
        if has_marks and pc.all(pc.match_substring_regex(texts, NUMBER_LIKE)).as_py():
            facts.alike = {"texts of numbers": len(texts)}
    if few and len(texts) <= MOST_STRAYS:
        facts.strays = Counter(texts.to_pylist())
        return
    times = weights if weights is not None else pa.array(np.ones(len(texts), np.int64))
    sample = texts.slice(0, SAMPLE)
    least = pc.sum(times.slice(0, SAMPLE)).as_py() / 2
    if _count(sample, times, r"\d") < least:  # the patterns below take milliseconds to compile
        return
    kind = next((k for k, p in ALIKE.items() if _count(sample, times, p) >= least), None)
    if kind is None:
        return
    is_alike = pc.match_substring_regex(texts, ALIKE[kind])
    is_stray = pc.invert(is_alike)
    strays = Counter[str]()
    stray_texts, stray_times = texts.filter(is_stray).slice(0, SAMPLE), times.filter(is_stray)
    for text, count in zip(stray_texts.to_pylist(), stray_times.to_pylist(), strict=False):
        strays[text] += count
    facts.alike = {kind: int(pc.sum(times.filter(is_alike)).as_py() or 0)}
    facts.strays = strays if len(strays) <= MOST_STRAYS else None


def _count(texts: pa.Array, times: pa.Array, pattern: str) -> int:
    """Count the texts that match, each as often as `times` says."""
    return int(pc.sum(times.slice(0, len(texts)).filter(pc.match_substring_regex(texts, pattern))).as_py() or 0)


def _hash(array: pa.Array, ceiling: np.uint64) -> Hashes:
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return hash_texts(array, ceiling)
    if pa.types.is_boolean(kind):
        return hash_reals(array.cast(pa.int8()), ceiling)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return hash_reals(array, ceiling)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return hash_moments(array, ceiling)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        texts = pc.binary_join_element_wise(array.cast(pa.binary()), b"", b"").view(pa.string())
        return hash_texts(texts, ceiling)
    if pa.types.is_duration(kind):
        return hash_reals(array.cast(pa.int64()), ceiling)
    if pa.types.is_interval(kind):
        return hash_texts(pa.array(map(str, array.to_pylist()), pa.string()), ceiling)
    return hash_texts(array.cast(pa.string()), ceiling)


def _find_type(kind: pa.DataType) -> str:
    """Return the SQL type for an Arrow type."""
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
