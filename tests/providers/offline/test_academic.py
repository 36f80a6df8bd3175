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


FERRIES = """
CREATE TABLE harbour (code TEXT PRIMARY KEY, harbour_name TEXT, town TEXT);
CREATE TABLE line (line_id INTEGER PRIMARY KEY, line_name TEXT);
CREATE TABLE crossing (crossing_id INTEGER PRIMARY KEY, line_id INTEGER REFERENCES line,
  source_harbour TEXT REFERENCES harbour, dest_harbour TEXT REFERENCES harbour, minutes INTEGER);
INSERT INTO harbour VALUES ('OST', 'Ostend Quay', 'Ostend'), ('RAM', 'Royal Harbour', 'Ramsgate'),
  ('CAL', 'Calais Port', 'Calais'), ('DIE', 'Old Dock', 'Dieppe');
INSERT INTO line VALUES (1, 'Blue Line'), (2, 'Gull Line');
INSERT INTO crossing VALUES (1, 1, 'OST', 'RAM', 240), (2, 1, 'RAM', 'OST', 235), (3, 2, 'CAL', 'RAM', 90),
  (4, 2, 'OST', 'CAL', 120);
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("How many crossings depart from Ostend?", [(2,)]),
        ('How many crossings arrive in the town "Ramsgate"?', [(2,)]),
        ('How many crossings leave from the harbour "OST"?', [(2,)]),
        ("How many crossings go from Ostend to Ramsgate?", [(1,)]),
        ("How many crossings arrive in Calais or Ramsgate?", [(3,)]),
        ("Which lines have crossings from Calais?", [("Gull Line",)]),
        ("Which town has the most departing crossings?", [("Ostend",)]),
        ("Which harbours have no arriving crossings?", [("Old Dock",)]),
    ],
)
def test_tells_two_keys_to_one_table_apart_by_directions(
    asking: Asking, question: str, rows: list[tuple[Any, ...]]
) -> None:
    assert asking(FERRIES, question)[1] == rows


def test_says_which_of_several_keys_is_followed(asking: Asking) -> None:
    draft, _ = asking(FERRIES, "Which town has the most departing crossings?")
    assert "Of several keys crossing.source_harbour is followed." in draft.assumptions


@pytest.mark.parametrize(
    "question", ["Which town has the most crossings?", "Which harbours have no crossings arriving or departing?"]
)
def test_refuses_where_no_word_tells_the_keys_apart(asking: Asking, question: str) -> None:
    with pytest.raises(QuestionError):
        asking(FERRIES, question)


def test_refuses_two_lists_in_one(asking: Asking) -> None:
    script = """
    CREATE TABLE keeper (keeper_id INTEGER PRIMARY KEY, name TEXT, town TEXT);
    CREATE TABLE dog (dog_id INTEGER PRIMARY KEY, keeper_id INTEGER REFERENCES keeper, dog_name TEXT);
    CREATE TABLE vet (vet_id INTEGER PRIMARY KEY, name TEXT, town TEXT);
    CREATE TABLE visit (visit_id INTEGER PRIMARY KEY, dog_id INTEGER REFERENCES dog, vet_id INTEGER REFERENCES vet);
    INSERT INTO keeper VALUES (1, 'Ann', 'Kent'), (2, 'Bo', 'Rye'); INSERT INTO dog VALUES (1, 1, 'Rex');
    INSERT INTO vet VALUES (1, 'Cid', 'Kent'), (2, 'Di', 'Rye'); INSERT INTO visit VALUES (1, 1, 2);
    """
    with pytest.raises(QuestionError):
        asking(script, "List the names of all the keepers and all the vets living in the town Kent.")


def test_keeps_the_zeros_that_a_text_of_digits_begins_with(asking: Asking) -> None:
    script = """
    CREATE TABLE caller (caller_id INTEGER PRIMARY KEY, name TEXT, phone_number TEXT);
    INSERT INTO caller VALUES (1, 'Ann', '0970016'), (2, 'Bo', '970016');
    """
    assert asking(script, "What is the name of the caller with the phone number 0970016?")[1] == [("Ann",)]


ISLES = """
CREATE TABLE isle (code TEXT PRIMARY KEY, name TEXT, chain TEXT, area REAL, settled_year INTEGER, height REAL);
CREATE TABLE spoken (code TEXT REFERENCES isle, tongue TEXT, official TEXT, PRIMARY KEY (code, tongue));
INSERT INTO isle VALUES ('A', 'Arra', 'North', 40, 1850, 310), ('B', 'Brin', 'North', 12, 1790, 90),
  ('C', 'Corse', 'South', 55, 1910, 200), ('D', 'Dun', 'South', 8, 1890, 15);
