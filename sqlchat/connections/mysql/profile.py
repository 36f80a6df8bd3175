"""Profiles the columns of MySQL or MariaDB by the first rows of each table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlchat.connections import profiling
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.profiles import ColumnProfile, Kind, Path

Ask = Callable[[str, float], list[tuple[Any, ...]]]
"""(SQL, seconds) -> all rows, each value as the server's text."""

SAMPLED_ROWS = 10_000
"""Most rows of a sample."""
SAMPLED_COLUMNS = 50
"""Columns in one statement."""
SAMPLING = 1.0
"""Seconds for one statement."""


def read_profiles(ask: Ask, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
    """Return profiles of the columns of tables and views. Raises DatabaseUnavailableError and BusyError."""
    until = time.monotonic() + timeout
    profiles: dict[Path, ColumnProfile] = {}
    for table in profiling.order_tables(catalog.tables):
        for start in range(0, len(table.columns), SAMPLED_COLUMNS):
            left = until - time.monotonic()
            if left <= 0:
                return profiles
            columns = table.columns[start : start + SAMPLED_COLUMNS]
            most = min(SAMPLED_ROWS, profiling.limit_sample(len(columns)))
            try:
                rows = ask(_write_sample(table, columns, most), min(SAMPLING, left))
            except profiling.UNREADABLE:
                continue  # the user may not read one of the columns, for instance
            for column, cells in zip(columns, zip(*rows, strict=True) if rows else [()] * len(columns), strict=True):
                kind = profiling.find_kind(column.type)
                profile = profiling.make_sample_profile(kind, _count_values(kind, cells), most)
                profiles[table.schema, table.name, column.name] = profile
    return profiles


def quote_name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _write_sample(table: Table, columns: Sequence[Column], most: int) -> str:
    """Write SQL that reads `most` rows and one more; of values of the kind `other`, only whether they are there."""
    cells = []
    for column in columns:
        kind, name = profiling.find_kind(column.type), quote_name(column.name)
        shown = {"text": f"LEFT({name}, {profiling.LONGEST + 1})", "other": f"{name} IS NOT NULL OR NULL"}
        cells.append(shown.get(kind, name))
    return f"SELECT {', '.join(cells)} FROM {quote_name(table.schema)}.{quote_name(table.name)} LIMIT {most + 1}"  # noqa: S608


def _count_values(kind: Kind, cells: Sequence[str | None]) -> profiling.ColumnSample:
    counts = Counter(cells)
    present = len(cells) - counts.pop(None, 0)
    if kind == "other" or not present:
        return profiling.ColumnSample(len(cells), present, 0)
    values = [value for value in counts if value is not None]
    order = float if kind == "number" else str
    least, most = min(values, key=order), max(values, key=order)
    shown = {"text": profiling.MOST_VALUES + 1, "number": profiling.MOST_NUMBERS + 1}.get(kind, 0)
    ranked = sorted(values, key=lambda value: (-counts[value], value))[:shown]
    return profiling.ColumnSample(len(cells), present, len(counts), values=tuple(ranked), least=least, most=most)
