"""Finds the values of the database that a question names, however it spells them.

"customers in the USA" finds `US` or `United States`, whichever the column holds. Exact forms first, then plurals,
initials and stems, then small typos by rapidfuzz's Indel similarity; a name finds the values that it is a part of.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain
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
"""Found in all; the reader shows fewer, those of the tables nearest to the question."""
LONGEST_CODE = 5
"""Letters of a value such as `USA` that initials may find."""
SHOUTED = STOPWORDS - {"us"}
"""Words that are no initials, though they be written in capitals."""
SHORTEST_STEM, LONGEST_REST = 5, 2
MOST_WITH_PART = 3
"""Values that may hold a name's words; of more, the words tell none of them."""
REPLACED = 7
"""Letters of the shortest word in which another letter than meant is a typo; two that changed places always are."""
MOST_LOOKED_AT = 200
"""Values with the rarest of a phrase's words, of which each is looked at."""
DEMONYM = re.compile(r"(?:i?an|ean|n|ese|ish|i)$")
COMPARED_WORDS, COMPARED_PHRASE = 60, 3
"""Only the first words of a question, in shorter phrases, are compared with all values for typos."""

Hit = tuple[Path, str]


@dataclass(frozen=True, slots=True)
class Match:
    """Words of the question that name a value."""

    words: str
    path: Path
    """(schema, table, column)"""
    value: str
    """As the column holds it."""
    doubtful: bool = False
    """Only alike, in a column that holds more than is known: another value may be meant."""
    thing: str = ""
    """What else the words may name, such as a table that is asked for; "" if they can only name a value."""


class ValueIndex:
    """Over the values of one database, looked up by their forms: words without case, accents and punctuation."""

    def __init__(self, values: Texts, partial: AbstractSet[Path] = frozenset()) -> None:
        """`partial` are the columns that may hold more than `values` has of them."""
        self._partial = partial
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
        self._alike: dict[tuple[str, int], list[str]] = defaultdict(list)
        for form in self._exact:
            self._alike[form[0], len(form)].append(form)

    def find_matches(self, question: str) -> tuple[Match, ...]:
        """The values that `question` names, at most 60; the same words may name several columns' values."""
        found: dict[tuple[Path, str], Match] = {}
        taken: set[int] = set()
        for phrase, places in _list_phrases(question):
            if taken & set(places):
                continue
            hits, alike = self._find_spelled(phrase, single=len(places) == 1), False
            if not hits and places.stop <= COMPARED_WORDS and len(places) <= COMPARED_PHRASE:
                hits, alike = self._find_similar(phrase), True
            if hits:
                taken |= set(places)
            for path, value in hits:
                found.setdefault((path, value), Match(phrase, path, value, alike and path in self._partial))
        for phrase, places in _list_phrases(question):
            if len(places) > COMPARED_PHRASE or places.stop > COMPARED_WORDS or taken & set(places):
                continue
            if hits := self._find_holding(phrase):
                taken |= set(places)
                for path, value in hits:
                    found.setdefault((path, value), Match(phrase, path, value))
        return _take_turns(found.values())[:MOST_MATCHES]

    def _find_spelled(self, phrase: str, *, single: bool) -> list[Hit]:
        form = _make_form(phrase)
        if form.isdigit() or (single and form in STOPWORDS and not phrase.isupper()):
            return []
        exact = self._exact.get(form) or self._singulars.get(singular(form), [])
        if not single:
            other = self._find_initialled(phrase)
        elif phrase.isupper() and 2 <= len(form) <= LONGEST_CODE and form not in SHOUTED:
            other = self._find_abbreviated(form)
        else:
            other = [] if exact else self._find_stemmed(form) or self._find_peopled(form, named=phrase[0].isupper())
        paths = {path for path, _ in exact}
        return exact + [hit for hit in other if hit[0] not in paths]  # one column holds USA, another United States

    def _find_abbreviated(self, short: str) -> list[Hit]:
        """UK finds United Kingdom; USA and US find each other."""
        for form in _list_initials(short):
            capitals = [hit for hit in self._exact.get(form, ()) if hit[1].isupper()]
            if hits := self._initials.get(form, []) + capitals:
                return hits
        return []

    def _find_initialled(self, phrase: str) -> list[Hit]:
        """United States finds USA or us, New York finds NY: each word of the phrase is a name's."""
        parts = WORD.findall(phrase)
        capitals = [part for part in parts if part[0].isupper() and part.lower() not in STOPWORDS]
        between = [part for part in parts[1:-1] if part in LINKING]
        if len(capitals) < 2 or len(capitals) + len(between) < len(parts):
            return []
        for form in _list_initials("".join(part[0] for part in capitals).lower()):
            if hits := self._exact.get(form):
                return hits
        return []

    def _find_stemmed(self, form: str) -> list[Hit]:
        """engineering finds engineer."""
        stemmed = stem(form)
        if len(stemmed) < SHORTEST_STEM or form in STOPWORDS:
            return []
        return self._stems.get(stemmed, [])

    def _find_peopled(self, form: str, *, named: bool) -> list[Hit]:
        """Italian finds Italy: what stands before the ending begins a value that is hardly longer."""
        country = PEOPLES.get(form, "")
        if hits := self._exact.get(country) or (
            self._find_abbreviated(_make_initials(country)) if " " in country else []
        ):
            return hits
        # the endings are those of other words too
        shortest, rest = (SHORTEST_STEM - 1, LONGEST_REST) if named else (SHORTEST_STEM, LONGEST_REST - 1)
        for ending in dict.fromkeys(m.group() for m in (DEMONYM.search(form), re.search("n$", form)) if m):
            root = form.removesuffix(ending)
            if len(root) < shortest:
                continue
            near = (f for n in range(len(root), len(root) + rest + 1) for f in self._alike.get((form[0], n), ()))
            if hits := [hit for f in near if f.startswith(root) and " " not in f for hit in self._exact[f]]:
                return hits
        return []

    def _find_holding(self, phrase: str) -> list[Hit]:
        """Netflix finds Netflix, Inc., and John Smith finds Smith, John: few values hold all the words.

        A single word must be written as a name.
        """
        forms = [form for form in _make_form(phrase).split() if form not in LINKING]
        if not forms or any(form in STOPWORDS for form in (forms[0], forms[-1])):
            return []
        if len(forms) == 1 and (len(forms[0]) < 4 or not phrase[0].isupper()):
            return []
        parts = {singular(form) for form in forms}
        rarest = min((self._parts.get(part, []) for part in parts), key=len)
        if len(rarest) > MOST_LOOKED_AT:
            return []
        hits = [hit for hit in rarest if parts <= _split_form(hit[1])]
        return hits if len({value for _, value in hits}) <= MOST_WITH_PART else []

    def _find_similar(self, phrase: str) -> list[Hit]:
        form = _make_form(phrase)
        first, last = form.split(" ")[0], form.split(" ")[-1]
        if len(form) < 5 or form.isdigit() or first in STOPWORDS or last in STOPWORDS:
            return []
        # Lengths further apart cannot be that similar, and a typo in the first letter is rare.
        shortest, longest = ceil(len(form) * SIMILAR / (200 - SIMILAR)), int(len(form) * (200 - SIMILAR) / SIMILAR)
        alike = chain.from_iterable(self._alike.get((form[0], n), ()) for n in range(shortest, longest + 1))
        near = process.extract(form, list(alike), scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=3)
        found = [match for match, _, _ in near]
        if not found:
            one_off = [
                f for f in self._alike.get((form[0], len(form)), ()) if OSA.distance(f, form, score_cutoff=1) == 1
            ]
            letters = REPLACED - 1 if phrase[0].isupper() else REPLACED  # a name is no other word
            found = [f for f in one_off if len(form) >= letters or sorted(f) == sorted(form)]
        return [hit for match in found if _have_same_digits(form, match) for hit in self._exact[match]]


