"""Files of signed-in callers in Supabase Storage: with their own token, under the project's policies."""

import io
import json
import logging
from urllib.parse import quote

import pytest
from supabase_storage_kept import Bucket, own_folder, own_folder_for_writing
from supabase_storage_server import SERVICE_KEY, SupabaseStorageServer

from sqlchat.app import create_app
from sqlchat.config import Settings

from .conftest import JWT_SECRET, supabase_token

CSV = b"id,name\n1,Ann\n2,\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = SupabaseStorageServer(tmp_path_factory.mktemp("storage-server"), JWT_SECRET, late=3.5)
    yield running
    running.close()


@pytest.fixture(scope="module")
def app(server, tmp_path_factory):
    app = create_app(
        Settings(
            data_dir=tmp_path_factory.mktemp("supabase"),
            supabase_url=server.url,
            supabase_jwt_secret=JWT_SECRET,
            supabase_service_role_key=SERVICE_KEY,
            storage_timeout=3.0,
            open_data_routes=True,
        )
    )
    yield app
    app.extensions["sqlchat"].close()


@pytest.fixture(autouse=True)
def bucket(server):
    """Empty, with the policy of Supabase's documentation."""
    server.objects.clear()
    server.calls.clear()
    server.faults.clear()
    server.buckets = {"uploads": Bucket(policy=own_folder)}
    return server.buckets["uploads"]


@pytest.fixture
def user(server):
    return {"Authorization": f"Bearer {supabase_token(iss=f'{server.url}/auth/v1')}"}


def upload(client, user=None, name="a.csv", content=CSV, query=""):
    data = {"file": (io.BytesIO(content), name, "text/csv")}
    return client.post(f"/api/files/upload{query}", data=data, headers=user)


def test_from_the_upload_to_its_removal(client, server, user):
    me = client.get("/api/auth/me", headers=user).get_json()["id"]
    made = upload(client, user, "größe (1).csv").get_json()
    path = made["storage_path"]
    assert path == f"uploads/{me}/gr=C3=B6=C3=9Fe (1).csv"
    assert server.objects["uploads", path.removeprefix("uploads/")].owner == me
    (kept,) = client.get("/api/files", headers=user).get_json()["files"]
    assert (kept["name"], kept["storage_path"]) == ("größe (1).csv", path)
    assert upload(client, user, "größe (1).csv").status_code == 409
    assert upload(client, user, "größe (1).csv", query="?upsert=true").status_code == 201
    assert client.delete(f"/api/files/{quote(path)}", headers=user).status_code == 200
    assert server.objects == {}
    assert {call.headers["Authorization"] for call in server.calls} == {user["Authorization"]}


def test_without_a_token_the_path_is_as_documented(client, server):
    assert upload(client).get_json()["storage_path"] == "uploads/a.csv"
    assert client.delete("/api/files/uploads/a.csv").status_code == 200
    assert {call.headers["Authorization"] for call in server.calls} == {f"Bearer {SERVICE_KEY}"}


def test_who_is_nobody_sees_and_removes_nothing_of_anybody(client, user):
    path = upload(client, user).get_json()["storage_path"]
    assert client.get("/api/files").get_json() == {"files": []}
    assert client.delete(f"/api/files/{path}").status_code == 404
    assert len(client.get("/api/files", headers=user).get_json()["files"]) == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"policy": lambda action, sub, key: False}, 403, "forbidden"),
        ({"size_limit": 5}, 413, "too_large"),
        ({"types": ("image/png",)}, 415, "unsupported_media_type"),
        (None, 404, "bucket_not_found"),
    ],
)
def test_what_storage_does_not_take(client, server, bucket, user, change, status, code):
    if change is None:
        server.buckets.clear()
    else:
        vars(bucket).update(change)
    response = upload(client, user)
    body = response.get_json(force=True)
    assert (response.status_code, response.mimetype, body["code"]) == (status, "application/problem+json", code)
    assert server.objects == {}


@pytest.mark.parametrize(
    ("kind", "status", "code"), [("lost", 502, "storage_failed"), ("hang", 504, "deadline_exceeded")]
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_storage_in_trouble(client, server, user, method, kind, status, code):
    server.order({"GET": "POST"}.get(method, method), kind)
    if method == "POST":
        response = upload(client, user)
    else:
        response = client.open(
            "/api/files" if method == "GET" else "/api/files/uploads/a.csv", method=method, headers=user
        )
    assert (response.status_code, response.get_json(force=True)["code"]) == (status, code)


def test_a_policy_of_inserting_alone(client, bucket, user):
    bucket.policy = own_folder_for_writing
    assert upload(client, user).status_code == 201
    assert upload(client, user, query="?upsert=true").status_code == 403
    assert client.get("/api/files", headers=user).get_json() == {"files": []}
    assert client.delete("/api/files/uploads/a.csv", headers=user).status_code == 404


def test_a_list_of_a_bucket_that_is_missing(client, server, user):
    server.buckets.clear()
    response = client.get("/api/files", headers=user)
    assert (response.status_code, response.get_json(force=True)["code"]) == (404, "bucket_not_found")


def test_a_large_file_goes_the_whole_way(client, server, user):
    content = b"n,text\n" + b"".join(b"%d,%s\n" % (n, b"x" * 200) for n in range(60_000))
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body, kind = head + content + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"
    made = client.post("/api/files/upload", data=body, content_type=kind, headers=user).get_json()
    assert (made["size_bytes"], made["profile"]["row_count"]) == (len(content), 60_000)
    assert server.made("PATCH")
    assert server.objects["uploads", made["storage_path"].removeprefix("uploads/")].content == content


def test_no_token_is_logged(client, bucket, user, caplog):
    with caplog.at_level(logging.DEBUG):
        upload(client, user)
        bucket.policy = lambda action, sub, key: False
        upload(client, user, "b.csv")
        client.get("/api/files", headers=user)
    logged = json.dumps([[record.getMessage(), str(vars(record))] for record in caplog.records])
    assert "sqlchat.request" in logged
    assert user["Authorization"].split()[1] not in logged
    assert SERVICE_KEY not in logged
