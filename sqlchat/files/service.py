"""Profiles uploads in a killable process, stores them, lists and deletes them.

A `folder` holds one caller's files within a bucket (a signed-in caller's id); `""` is the bucket itself. `token` is
the signed-in caller's own, and the storage applies its policies.
"""

from __future__ import annotations

import builtins
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlchat.config import Settings
from sqlchat.errors import BucketNotFoundError, DeadlineError, FileInvalidError
from sqlchat.files import formats
from sqlchat.files.memory import run_bounded
from sqlchat.files.names import is_safe, make_safe_name
from sqlchat.files.options import Options
from sqlchat.files.profile import Profile, profile
from sqlchat.files.storage import Storage
from sqlchat.files.storage.base import make_absent_error
from sqlchat.workers import Workers

GENERIC = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain", "application/vnd.ms-excel"})
"""Media types that do not identify a table: browsers on Windows send the last one for CSV."""

ACTIVE = re.compile(r"html|xml(?!formats)|svg|script", re.IGNORECASE)
"""Media types that a browser would execute when the object is served."""

MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


class Readings(Protocol):
    """Keeps the `read` options of stored files, for all processes and hosts."""

    def remember(self, bucket: str, name: str, read: dict[str, Any]) -> None: ...

    def recall(self, places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
        """Return bucket and name -> `read` for the places with stored options. Raises StoreUnavailableError."""


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
        return vars(self) | {"profile": self.profile.as_dict()}


@dataclass(frozen=True)
class StoredFile:
    """A stored file, as its owner sees it."""

    name: str
    storage_path: str
    """The path that the upload returned."""
    size_bytes: int
    content_type: str
    updated_at: datetime | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Files:
    """Profiles, stores, lists and deletes files.

    `workers` are those for uploads, with a memory limit for one file. `changed` is called with bucket and key of each
    object that was stored or removed. `readings` keeps the options of each.
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
        self, path: str | Path, file_name: str, options: Options | None = None, *, owner: str = ""
    ) -> Profile:
        """Profile the file at `path`. Owners take turns.

        Raises FileInvalidError, TooLargeError, UnsupportedMediaError, BusyError.
        """
        seconds = self._settings.upload_timeout
        try:
            reading: Callable[..., Profile] = functools.partial(run_bounded, profile)
            arguments = str(path), file_name, options, self._findings
            return self._workers.for_owner(owner).call(reading, *arguments, deadline=seconds)
        except DeadlineError as exc:
            raise FileInvalidError(
                f"The file is too costly to read: it was not done after {seconds:g} s. Split it, or send Parquet."
            ) from exc

    def upload(
        self,
        path: str | Path,
        file_name: str,
        content_type: str | None,
        *,
        bucket: str,
        upsert: bool = False,
        folder: str = "",
        token: str | None = None,
        options: Options | None = None,
    ) -> UploadedFile:
        """Profile the file at `path`, store it in `bucket`, and remember its options.

        Raises the errors of `profile` and `Storage.put`. A file is stored only if it was read to its end.
        """
        self._check(bucket)
        name = make_safe_name(file_name)
        file_profile = self.profile(path, name, options, owner=folder)
        media_type = _choose_media_type(content_type, name)
        size = Path(path).stat().st_size
        key = _join_folder(folder, name)
        with open(path, "rb") as file:
            stored = self._storage.put(bucket, key, file, size, media_type, upsert=upsert, token=token)
        self._remember(bucket, key, options.given() if options else {})
        self._changed(bucket, key)
        return UploadedFile(name, stored, media_type, size, file_profile)

    def list(self, bucket: str, *, folder: str = "", token: str | None = None) -> builtins.list[StoredFile]:
        """List the caller's files in `bucket`, by name. Raises BucketNotFoundError, and as `Storage.list`."""
        self._check(bucket)
        files = []
        for stored in self._storage.list(bucket, folder, token=token):
            name = stored.name.rpartition("/")[2]
            if is_safe(name):  # an object of another program may have a name that no caller can use
                path = f"{bucket}/{self._storage.spell_key(stored.name)}"
                files.append(StoredFile(name, path, stored.size_bytes, stored.content_type, stored.updated_at))
        return files

    def delete(self, storage_path: str, *, folder: str = "", token: str | None = None) -> None:
        """Remove a file of the caller. Raises the errors of `locate` and `Storage.delete`."""
        bucket, name = self.locate(storage_path, folder=folder)
        self._storage.delete(bucket, name, token=token)
        self._remember(bucket, name, {})
        self._changed(bucket, name)

    def locate(self, storage_path: str, *, folder: str = "") -> tuple[str, str]:
        """Return the bucket and name in the storage of a file of the caller, whether it exists or not.

        `storage_path` is the path that the upload returned, with or without the caller's folder. Raises
        BucketNotFoundError, and FileNotFoundInStorageError if no file of the caller can have that path.
        """
        bucket, _, rest = storage_path.partition("/")
        self._check(bucket)
        name = self._storage.read_name(rest.removeprefix(f"{folder}/") if folder else rest)
        if not is_safe(name):
            raise make_absent_error(storage_path[:200])
        return bucket, _join_folder(folder, name)

    def _remember(self, bucket: str, name: str, read: dict[str, Any]) -> None:
        if self._readings is not None:
            self._readings.remember(bucket, name, read)

    def _check(self, bucket: str) -> None:
        if bucket not in self._settings.buckets:
            listed = ", ".join(map(repr, self._settings.buckets)) or "none"
            raise BucketNotFoundError(f"There is no bucket {bucket[:80]!r} for uploads; allowed: {listed}.")


def _join_folder(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _choose_media_type(given: str | None, name: str) -> str:
    """Return the client's media type if it is specific, valid and safe to serve; else that of the format."""
    bare = (given or "").split(";")[0].strip().lower()
    if bare in GENERIC or not MEDIA_TYPE.fullmatch(bare) or ACTIVE.search(bare):
        return formats.find_content_type(name) or "application/octet-stream"
    return bare
