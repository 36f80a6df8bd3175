"""Over HTTP, two tenants of one Supabase project see their own rows through connections with row-level security."""

import contextlib
import uuid

import jwt
import pytest

from sqlchat.app import create_app
from sqlchat.config import Settings
from sqlchat.tokens import mint_token

JWT_SECRET = "only for these tests, and nowhere else in use"
TENANTS = {"of ann": str(uuid.UUID(int=1)), "of bob": str(uuid.UUID(int=2))}
TABLES = """
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $$;
GRANT USAGE ON SCHEMA auth TO authenticated;
CREATE TABLE notes (id int PRIMARY KEY, owner uuid, body text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes FOR SELECT TO authenticated USING ((SELECT auth.uid()) = owner);
GRANT SELECT ON notes TO authenticated;
CREATE FUNCTION all_notes() RETURNS text STABLE LANGUAGE plpgsql AS $$ DECLARE found text; BEGIN
    PERFORM set_config('role', 'none', true);
    SELECT string_agg(body, ',') INTO found FROM notes;
    PERFORM set_config('role', 'authenticated', true);
    RETURN found; END $$;
CREATE TABLE nothing (n int);
"""
ATTACKS = [
    "SELECT set_config('role', 'none', true), body FROM notes",
    "SELECT all_notes()",
    "SELECT public.all_notes()",
    'SELECT "all_notes"() FROM notes',
    "SELECT (SELECT all_notes())",
    "RESET ROLE",
    "SET ROLE NONE",
    "SET LOCAL request.jwt.claims = ''",
    "DO $$ BEGIN RESET ROLE; END $$",
    "SELECT body FROM notes; RESET ROLE; SELECT body FROM notes",
    "EXPLAIN ANALYZE SELECT * FROM notes",
    "SHOW ALL",
]


@pytest.fixture(scope="module")
def database(postgres_server):
    config = postgres_server.fresh()
    with contextlib.suppress(Exception):
        postgres_server.execute("CREATE ROLE authenticated")
    rows = "".join(
        f"INSERT INTO notes VALUES ({n}, '{sub}', '{body}');" for n, (body, sub) in enumerate(TENANTS.items())
    )
    postgres_server.execute(TABLES + rows, config["database"])
    postgres_server.execute(
        f"GRANT authenticated TO {config['user']}; ALTER TABLE notes OWNER TO {config['user']}", config["database"]
    )
    yield {"provider": "postgres", "name": "app", "config": config | {"rls": True}}
    postgres_server.drop(config)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(
        data_dir=tmp_path_factory.mktemp("rls"), supabase_jwt_secret=JWT_SECRET, private_hosts=True, pool_size=1
    )


@pytest.fixture(scope="module")
def client(settings, database):
    app = create_app(settings)
    made = app.test_client()
    for sub in TENANTS.values():
        answer = made.post("/api/connections", json=database, headers=bearer(settings, sub))
        assert answer.status_code == 201, answer.text
    yield made
    app.extensions["sqlchat"].close()


def bearer(settings, sub):
    return {"Authorization": f"Bearer {mint_token(settings, f'{sub}@example.com', sub)}"}


def execute(client, sql, headers):
    return client.post("/api/execute", json={"connection_id": "app", "sql": sql}, headers=headers)


@pytest.mark.parametrize("body", TENANTS)
def test_each_sees_their_own_rows(client, settings, body):
    me = bearer(settings, TENANTS[body])
    assert execute(client, "SELECT body FROM notes", me).get_json()["results"]["rows"] == [[body]]
    asked = {"connection_id": "app", "prompt": "How many notes are there?", "provider": "offline"}
    assert client.post("/api/chat", json=asked, headers=me).get_json()["results"]["rows"] == [[1]]


@pytest.mark.parametrize("sql", ATTACKS)
def test_no_sql_gets_at_another_s(client, settings, sql):
    answer = execute(client, sql, bearer(settings, TENANTS["of ann"]))
    assert answer.status_code == 400
    assert "of bob" not in answer.text


def test_the_schema_is_the_role_s(client, settings):
    found = client.get("/api/connections/app/schema", headers=bearer(settings, TENANTS["of ann"])).get_json()
    assert [(table["name"], table["row_estimate"]) for table in found["tables"]] == [("notes", None)]