INSERT INTO spoken VALUES ('A', 'Irish', 'T'), ('A', 'Manx', 'F'), ('A', 'Norn', 'F'), ('B', 'Irish', 'T'),
  ('C', 'Manx', 'T'), ('C', 'Irish', 'F'), ('D', 'Norn', 'T');
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("Which isles are bigger than every isle of the chain North?", [("Corse",)]),
        ("Which isles have a larger area than the average area of all isles of the chain South?",
         [("Arra",), ("Corse",)]),
        ("Which isles have an area above the minimum area of all isles settled after 1880?",
         [("Arra",), ("Brin",), ("Corse",)]),
        ('Which isles are larger than "Arra"?', [("Corse",)]),
        ("Which isles have a greater height than the isle Corse?", [("Arra",)]),
        ("How many isles have a smaller height than 100?", [(2,)]),
        ("Which isles speak Manx or Norn?", [("Arra",), ("Corse",), ("Dun",)]),
        ("Which isles speak both Irish and Manx?", [("Arra",), ("Corse",)]),
        ("Give the names of isles where both Irish and Norn are spoken.", [("Arra",)]),
        ("How many isles speak at least 2 tongues?", [(2,)]),
    ],
)  # fmt: skip
def test_compares_with_other_rows(asking: Asking, question: str, rows: list[tuple[Any, ...]]) -> None:
    assert sorted(asking(ISLES, question)[1]) == rows


@pytest.mark.parametrize(
    "question",
    [
        "Which isles are larger than any isle of the chain North?",  # than each of them, or than one
        "Which isles are larger than every isle of the chain North and settled after 1900?",
    ],
)
def test_refuses_comparisons_of_two_senses(asking: Asking, question: str) -> None:
    with pytest.raises(QuestionError):
        asking(ISLES, question)


STAGES = """
CREATE TABLE drama (drama_id INTEGER PRIMARY KEY, title TEXT, genre TEXT);
CREATE TABLE staging (staging_id INTEGER PRIMARY KEY, drama_id INTEGER REFERENCES drama, venue TEXT,
  critic_rating REAL, visitors INTEGER, cost_of_staging REAL, date_of_staging DATE);
INSERT INTO drama VALUES (1, 'Dust', 'Tragedy'), (2, 'Ferns', 'Comedy'), (3, 'Gulls', 'Comedy');
INSERT INTO staging VALUES (1, 1, 'Old Hall', 7.5, 300, 1000, '2021-02-01'), (2, 2, 'Old Hall', 9.1, 150, 500,
  '2022-03-01'), (3, 2, 'New Hall', 4.0, 90, 700, '2022-05-01'), (4, 3, 'New Hall', NULL, 80, 50, '2023-01-01');
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("Return the title of the drama with the highest critic rating.", [("Ferns",)]),
        ("Return the title of the drama with the lowest critic rating.", [("Ferns",)]),
        ("What are the titles of the dramas with the top 2 highest critic ratings?", [("Ferns",), ("Dust",)]),
        ("List the venues with average visitors above 100.", [("Old Hall",)]),
        ("List the venues with an average critic rating below 5.", [("New Hall",)]),
        ("What is the total cost of the stagings of each drama?", [("Ferns", 1200), ("Dust", 1000), ("Gulls", 50)]),
        ("Which genre does Gulls belong to?", [("Comedy",)]),
    ],
)
def test_ranks_by_what_belongs_to_rows(asking: Asking, question: str, rows: list[tuple[Any, ...]]) -> None:
    assert asking(STAGES, question)[1] == rows


def test_says_that_one_row_decides(asking: Asking) -> None:
    draft, _ = asking(STAGES, "Return the title of the drama with the highest critic rating.")
    assert "The one row with the highest staging.critic_rating is taken." in draft.assumptions


def test_never_takes_the_name_of_one_table_for_another(asking: Asking) -> None:
    script = """
    CREATE TABLE isle (code TEXT PRIMARY KEY, name TEXT);
    CREATE TABLE isletongue (isle_code TEXT REFERENCES isle, tongue TEXT, is_official TEXT,
      PRIMARY KEY (isle_code, tongue));
    INSERT INTO isle VALUES ('A', 'Arra'), ('B', 'Brin');
    INSERT INTO isletongue VALUES ('A', 'Irish', 'T'), ('B', 'Irish', 'F'), ('B', 'Norn', 'T');
    """
    with pytest.raises(QuestionError):
        asking(script, "What are the names of the isles where Irish is an official tongue?")


def test_leaves_out_those_of_an_exception(asking: Asking) -> None:
    question = "Show the titles of all dramas except for dramas having a staging in 2022."
    assert asking(STAGES, question)[1] == [("Dust",), ("Gulls",)]
