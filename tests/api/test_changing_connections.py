"""PATCH of a connection: it stays the same one, under another definition that was tried first."""

import io
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from sqlchat.app import create_app

PATH = "/api/connections/branch"


@pytest.fixture(scope="module", autouse=True)
def branches(settings, app):
    for name in ("north", "south"):
        with sqlite3.connect(settings.data_dir / f"{name}.db") as writer:
            writer.execute("CREATE TABLE staff (name TEXT, email TEXT)")
            writer.execute("INSERT INTO staff VALUES (?, 'x@example.com')", [f"of {name}"])
        writer.close()


@pytest.fixture
def branch(client):
    sent = {"provider": "sqlite", "name": "branch", "config": {"database": "north.db"}}
    assert client.post("/api/connections", json=sent).status_code == 201
    yield PATH
    client.delete(PATH)


def patch(client, **changes):
    return client.patch(PATH, json=changes)


def name_of(client, connection="branch"):
    answer = client.post("/api/execute", json={"connection_id": connection, "sql": "SELECT name FROM staff"})
    return answer.get_json()["results"]["rows"][0][0]


def problem(response, status=400):
    body = response.get_json(force=True)
    assert response.status_code == status, body
    return body


def test_another_config_is_answered_like_a_new_connection_and_serves_every_process(client, branch, settings):
    other = create_app(settings)
    elsewhere = other.test_client()
    assert [name_of(client), name_of(elsewhere)] == ["of north"] * 2
    changed = patch(client, config={"database": "south.db"})
    assert (changed.status_code, changed.get_json()) == (
        200,
        {"name": "branch", "provider": "sqlite", "status": {"state": "ready", "warnings": []}},
    )
    assert [name_of(client), name_of(elsewhere)] == ["of south"] * 2
    other.extensions["sqlchat"].close()


def test_what_was_told_of_it_and_asked_through_it_stays(client, branch):
    created = client.get(branch).get_json()["created_at"]
    client.put(f"{branch}/context", json={"notes": "Names are full names."})
    kept = client.post(f"{branch}/examples", json={"question": "Who?", "sql": "SELECT name FROM staff"}).get_json()
    name_of(client)
    patch(client, config={"database": "south.db"})
    assert client.get(branch).get_json()["created_at"] == created
    assert client.get(f"{branch}/context").get_json()["notes"] == "Names are full names."
    assert client.get(f"{branch}/examples").get_json()["examples"] == [kept]
    assert client.get("/api/history?connection_id=branch").get_json()["history"]


@pytest.mark.parametrize(
    "config", [{"database": "missing.db"}, {"database": "/etc/passwd"}, {}, {"file": "south.db"}]
)
def test_a_config_that_does_not_work_changes_nothing(client, branch, config):
    refused = problem(patch(client, config=config, policy={"deny_tables": ["staff"]}, privacy="schema"))
    assert refused["code"] == "connection_failed"
    assert name_of(client) == "of north"
    shown = client.get(branch).get_json()
    assert (shown["policy"], shown["privacy"]) == (None, "samples")


def test_a_policy_is_set_kept_and_removed(client, branch):
    denied = {"connection_id": "branch", "sql": "SELECT email FROM staff"}
    assert patch(client, policy={"deny_columns": ["staff.email"]}).get_json()["status"]["state"] == "ready"
    assert problem(client.post("/api/execute", json=denied))["code"] == "sql_refused"
    assert patch(client, privacy="rows", config={"database": "south.db"}).status_code == 200
    shown = client.get(branch).get_json()
    assert (shown["policy"]["deny_columns"], shown["privacy"]) == (["staff.email"], "rows")
    assert problem(client.post("/api/execute", json=denied))["code"] == "sql_refused"
    patch(client, policy=None)
    assert client.post("/api/execute", json=denied).status_code == 200
    shown = client.get(branch).get_json()
    assert (shown["policy"], shown["privacy"]) == (None, "rows")


def test_a_policy_needs_no_database(client, branch, settings):
    database = settings.data_dir / "north.db"
    database.rename(database.with_suffix(".away"))
    changed = patch(client, policy={"deny_tables": ["staff"]}, privacy="schema").get_json()
    assert changed["status"]["state"] == "unreachable"
    database.with_suffix(".away").rename(database)
    shown = client.get(branch).get_json()
    assert (shown["status"]["state"], shown["privacy"]) == ("ready", "schema")
    assert problem(client.post("/api/execute", json={"connection_id": "branch", "sql": "SELECT name FROM staff"}))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, "config"),
        ({"config": None}, "config"),
        ({"privacy": None}, "privacy"),
        ({"privacy": "all"}, "privacy"),
        ({"policy": {"deny_tables": ["a b c"]}}, "policy"),
        ({"name": "other"}, "name"),
        ({"provider": "duckdb"}, "provider"),
    ],
)
def test_what_cannot_be_changed_so_is_named(client, branch, changes, named):
    refused = problem(client.patch(branch, json=changes))
    assert (refused["code"], list(refused["errors"])) == ("payload_invalid", [named])
    assert name_of(client) == "of north"


def test_of_many_changes_at_once_the_last_holds_whole(client, app, branch):
    wanted = [
        {"config": {"database": f"{name}.db"}, "policy": {"deny_tables": [name]}, "privacy": privacy}
        for name, privacy in (("north", "schema"), ("south", "rows"))
    ]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda each: app.test_client().patch(branch, json=each).status_code, wanted * 6))
    assert set(answers) == {200}
    shown = client.get(branch).get_json()
    holds = next(each for each in wanted if each["privacy"] == shown["privacy"])
    assert shown["policy"]["deny_tables"] == holds["policy"]["deny_tables"]
    assert name_of(client) == "of " + holds["policy"]["deny_tables"][0]


def test_a_connection_to_files_gets_other_files(client):
    for number in (1, 2):
        file = io.BytesIO(b"name,n\nof %d,1\n" % number)
        client.post("/api/files/upload?upsert=true", data={"file": (file, f"staff{number}.csv")})
    entries = [{"path": f"uploads/staff{number}.csv", "table": "staff"} for number in (1, 2)]
    sent = {"provider": "files", "name": "sheets", "config": {"files": entries[:1]}}
    assert client.post("/api/connections", json=sent).status_code == 201
    assert name_of(client, "sheets") == "of 1"
    changed = client.patch("/api/connections/sheets", json={"config": {"files": entries[1:]}})
    assert (changed.status_code, changed.get_json()["provider"]) == (200, "files")
    assert name_of(client, "sheets") == "of 2"
    client.delete("/api/connections/sheets")


def test_a_password_is_rotated_and_neither_one_is_told(client, postgres_server, postgres_database, caplog):
    role, path = postgres_database["user"], "/api/connections/rotated"
    sent = {"provider": "postgres", "name": "rotated", "config": postgres_database}
    assert client.post("/api/connections", json=sent).status_code == 201
    postgres_server.execute(f"ALTER ROLE {role} PASSWORD 'open-sesame-2'")
    refused = problem(client.patch(path, json={"config": postgres_database | {"password": "open-sesame-1"}}))
    assert refused["code"] == "connection_failed"
    changed = client.patch(path, json={"config": postgres_database | {"password": "open-sesame-2"}})
    assert changed.status_code == 200, changed.text
    asked = {"connection_id": "rotated", "sql": "SELECT current_user"}
    assert client.post("/api/execute", json=asked).get_json()["results"]["rows"] == [[role]]
    told = [str(refused), changed.text, client.get(path).text, *(str(vars(record)) for record in caplog.records)]
    assert not any("sesame" in each for each in told)
    client.delete(path)
