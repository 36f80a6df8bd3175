"""Plain wording of what people type in passing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft
from sqlchat.providers.offline.wording import write_plainly

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

PANTRY = """
CREATE TABLE jars (
    "Jar No" INTEGER PRIMARY KEY, "Fruit" TEXT, "Filled By" TEXT, "Filling Date" DATE, "Sugar" INTEGER
);
INSERT INTO jars VALUES
    (1, 'plum', 'Ida', '2024-02-01', 1), (2, 'fig', 'Ida', '2024-03-01', 0), (3, 'plum', 'Jon', '2024-03-09', 1);
"""
DESK = """
CREATE TABLE cust (cust_id INTEGER PRIMARY KEY, cust_name TEXT);
INSERT INTO cust VALUES (1, 'Lee'), (2, 'Moe');
CREATE TABLE ord (
    ord_id INTEGER PRIMARY KEY, cust_id INTEGER REFERENCES cust(cust_id), rcv_dt DATE, due_dt DATE, pu_dt DATE
);
INSERT INTO ord VALUES
    (7, 1, '2025-01-01', '2025-01-05', '2025-01-04'), (8, 1, '2025-01-02', '2025-01-06', NULL);
"""


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("whats the total pls?", "what is the total?"),
        ("Hi there, who's late", "who is late"),
        ("stays w/o power", "stays without power"),
        ("% of stays booked by phone", "share of stays booked by phone"),
        ("# of jars per fruit", "number of jars per fruit"),
        ("how many jars have we got on file", "how many jars are there"),
        ("cheapest jar, which one is it?", "cheapest jar?"),
        ("customers who never placed an order", "customers without orders"),
        ("jars filled in 2024 - count by fruit", "jars filled in 2024 count by fruit"),
        ("jars named 'whats up pls'", "jars named 'whats up pls'"),
        ("number of jars per fruit", "number of jars per fruit"),
    ],
)
def test_typed_forms_have_a_plain_wording(typed: str, plain: str) -> None:
    assert write_plainly(typed) == plain
    assert write_plainly(plain) == plain


@pytest.mark.parametrize(
    ("script", "question", "rows"),
    [
        (PANTRY, "whats the number of jars pls", [(3,)]),
        (PANTRY, "jars per filler", [("Ida", 2), ("Jon", 1)]),
        (DESK, "customers w/o an order, who are they?", [("Moe",)]),
        (DESK, "customers who never placed an order", [("Moe",)]),
    ],
)
def test_they_are_answered(script: str, question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert asking(script, question)[1] == rows


def test_overdue_is_settled_by_what_came_after_the_due_day(asking: Asking) -> None:
    draft, rows = asking(DESK, "overdue orders")
    assert [row[0] for row in rows] == [8]
    assert "pu_dt IS NULL" in draft.sql


def test_what_a_thing_contains_is_not_told_by_its_name(asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(PANTRY, "Which fruits contain stones?")
