"""Over HTTP: columns that an owner says belong together are checked, kept, and used by all who join tables."""

import sqlite3
import uuid

import pytest

from sqlchat.app import create_app

TICKETS = {"from": "tickets.agent", "to": "staff.login"}


@pytest.fixture
def writer(settings):
    connection = sqlite3.connect(settings.data_dir / f"{uuid.uuid4().hex}.db", isolation_level=None)
    connection.executescript(
        "CREATE TABLE tickets (id INTEGER PRIMARY KEY, agent TEXT, shop INTEGER, place INTEGER, subject TEXT);"
        "CREATE TABLE staff (login TEXT PRIMARY KEY, full_name TEXT, team TEXT);"
        "CREATE TABLE desks (shop INTEGER, place INTEGER, floor TEXT, PRIMARY KEY (shop, place));"
        "INSERT INTO staff VALUES ('ann', 'Ann Ash', 'red'), ('bob', 'Bob Birch', 'blue'), ('eve', 'Eve Elm', 'red');"
        "INSERT INTO tickets VALUES (1, 'ann', 1, 1, 'door'), (2, 'ann', 1, 2, 'lamp'), (3, 'bob', 1, 1, 'sink');"
        "INSERT INTO desks VALUES (1, 1, 'ground'), (1, 2, 'first');"
    )
    yield connection
    connection.close()


@pytest.fixture
def help_desk(client, writer):
    ((_, _, file),) = writer.execute("PRAGMA database_list")
    name = f"c{uuid.uuid4().hex[:12]}"
    body = {"provider": "sqlite", "name": name, "config": {"database": file}}
    assert client.post("/api/connections", json=body).status_code == 201
    return f"/api/connections/{name}"


def put(client, path, *references):
    return client.put(f"{path}/context", json={"references": list(references)})


def faults(answer):
    body = answer.get_json(force=True)
    assert (answer.status_code, body["code"]) == (400, "payload_invalid"), answer.text
    return {
        (place, side): text
        for place, sides in body["errors"]["references"].items()
        for side, (text,) in sides.items()
    }


def keys_of(client, path, table):
    tables = client.get(f"{path}/schema").get_json()["tables"]
    return next(each["foreign_keys"] for each in tables if each["name"] == table)


def ask(client, path, prompt):
    answer = client.post("/api/chat", json={"connection_id": path.rpartition("/")[2], "prompt": prompt})
    return answer.status_code, answer.get_json(force=True)


def test_a_reference_is_kept_shown_and_may_be_put_again(client, help_desk, settings):
    shown = put(client, help_desk, TICKETS)
    assert shown.get_json()["references"] == [TICKETS | {"stale": False}]
    assert client.put(f"{help_desk}/context", json=shown.get_json()).get_json() == shown.get_json()
    other = create_app(settings)
    assert other.test_client().get(f"{help_desk}/context").get_json() == shown.get_json()
    other.extensions["sqlchat"].close()
    client.put(f"{help_desk}/context", json={"notes": "no references any more"})
    assert client.get(f"{help_desk}/context").get_json()["references"] == []


def test_the_schema_shows_it_as_a_foreign_key_with_its_source(client, help_desk):
    assert keys_of(client, help_desk, "tickets") == []
    put(client, help_desk, TICKETS)
    assert keys_of(client, help_desk, "tickets") == [
        {
            "columns": ["agent"],
            "ref_schema": "",
            "ref_table": "staff",
            "ref_columns": ["login"],
            "inferred": False,
            "source": "owner",
        }
    ]


def test_a_key_of_several_columns(client, help_desk):
    places = {"from": ["tickets.shop", "tickets.place"], "to": ["desks.shop", "desks.place"]}
    assert put(client, help_desk, places).get_json()["references"] == [places | {"stale": False}]
    (key,) = keys_of(client, help_desk, "tickets")
    assert (key["columns"], key["ref_table"], key["ref_columns"]) == (["shop", "place"], "desks", ["shop", "place"])


def test_the_built_in_engine_joins_by_it_and_says_so(client, help_desk):
    question = "How many tickets are there for each team?"
    assert ask(client, help_desk, question)[0] == 422
    put(client, help_desk, TICKETS)
    status, reply = ask(client, help_desk, question)
    assert status == 200, reply
    assert sorted(reply["results"]["rows"]) == [["blue", 1], ["red", 2]]
    assert any("tickets.agent refers to staff.login: said by the owner." in each for each in reply["assumptions"])


def test_columns_that_bear_a_keys_name_still_join_beside_it(client, help_desk, writer):
    writer.execute("CREATE TABLE notes (ticket_id INTEGER, stars INTEGER)")
    writer.execute("INSERT INTO notes VALUES (1, 5), (1, 3), (2, 4)")
    client.post(f"{help_desk}/refresh")
    put(client, help_desk, TICKETS)
    status, reply = ask(client, help_desk, "How many notes are there for each subject?")
    assert (status, sorted(reply["results"]["rows"])) == (200, [["door", 2], ["lamp", 1]])


