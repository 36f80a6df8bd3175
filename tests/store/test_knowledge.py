"""Context and examples of connections, on SQLite and Postgres."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, update

from sqlchat.errors import (
    ConnectionNotFoundError,
    ExampleNotFoundError,
    PayloadError,
    SemanticModelNotFoundError,
)
from sqlchat.store import knowledge as module
from sqlchat.store.knowledge import BusinessContext, Reference, SemanticModel, Term
from sqlchat.store.tables import contexts, examples

CONTEXT = BusinessContext(
    "Amounts are in cents; größer als 日本 % %(s)s :name",
    (
        Term(
            "active customer", "ordered within 90 days", "last_order > now() - interval '90 days'", ("live client",)
        ),
        Term("MRR", "monthly recurring revenue \0 with a NUL"),
    ),
)


@pytest.fixture
def known(store):
    """The store, with a connection of ann's."""
    store.connections.add("ann", "warehouse", "postgres", {})
    return store


def put(store, question="How many?", sql="SELECT 1", owner="ann", name="warehouse"):
    return store.knowledge.put_example(
        owner, name, question=question, form=question.lower(), sql=sql, note="by ann", catalog_version="v1"
    )


def count(store, table):
    ((rows,),) = store.knowledge._database.fetch(select(func.count()).select_from(table))
    return rows


def test_nothing_is_known_of_a_new_connection(known):
    kept = known.knowledge.read("ann", "warehouse")
    assert (kept.context, kept.examples, kept.stamp.version) == (BusinessContext(), (), 0)
    assert known.knowledge.stamp("ann", "warehouse") == kept.stamp


def test_a_context_comes_back_as_it_was_in_another_process(known, settings, make_store):
    known.knowledge.replace_context("ann", "warehouse", BusinessContext("earlier"))
    known.knowledge.replace_context("ann", "warehouse", CONTEXT)
    assert make_store(settings).knowledge.read("ann", "warehouse").context == CONTEXT
    assert count(known, contexts) == 1


def test_examples_come_back_the_newest_first(known, settings, make_store):
    made = [put(known, question, f"SELECT '{question}'")[0] for question in ("Eins?", "日本?", "x" * 4000)]
    assert list(make_store(settings).knowledge.read("ann", "warehouse").examples) == made[::-1]


def test_the_same_question_replaces_and_keeps_its_id(known):
    first, new = put(known, "How many?", "SELECT 1")
    again, anew = put(known, "how MANY?", "SELECT 2")
    assert (new, anew, again.id) == (True, False, first.id)
    assert known.knowledge.read("ann", "warehouse").examples == (again,)
    assert (again.question, again.sql) == ("how MANY?", "SELECT 2")


def test_every_change_shows_in_the_stamp(known, settings, make_store):
    other, stamps = make_store(settings), []

    def changed():
        stamps.append(other.knowledge.stamp("ann", "warehouse"))
        assert known.knowledge.read("ann", "warehouse").stamp == stamps[-1]

    changed()
    known.knowledge.replace_context("ann", "warehouse", CONTEXT)
    changed()
    example, _ = put(known)
    changed()
    put(known, sql="SELECT 2")
    changed()
    known.knowledge.delete_example("ann", "warehouse", example.id)
    changed()
    assert len(set(stamps)) == 5
    assert {stamp.connection for stamp in stamps} == {known.connections.get("ann", "warehouse").id}


def test_what_is_known_leaves_the_definition_and_its_version_alone(known):
    before = known.connections.get("ann", "warehouse"), known.connections.version("ann", "warehouse")
    known.knowledge.replace_context("ann", "warehouse", CONTEXT)
    put(known)
    assert before == (known.connections.get("ann", "warehouse"), known.connections.version("ann", "warehouse"))


def test_a_connection_has_no_more_examples_than_200_and_may_still_replace(known, monkeypatch):
    monkeypatch.setattr(module, "MOST_EXAMPLES", 3)
    for number in range(3):
        put(known, str(number))
    with pytest.raises(PayloadError, match="may have 3 examples"):
        put(known, "one too many")
    put(known, "1", "SELECT 'corrected'")
    assert len(known.knowledge.read("ann", "warehouse").examples) == 3


