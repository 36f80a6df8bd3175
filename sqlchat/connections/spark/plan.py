"""Reads the cost of a query from Spark's or Sail's EXPLAIN COST.

The cost is the bytes that the query reads, and the bytes that each join returns which compares all rows with all. If
Sail knows only rows, a value counts as A_VALUE bytes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from sqlchat.connections.plan import Plan

NO_STATISTICS = "the server keeps no statistics of a table of it (ANALYZE TABLE makes some)."
UNITS = {unit: 1024.0**power for power, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"))}
UNKNOWN = 2.0**62
"""Spark expects at least so many bytes of a table without statistics."""
STEP = re.compile(r"(?P<depth>[ :|+-]*)(?P<step>\S.*?), Statistics\(sizeInBytes=(?P<size>[\d.E+-]+) (?P<unit>\w+)")
COMPARES_ALL = re.compile(
    r"Join (Inner|Cross|LeftOuter|RightOuter|FullOuter)(?!.* = )|CrossJoinExec|NestedLoopJoinExec"
)
SAIL_STEP = re.compile(
    r"(?P<depth> *)(?P<step>\w+Exec)\b.*?statistics=\[Rows=(?:\w+\()?(?P<rows>\d+|Absent)\)?, "
    r"Bytes=(?:\w+\()?(?P<size>\d+|Absent)\)?, \[(?P<columns>.*)\]\]"
)
A_VALUE = 8
"""Bytes of a value if only rows are known."""


@dataclass(slots=True)
class Step:
    """A step of a plan. It takes the rows of the steps `below`."""

    depth: int
    compares_all: bool
    size: float | None
    rows: float | None = None
    columns: int = 1
    below: list[Step] = field(default_factory=list)

    def count_rows(self) -> float | None:
        """Return the number of rows that the step returns; None if unknown."""
        if self.rows is not None:
            return self.rows
        inputs = [step.count_rows() for step in self.below]
        known = [rows for rows in inputs if rows is not None]
        if not known or len(known) < len(inputs):
            return None
        return math.prod(known) if self.compares_all else max(known)

    def count_bytes(self) -> float | None:
        if self.size is not None:
            return self.size
        rows = self.count_rows()
        return None if rows is None else rows * A_VALUE * self.columns


def read_plan(text: str) -> Plan:
    """Read the cost from the text of a plan; a reason instead if the server lacks statistics of a table."""
    optimized, _, physical = text.partition("== Physical Plan ==")
    read = _read_sail if "statistics=[Rows=" in physical else _read_spark
    try:
        lines = (physical if read is _read_sail else optimized).splitlines()
        steps = _link([step for step in map(read, lines) if step])
        costs = [step.count_bytes() for step in steps if step.compares_all or not step.below]
    except RecursionError:
        return Plan(math.inf)
    known = [cost for cost in costs if cost is not None and cost < UNKNOWN]
    return Plan(sum(known)) if known and len(known) == len(costs) else Plan(no_cost_because=NO_STATISTICS)


def _read_spark(line: str) -> Step | None:
    step = STEP.match(line)
    if step is None:
        return None
    size = float(step["size"]) * UNITS.get(step["unit"], 1.0)
    return Step(len(step["depth"]), bool(COMPARES_ALL.match(step["step"])), size)


def _read_sail(line: str) -> Step | None:
    step = SAIL_STEP.match(line)
    if step is None:
        return None
    size, rows = (None if step[name] == "Absent" else float(step[name]) for name in ("size", "rows"))
    columns = max(1, step["columns"].count("(Col["))
    return Step(len(step["depth"]), bool(COMPARES_ALL.match(step["step"])), size, rows, columns)


def _link(steps: list[Step]) -> list[Step]:
    """Add to the steps `below` of each step the next ones that are indented one level further."""
    open_steps: list[Step] = []
    for step in steps:
        while open_steps and open_steps[-1].depth >= step.depth:
            open_steps.pop()
        if open_steps:
            open_steps[-1].below.append(step)
        open_steps.append(step)
    return steps
