"""How the store comes into being, goes away and comes back."""

import dataclasses
import multiprocessing
import socket
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from sqlchat.config import ConfigError
from sqlchat.errors import ConnectionNotFoundError, StoreUnavailableError
from sqlchat.store import Store, migrate
from sqlchat.store.tables import HEAD, alembic_version, metadata


def test_the_embedded_store_makes_itself(embedded, make_store):
    assert make_store(embedded).connections.list("local") == []
    assert (embedded.state_dir / "store.db").exists()


def start(settings, gate):
    gate.wait(150)
    store = Store(settings)
    with store.once("first start") as first:
        if first:
            store.connections.add("local", "demo", "sqlite", {"database": "demo.sqlite"})
    store.close()


def test_processes_that_start_at_once_make_one_store_and_do_its_first_task_once(embedded, make_store):
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(4)
    processes = [context.Process(target=start, args=(embedded, gate)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert [d.name for d in make_store(embedded).connections.list("local")] == ["demo"]


def test_a_task_that_failed_is_still_to_do(embedded, make_store):
    store = make_store(embedded)

    def fail():
        with store.once("task") as first:
            assert first
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.once("task") as first:
        assert first
    with make_store(embedded).once("task") as first:
        assert not first


def test_a_store_on_postgres_waits_for_its_migration_and_recovers_by_itself(on_postgres, make_store):
    serving, release = make_store(on_postgres), make_store(on_postgres)
    with pytest.raises(StoreUnavailableError, match="db upgrade") as caught:
        serving.connections.list("ann")
    assert caught.value.retry_after
    with pytest.raises(StoreUnavailableError):
        serving.user_settings.patch("ann", {"a": 1})
    release.upgrade()
    release.upgrade()
    assert serving.connections.list("ann") == []


def test_upgrades_at_once_are_safe(on_postgres, make_store):
    stores = [make_store(on_postgres) for _ in range(4)]
    threads = [threading.Thread(target=store.upgrade) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(store.connections.list("ann") == [] for store in stores)


def test_everything_on_postgres_is_in_its_own_schema(on_postgres, make_store, postgres_server, postgres_database):
    make_store(on_postgres).upgrade()
    tables = postgres_server.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        postgres_database["database"],
    )
    assert set(tables) == {("sqlchat", table.name) for table in (*metadata.tables.values(), alembic_version)}


def test_a_database_that_went_away_is_503_and_works_again_once_it_is_back(on_postgres, make_store, postgres_server):
    store = make_store(on_postgres)
    store.upgrade()
    store.connections.add("ann", "warehouse", "sqlite", {})
    name = on_postgres.database_url.rsplit("/", 1)[1]
    postgres_server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    for _ in range(3):
        with pytest.raises(StoreUnavailableError) as caught:
            store.connections.version("ann", "warehouse")
        assert caught.value.retry_after
    postgres_server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert store.connections.version("ann", "warehouse")


def test_connections_that_the_server_cut_are_replaced(on_postgres, make_store, postgres_server):
    store = make_store(on_postgres)
    store.upgrade()
    store.connections.add("ann", "warehouse", "sqlite", {})
    name = on_postgres.database_url.rsplit("/", 1)[1]
    postgres_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    assert store.connections.version("ann", "warehouse")


def test_an_unreachable_server_is_503_without_its_password(on_postgres, make_store, caplog):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgres://ann:open-sesame@127.0.0.1:{closed.getsockname()[1]}/db?sslmode=disable&pgbouncer=true"
        store = make_store(dataclasses.replace(on_postgres, database_url=url))
        with pytest.raises(StoreUnavailableError) as caught:
            store.connections.get("ann", "warehouse")
    assert "sesame" not in f"{caught.value} {caught.value.__cause__!r} {caplog.records[0].__dict__}"
    assert "refused" in caplog.records[0].reason


@pytest.mark.parametrize(
    ("option", "reason"), [("sslmode=perhaps", "perhaps"), ("colour=green", "colour"), ("sslmode=require", "SSL")]
)
def test_an_option_that_does_not_fit_is_503_with_the_reason_in_the_log(
    on_postgres, make_store, caplog, option, reason
):
    url = f"{on_postgres.database_url}?{option}"
    with pytest.raises(StoreUnavailableError):
        make_store(dataclasses.replace(on_postgres, database_url=url)).connections.list("ann")
    assert reason in caplog.records[0].reason


def test_a_table_that_was_dropped_is_503(on_postgres, make_store, postgres_server, postgres_database):
    store = make_store(on_postgres)
    store.upgrade()
    postgres_server.execute("DROP SCHEMA sqlchat CASCADE", postgres_database["database"])
    with pytest.raises(StoreUnavailableError):
        store.connections.get("ann", "warehouse")
    with pytest.raises(StoreUnavailableError, match="db upgrade"):
        store.connections.get("ann", "warehouse")
    store.upgrade()
    with pytest.raises(ConnectionNotFoundError):
        store.connections.get("ann", "warehouse")


def test_an_older_release_goes_on_while_a_newer_one_has_migrated(on_postgres, make_store, postgres_server):
    make_store(on_postgres).upgrade()
    database = on_postgres.database_url.rsplit("/", 1)[1]
    postgres_server.execute("UPDATE sqlchat.alembic_version SET version_num = 'f00d'", database)
    older = make_store(on_postgres)
    assert older.connections.list("ann") == []
    older.upgrade()


def test_a_data_folder_that_cannot_be_made_ends_the_start_with_its_name(tmp_path, embedded, make_store):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigError, match="SQLCHAT_DATA_DIR"):
        make_store(embedded).connections.list("local")


def test_migrations_end_where_the_tables_are(settings, store):
    """What Alembic would still change is nothing, and the newest revision is the one that the code expects."""
    assert ScriptDirectory(str(migrate.FOLDER)).get_current_head() == HEAD
    if store.embedded:
        engine = create_engine(f"sqlite:///{settings.state_dir / 'store.db'}").execution_options(
            schema_translate_map={"sqlchat": None}
        )
        names = inspect(engine).get_table_names()
        assert set(names) == {"alembic_version", *(table.name for table in metadata.tables.values())}
    else:
        engine = create_engine(settings.database_url.replace("postgres://", "postgresql+psycopg2://"))
        with engine.connect() as connection:
            options = {"include_schemas": True, "version_table_schema": "sqlchat", "compare_type": True}
            assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    engine.dispose()
