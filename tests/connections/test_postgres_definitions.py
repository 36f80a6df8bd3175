"""What users of a Postgres database define after its catalog was read, and what SQL then may still run."""

import contextlib
import json

import psycopg2
import pytest

from sqlchat.config import Settings
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import CatalogChangedError, SQLRefusedError
from sqlchat.sql.policies.policy import Policy
from sqlchat.workers import Workers

TABLES = """
CREATE TABLE orders (id int, total int, note text); INSERT INTO orders VALUES (1, 2, 'a');
CREATE TABLE customers (id int, version int); INSERT INTO customers VALUES (1, 7);
CREATE TABLE kept (val text); INSERT INTO kept VALUES ('tell-nobody');
CREATE FUNCTION tell() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT val FROM kept); END $$;
"""
BODY = "LANGUAGE plpgsql AS $$ BEGIN RETURN tell(); END $$"
CHECK = "CREATE FUNCTION ok(t text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', tell(); END $$"


@pytest.fixture(scope="module")
def judges():
    pool = Workers(1, 1024)
    yield pool
    pool.close()


@pytest.fixture
def connect(postgres_database, execute, judges):
    """Makes an open connection, under a policy if one is given, that has read its catalog."""
    execute(TABLES)
    opened = []

    def make(**policy):
        settings = Settings(pool_size=2)
        driver = PostgresConnection(postgres_database, settings, judges)
        opened.append(driver)
        connection = OpenConnection(driver, settings, judges, policy=Policy.read(policy)).for_caller(None)
        assert connection.catalog.table("orders")
        return connection

    yield make
    for driver in opened:
        driver.close()


def run(connection, sql):
    return json.loads(connection.run(connection.examine(sql)).rows)


@pytest.mark.parametrize(
    ("made", "sql"),
    [
        (f"CREATE FUNCTION abs(t text) RETURNS text {BODY}", "SELECT abs('x'::text)"),
        (f"CREATE FUNCTION upper(o orders) RETURNS text {BODY}", "SELECT (o).upper FROM orders o"),
        (f"CREATE FUNCTION version(o orders) RETURNS text {BODY}", "SELECT o.version FROM orders o"),
        (f"CREATE FUNCTION total(c customers) RETURNS text {BODY}", "SELECT (c).total FROM customers c"),
        (f"{CHECK}; CREATE DOMAIN checked AS text CHECK (ok(value))", "SELECT 'x'::checked"),
        (
            f"CREATE FUNCTION op(a text, b int) RETURNS text {BODY};"
            "CREATE OPERATOR <@@> (leftarg = text, rightarg = int, function = op)",
            "SELECT note <@@> 1 FROM orders",
        ),
    ],
)
@pytest.mark.parametrize("way", ["run", "stream", "explain"])
def test_a_definition_made_after_the_catalog_was_read_does_not_run(connect, execute, made, sql, way):
    connection = connect()
    execute(made)
    with pytest.raises(SQLRefusedError, match="not allowed"):
        getattr(connection, way)(connection.examine(sql))


@pytest.mark.parametrize(
    "change",
    [
        f"CREATE FUNCTION other(o orders) RETURNS text {BODY}; ALTER FUNCTION other(orders) RENAME TO upper",
        "ALTER FUNCTION upper(orders) VOLATILE",
        f"CREATE OR REPLACE FUNCTION upper(o orders) RETURNS text {BODY}",
    ],
)
def test_a_changed_function_does_not_run(connect, execute, change):
    if "RENAME" not in change:
        execute("CREATE FUNCTION upper(o orders) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'harmless' $$")
    connection = connect()
    if "RENAME" not in change:
        assert run(connection, "SELECT upper(o) FROM orders o") == [["harmless"]]
    execute(change)
    with pytest.raises(SQLRefusedError, match="upper"):
        run(connection, "SELECT upper(o) FROM orders o")


def test_under_a_policy_no_later_definition_runs(connect, execute):
    connection = connect(deny_tables=["kept"])
    assert run(connection, "SELECT total + 1 FROM orders") == [[3]]
    execute(
        f"CREATE FUNCTION op(a text, b int) RETURNS text IMMUTABLE {BODY};"
        "CREATE OPERATOR + (leftarg = text, rightarg = int, function = op)"
    )
    with pytest.raises(SQLRefusedError, match="operator of this database's own"):
        run(connection, "SELECT note + 1 FROM orders")


def test_what_was_examined_before_a_change_is_examined_anew(connect, execute):
    connection = connect()
    examined = connection.examine("SELECT abs(total) FROM orders")
    execute("CREATE FUNCTION harmless(i int) RETURNS int LANGUAGE sql AS 'SELECT i'; CREATE TABLE more (id int)")
    connection.explain(examined)
    assert connection.catalog.table("more")
    assert json.loads(connection.run(examined).rows) == [[2]]
    execute(f"CREATE FUNCTION abs(t text) RETURNS text {BODY}")
    with pytest.raises(SQLRefusedError, match="abs"):
        connection.run(examined)


def test_without_a_change_the_catalog_is_not_read_anew(connect, execute):
    connection = connect()
    before = connection.catalog
    execute("INSERT INTO orders VALUES (2, 3, 'b'); CREATE TABLE more (id int); DROP TABLE more; ANALYZE")
    assert run(connection, "SELECT count(*) FROM orders") == [[2]]
    assert connection.catalog is before


def test_only_the_comparison_tells_of_a_change(connect):
    connection = connect()
    before = connection.catalog
    with pytest.raises(Exception, match="definitions changed") as said:
        run(connection, "SELECT (note || 'sqlchat: definitions changed')::int FROM orders")
    with pytest.raises(Exception, match="definitions changed") as planned:
        run(connection, "SELECT 'sqlchat: definitions changed'::int")
    assert not isinstance(said.value, CatalogChangedError)
    assert not isinstance(planned.value, CatalogChangedError)
    assert connection.catalog is before


def test_a_change_by_a_transaction_that_began_before_the_last_one_counts(connect, execute, postgres_database):
    execute("CREATE FUNCTION upper(o orders) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'harmless' $$")
    fields = dict(postgres_database)
    with contextlib.closing(psycopg2.connect(dbname=fields.pop("database"), **fields)) as early:
        with early.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
            execute("CREATE FUNCTION later() RETURNS int LANGUAGE sql AS 'SELECT 1'")
            connection = connect()
            assert run(connection, "SELECT upper(o) FROM orders o") == [["harmless"]]
            cursor.execute("ALTER FUNCTION upper(orders) VOLATILE")
        early.commit()
    with pytest.raises(SQLRefusedError, match="upper"):
        run(connection, "SELECT upper(o) FROM orders o")
