"""Scopes of a query: the sources that FROM offers, their columns, and each dialect's rules for names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, auto
from functools import cache, cached_property

from sqlglot import Dialect, exp
from sqlglot.dialects.dialect import NormalizationStrategy


class Rank(IntEnum):
    """Priority of an output alias over a column of the sources with the same name."""

    FIRST = auto()
    """The alias wins: ORDER BY."""
    OVER_UNKNOWN = auto()
    """A column that is known to exist wins, a column that only might exist does not: GROUP BY, HAVING."""
    LAST = auto()
    """Any column that might exist wins: WHERE."""


@dataclass(frozen=True, slots=True)
class Visible:
    """The output aliases that one clause may name."""

    names: Collection[str]
    rank: Rank
    bare: bool = False
    """Only as the whole expression, not inside a larger one (Postgres)."""


_SYSTEM_COLUMNS = {
    "postgres": {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"},
    "sqlite": {"rowid", "oid", "_rowid_", "docid", "rank"},
    "duckdb": {"rowid", "filename", "file_row_number", "file_index"},
    "oracle": {"ROWID", "ROWNUM", "ORA_ROWSCN"},
    "mysql": {"_rowid"},
}
_PSEUDO_COLUMNS = {
    "postgres": {"user", "system_user", "current_role"},
    "duckdb": {"user", "current_role"},
    "oracle": {"LEVEL", "ROWNUM", "USER", "UID", "CONNECT_BY_ISLEAF", "CONNECT_BY_ISCYCLE"},
}
_DUAL = {"mysql", "oracle", "databricks", "clickhouse", "snowflake"}
_FORWARD_CTES = {"sqlite"}
_IMPLICIT_RECURSION = {"sqlite", "tsql", "fabric", "oracle", "teradata", "snowflake"}
_INTO_VARIABLES = {"mysql", "oracle", "singlestore"}
_LATERAL_ALIASES = {"duckdb", "snowflake", "redshift", "databricks", "spark", "teradata", "clickhouse"}
_WHERE_ALIASES = {"duckdb", "sqlite", "snowflake", "redshift", "teradata", "clickhouse"}
_NO_GROUP_ALIASES = {"tsql", "fabric", "oracle"}
_NO_STRUCT_DOTS = {"postgres", "sqlite", "mysql", "tsql", "fabric", "oracle", "redshift"}
_STRICT_ALIASES = {"postgres", "tsql", "fabric", "oracle"}
_CASE_SENSITIVE_TABLES = {"mysql", "bigquery", "clickhouse"}


class Rules:
    """Tells how a dialect compares names and which clauses may use an alias. `Rules.load(dialect)` caches them."""

    def __init__(self, dialect: str) -> None:
        strategy = Dialect.get_or_raise(dialect or None).normalization_strategy
        self._upper = strategy is NormalizationStrategy.UPPERCASE
        self._exact_when_quoted = self._upper or strategy is NormalizationStrategy.LOWERCASE
        self.dialect = dialect
        self.system_columns: Collection[str] = _SYSTEM_COLUMNS.get(dialect, ())
        self.pseudo_columns = {self.fold_name("default", quoted=False), *_PSEUDO_COLUMNS.get(dialect, ())}
        self.forward_ctes = dialect in _FORWARD_CTES
        """Whether a CTE sees those defined after it, too."""
        self.implicit_recursion = dialect in _IMPLICIT_RECURSION
        self.into_variables = dialect in _INTO_VARIABLES
        """Whether SELECT INTO fills variables, and creates no table."""
        self.targets_by_table = dialect in {"tsql", "fabric"}
        """Whether UPDATE t ... FROM t AS x writes the rows of x."""
        self.dual = dialect in _DUAL
        """Whether FROM DUAL means no FROM at all."""
        self.struct_dots = dialect not in _NO_STRUCT_DOTS
        self.lateral_from = dialect == "duckdb"
        """Whether a subquery in FROM sees the sources before it without LATERAL."""
        self.text_in_double_quotes = dialect == "sqlite"
        """Whether a quoted name that is no column is a string."""
        self.in_names_table = dialect in {"sqlite", "clickhouse"}
        """Whether `a IN t` reads the table t."""
        self.table_case_matters = dialect in _CASE_SENSITIVE_TABLES
        self.aliases_reach_subqueries = dialect not in _STRICT_ALIASES
        """Whether a subquery may name an output alias of the outer query."""

    @staticmethod
    @cache
    def load(dialect: str) -> Rules:
        return Rules(dialect)

    def fold_name(self, name: str, quoted: bool = True) -> str:
        """Return the form that is the same for all spellings of a name. A catalog's names count as quoted."""
        if not self._exact_when_quoted:
            return name.lower()
        if quoted:
            return name
        return name.upper() if self._upper else name.lower()

    def fold_identifier(self, identifier: exp.Expr) -> str:
        return self.fold_name(identifier.name, bool(identifier.args.get("quoted")))

    def find_visible(self, clause: str, names: Collection[str]) -> Visible | None:
        """Return the aliases in `names` that `clause` (an argument of sqlglot's Select, or "projection") may use."""
        if not names:
            return None
        match clause:
            case "order" | "distinct":
                return Visible(names, Rank.FIRST, bare=self.dialect in {"postgres", "redshift"})
            case "group" if self.dialect not in _NO_GROUP_ALIASES:
                return Visible(names, Rank.OVER_UNKNOWN, bare=self.dialect == "postgres")
            case "having" if self.dialect not in _NO_GROUP_ALIASES and self.dialect != "postgres":
                return Visible(names, Rank.OVER_UNKNOWN)
            case "qualify":
                return Visible(names, Rank.OVER_UNKNOWN)
            case "projection" if self.dialect in _LATERAL_ALIASES:
                return Visible(names, Rank.OVER_UNKNOWN)
            case "where" if self.dialect in _WHERE_ALIASES:
                return Visible(names, Rank.LAST)
        return None


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """A column that a source has (`certain`) or might have."""

    certain: bool
    text: str = ""
    """Its text in the lineage; "" if an inner query recorded it already."""


