"""Where things start and end, how long they last, what we pay and other words of everyday questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]
HIKES = """
CREATE TABLE ranger (ranger_id INTEGER PRIMARY KEY, ranger_name TEXT);
CREATE TABLE hike (hike_id INTEGER PRIMARY KEY, hike_name TEXT, from_hut TEXT, to_hut TEXT, length_min INTEGER);
CREATE TABLE booking (booking_id INTEGER PRIMARY KEY, hike_id INTEGER REFERENCES hike(hike_id),
    ranger_id INTEGER REFERENCES ranger(ranger_id), booked_on DATE, hike_on DATE, delay_minutes INTEGER, fee REAL);
INSERT INTO ranger VALUES (1, 'Ann'), (2, 'Ben');
INSERT INTO hike VALUES (1, 'Ridge', 'Alm', 'Bichl', 50), (2, 'Valley', 'Alm', 'Dorf', 80),
    (3, 'Lake', 'Bichl', 'Dorf', 130);
INSERT INTO booking VALUES (1, 1, 1, '2023-12-30', '2024-01-02', 10, 5),
    (2, 2, 1, '2024-02-01', '2024-02-03', 45, 7), (3, 3, 2, '2024-12-31', '2025-01-05', 0, 9);
"""
SALES = """
CREATE TABLE CLOTH_SALES (SALE_NO TEXT, SALE_DATE DATE, BUYER TEXT, CLOTH TEXT, PRICE_PER_YARD REAL, TOTAL REAL,
    PAID_BY TEXT, STATUS TEXT, SEEN_ON DATE);
INSERT INTO CLOTH_SALES VALUES ('A', '2024-05-01', 'Inn', 'Silk', 9, 90, 'card', 'REVIEW', '2024-06-01'),
    ('B', '2024-06-01', 'Inn', 'Felt', 2, 20, 'cash', 'DONE', '2025-06-01'),
    ('C', '2025-06-01', 'Spa', 'Silk', 8, 80, 'card', 'DONE', '2025-07-01');
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("How many of our hikes start in Alm?", [(2,)]),
        ("how many hikes end in Dorf", [(2,)]),
        ("hikes starting in Bichl", [("Lake",)]),
        ("hikes lasting between 60 and 90 minutes: how many?", [(1,)]),
        ("how many hikes last over 100 minutes", [(1,)]),
        ("what's our shortest hike", [("Ridge",)]),
        ("yearly number of bookings, by hike date", [("2024", 2), ("2025", 1)]),
        ("bookings per year, by hike date", [("2024", 2), ("2025", 1)]),
        ("how many bookings with a delay of more than 30 minutes", [(1,)]),
        ("Quick one: how many bookings are there?", [(3,)]),
        ("Please say how many bookings each ranger has.", [("Ann", 2), ("Ben", 1)]),
        ("break the bookings down by ranger", [("Ann", 2), ("Ben", 1)]),
        ("how many minutes long is a hike on average", [(260 / 3,)]),
    ],
)
def test_everyday_questions_on_ways_and_times_are_answered(
    asking: Asking, question: str, rows: list[tuple[Any, ...]]
) -> None:
    assert asking(HIKES, question)[1] == rows


@pytest.mark.parametrize(
    "question",
    [
        "hikes to Alm",
        "hikes that end in Alm",
        "bookings longer than 30 minutes",
        "bookings that took more than 30 minutes",
        "what do we pay each ranger",
        "how much did we pay the rangers",
        "what did we spend in 2024",
        "bookings with a fee in 2024",
    ],
)
def test_a_column_of_something_else_is_not_taken(asking: Asking, question: str) -> None:
    with pytest.raises(QuestionError):
        asking(HIKES, question)


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("sum of the total column", [(190.0,)]),
        ("what part of the sales is paid by card, in percent?", [(pytest.approx(200 / 3),)]),
        ("how many sales are under review", [(1,)]),
        ("the 1 buyers with the highest number of sales", [("Inn",)]),
        ("sales seen in 2024 vs 2025", [("2024", 1), ("2025", 2)]),
    ],
)
def test_everyday_questions_on_one_table_are_answered(
    asking: Asking, question: str, rows: list[tuple[Any, ...]]
) -> None:
    assert asking(SALES, question)[1] == rows


def test_orders_paid_by_a_means_are_shown_and_not_the_means(asking: Asking) -> None:
    assert [row[0] for row in asking(SALES, "sales paid by card in 2024")[1]] == ["A"]


def test_the_word_of_a_column_in_the_name_of_its_table_is_not_left_out(asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(SALES, "What's the most expensive cloth per yard?")
