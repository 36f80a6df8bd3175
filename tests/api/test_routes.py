"""The routes in local mode, as the contract states them."""

import io
import sqlite3
import uuid
from datetime import datetime
from urllib.parse import quote

import pytest

CSV = b"id,name\n1,Ann\n2,\n3,Cy\n"


def upload(client, name, content=CSV, query="", **kwargs):
    data = {"file": (io.BytesIO(content), name, "text/csv")}
    return client.post(f"/api/files/upload{query}", data=data, **kwargs)


def test_health(client):
    assert client.get("/health").get_json() == {"status": "ok"}


def test_providers_lists_the_documented_ones_first(client):
    body = client.get("/api/providers").get_json()
    assert body["providers"][:2] == ["openai", "anthropic"]
    assert (body["configured"], body["default"]) == (["offline"], "offline")


@pytest.mark.parametrize(
    "path", ["/health", "/api/providers", "/api/connections", "/api/connections/demo", "/api/files", "/api/history"]
)
def test_a_slash_at_the_end_makes_no_difference(client, path):
    assert client.get(f"{path}/").get_json() == client.get(path).get_json()
    assert client.get(f"{path}/").status_code == 200


def test_a_post_with_a_slash_at_the_end_is_no_redirect(client):
    asked = {"connection_id": "demo", "sql": "SELECT 1"}
    assert client.post("/api/execute/", json=asked).get_json()["results"]["rows"] == [[1]]


def test_execute(client):
    body = client.post("/api/execute", json={"connection_id": "demo", "sql": "SELECT 123 AS count"}).get_json()
    results = body["results"]
    assert (results["columns"], results["rows"], results["row_count"]) == (["count"], [[123]], 1)
    assert results["truncated"] is False


def test_execute_stops_at_the_asked_rows_and_says_so(client):
    sql = {"connection_id": "demo", "sql": "SELECT * FROM customers", "max_rows": 2}
    results = client.post("/api/execute", json=sql).get_json()["results"]
    assert (results["row_count"], len(results["rows"]), results["truncated"]) == (2, 2, True)


def test_execute_keeps_columns_of_one_name_in_their_places(client):
    sql = {"connection_id": "demo", "sql": "SELECT 1 AS a, 2 AS b, 3 AS a"}
    results = client.post("/api/execute", json=sql).get_json()["results"]
    assert (results["columns"], results["rows"]) == (["a", "b", "a"], [[1, 2, 3]])


def test_chat_answers_with_rows_and_says_what_they_rest_on(client):
    ask = {"connection_id": "demo", "prompt": "Top 10 customers by revenue"}
    body = client.post("/api/chat", json=ask).get_json()
    assert body["sql"].startswith(("SELECT", "WITH"))
    assert body["results"]["row_count"] == 10
    assert body["tokens"] == {"prompt": 0, "completion": 0, "total": 0}
    assert (body["provider"], body["attempts"]) == ("offline", 1)
    assert body["explanation"]
    assert "customers" in body["lineage"]["tables_read"]
    assert set(body["timings"]) == {"context", "model", "check", "run"}


def test_chat_without_execution_has_no_results(client):
    ask = {"connection_id": "demo", "prompt": "How many customers are there?", "auto_execute": False}
    body = client.post("/api/chat", json=ask).get_json()
    assert body["sql"]
    assert body["results"] is None


def test_chat_in_another_dialect_answers_in_it_and_runs_in_the_connection_s(client):
    ask = {"connection_id": "demo", "prompt": "Revenue per month in 2024", "dialect": "postgresql"}
    body = client.post("/api/chat", json=ask).get_json()
    assert "STRFTIME" not in body["sql"].upper()
    assert body["results"]["row_count"] == 12


def test_a_connection_is_made_shown_listed_and_forgotten(client):
    name = f"c-{uuid.uuid4().hex[:8]}"
    made = client.post(
        "/api/connections", json={"provider": "sqlite", "name": name, "config": {"database": "demo.sqlite"}}
    )
    assert made.status_code == 201
    assert made.get_json() == {"name": name, "provider": "sqlite", "status": {"state": "ready", "warnings": []}}
    shown = client.get(f"/api/connections/{name}").get_json()
    assert (shown["provider"], shown["dialect"], shown["status"]["state"]) == ("SQLiteConnection", "sqlite", "ready")
    assert name in [each["name"] for each in client.get("/api/connections").get_json()["connections"]]
    assert client.delete(f"/api/connections/{name}").get_json() == {"status": "disconnected"}
    assert client.get(f"/api/connections/{name}").status_code == 404


