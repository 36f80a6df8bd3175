"""Operators, aggregates and types of a Postgres whose users gave them names that are built in too."""

import pytest
from policed import PolicedDatabase

from sqlchat.errors import SQLRefusedError, SQLSyntaxError

SECRET = "tell-nobody"
SETUP = f"""
CREATE TABLE kept (val text); INSERT INTO kept VALUES ('{SECRET}');
CREATE TABLE sales (id int, note text, code varchar(5), total numeric, made date, tags text[]);
INSERT INTO sales VALUES (1, 'a', 'x', 2.5, '2024-05-06', '{{q}}'), (2, 'b', 'y', 4, '2024-05-07', '{{}}');
CREATE TABLE people (id int, name text); INSERT INTO people VALUES (1, 'Ann');
CREATE FUNCTION tell() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT val FROM kept); END $$;
CREATE FUNCTION joined(a text, b int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN tell(); END $$;
CREATE OPERATOR + (leftarg = text, rightarg = int, function = joined);
CREATE FUNCTION turned(a text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN tell(); END $$;
CREATE OPERATOR - (rightarg = text, function = turned);
CREATE FUNCTION later(a text, b date) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN tell() > ''; END $$;
CREATE OPERATOR > (leftarg = text, rightarg = date, function = later);
CREATE FUNCTION times(a text, b int) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT repeat(a, b) $$;
CREATE OPERATOR * (leftarg = text, rightarg = int, function = times);
CREATE FUNCTION gather(a text, b boolean) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN tell(); END $$;
CREATE AGGREGATE max(boolean) (sfunc = gather, stype = text, initcond = '');
CREATE FUNCTION ok(t text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it is %', tell(); END $$;
CREATE DOMAIN checked AS text CHECK (ok(value));
"""
REFUSED = [
    "SELECT note + 1 FROM sales",
    "SELECT 'a'::text + 1",
    "SELECT code + 1 FROM sales",
    "SELECT s.id + 1 FROM (SELECT note AS id FROM sales) s",
    "SELECT id + 1 FROM sales AS s(x, id)",
    "WITH c(id) AS (SELECT note FROM sales) SELECT id + 1 FROM c",
    "WITH c(id) AS (VALUES ('x'::text)) SELECT id + 1 FROM c",
    "WITH c AS (VALUES ('x'::text)) SELECT column1 + 1 FROM c",
    "WITH c AS (SELECT NULL AS n UNION SELECT note FROM sales) SELECT n + 1 FROM c",
    "SELECT max + 1 FROM (SELECT upper(note) FROM sales) s(max)",
    "SELECT id + 1 FROM sales JOIN json_each_text('{}') ON true",
    "SELECT id + 1 FROM unnest(ARRAY['a']) AS id",
    "SELECT tags[1] + 1 FROM sales",
    "SELECT (SELECT note FROM sales LIMIT 1) + 1",
    "SELECT coalesce(NULL, note) + 1 FROM sales",
    "SELECT (note * 2) + 1 FROM sales",
    "SELECT note OPERATOR(+) 1 FROM sales",
    "SELECT id FROM sales ORDER BY note + 1",
    "SELECT -note FROM sales",
    "SELECT id - -note FROM sales",
    "SELECT OPERATOR(public.-) note FROM sales",
    "SELECT note > made FROM sales",
    "SELECT note > ANY (ARRAY[made]) FROM sales",
    "SELECT (note, id) > (made, 1) FROM sales",
    "SELECT id FROM sales ORDER BY note USING OPERATOR(public.>)",
    "SELECT id FROM sales WHERE note BETWEEN made AND made",
    "SELECT max(true)",
    "SELECT (true).max",
    "SELECT json_object('a': 'x' RETURNING checked)",
    "SELECT json_array(1, 2 RETURNING public.checked)",
    'SELECT json_objectagg(id: note RETURNING "checked") FROM sales',
]
HONEST = [
    ("SELECT id + 1, total + id, total * 2, -id FROM sales WHERE id = 1", [[2, 3.5, 5.0, -1]]),
    ("SELECT count(*) + 1, sum(total) + 0.5 FROM sales", [[3, 7.0]]),
    ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT sum(n) FROM t", [[6]]),
    ("WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT sum(n) FROM t", [[6]]),
    ("WITH v(a, b) AS (VALUES (1, 'x')) SELECT a + 1 FROM v", [[2]]),
    (
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT count(n) FROM t",
        [[3]],
    ),
    ("WITH c AS (SELECT id AS n FROM sales UNION SELECT total FROM sales) SELECT n + 1 FROM c WHERE n = 1", [[2]]),
    ("SELECT x + 1 FROM generate_series(1, 1) x", [[2]]),
    ("SELECT a + b FROM (VALUES (1, 2)) v(a, b)", [[3]]),
    ("SELECT made + 1, DATE '2024-01-01' + 1 FROM sales WHERE id = 1", [["2024-05-07", "2024-01-02"]]),
    ("SELECT now() + INTERVAL '1 day' > now()", [[True]]),
    ("SELECT id FROM sales WHERE note > 'a' AND code > 'x' AND made > '2024-05-06' AND total > 3", [[2]]),
    ("SELECT id FROM sales WHERE made BETWEEN '2024-05-06' AND '2024-05-06'", [[1]]),
    ("SELECT (SELECT id FROM people) + 1", [[2]]),
    ("SELECT u.id FROM sales JOIN people USING (id) AS u", [[1]]),
    ("SELECT note * 2 FROM sales WHERE id = 1", [["aa"]]),
    ("SELECT note OPERATOR(pg_catalog.||) 'c' FROM sales ORDER BY id USING < LIMIT 1", [["ac"]]),
]


@pytest.fixture(scope="module")
def database(postgres_server, tmp_path_factory):
    config = postgres_server.fresh()
    postgres_server.execute(SETUP, config["database"])
    postgres_server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {config['user']}", config["database"])
    made = PolicedDatabase(tmp_path_factory.mktemp("operators"), "postgres", config)
    yield made
    made.close()
    postgres_server.drop(config)


def test_what_may_be_a_volatile_one_of_the_users_own_is_refused(database, subtests):
    for sql in REFUSED:
        with subtests.test(ascii(sql)):
            with pytest.raises((SQLRefusedError, SQLSyntaxError)) as refused:
                database.run(sql)
            assert SECRET not in refused.value.detail


@pytest.mark.parametrize(("sql", "rows"), HONEST)
def test_what_surely_is_built_in_runs(database, sql, rows):
    assert database.run(sql) == rows


def test_the_status_of_the_connection_names_them(database):
    (warning,) = [each for each in database.open()._driver.check() if "may do more than read" in each]
    assert "the operator +" in warning
    assert "max()" in warning
