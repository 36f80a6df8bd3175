"""What one column holds, block by block: nulls, type, bounds, distinct and common values. Used by `profile`.

`inspect` looks at a column's part of one block, in any thread; `Column.add` merges what it found, in one thread and
in the file's order. Memory is bounded by the sketch and the counts, whatever the number of rows.
"""

from __future__ import annotations

import datetime
import decimal
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.files import types
from sqlchat.files.formats import Part
from sqlchat.files.sketch import Hashes, Sketch, hash_numbers, hash_texts
from sqlchat.files.types import Fit

COMMON_VALUES = 256
"""Different values of a column up to which each is counted."""

SAMPLE = 2048
"""Values by which it is told whether a column repeats itself."""

TOP = 5
SHOWN_CHARACTERS = 200
"""Of a text in a profile."""

MISSING = frozenset({"NA", "N/A", "n/a", "#N/A", "NaN", "nan", "None", "none", "null", "NULL", "Null", "-"})
"""Words for no value: nulls among numbers, words anywhere else."""

RANK = ("INTEGER", "NUMERIC", "DOUBLE PRECISION")


@dataclass(frozen=True)
class Hint:
    """What a thread needs to know of a column to inspect its next block; it may be a few blocks old."""

    readings: tuple[str, ...]
    """That fitted all texts so far."""
    counted: bool
    """Are values still counted?"""
    ceiling: np.uint64
    """Of the sketch."""


@dataclass
class Found:
    """One column's part of one block."""

    values: int = 0
    kinds: dict[str, Fit] = field(default_factory=dict)
    """Values that brought a type of their own."""
    texts: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    fits: dict[str, Fit] | None = None
    """Readings of the texts; None: there was no text but words for no value."""
    bounds: tuple[str, str] | None = None
    counts: Counter[Any] | None = None
    hashes: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    example: Any = None


def inspect(parts: tuple[Part, ...], hint: Hint, sketch: Sketch) -> Found:
    """Look at the values of one block. Reads `sketch` only for its size."""
    found = Found(counts=Counter() if hint.counted else None)
    hashes = []
    for part in parts:
        array = _arrow(part.values)
        if not len(array):
            continue
        found.values += len(array)
        found.example = found.example if found.example is not None else _python(array[0])
        weights = None
        if (distinct := _distinct(array)) is not None:
            array, weights = distinct
        if weights is None or len(array) > COMMON_VALUES or len(parts) > 1:
            found.counts = None
        elif found.counts is not None:
            found.counts = Counter(dict(zip(map(_python, array), weights.to_pylist(), strict=True)))
        if part.inferred == "json":
            found.kinds["JSON"] = Fit(None, None)
        elif part.inferred is None:
            kind, fit = _typed(array, weights)
            found.kinds[kind] = fit
        else:
            found.texts += len(array)
            _read_texts(array, weights, part.inferred, hint.readings, found)
        hashes.append(_hashes(array))
    if hashes:
        found.hashes = sketch.least(np.concatenate(hashes), hint.ceiling)
    return found


