"""What a file holds: rows, columns, SQL types, nulls, bounds. Runs in a killable worker process (`service` calls it).

Blocks of a file are read and inspected in two threads and merged in their order, so memory does not grow with the
file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlchat.errors import FileInvalidError
from sqlchat.files import formats
from sqlchat.files.allocator import freed_memory_kept, keep_no_spare_memory, use_system_allocator
from sqlchat.files.formats import Load, Table
from sqlchat.files.options import Options
from sqlchat.files.threads import in_order

if TYPE_CHECKING:
    from sqlchat.files.columns import Column
    from sqlchat.files.inspection import Found

SKETCHES_KEPT = 1 << 20
"""Hashes that all columns of a file keep together, eight bytes each."""

NARROW = 24
"""Columns up to which it saves time to keep freed memory; arrays of more columns are small."""

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
    options = options or Options()
    found, source = formats.detect(path, file_name, options.sheet)
    with freed_memory_kept():
        table = found.read(source, options)
        if len(table.names) > NARROW:
            keep_no_spare_memory()
        rows, entries, warnings = survey(table)
    columns = [ColumnProfile(e.pop("name"), e.pop("type"), e.pop("nulls"), e) for e in entries]
    facts = {"format": found.name.lower(), **table.facts, "read": table.read}
    if source.gzipped:
        facts["compression"] = "gzip"
    if source.zipped:
        facts["compression"] = "zip"
    return Profile(rows, columns, facts, [*table.warnings, *warnings])


def survey(table: Table) -> tuple[int, list[dict[str, Any]], list[str]]:
    """Number of rows, an entry for each column (as `ColumnProfile.as_dict` gives), warnings of a table opened."""
    warnings: list[str] = []
    rows, columns = look_through(table)
    return rows, [column.summary(rows, warnings) for column in columns.values()], warnings


def look_through(table: Table) -> tuple[int, dict[str, Column]]:
    """Number of rows, and all that is known of each column once a table opened was read to its end."""
    from sqlchat.files.columns import Column

    use_system_allocator()
    size = min(LARGEST_SKETCH, max(SMALLEST_SKETCH, SKETCHES_KEPT // max(1, len(table.names))))
    new = partial(Column, sketch_size=size, options=table.options, commas=table.facts.get("delimiter") == ",")
    columns = {name: new(name) for name in table.names}
    rows = left_out = 0
    for block, found in _inspect(table.blocks, columns, new):
        rows += block.rows
        left_out += block.left_out
        columns.update((name, new(name)) for name in found if name not in columns)
        formats.check_width(len(columns))
        for name, part in found.items():
            columns[name].add(part)
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
    unfinished = [column for column in columns.values() if column.unfinished]
    if unfinished and table.again is not None:
        for column in unfinished:
            column.start_again()
        for _, found in _inspect(table.again([column.name for column in unfinished]), columns, new):
            for name, part in found.items():
                columns[name].add_again(part)
    return rows, columns


@dataclass(frozen=True)
class _Size:
    """Of a block that is looked at and let go."""

    rows: int
    left_out: int


def _inspect(
    loads: Iterator[Load], columns: Mapping[str, Column], new: Callable[[str], Column]
) -> Iterator[tuple[_Size, dict[str, Found]]]:
    """What each block holds, by column. A thread may know `columns` as they were a few blocks earlier."""
    from sqlchat.files.inspection import inspect

    def look(load: Load) -> tuple[_Size, dict[str, Found]]:
        block = load()
        hints = {name: (columns[name] if name in columns else new(name)).hint() for name in block.columns}
        found = {name: inspect(parts, hints[name]) for name, parts in block.columns.items()}
        return _Size(block.rows, block.left_out), found

    return in_order(look, loads)
