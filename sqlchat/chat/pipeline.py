"""The way of a question: context, model, check, run; straight down, and back to the model once.

`Pipeline.stages` is what `/api/chat` follows, `answer` its end. What a model writes is never trusted: it is parsed,
guarded, compared with the catalog and explained by the database before it runs, read-only, through the gate.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import cast

from sqlchat.chat import candidates, prompt, repair
from sqlchat.chat.answer import Agreement, Answer, Basis, Checked, Drafted, Ran, Sent, Stage
from sqlchat.chat.context import Context, SchemaLinker
from sqlchat.chat.doubts import doubts
from sqlchat.chat.prices import cost
from sqlchat.chat.question import Question
from sqlchat.chat.rendering import Values
from sqlchat.chat.trial import DEADLINE, FAULTS, Clock, Trial
from sqlchat.config import Settings
from sqlchat.connections.base import Results
from sqlchat.connections.gate import Gate
from sqlchat.connections.manager import ConnectionManager
from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft, Message, Provider, Task, Tokens
from sqlchat.providers.factory import ProviderFactory
from sqlchat.providers.reading import bare
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.conditions import TextCondition, text_conditions
from sqlchat.sql.dialects import resolve, transpile
from sqlchat.store import Entry
from sqlchat.workers import Workers

ATTEMPTS = 2
NOTHING_SPENT = Tokens()


@dataclass(frozen=True)
class Solution:
    """The draft that worked, and what came of it."""

    draft: Draft
    """Its tokens are those of all attempts."""
    checked: Checked
    results: Results | None
    attempts: int
    agreement: Agreement | None = None


class Pipeline:
    """Process-wide and safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        manager: ConnectionManager,
        gate: Gate,
        factory: ProviderFactory,
        workers: Workers,
    ) -> None:
        self._settings = settings
        self._manager, self._gate, self._factory, self._workers = manager, gate, factory, workers
        self._linker = SchemaLinker(settings.prompt_budget)

    def answer(self, question: Question, entry: Entry | None = None) -> Answer:
        """The last of `stages`."""
        *_, last = self.stages(question, entry)
        return cast(Answer, last)

    def stages(self, question: Question, entry: Entry | None = None) -> Iterator[Stage]:
        """Answer `question` stage by stage: a Basis, Drafted, Checked, Ran where it is to be run, and the Answer.

        `entry` is told how far it came, so that it is known of a failure too.

        Raises ConnectionNotFoundError and UnauthorizedError, then ProviderUnknownError or
        ProviderNotConfiguredError, then DialectUnknownError, before the first stage; QuestionError where no working
        SQL came of it; and what `Provider.draft`, `Connection.run` and the gate raise when the model or the database
        fails.
        """
        owner, name, claims = question.owner, question.connection_id, question.claims
        entry = entry or Entry(owner, name, "chat", question.tag, question=question.text)
        entry.provider = question.provider if isinstance(question.provider, str) else None
        connection = self._manager.get(owner, name, claims)
        model = question.provider if isinstance(question.provider, Provider) else self._factory.get(question.provider)
        entry.provider, entry.model = model.name, model.model
        target = resolve(question.dialect) if question.dialect else connection.dialect
        conversation = question.conversation or uuid.uuid4()
        clock = Clock()
        with clock("context"):
            catalog = self._manager.catalog(owner, name, claims)
            values = self._manager.values(owner, name, claims)
            context, messages = self._prompt(question.text, catalog, values) if model.repairs else (None, ())
        basis = _basis(catalog, context)
        yield basis
        trial = Trial(
            connection=connection,
            catalog=catalog,
            gate=self._gate,
            workers=self._workers,
            clock=clock,
            max_rows=question.max_rows,
            tag=question.tag,
        )
        task = Task(question.text, catalog, messages, values)
        if question.mode == "thorough" and model.repairs:
            solution = yield from _thoroughly(model, task, trial, entry)
        else:
            solution = yield from _quickly(model, task, trial, entry, execute=question.auto_execute)
        sql, draft, results = solution.checked.sql, solution.draft, solution.results
        entry.row_count = None if results is None else results.row_count
        with clock("check"):
            demanded: tuple[TextCondition, ...] = ()
            if results is not None and results.row_count == 0:
                conditions = self._workers.call(
                    text_conditions, sql, connection.dialect, catalog.mentioned_in(sql), deadline=DEADLINE
                )
                demanded = tuple(each for each in conditions if each.demanded)
            warnings = [*doubts(basis, results, solution.agreement, demanded, values)]
            shown = sql
            if target != connection.dialect:
                shown, lost = self._workers.call(transpile, sql, connection.dialect, target, deadline=DEADLINE)
                warnings.extend(lost)
        yield Answer(
            sql=shown,
            provider=model.name,
            model=draft.model,
            tokens=draft.tokens,
            cost_usd=cost(draft.tokens, draft.model, self._settings.model_prices),
            results=results,
            explanation=draft.explanation,
            interpretation=draft.interpretation,
            warnings=tuple(warnings),
            assumptions=draft.assumptions,
            lineage=solution.checked.lineage,
            basis=basis,
            conversation=conversation,
            agreement=solution.agreement,
            attempts=solution.attempts,
            timings=clock.spent,
        )

    def prompt(self, owner: str, connection_id: str, question: str) -> tuple[Context, tuple[Message, ...]]:
        """What a model would be shown for `question`, and the whole prompt, without asking one.

        Raises ConnectionNotFoundError, and what `Connection.catalog` raises.
        """
        catalog, values = self._manager.catalog(owner, connection_id), self._manager.values(owner, connection_id)
        return self._prompt(question, catalog, values)

    def _prompt(self, question: str, catalog: Catalog, values: Values) -> tuple[Context, tuple[Message, ...]]:
        context = self._linker.context(catalog, question, values)
        return context, prompt.messages(question, context)


