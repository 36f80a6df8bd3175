"""The manager, over the real store and real databases."""

import contextlib
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from sqlchat.config import Settings
from sqlchat.connections.manager import ConnectionManager
from sqlchat.errors import (
    BusyError,
    ConflictError,
    ConnectionConfigError,
    ConnectionNotFoundError,
    PayloadError,
    ProviderUnknownError,
    QueryError,
    QueryTimeoutError,
    TooLargeError,
    UnknownNameError,
)
from sqlchat.store import Store

OWNER, OTHER = "owner-1", "owner-2"


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, max_pools=2, private_hosts=True)


@pytest.fixture
def managers(settings, workers):
    """Makes managers, each with a store of its own, as each web worker has."""
    made = []

    def manager(**changes):
        own = Settings(**{"data_dir": settings.data_dir, "max_pools": 2, "private_hosts": True} | changes)
        store = Store(own)
        store.upgrade()
        made.append((ConnectionManager(own, store, workers), store))
        return made[-1][0]

    yield manager
    for each, store in made:
        each.close()
        store.close()


@pytest.fixture
def manager(managers):
    return managers()


def shop(settings, name="shop.db", cities=("Berlin", "Paris", "Berlin")):
    path = settings.data_dir / name
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, city TEXT, joined DATE)")
        connection.executemany("INSERT INTO customers (city) VALUES (?)", [(city,) for city in cities])
    connection.close()
    return path


def count(connection, table="customers"):
    return connection.run(connection.examine(f"SELECT count(*) FROM {table}"), max_rows=1).rows


# Making and deleting


def test_a_connection_is_tried_then_kept(manager, settings):
    shop(settings)
    made = manager.create(OWNER, "sqlite", "shop", {"database": "shop.db"})
    assert (made.name, made.provider, made.class_name, made.dialect) == (
        "shop",
        "sqlite",
        "SQLiteConnection",
        "sqlite",
    )
    assert (made.state, made.warnings) == ("ready", ())
    assert count(manager.open(OWNER, "shop")) == b"[[3]]"
    assert [each.name for each in manager.list(OWNER)] == ["shop"]


def test_a_connection_comes_with_its_catalog(manager, settings):
    shop(settings)
    manager.create(OWNER, "sqlite", "shop", {"database": "shop.db"})
    opened = manager.open(OWNER, "shop")
    assert opened.catalog is manager.open(OWNER, "shop").catalog
    assert opened.profiles is manager.open(OWNER, "shop").read_profiles()
    assert opened.privacy == "samples"
    with pytest.raises(ConnectionNotFoundError):
        manager.open(OWNER, "another")


def wait_for_query(config):
    """Wait until Postgres sends the rows of a query of ours; gives the id of that session."""
    ours = "state = 'active' AND datname = current_database() AND query LIKE 'COPY%'"
    with contextlib.closing(psycopg2.connect(**config)) as raw, raw.cursor() as cursor:
        raw.autocommit = True
        for _ in range(6000):
            cursor.execute(f"SELECT pid FROM pg_stat_activity WHERE {ours}")
            if row := cursor.fetchone():
                return row[0]
            time.sleep(0.02)
    raise AssertionError("the query did not start")


def test_what_an_answer_can_do_without_is_left_out_while_the_pool_is_in_use(
    managers, postgres_database, postgres_server, caplog
):
    with contextlib.closing(psycopg2.connect(**postgres_database)) as writer, writer, writer.cursor() as cursor:
        cursor.execute("CREATE TABLE customers (city text); CREATE VIEW slow AS SELECT pg_sleep(300)::text AS s")
    manager = managers(pool_size=1, pool_timeout=0.1, statement_timeout=200.0)
    manager.create(OWNER, "postgres", "shop", postgres_database, privacy="rows")
    opened = manager.open(OWNER, "shop")
    assert opened.catalog.table("customers")
    unknown = UnknownNameError('Relation "x" does not exist.', sqlstate="42P01")
    with ThreadPoolExecutor(1) as threads:
        sleeping = threads.submit(opened.run, opened.examine("SELECT s FROM slow"))
        pid = wait_for_query(postgres_database)
        try:
            with pytest.raises(BusyError):
                manager.open(OWNER, "shop").read_profiles()
            assert (opened.profiles, opened.samples) == ({}, {})
            assert not manager.open(OWNER, "shop").reread_catalog(unknown), "the fault stays what it is"
        finally:
            postgres_server.execute(f"SELECT pg_cancel_backend({pid})")
        assert isinstance(sleeping.exception(), QueryTimeoutError)
    ours = [each for each in caplog.records if each.name.startswith("sqlchat.connections")]
    said = [(each.message, getattr(each, "reason", "")) for each in ours]
    assert ("profiles could not be read", "All connections to this database are in use.") in said
    assert ("catalog could not be read anew", "All connections to this database are in use.") in said


