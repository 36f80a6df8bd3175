"""DuckDB connections on real files, attacked with no guard in front of them."""

import contextlib
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import orjson
import pytest

from sqlchat.config import Settings
from sqlchat.connections.duckdb.connection import DuckDBConnection
from sqlchat.connections.duckdb.instance import _find_instance, open_session
from sqlchat.connections.embedded import Target
from sqlchat.connections.sqlite.connection import SQLiteConnection
from sqlchat.errors import (
    ConnectionConfigError,
    DatabaseUnavailableError,
    QueryError,
    QueryTimeoutError,
    SQLRefusedError,
    TooLargeError,
)
from sqlchat.sql.catalog import ForeignKey
from sqlchat.workers import Workers

SCHEMA = """
CREATE TABLE authors (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, country ENUM ('UK', 'FR'));
COMMENT ON TABLE authors IS 'who writes';
COMMENT ON COLUMN authors.name IS 'as on the cover';
CREATE TABLE books (
  author_id INTEGER REFERENCES authors (id), title VARCHAR, price DECIMAL(8, 2), PRIMARY KEY (author_id, title)
);
CREATE VIEW titles AS SELECT title FROM books;
CREATE SCHEMA archive;
CREATE TABLE archive.books (title VARCHAR);
CREATE SEQUENCE numbers;
INSERT INTO authors VALUES (1, 'Ada', 'UK'), (2, 'Jules', 'FR'), (3, 'Mary', 'UK');
INSERT INTO books VALUES (1, 'Notes', 10.5), (2, 'Sea', 7), (2, 'Moon', 8);
"""


@pytest.fixture(scope="module")
def workers():
    pool = Workers(2, 2048)
    yield pool
    pool.close()


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, statement_timeout=100)


@pytest.fixture
def library(settings):
    path = settings.data_dir / "library.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SCHEMA)
    return path


@pytest.fixture
def connection(library, settings, workers):
    return DuckDBConnection({"database": "library.duckdb"}, settings, workers)


@pytest.fixture(scope="module")
def empty(tmp_path_factory, workers):
    return DuckDBConnection({"database": ":memory:"}, Settings(data_dir=tmp_path_factory.mktemp("data")), workers)


def run(connection, sql, *, max_rows=100, timeout=100):
    return connection.run(sql, max_rows=max_rows, timeout=timeout)


def rows(connection, sql, **limits):
    return orjson.loads(run(connection, sql, **limits).rows)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# Configuration


@pytest.mark.parametrize("content", [b"these are notes\n" * 500, b"SQLite format 3\0" + bytes(4080), b""])
def test_other_files_are_told_apart_without_the_servers_paths(content, settings, workers):
    (settings.data_dir / "notes.txt").write_bytes(content)
    with pytest.raises(ConnectionConfigError, match=r"'notes\.txt' (cannot be opened|is an SQLite file)") as caught:
        DuckDBConnection({"database": "notes.txt"}, settings, workers).check()
    assert str(settings.data_dir) not in caught.value.detail


def test_a_file_of_sqlite_is_told_with_its_provider(settings, workers):
    with contextlib.closing(sqlite3.connect(settings.data_dir / "shop.db")) as database:
        database.execute("CREATE TABLE t (n INTEGER)")
    with pytest.raises(
        ConnectionConfigError, match=r"^'shop\.db' is an SQLite file; the provider `sqlite` reads it\.$"
    ):
        DuckDBConnection({"database": "shop.db"}, settings, workers).check()


def test_sqlite_tells_a_file_of_duckdb(settings, library, workers):
    with pytest.raises(ConnectionConfigError, match="is a DuckDB file; the provider `duckdb` reads it"):
        SQLiteConnection({"database": library.name}, settings, workers).check()


# Rows


