"""Writes SQL that compares the definitions of functions, tables and their like with those of the catalog.

The guard and the policy judge names by the catalog. A later function may take a name that the guard allows, and a
replaced view may show columns that the policy denies. So each transaction compares the functions with those of the
catalog before it plans a caller's text. Then it compares the tables and views that the text may read: planning has
locked them, so they cannot change any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlchat.connections.postgres.own_objects import FIRST_OWN_OID
from sqlchat.connections.postgres.qualification import qualify
from sqlchat.connections.postgres.session import Session
from sqlchat.sql.catalog import Table

CHANGED = "sqlchat: definitions changed"
"""A part of the error that the server raises if definitions have changed."""

CHANGES = " UNION ALL ".join(
    f"SELECT xmin::text::int8 AS x FROM {table} WHERE {column} >= {FIRST_OWN_OID}"  # noqa: S608
    for table, column in (
        ("pg_proc", "oid"),
        ("pg_operator", "oid"),
        ("pg_cast", "oid"),
        ("pg_opclass", "oid"),
        ("pg_amop", "oid"),
        ("pg_amproc", "oid"),
        ("pg_constraint", "contypid"),  # those of domains
    )
)
USES_OF_CLASSES = f"""
SELECT d.xmin::text::int8 FROM pg_depend d
WHERE d.refclassid = 'pg_opclass'::regclass AND d.refobjid >= {FIRST_OWN_OID}
"""  # noqa: S608
"""Indexes, partitioned tables and ranges with an operator class of users, which they run without any change of it."""
CHECKED_TYPES = f"""
SELECT k.contypid AS oid FROM pg_constraint k
WHERE k.contypid >= {FIRST_OWN_OID} AND EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = 'pg_constraint'::regclass AND d.objid = k.oid AND d.refobjid >= {FIRST_OWN_OID}
    AND d.refclassid = ANY (ARRAY['pg_proc'::regclass, 'pg_operator'::regclass]::oid[]))
UNION
SELECT CASE WHEN d.classid = 'pg_type'::regclass THEN d.objid
    ELSE (SELECT c.reltype FROM pg_class c WHERE c.oid = d.objid) END
FROM checked_types t JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid
WHERE d.classid = 'pg_type'::regclass OR d.classid = 'pg_class'::regclass
    AND d.objid = ANY (ARRAY(SELECT c.oid FROM pg_class c WHERE c.relkind = 'c'))
"""  # noqa: S608
"""The recursive query of `checked_types`: domains with checks of users, and the types that are made of them."""
USES_OF_CHECKS = """
SELECT d.xmin::text::int8 FROM checked_types t
JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid
"""
"""The types themselves, and tables, whose rows are types, too."""
VERSION = qualify(f"""WITH RECURSIVE checked_types AS ({CHECKED_TYPES})
SELECT concat(count(x), '/', sum(x)) AS version
FROM ({CHANGES} UNION ALL {USES_OF_CLASSES} UNION ALL {USES_OF_CHECKS}) c""")  # noqa: S608
"""The number of definitions and of their uses, and the sum of their transactions.

It changes if one is made, replaced or dropped. The last transaction is not enough: an older one may replace a
definition later.
"""
STAMPS = """
SELECT c.relname, hashtext(concat_ws('/', c.oid, c.relnamespace, c.relkind, c.reloptions))::int8
    + coalesce((SELECT sum(a.xmin::text::int8) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0), 0)
    + coalesce((SELECT sum(w.xmin::text::int8) FROM pg_rewrite w WHERE w.ev_class = c.oid), 0)
    + coalesce((SELECT sum(i.xmin::text::int8 + i.inhrelid::int8) FROM pg_inherits i
        WHERE i.inhparent = c.oid), 0) AS stamp
FROM pg_class c
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT (c.relispartition AND c.relkind IN ('r', 'f'))
    AND (c.relpersistence <> 't' OR c.relnamespace = pg_my_temp_schema())
"""
"""A number for each relation that changes with its columns, its view's SQL, its children, or the relation itself.

A new relation of the same name changes the sum for that name. The stamp of a partitioned table covers its partitions.
"""


@dataclass(frozen=True, slots=True)
class ExpectedDefinitions:
    """The definitions for which a text was examined."""

    version: str = ""
    """The answer to VERSION; "" if own functions and the like do not matter."""
    relations: tuple[str, ...] = ()
    """Names of the tables and views that the text may read."""
    stamp: int = 0
    """The sum of their STAMPS."""
    fixes_columns: bool = False
    """Whether the text gives the same columns as long as all this is so."""

    @classmethod
    def read(cls, version: str, tables: Iterable[Table], fixes_columns: bool) -> ExpectedDefinitions:
        stamps = {table.name: table.stamp for table in tables}
        return cls(version, tuple(stamps), sum(stamps.values()), fixes_columns)

    def write_comparisons(self, session: Session) -> tuple[list[str], list[Any], list[str], list[Any]]:
        """Write statements, and their parameters, to run before and after a text is planned.

        They raise an error with CHANGED if the definitions differ. Planning them takes longer than running them, so
        they are prepared once in a session that no pooler lends to others.
        """
        if not (self.version or self.relations):
            return [], [], [], []
        before, after = session.write_preparation(PREPARE), []
        if self.version:
            compare = _compare(VERSION, "%s") if session.is_lent else f"EXECUTE {PREPARED}_version (%s)"
            before += _plan_once(compare, session)
        if self.relations:
            compare = _compare(STAMPS_OF.format("%s"), "%s")
            after = _plan_once(compare if session.is_lent else f"EXECUTE {PREPARED}_stamps (%s, %s)", session)
        stamps = [str(self.stamp), list(self.relations)] if after else []
        return before, [self.version] if self.version else [], after, stamps


def _plan_once(statement: str, session: Session) -> list[str]:
    """Keep the server from planning a prepared statement anew each time."""
    if session.is_lent or session.server_version < 120000:
        return [statement]
    return ["SET LOCAL plan_cache_mode = force_generic_plan", statement, "SET LOCAL plan_cache_mode = auto"]


STAMPS_OF = f"""SELECT coalesce(sum(stamp), 0)::text AS version
FROM ({STAMPS} AND c.relname = ANY ({{}}::name[])) s"""  # noqa: S608


def _compare(version: str, expected: str) -> str:
    failing = f"('{CHANGED} ' || version)::int4"
    return qualify(f"SELECT CASE WHEN version <> {expected} THEN {failing} END FROM ({version}) v")  # noqa: S608


PREPARED = "sqlchat"
PREPARE = (
    f"PREPARE {PREPARED}_version (pg_catalog.text) AS {_compare(VERSION, '$1')}; "
    f"PREPARE {PREPARED}_stamps (pg_catalog.text, pg_catalog.name[]) AS {_compare(STAMPS_OF.format('$2'), '$1')}"
)