def _quickly(
    model: Provider,
    task: Task,
    trial: Trial,
    entry: Entry,
    *,
    execute: bool,
    spent: Tokens = NOTHING_SPENT,
    calls: int = 0,
    most: int = ATTEMPTS,
) -> Generator[Stage, None, Solution]:
    """The first draft that works. `spent` are the tokens of the `calls` so far; with `most` calls it is over."""
    while True:
        calls += 1
        with trial.clock("model"):
            draft = model.draft(task)
        spent += draft.tokens
        sql = _written(draft, spent, entry)
        yield _drafted(draft, sql, calls)
        try:
            checked = trial.check(sql)
            yield checked
            results = trial.run(sql) if execute else None
        except FAULTS as fault:
            if calls >= most or not model.repairs:
                raise repair.for_person(fault, sql, calls) from fault
            task = replace(task, messages=prompt.again(task.messages, draft, repair.for_model(fault, sql)))
            continue
        if results is not None:
            yield Ran(results=results)
        return Solution(replace(draft, tokens=spent), checked, results, calls)


def _thoroughly(model: Provider, task: Task, trial: Trial, entry: Entry) -> Generator[Stage, None, Solution]:
    """Of several candidates the one whose rows most agree on; where none works, one more try."""
    with trial.clock("model"):
        drafts = candidates.drafts(model, task)
    spent = candidates.tokens_of(drafts)
    refusals = [draft for draft in drafts if not bare(draft.sql or "")]
    if 2 * len(refusals) > len(drafts):
        _written(refusals[0], spent, entry)
    working, failed = candidates.tried(drafts, trial)
    if not working:
        assert failed is not None  # most have SQL, and none works
        draft, fault = failed
        again = prompt.again(task.messages, draft, repair.for_model(fault, bare(draft.sql or "")))
        calls = candidates.CANDIDATES
        task = replace(task, messages=again)
        return (
            yield from _quickly(model, task, trial, entry, execute=True, spent=spent, calls=calls, most=calls + 1)
        )
    chosen, agreement = candidates.agreed(working)
    sql = _written(chosen.draft, spent, entry)
    yield _drafted(chosen.draft, sql, candidates.CANDIDATES)
    yield chosen.checked
    yield Ran(results=chosen.results)
    draft = replace(chosen.draft, tokens=spent)
    return Solution(draft, chosen.checked, chosen.results, candidates.CANDIDATES, agreement)


def _written(draft: Draft, spent: Tokens, entry: Entry) -> str:
    """The SQL of `draft`. Raises QuestionError where it says that there is none."""
    sql = bare(draft.sql or "")
    entry.drafted(sql, draft.model, spent.prompt, spent.completion)
    if not sql:
        raise QuestionError(
            f"The data cannot answer this question: {draft.explanation or 'the model gave no reason.'}"
        )
    return sql


def _drafted(draft: Draft, sql: str, attempt: int) -> Drafted:
    return Drafted(sql=sql, explanation=draft.explanation, interpretation=draft.interpretation, attempt=attempt)


def _basis(catalog: Catalog, context: Context | None) -> Basis:
    if context is None:
        return Basis(catalog_version=catalog.version, tables_shown=len(catalog.tables))
    sent: list[Sent] = ["names"]
    if context.values or context.nearby or context.matches:
        sent.append("values")
    return Basis(
        catalog_version=catalog.version,
        tables_shown=len(context.catalog.tables),
        tables_omitted=context.omitted,
        values_matched=context.matches,
        sent=tuple(sent),
    )
