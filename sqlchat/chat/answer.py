"""The stages of a question in their order, and its answer with the receipt.

The third stage is the `Examination` of SQL that may run.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlchat.chat.chart import Chart
from sqlchat.chat.value_linking import Match
from sqlchat.connections.results import Results
from sqlchat.providers.base import Draft, Tokens
from sqlchat.sql.examine import Examination
from sqlchat.sql.lineage import Lineage
from sqlchat.store.connections import Privacy

Sent = Literal["names", "values", "profile", "rows"]


@dataclass(frozen=True, kw_only=True)
class Basis:
    """First stage: the tables, values and knowledge that the answer rests on."""

    catalog_version: str
    tables_shown: int
    tables_omitted: tuple[str, ...] = ()
    values_matched: tuple[Match, ...] = ()
    terms_used: tuple[str, ...] = ()
    examples_used: tuple[uuid.UUID, ...] = ()
    """Verified examples in the prompt, or the one that answers."""
    sent: tuple[Sent, ...] = ()
    """Data of the database that a model saw; empty if no model was asked."""
    privacy: Privacy


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """Second stage, and again for another try: SQL, not checked yet."""

    sql: str
    explanation: str
    interpretation: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Ran:
    """Fourth stage, if the SQL is to be run."""

    results: Results


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Counts of the candidates of a thorough answer."""

    candidates: int
    agreeing: int
    """Candidates with the rows of the answer, itself included."""


@dataclass(frozen=True)
class Solution:
    """A draft that worked, its examined SQL and its rows."""

    draft: Draft
    examined: Examination
    results: Results | None
    attempts: int = 1
    agreement: Agreement | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Last stage: the answer to a question, and the data it rests on."""

    sql: str
    executed_sql: str | None
    """The SQL that ran, if the answer is in another dialect than the connection's."""
    provider: str
    model: str
    tokens: Tokens
    """The tokens of all calls of the model."""
    cost_usd: float | None
    """The cost of these tokens at the model's configured price; None if none is configured."""
    results: Results | None
    chart: Chart | None
    explanation: str
    interpretation: str
    warnings: tuple[str, ...]
    assumptions: tuple[str, ...]
    lineage: Lineage
    basis: Basis
    conversation: uuid.UUID | None
    """The id for a follow-up; None if no history is kept, so that there can be none."""
    agreement: Agreement | None
    attempts: int
    timings: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds: context, model, check, run."""
    history: uuid.UUID | None = None
    """Id of its entry; None if the caller has no history."""


Stage = Basis | Drafted | Examination | Ran | Answer
