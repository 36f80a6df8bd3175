from __future__ import annotations

import inspect
import json
import threading
import time
from typing import Any, get_args

import httpx2
import openai
import pytest
from openai.types.chat_model import ChatModel
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sqlchat.config import Settings
from sqlchat.errors import (
    ModelError,
    ModelTimeoutError,
    ProviderNotConfiguredError,
    QuestionError,
    RateLimitedError,
    SqlchatError,
)
from sqlchat.providers import openai as vendor
from sqlchat.providers.base import Task, Tokens
from sqlchat.providers.openai import OpenAIProvider
from sqlchat.providers.wire import translate_error

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
    assert sent(httpserver)[0]["model"] == vendor.DEFAULT_MODEL
    assert vendor.DEFAULT_MODEL in get_args(ChatModel)
    notes = inspect.getsource(inspect.getmodule(openai.types.shared.chat_model))
    assert f'"{vendor.DEFAULT_MODEL}"' not in notes.split("Deprecated values:")[1]


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


def test_no_sql_keeps_the_reason(httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(PATH).respond_with_json(completion('{"sql": null, "explanation": "No such data."}'))
    draft = provider(httpserver).draft(task)
    assert (draft.sql, draft.explanation) == (None, "No such data.")


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (completion(None, refusal="I can't help with that."), QuestionError, "I can't help with that"),
        (completion("", "content_filter"), QuestionError, "content filter"),
        (completion('{"sql": "SELECT 1 FROM o', "length"), ModelError, "cut off"),
        (completion('{"sql": "SEL', "stop"), ModelError, "incomplete"),
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


@pytest.mark.parametrize(
    ("data", "content_type"),
    [("<html>Log in</html>", "text/html"), ("{nonsense", "application/json"), ("", "application/json")],
)
def test_answers_that_are_not_json(httpserver: HTTPServer, task: Task, data: str, content_type: str) -> None:
    httpserver.expect_request(PATH).respond_with_data(data, content_type=content_type)
    with pytest.raises(ModelError, match="openai answered with something"):
        provider(httpserver).draft(task)


def test_usage_may_be_missing(httpserver: HTTPServer, task: Task) -> None:
    body = completion()
    del body["usage"]
    httpserver.expect_request(PATH).respond_with_json(body)
    assert provider(httpserver).draft(task).tokens == Tokens(0, 0)


@pytest.mark.parametrize(
    ("status", "error", "http_status"),
    [
        (401, ProviderNotConfiguredError, 400),
        (403, ProviderNotConfiguredError, 400),
        (404, ModelError, 502),
        (409, ModelError, 502),
        (429, RateLimitedError, 429),
        (301, ModelError, 502),
    ],
)
def test_a_status_becomes_ours_without_the_key(
    httpserver: HTTPServer, task: Task, status: int, error: type[SqlchatError], http_status: int
) -> None:
    httpserver.expect_request(PATH).respond_with_json(
        {"error": {"message": "Not for test-key or sk-abcdefghijkl, the model `x` is unknown"}},
        status=status,
        headers={"x-should-retry": "false", "Location": "http://127.0.0.1:1/"},
    )
    with pytest.raises(error) as caught:
        provider(httpserver).draft(task)
    assert caught.value.status == http_status
    assert "test-key" not in caught.value.detail
    assert "abcdef" not in caught.value.detail
    if status == 404:
        assert "the model `x` is unknown" in caught.value.detail


def test_a_long_retry_after_is_handed_to_the_caller_at_once(httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(PATH).respond_with_json(
        {"error": {"message": "slow down"}}, status=429, headers={"Retry-After": "17"}
    )
    with pytest.raises(RateLimitedError, match="slow down") as caught:
        provider(httpserver).draft(task)
    assert caught.value.retry_after == 17
    assert len(httpserver.log) == 1


def test_a_server_error_is_tried_again(httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_json({"error": {"message": "oops"}}, status=500)
    httpserver.expect_ordered_request(PATH).respond_with_json(completion())
    assert provider(httpserver).draft(task).sql == "SELECT count(*) FROM orders"


def test_a_server_error_that_stays_is_a_bad_gateway(httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(PATH).respond_with_json({"error": {"message": "oops"}}, status=500)
    with pytest.raises(ModelError, match="status 500: oops"):
        provider(httpserver).draft(task)
    assert len(httpserver.log) == 3


def test_a_silent_server_ends_at_the_deadline(httpserver: HTTPServer, task: Task) -> None:
    over = threading.Event()

    def sleep(_: Request) -> Response:
        over.wait(100)
        return Response("{}")

    httpserver.expect_request(PATH).respond_with_handler(sleep)
    start = time.monotonic()
    with pytest.raises(ModelTimeoutError, match="within 1 s"):
        provider(httpserver, timeout=1.0).draft(task)
    assert time.monotonic() - start < 90
    over.set()


def test_a_dripping_body_ends_at_the_deadline(dripping_server: str, task: Task) -> None:
    start = time.monotonic()
    with pytest.raises(ModelTimeoutError):
        provider(dripping_server, timeout=1.0).draft(task)
    assert time.monotonic() - start < 100


def test_a_connection_that_breaks_off_is_a_bad_gateway(cutting_server: str, task: Task) -> None:
    with pytest.raises(ModelError, match="connection"):
        provider(cutting_server).draft(task)


def test_nobody_listening_is_a_bad_gateway(task: Task) -> None:
    with pytest.raises(ModelError, match="connection"):
        provider("http://127.0.0.1:9").draft(task)


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


def test_a_base_url_alone_configures_it() -> None:
    assert OpenAIProvider.is_configured(Settings(openai_base_url="http://127.0.0.1:11434/v1"))
    assert OpenAIProvider.is_configured(Settings(openai_api_key="k"))
    assert not OpenAIProvider.is_configured(Settings())


def test_a_closed_provider_opens_again(httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(PATH).respond_with_json(completion())
    served = provider(httpserver)
    served.draft(task)
    served.close()
    served.close()
    assert served.draft(task).sql


def test_every_exception_of_the_sdk_is_translated() -> None:
    declared = {
        cls
        for cls in vars(openai._exceptions).values()
        if isinstance(cls, type) and issubclass(cls, openai.OpenAIError)
    }
    assert len(declared) > 15
    for cls in declared:
        status = getattr(cls, "status_code", None)
        exc = cls.__new__(cls, "said")
        exc.status_code = status if isinstance(status, int) else 500  # type: ignore[attr-defined]
        exc.message, exc.body = "said", None  # type: ignore[attr-defined]
        exc.response = httpx2.Response(exc.status_code)  # type: ignore[attr-defined]
        assert isinstance(translate_error(exc, openai, "openai"), EXPECTED.get(cls.__name__, ModelError)), cls


EXPECTED: dict[str, type[SqlchatError]] = {
    "AuthenticationError": ProviderNotConfiguredError,
    "OAuthError": ProviderNotConfiguredError,
    "PermissionDeniedError": ProviderNotConfiguredError,
    "RateLimitError": RateLimitedError,
    "APITimeoutError": ModelTimeoutError,
}
