"""Finds the order, tables, columns and texts of a gold SQL."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from sqlchat.chat.compare import Order
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.conditions import TextCondition, find_conditions
from sqlchat.sql.lineage import lineage
from sqlchat.sql.parse import parse


@dataclass(frozen=True, slots=True)
class Gold:
    order: Order | None
    """None if the rows may come in any order."""
    tables: tuple[tuple[str, str], ...]
    """(schema, table)"""
    columns: tuple[tuple[str, str, str], ...]
    """(schema, table, column)"""
    literals: tuple[TextCondition, ...]
    """Texts that columns are compared with."""


def inspect_gold(sql: str, dialect: str, catalog: Catalog) -> Gold:
    """Return the parts of `catalog` that `sql`, in sqlglot's `dialect`, needs. Skips names that `catalog` lacks.

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
    part = replace(catalog, tables=tuple(tables.values()))
    return Gold(
        _read_order(tree),
        tuple(dict.fromkeys((table.schema, table.name) for table in tables.values())),
        tuple(columns),
        tuple(dict.fromkeys(_read_literal(condition) for condition in find_conditions(tree, dialect, part))),
    )


def _read_literal(condition: TextCondition) -> TextCondition:
    """Drop the compared column, so that equal texts count once."""
    return replace(condition, demanded=False, path=None)


def _read_order(tree: exp.Expr) -> Order | None:
    while isinstance(tree, exp.Subquery):
        tree = tree.this
    order = tree.args.get("order") if isinstance(tree, exp.Query) else None
    if order is None:
        return None
    select = tree
    while isinstance(select, exp.SetOperation):
        select = select.this
    outputs = select.expressions if isinstance(select, exp.Select) else []
    keys = [_make_key(ordered.this, outputs) for ordered in order.expressions]
    found_keys = tuple(key for key in keys if key is not None)
    return Order(found_keys if len(found_keys) == len(keys) else None)


def _make_key(key: exp.Expr, outputs: list[exp.Expr]) -> int | str | None:
    """Return the output column of `key`: its place, or its name if a `*` hides the places; else None."""
    if isinstance(key, exp.Literal) and key.is_int:
        return int(key.this) - 1
    if any(output.is_star for output in outputs):
        return key.name if isinstance(key, exp.Column) else None
    for place, output in enumerate(outputs):
        alias = output.alias if isinstance(output, exp.Alias) else ""
        if isinstance(key, exp.Column) and not key.table and alias and key.name.lower() == alias.lower():
            return place
        if output.unalias() == key:
            return place
    if isinstance(key, exp.Column):
        for place, output in enumerate(outputs):
            if output.alias_or_name.lower() == key.name.lower():
                return place
    return None
