"""Policies on what shows the values of another table or column in SQLite: full-text indexes, generated columns."""

import sqlite3

import pytest
from policed import PolicedDatabase

from sqlchat.errors import SQLRefusedError

SECRET = "tellnobody"
TABLES = f"""
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, email TEXT,
    shout TEXT GENERATED ALWAYS AS (upper(email)) STORED, "lo, ud" AS (shout || '!'),
    initial AS (substr(name, 1, 1)));
INSERT INTO people VALUES (1, 'Ann', '{SECRET}');
CREATE VIEW v_people AS SELECT id, email FROM people;
CREATE VIEW v_names AS SELECT id, name FROM people;
CREATE VIRTUAL TABLE by_mail USING fts5(email, content='people', content_rowid='id');
CREATE VIRTUAL TABLE short USING fts5(email, cont = people);
CREATE VIRTUAL TABLE both USING fts5("name", email, tokenize = 'porter ascii', content="people", content_rowid=id);
CREATE VIRTUAL TABLE by_name USING fts5(name, content=[people]);
CREATE VIRTUAL TABLE over_view USING fts5(email, content='v_people', content_rowid='id');
CREATE VIRTUAL TABLE over_names USING fts5(name, content='v_names', content_rowid='id');
CREATE VIRTUAL TABLE four USING fts4(content="people", email);
CREATE VIRTUAL TABLE spoken USING fts4(name, content="people", languageid="email");
CREATE VIRTUAL TABLE termless USING fts5(body, content='');
CREATE VIRTUAL TABLE lost USING fts5(body, content='gone');
CREATE VIRTUAL TABLE words USING fts5vocab(by_mail, row);
CREATE VIRTUAL TABLE columns USING fts5vocab('by_mail', 'col');
CREATE VIRTUAL TABLE places USING fts5vocab("both", instance);
CREATE VIRTUAL TABLE words_of_four USING fts4aux(four);
CREATE VIRTUAL TABLE docs USING fts5(title, body);
CREATE VIRTUAL TABLE docs_words USING fts5vocab(docs, row);
CREATE VIRTUAL TABLE three USING fts3(title, body);
CREATE VIRTUAL TABLE places_rt USING rtree(id, x0, x1, +label TEXT);
CREATE TABLE docs_archive (title TEXT);
CREATE VIEW v_mail AS SELECT email FROM by_mail;
INSERT INTO docs VALUES ('one', 'plain words');
INSERT INTO docs_archive VALUES ('old');
INSERT INTO three VALUES ('one', 'plain words');
INSERT INTO places_rt VALUES (1, 0, 1, '{SECRET}');
INSERT INTO termless (rowid, body) VALUES (1, '{SECRET}');
"""
REBUILT = ["by_mail", "short", "both", "by_name", "over_view", "over_names", "four", "spoken"]
DENY = {"deny_columns": ["people.email", "places_rt.label"]}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    with sqlite3.connect(folder / "data.db") as writer:
        writer.executescript(TABLES)
        for name in REBUILT:
            writer.execute(f"INSERT INTO {name}({name}) VALUES ('rebuild')")
    writer.close()
    made = PolicedDatabase(folder, "sqlite", {"database": "data.db"})
    yield made
    made.close()


