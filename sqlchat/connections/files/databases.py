"""Finds or makes the DuckDB database of some stored files, and makes it anew when a file changes.

Its name is a hash of the objects' versions, how they are read and this code's version, so all processes of a machine
find the same one.
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
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlchat.config import Settings
from sqlchat.connections.files.build import DATABASE, FileTable, build
from sqlchat.connections.files.cache import DatabaseCache
from sqlchat.connections.files.config import NamedFile, make_no_such_file_error, read_files
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
from sqlchat.files.storage import Storage
from sqlchat.files.storage.base import StoredObject
from sqlchat.workers import Workers

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

BUILDER = 4
"""Changes with all that would make another database of the same files."""
TIDY_AGAIN = 3600.0
"""Seconds between two looks for databases that nobody uses."""
FAILURES_KEPT = 256
RETRY_FAILED = 60.0
"""Seconds after which files that could not be read are tried again: it may have been for want of memory."""
DISK_RETRY = 10
"""Seconds after which a disk that was full may be no more."""
ASKED_AT_ONCE = 8
TRIES = 3
"""Times that files are fetched which change meanwhile."""


class Readings(Protocol):
    """Keeps how stored files are to be read, as their uploads said."""

    def recall(self, places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
        """Bucket and name -> `read`, for those of the places that have one. Raises StoreUnavailableError."""


class _FilesChangedError(Exception):
    """A file changed while it was fetched."""


class _Copy(io.BufferedWriter):
    """A new file, which takes what arrives in time. Raises TimeoutError past it."""

    def __init__(self, path: str, until: float) -> None:
        super().__init__(io.FileIO(path, "x"))
        self._until = until

    def write(self, data: Buffer) -> int:
        if time.monotonic() > self._until:
            raise TimeoutError(errno.ETIMEDOUT, "the storage takes too long to send them")
        return super().write(data)


@dataclass(frozen=True, slots=True)
class FilesDatabase:
    """A database on disk, which may be removed unless it is held."""

    key: str
    path: str


class FileDatabases:
    """Finds or makes the database of some files. Safe to call from several threads, and opens nothing when made.

    `workers` make the tables. Owners among `shared_owners` are not told apart, and have no folder of their own
    in a bucket. `readings` tells what their uploads said of them. Files are read with the service's key: whose they
    are, their folder says. It is asked at most every `look_again` seconds whether an object has changed.
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
        self._looked: OrderedDict[tuple[str, str], tuple[float, StoredObject]] = OrderedDict()
        self._failed: OrderedDict[str, tuple[float, SqlchatError]] = OrderedDict()

    def read_files(self, owner: str, config: Mapping[str, Any]) -> tuple[NamedFile, ...]:
        """The files of an owner's config. Raises ConnectionConfigError."""
        folder = "" if owner in self._shared_owners else owner
        return read_files(config, self._settings.buckets, folder, self._storage.named)

    def make_key(self, files: tuple[NamedFile, ...]) -> str:
        """Return the cache key of the database; it changes when a file changes. Raises as `find`."""
        objects = self._find_objects(files)
        made_of = [
            (f.bucket, f.name, f.table, f.options.given(), objects[f.bucket, f.name].version)
            for f in self._add_readings(files)
        ]
        made_by = [BUILDER, _read_engine_version()]
        return hashlib.blake2b(json.dumps([made_by, made_of], sort_keys=True).encode(), digest_size=16).hexdigest()

    def find(self, files: tuple[NamedFile, ...]) -> FilesDatabase:
        """The database of files as they are now, made where there is none.

        Raises ConnectionConfigError for a file that is gone or cannot be read (with the facts `file` and, where
        there is one, `line`), DatabaseUnavailableError for a storage or disk that fails, and BusyError. It all takes
        `settings.build_wait` seconds at most, also where others make the same database or are first to make theirs.
        """
        self._tidy()
        until = time.monotonic() + self._settings.build_wait
        for _ in range(TRIES):
            key = self.make_key(files)
            if not self._cache.make_path(key).exists():
                self._refuse_failed(key)
                if not self._make(key, files, until):
                    continue
            return FilesDatabase(key, str(self._cache.make_path(key) / DATABASE))
        raise BusyError("The files change faster than they are read.", retry_after=5)

    @contextmanager
    def hold(self, database_path: str) -> Iterator[bool]:
        """Keep a database from being removed; False where it already was. Raises DatabaseUnavailableError."""
        with ExitStack() as stack:
            key, patience = Path(database_path).parent.name, self._settings.pool_timeout
            try:
                there = stack.enter_context(self._cache.hold(key, patience))
            except OSError as exc:
                raise _make_disk_error(exc) from exc
            yield there

    def look_again_at(self, bucket: str, name: str) -> None:
        """Drop the cached version of an object that has changed."""
        with self._lock:
            self._looked.pop((bucket, name), None)

    def discard(self, key: str) -> None:
        """Remove the database of files as they no longer are."""
        self._cache.discard(key)

    def _tidy(self) -> None:
        """Once in a while, remove what nobody used for long, though nothing is built."""
        now = time.monotonic()
        with self._lock:
            due = now - self._tidied > TIDY_AGAIN
            self._tidied = now if due else self._tidied
        if due:
            self._cache.tidy()

    def _find_objects(self, files: tuple[NamedFile, ...]) -> dict[tuple[str, str], StoredObject]:
        """Describe each file as the storage knew it some seconds ago at most."""
        wanted = {(file.bucket, file.name): file for file in files}
        now = time.monotonic()
        with self._lock:
            fresh = {place: self._looked[place] for place in wanted if place in self._looked}
        found = {place: stored for place, (when, stored) in fresh.items() if now - when < self._look_again}
        missing = [file for place, file in wanted.items() if place not in found]
        if len(missing) > 1:
            with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
                asked = list(pool.map(self._stat, missing))
        else:
            asked = [self._stat(file) for file in missing]
        with self._lock:
            for file, stored in zip(missing, asked, strict=True):
                found[file.bucket, file.name] = stored
                self._looked[file.bucket, file.name] = now, stored
                self._looked.move_to_end((file.bucket, file.name))
            while len(self._looked) > 20 * FAILURES_KEPT:
                self._looked.popitem(last=False)
        return found

    def _stat(self, file: NamedFile) -> StoredObject:
        try:
            return self._storage.stat(file.bucket, file.name)
        except (FileNotFoundInStorageError, BucketNotFoundError) as exc:
            raise make_no_such_file_error(file.shown) from exc
        except (StorageError, ForbiddenError, DeadlineError) as exc:
            raise _make_storage_error(exc) from exc

    def _make(self, key: str, files: tuple[NamedFile, ...], until: float) -> bool:
        """False where the files changed while they were fetched."""
        patience = until - time.monotonic()
        try:
            made = self._cache.make(key, lambda folder: self._fill(folder, key, files, until), patience)
        except _FilesChangedError:
            return False
        except OSError as exc:
            raise _make_disk_error(exc) from exc
        if not made:
            raise _make_busy_error()
        return True

    def _fill(self, folder: Path, key: str, files: tuple[NamedFile, ...], until: float) -> None:
        """Fetch and build, with the build's own time in full: what it had to wait for is no fault of the files."""
        begin = until - self._settings.build_timeout
        if time.monotonic() > begin:
            raise _make_busy_error()
        self._refuse_failed(key)  # somebody else may have tried while this one waited
        try:
            self._refuse_large(files)
            copies = self._fetch(files, folder, begin)
            for file in files:
                self.look_again_at(file.bucket, file.name)
            if self.make_key(files) != key:
                raise _FilesChangedError
            self._build(folder, copies, begin)
        except ConnectionConfigError as exc:
            self._remember(key, exc)
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
        """Copies of the objects on disk, one of each."""
        copies: dict[tuple[str, str], str] = {}
        for file in files:
            place = file.bucket, file.name
            if place in copies:
                continue
            copies[place] = str(folder / f"{len(copies)}.file")
            try:
                with _Copy(copies[place], until) as target:
                    self._storage.fetch(*place, target)
            except (FileNotFoundInStorageError, BucketNotFoundError) as exc:
                raise make_no_such_file_error(file.shown) from exc
            except (StorageError, ForbiddenError, DeadlineError) as exc:
                raise _make_storage_error(exc) from exc
        return tuple(
            FileTable(f.table, f.shown, copies[f.bucket, f.name], f.options) for f in self._add_readings(files)
        )

    def _add_readings(self, files: tuple[NamedFile, ...]) -> tuple[NamedFile, ...]:
        """The files, read as their upload said where their entry does not say it. Raises DatabaseUnavailableError."""
        silent = [(file.bucket, file.name) for file in files if not file.says_how]
        try:
            said = self._readings.recall(silent) if silent and self._readings else {}
        except StoreUnavailableError as exc:
            raise DatabaseUnavailableError(exc.detail, retry_after=exc.retry_after) from exc
        return tuple(
            replace(file, options=Options.parse(said[file.bucket, file.name] | file.options.given()))
            if not file.says_how and (file.bucket, file.name) in said
            else file
            for file in files
        )

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
        """Raise again what making this database raised a short while ago."""
        with self._lock:
            when, failure = self._failed.get(key, (0.0, None))
        if failure is not None and time.monotonic() - when < RETRY_FAILED:
            raise type(failure)(failure.detail, retry_after=failure.retry_after, **failure.facts)

    def _remember(self, key: str, failure: SqlchatError) -> None:
        with self._lock:
            self._failed[key] = time.monotonic(), failure
            while len(self._failed) > FAILURES_KEPT:
                self._failed.popitem(last=False)


@functools.cache
def _read_engine_version() -> str:
    """Its version: a database may not open in another one."""
    return importlib.metadata.version("duckdb")


def _make_storage_error(exc: SqlchatError) -> DatabaseUnavailableError:
    detail = f"The storage of the files fails: {exc.detail}"
    return DatabaseUnavailableError(detail, retry_after=exc.retry_after, place=exc.place)


def _make_busy_error() -> BusyError:
    return BusyError("These files are still being read for somebody else.", retry_after=5)


def _make_disk_error(exc: OSError) -> DatabaseUnavailableError:
    words = exc.strerror or "the disk refused it"
    return DatabaseUnavailableError(f"The files cannot be prepared: {words}.", retry_after=DISK_RETRY)
