"""SQLite connections on real files, attacked with no guard in front of them."""

import dataclasses
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from sqlchat.config import Settings
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.sqlite.comments import read_comments
from sqlchat.connections.sqlite.connection import SQLiteConnection
from sqlchat.errors import (
    ConnectionConfigError,
    DatabaseUnavailableError,
    QueryError,
    QueryTimeoutError,
    SqlchatError,
    SQLRefusedError,
    TooLargeError,
    UnknownNameError,
)
from sqlchat.sql.catalog import ForeignKey
from sqlchat.sql.guard import check
from sqlchat.sql.lineage import lineage
from sqlchat.sql.policies.policy import Policy

SCHEMA = """
CREATE TABLE authors ( -- who writes
  id INTEGER PRIMARY KEY, -- number of the author
  name TEXT NOT NULL /* as on the cover */,
  country TEXT
);
CREATE TABLE books (
  author_id INTEGER NOT NULL REFERENCES authors,
  title TEXT NOT NULL,
  price NUMERIC(8, 2) DEFAULT 0, -- in euros (net, no tax)
  gross NUMERIC GENERATED ALWAYS AS (price * 1.2) VIRTUAL,
  PRIMARY KEY (author_id, title)
);
CREATE VIEW titles AS SELECT title FROM books;
CREATE VIEW broken AS SELECT * FROM gone;
CREATE VIRTUAL TABLE words USING fts5(word);
CREATE VIRTUAL TABLE places USING rtree(id, low, high);
INSERT INTO authors VALUES (1, 'Ada', 'UK'), (2, 'Jules', 'FR'), (3, 'Mary', 'UK');
INSERT INTO books VALUES (1, 'Notes', 10.5), (2, 'Sea', 7), (2, 'Moon', 8);
INSERT INTO words VALUES ('hello world'), ('bye');
INSERT INTO places VALUES (1, 2.0, 3.0);
"""


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, statement_timeout=100)


@pytest.fixture
def library(settings):
    path = settings.data_dir / "library.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
    connection.close()
    return path


@pytest.fixture
def connection(library, settings, workers):
    return SQLiteConnection({"database": "library.db"}, settings, workers)


def run(connection, sql, *, max_rows=100, timeout=100):
    return connection.run(sql, max_rows=max_rows, timeout=timeout)


def rows(connection, sql, **limits):
    return orjson.loads(run(connection, sql, **limits).rows)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# Configuration and paths


@pytest.mark.parametrize("config", [{}, {"database": 3}, {"database": " "}, {"database": None}])
def test_a_config_without_a_path_is_refused(config, settings, workers):
    with pytest.raises(ConnectionConfigError, match="`database`"):
        SQLiteConnection(config, settings, workers)


def test_unknown_fields_are_named(settings, workers):
    with pytest.raises(ConnectionConfigError, match="unknown: `mode`, `path`"):
        SQLiteConnection({"database": "x.db", "path": "x", "mode": "rw"}, settings, workers)


@pytest.mark.parametrize(
    "path",
    [
        "../library.db",
        "a/../../library.db",
        "/etc/passwd",
        "/",
        "file:library.db",
        "FILE:library.db?mode=rwc",
        "library.db?mode=rwc&",
        "sqlite:///library.db",
        "md:sample",
        "s3://bucket/library.db",
        "http://127.0.0.1/library.db",
        "library.db\0",
        "library\n.db",
        "state/store.db",
        "files/uploads/other.db",
        "state",
        "link-out.db",
        "link-state.db",
        "x" * 5000,
        "loop",
    ],
)
def test_paths_outside_the_database_folders_are_refused(path, library, settings, workers):
    outside = settings.data_dir.parent / "outside.db"
    for folder, name in ((settings.state_dir, "store.db"), (settings.files_dir / "uploads", "other.db")):
        folder.mkdir(parents=True)
        shutil.copy(library, folder / name)
    shutil.copy(library, outside)
    (settings.data_dir / "link-out.db").symlink_to(outside)
    (settings.data_dir / "link-state.db").symlink_to(settings.state_dir / "store.db")
    (settings.data_dir / "loop").symlink_to(settings.data_dir / "loop")
    with pytest.raises(ConnectionConfigError) as caught:
        SQLiteConnection({"database": path}, settings, workers).check()
    assert str(settings.data_dir) not in caught.value.detail


