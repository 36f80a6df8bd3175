"""Words that stand for what they do not name: `AB-` for a value, `authors` for the users that `author_id` leads to.

Each reading is told as (tokens, kind, target, evidence, value, text), the parts of an item of `evidence`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlchat.language import lexicon
from sqlchat.language.thesaurus import VAGUE
from sqlchat.language.tokens import Token, stem
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Key, Target
from sqlchat.providers.offline.row_nouns import KEYED, is_kind_of_row, list_event_columns, list_row_tables

Reading = tuple[int, str, Any, str, Any, str]
OPPOSITES = {
    **dict.fromkeys(("fail", "failed", "failure", "failing"), ("passed", "succeeded")),
    **dict.fromkeys(("absence", "absent", "missed"), ("attended", "present")),
    **dict.fromkeys(("loss", "lost", "losing"), ("won",)),
    **dict.fromkeys(("available", "free"), ("taken", "occupied")),
}
"""Words with those of a column of which they are the opposite."""
VERB_PARTICLES = lexicon.words("in out up off on")
"""Words that make one noun with the verb before them: `logged in`, `login`."""

PLAIN = VAGUE | lexicon.words("name no nr code status at on is has date time of the in by id key note info details")
"""Words of names that name nothing by themselves."""


@lru_cache(maxsize=8)
def index_names(linker: Linker) -> dict[str, list[tuple[str, Target]]]:
    """The words of all names by their first three letters, each with the table or column it is a word of."""
    index: dict[str, list[tuple[str, Target]]] = {}
    for key, table in linker.tables.items():
        named: list[tuple[tuple[str, ...], Target]] = [(linker.table_words(key), key)]
        for column in table.columns:
            named.append((linker.column_words(key, column.name), Col(key, column.name)))
        for words, target in named:
            glued = stem(words[0]) + "".join(words[1:2])  # `pickup` of `picked_up_at`
            for word in (*words, *([glued] if len(words) > 1 and words[1] not in PLAIN else ())):
                if len(word) > 1 and (word not in PLAIN or len(words) == 1):
                    index.setdefault(word[:3], []).append((word, target))
                    index.setdefault(word[:1], []).append((word, target))
    return index


def list_signed(linker: Linker, tokens: list[Token], at: int) -> Iterator[Reading]:
    """`AB-`, or the `C` of `zone C`: values that are no words by themselves."""
    token, after = tokens[at], tokens[at + 1].text if at + 1 < len(tokens) else ""
    if token.kind == "word" and after in ("+", "-"):
        for col in linker.values:
            value = linker.value(col, token.text + after)
            if value is not None and value.lower() == token.low + after:
                yield 2, "value", col, "value", value, value
    if at and len(token.text) == 1 and token.text.isupper():
        for link in linker.links(tokens, at - 1):
            for hit in link.columns if link.size == 1 else ():
                if linker.value(hit.col, token.text) == token.text:
                    yield 1, "value", hit.col, "value", token.text, token.text


def list_roles(linker: Linker, col: Col, word: str) -> Iterator[Reading]:
    """The table that the column leads to, where the word is what it is called there and no other key leads to it."""
    table = linker.tables[col.table]
    named = [part for part in linker.column_words(col.table, col.name) if part not in KEYED]
    if not named or stem(word) != stem(named[-1]):
        return
    for key in table.foreign_keys:
        other: Key = (key.ref_schema, key.ref_table)
        alike = [one for one in table.foreign_keys if (one.ref_schema, one.ref_table) == other]
        if key.columns == (col.name,) and other in linker.tables and other != col.table and len(alike) == 1:
            yield 1, "table", other, "keyed", col.table, word


def list_for_rows(
    linker: Linker, tokens: list[Token], at: int, named: Sequence[Col], *, known: bool
) -> Iterator[Reading]:
    """The table of which the noun means all rows, or the column that is filled in those that it means.

    `named`: the columns that the word names; `known`: whether it means anything else.
    """
    low = tokens[at].low
    after = tokens[at + 1].low if at + 1 < len(tokens) else ""
    if low.endswith("s") or after in ("rate", "rates"):  # a `delivery cost` is of no delivery
        for col in list_event_columns(linker, low, named):
            yield 1, "event", col, "event", None, low
    links = linker.links(tokens, at - 1) if at and not known and is_kind_of_row(linker, low) else []
    if any(hit.tier == 0 for link in links if link.size == 1 for hit in link.values):  # `a taxi ride`
        yield 1, "table", next(iter(linker.tables)), "row", None, low
        return
    for key, evidence in list_row_tables(linker, tokens, at):
        if evidence == "rooted" or not known:
            yield 1, "table", key, evidence, None, low
