"""Tells words that name what a question asks for from words that name a value.

In "how many papers are there", `papers` are the rows that are counted, though a column of kinds holds 'Paper'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from sqlchat.chat.value_linking import Match
from sqlchat.language.thesaurus import RELATED
from sqlchat.language.words import folded, words
from sqlchat.sql.catalog import Catalog

LOWER_WORD = re.compile(r"[^\W\d_A-Z]+")


class NamedThings:
    """The names of one catalog's tables and columns, by the stem of their last word."""

    def __init__(self, catalog: Catalog) -> None:
        self._tables: set[str] = set()
        self._heads: dict[str, str] = {}
        """Stem to the table or column that it is the last word of, as a prompt calls it."""
        for table in catalog.tables:
            stems = words(table.name)
            if len(stems) == 1:
                self._tables.add(stems[0])
            if stems:
                self._heads.setdefault(stems[-1], f"the table {table.name}")
        for table in catalog.tables:
            for column in table.columns:
                if stems := words(column.name):
                    self._heads.setdefault(stems[-1], f"the column {table.name}.{column.name}")

    def tell_apart(self, matches: Iterable[Match], question: str) -> tuple[Match, ...]:
        """`matches` without those whose word is a table's name, and with `thing` set where a word may name one.

        Words in quotes and words that begin with a capital name values.
        """
        found = []
        for match in matches:
            if not LOWER_WORD.fullmatch(match.words) or _is_quoted(match.words, question):
                found.append(match)
                continue
            stem = words(match.words)[-1]
            if stem not in self._tables:
                found.append(replace(match, thing=self._thing(stem, match)))
        return tuple(sorted(found, key=lambda match: bool(match.thing)))

    def _thing(self, stem: str, match: Match) -> str:
        heads = (self._heads.get(each) for each in (stem, *sorted(RELATED.get(stem, ()))))
        if thing := next(filter(None, heads), None):
            return thing
        is_plural = match.words.endswith("s") and folded(match.value) != folded(match.words)
        return "the rows that are asked for" if is_plural and len(match.value.split()) == 1 else ""


def _is_quoted(text: str, question: str) -> bool:
    return re.search(rf"[\"'“‘]{re.escape(text)}[\"'”’]", question) is not None
