"""Finds or builds the DuckDB database of some stored files, and builds a new one when a file changes.

Its name is a hash of the objects' versions, their options and this code's version, so all processes of a machine
find the same database.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import importlib.metadata
import io
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlchat.config import Settings
from sqlchat.connections.files.build import DATABASE, FileTable, build
from sqlchat.connections.files.cache import DatabaseCache
from sqlchat.connections.files.config import NamedFile, make_no_such_file_error, read_files
from sqlchat.connections.lru_cache import LruCache
from sqlchat.errors import (
    BucketNotFoundError,
    BusyError,
    ConnectionConfigError,
    DatabaseUnavailableError,
    DeadlineError,
    FileInvalidError,
    FileNotFoundInStorageError,
    ForbiddenError,
    SqlchatError,
    StorageError,
    StoreUnavailableError,
    TooLargeError,
    UnsupportedMediaError,
)
from sqlchat.files.options import Options
from sqlchat.files.service import Readings
from sqlchat.files.storage import Storage
from sqlchat.files.storage.base import StoredObject
from sqlchat.workers import Workers

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

BUILDER = 6
"""Version of this code: raise it if the same files would make another database."""
TIDY_AGAIN = 3600.0
"""Seconds between two looks for databases that nobody uses."""
MOST_FAILURES, MOST_OBJECTS, MOST_CHARACTERS = 256, 5000, 5_000_000
"""Results that are kept, and their characters."""
RETRY_FAILED = 60.0
"""Seconds after which files that could not be read are tried again: memory may have been short."""
DISK_RETRY = 10
"""Seconds after which a full disk may have room again."""
ASKED_AT_ONCE = 8
TRIES = 3
"""Tries to fetch files that change meanwhile."""


class _FilesChangedError(Exception):
    """A file changed while it was fetched."""


class _Copy(io.BufferedWriter):
    """A new file that can be written until a deadline. Raises TimeoutError after it."""

    def __init__(self, path: str, until: float) -> None:
        super().__init__(io.FileIO(path, "x"))
        self._until = until

    def write(self, data: Buffer) -> int:
        if time.monotonic() > self._until:
            raise TimeoutError(errno.ETIMEDOUT, "the storage takes too long to send them")
        return super().write(data)


class FileDatabases:
    """Finds or builds the database of some files. Safe to call from several threads.

    `workers` build the tables. `shared_owners` share the bucket itself; each other owner has a folder in it. The
    service's key reads the files, so the folder alone shows their owner. `readings` has the options of the uploads.
    The storage is asked at most every `look_again` seconds if an object has changed.
    """

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        workers: Workers,
        shared_owners: Iterable[str],
        look_again: float = 3.0,
        *,
        readings: Readings | None = None,
    ) -> None:
        self._settings, self._storage, self._workers, self._readings = settings, storage, workers, readings
        self._shared_owners, self._look_again = frozenset(shared_owners), look_again
        self._cache = DatabaseCache(settings.cache_dir / "files", settings.files_cache_mb << 20)
        self._lock = threading.Lock()
        self._tidied = -TIDY_AGAIN
        self._objects: LruCache[tuple[float, StoredObject]] = LruCache(MOST_OBJECTS, MOST_CHARACTERS)
        self._failures: LruCache[tuple[float, SqlchatError]] = LruCache(MOST_FAILURES, MOST_CHARACTERS)

    def read_files(self, owner: str, config: Mapping[str, Any]) -> tuple[NamedFile, ...]:
        """Return the files of an owner's config. Raises ConnectionConfigError."""
        folder = "" if owner in self._shared_owners else owner
        return read_files(config, self._settings.buckets, folder, self._storage.read_name)

    def make_key(self, files: tuple[NamedFile, ...]) -> str:
        """Return the cache key of the database; it changes when a file changes. Raises as `find`."""
        objects = self._find_objects(files)
        sources = [
            (*f.place, f.table, f.options.given(), objects[f.place].version) for f in self._add_readings(files)
        ]
        versions = [BUILDER, _read_engine_version()]
        return hashlib.blake2b(json.dumps([versions, sources], sort_keys=True).encode(), digest_size=16).hexdigest()

    def find(self, files: tuple[NamedFile, ...]) -> Path:
        """Return the path of the database of the files as they are now; build it if there is none.

        It may be removed unless `hold` keeps it. The name of its folder is its key.

        Raises ConnectionConfigError for a file that is gone or cannot be read (with the facts `file` and, if known,
        `line`), DatabaseUnavailableError for a storage or disk that fails, and BusyError. It takes
        `settings.build_wait` seconds at most, also if it waits for other builds.
        """
        self._tidy()
        until = time.monotonic() + self._settings.build_wait
        for _ in range(TRIES):
            key = self.make_key(files)
            folder = self._cache.make_path(key)
            if not folder.exists():
                self._refuse_failed(key)
                if not self._make(key, files, until):
                    continue
            return folder / DATABASE
        raise BusyError("The files change faster than they are read.", retry_after=5)

    @contextmanager
    def hold(self, database_path: str) -> Iterator[bool]:
        """Keep a database from being removed; False if it already was. Raises DatabaseUnavailableError."""
        with ExitStack() as stack:
            key, patience = Path(database_path).parent.name, self._settings.pool_timeout
            try:
                exists = stack.enter_context(self._cache.hold(key, patience))
            except OSError as exc:
                raise _make_disk_error(exc) from exc
            yield exists

    def look_again_at(self, bucket: str, name: str) -> None:
        """Drop the cached version of an object that has changed."""
        self._objects.remove((bucket, name))

    def discard(self, key: str) -> None:
        """Remove a database that is out of date."""
        self._cache.discard(key)

    def _tidy(self) -> None:
        """Remove unused databases once an hour, also if none is built."""
        now = time.monotonic()
        with self._lock:
            is_due = now - self._tidied > TIDY_AGAIN
            if is_due:
                self._tidied = now
        if is_due:
            self._cache.tidy()

    def _find_objects(self, files: tuple[NamedFile, ...]) -> dict[tuple[str, str], StoredObject]:
        """Describe each file as the storage had it at most `look_again` seconds ago."""
        oldest = time.monotonic() - self._look_again
        cached = {file.place: self._objects.get(file.place) for file in files}
        objects = {place: entry[1] for place, entry in cached.items() if entry and entry[0] > oldest}
        stale = {file.place: file for file in files if file.place not in objects}
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:  # it starts no thread if nothing is stale
            return objects | dict(zip(stale, pool.map(self._stat, stale.values()), strict=True))

    def _stat(self, file: NamedFile) -> StoredObject:
        when = time.monotonic()
        with _translate_storage_errors(file):
            stored = self._storage.stat(*file.place)
        self._objects.put(file.place, (when, stored))
        return stored

    def _make(self, key: str, files: tuple[NamedFile, ...], until: float) -> bool:
        """Build a database; return False if the files changed while they were fetched."""
        patience = until - time.monotonic()
        try:
            is_made = self._cache.make(key, lambda folder: self._fill(folder, key, files, until), patience)
        except _FilesChangedError:
            return False
        except OSError as exc:
            raise _make_disk_error(exc) from exc
        if not is_made:
            raise _make_busy_error()
        return True

    def _fill(self, folder: Path, key: str, files: tuple[NamedFile, ...], until: float) -> None:
        """Fetch the files and build their database. Waiting does not shorten the build's own time."""
        begin = until - self._settings.build_timeout
        if time.monotonic() > begin:
            raise _make_busy_error()
        self._refuse_failed(key)  # another process may have tried in the meantime
        try:
            self._refuse_large(files)
            copies = self._fetch(files, folder, begin)
            for file in files:
                self.look_again_at(*file.place)
            if self.make_key(files) != key:
                raise _FilesChangedError
            self._build(folder, copies, begin)
        except ConnectionConfigError as exc:
            self._failures.put(key, (time.monotonic(), exc))
            raise
        for path in {copy.path for copy in copies}:
            Path(path).unlink()

    def _refuse_large(self, files: tuple[NamedFile, ...]) -> None:
        size = sum(stored.size_bytes for stored in self._find_objects(files).values()) >> 20
        most = self._settings.files_cache_mb
        if size > most:
            raise ConnectionConfigError(
                f"The files take {size:,} MiB; up to {most:,} can be asked in one connection."
            )

    def _fetch(self, files: tuple[NamedFile, ...], folder: Path, until: float) -> tuple[FileTable, ...]:
        """Copy each object to the disk once, and return the tables to make of the copies."""
        copies: dict[tuple[str, str], str] = {}
        for file in files:
            if file.place in copies:
                continue
            copies[file.place] = str(folder / f"{len(copies)}.file")
            with _translate_storage_errors(file), _Copy(copies[file.place], until) as target:
                self._storage.fetch(*file.place, target)
        return tuple(FileTable(f.table, f.shown, copies[f.place], f.options) for f in self._add_readings(files))

    def _add_readings(self, files: tuple[NamedFile, ...]) -> tuple[NamedFile, ...]:
        """Give files without options the options of their upload. Raises DatabaseUnavailableError."""
        places = [file.place for file in files if not file.has_read]
        try:
            recalled = self._readings.recall(places) if places and self._readings else {}
        except StoreUnavailableError as exc:
            raise DatabaseUnavailableError(exc.detail, retry_after=exc.retry_after) from exc
        completed = []
        for file in files:
            read = None if file.has_read else recalled.get(file.place)
            options = file.options if read is None else Options.parse(read | file.options.given())
            completed.append(replace(file, options=options))
        return tuple(completed)

    def _build(self, folder: Path, files: tuple[FileTable, ...], begin: float) -> None:
        settings, seconds = self._settings, self._settings.build_timeout
        most = settings.upload_worker_memory_mb, settings.files_cache_mb, str(settings.findings_dir)
        try:
            patience = begin - time.monotonic()
            self._workers.call(build, str(folder), files, *most, deadline=seconds, patience=patience)
        except DeadlineError as exc:
            raise ConnectionConfigError(
                f"The files are too costly to read: it was not done after {seconds:g} s. Split them, or use Parquet."
            ) from exc
        except (FileInvalidError, TooLargeError, UnsupportedMediaError) as exc:
            name = exc.facts.get("file")
            about = f"The file {name!r} cannot be read: " if name else "The files cannot be read: "
            raise ConnectionConfigError(about + exc.detail, **exc.facts) from exc

    def _refuse_failed(self, key: str) -> None:
        """Raise the error again if building this database failed a short while ago."""
        when, failure = self._failures.get(key) or (0.0, None)
        if failure is not None and time.monotonic() - when < RETRY_FAILED:
            raise type(failure)(failure.detail, retry_after=failure.retry_after, **failure.facts)


@functools.cache
def _read_engine_version() -> str:
    """Return DuckDB's version: another one may not open a database."""
    return importlib.metadata.version("duckdb")


@contextmanager
def _translate_storage_errors(file: NamedFile) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundInStorageError, BucketNotFoundError) as exc:
        raise make_no_such_file_error(file.shown) from exc
    except (StorageError, ForbiddenError, DeadlineError) as exc:
        detail = f"The storage of the files fails: {exc.detail}"
        raise DatabaseUnavailableError(detail, retry_after=exc.retry_after, place=exc.place) from exc


def _make_busy_error() -> BusyError:
    return BusyError("These files are still being read for somebody else.", retry_after=5)


def _make_disk_error(exc: OSError) -> DatabaseUnavailableError:
    words = exc.strerror or "the disk refused it"
    return DatabaseUnavailableError(f"The files cannot be prepared: {words}.", retry_after=DISK_RETRY)
