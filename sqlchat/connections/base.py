"""The interface of a connection to a database. Each kind of database has a subclass in its own package."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from sqlchat.config import Settings
from sqlchat.connections.plan import Plan
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

if TYPE_CHECKING:
    from sqlchat.connections.streams import Stream


INT_DIGITS = 19
"""Digits of a number from which on it may not fit into 64 bits."""


@dataclass(frozen=True, slots=True)
class Results:
    """Rows as they leave the database, encoded once."""

    columns: tuple[str, ...]
    """Names in order; a name may occur twice."""
    types: tuple[str, ...]
    """The database's type of each column; "" where it does not say."""
    rows: bytes
    """A JSON array of arrays."""
    row_count: int
    truncated: bool
    """True where the database had more rows than were asked for."""

    def read_rows(self) -> list[list[Any]]:
        """The rows as JSON values; a number beyond the range of a double is infinite."""
        try:
            rows: list[list[Any]] = orjson.loads(self.rows)
        except orjson.JSONDecodeError:
            rows = json.loads(self.rows, parse_int=lambda text: int(text) if len(text) < INT_DIGITS else float(text))
        return rows


class Connection(ABC):
    """A database that can be read. Its `run` trusts nobody: the engine's own locks are set for every statement.

    Methods are safe to call from several threads. They raise ConnectionConfigError, DatabaseUnavailableError (cannot
    be reached), QueryError, QueryTimeoutError and BusyError (no pooled connection in time), without secrets.
    """

    provider: ClassVar[str]
    """Name in requests, such as `postgres`."""
    dialect: ClassVar[str]
    """sqlglot's name of the dialect."""
    place: str = ""
    """Host and port of its server, for the log; empty without one."""

    @abstractmethod
    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        """Validate `config` (ConnectionConfigError names the field) without touching the database."""

    @abstractmethod
    def check(self) -> list[str]:
        """Try the connection; gives warnings for its status, such as a role that may write.

        Raises ConnectionConfigError with the database's words.
        """

    @abstractmethod
    def catalog(self) -> Catalog:
        """Read the catalog from the database now. The manager caches it."""

    @abstractmethod
    def run(self, sql: str, *, max_rows: int, timeout: float, tag: str = "") -> Results:
        """Run one reading statement as given, and roll back.

        `timeout` in seconds; `tag` (a request's id) goes into a trailing comment for the database's administrator.
        """

    @abstractmethod
    def stream(self, sql: str, *, max_rows: int, idle: float, tag: str = "") -> Stream:
        """Like `run`, with the rows as they come: `idle` seconds without any are QueryTimeoutError."""

    @abstractmethod
    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        """Let the database plan `max_rows` rows of `sql`, without running it. Raises QueryError."""

    @abstractmethod
    def profiles(self, catalog: Catalog, timeout: float) -> Mapping[Path, ColumnProfile]:
        """Profile the columns of the tables and views listed in `catalog`, by statistics or bounded samples.

        Leaves out what cannot be read in `timeout` seconds.
        """

    def for_caller(self, claims: Mapping[str, Any] | None) -> Connection:
        """This connection as it answers the caller whose verified token holds `claims`; None without a token.

        Raises UnauthorizedError where it must be known who asks.
        """
        return self

    def expecting(
        self, catalog: Catalog, tables: Sequence[Table] = (), *, is_plain: bool = False, is_all: bool = False
    ) -> Connection:
        """This connection as it runs SQL that was examined for `catalog` and may read `tables`.

        Its `run`, `stream` and `explain` raise CatalogChangedError if the database tells that its own functions or
        these tables and views have changed since. Functions do not matter if the SQL `is_plain`. `is_all` says that
        it reads no other tables.
        """
        return self

    def revision(self) -> object:
        """Another value once the catalog cannot be what it was; None where only reading it tells."""
        return None

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Let go of what is held. Called once, when no request uses the connection any more."""
