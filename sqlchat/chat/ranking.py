"""Ranks the tables of a catalog by relevance to a question, with BM25 (the library bm25s) over all names.

Words of a question also find short forms (`cust`), names without a separator (`sbcustomer`), misspellings and related
words. Each term of the question counts once, by its best form. Tables that join the best ones follow them.
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
"""Weights of a word's forms; the word itself has 1."""
SHORTEST_FUSED, MOST_FUSED, MOST_FORMS = 4, 30, 40
INFLECTION = 2
"""Letters that may follow the stem of the last word in a name without separators."""
MOST_TERMS = 60
"""Words of a question that count; further ones are ignored."""
VALUE_LIFT = 0.5
"""Share of the best score that a table gets if the question names one of its values."""
FAMILY_SHARE, LARGEST_FAMILY = 0.2, 0.35
"""Share of a family's best score that its tables get, and the largest share of all tables that make a family."""
NEAREST = 12
"""Number of best tables; the tables that they refer to follow them."""
NEIGHBOUR_SHARE = 0.6
"""Share of its score that a table gives to its neighbours, less if it has many."""

Scores = np.ndarray[Any, np.dtype[np.float32]]
Terms = tuple[Mapping[str, float], ...]
"""For each word of a question, its forms in the catalog with their weights."""


@dataclass(frozen=True)
class Nearness:
    order: tuple[int, ...]
    """Places of the catalog's tables, the nearest first."""
    terms: Terms


