"""A policy denies generated columns with the columns that they are computed from, on each real database."""

import sqlite3

import duckdb
import pytest
from policed import PolicedDatabase

from sqlchat.errors import SQLRefusedError

TABLE = """
CREATE TABLE staff (id integer, name varchar(20), email varchar(40), pay integer,
    shout varchar(80) GENERATED ALWAYS AS (upper(email)) {kind},
    {louder}
    "pay & more" integer GENERATED ALWAYS AS (pay * 2) {kind},
    initials varchar(80) GENERATED ALWAYS AS (upper(name)) {kind})
"""
LOUDER = "louder varchar(80) GENERATED ALWAYS AS (concat(shout, '!')),"
ROW = "INSERT INTO staff (id, name, email, pay) VALUES (1, 'Ann', 'tell-nobody@x.org', 777001)"
DENIED = [
    "SELECT shout FROM staff",
    "SELECT lower(s.shout) FROM staff s",
    'SELECT "pay & more" FROM staff',
    'SELECT sum("pay & more") FROM staff',
    "SELECT id FROM staff WHERE shout LIKE 'T%'",
    "SELECT id FROM staff ORDER BY shout",
    "SELECT x.shout FROM (SELECT shout FROM staff) x",
]
POLICY = {"deny_columns": ["staff.email", "staff.pay"]}


def write_table(kind, louder=""):
    return TABLE.format(kind=kind, louder=louder)


@pytest.fixture
def sqlite(tmp_path):
    with sqlite3.connect(tmp_path / "data.db") as writer:
        writer.executescript(f"{write_table('STORED')}; {ROW}")
    writer.close()
    return "sqlite", {"database": "data.db"}


@pytest.fixture
def duck(tmp_path):
    with duckdb.connect(tmp_path / "data.duckdb") as writer:
        writer.execute(write_table("VIRTUAL", LOUDER))
        writer.execute(ROW)
    return "duckdb", {"database": "data.duckdb"}


@pytest.fixture
def postgres(postgres_database, execute):
    execute(write_table("STORED"))
    execute(ROW)
    return "postgres", postgres_database


@pytest.fixture
def mysql(mysql_server):
    with mysql_server() as raw, raw.cursor() as cursor:
        for statement in ("DROP DATABASE IF EXISTS staffing", "CREATE DATABASE staffing", "USE staffing"):
            cursor.execute(statement)
        cursor.execute(write_table("STORED", LOUDER).replace('"', "`"))
        cursor.execute(ROW)
    config = {"host": "127.0.0.1", "port": mysql_server.port, "user": "root", "password": "", "database": "staffing"}
    return "mysql", config


@pytest.fixture(params=["sqlite", "duck", "postgres", pytest.param("mysql", marks=pytest.mark.mysql)])
def policed(request, tmp_path):
    provider, config = request.getfixturevalue(request.param)
    made = PolicedDatabase(tmp_path, provider, config, POLICY)
    yield made
    made.close()


def test_a_generated_column_is_denied_with_its_sources(policed, subtests):
    mysql_quotes = policed.provider == "mysql"
    for sql in DENIED:
        sql = sql.replace('"', "`") if mysql_quotes else sql
        with subtests.test(ascii(sql)), pytest.raises(SQLRefusedError):
            policed.run(sql)
    tables = policed.open().catalog.tables  # other databases of a MySQL server are in it as well
    (table,) = (each for each in tables if each.name == "staff" and each.schema in ("", "main", "public", "staffing"))
    assert [column.name for column in table.columns] == ["id", "name", "initials"]
    assert policed.run("SELECT id, name, initials FROM staff") == [[1, "Ann", "ANN"]]
