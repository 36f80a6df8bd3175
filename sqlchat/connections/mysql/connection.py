"""Reads MySQL and MariaDB over PyMySQL.

The protocol takes one statement at a time, which runs in a read-only transaction that is always rolled back. READ
ONLY allows SELECT ... INTO OUTFILE, so a query is first prepared inside `SELECT EXISTS (...)`, whose grammar takes
only a query. Apart from queries, only SHOW, DESCRIBE and EXPLAIN run. Comments that the server executes are refused.
The server ends a statement at its deadline; if it does not, another session kills it.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import partial
from typing import Any, Literal, cast

import pymysql

from sqlchat.config import Settings
from sqlchat.connections.faults import make_changed_error, make_statement_error, make_timeout_error
from sqlchat.connections.mysql import catalog as questions
from sqlchat.connections.mysql.errors import (
    CANNOT_CONNECT,
    UNEXPLAINED,
    VIEW_UNEXPLAINED,
    make_config_error,
    make_query_error,
)
from sqlchat.connections.mysql.plan import read_cost
from sqlchat.connections.mysql.profile import read_profiles
from sqlchat.connections.mysql.session import Raw, Session, connect
from sqlchat.connections.plan import Plan
from sqlchat.connections.results import Request, Sink
from sqlchat.connections.servers.config import read_server_config
from sqlchat.connections.servers.connection import (
    CATALOG_TIMEOUT,
    ServerConnection,
    cut_end,
    write_comment,
)
from sqlchat.connections.servers.pool import Pooled
from sqlchat.errors import ConnectionConfigError, SQLRefusedError
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

SSLMODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
GRACE = 0.5
"""Seconds after a timeout until we kill the statement, and then until we close the connection."""
EXECUTED_COMMENT = re.compile(r"/\*(!|M!|\+)")
PIECE = re.compile(
    r"""(?P<skipped>[\s;]+|--(?=\s|\Z)[^\n]*|\#[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)"""
    r"""|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|\w+|.""",
    re.DOTALL,
)
QUERIES = frozenset({"(", "select", "with", "values", "table"})
LISTINGS = frozenset({"show", "describe", "desc", "explain"})


