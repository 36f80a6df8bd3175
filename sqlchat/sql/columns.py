"""Resolves names of tables and columns, and records the ones that a statement reads and writes.

`Findings` are the result of one walk (`resolve.py`): tables read and written, CTEs, columns, and with a catalog the
names that provably do not exist. A name that cannot be resolved is recorded as it is written, never refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from sqlglot import exp

from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.scopes import ColumnMatch, Rank, Rules, Scope, Source, Visible

Place = tuple[int, str]
"""Offset of a name's first place in the text, and its spelling there."""

_SYSTEM_SCHEMAS = {"information_schema", "pg_catalog", "pg_toast", "performance_schema", "mysql", "sys"}
_SYSTEM_PREFIXES = {
    "postgres": ("pg_",),
    "sqlite": ("sqlite_",),
    "duckdb": ("duckdb_", "sqlite_", "pragma_", "pg_"),
}


def write_table_name(node: exp.Table) -> str:
    """Return a table's name as it is written, with its qualifiers, without quotes."""
    return ".".join(f"#{part.name}" if part.args.get("temporary") else part.name for part in node.parts)


def is_named_table(node: object) -> bool:
    """Whether `node` is a table with a name of any number of parts, and no table function."""
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier | exp.Dot):
        return False
    return all(isinstance(part, exp.Identifier) for part in node.parts)


