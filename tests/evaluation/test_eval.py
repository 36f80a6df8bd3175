"""The command `eval`, on real databases, with the built-in engine, with stored answers and with a model over HTTP."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sqlchat.app import create_app
from sqlchat.config import Settings
from sqlchat.runtime import LOCAL_OWNER

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL, country text);
INSERT INTO customers VALUES (1, 'Ada', 'Germany'), (2, 'Ben', 'Spain'), (3, 'Cleo', 'Germany');
"""
ZOO = """
CREATE TABLE animals (id integer PRIMARY KEY, species text);
INSERT INTO animals VALUES (1, 'otter'), (2, 'owl');
"""
COUNT = {"id": "count", "question": "How many customers are there?", "gold_sql": "SELECT count(*) FROM customers"}

Eval = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    runtime = app.extensions["sqlchat"]
    for name, script in (("shop", SHOP), ("db_shop", SHOP), ("db_zoo", ZOO)):
        with closing(sqlite3.connect(settings.data_dir / f"{name}.sqlite")) as database:
            database.executescript(script)
        runtime.store.connections.add(LOCAL_OWNER, name, "sqlite", {"database": f"{name}.sqlite"})
    yield app
    runtime.close()


@pytest.fixture
def evaluate(app: Flask, tmp_path: Path) -> Eval:
    def evaluate(cases: list[dict[str, Any]], *options: str, connection: str = "shop") -> Result:
        file = tmp_path / "cases.jsonl"
        file.write_text("".join(json.dumps(case) + "\n" for case in cases), "utf-8")
        command = ["eval", str(file), "--connection", connection, "--json", str(tmp_path / "out.json"), *options]
        return app.test_cli_runner().invoke(args=command)

    return evaluate


@pytest.fixture
def out(tmp_path: Path) -> Callable[[], Any]:
    return lambda: json.loads((tmp_path / "out.json").read_text())


def answers(folder: Path, prompts: Path, reply: Callable[[str], str]) -> Path:
    """Store `reply(prompt)` for each prompt."""
    folder.mkdir(exist_ok=True)
    for prompt in prompts.iterdir():
        (folder / f"{prompt.stem}.txt").write_text(reply(prompt.read_text()))
    return folder


def says(sql: str | None) -> str:
    return json.dumps({"sql": sql, "explanation": "As asked."})


def test_the_built_in_engine_is_measured(evaluate: Eval, out: Callable[[], Any]) -> None:
    cases = [
        COUNT,
        {"question": "How many customers are in Germany?", "gold_sql": "SELECT 99"},
        {"question": "Why do owls fly at night?", "answerable": False},
        {"question": "Which customers dream?", "gold_sql": "SELECT name FROM customers"},
    ]
    result = evaluate(cases, "--provider", "offline")
    assert result.exit_code == 0, result.output
    assert "execution accuracy  33.3% of 3" in result.stdout
    assert "unanswerable        100.0% of 1 refused" in result.stdout
    assert "MISSES (2)" in result.stdout
    assert "  question  How many customers are in Germany?\n  gold      SELECT 99\n  got " in result.stdout
    report = out()
    assert report["provider"] == "offline"
    summary = report["summary"]
    assert (summary["right"], summary["wrong"], summary["refused"]) == (1, 1, 1)
    assert (summary["answered_share"], summary["accuracy_of_answered"]) == (0.6667, 0.5)
    assert summary["unanswerable_refused"] == 1
    assert summary["milliseconds"]["median"] > 0
    assert summary["prompt_tokens"]["median"] > 100
    right, wrong, refused, unmapped = report["questions"]
    assert (right["id"], right["verdict"], right["miss"]) == ("count", "right", False)
    assert (wrong["id"], wrong["verdict"], wrong["why"]) == ("2", "wrong", "other values than the gold's")
    assert "Germany" in wrong["got"]
    assert (refused["verdict"], refused["miss"]) == ("refused", False)
    assert (unmapped["verdict"], unmapped["miss"]) == ("refused", True)
    assert "dream" in unmapped["why"]


def test_any_of_the_golds_is_right_and_order_counts_only_where_one_orders(
    evaluate: Eval, out: Callable[[], Any], tmp_path: Path
) -> None:
    names = "SELECT name FROM customers ORDER BY name"
    cases = [
        {
            "question": "a?",
            "gold_sql": "SELECT id FROM customers",
            "gold_alternatives": ["SELECT name FROM customers"],
        },
        {"question": "b?", "gold_sql": names},
        {"question": "c?", "gold_sql": names, "gold_alternatives": ["SELECT nothing FROM customers"]},
    ]
    evaluate(cases, "--prompts-to", str(tmp_path / "p"))
    stored = answers(tmp_path / "a", tmp_path / "p", lambda _: says("SELECT name FROM customers ORDER BY name DESC"))
    assert evaluate(cases, "--answers-from", str(stored)).exit_code == 0
    first, second, third = out()["questions"]
    assert first["verdict"] == "right"
    assert (second["verdict"], second["why"]) == ("wrong", "the right rows in another order")
    assert third["why"].startswith("the right rows in another order (an alternative does not run: ")


