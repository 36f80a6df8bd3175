"""Lineage: kind, tables, columns and CTEs of every kind of statement."""

import pytest

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.lineage import Lineage, lineage

# (dialect, sql, kind, tables read, tables written, columns used, CTEs), names apart by blanks
QUERIES = [
    ("postgres", "SELECT * FROM authors", "SELECT", "authors", "", "*", ""),
    ("postgres", "SELECT title FROM books WHERE price > 10", "SELECT", "books", "", "title price", ""),
    ("postgres", "SELECT b.title FROM books AS b", "SELECT", "books", "", "books.title", ""),
    ("postgres", "SELECT b.* FROM shop.books b", "SELECT", "shop.books", "", "shop.books.*", ""),
    ("postgres", "SELECT books.title FROM shop.books", "SELECT", "shop.books", "", "shop.books.title", ""),
    ("postgres", "SELECT count(*) FROM books", "SELECT", "books", "", "", ""),
    ("postgres", 'SELECT "Title" FROM "Lib"."Books"', "SELECT", "Lib.Books", "", "Title", ""),
    (
        "postgres",
        "SELECT a.name, b.title FROM authors a JOIN books b ON b.author_id = a.id",
        "SELECT",
        "authors books",
        "",
        "authors.name books.title books.author_id authors.id",
        "",
    ),
    (
        "postgres",
        "SELECT name FROM authors JOIN books USING (author_id)",
        "SELECT",
        "authors books",
        "",
        "name author_id",
        "",
    ),
    ("postgres", "SELECT name AS n FROM authors ORDER BY n", "SELECT", "authors", "", "name", ""),
    ("postgres", "SELECT lower(c) AS k, count(*) FROM t GROUP BY k", "SELECT", "t", "", "c", ""),
    ("postgres", "SELECT a FROM t1 UNION ALL SELECT b FROM t2 ORDER BY a", "SELECT", "t1 t2", "", "a b", ""),
    (
        "postgres",
        "SELECT a FROM t EXCEPT (SELECT a FROM u INTERSECT SELECT a FROM v)",
        "SELECT",
        "t u v",
        "",
        "a",
        "",
    ),
    ("postgres", "VALUES (1, 2), (3, 4)", "SELECT", "", "", "", ""),
    ("postgres", "TABLE books", "SELECT", "books", "", "*", ""),
    ("postgres", "SELECT 1", "SELECT", "", "", "", ""),
    ("postgres", "((SELECT a FROM t))", "SELECT", "t", "", "a", ""),
    ("postgres", "SELECT s.a FROM (SELECT a, b FROM t) s", "SELECT", "t", "", "a b", ""),
    ("postgres", "SELECT s.z FROM (SELECT * FROM t) s", "SELECT", "t", "", "t.z *", ""),
    (
        "postgres",
        "SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE u.d = t.e)",
        "SELECT",
        "t u",
        "",
        "a b c u.d t.e",
        "",
    ),
    ("postgres", "SELECT (SELECT max(x) FROM u), EXISTS (SELECT 1 FROM v)", "SELECT", "u v", "", "x", ""),
    (
        "postgres",
        "SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b ORDER BY c)",
        "SELECT",
        "t",
        "",
        "a b c",
        "",
    ),
    ("postgres", "SELECT count(*) FILTER (WHERE a > 1) FROM t GROUP BY ROLLUP (b)", "SELECT", "t", "", "a b", ""),
    ("postgres", "SELECT t.j ->> 'k', (t.c).f FROM t", "SELECT", "t", "", "t.j t.c", ""),
    ("postgres", "SELECT a FROM T UNION SELECT a FROM t", "SELECT", "T", "", "a", ""),
    ("postgres", 'SELECT a FROM "T" UNION SELECT a FROM t', "SELECT", "T t", "", "a", ""),
    ("mysql", "SELECT a FROM T UNION SELECT a FROM t", "SELECT", "T t", "", "a", ""),
    (
        "postgres",
        "SELECT * FROM ((a JOIN b ON a.i = b.i) JOIN c ON c.i = a.i)",
        "SELECT",
        "a b c",
        "",
        "* a.i b.i c.i",
        "",
    ),
    (
        "tsql",
        "SELECT [o].[id] FROM [shop].[dbo].[orders] AS [o]",
        "SELECT",
        "shop.dbo.orders",
        "",
        "shop.dbo.orders.id",
        "",
    ),
    ("bigquery", "SELECT a FROM `proj.ds.tab`", "SELECT", "proj.ds.tab", "", "a", ""),
    ("mysql", "SELECT 1 FROM dual", "SELECT", "", "", "", ""),
    ("", "SELECT a FROM t; ", "SELECT", "t", "", "a", ""),
    ("sqlite", "SELECT a FROM t WHERE b IN main.s", "SELECT", "t main.s", "", "a b", ""),
    ("sqlite", "WITH s AS (SELECT c FROM u) SELECT a FROM t WHERE b IN s", "SELECT", "u t", "", "c a b", "s"),
    ("duckdb", "SELECT a FROM t WHERE b IN s", "SELECT", "t", "", "a b s", ""),
    ("clickhouse", "SELECT a FROM t SETTINGS max_threads = 1", "SELECT", "t", "", "a", ""),
    ("bigquery", "FROM t |> AGGREGATE sum(a) AS s GROUP BY b", "SELECT", "t", "", "a b *", ""),
]