def test_a_file_is_found_below_each_root_by_relative_and_absolute_path(tmp_path, library, workers):
    roots = (tmp_path / "empty", tmp_path)
    settings = Settings(data_dir=tmp_path / "data", database_dirs=roots)
    (tmp_path / "link.db").symlink_to(library)
    for path in ("library.db", str(library), "./library.db", "link.db"):
        assert rows(SQLiteConnection({"database": path}, settings, workers), "SELECT count(*) FROM authors") == [[3]]


def test_the_data_folder_stays_open_and_comes_first_where_others_are_named(tmp_path, library, settings, workers):
    other = tmp_path / "other"
    other.mkdir()
    with closing(sqlite3.connect(other / library.name)) as database:
        database.execute("CREATE TABLE authors (id INTEGER)")
    beside = dataclasses.replace(settings, database_dirs=(other,))
    count = "SELECT count(*) FROM authors"
    assert rows(SQLiteConnection({"database": library.name}, beside, workers), count) == [[3]]
    assert rows(SQLiteConnection({"database": str(other / library.name)}, beside, workers), count) == [[0]]


def test_a_missing_file_is_refused_and_not_created(settings, workers):
    connection = SQLiteConnection({"database": "missing.db"}, settings, workers)
    with pytest.raises(ConnectionConfigError, match=r"no file 'missing\.db'"):
        connection.check()
    assert not (settings.data_dir / "missing.db").exists()


def test_a_file_that_went_away_is_an_outage(connection, library):
    library.unlink()
    with pytest.raises(DatabaseUnavailableError):
        run(connection, "SELECT 1")


def test_other_files_are_told_apart_without_the_servers_paths(settings, workers):
    (settings.data_dir / "notes.txt").write_text("these are notes and no database at all\n" * 100)
    connection = SQLiteConnection({"database": "notes.txt"}, settings, workers)
    with pytest.raises(ConnectionConfigError, match=r"'notes\.txt' is not an SQLite database") as caught:
        connection.check()
    assert str(settings.data_dir) not in caught.value.detail


def test_a_name_with_reserved_characters_opens_read_only(settings, library, workers):
    shutil.copy(library, settings.data_dir / "a%20b #&mode=rwc.db")
    connection = SQLiteConnection({"database": "a%20b #&mode=rwc.db"}, settings, workers)
    assert connection.check() == []
    with pytest.raises(SqlchatError):
        run(connection, "DELETE FROM authors")


def test_memory_is_an_empty_database(settings, workers):
    connection = SQLiteConnection({"database": ":memory:"}, settings, workers)
    assert connection.check() == []
    assert connection.catalog().tables == ()
    assert rows(connection, "SELECT 1 + 1") == [[2]]


# Rows


def test_types_are_those_of_all_rows(connection):
    sql = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 3000) "
    result = run(
        connection,
        sql + "SELECT n, iif(n < 2900, n, n / 2.0) AS half, iif(n < 2900, n, 'x') AS mixed FROM t",
        max_rows=5000,
    )
    assert (result.types, result.row_count) == (("INTEGER", "NUMERIC", ""), 3000)


def test_rows_keep_names_places_types_and_values(connection):
    result = run(
        connection,
        "SELECT 1 AS a, 'x' AS a, x'00ff' AS b, 1e999 AS inf, -1e999 AS low, 9223372036854775807 AS big, 0.1 AS r, "
        "NULL AS n",
    )
    assert result.columns == ("a", "a", "b", "inf", "low", "big", "r", "n")
    assert result.types == ("INTEGER", "TEXT", "BLOB", "REAL", "REAL", "INTEGER", "REAL", "")
    assert result.rows == b'[[1,"x","AP8=","Infinity","-Infinity",9223372036854775807,0.1,null]]'


