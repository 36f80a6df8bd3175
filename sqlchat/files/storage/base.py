"""The interface of storages.

`token` is a signed-in caller's own: a storage with policies applies them. Without one, the service's key is used.
Methods also raise ForbiddenError, StorageError and DeadlineError.
"""

from __future__ import annotations

import builtins
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from sqlchat.errors import ConflictError, FileNotFoundInStorageError


@dataclass(frozen=True)
class StoredObject:
    name: str
    """Its key within the bucket, folders included."""
    size_bytes: int
    content_type: str
    updated_at: datetime | None
    version: str
    """Changes when the content may have changed."""


class Storage(ABC):
    """Keeps objects by bucket and name. Safe to use from several threads.

    A `name` is one that `files.names.make_safe_name` returned, perhaps below folders of such names.
    """

    @abstractmethod
    def put(
        self,
        bucket: str,
        name: str,
        file: BinaryIO,
        size: int,
        content_type: str,
        *,
        upsert: bool = False,
        token: str | None = None,
    ) -> str:
        """Store the `size` bytes of `file`, read from its beginning in pieces, and return the path of the object.

        An object of that name is replaced with `upsert` only, unless both are put at the same time: Supabase Storage
        then keeps the last. An object is visible only when it is complete.

        Raises ConflictError, BucketNotFoundError, TooLargeError, UnsupportedMediaError.
        """

    @abstractmethod
    def stat(self, bucket: str, name: str, *, token: str | None = None) -> StoredObject:
        """Describe an object. Raises FileNotFoundInStorageError, BucketNotFoundError."""

    @abstractmethod
    def fetch(self, bucket: str, name: str, target: BinaryIO, *, token: str | None = None) -> None:
        """Write an object into `target`, in pieces. An OSError is the target's own.

        Raises FileNotFoundInStorageError, BucketNotFoundError.
        """

    @abstractmethod
    def list(self, bucket: str, folder: str, *, token: str | None = None) -> builtins.list[StoredObject]:
        """List the objects directly in a folder (`""`: the bucket itself), by name. Raises BucketNotFoundError."""

    @abstractmethod
    def delete(self, bucket: str, name: str, *, token: str | None = None) -> None:
        """Remove an object. Raises FileNotFoundInStorageError, BucketNotFoundError."""

    def spell_key(self, name: str) -> str:
        """Return the spelling of `name` in the paths that `put` returns."""
        return name

    def read_name(self, key: str) -> str:
        """Return the name that `key` spells."""
        return key

    def close(self) -> None:  # noqa: B027  a storage without connections has nothing to close
        """Close the storage's connections."""


def make_taken_error(path: str) -> ConflictError:
    """Make the error for a `path` (`<bucket>/<key>`) that an object has already."""
    return ConflictError(f"There is already a file {path!r}; rename yours, or replace it with upsert=true.")


def make_absent_error(path: str) -> FileNotFoundInStorageError:
    """Make the error for a `path` without an object."""
    return FileNotFoundInStorageError(f"There is no file {path!r}.")
