"""Questions of which a part could be lost on the way: each is read with it, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

CLUB = """
CREATE TABLE cl_interviews (interview_id INTEGER, interviewer TEXT, score INTEGER, held_on DATE, booked_on DATE);
INSERT INTO cl_interviews VALUES (1, 'Jo', 5, '2024-01-01', '2023-01-01'), (2, 'Al', 7, '2024-02-01', '2023-02-01'),
  (3, 'Al', 8, '2024-02-02', '2023-05-01');
CREATE TABLE cl_squads (squad_id INTEGER PRIMARY KEY, squad_name TEXT, founded INTEGER);
INSERT INTO cl_squads VALUES (1, 'Zebras', 1900), (2, 'Ants', 1950);
CREATE TABLE cl_players (player_id INTEGER PRIMARY KEY, player_name TEXT, squad_id INTEGER REFERENCES cl_squads);
INSERT INTO cl_players VALUES (1, 'Pim', 1);
CREATE TABLE cl_jobs (job_id INTEGER PRIMARY KEY, title TEXT, salary_min INTEGER, salary_max INTEGER);
INSERT INTO cl_jobs VALUES (1, 'Cook', 10, 90), (2, 'Baker', 20, 30);
"""
SALES = """
CREATE TABLE sales_log (id INTEGER PRIMARY KEY, show TEXT, shown_on DATE, sold_on DATE, seats INTEGER, tip REAL,
  paid_by TEXT, spillage REAL);
INSERT INTO sales_log VALUES (1, 'Jazz', '2024-03-16', '2023-11-27', 4, 2, 'card', 1), (2, 'Jazz', '2024-03-16',
  '2024-01-02', 2, 1, 'cash', 2), (3, 'Pop', '2024-05-16', '2024-01-05', 1, 3, 'card', 5);
"""


@pytest.mark.parametrize(
    ("script", "question", "rows"),
    [
        (CLUB, "average score per interviewer", [("Al", 7.5), ("Jo", 5.0)]),
        (CLUB, "job with the highest maximum salary", [("Cook",)]),
        (CLUB, "average score per month booked", [("2023-01", 5.0), ("2023-02", 7.0), ("2023-05", 8.0)]),
        (SALES, "total seats by the month they were sold on", [("2023-11", 4), ("2024-01", 3)]),
        (SALES, "average tip: card or cash?", [("card", 2.5), ("cash", 1.0)]),
    ],
)
def test_each_part_counts(script: str, question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert sorted(asking(script, question)[1]) == rows


@pytest.mark.parametrize(
    ("script", "question", "reason"),
    [
        (CLUB, "who is the coach of Zebras", '"coach"'),
        (CLUB, "squads from oldest to youngest", "no column tells the age"),
        (SALES, "spillage for card and cash", 'say "total spillage"'),
    ],
)
def test_what_is_not_there_is_refused(script: str, question: str, reason: str, asking: Asking) -> None:
    with pytest.raises(QuestionError, match=reason):
        asking(script, question)


def test_a_count_instead_of_a_sum_is_told(asking: Asking) -> None:
    draft, rows = asking(CLUB, "total interviews")
    assert rows == [(3,)]
    assert "cl_interviews are counted, not added up." in draft.assumptions
