"""Row-level security passed through to a real Postgres, set up the way Supabase does it; no guard takes part here."""

import contextlib
import json
import re
import uuid

import pytest

from sqlchat.config import Settings
from sqlchat.connections.manager import ConnectionManager
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import ConnectionConfigError, QueryError, SQLRefusedError, UnauthorizedError
from sqlchat.store import Store
from sqlchat.workers import Workers

ANN, BOB = (str(uuid.UUID(int=n)) for n in (1, 2))
SECRET = "of bob"
SUPABASE = """
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $$;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claim', true), ''),
        nullif(current_setting('request.jwt.claims', true), ''))::jsonb $$;
GRANT USAGE ON SCHEMA auth TO anon, authenticated;

CREATE TABLE notes (id int PRIMARY KEY, owner uuid, body text);
INSERT INTO notes VALUES (1, '{ann}', 'of ann'), (2, '{bob}', 'of bob');
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes FOR SELECT TO authenticated USING (auth.uid() = owner);
CREATE TABLE teams (name text, plan text);
INSERT INTO teams VALUES ('red', 'free'), ('blue', 'paid');
ALTER TABLE teams ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON teams FOR SELECT TO authenticated
    USING (name = (auth.jwt() -> 'app_metadata' ->> 'team'));
CREATE TABLE internal (n int);
CREATE SEQUENCE notes_number_seq;
SELECT setval('notes_number_seq', 40);
CREATE VIEW own_notes WITH (security_invoker = true) AS SELECT * FROM notes;
CREATE VIEW all_notes AS SELECT * FROM notes;
GRANT SELECT ON notes, teams, own_notes, notes_number_seq TO authenticated, anon;
"""
EVIL = """
CREATE FUNCTION unpinned(name text, value text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config(name, value, true); RETURN 'x'; END $$;
CREATE FUNCTION unpinned_later(name text, value text, n int) RETURNS text STABLE LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config(name, value, true); RETURN 'x'; END $$;
CREATE FUNCTION unpinned_in_sql() RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT set_config('role', 'none', true) $$;
CREATE FUNCTION reset_role() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RESET ROLE; RETURN 'x'; END $$;
CREATE FUNCTION all_bodies() RETURNS SETOF text STABLE LANGUAGE sql AS $$ SELECT body FROM public.notes $$;
CREATE FUNCTION anything(text) RETURNS text STABLE LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config('role', 'none', true);
    RETURN (SELECT string_agg(body, ',') FROM public.notes); END $$;
CREATE FUNCTION shouted(code text) RETURNS text STABLE LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config('role', 'none', true);
    RAISE EXCEPTION '%', (SELECT string_agg(body, ',') FROM public.notes) USING ERRCODE = code; END $$;
CREATE FUNCTION shouted_early() RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config('role', 'none', true);
    RAISE EXCEPTION '%', (SELECT string_agg(body, ',') FROM public.notes) USING HINT = 'of bob'; END $$;
CREATE FUNCTION miscast() RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config('role', 'none', true);
    EXECUTE 'SELECT "' || (SELECT string_agg(body, ',') FROM public.notes) || '"'; RETURN 'x'; END $$;
CREATE FUNCTION definer() RETURNS text SECURITY DEFINER LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config('role', 'none', true); RETURN 'x'; END $$;
CREATE FUNCTION definer_of_claims(value text) RETURNS text STABLE SECURITY DEFINER LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config('request.jwt.claim.sub', value, true); RETURN 'x'; END $$;
"""
AS_BOB = f"""'{{"sub": "{BOB}"}}'"""
NOTES = "SELECT string_agg(body, ',') FROM notes"
ATTACKS = [
    "RESET ROLE",
    "SET ROLE NONE",
    "SET LOCAL ROLE NONE",
    "SET SESSION AUTHORIZATION DEFAULT",
    f"SET LOCAL request.jwt.claims = {AS_BOB}",
    "RESET ROLE; SELECT body FROM notes",
    f"SELECT 1; RESET ROLE; {NOTES}",
    "SELECT 1) AS sqlchat LIMIT 1) TO STDOUT; RESET ROLE; COPY (SELECT body FROM notes) TO STDOUT; --",
    "DO $$ BEGIN PERFORM set_config('role', 'none', true); END $$",
    "BEGIN; SELECT body FROM notes",
    "COMMIT; SELECT body FROM notes",
    "ROLLBACK; SELECT body FROM notes",
    "COPY notes TO STDOUT",
    "TABLE all_notes",
    "EXPLAIN ANALYZE SELECT * FROM notes WHERE id = 2",
    "EXPLAIN SELECT * FROM notes WHERE body = 'of bob'",
    "SHOW role",
    "FETCH ALL FROM sqlchat",
    f"SELECT set_config('role', 'none', true), ({NOTES})",
    f"SELECT set_config('role', 'none', false), ({NOTES})",
    f"SELECT set_config('role', session_user::text, true), ({NOTES})",
    f"SELECT ({NOTES}), set_config('role', 'none', true)",
    f"SELECT set_config('request.jwt.claim.sub', '{BOB}', true), ({NOTES})",
    f"SELECT set_config('request.jwt.claims', {AS_BOB}, true), ({NOTES})",
    f"SELECT set_config('request.jwt.claim', {AS_BOB}, true), body FROM notes",
    "SELECT set_config('row_security', 'off', true), body FROM notes",
    f"WITH x AS MATERIALIZED (SELECT set_config('request.jwt.claim.sub', '{BOB}', true)) SELECT body FROM x, notes",
    f"SELECT body FROM notes WHERE set_config('request.jwt.claim.sub', '{BOB}', true) IS NOT NULL",
    f"SELECT body FROM (SELECT set_config('request.jwt.claim.sub', '{BOB}', false) OFFSET 0) x, notes",
    "SELECT body FROM notes, LATERAL (SELECT set_config('request.jwt.claim.sub', id::text, true)) x, all_bodies()",
    f"SELECT unpinned('role', 'none'), ({NOTES})",
    "SELECT body FROM notes WHERE unpinned('role', 'none') = 'x'",
    f"SELECT body FROM notes WHERE unpinned('request.jwt.claim.sub', '{BOB}') = 'x'",
    f"SELECT unpinned_later('role', 'none', n), ({NOTES}) FROM generate_series(1, 3) n",
    f"SELECT unpinned_later('request.jwt.claim.sub', '{BOB}', n), body FROM generate_series(1, 3) n, notes",
    f"SELECT unpinned_in_sql(), ({NOTES})",
    f"SELECT reset_role(), ({NOTES})",
    "SELECT * FROM unpinned('role', 'none'), all_bodies()",
    "SELECT * FROM generate_series(1, length(unpinned('role', 'none'))), all_bodies()",
    f"SELECT * FROM generate_series(1, length(unpinned('request.jwt.claim.sub', '{BOB}'))), all_bodies()",
    "SELECT FROM generate_series(1, length(unpinned('role', 'none'))), all_bodies()",
    "SELECT anything('x')",
    "SELECT anything(body) FROM notes",
    "SELECT (notes).anything FROM notes",
    "SELECT shouted('P0001')",
    "SELECT shouted('42P01') FROM notes",
    "SELECT shouted('22012') FROM generate_series(1, 2)",
    "SELECT shouted_early()",
    "SELECT miscast()",
    f"SELECT definer(), ({NOTES})",
    f"SELECT definer_of_claims('{BOB}'), ({NOTES})",
    f"SELECT body FROM notes WHERE definer_of_claims('{BOB}') = 'x'",
    "SELECT body::int FROM notes WHERE owner <> auth.uid()",
    "SELECT 1 / (length(body) - 6) FROM notes WHERE id = 2",
    "SELECT * FROM internal",
    "SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'notes'",
    "SELECT stavalues1::text FROM pg_statistic",
    "SELECT query FROM pg_stat_activity WHERE query LIKE '%of bob%'",
]
COUNTING = [
    "SELECT reltuples FROM pg_class WHERE relname = 'notes'",
    "SELECT * FROM pg_catalog.pg_class c",
    'SELECT row_to_json(c) FROM "pg_class" c',
    "SELECT relpages FROM PG_CLASS",
    "SELECT n_live_tup FROM pg_stat_user_tables",
    "SELECT seq_tup_read FROM pg_stat_all_tables",
    "SELECT heap_blks_read FROM pg_statio_user_tables",
    "SELECT null_frac FROM pg_stats",
    "SELECT n_distinct FROM pg_stats_ext",
    "SELECT pg_relation_size('notes')",
    "SELECT pg_size_pretty(pg_total_relation_size('notes'::regclass))",
    "SELECT pg_table_size('notes'), pg_indexes_size('notes')",
    "SELECT ('notes'::regclass).pg_relation_size",
    "SELECT pg_database_size(current_database())",
    "SELECT pg_stat_get_live_tuples('notes'::regclass)",
    "SELECT pg_stat_get_tuples_inserted('notes'::regclass)",
    "SELECT ctid FROM notes",
    "SELECT max((ctid::text::point)[0]) FROM notes",
    "SELECT last_value FROM notes_number_seq",
    "SELECT * FROM notes_number_seq",
    'SELECT s.* FROM public."notes_number_seq" s',
    "SELECT last_value FROM pg_sequences",
    "SELECT pg_sequence_last_value('notes_number_seq'::regclass)",
    "EXPLAIN SELECT * FROM notes",
    "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM notes",
    "EXPLAIN ANALYZE VERBOSE SELECT 1 FROM notes",
    "/* */ EXPLAIN SELECT 1 FROM notes",
    'SELECT reltuples FROM U&"pg\\005fclass"',
]


