"""Gives every blueprint its payload parser, access check, documented failures, JSON answers and the Runtime."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial, wraps
from http import HTTPStatus
from typing import Any, Literal, TypeVar, cast

import flask_smorest
import orjson
from flask import Request, Response, current_app, request
from marshmallow import EXCLUDE, Schema, ValidationError
from werkzeug.datastructures import MultiDict

from sqlchat.errors import PayloadError, UnsupportedMediaError
from sqlchat.runtime import Runtime

INVALID = "The payload is not valid; `errors` says what is wrong with which field."
DEEPEST = 100
"""Most levels of a body: our readers recurse, and Python limits that."""
COLON = re.compile(rb'"[ \t\r\n]*:')
View = TypeVar("View", bound=Callable[..., Any])


def read_json(req: Request) -> Any:
    """Read the body with orjson, which refuses NaN, lone surrogates and endless nesting.

    Raises PayloadError and UnsupportedMediaError.
    """
    body = req.get_data()
    if not body:
        raise PayloadError("The body is empty; send JSON, with the header Content-Type: application/json.")
    if not req.is_json:
        raise UnsupportedMediaError("Send the body as JSON, with the header Content-Type: application/json.")
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise PayloadError(f"The body is not JSON: {exc}.") from exc
    if body.count(b"[") + body.count(b"{") > DEEPEST and is_nested_deeper(payload, DEEPEST):
        raise PayloadError(f"The body is nested more than {DEEPEST} levels deep.")
    if len(COLON.findall(body)) > _count_keys(payload):  # a key may be repeated, or a text may hold a colon
        json.loads(body, object_pairs_hook=_make_object, parse_int=float)
    return payload


def read_values(*parts: MultiDict[str, Any]) -> dict[str, Any]:
    """Return the fields of a query, or files and texts of a form together.

    Raises PayloadError for a repeated name.
    """
    _refuse_repeated(name for part in parts for name, _ in part.items(multi=True))
    return {name: value for part in parts for name, value in part.items()}


READERS: Mapping[str, Callable[[Request], Any]] = {
    "json": read_json,
    "query": lambda req: read_values(req.args),
    "files": lambda req: read_values(req.files, req.form),
}
"""By the location of arguments."""


def is_nested_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested more than `levels` deep in a value of JSON."""
    level = [value]
    for _ in range(levels + 1):
        next_level: list[Any] = []
        for part in level:
            if isinstance(part, dict | list):
                next_level += part.values() if isinstance(part, dict) else part
        if not next_level:
            return False
        level = next_level
    return True


def _count_keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_count_keys, value.values()))
    return sum(map(_count_keys, value)) if isinstance(value, list) else 0


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_repeated(name for name, _ in pairs)
    return dict(pairs)


def _refuse_repeated(names: Iterable[str]) -> None:
    """Raise PayloadError for a repeated field: all its values but one would be dropped silently."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise PayloadError(INVALID, errors={name: ["Given more than once; give one value."] for name in repeated})


@dataclass(frozen=True)
class Access:
    """Who may use the routes of a blueprint."""

    check: Callable[[], None]
    """Raises UnauthorizedError."""
    requirement: list[dict[str, list[str]]]
    """The same in OpenAPI's words."""


class Resource(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint of the API."""

    def __init__(self, *args: Any, access: Access | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._access = access
        if access:
            self.before_request(access.check)

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: Any = None, *args: Any, **options: Any
    ) -> None:
        """Add a route, with or without a slash at its end, and document who may use it."""
        if self._access:
            view_func._apidoc.setdefault("manual_doc", {})["security"] = self._access.requirement
        super().add_url_rule(rule, endpoint, view_func, *args, **{"strict_slashes": False, **options})

    def arguments(self, schema: type[Schema], *, location: str = "json", **options: Any) -> Callable[[View], View]:
        """Document arguments as flask-smorest does, and pass them to the view after those of its path.

        A request raises PayloadError if they do not fit the schema.
        """
        instance, read = schema(), READERS[location]
        unknown: Literal["exclude"] | None = None if location == "json" else EXCLUDE
        document = super().arguments(instance, location=location, error_status_code=400, **options)

        def load(given: Any) -> dict[str, Any]:
            try:
                return cast(dict[str, Any], instance.load(given, unknown=unknown))
            except ValidationError as exc:
                raise PayloadError(INVALID, errors=exc.messages_dict) from exc

        load_nothing = cache(partial(load, {}))

        def decorate(view: Any) -> Any:
            @wraps(view)
            def parse(*arguments: Any, **path: Any) -> Any:
                req: Request = request._get_current_object()  # type: ignore[attr-defined]
                is_empty = location == "query" and not req.query_string
                return view(*arguments, dict(load_nothing()) if is_empty else load(read(req)), **path)

            parse._apidoc = document(view)._apidoc  # type: ignore[attr-defined]
            return parse

        return decorate

    def doc(self, **members: Any) -> Callable[[View], View]:
        """Document a view with members of OpenAPI's operation."""
        return _take_document(super().doc(**members))

    def fails(self, *statuses: int) -> Callable[[View], View]:
        """Document the failures of a view, beside the 400 of every payload."""

        def decorate(view: Any) -> Any:
            for status in statuses:
                _take_document(self.alt_response(status, HTTPStatus(status).name))(view)
            return view

        return decorate


def _take_document(decorate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decorator that takes the document alone from `decorate`, so that it adds no function around a view."""

    def document(view: Any) -> Any:
        view._apidoc = decorate(view)._apidoc
        return view

    return document


def describe_path(name: str, example: str, description: str = "") -> dict[str, Any]:
    """Return a parameter of a path in OpenAPI's form, for `parameters` of a route."""
    parameter = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": example}
    return parameter | ({"description": description} if description else {})


def runtime() -> Runtime:
    """Return the process-wide state of the application that serves this request."""
    return cast(Runtime, current_app._get_current_object().extensions["sqlchat"])  # type: ignore[attr-defined]


class JsonResponse(Response):
    """A response with a body, of which nothing depends on the request."""

    def get_wsgi_headers(self, environ: Any) -> Any:
        return self.headers  # werkzeug would look for a relative Location in them, and copy them


def answer(body: dict[str, Any], status: int = 200) -> Response:
    """Make a JSON answer. `body` may hold orjson.Fragment, so that rows are written once."""
    return JsonResponse(orjson.dumps(body), status, content_type="application/json")
