"""The way of a question: context, model, check, run; straight down, and back to the model once.

`Pipeline.stages` is what `/api/chat` follows, `answer` its end. What a model writes is never trusted: it is parsed,
guarded, compared with the catalog and explained by the database before it runs, read-only, through the gate.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from sqlchat.chat import prompt
from sqlchat.chat.answer import Answer, Basis, Sent, Stage
from sqlchat.chat.caveats import find_caveats
from sqlchat.chat.context import Context, SchemaLinker
from sqlchat.chat.knowledge import NOTHING, Knowledge, Recalled
from sqlchat.chat.prices import cost
from sqlchat.chat.question import Question
from sqlchat.chat.references import inferred_references
from sqlchat.chat.strategies import Solution, quickly, remembered, thoroughly, verified
from sqlchat.chat.validation import DEADLINE, Clock, Validator
from sqlchat.config import Settings
from sqlchat.connections.gate import Gate
from sqlchat.connections.live import Opened
from sqlchat.connections.manager import ConnectionManager
from sqlchat.errors import ConversationNotFoundError, DeadlineError, TooLargeError, UnavailableError
from sqlchat.providers.base import Message, Provider, Task
from sqlchat.providers.factory import ProviderFactory
from sqlchat.sql.conditions import TextCondition, text_conditions
from sqlchat.sql.dialects import resolve, transpile
from sqlchat.sql.profiles import Profiles
from sqlchat.store import Entry, Turn
from sqlchat.store.history import History
from sqlchat.workers import Workers

MOST_TURNS = 6
"""Of a conversation, in a prompt: what came before them seldom matters."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """All that a question needs, before its prompt is made."""

    opened: Opened
    model: Provider
    recalled: Recalled
    turns: Sequence[Turn]
    validator: Validator
    target: str
    """sqlglot's name of the dialect to answer in."""
    unheard: tuple[str, ...]
    """What came with the question that only a language model can take in."""