@pytest.fixture(scope="module")
def tenants(postgres_server):
    """A database of two tenants, its config, and a function that runs SQL as superuser.

    The role that logs in owns it all, as the worst choice that still is common.
    """
    config = postgres_server.fresh()

    def execute(statement):
        return postgres_server.execute(statement, config["database"])

    login = config["user"]
    for role in ("anon", "authenticated"):
        with contextlib.suppress(Exception):
            execute(f"CREATE ROLE {role}")
    execute(f"GRANT anon, authenticated TO {login}")
    execute(SUPABASE.replace("{ann}", ANN).replace("{bob}", BOB) + EVIL + "ANALYZE")
    for name in ("notes", "teams", "own_notes", "all_notes", "internal"):
        execute(f"ALTER TABLE {name} OWNER TO {login}")
    yield config, execute
    postgres_server.drop(config)


@pytest.fixture(scope="module")
def connection(tenants):
    made = PostgresConnection(tenants[0] | {"rls": True}, Settings(pool_size=1), Workers(1, 1024))
    yield made
    made.close()


def claims(sub, **more):
    return {"sub": sub, "role": "authenticated", "aud": "authenticated", **more}


def run(connection, sql, **caller):
    caller = claims(ANN) | caller
    return json.loads(connection.for_caller(caller).run(sql, max_rows=10, timeout=100).rows)


