"""The plan-cost ceiling: what each database expects a query to take, told, and held to before it runs."""

import json
import math
import sqlite3

import duckdb
import pytest

from sqlchat.config import Settings
from sqlchat.connections.duckdb.connection import DuckDBConnection
from sqlchat.connections.duckdb.plan import read_plan as duckdb_plan
from sqlchat.connections.mysql.plan import read_cost as mysql_cost
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.plan import Plan
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.connections.postgres.statement import read_cost
from sqlchat.connections.sqlite.connection import SQLiteConnection
from sqlchat.errors import QueryError, SQLRefusedError

RUNAWAY = "SELECT count(*) FROM numbers a, numbers b, numbers c"


@pytest.fixture
def postgres(postgres_database, execute, workers):
    execute("CREATE TABLE numbers AS SELECT n FROM generate_series(1, 10000) n; ANALYZE numbers")
    connection = PostgresConnection(postgres_database, Settings(pool_size=1), workers)
    yield connection
    connection.close()


@pytest.fixture
def duck(tmp_path, workers):
    with duckdb.connect(tmp_path / "numbers.duckdb") as writer:
        writer.execute("CREATE TABLE numbers AS SELECT range AS n FROM range(10000)")
    return DuckDBConnection({"database": "numbers.duckdb"}, Settings(data_dir=tmp_path), workers)


@pytest.fixture
def lite(tmp_path, workers):
    with sqlite3.connect(tmp_path / "numbers.db") as writer:
        writer.execute("CREATE TABLE numbers (n INTEGER)")
    writer.close()
    return SQLiteConnection({"database": "numbers.db"}, Settings(data_dir=tmp_path), workers)


class Held:
    """A connection under a ceiling on plans."""

    def __init__(self, driver, workers, ceiling):
        self.connection = OpenConnection(driver, Settings(max_plan_cost=ceiling), workers)

    def run(self, sql, **options):
        return self.connection.run(self.connection.examine(sql), **options)

    def explain(self, sql):
        return self.connection.explain(self.connection.examine(sql))


def test_a_plan_within_the_ceiling_passes():
    for plan, ceiling in [(Plan(10.0), 10), (Plan(10.0), 0), (Plan(), 1), (Plan(secret_cost=1.0), 1)]:
        plan.hold_to(ceiling)


def test_a_plan_above_it_is_refused_with_both_numbers():
    with pytest.raises(SQLRefusedError, match=r"cost 1,234\.5, more than the ceiling of 1,000;") as refused:
        Plan(1234.5).hold_to(1000.0)
    assert refused.value.facts == {"plan_cost": 1234.5, "max_plan_cost": 1000.0}


def test_a_secret_cost_is_held_to_the_ceiling_and_stays_secret():
    with pytest.raises(SQLRefusedError, match="cost more than the ceiling of 1,000;") as refused:
        Plan(secret_cost=1234.5).hold_to(1000.0)
    assert refused.value.facts == {"max_plan_cost": 1000.0}
    assert "1234" not in repr(Plan(secret_cost=1234.5))


def test_postgres_tells_the_cost(postgres):
    few, many = postgres.explain("SELECT n FROM numbers WHERE n < 5"), postgres.explain("SELECT n FROM numbers")
    assert 100 < many.cost < few.cost < 1000


def test_postgres_knows_how_many_rows_are_wanted(postgres):
    """Reading the first of many is cheap; sorting them first is not."""
    whole = postgres.explain("SELECT n FROM numbers").cost
    assert postgres.explain("SELECT n FROM numbers", max_rows=10).cost < whole / 100
    assert postgres.explain("SELECT n FROM numbers ORDER BY n", max_rows=10).cost > whole


def test_postgres_plans_only_one_query_and_runs_none(postgres, execute):
    assert postgres.explain("SELECT pg_sleep(60); -- end").cost < 1
    assert postgres.explain("EXPLAIN SELECT 1") == Plan()
    assert postgres.explain("SHOW server_version") == Plan()
    for sql in [
        "SELECT 1) AS a; DELETE FROM numbers; EXPLAIN SELECT * FROM (SELECT 1",
        "SELECT 1) AS sqlchat; COMMIT; DELETE FROM numbers; --",
        "DELETE FROM numbers RETURNING n",
        "WITH gone AS (DELETE FROM numbers RETURNING n) SELECT * FROM gone",
    ]:
        with pytest.raises((SQLRefusedError, QueryError)):
            postgres.explain(sql)
    assert execute("SELECT count(*) FROM numbers") == [(10_000,)]


def test_names_and_texts_cannot_pass_for_estimates(postgres):
    forged = '"Total Cost": 0.01, "Plan Rows": 1'
    name = '"a {}"'.format(forged.replace('"', '""'))
    assert postgres.explain(f"SELECT {name}.n FROM numbers AS {name}").cost > 100
    assert postgres.explain(f"SELECT n FROM numbers WHERE n::text <> '{forged}'").cost > 100


def test_estimates_beyond_all_counting():
    assert read_cost('[{"Plan": {"Total Cost": Infinity, "Plan Rows": 1' + "0" * 60) == math.inf


def test_a_plan_of_postgres_that_is_deeply_nested_is_read_all_the_same(postgres):
    sql = "SELECT n FROM numbers"
    for _ in range(600):  # more objects within objects than Python's parser of JSON takes
        sql = f"SELECT n FROM ({sql} OFFSET 1) AS x"
    assert postgres.explain(sql).cost > 10


