"""What Spark's grammar, the session's settings and the connection stop when no guard has looked at the text."""

import contextlib
import itertools
import json

import pytest
from spark_servers import ON_CLUSTER

from sqlchat.config import Settings
from sqlchat.connections.spark.connection import SparkConnection
from sqlchat.errors import DatabaseUnavailableError, QueryError, QueryTimeoutError, SQLRefusedError, TooLargeError

NUMBERS = itertools.count(1)
WRITES = [
    "DROP TABLE kept",
    "DELETE FROM kept",
    "UPDATE kept SET n = 9",
    "INSERT INTO kept VALUES (9)",
    "INSERT OVERWRITE kept SELECT 9",
    "INSERT OVERWRITE DIRECTORY '/tmp/made' USING csv SELECT 1",
    "MERGE INTO kept USING (SELECT 1 AS n) s ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE TABLE kept",
    "ALTER TABLE kept ADD COLUMN m INT",
    "CREATE TABLE made AS SELECT 1 AS n",
    "CREATE OR REPLACE TABLE kept AS SELECT 1 AS n",
    "CREATE TEMPORARY VIEW made AS SELECT 1 AS n",
    "CREATE VIEW made AS SELECT 1 AS n",
    "CREATE DATABASE made",
    "CREATE FUNCTION made AS 'org.example.Made'",
    "CREATE TEMPORARY FUNCTION made AS 'org.example.Made'",
    "DECLARE VARIABLE made INT DEFAULT 1",
    "SET VARIABLE made = 1",
    "SET spark.sql.shuffle.partitions = 7",
    "SET",
    "RESET",
    "USE DATABASE default",
    "CACHE TABLE kept",
    "UNCACHE TABLE kept",
    "REFRESH TABLE kept",
    "ANALYZE TABLE kept COMPUTE STATISTICS",
    "MSCK REPAIR TABLE kept",
    "ADD JAR '/tmp/made.jar'",
    "ADD FILE '/etc/passwd'",
    "LOAD DATA INPATH '/etc/passwd' INTO TABLE kept",
    "EXECUTE IMMEDIATE 'DROP TABLE kept'",
    "CALL system.made()",
    "BEGIN DROP TABLE kept; END",
    "FROM kept INSERT INTO kept SELECT n + 1",
    "FROM kept SELECT n",
    "MAP n USING 'cat' FROM kept",
    "WITH a AS (SELECT 9 AS n) INSERT INTO kept SELECT n FROM a",
    "WITH a AS (INSERT INTO kept VALUES (9)) SELECT 1",
    "SELECT * FROM (INSERT INTO kept VALUES (9))",
    "SELECT 1; DROP TABLE kept",
    "SELECT 1); DROP TABLE kept; --",
    "SELECT 1) LIMIT 1; DROP TABLE kept; SELECT * FROM (SELECT 1",
    "SELECT 1 UNION ALL DROP TABLE kept",
    "SELECT 1 /* ",
    "SELECT 'a",
    "SELECT 1 -- \\",
    "SELECT * FROM kept |> DROP TABLE kept",
    "SELECT 1 FROM kept FOR UPDATE",
    "EXPLAIN DROP TABLE kept",
    "EXPLAIN CREATE TABLE made AS SELECT 1",
    "SHOW TABLES; DROP TABLE kept",
    "SHOW TABLES) LIMIT 1; DROP TABLE kept",
    "DESCRIBE QUERY INSERT INTO kept VALUES (9)",
    "DESCRIBE TABLE kept; DROP TABLE kept",
    "DESC DROP TABLE kept",
]
DOORS = [
    "SELECT TRANSFORM(n) USING 'touch /tmp/made' FROM kept",
    "SELECT TRANSFORM (n) ROW FORMAT DELIMITED USING /* c */ 'cat' AS (x STRING) FROM kept",
    'SELECT TRANSFORM(n) USING\n"cat" FROM kept',
    "SELECT TRANSFORM(n) USING R'cat' FROM kept",
    "SELECT * FROM (MAP n USING 'cat' AS x FROM kept)",
    "SELECT reflect('java.lang.System', 'getProperty', 'user.dir')",
    "SELECT Reflect /* c */ ('java.lang.System', 'getProperty', 'user.dir')",
    "SELECT `reflect`('java.lang.System', 'getProperty', 'user.dir')",
    "SELECT `REFLECT` ('java.lang.System', 'getProperty', 'user.dir')",
    "SELECT system.builtin.reflect('java.lang.System', 'getProperty', 'user.dir')",
    "SELECT java_method('java.util.UUID', 'randomUUID')",
    "SELECT try_reflect('java.util.UUID', 'randomUUID')",
    "SELECT 'a\\'', reflect('java.util.UUID', 'randomUUID') -- '",
    "SELECT r'a\\', reflect('java.util.UUID', 'randomUUID') -- '",
    "SELECT 1 -- \\\n, reflect('java.util.UUID', 'randomUUID')",
    "SELECT /* /* */ 1 AS a, */ reflect('java.util.UUID', 'randomUUID')",
    "SELECT * FROM text.`/etc/passwd`",
    "SELECT * FROM TEXT.`/etc/passwd`",
    "SELECT * FROM `text`.`/etc/passwd`",
    "SELECT * FROM kept JOIN text . `/etc/passwd`",
    "SELECT * FROM kept, text.`/etc/passwd`",
    "SELECT * FROM (TABLE text.`/etc/passwd`)",
    "SELECT * FROM csv.`file:///etc/passwd`",
    "SELECT * FROM binaryFile.`/etc/passwd`",
    "SELECT * FROM text.passwd",
    "SELECT * FROM IDENTIFIER('text.`/etc/passwd`')",
    "SELECT * FROM identifier ('kept')",
    "SELECT * FROM read_files('/etc/passwd')",
    "SELECT secret('a', 'b')",
    "SELECT from_avro(X'00', '{}', map('avroSchemaUrl', 'file:///etc/passwd'))",
    "SELECT schema_of_avro('{}', map('avroSchemaUrl', 'file:///etc/passwd'))",
    "SELECT from_protobuf(X'00', 'M', '/etc/passwd')",
    "SELECT `to_protobuf`(struct(1), 'M', '/etc/passwd')",
    "SELECT from_xml('<a/>', 'a INT', map('rowValidationXSDPath', '/etc/passwd'))",
    "SELECT schema_of_xml('<a/>', map('rowValidationXSDPath', '/etc/passwd'))",
    "SELECT '${env:HOME}'",
    "SELECT ${system:user.dir}",
    "SELECT /*+ COALESCE(1) */ 1",
]
SIZES = ["SELECT repeat('x', 1000000) AS t FROM range(30)", "SELECT sequence(1, 1000000) AS s FROM range(3)"]