@pytest.mark.parametrize(("sub", "body"), [(ANN, "of ann"), (BOB, "of bob")])
@pytest.mark.parametrize("source", ["notes", "own_notes"])
def test_a_caller_sees_the_rows_that_policies_show(connection, sub, body, source):
    assert run(connection, f"SELECT body FROM {source}", sub=sub) == [[body]]


def test_policies_may_read_any_claim(connection):
    sql = "SELECT name FROM teams"
    assert run(connection, sql, app_metadata={"team": "blue"}) == [["blue"]]
    assert run(connection, sql, app_metadata={"team": 'it\'s \\ "%s" $sqlchat$'}) == []
    assert run(connection, sql) == []


@pytest.mark.parametrize("odd", ["\0", "\ud800", "x" * 8000, "%(a)s", "'); RESET ROLE; --", "$sqlchat$; RESET ROLE"])
def test_no_text_in_a_claim_shows_more(connection, odd):
    with contextlib.suppress(QueryError):  # a policy that reads the claims as jsonb may choke on some
        assert run(connection, "SELECT body FROM notes", name=odd) == [["of ann"]]
    with contextlib.suppress(QueryError):
        assert run(connection, "SELECT body FROM notes", sub=odd) == []


def test_callers_take_turns_on_one_pooled_connection(connection):
    for sub, body in [(ANN, "of ann"), (BOB, "of bob")] * 3:
        assert run(connection, "SELECT body FROM notes", sub=sub) == [[body]]


def test_a_query_runs_as_the_role(connection):
    assert run(connection, "SELECT current_user") == [["authenticated"]]
    with pytest.raises(QueryError, match="denied"):
        run(connection, "SELECT * FROM internal")


def test_an_attack_gets_nothing_of_the_other_tenant(connection, subtests):
    for sql in ATTACKS:
        with subtests.test(ascii(sql)):
            with contextlib.suppress(QueryError, SQLRefusedError):
                try:
                    assert SECRET not in str(run(connection, sql))
                except (QueryError, SQLRefusedError) as exc:
                    said = f"{exc.detail} {exc.facts}"
                    assert SECRET not in said.replace(sql, "").replace("'of bob'", "")
                    raise
            assert run(connection, "SELECT current_user, body FROM notes") == [["authenticated", "of ann"]]


