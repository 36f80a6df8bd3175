"""Finds how many digits behind the point an exact number in Postgres' result can have, where its SQL tells that.

Postgres declares no scale for `sum(amount)`, `round(x, 2)` or `a * b`, though the scales of the columns bound it. A
quotient and an average have none: Postgres chooses the scale of each value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, build_scope

from sqlchat.sql.catalog import Catalog
from sqlchat.sql.parse import parse

DECIMAL = re.compile(r"numeric\(\d+,\s*(\d+)\)")
INTEGERS = frozenset({"smallint", "int", "integer", "bigint"})
SAME = (exp.Sum, exp.Min, exp.Max, exp.Abs, exp.Neg, exp.Paren, exp.Nullif, exp.Filter, exp.Window)
"""The scale of such a value is that of its operand."""
LARGEST = (exp.Coalesce, exp.Greatest, exp.Least, exp.Add, exp.Sub, exp.Case, exp.If, exp.Distinct)
"""The scale of such a value is at most the largest one of its operands."""
MOST_SOURCES = 20
"""Sources in one FROM among which a column without a qualifier is looked for."""


def find_scales(sql: str, catalog: Catalog) -> tuple[int | None, ...]:
    """Return the largest scale of each column of a query, if its values are exact numbers; None if it is unknown.

    For example, `SELECT sum(amount), avg(amount)` of an `amount numeric(12,2)` gives (2, None). A query whose columns
    are not listed one by one gives ().
    """
    try:
        (tree,) = parse(sql, "postgres")
        is_simple = not any(alias.columns for alias in tree.find_all(exp.TableAlias))
        is_simple &= not any(clause.recursive for clause in tree.find_all(exp.With))
        scope = build_scope(tree) if is_simple else None
        return tuple(_ScaleFinder(catalog).list_scales(scope)) if scope else ()
    except (SqlglotError, RecursionError, ValueError):
        return ()


class _ScaleFinder:
    """Finds scales. Keeps those of each query and column: else each CTE of a chain would multiply the time."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._queries: dict[int, list[int | None]] = {}
        self._columns: dict[tuple[int, str, str], int | None] = {}

    def list_scales(self, scope: Scope) -> list[int | None]:
        """Return the scale of each column of a query. Raises ValueError if they are not listed one by one."""
        if id(scope) not in self._queries:
            self._queries[id(scope)] = self._list_scales(scope)
        return self._queries[id(scope)]

    def _list_scales(self, scope: Scope) -> list[int | None]:
        if scope.set_operation_scopes:
            pairs = zip(*(self.list_scales(each) for each in scope.set_operation_scopes), strict=True)
            return [_find_largest(pair) for pair in pairs]
        if not isinstance(scope.expression, exp.Select) or scope.expression.is_star:
            raise ValueError("The columns are not listed.")
        return [self._find_scale(each.unalias(), scope) for each in scope.expression.expressions]

    def _find_scale(self, node: exp.Expr | None, scope: Scope) -> int | None:
        match node:
            case exp.Column():
                key = id(scope), node.table, node.name
                if key not in self._columns:
                    self._columns[key] = self._find_column_scale(node, scope)
                return self._columns[key]
            case exp.Null():
                return 0
            case exp.Literal() if not node.is_string and "e" not in node.name.lower():
                return len(node.name.partition(".")[2])
            case exp.Round():
                digits = node.args.get("decimals")
                if digits is None:
                    return 0
                return int(digits.name) if isinstance(digits, exp.Literal) and digits.is_int else None
            case exp.Ceil() | exp.Floor():
                return 0
            case exp.Cast():
                return _find_type_scale(node.to.sql("postgres").lower().replace("decimal", "numeric"))
            case exp.Mul():
                sides = [self._find_scale(side, scope) for side in (node.this, node.expression)]
                return None if None in sides else sum(filter(None, sides))
        if isinstance(node, SAME):
            return self._find_scale(node.this, scope)
        if isinstance(node, LARGEST):
            return _find_largest(self._find_scale(each, scope) for each in _list_operands(node))
        return None

    def _find_column_scale(self, column: exp.Column, scope: Scope) -> int | None:
        selected = {name: source for name, (_, source) in scope.selected_sources.items()}
        if not column.table and len(selected) > MOST_SOURCES:
            return None
        sources = [selected.get(column.table)] if column.table else list(selected.values())
        scales: list[int | None] = []
        for source in sources:
            if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
                names = source.expression.named_selects
                if column.name in names:
                    scales.append(self.list_scales(source)[names.index(column.name)])
            elif isinstance(source, exp.Table) and (table := self._catalog.table(source.name, source.db or None)):
                if column_read := table.column(column.name):
                    scales.append(_find_type_scale(column_read.type))
            else:
                return None
        return _find_largest(scales) if scales else None


def _list_operands(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Case):
        branches = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
        return [each for each in branches if each is not None]
    if isinstance(node, exp.If):
        return [each for each in (node.args.get("true"), node.args.get("false")) if each is not None]
    return [each for each in (node.this, *node.expressions, node.args.get("expression")) if each is not None]


def _find_type_scale(type: str) -> int | None:
    match = DECIMAL.fullmatch(type)
    return int(match[1]) if match else 0 if type in INTEGERS else None


def _find_largest(scales: Iterable[int | None]) -> int | None:
    listed = list(scales)
    return None if None in listed else max(filter(None, listed), default=0)
