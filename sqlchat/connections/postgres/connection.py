"""Postgres over psycopg2: the one module that holds a user's Postgres.

How a stranger's text is held: in a read-only transaction, after a query (which makes SET TRANSACTION READ WRITE
fail), a DO block opens a cursor for the text, so the server itself refuses several statements and whatever gives no
rows. A plain query that so passed runs inside `COPY (SELECT ... FROM (text) LIMIT n) TO STDOUT`: one statement by
itself, it is one in these parentheses, and unlike a cursor's FETCH this keeps parallel plans, tells the planner the
limit, and streams. EXPLAIN and SHOW are fetched from the cursor. Always ROLLBACK, then a reset of what survives it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg2.extensions

from sqlchat.config import Settings
from sqlchat.connections.base import Results
from sqlchat.connections.plan import Plan
from sqlchat.connections.postgres import catalog as questions
from sqlchat.connections.postgres import own_functions, own_objects, rls
from sqlchat.connections.postgres.csv import Shape
from sqlchat.connections.postgres.definitions import VERSION, ExpectedDefinitions
from sqlchat.connections.postgres.profile import read_profiles
from sqlchat.connections.postgres.rows import CsvRows, DecodedRows, Rows, hang_up
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
from sqlchat.connections.servers.config import read_server_config
from sqlchat.connections.servers.connection import CATALOG_TIMEOUT, WAITING_READER
from sqlchat.connections.streams import Feed, Stream, open_feed
from sqlchat.errors import ConnectionConfigError, QueryError, SQLRefusedError, UnauthorizedError
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

    def run(self, sql: str, *, max_rows: int, timeout: float, tag: str = "") -> Results:
        statement = self._read_statement(sql)
        try:
            return self._run(statement, max_rows, timeout, tag, repeats=not self._caller)
        except ResendError:
            return self._run(statement, max_rows, timeout, tag, repeats=False)

    def _run(self, statement: Statement, max_rows: int, timeout: float, tag: str, *, repeats: bool) -> Results:
        largest = self._settings.max_result_mb << 20
        with self._open_transaction(statement, timeout, repeats=repeats) as cursor:
            session = get_session(cursor)
            shape = session.shape or self._describe(cursor, statement)
            rows: Rows
            if shape.is_copied:
                rows = CsvRows(cursor, largest) if shape.csv else DecodedRows(cursor, largest, shape.list_decoders())
                then = "" if self._caller else session.epilogue  # else the transaction is asked who the caller was
                text, prefix = statement.write_copy(shape, max_rows + 1, largest, tag=tag, then=then)
                if session.shape:
                    text, prefix = f"{session.opening}; {text}", len(session.opening) + 2 + prefix
                translate = self._translate_repeated if session.shape else self._translate_errors
                with translate(cursor, statement, timeout, prefix):
                    cursor.copy_expert(text, rows)
                session.is_reset = bool(then)
                self._remember_shape(session, statement, shape)
            else:
                rows = DecodedRows(cursor, largest, shape.list_decoders())
                rows.fetch(max_rows + 1, tag)
            self._confirm_caller(cursor, statement)
        return Results(
            columns=tuple(column.name for column in shape.columns),
            types=shape.type_names,
            rows=rows.json(max_rows),
            row_count=min(len(rows), max_rows),
            truncated=len(rows) > max_rows,
        )

    def stream(self, sql: str, *, max_rows: int, idle: float, tag: str = "") -> Stream:
        from sqlchat.connections.postgres.stream import read_rows, read_typed

        statement = self._read_statement(sql)
        return open_feed(lambda feed: self._send(feed, statement, max_rows, idle, tag), read_rows, read_typed)

    def _send(self, feed: Feed, statement: Statement, max_rows: int, idle: float, tag: str) -> None:
        """Put a header and the rows into the feed; rows that belong to a caller once it is confirmed who that is."""
        from sqlchat.connections.postgres.stream import Cells, Lines, hold_back, make_header

        with self._open_transaction(statement, idle) as cursor, feed.breakable(partial(hang_up, cursor.connection)):
            deadline = get_session(cursor).deadline
            shape = self._describe(cursor, statement)
            feed.put(make_header(shape))
            cursor.execute("SET LOCAL statement_timeout = 0")  # what holds from here on is `idle`

            confirm = partial(self._confirm_caller, cursor, statement)
            with hold_back(feed.put, confirm) if self._caller else nullcontext(feed.put) as hand_on:

                def put(block: Any) -> None:
                    deadline.renew(WAITING_READER)
                    hand_on(block)
                    deadline.renew(idle + GRACE)

                with Lines(put) if shape.csv else Cells(put, shape.list_decoders()) as rows:
                    if shape.is_copied:
                        largest = self._settings.max_result_mb << 20
                        text, prefix = statement.write_copy(shape, max_rows, largest, tag=tag)
                        with self._translate_errors(cursor, statement, idle, prefix):
                            cursor.copy_expert(text, rows.file)
                    elif isinstance(rows, Cells):
                        rows.fetch(cursor, max_rows, tag)
                deadline.renew(WAITING_READER)

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        statement, timeout = self._read_statement(sql), self._settings.statement_timeout
        with self._open_transaction(statement, timeout) as cursor:  # which found it to be one query
            if not statement.is_query:
                return Plan()
            text, prefix = statement.write_explain(None if max_rows is None else max_rows + 1)
            with self._translate_errors(cursor, statement, timeout, prefix):
                cost = read_cost(ask(cursor, text))
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
