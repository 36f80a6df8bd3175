"""What one column holds, block by block: nulls, type, bounds, distinct and common values. Used by `profile`.

`Column.add` merges what `inspection` found in a block, in one thread and in the file's order. Memory is bounded by
the sketch and the counts, whatever the number of rows.
"""

from __future__ import annotations

import datetime
import decimal
import re
from collections import Counter
from typing import Any

from sqlchat.files import types
from sqlchat.files.inspection import COMMON_VALUES, Found, Hint
from sqlchat.files.sketch import Sketch
from sqlchat.files.types import Fit

TOP = 5
SHOWN_CHARACTERS = 200
"""Of a text in a profile."""

RANK = ("INTEGER", "NUMERIC", "DOUBLE PRECISION")


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
        self._marks: frozenset[str] | None = frozenset()
        """How numbers are marked that are no plain ones; None once a text was no number."""
        self._missing: Counter[str] = Counter()
        self._bounds: tuple[str, str] | None = None
        self._compared: str | None = None
        self._torn = self._skipped = False
        """Were blocks compared in different ways? Were some, of words for no value only, not compared?"""
        self._repeats = True
        self._counts: Counter[Any] | None = Counter()
        self._example: Any = None

    def hint(self) -> Hint:
        counted, marked = self._counts is not None, self._marks is not None
        return Hint(self._readings, self._repeats, counted, marked, self.sketch.ceiling, self.sketch.size)

    def add(self, found: Found) -> None:
        """Merge one block."""
        self.values += found.values
        self._texts += found.texts
        self._missing += found.missing
        if found.compared is None:
            self._skipped = self._skipped or found.texts > 0
        else:
            self._compared = self._compared or found.compared
            self._torn = self._torn or found.compared != self._compared
        self._repeats = found.repeats or not found.values
        self.sketch.add(found.hashes)
        self._example = found.example if self._example is None else self._example
        for kind, fit in found.kinds.items():
            self._kinds[kind] = _widest(self._kinds.get(kind), fit)
        if found.fits is not None:
            self._marks = None if self._marks is None or found.marks is None else self._marks | found.marks
            fitting = {n: f for n, f in found.fits.items() if n in self._readings}
            self._fits = {n: _widest(self._fits.get(n), f) for n, f in fitting.items()}
            self._readings = tuple(fitting)
        self._extend(found.bounds)
        if self._counts is not None:
            self._counts = None if found.counts is None else self._counts + found.counts
            if self._counts is not None and len(self._counts) > COMMON_VALUES:
                self._counts = None

    @property
    def unfinished(self) -> bool:
        """Is this text that was not compared as written throughout? Then every block has to be read again."""
        return self._torn or (self._skipped and types.NUMBER.name not in self._fits)

    def start_again(self) -> None:
        """Forget what `add_texts` will be told, and that some blocks looked like more than text."""
        self.sketch = Sketch(self.sketch.size)
        self._readings, self._fits, self._bounds = (), {}, None

    def add_texts(self, found: Found) -> None:
        """Merge one block read again; all else is known already."""
        self.sketch.add(found.hashes)
        self._extend(found.bounds)

    def _extend(self, bounds: tuple[str, str] | None) -> None:
        if bounds:
            both = (*bounds, *(self._bounds or bounds))
            self._bounds = min(both), max(both)

    def summary(self, rows: int, warnings: list[str]) -> dict[str, Any]:
        """The column's entry in a profile of that many rows; `warnings` is told what deserves a second look."""
        sql_type, fit, format = self._resolve(warnings)
        nulls = rows - self.values
        missing: frozenset[str] = frozenset()
        numeric = sql_type in {"BIGINT", *RANK}
        show = _as_number if numeric else _as_truth if sql_type == "BOOLEAN" else _shown
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
            "distinct": min(self.sketch.count(), present),
            "distinct_is_exact": self.sketch.exact,
            "min": _shown(fit.least),
            "max": _shown(fit.most),
            "example": show(self._example) if _bare(self._example) not in missing else _shown(fit.least),
        }
        if fit.total is not None and present:
            entry["mean"] = types.finite(fit.total / present)
        if self._counts is not None:
            common: Counter[Any] = Counter()
            for value, count in self._counts.items():
                if _bare(value) not in missing:
                    common[show(value)] += count
            entry["top"] = [{"value": value, "count": count} for value, count in common.most_common(TOP)]
        if format:
            entry["format"] = format
        return entry

    @property
    def is_text(self) -> bool:
        """Are some of its values texts in the file?"""
        return self._texts > 0

    @property
    def missing(self) -> frozenset[str]:
        """Words that are nulls where the column is numeric."""
        return frozenset(self._missing)

    def decimal(self) -> tuple[int, int]:
        """Precision and scale of the narrowest NUMERIC that holds every number."""
        _, fit, _ = self._resolve([])
        whole, scale = fit.digits
        bounds = (abs(int(bound)) for bound in (fit.least, fit.most) if bound is not None)
        return max(whole, *(len(str(bound)) for bound in bounds), 1) + scale, scale

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
            if self._marks:
                how = " and ".join(sorted(self._marks))
                warnings.append(f"{self.name!r} looks like numbers written with {how}; it stays text.")
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
        (max(one.digits[0], other.digits[0]), max(one.digits[1], other.digits[1])),
    )


def _bare(value: Any) -> Any:
    """A text without outer blanks, as words for no value are known."""
    return value.strip() if isinstance(value, str) else value


def _as_truth(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


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
