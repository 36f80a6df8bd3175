"""The readings of a question: as it stands, else in simpler words; and for a refusal, questions that do work.

The best-first search goes from the cheapest rephrasing on. The first reading answers, unless another one that costs
no more asks for something else.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from datetime import date
from itertools import count

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.providers.offline import refusal
from sqlchat.providers.offline.build import build
from sqlchat.providers.offline.grammar import parse
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.query import Query
from sqlchat.providers.offline.rephrasing import MOST_STEPS, MOST_TRIES, Rephrasing, leave_out, rephrase

Reading = tuple[Query, exp.Select]
UNIT = re.compile(r"(?i)\b((?:per|by|each|every) (?:day|week|month|quarter|year|weekday))\b")
PERIOD = re.compile(r"(?i)\b((?:in|during|on|since|before|after|between|from|last|this)\b)")
BROKEN = re.compile(
    r"(?i)^(of|in|by|with|from|and)\b|\b(of|the|in|by|for|with) (of|in|by|for|with|and)\b|\b(of|the|they|in|by)\W*$"
)
"""What a question looks like that lost a word which it needs."""
MARGIN = 0.5
"""By how much the best reading must be cheaper than one that asks for something else."""
MOST_SUGGESTIONS = 3


class Search:
    """Reads questions on one catalog on one day."""

    def __init__(self, linker: Linker, joins: Joins, today: date, dialect: str):
        self._linker, self._joins, self._today, self._dialect = linker, joins, today, dialect
        self._doers = [word for key in linker.tables for word in linker.table_words(key)]

    def read(self, question: str) -> Reading:
        """The query and its SQL. Raises QuestionError, with questions that can be answered as `suggestions`."""
        try:
            return self._read(question)
        except QuestionError as fault:
            found = self._read_rephrased(question, fault)
            if found is not None:
                return found
            fault.facts["suggestions"] = self._suggest(question, fault)
            fault.facts.pop("rewrites", None)
            fault.facts.pop("times", None)
            raise

    def _read(self, question: str) -> Reading:
        query = parse(question, self._linker, self._joins, self._today)
        select = build(query, self._linker, self._joins, self._dialect)
        refusal.check_verbs(self._linker, self._joins, question, {table.name for table in select.find_all(exp.Table)})
        return query, select

    def _read_rephrased(self, question: str, fault: QuestionError) -> Reading | None:
        """The reading of the cheapest rephrasing that is understood wholly; None where none is, or two differ."""
        number = count()
        queue: list[tuple[float, int, Rephrasing]] = []
        seen = {question}

        def add(steps: Iterator[Rephrasing]) -> None:
            for step in steps:
                if step.question not in seen and len(step.left_out) <= MOST_STEPS:
                    seen.add(step.question)
                    heapq.heappush(queue, (step.cost, next(number), step))

        add(rephrase(question))
        add(leave_out(Rephrasing(question, 0.0), _find_culprits(fault), self._today, self._doers))
        best: tuple[float, Reading, Rephrasing] | None = None
        for _ in range(MOST_TRIES):
            if not queue or (best is not None and queue[0][0] >= best[0] + MARGIN):
                break
            cost, _, step = heapq.heappop(queue)
            try:
                reading = self._read(step.question)
            except QuestionError as again:
                add(leave_out(step, _find_culprits(again), self._today, self._doers))
                continue
            if best is None:
                best = cost, reading, step
            elif reading[1] != best[1][1]:
                return None
        if best is None:
            return None
        _, reading, step = best
        if step.left_out:
            words = ", ".join(f'"{word}"' for word in step.left_out)
            reading[0].assumptions.append(f"{words} {'adds' if len(step.left_out) == 1 else 'add'} nothing to this.")
        return reading

    def _suggest(self, question: str, fault: QuestionError) -> list[str]:
        """Questions near to this one that were tried and can be answered."""
        found: list[str] = []
        for near in self._near(question, fault):
            if len(found) == MOST_SUGGESTIONS:
                break
            if near not in found and near != question and not BROKEN.search(near):
                try:
                    self._read(near)
                except QuestionError:
                    continue
                found.append(near)
        return found

    def _near(self, question: str, fault: QuestionError) -> Iterator[str]:
        for old, new in fault.facts.get("rewrites", ()):
            yield _replace(question, old, new)
        for column in fault.facts.get("times", ()):
            yield (
                UNIT.sub(rf"\1 of {column}", question)
                if UNIT.search(question)
                else PERIOD.sub(rf"with {column} \1", question, count=1)
            )
        words = [word for word in fault.facts.get("words", ()) if isinstance(word, str) and word]
        names = refusal.list_names(self._linker) if words else []
        for word in words[:3]:
            for name in refusal.find_close(word, names):
                yield _replace(question, word, name.replace("_", " "))
        if (
            0 < len(words) <= 3
            and not fault.facts.get("reason")
            and not any(word.lower() in refusal.GRAMMAR for word in words)
        ):
            shorter = question
            for word in words:
                shorter = _replace(shorter, word, "")
            yield re.sub(r"\s+([,.?])", r"\1", " ".join(shorter.split()))
        for _, table in self._named(question):
            yield f"How many {table if table.endswith('s') else table + 's'} are there?"

    def _named(self, question: str) -> Iterator[tuple[int, str]]:
        """The tables that the question names."""
        lows = question.lower()
        for schema, name in self._linker.tables:
            spoken = " ".join(self._linker.table_words((schema, name)))
            at = lows.find(spoken[:-1] if len(spoken) > 4 else spoken)
            if at >= 0:
                yield at, spoken


def _find_culprits(fault: QuestionError) -> list[str]:
    """The words that kept the question from being read, unless it was read in more than one way."""
    if fault.facts.get("reason"):
        return []
    return [word for word in fault.facts.get("words", ()) if isinstance(word, str)]


def _replace(question: str, old: str, new: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new, question, count=1, flags=re.IGNORECASE)
