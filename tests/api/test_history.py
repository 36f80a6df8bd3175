"""Every chat and execute leaves an entry, seen by its own user alone, and its facts in the log."""

import json
import logging
import threading
import uuid

import psycopg2
import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import text

from sqlchat.app import create_app
from sqlchat.config import Settings
from sqlchat.store import Entry

MEMORY = {"provider": "sqlite", "name": "mine", "config": {"database": ":memory:"}}
KEYS = {
    "id", "at", "user_id", "connection_id", "route", "question", "sql", "provider", "model", "outcome", "status",
    "row_count", "ms", "tokens", "request_id", "conversation_id", "interpretation", "feedback",
}  # fmt: skip


@pytest.fixture
def fresh(tmp_path):
    """Makes applications with a history of their own."""
    made = []

    def make(**settings):
        made.append(create_app(Settings(data_dir=tmp_path / f"data-{len(made)}", **settings)))
        return made[-1].test_client()

    yield make
    for app in made:
        app.extensions["sqlchat"].close()


@pytest.fixture
def one(fresh):
    return fresh()


def listed(client, query="", **more):
    response = client.get(f"/api/history{query}", **more)
    assert response.status_code == 200, response.text
    return response.get_json()


def newest(client, **more):
    return listed(client, "?limit=1", **more)["history"][0]


def execute(client, sql, connection="demo", **more):
    return client.post("/api/execute", json={"connection_id": connection, "sql": sql}, **more)


def test_nothing_was_asked_yet(one):
    assert listed(one) == {"history": [], "next": None}


def test_a_chat_leaves_what_it_came_to(one):
    asked = one.post("/api/chat", json={"connection_id": "demo", "prompt": "Top 10 customers by revenue"})
    entry = newest(one)
    assert set(entry) == KEYS
    assert (entry["route"], entry["question"]) == ("chat", "Top 10 customers by revenue")
    assert entry["sql"] == asked.get_json()["sql"]
    assert (entry["provider"], entry["model"]) == ("offline", "sqlchat-offline-1")
    assert (entry["outcome"], entry["status"], entry["row_count"]) == ("ok", 200, 10)
    assert entry["tokens"] == {"prompt": 0, "completion": 0, "total": 0}
    assert entry["request_id"] == asked.headers["X-Request-Id"]
    assert entry["ms"] > 0
    assert entry["user_id"] is None


def test_the_turns_of_a_conversation_can_be_listed_alone(fresh):
    one, conversation = fresh(), uuid.uuid4()
    store = one.application.extensions["sqlchat"].store
    for number in range(3):
        said = {"conversation_id": conversation, "interpretation": f"read as {number}"} if number else {}
        store.history.add(Entry("local", "demo", "chat", question=f"question {number}", **said))
    found = listed(one, f"?conversation_id={conversation}")["history"]
    assert [(each["question"], each["interpretation"]) for each in found] == [
        ("question 2", "read as 2"),
        ("question 1", "read as 1"),
    ]
    assert {each["conversation_id"] for each in found} == {str(conversation)}
    assert newest(one)["conversation_id"] == str(conversation)
    assert listed(one)["history"][-1]["conversation_id"] is None
    assert listed(one, f"?conversation_id={uuid.uuid4()}")["history"] == []
    assert one.get("/api/history?conversation_id=mine").status_code == 400


def test_an_execute_leaves_its_sql_and_never_a_row(one):
    done = execute(one, "SELECT email FROM customers ORDER BY id LIMIT 3")
    entry = newest(one)
    assert (entry["route"], entry["sql"]) == ("execute", "SELECT email FROM customers ORDER BY id LIMIT 3")
    assert (entry["outcome"], entry["row_count"], entry["question"], entry["provider"]) == ("ok", 3, None, None)
    kept = one.get("/api/history").text
    assert not any(value in kept for (value,) in done.get_json()["results"]["rows"])


def test_a_chat_without_execution_has_sql_and_no_count_of_rows(one):
    one.post("/api/chat", json={"connection_id": "demo", "prompt": "How many customers?", "auto_execute": False})
    entry = newest(one)
    assert entry["sql"]
    assert (entry["outcome"], entry["row_count"]) == ("ok", None)


def test_of_a_chat_in_another_dialect_it_keeps_what_the_database_got(one):
    ask = {"connection_id": "demo", "prompt": "Revenue per month in 2024", "dialect": "postgresql"}
    shown = one.post("/api/chat", json=ask).get_json()["sql"]
    assert newest(one)["sql"] != shown
    assert "STRFTIME" in newest(one)["sql"].upper()


