"""The guard by itself, over the corpus of honest queries and attacks; `test_guard_*.py` run what it lets through."""

import pickle
from pathlib import Path

import pytest

from sqlchat.errors import BadRequestError, DialectUnknownError, SQLRefusedError, SQLSyntaxError
from sqlchat.sql.guard import RULES, Verdict, check
from sqlchat.sql.guards.rules import TYPES

CORPUS = Path(__file__).parent / "corpus"
DIALECTS = ("postgres", "sqlite", "duckdb", "mysql", "spark")


LEAST = {"postgres": 60, "sqlite": 30, "duckdb": 30, "mysql": 30, "spark": 60}
"""Statements of each kind that a corpus has at least."""


def statements(dialect, kind):
    """Those of a file of the corpus, which blank lines separate."""
    texts = (CORPUS / f"{dialect}.{kind}.sql").read_text().strip("\n").split("\n\n")
    assert len(texts) >= LEAST[dialect]
    return texts


@pytest.mark.parametrize("dialect", DIALECTS)
def test_honest_queries_pass(dialect, request, subtests):
    catalog = request.getfixturevalue("postgres_catalog") if dialect == "postgres" else None
    for sql in statements(dialect, "honest"):
        with subtests.test(ascii(sql)):
            assert check(sql, dialect, None, catalog and catalog.mentioned_in(sql)).kind


@pytest.mark.parametrize("dialect", DIALECTS)
def test_attacks_are_refused_in_one_sentence(dialect, subtests):
    for sql in statements(dialect, "attacks"):
        with subtests.test(ascii(sql)):
            with pytest.raises(BadRequestError) as caught:
                check(sql, dialect)
            assert caught.value.code in ("sql_refused", "sql_syntax")
            assert caught.value.detail.endswith(".")
            assert len(caught.value.detail) < 300


@pytest.mark.parametrize(
    ("dialect", "sql", "verdict"),
    [
        ("postgres", "SELECT 1;", Verdict("SELECT", is_plannable=True)),
        ("postgres", "VALUES (1)", Verdict("SELECT", is_plannable=True)),
        ("postgres", "TABLE orders", Verdict("SELECT", is_plannable=True)),
        ("postgres", "WITH a AS (SELECT 1) SELECT 1 UNION SELECT 2", Verdict("SELECT", is_plannable=True)),
        ("postgres", "explain (format json) SELECT 1", Verdict("EXPLAIN", is_plannable=False)),
        ("postgres", "SHOW timezone", Verdict("SHOW", is_plannable=False)),
        ("sqlite", "PRAGMA table_info(t)", Verdict("PRAGMA", is_plannable=False)),
        ("duckdb", "DESCRIBE t", Verdict("DESCRIBE", is_plannable=False)),
        ("mysql", "DESC t", Verdict("DESCRIBE", is_plannable=False)),
        ("spark", "DESCRIBE TABLE t", Verdict("DESCRIBE", is_plannable=False)),
        ("spark", "SHOW TABLES", Verdict("SHOW", is_plannable=False)),
    ],
)
def test_the_verdict_tells_what_it_is(dialect, sql, verdict):
    assert check(sql, dialect) == verdict
    assert pickle.loads(pickle.dumps(verdict)) == verdict


@pytest.mark.parametrize(
    ("dialect", "sql", "reason"),
    [
        ("postgres", "DROP TABLE orders", "'DROP' does not begin a query"),
        ("postgres", "SELECT pg_sleep(1)", "The function 'pg_sleep' is not allowed"),
        ("postgres", "SELECT public.f(1)", "The function 'public.f' is not allowed"),
        ("postgres", "SELECT 1; SELECT 2", "Several statements"),
        ("postgres", "SELECT 1 INTO t", "INTO is not allowed"),
        ("postgres", "SELECT 1 FROM t FOR UPDATE", "must not lock rows"),
        ("postgres", "WITH a AS (DELETE FROM t RETURNING 1) SELECT 1", "DELETE is not allowed"),
        ("postgres", "SELECT * FROM pg_authid", "'pg_authid' is not allowed"),
        ("duckdb", "SELECT * FROM 'x.csv'", "files cannot be read"),
        ("mysql", "SELECT @@version", "Variables"),
        ("spark", "SELECT * FROM text.`/etc/passwd`", "files cannot be read"),
        ("spark", "SELECT '${env:HOME}'", "Variables"),
        ("spark", "SELECT /*+ BROADCAST(t) */ 1 FROM t", "Hints"),
        ("mysql", "SELECT 1 /*! + 1 */", "Comments that the server would execute"),
        ("mysql", "SELECT * FROM mysql.user", "The schema 'mysql' is not allowed"),
        ("sqlite", "PRAGMA journal_mode = WAL", "PRAGMA"),
    ],
)
def test_the_refusal_says_what_and_why(dialect, sql, reason):
    with pytest.raises(SQLRefusedError) as caught:
        check(sql, dialect)
    assert reason in caught.value.detail


