"""What the guard lets through, on a real DuckDB file opened read-only."""

import contextlib
from pathlib import Path

import duckdb
import pytest

from sqlchat.connections.duckdb.catalog import read
from sqlchat.errors import BadRequestError
from sqlchat.sql.guard import check

CORPUS = Path(__file__).parent / "corpus"
HONEST = (CORPUS / "duckdb.honest.sql").read_text().strip("\n").split("\n\n")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    path = tmp_path_factory.mktemp("duckdb") / "shop.duckdb"
    with contextlib.closing(duckdb.connect(path)) as connection:
        connection.execute((CORPUS / "duckdb.setup.sql").read_text())
    options = {"enable_external_access": "false", "autoload_known_extensions": "false", "threads": "1"}
    with contextlib.closing(duckdb.connect(path, read_only=True, config=options)) as connection:
        yield connection


def test_honest_queries_pass_and_run(shop, subtests):
    for sql in HONEST:
        with subtests.test(ascii(sql)):
            assert check(sql, "duckdb")
            assert len(duckdb.extract_statements(sql)) == 1
            shop.execute(sql).fetchall()


def test_what_is_plannable_can_be_explained(shop):
    for sql in HONEST:
        if check(sql, "duckdb").is_plannable:
            assert shop.execute(f"EXPLAIN {sql}").fetchall()


WORDS = (
    *("by", "cube", "enum", "escape", "exclude", "filter", "first", "ilike", "is", "join", "key", "like", "list"),
    *("map", "materialized", "next", "over", "rank", "rename", "rollup", "row", "row_number", "sets", "similar"),
    *("struct", "substring", "trim", "try_cast", "tuple", "varying", "zone", "columns", "unpack", "lower", "ifnull"),
)


@pytest.mark.parametrize("word", WORDS)
def test_no_macro_runs_under_a_word_of_the_language_or_a_built_in_name(word):
    with contextlib.closing(duckdb.connect()) as connection:
        connection.execute(f"CREATE MACRO \"{word}\"(x) AS 'RAN'")
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
        catalog = read(lambda sql: connection.execute(sql).fetchall())
        for place in (
            "SELECT {}('a')",
            "SELECT main.{}('a')",
            "SELECT 'a'.{}()",
            "SELECT 1, {}('a')",
            "SELECT NOT {}('a') = 'b'",
            "SELECT 2 * {}('a')",
            "SELECT [{}(x) FOR x IN [1]]",
            "SELECT a FROM t ORDER BY {}(a)",
            "SELECT a FROM t WHERE a = ({}(a))",
        ):
            for name in (word, f'"{word}"', word.upper()):
                sql = place.format(name)
                if passes(sql, catalog):
                    with contextlib.suppress(duckdb.Error):
                        assert ("RAN",) not in connection.execute(sql).fetchall(), sql


@pytest.mark.parametrize("word", WORDS)
def test_no_table_macro_runs_under_a_word_of_the_language_or_a_built_in_name(word):
    with contextlib.closing(duckdb.connect()) as connection:
        connection.execute(f"CREATE MACRO \"{word}\"(x) AS TABLE SELECT 'RAN' AS r")
        catalog = read(lambda sql: connection.execute(sql).fetchall())
        for sql in (f"SELECT * FROM {word}('a')", f"FROM {word}('a')", f"SELECT r FROM range(1), {word}('a')"):
            if passes(sql, catalog):
                with contextlib.suppress(duckdb.Error):
                    assert "RAN" not in connection.execute(sql).fetchall()[0], sql


def passes(sql, catalog):
    part = catalog.mentioned_in(sql)
    try:
        return check(sql, "duckdb", part.functions, part)
    except BadRequestError:
        return None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT s.lower FROM (SELECT {'lower': 1} AS s)",
        "SELECT 'x'.upper(), [1, 2].list_sum(), 'a b'.split(' ')",
        "SELECT CAST(row(1, 'x') AS STRUCT(a INT, b STRUCT(c DECIMAL(3, 1)))) WHERE false",
        "SELECT MAP(['a'], [1]), {'a': 1}::STRUCT(a INT), [1]::INT[], MAP {'k': 1}::MAP(VARCHAR, DECIMAL(3, 1))",
        "SELECT * EXCLUDE (id) FROM customers",
        "SELECT customers.* EXCLUDE (id) FROM customers",
        "SELECT * REPLACE (id + 1 AS id) FROM customers",
        "SELECT COLUMNS('id|name') FROM customers",
        "SELECT COLUMNS(lambda c: c LIKE 'n%') FROM customers",
        "SELECT list_transform([1, 2], lambda x: x + 1)",
        "SELECT country, count(*) FROM customers GROUP BY CUBE (country)",
    ],
)
def test_words_that_are_structure_stay_so(shop, sql):
    assert check(sql, "duckdb")
    shop.execute(sql).fetchall()


def test_a_macro_of_a_built_in_name_does_not_take_the_others_away():
    with contextlib.closing(duckdb.connect()) as connection:
        connection.execute("CREATE MACRO lower(x) AS 'RAN'")
        catalog = read(lambda sql: connection.execute(sql).fetchall())
    assert "lower" in catalog.own.functions  # and built-in macros that call it
    assert passes("SELECT upper('a')", catalog)
    assert not passes("SELECT lower('a')", catalog)
