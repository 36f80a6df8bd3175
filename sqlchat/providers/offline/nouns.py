"""Finds the tables and columns that general nouns stand for, such as money and people. `search` puts in their names.

`how much have we raised` asks for the total of the one column of amounts, `who has never booked` for the table of
people that can have done so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlchat.language import lexicon
from sqlchat.language.lexicon import PEOPLE, QUANTITY_WORDS
from sqlchat.language.tokens import singular
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.measures import AMOUNTS, SINGLE, find_quantity

SOLD = lexicon.words("charge fare revenue sale sales proceeds donation price paid")
"""Words of columns with money that came in."""
PAID = lexicon.words("total paid final gross net full order")
"""Words by which a price is what was paid in all."""
CLOSING = lexicon.words(
    "closed resolved completed finished ended returned solved cancelled canceled left terminated settled departed "
    "paid done fixed repaired end ended"
)
PERSONAL = lexicon.words("gender sex birth birthday birthdate dob surname firstname lastname")
"""Words of columns that only people have."""
FULL_NAMES = (("full", "name"), ("first", "name"), ("last", "name"), ("given", "name"), ("family", "name"))


@dataclass(frozen=True, slots=True)
class Noun:
    """A name that is put for a word of no table, and what it is a name of."""

    name: str
    table: Key
    column: str = ""

    @property
    def place(self) -> str:
        return f"{self.table[1]}.{self.column}" if self.column else self.table[1]


@dataclass(frozen=True)
class Vocabulary:
    """Words of one catalog that rephrasings need."""

    nouns: Mapping[str, tuple[Noun, ...]]
    doers: frozenset[str]
    """Words of tables' names, and verbs in names of keys."""
    deeds: frozenset[str]
    """Nouns in names of columns of texts."""
    done_by: Mapping[str, Key]
    """The table of those who did what a key's name says: `packed_by`."""


def build_vocabulary(linker: Linker, joins: Joins) -> Vocabulary:
    done = {verb: person for key in linker.tables for verb, person in _list_deeds(linker, key)}
    return Vocabulary(
        find_nouns(linker, joins),
        frozenset(word for key in linker.tables for word in linker.table_words(key)) | done.keys(),
        frozenset(
            word
            for col in linker.values
            for word in linker.column_words(col.table, col.name)
            if not word.endswith("ed") and word not in lexicon.PARTICIPLES
        ),
        done,
    )


def _list_deeds(linker: Linker, table: Key) -> Iterator[tuple[str, Key]]:
    """The verbs in names of keys, `packed` of `packed_by`, each with the table that this key alone leads to."""
    keys = linker.tables[table].foreign_keys
    targets = [(key.ref_schema, key.ref_table) for key in keys]
    for key, target in zip(keys, targets, strict=True):
        words = linker.column_words(table, key.columns[0])
        if targets.count(target) == 1 and words[1:] == ("by",):
            yield words[0], target


def find_nouns(linker: Linker, joins: Joins) -> Mapping[str, tuple[Noun, ...]]:
    """The names that may be put for `money`, `person` and so on; for `closed`, days on which things ended."""
    people = [key for key in linker.tables if holds_people(linker, key)]
    earned = [m for m in linker.measures if m.name in lexicon.REVENUE]
    money = [col for key in linker.tables for col in list_money(linker, key)]
    paid = {edge.target for col in money for edge in joins.edges[col.table] if edge.single and _is_paid(linker, col)}
    money = [col for col in money if col.table not in paid or _is_paid(linker, col)]  # a course's fee is a price
    return {
        "person": tuple(Noun(" ".join(linker.table_words(key)), key) for key in people) or _list_roles(linker),
        "row": tuple(Noun(" ".join(linker.table_words(key)), key) for key in _list_events(linker, joins)),
        "quantity": tuple(
            Noun(_name_column(linker, Col(key, column.name)), key, column.name)
            for key, table in linker.tables.items()
            for column in table.columns
            if " ".join(linker.column_words(key, column.name)) in QUANTITY_WORDS
            or column.name == find_quantity(table)
        ),
        "closed": tuple(
            Noun("ended" if words[0] == "end" else words[0], key, column.name)
            for key, table in linker.tables.items()
            for column in table.columns
            if dates.is_date(column)
            and column.nullable
            and (words := linker.column_words(key, column.name))[0] in CLOSING
        ),
        "cost": tuple(
            Noun(_name_column(linker, col), col.table, col.name)
            for key in linker.tables
            for col in _list_costs(linker, key)
        ),
        "heads": tuple(Noun(m.name, m.table, m.name) for m in linker.measures if m.name == "headcount"),
        "money": tuple(Noun("revenue", m.table, "revenue") for m in earned)
        if len(earned) == 1 and not list_money(linker, earned[0].table)
        else tuple(Noun(_name_column(linker, col), col.table, col.name) for col in money),
    }


