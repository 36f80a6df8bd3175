"""What the guard lets through, on a real SQLite database that may be written."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.guard import RULES, check

CORPUS = Path(__file__).parent / "corpus"
HONEST = (CORPUS / "sqlite.honest.sql").read_text().strip("\n").split("\n\n")


@pytest.fixture(scope="module")
def shop():
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript((CORPUS / "sqlite.setup.sql").read_text())
        yield connection


def state(connection):
    schema = connection.execute("SELECT count(*), max(rootpage) FROM sqlite_master").fetchone()
    attached = connection.execute("PRAGMA database_list").fetchall()
    return connection.total_changes, connection.in_transaction, schema, attached


def test_honest_queries_pass_run_and_write_nothing(shop, subtests):
    for sql in HONEST:
        with subtests.test(ascii(sql)):
            assert check(sql, "sqlite")
            before = state(shop)
            shop.execute(sql).fetchall()
            assert state(shop) == before


def test_what_is_plannable_can_be_explained(shop):
    for sql in HONEST:
        if check(sql, "sqlite").is_plannable:
            assert shop.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall() is not None


def test_a_full_text_table_is_searched_as_a_function(shop):
    columns = (Column("title", "TEXT"),)
    tables = (Table("documents", columns), Table("others", columns))
    catalog = Catalog(tables, "sqlite", functions=RULES["sqlite"].functions | {"documents"})
    sql = "SELECT title FROM documents('fox')"
    assert check(sql, "sqlite", catalog.functions, catalog).kind == "SELECT"
    assert shop.execute(sql).fetchall() is not None
    for refused in ("SELECT title FROM others('fox')", "SELECT readfile('x')"):
        with pytest.raises(SQLRefusedError):
            check(refused, "sqlite", catalog.functions, catalog)


def test_the_functions_of_a_plain_sqlite_are_known_or_left_out_on_purpose(shop):
    left_out = {
        "->", "->>", "fts3_tokenizer", "fts5", "fts5_source_id", "load_extension", "optimize", "rtreecheck",
        "rtreedepth", "rtreenode", "sqlite_compileoption_get", "sqlite_compileoption_used", "sqlite_log",
        "sqlite_source_id",
    }  # fmt: skip
    known = RULES["sqlite"].functions | RULES["sqlite"].grammar
    found = {name for (name,) in shop.execute("SELECT DISTINCT name FROM pragma_function_list")}
    assert {name for name in found - known - left_out if not name.startswith(("fts5_", "rtree", "geopoly"))} == set()
