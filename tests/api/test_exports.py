"""Whole results over HTTP: formats by `Accept`, codings, ceilings, faults, history, and clients that go away."""

import contextlib
import csv
import gzip
import http.client
import io
import json
import socket
import struct
import time
import uuid

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deployed import Service

from sqlchat.app import create_app
from sqlchat.config import Settings

FORMATS = {
    "text/csv": "csv",
    "application/x-ndjson": "ndjson",
    "application/vnd.apache.arrow.stream": "arrows",
    "application/vnd.apache.parquet": "parquet",
}
COUNTING = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {}) SELECT n FROM s"
SQL = "SELECT id, status FROM orders ORDER BY id LIMIT 3"


def execute(client, sql=SQL, accept="text/csv", path="/api/execute", name="demo", headers=None, **fields):
    body = {"connection_id": name, "sql": sql} | fields
    return client.post(path, json=body, headers={"Accept": accept} | (headers or {}))


def newest(client, **headers):
    return client.get("/api/history", **headers).json["history"][0]


@pytest.mark.parametrize("accept", FORMATS)
def test_each_format_has_its_type_and_a_file_name(client, accept):
    response = execute(client, accept=accept)
    assert response.status_code == 200
    assert response.mimetype == accept
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename=demo-")
    assert disposition.endswith(f".{FORMATS[accept]}")
    assert response.headers["Vary"] == "Accept, Accept-Encoding"
    assert response.data
    assert newest(client)["row_count"] == 3
    assert newest(client)["outcome"] == "ok"


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "*/*",
        "application/*",
        "application/json",
        "text/html;q=0.9, */*;q=0.1",
        "application/json, text/csv",
        "application/json; charset=utf-8",
        "application/json;odata=verbose;q=0.9, text/csv;q=0.1",
    ],
)
def test_json_stays_the_answer_where_no_other_format_is_preferred(client, accept):
    response = client.post(
        "/api/execute", json={"connection_id": "demo", "sql": SQL}, headers={"Accept": accept} if accept else {}
    )
    assert response.json["results"]["row_count"] == 3


@pytest.mark.parametrize(
    "accept",
    ["text/csv;q=1, application/json;q=0.5", "text/*", "TEXT/CSV", "text/csv; charset=utf-8; header=present"],
)
def test_a_preferred_format_is_taken(client, accept):
    response = execute(client, accept=accept)
    assert response.data.startswith(b"id,status")
    assert response.mimetype == "text/csv"


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/x-sqlite3", "text/csv;q=0"])
def test_an_unknown_format_is_not_acceptable(client, accept):
    before = newest(client)["id"]
    response = execute(client, accept=accept)
    assert response.status_code == 406
    assert response.mimetype == "application/problem+json"
    assert response.json["code"] == "not_acceptable"
    assert newest(client)["id"] == before


def test_faults_before_the_first_byte_are_problems(client):
    for sql, code in (("SELECT x FROM nowhere", "sql_failed"), ("DELETE FROM orders", "sql_refused")):
        response = execute(client, sql)
        assert response.status_code == 400
        assert response.mimetype == "application/problem+json"
        assert response.json["code"] == code
        assert newest(client)["outcome"] == code
    assert execute(client, name="nobody").status_code == 404
    assert execute(client, path="/api/execute?csv_formulas=maybe").json["code"] == "payload_invalid"


@pytest.mark.parametrize("accept", ["application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"])
def test_a_value_that_its_type_cannot_hold_is_a_problem_if_it_comes_early(client, postgres_database, accept):
    name = f"early-{FORMATS[accept]}"
    body = {"provider": "postgres", "name": name, "config": postgres_database}
    assert client.post("/api/connections", json=body).status_code == 201
    response = execute(client, "SELECT 'infinity'::date AS day", accept, name=name)
    assert (response.status_code, response.json["code"]) == (400, "sql_failed")
    assert "infinity" in response.json["detail"]


