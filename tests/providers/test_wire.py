from __future__ import annotations

import email.utils
import time

import httpx2
import pytest

from sqlchat.providers import wire


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("0.2", 1), ("0", 0), ("-3", 0), ("1e9", 86_400), ("soon", None), ("", None), ("nan", None)],
)
def test_retry_after_in_seconds(text: str, seconds: int | None) -> None:
    assert wire.read_retry_after({"retry-after": text}) == seconds


def test_retry_after_as_a_date() -> None:
    date = email.utils.formatdate(time.time() + 60, usegmt=True)
    assert wire.read_retry_after({"retry-after": date}) in range(55, 62)
    assert wire.read_retry_after({}) is None


@pytest.mark.parametrize(
    "message",
    ["Incorrect API key provided: my-own-key.", "key sk-proj-abc123456789 is wrong", "Authorization: Bearer abc.def"],
)
def test_keys_are_masked(message: str) -> None:
    said = wire.shorten_message(message, "my-own-key")
    assert "***" in said
    assert not any(part in said for part in ("own-key", "abc"))


def test_messages_are_cut_and_kept_on_one_line() -> None:
    said = wire.shorten_message("a\nb " + "x" * 5000)
    assert said.startswith("a b ")
    assert len(said) == wire.LONGEST_MESSAGE


def test_a_proxy_of_the_environment_serves_remote_hosts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    client = wire.BoundedClient("http://models.example/v1", late=RuntimeError)
    with (
        client,
        wire.bound_time(5),
        pytest.raises(httpx2.ConnectError),
    ):  # at the proxy's address, where nobody listens
        client.get("http://models.example/v1/chat")


def test_after_the_deadline_nothing_is_sent() -> None:
    client = wire.BoundedClient("http://127.0.0.1:9", late=RuntimeError)
    with client, wire.bound_time(0), pytest.raises(RuntimeError, match="deadline"):
        client.get("http://127.0.0.1:9/")