def test_text_that_is_not_utf8_is_readable(connection):
    assert rows(connection, "SELECT CAST(x'ff41' AS TEXT)") == [["\ufffdA"]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM authors;",
        "SELECT name FROM authors -- all of them",
        "SELECT ';' AS \"update\", 'DROP TABLE authors' AS x",
        "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 9) SELECT * FROM t",
        "SELECT country, sum(id) OVER (PARTITION BY country) FROM authors",
        "SELECT json_extract('{\"a\": [1]}', '$.a[0]'), value FROM json_each('[1, 2]')",
        "SELECT word FROM words WHERE words MATCH 'hello'",
        "SELECT id FROM places WHERE low > 1",
        "VALUES (1), (2)",
        "EXPLAIN QUERY PLAN SELECT * FROM books",
        "PRAGMA table_info(books)",
        "SELECT name FROM pragma_table_info('books')",
        "SELECT name, sql FROM sqlite_master",
        "SELECT group_concat(name, ', ') FILTER (WHERE country = 'UK') FROM authors",
        "SELECT date('now', '-1 month'), printf('%.2f', 1.5), random() IS NOT NULL",
    ],
)
def test_honest_queries_run(sql, connection):
    assert run(connection, sql).row_count > 0


def test_faults_come_with_sqlites_words(connection):
    with pytest.raises(QueryError, match="no such column: nope") as caught:
        run(connection, "SELECT nope FROM authors")
    assert caught.value.facts == {"error": "SQLITE_ERROR"}


def test_explain_finds_faults_without_running(connection):
    connection.explain("SELECT * FROM books, books b2, books b3")
    with pytest.raises(QueryError, match="no such table: nope"):
        connection.explain("SELECT * FROM nope")
    with pytest.raises(SQLRefusedError):
        connection.explain("SELECT 1; DELETE FROM books")


# The catalog


def test_catalog_tells_what_the_database_holds(connection):
    catalog = connection.catalog()
    assert (catalog.dialect, catalog.default_schema) == ("sqlite", "")
    assert [(t.name, t.kind) for t in catalog.tables] == [
        ("authors", "table"),
        ("books", "table"),
        ("broken", "view"),
        ("places", "table"),
        ("titles", "view"),
        ("words", "table"),
    ]
    authors, books = catalog.table("authors"), catalog.table("books")
    assert (authors.comment, authors.row_estimate, authors.primary_key) == ("who writes", 3, ("id",))
    assert [(c.name, c.type, c.nullable, c.comment) for c in authors.columns] == [
        ("id", "INTEGER", False, "number of the author"),
        ("name", "TEXT", False, "as on the cover"),
        ("country", "TEXT", True, ""),
    ]
    assert books.primary_key == ("author_id", "title")
    assert books.foreign_keys == (ForeignKey(("author_id",), "", "authors", ("id",)),)
    assert [(c.name, c.type, c.comment) for c in books.columns][2:] == [
        ("price", "NUMERIC(8, 2)", "in euros (net, no tax)"),
        ("gross", "NUMERIC", ""),
    ]
    assert [c.name for c in catalog.table("titles").columns] == ["title"]
    assert catalog.table("broken").columns == ()


def test_large_tables_have_an_estimate(connection, library):
    with sqlite3.connect(library) as writer:
        writer.execute("CREATE TABLE many (id INTEGER PRIMARY KEY)")
        writer.executemany("INSERT INTO many VALUES (?)", ((i,) for i in range(1, 100_003)))
    assert connection.catalog().table("many").row_estimate == 100_002
    with sqlite3.connect(library) as writer:
        writer.execute("DELETE FROM many WHERE id % 2")
        writer.execute("ANALYZE")
    writer.close()
    assert connection.catalog().table("many").row_estimate == 50_001


def profiles(connection, table):
    """Of the columns of one table, by name."""
    found = connection.profiles(connection.catalog(), 100.0)
    return {column: profile for (_, name, column), profile in found.items() if name == table}


