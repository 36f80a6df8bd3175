"""Measures: what is computed from columns. Read from comments (`name = expression`), or general knowledge: sales are
quantity times price. Called by the linker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from sqlchat.language.lexicon import (
    COST_WORDS,
    MEASURE_UNITS,
    PEOPLE,
    PRICE_WORDS,
    QUANTITY_WORDS,
    REVENUE,
    UNITS,
    words,
)
from sqlchat.language.tokens import name_words, singular, stem
from sqlchat.providers.offline.dates import INTEGER_TYPE, is_number
from sqlchat.sql.catalog import Table

DEFINITION = re.compile(r"(?:^|[;:.\n])\s*([A-Za-z_][\w ]{1,40}?)\s*=\s*([^=;\n]{3,200})")
MARGIN = ("gross margin", "margin", "profit", "gross profit")
AMOUNTS = words("amount total fee payment revenue sale proceeds donation cost charge fare")
"""Last words of columns that hold the money of a row, in the singular."""
SINGLE = words("unit per average avg base list daily hourly monthly yearly rate price estimated planned target")
"""Words of columns that hold the money for a part of a row, or none that was paid."""
DEEDS = words(
    "attempts tries retries visits views clicks calls stops errors faults failures returns complaints repairs "
    "reviews ratings votes likes shares points scores goals wins losses reads edits logins changes delays warnings "
    "strikes"
)
"""What is counted of a row and is no number of pieces that were paid for."""
HEADS = words("adults children kids babies infants toddlers teenagers pensioners seniors men women boys girls")
"""Names of columns with numbers of people of a kind."""
ALLOWED = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Paren,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Neg,
    exp.Coalesce,
)


@dataclass(frozen=True, slots=True)
class Measure:
    table: tuple[str, str]
    name: str
    names: tuple[str, ...]
    """All words that mean it, its own name among them."""
    sql: str
    """The expression over unqualified columns of its table, in sqlglot's own dialect."""
    defined: bool
    """Whether a comment of the database defines it, or general knowledge does."""
    column: str = ""
    """The one column that it adds up, if it is no more than that."""


def find_measures(key: tuple[str, str], table: Table, dialect: str) -> list[Measure]:
    """The measures of a table: those its comments define, else revenue where it has a quantity and a price."""
    found = [heads] if (heads := _find_heads(key, table)) is not None else []
    for comment in (table.comment, *(c.comment for c in table.columns)):
        for name, text in DEFINITION.findall(comment):
            expression = parse_arithmetic(text, table, dialect)
            if expression is not None:
                plain = " ".join(name_words(name))
                names = (plain, *sorted(REVENUE - {plain})) if plain in REVENUE else (plain,)
                found.append(Measure(key, plain, names, expression.sql(), defined=True))
    if any(m.name in REVENUE for m in found) or any(set(name_words(c.name)) & REVENUE for c in table.columns):
        return found
    quantity, price, cost = find_quantity(table), _column(table, PRICE_WORDS), _column(table, COST_WORDS)
    if quantity and price:
        number, each = exp.column(quantity, quoted=True), exp.column(price, quoted=True)
        product = exp.Mul(this=number, expression=each)
        found.append(Measure(key, "revenue", tuple(sorted(REVENUE)), product.sql(), defined=False))
        if cost and cost != price:
            rest = exp.paren(exp.Sub(this=each.copy(), expression=exp.column(cost, quoted=True)))
            margin = exp.Mul(this=number.copy(), expression=rest)
            found.append(Measure(key, "margin", MARGIN, margin.sql(), defined=False))
    return found


def _find_heads(key: tuple[str, str], table: Table) -> Measure | None:
    """How many people a row has, by its columns of whole numbers of adults and children."""
    named = {" ".join(name_words(c.name)): c for c in table.columns if INTEGER_TYPE.search(c.type)}
    ages = [exp.column(column.name, quoted=True) for name, column in named.items() if name in HEADS]
    if len(ages) < 2 or not {"people", "persons", "guests", "total people"}.isdisjoint(named):
        return None
    total = " + ".join(exp.Coalesce(this=age, expressions=[exp.Literal.number(0)]).sql() for age in ages)
    return Measure(key, "headcount", ("headcount",), total, defined=False)


def find_quantity(table: Table) -> str | None:
    """The column with the number of pieces: `quantity`, else the one whole number with a plural name: `bags`."""
    named = _column(table, QUANTITY_WORDS)
    if named is not None or _column(table, PRICE_WORDS) is None:
        return named
    keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
    found = [
        column.name
        for column in table.columns
        if INTEGER_TYPE.search(column.type)
        and column.name not in keys
        and len(parts := name_words(column.name)) == 1
        and parts[0].endswith("s")
        and parts[0] not in DEEDS
        and singular(parts[0]) not in PEOPLE
        and parts[0] not in UNITS
        and parts[0] not in MEASURE_UNITS
    ]
    return found[0] if len(found) == 1 else None


def is_side_table(key: tuple[str, str], tables: Mapping[tuple[str, str], Table]) -> bool:
    """Whether a table only adds to rows that have an amount of their own, as extras do to a booking.

    It leads to no other table, so its rows are not the lines of things sold that make up the amount.
    """
    parents = [(fk.ref_schema, fk.ref_table) for fk in tables[key].foreign_keys]
    return len(parents) == 1 and parents[0] in tables and _has_amount(tables[parents[0]])


def _has_amount(table: Table) -> bool:
    named = [name_words(column.name) for column in table.columns if is_number(column)]
    return any(words and singular(words[-1]) in AMOUNTS and SINGLE.isdisjoint(words) for words in named)


def find_namesake(key: tuple[str, str], table: Table) -> Measure | None:
    """The number that a table is named after, as in `sales(day, shop, sales)`: its rows hold shares of it."""
    named = tuple(map(stem, name_words(table.name)))
    for column in table.columns:
        key_column = column.name in table.primary_key or any(column.name in fk.columns for fk in table.foreign_keys)
        if is_number(column) and not key_column and tuple(map(stem, name_words(column.name))) == named:
            name = " ".join(name_words(column.name))
            return Measure(key, name, (name,), exp.column(column.name, quoted=True).sql(), False, column.name)
    return None


def parse_arithmetic(text: str, table: Table, dialect: str) -> exp.Expr | None:
    """`text` as an expression, if it is arithmetic over columns of `table` and nothing else; names as the table has
    them. None otherwise."""
    try:
        tree = sqlglot.parse_one(text.strip().rstrip("."), read=dialect)
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None
    columns = list(tree.find_all(exp.Column))
    if not columns or isinstance(tree, exp.Column) or any(not isinstance(node, ALLOWED) for node in tree.walk()):
        return None
    for column in columns:
        known = table.column(column.name)
        if known is None or column.table:
            return None
        column.set("this", exp.to_identifier(known.name, quoted=True))
    return tree


def _column(table: Table, names: tuple[str, ...]) -> str | None:
    for name in names:
        for column in table.columns:
            if " ".join(name_words(column.name)) == name:
                return column.name
    return None
