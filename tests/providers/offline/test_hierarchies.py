"""Tables that point to themselves: the boss of somebody, and who earns more than theirs."""

import pytest

from sqlchat.errors import QuestionError

GUILD = """
CREATE TABLE workshop (workshop_id INTEGER PRIMARY KEY, workshop_name TEXT);
CREATE TABLE smith (
    smith_id INTEGER PRIMARY KEY, full_name TEXT, wage REAL, workshop_id INTEGER REFERENCES workshop(workshop_id),
    boss_id INTEGER REFERENCES smith(smith_id)
);
INSERT INTO workshop VALUES (1, 'Anvil'), (2, 'Forge');
INSERT INTO smith VALUES (1, 'Ida Roth', 50, 1, NULL), (2, 'Ben Holt', 60, 1, 1), (3, 'Cy Dorn', 40, 2, 1),
    (4, 'Dee Marsh', 45, 2, 3);
"""
RIGHT = [
    ("who is the boss of Cy Dorn", [("Ida Roth",)]),
    ("who is Dee Marsh's boss?", [("Cy Dorn",)]),
    ("who manages Ben Holt", [("Ida Roth",)]),
    ("who does Ida Roth manage", [("Ben Holt",), ("Cy Dorn",)]),
    ("who reports to Ida Roth", [("Ben Holt",), ("Cy Dorn",)]),
    ("smiths whose boss is Cy Dorn", [("Dee Marsh",)]),
    ("how many smiths have Ida Roth as their boss", [(2,)]),
    ("smiths who earn more than their boss", [("Ben Holt",), ("Dee Marsh",)]),
    ("number of smiths per boss", [("Cy Dorn", 1), ("Ida Roth", 2)]),
    ("which smiths have no boss", [("Ida Roth",)]),
]


@pytest.mark.parametrize(("question", "rows"), RIGHT, ids=[question for question, _ in RIGHT])
def test_the_row_that_another_points_to_is_read(asking, question, rows):
    assert sorted(asking(GUILD, question)[1]) == rows


@pytest.mark.parametrize(
    "question", ["who manages the Anvil", "who is the boss of the most tools", "who does the boss of Ida Roth like"]
)
def test_what_points_to_nobody_is_refused(asking, question):
    with pytest.raises(QuestionError):
        asking(GUILD, question)


def test_rows_without_one_are_told(asking):
    draft, rows = asking(GUILD, "show each smith with their boss")
    assert len(rows) == 3
    assert "Rows of smith without boss_id are left out." in draft.assumptions


def test_a_column_such_as_reply_to_takes_no_word_of_a_question(asking):
    script = """
    CREATE TABLE note (note_id INTEGER PRIMARY KEY, body TEXT, reply_to_id INTEGER REFERENCES note(note_id));
    INSERT INTO note VALUES (1, 'a', NULL), (2, 'b', 1);
    """
    assert asking(script, "how many notes are there up to now")[1] == [(2,)]
