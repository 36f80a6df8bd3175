"""What changes in a MySQL or MariaDB after its catalog was read, and what SQL then may still run and show."""

import contextlib
import itertools
import json

import pytest

from sqlchat.config import Settings
from sqlchat.connections.mysql.connection import MySQLConnection
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.errors import SQLRefusedError
from sqlchat.sql.policies.policy import Policy
from sqlchat.workers import Workers

pytestmark = pytest.mark.mysql
WORKERS = Workers(1, 1024)
NUMBERS = itertools.count(1)
SHOWN = (
    "CREATE TABLE people (id int, name varchar(20), secret varchar(20))",
    "INSERT INTO people VALUES (1, 'Ann', 'tell-nobody')",
    "CREATE VIEW shown AS SELECT id, name FROM people",
    "CREATE VIEW over_it AS SELECT id, name FROM shown",
    "CREATE TABLE plain (id int, name varchar(20))",
    "INSERT INTO plain VALUES (1, 'Ann')",
    "CREATE TABLE copied (id int, secret varchar(20), other varchar(20) AS (upper(secret)))",
    "INSERT INTO copied (id, secret) VALUES (1, 'tell-nobody')",
)


class Database:
    """Runs statements as root in a database of its own."""

    def __init__(self, name, cursor):
        self.name, self._cursor = name, cursor

    def __call__(self, *statements):
        for statement in statements:
            self._cursor.execute(statement)


@pytest.fixture
def database(mysql_server):
    with mysql_server() as raw, raw.cursor() as cursor:
        name = f"changing_{next(NUMBERS)}"
        cursor.execute(f"CREATE DATABASE {name}")
        raw.select_db(name)

        database = Database(name, cursor)
        database(*SHOWN)
        yield database
        cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture
def connect(mysql_server, database):
    with contextlib.ExitStack() as opened:

        def make(**policy):
            config = {"host": "127.0.0.1", "port": mysql_server.port, "database": database.name, "user": "root"}
            driver = opened.enter_context(contextlib.closing(MySQLConnection(config, Settings(), WORKERS)))
            return OpenConnection(driver, Settings(), WORKERS, policy=Policy.read(policy)).for_caller(None)

        yield make


def run(connection, sql):
    return json.loads(connection.run(connection.examine(sql)).rows)


@pytest.mark.parametrize("way", ["run", "stream", "explain"])
@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("SELECT * FROM shown", ["CREATE OR REPLACE VIEW shown AS SELECT id, secret AS name FROM people"]),
        ("SELECT name FROM over_it", ["ALTER VIEW shown AS SELECT id, secret AS name FROM people"]),
        (
            "SELECT upper(name) FROM plain",
            ["DROP TABLE plain", "CREATE VIEW plain AS SELECT id, secret AS name FROM people"],
        ),
        ("SELECT * FROM plain", ["ALTER TABLE plain ADD secret varchar(20) DEFAULT 'tell-nobody'"]),
        ("SELECT * FROM plain", ["RENAME TABLE plain TO gone, people TO plain"]),
    ],
)
def test_what_is_replaced_after_the_reading_does_not_show_what_the_policy_denies(
    connect, database, sql, changes, way
):
    connection = connect(deny_columns=["*.secret"])
    assert run(connection, sql)
    examined, before = connection.examine(sql), connection.catalog.version
    database(*changes)
    with contextlib.suppress(SQLRefusedError):
        if way == "stream":
            with contextlib.closing(connection.stream(examined)) as stream:
                assert "tell-nobody" not in str(list(stream)).lower()
        else:
            assert "tell-nobody" not in str(getattr(connection, way)(examined)).lower()
    assert connection.catalog.version != before


@pytest.mark.parametrize("name", ["regexp_like", "uuid_to_bin"])
def test_a_stored_function_made_after_the_reading_does_not_run(connect, database, name):
    connection = connect()
    sql = f"SELECT {name}('a', 'b') AS x FROM plain"
    examined = connection.examine(sql)
    database(f"CREATE FUNCTION {name}(a text, b text) RETURNS text DETERMINISTIC RETURN 'RAN'")
    with pytest.raises(SQLRefusedError):
        connection.run(examined)


def test_a_generated_column_is_denied_with_what_it_is_made_of(connect):
    connection = connect(deny_columns=["*.secret"])
    assert [column.name for column in connection.catalog.table("copied").columns] == ["id"]
    with pytest.raises(SQLRefusedError):
        connection.examine("SELECT other FROM copied")


def test_without_a_change_the_catalog_is_not_read_anew(connect, database):
    connection = connect(deny_columns=["*.secret"])
    before = connection.catalog
    run(connection, "SELECT count(*) FROM plain")
    database("INSERT INTO plain VALUES (2, 'Bob')", "CREATE INDEX ids ON plain (id)", "ANALYZE TABLE plain")
    assert run(connection, "SELECT count(*), max(name) FROM plain") == [[2, "Bob"]]
    assert connection.catalog is before
