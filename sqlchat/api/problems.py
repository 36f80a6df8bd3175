"""Answers every failure with application/problem+json (RFC 9457), also those of Flask, werkzeug and gunicorn."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import orjson
import werkzeug
from flask import Flask, Response, g
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest, HTTPException, SecurityError

from sqlchat.errors import ConnectionNotFoundError, SqlchatError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
BUG = "This is a fault of the service; its log has more under this request_id."

# Werkzeug's own texts are for browsers; these are for people with curl.
DETAILS = {
    400: "The request is malformed.",
    404: "There is no such path; /docs lists them all.",
    405: "This path does not take that method.",
    413: "The body is larger than this service takes.",
    415: "The body's content type is not one that this path takes.",
}

LOCAL_ONLY = (
    "Without auth this service answers to localhost, 127.0.0.1 and [::1] only, and this request names another host. "
    "Set SUPABASE_URL or SUPABASE_JWT_SECRET, or SQLCHAT_OPEN_DATA_ROUTES behind a gate of your own."
)

CODES = {413: "request_entity_too_large", 422: "unprocessable_entity"}
"""Codes of statuses that have other names in Python 3.13."""


def init_app(app: Flask) -> None:
    """Register this module's handlers for all errors of `app`."""
    app.register_error_handler(SqlchatError, answer_error)
    app.register_error_handler(HTTPException, answer_http_exception)
    app.register_error_handler(ParseException, answer_broken_body)
    app.register_error_handler(Exception, answer_bug)


def answer_error(error: SqlchatError) -> Response:
    g.failure = error
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    detail = error.detail
    if isinstance(error, ConnectionNotFoundError) and g.get("default_connection"):  # no name is in the request
        detail += " The name is the `default_connection` of your settings."
    return make_problem(error.status, error.code, error.title, detail, headers, **error.facts)


def answer_http_exception(error: HTTPException) -> werkzeug.Response:
    response = error.get_response()
    status = HTTPStatus(response.status_code)
    if status < HTTPStatus.BAD_REQUEST:  # werkzeug raises its redirects
        return response
    headers = {name: value for name, value in response.headers.items() if name in ("Allow", "Retry-After")}
    code = CODES.get(status, status.name.lower())
    detail = LOCAL_ONLY if isinstance(error, SecurityError) else DETAILS.get(status, f"{status.description}.")
    return make_problem(status, code, status.phrase, detail, headers)


def answer_broken_body(_: ParseException) -> werkzeug.Response:
    """Answer 400: a chunked body is read while the view runs, so its faults appear only there."""
    return answer_http_exception(BadRequest())


def answer_bug(error: Exception) -> Response:
    log.error("unhandled error", exc_info=error)
    return make_problem(500, SqlchatError.code, SqlchatError.title, BUG, {})


def describe_problem(error: Exception) -> dict[str, Any]:
    """Return the members of the problem for `error`, for an answer that has begun."""
    if isinstance(error, SqlchatError):
        g.failure = error
        return _describe_failure(error.status, error.code, error.title, error.detail, **error.facts)
    log.error("unhandled error", exc_info=error)
    return _describe_failure(500, SqlchatError.code, SqlchatError.title, BUG)


def make_problem(status: int, code: str, title: str, detail: str, headers: dict[str, str], **facts: Any) -> Response:
    return Response(
        write_json(_describe_failure(status, code, title, detail, **facts)), status, headers, mimetype=MEDIA_TYPE
    )


def list_members(status: int, code: str, title: str, detail: str, request_id: str, **facts: Any) -> dict[str, Any]:
    """Return a problem's members: RFC 9457's, then `code`, `request_id` and the error's own facts."""
    return {
        "type": "about:blank",
        "title": title,
        "status": int(status),
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **facts,
    }


def write_json(members: dict[str, Any]) -> bytes:
    return orjson.dumps(members, option=orjson.OPT_NON_STR_KEYS)  # a list's errors have its indexes as keys


def _describe_failure(status: int, code: str, title: str, detail: str, **facts: Any) -> dict[str, Any]:
    """Return the members of this request's problem, and note its code for the log."""
    g.problem_code = code
    return list_members(status, code, title, detail, g.get("request_id", ""), **facts)
