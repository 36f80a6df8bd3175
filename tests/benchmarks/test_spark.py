"""Spark, by Sail: what guard, wrapping and conversion add to a query, beside the bare client; and a large catalog."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from sqlchat.config import Settings
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.spark.connection import SparkConnection
from sqlchat.workers import Workers

QUERIES = {
    "1 row": "SELECT 1 AS n, 'a' AS t",
    "10,000 rows": "SELECT id, concat('name ', id) AS name, CAST(id AS DECIMAL(12, 2)) / 7 AS amount, "
    "DATE '2024-01-01' AS day FROM range(10000)",
    "10 million rows aggregated": "SELECT id % 100 AS k, count(*) AS n, sum(id) AS s, avg(sqrt(id)) AS a "
    "FROM range(10000000) GROUP BY 1 ORDER BY 1",
}
TABLES = 5_000


@pytest.fixture(scope="module")
def workers():
    pool = Workers(1, 1024)
    yield pool
    pool.close()


@pytest.mark.filterwarnings("ignore")  # of the client's, about pandas
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("way", ["examined and run", "the bare client's rows", "the bare client's Arrow"])
def test_query(benchmark, sail, workers, query, way):
    benchmark.group = f"Spark, {query}"
    sql = QUERIES[query]
    with contextlib.ExitStack() as stack:
        if way == "examined and run":
            opened = OpenConnection(SparkConnection(sail.config, Settings(), None), Settings(), workers)
            assert opened.catalog.dialect == "spark"

            def run():
                return opened.run(opened.examine(sql), max_rows=10_000).row_count
        else:
            from pyspark.sql import SparkSession

            session = SparkSession.builder.remote(f"sc://127.0.0.1:{sail.port}").create()
            stack.callback(session.stop)

            def run():
                frame = session.sql(sql)
                return len(frame.collect() if "rows" in way else frame.toArrow())

        assert run() == {"1 row": 1, "10,000 rows": 10_000}.get(query, 100)
        benchmark.pedantic(run, rounds=20, warmup_rounds=3)


def test_catalog(benchmark, sail):
    benchmark.group = f"Spark, a catalog of {TABLES:,} tables"
    session = sail.open(user="large")
    columns = ", ".join(f"c{number} INT" for number in range(10))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: session.command(f"CREATE TABLE t{n} ({columns}) USING parquet"), range(TABLES)))
    config = sail.config | {"user": "large", "session_id": session.id}
    connection = SparkConnection(config, Settings(), None)
    catalog = benchmark.pedantic(connection.catalog, rounds=2)
    assert len(catalog.tables) == TABLES
    connection.close()
    session.close()
