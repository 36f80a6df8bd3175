"""Builds the Flask application: `create_app` is the only constructor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from werkzeug.routing import MapAdapter

from sqlchat import cli, logs
from sqlchat.api import (
    auth,
    chat,
    connections,
    docs,
    execute,
    files,
    health,
    history,
    knowledge,
    lineage,
    mcp,
    metrics,
    page,
    problems,
    providers,
    requests,
    security,
    semantic,
    settings,
)
from sqlchat.config import Settings
from sqlchat.connections.lru_cache import LruCache
from sqlchat.runtime import Runtime

BLUEPRINTS = tuple(
    module.blueprint
    for module in (
        health,
        providers,
        chat,
        execute,
        connections,
        knowledge,
        semantic,
        files,
        lineage,
        history,
        auth,
        settings,
    )
)


HOST_VARIABLES = ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME", "wsgi.url_scheme")
"""The variables of a request on which its host and scheme depend."""
MOST_HOSTS = 100


class App(Flask):
    """A Flask application whose views and hooks are plain functions, never coroutines."""

    def __init__(self, name: str) -> None:
        super().__init__(name, static_folder=None)
        self._hosts: LruCache[tuple[MapAdapter, str]] = LruCache(MOST_HOSTS, MOST_HOSTS * 1000)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Do as Flask does, but check each host once: its clients send the same one again and again."""
        if request is None or "HTTP_UPGRADE" in request.environ:
            return super().create_url_adapter(request)
        environ = request.environ
        key = tuple(map(environ.get, HOST_VARIABLES))
        known = self._hosts.get(key)
        if known is None:
            bound = super().create_url_adapter(request)
            assert bound is not None
            known = bound, request.host
            self._hosts.put(key, known)
        bound, request.host = known
        request.trusted_hosts = self.config["TRUSTED_HOSTS"]
        adapter = object.__new__(MapAdapter)
        vars(adapter).update(vars(bound))
        adapter.path_info, adapter.query_args = (
            _read_variable(environ.get(name, "")) for name in ("PATH_INFO", "QUERY_STRING")
        )
        adapter.default_method = environ["REQUEST_METHOD"]
        return adapter

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` unchanged; Flask checks each function of each request for being a coroutine."""
        return func


def _read_variable(text: str) -> str:
    return text.encode("latin1").decode(errors="replace")  # as WSGI has it


def create_app(config: Settings | None = None) -> Flask:
    """Build the application from `config`, or from the environment. Raises ConfigError if settings are wrong."""
    config = config or Settings.from_environ()
    logs.configure(config)
    app = App("sqlchat")
    app.extensions["sqlchat"] = Runtime(config)
    if not config.auth_configured and not config.open_data_routes:
        # Without tokens, a web page must not reach this service under the page's own host name (DNS rebinding).
        app.config["TRUSTED_HOSTS"] = security.LOCAL_HOSTS
    requests.init_app(app, config.trusted_proxies)
    problems.init_app(app)
    security.init_app(app)
    docs.init_app(app, BLUEPRINTS)
    app.register_blueprint(mcp.blueprint)
    app.register_blueprint(metrics.blueprint)
    if config.page:
        app.register_blueprint(page.blueprint)
    else:
        app.add_url_rule("/", "index", docs.to_docs)
    cli.init_app(app)
    return app
