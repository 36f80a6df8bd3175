from __future__ import annotations

import pytest

from sqlchat.chat import prompt
from sqlchat.chat.context import SchemaLinker
from sqlchat.sql.catalog import Catalog, Column, Table


@pytest.fixture
def library() -> Catalog:
    documents = Table(
        "documents", (Column("id", "integer"), Column("kind", "text"), Column("status", "text")), "public"
    )
    columns = (Column("id", "integer"), Column("level", "text"), Column("credit_card", "text"))
    members = Table("members", columns, "public")
    return Catalog((documents, members), "postgres", "public", "v1")


@pytest.fixture
def ask(library, profiled):
    values = {
        ("public", "documents", "kind"): ("Paper", "Letter", "Member", "Document"),
        ("public", "documents", "status"): ("Draft", "Final"),
        ("public", "members", "level"): ("Gold", "Grade", "Credit Card"),
    }
    linker = SchemaLinker(10_000)

    def prompted(question: str) -> str:
        return prompt.render_messages(question, linker.choose_context(library, question, profiled(values)))[
            -1
        ].content

    return prompted


def test_a_table_s_name_is_not_offered_as_a_value(ask) -> None:
    assert "<values>" not in ask("How many documents are there?")
    assert "<values>" not in ask("Number of members?")


def test_a_plural_that_may_be_what_is_asked_for_is_marked(ask) -> None:
    shown = ask("How many papers are there?")
    assert "documents.kind = 'Paper' -- no condition if 'papers' names the rows that are asked for" in shown


def test_a_synonym_of_a_column_is_marked(ask) -> None:
    shown = ask("Which grade has each of them?")
    assert "members.level = 'Grade' -- no condition if 'grade' names" in shown


def test_a_capital_at_the_beginning_of_a_question_makes_no_value(ask) -> None:
    assert "<values>" not in ask("Documents by status")
    assert "-- no condition if 'Papers' names the rows that are asked for" in ask("Papers by status")


def test_several_words_that_are_a_column_s_name_are_marked(ask) -> None:
    marked = "members.level = 'Credit Card' -- no condition if 'credit card' names the column members.credit_card"
    assert marked in ask("What is the credit card of each of them?")


@pytest.mark.parametrize(
    "question",
    ['How many "papers" are there?', "Documents of the kind Paper?", "Which are draft?", "Who pays by Credit Card?"],
)
def test_a_value_that_is_named_as_one_is_not_marked(ask, question: str) -> None:
    shown = ask(question)
    assert "<values>" in shown
    assert "no condition" not in shown
