"""What the engine says about its own reading, and words of a sentence that it must not take for values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

CARS = """
CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT);
CREATE TABLE makers (id INTEGER PRIMARY KEY, name TEXT, country TEXT REFERENCES countries (code));
CREATE TABLE cars (id INTEGER PRIMARY KEY, make TEXT, year INTEGER, maker_id INTEGER REFERENCES makers (id));
INSERT INTO countries VALUES ('IN', 'India'), ('NO', 'Norway'), ('US', 'United States'), ('DE', 'Germany');
INSERT INTO makers VALUES (1, 'Tata', 'IN'), (2, 'Think', 'NO'), (3, 'Ford', 'US'), (4, 'Opel', 'DE');
INSERT INTO cars VALUES (1, 'In', 1980, 1), (2, 'On', 1980, 2), (3, 'It', 1981, 3), (4, 'or', 1982, 4),
  (5, 'The One', 1980, 4), (6, 'All In', 1983, 4);
"""
STAFF = """
CREATE TABLE departments (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE employees (id INTEGER PRIMARY KEY, name TEXT, hired DATE, department_id INTEGER
  REFERENCES departments (id));
INSERT INTO departments VALUES (1, 'IT'), (2, 'Sales');
INSERT INTO employees VALUES (1, 'Ann', '2024-02-01', 1), (2, 'Bob', '2023-05-01', 2), (3, 'Cem', '2024-07-01', 2);
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("In 1980, how many cars were made?", [(3,)]),
        ("How many cars were made in 1980?", [(3,)]),
        ("How many makers are there in Germany or Norway?", [(2,)]),
    ],
)
def test_words_of_a_sentence_are_no_values(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert asking(CARS, question)[1] == rows


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ('cars whose make is "In"', [("In",)]),
        ('cars whose make is "or"', [("or",)]),
        ("names of makers in the US", [("Ford",)]),
    ],
)
def test_values_that_look_like_such_words_are_read_where_quoted_or_capital(
    question: str, rows: list[tuple[Any, ...]], asking: Asking
) -> None:
    _, found = asking(CARS, question)
    assert [row if len(row) == 1 else (row[1],) for row in found] == rows


@pytest.mark.parametrize(
    "question",
    [
        "name of the country whose code is in",
        "NAMES OF COUNTRIES WITH CODE IN",
        "cars whose make is in",
        "makers by us",
    ],
)
def test_in_small_letters_they_are_never_guessed(question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(CARS, question)


def test_it_in_capitals_is_a_department_and_no_pronoun(asking: Asking) -> None:
    assert asking(STAFF, "How many employees are in IT?")[1] == [(1,)]
    assert asking(STAFF, "Show us employees")[1] == [("Ann",), ("Bob",), ("Cem",)]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("customers in Germany in 2024", "2024 is read as the year of customers.signup_date."),
        ("orders in 2023 or 2024", "2023 or 2024 is read as the year of orders.order_date."),
        ("orders of customers in Germany in 2024", "2024 is read as the year of orders.order_date."),
        ("revenue in March 2024", "March 2024 is read as the month of orders.order_date."),
        ("How many orders in the first quarter of 2024?", "of 2024 is read as the quarter of orders.order_date."),
        ("orders not in 2024", "2024 is read as the year of orders.order_date."),
        ("orders since March 2024", "March 2024 is read as the month of orders.order_date."),
        ("orders in the last 30 days", "is read as a period of orders.order_date."),
        (
            "revenue between January and June 2024",
            "Between January and June 2024 is read as a period of orders.order_date.",
        ),
        ("How many customers placed orders in 2024?", "2024 is read as the year of orders.order_date."),
        ("revenue per month", "The month is that of orders.order_date."),
        ("monthly revenue", "The month is that of orders.order_date."),
    ],
)
def test_a_period_tells_whose_date_it_is(question: str, said: str, ask: Callable[[str], Draft]) -> None:
    assert any(text.endswith(said) for text in ask(question).assumptions)


