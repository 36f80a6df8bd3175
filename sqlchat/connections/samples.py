"""Reads the first rows of each table, for models that may see rows.

It reads through the connection, as the caller's SQL does, so the policy applies.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import orjson
from sqlglot import exp

from sqlchat.connections.base import Connection
from sqlchat.connections.profiling import UNREADABLE
from sqlchat.sql.catalog import Catalog, Table

Samples = Mapping[tuple[str, str], tuple[tuple[str, ...], ...]]
"""(schema, table) -> rows, each value as text, in the order of the table's columns."""

MOST_TABLES, MOST_COLUMNS, ROWS = 100, 30, 3
TIME, A_TABLE = 5.0, 1.0
"""Seconds for all tables, and for one."""
NULL = "NULL"


def read_samples(connection: Connection, catalog: Catalog) -> Samples:
    """Read rows of base tables for at most TIME seconds. Raises DatabaseUnavailableError and BusyError."""
    until, samples = time.monotonic() + TIME, {}
    tables = [table for table in catalog.tables if table.kind == "table" and table.listed and not table.runs_volatile]
    for table in tables[:MOST_TABLES]:
        if (left := until - time.monotonic()) <= 0:
            break
        try:
            results = connection.run(_write_query(table, catalog), max_rows=ROWS, timeout=min(left, A_TABLE))
        except UNREADABLE:
            continue  # the role may not read it, for instance
        rows = results.read_rows()
        samples[table.schema, table.name] = tuple(tuple(map(_write_text, row)) for row in rows)
    return samples


def _write_query(table: Table, catalog: Catalog) -> str:
    columns = [exp.column(column.name, quoted=True) for column in table.columns[:MOST_COLUMNS]]
    source = exp.table_(table.name, db=table.schema or None, quoted=True)
    return exp.select(*columns).from_(source).limit(ROWS).sql(catalog.dialect)


def _write_text(value: object) -> str:
    if value is None:
        return NULL
    return value if isinstance(value, str) else orjson.dumps(value).decode()
