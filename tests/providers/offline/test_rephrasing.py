"""Questions in words that are put more simply, and the words that must not be lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft, Task
from sqlchat.providers.offline.engine import OfflineProvider
from sqlchat.providers.offline.nouns import Noun
from sqlchat.providers.offline.rephrasing import Rephrasing, leave_out, rephrase
from sqlchat.providers.offline.rules import RULES
from sqlchat.providers.offline.shortlist import Shortlist
from sqlchat.sql.catalog import Catalog, Column, Table

PLACES = {
    "person": "members",
    "money": "loans fee",
    "cost": "loans fee",
    "closed": "returned",
    "quantity": "loans copies",
    "row": "loans",
}
NOUNS = {word: (Noun(name, ("", "loans")),) for word, name in PLACES.items()}


def test_each_rule_fits_its_example(subtests):
    for pattern, _, example in RULES:
        with subtests.test(example):
            assert any(step.question != example for step in rephrase(example, NOUNS)), pattern


@pytest.mark.parametrize(
    ("question", "plain"),
    [
        ("How many orders were submitted by customers in Germany?", "How many orders are from customers in Germany?"),
        ("Show the names of customers along with their ages", "Show the names and ages of customers"),
        ("What is the most common city of customers?", "What is the most frequent city of customers?"),
        ("customers who have two or more orders", "customers with at least 2 orders"),
        ("number of customers from either Germany or Spain", "number of customers from Germany or Spain"),
    ],
)
def test_the_simpler_question_has_the_same_rows(question: str, plain: str, ask: Callable[[str], Draft]) -> None:
    assert ask(question).sql == ask(plain).sql


@pytest.mark.parametrize(
    "question",
    [
        "How many products did we sell?",
        "most popular product",
        "the most common product",
        "How many orders were refused by customers?",
    ],
)
def test_a_word_that_restricts_is_never_left_out(question: str, ask: Callable[[str], Draft]) -> None:
    with pytest.raises(QuestionError):
        ask(question)


def test_a_verb_with_a_period_after_it_stays() -> None:
    step = Rephrasing("orders handled in 2024", 0.0)
    assert not list(leave_out(step, ["handled"], date(2025, 1, 1)))


def test_what_was_left_out_is_told(ask: Callable[[str], Draft]) -> None:
    told = ask("How many orders were submitted by customers in Germany?").assumptions
    assert '"submitted" adds nothing to this.' in told


def test_of_a_large_catalog_only_the_near_part_is_indexed() -> None:
    columns = (Column("id", "INTEGER"), Column("name", "TEXT"), Column("amount", "INTEGER"))
    tables = [Table(f"store_{n}", columns, primary_key=("id",)) for n in range(400)]
    tables.append(Table("harbours", (*columns, Column("depth", "INTEGER")), primary_key=("id",)))
    catalog = Catalog(tuple(tables), "sqlite")
    part, _ = Shortlist(catalog, {}).pick("average depth of harbours")
    assert "harbours" in [table.name for table in part.tables]
    assert len(part.tables) < 100
    draft = OfflineProvider().draft(Task("average depth of harbours", replace(catalog)))
    assert draft.sql == "SELECT AVG(harbours.depth) AS average_depth FROM harbours"
