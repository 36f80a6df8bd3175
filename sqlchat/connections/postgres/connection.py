"""Postgres over psycopg2: the one module that holds a user's Postgres.

How a stranger's text is held: in a read-only transaction, after a query (which makes SET TRANSACTION READ WRITE
fail), a DO block opens a cursor for the text, so the server itself refuses several statements and whatever gives no
rows. A plain query that so passed runs inside `COPY (SELECT ... FROM (text) LIMIT n) TO STDOUT`: one statement by
itself, it is one in these parentheses, and unlike a cursor's FETCH this keeps parallel plans, tells the planner the
limit, and streams. EXPLAIN and SHOW are fetched from the cursor. Always ROLLBACK, then a reset of what survives it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg2
import psycopg2.extensions

from sqlchat.config import Settings
from sqlchat.connections.plan import Plan
from sqlchat.connections.postgres import catalog as questions
from sqlchat.connections.postgres import own_functions, own_objects, rls
from sqlchat.connections.postgres.csv import Shape, quote_no_numbers, write_json_rows
from sqlchat.connections.postgres.definitions import VERSION, ExpectedDefinitions
from sqlchat.connections.postgres.profile import read_profiles
from sqlchat.connections.postgres.rows import CsvLines, fetch_rows, hang_up, hold_back, open_csv_blocks, read_typed
from sqlchat.connections.postgres.statement import Statement, list_schemas, read_cost, read_search_path
from sqlchat.connections.postgres.transaction import (
    GRACE,
    NOTHING,
    ResendError,
    TransactingConnection,
    ask,
    get_session,
)
from sqlchat.connections.postgres.types import PgType
from sqlchat.connections.results import Request, RowBatches, Sink
from sqlchat.connections.servers.config import read_server_config
from sqlchat.connections.servers.connection import CATALOG_TIMEOUT
from sqlchat.errors import ConnectionConfigError, QueryError, SQLRefusedError, TooLargeError, UnauthorizedError
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
ANONYMOUS = "This connection answers each caller by row-level security: send a token to say who you are."


class PostgresConnection(TransactingConnection):
    provider = "postgres"
    dialect = "postgres"

    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        self._row_security = rls.read_row_security(config)
        self._allowed = own_functions.read_names(config)
        self._caller = self._row_security.list_settings({}) if self._row_security else {}
        self._claims: Mapping[str, Any] | None = None
        target = read_server_config(
            config,
            schemes=("postgresql", "postgres", "postgis", "pgsql"),
            port=5432,
            sslmodes=SSLMODES,
            schema=True,
            others=(*rls.FIELDS, *own_functions.FIELDS),
        )
        self._search_path = read_search_path(target.schema)
        self._set_up(target, settings)
        self._types: dict[int, PgType] = {}

    def _read_warnings(self) -> tuple[list[str], bool]:
        try:
            with self._open_transaction(NOTHING, CATALOG_TIMEOUT) as cursor:
                warnings = questions.read_warnings(
                    ask(cursor, questions.RIGHTS), ask(cursor, own_objects.VOLATILE_OWN)
                )
                if schemas := list_schemas(self._search_path):
                    warnings += questions.find_unusable(ask(cursor, questions.UNUSABLE, (schemas,)), schemas)
                warnings += own_functions.describe_functions(self._read_own_functions(cursor), self._allowed)
                if self._row_security:
                    warnings += self._row_security.read_warnings(ask(cursor, rls.RIGHTS))
                return warnings, get_session(cursor).info.ssl_in_use
        except QueryError as exc:
            raise ConnectionConfigError(f"The role cannot be used: {exc.detail}") from exc

    def catalog(self) -> Catalog:
        with self._open_transaction(NOTHING, CATALOG_TIMEOUT) as cursor:
            # first: what is made meanwhile then counts as a change
            definitions = ask(cursor, questions.PLANNING + VERSION)
            catalog = questions.read_catalog(
                *(ask(cursor, each) for each in (questions.TABLES, own_objects.FUNCTIONS, questions.SEARCH_PATH))
            )
            own = own_functions.list_allowed(self._read_own_functions(cursor), self._allowed)
        return replace(catalog, functions=(catalog.functions or frozenset()) | own, definitions=definitions)

    def expecting(
        self, catalog: Catalog, tables: Sequence[Table] = (), *, is_plain: bool = False, is_all: bool = False
    ) -> PostgresConnection:
        view = copy(self)
        view._expected = ExpectedDefinitions.read("" if is_plain else catalog.definitions, tables, is_all)
        return view

    def for_caller(self, claims: Mapping[str, Any] | None) -> PostgresConnection:
        if not self._row_security:
            return self
        if not claims:
            raise UnauthorizedError(ANONYMOUS)
        view = copy(self)  # over the same pool
        view._claims, view._caller = claims, self._row_security.list_settings(claims)
        return view

    def send(self, request: Request, sink: Sink) -> None:
        statement = self._read_statement(request.sql)
        try:
            self._send(statement, request, sink, repeats=not (self._caller or sink.is_streamed))
        except ResendError:
            self._send(statement, request, sink, repeats=False)

    def _send(self, statement: Statement, request: Request, sink: Sink, *, repeats: bool) -> None:
        timeout, largest = request.timeout, self._settings.max_result_mb << 20
        with self._open_transaction(statement, timeout, repeats=repeats) as cursor:
            session = get_session(cursor)
            repeat = session.repeat
            shape = repeat.shape if repeat else self._describe(cursor, statement)
            if sink.is_streamed:
                cursor.execute("SET LOCAL statement_timeout = 0")  # what holds from here on is the deadline
            with (
                sink.watch(partial(hang_up, session), session.deadline, timeout + GRACE),
                self._open_rows(cursor, statement, request, sink, shape) as rows,
            ):
                if not shape.is_copied:
                    for row in fetch_rows(cursor, request.max_rows, request.tag):
                        rows.write(row)
                    return
                then = "" if self._caller else session.epilogue  # else the transaction is asked who the caller was
                text, prefix = statement.write_copy(shape, request.max_rows, largest, tag=request.tag, then=then)
                if repeat:
                    text, prefix = f"{repeat.opening}; {text}", len(repeat.opening) + 2 + prefix
                translate = self._translate_repeated if repeat else self._translate_error
                try:
                    cursor.copy_expert(text, rows)
                except psycopg2.Error as exc:
                    raise translate(exc, cursor, statement, timeout, prefix=prefix) from exc
                session.is_reset = bool(then)
                self._remember_text(session, statement, timeout, shape)

    @contextlib.contextmanager
    def _open_rows(
        self,
        cursor: psycopg2.extensions.cursor,
        statement: Statement,
        request: Request,
        sink: Sink,
        shape: Shape,
    ) -> Iterator[Any]:
        """Begin the result, and yield a file that takes its rows, whether the driver writes or fetches them.

        Rows that belong to a caller leave when it is confirmed who that is.
        """

        def put(batch: Any) -> None:
            try:
                sink.put(batch)
            except TooLargeError:
                hang_up(cursor.connection)  # else the driver would read all the rest first
                raise

        confirm = partial(self._confirm_caller, cursor, statement)
        renew = partial(get_session(cursor).deadline.renew, request.timeout + GRACE)
        is_held = sink.is_streamed and self._caller
        with hold_back(put, confirm, renew) if is_held else nullcontext(put) as hand_on:
            if shape.csv and sink.is_streamed:
                sink.begin(shape.header, quote_no_numbers, read_typed)
                rows: AbstractContextManager[Any] = open_csv_blocks(hand_on)
            elif shape.csv:
                sink.begin(shape.header, write_json_rows)
                rows = CsvLines(hand_on)
            else:
                sink.begin(shape.header, b"".join)
                rows = RowBatches(hand_on, shape.make_encoder())
            with rows as file:
                yield file
        if not is_held:
            confirm()

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        statement, timeout = self._read_statement(sql), self._settings.statement_timeout
        with self._open_transaction(statement, timeout) as cursor:  # which found it to be one query
            if not statement.is_query:
                return Plan()
            text, prefix = statement.write_explain(None if max_rows is None else max_rows + 1)
            try:
                cost = read_cost(ask(cursor, text))
            except psycopg2.Error as exc:
                raise self._translate_error(exc, cursor, statement, timeout, prefix=prefix) from exc
        return Plan(secret_cost=cost) if self._row_security else Plan(cost)

    def read_profiles(self, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
        if self._row_security:
            return {}  # what one caller sees is not for another's prompt

        def answer(question: str, parameters: tuple[Any, ...], seconds: float) -> str:
            with self._open_transaction(NOTHING, seconds) as cursor:
                return ask(cursor, question, parameters or None)

        return read_profiles(answer, catalog, timeout)

    def _read_statement(self, sql: str) -> Statement:
        """Check the caller and return the statement to run."""
        statement = Statement.read(sql)
        if self._row_security:
            if self._claims is None:
                raise UnauthorizedError(ANONYMOUS)
            if not statement.is_query:
                raise SQLRefusedError(
                    "On a connection with row-level security only queries can be run: EXPLAIN tells of others' rows."
                )
            rls.refuse_counts(sql)
        return statement

    def _confirm_caller(self, cursor: psycopg2.extensions.cursor, statement: Statement) -> None:
        """Check that the statement ran as the caller, before any row is returned.

        Raises SQLRefusedError.
        """
        if self._caller:
            question = rls.write_confirmation(self._caller, rls.refuse_counts(statement.text))
            rls.confirm(ask(cursor, *question), self._caller)

    def _read_own_functions(self, cursor: psycopg2.extensions.cursor) -> str:
        names = own_functions.strip_schemas(self._allowed)
        return ask(cursor, own_functions.FUNCTIONS, (names,)) if names else "[]"

    def _describe(self, cursor: psycopg2.extensions.cursor, statement: Statement) -> Shape:
        """The columns that `statement` gives; what the server says of their types is asked once for each type."""
        columns = tuple(cursor.description or ())
        if unknown := sorted({column.type_code for column in columns} - self._types.keys()):
            self._types |= questions.read_types(ask(cursor, questions.TYPES, (unknown,)))
        return Shape.read(columns, self._types, is_query=statement.is_query)
