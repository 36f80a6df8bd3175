"""Questions near to one that was refused: a name or a value put right, another column to group by or to measure.

Nothing here says that they work: `search` tries each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlchat.errors import QuestionError
from sqlchat.language.tokens import singular, tokenize
from sqlchat.providers.offline import dates, grain, refusal
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Key

BROKEN = re.compile(
    r"(?i)^(of|in|by|with|from|and)\b|\b(of|the|in|by|for|with) (of|in|by|for|with|and)\b"
    r"|\b(of|the|they|in|by|did|does|do|is|are|was|were|has|have|who|that)\W*$"
    r"|\b(who|that|which) (some|any|the|never)\b|^(total|average) of\b"
)
"""What a question looks like that lost a word which it needs."""
MOST_WORDS = 3
"""Words at fault for which others are looked for."""
MOST_COLUMNS = 4
STATES = frozenset({"status", "state", "stage", "phase", "condition"})
MOST_STATES, MOST_STATES_SHOWN = 8, 2
MANY = 10_000


def list_near(question: str, fault: QuestionError, linker: Linker, joins: Joins) -> Iterator[str]:
    """Questions like this one without its fault, the nearest first: `from Germany` for `from Germny`."""
    for old, new in fault.facts.get("rewrites", ()):
        yield replace_words(question, old, new)
    words = [word for word in fault.facts.get("words", ()) if isinstance(word, str) and word]
    names = refusal.list_names(linker) if words else []
    for word in words[:MOST_WORDS]:
        for name in (*refusal.find_close(word, names), *refusal.find_close_values(word, linker)):
            yield replace_words(question, word, name.replace("_", " "))
        for name in _list_instead(question, word, linker, joins) if not fault.facts.get("reason") else ():
            yield replace_words(question, word, name)
    understood = not fault.facts.get("reason") and not any(word.lower() in refusal.GRAMMAR for word in words)
    if 0 < len(words) <= MOST_WORDS and understood:
        shorter = question
        for word in words:
            shorter = replace_words(shorter, word, "")
        yield re.sub(r"\s+([,.?])", r"\1", " ".join(shorter.split()))
    for table in _list_named(question, linker):
        yield f"How many {table if table.endswith('s') else table + 's'} are there?"


def _list_instead(question: str, word: str, linker: Linker, joins: Joins) -> Iterator[str]:
    """Columns that can stand where the word does: after `by` what rows share, after `total` what adds up."""
    tokens = tokenize(question)
    at = next((at for at, token in enumerate(tokens) if token.text == word), 0)
    before = tokens[at - 1].low if at else ""
    after = linker.links(tokens, at + 1)[:1]
    for table in [hit.key for link in after for hit in link.tables] if not linker.links(tokens, at) else []:
        yield from _list_states(linker, table)
    grouped, added = before in ("by", "per", "each", "every"), before in ("total", "average", "highest", "lowest")
    if not (grouped or added):
        return
    found: list[tuple[int, str]] = []
    for table in _find_spoken_of(question, linker):
        others = [(joins.distance(table, other), other) for other in linker.tables]
        for near, other in sorted(pair for pair in others if pair[0][0] <= 1):
            named = linker.display(other)
            if grouped and near[0] == 1 and len(named) == 1:
                found.append((_count_values(linker, named[0]), singular(other[1])))
            for column in linker.tables[other].columns:
                col = Col(other, column.name)
                number = dates.is_number(column) and not linker.is_key(col) and not linker.is_flag(col)
                if (grouped and grain.is_category(linker, col)) or (added and number and other == table):
                    found.append((_count_values(linker, col), " ".join(linker.column_words(other, column.name))))
    yield from list(dict.fromkeys(name for _, name in sorted(found)))[:MOST_COLUMNS]


def _list_states(linker: Linker, table: Key) -> Iterator[str]:
    """The values of the table's column of states: `completed` for `pending orders`."""
    for column in linker.tables[table].columns:
        held = linker.values.get(Col(table, column.name), ())
        if STATES.intersection(linker.column_words(table, column.name)) and 1 < len(held) <= MOST_STATES:
            yield from held[:MOST_STATES_SHOWN]


def _count_values(linker: Linker, col: Col) -> int:
    """How many values of the column are known; a large number if none is."""
    return len(linker.values.get(col, ())) or MANY


def _find_spoken_of(question: str, linker: Linker) -> list[Key]:
    """The tables that the question names, or whose measures and columns it names."""
    tokens = tokenize(question)
    found: dict[Key, None] = {}
    for at in range(len(tokens)):
        for link in linker.links(tokens, at)[:1]:
            found |= dict.fromkeys(hit.key for hit in link.tables)
            found |= {
                hit.target.table: None for hit in (*link.measures, *link.columns) if not isinstance(hit.target, tuple)
            }
    return list(found)


def _list_named(question: str, linker: Linker) -> Iterator[str]:
    """The words of the tables that the question names."""
    lows = question.lower()
    for key in linker.tables:
        spoken = " ".join(linker.table_words(key))
        if (spoken[:-1] if len(spoken) > 4 else spoken) in lows:
            yield spoken


def replace_words(question: str, old: str, new: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, question, count=1, flags=re.IGNORECASE)
