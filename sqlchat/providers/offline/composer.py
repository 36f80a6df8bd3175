"""Reads a question by choosing what its words stand for and putting that together; each reading with its features.

It comes after the grammar: a word may stay unused here at a cost, and a weak hint may count as a name. The reading
with the best score answers if it is good enough and clearly better than the next one that asks for something else.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.derivations import have_one_root
from sqlchat.language.tokens import Token, stem, tokenize
from sqlchat.providers.offline.assembly import Assembly
from sqlchat.providers.offline.build import build, table_of
from sqlchat.providers.offline.claims import Ground, UnfitError
from sqlchat.providers.offline.evidence import PERSONS, Evidence
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Computed
from sqlchat.providers.offline.nouns import Vocabulary
from sqlchat.providers.offline.phrase_evidence import LIGHT_VERBS
from sqlchat.providers.offline.query import Agg, Query
from sqlchat.providers.offline.row_nouns import STATES
from sqlchat.providers.offline.scoring import LEAST, MARGIN, WEIGHTS, score
from sqlchat.providers.offline.slips import correct_slips

BEAM, MOST_CHOICES, MOST_BUILT = 24, 10, 30
MOST_TOKENS = 40
STOPS = frozenset(".?!;")
WEAK = lexicon.words("synonym loose noun unit root piece meaning slip short hint in_value row rooted event keyed")
"""Evidence that the answer tells."""
VARIANTS = ((False, False), (False, True), (True, False), (True, True))
HAVING = lexicon.words("have has had own owns")
"""Verbs that may be said of any people that the rows tell of."""
HARD = frozenset({"capital", "number", "not", "marker", "group", "or", "sign"})
"""Unused words without which a question is another one."""
MOST_COST = 1.5
"""Of an unused word while choices are made: it may turn out to repeat a name."""


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
    items: tuple[Item, ...]
    unused: tuple[str, ...]
    features: Mapping[str, float]
    score: float

    @property
    def goes_beyond_grammar(self) -> bool:
        """Whether a construct is read that the grammar lacks, so that its doubts are none: two are compared."""
        return bool(self.features.get("beyond_grammar"))

    def tell(self) -> Iterator[str]:
        """Sentences on words that were read by a weak hint, or not at all."""
        for item in self.items:
            if item.target is not None and item.evidence in WEAK:
                yield f'"{item.text}" is read as {_name(item)}.'
        if self.unused:
            words = ", ".join(f'"{word}"' for word in self.unused)
            yield f"{words} {'adds' if len(self.unused) == 1 else 'add'} nothing to this."


def _name(item: Item) -> str:
    target = item.target
    if item.kind == "event":
        return f"the rows of {target.table[1]} with a {target.name}"
    if item.evidence in ("row", "rooted"):
        return f"the rows of {target[1]}"
    if isinstance(target, Computed):
        return target.words
    if isinstance(target, tuple):
        return f"the table {target[1]}"
    name = f"{target.table[1]}.{target.name}"
    return name if item.kind != "value" else f"{name} = '{item.value}'"


def choose(candidates: list[Candidate]) -> Candidate | None:
    """The best reading, if it is good enough and better by a margin than each that asks for something else."""
    if not candidates or candidates[0].score < LEAST:
        return None
    if len(candidates) > 1 and candidates[0].score - candidates[1].score < MARGIN:
        return None
    return candidates[0]


class Composer:
    def __init__(self, linker: Linker, joins: Joins, vocabulary: Vocabulary, today: date, dialect: str):
        self._ground = Ground(linker, joins, vocabulary, today)
        self._dialect = dialect

    def compose(self, question: str) -> list[Candidate]:
        """The readings of the question, best first, each of another SQL."""
        tokens = tokenize(question)
        while tokens and tokens[-1].text in STOPS:
            tokens.pop()
        if not 1 < len(tokens) <= MOST_TOKENS or any(token.text in STOPS for token in tokens):
            return []
        ground = self._ground
        tokens, slips = correct_slips(ground.linker, tokens)
        evidence = Evidence(ground.linker, ground.joins, ground.vocabulary, tokens, ground.today)
        best: dict[str, Candidate] = {}
        choices = [c for c in self._choose(evidence) if HARD.isdisjoint(grade for _, grade in c.unused)]
        for candidate in islice((one for choice in choices for one in self._assemble(choice, tokens)), MOST_BUILT):
            candidate.query.assumptions += slips
            sql = candidate.select.sql()
            if sql not in best or best[sql].score < candidate.score:
                best[sql] = candidate
        return sorted(best.values(), key=lambda candidate: -candidate.score)

    def _assemble(self, choice: Choice, tokens: list[Token]) -> Iterator[Candidate]:
        """The readings of one choice: more than one where a part of it may be put together in another way."""
        ground, varied = self._ground, set[int]()
        for variant in VARIANTS:
            if any(variant[part] and part not in varied for part in (0, 1)):
                continue
            assembly = Assembly(ground, tokens, list(choice.items), variant)
            try:
                query = assembly.run()
                select = build(query, ground.linker, ground.joins, self._dialect)
            except (QuestionError, UnfitError):
                continue
            finally:
                varied |= assembly.varied
            unused = self._list_unused(choice, tokens, query)
            features = assembly.features
            features["variant"] = sum(variant)
            features.update(self._describe(choice, unused, query, select))
            words = tuple(tokens[at].text for at, _ in unused)
            yield Candidate(query, select, choice.items, words, features, score(features))

    def _list_unused(self, choice: Choice, tokens: list[Token], query: Query) -> list[tuple[int, str]]:
        """The words that no item takes, without those that only repeat the names of what is asked for."""
        linker = self._ground.linker
        words: set[str] = set()
        for item in choice.items:
            if isinstance(item.target, Col) and not isinstance(item.target, Computed):
                words |= set(linker.column_words(item.target.table, item.target.name))
        named = {query.subject, *(table_of(term) for term in query.outputs)}
        own = {key: table for key, table in linker.tables.items() if key in named}
        columns = {linker.column_words(key, c.name) for key, table in own.items() for c in table.columns}
        words |= {word for key in own for word in linker.table_words(key) if (word,) not in columns}
        stems = {stem(word) for word in words}
        return [
            (at, "deed" if grade == "verb" and self._is_done_by_people(at, tokens, choice.items) else grade)
            for at, grade in choice.unused
            if grade
            and not (grade == "noun" and self._is_verb(at, tokens, choice.items))
            and not (grade == "adverb" and self._is_idle(at, tokens[at].low, choice.items))
            and not (grade in ("noun", "verb", "deed", "generic") and tokens[at].stem in stems)
            and not (grade in ("verb", "deed") and any(have_one_root(tokens[at].low, word) for word in words))
        ]

    def _is_done_by_people(self, at: int, tokens: list[Token], items: tuple[Item, ...]) -> bool:
        """Whether the verb says what people did that a table is put for, as in `how many people saw the show`."""
        before = [item for item in items if item.end <= at and item.target is not None][-1:]
        guessed = any(i.evidence == "noun" and i.kind == "table" and i.text.lower() in PERSONS for i in before)
        return guessed and tokens[at].low not in HAVING

    def _is_verb(self, at: int, tokens: list[Token], items: tuple[Item, ...]) -> bool:
        """Whether a plain verb joins a thing to what it has: `patients wear contact lenses`, `did each nurse run`."""
        before = [item for item in items if item.end == at and item.target is not None]
        asked = any(token.low in ("did", "do", "does") for token in tokens[: at - 1])
        after = [item for item in items if item.start == at + 1 and item.kind in ("flag", "value")]
        return bool(before) and tokens[at].low in LIGHT_VERBS and (asked or bool(after))

    def _is_idle(self, at: int, adverb: str, items: tuple[Item, ...]) -> bool:
        """Whether the adverb only stresses what is said: `still open`, `the longest ever`, `not decided yet`."""
        kinds = {item.kind for item in items}
        if adverb == "ever":
            return "sup" in kinds or "neg" in kinds
        if adverb == "yet":
            return "neg" in kinds
        near = [item for item in items if item.start == at + 1 or adverb in ("moment", "now")]
        return any(
            item.kind in ("opposite", "flag")
            or (item.kind == "table" and item.evidence == "root")
            or (item.kind == "value" and not STATES.isdisjoint(self._ground.words(item.target)))
            for item in near
        )

    def _describe(
        self, choice: Choice, unused: list[tuple[int, str]], query: Query, select: exp.Select
    ) -> Iterator[str]:
        """The features that the parts of a reading tell; those of how it was put together come from the assembly."""
        yield from (item.evidence for item in choice.items if item.target is not None)
        yield from (f"unused_{grade}" for _, grade in unused)
        if not query.conditions and not query.order:
            figures = [term for term in query.outputs if isinstance(term, Agg)]
            figure = any(not isinstance(term.of, tuple) or term.per for term in figures)
            yield from ("bare_unused" for _, grade in unused if grade != "verb" or not figure)
        yield from ("join" for _ in list(select.find_all(exp.Table))[1:])

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
                cost = min(-WEIGHTS[f"unused_{grade}"], MOST_COST) if grade else 0.02
                beams[at + 1].append(Choice(choice.cost + cost, choice.items, (*choice.unused, (at, grade))))
                for item in items:
                    cost = choice.cost + self._price(item, choice)
                    beams[item.end].append(Choice(cost, (*choice.items, item), choice.unused))
        return heapq.nsmallest(MOST_CHOICES, beams[size], key=lambda choice: choice.cost)

    def _price(self, item: Item, choice: Choice) -> float:
        cost = -0.03 * (item.size - 1)
        if item.target is None:
            return cost
        cost -= WEIGHTS[item.evidence]
        table = item.table
        others = [other.table for other in choice.items if other.target is not None]
        if others:
            near = min(self._ground.joins.distance(other, table) for other in others)
            cost += (0.0, 0.15, 0.3, 3.0)[near[0]] + 0.05 * near[1]
        return cost