class Column:
    """All that is known of a column so far."""

    def __init__(self, name: str, sketch_size: int) -> None:
        self.name = name
        self.values = 0
        self.sketch = Sketch(sketch_size)
        self._readings: tuple[str, ...] = types.OF_TEXT_FILES
        self._fits: dict[str, Fit] = {}
        self._kinds: dict[str, Fit] = {}
        self._texts = 0
        self._missing: Counter[str] = Counter()
        self._bounds: tuple[str, str] | None = None
        self._counts: Counter[Any] | None = Counter()
        self._example: Any = None

    def hint(self) -> Hint:
        return Hint(self._readings, self._counts is not None, self.sketch.ceiling)

    def add(self, found: Found) -> None:
        """Merge one block."""
        self.values += found.values
        self._texts += found.texts
        self._missing += found.missing
        self.sketch.add(found.hashes)
        self._example = found.example if self._example is None else self._example
        for kind, fit in found.kinds.items():
            self._kinds[kind] = _widest(self._kinds.get(kind), fit)
        if found.fits is not None:
            fitting = {n: f for n, f in found.fits.items() if n in self._readings}
            self._fits = {n: _widest(self._fits.get(n), f) for n, f in fitting.items()}
            self._readings = tuple(fitting)
        if found.bounds:
            both = (*found.bounds, *(self._bounds or found.bounds))
            self._bounds = min(both), max(both)
        if self._counts is not None:
            self._counts = None if found.counts is None else self._counts + found.counts
            if self._counts is not None and len(self._counts) > COMMON_VALUES:
                self._counts = None

    def summary(self, rows: int, warnings: list[str]) -> dict[str, Any]:
        """The column's entry in a profile of that many rows; `warnings` is told what deserves a second look."""
        sql_type, fit, format = self._resolve(warnings)
        nulls = rows - self.values
        missing: frozenset[str] = frozenset()
        numeric = sql_type in {"BIGINT", *RANK}
        show = _as_number if numeric else _shown
        if numeric and self._missing:
            nulls += self._missing.total()
            missing = frozenset(self._missing)
            shown = ", ".join(repr(w) for w in sorted(missing)[:3])
            warnings.append(f"{self.name!r} is numeric but for {shown}, which were counted as nulls.")
        present = rows - nulls
        entry: dict[str, Any] = {
            "name": self.name,
            "type": sql_type,
            "nulls": nulls,
            "distinct": min(max(self.sketch.count() - len(missing), 0), present),
            "distinct_is_exact": self.sketch.exact,
            "min": _shown(fit.least),
            "max": _shown(fit.most),
            "example": show(self._example) if self._example not in missing else _shown(fit.least),
        }
        if fit.total is not None and present:
            entry["mean"] = types.finite(fit.total / present)
        if self._counts is not None:
            common = [(v, n) for v, n in self._counts.most_common(TOP + len(missing)) if v not in missing]
            entry["top"] = [{"value": show(v), "count": n} for v, n in common[:TOP]]
        if format:
            entry["format"] = format
        return entry

    def _resolve(self, warnings: list[str]) -> tuple[str, Fit, str | None]:
        """Type, bounds and strptime format."""
        text = Fit(*(self._bounds or (None, None)))
        if self._texts and self._kinds:
            words = ", ".join(sorted({*self._kinds, "TEXT"}))
            warnings.append(f"{self.name!r} mixes values of several types ({words}); it is read as text.")
            return "TEXT", Fit(None, None), None
        if self._kinds:
            return self._widen(warnings)
        if not self._fits:
            return "TEXT", text, None
        if self._missing and "number" not in self._fits:
            return "TEXT", text, None
        readings = [types.READINGS[n] for n in self._readings]
        best = readings[0]
        rival = next((r.format for r in readings[1:] if types.swaps_day_and_month(best, r)), None)
        if rival:
            warnings.append(f"{self.name!r} holds dates that may be read as {best.format} or {rival}; it stays text.")
            return "TEXT", text, None
        fit = self._fits[best.name]
        if best is types.NUMBER:
            return types.number_type(fit.kind, fit.least, fit.most), fit, None
        return best.sql_type, fit if best is not types.JSON else Fit(None, None), best.format

    def _widen(self, warnings: list[str]) -> tuple[str, Fit, str | None]:
        """One type for values of typed formats."""
        kinds = dict(self._kinds)
        if set(kinds) <= set(RANK):
            kind = max(kinds, key=RANK.index)
            fit = None
            for each in kinds.values():
                fit = _widest(fit, each)
            assert fit is not None
            return types.number_type(kind, fit.least, fit.most), fit, None
        if len(kinds) == 1:
            ((kind, fit),) = kinds.items()
            return kind, fit, None
        if set(kinds) == {"DATE", "TIMESTAMP"}:
            return "TIMESTAMP", _widest(kinds["TIMESTAMP"], _midnights(kinds["DATE"])), None
        wide = "JSON" if "JSON" in kinds else "TEXT"
        warnings.append(
            f"{self.name!r} mixes values of several types ({', '.join(sorted(kinds))}); it is read as {wide}."
        )
        return wide, Fit(None, None), None


def _arrow(values: pd.Series[Any]) -> pa.Array:
    array = pa.array(values, from_pandas=False)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _python(scalar: pa.Scalar) -> Any:
    """A value as Python's; None for times past what Python counts (the year 9999)."""
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return None


