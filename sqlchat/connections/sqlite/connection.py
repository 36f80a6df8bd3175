"""SQLite files, read through the standard library's sqlite3 in a worker process.

A session has all locks that the library offers: the file opened read-only by a quoted URI, `query_only`,
`trusted_schema` off, an authorizer that knows only reading, limits, and a progress handler as the first deadline; the
end of the process is the second.
"""

from __future__ import annotations

import functools
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, ClassVar
from urllib.parse import quote

from sqlchat.config import Settings
from sqlchat.connections.base import Results
from sqlchat.connections.embedded import (
    IN_MEMORY,
    EmbeddedConnection,
    Session,
    Target,
    collect,
    find_other_provider,
    quoted,
    timed_out,
)
from sqlchat.connections.plan import Plan
from sqlchat.connections.sqlite.catalog import read as read_catalog
from sqlchat.connections.sqlite.profile import profile_table
from sqlchat.connections.sqlite.revision import RevisionReader, is_resting
from sqlchat.connections.worker_streams import Sender
from sqlchat.errors import (
    ConnectionConfigError,
    DatabaseUnavailableError,
    QueryError,
    SQLRefusedError,
    UnknownNameError,
)
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

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
UNSAFE_JSON = re.compile(r"unsafe use of (json\w*|->>?)\(\)")
"""SQLite 3.38 to 3.40 refuse their own JSON functions in views and generated columns of a schema without trust."""
RTREES = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%USING rtree%'"
STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock: some tenths of a millisecond."""
LOCK_WAIT = 5.0
"""Seconds to wait for a writer that has the file locked, or half of the statement's time."""

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
UNKNOWN_NAME = re.compile("no such (table|column|function)")
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


class SQLiteSession(Session):
    def __init__(self, target: Target, timeout: float, connection: sqlite3.Connection) -> None:
        super().__init__(target, timeout)
        self._connection = connection
        self._authorizer = _Authorizer()

    @classmethod
    @contextmanager
    def open(cls, target: Target, timeout: float) -> Iterator[SQLiteSession]:
        refused = ""
        try:
            with closing(_open_database(target, min(LOCK_WAIT, timeout / 2))) as connection:
                session = cls(target, timeout, connection)
                try:
                    session._lock()
                    yield session
                finally:
                    refused = session._authorizer.refused
        except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as exc:
            raise _translate_error(exc, target, refused, timeout) from exc

    def _lock(self) -> None:
        connection = self._connection
        for pragma in SETUP:
            connection.execute(pragma)
        # before the locks: it reads the schema, in which a table may be wider than an answer, and an R*Tree
        # prepares the statements that would write to it when it is first named
        for (name,) in connection.execute(RTREES).fetchall():
            connection.execute(f"SELECT 1 FROM {quoted(name)} LIMIT 0")  # noqa: S608
        for limit, most in LIMITS.items():
            connection.setlimit(limit, most)
        connection.set_authorizer(self._authorizer)
        connection.set_progress_handler(lambda: time.monotonic() > self.until, STEPS)

    def read_catalog(self) -> Catalog:
        self._connection.text_factory = LENIENT
        return read_catalog(self._query, sqlite3.OperationalError)

    def run(self, sql: str, max_rows: int, max_bytes: int) -> Results:
        try:
            return self._read_results(sql, max_rows, max_bytes)
        except sqlite3.OperationalError as exc:
            if not str(exc).startswith("Could not decode to UTF-8"):
                raise
        # slower for every text, so only for a database that holds texts which are none
        self._connection.text_factory = LENIENT
        return self._read_results(sql, max_rows, max_bytes)

    def send(self, sql: str, max_rows: int, sender: Sender) -> None:
        from sqlchat.connections.sqlite.stream import send

        self._connection.text_factory = LENIENT
        send(self._select(sql), max_rows, sender, _name_type)

    def explain(self, sql: str) -> Plan:
        self._query(f"EXPLAIN QUERY PLAN {sql}")
        return Plan()  # SQLite keeps its estimates to itself

    def profile_table(self, table: Table) -> dict[Path, ColumnProfile]:
        self._connection.text_factory = LENIENT
        try:
            return profile_table(self._query, sqlite3.OperationalError, table)
        except sqlite3.DatabaseError as exc:
            if getattr(exc, "sqlite_errorcode", 0) & 0xFF in LOCKED | GONE:  # not the table's fault, and over soon
                raise
            return {}  # a virtual table whose module is missing, say

    def _query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._execute(sql, *values).fetchall()

    def _execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.OperationalError as exc:
            if not UNSAFE_JSON.search(str(exc)):
                raise
        self._connection.set_authorizer(None)
        self._connection.execute("PRAGMA trusted_schema=1")
        self._connection.set_authorizer(self._authorizer)
        return self._connection.execute(sql, values)

    def _select(self, sql: str) -> sqlite3.Cursor:
        cursor = self._execute(sql)
        if cursor.description is None:
            raise SQLRefusedError("This is no statement that gives rows.")
        return cursor

    def _read_results(self, sql: str, max_rows: int, max_bytes: int) -> Results:
        cursor = self._select(sql)
        kinds: list[set[type]] = [set() for _ in cursor.description]

        def note_types(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
            for kind, column in zip(kinds, zip(*rows, strict=True), strict=True):
                kind.update(map(type, column))
            return rows

        rows, count, truncated = collect(cursor.fetchmany, max_rows, max_bytes, note_types)
        columns = tuple(str(column[0]) for column in cursor.description)
        return Results(columns, tuple(map(_name_type, kinds)), rows, count, truncated)


def _open_database(target: Target, wait: float) -> sqlite3.Connection:
    if target.path == IN_MEMORY:
        return sqlite3.connect(IN_MEMORY, isolation_level=None)
    uri = f"file:{quote(target.path)}?mode=ro"
    connection = _connect(uri, wait)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1")
    except sqlite3.OperationalError as exc:
        connection.close()
        if exc.sqlite_errorcode & 0xFF not in GONE or not is_resting(target.path):
            raise
        # WAL needs a file beside the database, which a read-only folder refuses; where nobody has the database open
        # for writing there is nothing in a WAL to read
        return _connect(uri + "&immutable=1", wait)
    return connection


def _connect(uri: str, wait: float) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=wait, cached_statements=0)


