"""Opens database files of SQLite and DuckDB in worker processes, and runs statements on them.

The path is checked at each use. A worker process that exceeds its deadline or its memory is killed.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from sqlchat.config import Settings
from sqlchat.connections.base import Connection
from sqlchat.connections.faults import make_timeout_error, refuse_unsendable
from sqlchat.connections.plan import Plan
from sqlchat.connections.profiling import UNREADABLE, order_tables
from sqlchat.connections.results import (
    Collector,
    Header,
    ReadRows,
    ReadTyped,
    Request,
    Results,
    Sink,
    keep_rows,
    read_no_types,
)
from sqlchat.connections.streams import Feed
from sqlchat.errors import (
    ConnectionConfigError,
    DatabaseUnavailableError,
    DeadlineError,
    QueryTimeoutError,
)
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

R = TypeVar("R")

IN_MEMORY = ":memory:"
GRACE = 0.5
"""Seconds after an engine's own deadline until its process is killed."""
FOREVER = 1e6
"""Seconds for a statement that its reader ends."""
FETCHED_AT_ONCE = 500
"""Rows; a batch is small enough that the limit on bytes acts before memory is full."""
SLICE = 2.5
"""Seconds for which profiling uses a worker process before another caller may."""
TABLES_A_SLICE = 200

SIGNATURES = {"sqlite": (0, b"SQLite format 3\0"), "duckdb": (8, b"DUCK")}
"""Offset and first bytes of each provider's files."""

Query = Callable[..., list[tuple[Any, ...]]]
"""(SQL, *parameters) -> all rows."""
Profiles = tuple[dict[Path, ColumnProfile], int]
"""Profiles of columns, and the number of tables that were read."""


@dataclass(frozen=True, slots=True)
class Target:
    """A database file to open in a worker process."""

    path: str
    """Absolute, without symbolic links; ":memory:" for an empty database."""
    shown: str
    """The path as the caller wrote it; messages show no other."""
    memory_mb: int
    """Memory limit of the worker process in MiB."""

    def hide_path(self, message: str) -> str:
        """Return the engine's `message` with the caller's path instead of the absolute one."""
        return " ".join(message.replace(self.path, self.shown).split())


class Session(ABC):
    """A locked session on a database file in a worker process, for one task. It raises errors of `sqlchat.errors`."""

    def __init__(self, target: Target, timeout: float) -> None:
        self.target, self.timeout = target, timeout
        self.until = time.monotonic() + timeout

    @classmethod
    @abstractmethod
    def open(cls, target: Target, timeout: float) -> AbstractContextManager[Session]:
        """Open the file and set all locks. Statements end after `timeout` seconds."""

    def check(self) -> list[str]:
        """Return no warnings: the check is that the session could be opened."""
        return []

    @abstractmethod
    def read_catalog(self) -> Catalog: ...

    def run(self, sql: str, max_rows: int, max_bytes: int) -> Results:
        """Run a statement, and return its first `max_rows` rows."""
        rows = Collector(max_rows, max_bytes)
        self.send(sql, max_rows + 1, rows)
        return rows.make_results()

    def stream(self, sql: str, max_rows: int, send_item: Callable[[object], None]) -> None:
        """Run a statement, and send its header, then its rows of JSON in blocks."""
        self.send(sql, max_rows, ItemSink(send_item))

    @abstractmethod
    def send(self, sql: str, max_rows: int, sink: Sink) -> None:
        """Run a statement, and put its columns and at most `max_rows` rows into the sink."""

    @abstractmethod
    def explain(self, sql: str) -> Plan: ...

    def read_profiles(self, tables: Sequence[Table]) -> Profiles:
        profiles: dict[Path, ColumnProfile] = {}
        for number, table in enumerate(tables):
            table_profiles = self.profile_table(table)
            if time.monotonic() > self.until:
                return profiles, number
            profiles |= table_profiles
        return profiles, len(tables)

    @abstractmethod
    def profile_table(self, table: Table) -> dict[Path, ColumnProfile]:
        """Return profiles of the table's columns; none if it cannot be read."""


class ItemSink(Sink):
    """Sends a result from a worker process to the `Feed` of the process that made the call."""

    def __init__(self, send_item: Callable[[object], None]) -> None:
        self._send_item = send_item

    def begin(self, header: Header, read_rows: ReadRows = keep_rows, read_typed: ReadTyped = read_no_types) -> None:
        self._send_item(header)

    def put(self, batch: Any) -> None:
        self._send_item(batch)


def perform(target: Target, session: type[Session], act: Callable[..., R], timeout: float, *args: Any) -> R:
    """Call `act`, a method of `session`, in a session on the target. Runs in a worker process."""
    with session.open(target, timeout) as opened:
        return act(opened, *args)


