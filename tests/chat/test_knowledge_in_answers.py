"""What the owner of a connection told of its data, in the prompt and in the answer; and questions that go on."""

from __future__ import annotations

import sqlite3
import uuid

import pytest

from sqlchat.chat.examples import normalize_question
from sqlchat.errors import ConversationNotFoundError
from sqlchat.store import Term
from sqlchat.store.knowledge import BusinessContext

OWNER = "local"
COUNT = "SELECT count(*) AS n FROM customers WHERE country = 'Germany'"
ACTIVE = Term("active customer", "Has ordered at least once.", "EXISTS (SELECT 1 FROM orders)", ("buyer",))


@pytest.fixture
def tell(house):
    """Keep an example."""

    def tell(question: str, sql: str, note: str = "") -> uuid.UUID:
        version = house.manager.open(OWNER, "shop").catalog.version
        facts = {"form": normalize_question(question), "note": note, "catalog_version": version}
        example, _ = house.store.knowledge.put_example(OWNER, "shop", question=question, sql=sql, **facts)
        return example.id

    return tell


def test_terms_and_notes_reach_the_model_and_the_receipt(house, model) -> None:
    context = BusinessContext("Totals are in euros.", (ACTIVE, Term("churn", "Lost customers.")))
    house.store.knowledge.replace_context(OWNER, "shop", context)
    model.says("SELECT count(DISTINCT customer_id) FROM orders", COUNT)
    answer = house.ask("How many Active Customers are there?")
    assert answer.basis.terms_used == ("active customer",)
    system, user = (message["content"] for message in model.requests[0]["messages"])
    assert "<notes>\nTotals are in euros.\n</notes>" in system
    assert "active customer: Has ordered at least once.\n  SQL: EXISTS (SELECT 1 FROM orders)" in user
    assert "churn" not in system + user
    assert house.ask("How many customers are there?").basis.terms_used == ()
    assert "<terms>" not in model.requests[1]["messages"][-1]["content"]


def test_near_examples_reach_the_model(house, model, tell) -> None:
    example = tell(
        "How many customers are in Spain?", "SELECT count(*) FROM customers WHERE country = 'Spain'", "Ours."
    )
    model.says(COUNT)
    answer = house.ask("How many customers are in Germany?")
    assert house.rows(answer) == [[2]]
    assert answer.basis.examples_used == (example,)
    user = model.requests[0]["messages"][-1]["content"]
    assert "Question: How many customers are in Spain?\nSQL: SELECT count(*) FROM customers WHERE" in user


def test_the_very_same_question_is_answered_by_its_example(house, model, tell) -> None:
    example = tell("How many customers are in Germany?", COUNT, "Checked by the sales team.")
    answer = house.ask("how many customers are in germany")
    assert house.rows(answer) == [[2]]
    assert (answer.provider, answer.model, answer.attempts) == ("openai", "verified-example", 0)
    assert answer.tokens.total == 0
    assert answer.explanation == "Checked by the sales team."
    assert (answer.basis.examples_used, answer.basis.sent) == ((example,), ())
    assert house.ask("How many customers are in Germany?", provider="offline").model == "verified-example"
    assert house.ask("How many customers are in Germany?", auto_execute=False).results is None
    assert model.requests == []


def test_a_note_on_the_question_may_change_it_so_no_example_answers(house, model, tell) -> None:
    tell("How many customers are in Germany?", COUNT)
    model.says("SELECT 1 AS one")
    answer = house.ask("How many customers are in Germany?", notes="Without Ada.")
    assert house.rows(answer) == [[1]]
    assert COUNT in model.requests[0]["messages"][-1]["content"]


def test_the_receipt_of_an_example_has_the_connection_s_privacy(house, tell) -> None:
    house.manager.delete(OWNER, "shop")
    house.manager.create(OWNER, "sqlite", "shop", {"database": "shop.sqlite"}, privacy="schema")
    tell("How many customers are in Germany?", COUNT)
    basis = house.ask("How many customers are in Germany?").basis
    assert (basis.privacy, basis.sent, basis.tables_shown) == ("schema", (), 2)


def test_an_example_that_no_longer_works_gives_way_to_the_model(house, model, tell, tmp_path) -> None:
    tell("How much was sold?", "SELECT sum(total) FROM orders")
    with sqlite3.connect(tmp_path / "shop.sqlite") as database:
        database.execute("ALTER TABLE orders RENAME COLUMN total TO amount")
    database.close()
    model.says("SELECT sum(amount) FROM orders", "SELECT sum(amount) FROM orders")
    assert house.rows(house.ask("How much was sold?")) == [[35.5]]  # the catalog is a moment old
    house.manager.open(OWNER, "shop").read_catalog()
    answer = house.ask("How much was sold?")
    assert (house.rows(answer), answer.basis.examples_used) == ([[35.5]], ())


def test_a_follow_up_sees_the_earlier_questions_and_no_rows(house, model) -> None:
    model.says("SELECT name FROM customers WHERE country = 'Spain'", COUNT, "SELECT 1 AS one")
    first = house.say("Who are the customers in Spain?")
    second = house.say("only how many, in Germany", conversation=first.conversation)
    assert second.conversation == first.conversation
    user = model.requests[1]["messages"][-1]["content"]
    block = user.split("<conversation>")[1].split("</conversation>")[0]
    assert "Question: Who are the customers in Spain?" in block
    assert "SQL: SELECT name FROM customers WHERE country = 'Spain'" in block
    assert "Ben" not in user
    assert user.endswith("<question>\nonly how many, in Germany\n</question>")
    house.say("and now?", conversation=first.conversation)
    last = model.requests[2]["messages"][-1]["content"]
    assert last.index("Who are the customers") < last.index("only how many")


def test_a_conversation_is_its_owner_s_alone(house, model) -> None:
    model.says(COUNT)
    conversation = house.say("How many customers are in Germany?").conversation
    house.manager.create("another", "sqlite", "shop", {"database": "shop.sqlite"})
    with pytest.raises(ConversationNotFoundError):
        house.ask("And in Spain?", owner="another", conversation=conversation)
    with pytest.raises(ConversationNotFoundError):
        house.ask("And in Spain?", conversation=uuid.uuid4())
    assert len(model.requests) == 1


def test_an_example_does_not_answer_within_a_conversation(house, model, tell) -> None:
    tell("And in total?", "SELECT count(*) FROM orders")
    model.says(COUNT, "SELECT count(*) FROM customers")
    first = house.say("How many customers are in Germany?")
    assert house.rows(house.say("And in total?", conversation=first.conversation)) == [[3]]


def test_where_no_history_is_kept_there_are_no_conversations(house, model) -> None:
    model.says(COUNT)
    assert house.ask_with("How many customers are in Germany?", history_days=0).conversation is None


def test_the_built_in_engine_says_what_it_does_not_take_in(house) -> None:
    house.store.knowledge.replace_context(OWNER, "shop", BusinessContext("Totals are in euros.", (ACTIVE,)))
    first = house.say("How many customers are there?", provider="offline")
    assert first.warnings == (
        "The built-in engine reads a question by itself, without the notes on this connection.",
    )
    answer = house.say(
        "How many orders are there?", provider="offline", conversation=first.conversation, notes="x", mode="thorough"
    )
    (warning,) = answer.warnings
    assert warning.endswith(
        "without the questions before it, the notes on it, the notes on this connection, mode thorough."
    )
