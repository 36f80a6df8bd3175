"""An answer that rests on an inferred key says so, and no other answer does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sqlchat.chat.caveats import list_unsure_references
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.lineage import lineage


@pytest.fixture
def inferred(shop: Catalog) -> Catalog:
    """The shop, whose tables are files, say."""
    tables = tuple(
        replace(table, foreign_keys=tuple(replace(key, inferred=True) for key in table.foreign_keys))
        for table in shop.tables
    )
    return replace(shop, tables=tables)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM orders JOIN customers ON customer_id = customers.id",
        "SELECT count(*) FROM public.orders o, public.customers c WHERE o.customer_id = c.id",
        'SELECT "Total Price" FROM orders WHERE customer_id IN (SELECT id FROM customers)',
        "SELECT 1 FROM Orders JOIN Customers ON Orders.Customer_ID = Customers.ID",
    ],
)
def test_a_join_over_an_inferred_key(inferred: Catalog, sql: str) -> None:
    told = list(list_unsure_references(inferred, lineage(sql, "postgres", inferred)))
    assert told == ["orders.customer_id refers to customers.id: inferred from names and values."]


@pytest.mark.parametrize(
    "sql", ["SELECT customer_id FROM orders", "SELECT name FROM customers", "SELECT id FROM customers", "SELECT 1"]
)
def test_one_end_alone_is_no_join(inferred: Catalog, sql: str) -> None:
    assert list(list_unsure_references(inferred, lineage(sql, "postgres", inferred))) == []


def test_a_join_by_the_word_of_the_owner(inferred: Catalog) -> None:
    told = tuple(
        replace(table, foreign_keys=tuple(replace(key, by_owner=True) for key in table.foreign_keys))
        for table in inferred.tables
    )
    catalog = replace(inferred, tables=told)
    sql = "SELECT count(*) FROM orders JOIN customers ON customer_id = customers.id"
    said = list(list_unsure_references(catalog, lineage(sql, "postgres", catalog)))
    assert said == ["orders.customer_id refers to customers.id: said by the owner."]


def test_a_key_that_the_database_holds_needs_no_word(shop: Catalog) -> None:
    sql = "SELECT count(*) FROM orders JOIN customers ON customer_id = customers.id"
    assert list(list_unsure_references(shop, lineage(sql, "postgres", shop))) == []
