"""Cutting questions and names into words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sqlchat.language import words

Kind = Literal["word", "number", "text", "date", "sign"]

TOKEN = re.compile(
    r"""(?P<text>"[^"]*"|“[^”]*”|‘[^’]*’|(?<!\w)'[^']*'(?!\w)|`[^`]*`)
      | (?P<address>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
      | (?P<date>\b\d{4}-\d{1,2}-\d{1,2}\b)
      | (?P<number>[$€£]?(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?\s?(?:%|[kKmM]\b)?(?![\w]))
      | (?P<word>\w+(?:[-'’./&]\w+)*['’]?)
      | (?P<sign><=|>=|!=|<>|[^\s])""",
    re.VERBOSE,
)
NAME_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
NUMBERS = {
    word: value
    for value, word in enumerate(
        re.findall(
            r"\w+",
            """
            zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
            seventeen eighteen nineteen twenty
            """,
        )
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "thousand": 1000, "dozen": 12}
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}
# The stemmer leaves these alone or folds them onto other words.
IRREGULAR = {
    "people": "person", "persons": "person", "men": "man", "women": "woman", "children": "child",
    "feet": "foot", "mice": "mouse", "sold": "sell", "bought": "buy", "paid": "pay", "spent": "spend", "made": "make",
    "held": "hold", "wrote": "write", "written": "write", "left": "leave", "series": "series", "news": "news",
    "status": "status", "statuses": "status", "number": "number", "numbers": "number", "universities": "university",
    "university": "university", "ids": "id", "taught": "teach", "won": "win", "lost": "lose", "died": "death",
    "weighed": "weight", "aged": "aged", "named": "named", "called": "called",
    "weigh": "weight", "weighs": "weight", "weighing": "weight",
    "organization": "organization", "organizations": "organization", "general": "general",
}  # fmt: skip
SINGULARS = {
    "people": "person", "persons": "person", "men": "man", "women": "woman", "children": "child", "movies": "movie",
    "series": "series", "news": "news", "species": "species", "cookies": "cookie", "causes": "cause", "cases": "case",
    "analyses": "analysis", "boxes": "box", "data": "data", "wives": "wife", "shelves": "shelf",
}  # fmt: skip
PRONOUNS = frozenset({"US", "IT"})
"""Written in capitals, these are names: nobody stresses a pronoun so, as they do NOT or AND."""


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    """As written; of a quoted text, what stands between the quotes."""
    low: str
    stem: str
    kind: Kind
    value: float | int | None = None
    percent: float | int | None = None
    """Of `10%`, 10; its value depends on what it is compared with."""
    possessive: bool = False


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The Snowball (Porter 2) stem of a lower-case word."""
    known = IRREGULAR.get(word)
    if known is None and word.endswith("sis") and len(word) > 5:
        return word[:-2]  # `diagnosis` and `diagnoses`
    return known if known is not None else words.stem(word)


@lru_cache(maxsize=65536)
def name_words(name: str) -> tuple[str, ...]:
    """Lower-case words of a name: snake_case, camelCase and digits split."""
    return tuple(part.lower() for part in NAME_PART.findall(name))


def singular(name: str) -> str:
    """A table's name as the words for one of its rows: `order_lines` -> `order line`."""
    words = list(name_words(name)) or [name]
    last = words[-1]
    if last in SINGULARS:
        words[-1] = SINGULARS[last]
    elif last.endswith("ies") and len(last) > 4:
        words[-1] = last[:-3] + "y"
    elif last.endswith(("sses", "xes", "ches", "shes", "uses")) and not last.endswith("ouses"):
        words[-1] = last[:-2]
    elif last.endswith("s") and not last.endswith(("ss", "us", "is")):
        words[-1] = last[:-1]
    return " ".join(words)


def stems(text: str) -> tuple[str, ...]:
    """Stems of the words of a text or a value, as the question's tokens have them."""
    return tuple(token.stem for token in tokenize(text) if token.kind != "sign")


def tokenize(text: str) -> list[Token]:
    """Words, numbers, quoted texts, ISO dates and signs, in order."""
    found: list[Token] = []
    shouted = text.upper() == text
    for match in TOKEN.finditer(text.replace("``", '"').replace("''", '"')):
        raw, kind = match.group(), match.lastgroup
        if kind == "text":
            inner = raw[1:-1].strip()
            found.append(Token(inner, inner.lower(), inner.lower(), "text"))
        elif kind == "address":
            found.append(Token(raw, raw.lower(), raw.lower(), "text"))
        elif kind == "date":
            found.append(Token(raw, raw, raw, "date"))
        elif kind == "number":
            text, of_hundred = raw.strip(), raw.rstrip().endswith("%")
            value = number(raw)
            plain, percent = (None, value) if of_hundred else (value, None)
            found.append(Token(text, text, text, "number", plain, percent))
        elif kind == "sign":
            found.append(Token(raw, raw, raw, "sign"))
        else:
            found.extend(_word(raw) if shouted or raw not in PRONOUNS else [_initials(raw)])
    return found


def _initials(raw: str) -> Token:
    """`US` with `u.s` for what it is in small letters, so that no pronoun is read in it."""
    return Token(raw, ".".join(raw.lower()), stem(raw.lower()), "word")


def _word(raw: str) -> list[Token]:
    possessive = False
    for ending in ("'s", "’s", "'", "’"):
        if raw.endswith(ending):
            raw, possessive = raw[: -len(ending)], True
            break
    low = raw.lower()
    if raw in ("", "_"):
        return []
    if "-" in raw and not any(c.isdigit() for c in raw):
        return [token for part in raw.split("-") for token in _word(part)]
    value = NUMBERS.get(low)
    return [Token(raw, low, stem(low), "word", value, possessive=possessive)]


def number(raw: str) -> float | int:
    """The value of a written number: `$1,200.50`, `10k`, `5 %` (as 5)."""
    text = raw.strip().lower().strip("$€£ ").replace(",", "")
    factor = 1
    if text.endswith(("k", "m")):
        factor = 1000 if text.endswith("k") else 1_000_000
        text = text[:-1].strip()
    text = text.rstrip("% ")
    value = float(text) * factor
    return int(value) if value == int(value) and "." not in text else value
