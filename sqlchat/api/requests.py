"""Around every request: its id, its limits on size, its one line in the log."""

from __future__ import annotations

import logging
import re
import tempfile
import time
import uuid
from functools import cached_property
from typing import IO, Any, cast

import flask
from flask import Flask, Response, g, request

log = logging.getLogger("sqlchat.request")

JSON_BODY_LIMIT = 1 << 20
"""Bytes of a body that is no upload."""

PROXY_ID = re.compile(r"[A-Za-z0-9._:-]{8,80}")
"""What a request id from a proxy in front (Heroku's, say) may look like."""


class Request(flask.Request):
    """Uploads go to named temporary files, so that a worker process can read them by path."""

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        spooled = tempfile.NamedTemporaryFile("rb+", prefix="sqlchat-upload-")  # noqa: SIM115 - see close
        self._spooled.append(spooled)
        return cast(IO[bytes], spooled)

    @cached_property
    def _spooled(self) -> list[Any]:
        return []

    def close(self) -> None:
        """Called at the end of every request; werkzeug's own forgets a body that broke off."""
        super().close()
        for spooled in self._spooled:
            spooled.close()


def init_app(app: Flask) -> None:
    app.request_class = Request
    app.config["MAX_CONTENT_LENGTH"] = JSON_BODY_LIMIT
    app.before_request(begin)
    app.after_request(end)


def begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if PROXY_ID.fullmatch(given) else uuid.uuid4().hex
    g.started = time.perf_counter()


def end(response: Response) -> Response:
    """The headers of every answer, and its line in the log; that of a stream is written when the stream has ended."""
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    if not g.get("streaming"):
        log_request(response.status_code)
    return response


def log_request(status: int) -> None:
    """One line: what was asked by whom, how it ended. Never a body, a query string or a header."""
    caller = g.get("caller")
    facts = {
        "request_id": g.request_id,
        "method": request.method,
        "path": request.path,
        "status": status,
        "code": g.get("problem_code"),
        "ms": round((time.perf_counter() - g.started) * 1000, 1),
        "user": caller.id if caller else None,
    } | g.get("log_facts", {})
    log.info("request", extra={name: value for name, value in facts.items() if value is not None})


def note(**facts: Any) -> None:
    """Add facts (a connection's name, a count of tokens) to this request's line in the log."""
    g.log_facts = g.get("log_facts", {}) | facts


def request_tag() -> str:
    """This request's id, as SQL carries it in a trailing comment."""
    return str(g.request_id)
