"""Over HTTP: what people say of answers is kept with them, teaches only if they say so, and is nobody else's."""

import itertools
import json
import sqlite3
import uuid

import pytest

from sqlchat.app import create_app
from sqlchat.config import Settings

QUESTION = "How many people are there?"
BAD = {"rating": "bad", "comment": "Guests count too.", "corrected_sql": "SELECT COUNT(*) + 1 FROM people"}


@pytest.fixture
def app(tmp_path):
    """One with a history and connections of its own."""
    with sqlite3.connect(tmp_path / "office.sqlite") as database:
        database.executescript(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, email TEXT);"
            "INSERT INTO people VALUES (1, 'Ann', 'a'), (2, 'Bob', 'b');"
        )
    database.close()
    app = create_app(Settings(data_dir=tmp_path))
    body = {"provider": "sqlite", "name": "office", "config": {"database": "office.sqlite"}}
    assert app.test_client().post("/api/connections", json=body).status_code == 201
    yield app
    app.extensions["sqlchat"].close()


@pytest.fixture
def one(app):
    return app.test_client()


def ask(client, prompt=QUESTION, connection="office", **more):
    answer = client.post("/api/chat", json={"connection_id": connection, "prompt": prompt} | more)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def say(client, id, **body):
    return client.post(f"/api/history/{id}/feedback", json=body)


def refused(answer, status=400):
    body = answer.get_json(force=True)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    return body


def listed(client, query=""):
    return client.get(f"/api/history{query}").get_json()["history"]


def examples(client):
    return client.get("/api/connections/office/examples").get_json()["examples"]


def test_an_answer_names_its_entry_and_feedback_is_shown_there(one):
    id = ask(one)["history_id"]
    assert listed(one)[0]["id"] == id
    assert listed(one)[0]["feedback"] is None
    given = say(one, id, **BAD)
    assert given.status_code == 201
    shown = listed(one)[0]["feedback"]
    assert shown.items() >= BAD.items()
    assert given.get_json() == shown | {"example": None}


def test_what_is_said_again_replaces(one):
    id = ask(one)["history_id"]
    say(one, id, **BAD)
    again = say(one, id, rating="good")
    assert (again.status_code, again.get_json()["comment"]) == (200, None)
    assert listed(one)[0]["feedback"].items() >= {"rating": "good", "comment": None, "corrected_sql": None}.items()


def test_it_is_forgotten_when_that_is_asked(one):
    id = ask(one)["history_id"]
    say(one, id, rating="good")
    gone = one.delete(f"/api/history/{id}/feedback")
    assert (gone.status_code, gone.get_json()) == (200, {"status": "deleted"})
    assert listed(one)[0]["feedback"] is None
    assert refused(one.delete(f"/api/history/{id}/feedback"), 404)["code"] == "feedback_not_found"


def test_the_history_can_be_asked_for_what_was_good_or_bad(one):
    good, bad, _ = (ask(one)["history_id"] for _ in range(3))
    say(one, good, rating="good")
    say(one, bad, rating="bad")
    ids = {kind: {entry["id"] for entry in listed(one, f"?feedback={kind}")} for kind in ("good", "bad", "any")}
    assert ids == {"good": {good}, "bad": {bad}, "any": {good, bad}}
    assert "feedback" in refused(one.get("/api/history?feedback=fine"))["errors"]


UNFIT = [
    ({}, "rating"),
    ({"rating": "fine"}, "rating"),
    ({"rating": None}, "rating"),
    ({"rating": "good", "comment": "x" * 1001}, "comment"),
    ({"rating": "good", "comment": "x\0"}, "comment"),
    ({"rating": "bad", "corrected_sql": ""}, "corrected_sql"),
    ({"rating": "bad", "corrected_sql": f"SELECT '{'x' * 10_000}'"}, "corrected_sql"),
    ({"rating": "good", "as_example": "yes please"}, "as_example"),
    ({"rating": "good", "stars": 5}, "stars"),
]


def test_feedback_of_another_form_or_size_is_refused(one, subtests):
    id = ask(one)["history_id"]
    for body, field in UNFIT:
        with subtests.test(ascii(body)[:100]):
            assert set(refused(one.post(f"/api/history/{id}/feedback", json=body))["errors"]) == {field}
            assert listed(one)[0]["feedback"] is None


WRONG = [
    ("SELECT (", "sql_syntax", ""),
    ("DELETE FROM people", "sql_refused", "DELETE"),
    ("SELECT 1; SELECT 2", "sql_refused", "one by one"),
    ("EXPLAIN SELECT 1", "sql_refused", "must be a query"),
    ("SELECT nme FROM people", "sql_failed", "people.name"),
]


def test_corrected_sql_that_would_not_run_is_refused_and_nothing_is_kept(one, subtests):
    id = ask(one)["history_id"]
    for (sql, code, named), as_example in itertools.product(WRONG, [False, True]):
        with subtests.test(ascii(sql), as_example=as_example):
            body = refused(say(one, id, rating="bad", corrected_sql=sql, as_example=as_example))
            assert body["code"] == code
            assert named in body["detail"]
            assert listed(one)[0]["feedback"] is None
            assert examples(one) == []


def test_the_policy_holds_for_corrected_sql(one):
    id = ask(one)["history_id"]
    one.patch("/api/connections/office", json={"policy": {"deny_columns": ["people.email"]}})
    body = refused(say(one, id, rating="bad", corrected_sql="SELECT email FROM people", as_example=True))
    assert body["code"] in ("sql_refused", "sql_failed")
    assert examples(one) == []


