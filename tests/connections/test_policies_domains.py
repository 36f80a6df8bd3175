"""Domains of a Postgres whose checks call functions of users: no text becomes one of their values unasked."""

import pytest
from policed import PolicedDatabase

from sqlchat.errors import SQLRefusedError

SETUP = """
CREATE FUNCTION is_fine(t text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN IF coalesce(t, 'boom') ~ 'boom|77' THEN RAISE EXCEPTION 'it ran'; END IF; RETURN true; END $$;
CREATE FUNCTION is_calm(t text) RETURNS boolean STABLE LANGUAGE plpgsql AS $$
    BEGIN IF t = 'boom' THEN RAISE EXCEPTION 'it ran'; END IF; RETURN true; END $$;
CREATE DOMAIN email AS text CHECK (is_fine(value));
CREATE DOMAIN calm AS text CHECK (is_calm(value));
CREATE DOMAIN num AS int CHECK (is_fine(value::text));
CREATE DOMAIN tags AS text[] CHECK (is_fine(value::text));
CREATE TYPE mood AS ENUM ('good', 'boom');
CREATE DOMAIN feeling AS mood CHECK (is_fine(value::text));
CREATE DOMAIN emails AS email[];
CREATE DOMAIN span AS int4range CHECK (is_fine(value::text));
CREATE TYPE address AS (mail email, city text);
CREATE TABLE people (id int, c email, a email[], i num, ia num[], tg tags, e feeling, es emails, sp span, n text);
INSERT INTO people VALUES (1, 'x@y', '{x,y}', 1, '{1,2}', '{p,q}', 'good', '{x}', '[1,5]', 'n');
CREATE TABLE homes (id int, k address, z num); INSERT INTO homes VALUES (1, ROW('x', 'Rome'), 1);
CREATE TABLE other (id int, n text, array_agg int); INSERT INTO other VALUES (1, 'n', 1);
CREATE TABLE quiet (id int, c calm, a calm[]); INSERT INTO quiet VALUES (1, 'x', '{x}');
CREATE DOMAIN code AS text CHECK (is_fine(value));
CREATE FUNCTION is_like(a text, b code) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN true; END $$;
CREATE OPERATOR <<< (leftarg = text, rightarg = code, function = is_like);
CREATE VIEW shown AS SELECT id, c, array_agg(c) OVER () AS ag FROM people;
"""
REFUSED = [
    "SELECT lag(c, 1, 'boom') OVER () FROM people",
    "SELECT lag(c, 1, NULL) OVER () FROM people",
    "SELECT lead(tg, 1, '{boom}') OVER () FROM people",
    "SELECT lag(i, 1, '77') OVER () FROM people",
    "SELECT lag(sp, 1, '[77,78)') OVER () FROM people",
    "SELECT lag(c COLLATE \"C\", 1, 'boom') OVER () FROM people",
    "SELECT width_bucket(c, '{boom}') FROM people",
    "SELECT enum_range(e) = '{boom}' FROM people",
    "SELECT array_append(a, 'boom') FROM people",
    "SELECT array_append(a, NULL) FROM people",
    "SELECT array_prepend(('boom'), a) FROM people",
    "SELECT array_prepend('boom' COLLATE \"C\", a) FROM people",
    "SELECT array_prepend('bo'\n'om', a) FROM people",
    "SELECT array_prepend(E'boom', a) FROM people",
    "SELECT array_prepend($$boom$$, a) FROM people",
    "SELECT pg_catalog.array_prepend('boom', a) FROM people",
    "SELECT x FROM people, array_prepend('boom', a) AS x",
    "SELECT x FROM people, ROWS FROM (array_prepend('boom', a)) AS x",
    "SELECT array_remove(a, 'boom'), array_position(a, 'boom') FROM people",
    "SELECT a || '{boom}' FROM people",
    "SELECT '{boom}' OPERATOR(pg_catalog.||) a FROM people",
    "SELECT coalesce(a, '{boom}') FROM people",
    "SELECT greatest(a, '{boom}') FROM people",
    "SELECT nullif(a, '{boom}') FROM people",
    "SELECT ARRAY[a, '{boom}'] FROM people",
    "SELECT CASE WHEN id = 2 THEN a ELSE '{boom}' END FROM people",
    "SELECT CASE WHEN true THEN a END = '{boom}' FROM people",
    "SELECT CASE a WHEN '{boom}' THEN 1 END FROM people",
    "SELECT es = '{boom}' FROM people",
    "SELECT id FROM people WHERE a IN ('{boom}')",
    "SELECT id FROM people WHERE a BETWEEN '{boom}' AND '{boom}'",
    "SELECT id FROM people WHERE '{boom}' IS DISTINCT FROM a",
    "SELECT id FROM people WHERE (id, a) = (1, '{boom}')",
    "SELECT id FROM people WHERE ROW(a, 1) IN (ROW('{boom}', 1))",
    "SELECT id FROM people ORDER BY a @> '{boom}'",
    "SELECT '{boom}' IN (SELECT a FROM people)",
    "SELECT '{boom}' = ANY (SELECT a FROM people)",
    "SELECT a FROM people UNION ALL SELECT '{boom}'",
    "SELECT * FROM people UNION ALL SELECT 1, 'c', '{boom}', 1, '{1}', '{}', 'good', '{x}', '[1,2)', 'n'",
    "TABLE people UNION ALL SELECT 1, 'c', '{boom}', 1, '{1}', '{}', 'good', '{x}', '[1,2)', 'n'",
    "VALUES ((SELECT a FROM people)), ('{boom}')",
    "SELECT array_append(column1, 'boom') FROM (VALUES ((SELECT a FROM people))) w",
    "SELECT array_append(s.x, 'boom') FROM (SELECT a AS x FROM people) s",
    "WITH w(x) AS (SELECT a FROM people) SELECT x || '{boom}' FROM w",
    "WITH RECURSIVE r AS (SELECT a FROM people UNION ALL SELECT '{boom}' FROM r WHERE false) SELECT * FROM r",
    "SELECT q.array_agg || '{boom}' FROM (SELECT array_agg(c) FROM people) q, other",
    "SELECT p || '{boom}' FROM people AS z(x, y, p)",
    "SELECT array_agg(c) = '{boom}' FROM people",
    "SELECT pg_catalog.array_agg(c) = '{boom}' FROM people",
    "SELECT ARRAY(SELECT c FROM people) = '{boom}'",
    "SELECT max(a) = '{boom}' FROM people",
    "SELECT rank('{boom}') WITHIN GROUP (ORDER BY a) FROM people",
    "SELECT percentile_disc(ARRAY[0.5]) WITHIN GROUP (ORDER BY c) = '{boom}' FROM people",
    "SELECT lag(u, 1, 'boom') OVER () FROM people, unnest(a) AS z(u)",
    "SELECT a[1:1] = '{boom}' FROM people",
    "SELECT ag = '{boom}' FROM shown",
    "SELECT coalesce(k, '(boom,x)') FROM homes",
    "SELECT k FROM homes UNION ALL SELECT '(boom,x)'",
    "SELECT lag((h.k).mail, 1, 'boom') OVER () FROM homes h",
    "SELECT lag(h, 1, '(1,\"(boom,x)\",1)') OVER () FROM homes h",
    "SELECT lag(mail, 1, 'boom') OVER () FROM unnest(ARRAY(SELECT k FROM homes)) AS u",
    "SELECT lag(q.mail, 1, 'boom') OVER () FROM (SELECT (h.k).* FROM homes h) q",
    "SELECT n <<< 'boom' FROM people",
    "SELECT array_agg(k) = '{\"(boom,x)\"}' FROM homes",
]
HONEST = [
    "SELECT c FROM people WHERE c = 'x@y' AND c LIKE '%@y' AND c IN ('x@y', 'b') AND c NOT IN ('z')",
    "SELECT coalesce(c, 'none'), nullif(c, ''), lower(c) || '!', split_part(c, '@', 2), c || ' <' || n FROM people",
    "SELECT CASE WHEN c = 'x@y' THEN 'me' ELSE c END, CASE c WHEN 'x@y' THEN 1 END FROM people",
    "SELECT count(DISTINCT c), string_agg(c, ', ' ORDER BY c), max(c) = 'x@y' FROM people",
    "SELECT array_to_string(array_agg(c), ', '), array_agg(DISTINCT c ORDER BY c) FROM people",
    "SELECT array_to_string(a, ','), array_length(a, 1), cardinality(a), a[1] = 'x' FROM people",
    "SELECT id FROM people WHERE 'x' = ANY (a) AND coalesce(a, '{}') <> '{}'",
    "SELECT u FROM people, unnest(a) AS u WHERE u = 'x'",
    "SELECT z.nth FROM people CROSS JOIN LATERAL unnest(a) WITH ORDINALITY AS z(u, nth) WHERE z.u LIKE 'x%'",
    "SELECT lag(c) OVER (ORDER BY id), lag(c, 1, ''::text) OVER (ORDER BY id) FROM people",
    "SELECT trim(both 'x' from c), substring(c from 'x'), position('@' in c), concat(c, 'x') FROM people",
    "SELECT to_jsonb(a) @> '\"x\"', jsonb_build_object('mail', c) ->> 'mail' FROM people",
    "SELECT c AS who, 'mail' AS kind FROM people UNION ALL SELECT n, 'note' FROM other",
    "SELECT i + 1, i = '1', i BETWEEN 0 AND 5, lag(i, 1, 77) OVER () FROM people",
    "SELECT tg = '{p}', tg || '{x}', tg[1] = 'p', 'p' = ANY (tg), sp && '[1,2]' FROM people",
    "SELECT a::text[] && '{boom}' FROM people",
    "SELECT id FROM homes WHERE (k).city = 'Rome'::text AND z = 1",
    "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i), mode() WITHIN GROUP (ORDER BY c) = 'x' FROM people",
    "SELECT array_append(ARRAY['a'], n), lag(n, 1, 'none') OVER (), n IN ('a', 'n') FROM people",
]
CALM = ["SELECT lag(c, 1, 'x') OVER () FROM quiet", "SELECT a || '{x}' FROM quiet"]


@pytest.fixture(scope="module")
def database(postgres_server, tmp_path_factory):
    config = postgres_server.fresh()
    postgres_server.execute(SETUP, config["database"])
    postgres_server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {config['user']}", config["database"])
    made = PolicedDatabase(tmp_path_factory.mktemp("domains"), "postgres", config, {"deny_tables": ["nothing"]})
    made.manager.create("me", "postgres", "free", config, None)
    yield made
    made.close()
    postgres_server.drop(config)


@pytest.mark.parametrize("name", ["data", "free"])
def test_no_text_becomes_a_value_of_a_domain_that_runs_volatile_code(database, name, subtests):
    for sql in REFUSED:
        with subtests.test(ascii(sql)), pytest.raises(SQLRefusedError):
            database.run(sql, name)


@pytest.mark.parametrize("name", ["data", "free"])
@pytest.mark.parametrize("sql", HONEST)
def test_columns_of_such_domains_stay_usable(database, sql, name):
    assert database.run(sql, name)


@pytest.mark.parametrize("sql", CALM)
def test_a_check_that_only_reads_runs_unless_a_policy_hides_tables_from_it(database, sql):
    assert database.run(sql, "free")
    with pytest.raises(SQLRefusedError, match="'x'::text"):
        database.run(sql)
