"""Applies a connection's policy, which limits the tables and columns that SQL may read.

It refuses names that might mean a denied column, and names that cannot be resolved. A query that is refused by
mistake can be rewritten; a denied value that was shown cannot be taken back.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from sqlchat.errors import PayloadError, SQLRefusedError, SQLSyntaxError
from sqlchat.sql.catalog import WORD, Catalog, Table
from sqlchat.sql.guard import check_calls
from sqlchat.sql.policies.domains import read_last_part
from sqlchat.sql.policies.enforcement import Key, find_tables_read, fold_name, make_key, refuse_hidden_columns
from sqlchat.sql.policies.own import refuse_own
from sqlchat.sql.policies.patterns import Parts, compile_patterns

FIELDS = ("allow_tables", "deny_tables", "deny_columns")
MOST = 500
"""Most patterns of one field."""
PART = r"[^\s.\"'`\[\]]{1,128}"
TABLE = re.compile(rf"{PART}(\.{PART})?")
COLUMN = re.compile(rf"{PART}\.{PART}(\.{PART})?")


@dataclass(frozen=True, slots=True)
class Policy:
    """Patterns of names, compared without case; `*` stands for any characters of one part."""

    allow_tables: tuple[str, ...] = ()
    """`table` or `schema.table`; if there are any, SQL reads no other tables."""
    deny_tables: tuple[str, ...] = ()
    deny_columns: tuple[str, ...] = ()
    """`table.column` or `schema.table.column`."""

    @classmethod
    def read(cls, fields: Mapping[str, Any] | None) -> Policy | None:
        """Return the policy in `fields` of a request or the store; None without patterns. Raises PayloadError."""
        faults = {}
        for name, patterns in (fields or {}).items():
            form, example = (COLUMN, "table.column") if name == "deny_columns" else (TABLE, "schema.table")
            if name not in FIELDS:
                faults[name] = [f"Unknown; a policy has {', '.join(FIELDS)}."]
            elif not isinstance(patterns, list | tuple) or len(patterns) > MOST:
                faults[name] = [f"Must be a list of at most {MOST} names."]
            elif wrong := [each for each in patterns if not isinstance(each, str) or not form.fullmatch(each)]:
                faults[name] = [f"{str(wrong[0])[:80]!r} is not a name such as {example}, without quotes."]
        if faults:
            raise PayloadError("The policy is not valid; `errors` says why.", errors={"policy": faults})
        patterns_by_field = {name: tuple(patterns) for name, patterns in (fields or {}).items() if patterns}
        return cls(**patterns_by_field) if patterns_by_field else None

    def as_dict(self) -> dict[str, list[str]]:
        return {name: list(getattr(self, name)) for name in FIELDS}

    def allows(self, table: Table) -> bool:
        return not self.allow_tables or compile_patterns(self.allow_tables).match(_list_names(make_key(table)))

    def denies(self, names: set[Parts]) -> bool:
        return compile_patterns(self.deny_tables).match(names)

    def find_hidden(self, table: Table, names: set[Parts]) -> frozenset[str]:
        """Names of the table's columns that SQL must not read, if the table is known by `names`.

        A generated column is hidden with any column that its expression mentions. So is a column whose values run a
        function of the users' own when they are compared or cast, since that may read anything.
        """
        hidden = {column.name for column in table.columns if column.runs_own}
        if patterns := compile_patterns(self.deny_columns).without_last(names):
            hidden |= {column.name for column in table.columns if patterns.match([(column.name,)])}
        while computed := [c for c in table.columns if c.name not in hidden and _mentions(c.expression, hidden)]:
            hidden |= {column.name for column in computed}
        return frozenset(hidden)


@dataclass(frozen=True)
class PolicedCatalog:
    """A catalog, and the part of it that a policy allows."""

    full: Catalog
    visible: Catalog
    """The catalog without denied tables and columns, nor any trace of them in keys and definitions of views."""
    readable: frozenset[Key]
    hidden: Mapping[Key, frozenset[str]]
    """Denied columns by table, only for tables with such columns."""
    readable_only: frozenset[Key]
    """Tables that can be read with ONLY, without the rows of their children and partitions."""
    hidden_only: Mapping[Key, frozenset[str]]

    def select_part(self, sql: str) -> PolicedCatalog:
        """Return the part that is needed to judge `sql`."""
        full = self.full.mentioned_in(sql)
        keys = {make_key(table) for table in full.tables}
        return PolicedCatalog(
            replace(full, tables=tuple(replace(table, definition="", descendants=()) for table in full.tables)),
            replace(self.visible, tables=()),
            self.readable & keys,
            {key: columns for key, columns in self.hidden.items() if key in keys},
            self.readable_only & keys,
            {key: columns for key, columns in self.hidden_only.items() if key in keys},
        )


def apply_policy(catalog: Catalog, policy: Policy) -> PolicedCatalog:
    """Apply `policy` to `catalog`.

    A view is readable if the policy allows it by name, denies nothing that it reads, and its SQL is understood. What
    a view reads need not be allowed by itself: naming the view allows that. The same holds for an index over another
    table, and for the children and partitions whose rows a table gives. A child is denied with its parent.
    """
    names, names_only = _list_names_with_relatives(catalog)
    denied, hidden = _find_denied(catalog, policy, names)
    denied_only, hidden_only = _find_denied(catalog, policy, names_only)
    plain = frozenset(make_key(table) for table in catalog.tables if table.kind != "view" and table.origin is None)
    undenied, undenied_only = plain - denied, plain - denied_only
    waiting = [table for table in catalog.tables if make_key(table) not in denied | plain]
    while True:
        left = []
        for table in waiting:
            if _shows_undenied(table, PolicedCatalog(catalog, catalog, undenied, hidden, undenied_only, hidden_only)):
                undenied |= {make_key(table)}
                undenied_only |= {make_key(table)}
            else:
                left.append(table)
        if len(left) == len(waiting):
            break
        waiting = left  # a view over views becomes readable after them
    allowed = frozenset(make_key(table) for table in catalog.tables if policy.allows(table))
    readable = undenied & allowed
    shown = tuple(_strip_table(table, readable, hidden) for table in catalog.tables if make_key(table) in readable)
    visible = replace(catalog, tables=shown, version=_hash_version(catalog, policy))
    return PolicedCatalog(catalog, visible, readable, hidden, undenied_only & allowed, hidden_only)


def _find_denied(
    catalog: Catalog, policy: Policy, names: Mapping[Key, set[Parts]]
) -> tuple[frozenset[Key], dict[Key, frozenset[str]]]:
    """Return the tables that are denied under one of their `names`, and the denied columns by table."""
    denied = frozenset(key for key, table_names in names.items() if policy.denies(table_names))
    hidden = {make_key(table): policy.find_hidden(table, names[make_key(table)]) for table in catalog.tables}
    return denied, {key: columns for key, columns in hidden.items() if columns}


def _list_names_with_relatives(catalog: Catalog) -> tuple[dict[Key, set[Parts]], dict[Key, set[Parts]]]:
    """Return the names by which a policy may mean the rows of each table, without and with ONLY.

    With ONLY they are the names of the table and its parents; else also of its descendants and their other parents.
    """
    parents: dict[Key, list[Key]] = defaultdict(list)
    for table in catalog.tables:
        for below in table.descendants:
            parents[below].append(make_key(table))
    below_of = {make_key(table): table.descendants for table in catalog.tables}
    only = {
        key: set[Parts]().union(*(_list_names(each) for each in (key, *parents[key])))
        for key in {*below_of, *parents}
    }
    whole = {key: only[key].union(*(only[each] for each in below)) for key, below in below_of.items()}
    return whole, {key: only[key] for key in below_of}


def _shows_undenied(table: Table, policed: PolicedCatalog) -> bool:
    """Whether a view, or an index over another table, shows nothing that is denied. False if that is unknown."""
    if table.origin is None:
        part = policed.select_part(table.definition)
        if table.definition_schema:
            part = replace(part, full=replace(part.full, default_schema=table.definition_schema, search_path=()))
        return bool(table.definition) and not table.calls_own and _is_permitted(table.definition, part)
    source = policed.full.table(table.origin.table, table.schema) if table.origin.table else None
    if source is None or make_key(source) not in policed.readable:
        return False
    hidden = {fold_name(name) for name in policed.hidden.get(make_key(source), ())}
    return hidden.isdisjoint(map(fold_name, table.origin.columns))


def _hash_version(catalog: Catalog, policy: Policy) -> str:
    """Return a hash of the catalog version and the policy, so that caches never mix policies."""
    content = json.dumps([catalog.version, policy.as_dict()])
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()


def warn_of_unseen_views(catalog: Catalog) -> list[str]:
    """Return a warning about views that no policy can allow, since the database does not show their definitions."""
    names = [table.name for table in catalog.tables if table.kind == "view" and not table.definition]
    if not names:
        return []
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return [
        f"Under the policy nobody reads the views {shown}: the database does not show their definitions to this user "
        "(in MySQL and MariaDB: GRANT SHOW VIEW)."
    ]


def refuse(sql: str, policed: PolicedCatalog) -> None:
    """Raise SQLRefusedError if `sql` reads, or might read, denied tables or columns.

    `policed` is `select_part(sql)` of the whole. Raises SQLSyntaxError as parsing does.
    """
    _refuse(sql, policed, definition=False)


def _is_permitted(definition: str, policed: PolicedCatalog) -> bool:
    try:
        _refuse(definition, policed, definition=True)
    except (SQLRefusedError, SQLSyntaxError):
        return False
    return True


def _refuse(sql: str, policed: PolicedCatalog, *, definition: bool) -> None:
    tree, mentions = find_tables_read(sql, policed.full, definition=definition)
    full = policed.full
    if full.dialect == "postgres" and not definition:
        _refuse_row_types(tree, policed)
    functions = full.functions
    if definition and full.dialect == "postgres" and functions is not None:
        functions |= full.own.functions  # Postgres itself tells the user-defined functions that a view calls
    else:
        refuse_own(sql, tree, full)
    check_calls(sql, full.dialect, functions)  # a user-defined function may read anything
    guarded = []
    for mention in mentions:
        readable, hidden = policed.readable, policed.hidden
        if mention.is_only:
            readable, hidden = policed.readable_only, policed.hidden_only
        keys = [make_key(table) for table in mention.tables]
        if not keys or not readable.issuperset(keys):
            raise SQLRefusedError(
                f"The policy of this connection does not let SQL read the table {mention.written!r}.",
                denied_table=mention.written,
            )
        for table, key in zip(mention.tables, keys, strict=True):
            if key in hidden:
                guarded.append((mention.node, table, hidden[key]))
    if guarded:
        refuse_hidden_columns(tree, guarded)


def _refuse_row_types(tree: exp.Expr, policed: PolicedCatalog) -> None:
    """Refuse the row type of a table with anything denied: `(NULL::salaries).*` shows its columns."""
    denied = {
        table.name.lower()
        for table in policed.full.tables
        if make_key(table) not in policed.readable or make_key(table) in policed.hidden
    }
    for node in tree.find_all(exp.DataType):
        name = node.sql("postgres")
        if node.this == exp.DataType.Type.USERDEFINED and read_last_part(name) in denied:
            raise SQLRefusedError(f"The policy of this connection does not let SQL read the table {name[:80]!r}.")


def _strip_table(table: Table, readable: frozenset[Key], hidden: Mapping[Key, frozenset[str]]) -> Table:
    hidden_columns = hidden.get(make_key(table), frozenset())
    keys = tuple(
        key
        for key in table.foreign_keys
        if hidden_columns.isdisjoint(key.columns)
        and (key.ref_schema, key.ref_table) in readable
        and hidden.get((key.ref_schema, key.ref_table), frozenset()).isdisjoint(key.ref_columns)
    )
    return replace(
        table,
        columns=tuple(column for column in table.columns if column.name not in hidden_columns),
        primary_key=table.primary_key if hidden_columns.isdisjoint(table.primary_key) else (),
        foreign_keys=keys,
        definition="",
        descendants=(),
        origin=None,
    )


def _list_names(key: Key) -> set[Parts]:
    """Return the names that a pattern may mean: bare, and with the schema, which is `main` in SQLite."""
    schema, name = key
    schema = schema or "main"
    return {(name,), (schema, name), tuple(name.split(".")), (schema, *name.split("."))}


def _mentions(expression: str, hidden: set[str]) -> bool:
    text = fold_name(expression)
    words = set(WORD.findall(text))
    return any(name in words if WORD.fullmatch(name) else name in text for name in map(fold_name, hidden))
