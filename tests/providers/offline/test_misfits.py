"""Readings that would show what was said, rank by the noun itself, or take one related row for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]
FAIRS = """
CREATE TABLE fair (fair_id INTEGER PRIMARY KEY, fair_name TEXT, organiser_name TEXT, opened_on DATE);
CREATE TABLE visitors (visitor_no INTEGER PRIMARY KEY, visitor_name TEXT);
CREATE TABLE visit (visit_id INTEGER PRIMARY KEY, fair_id INTEGER REFERENCES fair(fair_id),
    visitor_no INTEGER REFERENCES visitors(visitor_no), visitors INTEGER, fee REAL);
CREATE TABLE stall_sale (sale_id INTEGER PRIMARY KEY, fair_id INTEGER REFERENCES fair(fair_id), stalls INTEGER,
    stall_kind TEXT);
INSERT INTO fair VALUES (1, 'Spring', 'Ann', '2024-04-01'), (2, 'Autumn', 'Ben', '2024-10-01'),
    (3, 'Winter', 'Cleo', '2024-12-01');
INSERT INTO visitors VALUES (1, 'Dora'), (2, 'Emil');
INSERT INTO visit VALUES (1, 1, 1, 2, 10), (2, 1, 2, 4, 20), (3, 2, 2, 3, 15);
INSERT INTO stall_sale VALUES (1, 1, 6, 'food'), (2, 1, 7, NULL), (3, 2, 4, 'books');
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("average number of visitors per visit", [(3.0,)]),
        ("What is the average number of visitors?", [(3.0,)]),
    ],
)
def test_numbers_that_each_row_holds_are_averaged(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert asking(FAIRS, question)[1] == rows


@pytest.mark.parametrize(
    "question",
    [
        "Who runs the fair Spring?",
        "Who are our best visitors?",
        "Which fairs sold more than 10 stalls?",
        "how many stalls do we sell per fair on average?",
        "how many fairs sold no stalls",
    ],
)
def test_what_rests_on_a_guess_is_refused(question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(FAIRS, question)