@pytest.mark.parametrize(
    ("path", "payload", "status", "outcome"),
    [
        ("execute", {"sql": "DROP TABLE orders"}, 400, "sql_refused"),
        ("execute", {"sql": "SELECT '\0'"}, 400, "sql_refused"),
        ("execute", {"sql": "SELECT nothing FROM orders"}, 400, "sql_failed"),
        ("execute", {"sql": "SELECT 1", "connection_id": "no-such"}, 404, "connection_not_found"),
        ("chat", {"prompt": "Will it rain tomorrow?"}, 422, "question_not_answerable"),
        ("chat", {"prompt": "How many?", "provider": "openai"}, 400, "provider_not_configured"),
        ("chat", {"prompt": "How many?", "provider": "nobody"}, 400, "provider_unknown"),
        ("chat", {"prompt": "How many?", "dialect": "klingon"}, 400, "dialect_unknown"),
    ],
)
def test_failures_are_kept(client, path, payload, status, outcome):
    response = client.post(f"/api/{path}", json={"connection_id": "demo"} | payload)
    assert response.status_code == status
    entry = newest(client)
    assert (entry["status"], entry["outcome"], entry["row_count"]) == (status, outcome, None)
    assert entry["request_id"] == response.get_json(force=True)["request_id"]
    assert entry["connection_id"] == payload.get("connection_id", "demo")
    if provider := payload.get("provider"):
        assert entry["provider"] == provider
    if outcome == "sql_refused":
        assert entry["sql"] == payload["sql"].replace("\0", "\N{REPLACEMENT CHARACTER}")


def test_a_statement_that_took_too_long_is_kept(fresh):
    client = fresh(statement_timeout=0.5)
    endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT MAX(n) FROM t"
    assert execute(client, endless).status_code == 504
    entry = newest(client)
    assert (entry["outcome"], entry["sql"]) == ("query_timeout", endless)
    assert entry["ms"] >= 500


def test_a_payload_that_is_not_one_leaves_nothing(one):
    one.post("/api/execute", json={"connection_id": "demo"})
    one.post("/api/execute", json={"sql": "SELECT 1"})
    one.post("/api/chat", json={"connection_id": "demo", "prompt": ""})
    assert listed(one)["history"] == []


def completion(sql):
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny-1",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": json.dumps({"sql": sql, "explanation": "Counts."})},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107},
    }


@pytest.fixture
def model():
    server = HTTPServer(host="127.0.0.1")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def modelled(fresh, model):
    return fresh(openai_api_key="none", openai_base_url=model.url_for("/v1"), openai_model="tiny-1")


def ask(client, question="How many customers are there?"):
    return client.post("/api/chat", json={"connection_id": "demo", "prompt": question})


def test_tokens_of_both_tries_and_the_sql_that_ran(modelled, model):
    for sql in ("SELECT COUNT(*) FROM clients", "SELECT COUNT(*) AS n FROM customers"):
        model.expect_ordered_request("/v1/chat/completions").respond_with_json(completion(sql))
    assert ask(modelled).status_code == 200
    entry = newest(modelled)
    assert (entry["provider"], entry["model"], entry["outcome"]) == ("openai", "tiny-1", "ok")
    assert entry["sql"] == "SELECT COUNT(*) AS n FROM customers"
    assert entry["tokens"] == {"prompt": 200, "completion": 14, "total": 214}


def test_what_a_model_wrote_is_kept_where_it_was_refused(modelled, model):
    model.expect_request("/v1/chat/completions").respond_with_json(completion("DELETE FROM customers"))
    assert ask(modelled).status_code == 422
    entry = newest(modelled)
    assert (entry["outcome"], entry["sql"]) == ("question_not_answerable", "DELETE FROM customers")
    assert entry["tokens"]["total"] == 214


def test_a_model_that_failed_is_kept(modelled, model):
    model.expect_request("/v1/chat/completions").respond_with_data("no", status=400)
    assert ask(modelled).status_code == 502
    entry = newest(modelled)
    assert (entry["outcome"], entry["provider"], entry["model"]) == ("model_failed", "openai", "tiny-1")
    assert entry["sql"] is None


def test_pages_and_filters(one):
    for number in range(7):
        execute(one, f"SELECT {number}")
        execute(one, f"DROP TABLE t{number}")
    seen, query = [], "?outcome=ok&limit=3"
    page = listed(one, query)
    while True:
        seen += [entry["sql"] for entry in page["history"]]
        execute(one, "SELECT 'new'")
        if page["next"] is None:
            break
        page = listed(one, f"{query}&before={page['next']}")
    assert seen == [f"SELECT {number}" for number in reversed(range(7))]
    assert len(listed(one, "?connection_id=demo&limit=200")["history"]) == 17
    assert listed(one, "?connection_id=other")["history"] == []
    assert listed(one, "?connection_id=%00&outcome=%00%ff")["history"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "before=x", "before=", "before=%00"])
def test_a_query_that_does_not_fit_is_refused_with_its_field(client, query):
    response = client.get(f"/api/history?{query}")
    assert response.status_code == 400
    assert query.partition("=")[0] in response.get_json(force=True)["errors"]