def test_exact_numbers_have_the_scale_that_the_sql_tells(client, postgres_server, postgres_database):
    for statement in (
        "CREATE TABLE sold (id int, amount numeric(12,2), rate numeric(6,4), free numeric)",
        "INSERT INTO sold VALUES (1, 1.50, 0.1250, 1.234567), (2, 2.25, 0.5000, 7), (3, NULL, NULL, NULL)",
        "GRANT SELECT ON sold TO PUBLIC",
    ):
        postgres_server.execute(statement, postgres_database["database"])
    client.post("/api/connections", json={"provider": "postgres", "name": "scales", "config": postgres_database})
    sql = (
        "SELECT sum(amount) AS a, max(amount * rate) AS b, coalesce(sum(rate), 0) AS c, round(avg(amount), 1) AS d, "
        "avg(amount) AS e, sum(amount) / 3 AS f, sum(free) AS g, "
        "sum(CASE WHEN id > 1 THEN amount ELSE 0 END) AS h FROM sold"
    )
    response = execute(client, sql, "application/vnd.apache.arrow.stream", name="scales")
    arrow = pa.ipc.open_stream(response.data).read_all()
    scales = [str(kind) for kind in arrow.schema.types]
    assert scales == [
        *("decimal128(38, 2)", "decimal128(38, 6)", "decimal128(38, 4)", "decimal128(38, 1)"),
        *("string", "string", "string", "decimal128(38, 2)"),
    ]
    shown = [str(value) for value in arrow.to_pylist()[0].values()]
    assert shown[:4] == ["3.75", "1.125000", "0.6250", "1.9"]
    assert shown[4:] == ["1.8750000000000000", "1.25000000000000000000", "8.234567", "2.25"]
    parquet = execute(client, sql, "application/vnd.apache.parquet", name="scales").data
    assert pq.read_table(io.BytesIO(parquet)).to_pylist() == arrow.to_pylist()
    csv_line = execute(client, sql, name="scales").text.splitlines()[1]
    assert csv_line == ",".join(shown)


@pytest.mark.parametrize("accept", FORMATS)
def test_a_result_without_columns_has_no_form_as_a_file(client, postgres_database, accept):
    name = f"no-columns-{FORMATS[accept]}"
    client.post("/api/connections", json={"provider": "postgres", "name": name, "config": postgres_database})
    response = execute(client, "SELECT FROM generate_series(1, 2)", accept, name=name)
    assert (response.status_code, response.json["code"]) == (406, "not_acceptable")
    assert "without columns" in response.json["detail"]
    whole = execute(client, "SELECT FROM generate_series(1, 2)", "application/json", name=name)
    assert whole.json["results"]["rows"] == [[], []]


def test_formulas_are_guarded_where_asked(client):
    sql = "SELECT '=1+1' AS a, -5 AS b"
    assert execute(client, sql).data == b"a,b\r\n=1+1,-5\r\n"
    assert execute(client, sql, path="/api/execute?csv_formulas=guard").data == b"a,b\r\n'=1+1,-5\r\n"


def test_more_rows_than_json_would_have(client, settings):
    count = settings.max_rows_ceiling + 5000
    assert execute(client, COUNTING.format(count)).data.count(b"\n") == count + 1
    assert execute(client, COUNTING.format(count), max_rows=7).data.count(b"\n") == 8


def test_the_ceiling_of_exports_holds(tmp_path):
    app = create_app(Settings(data_dir=tmp_path, max_export_rows=20))
    client = app.test_client()
    with contextlib.closing(app.extensions["sqlchat"]):
        for asked, given in ((None, 20), (5, 5), (100, 20)):
            fields = {} if asked is None else {"max_rows": asked}
            response = execute(client, COUNTING.format(50), accept="application/x-ndjson", **fields)
            assert response.data.count(b"\n") == given
            assert response.headers["X-Max-Rows"] == str(given)
            assert newest(client)["row_count"] == given


def test_codings_are_used_where_the_client_names_them(client):
    sql = COUNTING.format(5000)
    plain = execute(client, sql)
    assert plain.data
    assert "Content-Encoding" not in plain.headers
    zipped = execute(client, sql, headers={"Accept-Encoding": "gzip, deflate"})
    assert gzip.decompress(zipped.data) == plain.data
    assert zipped.headers["Content-Encoding"] == "gzip"
    packed = execute(client, sql, headers={"Accept-Encoding": "gzip, zstd"})
    assert packed.headers["Content-Encoding"] == "zstd"
    assert pa.CompressedInputStream(pa.BufferReader(packed.data), "zstd").read() == plain.data
    preferred = execute(client, sql, headers={"Accept-Encoding": "gzip, zstd;q=0.1"})
    assert gzip.decompress(preferred.data) == plain.data
    for codings in ("identity", "br", "gzip;q=0", "*"):
        assert execute(client, sql, headers={"Accept-Encoding": codings}).data == plain.data


