"""The tests' own Supabase Storage answers as the real one was seen to, by version."""

import base64
import json
import time

import httpx
import jwt
import pytest
from supabase_storage_kept import Bucket, own_folder
from supabase_storage_server import CHUNK, SERVICE_KEY

from .conftest import JWT_SECRET

RESUMABLE = "/storage/v1/upload/resumable"


@pytest.fixture
def ask(server):
    """Asks with the service's key unless headers say otherwise; gives status and body."""

    def asked(method, path, token=SERVICE_KEY, **sent):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= sent.pop("headers", {})
        answer = httpx.request(method, f"{server.url}{path}", headers=headers, **sent)
        kind = answer.headers.get("Content-Type", "")
        return answer.status_code, answer.json() if "json" in kind else answer.text

    return asked


@pytest.fixture
def begin(server):
    """Begins a resumable upload of so many bytes; gives the answer."""

    def begun(size, name="big.csv", kind="text/csv"):
        facts = {"bucketName": "uploads", "objectName": name, "contentType": kind, "cacheControl": "3600"}
        coded = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in facts.items())
        headers = {"Authorization": f"Bearer {SERVICE_KEY}", "Upload-Length": str(size), "Upload-Metadata": coded}
        return httpx.post(f"{server.url}{RESUMABLE}", headers=headers)

    return begun


def put(ask, path="/storage/v1/object/uploads/a.csv", **sent):
    return ask("POST", path, files={"file": ("a.csv", b"a\n1\n", "text/csv")}, data={"cacheControl": "3600"}, **sent)


def append(ask, begun, content, offset=0):
    name = begun.headers["Location"].rpartition("/")[2]
    headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    return ask("PATCH", f"{RESUMABLE}/{name}", content=content, headers=headers)


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("1.11.13", "415"),
        ("1.15.0", "400"),
        ("1.25.7", "400"),
        ("1.48.28", "400"),
        ("1.48.29", "415"),
        ("1.70.6", "415"),
    ],
)
def test_a_type_refused(server, ask, begin, version, code):
    server.version = tuple(map(int, version.split(".")))
    server.buckets["uploads"].types = ("image/png",)
    status, body = put(ask)
    assert (status, body["statusCode"]) == (400, code)
    assert "mime type text/csv is not supported" in body["message"]
    assert begin(10).status_code == 415


def test_a_bucket_that_is_not_there_and_one_that_cannot_be(server, ask, user):
    assert put(ask, "/storage/v1/object/none/a.csv")[1]["code"] == "NoSuchBucket"
    assert put(ask, "/storage/v1/object/no%7Ene/a.csv")[1]["message"] == "Bucket name invalid"
    for token in (SERVICE_KEY, user[1]):
        assert ask("DELETE", "/storage/v1/object/none", token, json={"prefixes": ["a"]}) == (200, [])


def test_resumable_uploads(server, ask, begin):
    assert begin(0, "empty.csv").status_code == 201
    assert server.objects["uploads", "empty.csv"].size == 0
    begun = begin(10)
    assert append(ask, begun, b"abc")[0] == 204
    assert append(ask, begun, b"x" * 8, 3)[0] == 413
    assert append(ask, begun, b"x" * 7, 3)[0] == 204
    assert server.objects["uploads", "big.csv"].content == b"abcxxxxxxx"
    server.size_limit = CHUNK
    assert begin(CHUNK + 1, "larger.csv").status_code == 413
    assert put(ask, "/storage/v1/object/uploads/small.csv")[0] == 200


def test_an_upload_that_is_none_or_gone(ask):
    gone = base64.urlsafe_b64encode(b"uploads/a.csv/1").decode().rstrip("=")
    assert ask("PATCH", f"{RESUMABLE}/{gone}", content=b"")[0] == 404
    assert ask("PATCH", f"{RESUMABLE}/nonsense", content=b"") == (400, "Invalid upload id\n")


def test_the_last_of_two_uploads_at_once_is_kept_and_of_two_in_turn_the_first(server, ask, begin):
    one, other = begin(3), begin(3)
    assert append(ask, one, b"one")[0] == append(ask, other, b"two")[0] == 204
    assert server.objects["uploads", "big.csv"].content == b"two"
    assert begin(3).status_code == 409


def test_who_asks(server, ask):
    assert put(ask, token=None)[1]["message"] == "headers must have required property 'authorization'"
    anon = jwt.encode({"role": "anon", "exp": int(time.time()) + 60}, JWT_SECRET, "HS256")
    assert "row-level security" in put(ask, token=anon)[1]["message"]
    server.buckets["uploads"] = Bucket(policy=lambda action, sub, key: sub == "")
    assert put(ask, token=anon)[0] == 200
    server.buckets["uploads"] = Bucket(policy=own_folder)
    assert ask("POST", "/storage/v1/object/list/uploads", anon, json={"prefix": ""}) == (200, [])
    late = jwt.encode({"sub": "x", "exp": int(time.time()) - 60}, JWT_SECRET, "HS256")
    assert '"exp" claim' in put(ask, token=late)[1]["message"]
    server.version = (1, 11, 13)
    assert put(ask, token=late)[1]["message"] == "jwt expired"


def test_a_database_that_only_reads(server, ask, begin):
    server.order("POST", "locked", times=2)
    status, body = put(ask)
    assert (status, body["statusCode"], body["error"]) == (400, "503", "DatabaseReadOnly")
    answer = begin(3)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (503, "text/plain")


def test_keys(server, ask):
    assert put(ask, f"/storage/v1/object/uploads/{'k' * 256}")[0] == 500
    assert put(ask, "/storage/v1/object/uploads/a;b.csv")[0] == 200
    assert ("uploads", "a;b.csv") in server.objects
    server.version = (1, 25, 7)
    assert put(ask, "/storage/v1/object/uploads/c;d.csv")[0] == 200
    assert ("uploads", "c") in server.objects


def test_lists(server, ask):
    def listed(body):
        return ask("POST", "/storage/v1/object/list/uploads", content=body)

    assert put(ask, "/storage/v1/object/uploads/A/a.csv")[0] == 200
    (kept,) = listed(json.dumps({"prefix": "A/"}))[1]
    assert (kept["name"], kept["metadata"]["size"]) == ("a.csv", 4)
    assert listed(json.dumps({"prefix": "A//"})) == (200, [])
    server.objects["uploads", "A/a.csv"].metadata = {"mimetype": "text/csv"}
    assert listed(json.dumps({"prefix": "A"}))[1][0]["metadata"] == {"mimetype": "text/csv"}
    for body in ("{", "[]", "{}", '{"prefix": 5}'):
        assert listed(body)[0] == 400
    for body in ({"prefixes": []}, {}, []):
        assert ask("DELETE", "/storage/v1/object/uploads", json=body)[0] == 400
    assert ask("GET", "/storage/v1/none") == (
        404,
        {
            "statusCode": 404,
            "code": "Not Found",
            "error": "Not Found",
            "message": "Route GET:/storage/v1/none not found",
        },
    )


def test_what_an_old_version_does_not_tell(server, ask):
    put(ask)
    assert {"bucket_id", "last_modified"} <= set(ask("GET", "/storage/v1/object/info/uploads/a.csv")[1])
    server.version = (1, 11, 13)
    assert not {"bucket_id", "last_modified"} & set(ask("GET", "/storage/v1/object/info/uploads/a.csv")[1])
