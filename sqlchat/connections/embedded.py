"""Connections to database files, which SQLite and DuckDB share.

The path is checked at each use. The engine runs in a worker process, which is killed when it exceeds its deadline or
its memory.
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
from sqlchat.connections.base import Connection, Results
from sqlchat.connections.encoding import encode_rows
from sqlchat.connections.plan import Plan
from sqlchat.connections.profiling import UNREADABLE, limit_values, order_tables, with_labels
from sqlchat.connections.streams import Stream
from sqlchat.connections.worker_streams import FOREVER, Sender, open_worker_stream
from sqlchat.errors import (
    ConnectionConfigError,
    DatabaseUnavailableError,
    DeadlineError,
    QueryTimeoutError,
    SQLRefusedError,
    TooLargeError,
)
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

R = TypeVar("R")

IN_MEMORY = ":memory:"
GRACE = 0.5
"""Seconds between an engine's own deadline and the end of its process."""
BATCH = 500
"""Rows fetched at a time, so that the limit on bytes acts before memory is full."""
SLICE = 2.5
"""Seconds for which profiling keeps a worker process before others have their turn."""
TABLES_A_SLICE = 200

SIGNATURES = {"sqlite": (0, b"SQLite format 3\0"), "duckdb": (8, b"DUCK")}
"""Offset and mark of each provider's files."""

Profiled = tuple[dict[Path, ColumnProfile], int]
"""Profiles of columns, and the number of tables that were read."""


@dataclass(frozen=True, slots=True)
class Target:
    """A database file on its way into a worker process."""

    path: str
    """Absolute, without symbolic links; ":memory:" for an empty database."""
    shown: str
    """The path as the caller gave it: the only one that messages may show."""
    memory_mb: int
    """MiB of the worker process."""

    def scrubbed(self, message: str) -> str:
        """The engine's `message` without the server's own path."""
        return " ".join(message.replace(self.path, self.shown).split())


class Session(ABC):
    """One task's locked session on a database file, in a worker process. Its errors are ours."""

    def __init__(self, target: Target, timeout: float) -> None:
        self.target, self.timeout = target, timeout
        self.until = time.monotonic() + timeout

    @classmethod
    @abstractmethod
    def open(cls, target: Target, timeout: float) -> AbstractContextManager[Session]:
        """Open the file and set all locks. Statements end after `timeout` seconds."""

    def check(self) -> list[str]:
        """Warnings for the connection's status. That the session could be opened is the check."""
        return []

    @abstractmethod
    def read_catalog(self) -> Catalog: ...

    @abstractmethod
    def run(self, sql: str, max_rows: int, max_bytes: int) -> Results: ...

    def stream(self, sql: str, max_rows: int, path: str) -> None:
        """Send rows to the reader that listens at `path`."""
        with Sender(path) as sender:
            self.send(sql, max_rows, sender)

    @abstractmethod
    def send(self, sql: str, max_rows: int, sender: Sender) -> None: ...

    @abstractmethod
    def explain(self, sql: str) -> Plan: ...

    def read_profiles(self, tables: Sequence[Table]) -> Profiled:
        profiles: dict[Path, ColumnProfile] = {}
        for number, table in enumerate(tables):
            of_table = self.profile_table(table)
            if time.monotonic() > self.until:
                return profiles, number
            profiles |= of_table
        return profiles, len(tables)

    @abstractmethod
    def profile_table(self, table: Table) -> dict[Path, ColumnProfile]:
        """Profiles of the table's columns; none if it cannot be read."""


def perform(target: Target, session: type[Session], act: Callable[..., R], timeout: float, *args: Any) -> R:
    """In a worker process: call `act`, a method of `session`, in a session on the target."""
    with session.open(target, timeout) as opened:
        return act(opened, *args)


