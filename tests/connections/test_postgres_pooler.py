"""Postgres behind a pooler that lends a server's connection for one transaction (Supabase's port 6543 is such)."""

import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ports import free_port

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import QueryError, QueryTimeoutError
from sqlchat.store import Store
from sqlchat.workers import Workers

POOLER = shutil.which("pgbouncer")
pytestmark = [
    pytest.mark.pooler,
    pytest.mark.skipif(POOLER is None, reason="needs PgBouncer, such as Debian's package pgbouncer"),
]
WORKERS = Workers(1, 1024)
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def pooled(postgres_database):
    """Config of a fresh database behind a pooler that has one connection to it for everybody."""
    config, port = postgres_database, free_port()
    folder = Path(tempfile.mkdtemp(prefix="sqlchat-pooler-"))
    (folder / "users").write_text('"{user}" "{password}"\n'.format(**config))
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "scram-sha-256",
        "auth_file": folder / "users",
        "pool_mode": "transaction",
        "default_pool_size": 1,
        "max_client_conn": 50,
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    database = "[databases]\n{database} = host={host} port={port}\n".format(**config)
    (folder / "ini").write_text("\n".join([database, "[pgbouncer]", *lines, ""]))
    account: dict[str, Any] = (
        {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    if account:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([POOLER, folder / "ini"], stdout=log, stderr=log, cwd="/", **account)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield config | {"port": port}
    finally:
        process.terminate()
        process.wait(150)
        shutil.rmtree(folder)


@pytest.fixture
def postgres(pooled):
    connection = PostgresConnection(pooled, Settings(pool_size=3), WORKERS)
    yield connection
    connection.close()


@pytest.fixture
def other(pooled, executing):
    """Another client of the pooler."""
    return executing(pooled)


def rows(connection, sql, timeout=100.0):
    return json.loads(connection.run(sql, max_rows=100, timeout=timeout).rows)


def test_it_serves_as_without_one(postgres, other):
    other(
        "CREATE TABLE t (n int, word text); "
        "INSERT INTO t SELECT n, 'w' || n % 3 FROM generate_series(1, 9) n; ANALYZE t"
    )
    assert not [warning for warning in postgres.check() if "encrypt" in warning]
    catalog = postgres.catalog()
    assert [table.name for table in catalog.tables] == ["t"]
    postgres.explain("SELECT n FROM t")
    assert rows(postgres, "SELECT count(*), min(word) FROM t") == [[9, "w0"]]
    assert sorted(postgres.profiles(catalog, 100.0)["public", "t", "word"].values) == ["w0", "w1", "w2"]
    assert rows(postgres, "SHOW standard_conforming_strings") == [["on"]]
    assert rows(postgres, "EXPLAIN SELECT n FROM t")


def test_nothing_of_it_is_left_for_other_clients(postgres, other):
    other("CREATE TABLE t (n int)")
    settings = (
        "SELECT name, setting FROM pg_settings WHERE name IN ('default_transaction_read_only', 'statement_timeout', "
        "'lock_timeout', 'search_path', 'idle_in_transaction_session_timeout', 'role', 'extra_float_digits', "
        "'bytea_output', 'DateStyle', 'IntervalStyle', 'sqlchat.q') ORDER BY name"
    )
    before = other(settings)
    for _ in range(3):
        rows(postgres, "SELECT n FROM t")
        with pytest.raises(QueryError):
            rows(postgres, "SELECT nothing FROM t")
        assert other(settings) == before
        other("INSERT INTO t VALUES (1)")
    assert other("SELECT count(*) FROM t") == [(3,)]
    assert other("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_what_other_clients_prepared_stays(postgres, other):
    other("CREATE TABLE t (n int)")
    other("PREPARE kept AS SELECT 1")
    other("SET work_mem = '5MB'")
    rows(postgres, "SELECT n FROM t")
    assert other("EXECUTE kept") == [(1,)]
    assert other("SHOW work_mem") == [("5MB",)]
    other("DEALLOCATE kept")


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (2) RETURNING n",
        "SELECT f()",
        "SELECT set_config('transaction_read_only', 'off', false), f()",
    ],
)
def test_it_is_as_read_only_as_without_one(postgres, other, sql):
    other("CREATE TABLE t (n int)")
    other("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING n'")
    with pytest.raises(QueryError):
        rows(postgres, sql)
    assert other("SELECT count(*) FROM t") == [(0,)]


def test_locks_that_outlive_a_transaction_are_let_go(postgres, other):
    rows(postgres, "SELECT pg_advisory_lock(7)::text")
    assert other("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_a_long_query_is_stopped_and_the_next_one_served(postgres):
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        rows(postgres, "SELECT pg_sleep(300)::text", timeout=0.5)
    assert time.monotonic() - started < 100
    assert rows(postgres, "SELECT 1") == [[1]]


def test_many_threads_share_its_one_connection(postgres, other):
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(rows, postgres, f"SELECT {n} AS n") for n in range(60)]
        for _ in range(20):
            assert other("SELECT 'mine'") == [("mine",)]
        assert [each.result(150) for each in asked] == [[[n]] for n in range(60)]


def test_each_caller_sees_their_own_rows_alone(pooled, other, postgres_server):
    name = pooled["user"]
    postgres_server.execute(f"CREATE ROLE {name}_caller NOLOGIN; GRANT {name}_caller TO {name}")
    try:
        other("CREATE TABLE t (who text, n int); INSERT INTO t VALUES ('one', 1), ('two', 2)")
        other("ALTER TABLE t ENABLE ROW LEVEL SECURITY")
        other("CREATE POLICY own ON t USING (who = current_setting('request.jwt.claims')::json ->> 'sub')")
        other(f"GRANT SELECT ON t TO {name}_caller")
        config = pooled | {"rls": True, "rls_role": f"{name}_caller"}
        connection = PostgresConnection(config, Settings(pool_size=2), WORKERS)
        with contextlib.closing(connection):
            for _ in range(3):
                for sub, n in [("one", 1), ("two", 2)]:
                    caller = connection.for_caller({"sub": sub, "role": "authenticated"})
                    assert rows(caller, "SELECT n FROM t") == [[n]]
                    assert other("SELECT current_user::text, current_setting('request.jwt.claims', true)") in (
                        [(name, "")],
                        [(name, None)],
                    )
    finally:
        postgres_server.execute(f"DROP OWNED BY {name}_caller", pooled["database"])
        postgres_server.execute(f"DROP ROLE {name}_caller")


def test_the_services_own_store_may_lie_behind_it(pooled, postgres_server):
    url = "postgres://{user}:{password}@{host}:{port}/{database}".format(**pooled)
    settings = Settings(database_url=url, secret_key="k" * 40)
    first, second = Store(settings), Store(settings)
    with contextlib.closing(first), contextlib.closing(second):
        first.upgrade()
        for turn in range(3):
            first.connections.add("me", f"pg{turn}", "postgres", {"host": "h"})
            assert len(second.connections.list("me")) == turn + 1
            assert second.connections.get("me", f"pg{turn}").config == {"host": "h"}
        first.connections.delete("me", "pg0")
        assert len(second.connections.list("me")) == 2
