"""Which faults of a query say that a name is unknown, in the words of each database. For the manager."""

from __future__ import annotations

import re

from sqlchat.errors import QueryError, SqlchatError, SQLRefusedError

SQLSTATES = frozenset({"42P01", "42703", "3F000", "42883", "42704"})
"""Postgres: undefined table, column, schema, function, object."""
ERRNOS = frozenset({1049, 1054, 1109, 1146, 1305})
"""MySQL: unknown database, column, table of a name, table, function."""
WORDS = re.compile(r"no such (table|column|function)|does not exist|not found in FROM|referenced column", re.I)
"""SQLite and DuckDB, which have no number for it."""


def names_unknown(fault: SqlchatError) -> bool:
    """Whether `fault` is of a name that the database, or what is kept of its catalog, does not hold."""
    facts = fault.facts
    if isinstance(fault, SQLRefusedError) and "unknown_names" in facts:
        return True
    if not isinstance(fault, QueryError) and facts.get("fault") != QueryError.code:
        return False
    if "unknown_names" in facts:
        return True
    if "sqlstate" in facts or "errno" in facts:
        return facts.get("sqlstate") in SQLSTATES or facts.get("errno") in ERRNOS
    return WORDS.search(fault.detail) is not None
