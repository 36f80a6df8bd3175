"""What a database holds, as plain data: tables, columns, keys. Small enough to pickle into a worker process."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

WORD = re.compile(r"\w+")
PLAIN_WORD = re.compile("[a-z0-9_]+")
LONGEST_NAME = 63
"""Bytes after which Postgres cuts off a name."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    """The database's own name of the type, such as `numeric(10,2)`."""
    nullable: bool = True
    comment: str = ""
    expression: str = ""
    """SQL that computes a generated column from others of its row."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    columns: tuple[str, ...]
    ref_schema: str
    """Schema of the referenced table; "" where the database has none (SQLite)."""
    ref_table: str
    ref_columns: tuple[str, ...]
    inferred: bool = False
    """Found from names and values; the database does not hold it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What an index that is a table of its own shows: `columns` of the `table` in the same schema."""

    table: str = ""
    """"" if the database does not tell."""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    schema: str = ""
    kind: str = "table"
    """`table` or `view` (materialized and foreign ones are told in `comment` by the database, not here)."""
    comment: str = ""
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    row_estimate: int | None = None
    """Rows as the database's statistics have it; None where it keeps none."""
    definition: str = ""
    """A view's SQL, where the database tells it."""
    calls_own: bool = False
    """Whether a view depends on functions, operators or checked domains that users of the database defined."""
    descendants: tuple[tuple[str, str], ...] = ()
    """Schema and name of all children and partitions, of any depth: their rows come along unless SQL says ONLY."""
    origin: Origin | None = None
    """Where the values come from, for a full-text index over another table; None for a table of its own."""

    def column(self, name: str) -> Column | None:
        """The column of that name, exact case first, then any case."""
        return next((c for c in self.columns if c.name == name), None) or next(
            (c for c in self.columns if c.name.lower() == name.lower()), None
        )


@dataclass(frozen=True, slots=True)
class OwnNames:
    """What users of a database defined themselves under names that queries use; extensions' members are left out."""

    functions: frozenset[str] = frozenset()
    """Lower-case names of own functions, of any volatility, that a function on the allow-list has as well."""
    operators: frozenset[str] = frozenset()
    """Symbols of own operators, such as `+`."""
    types: frozenset[str] = frozenset()
    """Lower-case names of own types that have casts, or of own domains that have checks."""


@dataclass(frozen=True)
class Catalog:
    tables: tuple[Table, ...]
    dialect: str
    """sqlglot's name of the dialect that the database speaks."""
    default_schema: str = ""
    """The schema in which an unqualified name is looked up first; "" where there are none."""
    version: str = ""
    """Changes when the content changes."""
    functions: frozenset[str] | None = field(default=None, repr=False)
    """Lower-case names of the functions that SQL may call here, where the database tells; else None."""
    own: OwnNames = field(default_factory=OwnNames, repr=False)
    attributes: frozenset[str] | None = field(default=None, repr=False)
    """Postgres: names, as stored, of all attributes of relations, composite types and functions' results."""
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
    def shape(self) -> int:
        """Changes when tables, columns or types do, and not with mere row estimates."""
        return hash(tuple((t.schema, t.name, tuple((c.name, c.type) for c in t.columns)) for t in self.tables))

    def table(self, name: str, schema: str | None = None) -> Table | None:
        """The table of that name (exact case first), in `schema` or else the default schema first."""
        found = [t for t in self.tables if t.name.lower() == name.lower()]
        if schema:
            found = [t for t in found if t.schema.lower() == schema.lower()]
        found.sort(key=lambda t: (t.schema != self.default_schema, t.name != name))
        return found[0] if found else None

    def mentioned_in(self, sql: str) -> Catalog:
        """The part whose names occur in `sql`: enough to judge and resolve it, and cheap to hand to a worker."""
        found: dict[int, Table] = {}
        for word in set(WORD.findall(sql.lower())):
            for table in self._by_word.get(word, ()):
                found[id(table)] = table
        return replace(
            self,
            tables=tuple(t for t in self.tables if id(t) in found),
            functions=None if self.functions is None else mentioned(self.functions, sql),
            attributes=None if self.attributes is None else mentioned(self.attributes, sql),
            callables=mentioned(self.callables, sql),
        )


def mentioned(names: frozenset[str], sql: str) -> frozenset[str]:
    """Those of `names` (of functions or columns) that `sql` may mean: a database knows thousands.

    Keeps each name that is no plain word, because SQL may write it in more than one way.
    """
    plain, qualified, others = _sort_names(names)
    said = set(PLAIN_WORD.findall(sql.lower()))
    said |= {word[:LONGEST_NAME] for word in said}
    return others.union(*(table[word] for table in (plain, qualified) for word in said & table.keys()))


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
