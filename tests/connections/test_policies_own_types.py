"""Types of a Postgres whose casts, checks and comparisons run functions that its users defined."""

import pytest
from policed import PolicedDatabase

from sqlchat.errors import SQLRefusedError, SQLSyntaxError

SECRET = "tell-nobody"
SETUP = f"""
CREATE TABLE kept (val text); INSERT INTO kept VALUES ('{SECRET}');
CREATE TABLE orders (id int, note text, total numeric); INSERT INTO orders VALUES (1, 'a', 2), (2, 'b', 4);
CREATE FUNCTION tell() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT val FROM kept); END $$;
CREATE FUNCTION ok(t text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it is %', tell(); END $$;
CREATE FUNCTION fine(t text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '%', tell(); END $$;
CREATE DOMAIN checked AS text CHECK (ok(value));
CREATE DOMAIN again AS checked;
CREATE DOMAIN calm AS text CHECK (fine(value));
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TYPE pair AS (a checked, b int);
CREATE TYPE address AS (street text, city text);
CREATE TYPE feeling AS ENUM ('good', 'bad');
CREATE TABLE rows (id int, c checked);
CREATE TYPE mood AS (m text);
CREATE FUNCTION to_mood(i int) RETURNS mood LANGUAGE plpgsql AS $$ BEGIN RETURN ROW(tell())::mood; END $$;
CREATE CAST (int AS mood) WITH FUNCTION to_mood(int);
CREATE FUNCTION of_mood(m mood) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN tell(); END $$;
CREATE CAST (mood AS text) WITH FUNCTION of_mood(mood) AS IMPLICIT;
CREATE TYPE point2 AS (x int);
CREATE FUNCTION point2_eq(a point2, b point2) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'it is %', tell(); END $$;
CREATE OPERATOR = (leftarg = point2, rightarg = point2, function = point2_eq);
CREATE TABLE places (id int, at point2, m mood); INSERT INTO places VALUES (1, ROW(1), ROW('a'));
CREATE VIEW v_places AS SELECT id, at FROM places;
CREATE VIEW v_ids AS SELECT id FROM places;
CREATE VIEW v_pair AS SELECT ROW('x', 1)::pair AS p;
CREATE FUNCTION op(t text, i int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN tell(); END $$;
CREATE OPERATOR <@@> (leftarg = text, rightarg = int, function = op);
"""
VOLATILE = [
    "SELECT 'x'::checked",
    "SELECT 'x'::again",
    "SELECT CAST('x' AS public.again)",
    "SELECT '(x,1)'::pair",
    "SELECT ROW('x', 1)::pair",
    "SELECT '{x}'::checked[]",
    "SELECT '{\"(x,1)\"}'::pair[]",
    "SELECT ROW(1, 'x')::rows",
    "SELECT checked 'x'",
    "SELECT ('x'::text).again",
    'SELECT * FROM json_to_record(\'{"a": "x"}\') AS t(a again)',
    'SELECT jsonb_populate_record(r, \'{"c": "x"}\') FROM rows r',
    'SELECT jsonb_populate_record(NULL::pair, \'{"a": "x"}\')',
    "SELECT json_value('{\"a\": \"x\"}', '$.a' RETURNING again)",
    "SELECT pg_input_is_valid('x', 'checked')",
    "SELECT message FROM pg_input_error_info('x', 'checked')",
    "SELECT xmlserialize(content '<a/>'::xml AS again)",
    "SELECT 1::mood",
    "SELECT lower(m) FROM places",
    "SELECT m || 'x' FROM places",
    "SELECT m::text FROM places",
    "SELECT p.m LIKE 'a' FROM places p",
    "SELECT DISTINCT m FROM places",
    "SELECT id FROM places ORDER BY m",
    "SELECT m AS x FROM places ORDER BY x",
    "SELECT * FROM places ORDER BY 3",
    "SELECT id, m FROM places GROUP BY 1, 2",
    "SELECT m FROM places UNION SELECT m FROM places",
    "TABLE places EXCEPT TABLE places",
    "SELECT x FROM (SELECT m AS x FROM places) s WHERE x > x",
    "WITH c AS (SELECT * FROM places) SELECT * FROM c",
    "SELECT c || 'x' FROM places AS p(a, b, c)",
    "SELECT max(p::text) FROM places p",
    "SELECT places = places FROM places",
    "SELECT 1 FROM places a JOIN places b USING (m)",
    "SELECT 1 FROM places a NATURAL JOIN places b",
    "SELECT note <@@> 1 FROM orders",
    "SELECT 'a' OPERATOR(public.<@@>) 1",
]
POLICED = [
    *VOLATILE,
    "SELECT 'x'::calm",
    "SELECT at = at FROM places",
    "SELECT at FROM places ORDER BY at",
    "SELECT DISTINCT at FROM places",
    "SELECT nullif(at, at) FROM places",
    "SELECT count(*) FROM places GROUP BY at",
    "SELECT 1 FROM places a JOIN places b USING (at)",
    "SELECT p FROM places p",
    "SELECT p = p FROM places p",
    "SELECT * FROM places",
    "SELECT ROW(1)::point2 = ROW(2)::point2",
    "SELECT at FROM v_places",
    "SELECT p FROM v_pair",
]
HONEST = [
    ("SELECT id FROM places", [[1]]),
    ("SELECT id FROM v_ids", [[1]]),
    ("SELECT id, c FROM rows WHERE id = 1", []),
    ("SELECT id FROM orders WHERE id = 2 AND note = 'b' AND total > 1", [[2]]),
    ("SELECT nullif(id, 1), note IN ('a'), total::text FROM orders WHERE id = 1", [[None, True, "2"]]),
    ("SELECT 5::positive, ('(s,c)'::address).city, 'good'::feeling", [[5, "c", "good"]]),
    ("SELECT o.id FROM orders o JOIN places p USING (id)", [[1]]),
    ("SELECT jsonb_build_object('a', note) ->> 'a' FROM orders WHERE id = 1", [["a"]]),
]


