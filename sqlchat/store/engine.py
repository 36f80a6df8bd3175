"""The store's database: its engine, its transactions, and the one place where SQLAlchemy's errors become ours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Insert, Row, Select, Table, create_engine, event, make_url, text
from sqlalchemy import exc as sa_exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import PoolProxiedConnection

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
"""Stands before a statement that is a message of its own."""
FOREIGN_OPTIONS = frozenset({"pgbouncer", "connection_limit", "pool_timeout", "schema"})
"""Query options that other tools read from the same DATABASE_URL, and libpq refuses."""
POSTGRES_OPTIONS = {
    "connect_timeout": 3,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # ms
    "application_name": "sqlchat",
}


class Database:
    """`fetch`, `append` and what `prepare` gives run one statement, `writing()` gives a connection for one short
    transaction.

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
        self._readers: list[PoolProxiedConnection] = []
        """Connections to the embedded database that are free: taking one is cheaper than asking the pool."""
        self._ready = False

    def fetch(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """The rows of one SELECT, in one round trip."""

        def read() -> Sequence[Row[Any]]:
            with self._quick.connect() as connection:
                return connection.execute(statement).all()

        return self._retry_once(read)

    def prepare(self, statement: Select[Any]) -> Callable[..., list[tuple[Any, ...]]]:
        """A function that gives the rows of `statement`, in one round trip; its keywords are the bound parameters.

        The statement's text is written once: for a small one that takes twenty times as long as the database does.
        Values go to the driver and come from it as they are, so this is for texts and whole numbers.
        """
        schemas: Any = {SCHEMA: "main"} if self.embedded else None
        compiled = statement.compile(self._quick, schema_translate_map=schemas, render_schema_translate=self.embedded)
        text, order = str(compiled) if self.embedded else BOUND + str(compiled), compiled.positiontup

        def read(**values: Any) -> list[tuple[Any, ...]]:
            return self._retry_once(lambda: self._read(text, [values[name] for name in order] if order else values))

        return read

    def append(self, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run an INSERT of up to 1,000 rows that leaves out those already there, in one round trip."""

        def write() -> None:
            with (self._writer if self.embedded else self._quick).begin() as connection:
                connection.execute(statement, rows)

        self._retry_once(write)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end. IntegrityError passes through to the caller."""
        with self._translate_errors():
            self._make_ready()
            with self._writer.begin() as connection:
                if not self.embedded:
                    connection.execute(text("SET LOCAL statement_timeout = '10s'"))
                yield connection

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """An INSERT with the ON CONFLICT clauses that both databases share."""
        return sqlite.insert(table) if self.embedded else postgresql.insert(table)

    def upgrade(self) -> None:
        """Bring the tables to the newest revision; safe when several processes do it at once."""
        with self._translate_errors():
            if self.embedded:
                with state_dir.hold_lock(self._settings, "store"), self._writer.begin() as connection:
                    migrate.upgrade(connection)
            else:
                with self._writer.begin() as connection:
                    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('sqlchat migrations'))"))
                    migrate.upgrade(connection)
            self._ready = True

    def close(self) -> None:
        """Close the pooled connections. The next use opens new ones."""
        self._engine.dispose()
        self._quick.dispose()
        while self._readers:
            self._readers.pop().close()

    def _read(self, text: str, values: Any) -> list[tuple[Any, ...]]:
        """The rows of a text of ours, past SQLAlchemy, whose errors it raises all the same."""
        driver, pooled = self._quick.dialect.loaded_dbapi, None
        try:
            pooled = self._take_reader() if self.embedded else self._quick.raw_connection()
            cursor = pooled.cursor()
            cursor.execute(text, values)
            rows = list(cursor.fetchall())
            if self.embedded:
                self._readers.append(pooled)
                pooled = None
            return rows
        except driver.Error as exc:
            connection = pooled.dbapi_connection if pooled else None
            is_gone = self._quick.dialect.is_disconnect(exc, connection, None)
            if pooled and is_gone:
                pooled.invalidate()
                self._quick.dispose()  # what lies in the pool went with it
            raise sa_exc.DBAPIError.instance(
                text, None, exc, driver.Error, True, is_gone and pooled is not None, dialect=self._quick.dialect
            ) from exc
        finally:
            if pooled:
                pooled.close()

    def _take_reader(self) -> PoolProxiedConnection:
        with suppress(IndexError):
            return self._readers.pop()
        connection = self._engine.raw_connection()
        connection.detach()  # its place in the pool is for others
        return connection

    def _retry_once(self, act: Callable[[], Result]) -> Result:
        """Run `act`; if the connection turns out dead, run it again over a new one."""
        with self._translate_errors():
            self._make_ready()
            try:
                return act()
            except sa_exc.DBAPIError as exc:
                if not exc.connection_invalidated:
                    raise
                return act()

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
            gone = sqlstate in NOT_THERE or (sqlstate is None and not self.embedded)
            if isinstance(exc, sa_exc.DataError | sa_exc.ProgrammingError | sa_exc.NotSupportedError) and not gone:
                raise
            self._ready = False
            log.warning("store unavailable", extra={"reason": self._read_reason(exc)})
            url = self._engine.url
            place = "" if self.embedded else f"{url.host or 'localhost'}:{url.port or 5432}"
            raise StoreUnavailableError(
                "The service's own store cannot be reached.", retry_after=RETRY_AFTER, place=place
            ) from exc

    def _read_reason(self, exc: sa_exc.DBAPIError) -> str:
        """The driver's first line, for the operator's log; libpq names host and user there, never the password."""
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
        # A transaction that reads before it writes cannot wait for another writer, unless it says so at once.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _make_postgres_engine(database_url: str) -> Engine:
    url = make_url(database_url)
    url = url.set(drivername="postgresql+psycopg2").difference_update_query(FOREIGN_OPTIONS)
    return _make_psycopg2_engine(url, pool_size=1, max_overflow=2, pool_pre_ping=True)


def _make_quick_engine(url: URL) -> Engine:
    """Sends a statement as one message, the only one of its transaction: no ping, no BEGIN, no COMMIT."""
    engine = _make_psycopg2_engine(url, pool_size=3, max_overflow=2, isolation_level="AUTOCOMMIT")

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def _bound(connection, cursor, statement, parameters, *rest):  # type: ignore[no-untyped-def]
        return BOUND + statement, parameters

    return engine


def _make_psycopg2_engine(url: URL, **options: Any) -> Engine:
    connect_args = {k: v for k, v in POSTGRES_OPTIONS.items() if k not in url.query}
    return create_engine(
        url, connect_args=connect_args, hide_parameters=True, pool_timeout=5, pool_recycle=600, **options
    )