MAYBE = ColumnMatch(certain=False)


@dataclass(slots=True, eq=False)
class Source:
    """Offers columns: a table, a CTE, a subquery, a table function, or the output of a query."""

    name: str = ""
    """The folded name that a qualifier uses; "" if it has none."""
    table: str = ""
    """The real table's name as the text spells it; "" for other sources."""
    columns: dict[str, str] = field(default_factory=dict)
    """Folded name of each known column -> what lineage prints for it (see `ColumnMatch.text`), in their order."""
    unnamed: frozenset[str] = frozenset()
    """Keys in `columns` of expressions without a name. The engine names them, so they may have any name."""
    open: bool = False
    """Whether it may have more columns than the known ones."""
    behind: tuple[Source, ...] = ()
    """The open sources whose unknown columns it passes on with `*`."""
    bases: tuple[str, ...] = ()
    """The real tables behind it, as the text spells them."""
    node: exp.Expr | None = None
    """The table's place in the tree, for a real table."""
    system_columns: Collection[str] = ()

    @property
    def is_closed(self) -> bool:
        """Whether all its columns are known."""
        return not self.open and not self.behind and not self.unnamed

    def find(self, key: str) -> ColumnMatch | None:
        """Return the column of that folded name; None if the source provably has none."""
        maybe = bool(self.unnamed)
        for source in (self, *self.behind):
            if key in source.columns:
                return ColumnMatch(True, source.columns[key])
            if key in source.system_columns:
                return ColumnMatch(True, f"{source.table}.{key}")
            maybe = maybe or source.open
        return MAYBE if maybe else None

    def list_open_sources(self) -> tuple[Source, ...]:
        """Return the open sources that may hold its unknown columns.

        The list is flat: else a chain of CTEs that join the one before twice would double the time with each link.
        """
        return (self, *self.behind) if self.open else self.behind

    def find_owner(self) -> str:
        """Return the real table that has its unknown columns; "" if several may have them, or no table."""
        owners = {self.table} if self.table else {source.table for source in self.list_open_sources()}
        return owners.pop() if len(owners) == 1 else ""

    def rename(self, name: str = "", columns: list[str] | None = None) -> Source:
        """Return a copy with another name and its first columns renamed to `columns`."""
        items = list(self.columns.items())
        if columns:
            # If the number of columns is unknown, any of them may keep its name.
            unchanged = items if self.open or self.behind else items[len(columns) :]
            items = [*((key, "") for key in columns), *unchanged]
        renamed = dict(items)
        unnamed = self.unnamed.intersection(renamed)
        return Source(name, "", renamed, unnamed, self.open, self.behind, self.bases)

    def adopt_columns(self, other: Source) -> None:
        """Take over the columns of `other`: those of a recursive CTE are known after its first branch."""
        self.columns, self.unnamed, self.open = other.columns, other.unnamed, other.open
        self.behind, self.bases = other.behind, other.bases


