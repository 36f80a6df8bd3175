"""Reads the catalog of a DuckDB database from its own table functions."""

from __future__ import annotations

from collections import defaultdict

from sqlchat.connections.duckdb.instance import SYSTEM
from sqlchat.connections.duckdb.macros import read_own
from sqlchat.connections.embedded import Query
from sqlchat.sql.catalog import Catalog, Column, ForeignKey, Table, read_labels
from sqlchat.sql.guards.duckdb import FUNCTIONS

Key = tuple[str, str]
"""Schema and table."""

MINE = f"database_name = {SYSTEM}.current_database() AND NOT internal"
TABLES = f"""
    SELECT schema_name, table_name, 'table', coalesce(comment, ''), estimated_size, ''
    FROM {SYSTEM}.duckdb_tables() WHERE {MINE}
    UNION ALL
    SELECT schema_name, view_name, 'view', coalesce(comment, ''), NULL, sql FROM {SYSTEM}.duckdb_views() WHERE {MINE}
    ORDER BY 1, 2"""  # noqa: S608
COLUMNS = f"""
    SELECT schema_name, table_name, column_name, data_type, is_nullable, coalesce(comment, ''),
        coalesce(generation_expression, '')
    FROM {SYSTEM}.duckdb_columns() WHERE {MINE} ORDER BY schema_name, table_name, column_index"""  # noqa: S608
CONSTRAINTS = f"""
    SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table,
        referenced_column_names
    FROM {SYSTEM}.duckdb_constraints()
    WHERE database_name = {SYSTEM}.current_database() AND constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')
    ORDER BY schema_name, table_name, constraint_index"""  # noqa: S608


def read(query: Query) -> Catalog:
    """Read the tables, views, keys and own macros of the database."""
    columns: dict[Key, list[Column]] = defaultdict(list)
    for schema, table, name, type, nullable, comment, expression in query(COLUMNS):
        column = Column(name, type, bool(nullable), comment, expression, labels=read_labels(type))
        columns[schema, table].append(column)
    primary: dict[Key, tuple[str, ...]] = {}
    foreign: dict[Key, list[ForeignKey]] = defaultdict(list)
    for schema, table, kind, own, referenced, referenced_columns in query(CONSTRAINTS):
        if kind == "PRIMARY KEY":
            primary[schema, table] = tuple(own)
        else:
            # a foreign key of DuckDB stays within its schema
            foreign[schema, table].append(ForeignKey(tuple(own), schema, referenced, tuple(referenced_columns)))
    tables = tuple(
        Table(
            name=name,
            columns=tuple(columns[schema, name]),
            schema=schema,
            kind=kind,
            comment=comment,
            primary_key=primary.get((schema, name), ()),
            foreign_keys=tuple(foreign[schema, name]),
            row_estimate=size,
            definition=definition or "",
        )
        for schema, name, kind, comment, size, definition in query(TABLES)
    )
    own = read_own(query)
    functions = FUNCTIONS - own.functions if own.functions else None
    return Catalog(tables, dialect="duckdb", default_schema="main", functions=functions, own=own)