def test_without_a_policy_they_show_it(database):
    assert database.run("SELECT email FROM by_mail") == [[SECRET]]
    assert database.run("SELECT term FROM words") == [[SECRET]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT email FROM by_mail",
        "SELECT * FROM by_mail",
        "SELECT rowid FROM by_mail WHERE by_mail MATCH 'tell*'",
        "SELECT rowid FROM by_mail WHERE email MATCH 'tell*'",
        "SELECT rowid FROM by_mail('tell*')",
        "SELECT highlight(by_mail, 0, '', '') FROM by_mail",
        "SELECT snippet(both, 1, '', '', '', 9) FROM both WHERE both MATCH 'ann'",
        "SELECT name FROM both WHERE both MATCH 'email:tell*'",
        "SELECT email FROM short",
        "SELECT email FROM main.by_mail",
        'SELECT email FROM "BY_MAIL"',
        "SELECT email FROM over_view",
        "SELECT email FROM four",
        "SELECT email FROM spoken",
        "SELECT term FROM words",
        "SELECT term FROM columns",
        "SELECT term FROM places",
        "SELECT term FROM words_of_four",
        "SELECT email FROM v_mail",
        "SELECT body FROM termless",
        "SELECT rowid FROM termless WHERE termless MATCH 'tell*'",
        "SELECT body FROM lost",
        "SELECT block FROM by_mail_data",
        "SELECT c0 FROM docs_content",
        "SELECT term FROM by_mail_idx",
        "SELECT shout FROM people",
        'SELECT "lo, ud" FROM people',
        "SELECT label FROM places_rt",
        "SELECT * FROM places_rt",
        "SELECT a0 FROM places_rt_rowid",
        "SELECT data FROM places_rt_node",
    ],
)
def test_a_denied_column_does_not_come_by_an_index(database, sql):
    with pytest.raises(SQLRefusedError) as refused:
        database.run_under(sql, **DENY)
    assert SECRET not in refused.value.detail


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM by_name",
        "SELECT name FROM over_names",
        "SELECT term FROM words",
        "SELECT email FROM v_mail",
        "SELECT title FROM docs WHERE docs MATCH 'plain'",
    ],
)
def test_an_index_over_a_denied_table_is_denied(database, sql):
    with pytest.raises(SQLRefusedError):
        database.run_under(sql, deny_tables=["people", "docs"])


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT title FROM docs WHERE docs MATCH 'plain'", [["one"]]),
        ("SELECT snippet(docs, 1, '<', '>', '', 9) FROM docs WHERE docs MATCH 'words'", [["plain <words>"]]),
        ("SELECT title FROM three WHERE three MATCH 'words'", [["one"]]),
        ("SELECT term FROM docs_words ORDER BY term", [["one"], ["plain"], ["words"]]),
        ("SELECT title FROM docs_archive", [["old"]]),
        ("SELECT name FROM by_name WHERE by_name MATCH 'ann'", [["Ann"]]),
        ("SELECT name FROM over_names", [["Ann"]]),
        ("SELECT initial FROM people", [["A"]]),
        ("SELECT id, x1 FROM places_rt", [[1, 1.0]]),
    ],
)
def test_indexes_that_show_nothing_denied_stay_readable(database, sql, rows):
    assert database.run_under(sql, **DENY) == rows


@pytest.mark.parametrize(
    ("policy", "sql"),
    [
        ({"deny_tables": ["docs"]}, "SELECT title FROM docs"),
        ({"deny_tables": ["docs"]}, "SELECT term FROM docs_words"),
        ({"deny_columns": ["docs.body"]}, "SELECT body FROM docs"),
        ({"deny_columns": ["docs.body"]}, "SELECT term FROM docs_words"),
        ({"deny_columns": ["docs.body"]}, "SELECT title FROM docs WHERE docs MATCH 'plain'"),
        ({"deny_columns": ["people.id"]}, "SELECT rowid FROM by_name"),
        ({"allow_tables": ["people"]}, "SELECT email FROM by_mail"),
    ],
)
def test_an_index_can_be_denied_by_its_own_name(database, policy, sql):
    with pytest.raises(SQLRefusedError):
        database.run_under(sql, **policy)


def test_naming_an_index_allows_it_without_its_table(database):
    assert database.run_under("SELECT email FROM by_mail", allow_tables=["by_mail"]) == [[SECRET]]
    with pytest.raises(SQLRefusedError):
        database.run_under("SELECT email FROM people", allow_tables=["by_mail"])


def test_the_store_of_a_virtual_table_of_an_unknown_module_is_unknown(tmp_path):
    with sqlite3.connect(tmp_path / "data.db") as writer:
        writer.executescript(
            "CREATE TABLE people (email TEXT); CREATE TABLE vectors_chunks (email TEXT);"
            "CREATE TABLE vectored (n INT);"
            "PRAGMA writable_schema = 1;"
            "INSERT INTO sqlite_master VALUES ('table', 'vectors', 'vectors', 0,"
            " 'CREATE VIRTUAL TABLE vectors USING vec0(embedding float[3], +email text)');"
        )
    writer.close()
    made = PolicedDatabase(tmp_path, "sqlite", {"database": "data.db"}, {"deny_columns": ["people.email"]})
    try:
        assert made.run("SELECT n FROM vectored") == []
        for sql in ("SELECT email FROM vectors", "SELECT email FROM vectors_chunks"):
            with pytest.raises(SQLRefusedError):
                made.run(sql)
    finally:
        made.close()
