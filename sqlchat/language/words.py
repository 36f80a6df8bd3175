"""Words of questions and of names, brought to one form: split, lower case, without accents, stemmed."""

from __future__ import annotations

import functools
import re
import threading
import unicodedata

import snowballstemmer

PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")
STOPWORDS = frozenset(
    re.findall(
        r"\w+",
        """
    a about all an and any are as at be been between by can did do does each every find for from give had has have
    how i in is it its list many me much my number of on or our please per show tell than that the their them there
    these they this those to us was we were what when where which who whose will with you your
        """,
    )
)
LONGEST_NAME = 64
_own = threading.local()


def words(text: str) -> list[str]:
    """The stems in `text`, in order; `CustomerID` and `customer_id` give the same two."""
    return [*_words(text)] if len(text) <= LONGEST_NAME else [stem(part) for part in parts(text)]


def parts(text: str) -> list[str]:
    """The words in `text` as they are, in lower case."""
    return [*_parts(text)] if len(text) <= LONGEST_NAME else _split(text)


# Those of names are kept, since the tables of a large database have many names of columns in common.


@functools.lru_cache(maxsize=65_536)
def _words(name: str) -> tuple[str, ...]:
    return tuple(stem(part) for part in _parts(name))


@functools.lru_cache(maxsize=65_536)
def _parts(name: str) -> tuple[str, ...]:
    return tuple(_split(name))


def _split(text: str) -> list[str]:
    return [part.lower() for part in PARTS.findall(folded(text, keep_case=True))]


def telling(text: str) -> list[str]:
    """The same without the words that a question of any kind holds."""
    return [stem(part) for part in parts(text) if part not in STOPWORDS]


def folded(text: str, *, keep_case: bool = False) -> str:
    """Without accents, and without case."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text if keep_case else text.casefold()


@functools.lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    if not hasattr(_own, "stemmer"):  # a stemmer keeps the word in itself, so each thread has its own
        _own.stemmer = snowballstemmer.stemmer("english")
    stemmed: str = _own.stemmer.stemWord(word.lower())
    return stemmed
