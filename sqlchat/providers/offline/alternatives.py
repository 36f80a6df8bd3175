"""Questions for each of several readings that are equally likely: the word that may mean both is said more exactly.

Nothing here says that they work: `search` tries each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlchat.errors import QuestionError
from sqlchat.language.tokens import Token
from sqlchat.providers.offline.composer import Candidate
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.suggestions import replace_words

MEANT = re.compile(r'^"(?P<text>.+?)" may mean (?P<names>.+?)\.$')
MOST_READINGS = 3


def list_choices(question: str, fault: QuestionError, linker: Linker) -> list[tuple[Col, list[str]]]:
    """The columns that a word at fault may mean, each with questions that say so, the plainest first."""
    match = MEANT.match(str(fault))
    if match is None:
        return []
    text, cols = match["text"], []
    for name in match["names"].split(" or "):
        cols += [col for col in _list_columns(linker) if name in (f"{col.table[1]}.{col.name}", col.name)]
    cols = list(dict.fromkeys(cols))
    return [(col, list(_write_questions(question, text, col, linker))) for col in cols[:MOST_READINGS]]


def list_tied(
    question: str, tokens: list[Token], one: Candidate, other: Candidate, linker: Linker
) -> list[tuple[Candidate, list[str]]]:
    """Two readings that are as good, each with questions that say the words in which they differ more exactly."""
    written = []
    for candidate, rival in ((one, other), (other, one)):
        own = [item for item in candidate.items if item not in rival.items and item.target is not None]
        texts = [question]
        for item in own:
            said = question_part(question, tokens, item)
            texts = [new for text in texts for new in _say_exactly(text, said, item, linker)]
        written.append((candidate, texts if own else []))
    return written


def question_part(question: str, tokens: list[Token], item: Item) -> str:
    """The words of the question that the item stands for."""
    words = [re.escape(token.text) for token in tokens[item.start : item.end]]
    match = re.search(r"\W+".join(words), question)
    return match.group() if match is not None else item.text


def _say_exactly(question: str, said: str, item: Item, linker: Linker) -> Iterator[str]:
    target = item.target
    if isinstance(target, tuple):
        yield replace_words(question, said, _name_table(linker, target))
    elif isinstance(target, Col) and not isinstance(target, Computed):
        yield from _write_questions(question, said, target, linker)


def _list_columns(linker: Linker) -> Iterator[Col]:
    for key, table in linker.tables.items():
        yield from (Col(key, column.name) for column in table.columns)


def _name_table(linker: Linker, key: Key) -> str:
    return " ".join(linker.table_words(key))


def _write_questions(question: str, text: str, col: Col, linker: Linker) -> Iterator[str]:
    """The question with the column's whole name for the text, or before it where it is a value."""
    name, table = " ".join(linker.column_words(col.table, col.name)), _name_table(linker, col.table)
    value = linker.value(col, text)
    names = [name, f"{table} {name}", f"{name} of the {table}"] if value is None else [f"{name} {text}"]
    if value is not None:
        names += [f"with {name} {text}", f"where {name} is {text}"]
    for words in names:
        yield _drop_repeats(replace_words(question, text, words))


def _drop_repeats(question: str) -> str:
    """The question without a word that now stands twice: `cost cost price`."""
    return re.sub(r"(?i)\b(\w+) \1\b", r"\1", question)