class TableRanking:
    """Ranks the tables of one catalog. Building takes about a second for 5,000 tables. Safe for several threads."""

    def __init__(self, catalog: Catalog) -> None:
        self._tables = catalog.tables
        self._places = {(table.schema, table.name): place for place, table in enumerate(catalog.tables)}
        self.joins = find_joins(catalog)
        neighbours = self.joins.neighbours
        edges = [(place, other) for place, others in enumerate(neighbours) for other in others]
        shares = [NEIGHBOUR_SHARE / (1 + math.log2(len(others) or 1)) for others in neighbours]
        self._edges, self._shares = np.array(edges, np.int64), np.array(shares, np.float32)
        self._families = _find_families(catalog)
        all_parts = {part for table in catalog.tables for part in _list_parts(table)}
        self._common = frozenset(part for part in all_parts if len(part) >= SHORTEST_FUSED)
        self._prefixes = [find_column_prefix(table) for table in catalog.tables]
        self._column_words: dict[tuple[int, str], frozenset[str]] = {}
        texts = [self._collect_words(place, table) for place, table in enumerate(catalog.tables)]
        self._indexed = {word for text in texts for word in text}
        self._stems = sorted(word for word in self._indexed if len(word) >= SHORTEST_FUSED)
        self._vocabulary = sorted(part for part in all_parts if len(part) > SHORTEST_FUSED)
        self._text = "\n".join(self._vocabulary)
        self._short_forms = ShortForms(all_parts)
        self._starts = [0]
        for word in self._vocabulary:
            self._starts.append(self._starts[-1] + len(word) + 1)
        self._bm25 = bm25s.BM25()
        if texts:
            self._bm25.index(texts, show_progress=False)

    def rank_tables(self, question: str, matches: Iterable[Match]) -> Nearness:
        """Return the order of the tables for `question`, which names the values in `matches`."""
        words_by_stem = {stem(word): word for word in parts(question) if word not in STOPWORDS}
        forms_of_words = (self._find_forms(term, word) for term, word in words_by_stem.items())
        terms = tuple(islice(filter(None, forms_of_words), MOST_TERMS))
        scores = np.zeros(len(self._tables), np.float32)
        for forms in terms:
            scores += self._score_tables(forms)
        self._lift_holders(scores, matches)
        scores = self._lift_families(self._lift_neighbours(scores))
        order = np.argsort(-scores, kind="stable").tolist()
        return Nearness(self._move_joining_tables(order), terms)

    def _move_joining_tables(self, order: list[int]) -> tuple[int, ...]:
        """Move tables that the best tables refer to, and tables that join several of these, right behind them."""
        nearest = order[:NEAREST]
        parents = [parent for place in nearest for parent in sorted(self.joins.parents[place])]
        shared = Counter(other for place in nearest for other in self.joins.neighbours[place])
        joining = (other for other in order if shared[other] > 1)
        return tuple(dict.fromkeys([*nearest, *parents, *joining, *order]))

    def score_column(self, place: int, column: Column, terms: Terms) -> float:
        """Return the number of the question's words that name a column of the table at `place`, by their weights."""
        column_words = self._column_words.get((place, column.name))
        if column_words is None:
            column_words = frozenset((*self._split_name(column.name, self._prefixes[place]), *words(column.comment)))
            self._column_words[place, column.name] = column_words
        return sum(max((forms[form] for form in forms.keys() & column_words), default=0.0) for forms in terms)

    def _score_tables(self, forms: Mapping[str, float]) -> Scores:
        """Return each table's score by its best form."""
        scores: Scores = np.max([self._bm25.get_scores([form]) * weight for form, weight in forms.items()], axis=0)
        return scores

    def _find_forms(self, term: str, word: str) -> dict[str, float]:
        forms: dict[str, float] = {}
        if term in self._indexed:
            forms[term] = 1.0
        for length in range(3, len(term)):
            if term[:length] in self._indexed:
                forms.setdefault(term[:length], SHORT)
        for form in self._find_fused(term.removesuffix("i")):
            forms.setdefault(form, FUSED)
        if not forms and len(term) >= 5:
            near = process.extractOne(term, self._stems, scorer=fuzz.ratio, score_cutoff=80)
            if near:
                forms[near[0]] = MISSPELT
        for other in RELATED.get(term, ()):
            for form in (other, *self._find_fused(other.removesuffix("i"))):
                if form in self._indexed:
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
        """Return the stems of words in the catalog that begin or end with `term`."""
        fused: list[str] = []
        at = self._text.find(term) if len(term) >= SHORTEST_FUSED else -1
        while at >= 0 and len(fused) < MOST_FUSED:
            number = bisect_right(self._starts, at) - 1
            word, start = self._vocabulary[number], self._starts[number]
            after = start + len(word) - at - len(term)
            if (form := stem(word)) != term and (at == start or after <= INFLECTION):
                fused.append(form)
            at = self._text.find(term, start + len(word))
        return fused

    def _lift_holders(self, scores: Scores, matches: Iterable[Match]) -> None:
        """Raise the scores of tables with matched values, less if many tables have a value of the same words."""
        holders_by_words: dict[str, set[int]] = {}
        for match in matches:
            if (place := self._places.get(match.path[:2])) is not None:
                holders_by_words.setdefault(match.words, set()).add(place)
        lift = (float(scores.max(initial=0.0)) or 1.0) * VALUE_LIFT
        for holders in holders_by_words.values():
            for place in holders:
                scores[place] += lift / math.sqrt(len(holders))

    def _lift_neighbours(self, scores: Scores) -> Scores:
        """Add to each score the Euclidean norm of its neighbours' shares, by which the best neighbours count most."""
        if not len(self._edges):
            return scores
        shares = scores * self._shares
        squares = np.bincount(self._edges[:, 1], weights=shares[self._edges[:, 0]] ** 2, minlength=len(scores))
        lifted: Scores = scores + np.sqrt(squares).astype(np.float32)
        return lifted

    def _lift_families(self, scores: Scores) -> Scores:
        """Add to each score a share of its family's best: tables whose names begin alike belong to one module."""
        best = np.zeros(len(scores) + 1, np.float32)
        np.maximum.at(best, self._families, scores)
        best[0] = 0  # of tables without a family
        lifted: Scores = scores + FAMILY_SHARE * best[self._families]
        return lifted

    def _collect_words(self, place: int, table: Table) -> list[str]:
        table_words = self._split_name(table.name, "") * NAME_WEIGHT + words(table.comment)
        for column in table.columns:
            table_words += self._split_name(column.name, self._prefixes[place]) + words(column.comment)
        return table_words or [table.name.lower()]

    def _split_name(self, name: str, prefix: str) -> list[str]:
        """Return the stems of the words in `name`, of the rest behind `prefix`, and of common words at their ends."""
        name_words = parts(name) + (parts(name[len(prefix) :]) if prefix else [])
        for word in list(name_words):
            for cut in range(2, len(word) - 1):
                first, last = word[:cut], word[cut:]
                if last in self._common:
                    name_words.append(last)
                if first in self._common and (last in self._common or last in KEY_ENDINGS):
                    name_words.append(first)
        return [stem(word) for word in name_words]


def _find_families(catalog: Catalog) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return a family number for each table: tables whose names begin with the same words share it; 0 is none."""
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
