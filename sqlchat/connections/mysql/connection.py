"""MySQL and MariaDB over PyMySQL.

How a stranger's text is held: the protocol takes one statement at a time, in a read-only transaction that is always
rolled back. READ ONLY does not stop SELECT ... INTO OUTFILE, so a query must first let itself be prepared inside
`SELECT EXISTS (...)`, where nothing but a query may stand; else only SHOW, DESCRIBE and EXPLAIN run. Comments that
the server executes are refused. Past its deadline a statement is ended by the server, or else from outside.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal, cast

import pymysql
import sqlalchemy.exc
from sqlalchemy.pool import PoolProxiedConnection

from sqlchat.config import Settings
from sqlchat.connections.base import Connection, Results
from sqlchat.connections.mysql import catalog as ask
from sqlchat.connections.mysql.errors import (
    NOBODY_THERE,
    UNEXPLAINED,
    VIEW_UNEXPLAINED,
    make_config_error,
    make_query_error,
    make_timeout_error,
)
from sqlchat.connections.mysql.plan import read_cost as plan_cost
from sqlchat.connections.mysql.profile import read as read_profiles
from sqlchat.connections.mysql.session import Raw, Session, connect
from sqlchat.connections.plan import Plan
from sqlchat.connections.servers.config import read_server_config
from sqlchat.connections.servers.deadlines import Deadlines
from sqlchat.connections.servers.network import resolve
from sqlchat.connections.servers.pool import UNENCRYPTED, make_pool
from sqlchat.connections.streams import Feed, Stream, open_feed
from sqlchat.errors import (
    BusyError,
    ConnectionConfigError,
    DatabaseUnavailableError,
    SQLRefusedError,
)
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

SSLMODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
CATALOG_TIMEOUT = 60.0
GRACE = 0.5
"""Seconds past its own timeout after which a statement is ended from outside, and then again until we hang up."""
WAITING_READER = 1e6
"""Seconds that we wait for whoever reads the rows, which the reader limits."""
EXECUTED_COMMENT = re.compile(r"/\*(!|M!|\+)")
PIECE = re.compile(
    r"""(?P<skipped>[\s;]+|--(?=\s|\Z)[^\n]*|\#[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)"""
    r"""|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|\w+|.""",
    re.DOTALL,
)
QUERIES = frozenset({"(", "select", "with", "values", "table"})
TOLD = frozenset({"show", "describe", "desc", "explain"})
SAFE_TAG = re.compile(r"[^\w.:-]", re.ASCII)


