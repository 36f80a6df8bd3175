"""What a gold SQL orders by, and the tables, columns and texts that its writer had to know.

`inspect` is a pure function that runs in a worker process, for `run`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from sqlchat.evaluation.compare import Order
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.lineage import lineage
from sqlchat.sql.parse import parse

COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Glob, exp.NullSafeEQ)
PATTERNS = (exp.Like, exp.ILike, exp.Glob)
AROUND_COLUMN = (exp.Lower, exp.Upper, exp.Trim, exp.Cast, exp.Paren, exp.Collate, exp.Coalesce)
"""What may stand around a column that is still compared with its own values."""
AROUND_TEXT = (exp.Lower, exp.Upper, exp.Trim, exp.Cast, exp.Paren, exp.Collate)
DATE = re.compile(r"\d{4}-\d{1,2}(-\d{1,2}([T ]\d{1,2}:.*)?)?|\d{1,2}:\d{2}(:\d{2})?")


@dataclass(frozen=True, slots=True)
class Literal:
    """A text that is compared with a column."""

    text: str
    pattern: bool = False
    """Whether its `%`, `_` and `*` stand for anything."""
    any_case: bool = False


@dataclass(frozen=True, slots=True)
class Gold:
    order: Order | None
    """None where the rows may come in any order."""
    tables: tuple[tuple[str, str], ...]
    """(schema, table)"""
    columns: tuple[tuple[str, str, str], ...]
    """(schema, table, column)"""
    literals: tuple[Literal, ...]
    """Numbers, dates and times are left out: they are worked out from the question, not looked up."""


def inspect(sql: str, dialect: str, catalog: Catalog) -> Gold:
    """What `sql`, written in sqlglot's `dialect`, rests on in `catalog`; names that it does not hold are left out.

    Raises SQLSyntaxError and SQLRefusedError as `parse` does.
    """
    tree = parse(sql, dialect)[0]
    origin = lineage(sql, dialect, catalog)
    tables = {}
    for written in origin.tables_read:
        schema, _, name = written.rpartition(".")
        table = catalog.table(written) or catalog.table(name, schema.rpartition(".")[2])
        if table:
            tables[written] = table
    columns = {}
    for written in origin.columns_used:
        for prefix, table in tables.items():
            column = table.column(written.removeprefix(f"{prefix}."))
            if column and (written.startswith(f"{prefix}.") or "." not in written):
                columns[table.schema, table.name, column.name] = True
                break
    names = {column.name.lower() for table in tables.values() for column in table.columns}
    return Gold(
        _order(tree),
        tuple(dict.fromkeys((table.schema, table.name) for table in tables.values())),
        tuple(columns),
        tuple(dict.fromkeys(_literals(tree, dialect, names))),
    )


def _order(tree: exp.Expr) -> Order | None:
    while isinstance(tree, exp.Subquery):
        tree = tree.this
    order = tree.args.get("order") if isinstance(tree, exp.Query) else None
    if order is None:
        return None
    select = tree
    while isinstance(select, exp.SetOperation):
        select = select.this
    put_out = select.expressions if isinstance(select, exp.Select) else []
    keys = [_key(ordered.this, put_out) for ordered in order.expressions]
    known = tuple(key for key in keys if key is not None)
    return Order(known if len(known) == len(keys) else None)


def _key(key: exp.Expr, put_out: list[exp.Expr]) -> int | str | None:
    """The output column that `key` is, by place, or by name where `*` hides the places."""
    starred = any(output.is_star for output in put_out)
    if isinstance(key, exp.Literal) and key.is_int:
        return int(key.this) - 1
    if starred:
        return key.name if isinstance(key, exp.Column) else None
    for place, output in enumerate(put_out):
        alias = output.alias if isinstance(output, exp.Alias) else ""
        if isinstance(key, exp.Column) and not key.table and alias and key.name.lower() == alias.lower():
            return place
        if output.unalias() == key:
            return place
    if isinstance(key, exp.Column):
        for place, output in enumerate(put_out):
            if output.alias_or_name.lower() == key.name.lower():
                return place
    return None


def _literals(tree: exp.Expr, dialect: str, names: set[str]) -> Iterator[Literal]:
    for node in tree.find_all(*COMPARISONS, exp.In):
        if isinstance(node, exp.In):
            sides = [(node.this, option) for option in node.expressions]
        else:
            sides = [(node.this, node.expression), (node.expression, node.this)]
        pattern = isinstance(node, PATTERNS)
        loose = (
            dialect == "mysql" or isinstance(node, exp.ILike) or (dialect == "sqlite" and isinstance(node, exp.Like))
        )
        for column, value in sides:
            text = _text(value, names)
            if text and _is_column(column, names) and not DATE.fullmatch(text):
                folded = any(side.find(exp.Lower, exp.Upper, exp.Collate) for side in (column, value))
                yield Literal(text, pattern, loose or folded)


def _is_column(node: exp.Expr, names: set[str]) -> bool:
    while isinstance(node, AROUND_COLUMN):
        node = node.this
    return isinstance(node, exp.Column) and not _is_quoted_text(node, names)


def _text(node: exp.Expr | None, names: set[str]) -> str:
    while isinstance(node, AROUND_TEXT):
        node = node.this
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    if isinstance(node, exp.Column) and _is_quoted_text(node, names):
        return node.name
    return ""


def _is_quoted_text(column: exp.Column, names: set[str]) -> bool:
    """SQLite reads a double-quoted name that no column has as a text."""
    return column.this.args.get("quoted") is True and not column.table and column.name.lower() not in names
