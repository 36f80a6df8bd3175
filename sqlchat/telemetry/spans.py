"""Spans of a question's stages for OpenTelemetry, where its API is installed. The one file that imports it.

What `opentelemetry-instrument` sets up receives them; without that they cost next to nothing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any


@cache
def _tracer() -> Any:
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace.get_tracer("sqlchat")


def open_span(name: str, **attributes: str | int | float) -> AbstractContextManager[Any]:
    """A span around the block that follows; an error that leaves the block is recorded by its class.

    Attributes are names and amounts, never texts of questions, SQL or rows.
    """
    tracer = _tracer()
    if tracer is None:
        return nullcontext()
    return tracer.start_as_current_span(name, attributes=attributes, record_exception=False)  # type: ignore[no-any-return]
