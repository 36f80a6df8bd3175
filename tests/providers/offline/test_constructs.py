"""Constructs that any question may use, on a small harbour that no other test knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

HARBOUR = """
CREATE TABLE skipper (skipper_id INTEGER PRIMARY KEY, name TEXT, age INTEGER, home_port TEXT, sex TEXT);
CREATE TABLE boat (boat_id INTEGER PRIMARY KEY, boat_name TEXT, hull_type TEXT, length_m REAL, price_in_thousands
                   REAL,
                   number_of_berths INTEGER);
CREATE TABLE charter (skipper_id INTEGER REFERENCES skipper(skipper_id), boat_id INTEGER REFERENCES boat(boat_id),
                      year INTEGER, PRIMARY KEY (skipper_id, boat_id, year));
CREATE TABLE member (member_id INTEGER PRIMARY KEY REFERENCES skipper(skipper_id), since_year INTEGER);
INSERT INTO skipper VALUES (1, 'Ida', 30, 'Kiel', 'F'), (2, 'Jens', 55, 'Kiel', 'M'), (3, 'Kim', 61, 'Husum', 'F'),
                           (4, 'Lars', 20, 'Bremen', 'M');
INSERT INTO boat VALUES (1, 'Sea Hawk', 'steel', 12, 90, 6), (2, 'Morning Star', 'wood', 8, 30, 2),
                        (3, 'Hawk Eye', 'wood', 9, 45, 4);
