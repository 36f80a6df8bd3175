"""Ranks the tables of a catalog by their nearness to a question, by BM25 (the library bm25s) over all its names.

Words of a question also find short forms (`cust`), names that are written together (`sbcustomer`), misspellings and
related words; each term of the question counts once, by its best form. Tables that join the best ones follow.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest
from itertools import islice
from operator import itemgetter
from typing import Any

import bm25s
import numpy as np
from rapidfuzz import fuzz, process

from sqlchat.chat.join_graph import KEY_ENDINGS, find_column_prefix, find_joins
from sqlchat.chat.value_linking import Match
from sqlchat.language.abbreviations import ShortForms
from sqlchat.language.thesaurus import RELATED, SPELLINGS
from sqlchat.language.tokens import singular
from sqlchat.language.words import STOPWORDS, parts, stem, words
from sqlchat.sql.catalog import Catalog, Column, Table

NAME_WEIGHT = 3
SHORT, FUSED, MISSPELT, ALIKE = 0.7, 0.8, 0.7, 0.5
"""What a form of a word counts beside the word itself."""
SHORTEST_FUSED, MOST_FUSED, MOST_FORMS = 4, 30, 40
INFLECTION = 2
"""Letters that may follow the stem of the last of the words that are written together."""
MOST_TERMS = 60
"""Words of a question that are ranked by; of a longer one the first."""
VALUE_LIFT = 0.5
"""Of the best table's score, for a table that holds a value which the question names."""
FAMILY_SHARE, LARGEST_FAMILY = 0.2, 0.35
"""A table gets this share of the best score among those whose names begin alike, if these are no more of all."""
NEAREST = 12
"""Tables behind which those follow that they refer to."""
NEIGHBOUR_SHARE = 0.6
"""A table gets this share of the scores of its neighbours, less where they have many."""

Scores = np.ndarray[Any, np.dtype[np.float32]]
Terms = tuple[Mapping[str, float], ...]
"""A question's words: each as the forms that the catalog has of it, with their weights."""


@dataclass(frozen=True)
class Nearness:
    order: tuple[int, ...]
    """Places of the catalog's tables, the nearest first."""
    terms: Terms


