"""What owners say of their entries, on SQLite and Postgres."""

import uuid
from datetime import timedelta

import pytest

from sqlchat.errors import FeedbackNotFoundError
from sqlchat.store import Entry


@pytest.fixture
def entry(store):
    """An entry of ann's."""
    made = Entry("ann", "warehouse", "chat", question="How many?", sql="SELECT 1")
    store.history.add(made)
    return made


def put(store, entry, rating="bad", comment="größer als 日本 %s :name", sql="SELECT 2"):
    return store.feedback.put(entry.owner, entry.id, rating, comment=comment, corrected_sql=sql)


def test_it_comes_back_as_it_was_given_in_another_process(store, settings, make_store, entry):
    given, is_new = put(store, entry)
    assert is_new
    assert make_store(settings).feedback.find("ann", [entry.id, uuid.uuid4()]) == {entry.id: given}
    ((found, said),) = make_store(settings).feedback.list("ann", "warehouse")
    assert (found.id, found.question, said) == (entry.id, "How many?", given)
    assert store.feedback.list("ann", "other") == []


def test_an_entry_has_one_verdict(store, entry):
    put(store, entry)
    given, is_new = put(store, entry, "good", "", "")
    assert not is_new
    assert store.feedback.find("ann", [entry.id]) == {entry.id: given}


def test_it_is_nobody_elses(store, entry):
    put(store, entry)
    assert store.feedback.find("bob", [entry.id]) == {}
    assert store.feedback.list("bob", "warehouse") == []
    assert store.history.page("bob", limit=9, rating="any")[0] == []
    with pytest.raises(FeedbackNotFoundError):
        store.feedback.delete("bob", entry.id)
    store.feedback.delete("ann", entry.id)
    with pytest.raises(FeedbackNotFoundError):
        store.feedback.delete("ann", entry.id)


def test_it_is_forgotten_with_its_entry(store, entry, monkeypatch):
    put(store, entry)
    store.history.sweep()
    assert len(store.feedback.find("ann", [entry.id])) == 1
    monkeypatch.setattr(store.history, "_kept", timedelta(0))
    store.history.sweep()
    assert store.feedback.find("ann", [entry.id]) == {}
