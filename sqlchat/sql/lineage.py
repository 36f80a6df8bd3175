"""What a text of SQL reads and writes: its kind, tables, columns and CTEs. For the API and an answer's receipt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.columns import Place
from sqlchat.sql.parse import parse
from sqlchat.sql.statements import StatementResolver

MULTIPLE = "MULTIPLE"

_KINDS: dict[type[exp.Expr], str] = {
    exp.Query: "SELECT",
    exp.UDTF: "SELECT",
    exp.Pivot: "SELECT",
    exp.MultitableInserts: "INSERT",
    exp.TruncateTable: "TRUNCATE",
    exp.LoadData: "LOAD",
    exp.Transaction: "BEGIN",
}
_SESSION = {"SET", "USE", "BEGIN", "COMMIT", "ROLLBACK", "PRAGMA"}
"""Kinds that only prepare or end what the other statements of a text do."""

_EXPLAIN = re.compile(
    r"\s*(?:(?:ANALYZE|VERBOSE|QUERY\s+PLAN|EXTENDED)\b\s*|\([^()]*\)\s*|FORMAT\s*=\s*\w+\s*)*", re.I
)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Each tuple holds every name once, in the order in which the text has them first."""

    query_type: str
    """SELECT, INSERT, UPDATE, DELETE, MERGE, CREATE, DROP, ALTER, COPY, TRUNCATE, EXPLAIN, ...; of several statements
    the kind that all have (what only sets the session or bounds a transaction aside), else MULTIPLE."""
    tables_read: tuple[str, ...]
    """As written, qualified where qualified, without quotes. CTEs and table functions are no tables."""
    tables_written: tuple[str, ...]
    """Tables and views that are changed, defined or dropped. One that is also read is in both."""
    columns_used: tuple[str, ...]
    """`table.column` where the text (through its aliases) or the catalog tells the table, else the bare name; `*` and
    `table.*` where no catalog expands them. What comes from a CTE or subquery is told by the columns in there."""
    ctes: tuple[str, ...]


def lineage(sql: str, dialect: str, catalog: Catalog | None = None) -> Lineage:
    """The lineage of all statements in `sql`, which is written in sqlglot's `dialect` ("" for its default).

    With `catalog`, `*` is expanded and bare columns are resolved. Nothing is refused for what it does; raises
    SQLSyntaxError and SQLRefusedError as `parse` does.
    """
    resolver = StatementResolver(dialect, catalog)
    kinds: list[str] = []
    try:
        for tree in parse(sql, dialect):
            kinds.append(_kind(tree))
            for inner in _inside(tree, dialect):
                resolver.statement(inner)
    except RecursionError as exc:
        raise SQLRefusedError("This SQL is nested too deeply; flatten it, for instance with WITH.") from exc
    found = resolver.findings
    reads: dict[str, Place] = {}
    for place, key in found.reads.values():
        reads[key] = min(place, reads.get(key, place))
    return Lineage(
        query_type=_common(kinds),
        tables_read=_in_order(reads.values()),
        tables_written=_in_order(found.writes.values()),
        columns_used=_in_order(found.columns.values()),
        ctes=_in_order(found.ctes.values()),
    )


def _in_order(places: Iterable[Place]) -> tuple[str, ...]:
    # The columns of one `*` stand at one place; sorting is stable and leaves them in the table's order.
    return tuple(dict.fromkeys(name for _, name in sorted(places, key=lambda place: place[0])))


def _kind(tree: exp.Expr) -> str:
    for node_type, kind in _KINDS.items():
        if isinstance(tree, node_type):
            return kind
    if isinstance(tree, exp.Command):
        return tree.name.upper() or str(tree.this).upper()
    if isinstance(tree, exp.Alias | exp.Column):
        # Statements that sqlglot does not know, such as SAVEPOINT, come as expressions that start with their word.
        return tree.sql().split()[0].upper()
    return tree.key.upper()


def _common(kinds: list[str]) -> str:
    acting = [kind for kind in kinds if kind not in _SESSION] or kinds[:1]
    return acting[0] if len(set(acting)) == 1 else MULTIPLE


def _inside(tree: exp.Expr, dialect: str) -> list[exp.Expr]:
    """The statements to resolve: the one explained, or what sqlglot keeps as text although it can read it."""
    if not isinstance(tree, exp.Command) or not isinstance(tree.expression, exp.Expr):
        return [tree]
    text = tree.expression.name
    match str(tree.this).upper():
        case "EXPLAIN":
            return parse(_EXPLAIN.sub("", text, count=1), dialect)
        case "REPLACE":
            return parse(f"INSERT {text}", dialect)
    return []
