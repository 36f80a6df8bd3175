"""Defines the interface of a connection to a database. Each kind of database has a subclass in its own package."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from sqlchat.config import Settings
from sqlchat.connections.plan import Plan
from sqlchat.connections.profiling import add_labels, limit_values
from sqlchat.connections.results import Collector, Request, Results, Sink
from sqlchat.connections.streams import Stream, open_feed
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers


class Connection(ABC):
    """A database that can be read. It trusts no SQL: each statement runs under the engine's own locks.

    Methods are safe to call from several threads. They raise ConnectionConfigError, DatabaseUnavailableError (cannot
    be reached), QueryError, QueryTimeoutError and BusyError (no pooled connection in time), without secrets.
    """

    provider: ClassVar[str]
    """Name in requests, such as `postgres`."""
    dialect: ClassVar[str]
    """sqlglot's name of the dialect."""
    _settings: Settings
    place: str = ""
    """Host and port of its server, for the log; empty without one."""

    @abstractmethod
    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        """Validate `config` (ConnectionConfigError names the field) without touching the database."""

    @abstractmethod
    def check(self) -> list[str]:
        """Connect to the database, and return warnings, for example that the role may write.

        Raises ConnectionConfigError with the database's words.
        """

    @abstractmethod
    def catalog(self) -> Catalog:
        """Read the catalog from the database now."""

    def run(self, sql: str, *, max_rows: int, timeout: float, tag: str = "") -> Results:
        """Run one reading statement for `timeout` seconds, roll back, and return its first `max_rows` rows."""
        rows = Collector(max_rows, self._settings.max_result_mb << 20)
        self.send(Request(sql, max_rows + 1, timeout, tag), rows)
        return rows.make_results()

    def stream(self, sql: str, *, max_rows: int, idle: float, tag: str = "") -> Stream:
        """Run one reading statement, and stream its rows. `idle` seconds without a row raise QueryTimeoutError."""
        return open_feed(partial(self.send, Request(sql, max_rows, idle, tag)))

    @abstractmethod
    def send(self, request: Request, sink: Sink) -> None:
        """Run one reading statement, put its columns and at most `max_rows` rows into the sink, and roll back."""

    @abstractmethod
    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        """Let the database plan `max_rows` rows of `sql`, without running it. Raises QueryError."""

    def profiles(self, catalog: Catalog, timeout: float) -> Mapping[Path, ColumnProfile]:
        """Profile the columns of the tables and views listed in `catalog`, by statistics or bounded samples.

        Leaves out columns that cannot be read in `timeout` seconds, but for their declared labels.
        """
        return limit_values(add_labels(self.read_profiles(catalog, timeout), catalog))

    @abstractmethod
    def read_profiles(self, catalog: Catalog, timeout: float) -> Mapping[Path, ColumnProfile]:
        """Return the part of `profiles` that only the database can tell."""

    def for_caller(self, claims: Mapping[str, Any] | None) -> Connection:
        """Return this connection for the caller whose verified token has `claims`; None without a token.

        Raises UnauthorizedError if the connection needs to know its caller.
        """
        return self

    def expecting(
        self, catalog: Catalog, tables: Sequence[Table] = (), *, is_plain: bool = False, is_all: bool = False
    ) -> Connection:
        """Return this connection for SQL that was examined for `catalog` and may read `tables`.

        Its `run`, `stream` and `explain` raise CatalogChangedError if users' functions, or these tables and views,
        have changed since. Functions do not matter if the SQL `is_plain`. `is_all`: it reads no other tables.
        """
        return self

    def revision(self) -> object:
        """Return a value that changes if the catalog changed; None if only reading the catalog can tell."""
        return None

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Release resources. Called once, when no request uses the connection any more."""
