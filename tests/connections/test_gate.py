"""The gate: nothing reaches a database unjudged, and nothing runs without limits."""

import sqlite3
import time
from pathlib import Path

import orjson
import pytest

from sqlchat.config import Settings
from sqlchat.connections.duckdb.connection import DuckDBConnection
from sqlchat.connections.gate import Gate
from sqlchat.connections.sqlite.connection import SQLiteConnection
from sqlchat.errors import QueryError, QueryTimeoutError, SqlchatError, SQLRefusedError, SQLSyntaxError
from sqlchat.sql.catalog import mentioned
from sqlchat.sql.guard import RULES, check
from sqlchat.workers import Workers

CORPUS = Path(__file__).parents[1] / "sql" / "corpus"


@pytest.fixture(scope="module")
def workers():
    pool = Workers(2, 1024)
    yield pool
    pool.close()


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, max_rows=3, max_rows_ceiling=5, statement_timeout=1)


@pytest.fixture
def gate(workers, settings):
    return Gate(workers, settings)


@pytest.fixture
def connection(settings, workers):
    with sqlite3.connect(settings.data_dir / "numbers.db") as writer:
        writer.execute("CREATE TABLE numbers (n INTEGER)")
        writer.executemany("INSERT INTO numbers VALUES (?)", [(n,) for n in range(10)])
    writer.close()
    return SQLiteConnection({"database": "numbers.db"}, settings, workers)


@pytest.mark.parametrize(("asked", "given"), [(None, 3), (1, 1), (5, 5), (100, 5), (0, 0)])
def test_rows_are_limited_by_request_default_and_ceiling(gate, connection, asked, given):
    found = gate.run(connection, "SELECT n FROM numbers ORDER BY n", max_rows=asked)
    assert orjson.loads(found.rows) == [[n] for n in range(given)]
    assert found.truncated


def test_a_statement_ends_after_its_time(gate, connection):
    with pytest.raises(QueryTimeoutError):
        gate.run(connection, "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t")


def test_check_tells_the_kind_of_statement(gate, connection):
    assert gate.check(connection, "SELECT n FROM numbers").plannable
    assert gate.check(connection, "SELECT n FROM numbers").kind == "SELECT"


@pytest.mark.parametrize(
    "sql", ["DELETE FROM numbers", "SELECT 1; SELECT 2", "ATTACH 'x' AS x", "SELECT load_extension('x')", ""]
)
def test_the_guard_stands_before_the_database(gate, connection, sql):
    with pytest.raises((SQLRefusedError, SQLSyntaxError)):
        gate.run(connection, sql)


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
    assert mentioned(FUNCTIONS, sql) == known | {"größe", "app.my fn", "a$b"}


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
        assert verdict(sql, mentioned(functions, sql)) == verdict(sql, functions)


def test_a_copy_in_a_with_never_reaches_duckdb(gate, settings, workers):
    connection = DuckDBConnection({"database": ":memory:"}, settings, workers)
    with pytest.raises((SQLRefusedError, SQLSyntaxError)):
        gate.run(connection, "WITH x AS (COPY (SELECT 1) TO 'x.csv') SELECT * FROM x")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "date(" * 60 + "n" + ")" * 60 + " FROM numbers",
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "SELECT " + "array[" * 40 + "1" + "]" * 40,
    ],
)
def test_sql_that_is_costly_to_judge_is_refused_in_time(gate, connection, sql):
    started = time.monotonic()
    with pytest.raises((SQLRefusedError, SQLSyntaxError)):
        gate.check(connection, sql)
    assert time.monotonic() - started < 15
    assert gate.check(connection, "SELECT 1").kind == "SELECT"


def test_a_text_that_the_guard_lets_by_still_meets_the_engines_limits(gate, connection):
    with pytest.raises(QueryError, match="Expression tree is too large"):
        gate.run(connection, "SELECT 1" + " + 1" * 4000)
