"""A server that speaks Supabase Storage's protocol as its own one does: statuses, bodies, policies, TUS, locks.

Refusals are status 400 (500 for faults) with the meaning in the body, those of resumable uploads their own status
with a bare message, unless it is the token that is refused: that happens before. A path ends at a `;` that is not
escaped, in the versions with Fastify 4. A name is looked for before an upload and not at its end, so the last of two
at once is kept. Who reads an object with a bad token is told that there is no bucket. What
callers may do is decided by policies on buckets, by default none; the service's key may do everything. Faults can be
ordered: an answer that is lost, a body that is cut, a status.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import struct
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jwt
from supabase_storage_kept import Bucket, Object, Upload
from supabase_storage_refusals import (
    BAD_BODY,
    NO_BUCKET,
    NO_BUCKET_NAME,
    NO_HEADER,
    NO_OBJECT,
    NO_POLICY,
    READ_ONLY,
    TAKEN,
    TOO_LARGE,
    TOO_LONG,
    Refused,
    bad_token,
    bad_type,
    no_route,
)
from werkzeug import Request, Response
from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import WSGIRequestHandler, make_server

SERVICE_KEY = "service-role-key"
VALID_KEY = re.compile(r"[\w/!.*'() &$@=;:+,?-]+", re.ASCII)
VALID_BUCKET = re.compile(r"[\w!.*'() &$@=;:+,?-]{1,100}", re.ASCII)
FASTIFY_5 = (1, 40, 0)
OLD = (1, 11, 13)
"""Up to here an expired token is told in other words, and less is told of an object."""
NEWEST = "1.70.6"
LONGEST = 255
"""Bytes of a part of a key that a file system takes."""
CHUNK = 6 << 20
BASE = "/storage/v1"


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body_bytes: int


@dataclass
class Fault:
    method: str
    path: str
    kind: str | int
    """A status; `lost`: done, and not answered; `late`: done, and answered too late; `dropped`: neither; `cut`: a
    third of the body is taken; `hang`: not done, and late; `locked`: the database only reads."""
    skip: int
    times: int


class SupabaseStorageServer:
    """Serves until closed. `buckets`, `objects` (by bucket and key), `uploads` and `calls` may be looked into.

    A call that hangs is answered `late` seconds late. It answers as that `version` does, with files below it;
    `size_limit` is the project's, in bytes.
    """

    def __init__(self, folder: Path, jwt_secret: str = "", late: float = 20.0, version: str = NEWEST) -> None:
        self._folder, self._secret, self._late = folder, jwt_secret, late
        self.version = tuple(map(int, version.split(".")))
        self.size_limit = 50 << 30
        self.buckets: dict[str, Bucket] = {"uploads": Bucket()}
        self.objects: dict[tuple[str, str], Object] = {}
        self.uploads: dict[str, Upload] = {}
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self._server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def order(self, method: str, kind: str | int, *, path: str = "", skip: int = 0, times: int = 1) -> None:
        """Have calls of that method, to paths that hold `path`, fail: `times` of them after the first `skip`."""
        self.faults.append(Fault(method, path, kind, skip, times))

    def made(self, method: str, path: str = "") -> list[Call]:
        return [call for call in self.calls if call.method == method and path in call.path]

    def __call__(self, environ, start_response):
        request = Request(environ)
        ends = "[?]" if self.version >= FASTIFY_5 else "[?;]"
        path = unquote(re.split(ends, environ["REQUEST_URI"])[0])
        fault = self._fault(request.method, path)
        try:
            response = self._faulty(request, path, fault) if fault else self._answer(request, path)
        except Refused as refused:
            response = refused.answer(by_tus=path.startswith(f"{BASE}/upload/resumable"))
        self.calls.append(Call(request.method, path, dict(request.headers), request.content_length or 0))
        with contextlib.suppress(OSError, ClientDisconnected):
            while request.stream.read(1 << 16):
                pass
        return response(environ, start_response)

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.method == method and fault.path in path and fault.times:
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _faulty(self, request: Request, path: str, fault: Fault) -> Response:
        if isinstance(fault.kind, int):
            raise Refused(fault.kind, "InternalError", "Internal server error")
        if fault.kind == "locked":
            raise READ_ONLY
        if fault.kind == "hang":
            time.sleep(self._late)
        if fault.kind in ("lost", "late"):
            self._answer(request, path).close()
        if fault.kind == "late":
            time.sleep(self._late)
        if fault.kind == "cut":
            upload = self._upload(path)
            with upload.path.open("ab") as file:
                file.write(request.stream.read((request.content_length or 0) // 3))
        line = request.environ["werkzeug.socket"]
        # Without a reset at the end, a caller whose window is full would wait for its own timeout.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.shutdown(socket.SHUT_RDWR)
        return Response()

    def _answer(self, request: Request, path: str) -> Response:
        parts = path.removeprefix(BASE).split("/")[1:]
        try:
            sub = self._caller(request)
        except Refused:
            if request.method == "GET" and parts[0] == "object":
                raise NO_BUCKET from None
            raise
        match request.method, parts:
            case "POST", ["upload", "resumable"]:
                return self._create(request, sub)
            case ("HEAD" | "PATCH" | "DELETE") as method, ["upload", "resumable", _]:
                return self._resume(request, method, path, sub)
            case "GET", ["object", "info", bucket, *key]:
                return self._info(bucket, "/".join(key), sub)
            case "GET", ["bucket", bucket]:
                return self._show(bucket, sub)
            case "POST", ["object", "list", bucket]:
                return self._list(request, bucket, sub)
            case "POST", ["object", bucket, *key]:
                return self._put(request, bucket, "/".join(key), sub)
            case "GET", ["object", bucket, *key]:
                return self._get(bucket, "/".join(key), sub)
            case "DELETE", ["object", bucket]:
                return self._delete(request, bucket, sub)
        raise no_route(request.method, path)

    def _caller(self, request: Request) -> str | None:
        """The `sub` of a token, "" of one without, such as the project's for `anon`; None: the service's key."""
        if "Authorization" not in request.headers:
            raise NO_HEADER
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token == SERVICE_KEY:
            return None
        try:
            claims = jwt.decode(token, self._secret, algorithms=["HS256"], options={"verify_aud": False})
            return None if claims.get("role") == "service_role" else claims.get("sub", "")
        except jwt.ExpiredSignatureError:
            old = self.version <= OLD
            raise bad_token("jwt expired" if old else '"exp" claim timestamp check failed') from None
        except jwt.InvalidSignatureError:
            raise bad_token("signature verification failed") from None
        except jwt.PyJWTError:
            raise bad_token("Invalid Compact JWS") from None

    def _allowed(self, action: str, bucket: str, key: str, sub: str | None) -> bool:
        return sub is None or self.buckets[bucket].policy(action, sub, key)

    def _may_upload(self, bucket: str, key: str, sub: str | None, upsert: bool, size: int = 0) -> None:
        """As Storage tries it: an insert, or an insert that may become an update, rolled back.

        A `size` that was announced is looked at before what may be done.
        """
        if not VALID_BUCKET.fullmatch(bucket):
            raise NO_BUCKET_NAME
        if bucket not in self.buckets:
            raise NO_BUCKET
        if not VALID_KEY.fullmatch(key):
            raise Refused(400, "InvalidKey", f"Invalid key: {key}")
        if size > min(self.buckets[bucket].size_limit, self.size_limit):
            raise Refused(413, "", "Maximum size exceeded\n")
        needed = ("insert", "select", "update") if upsert else ("insert",)
        if not all(self._allowed(action, bucket, key, sub) for action in needed):
            raise NO_POLICY
        if not upsert and (bucket, key) in self.objects:
            raise TAKEN

    def _keep(
        self, bucket: str, key: str, path: Path, content_type: str, cache_control: str, sub: str | None
    ) -> None:
        if max(map(len, key.split("/"))) > LONGEST:
            raise TOO_LONG
        self.objects[bucket, key] = Object(path, content_type, cache_control, sub)

    def _put(self, request: Request, bucket: str, key: str, sub: str | None) -> Response:
        self._may_upload(bucket, key, sub, request.headers.get("x-upsert") == "true")
        path = self._new_path()
        with contextlib.closing(request.files["file"]) as file:
            file.save(path)
        if path.stat().st_size > min(self.buckets[bucket].size_limit, self.size_limit):
            raise TOO_LARGE
        allowed = self.buckets[bucket].types
        if allowed and file.content_type not in allowed:
            raise bad_type(file.content_type, self.version)
        self._keep(bucket, key, path, file.content_type, f"max-age={request.form['cacheControl']}", sub)
        return _json({"Id": str(uuid.uuid4()), "Key": f"{bucket}/{key}"})

    def _readable(self, bucket: str, key: str, sub: str | None) -> Object:
        if bucket not in self.buckets:
            raise NO_BUCKET
        found = self.objects.get((bucket, key))
        if found is None or not self._allowed("select", bucket, key, sub):
            raise NO_OBJECT
        return found

    def _info(self, bucket: str, key: str, sub: str | None) -> Response:
        found = self._readable(bucket, key, sub)
        facts = found.facts or {}
        told = {
            "id": str(uuid.uuid4()),
            "name": key,
            "version": found.version,
            "size": facts.get("size"),
            "content_type": facts.get("mimetype"),
            "cache_control": facts.get("cacheControl"),
            "etag": facts.get("eTag"),
            "metadata": {},
            "created_at": found.updated_at,
        }
        newer = {} if self.version <= OLD else {"bucket_id": bucket, "last_modified": facts.get("lastModified")}
        return _json(told | newer)

    def _get(self, bucket: str, key: str, sub: str | None) -> Response:
        found = self._readable(bucket, key, sub)
        size = found.size
        return Response(
            found.path.open("rb"),
            content_type=found.content_type,
            headers={"Content-Length": str(size), "ETag": found.etag},
            direct_passthrough=True,
        )

    def _show(self, bucket: str, sub: str | None) -> Response:
        """Users see no bucket unless a policy on buckets shows it, and there is none."""
        if bucket not in self.buckets or sub is not None:
            raise NO_BUCKET
        now = datetime.now(UTC).isoformat()
        facts = {"id": bucket, "name": bucket, "owner": None, "public": False, "created_at": now, "updated_at": now}
        return _json(facts | {"file_size_limit": None, "allowed_mime_types": None})

    def _list(self, request: Request, bucket: str, sub: str | None) -> Response:
        """What is right below a prefix, of capitals or not. A bucket that is not there is an empty one."""
        asked = _body(request, "prefix", str)
        prefix = f"{asked['prefix'].removesuffix('/')}/" if asked["prefix"] else ""
        entries = {}
        for (of, key), found in self.objects.items():
            if (
                of != bucket
                or not key.lower().startswith(prefix.lower())
                or not self._allowed("select", bucket, key, sub)
            ):
                continue
            name, *deeper = key[len(prefix) :].split("/")
            if deeper:
                entries[name] = dict.fromkeys(("id", "updated_at", "created_at", "last_accessed_at", "metadata")) | {
                    "name": name
                }
                continue
            entries[name] = {
                "name": name,
                "id": str(uuid.uuid4()),
                "updated_at": found.updated_at,
                "created_at": found.updated_at,
                "last_accessed_at": found.updated_at,
                "metadata": found.facts,
            }
        first, most = asked.get("offset", 0), asked.get("limit", 100)
        return _json([entries[name] for name in sorted(entries, key=str.lower)][first : first + min(most, 1500)])

    def _delete(self, request: Request, bucket: str, sub: str | None) -> Response:
        """Exact keys; what may not be seen or deleted is passed over."""
        gone: list[dict[str, str]] = []
        keys = _body(request, "prefixes", list)["prefixes"]
        if not keys:
            raise BAD_BODY
        for key in keys if bucket in self.buckets else []:
            may = all(self._allowed(action, bucket, key, sub) for action in ("select", "delete"))
            if (bucket, key) in self.objects and may:
                del self.objects[bucket, key]
                gone.append({"name": key, "bucket_id": bucket})
        return _json(gone)

    def _create(self, request: Request, sub: str | None) -> Response:
        metadata = {}
        for pair in request.headers["Upload-Metadata"].split(","):
            name, coded = pair.split(" ")
            metadata[name] = base64.b64decode(coded).decode()
        size, bucket, key = int(request.headers["Upload-Length"]), metadata["bucketName"], metadata["objectName"]
        self._may_upload(bucket, key, sub, request.headers.get("x-upsert") == "true", size)
        allowed = self.buckets[bucket].types
        if allowed and metadata["contentType"] not in allowed:
            raise bad_type(metadata["contentType"])
        name = base64.urlsafe_b64encode(f"{bucket}/{key}/{uuid.uuid4()}".encode()).decode().rstrip("=")
        path = self._new_path()
        path.touch()
        self.uploads[name] = Upload(bucket, key, size, path, metadata)
        if not size:
            self._finish(self.uploads[name], sub)
        # In production it calls itself by https, and by the name that the proxy knows.
        return Response(
            "",
            201,
            {"Location": f"https://internal.example{BASE}/upload/resumable/{name}", "Tus-Resumable": "1.0.0"},
        )

    def _upload(self, path: str) -> Upload:
        name = unquote(path.rpartition("/")[2])
        if name in self.uploads:
            return self.uploads[name]
        try:
            meant = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode().count("/") > 1
        except ValueError:
            meant = False
        raise (
            Refused(404, "", "The file for this url was not found\n")
            if meant
            else Refused(400, "", "Invalid upload id\n")
        )

    def _resume(self, request: Request, method: str, path: str, sub: str | None) -> Response:
        upload = self._upload(path)
        headers = {"Tus-Resumable": "1.0.0"}
        if method == "HEAD":
            headers |= {"Upload-Offset": str(upload.offset), "Upload-Length": str(upload.size)}
            return Response("", 200, headers)
        upsert = request.headers.get("x-upsert") == "true"
        replaces = (upload.bucket, upload.key) in self.objects and not upsert
        if not replaces:  # a name was looked for when the upload began
            self._may_upload(upload.bucket, upload.key, sub, upsert)
        if method == "DELETE":
            del self.uploads[path.rpartition("/")[2]]
            return Response("", 204, headers)
        with upload.lock:
            if request.headers["Content-Type"] != "application/offset+octet-stream":
                raise Refused(400, "", "Invalid content-type\n")
            if int(request.headers["Upload-Offset"]) != upload.offset:
                raise Refused(409, "", "Upload-Offset conflict\n")
            if (request.content_length or 0) > upload.size - upload.offset:
                raise Refused(413, "", "upload's size exceeded\n")
            with upload.path.open("ab") as file:
                while piece := request.stream.read(1 << 16):
                    file.write(piece)
            if upload.offset == upload.size:
                self._finish(upload, sub)
            return Response("", 204, headers | {"Upload-Offset": str(upload.offset)})

    def _finish(self, upload: Upload, sub: str | None) -> None:
        facts = upload.metadata
        cache = f"max-age={facts['cacheControl']}"
        self._keep(upload.bucket, upload.key, upload.path, facts["contentType"], cache, sub)

    def _new_path(self) -> Path:
        return self._folder / uuid.uuid4().hex


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing: the tests look at `calls`."""


def _body(request: Request, needed: str, kind: type) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise BAD_BODY from None
    if not isinstance(body, dict) or not isinstance(body.get(needed), kind):
        raise BAD_BODY
    return body


def _json(body: object) -> Response:
    return Response(json.dumps(body), content_type="application/json")