TABLE_FUNCTIONS = [
    ("postgres", "SELECT g FROM generate_series(1, 3) AS g", "SELECT", "", "", "", ""),
    ("postgres", "SELECT e.value FROM t, jsonb_each(t.doc) AS e", "SELECT", "t", "", "e.value t.doc", ""),
    ("postgres", "SELECT v.a FROM (VALUES (1, 2)) AS v(a, b)", "SELECT", "", "", "", ""),
    (
        "postgres",
        "SELECT l.m FROM t, LATERAL (SELECT max(u.x) AS m FROM u WHERE u.i = t.i) l",
        "SELECT",
        "t u",
        "",
        "u.x u.i t.i",
        "",
    ),
    ("bigquery", "SELECT tag FROM t, UNNEST(t.tags) AS tag", "SELECT", "t", "", "t.tags", ""),
    ("hive", "SELECT x.c FROM t LATERAL VIEW explode(t.items) x AS c", "SELECT", "t", "", "t.items", ""),
    ("snowflake", "SELECT f.value FROM t, LATERAL FLATTEN(input => t.doc) f", "SELECT", "t", "", "t.doc", ""),
    (
        "tsql",
        "SELECT z.a FROM t CROSS APPLY (SELECT u.a FROM u WHERE u.i = t.i) z",
        "SELECT",
        "t u",
        "",
        "u.a u.i t.i",
        "",
    ),
    ("duckdb", "SELECT rank FROM (PIVOT t ON y USING sum(x) GROUP BY z)", "SELECT", "t", "", "rank y x z", ""),
    ("bigquery", "SELECT y FROM ML.PREDICT(MODEL m, (SELECT x FROM t))", "SELECT", "t", "", "y x", ""),
    ("duckdb", "SELECT price AS p, p * 2 AS twice FROM t", "SELECT", "t", "", "price", ""),
    ("duckdb", "SELECT [x + y for x in l] FROM t", "SELECT", "t", "", "y l", ""),
    ("duckdb", "SELECT * EXCLUDE (a) REPLACE (b + 1 AS b) FROM t", "SELECT", "t", "", "* b", ""),
]

