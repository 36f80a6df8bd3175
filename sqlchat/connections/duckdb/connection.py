"""Reads DuckDB files through the duckdb package in a worker process.

A session (`instance.py`) sees only its file, read-only. It reaches no other file, extension or Python object; its
memory and threads are limited, and its configuration is locked. DuckDB's own parser decides what kind of statement a
text is. A SELECT runs inside `query()`, which takes exactly one. Some functions ignore an interrupt, so at last the
process is killed.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from sqlchat.connections.duckdb.catalog import read as read_catalog
from sqlchat.connections.duckdb.instance import BESIDE, SYSTEM, open_session
from sqlchat.connections.duckdb.plan import read_plan
from sqlchat.connections.duckdb.profile import profile_table
from sqlchat.connections.duckdb.types import choose_reading, decode_rows, make_header
from sqlchat.connections.embedded import (
    FETCHED_AT_ONCE,
    IN_MEMORY,
    EmbeddedConnection,
    Session,
    Target,
    find_other_provider,
    read_stamp,
)
from sqlchat.connections.faults import make_statement_error, make_timeout_error
from sqlchat.connections.plan import Plan
from sqlchat.connections.results import Sink
from sqlchat.errors import (
    ConnectionConfigError,
    DatabaseUnavailableError,
    QueryError,
    SQLRefusedError,
    TooLargeError,
    UnknownNameError,
)
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Path

if TYPE_CHECKING:
    import duckdb

READING_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
NODE = re.compile(r'"type":"([A-Z_]+_NODE)"')
"""A node in the answer of `json_serialize_sql`, which escapes quotes within literals."""
READING_PRAGMA = re.compile(
    r"\s*pragma\s+(table_info|show_tables|show_tables_expanded|storage_info|database_size|version|collations)\b", re.I
)
EXPLAIN = re.compile(r"\s*explain\b(\s*\(\s*(analyze|format)\b[^()]*\)|\s+analyze\b)?", re.I)
PIVOT, COPY = re.compile(r"\bpivot\b", re.I), re.compile(r"\bcopy\b", re.I)
QUERY = re.compile(
    r"(?:[\s(]|--[^\n]*(?:\n|$)|/\*(?:[^*]|\*(?!/))*\*/)*(?:pivot|pivot_wider|with|from|select|describe|summarize)\b",
    re.I,
)
"""The beginning of a reading text with a PIVOT: parentheses and comments, then one of these words."""
PREFIX = re.compile(r"[\w ]+ Error: ")
LOCKED = re.compile(r"Could not set lock|Conflicting lock", re.I)
UNKNOWN_NAME = re.compile(r"does not exist|not found in FROM|referenced column", re.I)


class DuckDBSession(Session):
    def __init__(self, target: Target, timeout: float, connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(target, timeout)
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, target: Target, timeout: float) -> Iterator[DuckDBSession]:
        import duckdb

        with ExitStack() as stack:
            try:
                connection = stack.enter_context(open_session(target))
            except duckdb.Error as exc:
                raise _translate_opening(exc, target) from exc
            deadline = threading.Timer(timeout, connection.interrupt)
            stack.callback(deadline.cancel)
            deadline.start()
            try:
                yield cls(target, timeout, connection)
            except duckdb.Error as exc:
                raise _translate_error(exc, target, timeout) from exc

    def read_catalog(self) -> Catalog:
        return read_catalog(self._query)

    def send(self, sql: str, max_rows: int, sink: Sink) -> None:
        kind, statement = _read_statement(self._connection, sql)
        relation = _describe_columns(self._connection, kind, statement)
        sink.begin(make_header(relation.columns, relation.types))
        readings = [choose_reading(type, position) for position, type in enumerate(relation.types, 1)]
        selected = ", ".join(item.expression for item in readings)
        if kind == "SELECT":
            text = "'" + sql.replace("'", "''") + "'"
            self._connection.execute(f"SELECT {selected} FROM {SYSTEM}.query({text}) LIMIT {max_rows}")  # noqa: S608
            batches = iter(partial(self._connection.fetchmany, FETCHED_AT_ONCE), [])
        else:
            batches = iter([relation.project(selected).limit(max_rows).fetchall()])
        for batch in filter(None, batches):
            sink.put_values(decode_rows(readings, batch))

    def explain(self, sql: str) -> Plan:
        _read_statement(self._connection, sql)
        ((_, plan),) = self._query(f"EXPLAIN (FORMAT JSON) {sql}")
        return read_plan(plan)

    def profile_table(self, table: Table) -> dict[Path, ColumnProfile]:
        import duckdb

        with suppress(duckdb.Error):  # a type that cannot be compared, or the deadline
            return profile_table(self._query, table)
        return {}

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()


def _translate_opening(exc: duckdb.Error, target: Target) -> Exception:
    words = target.hide_path(_read_error_report(exc).get("exception_message", ""))
    if LOCKED.search(words):
        return DatabaseUnavailableError("Another process has the database open for writing.", retry_after=1)
    return find_other_provider("DuckDB", target) or ConnectionConfigError(
        f"{target.shown!r} cannot be opened as a DuckDB database: {words}"
    )


def _read_error_report(exc: Exception) -> dict[str, str]:
    """Read the JSON that `errors_as_json` puts behind the kind of the error."""
    words = str(exc)
    try:
        report: dict[str, str] = json.loads(words[words.index("{") :])
    except ValueError:
        return {"exception_message": PREFIX.sub("", words, count=1)}
    return report


def _translate_error(exc: duckdb.Error, target: Target, timeout: float) -> Exception:
    import duckdb

    report = _read_error_report(exc)
    words = target.hide_path(report.get("exception_message", str(exc)))
    match exc:
        case duckdb.InterruptException():
            return make_timeout_error(timeout)
        case duckdb.OutOfMemoryException():
            return TooLargeError("The query needs more memory than a worker process may take.")
        case duckdb.PermissionException():
            return SQLRefusedError(words)
    facts: dict[str, Any] = {"error": report.get("exception_type", type(exc).__name__)}
    if report.get("position", "").isdigit():
        facts["position"] = int(report["position"]) + 1
    return UnknownNameError(words, **facts) if UNKNOWN_NAME.search(words) else QueryError(words, **facts)


def _read_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[str, duckdb.Statement]:
    """Return the kind of the only statement of `sql`, and the statement. Raises SQLRefusedError unless it reads."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise SQLRefusedError(f"Exactly one statement may run; the text holds {len(statements) or 'none'}.")
    (statement,) = statements
    try:
        kind = statement.type.name
    except ValueError:  # the package does not know all kinds of its engine
        kind = ""
    if not _is_read_only(connection, kind, statement.query):
        raise SQLRefusedError("Only statements that read may run here.")
    return kind, statement


