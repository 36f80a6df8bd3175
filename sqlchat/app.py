"""Builds the Flask application: `create_app` is the only constructor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

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


class App(Flask):
    """A Flask application whose views and hooks are plain functions, never coroutines."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` unchanged; Flask checks each function of each request for being a coroutine."""
        return func


def create_app(config: Settings | None = None) -> Flask:
    """Build the application from `config`, or from the environment. Raises ConfigError if settings are wrong."""
    config = config or Settings.from_environ()
    logs.configure(config)
    app = App("sqlchat", static_folder=None)
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
