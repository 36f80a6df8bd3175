"""Finds which tables of a catalog join: by declared foreign keys, else by column names that look like keys."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import takewhile

from sqlchat.language.words import words
from sqlchat.sql.catalog import Catalog, Column, Table

KEY_ENDINGS = frozenset(("id", "key", "code", "no", "nr", "num", "number", "uuid", "guid", "fk", "ref"))
MOST_SHARING = 8
"""A name of a key that more tables share, none of which owns it, joins none of them."""
SHORTEST_FUSED = 5
"""Letters of `custid` by which `sbtxcustid` finds `sbcustid`."""

Holder = tuple[int, str]
"""A table's place, and its column's name."""


@dataclass(frozen=True)
class Joins:
    """Of tables by their places in the catalog."""

    neighbours: list[set[int]]
    parents: list[set[int]]
    """Of the neighbours, those whose key the table holds."""
    columns: list[set[str]] = field(repr=False)
    """Names of the columns that join each of them with another."""


def find_joins(catalog: Catalog) -> Joins:
    """The joins of all tables: by foreign keys, keys of the same name, and keys named like another table."""
    tables = catalog.tables
    found = Joins([set() for _ in tables], [set() for _ in tables], [set() for _ in tables])
    _add_declared(catalog, found)
    _add_same_names(catalog, found)
    _add_names_of_tables(catalog, found)
    _add_fused(catalog, found)
    return found


def find_column_prefix(table: Table) -> str:
    """The letters with which the names of all columns begin, such as `sbcust`; "" if there are none."""
    if len(table.columns) < 3:
        return ""
    names = sorted(column.name.lower() for column in table.columns)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(names[0], names[-1], strict=False))
    prefix = "".join(letter for letter, _ in same)
    return prefix if len(prefix) >= 2 and prefix.isalpha() else ""


def _add_join(found: Joins, one: int, column: str, other: int, its: str = "", *, is_parent: bool = True) -> None:
    """Note that `column` of `one` joins `its` column of `other`, which is the parent where `is_parent`."""
    if one == other:
        return
    if is_parent:
        found.parents[one].add(other)
    found.neighbours[one].add(other)
    found.neighbours[other].add(one)
    found.columns[one].add(column)
    if its:
        found.columns[other].add(its)


def _add_declared(catalog: Catalog, found: Joins) -> None:
    places = {(table.schema, table.name): place for place, table in enumerate(catalog.tables)}
    for place, table in enumerate(catalog.tables):
        for key in table.foreign_keys:
            other = places.get((key.ref_schema, key.ref_table))
            if other is not None:
                for column in key.columns:
                    _add_join(found, place, column, other)
                found.columns[other].update(key.ref_columns)


def _add_same_names(catalog: Catalog, found: Joins) -> None:
    holders: dict[str, list[Holder]] = defaultdict(list)
    for place, table in enumerate(catalog.tables):
        for column in table.columns:
            name = _simplify(column.name)
            if name not in KEY_ENDINGS and is_like_a_key(column, table):
                holders[name].append((place, column.name))
    for holding in holders.values():
        owners = [(place, name) for place, name in holding if catalog.tables[place].primary_key == (name,)]
        if len(owners or holding) <= MOST_SHARING:
            for place, name in owners or holding:
                for other, its in holding:
                    _add_join(found, other, its, place, name, is_parent=bool(owners))


def _add_names_of_tables(catalog: Catalog, found: Joins) -> None:
    """`customer_id` and `customer` belong to `customers`, `channel` to `tv_channel` where no other ends so."""
    by_words: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, table in enumerate(catalog.tables):
        parts = tuple(words(table.name))
        for start in range(len(parts)):
            by_words[parts[start:]].append(place)
    for place, table in enumerate(catalog.tables):
        for column in table.columns:
            parts = tuple(words(column.name))
            if len(parts) > 1 and parts[-1] in KEY_ENDINGS:
                parts = parts[:-1]
            owners = by_words.get(parts, ())
            whole = [other for other in owners if len(words(catalog.tables[other].name)) == len(parts)]
            for other in whole or owners:
                if len(whole or owners) == 1 and len(catalog.tables[other].primary_key) < 2:
                    _add_join(found, place, column.name, other, *catalog.tables[other].primary_key)


def _add_fused(catalog: Catalog, found: Joins) -> None:
    prefixes = [find_column_prefix(table) for table in catalog.tables]
    endings: dict[str, list[Holder]] = defaultdict(list)
    for place, table in enumerate(catalog.tables):
        for column in table.columns if prefixes[place] else ():
            name = _simplify(column.name)
            if is_like_a_key(column, table):
                for start in range(1, len(name) - SHORTEST_FUSED + 1):
                    endings[name[start:]].append((place, column.name))
    for place, table in enumerate(catalog.tables):
        for column in table.columns if prefixes[place] else ():
            name = _simplify(column.name)[len(prefixes[place]) :]
            holding = endings.get(name, ())
            if len({other for other, _ in holding}) <= MOST_SHARING:
                for other, its in holding:
                    is_parent = (its,) == catalog.tables[other].primary_key
                    _add_join(found, place, column.name, other, its, is_parent=is_parent)


def is_like_a_key(column: Column, table: Table) -> bool:
    """Whether the column is a key by itself, or named like one."""
    parts = words(column.name)
    return table.primary_key == (column.name,) or bool(
        parts and (parts[-1] in KEY_ENDINGS or parts[-1].endswith("id"))
    )


def _simplify(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
