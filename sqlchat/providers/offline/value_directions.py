"""Tells of two columns with the same values which one is meant: where something comes from, or where it goes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlchat.language import lexicon
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Hit

WAYS = (
    (lexicon.words("from source start starting origin pickup departure sender old"),
     lexicon.words("from starting started starts beginning leaving departing out")),
    (lexicon.words("to into target dest destination end dropoff arrival recipient receiver new"),
     lexicon.words("to into towards ending ended ends arriving bound reaching")),
)  # fmt: skip
"""Words of columns, each with the words of questions that stand before a value of them."""


def keep_direction(linker: Linker, hits: list[Hit], before: Sequence[str]) -> list[Hit]:
    """The value of the one column that the words before it speak of, as `into French` does; else all of the hits."""
    lead = [low for low in before[-3:] if low not in ("the", "a")][-2:]
    named = [set(linker.column_words(hit.col.table, hit.col.name)) for hit in hits]
    if len(hits) == 1 and _is_opposed(linker, hits[0], lead):
        return []
    if len(hits) != 2 or None in {hit.value for hit in hits} or hits[0].col.table != hits[1].col.table:
        return hits
    for (words, leads), (others, _) in (WAYS, WAYS[::-1]):
        for one, other in ((0, 1), (1, 0)):
            if words & named[one] and others & named[other] and not leads.isdisjoint(lead):
                return [hits[one]]
    return hits


def _is_opposed(linker: Linker, hit: Hit, lead: Sequence[str]) -> bool:
    """Whether the words before the value speak of the other one of two columns: `to Rome`, where all only leave."""
    names = [linker.column_words(hit.col.table, column.name) for column in linker.tables[hit.col.table].columns]
    own = set(linker.column_words(hit.col.table, hit.col.name))
    for (words, _), (others, leads) in (WAYS, WAYS[::-1]):
        if words & own and not leads.isdisjoint(lead) and any(not others.isdisjoint(name) for name in names):
            return True
    return False
