"""Reads a question by choosing what its words stand for and putting that together; each reading with its features.

It comes after the grammar: a word may stay unused here at a cost, and a weak hint may count as a name. The reading
with the best score answers if it is good enough and clearly better than the next one that asks for something else.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.language.tokens import tokenize
from sqlchat.providers.offline.assembly import Assembly, Catalog, UnfitError
from sqlchat.providers.offline.build import build
from sqlchat.providers.offline.evidence import Evidence, Item
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.nouns import Vocabulary
from sqlchat.providers.offline.query import Query
from sqlchat.providers.offline.scoring import COSTS, score

BEAM, MOST_CHOICES, MOST_BUILT = 24, 10, 30
MOST_TOKENS = 40


@dataclass(frozen=True, slots=True)
class Choice:
    """What the tokens up to some place stand for."""

    cost: float = 0.0
    items: tuple[Item, ...] = ()
    unused: tuple[tuple[int, str], ...] = ()
    """(token, class of the word)"""


@dataclass(slots=True)
class Candidate:
    query: Query
    select: exp.Select
    features: Counter[str]
    items: tuple[Item, ...]
    unused: tuple[str, ...]
    score: float = 0.0


class Composer:
    def __init__(self, linker: Linker, joins: Joins, vocabulary: Vocabulary, today: date, dialect: str):
        self._catalog = Catalog(linker, joins, vocabulary, today)
        self._dialect = dialect

    def compose(self, question: str) -> list[Candidate]:
        """The readings of the question, best first, each of another SQL."""
        tokens = [token for token in tokenize(question) if token.text not in ".?!"]
        if not 1 < len(tokens) <= MOST_TOKENS:
            return []
        catalog = self._catalog
        evidence = Evidence(catalog.linker, catalog.vocabulary, tokens, catalog.today)
        best: dict[str, Candidate] = {}
        tries = 0
        for choice in self._choose(evidence):
            for variant in product((False, True), repeat=2):
                if tries >= MOST_BUILT:
                    break
                assembly = Assembly(catalog, tokens, choice.items, variant)
                try:
                    query = assembly.run()
                    tries += 1
                    select = build(query, catalog.linker, catalog.joins, self._dialect)
                except (QuestionError, UnfitError):
                    continue
                features = assembly.features
                features.update(self._describe(choice, select))
                features["variant"] = sum(variant)
                unused = tuple(tokens[at].text for at, grade in choice.unused if grade)
                candidate = Candidate(query, select, features, choice.items, unused)
                candidate.score = score(features)
                sql = select.sql()
                if sql not in best or best[sql].score < candidate.score:
                    best[sql] = candidate
        return sorted(best.values(), key=lambda candidate: -candidate.score)

    def _describe(self, choice: Choice, select: exp.Select) -> Iterator[str]:
        for item in choice.items:
            if item.target is not None:
                yield item.evidence
        for _, grade in choice.unused:
            if grade:
                yield f"unused_{grade}"
        for _ in range(len(list(select.find_all(exp.Table))) - 1):
            yield "join"

    def _choose(self, evidence: Evidence) -> list[Choice]:
        """The cheapest choices of what all the tokens stand for."""
        size = len(evidence.tokens)
        beams: list[list[Choice]] = [[] for _ in range(size + 1)]
        beams[0] = [Choice()]
        for at in range(size):
            beam = heapq.nsmallest(BEAM, beams[at], key=lambda choice: choice.cost)
            items = evidence.list_items(at)
            grade = evidence.grade_unused(at)
            for choice in beam:
                cost = COSTS.get(f"unused_{grade}", 2.0) if grade else 0.02
                beams[at + 1].append(Choice(choice.cost + cost, choice.items, (*choice.unused, (at, grade))))
                for item in items:
                    cost = choice.cost + self._price(item, choice)
                    beams[item.end].append(Choice(cost, (*choice.items, item), choice.unused))
        return heapq.nsmallest(MOST_CHOICES, beams[size], key=lambda choice: choice.cost)

    def _price(self, item: Item, choice: Choice) -> float:
        cost = -0.03 * (item.size - 1)
        if item.target is None:
            return cost
        cost += COSTS[item.evidence]
        table = find_table(item)
        others = [find_table(other) for other in choice.items if other.target is not None]
        if others:
            near = min(self._catalog.joins.distance(other, table) for other in others)
            cost += (0.0, 0.15, 0.3, 3.0)[near[0]] + 0.05 * near[1]
        return cost


def find_table(item: Item) -> Key:
    target = item.target
    return target.table if isinstance(target, (Col, Measure)) else target
