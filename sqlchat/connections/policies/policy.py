"""A connection's policy on data: which tables and columns SQL may read. Pure functions; `policed.py` enforces them.

The reading is stricter than SQL needs: what could be a denied column under another name, and what cannot be resolved,
is refused. A query that is refused by mistake can be written more plainly; a denied value that got out cannot be
called back.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlchat.connections.policies.enforcement import Key, hidden_columns_refused, key_of, tables_read
from sqlchat.errors import PayloadError, SQLRefusedError, SQLSyntaxError
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.guard import check_calls

FIELDS = ("allow_tables", "deny_tables", "deny_columns")
MOST = 500
"""Patterns of one field."""
PART = r"[^\s.\"'`\[\]]{1,128}"
TABLE = re.compile(rf"{PART}(\.{PART})?")
COLUMN = re.compile(rf"{PART}\.{PART}(\.{PART})?")


@dataclass(frozen=True, slots=True)
class Policy:
    """Patterns of names, compared without case; `*` in one stands for any characters of that part."""

    allow_tables: tuple[str, ...] = ()
    """`table` or `schema.table`; where there are any, SQL reads nothing else."""
    deny_tables: tuple[str, ...] = ()
    deny_columns: tuple[str, ...] = ()
    """`table.column` or `schema.table.column`."""

    @classmethod
    def of(cls, fields: Mapping[str, Any] | None) -> Policy | None:
        """The policy that a request or the store has, None for none. Raises PayloadError."""
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
        kept = {name: tuple(patterns) for name, patterns in (fields or {}).items() if patterns}
        return cls(**kept) if kept else None

    def as_dict(self) -> dict[str, list[str]]:
        return {name: list(getattr(self, name)) for name in FIELDS}

    def allows(self, table: Table) -> bool:
        return not self.allow_tables or _matches(self.allow_tables, _names(table))

    def denies(self, table: Table) -> bool:
        return _matches(self.deny_tables, _names(table))

    def hidden(self, table: Table) -> frozenset[str]:
        """Names of the table's columns that SQL must not read."""
        return frozenset(
            column.name
            for column in table.columns
            if _matches(self.deny_columns, [f"{name}.{column.name}" for name in _names(table)])
        )


@dataclass(frozen=True)
class Judged:
    """A catalog under a policy."""

    full: Catalog
    visible: Catalog
    """Without what is denied, and without any trace of it in keys and the definitions of views."""
    readable: frozenset[Key]
    hidden: Mapping[Key, frozenset[str]]
    """Denied columns by table, where a table has any."""

    def part(self, sql: str) -> Judged:
        """What judging `sql` takes."""
        full = self.full.mentioned_in(sql)
        keys = {key_of(table) for table in full.tables}
        return Judged(
            full,
            replace(self.visible, tables=()),
            self.readable & keys,
            {key: columns for key, columns in self.hidden.items() if key in keys},
        )


def judge(catalog: Catalog, policy: Policy) -> Judged:
    """What `policy` leaves of `catalog`.

    A view is readable where the policy allows it by name, denies nothing that it reads, and its SQL is understood.
    What a view reads need not be allowed by itself: naming the view allows that.
    """
    hidden = {key_of(table): columns for table in catalog.tables if (columns := policy.hidden(table))}
    undenied = frozenset(key_of(t) for t in catalog.tables if t.kind != "view" and not policy.denies(t))
    waiting = [table for table in catalog.tables if table.kind == "view" and not policy.denies(table)]
    while True:
        left = []
        for view in waiting:
            part = Judged(catalog, catalog, undenied, hidden).part(view.definition)
            if view.definition and _reads_only(view.definition, part):
                undenied |= {key_of(view)}
            else:
                left.append(view)
        if len(left) == len(waiting):
            break
        waiting = left  # a view over views becomes readable after them
    tables = [table for table in catalog.tables if key_of(table) in undenied and policy.allows(table)]
    readable = frozenset(map(key_of, tables))
    shown = tuple(_shown(table, readable, hidden) for table in tables)
    visible = replace(catalog, tables=shown, version=_version(catalog, policy))
    return Judged(catalog, visible, readable, hidden)


def _version(catalog: Catalog, policy: Policy) -> str:
    """Of what `policy` leaves: whoever keeps something by a version must not find it under another policy."""
    made_of = json.dumps([catalog.version, policy.as_dict()])
    return hashlib.blake2b(made_of.encode(), digest_size=8).hexdigest()


def unseen_views(catalog: Catalog) -> list[str]:
    """Warnings of the views that no policy lets be read, since the database does not tell what they read."""
    names = [table.name for table in catalog.tables if table.kind == "view" and not table.definition]
    if not names:
        return []
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return [
        f"Under the policy nobody reads the views {shown}: the database does not show their definitions to this user "
        "(in MySQL and MariaDB: GRANT SHOW VIEW)."
    ]


def refuse(sql: str, judged: Judged) -> None:
    """Raise SQLRefusedError where `sql` reads, or might read, what it must not.

    `judged` is `part(sql)` of the whole. Raises SQLSyntaxError as parsing does.
    """
    _refuse(sql, judged, definition=False)


def _reads_only(definition: str, judged: Judged) -> bool:
    try:
        _refuse(definition, judged, definition=True)
    except (SQLRefusedError, SQLSyntaxError):
        return False
    return True


def _refuse(sql: str, judged: Judged, *, definition: bool) -> None:
    tree, read = tables_read(sql, judged.full, definition=definition)
    check_calls(sql, judged.full.dialect, judged.full.functions)  # a function of the database's own may read anything
    for each in read:
        if not each.tables or any(key_of(table) not in judged.readable for table in each.tables):
            raise SQLRefusedError(f"The policy of this connection does not let SQL read the table {each.written!r}.")
    hidden = judged.hidden
    guarded = [(each.node, t, hidden[key_of(t)]) for each in read for t in each.tables if key_of(t) in hidden]
    if guarded:
        hidden_columns_refused(tree, guarded)


def _shown(table: Table, readable: frozenset[Key], hidden: Mapping[Key, frozenset[str]]) -> Table:
    gone = hidden.get(key_of(table), frozenset())
    keys = tuple(
        key
        for key in table.foreign_keys
        if gone.isdisjoint(key.columns)
        and (key.ref_schema, key.ref_table) in readable
        and hidden.get((key.ref_schema, key.ref_table), frozenset()).isdisjoint(key.ref_columns)
    )
    return replace(
        table,
        columns=tuple(column for column in table.columns if column.name not in gone),
        primary_key=table.primary_key if gone.isdisjoint(table.primary_key) else (),
        foreign_keys=keys,
        definition="",
    )


def _names(table: Table) -> list[str]:
    """The names that a pattern may mean: bare, and with the schema (SQLite's only one is called main)."""
    return [table.name, f"{table.schema or 'main'}.{table.name}"]


def _matches(patterns: Iterable[str], names: Iterable[str]) -> bool:
    return any(_matched(pattern.split("."), name.split(".")) for pattern in patterns for name in names)


def _matched(pattern: list[str], name: list[str]) -> bool:
    return len(pattern) == len(name) and all(
        re.fullmatch(re.escape(part).replace(r"\*", ".*"), said, re.IGNORECASE | re.DOTALL)
        for part, said in zip(pattern, name, strict=True)
    )
