"""Over HTTP: what the database expects to cost too much is refused, and nothing of it runs."""

import contextlib

import pytest

from sqlchat.app import create_app
from sqlchat.config import Settings
from sqlchat.tokens import mint_token

JWT_SECRET = "only for these tests, and nowhere else in use"
CEILING = 100.0
OWNER = "00000000-0000-0000-0000-000000000001"


@pytest.fixture(scope="module")
def database(postgres_server):
    config = postgres_server.fresh()
    postgres_server.execute(
        "CREATE TABLE stones (id int PRIMARY KEY, weight int); "
        "INSERT INTO stones SELECT n, n % 7 FROM generate_series(1, 20000) n; ANALYZE stones; "
        f"ALTER TABLE stones OWNER TO {config['user']}",
        config["database"],
    )
    yield config
    postgres_server.drop(config)


@pytest.fixture(scope="module")
def client(database, tmp_path_factory):
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("ceiling"), max_plan_cost=CEILING, pool_size=1))
    client = app.test_client()
    made = {"provider": "postgres", "name": "quarry", "config": database}
    assert client.post("/api/connections", json=made).status_code == 201
    yield client
    app.extensions["sqlchat"].close()


def execute(client, sql, **more):
    return client.post("/api/execute", json={"connection_id": "quarry", "sql": sql}, **more)


def test_a_cheap_query_runs(client):
    assert execute(client, "SELECT weight FROM stones WHERE id = 3").get_json()["results"]["rows"] == [[3]]
    assert len(execute(client, "SELECT id FROM stones").get_json()["results"]["rows"]) == 1000


@pytest.mark.parametrize("sql", ["SELECT sum(weight) FROM stones", "EXPLAIN ANALYZE SELECT sum(weight) FROM stones"])
def test_a_costly_query_is_a_bad_request_with_both_numbers(client, sql):
    answer = execute(client, sql)
    problem = answer.get_json(force=True)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert problem["code"] == "sql_refused"
    assert problem["max_plan_cost"] == CEILING < problem["plan_cost"]
    assert f"{problem['plan_cost']:,.15g}, more than the ceiling of 100" in problem["detail"]


def test_a_question_whose_sql_costs_too_much_is_not_answered(client):
    asked = {"connection_id": "quarry", "prompt": "How many stones are there?", "provider": "offline"}
    answer = client.post("/api/chat", json=asked)
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["code"], problem["fault"]) == (422, "question_not_answerable", "sql_refused")
    assert problem["max_plan_cost"] == CEILING < problem["plan_cost"]
    assert "count" in problem["sql"].lower()


def test_an_example_that_would_never_run_is_none(client):
    example = {"question": "How heavy are all stones?", "sql": "SELECT sum(weight) FROM stones"}
    answer = client.post("/api/connections/quarry/examples", json=example)
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["code"], problem["max_plan_cost"]) == (400, "sql_refused", CEILING)
    assert client.get("/api/connections/quarry/examples").get_json()["examples"] == []


def test_under_row_level_security_the_cost_is_held_to_but_not_told(database, postgres_server, tmp_path):
    """It would tell how many rows of others there are."""
    with contextlib.suppress(Exception):
        postgres_server.execute("CREATE ROLE authenticated")
    postgres_server.execute(f"GRANT authenticated TO {database['user']}")
    postgres_server.execute(
        "ALTER TABLE stones ENABLE ROW LEVEL SECURITY; GRANT SELECT ON stones TO authenticated; "
        "CREATE POLICY few ON stones FOR SELECT TO authenticated USING (weight = 3)",
        database["database"],
    )
    settings = Settings(
        data_dir=tmp_path, supabase_jwt_secret=JWT_SECRET, private_hosts=True, max_plan_cost=CEILING, pool_size=1
    )
    app = create_app(settings)
    client = app.test_client()
    token = {"Authorization": f"Bearer {mint_token(settings, 'ann@example.com', OWNER)}"}
    made = {"provider": "postgres", "name": "quarry", "config": database | {"rls": True}}
    assert client.post("/api/connections", json=made, headers=token).status_code == 201
    assert execute(client, "SELECT weight FROM stones WHERE id = 3", headers=token).status_code == 200
    answer = execute(client, "SELECT sum(weight) FROM stones", headers=token)
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["code"], problem["max_plan_cost"]) == (400, "sql_refused", CEILING)
    assert "plan_cost" not in problem
    assert problem["detail"].startswith("The database expects this query to cost more than the ceiling of 100;")
    app.extensions["sqlchat"].close()
