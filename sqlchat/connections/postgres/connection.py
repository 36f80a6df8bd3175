"""Postgres over psycopg2: the one module that holds a user's Postgres.

How a stranger's text is held: in a read-only transaction, after a query (which makes SET TRANSACTION READ WRITE
fail), a DO block opens a cursor for the text, so the server itself refuses several statements and whatever gives no
rows. A plain query that so passed runs inside `COPY (SELECT ... FROM (text) LIMIT n) TO STDOUT`: one statement by
itself, it is one in these parentheses, and unlike a cursor's FETCH this keeps parallel plans, tells the planner the
limit, and streams. EXPLAIN and SHOW are fetched from the cursor. Always ROLLBACK, then a reset of what survives it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any, cast

import psycopg2
import psycopg2.extensions
import sqlalchemy.exc
from sqlalchemy.pool import PoolProxiedConnection

from sqlchat.config import Settings
from sqlchat.connections.base import Connection, Results
from sqlchat.connections.plan import Plan
from sqlchat.connections.postgres import catalog as ask
from sqlchat.connections.postgres import own_functions, rls
from sqlchat.connections.postgres.csv import CsvColumns
from sqlchat.connections.postgres.definitions import CHANGED, VERSION
from sqlchat.connections.postgres.errors import Fault, make_config_error, make_query_error, make_timeout_error
from sqlchat.connections.postgres.profile import read as read_profiles
from sqlchat.connections.postgres.rls import FIELDS, read_row_security
from sqlchat.connections.postgres.rows import CsvRows, DecodedRows, Rows, hang_up
from sqlchat.connections.postgres.session import Session, connect
from sqlchat.connections.postgres.statement import (
    OPEN_CONTEXT_LINES,
    Statement,
    list_schemas,
    read_cost,
    read_search_path,
    write_prologue,
)
from sqlchat.connections.postgres.types import Decoder, PgType, find_decoder
from sqlchat.connections.profiling import with_labels
from sqlchat.connections.servers.config import read_server_config
from sqlchat.connections.servers.deadlines import Deadline, Deadlines
from sqlchat.connections.servers.network import resolve
from sqlchat.connections.servers.pool import UNENCRYPTED, make_pool
from sqlchat.connections.streams import Feed, Stream, open_feed
from sqlchat.errors import (
    BusyError,
    CatalogChangedError,
    ConnectionConfigError,
    DatabaseUnavailableError,
    QueryError,
    SQLRefusedError,
    UnauthorizedError,
)
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
NOTHING = Statement.read("SELECT 1")
WITHOUT_JIT = "SELECT pg_catalog.set_config(name, 'off', true) FROM pg_catalog.pg_settings WHERE name = 'jit'"
"""For our own questions about a large catalog: to compile them takes the server longer than to answer them."""
CATALOG_TIMEOUT = 60.0
GRACE = 1.0
"""Seconds past its own timeout after which a server that still says nothing is hung up on."""
WAITING_READER = 1e6
"""Seconds that we wait for whoever reads the rows, which the reader limits."""
ANONYMOUS = "This connection answers each caller by row-level security: send a token to say who you are."


class PostgresConnection(Connection):
    provider = "postgres"
    dialect = "postgres"

    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        self._row_security = read_row_security(config)
        self._allowed = own_functions.read_names(config)
        self._caller = self._row_security.list_settings({}) if self._row_security else {}
        self._claims: Mapping[str, Any] | None = None
        self._target = read_server_config(
            config,
            schemes=("postgresql", "postgres", "postgis", "pgsql"),
            port=5432,
            sslmodes=SSLMODES,
            schema=True,
            others=(*FIELDS, *own_functions.FIELDS),
        )
        self.place = self._target.place
        self._search_path = read_search_path(self._target.schema)
        self._settings = settings
        self._types: dict[int, PgType] = {}
        self._pool = make_pool(settings, lambda: self._connect(self._find_address()))
        self._deadlines = Deadlines()
        self._definitions = ""

    def check(self) -> list[str]:
        address = self._find_address()
        near = ipaddress.ip_address(address).is_private
        try:
            with contextlib.closing(self._connect(address)) as raw:
                encrypted = raw.info.ssl_in_use
        except psycopg2.Error as exc:
            raise make_config_error(str(exc), self._target.password, near=near) from exc
        try:
            with self._open_transaction(NOTHING, CATALOG_TIMEOUT) as cursor:
                warnings = ask.read_warnings(_ask(cursor, ask.RIGHTS), _ask(cursor, ask.VOLATILE_OWN))
                if schemas := list_schemas(self._search_path):
                    warnings += ask.find_unusable(_ask(cursor, ask.UNUSABLE, (schemas,)), schemas)
                if self._allowed:
                    warnings += own_functions.describe_functions(self._read_own_functions(cursor), self._allowed)
                if self._row_security:
                    warnings += self._row_security.read_warnings(_ask(cursor, rls.RIGHTS))
        except QueryError as exc:
            raise ConnectionConfigError(f"The role cannot be used: {exc.detail}") from exc
        if not (encrypted or near):
            warnings.append(UNENCRYPTED)
        return warnings

    def catalog(self) -> Catalog:
        with self._open_transaction(NOTHING, CATALOG_TIMEOUT) as cursor:
            definitions = _ask(cursor, VERSION)  # first: what is made meanwhile then counts as a change
            found = ask.read_catalog(*(_ask(cursor, each) for each in (ask.TABLES, ask.FUNCTIONS, ask.SEARCH_PATH)))
            own = (
                own_functions.list_allowed(self._read_own_functions(cursor), self._allowed)
                if self._allowed
                else frozenset()
            )
        return replace(found, functions=(found.functions or frozenset()) | own, definitions=definitions)

    def expecting(self, catalog: Catalog) -> PostgresConnection:
        view = copy(self)
        view._definitions = catalog.definitions
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
        largest = self._settings.max_result_mb << 20
        with self._open_transaction(statement, timeout) as cursor:
            columns = list(cursor.description or ())
            oids = [column.type_code for column in columns]
            types = self._find_types(cursor, oids)
            rows: Rows
            if statement.is_query and columns:
                sizes = [(column.type_code, column.internal_size) for column in columns]
                csv = CsvColumns.choose(oids, types)
                rows = CsvRows(cursor, largest) if csv else DecodedRows(cursor, largest, _list_decoders(oids, types))
                session = cast(Session, cursor.connection)
                ending = "" if self._caller else session.epilogue  # else the transaction is asked who the caller was
                text, prefix = statement.write_copy(sizes, max_rows + 1, largest, csv, tag=tag, then=ending)
                with self._translate_errors(cursor, statement, timeout, prefix):
                    cursor.copy_expert(text, rows)
                session.is_reset = bool(ending)
            else:
                rows = fetched = DecodedRows(cursor, largest, _list_decoders(oids, types))
                fetched.fetch(max_rows + 1, tag)
            self._confirm_caller(cursor, statement)
        return Results(
            columns=tuple(column.name for column in columns),
            types=tuple(types[oid].name if oid in types else "" for oid in oids),
            rows=rows.json(max_rows),
            row_count=min(len(rows), max_rows),
            truncated=len(rows) > max_rows,
        )

    def stream(self, sql: str, *, max_rows: int, idle: float, tag: str = "") -> Stream:
        from sqlchat.connections.postgres.stream import make_batch

        statement = self._read_statement(sql)
        return open_feed(lambda feed: self._send(feed, statement, max_rows, idle, tag), make_batch)

    def _send(self, feed: Feed, statement: Statement, max_rows: int, idle: float, tag: str) -> None:
        """Put a header and the rows into the feed; rows that belong to a caller once it is confirmed who that is."""
        from sqlchat.connections.postgres.stream import Cells, Lines, hold_back, make_header

        largest = self._settings.max_result_mb << 20
        with self._open_transaction(statement, idle) as cursor, feed.breakable(partial(hang_up, cursor.connection)):
            raw = cast(Session, cursor.connection)
            columns = list(cursor.description or ())
            oids = [column.type_code for column in columns]
            types = self._find_types(cursor, oids)
            is_copied = statement.is_query and bool(columns)
            csv = CsvColumns.choose(oids, types) if is_copied else None
            feed.put(make_header(columns, tuple(types[oid].name if oid in types else "" for oid in oids), csv))
            cursor.execute("SET LOCAL statement_timeout = 0")  # what holds from here on is `idle`

            confirm = partial(self._confirm_caller, cursor, statement)
            with hold_back(feed.put, confirm) if self._caller else nullcontext(feed.put) as hand_on:

                def put(block: Any) -> None:
                    raw.deadline.renew(WAITING_READER)
                    hand_on(block)
                    raw.deadline.renew(idle + GRACE)

                rows = Lines(put) if csv else Cells(put, _list_decoders(oids, types))
                if isinstance(rows, Cells) and not is_copied:
                    rows.fetch(cursor, max_rows, tag)
                    return
                sizes = [(column.type_code, column.internal_size) for column in columns]
                text, prefix = statement.write_copy(sizes, max_rows, largest, csv, tag=tag)
                with self._translate_errors(cursor, statement, idle, prefix):
                    cursor.copy_expert(text, rows)
                rows.flush()
                raw.deadline.renew(WAITING_READER)

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        statement, timeout = self._read_statement(sql), self._settings.statement_timeout
        with self._open_transaction(
            statement, timeout
        ) as cursor:  # which planned it, and so found it to be one query
            if not statement.is_query:
                return Plan()
            text, prefix = statement.write_explain(None if max_rows is None else max_rows + 1)
            with self._translate_errors(cursor, statement, timeout, prefix):
                cost = read_cost(_ask(cursor, text))
        return Plan(untold=cost) if self._row_security else Plan(cost)

    def profiles(self, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
        if self._row_security:
            return with_labels({}, catalog)  # what one caller sees is not for another's prompt

        def answer(question: str, parameters: tuple[Any, ...], seconds: float) -> str:
            with self._open_transaction(NOTHING, seconds) as cursor:
                return _ask(cursor, question, parameters or None)

        return read_profiles(answer, catalog, timeout)

    def close(self) -> None:
        self._pool.dispose()

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
            rls.confirm(_ask(cursor, *question), self._caller)

    @contextlib.contextmanager
    def _open_transaction(self, statement: Statement, timeout: float) -> Iterator[psycopg2.extensions.cursor]:
        """A cursor in a read-only transaction in which `statement` was planned, whose columns it describes."""
        overdue = time.monotonic() + timeout + GRACE
        try:
            pooled, cursor, hanging_up = self._open_cursor(statement, timeout)
            _get_session(pooled).deadline = hanging_up
            try:
                with self._translate_errors(cursor, statement, timeout):
                    if statement is NOTHING:
                        cursor.execute(WITHOUT_JIT)
                    yield cursor
            finally:
                overdue = hanging_up.at
                hanging_up.cancel()
                self._give_back(pooled)
        except DatabaseUnavailableError as exc:
            exc.place = self.place
            if time.monotonic() < overdue:
                raise
            raise make_timeout_error(timeout) from exc  # it was we who hung up

    def _open_cursor(
        self, statement: Statement, timeout: float
    ) -> tuple[PoolProxiedConnection, psycopg2.extensions.cursor, Deadline]:
        while True:
            pooled = self._check_out()
            raw = _get_session(pooled)
            used = pooled.info.get("used", False)
            pooled.info["used"] = True
            hanging_up = self._deadlines.start(timeout + GRACE, partial(hang_up, raw))
            try:
                cursor, raw.is_reset = raw.cursor(), False
                with self._translate_errors(cursor, statement, timeout, context_lines=OPEN_CONTEXT_LINES):
                    opening = write_prologue(
                        statement,
                        self._search_path,
                        timeout,
                        raw.server_version,
                        self._caller,
                        steps_down=raw.steps_down,
                        encoding=raw.sent_encoding,
                        definitions=self._definitions,
                    )
                    cursor.execute(*opening)
            except DatabaseUnavailableError:
                hanging_up.cancel()
                pooled.invalidate()
                if not used or hanging_up.has_passed:
                    raise  # else it died while it lay in the pool, which is no news: try the next
            except BaseException:
                hanging_up.cancel()
                self._give_back(pooled)
                raise
            else:
                return pooled, cursor, hanging_up

    def _check_out(self) -> PoolProxiedConnection:
        try:
            return self._pool.connect()
        except sqlalchemy.exc.TimeoutError as exc:
            raise BusyError("All connections to this database are in use.", retry_after=1) from exc
        except psycopg2.Error as exc:
            raise DatabaseUnavailableError("The database cannot be reached at the moment.", retry_after=5) from exc
        except ConnectionConfigError as exc:
            raise DatabaseUnavailableError("The database's host cannot be reached from here.", retry_after=5) from exc

    def _give_back(self, pooled: PoolProxiedConnection) -> None:
        raw = _get_session(pooled)
        if not raw.is_reset:
            hanging_up = self._deadlines.start(GRACE, partial(hang_up, raw))
            try:
                with raw.cursor() as cursor:
                    cursor.execute(raw.epilogue)
            except psycopg2.Error:
                pooled.invalidate()
            finally:
                hanging_up.cancel()
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
        try:
            yield
        except psycopg2.Error as exc:
            if cursor.connection.closed or not exc.pgcode:
                raise DatabaseUnavailableError("The connection to the database was lost.", retry_after=1) from exc
            fault = _read_fault(exc)
            if context_lines and not fault.context and CHANGED in fault.message:
                raise CatalogChangedError("The database is being changed; try again.", retry_after=1) from exc
            if self._caller and fault.is_within_function(statement.text, context_lines):
                fault = replace(fault, message="A function of the database failed", hint="")  # it may quote any row
            raise make_query_error(fault, statement.text, timeout, prefix) from exc

    def _read_own_functions(self, cursor: psycopg2.extensions.cursor) -> str:
        return _ask(cursor, own_functions.FUNCTIONS, (own_functions.strip_schemas(self._allowed),))

    def _find_types(self, cursor: psycopg2.extensions.cursor, oids: list[int]) -> dict[int, PgType]:
        """What the server says of these types and all that they are made of; asked once for each."""
        if unknown := sorted(set(oids) - set(self._types)):
            self._types |= ask.read_types(_ask(cursor, ask.TYPES, (unknown,)))
        return self._types

    def _find_address(self) -> str:
        return resolve(self._target.host, self._target.port, self._settings.reaches_private_hosts)

    def _connect(self, address: str) -> Session:
        return connect(self._target, address)


def _list_decoders(oids: Sequence[int], types: Mapping[int, PgType]) -> list[Decoder]:
    return [find_decoder(oid, types) for oid in oids]


def _get_session(pooled: PoolProxiedConnection) -> Session:
    return cast(Session, pooled.dbapi_connection)


def _ask(cursor: psycopg2.extensions.cursor, question: str, parameters: tuple[Any, ...] | None = None) -> str:
    """Run one query of `catalog.py` and return its single text."""
    cursor.execute(question, parameters)
    row = cursor.fetchone()
    return str(row[0]) if row and row[0] is not None else "null"


def _read_fault(exc: psycopg2.Error) -> Fault:
    diag = exc.diag
    return Fault(
        sqlstate=exc.pgcode or "",
        message=(diag.message_primary or "").strip(),
        hint=(diag.message_hint or "").strip(),
        statement_position=int(diag.statement_position or 0),
        internal_position=int(diag.internal_position or 0),
        internal_query=diag.internal_query,
        context=diag.context or "",
    )
