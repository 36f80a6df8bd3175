"""Profiles the columns of Postgres by its own statistics, and by samples if it has none.

`pg_stats` shows a role the columns that it may read, and nothing of a table whose policies hold it.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from sqlchat.connections import profiling
from sqlchat.connections.postgres.catalog import READABLE
from sqlchat.connections.postgres.statement import quote_name
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Kind, Path

Ask = Callable[[str, tuple[Any, ...], float], str]
"""(SQL, parameters, seconds) -> the one text that it gives."""

TABLES_AT_ONCE = 500
"""The statistics of so many tables are asked for in one query: all of most databases."""
ASKING_SHARE = 0.8
"""Share of the time in which the database may answer; the rest is for reading the answers."""
STATISTICS_SHARE = 0.5
"""Share of the time that statistics may take if samples follow."""
ANALYZED_WHOLE = 30_000
"""Rows that ANALYZE looks at, at the usual target; of a table with no more it has seen all.

The server does not count what changed since in a partitioned table's partitions, nor on another server.
"""
SAMPLED_ROWS = 20_000
"""Rows of a table that the server reads."""
SAMPLED_COLUMNS = 200
SAMPLING = 1.0
"""Seconds for the sample of one table."""
FINITE = re.compile(r"-?\d")

STATISTICS = f"""
WITH readable AS ({READABLE.replace("%", "%%")} AND c.relname = ANY (%s)),
columns AS MATERIALIZED (
    SELECT r.nspname, r.relname, r.reltuples, a.attname, t.typname = 'bpchar' AS padded,
        CASE WHEN t.typcategory IN ('S', 'E') AND t.typname <> 'name' THEN 'text'
            WHEN t.typname IN ('int2', 'int4', 'int8', 'float4', 'float8', 'numeric') THEN 'number'
            WHEN t.typname IN ('date', 'timestamp', 'timestamptz', 'time') THEN 'time' ELSE 'other' END AS kind,
        r.reltuples BETWEEN 0 AND {ANALYZED_WHOLE} AND r.relkind IN ('r', 'm')
            AND pg_catalog.pg_stat_get_mod_since_analyze(r.oid) = 0 AS whole,
        r.relkind = 'p' AS parent
    FROM readable r
    JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type own ON own.oid = a.atttypid
    JOIN pg_catalog.pg_type t ON t.oid = coalesce(nullif(own.typbasetype, 0), own.oid)
    WHERE NOT r.relispartition AND pg_catalog.has_column_privilege(r.oid, a.attnum, 'SELECT')
),
stats AS MATERIALIZED (
    SELECT schemaname, tablename, attname, inherited, null_frac, n_distinct, most_common_vals, histogram_bounds
    FROM pg_catalog.pg_stats WHERE tablename = ANY (%s)
),
known AS (
    SELECT c.*, s.null_frac, s.most_common_vals AS common,
        s.histogram_bounds AS bounds,
        pg_catalog.round((CASE WHEN s.n_distinct >= 0 THEN s.n_distinct
            ELSE -s.n_distinct * c.reltuples END)::pg_catalog.numeric) AS different
    FROM columns c FULL JOIN stats s
        ON s.schemaname = c.nspname AND s.tablename = c.relname AND s.attname = c.attname AND s.inherited = c.parent
    WHERE coalesce(c.kind, '') <> ''
),
listed AS (
    SELECT k.*,
        CASE WHEN k.kind IN ('number', 'time') THEN pg_catalog.btrim(k.bounds::pg_catalog.text, '{{}}') END AS range
    FROM known k
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(
    l.nspname, l.relname, l.attname, l.kind, l.padded, l.whole, l.reltuples, l.null_frac, l.different,
    CASE WHEN l.kind <> 'other' THEN pg_catalog.to_json(l.common::pg_catalog.text::pg_catalog.text[]) END,
    CASE WHEN l.kind = 'text' THEN pg_catalog.to_json(l.bounds::pg_catalog.text::pg_catalog.text[])
        WHEN l.range <> '' THEN pg_catalog.json_build_array(pg_catalog.split_part(l.range, ',', 1),
            pg_catalog.reverse(pg_catalog.split_part(pg_catalog.reverse(l.range), ',', 1))) END)), '[]')
