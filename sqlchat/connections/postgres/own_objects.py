"""Writes SQL that finds functions, operators, casts, types and operator classes of users, and the harmless rest.

Queries run such code without naming it: ORDER BY uses the operator classes, a cast the function behind it.
"""

from __future__ import annotations

import re

from sqlchat.connections.postgres.qualification import qualify
from sqlchat.sql.guards.postgres import DANGERS, GRAMMAR, VOLATILE_BUT_HARMLESS

FIRST_OWN_OID = 16384
"""Postgres' FirstNormalObjectId: objects made by initdb have lower OIDs."""

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
OWN_CLASSES = f"""
    SELECT c.oid, c.opcintype, c.opcintype >= {FIRST_OWN_OID} OR c.opcdefault OR EXISTS (
            SELECT FROM pg_amop a WHERE a.amopfamily = c.opcfamily AND a.amopopr < {FIRST_OWN_OID}
            AND NOT EXISTS (SELECT FROM pg_amop b
                WHERE b.amopopr = a.amopopr AND b.amopmethod = a.amopmethod AND b.oid < {FIRST_OWN_OID})) AS acts,
        EXISTS (SELECT FROM pg_amproc a JOIN pg_proc p ON p.oid = a.amproc
            WHERE a.amprocfamily = c.opcfamily AND p.provolatile = 'v')
        OR EXISTS (SELECT FROM pg_amop a JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_proc p ON p.oid = o.oprcode
            WHERE a.amopfamily = c.opcfamily AND p.provolatile = 'v') AS is_volatile
    FROM pg_opclass c
    WHERE c.oid >= {FIRST_OWN_OID} AND NOT {IN_EXTENSION.format(catalog="pg_opclass", oid="c.oid")}
"""  # noqa: S608 - constants
"""The query of `own_classes`: operator classes of users.

A class `acts` if Postgres uses it to sort, group or compare values although neither an index nor SQL names it.
"""
COMMON_CATEGORIES = "('N', 'S', 'D', 'T', 'B')"
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
    JOIN pg_type s ON s.oid = c.castsource
    CROSS JOIN LATERAL (VALUES (c.castsource, true, true),
        (c.casttarget, c.castsource >= {FIRST_OWN_OID}, c.casttarget >= {FIRST_OWN_OID} AND c.castcontext = 'i'),
        (c.castsource, c.castcontext <> 'i' OR s.typcategory IN {COMMON_CATEGORIES}, true)
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
    SELECT r.rngtypid, true, c.is_volatile FROM own_classes c JOIN pg_range r ON r.rngsubopc = c.oid
    UNION
    SELECT c.opcintype, true, c.is_volatile FROM own_classes c WHERE c.acts
    UNION
    SELECT t.oid, true, true FROM pg_type t JOIN pg_proc p ON p.oid IN (t.typinput, t.typoutput)
    WHERE t.oid >= {FIRST_OWN_OID} AND p.oid >= {FIRST_OWN_OID} AND p.provolatile = 'v'
        AND NOT {IN_EXTENSION.format(catalog="pg_type", oid="t.oid")}
    UNION
    SELECT t.oid, c.acts, c.is_volatile FROM own_code_types c CROSS JOIN LATERAL (
        SELECT t.oid FROM pg_type t WHERE c.oid IN (t.typbasetype, t.typelem)
        UNION ALL SELECT k.reltype FROM pg_attribute a JOIN pg_class k ON k.oid = a.attrelid AND k.reltype <> 0
            WHERE a.atttypid = c.oid AND NOT a.attisdropped
        UNION ALL SELECT u.oid FROM pg_range r
            CROSS JOIN LATERAL (VALUES (r.rngtypid), (r.rngmultitypid)) u (oid) WHERE r.rngsubtype = c.oid
        UNION ALL SELECT r.rngmultitypid FROM pg_range r WHERE r.rngtypid = c.oid) t
    WHERE c.oid >= {FIRST_OWN_OID} OR c.acts AND c.is_volatile
"""  # noqa: S608 - constants
"""The recursive query of `own_code_types`: types whose use runs code of users that the query does not name.

A cast to such a type runs code; if it `acts`, so does comparing or casting a value of it. Types that contain such a
type, for example rows of a table, are included. It reads `own_classes`.
"""
VOLATILE_COLUMNS = f"""
    SELECT d.refobjid AS relation, d.refobjsubid AS number FROM own_classes c
    JOIN pg_index i ON c.oid = ANY (i.indclass::oid[])
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid
    WHERE c.is_volatile
    UNION
    SELECT p.partrelid, 0 FROM own_classes c JOIN pg_partitioned_table p ON c.oid = ANY (p.partclass::oid[])
    WHERE c.is_volatile
    UNION
    SELECT a.attrelid, 0
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_proc p ON p.oid = t.typoutput
    WHERE t.oid >= {FIRST_OWN_OID} AND p.oid >= {FIRST_OWN_OID} AND p.provolatile = 'v'
        AND NOT {IN_EXTENSION.format(catalog="pg_type", oid="t.oid")}
    UNION
    SELECT w.ev_class, 0 FROM volatile_columns v JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = v.relation
    JOIN pg_rewrite w ON w.oid = d.objid
"""  # noqa: S608 - constants
"""The recursive query of `volatile_columns`: columns whose use runs volatile code of users, whatever their type.

Their indexes or partitions have an operator class of users. Number 0 stands for the table itself: to read any of it
runs such code. It reads `own_classes`.
"""

DANGEROUS = re.sub(r"\s", "", DANGERS.pattern)
BUILT_IN = f"""
    SELECT p.oid, p.proname, p.provolatile, e.oid IS NULL AS core, p.prosrc ~* '\\mexecute\\M' AS runs_texts
    FROM pg_proc p
    LEFT JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid
    WHERE p.prokind <> 'p' AND (e.extname = ANY ('{{{",".join(EXTENSIONS)}}}'::name[])
        OR p.pronamespace = 'pg_catalog'::regnamespace AND p.oid < {FIRST_OWN_OID} AND e.oid IS NULL)
"""  # noqa: S608 - constants
HARMLESS = f"""
    SELECT b.proname, bool_or(b.core) AS core FROM built_in b WHERE b.proname !~ '^({DANGEROUS})$' GROUP BY b.proname
    HAVING bool_and(b.provolatile <> 'v' AND NOT b.runs_texts)
        OR b.proname = ANY ('{{{",".join(sorted(VOLATILE_BUT_HARMLESS))}}}'::name[])
"""  # noqa: S608 - constants

TEXT_OID, VARCHAR_OID, ANY_OID = 25, 1043, 2276
TYPE_NAMES = "LATERAL (VALUES (lower(t.typname)), (lower(format_type(t.oid, NULL)))) AS names (n)"
OPERAND = f"""coalesce((SELECT CASE
    WHEN EXISTS (SELECT FROM pg_cast c WHERE c.oid >= {FIRST_OWN_OID} AND c.castcontext = 'i'
        AND c.castsource < {FIRST_OWN_OID} AND c.casttarget IN (t.oid, t.typbasetype)) OR t.oid = {VARCHAR_OID}
        THEN 'P'
    WHEN t.oid >= {FIRST_OWN_OID} AND t.typtype <> 'd' AND t.typcategory NOT IN ('A', 'C', 'P')
        AND NOT {IN_EXTENSION.format(catalog="pg_type", oid="t.oid")} THEN 'own'
    ELSE t.typcategory::text END FROM pg_type t WHERE t.oid = {{oid}}), '')"""  # noqa: S608 - constants
"""Category of an operator's operand (`sql/policies/operands.py`); no operator for varchar is built in."""
FUNCTIONS = qualify(f"""
WITH RECURSIVE built_in AS MATERIALIZED ({BUILT_IN}), own_classes AS MATERIALIZED ({OWN_CLASSES}),
own AS MATERIALIZED ({OWN_FUNCTIONS}), own_operator AS ({OWN_OPERATORS}), own_code_types AS ({TYPES_WITH_OWN_CODE}),
volatile_cast AS MATERIALIZED (
    SELECT c.castsource, c.casttarget, c.castcontext = 'i' AND s.typcategory IN {COMMON_CATEGORIES} AS is_common
    FROM ({OWN_CASTS}) c JOIN pg_proc p ON p.oid = c.castfunc JOIN pg_type s ON s.oid = c.castsource
    WHERE p.provolatile = 'v' AND c.castsource < {FIRST_OWN_OID} AND c.casttarget < {FIRST_OWN_OID}
),
volatile_results AS MATERIALIZED (
    SELECT oid FROM own_code_types WHERE acts AND is_volatile AND oid < {FIRST_OWN_OID}
    UNION SELECT a.oid FROM own_classes c
    JOIN pg_type t ON t.oid = c.opcintype JOIN pg_type a ON a.typname = ANY (CASE t.typcategory
        WHEN 'A' THEN '{{anyarray,anycompatiblearray}}' WHEN 'R' THEN '{{anyrange,anycompatiblerange}}' END::name[])
    WHERE c.acts AND c.is_volatile AND t.oid < {FIRST_OWN_OID}
),
harmless AS MATERIALIZED (
    SELECT h.proname, h.core FROM ({HARMLESS}) h WHERE h.proname NOT IN (
        SELECT p.proname FROM pg_proc p WHERE p.oid < {FIRST_OWN_OID} AND (
            p.prorettype IN (SELECT oid FROM volatile_results) AND NOT EXISTS (
                SELECT FROM pg_type t WHERE t.oid = p.prorettype AND t.typtype = 'p'
                AND p.prorettype = ALL (p.proargtypes::oid[]))
            OR EXISTS (SELECT FROM volatile_results v WHERE v.oid = ANY (p.proallargtypes))
            OR EXISTS (SELECT FROM volatile_cast c WHERE c.is_common AND c.casttarget = ANY (p.proargtypes::oid[]))))
),
shadowed AS MATERIALIZED (
    SELECT p.proname FROM pg_proc p
    WHERE p.oid >= {FIRST_OWN_OID} AND {IS_VOLATILE} AND pg_function_is_visible(p.oid)
      AND NOT EXISTS (SELECT FROM built_in b WHERE b.oid = p.oid)
      AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
          WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
              AND e.extname LIKE 'postgis\\_%')
),
allowed AS MATERIALIZED (
    SELECT h.proname FROM harmless h WHERE NOT EXISTS (SELECT FROM shadowed s WHERE s.proname = h.proname)
),
extended AS (
    SELECT n.nspname || '.' || p.proname AS name
    FROM built_in b JOIN pg_proc p ON p.oid = b.oid JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE NOT b.core AND b.proname IN (SELECT proname FROM harmless)
      AND NOT EXISTS (SELECT FROM pg_proc o WHERE o.pronamespace = p.pronamespace
          AND o.proname = p.proname AND o.oid NOT IN (SELECT oid FROM built_in))
    UNION
    SELECT n.nspname || '.' || o.oprname FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE o.oid >= {FIRST_OWN_OID} GROUP BY n.nspname, o.oprname
    HAVING bool_and(o.oid IN (SELECT d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_operator'::regclass AND d.deptype = 'e'
          AND e.extname = ANY ('{{{",".join(EXTENSIONS)}}}'::name[])))
),
overload (symbol, left_type, right_type, is_volatile) AS (
    SELECT o.oprname, o.oprleft, o.oprright, p.provolatile = 'v'
        OR EXISTS (SELECT FROM own_type t WHERE t.is_volatile AND t.oid IN (o.oprleft, o.oprright))
        AND NOT EXISTS (SELECT FROM pg_operator b WHERE b.oid < {FIRST_OWN_OID} AND b.oprname = o.oprname)
    FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
    WHERE o.oid >= {FIRST_OWN_OID} AND pg_operator_is_visible(o.oid)
        AND NOT {IN_SAFE_EXTENSION.format(catalog="'pg_operator'::regclass", oid="o.oid")}
    UNION ALL SELECT o.oprname, o.oprleft, o.oprright, true FROM pg_operator o
    WHERE o.oid < {FIRST_OWN_OID} AND o.oprresult IN (SELECT oid FROM volatile_results)
    UNION ALL SELECT * FROM (
        SELECT o.oprname, CASE WHEN u.is_left THEN c.castsource ELSE o.oprleft END AS left_type,
            CASE WHEN u.is_right THEN c.castsource ELSE o.oprright END AS right_type, true
        FROM volatile_cast c, (VALUES (true, false), (false, true), (true, true)) u (is_left, is_right), pg_operator o
        WHERE c.is_common AND o.oid < {FIRST_OWN_OID} AND (o.oprleft = c.casttarget OR NOT u.is_left)
            AND (o.oprright = c.casttarget OR NOT u.is_right)) o
    WHERE NOT EXISTS (SELECT FROM pg_operator b
        WHERE (b.oprname, b.oprleft, b.oprright) = (o.oprname, o.left_type, o.right_type))
    UNION ALL SELECT '::' || n, 0, c.castsource, true
    FROM volatile_cast c JOIN pg_type t ON t.oid = c.casttarget, {TYPE_NAMES}
    UNION ALL SELECT 'in_range', {ANY_OID}, {ANY_OID}, true FROM pg_amproc a JOIN pg_proc p ON p.oid = a.amproc
    WHERE a.amprocnum = 3 AND a.amproclefttype < {FIRST_OWN_OID} AND p.oid >= {FIRST_OWN_OID} AND p.provolatile = 'v'
        AND NOT {IN_EXTENSION.format(catalog="pg_proc", oid="p.oid")}
),
own_type AS MATERIALIZED (
    SELECT t.oid, t.typname, c.is_volatile, c.acts FROM own_code_types c JOIN pg_type t USING (oid)
)
SELECT json_build_object(
    'functions', (SELECT coalesce(json_agg(a.proname ORDER BY a.proname), '[]') FROM allowed a),
    'qualified', (SELECT coalesce(json_agg(q.name ORDER BY q.name), '[]') FROM (
        SELECT 'pg_catalog.' || h.proname AS name FROM harmless h
        WHERE h.core AND EXISTS (SELECT FROM shadowed s WHERE s.proname = h.proname)
            AND NOT EXISTS (SELECT FROM pg_proc p WHERE p.proname = h.proname
                AND p.pronamespace = 'pg_catalog'::regnamespace AND p.oid >= {FIRST_OWN_OID})
        UNION SELECT e.name FROM extended e) q),
    'own', (SELECT coalesce(json_agg(DISTINCT lower(o.proname)), '[]') FROM own o
        WHERE o.proname IN (SELECT proname FROM harmless)
            OR o.proname = ANY ('{{{",".join(sorted(GRAMMAR))}}}'::name[])),
    'operators', (SELECT coalesce(json_agg(DISTINCT o.oprname), '[]') FROM own_operator o WHERE NOT (
        EXISTS (SELECT FROM own_code_types c
            WHERE c.acts AND c.oid >= {FIRST_OWN_OID} AND c.oid IN (o.oprleft, o.oprright))
        AND EXISTS (SELECT FROM pg_operator b WHERE b.oid < {FIRST_OWN_OID} AND b.oprname = o.oprname
            AND b.oprleft = {TEXT_OID} AND b.oprright = {TEXT_OID}))),
    'types', (SELECT coalesce(json_agg(DISTINCT n), '[]') FROM own_type t, {TYPE_NAMES}),
    'volatile', (SELECT coalesce(json_agg(n ORDER BY n), '[]') FROM (
        SELECT n FROM own_type t, {TYPE_NAMES} WHERE t.is_volatile AND (t.acts OR t.oid >= {FIRST_OWN_OID})
        UNION SELECT 'pg_catalog' FROM own_type t JOIN pg_attribute a ON a.atttypid = t.oid
        WHERE t.is_volatile AND t.acts AND a.attrelid < {FIRST_OWN_OID}
        UNION SELECT 'array' FROM own_classes c JOIN pg_type t ON t.oid = c.opcintype
        WHERE c.acts AND c.is_volatile AND t.oid < {FIRST_OWN_OID} AND t.typcategory = 'A') v),
    'overloads', (SELECT coalesce(json_agg(DISTINCT jsonb_build_array(
            o.symbol, {OPERAND.format(oid="o.left_type")}, {OPERAND.format(oid="o.right_type")},
            o.is_volatile)), '[]')
        FROM overload o),
    'polymorphic', (SELECT coalesce(json_agg(DISTINCT p.proname), '[]') FROM pg_proc p
        WHERE EXISTS (SELECT FROM own_type) AND (SELECT count(*)
            FROM unnest(p.proargtypes::oid[] || p.prorettype) a (oid)
            JOIN pg_type t ON t.oid = a.oid AND t.typtype = 'p' AND t.typname ~ '^any.') > 1),
    'callables', (SELECT coalesce(json_agg(n ORDER BY n), '[]') FROM (
        SELECT p.proname AS n FROM pg_proc p
        WHERE p.prokind <> 'p' AND p.pronargs > 0 AND p.pronargs - p.pronargdefaults <= 1
            AND pg_function_is_visible(p.oid) AND p.proname NOT IN (SELECT proname FROM allowed)
        UNION SELECT t.typname FROM own_type t) c),
    'attributes', (SELECT coalesce(json_agg(n ORDER BY n), '[]') FROM (
        SELECT a.attname::text AS n FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
        WHERE NOT a.attisdropped
        UNION SELECT u.name FROM pg_proc p, ROWS FROM (unnest(p.proargnames), unnest(p.proargmodes)) AS u (name, mode)
        WHERE u.mode IN ('o', 'b', 't')) a))
""")  # noqa: S608 - constants

VOLATILE_OWN = qualify(f"""
WITH built_in AS MATERIALIZED ({BUILT_IN}), harmless AS MATERIALIZED ({HARMLESS}),
own AS ({OWN_FUNCTIONS}), own_operator AS ({OWN_OPERATORS}), own_cast AS ({OWN_CASTS})
SELECT coalesce(json_agg(DISTINCT name), '[]') FROM (
    SELECT o.proname || '()' AS name FROM own o
    WHERE o.provolatile = 'v' AND o.proname IN (SELECT proname FROM harmless)
    UNION ALL SELECT 'the operator ' || o.oprname FROM own_operator o JOIN pg_proc p ON p.oid = o.oprcode
    WHERE p.provolatile = 'v'
    UNION ALL SELECT 'the cast to ' || format_type(c.casttarget, NULL)
    FROM own_cast c JOIN pg_proc p ON p.oid = c.castfunc WHERE p.provolatile = 'v') s
""")  # noqa: S608 - constants
