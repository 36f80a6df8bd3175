"""The catalog of a database as plain data: tables, columns, keys. Small enough to pickle into a worker process."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple

WORD = re.compile(r"\w+")
PLAIN_WORD = re.compile("[a-z0-9_]+")
LONGEST_NAME = 63
"""Bytes of the longest name of Postgres, which cuts longer ones off."""
LABELLED = re.compile(r"(enum|set)\s*\(.*\)$", re.IGNORECASE | re.DOTALL)
LABEL = re.compile(r"'((?:[^']|'')*)'")


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    """The database's own name of the type, such as `numeric(10,2)`."""
    nullable: bool = True
    comment: str = ""
    expression: str = ""
    """SQL that computes a generated column from others of its row."""
    base_type: str = ""
    """For a domain, the type that it is based on."""
    labels: tuple[str, ...] = ()
    """For an enum or a set, all declared labels, in their order."""
    runs_own: bool = False
    """Postgres: whether comparing or casting a value runs a function that users of the database defined."""
    runs_volatile: bool = False
    """Whether any use of a value but showing it runs such a function that may do more than read."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    columns: tuple[str, ...]
    ref_schema: str
    """Schema of the referenced table; "" where the database has none (SQLite)."""
    ref_table: str
    ref_columns: tuple[str, ...]
    inferred: bool = False
    """Inferred from names and values; the database does not have it."""
    by_owner: bool = False
    """Declared by the connection's owner; the database does not have it."""
    repeats: bool = False
    """Whether several rows of the referenced table are known to have the same value."""

    @property
    def source(self) -> Literal["database", "inferred", "owner"]:
        return "owner" if self.by_owner else "inferred" if self.inferred else "database"


@dataclass(frozen=True, slots=True)
class Origin:
    """Source of an index that is a table of its own: `columns` of the `table` in the same schema."""

    table: str = ""
    """"" if unknown."""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    schema: str = ""
    kind: str = "table"
    """`table` or `view`, whether materialized or foreign or not."""
    comment: str = ""
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    row_estimate: int | None = None
    """Rows by the database's statistics; None without statistics."""
    definition: str = ""
    """A view's SQL; "" if the database does not show it."""
    definition_schema: str = ""
    """The schema in which unqualified names of `definition` are looked up, where it is not the default one."""
    calls_own: bool = False
    """Whether a view depends on functions, operators or checked domains that users of the database defined."""
    descendants: tuple[tuple[str, str], ...] = ()
    """Schema and name of all children and partitions, of any depth: their rows come along unless SQL says ONLY."""
    origin: Origin | None = None
    """Source of a full-text index over another table; None for any other table."""
    listed: bool = True
    """False of a partition and of a table of an extension: SQL may name it, schema and prompts do not."""
    partition_of: tuple[str, str] | None = None
    """Schema and name of the table whose partition this is."""
    stamp: int = 0
    """Changes when the columns, a view's SQL or the children do, where the database tells that cheaply."""
    runs_volatile: bool = False
    """Postgres: whether reading any of it runs a function of users that may do more than read."""

    def column(self, name: str) -> Column | None:
        """The column of that name, exact case first, then any case."""
        return next((c for c in self.columns if c.name == name), None) or next(
            (c for c in self.columns if c.name.lower() == name.lower()), None
        )


class OwnOperator(NamedTuple):
    """An operator that users of a Postgres defined, such as `("+", "S", "N", True)` for a text and a number."""

    symbol: str
    left: str
    """Category of the type (`policies/operands.py`); "" for an operator that stands before its operand."""
    right: str
    is_volatile: bool
    """Whether it may do more than read."""


@dataclass(frozen=True, slots=True)
class OwnNames:
    """Names that users of a database defined although queries use them already; extensions' members are left out."""

    functions: frozenset[str] = frozenset()
    """Lower-case names of own functions, of any volatility, that a function on the allow-list has as well."""
    operators: frozenset[str] = frozenset()
    """Symbols of own operators, such as `+`."""
    types: frozenset[str] = frozenset()
    """Lower-case names of types that run own functions if a value is cast to them or compared."""
    volatile: frozenset[str] = frozenset()
    """Lower-case names of such types whose functions may do more than read; `pg_catalog` if system tables use one.

    `array` stands for any built-in type of arrays."""
    overloads: frozenset[OwnOperator] = frozenset()
    polymorphic: frozenset[str] = frozenset()
    """Postgres: names of all functions that give two arguments, or an argument and the result, one type."""


