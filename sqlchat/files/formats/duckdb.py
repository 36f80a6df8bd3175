"""Reads one table of a DuckDB database in its own types."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial

import duckdb
import pyarrow as pa

from sqlchat.errors import FileInvalidError
from sqlchat.files.formats import Load, Table, check_width, make_unique_names
from sqlchat.files.formats.databases import pick_table, quote_name
from sqlchat.files.formats.parquet import make_block
from sqlchat.files.options import Options
from sqlchat.files.source import Source

BLOCK_ROWS = 1 << 16
LOCKS = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
}
LIMITS = {"threads": "1", "memory_limit": "256MiB", "temp_directory": ""}
TABLES = """
    SELECT schema_name, table_name FROM system.main.duckdb_tables() WHERE NOT internal AND NOT temporary
    ORDER BY schema_name, table_name"""
AS_TEXT = (
    *("HUGEINT", "UHUGEINT", "BIGNUM", "BIT", "UUID", "ENUM", "UNION", "VARIANT", "GEOMETRY"),
    "TIME WITH TIME ZONE",
)
"""Types that Arrow lacks or reads differently."""


def list_tables(path: str) -> list[str]:
    """Names of its tables, those of another schema than main with it. Raises FileInvalidError for a damaged file."""
    with _open(path) as connection:
        return [_show(*row) for row in connection.execute(TABLES).fetchall()]


def read(source: Source, options: Options) -> Table:
    """Open a table of typed values. Raises FileInvalidError for a damaged file or an unknown table."""
    warnings: list[str] = []
    names = list_tables(source.path)
    table = pick_table(names, options.sheet, warnings)
    with _open(source.path) as connection:
        place = next((s, t) for s, t in connection.execute(TABLES).fetchall() if _show(s, t) == table)
        described = connection.execute(f"DESCRIBE {'.'.join(map(quote_name, place))}").fetchall()
    check_width(len(described))
    columns = make_unique_names([row[0] for row in described], warnings)
    picked = ", ".join(
        f"CAST({quote_name(name)} AS VARCHAR)" if kind.startswith(AS_TEXT) else quote_name(name)
        for name, kind, *_ in described
    )
    sql = f"SELECT {picked} FROM {'.'.join(map(quote_name, place))}"  # noqa: S608  quoted
    facts = {"sheet": table, "sheets": names}
    return Table(columns, _read_blocks(source.path, sql, columns), facts, warnings, used={"sheet": table})


def _read_blocks(path: str, sql: str, columns: list[str]) -> Iterator[Load]:
    with _open(path) as connection:
        for batch in connection.sql(sql).to_arrow_reader(BLOCK_ROWS):
            yield partial(make_block, pa.RecordBatch.from_arrays(batch.columns, names=columns), columns)


@contextlib.contextmanager
def _open(path: str) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with contextlib.closing(duckdb.connect(path, read_only=True, config={**LOCKS, **LIMITS})) as connection:
            yield connection
    except duckdb.Error as exc:
        raise FileInvalidError(
            "The file does not read as a DuckDB database; it may be damaged or of another version."
        ) from exc


def _show(schema: str, table: str) -> str:
    return table if schema == "main" else f"{schema}.{table}"