CTES = [
    ("", "WITH c AS (SELECT a FROM s) SELECT a FROM c", "SELECT", "s", "", "a", "c"),
    ("", "WITH a AS (SELECT x FROM t), b AS (SELECT x FROM a) SELECT b.x FROM b", "SELECT", "t", "", "x", "a b"),
    ("", "WITH t AS (SELECT * FROM t WHERE x > 0) SELECT * FROM t", "SELECT", "t", "", "* x", "t"),
    ("", "(WITH c AS (SELECT 1 AS n) SELECT n FROM c) UNION SELECT n FROM c", "SELECT", "c", "", "n", "c"),
    ("", "SELECT n FROM c UNION (WITH c AS (SELECT 1 AS n) SELECT n FROM c)", "SELECT", "c", "", "n", "c"),
    (
        "",
        "WITH c AS (SELECT a FROM t) SELECT * FROM (WITH c AS (SELECT a FROM u) SELECT a FROM c) s",
        "SELECT",
        "t u",
        "",
        "a *",
        "c",
    ),
    ("", "SELECT a FROM c WHERE a IN (WITH c AS (SELECT b FROM u) SELECT b FROM c)", "SELECT", "c u", "", "a b", "c"),
    ("", "WITH c AS (SELECT a FROM t) SELECT a FROM c, s.c AS other", "SELECT", "t s.c", "", "a", "c"),
    (
        "",
        "WITH RECURSIVE r AS (SELECT id FROM t UNION ALL SELECT t.id FROM t JOIN r ON t.up = r.id) SELECT id FROM r",
        "SELECT",
        "t",
        "",
        "id t.id t.up",
        "r",
    ),
    (
        "",
        "WITH RECURSIVE a AS (SELECT x FROM b UNION SELECT 1), b AS (SELECT 1 UNION SELECT 2) SELECT x FROM a",
        "SELECT",
        "",
        "",
        "x",
        "a b",
    ),
    ("tsql", "WITH r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r", "SELECT", "", "", "", "r"),
    ("sqlite", "WITH a AS (SELECT * FROM b), b AS (SELECT 1 AS x) SELECT x FROM a", "SELECT", "", "", "* x", "a b"),
    ("postgres", "WITH C AS (SELECT 1 AS n) SELECT n FROM c", "SELECT", "", "", "", "C"),
    ("postgres", 'WITH "C" AS (SELECT 1 AS n) SELECT n FROM c', "SELECT", "c", "", "n", "C"),
    ("postgres", "WITH c(k, v) AS (SELECT a, b FROM t) SELECT k FROM c WHERE v > 1", "SELECT", "t", "", "a b", "c"),
    (
        "postgres",
        "WITH d AS (DELETE FROM t WHERE old RETURNING *) SELECT d.id FROM d",
        "SELECT",
        "",
        "t",
        "old * t.id",
        "d",
    ),
    (
        "postgres",
        "WITH m AS (UPDATE t SET a = 1 RETURNING id) INSERT INTO log SELECT id FROM m",
        "INSERT",
        "",
        "t log",
        "a id",
        "m",
    ),
]

