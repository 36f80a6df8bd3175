from __future__ import annotations

import pytest

from sqlchat.language.abbreviations import ShortForms, drop_vowels, weigh_short_form


@pytest.mark.parametrize(
    ("short", "word"),
    [
        ("cust", "customer"),
        ("cstmr", "customer"),
        ("plyr", "player"),
        ("qty", "quantity"),
        ("acct", "account"),
        ("dept", "department"),
        ("dt", "date"),
        ("nm", "name"),
        ("invt", "inventory"),
        ("mgr", "manager"),
    ],
)
def test_usual_short_forms_are_known_without_a_list(short: str, word: str) -> None:
    assert weigh_short_form(short, word) >= 0.35


@pytest.mark.parametrize(
    ("short", "word"), [("tomer", "customer"), ("cx", "customer"), ("ce", "customer"), ("c", "code"), ("dx", "date")]
)
def test_other_letters_are_no_short_form(short: str, word: str) -> None:
    assert weigh_short_form(short, word) == 0


def test_a_word_without_its_vowels_is_surer_than_any_letters_of_it() -> None:
    assert drop_vowels("address") == "adrs"
    assert weigh_short_form("wrhs", "warehouse") > weigh_short_form("wrse", "warehouse") > 0


def test_only_names_that_are_short_forms_are_found() -> None:
    found = ShortForms(["cust", "customer", "custard", "cmr", "country", "custo", "x", "mer"]).find("customer")
    assert {"cust", "cmr", "custo"} <= set(found)
    assert not {"customer", "country", "x", "mer"} & set(found)
    assert found["cust"] > found["custard"]


def test_short_forms_are_found_in_names_that_are_written_together() -> None:
    names = ShortForms(["sbcustnm", "custaddr", "newcust", "longnamecustom", "museum", "mumuseu", "ersalrec", "wlcm"])
    found = names.find("customer")
    assert {"sbcustnm", "custaddr", "newcust", "longnamecustom"} == set(found)
    assert names.find("museum")["mumuseu"] > names.find("salary")["ersalrec"] > 0


@pytest.mark.parametrize("word", ["", "a", "2024", "x" * 30, "it's"])
def test_odd_words_find_nothing(word: str) -> None:
    assert ShortForms(["cust", "custom", "x"]).find(word) == {}
