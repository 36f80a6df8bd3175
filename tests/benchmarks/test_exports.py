"""A million rows of six columns over HTTP, beside a bare COPY to /dev/null; and what memory the web process takes."""

import contextlib
import json
import re
import subprocess
import time
from pathlib import Path

import psycopg2
import pytest
from deployed import Service

ROWS = 1_000_000
TABLE = f"""
CREATE TABLE sold AS SELECT n AS id, 'name ' || n AS name, (n / 7.0)::numeric(12,2) AS amount, n % 2 = 0 AS paid,
    date '2024-01-01' + n % 365 AS day, n::float8 AS score FROM generate_series(1, {ROWS}) AS n"""
QUERY = "SELECT id, name, amount, paid, day, score FROM sold"
FORMATS = {
    "CSV": "text/csv",
    "NDJSON": "application/x-ndjson",
    "Arrow": "application/vnd.apache.arrow.stream",
    "Parquet": "application/vnd.apache.parquet",
}


@pytest.fixture(scope="module")
def database(postgres_server):
    config = postgres_server.fresh()
    fields = dict(config)
    with contextlib.closing(psycopg2.connect(dbname=fields.pop("database"), **fields)) as raw:
        raw.autocommit = True
        with raw.cursor() as cursor:
            cursor.execute(TABLE)
            cursor.execute("VACUUM ANALYZE sold")
        yield config, raw
    postgres_server.drop(config)


@pytest.fixture
def service(database, tmp_path):
    """A service of its own for each format: its first export counts too."""
    with Service(tmp_path, WEB_CONCURRENCY="1") as running:
        body = {"provider": "postgres", "name": "pg", "config": database[0]}
        assert running.call("POST", "/api/connections", body)[0] == 201
        for _ in range(3):
            fetch(running, "application/json", rows=1_000)
        yield running


def peak(service):
    """MiB that the web process had at most so far."""
    (worker,) = service.workers()
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{worker}/status").read_text())[1]) / 1024


def fetch(service, accept, rows=ROWS, path="/dev/null"):
    """Seconds until curl had it all, and its bytes."""
    body = json.dumps({"connection_id": "pg", "sql": QUERY, "max_rows": rows})
    command = ["curl", "-sS", "-f", "-o", path, "-w", "%{size_download}", "-d", body, f"{service.url}/api/execute"]
    command += ["-H", "Content-Type: application/json", "-H", f"Accept: {accept}"]
    started = time.perf_counter()
    size = int(subprocess.run(command, check=True, capture_output=True, timeout=300).stdout)
    return time.perf_counter() - started, size


def copy(raw):
    with Path("/dev/null").open("wb") as nothing, raw.cursor() as cursor:
        started = time.perf_counter()
        cursor.copy_expert(f"COPY ({QUERY}) TO STDOUT", nothing)
        return time.perf_counter() - started


@pytest.mark.parametrize("name", FORMATS)
def test_a_million_rows(service, database, tell, name):
    before = peak(service)
    fetch(service, FORMATS[name], rows=20_000)
    bare = min(copy(database[1]) for _ in range(3))
    seconds, size = min(fetch(service, FORMATS[name]) for _ in range(3))
    tell(
        f"{name}: {ROWS:,} rows, {size >> 20} MiB, {seconds:.2f} s, {seconds / bare:.2f} x a bare COPY "
        f"({bare:.2f} s), +{peak(service) - before:.0f} MiB in the web process"
    )
    assert size > ROWS
