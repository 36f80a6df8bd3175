"""Read-only transactions on pooled sessions, in each of which one text was planned. For `connection.py` alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

import psycopg2
import psycopg2.extensions

from sqlchat.connections.faults import make_changed_error, make_lost_error, make_timeout_error
from sqlchat.connections.postgres.csv import Shape
from sqlchat.connections.postgres.definitions import CHANGED, ExpectedDefinitions
from sqlchat.connections.postgres.errors import is_within_function, make_config_error, make_query_error
from sqlchat.connections.postgres.rows import hang_up
from sqlchat.connections.postgres.session import Repeat, Session, connect
from sqlchat.connections.postgres.statement import OPEN_CONTEXT_LINES, Statement, write_prologue
from sqlchat.connections.servers.connection import ServerConnection
from sqlchat.connections.servers.pool import Pooled
from sqlchat.errors import ConnectionConfigError, DatabaseUnavailableError, QueryError, SqlchatError

NOTHING = Statement.read("SELECT 1")
WITHOUT_JIT = "SELECT pg_catalog.set_config(name, 'off', true) FROM pg_catalog.pg_settings WHERE name = 'jit'"
"""For our own questions about a large catalog: to compile them takes the server longer than to answer them."""
GRACE = 1.0
"""Seconds past its own timeout after which a server that still says nothing is hung up on."""


MOST_REPEATS = 50
"""Texts that a session remembers."""
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

        If it `repeats` what the session ran before, `session.repeat.opening` is still to be sent, before a COPY.
        """
        overdue = time.monotonic() + timeout + GRACE
        try:
            pooled, cursor = self._open_cursor(statement, timeout, repeats)
            deadline = get_session(cursor).deadline
            try:
                if statement is NOTHING:
                    cursor.execute(WITHOUT_JIT)
                yield cursor
            except psycopg2.Error as exc:
                raise self._translate_error(exc, cursor, statement, timeout) from exc
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
    ) -> tuple[Pooled, psycopg2.extensions.cursor]:
        while True:
            pooled = self._check_out()
            session = cast(Session, pooled.session)
            session.deadline = self._deadlines.start(timeout + GRACE, partial(hang_up, session))
            was_used, session.is_used, session.is_reset = session.is_used, True, False
            can_repeat = repeats and session.reads_texts_alike
            repeat = session.repeats.pop((statement.text, timeout, self._expected), None) if can_repeat else None
            try:
                cursor = session.cursor()
                if repeat is None:
                    self._send_opening(cursor, statement, timeout)
                elif not repeat.opening:
                    opening = cursor.mogrify(*self._write_opening(session, statement, timeout, is_described=True))
                    repeat = replace(repeat, opening=opening.decode())
                session.repeat = repeat
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

    def _send_opening(self, cursor: psycopg2.extensions.cursor, statement: Statement, timeout: float) -> None:
        try:
            cursor.execute(*self._write_opening(get_session(cursor), statement, timeout))
        except psycopg2.Error as exc:
            raise self._translate_error(exc, cursor, statement, timeout, context_lines=OPEN_CONTEXT_LINES) from exc

    def _write_opening(
        self, session: Session, statement: Statement, timeout: float, *, is_described: bool = False
    ) -> tuple[str, list[Any]]:
        return write_prologue(
            statement,
            session,
            timeout,
            search_path=self._search_path,
            caller=self._caller,
            expected=self._expected,
            is_described=is_described,
        )

    def _translate_repeated(
        self,
        exc: psycopg2.Error,
        cursor: psycopg2.extensions.cursor,
        statement: Statement,
        timeout: float,
        *,
        prefix: int,
    ) -> Exception:
        """Make the error of one message that opens the transaction and runs the statement; ResendError as well."""
        error = self._translate_error(
            exc, cursor, statement, timeout, prefix=prefix, context_lines=OPEN_CONTEXT_LINES
        )
        seconds_left = get_session(cursor).deadline.at - time.monotonic()
        was_dead = isinstance(error, DatabaseUnavailableError) and seconds_left > timeout
        is_otherwise = isinstance(error, QueryError) and str(error.facts.get("sqlstate", "")).startswith(NOT_AS_READ)
        return ResendError() if was_dead or is_otherwise else error

    def _remember_text(self, session: Session, statement: Statement, timeout: float, shape: Shape) -> None:
        if self._expected.fixes_columns and not session.is_lent:
            session.repeats[statement.text, timeout, self._expected] = session.repeat or Repeat(shape)
            if len(session.repeats) > MOST_REPEATS:
                del session.repeats[next(iter(session.repeats))]

    def _give_back(self, pooled: Pooled) -> None:
        session = cast(Session, pooled.session)
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

    def _translate_error(
        self,
        exc: psycopg2.Error,
        cursor: psycopg2.extensions.cursor,
        statement: Statement,
        timeout: float,
        *,
        prefix: int = 0,
        context_lines: int = 0,
    ) -> SqlchatError:
        """`prefix` characters stand before the text in what is sent; it runs within `context_lines` of ours."""
        if cursor.connection.closed or exc.pgcode in NO_USE:
            return make_lost_error()
        if context_lines and not exc.diag.context and CHANGED in (exc.diag.message_primary or ""):
            return make_changed_error()
        hides_message = bool(self._caller) and is_within_function(exc, statement.text, context_lines)
        return make_query_error(exc, statement.text, timeout, prefix, hides_message=hides_message)


def get_session(cursor: psycopg2.extensions.cursor) -> Session:
    return cast(Session, cursor.connection)


def ask(cursor: psycopg2.extensions.cursor, question: str, parameters: tuple[Any, ...] | None = None) -> str:
    """Run a question of our own and return its single text."""
    cursor.execute(question, parameters)
    row = cursor.fetchone()
    return str(row[0]) if row and row[0] is not None else "null"