@pytest.fixture(scope="module")
def database(postgres_server, tmp_path_factory):
    config = postgres_server.fresh()
    postgres_server.execute(SETUP, config["database"])
    postgres_server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {config['user']}", config["database"])
    made = PolicedDatabase(tmp_path_factory.mktemp("types"), "postgres", config, {"deny_tables": ["kept"]})
    made.manager.create("me", "postgres", "free", config, None)
    yield made
    made.close()
    postgres_server.drop(config)


def test_without_a_policy_what_may_do_more_than_read_is_refused(database, subtests):
    for sql in VOLATILE:
        with subtests.test(ascii(sql)):
            with pytest.raises((SQLRefusedError, SQLSyntaxError)) as refused:
                database.run(sql, "free")
            assert SECRET not in refused.value.detail


def test_under_a_policy_nothing_runs_what_users_defined(database, subtests):
    for sql in POLICED:
        with subtests.test(ascii(sql)):
            with pytest.raises((SQLRefusedError, SQLSyntaxError)) as refused:
                database.run(sql)
            assert SECRET not in refused.value.detail


@pytest.mark.parametrize(("sql", "rows"), HONEST)
@pytest.mark.parametrize("name", ["data", "free"])
def test_other_types_operators_and_columns_stay_usable(database, sql, rows, name):
    assert database.run(sql, name) == rows


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM places",
        "SELECT p.*, p.m AS x FROM places p WHERE id = 1 ORDER BY p.id",
        "SELECT id, m FROM places UNION ALL SELECT id, m FROM places ORDER BY 1",
        "SELECT id, m FROM places CROSS JOIN generate_series(1, 2) AS g(i) ORDER BY 1, i",
        "SELECT count(*), max(id * 2) FROM places GROUP BY id ORDER BY 1",
    ],
)
def test_columns_of_volatile_types_are_shown_as_they_are(database, sql):
    assert database.run(sql, "free")


def test_the_profile_runs_no_function_of_the_users_own(database):
    opened = database.open("free")
    profiles = opened._driver.profiles(opened.catalog, 100.0)
    assert profiles["public", "places", "id"].most == "1"
    assert SECRET not in str(profiles["public", "places", "m"])


def test_values_of_harmless_types_are_compared_without_a_policy(database):
    assert database.run("SELECT DISTINCT id, at IS NULL FROM places", "free") == [[1, False]]


def test_the_schema_under_a_policy_leaves_such_columns_out(database):
    columns = {column.name for column in database.open().catalog.table("places").columns}
    assert columns == {"id"}
