"""Reads SQLite files through the standard library's sqlite3 in a worker process.

A session uses all locks of the library: a quoted read-only URI, `query_only`, `trusted_schema` off, limits, and an
authorizer that allows only reading. A progress handler is the first deadline; the end of the process is the second.
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
from sqlchat.connections.embedded import (
    FETCHED_AT_ONCE,
    IN_MEMORY,
    EmbeddedConnection,
    Session,
    Target,
    find_other_provider,
    quoted,
)
from sqlchat.connections.faults import make_statement_error, make_timeout_error
from sqlchat.connections.plan import Plan
from sqlchat.connections.results import Header, Results, Sink
from sqlchat.connections.sqlite.catalog import read as read_catalog
from sqlchat.connections.sqlite.profile import profile_table
from sqlchat.connections.sqlite.revision import RevisionReader, is_resting
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
"""SQLite 3.38 to 3.40 refuse their own JSON functions in views and generated columns if the schema is not trusted."""
RTREES = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%USING rtree%'"
STEPS = 10_000
"""Instructions of SQLite's machine between two checks of the time: some tenths of a millisecond."""
LOCK_WAIT = 5.0
"""Most seconds to wait for a writer that has the file locked; at most half of the statement's time."""

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
ARROW_TYPES = {"INTEGER": "int64", "REAL": "float64", "NUMERIC": "float64", "BLOB": "binary"}
"""Arrow's type of a column by the storage class of its first rows; all others are text."""
STORAGE_CLASSES = {int: "INTEGER", float: "REAL", str: "TEXT", bytes: "BLOB"}

LENIENT = functools.partial(str, encoding="utf-8", errors="replace")
"""Decodes a text whose bytes may not be UTF-8: SQLite allows any bytes."""
UNKNOWN_NAME = re.compile("no such (table|column|function)")
LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
GONE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY})


class _Authorizer:
    """Allows reading. Remembers why it refused something: SQLite's error says only "not authorized"."""

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
            # SQLite asks this for each virtual table, but never changes sqlite_master
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
        # before the limits: it reads the schema, which may have wide tables, and lets each R*Tree prepare writes
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
            return super().run(sql, max_rows, max_bytes)
        except sqlite3.OperationalError as exc:
            if not str(exc).startswith("Could not decode to UTF-8"):
                raise
        # only for a database with broken texts, since it slows every text
        self._connection.text_factory = LENIENT
        return super().run(sql, max_rows, max_bytes)

    def send(self, sql: str, max_rows: int, sink: Sink) -> None:
        if sink.is_streamed:
            self._connection.text_factory = LENIENT
        cursor = self._execute(sql)
        if cursor.description is None:
            raise make_statement_error()
        rows = cursor.fetchmany(min(FETCHED_AT_ONCE, max_rows))
        kinds: list[set[type]] = [set() for _ in cursor.description]
        _note_kinds(kinds, rows)
        sink.begin(make_header([str(column[0]) for column in cursor.description], kinds))
        while rows:
            sink.put_values(rows)
            max_rows -= len(rows)
            rows = cursor.fetchmany(min(FETCHED_AT_ONCE, max_rows)) if max_rows else []
            _note_kinds(kinds, rows if not sink.is_streamed else ())
        sink.correct_types(tuple(map(_name_type, kinds)))

    def explain(self, sql: str) -> Plan:
        self._query(f"EXPLAIN QUERY PLAN {sql}")
        return Plan()  # SQLite shows no estimates

    def profile_table(self, table: Table) -> dict[Path, ColumnProfile]:
        self._connection.text_factory = LENIENT
        try:
            return profile_table(self._query, sqlite3.OperationalError, table)
        except sqlite3.DatabaseError as exc:
            if getattr(exc, "sqlite_errorcode", 0) & 0xFF in LOCKED | GONE:  # a problem of the file, over soon
                raise
            return {}  # a virtual table whose module is missing, for instance

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
        # WAL needs a file beside the database, which a read-only folder refuses; without a writer, the WAL is empty
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
            return make_timeout_error(timeout)
        case sqlite3.SQLITE_NOTADB:
            other = find_other_provider("SQLite", target)
            return other or ConnectionConfigError(f"{target.shown!r} is not an SQLite database: {words}.")
        case primary if primary in LOCKED:
            return DatabaseUnavailableError("A writer has the database locked.", retry_after=1)
        case primary if primary in GONE:
            return DatabaseUnavailableError(f"The database file cannot be read: {words}.")
    if isinstance(exc, (sqlite3.ProgrammingError, sqlite3.Warning)):
        return SQLRefusedError(f"{words.rstrip('.')}.")
    kind = UnknownNameError if UNKNOWN_NAME.search(words) else QueryError
    return kind(words, error=getattr(exc, "sqlite_errorname", type(exc).__name__))


def _note_kinds(kinds: Sequence[set[type]], rows: Sequence[Sequence[Any]]) -> None:
    for kind, column in zip(kinds, zip(*rows, strict=True), strict=False):
        kind.update(map(type, column))


def make_header(columns: Sequence[str], kinds: Sequence[set[type]]) -> Header:
    """Describe columns by the types of their values: in SQLite a column has no type."""
    types = tuple(map(_name_type, kinds))
    return Header(
        columns=tuple(columns),
        types=types,
        arrow=tuple(ARROW_TYPES.get(name, "string") for name in types),
        is_document=(False,) * len(types),
    )


def _name_type(kinds: set[type]) -> str:
    """Return the storage class of a column, from the types of its values."""
    classes = {STORAGE_CLASSES[kind] for kind in kinds if kind in STORAGE_CLASSES}
    if classes == {"INTEGER", "REAL"}:
        return "NUMERIC"
    return classes.pop() if len(classes) == 1 else ""


class SQLiteConnection(EmbeddedConnection):
    provider = "sqlite"
    dialect = "sqlite"
    engine = "SQLite"
    session: ClassVar[type[Session]] = SQLiteSession

    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        super().__init__(config, settings, workers)
        self._revisions = RevisionReader()

    def revision(self) -> object:
        """Return a value that changes if the file is replaced, or its tables or views change."""
        return self._revisions.read(self._present().path)
