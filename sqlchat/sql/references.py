"""Adds an owner's references between columns to a catalog, as foreign keys."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from sqlchat.sql.catalog import Catalog, Column, ForeignKey, Table
from sqlchat.sql.names import UnknownName, find_nearest
from sqlchat.sql.profiles import Profiles

FAMILIES = {
    "numbers": re.compile(
        r"u?(tiny|small|medium|big|huge)?int(eger)?\d*|(big|small)?serial\d*|numeric|number|decimal|dec|real|money"
        r"|float\d*|double"
    ),
    "texts": re.compile(r"(n|bp|var)?char\d*|n?varchar2?|(tiny|medium|long)?text|character|string|citext|enum|clob"),
    "times": re.compile(r"date\d*|datetime\d*|timestamp(tz|_\w+)?|time(tz)?"),
    "booleans": re.compile(r"bool(ean)?"),
}
"""Types by their first word; values of two families are never equal."""
FIRST_WORD = re.compile(r"\w+")


Names = tuple[str, ...]
"""Columns of one table, each as `table.column` or `schema.table.column`."""
Reference = tuple[Names, Names]
"""Referring columns and referenced columns: `("tickets.agent",)` refers to `("agents.agent",)`."""


@dataclass(frozen=True, slots=True)
class End:
    """One side of a reference, as the catalog has it."""

    table: Table
    columns: tuple[Column, ...]

    @property
    def names(self) -> Names:
        return tuple(column.name for column in self.columns)


def find_faults(reference: Reference, catalog: Catalog) -> dict[str, list[str]]:
    """Return the reasons why `catalog` cannot hold `reference`, by side, `from` or `to`; empty if it can."""
    sides = dict(zip(("from", "to"), reference, strict=True))
    ends = {side: _find_end(names, catalog) for side, names in sides.items()}
    faults = {side: [end] for side, end in ends.items() if isinstance(end, str)}
    one, other = ends["from"], ends["to"]
    if isinstance(one, str) or isinstance(other, str):
        return faults
    if len(one.columns) != len(other.columns):
        return {"to": [f"There must be as many columns here as in `from`, {len(one.columns)}."]}
    if (one.table, one.names) == (other.table, other.names):
        return {"to": ["A column does not refer to itself."]}
    clashes = [
        f"{mine.name!r} is {mine.type} and {its.name!r} is {its.type}: {left} never equal {right}."
        for mine, its in zip(one.columns, other.columns, strict=True)
        if (left := _read_family(mine)) and (right := _read_family(its)) and left != right
    ]
    return {"to": clashes} if clashes else {}


def add_references(catalog: Catalog, references: Iterable[Reference], profiles: Profiles) -> Catalog:
    """Return `catalog` with a foreign key for each reference that it can hold, without the other references.

    A key that the database declares stays. A key that was inferred for the same columns is replaced.
    """
    keys: dict[int, list[ForeignKey]] = defaultdict(list)
    for reference in references:
        if table_and_key := _make_key(reference, catalog, profiles):
            table, key = table_and_key
            present = (*table.foreign_keys, *keys[id(table)])
            if not any(_is_same(key, each) for each in present if not each.inferred):
                keys[id(table)].append(key)
    if not any(keys.values()):
        return catalog
    tables = tuple(_add_keys(table, keys.get(id(table), ())) for table in catalog.tables)
    added = repr([(table.name, keys[id(table)]) for table in catalog.tables if id(table) in keys])
    version = hashlib.blake2b(f"{catalog.version}{added}".encode(), digest_size=8).hexdigest()
    return replace(catalog, tables=tables, version=version if catalog.version else "")


def write_comparison(reference: Reference, catalog: Catalog) -> str:
    """Return SQL that compares both sides of a valid reference; "" if their types are the same."""
    one, other = _find_ends(reference, catalog)
    if [column.type for column in one.columns] == [column.type for column in other.columns]:
        return ""
    pairs = zip(_qualify(one, "one"), _qualify(other, "other"), strict=True)
    joined = exp.select("1").from_(_write_table(one.table, "one"))
    joined = joined.join(
        _write_table(other.table, "other"), on=exp.and_(*(exp.EQ(this=a, expression=b) for a, b in pairs))
    )
    return joined.sql(catalog.dialect)


def _add_keys(table: Table, keys: Sequence[ForeignKey]) -> Table:
    replaced = {key.columns for key in keys}
    others = tuple(key for key in table.foreign_keys if not (key.inferred and key.columns in replaced))
    return replace(table, foreign_keys=(*others, *keys)) if keys else table


def _make_key(reference: Reference, catalog: Catalog, profiles: Profiles) -> tuple[Table, ForeignKey] | None:
    if find_faults(reference, catalog):
        return None
    one, other = _find_ends(reference, catalog)
    repeats = _has_repeats(other, profiles)
    key = ForeignKey(one.names, other.table.schema, other.table.name, other.names, by_owner=True, repeats=repeats)
    return one.table, key


def _has_repeats(end: End, profiles: Profiles) -> bool:
    """Whether several rows are known to have the same value in its only column."""
    if len(end.columns) > 1 or end.table.primary_key == end.names:
        return False
    profile = profiles.get((end.table.schema, end.table.name, end.names[0]))
    return profile is not None and profile.exact and not profile.unique


def _is_same(one: ForeignKey, other: ForeignKey) -> bool:
    pairs = (sorted(zip(key.columns, key.ref_columns, strict=False)) for key in (one, other))
    return next(pairs) == next(pairs) and (one.ref_schema, one.ref_table) == (other.ref_schema, other.ref_table)


def _find_ends(reference: Reference, catalog: Catalog) -> tuple[End, End]:
    """Return both sides of a reference without faults."""
    one, other = (_find_end(names, catalog) for names in reference)
    assert isinstance(one, End)
    assert isinstance(other, End)
    return one, other


def _find_end(names: Names, catalog: Catalog) -> End | str:
    """Return the columns of these names, or a sentence about the first fault."""
    matches: list[tuple[Table, Column]] = []
    for name in names:
        match = find_column(name, catalog)
        if isinstance(match, str):
            return match
        matches.append(match)
    if len({id(table) for table, _ in matches}) > 1:
        return "All columns of one side must be of one table."
    columns = tuple(column for _, column in matches)
    return End(matches[0][0], columns) if len(set(columns)) == len(columns) else "A column is named twice."


def find_column(name: str, catalog: Catalog) -> tuple[Table, Column] | str:
    """Return the column that `table.column` or `schema.table.column` names, or a sentence with the nearest names."""
    first: Table | None = None
    for table, column_name in _find_tables(name, catalog):
        if column := table.column(column_name):
            return table, column
        first = first or table
    above, _, last = name.rpartition(".")
    if not above:
        return f"Write {name!r} with its table: `table.column`."
    if first is not None:
        unknown = UnknownName("column", last, (first.name,))
        return f"There is no column {last!r} in {first.name}{_write_unknown(unknown, catalog)}."
    return f"There is no table {above!r}{_write_unknown(UnknownName('table', above, ()), catalog)}."


def find_table(name: str, catalog: Catalog) -> Table | None:
    """Return the table that `table` or `schema.table` names; both names may have dots."""
    table = catalog.table(name)
    for place in _find_dots(name):
        table = table or catalog.table(name[place + 1 :], name[:place])
    return table if table and table.listed else None


def _find_tables(name: str, catalog: Catalog) -> Iterator[tuple[Table, str]]:
    """Yield each reading of `name` as an existing table and the name of a column."""
    for place in _find_dots(name):
        if table := find_table(name[:place], catalog):
            yield table, name[place + 1 :]


def _find_dots(name: str) -> list[int]:
    return [place for place in range(len(name) - 1, -1, -1) if name[place] == "."]


def _write_table(table: Table, alias: str) -> exp.Table:
    schema = exp.to_identifier(table.schema, quoted=True) if table.schema else None
    named = exp.TableAlias(this=exp.to_identifier(alias))
    return exp.Table(this=exp.to_identifier(table.name, quoted=True), db=schema, alias=named)


def _qualify(end: End, alias: str) -> list[exp.Column]:
    return [exp.column(exp.to_identifier(name, quoted=True), alias) for name in end.names]


def _write_unknown(unknown: UnknownName, catalog: Catalog) -> str:
    near = find_nearest(unknown, catalog.listed)
    return f" (nearest: {', '.join(near)})" if near else ""


def _read_family(column: Column) -> str:
    """Return the family of the column's type; "" if it has none."""
    word = FIRST_WORD.search((column.base_type or column.type).lower())
    if word is None or "[" in column.type:
        return ""
    return next((name for name, words in FAMILIES.items() if words.fullmatch(word[0])), "")
