"""Puts the name that is nearest in meaning for a noun that names nothing: `vocalists` are read as `singers`.

It comes last, when a question is not read in any other way; it is never done for a value, nor for a word that the
engine has rules for. The name must be near enough, and nearer than each that speaks of something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.language.likeness import is_kind_of, rate_likeness
from sqlchat.language.tokens import singular, stem
from sqlchat.providers.offline.evidence import MONEY, PERSONS, Evidence
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Target
from sqlchat.providers.offline.query import Query

LEAST, LEAST_OF_ROWS, MARGIN = 41, 55, 15
"""How near the name of a column must be, and that of a table, since `dogs` are only some of the `pets`; and by how
much nearer than the next one that is near at all."""
FAR = 30
"""How near a name is that is no rival."""
SHORTEST = 3
LEFT_OUT = re.compile(r" adds? nothing to this\.$")
"""What the assumptions say of words that stay unread: two doubts in one reading are too many."""


def read_nearest(
    linker: Linker, evidence: Evidence, question: str, read: Callable[[str], tuple[Query, exp.Select]]
) -> tuple[Query, exp.Select] | None:
    """What `read` makes of the question with such names in it; None where there are none, or a word is left out."""
    nearer, told = put_nearest(linker, evidence, question)
    if not told:
        return None
    try:
        query, select = read(nearer)
    except QuestionError:
        return None
    if any(LEFT_OUT.search(text) for text in query.assumptions):
        return None
    query.assumptions.extend(told)
    return query, select


def put_nearest(linker: Linker, evidence: Evidence, question: str) -> tuple[str, list[str]]:
    """The question with such names in it, and a sentence for each."""
    told = []
    for at, token in enumerate(evidence.tokens):
        plain = token.text.isalpha() and (token.text.islower() or not at) and len(token.low) >= SHORTEST
        if (
            not plain
            or token.low in PERSONS | MONEY
            or evidence.grade_unused(at) != "noun"
            or evidence.list_items(at)
        ):
            continue
        name = find_nearest(linker, token.low)
        if name is not None:
            name = _inflect(name, like=token.low)
            question = re.sub(rf"(?<!\w){re.escape(token.text)}(?!\w)", name, question, count=1)
            told.append(f'"{token.text}" is read as "{name}".')
    return question, told


def find_nearest(linker: Linker, word: str) -> str | None:
    """The word of a name that is nearest to this one; None where none is near enough, or several are.

    Rows are not named by a kind of them: `girls` are some of the `children`.
    """
    nouns = _list_nouns(linker)
    rates = {noun: rate for noun in nouns if (rate := rate_likeness(word, noun)) >= FAR}
    best = max(rates, key=rates.__getitem__, default=None)
    names_rows = best is not None and any(isinstance(target, tuple) for target in nouns[best])
    if best is None or rates[best] < (LEAST_OF_ROWS if names_rows else LEAST):
        return None
    if names_rows and is_kind_of(word, best):
        return None
    rivals = (noun for noun in rates if nouns[best].isdisjoint(nouns[noun]))
    return None if any(rates[noun] > rates[best] - MARGIN for noun in rivals) else best


@lru_cache(maxsize=8)
def _list_nouns(linker: Linker) -> dict[str, frozenset[Target]]:
    """The words that name a table or a column by themselves, with what they name; those of keys name nothing."""
    nouns: dict[str, frozenset[Target]] = {}
    for key, table in linker.tables.items():
        names = [linker.table_words(key), *(linker.column_words(key, column.name) for column in table.columns)]
        for word in {word for words in names for word in words} - nouns.keys():
            targets = {hit.target for hit in linker.hits((stem(word),), word) if hit.tier <= 2}
            targets -= {target for target in targets if isinstance(target, Col) and linker.is_key(target)}
            if targets:
                nouns[word] = frozenset(targets)
    return nouns


def _inflect(name: str, like: str) -> str:
    """The name in the number of the word."""
    one = singular(name)
    if like == singular(like):
        return one
    if one.endswith("y") and one[-2:-1] not in "aeou":
        return f"{one[:-1]}ies"
    return f"{one}es" if one.endswith(("s", "x", "ch", "sh")) else f"{one}s"
