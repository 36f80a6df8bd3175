"""Infers primary and foreign keys of files from names and values.

A primary key has the name of a key and is unique and never null. A foreign key has a name that points to such a
column of another table, and a sample of its values is found there.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from sqlchat.connections.embedded import quoted
from sqlchat.files.names import split_words

if TYPE_CHECKING:
    import duckdb

    from sqlchat.files.analysis import TypedColumn

Tables = Mapping[str, tuple[int, "Sequence[TypedColumn]"]]
"""Table -> number of rows, columns."""

KINDS = {"INTEGER": "number", "BIGINT": "number", "TEXT": "text", "UUID": "uuid"}
"""SQL types of keys -> their kind; keys of one kind can refer to each other."""
KEY_WORDS = frozenset({"id", "key", "code", "uuid", "guid", "no", "nr", "number", "sku", "iso", "isbn"})
SHARED = 3
"""Rank of a column that has the name of another table's column, but not of a key."""
TRIED_KEYS = 4
"""Columns of a table whose different values are counted in full."""
LOOKED_UP = 10_000
"""Different values of a column that are looked up in another table."""
SAMPLED_ROWS = 50_000
"""Rows that these values are taken from."""
LEAST_SHARE = 0.95
"""Share of these values that the other table must have: files miss a few."""
TIME = 10.0
"""Seconds for one query; a key that takes longer is not found."""


@dataclass(frozen=True, slots=True)
class InferredKey:
    """A column whose values are those of another table's key."""

    table: str
    column: str
    ref_table: str
    ref_column: str
    values_checked: int
    """Number of different values, all or a sample."""
    values_matched: int

    def write_evidence(self) -> str:
        share = "all" if self.values_matched == self.values_checked else f"{self.values_matched} of"
        return f"inferred: {share} {self.values_checked} values looked up are in {self.ref_table}.{self.ref_column}"


@dataclass(frozen=True, slots=True)
class Keys:
    primary: Mapping[str, str]
    """Table -> column."""
    foreign: tuple[InferredKey, ...]


def find_keys(connection: duckdb.DuckDBPyConnection, tables: Tables) -> Keys:
    """Find the primary and foreign keys of a database."""
    shared = _find_shared_names(tables)
    unique = {name: _find_unique(connection, name, rows, columns, shared) for name, (rows, columns) in tables.items()}
    foreign: dict[tuple[str, str], InferredKey] = {}
    for table, (_, columns) in tables.items():
        for column in columns:
            for ref_table, ref in _find_candidates(table, column, unique):
                reverse = foreign.get((ref_table, ref.name))
                if reverse is not None and (reverse.ref_table, reverse.ref_column) == (table, column.name):
                    continue  # two keys of one name, each with the other's values: one reference is enough
                key = _look_up(connection, table, column.name, ref_table, ref.name)
                if key is not None:
                    foreign[table, column.name] = key
                    break
    primary = {  # the likeliest is the last one that is set
        table: column.name
        for table, keys in unique.items()
        for column in reversed(keys)
        if split_words(column.name)[-1] in KEY_WORDS
    }
    return Keys(primary, tuple(foreign.values()))


def _find_shared_names(tables: Tables) -> frozenset[str]:
    """Return the case-folded names of columns that several tables have."""
    counts = Counter(
        name for _, columns in tables.values() for name in {column.name.casefold() for column in columns}
    )
    return frozenset(name for name, count in counts.items() if count > 1)


def _find_unique(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: int,
    columns: Sequence[TypedColumn],
    shared: frozenset[str],
) -> list[TypedColumn]:
    """Return the unique columns that may be keys by their name, the likeliest first."""
    ranked = [(rank, column) for column in columns if (rank := _rank_key(table, column, rows, shared)) is not None]
    ranked.sort(key=itemgetter(0))
    unique = []
    for _, column in ranked[:TRIED_KEYS]:
        sql = f"SELECT count(DISTINCT {quoted(column.name)}) FROM {quoted(table)}"  # noqa: S608
        if rows and (column.facts["distinct_is_exact"] or _ask(connection, sql) == (rows,)):
            unique.append(column)
    return unique


