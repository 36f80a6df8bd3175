"""Gives each request an id, limits its size, counts it, and writes its line in the log."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import re
import tempfile
import time
from collections.abc import Iterator
from functools import cached_property
from http import HTTPStatus
from typing import IO, Any, cast

import flask
from flask import Flask, Response, current_app, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from sqlchat.errors import SqlchatError, UnavailableError, UnsupportedMediaError
from sqlchat.telemetry import metrics

log = logging.getLogger("sqlchat.request")

JSON_BODY_LIMIT = 1 << 20
"""Bytes of a body that is no upload."""

PROXY_ID = re.compile(r"[A-Za-z0-9._:-]{8,80}")
"""The form of a request id from a proxy in front, such as Heroku's."""

PROBES = frozenset({"/health", "/ready", "/metrics"})
"""Paths that monitoring requests all the time."""

UPLOAD_PARTS = 10
"""Most parts of a form: each part with a file takes a temporary file of ours while the request lasts."""


class Request(flask.Request):
    """A request that writes uploads to named temporary files, so that a worker process can read them by path.

    They are in the system's temporary folder (TMPDIR) and are removed with the request, however that ends. Those of a
    killed process are removed by their name (see gunicorn.conf.py).
    """

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        with _translate_disk_errors():
            file = SpooledFile()
        self._spooled_files.append(file)
        return cast(IO[bytes], file)

    @cached_property
    def _spooled_files(self) -> list[SpooledFile]:
        return []

    def close(self) -> None:
        """Remove the files at the end of the request; werkzeug's `close` forgets those of a body that broke off."""
        super().close()
        for file in self._spooled_files:
            file.close()


class SpooledFile:
    """A named temporary file. Raises UnavailableError if it cannot be written, such as on a full disk."""

    def __init__(self) -> None:
        prefix = f"sqlchat-upload-{os.getpid()}-"
        self._file = tempfile.NamedTemporaryFile("rb+", prefix=prefix)  # noqa: SIM115 - see close
        self.name = self._file.name

    def write(self, data: bytes) -> int:
        with _translate_disk_errors():
            return self._file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Write what is buffered, then seek."""
        with _translate_disk_errors():
            return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def close(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):
            self._file.close()


@contextlib.contextmanager
def _translate_disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        log.error("an upload cannot be spooled", extra={"reason": exc.strerror, "folder": tempfile.gettempdir()})
        raise UnavailableError("There is no room here for the file just now.", retry_after=60) from exc


def init_app(app: Flask, trusted_proxies: int) -> None:
    """Set the limits, hooks and request class of `app`.

    `trusted_proxies` is the number of proxies in front that add their client's address to X-Forwarded-For. The
    nearest one gives the scheme, for links, in X-Forwarded-Proto.
    """
    app.request_class = Request
    app.config["TRUSTED_PROXIES"] = trusted_proxies
    if trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=trusted_proxies, x_proto=1, x_host=0)  # type: ignore[method-assign]
    app.config["MAX_CONTENT_LENGTH"] = JSON_BODY_LIMIT
    app.config["MAX_FORM_PARTS"] = UPLOAD_PARTS
    app.before_request(begin_request)
    app.after_request(finish_request)


def begin_request() -> None:
    """Give the request its id. Raises UnsupportedMediaError for a compressed body: nothing here decompresses it."""
    environ, state = request.environ, g._get_current_object()  # each use of a proxy takes time
    proxy_id = environ.get("HTTP_X_REQUEST_ID", "")
    state.request_id = proxy_id if PROXY_ID.fullmatch(proxy_id) else f"{random.getrandbits(128):032x}"
    state.started = time.perf_counter()
    codings = environ.get("HTTP_CONTENT_ENCODING")
    if codings and {coding.strip().lower() for coding in codings.split(",")} - {"", "identity"}:
        raise UnsupportedMediaError("Send the body as it is: no `Content-Encoding` is understood.")


def finish_request(response: Response) -> Response:
    """Set the headers of every answer and log the request; a streamed answer is logged at its end."""
    state = g._get_current_object()
    response.headers["X-Request-Id"] = state.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    if not state.get("streaming"):
        log_request(response.status_code)
    return response


def log_request(status: int) -> None:
    """Count the request and write its line in the log, without body, query string and headers.

    A failure of the service (ERROR) or around it (WARNING) has its detail, and the place that did not answer.
    """
    this: Request = request._get_current_object()  # type: ignore[attr-defined]
    state = g._get_current_object()
    caller, failure, code = state.get("caller"), state.get("failure"), state.get("problem_code")
    level, seconds = _choose_level(this.path, status, failure), time.perf_counter() - state.started
    route = f"{this.method} {this.url_rule.rule}" if this.url_rule else "unmatched"
    metrics.count_request(route, status, seconds, code)
    facts = {
        "request_id": state.request_id,
        "method": this.method,
        "path": this.path,
        "status": status,
        "code": code,
        "ms": round(seconds * 1000, 1),
        "user": caller.id if caller else None,
        "client": this.remote_addr if current_app.config["TRUSTED_PROXIES"] else None,
        "connection": (this.view_args or {}).get("connection_id"),
    } | state.get("log_facts", {})
    if failure and level >= logging.WARNING:
        facts |= {"detail": failure.detail, "unreachable": failure.place or None}
    log.log(level, "request", extra={name: value for name, value in facts.items() if value is not None})


def _choose_level(path: str, status: int, failure: SqlchatError | None) -> int:
    if path in PROBES:
        return logging.DEBUG
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.ERROR
    if status > HTTPStatus.INTERNAL_SERVER_ERROR or (failure and failure.of_surroundings):
        return logging.WARNING
    return logging.INFO


def note(**facts: Any) -> None:
    """Add facts (a connection's name, a count of tokens) to this request's line in the log."""
    state = g._get_current_object()
    state.log_facts = state.get("log_facts", {}) | facts


def request_tag() -> str:
    """Return this request's id, which SQL carries in a trailing comment."""
    return str(g.request_id)
