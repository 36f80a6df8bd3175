"""Tables whose partitions lie on other servers: a coordinator and two shards, by postgres_fdw."""

import contextlib
import os
import secrets
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest
from policed import PolicedDatabase

from sqlchat.app import create_app
from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.connections.samples import read_samples
from sqlchat.errors import QueryError, QueryTimeoutError, SQLRefusedError
from sqlchat.exports import FORMATS
from sqlchat.workers import Workers

pytestmark = pytest.mark.extensions

ROWS = 40_000  # on each shard
SHARD = """
CREATE ROLE reader LOGIN PASSWORD '{password}';
CREATE TABLE orders (id int, region text, amount int, card text);
INSERT INTO orders SELECT id, '{region}', id % 100, 'card ' || id FROM generate_series(1, {rows}) id;
CREATE TABLE notes (region text, label text);
INSERT INTO notes SELECT '{region}', 'open' FROM generate_series(1, 9);
CREATE VIEW slow AS SELECT '{region}'::text AS region, 1 AS n FROM pg_sleep({pause});
CREATE FUNCTION note() RETURNS text LANGUAGE sql SECURITY DEFINER
    AS $$INSERT INTO public.notes VALUES ('{region}', 'written') RETURNING region$$;
CREATE VIEW noting AS SELECT note() AS region;
GRANT SELECT ON orders, notes, slow, noting TO reader;
"""
COORDINATOR = """
CREATE EXTENSION postgres_fdw;
CREATE ROLE reader LOGIN PASSWORD '{password}';
ALTER ROLE reader SET enable_partitionwise_aggregate = on;
CREATE TABLE orders (id int, region text, amount int, card text) PARTITION BY LIST (region);
CREATE TABLE notes (region text, label text) PARTITION BY LIST (region);
CREATE TABLE slow (region text, n int) PARTITION BY LIST (region);
"""
ATTACHED = """
CREATE SERVER {region} FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host '{host}', port '{port}', dbname 'postgres', async_capable 'true', fetch_size '10000',
        connect_timeout '2', options '-c default_transaction_read_only=on -c lock_timeout=500ms');
CREATE USER MAPPING FOR reader SERVER {region} OPTIONS (user 'reader', password '{password}');
CREATE USER MAPPING FOR postgres SERVER {region} OPTIONS (user 'reader', password '{password}');
GRANT USAGE ON FOREIGN SERVER {region} TO reader;
CREATE FOREIGN TABLE orders_{region} PARTITION OF orders FOR VALUES IN ('{region}') SERVER {region}
    OPTIONS (table_name 'orders');
CREATE FOREIGN TABLE notes_{region} PARTITION OF notes FOR VALUES IN ('{region}') SERVER {region}
    OPTIONS (table_name 'notes');
CREATE FOREIGN TABLE slow_{region} PARTITION OF slow FOR VALUES IN ('{region}') SERVER {region}
    OPTIONS (table_name 'slow');
CREATE FOREIGN TABLE noting_{region} (region text) SERVER {region} OPTIONS (table_name 'noting');
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
"""
ROW_SECURITY = """
CREATE ROLE asker;
GRANT asker TO reader;
CREATE TABLE own (region text, label text) PARTITION BY LIST (region);
ALTER TABLE own ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON own USING (region = current_setting('request.jwt.claims')::json ->> 'sub');
GRANT SELECT ON own TO asker;
"""
OWN = """
CREATE USER MAPPING FOR asker SERVER {region} OPTIONS (user 'reader', password '{password}');
CREATE FOREIGN TABLE own_{region} PARTITION OF own FOR VALUES IN ('{region}') SERVER {region}
    OPTIONS (table_name 'notes');
"""
BY_REGION = "SELECT region, count(*) AS n, sum(amount) AS s FROM orders GROUP BY region ORDER BY region"
NOTING = ("noting_north", "noting_south")
TOTALS = [["north", ROWS, ROWS // 100 * 4950], ["south", ROWS, ROWS // 100 * 4950]]
BUSY = "SELECT pid FROM pg_stat_activity WHERE usename = 'reader' AND state <> 'idle'"
SLEEPING = "SELECT pid FROM pg_stat_activity WHERE usename = 'reader' AND wait_event = 'PgSleep'"


@dataclass
class Cluster:
    coordinator: Any
    north: Any
    south: Any
    config: dict[str, Any]

    def has_busy(self, question=BUSY):
        """Whether a shard has a session of the coordinator's to which the question applies."""
        return any(shard.execute(question) for shard in (self.north, self.south))


@pytest.fixture(scope="module")
def cluster(start_extended):
    with contextlib.ExitStack() as started:
        coordinator, north, south = (
            started.enter_context(contextlib.closing(start_extended("postgres_fdw"))) for _ in range(3)
        )
        password = secrets.token_hex(8)
        coordinator.execute(COORDINATOR.format(password=password))
        for region, shard, pause in (("north", north, 0), ("south", south, 300)):
            shard.execute(SHARD.format(region=region, password=password, rows=ROWS, pause=pause))
            attached = ATTACHED.format(region=region, host=shard.host, port=shard.port, password=password)
            coordinator.execute(attached)
        place = {"host": coordinator.host, "port": coordinator.port, "database": "postgres"}
        yield Cluster(coordinator, north, south, {**place, "user": "reader", "password": password})


@pytest.fixture(scope="module")
def database(cluster, tmp_path_factory):
    with contextlib.closing(PolicedDatabase(tmp_path_factory.mktemp("shards"), "postgres", cluster.config)) as made:
        yield made


@pytest.fixture(autouse=True)
def _hasty_profiles(monkeypatch):
    """The table that is slow for ever takes no longer."""
    monkeypatch.setattr("sqlchat.connections.postgres.profile.SAMPLING", 5.0)


@pytest.fixture
def connect(cluster):
    """Opens the driver's connection with more fields of its config, under settings."""
    with contextlib.ExitStack() as opened:
        workers = opened.enter_context(contextlib.closing(Workers(1, 1024)))

        def open_connection(fields=(), **settings):
            made = PostgresConnection(cluster.config | dict(fields), Settings(**settings), workers)
            return opened.enter_context(contextlib.closing(made))

        yield open_connection


@pytest.fixture
def analyzed(cluster):
    """The coordinator's statistics of the tables; nothing makes them but ANALYZE."""
    cluster.coordinator.execute("ANALYZE orders, notes")
    yield
    cluster.coordinator.execute("DELETE FROM pg_statistic WHERE starelid = 'orders'::regclass")
    cluster.coordinator.execute("UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname LIKE 'orders%'")


def wait_until(is_met, seconds=120.0):
    until = time.monotonic() + seconds
    while not is_met() and time.monotonic() < until:
        time.sleep(0.05)
    assert is_met()


def plan_of(database, sql):
    return "\n".join(line for (line,) in database.run(f"EXPLAIN VERBOSE {sql}"))


def test_the_shards_are_one_table(database):
    tables = database.open().catalog.tables
    assert {table.name for table in tables if table.partition_of is None} == {"orders", "notes", "slow", *NOTING}
    assert {table.partition_of for table in tables if table.name.startswith("orders_")} == {("public", "orders")}
    assert database.run(BY_REGION) == TOTALS
    assert database.run("SELECT card FROM orders WHERE region = 'south' AND id = 7") == [["card 7"]]
    assert database.run("SELECT count(*) FROM orders_north") == [[ROWS]]


def test_shards_aggregate_side_by_side(database):
    plan = plan_of(database, BY_REGION)
    assert plan.count("Async Foreign Scan") == 2
    assert plan.count("Remote SQL: SELECT region, count(*), sum(amount) FROM public.orders GROUP BY") == 2


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO orders VALUES (0, 'north', 0, '')",
        "UPDATE orders_north SET amount = 0",
        "DELETE FROM orders",
        "TRUNCATE orders",
        "WITH gone AS (DELETE FROM orders_north RETURNING id) SELECT * FROM gone",
        "IMPORT FOREIGN SCHEMA public FROM SERVER north INTO public",
        "SELECT pg_sleep(1) FROM orders_north",
        "SELECT * FROM orders_north WHERE pg_advisory_lock(id) IS NULL",
        "SELECT o.pg_sleep FROM (SELECT id::float8 FROM orders_north) o",
        "SELECT * FROM postgres_fdw_get_connections()",
        "SELECT postgres_fdw_disconnect_all()",
        "SELECT umoptions FROM pg_user_mappings",
        "SELECT srvoptions FROM pg_foreign_server",
        "SELECT * FROM information_schema.foreign_server_options",
    ],
)
def test_writes_calls_and_the_shards_passwords_are_refused(database, sql):
    with pytest.raises(SQLRefusedError):
        database.run(sql)