def _is_read_only(connection: duckdb.DuckDBPyConnection, kind: str, text: str) -> bool:
    """Whether the statement changes nothing.

    The read-only instance is not enough: a COPY, which may stand in a WITH, could write the database's own file.
    """
    match kind:
        case "SELECT":
            ((tree,),) = connection.execute(f"SELECT {SYSTEM}.json_serialize_sql(?)", [text]).fetchall()
            nodes = set(NODE.findall(tree))
            return bool(nodes) and nodes <= READING_NODES
        case "EXPLAIN":
            explain = EXPLAIN.match(text)
            return explain is not None and _read_statement(connection, text[explain.end() :])[0] == "SELECT"
        case "PRAGMA":
            return READING_PRAGMA.match(text) is not None
        case "MULTI":  # a PIVOT that first looks for its columns: it has no tree
            return bool(QUERY.match(text) and PIVOT.search(text) and not COPY.search(text))
    return False


def _describe_columns(
    connection: duckdb.DuckDBPyConnection, kind: str, statement: duckdb.Statement
) -> duckdb.DuckDBPyRelation:
    """Return the statement's columns. A SELECT does not run yet; another statement runs now."""
    import duckdb

    try:
        relation = connection.sql(statement)
    except duckdb.Error:
        if kind == "SELECT":
            connection.execute(statement)  # fails too, and tells the position
        raise
    if relation is None:
        raise make_statement_error()
    return relation


class DuckDBConnection(EmbeddedConnection):
    provider = "duckdb"
    dialect = "duckdb"
    engine = "DuckDB"
    session: ClassVar[type[Session]] = DuckDBSession

    def revision(self) -> object:
        """Return the stamps of the file and its WAL: any change may add a macro named like a built-in function."""
        path = self._present().path
        return None if path == IN_MEMORY else tuple(map(read_stamp, (path, path + BESIDE[1])))
