"""Numbers that two columns of a row give, tops within groups, two periods side by side, and shares of groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

BOATS = """
CREATE TABLE harbours (harbour_id INTEGER PRIMARY KEY, harbour_name TEXT, coast TEXT);
INSERT INTO harbours VALUES (1, 'Old Quay', 'East'), (2, 'Reed Bay', 'West');
CREATE TABLE boats (boat_id INTEGER PRIMARY KEY, name TEXT, kind TEXT, list_price REAL, cost_price REAL,
  harbour_id INTEGER REFERENCES harbours(harbour_id));
INSERT INTO boats VALUES (1, 'Gull', 'dinghy', 500, 300, 1), (2, 'Tern', 'yacht', 9000, 7000, 1),
  (3, 'Skua', 'yacht', 7000, 7500, 2);
CREATE TABLE charters (charter_id INTEGER PRIMARY KEY, boat_id INTEGER REFERENCES boats(boat_id),
  started_at TIMESTAMP, ended_at TIMESTAMP, due_at TIMESTAMP, distance_km REAL, sold_price REAL, state TEXT);
INSERT INTO charters VALUES
  (1, 1, '2023-05-01 08:00:00', '2023-05-01 12:00:00', '2023-05-01 11:00:00', 10, 450, 'done'),
  (2, 1, '2024-05-03 08:00:00', '2024-05-04 08:00:00', '2024-05-05 08:00:00', 40, 600, 'done'),
  (3, 2, '2024-06-01 08:00:00', '2024-06-01 10:00:00', '2024-06-01 11:00:00', 20, 9500, 'done'),
  (4, 3, '2024-06-02 08:00:00', NULL, '2024-06-03 08:00:00', NULL, 6500, 'cancelled');
CREATE TABLE repairs (repair_no INTEGER PRIMARY KEY, boat_id INTEGER REFERENCES boats(boat_id), reported_on DATE,
  fixed_on DATE, cost REAL, estimate REAL);
INSERT INTO repairs VALUES (1, 1, '2024-01-01', '2024-01-06', 80, 60), (2, 2, '2024-02-01', '2024-02-02', 100, 120),
  (3, 2, '2024-03-01', NULL, NULL, 50);
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("How many repairs cost more than estimated?", [(1,)]),
        ("How many repairs cost more than the estimate?", [(1,)]),
        ("Which boats have a list price below their cost price?", [("Skua",)]),
        ("How many charters ended after they were due?", [(1,)]),
        ("How many charters were returned late?", [(1,)]),
        ("How many charters ended on time?", [(2,)]),
        ("How many charters were above list price?", [(2,)]),
        ("Which boats were ever sold below cost?", [("Skua",)]),
        ("What is the average number of days between reported and fixed?", [(3.0,)]),
        ("On average, how many days does it take until a repair is fixed?", [(3.0,)]),
        ("average repair time in days", [(3.0,)]),
        ("how many repairs took more than 2 days", [(1,)]),
        ("average charter duration in hours", [(10.0,)]),
        ("how long is the average charter in hours?", [(10.0,)]),
        ("margin between list price and cost price for the yachts", [("Skua", -500.0), ("Tern", 2000.0)]),
        ("average list price minus cost price", [(566.6666666666666,)]),
    ],
)
def test_two_columns_of_a_row_give_it(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert sorted(asking(BOATS, question)[1]) == rows


def test_the_longest_is_told_by_two_days(asking: Asking) -> None:
    draft, rows = asking(BOATS, "What was the longest repair?")
    assert rows[0][0] == 1
    assert "How long it took is the days from repairs.reported_on to repairs.fixed_on." in draft.assumptions


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("most expensive boat on each coast", [("East", "Tern"), ("West", "Skua")]),
        ("cheapest boat in each harbour", [("Old Quay", "Gull"), ("Reed Bay", "Skua")]),
        ("most common kind in each harbour", [("Old Quay", "dinghy"), ("Old Quay", "yacht"), ("Reed Bay", "yacht")]),
        ("boat with the most charters on each coast", [("East", "Gull"), ("West", "Skua")]),
    ],
)
def test_the_first_of_each_group(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert sorted(asking(BOATS, question)[1]) == rows


def test_the_latest_of_each_comes_once(asking: Asking) -> None:
    rows = asking(BOATS, "latest charter of each boat")[1]
    assert sorted((name, key) for name, key, _ in rows) == [("Gull", 2), ("Skua", 4), ("Tern", 3)]


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("number of charters in 2024 versus 2023", [("2023", 1), ("2024", 3)]),
        ("how many charters in 2024 compared to 2023", [("2023", 1), ("2024", 3)]),
        ("compare the number of charters in May 2024 and June 2024", [("2024-05", 1), ("2024-06", 2)]),
    ],
)
def test_two_periods_are_held_against_each_other(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert asking(BOATS, question)[1] == rows


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("share of charters per state", [("cancelled", 25.0), ("done", 75.0)]),
        ("percentage of boats by harbour", [("Old Quay", 200 / 3), ("Reed Bay", 100 / 3)]),
    ],
)
def test_the_share_of_each_group(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert [(name, pytest.approx(share)) for name, share in rows] == sorted(asking(BOATS, question)[1])


@pytest.mark.parametrize(
    ("question", "some", "number"),
    [("Are there any cancelled charters?", 1, 1), ("is there a boat without charters?", 0, 0)],
)
def test_whether_there_is_any_comes_with_the_number(question: str, some: int, number: int, asking: Asking) -> None:
    assert asking(BOATS, question)[1] == [(number, some)]


@pytest.mark.parametrize(
    "question", ["are all repairs fixed?", "boats sold below cost", "what do we pay for harbours"]
)
def test_what_is_not_clear_of_two_columns_is_refused(question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(BOATS, question)