WRITES = [
    (
        "tsql",
        "UPDATE x SET a = 1 OUTPUT deleted.a INTO log FROM t AS x WHERE b = 2",
        "UPDATE",
        "",
        "log t",
        "a t.a b",
        "",
    ),
    ("clickhouse", "EXCHANGE TABLES a AND b", "EXCHANGE", "", "a b", "", ""),
    ("mysql", "OPTIMIZE TABLE a, b", "OPTIMIZE", "", "a b", "", ""),
    ("hive", "MSCK REPAIR TABLE s.t", "MSCK", "", "s.t", "", ""),
    ("", "INSERT INTO t WITH c AS (SELECT a FROM s) SELECT a FROM c", "INSERT", "s", "t", "a", "c"),
    ("", "INSERT INTO t (x, y) VALUES (1, 2)", "INSERT", "", "t", "x y", ""),
    ("", "INSERT INTO shop.t SELECT s.a FROM stage.s AS s", "INSERT", "stage.s", "shop.t", "stage.s.a", ""),
    ("", "INSERT INTO t SELECT a FROM t", "INSERT", "t", "t", "a", ""),
    ("", "WITH c AS (SELECT a FROM s) INSERT INTO t SELECT a FROM c", "INSERT", "s", "t", "a", "c"),
    (
        "postgres",
        "INSERT INTO t AS z (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = EXCLUDED.b + z.b",
        "INSERT",
        "",
        "t",
        "a b t.b",
        "",
    ),
    ("mysql", "REPLACE INTO t (a) SELECT b FROM s", "REPLACE", "s", "t", "a b", ""),
    ("hive", "INSERT OVERWRITE TABLE t PARTITION (ds = '1') SELECT a FROM s", "INSERT", "s", "t", "ds a", ""),
    ("spark", "INSERT INTO TABLE t TABLE s", "INSERT", "s", "t", "", ""),
    ("tsql", "INSERT INTO t (a) OUTPUT inserted.a INTO log VALUES (1)", "INSERT", "", "t log", "a t.a", ""),
    ("postgres", "UPDATE t SET a = 1 RETURNING old.a, new.b", "UPDATE", "", "t", "a t.a t.b", ""),
    ("tsql", "WITH c AS (SELECT a FROM t) UPDATE c SET a = 1", "UPDATE", "t", "t", "a", "c"),
    (
        "oracle",
        "INSERT ALL INTO t (x) VALUES (y) INTO u (x) VALUES (y) SELECT y FROM s",
        "INSERT",
        "s",
        "t u",
        "x y",
        "",
    ),
    ("hive", "INSERT OVERWRITE DIRECTORY '/out' SELECT a FROM s", "INSERT", "s", "", "a", ""),
    (
        "hive",
        "FROM s INSERT OVERWRITE TABLE t SELECT a INSERT INTO TABLE u SELECT b",
        "INSERT",
        "s",
        "t u",
        "a b",
        "",
    ),
    ("", "UPDATE t SET a = 1 WHERE b = 2", "UPDATE", "", "t", "a b", ""),
    ("postgres", "UPDATE t SET a = s.b FROM s WHERE s.id = t.id", "UPDATE", "s", "t", "a s.b s.id t.id", ""),
    (
        "postgres",
        "UPDATE t SET a = o.a FROM t AS o WHERE o.id = t.prior",
        "UPDATE",
        "t",
        "t",
        "a t.a t.id t.prior",
        "",
    ),
    ("", "UPDATE t SET a = (SELECT max(b) FROM s)", "UPDATE", "s", "t", "a b", ""),
    ("mysql", "UPDATE t JOIN s ON s.id = t.id SET t.a = s.b", "UPDATE", "s", "t", "s.id t.id t.a s.b", ""),
    ("mysql", "UPDATE t x, s y SET x.a = 1, y.b = 2", "UPDATE", "", "t s", "t.a s.b", ""),
    (
        "tsql",
        "UPDATE x SET x.a = y.b FROM t AS x JOIN s AS y ON y.id = x.id",
        "UPDATE",
        "s",
        "t",
        "t.a s.b s.id t.id",
        "",
    ),
    ("", "DELETE FROM t WHERE a = 1", "DELETE", "", "t", "a", ""),
    ("postgres", "DELETE FROM t USING u, v WHERE t.id = u.id AND v.x", "DELETE", "u v", "t", "t.id u.id v.x", ""),
    ("postgres", "DELETE FROM t WHERE id IN (SELECT id FROM t WHERE dead)", "DELETE", "t", "t", "id dead", ""),
    ("mysql", "DELETE x FROM t x JOIN s y ON x.id = y.id", "DELETE", "s", "t", "t.id s.id", ""),
    ("mysql", "DELETE FROM t, u USING t JOIN u JOIN v", "DELETE", "v", "t u", "", ""),
    (
        "",
        "MERGE INTO t USING s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v "
        "WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v)",
        "MERGE",
        "s",
        "t",
        "t.k s.k v s.v k",
        "",
    ),
    (
        "tsql",
        "MERGE t USING (SELECT k FROM s UNION SELECT k FROM t) AS n ON t.k = n.k WHEN MATCHED THEN DELETE;",
        "MERGE",
        "s t",
        "t",
        "k t.k",
        "",
    ),
    (
        "",
        "MERGE INTO t USING s ON t.k = s.k WHEN MATCHED AND s.dead THEN DELETE",
        "MERGE",
        "s",
        "t",
        "t.k s.k s.dead",
        "",
    ),
    ("postgres", "SELECT a INTO copy FROM t", "SELECT", "t", "copy", "a", ""),
    ("postgres", "TRUNCATE t, shop.u", "TRUNCATE", "", "t shop.u", "", ""),
    ("postgres", "COPY t (a, b) FROM STDIN", "COPY", "", "t", "a b", ""),
    ("postgres", "COPY t TO STDOUT", "COPY", "t", "", "", ""),
    ("postgres", "COPY (SELECT a FROM t JOIN u USING (i)) TO STDOUT", "COPY", "t u", "", "a i", ""),
    ("snowflake", "COPY INTO t FROM @stage/path", "COPY", "", "t", "", ""),
    ("snowflake", "COPY INTO @stage/path FROM (SELECT a FROM t)", "COPY", "t", "", "a", ""),
]