def test_writes_past_the_guard_change_no_shard(cluster, database):
    cluster.coordinator.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO reader")
    for shard in (cluster.north, cluster.south):
        shard.execute("GRANT ALL ON orders TO reader")
    for sql in ("DELETE FROM orders RETURNING id", "INSERT INTO orders_north VALUES (0) RETURNING id"):
        with pytest.raises(QueryError, match="read-only transaction"):
            database.open()._driver.run(sql, max_rows=1, timeout=100)
    assert database.run(BY_REGION) == TOTALS


def test_a_view_of_a_shard_that_calls_what_writes_is_stopped_there(cluster, database):
    with pytest.raises(QueryError, match="read-only transaction"):
        database.run("SELECT * FROM noting_south")
    assert cluster.south.execute("SELECT count(*) FROM notes WHERE label = 'written'") == [(0,)]


@pytest.mark.parametrize("table", ["orders", "orders_north", "public.orders_south"])
@pytest.mark.parametrize("columns", ["card", "*", "count(card)", "orders"])
def test_a_column_denied_on_the_table_is_denied_on_its_shards(database, table, columns):
    selected = table.rpartition(".")[2] if columns == "orders" else columns  # the whole row
    with pytest.raises(SQLRefusedError):
        database.run_under(f"SELECT {selected} FROM {table}", deny_columns=["orders.card"])