INSERT INTO charter VALUES (1, 1, 2020), (1, 2, 2021), (2, 1, 2020), (3, 3, 2021), (3, 2, 2020);
INSERT INTO member VALUES (1, 2019), (3, 2020);
"""
Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("Which skippers have charters in both 2020 and 2021?", [("Ida",), ("Kim",)]),
        ("Which skippers chartered both Sea Hawk and Morning Star?", [("Ida",)]),
        ("Names of skippers with age above 60 or below 25", [("Kim",), ("Lars",)]),
        ("How many skippers of steel boats are older than 50?", [(1,)]),
        ("How many female skippers are there?", [(2,)]),
        ("names of boats with 'Hawk' in their name", [("Hawk Eye",), ("Sea Hawk",)]),
        ("boats whose name has the substring 'Star'", [("Morning Star",)]),
        ("What is the average price of wood boats?", [(37.5,)]),
        ("Show the boat with the largest number of berths", [("Sea Hawk",)]),
        ("boat names in descending order of number of berths", [("Sea Hawk",), ("Hawk Eye",), ("Morning Star",)]),
        ("Which hull type is used the most often?", [("wood",)]),
        ("How many charters are there for each hull type?", [("steel", 2), ("wood", 3)]),
        ("What are the different hull types and the number of boats in each?", [("steel", 1), ("wood", 2)]),
        ("names of skippers who did not charter any boat", [("Lars",)]),
        ("names of all members", [("Ida",), ("Kim",)]),
        ("How long is the Morning Star?", [(8.0,)]),
    ],
)
def test_the_rows_are_those_that_were_meant(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert sorted(asking(HARBOUR, question)[1]) == sorted(rows)


def test_a_verb_that_names_a_table_speaks_of_that_table(asking: Asking) -> None:
    script = """
    CREATE TABLE pupil (pupil_id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE course (course_id INTEGER PRIMARY KEY, title TEXT);
    CREATE TABLE registration (pupil_id INTEGER REFERENCES pupil(pupil_id), course_id INTEGER REFERENCES
        course(course_id), PRIMARY KEY (pupil_id, course_id));
    CREATE TABLE attendance (pupil_id INTEGER, course_id INTEGER, day DATE, FOREIGN KEY
        (pupil_id, course_id) REFERENCES registration(pupil_id, course_id));
    INSERT INTO pupil VALUES (1, 'Una'), (2, 'Vic');
    INSERT INTO course VALUES (1, 'Dance');
    INSERT INTO registration VALUES (1, 1), (2, 1);
    INSERT INTO attendance VALUES (2, 1, '2024-05-02');
    """
    assert asking(script, "Which pupils attended courses?")[1] == [("Vic",)]


def test_a_verb_that_names_a_table_which_the_reading_leaves_out_is_refused(asking: Asking) -> None:
    script = """
    CREATE TABLE guest (guest_id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE room (room_id INTEGER PRIMARY KEY, label TEXT);
    CREATE TABLE stay (guest_id INTEGER REFERENCES guest(guest_id), room_id INTEGER REFERENCES room(room_id),
        PRIMARY KEY (guest_id, room_id));
    CREATE TABLE performance_note (note_id INTEGER PRIMARY KEY, guest_id INTEGER REFERENCES
        guest(guest_id));
    """
    with pytest.raises(QuestionError, match="performance_note"):
        asking(script, "How many guests performed in rooms?")


def test_a_key_is_found_wherever_it_stands_in_a_table_without_declared_keys(asking: Asking) -> None:
    script = """
    CREATE TABLE studio (homepage TEXT, stid TEXT, sid INTEGER, name TEXT);
    CREATE TABLE painting (title TEXT, sid INTEGER);
    INSERT INTO studio VALUES ('a', 'x', 1, 'Attic'), ('b', 'y', 2, 'Barn');
    INSERT INTO painting VALUES ('Dawn', 1), ('Noon', 1), ('Dusk', 2);
    """
    assert asking(script, "number of paintings per studio")[1] == [("Attic", 2), ("Barn", 1)]


def test_a_column_of_several_tables_belongs_to_the_one_that_is_named(asking: Asking) -> None:
    script = """
    CREATE TABLE peak (peak_id INTEGER PRIMARY KEY, name TEXT, country TEXT);
    CREATE TABLE climber (climber_id INTEGER PRIMARY KEY, name TEXT, country TEXT,
        peak_id INTEGER REFERENCES peak(peak_id));
    INSERT INTO peak VALUES (1, 'A', 'Nepal'), (2, 'B', 'Nepal'), (3, 'C', 'Peru');
    INSERT INTO climber VALUES (1, 'Ola', 'Peru', 1), (2, 'Pia', 'Peru', 2);
    """
    assert asking(script, "List the countries that have more than one peak")[1] == [("Nepal",)]
    assert asking(script, "names of peaks climbed by climbers from Peru")[1] == [("A",), ("B",)]


def test_different_rows_of_a_table_without_a_name_are_refused(asking: Asking) -> None:
    with pytest.raises(QuestionError, match="different"):
        asking("CREATE TABLE reading (day DATE, level REAL)", "Show the different readings")


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("number of rooms of each cabin", [(2,), (6,)]),
        ("average number of rooms of cabins", [(4.0,)]),
        ("Which cabin has the largest number of rooms?", [("Fir",)]),
        ("Count the number of cabins without a stay", [(1,)]),
        ("How many stays are there for each cabin?", [("Elm", 2)]),
        ("cabins with more than 3 rooms", [("Fir",)]),
    ],
)
def test_a_column_of_counts_is_no_number_of_rows(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    script = """
    CREATE TABLE cabin (cabin_id INTEGER PRIMARY KEY, name TEXT, room_count INTEGER);
    CREATE TABLE stay (stay_id INTEGER PRIMARY KEY, cabin_id INTEGER REFERENCES cabin(cabin_id), nights INTEGER);
    INSERT INTO cabin VALUES (1, 'Elm', 2), (2, 'Fir', 6);
    INSERT INTO stay VALUES (1, 1, 3), (2, 1, 1);
    """
    assert sorted(asking(script, question)[1]) == rows


def test_a_thing_is_preferred_to_the_table_that_ties_it_to_others(asking: Asking) -> None:
    script = """
    CREATE TABLE person (person_id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE board_game (game_id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE plays_game (person_id INTEGER REFERENCES person(person_id), game_id INTEGER REFERENCES
        board_game(game_id), PRIMARY KEY (person_id, game_id));
    INSERT INTO board_game VALUES (1, 'Go'), (2, 'Ludo');
    """
    draft, rows = asking(script, "How many games are there?")
    assert rows == [(2,)]
    assert any("board_game" in each for each in draft.assumptions)


def test_a_key_named_by_a_short_form_of_its_table_joins_tables_without_declared_keys(asking: Asking) -> None:
    script = """
    CREATE TABLE tbl_keeper (kpr_id INTEGER, kpr_name TEXT);
    CREATE TABLE tbl_feeding (fdg_no TEXT, kpr_id INTEGER, kilos REAL);
    INSERT INTO tbl_keeper VALUES (1, 'Ann'), (2, 'Ben'), (3, 'Cy');
    INSERT INTO tbl_feeding VALUES ('F1', 1, 2.0), ('F2', 1, 3.0), ('F3', 2, 4.0);
    """
    assert asking(script, "Which keeper has the most feedings?")[1][0][0] == "Ann"
    assert asking(script, "keepers with no feedings")[1] == [("Cy",)]
    alien = script.replace("kpr_id INTEGER, kilos", "zzq_id INTEGER, kilos").replace("(kpr_id", "(zzq_id")
    with pytest.raises(QuestionError):
        asking(alien, "Which keeper has the most feedings?")
