"""Where objects are kept: what every storage offers. Implemented by `local` and `supabase`, used by `service`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import BinaryIO


class Storage(ABC):
    """Keeps objects by bucket and name. Safe to use from several threads."""

    @abstractmethod
    def put(
        self, bucket: str, name: str, file: BinaryIO, size: int, content_type: str, *, upsert: bool = False
    ) -> str:
        """Store the `size` bytes of `file`, read from its beginning in pieces, and give the path they are kept at.

        `name` is one that `files.names.safe_name` gave, perhaps below folders of such names. An object of that name
        is replaced with `upsert` only. Nothing of an object is to be seen before it is whole.

        Raises ConflictError, BucketNotFoundError, TooLargeError, UnsupportedMediaError, StorageError, DeadlineError.
        """

    def close(self) -> None:  # noqa: B027  a storage without connections has nothing to close
        """Give back what the storage holds."""