INDEXED_FROM = 8
"""Sources in one FROM above which names are looked up in an index: 20,000 characters can hold a thousand sources."""


class ScopeIndex:
    """Finds columns and sources by name among many sources."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.count = len(sources)
        self._sources = sources

    @cached_property
    def bases(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(base for source in self._sources[: self.count] for base in source.bases))

    @cached_property
    def by_name(self) -> dict[str, Source]:
        """The first source of each name."""
        return {source.name: source for source in reversed(self._sources[: self.count])}

    @cached_property
    def _columns(self) -> dict[str, list[ColumnMatch]]:
        columns: dict[str, list[ColumnMatch]] = {}
        for source in self._sources[: self.count]:
            parts = (source, *source.behind)
            for key in dict.fromkeys(key for part in parts for key in (*part.columns, *part.system_columns)):
                if match := source.find(key):
                    columns.setdefault(key, []).append(match)
        return columns

    @cached_property
    def _is_open(self) -> bool:
        return any(source.unnamed or source.open or source.behind for source in self._sources[: self.count])

    def find(self, key: str) -> list[ColumnMatch]:
        """Return what `Scope.find` returns."""
        matches = [match for match in self._columns.get(key, ()) if match.certain]
        return matches or ([MAYBE] if self._is_open else [])


@dataclass(slots=True, eq=False)
class Scope:
    """Holds the names that the expressions of one query can use. `parent` is the outer query's scope."""

    parent: Scope | None
    ctes: dict[str, Source]
    sources: list[Source] = field(default_factory=list)
    outputs: Collection[str] = ()
    """Aliases of the query's own outputs, once they are known."""
    _index: ScopeIndex | None = None

    @property
    def index(self) -> ScopeIndex:
        """The names of the sources in FROM so far."""
        if self._index is None or self._index.count != len(self.sources):
            self._index = ScopeIndex(self.sources)
        return self._index

    def find(self, key: str) -> list[ColumnMatch]:
        """Return the certain matches in this query's own sources; else one MAYBE, else none."""
        if len(self.sources) > INDEXED_FROM:
            return self.index.find(key)
        matches = [match for source in self.sources if (match := source.find(key))]
        return [match for match in matches if match.certain] or matches[:1]

    def list_scopes(self) -> Iterator[Scope]:
        """Yield this scope, then the outer ones."""
        scope: Scope | None = self
        while scope:
            yield scope
            scope = scope.parent

    def find_source(self, name: str) -> Source | None:
        """Return the nearest source of that name; None if there is none."""
        for scope in self.list_scopes():
            if len(scope.sources) > INDEXED_FROM:
                source = scope.index.by_name.get(name)
            else:
                source = next((each for each in scope.sources if each.name == name), None)
            if source:
                return source
        return None

    def list_base_tables(self) -> tuple[str, ...]:
        """Return the names of the real tables behind the sources of this scope and the outer ones, each once."""
        return tuple(dict.fromkeys(name for scope in self.list_scopes() for name in scope.index.bases))
