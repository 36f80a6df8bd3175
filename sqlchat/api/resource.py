"""What every blueprint is made of: payload parsing, documented failures, JSON answers, the process-wide Runtime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar, cast

import flask_smorest
import orjson
from flask import Request, Response, current_app
from webargs import core
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import CombinedMultiDict, MultiDict

from sqlchat.errors import PayloadError, UnsupportedMediaError
from sqlchat.runtime import Runtime

INVALID = "The payload is not valid; `errors` says what is wrong with which field."
DEEPEST = 100
"""Levels of a body: what reads it goes down by recursion, which has an end."""
View = TypeVar("View", bound=Callable[..., Any])


class PayloadParser(FlaskParser):
    """webargs, with orjson (which refuses NaN, lone surrogates and endless nesting) and our errors."""

    DEFAULT_VALIDATION_STATUS = HTTPStatus.BAD_REQUEST

    def _raw_load_json(self, req: Request) -> Any:
        body = req.get_data()
        if not body:
            raise PayloadError("The body is empty; send JSON, with the header Content-Type: application/json.")
        if not core.is_json(req.mimetype):
            raise UnsupportedMediaError("Send the body as JSON, with the header Content-Type: application/json.")
        try:
            given = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise PayloadError(f"The body is not JSON: {exc}.") from exc
        if body.count(b"[") + body.count(b"{") > DEEPEST and is_nested_deeper(given, DEEPEST):
            raise PayloadError(f"The body is nested more than {DEEPEST} levels deep.")
        return given

    def load_querystring(self, req: Request, schema: Any) -> Any:
        _refuse_repeated(req.args)
        return super().load_querystring(req, schema)

    def load_files(self, req: Request, schema: Any) -> Any:
        """Files and texts of a form, which OpenAPI describes as one body: a part of one name is one of either."""
        _refuse_repeated(req.files, req.form)
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
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def _refuse_repeated(*given: MultiDict[str, Any]) -> None:
    """Raises PayloadError for a field that has several values: all but one would be dropped silently."""
    counted = Counter(name for fields in given for name, _ in fields.items(multi=True))
    if repeated := {name: ["Given more than once; give one value."] for name, count in counted.items() if count > 1}:
        raise PayloadError(INVALID, errors=repeated)


class Resource(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint of the API."""

    ARGUMENTS_PARSER = PayloadParser()

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """A path with a slash at its end is the same path: people and tools write either."""
        super().add_url_rule(rule, *args, **{"strict_slashes": False, **options})

    def arguments(self, schema: Any, **options: Any) -> Callable[[View], View]:
        """As flask-smorest's, with one instance of the schema for all requests."""
        made = schema() if isinstance(schema, type) else schema
        return cast(Callable[[View], View], super().arguments(made, **options))

    def fails(self, *statuses: int) -> Callable[[View], View]:
        """Document the failures of a view, beside the 400 that every payload can end in."""

        def decorate(view: Any) -> Any:
            for status in statuses:  # the document is all that is wanted: not one more function around the view
                view._apidoc = self.alt_response(status, HTTPStatus(status).name)(view)._apidoc
            return view

        return decorate


def runtime() -> Runtime:
    """The process-wide state of the application that serves this request."""
    return cast(Runtime, current_app.extensions["sqlchat"])


def answer(body: dict[str, Any], status: int = 200) -> Response:
    """A JSON answer; values may hold orjson.Fragment, so rows are written once."""
    return Response(orjson.dumps(body), status, mimetype="application/json")
