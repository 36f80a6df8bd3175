"""Questions that tempt to a wrong answer: a word that is a name elsewhere, one of two figures, a state left out.

Each is read as a person means it, or refused with the word at fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

FERRY = """
CREATE TABLE "Ferry Log" ("Trip No" INTEGER, "Day" DATE, "Skipper Name" TEXT, "Fare Type" TEXT, Passengers INTEGER,
  "Amount Taken" REAL, "Amount Booked" REAL, "Price per Seat" REAL, Aborted BOOLEAN, Remarks TEXT, Complaint TEXT);
INSERT INTO "Ferry Log" VALUES
  (1, '2025-10-01', 'Ines', 'day', 5, 10, 11, 2, 0, 'rough crossing', 'delay'), (2, '2025-10-02', 'Ines', 'day', 6,
  12, 12, 2, 1, NULL, 'delay'), (3, '2025-11-03', 'Omar', 'night', 1, 15, 15, 9, 0, NULL, 'noise'),
  (4, '2025-11-04', 'Omar', 'night', 1, 3, 3, 3, 0, NULL, NULL), (5, '2025-11-05', 'Lea', 'day', 7, 14, 14, 2, 1,
  'dirty deck', NULL);
"""
CREW = """
CREATE TABLE mates (mate_id INTEGER PRIMARY KEY, mate_nm TEXT, first_aider BOOLEAN, phone TEXT, birth_dt DATE,
  hired_dt DATE, member_since DATE, term_dt DATE, trained_until DATE, town TEXT);
INSERT INTO mates VALUES
  (1, 'Ann', 1, NULL, '1990-01-01', '2023-01-01', '2023-01-01', NULL, '2026-01-01', 'Turku'),
  (2, 'Bo', 1, NULL, '1991-01-01', '2023-02-01', '2024-05-01', '2025-01-01', '2024-01-01', 'Turku'),
  (3, 'Cy', 0, '12', '1992-01-01', '2024-02-01', '2025-05-01', NULL, NULL, 'Vaasa');
CREATE TABLE tours (tour_id INTEGER PRIMARY KEY, mate_id INTEGER REFERENCES mates, tour_nm TEXT, kind TEXT,
  sailed_on DATE, distance_km REAL, left_at DATETIME, ended_at DATETIME);
INSERT INTO tours VALUES
  (1, 1, 'Seal Watching', 'town', '2025-03-01', 9, '2025-03-01 08:00:00', '2025-03-01 09:00:00'),
  (2, 1, 'Night Bay', 'sea', '2025-11-02', 5, '2025-11-02 08:00:00', '2025-11-02 12:00:00'),
  (3, 2, 'Harbour', 'town', '2024-11-02', 7, '2024-11-02 08:00:00', '2024-11-02 10:00:00');
CREATE TABLE permits (permit_id INTEGER PRIMARY KEY, mate_id INTEGER REFERENCES mates, valid_from DATE, valid_to DATE,
  paid BOOLEAN);
INSERT INTO permits VALUES (1, 1, '2025-01-01', '2025-12-31', 1), (2, 2, '2025-02-01', '2025-03-31', 0),
  (3, 3, '2025-11-20', '2026-11-20', 1);
"""
SHOP = """
CREATE TABLE clerks (clerk_id INTEGER PRIMARY KEY, name TEXT NOT NULL, till_card BOOLEAN);
INSERT INTO clerks VALUES (1, 'Uma', 1), (2, 'Viv', 0);
CREATE TABLE repairs (repair_id INTEGER PRIMARY KEY, clerk_id INTEGER REFERENCES clerks, owner_name TEXT, brand TEXT,
  stage TEXT, paid REAL, way TEXT);
INSERT INTO repairs VALUES (1, 1, 'Max', 'Bosch', 'cleaning', 5, 'card'), (2, 1, 'Max', 'AEG', 'ready', 0, 'card'),
  (3, 1, 'Ida', 'AEG', 'ready', 7, 'cash');
CREATE TABLE goods (good_id INTEGER PRIMARY KEY, good TEXT, cost_price REAL, list_price REAL, built_year INTEGER);
INSERT INTO goods VALUES (1, 'Lamp', 5, 9, 2001), (2, 'Cord', 1, 2, 2024);
CREATE TABLE sales (sale_id INTEGER PRIMARY KEY, good_id INTEGER REFERENCES goods, sold_on DATE, quantity INTEGER,
  unit_price REAL, way TEXT);
INSERT INTO sales VALUES (1, 1, '2025-01-01', 1, 9, 'card'), (2, 2, '2025-01-02', 3, 2, 'cash');
"""
SCHOOL = """
CREATE TABLE courses (course_id INTEGER PRIMARY KEY, title TEXT NOT NULL, fee REAL, starts_on DATE);
INSERT INTO courses VALUES (1, 'Knots', 10, '2025-01-01'), (2, 'Sails', 90, '2025-02-01');
CREATE TABLE bookings (booking_id INTEGER PRIMARY KEY, course_id INTEGER REFERENCES courses, pupil TEXT,
  booked_on DATE, amount_paid REAL, dropped_on DATE);
INSERT INTO bookings VALUES (1, 1, 'A', '2025-01-01', 8, NULL), (2, 1, 'B', '2025-01-02', 9, '2025-02-01'),
  (3, 2, 'C', '2025-01-03', 5, NULL);