class MySQLConnection(Connection):
    provider = "mysql"
    dialect = "mysql"

    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        self._target = read_server_config(
            config, schemes=("mysql", "mariadb", "mysql2"), port=3306, sslmodes=SSLMODES
        )
        self.place = self._target.place
        self._settings = settings
        self._patience = settings.statement_timeout + CATALOG_TIMEOUT
        self._pool = make_pool(settings, self._connect)
        self._deadlines = Deadlines()

    def check(self) -> list[str]:
        address = self._find_address()
        near = ipaddress.ip_address(address).is_private
        try:
            connect(self._target, address, self._patience).close()
        except (pymysql.Error, OSError, RuntimeError) as exc:  # the driver's word for what plugins it lacks
            raise make_config_error(*_read_fault(exc), password=self._target.password, near=near) from exc
        with self._open_transaction(CATALOG_TIMEOUT) as session:
            warnings = ask.read_warnings(row[0] for row in session.fetch_all("SHOW GRANTS"))
            encrypted = any(row[1] for row in session.fetch_all("SHOW SESSION STATUS LIKE 'Ssl_cipher'"))
        if not (encrypted or near):
            warnings.append(UNENCRYPTED)
        return warnings

    def catalog(self) -> Catalog:
        with self._open_transaction(CATALOG_TIMEOUT) as session:
            answers = [session.fetch_all(each) for each in ask.QUESTIONS]
        return ask.read_catalog(answers, self._target.database)

    def run(self, sql: str, *, max_rows: int, timeout: float, tag: str = "") -> Results:
        text, is_query = _read_statement(sql)
        with self._open_transaction(timeout) as session:
            if is_query:
                session.prepare(text)
                session.limit_rows(max_rows + 1)
            cursor = session.cursor
            cursor.execute(text + _write_comment(tag))
            fields = session.read_columns()
            rows = session.read_rows(fields, max_rows + 1, self._settings.max_result_mb)
        kept = rows[:max_rows]
        return Results(
            columns=tuple(field.name for field in fields),
            types=tuple(field.type for field in fields),
            rows=b"[" + b",".join(kept) + b"]",
            row_count=len(kept),
            truncated=len(rows) > max_rows,
        )

    def stream(self, sql: str, *, max_rows: int, idle: float, tag: str = "") -> Stream:
        judged = _read_statement(sql)
        return open_feed(lambda feed: self._send(feed, judged, max_rows, idle, tag), lambda batch, _: batch)

    def _send(self, feed: Feed, judged: tuple[str, bool], max_rows: int, idle: float, tag: str) -> None:
        """Put a header and the rows into the feed."""
        text, is_query = judged
        from sqlchat.connections.mysql.stream import make_header, send

        with self._open_transaction(idle) as session, feed.breakable(partial(self._kill, "QUERY", session.thread_id)):
            if is_query:
                session.prepare(text)
                session.limit_rows(max_rows)
            session.end_time_limit()
            session.cursor.execute(text + _write_comment(tag))
            fields = session.read_columns()
            feed.put(make_header(fields, session.has_zone))

            def put(batch: Any) -> None:
                session.deadline.renew(WAITING_READER)
                feed.put(batch)
                session.deadline.renew(idle + GRACE)

            send(session, fields, max_rows, put)

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        text, is_query = _read_statement(sql)
        if not is_query:
            return Plan()
        with self._open_transaction(self._settings.statement_timeout) as session:
            session.prepare(text)
            try:
                return Plan(plan_cost(session.fetch_all(f"EXPLAIN FORMAT=JSON {text}")[0][0]))
            except pymysql.Error as exc:
                if _read_fault(exc)[0] != VIEW_UNEXPLAINED:
                    raise
                return Plan(withheld=UNEXPLAINED)

    def profiles(self, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
        def answer(question: str, seconds: float) -> list[tuple[Any, ...]]:
            with self._open_transaction(seconds) as session:
                return session.fetch_all(question)

        return read_profiles(answer, catalog, timeout)

    def close(self) -> None:
        self._pool.dispose()

    @contextlib.contextmanager
    def _open_transaction(self, timeout: float) -> Iterator[Session]:
        """A session in a read-only transaction, whose statements end after `timeout` seconds."""
        pooled, session = self._open_session(timeout)
        ended, hung_up = threading.Event(), threading.Event()

        def stop() -> None:
            self._kill("QUERY", session.thread_id)
            if not ended.wait(GRACE):  # a function that hears nothing until it is done
                hung_up.set()
                session.hang_up()
                self._kill("CONNECTION", session.thread_id)  # the server does not notice, and would go on

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

    def _open_session(self, timeout: float) -> tuple[PoolProxiedConnection, Session]:
        while True:
            pooled = self._check_out()
            session = pooled.info.get("session")
            fresh = session is None
            try:
                if session is None:
                    session = pooled.info["session"] = Session(cast(Raw, pooled.dbapi_connection))
                session.begin(timeout)
            except (pymysql.Error, OSError) as exc:
                pooled.invalidate()
                if fresh:
                    raise make_query_error(*_read_fault(exc), timeout) from exc
                continue  # it died while it lay in the pool, which is no news: try the next
            return pooled, session

    def _check_out(self) -> PoolProxiedConnection:
        try:
            return self._pool.connect()
        except sqlalchemy.exc.TimeoutError as exc:
            raise BusyError("All connections to this database are in use.", retry_after=1) from exc
        except (pymysql.Error, OSError, RuntimeError) as exc:
            raise DatabaseUnavailableError(
                "The database cannot be reached at the moment.", retry_after=5, place=self.place
            ) from exc
        except ConnectionConfigError as exc:
            raise DatabaseUnavailableError(
                "The database's host cannot be reached from here.", retry_after=5, place=self.place
            ) from exc

    def _give_back(self, pooled: PoolProxiedConnection, session: Session) -> None:
        try:
            if session.unread:
                self._kill("QUERY", session.thread_id)  # else giving it back would read all the rest first
            session.end()
        except (pymysql.Error, OSError):
            session.forget_rows()
            pooled.invalidate()
        finally:
            pooled.close()

    def _kill(self, what: Literal["QUERY", "CONNECTION"], thread_id: str) -> None:
        """End a session's statement, or all of it, from another session."""
        with (
            contextlib.suppress(pymysql.Error, OSError, ConnectionConfigError),
            contextlib.closing(self._connect()) as raw,
            raw.cursor() as cursor,
        ):
            cursor.execute(f"KILL {what} {int(thread_id)}")

    def _connect(self) -> Raw:
        return connect(self._target, self._find_address(), self._patience)

    def _find_address(self) -> str:
        return resolve(self._target.host, self._target.port, self._settings.reaches_private_hosts)


def _read_statement(sql: str) -> tuple[str, bool]:
    """The text without what follows its end, and whether it begins like a query; else it only asks to be told.

    Raises SQLRefusedError for all else. Mistaking where it ends is harmless: what is prepared and what runs is the
    same text, and the server takes one statement at a time.
    """
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise SQLRefusedError("The SQL is not valid Unicode.") from None
    if EXECUTED_COMMENT.search(sql):
        raise SQLRefusedError("Comments that the server executes (/*!, /*M!, /*+) are not allowed.")
    first, end = "", 0
    for piece in PIECE.finditer(sql):
        if piece["skipped"] is None:
            first = first or piece[0].lower()
            end = piece.end()
    if first not in QUERIES | TOLD:
        raise SQLRefusedError("Only one statement that returns rows can be run.")
    return sql[:end], first in QUERIES


def _write_comment(tag: str) -> str:
    return f" /* sqlchat {SAFE_TAG.sub('', tag)[:80]} */" if tag else ""


def _read_fault(exc: Exception) -> tuple[int, str]:
    """Return the error number and message of a driver's exception."""
    if isinstance(exc, pymysql.Error) and len(exc.args) >= 2 and isinstance(exc.args[0], int):
        return exc.args[0], str(exc.args[1])
    return (NOBODY_THERE if isinstance(exc, OSError) else 0), ""