def _translate_error(exc: Exception, target: Target, refused: str, timeout: float) -> Exception:
    code = getattr(exc, "sqlite_errorcode", 0)
    words = target.hide_path(str(exc))
    if refused and "not authorized" in words:
        return SQLRefusedError(refused)
    match code & 0xFF:
        case sqlite3.SQLITE_INTERRUPT:
            return timed_out(timeout)
        case sqlite3.SQLITE_NOTADB:
            known = find_other_provider("SQLite", target)
            return known or ConnectionConfigError(f"{target.shown!r} is not an SQLite database: {words}.")
        case found if found in LOCKED:
            return DatabaseUnavailableError("A writer has the database locked.", retry_after=1)
        case found if found in GONE:
            return DatabaseUnavailableError(f"The database file cannot be read: {words}.")
    if isinstance(exc, (sqlite3.ProgrammingError, sqlite3.Warning)):
        return SQLRefusedError(f"{words.rstrip('.')}.")
    kind = UnknownNameError if UNKNOWN_NAME.search(words) else QueryError
    return kind(words, error=getattr(exc, "sqlite_errorname", type(exc).__name__))


def _name_type(kinds: set[type]) -> str:
    """The storage class of a column of an answer: in SQLite a value has a type, and a column none of its own."""
    found = {STORAGE_CLASSES[kind] for kind in kinds if kind in STORAGE_CLASSES}
    if found == {"INTEGER", "REAL"}:
        return "NUMERIC"
    return found.pop() if len(found) == 1 else ""


class SQLiteConnection(EmbeddedConnection):
    """An SQLite file. `config`: `database`."""

    provider = "sqlite"
    dialect = "sqlite"
    engine = "SQLite"
    session: ClassVar[type[Session]] = SQLiteSession

    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        super().__init__(config, settings, workers)
        self._revisions = RevisionReader()

    def revision(self) -> object:
        """Changes when the file is another one, or its tables or views were changed."""
        return self._revisions.read(self._present().path)
