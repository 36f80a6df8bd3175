"""Finds the business terms that a question uses: by whole words, in any number and order, small typos forgiven."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Prefix

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
"""Terms of one question."""
MOST_WORDS = 120
"""Words of a question that are compared; further ones are ignored."""
BETWEEN = 2
"""Other words that may stand between the words of one term: "customers who are still active"."""
SIMILAR, SHORTEST_TYPO = 86, 5
INFLECTED = (
    frozenset({"", "s", "es", "d", "ed", "ing"}),
    frozenset({"e", "es", "ed", "ing"}),
    frozenset({"y", "ies", "ied", "ying"}),
)
"""Groups of endings: two words of one stem are the same if one group has both endings. `customer` is not `custom`."""


class TermIndex:
    """Looks up the terms of one connection and their synonyms. Safe to use from several threads."""

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
        """Return the terms that `question` uses, in the order of the index; at most 20, preferring longer ones."""
        asked = _split_words(question)[:MOST_WORDS]
        places = self._find_places([word for word in asked if word not in STOPWORDS])
        lengths: dict[int, int] = defaultdict(int)
        for number, form in self._forms:
            if all(word in places for word in form) and _are_near([places[word] for word in form]):
                lengths[number] = max(lengths[number], len(form))
        for size in (1, 2, 3):
            for first in range(len(asked) - size + 1):
                for number, length in self._joined.get(stem("".join(asked[first : first + size])), ()):
                    if length != size:  # `e-mail` for `email`; words one by one are compared above
                        lengths[number] = max(lengths[number], length)
        text = folded(question)
        verbatim = [number for number, pattern in self._verbatim if pattern.search(question)]
        unspaced = [number for number, name in self._unspaced if name in text]
        for number in (*verbatim, *unspaced):
            lengths[number] = max(lengths[number], 1)
        chosen = sorted(lengths, key=lambda number: (-lengths[number], number))[:MOST_TERMS]
        return tuple(self._terms[number] for number in sorted(chosen))

    def _add(self, number: int, name: str) -> None:
        if UNSPACED.search(name):
            self._unspaced.append((number, folded(name).strip()))
            return
        name_words = _split_words(name)
        telling = tuple(dict.fromkeys(word for word in name_words if word not in STOPWORDS))
        if not telling:  # IT, US: only their spelling tells them from the common word
            self._verbatim.append((number, re.compile(rf"(?<!\w){re.escape(name.strip())}(?!\w)")))
            return
        self._forms.append((number, telling))
        for word in telling:
            self._by_stem[stem(word)].add(word)
        self._joined[stem("".join(name_words))].append((number, len(name_words)))

    def _find_places(self, asked: Sequence[str]) -> dict[str, list[int]]:
        """Return the places of the terms' words in the question."""
        places: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(asked):
            same = [term for term in self._by_stem.get(stem(word), ()) if _differ_in_ending(term, word)]
            for term_word in same or self._find_misspelt(word):
                places[term_word].append(place)
        return places

    def _find_misspelt(self, word: str) -> Iterable[str]:
        if len(word) < SHORTEST_TYPO or stem(word) in RELATED or not word.isalpha():
            return ()  # a digit is never a typo, and neither is a known word: country, county
        near = process.extract(word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=3)
        similar = (term_word for term_word, _, _ in near)
        return [other for other in similar if other[0] == word[0] and other.isalpha() and len(other) >= SHORTEST_TYPO]


def _split_words(text: str) -> list[str]:
    return WORD.findall(POSSESSIVE.sub("", folded(text)))


def _differ_in_ending(one: str, other: str) -> bool:
    """Do two words of one stem differ only in an ending of number or tense?"""
    length = Prefix.similarity(one, other)
    last = one[length - 1 : length]
    rests = [word[length:].removeprefix(last) for word in (one, other)]  # plan, planned
    return any(endings.issuperset(rests) for endings in INFLECTED)


def _are_near(places: Sequence[Sequence[int]]) -> bool:
    """Do all words, each at its `places`, stand together somewhere with few other words between them?"""
    widest = len(places) + BETWEEN
    marks = sorted((place, word) for word, where in enumerate(places) for place in where)
    for first, (start, _) in enumerate(marks):
        within = {word for place, word in marks[first:] if place - start < widest}
        if len(within) == len(places):
            return True
    return False
