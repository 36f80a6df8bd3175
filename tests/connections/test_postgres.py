"""Postgres as it is served: values, limits, errors, the catalog, connecting."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import psycopg2
import pytest

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import (
    BusyError,
    DatabaseUnavailableError,
    QueryError,
    QueryTimeoutError,
    SQLRefusedError,
    TooLargeError,
)
from sqlchat.workers import Workers

WORKERS = Workers(1, 1024)


def connect(config, **settings):
    return PostgresConnection(config, Settings(**settings), WORKERS)


def rows(connection, sql, max_rows=1000, timeout=100.0):
    return json.loads(connection.run(sql, max_rows=max_rows, timeout=timeout).rows, parse_float=Decimal)


VALUES = [
    ("1", 1),
    ("9223372036854775807", 9223372036854775807),
    ("12345678901234567890.123456789000::numeric", Decimal("12345678901234567890.123456789000")),
    ("1e400::numeric", 10**400),
    ("'NaN'::numeric", "NaN"),
    ("0.1::float8", Decimal("0.1")),
    ("'NaN'::float8", "NaN"),
    ("'-infinity'::float4", "-Infinity"),
    ("true", True),
    ("null", None),
    ("'größe ' || chr(9) || chr(10) || chr(92) || 'N' || chr(13)", "größe \t\n\\N\r"),
    ("chr(92) || 'N'", "\\N"),
    ("''", ""),
    ("'a'::char(3)", "a  "),
    ("'\\x00ff'::bytea", "AP8="),
    ("date '2024-02-29'", "2024-02-29"),
    ("date 'infinity'", "infinity"),
    ("date '0044-03-15 BC'", "0044-03-15 BC"),
    ("time '01:02:03.5'", "01:02:03.5"),
    ("timetz '01:02:03+02'", "01:02:03+02:00"),
    ("timestamp '2024-02-29 01:02:03.25'", "2024-02-29T01:02:03.25"),
    ("timestamptz '2024-02-29 01:02:03+05:30' at time zone 'UTC'", "2024-02-28T19:32:03"),
    ("timestamptz 'infinity'", "infinity"),
    ("interval '1 day 02:03:04.5'", "1 day 02:03:04.5"),
    ("'00000000-0000-0000-0000-000000000001'::uuid", "00000000-0000-0000-0000-000000000001"),
    ("'{\"a\": [1, 2.50, null]}'::jsonb", {"a": [1, Decimal("2.50"), None]}),
    ('\'{"b":\n"\\u00e4\\n"}\'::json', {"b": "ä\n"}),
    ("array[1, null, 3]", [1, None, 3]),
    ("array[array[1.50, 2], array[3, 4]]", [[Decimal("1.50"), 2], [3, 4]]),
    ("array['a \"q\" \\ ,{}', 'NULL', null, '']", ['a "q" \\ ,{}', "NULL", None, ""]),
    ("'{}'::int[]", []),
    ("'[0:1]={1,2}'::int[]", [1, 2]),
    ("array[timestamp '2024-01-02 03:04:05']", ["2024-01-02T03:04:05"]),
    ("array['\\xff'::bytea]", ["/w=="]),
    ("array['{\"a\": 1}'::jsonb]", [{"a": 1}]),
    ("'{(1,1),(0,0);(3,3),(2,2)}'::box[]", "{(1,1),(0,0);(3,3),(2,2)}"),
    ("int4range(1, 5)", "[1,5)"),
    ("inet '10.0.0.1/8'", "10.0.0.1/8"),
    ("row(1, 'a')", "(1,a)"),
    ("B'101'", "101"),
    ("'1 2'::int2vector", "1 2"),
]


def test_a_value_keeps_its_meaning(postgres, subtests):
    for expression, value in VALUES:
        with subtests.test(expression):
            assert rows(postgres, f"SELECT {expression} AS v") == [[value]]


def test_a_time_with_zone_tells_its_offset(postgres):
    [[text]] = rows(postgres, "SELECT timestamptz '2024-02-29 01:02:03+00'")
    assert text == "2024-02-29T01:02:03+00:00"


def test_enums_and_domains_are_read_as_what_they_are(postgres, execute):
    execute("CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN cents AS bigint; CREATE DOMAIN bag AS int[]")
    result = postgres.run(
        "SELECT 'sad'::mood m, 5::cents c, '{1}'::bag b, array[7::cents] a", max_rows=9, timeout=100
    )
    assert json.loads(result.rows) == [["sad", 5, [1], [7]]]
    assert result.types[:2] == ("mood", "bigint")


def test_duplicate_names_keep_their_places(postgres):
    result = postgres.run("SELECT 1 AS a, 2 AS a", max_rows=5, timeout=100)
    assert (result.columns, result.types, result.rows) == (("a", "a"), ("integer", "integer"), b"[[1,2]]")


@pytest.mark.parametrize("sql", ["SELECT generate_series(1, {n})", "SHOW ALL"])
def test_one_row_more_tells_that_there_are_more(postgres, sql):
    result = postgres.run(sql.format(n=4), max_rows=3, timeout=100)
    assert (result.row_count, result.truncated, len(json.loads(result.rows))) == (3, True, 3)


HONEST = [
    "SELECT 1;",
    "SELECT 1 ; ; -- end; of it",
    "/* first */ SELECT 1 /* ; */ ; /* x */",
    "-- first\n(SELECT 1)",
    "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
    "VALUES (1)",
    "SELECT 1 -- no line after this",
    "SELECT length(';') -- '",
    "SELECT length(E'\\'');",
    "SELECT length($x$;$x$);",
    'SELECT count(*) FROM (VALUES (1), (2)) AS v ("update;") WHERE "update;" > 1',
]


def test_honest_texts_run_as_they_are_written(postgres, subtests):
    for sql in HONEST:
        with subtests.test(ascii(sql)):
            assert rows(postgres, sql) == [[1]]


def test_a_query_without_columns(postgres):
    assert rows(postgres, "SELECT FROM generate_series(1, 2)") == [[], []]


def test_show_and_explain(postgres):
    assert rows(postgres, "SHOW server_version_num")[0][0].isdigit()
    assert "Result" in rows(postgres, "EXPLAIN SELECT 1")[0][0]
    assert rows(postgres, "EXPLAIN (FORMAT JSON) SELECT 1")[0][0][0]["Plan"]["Node Type"] == "Result"


def test_order_is_kept(postgres):
    found = rows(postgres, "SELECT n FROM generate_series(1, 5000) n ORDER BY n DESC", max_rows=3)
    assert found == [[5000], [4999], [4998]]


def test_an_aggregate_keeps_its_parallel_plan(postgres, execute):
    execute("CREATE TABLE big AS SELECT n FROM generate_series(1, 300000) n; ANALYZE big")
    plan = "SET LOCAL parallel_setup_cost = 0"
    execute(f"ALTER ROLE CURRENT_USER SET {plan.removeprefix('SET LOCAL ')}")
    execute("CREATE FUNCTION in_worker() RETURNS bool STABLE PARALLEL SAFE LANGUAGE sql AS "
            "$$ SELECT leader_pid IS NOT NULL FROM pg_stat_activity WHERE pid = pg_backend_pid() $$")  # fmt: skip
    assert rows(postgres, "SELECT count(*), bool_or(n = 1 AND in_worker()) OR "
                "bool_or(n % 10000 = 0 AND in_worker()) FROM big") == [[300000, True]]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "sqlstate", "position"),
    [
        ("SELECT nope", "42703", 8),
        ("SELECT 'ä', nope", "42703", 13),
        ("SELEC 1", "42601", 1),
        ("SELECT * FROM missing", "42P01", 15),
        ("EXPLAIN SELECT nope", "42703", 16),
        ("SELECT 1 / (random() * 0)::int", "22012", None),
        ("SELECT 1 +", "42601", 11),
    ],
)
def test_a_fault_is_told_with_its_place(postgres, sql, sqlstate, position):
    with pytest.raises(QueryError) as caught:
        rows(postgres, sql)
    assert caught.value.facts["sqlstate"] == sqlstate
    assert caught.value.facts.get("position") == position


def test_the_database_explains_without_running(postgres):
    postgres.explain("SELECT pg_sleep(60)")
    with pytest.raises(QueryError, match="does not exist") as caught:
        postgres.explain("SELECT 1 FROM nowhere")
    assert caught.value.facts["position"] == 15


def test_a_long_query_is_stopped(postgres):
    with pytest.raises(QueryTimeoutError, match="was stopped"):
        postgres.run("SELECT pg_sleep(60)", max_rows=1, timeout=0.3)
    with pytest.raises(QueryTimeoutError):
        postgres.run("SELECT repeat('a', 100000000) ~ '(a+)+b'", max_rows=1, timeout=0.3)
    assert rows(postgres, "SELECT 1") == [[1]]


def test_a_result_is_bounded_in_bytes(postgres):
    with pytest.raises(TooLargeError, match="larger than 1 MiB"):
        rows(postgres, "SELECT repeat('x', 1000) FROM generate_series(1, 100000)", max_rows=100_000)
    with pytest.raises(TooLargeError, match="row"):
        rows(postgres, "SELECT 1, repeat('x', 5000000 + n) FROM generate_series(1, 1) n")
    with pytest.raises(TooLargeError, match="row"):
        rows(postgres, "SELECT array_agg(n) FROM generate_series(1, 1000000) n")
    assert rows(postgres, "SELECT length(repeat('x', 5000000 + n)) FROM generate_series(1, 1) n") == [[5000001]]


def test_a_locked_table_is_not_waited_for(postgres, execute, postgres_database):
    execute("CREATE TABLE held (n int)")
    fields = dict(postgres_database)
    holder = psycopg2.connect(dbname=fields.pop("database"), **fields)
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(QueryTimeoutError, match="locked"):
        rows(postgres, "SELECT * FROM held")
    holder.close()


def test_no_free_connection(postgres, postgres_server):
    sleeping = "FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with ThreadPoolExecutor(2) as threads:
        sleepers = [threads.submit(rows, postgres, "SELECT pg_sleep(300)") for _ in range(2)]
        while postgres_server.execute(f"SELECT count(*) {sleeping}") != [(2,)]:
            assert not any(sleeper.done() for sleeper in sleepers)
            time.sleep(0.01)
        with pytest.raises(BusyError):
            rows(postgres, "SELECT 1")
        postgres_server.execute(f"SELECT pg_cancel_backend(pid) {sleeping}")
        assert all(isinstance(sleeper.exception(), QueryTimeoutError) for sleeper in sleepers)
    assert rows(postgres, "SELECT 1") == [[1]]


def test_connections_that_died_in_the_pool_are_replaced_unseen(postgres, postgres_server):
    for _ in range(4):
        assert rows(postgres, "SELECT 1") == [[1]]
        postgres_server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sqlchat'"
        )
    assert rows(postgres, "SELECT 1") == [[1]]


def test_a_connection_that_dies_midway_is_told(postgres, postgres_server):
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(rows, postgres, "SELECT pg_sleep(300)")
        while not postgres_server.execute(kill):
            assert not asked.done()
            time.sleep(0.05)
        assert isinstance(asked.exception(), DatabaseUnavailableError)
    assert rows(postgres, "SELECT 1") == [[1]]


def test_the_request_is_found_again_by_its_tag(postgres, postgres_server):
    asleep = "FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(postgres.run, "SELECT pg_sleep(300)", max_rows=1, timeout=100, tag="req-1*/ x")
        while not (tags := postgres_server.execute(f"SELECT query {asleep}")):
            assert not asked.done()
            time.sleep(0.05)
        postgres_server.execute(f"SELECT pg_cancel_backend(pid) {asleep}")
        assert isinstance(asked.exception(), QueryTimeoutError)
    assert tags[0][0].endswith("/* sqlchat req-1x */")


def test_texts_that_cannot_be_sent(postgres):
    for sql in ("SELECT '\0'", "SELECT '\ud800'"):
        with pytest.raises(SQLRefusedError):
            rows(postgres, sql)


def test_a_function_that_hears_no_cancel_is_a_timeout(postgres):
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        postgres.run("SELECT hashtext(repeat('a', 1000000000))", max_rows=1, timeout=0.2)
    assert time.monotonic() - started < 200
    assert rows(postgres, "SELECT 1") == [[1]]


def test_a_server_that_falls_silent_is_hung_up_on(postgres_database):
    """A proxy that stops passing anything on, as a dead network or a hostile server would."""
    quiet = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, target):
        try:
            while data := source.recv(65536):
                if not quiet.is_set():
                    target.sendall(data)
        except OSError:
            pass

    def serve():
        try:
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((postgres_database["host"], postgres_database["port"]))
                held.extend([client, server])
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=ends, daemon=True).start()
        except OSError:
            pass

    held = []
    threading.Thread(target=serve, daemon=True).start()
    connection = connect(postgres_database | {"port": listener.getsockname()[1]})
    assert rows(connection, "SELECT 1") == [[1]]
    quiet.set()
    with pytest.raises(QueryTimeoutError):
        connection.run("SELECT 1", max_rows=1, timeout=0.5)
    connection.close()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for end in held:
        end.close()


def test_a_byte_that_is_no_text_costs_its_cell(postgres_server, executing):
    postgres_server.execute(
        "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    config = {"host": postgres_server.host, "port": postgres_server.port, "database": "ascii"}
    config |= {"user": postgres_server.user, "password": postgres_server.password}
    execute = executing(config)
    execute("CREATE TABLE t (id int, v text, d timestamptz[]); SET client_encoding = 'SQL_ASCII'")
    execute("INSERT INTO t VALUES (1, E'caf\\xe9', NULL), (2, E'gr\\xc3\\xb6\\xc3\\x9fe', '{}')")
    execute("""DO $$ BEGIN EXECUTE E'CREATE TABLE "n\\xe9" (a int)'; END $$""")
    connection = PostgresConnection(config, Settings(pool_size=1), Workers(1, 1024))
    assert rows(connection, "SELECT id, v FROM t ORDER BY id") == [[1, "caf\ufffd"], [2, "größe"]]
    assert rows(connection, "SELECT v, d FROM t ORDER BY id") == [["caf\ufffd", None], ["größe", []]]
    assert rows(connection, "SELECT id FROM t WHERE v = 'größe'") == [[2]]
    assert rows(connection, "SELECT to_json(v) FROM t ORDER BY id") == [["caf\ufffd"], ["größe"]]
    with pytest.raises(QueryError, match="größe"):
        rows(connection, "SELECT größe FROM t")
    assert "t" in {table.name for table in connection.catalog().tables}
    assert set(connection.profiles(connection.catalog(), 100.0)["public", "t", "v"].values) == {"caf\ufffd", "größe"}
    connection.close()


def test_types_are_told_without_quotes_whatever_the_role_sets(postgres, execute):
    execute("ALTER ROLE CURRENT_USER SET quote_all_identifiers = on; CREATE DOMAIN d AS date; CREATE TABLE q (a d)")
    assert postgres.run("SELECT '2024-01-01'::date", max_rows=1, timeout=100).types == ("date",)
    (column,) = postgres.catalog().table("q").columns
    assert (column.type, column.base_type) == ("d", "date")
