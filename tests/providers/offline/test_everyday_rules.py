"""Everyday questions read by the kind of their words and columns: places, names, weekdays, percentages and more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft
from tests.providers.offline.conftest import Databases

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]
HOSTEL = """
CREATE TABLE rooms (id INTEGER PRIMARY KEY, wing TEXT);
INSERT INTO rooms VALUES (1, 'east'), (2, 'west'), (3, 'south');
CREATE TABLE stays (id INTEGER PRIMARY KEY, room_id INTEGER REFERENCES rooms (id), arrival DATE, total REAL);
INSERT INTO stays VALUES (1, 1, '2024-03-01', 100), (2, 1, '2024-03-08', 50), (3, 2, '2024-03-09', 70);
CREATE TABLE extras (id INTEGER PRIMARY KEY, stay_id INTEGER REFERENCES stays (id), label TEXT, qty INTEGER,
  price REAL);
INSERT INTO extras VALUES (1, 1, 'soap', 2, 3), (2, 3, 'towel', 1, 5);
"""
FREIGHT = """
CREATE TABLE hubs (id INTEGER PRIMARY KEY, town TEXT);
INSERT INTO hubs VALUES (1, 'Kiel'), (2, 'Bonn');
CREATE TABLE crates (id INTEGER PRIMARY KEY, hub_id INTEGER REFERENCES hubs (id), sent_on DATE, dest_town TEXT,
  grade TEXT, tries INTEGER, price REAL, state TEXT);
INSERT INTO crates VALUES (1, 1, '2024-03-01', 'Ulm', 'fast', 3, 10, 'shipped'), (2, 1, '2024-03-02', 'Trier', 'slow',
  1, 30, 'lost');
"""
TOURS = """
CREATE TABLE guides (id INTEGER PRIMARY KEY, full_name TEXT, email TEXT, town TEXT);
INSERT INTO guides VALUES (1, 'Anna Berg', 'anna@x.org', 'Ulm'), (2, 'Otto Roth', 'otto@x.com', 'Kiel'),
  (3, 'Otto Lang', 'lang@x.com', 'Ulm');
CREATE TABLE tours (id INTEGER PRIMARY KEY, guide_id INTEGER REFERENCES guides (id), theme TEXT, tour_date DATE,
  booked_on DATE, fee REAL, full_pct REAL);
INSERT INTO tours VALUES (1, 1, 'Castle', '2024-03-01', '2024-02-03', 10, 80),
  (2, 1, 'Castle', '2024-03-02', '2024-02-05', 20, 40), (3, 2, 'Cellar', '2024-03-03', '2024-02-05', 40, 95),
  (4, 3, 'Tower', '2024-07-02', '2024-06-05', NULL, NULL);
"""
"""2024-03-01 is a Friday."""
READ = [
    (TOURS, "how many upcoming tours are there", {(1,)}),
    (TOURS, "themes of upcoming tours", {("Tower",)}),
    (TOURS, "upcoming tours", {(4, 3, "Tower", "2024-07-02", "2024-06-05", None, None)}),
    (TOURS, "themes of tours with a full pct under 50 percent", {("Castle",)}),
    (FREIGHT, "hubs whose crates were lost more than once", set()),
    (FREIGHT, "hubs with more than 2 lost crates", set()),
    (FREIGHT, "hubs with at least 1 shipped crates", {(1, "Kiel")}),
    (FREIGHT, "how many hubs do we host", {(2,)}),
    (HOSTEL, "rooms nobody stayed in", {(3, "south")}),
    (HOSTEL, "which rooms did no one stay in?", {(3, "south")}),
    (TOURS, "guides whose email ends with .com", {("Otto Roth",), ("Otto Lang",)}),
    (TOURS, "guides whose email does not contain otto", {("Anna Berg",), ("Otto Lang",)}),
    (TOURS, "guides that have roth in their name", {("Otto Roth",)}),
    (TOURS, "which towns start with the letter K?", {("Kiel",)}),
    (TOURS, 'which towns end with "m"', {("Ulm",)}),
    (TOURS, "what is the email of Anna?", {("anna@x.org",)}),
    (TOURS, "email of Otto", {("otto@x.com",), ("lang@x.com",)}),
    (
        TOURS,
        "tours of Berg",
        {(1, 1, "Castle", "2024-03-01", "2024-02-03", 10, 80), (2, 1, "Castle", "2024-03-02", "2024-02-05", 20, 40)},
    ),
    (TOURS, "how many tours were booked on weekends", {(1,)}),
    (TOURS, "which tour dates were on a Friday", {("2024-03-01",)}),
    (TOURS, "weekend fee per theme", {("Castle", 20), ("Cellar", 40)}),
    (TOURS, "number of tours with a tour date on a Saturday or Sunday", {(2,)}),
    (HOSTEL, "total takings by wing", {("east", 150), ("west", 70)}),
    (HOSTEL, "extra revenue by label", {("soap", 6), ("towel", 5)}),
    (FREIGHT, "percentage of revenue that comes from fast", {(25,)}),
    (FREIGHT, "which towns do we ship to", {("Ulm",), ("Trier",)}),
]
REFUSED = [
    (TOURS, "guides including fee"),
    (TOURS, "which guides contain nuts"),
    (TOURS, "total fee over 10 percent"),
    (TOURS, "what is the email of Walter?"),
    (TOURS, "tours of Walter"),
    (TOURS, "how many tours were booked on Friday"),
    (HOSTEL, "best selling extra by revenue"),
]


@pytest.fixture(scope="module")
def ask() -> Iterator[Asking]:
    with closing(Databases(date(2024, 6, 15))) as databases:
        yield databases.ask


@pytest.mark.parametrize(("script", "question", "rows"), READ, ids=[case[1] for case in READ])
def test_reads(script: str, question: str, rows: set[tuple[Any, ...]], ask: Asking) -> None:
    _, found = ask(script, question)
    assert set(found) == rows
    assert len(found) == len(rows)


@pytest.mark.parametrize(("script", "question"), REFUSED, ids=[case[1] for case in REFUSED])
def test_refuses(script: str, question: str, ask: Asking) -> None:
    with pytest.raises(QuestionError):
        ask(script, question)


def test_suggests_the_states_there_are(ask: Asking) -> None:
    with pytest.raises(QuestionError) as caught:
        ask(FREIGHT, "are there any pending crates?")
    assert caught.value.facts["suggestions"][:2] == ["how many shipped crates?", "how many lost crates?"]


def test_tells_whose_name_was_read(ask: Asking) -> None:
    draft, _ = ask(TOURS, "email of Otto")
    assert '"Otto" is read as guides.full_name Otto Roth or Otto Lang.' in draft.assumptions
