"""Each migration up and down, over a store that has rows in it, on SQLite and Postgres."""

import json
import uuid

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.schema import CreateSchema

from sqlchat.store import migrate
from sqlchat.store.knowledge import BusinessContext
from sqlchat.store.tables import HEAD

POLICY = {"deny_tables": ["salaries"]}


@pytest.fixture
def engine(settings):
    if settings.database_url:
        engine = create_engine(settings.database_url.replace("postgres://", "postgresql+psycopg2://"))
        schema = "sqlchat"
    else:
        settings.state_dir.mkdir(mode=0o700, parents=True)
        engine = create_engine(f"sqlite:///{settings.state_dir / 'store.db'}")
        engine = engine.execution_options(schema_translate_map={"sqlchat": None})
        schema = None

        @event.listens_for(engine, "connect")
        def autocommit(connection, record):
            connection.isolation_level = None

        @event.listens_for(engine, "begin")
        def begin(connection):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    yield engine, schema
    engine.dispose()


def move(engine, change, revision):
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(CreateSchema("sqlchat", if_not_exists=True))
        config = Config()
        config.set_main_option("script_location", str(migrate.FOLDER))
        config.set_main_option("path_separator", "newline")
        config.attributes["connection"] = connection
        change(config, revision)


def shape(engine, schema):
    found = inspect(engine)
    return {
        name: (
            sorted(column["name"] for column in found.get_columns(name, schema)),
            sorted(index["name"] for index in found.get_indexes(name, schema)),
        )
        for name in found.get_table_names(schema)
    }


def fill(engine, schema):
    """Rows as the release of revision 0003 left them."""
    place = f"{schema}." if schema else ""
    at = "2026-01-31 09:30:00"
    with engine.begin() as connection:
        connection.execute(
            text(
                f"INSERT INTO {place}connections (id, owner, name, provider, config, policy, version, created_at,"
                " updated_at) VALUES ('c1', 'ann', 'shop', 'sqlite', 'sealed', :policy, 3, :at, :at)"
            ),
            {"policy": json.dumps(POLICY), "at": at},
        )
        connection.execute(
            text(
                f"INSERT INTO {place}history (id, at, owner, connection_id, route, question, sql, outcome, status,"
                " ms, prompt_tokens, completion_tokens, request_id) VALUES (:id, :at, 'ann', 'shop', 'chat',"
                " 'How many?', 'SELECT 1', 'ok', 200, 1.5, 1, 2, 'request-1')"
            ),
            # An id of the year 2100, so that no test's clock finds the row too old.
            {"id": uuid.UUID(int=4102444800000 << 80 | 7 << 76).hex, "at": at},
        )


def test_a_store_of_the_release_before_keeps_all_that_it_had(settings, engine, make_store):
    move(engine[0], command.upgrade, "0003")
    fill(*engine)
    store = make_store(settings)
    store.upgrade()
    ((entry,), _) = store.history.page("ann", limit=9)
    assert (entry.question, entry.sql, entry.ms) == ("How many?", "SELECT 1", 1.5)
    assert (entry.conversation_id, entry.interpretation) == (None, None)
    assert store.connections.version("ann", "shop") == ("c1", 3)
    kept = store.knowledge.read("ann", "shop")
    assert (kept.stamp.version, kept.context, kept.examples) == (0, BusinessContext(), ())
    with engine[0].connect() as connection:
        place = f"{engine[1]}." if engine[1] else ""
        row = connection.execute(text(f"SELECT privacy, policy, config FROM {place}connections")).one()
    assert row == ("samples", json.dumps(POLICY), "sealed")


def test_the_last_migration_can_be_undone_and_done_again_with_rows_in_place(settings, engine, make_store):
    move(engine[0], command.upgrade, "0003")
    before = shape(*engine)
    fill(*engine)
    move(engine[0], command.upgrade, HEAD)
    after = shape(*engine)
    store = make_store(settings)
    store.knowledge.replace_context("ann", "shop", BusinessContext("notes"))
    store.close()
    move(engine[0], command.downgrade, "0003")
    assert shape(*engine) == before
    move(engine[0], command.upgrade, HEAD)
    assert shape(*engine) == after
    assert store.history.page("ann", limit=9)[0][0].question == "How many?"
    assert store.knowledge.read("ann", "shop").context == BusinessContext()


def test_all_migrations_can_be_undone(engine):
    move(engine[0], command.upgrade, HEAD)
    move(engine[0], command.downgrade, "base")
    assert set(shape(*engine)) == {"alembic_version"}
