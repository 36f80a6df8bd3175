"""What is recalled for a question: from a real store, with names checked in real worker processes."""

from dataclasses import replace

import pytest

from sqlchat.chat.examples import normalize_question
from sqlchat.chat.knowledge import NOTHING, Knowledge
from sqlchat.config import Settings
from sqlchat.errors import ConnectionNotFoundError
from sqlchat.sql.catalog import Column, Table
from sqlchat.sql.profiles import Profiles
from sqlchat.store import Store
from sqlchat.store.knowledge import BusinessContext, Reference, SemanticModel, Term
from sqlchat.workers import Workers

ACTIVE = Term("active customer", "ordered within 90 days")
CONTEXT = BusinessContext("Amounts are in euros.", (ACTIVE, Term("MRR", "monthly recurring revenue")))


@pytest.fixture(scope="module")
def workers():
    made = Workers(1, 2048, preload=("sqlchat.sql.fragments",))
    yield made
    made.close()


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path)


@pytest.fixture
def store(settings):
    made = Store(settings)
    made.connections.add("ann", "shop", "postgres", {})
    yield made
    made.close()


@pytest.fixture
def knowledge(store, workers):
    return Knowledge(store.knowledge, workers)


@pytest.fixture
def looked(monkeypatch):
    """The batches of statements whose names were checked."""
    seen, call = [], Workers.call

    def watched(self, function, statements, *args, **kwargs):
        seen.append(list(statements))
        return call(self, function, statements, *args, **kwargs)

    monkeypatch.setattr(Workers, "call", watched)
    return seen


def put(store, question, sql="SELECT COUNT(*) FROM customers", version="v1", name="shop"):
    known, _ = store.knowledge.put_example(
        "ann", name, question=question, form=normalize_question(question), sql=sql, note="", catalog_version=version
    )
    return known


def test_nothing_is_recalled_where_nothing_was_told(knowledge, shop):
    assert knowledge.recall("ann", "shop", "How many active customers?", shop) == NOTHING


def test_notes_come_with_every_question_and_terms_with_those_that_use_them(knowledge, store, shop):
    store.knowledge.replace_context("ann", "shop", CONTEXT)
    recalled = knowledge.recall("ann", "shop", "How many active customers?", shop)
    assert (recalled.notes, recalled.terms) == ("Amounts are in euros.", (ACTIVE,))
    assert knowledge.recall("ann", "shop", "How many orders?", shop).terms == ()
    assert knowledge.recall("ann", "shop", "How many orders?", shop).notes == "Amounts are in euros."


def test_the_same_question_is_recalled_exactly_and_is_the_first_of_the_examples(knowledge, store, shop):
    for number in range(8):
        put(store, f"customers in city {number}")
    same = put(store, "customers in city 77")
    recalled = knowledge.recall("ann", "shop", "Customers in CITY 77?", shop)
    assert recalled.exact == same
    assert recalled.examples[0] == same
    assert len(recalled.examples) == 4


def test_another_literal_is_near_and_never_the_same(knowledge, store, shop):
    put(store, "customers in France")
    recalled = knowledge.recall("ann", "shop", "customers in Germany", shop)
    assert recalled.exact is None
    assert [each.question for each in recalled.examples] == ["customers in France"]


def test_a_stale_example_is_neither_near_nor_exact(knowledge, store, shop):
    put(store, "customers in France", "SELECT COUNT(*) FROM clients", "v0")
    put(store, "customers in Spain", "SELECT COUNT(*) FROM customers WHERE land = 'ES'", "v0")
    fresh = put(store, "customers in Italy", "SELECT COUNT(*) FROM customers WHERE country = 'IT'", "v0")
    recalled = knowledge.recall("ann", "shop", "customers in France", shop)
    assert (recalled.exact, recalled.examples) == (None, (fresh,))


def test_a_table_that_goes_makes_stale_and_one_that_comes_back_makes_fresh(knowledge, store, shop):
    same = put(store, "customers in France")
    without = replace(shop, tables=shop.tables[1:], version="v2")
    assert knowledge.recall("ann", "shop", "customers in France", without).exact is None
    assert knowledge.recall("ann", "shop", "customers in France", shop).exact == same
    assert knowledge.recall("ann", "shop", "customers in France", replace(shop, version="v3")).exact == same


def test_under_the_catalog_that_it_was_stored_with_an_example_is_not_looked_at(knowledge, store, shop, looked):
    put(store, "customers in France")
    assert knowledge.recall("ann", "shop", "customers in France", shop).exact
    assert looked == []


def test_names_are_looked_up_once_for_each_catalog(knowledge, store, shop, looked):
    for number in range(5):
        put(store, f"customers in city {number}", f"SELECT {number} FROM customers", "v0")
    for _ in range(3):
        assert knowledge.recall("ann", "shop", "customers in city 3", shop).exact
    assert [len(batch) for batch in looked] == [5]
    knowledge.recall("ann", "shop", "customers in city 3", replace(shop, version="v2"))
    assert [len(batch) for batch in looked] == [5, 5]