def test_users_see_nothing_of_one_another(shared_client, two_users):
    ann, bob = two_users
    shared_client.post("/api/connections", json=MEMORY, headers=ann)
    execute(shared_client, "SELECT 'a secret of ann'", "mine", headers=ann)
    execute(shared_client, "SELECT 'a secret of ann', 2", "mine", headers=ann)
    execute(shared_client, "SELECT 'of bob'", "mine", headers=bob)  # he has no such connection
    own = listed(shared_client, headers=ann)["history"]
    (his,) = listed(shared_client, headers=bob)["history"]
    assert [entry["outcome"] for entry in own] == ["ok", "ok"]
    assert (his["outcome"], his["sql"]) == ("connection_not_found", "SELECT 'of bob'")
    assert own[0]["user_id"] != his["user_id"]
    for query in (f"?before={own[0]['id']}", "?connection_id=mine", "?outcome=ok", f"?user_id={own[0]['user_id']}"):
        assert "ann" not in shared_client.get(f"/api/history{query}", headers=bob).text


def test_it_needs_a_token_where_others_do(shared_client):
    assert shared_client.get("/api/history").status_code == 401


def test_callers_who_cannot_be_told_apart_see_none_of_it(fresh):
    client = fresh(open_data_routes=True, supabase_jwt_secret="s" * 40)
    client.post("/api/connections", json=MEMORY)
    assert execute(client, "SELECT 1", "mine").status_code == 200
    assert client.get("/api/history").status_code == 401


def test_in_local_mode_a_token_says_who_it_was(client, signed_in):
    execute(client, "SELECT 1", headers=signed_in)
    me = client.get("/api/auth/me", headers=signed_in).get_json()["id"]
    assert newest(client)["user_id"] == me


def test_none_is_kept_where_the_settings_say_so(fresh):
    client = fresh(history_days=0)
    assert execute(client, "SELECT 1").status_code == 200
    assert listed(client) == {"history": [], "next": None}


@pytest.fixture
def lines(caplog):
    """The request lines of the log, as dictionaries."""
    caplog.set_level(logging.INFO, "sqlchat")
    return lambda: [vars(record) for record in caplog.records if record.name == "sqlchat.request"]


def test_the_log_line_has_the_facts_and_not_the_texts(one, lines):
    ask(one, "How many customers are there?")
    execute(one, "SELECT 'open sesame' FROM nowhere")
    chatted, executed = lines()
    assert (chatted["connection"], chatted["outcome"], chatted["rows"]) == ("demo", "ok", 1)
    assert (chatted["provider"], chatted["model"], chatted["prompt_tokens"]) == ("offline", "sqlchat-offline-1", 0)
    assert (executed["outcome"], executed["code"], executed["status"]) == ("sql_failed", "sql_failed", 400)
    for line in (chatted, executed):
        assert "customers are there" not in str(line)
        assert "sesame" not in str(line)


def test_a_log_line_leads_to_its_entry(one, lines):
    execute(one, "SELECT 1")
    assert newest(one)["request_id"] == lines()[0]["request_id"]


def test_a_store_that_goes_away_costs_the_entry_and_not_the_answer(one, caplog):
    """Its table is gone by the time that the answer is there."""
    store = one.application.extensions["sqlchat"].store
    with store.history._database.writing() as connection:
        connection.execute(text("ALTER TABLE history RENAME TO elsewhere"))
    response = execute(one, "SELECT 1")
    assert (response.status_code, response.get_json()["results"]["rows"]) == (200, [[1]])
    store.history.close()  # which writes what waits
    (record,) = [record for record in caplog.records if record.message == "history entry lost"]
    assert (record.levelname, record.request_id) == ("WARNING", response.headers["X-Request-Id"])
    with store.history._database.writing() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO history"))
    execute(one, "SELECT 2")
    assert [entry["sql"] for entry in listed(one)["history"]] == ["SELECT 2"]


def test_the_statement_that_runs_names_its_request_to_the_database(one, postgres_server, postgres_database):
    slow = "CREATE VIEW slow AS SELECT pg_sleep(2)::text AS s; GRANT SELECT ON slow TO PUBLIC"
    postgres_server.execute(slow, postgres_database["database"])
    made = one.post("/api/connections", json={"provider": "postgres", "name": "pg", "config": postgres_database})
    assert made.status_code == 201, made.text
    seen, done = [], threading.Event()
    request_id = f"trace-{uuid.uuid4().hex}"

    def look():
        administrator = psycopg2.connect(postgres_server.superuser_dsn())
        administrator.autocommit = True
        with administrator.cursor() as cursor:
            while not done.wait(0.02):
                cursor.execute(
                    "SELECT query FROM pg_stat_activity WHERE datname = %s AND state = 'active'",
                    (postgres_database["database"],),
                )
                seen.extend(query for (query,) in cursor.fetchall())
        administrator.close()

    looking = threading.Thread(target=look)
    looking.start()
    try:
        response = execute(one, "SELECT s FROM slow", "pg", headers={"X-Request-Id": request_id})
    finally:
        done.set()
        looking.join()
    assert response.status_code == 200, response.text
    assert newest(one)["request_id"] == request_id
    assert any(f"/* sqlchat {request_id} */" in query for query in seen)
    assert all(query.endswith(f"/* sqlchat {request_id} */") for query in seen if request_id in query)
