"""Ways from a task to SQL that works: quickly, thoroughly, or by an example that a person verified. For `pipeline`.

Each yields the stages on its way, from Drafted to Ran, and returns the Solution.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

from sqlchat.chat import candidates, prompt, repair
from sqlchat.chat.answer import Agreement, Checked, Drafted, Ran, Stage
from sqlchat.chat.rendering import tokens_in
from sqlchat.chat.validation import FAULTS, Validator
from sqlchat.connections.base import Results
from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft, Provider, Task, Tokens
from sqlchat.providers.reading import strip_fence
from sqlchat.store import Example

ATTEMPTS = 2
NOTHING_SPENT = Tokens()
VERIFIED = "verified-example"
"""Stands for the model where none was asked."""


@dataclass(frozen=True)
class Solution:
    """The draft that worked, and what came of it."""

    draft: Draft
    """Its tokens are those of all attempts."""
    checked: Checked
    results: Results | None
    attempts: int
    agreement: Agreement | None = None


def most_tokens(task: Task, answer_room: int, *, is_thorough: bool) -> Tokens:
    """What the way may take at most: each draft is two calls, and the second shows the first answer again."""
    calls = 2 * (candidates.CANDIDATES + 1 if is_thorough else ATTEMPTS)
    size = sum(tokens_in(message.content) for message in task.messages)
    return Tokens(calls * (size + answer_room), calls * answer_room)


def quickly(
    model: Provider,
    task: Task,
    validator: Validator,
    *,
    spent: Tokens = NOTHING_SPENT,
    calls: int = 0,
    most: int = ATTEMPTS,
) -> Generator[Stage, None, Solution]:
    """The first draft that works. `spent` are the tokens of the `calls` so far; with `most` calls it is over."""
    while True:
        with validator.clock("model"):
            draft = model.draft(task)
        spent, calls = spent + draft.tokens, calls + draft.calls
        sql = _written(draft, spent, validator)
        yield _drafted(draft, sql, calls)
        try:
            checked = validator.check(sql)
            yield checked
            results = validator.run(checked) if validator.execute else None
        except FAULTS as fault:
            if calls >= most or not model.repairs:
                raise repair.for_person(fault, sql, calls) from fault
            task = replace(task, messages=prompt.again(task.messages, draft, validator.for_model(fault, sql)))
            continue
        if results is not None:
            yield Ran(results=results)
        return Solution(replace(draft, tokens=spent), checked, results, calls)


def thoroughly(model: Provider, task: Task, validator: Validator) -> Generator[Stage, None, Solution]:
    """Of several candidates the one whose rows most agree on; where none works, one more try.

    None is had where the first of them took too much: what it raised is raised then.
    """
    with validator.clock("model"):
        drafts = candidates.drafts(model, task)
    spent, calls = candidates.tokens_of(drafts), candidates.calls_for(drafts)
    refusals = [draft for draft in drafts if not strip_fence(draft.sql or "")]
    if 2 * len(refusals) > len(drafts):
        _written(refusals[0], spent, validator)
    working, failed = candidates.tried(drafts, validator)
    if not working:
        assert failed is not None  # most have SQL, and none works
        draft, fault = failed
        if not isinstance(fault, FAULTS):
            _written(draft, spent, validator)
            raise fault
        again = prompt.again(task.messages, draft, validator.for_model(fault, strip_fence(draft.sql or "")))
        task = replace(task, messages=again)
        return (yield from quickly(model, task, validator, spent=spent, calls=calls, most=calls + 1))
    chosen, agreement = candidates.agreed(working)
    sql = _written(chosen.draft, spent, validator)
    yield _drafted(chosen.draft, sql, calls)
    yield chosen.checked
    yield Ran(results=chosen.results)
    draft = replace(chosen.draft, tokens=spent)
    return Solution(draft, chosen.checked, chosen.results, calls, agreement)


def verified(example: Example, validator: Validator) -> Checked | None:
    """The SQL of an example, if it still works; what has become of the database since is not its fault."""
    try:
        return validator.check(example.sql)
    except FAULTS:
        return None


def remembered(example: Example, checked: Checked, validator: Validator) -> Generator[Stage, None, Solution]:
    """The answer that a person verified for this very question: no model is asked."""
    explanation = example.note or "A person verified this SQL for this very question."
    draft = Draft(example.sql, explanation, VERIFIED, interpretation=example.question)
    yield _drafted(draft, _written(draft, NOTHING_SPENT, validator), 0)
    yield checked
    results = None
    if validator.execute:
        try:
            results = validator.run(checked)
        except FAULTS as fault:
            raise repair.for_person(fault, checked.sql, 1) from fault
        yield Ran(results=results)
    return Solution(draft, checked, results, 0)


def _written(draft: Draft, spent: Tokens, validator: Validator) -> str:
    """The SQL of `draft`. Raises QuestionError where it says that there is none."""
    sql = strip_fence(draft.sql or "")
    validator.entry.interpretation = draft.interpretation or None
    validator.entry.record_draft(sql, draft.model, spent.prompt, spent.completion)
    if not sql:
        raise QuestionError(
            f"The data cannot answer this question: {draft.explanation or 'the model gave no reason.'}"
        )
    return sql


def _drafted(draft: Draft, sql: str, attempt: int) -> Drafted:
    return Drafted(sql=sql, explanation=draft.explanation, interpretation=draft.interpretation, attempt=attempt)
