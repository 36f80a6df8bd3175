"""Checks stored SQL: whether it can be parsed, and whether the catalog still has the names that it uses."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.names import find_unknown_names
from sqlchat.sql.parse import parse

NO_EXPRESSION = "This is neither an expression nor a condition, such as one after SELECT or after WHERE."


def find_fragment_faults(fragments: Sequence[str], dialect: str) -> tuple[str, ...]:
    """Return an error text for each fragment that is not one expression of `dialect`; "" for a valid one."""
    return tuple(_find_fragment_fault(fragment, dialect) for fragment in fragments)


def hold_names(statements: Sequence[str], catalog: Catalog) -> tuple[bool, ...]:
    """For each statement, whether `catalog` holds all tables and columns that it names."""
    return tuple(_holds_names(statement, catalog) for statement in statements)


def _find_fragment_fault(fragment: str, dialect: str) -> str:
    # In parentheses on lines of their own: a comment at its end swallows none of them.
    try:
        trees = parse(f"SELECT (\n{fragment}\n)", dialect)
    except (SQLSyntaxError, SQLRefusedError):
        try:
            parse(fragment, dialect)
        except (SQLSyntaxError, SQLRefusedError) as exc:
            return exc.detail
        return NO_EXPRESSION
    (tree, *others) = trees
    if others or not isinstance(tree, exp.Select) or any(v for k, v in tree.args.items() if k != "expressions"):
        return NO_EXPRESSION
    (inside, *others) = tree.expressions
    if others or not isinstance(inside, exp.Paren | exp.Subquery):
        return NO_EXPRESSION
    return NO_EXPRESSION if isinstance(inside.this, exp.Alias | exp.Aliases) else ""


def _holds_names(statement: str, catalog: Catalog) -> bool:
    try:
        return not find_unknown_names(statement, catalog.mentioned_in(statement))
    except (SQLSyntaxError, SQLRefusedError):
        return False