def _distinct(array: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """The values without repetition and how often each is there, where that spares work; else None."""
    sample = array.slice(0, SAMPLE)
    if pa.types.is_nested(array.type) or pc.count_distinct(sample).as_py() > max(COMMON_VALUES, len(sample) // 2):
        return None
    counted = pc.value_counts(array)
    if len(counted) > max(COMMON_VALUES, len(array) // 4):
        return None
    return counted.field("values"), counted.field("counts")


def _typed(array: pa.Array, weights: pa.Array | None) -> tuple[str, Fit]:
    """Type and bounds of values that know their type; their sum too, for numbers."""
    kind = types.arrow_type(array.type)
    if kind == "TEXT" and not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return kind, Fit(None, None)
    bounds = pc.min_max(array)
    least, most = _python(bounds["min"]), _python(bounds["max"])
    return kind, Fit(least, most, _total(array, weights) if kind in RANK else None)


def _total(numbers: pa.Array, weights: pa.Array | None) -> float:
    """Sum of numbers or of texts that are numbers, each as often as it is there."""
    floats = pc.cast(numbers, pa.float64(), safe=False)
    return float(pc.sum(floats if weights is None else pc.multiply(floats, pc.cast(weights, pa.float64()))).as_py())


def _read_texts(
    array: pa.Array, weights: pa.Array | None, inferred: str, readings: tuple[str, ...], found: Found
) -> None:
    """Try the readings; where none fits, once more without words for no value and without outer blanks."""
    bounds = pc.min_max(array)
    found.bounds = bounds["min"].as_py(), bounds["max"].as_py()
    allowed = types.OF_STRINGS if inferred == "string" else types.OF_TEXT_FILES
    names = tuple(n for n in readings if n in allowed)
    fits = types.fits(array, names)
    if names and not fits:
        trimmed = pc.utf8_trim_whitespace(array)
        words = pc.is_in(trimmed, pa.array([*MISSING, ""]))
        if pc.any(words).as_py():
            spoken = array.filter(words)
            times = weights.filter(words) if weights is not None else pa.array([1] * len(spoken))
            for word, count in zip(spoken.to_pylist(), times.to_pylist(), strict=True):
                found.missing[word] += count
            array = trimmed.filter(pc.invert(words))
            weights = weights.filter(pc.invert(words)) if weights is not None else None
            if not len(array):
                return
        else:
            array = trimmed
        fits = types.fits(array, names)
    number = fits.get("number")
    if number is not None and weights is not None:
        fits["number"] = Fit(number.least, number.most, _total(array, weights), number.kind)
    found.fits = fits


def _hashes(array: pa.Array) -> Hashes:
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return hash_texts(array)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return hash_numbers(_numpy(array.cast(pa.int64(), safe=False)))
    if pa.types.is_floating(kind):
        return hash_numbers(_numpy(array.cast(pa.float64())) + 0.0)  # so that -0.0 is 0.0
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return hash_numbers(_numpy(array.cast(pa.timestamp("us"), safe=False).cast(pa.int64())))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return hash_texts(pc.binary_join_element_wise(array.cast(pa.binary()), b"", b"").view(pa.string()))
    return hash_texts(array.cast(pa.string()))


def _numpy(array: pa.Array) -> Any:
    return array.to_numpy(zero_copy_only=False)


def _midnights(fit: Fit) -> Fit:
    midnight = datetime.time()
    least, most = (bound and datetime.datetime.combine(bound, midnight) for bound in (fit.least, fit.most))
    return Fit(least, most)


def _widest(one: Fit | None, other: Fit) -> Fit:
    if one is None:
        return other
    totals = (one.total, other.total)
    return Fit(
        other.least if one.least is None else one.least if other.least is None else min(one.least, other.least),
        other.most if one.most is None else one.most if other.most is None else max(one.most, other.most),
        None if None in totals else sum(t for t in totals if t is not None),
        max(one.kind, other.kind, key=types.NUMBER_KINDS.index)
        if one.kind and other.kind
        else one.kind or other.kind,
    )


def _as_number(value: Any) -> Any:
    """A number as a profile shows it, where the file holds it as text."""
    if not isinstance(value, str):
        return _shown(value)
    number = value.strip()
    return _shown(int(number) if re.fullmatch(r"-?\d+", number) else float(number))


def _shown(value: Any) -> Any:
    """A value as a profile shows it: JSON, and short."""
    match value:
        case str():
            return value if len(value) <= SHOWN_CHARACTERS else value[: SHOWN_CHARACTERS - 1] + "…"
        case bool() | None:
            return value
        case int():
            return value if value.bit_length() < 64 else float(value)  # JSON writers stop at 64 bits
        case float():
            return types.finite(value)
        case decimal.Decimal():
            return float(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
        case bytes():
            return value[: SHOWN_CHARACTERS // 2].hex()
    return _shown(str(value))
