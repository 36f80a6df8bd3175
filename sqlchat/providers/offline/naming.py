"""Names of tables and columns as phrases: short forms written out, synonyms put in."""

from __future__ import annotations

import os.path
from collections.abc import Iterator

from sqlchat.language.lexicon import (
    ABBREVIATIONS,
    COUNTRY_NAMES,
    DEMONYMS,
    FILLERS,
    FUNCTION,
    IN,
    NOT,
    SYNONYMS,
    VERBS,
)
from sqlchat.language.tokens import PRONOUNS, stem

WEAK = FILLERS | IN | NOT | VERBS | {"and", "or", "but"}


def shared_prefix(names: list[str]) -> str:
    """What all names begin with, where that is more than a letter and leaves each a rest."""
    prefix = os.path.commonpath(names)
    if len(names) < 3 or len(prefix) < 2:
        return ""
    return prefix if all(len(n) > len(prefix) for n in names) else ""


def letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def is_weak(text: str) -> bool:
    return text not in PRONOUNS and (len(text) < 3 or text.lower() in WEAK | FUNCTION)


def alike(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    return tuple(map(stem, left)) == tuple(map(stem, right))


def expanded(words: tuple[str, ...]) -> tuple[str, ...]:
    if "".join(words) in ABBREVIATIONS:
        return ABBREVIATIONS["".join(words)]
    return tuple(full for word in words for full in ABBREVIATIONS.get(word, (word,)))


def synonyms(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The phrase with one of its parts put in other words."""
    stemmed = tuple(map(stem, words))
    for at, first in enumerate(stemmed):
        for part, others in SYNONYMS_BY_STEM.get(first, ()):
            if stemmed[at : at + len(part)] == part:
                for other in others:
                    yield (*words[:at], *other, *words[at + len(part) :])


def by_stem() -> dict[str, list[tuple[tuple[str, ...], list[tuple[str, ...]]]]]:
    index: dict[str, list[tuple[tuple[str, ...], list[tuple[str, ...]]]]] = {}
    for group in SYNONYMS:
        for name in group:
            part = tuple(map(stem, name.split()))
            others = [tuple(other.split()) for other in group if other != name]
            index.setdefault(part[0], []).append((part, others))
    return index


def renamed(low: str) -> Iterator[str]:
    if low in DEMONYMS:
        low = DEMONYMS[low]
        yield low
    for group in COUNTRY_NAMES:
        if low in group:
            yield from (other for other in group if other != low)


SYNONYMS_BY_STEM = by_stem()
