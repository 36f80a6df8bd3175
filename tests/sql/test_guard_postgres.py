"""What the guard lets through, on a real Postgres that would let an owner do anything."""

import contextlib
from pathlib import Path

import psycopg2
import pytest

from sqlchat.errors import BadRequestError
from sqlchat.sql.guard import check

CORPUS = Path(__file__).parent / "corpus"
HONEST = (CORPUS / "postgres.honest.sql").read_text().strip("\n").split("\n\n")
ATTACKS = (CORPUS / "postgres.attacks.sql").read_text().strip("\n").split("\n\n")


@pytest.fixture(scope="module")
def shop(postgres_server):
    """A connection of the database's owner, who may write; the guard is all that stands before it."""
    config = postgres_server.fresh()
    with contextlib.closing(
        psycopg2.connect(
            host=config["host"],
            port=config["port"],
            dbname=config["database"],
            user=config["user"],
            password=config["password"],
        )
    ) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute((CORPUS / "postgres.setup.sql").read_text())
        yield connection
    postgres_server.drop(config)


@pytest.fixture(scope="module")
def functions(postgres_catalog):
    """What the database's catalog lets SQL call."""
    return postgres_catalog.functions


@pytest.fixture(scope="module")
def all_functions(shop):
    with shop, shop.cursor() as cursor:
        cursor.execute("SELECT DISTINCT lower(proname) FROM pg_proc WHERE 'internal'::regtype <> ALL (proargtypes)")
        return frozenset(name for (name,) in cursor.fetchall())


def run(connection, sql):
    """Run `sql` and say whether the transaction wrote or locked anything; then undo it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '5s'")
            cursor.execute(sql)
            cursor.execute(
                "SELECT pg_current_xact_id_if_assigned() IS NOT NULL, "
                "EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')"
            )
            return cursor.fetchone()
    finally:
        connection.rollback()


def test_honest_queries_pass_run_and_write_nothing(shop, functions, postgres_catalog, subtests):
    for sql in HONEST:
        with subtests.test(ascii(sql)):
            part = postgres_catalog.mentioned_in(sql)
            verdict = check(sql, "postgres", None, part)
            assert check(sql, "postgres", functions, part) == verdict
            assert run(shop, sql) == (False, False)
            if verdict.is_plannable:
                assert run(shop, f"EXPLAIN {sql}") == (False, False)


@pytest.mark.parametrize("allowed", ["functions", "all_functions"])
def test_attacks_are_refused_whatever_functions_the_database_lists(allowed, request, subtests):
    names = request.getfixturevalue(allowed)
    for sql in ATTACKS:
        with subtests.test(ascii(sql)), pytest.raises(BadRequestError):
            check(sql, "postgres", names)


def test_every_function_of_the_server_is_either_refused_or_harmless(shop, functions):
    """No function that passes may write or lock when called with nulls."""
    with shop, shop.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT proname::text, pronargs FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace "
            "AND prokind = 'f' AND proretset = false ORDER BY 1, 2"
        )
        calls = cursor.fetchall()
    wrote = []
    for name, count in calls:
        sql = f"SELECT {name}({', '.join(['NULL'] * count)})"
        with contextlib.suppress(BadRequestError, psycopg2.Error):
            check(sql, "postgres", functions)
            if run(shop, sql) != (False, False):
                wrote.append(sql)
    assert not wrote


@pytest.mark.parametrize(
    ("sql", "is_plain"),
    [
        ("SELECT 1", True),
        ("SELECT id, name AS n, 'a' FROM customers LIMIT 5;", True),
        ("SELECT id FROM customers ORDER BY id", False),
        ("SELECT id FROM customers UNION SELECT id FROM orders", False),
        ("SELECT * FROM customers", True),
        ("SELECT abs(id) FROM orders", False),
        ("SELECT s.id FROM (SELECT 1 AS id) s", False),
        ("SELECT id + 1 FROM orders", False),
        ("SELECT id::text FROM orders", False),
        ("SELECT date '2024-01-01'", False),
        ("SELECT DISTINCT id FROM orders", False),
        ("SELECT id FROM orders WHERE status LIKE 'a'", False),
        ("SELECT id FROM orders NATURAL JOIN customers", False),
        ("SELECT * FROM orders JOIN customers USING (id)", False),
        ("EXPLAIN SELECT 1", False),
    ],
)
def test_a_plain_query_uses_nothing_that_users_define(sql, is_plain):
    assert check(sql, "postgres").is_plain == is_plain
