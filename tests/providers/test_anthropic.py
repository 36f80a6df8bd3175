from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS  # type: ignore[attr-defined]
from anthropic.types import Model
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sqlchat.config import Settings
from sqlchat.errors import (
    ModelError,
    QuestionError,
)
from sqlchat.providers.anthropic import AnthropicProvider
from sqlchat.providers.base import Task, Tokens

PATH = "/v1/messages"
ANSWER = json.dumps({"sql": "SELECT count(*) FROM orders", "explanation": "Counts the orders."})


def message(text: str | None = ANSWER, stop: str = "end_turn", **more: Any) -> dict[str, Any]:
    thought = {"type": "thinking", "thinking": "Hm, SELECT nothing?", "signature": "s"}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "served-model",
        "content": [thought] + ([] if text is None else [{"type": "text", "text": text}]),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 20,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 70,
            "output_tokens": 9,
        },
    } | more


def problem(text: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": text}}


def provider(server: HTTPServer | str, timeout: float = 120.0, **settings: Any) -> AnthropicProvider:
    url = server if isinstance(server, str) else server.url_for("")
    return AnthropicProvider(
        Settings(anthropic_api_key="test-key", anthropic_base_url=url.rstrip("/"), model_timeout=timeout, **settings)
    )


def sent(server: HTTPServer) -> list[Any]:
    return [json.loads(request.get_data()) for request, _ in server.log]


def test_asks_with_a_schema_and_a_marked_cache_and_reads_the_answer(httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(PATH, method="POST").respond_with_json(message())
    draft = provider(httpserver, anthropic_model="my-model").draft(task)
    assert draft.sql == "SELECT count(*) FROM orders"
    assert draft.explanation == "Counts the orders."
    assert draft.model == "served-model"
    assert draft.tokens == Tokens(120, 9)
    (body,) = sent(httpserver)
    assert body["model"] == "my-model"
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert body["output_config"]["format"]["schema"]["required"] == [
        "interpretation",
        "assumptions",
        "sql",
        "explanation",
    ]
    assert body["system"] == [
        {"type": "text", "text": "You write SQL. Answer with JSON."},
        {"type": "text", "text": "orders(id, total)", "cache_control": {"type": "ephemeral"}},
    ]
    assert body["messages"] == [{"role": "user", "content": "How many orders are there?"}]
    assert body["max_tokens"] > 0
    assert not {"temperature", "top_p", "thinking"} & set(body)
    assert httpserver.log[0][0].headers["Authorization"] == "Bearer test-key"


def test_the_default_model_is_current_by_the_sdk_s_own_list(httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(PATH).respond_with_json(message())
    provider(httpserver).draft(task)
    assert sent(httpserver)[0]["model"] == AnthropicProvider.default_model
    assert AnthropicProvider.default_model in get_args(get_args(Model)[0])
    assert AnthropicProvider.default_model not in DEPRECATED_MODELS


@pytest.mark.parametrize(
    "said",
    [
        "output_config.format: Extra inputs are not permitted",
        "This model does not support structured outputs",
        "'claude-old' does not support output format.",
    ],
)
def test_falls_back_to_text_and_remembers_it(httpserver: HTTPServer, task: Task, said: str) -> None:
    def answer(request: Request) -> Response:
        if "output_config" in json.loads(request.get_data()):
            return Response(json.dumps(problem(said)), 400, content_type="application/json")
        return Response(json.dumps(message("```sql\nSELECT 1;\n```")), content_type="application/json")

    httpserver.expect_request(PATH).respond_with_handler(answer)
    served = provider(httpserver)
    assert served.draft(task).sql == "SELECT 1"
    assert served.draft(task).sql == "SELECT 1"
    assert ["output_config" in body for body in sent(httpserver)] == [True, False, False]


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (message(None, "refusal"), QuestionError, "no reason"),
        (
            message(None, "refusal", stop_details={"type": "refusal", "category": "cyber", "explanation": "Harm."}),
            QuestionError,
            "Harm",
        ),
        (message("{}", "model_context_window_exceeded"), ModelError, "cut off"),
        (message(None), ModelError, "without any text"),
        (message() | {"content": None}, ModelError, "not a message"),
        (message() | {"content": ["text"]}, QuestionError, "no SQL"),
        (message() | {"content": 7}, ModelError, "not a message"),
        ([], ModelError, "not a message"),
        ({}, ModelError, "not a message"),
    ],
)
def test_answers_that_hold_no_sql(httpserver: HTTPServer, task: Task, body: Any, error: type, says: str) -> None:
    httpserver.expect_request(PATH).respond_with_json(body)
    with pytest.raises(error, match=says):
        provider(httpserver).draft(task)


def test_the_environment_of_the_sdk_does_not_leak(
    httpserver: HTTPServer, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "other")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Api-Key: other\nX-Other: yes")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    httpserver.expect_request(PATH).respond_with_json(message())
    assert provider(httpserver).draft(task).sql
    headers = httpserver.log[0][0].headers
    assert headers["Authorization"] == "Bearer test-key"
    assert not {"X-Api-Key", "X-Other"} & set(headers.keys())
