"""SQLite files, read through the standard library's sqlite3 in a worker process.

A session has all locks that the library offers: the file opened read-only by a quoted URI, `query_only`,
`trusted_schema` off, an authorizer that knows only reading, limits, and a progress handler as the first deadline; the
end of the process is the second.
"""

from __future__ import annotations

import functools
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, ClassVar
from urllib.parse import quote

from sqlchat.connections.base import Results
from sqlchat.connections.embedded import (
    IN_MEMORY,
    EmbeddedConnection,
    Profiled,
    Target,
    Tasks,
    belongs_to_another,
    collect,
    quoted,
    timed_out,
)
from sqlchat.connections.plan import Plan
from sqlchat.connections.sqlite.catalog import read as read_catalog
from sqlchat.connections.sqlite.profile import read as read_profiles
from sqlchat.connections.worker_streams import FOREVER, Sender
from sqlchat.errors import (
    ConnectionConfigError,
    DatabaseUnavailableError,
    QueryError,
    SQLRefusedError,
    UnknownNameError,
)
from sqlchat.sql.catalog import Catalog, Table

LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LENGTH: 10_000_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 500,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
SETUP = ("PRAGMA query_only=1", "PRAGMA trusted_schema=0", "PRAGMA cell_size_check=1", "PRAGMA temp_store=MEMORY")
RTREES = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%USING rtree%'"
STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock: some tenths of a millisecond."""
LOCK_WAIT = 5.0
"""Seconds to wait for a writer that has the file locked, or half of the statement's time."""
SCHEMA_COOKIE = slice(40, 44)
"""Bytes of a database file that change with its tables and views."""
WAL_VERSION = b"\x02\x02"
"""Bytes 18 and 19 of a database file in WAL mode."""

READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
FUNCTIONS_REFUSED = frozenset({"load_extension", "fts3_tokenizer", "writefile", "readfile", "edit", "sqlite_log"})
PRAGMAS_OF_A_NAME = frozenset(
    {
        *("table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo"),
        *("foreign_key_list", "foreign_key_check", "integrity_check", "quick_check"),
    }
)
PRAGMAS_PLAIN = PRAGMAS_OF_A_NAME | {
    *("application_id", "collation_list", "compile_options", "data_version", "encoding", "freelist_count"),
    *("function_list", "module_list", "page_count", "page_size", "pragma_list", "schema_version", "user_version"),
}
STORAGE_CLASSES = {int: "INTEGER", float: "REAL", str: "TEXT", bytes: "BLOB"}

LENIENT = functools.partial(str, encoding="utf-8", errors="replace")
"""Reads a text whose bytes are not UTF-8, which SQLite does not forbid."""
LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
GONE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY})


class _Authorizer:
    """Allows what reads; remembers what it refused, since SQLite's own words are "not authorized"."""

    def __init__(self) -> None:
        self.refused = ""

    def __call__(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action in READING:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            if (second or "").lower() not in FUNCTIONS_REFUSED:
                return sqlite3.SQLITE_OK
            self.refused = f"The function {second}() may not be called here."
        elif action == sqlite3.SQLITE_PRAGMA:
            if (first or "").lower() in (PRAGMAS_PLAIN if second is None else PRAGMAS_OF_A_NAME):
                return sqlite3.SQLITE_OK
            self.refused = f"PRAGMA {first} may not be used here."
        elif action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
            # asked whenever a virtual table is named, and never done: SQLite itself refuses to change this table
            return sqlite3.SQLITE_OK
        else:
            self.refused = "Only statements that read may run here."
        return sqlite3.SQLITE_DENY


@contextmanager
def _open_session(target: Target, timeout: float) -> Iterator[sqlite3.Connection]:
    """A locked connection for one task; the errors of what is done with it come out as ours."""
    authorizer = _Authorizer()
    try:
        with closing(_open_database(target, min(LOCK_WAIT, timeout / 2))) as connection:
            for pragma in SETUP:
                connection.execute(pragma)
            # before the locks: it reads the schema, in which a table may be wider than an answer, and an R*Tree
            # prepares the statements that would write to it when it is first named
            for (name,) in connection.execute(RTREES).fetchall():
                connection.execute(f"SELECT 1 FROM {quoted(name)} LIMIT 0")  # noqa: S608
            for limit, most in LIMITS.items():
                connection.setlimit(limit, most)
            connection.set_authorizer(authorizer)
            end = time.monotonic() + timeout
            connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
            yield connection
    except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as exc:
        raise _translate_error(exc, target, authorizer.refused, timeout) from exc


def _open_database(target: Target, wait: float) -> sqlite3.Connection:
    if target.path == IN_MEMORY:
        return sqlite3.connect(IN_MEMORY, isolation_level=None)
    uri = f"file:{quote(target.path)}?mode=ro"
    connection = _connect(uri, wait)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1")
    except sqlite3.OperationalError as exc:
        connection.close()
        if exc.sqlite_errorcode & 0xFF not in GONE or not _is_resting(target.path):
            raise
        # WAL needs a file beside the database, which a read-only folder refuses; where nobody has the database open
        # for writing there is nothing in a WAL to read
        return _connect(uri + "&immutable=1", wait)
    return connection


def _connect(uri: str, wait: float) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=wait, cached_statements=0)


