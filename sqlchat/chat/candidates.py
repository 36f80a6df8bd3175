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
from sqlchat.connections.results import Results
from sqlchat.errors import QueryTimeoutError, SqlchatError, TooLargeError
from sqlchat.providers.base import Draft, Provider, Task
from sqlchat.providers.statements import strip_fence

CANDIDATES = 3
TOO_COSTLY = (QueryTimeoutError, TooLargeError)
"""Errors of one candidate; others may be cheaper."""


def collect_drafts(model: Provider, task: Task) -> list[Draft]:
    """Ask `model` CANDIDATES times at once; return the drafts. Raises the first error if all calls failed."""
    with ThreadPoolExecutor(CANDIDATES, thread_name_prefix="candidate") as pool:
        # each runs in a copy of this context, so that its calls are traced as part of the question
        calls = [pool.submit(copy_context().run, model.draft, task) for _ in range(CANDIDATES)]
    drafts: list[Draft] = []
    errors: list[SqlchatError] = []
    for call in calls:
        try:
            drafts.append(call.result())
        except SqlchatError as exc:
            errors.append(exc)
    if not drafts:
        raise errors[0]
    return drafts


def try_drafts(
    drafts: Sequence[Draft], validator: Validator
) -> tuple[list[Solution], tuple[Draft, SqlchatError] | None]:
    """Return the drafts that work, and the first that fails with its error. Runs each SQL text once."""
    solutions: dict[str, Solution | None] = {"": None}
    working: list[Solution] = []
    first_failed: tuple[Draft, SqlchatError] | None = None
    for draft in drafts:
        sql = strip_fence(draft.sql or "")
        if sql not in solutions:
            solutions[sql] = None
            try:
                examined = validator.check(sql)
                solutions[sql] = Solution(draft, examined, validator.run(examined))
            except (*FAULTS, *TOO_COSTLY) as fault:
                first_failed = first_failed or (draft, fault)
        if solution := solutions[sql]:
            working.append(replace(solution, draft=draft))
    return working, first_failed


def choose_agreed(candidates: Sequence[Solution]) -> Solution:
    """Return the first candidate of the largest group with the same rows, with the size of the group."""
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
