"""What users of a Postgres database define after its catalog was read, and what SQL then may still run."""

import contextlib
import functools
import json

import psycopg2
import pytest

from sqlchat.config import Settings
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import CatalogChangedError, QueryError, SQLRefusedError
from sqlchat.sql.policies.policy import Policy

TABLES = """
CREATE TABLE orders (id int, total int, note text); INSERT INTO orders VALUES (1, 2, 'a');
CREATE TABLE customers (id int, version int); INSERT INTO customers VALUES (1, 7);
CREATE TABLE kept (val text); INSERT INTO kept VALUES ('tell-nobody');
CREATE FUNCTION tell() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT val FROM kept); END $$;
"""
BODY = "LANGUAGE plpgsql AS $$ BEGIN RETURN tell(); END $$"
LOOSE = """
CREATE FUNCTION compare(a text, b text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM tell(); RETURN 0; END $$;
CREATE OPERATOR CLASS loose FOR TYPE text USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 compare(text, text);
"""
CHECK = "CREATE FUNCTION ok(t text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', tell(); END $$"


@pytest.fixture
def connect(postgres_database, execute, workers):
    """Makes an open connection, under a policy if one is given, that has read its catalog."""
    execute(TABLES)
    opened = []

    def make(**policy):
        settings = Settings(pool_size=2)
        driver = PostgresConnection(postgres_database, settings, workers)
        opened.append(driver)
        connection = OpenConnection(driver, settings, workers, policy=Policy.read(policy)).for_caller(None)
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
    ("made", "sql"),
    [
        ("CREATE INDEX ON orders (note loose)", "SELECT id FROM orders WHERE note = 'a'"),
        ("CREATE INDEX ON orders (id) INCLUDE (total) WHERE note > 'b'; CREATE INDEX ON orders (lower(note) loose)",
         "SELECT id FROM orders ORDER BY note"),
        ("CREATE TYPE span AS RANGE (subtype = text, subtype_opclass = loose)", "SELECT '[a,b)'::span"),
        ("CREATE DOMAIN again AS checked", "SELECT 'x'::again"),
        ("CREATE DOMAIN again AS checked; CREATE DOMAIN thrice AS again", "SELECT 'x'::thrice"),
        ("CREATE TYPE pair AS (x checked, y int)", "SELECT '(x,1)'::pair"),
        ("CREATE TYPE nested AS (x older)", """SELECT '("(x)")'::nested"""),
        ("CREATE TABLE holds (x checked)", "SELECT '(x)'::holds"),
    ],
)  # fmt: skip
def test_what_uses_an_older_definition_does_not_run_either(
    connect, execute, postgres_server, postgres_database, made, sql
):
    """Only a superuser makes operator classes; anybody may make an index with one."""
    define = functools.partial(postgres_server.execute, dbname=postgres_database["database"])
    define(LOOSE + f"{CHECK}; CREATE DOMAIN checked AS text CHECK (ok(value)); CREATE TYPE older AS (x checked)")
    connection = connect()
    with contextlib.suppress(QueryError, SQLRefusedError):  # a type that is yet to be made
        run(connection, sql)
    define(made)
    with pytest.raises(SQLRefusedError):
        run(connection, sql)


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


SHOWN = """
CREATE TABLE people (id int, name text, secret text); INSERT INTO people VALUES (1, 'Ann', 'tell-nobody');
CREATE VIEW shown AS SELECT id, name FROM people;
CREATE VIEW over AS SELECT id, name FROM shown;
CREATE TABLE plain (id int, name text); INSERT INTO plain VALUES (1, 'Ann');
CREATE TABLE parts (id int, name text) PARTITION BY LIST (id);
CREATE TABLE hidden (id int, name text); INSERT INTO hidden VALUES (7, 'tell-nobody');
"""
DENIED = {"deny_columns": ["*.secret"], "deny_tables": ["hidden"]}


