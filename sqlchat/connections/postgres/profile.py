"""Profiles the columns of Postgres by its own statistics, and by samples if it has none.

`pg_stats` shows a role only columns that it may read, and no table whose row-level security applies to it.
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
from sqlchat.connections.postgres.qualification import qualify
from sqlchat.connections.postgres.statement import quote_name
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Kind, Path

Ask = Callable[[str, tuple[Any, ...], float], str]
"""(SQL, parameters, seconds) -> the single text of the answer."""

TABLES_AT_ONCE = 500
"""Tables whose statistics one query asks for."""
ASKING_SHARE = 0.8
"""Share of the time for the database to answer; the rest is for reading the answers."""
STATISTICS_SHARE = 0.5
"""Share of the time that statistics may take if samples follow."""
ANALYZED_WHOLE = 30_000
"""Rows that ANALYZE reads at the default target: it reads a smaller table as a whole.

The server does not count later changes of partitions and foreign tables.
"""
SAMPLED_ROWS = 20_000
"""Most rows of a sample."""
SAMPLED_COLUMNS = 200
SAMPLING = 1.0
"""Seconds for the sample of one table."""
FINITE = re.compile(r"-?\d")

STATISTICS = qualify(f"""
WITH readable AS ({READABLE.replace("%", "%%")} AND c.relname = ANY (%s)),
columns AS MATERIALIZED (
    SELECT r.nspname, r.relname, r.reltuples, a.attname, t.typname = 'bpchar' AS padded,
        CASE WHEN t.typcategory IN ('S', 'E') AND t.typname <> 'name' THEN 'text'
            WHEN t.typname IN ('int2', 'int4', 'int8', 'float4', 'float8', 'numeric') THEN 'number'
            WHEN t.typname IN ('date', 'timestamp', 'timestamptz', 'time') THEN 'time' ELSE 'other' END AS kind,
        r.reltuples BETWEEN 0 AND {ANALYZED_WHOLE} AND r.relkind IN ('r', 'm')
            AND pg_stat_get_mod_since_analyze(r.oid) = 0 AS whole, r.relkind = 'p' AS parent
    FROM readable r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type own ON own.oid = a.atttypid JOIN pg_type t ON t.oid = coalesce(nullif(own.typbasetype, 0), own.oid)
    WHERE NOT r.relispartition AND has_column_privilege(r.oid, a.attnum, 'SELECT')
),
stats AS MATERIALIZED (
    SELECT schemaname, tablename, attname, inherited, null_frac, n_distinct, most_common_vals, histogram_bounds
    FROM pg_stats WHERE tablename = ANY (%s)
),
known AS (
    SELECT c.*, s.null_frac, s.most_common_vals AS common, s.histogram_bounds AS bounds, round((CASE
        WHEN s.n_distinct >= 0 THEN s.n_distinct ELSE -s.n_distinct * c.reltuples END)::numeric) AS different
    FROM columns c FULL JOIN stats s
        ON s.schemaname = c.nspname AND s.tablename = c.relname AND s.attname = c.attname AND s.inherited = c.parent
    WHERE coalesce(c.kind, '') <> ''
),
listed AS (
    SELECT k.*, CASE WHEN k.kind IN ('number', 'time') THEN btrim(k.bounds::text, '{{}}') END AS range FROM known k
)
SELECT coalesce(json_agg(json_build_array(
    l.nspname, l.relname, l.attname, l.kind, l.padded, l.whole, l.reltuples, l.null_frac, l.different,
    CASE WHEN l.kind <> 'other' THEN to_json(l.common::text::text[]) END,
    CASE WHEN l.kind = 'text' THEN to_json(l.bounds::text::text[]) WHEN l.range <> '' THEN json_build_array(
        split_part(l.range, ',', 1), reverse(split_part(reverse(l.range), ',', 1))) END)), '[]')
