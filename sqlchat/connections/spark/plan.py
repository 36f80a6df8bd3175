"""Spark's or Sail's EXPLAIN COST -> what a query is expected to take. For `connection.py` alone.

The cost is the number of bytes that the query is expected to read and, for each join that compares all rows with all,
of what it gives. Sail tells rows where it knows no bytes: they count as eight bytes a column.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from sqlchat.connections.plan import Plan

UNTOLD = "the server keeps no statistics of a table of it (ANALYZE TABLE makes some)."
UNITS = {unit: 1024.0**power for power, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"))}
UNKNOWN = 2.0**62
"""Bytes that Spark expects of what it knows nothing of, or more."""
STEP = re.compile(r"(?P<depth>[ :|+-]*)(?P<step>\S.*?), Statistics\(sizeInBytes=(?P<size>[\d.E+-]+) (?P<unit>\w+)")
COMPARES_ALL = re.compile(
    r"Join (Inner|Cross|LeftOuter|RightOuter|FullOuter)(?!.* = )|CrossJoinExec|NestedLoopJoinExec"
)
SAIL_STEP = re.compile(
    r"(?P<depth> *)(?P<step>\w+Exec)\b.*?statistics=\[Rows=(?:\w+\()?(?P<rows>\d+|Absent)\)?, "
    r"Bytes=(?:\w+\()?(?P<size>\d+|Absent)\)?, \[(?P<columns>.*)\]\]"
)
A_VALUE = 8
"""Bytes that a value counts as, where only rows are known."""


@dataclass(slots=True)
class Step:
    """A step of a plan, and those whose rows it takes."""

    depth: int
    compares_all: bool
    size: float | None
    rows: float | None = None
    columns: int = 1
    below: list[Step] = field(default_factory=list)

    def count_rows(self) -> float | None:
        """The rows that it gives, as far as that is known."""
        if self.rows is not None:
            return self.rows
        taken = [step.count_rows() for step in self.below]
        known = [rows for rows in taken if rows is not None]
        if not known or len(known) < len(taken):
            return None
        return math.prod(known) if self.compares_all else max(known)

    def count_bytes(self) -> float | None:
        if self.size is not None:
            return self.size
        rows = self.count_rows()
        return None if rows is None else rows * A_VALUE * self.columns


def read_plan(told: str) -> Plan:
    """The cost that the text of a plan tells; withheld if the server does not know what a table holds."""
    optimized, _, physical = told.partition("== Physical Plan ==")
    read = _read_sail if "statistics=[Rows=" in physical else _read_spark
    try:
        lines = (physical if read is _read_sail else optimized).splitlines()
        steps = _link([step for step in map(read, lines) if step])
        costs = [step.count_bytes() for step in steps if step.compares_all or not step.below]
    except RecursionError:
        return Plan(math.inf)
    known = [cost for cost in costs if cost is not None and cost < UNKNOWN]
    return Plan(sum(known)) if known and len(known) == len(costs) else Plan(withheld=UNTOLD)


def _read_spark(line: str) -> Step | None:
    found = STEP.match(line)
    if found is None:
        return None
    size = float(found["size"]) * UNITS.get(found["unit"], 1.0)
    return Step(len(found["depth"]), bool(COMPARES_ALL.match(found["step"])), size)


def _read_sail(line: str) -> Step | None:
    found = SAIL_STEP.match(line)
    if found is None:
        return None
    size, rows = (None if found[name] == "Absent" else float(found[name]) for name in ("size", "rows"))
    columns = max(1, found["columns"].count("(Col["))
    return Step(len(found["depth"]), bool(COMPARES_ALL.match(found["step"])), size, rows, columns)


def _link(steps: list[Step]) -> list[Step]:
    """The steps, each with those that stand below it, one level further in."""
    open_steps: list[Step] = []
    for step in steps:
        while open_steps and open_steps[-1].depth >= step.depth:
            open_steps.pop()
        if open_steps:
            open_steps[-1].below.append(step)
        open_steps.append(step)
    return steps