@pytest.mark.parametrize(
    ("dialect", "call", "told"),
    [
        ("sqlite", "NOW()", "'now' is not allowed: SQLite has no such function; in SQLite, write datetime('now')."),
        (
            "sqlite",
            "date_trunc('month', a)",
            "has no such function; in SQLite, write strftime('%Y-%m-01', x).",
        ),
        ("sqlite", "uper(a)", "SQLite has no such function; a near one is upper()."),
        ("sqlite", "zzz(a)", "'zzz' is not allowed: SQLite has no such function."),
        ("sqlite", "load_extension('x')", "it is not among those known to do nothing but read."),
        ("postgres", "getdate()", "known to do nothing but read; in Postgres, write now()."),
        (
            "postgres",
            "uper(a)",
            "known to do nothing but read; a near one is upper(); a view may call it, and if it is immutable, the "
            "connection's owner may name it in `allow_functions`.",
        ),
        ("postgres", "pg_sleep(1)", "'pg_sleep' is not allowed: it is not among those known to do nothing but read."),
        ("duckdb", "to_char(a, 'YYYY')", "in DuckDB, write strftime(x, '%Y-%m')."),
        ("mysql", "string_agg(a, ',')", "in MySQL, write group_concat(x)."),
        ("spark", "getdate()", "in Spark, write now()."),
    ],
)
def test_an_unknown_function_is_told_with_what_to_write(dialect, call, told):
    with pytest.raises(SQLRefusedError) as caught:
        check(f"SELECT {call} FROM t", dialect)
    assert caught.value.detail.endswith(told)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_to_write_instead_may_run_where_the_other_may_not(dialect, subtests):
    for name, written in RULES[dialect].instead.items():
        with subtests.test(name):
            assert check(f"SELECT {written} FROM t", dialect)
            assert name not in RULES[dialect].functions


@pytest.mark.parametrize(
    ("dialect", "signs"),
    # what is left out is a variable, a name or an operator there
    [("postgres", ":id ? $1 @id $id"), ("sqlite", ":id ? $1 @id $id ?1"), ("duckdb", ":id ? $1 $id"), ("mysql", "?")],
)
def test_placeholders_are_told_to_be_filled_in(dialect, signs):
    for sign in signs.split():
        _refuses_placeholder(sign, dialect)


def _refuses_placeholder(sign, dialect):
    with pytest.raises(SQLRefusedError, match="Placeholders are not filled in here: put the value itself in"):
        check(f"SELECT a FROM t WHERE id = {sign}", dialect)


def test_a_syntax_error_inside_explain_tells_the_place_in_the_whole_text():
    with pytest.raises(SQLSyntaxError) as caught:
        check("EXPLAIN\n  SELECT a FROM t WHERE WHERE", "postgres")
    assert (caught.value.facts["line"], caught.value.facts["column"]) == (2, 25)


def test_a_dialect_without_rules_cannot_run():
    with pytest.raises(DialectUnknownError):
        check("SELECT 1", "oracle")


class TestFunctionsOfTheDatabase:
    def test_replace_the_list_that_is_built_in(self):
        assert check("SELECT similarity(a, b) FROM t", "postgres", frozenset({"similarity"}))
        with pytest.raises(SQLRefusedError, match="'upper'"):
            check("SELECT upper(a) FROM t", "postgres", frozenset({"similarity"}))

    def test_leave_the_grammar_alone(self):
        assert check(
            "SELECT coalesce(a, 1), extract(year FROM b), cast(a AS numeric(10, 2)), EXISTS (SELECT 1) FROM t",
            "postgres",
            frozenset(),
        )

    @pytest.mark.parametrize(
        "name", ["pg_sleep", "dblink", "lo_import", "query_to_xml", "set_config", "pg_read_file"]
    )
    def test_cannot_bring_a_dangerous_one_in(self, name):
        with pytest.raises(SQLRefusedError, match=name):
            check(f"SELECT {name}('x')", "postgres", frozenset({name}))

    def test_may_be_qualified_by_name(self):
        known = frozenset({"extensions.similarity", "lower"})
        assert check("SELECT extensions.similarity(a, b), pg_catalog.lower(a) FROM t", "postgres", known)
        with pytest.raises(SQLRefusedError, match=r"'evil\.lower'"):
            check("SELECT evil.lower(a) FROM t", "postgres", known)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_function_on_the_list_can_be_called(dialect):
    rules = RULES[dialect]
    refused = []
    for name in sorted(rules.functions - TYPES):
        tries = [
            f"SELECT {name}({arguments})"
            for arguments in ("", "a", "'a', b", "a, b", "a, b, c", "a, b, c, d", "a, b, c, d, e", "*")
        ]
        if not any(_passes(sql, dialect) for sql in tries):
            refused.append(name)
    assert not refused


def _passes(sql, dialect):
    try:
        check(sql, dialect)
    except BadRequestError:
        return False
    return True


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("quote", ["{}", '"{}"'])
@pytest.mark.parametrize("space", ["", " ", "\n", "/* */", "-- c\n"])
def test_no_spelling_hides_a_call(dialect, quote, space):
    if dialect in ("mysql", "spark"):
        quote = quote.replace('"', "`")
    name = quote.format("no_such_function")
    for sql in (
        f"SELECT {name}{space}(1)",
        f"SELECT * FROM {name}{space}(1)",
        f"SELECT a FROM t WHERE {name}{space}(1) > 0",
        f"SELECT a FROM t ORDER BY {name}{space}(1)",
        f"SELECT a FROM t JOIN u ON {name}{space}(1)",
        f"WITH c AS (SELECT {name}{space}(1)) SELECT 1",
        f"SELECT (SELECT {name}{space}(1))",
        f"VALUES ({name}{space}(1))",
        f"EXPLAIN SELECT {name}{space}(1)",
    ):
        with pytest.raises(BadRequestError):
            check(sql, dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\u3000", "\ufeff", "\u200b", "\u2028", "\x85"])
def test_odd_spaces_between_words_are_refused_and_within_texts_welcome(dialect, space):
    assert check(f"SELECT 'a{space}b'", dialect)
    with pytest.raises(BadRequestError):
        check(f"SELECT{space}1; DROP TABLE t", dialect)
    with pytest.raises(BadRequestError):
        check(f"SELECT no_such_function{space}(1)", dialect)
