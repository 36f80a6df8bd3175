"""Names of tables and columns as phrases: short forms written out, synonyms put in."""

from __future__ import annotations

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
    words,
)
from sqlchat.language.tokens import PRONOUNS, name_words, stem

KEPT_IN = words(
    "km cm mm m kg g lb lbs f c usd eur gbp sqft mph kmh pct percent billions millions thousands sec secs min mins "
    "hrs days"
)
"""Units at the end of columns' names."""
DELAYS = words("delay delayed late lateness wait waiting waited break pause overdue early")
"""Words of columns with a time that is no length of what a row tells of."""
WEAK = FILLERS | IN | NOT | VERBS | {"and", "or", "but"}


def count_shared_words(names: list[str]) -> int:
    """How many words all the names begin with: 2 for `sbCustId, sbCustName, sbCustCity`; each keeps a rest."""
    split = [name_words(name) for name in names]
    shortest = min((len(words) for words in split), default=0)
    same = 0
    while len(split) > 2 and same < shortest - 1 and len({words[same] for words in split}) == 1:
        same += 1
    return same


def keep_letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def is_weak(text: str) -> bool:
    short = len(text) < 3 and not any(c.isdigit() for c in text) and not (len(text) == 2 and text.isupper())
    return text not in PRONOUNS and (short or text.isdigit() or text.lower() in WEAK | FUNCTION)


def is_alike(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    return tuple(map(stem, left)) == tuple(map(stem, right))


def expand(words: tuple[str, ...]) -> tuple[str, ...]:
    if "".join(words) in ABBREVIATIONS:
        return ABBREVIATIONS["".join(words)]
    return tuple(full for word in words for full in ABBREVIATIONS.get(word, (word,)))


def list_synonyms(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The phrase with one of its parts put in other words."""
    stemmed = tuple(map(stem, words))
    for at, first in enumerate(stemmed):
        for part, others in SYNONYMS_BY_STEM.get(first, ()):
            if stemmed[at : at + len(part)] == part:
                for other in others:
                    yield (*words[:at], *other, *words[at + len(part) :])


def index_synonyms() -> dict[str, list[tuple[tuple[str, ...], list[tuple[str, ...]]]]]:
    index: dict[str, list[tuple[tuple[str, ...], list[tuple[str, ...]]]]] = {}
    for group in SYNONYMS:
        for name in group:
            part = tuple(map(stem, name.split()))
            others = [tuple(other.split()) for other in group if other != name]
            index.setdefault(part[0], []).append((part, others))
    return index


def drop_unit(words: tuple[str, ...]) -> tuple[str, ...]:
    """`budget` for `budget in billions`, `area` for `area km 2`: a column's words up to the unit it is kept in."""
    if "in" in words[1:-1]:
        words = words[: words.index("in", 1)]
    while len(words) > 1 and (words[-1] in KEPT_IN or words[-1].isdigit()):
        words = words[:-1]
    return words


def list_other_names(low: str) -> Iterator[str]:
    if low in DEMONYMS:
        low = DEMONYMS[low]
        yield low
    for group in COUNTRY_NAMES:
        if low in group:
            yield from (other for other in group if other != low)


SYNONYMS_BY_STEM = index_synonyms()