def test_an_attack_streams_nothing_of_the_other_tenant(connection, subtests):
    view = connection.for_caller(claims(ANN))
    for sql in [*ATTACKS, *COUNTING]:
        with subtests.test(ascii(sql)):
            with (
                contextlib.suppress(QueryError, SQLRefusedError),
                contextlib.closing(view.stream(sql, max_rows=100, idle=100)) as stream,
            ):
                assert SECRET not in str(list(stream))
            with contextlib.closing(
                view.stream("SELECT current_user, body FROM notes", max_rows=9, idle=100)
            ) as stream:
                rows = b"".join(stream)
            assert rows == b'"authenticated","of ann"\n'


def test_planning_an_attack_tells_nothing_of_the_other_tenant(connection, subtests):
    view = connection.for_caller(claims(ANN))
    for sql in ATTACKS:
        with subtests.test(ascii(sql)):
            try:
                plan = view.explain(sql)
            except (QueryError, SQLRefusedError) as exc:
                said = f"{exc.detail} {exc.facts}"
                assert SECRET not in said.replace(sql, "").replace("'of bob'", "")
            else:
                assert plan.cost is None
            assert run(connection, "SELECT current_user, body FROM notes") == [["authenticated", "of ann"]]


def test_what_tells_how_many_rows_others_have_is_refused(connection, subtests):
    for sql in COUNTING:
        with subtests.test(ascii(sql)):
            with pytest.raises(SQLRefusedError) as refused:
                run(connection, sql)
            assert not re.search(r"\b(2|40)\b", refused.value.detail)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT count(*) FROM notes", [[1]]),
        ("SELECT 'pg_class', 'ctid' FROM notes", [["pg_class", "ctid"]]),
        ("SELECT last_value(id) OVER (ORDER BY id) AS last_value FROM notes -- pg_stats", [[1]]),
        ("SELECT n.last_value FROM (SELECT id AS last_value FROM notes) n", [[1]]),
        ("SELECT tablename FROM pg_tables WHERE tablename = 'notes'", [["notes"]]),
        ("SELECT table_name FROM information_schema.tables WHERE table_name = 'notes'", [["notes"]]),
        ("SELECT pg_column_size(1)", [[4]]),
    ],
)
def test_what_tells_of_own_rows_alone_runs(connection, sql, rows):
    assert run(connection, sql) == rows


@pytest.mark.parametrize("claims", [None, {}])
def test_nothing_is_read_for_a_caller_without_a_token(connection, claims):
    with pytest.raises(UnauthorizedError, match="send a token"):
        connection.for_caller(claims)
    with pytest.raises(UnauthorizedError):
        connection.run("SELECT 1", max_rows=1, timeout=100)
    with pytest.raises(UnauthorizedError):
        connection.explain("SELECT 1")


def test_planning_is_done_as_the_caller(connection):
    view = connection.for_caller(claims(ANN))
    plan = view.explain("SELECT body FROM notes")
    assert plan.cost is None  # it would tell of others' rows
    assert plan.secret_cost > 0
    with pytest.raises(QueryError, match="denied"):
        view.explain("SELECT * FROM internal")
    with pytest.raises(QueryError) as failed:
        view.explain("SELECT shouted_early()")
    assert SECRET not in failed.value.detail


def test_the_catalog_is_the_role_s_and_tells_no_number_of_rows(connection):
    tables = {table.name: table for table in connection.catalog().tables}
    assert set(tables) == {"notes", "teams", "own_notes"}
    assert tables["notes"].row_estimate is None


def test_nothing_is_profiled(connection):
    catalog = connection.catalog()
    assert connection.profiles(catalog, 100.0) == {}
    assert connection.for_caller(claims(ANN)).profiles(catalog, 100.0) == {}


def test_an_honest_fault_is_told_in_the_database_s_words(connection):
    with pytest.raises(QueryError, match='Column "nope" does not exist'):
        run(connection, "SELECT nope FROM notes")
    with pytest.raises(QueryError, match="Division by zero") as failed:
        run(connection, "SELECT 1 / (id - 1) FROM notes")
    assert failed.value.facts["sqlstate"] == "22012"


