"""A question: what is asked, by whom, of which connection, and how it is to be answered. What `pipeline` takes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Literal

from sqlchat.connections.open_connection import Claims
from sqlchat.providers.base import Provider

Mode = Literal["quick", "thorough"]


@dataclass(frozen=True, kw_only=True)
class Question:
    owner: str
    connection_id: str
    text: str
    provider: str | Provider | None = None
    """The name of one that the factory has, or one of the caller's own; None for the first configured one."""
    auto_execute: bool = True
    dialect: str | None = None
    """Of the SQL in the answer; None for the connection's own. It runs in the connection's."""
    max_rows: int | None = None
    mode: Mode = "quick"
    """`thorough` asks for three candidates and answers with the one whose rows most agree on."""
    conversation: uuid.UUID | None = None
    """That it goes on with; None where it begins one."""
    notes: str = field(default="", repr=False)
    """What the asker adds for this question: what a word means, how something is counted."""
    claims: Claims = field(default=None, repr=False)
    """Of the caller's verified token."""
    tag: str = ""
    """The request's id, which the SQL that runs carries."""
