"""Rewrites verbs that share their root with a table's name: `never rented anything` becomes `without rentals`.

The questions that come of it are tried like other rephrasings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlchat.language import lexicon
from sqlchat.language.abbreviations import LIKELY, weigh_short_form
from sqlchat.language.derivations import have_one_root
from sqlchat.language.tokens import singular, tokenize
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Key

BEFORE_VERB = lexicon.words("never not did do does who that which to they we n't haven't hasn't didn't don't nobody")
NEVER = lexicon.words("never not n't didn't nobody")
SELLING = lexicon.words("sold sell sells selling bought buy buys purchased ordered")
"""Verbs of the rows whose quantity and price are known, where no table is called like them."""
AGAINST = r"(?:and|or|vs\.?|versus|compared (?:to|with)|against)"
SIDES = tuple(
    re.compile(rf"(?i){pattern}")
    for pattern in (
        rf"\b([\w-]+)(?: ones)? {AGAINST} (?:non-?|un|in|not )\1\b(?: ones)?",
        rf"\b(?:that|who|which) (?:are |were |is |was )?(\w+) {AGAINST} (?:those |ones |\w+ )?(?:that|who|which) "
        r"(?:are not|aren['’]t|were not|weren['’]t|did not|didn['’]t|do not|don['’]t|have not|haven['’]t)(?: \w+)?"
        r"(?=\W*$)",
        r"\bwith and without (?:an? )?(\w+)",
        r"\b(?:are|were|have|had|got) (?:been )?(\w+),? and how many (?:are|were|have|did|do)(?: not|n['’]t)(?: \w+)?"
        r"(?=\W*$)",
    )
)
"""A flag and its denial side by side, each with the word that names the flag."""
NUMBER = r"((?:more|less|fewer) than|at least|at most|over|exactly|only)"


def find_verbs(question: str, linker: Linker) -> Iterator[tuple[str, Key]]:
    """The verbs of the question that name no table or value themselves, and the one table of the same root."""
    tokens = tokenize(question)
    for at, token in enumerate(tokens):
        before = tokens[at - 1].low if at else ""
        inflected = token.low.endswith(("ed", "ing")) or token.low in lexicon.PARTICIPLES or before in BEFORE_VERB
        if token.kind != "word" or not (inflected or token.low.endswith("s")):
            continue
        if any(hit.tier < 2 for link in linker.links(tokens, at) for hit in link.values):
            continue
        words = {key: linker.table_words(key)[-1] for key in linker.tables}
        nouns = {token.low, singular(token.low)}
        keys = [k for k, word in words.items() if singular(word) not in nouns and have_one_root(token.low, word)]
        doing = f"{token.stem}ing"  # `bkg` is short for booking
        keys = keys or [k for k, word in words.items() if len(word) > 2 and weigh_short_form(word, doing) >= LIKELY]
        if not keys and token.low in SELLING and before in NEVER:
            keys = list({m.table for m in linker.measures if m.name in lexicon.REVENUE})
        if len(keys) == 1:
            yield token.text, keys[0]


def rewrite_verb(question: str, verb: str, noun: str) -> Iterator[str]:
    """The question with the `noun` for the verb: `booked more than 3 times` -> `with more than 3 bookings`."""
    word = re.escape(verb)
    lead = r"(?:(?:who|that|which) )?(?:(?:have|has|had|are|is|was|were|do|does|did) )?"
    never = r"(?:never|not|n't|haven't|hasn't|didn't|don't|doesn't|nobody(?: has| have| had)?)"
    negated = rf"(?i){lead}{never}(?: yet)?(?: been| ever)? {word}"
    agent = rf"(?i)^who (?:has |have )?{word}" if noun.endswith(("er", "ers", "or", "ors")) else "(?!)"
    for pattern, put in (
        (agent, f"which {noun} have"),
        (rf"{negated}(?: anything| yet| in| for| on| at| to| with)?(?=\W*$)", f"without {noun}"),
        (negated, f"without {noun} of"),
        (rf"(?i){lead}{word} (?:the )?most(?: often| frequently)?", f"with the most {noun}"),
        (rf"(?i){lead}{word} (?:the )?(?:least|fewest)(?: often)?", f"with the fewest {noun}"),
        (rf"(?i){lead}{word} {NUMBER} (\w+) times", rf"with \1 \2 {noun}"),
        (rf"(?i){lead}{word} more than once", f"with more than 1 {noun}"),
        (
            rf"(?i){lead}{word} (?!the )(\w[\w -]*?) (?:more than once|at least twice)",
            rf"with more than 1 {noun} of \1",
        ),
    ):  # fmt: skip
        changed = re.sub(pattern, put, question)
        if changed != question:
            yield changed


def rewrite_sides(question: str, linker: Linker) -> Iterator[str]:
    """`average fee of paid and unpaid visits` -> `average fee of visits by paid`, if a flag tells it."""
    for pattern in SIDES:
        found = pattern.search(question)
        tokens = tokenize(found[1]) if found is not None else []
        links = [link for link in linker.links(tokens, 0) if link.size == len(tokens)] if tokens else []
        flags = {hit.col for link in links for hit in link.columns if hit.tier < 3 and linker.is_flag(hit.col)}
        if found is not None and len(flags) == 1 and not any(link.values or link.tables for link in links):
            rest = f"{question[: found.start()]}{question[found.end() :]}".rstrip(" ?.!")
            yield f"{rest} by {' '.join(linker.column_words((col := flags.pop()).table, col.name))}"


def rewrite_rates(question: str, linker: Linker) -> Iterator[str]:
    """`attendance rate by class` -> `share of attended bookings by class`: a column says yes or no of it."""
    for found in re.finditer(r"(?i)\b(\w+) rates?\b", question):
        word = found[1].lower()
        for key, table in linker.tables.items():
            for column in table.columns:
                name = linker.column_words(key, column.name)
                if linker.is_flag(Col(key, column.name)) and any(have_one_root(word, part) for part in name):
                    share = f"share of {' '.join(name)} {' '.join(linker.table_words(key))}"
                    yield question.replace(found[0], share)
