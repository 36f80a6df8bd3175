"""No function off the list ever runs on Postgres, in whatever notation it is named.

Each function of the test's database says `ran:` in a warning, which outlives errors and ROLLBACK: the oracle.
`SQLCHAT_FUZZ_EXAMPLES=50000` lets the fuzz run for minutes.
"""

import contextlib
import os
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
from call_grammar import statements
from hypothesis import HealthCheck, Phase, given, settings

from sqlchat.errors import BadRequestError, SQLRefusedError
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.guard import check

CORPUS = Path(__file__).parent / "corpus"
HONEST = (CORPUS / "calls.honest.sql").read_text().strip().split("\n")
FUZZ = settings(
    max_examples=int(os.environ.get("SQLCHAT_FUZZ_EXAMPLES", "500")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
ATTACKS = [
    "SELECT ('PG_VERSION'::text).pg_read_file",
    "SELECT ('.'::text).pg_ls_dir",
    "SELECT ('x'::name).pg_create_physical_replication_slot",
    "SELECT ('select 1'::text).ts_stat",
    "SELECT (2::float8).pg_sleep",
    "SELECT (1::bigint).pg_advisory_lock",
    "SELECT (pg_backend_pid()).pg_terminate_backend",
    "SELECT ('request.jwt.claims'::text).current_setting",
    "SELECT (0::oid).lo_create",
    "SELECT ('x'::text).query_to_xml",
    "SELECT s.pg_sleep FROM (SELECT 1 AS a) s",
    "SELECT o.id.fn FROM orders o",
    "SELECT o.fn.fn FROM orders o",
    "SELECT (o).id.fn FROM orders o",
    "SELECT o.fn[1] FROM orders o",
    "SELECT (ARRAY[o.id])[1].fn FROM orders o",
    "SELECT ((o).fn).fn FROM orders o",
    "SELECT x.fn FROM (SELECT 1 AS fn) y, orders x",
    "SELECT (SELECT o.fn FROM (SELECT 1 AS fn) y) FROM orders o",
    "WITH o AS (SELECT 1 AS fn) SELECT o.fn FROM public.orders AS o",
    "SELECT a.fn FROM seen AS a",
    "SELECT c.full_name FROM customers c",
    "SELECT c.full_name FROM customers c, (SELECT name AS full_name FROM customers) x",
    "SELECT g.fn FROM generate_series(1, 2) AS g",
    "SELECT NOT materialized(1)",
    "SELECT 1, is(1)",
    "SELECT is(1)",
    "SELECT join(1)",
    "SELECT now() AT TIME ZONE escape(1)",
    "SELECT NOT ilike(1)",
    "SELECT operator(-1)",
    "SELECT operator(+ 1)",
    "WITH pg_catalog AS (SELECT 1 AS a) SELECT operator(pg_catalog.a) FROM pg_catalog",
    "SELECT (ARRAY[1])[1:timetz(1)]",
    "SELECT cube(1), 1 FROM orders GROUP BY id",
    "SELECT 1 FROM orders GROUP BY id, (cube(id))",
    "SELECT 1 FROM orders GROUP BY id ORDER BY cube(1)",
    "SELECT * FROM orders o, escape(o.id)",
    "SELECT * FROM orders, by(1)",
    "SELECT sqrt('x'::text)",
    "SELECT substring(1)",
    "SELECT ('x').held",
]


@pytest.fixture(scope="module")
def called(postgres_server, connect_catalog):
    """A connection as the owner, which reads only, and the catalog."""
    config = postgres_server.fresh()
    dsn = {"dbname": config["database"]} | {k: v for k, v in config.items() if k != "database"}
    with contextlib.closing(psycopg2.connect(**dsn)) as raw:
        with raw, raw.cursor() as cursor:
            cursor.execute((CORPUS / "calls.setup.sql").read_text())
        raw.set_session(readonly=True)
        yield raw, connect_catalog(config)
    postgres_server.drop(config)


def passes(sql, catalog):
    part = catalog.mentioned_in(sql)
    try:
        return check(sql, "postgres", part.functions, part)
    except BadRequestError:
        return None


def ran(raw, sql):
    """The functions that ran, and the database's error."""
    raw.notices.clear()
    failed = None
    try:
        with raw.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '2s'")
            cursor.execute(sql)
    except psycopg2.Error as exc:
        failed = exc
    finally:
        raw.rollback()
    return [notice for notice in raw.notices if "ran:" in notice], failed


def test_honest_queries_that_look_like_calls_pass_and_run(called, subtests):
    raw, catalog = called
    for sql in HONEST:
        with subtests.test(ascii(sql)):
            assert passes(sql, catalog)
            assert ran(raw, sql) == ([], None)


def test_calls_in_any_notation_are_refused(called, subtests):
    _, catalog = called
    for sql in ATTACKS:
        with subtests.test(ascii(sql)):
            part = catalog.mentioned_in(sql)
            for known in (part, None):
                with pytest.raises(BadRequestError):
                    check(sql, "postgres", part.functions, known)


@FUZZ
@given(sql=statements())
def test_no_function_off_the_list_runs(called, sql):
    raw, catalog = called
    if passes(sql, catalog):
        assert ran(raw, sql)[0] == []


def test_the_grammar_makes_statements_that_run_functions_where_no_guard_is(called):
    raw, _ = called
    found = []

    @settings(FUZZ, max_examples=150)
    @given(sql=statements())
    def count(sql):
        found.append(bool(ran(raw, sql)[0]))

    count()
    assert sum(found) > len(found) / 4


def test_a_column_that_is_not_known_is_told_as_such(called):
    _, catalog = called
    sql = "SELECT c.nmae FROM customers c"
    with pytest.raises(SQLRefusedError) as caught:
        check(sql, "postgres", catalog.functions, catalog.mentioned_in(sql))
    assert caught.value.facts == {"unknown_names": ["nmae"]}
    assert caught.value.detail.startswith("There is no column 'nmae' here")


def test_without_the_lists_of_the_database_only_certain_columns_pass():
    catalog = Catalog((Table("orders", (Column("id", "int"),)),), dialect="postgres")
    assert check("SELECT o.id, s.fn FROM orders o, (SELECT 1 AS fn) s", "postgres", None, catalog)
    for sql in ("SELECT o.fn FROM orders o", "SELECT (o).id FROM orders o", "SELECT x.id FROM unheard_of x"):
        with pytest.raises(SQLRefusedError):
            check(sql, "postgres", None, catalog)
    with pytest.raises(SQLRefusedError):
        check("SELECT o.id FROM orders o", "postgres")


def test_what_the_database_defines_itself_is_told(called):
    _, catalog = called
    assert {"sqrt", "round", "substring"} <= catalog.own.functions
    assert "held" in catalog.own.types
    assert {"sqrt", "substring"}.isdisjoint(catalog.functions)
    assert {"pg_catalog.sqrt", "round"} <= catalog.functions


def test_a_name_of_the_grammar_that_the_database_defines_is_a_call(called):
    _, catalog = called
    sql = "SELECT json_value('{}', '$')"
    assert check(sql, "postgres", frozenset(), catalog)
    own = replace(catalog.own, functions=frozenset({"json_value"}))
    with pytest.raises(SQLRefusedError, match="a function of its own"):
        check(sql, "postgres", frozenset(), replace(catalog, own=own))
