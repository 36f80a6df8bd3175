"""Finds short forms of a word among names: `cust` and `cstmr` for customer, `qty` for quantity, `plyr` for player.

A short form begins with the word's first letter and keeps some of the others in their order. The weights say how sure
it is: a prefix or the word without its vowels is surer than any other choice of letters.
"""

from __future__ import annotations

import functools
import re

VOWELS = frozenset("aeiou")
SURE, LIKELY, POSSIBLE = 0.7, 0.5, 0.35
SHORTEST, LONGEST = 2, 24
"""Letters of a short form at least, and of a word at most."""
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


def find_short_forms(word: str, names: str) -> dict[str, float]:
    """The lines of `names` that are short forms of `word`, with their weights."""
    if not SHORTEST < len(word) <= LONGEST or not word.isalpha():
        return {}
    lines = _compile_short_forms(word).findall(names)
    return {line: weight for line in lines if line != word and (weight := weigh_short_form(line, word))}


def find_fused_forms(word: str, names: str) -> dict[str, float]:
    """The lines of `names` with a sure short form of `word` near their beginning or at their end, with weights."""
    if not 3 <= len(word) <= LONGEST or not word.isalpha():
        return {}
    found: dict[str, float] = {}
    for match in _compile_fused_forms(word).finditer(names):
        form = match["first"] or match["last"]
        if len(form) < len(match[0]):
            weight = FUSED_WEIGHTS[min(len(form), max(FUSED_WEIGHTS))]
            found[match[0]] = max(weight, found.get(match[0], 0.0))
    return found


@functools.lru_cache(maxsize=4096)
def _compile_short_forms(word: str) -> re.Pattern[str]:
    return re.compile(f"^{word[0]}{''.join(f'{letter}?' for letter in word[1:])}$", re.MULTILINE)


@functools.lru_cache(maxsize=4096)
def _compile_fused_forms(word: str) -> re.Pattern[str]:
    bare = drop_vowels(word)
    forms = {each[:size] for each in (word, bare) for size in range(3, len(each) + 1)}
    either = "|".join(sorted(map(re.escape, forms), key=len, reverse=True))
    return re.compile(
        rf"^(?:[^\W_]{{0,{LEADING}}}?(?P<first>{either})[^\W_]*|[^\W_]*?(?P<last>{either}))$", re.MULTILINE
    )
