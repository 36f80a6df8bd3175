"""Read-only transactions on pooled sessions, in each of which one text was planned. For `connection.py` alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, cast

import psycopg2
import psycopg2.extensions
from sqlalchemy.pool import PoolProxiedConnection

from sqlchat.connections.faults import make_changed_error, make_lost_error, make_timeout_error
from sqlchat.connections.postgres.csv import Shape
from sqlchat.connections.postgres.definitions import CHANGED, ExpectedDefinitions
from sqlchat.connections.postgres.errors import is_within_function, make_config_error, make_query_error
from sqlchat.connections.postgres.rows import hang_up
from sqlchat.connections.postgres.session import Session, connect
from sqlchat.connections.postgres.statement import OPEN_CONTEXT_LINES, Statement, write_prologue
from sqlchat.connections.servers.connection import ServerConnection
from sqlchat.errors import ConnectionConfigError, DatabaseUnavailableError, QueryError

NOTHING = Statement.read("SELECT 1")
WITHOUT_JIT = "SELECT pg_catalog.set_config(name, 'off', true) FROM pg_catalog.pg_settings WHERE name = 'jit'"
"""For our own questions about a large catalog: to compile them takes the server longer than to answer them."""
GRACE = 1.0
"""Seconds past its own timeout after which a server that still says nothing is hung up on."""


MOST_SHAPES = 50
"""Texts whose columns a session remembers."""
NOT_AS_READ = "42"
"""The class of SQLSTATEs of names and types that are not as they were."""
NO_USE = frozenset({None, "26000"})
"""SQLSTATEs of a session that is of no use any more: none at all, and one without our prepared statements."""


class ResendError(Exception):
    """A statement is to be sent again, in two messages: its session was dead, or names mean something else now."""


class TransactingConnection(ServerConnection):
    unconnected = (psycopg2.Error,)
    _search_path = ""
    _caller: Mapping[str, str] = {}
    """Settings by which the database knows whom a query runs for."""
    _expected = ExpectedDefinitions()

    def _connect(self, address: str) -> Session:
        return connect(self._target, address)

    def _explain_refusal(self, exc: Exception, *, near: bool) -> ConnectionConfigError:
        return make_config_error(str(exc), self._target.password, near=near)

    @contextlib.contextmanager
    def _open_transaction(
        self, statement: Statement, timeout: float, *, repeats: bool = False
    ) -> Iterator[psycopg2.extensions.cursor]:
        """A cursor in a read-only transaction in which `statement` was planned, whose columns it describes.

        If it `repeats` what the session ran before, `session.opening` is still to be sent, before a COPY.
        """
        overdue = time.monotonic() + timeout + GRACE
        try:
            pooled, cursor = self._open_cursor(statement, timeout, repeats)
            deadline = get_session(cursor).deadline
            try:
                with self._translate_errors(cursor, statement, timeout):
                    if statement is NOTHING:
                        cursor.execute(WITHOUT_JIT)
                    yield cursor
            finally:
                overdue = deadline.at
                deadline.cancel()
                self._give_back(pooled)
        except DatabaseUnavailableError as exc:
            exc.place = self.place
            if time.monotonic() < overdue:
                raise
            raise make_timeout_error(timeout) from exc  # it was we who hung up

    def _open_cursor(
        self, statement: Statement, timeout: float, repeats: bool
    ) -> tuple[PoolProxiedConnection, psycopg2.extensions.cursor]:
        while True:
            pooled = self._check_out()
            session = cast(Session, pooled.dbapi_connection)
            session.deadline = self._deadlines.start(timeout + GRACE, partial(hang_up, session))
            was_used, session.is_used, session.is_reset = session.is_used, True, False
            session.shape = None
            if repeats and session.reads_texts_alike:
                session.shape = session.shapes.pop((statement.text, self._expected), None)
            try:
                cursor = session.cursor()
                with self._translate_errors(cursor, statement, timeout, context_lines=OPEN_CONTEXT_LINES):
                    opening = write_prologue(
                        statement,
                        session,
                        timeout,
                        search_path=self._search_path,
                        caller=self._caller,
                        expected=self._expected,
                        is_described=session.shape is not None,
                    )
                    if session.shape is None:
                        cursor.execute(*opening)
                    else:
                        session.opening = cursor.mogrify(*opening).decode()
            except DatabaseUnavailableError:
                session.deadline.cancel()
                pooled.invalidate()
                if not was_used or session.deadline.has_passed:
                    raise  # else it died while it lay in the pool, which is no news: try the next
            except BaseException:
                session.deadline.cancel()
                self._give_back(pooled)
                raise
            else:
                return pooled, cursor

    @contextlib.contextmanager
    def _translate_repeated(
        self, cursor: psycopg2.extensions.cursor, statement: Statement, timeout: float, prefix: int
    ) -> Iterator[None]:
        """Around one message that opens the transaction and runs the statement. Raises ResendError as well."""
        started = time.monotonic()
        try:
            with self._translate_errors(cursor, statement, timeout, prefix, OPEN_CONTEXT_LINES):
                yield
        except (DatabaseUnavailableError, QueryError) as exc:
            was_dead = isinstance(exc, DatabaseUnavailableError) and time.monotonic() - started < GRACE
            if was_dead or str(exc.facts.get("sqlstate", "")).startswith(NOT_AS_READ):
                raise ResendError from exc
            raise

    def _remember_shape(self, session: Session, statement: Statement, shape: Shape) -> None:
        if self._expected.fixes_columns and not session.is_lent:
            session.shapes[statement.text, self._expected] = shape
            if len(session.shapes) > MOST_SHAPES:
                del session.shapes[next(iter(session.shapes))]

    def _give_back(self, pooled: PoolProxiedConnection) -> None:
        session = cast(Session, pooled.dbapi_connection)
        if not session.is_reset:
            deadline = self._deadlines.start(GRACE, partial(hang_up, session))
            try:
                with session.cursor() as cursor:
                    cursor.execute(session.epilogue)
            except psycopg2.Error:
                pooled.invalidate()
            finally:
                deadline.cancel()
        pooled.close()

    @contextlib.contextmanager
    def _translate_errors(
        self,
        cursor: psycopg2.extensions.cursor,
        statement: Statement,
        timeout: float,
        prefix: int = 0,
        context_lines: int = 0,
    ) -> Iterator[None]:
        """`prefix` characters stand before the text in what is sent; it runs within `context_lines` of ours."""
        try:
            yield
        except psycopg2.Error as exc:
            if cursor.connection.closed or exc.pgcode in NO_USE:
                raise make_lost_error() from exc
            if context_lines and not exc.diag.context and CHANGED in (exc.diag.message_primary or ""):
                raise make_changed_error() from exc
            hides_message = bool(self._caller) and is_within_function(exc, statement.text, context_lines)
            raise make_query_error(exc, statement.text, timeout, prefix, hides_message=hides_message) from exc


def get_session(cursor: psycopg2.extensions.cursor) -> Session:
    return cast(Session, cursor.connection)


def ask(cursor: psycopg2.extensions.cursor, question: str, parameters: tuple[Any, ...] | None = None) -> str:
    """Run a question of our own and return its single text."""
    cursor.execute(question, parameters)
    row = cursor.fetchone()
    return str(row[0]) if row and row[0] is not None else "null"