DEFINITIONS = [
    ("", "CREATE TABLE t (a INT, b TEXT)", "CREATE", "", "t", "a b", ""),
    ("", "CREATE TABLE shop.t AS SELECT a FROM s", "CREATE", "s", "shop.t", "a", ""),
    ("", "CREATE TABLE t AS WITH c AS (SELECT a FROM s) SELECT a FROM c", "CREATE", "s", "t", "a", "c"),
    ("postgres", "CREATE TABLE t AS TABLE s", "CREATE", "s", "t", "*", ""),
    ("postgres", "CREATE TABLE t (a INT REFERENCES other (id))", "CREATE", "", "t", "a", ""),
    ("postgres", "CREATE OR REPLACE VIEW v (x) AS SELECT a FROM s", "CREATE", "s", "v", "x a", ""),
    ("postgres", "CREATE MATERIALIZED VIEW v AS SELECT a FROM s", "CREATE", "s", "v", "a", ""),
    ("mysql", "CREATE TABLE t LIKE s", "CREATE", "s", "t", "", ""),
    ("bigquery", "CREATE TABLE t CLONE s", "CREATE", "s", "t", "", ""),
    ("postgres", "CREATE INDEX i ON t (a, lower(b))", "CREATE", "", "t", "a b", ""),
    ("postgres", "CREATE SCHEMA s", "CREATE", "", "", "", ""),
    ("postgres", "DROP TABLE t, shop.u", "DROP", "", "t shop.u", "", ""),
    ("postgres", "DROP VIEW IF EXISTS v", "DROP", "", "v", "", ""),
    ("postgres", "DROP SCHEMA s", "DROP", "", "", "", ""),
    ("postgres", "ALTER TABLE t ADD COLUMN c INT", "ALTER", "", "t", "c", ""),
    ("mysql", "RENAME TABLE t TO u", "RENAME", "", "t u", "", ""),
    ("snowflake", "ALTER TABLE t SWAP WITH u", "ALTER", "", "t u", "", ""),
    ("postgres", "ALTER TABLE t RENAME TO u", "ALTER", "", "t u", "", ""),
]

OTHERS = [
    ("postgres", "EXPLAIN SELECT a FROM t", "EXPLAIN", "t", "", "a", ""),
    ("postgres", "EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM t", "EXPLAIN", "", "t", "", ""),
    ("sqlite", "EXPLAIN QUERY PLAN SELECT a FROM t", "EXPLAIN", "t", "", "a", ""),
    ("duckdb", "DESCRIBE SELECT a FROM t", "DESCRIBE", "t", "", "a", ""),
    ("duckdb", "SUMMARIZE t", "SUMMARIZE", "t", "", "", ""),
    ("postgres", "EXPLAIN (SELECT a FROM t) UNION SELECT b FROM u", "EXPLAIN", "t u", "", "a b", ""),
    ("mysql", "EXPLAIN FORMAT=JSON SELECT a FROM t", "EXPLAIN", "t", "", "a", ""),
    ("postgres", "EXPLAIN SELECT a FROM t; EXPLAIN SELECT b FROM u", "EXPLAIN", "t u", "", "a b", ""),
    ("mysql", "DESCRIBE t", "DESCRIBE", "t", "", "", ""),
    ("postgres", "REFRESH MATERIALIZED VIEW CONCURRENTLY shop.v WITH DATA", "REFRESH", "", "shop.v", "", ""),
    ("postgres", "SET search_path = x", "SET", "", "", "", ""),
    ("postgres", "SAVEPOINT a", "SAVEPOINT", "", "", "", ""),
    ("", "SELECT a FROM t; SELECT b FROM u", "SELECT", "t u", "", "a b", ""),
    ("", "BEGIN; UPDATE t SET a = 1; COMMIT", "UPDATE", "", "t", "a", ""),
    ("", "CREATE TABLE t (a INT); INSERT INTO t SELECT a FROM s; SELECT * FROM t", "MULTIPLE", "s t", "t", "a *", ""),
]


def names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def test_lineage(subtests):
    for case in [*QUERIES, *TABLE_FUNCTIONS, *CTES, *WRITES, *DEFINITIONS, *OTHERS]:
        with subtests.test(case[1][:60]):
            dialect, sql, kind, read, written, columns, ctes = case
            assert lineage(sql, dialect) == Lineage(kind, names(read), names(written), names(columns), names(ctes))


