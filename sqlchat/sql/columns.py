"""Resolves names of tables and columns, and records what a statement reads and writes.

`Findings` are the result of one walk (`resolve.py`): tables read and written, CTEs, columns, and with a catalog the
names that provably do not exist. A name that cannot be resolved is recorded as written, never refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from sqlglot import exp

from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.scopes import Found, Rank, Rules, Scope, Source, Visible

Place = tuple[int, str]
"""Offset of a name's first place in the text, and how it is written there."""

_SYSTEM_SCHEMAS = {"information_schema", "pg_catalog", "pg_toast", "performance_schema", "mysql", "sys"}
_SYSTEM_PREFIXES = {
    "postgres": ("pg_",),
    "sqlite": ("sqlite_",),
    "duckdb": ("duckdb_", "sqlite_", "pragma_", "pg_"),
}


def write_table_name(node: exp.Table) -> str:
    """A table's name as written, qualified where it is, without quotes."""
    return ".".join(f"#{part.name}" if part.args.get("temporary") else part.name for part in node.parts)


def is_named_table(node: object) -> bool:
    """Whether `node` is a table with a name, of however many parts, and no table function."""
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier | exp.Dot):
        return False
    return all(isinstance(part, exp.Identifier) for part in node.parts)


def find_base_tables(sources: Iterable[Source]) -> tuple[str, ...]:
    """The real tables that several sources draw from, each once."""
    return tuple(dict.fromkeys(base for source in sources for base in source.bases))


