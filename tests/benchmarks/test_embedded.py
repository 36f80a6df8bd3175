"""SQLite and DuckDB: what opening a database for each statement costs, beside one that is kept open."""

import contextlib
import sqlite3

import duckdb
import pytest

from sqlchat.config import Settings
from sqlchat.connections.duckdb.connection import DuckDBConnection
from sqlchat.connections.sqlite.connection import SQLiteConnection
from sqlchat.workers import Workers

ROWS = "SELECT range AS id, 'name ' || range AS name, range / 7.0 AS amount FROM range(10000)"
QUERY = "SELECT count(*) FROM numbers"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(data_dir=tmp_path_factory.mktemp("benchmark"))


@pytest.fixture(scope="module")
def workers():
    pool = Workers(1, 2048)
    yield pool
    pool.close()


@pytest.mark.parametrize("way", ["connection.run", "opened for it", "kept open", "an empty one opened"])
def test_duckdb(benchmark, settings, workers, way):
    """An empty instance in memory tells what making one costs without a file."""
    benchmark.group = "DuckDB, one row"
    path = settings.data_dir / "numbers.duckdb"
    with duckdb.connect(path) as writer:
        writer.execute(f"CREATE OR REPLACE TABLE numbers AS {ROWS}")
    connection = DuckDBConnection({"database": path.name}, settings, workers)

    def opened():
        with duckdb.connect(path, read_only=True) as reader:
            return reader.execute(QUERY).fetchall()

    assert connection.run(QUERY, max_rows=1, timeout=9).rows == b"[[10000]]"
    assert opened() == [(10000,)]
    with duckdb.connect(path, read_only=True) if way == "kept open" else contextlib.nullcontext() as kept:
        ways = {
            "connection.run": lambda: connection.run(QUERY, max_rows=1, timeout=9),
            "opened for it": opened,
            "kept open": lambda: kept.execute(QUERY).fetchall(),
            "an empty one opened": lambda: duckdb.connect().close(),
        }
        benchmark.pedantic(ways[way], rounds=30, warmup_rounds=2)


@pytest.mark.parametrize("way", ["connection.run", "opened for it", "kept open", "a worker's hop"])
def test_sqlite(benchmark, settings, workers, way):
    benchmark.group = "SQLite, one row"
    path = settings.data_dir / "numbers.sqlite"
    with duckdb.connect() as source:
        rows = source.execute(ROWS).fetchall()
    with contextlib.closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE IF NOT EXISTS numbers (id INTEGER PRIMARY KEY, name TEXT, amount REAL)")
        writer.executemany("INSERT OR IGNORE INTO numbers VALUES (?, ?, ?)", rows)
        writer.commit()
    connection = SQLiteConnection({"database": path.name}, settings, workers)

    def opened():
        with contextlib.closing(sqlite3.connect(path)) as reader:
            return reader.execute(QUERY).fetchall()

    assert connection.run(QUERY, max_rows=1, timeout=9).rows == b"[[10000]]"
    assert opened() == [(10000,)]
    with contextlib.closing(sqlite3.connect(path)) as kept:
        ways = {
            "connection.run": lambda: connection.run(QUERY, max_rows=1, timeout=9),
            "opened for it": opened,
            "kept open": lambda: kept.execute(QUERY).fetchall(),
            "a worker's hop": lambda: workers.call(abs, -1, deadline=9),
        }
        benchmark.pedantic(ways[way], rounds=200, warmup_rounds=2)
