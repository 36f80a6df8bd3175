"""Lineage of the statements that sqlglot does not read by itself: read properly, or refused with the reason."""

from pathlib import Path

import pytest

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.guard import check
from sqlchat.sql.lineage import lineage

CORPUS = Path(__file__).parent / "corpus"

# (dialect, sql, kind, tables read, tables written), names apart by blanks
DEFINITIONS = [
    ("postgres", "CREATE TEMP TABLE d (x, y) ON COMMIT DELETE ROWS AS SELECT a, b FROM s", "CREATE", "s", "d"),
    ("postgres", "CREATE TABLE d WITH (fillfactor = 70) AS SELECT a FROM s WITH NO DATA", "CREATE", "s", "d"),
    (
        "postgres",
        "CREATE MATERIALIZED VIEW x.mv USING heap WITH (fillfactor = 70) TABLESPACE t AS SELECT a FROM s WITH DATA",
        "CREATE",
        "s",
        "x.mv",
    ),
    (
        "postgres",
        "CREATE VIEW v WITH (security_barrier) AS SELECT a FROM s WITH CASCADED CHECK OPTION",
        "CREATE",
        "s",
        "v",
    ),
    (
        "postgres",
        "CREATE RECURSIVE VIEW x.v (n) AS SELECT a FROM s UNION ALL SELECT n + 1 FROM v",
        "CREATE",
        "s",
        "x.v",
    ),
    ("postgres", "CREATE FOREIGN TABLE d (a int) SERVER far OPTIONS (t 'y')", "CREATE", "", "d"),
    ("postgres", "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)", "CREATE", "", "p1 p"),
    ("postgres", "CREATE STATISTICS st (ndistinct) ON a, b FROM d", "CREATE", "", "d"),
    ("postgres", "CREATE INDEX i ON d USING gin (a gin_trgm_ops)", "CREATE", "", "d"),
    ("snowflake", "CREATE TASK t SCHEDULE = '1 minute' AS INSERT INTO d SELECT a FROM s", "CREATE", "s", "d"),
    ("duckdb", "CREATE MACRO f(a) AS TABLE SELECT a, b FROM s", "CREATE", "s", ""),
    ("postgres", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $x$ SELECT 'it''s' FROM s $x$", "CREATE", "s", ""),
    ("postgres", "CREATE FUNCTION f() RETURNS int RETURN (SELECT max(a) FROM s)", "CREATE", "s", ""),
    (
        "postgres",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC INSERT INTO d SELECT a FROM s; SELECT 1; END; SELECT 1 FROM u",
        "MULTIPLE",
        "s u",
        "d",
    ),
    ("tsql", "CREATE PROCEDURE p AS SELECT a FROM s", "CREATE", "s", ""),
    ("mysql", "CREATE PROCEDURE p() BEGIN INSERT INTO d SELECT a FROM s; DELETE FROM e; END", "CREATE", "s", "d e"),
    (
        "mysql",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM d; UPDATE c SET a = 1; END",
        "CREATE",
        "",
        "d c",
    ),
    ("bigquery", "CREATE SNAPSHOT TABLE x.d CLONE x.s", "CREATE", "x.s", "x.d"),
    ("bigquery", "CREATE MODEL x.m OPTIONS (model_type = 'y') AS SELECT a FROM x.s", "CREATE", "x.s", ""),
    ("snowflake", "CREATE TABLE d USING TEMPLATE (SELECT a FROM s)", "CREATE", "s", "d"),
    ("snowflake", "CREATE PIPE p AS COPY INTO d FROM (SELECT a FROM s)", "CREATE", "s", "d"),
    (
        "oracle",
        "CREATE MATERIALIZED VIEW mv REFRESH FORCE ON DEMAND ENABLE QUERY REWRITE AS SELECT a FROM s",
        "CREATE",
        "s",
        "mv",
    ),
]
REACTIONS = [
    (
        "postgres",
        "CREATE RULE r AS ON UPDATE TO d WHERE old.a > 1 DO ALSO (INSERT INTO log SELECT a FROM s; DELETE FROM e)",
        "CREATE",
        "s",
        "d log e",
    ),
    ("postgres", 'CREATE RULE "_RETURN" AS ON SELECT TO v DO INSTEAD SELECT a FROM s', "CREATE", "s", "v"),
    ("postgres", "CREATE RULE r AS ON DELETE TO d DO INSTEAD NOTHING", "CREATE", "", "d"),
    (
        "postgres",
        "CREATE TRIGGER t BEFORE UPDATE OF a ON x.d FOR EACH ROW WHEN (OLD.a <> NEW.a) EXECUTE PROCEDURE f()",
        "CREATE",
        "",
        "x.d",
    ),
    (
        "sqlite",
        "CREATE TRIGGER t AFTER INSERT ON d BEGIN UPDATE log SET a = CASE WHEN 1 THEN 2 END; DELETE FROM e; END",
        "CREATE",
        "",
        "d log e",
    ),
    (
        "sqlite",
        "CREATE TRIGGER t AFTER INSERT ON d WHEN NEW.a IN (SELECT a FROM s) BEGIN DELETE FROM e; END",
        "CREATE",
        "s",
        "d e",
    ),
    (
        "mysql",
        "CREATE TRIGGER t AFTER INSERT ON d FOR EACH ROW INSERT INTO log SELECT a FROM s",
        "CREATE",
        "s",
        "d log",
    ),
    (
        "postgres",
        "CREATE POLICY p ON d USING (a IN (SELECT a FROM s)) WITH CHECK (b = (SELECT max(b) FROM u))",
        "CREATE",
        "s u",
        "d",
    ),
    ("postgres", "ALTER POLICY p ON d RENAME TO q", "ALTER", "", "d"),
    ("postgres", "DROP TRIGGER IF EXISTS t ON x.d CASCADE", "DROP", "", "x.d"),
]
CHANGES = [
    ("postgres", "ALTER TABLE p ATTACH PARTITION x.q DEFAULT", "ALTER", "", "p x.q"),
    ("postgres", 'ALTER TABLE "P" DETACH PARTITION q CONCURRENTLY', "ALTER", "", "P q"),
    ("postgres", "ALTER TABLE IF EXISTS d OWNER TO x", "ALTER", "", "d"),
    ("postgres", "ALTER TABLE d FORCE ROW LEVEL SECURITY", "ALTER", "", "d"),
    ("postgres", "ALTER MATERIALIZED VIEW mv RENAME TO nv", "ALTER", "", "mv nv"),
    ("postgres", "ALTER INDEX i RENAME TO j", "ALTER", "", ""),
    ("postgres", "INSERT INTO d OVERRIDING USER VALUE SELECT a FROM s", "INSERT", "s", "d"),
    ("postgres", "UPDATE d SET a = 1 WHERE CURRENT OF c", "UPDATE", "", "d"),
    ("postgres", "CLUSTER VERBOSE d USING i", "CLUSTER", "", "d"),
    ("postgres", "VACUUM (FULL) d, e", "VACUUM", "", "d e"),
    ("postgres", "ANALYZE d", "ANALYZE", "d", ""),
    ("postgres", "COMMENT ON TABLE d IS 'the TABLE e'", "COMMENT", "", "d"),
    ("postgres", "GRANT SELECT, INSERT ON d, e TO x", "GRANT", "", "d e"),
    ("mysql", "ALTER TABLE p EXCHANGE PARTITION p0 WITH TABLE q", "ALTER", "", "p q"),
    ("mysql", "RENAME TABLE a TO b, x.c TO `TO`", "RENAME", "", "a b x.c TO"),
    ("mysql", "LOCK TABLES a READ LOCAL, b AS x WRITE, c y READ", "LOCK", "a b c", ""),
    ("mysql", "HANDLER d READ FIRST", "HANDLER", "d", ""),
    ("sqlite", "UPDATE OR IGNORE d SET a = 1", "UPDATE", "", "d"),
    ("spark", "OPTIMIZE x.d ZORDER BY (a)", "OPTIMIZE", "", "x.d"),
    ("spark", "VACUUM d RETAIN 7 HOURS; REFRESH TABLE e", "MULTIPLE", "", "d e"),
    ("tsql", "BULK INSERT x.d FROM 'y.csv'", "BULK", "", "x.d"),
    ("tsql", "UPDATE d SET a = s.a FROM x.d AS d JOIN s ON s.id = d.id", "UPDATE", "s", "x.d"),
    ("tsql", "UPDATE d SET a = s.a FROM d AS z JOIN s ON s.id = z.id", "UPDATE", "s", "d"),
    ("tsql", "DELETE FROM z FROM d AS z JOIN s ON s.id = z.id", "DELETE", "s", "d"),
    (
        "tsql",
        "SELECT t.a FROM [srv].[db].[dbo].[t] AS t JOIN srv.db.dbo.u ON 1 = 1",
        "SELECT",
        "srv.db.dbo.t srv.db.dbo.u",
        "",
    ),
    ("tsql", "INSERT INTO srv.db.dbo.d SELECT a INTO #x FROM s", "INSERT", "s", "srv.db.dbo.d #x"),
    ("tsql", "WITH c AS (SELECT a FROM s) SELECT a INTO db.dbo.d FROM c", "SELECT", "s", "db.dbo.d"),
    ("mysql", "SELECT a INTO @x FROM s", "SELECT", "s", ""),
    ("mysql", "SELECT a FROM s INTO OUTFILE '/x' FIELDS TERMINATED BY ','", "SELECT", "s", ""),
    ("snowflake", "WITH t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT n FROM t", "SELECT", "", ""),
]
RUNS = [
    ("postgres", "PREPARE p (int, text) AS INSERT INTO d SELECT a FROM s", "PREPARE", "s", "d"),
    ("postgres", "PREPARE p AS SELECT a FROM s; EXECUTE p", "MULTIPLE", "s", ""),
    ("mysql", "PREPARE p FROM 'SELECT a FROM s'", "PREPARE", "s", ""),
    ("bigquery", "EXECUTE IMMEDIATE 'DELETE FROM d WHERE TRUE'", "EXECUTE", "", "d"),
    ("postgres", "DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT a FROM s", "DECLARE", "s", ""),
    ("postgres", "BEGIN; DECLARE c CURSOR FOR TABLE s; FETCH 5 FROM c; COMMIT", "MULTIPLE", "s", ""),
    ("postgres", "CALL p(1, (SELECT max(a) FROM s))", "CALL", "s", ""),
    ("bigquery", "EXPORT DATA WITH CONNECTION `c` OPTIONS(uri = 'x') AS (SELECT a FROM s)", "EXPORT", "s", ""),
    ("redshift", "UNLOAD ('SELECT a FROM s') TO 's3://b' IAM_ROLE 'r'", "UNLOAD", "s", ""),
    ("postgres", "EXPLAIN ANALYZE CREATE TABLE d AS SELECT a FROM s", "EXPLAIN", "s", "d"),
    ("tsql", "IF EXISTS (SELECT 1 FROM u) SELECT a FROM s", "IF", "u s", ""),
    ("mysql", "SET @x = (SELECT max(a) FROM s)", "SET", "s", ""),
    ("tsql", "ALTER TABLE d SWITCH PARTITION 1 TO e", "ALTER", "", "d e"),
    ("clickhouse", "CREATE MATERIALIZED VIEW v TO d AS SELECT a FROM s", "CREATE", "s", "v d"),
    ("postgres", "SELECT 'PREPARE; p' FROM s; LISTEN news", "MULTIPLE", "s", ""),
    ("postgres", "CREATE EXTENSION hstore SCHEMA public", "CREATE", "", ""),
    ("postgres", "COMMIT PREPARED 'x'", "COMMIT", "", ""),
    ("postgres", "NOTIFY news, 'a; b'", "NOTIFY", "", ""),
]


def test_reads_and_writes(subtests):
    for case in [*DEFINITIONS, *REACTIONS, *CHANGES, *RUNS]:
        with subtests.test(case[1][:60]):
            dialect, sql, kind, read, written = case
            found = lineage(sql, dialect)
            assert (found.query_type, found.tables_read, found.tables_written) == (
                kind,
                tuple(read.split()),
                tuple(written.split()),
            )


def test_a_trigger_may_name_the_tables_of_its_rows():
    sql = "CREATE TRIGGER x AFTER INSERT ON d REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION f()"
    assert lineage(sql, "postgres").tables_written == ("d",)


def test_words_that_sqlglot_takes_for_a_name_are_not_read_over():
    with pytest.raises(SQLRefusedError, match="is not known here"):
        lineage("IF EXISTS (SELECT 1 FROM s) DELETE FROM d", "tsql")


def test_a_recursive_view_has_no_cte():
    found = lineage("CREATE RECURSIVE VIEW v (n) AS SELECT a FROM s UNION ALL SELECT n + 1 FROM v", "postgres")
    assert (found.columns_used, found.ctes) == (("n", "a"), ())


def test_names_of_several_statements_stand_in_their_order():
    found = lineage(
        "PREPARE p AS SELECT b FROM t2; SELECT a FROM t1; CREATE TRIGGER x AFTER INSERT ON d EXECUTE FUNCTION f()",
        "postgres",
    )
    assert (found.tables_read, found.columns_used) == (("t2", "t1"), ("b", "a"))


@pytest.mark.parametrize(
    "sql",
    [
        "hello world",
        "SELECT",
        "UPDATE t",
        "CALL p(1)",
        "CALL s.p()",
        "SELECT a FROM t; CALL p(1)",
        "hello",
        "show me all customers",
        "execute order 66",
        "explain this query",
        "1 + 1",
        "SELECT 1; hello world",
    ],
)
def test_text_that_is_no_sql_is_refused(sql):
    for dialect in ("", "postgres", "mysql"):
        with pytest.raises((SQLSyntaxError, SQLRefusedError)):
            lineage(sql, dialect)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("DO $$ BEGIN DELETE FROM d; END $$", "What the statement .*DO.* reads and writes is not known here"),
        ("EXECUTE p(1)", "does not say what p runs"),
        ("CALL p(1)", "What the procedure reads and writes stands in the database"),
        ("CREATE TABLE d AS EXECUTE p", "is not known here"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM d; END $$", "is in plpgsql"),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA x TO y", "is not known here"),
        ("ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b", "is not known here"),
    ],
)
def test_what_is_not_known_is_refused_with_the_reason(sql, reason):
    with pytest.raises(SQLRefusedError, match=reason):
        lineage(sql, "postgres")


def test_copying_a_whole_database_is_refused():
    with pytest.raises(SQLRefusedError, match="is not known here"):
        lineage("COPY FROM DATABASE a TO b", "duckdb")


@pytest.mark.parametrize("dialect", ["postgres", "sqlite", "duckdb", "mysql"])
def test_every_statement_that_may_run_has_a_lineage(dialect):
    lines = (CORPUS / f"{dialect}.honest.sql").read_text().splitlines()
    for sql in (line.strip() for line in lines):
        if not sql or sql.startswith("--"):
            continue
        try:
            check(sql, dialect)
        except (SQLRefusedError, SQLSyntaxError):
            continue  # a part of a longer one
        kinds = ("SELECT", "EXPLAIN", "SHOW", "DESCRIBE", "PRAGMA", "SUMMARIZE")
        assert lineage(sql, dialect).query_type in kinds, sql
