"""Over HTTP: what an owner tells of a connection is checked, kept, shown and forgotten."""

import logging
import sqlite3
import uuid

import pytest

TERM = {
    "term": "active customer",
    "definition": "Ordered lately.",
    "sql": "ordered_at > '2024-01-01'",
    "synonyms": [],
}
EMPTY = {"notes": "", "terms": [], "references": []}
QUESTION = {"question": "How many people?", "sql": "SELECT COUNT(*) FROM people"}
POLICY = {"deny_tables": ["salaries"], "deny_columns": ["people.email"]}


@pytest.fixture
def writer(settings):
    connection = sqlite3.connect(settings.data_dir / f"{uuid.uuid4().hex}.db", isolation_level=None)
    connection.executescript(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, email TEXT);"
        "CREATE TABLE salaries (person_id INTEGER, amount INTEGER);"
    )
    yield connection
    connection.close()


@pytest.fixture
def make(client, writer):
    """Makes connections to the writer's database; gives the path of each."""
    ((_, _, file),) = writer.execute("PRAGMA database_list")

    def made(name=None, **more):
        name = name or f"c{uuid.uuid4().hex[:12]}"
        body = {"provider": "sqlite", "name": name, "config": {"database": file}} | more
        answer = client.post("/api/connections", json=body)
        assert answer.status_code == 201, answer.text
        return f"/api/connections/{name}"

    return made


@pytest.fixture
def people(make):
    return make()


def refused(answer, status=400):
    body = answer.get_json(force=True)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    return body


# privacy


@pytest.mark.parametrize("privacy", ["schema", "samples", "rows"])
def test_privacy_is_kept_and_shown(client, make, privacy):
    assert client.get(make(privacy=privacy)).get_json()["privacy"] == privacy


def test_samples_may_be_seen_unless_told_otherwise(client, people):
    assert client.get(people).get_json()["privacy"] == "samples"
    assert client.get("/api/connections/demo").get_json()["privacy"] == "samples"


@pytest.mark.parametrize("privacy", ["all", "", None, 1, ["rows"]])
def test_another_privacy_is_refused(client, privacy):
    body = {"provider": "sqlite", "name": "x", "config": {"database": ":memory:"}, "privacy": privacy}
    assert set(refused(client.post("/api/connections", json=body))["errors"]) == {"privacy"}


# context


def test_a_context_comes_back_as_it_was_put_and_may_be_put_again(client, people):
    context = EMPTY | {
        "notes": "Amounts in €.",
        "terms": [TERM | {"synonyms": ["regular"]}, {"term": "x", "definition": "y"}],
    }
    put = client.put(f"{people}/context", json=context)
    shown = client.get(f"{people}/context").get_json()
    assert (put.status_code, put.get_json()) == (200, shown)
    assert shown == context | {"terms": [context["terms"][0], context["terms"][1] | {"sql": None, "synonyms": []}]}
    assert client.put(f"{people}/context", json=shown).get_json() == shown


def test_put_replaces_the_whole(client, people):
    client.put(f"{people}/context", json={"notes": "first", "terms": [TERM]})
    client.put(f"{people}/context", json={"terms": [TERM | {"term": "other"}]})
    shown = client.get(f"{people}/context").get_json()
    assert (shown["notes"], [term["term"] for term in shown["terms"]]) == ("", ["other"])
    client.put(f"{people}/context", json={})
    assert client.get(f"{people}/context").get_json() == EMPTY


