"""What the guard lets through, on a real DuckDB file opened read-only."""

import contextlib
from pathlib import Path

import duckdb
import pytest

from sqlchat.sql.guard import check

CORPUS = Path(__file__).parent / "corpus"
HONEST = (CORPUS / "duckdb.honest.sql").read_text().strip("\n").split("\n\n")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    path = tmp_path_factory.mktemp("duckdb") / "shop.duckdb"
    with contextlib.closing(duckdb.connect(path)) as connection:
        connection.execute((CORPUS / "duckdb.setup.sql").read_text())
    options = {"enable_external_access": "false", "autoload_known_extensions": "false", "threads": "1"}
    with contextlib.closing(duckdb.connect(path, read_only=True, config=options)) as connection:
        yield connection


@pytest.mark.parametrize("sql", HONEST)
def test_honest_queries_pass_and_run(shop, sql):
    assert check(sql, "duckdb")
    assert len(duckdb.extract_statements(sql)) == 1
    shop.execute(sql).fetchall()


def test_what_is_plannable_can_be_explained(shop):
    for sql in HONEST:
        if check(sql, "duckdb").plannable:
            assert shop.execute(f"EXPLAIN {sql}").fetchall()
