"""Profiles the columns of an SQLite database by their values: a declared type does not restrict values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlchat.connections.embedded import Query, quoted
from sqlchat.connections.profiling import (
    LONGEST,
    MOST_NUMBERS,
    MOST_VALUES,
    ColumnSample,
    estimate_distinct,
    find_kind,
    limit_sample,
    make_profile,
)
from sqlchat.sql.catalog import Column, Table
from sqlchat.sql.profiles import ColumnProfile, Kind, Path

MOST_COLUMNS = 200
"""Columns of one table, to stay within the session's limits."""


def profile_table(query: Query, fault: type[Exception], table: Table) -> dict[Path, ColumnProfile]:
    """Return profiles of columns. `query(sql)` returns all rows and raises `fault` if SQLite refuses."""
    columns = table.columns[:MOST_COLUMNS]
    rows, whole, ends = _read_sample(query, fault, table, columns)
    return {
        (table.schema, table.name, column.name): _make_profile(column, cells, whole=whole, ends=ends)
        for column, cells in zip(columns, zip(*rows, strict=True), strict=False)
    }


def _read_sample(
    query: Query, fault: type[Exception], table: Table, columns: Sequence[Column]
) -> tuple[list[tuple[Any, ...]], bool, bool]:
    """Return rows of the table, whether they are all, and whether they include the last ones, mostly the newest."""
    most = limit_sample(len(columns))
    cells = ", ".join(map(_write_cell, columns))
    source = f"SELECT {cells} FROM {quoted(table.name)} AS t"  # noqa: S608
    first = query(f"{source} LIMIT {most + 1}")
    if len(first) <= most:
        return first, True, True
    half = most // 2
    try:
        return first[:half] + query(f"{source} ORDER BY t.rowid DESC LIMIT {half}"), False, True
    except fault:  # WITHOUT ROWID
        return first, False, False


def _write_cell(column: Column) -> str:
    # qualified, since SQLite reads an unknown quoted name as a text
    name = f"t.{quoted(column.name)}"
    return (
        f"CASE typeof({name}) WHEN 'text' THEN substr({name}, 1, {LONGEST + 1}) WHEN 'blob' THEN x'' ELSE {name} END"
    )


def _make_profile(column: Column, cells: Sequence[Any], *, whole: bool, ends: bool) -> ColumnProfile:
    counts = Counter(cells)
    nulls = counts.pop(None, 0)
    texts = {value: count for value, count in counts.items() if isinstance(value, str)}
    numbers = {value: count for value, count in counts.items() if isinstance(value, int | float)}
    kind = _find_kind(column, counts, texts)
    compared: dict[Any, int] = texts if kind == "text" or (kind == "time" and texts) else numbers
    ranked = sorted(compared, key=lambda value: (-compared[value], value))[: MOST_VALUES + 1]
    sample = ColumnSample(
        rows=len(cells),
        present=len(cells) - nulls,
        distinct=estimate_distinct(len(counts), len(cells) - nulls, whole=whole),
        whole=whole,
        values=() if kind == "time" and not texts else tuple(map(str, ranked)),
        least=str(min(compared)) if ends and compared else "",
        most=str(max(compared)) if ends and compared else "",
    )
    profile = make_profile(kind, sample)
    if kind == "number" and texts:  # such as 'n/a' for an unknown number
        return replace(profile, values=tuple(texts)[:MOST_NUMBERS], complete=False)
    return profile


def _find_kind(column: Column, counts: Counter[Any], texts: dict[str, int]) -> Kind:
    """Return the kind of most values; a column declared as a date may hold texts or numbers."""
    declared = find_kind(column.type)
    if not counts or declared == "time":
        return declared
    present = counts.total()
    if 2 * sum(texts.values()) >= present:
        return "text"
    return "other" if 2 * counts[b""] > present else "number"