@pytest.mark.parametrize(
    "question", ["customers with a signup date before 2022-03-01", "orders with an order date in 2024"]
)
def test_a_date_named_in_the_question_needs_no_such_word(question: str, ask: Callable[[str], Draft]) -> None:
    assert not any(" of customers.signup_date" in text or "order_date" in text for text in ask(question).assumptions)


def test_the_year_of_a_column_of_years_is_told(asking: Asking) -> None:
    assert "1980 is read as cars.year." in asking(CARS, "How many cars were made in 1980?")[0].assumptions


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("customers and their number of orders", "Customers without orders are left out."),
        ("number of orders per customer", "Customers without orders are left out."),
        ("revenue by country in 2024", "Countries without such order_lines are left out."),
        ("revenue by segment", "Values of customers.segment without order_lines are left out."),
        ("number of orders per month", "Each month without orders is left out."),
        ("which customer has the fewest orders", "Customers without orders are left out."),
        ("all customers and their number of orders", "Customers without orders are shown with 0."),
        ("number of orders of every customer in 2024", "Customers without such orders are shown with 0."),
    ],
)
def test_what_becomes_of_groups_without_rows_is_said(question: str, said: str, ask: Callable[[str], Draft]) -> None:
    assert said in ask(question).assumptions


@pytest.mark.parametrize("question", ["top 3 customers by revenue", "Number of customers by segment"])
def test_where_none_can_be_missing_nothing_is_said(question: str, ask: Callable[[str], Draft]) -> None:
    assert not any("left out" in text for text in ask(question).assumptions)


LEFT = "SELECT c.name, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id"


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("all customers and their number of orders", f"{LEFT} GROUP BY c.id"),
        ("number of orders of every customer in 2024", f"{LEFT} AND o.order_date LIKE '2024-%' GROUP BY c.id"),
        (
            "all German customers and their number of orders in 2024",
            f"{LEFT} AND o.order_date LIKE '2024-%' WHERE c.country_code = 'DE' GROUP BY c.id",
        ),
        (
            "all countries and their number of orders in January 2023",
            "SELECT k.name, count(o.id) FROM countries k LEFT JOIN customers c ON c.country_code = k.code "
            "LEFT JOIN orders o ON o.customer_id = c.id AND o.order_date LIKE '2023-01-%' GROUP BY 1",
        ),
        (
            "customers and their number of orders",
            "SELECT c.name, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id",
        ),
    ],
)
def test_all_customers_are_all_of_them(question: str, sql: str, shop: Any, ask: Callable[[str], Draft]) -> None:
    assert sorted(shop.rows(ask(question).sql)) == sorted(shop.rows(sql))


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("orders in 2024", "orders.order_date is in 2024."),
        ("orders in March 2024", "orders.order_date is in March 2024."),
        ("orders in the third quarter of 2024", "orders.order_date is in the third quarter of 2024."),
        ("orders on 2024-05-17", "orders.order_date is 2024-05-17."),
        ("orders since 2024", "orders.order_date is from 2024 on."),
        ("orders before 2024", "orders.order_date is before 2024."),
        ("orders between 2023-01-01 and 2023-06-15", "orders.order_date is from 2023-01-01 to 2023-06-15."),
        ("revenue between January and June 2024", "is from January 2024 to June 2024."),
        ("orders between 2023 and 2024", "orders.order_date is from 2023 to 2024."),
        ("revenue by country", "for each country."),
        ("number of orders per customer", "for each customer."),
        ("How many products are in each category?", "for each category."),
        ("customers with exactly one order", "with exactly 1 order."),
        ("customers with at least 2 orders in March 2024", "at least 2 orders (orders.order_date is in March 2024)."),
        ("Customers without orders", "with no orders."),
        ("average order value", "the average revenue per order ("),
    ],
)
def test_the_explanation_speaks_as_people_do(question: str, words: str, ask: Callable[[str], Draft]) -> None:
    assert words in ask(question).explanation
