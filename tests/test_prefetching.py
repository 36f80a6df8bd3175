"""What a question needs of a real database is there, or on its way, before anybody asks."""

import contextlib
import logging
import threading
import time

import psycopg2
import pytest

from sqlchat.config import Settings
from sqlchat.errors import ConnectionNotFoundError, SqlchatError
from sqlchat.runtime import Runtime

OWNER = "local"
COLUMN = ("public", "customers", "city")
TABLES = """
CREATE TABLE customers (city text);
INSERT INTO customers SELECT 'Berlin' FROM generate_series(1, 10);
ANALYZE customers;
"""
LATER = """
UPDATE customers SET city = 'Paris';
ANALYZE customers;
"""


@pytest.fixture
def runtime(tmp_path):
    made = Runtime(Settings(data_dir=tmp_path, private_hosts=True))
    yield made
    made.close()
    read()


@pytest.fixture
def database(postgres_server, postgres_database):
    run(postgres_database, TABLES)
    return postgres_database


def run(config, statements):
    with contextlib.closing(psycopg2.connect(**config)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statements)


def read():
    """Wait until nothing is being read."""
    deadline = time.monotonic() + 150
    while any(thread.name == "prefetch" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def known(runtime, name="shop"):
    """Its tables, the values of the column and its first rows, as a question is told."""
    opened = runtime.manager.open(OWNER, name)
    rows = opened.samples.get(COLUMN[:2], ())
    return {table.name for table in opened.catalog.tables}, opened.profiles[COLUMN].values, rows[:1]


def test_what_was_made_is_read_before_it_is_asked(runtime, database):
    runtime.manager.create(OWNER, "postgres", "shop", database, privacy="rows")
    read()
    run(database, LATER)
    assert known(runtime) == ({"customers"}, ("Berlin",), (("Berlin",),))


def test_what_was_read_hides_no_table_that_was_made_right_after(runtime, database):
    runtime.manager.create(OWNER, "postgres", "shop", database)
    read()
    run(database, "CREATE TABLE later AS SELECT 'Oslo' AS city FROM generate_series(1, 10); ANALYZE later")
    opened = runtime.manager.open(OWNER, "shop")
    assert {table.name for table in opened.catalog.tables} == {"customers", "later"}
    assert opened.profiles["public", "later", "city"].values == ("Oslo",)


@pytest.mark.parametrize("changes", [{"privacy": "rows"}, {"config": ...}], ids=["privacy", "config"])
def test_what_was_changed_is_read_anew(runtime, database, changes):
    runtime.manager.create(OWNER, "postgres", "shop", database, privacy="samples")
    read()
    run(database, LATER)
    runtime.manager.change(OWNER, "shop", {"config": database} if "config" in changes else changes)
    read()
    run(database, "UPDATE customers SET city = 'Rome'; ANALYZE customers")
    assert known(runtime)[1] == ("Paris",)


def test_what_is_opened_first_in_a_process_is_read_there(runtime, database):
    other = Runtime(runtime.settings)
    try:
        runtime.manager.create(OWNER, "postgres", "shop", database)
        read()
        other.manager.describe(OWNER, "shop")
        read()
        run(database, LATER)
        assert known(other)[:2] == ({"customers"}, ("Berlin",))
    finally:
        other.close()


@pytest.mark.parametrize("few", [{"read_ahead": False}, {"pool_size": 1}, {"sql_workers": 1}], ids=str)
def test_what_callers_would_wait_for_or_was_not_wanted_is_not_read(tmp_path, database, few):
    runtime = Runtime(Settings(data_dir=tmp_path, private_hosts=True, **few))
    try:
        runtime.manager.create(OWNER, "postgres", "shop", database)
        runtime.manager.describe(OWNER, "shop")
        read()
        run(database, LATER)
        assert known(runtime)[:2] == ({"customers"}, ("Paris",))
    finally:
        runtime.close()


def test_what_is_in_use_makes_no_place_for_what_nobody_asked_for(tmp_path, database):
    runtime = Runtime(Settings(data_dir=tmp_path, private_hosts=True, max_pools=2))
    try:
        for name in ("one", "two"):
            runtime.manager.create(OWNER, "postgres", name, database)
        read()
        used = [runtime.manager.open(OWNER, name).catalog for name in ("one", "two")]
        runtime.manager.create(OWNER, "postgres", "shop", database)
        read()
        assert all(runtime.manager.open(OWNER, n).catalog is c for n, c in zip(("one", "two"), used, strict=True))
        run(database, LATER)
        assert known(runtime)[:2] == ({"customers"}, ("Paris",))
    finally:
        runtime.close()


def test_of_columns_and_rows_that_no_model_may_see_nothing_is_read(runtime, database):
    runtime.manager.create(OWNER, "postgres", "shop", database, privacy="schema")
    read()
    run(database, LATER)
    assert known(runtime) == ({"customers"}, ("Paris",), (("Paris",),))


def test_what_a_policy_hides_is_not_read(runtime, database):
    run(database, "CREATE TABLE hidden (city text); INSERT INTO hidden VALUES ('Oslo'); ANALYZE hidden")
    policy = {"deny_tables": ["hidden"]}
    runtime.manager.create(OWNER, "postgres", "shop", database, policy, privacy="rows")
    read()
    opened = runtime.manager.open(OWNER, "shop")
    assert {table.name for table in opened.catalog.tables} == {"customers"}
    assert {path[1] for path in opened.profiles} == {name for _, name in opened.samples} == {"customers"}


def find_warnings(caplog):
    """Ours: at other levels, libraries may have logged too."""
    return [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_where_each_caller_has_rows_of_their_own_none_is_read(runtime, database, postgres_server, caplog):
    with contextlib.suppress(psycopg2.errors.DuplicateObject):
        postgres_server.execute("CREATE ROLE authenticated")
    postgres_server.execute(f"GRANT authenticated TO {database['user']}")
    run(database, "GRANT SELECT ON customers TO authenticated")
    runtime.manager.create(OWNER, "postgres", "shop", database | {"rls": True}, privacy="rows")
    read()
    assert find_warnings(caplog) == []
    opened = runtime.manager.open(OWNER, "shop", {"sub": "1", "role": "authenticated"})
    assert {table.name for table in opened.catalog.tables} == {"customers"}
    assert (opened.profiles, opened.samples) == ({}, {})


def test_a_failure_is_told_by_the_question_and_not_by_what_was_made(runtime, database, postgres_server, caplog):
    with contextlib.closing(psycopg2.connect(postgres_server.superuser_dsn(database["database"]))) as holder:
        holder.cursor().execute("LOCK TABLE pg_description IN ACCESS EXCLUSIVE MODE")
        assert runtime.manager.create(OWNER, "postgres", "shop", database).state == "ready"
        read()
        with pytest.raises(SqlchatError):
            assert runtime.manager.open(OWNER, "shop").catalog
    (warning,) = find_warnings(caplog)
    assert warning.message == "connection could not be prefetched"
    assert database["password"] not in caplog.text + str(vars(warning))
    assert runtime.manager.open(OWNER, "shop").catalog.table("customers")


def test_what_was_deleted_meanwhile_is_gone(runtime, database):
    runtime.manager.create(OWNER, "postgres", "shop", database)
    runtime.manager.delete(OWNER, "shop")
    read()
    with pytest.raises(ConnectionNotFoundError):
        runtime.manager.open(OWNER, "shop")
    deadline = time.monotonic() + 150
    while sessions(database) > 1:  # that which counts them
        assert time.monotonic() < deadline
        time.sleep(0.05)


def sessions(config):
    with contextlib.closing(psycopg2.connect(**config)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


def test_a_runtime_ends_while_it_reads(runtime, database):
    run(database, "".join(f"CREATE TABLE t{n} (a int, b text);" for n in range(300)))
    runtime.manager.create(OWNER, "postgres", "shop", database, privacy="rows")
    started = time.monotonic()
    runtime.close()
    assert time.monotonic() - started < 100