def test_a_table_denied_on_the_coordinator_is_denied_on_its_shards(database):
    for table in ("orders", "orders_north"):
        with pytest.raises(SQLRefusedError):
            database.run_under(f"SELECT count(*) FROM {table}", deny_tables=["orders"])


def test_row_level_security_of_the_table_holds_unless_a_shard_is_readable_by_name(cluster, connect):
    cluster.coordinator.execute(ROW_SECURITY)
    for region in ("north", "south"):
        cluster.coordinator.execute(OWN.format(region=region, password=cluster.config["password"]))
    connection = connect({"rls": True, "rls_role": "asker"})
    caller = connection.for_caller({"sub": "north"})
    assert caller.run("SELECT DISTINCT region FROM own", max_rows=9, timeout=100).rows == b'[["north"]]'
    with pytest.raises(QueryError, match="Permission denied"):
        caller.run("SELECT * FROM own_south", max_rows=9, timeout=100)
    open_tables = "1 tables that asker may read show it all their rows."
    assert open_tables not in connection.check()
    cluster.coordinator.execute("GRANT SELECT ON own_south TO asker")
    assert open_tables in connection.check()
    cluster.coordinator.execute("DROP TABLE own")


def test_without_statistics_a_profile_is_a_sample_and_a_cost_a_guess(database, connect):
    opened = database.open()
    opened.read_catalog()
    assert opened.catalog.table("orders").row_estimate is None
    assert not connect().profiles(opened.catalog, 100.0)["public", "orders", "region"].complete
    assert connect().explain("SELECT * FROM orders").cost < 500


def test_analyze_on_the_coordinator_brings_estimates_profiles_and_costs(database, connect, analyzed):
    opened = database.open()
    opened.read_catalog()
    assert opened.catalog.table("orders").row_estimate == 2 * ROWS
    region = connect().profiles(opened.catalog, 100.0)["public", "orders", "region"]
    assert set(region.values) == {"north", "south"}
    assert connect().explain("SELECT * FROM orders").cost > 1000
    assert connect().explain(BY_REGION).cost < connect().explain("SELECT * FROM orders").cost


def test_shards_that_estimate_themselves_are_asked_for_costs(cluster, connect):
    for region in ("north", "south"):
        cluster.coordinator.execute(f"ALTER SERVER {region} OPTIONS (ADD use_remote_estimate 'true')")
    try:
        assert connect().explain("SELECT * FROM orders").cost > 1000
    finally:
        for region in ("north", "south"):
            cluster.coordinator.execute(f"ALTER SERVER {region} OPTIONS (DROP use_remote_estimate)")


def test_statistics_prove_nothing_of_what_a_shard_changed_since(cluster, database, connect, analyzed):
    cluster.south.execute("INSERT INTO notes VALUES ('south', 'closed')")
    label = connect().profiles(database.open().catalog, 100.0)["public", "notes", "label"]
    assert (label.values, label.complete, label.exact) == (("open",), False, False)


def test_a_slow_shard_is_cancelled_with_its_statement(cluster, connect):
    connection = connect()
    with ThreadPoolExecutor() as threads:
        run = threads.submit(connection.run, "SELECT sum(n) FROM slow", max_rows=1, timeout=6)
        wait_until(lambda: cluster.has_busy(SLEEPING) or run.done())
        assert cluster.has_busy(SLEEPING)
        begun = time.monotonic()
        assert isinstance(run.exception(), QueryTimeoutError)
    assert time.monotonic() - begun < 100
    wait_until(lambda: not cluster.has_busy(SLEEPING))


