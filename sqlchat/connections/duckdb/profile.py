"""Profiles the columns of a DuckDB database."""

from __future__ import annotations

from sqlchat.connections import profiling
from sqlchat.connections.duckdb.instance import SYSTEM
from sqlchat.connections.embedded import Query, quoted
from sqlchat.sql.catalog import Column, Table
from sqlchat.sql.profiles import ColumnProfile, Path

MOST_COLUMNS = 200
"""Columns of one table."""
SEED = 1
"""Makes each statement read the same sample of a table."""


def profile_table(query: Query, table: Table) -> dict[Path, ColumnProfile]:
    """Return profiles of the table's columns. `query(sql)` returns all rows."""
    columns = table.columns[:MOST_COLUMNS]
    size = table.row_estimate or 0
    whole = size <= profiling.SAMPLED_ROWS
    source = f"{quoted(table.schema or 'main')}.{quoted(table.name)} AS t"
    if not whole:  # reads blocks from all parts of the table
        source += f" TABLESAMPLE system({100 * profiling.SAMPLED_ROWS / size:.6f} PERCENT) REPEATABLE ({SEED})"
    facts = ", ".join(map(_write_facts, columns))
    ((rows, *figures),) = query(f"SELECT {SYSTEM}.count_star(), {facts} FROM {source}")  # noqa: S608
    profiles = {}
    for place, column in enumerate(columns):
        present, distinct, least, most = figures[4 * place : 4 * place + 4]
        kind, values = profiling.find_kind(column.type), ()
        if kind == "text" or (kind == "number" and distinct <= profiling.MOST_NUMBERS):
            values = tuple(value for (value,) in query(_write_values(column, source)))
        estimate = profiling.estimate_distinct(distinct, present, whole=whole)
        sample = profiling.ColumnSample(rows, present, estimate, whole, values, least or "", most or "")
        profiles[table.schema, table.name, column.name] = profiling.make_profile(kind, sample)
    return profiles


def _write_facts(column: Column) -> str:
    name = f"t.{quoted(column.name)}"
    if profiling.find_kind(column.type) == "other":
        return f"{SYSTEM}.count({name}), 0, '', ''"
    shown = f"{SYSTEM}.left(CAST({name} AS VARCHAR), {profiling.LONGEST + 1})"
    compared = shown if profiling.find_kind(column.type) == "text" else name
    return (
        f"{SYSTEM}.count({name}), {SYSTEM}.count(DISTINCT {shown}), "
        f"CAST({SYSTEM}.min({compared}) AS VARCHAR), CAST({SYSTEM}.max({compared}) AS VARCHAR)"
    )


def _write_values(column: Column, source: str) -> str:
    shown = f"{SYSTEM}.left(CAST(t.{quoted(column.name)} AS VARCHAR), {profiling.LONGEST + 1})"
    return (
        f"SELECT {shown} AS v FROM {source} WHERE v IS NOT NULL "  # noqa: S608
        f"GROUP BY v ORDER BY {SYSTEM}.count_star() DESC, v LIMIT {profiling.MOST_VALUES + 1}"
    )