def test_first_rows_are_read_as_the_policy_lets_them(manager, settings):
    with sqlite3.connect(shop(settings)) as writer:
        writer.execute('CREATE TABLE "odd ""name" ("a b" TEXT, c BLOB, d REAL)')
        writer.execute("""INSERT INTO "odd ""name" VALUES ('x', x'00', 1.5), (NULL, NULL, NULL)""")
        writer.execute("CREATE TABLE staff (name TEXT, salary INTEGER)")
        writer.execute("INSERT INTO staff VALUES ('Ann', 7)")
    writer.close()
    config, policy = {"database": "shop.db"}, {"deny_columns": ["staff.salary"], "deny_tables": ["customers"]}
    manager.create(OWNER, "sqlite", "all", config)
    samples = manager.open(OWNER, "all").samples
    assert len(samples["", "customers"]) == 3
    assert samples["", 'odd "name'] == (("x", "AA==", "1.5"), ("NULL", "NULL", "NULL"))
    assert samples["", "staff"] == (("Ann", "7"),)
    manager.create(OWNER, "sqlite", "some", config, policy)
    allowed = manager.open(OWNER, "some").samples
    assert allowed == {("", 'odd "name'): samples["", 'odd "name'], ("", "staff"): (("Ann",),)}


def test_what_does_not_work_is_not_kept(manager):
    with pytest.raises(ConnectionConfigError):
        manager.create(OWNER, "sqlite", "shop", {"database": "missing.db"})
    assert manager.list(OWNER) == []


def test_an_unknown_provider_is_refused(manager):
    with pytest.raises(ProviderUnknownError):
        manager.create(OWNER, "oracle", "shop", {})


@pytest.mark.parametrize("name", ["", "a/b", "..", ".a", "-a", "a b", "a\n", "a" * 64, "a?b", "a%2Fb", "a\0"])
def test_names_that_do_not_survive_a_path_are_refused(manager, name):
    with pytest.raises(PayloadError, match="1 to 63 letters") as caught:
        manager.create(OWNER, "sqlite", name, {"database": ":memory:"})
    assert "name" in caught.value.facts["errors"]


@pytest.mark.parametrize("name", ["a", "a" * 63, "Shop-2.eu_1", "магазин", "店"])
def test_other_names_are_taken(manager, name):
    manager.create(OWNER, "sqlite", name, {"database": ":memory:"})
    assert manager.describe(OWNER, name).name == name


def test_a_taken_name_is_a_conflict_before_anything_is_tried(manager):
    manager.create(OWNER, "sqlite", "shop", {"database": ":memory:"})
    with pytest.raises(ConflictError, match="'shop'"):
        manager.create(OWNER, "sqlite", "shop", {"database": "missing.db"})


def test_a_name_belongs_to_its_owner(manager, settings):
    shop(settings)
    shop(settings, "other.db", cities=())
    manager.create(OWNER, "sqlite", "shop", {"database": "shop.db"})
    for use in (manager.open, manager.describe, manager.dialect, manager.refresh, manager.delete):
        with pytest.raises(ConnectionNotFoundError):
            use(OTHER, "shop")
    manager.create(OTHER, "sqlite", "shop", {"database": "other.db"})
    assert [count(manager.open(owner, "shop")) for owner in (OWNER, OTHER)] == [b"[[3]]", b"[[0]]"]
    manager.delete(OTHER, "shop")
    assert count(manager.open(OWNER, "shop")) == b"[[3]]"