def test_an_entry_is_run_again(client):
    execute(client, accept="*/*")
    entry = newest(client)["id"]
    for headers in ({}, {"Accept": "application/json"}):
        again = client.get(f"/api/history/{entry}/result", headers=headers)
        assert again.json["results"]["row_count"] == 3
    rows = client.get(f"/api/history/{entry}/result?max_rows=2", headers={"Accept": "text/csv"})
    assert len(list(csv.reader(io.StringIO(rows.text, newline="")))) == 3
    assert client.get(f"/api/history/{entry}/result", headers={"Accept": "image/png"}).status_code == 406
    assert client.get(f"/api/history/{entry}/result?max_rows=0").status_code == 400


def test_the_latest_result_is_that_of_the_newest_entry_that_ended_in_rows(shared_client, two_users):
    ann, bob = two_users
    body = {"name": "empty", "provider": "sqlite", "config": {"database": ":memory:"}}
    assert shared_client.post("/api/connections", json=body, headers=ann).status_code == 201
    path = "/api/history/latest/result"
    assert shared_client.get(path, headers=ann).json["code"] == "entry_not_found"
    for sql in ("SELECT 1 AS n", "SELECT 2 AS n", "SELECT x FROM nowhere"):
        assert execute(shared_client, sql, name="empty", headers=ann).data  # read to its end, so that it is kept
    assert shared_client.get(path, headers=ann).json["results"]["rows"] == [[2]]
    assert shared_client.get(path, headers=bob).json["code"] == "entry_not_found"


def test_an_entry_without_a_result(client):
    assert client.get(f"/api/history/{uuid.uuid4()}/result").json["code"] == "entry_not_found"
    assert client.get("/api/history/7/result").status_code == 404
    execute(client, "SELECT x FROM nowhere")
    entry = newest(client)["id"]
    response = client.get(f"/api/history/{entry}/result")
    assert response.status_code == 400
    assert "sql_failed" in response.json["detail"]
    long = "SELECT 1 -- ".ljust(20_000, "x")
    assert execute(client, long).data
    response = client.get(f"/api/history/{newest(client)['id']}/result")
    assert response.status_code == 400
    assert "in part" in response.json["detail"]


def test_an_entry_belongs_to_its_owner(shared_client, two_users):
    ann, bob = two_users
    body = {"name": "empty", "provider": "sqlite", "config": {"database": ":memory:"}}
    assert shared_client.post("/api/connections", json=body, headers=ann).status_code == 201
    assert execute(shared_client, "SELECT 1 AS n", name="empty", headers=ann).data == b"n\r\n1\r\n"
    entry = newest(shared_client, headers=ann)["id"]
    path = f"/api/history/{entry}/result"
    assert shared_client.get(path, headers=ann).json["results"]["rows"] == [[1]]
    assert shared_client.get(path, headers=bob).json["code"] == "entry_not_found"
    assert shared_client.get(path).status_code == 401


def test_a_policy_of_today_holds_for_an_entry_of_yesterday(client):
    config = {"database": "demo.sqlite"}
    body = {"name": "policed", "provider": "sqlite", "config": config}
    assert client.post("/api/connections", json=body).status_code == 201
    assert execute(client, "SELECT email FROM customers LIMIT 1", name="policed").data.startswith(b"email")
    entry = newest(client)["id"]
    policy = {"deny_columns": ["customers.email"]}
    changed = client.patch("/api/connections/policed", json={"policy": policy})
    assert changed.status_code == 200, changed.text
    refused = client.get(f"/api/history/{entry}/result", headers={"Accept": "text/csv"})
    assert refused.status_code == 400
    assert refused.json["code"] == "sql_refused"


# --- over a real gunicorn


@pytest.fixture(scope="module")
def service(tmp_path_factory, postgres_server):
    config = postgres_server.fresh()
    with Service(
        tmp_path_factory.mktemp("served"), WEB_CONCURRENCY="1", SQLCHAT_STATEMENT_TIMEOUT="300", SQLCHAT_POOL_SIZE="2"
    ) as running:
        body = {"provider": "postgres", "name": "pg", "config": config}
        assert running.call("POST", "/api/connections", body)[0] == 201
        running.postgres = config
        yield running
    postgres_server.drop(config)


def requested(service, sql, accept, name="pg", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=150)
    body = json.dumps({"connection_id": name, "sql": sql})
    connection.request("POST", "/api/execute", body, {"Content-Type": "application/json", "Accept": accept} | headers)
    return connection


BREAKING = "SELECT n, 1 / (n - 400000) AS x FROM (SELECT generate_series(1, 500000) AS n) AS s"