FROM listed l
""")  # noqa: S608 - constants


def read_profiles(ask: Ask, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
    """Return profiles of the columns of tables and views. Raises DatabaseUnavailableError and BusyError.

    Reads statistics first. Reads samples of views, of tables without statistics, and of small tables that hold more
    texts than their statistics list.
    """
    now = time.monotonic()
    statistics_until, until = now + STATISTICS_SHARE * timeout, now + ASKING_SHARE * timeout
    profiles: dict[Path, ColumnProfile] = {}
    unprofiled: dict[tuple[str, str], dict[str, Kind]] = defaultdict(dict)  # kinds of columns that need a sample
    tables = profiling.order_tables([table for table in catalog.tables if not table.runs_volatile])
    largest_first = sorted(tables, key=lambda table: -(table.row_estimate or 0))
    took = 0.0
    for start in range(0, len(tables), TABLES_AT_ONCE):
        names = [table.name for table in largest_first[start : start + TABLES_AT_ONCE]]
        begun = time.monotonic()
        left = (statistics_until if unprofiled else until) - begun
        if left <= took:  # the next query would be cut off if it took as long as the last one
            break
        try:
            rows = orjson.loads(ask(STATISTICS, (names, names), left))
        except profiling.UNREADABLE:
            break
        took = time.monotonic() - begun
        part = {}
        for schema, name, column, kind, *statistics in rows:
            profile = _read_statistics(kind, statistics)
            if profile is not None:
                part[schema, name, column] = profile
            if profile is None or (kind == "text" and not (profile.few and (profile.values or not profile.distinct))):
                unprofiled[schema, name][column] = kind
        profiles |= profiling.limit_values(part)
    for table in tables:
        if time.monotonic() > until:
            break
        kinds = unprofiled.get((table.schema, table.name), {})
        has_statistics = any((table.schema, table.name, column) in profiles for column in kinds)
        if kinds and not (has_statistics and (table.row_estimate or 0) > SAMPLED_ROWS):
            profiles |= _read_sample(ask, table, kinds, until)
    return profiles


def _read_statistics(kind: Kind, statistics: list[Any]) -> ColumnProfile | None:
    """Return the profile in a column's row of STATISTICS; None if the column was never analyzed."""
    padded, whole, rows, null_share, distinct, common, bounds = statistics
    if null_share is None:
        return None
    listed = (common or []) + (bounds or [])
    if kind != "text":
        listed = [value.strip('"') for value in listed]
    elif padded:
        listed = [value.rstrip(" ") for value in listed]
    sortable = float if kind == "number" else str
    ends = [value for value in listed if kind == "text" or FINITE.match(value)]
    values = listed if kind == "text" else []
    if kind == "number" and not bounds:
        values = common or []
    number = round(max(rows, 0))
    sample = profiling.ColumnSample(
        rows=number,
        present=round(number * (1 - null_share)),
        distinct=None if distinct is None else round(distinct),
        whole=whole,
        values=tuple(values),
        least=min(ends, key=sortable, default=""),
        most=max(ends, key=sortable, default=""),
    )
    return replace(profiling.make_profile(kind, sample), null_share=round(null_share, 4))


def _read_sample(ask: Ask, table: Table, kinds: dict[str, Kind], until: float) -> dict[Path, ColumnProfile]:
    own = {column.name for column in table.columns if column.runs_own or column.runs_volatile}
    columns = list(kinds)[:SAMPLED_COLUMNS]
    kinds = {name: "other" if name in own else kinds[name] for name in columns}  # own code must not run
    most = min(SAMPLED_ROWS, profiling.limit_sample(len(columns)))
    sql = write_sample_query(table, columns, list(kinds.values()), most)
    try:
        rows, *figures = orjson.loads(ask(sql, (), max(0.1, min(SAMPLING, until - time.monotonic()))))
    except profiling.UNREADABLE:
        return {}
    return {
        (table.schema, table.name, column): profiling.make_sample_profile(
            kinds[column],
            profiling.ColumnSample(rows, present, distinct, values=values or (), least=least or "", most=last or ""),
            most,
        )
        for column, (present, distinct, least, last, values) in zip(columns, figures, strict=True)
    }


def write_sample_query(table: Table, columns: Sequence[str], kinds: Sequence[Kind], most: int) -> str:
    """Write SQL that counts the values of columns in the first `most` rows of a table and one more, as JSON."""
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
        + qualify(f"SELECT json_build_array((SELECT count(*) FROM s), {facts})")  # noqa: S608
    )


def _write_facts(name: str, kind: Kind) -> str:
    if kind == "other":
        return f"(SELECT json_build_array(count({name}), 0, NULL, NULL, NULL) FROM s)"  # noqa: S608
    values = "NULL"
    if kind in ("text", "number"):
        limit = profiling.MOST_VALUES if kind == "text" else profiling.MOST_NUMBERS
        values = f"""(SELECT json_agg(v) FROM (SELECT {name}::text AS v, count(*) AS n FROM s WHERE {name} IS NOT NULL
            GROUP BY {name} ORDER BY n DESC, {name} LIMIT {limit + 1}) AS g)"""  # noqa: S608
    return f"""(SELECT json_build_array(
        count({name}), count(DISTINCT {name}), min({name})::text, max({name})::text, {values}) FROM s)"""  # noqa: S608
