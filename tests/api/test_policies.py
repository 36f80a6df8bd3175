"""Over HTTP: a connection's policy holds for chat, execute, lineage and the schema, and is shown to its owner."""

import sqlite3

import pytest

POLICY = {"deny_tables": ["salaries"], "deny_columns": ["people.email"]}
SECRET = "tell-nobody@x.org"


@pytest.fixture(scope="module")
def client(app, settings):
    with sqlite3.connect(settings.data_dir / "people.db") as writer:
        writer.executescript(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, email TEXT);"
            "CREATE TABLE salaries (person_id INTEGER, amount INTEGER);"
            f"INSERT INTO people VALUES (1, 'Ann', '{SECRET}'), (2, 'Bob', '{SECRET}');"
            "INSERT INTO salaries VALUES (1, 1000);"
        )
    writer.close()
    client = app.test_client()
    made = client.post(
        "/api/connections",
        json={"provider": "sqlite", "name": "people", "config": {"database": "people.db"}, "policy": POLICY},
    )
    assert made.status_code == 201
    return client


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT * FROM people", "name those that you want"),
        ("SELECT p.email FROM people p", "'p.email'"),
        ("SELECT * FROM salaries", "'salaries'"),
        ("SELECT sql FROM sqlite_master", "'sqlite_master'"),
    ],
)
def test_execute_refuses_what_is_denied(client, sql, named):
    answer = client.post("/api/execute", json={"connection_id": "people", "sql": sql})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (400, "sql_refused")
    assert named in answer.get_json(force=True)["detail"]


def test_execute_runs_the_rest(client):
    asked = {"connection_id": "people", "sql": "SELECT name FROM people ORDER BY id"}
    assert client.post("/api/execute", json=asked).get_json()["results"]["rows"] == [["Ann"], ["Bob"]]


@pytest.mark.parametrize(
    "question", ["How many people are there?", "List all emails of people", "Show all people", "How many salaries?"]
)
def test_chat_shows_nothing_that_is_denied(client, question):
    answer = client.post("/api/chat", json={"connection_id": "people", "prompt": question, "provider": "offline"})
    assert answer.status_code in (200, 422)
    assert SECRET not in answer.text
    assert "amount" not in answer.text


def test_the_schema_lacks_what_is_denied(client):
    (table,) = client.get("/api/connections/people/schema?refresh=true").get_json()["tables"]
    assert [column["name"] for column in table["columns"]] == ["id", "name"]
    assert "definition" not in table
    answer = client.get("/api/connections/people/schema?profile=true")
    assert SECRET not in answer.text


def test_lineage_knows_only_what_may_be_read(client):
    asked = {"connection_id": "people", "sql": "SELECT * FROM people"}
    used = client.post("/api/lineage", json=asked).get_json()["columns_used"]
    assert used == ["people.id", "people.name"]


def test_its_owner_is_shown_the_policy(client):
    shown = client.get("/api/connections/people").get_json()["policy"]
    assert shown == POLICY | {"allow_tables": []}
    assert client.get("/api/connections/demo").get_json()["policy"] is None


@pytest.mark.parametrize(
    ("policy", "field"),
    [({"deny_columns": ["email"]}, "deny_columns"), ({"hide": ["x"]}, "hide"), ({"deny_tables": "x"}, "deny_tables")],
)
def test_a_policy_that_cannot_be_is_refused(client, policy, field):
    body = {"provider": "sqlite", "name": "other", "config": {"database": "people.db"}, "policy": policy}
    answer = client.post("/api/connections", json=body)
    assert answer.status_code == 400
    assert field in str(answer.get_json(force=True)["errors"])
