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

PIPE_CTE = re.compile(r"__tmp\d+")
"""Name of a CTE that sqlglot creates for a pipe of BigQuery."""
_KINDS: dict[type[exp.Expr], str] = {
    exp.Query: "SELECT", exp.UDTF: "SELECT", exp.Pivot: "SELECT", exp.MultitableInserts: "INSERT",
    exp.TruncateTable: "TRUNCATE", exp.LoadData: "LOAD", exp.Transaction: "BEGIN", exp.Block: "BEGIN",
    exp.IfBlock: "IF", exp.WhileBlock: "WHILE",
}  # fmt: skip
_SESSION = {"SET", "USE", "BEGIN", "COMMIT", "ROLLBACK", "PRAGMA"}
"""Kinds that only change the session, or begin or end a transaction."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Tells the names that a text uses. Each tuple has each name once, in the order of the text."""

    query_type: str
    """SELECT, INSERT, UPDATE, DELETE, MERGE, CREATE, DROP, ALTER, COPY, TRUNCATE, EXPLAIN, ...; of several statements
    their common kind (those in _SESSION do not count), else MULTIPLE."""
    tables_read: tuple[str, ...]
    """As in the text, with qualifiers, without quotes. CTEs and table functions are no tables."""
    tables_written: tuple[str, ...]
    """Tables and views that are changed, defined or dropped. A table that is also read is in both tuples."""
    columns_used: tuple[str, ...]
    """`table.column` if the text or the catalog tells the table, else the bare name; `*` and `table.*` if no catalog
    expands them. A column of a CTE or subquery is replaced by the columns that it reads."""
    ctes: tuple[str, ...]


def lineage(sql: str, dialect: str, catalog: Catalog | None = None) -> Lineage:
    """Return the lineage of all statements in `sql`, which is in sqlglot's `dialect` ("" for its default).

    `catalog` serves to expand `*` and to resolve bare columns. Statements that write are accepted. Raises
    SQLSyntaxError for a text that is no SQL, and SQLRefusedError for a statement whose tables cannot be found, or as
    `parse` does.
    """
    resolver = StatementResolver(dialect, catalog)
    findings = resolver.findings
    kinds: list[str] = []
    try:
        for statement in read_statements(sql, dialect):
            ctes, table_count = dict(findings.ctes), len(findings.reads) + len(findings.writes)
            kinds.append(statement.kind or _name_kind(statement.tree, dialect))
            findings.offset = statement.offset
            if statement.tree is not None:
                _check_whole(statement.tree)
                resolver.resolve_statement(statement.tree)
            is_call = isinstance(statement.tree, exp.Execute) or statement.kind in ("CALL", "EXEC")
            if is_call and len(findings.reads) + len(findings.writes) == table_count:
                raise SQLRefusedError("What the procedure reads and writes stands in the database, not in this text.")
            if statement.is_recursive_view:  # its text has no WITH
                findings.ctes = ctes
    except RecursionError as exc:
        raise SQLRefusedError("This SQL is nested too deeply; flatten it, for instance with WITH.") from exc
    reads: dict[str, Place] = {}
    for _, place, key in findings.reads.values():
        reads[key] = min(place, reads.get(key, place))
    cte_names = _sort_places(findings.ctes.values())
    return Lineage(
        query_type=_find_common_kind(kinds),
        tables_read=_sort_places(reads.values()),
        tables_written=_sort_places(findings.writes.values()),
        columns_used=_sort_places(findings.columns.values()),
        ctes=tuple(name for name in cte_names if not PIPE_CTE.fullmatch(name) or name in sql),
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
