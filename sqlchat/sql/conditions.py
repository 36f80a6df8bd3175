"""Finds the texts that a statement compares columns with.

Numbers, dates and times are left out: they follow from a question, not from values in a database.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlglot import exp

from sqlchat.sql.catalog import Catalog
from sqlchat.sql.parse import parse
from sqlchat.sql.statements import StatementResolver

COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Glob, exp.NullSafeEQ)
PATTERNS = (exp.Like, exp.ILike, exp.Glob)
EQUAL = (exp.EQ, exp.In, exp.NullSafeEQ)
AROUND_COLUMN = (exp.Lower, exp.Upper, exp.Trim, exp.Cast, exp.Paren, exp.Collate, exp.Coalesce)
"""Functions around a column that keep the comparison with its own values."""
AROUND_TEXT = (exp.Lower, exp.Upper, exp.Trim, exp.Cast, exp.Paren, exp.Collate)
DATE = re.compile(r"\d{4}-\d{1,2}(-\d{1,2}([T ]\d{1,2}:.*)?)?|\d{1,2}:\d{2}(:\d{2})?")


@dataclass(frozen=True, slots=True)
class TextCondition:
    """A text that a column is compared with."""

    text: str
    pattern: bool = False
    """Whether `%`, `_` and `*` in it are wildcards."""
    any_case: bool = False
    demanded: bool = False
    """Whether a row must have exactly this text: by an equation or IN that is not negated."""
    path: tuple[str, str, str] | None = None
    """Schema, table and name of the column; None if they are uncertain."""


def find_text_conditions(sql: str, dialect: str, catalog: Catalog) -> tuple[TextCondition, ...]:
    """Return the conditions of `sql`, in the order of the text, each once. Raises as `parse` does."""
    conditions = (each for tree in parse(sql, dialect) for each in find_conditions(tree, dialect, catalog))
    return tuple(dict.fromkeys(conditions))


def find_conditions(tree: exp.Expr, dialect: str, catalog: Catalog) -> Iterator[TextCondition]:
    resolver = StatementResolver(dialect, catalog)
    resolver.resolve_statement(tree)
    names = {column.name.lower() for table in catalog.tables for column in table.columns}
    for node in tree.find_all(*COMPARISONS, exp.In):
        if isinstance(node, exp.In):
            sides = [(node.this, option) for option in node.expressions]
        else:
            sides = [(node.this, node.expression), (node.expression, node.this)]
        ignores_case = dialect == "mysql" or isinstance(node, exp.ILike)
        ignores_case |= dialect == "sqlite" and isinstance(node, exp.Like)
        for side, value in sides:
            text, column = _read_text(value, names), _read_column(side, names)
            if text and column and not DATE.fullmatch(text):
                is_folded = any(operand.find(exp.Lower, exp.Upper, exp.Collate) for operand in (side, value))
                is_demanded = isinstance(node, EQUAL) and node.find_ancestor(exp.Not, exp.Or, exp.Case) is None
                path = resolver.findings.find_path(column)
                yield TextCondition(text, isinstance(node, PATTERNS), ignores_case or is_folded, is_demanded, path)


def _read_column(node: exp.Expr, names: Collection[str]) -> exp.Column | None:
    while isinstance(node, AROUND_COLUMN):
        node = node.this
    return node if isinstance(node, exp.Column) and not _is_quoted_text(node, names) else None


def _read_text(node: exp.Expr | None, names: Collection[str]) -> str:
    while isinstance(node, AROUND_TEXT):
        node = node.this
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    if isinstance(node, exp.Column) and _is_quoted_text(node, names):
        return node.name
    return ""


def _is_quoted_text(column: exp.Column, names: Collection[str]) -> bool:
    """Whether a double-quoted name is no column, so that SQLite reads it as a text."""
    return column.this.args.get("quoted") is True and not column.table and column.name.lower() not in names
