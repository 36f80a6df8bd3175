"""The index of common texts in a database, by which a question's words find what a column holds. For the manager."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping

from sqlchat.connections.base import Connection
from sqlchat.errors import QueryError, QueryTimeoutError, SQLRefusedError, TooLargeError
from sqlchat.sql.catalog import Catalog, Column, Table

Values = Mapping[tuple[str, str, str], tuple[str, ...]]
"""Texts, most frequent first, by (schema, table, column)."""

NO_TEXT = re.compile(
    r"\W*((u|tiny|small|medium|big|huge|uhuge|utiny|usmall|ubig)?int|u?integer|(big|small)?serial|num|dec|float|double"
    r"|real|money|date|time|year|interval|bool|bytea|(tiny|medium|long)?blob|(var)?binary|jsonb?|uuid|xml|bit|inet|cidr"
    r"|macaddr|oid|geo|point|polygon|line|path|box|circle|vector|tsvector|tsquery|struct|map|union|variant|tuple|hstore)",
    re.I,
)
LIST = re.compile(r"\[\d*\]\s*$")

MOST_COLUMNS = 300
MOST_VALUES = 20_000
LONGEST = 100
"""Characters; longer texts are prose that no question names."""
TIME = 5.0
"""Seconds that reading may take; the columns after it stay out."""


def read_values(connection: Connection, catalog: Catalog) -> Values:
    """The values of text columns of base tables that hold few. Raises DatabaseUnavailableError and BusyError.

    Bounded in columns, values and time, so that of a very large database it holds a part; columns are taken in turns,
    the first of each table first.
    """
    found: dict[tuple[str, str, str], tuple[str, ...]] = {}
    until, count = time.monotonic() + TIME, 0
    for tried, (table, column) in enumerate(_columns(catalog)):
        if tried >= MOST_COLUMNS or count >= MOST_VALUES or time.monotonic() > until:
            break
        try:
            values = connection.values(table.name, column.name, table.schema)
        except (QueryError, QueryTimeoutError, SQLRefusedError, TooLargeError):
            continue  # one that the role may not read, say: the others still help
        if short := tuple(value for value in values or () if 0 < len(value.strip()) <= LONGEST):
            found[table.schema, table.name, column.name] = short
            count += len(short)
    return found


def _columns(catalog: Catalog) -> Iterator[tuple[Table, Column]]:
    """Columns that may hold texts: the first of each table, then the second of each, and so on."""
    each = [
        (turn, table, column)
        for table in catalog.tables
        if table.kind == "table"
        for turn, column in enumerate(column for column in table.columns if _may_be_text(column.type))
    ]
    each.sort(key=lambda one: one[0])
    yield from ((table, column) for _, table, column in each)


def _may_be_text(type: str) -> bool:
    """True for texts, enums, and types that only the database knows."""
    return not NO_TEXT.match(type) and not LIST.search(type)
