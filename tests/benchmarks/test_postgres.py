"""Postgres: rows as COPY streams them beside a plain fetchall, and the catalog beside SQLAlchemy's."""

import contextlib
import io

import orjson
import psycopg2
import pytest
import sqlalchemy

from sqlchat.config import Settings
from sqlchat.connections.postgres import PostgresConnection
from sqlchat.workers import Workers

TABLES = 1000
QUERY = """
SELECT n AS id, 'name ' || n AS name, n / 7.0 AS amount, n % 2 = 0 AS paid, date '2024-01-01' + n % 365 AS day,
       n::float8 AS score
FROM generate_series(1, {}) AS n"""


@pytest.fixture
def connection(postgres_database, tmp_path):
    opened = PostgresConnection(postgres_database, Settings(data_dir=tmp_path, max_result_mb=256), Workers(1, 1024))
    yield opened
    opened.close()


@pytest.fixture
def plain(postgres_database):
    fields = dict(postgres_database)
    with contextlib.closing(psycopg2.connect(dbname=fields.pop("database"), **fields)) as opened:
        yield opened


@pytest.mark.parametrize("rows", [1000, 100_000])
@pytest.mark.parametrize("way", ["as CSV", "decoded", "fetchall", "bare COPY"])
def test_rows(benchmark, connection, plain, rows, way):
    """To JSON: as the connection does it, as it does where a column (here json) must be decoded, and with fetchall.

    The connection also keeps the statement read-only and bounded; fetchall and COPY do nothing of the kind.
    """
    benchmark.group = f"Postgres, {rows:,} rows of six columns"
    query = QUERY.format(rows)

    def run(query=query):
        return connection.run(query, max_rows=rows, timeout=60).rows

    def decoded():
        return run(f"SELECT id, name, amount, paid, day, to_json(score) FROM ({query}) AS q")

    def fetchall():
        with plain, plain.cursor() as cursor:
            cursor.execute(query)
            return orjson.dumps(cursor.fetchall(), default=str)

    def copy():
        with plain, plain.cursor() as cursor:
            cursor.copy_expert(f"COPY ({query}) TO STDOUT", io.BytesIO())

    ways = {"as CSV": run, "decoded": decoded, "fetchall": fetchall, "bare COPY": copy}
    assert len(orjson.loads(run())) == len(orjson.loads(decoded())) == len(orjson.loads(fetchall())) == rows
    benchmark.pedantic(ways[way], rounds=5 if rows > 1000 else 50, warmup_rounds=1)


@pytest.mark.parametrize("way", ["connection.catalog", "SQLAlchemy's inspector"])
def test_catalog(benchmark, connection, plain, postgres_database, way):
    benchmark.group = f"Postgres, catalog of {TABLES:,} tables"
    with plain, plain.cursor() as cursor:
        for number in range(TABLES):
            refers = f"REFERENCES t{number - 1}" if number else ""
            columns = f"id int PRIMARY KEY, parent int {refers}, name text NOT NULL, amount numeric(12, 2)"
            cursor.execute(f"CREATE TABLE t{number} ({columns}); COMMENT ON COLUMN t{number}.amount IS 'in euros'")
            if number % 100 == 99:
                plain.commit()  # locks are held to a transaction's end, and a server has so many
    engine = sqlalchemy.create_engine(sqlalchemy.URL.create("postgresql+psycopg2", **_sqlalchemy(postgres_database)))

    def inspect():
        inspector = sqlalchemy.inspect(engine)
        inspector.get_multi_pk_constraint()
        inspector.get_multi_foreign_keys()
        return inspector.get_multi_columns()

    assert len(connection.catalog().tables) == len(inspect()) == TABLES
    benchmark.pedantic(connection.catalog if way == "connection.catalog" else inspect, rounds=5)
    engine.dispose()


def _sqlalchemy(config):
    return {"username" if key == "user" else key: value for key, value in config.items()}
