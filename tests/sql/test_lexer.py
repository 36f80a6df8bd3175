import pytest

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.agreement import check_agreement
from sqlchat.sql.lexer import split_lexemes


def texts(sql, dialect):
    found = split_lexemes(sql, dialect)
    check_agreement(sql, dialect, found)
    return [lexeme.text for lexeme in found]


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        ("postgres", r"SELECT E'a\'b', 'a\'", ["SELECT", r"E'a\'b'", ",", r"'a\'"]),
        ("postgres", "SELECT $$a'b$$, $x$a$$b$x$", ["SELECT", "$$a'b$$", ",", "$x$a$$b$x$"]),
        ("postgres", "SELECT 1 /* /* */ + 1 */", ["SELECT", "1"]),
        ("postgres", "SELECT a -- b\r\n, c", ["SELECT", "a", ",", "c"]),
        ("postgres", "SELECT 1 -- x\r; DROP", ["SELECT", "1", ";", "DROP"]),
        ("sqlite", "SELECT 1 -- x\r; DROP", ["SELECT", "1"]),
        ("duckdb", "SELECT [1.5, x]", ["SELECT", "[", "1.5", ",", "x", "]"]),
        ("sqlite", "SELECT [a b], `c``d`, x'00'", ["SELECT", "[a b]", ",", "`c``d`", ",", "x'00'"]),
        ("sqlite", "SELECT 1 /* /* */ + 1", ["SELECT", "1", "+", "1"]),
        ("mysql", r"""SELECT 'a\'b', "c\"d" # e""", ["SELECT", r"'a\'b'", ",", r'"c\"d"']),
        ("mysql", "SELECT 1 --1", ["SELECT", "1", "-", "-", "1"]),
    ],
)
def test_splits_as_the_database_does(dialect, sql, expected):
    assert texts(sql, dialect) == expected


def test_names_lose_their_quotes_and_words_their_case():
    assert [lexeme.value for lexeme in split_lexemes('"A""b" CdE', "postgres")] == ['A"b', "cde"]
    assert [lexeme.value for lexeme in split_lexemes("[A b] `c`", "sqlite")] == ["A b", "c"]


def test_letters_outside_ascii_are_not_folded():
    kelvin = "\u212a"
    assert split_lexemes(kelvin, "postgres")[0].value == kelvin


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("postgres", "SELECT E'a'\n'b\\'; DROP TABLE t; --'"),
        ("postgres", "SELECT {# x #} 1"),
        ("postgres", 'SELECT U&"\\0061"'),
        ("duckdb", "SELECT\u00a01"),
        ("mysql", "SELECT 1 /*! + 1 */"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(dialect, sql):
    with pytest.raises(SQLRefusedError):
        texts(sql, dialect)


@pytest.mark.parametrize(
    ("dialect", "sql", "column"),
    [("postgres", "SELECT 'a", 8), ("postgres", "SELECT /* /* */", 8), ("sqlite", "SELECT 1 /* a", 10)],
)
def test_what_is_never_closed_is_told(dialect, sql, column):
    with pytest.raises(SQLSyntaxError) as caught:
        texts(sql, dialect)
    assert (caught.value.facts["line"], caught.value.facts["column"]) == (1, column)