"""


@pytest.mark.parametrize(
    ("script", "question", "rows"),
    [
        (FERRY, "top 2 skippers by amount taken", [("Ines", 22.0), ("Omar", 18.0)]),
        (FERRY, "which skippers had an aborted trip?", [("Ines",), ("Lea",)]),
        (CREW, "first aiders without a phone", [("Ann",), ("Bo",)]),
        (CREW, "number of tours per mate", [("Ann", 2), ("Bo", 1)]),
        (CREW, "how many permits are valid today?", [(2,)]),
        (CREW, "how many permits were valid on 2025-03-01?", [(2,)]),
        (CREW, "how many mates do we have at the moment?", [(2,)]),
        (CREW, "how many mates are there now?", [(2,)]),
        (CREW, "which mates are still trained?", [("Ann",)]),
        (CREW, "mates since 2024", [("Bo",), ("Cy",)]),
        (CREW, "mates without tours since March 2025", [("Bo",), ("Cy",)]),
        (CREW, "how many mates live in the town of Turku?", [(2,)]),
        (SHOP, "repairs not paid by card", [(3, 1, "Ida", "AEG", "ready", 7.0, "cash")]),
        (SHOP, "which good was sold most?", [("Cord",)]),
        (SCHOOL, "income per course", [("Knots", 17.0), ("Sails", 5.0)]),
        (SCHOOL, "how many bookings do we have right now?", [(2,)]),
    ],
    ids=lambda value: value if isinstance(value, str) and "CREATE" not in value else "",
)
def test_a_tempting_question_is_read_as_it_is_meant(
    script: str, question: str, rows: list[tuple[Any, ...]], asking: Asking
) -> None:
    draft, found = asking(script, question)
    assert sorted(found, key=str) == sorted(rows, key=str), draft.sql


@pytest.mark.parametrize(
    ("script", "question", "culprit"),
    [
        (FERRY, "how many crossings were aborted?", "crossings"),
        (FERRY, "trips over 4 seats", "seats"),
        (SHOP, "which goods cost more than 4?", "cost"),
        (CREW, "which mates have never watched?", "watched"),
        (CREW, "income in 2025", "income"),
        (CREW, "which mates have left?", "left"),
        (CREW, "which mate has the highest tour?", "tour"),
        (CREW, "longest tour", "Long"),
        (SHOP, "people who own 2 or more repairs", "people"),
        (SHOP, "how many repairs were cleaned?", "cleaned"),
        (SHOP, "goods that cost more than 4", "cost"),
        (SHOP, "goods older than 10 years", "older"),
        (SHOP, "total unit price", "unit price"),
        (SHOP, "sales without a way", "sales"),
    ],
    ids=lambda value: value if isinstance(value, str) and "CREATE" not in value else "",
)
def test_a_doubtful_question_is_refused_by_name(script: str, question: str, culprit: str, asking: Asking) -> None:
    with pytest.raises(QuestionError) as caught:
        asking(script, question)
    assert culprit in str(caught.value), caught.value


def test_people_of_two_kinds_are_both_offered(asking: Asking) -> None:
    with pytest.raises(QuestionError) as caught:
        asking(SHOP, "people with more than 1 repair")
    assert '"people" may mean clerks or repairs.owner_name.' in str(caught.value)
    assert len(caught.value.facts["suggestions"]) == 2
    for suggestion in caught.value.facts["suggestions"]:
        assert asking(SHOP, suggestion)[1]


def test_the_condition_of_now_is_stated(asking: Asking) -> None:
    draft, _ = asking(CREW, "how many mates do we currently have?")
    assert '"currently" is read as mates.term_dt not being over.' in draft.assumptions


def test_a_state_that_nothing_tells_is_stated_as_left_out(asking: Asking) -> None:
    script = "CREATE TABLE tools (tool TEXT, status TEXT); INSERT INTO tools VALUES ('Saw', 'lent'), ('Axe', 'gone');"
    draft, rows = asking(script, "how many tools do we have at the moment?")
    assert rows == [(2,)]
    assert '"at the moment" changes nothing: rows in any state are meant.' in draft.assumptions


LODGE = """
CREATE TABLE guests (guest_id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT);
INSERT INTO guests VALUES (1, 'Ada', 'regular'), (2, 'Ben', 'casual'), (3, 'Cleo', 'casual');
CREATE TABLE cabins (cabin_id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO cabins VALUES (1, 'Heron'), (2, 'Otter');
CREATE TABLE stays (stay_id INTEGER PRIMARY KEY, guest_id INTEGER NOT NULL REFERENCES guests,
  cabin_id INTEGER REFERENCES cabins, bill REAL);
INSERT INTO stays VALUES (1, 1, 1, 50), (2, 2, 1, 20), (3, 3, 2, 30);
"""


@pytest.mark.parametrize(
    "question", ["how many people work at the Heron cabin?", "how many people are employed at the Otter cabin?"]
)
def test_who_is_served_does_not_work_there(question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(LODGE, question)
    assert asking(LODGE, "how many people stayed in the Heron cabin?")[1] == [(2,)]


@pytest.mark.parametrize(
    "question", ["average bill for regular and for casual guests", "total bill of regular guests and casual guests"]
)
def test_two_values_of_a_column_are_never_asked_of_one_row(question: str, asking: Asking) -> None:
    """Each has a figure of its own, or the question is refused."""
    try:
        rows = asking(LODGE, question)[1]
    except QuestionError:
        return
    assert len(rows) == 2
    assert None not in {row[-1] for row in rows}