class Findings:
    """The tables, CTEs and columns of one text, and the look-ups that resolve them."""

    def __init__(self, dialect: str, catalog: Catalog | None) -> None:
        self.rules = Rules.load(dialect)
        self.offset = 0
        """Offset of the statement that is being resolved."""
        self.catalog = catalog
        self.reads: dict[int, tuple[exp.Table, Place, str]] = {}
        """Identity of a table's node -> the node, its place, and the form in which equal names are equal."""
        self.writes: dict[str, Place] = {}
        self.columns: dict[str, Place] = {}
        self.ctes: dict[str, Place] = {}
        self.certain: set[int] = set()
        """Offsets of the last names of qualified columns that exist without doubt, system columns left out."""
        self.missing: dict[tuple[Literal["table", "column"], str], tuple[int, tuple[str, ...]]] = {}
        """Name that provably does not exist -> its offset, and the tables in which it was looked for."""
        self._meanings: dict[int, str] = {}
        """Identity of a column's identifier -> text that lineage prints for the one column that it means."""
        self._paths: dict[str, tuple[str, str, str]] = {}
        """Text that lineage prints for a column of the catalog -> schema, table and name."""
        self._tables: dict[str, list[Table]] = {}
        for table in catalog.tables if catalog else ():
            self._tables.setdefault(self.rules.fold_name(table.name), []).append(table)

    # Notes

    def find_position(self, node: exp.Expr) -> int:
        """Offset of a node in the text; a very large one if sqlglot does not know it."""
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
        """Forget that this mention of a table reads it."""
        self.reads.pop(id(node), None)

    def note_write(self, node: exp.Table) -> None:
        """Note a table as written; the same mention of it does not count as read."""
        self.forget_read(node)
        self.writes.setdefault(self._make_table_key(node), (self.find_position(node), write_table_name(node)))

    def note_column(self, text: str, node: exp.Expr) -> None:
        """Note a column as used, under the text that lineage prints."""
        start = self.find_position(node)
        if text not in self.columns or start < self.columns[text][0]:
            self.columns[text] = (start, text)

    def note_unknown(
        self, kind: Literal["table", "column"], name: str, tables: tuple[str, ...], node: exp.Expr
    ) -> None:
        if self.catalog is not None:
            self.missing.setdefault((kind, name), (self.find_position(node), tables))

    def _make_table_key(self, node: exp.Table) -> str:
        if self.rules.table_case_matters:
            return write_table_name(node)
        return ".".join(self.rules.fold_identifier(part) for part in node.parts)

    # Tables

    def make_table_source(self, node: exp.Table, name: str = "", aliases: Collection[str] = ()) -> Source:
        """The source for a real table, with its columns where the catalog has them.

        `name` is its folded alias, `aliases` are folded new names of its first columns.
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
        """Whether `name(...)` in FROM is a full-text table of SQLite that is searched."""
        return self.rules.dialect == "sqlite" and self.rules.fold_name(name) in self._tables

    def _find_in_catalog(self, node: exp.Table) -> Table | None:
        candidates = self._tables.get(self.rules.fold_identifier(node.parts[-1]), [])
        schema = node.args.get("db")
        if self.catalog is None or not candidates or not self._is_of_database(node):
            return None
        # SQLite's `main` and the database's name in DuckDB and MySQL are qualifiers that no catalog needs to hold.
        if schema is not None and any(table.schema for table in candidates):
            inside = [
                table
                for table in candidates
                if self.rules.fold_name(table.schema) == self.rules.fold_identifier(schema)
            ]
            candidates = candidates if not inside and self.rules.dialect == "duckdb" else inside
        rank = self.catalog.path_rank
        return min(candidates, key=lambda table: rank(table.schema), default=None)

    def _is_of_database(self, node: exp.Table) -> bool:
        """Whether the first of a name's three parts, if it has three, may be the database that the catalog is of."""
        named, own = node.args.get("catalog"), self.catalog.database if self.catalog else ""
        return named is None or not own or self.rules.fold_identifier(named) == self.rules.fold_name(own)

    def _is_system_table(self, node: exp.Table) -> bool:
        if node.db:
            return node.db.lower() in _SYSTEM_SCHEMAS
        return node.name.lower().startswith(_SYSTEM_PREFIXES.get(self.rules.dialect, "\0"))

    # Columns

    def note_using(self, column: exp.Expr, left: list[Source], right: list[Source]) -> None:
        """A name in USING: a column of both sides."""
        key = self.rules.fold_identifier(column)
        matches = [each for source in left + right if (each := source.find(key)) and each.certain]
        for text in [each.text for each in matches] or [column.name]:
            if text:
                self.note_column(text, column)
        for side in (left, right):
            if side and not any(source.find(key) for source in side):
                self.note_unknown("column", column.name, find_base_tables(side), column)

    def note_bare_column(self, name: exp.Identifier, scope: Scope, visible: Visible | None = None) -> None:
        """A column without a qualifier: the query's own sources, its output aliases where they count, then the
        queries around it."""
        key = self.rules.fold_identifier(name)
        quoted = bool(name.args.get("quoted"))
        if not quoted and (key in self.rules.pseudo_columns or key[:1] in {"$", "@"}):
            return
        alias = visible is not None and key in visible.names
        for each in scope.list_scopes():
            matches = each.find(key)
            if each is scope and alias and self._does_alias_win(visible, matches):
                return
            if matches:
                self._note_found(matches, name.name, name)
                self._note_meaning(matches, name)
                return
        if self.rules.aliases_reach_subqueries and any(key in each.outputs for each in scope.list_scopes()):
            return
        whole_row = scope.find_source(key)
        if whole_row:
            if whole_row.table:
                self.note_column(f"{whole_row.table}.*", name)
        elif not (quoted and self.rules.text_in_double_quotes and self.catalog is not None):
            self.note_column(name.name, name)
            around = [source for each in scope.list_scopes() for source in each.sources]
            self.note_unknown("column", name.name, find_base_tables(around), name)

    @staticmethod
    def _does_alias_win(visible: Visible | None, matches: list[Found]) -> bool:
        match visible.rank if visible else None:
            case Rank.FIRST:
                return True
            case Rank.OVER_UNKNOWN:
                return not any(each.certain for each in matches)
            case _:
                return not matches

    def note_qualified_column(self, parts: list[exp.Identifier], scope: Scope) -> None:
        """A column behind a source's name or, where the dialect has them, a field of a struct column."""
        keys = [self.rules.fold_identifier(part) for part in parts]
        for index in range(len(parts) - 2, -1, -1):
            source = scope.find_source(keys[index])
            if source:
                self._note_column_of(source, parts[index], parts[index + 1])
                return
        written = ".".join(part.name for part in parts)
        if struct := self._find_struct(parts[0], scope):
            self._note_found(struct, written, parts[0])
            return
        self.note_column(written, parts[0])
        if keys[-2] not in self._tables:
            around = [each for level in scope.list_scopes() for each in level.sources]
            self.note_unknown("column", written, find_base_tables(around), parts[0])

    def _find_struct(self, name: exp.Expr, scope: Scope) -> list[Found]:
        """The column whose field a dot reaches, where the dialect writes fields so."""
        if not self.rules.struct_dots:
            return []
        key = self.rules.fold_identifier(name)
        return next((matches for each in scope.list_scopes() if (matches := each.find(key))), [])

    def _note_column_of(self, source: Source, qualifier: exp.Identifier, column: exp.Identifier) -> None:
        key = self.rules.fold_identifier(column)
        matches = source.find(key)
        if matches:
            self._note_meaning([matches], column)
        if matches and matches.certain and self._is_certain(source, key, column):
            self.certain.add(int(column.meta.get("start", -1)))
        written = f"{source.find_owner() or qualifier.name}.{column.name}"
        self._note_found([matches] if matches else [], written, qualifier)
        if matches is None:
            self.note_unknown("column", f"{qualifier.name}.{column.name}", source.bases, qualifier)

    def _is_certain(self, source: Source, key: str, column: exp.Identifier) -> bool:
        """Whether no engine can find another column, or none, where `source` is known to have one of that name."""
        plain = column.args.get("quoted") or column.name.isascii()
        of_function = source.open and not source.table and key == source.name
        shadowed = source.table.lower().startswith("pg_")  # pg_catalog is searched first
        return bool(plain) and not of_function and not shadowed and key not in self.rules.system_columns

    def _note_found(self, matches: list[Found], written: str, node: exp.Expr) -> None:
        if not any(each.certain for each in matches):
            self.note_column(written, node)
        for each in matches:
            if each.certain and each.text:
                self.note_column(each.text, node)

    def _note_meaning(self, matches: list[Found], column: exp.Identifier) -> None:
        if len(matches) == 1 and matches[0].certain:
            self._meanings[id(column)] = matches[0].text

    def find_path(self, column: exp.Column) -> tuple[str, str, str] | None:
        """Schema, table and name of the catalog's column that `column` means, where there is no doubt."""
        return self._paths.get(self._meanings.get(id(column.this), ""))

    def expand_star(self, node: exp.Expr, scope: Scope, *, used: bool = True) -> Source:
        """Return the columns of `*` or `t.*`. `used` is False if nothing reads them, as in EXISTS (SELECT * ...)."""
        star = node if isinstance(node, exp.Star) else node.this
        qualifier = node.args.get("table")
        sources = scope.sources
        if qualifier is not None:
            named = scope.find_source(self.rules.fold_identifier(qualifier))
            if named is None and (struct := self._find_struct(qualifier, scope)):
                self._note_found(struct, f"{qualifier.name}.*", qualifier)
                return Source(open=True)
            sources = [named] if named else []
            if named is None and self.rules.fold_identifier(qualifier) not in self._tables:
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
                for key, text in source.columns.items():
                    if text and key not in excluded:
                        self.note_column(text, star)
            if all(source.closed for source in sources):
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
