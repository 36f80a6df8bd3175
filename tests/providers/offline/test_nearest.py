"""Nouns that name nothing are read as the name that is nearest in meaning, and the answer says so."""

import pytest

from sqlchat.errors import QuestionError

GAOL = """
CREATE TABLE prisons (id INTEGER PRIMARY KEY, name TEXT, country TEXT);
CREATE TABLE guards (id INTEGER PRIMARY KEY, name TEXT, wage INTEGER, prison_id INTEGER REFERENCES prisons (id));
INSERT INTO prisons VALUES (1, 'Alder', 'Chile'), (2, 'Birch', 'Peru'), (3, 'Cedar', 'Peru');
INSERT INTO guards VALUES (1, 'Ann', 900, 1), (2, 'Bob', 700, 1);
"""
PLAYGROUND = """
CREATE TABLE children (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
CREATE TABLE vehicles (id INTEGER PRIMARY KEY, plate TEXT, weight INTEGER);
INSERT INTO children VALUES (1, 'Ann', 4), (2, 'Tom', 5);
INSERT INTO vehicles VALUES (1, 'AB 1', 900);
"""
TWINS = """
CREATE TABLE lawyers (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE advocates (id INTEGER PRIMARY KEY, name TEXT);
"""


@pytest.mark.parametrize(
    ("question", "rows", "told"),
    [
        ("How many jails are there?", [(3,)], '"jails" is read as "prisons".'),
        ("What is the average remuneration of guards?", [(800,)], '"remuneration" is read as "wage".'),
        ("Show the names of jails in Peru", [("Birch",), ("Cedar",)], '"jails" is read as "prisons".'),
        ("How many jails have no guards?", [(2,)], '"jails" is read as "prisons".'),
    ],
)
def test_the_nearest_name_is_put_for_a_noun_and_told(asking, question, rows, told):
    draft, found = asking(GAOL, question)
    assert found == rows
    assert told in draft.assumptions


def test_a_question_that_is_read_as_it_stands_rests_on_no_likeness(asking):
    draft, found = asking(GAOL, "How many prisons are there?")
    assert found == [(3,)]
    assert not draft.assumptions


@pytest.mark.parametrize(
    ("script", "question"),
    [
        (PLAYGROUND, "How many toddlers are there?"),  # some of the children
        (PLAYGROUND, "How many wheelbarrows are there?"),
        (TWINS, "How many barristers are there?"),  # lawyers or advocates
        (GAOL, "How many dentists are there?"),
        (GAOL, "How many jails with tattoos are there?"),
    ],
)
def test_a_noun_that_is_not_clearly_a_name_is_refused(asking, script, question):
    with pytest.raises(QuestionError):
        asking(script, question)
