"""The calls of both vendors' models, through their real SDKs over HTTP."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sqlchat.config import Settings
from sqlchat.errors import (
    ModelError,
    ModelTimeoutError,
    ProviderNotConfiguredError,
    RateLimitedError,
    SqlchatError,
)
from sqlchat.providers.anthropic import AnthropicProvider
from sqlchat.providers.base import Task
from sqlchat.providers.language_model import LanguageModel
from sqlchat.providers.openai import OpenAIProvider
from sqlchat.providers.wire import translate_error

ANSWER = json.dumps({"sql": "SELECT count(*) FROM orders", "explanation": "Counts the orders."})
LOCAL = "http://127.0.0.1:4000"


@dataclass(frozen=True)
class Vendor:
    name: str
    provider: type[LanguageModel]
    sdk: ModuleType
    base_error: type[Exception]
    path: str
    base: str
    """Of the path, that belongs to the base URL."""

    def make(self, server: HTTPServer | str, timeout: float = 120.0) -> LanguageModel:
        url = (server if isinstance(server, str) else server.url_for("")).rstrip("/")
        settings: dict[str, Any] = {f"{self.name}_api_key": "test-key", f"{self.name}_base_url": url + self.base}
        return self.provider(Settings(model_timeout=timeout, **settings))

    def answer(self, text: str = ANSWER) -> dict[str, Any]:
        if self.name == "openai":
            return {"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": text}}]}
        return {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "model": "m", "usage": {}}


VENDORS = [
    Vendor("openai", OpenAIProvider, openai, openai.OpenAIError, "/v1/chat/completions", "/v1"),
    Vendor("anthropic", AnthropicProvider, anthropic, anthropic.AnthropicError, "/v1/messages", ""),
]


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    found: Vendor = request.param
    return found


def fault(text: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "some_error", "message": text}}


@pytest.mark.parametrize(
    ("data", "content_type"),
    [("<html>Log in</html>", "text/html"), ("{nonsense", "application/json"), ("", "application/json")],
)
def test_answers_that_are_not_json(
    vendor: Vendor, httpserver: HTTPServer, task: Task, data: str, content_type: str
) -> None:
    httpserver.expect_request(vendor.path).respond_with_data(data, content_type=content_type)
    with pytest.raises(ModelError, match=f"{vendor.name} answered with something"):
        vendor.make(httpserver).draft(task)


@pytest.mark.parametrize(
    ("status", "error", "http_status"),
    [
        (302, ModelError, 502),
        (400, ModelError, 502),
        (401, ProviderNotConfiguredError, 400),
        (402, ModelError, 502),
        (403, ProviderNotConfiguredError, 400),
        (404, ModelError, 502),
        (408, ModelTimeoutError, 504),
        (409, ModelError, 502),
        (413, ModelError, 502),
        (422, ModelError, 502),
        (429, RateLimitedError, 429),
        (504, ModelTimeoutError, 504),
        (529, ModelError, 502),
    ],
)
def test_a_status_becomes_ours_without_the_key(
    vendor: Vendor, httpserver: HTTPServer, task: Task, status: int, error: type[SqlchatError], http_status: int
) -> None:
    httpserver.expect_request(vendor.path).respond_with_json(
        fault("Not for test-key or sk-ant-abcdefghijkl, the model `x` is unknown"),
        status=status,
        headers={"x-should-retry": "false", "Location": "http://127.0.0.1:1/"},
    )
    with pytest.raises(error) as caught:
        vendor.make(httpserver).draft(task)
    assert caught.value.status == http_status
    assert "test-key" not in caught.value.detail
    assert "abcdef" not in caught.value.detail
    if status == 404:
        assert "the model `x` is unknown" in caught.value.detail


def test_a_long_retry_after_is_handed_to_the_caller_at_once(
    vendor: Vendor, httpserver: HTTPServer, task: Task
) -> None:
    httpserver.expect_request(vendor.path).respond_with_json(
        fault("slow down"), status=429, headers={"Retry-After": "17"}
    )
    with pytest.raises(RateLimitedError, match="slow down") as caught:
        vendor.make(httpserver).draft(task)
    assert caught.value.retry_after == 17
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("status", [500, 529])
def test_a_server_error_is_tried_again(vendor: Vendor, httpserver: HTTPServer, task: Task, status: int) -> None:
    httpserver.expect_ordered_request(vendor.path).respond_with_json(fault("busy"), status=status)
    httpserver.expect_ordered_request(vendor.path).respond_with_json(vendor.answer())
    assert vendor.make(httpserver).draft(task).sql == "SELECT count(*) FROM orders"


def test_a_server_error_that_stays_is_a_bad_gateway(vendor: Vendor, httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(vendor.path).respond_with_json(fault("oops"), status=500)
    with pytest.raises(ModelError, match="status 500: oops"):
        vendor.make(httpserver).draft(task)
    assert len(httpserver.log) == 3


def test_a_silent_server_ends_at_the_deadline(vendor: Vendor, httpserver: HTTPServer, task: Task) -> None:
    over = threading.Event()

    def sleep(_: Request) -> Response:
        over.wait(100)
        return Response("{}")

    httpserver.expect_request(vendor.path).respond_with_handler(sleep)
    start = time.monotonic()
    with pytest.raises(ModelTimeoutError, match="within 1 s"):
        vendor.make(httpserver, timeout=1.0).draft(task)
    assert time.monotonic() - start < 90
    over.set()


def test_a_dripping_body_ends_at_the_deadline(vendor: Vendor, dripping_server: str, task: Task) -> None:
    start = time.monotonic()
    with pytest.raises(ModelTimeoutError):
        vendor.make(dripping_server, timeout=1.0).draft(task)
    assert time.monotonic() - start < 100


def test_a_connection_that_breaks_off_is_a_bad_gateway(vendor: Vendor, cutting_server: str, task: Task) -> None:
    with pytest.raises(ModelError, match="connection"):
        vendor.make(cutting_server).draft(task)


def test_nobody_listening_is_a_bad_gateway(vendor: Vendor, task: Task) -> None:
    with pytest.raises(ModelError, match="connection"):
        vendor.make("http://127.0.0.1:9").draft(task)


def test_a_key_or_a_base_url_configures_it(vendor: Vendor) -> None:
    provider, key, url = vendor.provider, {f"{vendor.name}_api_key": "k"}, {f"{vendor.name}_base_url": LOCAL}
    assert provider.is_configured(Settings(**url))
    assert provider.is_configured(Settings(**key))
    assert not provider.is_configured(Settings())


def test_a_closed_provider_opens_again(vendor: Vendor, httpserver: HTTPServer, task: Task) -> None:
    httpserver.expect_request(vendor.path).respond_with_json(vendor.answer())
    served = vendor.make(httpserver)
    served.draft(task)
    served.close()
    served.close()
    assert served.draft(task).sql


def test_every_exception_of_the_sdk_is_translated(vendor: Vendor) -> None:
    known = vars(vendor.sdk._exceptions).values()
    declared = {cls for cls in known if isinstance(cls, type) and issubclass(cls, vendor.base_error)}
    assert len(declared) > 15
    for cls in declared:
        status = getattr(cls, "status_code", None)
        exc = cls.__new__(cls, "said")
        exc.status_code = status if isinstance(status, int) else 500  # type: ignore[attr-defined]
        exc.message, exc.body = "said", None  # type: ignore[attr-defined]
        exc.response = httpx2.Response(exc.status_code)  # type: ignore[attr-defined]
        expected = EXPECTED.get(cls.__name__, ModelError)
        assert isinstance(translate_error(exc, vendor.sdk, vendor.name), expected), cls


EXPECTED: dict[str, type[SqlchatError]] = {
    "AuthenticationError": ProviderNotConfiguredError,
    "OAuthError": ProviderNotConfiguredError,
    "PermissionDeniedError": ProviderNotConfiguredError,
    "RateLimitError": RateLimitedError,
    "APITimeoutError": ModelTimeoutError,
    "RequestTimeoutError": ModelTimeoutError,
    "GatewayTimeoutError": ModelTimeoutError,
}
