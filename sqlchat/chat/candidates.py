"""Asks a model for several candidates and chooses the one whose rows most of them share.

Self-consistency (Wang et al., 2023), with execution as the vote: the model is asked the same question several times
at once, each candidate runs, and those with the same rows count as one opinion. The rows decide, never the texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace

from sqlchat.chat.answer import Agreement, Solution
from sqlchat.chat.compare import ResultSet, describe_difference
from sqlchat.chat.validation import FAULTS, Validator
from sqlchat.connections.base import Results
from sqlchat.errors import QueryTimeoutError, SqlchatError, TooLargeError
from sqlchat.providers.base import Draft, Provider, Task
from sqlchat.providers.statements import strip_fence

CANDIDATES = 3
TOO_COSTLY = (QueryTimeoutError, TooLargeError)
"""Errors of one candidate; others may be cheaper."""


def collect_drafts(model: Provider, task: Task, count: int = CANDIDATES) -> list[Draft]:
    """`count` answers of `model` to one task, asked for at once; without those that failed.

    Raises the first error if all failed.
    """

    def draft() -> Draft | SqlchatError:
        try:
            return model.draft(task)
        except SqlchatError as exc:
            return exc

    with ThreadPoolExecutor(count, thread_name_prefix="candidate") as pool:
        # each in a copy of this context, so that what it calls is seen as part of the question
        asked = [pool.submit(copy_context().run, draft) for _ in range(count)]
        answers = [each.result() for each in asked]
    answered = [answer for answer in answers if isinstance(answer, Draft)]
    for failure in answers:
        if not answered and isinstance(failure, SqlchatError):
            raise failure
    return answered


def try_drafts(
    answers: Sequence[Draft], validator: Validator
) -> tuple[list[Solution], tuple[Draft, SqlchatError] | None]:
    """The drafts of `answers` that work, and the first that does not with its fault. Runs each SQL text once."""
    known: dict[str, Solution | None] = {"": None}
    found: list[Solution] = []
    first: tuple[Draft, SqlchatError] | None = None
    for answer in answers:
        sql = strip_fence(answer.sql or "")
        if sql not in known:
            known[sql] = None
            try:
                examined = validator.check(sql)
                known[sql] = Solution(answer, examined, validator.run(examined))
            except (*FAULTS, *TOO_COSTLY) as fault:
                first = first or (answer, fault)
        if candidate := known[sql]:
            found.append(replace(candidate, draft=answer))
    return found, first


def choose_agreed(candidates: Sequence[Solution]) -> Solution:
    """The first candidate of the largest group with the same rows, with the number that agree."""
    groups: list[list[Solution]] = []
    for candidate in candidates:
        for group in groups:
            if _have_same_rows(group[0].results, candidate.results):
                group.append(candidate)
                break
        else:
            groups.append([candidate])
    largest = max(groups, key=len)
    return replace(largest[0], agreement=Agreement(candidates=len(candidates), agreeing=len(largest)))


def _have_same_rows(one: Results | None, other: Results | None) -> bool:
    assert one is not None
    assert other is not None
    return one.rows == other.rows or not describe_difference(ResultSet.of(one), ResultSet.of(other))
