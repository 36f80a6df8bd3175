"""Holds the queries that read the catalog of Postgres, and makes the Catalog from their answers.

The number of queries does not depend on the number of tables. Each query returns one JSON text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from sqlchat.connections.postgres.definitions import STAMPS
from sqlchat.connections.postgres.own_objects import (
    FIRST_OWN_OID,
    IN_SAFE_EXTENSION,
    OWN_CLASSES,
    TYPES_WITH_OWN_CODE,
    VOLATILE_COLUMNS,
)
from sqlchat.connections.postgres.qualification import qualify
from sqlchat.connections.postgres.session import READING_ROLE
from sqlchat.connections.postgres.types import PgType
from sqlchat.errors import ConnectionConfigError
from sqlchat.sql.catalog import Catalog, Column, ForeignKey, OwnNames, OwnOperator, Table, drop_unreadable_keys
from sqlchat.sql.guards.postgres import EXPANDING

READABLE = """
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.reloptions,
        CASE WHEN row_security_active(c.oid) THEN -1 ELSE c.reltuples END AS reltuples
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      AND has_schema_privilege(n.oid, 'USAGE')
      AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))
"""

PLANNING = qualify("SELECT set_config(name, 'off', true) FROM pg_settings WHERE name IN ('jit', 'enable_nestloop'); ")
"""Settings for a transaction that reads the catalog. The server expects too few rows for thousands of tables, so it
would choose nested loops; and it would compile queries that run once."""

KEY_COLUMNS = """SELECT json_agg(a.attname ORDER BY u.nth) AS names
        FROM unnest({numbers}) WITH ORDINALITY AS u (attnum, nth)
        JOIN pg_attribute a ON a.attrelid = {relation} AND a.attnum = u.attnum"""
TABLES = qualify(f"""
WITH RECURSIVE readable AS ({READABLE}), own_classes AS MATERIALIZED ({OWN_CLASSES}),
own_code_types AS ({TYPES_WITH_OWN_CODE}), volatile_columns AS ({VOLATILE_COLUMNS}),
children (root, oid) AS (
    SELECT inhparent, inhrelid FROM pg_inherits WHERE inhparent IN (SELECT oid FROM readable)
    UNION
    SELECT b.root, i.inhrelid FROM children b JOIN pg_inherits i ON i.inhparent = b.oid
),
descendants AS (
    SELECT b.root, json_agg(json_build_array(n.nspname, c.relname) ORDER BY n.nspname, c.relname) AS list
    FROM children b JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace GROUP BY b.root
),
views_with_own_code AS (
    SELECT DISTINCT w.ev_class AS oid FROM pg_rewrite w
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refobjid >= {FIRST_OWN_OID}
    WHERE w.ev_class IN (SELECT oid FROM readable WHERE relkind IN ('v', 'm'))
        AND (d.refclassid = 'pg_proc'::regclass OR d.refclassid = 'pg_operator'::regclass
            OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT oid FROM own_code_types))
        AND NOT {IN_SAFE_EXTENSION.format(catalog="d.refclassid", oid="d.refobjid")}
),
domains (oid, base, typmod) AS (
    SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT d.oid, t.typbasetype, t.typtypmod FROM domains d JOIN pg_type t ON t.oid = d.base WHERE t.typtype = 'd'
),
bases AS (SELECT d.oid, d.base, d.typmod FROM domains d JOIN pg_type t ON t.oid = d.base AND t.typtype <> 'd'),
stamps AS (
    SELECT s.relname, sum(s.stamp) AS stamp
    FROM ({STAMPS} AND c.relname IN (SELECT relname FROM readable)) s GROUP BY s.relname
),
labels AS (SELECT enumtypid, json_agg(enumlabel ORDER BY enumsortorder) AS labels FROM pg_enum GROUP BY enumtypid),
columns AS (
    SELECT a.attrelid, json_agg(json_build_array(
        a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, coalesce(d.description, ''),
        CASE WHEN n.oid IS NULL THEN '' ELSE format_type(n.base, n.typmod) END, l.labels,
        coalesce(pg_get_expr(g.adbin, g.adrelid), ''), a.atttypid IN (SELECT oid FROM own_code_types WHERE acts),
        a.atttypid IN (SELECT oid FROM own_code_types WHERE acts AND is_volatile)
            OR (a.attrelid, a.attnum) IN (SELECT relation, number FROM volatile_columns))
        ORDER BY a.attnum) AS list
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN bases n ON n.oid = t.oid
    LEFT JOIN labels l ON l.enumtypid = coalesce(n.base, nullif(t.typelem, 0), t.oid)
    LEFT JOIN pg_attrdef g ON a.atthasdef AND g.adrelid = a.attrelid AND g.adnum = a.attnum
        AND to_json(a)->>'attgenerated' <> ''
    LEFT JOIN pg_description d
        ON d.objoid = a.attrelid AND d.objsubid = a.attnum AND d.classoid = 'pg_class'::regclass
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN (SELECT oid FROM readable)
      AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
    GROUP BY a.attrelid
),
keys AS (
    SELECT k.conrelid, (json_agg(own.names) FILTER (WHERE k.contype = 'p'))->0 AS primary_key,
        json_agg(json_build_array(own.names, n.nspname, t.relname, other.names)
            ORDER BY k.conname) FILTER (WHERE k.contype = 'f') AS foreign_keys
    FROM pg_constraint k
    LEFT JOIN pg_class t ON t.oid = k.confrelid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace
    CROSS JOIN LATERAL ({KEY_COLUMNS.format(relation="k.conrelid", numbers="k.conkey")}) AS own
    LEFT JOIN LATERAL ({KEY_COLUMNS.format(relation="k.confrelid", numbers="k.confkey")}) AS other ON true
    WHERE k.contype IN ('p', 'f') AND k.conrelid IN (SELECT oid FROM readable)
    GROUP BY k.conrelid
)
SELECT coalesce(json_agg(json_build_array(
    r.nspname, r.relname, r.relkind, coalesce(d.description, ''), r.reltuples, c.list, k.primary_key, k.foreign_keys,
    CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) ELSE '' END,
    EXISTS (SELECT FROM views_with_own_code WHERE views_with_own_code.oid = r.oid), b.list,
    EXISTS (SELECT FROM pg_depend e WHERE e.objid = r.oid AND e.deptype = 'e' AND e.classid = 'pg_class'::regclass),
    parent.path, coalesce(s.stamp, 0), r.oid IN (SELECT relation FROM volatile_columns WHERE number = 0))
    ORDER BY r.nspname, r.relname), '[]')
