"""Everyday questions: who and how much, what never happened, what is open, shares, rates, kinds, units and trends."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.language.derivations import have_one_root
from sqlchat.providers.base import Draft, Task
from sqlchat.providers.offline.engine import OfflineProvider
from sqlchat.sql.profiles import ColumnProfile, Profiles
from tests.providers.offline.conftest import read_catalog, read_values

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

HARBOUR = """
CREATE TABLE skippers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, home TEXT, birth_date DATE,
  joined_on DATE NOT NULL, left_on DATE);
CREATE TABLE berths (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT, nightly_fee REAL);
CREATE TABLE moorings (id INTEGER PRIMARY KEY, skipper_id INTEGER REFERENCES skippers (id), berth_id INTEGER
  REFERENCES berths (id), moored_on DATE, ended_on DATE, hours INTEGER, amount REAL, insured BOOLEAN);
INSERT INTO skippers VALUES (1, 'Ann', 'Kiel', '1980-01-01', '2023-02-01', NULL),
  (2, 'Bob', 'Kiel', '1990-01-01', '2024-03-01', '2024-09-01'), (3, 'Cem', 'Bonn', '2000-01-01', '2024-05-01', NULL);
INSERT INTO berths VALUES (1, 'North', 'jetty', 20), (2, 'South', 'buoy', 8), (3, 'East', 'jetty', 30);
INSERT INTO moorings VALUES (1, 1, 1, '2024-01-05', '2024-01-06', 24, 40, 1),
  (2, 1, 2, '2024-02-05', NULL, 48, 10, 0), (3, 2, 1, '2024-02-07', '2024-02-08', 12, 90, 1),
  (4, 1, 1, '2023-12-01', '2023-12-02', 6, 20, 1);
"""
KIOSK = """
CREATE TABLE tickets (ticket_no INTEGER PRIMARY KEY, sold_on DATE, seller TEXT, snack TEXT, grade TEXT,
  quantity INTEGER, unit_price REAL, total REAL, discount REAL, distance_km REAL);
INSERT INTO tickets VALUES (1, '2024-01-02', 'Dee', 'Wrap', 'hot', 2, 5, 10, 0, 3), (2, '2024-01-03', 'Eli', 'Wrap',
  'hot', 1, 5, 5, NULL, 12), (3, '2024-02-01', 'Dee', 'Juice', 'cold', 6, 3, 18, 2, 7),
  (4, '2023-11-01', 'Fay', 'Cake', 'cold', 1, 4, 4, 0, 30);
