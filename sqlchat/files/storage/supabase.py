"""Objects in Supabase Storage, through the `supabase` package. The only module that imports it.

A signed-in caller's objects are reached with the caller's own token, so that the policies of the project hold for
them; where nobody is signed in, with the service's key. Files above 6 MiB are sent in chunks.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote, urlsplit

import httpx

from sqlchat.config import Settings
from sqlchat.errors import (
    BucketNotFoundError,
    DeadlineError,
    FileNotFoundInStorageError,
    ForbiddenError,
    SqlchatError,
    StorageError,
)
from sqlchat.files.storage.base import Storage, StoredObject, make_absent_error
from sqlchat.files.storage.resumable import LARGE, RefusedError, Uploader, find_endpoint
from sqlchat.files.storage.supabase_errors import StorageCall, translate_refusal
from sqlchat.files.storage.supabase_keys import make_object_key, read_object_name

if TYPE_CHECKING:
    from storage3 import SyncStorageClient
    from supabase import Client

FILE_SERVED_SECONDS = "3600"
"""Seconds that a cache may keep an object: Storage's own default."""

UNKNOWN_TYPE = "application/octet-stream"

PAGE, MOST_LISTED = 1000, 100_000
"""Objects of a folder that are listed at once, and in all."""
PIECE = 1 << 20
LOOKS = (0.0, 0.2, 0.5)
"""Seconds before each check for a small file whose upload was not confirmed."""


