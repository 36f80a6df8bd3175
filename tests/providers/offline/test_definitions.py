"""Terms that an owner defined with SQL, as the built-in engine reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft, Task, Term
from sqlchat.providers.offline.engine import OfflineProvider

if TYPE_CHECKING:
    from tests.providers.offline.conftest import Shop

TERMS = (
    Term(("senior customer", "elder"), "age >= 65"),
    Term(("stock value",), "SUM(stock * products.price)"),
    Term(("lost order",), "orders.status IN ('cancelled', 'returned')"),
    Term(("mystery",), "no_such_column = 1"),
    Term(("basket",), "(SELECT count(*) FROM orders)"),
)


def _asked(shop: Shop, question: str) -> tuple[Draft, list[tuple[Any, ...]]]:
    draft = OfflineProvider().draft(Task(question, shop.catalog, values=shop.values, terms=TERMS))
    assert draft.sql is not None
    return draft, shop.rows(draft.sql)


@pytest.mark.parametrize(
    ("question", "sql", "term"),
    [
        ("How many senior customers are there?", "SELECT count(*) FROM customers WHERE age >= 65", "senior customer"),
        ("names of customers who are not senior", "SELECT name FROM customers WHERE age < 65", "senior customer"),
        ("How many customers are elder?", "SELECT count(*) FROM customers WHERE age >= 65", "senior customer"),
        ("total stock value", "SELECT sum(stock * price) FROM products", "stock value"),
        (
            "number of lost orders in 2024",
            "SELECT count(*) FROM orders WHERE status IN ('cancelled', 'returned') AND order_date LIKE '2024-%'",
            "lost order",
        ),
    ],
)
def test_conditions_and_totals_of_one_table_are_read(shop: Shop, question: str, sql: str, term: str) -> None:
    draft, rows = _asked(shop, question)
    assert sorted(rows) == sorted(shop.rows(sql))
    assert draft.terms == (term,)


@pytest.mark.parametrize("names", [("revenue",), ("sum of goods", "revenue")])
def test_a_term_takes_its_name_from_a_measure_that_the_engine_derives(shop: Shop, names: tuple[str, ...]) -> None:
    """Its table has a quantity and a price, which alone would be read as revenue."""
    term = Term(names, "SUM(order_lines.quantity)")
    task = Task("total revenue", shop.catalog, values=shop.values, terms=(term,))
    draft = OfflineProvider().draft(task)
    assert draft.sql is not None
    assert shop.rows(draft.sql) == shop.rows("SELECT sum(quantity) FROM order_lines")
    assert draft.terms == (names[0],)


def test_a_term_that_is_not_used_is_not_told(shop: Shop) -> None:
    assert _asked(shop, "How many customers are there?")[0].terms == ()


@pytest.mark.parametrize("question", ["How many orders are a mystery?", "average basket"])
def test_other_sql_is_left_aside(shop: Shop, question: str) -> None:
    with pytest.raises(QuestionError):
        _asked(shop, question)


def test_values_that_the_question_names_are_told(shop: Shop) -> None:
    draft, _ = _asked(shop, "How many German customers are in the Corporate segment?")
    assert ("German", ("", "countries", "name"), "Germany") in draft.values
    assert ("Corporate", ("", "customers", "segment"), "Corporate") in draft.values
