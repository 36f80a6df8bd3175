"""Answers a question: makes its prompt, asks a model, checks the SQL and runs it, with one more try if that fails.

SQL of a model is never trusted: it is parsed, guarded, compared with the catalog and explained by the database before
it runs, read-only.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from sqlchat.chat import prompt, strategies
from sqlchat.chat.answer import Answer, Basis, Sent, Solution, Stage
from sqlchat.chat.budgets import Budgets
from sqlchat.chat.caveats import find_caveats, list_unsure_references
from sqlchat.chat.chart import choose_chart
from sqlchat.chat.context import SchemaLinker
from sqlchat.chat.knowledge import NOTHING, Knowledge, Recalled
from sqlchat.chat.question import Question
from sqlchat.chat.selection import Context
from sqlchat.chat.strategies import answer_from_example, check_example, solve_quickly, solve_thoroughly
from sqlchat.chat.validation import Clock, Validator
from sqlchat.chat.value_linking import Match
from sqlchat.config import Settings
from sqlchat.connections.manager import ConnectionManager
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.errors import ConversationNotFoundError, UnavailableError
from sqlchat.providers.base import Message, Provider, Task, Term
from sqlchat.providers.factory import ProviderFactory
from sqlchat.providers.prices import compute_cost
from sqlchat.sql.dialects import find_dialect, transpile
from sqlchat.sql.profiles import Profiles
from sqlchat.store import Entry, Turn
from sqlchat.store.history import History
from sqlchat.workers import Workers

TRANSLATION_TIMEOUT = 5.0
"""Seconds for one statement in a worker process."""
MOST_TURNS = 6
"""Earlier questions of a conversation in a prompt."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The parts of a question's work that stand before its prompt is made."""

    connection: OpenConnection
    model: Provider
    recalled: Recalled
    turns: Sequence[Turn]
    validator: Validator
    target: str
    """sqlglot's name of the dialect to answer in."""
    ignored_parts: tuple[str, ...]
    """Parts of the question that the built-in engine cannot use; empty for a language model."""