"""
READ = [
    (HARBOUR, "How many skippers do we currently have on record?", [(2,)]),
    (HARBOUR, "how many people joined in 2024?", [(2,)]),
    (HARBOUR, "Who has never moored?", [("Cem",)]),
    (HARBOUR, "Which berth was moored the most?", [("North",)]),
    (HARBOUR, "skippers who moored more than 2 times", [("Ann",)]),
    (HARBOUR, "Which skipper paid the most?", [("Bob",)]),
    (HARBOUR, "How much did skippers from Kiel pay in 2024?", [(140,)]),
    (HARBOUR, "revenue in 2023", [(20,)]),
    (HARBOUR, "largest mooring", [(3, 2, 1, "2024-02-07", "2024-02-08", 12, 90, 1)]),
    (HARBOUR, "How many moorings are still open?", [(1,)]),
    (HARBOUR, "How many skippers left?", [(1,)]),
    (HARBOUR, "newest skipper", [("Cem",)]),
    (HARBOUR, "how many jetties are there", [(2,)]),
    (HARBOUR, "jetties or buoys with more than 1 mooring", [("North",)]),
    (HARBOUR, "cheapest jetty", [("North",)]),
    (HARBOUR, "berths under 10 a night", [("South",)]),
    (HARBOUR, "moorings by skipper", [("Ann", 3), ("Bob", 1)]),
    (HARBOUR, "top 1 berths by moorings", [("North", 3)]),
    (HARBOUR, "how long does a mooring take on average", [(22.5,)]),
    (HARBOUR, "How many moorings were longer than a day?", [(1,)]),
    (HARBOUR, "how did moorings develop in 2024", [("2024-01", 1), ("2024-02", 2)]),
    (HARBOUR, "When did Ann last moor?", [("2024-02-05",)]),
    (HARBOUR, "share of insured moorings by skipper", [("Ann", 200 / 3), ("Bob", 100)]),
    (HARBOUR, "Is there a berth without moorings? Which one?", [("East",)]),
    (HARBOUR, "moorings in the second half of 2023", [(4, 1, 1, "2023-12-01", "2023-12-02", 6, 20, 1)]),
    (KIOSK, "how many Wraps were sold", [(3,)]),
    (KIOSK, "best selling snack", [("Juice",)]),
    (KIOSK, "sellers who never sold Wrap", [("Fay",)]),
    (KIOSK, "most popular snack", [("Wrap",)]),
    (KIOSK, "What is the most expensive snack?", [("Wrap",)]),
    (KIOSK, "How many tickets without discount?", [(3,)]),
    (KIOSK, "How many tickets over 10 km?", [(2,)]),
    (KIOSK, "how much did we take in 01/2024", [(15,)]),
    (KIOSK, "in which month did we have the most tickets", [("2024-01",)]),
    (KIOSK, "Dee vs Eli", [("Dee", 2), ("Eli", 1)]),
    (KIOSK, "average unit price and distance", [(4.25, 13)]),
]


@pytest.mark.parametrize(("script", "question", "rows"), READ, ids=[question for _, question, _ in READ])
def test_an_everyday_question_has_these_rows(
    script: str, question: str, rows: list[tuple[Any, ...]], asking: Asking
) -> None:
    draft, found = asking(script, question)
    assert len(found) == len(rows), draft.sql
    for row, expected in zip(sorted(found, key=str), sorted(rows, key=str), strict=True):
        assert row == pytest.approx(expected), draft.sql


@pytest.mark.parametrize(
    ("script", "question", "told"),
    [
        (HARBOUR, "Which skipper paid the most?", "Money is that of moorings.amount."),
        (HARBOUR, "how many people joined in 2024?", "The people are those of skippers."),
        (KIOSK, "how many Wraps were sold", "tickets.quantity is added up; its rows are not counted."),
        (KIOSK, "What is the most expensive snack?", "The highest tickets.unit_price of a row is taken."),
    ],
)
def test_how_it_was_read_is_told(script: str, question: str, told: str, asking: Asking) -> None:
    assert told in asking(script, question)[0].assumptions


@pytest.mark.parametrize(
    ("script", "question"),
    [
        (HARBOUR, "How much commission did each skipper earn?"),
        (HARBOUR, "revenue from diving lessons"),
        (HARBOUR, "who is on holiday"),
        (KIOSK, "Who booked the ticket on 2 January 2024?"),
        (KIOSK, "accidents per seller"),
        (KIOSK, "which snack uses the least grade"),
    ],
)
def test_what_is_not_there_is_refused(script: str, question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(script, question)


def test_what_columns_hold_tells_their_kind() -> None:
    script = """
    CREATE TABLE lessons (lesson_id INTEGER, held TEXT, online INTEGER);
    INSERT INTO lessons VALUES (1, '2024-01-01', 1), (2, '2024-02-01', 0), (3, '2023-02-01', 1);
    """
    kinds = {("", "lessons", "held"): "day", ("", "lessons", "online"): "flag"}
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(script)
        catalog = read_catalog(database)
        task = Task("how many online lessons in 2024", catalog, read_values(database, catalog), plain_kinds=kinds)
        sql = OfflineProvider().draft(task).sql or ""
        assert database.execute(sql).fetchall() == [(1,)]


def test_profiles_know_days_kept_as_text_and_flags_kept_as_numbers() -> None:
    profiles = Profiles(
        {
            ("", "t", "day"): ColumnProfile("text", 0.0, least="2024-01-01", most="2024-02-01"),
            ("", "t", "flag"): ColumnProfile("number", 0.0, values=("1", "0"), complete=True),
            ("", "t", "rest"): ColumnProfile("number", 0.0, values=("1", "2"), complete=True),
        }
    )
    assert profiles.plain_kinds == {("", "t", "day"): "day", ("", "t", "flag"): "flag"}


@pytest.mark.parametrize(
    ("word", "noun"),
    [("rented", "rentals"), ("prescribed", "prescription"), ("booked", "bookings"), ("paid", "payments")],
)
def test_verbs_and_nouns_of_one_root(word: str, noun: str) -> None:
    assert have_one_root(word, noun)


@pytest.mark.parametrize(("word", "noun"), [("contracted", "contacts"), ("planned", "plants"), ("closed", "clothes")])
def test_words_that_only_begin_alike_have_no_root_in_common(word: str, noun: str) -> None:
    assert not have_one_root(word, noun)
