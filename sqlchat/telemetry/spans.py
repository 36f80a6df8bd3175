"""Opens spans around a question's stages, if OpenTelemetry's API is installed. The one file that imports it.

`opentelemetry-instrument` sets up a receiver for them. Without one they take almost no time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def _find_tracer() -> Any:
    """Return the tracer; None if no SDK is set up to receive spans, or the library is not installed."""
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    provider = trace.get_tracer_provider()
    return None if isinstance(provider, trace.ProxyTracerProvider) else provider.get_tracer("sqlchat")


@contextmanager
def open_span(name: str, **attributes: str | int) -> Iterator[Any]:
    """Open a span around a block; yield it, or None without a tracer. An error of the block is recorded by its code.

    Attributes are names and amounts, never texts of questions, SQL or rows.
    """
    tracer = _find_tracer()
    if tracer is None:
        yield None
        return
    silent = {"record_exception": False, "set_status_on_exception": False}  # an exception's text may hold data
    with tracer.start_as_current_span(name, attributes=attributes, **silent) as span:
        try:
            yield span
        except Exception as exc:
            from opentelemetry.trace import StatusCode

            span.set_attribute("error.type", getattr(exc, "code", type(exc).__name__))
            span.set_status(StatusCode.ERROR)
            raise
