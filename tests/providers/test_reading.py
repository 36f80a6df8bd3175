from __future__ import annotations

import json
import time

import pytest

from sqlchat.errors import ModelError
from sqlchat.providers.reading import read
from sqlchat.providers.statements import strip_fence

SQL = "SELECT count(*) FROM orders"


def test_reads_json_with_raw_line_breaks_in_its_strings() -> None:
    assert read('{"sql": "SELECT 1\nFROM orders", "explanation": ""}').sql == "SELECT 1\nFROM orders"


@pytest.mark.parametrize(
    ("text", "sql", "explanation"),
    [
        (f"```sql\n{SQL};\n```", SQL, ""),
        (f"This counts the orders.\n\n```sql\n{SQL};\n```", SQL, "This counts the orders."),
        (f"```\n{SQL}\n```", SQL, ""),
        (f"{SQL};", SQL, ""),
        (f"Here it is:\n{SQL};\nIt counts.", SQL, "Here it is:"),
        ("WITH o AS (SELECT 1) SELECT * FROM o", "WITH o AS (SELECT 1) SELECT * FROM o", ""),
        (
            "with recursive t(n) as (select 1) select * from t;",
            "with recursive t(n) as (select 1) select * from t",
            "",
        ),
    ],
)
def test_reads_sql_that_came_without_json(text: str, sql: str, explanation: str) -> None:
    reading = read(text)
    assert (reading.sql, reading.explanation) == (sql, explanation)


def test_bare_strips_fences_and_semicolons_but_nothing_inside() -> None:
    assert strip_fence("```sql\nSELECT ';' AS a; ;\n```") == "SELECT ';' AS a"
    assert strip_fence("  SELECT 1 -- ok;\n") == "SELECT 1 -- ok"


def test_halves_of_surrogate_pairs_do_not_pass() -> None:
    reading = read('{"sql": "SELECT \'\\ud83d\'", "explanation": "\\udc00"}')
    assert reading.sql == "SELECT '?'"
    assert reading.explanation == "?"


@pytest.mark.parametrize(
    "text", ["```" * 15_000, "<think>" * 8_000, "{" * 59_000, "WITH a\n" * 8_000, "<a>" * 19_000, "x" * 70_000]
)
def test_any_text_is_read_in_a_moment(text: str) -> None:
    start = time.thread_time()
    with pytest.raises(ModelError):
        read(text)
    assert time.thread_time() - start < 5


def test_the_reading_of_the_question_and_what_was_assumed_come_along() -> None:
    said = {
        "interpretation": "How many\norders?",
        "assumptions": ["All years.", "", 3],
        "sql": SQL,
        "explanation": "",
    }
    reading = read(json.dumps(said))
    assert (reading.interpretation, reading.assumptions) == ("How many orders?", ("All years.",))
    assert read(json.dumps(said | {"interpretation": 7, "assumptions": "none"})).assumptions == ()
