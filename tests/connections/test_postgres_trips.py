"""How many messages one request sends to a user's Postgres: each is a trip over the network."""

import contextlib
import json
import socket
import threading

import psycopg2
import pytest

from sqlchat.config import Settings
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import QueryError, TooLargeError, UnknownNameError
from sqlchat.workers import Workers

WORKERS = Workers(1, 1024)


class Relay:
    """Passes connections on to a server, and keeps the queries that go there."""

    def __init__(self, server):
        self.queries = []
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, source, target, asks):
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(1 << 16):
                if asks and data[:1] == b"Q":
                    self.queries.append(data[5:].rstrip(b"\0").decode())
                target.sendall(data)


@pytest.fixture
def relay(postgres_database):
    made = Relay((postgres_database["host"], postgres_database["port"]))
    yield made
    made.close()


@pytest.fixture
def postgres(postgres_database, relay):
    config = postgres_database | {"port": relay.port, "sslmode": "disable"}
    connection = PostgresConnection(config, Settings(private_hosts=True, pool_size=1, max_result_mb=1), WORKERS)
    yield connection
    connection.close()


def rows(connection, sql):
    return json.loads(connection.run(sql, max_rows=10, timeout=100).rows)


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "SELECT n, n::text, 'x' FROM generate_series(1, 20) n", "VALUES (1), (2)"]
)
def test_a_query_takes_two_trips(postgres, relay, sql):
    rows(postgres, sql)  # which connects
    relay.queries.clear()
    assert rows(postgres, sql)
    assert len(relay.queries) == 2, relay.queries


@pytest.fixture
def examined(postgres):
    """Runs SQL as a request does, after an examination."""
    connection = OpenConnection(postgres, Settings(), WORKERS)

    def run(sql):
        view = connection.for_caller(None)
        results = view.run(view.examine(sql), max_rows=10)
        return results.columns, json.loads(results.rows)

    return run


@pytest.fixture
def alter(postgres_server, postgres_database):
    def execute(sql):
        postgres_server.execute(sql, postgres_database["database"])

    execute("CREATE TABLE t (n int, name text); INSERT INTO t VALUES (1, 'x'); GRANT SELECT ON t TO PUBLIC")
    return execute


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1", "SELECT * FROM t -- all", "WITH w AS (SELECT n FROM t) SELECT max(n), '50%' FROM w", "VALUES (1)"],
)
def test_the_same_query_again_takes_one_trip(examined, relay, alter, sql):
    first = examined(sql)
    relay.queries.clear()
    assert examined(sql) == first
    assert len(relay.queries) == 1, relay.queries


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ("ALTER TABLE t ADD more int DEFAULT 5", (("n", "name", "more"), [[1, "x", 5]])),
        ("ALTER TABLE t RENAME name TO title", (("n", "title"), [[1, "x"]])),
        ("ALTER TABLE t DROP n", (("name",), [["x"]])),
        ("ALTER TABLE t ALTER n TYPE text", (("n", "name"), [["1", "x"]])),
        ("DROP TABLE t; CREATE TABLE t AS SELECT 'y' AS n; GRANT SELECT ON t TO PUBLIC", (("n",), [["y"]])),
        ("ALTER TABLE t RENAME TO u; CREATE VIEW t AS SELECT 2 AS m; GRANT SELECT ON t TO PUBLIC", (("m",), [[2]])),
    ],
)
def test_other_columns_are_noticed(examined, alter, change, answer):
    for _ in range(2):
        examined("SELECT * FROM t")
    alter(change)
    assert examined("SELECT * FROM t") == answer


def test_a_table_that_has_gone_is_told_as_at_first(examined, alter):
    for _ in range(2):
        examined("SELECT n FROM t")
    alter("DROP TABLE t")
    with pytest.raises(UnknownNameError) as info:
        examined("SELECT n FROM t")
    assert info.value.facts["position"] == 15


def test_a_table_made_after_the_catalog_was_read_takes_two_trips(examined, relay, alter):
    examined("SELECT 1")
    alter("CREATE TABLE late (n int); GRANT SELECT ON late TO PUBLIC")
    examined("SELECT * FROM late")
    relay.queries.clear()
    examined("SELECT * FROM late")
    assert len(relay.queries) == 2, relay.queries


def test_a_session_that_died_in_the_pool_is_replaced(postgres_server, postgres_database):
    settings = Settings(private_hosts=True, pool_size=1)
    with contextlib.closing(PostgresConnection(postgres_database, settings, WORKERS)) as driver:
        connection = OpenConnection(driver, settings, WORKERS)
        one = connection.examine("SELECT 1")
        for _ in range(2):
            connection.run(one)
        user = postgres_database["user"]
        postgres_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'")
        assert connection.run(one).rows == b"[[1]]"


def test_errors_of_a_repeated_query_are_those_of_the_first(examined, alter):
    sql = "SELECT 1 / n FROM t"
    for _ in range(2):
        examined(sql)
    alter("UPDATE t SET n = 0")
    with pytest.raises(QueryError, match="Division by zero"):
        examined(sql)
    alter("UPDATE t SET n = 1")
    assert examined(sql)[1] == [[1]]


@pytest.mark.parametrize("quotes", ["on", "off"])
def test_a_repeated_text_is_read_as_the_one_that_was_examined(examined, postgres_server, postgres_database, quotes):
    name = postgres_database["database"]
    postgres_server.execute(f"ALTER DATABASE {name} SET standard_conforming_strings = {quotes}")
    sql = r"SELECT 'a\\' AS a, 'b\' AS b"
    assert [examined(sql) for _ in range(3)] == [(("a", "b"), [["a\\\\", "b\\"]])] * 3


@pytest.mark.parametrize(
    ("sql", "error"), [("SELECT 1 / 0", QueryError), ("SELECT repeat('x', 3000000)", TooLargeError)]
)
def test_a_session_is_clean_after_a_failure_too(postgres, relay, sql, error):
    for _ in range(2):
        with pytest.raises(error):
            rows(postgres, sql)
    assert rows(postgres, "SELECT current_setting('transaction_read_only'), current_setting('lock_timeout')") == [
        ["on", "500ms"]
    ]
    assert "ROLLBACK" in relay.queries[-1]


def test_the_second_trip_ends_the_transaction(postgres, postgres_server, postgres_database):
    """What holds locks or settings past its answer would be seen by others."""
    postgres_server.execute(
        "CREATE FUNCTION keep() RETURNS int LANGUAGE sql AS 'SELECT pg_advisory_lock(7); SELECT 1'; "
        "CREATE TABLE t (n int); GRANT SELECT ON t TO PUBLIC",
        postgres_database["database"],
    )
    assert rows(postgres, "SELECT keep(), (SELECT count(*) FROM t)") == [[1, 0]]
    with contextlib.closing(psycopg2.connect(postgres_server.superuser_dsn(postgres_database["database"]))) as other:
        cursor = other.cursor()
        cursor.execute("SET lock_timeout = '2s'; SELECT pg_advisory_lock(7)")
        cursor.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        cursor.execute(
            "SELECT state FROM pg_stat_activity WHERE usename = %s AND application_name = 'sqlchat'",
            (postgres_database["user"],),
        )
        assert cursor.fetchall() == [("idle",)]
