"""Columns that say yes or no: read as conditions where they are adjectives, and never counted or added up."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from sqlchat.connections.sqlite.catalog import read as read_catalog
from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft, Task
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.engine import OfflineProvider
from sqlchat.sql.catalog import Column

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

CLINIC = """
CREATE TABLE patients (id INTEGER PRIMARY KEY, name TEXT, is_smoker INTEGER, insured TEXT, rank INTEGER);
CREATE TABLE admissions (id INTEGER PRIMARY KEY, patient_id INTEGER REFERENCES patients (id), urgent BOOLEAN,
  paid BOOLEAN, cost INTEGER);
INSERT INTO patients VALUES (1, 'Ann', 1, 'yes', 1), (2, 'Bob', 0, 'no', 0), (3, 'Cem', 0, 'yes', 1);
INSERT INTO admissions VALUES (1, 1, 1, 0, 10), (2, 1, 0, 1, 20), (3, 2, 1, 1, 30);
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("how many urgent admissions", [(2,)]),
        ("how many not urgent admissions", [(1,)]),
        ("how many non-urgent admissions", [(1,)]),
        ("how many admissions are urgent", [(2,)]),
        ("how many admissions are not urgent", [(1,)]),
        ("how many admissions were urgent and paid", [(1,)]),
        ("how many admissions are urgent or paid", [(3,)]),
        ("how many urgent and unpaid admissions", [(1,)]),
        ("total cost of urgent admissions", [(40,)]),
        ("total cost of unpaid admissions", [(10,)]),
        ("total cost of admissions where urgent is true", [(40,)]),
        ("total cost of admissions where urgent is not true", [(20,)]),
        ("total cost of admissions where urgent is false", [(20,)]),
        ("total cost of admissions where urgent = 1", [(40,)]),
        ("total urgent admissions", [(2,)]),
        ("how many admissions that are urgent but not paid", [(1,)]),
        ("patients with urgent admissions", [("Ann",), ("Bob",)]),
        ("patients without urgent admissions", [("Cem",)]),
        ("patients with at least 1 paid admission", [("Ann",), ("Bob",)]),
        ("patients who are smokers", [("Ann",)]),
        ("how many insured patients", [(2,)]),
        ("patients that are not insured", [("Bob",)]),
        ("number of admissions by urgent", [(0, 1), (1, 2)]),
    ],
)
def test_as_an_adjective_it_is_a_condition(question: str, rows: list[tuple[Any, ...]], asking: Asking) -> None:
    assert sorted(asking(CLINIC, question)[1]) == rows


@pytest.mark.parametrize(
    "question",
    [
        "how many urgent",
        "average urgent",
        "total urgent",
        "how many different urgent",
        "urgent patients",
        "how many urgent patients",
        "how many rank patients",
        "patients with the highest is_smoker",
        "how many insufficient admissions",
        "total of urgent admissions",
        "admissions where urgent is 2",
    ],
)
def test_what_is_no_condition_is_refused(question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(CLINIC, question)


@pytest.mark.parametrize(
    ("dialect", "urgent", "calm"),
    [
        ("postgres", "WHERE admissions.urgent", "WHERE NOT admissions.urgent"),
        ("duckdb", "WHERE admissions.urgent", "WHERE NOT admissions.urgent"),
        ("mysql", "WHERE admissions.urgent = 1", "WHERE admissions.urgent = 0"),
        ("sqlite", "WHERE admissions.urgent = 1", "WHERE admissions.urgent = 0"),
    ],
)
def test_it_is_written_as_the_database_keeps_it(dialect: str, urgent: str, calm: str) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(CLINIC)
        catalog = read_catalog(lambda sql, *v: database.execute(sql, v).fetchall(), sqlite3.Error)
    provider = OfflineProvider()
    for question, where in (("how many urgent admissions", urgent), ("how many non urgent admissions", calm)):
        assert (provider.draft(Task(question, replace(catalog, dialect=dialect))).sql or "").endswith(where)


def test_a_number_that_is_read_as_yes_or_no_is_told(asking: Asking) -> None:
    assert (
        '"smokers" is read as patients.is_smoker being true.'
        in asking(CLINIC, "patients who are smokers")[0].assumptions
    )
    assert asking(CLINIC, "how many urgent admissions")[0].explanation.endswith("where admissions.urgent is true.")


@pytest.mark.parametrize(
    ("column", "is_number", "is_text"),
    [
        (Column("c", "ENUM('internal', 'dated')", labels=("internal", "dated")), False, True),
        (Column("c", "printing", labels=("a", "b")), False, True),
        (Column("c", "rating", base_type="integer"), True, False),
        (Column("c", "nickname", base_type="character varying(20)"), False, True),
        (Column("c", "interval"), False, False),
        (Column("c", "int4range"), False, False),
        (Column("c", "integer[]"), False, False),
        (Column("c", "bigint unsigned"), True, False),
    ],
)
def test_labels_and_base_types_say_what_a_column_holds(column: Column, is_number: bool, is_text: bool) -> None:
    assert (dates.is_number(column), dates.is_text(column)) == (is_number, is_text)