def _list_events(linker: Linker, joins: Joins) -> list[Key]:
    """The only table, else the one with a day of its own that ties the most others together."""
    if len(linker.tables) == 1:
        return list(linker.tables)
    ties = {
        key: sum(edge.single for edge in joins.edges[key])
        for key, table in linker.tables.items()
        if any(map(dates.is_date, table.columns))
    }
    most = max(ties.values(), default=0)
    found = [key for key, tied in ties.items() if tied == most]
    return found if most > 1 and len(found) == 1 else []


COLLECTIVES = lexicon.words("household family company firm organisation organization club business association")
"""Of whom a row is more than one person, though it may have a surname."""


def holds_people(linker: Linker, key: Key) -> bool:
    noun = singular(key[1]).split()[-1]
    columns = linker.tables[key].columns
    words = [linker.column_words(key, column.name) for column in columns[:20]]
    personal = any(PERSONAL & set(name) or name[-2:] in FULL_NAMES for name in words)
    return noun in PEOPLE or (personal and noun not in COLLECTIVES)


def _list_roles(linker: Linker) -> tuple[Noun, ...]:
    """Columns that name people, where no table holds them: `driver` of `trips`."""
    found = []
    for key, table in linker.tables.items():
        for column in table.columns:
            words = linker.column_words(key, column.name)
            if words[0] in PEOPLE and words[1:] in ((), ("name",)) and dates.is_text(column):
                found.append(Noun(" ".join(words), key, column.name))
    return tuple(found)


def list_money(linker: Linker, key: Key) -> list[Col]:
    found = []
    for column in linker.tables[key].columns:
        words = linker.column_words(key, column.name)
        col = Col(key, column.name)
        paid = words[-1] == "price" and not PAID.isdisjoint(words)
        paid = paid or (len(words) > 1 and words[-1] == "paid" and words[-2] in ("amount", "price"))
        is_money = paid or (singular(words[-1]) in AMOUNTS and SINGLE.isdisjoint(words))
        if is_money and dates.is_number(column) and not linker.is_key(col) and not linker.is_flag(col):
            found.append(col)
    columns = linker.tables[key].columns
    if found or find_quantity(linker.tables[key]) is not None or not any(map(dates.is_date, columns)):
        return found
    priced = [column for column in columns if linker.column_words(key, column.name) == ("price",)]
    return [Col(key, column.name) for column in priced if dates.is_number(column)]


def _is_paid(linker: Linker, col: Col) -> bool:
    return not PAID.isdisjoint(linker.column_words(col.table, col.name)) or "amount" in linker.column_words(
        col.table, col.name
    )


def _list_costs(linker: Linker, key: Key) -> list[Col]:
    """The columns with what was paid for a thing."""
    columns = [(Col(key, c.name), linker.column_words(key, c.name)) for c in linker.tables[key].columns]
    numbers = [(col, words) for col, words in columns if dates.is_number(linker.catalog_column(col))]
    bought = [col for col, words in numbers if words in (("purchase", "price"), ("purchase", "cost"))]
    return bought or [col for col in list_money(linker, key) if SOLD.isdisjoint(linker.column_words(key, col.name))]


def _name_column(linker: Linker, col: Col) -> str:
    return " ".join((*linker.table_words(col.table), *linker.column_words(col.table, col.name)))
