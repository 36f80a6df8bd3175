"""Questions with several readings that are equally likely: each is suggested in words that give just that reading."""

import pytest

from sqlchat.errors import QuestionError

STABLES = """
CREATE TABLE horse (
    horse_id INTEGER PRIMARY KEY, horse_name TEXT, purchase_price REAL, sale_price REAL, birth_town TEXT, town TEXT
);
CREATE TABLE lesson (
    lesson_id INTEGER PRIMARY KEY, horse_id INTEGER REFERENCES horse(horse_id), given_on DATE, planned_kg REAL,
    eaten_kg REAL
);
INSERT INTO horse VALUES (1, 'Bolt', 900, 1200, 'Arden', 'Hale'), (2, 'Daisy', 700, 650, 'Hale', 'Arden');
INSERT INTO lesson VALUES (1, 1, '2025-05-01', 4, 3), (2, 2, '2025-06-01', 5, 5);
"""


@pytest.mark.parametrize(
    ("question", "columns"),
    [
        ("average price", ("purchase_price", "sale_price")),
        ("highest price of the horses", ("purchase_price", "sale_price")),
        ("kilos per horse", ("planned_kg", "eaten_kg")),
    ],
)
def test_each_reading_is_a_suggestion_that_works(asking, question, columns):
    with pytest.raises(QuestionError) as caught:
        asking(STABLES, question)
    suggestions = caught.value.facts["suggestions"]
    answers = [asking(STABLES, suggestion)[0].sql for suggestion in suggestions]
    assert len(answers) == 2
    for column in columns:
        assert sum(column in sql for sql in answers) == 1


def test_two_readings_are_named_in_the_refusal(asking):
    with pytest.raises(QuestionError) as caught:
        asking(STABLES, "kilos per horse")
    first, second = caught.value.facts["suggestions"]
    assert caught.value.detail == f'This can be read in two ways: "{first}" or "{second}".'
    assert caught.value.facts["reason"] == "ambiguous"