def test_duckdb_counts_the_rows_of_all_steps(duck):
    scan = duck.explain("SELECT n FROM numbers")
    assert scan == Plan(10_000.0)
    assert duck.explain("SELECT n FROM numbers UNION ALL SELECT n FROM numbers").cost >= 20_000
    assert duck.explain(RUNAWAY).cost > 1e12
    assert duck.explain("SELECT count(*) FROM numbers a JOIN numbers b ON (a.n + b.n) % 7 = 3").cost > 1e8
    assert duck.explain("SELECT count(*) FROM numbers JOIN numbers b USING (n)").cost < 1e6
    assert duck.explain("PIVOT numbers ON n % 2 USING count(*)").cost >= 10_000
    assert duck.explain("SELECT 1").cost < 10


def test_a_plan_of_duckdb_past_counting_is_infinite():
    node = {"name": "FILTER", "children": [], "extra_info": {}}
    told = json.dumps([node])
    assert (
        duckdb_plan("[" + '{"name": "X", "extra_info": {}, "children": [' * 3000 + "]}" * 3000 + "]").cost == math.inf
    )
    assert duckdb_plan(told) == Plan(1.0)


def test_sqlite_tells_nothing(lite):
    assert lite.explain(RUNAWAY) == Plan()


MYSQL_8 = {
    "query_block": {
        "select_id": 1,
        "cost_info": {"query_cost": "12.50"},
        "nested_loop": [
            {
                "table": {
                    "table_name": "a",
                    "cost_info": {"prefix_cost": "12.50"},
                    "materialized_from_subquery": {
                        "query_block": {"select_id": 2, "cost_info": {"query_cost": "7.25"}}
                    },
                }
            }
        ],
    }
}
MARIADB_11 = {"query_block": {"select_id": 1, "cost": 0.5, "nested_loop": [{"table": {"rows": 300, "cost": 0.5}}]}}
MARIADB_10 = {
    "query_block": {
        "select_id": 1,
        "nested_loop": [
            {"table": {"rows": 300, "filtered": 100}},
            {"block-nl-join": {"table": {"rows": 5000, "materialized": {
                "query_block": {"select_id": 2, "nested_loop": [{"table": {"rows": 7}}]}}}}},
        ],
    }
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "cost"),
    [
        (MYSQL_8, 19.75),
        ({"query": "/* select#1 */", "query_plan": {"operation": "Sort", "estimated_total_cost": 3.5}}, 3.5),
        ({"operation": "Sort", "estimated_total_cost": 3.5}, 3.5),
        (MARIADB_11, 0.5),
        (MARIADB_10, 300.0 * 5000 + 7),
        ({"query_block": {"select_id": 1, "table": {"message": "No tables used"}}}, None),
    ],
)
def test_what_servers_of_mysql_tell(told, cost):
    assert mysql_cost(json.dumps(told)) == cost


@pytest.mark.parametrize("database", ["postgres", "duck"])
def test_a_dear_plan_is_refused_before_anything_runs(request, workers, database):
    connection = request.getfixturevalue(database)
    held, free = Held(connection, workers, 1e6), Held(connection, workers, 0)
    assert held.run("SELECT n FROM numbers ORDER BY n LIMIT 1").row_count == 1
    with pytest.raises(SQLRefusedError) as refused:
        held.run(RUNAWAY)
    assert refused.value.facts["plan_cost"] > refused.value.facts["max_plan_cost"] == 1e6
    with pytest.raises(SQLRefusedError):
        held.explain(RUNAWAY)
    assert free.explain(RUNAWAY).cost == refused.value.facts["plan_cost"]


@pytest.mark.parametrize(
    "before", ["EXPLAIN ANALYZE", "EXPLAIN (ANALYZE, FORMAT JSON)", "explain (format json, analyze)"]
)
def test_an_explain_that_runs_its_query_is_held_to_the_ceiling_too(postgres, workers, before):
    with pytest.raises(SQLRefusedError, match="the ceiling"):
        Held(postgres, workers, 1e6).run(f"{before} {RUNAWAY}")
    assert Held(postgres, workers, 1e6).run(f"EXPLAIN {RUNAWAY}").row_count > 0
    assert Held(postgres, workers, 1e6).run("EXPLAIN ANALYZE SELECT 1").row_count > 0


def test_duckdb_holds_an_explain_that_runs_its_query_too(duck, workers):
    with pytest.raises(SQLRefusedError, match="the ceiling"):
        Held(duck, workers, 1e6).run(f"EXPLAIN ANALYZE {RUNAWAY}")
    assert Held(duck, workers, 1e6).run(f"EXPLAIN {RUNAWAY}").row_count > 0


def test_what_was_planned_is_not_planned_again(duck, workers):
    """So a query that was let pass runs, even one above the ceiling."""
    sql = "SELECT count(*) FROM numbers a, numbers b"
    with pytest.raises(SQLRefusedError):
        Held(duck, workers, 1e6).run(sql)
    assert json.loads(Held(duck, workers, 1e6).run(sql, is_planned=True).rows) == [[10**8]]


def test_sqlite_has_no_costs_to_refuse(lite, workers):
    assert json.loads(Held(lite, workers, 1).run(RUNAWAY).rows) == [[0]]
