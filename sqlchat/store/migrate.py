"""Runs the migrations. Imports Alembic only if there is a migration to run."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, select
from sqlalchemy.schema import CreateSchema

from sqlchat.store.tables import HEAD, SCHEMA, alembic_version

FOLDER = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Migrate the tables to the newest revision, within the transaction of `connection`."""
    if is_current(connection):
        return
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_current(connection: Connection) -> bool:
    """Whether the tables are at the newest revision, or at one of a newer release."""
    schema = None if connection.dialect.name == "sqlite" else SCHEMA
    if not inspect(connection).has_table("alembic_version", schema=schema):
        return False
    revision = connection.scalar(select(alembic_version.c.version_num))
    return revision == HEAD or (revision is not None and revision not in _list_revisions())


def _list_revisions() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions())
