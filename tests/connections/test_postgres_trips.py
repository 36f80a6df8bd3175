"""How many messages one request sends to a user's Postgres: each is a trip over the network."""

import contextlib
import json
import socket
import threading

import psycopg2
import pytest

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import QueryError, TooLargeError
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