@pytest.mark.parametrize(
    ("context", "field"),
    [
        ({"notes": "x" * 4001}, "notes"),
        ({"notes": None}, "notes"),
        ({"notes": 5}, "notes"),
        ({"terms": [TERM] * 201}, "terms"),
        ({"terms": {}}, "terms"),
        ({"terms": ["active"]}, "terms"),
        ({"terms": [{"term": "x"}]}, "terms"),
        ({"terms": [TERM | {"term": " "}]}, "terms"),
        ({"terms": [TERM | {"term": "x" * 101}]}, "terms"),
        ({"terms": [TERM | {"definition": "x" * 1001}]}, "terms"),
        ({"terms": [TERM | {"sql": "x" * 2001}]}, "terms"),
        ({"terms": [TERM | {"synonyms": ["x"] * 21}]}, "terms"),
        ({"terms": [TERM | {"synonyms": [""]}]}, "terms"),
        ({"terms": [TERM | {"colour": "red"}]}, "terms"),
        ({"term": []}, "term"),
        ({"references": {}}, "references"),
        ({"references": [{"from": "salaries.person_id"}]}, "references"),
        ({"references": [{"from": "salaries.person_id", "to": []}]}, "references"),
        ({"references": [{"from": 1, "to": "people.id"}]}, "references"),
        ({"references": [{"from": "salaries.person_id", "to": "people.id\0"}]}, "references"),
        ({"references": [{"from": "salaries.person_id", "to": "people.id", "via": "x"}]}, "references"),
        ({"references": [{"from": "x." + "y" * 400, "to": "people.id"}]}, "references"),
        ({"references": [{"from": "salaries.person_id", "to": "people.id"}] * 201}, "references"),
    ],
)
def test_a_context_of_another_form_or_size_is_refused_and_changes_nothing(client, people, context, field):
    before = EMPTY | {"notes": "kept", "terms": [TERM]}
    client.put(f"{people}/context", json=before)
    assert field in refused(client.put(f"{people}/context", json=context))["errors"]
    assert client.get(f"{people}/context").get_json() == before


@pytest.mark.parametrize("sql", ["customers who came back", "WHERE x = 1", "x =", "DROP TABLE people", "a, b", "x\0"])
def test_sql_of_a_term_that_cannot_be_read_is_refused_by_its_place(client, people, sql):
    context = {"notes": "new", "terms": [TERM, TERM | {"term": "other", "sql": sql}]}
    body = refused(client.put(f"{people}/context", json=context))
    assert (body["code"], list(body["errors"]["terms"])) == ("payload_invalid", ["1"])
    assert list(body["errors"]["terms"]["1"]) == ["sql"]
    assert client.get(f"{people}/context").get_json() == EMPTY


def test_sql_of_a_term_that_is_made_to_cost_is_refused_in_time(client, people):
    sql = "date(" * 300 + "1" + ")" * 300
    assert refused(client.put(f"{people}/context", json={"terms": [TERM | {"sql": sql}]}))["errors"]["terms"]["0"]


def test_a_term_is_told_once(client, people):
    twice = {"terms": [TERM, TERM | {"term": "Active  CUSTOMER"}]}
    body = refused(client.put(f"{people}/context", json=twice))
    assert body["errors"] == {"terms": {"1": {"term": ["This term is there twice."]}}}


def test_signs_that_a_database_may_not_hold_are_kept_or_refused_and_no_fault_of_ours(client, people):
    context = EMPTY | {"notes": "a", "terms": [TERM | {"definition": "c \N{PILE OF POO}"}]}
    assert client.put(f"{people}/context", json=context).status_code == 200
    assert client.get(f"{people}/context").get_json() == context
    for hostile in ({"notes": "a\0b"}, {"terms": [TERM | {"definition": "c\0d"}]}):
        assert refused(client.put(f"{people}/context", json=hostile))["errors"]
    assert refused(client.post(f"{people}/examples", json=QUESTION | {"question": "a\0b"}))["errors"].keys() == {
        "question"
    }


# examples


def test_an_example_is_kept_listed_and_deleted(client, people):
    assert client.get(f"{people}/examples").get_json() == {"examples": []}
    made = client.post(f"{people}/examples", json=QUESTION | {"note": "Checked by Ann."})
    kept = made.get_json()
    assert made.status_code == 201
    assert uuid.UUID(kept["id"]).version == 4
    assert kept.items() >= (QUESTION | {"note": "Checked by Ann.", "stale": False}).items()
    assert client.get(f"{people}/examples").get_json() == {"examples": [kept]}
    gone = client.delete(f"{people}/examples/{kept['id']}")
    assert (gone.status_code, gone.get_json()) == (200, {"status": "deleted"})
    assert client.get(f"{people}/examples").get_json() == {"examples": []}
    assert refused(client.delete(f"{people}/examples/{kept['id']}"), 404)["code"] == "example_not_found"


