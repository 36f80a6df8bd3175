"""What one column holds, block by block: nulls, type, bounds, distinct and common values. Used by `profile`.

`Column.add` merges what `inspection` found in a block, in one thread and in the file's order. Memory is bounded by
the sketch and the counts, whatever the number of rows.
"""

from __future__ import annotations

import datetime
import decimal
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from sqlchat.errors import FileInvalidError
from sqlchat.files import types
from sqlchat.files.inspection import AS_WRITTEN, COMMON_VALUES, INTEGERS, MOST_STRAYS, Found, Hint
from sqlchat.files.notations import BLANKS, Notation, currencies
from sqlchat.files.options import Options
from sqlchat.files.sketch import Sketch
from sqlchat.files.types import Fit, Reading, Relaxed

TOP = 5
SHOWN_WORDS, SHOWN_WORD = 5, 40
NUMBERS = frozenset({r.name for r in types.READINGS.values() if r.sql_type == "NUMERIC"} | {INTEGERS})
WIDER = frozenset(
    {
        *(("INTEGER", wide) for wide in ("BIGINT", "NUMERIC", "DOUBLE PRECISION")),
        *(("BIGINT", wide) for wide in ("NUMERIC", "DOUBLE PRECISION")),
        ("NUMERIC", "DOUBLE PRECISION"),
        ("DOUBLE PRECISION", "NUMERIC"),
        ("DATE", "TIMESTAMP"),
    }
)
"""A type found, and one that a caller may ask for in its place."""
FLOAT_DIGITS = (28, 10)
"""Before and after the point, of floating-point numbers that a caller wants as NUMERIC."""
SHOWN_CHARACTERS = 200
"""Of a text in a profile."""

RANK = ("INTEGER", "NUMERIC", "DOUBLE PRECISION")


