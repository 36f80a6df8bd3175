"""Functions and operators of extensions that stand outside the search path."""

import pytest

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.guard import check


@pytest.fixture
def catalog(postgres, execute, postgres_server, postgres_database):
    """Of a database with pg_trgm in the schema `more`, beside an own function and an own operator."""
    if not execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"):
        pytest.skip("this server has no pg_trgm")
    execute("CREATE SCHEMA more")
    postgres_server.execute("CREATE EXTENSION pg_trgm SCHEMA more", postgres_database["database"])
    execute("CREATE FUNCTION more.spy(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    execute("CREATE OPERATOR more.<%%%> (LEFTARG = text, RIGHTARG = text, FUNCTION = more.spy)")
    return postgres.catalog()


def test_extensions_run_by_the_name_of_their_schema(catalog, execute):
    for sql in (
        "SELECT more.similarity('a', 'a')",
        "SELECT 'a' OPERATOR(more.<%) 'a'",
        "SELECT 'a' OPERATOR(more.<->) 'b'",
    ):
        part = catalog.mentioned_in(sql)
        check(sql, "postgres", part.functions, part)
        assert execute(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT more.spy('a', 'a')", "SELECT 'a' OPERATOR(more.<%%%>) 'a'", "SELECT more.set_limit(0.1)"]
)
def test_what_users_put_beside_them_is_refused(catalog, sql):
    part = catalog.mentioned_in(sql)
    with pytest.raises(SQLRefusedError):
        check(sql, "postgres", part.functions, part)