def test_an_example_is_deleted_once(known):
    example, _ = put(known)
    known.knowledge.delete_example("ann", "warehouse", example.id)
    for id in (example.id, uuid.uuid4()):
        with pytest.raises(ExampleNotFoundError):
            known.knowledge.delete_example("ann", "warehouse", id)
    assert known.knowledge.read("ann", "warehouse").examples == ()


def test_an_example_of_another_connection_is_not_deleted(known):
    known.connections.add("ann", "other", "sqlite", {})
    example, _ = put(known)
    with pytest.raises(ExampleNotFoundError):
        known.knowledge.delete_example("ann", "other", example.id)
    assert known.knowledge.read("ann", "warehouse").examples == (example,)


CALLS = {
    "stamp": lambda knowledge, owner, name: knowledge.stamp(owner, name),
    "read": lambda knowledge, owner, name: knowledge.read(owner, name),
    "replace_context": lambda knowledge, owner, name: knowledge.replace_context(owner, name, CONTEXT),
    "put_example": lambda knowledge, owner, name: knowledge.put_example(
        owner, name, question="q", form="q", sql="s", note="", catalog_version=""
    ),
    "delete_example": lambda knowledge, owner, name: knowledge.delete_example(owner, name, uuid.uuid4()),
}


@pytest.mark.parametrize(("owner", "name"), [("bob", "warehouse"), ("ann", "no"), ("ann", "\0"), ("ann", "\ud800")])
def test_another_s_connection_is_as_unknown_as_none(known, owner, name, subtests):
    known.knowledge.replace_context("ann", "warehouse", CONTEXT)
    for kind, call in CALLS.items():
        with subtests.test(kind), pytest.raises(ConnectionNotFoundError):
            call(known.knowledge, owner, name)
    assert known.knowledge.read("ann", "warehouse").context == CONTEXT


def test_equal_names_of_two_owners_know_different_things(known):
    known.connections.add("bob", "warehouse", "postgres", {})
    known.knowledge.replace_context("ann", "warehouse", CONTEXT)
    put(known)
    put(known, owner="bob", sql="SELECT 'bob'")
    assert known.knowledge.read("bob", "warehouse").context == BusinessContext()
    assert [each.sql for each in known.knowledge.read("ann", "warehouse").examples] == ["SELECT 1"]


def test_a_deleted_connection_takes_what_is_known_with_it_and_nothing_else(known):
    known.connections.add("bob", "warehouse", "postgres", {})
    for owner in ("ann", "bob"):
        known.knowledge.replace_context(owner, "warehouse", CONTEXT)
        put(known, owner=owner)
    known.connections.delete("ann", "warehouse")
    assert (count(known, contexts), count(known, examples)) == (1, 1)
    known.connections.add("ann", "warehouse", "postgres", {})
    assert known.knowledge.read("ann", "warehouse").context == BusinessContext()
    assert known.knowledge.read("bob", "warehouse").context == CONTEXT


def test_of_many_contexts_at_once_one_stays_whole(known, settings, make_store):
    whole = [
        BusinessContext(f"notes {n}", tuple(Term(f"term {n} {i}", "x" * 500) for i in range(50))) for n in range(6)
    ]

    def replace(pair):
        store, context = pair
        for _ in range(5):
            store.knowledge.replace_context("ann", "warehouse", context)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(replace, [(make_store(settings), context) for context in whole]))
    kept = known.knowledge.read("ann", "warehouse")
    assert kept.context in whole
    assert kept.stamp.version == 30