def test_describe_tells_whether_the_database_can_be_reached(manager, settings):
    path = shop(settings)
    manager.create(OWNER, "sqlite", "shop", {"database": "shop.db"})
    assert manager.describe(OWNER, "shop").state == "ready"
    path.rename(path.with_suffix(".away"))
    found = manager.describe(OWNER, "shop")
    assert found.state == "unreachable"
    assert "no file" in found.warnings[0]
    path.with_suffix(".away").rename(path)
    assert manager.describe(OWNER, "shop").state == "ready"
    with pytest.raises(ConnectionNotFoundError):
        manager.describe(OWNER, "nope")


# Several processes


def test_what_one_process_makes_serves_in_all_and_is_gone_everywhere(managers, settings):
    shop(settings)
    shop(settings, "other.db", cities=())
    first, second = managers(), managers()
    first.create(OWNER, "sqlite", "shop", {"database": "shop.db"})
    assert count(second.open(OWNER, "shop")) == b"[[3]]"
    first.delete(OWNER, "shop")
    for manager in (first, second):
        with pytest.raises(ConnectionNotFoundError):
            manager.open(OWNER, "shop")
        with pytest.raises(ConnectionNotFoundError):
            assert manager.open(OWNER, "shop").catalog
    first.create(OWNER, "sqlite", "shop", {"database": "other.db"})
    assert count(second.open(OWNER, "shop")) == b"[[0]]"


# Open connections


