"""Servers that break their protocol: event streams that nobody asked for, errors with status 200, broken bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from sqlchat.config import Settings
from sqlchat.errors import ModelError, RateLimitedError
from sqlchat.providers.anthropic import AnthropicProvider
from sqlchat.providers.base import Provider, Task, Tokens
from sqlchat.providers.openai import OpenAIProvider

DRAFT, SQL = "SELECT count(*) FROM lines", "SELECT count(*) FROM orders"
ANSWER = json.dumps({"sql": SQL, "explanation": "Counts."})
PIECES = [ANSWER[at : at + 9] for at in range(0, len(ANSWER), 9)]
Serve = Callable[..., Provider]


@pytest.fixture
def openai(httpserver: HTTPServer) -> Serve:
    """Makes a provider whose server answers with one body, each time."""

    def serve(body: bytes, status: int = 200) -> Provider:
        httpserver.expect_request("/v1/chat/completions").respond_with_data(body, status)
        return OpenAIProvider(Settings(openai_api_key="k", openai_base_url=httpserver.url_for("/v1")))

    return serve


@pytest.fixture
def anthropic(httpserver: HTTPServer) -> Serve:
    def serve(body: bytes) -> Provider:
        httpserver.expect_request("/v1/messages").respond_with_data(body)
        return AnthropicProvider(Settings(anthropic_api_key="k", anthropic_base_url=httpserver.url_for("")))

    return serve


def complete(content: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "choices": [{"index": 0, "message": {"content": content}, "finish_reason": "stop"}], **more}


def chunks(*deltas: dict[str, Any]) -> list[dict[str, Any]]:
    head = {"id": "1", "object": "chat.completion.chunk", "model": "m"}
    found: list[dict[str, Any]] = [head | {"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    found.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return [*found, head | {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}]


def stream(*events: dict[str, Any]) -> bytes:
    lines = (f": waiting\n\nevent: {event.get('type', 'x')}\ndata: {json.dumps(event)}\n\n" for event in events)
    return ("".join(lines) + "data: [DONE]\n\n").encode()


def block_events(block: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    message = {"id": "1", "type": "message", "role": "assistant", "model": "m", "content": []}
    message["usage"] = {"input_tokens": 5, "output_tokens": 0}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]


CALL = {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]}


@pytest.mark.parametrize(
    "deltas",
    [
        [{"role": "assistant", "content": ""}, *({"content": piece} for piece in PIECES)],
        [{"reasoning_content": DRAFT[:9]}, {"reasoning_content": DRAFT[9:]}, {"content": ANSWER}],
        [CALL, *({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in PIECES)],
    ],
    ids=["content", "thoughts", "call"],
)
def test_chunks_of_openai_are_joined(openai: Serve, task: Task, deltas: list[dict[str, Any]]) -> None:
    draft = openai(stream(*chunks(*deltas))).draft(task)
    assert (draft.sql, draft.model, draft.tokens, draft.calls) == (SQL, "m", Tokens(5, 2), 1)


@pytest.mark.parametrize(
    ("block", "deltas"),
    [
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in PIECES]),
        (
            {"type": "tool_use", "id": "a", "name": "f", "input": {}},
            [{"type": "input_json_delta", "partial_json": piece} for piece in PIECES],
        ),
    ],
    ids=["text", "call"],
)
def test_events_of_anthropic_are_joined(
    anthropic: Serve, task: Task, block: dict[str, Any], deltas: list[dict[str, Any]]
) -> None:
    draft = anthropic(stream(*block_events(block, *deltas))).draft(task)
    assert (draft.sql, draft.model, draft.tokens, draft.calls) == (SQL, "m", Tokens(5, 2), 1)


@pytest.mark.parametrize(
    "body",
    [
        b": waiting\n\n[1]",
        b"[" * 5000,
        stream({"type": "response.output_text.delta", "delta": "SELECT"}),
        stream({"index": 0, "delta": {"content": "SELECT"}}),
        stream({"choices": "SELECT"}, {"choices": {"index": 0}}, {"choices": [{"index": 0}]}),
    ],
    ids=["list", "deep", "text", "untyped", "kinds"],
)
def test_a_stream_of_another_protocol_is_the_model_s_failure(openai: Serve, task: Task, body: bytes) -> None:
    with pytest.raises(ModelError):
        openai(body).draft(task)


def test_a_stream_that_breaks_off_is_not_run(openai: Serve, task: Task) -> None:
    body = stream(*chunks(*({"content": piece} for piece in PIECES)))
    with pytest.raises(ModelError):
        openai(body[: len(body) // 3]).draft(task)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"error": {"message": "all servers are busy", "code": 503}}).encode(),
        json.dumps({"error": "all servers are busy"}).encode(),
        json.dumps(complete("") | {"choices": [{"error": {"message": "all servers are busy"}}]}).encode(),
        stream(chunks({"content": "x"})[0], {"error": {"message": "all servers are busy"}}),
    ],
    ids=["object", "text", "choice", "event"],
)
def test_an_error_with_status_200_is_told(openai: Serve, task: Task, body: bytes) -> None:
    with pytest.raises(ModelError, match="all servers are busy"):
        openai(body).draft(task)


def test_an_error_event_of_anthropic_is_told(anthropic: Serve, task: Task) -> None:
    start, *_ = block_events({})
    with pytest.raises(ModelError, match="Overloaded"):
        anthropic(stream(start, {"type": "error", "error": {"type": "x", "message": "Overloaded"}})).draft(task)


def test_an_error_with_status_200_has_the_status_that_it_names(openai: Serve, task: Task) -> None:
    with pytest.raises(RateLimitedError, match="too many"):
        openai(json.dumps({"error": {"message": "too many", "code": 429}}).encode()).draft(task)


def test_bytes_that_are_not_utf_8_cost_only_themselves(openai: Serve, task: Task) -> None:
    body = json.dumps(complete(ANSWER.replace("Counts", "##"))).encode().replace(b"##", b"\xff")
    draft = openai(body).draft(task)
    assert (draft.sql, draft.explanation) == (SQL, "\ufffd.")


def test_comments_before_an_answer_are_skipped(openai: Serve, task: Task) -> None:
    assert openai(b": waiting\n\n" * 3 + json.dumps(complete(ANSWER)).encode()).draft(task).sql == SQL


def test_one_failed_generation_does_not_give_up_the_format(httpserver: HTTPServer, task: Task) -> None:
    asked: list[Any] = []
    failure = {
        "error": {"message": "Failed to generate JSON. See 'failed_generation'.", "failed_generation": "SELECT"}
    }

    def answer(request: Any) -> Response:
        asked.append(json.loads(request.get_data()).get("response_format", {}).get("type"))
        body, status = (failure, 400) if len(asked) == 1 else (complete(ANSWER), 200)
        return Response(json.dumps(body), status, content_type="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(answer)
    provider = OpenAIProvider(Settings(openai_api_key="k", openai_base_url=httpserver.url_for("/v1")))
    assert [provider.draft(task).sql for _ in range(2)] == [SQL, SQL]
    assert asked == ["json_schema", "json_object", "json_schema"]
