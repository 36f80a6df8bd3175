"""Terms that the owner defined with SQL, where it is a condition or a total over columns of one table.

A condition becomes a column that says yes or no: `active customer` with `status = 'active'` is read like a flag
`active` of `customers`. A total becomes a measure of its table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import sqlglot
from sqlglot import exp

from sqlchat.language.tokens import name_words, stem
from sqlchat.providers.base import Term
from sqlchat.providers.offline.measures import ALLOWED, Measure
from sqlchat.sql.catalog import Catalog, Column, Table

Key = tuple[str, str]
CONDITIONS = (exp.Predicate, exp.And, exp.Or, exp.Not)
PLAIN = (
    *ALLOWED, *CONDITIONS, exp.Boolean, exp.Null, exp.Cast, exp.DataType, exp.Lower, exp.Upper, exp.Date, exp.Tuple,
)  # fmt: skip


@dataclass
class Definitions:
    """What the terms add to a catalog."""

    catalog: Catalog
    measures: list[Measure] = field(default_factory=list)
    conditions: dict[tuple[Key, str], str] = field(default_factory=dict)
    """(table, the column that stands for the condition) -> its SQL in sqlglot's own dialect, columns unqualified."""
    terms: dict[str, str] = field(default_factory=dict)
    """The names of those columns and measures -> the terms they stand for."""


def define(catalog: Catalog, terms: Iterable[Term]) -> Definitions:
    """The catalog with the terms that can be read; the others are left aside."""
    found = Definitions(catalog)
    tables = list(catalog.tables)
    for term in terms:
        read = _read(term.sql, catalog)
        if read is None:
            continue
        tree, place = read
        table = tables[place]
        key = (table.schema, table.name)
        if isinstance(tree, CONDITIONS):
            for name in term.names:
                column = _without_table(name, table)
                found.conditions[key, column] = tree.sql()
                found.terms[column] = term.names[0]
                if table.column(column) is None:
                    table = replace(table, columns=(*table.columns, Column(column, "boolean")))
            tables[place] = table
        elif isinstance(tree, exp.Sum) and all(isinstance(node, ALLOWED) for node in tree.this.walk()):
            names = tuple(" ".join(name_words(name)) for name in term.names)
            found.measures.append(Measure(key, names[0], names, tree.this.sql(), defined=True))
            found.terms[names[0]] = term.names[0]
    found.catalog = replace(catalog, tables=tuple(tables))
    return found


def _read(sql: str, catalog: Catalog) -> tuple[exp.Expr, int] | None:
    """The term's expression, its columns as the catalog writes them, and the place of the one table that has them."""
    try:
        tree = sqlglot.parse_one(sql, read=catalog.dialect)
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None
    columns = list(tree.find_all(exp.Column))
    plain = all(isinstance(node, (*PLAIN, exp.Sum)) for node in tree.walk())
    if not columns or not plain:
        return None
    places = [
        at
        for at, table in enumerate(catalog.tables)
        if all(table.column(c.name) and c.table.lower() in ("", table.name.lower()) for c in columns)
    ]
    if len(places) != 1:
        return None
    for column in columns:
        known = catalog.tables[places[0]].column(column.name)
        assert known is not None
        column.replace(exp.column(known.name, quoted=True))
    return tree, places[0]


def _without_table(name: str, table: Table) -> str:
    """`active` for `active customers` of the table `customers`."""
    words, owner = list(name_words(name)), [stem(word) for word in name_words(table.name)]
    if len(words) > 1 and stem(words[-1]) in owner:
        words.pop()
    return "_".join(words)
