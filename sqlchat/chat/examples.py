"""Finds the verified examples whose questions are nearest to a new one, and the one that asks the very same."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Sequence

import bm25s
import numpy as np
from rapidfuzz import fuzz, process

from sqlchat.chat.value_linking import QUOTED
from sqlchat.language.words import parts, telling
from sqlchat.store.knowledge import Example

logging.getLogger("bm25s").setLevel(logging.WARNING)  # its import sets it to DEBUG

SHARED = 0.3
"""Least share of telling words (Dice's coefficient) by which an example is near..."""
ALIKE = 75.0  # ...or rapidfuzz's similarity, of 100, by which it is one in spite of typos
MOST_WORDS = 60
"""Of a question that are looked at."""
CLOSING = re.compile(r"[.,:;?!。]+(?=\s|$)|[¿¡]")
DASHES = re.compile(r"[\u2010-\u2015\u2212]")
RELATIVE = re.compile(
    r"\b(today|yesterday|tomorrow|ago|to date|so far|[ymq]td"
    r"|(last|past|previous|this|current|next|recent) (\w+ )?(day|week|month|quarter|year)s?)\b",
    re.IGNORECASE,
)
DATED = re.compile(r"(?<![\w.])(?:19|20)\d\d(?![\w.])")
CLOCK = re.compile(r"\b(now|today|current_\w+|localtime\w*|curdate|sysdate|utc_\w+|getdate|clock_timestamp)\b", re.I)
ACCENT = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")


class ExampleIndex:
    """Looks up the examples of one connection by BM25 (the library bm25s) and rapidfuzz. Safe for several threads."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples  # the newest first
        self._words = [_pick_words(example.question) for example in examples]
        self._texts = [" ".join(words) for words in self._words]
        self._known = {word for words in self._words for word in words}
        self._forms = {normalize_question(example.question): example for example in reversed(examples)}
        self._bm25 = bm25s.BM25()
        if examples:
            self._bm25.index(self._words, show_progress=False)

    def find_same(self, question: str) -> Example | None:
        """Return the example that asks `question` in the same words; None if there is none."""
        return self._forms.get(normalize_question(question))

    def find_nearest(self, question: str, limit: int) -> list[Example]:
        """Return at most `limit` examples that share words with `question`, the nearest first."""
        if not self._examples:
            return []
        asked = _pick_words(question)
        alike = np.zeros(len(self._examples), np.float32)
        for _, score, place in process.extract(
            " ".join(asked), self._texts, scorer=fuzz.token_sort_ratio, limit=None
        ):
            alike[place] = score
        rank = alike / 100
        if known := [word for word in asked if word in self._known]:
            scores = self._bm25.get_scores(known)
            rank = rank + scores / (float(scores.max()) or 1.0)
        order = np.argsort(-rank, kind="stable").tolist()
        near = (at for at in order if alike[at] >= ALIKE or _measure_overlap(asked, self._words[at]) >= SHARED)
        return [self._examples[at] for at, _ in zip(near, range(limit), strict=False)]


def normalize_question(question: str) -> str:
    """Return `question` without case, accents, extra blanks and punctuation at the end of words.

    Words, numbers, signs (`<`, `-`, `%`, `!=`) and quoted texts stay, since they may change the meaning. A question
    that would become empty stays unchanged.
    """
    pieces, end = [], 0
    for quoted in QUOTED.finditer(question):
        pieces += [_simplify(question[end : quoted.start()]), f'"{quoted[1] or quoted[2]}"']
        end = quoted.end()
    pieces.append(_simplify(question[end:]))
    return " ".join(" ".join(pieces).split()) or " ".join(question.split())


def fixes_relative_dates(question: str, sql: str) -> bool:
    """Does `sql` name a year for a question relative to today ("last month"), and so become wrong with time?

    False if the question names that year too, or if the SQL reads the clock.
    """
    if not RELATIVE.search(question) or CLOCK.search(sql):
        return False
    return not set(DATED.findall(question)).issuperset(DATED.findall(sql))


def _simplify(text: str) -> str:
    text = unicodedata.normalize("NFKD", DASHES.sub("-", text).replace("’", "'")).casefold()
    # Only Latin letters lose their marks: in other scripts a mark can make another letter.
    return CLOSING.sub(" ", unicodedata.normalize("NFC", ACCENT.sub("", text)))


def _pick_words(question: str) -> list[str]:
    return (telling(question) or parts(question) or [question.strip().casefold()])[:MOST_WORDS]


def _measure_overlap(one: Sequence[str], other: Sequence[str]) -> float:
    mine, theirs = set(one), set(other)
    return 2 * len(mine & theirs) / (len(mine) + len(theirs))
