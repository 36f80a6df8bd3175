"""Profiles the columns of MySQL or MariaDB by samples, with one statement a table."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from sqlchat.connections import profiling
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.profiles import ColumnProfile, Path

Ask = Callable[[str, float], list[tuple[Any, ...]]]
"""(SQL, seconds) -> all rows, each value as the server's text."""

SAMPLED_ROWS = 10_000
"""Most rows of a sample, which is read anew for each column."""
SAMPLED_COLUMNS = 30
"""Columns in one statement, which has two branches a column."""
SAMPLING = 1.0
"""Seconds for the sample of one table."""


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
                rows = ask(write_sample_query(table, columns, most), min(SAMPLING, left))
            except profiling.UNREADABLE:
                continue  # the user may not read one of the columns, for instance
            profiles |= _make_profiles(table, columns, rows, most)
    return profiles


def write_sample_query(table: Table, columns: Sequence[Column], most: int) -> str:
    """Write SQL that counts the values of columns in the first `most` rows of a table and one more.

    It returns rows (index of the column, "facts" or "value", number, number, text, text); the index -1 stands for the
    table.
    """
    source = f"FROM {quote_name(table.schema)}.{quote_name(table.name)} LIMIT {most + 1}"
    branches = [f"(SELECT -1, 'rows', COUNT(*), 0, NULL, NULL FROM (SELECT 1 {source}) AS s)"]  # noqa: S608
    for place, column in enumerate(columns):
        kind, name = profiling.find_kind(column.type), quote_name(column.name)
        if kind == "other":
            branches.append(
                f"(SELECT {place}, 'facts', COUNT(v), 0, NULL, NULL "  # noqa: S608
                f"FROM (SELECT {name} IS NOT NULL OR NULL AS v {source}) AS s)"
            )
            continue
        cell = f"LEFT({name}, {profiling.LONGEST + 1})" if kind == "text" else name
        inner = f"(SELECT {cell} AS v {source}) AS s"
        branches.append(
            f"(SELECT {place}, 'facts', COUNT(v), COUNT(DISTINCT v), {_write_text('MIN(v)')}, "  # noqa: S608
            f"{_write_text('MAX(v)')} FROM {inner})"
        )
        if kind in ("text", "number"):
            limit = profiling.MOST_VALUES + 1 if kind == "text" else profiling.MOST_NUMBERS + 1
            branches.append(
                f"(SELECT {place}, 'value', COUNT(*) AS n, 0, {_write_text('v')}, NULL FROM {inner} "  # noqa: S608
                f"WHERE v IS NOT NULL GROUP BY v ORDER BY n DESC LIMIT {limit})"
            )
    return " UNION ALL ".join(branches)


def quote_name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _write_text(expression: str) -> str:
    """Write a text in one collation, since a UNION needs the same one in all branches."""
    return f"CONVERT({expression} USING utf8mb4) COLLATE utf8mb4_bin"


def _make_profiles(
    table: Table, columns: Sequence[Column], rows: Sequence[tuple[Any, ...]], most: int
) -> dict[Path, ColumnProfile]:
    values: dict[int, list[tuple[int, str]]] = defaultdict(list)
    facts: dict[int, tuple[int, int, str, str]] = {}
    for place, what, number, distinct, least, last in rows:
        if what == "value":
            values[int(place)].append((-int(number), least))
        else:
            facts[int(place)] = int(number), int(distinct), least or "", last or ""
    profiles = {}
    for place, column in enumerate(columns):
        present, distinct, least, last = facts[place]
        ranked = tuple(value for _, value in sorted(values[place]))
        sample = profiling.ColumnSample(facts[-1][0], present, distinct, values=ranked, least=least, most=last)
        kind = profiling.find_kind(column.type)
        profiles[table.schema, table.name, column.name] = profiling.make_sample_profile(kind, sample, most)
    return profiles
