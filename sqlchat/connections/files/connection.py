"""Connects to stored files: each is a table in a DuckDB database that is built of them and cached on disk.

The database is read like any other DuckDB file, in the same worker processes and with the same locks. Callers never
choose its path, so `locate_file` is not needed. The inferred keys of the files are stored beside it.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from sqlchat.config import Settings
from sqlchat.connections.duckdb.connection import DuckDBConnection, DuckDBSession
from sqlchat.connections.embedded import R, Session, Target
from sqlchat.connections.files.build import BuildFacts
from sqlchat.connections.files.config import NoSuchFileError
from sqlchat.connections.files.databases import FileDatabases
from sqlchat.errors import (
    BusyError,
    ConnectionConfigError,
    DatabaseUnavailableError,
    FileNotFoundInStorageError,
    SqlchatError,
)
from sqlchat.sql.catalog import Catalog, ForeignKey
from sqlchat.workers import Workers

log = logging.getLogger(__name__)

TRIES = 3


class FilesSession(DuckDBSession):
    """A session on the DuckDB file and the facts beside it."""

    def check(self) -> list[str]:
        return list(self._read_facts().warnings)

    def read_catalog(self) -> Catalog:
        """Return the database's catalog with the keys that were inferred when it was built."""
        catalog, keys = super().read_catalog(), self._read_facts().keys
        tables = []
        for table in catalog.tables:
            foreign = tuple(
                ForeignKey((key.column,), catalog.default_schema, key.ref_table, (key.ref_column,), inferred=True)
                for key in keys.foreign
                if key.table == table.name
            )
            primary = (keys.primary[table.name],) if table.name in keys.primary else ()
            tables.append(replace(table, primary_key=primary, foreign_keys=foreign))
        return replace(catalog, tables=tuple(tables))

    def _read_facts(self) -> BuildFacts:
        return BuildFacts.read(os.path.dirname(self.target.path))


class FilesConnection(DuckDBConnection):
    """Stored files. `config`: `files`, a list of paths or of objects with `path`, `table`, `sheet`, `on_bad_rows`."""

    provider = "files"
    engine = "Files"
    session: ClassVar[type[Session]] = FilesSession

    def __init__(
        self, config: Mapping[str, Any], settings: Settings, workers: Workers, databases: FileDatabases, owner: str
    ) -> None:
        self._files = databases.read_files(owner, config)
        self._settings, self._workers, self._databases = settings, workers, databases
        self._lock = threading.Lock()
        self._key = ""

    def revision(self) -> object:
        try:
            return self._databases.make_key(self._files)
        except ConnectionConfigError as exc:
            raise _make_outage(exc) from exc

    def _target(self) -> Target:
        try:
            database = self._databases.find(self._files)
        except ConnectionConfigError:
            self._replace_database("")
            raise
        self._replace_database(database.parent.name)
        return Target(str(database), "the files", self._settings.sql_worker_memory_mb)

    def _present(self) -> Target:
        try:
            return self._target()
        except ConnectionConfigError as exc:
            raise _make_outage(exc) from exc

    def _replace_database(self, key: str) -> None:
        """Discard the database of before, if it is another one: it may hold deleted data."""
        with self._lock:
            before, self._key = self._key, key
        if before and before != key:
            self._databases.discard(before)

    def _call(self, target: Target, timeout: float, act: Callable[..., R], *args: Any, **options: Any) -> R:
        broken: ConnectionConfigError | None = None
        for _ in range(TRIES):
            with self._databases.hold(target.path) as exists:
                if exists:
                    try:
                        return super()._call(target, timeout, act, *args, **options)
                    except ConnectionConfigError as exc:  # part of it was removed or overwritten
                        if broken is not None:
                            raise _make_outage(exc) from exc
                        broken = exc
            if broken is not None:
                log.warning("database of files is made anew", extra={"reason": broken.detail})
                self._databases.discard(os.path.basename(os.path.dirname(target.path)))
            target = self._present()
        raise BusyError("The files' database is removed faster than it is read.", retry_after=1)


def _make_outage(exc: ConnectionConfigError) -> SqlchatError:
    """Make the error for a connection that once worked: its file is gone or broken, but its config is right."""
    kind = FileNotFoundInStorageError if isinstance(exc, NoSuchFileError) else DatabaseUnavailableError
    return kind(exc.detail, **exc.facts)