def test_the_schema_shows_tables_columns_keys_and_comments(client):
    catalog = client.get("/api/connections/demo/schema").get_json()
    tables = {table["name"]: table for table in catalog["tables"]}
    assert {"customers", "orders", "products", "categories"} <= set(tables)
    assert tables["orders"]["primary_key"]
    assert tables["orders"]["foreign_keys"][0]["ref_table"] == "customers"
    assert any(column["comment"] for column in tables["orders"]["columns"])
    assert catalog["dialect"] == "sqlite"


def test_the_schema_tells_what_columns_hold_where_that_is_asked_for(client):
    catalog = client.get("/api/connections/demo/schema?profile=true").get_json()
    columns = {(table["name"], each["name"]): each for table in catalog["tables"] for each in table["columns"]}
    status = columns["orders", "status"]["profile"]
    assert (status["kind"], status["complete"], status["null_share"]) == ("text", True, 0)
    assert status["distinct"] == len(status["values"]) > 1
    assert columns["orders", "id"]["profile"]["unique"] is True
    plain = client.get("/api/connections/demo/schema").get_json()
    assert not any("profile" in column for table in plain["tables"] for column in table["columns"])


def test_refresh_reads_catalog_and_profiles_anew(client, app):
    path = app.extensions["sqlchat"].settings.data_dir / "fresh.db"
    with sqlite3.connect(path) as writer:
        writer.execute("CREATE TABLE cities (name TEXT)")
    client.post("/api/connections", json={"provider": "sqlite", "name": "fresh", "config": {"database": path.name}})
    schema = "/api/connections/fresh/schema?profile=true"
    before = client.get(schema).get_json()
    with sqlite3.connect(path) as writer:
        writer.execute("INSERT INTO cities VALUES ('Rome')")
        writer.execute("CREATE TABLE rivers (name TEXT)")
    writer.close()
    answer = client.post("/api/connections/fresh/refresh")
    told = answer.get_json()
    assert (answer.status_code, told["tables"]) == (200, 2)
    assert datetime.fromisoformat(told["refreshed_at"]).tzinfo is not None
    after = client.get(schema).get_json()
    assert told["version"] == after["version"] != before["version"]
    assert after["tables"][0]["columns"][0]["profile"]["values"] == ["Rome"]


def test_a_password_is_never_given_back(client):
    secret = f"pw-{uuid.uuid4().hex}"
    config = {"host": "127.0.0.1", "port": 1, "database": "x", "user": "x", "password": secret}
    response = client.post("/api/connections", json={"provider": "postgres", "name": "p", "config": config})
    assert response.status_code == 400
    assert secret not in response.text


def test_profile_and_upload(client):
    profiled = client.post("/api/files/profile", data={"file": (io.BytesIO(CSV), "customers.csv")}).get_json()
    assert profiled["row_count"] == 3
    assert [(c["name"], c["type"], c["nulls"]) for c in profiled["columns"]] == [
        ("id", "INTEGER", 0),
        ("name", "TEXT", 1),
    ]
    name = f"customers-{uuid.uuid4().hex[:6]}.csv"
    made = upload(client, name)
    assert made.status_code == 201
    body = made.get_json()
    assert (body["file_name"], body["storage_path"]) == (name, f"uploads/{name}")
    assert (body["content_type"], body["size_bytes"]) == ("text/csv", len(CSV))
    assert body["profile"]["row_count"] == 3
    assert upload(client, name).status_code == 409
    assert upload(client, name, query="?upsert=true").status_code == 201


def test_files_are_listed_and_removed(client):
    names = [f"{uuid.uuid4().hex[:6]}-{end}" for end in ("b.csv", "日本語 (1)=.csv")]
    made = [upload(client, name).get_json() for name in names]
    listed = {each["name"]: each for each in client.get("/api/files?bucket=uploads").get_json()["files"]}
    assert list(listed) == sorted(listed)
    for name, answer in zip(names, made, strict=True):
        kept = listed[name]
        assert kept["storage_path"] == answer["storage_path"]
        assert (kept["size_bytes"], kept["content_type"]) == (len(CSV), "text/csv")
        assert datetime.fromisoformat(kept["updated_at"]).tzinfo
        gone = client.delete(f"/api/files/{quote(answer['storage_path'])}")
        assert (gone.status_code, gone.get_json()) == (200, {"status": "deleted", "warnings": []})
        assert client.delete(f"/api/files/{quote(answer['storage_path'])}").status_code == 404
    assert not set(names) & {each["name"] for each in client.get("/api/files").get_json()["files"]}