def test_columns_are_profiled_by_their_values(connection, library):
    with sqlite3.connect(library) as writer:
        writer.execute("""CREATE TABLE facts ("odd ""name" TEXT, n NUMERIC, d DATE, spelled DATE, epoch DATETIME,
            prose TEXT, blob BLOB, none INT, seen)""")
        for n, name in enumerate(("Rome", "Oslo", "Rome", "", None) * 4):
            dates = f"2024-01-{n + 1:02}", f"{n + 1}. May", 1_700_000_000 + n
            rest = "y" * 500, b"z", None, "2024-02-03 10:00"
            writer.execute("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (name, n or "n/a", *dates, *rest))
    writer.close()
    found = profiles(connection, "facts")
    name = found['odd "name']
    assert (name.kind, name.values, name.complete, name.null_share) == ("text", ("Rome", "", "Oslo"), True, 0.2)
    assert (name.distinct, name.exact, name.unique) == (3, True, False)
    assert (found["n"].kind, found["n"].least, found["n"].most, found["n"].values) == ("number", "1", "19", ("n/a",))
    assert (found["d"].kind, found["d"].least, found["d"].most) == ("time", "2024-01-01", "2024-01-20")
    assert (found["d"].unique, found["d"].values) == (True, ())
    assert (found["spelled"].least, found["spelled"].values[:2]) == ("", ("1. May", "10. May"))
    assert (found["epoch"].least, found["epoch"].most) == ("1700000000", "1700000019")
    assert (found["prose"].values, found["prose"].complete) == ((), False)
    assert (found["blob"].kind, found["blob"].distinct) == ("other", None)
    assert (found["none"].null_share, found["none"].distinct) == (1.0, 0)
    assert (found["seen"].kind, found["seen"].values) == ("text", ("2024-02-03 10:00",))


def test_of_many_texts_the_commonest_are_kept_and_said_to_be_a_part(connection, library):
    with sqlite3.connect(library) as writer:
        writer.execute("CREATE TABLE many (name TEXT, code TEXT, hash TEXT, day TEXT)")
        rows = [(f"name {i}", f"{i:05}", f"{i:032x}", f"{i % 28 + 1}/1/{i}") for i in range(3000)]
        rows += [("common", "1", "", "1/1/2020")] * 9
        writer.executemany("INSERT INTO many VALUES (?, ?, ?, ?)", rows)
    writer.close()
    found = profiles(connection, "many")
    assert (found["name"].values[0], len(found["name"].values), found["name"].complete) == ("common", 1000, False)
    assert (found["name"].distinct, found["name"].few) == (3001, False)
    assert found["code"].values == ()  # numbers tell a question nothing
    assert (found["code"].examples[0], len(found["code"].examples), found["name"].examples) == ("1", 6, ())
    assert (found["day"].values, found["day"].examples[0]) == ((), "1/1/2020")
    assert (found["hash"].values, found["hash"].examples) == ((), ())


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("{0:05}", True),
        ("${0},{0:03}.50", True),
        ("{0} %", True),
        ("{2}.{1:02}.20{3}", True),
        ("20{3}/{1}/{2} 10:30", True),
        ("555-{0:04}", False),
        ("+49 30 {0:06}", False),
        ("123-45-{0:04}", False),
        ("4111 1111 1111 {0:04}", False),
        ("4111111111{0:06}", False),
        ("10.0.{0}.{1}", False),
    ],
)
def test_only_of_amounts_and_days_it_is_shown_how_they_are_written(connection, library, form, shown):
    with sqlite3.connect(library) as writer:
        writer.execute("CREATE TABLE written (t TEXT)")
        rows = [(form.format(n % 1000, n % 12 + 1, n % 28 + 1, n % 30 + 10),) for n in range(2000)]
        writer.executemany("INSERT INTO written VALUES (?)", rows)
    writer.close()
    found = profiles(connection, "written")["t"]
    assert (found.values, bool(found.examples)) == ((), shown)