def test_prompts_go_to_files_and_answers_come_from_files(
    evaluate: Eval, out: Callable[[], Any], tmp_path: Path
) -> None:
    cases = [COUNT, {"question": "Why do owls fly?", "answerable": False}]
    prompts = tmp_path / "prompts"
    result = evaluate(cases, "--prompts-to", str(prompts))
    assert result.exit_code == 0, result.output
    assert "execution accuracy" not in result.stdout
    shares = ", ".join(f"{kind} 100.0%" for kind in ("tables", "columns", "tables and columns", "literals", "all"))
    assert f"context recall  {shares} of 1" in result.stdout
    assert (out()["summary"]["execution_accuracy"], out()["summary"]["unasked"]) == (None, 2)
    written = {path.stem: path.read_bytes() for path in prompts.iterdir()}
    assert all(hashlib.sha256(content).hexdigest() == name for name, content in written.items())
    assert set(written) == {name for question in out()["questions"] for name in question["prompts"]}
    messages = json.loads(next(text for text in written.values() if b"How many" in text))
    assert [message["role"] for message in messages] == ["system", "system", "user"]
    assert "TABLE customers" in messages[1]["content"]

    stored = answers(
        tmp_path / "answers",
        prompts,
        lambda prompt: f"```json\n{says('SELECT 3' if 'How many customers' in prompt else None)}\n```",
    )
    result = evaluate(cases, "--answers-from", str(stored))
    assert "execution accuracy  100.0% of 1" in result.stdout
    assert [question["verdict"] for question in out()["questions"]] == ["right", "refused"]
    assert "MISSES" not in result.stdout


def test_a_second_try_has_a_prompt_of_its_own(evaluate: Eval, out: Callable[[], Any], tmp_path: Path) -> None:
    prompts, stored = tmp_path / "prompts", tmp_path / "answers"
    evaluate([COUNT], "--prompts-to", str(prompts))
    answers(stored, prompts, lambda _: says("SELECT count(*) FROM clients"))
    rounds = ["--answers-from", str(stored), "--prompts-to", str(tmp_path / "second")]
    evaluate([COUNT], *rounds)
    (question,) = out()["questions"]
    assert (question["verdict"], len(question["prompts"])) == ("failed", 2)
    assert out()["summary"]["execution_accuracy"] == 0
    answers(stored, tmp_path / "second", lambda _: says(COUNT["gold_sql"]))
    answers(stored, prompts, lambda _: says("SELECT count(*) FROM clients"))
    evaluate([COUNT], *rounds)
    assert out()["questions"][0]["verdict"] == "right"
    assert out()["summary"]["second_tries"] == 1


def test_stored_sql_passes_the_guard_like_any_other(evaluate: Eval, out: Callable[[], Any], tmp_path: Path) -> None:
    evaluate([COUNT], "--prompts-to", str(tmp_path / "p"))
    stored = answers(tmp_path / "a", tmp_path / "p", lambda _: says("DELETE FROM customers"))
    evaluate([COUNT], "--answers-from", str(stored))
    assert out()["questions"][0]["verdict"] == "failed"
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM customers").fetchone() == (3,)


def test_a_gold_that_fails_or_writes_is_left_out(evaluate: Eval, out: Callable[[], Any], tmp_path: Path) -> None:
    cases = [COUNT | {"gold_sql": "DELETE FROM customers"}, COUNT | {"gold_sql": "SELECT a FROM nowhere"}, COUNT]
    result = evaluate(cases, "--provider", "offline")
    assert "gold fails          2 (left out below)" in result.stdout
    assert "execution accuracy  100.0% of 1" in result.stdout
    assert [question["verdict"] for question in out()["questions"]] == ["gold_failed", "gold_failed", "right"]
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM customers").fetchone() == (3,)


def test_each_question_goes_to_its_own_database(evaluate: Eval, out: Callable[[], Any]) -> None:
    animals = {"question": "How many animals are there?", "gold_sql": "SELECT 2", "db": "zoo"}
    assert evaluate([COUNT | {"db": "shop"}, animals], "--provider", "offline", connection="db_{db}").exit_code == 0
    assert [question["verdict"] for question in out()["questions"]] == ["right", "right"]


