"""All rows of a table looked through, block by block in two threads, so memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from sqlchat.errors import FileInvalidError
from sqlchat.files import formats
from sqlchat.files.allocator import use_system_allocator
from sqlchat.files.columns import Column
from sqlchat.files.formats import Load, Table
from sqlchat.files.inspection import Found, inspect
from sqlchat.files.threads import in_order

SKETCHES_KEPT = 1 << 20
"""Hashes that all columns of a file keep together, eight bytes each."""

LARGEST_SKETCH, SMALLEST_SKETCH = 1 << 14, 1 << 9


def read_columns(table: Table) -> tuple[int, dict[str, Column]]:
    """Number of rows, and all that is known of each column once a table opened was read to its end."""
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
    unfinished = [column for column in columns.values() if column.is_unfinished()]
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
    loads: Iterator[Load], columns: Mapping[str, Column], new: partial[Column]
) -> Iterator[tuple[_Size, dict[str, Found]]]:
    """What each block holds, by column. A thread may know `columns` as they were a few blocks earlier."""

    def look(load: Load) -> tuple[_Size, dict[str, Found]]:
        block = load()
        hints = {name: (columns[name] if name in columns else new(name)).hint() for name in block.columns}
        found = {name: inspect(parts, hints[name]) for name, parts in block.columns.items()}
        return _Size(block.rows, block.left_out), found

    return in_order(look, loads)
