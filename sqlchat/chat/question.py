"""A question with its owner, connection and options: the input of `pipeline`."""

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
    """The conversation that it continues; None if it begins one."""
    notes: str = field(default="", repr=False)
    """The asker's notes on this question, such as the meaning of a word."""
    claims: Claims = field(default=None, repr=False)
    """Of the caller's verified token."""
    tag: str = ""
    """The request's id, which the SQL that runs carries."""