@pytest.mark.parametrize(
    ("expression", "type", "json"),
    [
        ("170141183460469231731687303715884105727::HUGEINT", "HUGEINT", "170141183460469231731687303715884105727"),
        ("340282366920938463463374607431768211455::UHUGEINT", "UHUGEINT", "340282366920938463463374607431768211455"),
        ("18446744073709551615::UBIGINT", "UBIGINT", "18446744073709551615"),
        ("1234567890123456789.1234567890::DECIMAL(38, 10)", "DECIMAL(38,10)", "1234567890123456789.1234567890"),
        ("-0.50::DECIMAL(4, 2)", "DECIMAL(4,2)", "-0.50"),
        ("0.50::DECIMAL(2, 2)", "DECIMAL(2,2)", "0.50"),
        ("-0.5::DECIMAL(1, 1)", "DECIMAL(1,1)", "-0.5"),
        ("0::DECIMAL(38, 38)", "DECIMAL(38,38)", "0." + 38 * "0"),
        ("[0.25::DECIMAL(2, 2), NULL]", "DECIMAL(2,2)[]", "[0.25,null]"),
        ("0.1::FLOAT", "FLOAT", "0.1"),
        ("1e300::DOUBLE", "DOUBLE", "1e+300"),
        ("'nan'::DOUBLE", "DOUBLE", '"NaN"'),
        ("'-inf'::FLOAT", "FLOAT", '"-Infinity"'),
        ("{'a': 'inf'::DOUBLE, 'b': NULL}", None, '{"a":"Infinity","b":null}'),
        ("true", "BOOLEAN", "true"),
        ("NULL::DECIMAL(4, 2)", "DECIMAL(4,2)", "null"),
        ("uuid '7450e93b-6832-452b-9dcb-239a96973d75'", "UUID", '"7450e93b-6832-452b-9dcb-239a96973d75"'),
        ("'\\xAA\\x00'::BLOB", "BLOB", '"qgA="'),
        ("INTERVAL '1 month 2 days'", "INTERVAL", '"1 month 2 days"'),
        ("DATE '2024-02-29'", "DATE", '"2024-02-29"'),
        ("DATE '290000-01-01'", "DATE", '"290000-01-01"'),
        ("DATE 'infinity'", "DATE", '"infinity"'),
        ("DATE '0044-03-15 (BC)'", "DATE", '"0044-03-15 (BC)"'),
        ("TIME '24:00:00'", "TIME", '"24:00:00"'),
        ("TIMETZ '12:00:00+02'", "TIME WITH TIME ZONE", '"12:00:00+02:00"'),
        ("TIMESTAMP '2020-01-01 00:00:00.123'", "TIMESTAMP", '"2020-01-01T00:00:00.123"'),
        ("TIMESTAMP_NS '2020-01-01 00:00:00.123456789'", "TIMESTAMP_NS", '"2020-01-01T00:00:00.123456789"'),
        ("TIMESTAMPTZ '2020-01-01 00:00:00+05:30'", "TIMESTAMP WITH TIME ZONE", '"2019-12-31T18:30:00+00:00"'),
        ("'{\"a\": [1, 2.50]}'::JSON", "JSON", '{"a": [1, 2.50]}'),
        ("[1, NULL]", "INTEGER[]", "[1,null]"),
        ("[1.50, 2]::DECIMAL(4, 2)[2]", "DECIMAL(4,2)[2]", "[1.50,2.00]"),
        ("{'a': INTERVAL '1 month', 'b c': [1.5]}", 'STRUCT(a INTERVAL, "b c" DECIMAL(2,1)[])', None),
        ("MAP {'k': 1.50}", "MAP(VARCHAR, DECIMAL(3,2))", '{"k":1.50}'),
        ("MAP {1: TIMESTAMP '2020-01-01'}", "MAP(INTEGER, TIMESTAMP)", '{"1":"2020-01-01T00:00:00"}'),
        ("union_value(n := 2)", "UNION(n INTEGER)", '{"n":2}'),
        ("row(1, 'x')", "TUPLE(INTEGER, VARCHAR)", '[1,"x"]'),
        ("'a'::ENUM ('a', 'b')", "ENUM('a', 'b')", '"a"'),
        ("'0101'::BIT", "BIT", '"0101"'),
        ("{}", "STRUCT", "{}"),
        ("[]", None, "[]"),
        ("NULL", None, "null"),
    ],
)
def test_values_keep_their_meaning(expression, type, json, empty):
    result = run(empty, f"SELECT {expression} AS x")
    json = json or '{"a":"1 month","b c":[1.5]}'
    assert result.rows.decode() == f"[[{json}]]"
    assert type is None or result.types == (type,)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM authors;",
        "SELECT name FROM authors -- all of them",
        "SELECT '; DROP TABLE authors' AS \"update\"",
        "FROM authors",
        "TABLE authors",
        "VALUES (1), (2)",
        "SELECT name FROM library.main.authors",
        "SELECT title FROM archive.books UNION ALL SELECT title FROM books ORDER BY 1",
        "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 9) SELECT * FROM t",
        "SELECT * FROM authors QUALIFY row_number() OVER (PARTITION BY country ORDER BY id) = 1",
        "PIVOT books ON author_id USING sum(price)",
        "PIVOT books ON author_id IN (1, 2) USING sum(price)",
        "UNPIVOT books ON price",
        "/* all */ (FROM books PIVOT (sum(price) FOR title IN ('Sea', 'Moon')))",
        "-- all\nWITH b AS (FROM books) PIVOT b ON title USING sum(price)",
        "SELECT * FROM (PIVOT books ON title USING sum(price))",
        "SELECT * EXCLUDE (id), list_transform([1, 2], lambda x: x + 1) FROM authors",
        "SELECT quantile_cont(price, 0.5) FILTER (WHERE price > 7) FROM books",
        "SELECT unnest([1, 2, 3]), json_extract('{\"a\": 1}', '$.a')",
        "SELECT now(), strftime(DATE '2024-01-01', '%B'), TIMESTAMPTZ '2024-01-01' AT TIME ZONE 'Europe/Berlin'",
        "EXPLAIN SELECT * FROM authors",
        "EXPLAIN ANALYZE SELECT * FROM authors",
        "EXPLAIN (FORMAT json) SELECT * FROM authors",
        "EXPLAIN (SELECT 1)",
        'SELECT \'"type":"COPY_QUERY_NODE"\' AS copy',
        "WITH a AS MATERIALIZED (SELECT 1 AS x), b AS (VALUES (2)) (SELECT x FROM a) INTERSECT (SELECT 1)",
        "DESCRIBE authors",
        "SUMMARIZE authors",
        "SHOW TABLES",
        "PRAGMA table_info('books')",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM duckdb_tables()",
    ],
)
def test_honest_queries_run(sql, connection):
    assert run(connection, sql).row_count > 0