def test_the_latest_example_can_be_deleted_by_that_word(client, people):
    first = client.post(f"{people}/examples", json=QUESTION).get_json()
    client.post(f"{people}/examples", json=QUESTION | {"question": "And again, how many?"})
    assert client.delete(f"{people}/examples/latest").status_code == 200
    assert client.get(f"{people}/examples").get_json() == {"examples": [first]}
    client.delete(f"{people}/examples/latest")
    assert refused(client.delete(f"{people}/examples/latest"), 404)["code"] == "example_not_found"


def test_the_same_question_again_replaces(client, people):
    first = client.post(f"{people}/examples", json=QUESTION).get_json()
    again = client.post(
        f"{people}/examples", json={"question": " how many PEOPLE ", "sql": "SELECT COUNT(id) FROM people;"}
    )
    assert (again.status_code, again.get_json()["id"]) == (200, first["id"])
    (kept,) = client.get(f"{people}/examples").get_json()["examples"]
    assert (kept["question"], kept["sql"]) == ("how many PEOPLE", "SELECT COUNT(id) FROM people")


@pytest.mark.parametrize(
    ("sql", "code", "named"),
    [
        ("SELECT (", "sql_syntax", ""),
        ("DROP TABLE people", "sql_refused", "DROP"),
        ("SELECT 1; SELECT 2", "sql_refused", "one by one"),
        ("SELECT load_extension('x')", "sql_refused", "load_extension"),
        ("EXPLAIN SELECT 1", "sql_refused", "must be a query"),
        ("SELECT COUNT(*) FROM peple", "sql_failed", "nearest: people"),
        ("SELECT nme FROM people", "sql_failed", "people.name"),
        ("SELECT MAX(id, 'x') OVER () FROM people", "sql_failed", ""),
    ],
)
def test_sql_that_would_not_run_is_no_example(client, people, sql, code, named):
    body = refused(client.post(f"{people}/examples", json=QUESTION | {"sql": sql}))
    assert body["code"] == code
    assert named in body["detail"]
    assert client.get(f"{people}/examples").get_json() == {"examples": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sql": "SELECT 1"}, "question"),
        ({"question": "How many?"}, "sql"),
        (QUESTION | {"question": " "}, "question"),
        (QUESTION | {"question": "x" * 1001}, "question"),
        (QUESTION | {"sql": ""}, "sql"),
        (QUESTION | {"sql": f"SELECT '{'x' * 10_000}'"}, "sql"),
        (QUESTION | {"note": "x" * 1001}, "note"),
        (QUESTION | {"verified": True}, "verified"),
    ],
)
def test_an_example_of_another_form_or_size_is_refused(client, people, body, field):
    assert set(refused(client.post(f"{people}/examples", json=body))["errors"]) == {field}


def test_a_connection_has_200_examples_at_most(client, people, monkeypatch):
    monkeypatch.setattr("sqlchat.store.knowledge.MOST_EXAMPLES", 2)
    for number in range(2):
        assert client.post(f"{people}/examples", json=QUESTION | {"question": f"q {number}"}).status_code == 201
    assert "delete one first" in refused(client.post(f"{people}/examples", json=QUESTION))["detail"]
    assert client.post(f"{people}/examples", json=QUESTION | {"question": "Q 1"}).status_code == 200


def test_a_table_that_was_made_a_moment_ago_may_be_named(client, people, writer):
    client.get(f"{people}/schema")
    writer.execute("CREATE TABLE pets (name TEXT)")
    made = client.post(f"{people}/examples", json={"question": "Which pets?", "sql": "SELECT name FROM pets"})
    assert made.status_code == 201, made.text


def test_an_example_whose_table_is_gone_is_stale(client, people, writer):
    client.post(f"{people}/examples", json=QUESTION)
    client.post(f"{people}/examples", json={"question": "What is paid?", "sql": "SELECT amount FROM salaries"})
    writer.execute("DROP TABLE salaries")
    client.get(f"{people}/schema?refresh=true")
    found = client.get(f"{people}/examples").get_json()["examples"]
    assert {each["question"]: each["stale"] for each in found} == {"What is paid?": True, "How many people?": False}


