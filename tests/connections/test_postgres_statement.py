"""A stranger's text on its way to Postgres, before any server sees it."""

import time

import pytest

from sqlchat.connections.postgres.statement import Statement, read_search_path
from sqlchat.errors import ConnectionConfigError

LONG = {
    "names with dollars": "SELECT " + ",".join(f"a$b{number}$c" for number in range(2_400)),
    "dollar quotes that never end": "SELECT " + ",".join(f"$b{number}$" for number in range(3_000)),
    "dollar quotes, one in the other": "SELECT " + "$a$ $b$ " * 2_500,
    "dollars": "$" * 20_000,
    "a long mark": "SELECT $" + "a" * 9_000 + "$ " + ("$" + "a" * 50) * 200,
    "comments that never end": "SELECT 1 " + "/*" * 10_000,
    "comments, one in the other": "SELECT 1 " + "/* " * 6_000 + "*/",
    "quotes": "SELECT '" + "''" * 10_000,
    "double quotes": 'SELECT "' + '""' * 10_000,
    "escapes": "SELECT " + "E'\\'" * 5_000,
    "blanks": "SELECT 1" + "; " * 9_999 + "x",
}


@pytest.mark.parametrize("kind", LONG)
def test_a_long_text_is_split_at_once(kind):
    took = []
    for _ in range(3):
        began = time.thread_time()
        Statement.read(LONG[kind])
        took.append(time.thread_time() - began)
    assert min(took) < 0.2


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("SELECT 1 ; -- done", "SELECT 1"),
        ("SELECT 'a;' /* x */ ;\n", "SELECT 'a;'"),
        (r"SELECT E'it\'s';", r"SELECT E'it\'s'"),
        (r"SELECT e'\\' ; ", r"SELECT e'\\'"),
        ("SELECT $$a;$$ ;", "SELECT $$a;$$"),
        ("SELECT $q$ ; -- $q$ ;", "SELECT $q$ ; -- $q$"),
        ("SELECT a$b$ FROM t ;", "SELECT a$b$ FROM t"),
        ("SELECT a$b$ FROM t WHERE c = 'x$b$' ; -- y", "SELECT a$b$ FROM t WHERE c = 'x$b$'"),
        ("SELECT 1 /* open ;", "SELECT 1 /* open ;"),
        ("SELECT $q$ open ;", "SELECT $q$ open ;"),
    ],
)
def test_what_follows_the_statement_is_left_out(text, sent):
    assert Statement.read(text).text == sent


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("a, b", '"a", "b"'),
        ("Sales Data", '"Sales Data"'),
        ('"Sales Data",public', '"Sales Data", "public"'),
        ("Sales  Data , b", '"Sales  Data", "b"'),
        ('"a""b"', '"a""b"'),
        ("2024-q1", '"2024-q1"'),
        ("", ""),
    ],
)
def test_a_schema_is_named_with_and_without_quotes(schema, path):
    assert read_search_path(schema) == path


@pytest.mark.parametrize("schema", ["a,,b", ",", "a,", 'a"b', '"a" b', '"', '""', "a; DROP", "a'b", "a.b"])
def test_what_names_no_schema(schema):
    with pytest.raises(ConnectionConfigError, match="schema: must be"):
        read_search_path(schema)
