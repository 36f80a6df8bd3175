"""Comparisons of two: values of a column, rows by their names, or periods; for yes or no, and which of the two."""

import pytest

from sqlchat.errors import QuestionError

FLEET = """
CREATE TABLE crew (
    crew_id INTEGER PRIMARY KEY, full_name TEXT, rank TEXT, birth_date DATE, wage REAL, hourly_rate REAL, harbour TEXT
);
CREATE TABLE ship (ship_id INTEGER PRIMARY KEY, ship_name TEXT, kind TEXT, length_m REAL, harbour TEXT);
CREATE TABLE trip (
    trip_id INTEGER PRIMARY KEY, ship_id INTEGER REFERENCES ship(ship_id),
    skipper_id INTEGER REFERENCES crew(crew_id), left_on DATE, catch_kg REAL, zone TEXT
);
INSERT INTO crew VALUES (1, 'Olga Renn', 'captain', '1970-05-01', 4100, 30, 'Eastport'),
    (2, 'Piet Vos', 'mate', '1988-12-24', 3000, 22, 'Eastport'),
    (3, 'Jan Holm', 'deckhand', '2009-07-15', 3300, 18, 'Westhaven'),
    (4, 'Lena Falk', 'mate', '1980-01-01', 2900, 21, 'Westhaven');
INSERT INTO ship VALUES (1, 'Heron', 'trawler', 30, 'Eastport'), (2, 'Tern', 'trawler', 22, 'Westhaven'),
    (3, 'Gull', 'cutter', 14, 'Westhaven');
INSERT INTO trip VALUES (1, 1, 1, '2024-10-02', 900, 'A'), (2, 2, 2, '2024-10-05', 1500, 'B'),
    (3, 1, 2, '2025-09-01', 700, 'A'), (4, 3, 1, '2025-10-11', 150, 'C'), (5, 1, 2, '2025-10-20', 820, 'B');
"""

WHETHER = [
    ("did the Heron catch more than the Tern", (2420.0, 1500.0, 1)),
    ("were there more trips in 2024 than in 2025?", (2, 3, 0)),
    ("did we catch more in October 2024 than in October 2025?", (2400.0, 970.0, 1)),
    ("are there more mates than deckhands", (2, 1, 1)),
    ("Is the average wage in Eastport higher than in Westhaven?", (3550.0, 3100.0, 1)),
    ("is the Gull longer than the Tern?", (14.0, 22.0, 0)),
    ("does Olga Renn earn more than Piet Vos", (4100.0, 3000.0, 1)),
    ("do mates earn more than deckhands", (2950.0, 3300.0, 0)),
    ("Does Piet Vos earn more per hour than Lena Falk?", (22.0, 21.0, 1)),
    ("did Olga Renn make more trips than Piet Vos", (2, 3, 0)),
    ("is Lena Falk younger than Piet Vos?", ("1980-01-01", "1988-12-24", 0)),
    ("are captains older than mates", (55.0, 40.5, 1)),
    ("is the average wage higher than 3000", (3325.0, 1)),
    ("did the Heron make more than 3 trips", (3, 0)),
    ("has the Tern fewer trips than the Heron", (1, 3, 1)),
]
WHICH = [
    ("did we make more trips in zone A or zone B", [("A", 2), ("B", 2)]),
    ("which harbour has more ships, Eastport or Westhaven", [("Westhaven", 2), ("Eastport", 1)]),
    ("Which ship is longer, Heron or Tern?", [("Heron", 30.0), ("Tern", 22.0)]),
    ("did we catch more this year or last year", [("2024", 2400.0), ("2025", 1670.0)]),
    ("did we catch more in September or October", [("2025-10", 970.0), ("2025-09", 700.0)]),
    ("did we catch more in September or October last year", [("2024-10", 2400.0)]),
    ("who made more trips in 2025, Olga Renn or Piet Vos", [("Piet Vos", 2), ("Olga Renn", 1)]),
    ("how many more trips did we have in 2025 than in 2024", [("2025", 3), ("2024", 2)]),
    ("which year had more trips, 2024 or 2025", [("2024", 2), ("2025", 3)]),
    ("average catch of trawlers vs cutters", [("trawler", 980.0), ("cutter", 150.0)]),
    ("average wage of captains and of mates", [("captain", 4100.0), ("mate", 2950.0)]),
]
REFUSED = [
    "did trawlers have a higher catch than cutters",  # in all, or on average
    "did we sell more in Eastport than in Westhaven",
    "did the Heron catch more than the Moon",
    "is the Heron better than the Tern",
    "were there more storms in 2024 than in 2025",
]


@pytest.mark.parametrize(("question", "row"), WHETHER, ids=[question for question, _ in WHETHER])
def test_a_question_for_yes_or_no_has_both_figures_and_the_answer(asking, question, row):
    assert asking(FLEET, question)[1] == [row]


@pytest.mark.parametrize(("question", "rows"), WHICH, ids=[question for question, _ in WHICH])
def test_which_of_two_has_a_row_for_each(asking, question, rows):
    assert sorted(asking(FLEET, question)[1]) == sorted(rows)


@pytest.mark.parametrize("question", REFUSED)
def test_two_that_cannot_be_compared_are_refused(asking, question):
    with pytest.raises(QuestionError):
        asking(FLEET, question)


def test_the_two_are_told(asking):
    draft, _ = asking(FLEET, "were there more trips in 2024 than in 2025?")
    assert "of 2024 (trip.left_on is in 2024) and of 2025 (trip.left_on is in 2025)" in draft.interpretation


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("ships longer than the average length", {"Heron"}),
        ("which crew earn more than our average wage", {"Olga Renn"}),
    ],
)
def test_rows_are_compared_with_the_average(asking, question, names):
    try:
        _, rows = asking(FLEET, question)
    except QuestionError:
        pytest.fail("refused")
    assert {value for row in rows for value in row} >= names


@pytest.mark.parametrize(
    "question", ["average wage by harbour, highest first", "average wage by harbour, biggest harbour first"]
)
def test_groups_come_in_the_order_that_is_asked_for(asking, question):
    assert asking(FLEET, question)[1] == [("Eastport", 3550.0), ("Westhaven", 3100.0)]