def test_an_upload_larger_than_allowed_is_413(tmp_path):
    from sqlchat.app import create_app
    from sqlchat.config import Settings

    app = create_app(Settings(data_dir=tmp_path, max_upload_mb=1))
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\n'
    body = head + b"a\n" + b"1\n" * (1 << 20) + b"\r\n--x--\r\n"
    response = app.test_client().post("/api/files/upload", data=body, content_type="multipart/form-data; boundary=x")
    app.extensions["sqlchat"].close()
    assert (response.status_code, response.mimetype) == (413, "application/problem+json")


def test_a_broken_file_is_refused_with_its_line(client):
    response = upload(client, "broken.csv", b"a,b\n1,2\n3,4,5\n")
    assert (response.status_code, response.get_json(force=True)["line"]) == (400, 3)


def test_bad_rows_can_be_skipped_and_are_told(client):
    data = {"file": (io.BytesIO(b"a,b\n1,2\n3,4,5\n"), "broken.csv")}
    body = client.post("/api/files/profile?on_bad_rows=skip", data=data).get_json()
    assert body["row_count"] == 1
    assert body["warnings"]


def test_lineage(client):
    body = client.post("/api/lineage", json={"sql": "SELECT * FROM customers", "dialect": "postgresql"}).get_json()
    assert body == {
        "query_type": "SELECT",
        "tables_read": ["customers"],
        "tables_written": [],
        "columns_used": ["*"],
        "ctes": [],
    }


def test_lineage_with_a_connection_resolves_the_star(client):
    body = client.post("/api/lineage", json={"sql": "SELECT * FROM categories", "connection_id": "demo"}).get_json()
    assert "categories.name" in body["columns_used"]


def test_me_and_settings(client, signed_in):
    me = client.get("/api/auth/me", headers=signed_in).get_json()
    assert me["email"] == "ann@example.com"
    changed = client.patch("/api/settings", json={"theme": "dark", "gone": 1}, headers=signed_in).get_json()
    assert changed == {"user_id": me["id"], "settings": {"theme": "dark", "gone": 1}}
    client.patch("/api/settings", json={"gone": None}, headers=signed_in)
    assert client.get("/api/settings", headers=signed_in).get_json()["settings"] == {"theme": "dark"}


def test_settings_fill_in_what_a_request_leaves_out(client, signed_in):
    client.patch("/api/settings", json={"default_connection": "demo"}, headers=signed_in)
    try:
        executed = client.post("/api/execute", json={"sql": "SELECT 1"}, headers=signed_in)
        assert executed.get_json()["results"]["rows"] == [[1]]
        client.patch("/api/settings", json={"default_provider": "openai"}, headers=signed_in)
        asked = client.post("/api/chat", json={"prompt": "How many customers?"}, headers=signed_in)
        assert asked.get_json(force=True)["code"] == "provider_not_configured"
    finally:
        client.patch("/api/settings", json={"default_connection": None, "default_provider": None}, headers=signed_in)


def test_an_unknown_connection_says_that_it_came_from_the_settings(client, signed_in):
    client.patch("/api/settings", json={"default_connection": "gone"}, headers=signed_in)
    told = "There is no connection named 'gone'."
    try:
        for path, body in (("/api/chat", {"prompt": "How many customers?"}), ("/api/execute", {"sql": "SELECT 1"})):
            events = [signed_in | {"Accept": "text/event-stream"}] if path == "/api/chat" else []
            for headers in (signed_in, *events):
                unnamed = client.post(path, json=body, headers=headers)
                assert (unnamed.status_code, unnamed.get_json(force=True)["detail"]) == (
                    404,
                    f"{told} The name is the `default_connection` of your settings.",
                )
            named = client.post(path, json=body | {"connection_id": "gone"}, headers=signed_in)
            assert named.get_json(force=True)["detail"] == told
    finally:
        client.patch("/api/settings", json={"default_connection": None}, headers=signed_in)


@pytest.mark.parametrize("body", [b"[]", b"7", b'"x"'])
def test_settings_take_an_object_only(client, signed_in, body):
    response = client.patch("/api/settings", data=body, content_type="application/json", headers=signed_in)
    assert (response.status_code, response.get_json(force=True)["code"]) == (400, "payload_invalid")