def test_a_locked_table_of_a_shard_is_not_waited_for(cluster, connect):
    with contextlib.closing(psycopg2.connect(cluster.south.superuser_dsn())) as locking:
        locking.cursor().execute("LOCK orders")
        with pytest.raises(QueryTimeoutError, match="locked"):
            connect().run("SELECT count(*) FROM orders", max_rows=1, timeout=100)


def test_a_time_limit_of_a_shard_is_told_as_its_own(cluster, connect):
    cluster.south.execute("ALTER ROLE reader SET statement_timeout = '300ms'")
    try:
        with pytest.raises(QueryTimeoutError, match="at its own time limit"):
            connect().run("SELECT sum(n) FROM slow", max_rows=1, timeout=100)
    finally:
        cluster.south.execute("ALTER ROLE reader RESET statement_timeout")


def test_a_frozen_shard_holds_nobody_past_the_timeout(cluster, connect):
    connection = connect(pool_size=1)
    connection.run("SELECT count(*) FROM orders", max_rows=1, timeout=100)
    backends = [pid for (pid,) in cluster.south.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'reader'")]
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(QueryTimeoutError):
            connection.run("SELECT count(*) FROM orders", max_rows=1, timeout=1)
        assert time.monotonic() - begun < 100
        north = connection.run("SELECT count(*) FROM orders WHERE region = 'north'", max_rows=1, timeout=100)
        assert north.rows == b"[[%d]]" % ROWS
    finally:
        for pid in backends:
            os.kill(pid, signal.SIGCONT)


def test_whole_results_stream_from_all_shards(database):
    opened = database.open()
    stream = opened.stream(opened.examine("SELECT id, region FROM orders"))
    with contextlib.closing(stream):
        lines = b"".join(FORMATS["application/x-ndjson"].write(stream)).splitlines()
    assert len(lines) == 2 * ROWS
    assert sum(b'"south"' in line for line in lines) == ROWS


def test_a_stream_that_is_given_up_ends_on_the_shards(cluster, database):
    opened = database.open()
    stream = opened.stream(opened.examine("SELECT a.* FROM orders a, generate_series(1, 1000)"))
    next(iter(stream))
    assert cluster.has_busy()
    stream.close()
    wait_until(lambda: not cluster.has_busy())


def test_a_shard_that_is_down_is_told_and_holds_up_no_other(cluster, connect, tmp_path):
    app = create_app(Settings(data_dir=tmp_path))
    client, connection = app.test_client(), connect()
    with contextlib.closing(app.extensions["sqlchat"]):
        sent = {"provider": "postgres", "name": "shards", "config": cluster.config}
        assert client.post("/api/connections", json=sent).status_code == 201

        def execute(sql):
            return client.post("/api/execute", json={"connection_id": "shards", "sql": sql})

        assert execute(BY_REGION).get_json()["results"]["rows"] == TOTALS
        cluster.south.stop()
        try:
            for sql in (BY_REGION, "SELECT * FROM orders_south", BY_REGION):
                failed = execute(sql)
                assert (failed.status_code, failed.get_json()["code"]) == (503, "foreign_server_unavailable")
                assert 'could not connect to server "south"' in failed.get_json()["detail"]
                assert (failed.headers["Retry-After"], str(cluster.south.port) in failed.text) == ("5", False)
            north = execute("SELECT count(*) FROM orders WHERE region = 'north'").get_json()
            assert north["results"]["rows"] == [[ROWS]]
            catalog = connection.catalog()
            assert ("public", "orders", "region") not in connection.profiles(catalog, 5)
            assert ("public", "orders") not in read_samples(connection, catalog)
        finally:
            cluster.south.start()
        assert execute(BY_REGION).get_json()["results"]["rows"] == TOTALS


def test_a_shard_that_dies_in_the_middle_is_told(cluster, connect):
    connection = connect()
    with ThreadPoolExecutor() as threads:
        run = threads.submit(connection.run, "SELECT sum(n) FROM slow", max_rows=1, timeout=100)
        wait_until(lambda: cluster.has_busy(SLEEPING) or run.done())
        cluster.south.execute(f"SELECT pg_terminate_backend(pid) FROM ({SLEEPING}) sleeping")
        assert getattr(run.exception(), "code", "") == "foreign_server_unavailable"