def test_faults_come_with_duckdbs_words_and_their_place(connection):
    with pytest.raises(QueryError, match='"nope" not found') as caught:
        run(connection, "SELECT nope FROM authors")
    assert caught.value.facts == {"error": "Binder", "position": 8}
    with pytest.raises(QueryError, match="Could not convert"):
        run(connection, "SELECT name::INTEGER FROM authors")
    with pytest.raises(QueryError, match="syntax error"):
        run(connection, "SELEC 1")
    with pytest.raises(QueryError):
        run(connection, "SELECT * FROM authors WHERE id = ?")


def test_a_file_is_free_for_writers_between_statements(connection, library):
    """Which an instance that is only kept open would not leave it, though it reads."""
    for number in range(2):
        assert rows(connection, "SELECT count(*) FROM archive.books") == [[number]]
        with duckdb.connect(str(library)) as writer:
            writer.execute("INSERT INTO archive.books VALUES ('A')")
    script = "import duckdb, sys; kept = duckdb.connect(sys.argv[1], read_only=True); print(); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(library)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as keeper:
        keeper.stdout.readline()
        with pytest.raises(duckdb.IOException, match="lock"):
            duckdb.connect(str(library))
        assert rows(connection, "SELECT count(*) FROM archive.books") == [[2]]
        keeper.stdin.close()


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT nope FROM authors", QueryError),
        ("SELECT error(name) FROM authors", QueryError),
        ("SELECT count(*) FROM range(100000000000) t(i) WHERE i % 7 = 3", QueryTimeoutError),
        ("SELECT repeat('x', 3000000) FROM range(20)", TooLargeError),
        ("SELECT 1; SELECT 2", SQLRefusedError),
    ],
)
def test_a_file_is_free_for_writers_after_a_fault_too(connection, library, sql, error):
    with pytest.raises(error):
        run(connection, sql, timeout=1 if error is QueryTimeoutError else 100)
    with duckdb.connect(str(library)) as writer:
        writer.execute("INSERT INTO archive.books VALUES ('A')")
    assert rows(connection, "SELECT count(*) FROM archive.books") == [[1]]


