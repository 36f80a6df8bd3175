"""What the tests of several databases share."""

import contextlib

import psycopg2
import pytest

from sqlchat.config import Settings
from sqlchat.connections.postgres import PostgresConnection
from sqlchat.workers import Workers


@pytest.fixture
def postgres(postgres_database):
    """A Postgres connection to a fresh database, whose results are bounded to 1 MiB."""
    connection = PostgresConnection(
        postgres_database, Settings(max_result_mb=1, pool_size=2, pool_timeout=0.3), Workers(1, 1024)
    )
    yield connection
    connection.close()


@pytest.fixture
def execute(postgres_database):
    """Runs statements as the fresh database's owner, each committed at once."""
    fields = dict(postgres_database)
    with contextlib.closing(psycopg2.connect(dbname=fields.pop("database"), **fields)) as raw:
        raw.autocommit = True

        def run(statement):
            with raw.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

        yield run