def test_a_fixed_date_does_not_answer_a_question_relative_to_today(client, people):
    told = {"question": "Who came last month?", "sql": "SELECT name FROM people WHERE name > '2026-02-01'"}
    assert "CURRENT_DATE" in refused(client.post(f"{people}/examples", json=told))["errors"]["sql"][0]


def test_on_postgres_its_own_planner_has_the_last_word(client, postgres_server, postgres_database):
    postgres_server.execute("CREATE TABLE people (id int, name text)", postgres_database["database"])
    postgres_server.execute("GRANT SELECT ON people TO PUBLIC", postgres_database["database"])
    body = {"provider": "postgres", "name": "planned", "config": postgres_database}
    assert client.post("/api/connections", json=body).status_code == 201
    path = "/api/connections/planned"
    assert client.post(f"{path}/examples", json=QUESTION).status_code == 201
    answer = refused(client.post(f"{path}/examples", json=QUESTION | {"sql": "SELECT id + name FROM people"}))
    assert (answer["code"], answer["sqlstate"]) == ("sql_failed", "42883")
    term = TERM | {"sql": "ordered_at > now() - interval '90 days'"}
    assert client.put(f"{path}/context", json={"terms": [term]}).status_code == 200
    client.delete(path)


def test_no_example_reads_what_the_policy_denies(client, make):
    path = make(policy=POLICY)
    for sql in ("SELECT email FROM people", "SELECT * FROM people", "SELECT amount FROM salaries"):
        body = refused(client.post(f"{path}/examples", json=QUESTION | {"sql": sql}))
        assert body["code"] in ("sql_refused", "sql_failed")
    assert client.post(f"{path}/examples", json=QUESTION | {"sql": "SELECT name FROM people"}).status_code == 201


# a connection's end, other connections, other processes, logs


def test_a_deleted_connection_takes_it_all_with_it(client, make):
    path = make("short-lived")
    client.put(f"{path}/context", json={"notes": "gone"})
    client.post(f"{path}/examples", json=QUESTION)
    client.delete(path)
    for suffix in ("context", "examples"):
        assert refused(client.get(f"{path}/{suffix}"), 404)["code"] == "connection_not_found"
    make("short-lived")
    assert client.get(f"{path}/context").get_json() == EMPTY
    assert client.get(f"{path}/examples").get_json() == {"examples": []}


def test_an_example_is_of_one_connection(client, people, make):
    kept = client.post(f"{people}/examples", json=QUESTION).get_json()
    other = make()
    assert client.get(f"{other}/examples").get_json() == {"examples": []}
    assert refused(client.delete(f"{other}/examples/{kept['id']}"), 404)["code"] == "example_not_found"
    assert len(client.get(f"{people}/examples").get_json()["examples"]) == 1


@pytest.mark.parametrize("id", ["1", "x", "%00", str(uuid.UUID(int=0)), "a" * 2000])
def test_an_id_of_nothing_is_404(client, people, id):
    assert refused(client.delete(f"{people}/examples/{id}"), 404)["code"] == "example_not_found"


def test_nothing_that_was_told_is_in_the_log(client, people, caplog):
    caplog.set_level(logging.DEBUG)
    told = {"notes": "hush-notes", "terms": [TERM | {"term": "hush-term", "definition": "hush", "sql": "hush_sql"}]}
    client.put(f"{people}/context", json=told)
    client.put(f"{people}/context", json=told | {"terms": [TERM | {"sql": "hush hush hush"}]})
    kept = client.post(f"{people}/examples", json=QUESTION | {"question": "hush?", "sql": "SELECT 'hush'"}).get_json()
    client.post(f"{people}/examples", json=QUESTION | {"question": "hush?", "sql": "SELECT hush FROM hush"})
    client.get(f"{people}/examples")
    client.delete(f"{people}/examples/{kept['id']}")
    logged = [str(vars(record)) for record in caplog.records if record.name.startswith("sqlchat")]
    assert len(logged) >= 6
    assert not any("hush" in line for line in logged)
