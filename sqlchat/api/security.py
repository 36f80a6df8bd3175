"""Finds the caller of a request by its token, and the owner whose data the request works on.

An invalid token is 401 on every route. Without one, `/api/auth/me` and `/api/settings` are 401. So are the data
routes if Supabase auth is configured, unless the operator opened them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, request

from sqlchat.api.requests import PROBES
from sqlchat.api.resource import Access, runtime
from sqlchat.errors import BadRequestError, BusyError, UnauthorizedError
from sqlchat.runtime import LOCAL_OWNER, OPEN_OWNER
from sqlchat.tokens import Caller

LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
METRICS = "metrics.show_metrics"
"""The endpoint with a token of its own, which belongs to no caller."""
SENT_AT_ONCE = 64 << 10
"""Bytes of an answer that the system buffers, also if the client does not read them."""
OTHER_SITES = frozenset({"cross-site", "same-site"})
"""Values of Sec-Fetch-Site for other pages. To browsers, all ports of one machine are the same site."""
CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})


def init_app(app: Flask) -> None:
    """Verify the token of every request before its view runs, and share the threads among callers."""
    app.before_request(admit_request)
    app.after_request(give_thread_back)


def admit_request() -> None:
    """Find the caller of a request and take a thread for them, before the view runs.

    Raises BadRequestError, UnauthorizedError, UnavailableError and BusyError.
    """
    req: Request = request._get_current_object()  # type: ignore[attr-defined]
    state = g._get_current_object()
    if req.trusted_hosts:  # in local mode
        refuse_other_sites(req)
    state.caller = state.token = None
    if req.endpoint != METRICS and (header := req.environ.get("HTTP_AUTHORIZATION")):
        token = read_token(header)
        state.caller, state.token = runtime().verifier.verify(token), token
    if runtime().settings.auth_configured and req.path not in PROBES:
        take_thread(state.caller.id if state.caller else OPEN_OWNER)


def refuse_other_sites(req: Request) -> None:
    """Raise BadRequestError if a page of another site made the user's browser send this request.

    Browsers name the page's site in Sec-Fetch-Site, older ones only in Origin; other clients send neither.
    """
    if req.method in CHANGES_NOTHING:
        return
    site, origin = req.environ.get("HTTP_SEC_FETCH_SITE"), req.environ.get("HTTP_ORIGIN")
    if site in OTHER_SITES or (site is None and origin is not None and not _is_local(origin)):
        raise BadRequestError("A page of another site may not ask for this.")


def _is_local(origin: str) -> bool:
    try:
        host = urlsplit(origin).hostname
    except ValueError:
        return False
    return host in {local.strip("[]") for local in LOCAL_HOSTS}


def read_token(header: str) -> str:
    """Return the token of an Authorization header. Raises UnauthorizedError."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("Send the token as `Authorization: Bearer <token>`.")
    return token.strip()


def take_thread(owner: str) -> None:
    """Raise BusyError if the caller uses a whole share of this process's threads.

    All callers without a token count as one. Requests of monitoring do not count.
    """
    if not runtime().threads.acquire(0, owner):
        limit = runtime().settings.owner_threads
        raise BusyError(f"You have {limit} requests under way; wait for one of them.", retry_after=1)
    g.thread_owner = owner


def give_thread_back(response: Response) -> Response:
    """Free the caller's thread: at once if the system buffers the answer, else when the answer is sent."""
    if owner := g.get("thread_owner"):
        release = partial(runtime().threads.release, owner)
        if response.is_streamed or (response.content_length or 0) > SENT_AT_ONCE:
            response.call_on_close(release)
        else:
            release()
    return response


def require_caller() -> Caller:
    """Return the caller. Raises UnauthorizedError without a token."""
    caller: Caller | None = g.caller
    if caller is None:
        raise UnauthorizedError("This needs a token: send it as `Authorization: Bearer <token>`.")
    return caller


def get_owner() -> str:
    """Return the id of the owner whose data this request works on. Raises UnauthorizedError."""
    settings = runtime().settings
    if not settings.auth_configured:
        return LOCAL_OWNER
    if g.caller is None and settings.open_data_routes:
        return OPEN_OWNER
    return require_caller().id


def get_claims() -> Mapping[str, Any] | None:
    """Return the claims of the caller's token; None without a token."""
    caller: Caller | None = g.caller
    return caller.claims if caller else None


def get_folder() -> str:
    """Return the folder of this request's files in a bucket: the user's own, or "" without authentication."""
    return require_caller().id if get_storage_token() else ""


def get_storage_token() -> str | None:
    """Return the user's token for the storage; None in local mode. Never log it, store it or send it back."""
    token: str | None = g.token
    return token if runtime().settings.auth_configured else None


def has_history() -> bool:
    """Whether this caller's requests are recorded and shown to them."""
    return bool(runtime().settings.history_days) and get_owner() != OPEN_OWNER


def _check_caller() -> None:
    require_caller()


def _check_owner() -> None:
    get_owner()


def _check_history() -> None:
    """Raise UnauthorizedError for callers without a token: they cannot be told apart, so they see no history."""
    if get_owner() == OPEN_OWNER:
        require_caller()


BEARER: dict[str, list[str]] = {"bearer": []}
NOTHING: dict[str, list[str]] = {}
SIGNED_IN = Access(_check_caller, [BEARER])
"""Routes about the caller."""
DATA = Access(_check_owner, [BEARER, NOTHING])
"""The data routes, which need no token in local mode."""
OWN_HISTORY = Access(_check_history, [BEARER, NOTHING])
