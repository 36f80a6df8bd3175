"""Sends the HTTP requests of the vendors' SDKs within a deadline, and translates their errors.

Both SDKs limit only each try, so a whole call could take minutes: they sleep through a Retry-After, and a body that
drips never times out. Here one deadline holds for all tries together.
"""

from __future__ import annotations

import contextlib
import email.utils
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import httpx2

from sqlchat.errors import ModelError, ModelTimeoutError, ProviderNotConfiguredError, RateLimitedError, SqlchatError
from sqlchat.providers.bodies import repair_response

CONNECT_TIMEOUT = 5.0
FORMAT_STATUSES = (400, 404, 415, 422, 501)
FORMAT_REFUSED = re.compile(
    r"response[_ ]?format|output[_ ]?(?:config|format)|json[_ ]?(?:schema|object|mode)|structured[_ -]?output"
    r"|additional[_ ]?properties|failed[_ ]generation",
    re.IGNORECASE,
)
PATIENCE = 2.0  # seconds to wait for a vendor's Retry-After; a longer one is the caller's to wait for
LONGEST_MESSAGE = 300
KEYS = re.compile(r"\b(?:sk|pk|rk|key)[-_][\w*.\-]{6,}|(?<=Bearer )\S+", re.IGNORECASE)
OWN_HEADERS = re.compile(
    r"(?:host|accept|accept-encoding|connection|content-(?:type|length|encoding)|user-agent|authorization"
    r"|idempotency-key|anthropic-version|x-stainless-[\w-]+)\Z",
    re.IGNORECASE,
)


_end: ContextVar[float] = ContextVar("end")  # of the time for a call, by the monotonic clock


@contextlib.contextmanager
def bound_time(seconds: float) -> Iterator[None]:
    """Limit the time of all requests of a `BoundedClient` inside the block, in this thread."""
    token = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def measure_time_left() -> float:
    """Return the seconds left inside `bound_time`; 0 or less after the deadline."""
    return _end.get() - time.monotonic()


class BoundedClient(httpx2.Client):
    """Sends the requests of an SDK under the deadline of `bound_time`.

    After the deadline it raises `late`, an exception that the SDK passes on without another try. It removes headers
    that an SDK takes from the environment (`OPENAI_CUSTOM_HEADERS`), since only the settings table configures the
    service. It uses proxies of the environment, but never for a loopback address.
    """

    def __init__(self, base_url: str, late: type[Exception]) -> None:
        super().__init__(trust_env=not _is_loopback(base_url), timeout=CONNECT_TIMEOUT)
        self._late = late

    def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        for name in [name for name in request.headers if not OWN_HEADERS.match(name)]:
            del request.headers[name]
        left = max(measure_time_left(), 0.001)
        request.extensions["timeout"] = {
            "connect": min(CONNECT_TIMEOUT, left),
            **dict.fromkeys(("read", "write", "pool"), left),
        }
        try:
            if measure_time_left() <= 0:
                raise httpx2.ReadTimeout("no time left for another try", request=request)
            response = super().send(request, stream=True, **options)
            with _shut_at_the_deadline(response):
                response.read()
            response = repair_response(response)
        except httpx2.HTTPError as exc:
            if measure_time_left() <= 0:
                raise self._late("the deadline has passed") from exc
            raise
        if response.is_error and not _is_worth_waiting(response):
            response.headers["x-should-retry"] = "false"
        return response


def translate_error(exc: Exception, sdk: Any, provider: str, key: str = "") -> SqlchatError:
    """Return our error for an exception of the vendor's `sdk`. Both SDKs use the same names for their exceptions."""
    match exc:
        case sdk.APIStatusError():
            return make_failure(provider, exc.status_code, _read_message(exc), exc.response.headers, key)
        case sdk.APITimeoutError():
            return ModelTimeoutError(f"{provider} did not answer in time.")
        case sdk.APIConnectionError():
            return ModelError(f"The connection to {provider} failed or broke off.")
        case ValueError():
            return ModelError(f"{provider} answered with something that is not JSON.")
        case _:
            return ModelError(f"The call to {provider} failed: {shorten_message(str(exc), key)}")


def refuses_format(exc: Any) -> bool:
    """Does an endpoint say that it does not know the requested format of answers?"""
    words = f"{getattr(exc, 'message', '')} {getattr(exc, 'body', '')}"
    return getattr(exc, "status_code", None) in FORMAT_STATUSES and FORMAT_REFUSED.search(words) is not None


def _read_message(exc: Any) -> str:
    body = exc.body.get("error", exc.body) if isinstance(exc.body, dict) else None
    words = body.get("message") if isinstance(body, dict) else None
    return str(words or exc.message)


def make_failure(provider: str, status: int, message: str, headers: Mapping[str, str], key: str = "") -> SqlchatError:
    """Return our error for a vendor's error response (HTTP `status` and the vendor's `message`)."""
    words = shorten_message(message, key)
    if status == 401:
        return ProviderNotConfiguredError(f"{provider} refused the API key that is configured for it.")
    if status == 403:
        return ProviderNotConfiguredError(f"{provider} does not let the configured API key do this: {words}")
    if status == 429:
        return RateLimitedError(
            f"{provider} limits the rate of requests: {words}", retry_after=read_retry_after(headers)
        )
    if status in (408, 504):
        return ModelTimeoutError(f"{provider} took too long: {words}")
    return ModelError(f"{provider} answered with status {status}: {words}")


def read_place(url: str) -> str:
    """Return host and port of a URL."""
    return urlsplit(url).netloc.rpartition("@")[2]


def read_retry_after(headers: Mapping[str, str]) -> int | None:
    """Return the seconds of a Retry-After header (a number or a date), rounded up; None if there is none."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            return None
    return int(min(max(seconds, 0), 86_400) + 0.999) if seconds == seconds else None  # noqa: PLR0124 - NaN


def shorten_message(message: str, key: str = "") -> str:
    """Return a vendor's text on one line, cut, with API keys masked."""
    message = " ".join(message.split())
    if key:
        message = message.replace(key, "***")
    message = KEYS.sub("***", message)
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…"


def _is_worth_waiting(response: httpx2.Response) -> bool:
    pause = read_retry_after(response.headers) or 1
    return pause <= PATIENCE and pause < measure_time_left()


@contextlib.contextmanager
def _shut_at_the_deadline(response: httpx2.Response) -> Iterator[None]:
    """Shut the connection if the deadline passes while the body comes: a read timeout starts anew each chunk."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    watch = threading.Timer(max(measure_time_left(), 0), _shut_down, [connection])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _shut_down(connection: socket.socket | None) -> None:
    if connection is not None:
        with contextlib.suppress(OSError):  # already closed: the body came after all
            connection.shutdown(socket.SHUT_RDWR)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
