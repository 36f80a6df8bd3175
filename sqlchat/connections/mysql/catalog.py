"""Holds the queries that read the catalog of MySQL or MariaDB, and makes the Catalog from their answers."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlchat.sql.catalog import (
    Catalog,
    Column,
    ForeignKey,
    OwnNames,
    Table,
    drop_unreadable_keys,
    read_labels,
)
from sqlchat.sql.guards.mysql import FUNCTIONS, RULES

OWN = "NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')"
TABLES = (
    "SELECT table_schema, table_name, table_type, table_comment, table_rows FROM information_schema.tables "  # noqa: S608
    f"WHERE table_schema {OWN} AND table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') "
    "ORDER BY table_schema, table_name"
)
COLUMN_STAMP = "CRC32(CONCAT_WS('/', column_name, ordinal_position, column_type, generation_expression))"
VIEW_STAMP = "CRC32(view_definition)"
FUNCTION_STAMP = "CRC32(CONCAT_WS('/', routine_name, last_altered))"
READABLE_COLUMNS = "FROM information_schema.columns WHERE FIND_IN_SET('select', privileges)"
COLUMNS = (
    "SELECT table_schema, table_name, column_name, column_type, is_nullable, column_comment, generation_expression, "
    f"{COLUMN_STAMP} {READABLE_COLUMNS} AND table_schema {OWN} "
    "ORDER BY table_schema, table_name, ordinal_position"
)
KEYS = (
    "SELECT table_schema, table_name, constraint_name, column_name, "  # noqa: S608
    "referenced_table_schema, referenced_table_name, referenced_column_name "
    f"FROM information_schema.key_column_usage WHERE table_schema {OWN} "
    "AND (constraint_name = 'PRIMARY' OR referenced_table_name IS NOT NULL) "
    "ORDER BY table_schema, table_name, constraint_name, ordinal_position"
)
VIEWS = (
    f"SELECT table_schema, table_name, view_definition, {VIEW_STAMP} FROM information_schema.views "  # noqa: S608
    f"WHERE table_schema {OWN}"
)
"""Definitions are empty for users without the right SHOW VIEW."""
FUNCTIONS_IN_USE = "FROM information_schema.routines WHERE routine_type = 'FUNCTION' AND routine_schema = DATABASE()"
"""Stored functions that an unqualified name can mean."""
ROUTINES = f"SELECT lower(routine_name), {FUNCTION_STAMP} {FUNCTIONS_IN_USE}"
QUESTIONS = (TABLES, COLUMNS, KEYS, VIEWS, ROUTINES)
WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|TRUNCATE)\b")
GRANT = re.compile(r"GRANT (.+?) ON (?!PROXY)\S+ TO ", re.IGNORECASE)

Row = Sequence[Any]


def read_catalog(answers: Iterable[Iterable[Row]], database: str) -> Catalog:
    """Make the Catalog from the answers to QUESTIONS, in their order."""
    tables, columns, keys, views, routines = answers
    definitions: dict[tuple[str, str], str] = {}
    stamps: dict[tuple[str, str], int] = defaultdict(int)
    for schema, name, text, stamp in views:
        definitions[schema, name] = text or ""
        stamps[schema, name] = int(stamp or 0)
    by_table: dict[tuple[str, str], list[Column]] = defaultdict(list)
    for schema, table, name, kind, nullable, comment, expression, stamp in columns:
        stamps[schema, table] += int(stamp)
        column = Column(name, kind, nullable == "YES", comment or "", expression or "", labels=read_labels(kind))
        by_table[schema, table].append(column)
    primary: dict[tuple[str, str], list[str]] = defaultdict(list)
    foreign: dict[tuple[str, str], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for schema, table, constraint, *parts in keys:
        if parts[2] is None:
            primary[schema, table].append(parts[0])
        else:
            foreign[schema, table][constraint].append(parts)
    readable_tables = drop_unreadable_keys(
        Table(
            name=name,
            schema=schema,
            kind="view" if kind == "VIEW" else "table",
            comment="" if kind == "VIEW" else comment or "",
            columns=tuple(by_table[schema, name]),
            primary_key=tuple(primary[schema, name]),
            foreign_keys=tuple(_read_foreign_key(parts) for parts in foreign[schema, name].values()),
            row_estimate=None if estimate is None else int(estimate),
            definition=definitions.get((schema, name), ""),
            stamp=stamps[schema, name],
        )
        for schema, name, kind, comment, estimate in tables
        if by_table[schema, name]  # else the user may read none of its columns
    )
    routines = list(routines)
    own = frozenset(name for name, _ in routines) & (FUNCTIONS | RULES.grammar)
    version = hashlib.sha256(repr((readable_tables, database, sorted(own))).encode()).hexdigest()[:16]
    return Catalog(
        tables=readable_tables,
        dialect="mysql",
        default_schema=database,
        version=version,
        functions=FUNCTIONS - own if own else None,
        own=OwnNames(functions=own),
        definitions=str(sum(int(stamp) for _, stamp in routines)),
    )


def write_comparison(catalog: Catalog, tables: Iterable[Table]) -> str:
    """Write SQL that returns 1 if the functions are those of `catalog`, and `tables` have not changed since."""
    branches = [f"SELECT {FUNCTION_STAMP} AS s {FUNCTIONS_IN_USE}"]
    expected = int(catalog.definitions)
    for table in tables:
        place = f"table_schema = {_quote_text(table.schema)} AND table_name = {_quote_text(table.name)}"
        branches.append(f"SELECT {COLUMN_STAMP} {READABLE_COLUMNS} AND {place}")
        branches.append(f"SELECT {VIEW_STAMP} FROM information_schema.views WHERE {place}")  # noqa: S608
        expected += table.stamp
    return f"SELECT coalesce(SUM(s), 0) = {expected} FROM ({' UNION ALL '.join(branches)}) AS stamps"  # noqa: S608


def _quote_text(text: str) -> str:
    """Write a text as hexadecimal digits, which no SQL mode changes."""
    return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4)"


def _read_foreign_key(parts: list[Row]) -> ForeignKey:
    return ForeignKey(
        columns=tuple(part[0] for part in parts),
        ref_schema=parts[0][1],
        ref_table=parts[0][2],
        ref_columns=tuple(part[3] for part in parts),
    )


def read_warnings(grants: Iterable[str]) -> list[str]:
    """Make warnings for the connection's status from the answers to SHOW GRANTS."""
    rights = " ".join(match[1].upper() for grant in grants if (match := GRANT.match(grant)))
    if "ALL PRIVILEGES" in rights or "SUPER" in rights:
        return ["The user has all privileges; give this connection a user that may only read."]
    warnings = []
    if re.search(r"\bFILE\b", rights):
        warnings.append("The user may read and write the database server's files; take the right FILE away from it.")
    if WRITES.search(rights):
        warnings.append("The user may write; a user that may only read is safer.")
    return warnings
