import pytest

from sqlchat.errors import DialectUnknownError, SQLSyntaxError
from sqlchat.sql.dialects import find_dialect, transpile, write_public_name


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("postgresql", "postgres"),
        ("PostgreSQL", "postgres"),
        ("postgres", "postgres"),
        ("sqlite", "sqlite"),
        ("duckdb", "duckdb"),
        ("MariaDB", "mysql"),
        ("mssql", "tsql"),
        ("SQL Server", "tsql"),
        ("ansi", ""),
        (" BigQuery ", "bigquery"),
    ],
)
def test_names_that_people_use(name, dialect):
    assert find_dialect(name) == dialect


@pytest.mark.parametrize("name", ["", " ", "klingon", "prql", "postgres, x=1"])
def test_an_unknown_dialect_lists_the_known(name):
    with pytest.raises(DialectUnknownError, match=r"duckdb.*postgresql.*sqlite"):
        find_dialect(name)


@pytest.mark.parametrize("dialect", ["postgres", "sqlite", "duckdb", "mysql", "tsql", ""])
def test_public_names_resolve_to_where_they_came_from(dialect):
    assert find_dialect(write_public_name(dialect)) == dialect


def test_the_contract_says_postgresql():
    assert write_public_name("postgres") == "postgresql"


def test_translates_between_dialects():
    sql, warnings = transpile("SELECT TOP 3 [name] FROM t", "tsql", "postgres")
    assert sql == 'SELECT "name" FROM t LIMIT 3'
    assert warnings == ()


def test_translates_every_statement():
    assert transpile("SELECT 1; SELECT `a` FROM t", "mysql", "sqlite")[0] == 'SELECT 1;\nSELECT "a" FROM t'


def test_warns_of_what_has_no_equivalent():
    sql, warnings = transpile("SELECT * FROM t TABLESAMPLE BERNOULLI (10)", "postgres", "mysql")
    assert sql == "SELECT * FROM t"
    assert warnings == ("mysql: TABLESAMPLE unsupported",)


def test_warns_of_a_function_that_the_target_does_not_know():
    _, warnings = transpile("SELECT make_interval(days => 3), upper(a) FROM t", "postgres", "sqlite")
    assert any("make_interval" in warning for warning in warnings)


def test_what_does_not_parse_is_a_syntax_error():
    with pytest.raises(SQLSyntaxError):
        transpile("SELECT FROM WHERE", "postgres", "mysql")


@pytest.mark.parametrize(
    ("sql", "source", "target", "warning"),
    [
        ("SELECT count(*) FILTER (WHERE a = 'x') FROM t", "postgres", "mysql", "no FILTER"),
        ("SELECT a FROM t WHERE a ILIKE 'x%'", "postgres", "tsql", "no ILIKE"),
        ("SELECT a + INTERVAL '1 day' FROM t", "postgres", "sqlite", "no INTERVAL"),
        ("SELECT 5 / 2", "postgres", "mysql", "keeps the fraction here, and drops the fraction there"),
        ("SELECT a[1] FROM t", "postgres", "tsql", "no arrays"),
        ("SELECT 1 = ANY(a) FROM t", "postgres", "sqlite", "no arrays"),
        ("SELECT unnest(a) FROM t", "postgres", "tsql", "no arrays"),
        ("SELECT a ? 'x' FROM t", "postgres", "mysql", "no operators for what JSON"),
        ("SELECT a FROM t ORDER BY a FETCH FIRST 1 ROW WITH TIES", "postgres", "mysql", "no WITH TIES"),
        ("SELECT DATE '2024-01-01' + 1", "postgres", "sqlite", "do not add up to a date"),
        ("SELECT t.a FROM t JOIN u USING (a)", "postgres", "tsql", "no USING"),
        ("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t", "postgres", "mysql", "no WITHIN GROUP"),
        ("SELECT a, count(*) FROM t GROUP BY CUBE (a)", "postgres", "sqlite", "no CUBE"),
        ("SELECT a ~ 'x' FROM t", "postgres", "sqlite", "regular expressions"),
        ("SELECT array_agg(a) FROM t", "postgres", "tsql", "no array_agg"),
        ("SELECT age(a) FROM t", "postgres", "tsql", "the function AGE is taken over"),
        ("SELECT a @> b FROM t", "postgres", "mysql", "cannot be read"),
        ("SELECT initcap(a) FROM t", "postgres", "duckdb", "cannot be read"),
    ],
)
def test_warns_of_what_runs_otherwise_or_not_at_all(sql, source, target, warning):
    assert any(warning in each for each in transpile(sql, source, target)[1])


@pytest.mark.parametrize(
    ("sql", "target"),
    [
        ("SELECT count(*) FILTER (WHERE a = 'x') FROM t", "sqlite"),
        ("SELECT a FROM t WHERE a ILIKE 'x%'", "duckdb"),
        ("SELECT 5 / 2.0, CAST(a AS DOUBLE PRECISION) / b FROM t", "mysql"),
        ("SELECT 5 / 2", "sqlite"),
        ("SELECT a FROM t WHERE a = ANY (SELECT b FROM u)", "mysql"),
        ("SELECT t.a FROM t JOIN u USING (a) ORDER BY a FETCH FIRST 1 ROW ONLY", "duckdb"),
        ("SELECT a || 'x' FROM t WHERE b BETWEEN 1 AND 2", "mysql"),
    ],
)
def test_does_not_warn_of_what_the_target_runs(sql, target):
    assert transpile(sql, "postgres", target)[1] == ()
