"""Asks a question, compares its rows with those of the gold SQL, and returns the outcome."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from sqlchat.chat.compare import ResultSet, describe_difference
from sqlchat.chat.question import Question
from sqlchat.chat.rendering import estimate_tokens
from sqlchat.errors import (
    ConnectionNotFoundError,
    PayloadError,
    ProviderNotConfiguredError,
    QuestionError,
    SqlchatError,
)
from sqlchat.evaluation.cases import Case
from sqlchat.evaluation.gold import Gold, inspect_gold
from sqlchat.evaluation.recall import Missing, find_missing
from sqlchat.evaluation.replay import AnswerMissingError, hash_task
from sqlchat.providers.base import Draft, Provider, Task, Tokens
from sqlchat.runtime import LOCAL_OWNER, Runtime

INSPECT_DEADLINE = 5.0  # seconds for one inspection of a gold SQL in a worker process

Verdict = Literal["right", "wrong", "refused", "failed", "unasked", "gold_failed"]
"""`failed`: there is no SQL that works. `unasked`: no answer was stored. `gold_failed`: the gold SQL does not run."""


@dataclass(frozen=True)
class Outcome:
    case: Case
    verdict: Verdict
    why: str = ""
    sql: str = ""
    model: str = ""
    tokens: Tokens = Tokens()
    prompts: tuple[str, ...] = ()
    """SHA-256 of each."""
    milliseconds: float = 0.0
    """From the question to its rows."""
    prompt_tokens: int = 0
    """An upper estimate for the first prompt."""
    missing: Missing | None = None
    """None without a gold SQL that runs."""

    @property
    def miss(self) -> bool:
        """Is the verdict another one than expected?"""
        expected = "right" if self.case.answerable else "refused"
        return self.verdict not in (expected, "unasked")


class MeteredProvider(Provider):
    """Counts the tokens and prompts of `inner` for one question, also if it is refused or fails."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner
        vars(self).update(name=inner.name, model=inner.model, repairs=inner.repairs)
        self.tokens = Tokens()
        self.prompts: list[str] = []
        """SHA-256 of each prompt, in order; empty if the engine needs no prompt."""

    def draft(self, task: Task) -> Draft:
        if task.messages:
            self.prompts.append(hash_task(task.messages))
        draft = self._inner.draft(task)
        self.tokens += draft.tokens
        return draft


class Evaluation:
    """Asks one provider on the connections that `connection` names; `{db}` in it stands for a case's `db`."""

    def __init__(
        self, runtime: Runtime, connection: str, *, owner: str = LOCAL_OWNER, provider: str | Provider | None = None
    ) -> None:
        """Raises ProviderUnknownError and ProviderNotConfiguredError."""
        self._runtime, self._connection, self._owner = runtime, connection, owner
        self.provider: Final = provider if isinstance(provider, Provider) else runtime.providers.get(provider)

    def check(self, cases: Iterable[Case]) -> None:
        """Raise ConnectionNotFoundError, PayloadError or DatabaseUnavailableError before a long run begins."""
        nameless = [case.id for case in cases if "{db}" in self._connection and not case.db]
        if nameless:
            raise PayloadError(f"Question {nameless[0]} has no `db` to put into {self._connection}.")
        for name in sorted({self._find_name(case) for case in cases}):
            _ = self._runtime.manager.open(self._owner, name).catalog

    def judge(self, case: Case) -> Outcome:
        """Ask one question. Raises ConnectionNotFoundError and ProviderNotConfiguredError; others are outcomes."""
        name, pipeline = self._find_name(case), self._runtime.pipeline
        question = Question(
            owner=self._owner,
            connection_id=name,
            text=case.question,
            notes=case.notes,
            max_rows=self._runtime.settings.max_rows_ceiling,
        )
        try:
            context, messages = pipeline.make_prompt(question)
        except ConnectionNotFoundError:
            raise
        except SqlchatError as exc:
            return Outcome(case, "failed", f"{exc.code}: {exc.detail}")
        size = sum(estimate_tokens(message.content) for message in messages)
        prompts: tuple[str, ...] = (hash_task(messages),)
        missing = None
        if case.golds:
            try:
                gold, expected = self._run_gold(name, case.golds[0])
            except SqlchatError as exc:
                return Outcome(case, "gold_failed", exc.detail, prompts=prompts, prompt_tokens=size)
            missing = find_missing(gold, context.catalog, messages)
        meter = MeteredProvider(self.provider)
        verdict: Verdict
        why, sql, model, start = "", "", self.provider.model, time.perf_counter()
        try:
            answer = pipeline.answer(replace(question, provider=meter))
        except (ConnectionNotFoundError, ProviderNotConfiguredError):
            raise
        except AnswerMissingError as exc:
            # A second prompt was sent because the first answer did not work.
            verdict, why = ("unasked" if len(meter.prompts) < 2 else "failed"), exc.detail
        except QuestionError as exc:
            verdict, why = ("failed" if "fault" in exc.facts else "refused"), exc.detail
            sql = str(exc.facts.get("sql", ""))
        except SqlchatError as exc:
            verdict, why = "failed", f"{exc.code}: {exc.detail}"
        else:
            assert answer.results is not None
            sql, model = answer.sql, answer.model
            why = "an answer, though the data holds none"
            if case.golds:
                why = self._find_difference(name, case, gold, expected, ResultSet.of(answer.results))
            verdict = "wrong" if why else "right"
        milliseconds = round((time.perf_counter() - start) * 1000, 1)
        prompts = tuple(meter.prompts) or prompts
        return Outcome(case, verdict, why, sql, model, meter.tokens, prompts, milliseconds, size, missing)

    def _find_name(self, case: Case) -> str:
        return self._connection.replace("{db}", case.db)

    def _run_gold(self, name: str, sql: str) -> tuple[Gold, ResultSet]:
        """Return the needs of `sql`, and its rows."""
        catalog = self._runtime.manager.open(self._owner, name).catalog
        gold = self._runtime.judges.call(
            inspect_gold, sql, catalog.dialect, catalog.mentioned_in(sql), deadline=INSPECT_DEADLINE
        )
        ceiling = self._runtime.settings.max_rows_ceiling
        return gold, ResultSet.of(self._runtime.execute(self._owner, name, sql, max_rows=ceiling))

    def _find_difference(self, name: str, case: Case, gold: Gold, expected: ResultSet, got: ResultSet) -> str:
        """Return "" if the rows are those of any gold; else how they differ from those of the preferred gold."""
        difference = describe_difference(expected, got, gold.order)
        for sql in case.golds[1:] if difference else ():
            try:
                alternative, rows = self._run_gold(name, sql)
            except SqlchatError as exc:
                difference += f" (an alternative does not run: {exc.detail})"
                continue
            if not describe_difference(rows, got, alternative.order):
                return ""
        return difference
