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
    running = SupabaseStorageServer(tmp_path_factory.mktemp("storage-server"), JWT_SECRET, late=30)
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
            storage_timeout=6.0,
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
    ("kind", "status", "code"), [("dropped", 502, "storage_failed"), ("hang", 504, "deadline_exceeded")]
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


@pytest.mark.parametrize("query", ["", "?upsert=true"])
@pytest.mark.parametrize("kind", ["lost", "late"])
def test_a_small_upload_whose_answer_was_lost_is_looked_for(client, server, user, kind, query):
    server.order("POST", kind)
    made = upload(client, user, query=query)
    assert made.status_code == 201, made.text
    key = made.get_json()["storage_path"].removeprefix("uploads/")
    assert server.objects["uploads", key].content == CSV
    assert len(server.made("POST", f"/object/uploads/{key}")) <= 1  # the server counts a call when it has answered


def test_another_file_of_its_name_and_size_is_no_proof(client, server, user):
    assert upload(client, user, content=CSV).status_code == 201
    server.order("POST", "dropped")
    failed = upload(client, user, content=CSV.replace(b"Ann", b"Bob"), query="?upsert=true")
    assert (failed.status_code, failed.get_json(force=True)["code"]) == (502, "storage_failed")
    assert [found.content for found in server.objects.values()] == [CSV]


def test_an_upload_that_nobody_may_look_for_is_no_success(client, server, bucket, user):
    bucket.policy = own_folder_for_writing
    server.order("POST", "lost")
    assert upload(client, user).status_code == 502


@pytest.mark.parametrize("version", ["1.11.13", "1.15.0", "1.25.7", "1.48.28", "1.48.29", "1.70.6"])
def test_a_type_that_the_bucket_refuses_is_415_by_every_version(client, server, bucket, user, version):
    bucket.types = ("image/png",)
    now, server.version = server.version, tuple(map(int, version.split(".")))
    refused = upload(client, user)
    server.version = now
    assert (refused.status_code, refused.get_json(force=True)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u3000", "\u2003", "\u2028"])
def test_a_name_with_any_space_can_be_asked(client, user, space):
    made = upload(client, user, f"a{space}b.csv").get_json()
    listed = client.get("/api/files", headers=user).get_json()["files"]
    assert [each["storage_path"] for each in listed] == [made["storage_path"]]
    for number, path in enumerate((made["storage_path"], f"uploads/a{space}b.csv")):
        payload = {"provider": "files", "name": f"spaces{number}", "config": {"files": [path]}}
        sent = client.post("/api/connections", json=payload, headers=user)
        assert sent.status_code == 201, sent.text
        query = {"connection_id": f"spaces{number}", "sql": "SELECT count(*) FROM a_b"}
        assert client.post("/api/execute", json=query, headers=user).get_json()["results"]["rows"] == [[2]]
    assert client.delete(f"/api/files/{quote(made['storage_path'])}", headers=user).status_code == 200


def test_a_file_that_is_gone_from_behind_a_connection_is_not_found(client, user):
    path = upload(client, user).get_json()["storage_path"]
    payload = {"provider": "files", "name": "gone", "config": {"files": [path]}}
    assert client.post("/api/connections", json=payload, headers=user).status_code == 201
    assert client.delete(f"/api/files/{path}", headers=user).status_code == 200
    for route, body in (
        ("execute", {"sql": "SELECT * FROM a"}),
        ("chat", {"prompt": "How many a are there?", "provider": "offline"}),
    ):
        failed = client.post(f"/api/{route}", json={"connection_id": "gone", **body}, headers=user)
        problem = failed.get_json(force=True)
        assert (failed.status_code, problem["code"], problem["file"]) == (404, "file_not_found", "uploads/a.csv")
    status = client.get("/api/connections/gone", headers=user).get_json()["status"]
    assert status["state"] == "unreachable"


def test_messages_name_a_file_as_the_upload_did(client, user):
    path = upload(client, user, "größe.csv").get_json()["storage_path"]
    taken = upload(client, user, "größe.csv").get_json(force=True)
    assert repr(path) in taken["detail"]
    client.delete(f"/api/files/{quote(path)}", headers=user)
    for asked in (path, "uploads/gr=C3=B6=C3=9Fe.csv"):
        missing = client.delete(f"/api/files/{quote(asked)}", headers=user)
        assert (missing.status_code, repr(path) in missing.get_json(force=True)["detail"]) == (404, True)


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
