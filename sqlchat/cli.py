"""Defines the commands of `flask --app wsgi`: local tokens, migrations, the demo database, evaluations, feedback."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from sqlchat.errors import SqlchatError
from sqlchat.evaluation.cases import collect_cases, read_cases
from sqlchat.evaluation.replay import Replay
from sqlchat.evaluation.report import write_json, write_table
from sqlchat.evaluation.run import Evaluation
from sqlchat.runtime import LOCAL_OWNER, Runtime
from sqlchat.tokens import mint_token

db = AppGroup("db", help="The service's own store.")


def init_app(app: Flask) -> None:
    """Add the commands to `app`."""
    for command in (token, db, demo, evaluate, export_feedback):
        app.cli.add_command(command)


@click.command()
@click.option("--email", required=True, help="Address of the user whom the token is for.")
@click.option("--sub", type=click.UUID, help="Id of that user; by default it follows from the address.")
@with_appcontext
def token(email: str, sub: uuid.UUID | None) -> None:
    """Print a token for the Authorization header."""
    with _use_runtime() as runtime:
        click.echo(mint_token(runtime.settings, email, str(sub) if sub else None))


@db.command()
def upgrade() -> None:
    """Bring the store's tables to the newest revision."""
    with _use_runtime() as runtime:
        runtime.store.upgrade()
    click.echo("The store is up to date.")


@db.command()
def reencrypt() -> None:
    """Encrypt all stored credentials with the newest of SQLCHAT_SECRET_KEY, so that older keys can be dropped."""
    with _use_runtime() as runtime:
        number = runtime.store.connections.reencrypt()
    click.echo(f"Connections encrypted with the newest key: {number}.")


@click.command()
@with_appcontext
def demo() -> None:
    """Write the demo database anew, and bring its connection back if it was deleted."""
    with _use_runtime() as runtime:
        runtime.build_demo()
    click.echo("The demo database is as new.")


FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("eval")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--connection", required=True, help="Name of the connection; {db} in it stands for a question's `db`.")
@click.option("--owner", default=LOCAL_OWNER, help="Whose connection it is: the `sub` of their tokens.")
@click.option("--provider", help="Who answers; by default the first that is configured.")
@click.option("--prompts-to", type=FOLDER, help="Write the prompts to this folder and ask no model.")
@click.option(
    "--answers-from",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the answers from this folder: the file named by a prompt's SHA-256 holds the model's raw text.",
)
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it there as JSON.")
@with_appcontext
def evaluate(
    *,
    file: Path,
    connection: str,
    owner: str,
    provider: str | None,
    prompts_to: Path | None,
    answers_from: Path | None,
    out: Path | None,
) -> None:
    """Ask the questions in FILE and compare the rows with those of their gold SQL.

    FILE holds a JSON object a line: `question`, `gold_sql`, and where they help `id`, `db`, `notes` on the question
    (or `instructions`, or `evidence`), `gold_alternatives` (more SQL whose rows are right) and `answerable` (false
    where a refusal is the right answer).
    """
    if provider and (prompts_to or answers_from):
        raise click.UsageError("--provider asks a model; --prompts-to and --answers-from ask none. Choose one.")
    if prompts_to and answers_from and prompts_to.resolve() == answers_from.resolve():
        raise click.UsageError("--prompts-to and --answers-from need a folder each.")
    with _use_runtime() as runtime:
        cases = read_cases(file)
        replay = Replay(answers_from, prompts_to) if prompts_to or answers_from else None
        evaluation = Evaluation(runtime, connection, owner=owner, provider=replay or provider)
        evaluation.check(cases)
        with click.progressbar(cases, file=sys.stderr) as bar:
            outcomes = [evaluation.judge(case) for case in bar]
    name = evaluation.provider.name
    click.echo(write_table(outcomes, name))
    if out:
        out.write_bytes(write_json(outcomes, name))


@click.command("feedback")
@click.option("--connection", required=True, help="Name of the connection.")
@click.option("--owner", default=LOCAL_OWNER, help="Whose feedback it is: the `sub` of their tokens.")
@with_appcontext
def export_feedback(*, connection: str, owner: str) -> None:
    """Print the answers that people found good, or corrected, as questions for `flask eval`."""
    with _use_runtime() as runtime:
        cases, left_out = collect_cases(runtime.store, owner, connection)
    for case in cases:
        click.echo(json.dumps(case, ensure_ascii=False))
    click.echo(
        f"Questions: {len(cases)}; left out, without SQL that is right or as follow-ups: {left_out}.", err=True
    )


@contextmanager
def _use_runtime() -> Iterator[Runtime]:
    """Yield the app's runtime and close it afterwards. A SqlchatError ends the command with its `detail`."""
    runtime: Runtime = current_app.extensions["sqlchat"]
    try:
        yield runtime
    except SqlchatError as exc:
        raise click.ClickException(exc.detail) from exc
    finally:
        runtime.close()
