"""Collects the facts of each column of a file: `inspection` finds those of a block, and `Column` merges blocks.

Two threads inspect blocks, which are merged in the file's order. Sketches and counts bound the memory for any number
of rows. `decisions` gives a column its type, `summaries` its entry in a profile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sqlchat.errors import FileInvalidError
from sqlchat.files import formats, readings
from sqlchat.files.decisions import Decision, decide
from sqlchat.files.formats import Load, Table
from sqlchat.files.inspection import AS_WRITTEN, COMMON_VALUES, INTEGERS, BlockFacts, ColumnHint, inspect_parts
from sqlchat.files.notations import name_marks
from sqlchat.files.options import Options
from sqlchat.files.sketch import Sketch
from sqlchat.files.threads import work_in_order
from sqlchat.files.value_stats import ValueStats, widen

SKETCHES_KEPT = 1 << 20
"""Hashes of eight bytes in the sketches of all columns of a file together."""

LARGEST_SKETCH, SMALLEST_SKETCH = 1 << 14, 1 << 9

NUMBERS = frozenset({r.name for r in readings.READINGS.values() if r.sql_type == "NUMERIC"} | {INTEGERS})


class Column:
    def __init__(self, name: str, sketch_size: int, options: Options, *, commas: bool = False) -> None:
        """`commas`: commas separate the file's fields, so decimal commas are unlikely."""
        self.name, self.options, self.commas = name, options, commas
        self.wanted = options.wanted(name)
        """The type that the caller names."""
        self.values = self.texts = 0
        """Number of values, and of those that are texts in the file."""
        self.nan = 0
        """Number of NaN values, which are nulls here."""
        self.readings: tuple[str, ...] = readings.list_readings(options, name)
        """Names of the readings that fitted all texts so far."""
        self.fits: dict[str, ValueStats] = {}
        """Reading -> statistics of the values that it gives."""
        self.kinds: dict[str, ValueStats] = {}
        """SQL type -> statistics of the values whose type the file gives."""
        self.alike: Counter[str] = Counter()
        """Kind -> number of texts like numbers, dates or durations."""
        self.strays: Counter[str] | None = Counter()
        """Texts of no such kind; None if they are too many."""
        self.missing: Counter[str] = Counter()
        """Words for no value."""
        self.bounds: tuple[str, str] | None = None
        """Least and greatest of the texts that are compared as written."""
        self.example: Any = None
        self.counts: Counter[Any] | None = Counter()
        """Value -> how often it occurs; None if there are too many values."""
        self.sketch = Sketch(sketch_size)
        self.decided: Decision | None = None
        """The decision, when every block was read."""
        self._repeats = True
        self._compared: set[str] = set()
        """How the values of blocks were compared."""

    def hint(self) -> ColumnHint:
        """Return the facts for the inspection of the next block."""
        return ColumnHint(
            self.readings,
            repeats=self._repeats,
            counted=self.counts is not None,
            strays=self.strays is not None,
            ceiling=self.sketch.ceiling,
            size=self.sketch.size,
            wanted=self.wanted is not None,
        )

    def add(self, facts: BlockFacts) -> None:
        """Merge one block."""
        self.values += facts.values
        self.texts += facts.texts
        self.nan += facts.nan
        self.missing += facts.missing
        if facts.compared is not None:
            self._compared.add(facts.compared)
        self._repeats = facts.repeats or not facts.values
        self.sketch.add(facts.hashes)
        self.example = facts.example if self.example is None else self.example
        for kind, fit in facts.kinds.items():
            self.kinds[kind] = widen(self.kinds.get(kind), fit)
        if facts.fits is not None:
            self.alike.update(facts.alike)
            self.strays = None if self.strays is None or facts.strays is None else self.strays + facts.strays
            fitting = {name: fit for name, fit in facts.fits.items() if name in self.readings}
            self.fits = {name: widen(self.fits.get(name), fit) for name, fit in fitting.items()}
            self.readings = tuple(fitting)
        self._extend_bounds(facts.bounds)
        if self.counts is not None:
            self.counts = None if facts.counts is None else self.counts + facts.counts
            if self.counts is not None and len(self.counts) > COMMON_VALUES:
                self.counts = None

    def is_unfinished(self) -> bool:
        """Were values compared in another way than the type needs? Then every block must be read again."""
        if self.kinds:
            return False
        reading = decide(self).reading
        needed = reading.name if reading else AS_WRITTEN
        ways = {needed if way == INTEGERS and needed in NUMBERS else way for way in self._compared}
        return len(ways) > 1 or not ways <= {AS_WRITTEN, needed} or (reading is None and bool(self.missing))

    def start_again(self) -> None:
        """Keep the decision, and reset the facts that `add_again` merges."""
        self.decided = decide(self)
        self.sketch = Sketch(self.sketch.size)
        self.readings = (self.decided.reading.name,) if self.decided.reading else ()
        self.bounds = None

    def add_again(self, facts: BlockFacts) -> None:
        """Merge the hashes and bounds of a block that is read again."""
        self.sketch.add(facts.hashes)
        self._extend_bounds(facts.bounds)

    def _extend_bounds(self, bounds: tuple[str, str] | None) -> None:
        if bounds:
            both = (*bounds, *(self.bounds or bounds))
            self.bounds = min(both), max(both)

    def decide(self) -> Decision:
        """Decide the type, when every block was read. Raises FileInvalidError if the caller's type does not fit."""
        if self.decided is None:
            self.decided = decide(self)
        elif self.decided.reading is None and not self.kinds:
            self.decided = self.decided.with_bounds(self.bounds)
        return self.decided

    def list_remarks(self) -> list[str]:
        """List facts that SQL does not show: `in percent`, `in $`, `in UTC`."""
        decision = self.decide()
        remarks = name_marks(decision.fit.marks) if decision.reading is not None and decision.fit.kind else []
        is_zoned = decision.reading is readings.ZONED or any("zone" in fit.marks for fit in self.kinds.values())
        return (["in UTC"] if is_zoned else []) + remarks

    def has_exact_count(self) -> bool:
        """Is the number of different values exact? It is estimated if they are many and in no order."""
        return self.sketch.exact or self.decide().fit.is_increasing

    def count_distinct(self) -> int:
        """Count the different values and, in some columns, words for no value."""
        return self.values if self.decide().fit.is_increasing else self.sketch.count()

    def has_months(self) -> bool:
        """Are intervals in months, which have no fixed number of seconds?"""
        return any("months" in fit.marks for fit in self.kinds.values())

    def find_decimal(self) -> tuple[int, int]:
        """Return precision and scale of the narrowest NUMERIC that holds every number."""
        fit = self.decide().fit
        whole, scale = fit.digits
        bounds = (abs(int(bound)) for bound in (fit.least, fit.most) if bound is not None)
        return max(whole, *(len(str(bound)) for bound in bounds), 1) + scale, scale


