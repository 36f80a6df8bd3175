"""Opens the store's database, runs statements and transactions, and translates SQLAlchemy's errors into ours."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Insert, Row, Select, Table, create_engine, event, make_url, text
from sqlalchemy import exc as sa_exc
from sqlalchemy.dialects import postgresql, sqlite

from sqlchat.config import Settings
from sqlchat.errors import StoreUnavailableError
from sqlchat.store import migrate, state_dir
from sqlchat.store.tables import SCHEMA

log = logging.getLogger(__name__)

Result = TypeVar("Result")

RETRY_AFTER = 5
NOT_THERE = frozenset({"42P01", "3F000", "42501"})
"""SQLSTATEs of a schema or table that is missing or closed to us: the store is not (or no longer) migrated."""
BOUND = "SET LOCAL statement_timeout = '5s'; "
"""Prefix of a statement that is sent as one message, without BEGIN and COMMIT."""
FOREIGN_OPTIONS = frozenset({"pgbouncer", "connection_limit", "pool_timeout", "schema"})
"""Query options of DATABASE_URL that are meant for other tools; libpq refuses them."""
POSTGRES_OPTIONS = {
    "connect_timeout": 3,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # ms
    "application_name": "sqlchat",
}


class Database:
    """Runs statements (`fetch`, `append`, `prepare`) and short transactions (`writing`) on the store's database.

    All raise StoreUnavailableError while the database is gone or not migrated, and work again once it is back. The
    embedded database is made and migrated at its first use.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.embedded = not settings.database_url
        self._engine = (
            _make_sqlite_engine(settings) if self.embedded else _make_postgres_engine(settings.database_url)
        )
        self._quick = self._engine if self.embedded else _make_quick_engine(self._engine.url)
        self._writer = self._engine.execution_options(writes=True)
        self._signal: memoryview | None = None
        """Holds another number after each transaction of `writing` in the embedded store, by any process."""
        self._ready = False

    def fetch(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """Return the rows of one SELECT, in one round trip."""

        def read() -> Sequence[Row[Any]]:
            with self._quick.connect() as connection:
                return connection.execute(statement).all()

        return self._retry_once(read)

    def prepare(self, statement: Select[Any]) -> Callable[..., list[tuple[Any, ...]]]:
        """Return a function that reads the rows of `statement`; its keywords are the bound parameters.

        SQLAlchemy compiles the statement once: for a small one that takes twenty times as long as the database does.
        No value is converted on its way, so use this for texts and whole numbers only.
        """
        schemas: Any = {SCHEMA: "main"} if self.embedded else None
        compiled = statement.compile(self._quick, schema_translate_map=schemas, render_schema_translate=self.embedded)
        text = str(compiled) if self.embedded else BOUND + str(compiled)
        positions = compiled.positiontup

        def read(**values: Any) -> list[tuple[Any, ...]]:
            parameters = [values[name] for name in positions] if positions else values
            return self._retry_once(lambda: self._read(text, parameters))

        return read

    def append(self, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run an INSERT of up to 1,000 rows, in one round trip. Its ON CONFLICT clause must skip existing rows."""

        def write() -> None:
            with (self._writer if self.embedded else self._quick).begin() as connection:
                connection.execute(statement, rows)

        self._retry_once(write)

    def read_signal(self) -> int | None:
        """Return a number that changes with each transaction of `writing` by any process; None if nothing tells.

        Read it before the rows that depend on it. A process that is killed may change rows without it.
        """
        return self._signal[0] if self._signal else None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open one transaction and commit it at the end. Passes IntegrityError on."""
        with self._translate_errors():
            self._make_ready()
            try:
                with self._writer.begin() as connection:
                    if not self.embedded:
                        connection.execute(text("SET LOCAL statement_timeout = '10s'"))
                    yield connection
            finally:
                if self._signal:
                    self._signal[0] = random.getrandbits(64)

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """Return an INSERT with the ON CONFLICT clauses that both databases share."""
        return sqlite.insert(table) if self.embedded else postgresql.insert(table)

    def upgrade(self) -> None:
        """Migrate the tables to the newest revision. Several processes may call it at once."""
        with self._translate_errors():
            if self.embedded:
                with state_dir.hold_lock(self._settings, "store"), self._writer.begin() as connection:
                    migrate.upgrade(connection)
                with suppress(OSError):
                    self._signal = self._signal or state_dir.share_number(self._settings, "changes")
            else:
                with self._writer.begin() as connection:
                    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('sqlchat migrations'))"))
                    migrate.upgrade(connection)
            self._ready = True

    def close(self) -> None:
        """Close the pooled connections. The next use opens new ones."""
        self._engine.dispose()
        self._quick.dispose()

    def _read(self, text: str, values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of `text` from the driver itself. Raises SQLAlchemy's errors."""
        driver, pooled = self._quick.dialect.loaded_dbapi, None
        try:
            pooled = self._quick.raw_connection()
            cursor = pooled.cursor()
            cursor.execute(text, values)
            return list(cursor.fetchall())
        except driver.Error as exc:
            connection = pooled.dbapi_connection if pooled else None
            is_gone = self._quick.dialect.is_disconnect(exc, connection, None)
            if pooled and is_gone:
                pooled.invalidate()
                self._quick.dispose()  # the other pooled connections are dead too
            raise sa_exc.DBAPIError.instance(
                text, None, exc, driver.Error, True, is_gone and pooled is not None, dialect=self._quick.dialect
            ) from exc
        finally:
            if pooled:
                pooled.close()

    def _retry_once(self, operation: Callable[[], Result]) -> Result:
        """Run `operation`; if its connection is dead, run it again over a new one."""
        with self._translate_errors():
            self._make_ready()
            try:
                return operation()
            except sa_exc.DBAPIError as exc:
                if not exc.connection_invalidated:
                    raise
                return operation()

    def _make_ready(self) -> None:
        if self._ready:
            return
        if self.embedded:
            self.upgrade()
            return
        with self._engine.connect() as connection:
            self._ready = migrate.is_current(connection)
        if not self._ready:
            raise StoreUnavailableError(
                "The service's own store is not migrated yet; run `flask --app wsgi db upgrade`.",
                retry_after=RETRY_AFTER,
            )

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except sa_exc.IntegrityError:
            raise
        except sa_exc.TimeoutError as exc:
            raise StoreUnavailableError("The service's own store is busy.", retry_after=1) from exc
        except sa_exc.DBAPIError as exc:
            # A fault without SQLSTATE comes from the driver: it could not even connect.
            sqlstate = getattr(exc.orig, "pgcode", None)
            is_gone = sqlstate in NOT_THERE or (sqlstate is None and not self.embedded)
            if isinstance(exc, sa_exc.DataError | sa_exc.ProgrammingError | sa_exc.NotSupportedError) and not is_gone:
                raise
            self._ready = False
            log.warning("store unavailable", extra={"reason": self._read_reason(exc)})
            url = self._engine.url
            place = "" if self.embedded else f"{url.host or 'localhost'}:{url.port or 5432}"
            raise StoreUnavailableError(
                "The service's own store cannot be reached.", retry_after=RETRY_AFTER, place=place
            ) from exc

    def _read_reason(self, exc: sa_exc.DBAPIError) -> str:
        """Return the first line of the driver's message, without the password."""
        line, _, _ = str(exc.orig).partition("\n")
        password = self._engine.url.password
        return line.replace(str(password), "***") if password else line


def _make_sqlite_engine(settings: Settings) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(settings.state_dir / "store.db")),
        connect_args={"isolation_level": None, "timeout": 10},
        execution_options={"schema_translate_map": {SCHEMA: None}},
        hide_parameters=True,
        pool_size=4,
        max_overflow=0,
        pool_timeout=10,
    )

    @event.listens_for(engine, "connect")
    def _configure(connection, record) -> None:  # type: ignore[no-untyped-def]
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # After a plain BEGIN, SQLite refuses the first write if another writer is at work; BEGIN IMMEDIATE waits.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _make_postgres_engine(database_url: str) -> Engine:
    url = make_url(database_url)
    url = url.set(drivername="postgresql+psycopg2").difference_update_query(FOREIGN_OPTIONS)
    return _make_psycopg2_engine(url, pool_size=1, max_overflow=2, pool_pre_ping=True)


def _make_quick_engine(url: URL) -> Engine:
    """Make an engine that sends each statement as one message, without ping, BEGIN and COMMIT."""
    engine = _make_psycopg2_engine(url, pool_size=3, max_overflow=2, isolation_level="AUTOCOMMIT")

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def _limit_time(connection, cursor, statement, parameters, *rest):  # type: ignore[no-untyped-def]
        return BOUND + statement, parameters

    return engine


def _make_psycopg2_engine(url: URL, **options: Any) -> Engine:
    connect_args = {k: v for k, v in POSTGRES_OPTIONS.items() if k not in url.query}
    return create_engine(
        url, connect_args=connect_args, hide_parameters=True, pool_timeout=5, pool_recycle=600, **options
    )
