"""Reads the first rows of each table, for models that may see rows.

Read through the connection as its caller's SQL would be, so a policy holds for them too.
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
    """Rows of the base tables, as far as five seconds get. Raises DatabaseUnavailableError and BusyError."""
    until, samples = time.monotonic() + TIME, {}
    for table in [each for each in catalog.tables if each.kind == "table" and each.listed][:MOST_TABLES]:
        if (left := until - time.monotonic()) <= 0:
            break
        try:
            results = connection.run(_first_rows(table, catalog), max_rows=ROWS, timeout=min(left, A_TABLE))
        except UNREADABLE:
            continue  # one that the role may not read, say: the others still help
        rows = results.read_rows()
        samples[table.schema, table.name] = tuple(tuple(map(_text, row)) for row in rows)
    return samples


def _first_rows(table: Table, catalog: Catalog) -> str:
    columns = [exp.column(column.name, quoted=True) for column in table.columns[:MOST_COLUMNS]]
    source = exp.table_(table.name, db=table.schema or None, quoted=True)
    return exp.select(*columns).from_(source).limit(ROWS).sql(catalog.dialect)


def _text(value: object) -> str:
    if value is None:
        return NULL
    return value if isinstance(value, str) else orjson.dumps(value).decode()
