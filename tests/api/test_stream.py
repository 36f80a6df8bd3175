"""Chat as server-sent events: the stages of an answer as they come."""

from __future__ import annotations

import json
import logging
import time

import pytest

from sqlchat.api.streaming import stream
from sqlchat.chat.answer import Basis, Drafted

EVENTS = {"Accept": "text/event-stream"}
QUESTION = {"connection_id": "demo", "prompt": "How many customers are in Germany?"}


def events(response):
    """Their names and data, as a browser's EventSource would read them."""
    assert response.mimetype == "text/event-stream"
    read = []
    for block in response.get_data(as_text=True).removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        read.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return read


def test_the_stages_come_in_turn_and_the_last_is_the_answer(client):
    read = events(client.post("/api/chat", json=QUESTION, headers=EVENTS))
    assert [name for name, _ in read] == ["context", "sql", "checked", "results", "answer"]
    stages, plain = dict(read), client.post("/api/chat", json=QUESTION).get_json()
    answer = stages["answer"]
    for changing in ("timings", "conversation_id", "history_id"):
        assert type(answer.pop(changing)) is type(plain.pop(changing))
    assert answer == plain
    assert stages["results"] == answer["results"]
    assert stages["checked"] == {"sql": answer["sql"], "lineage": answer["lineage"]}
    assert stages["context"]["catalog_version"] == answer["catalog_version"]


def test_without_execution_there_are_no_results(client):
    read = events(client.post("/api/chat", json=QUESTION | {"auto_execute": False}, headers=EVENTS))
    assert [name for name, _ in read] == ["context", "sql", "checked", "answer"]


def test_what_goes_wrong_before_the_first_stage_has_its_own_status(client):
    response = client.post("/api/chat", json=QUESTION | {"connection_id": "nowhere"}, headers=EVENTS)
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")
    assert client.post("/api/chat", json={}, headers=EVENTS).status_code == 400


def test_what_goes_wrong_later_is_the_last_event(client):
    response = client.post("/api/chat", json=QUESTION | {"prompt": "Wibble the flurbs?"}, headers=EVENTS)
    *_, (name, problem) = events(response)
    assert name == "error"
    assert (problem["status"], problem["code"]) == (422, "question_not_answerable")
    assert problem["request_id"] == response.headers["X-Request-Id"]
    newest = client.get("/api/history?limit=1").get_json()["history"][0]
    assert (newest["outcome"], newest["request_id"]) == ("question_not_answerable", problem["request_id"])


def test_a_client_that_goes_away_is_told_of_in_the_history_and_the_log(client, caplog):
    with caplog.at_level(logging.INFO, "sqlchat.request"):
        response = client.post("/api/chat", json=QUESTION, headers=EVENTS, buffered=False)
        next(response.iter_encoded())
        response.close()
    newest = client.get("/api/history?limit=1").get_json()["history"][0]
    assert (newest["outcome"], newest["status"]) == ("abandoned", 499)
    (line,) = [record for record in caplog.records if record.message == "request" and record.path == "/api/chat"]
    assert line.outcome == "abandoned"


def test_a_stream_has_one_line_in_the_log_with_what_it_took(client, caplog):
    with caplog.at_level(logging.INFO, "sqlchat.request"):
        events(client.post("/api/chat", json=QUESTION, headers=EVENTS))
    (line,) = [record for record in caplog.records if record.message == "request"]
    assert (line.status, line.rows, line.attempts, line.outcome) == (200, 1, 1, "ok")


def test_a_stage_that_takes_long_is_waited_for_with_signs_of_life(app):
    sent, started = b"", time.monotonic()

    def stages():
        yield Basis(catalog_version="1", tables_shown=1, privacy="samples")
        while sent.count(b": still here") < 2:
            time.sleep(0.05)
        yield Drafted(sql="SELECT 1", explanation="", interpretation="", attempt=1)

    with app.test_request_context("/api/chat", method="POST"):
        app.preprocess_request()
        for part in stream(stages(), beat=0.1).iter_encoded():
            sent += part
    assert sent.startswith(b"event: context\n")
    assert 2 <= sent.count(b": still here\n\n") <= 2 + (time.monotonic() - started) / 0.1
    assert sent.index(b": still here") < sent.index(b"event: sql")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/event-stream;q=0"])
def test_events_come_only_to_those_who_ask_for_them(client, accept):
    assert client.post("/api/chat", json=QUESTION, headers={"Accept": accept}).mimetype == "application/json"
