"""Builds one DuckDB database of files, in a worker process.

Arrow batches of `files.typed` stream into one statement for each table, so no file or table is whole in memory.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from sqlchat.connections.embedded import quoted
from sqlchat.connections.files.keys import InferredKey, Keys, find_keys
from sqlchat.errors import ConnectionConfigError, SqlchatError, TooLargeError
from sqlchat.files.memory import run_bounded, use_system_allocator
from sqlchat.files.names import find_free_name
from sqlchat.files.options import Options

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from sqlchat.files.analysis import TypedColumn
    from sqlchat.files.typed import TypedTable

DATABASE, FACTS = "data.duckdb", "found.json"
MEMORY, MEMORY_A_COLUMN = 128.0, 0.25
"""MiB for DuckDB, in all and for each column. It spills to the disk beyond; a block of a column is 256 KiB."""
MEMORY_SHARE = 0.5
"""Share of the worker's memory that DuckDB may take."""
MOST_WARNINGS = 20
ALLOCATION = re.compile(r"out of memory|alloc", re.IGNORECASE)
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
CAST = {
    "NUMERIC": "CAST({0} AS {1})",
    "UUID": "CAST({0} AS UUID)",
    "JSON": "coalesce(TRY_CAST({0} AS JSON), to_json({0}))",
}
"""SQL type without precision -> SQL that casts its text; other types need no cast."""


@dataclass(frozen=True, slots=True)
class FileTable:
    """A file that becomes a table."""

    table: str
    shown: str
    """The path that its owner knows: `uploads/customers.csv`."""
    path: str
    """Path of a copy on disk."""
    options: Options


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """Facts of a database that are kept beside it."""

    keys: Keys
    warnings: tuple[str, ...]

    @classmethod
    def read(cls, folder: str) -> BuildFacts:
        """Read the file that `write` made. Raises ConnectionConfigError if it is damaged."""
        try:
            with open(os.path.join(folder, FACTS), "rb") as file:
                facts = orjson.loads(file.read())
            foreign = tuple(InferredKey(**key) for key in facts["keys"]["foreign"])
            return cls(Keys(facts["keys"]["primary"], foreign), tuple(facts["warnings"]))
        except (OSError, ValueError, LookupError, TypeError) as exc:
            raise ConnectionConfigError("The facts about the files are damaged.") from exc

    def write(self, folder: str) -> None:
        with open(os.path.join(folder, FACTS), "xb") as file:
            file.write(orjson.dumps(self))


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table in the database."""

    name: str
    rows: int
    columns: tuple[TypedColumn, ...]
    """Columns under their names in the database."""
    origin: str


def build(
    folder: str, files: tuple[FileTable, ...], memory_mb: int, disk_mb: int, findings: str | None = None
) -> None:
    """Write the database into `folder`, with a table for each file, and its keys and warnings beside it.

    The process may take `memory_mb` MiB in all and grows by 1 GB at most; data that does not fit into memory may take
    `disk_mb` MiB of disk. `findings` is a folder that may hold analyses of the files.
    Raises FileInvalidError, TooLargeError and UnsupportedMediaError, with the file as the fact `file`; OSError.
    """
    use_system_allocator()
    import duckdb  # noqa: F401  imported before the limit, as the next one, so that they do not count as growth

    import sqlchat.files.typed  # noqa: F401

    run_bounded(_build, folder, files, memory_mb, disk_mb, findings)


def _build(folder: str, files: tuple[FileTable, ...], memory_mb: int, disk_mb: int, findings: str | None) -> None:
    import duckdb

    from sqlchat.files.formats.duckdb import LOCKS

    database, spilled = os.path.join(folder, DATABASE), os.path.join(folder, "spilled")
    for leftover in (database, f"{database}.wal"):  # of a process that was ended
        Path(leftover).unlink(missing_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        **LOCKS,
        "temp_directory": spilled,
        "max_temp_directory_size": f"{disk_mb}MiB",
    }
    warnings: list[str] = []
    try:
        with closing(duckdb.connect(database, config=config)) as connection:
            connection.execute("SET enable_progress_bar = false")  # it would print
            connection.execute("SET threads = 1")  # two other threads convert the rows
            connection.execute("SET disabled_compression_methods = 'dict_fsst'")  # takes half the time of a build
            tables = [_load(connection, file, memory_mb, findings, warnings) for file in _list_tables(files)]
            keys = find_keys(connection, {table.name: (table.rows, table.columns) for table in tables})
            for table in tables:
                _write_comments(connection, table, keys)
            connection.execute("CHECKPOINT")
    except duckdb.Error as exc:
        translated = _translate_error(exc, disk_mb)
        if translated is None:
            raise
        raise translated from exc
    shutil.rmtree(spilled, ignore_errors=True)
    if len(warnings) > MOST_WARNINGS:
        warnings[MOST_WARNINGS:] = [f"There are {len(warnings) - MOST_WARNINGS} more warnings about the files."]
    BuildFacts(keys, tuple(warnings)).write(folder)


def _translate_error(exc: duckdb.Error, disk_mb: int) -> Exception | None:
    """Return our error if DuckDB's message tells of too little memory or disk; None for any other."""
    import duckdb

    words = str(exc)
    if "max_temp_directory_size" in words:
        return TooLargeError(f"They need more than {disk_mb:,} MiB of disk space beside the database.")
    if isinstance(exc, duckdb.OutOfMemoryException) or ALLOCATION.search(words):
        return TooLargeError("They need more memory than a worker process may take.")
    if isinstance(exc, (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException)):
        code = next((code for code in DISK_FAULTS if os.strerror(code) in words), errno.EIO)
        return OSError(code, os.strerror(code))
    return None


