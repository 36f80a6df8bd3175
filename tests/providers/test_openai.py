from __future__ import annotations

import inspect
import json
from typing import Any, get_args

import openai
import pytest
from openai.types.chat_model import ChatModel
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sqlchat.config import Settings
from sqlchat.errors import (
    ModelError,
    QuestionError,
)
from sqlchat.providers.base import Task, Tokens
from sqlchat.providers.openai import OpenAIProvider

PATH = "/v1/chat/completions"
ANSWER = json.dumps({"sql": "SELECT count(*) FROM orders", "explanation": "Counts the orders."})


def completion(content: str | None = ANSWER, finish: str = "stop", **message: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "served-model",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content} | message}
        ],
        "usage": {
            "prompt_tokens": 120,
            "completion_tokens": 9,
            "total_tokens": 129,
            "prompt_tokens_details": {"cached_tokens": 100},
        },
    }


def provider(server: HTTPServer | str, timeout: float = 120.0, **settings: Any) -> OpenAIProvider:
    url = server if isinstance(server, str) else server.url_for("")
    return OpenAIProvider(
        Settings(
            openai_api_key="test-key", openai_base_url=f"{url.rstrip('/')}/v1", model_timeout=timeout, **settings
        )
    )


def sent(server: HTTPServer) -> list[Any]:
    return [json.loads(request.get_data()) for request, _ in server.log]


def test_asks_with_a_strict_schema_and_reads_the_answer(httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(PATH, method="POST").respond_with_json(completion())
    draft = provider(httpserver, openai_model="my-model").draft(task)
    assert draft.sql == "SELECT count(*) FROM orders"
    assert draft.explanation == "Counts the orders."
    assert draft.model == "served-model"
    assert draft.tokens == Tokens(120, 9)
    (body,) = sent(httpserver)
    assert body["model"] == "my-model"
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == ["interpretation", "assumptions", "sql", "explanation"]
    assert body["messages"] == [
        {"role": "system", "content": "You write SQL. Answer with JSON.\n\norders(id, total)"},
        {"role": "user", "content": "How many orders are there?"},
    ]
    assert "temperature" not in body
    assert httpserver.log[0][0].headers["Authorization"] == "Bearer test-key"


def test_the_default_model_is_current_by_the_sdk_s_own_list(httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(PATH).respond_with_json(completion())
    provider(httpserver).draft(task)
    assert sent(httpserver)[0]["model"] == OpenAIProvider.default_model
    assert OpenAIProvider.default_model in get_args(ChatModel)
    notes = inspect.getsource(inspect.getmodule(openai.types.shared.chat_model))
    assert f'"{OpenAIProvider.default_model}"' not in notes.split("Deprecated values:")[1]


REFUSALS = [
    (400, {"error": {"message": "Invalid parameter: 'response_format' of type 'json_schema' is not supported"}}),
    (400, {"error": {"message": "This model does not support structured outputs.", "param": None}}),
    (
        422,
        {"detail": [{"loc": ["body", "response_format", "type"], "msg": "Input should be 'text' or 'json_object'"}]},
    ),
]


@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_falls_back_to_json_mode_and_remembers_it(httpserver: HTTPServer, task: Task, status: int, body: Any) -> None:
    def answer(request: Request) -> Response:
        if json.loads(request.get_data()).get("response_format", {}).get("type") == "json_schema":
            return Response(json.dumps(body), status, content_type="application/json")
        return Response(json.dumps(completion()), content_type="application/json")

    httpserver.expect_request(PATH).respond_with_handler(answer)
    served = provider(httpserver)
    assert served.draft(task).sql == "SELECT count(*) FROM orders"
    assert served.draft(task).sql == "SELECT count(*) FROM orders"
    forms = [(request.get("response_format") or {}).get("type") for request in sent(httpserver)]
    assert forms == ["json_schema", "json_object", "json_object"]


def test_falls_back_to_no_format_and_reads_fenced_text(httpserver: HTTPServer, task: Task) -> None:
    def answer(request: Request) -> Response:
        if "response_format" in json.loads(request.get_data()):
            return Response('{"error": "unknown field response_format"}', 400, content_type="application/json")
        return Response(json.dumps(completion("Here:\n```sql\nSELECT 1;\n```")), content_type="application/json")

    httpserver.expect_request(PATH).respond_with_handler(answer)
    draft = provider(httpserver).draft(task)
    assert draft.sql == "SELECT 1"
    assert draft.explanation == "Here:"
    assert len(httpserver.log) == 3


def test_another_bad_request_is_not_taken_for_a_format(httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(PATH).respond_with_json({"error": {"message": "context length exceeded"}}, status=400)
    with pytest.raises(ModelError, match="context length exceeded"):
        provider(httpserver).draft(task)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (completion(None, refusal="I can't help with that."), QuestionError, "I can't help with that"),
        (completion("", "content_filter"), QuestionError, "content filter"),
        (completion(None), ModelError, "without any text"),
        (completion() | {"choices": []}, ModelError, "not a chat completion"),
        ({"choices": None}, ModelError, "not a chat completion"),
        ({"choices": ["text"]}, ModelError, "not a chat completion"),
        ([], ModelError, "not a chat completion"),
        ({}, ModelError, "not a chat completion"),
    ],
)
def test_answers_that_hold_no_sql(httpserver: HTTPServer, task: Task, body: Any, error: type, says: str) -> None:
    httpserver.expect_request(PATH).respond_with_json(body)
    with pytest.raises(error, match=says):
        provider(httpserver).draft(task)


def test_usage_may_be_missing(httpserver: HTTPServer, task: Task) -> None:
    body = completion()
    del body["usage"]
    httpserver.expect_request(PATH).respond_with_json(body)
    assert provider(httpserver).draft(task).tokens == Tokens(0, 0)


def test_the_environment_of_the_sdk_does_not_leak(
    httpserver: HTTPServer, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-other")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-other")
    monkeypatch.setenv("OPENAI_API_KEY", "other")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer other\nX-Other: yes")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    httpserver.expect_request(PATH).respond_with_json(completion())
    assert provider(httpserver).draft(task).sql
    headers = httpserver.log[0][0].headers
    assert headers["Authorization"] == "Bearer test-key"
    assert not {"Openai-Organization", "Openai-Project", "X-Other"} & set(headers.keys())