def test_a_file_that_was_replaced_is_read_anew(connection, library, settings):
    assert rows(connection, "SELECT count(*) FROM authors") == [[3]]
    with duckdb.connect(str(settings.data_dir / "new")) as writer:
        writer.execute("CREATE TABLE authors AS SELECT 1 AS id")
    (settings.data_dir / "new").replace(library)
    assert rows(connection, "SELECT * FROM authors") == [[1]]


def test_files_of_one_name_are_kept_apart(settings, workers):
    for folder in "abcde":
        (settings.data_dir / folder).mkdir()
        with duckdb.connect(str(settings.data_dir / folder / "same.duckdb")) as writer:
            writer.execute(f"CREATE TABLE places AS SELECT '{folder}' AS name")
    for folder in "abcdeabcde":
        connection = DuckDBConnection({"database": f"{folder}/same.duckdb"}, settings, workers)
        assert rows(connection, "SELECT name FROM same.places") == [[folder]]


@pytest.mark.parametrize(
    "name", ["temp.duckdb", "main.db", "system", 'it\'s a "file".duckdb', "memory.duckdb", "größe"]
)
def test_any_name_of_a_file_will_do(settings, workers, name):
    with duckdb.connect(str(settings.data_dir / name)) as writer:
        writer.execute("CREATE TABLE t AS SELECT 7 AS n")
        (named,) = writer.execute("SELECT current_database()").fetchone()
    connection = DuckDBConnection({"database": name}, settings, workers)
    for _ in range(2):
        assert rows(connection, "SELECT n, current_database() FROM t") == [[7, named]]


def target(library):
    return Target(str(library), library.name, 1024)


def test_nothing_is_left_for_the_next_statement(library):
    with open_session(target(library)) as first:
        first.execute("CREATE TEMP TABLE left_behind AS SELECT 1; SELECT setseed(0.5)")
        first.execute("ATTACH ':memory:' AS left_behind; CREATE TABLE left_behind.t (n int)")
        first.execute("USE left_behind")
    seen = []
    for _ in range(2):
        with open_session(target(library)) as later:
            seen.append(later.execute("SELECT random()").fetchall())
            found = later.execute("SELECT database_name FROM duckdb_databases() ORDER BY 1").fetchall()
            assert found == [("library",), ("system",), ("temp",)]
            assert later.execute("SELECT current_database()").fetchall() == [("library",)]
            with pytest.raises(duckdb.CatalogException):
                later.execute("FROM left_behind")
    assert seen[0] != seen[1]


def test_a_secret_ends_its_instance(library):
    with open_session(target(library)) as first:
        first.execute("CREATE SECRET left_behind (TYPE http, BEARER_TOKEN 'x')")
    with open_session(target(library)) as later:
        assert later.execute("SELECT count(*) FROM duckdb_secrets()").fetchall() == [(0,)]


def test_an_instance_serves_several_statements_and_one_file(library):
    with open_session(target(library)) as first:
        instance = first.execute("SELECT current_setting('allowed_paths')").fetchall()
    assert all(path.startswith(str(library)) for path in instance[0][0])
    made = _find_instance.cache_info().misses
    with open_session(target(library)) as later:
        assert later.execute("SELECT count(*) FROM authors").fetchall() == [(3,)]
    assert _find_instance.cache_info().misses == made


@pytest.mark.parametrize(
    "sql",
    [
        "SET TimeZone = 'Asia/Tokyo'",
        "SET enable_external_access = true",
        "SET allowed_paths = []",
        "RESET lock_configuration",
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH '/tmp/another.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE TABLE t (n int)",
        "CREATE TABLE memory.t (n int)",
        "INSERT INTO authors VALUES (9, 'x', 'UK')",
        "COPY (SELECT 1) TO '/tmp/another.csv'",
    ],
)
def test_a_kept_instance_is_as_locked_as_a_fresh_one(library, sql):
    for _ in range(2):  # what fails ends the instance; the one after it is held alike
        with open_session(target(library)) as kept:
            assert kept.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
        with pytest.raises(duckdb.Error), open_session(target(library)) as kept:
            kept.execute(sql)


