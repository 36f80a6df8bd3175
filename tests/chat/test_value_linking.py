from __future__ import annotations

import time

import pytest

from sqlchat.chat.value_linking import ValueIndex

COUNTRY, STATUS, CODE = ("", "customers", "country"), ("", "orders", "status"), ("", "offices", "code")
INDEX = ValueIndex(
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
        ("customers in the United States", ["United States", "US"]),
        ("customers in the USA", ["United States", "US"]),
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
    assert sorted(match.value for match in INDEX.find_matches(question)) == sorted(values)


def test_a_match_says_which_words_and_which_column() -> None:
    (match,) = INDEX.find_matches("Orders from germany")
    assert (match.words, match.path) == ("germany", COUNTRY)


def test_capitals_find_the_code_that_a_column_holds() -> None:
    assert [match.value for match in ValueIndex({CODE: ("US", "DE")}).find_matches("offices in the USA")] == ["US"]


def test_the_same_value_in_two_columns_gives_both() -> None:
    index = ValueIndex({COUNTRY: ("Spain",), STATUS: ("Spain",)})
    assert {match.path for match in index.find_matches("in Spain")} == {COUNTRY, STATUS}


def test_matches_are_bounded() -> None:
    index = ValueIndex({("", "t", f"c{n}"): ("same",) for n in range(100)})
    assert len(index.find_matches("the same")) == 60


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("cars made in the United States", "usa"),
        ("cars made in the U.S.A.", "usa"),
        ("people in New York", "NY"),
        ("degrees of the engineering department", "engineer"),
        ("Italian makers", "Italy"),
        ("French makers", "france"),
        ("Chinese makers", "China"),
        ("what did Netflix pay", "Netflix, Inc."),
    ],
)
def test_finds_other_forms_of_a_value(question: str, value: str) -> None:
    index = ValueIndex(
        {COUNTRY: ("usa", "Italy", "france", "China"), STATUS: ("engineer", "Netflix, Inc."), CODE: ("NY",)}
    )
    assert [match.value for match in index.find_matches(question)] == [value]


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("orders in progress", "in_progress"),
        ("home and garden products", "Home & Garden"),
        ("child products", "Children"),
        ("a lady", "Ladies"),
        ("price of the iphone 15", "iPhone 15 Pro Max"),
        ("orders of John Smith", "Smith, John"),
        ("vice presidents of sales", "Vice President, Sales"),
        ("people in new york", "New York City"),
        ("dutch customers", "Netherlands"),
        ("brazilian customers", "Brazil"),
        ("customers in the uk", "United Kingdom"),
        ("korean customers", "South Korea"),
        ("customers in Germnay", "Germany"),
        ("customers in germnay", "Germany"),
        ("customers in Brasil", "Brazil"),
    ],
)
def test_finds_what_holds_or_is_nearly_what_is_written(question: str, value: str) -> None:
    status = ("in_progress", "Home & Garden", "Children", "Ladies", "iPhone 15 Pro Max", "Smith, John")
    country = ("Netherlands", "Brazil", "United Kingdom", "South Korea", "Germany", "New York City")
    index = ValueIndex({STATUS: (*status, "Vice President, Sales"), COUNTRY: country})
    assert [match.value for match in index.find_matches(question)] == [value]


def test_a_part_that_many_values_hold_tells_none() -> None:
    index = ValueIndex({STATUS: tuple(f"Main Street {n}" for n in range(500))})
    assert index.find_matches("shops in main street") == ()
    assert [match.value for match in index.find_matches("the shop in Main street 77")] == ["Main Street 77"]


def test_only_what_is_alike_in_a_partial_list_is_doubtful() -> None:
    index = ValueIndex({COUNTRY: ("Germany", "New Zealand")}, frozenset({COUNTRY}))
    assert [match.doubtful for match in index.find_matches("Germany")] == [False]
    assert [match.doubtful for match in index.find_matches("new zeeland")] == [True]


def test_a_long_question_on_many_values_takes_no_time() -> None:
    names = tuple(f"{first} {last} {n}" for n in range(300) for first in ("Ann", "Bob") for last in ("Lee", "Roe"))
    index = ValueIndex({("", f"t{n}", "name"): names for n in range(20)})
    question = " ".join(["who are ann lee and bob roe with Anne Leigh"] * 60)
    start = time.thread_time()
    index.find_matches(question)
    assert time.thread_time() - start < 2


@pytest.mark.parametrize("question", ["Name all cars", "what does netflixing mean", "the average age", "in april"])
def test_words_that_only_look_alike_find_nothing(question: str) -> None:
    index = ValueIndex({COUNTRY: ("nac", "Avalon"), STATUS: ("Netflix, Inc.", "Ape"), CODE: ("AA",)})
    assert index.find_matches(question) == ()


def test_each_name_of_a_question_keeps_a_match() -> None:
    index = ValueIndex({("", "t", f"c{n}"): ("same", *(("other",) if n == 99 else ())) for n in range(100)})
    assert {match.words for match in index.find_matches("the same and the other")} == {"same", "other"}


def test_words_in_capitals_are_no_initials() -> None:
    index = ValueIndex({("", "places", "name"): ("Arabian Sea", "Titan Silver", "United States of America")})
    assert index.find_matches("SELECT nothing AS answer") == ()
    assert index.find_matches("What is the TSC?") == ()
    assert [match.value for match in index.find_matches("How many in the US?")] == ["United States of America"]