class Column:
    """All that is known of a column so far."""

    def __init__(self, name: str, sketch_size: int, options: Options, *, commas: bool = False) -> None:
        """`commas`: fields of the file are separated by commas, so that a decimal comma is unlikely in it."""
        self.name = name
        self.values = 0
        self.sketch = Sketch(sketch_size)
        self._options, self._commas = options, commas
        self._wanted = options.wanted(name)
        self._readings: tuple[str, ...] = types.readings(options, name)
        self._fits: dict[str, Fit] = {}
        self._kinds: dict[str, Fit] = {}
        self._texts = 0
        self._alike: Counter[str] = Counter()
        self._strays: Counter[str] | None = Counter()
        self._missing: Counter[str] = Counter()
        self._bounds: tuple[str, str] | None = None
        self._compared: str | None = None
        self._torn = self._skipped = False
        """Were blocks compared in different ways? Were texts that are words for no value not compared?"""
        self._repeats = True
        self._counts: Counter[Any] | None = Counter()
        self._example: Any = None
        self._settled: tuple[str, Fit, Reading | None, list[str]] | None = None
        """Type, bounds, reading and warnings, before its blocks were read again."""

    def hint(self) -> Hint:
        counted, strays = self._counts is not None, self._strays is not None
        ceiling, size = self.sketch.ceiling, self.sketch.size
        return Hint(self._readings, self._repeats, counted, strays, ceiling, size, self._wanted is not None)

    def add(self, found: Found) -> None:
        """Merge one block."""
        self.values += found.values
        self._texts += found.texts
        self._missing += found.missing
        self._skipped = self._skipped or found.missing.total() > 0
        if found.compared is not None:
            self._compare(found.compared)
        self._repeats = found.repeats or not found.values
        self.sketch.add(found.hashes)
        self._example = found.example if self._example is None else self._example
        for kind, fit in found.kinds.items():
            self._kinds[kind] = _widest(self._kinds.get(kind), fit)
        if found.fits is not None:
            self._alike.update(found.alike)
            self._strays = None if self._strays is None or found.strays is None else self._strays + found.strays
            fitting = {n: f for n, f in found.fits.items() if n in self._readings}
            self._fits = {n: _widest(self._fits.get(n), f) for n, f in fitting.items()}
            self._readings = tuple(fitting)
        self._extend(found.bounds)
        if self._counts is not None:
            self._counts = None if found.counts is None else self._counts + found.counts
            if self._counts is not None and len(self._counts) > COMMON_VALUES:
                self._counts = None

    def _compare(self, how: str) -> None:
        """Take in how a block was compared; integers are numbers in every notation."""
        before = self._compared
        if before is None or (before == INTEGERS and how in NUMBERS):
            self._compared = how
        elif before != how and not (how == INTEGERS and before in NUMBERS):
            self._torn = True

    @property
    def unfinished(self) -> bool:
        """Was it compared in another way than its type has it? Then every block has to be read again."""
        if self._kinds or (self._compared is None and not self._skipped):
            return False
        _, _, reading = self._resolve([])
        if reading is None:
            return self._torn or self._skipped or self._compared not in {None, AS_WRITTEN}
        return self._torn or (
            self._compared not in {None, AS_WRITTEN, reading.name}
            and not (self._compared == INTEGERS and reading.name in NUMBERS)
        )

    def start_again(self) -> None:
        """Keep what the column is, and forget what `add_again` will be told."""
        told: list[str] = []
        sql_type, fit, reading = self._resolve_freely(told)
        self._settled = sql_type, fit, reading, told
        self.sketch = Sketch(self.sketch.size)
        self._readings = (reading.name,) if reading else ()
        self._bounds = None

    def add_again(self, found: Found) -> None:
        """Merge one block read again; all else is known already."""
        self.sketch.add(found.hashes)
        self._extend(found.bounds)

    def _extend(self, bounds: tuple[str, str] | None) -> None:
        if bounds:
            both = (*bounds, *(self._bounds or bounds))
            self._bounds = min(both), max(both)

    def summary(self, rows: int, warnings: list[str]) -> dict[str, Any]:
        """The column's entry in a profile of that many rows; `warnings` is told what deserves a second look."""
        sql_type, fit, reading = self._resolve(warnings)
        nulls = rows - self.values
        missing = self.missing if sql_type not in {"TEXT", "JSON"} else frozenset()
        show = self._shower(sql_type, reading)
        if missing:
            nulls += self._missing.total()
            warnings.append(
                f"{self.name!r} is {sql_type} but for {_counted(self._missing)}, which were counted as nulls."
            )
        present = rows - nulls
        distinct = self.sketch.count() - (len(missing) if self._kinds and self.sketch.exact else 0)
        entry: dict[str, Any] = {
            "name": self.name,
            "type": sql_type,
            "nulls": nulls,
            "distinct": min(distinct, present),
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
        if reading and reading.format:
            entry["format"] = reading.format
        return entry

    def _shower(self, sql_type: str, reading: Reading | None) -> Callable[[Any], Any]:
        if sql_type in types.NUMBER_TYPES:
            return partial(_as_number, notation=reading.notation if reading else None)
        return _as_truth if sql_type == "BOOLEAN" else _shown

    @property
    def is_text(self) -> bool:
        """Are some of its values texts in the file?"""
        return self._texts > 0 and not self._kinds

    @property
    def missing(self) -> frozenset[str]:
        """Words that are nulls unless the column is text."""
        return frozenset(self._missing)

    @property
    def has_zone(self) -> bool:
        """Do its times bring a zone of their own?"""
        return any("zone" in fit.marks for fit in self._kinds.values())

    def written(self) -> list[str]:
        """How its numbers are written in the file, where SQL does not show it: `in percent`, `in $`."""
        _, fit, reading = self._resolve([])
        if reading is None or not fit.kind:
            return []
        return [f"in {mark}" for mark in currencies(fit.marks)] + (["in percent"] if "%" in fit.marks else [])

    @property
    def has_months(self) -> bool:
        """Are its intervals told in months, which no number of seconds is?"""
        return any("months" in fit.marks for fit in self._kinds.values())

    def decimal(self) -> tuple[int, int]:
        """Precision and scale of the narrowest NUMERIC that holds every number."""
        _, fit, _ = self._resolve([])
        whole, scale = fit.digits
        bounds = (abs(int(bound)) for bound in (fit.least, fit.most) if bound is not None)
        return max(whole, *(len(str(bound)) for bound in bounds), 1) + scale, scale

    def reading(self) -> Reading | None:
        """How its texts are read; None where they stay text, or have their type from the file."""
        return self._resolve([])[2]

    def _resolve(self, warnings: list[str]) -> tuple[str, Fit, Reading | None]:
        """Type, bounds and reading. Raises FileInvalidError where the type that the caller says does not hold."""
        found = self._resolve_freely(warnings)
        if self._wanted is None:
            return found
        sql_type, fit, reading = found
        if self._wanted == "TEXT":
            return "TEXT", Fit(*(self._bounds or (None, None))) if not self._kinds else Fit(None, None), None
        if not self.values or self.values == self._missing.total():
            return self._wanted, Fit(None, None), None
        if sql_type == self._wanted or (sql_type, self._wanted) in WIDER:
            digits = FLOAT_DIGITS if sql_type == "DOUBLE PRECISION" else fit.digits
            return self._wanted, replace(fit, digits=digits), reading
        raise FileInvalidError(
            f"The column {self.name!r} cannot be read as {self._options.types[self.name]}; its values are {sql_type}"
            f"{self._told_strays()}, such as {_shown(self._example)!r}.",
            column=self.name,
        )

    def _resolve_freely(self, warnings: list[str]) -> tuple[str, Fit, Reading | None]:
        text = Fit(*(self._bounds or (None, None)))
        if self._settled is not None:
            sql_type, fit, reading, before = self._settled
            warnings.extend(before)
            return sql_type, fit if reading else text, reading
        if self._kinds and self._texts > self._missing.total():
            words = ", ".join(sorted({*self._kinds, "TEXT"}))
            told = self._told_texts()
            warnings.append(f"{self.name!r} mixes values of several types ({words}{told}); it is read as text.")
            return "TEXT", Fit(None, None), None
        if self._kinds:
            sql_type, fit = self._widen(warnings)
            return sql_type, fit, None
        if not self._fits:
            if told := self._told_strays():
                warnings.append(f"{self.name!r} stays text{told}. To have those as nulls, name them in `nulls`.")
            elif self._strays is not None and self._alike["dates"] and not self._strays:
                warnings.append(
                    f"{self.name!r} holds texts like dates, but no one format reads them all; it stays text."
                )
            return "TEXT", text, None
        best = types.READINGS[self._readings[0]]
        fit = self._fits[best.name]
        if best is types.JSON or best.sql_type == "UUID":
            if self._missing:
                return "TEXT", text, None
            return best.sql_type, fit if best is not types.JSON else Fit(None, None), best
        if fit.kind:
            doubt = self._doubt_number(best, fit, warnings)
            return ("TEXT", text, None) if doubt else (types.number_type(fit.kind, fit.least, fit.most), fit, best)
        if other := types.rival(best.name, self._readings):
            orders = " or ".join(
                dict.fromkeys(types.READINGS[n].order for n in self._readings if types.READINGS[n].order)
            )
            warnings.append(
                f"{self.name!r} holds dates that may be read as {best.format} or {other.format}; it stays text. "
                f"Say which in `date_order`: {orders}."
            )
            return "TEXT", text, None
        if "offset" in fit.marks:
            warnings.append(f"{self.name!r} has times with an offset from UTC; they are in UTC here.")
        if best.format and "%y" in best.format:
            warnings.append(
                f"{self.name!r} has years of two digits; 69 to 99 are read as 1969 to 1999, others as 20xx."
            )
        return best.sql_type, fit, best

    def _doubt_number(self, best: Reading, fit: Fit, warnings: list[str]) -> bool:
        """Must the numbers stay text? Tells why, or how they were read where they are not plain."""
        others = [self._fits[n] for n in self._readings]
        name, marks = self.name, fit.marks
        if types.other_number(fit, others):
            both = " or ".join(f"{_shown(f.most)}" for f in _unlike(fit, others))
            option = "say in `decimal` and `thousands` how numbers are written"
            if not (self._commas and best is types.NUMBER):
                warnings.append(
                    f"{name!r} holds numbers that may be read in two ways ({both}); it stays text: {option}."
                )
                return True
            warnings.append(f"{name!r} is read with a decimal point ({_shown(fit.most)}); if it is none, {option}.")
            return False
        if len(signs := currencies(marks)) > 1:
            warnings.append(f"{name!r} holds amounts of several currencies ({', '.join(signs)}); it stays text.")
            return True
        if {"%", "no %"} <= marks:
            warnings.append(f"{name!r} holds numbers with and without a percent sign; it stays text.")
            return True
        if isinstance(best.notation, Notation) and best.notation.group == " " and self._like_codes(fit):
            warnings.append(
                f"{name!r} may hold numbers with blanks as thousands marks, or codes; it stays text: "
                'set `thousands` to " " to have numbers.'
            )
            return True
        how = [f"currency signs ({signs[0]})"] if signs else []
        if isinstance(best.notation, Notation):
            how += ["a decimal comma"] if best.notation.decimal == "," and "fraction" in marks else []
            how += [f"{best.notation.group!r} as thousands mark"] if "grouped" in marks else []
        if how:
            warnings.append(f"{name!r} is read as numbers written with {' and '.join(how)}.")
        if "%" in marks:
            warnings.append(f"{name!r} is read as numbers of percent: 7% is 7.")
        return False

    def _like_codes(self, fit: Fit) -> bool:
        """Numbers of blanks and digits that are all of one length, as telephone numbers are."""
        if "fraction" in fit.marks or BLANKS not in fit.marks or self._options.thousands:
            return False
        return len(str(abs(int(fit.least)))) == len(str(abs(int(fit.most))))

    def _told_strays(self) -> str:
        """` (139 of 140 values are numbers; the other: '***' (1))`; empty where most are none."""
        if not self._strays or len(self._alike) != 1:
            return ""
        ((kind, count),) = self._alike.items()
        strays = self._strays + self._missing
        total = self.values
        if not strays or len(strays) > MOST_STRAYS or count * 2 <= total:
            return ""
        others = "the other" if strays.total() == 1 else "the others"
        return f": {count:,} of {total:,} values are {kind}; {others}: {_counted(strays)}"

    def _told_texts(self) -> str:
        strays = self._strays
        return f": {_counted(strays + self._missing)}" if strays else ""

    def _widen(self, warnings: list[str]) -> tuple[str, Fit]:
        """One type for values of typed formats."""
        kinds = dict(self._kinds)
        if set(kinds) <= set(RANK):
            kind = max(kinds, key=RANK.index)
            fit = None
            for each in kinds.values():
                fit = _widest(fit, each)
            assert fit is not None
            return types.number_type(kind, fit.least, fit.most), fit
        if len(kinds) == 1:
            ((kind, fit),) = kinds.items()
            return kind, fit
        if set(kinds) == {"DATE", "TIMESTAMP"}:
            return "TIMESTAMP", _widest(kinds["TIMESTAMP"], _midnights(kinds["DATE"]))
        wide = "JSON" if "JSON" in kinds else "TEXT"
        warnings.append(
            f"{self.name!r} mixes values of several types ({', '.join(sorted(kinds))}); it is read as {wide}."
        )
        return wide, Fit(None, None)


def _counted(texts: Counter[str]) -> str:
    """`'***' (3), '?' (1)`: the most frequent first."""
    shown = [f"{text[:SHOWN_WORD]!r} ({count:,})" for text, count in texts.most_common(SHOWN_WORDS)]
    more = len(texts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _unlike(fit: Fit, others: list[Fit]) -> list[Fit]:
    """The fit and the first that differs from it."""
    return [fit, next(f for f in others if types.other_number(fit, [f]))]


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
        marks=one.marks | other.marks,
    )


def _bare(value: Any) -> Any:
    """A text without outer blanks, as words for no value are known."""
    return value.strip() if isinstance(value, str) else value


def _as_truth(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _as_number(value: Any, notation: Notation | Relaxed | None = None) -> Any:
    """A number as a profile shows it, where the file holds it as text."""
    if not isinstance(value, str):
        return _shown(value)
    number = value.strip()
    if notation is not None and (plain := notation.plain(pa.array([number]))) is not None:
        number = plain[0][0].as_py()
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
        case datetime.timedelta():
            return str(value)
        case bytes():
            return value[: SHOWN_CHARACTERS // 2].hex()
    return _shown(str(value))