def test_a_model_is_asked_over_http_and_its_tokens_are_added_up(
    settings: Settings, httpserver: HTTPServer, tmp_path: Path
) -> None:
    replies = [says("SELECT count(*) AS n FROM customers"), says(None)]
    asked = []

    def reply(request: Request) -> Response:
        asked.append(json.loads(request.get_data())["messages"])
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "some-model",
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": replies.pop(0)}}
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(reply)
    app = create_app(
        Settings(data_dir=tmp_path, openai_api_key="test-key", openai_base_url=httpserver.url_for("/v1"))
    )
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as database:
        database.executescript(SHOP)
    app.extensions["sqlchat"].manager.create(LOCAL_OWNER, "sqlite", "shop", {"database": "shop.sqlite"})
    file, out = tmp_path / "cases.jsonl", tmp_path / "out.json"
    file.write_text(f"{json.dumps(COUNT)}\n\n{json.dumps({'question': 'Why?', 'answerable': False})}\n")
    result = app.test_cli_runner().invoke(args=["eval", str(file), "--connection", "shop", "--json", str(out)])
    assert result.exit_code == 0, result.output
    assert "tokens              200 prompt + 20 completion" in result.stdout
    report = json.loads(out.read_text())
    assert report["provider"] == "openai"
    assert [(q["verdict"], q["tokens"]["total"]) for q in report["questions"]] == [("right", 110), ("refused", 110)]
    assert report["questions"][0]["model"] == "some-model"
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("cases", "options", "said"),
    [
        ([], [], "cases.jsonl holds no questions"),
        ([{"question": "?"}], [], "Line 1 of cases.jsonl: `gold_sql` must be a text."),
        ([COUNT, {"gold_sql": "SELECT 1"}], [], "Line 2 of cases.jsonl: `question` must be a text."),
        ([COUNT | {"answerable": "no"}], [], "`answerable` must be true or false."),
        ([COUNT | {"gold_alternatives": "SELECT 1"}], [], "`gold_alternatives` must be a list of SQL texts."),
        ([COUNT], ["--connection", "{db}"], "Question count has no `db` to put into {db}."),
        ([COUNT], ["--connection", "nowhere"], "nowhere"),
        ([COUNT], ["--owner", "someone-else"], "shop"),
        ([COUNT], ["--provider", "oracle"], "There is no provider 'oracle'"),
        ([COUNT], ["--provider", "openai"], "The provider openai is not configured"),
        ([COUNT], ["--provider", "offline", "--prompts-to", "p"], "Choose one."),
        ([COUNT], ["--answers-from", ".", "--prompts-to", "."], "need a folder each."),
    ],
)
def test_what_cannot_be_evaluated_is_said_at_once(
    evaluate: Eval, cases: list[dict[str, Any]], options: list[str], said: str
) -> None:
    result = evaluate(cases, *options)
    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output


def test_what_a_model_wrote_cannot_drive_the_terminal(evaluate: Eval, tmp_path: Path) -> None:
    evaluate([COUNT], "--prompts-to", str(tmp_path / "p"))
    stored = answers(tmp_path / "a", tmp_path / "p", lambda _: says("SELECT 1 AS \x1b]0;gone\x07"))
    evaluate([COUNT], "--answers-from", str(stored), "--prompts-to", str(tmp_path / "second"))
    answers(stored, tmp_path / "second", lambda _: says("SELECT 1 AS \x1b]0;gone\x07"))
    result = evaluate([COUNT], "--answers-from", str(stored))
    assert "gone" in result.stdout
    assert "\x1b" not in result.stdout


def test_two_answers_to_one_prompt_are_no_answer(evaluate: Eval, tmp_path: Path) -> None:
    for suffix in ("txt", "md"):
        (tmp_path / f"{'0' * 64}.{suffix}").write_text("SELECT 1")
    result = evaluate([COUNT], "--answers-from", str(tmp_path))
    assert result.exit_code == 1
    assert "two answers" in result.output


def test_notes_on_a_question_reach_the_prompt(evaluate: Eval, tmp_path: Path) -> None:
    cases = [COUNT | {name: f"Ours by {name}."} for name in ("notes", "instructions", "evidence")]
    assert evaluate(cases, "--prompts-to", str(tmp_path / "prompts")).exit_code == 0
    prompts = "".join(path.read_text() for path in (tmp_path / "prompts").iterdir())
    assert prompts.count("</notes>") == 3
    assert all(f"Ours by {name}." in prompts for name in ("notes", "instructions", "evidence"))
