"""Policies on what users of a database named like something built in: macros, functions, operators, types."""

import sqlite3
from contextlib import closing

import duckdb
import pytest
from policed import PolicedDatabase

from sqlchat.connections.duckdb.connection import DuckDBSession
from sqlchat.connections.embedded import Target
from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.catalog import Catalog, Column, OwnNames, Table
from sqlchat.sql.policies.policy import Policy, apply_policy, refuse

SECRET = "tell-nobody"
MACROS = {
    "lower": "x",
    "date_part": "a, b",
    "list_aggr": "a, b",
    "current_date": "",
    "struct_pack": "a",
    "to_days": "a",
    "contains": "a, b",
    "||": "a, b",
    "~~": "a, b",
    "told": "",
}
POLICY = {"deny_tables": ["kept"]}


@pytest.fixture(scope="module")
def duck(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    with duckdb.connect(folder / "data.duckdb") as writer:
        writer.execute(f"CREATE TABLE kept AS SELECT '{SECRET}' AS val")
        writer.execute("CREATE TABLE people AS SELECT 1 AS id, 'Ann' AS name, DATE '2024-05-06' AS born")
        for name, parameters in MACROS.items():
            writer.execute(f'CREATE MACRO "{name}"({parameters}) AS (SELECT val FROM kept)')
        writer.execute("CREATE VIEW shouted AS SELECT upper(name) AS name FROM people")
        writer.execute("CREATE VIEW whispered AS SELECT lower(name) AS name FROM people")
        writer.execute("CREATE VIEW joined AS SELECT name || '!' AS name FROM people")
        writer.execute("CREATE VIEW nested AS SELECT name FROM whispered")
    made = PolicedDatabase(folder, "duckdb", {"database": "data.duckdb"}, POLICY)
    yield made
    made.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT lower('x')",
        "SELECT 'x'.lower()",
        "SELECT main.lower('x')",
        "SELECT LOWER(name) FROM people",
        "SELECT \"Lower\"('x')",
        "SELECT name.lower() FROM people",
        "SELECT id FROM people ORDER BY lower(name)",
        "WITH c AS (SELECT lower(name) AS n FROM people) SELECT n FROM c",
        "SELECT extract(year FROM born) FROM people",
        "SELECT list_sum([1])",
        "SELECT list_max([1, 2])",
        "SELECT current_date",
        "SELECT {'a': 1}",
        "SELECT INTERVAL (id) DAY FROM people",
        "SELECT 1 IN [1, 2]",
        "SELECT name || 'x' FROM people",
        "SELECT id FROM people WHERE name LIKE 'A%'",
        "SELECT told()",
        "SELECT name FROM whispered",
        "SELECT name FROM nested",
        "SELECT name FROM joined",
    ],
)
def test_a_macro_named_like_what_is_built_in_is_refused(duck, sql):
    with pytest.raises(SQLRefusedError) as refused:
        duck.run(sql)
    assert SECRET not in refused.value.detail


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT upper(name) FROM people", [["ANN"]]),
        ("SELECT name FROM shouted", [["ANN"]]),
        ("SELECT id + 1 FROM people WHERE id = 1", [[2]]),
        ("FROM people SELECT id", [[1]]),
        ("SELECT count(*) FROM people", [[1]]),
        ("SELECT 'lower(' FROM people", [["lower("]]),
        ("SELECT p.name AS lower FROM people p", [["Ann"]]),
    ],
)
def test_what_is_still_built_in_runs(duck, sql, rows):
    assert duck.run(sql) == rows


