"""What the engine's own locks stop when nothing has looked at the text before: no guard takes part here."""

import contextlib
import json
import threading

import pytest

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import QueryError, QueryTimeoutError, SQLRefusedError, TooLargeError
from sqlchat.workers import Workers

REFUSED = [
    "DROP TABLE kept",
    "DELETE FROM kept",
    "DELETE FROM kept RETURNING *",
    "UPDATE kept SET n = 9 RETURNING n",
    "INSERT INTO kept VALUES (9) RETURNING n",
    "MERGE INTO kept USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM kept RETURNING n) SELECT * FROM gone",
    "WITH made AS (INSERT INTO kept VALUES (9) RETURNING n) SELECT * FROM made",
    "EXPLAIN ANALYZE DELETE FROM kept",
    "SELECT * INTO made FROM kept",
    "CREATE TABLE made AS SELECT 1",
    "CREATE TEMP TABLE made (n int)",
    "SELECT 1; DROP TABLE kept",
    "SELECT 1; COMMIT; DROP TABLE kept",
    "COMMIT; DROP TABLE kept",
    "SELECT 1) AS a LIMIT 1) TO STDOUT; COMMIT; DROP TABLE kept; --",
    "SELECT 1) AS a LIMIT 1) AS q (c0)) TO PROGRAM 'touch /tmp/made' --",
    "SELECT 1 /* ",
    "SELECT 1 $a$",
    "SELECT 'a",
    "SELECT 1 FROM kept FOR UPDATE",
    "SELECT nextval('counter')",
    "SELECT lo_create(7)",
    "SELECT lo_from_bytea(0, 'x')",
    "COPY kept TO '/tmp/made'",
    "COPY (SELECT 1) TO PROGRAM 'touch /tmp/made'",
    "COPY kept FROM PROGRAM 'echo 9'",
    "DO $$ BEGIN DELETE FROM kept; END $$",
    "SET TRANSACTION READ WRITE",
    "BEGIN READ WRITE",
    "ROLLBACK",
    "RESET ALL",
    "DISCARD ALL",
    "LISTEN x",
    "NOTIFY x",
    "LOCK TABLE kept",
    "VACUUM kept",
    "CHECKPOINT",
    "PREPARE p AS DELETE FROM kept",
    "SET SESSION AUTHORIZATION postgres",
    "DECLARE d CURSOR WITH HOLD FOR SELECT 1",
    "FETCH ALL FROM sqlchat",
    "CLOSE sqlchat",
    "CALL spoil()",
    "SELECT spoilt()",
    "SELECT set_config('transaction_read_only', 'off', false), spoilt()",
    "SELECT query_to_xml('DELETE FROM kept RETURNING n', true, true, '')",
]
UNDONE = [
    "EXPLAIN ANALYZE CREATE TABLE made AS SELECT 1",
    "EXPLAIN ANALYZE CREATE TEMP TABLE made AS SELECT 1",
    "EXPLAIN ANALYZE CREATE MATERIALIZED VIEW made AS SELECT 1",
    "EXPLAIN ANALYZE SELECT * INTO made FROM kept",
    "SELECT pg_notify('x', 'y')",
    "SELECT pg_advisory_lock(42)",
    "SELECT pg_advisory_lock_shared(42)",
]
POISON = [
    ("search_path", "evil"),
    ("statement_timeout", "0"),
    ("default_transaction_read_only", "off"),
    ("standard_conforming_strings", "off"),
    ("client_encoding", "LATIN1"),
    ("datestyle", "SQL, DMY"),
    ("role", "postgres"),
    ("lock_timeout", "0"),
]