def test_examples_at_once_lose_nothing_and_pass_no_bound(known, settings, make_store, monkeypatch):
    monkeypatch.setattr(module, "MOST_EXAMPLES", 12)

    def fill(pair):
        worker, store = pair
        refused = 0
        for number in range(5):
            try:
                put(store, f"{worker} {number}")
            except PayloadError:
                refused += 1
        return refused

    with ThreadPoolExecutor(4) as threads:
        refused = sum(threads.map(fill, enumerate(make_store(settings) for _ in range(4))))
    assert (refused, len(known.knowledge.read("ann", "warehouse").examples)) == (8, 12)


def test_what_is_told_while_the_connection_goes_outlives_it_nowhere(known, settings, make_store):
    def tell(store):
        for _ in range(100_000):
            try:
                put(store)
                store.knowledge.replace_context("ann", "warehouse", CONTEXT)
            except ConnectionNotFoundError:
                return True
        return False

    with ThreadPoolExecutor(3) as threads:
        told = [threads.submit(tell, make_store(settings)) for _ in range(2)]
        known.connections.delete("ann", "warehouse")
        assert [each.result() for each in told] == [True, True]
    assert (count(known, contexts), count(known, examples)) == (0, 0)


@pytest.mark.parametrize("field", ["question", "sql", "note"])
@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_that_no_database_can_hold_is_refused(known, field, text):
    example = {"question": "q", "form": "q", "sql": "s", "note": "", "catalog_version": ""} | {field: text}
    with pytest.raises(PayloadError) as caught:
        known.knowledge.put_example("ann", "warehouse", **example)
    assert caught.value.facts["errors"] == {field: ["Must be plain text."]}


def test_neither_questions_nor_terms_show_in_the_repr_of_an_example(known):
    example, _ = put(known, "Which customers?", "SELECT secret")
    assert "customers" not in repr(example)
    assert "secret" not in repr(example)


# semantic models

MODEL = SemanticModel(
    "Days of closing are left out.",
    (Term("turnover", "Euros", "SUM(sales.pieces * sales.price)", ("takings",)),),
    (Reference(("sales.shop_id",), ("shops.shop_id",)),),
    (("main", "sales", "", "größer als 日本"), ("main", "sales", "status", "sold or not")),
)
DOCUMENT = {"version": "0.1.1", "semantic_model": [{"name": "x\0", "n": 1.50}]}


def test_a_semantic_model_is_kept_beside_what_people_wrote(known, settings, make_store):
    known.knowledge.replace_semantic("ann", "warehouse", SemanticModel("earlier"), {})
    known.knowledge.replace_context("ann", "warehouse", CONTEXT)
    known.knowledge.replace_semantic("ann", "warehouse", MODEL, DOCUMENT)
    other = make_store(settings).knowledge
    assert (other.read("ann", "warehouse").context, other.read("ann", "warehouse").semantic) == (CONTEXT, MODEL)
    assert other.read_document("ann", "warehouse") == DOCUMENT
    assert other.stamp("ann", "warehouse").version == 3


def test_a_semantic_model_goes_and_what_people_wrote_stays(known):
    known.knowledge.replace_context("ann", "warehouse", CONTEXT)
    known.knowledge.replace_semantic("ann", "warehouse", MODEL, DOCUMENT)
    known.knowledge.delete_semantic("ann", "warehouse")
    assert known.knowledge.read("ann", "warehouse").semantic == SemanticModel()
    assert known.knowledge.read("ann", "warehouse").context == CONTEXT
    for forget in (known.knowledge.delete_semantic, known.knowledge.read_document):
        with pytest.raises(SemanticModelNotFoundError):
            forget("ann", "warehouse")
        with pytest.raises(ConnectionNotFoundError):
            forget("bob", "warehouse")


def test_references_come_back_and_a_context_of_an_earlier_release_has_none(known):
    told = BusinessContext("", (), (Reference(("a.x", "a.y"), ("b.x", "b.y")),))
    known.knowledge.replace_context("ann", "warehouse", told)
    assert known.knowledge.read("ann", "warehouse").context == told
    with known.knowledge._database.writing() as connection:
        connection.execute(update(contexts).values(content='{"notes": "old", "terms": []}'))
    assert known.knowledge.read("ann", "warehouse").context == BusinessContext("old")