def test_check_warns_of_what_policies_do_not_hold(connection, tenants):
    _, execute = tenants
    assert any("may itself read past the policies" in warning for warning in connection.check())
    assert any("1 sequences that authenticated may read" in warning for warning in connection.check())
    execute("CREATE TABLE open (n int); GRANT SELECT ON open, all_notes TO authenticated")
    warned = " ".join(connection.check())
    execute("DROP TABLE open; REVOKE SELECT ON all_notes FROM authenticated")
    assert "1 tables that authenticated may read show it all their rows" in warned
    assert "1 views that authenticated may read show what their owner sees" in warned


def test_a_login_that_may_do_nothing_else_raises_no_warning(connection, tenants):
    config, execute = tenants
    execute("REVOKE SELECT ON notes_number_seq FROM authenticated")
    execute("CREATE ROLE rls_login LOGIN NOINHERIT PASSWORD 'only here' IN ROLE authenticated")
    fields = config | {"user": "rls_login", "password": "only here", "rls": True}
    made = PostgresConnection(fields, Settings(pool_size=1), Workers(1, 1024))
    try:
        assert made.check() == []
        assert run(made, "SELECT body FROM notes") == [["of ann"]]
        with pytest.raises(QueryError, match="A function of the database failed"):
            run(made, "SELECT anything('x')")
    finally:
        made.close()
        execute("DROP ROLE rls_login; GRANT SELECT ON notes_number_seq TO authenticated")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rls": "yes"}, "true or false"),
        ({"rls": 1}, "true or false"),
        ({"rls": False, "rls_role": "authenticated"}, "needs"),
        ({"rls_role": "authenticated"}, "needs"),
        ({"rls": True, "rls_role": "a; RESET ROLE"}, "plain name"),
        ({"rls": True, "rls_role": "none"}, "plain name"),
        ({"rls": True, "rls_role": ""}, "plain name"),
        ({"rls": True, "rls_role": 7}, "plain name"),
        ({"RLS": True}, "unknown field RLS"),
    ],
)
def test_a_config_says_clearly_whether_it_wants_row_level_security(fields, said):
    config = {"host": "127.0.0.1", "database": "d", "user": "u"} | fields
    with pytest.raises(ConnectionConfigError, match=said):
        PostgresConnection(config, Settings(), Workers(1, 1024))


@pytest.mark.parametrize(
    ("role", "said"), [("postgres", "Permission denied"), ("nobody_here", "does not exist"), (None, "another role")]
)
def test_check_refuses_a_role_that_cannot_serve(tenants, role, said):
    config, _ = tenants
    made = PostgresConnection(
        config | {"rls": True, "rls_role": role or config["user"]}, Settings(pool_size=1), Workers(1, 1024)
    )
    with pytest.raises(ConnectionConfigError, match=said):
        made.check()
    made.close()


def test_check_refuses_a_role_that_bypasses_policies(tenants):
    config, execute = tenants
    execute(f"CREATE ROLE service BYPASSRLS; GRANT service TO {config['user']}")
    made = PostgresConnection(config | {"rls": True, "rls_role": "service"}, Settings(pool_size=1), Workers(1, 1024))
    with pytest.raises(ConnectionConfigError, match="bypasses row-level security"):
        made.check()
    made.close()
    execute("DROP ROLE service")


def test_the_manager_hands_out_a_view_for_each_caller(tenants, tmp_path):
    settings, workers = Settings(data_dir=tmp_path, pool_size=1), Workers(1, 1024)
    store = Store(settings)
    store.upgrade()
    manager = ConnectionManager(settings, store, workers)
    manager.create("owner", "postgres", "app", tenants[0] | {"rls": True})
    ann, bob = (manager.open("owner", "app", claims(sub)) for sub in (ANN, BOB))
    sql = "SELECT body FROM notes"
    assert json.loads(ann.run(ann.examine(sql)).rows) == [["of ann"]]
    assert json.loads(bob.run(bob.examine(sql)).rows) == [["of bob"]]
    for read in (manager.open, manager.refresh):
        with pytest.raises(UnauthorizedError):
            read("owner", "app")
    assert not manager.open("owner", "app", claims(ANN)).read_profiles()
    manager.delete("owner", "app")
    assert json.loads(ann.run(ann.examine(sql)).rows) == [["of ann"]]  # a request that was under way
    del ann, bob
    manager.close()
    store.close()
