"""The provider `offline`: a question in, SQL and the way it was read out. For callers outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft, Provider, Task
from sqlchat.providers.offline.build import build
from sqlchat.providers.offline.explain import explain, interpret
from sqlchat.providers.offline.grammar import parse
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker

MODEL = "sqlchat-offline-1"
LONGEST_QUESTION = 2_000
"""Characters."""
MOST_INDEXES = 8
"""Catalogs whose phrases are kept: connections that are asked in turn."""


class OfflineProvider(Provider):
    """Answers from the catalog alone, always the same way; refuses what it cannot map wholly."""

    name = "offline"
    model = MODEL
    repairs = False

    def __init__(self, today: Callable[[], date] = date.today):
        """`today` tells the day that `last year` is counted from."""
        self._today = today
        self._indexes: tuple[tuple[Task, Linker, Joins], ...] = ()  # the last ones first

    def draft(self, task: Task) -> Draft:
        """SQL for the task's question. Raises QuestionError with the words that were not understood (`words`)."""
        if len(task.question) > LONGEST_QUESTION:
            raise QuestionError("The question is too long: ask for one thing in one or two sentences.", words=[])
        linker, joins = self._indexed(task)
        query = parse(task.question, linker, joins, self._today())
        select: exp.Select = build(query, linker, joins, task.catalog.dialect)
        sql = select.sql(dialect=task.catalog.dialect)
        read = interpret(query)
        return Draft(
            sql,
            explain(query),
            self.model,
            assumptions=tuple(query.assumptions),
            interpretation=f"{read[:1].upper()}{read[1:]}.",
        )

    def _indexed(self, task: Task) -> tuple[Linker, Joins]:
        """The catalog's phrases and paths; those of an earlier task that had the same catalog and values."""
        for before, linker, joins in self._indexes:
            if before.catalog is task.catalog and before.values is task.values:
                return linker, joins
        linker = Linker(task.catalog, task.values)
        joins = Joins(linker.tables)
        self._indexes = ((task, linker, joins), *self._indexes)[:MOST_INDEXES]
        return linker, joins
