"""Finds short forms of a word among names: `cust` and `cstmr` for customer, `qty` for quantity, `plyr` for player.

A short form begins with the word's first letter and keeps some of the others in their order. The weights say how sure
it is: a prefix or the word without its vowels is surer than any other choice of letters.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable

VOWELS = frozenset("aeiou")
SURE, LIKELY, POSSIBLE = 0.7, 0.5, 0.35
SHORTEST, LONGEST_SHORT, SHORTEST_FUSED, LONGEST = 2, 7, 5, 24
"""Letters of a short form, of names that are written together, and of a word at most."""
FUSED_WEIGHTS = {3: 0.3, 4: 0.45, 5: 0.6}
"""What a form of so many letters (or more) counts at the edge of a name that is written together."""
LEADING = 3
"""Letters of a module's or table's prefix, such as `sb` in `sbcustnm`, that may stand before it."""


def drop_vowels(word: str) -> str:
    """`word` without the vowels after its first letter and with doubled letters once: `customer` -> `cstmr`."""
    kept = word[:1]
    for letter in word[1:]:
        if letter not in VOWELS and letter != kept[-1]:
            kept += letter
    return kept


def weigh_short_form(short: str, word: str) -> float:
    """How surely `short` stands for `word`, from 0 to 1; both in lower case, `short` the shorter one."""
    bare = drop_vowels(word)
    if len(short) >= 3 and (word.startswith(short) or bare.startswith(short)):
        return SURE
    if not is_subsequence(short, word) or len(short) < SHORTEST:
        return 0.0
    if len(short) == SHORTEST:
        return LIKELY if short == bare or (len(bare) == 3 and short == bare[0] + bare[2]) else 0.0
    if short[-1] == word[-1] or is_subsequence(short, bare):
        return LIKELY
    return POSSIBLE if len(short) > 3 else 0.0


def is_subsequence(short: str, word: str) -> bool:
    """Whether `short` begins as `word` does and its letters stand in `word` in their order."""
    letters = iter(word)
    return short[:1] == word[:1] and all(letter in letters for letter in short)


def count_common_letters(one: str, other: str) -> int:
    """The number of letters with which both texts begin."""
    for size, (letter, its) in enumerate(zip(one, other, strict=False)):
        if letter != its:
            return size
    return min(len(one), len(other))


class ShortForms:
    """The short forms among `names`, looked up by the words that they may stand for."""

    def __init__(self, names: Iterable[str]) -> None:
        """`names` are single words in lower case."""
        self._short: dict[str, list[str]] = defaultdict(list)
        self._parts: dict[str, list[str]] = defaultdict(list)
        """Names that may be written together of several words, by each three letters that follow each other."""
        for name in sorted(set(names)):
            if SHORTEST <= len(name) <= LONGEST_SHORT:
                self._short[name[0]].append(name)
            if len(name) >= SHORTEST_FUSED:
                for start in range(len(name) - 2):
                    self._parts[name[start : start + 3]].append(name)
        self._lines = {letter: "\n".join(found) for letter, found in self._short.items()}

    def find(self, word: str) -> dict[str, float]:
        """The names that are short forms of `word` or hold one at an edge, with their weights from 0 to 1.

        Of `customer` with the names `cust`, `sbcustnm` and `country`: {"cust": 0.7, "sbcustnm": 0.45}.
        """
        if not SHORTEST < len(word) <= LONGEST or not word.isalpha():
            return {}
        found = self._find_fused(word)
        for name in _compile_short_forms(word).findall(self._lines.get(word[0], "")):
            if name != word and (weight := weigh_short_form(name, word)):
                found[name] = weight
        return found

    def _find_fused(self, word: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for full in dict.fromkeys((word, drop_vowels(word))):
            for name in self._parts.get(full[:3], ()) if len(full) > 2 else ():
                start = name.find(full[:3])
                size = count_common_letters(name[start:], full)
                if size < len(name) and (start <= LEADING or start + size == len(name)):
                    weight = FUSED_WEIGHTS[min(size, max(FUSED_WEIGHTS))]
                    found[name] = max(weight, found.get(name, 0.0))
        return found


@functools.lru_cache(maxsize=4096)
def _compile_short_forms(word: str) -> re.Pattern[str]:
    """Matches the lines whose letters stand in `word` in their order."""
    return re.compile(f"^{word[0]}{''.join(f'{letter}?' for letter in word[1:])}$", re.MULTILINE)
