"""Objects in Supabase Storage, through the `supabase` package. The only module that imports it.

Storage answers most refusals with status 400 and says what it means in the body: `statusCode` as text, `error` and
`message`; newer versions send the status itself too. Both are read. A file is streamed: the client reads it in pieces
of 64 KiB.
"""

from __future__ import annotations

import io
import re
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import httpx

from sqlchat.config import Settings
from sqlchat.errors import (
    BucketNotFoundError,
    ConflictError,
    DeadlineError,
    SqlchatError,
    StorageError,
    TooLargeError,
    UnsupportedMediaError,
)
from sqlchat.files.storage.base import Storage

if TYPE_CHECKING:
    from storage3.exceptions import StorageApiError
    from supabase import Client

REFUSED_IN_KEYS = re.compile(rb"[^A-Za-z0-9_/!.*'() &$@;:+,?-]")
"""Storage takes ASCII letters, digits and this punctuation in an object's key, and `=`, which escapes the rest."""

FILE_SERVED_SECONDS = "3600"
"""How long a cache may keep an object: Storage's own default."""


def object_key(name: str) -> str:
    """`name` in the characters that Storage allows, the rest as in quoted-printable (RFC 2045): Ä is =C3=84."""
    return REFUSED_IN_KEYS.sub(lambda found: b"=%02X" % ord(found[0]), name.encode()).decode()


class SupabaseStorage(Storage):
    """Uploads with the service role's key. One HTTP client for all threads, made at the first upload."""

    def __init__(self, settings: Settings) -> None:
        self._url, self._key = settings.supabase_url, settings.supabase_service_role_key
        self._timeout = settings.storage_timeout
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None
        self._client: Client | None = None

    def put(
        self, bucket: str, name: str, file: BinaryIO, size: int, content_type: str, *, upsert: bool = False
    ) -> str:
        from storage3.exceptions import StorageApiError

        key = object_key(name)
        options = {
            "content-type": content_type,
            "cache-control": FILE_SERVED_SECONDS,
            "upsert": "true" if upsert else "false",
        }
        try:
            stored = self._storage().from_(bucket).upload(key, _buffered(file), cast(Any, options))
        except StorageApiError as exc:
            raise _refusal(exc, f"{bucket}/{name}", content_type) from exc
        except httpx.TimeoutException as exc:
            raise DeadlineError(f"Supabase Storage did not answer within {self._timeout:g} s.") from exc
        except httpx.HTTPError as exc:
            raise StorageError("Supabase Storage cannot be reached; check SUPABASE_URL and its status.") from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise StorageError(
                "Supabase Storage sent an answer that is none of its own; check SUPABASE_URL."
            ) from exc
        return str(stored.full_path)

    def close(self) -> None:
        with self._lock:
            http, self._http, self._client = self._http, None, None
        if http is not None:
            http.close()

    def _storage(self) -> Any:
        from supabase import ClientOptions, create_client

        with self._lock:
            if self._client is None:
                self._http = httpx.Client(timeout=self._timeout)
                options = ClientOptions(httpx_client=self._http, auto_refresh_token=False, persist_session=False)
                self._client = create_client(self._url, self._key, options)
            return self._client.storage


def _refusal(exc: StorageApiError, path: str, content_type: str) -> SqlchatError:
    """What an answer of Storage means to the caller."""
    bucket, _, name = path.partition("/")
    message = str(exc.message).lower()
    match int(exc.status) if str(exc.status).isdecimal() else 0, exc.code:
        case (409, _) | (_, "Duplicate" | "KeyAlreadyExists" | "ResourceAlreadyExists"):
            return ConflictError(
                f"There is already a file {name!r} in {bucket!r}; rename yours, or replace it with upsert=true."
            )
        case (404, _) | (_, "NoSuchBucket" | "Bucket not found"):
            return BucketNotFoundError(f"Supabase Storage has no bucket {bucket!r}; create it there first.")
        case (413, _) | (_, "EntityTooLarge" | "Payload too large"):
            return TooLargeError(f"Supabase Storage takes no file of this size in the bucket {bucket!r}.")
        case (415, _) | (_, "InvalidMimeType" | "invalid_mime_type"):
            return UnsupportedMediaError(f"Supabase Storage takes no {content_type} in the bucket {bucket!r}.")
        case (401 | 403, _) | (_, "InvalidJWT" | "AccessDenied" | "Unauthorized" | "SignatureDoesNotMatch"):
            return StorageError("Supabase Storage refused the service's key; check SUPABASE_SERVICE_ROLE_KEY.")
        case (504 | 544, _):
            return DeadlineError("Supabase Storage timed out within itself; try again.")
        case _ if "jwt" in message or "jws" in message:
            return StorageError("Supabase Storage refused the service's key; check SUPABASE_SERVICE_ROLE_KEY.")
    return StorageError(f"Supabase Storage failed (status {exc.status}); its own log says why.")


def _buffered(file: BinaryIO) -> io.BufferedReader:
    """The client streams a BufferedReader, and takes any other object for a path to open."""
    if isinstance(file, io.BufferedReader):
        return file
    return io.BufferedReader(cast(Any, _Raw(file)))


class _Raw(io.RawIOBase):
    """Any binary file as a raw one. Closing it leaves the file open, as that belongs to the caller."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