FROM listed l
"""  # noqa: S608 - constants


def read(ask: Ask, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
    """Profiles of the columns of tables and views. Raises DatabaseUnavailableError and BusyError.

    Statistics come first. A sample is for views, for tables that were never analyzed, and for small ones some of
    whose columns hold more texts than statistics list.
    """
    return profiling.bounded(profiling.with_labels(_read(ask, catalog, timeout), catalog))


def _read(ask: Ask, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
    now = time.monotonic()
    first, until = now + STATISTICS_SHARE * timeout, now + ASKING_SHARE * timeout
    found: dict[Path, ColumnProfile] = {}
    kinds: dict[tuple[str, str], dict[str, Kind]] = defaultdict(dict)
    tables, took = sorted(profiling.in_order(catalog.tables), key=lambda table: -(table.row_estimate or 0)), 0.0
    for start in range(0, len(tables), TABLES_AT_ONCE):
        names = [table.name for table in tables[start : start + TABLES_AT_ONCE]]
        begun = time.monotonic()
        left = (first if kinds else until) - begun
        if left <= took:  # as long as the last one, the next would be cut off
            break
        try:
            rows = orjson.loads(ask(STATISTICS, (names, names), left))
        except profiling.UNREADABLE:
            break
        took = time.monotonic() - begun
        part = {}
        for schema, name, column, kind, *known in rows:
            made = _read_statistics(kind, known)
            if made is not None:
                part[schema, name, column] = made
            if made is None or (kind == "text" and not (made.few and (made.values or not made.distinct))):
                kinds[schema, name][column] = kind
        found |= profiling.bounded(part)
    for table in profiling.in_order(catalog.tables):
        if time.monotonic() > until:
            break
        wanted = kinds.get((table.schema, table.name), {})
        known = any((table.schema, table.name, column) in found for column in wanted)
        if wanted and not (known and (table.row_estimate or 0) > SAMPLED_ROWS):
            found |= _read_sample(ask, table, wanted, until)
    return found


def _read_statistics(kind: Kind, known: list[Any]) -> ColumnProfile | None:
    """A column's row of STATISTICS; None where it was never analyzed."""
    padded, whole, rows, null_share, distinct, common, bounds = known
    if null_share is None:
        return None
    listed = (common or []) + (bounds or [])
    if kind != "text":
        listed = [value.strip('"') for value in listed]
    elif padded:
        listed = [value.rstrip(" ") for value in listed]
    sortable = float if kind == "number" else str
    ends = [value for value in listed if kind == "text" or FINITE.match(value)]
    number = round(max(rows, 0))
    seen = profiling.Seen(
        rows=number,
        present=round(number * (1 - null_share)),
        distinct=None if distinct is None else round(distinct),
        whole=whole,
        values=tuple(listed) if kind == "text" else tuple(common or ()) if kind == "number" and not bounds else (),
        least=min(ends, key=sortable, default=""),
        most=max(ends, key=sortable, default=""),
    )
    return replace(profiling.profile(kind, seen), null_share=round(null_share, 4))


def _read_sample(ask: Ask, table: Table, kinds: dict[str, Kind], until: float) -> dict[Path, ColumnProfile]:
    own = {column.name for column in table.columns if column.runs_own}
    kinds = {
        name: "other" if name in own else kind for name, kind in kinds.items()
    }  # casts them no more than SQL may
    columns = list(kinds)[:SAMPLED_COLUMNS]
    most = min(SAMPLED_ROWS, profiling.rows_of(len(columns)))
    sql = write_sample_query(table, columns, [kinds[column] for column in columns], most)
    try:
        rows, *figures = orjson.loads(ask(sql, (), max(0.1, min(SAMPLING, until - time.monotonic()))))
    except profiling.UNREADABLE:
        return {}
    return {
        (table.schema, table.name, column): profiling.profile_sample(
            kinds[column],
            profiling.Seen(rows, present, distinct, values=values or (), least=least or "", most=last or ""),
            most,
        )
        for column, (present, distinct, least, last, values) in zip(columns, figures, strict=True)
    }


def write_sample_query(table: Table, columns: Sequence[str], kinds: Sequence[Kind], most: int) -> str:
    """SQL for what the first `most` rows of a table and one more hold in its columns, as JSON."""
    names = [f"c{place}" for place in range(len(columns))]
    cells = ", ".join(
        f"pg_catalog.left({quote_name(column)}::pg_catalog.text, {profiling.LONGEST + 1}) AS {name}"
        if kind == "text"
        else f"{quote_name(column)} AS {name}"
        for column, kind, name in zip(columns, kinds, names, strict=True)
    )
    facts = ", ".join(_write_facts(name, kind) for name, kind in zip(names, kinds, strict=True))
    source = f"{quote_name(table.schema)}.{quote_name(table.name)}"
    return (
        f"WITH s AS MATERIALIZED (SELECT {cells} FROM {source} LIMIT {most + 1}) "  # noqa: S608 - quoted names
        f"SELECT pg_catalog.json_build_array((SELECT pg_catalog.count(*) FROM s), {facts})"
    )


def _write_facts(name: str, kind: Kind) -> str:
    if kind == "other":
        return f"(SELECT pg_catalog.json_build_array(pg_catalog.count({name}), 0, NULL, NULL, NULL) FROM s)"  # noqa: S608
    values = "NULL"
    if kind in ("text", "number"):
        limit = profiling.MOST_VALUES if kind == "text" else profiling.MOST_NUMBERS
        groups = (
            f"SELECT {name}::pg_catalog.text AS v, pg_catalog.count(*) AS n FROM s WHERE {name} IS NOT NULL "  # noqa: S608
            f"GROUP BY {name} ORDER BY n DESC, {name} LIMIT {limit + 1}"
        )
        values = f"(SELECT pg_catalog.json_agg(v) FROM ({groups}) AS g)"  # noqa: S608
    return (
        f"(SELECT pg_catalog.json_build_array(pg_catalog.count({name}), pg_catalog.count(DISTINCT {name}), "  # noqa: S608
        f"pg_catalog.min({name})::pg_catalog.text, pg_catalog.max({name})::pg_catalog.text, {values}) FROM s)"
    )
