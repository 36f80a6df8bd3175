"""Profiles uploads in a killable process, stores them, lists and deletes them.

A `folder` holds one caller's files within a bucket (a signed-in caller's id), `""` is the bucket itself; `token`
is the signed-in caller's own, and the storage applies its policies.
"""

from __future__ import annotations

import builtins
import functools
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlchat.config import Settings
from sqlchat.errors import BucketNotFoundError, DeadlineError, FileInvalidError
from sqlchat.files import formats
from sqlchat.files.memory import bounded
from sqlchat.files.names import is_safe, safe_name
from sqlchat.files.options import Options
from sqlchat.files.profile import Profile, profile
from sqlchat.files.storage import Storage
from sqlchat.files.storage.base import make_absent_error
from sqlchat.workers import Workers

GENERIC = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain", "application/vnd.ms-excel"})
"""Media types that say nothing of a table: browsers on Windows call a CSV the last one."""

ACTIVE = re.compile(r"html|xml(?!formats)|svg|script", re.IGNORECASE)
"""Media types that a browser would run when the object is served."""

MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


class Named(Protocol):
    """A spooled file that has a path, such as tempfile.NamedTemporaryFile gives."""

    @property
    def name(self) -> Any: ...


class Readings(Protocol):
    """Keeps how stored files are to be read, for all processes and hosts."""

    def remember(self, bucket: str, name: str, read: dict[str, Any]) -> None: ...


@dataclass(frozen=True)
class UploadedFile:
    file_name: str
    """As stored: the caller's name made safe."""
    storage_path: str
    """`<bucket>/<name>`."""
    content_type: str
    size_bytes: int
    profile: Profile

    def as_dict(self) -> dict[str, Any]:
        return {
            "file_name": self.file_name,
            "storage_path": self.storage_path,
            "content_type": self.content_type,
            "size_bytes": self.size_bytes,
            "profile": self.profile.as_dict(),
        }


@dataclass(frozen=True)
class StoredFile:
    """A stored file, as its owner sees it."""

    name: str
    storage_path: str
    """As the upload answered it."""
    size_bytes: int
    content_type: str
    updated_at: datetime | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Files:
    """Profiles files, stores them and finds them again.

    `workers` are those for uploads: their memory limit is meant for a file. `changed` is told the bucket and key of
    what was stored or removed. `readings` keeps how each is to be read.
    """

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        workers: Workers,
        changed: Callable[[str, str], None] = lambda bucket, name: None,
        readings: Readings | None = None,
    ) -> None:
        self._settings, self._storage, self._workers, self._changed = settings, storage, workers, changed
        self._readings = readings
        self._findings = str(settings.findings_dir)

    def profile(
        self, spooled: Named | str | Path, file_name: str, options: Options | None = None, *, owner: str = ""
    ) -> Profile:
        """Profile the file. `spooled` is its path, or an open file that has one. Owners take turns.

        Raises FileInvalidError, TooLargeError, UnsupportedMediaError, BusyError.
        """
        seconds = self._settings.upload_timeout
        try:
            reading: Callable[..., Profile] = functools.partial(bounded, profile)
            given = str(_path(spooled)), file_name, options, self._findings
            return self._workers.for_owner(owner).call(reading, *given, deadline=seconds)
        except DeadlineError as exc:
            raise FileInvalidError(
                f"The file is too costly to read: it was not done after {seconds:g} s. Split it, or send Parquet."
            ) from exc

    def upload(
        self,
        spooled: Named | str | Path,
        file_name: str,
        content_type: str | None,
        *,
        bucket: str,
        upsert: bool = False,
        folder: str = "",
        token: str | None = None,
        options: Options | None = None,
    ) -> UploadedFile:
        """Profile the file, store it in `bucket`, and remember how it is to be read.

        Raises what `profile` and `Storage.put` raise. Nothing is stored unless the file was read to its end.
        """
        self._check(bucket)
        name = safe_name(file_name)
        found = self.profile(spooled, name, options, owner=folder)
        path = _path(spooled)
        media_type = _media_type(content_type, name)
        size = path.stat().st_size
        key = _within(folder, name)
        with path.open("rb") as file:
            stored = self._storage.put(bucket, key, file, size, media_type, upsert=upsert, token=token)
        self._remember(bucket, key, options.given() if options else {})
        self._changed(bucket, key)
        return UploadedFile(name, stored, media_type, size, found)

    def list(self, bucket: str, *, folder: str = "", token: str | None = None) -> builtins.list[StoredFile]:
        """The caller's files in `bucket`, by name. Raises BucketNotFoundError and what `Storage.list` raises."""
        self._check(bucket)
        kept = []
        for each in self._storage.list(bucket, folder, token=token):
            name = each.name.rpartition("/")[2]
            if is_safe(name):  # what another program put there may have a name that nobody can ask for
                path = f"{bucket}/{self._storage.key(each.name)}"
                kept.append(StoredFile(name, path, each.size_bytes, each.content_type, each.updated_at))
        return kept

    def delete(self, storage_path: str, *, folder: str = "", token: str | None = None) -> None:
        """Remove a file of the caller's. Raises what `locate` and `Storage.delete` raise."""
        bucket, name = self.locate(storage_path, folder=folder)
        self._storage.delete(bucket, name, token=token)
        self._remember(bucket, name, {})
        self._changed(bucket, name)

    def locate(self, storage_path: str, *, folder: str = "") -> tuple[str, str]:
        """Bucket and name, for the storage, of a file of the caller's.

        `storage_path` is as the upload answered it; the caller's folder in it may be left out. That there is such a
        file is not said. Raises BucketNotFoundError, and FileNotFoundInStorageError for what can be no file of the
        caller's, such as another's.
        """
        bucket, _, rest = storage_path.partition("/")
        self._check(bucket)
        name = self._storage.named(rest.removeprefix(f"{folder}/") if folder else rest)
        if not is_safe(name):
            raise make_absent_error(storage_path[:200])
        return bucket, _within(folder, name)

    def _remember(self, bucket: str, name: str, read: dict[str, Any]) -> None:
        if self._readings is not None:
            self._readings.remember(bucket, name, read)

    def _check(self, bucket: str) -> None:
        if bucket not in self._settings.buckets:
            listed = ", ".join(map(repr, self._settings.buckets)) or "none"
            raise BucketNotFoundError(f"There is no bucket {bucket[:80]!r} for uploads; allowed: {listed}.")


def _within(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _path(spooled: Named | str | Path) -> Path:
    """The file's path; an open file writes its buffer first."""
    if isinstance(spooled, str | Path):
        return Path(spooled)
    flush = getattr(spooled, "flush", None)
    if flush is not None:
        flush()
    return Path(os.fspath(spooled.name))


def _media_type(given: str | None, name: str) -> str:
    """The client's, unless it says nothing, is none, or would let a browser run the object; then the format's."""
    bare = (given or "").split(";")[0].strip().lower()
    if bare in GENERIC or not MEDIA_TYPE.fullmatch(bare) or ACTIVE.search(bare):
        return formats.content_type(name) or "application/octet-stream"
    return bare