def _list_tables(files: tuple[FileTable, ...]) -> Iterator[FileTable]:
    """Give the files; a database without a `sheet` is replaced by each of its tables, under its own name."""
    from sqlchat.files import formats

    taken = {file.table.casefold() for file in files}
    for file in files:
        names: list[str] = []
        if file.options.sheet is None:
            try:
                names = formats.list_tables(file.path, os.path.basename(file.shown))
            except SqlchatError as exc:
                raise _name_file(file, exc) from exc
        if len(names) < 2:
            yield file
            continue
        for name in names:
            table = find_free_name(name, taken, fold=str.casefold)
            taken.add(table.casefold())
            yield replace(file, table=table, options=replace(file.options, sheet=name))


def _load(
    connection: duckdb.DuckDBPyConnection,
    file: FileTable,
    memory_mb: int,
    findings: str | None,
    warnings: list[str],
) -> LoadedTable:
    import duckdb

    from sqlchat.files.typed import TypedTable

    failures: list[SqlchatError] = []
    try:
        table = TypedTable(file.path, os.path.basename(file.shown), file.options, findings)
        columns = _name_columns(table.columns, table.warnings)
        memory = min(memory_mb * MEMORY_SHARE, MEMORY + MEMORY_A_COLUMN * len(columns))
        connection.execute(f"SET memory_limit = '{int(memory)}MiB'")
        _insert(connection, file.table, columns, table, failures)
    except SqlchatError as exc:
        raise _name_file(file, exc) from exc
    except duckdb.Error as exc:
        if failures:
            raise _name_file(file, failures[0]) from exc
        raise
    cut_names = table.cut()
    for place, column in enumerate(table.columns):
        if column.name in cut_names:
            columns[place] = _add_remark(columns[place], "cut to microseconds")
    warnings.extend(f"{file.shown}: {warning}" for warning in table.warnings)
    sheet = f", sheet {table.facts['sheet']!r}" if "sheet" in table.facts else ""
    return LoadedTable(file.table, table.row_count, tuple(columns), f"from the file {file.shown}{sheet}")


def _name_file(file: FileTable, exc: SqlchatError) -> SqlchatError:
    """Add the file to the facts of an error."""
    return type(exc)(exc.detail, retry_after=exc.retry_after, **{**exc.facts, "file": file.shown})


def _name_columns(columns: list[TypedColumn], warnings: list[str]) -> list[TypedColumn]:
    """Give columns names for SQL, which are not empty and differ by more than their case; adds to `warnings`."""
    taken = {column.name.lower() for column in columns}
    seen: set[str] = set()
    named = []
    for number, column in enumerate(columns, 1):
        old = column.name
        new = find_free_name(old or f"column_{number}", seen, taken, str.lower)
        seen.add(new.lower())
        if new == old:
            named.append(column)
            continue
        fault = f"The column {old!r} differs from another by its case alone" if old else "A column has no name"
        warnings.append(f"{fault}; it is {new!r} here.")
        named.append(_add_remark(replace(column, name=new), f"called {old!r} in the file"))
    return named


def _add_remark(column: TypedColumn, remark: str) -> TypedColumn:
    return replace(column, remarks=(*column.remarks, remark))


def _insert(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: list[TypedColumn],
    table: TypedTable,
    failures: list[SqlchatError],
) -> None:
    """Stream the rows into a new table. DuckDB keeps only the text of an error, so `failures` takes the error."""
    import pyarrow as pa

    carriers = [f"c{number}" for number in range(len(columns))]
    schema = pa.schema(list(zip(carriers, table.schema.types, strict=True)))

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for batch in table.batches():
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        except SqlchatError as exc:
            failures.append(exc)
            raise

    selected = ", ".join(
        f"{CAST.get(column.type.split('(')[0], '{0}').format(carrier, column.type)} AS {quoted(column.name)}"
        for carrier, column in zip(carriers, columns, strict=True)
    )
    connection.register("incoming_rows", pa.RecordBatchReader.from_batches(schema, batches()))
    try:
        connection.execute(f"CREATE TABLE {quoted(name)} AS SELECT {selected} FROM incoming_rows")  # noqa: S608
    finally:
        connection.unregister("incoming_rows")


def _write_comments(connection: duckdb.DuckDBPyConnection, table: LoadedTable, keys: Keys) -> None:
    """Write comments for the catalog: the source of each table, how columns were read, and inferred keys."""
    facts = [table.origin]
    if key := keys.primary.get(table.name):
        facts.append(f"key inferred: {key} is unique and never null in all {table.rows} rows")
    connection.execute(f"COMMENT ON TABLE {quoted(table.name)} IS {_quote_text('; '.join(facts))}")
    for column in table.columns:
        remarks = list(column.remarks)
        remarks += [
            key.write_evidence() for key in keys.foreign if (key.table, key.column) == (table.name, column.name)
        ]
        if remarks:
            path = f"{quoted(table.name)}.{quoted(column.name)}"
            connection.execute(f"COMMENT ON COLUMN {path} IS {_quote_text('; '.join(remarks))}")


def _quote_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
