"""Columns by their very names, dates that are named by what was done, and tables of which a row has two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

FLEET = """
CREATE TABLE departments (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT, hired DATE, salary INTEGER, department_id INTEGER
  REFERENCES departments (id));
CREATE TABLE vehicles (id INTEGER PRIMARY KEY, name TEXT, bought DATE);
INSERT INTO departments VALUES (1, 'IT'), (2, 'Sales');
INSERT INTO staff VALUES (1, 'Ann', '2017-02-01', 5, 1), (2, 'Bob', '2017-02-01', 6, 2),
  (3, 'Cem', '2018-02-01', 7, 2);
INSERT INTO vehicles VALUES (1, 'Van', '2019-01-01'), (2, 'Truck', '2018-01-01');
"""
SHEET = """
CREATE TABLE lines (id INTEGER, amt INTEGER, qty INTEGER, dept TEXT, addr TEXT, num INTEGER, unit_amt INTEGER,
  country_code TEXT, signup_date DATE);
INSERT INTO lines VALUES (1, 5, 2, 'A', 'x', 1, 7, 'DE', '2024-01-01'), (2, 6, 3, 'B', 'y', 2, 9, 'FR', '2023-02-01');
"""
SHOP = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, ordered_at TIMESTAMP, shipped_at TIMESTAMP, shipped BOOLEAN);
INSERT INTO orders VALUES (1, 'A', '2024-01-01', '2024-02-01', 1), (2, 'B', '2024-03-01', NULL, 0);
"""
LIBRARY = """
CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, genre TEXT, pages INTEGER);
CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT, active INTEGER);
CREATE TABLE loans (id INTEGER PRIMARY KEY, book_id INTEGER REFERENCES books (id), member_id INTEGER
  REFERENCES members (id), loaned_on DATE, returned_at TIMESTAMP);
INSERT INTO books VALUES (1, 'X', 'Crime', 100), (2, 'Y', 'Crime', 200), (3, 'Z', 'Poetry', 80);
INSERT INTO members VALUES (1, 'Ann', 1), (2, 'Bob', 0);
INSERT INTO loans VALUES (1, 1, 1, '2024-01-01', '2024-02-01'), (2, 2, 2, '2023-05-01', '2024-02-01');
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("staff hired in 2017", [("Ann",), ("Bob",)]),
        ("staff hired between 2017 and 2018", [("Ann",), ("Bob",), ("Cem",)]),
        ("names of staff hired in 2017", [("Ann",), ("Bob",)]),
        ("how many staff hired in 2017", [(2,)]),
        ("average salary of staff hired before 2018", [(5.5,)]),
        ("departments with staff hired in 2018", [("Sales",)]),
        ("vehicles bought in 2019", [("Van",)]),
        ("vehicles bought after 2017-12-31", [("Truck",), ("Van",)]),
        ("which vehicles were bought in 2018?", [("Truck",)]),
        ("who was hired in 2018", [("Cem",)]),
    ],
)
def test_what_was_done_tells_the_things_and_not_their_dates(
    question: str, rows: list[tuple[Any, ...]], asking: Asking
) -> None:
    assert sorted(asking(FLEET, question)[1]) == rows


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("total amt", [(11,)]),
        ("total amount", [(11,)]),
        ("total unit_amt", [(16,)]),
        ("total unit amt", [(16,)]),
        ("total qty by dept", [("A", 2), ("B", 3)]),
        ("average num", [(1.5,)]),
        ("list addr", [("x",), ("y",)]),
        ("country_code", [("DE",), ("FR",)]),
        ("signup_date", [("2023-02-01",), ("2024-01-01",)]),
        ("total amt where country_code is 'DE'", [(5,)]),
        ("total qty per year of signup_date", [("2023", 3), ("2024", 2)]),
        ("total qty where qty over 2", [(3,)]),
    ],
)
def test_the_very_name_of_a_column_is_understood(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert sorted(asking(SHEET, question)[1]) == rows


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("loans per year of loaned_on", [("2023", 1), ("2024", 1)]),
        ("loans by year of loaned on", [("2023", 1), ("2024", 1)]),
        ("number of loans per year by returned at", [("2024", 2)]),
        ("yearly loans by loaned_on", [("2023", 1), ("2024", 1)]),
        ("how many loans by loaned_on year", [("2023", 1), ("2024", 1)]),
        ("how many loans were loaned in 2024", [(1,)]),
        ("how many loans returned in 2024", [(2,)]),
        ("number of loans per year of loaned_on in 2024", [("2024", 1)]),
        ("loans loaned in 2023", [(2, 2, 2, "2023-05-01", "2024-02-01")]),
    ],
)
def test_of_two_dates_the_named_one_is_taken(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert sorted(asking(LIBRARY, question)[1]) == rows


@pytest.mark.parametrize("question", ["staff hired", "how many staff hired", "number of staff hired per year"])
def test_what_was_done_at_no_time_is_refused(question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError, match=r'say when, such as "hired in 2024"'):
        asking(FLEET, question)


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("loans per month", [("2023-05", 1), ("2024-01", 1)]),
        ("loans in 2024", [(1, 1, 1, "2024-01-01", "2024-02-01")]),
        ("monthly loans", [("2023-05", 1), ("2024-01", 1)]),
    ],
)
def test_a_bare_period_is_of_the_day_named_like_the_table(
    question: str, rows: list[tuple[Any, ...]], asking: Asking
) -> None:
    assert asking(LIBRARY, question)[1] == rows


def test_of_several_days_the_first_is_taken_and_the_others_are_told(asking: Asking) -> None:
    script = "CREATE TABLE leases (lease_id INTEGER PRIMARY KEY, start_date DATE, end_date DATE, born_on DATE)"
    draft, _ = asking(script, "how many leases in 2024")
    assert "start_date >= '2024-01-01'" in (draft.sql or "")
    assert 'Times are those of leases.start_date; say "end_date in 2024" for end_date.' in draft.assumptions


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("Which genre has the highest average number of pages?", [("Crime",)]),
        ("average number of pages per genre", [("Crime", 150.0), ("Poetry", 80.0)]),
        ("total number of pages by genre", [("Crime", 300), ("Poetry", 80)]),
        ("maximum number of pages", [(200,)]),
    ],
)
def test_a_number_of_things_that_each_row_holds(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert sorted(asking(LIBRARY, question)[1]) == rows


@pytest.mark.parametrize("question", ["how many active members", "list active members"])
def test_a_number_before_its_table_is_no_condition_that_can_be_known(question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError, match=r'such as "members where active is'):
        asking(LIBRARY, question)
    assert asking(LIBRARY, "how many members where active is 1")[1] == [(1,)]


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("shipped orders", [("A",)]),
        ("orders shipped", [("A",)]),
        ("how many unshipped orders", [(1,)]),
        ("orders shipped in 2024", [("A",)]),
        ("orders ordered in 2024", [("A",), ("B",)]),
        ("how many orders were ordered after March 2024", [(0,)]),
    ],
)
def test_a_date_and_a_truth_of_one_name_are_kept_apart(
    question: str, rows: list[tuple[Any, ...]], asking: Asking
) -> None:
    assert sorted(asking(SHOP, question)[1]) == rows
