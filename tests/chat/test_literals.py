from __future__ import annotations

import pytest

from sqlchat.chat.literals import LiteralIndex

COUNTRY, STATUS, CODE = ("", "customers", "country"), ("", "orders", "status"), ("", "offices", "code")
INDEX = LiteralIndex(
    {
        COUNTRY: ("Germany", "United States", "Côte d'Ivoire", "New Zealand"),
        STATUS: ("open", "paid", "cancelled", "Credit Card"),
        CODE: ("US", "10", "the", "Q4 2023"),
    }
)


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("Orders from Germany", ["Germany"]),
        ("orders from germany?", ["Germany"]),
        ("How many German customers are there", ["Germany"]),
        ("customers in the United States", ["United States"]),
        ("customers in the USA", ["United States"]),
        ("customers in cote d'ivoire", ["Côte d'Ivoire"]),
        ("which canceled orders were paid with credit cards", ["cancelled", "paid", "Credit Card"]),
        ("customers from 'New Zealand'", ["New Zealand"]),
        ("customers from new zeeland", ["New Zealand"]),
        ("sales in Q4 2023", ["Q4 2023"]),
        ("sales in Q4 2024", []),
        ("show us the top 10 customers of the year", []),
        ("", []),
    ],
)
def test_finds_the_values_a_question_names(question: str, values: list[str]) -> None:
    assert sorted(match.value for match in INDEX.matches(question)) == sorted(values)


def test_a_match_says_which_words_and_which_column() -> None:
    (match,) = INDEX.matches("Orders from germany")
    assert (match.words, match.path) == ("germany", COUNTRY)


def test_capitals_find_the_code_that_a_column_holds() -> None:
    assert [match.value for match in LiteralIndex({CODE: ("US", "DE")}).matches("offices in the USA")] == ["US"]


def test_the_same_value_in_two_columns_gives_both() -> None:
    index = LiteralIndex({COUNTRY: ("Spain",), STATUS: ("Spain",)})
    assert {match.path for match in index.matches("in Spain")} == {COUNTRY, STATUS}


def test_matches_are_bounded() -> None:
    index = LiteralIndex({("", "t", f"c{n}"): ("same",) for n in range(100)})
    assert len(index.matches("the same")) == 20