class EmbeddedConnection(Connection):
    """A database file, opened for each statement in a worker process and closed after it.

    `config` is `{"database": path}`: relative to one of the database folders or absolute below one, or ":memory:" for
    an empty database. An embedded database has no administrator who watches statements, so `tag` is not used.
    """

    engine: ClassVar[str]
    """The engine's name in messages."""
    session: ClassVar[type[Session]]

    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        if unknown := sorted(set(config) - {"database"}):
            fields = ", ".join(f"`{name}`" for name in unknown)
            raise ConnectionConfigError(f"{self.engine} takes the field `database` alone; unknown: {fields}.")
        given = config.get("database")
        if not isinstance(given, str) or not given.strip():
            raise ConnectionConfigError(f"{self.engine} needs the field `database`: a file's path, or :memory:.")
        self._given, self._settings, self._workers = given.strip(), settings, workers
        locate_file(self._given, settings)

    def check(self) -> list[str]:
        return self._call(self._target(), self._settings.statement_timeout, self.session.check)

    def catalog(self) -> Catalog:
        return self._call(self._present(), self._settings.statement_timeout, self.session.read_catalog)

    def run(self, sql: str, *, max_rows: int, timeout: float, tag: str = "") -> Results:
        refuse_unsendable(sql)
        most = self._settings.max_result_mb << 20
        return self._call(self._present(), timeout, self.session.run, sql, max_rows, most)

    def stream(self, sql: str, *, max_rows: int, idle: float, tag: str = "") -> Stream:
        refuse_unsendable(sql)

        def call(path: str) -> None:
            self._call(self._present(), FOREVER, self.session.stream, sql, max_rows, path)

        return open_worker_stream(call, idle, timed_out)

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        refuse_unsendable(sql)
        return self._call(self._present(), self._settings.statement_timeout, self.session.explain, sql)

    def profiles(self, catalog: Catalog, timeout: float) -> Mapping[Path, ColumnProfile]:
        until, waiting, together = time.monotonic() + timeout, order_tables(catalog.tables), TABLES_A_SLICE
        profiles: dict[Path, ColumnProfile] = {}
        while waiting and (left := min(SLICE, until - time.monotonic())) > 0:
            try:
                part, read = self._call(self._present(), left, self.session.read_profiles, waiting[:together])
            except UNREADABLE:
                part, read = {}, 0
            profiles |= part
            # one table takes more than a slice: read them one by one, and leave that one out
            if not read and together > 1:
                together = 1
            elif not read:
                waiting, together = waiting[1:], TABLES_A_SLICE
            waiting = waiting[read:]
        return limit_values(with_labels(profiles, catalog))

    def _target(self) -> Target:
        path = locate_file(self._given, self._settings)
        if path != IN_MEMORY and not os.path.isfile(path):
            raise ConnectionConfigError(f"There is no file {self._given!r} in the database folders.")
        return Target(path, self._given, self._settings.sql_worker_memory_mb)

    def _present(self) -> Target:
        """The target of a connection that once worked: a missing file is an outage, not a bad config."""
        try:
            return self._target()
        except ConnectionConfigError as exc:
            raise DatabaseUnavailableError(exc.detail) from exc

    def _call(self, target: Target, timeout: float, act: Callable[..., R], *args: Any) -> R:
        """Call `act`, a method of `session`, in a session in a worker process that ends after `timeout` seconds."""
        try:
            return self._workers.call(perform, target, self.session, act, timeout, *args, deadline=timeout + GRACE)
        except QueryTimeoutError:
            raise
        except DeadlineError as exc:
            raise timed_out(timeout) from exc


def locate_file(given: str, settings: Settings) -> str:
    """The path of the file `given`, which need not exist, with symbolic links resolved.

    Raises ConnectionConfigError unless it is in a database folder and outside the service's own folders.
    """
    if given == IN_MEMORY:
        return given
    if not given.isprintable() or "?" in given or "://" in given or given.lower().startswith("file:"):
        raise ConnectionConfigError("The field `database` takes a plain path, not a URI.")
    if ".." in given.split("/"):
        raise ConnectionConfigError("The field `database` takes a path without `..`.")
    roots = [os.path.realpath(root) for root in settings.database_roots]
    own = (settings.state_dir, settings.files_dir, settings.cache_dir)
    kept = [os.path.realpath(folder) for folder in own]
    candidates = [os.path.realpath(os.path.join(root, given)) for root in roots]
    path = next(filter(os.path.exists, candidates), candidates[0])
    if not any(_below(path, root) for root in roots) or any(_below(path, folder) for folder in kept):
        raise ConnectionConfigError(
            f"The file {given!r} is outside the database folders; put it there, or add its folder to "
            "SQLCHAT_DATABASE_DIRS."
        )
    return path


def read_stamp(path: str) -> tuple[int, ...]:
    """Changes when the file at `path` is written or replaced; empty if there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _below(path: str, folder: str) -> bool:
    return os.path.commonpath((path, folder)) == folder


def refuse_unsendable(sql: str) -> None:
    """Raise SQLRefusedError for NUL, at which engines end the text, and for surrogates."""
    if "\0" in sql or any("\ud800" <= character <= "\udfff" for character in sql):
        raise SQLRefusedError("The SQL holds a character that is not text.")


def timed_out(timeout: float) -> QueryTimeoutError:
    return QueryTimeoutError(f"The query took longer than {timeout:g} s and was stopped.")


def belongs_to_another(engine: str, target: Target) -> ConnectionConfigError | None:
    """The error of a file that another provider reads; None for any other file."""
    try:
        with open(target.path, "rb") as file:
            head = file.read(16)
    except OSError:
        head = b""
    for provider, (at, mark) in SIGNATURES.items():
        if head[at : at + len(mark)] == mark and provider != engine.lower():
            kind = "an SQLite" if provider == "sqlite" else "a DuckDB"
            return ConnectionConfigError(f"{target.shown!r} is {kind} file; the provider `{provider}` reads it.")
    return None


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def collect(
    fetch: Callable[[int], Sequence[Sequence[Any]]],
    max_rows: int,
    max_bytes: int,
    convert: Callable[[Sequence[Sequence[Any]]], Sequence[Sequence[Any]]] = lambda rows: rows,
) -> tuple[bytes, int, bool]:
    """At most `max_rows` rows of `fetch(count)` as a JSON array, their number, and whether there were more.

    Raises TooLargeError above `max_bytes`.
    """
    parts: list[bytes] = []
    size = count = 0
    while batch := fetch(min(BATCH, max_rows + 1 - count)):
        kept = batch[: max_rows - count]
        if kept:
            part = encode_rows(convert(kept))[1:-1]
            parts.append(part)
            size += len(part) + 1
        if size > max_bytes:
            raise TooLargeError(f"The result is larger than {max_bytes >> 20} MiB; ask for fewer rows or columns.")
        count += len(kept)
        if len(kept) < len(batch):
            return b"[" + b",".join(parts) + b"]", count, True
    return b"[" + b",".join(parts) + b"]", count, False
