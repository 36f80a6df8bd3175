"""What a file holds: rows, columns, SQL types, nulls, bounds. Runs in a killable worker process (`service` calls it).

Blocks of a file are inspected in two threads and merged in their order, so memory does not grow with the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlchat.errors import FileInvalidError
from sqlchat.files import formats
from sqlchat.files.formats import Block, Options, Table

if TYPE_CHECKING:
    from sqlchat.files.columns import Column
    from sqlchat.files.inspection import Found, Hint

THREADS = 2
"""Arrow, NumPy and pandas let other threads run while they work."""

SKETCHES_KEPT = 1 << 20
"""Hashes that all columns of a file keep together, eight bytes each."""

LARGEST_SKETCH, SMALLEST_SKETCH = 1 << 14, 1 << 9


@dataclass(frozen=True)
class ColumnProfile:
    name: str
    type: str
    """SQL name of the narrowest type that holds every value."""
    nulls: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    """distinct, distinct_is_exact, min, max, example; where they make sense also mean, top, format."""

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type, "nulls": self.nulls, **self.facts}


@dataclass(frozen=True)
class Profile:
    row_count: int
    columns: list[ColumnProfile]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Of the file: format, and what its format says (encoding, delimiter, header, sheet)."""
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """JSON values: {"row_count": 120, "columns": [{"name": "id", "type": "INTEGER", "nulls": 0, ...}], ...}."""
        columns = [column.as_dict() for column in self.columns]
        return {"row_count": self.row_count, "columns": columns, **self.facts, "warnings": self.warnings}


def profile(path: str, file_name: str, options: Options | None = None) -> Profile:
    """Profile the file at `path`, which its owner calls `file_name`.

    Raises FileInvalidError (with the fact `line` where there is one), TooLargeError, UnsupportedMediaError.
    """
    found, source = formats.detect(path, file_name)
    table = found.read(source, options or Options())
    rows, entries, warnings = survey(table)
    columns = [ColumnProfile(e.pop("name"), e.pop("type"), e.pop("nulls"), e) for e in entries]
    facts = {"format": found.name.lower(), **table.facts}
    if source.gzipped:
        facts["compression"] = "gzip"
    return Profile(rows, columns, facts, [*table.warnings, *warnings])


def survey(table: Table) -> tuple[int, list[dict[str, Any]], list[str]]:
    """Number of rows, an entry for each column (as `ColumnProfile.as_dict` gives), warnings of a table opened."""
    warnings: list[str] = []
    rows, columns = look_through(table)
    return rows, [column.summary(rows, warnings) for column in columns.values()], warnings


def look_through(table: Table) -> tuple[int, dict[str, Column]]:
    """Number of rows, and all that is known of each column once a table opened was read to its end."""
    from sqlchat.files.columns import Column

    size = min(LARGEST_SKETCH, max(SMALLEST_SKETCH, SKETCHES_KEPT // max(1, len(table.names))))
    columns = {name: Column(name, size) for name in table.names}
    rows = 0

    def counted() -> Iterator[Block]:
        nonlocal rows
        for block in table.blocks:
            rows += block.rows
            columns.update((name, Column(name, size)) for name in block.columns if name not in columns)
            formats.check_width(len(columns))
            yield block

    _inspect(counted(), columns, Column.add)
    if not columns:
        raise FileInvalidError("The file holds no columns.")
    unfinished = [column for column in columns.values() if column.unfinished]
    if unfinished and table.again is not None:
        for column in unfinished:
            column.start_again()
        _inspect(table.again([column.name for column in unfinished]), columns, Column.add_texts)
    return rows, columns


def _inspect(blocks: Iterator[Block], columns: Mapping[str, Column], take: Callable[[Column, Found], None]) -> None:
    """Look at blocks in two threads; `take` merges what was found of a column, in the blocks' order."""
    from sqlchat.files.inspection import inspect

    def look(block: Block, hints: dict[str, Hint]) -> dict[str, Found]:
        return {name: inspect(parts, hints[name], columns[name].sketch) for name, parts in block.columns.items()}

    def merge(found: dict[str, Found]) -> None:
        for name, part in found.items():
            take(columns[name], part)

    pending: deque[Future[dict[str, Found]]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for block in blocks:
            hints = {name: columns[name].hint() for name in block.columns}
            try:
                pending.append(pool.submit(look, block, hints))
            except RuntimeError as exc:  # no room for a thread's stack; it is memory that lacks
                raise MemoryError(str(exc)) from exc
            del block
            while len(pending) > THREADS:
                merge(pending.popleft().result())
        while pending:
            merge(pending.popleft().result())