SHADOWS = {
    "duckdb_functions()": "TABLE SELECT 'x' AS function_name, '' AS macro_definition, true AS internal",
    "duckdb_tables()": "TABLE SELECT * FROM system.main.duckdb_tables() WHERE false",
    "duckdb_views()": "TABLE SELECT * FROM system.main.duckdb_views() WHERE false",
    "duckdb_databases()": "TABLE SELECT 'x' AS database_name, false AS internal, 'x' AS path",
    "query(x)": "TABLE SELECT 'shadowed' AS shadowed",
    "current_database()": "'shadowed'",
    "json_serialize_sql(x)": "'shadowed'",
    "count(x)": "(SELECT val FROM kept)",
    '"left"(a, b)': "(SELECT val FROM kept)",
    "min(x)": "(SELECT val FROM kept)",
    "max(x)": "(SELECT val FROM kept)",
    "to_json(x)": "(SELECT val FROM kept)",
    "lower(x)": "(SELECT val FROM kept)",
}


@pytest.fixture
def shadowed(tmp_path):
    """A database whose macros bear the names of the functions by which we read it."""
    with duckdb.connect(tmp_path / "data.duckdb") as writer:
        writer.execute(f"CREATE TABLE kept AS SELECT '{SECRET}' AS val")
        writer.execute("CREATE TABLE people AS SELECT 1 AS id, 'Ann' AS name, union_value(n := 2) AS u")
        for name, body in SHADOWS.items():
            writer.execute(f"CREATE MACRO {name} AS {body}")
    made = PolicedDatabase(tmp_path, "duckdb", {"database": "data.duckdb"}, POLICY)
    yield made
    made.close()


def test_a_database_is_read_by_built_in_functions_whatever_its_macros_are_called(shadowed):
    opened = shadowed.open()
    assert [table.name for table in opened.catalog.tables] == ["people"]
    assert shadowed.run("SELECT id, name, u FROM people") == [[1, "Ann", {"n": 2}]]


def test_profiles_are_read_by_built_in_functions_too(shadowed):
    path = str(shadowed.settings.data_dir / "data.duckdb")
    target = Target(path, path, shadowed.settings.sql_worker_memory_mb)
    with DuckDBSession.open(target, 30) as session:
        profiles, read = session.read_profiles(shadowed.open().catalog.tables)
    assert read == 1
    assert profiles["main", "people", "name"].values == ("Ann",)
    assert SECRET not in repr(profiles)


@pytest.mark.parametrize(
    "sql", ["SELECT lower(name) FROM people", "SELECT name.max() FROM people", "FROM query('x')"]
)
def test_a_database_cannot_hide_its_macros(shadowed, sql):
    with pytest.raises(SQLRefusedError):
        shadowed.run(sql)


def test_a_macro_made_after_the_catalog_was_read_is_refused(tmp_path):
    with duckdb.connect(tmp_path / "data.duckdb") as writer:
        writer.execute(f"CREATE TABLE kept AS SELECT '{SECRET}' AS val; CREATE TABLE people AS SELECT 'Ann' AS name")
    made = PolicedDatabase(tmp_path, "duckdb", {"database": "data.duckdb"}, POLICY)
    assert made.run("SELECT lower(name) FROM people") == [["ann"]]
    with duckdb.connect(tmp_path / "data.duckdb") as writer:
        writer.execute("CREATE MACRO lower(x) AS (SELECT val FROM kept)")
    with pytest.raises(SQLRefusedError, match="lower"):
        made.run("SELECT lower(name) FROM people")
    made.close()


def test_a_view_changed_after_the_catalog_was_read_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "data.db")) as writer:
        writer.executescript(
            f"CREATE TABLE kept (val); INSERT INTO kept VALUES ('{SECRET}'); CREATE VIEW seen AS SELECT 1 AS val"
        )
        made = PolicedDatabase(tmp_path, "sqlite", {"database": "data.db"}, POLICY)
        assert made.run("SELECT val FROM seen") == [[1]]
        writer.executescript("DROP VIEW seen; CREATE VIEW seen AS SELECT val FROM kept")
    with pytest.raises(SQLRefusedError, match="seen"):
        made.run("SELECT val FROM seen")
    made.close()


