"""Everyday wordings: averages at the end or the front, counts as an afterthought, dates as people say them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft
from sqlchat.providers.offline.spoken_dates import write_dates
from tests.providers.offline.conftest import TODAY

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

KENNEL = f"""
CREATE TABLE keepers (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, wing TEXT NOT NULL);
INSERT INTO keepers VALUES (1, 'Ida Holm', 'North'), (2, 'Sam Reed', 'South');
CREATE TABLE adopters (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, village TEXT NOT NULL);
INSERT INTO adopters VALUES (1, 'Eva Lund', 'Aker'), (2, 'Max Poe', 'Brim'), (3, 'Una Dahl', 'Aker');
CREATE TABLE dogs (id INTEGER PRIMARY KEY, name TEXT NOT NULL, keeper_id INTEGER REFERENCES keepers, breed TEXT,
  fee REAL, weight_kg REAL, arrived_on DATE, words INTEGER);
INSERT INTO dogs VALUES (1, 'Rex', 1, 'collie', 100, 20, '2024-02-01', 5), (2, 'Fly', 1, 'collie', 50, 10,
  '2024-02-14', 6), (3, 'Tess', 2, 'spaniel', 60, 12, '2024-03-20', 7), (4, 'Rex', NULL, 'spaniel', 80, 30,
  '2023-11-05', 8);
CREATE TABLE walks (id INTEGER PRIMARY KEY, dog_id INTEGER REFERENCES dogs, walked_on DATE);
INSERT INTO walks VALUES (1, 1, '{TODAY.year}-01-02'), (2, 1, '{TODAY.year - 1}-01-02');
CREATE TABLE applications (id INTEGER PRIMARY KEY, dog_id INTEGER REFERENCES dogs, adopter_id INTEGER REFERENCES
  adopters, applied_on DATE, result TEXT);
INSERT INTO applications VALUES (1, 1, 1, '2024-03-01', 'accepted'), (2, 1, 2, '2024-04-02', 'refused'),
  (3, 3, 1, '2024-04-20', 'refused'), (4, 3, 2, '2023-12-01', 'refused');
"""
CALLS = """
CREATE TABLE agents (id INTEGER PRIMARY KEY, name TEXT NOT NULL, weekly_hours REAL, joined DATE,
  remote BOOLEAN);
INSERT INTO agents VALUES (1, 'Ann', 30, '2024-01-01', 1), (2, 'Bo', 20, '2024-05-01', 0),
  (3, 'Cy', 25, '2023-01-01', 0);
CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT NOT NULL, registered_on DATE);
INSERT INTO clients VALUES (1, 'Cole', '2023-01-01'), (2, 'Dee', '2024-01-01');
CREATE TABLE desks (id INTEGER PRIMARY KEY, name TEXT NOT NULL, owner_id INTEGER REFERENCES agents, area_sqm REAL);
INSERT INTO desks VALUES (1, 'Window', 1, 3), (2, 'Corner', 2, 2);
CREATE TABLE calls (id INTEGER PRIMARY KEY, answered_by INTEGER REFERENCES agents, client_id INTEGER REFERENCES
  clients, called_on DATE);
INSERT INTO calls VALUES (1, 1, 1, '2024-01-01'), (2, 1, 2, '2024-01-02'), (3, 2, 1, '2023-03-01');
CREATE TABLE sales (id INTEGER PRIMARY KEY, customer TEXT, item TEXT, price REAL, sold_on DATE, paid_by TEXT);
INSERT INTO sales VALUES (1, 'Moe', 'pen', 6, '2024-01-01', 'account'), (2, 'Moe', 'ink', 7, '2024-01-01', 'card');
CREATE TABLE repairs (id INTEGER PRIMARY KEY, desk_id INTEGER REFERENCES desks, started_on DATE, due_on DATE,
  finished_on DATE);
INSERT INTO repairs VALUES (1, 1, '2024-01-01', '2024-01-05', '2024-01-07');
"""
JOBS = """
CREATE TABLE jobs (ref TEXT PRIMARY KEY, client TEXT, from_lang TEXT, into_lang TEXT, words INTEGER, sent_on DATE);
INSERT INTO jobs VALUES ('a', 'Hale', 'German', 'French', 10, '2024-01-01'), ('b', 'Hale', 'French', 'German', 20,
  '2024-01-02'), ('c', 'Moss', 'English', 'French', 40, '2024-01-03');
