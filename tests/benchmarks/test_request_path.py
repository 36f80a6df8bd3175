"""The whole request over sockets, beside the least that Flask and psycopg2 can do, in the same run and by turns.

Needs wrk on the PATH, which puts 16 callers to two gunicorn workers of each. Datasette (from SQLite) and ROAPI (from
memory) answer the same if they are on the PATH too: `pip install datasette roapi` into an environment of their own.
Ratios are of medians over the rounds; `SQLCHAT_BENCHMARK_ROUNDS` says how many, of three seconds each.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import time
import urllib.parse

import pandas as pd
import pytest
from deployed import BIN, Service
from ports import free_port

CALLERS, SECONDS = 16, 3
ROUNDS = int(os.environ.get("SQLCHAT_BENCHMARK_ROUNDS", "5"))
ROWS = 1000
QUERIES = {"one row": "SELECT 1", "1,000 rows": "SELECT i, name, amount, at, ok, note FROM wide ORDER BY i"}
TABLE = f"""CREATE TABLE wide AS SELECT i, 'name ' || i AS name, (i * 1.37)::numeric(12, 2) AS amount,
timestamp '2026-01-01' + i * interval '1 minute' AS at, i % 3 = 0 AS ok,
CASE WHEN i % 5 > 0 THEN repeat('x', i % 40) END AS note FROM generate_series(1, {ROWS}) i;
GRANT SELECT ON wide TO PUBLIC"""
MINIMAL = """
import os, threading
import orjson, psycopg2
from flask import Flask, Response, request

app, local = Flask(__name__), threading.local()

@app.post("/execute")
def execute():
    if not hasattr(local, "connection"):
        local.connection = psycopg2.connect(os.environ["DSN"])
        local.connection.autocommit = True
    with local.connection.cursor() as cursor:
        cursor.execute(request.get_json()["sql"])
        columns = [column[0] for column in cursor.description]
        body = {"results": {"columns": columns, "rows": cursor.fetchall()}}
    return Response(orjson.dumps(body, default=str), mimetype="application/json")
"""
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = %s
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("told %%f %%f %%f %%d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, errors.status + errors.read + errors.timeout))
end
"""

pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk")


@pytest.fixture(scope="module")
def database(postgres_server):
    config = postgres_server.fresh()
    postgres_server.execute(TABLE, config["database"])
    yield config
    postgres_server.drop(config)


@pytest.fixture(scope="module")
def ours(tmp_path_factory, database):
    with Service(tmp_path_factory.mktemp("benchmark")) as service:
        body = {"provider": "postgres", "name": "pg", "config": database}
        assert service.call("POST", "/api/connections", body)[0] == 201
        for sql in QUERIES.values():
            assert service.call("POST", "/api/execute", {"connection_id": "pg", "sql": sql})[0] == 200
        yield f"{service.url}/api/execute"


@contextlib.contextmanager
def running(port, command, folder, **environment):
    """A process that listens at the port."""
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=folder,
        env={"PATH": os.environ["PATH"]} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def minimal(tmp_path_factory, database):
    folder, port = tmp_path_factory.mktemp("minimal"), free_port()
    (folder / "minimal.py").write_text(MINIMAL)
    dsn = "host={host} port={port} dbname={database} user={user} password={password}".format(**database)
    command = [BIN / "gunicorn", "-w2", "-k", "gthread", "--threads", "32", "-b", f"127.0.0.1:{port}", "minimal:app"]
    with running(port, command, folder, DSN=dsn):
        yield f"http://127.0.0.1:{port}/execute"


@pytest.fixture(scope="module")
def copied(tmp_path_factory, postgres_server, database):
    """A folder with the table's rows as `wide.csv` and in `wide.db`, for those who do not read Postgres."""
    folder = tmp_path_factory.mktemp("copied")
    select = QUERIES["1,000 rows"]
    rows = pd.DataFrame(
        postgres_server.execute(select, database["database"]), columns=["i", "name", "amount", "at", "ok", "note"]
    ).astype({"amount": float, "at": str})
    rows.to_csv(folder / "wide.csv", index=False)
    with contextlib.closing(sqlite3.connect(folder / "wide.db")) as file:
        rows.to_sql("wide", file, index=False)
    return folder


@pytest.fixture(scope="module")
def datasette(copied):
    """The address of a query, but for its text, or None if it is not installed. It reads SQLite."""
    port = free_port()
    command = [shutil.which("datasette"), "wide.db", "-p", port, "--setting", "max_returned_rows", ROWS]
    if command[0] is None:
        yield None
        return
    with running(port, command, copied):
        yield f"http://127.0.0.1:{port}/wide.json?_shape=arrays&sql="


@pytest.fixture(scope="module")
def roapi(copied):
    """The address for a query, or None if it is not installed. It keeps the table in memory."""
    port = free_port()
    command = [shutil.which("roapi"), "-a", f"127.0.0.1:{port}", "--addr-flight-sql", f"127.0.0.1:{free_port()}"]
    if command[0] is None:
        yield None
        return
    with running(port, [*command, "-t", "wide=wide.csv"], copied):
        yield f"http://127.0.0.1:{port}/api/sql"


def answers(url, folder, body=None):
    """Answers a second, and the median and the 99th percentile of their times in ms, by CALLERS at once."""
    command = ["wrk", "-t1", f"-c{CALLERS}", f"-d{SECONDS}s", "--timeout", "20s"]
    script = SCRIPT % json.dumps(body)
    (folder / "load.lua").write_text(script if body else script.split("\n", 4)[4])
    done = subprocess.run([*command, "-s", folder / "load.lua", url], capture_output=True, text=True, check=True)
    told = re.search(r"told (\S+) (\S+) (\S+) (\d+)", done.stdout)
    assert told, done.stdout + done.stderr
    assert told[4] == "0", done.stdout
    return tuple(map(float, told.groups()[:3]))


@pytest.mark.parametrize("rows", QUERIES)
def test_execute_over_sockets(tell, tmp_path, ours, minimal, datasette, roapi, rows):
    sql = QUERIES[rows]
    bodies = {
        "sqlchat": json.dumps({"connection_id": "pg", "sql": sql}),
        "minimal": json.dumps({"sql": sql}),
        "ROAPI": sql,
    }
    urls = {"sqlchat": ours, "minimal": minimal, "ROAPI": roapi}
    urls["Datasette"] = datasette and datasette + urllib.parse.quote(sql)
    urls = {name: url for name, url in urls.items() if url}
    measured = {name: [] for name in urls}
    for _ in range(ROUNDS):
        for name, url in urls.items():
            measured[name].append(answers(url, tmp_path, bodies.get(name)))
    medians = {
        name: [statistics.median(each) for each in zip(*rounds, strict=True)] for name, rounds in measured.items()
    }
    for name, (rate, middle, late) in medians.items():
        ratio = medians["sqlchat"][0] / rate
        tell(
            f"{rows}, {name}: {rate:.0f} answers/s, p50 {middle:.1f} ms, p99 {late:.1f} ms "
            f"(p99/p50 {late / middle:.1f}); sqlchat/{name} {ratio:.2f}"
        )