SHOP = Catalog(
    tables=(
        Table("authors", (Column("id", "integer"), Column("name", "text")), "public"),
        Table("books", (Column("id", "integer"), Column("author_id", "integer"), Column("title", "text")), "public"),
        Table("Sales", (Column("book_id", "integer"), Column("Total", "numeric")), "ledger"),
    ),
    dialect="postgres",
    default_schema="public",
)


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT * FROM authors", "authors.id authors.name"),
        ("SELECT b.*, name FROM authors, books b", "books.id books.author_id books.title authors.name"),
        ("SELECT title FROM books", "books.title"),
        ("SELECT title FROM public.books", "public.books.title"),
        ("SELECT TITLE FROM Books", "Books.title"),
        (
            "SELECT name, title FROM authors JOIN books ON author_id = authors.id",
            "authors.name books.title books.author_id authors.id",
        ),
        ("SELECT title FROM authors JOIN books USING (id)", "books.title authors.id books.id"),
        ('SELECT "Total" FROM ledger."Sales"', "ledger.Sales.Total"),
        ('SELECT Total FROM ledger."Sales"', "Total"),
        (
            "SELECT name FROM authors WHERE EXISTS (SELECT * FROM books WHERE author_id = authors.id)",
            "authors.name books.author_id authors.id",
        ),
        (
            "SELECT title FROM books WHERE author_id IN (SELECT id FROM authors WHERE name = title)",
            "books.title books.author_id authors.id authors.name",
        ),
        ("WITH c AS (SELECT * FROM authors) SELECT name FROM c", "authors.id authors.name"),
        ("SELECT * FROM authors, strangers", "authors.id authors.name *"),
        ("SELECT s.* FROM strangers s, authors", "strangers.*"),
        ("SELECT oddity FROM authors, strangers", "oddity"),
        ("SELECT books FROM books", "books.*"),
        ("SELECT name AS title FROM authors ORDER BY title", "authors.name"),
        ("SELECT author_id AS title, count(*) FROM books GROUP BY title", "books.author_id books.title"),
        ("INSERT INTO authors (name) SELECT title FROM books", "authors.name books.title"),
        (
            "UPDATE books SET title = name FROM authors WHERE author_id = authors.id",
            "books.title authors.name books.author_id authors.id",
        ),
    ],
)
def test_catalog_resolves_stars_and_bare_columns(sql, columns):
    assert lineage(sql, "postgres", SHOP).columns_used == names(columns)


def test_names_stand_in_the_order_of_the_text():
    found = lineage("SELECT z, y FROM b JOIN a ON a.k = b.k WHERE x IN (SELECT w FROM c)", "postgres")
    assert found.tables_read == ("b", "a", "c")
    assert found.columns_used == ("z", "y", "a.k", "b.k", "x", "w")


def test_long_chains_are_read():
    conditions = " OR ".join(f"c = {n}" for n in range(1600))
    assert lineage(f"SELECT a FROM t WHERE {conditions}", "postgres").columns_used == ("a", "c")
    branches = " UNION ALL ".join(["SELECT a FROM t"] * 700)
    assert lineage(branches, "postgres").tables_read == ("t",)


def test_ctes_that_double_do_not_blow_up():
    ctes = ["c0 AS (SELECT * FROM t)", *(f"c{n} AS (SELECT * FROM c{n - 1} a, c{n - 1} b)" for n in range(1, 200))]
    sql = f"WITH {', '.join(ctes)} SELECT c199.x, y FROM c199"
    assert lineage(sql, "postgres").columns_used == ("*", "t.x", "y")
    assert lineage(sql, "postgres", SHOP).tables_read == ("t",)


def test_deep_nesting_is_read_or_refused_in_one_sentence():
    for depth in (20, 60, 90):
        sql = "SELECT a FROM (" * depth + "SELECT a FROM t" + ") s" * depth
        assert lineage(sql, "postgres").tables_read == ("t",)
    with pytest.raises(SQLRefusedError, match="nested too deeply"):
        lineage("SELECT a FROM (" * 900 + "SELECT a FROM t" + ") s" * 900, "postgres")


@pytest.mark.parametrize("sql", ["SELECT FROM WHERE", "SELECT (1", "hello there, database", "", "-- nothing"])
def test_what_does_not_parse_is_a_syntax_error(sql):
    with pytest.raises(SQLSyntaxError):
        lineage(sql, "postgres")
