"""Tells words that name the thing asked for from words that name a value.

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

LOWER_WORDS = re.compile(r"[^\W\d_A-Z]+(?:[ -][^\W\d_A-Z]+)*")


class NamedThings:
    """The names of one catalog's tables and columns, by the stems of their words."""

    def __init__(self, catalog: Catalog) -> None:
        self._tables: set[str] = set()
        self._heads: dict[str, str] = {}
        """Stem to the table or column that it is the last word of, as a prompt calls it."""
        self._names: dict[tuple[str, ...], str] = {}
        """The same for all stems of a name."""
        for table in catalog.tables:
            self._add_name(table.name, f"the table {table.name}")
            if len(stems := words(table.name)) == 1:
                self._tables.add(stems[0])
        for table in catalog.tables:
            for column in table.columns:
                self._add_name(column.name, f"the column {table.name}.{column.name}")

    def _add_name(self, name: str, thing: str) -> None:
        if stems := words(name):
            self._heads.setdefault(stems[-1], thing)
            self._names.setdefault(tuple(stems), thing)

    def tell_apart(self, matches: Iterable[Match], question: str) -> tuple[Match, ...]:
        """Return `matches` without names of tables, and with `thing` set if the words may name a table or column.

        Words in quotes or with a capital name values, except the question's first word.
        """
        value_matches = []
        for match in matches:
            written = match.words
            if question.lstrip().startswith(written):
                written = written[:1].lower() + written[1:]
            if not LOWER_WORDS.fullmatch(written) or _is_quoted(match.words, question):
                value_matches.append(match)
                continue
            stems = words(written)
            if len(stems) > 1 or stems[0] not in self._tables:
                value_matches.append(replace(match, thing=self._find_thing(stems, match)))
        return tuple(sorted(value_matches, key=lambda match: bool(match.thing)))

    def _find_thing(self, stems: list[str], match: Match) -> str:
        """Return a prompt's words for the table, column or rows that `match` may name; "" if there are none."""
        if len(stems) > 1:
            return self._names.get(tuple(stems), "")
        heads = (self._heads.get(head) for head in (stems[0], *sorted(RELATED.get(stems[0], ()))))
        if thing := next(filter(None, heads), None):
            return thing
        is_plural = match.words.endswith("s") and folded(match.value) != folded(match.words)
        return "the rows that are asked for" if is_plural and len(match.value.split()) == 1 else ""


def _is_quoted(text: str, question: str) -> bool:
    return re.search(rf"[\"'“‘]{re.escape(text)}[\"'”’]", question) is not None
