"""Over HTTP: a connection to Spark, by Sail, does what those to other databases do."""

import sqlite3
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sqlchat.app import create_app
from sqlchat.config import Settings

POLICY = {"deny_tables": ["salaries"], "deny_columns": ["people.email"]}
SECRET = "tell-nobody@x.org"


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A folder with orders in Parquet and customers in CSV."""
    folder = tmp_path_factory.mktemp("lake")
    (folder / "orders").mkdir()
    count = 60
    table = {
        "id": pa.array(range(1, count + 1)),
        "customer_id": pa.array([1 + number % 3 for number in range(count)]),
        "amount": pa.array([Decimal(100 * (number + 1)) for number in range(count)], pa.decimal128(12, 2)),
        "ordered_at": pa.array([f"2024-{1 + number % 12:02}-15" for number in range(count)]).cast(pa.date32()),
        "status": pa.array(["paid" if number % 4 else "open" for number in range(count)]),
    }
    pq.write_table(pa.table(table), folder / "orders/part-1.parquet")
    (folder / "customers.csv").write_text("id,name,country\n1,Ann,Chile\n2,Bob,Peru\n3,Cem,Chile\n")
    return folder


@pytest.fixture(scope="module")
def config(lake, sail):
    tables = {"orders": f"{lake}/orders/", "customers": {"path": f"{lake}/customers.csv", "format": "csv"}}
    return {"url": f"sc://127.0.0.1:{sail.port}/;user_id=ann", "tables": tables}


@pytest.fixture(scope="module")
def settings(tmp_path_factory, lake):
    return Settings(data_dir=tmp_path_factory.mktemp("spark"), spark_paths=(str(lake),), max_rows=100)


@pytest.fixture(scope="module")
def client(settings, config):
    app = create_app(settings)
    client = app.test_client()
    made = client.post("/api/connections", json={"provider": "spark", "name": "lake", "config": config})
    assert (made.status_code, made.get_json()["provider"]) == (201, "spark")
    yield client
    app.extensions["sqlchat"].close()


@pytest.fixture(scope="module")
def house(client, sail):
    """The name of a connection under a policy, to a session that has tables and views."""
    session = sail.open(user="house")
    for sql in (
        "CREATE TABLE people AS SELECT 1 AS id, 'Ann' AS name, 'tell-nobody@x.org' AS email",
        "CREATE TABLE salaries AS SELECT 1 AS person_id, 1000 AS amount",
        "CREATE VIEW names AS SELECT id, name FROM people",
        "CREATE VIEW mails AS SELECT email FROM people",
        "CREATE VIEW everything AS SELECT * FROM people",
        "CREATE VIEW paid AS SELECT person_id FROM salaries",
        "CREATE VIEW paid_again AS SELECT * FROM paid",
        "CREATE DATABASE other",
        "CREATE TABLE other.salaries AS SELECT 2 AS person_id, 7 AS amount",
    ):
        session.command(sql)
    config = sail.config | {"user": "house", "session_id": session.id}
    made = {"provider": "spark", "name": "house", "config": config, "policy": POLICY}
    assert client.post("/api/connections", json=made).status_code == 201
    yield "house"
    session.close()


def execute(client, sql, connection="lake", **more):
    return client.post("/api/execute", json={"connection_id": connection, "sql": sql} | more)


def ask(client, question, **more):
    asked = {"connection_id": "lake", "prompt": question, "provider": "offline"} | more
    return client.post("/api/chat", json=asked)


def test_it_is_described_as_others_are(client):
    described = client.get("/api/connections/lake").get_json()
    assert (described["provider"], described["dialect"], described["status"]) == (
        "SparkConnection", "spark", {"state": "ready", "warnings": []},
    )  # fmt: skip
    assert "spark" in client.get("/api/openapi.json").text


def test_sql_runs(client):
    answer = execute(client, "SELECT status, count(*) AS n, sum(amount) FROM orders GROUP BY 1 ORDER BY 1")
    assert answer.get_json()["results"]["rows"] == [["open", 15, 43500.0], ["paid", 45, 139500.0]]
    assert execute(client, "SELECT id FROM orders", max_rows=7).get_json()["results"]["row_count"] == 7


@pytest.mark.parametrize(
    "sql",
    [
        "SHOW TABLES",
        "SHOW TABLES IN default LIKE '*'",
        "DESCRIBE TABLE orders",
        "EXPLAIN SELECT id FROM orders",
        "EXPLAIN EXTENDED SELECT id FROM orders",
        "VALUES (1, 'a')",
        "SELECT o.id FROM orders o LEFT SEMI JOIN customers c ON c.id = o.customer_id",
    ],
)
def test_other_reading_statements_run(client, sql):
    answer = execute(client, sql)
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["results"]["rows"]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DROP TABLE orders", "sql_refused"),
        ("SELECT reflect('java.lang.System', 'getenv', 'HOME')", "sql_refused"),
        ("SELECT TRANSFORM(id) USING 'cat' FROM orders", "sql_refused"),
        ("SELECT * FROM text.`/etc/passwd`", "sql_refused"),
        ("SELECT * FROM passwords", "sql_failed"),
        ("SELECT nope FROM orders", "sql_failed"),
        ("SELECT 1 FROM", "sql_syntax"),
        ("SELECT my_own(id) FROM orders", "sql_refused"),
    ],
)
def test_what_is_refused_is_a_problem_with_a_code(client, sql, code):
    answer = execute(client, sql)
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (400, code)


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("How many orders are there?", [[60]]),
        ("How many orders are open?", [[15]]),
        ("How many customers are in Chile?", [[2]]),
        ("Total amount of orders by status", [["open", 43500.0], ["paid", 139500.0]]),
        ("How many orders were there in March 2024?", [[5]]),
    ],
)
def test_questions_are_answered_without_a_model(client, question, rows):
    answer = ask(client, question)
    assert answer.status_code == 200, answer.get_json(force=True)
    assert sorted(answer.get_json()["results"]["rows"]) == rows


@pytest.mark.parametrize(
    "question",
    ["Total amount of orders per month", "Orders per weekday", "Total amount by year", "Number of orders per quarter",
     "Average amount of orders per week", "Top 3 customers by name", "Orders whose status is not open",
     "Latest 5 orders", "How many orders have no customer?", "Share of orders by status"],
)  # fmt: skip
def test_what_the_built_in_engine_writes_is_spark_s_sql(client, question):
    answer = ask(client, question)
    assert answer.status_code in (200, 422)
    problem = answer.get_json(force=True)
    assert "fault" not in problem, problem


def test_the_schema_tells_tables_columns_and_what_they_hold(client):
    schema = client.get("/api/connections/lake/schema?profile=true").get_json()
    tables = {table["name"]: table for table in schema["tables"]}
    assert set(tables) == {"orders", "customers"}
    columns = {column["name"]: column for column in tables["orders"]["columns"]}
    assert columns["amount"]["type"] == "decimal(12,2)"
    assert columns["status"]["profile"]["values"] == ["paid", "open"]


def test_lineage_reads_its_dialect(client):
    sql = "SELECT `name` FROM lake.sales.customers c LATERAL VIEW explode(c.tags) t AS tag"
    answer = client.post("/api/lineage", json={"sql": sql, "dialect": "spark"}).get_json()
    assert answer["tables_read"] == ["lake.sales.customers"]


def test_a_question_may_be_answered_in_another_dialect(client):
    answer = ask(client, "How many orders are there?", dialect="postgresql").get_json()
    assert answer["results"]["rows"] == [[60]]
    translated = ask(client, "Total amount of orders per month", dialect="databricks", auto_execute=False)
    assert translated.status_code == 200


def test_policies_hold_through_views(client, house):
    names = {table["name"] for table in client.get(f"/api/connections/{house}/schema").get_json()["tables"]}
    assert names == {"people", "names"}
    assert execute(client, "SELECT name FROM names", house).get_json()["results"]["rows"] == [["Ann"]]
    assert execute(client, "SELECT p.name FROM people p", house).get_json()["results"]["rows"] == [["Ann"]]
    for sql in (
        "SELECT email FROM people",
        "SELECT * FROM people",
        "SELECT * FROM mails",
        "SELECT * FROM everything",
        "SELECT * FROM paid",
        "SELECT * FROM paid_again",
        "SELECT amount FROM salaries",
        "SELECT amount FROM default.salaries",
        "SELECT amount FROM sail.default.salaries",
        "SELECT amount FROM other.salaries",
        "SELECT p FROM people p",
        "SELECT struct(p.*) FROM people p",
        "SELECT * FROM people PIVOT (max(email) FOR id IN (1))",
        "DESCRIBE TABLE salaries",
        "SHOW TABLES",
        "TABLE salaries",
    ):
        answer = execute(client, sql, house)
        assert answer.status_code == 400, sql
        assert SECRET not in answer.text
        assert "1000" not in answer.text


def test_a_token_is_kept_encrypted_and_never_told(client, settings, sail):
    config = sail.config | {"token": "a-token-to-keep", "sslmode": "disable", "headers": {"x-cluster": "a-header"}}
    made = client.post("/api/connections", json={"provider": "spark", "name": "secretive", "config": config})
    assert made.status_code == 201
    answers = [made, client.get("/api/connections/secretive"), client.get("/api/connections")]
    assert not any(word in answer.text for answer in answers for word in ("a-token", "a-header"))
    with sqlite3.connect(settings.state_dir / "store.db") as reader:
        kept = "\n".join(reader.iterdump())
    reader.close()
    assert "secretive" in kept
    assert "a-token" not in kept
    assert "a-header" not in kept
    assert client.delete("/api/connections/secretive").status_code == 200


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "host is missing"),
        ({"url": "http://127.0.0.1"}, "url"),
        ({"host": "169.254.169.254"}, "link-local"),
        ({"host": "127.0.0.1", "tables": {"x": "/etc/"}}, "SQLCHAT_SPARK_PATHS"),
    ],
)
def test_a_config_that_does_not_work_is_told(client, given, said):
    answer = client.post("/api/connections", json={"provider": "spark", "name": "bad", "config": given})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (400, "connection_failed")
    assert said in answer.get_json(force=True)["detail"]
