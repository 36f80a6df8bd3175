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


@pytest.mark.parametrize("target", ["mysql", "tsql", "postgres"])
def test_named_windows_are_written_out(target):
    inner = "SELECT max(b) OVER w AS a FROM u WINDOW w AS (ORDER BY b)"
    sql = f"SELECT sum(a) OVER W, min(a) OVER w FROM ({inner}) AS t WINDOW w AS (PARTITION BY c ORDER BY d DESC)"
    written, warnings = transpile(sql, "postgres", target)
    assert not warnings
    assert "WINDOW" not in written
    assert written.count("PARTITION BY c ORDER BY") == 2


def test_windows_that_build_on_others_stay():
    sql = "SELECT SUM(a) OVER (w ORDER BY b) FROM t WINDOW w AS (PARTITION BY c)"
    assert transpile(sql, "postgres", "duckdb") == (sql, ())


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
        ("SELECT a FROM t WHERE a LIKE 'x%'", "postgres", "sqlite", "LIKE ignores case here"),
        ("SELECT a FROM t WHERE a LIKE 'x%'", "mysql", "postgres", "LIKE heeds case here"),
        ("SELECT array_agg(a) FROM t", "postgres", "mysql", "one text"),
        ("SELECT extract(dow FROM a) FROM t", "postgres", "mysql", "other parts of a date"),
        ("SELECT a FROM t WHERE (a, b) IN (SELECT c, d FROM u)", "postgres", "tsql", "several columns at once"),
        ("SELECT a > 1 AS b FROM t", "postgres", "oracle", "a condition is no value"),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a) AS u", "postgres", "tsql", "needs TOP"),
        ("SELECT sum(a) OVER (ORDER BY b GROUPS 1 PRECEDING) FROM t", "postgres", "mysql", "no GROUPS"),
        ("SELECT * EXCLUDE (a) FROM t", "duckdb", "sqlite", "name the columns"),
        ("SELECT a, sum(b) FROM t GROUP BY ALL", "duckdb", "postgres", "no GROUP BY ALL"),
        ("SELECT a FROM t ASOF JOIN u USING (a, b)", "duckdb", "mysql", "no ASOF"),
        ("SELECT a FROM t POSITIONAL JOIN u", "duckdb", "sqlite", "no ASOF and no POSITIONAL"),
        ("SELECT median(a) FROM t", "duckdb", "sqlite", "no median"),
        ("SELECT DATE '2024-01-03' - DATE '2024-01-01'", "postgres", "mysql", "nor dates to days"),
        ("SELECT TRY_CAST(a AS INTEGER) FROM t", "duckdb", "postgres", "no TRY_CAST"),
        ("SELECT CAST(a AS numeric) FROM t", "postgres", "mysql", "drops the fraction"),
        ("SELECT a FROM t LIMIT 10%", "duckdb", "sqlite", "in percent"),
        ("SELECT a FROM t WHERE a = ANY (SELECT b FROM u)", "postgres", "sqlite", "no ANY and no ALL"),
        ("SELECT a FROM t WHERE a IN (SELECT b FROM u LIMIT 3)", "postgres", "mysql", "subquery of IN"),
        ("SELECT a FROM t OFFSET 5", "postgres", "mysql", "no OFFSET without LIMIT"),
        ("SELECT a FROM t WHERE a GLOB 'x*'", "sqlite", "postgres", "no GLOB"),
        ("SELECT a, b FROM t GROUP BY a", "mysql", "postgres", "must be grouped"),
        ("SELECT a, max(b) FROM t", "sqlite", "duckdb", "must be grouped"),
        ("SELECT a FROM t WHERE MATCH(b) AGAINST ('x')", "mysql", "postgres", "full-text search"),
        ("SELECT a, x FROM t LATERAL VIEW explode(b) e AS x", "spark", "postgres", "no LATERAL VIEW"),
        ("SELECT initcap(a) FROM t", "postgres", "tsql", "no initcap"),
        ("SELECT a ~ 'x' FROM t", "postgres", "snowflake", "the whole text"),
        ("SELECT a FROM t ORDER BY a FETCH FIRST 1 ROW WITH TIES", "postgres", "snowflake", "no WITH TIES"),
        ("SELECT CURRENT_DATE - 30", "postgres", "sqlite", "do not add up to a date"),
        ("SELECT to_char(a, 'FM9,990.0') FROM t", "postgres", "duckdb", "not written by a pattern"),
        ("SELECT datetime('now', '-1 month')", "sqlite", "postgres", "no modifiers"),
        ("SELECT rowid FROM t", "sqlite", "mysql", "no rowid"),
        ("SELECT [a * 2 for a in b] FROM t", "duckdb", "postgres", "no lists made by FOR"),
        ("SELECT count(*) FROM t GROUP BY 1", "postgres", "tsql", "no GROUP BY of a position"),
        ("SELECT generate_series(1, 3)", "postgres", "tsql", "no UNNEST"),
        ("SELECT a FROM t WHERE b", "postgres", "oracle", "a column is no condition"),
        ("SELECT a ~ 'x' FROM t", "postgres", "mysql", "REGEXP in place"),
        ("SELECT count(DISTINCT (a, b)) FROM t", "postgres", "mysql", "several columns in brackets"),
        ("SELECT a + ', ' + b FROM t", "tsql", "postgres", "+ joins no texts"),
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
        ("SELECT a FROM t WHERE b IN (SELECT c FROM u) ORDER BY a LIMIT 3 OFFSET 2", "mysql"),
        ("SELECT a FROM t WHERE a > 1 AND a LIKE 'x%'", "duckdb"),
        ("SELECT CAST(a AS numeric(10, 2)), extract(year FROM b) FROM t", "mysql"),
        ("SELECT a, count(*) FROM t GROUP BY a ORDER BY count(*) DESC LIMIT 3", "tsql"),
    ],
)
def test_does_not_warn_of_what_the_target_runs(sql, target):
    assert transpile(sql, "postgres", target)[1] == ()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, count(*) FROM t GROUP BY a",
        "SELECT a AS b, sum(c) FROM t GROUP BY b",
        "SELECT upper(a), sum(c) FROM t GROUP BY 1",
        "SELECT a, count(*) OVER () FROM t",
        "SELECT a, (SELECT max(b) FROM u) AS m FROM t",
        "SELECT strftime('%Y', day) AS year, sum(b) FROM t GROUP BY strftime('%Y', day)",
    ],
)
def test_does_not_warn_of_columns_that_are_grouped(sql):
    assert transpile(sql, "sqlite", "postgres")[1] == ()
