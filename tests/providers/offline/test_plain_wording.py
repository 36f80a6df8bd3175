"""Everyday wording that names totals, periods, columns and tables in passing, on two small databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

ORCHARD = """
CREATE TABLE grower (grower_id INTEGER PRIMARY KEY, name TEXT, ctry TEXT, birth_year INTEGER);
INSERT INTO grower VALUES (1, 'Ada', 'NL', 1970), (2, 'Bo', 'DE', 1980), (3, 'Cy', 'DE', 2024);
CREATE TABLE tree (
    tree_id INTEGER PRIMARY KEY, grower_id INTEGER REFERENCES grower(grower_id), sort TEXT, planted_on DATE,
    felled_on DATE, graft_checked BOOLEAN
);
INSERT INTO tree VALUES
    (1, 1, 'apple', '2020-01-05', NULL, 1), (2, 1, 'pear', '2021-03-01', '2024-02-02', 0),
    (3, 2, 'apple', '2022-01-05', '2025-02-02', 0), (4, 1, 'plum', '2022-07-05', NULL, 1);
CREATE TABLE crop (crop_id INTEGER PRIMARY KEY, tree_id INTEGER REFERENCES tree(tree_id), picked_on DATE, kg REAL);
INSERT INTO crop VALUES
    (1, 1, '2023-09-01', 10), (2, 1, '2024-09-01', 20), (3, 2, '2023-09-03', 40), (4, 3, '2024-09-05', 50),
    (5, 3, '2022-09-05', 15);
"""
WORKSHOP = """
CREATE TABLE ws_cust (cid INTEGER PRIMARY KEY, name TEXT);
INSERT INTO ws_cust VALUES (1, 'Lee'), (2, 'Moe'), (3, 'Nan');
CREATE TABLE ws_bkg (
    bid INTEGER PRIMARY KEY, cid INTEGER REFERENCES ws_cust(cid), arr DATE, job_type TEXT, quoted_amount REAL,
    billed_amount REAL
);
INSERT INTO ws_bkg VALUES
    (1, 1, '2024-03-01', 'brakes', 100, 120), (2, 1, '2024-03-09', 'paint', 200, 200),
    (3, 2, '2024-04-01', 'paint', 50, 40), (4, 1, '2024-05-01', 'brakes', 80, 95);
CREATE TABLE ws_extra (
    xid INTEGER PRIMARY KEY, bid INTEGER REFERENCES ws_bkg(bid), what TEXT, qty INTEGER, price REAL
);
INSERT INTO ws_extra VALUES (1, 1, 'oil', 2, 10), (2, 2, 'oil', 1, 10), (3, 2, 'wax', 2, 5);
"""
STAGE = """
CREATE TABLE tickets ("Ticket No" INTEGER PRIMARY KEY, "Show Title" TEXT, "Seats" INTEGER);
INSERT INTO tickets VALUES (1, 'Faust', 2), (2, 'Faust', 1), (3, 'Carmen', 2);
"""


@pytest.mark.parametrize(
    ("script", "question", "rows"),
    [
        (ORCHARD, "top 2 growers by kg", [("Ada", 70.0), ("Bo", 65.0)]),
        (ORCHARD, "which grower had the most kg in 2024?", [("Bo",)]),
        (ORCHARD, "kg per year", [("2022", 15.0), ("2023", 50.0), ("2024", 70.0)]),
        (ORCHARD, "how many trees were felled in 2024 and 2025?", [(2,)]),
        (ORCHARD, "number of trees planted in 2020 or 2021", [(2,)]),
        (ORCHARD, "growers keeping more than two trees", [("Ada",)]),
        (ORCHARD, "number of growers per country", [("DE", 2), ("NL", 1)]),
        (ORCHARD, "how many trees are there where the graft was not checked", [(2,)]),
        (WORKSHOP, "customers who booked more than 2 times", [("Lee",)]),
        (WORKSHOP, "customers that were never booked", [("Nan",)]),
        (WORKSHOP, "how many arrivals were there in March 2024?", [(2,)]),
        (WORKSHOP, "average quote for brakes", [(90.0,)]),
        (STAGE, "number of tickets per show", [("Faust", 2), ("Carmen", 1)]),
        (STAGE, "tickets for each show", [("Faust", 2), ("Carmen", 1)]),
    ],
)
def test_the_rows_are_those_meant(script: str, question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert asking(script, question)[1] == rows


def test_a_total_that_nobody_named_is_told(asking: Asking) -> None:
    told = asking(ORCHARD, "top 2 growers by kg")[0].assumptions
    assert any("The total of crop.kg is taken for each grower" in each and '"average kg"' in each for each in told)


def test_a_verb_that_is_left_out_is_told(asking: Asking) -> None:
    assert '"keeping" adds nothing to this.' in asking(ORCHARD, "growers keeping more than two trees")[0].assumptions


@pytest.mark.parametrize(
    ("script", "question", "reason"),
    [
        (ORCHARD, "Which grower has the highest kg?", "may have several kg"),
        (ORCHARD, "list the growers from highest to lowest", "what to rank by"),
        (ORCHARD, "how many growers were there in 2024?", "no meaning|no date|does not"),
        (WORKSHOP, "how many jobs were there?", "may be the job types"),
        (WORKSHOP, "best selling extra", "no meaning|name the column"),
    ],
)
def test_what_stays_unclear_is_refused(script: str, question: str, reason: str, asking: Asking) -> None:
    with pytest.raises(QuestionError, match=reason):
        asking(script, question)


def test_no_year_of_birth_dates_a_grower(asking: Asking) -> None:
    assert asking(ORCHARD, "how many growers were born in 1980?")[1] == [(1,)]
