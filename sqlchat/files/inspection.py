"""Inspects one column of one block: types, readings that fit, bounds, counts and hashes of its values.

Texts that are read as numbers, dates or timestamps are hashed by value: that takes a third of the time, and 1.5 and
1.50 are one value. All other texts are hashed as written.
"""

from __future__ import annotations

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
from sqlchat.files.value_stats import NUMBER_KINDS, ValueStats

COMMON_VALUES = 256
"""Different values of a column up to which each is counted."""

SAMPLE = 2048
"""Values by which it is told whether a column repeats itself."""

MISSING = (
    *("na", "n/a", "n.a.", "n. a.", "#n/a", "#na", "<na>", "n/v", "nv", "#nv", "n.d.", "n/d", "nd", "k.a.", "k. a."),
    *("nan", "none", "null", "(null)", "nil", "missing"),
    *("-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "\u2026", "?", "??", "*", "**", "***", "\\n", "/", ":"),
    *("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "0000-00-00", "0000-00-00 00:00:00"),
    "",
)
"""Words and marks for no value, in lower case: nulls in a column of numbers, dates or truth values, else texts."""

MOST_STRAYS = 20
"""Different texts among numbers up to which they are told."""

GROUP = r"[.,'\x{2019} \x{A0}\x{202F}]"
NUMBER_LIKE = (
    rf"^[-(\x{{2212}}]?\s?(?:{CURRENCY})?\s?-?(?:(?:[1-9]\d{{0,2}}(?:{GROUP}\d{{3}})+|0|[1-9]\d{{0,17}})"
    rf"(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]\d+)?\s?(?:{CURRENCY}|%)?\)?-?$"
)
MARKED = r"\d[.,'\x{2019} \x{A0}\x{202F}%\p{Sc}]|\p{Sc}"
"""A number of more than digits."""
DATE_LIKE = r"^(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2}(?:\d\d)?|"
DATE_LIKE += r"(?:\pL{2,9}[.,]{1,2} )?\d{1,2}\.?[-/ .]\pL{3,9}\.?[-/ .]\d{2,4})(?:[ T:,].*)?$"
DURATION_LIKE = r"^\d{1,4}:[0-5]\d$"
ALIKE = {"numbers": NUMBER_LIKE, "dates": DATE_LIKE, "durations": DURATION_LIKE}

AS_WRITTEN = "as written"
"""How texts are compared that are not compared by what a reading made of them."""
INTEGERS = "integers"
"""How texts are compared that every notation of numbers reads alike."""


@dataclass(frozen=True)
class ColumnHint:
    """Facts of a column for the inspection of its next block. They may be a few blocks old.

    `readings` fitted all texts so far. `repeats`: equal values are many, count them first. `counted`: each value is
    still counted. `strays`: texts that are no numbers or dates may be few. `ceiling` and `size`: of the sketch.
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
    kinds: dict[str, ValueStats] = field(default_factory=dict)
    """Values that brought a type of their own."""
    texts: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    fits: dict[str, ValueStats] | None = None
    """Readings of the texts; None: there was no text but words for no value."""
    alike: dict[str, int] = field(default_factory=dict)
    """How many texts are like numbers, or like dates; empty: most are neither."""
    strays: Counter[str] | None = None
    """Texts that are neither, without words for no value; None: too many."""
    compared: str | None = None
    """How the texts were compared: AS_WRITTEN, INTEGERS or a reading's name; None: they were not."""
    bounds: tuple[str, str] | None = None
    """Of texts compared as written."""
    repeats: bool = False
    counts: Counter[Any] | None = None
    hashes: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    example: Any = None


def inspect(parts: tuple[Part, ...], hint: ColumnHint) -> BlockFacts:
    """Inspect the values of one column in one block."""
    found = BlockFacts(counts=Counter() if hint.counted else None)
    hashes = []
    for part in parts:
        array = part.array
        if not len(array):
            continue
        found.values += len(array)
        found.example = found.example if found.example is not None else python(array[0])
        weights = None
        if hint.repeats and (distinct := _count_distinct(array)) is not None:
            array, weights = distinct
            found.repeats = True
        if weights is None or len(array) > COMMON_VALUES or len(parts) > 1:
            found.counts = None
        elif found.counts is not None:
            found.counts = Counter(dict(zip(map(python, array), weights.to_pylist(), strict=True)))
        if part.inferred == "json":
            found.kinds["JSON"] = ValueStats(None, None)
            hashes.append(hash_texts(array, hint.ceiling))
        elif part.inferred is None:
            kind, fit = _inspect_typed(array, weights)
            found.kinds[kind] = fit
            hashes.append(_hash(array, hint.ceiling))
        else:
            found.texts += len(array)
            hashes.append(_read_texts(array, weights, part.inferred, hint, found))
    if hashes:
        found.hashes = least(np.concatenate(hashes), hint.size, hint.ceiling)
    return found


def python(scalar: pa.Scalar) -> Any:
    """A value as Python's; None for times past what Python counts (the year 9999)."""
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return None


def _is_uncountable(kind: pa.DataType) -> bool:
    """Does Arrow not count values of that type?"""
    return bool(pa.types.is_nested(kind) or pa.types.is_interval(kind) or pa.types.is_duration(kind))


def _count_distinct(array: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """The values without repetition and how often each is there, where that spares work; else None."""
    sample = array.slice(0, SAMPLE)
    if _is_uncountable(array.type) or pc.count_distinct(sample).as_py() > max(COMMON_VALUES, len(sample) // 2):
        return None
    counted = pc.value_counts(array)
    if len(counted) > max(COMMON_VALUES, len(array) // 4):
        return None
    return counted.field("values"), counted.field("counts")


def _inspect_typed(array: pa.Array, weights: pa.Array | None) -> tuple[str, ValueStats]:
    """Type and bounds of values that know their type; their sum too, for numbers."""
    kind = _find_type(array.type)
    if kind == "TEXT" and not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return kind, ValueStats(None, None)
    if pa.types.is_interval(array.type):
        return kind, ValueStats(None, None, marks=frozenset({"months"}))
    ordered = array.view(pa.int64()) if pa.types.is_duration(array.type) else array
    bounds = pc.min_max(ordered)
    least, most = (python(bounds[each].cast(array.type)) for each in ("min", "max"))
    digits = (array.type.precision - array.type.scale, array.type.scale) if kind == "NUMERIC" else (0, 0)
    total = _sum(array, weights) if kind in NUMBER_KINDS else None
    zoned = pa.types.is_timestamp(array.type) and array.type.tz not in {None, "UTC"}
    return kind, ValueStats(least, most, total, digits=digits, marks=frozenset({"zone"} if zoned else ()))


def _sum(numbers: pa.Array, weights: pa.Array | None) -> float:
    """Sum of numbers or of texts that are numbers, each as often as it is there."""
    floats = pc.cast(numbers, pa.float64(), safe=False)
    return float(pc.sum(floats if weights is None else pc.multiply(floats, pc.cast(weights, pa.float64()))).as_py())


def _read_texts(
    array: pa.Array, weights: pa.Array | None, inferred: str, hint: ColumnHint, found: BlockFacts
) -> Hashes:
    """Try the readings of the texts without outer blanks; where none fits, once more without words for no value."""
    names = tuple(n for n in hint.readings if inferred == "text" or hint.wanted or n in readings.OF_STRINGS)
    texts = pc.utf8_trim_whitespace(array) if has_outer_blanks(array) else array
    fits = readings.apply_readings(texts, names)
    if not fits and (names or inferred == "string"):
        words = pc.is_in(pc.utf8_lower(texts), pa.array(MISSING))
        if pc.any(words).as_py():
            spoken = texts.filter(words)
            times = weights.filter(words) if weights is not None else pa.array([1] * len(spoken))
            for word, count in zip(spoken.to_pylist(), times.to_pylist(), strict=True):
                found.missing[word] += count
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
        found.fits = {name: replace(fit, values=None) for name, fit in fits.items()}
        if hint.strays and not fits:
            _find_strays(texts, weights, found, few=inferred == "string")
        elif fits:
            found.alike = {"numbers" if number is not None else "dates": len(texts)}
            found.strays = Counter()
    by_value = next(
        (n for n, fit in fits.items() if fit.values is not None and not readings.READINGS[n].format), None
    )
    if by_value is None or inferred == "string":
        written = texts if len(texts) and fits and inferred == "text" else array
        bounds = pc.min_max(array)
        found.bounds = bounds["min"].as_py(), bounds["max"].as_py()
        found.compared = AS_WRITTEN
        return hash_texts(written, hint.ceiling)
    found.compared = INTEGERS if by_value == readings.NUMBER.name and fits[by_value].kind == "INTEGER" else by_value
    return _hash(fits[by_value].values, hint.ceiling)


def _weigh(name: str, fit: ValueStats, texts: pa.Array, weights: pa.Array) -> ValueStats:
    """A reading of numbers, each of which is there as often as its weight."""
    values = fit.values if fit.values is not None else readings.read_values(name, texts)
    return replace(fit, total=_sum(values, weights)) if fit.kind else fit


def _find_strays(texts: pa.Array, weights: pa.Array | None, found: BlockFacts, *, few: bool) -> None:
    """Where most texts are like numbers or like dates, count those and name the others.

    `few`: others are of a type already, so that these are the strays if they are few.
    """
    if few:
        marked = pc.any(pc.match_substring_regex(texts, MARKED)).as_py()
        if marked and pc.all(pc.match_substring_regex(texts, NUMBER_LIKE)).as_py():
            found.alike = {"texts of numbers": len(texts)}
    if few and len(texts) <= MOST_STRAYS:
        found.strays = Counter(texts.to_pylist())
        return
    times = weights if weights is not None else pa.array(np.ones(len(texts), np.int64))
    sample = texts.slice(0, SAMPLE)
    least = pc.sum(times.slice(0, SAMPLE)).as_py() / 2
    if _count(sample, times, r"\d") < least:  # the patterns below take milliseconds to compile
        return
    kind = next((k for k, p in ALIKE.items() if _count(sample, times, p) >= least), None)
    if kind is None:
        return
    like = pc.match_substring_regex(texts, ALIKE[kind])
    other = pc.invert(like)
    counted = Counter[str]()
    for text, count in zip(
        texts.filter(other).slice(0, SAMPLE).to_pylist(), times.filter(other).to_pylist(), strict=False
    ):
        counted[text] += count
    found.alike = {kind: int(pc.sum(times.filter(like)).as_py() or 0)}
    found.strays = counted if len(counted) <= MOST_STRAYS else None


def _count(texts: pa.Array, times: pa.Array, pattern: str) -> int:
    """How many of the texts match."""
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
