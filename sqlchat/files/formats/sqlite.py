"""Reads one table of an SQLite database in the types that its columns are declared with."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import quote

from sqlchat.errors import FileInvalidError
from sqlchat.files.formats import Block, Load, Part, Table, check_width, make_unique_names
from sqlchat.files.formats.databases import pick_table, quote_name
from sqlchat.files.formats.values import make_parts, replace_surrogates
from sqlchat.files.options import Options
from sqlchat.files.source import Source

BLOCK_VALUES = 500_000
DAYS = ("DATE", "TIME")
TABLES = (
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
    "AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY rowid"
)
COLUMNS = "SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid"
"""The columns that `SELECT *` gives: hidden 1 is one of a virtual table; 2 and 3 are generated columns."""


def list_tables(path: str) -> list[str]:
    """Names of its tables, in the order of their making. Raises FileInvalidError for a damaged file."""
    with _open(path) as connection:
        return [name for (name,) in connection.execute(TABLES)]


def read(source: Source, options: Options) -> Table:
    """Open a table of typed values. Raises FileInvalidError for a damaged file or an unknown table."""
    warnings: list[str] = []
    names = list_tables(source.path)
    table = pick_table(names, options.sheet, warnings)
    with _open(source.path) as connection:
        described = connection.execute(COLUMNS, (table,)).fetchall()
    check_width(len(described))
    columns = make_unique_names([name for name, _ in described], warnings)
    kinds = {column: kind.upper() for column, (_, kind) in zip(columns, described, strict=True)}
    dated = {column for column, kind in kinds.items() if any(word in kind for word in DAYS)}
    blocks = _read_blocks(source.path, table, columns, dated)
    facts = {"sheet": table, "sheets": names}
    return Table(columns, blocks, facts, warnings, used={"sheet": table})


def _read_blocks(path: str, table: str, columns: list[str], dated: set[str]) -> Iterator[Load]:
    size = max(1, BLOCK_VALUES // len(columns))
    with _open(path) as connection:
        rows = connection.execute(f"SELECT * FROM {quote_name(table)}")  # noqa: S608  quoted
        while block := list(islice(rows, size)):
            yield partial(_make_block, block, columns, dated)


def _make_block(rows: list[tuple[Any, ...]], columns: list[str], dated: set[str]) -> Block:
    values = zip(*rows, strict=True)
    return Block(len(rows), {n: _make_column(v, dated=n in dated) for n, v in zip(columns, values, strict=True)})


def _make_column(values: tuple[Any, ...], *, dated: bool) -> tuple[Part, ...]:
    """Make the parts of a column. Texts are days and times only if the column is declared so."""
    plain = [v.hex() if isinstance(v, bytes) else v for v in values]
    found = make_parts(plain)
    return found if dated else tuple(Part(p.array, p.rows) if p.inferred == "string" else p for p in found)


@contextlib.contextmanager
def _open(path: str) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        ) as connection:
            connection.text_factory = lambda raw: replace_surrogates(raw.decode("utf-8", "replace"))
            for pragma in ("query_only = 1", "trusted_schema = 0", "cell_size_check = 1"):
                connection.execute(f"PRAGMA {pragma}")
            yield connection
    except sqlite3.Error as exc:
        raise FileInvalidError("The file does not read as an SQLite database; it may be damaged or locked.") from exc
