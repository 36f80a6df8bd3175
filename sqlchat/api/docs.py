"""Serves OpenAPI 3.1 of all blueprints at /api/openapi.json, and Swagger UI at /docs from packaged assets."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import flask_smorest
from flask import Flask, redirect, request
from flask_smorest.utils import prepare_response
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug import Response

from sqlchat.api.problems import MEDIA_TYPE
from sqlchat.api.resource import answer, runtime
from sqlchat.schemas.connections import CONNECT_LOCALLY_EXAMPLE
from sqlchat.schemas.problems import ProblemSchema

DESCRIPTION = """A question in plain language becomes SQL, runs read-only on your own database, and the answer shows
what it rests on. Errors are RFC 9457 problem bodies with a stable `code`."""


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest's Api that documents our error bodies, which `problems` writes."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        pass

    def _openapi_json(self) -> Response:
        """Answer with the description for this deployment: tools that import it then need only a token."""
        return answer(describe_deployment(self.spec.to_dict()))

    def _register_responses(self) -> None:
        names = {status.name: status.phrase for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST}
        for name, phrase in (names | {self.DEFAULT_ERROR_RESPONSE_NAME: "Any other failure"}).items():
            response = {"description": phrase, "schema": self.ERROR_SCHEMA}
            prepare_response(response, self.spec, MEDIA_TYPE)
            self.spec.components.response(name, response, lazy=True)


def init_app(app: Flask, blueprints: tuple[flask_smorest.Blueprint, ...]) -> None:
    """Register the blueprints with the application and its documentation."""
    app.config.update(
        API_TITLE="sqlchat",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    app.json.sort_keys = False  # type: ignore[attr-defined] # keys keep the order of the schemas
    api = Api(app, spec_kwargs={"info": {"description": DESCRIPTION}, "servers": [{"url": "/"}]})
    bearer: dict[str, Any] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    bearer["description"] = (
        "A Supabase JWT, or in local mode one from `flask --app wsgi token --email you@example.com`."
    )
    api.spec.components.security_scheme("bearer", bearer)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    ui = get_swaggerui_blueprint("/docs", "/api/openapi.json", {"app_name": "sqlchat", "validatorUrl": "none"})
    app.register_blueprint(ui)


def describe_deployment(spec: dict[str, Any]) -> dict[str, Any]:
    """Return `spec` with the token rules of this deployment and, in local mode, with the request's own address."""
    settings = runtime().settings
    is_local = not settings.auth_configured
    optional: list[dict[str, list[str]]] = [{}, {"bearer": []}]  # tools take the first
    if not (is_local or settings.open_data_routes):
        optional = [{"bearer": []}]
    paths = {
        path: {
            verb: {**part, "security": optional} if verb != "parameters" and {} in part.get("security", ()) else part
            for verb, part in item.items()
        }
        for path, item in spec["paths"].items()
    }
    if is_local:  # a collection of the examples connects to the demo database, which exists
        body = paths["/api/connections"]["post"]["requestBody"]
        content = body["content"]["application/json"] | {"example": CONNECT_LOCALLY_EXAMPLE}
        paths["/api/connections"]["post"]["requestBody"] = body | {"content": {"application/json": content}}
    servers = [{"url": request.host_url.rstrip("/")}] if is_local else spec["servers"]
    return {**spec, "servers": servers, "paths": paths}


def to_docs() -> Response:
    """Redirect to the documentation, if the page is turned off."""
    return redirect("/docs/")