def test_nothing_becomes_an_example_by_itself(one):
    id = ask(one)["history_id"]
    say(one, id, **BAD)
    say(one, id, rating="good")
    assert examples(one) == []


def test_a_corrected_answer_becomes_an_example_that_answers(one):
    given = say(one, ask(one)["history_id"], **BAD, as_example=True).get_json()
    assert examples(one) == [given["example"]]
    assert given["example"].items() >= {"question": QUESTION, "sql": BAD["corrected_sql"], "stale": False}.items()
    answer = ask(one, "how many people are there")
    assert (answer["results"]["rows"], answer["examples_used"]) == ([[3]], [given["example"]["id"]])


def test_a_good_answer_becomes_an_example_with_its_own_sql(one):
    answer = ask(one)
    say(one, answer["history_id"], rating="good", as_example=True)
    assert [each["sql"] for each in examples(one)] == [answer["sql"]]


def test_what_is_bad_and_not_corrected_is_no_example(one):
    body = refused(say(one, ask(one)["history_id"], rating="bad", as_example=True))
    assert set(body["errors"]) == {"corrected_sql"}
    assert (examples(one), listed(one)[0]["feedback"]) == ([], None)


def test_sql_without_a_question_is_no_example(one):
    one.post("/api/execute", json={"connection_id": "office", "sql": "SELECT 1"})
    assert set(refused(say(one, listed(one)[0]["id"], rating="good", as_example=True))["errors"]) == {"as_example"}
    assert say(one, listed(one)[0]["id"], rating="good").status_code == 201


def test_a_follow_up_which_says_nothing_by_itself_is_no_example(one):
    first = ask(one)
    second = ask(one, "List all people", conversation_id=first["conversation_id"])
    assert (
        "/api/connections/office/examples"
        in refused(say(one, second["history_id"], rating="good", as_example=True))["detail"]
    )
    assert say(one, first["history_id"], rating="good", as_example=True).status_code == 201


def test_a_refusal_can_be_corrected(one):
    one.post("/api/chat", json={"connection_id": "office", "prompt": "Who is the boss?"})
    (entry,) = listed(one)
    assert entry["outcome"] == "question_not_answerable"
    told = {"rating": "bad", "corrected_sql": "SELECT name FROM people WHERE id = 1", "as_example": True}
    assert say(one, entry["id"], **told).status_code == 201
    assert ask(one, "Who is the boss?")["results"]["rows"] == [["Ann"]]


@pytest.mark.parametrize("id", ["5a24f19c-b414-48ff-895c-97ed80c2f6e8", str(uuid.UUID(int=0))])
def test_an_entry_that_never_was_is_404(one, id):
    assert refused(say(one, id, rating="good"), 404)["code"] == "entry_not_found"
    assert refused(one.delete(f"/api/history/{id}/feedback"), 404)["code"] == "entry_not_found"


def test_the_latest_answer_needs_no_id(one):
    answer = ask(one)
    assert say(one, "latest", rating="good").status_code == 201
    assert listed(one, "?feedback=good")[0]["id"] == answer["history_id"]
    assert one.delete("/api/history/latest/feedback").status_code == 200


def test_another_callers_entries_are_unknown(shared_client, two_users):
    ann, bob = two_users
    body = {"provider": "sqlite", "name": "mine", "config": {"database": ":memory:"}}
    shared_client.post("/api/connections", json=body, headers=ann)
    shared_client.post("/api/execute", json={"connection_id": "mine", "sql": "SELECT 1"}, headers=ann)
    id = shared_client.get("/api/history?limit=1", headers=ann).get_json()["history"][0]["id"]
    path = f"/api/history/{id}/feedback"
    assert shared_client.post(path, json={"rating": "good"}, headers=ann).status_code == 201
    for call in (shared_client.post, shared_client.delete):
        more = {"json": {"rating": "bad"}} if call == shared_client.post else {}
        assert call(path, headers=bob, **more).status_code == 404
    assert shared_client.get("/api/history?feedback=any", headers=bob).get_json()["history"] == []
    assert shared_client.get("/api/history?feedback=bad", headers=ann).get_json()["history"] == []
    assert shared_client.post(path, json={"rating": "good"}).status_code == 401


def test_it_becomes_questions_of_an_evaluation(app, one, tmp_path):
    good, corrected, bad = ask(one), ask(one, "List the names of people"), ask(one, "List all people")
    follow_up = ask(one, "How many people are there?", conversation_id=bad["conversation_id"])
    say(one, good["history_id"], rating="good", comment="größer")
    say(one, corrected["history_id"], rating="bad", corrected_sql="SELECT name FROM people ORDER BY id")
    say(one, bad["history_id"], rating="bad")
    say(one, follow_up["history_id"], rating="good")
    done = app.test_cli_runner().invoke(args=["feedback", "--connection", "office"])
    assert done.exit_code == 0, done.output
    assert "Questions: 2; left out, without SQL that is right or as follow-ups: 2." in done.stderr
    cases = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["question"], each["gold_sql"], each["rating"]) for each in cases] == [
        (QUESTION, good["sql"], "good"),
        ("List the names of people", "SELECT name FROM people ORDER BY id", "bad"),
    ]
    (tmp_path / "cases.jsonl").write_text(done.stdout, "utf-8")
    judged = app.test_cli_runner().invoke(args=["eval", str(tmp_path / "cases.jsonl"), "--connection", "office"])
    assert judged.exit_code == 0, judged.output


def test_without_a_history_there_is_no_feedback(tmp_path):
    app = create_app(Settings(data_dir=tmp_path, history_days=0))
    assert ask(app.test_client(), "How many customers are there?", "demo")["history_id"] is None
    app.extensions["sqlchat"].close()