def _list_phrases(question: str) -> Iterator[tuple[str, range]]:
    """Quoted texts and runs of words, longest first, each with the places of its words."""
    spans = [(m.start(), m.end()) for m in WORD.finditer(question)]
    for quoted in QUOTED.finditer(question):
        inside = [i for i, (start, end) in enumerate(spans) if quoted.start() <= start and end <= quoted.end()]
        if inside:
            yield quoted[1] or quoted[2], range(inside[0], inside[-1] + 1)
    for length in range(min(LONGEST_PHRASE, len(spans)), 0, -1):
        for first in range(len(spans) - length + 1):
            yield question[spans[first][0] : spans[first + length - 1][1]], range(first, first + length)


def _take_turns(matches: Iterable[Match]) -> tuple[Match, ...]:
    """The first of each phrase, then the second of each: what many columns hold must not push out the rest."""
    turns: dict[str, int] = defaultdict(int)
    numbered = []
    for match in matches:
        turns[match.words] += 1
        numbered.append((turns[match.words], match))
    return tuple(match for _, match in sorted(numbered, key=lambda one: one[0]))


def _make_form(text: str) -> str:
    """`U.S.A.` is `usa`, `in_progress` is `in progress`, `Home & Garden` has an `and`."""
    form = " ".join(LETTERS.findall(folded(text).replace("&", " and ")))
    return form.replace(" ", "") if INITIALS.fullmatch(form) else form


def _split_form(text: str) -> set[str]:
    return {singular(part) for part in _make_form(text).split()}


def _list_initials(short: str) -> Iterator[str]:
    """`us` for `usa` and the other way: the last word of `... of America` may be left out."""
    yield short
    if len(short) > 2 and short.endswith("a"):
        yield short[:-1]
    yield short + "a"


def _make_initials(form: str) -> str:
    parts = [part for part in form.split() if part not in LINKING]
    return "".join(part[0] for part in parts) if len(parts) > 1 else ""


def _have_same_digits(one: str, other: str) -> bool:
    """A digit is never a typo: 2023 is not 2024."""
    return DIGIT.findall(one) == DIGIT.findall(other)