def _rank_key(table: str, column: TypedColumn, rows: int, shared: frozenset[str]) -> int | None:
    """Rank a column as a key by its name, 0 first; None if type, nulls or repeated values rule it out."""
    if column.type not in KINDS or column.facts["nulls"]:
        return None
    distinct = column.facts["distinct"]
    if distinct < rows * (1.0 if column.facts["distinct_is_exact"] else 0.9):
        return None
    words = split_words(column.name)
    if not words or words[-1] not in KEY_WORDS:
        return SHARED if words and column.name.casefold() in shared else None
    if words == ["id"] or words[:-1] in _list_spellings(table):
        return 0
    return 1 if len(words) == 1 else 2


def _find_candidates(
    table: str, column: TypedColumn, unique: Mapping[str, Sequence[TypedColumn]]
) -> list[tuple[str, TypedColumn]]:
    """Return the keys of other tables that the name of a column may point to, the nearest name first."""
    words = split_words(column.name)
    ranked = []
    for ref_table, keys in unique.items():
        for ref in keys:
            if ref_table == table or KINDS.get(column.type) != KINDS[ref.type]:
                continue
            rank = _rank_name(words, split_words(ref.name), _list_spellings(ref_table))
            if rank is not None:
                ranked.append((rank, ref_table, ref))
    return [(ref_table, ref) for _, ref_table, ref in sorted(ranked, key=itemgetter(0))]


def _rank_name(words: list[str], key: list[str], names: list[list[str]]) -> int | None:
    """Rank how near a column's words are to the key of a table with these names, 0 first; None if they are not."""
    for name in names:
        if words == name + key[-1:] or (words == key and key[:-1] == name):
            return 0
        if words == name:  # `country` for countries.code
            return 2
        ending = name + key[-1:]
        if len(words) > len(ending) and words[-len(ending) :] == ending:
            return 3  # `billing_customer_id`
    return 1 if words == key and (len(words) > 1 or words[-1] not in KEY_WORDS) else None


def _look_up(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, ref_table: str, ref_column: str
) -> InferredKey | None:
    """Return the key if the other table has enough of a sample of the column's values; else None."""
    value, ref = quoted(column), quoted(ref_column)
    sql = f"""
        WITH picked AS (
                SELECT {value} AS v FROM {quoted(table)} USING SAMPLE reservoir({SAMPLED_ROWS} ROWS) REPEATABLE (1)
            ), sample AS (SELECT DISTINCT v FROM picked WHERE v IS NOT NULL LIMIT {LOOKED_UP})
        SELECT count(*), count(*) FILTER (v IN (SELECT {ref} FROM {quoted(ref_table)})) FROM sample"""  # noqa: S608
    checked, matched = _ask(connection, sql) or (0, 0)
    if not checked or matched < checked * LEAST_SHARE:
        return None
    return InferredKey(table, column, ref_table, ref_column, checked, matched)


def _ask(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...] | None:
    """Return the first row of a query; None if it takes too long or too much memory."""
    import duckdb

    deadline = threading.Timer(TIME, connection.interrupt)
    deadline.start()
    try:
        row: tuple[int, ...] = connection.execute(sql).fetchall()[0]
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        return None
    finally:
        deadline.cancel()
    return row


def _list_spellings(table: str) -> list[list[str]]:
    """List the words of a table's name and of its singulars, then the last word alone."""
    words = split_words(table)
    if not words:
        return []
    *first, last = words
    singulars = {last}
    if last.endswith("ies") and len(last) > 4:
        singulars.add(last[:-3] + "y")
    if last.endswith("es") and len(last) > 3:
        singulars.add(last[:-2])
    if last.endswith("s") and not last.endswith("ss") and len(last) > 2:
        singulars.add(last[:-1])
    spellings = [[*first, noun] for noun in sorted(singulars)]
    return spellings + [[noun] for noun in sorted(singulars)] if first else spellings
