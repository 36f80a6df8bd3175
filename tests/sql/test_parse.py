import pickle
import time

import pytest
from sqlglot import exp

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.lexer import MAX_LENGTH
from sqlchat.sql.parse import parse

DIALECTS = ("", "postgres", "sqlite", "duckdb", "mysql", "tsql", "snowflake", "bigquery")


def test_gives_one_tree_for_each_statement():
    trees = parse("SELECT 1; ; DELETE FROM t -- end\n;", "postgres")
    assert [type(tree) for tree in trees] == [exp.Select, exp.Delete]


@pytest.mark.parametrize("text", ["", "  \n", ";", "-- nothing", "/* nothing */"])
def test_a_text_without_a_statement_is_a_syntax_error(text):
    with pytest.raises(SQLSyntaxError, match="no SQL statement"):
        parse(text, "postgres")


def test_a_syntax_error_tells_where():
    with pytest.raises(SQLSyntaxError) as caught:
        parse("SELECT a\n  FROM t WHERE WHERE", "postgres")
    assert (caught.value.facts["line"], caught.value.facts["column"]) == (2, 16)
    assert "line 2, column 16" in caught.value.detail


def test_a_form_that_is_not_known_here_is_not_blamed_on_the_writer():
    with pytest.raises(SQLSyntaxError, match=r"cannot be read here.*If the database itself takes it"):
        parse("SELECT GRAPH_TABLE (g MATCH (a) COLUMNS (a.x))", "postgres")


@pytest.mark.parametrize(
    "sql",
    [
        "VALUES (1, 2), (3, 4)",
        "VALUES (1), (2) UNION VALUES (3)",
        "WITH q AS (VALUES (1), (2)), r AS (VALUES (3)) SELECT * FROM q, r",
    ],
)
def test_mysql_s_values_are_a_query(sql):
    (tree,) = parse(sql, "mysql")
    assert isinstance(tree, exp.Query)
    assert tree.find(exp.Values) is not None


@pytest.mark.parametrize(
    ("text", "closing"), [("SELECT 'abc", "'"), ("SELECT 1,\n $$abc", "$$"), ('SELECT "abc', '"')]
)
def test_an_unclosed_text_or_name_is_told(text, closing):
    with pytest.raises(SQLSyntaxError) as caught:
        parse(text, "postgres")
    assert caught.value.detail.endswith(f"lacks its closing {closing}.")
    assert caught.value.facts["line"] == text.count("\n") + 1


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x1b", "\x7f", "\x0c", "\ud800"])
def test_control_characters_are_refused(character):
    with pytest.raises(SQLRefusedError, match=f"Character 8 .* U\\+{ord(character):04X}"):
        parse(f"SELECT {character}1", "postgres")


def test_tabs_and_line_breaks_are_welcome():
    assert len(parse("SELECT\t1\r\n+\n2", "sqlite")) == 1


def test_a_long_text_is_refused():
    assert parse("SELECT 1".ljust(MAX_LENGTH), "postgres")
    with pytest.raises(SQLRefusedError, match="at most 20,000"):
        parse("SELECT 1".ljust(MAX_LENGTH + 1), "postgres")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "opening",
    ["(", "date(", "array[", "row(", "struct(", "int[", "binary((", "if[", "(SELECT ", "abs(", "date /* */ ("],
)
def test_deep_nesting_is_judged_at_once(dialect, opening):
    closing = {"(": ")", "[": "]"}
    ends = "".join(closing[c] for c in reversed(opening) if c in closing)
    started = time.thread_time()
    with pytest.raises((SQLRefusedError, SQLSyntaxError)):
        parse("SELECT " + opening * 500 + "1" + ends * 500, dialect)
    assert time.thread_time() - started < 5


@pytest.mark.parametrize("join", ["JOIN", "STRAIGHT_JOIN", "LEFT JOIN", "INNER JOIN"])
def test_joins_without_conditions_are_judged_at_once(join):
    with pytest.raises(SQLRefusedError, match="JOINs here lack"):
        parse("SELECT * FROM t " + f"{join} u " * 200, "mysql")


@pytest.mark.parametrize(
    "chunk", ["int[int[int[int[1]]]], ", "date(date(date(date(a)))), ", "int(int(int(int(1)))), "]
)
def test_many_nested_types_are_judged_at_once(chunk):
    with pytest.raises(SQLRefusedError, match="nested too deeply"):
        parse("SELECT " + chunk * 700 + "1", "mysql")


def test_chains_of_arrows_are_judged_at_once():
    with pytest.raises(SQLRefusedError, match="nested too deeply"):
        parse("SELECT " + "(x, y) -> f " * 1000 + "(x)", "mysql")


@pytest.mark.parametrize("chain", ["NOT ", "- ", "~ "])
def test_long_chains_of_operators_do_not_overflow(chain):
    with pytest.raises(SQLRefusedError, match="nested too deeply"):
        parse("SELECT " + chain * (19_000 // len(chain)) + "1", "postgres")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT date(max(date(coalesce(date(a), date(b))))) FROM t",
        "SELECT ARRAY[ARRAY[ARRAY[1, 2]]], CAST(CAST(a AS numeric(10, 2)) AS varchar(10)) FROM t",
        "SELECT " + "(" * 50 + "1" + ")" * 50,
        "SELECT " + " + ".join(["1"] * 2000),
        "SELECT " + ", ".join(f"date(c{i})" for i in range(500)) + " FROM t",
        "SELECT * FROM t " + " ".join(f"JOIN u{i} ON t.a = u{i}.a" for i in range(100)),
        "SELECT * FROM t " + " ".join(f"CROSS JOIN u{i}" for i in range(100)),
        "SELECT " + ", ".join(f"(a -> 'b') -> 'c' -> 'd{i}'" for i in range(500)) + " FROM t",
        "SELECT * FROM t JOIN u JOIN v JOIN w ON w.a = v.a ON v.a = u.a USING (a)",
        " UNION ALL ".join(["SELECT * FROM t JOIN u"] * 50),
    ],
)
def test_what_people_nest_is_read(sql):
    assert len(parse(sql, "postgres")) == 1


def test_errors_cross_processes():
    with pytest.raises(SQLSyntaxError) as caught:
        parse("SELECT FROM FROM", "postgres")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.detail, copy.facts) == (caught.value.detail, caught.value.facts)


def test_the_text_does_not_reach_the_log(caplog):
    parse("EXPLAIN SELECT 'a secret'", "postgres")
    assert "secret" not in caplog.text


@pytest.mark.parametrize("sql", ["SELECT a" + "[1].x" * 3500, "SELECT " + ",".join(["a" + "[1].x" * 38] * 100)])
def test_subscripts_that_sqlglot_reads_again_and_again_are_refused(sql):
    with pytest.raises(SQLRefusedError, match="nested too deeply"):
        parse(sql, "postgres")


def test_subscripts_that_people_write_are_read():
    assert parse("SELECT " + ", ".join(f"a[{n}] + b[{n}][1].x" for n in range(300)), "postgres")
    assert parse("SELECT ARRAY[" + ", ".join(["[1, 2]"] * 1000) + "]", "postgres")
