"""Gives every blueprint its payload parser, access check, documented failures, JSON answers and the Runtime."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar, cast

import flask_smorest
import orjson
from flask import Request, Response, current_app, request
from webargs import core
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import CombinedMultiDict

from sqlchat.errors import PayloadError, UnsupportedMediaError
from sqlchat.runtime import Runtime

INVALID = "The payload is not valid; `errors` says what is wrong with which field."
DEEPEST = 100
"""Most levels of a body: our readers recurse, and Python limits that."""
COLON = re.compile(rb'"[ \t\r\n]*:')
View = TypeVar("View", bound=Callable[..., Any])


class PayloadParser(FlaskParser):
    """webargs' parser with our errors, and with orjson, which refuses NaN, lone surrogates and endless nesting."""

    DEFAULT_VALIDATION_STATUS = HTTPStatus.BAD_REQUEST

    def __init__(self) -> None:
        super().__init__()
        self._defaults: dict[Any, dict[str, Any]] = {}

    def parse(self, argmap: Any, *args: Any, location: str | None = None, **options: Any) -> Any:
        """Parse as webargs does, but parse an empty query only once for each schema."""
        if location != "query" or request.query_string:
            return super().parse(argmap, *args, location=location, **options)
        if argmap not in self._defaults:
            self._defaults[argmap] = super().parse(argmap, *args, location=location, **options)
        return dict(self._defaults[argmap])

    def _raw_load_json(self, req: Request) -> Any:
        body = req.get_data()
        if not body:
            raise PayloadError("The body is empty; send JSON, with the header Content-Type: application/json.")
        if not core.is_json(req.mimetype):
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

    def load_querystring(self, req: Request, schema: Any) -> Any:
        _refuse_repeated(name for name, _ in req.args.items(multi=True))
        return super().load_querystring(req, schema)

    def load_files(self, req: Request, schema: Any) -> Any:
        """Return files and texts of a form together. Raises PayloadError if two have one name."""
        _refuse_repeated(name for part in (req.files, req.form) for name, _ in part.items(multi=True))
        return MultiDictProxy(CombinedMultiDict([req.files, req.form]), schema)

    def handle_error(self, error: Any, *args: Any, **kwargs: Any) -> NoReturn:
        # webargs puts the location ("json", "query") around the fields; the caller only knows fields.
        fields = next(iter(error.messages.values()))
        if not isinstance(fields, dict):
            fields = {"body": fields}
        raise PayloadError(INVALID, errors=fields)


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

    ARGUMENTS_PARSER = PayloadParser()

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

    def arguments(self, schema: Any, **options: Any) -> Callable[[View], View]:
        """Parse arguments as flask-smorest does, with one instance of the schema for all requests."""
        instance = schema() if isinstance(schema, type) else schema
        return cast(Callable[[View], View], super().arguments(instance, **options))

    def fails(self, *statuses: int) -> Callable[[View], View]:
        """Document the failures of a view, beside the 400 of every payload."""

        def decorate(view: Any) -> Any:
            for status in statuses:  # takes the document alone, so that no function is added around the view
                view._apidoc = self.alt_response(status, HTTPStatus(status).name)(view)._apidoc
            return view

        return decorate


def describe_path(name: str, example: str, description: str = "") -> dict[str, Any]:
    """Return a parameter of a path in OpenAPI's form, for `parameters` of a route."""
    parameter = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": example}
    return parameter | ({"description": description} if description else {})


def runtime() -> Runtime:
    """Return the process-wide state of the application that serves this request."""
    return cast(Runtime, current_app.extensions["sqlchat"])


def answer(body: dict[str, Any], status: int = 200) -> Response:
    """Make a JSON answer. `body` may hold orjson.Fragment, so that rows are written once."""
    return Response(orjson.dumps(body), status, mimetype="application/json")
