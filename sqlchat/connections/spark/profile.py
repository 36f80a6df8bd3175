"""Profiles Spark's columns by the first rows of each table, and by its column statistics if there are any."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.connections.profiling import (
    LONGEST,
    MOST_NUMBERS,
    MOST_VALUES,
    ColumnSample,
    find_kind,
    limit_sample,
    make_sample_profile,
    order_tables,
)
from sqlchat.connections.spark.session import SparkError, quote_name
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.profiles import ColumnProfile, Kind, Path

Fetch = Callable[[str, float], list[pa.RecordBatch]]
"""(SQL, seconds) -> batches. Raises SparkError. Called from several threads."""

SAMPLED_ROWS = 10_000
SAMPLED_COLUMNS = 50
"""Columns of a table that are read."""
STATISTICS = 40
"""Columns of all tables together whose statistics are read, with one statement each."""
THREADS = 4


def read_profiles(fetch: Fetch, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
    """Return profiles of the columns that can be read in `timeout` seconds. Raises SparkError of a lost session."""
    until = time.monotonic() + timeout
    tables = order_tables(catalog.tables)

    def sample(table: Table) -> dict[Path, ColumnProfile]:
        left = until - time.monotonic()
        if left <= 0:
            return {}
        columns = table.columns[:SAMPLED_COLUMNS]
        most = min(SAMPLED_ROWS, limit_sample(len(columns)))
        try:
            batches = fetch(_write_sample(table, columns, most), left)
        except SparkError as exc:
            if exc.is_of_session:
                raise
            return {}  # the user may not read it, or it takes too long
        profiles = {}
        for number, column in enumerate(columns):
            kind, pieces = find_kind(column.type), [batch.column(number) for batch in batches]
            profiles[_make_path(table, column)] = make_sample_profile(kind, _count_values(kind, pieces), most)
        return profiles

    def read_statistics(place: tuple[Table, Column]) -> dict[str, str]:
        table, column = place
        left = until - time.monotonic()
        try:
            question = f"DESCRIBE EXTENDED {write_name(table)} {quote_name(column.name)}"
            return _read_pairs(fetch(question, left)) if left > 0 else {}
        except SparkError:
            return {}

    with ThreadPoolExecutor(THREADS, thread_name_prefix="profiles") as pool:
        profiles: dict[Path, ColumnProfile] = {}
        for part in pool.map(sample, tables):
            profiles |= part
        inexact = [
            (table, column)
            for table in tables
            for column in table.columns
            if table.row_estimate and find_kind(column.type) in ("number", "time", "text")
            if (sampled := profiles.get(_make_path(table, column))) and not sampled.exact
        ][:STATISTICS]
        for (table, column), statistics in zip(inexact, pool.map(read_statistics, inexact), strict=True):
            path = _make_path(table, column)
            profiles[path] = _add_statistics(profiles[path], statistics, table.row_estimate or 0)
    return profiles


def write_name(table: Table) -> str:
    return ".".join(quote_name(part) for part in (table.schema, table.name) if part)


def _make_path(table: Table, column: Column) -> Path:
    return table.schema, table.name, column.name


def _write_sample(table: Table, columns: Sequence[Column], most: int) -> str:
    cells = []
    for number, column in enumerate(columns):
        name = quote_name(column.name)
        match find_kind(column.type):
            case "text":
                cell = f"left(CAST({name} AS STRING), {LONGEST + 1})"
            case "other":
                cell = f"{name} IS NOT NULL OR NULL"
            case _:
                cell = name
        cells.append(f"{cell} AS c{number}")
    return f"SELECT {', '.join(cells)} FROM {write_name(table)} LIMIT {most + 1}"  # noqa: S608 - quoted names


def _count_values(kind: Kind, pieces: Sequence[pa.Array]) -> ColumnSample:
    rows = sum(map(len, pieces))
    present = rows - sum(piece.null_count for piece in pieces)
    if kind == "other" or not present:
        return ColumnSample(rows, present, 0)
    values = pa.chunked_array(pieces).drop_null()
    counted, ends = pc.value_counts(values), pc.min_max(values).as_py()
    counts = zip(counted.field("counts").to_pylist(), counted.field("values").to_pylist(), strict=True)
    ranked = sorted((-count, _write_value(value)) for count, value in counts)
    most_values = {"text": MOST_VALUES + 1, "number": MOST_NUMBERS + 1}.get(kind, 0)
    texts = tuple(text for _, text in ranked[:most_values])
    least, most = _write_value(ends["min"]), _write_value(ends["max"])
    return ColumnSample(rows, present, len(counted), values=texts, least=least, most=most)


def _write_value(value: Any) -> str:
    """Return the text that JSON answers have; empty for None."""
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _read_pairs(batches: Iterable[pa.RecordBatch]) -> dict[str, str]:
    return {
        name: value
        for batch in batches
        for name, value in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)
        if value and value != "NULL"
    }


def _add_statistics(sampled: ColumnProfile, statistics: dict[str, str], rows: int) -> ColumnProfile:
    """Replace counts of the sample by the server's counts of all rows."""
    if not statistics.get("distinct_count", "").isdecimal():
        return sampled
    nulls, distinct = statistics.get("num_nulls", ""), int(statistics["distinct_count"])
    ends = {} if sampled.kind == "text" else statistics
    return replace(
        sampled,
        null_share=round(int(nulls) / rows, 4) if nulls.isdecimal() and rows else sampled.null_share,
        distinct=max(distinct, len(sampled.values)),
        least=ends.get("min", sampled.least),
        most=ends.get("max", sampled.most),
        values=() if sampled.kind == "number" and distinct > MOST_NUMBERS else sampled.values,
    )