OWN = OwnNames(
    functions=frozenset({"lower", "round"}), operators=frozenset({"+", "~~", "@-"}), types=frozenset({"mood", "dom"})
)


def catalog(**views):
    tables = [
        Table("orders", (Column("id", "integer"), Column("note", "text")), "public"),
        Table("games", (Column("id", "integer"), Column("round", "integer")), "public"),
        Table("kept", (Column("val", "text"),), "public"),
    ]
    for name, (definition, calls_own) in views.items():
        view = Table(name, (Column("r", "text"),), "public", "view", definition=definition, calls_own=calls_own)
        tables.append(view)
    return Catalog(
        tuple(tables), "postgres", "public", functions=frozenset({"lower", "round", "upper", "count"}), own=OWN
    )


def judged(sql, **views):
    refuse(sql, apply_policy(catalog(**views), Policy.read(POLICY)).select_part(sql))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT lower(o) FROM orders o", "pg_catalog.lower"),
        ('SELECT "lower"(note) FROM orders', "pg_catalog.lower"),
        ("SELECT public.lower(note) FROM orders", "pg_catalog.lower"),
        ("SELECT o.lower FROM orders o", "pg_catalog.lower"),
        ("SELECT (o.id).round FROM orders o", "pg_catalog.round"),
        ("SELECT o.round FROM orders o, games g", "pg_catalog.round"),
        ("SELECT id FROM orders ORDER BY round(id, 1)", "pg_catalog.round"),
        ("SELECT note + 1 FROM orders", r"OPERATOR\(pg_catalog\.\+\)"),
        ("SELECT 1+1", r"OPERATOR\(pg_catalog\.\+\)"),
        ("SELECT id - +1 FROM orders", r"OPERATOR\(pg_catalog\.\+\)"),
        ("SELECT id >=+1 FROM orders", r"OPERATOR\(pg_catalog\.\+\)"),
        ("SELECT id FROM orders WHERE note LIKE 'a'", "~~"),
        ("SELECT id FROM orders WHERE note NOT LIKE ALL (ARRAY['a'])", "~~"),
        ("SELECT 1::mood", "'mood'"),
        ("SELECT 1::public.mood", "'mood'"),
        ('SELECT 1::"mood"', "'mood'"),
        ("SELECT CAST(id AS mood) FROM orders", "'mood'"),
        ("SELECT 'x'::dom", "'dom'"),
        ("SELECT 'x'::dom[]", "'dom'"),
        ("SELECT x.a FROM json_to_recordset('[]') AS x(a dom)", "'dom'"),
    ],
)
def test_what_may_mean_something_of_the_users_own_is_refused(sql, said):
    with pytest.raises(SQLRefusedError, match=said):
        judged(sql)


def test_a_literal_of_an_own_type_is_refused():
    with pytest.raises((SQLRefusedError, SQLSyntaxError)):
        judged("SELECT mood '(x)'")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_catalog.lower(note) FROM orders",
        "SELECT pg_catalog.round(id) FROM orders",
        "SELECT g.round FROM games g",
        "SELECT games.round FROM games",
        "SELECT s.round FROM (SELECT id AS round FROM orders) s",
        "SELECT upper(note) FROM orders",
        "SELECT id OPERATOR(pg_catalog.+) 1 FROM orders",
        "SELECT id - 1, id * 2, count(*) FROM orders GROUP BY id",
        "SELECT id::bigint FROM orders WHERE id >= 1 AND note <> '+'",
        "SELECT id AS mood FROM orders",
    ],
)
def test_what_is_surely_built_in_passes(sql):
    judged(sql)


def test_a_view_is_judged_by_what_the_database_says_that_it_calls():
    views = {
        "built_in": ("SELECT lower(note) AS r FROM orders", False),
        "own": ("SELECT lower(o) AS r FROM orders o", True),
    }
    judged("SELECT r FROM built_in", **views)
    with pytest.raises(SQLRefusedError, match="'own'"):
        judged("SELECT r FROM own", **views)