def test_threads_share_one_pool(manager):
    manager.create(OWNER, "sqlite", "shop", {"database": ":memory:"})
    found = []
    threads = [threading.Thread(target=lambda: found.append(manager.open(OWNER, "shop"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(connection._driver) for connection in found}) == 1


class Server:
    """Counts who is connected to a database of the Postgres server."""

    def __init__(self, server):
        self._connection = psycopg2.connect(server.superuser_dsn())
        self._connection.autocommit = True

    def connected(self, config):
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", (config["database"],))
            return cursor.fetchone()[0]

    def settles(self, config, expected):
        """True once that many are connected; a server takes a moment to notice who left."""
        until = time.monotonic() + 120
        while self.connected(config) != expected and time.monotonic() < until:
            time.sleep(0.02)
        return self.connected(config) == expected

    def close(self):
        self._connection.close()


@pytest.fixture
def server(postgres_server):
    watcher = Server(postgres_server)
    yield watcher
    watcher.close()


def test_making_a_connection_leaves_none_open(manager, server, postgres_database):
    manager.create(OWNER, "postgres", "warehouse", postgres_database)
    assert server.settles(postgres_database, 0)


def test_a_pool_is_closed_when_its_definition_is_gone(managers, server, postgres_database):
    first, second = managers(), managers()
    first.create(OWNER, "postgres", "warehouse", postgres_database)
    for manager in (first, second):
        count(manager.open(OWNER, "warehouse"), "pg_class")
    assert server.settles(postgres_database, 2)
    first.delete(OWNER, "warehouse")
    assert server.settles(postgres_database, 1)
    with pytest.raises(ConnectionNotFoundError):
        second.open(OWNER, "warehouse")
    assert server.settles(postgres_database, 0)


def test_the_least_recently_used_pool_is_closed_but_not_under_its_user(manager, server, postgres_database):
    manager.create(OWNER, "postgres", "warehouse", postgres_database)
    for name in ("one", "two"):
        manager.create(OWNER, "sqlite", name, {"database": ":memory:"})
    held = manager.open(OWNER, "warehouse")
    count(held, "pg_class")
    manager.open(OWNER, "one")
    manager.open(OWNER, "two")
    assert server.connected(postgres_database) == 1
    assert count(held, "pg_database") != b""
    del held
    assert server.settles(postgres_database, 0)
    assert count(manager.open(OWNER, "warehouse"), "pg_class") != b""


def test_close_drops_everything_and_the_next_use_connects_anew(manager, server, postgres_database):
    manager.create(OWNER, "postgres", "warehouse", postgres_database)
    assert manager.open(OWNER, "warehouse").catalog
    manager.open(OWNER, "warehouse").read_profiles()
    assert server.connected(postgres_database) > 0
    manager.close()
    assert server.settles(postgres_database, 0)
    assert manager.open(OWNER, "warehouse").catalog.dialect == "postgres"


# Catalogs


def test_a_catalog_of_a_server_is_kept_until_its_time_or_refresh(managers, postgres_database):
    manager, hasty = managers(), managers(catalog_ttl=0.0)
    manager.create(OWNER, "postgres", "shop", postgres_database)
    before = manager.open(OWNER, "shop").catalog
    assert hasty.open(OWNER, "shop").catalog.version == before.version != ""
    with contextlib.closing(psycopg2.connect(**postgres_database)) as writer, writer, writer.cursor() as cursor:
        cursor.execute("CREATE TABLE products (name text)")
    assert manager.open(OWNER, "shop").catalog is before
    assert hasty.open(OWNER, "shop").catalog.table("products")
    after = manager.open(OWNER, "shop").read_catalog()
    assert after.table("products")
    assert after.version != before.version
    assert manager.open(OWNER, "shop").catalog is after


def test_a_catalog_of_a_file_is_kept_until_the_file_has_other_definitions(manager, settings):
    path = shop(settings)
    manager.create(OWNER, "sqlite", "shop", {"database": "shop.db"})
    before = manager.open(OWNER, "shop").catalog
    for statement, table in (
        ("INSERT INTO customers (id) VALUES (77)", None),
        ("CREATE TABLE products (n)", "products"),
    ):
        with sqlite3.connect(path) as writer:
            writer.execute(statement)
        writer.close()
        now = manager.open(OWNER, "shop").catalog
        assert (now is before) == (table is None)
    assert now.table("products")


def test_profiles_are_kept_until_the_tables_change_their_time_or_refresh(managers, settings):
    path = shop(settings)
    with sqlite3.connect(path) as writer:
        writer.execute("CREATE VIEW places AS SELECT city FROM customers")
        writer.execute("CREATE TABLE notes (body TEXT, kind TEXT)")
        writer.executemany("INSERT INTO notes VALUES (?, ?)", [(f"note {i}", "a" * 200) for i in range(300)])
    manager, hasty = managers(), managers(profile_ttl=0.001)
    manager.create(OWNER, "sqlite", "shop", {"database": "shop.db"})
    before = manager.open(OWNER, "shop").read_profiles()
    cities = ("Berlin", "Paris")
    assert before.few_texts == {("", "customers", "city"): cities, ("", "places", "city"): cities}
    assert len(before.texts["", "notes", "body"]) == 300
    assert not before["", "notes", "body"].complete
    assert hasty.open(OWNER, "shop").read_profiles() == before
    with sqlite3.connect(path) as writer:
        writer.execute("INSERT INTO customers (city) VALUES ('Rome')")
    manager.open(OWNER, "shop").read_catalog()
    assert manager.open(OWNER, "shop").read_profiles() is before  # rows alone are no reason
    assert hasty.open(OWNER, "shop").read_profiles().few_texts["", "customers", "city"] == ("Berlin", "Paris", "Rome")
    with sqlite3.connect(path) as writer:
        writer.execute("CREATE TABLE tags (tag VARCHAR(9))")
        writer.execute("INSERT INTO tags VALUES ('new')")
    manager.open(OWNER, "shop").read_catalog()
    after = manager.open(OWNER, "shop").read_profiles().few_texts
    assert after == dict.fromkeys(before.few_texts, (*cities, "Rome")) | {("", "tags", "tag"): ("new",)}
    with sqlite3.connect(path) as writer:
        writer.execute("INSERT INTO tags VALUES ('old')")
    writer.close()
    told = manager.refresh(OWNER, "shop")
    assert (told.version, told.tables) == (manager.open(OWNER, "shop").catalog.version, 4)
    assert manager.open(OWNER, "shop").read_profiles().few_texts["", "tags", "tag"] == ("new", "old")


@pytest.mark.parametrize("privacy", ["schema", "samples", "rows"])
def test_what_a_model_may_see_is_told_by_every_process(managers, settings, privacy):
    config = {"database": str(shop(settings))}
    made = managers().create(OWNER, "sqlite", "shop", config, privacy=privacy)
    assert made.privacy == privacy
    assert managers().describe(OWNER, "shop").privacy == privacy


def test_the_dialect_is_known_without_asking_the_database(manager, settings):
    config = {"database": str(shop(settings))}
    manager.create(OWNER, "sqlite", "shop", config)
    (settings.data_dir / "shop.db").unlink()
    assert manager.dialect(OWNER, "shop") == "sqlite"
    with pytest.raises(ConnectionNotFoundError):
        manager.dialect(OTHER, "shop")


def test_a_refresh_reaches_every_process(managers, settings):
    path, here, elsewhere = shop(settings), managers(), managers()
    here.create(OWNER, "sqlite", "shop", {"database": "shop.db"})
    held = elsewhere.open(OWNER, "shop")
    assert elsewhere.open(OWNER, "shop").catalog.table("tags") is None
    with sqlite3.connect(path) as writer:
        writer.execute("CREATE TABLE tags (tag TEXT)")
    writer.close()
    here.refresh(OWNER, "shop")
    assert elsewhere.open(OWNER, "shop").catalog.table("tags")
    assert count(held) == b"[[3]]", "who uses the connection meanwhile goes on"


def test_an_unknown_name_has_the_catalog_read_anew_but_not_at_once_again(manager, postgres_database):
    manager.create(OWNER, "postgres", "shop", postgres_database)

    def fault(sql):
        opened = manager.open(OWNER, "shop")
        examined = opened.examine(sql)
        with pytest.raises(QueryError) as caught:
            opened.run(examined)
        return caught.value

    def change(statement):
        with contextlib.closing(psycopg2.connect(**postgres_database)) as writer:
            writer.autocommit = True
            writer.cursor().execute(statement)

    assert manager.open(OWNER, "shop").catalog
    unknown = fault("SELECT * FROM products")
    change("CREATE TABLE products (name TEXT)")
    assert not manager.open(OWNER, "shop").reread_catalog(QueryError("Division by zero.", sqlstate="22012"))
    assert not manager.open(OWNER, "shop").reread_catalog(TooLargeError("no such table"))
    assert manager.open(OWNER, "shop").catalog.table("products") is None
    assert manager.open(OWNER, "shop").reread_catalog(unknown)
    assert manager.open(OWNER, "shop").catalog.table("products")
    change("CREATE TABLE parts (name TEXT)")
    assert not manager.open(OWNER, "shop").reread_catalog(fault("SELECT nope FROM products"))
    assert manager.open(OWNER, "shop").catalog.table("parts") is None


@pytest.mark.mysql
def test_views_that_a_policy_cannot_judge_are_told_at_creation(managers, mysql_server):
    with mysql_server() as raw, raw.cursor() as cursor:
        for statement in (
            "CREATE DATABASE judged",
            "CREATE TABLE judged.kept (n int)",
            "CREATE VIEW judged.seen AS SELECT n FROM judged.kept",
            "CREATE USER judge@'%' IDENTIFIED BY 'a'",
            "GRANT SELECT ON judged.* TO judge@'%'",
        ):
            cursor.execute(statement)
    config = {"host": "127.0.0.1", "port": mysql_server.port, "database": "judged", "user": "judge", "password": "a"}
    assert managers().create(OWNER, "mysql", "free", config).warnings == ()
    (warning,) = managers().create(OWNER, "mysql", "held", config, {"deny_tables": ["other"]}).warnings
    assert "seen" in warning
    assert "GRANT SHOW VIEW" in warning


def test_a_full_table_drops_a_connection_of_whoever_has_most(managers):
    """One owner with many connections does not close those of the others."""
    manager = managers()
    for owner, name in ((OWNER, "one"), (OTHER, "one"), (OTHER, "two")):
        manager.create(owner, "sqlite", name, {"database": ":memory:"})
    mine, others = manager.open(OWNER, "one")._origin, manager.open(OTHER, "one")._origin
    manager.open(OTHER, "two")
    assert (mine.is_dropped, others.is_dropped) == (False, True)
    assert manager.open(OWNER, "one")._origin is mine
