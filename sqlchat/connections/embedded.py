"""What SQLite and DuckDB share: which files may be opened, and the way of their work into a killable process.

Only the files of those two databases use this. A request's path is checked anew at each use, in `Files`; the engine
then runs in a worker process, which is killed when it passes its deadline or its memory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, ParamSpec, TypeVar

from sqlchat.config import Settings
from sqlchat.connections.base import Connection, Results
from sqlchat.connections.encoding import encode_rows
from sqlchat.connections.plan import Plan
from sqlchat.connections.profiling import bounded, in_order, with_labels
from sqlchat.connections.streams import Stream
from sqlchat.connections.worker_streams import FOREVER, open_worker_stream
from sqlchat.errors import (
    ConnectionConfigError,
    DatabaseUnavailableError,
    DeadlineError,
    QueryError,
    QueryTimeoutError,
    SQLRefusedError,
    TooLargeError,
)
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

P = ParamSpec("P")
R = TypeVar("R")

IN_MEMORY = ":memory:"
GRACE = 0.5
"""Seconds between an engine's own deadline and the end of its process."""
BATCH = 500
"""Rows fetched at a time, so that the cap on bytes is seen before memory is full."""
SLICE = 1.0
"""Seconds for which profiling holds a worker process, before others have their turn."""
TABLES_A_SLICE = 200

SIGNATURES = {"sqlite": (0, b"SQLite format 3\0"), "duckdb": (8, b"DUCK")}
"""What stands where in a file that a provider reads."""

Profiled = tuple[dict[Path, ColumnProfile], int]
"""Profiles of columns, and how many of the tables that were given had their turn."""


@dataclass(frozen=True, slots=True)
class Target:
    """A database file on its way into a worker process."""

    path: str
    """Absolute, without symbolic links; ":memory:" for an empty database."""
    shown: str
    """The path as the caller gave it: the only one that a message may hold."""
    memory_mb: int
    """What the worker process may take, in MiB."""

    def scrubbed(self, message: str) -> str:
        """`message` of the engine without the server's own path in it."""
        return " ".join(message.replace(self.path, self.shown).split())


@dataclass(frozen=True, slots=True)
class Tasks:
    """What an engine does with a target: functions at module level, which run in a worker process."""

    check: Callable[[Target, float], None]
    catalog: Callable[[Target, float], Catalog]
    run: Callable[[Target, str, int, int, float], Results]
    """(target, sql, rows at most, bytes at most, seconds)"""
    stream: Callable[[Target, str, int, str], None]
    """(target, sql, rows at most, where to send them)"""
    explain: Callable[[Target, str, float], Plan]
    profiles: Callable[[Target, Sequence[Table], float], Profiled]
    """(target, tables, seconds)"""


class EmbeddedConnection(Connection):
    """A database file, opened for each statement in a worker process and closed after it.

    `config` is `{"database": path}`: relative to one of the database folders or absolute below one, or ":memory:" for
    an empty database. An embedded database has no administrator who watches statements, so `tag` is not used.
    """

    engine: ClassVar[str]
    """The engine's name in messages."""
    tasks: ClassVar[Tasks]

    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        if unknown := sorted(set(config) - {"database"}):
            fields = ", ".join(f"`{name}`" for name in unknown)
            raise ConnectionConfigError(f"{self.engine} takes the field `database` alone; unknown: {fields}.")
        given = config.get("database")
        if not isinstance(given, str) or not given.strip():
            raise ConnectionConfigError(f"{self.engine} needs the field `database`: a file's path, or :memory:.")
        self._given, self._settings, self._workers = given.strip(), settings, workers
        located(self._given, settings)

    def check(self) -> list[str]:
        timeout = self._settings.statement_timeout
        self._call(self.tasks.check, self._target(), timeout, timeout=timeout)
        return []

    def catalog(self) -> Catalog:
        timeout = self._settings.statement_timeout
        return self._call(self.tasks.catalog, self._present(), timeout, timeout=timeout)

    def run(self, sql: str, *, max_rows: int, timeout: float, tag: str = "") -> Results:
        refuse_unsendable(sql)
        most = self._settings.max_result_mb << 20
        return self._call(self.tasks.run, self._present(), sql, max_rows, most, timeout, timeout=timeout)

    def stream(self, sql: str, *, max_rows: int, idle: float, tag: str = "") -> Stream:
        refuse_unsendable(sql)

        def call(path: str) -> None:
            self._call(self.tasks.stream, self._present(), sql, max_rows, path, timeout=FOREVER)

        return open_worker_stream(call, idle, timed_out)

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        refuse_unsendable(sql)
        timeout = self._settings.statement_timeout
        return self._call(self.tasks.explain, self._present(), sql, timeout, timeout=timeout)

    def profiles(self, catalog: Catalog, timeout: float) -> Mapping[Path, ColumnProfile]:
        until, waiting, together = time.monotonic() + timeout, in_order(catalog.tables), TABLES_A_SLICE
        found: dict[Path, ColumnProfile] = {}
        while waiting and (left := min(SLICE, until - time.monotonic())) > 0:
            try:
                part, read = self._call(self.tasks.profiles, self._present(), waiting[:together], left, timeout=left)
            except (QueryError, QueryTimeoutError, SQLRefusedError, TooLargeError):
                part, read = {}, 0
            found |= part
            # one of them is too much for a slice: they are read one by one until it is known which, and that left out
            if not read and together > 1:
                together = 1
            elif not read:
                waiting, together = waiting[1:], TABLES_A_SLICE
            waiting = waiting[read:]
        return bounded(with_labels(found, catalog))

    def _target(self) -> Target:
        path = located(self._given, self._settings)
        if path != IN_MEMORY and not os.path.isfile(path):
            raise ConnectionConfigError(f"There is no file {self._given!r} in the database folders.")
        return Target(path, self._given, self._settings.sql_worker_memory_mb)

    def _present(self) -> Target:
        """The target of a connection that once worked: a file that has gone is an outage, not a bad config."""
        try:
            return self._target()
        except ConnectionConfigError as exc:
            raise DatabaseUnavailableError(exc.detail) from exc

    def _call(self, task: Callable[P, R], *args: Any, timeout: float) -> R:
        try:
            return self._workers.call(task, *args, deadline=timeout + GRACE)
        except QueryTimeoutError:
            raise
        except DeadlineError as exc:
            raise timed_out(timeout) from exc


def located(given: str, settings: Settings) -> str:
    """The real path of the file that `given` names, which need not exist.

    Raises ConnectionConfigError unless it lies in a database folder once symbolic links are followed, apart from the
    service's own state, from uploads and from what is made of them.
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
    """Another value once the file at `path` was written or replaced; empty if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _below(path: str, folder: str) -> bool:
    return os.path.commonpath((path, folder)) == folder


def refuse_unsendable(sql: str) -> None:
    """Raise SQLRefusedError for text that an engine would cut short or cannot take."""
    if "\0" in sql or any("\ud800" <= character <= "\udfff" for character in sql):
        raise SQLRefusedError("The SQL holds a character that is not text.")


def timed_out(timeout: float) -> QueryTimeoutError:
    return QueryTimeoutError(f"The query took longer than {timeout:g} s and was stopped.")


def belongs_to_another(engine: str, target: Target) -> ConnectionConfigError | None:
    """The error of a file that `engine` cannot read and another provider can; None for any other file."""
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

    Raises TooLargeError where they take more than `max_bytes`.
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
