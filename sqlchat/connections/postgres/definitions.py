"""Writes SQL that finds functions, operators, casts and types of users, and compares definitions with the catalog.

The guard and the policy judge names by the catalog. A later function may take a name that the guard allows, and a
replaced view may show columns that the policy denies. So each transaction compares the functions with those of the
catalog before it plans a caller's text. Then it compares the tables and views that the text may read: planning has
locked them, so they cannot change any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlchat.connections.postgres.qualification import qualify
from sqlchat.connections.postgres.session import Session
from sqlchat.sql.catalog import Table

FIRST_OWN_OID = 16384
"""Postgres' FirstNormalObjectId: objects made by initdb have lower OIDs."""
CHANGED = "sqlchat: definitions changed"
"""A part of the error that the server raises if definitions have changed."""

CHANGES = " UNION ALL ".join(
    f"SELECT xmin::text::int8 AS x FROM {table} WHERE {column} >= {FIRST_OWN_OID}"  # noqa: S608
    for table, column in (
        ("pg_proc", "oid"),
        ("pg_operator", "oid"),
        ("pg_cast", "oid"),
        ("pg_constraint", "contypid"),  # those of domains
    )
)
VERSION = qualify(f"SELECT concat(count(x), '/', sum(x)) AS version FROM ({CHANGES}) c")  # noqa: S608
"""The number of definitions, and the sum of their transactions, which change if one is made, replaced or dropped.

The last transaction is not enough: an older one may replace a definition later.
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


EXTENSIONS = (
    "postgis", "pg_trgm", "fuzzystrmatch", "unaccent", "citext", "hstore", "ltree", "vector", "intarray", "cube",
    "earthdistance", "tablefunc", "timescaledb", "pgcrypto", "isn", "seg", "uuid-ossp", "btree_gist", "btree_gin",
)  # fmt: skip
"""Extensions whose functions only compute; their volatile functions are not allowed either."""

IN_EXTENSION = """EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = '{catalog}'::regclass AND d.objid = {oid} AND d.deptype = 'e')"""
IN_SAFE_EXTENSION = f"""EXISTS (SELECT FROM pg_depend m JOIN pg_extension e ON e.oid = m.refobjid
    WHERE m.classid = {{catalog}} AND m.objid = {{oid}} AND m.deptype = 'e'
        AND e.extname = ANY ('{{{{{",".join(EXTENSIONS)}}}}}'::name[]))"""
IS_VOLATILE = """(p.provolatile = 'v' OR EXISTS (SELECT FROM pg_aggregate g JOIN pg_proc s
    ON s.oid IN (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn)
    WHERE g.aggfnoid = p.oid AND s.provolatile = 'v'))"""
"""Looks into an aggregate's functions, since Postgres declares each aggregate immutable."""
OWN_FUNCTIONS = f"""
    SELECT p.oid, p.proname, CASE WHEN {IS_VOLATILE} THEN 'v' ELSE p.provolatile END AS provolatile FROM pg_proc p
    WHERE p.oid >= {FIRST_OWN_OID} AND p.prokind <> 'p' AND pg_function_is_visible(p.oid)
      AND NOT {IN_EXTENSION.format(catalog="pg_proc", oid="p.oid")}
"""  # noqa: S608 - constants
OWN_OPERATORS = f"""
    SELECT o.oid, o.oprname, o.oprcode, o.oprleft, o.oprright FROM pg_operator o
    WHERE o.oid >= {FIRST_OWN_OID} AND pg_operator_is_visible(o.oid)
      AND NOT {IN_EXTENSION.format(catalog="pg_operator", oid="o.oid")}
"""  # noqa: S608 - constants
OWN_CASTS = f"""
    SELECT c.castsource, c.casttarget, c.castfunc, c.castcontext FROM pg_cast c
    WHERE c.oid >= {FIRST_OWN_OID} AND c.castfunc >= {FIRST_OWN_OID}
      AND NOT {IN_EXTENSION.format(catalog="pg_cast", oid="c.oid")}
"""  # noqa: S608 - constants
TYPES_WITH_OWN_CODE = f"""
    SELECT k.contypid AS oid, false AS acts, coalesce(p.provolatile = 'v', false) AS is_volatile
    FROM pg_constraint k JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
        AND d.refclassid = ANY ('{{pg_catalog.pg_proc,pg_catalog.pg_operator}}'::regclass[])
    LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
    LEFT JOIN pg_proc p ON p.oid = coalesce(o.oprcode::oid, d.refobjid)
    WHERE k.contypid >= {FIRST_OWN_OID} AND d.refobjid >= {FIRST_OWN_OID}
        AND NOT {IN_SAFE_EXTENSION.format(catalog="d.refclassid", oid="d.refobjid")}
    UNION
    SELECT u.oid, u.acts, p.provolatile = 'v' FROM ({OWN_CASTS}) c JOIN pg_proc p ON p.oid = c.castfunc
    CROSS JOIN LATERAL (VALUES (c.castsource, true, true),
        (c.casttarget, c.castsource >= {FIRST_OWN_OID}, c.casttarget >= {FIRST_OWN_OID} AND c.castcontext = 'i')
    ) u (oid, is_own, acts)
    WHERE u.oid >= {FIRST_OWN_OID} OR NOT u.is_own
    UNION
    SELECT u.oid, true, p.provolatile = 'v' FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
    CROSS JOIN LATERAL (VALUES (o.oprleft), (o.oprright)) u (oid)
    WHERE o.oid >= {FIRST_OWN_OID} AND u.oid >= {FIRST_OWN_OID}
        AND NOT {IN_EXTENSION.format(catalog="pg_operator", oid="o.oid")}
    UNION
    SELECT r.rngtypid, true, false
    FROM pg_range r CROSS JOIN LATERAL (VALUES (r.rngsubdiff::oid), (r.rngcanonical::oid)) f (oid)
    WHERE f.oid >= {FIRST_OWN_OID} AND NOT {IN_EXTENSION.format(catalog="pg_proc", oid="f.oid")}
    UNION
    SELECT c.opcintype, true, EXISTS (SELECT FROM pg_amproc a JOIN pg_proc p ON p.oid = a.amproc
        WHERE a.amprocfamily = c.opcfamily AND p.provolatile = 'v')
    FROM pg_opclass c
    WHERE c.oid >= {FIRST_OWN_OID} AND NOT {IN_EXTENSION.format(catalog="pg_opclass", oid="c.oid")}
    UNION
    SELECT t.oid, c.acts, c.is_volatile FROM own_code_types c CROSS JOIN LATERAL (
        SELECT t.oid FROM pg_type t WHERE c.oid IN (t.typbasetype, t.typelem)
        UNION ALL SELECT k.reltype FROM pg_attribute a JOIN pg_class k ON k.oid = a.attrelid AND k.reltype <> 0
            WHERE a.atttypid = c.oid AND NOT a.attisdropped
        UNION ALL SELECT u.oid FROM pg_range r
            CROSS JOIN LATERAL (VALUES (r.rngtypid), (r.rngmultitypid)) u (oid) WHERE r.rngsubtype = c.oid) t
    WHERE c.oid >= {FIRST_OWN_OID}
"""  # noqa: S608 - constants
"""The recursive query of `own_code_types`: types whose use runs code of users that the query does not name.

A cast to such a type runs code; if it `acts`, so does comparing or casting a value of it. Types of users that contain
such a type, for example rows of a table, are included.
"""