class EmbeddedConnection(Connection):
    """A database file, opened for each statement in a worker process and closed after it.

    `config` is `{"database": path}`. The path is relative to a database folder, absolute below one, or ":memory:" for
    an empty database. `tag` is not used, since nobody watches the statements of an embedded database.
    """

    engine: ClassVar[str]
    """The engine's name in messages."""
    session: ClassVar[type[Session]]

    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        if unknown := sorted(set(config) - {"database"}):
            fields = ", ".join(f"`{name}`" for name in unknown)
            raise ConnectionConfigError(f"{self.engine} takes the field `database` alone; unknown: {fields}.")
        path = config.get("database")
        if not isinstance(path, str) or not path.strip():
            raise ConnectionConfigError(f"{self.engine} needs the field `database`: a file's path, or :memory:.")
        self._path, self._settings, self._workers = path.strip(), settings, workers
        locate_file(self._path, settings)

    def check(self) -> list[str]:
        return self._call(self._target(), self._settings.statement_timeout, self.session.check)

    def catalog(self) -> Catalog:
        return self._call(self._present(), self._settings.statement_timeout, self.session.read_catalog)

    def run(self, sql: str, *, max_rows: int, timeout: float, tag: str = "") -> Results:
        refuse_unsendable(sql)
        most = self._settings.max_result_mb << 20
        return self._call(self._present(), timeout, self.session.run, sql, max_rows, most)

    def send(self, request: Request, sink: Sink) -> None:
        """Stream the rows out of the worker process, into a sink that is a Feed."""
        assert isinstance(sink, Feed)
        refuse_unsendable(request.sql)
        act = self.session.stream
        self._call(self._present(), request.timeout, act, request.sql, request.max_rows, receiver=sink)

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        refuse_unsendable(sql)
        return self._call(self._present(), self._settings.statement_timeout, self.session.explain, sql)

    def read_profiles(self, catalog: Catalog, timeout: float) -> Mapping[Path, ColumnProfile]:
        until, waiting, count = time.monotonic() + timeout, order_tables(catalog.tables), TABLES_A_SLICE
        profiles: dict[Path, ColumnProfile] = {}
        while waiting and (left := min(SLICE, until - time.monotonic())) > 0:
            try:
                part, read = self._call(self._present(), left, self.session.read_profiles, waiting[:count])
            except UNREADABLE:
                part, read = {}, 0
            profiles |= part
            # a table that takes longer than a slice is found by reading one at a time, and left out
            if not read and count > 1:
                count = 1
            elif not read:
                waiting, count = waiting[1:], TABLES_A_SLICE
            waiting = waiting[read:]
        return profiles

    def _target(self) -> Target:
        path = locate_file(self._path, self._settings)
        if path != IN_MEMORY and not os.path.isfile(path):
            raise ConnectionConfigError(f"There is no file {self._path!r} in the database folders.")
        return Target(path, self._path, self._settings.sql_worker_memory_mb)

    def _present(self) -> Target:
        """Return the target of a connection that once worked. Raises DatabaseUnavailableError if the file is gone."""
        try:
            return self._target()
        except ConnectionConfigError as exc:
            raise DatabaseUnavailableError(exc.detail) from exc

    def _call(
        self, target: Target, timeout: float, act: Callable[..., R], *args: Any, receiver: Feed | None = None
    ) -> R:
        """Call `act`, a method of `session`, in a worker process, for at most `timeout` seconds.

        If a `receiver` takes what it sends, these are the seconds without a message.
        """
        limit = FOREVER if receiver else timeout
        try:
            answer: R = self._workers.call(
                perform, target, self.session, act, limit, *args, deadline=timeout + GRACE, receiver=receiver
            )
        except QueryTimeoutError:
            raise
        except DeadlineError as exc:
            raise make_timeout_error(timeout) from exc
        return answer


def locate_file(database: str, settings: Settings) -> str:
    """Return the absolute path of a file, which need not exist, with symbolic links resolved.

    Raises ConnectionConfigError unless it is in a database folder and outside the service's own folders.
    """
    if database == IN_MEMORY:
        return database
    if not database.isprintable() or "?" in database or "://" in database or database.lower().startswith("file:"):
        raise ConnectionConfigError("The field `database` takes a plain path, not a URI.")
    if ".." in database.split("/"):
        raise ConnectionConfigError("The field `database` takes a path without `..`.")
    roots = [os.path.realpath(root) for root in settings.database_roots]
    own = [os.path.realpath(folder) for folder in (settings.state_dir, settings.files_dir, settings.cache_dir)]
    candidates = [os.path.realpath(os.path.join(root, database)) for root in roots]
    path = next(filter(os.path.exists, candidates), candidates[0])
    if not any(_is_below(path, root) for root in roots) or any(_is_below(path, folder) for folder in own):
        raise ConnectionConfigError(
            f"The file {database!r} is outside the database folders; put it there, or add its folder to "
            "SQLCHAT_DATABASE_DIRS."
        )
    return path


def read_stamp(path: str) -> tuple[int, ...]:
    """Return inode, size and time of change of the file at `path`; an empty tuple if there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _is_below(path: str, folder: str) -> bool:
    return os.path.commonpath((path, folder)) == folder


def find_other_provider(engine: str, target: Target) -> ConnectionConfigError | None:
    """Return an error that names the provider of the file if that is not `engine`; else None."""
    try:
        with open(target.path, "rb") as file:
            head = file.read(16)
    except OSError:
        head = b""
    for provider, (offset, mark) in SIGNATURES.items():
        if head[offset : offset + len(mark)] == mark and provider != engine.lower():
            kind = "an SQLite" if provider == "sqlite" else "a DuckDB"
            return ConnectionConfigError(f"{target.shown!r} is {kind} file; the provider `{provider}` reads it.")
    return None


def quoted(name: str) -> str:
    """Return an SQL identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'