def read_columns(table: Table) -> tuple[int, dict[str, Column]]:
    """Read a table to its end. Returns the number of rows, and the columns by name. Raises FileInvalidError."""
    size = min(LARGEST_SKETCH, max(SMALLEST_SKETCH, SKETCHES_KEPT // max(1, len(table.names))))
    new = partial(Column, sketch_size=size, options=table.options, commas=table.facts.get("delimiter") == ",")
    columns = {name: new(name) for name in table.names}
    rows = left_out = 0
    for block_rows, block_left_out, facts in _inspect(table.blocks, columns, new):
        rows += block_rows
        left_out += block_left_out
        columns.update((name, new(name)) for name in facts if name not in columns)
        formats.check_width(len(columns))
        for name, block_facts in facts.items():
            columns[name].add(block_facts)
    if left_out and left_out > 3 * rows:
        raise FileInvalidError(
            f"{left_out:,} rows do not have the fields of the header, and {rows:,} have; say in `header_row` which "
            "row names the columns, and in `delimiter` what separates them."
        )
    if left_out:
        table.warnings.append(f"{left_out:,} rows had too many or too few fields and were left out.")
    if not columns:
        raise FileInvalidError("The file holds no columns.")
    if unknown := sorted(set(table.options.types) - set(columns)):
        listed = ", ".join(map(repr, list(columns)[:20]))
        raise FileInvalidError(f"`types` names {unknown[0][:80]!r}, but the columns are {listed}.", option="types")
    unfinished = [column for column in columns.values() if column.is_unfinished()]
    if unfinished and table.again is not None:
        for column in unfinished:
            column.start_again()
        for *_, facts in _inspect(table.again([column.name for column in unfinished]), columns, new):
            for name, block_facts in facts.items():
                columns[name].add_again(block_facts)
    return rows, columns


def _inspect(
    loads: Iterator[Load], columns: Mapping[str, Column], new: partial[Column]
) -> Iterator[tuple[int, int, dict[str, BlockFacts]]]:
    """Give the rows, rows left out and facts by column of each block. `columns` may lag by a few blocks."""

    def inspect_block(load: Load) -> tuple[int, int, dict[str, BlockFacts]]:
        block = load()
        hints = {name: (columns[name] if name in columns else new(name)).hint() for name in block.columns}
        return block.rows, block.left_out, {n: inspect_parts(parts, hints[n]) for n, parts in block.columns.items()}

    return work_in_order(inspect_block, loads)