@dataclass(frozen=True)
class Catalog:
    tables: tuple[Table, ...]
    dialect: str
    """sqlglot's name of the dialect that the database speaks."""
    default_schema: str = ""
    """The schema in which an unqualified name is looked up first; "" where there are none."""
    version: str = ""
    """Changes when the content changes."""
    database: str = ""
    """First part of names of three parts (Spark's catalog); "" if there are none."""
    search_path: tuple[str, ...] = ()
    """The schemas in which an unqualified name is looked up, in their order; empty for the default schema alone."""
    functions: frozenset[str] | None = field(default=None, repr=False)
    """Lower-case names of the functions that SQL may call; None if the database does not list them."""
    own: OwnNames = field(default_factory=OwnNames, repr=False)
    attributes: frozenset[str] | None = field(default=None, repr=False)
    """Postgres: names, as stored, of all attributes of relations, composite types and functions' results."""
    definitions: str = ""
    """Changes when a function, an operator, a cast or a domain of users does; "" where the database does not tell."""
    callables: frozenset[str] = field(default=frozenset(), repr=False)
    """Postgres: names, as stored, of functions that take one argument and that SQL may not call."""

    @cached_property
    def _by_word(self) -> dict[str, list[Table]]:
        index: dict[str, list[Table]] = {}
        for table in self.tables:
            for word in set(WORD.findall(table.name.lower())) or {table.name.lower()}:
                index.setdefault(word, []).append(table)
        return index

    @cached_property
    def _by_path(self) -> dict[tuple[str, str], Table]:
        return {(table.schema, table.name): table for table in self.tables}

    @cached_property
    def shape(self) -> int:
        """Changes when tables, columns or types do, and not with mere row estimates."""
        return hash(
            tuple((t.schema, t.name, tuple((c.name, c.type, c.labels) for c in t.columns)) for t in self.tables)
        )

    @cached_property
    def listed(self) -> Catalog:
        """The part that schema and prompts show."""
        return replace(self, tables=tuple(table for table in self.tables if table.listed))

    @property
    def whole_tables(self) -> Catalog:
        """The part that has no partitions."""
        return replace(self, tables=tuple(table for table in self.tables if table.partition_of is None))

    def path_rank(self, schema: str) -> int:
        """The place of `schema` in the search path; a number past its end for a schema that is not in it."""
        path = self.search_path or (self.default_schema,)
        return path.index(schema) if schema in path else len(path)

    def table(self, name: str, schema: str | None = None) -> Table | None:
        """The table of that name (exact case first), in `schema` or else by the search path."""
        matches = [t for t in self.tables if t.name.lower() == name.lower()]
        if schema:
            matches = [t for t in matches if t.schema.lower() == schema.lower()]
        matches.sort(key=lambda t: (self.path_rank(t.schema), t.name != name))
        return matches[0] if matches else None

    def list_mentioned(self, sql: str) -> tuple[Table, ...]:
        """The tables whose names occur in `sql`."""
        words = set(WORD.findall(sql.lower()))
        found = {id(table) for word in words for table in self._by_word.get(word, ())}
        return tuple(table for table in self.tables if id(table) in found)

    def list_read(self, sql: str) -> tuple[Table, ...]:
        """The tables that `sql` may read: those that it mentions, and what their views and children read in turn."""
        found: dict[int, Table] = {}
        waiting = list(self.list_mentioned(sql))
        while waiting:
            table = waiting.pop()
            if id(table) not in found:
                found[id(table)] = table
                waiting += self.list_mentioned(table.definition)
                waiting += (self._by_path[path] for path in table.descendants if path in self._by_path)
        return tuple(found.values())

    def mentioned_in(self, sql: str) -> Catalog:
        """The part whose names occur in `sql`: enough to judge and resolve it, and cheap to hand to a worker."""
        return replace(
            self,
            tables=self.list_mentioned(sql),
            functions=None if self.functions is None else keep_mentioned(self.functions, sql),
            attributes=None if self.attributes is None else keep_mentioned(self.attributes, sql),
            callables=keep_mentioned(self.callables, sql),
        )


def shorten_name(name: str) -> str:
    """`name` as Postgres cuts it off."""
    return name.encode("utf-8", "surrogatepass")[:LONGEST_NAME].decode("utf-8", "ignore")


def keep_mentioned(names: frozenset[str], sql: str) -> frozenset[str]:
    """Return the `names` (of functions or columns) that `sql` may mean; a database has thousands.

    Keeps each name that is no plain word, because SQL may write it in more than one way.
    """
    plain, qualified, others = _sort_names(names)
    words = set(PLAIN_WORD.findall(sql.lower()))
    words |= {word[:LONGEST_NAME] for word in words}
    return others.union(*(table[word] for table in (plain, qualified) for word in words & table.keys()))


@functools.lru_cache(maxsize=64)
def _sort_names(
    names: frozenset[str],
) -> tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]], frozenset[str]]:
    """Plain words and names with a schema by their last word in lower case, and the rest."""
    plain: dict[str, list[str]] = {}
    qualified: dict[str, list[str]] = {}
    others = set()
    for name in names:
        last = name.rpartition(".")[2].lower()
        if PLAIN_WORD.fullmatch(last):
            (plain if "." not in name else qualified).setdefault(last, []).append(name)
        else:
            others.add(name)
    return plain, qualified, frozenset(others)


def drop_unreadable_keys(tables: Iterable[Table]) -> tuple[Table, ...]:
    """`tables` without keys of columns that are not there: a database lists those that the user may not read too."""
    readable = list(tables)
    names = {(table.schema, table.name): {column.name for column in table.columns} for table in readable}

    def drop_keys(table: Table) -> Table:
        own = names[table.schema, table.name]
        primary = table.primary_key if own.issuperset(table.primary_key) else ()
        foreign = tuple(key for key in table.foreign_keys if is_readable(own, key))
        if (primary, foreign) == (table.primary_key, table.foreign_keys):
            return table
        return replace(table, primary_key=primary, foreign_keys=foreign)

    def is_readable(own: set[str], key: ForeignKey) -> bool:
        other = names.get((key.ref_schema, key.ref_table))
        return own.issuperset(key.columns) and (other is None or other.issuperset(key.ref_columns))

    return tuple(map(drop_keys, readable))


def read_labels(type: str) -> tuple[str, ...]:
    """The labels in the name of an enum's or a set's type: `enum('new','it''s')` gives `new` and `it's`."""
    if not LABELLED.match(type):
        return ()
    return tuple(label.replace("''", "'") for label in LABEL.findall(type))
