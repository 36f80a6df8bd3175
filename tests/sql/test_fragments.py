"""SQL that is kept: fragments that can be read, statements whose names are still there."""

import pytest

from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.fragments import NO_EXPRESSION, find_fragment_faults, hold_names

DIALECTS = ("postgres", "sqlite", "mysql", "duckdb")
SHOP = Catalog((Table("orders", (Column("id", "integer"), Column("total", "numeric"))),), "sqlite")


def fault(fragment, dialect="postgres"):
    (found,) = find_fragment_faults([fragment], dialect)
    return found


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "fragment",
    [
        "status = 'active'",
        "SUM(total) / NULLIF(COUNT(*), 0)",
        "a = 1 AND (b = 2 OR c IS NULL)",
        "orders.total",
        "total > 100 -- big ones",
        "/* gross */ total",
        "CASE WHEN total > 0 THEN 1 ELSE 0 END",
        "SELECT MAX(total) FROM orders",
        "id IN (SELECT order_id FROM refunds)",
        "EXISTS (SELECT 1 FROM refunds)",
        "'it''s; fine'",
        "1",
    ],
)
def test_expressions_conditions_and_subqueries_can_be_read(fragment, dialect):
    assert fault(fragment, dialect) == ""


@pytest.mark.parametrize(
    "fragment",
    ["last_order > now() - interval '90 days'", "tags @> ARRAY['x']", "payload ->> 'kind' = 'a'", "total::int"],
)
def test_what_only_one_dialect_knows_is_read_in_that_one(fragment):
    assert fault(fragment, "postgres") == ""


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "fragment",
    [
        "customers who bought something",
        "WHERE status = 'active'",
        "status = ",
        "(status",
        "status)",
        "1) FROM secrets WHERE (1 = 1",
        "1); DROP TABLE orders; SELECT (1",
        "DROP TABLE orders",
        "a, b",
        "total AS t",
        "'open",
        "-- nothing",
        " ",
        "",
        "SELECT 1; SELECT 2",
        "x\0",
        "((" * 300,
    ],
)
def test_all_else_is_refused_with_a_reason(fragment, dialect):
    assert len(fault(fragment, dialect)) > 10


def test_a_statement_that_is_no_expression_is_told_so():
    assert fault("DELETE FROM orders") == NO_EXPRESSION


def test_each_fragment_has_its_own_fault():
    found = find_fragment_faults(["a = 1", "a =", "b"], "sqlite")
    assert [bool(each) for each in found] == [False, True, False]


def test_held_is_what_names_only_what_is_there():
    statements = [
        "SELECT total FROM orders",
        "SELECT tax FROM orders",
        "SELECT 1 FROM refunds",
        "SELECT 1",
        "SELECT (",
        "WITH o AS (SELECT id AS n FROM orders) SELECT n FROM o",
    ]
    assert hold_names(statements, SHOP) == (True, False, False, True, False, True)
