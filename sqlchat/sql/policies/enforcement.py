"""Finds the tables that a query reads, and refuses each use of a column that a policy denies.

Nothing here depends on how the engine resolves a column's name. SQL may read a table with denied columns by the plain
names of its other columns. Stars, whole rows and joins that choose columns by themselves are refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import combining, normalize

from sqlglot import exp

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.attributes import find_attributes
from sqlchat.sql.catalog import LONGEST_NAME, Catalog, Table
from sqlchat.sql.columns import write_table_name
from sqlchat.sql.guards.rules import split_words
from sqlchat.sql.lexer import Lexeme, split_lexemes
from sqlchat.sql.parse import parse, tokenize
from sqlchat.sql.statements import StatementResolver

Key = tuple[str, str]
"""Schema and name of a table."""


@dataclass(frozen=True)
class Mention:
    """A table as a query names it."""

    node: exp.Table
    written: str
    tables: Sequence[Table]
    """Tables of the catalog that it may mean; empty if the catalog has none of that name."""
    is_only: bool
    """Whether ONLY leaves the rows of children and partitions out."""


Guarded = Sequence[tuple[exp.Table, Table, frozenset[str]]]
"""Mentions of tables with denied columns: node, table, denied columns. In a set, equal nodes would count as one."""


TABLE_FUNCTIONS = split_words(
    """
    exploding_generate_series explode explode_outer flatten generate_series generate_subscripts json_array_elements
    json_array_elements_text json_each json_each_text json_object_keys json_to_record json_to_recordset json_tree
    jsonb_array_elements jsonb_array_elements_text jsonb_each jsonb_each_text jsonb_object_keys jsonb_to_record
    jsonb_to_recordset inline posexplode posexplode_outer range regexp_matches regexp_split_to_table string_to_table
    unnest xmltable
    """
)
TELLING = re.compile(
    r"(pg_|to_reg|has_\w+_privilege$|\w+_description$|duckdb_|sqlite_|pragma_|row_security|query|table_to|database_to"
    r"|schema_to|cursor_to|ts_stat|enum_|_?postgis_(index_|constraint_|stats|selectivity)|st_estimated|find_srid$).*"
)
"""Functions that show contents of the database for a name in a text."""
OBJECT_TYPE = re.compile(r"_?reg(class|collation|config|dictionary|namespace|oper|operator|proc|procedure|role|type)")
"""Types of object names in Postgres, and their arrays. They show whether an object of a name exists."""
ROW_IDS = frozenset({"rowid", "oid", "_rowid_", "_rowid", "docid"})
"""Other names of a primary key."""
ESCAPED_NAME = re.compile(r'u&"', re.IGNORECASE)


def make_key(table: Table) -> Key:
    return table.schema, table.name


def fold_name(name: str) -> str:
    """Return `name` without case and accents: equal for all names that an engine may treat as equal."""
    return "".join(sign for sign in normalize("NFKD", name.casefold()) if not combining(sign)).casefold()


def find_tables_read(sql: str, catalog: Catalog, *, definition: bool) -> tuple[exp.Expr, list[Mention]]:
    """Return the one query in `sql`, and the tables that it reads. `definition` is True for the SQL of a view.

    Raises SQLRefusedError for forms that could hide a table.
    """
    tree = _parse_query(sql, catalog.dialect, definition)
    resolver = StatementResolver(catalog.dialect, catalog)
    resolver.resolve_statement(tree)
    reads = resolver.findings.reads
    names = {table.name.casefold() for table in catalog.tables}
    for cte in tree.find_all(exp.CTE):
        if cte.alias.casefold() in names:
            raise SQLRefusedError(
                f"Give the CTE {cte.alias!r} another name than a table's: a policy has to tell them."
            )
    mentions = []
    for node in tree.find_all(exp.Table):
        if node.args.get("rows_from"):
            continue  # its functions are tables of their own in the tree
        if not isinstance(node.this, exp.Identifier):
            _refuse_table_function(node.this)
        elif id(node) in reads:
            tables, is_only = _find_possible_tables(node, catalog), bool(node.args.get("only"))
            mentions.append(Mention(node, write_table_name(node), tables, is_only))
        elif node.db or resolver.rules.fold_identifier(node.this) not in resolver.findings.ctes:
            raise SQLRefusedError(f"It cannot be told what {write_table_name(node)!r} is, as the policy demands.")
    _refuse_hiding(tree, catalog.dialect)
    if catalog.dialect == "postgres":
        _refuse_telling(split_lexemes(sql, "postgres"), tree, catalog)
    return tree, mentions


def _parse_query(sql: str, dialect: str, definition: bool) -> exp.Expr:
    trees = parse(sql, dialect)
    tree = trees[0]
    if definition and isinstance(tree, exp.Create) and isinstance(tree.expression, exp.Expr):
        tree = tree.expression
    if len(trees) > 1 or not isinstance(tree, exp.Query | exp.Values):
        raise SQLRefusedError("On a connection with a policy, only a single query can be run.")
    if not definition:
        if ESCAPED_NAME.search(sql):
            raise SQLRefusedError("On a connection with a policy, names must be written without escapes.")
        end = 0
        for token in tokenize(sql, dialect):
            if sql[end : token.start].strip():
                break
            end = token.end + 1
        if sql[end:].strip().strip(";").strip():
            raise SQLRefusedError("On a connection with a policy, SQL must come without comments.")
    return tree


def _find_possible_tables(node: exp.Table, catalog: Catalog) -> list[Table]:
    """Return the tables that a name may mean: in its schema, in the default schema, or else all of that name."""
    matches = [table for table in catalog.tables if table.name.casefold() == node.name.casefold()]
    if node.catalog and node.catalog.casefold() != catalog.database.casefold():
        return []
    if schema := node.db.casefold():
        return [table for table in matches if (table.schema or "main").casefold() == schema]
    if len(matches) > 1:
        return [table for table in matches if table.schema == catalog.default_schema] or matches
    return matches


def _refuse_table_function(node: exp.Expr | None) -> None:
    name = ""
    if isinstance(node, exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
    if name.casefold() not in TABLE_FUNCTIONS and not isinstance(node, exp.Values | exp.Unnest | exp.JSONTable):
        raise SQLRefusedError(
            "On a connection with a policy, FROM takes tables and functions that compute, no others."
        )


def _refuse_telling(words: Sequence[Lexeme], tree: exp.Expr, catalog: Catalog) -> None:
    """Refuse casts to names of objects, in any notation, and `('t').pg_relation_size`."""
    if any(word.kind != "string" and OBJECT_TYPE.fullmatch(word.value) for word in words):
        raise SQLRefusedError("Casts to names of objects tell what the database holds; a policy forbids them.")
    for name in find_attributes(words, tree, catalog, lambda name: bool(TELLING.fullmatch(name))):
        raise _make_telling_error(name)


def _make_telling_error(name: str) -> SQLRefusedError:
    return SQLRefusedError(f"The function {name!r} tells what the database holds; a policy forbids it.")


def _refuse_hiding(tree: exp.Expr, dialect: str) -> None:
    """Refuse forms that read tables without naming them in the tree, and functions that show their contents."""
    hiding = exp.In, exp.Lateral, exp.Anonymous, exp.DataType, exp.Pivot, exp.Identifier, exp.Describe, exp.Summarize
    for node in tree.find_all(*hiding):
        match node:
            case exp.Identifier() if dialect == "postgres" and len(node.name.encode()) > LONGEST_NAME:
                raise SQLRefusedError("A name in this SQL is longer than Postgres reads, so it may mean another one.")
            case exp.In() if dialect == "sqlite" and isinstance(node.args.get("field"), exp.Expr):
                raise SQLRefusedError("On a connection with a policy, write a query in brackets after IN.")
            case exp.Lateral() if not isinstance(node.this, exp.Subquery):
                _refuse_table_function(node.this)
            case exp.Anonymous() if TELLING.fullmatch(node.name.casefold()):
                raise _make_telling_error(node.name)
            case exp.DataType() if dialect == "duckdb" and node.this == exp.DataType.Type.USERDEFINED:
                raise SQLRefusedError(
                    "Casts to types of this database's own tell their values; a policy forbids them."
                )
            case exp.Pivot() | exp.Describe() | exp.Summarize():
                name = type(node).__name__.upper()
                raise SQLRefusedError(f"On a connection with a policy, {name} cannot be resolved.")


def refuse_hidden_columns(tree: exp.Expr, guarded: Guarded) -> None:
    """Raise SQLRefusedError if the query could use a denied column."""
    denied = {fold_name(name) for _, _, hidden in guarded for name in hidden}
    aliases: dict[str, set[str]] = {}
    for node, table, hidden in guarded:
        shown = {fold_name(column.name) for column in table.columns} - {fold_name(name) for name in hidden}
        for alias in {fold_name(node.alias_or_name), fold_name(node.name)}:
            aliases[alias] = aliases[alias] & shown if alias in aliases else shown
        _refuse_wrapping(node, table)
    mentions = {id(node) for node, _, _ in guarded}
    others = {fold_name(node.alias_or_name) for node in tree.find_all(exp.Table) if id(node) not in mentions}
    others -= {"", *aliases}
    judged = set[int]()
    for each in tree.walk():
        match each:
            case exp.Join() if (each.args.get("method") or "").upper() in {"NATURAL", "POSITIONAL", "ASOF"}:
                raise SQLRefusedError(
                    "A policy denies columns here: write joins with ON, so that it shows what is compared."
                )
            case exp.Columns() | exp.PositionalColumn():
                raise SQLRefusedError("A policy denies columns here: name the columns that you want.")
            case exp.Star():
                _refuse_star(each, guarded, aliases)
            case exp.Column() if not isinstance(each.this, exp.Star):
                _refuse_column([part.name for part in each.parts], denied, aliases, others)
            case exp.Dot() if not isinstance(each.parent, exp.Dot) and (receiver := _read_receiver(each)):
                _refuse_column([name.name for name in receiver], denied, aliases, others)
                judged.update(map(id, receiver))
            case exp.Match():
                raise SQLRefusedError("A policy denies columns here, which MATCH might search.")
            case exp.Identifier() if isinstance(each.parent, exp.Paren) and fold_name(each.name) in aliases:
                _refuse_column([each.name], denied, aliases, others)
            case exp.Identifier() if fold_name(each.name) in denied and id(each) not in judged:
                _refuse_name(each)
            case exp.Literal() if isinstance(each.parent, exp.Dot | exp.Column | exp.Table):
                raise SQLRefusedError("A policy denies columns here: write names without single quotes.")


def _refuse_wrapping(node: exp.Expr, table: Table) -> None:
    """Refuse new names for columns or for a whole join, which could hide a denied column."""
    alias = node.args.get("alias")
    around = node.parent
    while isinstance(around, exp.Join | exp.Table | exp.Paren) or (
        isinstance(around, exp.Subquery) and not isinstance(around.this, exp.Query)
    ):
        if isinstance(around, exp.Subquery) and around.alias:
            alias = exp.TableAlias(columns=[exp.to_identifier(around.alias)])
        around = around.parent
    if isinstance(alias, exp.TableAlias) and alias.columns:
        raise SQLRefusedError(
            f"A policy denies columns of {table.name!r}: give no new names to its columns or joins."
        )


def _refuse_star(star: exp.Star, guarded: Guarded, aliases: Mapping[str, object]) -> None:
    parent = star.parent
    if isinstance(parent, exp.Count) or (isinstance(parent, exp.Select) and isinstance(parent.parent, exp.Exists)):
        return
    if isinstance(parent, exp.Column):
        is_guarded = fold_name(parent.table) in aliases
    else:
        select = star.find_ancestor(exp.Select)
        is_guarded = any(node.find_ancestor(exp.Select) is select for node, _, _ in guarded)
    if is_guarded:
        raise SQLRefusedError("A policy denies columns here: `*` would show them, so name those that you want.")


def _read_receiver(dot: exp.Dot) -> list[exp.Identifier]:
    """Return the names before the call in `a.b.f()`, `a` and `b`, which may be a column or a whole row."""
    names: list[exp.Identifier] = []
    node: exp.Expr = dot
    while isinstance(node, exp.Dot):
        names = [node.expression, *names] if isinstance(node.expression, exp.Identifier) else []
        node = node.this
    return [node, *names] if isinstance(node, exp.Identifier) else []


def _refuse_column(
    names: Sequence[str], denied: set[str], aliases: Mapping[str, set[str]], others: Collection[str]
) -> None:
    """Refuse the column `names`, such as `["customers", "email"]`, if it is denied or a whole row.

    `aliases` are names of guarded tables -> the columns that they may show; `others` are names of all other tables.
    """
    parts = [fold_name(name) for name in names]
    path = repr(".".join(names))
    for before, part in zip(["", *parts], parts, strict=False):
        if before in aliases:
            if part not in aliases[before]:
                raise SQLRefusedError(f"The policy of this connection does not let SQL read the column {path}.")
        elif part in aliases and part == parts[-1] and before not in others:
            raise SQLRefusedError(
                f"A policy denies columns of {part!r}: name those that you want, not the whole row."
            )
        elif not before and part in ROW_IDS:
            raise SQLRefusedError(f"A policy denies columns here, and {names[-1]!r} may be one of them.")
        elif part in denied and before not in others:
            raise SQLRefusedError(
                f"The policy of this connection does not let SQL read the column {path}; "
                "where another table's is meant, put that table's name before it."
            )


def _refuse_name(name: exp.Identifier) -> None:
    """Refuse a denied name, unless it is an alias or excluded from a star, or `_refuse_column` judges it."""
    allowed = exp.Alias | exp.TableAlias | exp.Table | exp.CTE | exp.Star | exp.WindowSpec | exp.Column
    if not isinstance(name.parent, allowed):
        raise SQLRefusedError(f"The policy of this connection does not let SQL read the column {name.name!r}.")
