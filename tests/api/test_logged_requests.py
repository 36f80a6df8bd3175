"""The line that each request leaves in the log: at which level, and what of a failure it tells."""

import json
import logging

import pytest

from sqlchat.app import create_app
from sqlchat.config import Settings

from .conftest import JWT_SECRET, supabase_token


@pytest.fixture
def make_client(tmp_path):
    """A client of an application with these settings."""
    made = []

    def make(**settings):
        made.append(create_app(Settings(data_dir=tmp_path / "data", log_level="DEBUG", **settings)))
        return made[-1].test_client()

    yield make
    for app in made:
        app.extensions["sqlchat"].close()


@pytest.fixture
def lines(caplog):
    """The lines of requests so far."""
    caplog.set_level(logging.DEBUG, "sqlchat")
    return lambda: [record for record in caplog.records if record.name == "sqlchat.request"]


def told(record):
    return {name: getattr(record, name, None) for name in ("levelname", "status", "code", "detail", "unreachable")}


def test_a_database_that_cannot_be_reached_is_a_warning_with_its_host_and_no_secret(make_client, lines, own_postgres):
    client, config = make_client(), own_postgres.fresh()
    body = {"provider": "postgres", "name": "pg", "config": config}
    assert client.post("/api/connections", json=body).status_code == 201
    own_postgres.stop()
    assert client.post("/api/execute", json={"connection_id": "pg", "sql": "SELECT 1"}).status_code == 503
    assert client.post("/api/connections", json=body | {"name": "other"}).status_code == 400
    made, run, tried = map(told, lines())
    place = f"127.0.0.1:{config['port']}"
    assert (made["levelname"], made["detail"], made["unreachable"]) == ("INFO", None, None)
    assert (run["levelname"], run["code"], run["unreachable"]) == ("WARNING", "database_unavailable", place)
    assert (tried["levelname"], tried["code"], tried["unreachable"]) == ("WARNING", "connection_failed", place)
    assert run["detail"]
    assert tried["detail"]
    assert config["password"] not in json.dumps([str(vars(record)) for record in lines()])


def test_a_place_is_not_told_to_the_caller(make_client):
    client = make_client()
    config = {"host": "127.0.0.1", "port": 9, "database": "d", "user": "u", "password": "open-sesame"}
    sent = client.post("/api/connections", json={"provider": "postgres", "name": "x", "config": config})
    assert set(sent.get_json(force=True)) == {"type", "title", "status", "detail", "code", "request_id"}


def test_a_storage_and_a_model_that_are_away_are_warnings(make_client, lines):
    client = make_client(
        supabase_url="http://127.0.0.1:9",
        supabase_service_role_key="open-sesame",
        supabase_jwt_secret=JWT_SECRET,
        open_data_routes=True,
        openai_api_key="open-sesame",
        openai_base_url="http://user:open-sesame@127.0.0.1:9/v1",
        model_timeout=2.0,
    )
    assert client.get("/api/files").status_code == 502
    sqlite = {"provider": "duckdb", "name": "d", "config": {"database": ":memory:"}}
    assert client.post("/api/connections", json=sqlite).status_code == 201
    asked = {"connection_id": "d", "prompt": "How many?", "provider": "openai"}
    assert client.post("/api/chat", json=asked).status_code in (502, 504)
    stored, _, chatted = map(told, lines())
    assert (stored["levelname"], stored["code"], stored["unreachable"]) == (
        "WARNING",
        "storage_failed",
        "127.0.0.1:9",
    )
    assert (chatted["levelname"], chatted["unreachable"]) == ("WARNING", "127.0.0.1:9")
    assert "open-sesame" not in json.dumps([str(vars(record)) for record in lines()])


def test_a_failure_in_a_stream_is_told_alike(make_client, lines):
    client = make_client(openai_api_key="key", openai_base_url="http://127.0.0.1:9/v1", model_timeout=2.0)
    asked = {"connection_id": "demo", "prompt": "How many customers?", "provider": "openai"}
    client.post("/api/chat", json=asked, headers={"Accept": "text/event-stream"}).get_data()
    (line,) = map(told, lines())
    assert (line["levelname"], line["unreachable"]) == ("WARNING", "127.0.0.1:9")


def test_a_bug_is_an_error(make_client, lines):
    client = make_client()
    client.application.add_url_rule("/bug", "bug", lambda: {}["none"])
    assert client.get("/bug").status_code == 500
    assert [told(line)["levelname"] for line in lines()] == ["ERROR"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/providers", None, 200),
        ("GET", "/api/connections/none", None, 404),
        ("POST", "/api/execute", {"connection_id": "demo", "sql": "DELETE FROM customers"}, 400),
        ("POST", "/api/execute", {"connection_id": "demo", "sql": "SELECT none FROM customers"}, 400),
        ("POST", "/api/chat", {"connection_id": "demo", "prompt": "colourless green ideas"}, 422),
    ],
)
def test_what_is_the_caller_s_to_mend_is_no_warning(make_client, lines, method, path, body, status):
    assert make_client().open(path, method=method, json=body).status_code == status
    (line,) = map(told, lines())
    assert (line["levelname"], line["detail"]) == ("INFO", None)


def test_what_machines_ask_all_the_time_is_for_debugging(make_client, lines):
    client = make_client()
    for path in ("/health", "/ready", "/metrics"):
        client.get(path)
    assert {told(line)["levelname"] for line in lines()} == {"DEBUG"}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        (0, "203.0.113.7", None),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),  # what stands before the proxy's own word, anybody may write
        (2, "198.51.100.1, 203.0.113.7", "198.51.100.1"),
        (1, None, "127.0.0.1"),
    ],
)
def test_the_client_s_address_is_told_as_far_as_proxies_are_trusted(make_client, lines, proxies, forwarded, client):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    headers |= {"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
    asked = make_client(trusted_proxies=proxies).get("/api/providers", headers=headers)
    assert asked.status_code == 200
    (line,) = lines()
    assert getattr(line, "client", None) == client


def test_a_policy_of_the_storage_is_of_the_surroundings(make_client, lines, tmp_path):
    client = make_client(supabase_jwt_secret=JWT_SECRET, buckets=("exports",))
    headers = {"Authorization": f"Bearer {supabase_token()}"}
    assert client.get("/api/files", headers=headers).status_code == 404
    (line,) = map(told, lines())
    assert (line["levelname"], line["code"]) == ("WARNING", "bucket_not_found")
