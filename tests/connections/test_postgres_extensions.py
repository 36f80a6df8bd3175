"""Postgres' well-known extensions on a server that has them: what computes runs, what reaches out is refused."""

import contextlib
from pathlib import Path

import orjson
import pytest

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import QueryError, SQLRefusedError
from sqlchat.sql.guard import check
from sqlchat.workers import Workers

CORPUS = Path(__file__).parents[1] / "sql" / "corpus"
EXTENSIONS = (
    "citext", "cube", "dblink", "earthdistance", "fuzzystrmatch", "hstore", "intarray", "isn", "lo", "ltree",
    "pg_trgm", "pgcrypto", "postgis", "seg", "tablefunc", "unaccent", "uuid-ossp", "xml2", "pg_stat_statements",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(extended_postgres):
    """Its database `near` has all extensions in `public`, and `far` in a schema outside the search path."""
    server = extended_postgres
    for name, schema in (("near", "public"), ("far", '"My Ext"')):
        server.create_database(name)
        server.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}", name)
        for extension in EXTENSIONS:
            server.execute(f'SET search_path = {schema}; CREATE EXTENSION "{extension}"', name)
        server.execute(f"GRANT USAGE ON SCHEMA {schema} TO public", name)
    server.execute("CREATE ROLE reader LOGIN PASSWORD 'x'")
    return server


@pytest.fixture(scope="module")
def run(server):
    """Of a database's name: what runs SQL there as a role without rights, and gives the rows."""
    with contextlib.ExitStack() as stack:
        workers = Workers(1, 1024)
        stack.callback(workers.close)
        connections = {}
        for name in ("near", "far"):
            config = {"host": server.host, "port": server.port, "database": name, "user": "reader", "password": "x"}
            connections[name] = PostgresConnection(config, Settings(), workers)
            stack.callback(connections[name].close)

        def run_at(name, sql):
            connection = connections[name]
            part = connection.catalog().mentioned_in(sql)
            check(sql, "postgres", part.functions, part)
            return orjson.loads(connection.run(sql, max_rows=100, timeout=30).rows)

        yield run_at


def read_corpus(name):
    return (CORPUS / f"extensions.{name}.sql").read_text().splitlines()


@pytest.mark.extensions
@pytest.mark.parametrize("sql", read_corpus("honest"))
def test_what_computes_runs(run, sql):
    assert len(run("near", sql)) >= 1


@pytest.mark.extensions
@pytest.mark.parametrize("sql", read_corpus("attacks"))
def test_what_reaches_out_is_refused(run, sql):
    for name, called in (("near", sql), ("near", sql.replace("SELECT ", "SELECT public.", 1)), ("far", sql)):
        with pytest.raises(SQLRefusedError):
            run(name, called)


@pytest.mark.extensions
def test_they_run_by_the_quoted_name_of_a_schema_outside_the_search_path(run):
    names = ("similarity('a', 'a')", "unaccent('e')", "soundex('a')", "nlevel('a')", "cube(1)", "uuid_nil()")
    for called in (
        *names,
        "delete('a=>1', 'a'::text)",
        "st_astext('POINT(1 2)')",
        "st_srid('POINT(1 2)'::\"My Ext\".geometry)",
    ):
        assert run("far", f'SELECT "My Ext".{called}')[0][0] is not None
        with pytest.raises((SQLRefusedError, QueryError)):
            run("far", f"SELECT {called}")
    for left, operator, right in (
        ("'a'", "%", "'a'"),
        ("'a=>1'::\"My Ext\".hstore", "->", "'a'"),
        ("'POINT(1 2)'::\"My Ext\".geometry", "&&", "'POINT(1 2)'::\"My Ext\".geometry"),
        ("'(1)'::\"My Ext\".cube", "<->", "'(1)'::\"My Ext\".cube"),
    ):
        assert run("far", f'SELECT {left} OPERATOR("My Ext".{operator}) {right}')[0][0] is not None
    with pytest.raises(SQLRefusedError):
        run("far", "SELECT * FROM \"My Ext\".crosstab('SELECT 1, 2, 3') AS t(a int, b int)")


def test_distances_between_vectors_run(postgres, execute, postgres_server, postgres_database):
    postgres_server.execute("CREATE EXTENSION vector", postgres_database["database"])
    execute("CREATE TABLE items (id int, v vector(3))")
    execute("INSERT INTO items VALUES (1, '[1,2,3]'), (2, '[3,2,1]')")
    for operator in ("<->", "<#>", "<=>", "<+>"):
        sql = f"SELECT id, v {operator} '[1,2,3]' FROM items ORDER BY v {operator} vector '[1,2,3]', id LIMIT 1"
        part = postgres.catalog().mentioned_in(sql)
        check(sql, "postgres", part.functions, part)
        assert orjson.loads(postgres.run(sql, max_rows=10, timeout=30).rows)[0][0] == 1
    sql = "SELECT cosine_distance(v, '[1,2,3]'), l2_normalize(v), '101'::bit(3) <~> '111', v::halfvec FROM items"
    part = postgres.catalog().mentioned_in(sql)
    check(sql, "postgres", part.functions, part)
    assert len(orjson.loads(postgres.run(sql, max_rows=10, timeout=30).rows)) == 2


@pytest.mark.extensions
def test_what_users_put_beside_an_extension_is_refused(server, run):
    server.execute("CREATE FUNCTION \"My Ext\".spy(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'", "far")
    server.execute('CREATE OPERATOR "My Ext".<%%%> (LEFTARG = text, RIGHTARG = text, FUNCTION = "My Ext".spy)', "far")
    for sql in ("SELECT \"My Ext\".spy('a', 'a')", "SELECT 'a' OPERATOR(\"My Ext\".<%%%>) 'a'"):
        with pytest.raises(SQLRefusedError):
            run("far", sql)