def test_a_row_that_several_rows_match_is_counted_once(client, help_desk, writer):
    writer.execute("CREATE TABLE rota (person TEXT, weekday TEXT, hours INTEGER)")
    days = [("ann", "Mon"), ("ann", "Mon"), ("ann", "Wed"), ("bob", "Mon")]
    writer.executemany("INSERT INTO rota VALUES (?, ?, 8)", days)
    client.post(f"{help_desk}/refresh")
    put(client, help_desk, {"from": "tickets.agent", "to": "rota.person"})
    status, reply = ask(client, help_desk, "Number of tickets with weekday Mon")
    assert (status, reply["results"]["rows"]) == (200, [[3]])


def test_an_assistant_over_mcp_sees_it(client, help_desk):
    put(client, help_desk, TICKETS)
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "describe",
            "arguments": {"connection": help_desk.rpartition("/")[2], "tables": ["tickets"]},
        },
    }
    answer = client.post("/mcp", json=call, headers={"Accept": "application/json, text/event-stream"})
    (table,) = answer.get_json()["result"]["structuredContent"]["tables"]
    assert table["references"] == [
        {"columns": ["agent"], "table": "staff", "ref_columns": ["login"], "inferred": False, "source": "owner"}
    ]


@pytest.mark.parametrize(
    ("reference", "side", "told"),
    [
        (
            {"from": "tickets.agnt", "to": "staff.login"},
            "from",
            "no column 'agnt' in tickets (nearest: tickets.agent",
        ),
        ({"from": "tickets.agent", "to": "staf.login"}, "to", "no table 'staf' (nearest: staff)"),
        ({"from": "agent", "to": "staff.login"}, "from", "with its table"),
        ({"from": "tickets.id", "to": "staff.login"}, "to", "numbers never equal texts"),
        ({"from": "staff.login", "to": "staff.login"}, "to", "does not refer to itself"),
        ({"from": ["tickets.shop", "staff.login"], "to": ["desks.shop", "desks.place"]}, "from", "of one table"),
        ({"from": ["tickets.shop"], "to": ["desks.shop", "desks.place"]}, "to", "as many columns"),
        ({"from": ["tickets.shop", "tickets.shop"], "to": ["desks.shop", "desks.place"]}, "from", "named twice"),
    ],
)
def test_what_the_database_does_not_hold_is_refused_by_its_place_and_changes_nothing(
    client, help_desk, reference, side, told
):
    put(client, help_desk, TICKETS)
    assert told in faults(put(client, help_desk, TICKETS, reference))["1", side]
    assert client.get(f"{help_desk}/context").get_json()["references"] == [TICKETS | {"stale": False}]


def test_a_table_that_was_made_a_moment_ago_may_be_named(client, help_desk, writer):
    client.get(f"{help_desk}/schema")
    writer.execute("CREATE TABLE teams (colour TEXT PRIMARY KEY)")
    assert put(client, help_desk, {"from": "staff.team", "to": "teams.colour"}).status_code == 200


def test_a_reference_whose_column_is_gone_stays_and_is_marked(client, help_desk, writer):
    put(client, help_desk, TICKETS)
    writer.execute("ALTER TABLE tickets RENAME COLUMN agent TO handler")
    client.post(f"{help_desk}/refresh")
    shown = client.get(f"{help_desk}/context").get_json()
    assert shown["references"] == [TICKETS | {"stale": True}]
    assert keys_of(client, help_desk, "tickets") == []
    again = client.put(f"{help_desk}/context", json=shown | {"notes": "edited"})
    assert (again.status_code, again.get_json()["references"]) == (200, [TICKETS | {"stale": True}])


def test_a_reference_to_what_the_policy_denies_is_shown_to_nobody(client, help_desk):
    put(client, help_desk, TICKETS)
    client.patch(help_desk, json={"policy": {"deny_columns": ["staff.login"]}})
    assert keys_of(client, help_desk, "tickets") == []
    assert client.get(f"{help_desk}/context").get_json()["references"] == [TICKETS | {"stale": True}]
    told = faults(put(client, help_desk, {"from": "tickets.subject", "to": "staff.login"}))["0", "to"]
    assert told.startswith("There is no column 'login' in staff")
    assert "staff.login" not in told


def test_a_database_that_is_away_leaves_the_context_readable(client, settings, postgres_server, postgres_database):
    body = {"provider": "postgres", "name": "away", "config": postgres_database}
    for sql in (
        "CREATE SCHEMA desk",
        "CREATE TABLE desk.tickets (id int, agent uuid)",
        "CREATE TABLE people (id uuid, name text, code text)",
        "GRANT USAGE ON SCHEMA desk TO PUBLIC",
        "GRANT SELECT ON desk.tickets, people TO PUBLIC",
    ):
        postgres_server.execute(sql, postgres_database["database"])
    assert client.post("/api/connections", json=body).status_code == 201
    path, reference = "/api/connections/away", {"from": "desk.tickets.agent", "to": "public.people.id"}
    assert put(client, path, reference).get_json()["references"] == [reference | {"stale": False}]
    (key,) = keys_of(client, path, "tickets")
    assert (key["ref_schema"], key["ref_table"], key["source"]) == ("public", "people", "owner")
    told = faults(put(client, path, {"from": "desk.tickets.agent", "to": "people.code"}))["0", "to"]
    assert told.startswith("The database cannot compare these columns")
    client.delete(path)
