"""What safety costs: the guard's judgement, the hop into a worker process, and a whole request."""

import sqlite3
import statistics
import time
from pathlib import Path

import orjson
import pytest

from sqlchat.app import create_app
from sqlchat.config import Settings
from sqlchat.connections.sqlite.connection import SQLiteConnection
from sqlchat.sql.guard import check
from sqlchat.workers import Workers

CORPUS = Path(__file__).parents[1] / "sql" / "corpus"
QUERIES = {
    "one row": "SELECT count(*) FROM numbers",
    "1,000 rows": "SELECT id, name, amount FROM numbers LIMIT 1000",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(data_dir=tmp_path_factory.mktemp("benchmark"))


@pytest.fixture(scope="module")
def database(settings):
    """10,000 rows."""
    path = settings.data_dir / "numbers.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE numbers (id INTEGER PRIMARY KEY, name TEXT, amount REAL)")
    rows = ((number, f"name {number}", number / 7) for number in range(10_000))
    connection.executemany("INSERT INTO numbers VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return path


@pytest.fixture(scope="module")
def workers():
    pool = Workers(1, 1024)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def client(settings, database):
    app = create_app(settings)
    client = app.test_client()
    body = {"provider": "sqlite", "name": "numbers", "config": {"database": database.name}}
    assert client.post("/api/connections", json=body).status_code == 201
    yield client
    app.extensions["sqlchat"].close()


def test_guard(benchmark, tell):
    """Over all honest queries of the tests' corpus, warm."""
    queries = [
        (path.name.split(".")[0], text)
        for path in sorted(CORPUS.glob("*.honest.sql"))
        for text in path.read_text().split("\n\n")
    ]

    def judge():
        spent = []
        for dialect, text in queries:
            start = time.perf_counter()
            check(text.strip("\n"), dialect)
            spent.append((time.perf_counter() - start) * 1000)
        return spent

    spent = benchmark.pedantic(judge, rounds=5, warmup_rounds=1)
    cuts = statistics.quantiles(spent, n=20)
    tell(
        f"guard, {len(queries)} honest queries: p50 {cuts[9]:.2f} ms, p95 {cuts[18]:.2f} ms, most {max(spent):.2f} ms"
    )


@pytest.mark.parametrize("rows", QUERIES)
@pytest.mark.parametrize("place", ["in process", "in a worker"])
def test_worker_hop(benchmark, settings, database, workers, rows, place):
    """The same query to the same JSON: by the connection in its worker, and by sqlite3 here."""
    benchmark.group = f"SQLite, {rows}"
    connection = SQLiteConnection({"database": database.name}, settings, workers)

    def here():
        with sqlite3.connect(database) as opened:
            answer = orjson.dumps(opened.execute(QUERIES[rows]).fetchall())
        opened.close()
        return answer

    def there():
        return connection.run(QUERIES[rows], max_rows=1000, timeout=30).rows

    assert orjson.loads(here()) == orjson.loads(there())
    benchmark(here if place == "in process" else there)


@pytest.mark.parametrize("rows", QUERIES)
def test_execute(benchmark, client, rows):
    """The whole request, by a client that needs no socket: token, guard, worker, JSON."""
    benchmark.group = f"SQLite, {rows}"
    body = {"connection_id": "numbers", "sql": QUERIES[rows]}
    answer = benchmark(client.post, "/api/execute", json=body)
    assert answer.status_code == 200