def test_a_changed_connection_goes_on_by_row_level_security(client, settings, database):
    for body, sub in TENANTS.items():
        me = bearer(settings, sub)
        changed = client.patch("/api/connections/app", json={"config": database["config"]}, headers=me)
        assert changed.status_code == 200, changed.text
        assert execute(client, "SELECT body FROM notes", me).get_json()["results"]["rows"] == [[body]]


def test_who_signs_the_claims_decides_not_the_caller(client, settings):
    """A token with another's id but signed by someone else is no token."""
    forged = jwt.encode(
        {"sub": TENANTS["of bob"], "aud": "authenticated", "role": "authenticated", "iat": 1, "exp": 9999999999},
        "someone else's secret, of some length",
        "HS256",
    )
    assert execute(client, "SELECT 1", {"Authorization": f"Bearer {forged}"}).status_code == 401


@pytest.fixture(scope="module", params=["local", "opened"])
def shared_owner(request, tmp_path_factory, database):
    """A client of an application in which callers with and without a token share connections, and its settings."""
    auth = {} if request.param == "local" else {"supabase_jwt_secret": JWT_SECRET, "open_data_routes": True}
    settings = Settings(data_dir=tmp_path_factory.mktemp("shared"), private_hosts=True, pool_size=1, **auth)
    app = create_app(settings)
    client = app.test_client()
    assert client.post("/api/connections", json=database).status_code == 201
    yield client, settings
    app.extensions["sqlchat"].close()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/execute", {"connection_id": "app", "sql": "SELECT body FROM notes"}),
        ("POST", "/api/chat", {"connection_id": "app", "prompt": "How many notes are there?"}),
        ("POST", "/api/lineage", {"connection_id": "app", "sql": "SELECT * FROM notes"}),
        ("GET", "/api/connections/app/schema", None),
        ("GET", "/api/connections/app/examples", None),
        ("POST", "/api/connections/app/examples", {"question": "My notes?", "sql": "SELECT body FROM notes"}),
        ("GET", "/api/connections/app/schema?profile=true", None),
        ("POST", "/api/connections/app/refresh", None),
    ],
)
def test_callers_without_a_token_are_refused(shared_owner, method, path, body):
    answer = shared_owner[0].open(path, method=method, json=body)
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (401, "unauthorized")
    assert "notes" not in answer.text


def test_the_connection_itself_can_be_looked_after_without_one(shared_owner):
    shown = shared_owner[0].get("/api/connections/app").get_json()
    assert shown["status"]["state"] == "ready"


def test_an_example_is_planned_as_its_caller(client, settings):
    """`nothing` is there, and the caller's role may not read it."""
    me = bearer(settings, TENANTS["of ann"])
    told = {"question": "My notes?", "sql": "SELECT body FROM notes"}
    made = client.post("/api/connections/app/examples", json=told, headers=me)
    assert made.status_code == 201, made.text
    assert client.get("/api/connections/app/examples", headers=me).get_json()["examples"] == [made.get_json()]
    denied = {"question": "Nothing?", "sql": "SELECT n FROM nothing"}
    assert client.post("/api/connections/app/examples", json=denied, headers=me).status_code == 400
    for sql in ("EXPLAIN SELECT body FROM notes", "SELECT all_notes()"):
        answer = client.post("/api/connections/app/examples", json=told | {"sql": sql}, headers=me)
        assert answer.status_code == 400
        assert "of bob" not in answer.text
    other = bearer(settings, TENANTS["of bob"])
    assert client.get("/api/connections/app/examples", headers=other).get_json()["examples"] == []


def test_callers_of_one_service_are_told_apart_by_their_tokens(shared_owner):
    client, settings = shared_owner
    for body, sub in TENANTS.items():
        answer = execute(client, "SELECT body FROM notes", bearer(settings, sub))
        if settings.auth_configured:  # users of a project have connections of their own, and this is nobody's
            assert answer.status_code == 404
        else:
            assert answer.get_json()["results"]["rows"] == [[body]]


def test_a_config_that_asks_for_an_unknown_role_is_refused(client, settings, database):
    config = database["config"] | {"rls_role": "nobody_here"}
    answer = client.post(
        "/api/connections",
        json=database | {"name": "other", "config": config},
        headers=bearer(settings, TENANTS["of ann"]),
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "connection_failed")
    assert "rls_role" in answer.get_json()["detail"] or "does not exist" in answer.get_json()["detail"]