def test_explain_finds_faults_without_running(connection):
    connection.explain("SELECT count(*) FROM range(1000000000000)")
    with pytest.raises(QueryError, match="nope"):
        connection.explain("SELECT nope FROM authors")
    with pytest.raises(SQLRefusedError):
        connection.explain("SELECT 1; DELETE FROM books")


# The catalog


def test_catalog_tells_what_the_database_holds(connection):
    catalog = connection.catalog()
    assert (catalog.dialect, catalog.default_schema) == ("duckdb", "main")
    assert [(t.schema, t.name, t.kind) for t in catalog.tables] == [
        ("archive", "books", "table"),
        ("main", "authors", "table"),
        ("main", "books", "table"),
        ("main", "titles", "view"),
    ]
    authors, books = catalog.table("authors"), catalog.table("books")
    assert (authors.comment, authors.row_estimate, authors.primary_key) == ("who writes", 3, ("id",))
    assert [(c.name, c.type, c.nullable, c.comment) for c in authors.columns] == [
        ("id", "INTEGER", False, ""),
        ("name", "VARCHAR", False, "as on the cover"),
        ("country", "ENUM('UK', 'FR')", True, ""),
    ]
    assert books.primary_key == ("author_id", "title")
    assert books.foreign_keys == (ForeignKey(("author_id",), "main", "authors", ("id",)),)
    assert [c.name for c in catalog.table("titles").columns] == ["title"]


def profiles(connection, table, schema="main"):
    """Of the columns of one table, by name."""
    found = connection.profiles(connection.catalog(), 100.0)
    return {column: profile for (inside, name, column), profile in found.items() if (inside, name) == (schema, table)}


def test_labels_of_an_enum_are_known_without_a_row(connection, library):
    with duckdb.connect(str(library)) as writer:
        writer.execute("CREATE TYPE mood AS ENUM ('sad', 'it''s'); CREATE TABLE moods (m mood)")
    (column,) = connection.catalog().table("moods").columns
    assert column.labels == ("sad", "it's")
    assert (profiles(connection, "moods")["m"].values, profiles(connection, "moods")["m"].complete) == (
        ("sad", "it's"),
        True,
    )


def test_numbers_that_are_none_have_one_name_and_cost_no_digit_beside_them(connection, library):
    with duckdb.connect(str(library)) as writer:
        writer.execute(
            "CREATE TABLE odd AS SELECT 170141183460469231731687303715884105727::HUGEINT h, 'nan'::DOUBLE x"
        )
        writer.execute("INSERT INTO odd VALUES (1, '-inf')")
    rows = connection.run("SELECT h, x, {'a': h, 'b': x} FROM odd ORDER BY h", max_rows=5, timeout=100).rows
    assert b'[170141183460469231731687303715884105727,"NaN",{"a":170141183460469231731687303715884105727' in rows
    assert set(profiles(connection, "odd")["x"].values) == {"NaN", "-Infinity"}


def test_columns_are_profiled(connection, library):
    with duckdb.connect(str(library)) as writer:
        writer.execute("""CREATE TABLE archive.facts AS SELECT i AS id, i % 3 AS few, 'n' || i % 7 AS name,
            i / 7 AS x, DATE '2024-01-01' + i::INTEGER AS d,
            CASE WHEN i % 4 > 0 THEN 'prose ' || repeat('y', 500) END AS prose,
            [i] AS list, {'a': i} AS pair, NULL::VARCHAR AS gone, true AS yes FROM range(100) t(i)""")
    found = profiles(connection, "facts", "archive")
    assert (found["id"].least, found["id"].most, found["id"].unique, found["id"].exact) == ("0", "99", True, True)
    assert (sorted(found["few"].values), found["few"].complete) == (["0", "1", "2"], True)
    assert (found["name"].values[:2], found["name"].complete, found["name"].distinct) == (("n0", "n1"), True, 7)
    assert (found["d"].kind, found["d"].least, found["d"].most) == ("time", "2024-01-01", "2024-04-09")
    assert (found["prose"].null_share, found["prose"].values, found["prose"].complete) == (0.25, (), False)
    assert [found[name].kind for name in ("list", "pair", "yes")] == ["other"] * 3
    assert found["gone"].null_share == 1
    assert profiles(connection, "authors")["country"].values == ("UK", "FR")
    assert profiles(connection, "titles")["title"].distinct == 3  # a view


