"""All that is known of one column so far: `inspection` looks at its part of a block, `Column.add` merges that.

Blocks are merged in one thread and in the file's order. Memory is bounded by the sketch and the counts, whatever the
number of rows. `decisions` makes a type of it, `summaries` the column's entry in a profile.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlchat.files import types
from sqlchat.files.decisions import Decision, decide
from sqlchat.files.fits import Fit, widen
from sqlchat.files.inspection import AS_WRITTEN, COMMON_VALUES, INTEGERS, Found, Hint
from sqlchat.files.notations import name_marks
from sqlchat.files.options import Options
from sqlchat.files.sketch import Sketch

NUMBERS = frozenset({r.name for r in types.READINGS.values() if r.sql_type == "NUMERIC"} | {INTEGERS})


class Column:
    def __init__(self, name: str, sketch_size: int, options: Options, *, commas: bool = False) -> None:
        """`commas`: fields of the file are separated by commas, so that a decimal comma is unlikely in it."""
        self.name, self.options, self.commas = name, options, commas
        self.wanted = options.wanted(name)
        """The type that the caller says."""
        self.values = self.texts = 0
        """How many there are in all, and how many of them are texts in the file."""
        self.readings: tuple[str, ...] = types.list_readings(options, name)
        """Names of those that fitted all texts so far."""
        self.fits: dict[str, Fit] = {}
        """What they found."""
        self.kinds: dict[str, Fit] = {}
        """Values that brought a type of their own, by that type."""
        self.alike: Counter[str] = Counter()
        """How many texts are like numbers, and how many like dates."""
        self.strays: Counter[str] | None = Counter()
        """Texts that are like neither; None: too many."""
        self.missing: Counter[str] = Counter()
        """Words for no value."""
        self.bounds: tuple[str, str] | None = None
        """Of texts compared as written."""
        self.example: Any = None
        self.counts: Counter[Any] | None = Counter()
        """How often each value is there; None: there are too many values."""
        self.sketch = Sketch(sketch_size)
        self.decided: Decision | None = None
        """The decision, once every block was read."""
        self._repeats = True
        self._compared: str | None = None
        self._is_torn = False
        """Were blocks compared in different ways?"""

    def hint(self) -> Hint:
        is_counted, has_strays = self.counts is not None, self.strays is not None
        ceiling, size = self.sketch.ceiling, self.sketch.size
        return Hint(self.readings, self._repeats, is_counted, has_strays, ceiling, size, self.wanted is not None)

    def add(self, found: Found) -> None:
        """Merge one block."""
        self.values += found.values
        self.texts += found.texts
        self.missing += found.missing
        if found.compared is not None:
            self._compare(found.compared)
        self._repeats = found.repeats or not found.values
        self.sketch.add(found.hashes)
        self.example = found.example if self.example is None else self.example
        for kind, fit in found.kinds.items():
            self.kinds[kind] = widen(self.kinds.get(kind), fit)
        if found.fits is not None:
            self.alike.update(found.alike)
            self.strays = None if self.strays is None or found.strays is None else self.strays + found.strays
            fitting = {name: fit for name, fit in found.fits.items() if name in self.readings}
            self.fits = {name: widen(self.fits.get(name), fit) for name, fit in fitting.items()}
            self.readings = tuple(fitting)
        self._extend_bounds(found.bounds)
        if self.counts is not None:
            self.counts = None if found.counts is None else self.counts + found.counts
            if self.counts is not None and len(self.counts) > COMMON_VALUES:
                self.counts = None

    def _compare(self, how: str) -> None:
        """Take in how a block was compared; integers are numbers in every notation."""
        before = self._compared
        if before is None or (before == INTEGERS and how in NUMBERS):
            self._compared = how
        elif before != how and not (how == INTEGERS and before in NUMBERS):
            self._is_torn = True

    def is_unfinished(self) -> bool:
        """Was it compared in another way than its type has it? Then every block has to be read again."""
        if self.kinds or (self._compared is None and not self.missing):
            return False
        reading = decide(self).reading
        if reading is None:
            return self._is_torn or bool(self.missing) or self._compared not in {None, AS_WRITTEN}
        return self._is_torn or (
            self._compared not in {None, AS_WRITTEN, reading.name}
            and not (self._compared == INTEGERS and reading.name in NUMBERS)
        )

    def start_again(self) -> None:
        """Keep the decision, and forget what `add_again` will be told."""
        self.decided = decide(self)
        self.sketch = Sketch(self.sketch.size)
        self.readings = (self.decided.reading.name,) if self.decided.reading else ()
        self.bounds = None

    def add_again(self, found: Found) -> None:
        """Merge one block read again; all else is known already."""
        self.sketch.add(found.hashes)
        self._extend_bounds(found.bounds)

    def _extend_bounds(self, bounds: tuple[str, str] | None) -> None:
        if bounds:
            both = (*bounds, *(self.bounds or bounds))
            self.bounds = min(both), max(both)

    def decide(self) -> Decision:
        """Its type, once every block was read. Raises FileInvalidError where the caller says another."""
        if self.decided is None:
            self.decided = decide(self)
        elif self.decided.reading is None and not self.kinds:
            self.decided = self.decided.with_bounds(self.bounds)
        return self.decided

    def list_remarks(self) -> list[str]:
        """What SQL does not show of its values: `in percent`, `in $`, `in UTC`."""
        decision = self.decide()
        remarks = name_marks(decision.fit.marks) if decision.reading is not None and decision.fit.kind else []
        is_zoned = decision.reading is types.ZONED or any("zone" in fit.marks for fit in self.kinds.values())
        return (["in UTC"] if is_zoned else []) + remarks

    def has_months(self) -> bool:
        """Are its intervals told in months, which no number of seconds is?"""
        return any("months" in fit.marks for fit in self.kinds.values())

    def find_decimal(self) -> tuple[int, int]:
        """Precision and scale of the narrowest NUMERIC that holds every number."""
        fit = self.decide().fit
        whole, scale = fit.digits
        bounds = (abs(int(bound)) for bound in (fit.least, fit.most) if bound is not None)
        return max(whole, *(len(str(bound)) for bound in bounds), 1) + scale, scale
