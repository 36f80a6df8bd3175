"""Finds the values of the database that a question names, in any spelling.

For example, "customers in the USA" finds `US` or `United States`, depending on the column. The index compares exact
forms first, then plurals, initials and stems, then small typos by rapidfuzz's Indel similarity. A name also finds
values that contain it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain, zip_longest
from math import ceil

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from sqlchat.language.thesaurus import PEOPLES
from sqlchat.language.tokens import singular
from sqlchat.language.words import STOPWORDS, folded, stem
from sqlchat.sql.profiles import Path, Texts

WORD = re.compile(r"\w+(?:['’.&+/-]\w+)*")
LETTERS = re.compile(r"[^\W_]+")
DIGIT = re.compile(r"\d")
QUOTED = re.compile(r"[\"“]([^\"”]{1,100})[\"”]|(?<!\w)['‘]([^'’]{1,100})['’](?!\w)")
INITIALS = re.compile(r"[a-z](?: [a-z])+")
LINKING = ("of", "the", "and")
LONGEST_PHRASE = 5  # words
SIMILAR = 86  # of 100
MOST_MATCHES = 60
"""Matches of one question; a prompt shows fewer, those of the tables nearest to the question."""
LONGEST_CODE = 5
"""Letters of the longest value, such as `USA`, that is compared by initials."""
SHOUTED = STOPWORDS - {"us"}
"""Words that are no initials even in capitals."""
SHORTEST_STEM, LONGEST_REST = 5, 2
MOST_CONTAINING = 3
"""If more values contain the words of a name, the name is ambiguous and finds none."""
REPLACED = 7
"""Letters of the shortest word in which one replaced letter is a typo; two swapped letters are one in any word."""
MOST_EXAMINED = 200
"""If more values contain the rarest word of a phrase, none is examined."""
DEMONYM = re.compile(r"(?:i?an|ean|n|ese|ish|i)$")
COMPARED_WORDS, COMPARED_PHRASE = 60, 3
"""Words of a question, and of a phrase, up to which typos and parts of values are searched."""

Hit = tuple[Path, str]
"""A column and one of its values."""


@dataclass(frozen=True, slots=True)
class Match:
    """Words of the question that name a value."""

    words: str
    path: Path
    """(schema, table, column)"""
    value: str
    """As the column holds it."""
    doubtful: bool = False
    """Whether another value may be meant: the words are only similar, and not all values of the column are known."""
    thing: str = ""
    """Another meaning of the words, such as a table; "" if they can only name a value."""


class ValueIndex:
    """Looks up the values of one database by their forms: words without case, accents and punctuation."""

    def __init__(self, values: Texts, partial: AbstractSet[Path] = frozenset()) -> None:
        self._partial = partial
        """Columns that may hold more values than are known."""
        self._exact: dict[str, list[Hit]] = defaultdict(list)
        self._singulars: dict[str, list[Hit]] = defaultdict(list)
        self._initials: dict[str, list[Hit]] = defaultdict(list)
        self._stems: dict[str, list[Hit]] = defaultdict(list)
        self._parts: dict[str, list[Hit]] = defaultdict(list)
        for path, texts in values.items():
            for text in texts:
                if form := _make_form(text):
                    self._exact[form].append((path, text))
                    self._singulars[singular(form)].append((path, text))
                    if initials := _make_initials(form):
                        self._initials[initials].append((path, text))
                    if " " not in form and not form.isdigit():
                        self._stems[stem(form)].append((path, text))
                    for part in _split_form(text) if " " in form else ():
                        self._parts[part].append((path, text))
        self._by_letter_and_length: dict[tuple[str, int], list[str]] = defaultdict(list)
        for form in self._exact:
            self._by_letter_and_length[form[0], len(form)].append(form)

    def find_matches(self, question: str) -> tuple[Match, ...]:
        """Return the values that `question` names, at most 60; the same words may name values of several columns."""
        matches: dict[Hit, Match] = {}
        matched_places: set[int] = set()
        for phrase, places in _list_phrases(question):
            if not matched_places.isdisjoint(places):
                continue
            hits, is_similar = self._find_spelled(phrase, single=len(places) == 1), False
            if not hits and places.stop <= COMPARED_WORDS and len(places) <= COMPARED_PHRASE:
                hits, is_similar = self._find_similar(phrase), True
            if hits:
                matched_places.update(places)
            for path, value in hits:
                is_doubtful = is_similar and path in self._partial
                matches.setdefault((path, value), Match(phrase, path, value, is_doubtful))
        for phrase, places in _list_phrases(question):
            is_compared = places.stop <= COMPARED_WORDS and len(places) <= COMPARED_PHRASE
            if is_compared and matched_places.isdisjoint(places) and (hits := self._find_containing(phrase)):
                matched_places.update(places)
                for path, value in hits:
                    matches.setdefault((path, value), Match(phrase, path, value))
        return _alternate_phrases(matches.values())[:MOST_MATCHES]

    def _find_spelled(self, phrase: str, *, single: bool) -> list[Hit]:
        form = _make_form(phrase)
        if form.isdigit() or (single and form in STOPWORDS and not phrase.isupper()):
            return []
        exact = self._exact.get(form) or self._singulars.get(singular(form), [])
        related: list[Hit] = []
        if not single:
            related = self._abbreviate_name(phrase)
        elif phrase.isupper() and 2 <= len(form) <= LONGEST_CODE and form not in SHOUTED:
            related = self._expand_initials(form)
        elif not exact:
            related = self._find_stem(form) or self._find_country(form, is_capitalized=phrase[0].isupper())
        paths = {path for path, _ in exact}
        return exact + [hit for hit in related if hit[0] not in paths]  # one column has USA, another United States

    def _expand_initials(self, short: str) -> list[Hit]:
        """UK finds United Kingdom; USA and US find each other."""
        for form in _list_initials(short):
            capitals = [hit for hit in self._exact.get(form, ()) if hit[1].isupper()]
            if hits := self._initials.get(form, []) + capitals:
                return hits
        return []

    def _abbreviate_name(self, phrase: str) -> list[Hit]:
        """United States finds USA or us, New York finds NY. All words but LINKING ones must begin with capitals."""
        parts = WORD.findall(phrase)
        capitals = [part for part in parts if part[0].isupper() and part.lower() not in STOPWORDS]
        linking = [part for part in parts[1:-1] if part in LINKING]
        if len(capitals) < 2 or len(capitals) + len(linking) < len(parts):
            return []
        for form in _list_initials("".join(part[0] for part in capitals).lower()):
            if hits := self._exact.get(form):
                return hits
        return []

    def _find_stem(self, form: str) -> list[Hit]:
        """engineering finds engineer."""
        stemmed = stem(form)
        return [] if len(stemmed) < SHORTEST_STEM or form in STOPWORDS else self._stems.get(stemmed, [])

    def _find_country(self, form: str, *, is_capitalized: bool) -> list[Hit]:
        """Italian finds Italy: the value begins as the word without its ending, and is at most two letters longer."""
        country = PEOPLES.get(form, "")
        hits = self._exact.get(country, [])
        if not hits and " " in country:
            hits = self._expand_initials(_make_initials(country))
        if hits:
            return hits
        # other words have these endings too
        shortest, rest = (SHORTEST_STEM - 1, LONGEST_REST) if is_capitalized else (SHORTEST_STEM, LONGEST_REST - 1)
        for ending in dict.fromkeys(m.group() for m in (DEMONYM.search(form), re.search("n$", form)) if m):
            root = form.removesuffix(ending)
            if len(root) < shortest:
                continue
            values = self._list_forms(form[0], len(root), len(root) + rest)
            if hits := [hit for v in values if v.startswith(root) and " " not in v for hit in self._exact[v]]:
                return hits
        return []

    def _list_forms(self, letter: str, shortest: int, longest: int) -> Iterator[str]:
        """Yield the forms that begin with `letter` and have from `shortest` to `longest` characters."""
        return chain.from_iterable(
            self._by_letter_and_length.get((letter, length), ()) for length in range(shortest, longest + 1)
        )

    def _find_containing(self, phrase: str) -> list[Hit]:
        """Netflix finds Netflix, Inc., and John Smith finds Smith, John, if few values contain all the words.

        A single word must begin with a capital.
        """
        forms = [form for form in _make_form(phrase).split() if form not in LINKING]
        if not forms or any(form in STOPWORDS for form in (forms[0], forms[-1])):
            return []
        if len(forms) == 1 and (len(forms[0]) < 4 or not phrase[0].isupper()):
            return []
        parts = {singular(form) for form in forms}
        rarest = min((self._parts.get(part, []) for part in parts), key=len)
        if len(rarest) > MOST_EXAMINED:
            return []
        hits = [hit for hit in rarest if parts <= _split_form(hit[1])]
        return hits if len({value for _, value in hits}) <= MOST_CONTAINING else []

    def _find_similar(self, phrase: str) -> list[Hit]:
        form = _make_form(phrase)
        first, last = form.split(" ")[0], form.split(" ")[-1]
        if len(form) < 5 or form.isdigit() or first in STOPWORDS or last in STOPWORDS:
            return []
        # lengths further apart cannot be that similar, and a typo in the first letter is rare
        shortest, longest = ceil(len(form) * SIMILAR / (200 - SIMILAR)), int(len(form) * (200 - SIMILAR) / SIMILAR)
        candidates = list(self._list_forms(form[0], shortest, longest))
        nearest = process.extract(form, candidates, scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=3)
        similar = [candidate for candidate, _, _ in nearest]
        if not similar:
            same_length = self._list_forms(form[0], len(form), len(form))
            one_off = [other for other in same_length if OSA.distance(other, form, score_cutoff=1) == 1]
            letters = REPLACED - 1 if phrase[0].isupper() else REPLACED  # a name is no other word
            similar = [other for other in one_off if len(form) >= letters or sorted(other) == sorted(form)]
        # a digit is never a typo: 2023 is not 2024
        digits = DIGIT.findall(form)
        return [hit for other in similar if DIGIT.findall(other) == digits for hit in self._exact[other]]


def _list_phrases(question: str) -> Iterator[tuple[str, range]]:
    """Yield quoted texts, then runs of words, the longest first, each with the places of its words."""
    spans = [(m.start(), m.end()) for m in WORD.finditer(question)]
    for quoted in QUOTED.finditer(question):
        inside = [i for i, (start, end) in enumerate(spans) if quoted.start() <= start and end <= quoted.end()]
        if inside:
            yield quoted[1] or quoted[2], range(inside[0], inside[-1] + 1)
    for length in range(min(LONGEST_PHRASE, len(spans)), 0, -1):
        for first in range(len(spans) - length + 1):
            yield question[spans[first][0] : spans[first + length - 1][1]], range(first, first + length)


def _alternate_phrases(matches: Iterable[Match]) -> tuple[Match, ...]:
    """Order the first match of each phrase before the second of each, so that no phrase pushes out another."""
    by_phrase: dict[str, list[Match]] = defaultdict(list)
    for match in matches:
        by_phrase[match.words].append(match)
    return tuple(filter(None, chain.from_iterable(zip_longest(*by_phrase.values()))))


def _make_form(text: str) -> str:
    """`U.S.A.` is `usa`, `in_progress` is `in progress`, `Home & Garden` has an `and`."""
    form = " ".join(LETTERS.findall(folded(text).replace("&", " and ")))
    return form.replace(" ", "") if INITIALS.fullmatch(form) else form


def _split_form(text: str) -> set[str]:
    return {singular(part) for part in _make_form(text).split()}


def _list_initials(short: str) -> Iterator[str]:
    """Yield `short`, then `us` for `usa` and `usa` for `us`: names may leave out their last word, "America"."""
    yield short
    if len(short) > 2 and short.endswith("a"):
        yield short[:-1]
    yield short + "a"


def _make_initials(form: str) -> str:
    parts = [part for part in form.split() if part not in LINKING]
    return "".join(part[0] for part in parts) if len(parts) > 1 else ""