def test_texts_that_are_no_numbers_are_told_apart_where_nearly_all_are(connection, library):
    with sqlite3.connect(library) as writer:
        writer.execute("CREATE TABLE cars (power TEXT, price TEXT, size TEXT, model TEXT)")
        rows = [(f"{50 + i % 90}", f"{i}.5", "SML"[i % 3], f"{i % 3}" if i % 2 else "x") for i in range(1000)]
        rows += [("null", "n/a", "M", None), ("null", "-", "M", None), ("?", "n/a", "M", None)]
        writer.executemany("INSERT INTO cars VALUES (?, ?, ?, ?)", rows)
    writer.close()
    found = profiles(connection, "cars")
    assert (found["power"].strays, found["power"].complete) == (("null", "?"), True)
    assert (found["price"].strays, found["price"].values) == (("n/a", "-"), ("n/a",))
    assert len(found["price"].examples) == 6
    assert (found["size"].strays, found["model"].strays) == ((), ())


def test_a_large_table_is_sampled_at_both_ends(connection, library):
    with sqlite3.connect(library) as writer:
        writer.execute("CREATE TABLE log (at INTEGER, kind TEXT, note TEXT)")
        rows = ((i, "ab"[i % 2], f"note {i}") for i in range(120_000))
        writer.executemany("INSERT INTO log VALUES (?, ?, ?)", rows)
        writer.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, kind TEXT) WITHOUT ROWID")
        writer.execute("INSERT INTO kept SELECT at, kind FROM log")
    writer.close()
    found = profiles(connection, "log")
    assert (found["at"].least, found["at"].most, found["at"].exact) == ("0", "119999", False)
    assert (found["kind"].values, found["kind"].complete) == (("a", "b"), False)
    assert (found["note"].distinct, found["note"].unique) == (None, False)
    found = profiles(connection, "kept")
    assert (found["id"].least, found["id"].most, found["kind"].values) == ("", "", ("a", "b"))


def test_a_damaged_table_costs_no_other_its_profile(connection, library):
    with sqlite3.connect(library) as writer:
        writer.execute("CREATE TABLE damaged (v TEXT)")
        writer.execute("INSERT INTO damaged VALUES ('x')")
        page = writer.execute("SELECT rootpage FROM sqlite_master WHERE name = 'damaged'").fetchone()[0]
        size = writer.execute("PRAGMA page_size").fetchone()[0]
    writer.close()
    catalog = connection.catalog()
    with library.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    found = connection.profiles(catalog, 100.0)
    assert ("", "damaged", "v") not in found
    assert found["", "authors", "country"].values == ("UK", "FR")


