from __future__ import annotations

import pytest

from sqlchat.language.abbreviations import drop_vowels, find_fused_forms, find_short_forms, weigh_short_form


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
    found = find_short_forms("customer", "\n".join(["cust", "customer", "custard", "cmr", "country", "custo"]))
    assert set(found) == {"cust", "cmr", "custo"}


def test_short_forms_are_found_in_names_that_are_written_together() -> None:
    names = "sbcustnm\ncustaddr\nnewcust\nsomecustoms\nmuseum"
    found = find_fused_forms("customer", names)
    assert {"sbcustnm", "custaddr", "newcust"} <= set(found)
    assert "museum" not in found
    assert find_fused_forms("museum", "mumuseu")["mumuseu"] > find_fused_forms("salary", "ersalrec")["ersalrec"]