def find_base_tables(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return the names of the real tables behind several sources, each once."""
    return tuple(dict.fromkeys(base for source in sources for base in source.bases))


class Findings:
    """Records the tables, CTEs and columns of one text, and resolves their names."""

    def __init__(self, dialect: str, catalog: Catalog | None) -> None:
        self.rules = Rules.load(dialect)
        self.offset = 0
        """Offset of the statement that is being resolved."""
        self.catalog = catalog
        self.reads: dict[int, tuple[exp.Table, Place, str]] = {}
        """Identity of a table's node -> the node, its place, and its folded name."""
        self.writes: dict[str, Place] = {}
        self.columns: dict[str, Place] = {}
        self.ctes: dict[str, Place] = {}
        self.certain: set[int] = set()
        """Offsets of the last names of qualified columns that certainly exist, without system columns."""
        self.missing: dict[tuple[Literal["table", "column"], str], tuple[int, tuple[str, ...]]] = {}
        """Name that provably does not exist -> its offset, and the searched tables."""
        self._meanings: dict[int, str] = {}
        """Identity of a column's identifier -> the text in the lineage, if it means one column."""
        self._paths: dict[str, tuple[str, str, str]] = {}
        """Text in the lineage for a column of the catalog -> its schema, table and name."""
        self._tables: dict[str, list[Table]] = {}
        for table in catalog.tables if catalog else ():
            self._tables.setdefault(self.rules.fold_name(table.name), []).append(table)

    # Notes

    def find_position(self, node: exp.Expr) -> int:
        """Return the offset of a node in the text; a very large number if sqlglot does not know it."""
        inner: exp.Expr = node
        while not isinstance(inner, exp.Identifier | exp.Star):
            if isinstance(inner, exp.Table | exp.Column) and inner.parts:
                inner = inner.parts[0]
            elif isinstance(inner.this, exp.Expr):
                inner = inner.this
            else:
                break
        return self.offset + int(inner.meta.get("start", 1 << 23))

    def note_read(self, node: exp.Table) -> None:
        self.reads[id(node)] = (node, (self.find_position(node), write_table_name(node)), self._make_table_key(node))

    def forget_read(self, node: exp.Table) -> None:
        """Remove one mention of a table from those that read it."""
        self.reads.pop(id(node), None)

    def note_write(self, node: exp.Table) -> None:
        """Record a table as written; this mention of it no longer counts as read."""
        self.forget_read(node)
        self.writes.setdefault(self._make_table_key(node), (self.find_position(node), write_table_name(node)))

    def note_column(self, text: str, node: exp.Expr) -> None:
        """Record a column as used, under its text in the lineage."""
        self._note_columns((text,), node)

    def _note_columns(self, texts: Iterable[str], node: exp.Expr) -> None:
        start, columns = self.find_position(node), self.columns
        for text in texts:
            if text not in columns or start < columns[text][0]:
                columns[text] = (start, text)

    def note_unknown(
        self, kind: Literal["table", "column"], name: str, tables: tuple[str, ...], node: exp.Expr
    ) -> None:
        if self.catalog is not None:
            self.missing.setdefault((kind, name), (self.find_position(node), tables))

    def _is_news(self, kind: Literal["table", "column"], name: str) -> bool:
        """Whether `note_unknown` would record this name."""
        return self.catalog is not None and (kind, name) not in self.missing

    def _make_table_key(self, node: exp.Table) -> str:
        if self.rules.table_case_matters:
            return write_table_name(node)
        return ".".join(self.rules.fold_identifier(part) for part in node.parts)

    # Tables

    def make_table_source(self, node: exp.Table, name: str = "", aliases: Collection[str] = ()) -> Source:
        """Return the source for a real table, with its columns if the catalog has them.

        `name` is its folded alias; `aliases` are the folded new names of its first columns.
        """
        text = write_table_name(node)
        source = Source(name or self.rules.fold_identifier(node.parts[-1]), text, bases=(text,), node=node)
        table = self._find_in_catalog(node)
        if table is None:
            source.open = True
            source.columns = {key: key for key in aliases}
            if not self._is_system_table(node):
                self.note_unknown("table", text, (), node)
        else:
            keys = [*aliases, *(self.rules.fold_name(column.name) for column in table.columns[len(aliases) :])]
            source.columns = {key: f"{text}.{column.name}" for key, column in zip(keys, table.columns, strict=False)}
            source.system_columns = self.rules.system_columns
            for column in table.columns:
                self._paths[f"{text}.{column.name}"] = (table.schema, table.name, column.name)
        return source

    def has_callable_table(self, name: str) -> bool:
        """Whether `name(...)` in FROM searches a full-text table of SQLite."""
        return self.rules.dialect == "sqlite" and self.rules.fold_name(name) in self._tables

    def _find_in_catalog(self, node: exp.Table) -> Table | None:
        candidates = self._tables.get(self.rules.fold_identifier(node.parts[-1]), [])
        schema = node.args.get("db")
        if self.catalog is None or not candidates or not self._is_of_database(node):
            return None
        # A catalog may lack the qualifiers `main` of SQLite and the database's name of DuckDB and MySQL.
        if schema is not None and any(table.schema for table in candidates):
            key = self.rules.fold_identifier(schema)
            in_schema = [table for table in candidates if self.rules.fold_name(table.schema) == key]
            if in_schema or self.rules.dialect != "duckdb":
                candidates = in_schema
        rank = self.catalog.path_rank
        return min(candidates, key=lambda table: rank(table.schema), default=None)

    def _is_of_database(self, node: exp.Table) -> bool:
        """Whether a name of three parts may begin with the catalog's own database; True for a shorter name."""
        database, own = node.args.get("catalog"), self.catalog.database if self.catalog else ""
        return database is None or not own or self.rules.fold_identifier(database) == self.rules.fold_name(own)

    def _is_system_table(self, node: exp.Table) -> bool:
        if node.db:
            return node.db.lower() in _SYSTEM_SCHEMAS
        return node.name.lower().startswith(_SYSTEM_PREFIXES.get(self.rules.dialect, "\0"))

    # Columns

    def note_using(self, column: exp.Expr, left: list[Source], right: list[Source]) -> None:
        """Record a name in USING, which is a column of both sides."""
        key = self.rules.fold_identifier(column)
        matches = [match for source in left + right if (match := source.find(key)) and match.certain]
        for text in [match.text for match in matches] or [column.name]:
            if text:
                self.note_column(text, column)
        for side in (left, right):
            if side and not any(source.find(key) for source in side):
                self.note_unknown("column", column.name, find_base_tables(side), column)

    def note_bare_column(self, name: exp.Identifier, scope: Scope, visible: Visible | None = None) -> None:
        """Record a column without a qualifier.

        It is looked for in the query's own sources, in its `visible` output aliases, then in the outer queries.
        """
        key = self.rules.fold_identifier(name)
        is_quoted = bool(name.args.get("quoted"))
        if not is_quoted and (key in self.rules.pseudo_columns or key[:1] in {"$", "@"}):
            return
        for level in scope.list_scopes():
            matches = level.find(key)
            if level is scope and visible and key in visible.names and self._does_alias_win(visible, matches):
                return
            if matches:
                self._note_matches(matches, name.name, name)
                self._note_meaning(matches, name)
                return
        if self.rules.aliases_reach_subqueries and any(key in level.outputs for level in scope.list_scopes()):
            return
        whole_row = scope.find_source(key)
        if whole_row:
            if whole_row.table:
                self.note_column(f"{whole_row.table}.*", name)
        elif not (is_quoted and self.rules.text_in_double_quotes and self.catalog is not None):
            self.note_column(name.name, name)
            if self._is_news("column", name.name):
                self.note_unknown("column", name.name, scope.list_base_tables(), name)

    @staticmethod
    def _does_alias_win(visible: Visible, matches: list[ColumnMatch]) -> bool:
        match visible.rank:
            case Rank.FIRST:
                return True
            case Rank.OVER_UNKNOWN:
                return not any(match.certain for match in matches)
            case _:
                return not matches

    def note_qualified_column(self, parts: list[exp.Identifier], scope: Scope) -> None:
        """Record a column after a source's name or, if the dialect has them, a field of a struct column."""
        keys = [self.rules.fold_identifier(part) for part in parts]
        for index in range(len(parts) - 2, -1, -1):
            source = scope.find_source(keys[index])
            if source:
                self._note_column_of(source, parts[index], parts[index + 1])
                return
        written = ".".join(part.name for part in parts)
        if struct := self._find_struct(parts[0], scope):
            self._note_matches(struct, written, parts[0])
            return
        self.note_column(written, parts[0])
        if keys[-2] not in self._tables and self._is_news("column", written):
            self.note_unknown("column", written, scope.list_base_tables(), parts[0])

    def _find_struct(self, name: exp.Expr, scope: Scope) -> list[ColumnMatch]:
        """Return the matches for a struct column whose field follows a dot; none if the dialect has no such form."""
        if not self.rules.struct_dots:
            return []
        key = self.rules.fold_identifier(name)
        return next((matches for level in scope.list_scopes() if (matches := level.find(key))), [])

    def _note_column_of(self, source: Source, qualifier: exp.Identifier, column: exp.Identifier) -> None:
        key = self.rules.fold_identifier(column)
        match = source.find(key)
        if match:
            self._note_meaning([match], column)
        if match and match.certain and self._is_certain(source, key, column):
            self.certain.add(int(column.meta.get("start", -1)))
        written = f"{source.find_owner() or qualifier.name}.{column.name}"
        self._note_matches([match] if match else [], written, qualifier)
        if match is None:
            self.note_unknown("column", f"{qualifier.name}.{column.name}", source.bases, qualifier)

    def _is_certain(self, source: Source, key: str, column: exp.Identifier) -> bool:
        """Whether each engine surely finds the column of that name which `source` has, and no other one."""
        is_plain = bool(column.args.get("quoted") or column.name.isascii())
        is_function = source.open and not source.table and key == source.name
        is_shadowed = source.table.lower().startswith("pg_")  # pg_catalog is searched first
        return is_plain and not is_function and not is_shadowed and key not in self.rules.system_columns

    def _note_matches(self, matches: list[ColumnMatch], written: str, node: exp.Expr) -> None:
        """Record the certain matches of a column; without one, record the column as it is `written`."""
        if not any(match.certain for match in matches):
            self.note_column(written, node)
        self._note_columns((match.text for match in matches if match.certain and match.text), node)

    def _note_meaning(self, matches: list[ColumnMatch], column: exp.Identifier) -> None:
        if len(matches) == 1 and matches[0].certain:
            self._meanings[id(column)] = matches[0].text

    def find_path(self, column: exp.Column) -> tuple[str, str, str] | None:
        """Return schema, table and name of the catalog's column that `column` means; None if that is uncertain."""
        return self._paths.get(self._meanings.get(id(column.this), ""))

    def expand_star(self, node: exp.Expr, scope: Scope, *, used: bool = True) -> Source:
        """Return the columns of `*` or `t.*`. `used` is False if they are not read, as in EXISTS (SELECT * ...)."""
        star = node if isinstance(node, exp.Star) else node.this
        qualifier = node.args.get("table")
        sources = scope.sources
        if qualifier is not None:
            source = scope.find_source(self.rules.fold_identifier(qualifier))
            if source is None and (struct := self._find_struct(qualifier, scope)):
                self._note_matches(struct, f"{qualifier.name}.*", qualifier)
                return Source(open=True)
            sources = [source] if source else []
            if source is None and self.rules.fold_identifier(qualifier) not in self._tables:
                self.note_unknown("column", f"{qualifier.name}.*", find_base_tables(scope.sources), qualifier)
        excluded = {
            self.rules.fold_identifier(each.this if isinstance(each, exp.Column) else each)
            for each in star.args.get("except_") or ()
        }
        for key in excluded:
            if sources and not any(source.find(key) for source in sources):
                self.note_unknown("column", key, find_base_tables(sources), star)
        if used:
            self._note_star(star, qualifier, sources, excluded)
        output = self.merge_sources(sources)
        output.columns = {key: "" for key in output.columns if key not in excluded}
        for alias in (*(star.args.get("rename") or ()), *(star.args.get("replace") or ())):
            if isinstance(alias, exp.Alias):
                output.columns[self.rules.fold_identifier(alias.args["alias"])] = ""
        return output

    def _note_star(
        self, star: exp.Expr, qualifier: exp.Expr | None, sources: list[Source], excluded: set[str]
    ) -> None:
        if self.catalog is not None and sources:
            for source in sources:
                self._note_columns(
                    (text for key, text in source.columns.items() if text and key not in excluded), star
                )
            if all(source.is_closed for source in sources):
                return
        if qualifier is None:
            self.note_column("*", star)
        elif not sources:
            self.note_column(f"{qualifier.name}.*", qualifier)
        else:
            owner = sources[0].find_owner()
            self.note_column(f"{owner}.*" if owner else "*", qualifier)

    @staticmethod
    def merge_sources(sources: list[Source]) -> Source:
        """Return all columns of several sources as one output."""
        return Source(
            columns={key: "" for source in sources for key in source.columns},
            unnamed=frozenset().union(*(source.unnamed for source in sources)),
            behind=tuple(dict.fromkeys(leaf for source in sources for leaf in source.list_open_sources())),
            bases=find_base_tables(sources),
        )