class Pipeline:
    """Answers questions: prompt, model, checks, rows. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        manager: ConnectionManager,
        factory: ProviderFactory,
        *,
        knowledge: Knowledge,
        history: History,
        workers: Workers,
        linker: SchemaLinker,
        budgets: Budgets,
    ) -> None:
        self._settings = settings
        self._manager, self._factory, self._workers, self._linker = manager, factory, workers, linker
        self._history, self._knowledge, self._budgets = history, knowledge, budgets

    def answer(self, question: Question, entry: Entry | None = None) -> Answer:
        """Return the Answer of `question`. Raises what `run_stages` raises."""
        *_, last_stage = self.run_stages(question, entry)
        return cast(Answer, last_stage)

    def run_stages(self, question: Question, entry: Entry | None = None) -> Iterator[Stage]:
        """Yield the stages: Basis, Drafted, Examination, Ran if the SQL is to be run, and the Answer.

        `entry` records the progress, also of a failure. With an entry, the day's budget of its owner applies, and the
        caller stores the entry in the history.

        Before the first stage it raises ConnectionNotFoundError, UnauthorizedError, ProviderUnknownError,
        ProviderNotConfiguredError, DialectUnknownError, ConversationNotFoundError and BudgetError, in this order.
        Later it raises QuestionError if no SQL works, and the errors of `Provider.draft` and `OpenConnection.run`.
        """
        has_budget = entry is not None
        entry = entry or Entry(question.owner, question.connection_id, "chat", question.tag, question=question.text)
        ready = self._prepare(question, entry)
        # earlier questions and notes may change the meaning of the same words
        exact = None if ready.turns or question.notes else ready.recalled.exact
        if exact and (examined := check_example(exact, ready.validator)):
            basis = replace(_make_basis(ready.connection), examples_used=(exact.id,))
            yield basis
            solution = yield from answer_from_example(exact, examined, ready.validator)
        else:
            basis, task = self._make_task(question, ready)
            is_thorough = question.mode == "thorough" and ready.model.repairs
            if has_budget and ready.model.repairs:  # the built-in engine costs nothing
                most = strategies.count_most_tokens(task, self._settings.answer_room, is_thorough=is_thorough)
                self._budgets.admit(entry, ready.model.model, most)
            yield basis
            solve = solve_thoroughly if is_thorough else solve_quickly
            try:
                solution = yield from solve(ready.model, task, ready.validator)
            finally:  # an unreadable answer costs tokens too
                entry.count_tokens(task.meter.tokens.prompt, task.meter.tokens.completion)
        yield self._make_answer(ready, basis, solution)

    def make_prompt(self, question: Question) -> tuple[Context, tuple[Message, ...]]:
        """Return the context and the prompt for `question`, without asking a model.

        Raises ConnectionNotFoundError, and the errors of `Connection.catalog`.
        """
        connection = self._manager.open(question.owner, question.connection_id, question.claims)
        recalled = self._recall(question, connection)
        turns = self._read_turns(question, connection)
        context, _, messages = self._make_prompt(question, connection, recalled, turns)
        return context, messages

    def _prepare(self, question: Question, entry: Entry) -> Prepared:
        owner, name = question.owner, question.connection_id
        entry.provider = question.provider if isinstance(question.provider, str) else None
        connection = self._manager.open(owner, name, question.claims)
        model = question.provider if isinstance(question.provider, Provider) else self._factory.get(question.provider)
        entry.provider, entry.model = model.name, model.model
        target = find_dialect(question.dialect) if question.dialect else connection.dialect
        turns = self._read_turns(question, connection)
        entry.conversation_id = (question.conversation or uuid.uuid4()) if self._settings.history_days else None
        clock = Clock()
        with clock("context"):
            recalled = self._recall(question, connection)
        validator = Validator(
            connection=connection,
            clock=clock,
            entry=entry,
            execute=question.auto_execute,
            max_rows=question.max_rows,
            tag=question.tag,
        )
        return Prepared(
            connection=connection,
            model=model,
            recalled=recalled,
            turns=turns,
            validator=validator,
            target=target,
            ignored_parts=() if model.repairs else _list_ignored_parts(question, recalled, turns),
        )

    def _make_task(self, question: Question, ready: Prepared) -> tuple[Basis, Task]:
        """Return the basis of the answer and the task for the model."""
        connection, recalled = ready.connection, ready.recalled
        with ready.validator.clock("context"):
            if not ready.model.repairs:  # the built-in engine reads no prompt
                profiles = connection.profiles
                task = Task(
                    question.text,
                    recalled.additions.apply_to(connection.catalog, profiles).listed,
                    values=profiles.few_texts,
                    plain_kinds=profiles.plain_kinds,
                    terms=tuple(Term((term.term, *term.synonyms), term.sql) for term in recalled.terms if term.sql),
                )
                return _make_basis(connection), task
            context, recalled, messages = self._make_prompt(question, connection, recalled, ready.turns)
            catalog = recalled.additions.apply_to(connection.catalog, Profiles()).listed
            return _make_basis(connection, context, recalled), Task(question.text, catalog, messages)

    def _recall(self, question: Question, connection: OpenConnection) -> Recalled:
        """Return the knowledge for the question, without the parts that name something the policy denies."""
        owner, name, catalog = question.owner, question.connection_id, connection.catalog
        return self._knowledge.recall(owner, name, question.text, catalog).leave_out(connection.hidden_names)

    def _read_turns(self, question: Question, connection: OpenConnection) -> Sequence[Turn]:
        """Return the last turns of the question's conversation, on this connection.

        Leaves out turns whose SQL has names that the connection's policy denies now. Raises
        ConversationNotFoundError.
        """
        if question.conversation is None:
            return ()
        turns = self._history.conversation(question.owner, question.conversation, MOST_TURNS)
        if not turns:
            reason = "" if self._settings.history_days else ": this service keeps no history"
            raise ConversationNotFoundError(f"There is no conversation {question.conversation}{reason}.")
        return [
            turn
            for turn in turns
            if turn.connection_id == question.connection_id and not connection.hidden_names.are_in_sql(turn.sql)
        ]

    def _make_prompt(
        self, question: Question, connection: OpenConnection, recalled: Recalled, turns: Sequence[Turn]
    ) -> tuple[Context, Recalled, tuple[Message, ...]]:
        """Make the prompt with only the data that the connection's privacy allows; return its content and text."""
        questions = "\n".join([*(turn.question for turn in turns), question.notes, question.text])
        profiles = Profiles() if connection.privacy == "schema" else connection.profiles
        samples = connection.samples if connection.privacy == "rows" else {}
        statements = (*(t.sql for t in turns), *(e.sql for e in recalled.examples), *(t.sql for t in recalled.terms))
        catalog = recalled.additions.apply_to(connection.catalog, profiles).listed
        context = self._linker.choose_context(catalog, questions.strip(), profiles, samples, statements)
        room = self._settings.prompt_room
        return prompt.fit_messages(question.text, context, recalled, turns, asked_notes=question.notes, room=room)

    def _make_answer(self, ready: Prepared, basis: Basis, solution: Solution) -> Answer:
        validator, draft, results = ready.validator, solution.draft, solution.results
        sql, lineage, conditions = solution.examined.sql, solution.examined.lineage, solution.examined.conditions
        dialect = ready.connection.dialect
        catalog = ready.recalled.additions.apply_to(ready.connection.catalog, Profiles())
        validator.entry.row_count = None if results is None else results.row_count
        with validator.clock("check"):
            is_empty = results is not None and results.row_count == 0
            demanded = [condition for condition in conditions if condition.demanded] if is_empty else []
            profiles = _read_profiles(ready.connection) if demanded else Profiles()
            warnings = [*draft.warnings, *find_caveats(basis, results, solution.agreement, demanded, profiles)]
            if draft.terms or draft.values:
                matches = tuple(Match(*fields) for fields in draft.values)
                basis = replace(basis, terms_used=draft.terms, values_matched=matches)
            ignored = [part for part in ready.ignored_parts if part not in map(_name_term, draft.terms)]
            if ignored and draft.model == ready.model.model:
                warnings.append(f"The built-in engine reads a question by itself, without {', '.join(ignored)}.")
            answer_sql = sql
            if ready.target != dialect:
                answer_sql, losses = self._workers.call(
                    transpile, sql, dialect, ready.target, deadline=TRANSLATION_TIMEOUT
                )
                warnings.extend(losses)
        return Answer(
            sql=answer_sql,
            executed_sql=sql if results is not None and ready.target != dialect else None,
            provider=ready.model.name,
            model=draft.model,
            tokens=draft.tokens,
            cost_usd=compute_cost(draft.tokens, draft.model, self._settings.model_prices),
            results=results,
            chart=None if results is None else choose_chart(results),
            explanation=draft.explanation,
            interpretation=draft.interpretation,
            warnings=tuple(warnings),
            assumptions=(*draft.assumptions, *list_unsure_references(catalog, lineage)),
            lineage=lineage,
            basis=basis,
            conversation=validator.entry.conversation_id,
            agreement=solution.agreement,
            attempts=solution.attempts,
            timings=validator.clock.spent,
        )


def _read_profiles(connection: OpenConnection) -> Profiles:
    """Return the profiles, or empty ones if the database is away: the answer is already complete without them."""
    try:
        return connection.profiles
    except UnavailableError:
        return Profiles()


def _list_ignored_parts(question: Question, recalled: Recalled, turns: Sequence[Turn]) -> tuple[str, ...]:
    """Name the parts that the question has beside its text."""
    parts = {
        "the questions before it": turns,
        "the notes on it": question.notes,
        "the notes on this connection": recalled.notes,
        **{_name_term(term.term): True for term in recalled.terms},
        "mode thorough": question.mode == "thorough",
    }
    return tuple(name for name, is_present in parts.items() if is_present)


def _name_term(term: str) -> str:
    return f"the term {term}"


def _make_basis(connection: OpenConnection, context: Context | None = None, recalled: Recalled = NOTHING) -> Basis:
    catalog, privacy = connection.catalog.listed, connection.privacy
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
