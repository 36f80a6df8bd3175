"""Spans of a question's stages for OpenTelemetry, where its API is installed. The one file that imports it.

What `opentelemetry-instrument` sets up receives them; without that they cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def _tracer() -> Any:
    """None where no SDK was set up to receive spans, as without the library."""
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    provider = trace.get_tracer_provider()
    return None if isinstance(provider, trace.ProxyTracerProvider) else provider.get_tracer("sqlchat")


@contextmanager
def open_span(name: str, **attributes: str | int) -> Iterator[Any]:
    """A span around the block that follows: the span, or None. An error that leaves the block is told by its code.

    Attributes are names and amounts, never texts of questions, SQL or rows.
    """
    tracer = _tracer()
    if tracer is None:
        yield None
        return
    silent = {"record_exception": False, "set_status_on_exception": False}  # whose texts tell of data
    with tracer.start_as_current_span(name, attributes=attributes, **silent) as span:
        try:
            yield span
        except Exception as exc:
            from opentelemetry.trace import StatusCode

            span.set_attribute("error.type", getattr(exc, "code", type(exc).__name__))
            span.set_status(StatusCode.ERROR)
            raise
