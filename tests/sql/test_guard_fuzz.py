"""Generated and mutated SQL: refused, or run on a real database without changing anything. Bounded to seconds."""

import contextlib
import sqlite3
from pathlib import Path

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqlchat.errors import BadRequestError
from sqlchat.sql.guard import check

CORPUS = Path(__file__).parent / "corpus"
FAST = settings(
    max_examples=1000,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
WRITES = [
    "DELETE FROM orders",
    "INSERT INTO customers (id, name) VALUES (500, 'x')",
    "UPDATE orders SET total = 0",
    "DROP TABLE order_items",
    "CREATE TABLE evil (a int)",
    "CREATE TEMP TABLE evil2 AS SELECT 1",
    "SELECT * INTO evil3 FROM orders",
    "SELECT id FROM orders FOR UPDATE",
    "TRUNCATE order_items",
    "ATTACH ':memory:' AS evil",
    "PRAGMA user_version = 7",
    "BEGIN",
    "SAVEPOINT a",
    "SET statement_timeout = 0",
    "LOCK TABLE orders",
    "SELECT set_config('statement_timeout', '0', false)",
    "SELECT pg_advisory_lock(1)",
    "SELECT lo_create(0)",
    "SELECT txid_current()",
    "SELECT query_to_xml('DELETE FROM orders', true, true, '')",
    "SELECT load_extension('x')",
]
NOISE = [
    "'", '"', "`", "$$", "$a$", "--", "/*", "*/", "\n", ";", "(", ")", ",", ".", "\\", "E'", "\\'", "''", "[", "]",
    "::", " AS ", " INTO ", " FOR UPDATE", " RETURNING *", "{#", "#}", "\u00a0", "\r", "@", ":", "$1", "#", "U&'",
    "x'", "/*!", "/*+ x */", "-- \n", "WITH a AS (", "SELECT ", " UNION ", " OPERATOR(", "0x", "1e", "é",
]  # fmt: skip
WRAPPERS = [
    "SELECT * FROM ({}) AS x",
    "WITH w AS ({}) SELECT * FROM w",
    "SELECT ({})",
    "SELECT 1 WHERE EXISTS ({})",
    "({})",
    "EXPLAIN {}",
    "EXPLAIN ANALYZE {}",
    "{} UNION ALL SELECT 1",
    "SELECT 1; {}",
    "{};",
    "-- c\n{}",
    "/* {} */ SELECT 1",
    "SELECT '{}'",
    "SELECT $${}$$",
    'SELECT 1 AS "{}"',
    "WITH a AS (SELECT 1) {}",
    "{} -- '",
]


def texts(dialect):
    honest = (CORPUS / f"{dialect}.honest.sql").read_text().strip("\n").split("\n\n")
    honest = [statement for statement in honest if len(statement) < 400]
    attacks = (CORPUS / f"{dialect}.attacks.sql").read_text().strip("\n").split("\n\n")
    whole = st.one_of(st.sampled_from(honest), st.sampled_from(attacks + WRITES))

    @st.composite
    def mutated(draw):
        text = draw(whole)
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(text)))
            match draw(st.integers(0, 4)):
                case 0:
                    text = text[:at] + draw(st.sampled_from(NOISE)) + text[at:]
                case 1:
                    text = draw(st.sampled_from(WRAPPERS)).replace("{}", text)
                case 2:
                    other = draw(whole)
                    text = text[:at] + " " + other[draw(st.integers(0, len(other))) :]
                case 3:
                    text = text[:at] + text[at + draw(st.integers(1, 12)) :]
                case 4:
                    text = text[:at] + f" ({draw(st.sampled_from(WRITES))} RETURNING 1) " + text[at:]
        return text

    return mutated()


def passes(sql, dialect, catalog=None):
    try:
        check(sql, dialect, None, catalog and catalog.mentioned_in(sql))
    except BadRequestError:
        return False
    return True


@pytest.fixture(scope="module")
def sqlite_shop():
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript((CORPUS / "sqlite.setup.sql").read_text())
        sqlite_state(connection)  # the first look at the temporary schema opens it
        yield connection


@pytest.fixture(scope="module")
def postgres_shop(postgres_server):
    """The owner's own connection, with nothing but the guard before it."""
    config = postgres_server.fresh()
    dsn = {"dbname": config["database"]} | {k: v for k, v in config.items() if k != "database"}
    with contextlib.closing(psycopg2.connect(**dsn)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute((CORPUS / "postgres.setup.sql").read_text())
            cursor.execute("SET statement_timeout = '300ms'")
        yield connection
    postgres_server.drop(config)


@FAST
@given(sql=texts("sqlite"))
def test_on_sqlite_refused_or_changes_nothing(sqlite_shop, sql):
    if not passes(sql, "sqlite"):
        return
    steps = iter(range(200))
    sqlite_shop.set_progress_handler(lambda: next(steps, None) is None, 10_000)
    before = sqlite_state(sqlite_shop)
    with contextlib.suppress(sqlite3.Error, sqlite3.Warning):
        sqlite_shop.execute(sql).fetchmany(50)
    sqlite_shop.set_progress_handler(None, 0)
    assert sqlite_state(sqlite_shop) == before


def sqlite_state(connection):
    return (
        connection.total_changes,
        connection.in_transaction,
        connection.execute("PRAGMA database_list").fetchall(),
        connection.execute("PRAGMA user_version").fetchall(),
        connection.execute("SELECT * FROM sqlite_master").fetchall(),
        connection.execute("SELECT * FROM sqlite_temp_master").fetchall(),
    )


@FAST
@given(sql=texts("postgres"))
def test_on_postgres_refused_or_changes_nothing(postgres_shop, postgres_catalog, sql):
    if not passes(sql, "postgres", postgres_catalog):
        return
    try:
        # An error is also that a busy machine took more than 300 ms.
        with postgres_shop.cursor() as cursor, contextlib.suppress(psycopg2.Error):
            cursor.execute("SELECT 1")
            cursor.execute(sql)
            assert postgres_state(cursor) == (None, "300ms", 0)
    finally:
        postgres_shop.rollback()


def postgres_state(cursor):
    """The transaction has a number once it wrote or locked a row; settings and advisory locks would outlive it."""
    cursor.execute(
        "SELECT pg_current_xact_id_if_assigned(), current_setting('statement_timeout'), "
        "(SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')"
    )
    return cursor.fetchone()


@FAST
@given(sql=texts("duckdb"))
def test_any_duckdb_text_is_judged(sql):
    passes(sql, "duckdb")


@FAST
@given(sql=texts("mysql"))
def test_any_mysql_text_is_judged(sql):
    passes(sql, "mysql")


@FAST
@given(sql=st.text(max_size=60), dialect=st.sampled_from(["postgres", "sqlite", "duckdb", "mysql"]))
def test_any_text_at_all_is_judged(sql, dialect):
    passes(sql, dialect)