"""


@pytest.mark.parametrize(
    ("script", "question", "rows"),
    [
        (KENNEL, "which breed has the lowest weight on average?", [("collie",)]),
        (KENNEL, "in which wing are the fees highest on average?", [("North",)]),
        (KENNEL, "On average, how many applications do we get per dog?", [(2.0,)]),
        (KENNEL, "How many dogs have nobody assigned as keeper?", [(1,)]),
        (KENNEL, "How many adopters have not applied for anything?", [(1,)]),
        (KENNEL, "Which adopters have never applied?", [("Una Dahl",)]),
        (KENNEL, "What proportion of applications ended up refused?", [(75.0,)]),
        (KENNEL, "add up the fees of all dogs", [(290.0,)]),
        (KENNEL, "what do the fees of the collies add up to?", [(150.0,)]),
        (KENNEL, "dogs without a keeper - how many?", [(1,)]),
        (KENNEL, "dogs that arrived from 1 to 14 February 2024, just the number", [(2,)]),
        (KENNEL, "how many walks were there on 2 January?", [(1,)]),
        (KENNEL, "how many applications were there in spring 2024", [(3,)]),
        (KENNEL, "were there more applications in March than in April 2024?", [(1, 2, 0)]),
        (KENNEL, "most common dog name", [("Rex",)]),
        (CALLS, "who answered the most calls", [("Ann",)]),
        (CALLS, "who joined most recently", [("Bo", "2024-05-01")]),
        (CALLS, "who owns the largest desk", [("Ann", "Window", 3.0)]),
        (CALLS, "how many days late were the repairs on average", [(2.0,)]),
        (CALLS, "average weekly hours of remote and non-remote agents", [(1, 30.0), (0, 22.5)]),
        (CALLS, "how many agents are remote and how many are not?", [(0, 2), (1, 1)]),
        (CALLS, "number of agents with and without remote", [(0, 2), (1, 1)]),
        (KENNEL, "applications by adopter in 2024", [("Eva Lund", 2), ("Max Poe", 1)]),
        (JOBS, "words into French", [(50,)]),
        (JOBS, "how many words from German into French", [(10,)]),
        (JOBS, "who are our clients?", [("Hale",), ("Moss",)]),
        (JOBS, "top client by word count", [("Moss", 40)]),
    ],
)
def test_an_everyday_wording_is_read(script: str, question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert asking(script, question)[1] == rows


@pytest.mark.parametrize(
    ("question", "plain"),
    [
        ("jobs between the 1st and the 14th of February", "jobs from 1 February 2024 to 14 February 2024"),
        ("calls on 30 December", "calls on 30 December 2023"),
        ("calls in summer 2023", "calls from June 2023 to August 2023"),
        ("more calls in March than in April 2023", "more calls in March 2023 than in April 2023"),
        ("did we sell more in May or June", "did we sell more in May 2024 or June 2024"),
        ("rooms at 4 May Street", "rooms at 4 May Street"),
        ("calls from 3 March to 5 April 2023", "calls from 3 March to 5 April 2023"),
    ],
)
def test_dates_are_written_in_full(question: str, plain: str) -> None:
    assert write_dates(question, date(2024, 6, 15)) == plain


def test_a_seasons_months_are_told(asking: Asking) -> None:
    draft, _ = asking(KENNEL, "how many applications were there in spring 2024")
    assert any("March 2024" in text for text in draft.assumptions)


@pytest.mark.parametrize(
    "question",
    [
        "clients who called in 2024 but not in 2023",
        "which agent has the most calls per repair",
        "how many hours do agents work per week on average",
        "how many calls does an agent take per day on average",
        "largest desk of the windiest",
        "weekly hours of desks and non-desks",
        "customers who spent more than 10",
        "sales of members",
    ],
)
def test_what_would_be_answered_by_a_guess_is_refused(question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(CALLS, question)


def test_which_of_two_columns_is_meant_is_asked(asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(JOBS, "how many words in French?")
