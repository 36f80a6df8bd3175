from __future__ import annotations

import pytest

from sqlchat.language.words import parts, telling, words


@pytest.mark.parametrize("name", ["CustomerID", "customer_id", "CUSTOMER-ID", "customers id"])
def test_names_of_any_style_give_the_same_words(name: str) -> None:
    assert words(name) == words("customer id")


def test_parts_are_not_stemmed() -> None:
    assert parts("DailyPrices_é2") == ["daily", "prices", "e", "2"]


def test_a_question_s_common_words_tell_nothing() -> None:
    assert telling("How many of the customers are there?") == words("customers")
