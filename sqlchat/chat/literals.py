"""Finds the values of the database that a question names, however it spells them.

"customers in the USA" finds `US` or `United States`, whichever the column holds. Exact forms first, then plurals,
then initials, then small typos by rapidfuzz's Indel similarity.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from math import ceil
from string import ascii_lowercase

from rapidfuzz import fuzz, process

from sqlchat.chat.rendering import Values
from sqlchat.chat.words import STOPWORDS, folded

WORD = re.compile(r"\w+(?:['’.&+/-]\w+)*")
QUOTED = re.compile(r"[\"“]([^\"”]{1,100})[\"”]|(?<!\w)['‘]([^'’]{1,100})['’](?!\w)")
LONGEST_PHRASE = 5  # words
SIMILAR = 86  # of 100
MOST_MATCHES = 20
COMPARED_WORDS, COMPARED_PHRASE = 60, 3
"""Only the first words of a question, in shorter phrases, are compared with all values for typos."""

Path = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Match:
    """Words of the question that name a value."""

    words: str
    path: Path
    """(schema, table, column)"""
    value: str
    """As the column holds it."""


class LiteralIndex:
    """Over the values of one database, looked up by their forms: words without case, accents and punctuation."""

    def __init__(self, values: Values) -> None:
        self._exact: dict[str, list[tuple[Path, str]]] = defaultdict(list)
        self._initials: dict[str, list[tuple[Path, str]]] = defaultdict(list)
        for path, texts in values.items():
            for text in texts:
                if form := _form(text):
                    self._exact[form].append((path, text))
                    if initials := _initials(form):
                        self._initials[initials].append((path, text))
        self._alike: dict[tuple[str, int], list[str]] = defaultdict(list)
        for form in self._exact:
            self._alike[form[0], len(form)].append(form)

    def matches(self, question: str) -> tuple[Match, ...]:
        """The values that `question` names, at most 20; the same words may name several columns' values."""
        found: dict[tuple[Path, str], Match] = {}
        taken: set[int] = set()
        for phrase, places in _phrases(question):
            if taken & set(places):
                continue
            hits = self._spelled(phrase, single=len(places) == 1)
            if not hits and places.stop <= COMPARED_WORDS and len(places) <= COMPARED_PHRASE:
                hits = self._similar(phrase)
            if hits:
                taken |= set(places)
            for path, value in hits:
                found.setdefault((path, value), Match(phrase, path, value))
        return tuple(found.values())[:MOST_MATCHES]

    def _spelled(self, phrase: str, *, single: bool) -> list[tuple[Path, str]]:
        form = _form(phrase)
        if form.isdigit() or (single and form in STOPWORDS and not phrase.isupper()):
            return []
        for variant in (form, *_numbers(form)):
            if hits := self._exact.get(variant):
                return hits
        return self._abbreviated(form) if single and phrase.isupper() and 2 <= len(form) <= 5 else []

    def _abbreviated(self, short: str) -> list[tuple[Path, str]]:
        """UK finds United Kingdom; USA and US find each other."""
        for form in (short, short[:-1], *(short + letter for letter in ascii_lowercase)):
            capitals = [hit for hit in self._exact.get(form, ()) if hit[1].isupper()]
            if len(form) >= 2 and (hits := self._initials.get(form) or capitals):
                return hits
        return []

    def _similar(self, phrase: str) -> list[tuple[Path, str]]:
        form = _form(phrase)
        first, last = form.split(" ")[0], form.split(" ")[-1]
        if len(form) < 5 or form.isdigit() or first in STOPWORDS or last in STOPWORDS:
            return []
        # Lengths further apart cannot be that similar, and a typo in the first letter is rare.
        shortest, longest = ceil(len(form) * SIMILAR / (200 - SIMILAR)), int(len(form) * (200 - SIMILAR) / SIMILAR)
        alike = chain.from_iterable(self._alike.get((form[0], n), ()) for n in range(shortest, longest + 1))
        near = process.extract(form, list(alike), scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=3)
        return [hit for match, _, _ in near if _same_digits(form, match) for hit in self._exact[match]]


def _phrases(question: str) -> Iterator[tuple[str, range]]:
    """Quoted texts and runs of words, longest first, each with the places of its words."""
    spans = [(m.start(), m.end()) for m in WORD.finditer(question)]
    for quoted in QUOTED.finditer(question):
        inside = [i for i, (start, end) in enumerate(spans) if quoted.start() <= start and end <= quoted.end()]
        if inside:
            yield quoted[1] or quoted[2], range(inside[0], inside[-1] + 1)
    for length in range(min(LONGEST_PHRASE, len(spans)), 0, -1):
        for first in range(len(spans) - length + 1):
            yield question[spans[first][0] : spans[first + length - 1][1]], range(first, first + length)


def _form(text: str) -> str:
    return " ".join(re.findall(r"\w+", folded(text)))


def _numbers(form: str) -> tuple[str, ...]:
    """The other grammatical number of an English word, by its ending; longer words are found as typos anyway."""
    if form.endswith("ies"):
        return form[:-3] + "y", form[:-1]
    if form.endswith("es"):
        return form[:-1], form[:-2]
    return (form[:-1],) if form.endswith("s") else (form + "s", form + "es")


def _initials(form: str) -> str:
    parts = [part for part in form.split() if part not in ("of", "the", "and")]
    return "".join(part[0] for part in parts) if len(parts) > 1 else ""


def _same_digits(one: str, other: str) -> bool:
    """A digit is never a typo: 2023 is not 2024."""
    return _digits(one) == _digits(other)


def _digits(text: str) -> list[str]:
    return re.findall(r"\d", text)
