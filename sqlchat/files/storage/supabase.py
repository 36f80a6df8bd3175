"""Objects in Supabase Storage, through the `supabase` package. The only module that imports it.

A signed-in caller's objects are reached with the caller's own token, so that the policies of the project hold for
them; where nobody is signed in, with the service's key. Files are streamed: the client reads pieces of 64 KiB.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import itertools
import re
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote

import httpx

from sqlchat.config import Settings
from sqlchat.errors import DeadlineError, StorageError
from sqlchat.files.storage.base import Storage, StoredObject
from sqlchat.files.storage.supabase_errors import no_object, refusal

if TYPE_CHECKING:
    from storage3 import SyncStorageClient
    from supabase import Client

REFUSED_IN_KEYS = re.compile(rb"[^A-Za-z0-9_/!.*'() &$@;:+,?-]")
"""Storage takes ASCII letters, digits and this punctuation in an object's key, and `=`, which escapes the rest."""
ESCAPED = re.compile(rb"=([0-9A-F]{2})")

FILE_SERVED_SECONDS = "3600"
"""How long a cache may keep an object: Storage's own default."""

PAGE = 1000
"""Objects of a list that are asked for at once."""
PIECE = 1 << 20


def object_key(name: str) -> str:
    """`name` in the characters that Storage allows, the rest as in quoted-printable (RFC 2045): Ä is =C3=84."""
    return REFUSED_IN_KEYS.sub(lambda found: b"=%02X" % ord(found[0]), name.encode()).decode()


def object_name(key: str) -> str:
    """The name that `object_key` made `key` of."""
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), key.encode()).decode(errors="replace")


class SupabaseStorage(Storage):
    """One HTTP client for all threads, made at the first call."""

    def __init__(self, settings: Settings) -> None:
        self._url, self._key = settings.supabase_url, settings.supabase_service_role_key
        self._timeout = settings.storage_timeout
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None
        self._client: Client | None = None

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
        key = object_key(name)
        options = {
            "content-type": content_type,
            "cache-control": FILE_SERVED_SECONDS,
            "upsert": "true" if upsert else "false",
        }
        with self._asking(bucket, name, token, content_type) as storage:
            storage.from_(bucket).upload(key, _buffered(file), cast(Any, options))
        return f"{bucket}/{key}"

    def stat(self, bucket: str, name: str, *, token: str | None = None) -> StoredObject:
        with self._asking(bucket, name, token) as storage:
            found = storage.from_(bucket).info(object_key(name))
            return _described(name, found["size"], found["content_type"], found["last_modified"], found["etag"])

    def fetch(self, bucket: str, name: str, target: BinaryIO, *, token: str | None = None) -> None:
        with self._asking(bucket, name, token) as storage:
            url = f"{storage.from_(bucket)._base_url}object/{quote(f'{bucket}/{object_key(name)}')}"
            with storage.session.stream("GET", url, headers=self._headers(token)) as answer:
                if not answer.is_success:
                    raise _refused(answer, bucket, name, token)
                for piece in answer.iter_bytes(PIECE):
                    target.write(piece)

    def list(self, bucket: str, folder: str, *, token: str | None = None) -> builtins.list[StoredObject]:
        found: builtins.list[StoredObject] = []
        with self._asking(bucket, folder, token) as storage:
            for offset in itertools.count(0, PAGE):
                page = storage.from_(bucket).list(object_key(folder), {"limit": PAGE, "offset": offset})
                found.extend(_listed(folder, page))
                if len(page) < PAGE:
                    break
        return sorted(found, key=lambda each: each.name)

    def delete(self, bucket: str, name: str, *, token: str | None = None) -> None:
        with self._asking(bucket, name, token) as storage:
            removed = storage.from_(bucket).remove([object_key(name)])
        if not removed:
            raise no_object(bucket, name)

    def key(self, name: str) -> str:
        return object_key(name)

    def named(self, key: str) -> str:
        return object_name(key)

    def close(self) -> None:
        with self._lock:
            http, self._http, self._client = self._http, None, None
        if http is not None:
            http.close()

    @contextlib.contextmanager
    def _asking(
        self, bucket: str, name: str, token: str | None, content_type: str = ""
    ) -> Iterator[SyncStorageClient]:
        """Storage's client for a caller; what it raises is told in our words."""
        from storage3.exceptions import StorageApiError

        try:
            yield self._storage(token)
        except StorageApiError as exc:
            own = token is not None
            raise refusal(
                exc.status, exc.code, exc.message, bucket=bucket, name=name, content_type=content_type, own=own
            ) from exc
        except httpx.TimeoutException as exc:
            raise DeadlineError(f"Supabase Storage did not answer within {self._timeout:g} s.") from exc
        except httpx.HTTPError as exc:
            raise StorageError("Supabase Storage cannot be reached; check SUPABASE_URL and its status.") from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise StorageError(
                "Supabase Storage sent an answer that is none of its own; check SUPABASE_URL."
            ) from exc

    def _storage(self, token: str | None) -> SyncStorageClient:
        from storage3 import SyncStorageClient
        from supabase import ClientOptions, create_client

        with self._lock:
            if self._client is None:
                self._http = httpx.Client(timeout=self._timeout)
                options = ClientOptions(httpx_client=self._http, auto_refresh_token=False, persist_session=False)
                self._client = create_client(self._url, self._key, options)
            if token is None:
                return self._client.storage
            return SyncStorageClient(str(self._client.storage_url), self._headers(token), http_client=self._http)

    def _headers(self, token: str | None) -> dict[str, str]:
        return {"apikey": self._key, "Authorization": f"Bearer {token or self._key}"}


def _refused(answer: httpx.Response, bucket: str, name: str, token: str | None) -> Exception:
    answer.read()
    try:
        body = answer.json()
        status, code, message = body["statusCode"], body["error"], body["message"]
    except (ValueError, KeyError, TypeError):
        status, code, message = answer.status_code, "", ""
    return refusal(status, code, message, bucket=bucket, name=name, own=token is not None)


def _listed(folder: str, page: builtins.list[dict[str, Any]]) -> Iterator[StoredObject]:
    """The objects of a page: a folder has no id, and what another program named cannot be asked for by our names."""
    for entry in page:
        key = f"{object_key(folder)}/{entry['name']}" if folder else entry["name"]
        name = object_name(key)
        if entry["id"] is not None and object_key(name) == key:
            facts = entry["metadata"]
            yield _described(name, facts["size"], facts["mimetype"], entry["updated_at"], facts.get("eTag"))


def _described(name: str, size: Any, content_type: Any, updated_at: Any, etag: Any) -> StoredObject:
    when = datetime.fromisoformat(updated_at) if updated_at else None
    return StoredObject(
        name, int(size), str(content_type), when, str(etag).strip('"') if etag else f"{updated_at}-{size}"
    )


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