def _is_resting(path: str) -> bool:
    """True for a database in WAL mode that no writer has open: the last one to close removes its WAL."""
    try:
        with open(path, "rb") as file:
            header = file.read(20)
        with open(path + "-wal", "rb") as wal:
            return not wal.read(1)
    except FileNotFoundError:
        return header[18:20] == WAL_VERSION
    except OSError:
        return False


def _translate_error(exc: Exception, target: Target, refused: str, timeout: float) -> Exception:
    code = getattr(exc, "sqlite_errorcode", 0)
    words = target.scrubbed(str(exc))
    if refused and "not authorized" in words:
        return SQLRefusedError(refused)
    match code & 0xFF:
        case sqlite3.SQLITE_INTERRUPT:
            return timed_out(timeout)
        case sqlite3.SQLITE_NOTADB:
            known = belongs_to_another("SQLite", target)
            return known or ConnectionConfigError(f"{target.shown!r} is not an SQLite database: {words}.")
        case found if found in LOCKED:
            return DatabaseUnavailableError("A writer has the database locked.", retry_after=1)
        case found if found in GONE:
            return DatabaseUnavailableError(f"The database file cannot be read: {words}.")
    if isinstance(exc, (sqlite3.ProgrammingError, sqlite3.Warning)):
        return SQLRefusedError(f"{words.rstrip('.')}.")
    kind = UnknownNameError if UNKNOWN_NAME.search(words) else QueryError
    return kind(words, error=getattr(exc, "sqlite_errorname", type(exc).__name__))


def _check(target: Target, timeout: float) -> None:
    with _open_session(target, timeout):
        pass


def _run(target: Target, sql: str, max_rows: int, max_bytes: int, timeout: float) -> Results:
    with _open_session(target, timeout) as connection:
        try:
            return _read_results(connection, sql, max_rows, max_bytes)
        except sqlite3.OperationalError as exc:
            if not str(exc).startswith("Could not decode to UTF-8"):
                raise
        # slower for every text, so only for a database that holds texts which are none
        connection.text_factory = LENIENT
        return _read_results(connection, sql, max_rows, max_bytes)


def _read_results(connection: sqlite3.Connection, sql: str, max_rows: int, max_bytes: int) -> Results:
    cursor = connection.execute(sql)
    if cursor.description is None:
        raise SQLRefusedError("This is no statement that gives rows.")
    kinds: list[set[type]] = [set() for _ in cursor.description]

    def noting_types(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        for kind, column in zip(kinds, zip(*rows, strict=True), strict=True):
            kind.update(map(type, column))
        return rows

    rows, count, truncated = collect(cursor.fetchmany, max_rows, max_bytes, noting_types)
    columns = tuple(str(column[0]) for column in cursor.description)
    return Results(columns, tuple(map(_name_type, kinds)), rows, count, truncated)


def _stream(target: Target, sql: str, max_rows: int, path: str) -> None:
    from sqlchat.connections.sqlite.stream import send

    with _open_session(target, FOREVER) as connection, Sender(path) as sender:
        connection.text_factory = LENIENT
        cursor = connection.execute(sql)
        if cursor.description is None:
            raise SQLRefusedError("This is no statement that gives rows.")
        send(cursor, max_rows, sender, _name_type)


def _name_type(kinds: set[type]) -> str:
    """The storage class of a column of an answer: in SQLite a value has a type, and a column none of its own."""
    found = {STORAGE_CLASSES[kind] for kind in kinds if kind in STORAGE_CLASSES}
    if found == {"INTEGER", "REAL"}:
        return "NUMERIC"
    return found.pop() if len(found) == 1 else ""


def _explain(target: Target, sql: str, timeout: float) -> Plan:
    with _open_session(target, timeout) as connection:
        connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    return Plan()  # SQLite keeps its estimates to itself


def _read_catalog(target: Target, timeout: float) -> Catalog:
    with _open_session(target, timeout) as connection:
        connection.text_factory = LENIENT
        return read_catalog(lambda sql, *values: connection.execute(sql, values).fetchall(), sqlite3.OperationalError)


def _read_profiles(target: Target, tables: Sequence[Table], timeout: float) -> Profiled:
    until = time.monotonic() + timeout
    with _open_session(target, timeout) as connection:
        connection.text_factory = LENIENT

        def rows(sql: str) -> list[tuple[Any, ...]]:
            try:
                return connection.execute(sql).fetchall()
            except sqlite3.DatabaseError as exc:
                code = getattr(exc, "sqlite_errorcode", 0)
                if code & 0xFF in LOCKED | GONE:  # not the table's fault, and over soon
                    raise _translate_error(exc, target, "", timeout) from exc
                raise

        return read_profiles(rows, sqlite3.DatabaseError, tables, until)


UNKNOWN_NAME = re.compile("no such (table|column|function)")


class SQLiteConnection(EmbeddedConnection):
    """An SQLite file. `config`: `database`."""

    provider = "sqlite"
    dialect = "sqlite"
    engine = "SQLite"
    tasks: ClassVar[Tasks] = Tasks(
        check=_check, catalog=_read_catalog, run=_run, stream=_stream, explain=_explain, profiles=_read_profiles
    )

    def revision(self) -> object:
        """Changes when the file is another one, or its tables or views were changed and are in the file itself."""
        path = self._present().path
        try:
            with open(path, "rb") as file:
                return os.fstat(file.fileno()).st_ino, file.read(SCHEMA_COOKIE.stop)[SCHEMA_COOKIE]
        except OSError:
            return None
