"""Names as people type them: slips of the pen, parts of values, short forms, people by another word, and states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

GUILD = """
CREATE TABLE tbl_pat (pat_id INTEGER PRIMARY KEY, surname TEXT, first_name TEXT, insurer TEXT, birthdate DATE,
  member_since DATE);
INSERT INTO tbl_pat VALUES (1, 'Berg', 'Ida', 'HK', '1950-04-01', '2024-02-01'),
  (2, 'Falk', 'Jon', 'Sunlife', '1990-01-01', '2020-01-01');
CREATE TABLE tbl_doc (doc_id INTEGER PRIMARY KEY, doc_name TEXT, ward TEXT);
INSERT INTO tbl_doc VALUES (1, 'Dr. Maria Lund', '7B'), (2, 'Dr. Ole Vik', '5A');
CREATE TABLE tbl_vst (vst_id INTEGER PRIMARY KEY, pat_id INTEGER REFERENCES tbl_pat,
  doc_id INTEGER REFERENCES tbl_doc, vst_date DATE, booked_on DATE, charge REAL, paid_on DATE, state TEXT);
INSERT INTO tbl_vst VALUES (1, 1, 1, '2025-03-01', '2025-01-02', 50, NULL, 'no-show'),
  (2, 1, 2, '2025-12-01', '2025-11-01', 70, '2025-12-02', 'held'),
  (3, 2, 1, '2025-11-25', '2025-11-01', 30, NULL, 'held');
CREATE TABLE tbl_plan (plan_id INTEGER PRIMARY KEY, pat_id INTEGER REFERENCES tbl_pat, start_dt DATE, end_dt DATE,
  due_dt DATE, recv_dt DATE);
INSERT INTO tbl_plan VALUES (1, 1, '2024-01-01', '2024-12-31', '2024-02-01', '2024-02-09'),
  (2, 2, '2025-01-01', NULL, '2025-02-01', NULL);
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("how many pateints are there", [(2,)]),
        ("How many visits did Dr. Lund have in 2025?", [(2,)]),
        ("how many visits per ward", [("5A", 1), ("7B", 2)]),
        ("how many visits in ward 7B", [(2,)]),
        ("patients insured with HK", [("Ida", "Berg")]),
        ("patients born before 1960", [("Ida", "Berg")]),
        ("how many no-shows did we have in 2025", [(1,)]),
        ("visits in the next 20 days", [(2, 1, 2), (3, 2, 1)]),
        ("how many patients joined in 2024", [(1,)]),
        ("how much money is still unpaid?", [(80.0,)]),
        ("how many plans are current?", [(1,)]),
        ("which patients have no current plan", [("Ida", "Berg")]),
        ("how many plans are overdue", [(1,)]),
        ("how many plans were received late", [(1,)]),
        ("income in 2025", [(150.0,)]),
    ],
)
def test_everyday_names_are_understood(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert [row[: len(rows[0])] for row in sorted(asking(GUILD, question)[1])] == rows


@pytest.mark.parametrize(
    ("question", "assumption"),
    [
        ("total chrage", '"chrage" is read as "charge".'),
        ("how many visits did Dr. Lund have", "\"Dr Lund\" is read as tbl_doc.doc_name = 'Dr. Maria Lund'."),
    ],
)
def test_what_was_read_for_a_name_is_told(question: str, assumption: str, asking: Asking) -> None:
    assert assumption in asking(GUILD, question)[0].assumptions


@pytest.mark.parametrize("question", ["patients insured with Sunlive", "visits of Dr. Berg", "nurses per ward"])
def test_another_name_is_not_put_for_one(question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(GUILD, question)