def test_a_fault_after_the_first_byte_breaks_the_answer_off(service):
    connection = requested(service, BREAKING, "text/csv")
    response = connection.getresponse()
    assert response.status == 200
    with pytest.raises(http.client.IncompleteRead):
        response.read()
    response.close()
    connection.close()
    newest = "/api/history?limit=1"
    service.until(lambda: [e["outcome"] for e in service.call("GET", newest)[1]["history"]] == ["sql_failed"])
    assert service.call("GET", "/health")[0] == 200


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_ndjson_says_in_its_last_line_why_it_broke_off(service, coding):
    connection = requested(service, BREAKING, "application/x-ndjson", **{"Accept-Encoding": coding})
    with pytest.raises(http.client.IncompleteRead) as broken:
        connection.getresponse().read()
    connection.close()
    data = broken.value.partial
    lines = (gzip.decompress(data) if coding == "gzip" else data).splitlines()
    assert json.loads(lines[0]) == {"n": 1, "x": 0}
    error = json.loads(lines[-1])["error"]
    assert (error["status"], error["code"]) == (400, "sql_failed")
    assert "ivision by zero" in error["detail"]
    assert "unhandled" not in service.out


FLOWING = {
    "pg": "SELECT generate_series(1, 1000000000) AS n, repeat('x', 100) AS t",
    "demo": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT n, printf('%100d', n) FROM s",
}
WAITING = {
    "pg": "SELECT generate_series(1, 5000) AS n UNION ALL "
    "SELECT count(*) FROM (SELECT generate_series(1, 2000000000) AS x) AS s",
}


def copying(service):
    """What Postgres is sending to the service."""
    fields = dict(service.postgres)
    raw = psycopg2.connect(dbname=fields.pop("database"), **fields)
    try:
        with raw.cursor() as cursor:
            cursor.execute(
                "SELECT pid, state, wait_event, now() - query_start FROM pg_stat_activity "
                "WHERE state <> 'idle' AND usename = current_user AND query LIKE 'COPY%'"
            )
            return cursor.fetchall()
    finally:
        raw.close()


@pytest.mark.parametrize("accept", ["text/csv", "application/vnd.apache.parquet"])
@pytest.mark.parametrize(("name", "sql"), [*FLOWING.items(), *WAITING.items()])
def test_a_client_that_goes_away_frees_everything(service, name, sql, accept):
    for _ in range(3):  # more than there are pooled connections and worker processes
        connection = requested(service, sql, accept, name)
        response = connection.getresponse()
        assert response.status == 200
        assert response.read(4)
        if name == "pg":
            assert copying(service)
            time.sleep(1)  # until all buffers on the way are full, and Postgres waits for room in them
        connection.sock.shutdown(socket.SHUT_RDWR)
        response.close()
        connection.close()
        gone = time.monotonic()
        if name == "pg":
            while left := copying(service):
                assert time.monotonic() - gone < 100, left
                time.sleep(0.05)
    started = time.monotonic()
    assert service.execute(name, "SELECT 1 AS n") == (200, [[1]])
    assert time.monotonic() - started < 100

    def abandoned():
        entries = service.call("GET", "/api/history?limit=20&outcome=abandoned")[1]["history"]
        return [each for each in entries if each["sql"] == sql and each["status"] == 499]

    service.until(lambda: len(abandoned()) >= 3)


@pytest.mark.parametrize("accept", ["text/csv", "application/x-ndjson"])
def test_an_answer_whose_client_resets_the_line_is_logged_and_kept(service, accept):
    sql, before = f"SELECT '{accept}' AS kind, g FROM generate_series(1, 3000000) AS g", len(service.out)
    for _ in range(6):
        connection = requested(service, sql, accept, "pg")
        assert connection.sock.recv(100)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sock.close()

    def abandoned():
        lines = [json.loads(line) for line in service.out[before:].splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("status") == 499 and line.get("outcome") == "abandoned"]

    service.until(lambda: len(abandoned()) == 6)
    assert "unhandled error" not in service.out[before:]
    assert "Exception ignored" not in service.out[before:]


def test_a_head_request_for_a_whole_result_ends_in_order(client, caplog):
    execute(client, accept="application/json")
    entry = newest(client)["id"]
    for _ in range(2):
        answer = client.head(f"/api/history/{entry}/result", headers={"Accept": "text/csv"})
        assert (answer.status_code, answer.data) == (200, b"")
        answer.close()
    assert [each.status for each in caplog.records if getattr(each, "method", "") == "HEAD"]
    assert "unhandled error" not in caplog.text
