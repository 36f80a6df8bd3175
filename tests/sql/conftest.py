"""What the tests of the guard share."""

from pathlib import Path

import psycopg2
import pytest

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.workers import Workers

CORPUS = Path(__file__).parent / "corpus"


@pytest.fixture(scope="session")
def connect_catalog():
    """Of a Postgres' config: its catalog."""

    def read(config):
        connection = PostgresConnection(config, Settings(), Workers(1, 1024))
        try:
            return connection.catalog()
        finally:
            connection.close()

    return read


@pytest.fixture(scope="session")
def postgres_catalog(postgres_server, connect_catalog):
    """The catalog of a Postgres that holds the corpus' tables."""
    config = postgres_server.fresh()
    dsn = {"dbname": config["database"]} | {k: v for k, v in config.items() if k != "database"}
    raw = psycopg2.connect(**dsn)
    with raw, raw.cursor() as cursor:
        cursor.execute((CORPUS / "postgres.setup.sql").read_text())
    raw.close()
    yield connect_catalog(config)
    postgres_server.drop(config)
