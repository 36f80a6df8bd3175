"""The command line, `flask --app wsgi ...`: tokens for local use, the store's migrations, the demo database."""

from __future__ import annotations

import uuid

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from sqlchat.errors import SqlchatError
from sqlchat.runtime import Runtime
from sqlchat.tokens import mint

db = AppGroup("db", help="The service's own store.")


def init_app(app: Flask) -> None:
    """Add the commands to `app`."""
    for command in (token, db, demo):
        app.cli.add_command(command)


@click.command()
@click.option("--email", required=True, help="Address of the user whom the token is for.")
@click.option("--sub", type=click.UUID, help="Id of that user; by default it follows from the address.")
@with_appcontext
def token(email: str, sub: uuid.UUID | None) -> None:
    """Print a token for the Authorization header."""
    click.echo(mint(_runtime().settings, email, str(sub) if sub else None))


@db.command()
def upgrade() -> None:
    """Bring the store's tables to the newest revision."""
    try:
        _runtime().store.upgrade()
    except SqlchatError as exc:
        raise click.ClickException(exc.detail) from exc
    click.echo("The store is up to date.")


@db.command()
def reencrypt() -> None:
    """Encrypt all stored credentials with the newest of SQLCHAT_SECRET_KEY, so that older keys can be dropped."""
    try:
        number = _runtime().store.connections.reencrypt()
    except SqlchatError as exc:
        raise click.ClickException(exc.detail) from exc
    click.echo(f"Connections encrypted with the newest key: {number}.")


@click.command()
@with_appcontext
def demo() -> None:
    """Write the demo database anew."""
    _runtime().build_demo()
    click.echo("The demo database is as new.")


def _runtime() -> Runtime:
    runtime: Runtime = current_app.extensions["sqlchat"]
    return runtime
