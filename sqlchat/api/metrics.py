"""`/metrics`: serves the counts for Prometheus, to this machine or to the sender of a token."""

from __future__ import annotations

import ipaddress
import secrets

from flask import Blueprint, Response, current_app, request

from sqlchat.api.resource import runtime
from sqlchat.errors import ForbiddenError, UnauthorizedError
from sqlchat.telemetry import metrics

blueprint = Blueprint("metrics", __name__)

FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via")
"""Headers by which a proxy in front shows itself."""
CLOSED = (
    "Metrics are for this machine alone, and it cannot be told that this request comes from it. Set "
    "SQLCHAT_METRICS_TOKEN and send it as `Authorization: Bearer <token>`."
)


@blueprint.get("/metrics")
def show_metrics() -> Response:
    """Answer with all counts."""
    check_reader()
    body, content_type = metrics.render()
    return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})


def check_reader() -> None:
    """Raise UnauthorizedError or ForbiddenError unless the request has the token or comes from this machine.

    Behind a proxy on this machine, every request has a local address. So in a public service the address counts only
    with SQLCHAT_TRUSTED_PROXIES, which gives the client's; in local mode no request with a proxy's headers is served.
    """
    expected = runtime().settings.metrics_token
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if expected and scheme:
        if scheme.lower() != "bearer" or not secrets.compare_digest(token.strip().encode(), expected.encode()):
            raise UnauthorizedError("This is not the token of the metrics.")
    elif not _is_from_here():
        raise UnauthorizedError("Send the token of the metrics.") if expected else ForbiddenError(CLOSED)


def _is_from_here() -> bool:
    if not current_app.config["TRUSTED_PROXIES"]:
        is_local_mode = bool(current_app.config["TRUSTED_HOSTS"])
        if not is_local_mode or any(name in request.headers for name in FORWARDING):
            return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:  # over a Unix socket
        return False
