"""Postgres: rows beside a plain fetchall and a bare COPY, the catalog and the profiles beside other ways to them."""

import contextlib
import io
import resource
import time

import orjson
import psycopg2
import pytest
import sqlalchemy

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.workers import Workers

TABLES = 5000
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


@pytest.fixture
def many_tables(plain):
    """TABLES tables of 20 columns, each with some rows and the server's statistics of them."""
    columns = ", ".join([f"n{n} int" for n in range(7)] + [f"t{n} text" for n in range(7)] + ["day date"])
    row = (
        "1, 1, n % 3, 'in euros', "
        + "n, " * 7
        + "'a' || n % 5, 'name ' || n, "
        + "'c', " * 5
        + "date '2024-01-01' + n"
    )
    with plain.cursor() as cursor:
        for number in range(TABLES):
            refers = f"REFERENCES t{number - 1}" if number else ""
            made = f"id int, few int, kind int, note text, {columns}"
            cursor.execute(f"CREATE TABLE t{number} ({made}) WITH (autovacuum_enabled = false)")
            cursor.execute(f"INSERT INTO t{number} SELECT {row} FROM generate_series(1, 20) n")
            cursor.execute(f"COMMENT ON COLUMN t{number}.note IS 'in euros'")
            cursor.execute(f"ALTER TABLE t{number} ADD COLUMN key int PRIMARY KEY GENERATED ALWAYS AS IDENTITY")
            if number:
                cursor.execute(f"ALTER TABLE t{number} ADD FOREIGN KEY (kind) {refers} (key) NOT VALID")
            if number % 100 == 99:
                plain.commit()  # locks are held to a transaction's end, and a server has so many
    plain.autocommit = True
    with plain.cursor() as cursor:
        cursor.execute("ANALYZE")
    plain.autocommit = False


@pytest.mark.usefixtures("many_tables")
def test_catalog_and_profiles(benchmark, connection, plain, postgres_database, tell):
    """Each beside another way to the same knowledge, in seconds and as a ratio, and the memory that they take."""
    engine = sqlalchemy.create_engine(sqlalchemy.URL.create("postgresql+psycopg2", **_sqlalchemy(postgres_database)))

    def inspect():
        inspector = sqlalchemy.inspect(engine)
        inspector.get_multi_pk_constraint()
        inspector.get_multi_foreign_keys()
        return inspector.get_multi_columns()

    def statistics():
        with plain, plain.cursor() as cursor:
            cursor.execute("SELECT * FROM pg_stats WHERE schemaname = 'public'")
            return cursor.fetchall()

    def spent(way):
        start = time.perf_counter()
        made = way()
        return made, time.perf_counter() - start

    before = _peak()
    catalog, own = spent(connection.catalog)
    profiles, profiling = spent(lambda: connection.profiles(catalog, 60.0))
    bounded, part = spent(lambda: connection.profiles(catalog, 5.0))
    grown = _peak() - before
    inspected, theirs = spent(inspect)
    rows, plainly = spent(statistics)
    assert len(catalog.tables) == len(inspected) == TABLES
    assert len(profiles) == TABLES * 20
    assert len(rows) == len(profiles)
    benchmark.pedantic(connection.catalog, rounds=3)
    tell(f"catalog of {TABLES:,} tables: {own:.2f} s ({own / theirs:.2f} x SQLAlchemy's inspector)")
    tell(f"profiles of {len(profiles):,} columns: {profiling:.2f} s ({profiling / plainly:.2f} x a plain pg_stats)")
    tell(f"in 5 s: {len(bounded):,} columns after {part:.2f} s; both grew the process by {grown:.0f} MiB")
    engine.dispose()


def _peak():
    """The highest that this process' memory ever was, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _sqlalchemy(config):
    return {"username" if key == "user" else key: value for key, value in config.items()}