class MySQLConnection(ServerConnection):
    provider = "mysql"
    dialect = "mysql"
    unconnected = (pymysql.Error, OSError, RuntimeError)  # the driver raises the last for a missing plugin

    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        target = read_server_config(config, schemes=("mysql", "mariadb", "mysql2"), port=3306, sslmodes=SSLMODES)
        self._set_up(target, settings)
        self._comparison = ""
        """SQL that compares tables and functions with those of the catalog; empty to compare nothing."""

    def _connect(self, address: str) -> Raw:
        return connect(self._target, address, self._settings.statement_timeout + CATALOG_TIMEOUT)

    def _explain_refusal(self, exc: Exception, *, near: bool) -> ConnectionConfigError:
        return make_config_error(*_read_fault(exc), password=self._target.password, near=near)

    def _read_warnings(self) -> tuple[list[str], bool]:
        with self._open_transaction(CATALOG_TIMEOUT) as session:
            warnings = questions.read_warnings(row[0] for row in session.fetch_all("SHOW GRANTS"))
            return warnings, any(row[1] for row in session.fetch_all("SHOW SESSION STATUS LIKE 'Ssl_cipher'"))

    def catalog(self) -> Catalog:
        with self._open_transaction(CATALOG_TIMEOUT) as session:
            answers = [session.fetch_all(question) for question in questions.QUESTIONS]
        return questions.read_catalog(answers, self._target.database)

    def expecting(
        self, catalog: Catalog, tables: Sequence[Table] = (), *, is_plain: bool = False, is_all: bool = False
    ) -> MySQLConnection:
        if is_plain:
            return self
        view = copy(self)
        view._comparison = questions.write_comparison(catalog, tables)
        return view

    def send(self, request: Request, sink: Sink) -> None:
        text, is_query = _read_statement(request.sql)
        with self._open_transaction(request.timeout) as session:
            self._prepare(session, text, is_query)
            if is_query:
                session.limit_rows(request.max_rows)
            if sink.is_streamed:
                session.end_time_limit()
            stop = partial(self._kill, "QUERY", session.thread_id)
            with sink.watch(stop, session.deadline, request.timeout + GRACE):
                session.cursor.execute(text + write_comment(request.tag))
                session.send_rows(request.max_rows, sink)

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        text, is_query = _read_statement(sql)
        if not is_query:
            return Plan()
        with self._open_transaction(self._settings.statement_timeout) as session:
            self._prepare(session, text, is_query)
            try:
                return Plan(read_cost(session.fetch_all(f"EXPLAIN FORMAT=JSON {text}")[0][0]))
            except pymysql.Error as exc:
                if _read_fault(exc)[0] != VIEW_UNEXPLAINED:
                    raise
                return Plan(no_cost_because=UNEXPLAINED)

    def read_profiles(self, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
        def answer(question: str, seconds: float) -> list[tuple[Any, ...]]:
            with self._open_transaction(seconds) as session:
                return session.fetch_all(question)

        return read_profiles(answer, catalog, timeout)

    def _prepare(self, session: Session, text: str, is_query: bool) -> None:
        """Compare definitions, and let the server parse a query. Raises CatalogChangedError."""
        if self._comparison and session.fetch_all(self._comparison) != [("1",)]:
            raise make_changed_error()
        if is_query:
            session.prepare(text)

    @contextlib.contextmanager
    def _open_transaction(self, timeout: float) -> Iterator[Session]:
        """Open a read-only transaction whose statements end after `timeout` seconds."""
        pooled, session = self._open_session(timeout)
        ended, hung_up = threading.Event(), threading.Event()

        def stop() -> None:
            self._kill("QUERY", session.thread_id)
            if not ended.wait(GRACE):  # a function may ignore a KILL
                hung_up.set()
                session.hang_up()
                self._kill("CONNECTION", session.thread_id)  # else the server would go on

        deadline = session.deadline = self._deadlines.start(timeout + GRACE, stop)
        try:
            yield session
        except (pymysql.Error, OSError) as exc:
            fault = make_timeout_error(timeout) if hung_up.is_set() else make_query_error(*_read_fault(exc), timeout)
            fault.place = self.place
            raise fault from exc
        finally:
            deadline.cancel()
            ended.set()
            self._give_back(pooled, session)

    def _open_session(self, timeout: float) -> tuple[Pooled, Session]:
        while True:
            pooled = self._check_out()
            session = pooled.info.get("session")
            is_fresh = session is None
            try:
                if session is None:
                    session = pooled.info["session"] = Session(cast(Raw, pooled.session))
                session.begin(timeout)
            except (pymysql.Error, OSError) as exc:
                pooled.invalidate()
                if is_fresh:
                    raise make_query_error(*_read_fault(exc), timeout) from exc
                continue  # it died in the pool: try the next
            return pooled, session

    def _give_back(self, pooled: Pooled, session: Session) -> None:
        try:
            if session.unread:
                self._kill("QUERY", session.thread_id)  # else `end` would read all rows
            session.end()
        except (pymysql.Error, OSError):
            session.forget_rows()
            pooled.invalidate()
        finally:
            pooled.close()

    def _kill(self, what: Literal["QUERY", "CONNECTION"], thread_id: str) -> None:
        """End a session's statement, or the session, from another session."""
        with (
            contextlib.suppress(pymysql.Error, OSError, ConnectionConfigError),
            contextlib.closing(self._connect(self._find_address())) as raw,
            raw.cursor() as cursor,
        ):
            cursor.execute(f"KILL {what} {int(thread_id)}")


def _read_statement(sql: str) -> tuple[str, bool]:
    """Return the text up to its end, and whether it begins like a query; else it begins with a word of LISTINGS.

    Raises SQLRefusedError for any other text.
    """
    text, first = cut_end(sql, PIECE)
    if EXECUTED_COMMENT.search(sql):
        raise SQLRefusedError("Comments that the server executes (/*!, /*M!, /*+) are not allowed.")
    if first not in QUERIES | LISTINGS:
        raise make_statement_error()
    return text, first in QUERIES


def _read_fault(exc: Exception) -> tuple[int, str]:
    """Return the error number and message of a driver's exception."""
    if isinstance(exc, pymysql.Error) and len(exc.args) >= 2 and isinstance(exc.args[0], int):
        return exc.args[0], str(exc.args[1])
    return (CANNOT_CONNECT if isinstance(exc, OSError) else 0), ""