FROM readable r LEFT JOIN stamps s ON s.relname = r.relname LEFT JOIN descendants b ON b.root = r.oid
LEFT JOIN columns c ON c.attrelid = r.oid LEFT JOIN keys k ON k.conrelid = r.oid
LEFT JOIN pg_description d ON d.objoid = r.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
LEFT JOIN LATERAL (SELECT json_build_array(n.nspname, c.relname) AS path
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.relispartition AND i.inhrelid = r.oid) AS parent ON true
""")  # noqa: S608 - constants

SEARCH_PATH = qualify("SELECT to_json(current_schemas(false))")

UNUSABLE = qualify("""
SELECT coalesce(json_agg(schema), '[]') FROM unnest(%s::text[]) schema
WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = schema AND has_schema_privilege(n.oid, 'USAGE'))
""")

TYPES = qualify("""
WITH RECURSIVE wanted (oid) AS (
    SELECT unnest(%s::oid[])
    UNION
    SELECT unnest(ARRAY[t.typbasetype, t.typelem]) FROM wanted w JOIN pg_type t USING (oid)
)
SELECT coalesce(json_agg(json_build_array(t.oid::int8, format_type(t.oid, NULL), t.typcategory, t.typbasetype::int8,
    CASE WHEN t.typinput = 'pg_catalog.array_in'::regproc AND t.typdelim = ',' THEN t.typelem::int8 ELSE 0 END
    )), '[]') FROM wanted w JOIN pg_type t USING (oid)
""")

RIGHTS = qualify(f"""
WITH readable AS ({READABLE})
SELECT json_build_object(
    'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = CASE current_user
        WHEN '{READING_ROLE}' THEN session_user ELSE current_user END),
    'stepped_down', current_user = '{READING_ROLE}',
    'files', EXISTS (SELECT FROM pg_roles WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files',
        'pg_execute_server_program') AND pg_has_role(oid, 'MEMBER')),
    'written', (SELECT count(*) FROM readable
        WHERE NOT relispartition AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE')),
    'creates', EXISTS (SELECT FROM pg_namespace
        WHERE nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(oid, 'CREATE')))
