"""Reads the catalog of an SQLite database with its own pragmas."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlchat.connections.embedded import Query, quoted
from sqlchat.connections.sqlite.comments import Comments, read_comments
from sqlchat.connections.sqlite.definitions import MODULE, UNKNOWN, Holdings, read_expressions, read_origin
from sqlchat.sql.catalog import Catalog, Column, ForeignKey, Origin, Table
from sqlchat.sql.guards.sqlite import RULES

Keys = Mapping[str, tuple[str, ...]]

LISTED = (
    "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') "
    "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
)
COLUMNS = 'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid'
"""Hidden 1 is a column of a virtual table that `*` leaves out; 2 and 3 are generated columns."""
FOREIGN_KEYS = 'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq'
COUNTED = 100_000
"""Most rows that are counted. For a larger table, statistics or the largest rowid give an estimate."""
COUNTING = 1.0
"""Seconds for all counting. Later tables have the estimate of the statistics, or none."""


def read(query: Query, fault: type[Exception]) -> Catalog:
    """Read the catalog. `query` raises `fault` if SQLite refuses a statement."""
    until = time.monotonic() + COUNTING
    listed: list[tuple[str, str]] = [(name, kind) for name, kind in query(LISTED)]
    names = {name.lower(): name for name, _ in listed}
    texts: dict[str, str] = dict(
        query("SELECT name, coalesce(sql, '') FROM sqlite_master WHERE type IN ('table', 'view')")
    )
    columns = {name: _read_columns(query, fault, name) for name, _ in listed}
    keys = {
        name: tuple(column for _, column in sorted((key, column) for column, _, _, key, _ in columns[name] if key))
        for name, _ in listed
    }
    analyzed = _read_analyzed_rows(query, fault)
    origins = _read_origins(listed, texts, columns, keys)
    tables = []
    for name, kind in listed:
        text, rows = texts.get(name, ""), analyzed.get(name)
        if kind == "table" and time.monotonic() < until:
            rows = _estimate_rows(query, fault, name, rows)
        comments = read_comments(text)
        table = Table(
            name=name,
            columns=_make_columns(text, columns[name], comments),
            kind="view" if kind == "view" else "table",
            comment=comments.table,
            primary_key=keys[name],
            foreign_keys=_read_foreign_keys(query(FOREIGN_KEYS, name), names, keys),
            row_estimate=rows,
            definition=text if kind == "view" else "",
            origin=origins.get(name),
        )
        tables.append(table)
    # a full-text table can also be called, as in FROM articles('word')
    modules = {name.lower(): match[1].lower() for name, text in texts.items() if (match := MODULE.match(text))}
    callables = {
        name
        for name, module in modules.items()
        if module == "fts5" and not (RULES.others and RULES.others.fullmatch(name))
    }
    return Catalog(tuple(tables), dialect="sqlite", functions=RULES.functions | callables if callables else None)


def _make_columns(text: str, rows: Sequence[tuple[Any, ...]], comments: Comments) -> tuple[Column, ...]:
    computed = read_expressions(text, [name for name, *_, hidden in rows if hidden])
    return tuple(
        Column(name, type, not (required or key), comments.columns.get(name.lower(), ""), computed.get(name, ""))
        for name, type, required, key, _ in rows
    )


def _read_origins(
    listed: Sequence[tuple[str, str]],
    texts: Mapping[str, str],
    columns: Mapping[str, Sequence[tuple[Any, ...]]],
    keys: Keys,
) -> dict[str, Origin]:
    """Return the origins of values, by table, for tables that show values of other tables.

    If SQLite lacks the module of a virtual table `t`, each table named `t_...` may keep its values: their origins are
    unknown.
    """
    holdings = Holdings(
        frozenset(map(str.lower, texts)),
        {name.lower(): [column for column, *_ in rows] for name, rows in columns.items()},
        {name.lower(): key for name, key in keys.items()},
    )
    virtual = [name for name, kind in listed if kind == "virtual"]
    origins = {name: origin for name in virtual if (origin := read_origin(texts.get(name, ""), name, holdings))}
    unreadable = tuple(f"{name}_".lower() for name in virtual if not columns[name])
    return origins | {name: UNKNOWN for name, _ in listed if unreadable and name.lower().startswith(unreadable)}


def _read_columns(query: Query, fault: type[Exception], table: str) -> list[tuple[Any, ...]]:
    """Return name, declared type, NOT NULL, place in the primary key, and a number above 0 if it is generated.

    Returns nothing for a view whose tables are gone, and for a virtual table whose module is missing.
    """
    try:
        return query(COLUMNS, table)
    except fault:
        return []


def _read_foreign_keys(rows: list[tuple[Any, ...]], names: Mapping[str, str], keys: Keys) -> tuple[ForeignKey, ...]:
    foreign_keys = []
    for _, group in groupby(rows, key=lambda row: row[0]):
        parts = list(group)
        table = names.get(parts[0][1].lower(), parts[0][1])
        own = tuple(column for _, _, column, _ in parts)
        referenced = tuple(column for *_, column in parts if column is not None)
        # without columns, REFERENCES means the primary key of the table
        foreign_keys.append(ForeignKey(own, "", table, referenced or keys.get(table, ())))
    return tuple(foreign_keys)


def _read_analyzed_rows(query: Query, fault: type[Exception]) -> dict[str, int]:
    """Return the rows of each table as the last ANALYZE counted them; empty without one."""
    try:
        counts = query("SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl")
    except fault:
        return {}
    return {table: rows for table, rows in counts if rows is not None}


def _estimate_rows(query: Query, fault: type[Exception], table: str, analyzed: int | None) -> int | None:
    ((counted,),) = query(f"SELECT count(*) FROM (SELECT 1 FROM {quoted(table)} LIMIT {COUNTED + 1})")  # noqa: S608
    if counted <= COUNTED:
        return int(counted)
    if analyzed is not None:
        return analyzed
    try:
        ((largest,),) = query(f"SELECT max(t.rowid) FROM {quoted(table)} AS t")  # noqa: S608
    except fault:  # WITHOUT ROWID
        return None
    return int(largest)
