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
    return json.loads(connection.run(sql, max_rows=10, timeout=100).rows)


def test_what_writes_is_refused_and_changes_nothing(attacked, subtests):
    connection, state, _ = attacked
    for sql in REFUSED:
        with subtests.test(ascii(sql)):
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


@pytest.fixture
def as_superuser(postgres_server, postgres_database):
    """A superuser's connection to the fresh database."""
    config = postgres_database | {"user": postgres_server.user, "password": postgres_server.password}
    connection = PostgresConnection(config, Settings(pool_size=1), Workers(1, 1024))
    yield connection
    connection.close()


OF_SUPERUSERS = [
    "SELECT ('PG_VERSION'::text).pg_read_file",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT ('slot_x'::name).pg_create_physical_replication_slot",
    "SELECT lo_import('/etc/passwd')",
    "SELECT current_setting('data_directory')",
    "SHOW data_directory",
    "SELECT pg_reload_conf()",
]


@pytest.mark.parametrize("sql", OF_SUPERUSERS)
def test_the_server_refuses_a_superuser_what_is_more_than_reading(as_superuser, sql):
    with pytest.raises(QueryError, match=r"(?i)permission|must be|only roles|read-only"):
        run(as_superuser, sql)


def test_a_superuser_that_may_only_read_still_reads_all(as_superuser, postgres_server, postgres_database):
    postgres_server.execute(
        "CREATE SCHEMA closed; CREATE TABLE closed.t (n int); INSERT INTO closed.t VALUES (7); "
        "CREATE VIEW closed.v AS SELECT n FROM closed.t; REVOKE ALL ON SCHEMA closed FROM PUBLIC; "
        "CREATE MATERIALIZED VIEW closed.m AS SELECT n FROM closed.t; CREATE SEQUENCE closed.s",
        postgres_database["database"],
    )
    for source in ("t", "v", "m"):
        assert run(as_superuser, f"SELECT n FROM closed.{source}") == [[7]]
    assert run(as_superuser, "SELECT last_value FROM closed.s") == [[1]]
    assert {table.name for table in as_superuser.catalog().tables} == {"t", "v", "m"}
    assert as_superuser.check() == ["The role is a superuser; give this connection a role that may only read."]


@pytest.mark.parametrize(
    ("setup", "sql", "rows"),
    [
        (
            "CREATE TABLE t (n int); INSERT INTO t VALUES (7); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "SELECT n FROM t",
            [[7]],
        ),
        ("CREATE VIEW v AS SELECT current_user::text AS me", "SELECT me = session_user FROM v", [[True]]),
        (
            "CREATE FUNCTION f() RETURNS int STABLE LANGUAGE sql AS 'SELECT 7'; "
            "REVOKE EXECUTE ON FUNCTION f FROM PUBLIC; CREATE VIEW v AS SELECT f() AS n",
            "SELECT n FROM v",
            [[7]],
        ),
    ],
)
def test_a_superuser_keeps_its_rights_where_others_would_change_an_answer(
    as_superuser, postgres_server, postgres_database, setup, sql, rows
):
    postgres_server.execute(setup, postgres_database["database"])
    assert run(as_superuser, sql) == rows
    (warning,) = as_superuser.check()
    assert "Its queries run with all its rights" in warning


def test_row_security_that_comes_later_is_seen_at_once(as_superuser, postgres_server, postgres_database):
    database = postgres_database["database"]
    postgres_server.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (7)", database)
    assert run(as_superuser, "SELECT n, current_user::text FROM t") == [[7, "pg_read_all_data"]]
    postgres_server.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY", database)
    assert run(as_superuser, "SELECT n, current_user = session_user FROM t") == [[7, True]]


def test_the_status_names_what_may_do_more_than_read(postgres_server, postgres_database):
    postgres_server.execute(
        "CREATE FUNCTION sqrt(t text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN t; END$$; "
        "CREATE FUNCTION plus(a text, b int) RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN a; END$$; "
        "CREATE OPERATOR + (leftarg = text, rightarg = int, function = plus); "
        "CREATE FUNCTION cbrt(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RETURN t; END$$",
        postgres_database["database"],
    )
    connection = PostgresConnection(postgres_database, Settings(), Workers(1, 1024))
    try:
        assert "more than read: sqrt(), the operator +." in connection.check()[0]
    finally:
        connection.close()


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
