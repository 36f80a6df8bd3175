"""One table that holds everything, as files do: what is ranked, added up and counted there, and what is not clear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

GARAGE = """
CREATE TABLE garage_orders (order_no INTEGER PRIMARY KEY, driver TEXT, workshop TEXT, part TEXT, quantity INTEGER,
  unit_price REAL, total REAL, hours REAL, ordered_on DATE, fitted_on DATE, remark TEXT, state TEXT);
INSERT INTO garage_orders VALUES
  (1, 'Ann', 'North', 'tyre', 4, 50, 200, 2, '2024-03-01', '2024-03-05', NULL, 'done'),
  (2, 'Bob', 'North', 'tyre', 6, 50, 300, 1, '2024-03-15', NULL, 'rush', 'waiting'),
  (3, 'Ann', 'South', 'lamp', 5, 10, 50, 1, '2024-04-02', '2024-04-03', NULL, 'done'),
  (4, 'Cem', 'South', 'lamp', 3, 10, 30, 4, '2023-12-31', '2024-01-05', 'late', 'done'),
  (5, 'Ann', 'South', 'belt', 1, 90, 90, 3, '2023-05-01', NULL, NULL, 'cancelled');
"""
SALES = """
CREATE TABLE sales (day DATE, shop TEXT, sales INTEGER);
INSERT INTO sales VALUES ('2024-01-01', 'Bonn', 10), ('2024-01-02', 'Bonn', 20), ('2024-02-01', 'Kiel', 25);
"""
CLUB = """
CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT, city TEXT, email TEXT, joined_on DATE, left_on DATE);
CREATE TABLE bookings (id INTEGER PRIMARY KEY, member_id INTEGER REFERENCES members (id), court TEXT,
  minutes INTEGER);
INSERT INTO members VALUES (1, 'Ann', 'Bonn', NULL, '2024-02-01', NULL), (2, 'Bob', 'Kiel', 'b@x', '2024-05-01',
  '2024-09-01'), (3, 'Cem', 'Kiel', 'c@x', '2022-05-01', '2024-09-01');
INSERT INTO bookings VALUES (1, 1, 'A', 60), (2, 1, 'A', 30), (3, 2, 'B', 90);
"""
HEARTH = """
CREATE TABLE clients (client_id INTEGER, company TEXT, land TEXT);
CREATE TABLE calls (call_id INTEGER, client_id INTEGER, topic TEXT);
INSERT INTO clients VALUES (1, 'Acme Works', 'Peru'), (2, 'Birch', 'Chile'), (3, 'Cedar', 'Peru');
INSERT INTO calls VALUES (1, 1, 'bill'), (2, 1, 'move'), (3, 2, 'bill');
"""

PLANS = """
CREATE TABLE subscriptions (subscriber TEXT, plan TEXT, land TEXT, amount REAL, joined_on DATE, cancelled_on DATE);
INSERT INTO subscriptions VALUES ('Ann', 'pro', 'Peru', 10, '2024-01-05', NULL), ('Bob', 'free', 'Chile', 1,
  '2024-02-05', '2024-05-01'), ('Cem', 'pro', 'Peru', 20, '2023-02-05', '2023-05-01');