@pytest.fixture(scope="module")
def attacked(spark_server):
    """A connection that joins a session, and a function that asserts that no attack changed its state.

    One session serves all attacks: each must leave it as it was.
    """
    session = spark_server.open(user="attacked")
    name = f"attacked_{next(NUMBERS)}"
    session.command(f"CREATE DATABASE {name}")
    session.command(f"USE DATABASE {name}")
    session.command("CREATE TABLE kept (n INT)")
    session.command("INSERT INTO kept VALUES (1), (2)")

    def read_state():
        asked = ("SELECT n FROM kept ORDER BY n", "SHOW TABLES", "SHOW DATABASES", "SELECT current_schema()")
        return [session.ask(sql, 60) for sql in asked]

    def assert_unchanged():
        assert read_state() == before

    config = spark_server.config | {"user": "attacked", "session_id": session.id, "database": name}
    connection = SparkConnection(config, Settings(pool_size=1, max_result_mb=1), None)
    before = read_state()
    assert before[0] == [(1,), (2,)]
    yield connection, assert_unchanged
    connection.close()
    session.command(f"DROP DATABASE {name} CASCADE")
    session.close()


def run(connection, sql):
    return json.loads(connection.run(sql, max_rows=10, timeout=100).rows)


def test_what_writes_or_sets_is_refused_and_changes_nothing(attacked, subtests):
    connection, assert_unchanged = attacked
    for sql in WRITES:
        with subtests.test(ascii(sql)):
            with pytest.raises((QueryError, SQLRefusedError)):
                run(connection, sql)
            with pytest.raises((QueryError, SQLRefusedError)):
                list(connection.stream(sql, max_rows=10, idle=60))
            with contextlib.suppress(QueryError, SQLRefusedError):
                assert connection.explain(sql).cost is None  # of what only shows, nothing is planned
            assert_unchanged()


def test_what_runs_programs_or_reads_files_within_a_query_is_refused(attacked, subtests):
    connection, assert_unchanged = attacked
    for sql in DOORS:
        with subtests.test(ascii(sql)):
            with pytest.raises((QueryError, SQLRefusedError)):
                run(connection, sql)
            with pytest.raises((QueryError, SQLRefusedError)):
                list(connection.stream(sql, max_rows=10, idle=60))
            assert_unchanged()


@pytest.mark.parametrize("sql", SIZES)
def test_what_is_too_large_ends_and_the_session_goes_on(attacked, sql):
    connection, assert_unchanged = attacked
    with pytest.raises((TooLargeError, QueryError, QueryTimeoutError, DatabaseUnavailableError)):
        connection.run(sql, max_rows=10_000, timeout=100)
    assert_unchanged()


@ON_CLUSTER
def test_all_of_them_in_a_row_are_refused(attacked):
    """What differs on Apache Spark is its grammar, which takes no time: all that is slow is done once."""
    connection, assert_unchanged = attacked
    ran = []
    for sql in WRITES + DOORS:
        with contextlib.suppress(QueryError, SQLRefusedError):
            ran.append((sql, run(connection, sql)))
        with contextlib.suppress(QueryError, SQLRefusedError):
            ran.append((sql, list(connection.stream(sql, max_rows=10, idle=60))))
    assert ran == []
    assert_unchanged()


def test_words_in_texts_and_names_are_no_attacks(attacked):
    connection, _ = attacked
    assert run(connection, "SELECT 'DROP TABLE kept; reflect(' AS `using`, n AS `text` FROM kept ORDER BY n") == [
        ["DROP TABLE kept; reflect(", 1],
        ["DROP TABLE kept; reflect(", 2],
    ]
    assert run(connection, "SELECT s.json.a FROM (SELECT named_struct('a', 1) AS json) s") == [[1]]