def test_a_large_table_is_sampled(connection, library):
    with duckdb.connect(str(library)) as writer:
        writer.execute(
            "CREATE TABLE log AS SELECT i AS at, 'kind ' || i % 5 AS kind, 'n' || i AS note FROM range(400000) t(i)"
        )
    found = profiles(connection, "log")
    assert (len(found["kind"].values), found["kind"].complete, found["kind"].exact) == (5, False, False)
    assert int(found["at"].most) - int(found["at"].least) > 200_000
    assert (found["note"].distinct, found["note"].unique, found["note"].complete) == (None, False, False)


# Several at once


def test_a_file_that_another_process_writes_is_an_outage(connection, library):
    script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(library)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout.readline() == b"open\n"
        for use in (connection.check, connection.catalog, lambda: run(connection, "SELECT 1")):
            with pytest.raises(DatabaseUnavailableError, match="open for writing") as caught:
                use()
            assert caught.value.retry_after == 1
        writer.stdin.close()
    assert rows(connection, "SELECT count(*) FROM authors") == [[3]]


# Attacks, with no guard

ATTACKS = [
    "DELETE FROM authors",
    "UPDATE authors SET name = 'x'",
    "INSERT INTO authors VALUES (9, 'x', 'UK')",
    "INSERT INTO authors VALUES (9, 'x', 'UK') RETURNING *",
    "WITH x AS (INSERT INTO authors VALUES (9, 'x', 'UK') RETURNING *) SELECT * FROM x",
    "MERGE INTO authors USING books ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE authors",
    "DROP TABLE authors",
    "CREATE TABLE x (a INT)",
    "CREATE TEMP TABLE x (a INT)",
    "CREATE TABLE memory.x (a INT)",
    "CREATE MACRO x(a) AS a",
    "CREATE TYPE x AS ENUM ('a')",
    "CREATE SECRET x (TYPE s3)",
    "ALTER TABLE authors ADD COLUMN x INT",
    "COMMENT ON TABLE authors IS 'x'",
    "ATTACH '{folder}/new.duckdb'",
    "ATTACH ':memory:' AS x",
    "ATTACH '{folder}/library.duckdb' AS x",
    "DETACH library",
    "USE archive",
    "COPY authors TO '{folder}/x.csv'",
    "COPY authors TO '{folder}/library.duckdb.wal'",
    "COPY (SELECT 1) TO '{folder}/library.duckdb'",
    "WITH x AS (COPY authors TO '{folder}/library.duckdb.wal') SELECT * FROM x",
    "WITH x AS (COPY authors TO '{folder}/library.duckdb') SELECT 1",
    "SELECT * FROM authors WHERE id IN (WITH x AS (COPY books TO '{folder}/library.duckdb') SELECT 1)",
    "WITH x AS (COPY books TO '{folder}/library.duckdb.wal') PIVOT books ON title USING sum(price)",
    "EXPLAIN ANALYZE WITH x AS (COPY authors TO '{folder}/library.duckdb.wal') SELECT 1",
    "EXPLAIN (ANALYZE) WITH x AS (COPY authors TO '{folder}/library.duckdb.wal') SELECT 1",
    "EXPLAIN /* */ ANALYZE COPY authors TO '{folder}/library.duckdb.wal'",
    "COPY (PIVOT books ON title USING sum(price)) TO '{folder}/library.duckdb.wal'",
    "CREATE TABLE x AS PIVOT books ON title USING sum(price)",
    "CREATE TEMP TABLE x AS PIVOT books ON title USING sum(price)",
    "SET VARIABLE x = (SELECT count(*) FROM (PIVOT books ON title USING sum(price)))",
    "INSERT INTO archive.books SELECT title FROM (PIVOT books ON price USING count(*))",
    "COPY FROM DATABASE library TO x",
    "COPY authors FROM '/etc/passwd'",
    "EXPORT DATABASE '{folder}/x'",
    "IMPORT DATABASE '{folder}/x'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FORCE INSTALL httpfs FROM 'http://127.0.0.1'",
    "UPDATE EXTENSIONS",
    "SET threads = 4",
    "SET enable_external_access = true",
    "SET GLOBAL memory_limit = '100GB'",
    "RESET memory_limit",
    "SET VARIABLE x = 1",
    "SET TimeZone = 'Asia/Tokyo'",
    "PREPARE x AS SELECT 1",
    "EXECUTE x",
    "BEGIN",
    "COMMIT",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "CALL pragma_version()",
    "CALL enable_logging(storage = 'file', storage_path = '{folder}/log')",
    "SELECT * FROM enable_logging(storage = 'file', storage_path = '{folder}/log')",
    "PRAGMA enable_profiling",
    "PRAGMA enable_profiling = 'json'",
    "PRAGMA profile_output = '{folder}/x'",
    "PRAGMA database_list",
    "PRAGMA import_database('{folder}')",
    "PRAGMA disable_checkpoint_on_shutdown",
    "SELECT nextval('numbers')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "DESCRIBE '/etc/passwd'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/*')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('http://127.0.0.1:9/x.parquet')",
    "SELECT * FROM parquet_metadata('/etc/passwd')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_duckdb('{folder}/other.duckdb')",
    "SELECT getenv('PATH')",
    "SELECT * FROM statement",
    "SELECT * FROM connection",
    "SELECT * FROM query('DELETE FROM authors')",
    "SELECT * FROM query('SELECT 1; DELETE FROM authors')",
    'SELECT * FROM json_execute_serialized_sql(\'{"error": false, "statements": []}\')',
    "EXPLAIN DELETE FROM authors",
    "EXPLAIN ANALYZE INSERT INTO authors VALUES (9, 'x', 'UK')",
    "EXPLAIN ANALYZE COPY authors TO '{folder}/library.duckdb.wal'",
    "SELECT 1; DELETE FROM authors",
    "SELECT 1; SELECT 2",
    "SELECT 1) ; DELETE FROM authors; --",
    "') ; DELETE FROM authors; --",
    "",
    "-- nothing",
    "SELECT 1 \0; DELETE FROM authors",
    "SELECT '\ud800'",
]


def test_attacks_change_and_reach_nothing(connection, library, subtests):
    with duckdb.connect(str(library.parent / "other.duckdb")) as other:
        other.execute("CREATE TABLE secrets (x INT)")
    before = snapshot(library.parent)
    for sql in ATTACKS:
        with subtests.test(ascii(sql)):
            with pytest.raises((SQLRefusedError, QueryError)) as caught:
                run(connection, sql.replace("{folder}", str(library.parent)))
            assert caught.value.detail
            assert snapshot(library.parent) == before
            assert rows(connection, "SELECT count(*) FROM authors") == [[3]]


COSTLY = [
    "SELECT count(*) FROM generate_series(1, 1000000000000)",
    "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3",
    "SELECT levenshtein(repeat('a', 100000), repeat('b', 100000))",
    "SELECT length(lpad('x', 2000000000, 'y'))",
    "SELECT repeat('x', 100000000) FROM range(1000)",
    "SELECT list(i) FROM range(10000000000) t(i)",
    "SELECT i FROM range(10000000000) t(i) ORDER BY hash(i)",
    "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t",
    "EXPLAIN ANALYZE SELECT count(*) FROM generate_series(1, 1000000000000)",
    "SELECT regexp_matches(repeat('a', 10000000), '(a*)*b')",
]


@pytest.mark.parametrize("sql", COSTLY)
def test_costly_queries_end_and_the_next_one_is_served(sql, connection):
    run(connection, "SELECT 1")
    started = time.monotonic()
    with contextlib.suppress(QueryTimeoutError, TooLargeError, QueryError):
        run(connection, sql, timeout=1)
    assert time.monotonic() - started < 60
    assert rows(connection, "SELECT 1") == [[1]]
