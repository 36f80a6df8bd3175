"""An open connection: nothing reaches a database unexamined, and nothing runs without limits."""

import sqlite3
import time
from pathlib import Path

import orjson
import pytest

from sqlchat.config import Settings
from sqlchat.connections.duckdb.connection import DuckDBConnection
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.sqlite.connection import SQLiteConnection
from sqlchat.errors import (
    QueryError,
    QueryTimeoutError,
    SqlchatError,
    SQLRefusedError,
    SQLSyntaxError,
    UnknownNameError,
)
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.guard import RULES, check

CORPUS = Path(__file__).parents[1] / "sql" / "corpus"


@pytest.fixture
def settings(tmp_path, request):
    seconds = getattr(request, "param", 100)
    return Settings(data_dir=tmp_path, max_rows=3, max_rows_ceiling=5, statement_timeout=seconds)


@pytest.fixture
def connection(settings, workers):
    with sqlite3.connect(settings.data_dir / "numbers.db") as writer:
        writer.execute("CREATE TABLE numbers (n INTEGER)")
        writer.executemany("INSERT INTO numbers VALUES (?)", [(n,) for n in range(10)])
    writer.close()
    return OpenConnection(SQLiteConnection({"database": "numbers.db"}, settings, workers), settings, workers)


def run(connection, sql, **options):
    return connection.run(connection.examine(sql), **options)


@pytest.mark.parametrize(("asked", "given"), [(None, 3), (1, 1), (5, 5), (100, 5), (0, 0)])
def test_rows_are_limited_by_request_default_and_ceiling(connection, asked, given):
    found = run(connection, "SELECT n FROM numbers ORDER BY n", max_rows=asked)
    assert orjson.loads(found.rows) == [[n] for n in range(given)]
    assert found.truncated


@pytest.mark.parametrize("settings", [4], indirect=True)
def test_a_statement_ends_after_its_time(connection):
    with pytest.raises(QueryTimeoutError):
        run(connection, "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t")


def test_an_examination_tells_the_kind_of_statement(connection):
    assert connection.examine("SELECT n FROM numbers").is_plannable
    assert connection.examine("SELECT n FROM numbers").kind == "SELECT"


@pytest.mark.parametrize(
    "sql", ["DELETE FROM numbers", "SELECT 1; SELECT 2", "ATTACH 'x' AS x", "SELECT load_extension('x')", ""]
)
def test_the_guard_stands_before_the_database(connection, sql):
    with pytest.raises((SQLRefusedError, SQLSyntaxError)):
        run(connection, sql)


FUNCTIONS = frozenset({"abs", "lower", "auth.uid", "app.abs", "größe", "app.my fn", "a$b", "generate_series"})


@pytest.mark.parametrize(
    ("sql", "known"),
    [
        ("SELECT ABS(1), lower ('x')", {"abs", "lower", "app.abs"}),
        ("SELECT auth /* */ . uid()", {"auth.uid"}),
        ("SELECT 'generate_series'", {"generate_series"}),
        ('SELECT app."my fn"()', set()),
        ("SELECT absolute(1)", set()),
    ],
)
def test_the_guard_is_told_of_the_functions_that_a_text_may_call(sql, known):
    catalog = Catalog((), "postgres", functions=FUNCTIONS)
    assert catalog.mentioned_in(sql).functions == known | {"größe", "app.my fn", "a$b"}


@pytest.mark.parametrize("path", sorted(CORPUS.glob("postgres.[ah]*.sql")), ids=lambda path: path.stem)
def test_what_the_guard_is_told_changes_no_verdict(path):
    def verdict(sql, functions):
        try:
            return check(sql, "postgres", functions)
        except SqlchatError as exc:
            return type(exc), exc.detail

    functions = RULES["postgres"].functions | FUNCTIONS
    texts = path.read_text().split("\n\n")
    assert len(texts) > 10
    for sql in texts:
        named = Catalog((), "postgres", functions=functions).mentioned_in(sql).functions
        assert verdict(sql, named) == verdict(sql, functions)


def test_a_copy_in_a_with_never_reaches_duckdb(settings, workers):
    connection = OpenConnection(DuckDBConnection({"database": ":memory:"}, settings, workers), settings, workers)
    with pytest.raises((SQLRefusedError, SQLSyntaxError)):
        run(connection, "WITH x AS (COPY (SELECT 1) TO 'x.csv') SELECT * FROM x")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "date(" * 60 + "n" + ")" * 60 + " FROM numbers",
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "SELECT " + "array[" * 40 + "1" + "]" * 40,
    ],
)
def test_sql_that_is_costly_to_judge_is_refused_in_time(connection, sql):
    started = time.monotonic()
    with pytest.raises((SQLRefusedError, SQLSyntaxError)):
        connection.examine(sql)
    assert time.monotonic() - started < 100
    assert connection.examine("SELECT 1").kind == "SELECT"


def test_a_text_that_the_guard_lets_by_still_meets_the_engines_limits(connection):
    with pytest.raises(QueryError, match="Expression tree is too large"):
        run(connection, "SELECT 1" + " + 1" * 4000)


def test_what_was_examined_for_another_database_does_not_run(connection, settings, workers):
    other = OpenConnection(DuckDBConnection({"database": ":memory:"}, settings, workers), settings, workers)
    with pytest.raises(ValueError, match="another connection"):
        connection.run(other.examine("SELECT 1"))
    with pytest.raises(AttributeError):
        connection.run("SELECT 1")


def test_an_examination_tells_names_lineage_and_conditions(connection):
    examined = connection.examine("SELECT n, nope FROM numbers WHERE n = 'x' AND n IN (SELECT m FROM absent)")
    assert [each.name for each in examined.unknown] == ["nope", "absent"]
    assert examined.lineage.tables_read == ("numbers", "absent")
    assert [(each.text, each.demanded) for each in examined.conditions] == [("x", True)]


@pytest.mark.parametrize("sql", ["SELECT * FROM absent", "SELECT absent FROM numbers"])
@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_an_unknown_name_is_told_from_other_faults(connection, settings, workers, sql, engine):
    if engine == "duckdb":
        sql = sql.replace("numbers", "(SELECT 1 AS n)")
        connection = OpenConnection(DuckDBConnection({"database": ":memory:"}, settings, workers), settings, workers)
    with pytest.raises(UnknownNameError):
        run(connection, sql)
    with pytest.raises(QueryError) as other:
        run(connection, "SELECT CAST(1 AS text) IN (SELECT 1, 2)")
    assert not isinstance(other.value, UnknownNameError)
