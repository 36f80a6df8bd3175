"""Finds the kind, tables, columns and CTEs of a text of SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.columns import Place
from sqlchat.sql.commands import read_statements
from sqlchat.sql.statements import StatementResolver

MULTIPLE = "MULTIPLE"

OF_PIPES = re.compile(r"__tmp\d+")
"""CTEs that sqlglot makes of BigQuery's pipes."""
_KINDS: dict[type[exp.Expr], str] = {
    exp.Query: "SELECT", exp.UDTF: "SELECT", exp.Pivot: "SELECT", exp.MultitableInserts: "INSERT",
    exp.TruncateTable: "TRUNCATE", exp.LoadData: "LOAD", exp.Transaction: "BEGIN", exp.Block: "BEGIN",
    exp.IfBlock: "IF", exp.WhileBlock: "WHILE",
}  # fmt: skip
_SESSION = {"SET", "USE", "BEGIN", "COMMIT", "ROLLBACK", "PRAGMA"}
"""Kinds that only set the session or bound a transaction."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Each tuple holds every name once, in the order in which the text has them first."""

    query_type: str
    """SELECT, INSERT, UPDATE, DELETE, MERGE, CREATE, DROP, ALTER, COPY, TRUNCATE, EXPLAIN, ...; of several statements
    the kind that all have (those of _SESSION aside), else MULTIPLE."""
    tables_read: tuple[str, ...]
    """As written, qualified where qualified, without quotes. CTEs and table functions are no tables."""
    tables_written: tuple[str, ...]
    """Tables and views that are changed, defined or dropped. One that is also read is in both."""
    columns_used: tuple[str, ...]
    """`table.column` where the text (through its aliases) or the catalog tells the table, else the bare name; `*` and
    `table.*` where no catalog expands them. Columns of a CTE or subquery are replaced by those that it reads."""
    ctes: tuple[str, ...]


def lineage(sql: str, dialect: str, catalog: Catalog | None = None) -> Lineage:
    """The lineage of all statements in `sql`, which is written in sqlglot's `dialect` ("" for its default).

    With `catalog`, `*` is expanded and bare columns are resolved. Nothing is refused for what it does. Raises
    SQLSyntaxError for a text that is no SQL, and SQLRefusedError for a statement of which it is not known what it
    reads and writes, or as `parse` does.
    """
    resolver = StatementResolver(dialect, catalog)
    found = resolver.findings
    kinds: list[str] = []
    try:
        for statement in read_statements(sql, dialect):
            ctes, known = dict(found.ctes), len(found.reads) + len(found.writes)
            kinds.append(statement.kind or _name_kind(statement.tree, dialect))
            found.offset = statement.offset
            if statement.tree is not None:
                _check_whole(statement.tree)
                resolver.resolve_statement(statement.tree)
            calls = isinstance(statement.tree, exp.Execute) or statement.kind in ("CALL", "EXEC")
            if calls and len(found.reads) + len(found.writes) == known:
                raise SQLRefusedError("What the procedure reads and writes stands in the database, not in this text.")
            if statement.is_recursive_view:  # its text has no WITH
                found.ctes = ctes
    except RecursionError as exc:
        raise SQLRefusedError("This SQL is nested too deeply; flatten it, for instance with WITH.") from exc
    reads: dict[str, Place] = {}
    for _, place, key in found.reads.values():
        reads[key] = min(place, reads.get(key, place))
    return Lineage(
        query_type=_find_common_kind(kinds),
        tables_read=_sort_places(reads.values()),
        tables_written=_sort_places(found.writes.values()),
        columns_used=_sort_places(found.columns.values()),
        ctes=tuple(name for name in _sort_places(found.ctes.values()) if not OF_PIPES.fullmatch(name) or name in sql),
    )


def _check_whole(tree: exp.Expr) -> None:
    """Raise SQLSyntaxError for a statement that ends after its first words."""
    if isinstance(tree, exp.Select) and not tree.expressions and not tree.args.get("from_"):
        raise SQLSyntaxError("This SELECT selects nothing.")
    if isinstance(tree, exp.Update) and not tree.expressions:
        raise SQLSyntaxError("This UPDATE has no SET.")


def _sort_places(places: Iterable[Place]) -> tuple[str, ...]:
    # The columns of one `*` stand at one place; sorting is stable and leaves them in the table's order.
    return tuple(dict.fromkeys(name for _, name in sorted(places, key=lambda place: place[0])))


def _name_kind(tree: exp.Expr | None, dialect: str) -> str:
    for node_type, kind in _KINDS.items():
        if isinstance(tree, node_type):
            return kind
    if isinstance(tree, exp.Describe) and dialect != "duckdb" and not isinstance(tree.this, exp.Table):
        return "EXPLAIN"
    return tree.key.upper() if tree is not None else ""


def _find_common_kind(kinds: list[str]) -> str:
    acting = [kind for kind in kinds if kind not in _SESSION] or kinds[:1]
    return acting[0] if len(set(acting)) == 1 else MULTIPLE
