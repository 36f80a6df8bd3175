"""How near two nouns are in meaning, for words that no list of synonyms holds.

The table has for each noun those after it in the alphabet that are near to it, as `other:52`, with `<` where the
noun is a kind of the other, `>` where the other is a kind of it. `tests/benchmarks/make_likeness.py` makes it from
WordNet and a sentence model; `likeness.LICENSE` tells under which terms. It is read when it is first asked for.
"""

from __future__ import annotations

import gzip
from functools import cache, lru_cache
from itertools import product
from pathlib import Path

from sqlchat.language.tokens import singular

TABLE = Path(__file__).with_suffix(".txt.gz")
TURNED = {ord("<"): ">", ord(">"): "<"}


def rate_likeness(word: str, other: str) -> int:
    """How near the two are, up to 99 for the same; 0 where they are far, or the table lacks one of them."""
    return max((int(mark[:2]) for mark in _list_marks(word, other)), default=0)


def is_kind_of(word: str, other: str) -> bool:
    """Whether all that the word means is also what the other does, and not the reverse: a girl is a child."""
    return any(mark.endswith("<") for mark in _list_marks(word, other))


def _list_marks(word: str, other: str) -> list[str]:
    """What the table says of the two in any of their forms, seen from the word."""
    marks = []
    for one, two in product(_list_forms(word), _list_forms(other)):
        first, second = sorted((one, two))
        mark = _read_table()[first].partition(f" {second}:")[2].partition(" ")[0]
        if mark:
            marks.append(mark if first == one else mark.translate(TURNED))
    return marks


@lru_cache(maxsize=65_536)
def _list_forms(word: str) -> tuple[str, ...]:
    """The word and its singular, as far as the table has them."""
    return tuple(form for form in {word: 0, singular(word): 0} if form in _read_table())


@cache
def _read_table() -> dict[str, str]:
    lines = gzip.decompress(TABLE.read_bytes()).decode("ascii").splitlines()
    return {line.partition(" ")[0]: line for line in lines}
