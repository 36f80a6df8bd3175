"""The provider `offline`: a question in, SQL and the way it was read out. For callers outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft, Provider, Task
from sqlchat.providers.offline.explain import explain, interpret
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.search import Search

MODEL = "sqlchat-offline-1"
LONGEST_QUESTION = 2_000
"""Characters."""


class OfflineProvider(Provider):
    """Answers from the catalog alone, always the same way; refuses what it cannot map wholly."""

    name = "offline"
    model = MODEL
    repairs = False

    def __init__(self, today: Callable[[], date] = date.today):
        """`today` tells the day that `last year` is counted from."""
        self._today = today
        self._last: tuple[Task, Linker, Joins] | None = None

    def draft(self, task: Task) -> Draft:
        """SQL for the task's question. Raises QuestionError with the words that were not understood (`words`)."""
        if len(task.question) > LONGEST_QUESTION:
            raise QuestionError("The question is too long: ask for one thing in one or two sentences.", words=[])
        linker, joins = self._indexed(task)
        search = Search(linker, joins, self._today(), task.catalog.dialect)
        query, select = search.read(task.question)
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
        """The catalog's phrases and paths; those of the last task where it had the same catalog and values."""
        last = self._last
        if last is not None and last[0].catalog is task.catalog and last[0].values is task.values:
            return last[1:]
        linker = Linker(task.catalog, task.values)
        joins = Joins(linker.tables)
        self._last = (task, linker, joins)
        return linker, joins