""")  # noqa: S608 - constants


SUPERUSER = "The role is a superuser; give this connection a role that may only read."
NOT_STEPPED_DOWN = (
    f" Its queries run with all its rights: they cannot take the role {READING_ROLE}, because the server is older "
    "than 14, or because row-level security, foreign tables, CURRENT_USER in a view or functions that not everybody "
    "may run would give other answers."
)


def read_catalog(tables_json: str, functions_json: str, path_json: str) -> Catalog:
    """Make the Catalog from the answers to TABLES, FUNCTIONS and SEARCH_PATH."""
    version = hashlib.sha256(f"{tables_json}\0{functions_json}\0{path_json}".encode()).hexdigest()[:16]
    functions = orjson.loads(functions_json)
    overloads = frozenset(OwnOperator(*overload) for overload in functions.pop("overloads"))
    names = {kind: frozenset(members) for kind, members in functions.items()}
    path = tuple(orjson.loads(path_json))
    return Catalog(
        tables=drop_unreadable_keys(_read_table(row) for row in orjson.loads(tables_json)),
        dialect="postgres",
        default_schema=path[0] if path else "",
        search_path=path,
        version=version,
        functions=names["functions"] | names["qualified"] | {EXPANDING},
        own=OwnNames(
            names["own"], names["operators"], names["types"], names["volatile"], overloads, names["polymorphic"]
        ),
        attributes=names["attributes"],
        callables=names["callables"],
    )


def _read_table(row: list[Any]) -> Table:
    schema, name, kind, comment, estimate, columns, primary_key, foreign_keys, *others = row
    definition, calls_own, descendants, is_in_extension, parent, stamp, runs_volatile = others
    return Table(
        name=name,
        schema=schema,
        kind="view" if kind in {"v", "m"} else "table",
        comment=comment,
        columns=tuple(map(_read_column, columns or ())),
        primary_key=tuple(primary_key or ()),
        foreign_keys=tuple(
            ForeignKey(tuple(own), ref_schema, ref_table, tuple(referenced))
            for own, ref_schema, ref_table, referenced in foreign_keys or ()
        ),
        row_estimate=round(estimate) if estimate >= 0 and kind != "v" else None,
        definition=definition,
        calls_own=calls_own,
        descendants=tuple((child_schema, child) for child_schema, child in descendants or ()),
        listed=not (is_in_extension or parent),
        partition_of=tuple(parent) if parent else None,
        stamp=stamp,
        runs_volatile=runs_volatile,
    )


def _read_column(row: list[Any]) -> Column:
    name, type, nullable, comment, base_type, labels, expression, *runs = row
    return Column(name, type, nullable, comment, expression, base_type, tuple(labels or ()), *runs)


def read_warnings(rights_json: str, volatile_json: str) -> list[str]:
    """Make warnings for the connection's status from the answers to RIGHTS and VOLATILE_OWN."""
    rights, volatile = orjson.loads(rights_json), orjson.loads(volatile_json)
    warnings = []
    if volatile:
        named = ", ".join(volatile[:5]) + (", ..." if len(volatile) > 5 else "")
        warnings.append(
            f"This database defines what may do more than read: {named}. Queries that might use it are refused."
        )
    if rights["superuser"]:
        return [SUPERUSER if rights["stepped_down"] else SUPERUSER + NOT_STEPPED_DOWN, *warnings]
    if rights["files"]:
        warnings.append("The role may reach the database server's files or programs; take that right away from it.")
    if rights["written"]:
        warnings.append(f"The role may write to {rights['written']} tables; a role that may only read is safer.")
    elif rights["creates"]:
        warnings.append("The role may create objects; a role that may only read is safer.")
    return warnings


def find_unusable(names_json: str, asked: Sequence[str]) -> list[str]:
    """Make warnings from the answer to UNUSABLE. Raises ConnectionConfigError if no schema of `asked` is usable."""
    names = orjson.loads(names_json)
    warnings = [f"There is no schema {name!r} that the role may use." for name in names]
    if names and len(names) == len(asked):
        raise ConnectionConfigError("schema: " + " ".join(warnings)[:500])
    return warnings


def read_types(types_json: str) -> dict[int, PgType]:
    """Read the answer to TYPES, by OID."""
    return {
        oid: PgType(name, category, base, element) for oid, name, category, base, element in orjson.loads(types_json)
    }
