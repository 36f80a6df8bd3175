"""Questions that the grammar refuses and the composer reads: from parts of names, units, roots and slips."""

import re
import sqlite3
from contextlib import closing
from datetime import date

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.offline.composer import Composer, choose
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.nouns import build_vocabulary
from tests.providers.offline.conftest import read_catalog

FARM = """
CREATE TABLE orchard (orchard_id INTEGER PRIMARY KEY, orchard_name TEXT, altitude_m INTEGER, irrigated BOOLEAN);
CREATE TABLE picker (picker_id INTEGER PRIMARY KEY, picker_name TEXT, village TEXT, left_on DATE);
CREATE TABLE picking (
    picking_id INTEGER PRIMARY KEY, orchard_id INTEGER REFERENCES orchard(orchard_id),
    picker_id INTEGER REFERENCES picker(picker_id), picked_on DATE, apple_sort TEXT, kg REAL, bruised_pct REAL
);
CREATE TABLE machine (
    machine_id INTEGER PRIMARY KEY, model TEXT, hire_price REAL, hours INTEGER, lent_on DATE, returned_on DATE
);
INSERT INTO orchard VALUES (1, 'Hilltop', 520, 1), (2, 'Riverside', 110, 0), (3, 'Old Wall', 480, 0);
INSERT INTO picker VALUES (1, 'Mara Lind', 'Aldbrook', NULL), (2, 'Tom Vale', 'Aldbrook', '2025-06-30'),
    (3, 'Ida Beck', 'Norton', NULL);
INSERT INTO picking VALUES (1, 1, 1, '2025-09-01', 'russet', 40.0, 5.0), (2, 2, 2, '2025-09-02', 'gala', 75.5, 22.0),
    (3, 2, 1, '2025-10-03', 'gala', 20.0, 8.0), (4, 3, 2, '2024-09-05', 'russet', 31.0, 25.0);
INSERT INTO machine VALUES (1, 'Lift', 90.0, 6, '2025-09-01', '2025-09-04'), (2, 'Cart', 30.0, 3, '2025-09-02', NULL);
"""

RIGHT = [
    ("kilos of apples picked each year", [("2024", 31.0), ("2025", 135.5)]),
    ("how many kilos of gala did Mara Lind pick", [(20.0,)]),
    ("total russet apples per orchard", [("Hilltop", 40.0), ("Old Wall", 31.0)]),
    ("Which orchards lie above 450 m?", [("Hilltop",), ("Old Wall",)]),
    ("does Tom Vale live in Aldbrook?", [(1, 1)]),
    ("when was Riverside last picked?", [("2025-10-03",)]),
    ("hire price per hour for each machine", [(1, 15.0), (2, 10.0)]),
    ("picking that was bruised above 20 percent", 2),
]
REFUSED = [
    "how many pickers were stung by wasps",
    "which orchards are haunted",
    "apples eaten by deer per orchard",
    "orchards above 450 m that nobody likes",
    "which picker has the best tractor",
    "How many machines did the Martians lend?",
    "kilos of pears picked each year",
]


@pytest.mark.parametrize(("question", "rows"), RIGHT, ids=[question for question, _ in RIGHT])
def test_it_reads_what_the_grammar_refuses(asking, question, rows):
    _, answer = asking(FARM, question)
    if isinstance(rows, int):
        assert len(answer) == rows
    else:
        assert sorted(tuple(row) for row in answer) == sorted(rows)


@pytest.mark.parametrize("question", REFUSED)
def test_a_word_that_is_not_understood_is_refused(asking, question):
    with pytest.raises(QuestionError):
        asking(FARM, question)


def test_a_weak_hint_is_told(asking):
    draft, _ = asking(FARM, "kilos of apples picked each year")
    assert any("picking.kg" in text for text in draft.assumptions)


@pytest.fixture(scope="module")
def composer():
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(FARM)
        catalog = read_catalog(database)
        values = {
            ("", "picking", "apple_sort"): ("russet", "gala"),
            ("", "picker", "village"): ("Aldbrook", "Norton"),
        }
        linker = Linker(catalog, values)
        joins = Joins(linker.tables)
        yield Composer(linker, joins, build_vocabulary(linker, joins), date(2025, 11, 20), "sqlite")


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("pickings of more than 30 kilos", "> 30"),
        ("pickings not of gala", "<> 'gala'"),
        ("pickings of gala since 2025", ">= '2025-01-01'"),
        ("orchards that were never picked", "NOT EXISTS|IS NULL"),
        ("the 2 heaviest pickings by kg", "LIMIT 2"),
    ],
)
def test_no_reading_drops_a_number_a_negation_or_a_period(composer, question, part):
    candidates = composer.compose(question)
    assert candidates
    assert all(re.search(part, candidate.select.sql(dialect="sqlite")) for candidate in candidates)


def test_two_readings_that_are_as_good_are_no_answer(composer):
    best, *_ = composer.compose("Which orchards lie above 450 m?")
    assert choose([best]) is best
    assert choose([best, best]) is None
