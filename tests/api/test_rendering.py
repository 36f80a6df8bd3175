"""Renders answers by the members that their schemas name."""

import uuid
from datetime import UTC, datetime

import pytest

from sqlchat.api.rendering import render_entry, render_example, render_feedback
from sqlchat.providers.base import Tokens
from sqlchat.schemas.chat import TokensSchema
from sqlchat.schemas.history import EntrySchema, ShownFeedbackSchema
from sqlchat.schemas.knowledge import TaughtSchema
from sqlchat.schemas.members import render
from sqlchat.store import Entry, Example
from sqlchat.store.feedback import Feedback

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ID = uuid.UUID(int=7)


def test_members_are_computed_or_read_in_the_order_of_the_schema():
    assert list(render(TokensSchema, Tokens(1, 2), completion=5).items()) == [
        ("prompt", 1),
        ("completion", 5),
        ("total", 3),
    ]


def test_what_the_schema_does_not_name_is_left_out():
    assert render(TokensSchema, object(), total=3, secret=4) == {"total": 3}


@pytest.mark.parametrize(
    ("members", "schema"),
    [
        (render_entry(Entry("me", "pg", "chat"), None), EntrySchema),
        (render_feedback(Feedback(ID, "good", at=NOW)), ShownFeedbackSchema),
        (render_example(Example(ID, "How many?", "SELECT 1", "", "v1", NOW), stale=True), TaughtSchema),
    ],
    ids=["entry", "feedback", "example"],
)
def test_no_documented_member_is_missing(members, schema):
    assert list(members) == list(schema().fields)


def test_an_empty_text_is_null():
    feedback = render_feedback(Feedback(ID, "bad", comment="", corrected_sql="SELECT 1", at=NOW))
    assert feedback == {"rating": "bad", "comment": None, "corrected_sql": "SELECT 1", "at": NOW}