"""

READ = [
    (PLANS, "subscribers who joined in 2024 and cancelled", [("Bob",)]),
    (PLANS, "total amount of subscriptions for each land", [("Chile", 1), ("Peru", 30)]),
    (PLANS, "Which plan has the most subscribers?", [("pro",)]),
    (PLANS, "How many subscribers have not cancelled?", [(1,)]),
    (PLANS, "amount in Peru", [(30,)]),
    (PLANS, "What is the most common land?", [("Peru",)]),
    (GARAGE, "How many orders are there?", [(5,)]),
    (GARAGE, "list the drivers", [("Ann",), ("Bob",), ("Cem",)]),
    (GARAGE, "top 2 drivers by quantity", [("Ann", 10), ("Bob", 6)]),
    (GARAGE, "top 1 workshops by number of orders", [("South", 3)]),
    (GARAGE, "Which part has the most quantity?", [("tyre",)]),
    (GARAGE, "which workshop has the highest total", [("North",)]),
    (GARAGE, "total quantity of orders for each workshop", [("North", 10), ("South", 9)]),
    (GARAGE, "sum of total", [(670,)]),
    (GARAGE, "total by part", [("belt", 90), ("lamp", 80), ("tyre", 500)]),
    (GARAGE, "average total by workshop", [("North", 250), ("South", 170 / 3)]),
    (GARAGE, "quantity of tyre in North", [(10,)]),
    (GARAGE, "average hours per order", [(2.2,)]),
    (GARAGE, "orders by workshop", [("North", 2), ("South", 3)]),
    (GARAGE, "quantity by workshop", [("North", 10), ("South", 9)]),
    (GARAGE, "total quantity in North compared to South", [("North", 10), ("South", 9)]),
    (GARAGE, "how many orders have no remark", [(3,)]),
    (GARAGE, "How many orders where remark is not empty?", [(2,)]),
    (GARAGE, "How many orders have not been fitted?", [(2,)]),
    (GARAGE, "How many orders are not cancelled?", [(4,)]),
    (GARAGE, "How many orders with ordered_on between 1 March and 15 March 2024?", [(2,)]),
    (GARAGE, "share of orders that are cancelled", [(20.0,)]),
    (GARAGE, "percentage of orders in South", [(60.0,)]),
    (GARAGE, "orders fitted per month", [("2024-01", 1), ("2024-03", 1), ("2024-04", 1), (None, 2)]),
    (GARAGE, "orders per weekday of ordered_on", [("0", 1), ("1", 1), ("2", 1), ("5", 2)]),
    (SALES, "total sales", [(55,)]),
    (SALES, "sales per shop", [("Bonn", 30), ("Kiel", 25)]),
    (SALES, "which shop has the most sales?", [("Bonn",)]),
    (SALES, "average sales", [(55 / 3,)]),
    (SALES, "shops with more than 26 sales", [("Bonn",)]),
    (CLUB, "How many members joined in 2024 and left?", [(1,)]),
    (CLUB, "members without an email", [("Ann",)]),
    (CLUB, "Who joined first?", [("Cem",)]),
    (CLUB, "average number of bookings per member", [(1.5,)]),
    (CLUB, "members by city", [("Bonn", 1), ("Kiel", 2)]),
    (HEARTH, "calls by land", [("Chile", 1), ("Peru", 2)]),
    (HEARTH, "clients without calls", [("Cedar",)]),
    (HEARTH, "calls of Acme", [(1, 1, "bill"), (2, 1, "move")]),
]  # fmt: skip
UNCLEAR = [
    (GARAGE, "total amount of orders for each workshop", "sum of total of orders for each workshop"),
]


@pytest.mark.parametrize(("script", "question", "rows"), READ, ids=[question for _, question, _ in READ])
def test_rows_of_one_table(script: str, question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    found = asking(script, question)[1]
    assert len(found) == len(rows)
    for row, expected in zip(sorted(found, key=str), sorted(rows, key=str), strict=True):
        assert row == pytest.approx(expected)


@pytest.mark.parametrize(("script", "question", "suggestion"), UNCLEAR)
def test_what_is_not_clear_is_refused_with_questions_that_work(
    script: str, question: str, suggestion: str, asking: Asking
) -> None:
    with pytest.raises(QuestionError) as caught:
        asking(script, question)
    assert suggestion in caught.value.facts["suggestions"]
    for each in caught.value.facts["suggestions"]:
        assert asking(script, each)[0].sql


@pytest.mark.parametrize(
    ("script", "question", "said"),
    [
        (GARAGE, "top 2 drivers by quantity", "The total of garage_orders.quantity is taken for each driver"),
        (
            GARAGE,
            "quantity by workshop",
            'The total of garage_orders.quantity is taken; say "average quantity" for the average of its rows.',
        ),
        (GARAGE, "average hours per order", "Each row of garage_orders is one garage order."),
        (GARAGE, "share of orders that are cancelled", "The share is in percent of all garage_orders."),
        (SALES, "how many sales", "sales.sales is added up; its rows are not counted."),
        (HEARTH, "calls of Acme", "\"Acme\" is read as clients.company = 'Acme Works'."),
    ],
)
def test_the_reading_taken_is_told(script: str, question: str, said: str, asking: Asking) -> None:
    assert any(text.startswith(said) for text in asking(script, question)[0].assumptions)


def test_conditions_that_no_row_can_meet_are_refused(asking: Asking) -> None:
    with pytest.raises(QuestionError, match="meets both"):
        asking(GARAGE, "orders with hours below 2 and hours above 3")
