"""Ages in years, delays, times between two days and since one, and figures in the unit that is asked for."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import duckdb
import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Task
from sqlchat.providers.offline.engine import OfflineProvider
from tests.providers.offline.conftest import TODAY, read_catalog, read_values

BALLOONS = """
CREATE TABLE pilot (
    pilot_id INTEGER PRIMARY KEY, full_name TEXT, base TEXT, birth_date DATE, hired_on DATE, left_on DATE
);
CREATE TABLE balloon (balloon_id INTEGER PRIMARY KEY, balloon_name TEXT, volume_ml REAL, weight_kg REAL);
CREATE TABLE flight (
    flight_id INTEGER PRIMARY KEY, balloon_id INTEGER REFERENCES balloon(balloon_id),
    pilot_id INTEGER REFERENCES pilot(pilot_id), flown_on DATE, air_minutes INTEGER
);
CREATE TABLE repair (
    repair_id INTEGER PRIMARY KEY, balloon_id INTEGER REFERENCES balloon(balloon_id),
    started_on DATE, due_on DATE, finished_on DATE
);
INSERT INTO pilot VALUES (1, 'Mia Ott', 'North', '1960-11-21', '2001-02-01', NULL),
    (2, 'Leo Bahn', 'North', '1985-11-20', '1999-03-01', '2020-01-01'),
    (3, 'Ada Kern', 'South', '2008-01-15', '2024-05-01', NULL);
INSERT INTO balloon VALUES (1, 'Cloud', 2500, 300), (2, 'Comet', 1500, 250);
INSERT INTO flight VALUES (1, 1, 1, '2025-01-11', 90), (2, 2, 1, '2025-02-05', 30),
    (3, 1, 3, '2025-11-10', 60);
INSERT INTO repair VALUES (1, 1, '2025-03-01', '2025-03-10', '2025-03-15'),
    (2, 2, '2025-04-01', '2025-04-10', '2025-04-08');
"""

RIGHT = [
    ("pilots older than 40", [("Mia Ott",)]),
    ("pilots aged 40 or over", [("Leo Bahn",), ("Mia Ott",)]),
    ("how many pilots are over 50 years old", [(1,)]),
    ("how many under 18s do we have", [(1,)]),
    ("pilots aged between 30 and 50", [("Leo Bahn",)]),
    ("pilots aged 40", [("Leo Bahn",)]),
    ("how old is Mia Ott", [(64,)]),
    ("average age by base", [("North", 52.0), ("South", 17.0)]),
    ("longest serving pilot", [("Mia Ott",)]),
    ("how many days late was each repair", [(1, 5.0), (2, -2.0)]),
    ("how many repairs were late", [(1,)]),
    ("how many repairs were finished on time", [(1,)]),
    ("average number of days between starting and finishing", [(10.5,)]),
    ("how many days since the last flight of each balloon", [("Cloud", 10.0), ("Comet", 288.0)]),
    ("average air minutes in hours", [(1.0,)]),
    ("total air time in hours", [(3.0,)]),
]
REFUSED = [
    "balloons older than 10 years",  # nothing tells the age of a balloon
    "pilots older than the sea",
    "average age of the balloons",
    "repairs that were too early",
]


@pytest.mark.parametrize(("question", "rows"), RIGHT, ids=[question for question, _ in RIGHT])
def test_times_are_read(asking, question, rows):
    _, answer = asking(BALLOONS, question)
    assert sorted(answer) == [pytest.approx(row) if isinstance(row[-1], float) else row for row in sorted(rows)]


@pytest.mark.parametrize("question", REFUSED)
def test_what_tells_no_time_is_refused(asking, question):
    with pytest.raises(QuestionError):
        asking(BALLOONS, question)


def test_a_figure_in_the_unit_of_its_column_is_not_converted(asking):
    assert asking(BALLOONS, "total air time in minutes")[1] == [(180,)]


@pytest.mark.parametrize(("question", "rows"), RIGHT, ids=[question for question, _ in RIGHT])
def test_other_databases_count_the_same(question, rows):
    with closing(sqlite3.connect(":memory:")) as database, closing(duckdb.connect(":memory:")) as duck:
        database.executescript(BALLOONS)
        duck.execute(BALLOONS)
        catalog, values = read_catalog(database), read_values(database, read_catalog(database))
        task = Task(question, replace(catalog, dialect="duckdb"), values=values)
        answer = duck.execute(OfflineProvider(today=lambda: TODAY).draft(task).sql).fetchall()
    assert sorted(answer) == [pytest.approx(row) if isinstance(row[-1], float) else row for row in sorted(rows)]
