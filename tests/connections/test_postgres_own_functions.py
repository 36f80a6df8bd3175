"""Functions of the user's own that a connection's owner allows."""

import json

import pytest

from sqlchat.config import Settings
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import ConnectionConfigError, SQLRefusedError
from sqlchat.workers import Workers

WORKERS = Workers(1, 1024)
MADE = """
    CREATE SCHEMA app;
    CREATE TABLE kept (n int);
    CREATE FUNCTION full_name(a text, b text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT a || chr(32) || b';
    CREATE FUNCTION app.twice(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 2 * n; END';
    CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM kept';
    CREATE FUNCTION "both"(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n';
    CREATE FUNCTION "both"(t text) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT t';
    CREATE FUNCTION raised(n int) RETURNS int LANGUAGE sql IMMUTABLE SECURITY DEFINER AS 'SELECT n';
    CREATE PROCEDURE done() LANGUAGE sql AS 'DELETE FROM kept';
"""


@pytest.fixture
def connect(postgres_database, execute):
    """Makes connections that allow the given functions."""
    execute(MADE)
    made = []

    def connected(*names):
        made.append(PostgresConnection(postgres_database | {"allow_functions": [*names]}, Settings(), WORKERS))
        return made[-1]

    yield connected
    for connection in made:
        connection.close()


def run(connection, sql):
    opened = OpenConnection(connection, Settings(), WORKERS)
    return json.loads(opened.run(opened.examine(sql)).rows)


def test_an_own_function_is_refused_with_the_ways_out(connect):
    with pytest.raises(SQLRefusedError, match=r"a view may call it.*allow_functions"):
        run(connect(), "SELECT full_name('a', 'b')")


def test_a_function_that_is_allowed_is_called(connect):
    connection = connect("full_name", "app.twice")
    said = connection.check()
    assert any("full_name()" in each and "immutable in sql" in each for each in said)
    assert any("app.twice()" in each and "immutable in plpgsql" in each for each in said)
    assert run(connection, "SELECT full_name('a', 'b'), public.full_name('c', 'd'), app.twice(4)") == [
        ["a b", "c d", 8]
    ]
    with pytest.raises(SQLRefusedError):
        run(connection, "SELECT counted()")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("counted", "stable in sql"),
        ("both", "volatile in sql"),
        ("raised", "SECURITY DEFINER"),
        ("done", "no plain function"),
        ("missing", "there is no function"),
        ("pg_sleep", "there is no function"),
    ],
)
def test_others_cannot_be_allowed(connect, name, said):
    with pytest.raises(ConnectionConfigError, match=said):
        connect("full_name", name).check()


@pytest.mark.parametrize("given", ["full_name", [1], ["a b"], ["f()"], ["a.b.c"], ["x"] * 101])
def test_the_list_holds_names(postgres_database, given):
    with pytest.raises(ConnectionConfigError, match="allow_functions"):
        PostgresConnection(postgres_database | {"allow_functions": given}, Settings(), WORKERS)


def test_a_function_that_became_volatile_is_refused_from_the_next_catalog_on(connect, execute):
    connection = connect("full_name")
    assert run(connection, "SELECT full_name('a', 'b')") == [["a b"]]
    execute("ALTER FUNCTION full_name(text, text) VOLATILE")
    with pytest.raises(SQLRefusedError, match="full_name"):
        run(connection, "SELECT full_name('a', 'b')")


def test_a_bare_name_that_may_mean_another_function_stays_refused(connect, execute):
    execute("CREATE FUNCTION app.counted(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n'")
    connection = connect("app.counted")
    assert run(connection, "SELECT app.counted(3)") == [[3]]
    for sql in ("SELECT counted()", "SELECT public.counted()"):
        with pytest.raises(SQLRefusedError):
            run(connection, sql)