@pytest.mark.parametrize("way", ["run", "stream", "explain"])
@pytest.mark.parametrize(
    ("sql", "change"),
    [
        ("SELECT * FROM shown", "CREATE OR REPLACE VIEW shown AS SELECT id, secret AS name FROM people"),
        ("SELECT name FROM over", "CREATE OR REPLACE VIEW shown AS SELECT id, secret AS name FROM people"),
        (
            "SELECT upper(name) FROM shown",
            "DROP VIEW over, shown; CREATE VIEW shown AS SELECT id, name FROM hidden; "
            "CREATE VIEW over AS SELECT id, name FROM shown",
        ),
        ("SELECT * FROM plain", "DROP TABLE plain; CREATE VIEW plain AS SELECT id, secret AS name FROM people"),
        ("SELECT * FROM plain", "DROP TABLE plain; CREATE TABLE plain AS SELECT id, name, secret FROM people"),
        ("SELECT * FROM plain", "ALTER TABLE plain ADD secret text DEFAULT 'tell-nobody'"),
        ("SELECT name FROM plain", "ALTER TABLE plain RENAME name TO secret; ALTER TABLE plain ADD name text"),
        ("SELECT * FROM plain", "ALTER TABLE hidden INHERIT plain"),
        ("SELECT * FROM parts", "ALTER TABLE parts ATTACH PARTITION hidden FOR VALUES IN (7)"),
    ],
)
def test_what_is_replaced_after_the_reading_does_not_show_what_the_policy_denies(connect, execute, sql, change, way):
    execute(SHOWN)
    connection = connect(**DENIED)
    assert run(connection, sql) is not None
    examined, before = connection.examine(sql), connection.catalog.version
    execute(change)
    with contextlib.suppress(SQLRefusedError):
        if way == "stream":
            with contextlib.closing(connection.stream(examined)) as stream:
                assert "tell-nobody" not in str(list(stream))
        else:
            assert "tell-nobody" not in str(getattr(connection, way)(examined))
    assert connection.catalog.version != before


@pytest.mark.parametrize(
    "change",
    [
        "TRUNCATE plain",
        "ANALYZE",
        "INSERT INTO plain SELECT 1, 'x' FROM generate_series(1, 1000)",
        "CREATE INDEX ON plain (id)",
        "CREATE TABLE other (id int); CREATE VIEW another AS SELECT * FROM people",
        "CREATE TEMP TABLE plain (id int)",
    ],
)
def test_what_changes_no_definition_does_not_have_the_catalog_read_anew(connect, execute, change):
    execute(SHOWN)
    connection = connect(**DENIED)
    before = connection.catalog
    run(connection, "SELECT count(*) FROM plain")
    execute(change)
    run(connection, "SELECT count(*) FROM plain")
    assert connection.catalog is before


def test_a_dropped_column_is_noticed_without_a_policy(connect, execute):
    execute(SHOWN)
    connection = connect()
    sql = "SELECT count(*) FROM people"
    assert run(connection, sql) == [[1]]
    execute("ALTER TABLE people DROP COLUMN secret")
    assert run(connection, sql) == [[1]]
    assert connection.catalog.table("people").column("secret") is None


def test_a_table_of_the_same_name_earlier_in_the_search_path_is_noticed(postgres_database, execute, workers):
    execute(f"{SHOWN} CREATE SCHEMA early")
    driver = PostgresConnection(postgres_database | {"schema": "early, public"}, Settings(pool_size=1), workers)
    policy = Policy.read({"deny_tables": ["early.*"]})
    connection = OpenConnection(driver, Settings(), workers, policy=policy).for_caller(None)
    assert run(connection, "SELECT name FROM plain") == [["Ann"]]
    execute("CREATE TABLE early.plain AS SELECT 1 AS id, 'tell-nobody' AS name")
    with pytest.raises(SQLRefusedError, match="policy"):
        run(connection, "SELECT name FROM plain")


def test_a_session_without_our_prepared_statements_is_replaced(connect, execute):
    execute(
        "CREATE FUNCTION forget() RETURNS int LANGUAGE plpgsql AS "
        "$$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 1; END $$; CREATE VIEW forgetting AS SELECT forget() AS n"
    )
    connection = connect()
    assert run(connection, "SELECT count(*) FROM orders") == [[1]]
    assert run(connection, "SELECT n + 1 FROM forgetting") == [[2]]
    assert run(connection, "SELECT count(*) FROM orders") == [[1]]
