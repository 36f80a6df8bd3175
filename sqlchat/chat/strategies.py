"""Turns a task into SQL that works: by one draft, by several candidates, or by an example that a person verified.

Each strategy yields its stages, from Drafted to Ran, and returns the Solution.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from sqlchat.chat import candidates, prompt, repair
from sqlchat.chat.answer import Drafted, Ran, Solution, Stage
from sqlchat.chat.rendering import estimate_tokens
from sqlchat.chat.validation import FAULTS, Validator
from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft, Provider, Task, Tokens
from sqlchat.providers.statements import strip_fence
from sqlchat.sql.examine import Examination
from sqlchat.store import Example

ATTEMPTS = 2
NOTHING_SPENT = Tokens()
VERIFIED = "verified-example"
"""Name of the model in an answer if no model was asked."""


def count_most_tokens(task: Task, answer_room: int, *, is_thorough: bool) -> Tokens:
    """Return the most tokens that a strategy can take.

    Each draft is at most two calls, and the second prompt holds the first answer.
    """
    drafts = candidates.CANDIDATES + 1 if is_thorough else ATTEMPTS
    prompt_size = sum(estimate_tokens(message.content) for message in task.messages)
    return Tokens(2 * drafts * (prompt_size + answer_room), 2 * drafts * answer_room)


def solve_quickly(
    model: Provider,
    task: Task,
    validator: Validator,
    *,
    spent: Tokens = NOTHING_SPENT,
    calls: int = 0,
    most: int = ATTEMPTS,
) -> Generator[Stage, None, Solution]:
    """Solve `task` by the first draft that works; ask again only while fewer than `most` calls were made.

    `spent` and `calls` count the tokens and calls before. Raises QuestionError if no draft works.
    """
    while True:
        with validator.clock("model"):
            draft = model.draft(task)
        spent, calls = spent + draft.tokens, calls + draft.calls
        sql = _read_sql(draft, spent, validator)
        yield _make_stage(draft, sql, calls)
        try:
            examined = validator.check(sql)
            yield examined
            results = validator.run(examined) if validator.execute else None
        except FAULTS as fault:
            if calls >= most or not model.repairs:
                raise repair.describe_for_person(fault, sql, calls) from fault
            description = validator.describe_fault(fault, sql)
            task = replace(task, messages=prompt.render_retry(task.messages, draft, description))
            continue
        if results is not None:
            yield Ran(results=results)
        return Solution(replace(draft, tokens=spent), examined, results, calls)


def solve_thoroughly(model: Provider, task: Task, validator: Validator) -> Generator[Stage, None, Solution]:
    """Solve `task` by the candidate whose rows most candidates share; ask once more if none works.

    Raises the first candidate's error if none works and the first one ran out of time or memory.
    """
    with validator.clock("model"):
        drafts = candidates.collect_drafts(model, task)
    spent = sum((draft.tokens for draft in drafts), NOTHING_SPENT)
    calls = candidates.CANDIDATES + sum(draft.calls - 1 for draft in drafts)
    refusals = [draft for draft in drafts if not strip_fence(draft.sql or "")]
    if 2 * len(refusals) > len(drafts):
        _read_sql(refusals[0], spent, validator)
    working, failed = candidates.try_drafts(drafts, validator)
    if not working:
        assert failed is not None  # at least half have SQL, and none works
        draft, fault = failed
        if not isinstance(fault, FAULTS):
            _read_sql(draft, spent, validator)
            raise fault
        description = validator.describe_fault(fault, strip_fence(draft.sql or ""))
        retry = replace(task, messages=prompt.render_retry(task.messages, draft, description))
        return (yield from solve_quickly(model, retry, validator, spent=spent, calls=calls, most=calls + 1))
    chosen = candidates.choose_agreed(working)
    sql = _read_sql(chosen.draft, spent, validator)
    yield _make_stage(chosen.draft, sql, calls)
    yield chosen.examined
    assert chosen.results is not None
    yield Ran(results=chosen.results)
    return replace(chosen, draft=replace(chosen.draft, tokens=spent), attempts=calls)


def check_example(example: Example, validator: Validator) -> Examination | None:
    """Return the examined SQL of `example`, or None if it no longer works on the database."""
    try:
        return validator.check(example.sql)
    except FAULTS:
        return None


def answer_from_example(
    example: Example, examined: Examination, validator: Validator
) -> Generator[Stage, None, Solution]:
    """Answer with the verified SQL of the same question, without a model. Raises QuestionError if it fails."""
    explanation = example.note or "A person verified this SQL for this very question."
    draft = Draft(example.sql, explanation, VERIFIED, interpretation=example.question)
    yield _make_stage(draft, _read_sql(draft, NOTHING_SPENT, validator), 0)
    yield examined
    results = None
    if validator.execute:
        try:
            results = validator.run(examined)
        except FAULTS as fault:
            raise repair.describe_for_person(fault, examined.sql, 1) from fault
        yield Ran(results=results)
    return Solution(draft, examined, results, 0)


def _read_sql(draft: Draft, spent: Tokens, validator: Validator) -> str:
    """Return the SQL of `draft` and record it in the history entry. Raises QuestionError if there is none."""
    sql = strip_fence(draft.sql or "")
    validator.entry.interpretation = draft.interpretation or None
    validator.entry.record_draft(sql, draft.model, spent.prompt, spent.completion)
    if not sql:
        raise QuestionError(
            f"The data cannot answer this question: {draft.explanation or 'the model gave no reason.'}"
        )
    return sql


def _make_stage(draft: Draft, sql: str, attempt: int) -> Drafted:
    return Drafted(sql=sql, explanation=draft.explanation, interpretation=draft.interpretation, attempt=attempt)
