"""With Supabase auth configured, users know nothing of one another."""

import io
import uuid

import pytest

from sqlchat.store import Entry

DATA_ROUTES = [
    ("POST", "/api/chat"),
    ("POST", "/api/execute"),
    ("GET", "/api/connections"),
    ("POST", "/api/connections"),
    ("GET", "/api/connections/x"),
    ("PATCH", "/api/connections/x"),
    ("DELETE", "/api/connections/x"),
    ("GET", "/api/connections/x/schema"),
    ("GET", "/api/connections/x/context"),
    ("PUT", "/api/connections/x/context"),
    ("GET", "/api/connections/x/examples"),
    ("POST", "/api/connections/x/examples"),
    ("DELETE", "/api/connections/x/examples/x"),
    ("POST", "/api/connections/x/refresh"),
    ("POST", "/api/files/profile"),
    ("POST", "/api/files/upload"),
    ("GET", "/api/files"),
    ("DELETE", "/api/files/uploads/x.csv"),
    ("POST", "/api/lineage"),
    ("GET", "/api/history"),
    ("GET", "/api/auth/me"),
    ("GET", "/api/settings"),
    ("PATCH", "/api/settings"),
]

MEMORY = {"provider": "sqlite", "name": "mine", "config": {"database": ":memory:"}}


@pytest.mark.parametrize(("method", "path"), DATA_ROUTES)
def test_data_routes_need_a_token(shared_client, method, path):
    assert shared_client.open(path, method=method).status_code == 401


@pytest.mark.parametrize("path", ["/health", "/api/providers", "/api/openapi.json", "/docs/"])
def test_these_need_none(shared_client, path):
    assert shared_client.get(path).status_code == 200


def test_equal_names_are_different_connections(shared_client, two_users):
    ann, bob = two_users
    assert shared_client.post("/api/connections", json=MEMORY, headers=ann).status_code == 201
    assert shared_client.get("/api/connections/mine", headers=bob).status_code == 404
    assert shared_client.post("/api/connections", json=MEMORY, headers=bob).status_code == 201
    assert shared_client.delete("/api/connections/mine", headers=bob).status_code == 200
    assert shared_client.get("/api/connections/mine", headers=ann).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/execute", {"connection_id": "private", "sql": "SELECT 1"}),
        ("POST", "/api/chat", {"connection_id": "private", "prompt": "How many?"}),
        ("POST", "/api/lineage", {"connection_id": "private", "sql": "SELECT 1"}),
        ("GET", "/api/connections/private", None),
        ("PATCH", "/api/connections/private", {"config": {"database": ":memory:"}}),
        ("PATCH", "/api/connections/private", {"policy": None}),
        ("GET", "/api/connections/private/schema", None),
        ("GET", "/api/connections/private/context", None),
        ("PUT", "/api/connections/private/context", {"notes": "mine now"}),
        ("GET", "/api/connections/private/examples", None),
        ("POST", "/api/connections/private/examples", {"question": "How many?", "sql": "SELECT 1"}),
        ("DELETE", f"/api/connections/private/examples/{uuid.UUID(int=1)}", None),
        ("GET", "/api/connections/private/schema?profile=true", None),
        ("POST", "/api/connections/private/refresh", None),
        ("DELETE", "/api/connections/private", None),
    ],
)
def test_another_s_connection_is_unknown_on_every_route_that_takes_a_name(
    shared_client, two_users, method, path, body
):
    ann, bob = two_users
    shared_client.post("/api/connections", json=MEMORY | {"name": "private"}, headers=ann)
    response = shared_client.open(path, method=method, json=body, headers=bob)
    assert (response.status_code, response.get_json(force=True)["code"]) == (404, "connection_not_found")
    assert shared_client.get("/api/connections/private", headers=ann).status_code == 200


def test_files_of_equal_names_lie_in_folders_of_their_own(shared_app, shared_client, two_users):
    kept = shared_app.extensions["sqlchat"].settings.files_dir
    for number, user in enumerate(two_users):
        me = shared_client.get("/api/auth/me", headers=user).get_json()["id"]
        data = {"file": (io.BytesIO(b"n\n%d\n" % number), "same.csv")}
        made = shared_client.post("/api/files/upload", data=data, headers=user)
        assert made.get_json()["storage_path"] == f"uploads/{me}/same.csv"
        assert (kept / "uploads" / me / "same.csv").read_bytes() == b"n\n%d\n" % number
        again = {"file": (io.BytesIO(b"n\n1\n"), "same.csv")}
        assert shared_client.post("/api/files/upload", data=again, headers=user).status_code == 409