def test_a_locked_file_is_said_to_be_so_rather_than_empty(connection, library):
    catalog = connection.catalog()
    writer = sqlite3.connect(library, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(DatabaseUnavailableError, match="locked"):
            connection.profiles(catalog, 100.0)
    finally:
        writer.close()


def test_profiling_ends_in_time_with_what_was_read(connection, library):
    with sqlite3.connect(library) as writer:
        writer.execute("CREATE TABLE wide (" + ", ".join(f"c{i} TEXT" for i in range(100)) + ")")
        row = tuple(f"some text {i}" for i in range(100))
        writer.executemany(f"INSERT INTO wide VALUES ({', '.join('?' * 100)})", [row] * 20_000)
    writer.close()
    catalog, start = connection.catalog(), time.monotonic()
    found = connection.profiles(catalog, 0.02)
    assert time.monotonic() - start < 60
    assert not any(table == "wide" for _, table, _ in found)


@pytest.mark.parametrize(
    ("sql", "table", "columns"),
    [
        ("CREATE TABLE t ( -- it\n  a INT, -- the a\n  b INT -- the b\n)", "it", {"a": "the a", "b": "the b"}),
        ("CREATE TABLE t (\n  -- it\n  a INT,\n  b INT\n)", "it", {}),
        ("CREATE TABLE t (\n  -- the a\n  a INT,\n  -- the b\n  b INT\n)", "", {"a": "the a", "b": "the b"}),
        ("CREATE TABLE t -- it\n(\n  -- the a\n  a INT\n)", "it", {"a": "the a"}),
        ("CREATE TABLE t (a INT /* one\n   two */, \"B c\" TEXT DEFAULT '-- no' /* * */)", "", {"a": "one two"}),
        ("CREATE TABLE t (a INT, -- x\n [b,c] NUM(1, 2), -- y (z), w\n PRIMARY KEY (a) -- no\n)", "", None),
        ("CREATE VIEW v AS -- no\nSELECT (1) -- no", "", {}),
        ("CREATE TABLE t (a 'unclosed", "", {}),
        ("CREATE TABLE t (a /* unclosed", "", {"a": "unclosed"}),
        ("", "", {}),
    ],
)
def test_comments_are_read_from_the_text_of_a_table(sql, table, columns):
    said = read_comments(sql)
    assert said.table == table
    assert said.columns == ({"a": "x", "b,c": "y (z), w"} if columns is None else columns)


# Attacks, with no guard

ATTACKS = [
    "DELETE FROM authors",
    "UPDATE authors SET name = 'x'",
    "INSERT INTO authors VALUES (9, 'x', 'x')",
    "INSERT INTO places VALUES (9, 1, 2)",
    "INSERT INTO words(words) VALUES ('rebuild')",
    "DROP TABLE authors",
    "CREATE TABLE x (a)",
    "CREATE TEMP TABLE x (a)",
    "CREATE TEMP VIEW x AS SELECT 1",
    "CREATE TEMP TRIGGER x AFTER INSERT ON authors BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE temp.x USING fts5(a)",
    "ALTER TABLE authors ADD COLUMN x",
    "ATTACH '{folder}/new.db' AS x",
    "ATTACH ':memory:' AS x",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO '{folder}/copy.db'",
    "REINDEX",
    "ANALYZE",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "SAVEPOINT x",
    "COMMIT",
    "PRAGMA query_only = 0",
    "PRAGMA writable_schema = 1",
    "PRAGMA journal_mode = WAL",
    "PRAGMA journal_mode",
    "PRAGMA trusted_schema = 1",
    "PRAGMA user_version = 7",
    "PRAGMA temp_store_directory = '/tmp'",
    "PRAGMA wal_checkpoint",
    "PRAGMA optimize",
    "PRAGMA database_list",
    "SELECT * FROM pragma_database_list",
    "UPDATE sqlite_master SET sql = ''",
    "SELECT load_extension('/tmp/x.so')",
    "SELECT writefile('{folder}/x', 'x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple', x'00')",
    "SELECT 1; DELETE FROM authors",
    "SELECT 1; SELECT 2",
    "EXPLAIN DELETE FROM authors",
    "WITH x AS (SELECT 1) DELETE FROM authors",
    "INSERT INTO authors VALUES (9, 'x', 'x') RETURNING *",
    "",
    "-- nothing",
    "SELECT 1 \0; DELETE FROM authors",
    "SELECT '\ud800'",
]


def test_attacks_change_and_reach_nothing(connection, library, subtests):
    before = snapshot(library.parent)
    for sql in ATTACKS:
        with subtests.test(ascii(sql)):
            with pytest.raises((SQLRefusedError, QueryError)) as caught:
                run(connection, sql.replace("{folder}", str(library.parent)))
            assert caught.value.detail
            assert str(library.parent) not in caught.value.detail
            assert snapshot(library.parent) == before
            assert rows(connection, "SELECT count(*) FROM authors") == [[3]]


ENDLESS = "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t)"
COSTLY = [
    f"{ENDLESS} SELECT count(*) FROM t",
    "SELECT count(*) FROM books a, books b, books c, books d, books e, books f, books g, books h, books i, books j, "
    "books k, books l, books m, books n, books o, books p, books q, books r, books s, books t, books u, books v",
    "SELECT printf('%.*c', 2147483647, 'x')",
    "SELECT hex(zeroblob(2000000000))",
    f"{ENDLESS} SELECT group_concat(i, hex(zeroblob(1000))) FROM t",
    f"{ENDLESS} SELECT i, hex(zeroblob(1000)) h FROM t ORDER BY 2",
    "SELECT '" + "a" * 5000 + "' LIKE '" + "%a" * 2000 + "b'",
]


@pytest.mark.parametrize("sql", COSTLY)
def test_costly_queries_end_and_the_next_one_is_served(sql, connection):
    started = time.monotonic()
    with pytest.raises((QueryTimeoutError, TooLargeError, QueryError)):
        run(connection, sql, timeout=1)
    assert time.monotonic() - started < 60
    assert rows(connection, "SELECT 1") == [[1]]


# Files as people have them


def test_a_database_that_is_being_written_in_wal_mode_is_read(connection, library):
    writer = sqlite3.connect(library)
    writer.execute("PRAGMA journal_mode = WAL")
    with writer:
        writer.execute("INSERT INTO authors VALUES (4, 'New', 'DE')")
    assert rows(connection, "SELECT count(*) FROM authors") == [[4]]
    writer.execute("BEGIN IMMEDIATE")
    assert rows(connection, "SELECT count(*) FROM authors") == [[4]]
    writer.rollback()
    writer.close()
    assert rows(connection, "SELECT count(*) FROM authors") == [[4]]


def test_the_revision_follows_definitions_in_wal_mode(connection, library):
    before = connection.revision()
    writer = sqlite3.connect(library, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    seen = [connection.revision()]
    assert seen == [before]

    def note(*statements):
        for statement in statements:
            writer.execute(statement)
        seen.append(connection.revision())
        return seen[-1] != seen[-2]

    assert not note("INSERT INTO authors VALUES (4, 'New', 'DE')")
    assert note("ALTER TABLE authors ADD COLUMN born INTEGER")
    assert not note("UPDATE authors SET born = 1800")
    assert not note("BEGIN", "CREATE TABLE gone (a)", "ROLLBACK")
    writer.execute("BEGIN")
    assert not note("CREATE VIEW born AS SELECT born FROM authors")
    assert note("COMMIT")
    assert not note("PRAGMA wal_checkpoint(PASSIVE)")
    assert not note("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not note("INSERT INTO authors VALUES (5, 'Newer', 'DE', 1900)")
    assert note("DROP VIEW born")
    assert not note("PRAGMA wal_checkpoint(RESTART)", "DELETE FROM authors WHERE id = 5")
    assert note("CREATE INDEX countries ON authors (country)")
    assert not note("PRAGMA journal_mode = DELETE")
    assert note("DROP INDEX countries")
    writer.close()
    assert connection.revision() == seen[-1]
    other = SQLiteConnection({"database": library.name}, connection._settings, connection._workers)
    assert other.revision() == seen[-1]


def test_a_transaction_larger_than_memory_does_not_hide_the_definitions_before_it(connection, library):
    writer = sqlite3.connect(library, isolation_level=None)
    for pragma in ("journal_mode = WAL", "wal_autocheckpoint = 0", "cache_size = 10", "cache_spill = 1"):
        writer.execute(f"PRAGMA {pragma}")
    writer.execute("CREATE TABLE many (t TEXT)")
    first = connection.revision()
    writer.execute("BEGIN")
    writer.execute("CREATE TABLE spilled (t TEXT)")
    writer.executemany("INSERT INTO many VALUES (?)", [("x" * 3000,)] * 500)
    assert connection.revision() == first
    writer.execute("ROLLBACK")
    writer.execute("INSERT INTO many VALUES ('one')")
    assert connection.revision() == first
    writer.execute("DROP TABLE many")
    assert connection.revision() != first
    writer.close()


def test_a_view_that_another_process_makes_anew_in_wal_mode_shows_nothing_that_is_denied(
    connection, library, settings, workers
):
    opened = OpenConnection(connection, settings, workers, policy=Policy.read({"deny_columns": ["authors.name"]}))
    writer = sqlite3.connect(library, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE VIEW shown AS SELECT country AS c FROM authors")
    view = opened.for_caller(None)
    assert orjson.loads(view.run(view.examine("SELECT c FROM shown WHERE c = 'FR'")).rows) == [["FR"]]
    writer.executescript("DROP VIEW shown; CREATE VIEW shown AS SELECT name AS c FROM authors")
    with pytest.raises((SQLRefusedError, UnknownNameError)):
        opened.for_caller(None).examine("SELECT c FROM shown WHERE c = 'FR'")
    writer.close()


def test_a_database_in_wal_mode_is_read_from_a_read_only_folder(library):
    writer = sqlite3.connect(library)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.close()
    script = (
        "import os, sys\n"
        "from sqlchat.connections.embedded import Target\n"
        "from sqlchat.connections.sqlite.connection import SQLiteSession\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "path = sys.argv[1]\n"
        "assert not os.access(os.path.dirname(path), os.W_OK)\n"
        "with SQLiteSession.open(Target(path, 'x', 512), 5) as session:\n"
        "    print(session.run('SELECT count(*) FROM authors', 10, 1 << 20).rows.decode())\n"
    )
    folder = Path(os.path.realpath("/tmp")) / f"sqlchat-read-only-{os.getpid()}"
    folder.mkdir()
    try:
        path = folder / "library.db"
        shutil.copy(library, path)
        path.chmod(0o444)
        folder.chmod(0o555)
        found = subprocess.run(
            [sys.executable, "-c", script, str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=Path(__file__).parents[2],
            check=False,
        )
        assert found.returncode == 0, found.stderr
        assert json.loads(found.stdout) == [[3]]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_locked_database_is_an_outage(library, settings, workers):
    writer = sqlite3.connect(library, isolation_level=None)
    writer.execute("PRAGMA locking_mode = EXCLUSIVE")
    writer.execute("BEGIN EXCLUSIVE")
    connection = SQLiteConnection({"database": "library.db"}, settings, workers)
    with pytest.raises(DatabaseUnavailableError, match="locked"):
        run(connection, "SELECT * FROM authors", timeout=30)
    writer.rollback()
    writer.close()


def test_tables_wider_than_an_answer_are_no_hindrance(connection, library):
    with sqlite3.connect(library) as writer:
        writer.execute(f"CREATE TABLE wide ({', '.join(f'c{i} INT' for i in range(900))})")
    writer.close()
    assert rows(connection, "SELECT count(*) FROM authors") == [[3]]
    assert len(connection.catalog().table("wide").columns) == 900


def test_views_and_generated_columns_may_read_json(connection, library):
    with sqlite3.connect(library) as writer:
        writer.executescript("""
            CREATE TABLE events (body, kind TEXT AS (json_extract(body, '$.kind')), n AS (body ->> '$.n') STORED);
            INSERT INTO events VALUES ('{"kind": "a", "n": [1, 2]}'), ('{"kind": "b"}');
            CREATE VIEW kinds AS SELECT json_object('kind', kind) AS k FROM events;
            CREATE VIEW extended AS SELECT load_extension('x', kind) FROM events;
        """)
    writer.close()
    assert rows(connection, "SELECT kind, n FROM events") == [["a", "[1,2]"], ["b", None]]
    assert rows(connection, "SELECT k FROM kinds") == [['{"kind":"a"}'], ['{"kind":"b"}']]
    assert profiles(connection, "events")["kind"].values == ("a", "b")
    for unsafe in ("SELECT * FROM extended", "SELECT k, (SELECT 1 FROM extended) FROM kinds"):
        with pytest.raises((SQLRefusedError, QueryError), match="load_extension"):
            run(connection, unsafe)


def test_a_full_text_table_can_be_called(connection):
    catalog = connection.catalog()
    sql = "SELECT w.word FROM words('hello OR x') AS w ORDER BY rank"
    check(sql, "sqlite", catalog.functions, catalog)
    assert orjson.loads(connection.run(sql, max_rows=5, timeout=50).rows) == [["hello world"]]
    assert lineage(sql, "sqlite", catalog).tables_read == ("words",)
    with pytest.raises(SQLRefusedError, match="is not allowed"):
        check("SELECT * FROM places(1)", "sqlite", catalog.functions, catalog)
