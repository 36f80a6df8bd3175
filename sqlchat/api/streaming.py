"""Streams the stages of an answer as server-sent events (the WHATWG's HTML standard, section 9.2)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

import orjson
from flask import Response, g, request, stream_with_context

from sqlchat.api.problems import describe_problem
from sqlchat.api.rendering import render_stage
from sqlchat.api.requests import log_request
from sqlchat.chat.answer import Stage

MEDIA_TYPE = "text/event-stream"
BEAT = 15.0
"""Seconds between two comments: routers in front close an idle connection, Heroku's after 55."""
STILL_HERE = b": still here\n\n"
"""A comment, which every reader of events ignores."""
UNBUFFERED = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Headers that keep a proxy in front from buffering events."""


def is_wanted() -> bool:
    """Whether the caller asks for events by name; `*/*` does not."""
    return any(kind.lower() == MEDIA_TYPE for kind, quality in request.accept_mimetypes if quality > 0)


def stream(stages: Generator[Stage], beat: float = BEAT) -> Response:
    """Answer with each of `stages` at once. The last event is `answer`, or `error` with a problem's members.

    Raises an error that comes before the first stage, so it gets a usual answer. During a long stage, a comment goes
    out every `beat` seconds.
    """
    first = next(stages)
    g.streaming = True
    return Response(stream_with_context(_write_events(first, stages, beat)), 200, UNBUFFERED, mimetype=MEDIA_TYPE)


def _write_events(first: Stage, stages: Generator[Stage], beat: float) -> Iterator[bytes]:
    status = 200
    stage: Stage | None = first

    def compute_next() -> Stage | None:
        return next(stages, None)

    try:
        with ThreadPoolExecutor(1, thread_name_prefix="stages") as executor:
            while stage:
                yield _write_event(*render_stage(stage))
                # a copy of the context holds the same request and `g`
                upcoming = executor.submit(copy_context().run, compute_next)
                while not wait([upcoming], beat).done:
                    yield STILL_HERE
                stage = upcoming.result()
    except Exception as exc:  # noqa: BLE001 - the status is sent already, so the stream must carry the error
        problem = describe_problem(exc)
        status = problem["status"]
        yield _write_event("error", problem)
    finally:
        stages.close()  # if the client has gone, no further stage runs
        log_request(status)


def _write_event(name: str, data: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS))
