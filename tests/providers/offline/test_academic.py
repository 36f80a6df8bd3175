"""Questions in the style of academic sets: several tables, plain columns, one sentence that says the whole query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

RAILWAY = """
CREATE TABLE manager (manager_id INTEGER PRIMARY KEY, name TEXT, age INTEGER, nationality TEXT);
CREATE TABLE company (company_id INTEGER PRIMARY KEY, company_name TEXT, legal_form TEXT, founded_year INTEGER,
  manager_id INTEGER REFERENCES manager);
CREATE TABLE train (train_id INTEGER PRIMARY KEY, name TEXT, company_id INTEGER REFERENCES company,
  speed INTEGER, built_year INTEGER);
CREATE TABLE ticket (ticket_id INTEGER PRIMARY KEY, train_id INTEGER REFERENCES train, price REAL);
INSERT INTO manager VALUES (1, 'Ines Duarte', 61, 'Portugal'), (2, 'Olaf Brandt', 44, 'Norway');
INSERT INTO company VALUES (1, 'Northern Rail', 'Public', 1921, 2), (2, 'Alpine Lines', 'Private', 1985, 1),
  (3, 'Coast Express', 'Public', 2011, 2);
INSERT INTO train VALUES (1, 'Swift', 1, 210, 2004), (2, 'Heron', 1, 160, 1988), (3, 'Edelweiss', 2, 120, 1996),
  (4, 'Gannet', 3, 185, 2015);
INSERT INTO ticket VALUES (1, 1, 30.0), (2, 1, 45.5), (3, 3, 80.0);
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("Which is the oldest company?", [("Northern Rail",)]),
        ("Show the trains, from the fastest to the slowest.", [("Swift",), ("Gannet",), ("Heron",), ("Edelweiss",)]),
        ("List the names of trains from the oldest to the newest.",
         [("Heron",), ("Edelweiss",), ("Swift",), ("Gannet",)]),
        ("Show the legal forms shared by companies founded before 1950 and companies founded after 2000.",
         [("Public",)]),
    ],
)  # fmt: skip
def test_reads_plain_questions_of_several_tables(asking: Asking, question: str, rows: list[tuple[Any, ...]]) -> None:
    assert asking(RAILWAY, question)[1] == rows


@pytest.mark.parametrize(
    "question",
    [
        "How many people saw trains of Northern Rail?",  # the only people here manage companies
        "Which companies have 2 trains in one ticket?",
    ],
)
def test_refuses_what_it_can_only_guess(asking: Asking, question: str) -> None:
    with pytest.raises(QuestionError):
        asking(RAILWAY, question)


CLINIC = """
CREATE TABLE animal (animal_id INTEGER PRIMARY KEY, name TEXT, date_of_birth DATE, date_of_arrival DATE);
INSERT INTO animal VALUES (1, 'Bo', '2012-03-01', '2018-05-05'), (2, 'Mia', '2019-07-01', '2020-01-01');
CREATE TABLE section (section_id INTEGER PRIMARY KEY, section_name TEXT, section_description TEXT,
  other_details TEXT);
INSERT INTO section VALUES (1, 'North', 'warm', 'x'), (2, 'South', 'cold', 'y');
"""


def test_ties_a_period_to_the_day_of_the_deed_before_it(asking: Asking) -> None:
    assert asking(CLINIC, "Which animals were born after 2014?")[1] == [("Mia",)]


def test_never_drops_one_of_several_things_to_show(asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(CLINIC, "What are the names and describing details for all the sections?")
