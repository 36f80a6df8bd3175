"""What comes of the forms in which models answer, up to the rows: over the route of questions, and thoroughly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from sqlchat.app import create_app

DRAFT, SQL = "SELECT count(*) AS n FROM orders", "SELECT count(*) AS n FROM customers WHERE country = 'Germany'"


def form(sql: str | None, explanation: str = "Counts.") -> str:
    return json.dumps({"interpretation": "How many?", "assumptions": [], "sql": sql, "explanation": explanation})


@pytest.fixture
def client(house) -> Iterator[FlaskClient]:
    app = create_app(house.settings)
    yield app.test_client()
    app.extensions["sqlchat"].close()


@pytest.fixture(params=["openai", "anthropic"])
def ask(client: FlaskClient, request: pytest.FixtureRequest) -> Any:
    def post(**options: Any) -> Any:
        body = {"connection_id": "shop", "prompt": "How many customers are German?", "provider": request.param}
        return client.post("/api/chat", json=body | options)

    return post


@pytest.mark.parametrize(
    "text",
    [
        f"{form(DRAFT)}\nThat is wrong. Corrected:\n{form(SQL)}",
        f"<reasoning>{form(DRAFT)}</reasoning>{form(SQL)}",
        f'{{"sql": "{SQL}", "explanation": "e",}}',
    ],
)
def test_the_rows_are_those_of_the_last_answer(ask: Any, model, text: str) -> None:
    model.answers(text)
    answer = ask().get_json()
    assert answer["sql"] == SQL
    assert answer["results"]["rows"] == [[2]]
    assert (answer["warnings"], answer["attempts"]) == ([], 1)


def test_several_statements_are_told_in_the_warnings(ask: Any, model) -> None:
    model.answers(f"Option 1:\n```sql\n{DRAFT}\n```\nOption 2:\n```sql\n{SQL}\n```")
    answer = ask().get_json()
    assert answer["results"]["rows"] == [[2]]
    assert answer["warnings"] == ["The model gave 2 different statements as answers; this is the last of them."]


def test_the_second_call_for_the_form_counts(ask: Any, model) -> None:
    model.answers(f"<think>{DRAFT}", form(SQL))
    answer = ask().get_json()
    assert answer["results"]["rows"] == [[2]]
    assert (answer["attempts"], answer["tokens"]["total"]) == (2, 220)


@pytest.mark.parametrize(
    "said", ["Which customers do you mean: active ones or all?", "I'm sorry, I can't help with that."]
)
def test_a_question_back_or_a_refusal_is_told_in_the_model_s_words(ask: Any, model, said: str) -> None:
    model.answers(said)
    response = ask()
    assert response.status_code == 422
    assert said in response.get_json()["detail"]


def test_thorough_does_not_vouch_for_a_withdrawn_draft(ask: Any, model) -> None:
    model.answers(*[f"```sql\n{DRAFT}\n```\nThat is wrong. Use:\n```sql\n{SQL}\n```"] * 3)
    answer = ask(mode="thorough").get_json()
    assert answer["results"]["rows"] == [[2]]
    assert answer["agreement"] == {"candidates": 3, "agreeing": 3}


def test_thorough_asks_again_where_all_is_withdrawn(ask: Any, model) -> None:
    model.answers(*[f"```sql\n{DRAFT}\n```\nWait, that is wrong."] * 3)
    model.answers_again(*[form(SQL)] * 3)
    answer = ask(mode="thorough").get_json()
    assert answer["results"]["rows"] == [[2]]
    assert answer["attempts"] == 6
