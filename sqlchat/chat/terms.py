"""Finds the business terms that a question uses: by whole words, in any number and order, small typos forgiven."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, takewhile

from rapidfuzz import fuzz, process

from sqlchat.language.thesaurus import RELATED
from sqlchat.language.words import STOPWORDS, folded, stem
from sqlchat.store.knowledge import Term

WORD = re.compile(r"[^\W_]+")
POSSESSIVE = re.compile(r"['’]s\b")
UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)
"""Letters of scripts that put no space between words (Thai, Lao, Burmese, Khmer, Japanese, Chinese), or none before
a particle (Korean)."""
MOST_TERMS = 20
"""Shown for one question."""
MOST_WORDS = 120
"""Of a question that are looked at."""
BETWEEN = 2
"""Other words that may stand between those of one term: "customers who are still active"."""
SIMILAR, SHORTEST_TYPO = 86, 5
INFLECTED = (
    frozenset({"", "s", "es", "d", "ed", "ing"}),
    frozenset({"e", "es", "ed", "ing"}),
    frozenset({"y", "ies", "ied", "ying"}),
)
"""Endings that keep a word the same word; `customer` and `custom` share a stem and no meaning."""


class TermIndex:
    """Over the terms of one connection and their synonyms. Safe to use from several threads."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = terms
        self._forms: list[tuple[int, tuple[str, ...]]] = []
        self._verbatim: list[tuple[int, re.Pattern[str]]] = []
        self._unspaced: list[tuple[int, str]] = []
        self._joined: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._by_stem: dict[str, set[str]] = defaultdict(set)
        for number, term in enumerate(terms):
            for name in (term.term, *term.synonyms):
                self._add(number, name)
        self._vocabulary = sorted(set(chain.from_iterable(self._by_stem.values())))

    def find_matching(self, question: str) -> tuple[Term, ...]:
        """The terms that `question` uses, in the order in which they were told; at most 20, the longer ones first."""
        asked = _split_words(question)[:MOST_WORDS]
        places = self._find_places([word for word in asked if word not in STOPWORDS])
        found: dict[int, int] = defaultdict(int)
        for number, form in self._forms:
            if all(word in places for word in form) and _are_near([places[word] for word in form]):
                found[number] = max(found[number], len(form))
        for size in (1, 2, 3):
            for first in range(len(asked) - size + 1):
                for number, length in self._joined.get(stem("".join(asked[first : first + size])), ()):
                    if length != size:  # `e-mail` for `email`; words one by one are compared above
                        found[number] = max(found[number], length)
        for number, pattern in self._verbatim:
            if pattern.search(question):
                found[number] = max(found[number], 1)
        flat = folded(question)
        for number, name in self._unspaced:
            if name in flat:
                found[number] = max(found[number], 1)
        kept = sorted(found, key=lambda number: (-found[number], number))[:MOST_TERMS]
        return tuple(self._terms[number] for number in sorted(kept))

    def _add(self, number: int, name: str) -> None:
        if UNSPACED.search(name):
            self._unspaced.append((number, folded(name).strip()))
            return
        every = _split_words(name)
        telling = tuple(dict.fromkeys(word for word in every if word not in STOPWORDS))
        if not telling:  # IT, US: nothing but their spelling tells them from the common word
            self._verbatim.append((number, re.compile(rf"(?<!\w){re.escape(name.strip())}(?!\w)")))
            return
        self._forms.append((number, telling))
        for word in telling:
            self._by_stem[stem(word)].add(word)
        self._joined[stem("".join(every))].append((number, len(every)))

    def _find_places(self, asked: Sequence[str]) -> dict[str, list[int]]:
        """The places of the terms' words in the question."""
        places: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(asked):
            same = [known for known in self._by_stem.get(stem(word), ()) if _differ_in_ending(known, word)]
            for known in same or self._find_misspelt(word):
                places[known].append(place)
        return places

    def _find_misspelt(self, word: str) -> Iterable[str]:
        if len(word) < SHORTEST_TYPO or stem(word) in RELATED or not word.isalpha():
            return ()  # a digit is never a typo, and a word that means something is none: country, county
        near = process.extract(word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=3)
        return [
            known for known, _, _ in near if known[0] == word[0] and known.isalpha() and len(known) >= SHORTEST_TYPO
        ]


def _split_words(text: str) -> list[str]:
    return WORD.findall(POSSESSIVE.sub("", folded(text)))


def _differ_in_ending(one: str, other: str) -> bool:
    """Whether two words of one stem differ by no more than an ending of number or tense."""
    root = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    last = one[root - 1 : root]
    rests = [rest[1:] if last and rest[:1] == last else rest for rest in (one[root:], other[root:])]  # plan, planned
    return any(endings.issuperset(rests) for endings in INFLECTED)


def _are_near(places: Sequence[Sequence[int]]) -> bool:
    """Whether somewhere each of the words occurs, with few others between them."""
    widest = len(places) + BETWEEN
    marks = sorted((place, word) for word, where in enumerate(places) for place in where)
    for first, (start, _) in enumerate(marks):
        within = {word for place, word in marks[first:] if place - start < widest}
        if len(within) == len(places):
            return True
    return False