def test_what_another_process_told_is_known_at_once(knowledge, store, settings, shop):
    assert knowledge.recall("ann", "shop", "active customers", shop) == NOTHING
    other = Store(settings)
    other.knowledge.replace_context("ann", "shop", CONTEXT)
    assert knowledge.recall("ann", "shop", "active customers", shop).terms == (ACTIVE,)
    same = put(other, "active customers")
    assert knowledge.recall("ann", "shop", "active customers", shop).exact == same
    other.knowledge.delete_example("ann", "shop", same.id)
    assert knowledge.recall("ann", "shop", "active customers", shop).exact is None
    other.knowledge.replace_context("ann", "shop", BusinessContext())
    assert knowledge.recall("ann", "shop", "active customers", shop) == NOTHING
    other.close()


def test_a_question_costs_one_look_up_in_the_store(knowledge, store, shop, monkeypatch):
    store.knowledge.replace_context("ann", "shop", CONTEXT)
    put(store, "customers in France")
    knowledge.recall("ann", "shop", "customers in France", shop)
    seen, fetch = [], store._database.fetch
    monkeypatch.setattr(store._database, "fetch", lambda statement: seen.append(statement) or fetch(statement))
    knowledge.recall("ann", "shop", "customers in France", shop)
    assert len(seen) == 1


def test_a_connection_made_anew_under_the_name_knows_nothing(knowledge, store, shop):
    store.knowledge.replace_context("ann", "shop", CONTEXT)
    put(store, "customers in France")
    assert knowledge.recall("ann", "shop", "customers in France", shop).exact
    store.connections.delete("ann", "shop")
    with pytest.raises(ConnectionNotFoundError):
        knowledge.recall("ann", "shop", "customers in France", shop)
    store.connections.add("ann", "shop", "postgres", {})
    assert knowledge.recall("ann", "shop", "customers in France", shop) == NOTHING


def test_another_owner_s_connection_of_that_name_knows_its_own(knowledge, store, shop):
    store.connections.add("bob", "shop", "postgres", {})
    put(store, "customers in France")
    assert knowledge.recall("bob", "shop", "customers in France", shop) == NOTHING
    with pytest.raises(ConnectionNotFoundError):
        knowledge.recall("carol", "shop", "customers in France", shop)


def test_where_no_worker_is_free_in_time_it_does_without_examples_that_need_one(store, shop):
    busy = Workers(1, 2048, patience=0.05)
    busy._free.acquire()
    knowledge = Knowledge(store.knowledge, busy)
    store.knowledge.replace_context("ann", "shop", CONTEXT)
    put(store, "active customers in France", version="v0")
    recalled = knowledge.recall("ann", "shop", "active customers in France", shop)
    assert (recalled.exact, recalled.examples, recalled.terms) == (None, (), (ACTIVE,))
    busy._free.release()
    assert knowledge.recall("ann", "shop", "active customers in France", shop).exact
    busy.close()


def test_all_examples_are_listed_with_whether_they_are_stale(knowledge, store, shop):
    assert knowledge.list_examples("ann", "shop", shop) == []
    fresh = put(store, "customers in France", version="v0")
    stale = put(store, "clients in France", "SELECT COUNT(*) FROM clients", "v0")
    assert knowledge.list_examples("ann", "shop", shop) == [(stale, True), (fresh, False)]
    more = (*shop.tables, Table("clients", (Column("id", "integer"),), "public"))
    grown = replace(shop, tables=more, version="v2")
    assert knowledge.list_examples("ann", "shop", grown) == [(stale, False), (fresh, False)]


def test_a_semantic_model_speaks_where_people_did_not(knowledge, store, shop):
    store.knowledge.replace_context("ann", "shop", CONTEXT)
    brought = SemanticModel(
        "Weeks begin on Monday.",
        (Term("Active Customer", "of the model"), Term("basket", "an order")),
        (Reference(("orders.id",), ("customers.id",)),),
        (("public", "orders", "", "What was bought at once."), ("public", "orders", "gone", "no such column")),
    )
    store.knowledge.replace_semantic("ann", "shop", brought, {})
    recalled = knowledge.recall("ann", "shop", "How many active customers have a basket?", shop)
    assert [term.definition for term in recalled.terms] == ["ordered within 90 days", "an order"]
    assert recalled.notes == "Amounts are in euros.\nWeeks begin on Monday."
    extended = recalled.additions.apply_to(shop, Profiles())
    orders = extended.table("orders")
    assert orders.comment.endswith("What was bought at once.")
    assert [key.source for key in orders.foreign_keys][-1] == "owner"
    assert extended.version != shop.version
    assert knowledge.extend_catalog("ann", "shop", shop, Profiles()) is extended
    assert recalled.additions.apply_to(replace(shop, version="v2"), Profiles()) is not extended