class Pipeline:
    """Process-wide and safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        manager: ConnectionManager,
        gate: Gate,
        factory: ProviderFactory,
        *,
        knowledge: Knowledge,
        history: History,
        workers: Workers,
    ) -> None:
        self._settings = settings
        self._manager, self._gate, self._factory, self._workers = manager, gate, factory, workers
        self._history, self._knowledge = history, knowledge
        self._linker = SchemaLinker(settings.prompt_budget)

    def answer(self, question: Question, entry: Entry | None = None) -> Answer:
        """The last of `stages`."""
        *_, last = self.stages(question, entry)
        return cast(Answer, last)

    def stages(self, question: Question, entry: Entry | None = None) -> Iterator[Stage]:
        """Answer `question` stage by stage: a Basis, Drafted, Checked, Ran where it is to be run, and the Answer.

        `entry` is told how far it came, so that it is known of a failure too.

        Raises ConnectionNotFoundError and UnauthorizedError, then ProviderUnknownError or
        ProviderNotConfiguredError, then DialectUnknownError and ConversationNotFoundError, before the first stage;
        QuestionError where no working SQL came of it; and what `Provider.draft`, `Connection.run` and the gate raise
        when the model or the database fails.
        """
        entry = entry or Entry(question.owner, question.connection_id, "chat", question.tag, question=question.text)
        ready = self._prepared(question, entry)
        exact = None if ready.turns or question.notes else ready.recalled.exact  # which both may change its meaning
        if exact and (checked := verified(exact, ready.validator)):
            basis = replace(_basis(ready.opened), examples_used=(exact.id,))
            yield basis
            solution = yield from remembered(exact, checked, ready.validator)
        else:
            basis, task = self._task(question, ready)
            yield basis
            solve = thoroughly if question.mode == "thorough" and ready.model.repairs else quickly
            solution = yield from solve(ready.model, task, ready.validator)
        yield self._told(ready, basis, solution)

    def prompt(self, question: Question) -> tuple[Context, tuple[Message, ...]]:
        """What a model would be shown for `question`, and the whole prompt, without asking one.

        Raises ConnectionNotFoundError, and what `Connection.catalog` raises.
        """
        opened = self._manager.open(question.owner, question.connection_id, question.claims)
        recalled = self._knowledge.recall(question.owner, question.connection_id, question.text, opened.catalog)
        return self._prompt(question, opened, recalled, self._turns(question))

    def ahead(self, owner: str, name: str) -> Iterator[object]:
        """Make ready, step by step, what a question on that connection needs. Raises as `ConnectionManager.ahead`."""
        known = None
        for known in self._manager.ahead(owner, name):
            yield known
        if known is not None:
            catalog, profiles = known
            self._linker.prepare(catalog.listed, profiles)

    def _prepared(self, question: Question, entry: Entry) -> Prepared:
        owner, name, claims = question.owner, question.connection_id, question.claims
        entry.provider = question.provider if isinstance(question.provider, str) else None
        opened = self._manager.open(owner, name, claims)
        model = question.provider if isinstance(question.provider, Provider) else self._factory.get(question.provider)
        entry.provider, entry.model = model.name, model.model
        target = resolve(question.dialect) if question.dialect else opened.connection.dialect
        turns = self._turns(question)
        entry.conversation_id = (question.conversation or uuid.uuid4()) if self._settings.history_days else None
        clock = Clock()
        with clock("context"):
            recalled = self._knowledge.recall(owner, name, question.text, opened.catalog)
        validator = Validator(
            connection=opened.connection,
            catalog=opened.catalog,
            newer=lambda fault: self._manager.newer(owner, name, fault, claims),
            gate=self._gate,
            workers=self._workers,
            clock=clock,
            entry=entry,
            execute=question.auto_execute,
            max_rows=question.max_rows,
            tag=question.tag,
            privacy=opened.privacy,
        )
        return Prepared(
            opened=opened,
            model=model,
            recalled=recalled,
            turns=turns,
            validator=validator,
            target=target,
            unheard=() if model.repairs else _beside(question, recalled, turns),
        )

    def _task(self, question: Question, ready: Prepared) -> tuple[Basis, Task]:
        """What the model is asked, and what that rests on."""
        opened, recalled = ready.opened, ready.recalled
        with ready.validator.clock("context"):
            if not ready.model.repairs:  # the built-in engine reads no prompt
                return _basis(opened), Task(question.text, opened.catalog.listed, values=opened.profiles.few_texts)
            context, messages = self._prompt(question, opened, recalled, ready.turns)
            return _basis(opened, context, recalled), Task(question.text, opened.catalog.listed, messages)

    def _turns(self, question: Question) -> Sequence[Turn]:
        """The last turns, on this connection, of the conversation that the question goes on with."""
        if question.conversation is None:
            return ()
        turns = self._history.conversation(question.owner, question.conversation, MOST_TURNS)
        if not turns:
            kept = "" if self._settings.history_days else ": this service keeps no history"
            raise ConversationNotFoundError(f"There is no conversation {question.conversation}{kept}.")
        return [turn for turn in turns if turn.connection_id == question.connection_id]

    def _prompt(
        self, question: Question, opened: Opened, recalled: Recalled, turns: Sequence[Turn]
    ) -> tuple[Context, tuple[Message, ...]]:
        """The prompt, with no more of the data in it than the connection's privacy allows."""
        said = "\n".join([*(turn.question for turn in turns), question.notes, question.text])  # near to any matters
        profiles = Profiles() if opened.privacy == "schema" else opened.profiles
        samples = opened.samples if opened.privacy == "rows" else {}
        told = (*(t.sql for t in turns), *(e.sql for e in recalled.examples), *(t.sql for t in recalled.terms))
        related = list(filter(None, told))
        context = self._linker.context(opened.catalog.listed, said.strip(), profiles, samples, related)
        return context, prompt.messages(question.text, context, recalled, turns, question.notes)

    def _told(self, ready: Prepared, basis: Basis, solution: Solution) -> Answer:
        validator, draft, results, sql = ready.validator, solution.draft, solution.results, solution.checked.sql
        dialect = validator.connection.dialect
        validator.entry.row_count = None if results is None else results.row_count
        with validator.clock("check"):
            empty = results is not None and results.row_count == 0
            demanded, profiles = self._demanded(sql, ready) if empty else ((), Profiles())
            warnings = [*find_caveats(basis, results, solution.agreement, demanded, profiles)]
            if ready.unheard and draft.model == ready.model.model:
                warnings.append(
                    f"The built-in engine reads a question by itself, without {', '.join(ready.unheard)}."
                )
            shown = sql
            if ready.target != dialect:
                shown, lost = self._workers.call(transpile, sql, dialect, ready.target, deadline=DEADLINE)
                warnings.extend(lost)
        return Answer(
            sql=shown,
            executed_sql=sql if results is not None and ready.target != dialect else None,
            provider=ready.model.name,
            model=draft.model,
            tokens=draft.tokens,
            cost_usd=cost(draft.tokens, draft.model, self._settings.model_prices),
            results=results,
            explanation=draft.explanation,
            interpretation=draft.interpretation,
            warnings=tuple(warnings),
            assumptions=(*draft.assumptions, *inferred_references(validator.catalog, solution.checked.lineage)),
            lineage=solution.checked.lineage,
            basis=basis,
            conversation=validator.entry.conversation_id,
            agreement=solution.agreement,
            attempts=solution.attempts,
            timings=validator.clock.spent,
        )

    def _demanded(self, sql: str, ready: Prepared) -> tuple[Sequence[TextCondition], Profiles]:
        """The texts that every row must have, and what columns hold; none where that cannot be told just now."""
        part, dialect = ready.validator.catalog.mentioned_in(sql), ready.validator.connection.dialect
        try:
            conditions = self._workers.call(text_conditions, sql, dialect, part, deadline=DEADLINE)
            demanded = [each for each in conditions if each.demanded]
            return demanded, ready.opened.profiles if demanded else Profiles()
        except (UnavailableError, DeadlineError, TooLargeError):  # there is an answer already
            return (), Profiles()


def _beside(question: Question, recalled: Recalled, turns: Sequence[Turn]) -> tuple[str, ...]:
    """What there is beside the question itself, in words."""
    parts = {
        "the questions before it": turns,
        "the notes on it": question.notes,
        "the notes on this connection": recalled.notes,
        f"the terms {', '.join(term.term for term in recalled.terms)}": recalled.terms,
        "mode thorough": question.mode == "thorough",
    }
    return tuple(name for name, there in parts.items() if there)


def _basis(opened: Opened, context: Context | None = None, recalled: Recalled = NOTHING) -> Basis:
    catalog, privacy = opened.catalog.listed, opened.privacy
    if context is None:  # nothing leaves the service
        return Basis(catalog_version=catalog.version, tables_shown=len(catalog.tables), privacy=privacy)
    sent: list[Sent] = ["names"]
    if context.remarks or context.nearby:
        sent.append("profile")
    if context.remarks or context.nearby or context.matches:
        sent.append("values")
    if context.samples:
        sent.append("rows")
    return Basis(
        catalog_version=catalog.version,
        tables_shown=len(context.catalog.tables),
        tables_omitted=context.omitted,
        values_matched=context.matches,
        terms_used=tuple(term.term for term in recalled.terms),
        examples_used=tuple(example.id for example in recalled.examples),
        sent=tuple(sent),
        privacy=privacy,
    )