class TableRanking:
    """Of one catalog. Building takes about a second for 5,000 tables; it is safe to use from several threads."""

    def __init__(self, catalog: Catalog) -> None:
        self._tables = catalog.tables
        self._places = {(table.schema, table.name): place for place, table in enumerate(catalog.tables)}
        self.joins = find_joins(catalog)
        near = self.joins.neighbours
        self._edges = np.array([(one, other) for one, others in enumerate(near) for other in others], np.int64)
        self._shares = np.array([NEIGHBOUR_SHARE / (1 + math.log2(len(others) or 1)) for others in near], np.float32)
        self._families = _find_families(catalog)
        everything = {part for table in catalog.tables for part in _list_parts(table)}
        self._common = frozenset(part for part in everything if len(part) >= SHORTEST_FUSED)
        self._prefixes = [find_column_prefix(table) for table in catalog.tables]
        self._column_words: dict[tuple[int, str], frozenset[str]] = {}
        texts = [self._collect_words(place, table) for place, table in enumerate(catalog.tables)]
        self._known = {word for text in texts for word in text}
        self._stems = sorted(word for word in self._known if len(word) >= SHORTEST_FUSED)
        self._vocabulary = sorted(part for part in everything if len(part) > SHORTEST_FUSED)
        self._text = "\n".join(self._vocabulary)
        self._short_forms = ShortForms(everything)
        self._starts = [0]
        for word in self._vocabulary:
            self._starts.append(self._starts[-1] + len(word) + 1)
        self._bm25 = bm25s.BM25()
        if texts:
            self._bm25.index(texts, show_progress=False)

    def rank_tables(self, question: str, matches: Iterable[Match]) -> Nearness:
        """`matches` are the values that the question names."""
        terms_of = {stem(word): word for word in parts(question) if word not in STOPWORDS}
        known = (forms for term, word in terms_of.items() if (forms := self._find_forms(term, word)))
        terms = tuple(islice(known, MOST_TERMS))
        scores = np.zeros(len(self._tables), np.float32)
        for forms in terms:
            scores += self._score(forms)
        self._lift(scores, matches)
        scores = self._lift_families(self._spread(scores))
        order = np.argsort(-scores, kind="stable").tolist()
        return Nearness(self._put_joins_first(order), terms)

    def _put_joins_first(self, order: list[int]) -> tuple[int, ...]:
        """`order` with what the nearest tables refer to, and what joins several of them, right behind them."""
        nearest = order[:NEAREST]
        joining: dict[int, None] = {}
        for place in nearest:
            joining |= dict.fromkeys(sorted(self.joins.parents[place]))
        shared = Counter(other for place in nearest for other in self.joins.neighbours[place])
        joining |= dict.fromkeys(other for other in order if shared[other] > 1)
        return tuple(dict.fromkeys([*nearest, *joining, *order]))

    def score_column(self, place: int, column: Column, terms: Terms) -> float:
        """How many of the question's words name the column of that table."""
        found = self._column_words.get((place, column.name))
        if found is None:
            found = frozenset((*self._split_name(column.name, self._prefixes[place]), *words(column.comment)))
            self._column_words[place, column.name] = found
        return sum(max((weight for form, weight in forms.items() if form in found), default=0.0) for forms in terms)

    def _score(self, forms: Mapping[str, float]) -> Scores:
        best: Scores | None = None
        for form, weight in forms.items():
            scores: Scores = self._bm25.get_scores([form]) * weight
            best = scores if best is None else np.maximum(best, scores)
        assert best is not None
        return best

    def _find_forms(self, term: str, word: str) -> dict[str, float]:
        forms: dict[str, float] = {}
        if term in self._known:
            forms[term] = 1.0
        for form in (term[:n] for n in range(3, len(term))):
            if form in self._known:
                forms.setdefault(form, SHORT)
        for form in self._find_fused(term.removesuffix("i")):
            forms.setdefault(form, FUSED)
        if not forms and len(term) >= 5:
            near = process.extractOne(term, self._stems, scorer=fuzz.ratio, score_cutoff=80)
            if near:
                forms[near[0]] = MISSPELT
        for other in RELATED.get(term, ()):
            for form in (other, *self._find_fused(other.removesuffix("i"))):
                if form in self._known:
                    forms.setdefault(form, ALIKE)
        self._add_short_forms(forms, singular(word) or word, 1.0)
        for other in RELATED.get(term, ()):
            for spelling in SPELLINGS[other]:
                self._add_short_forms(forms, spelling, ALIKE)
        return dict(nlargest(MOST_FORMS, forms.items(), key=itemgetter(1)))

    def _add_short_forms(self, forms: dict[str, float], word: str, share: float) -> None:
        """Add the catalog's short forms of `word` to `forms`, with `share` of their weights."""
        for short, weight in self._short_forms.find(word).items():
            form = stem(short)
            forms[form] = max(forms.get(form, 0.0), weight * share)

    def _find_fused(self, term: str) -> list[str]:
        """Words of the catalog that begin or end with `term`."""
        found: list[str] = []
        at = self._text.find(term) if len(term) >= SHORTEST_FUSED else -1
        while at >= 0 and len(found) < MOST_FUSED:
            number = bisect_right(self._starts, at) - 1
            word, start = self._vocabulary[number], self._starts[number]
            after = start + len(word) - at - len(term)
            if (form := stem(word)) != term and (at == start or after <= INFLECTION):
                found.append(form)
            at = self._text.find(term, start + len(word))
        return found

    def _lift(self, scores: Scores, matches: Iterable[Match]) -> None:
        named: dict[str, set[int]] = {}
        for match in matches:
            if (place := self._places.get(match.path[:2])) is not None:
                named.setdefault(match.words, set()).add(place)
        lift = (float(scores.max(initial=0.0)) or 1.0) * VALUE_LIFT
        for holding in named.values():
            for place in holding:
                scores[place] += lift / math.sqrt(len(holding))

    def _spread(self, scores: Scores) -> Scores:
        """With the scores of their neighbours, of which the best count most (the Euclidean norm of all)."""
        if not len(self._edges):
            return scores
        given = scores * self._shares
        squares = np.bincount(self._edges[:, 1], weights=given[self._edges[:, 0]] ** 2, minlength=len(scores))
        spread: Scores = scores + np.sqrt(squares).astype(np.float32)
        return spread

    def _lift_families(self, scores: Scores) -> Scores:
        """With a share of the best score among the tables whose names begin alike: they belong to one module."""
        best = np.zeros(len(scores) + 1, np.float32)
        np.maximum.at(best, self._families, scores)
        best[0] = 0  # of tables without a family
        lifted: Scores = scores + FAMILY_SHARE * best[self._families]
        return lifted

    def _collect_words(self, place: int, table: Table) -> list[str]:
        found = self._split_name(table.name, "") * NAME_WEIGHT + words(table.comment)
        for column in table.columns:
            found += self._split_name(column.name, self._prefixes[place]) + words(column.comment)
        return found or [table.name.lower()]

    def _split_name(self, name: str, prefix: str) -> list[str]:
        """With the rest after the columns' common prefix, and the common words at the ends of joined ones."""
        found = parts(name) + (parts(name[len(prefix) :]) if prefix else [])
        for word in list(found):
            for cut in range(2, len(word) - 1):
                first, last = word[:cut], word[cut:]
                if last in self._common:
                    found.append(last)
                if first in self._common and (last in self._common or last in KEY_ENDINGS):
                    found.append(first)
        return [stem(word) for word in found]


def _find_families(catalog: Catalog) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A number for each table, the same for those whose names begin with the same words; 0 for others."""
    names = [table.name.lower().split("_")[:-1] for table in catalog.tables]
    sizes = Counter("_".join(name[:size]) for name in names for size in range(1, len(name) + 1))
    numbers: dict[str, int] = {}
    families = []
    for name in names:
        heads = ("_".join(name[:size]) for size in range(1, len(name) + 1))
        head = next((head for head in heads if 1 < sizes[head] <= LARGEST_FAMILY * len(names)), "")
        families.append(numbers.setdefault(head, len(numbers) + 1) if head else 0)
    return np.array(families, np.int64)


def _list_parts(table: Table) -> Iterator[str]:
    yield from parts(table.name)
    yield from parts(table.comment)
    for column in table.columns:
        yield from parts(column.name)
        yield from parts(column.comment)