class SupabaseStorage(Storage):
    """One HTTP client for all threads, made at the first call."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._url = settings, settings.supabase_url
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
        if size > LARGE:
            metadata = {"bucketName": bucket, "objectName": make_object_key(name)}
            metadata |= {"contentType": content_type, "cacheControl": FILE_SERVED_SECONDS}
            with self._open_client(bucket, name, token, content_type) as storage:
                if not self._make_uploader(storage, token, upsert, size).send(file, size, metadata):
                    self._confirm(bucket, name, size, token)
        else:
            options = {"content-type": content_type, "cache-control": FILE_SERVED_SECONDS}
            options["upsert"] = str(upsert).lower()
            file.seek(0)
            try:
                with self._open_client(bucket, name, token, content_type) as storage:
                    storage.from_(bucket).upload(make_object_key(name), file.read(), cast(Any, options))
            except (StorageError, DeadlineError):  # perhaps the answer got lost after the file was stored
                if not self._is_stored(bucket, name, file, size, token):
                    raise
        return f"{bucket}/{make_object_key(name)}"

    def stat(self, bucket: str, name: str, *, token: str | None = None) -> StoredObject:
        with self._open_to_read(bucket, name, token) as storage:
            found = storage.from_(bucket).info(make_object_key(name))
            if not str(found["size"]).isdecimal():  # begun, and not whole
                raise make_absent_error(f"{bucket}/{make_object_key(name)}")
            updated_at = found.get("last_modified")  # some versions leave it out
            return _describe(name, found["size"], found.get("content_type"), updated_at, found.get("etag"))

    def fetch(self, bucket: str, name: str, target: BinaryIO, *, token: str | None = None) -> None:
        url = f"{self._url.rstrip('/')}/storage/v1/object/{quote(f'{bucket}/{make_object_key(name)}')}"
        seconds = self._settings.transfer_seconds(self._settings.max_upload_mb << 20)
        until = time.monotonic() + seconds
        headers = self._headers(token)
        # A CDN in front may serve the replaced object for up to an hour; this parameter of Supabase's avoids it.
        fresh = {"cacheNonce": uuid.uuid4().hex}
        with (
            self._open_to_read(bucket, name, token) as storage,
            storage.session.stream("GET", url, params=fresh, headers=headers) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise RefusedError(answer)
            for piece in answer.iter_bytes(PIECE):
                target.write(piece)
                if time.monotonic() > until:
                    raise DeadlineError(f"Supabase Storage did not send the file within {seconds:,.0f} s.")

    def list(self, bucket: str, folder: str, *, token: str | None = None) -> builtins.list[StoredObject]:
        objects: builtins.list[StoredObject] = []
        with self._open_client(bucket, folder, token) as storage:
            for offset in range(0, MOST_LISTED, PAGE):
                page = storage.from_(bucket).list(make_object_key(folder), {"limit": PAGE, "offset": offset})
                objects.extend(_list_page(folder, page))
                if len(page) < PAGE:
                    break
        if not objects:
            self._check(bucket)
        return sorted(objects, key=attrgetter("name"))

    def delete(self, bucket: str, name: str, *, token: str | None = None) -> None:
        with self._open_client(bucket, name, token) as storage:
            if not storage.from_(bucket).remove([make_object_key(name)]):
                # Storage skips missing objects, and objects that no policy lets it remove, in the same way.
                self.stat(bucket, name, token=token)
                raise ForbiddenError(f"No policy of Supabase Storage lets you remove files from {bucket!r}.")

    def spell_key(self, name: str) -> str:
        return make_object_key(name)

    def read_name(self, key: str) -> str:
        return read_object_name(key)

    def close(self) -> None:
        with self._lock:
            http, self._http, self._client = self._http, None, None
        if http is not None:
            http.close()

    @contextlib.contextmanager
    def _open_client(
        self, bucket: str, name: str, token: str | None, content_type: str = ""
    ) -> Iterator[SyncStorageClient]:
        """Give Storage's client for a caller, and translate its errors."""
        call = StorageCall(bucket, name, content_type, own=token is not None)
        try:
            with self._translate_errors(call):
                yield self._storage(token)
        except SqlchatError as exc:
            exc.place = urlsplit(self._url).netloc.rpartition("@")[2]
            raise

    @contextlib.contextmanager
    def _translate_errors(self, call: StorageCall) -> Iterator[None]:
        from storage3.exceptions import StorageApiError

        try:
            yield
        except (StorageApiError, RefusedError) as exc:
            raise translate_refusal(exc.status, exc.code, exc.message, call) from exc
        except httpx.TimeoutException as exc:
            seconds = self._settings.storage_timeout
            raise DeadlineError(f"Supabase Storage did not answer within {seconds:g} s.") from exc
        except httpx.HTTPError as exc:
            raise StorageError("Supabase Storage cannot be reached; check SUPABASE_URL and its status.") from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise StorageError(
                "Supabase Storage sent an answer that is none of its own; check SUPABASE_URL."
            ) from exc

    @contextlib.contextmanager
    def _open_to_read(self, bucket: str, name: str, token: str | None) -> Iterator[SyncStorageClient]:
        """Do as `_open_client`, but raise the token's error if Storage says "no bucket" for a refused token."""
        try:
            with self._open_client(bucket, name, token) as storage:
                yield storage
        except BucketNotFoundError:
            with self._open_client(bucket, name, token) as storage:
                storage.from_(bucket).list("", {"limit": 1})  # refused for the token, if it is that
            raise

    def _storage(self, token: str | None) -> SyncStorageClient:
        from storage3 import SyncStorageClient
        from supabase import ClientOptions, create_client

        with self._lock:
            if self._client is None:
                self._http = httpx.Client(timeout=self._settings.storage_timeout)
                options = ClientOptions(httpx_client=self._http, auto_refresh_token=False, persist_session=False)
                self._client = create_client(self._url, self._settings.supabase_service_role_key, options)
            if token is None:
                return self._client.storage
            url = str(self._client.storage_url)
            return SyncStorageClient(url, self._headers(token), http_client=self._http)

    def _headers(self, token: str | None) -> dict[str, str]:
        """Make the headers of a call. With a caller's token, the key only names the project."""
        key = self._settings.supabase_service_role_key
        if token is None:
            return {"apikey": key, "Authorization": f"Bearer {key}"}
        return {"apikey": self._settings.supabase_anon_key or key, "Authorization": f"Bearer {token}"}

    def _make_uploader(self, storage: SyncStorageClient, token: str | None, upsert: bool, size: int) -> Uploader:
        return Uploader(
            storage.session,
            find_endpoint(self._url),
            self._headers(token) | {"x-upsert": str(upsert).lower()},
            self._settings.storage_timeout,
            self._settings.transfer_seconds(size),
        )

    def _check(self, bucket: str) -> None:
        """Raise BucketNotFoundError if there is no bucket: Storage lists such a one as empty."""
        from storage3.exceptions import StorageApiError

        with self._open_client(bucket, "", None) as storage:
            try:
                # The client takes a bucket without an owner for a broken one; that it is there is enough.
                with contextlib.suppress(ValueError):
                    storage.get_bucket(bucket)
            except StorageApiError as exc:
                if exc.message == "Bucket not found":
                    raise

    def _is_stored(self, bucket: str, name: str, file: BinaryIO, size: int, token: str | None) -> bool:
        """Is a small file stored, byte for byte? False if that is not known."""
        for pause in LOOKS:
            time.sleep(pause)
            try:
                if self.stat(bucket, name, token=token).size_bytes == size:
                    self.fetch(bucket, name, copy := io.BytesIO(), token=token)
                    file.seek(0)
                    if copy.getvalue() == file.read():
                        return True
            except FileNotFoundInStorageError:  # it may still be under way
                continue
            except SqlchatError:
                return False
        return False

    def _confirm(self, bucket: str, name: str, size: int, token: str | None) -> None:
        """Check an object whose upload was not confirmed. Raises StorageError unless it has the right size."""
        with contextlib.suppress(FileNotFoundInStorageError, ForbiddenError):
            if self.stat(bucket, name, token=token).size_bytes == size:
                return
        raise StorageError("Supabase Storage did not confirm that it has the whole file.")


def _list_page(folder: str, page: builtins.list[dict[str, Any]]) -> Iterator[StoredObject]:
    """Give the complete objects of a page: a folder has no id, and an unfinished object no metadata or no size.

    An object of another program is left out if its key is not that of a name: nobody could ask for it.
    """
    for entry in page:
        key = f"{make_object_key(folder)}/{entry['name']}" if folder else entry["name"]
        name, facts = read_object_name(key), entry["metadata"]
        if (
            entry["id"]
            and isinstance(facts, dict)
            and str(facts.get("size")).isdecimal()
            and make_object_key(name) == key
        ):
            yield _describe(name, facts["size"], facts.get("mimetype"), entry["updated_at"], facts.get("eTag"))


def _describe(name: str, size: Any, content_type: Any, updated_at: Any, etag: Any) -> StoredObject:
    """Describe an object. Those of an old version of Storage may lack a type and an ETag."""
    when = None
    with contextlib.suppress(ValueError, TypeError):
        when = datetime.fromisoformat(updated_at)
    version = str(etag or updated_at).strip('"')
    return StoredObject(name, int(size), str(content_type or UNKNOWN_TYPE), when, version)