@pytest.fixture(params=["owner", "superuser"], scope="module")
def attacked(request, postgres_server):
    """A connection of one role, a function that tells the database's state, and one that runs SQL as superuser.

    One database serves all attacks: each must leave it as it was.
    """
    config = postgres_server.fresh()

    def execute(statement):
        return postgres_server.execute(statement, config["database"])

    execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1), (2); CREATE SEQUENCE counter")
    execute(
        "CREATE PROCEDURE spoil(INOUT n int DEFAULT 0) LANGUAGE plpgsql AS "
        "$$ BEGIN DELETE FROM kept; COMMIT; DELETE FROM kept; END $$"
    )
    execute(
        "CREATE FUNCTION spoilt() RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
        "$$ BEGIN DELETE FROM kept WHERE true; RETURN 1; END $$"
    )
    role = config["user"]
    execute(f"ALTER TABLE kept OWNER TO {role}; ALTER SEQUENCE counter OWNER TO {role}")

    def state():
        return execute(
            "SELECT (SELECT array_agg(n) FROM kept), (SELECT last_value || is_called::text FROM counter), "
            "(SELECT count(*) FROM pg_class WHERE relname IN ('made', 'kept', 'counter')), "
            "(SELECT count(*) FROM pg_largeobject_metadata), "
            "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), "
            "(SELECT count(*) FROM pg_prepared_xacts)"
        )

    used = dict(config)
    if request.param == "superuser":
        used |= {"user": postgres_server.user, "password": postgres_server.password}
    connection = PostgresConnection(used, Settings(pool_size=1), Workers(1, 1024))
    yield connection, state, execute
    connection.close()
    postgres_server.drop(config)


def run(connection, sql):
    return json.loads(connection.run(sql, max_rows=10, timeout=5).rows)


@pytest.mark.parametrize("sql", REFUSED)
def test_what_writes_is_refused_and_changes_nothing(attacked, sql):
    connection, state, _ = attacked
    before = state()
    with pytest.raises((QueryError, SQLRefusedError)):
        run(connection, sql)
    assert state() == before
    assert run(connection, "SELECT count(*) FROM kept") == [[2]]


@pytest.mark.parametrize("sql", UNDONE)
def test_what_a_read_only_transaction_lets_through_is_undone(attacked, sql):
    connection, state, _ = attacked
    before = state()
    with contextlib.suppress(QueryError):  # a superuser that has put its rights down may not even try some
        run(connection, sql)
    assert state() == before


@pytest.mark.parametrize("local", ["true", "false"])
@pytest.mark.parametrize(("name", "value"), POISON)
def test_settings_do_not_reach_the_next_request(attacked, name, value, local):
    connection, _, _ = attacked
    [[before]] = run(connection, f"SELECT current_setting('{name}')")
    with contextlib.suppress(QueryError):  # an ordinary role may not become another
        run(connection, f"SELECT set_config('{name}', '{value}', {local})")
    assert run(connection, f"SELECT current_setting('{name}')") == [[before]]


def test_a_statement_cannot_lift_its_own_timeout(attacked):
    connection, _, _ = attacked
    lifted = "SELECT set_config('statement_timeout', '0', false), pg_sleep(n) FROM generate_series(1, 20) n"
    with pytest.raises(QueryTimeoutError):
        connection.run(lifted, max_rows=100, timeout=1.5)


@pytest.mark.parametrize(
    ("name", "value", "sql"),
    [
        ("standard_conforming_strings", "off", "SELECT poison(), '\\', '; COMMIT; {write}; --'"),
        ("client_encoding", "SJIS", "SELECT poison(), E'ă\\\\', '; COMMIT; {write}; --'"),
    ],
)
def test_planning_cannot_change_how_the_text_is_read(attacked, name, value, sql):
    connection, state, execute = attacked
    execute(
        "CREATE OR REPLACE FUNCTION poison() RETURNS text IMMUTABLE LANGUAGE sql AS "
        f"$$ SELECT set_config('{name}', '{value}', false) $$"
    )
    before = state()
    with contextlib.suppress(QueryError):  # the rows cannot always be told in that encoding
        run(connection, sql.format(write="SET default_transaction_read_only = off; DELETE FROM kept"))
    assert state() == before
    assert run(connection, "SELECT 'ă'") == [["ă"]]


def test_a_huge_value_is_stopped_before_it_is_sent(attacked):
    connection, _, _ = attacked
    with pytest.raises(TooLargeError):
        run(connection, "SELECT repeat('x', 40000000)")
    with pytest.raises(TooLargeError):
        run(connection, "SELECT string_agg(repeat('x', 1000), ',') FROM generate_series(1, 40000)")


def test_transactions_of_several_threads_do_not_mix(attacked):
    connection, _, _ = attacked
    found = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(run(connection, f"SELECT {n}, pg_sleep(0.01)")[0][0] == n))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20
