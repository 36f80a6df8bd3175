"""The way of a question: context, model, check, run; straight down, and back to the model once.

`Pipeline.answer` is what `/api/chat` calls. What a model writes is never trusted: it is parsed, guarded, compared
with the catalog and explained by the database before it runs, read-only, through the gate.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlchat.chat import prompt, repair
from sqlchat.chat.context import Context, SchemaLinker
from sqlchat.chat.rendering import Values
from sqlchat.config import Settings
from sqlchat.connections.base import Connection, Results
from sqlchat.connections.gate import Gate
from sqlchat.connections.manager import Claims, ConnectionManager
from sqlchat.errors import QueryError, QuestionError, SQLRefusedError, SQLSyntaxError
from sqlchat.providers.base import Draft, Message, Provider, Task, Tokens
from sqlchat.providers.factory import ProviderFactory
from sqlchat.providers.reading import bare
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.dialects import resolve, transpile
from sqlchat.sql.lineage import Lineage, lineage
from sqlchat.sql.names import nearest, unknown_names
from sqlchat.store import Entry
from sqlchat.workers import Workers

CHECK_DEADLINE = 5.0  # seconds for one look at a statement in a worker process
ATTEMPTS = 2
REPAIRABLE = (SQLSyntaxError, SQLRefusedError, QueryError)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A question's answer and what it rests on."""

    sql: str
    """In the dialect that was asked for."""
    provider: str
    model: str
    tokens: Tokens
    """Of all calls of the model."""
    results: Results | None
    """None where nothing was to be run."""
    explanation: str
    warnings: tuple[str, ...]
    assumptions: tuple[str, ...]
    lineage: Lineage
    attempts: int
    timings: dict[str, float]
    """Milliseconds: context, model, check, run."""


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
        self._manager, self._gate, self._factory, self._workers = manager, gate, factory, workers
        self._linker = SchemaLinker(settings.prompt_budget)

    def answer(
        self,
        owner: str,
        connection_id: str,
        question: str,
        *,
        provider: str | Provider | None = None,
        auto_execute: bool = True,
        dialect: str | None = None,
        max_rows: int | None = None,
        tag: str = "",
        entry: Entry | None = None,
        claims: Claims = None,
    ) -> Answer:
        """Answer `question` on the connection `connection_id` of `owner`, for the caller whose token holds `claims`.

        `provider` is the name of one that the factory has, or one of the caller's own. `entry` is told how far it
        came, so that it is known of a failure too.

        Raises ConnectionNotFoundError and UnauthorizedError, then ProviderUnknownError or
        ProviderNotConfiguredError, then DialectUnknownError, before any model is called; QuestionError where no
        working SQL came of it; and what `Provider.draft`, `Connection.run` and the gate raise when the model or the
        database fails.
        """
        entry = entry or Entry(owner, connection_id, "chat", tag, question=question)
        entry.provider = provider if isinstance(provider, str) else None
        connection = self._manager.get(owner, connection_id, claims)
        model = provider if isinstance(provider, Provider) else self._factory.get(provider)
        entry.provider, entry.model = model.name, model.model
        target = resolve(dialect) if dialect else connection.dialect
        clock = Clock()
        with clock("context"):
            catalog = self._manager.catalog(owner, connection_id, claims)
            values = self._manager.values(owner, connection_id, claims)
            context, messages = self._prompt(question, catalog, values) if model.repairs else (None, ())
        task = Task(question, catalog, messages, values)
        trial = Trial(connection, catalog, clock, auto_execute, max_rows, tag, entry)
        draft, sql, results, attempts = self._tried(model, task, trial)
        with clock("check"):
            origin = self._workers.call(
                lineage, sql, connection.dialect, catalog.mentioned_in(sql), deadline=CHECK_DEADLINE
            )
            shown, warnings = sql, _warnings(context, results)
            if target != connection.dialect:
                shown, lost = self._workers.call(transpile, sql, connection.dialect, target, deadline=CHECK_DEADLINE)
                warnings.extend(lost)
        return Answer(
            sql=shown,
            provider=model.name,
            model=draft.model,
            tokens=draft.tokens,
            results=results,
            explanation=draft.explanation,
            warnings=tuple(warnings),
            assumptions=draft.assumptions,
            lineage=origin,
            attempts=attempts,
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

    def _tried(self, model: Provider, task: Task, trial: Trial) -> tuple[Draft, str, Results | None, int]:
        """The first draft that works, its SQL and rows; its tokens are those of all attempts."""
        tokens, attempts = Tokens(), 0
        while True:
            attempts += 1
            with trial.clock("model"):
                draft = model.draft(task)
            tokens += draft.tokens
            sql = bare(draft.sql or "")
            trial.entry.drafted(sql, draft.model, tokens.prompt, tokens.completion)
            if not sql:
                why = draft.explanation or "the model gave no reason."
                raise QuestionError(f"The data cannot answer this question: {why}")
            try:
                return replace(draft, tokens=tokens), sql, self._run(sql, trial), attempts
            except REPAIRABLE as fault:
                if attempts == ATTEMPTS or not model.repairs:
                    raise repair.for_person(fault, sql, attempts) from fault
                task = replace(task, messages=prompt.again(task.messages, draft, repair.for_model(fault, sql)))

    def _run(self, sql: str, trial: Trial) -> Results | None:
        with trial.clock("check"):
            self._check(sql, trial)
        if not trial.execute:
            return None
        with trial.clock("run"):
            results = self._gate.run(
                trial.connection, sql, max_rows=trial.max_rows, tag=trial.tag, functions=trial.catalog.functions
            )
        trial.entry.row_count = results.row_count
        return results

    def _check(self, sql: str, trial: Trial) -> None:
        """Raise one of REPAIRABLE where `sql` would not run."""
        connection, catalog = trial.connection, trial.catalog
        verdict = self._gate.check(connection, sql, catalog.functions)
        unknown = self._workers.call(unknown_names, sql, catalog.mentioned_in(sql), deadline=CHECK_DEADLINE)
        fault = repair.unknown(unknown, {u.name: nearest(u, catalog) for u in unknown}) if unknown else None
        if not verdict.plannable:
            if fault:
                raise fault
            return
        try:
            connection.explain(sql)  # the last word on names: a database knows some that no catalog lists
        except QueryError as exc:
            if fault is None:
                raise
            raise QueryError(fault.detail, **fault.facts | exc.facts) from exc


@dataclass(frozen=True)
class Trial:
    """Where and how the drafts for one question are tried."""

    connection: Connection
    catalog: Catalog
    clock: Clock
    execute: bool
    max_rows: int | None
    tag: str
    entry: Entry


class Clock:
    """Adds up the milliseconds of each stage, however often it is entered."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = dict.fromkeys(("context", "model", "check", "run"), 0.0)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spent[stage] = round(self.spent[stage] + (time.perf_counter() - start) * 1000, 2)


def _warnings(context: Context | None, results: Results | None) -> list[str]:
    warnings = []
    if context and context.omitted:
        shown = len(context.catalog.tables)
        warnings.append(
            f"The model saw the {shown} tables nearest to the question of {shown + len(context.omitted)}: "
            "the others did not fit the prompt."
        )
    if results is not None and results.row_count == 0:
        warnings.append("The query ran and found no rows.")
    return warnings
