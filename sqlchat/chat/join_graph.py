"""Finds which tables of a catalog join: by declared foreign keys, else by column names that look like keys."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from rapidfuzz.distance import Prefix

from sqlchat.language.words import words
from sqlchat.sql.catalog import Catalog, Column, Table

KEY_ENDINGS = frozenset(("id", "key", "code", "no", "nr", "num", "number", "uuid", "guid", "fk", "ref"))
MOST_SHARING = 8
"""If more tables share a key's name, and none of them has it as its primary key, the name joins none of them."""
SHORTEST_FUSED = 5
"""Letters of the shortest common end by which keys join, as `sbtxcustid` joins `sbcustid` by `custid`."""

PlacedColumn = tuple[int, str]
"""The place of a table in the catalog, and the name of its column."""


@dataclass(frozen=True)
class Joins:
    """The joins of tables, each table by its place in the catalog."""

    neighbours: list[set[int]]
    parents: list[set[int]]
    """The neighbours that each table refers to."""
    columns: list[set[str]] = field(repr=False)
    """Names of each table's columns that join it with another."""


def find_joins(catalog: Catalog) -> Joins:
    """Return the joins by foreign keys, by keys of the same name, and by columns named like a table or its key."""
    tables = catalog.tables
    joins = Joins([set() for _ in tables], [set() for _ in tables], [set() for _ in tables])
    _add_foreign_keys(catalog, joins)
    _add_same_names(catalog, joins)
    _add_names_of_tables(catalog, joins)
    _add_fused_names(catalog, joins)
    return joins


def find_column_prefix(table: Table) -> str:
    """Return the letters with which the names of all columns begin, such as `sbcust`; "" if there are none."""
    if len(table.columns) < 3:
        return ""
    names = sorted(column.name.lower() for column in table.columns)
    prefix = names[0][: Prefix.similarity(names[0], names[-1])]
    return prefix if len(prefix) >= 2 and prefix.isalpha() else ""


def _add_join(
    joins: Joins, place: int, column: str, other: int, other_column: str = "", *, is_parent: bool = True
) -> None:
    """Add that `column` of the table at `place` joins `other_column` of the table at `other`, perhaps its parent."""
    if place == other:
        return
    if is_parent:
        joins.parents[place].add(other)
    joins.neighbours[place].add(other)
    joins.neighbours[other].add(place)
    joins.columns[place].add(column)
    if other_column:
        joins.columns[other].add(other_column)


def _add_foreign_keys(catalog: Catalog, joins: Joins) -> None:
    places = {(table.schema, table.name): place for place, table in enumerate(catalog.tables)}
    for place, table in enumerate(catalog.tables):
        for key in table.foreign_keys:
            parent = places.get((key.ref_schema, key.ref_table))
            if parent is not None:
                for column in key.columns:
                    _add_join(joins, place, column, parent)
                joins.columns[parent].update(key.ref_columns)


def _add_same_names(catalog: Catalog, joins: Joins) -> None:
    by_name: dict[str, list[PlacedColumn]] = defaultdict(list)
    for place, table in enumerate(catalog.tables):
        for column in table.columns:
            name = _simplify(column.name)
            if name not in KEY_ENDINGS and is_like_a_key(column, table):
                by_name[name].append((place, column.name))
    for columns in by_name.values():
        primary = [(place, name) for place, name in columns if catalog.tables[place].primary_key == (name,)]
        targets = primary or columns
        if len(targets) <= MOST_SHARING:
            for target, target_column in targets:
                for place, name in columns:
                    _add_join(joins, place, name, target, target_column, is_parent=bool(primary))


def _add_names_of_tables(catalog: Catalog, joins: Joins) -> None:
    """`customer_id` and `customer` join `customers`; `channel` joins `tv_channel` if no other name ends so."""
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
            named = by_words.get(parts, [])
            parents = [other for other in named if len(words(catalog.tables[other].name)) == len(parts)] or named
            if len(parents) == 1 and len(primary_key := catalog.tables[parents[0]].primary_key) < 2:
                _add_join(joins, place, column.name, parents[0], *primary_key)


def _add_fused_names(catalog: Catalog, joins: Joins) -> None:
    prefixes = [find_column_prefix(table) for table in catalog.tables]
    endings: dict[str, list[PlacedColumn]] = defaultdict(list)
    for place, table in enumerate(catalog.tables):
        for column in table.columns if prefixes[place] else ():
            name = _simplify(column.name)
            if is_like_a_key(column, table):
                for start in range(1, len(name) - SHORTEST_FUSED + 1):
                    endings[name[start:]].append((place, column.name))
    for place, table in enumerate(catalog.tables):
        for column in table.columns if prefixes[place] else ():
            name = _simplify(column.name)[len(prefixes[place]) :]
            keys = endings.get(name, ())
            if len({other for other, _ in keys}) <= MOST_SHARING:
                for other, key in keys:
                    is_parent = (key,) == catalog.tables[other].primary_key
                    _add_join(joins, place, column.name, other, key, is_parent=is_parent)


def is_like_a_key(column: Column, table: Table) -> bool:
    """Is the column the whole primary key, or named like a key?"""
    parts = words(column.name)
    return table.primary_key == (column.name,) or bool(
        parts and (parts[-1] in KEY_ENDINGS or parts[-1].endswith("id"))
    )


def _simplify(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