@pytest.mark.parametrize("whole", [True, False], ids=["with the folder", "without it"])
def test_only_the_owner_sees_and_removes_a_file(shared_client, two_users, whole):
    ann, bob = two_users
    path = upload_one(shared_client, ann, "mine.csv")
    assert [each["storage_path"] for each in listed(shared_client, ann)] == [path]
    assert listed(shared_client, bob) == []
    asked = path if whole else "uploads/mine.csv"
    refused = shared_client.delete(f"/api/files/{asked}", headers=bob)
    assert (refused.status_code, refused.get_json(force=True)["code"]) == (404, "file_not_found")
    assert [each["storage_path"] for each in listed(shared_client, ann)] == [path]
    gone = shared_client.delete(f"/api/files/{asked}", headers=ann)
    assert (gone.status_code, gone.get_json()) == (200, {"status": "deleted", "warnings": []})
    assert listed(shared_client, ann) == []


@pytest.mark.parametrize(
    "way", ["{me}/../{other}", "../uploads/{other}", "{other}", "{me}/{other}", "%2e%2e/{other}"]
)
def test_no_path_leads_to_another_s_file(shared_client, two_users, way):
    ann, bob = two_users
    path = upload_one(shared_client, ann, "kept.csv")
    me = shared_client.get("/api/auth/me", headers=bob).get_json()["id"]
    asked = way.format(me=me, other=path.removeprefix("uploads/"))
    refused = shared_client.delete(f"/api/files/uploads/{asked}", headers=bob)
    assert (refused.status_code, refused.get_json(force=True)["status"]) == (404, 404)
    assert [each["storage_path"] for each in listed(shared_client, ann)] == [path]


def upload_one(client, user, name):
    data = {"file": (io.BytesIO(b"n\n1\n"), name)}
    return client.post("/api/files/upload", data=data, headers=user).get_json()["storage_path"]


def listed(client, user):
    return client.get("/api/files", headers=user).get_json()["files"]


def test_settings_are_the_user_s_own(shared_client, two_users):
    ann, bob = two_users
    shared_client.patch("/api/settings", json={"theme": "dark"}, headers=ann)
    assert shared_client.get("/api/settings", headers=bob).get_json()["settings"] == {}


def test_what_is_told_of_equal_names_is_each_one_s_own(shared_client, two_users):
    kept = []
    for number, user in enumerate(two_users):
        shared_client.post("/api/connections", json=MEMORY | {"name": "told"}, headers=user)
        notes, example = {"notes": f"of {number}"}, {"question": "How many?", "sql": f"SELECT {number}"}
        assert shared_client.put("/api/connections/told/context", json=notes, headers=user).status_code == 200
        made = shared_client.post("/api/connections/told/examples", json=example, headers=user)
        assert made.status_code == 201, made.text
        kept.append(made.get_json())
    ann, bob = two_users
    stranger = f"/api/connections/told/examples/{kept[0]['id']}"
    assert shared_client.delete(stranger, headers=bob).status_code == 404
    for number, user in enumerate(two_users):
        assert shared_client.get("/api/connections/told/context", headers=user).get_json()["notes"] == f"of {number}"
        found = shared_client.get("/api/connections/told/examples", headers=user).get_json()["examples"]
        assert found == [kept[number]]
    shared_client.delete("/api/connections/told", headers=bob)
    assert shared_client.get("/api/connections/told/examples", headers=ann).get_json()["examples"] == [kept[0]]


def test_another_s_conversation_cannot_be_read_by_its_id(shared_app, shared_client, two_users):
    ann, bob = two_users
    me = shared_client.get("/api/auth/me", headers=ann).get_json()["id"]
    conversation = uuid.uuid4()
    history = shared_app.extensions["sqlchat"].store.history
    history.add(Entry(me, "x", "chat", question="mine", sql="SELECT 1", conversation_id=conversation))
    path = f"/api/history?conversation_id={conversation}"
    assert len(shared_client.get(path, headers=ann).get_json()["history"]) == 1
    assert shared_client.get(path, headers=bob).get_json()["history"] == []


def test_there_is_no_demo_connection_for_signed_in_users(shared_client, two_users):
    assert shared_client.get("/api/connections/demo", headers=two_users[0]).status_code == 404
