"""Tables that point to themselves: the row that another row of the same table names, such as the boss of an employee.

`crew(boss_id -> crew)` gives the role `crew as boss`: a second reading of the table under the name `boss`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlchat.language import lexicon
from sqlchat.language.abbreviations import LIKELY, weigh_short_form
from sqlchat.language.tokens import name_words, stem
from sqlchat.providers.offline.links import Col, Key
from sqlchat.sql.catalog import Table

AS = " as "
KEY_WORDS = lexicon.words("id no nr num number code key ref cd employee emp staff person")
LEADING = lexicon.words("boss manager supervisor superior")
"""Nouns for somebody who leads others."""
OVER = lexicon.words("manage manages managed supervise supervises supervised")
UNDER = lexicon.words("report reports reporting reported answer answers")
"""Verbs of those who lead others, and of the others."""


@dataclass(frozen=True, slots=True)
class Role:
    key: Key
    """The role as a table of its own."""
    table: Key
    col: Col
    """The column that points to it."""
    names: frozenset[str]

    @property
    def leads(self) -> bool:
        return not self.names.isdisjoint(LEADING)

    def find_mark(self, lows: Sequence[str], at: int) -> tuple[str, int] | None:
        """How the words at `at` speak of the role, as a noun or a verb, and how many they are."""
        low, following = lows[at], lows[at + 1] if at + 1 < len(lows) else ""
        if self.leads and low in OVER:
            return "over", 1
        if self.leads and low in UNDER:
            return ("under", 2) if following == "to" else None
        return ("noun", 1) if stem(low) in map(stem, self.names) else None


class Tables(dict[Key, Table]):
    """The tables of a catalog; a role is found as the table that it is of, and not listed."""

    def __missing__(self, key: Key) -> Table:
        return self[get_real_key(key)] if AS in key[1] else self._refuse(key)

    def _refuse(self, key: Key) -> Table:
        raise KeyError(key)


def get_real_key(key: Key) -> Key:
    """The table that a role is of."""
    return key[0], key[1].split(AS)[0]


def get_alias(key: Key) -> str:
    """The name of a table in SQL: that of a role is its own."""
    return key[1].split(AS)[-1]


def list_roles(tables: Mapping[Key, Table]) -> Iterator[Role]:
    for key, table in tables.items():
        for foreign in table.foreign_keys:
            if foreign.ref_table != table.name or len(foreign.columns) != 1:
                continue
            words = [word for word in name_words(foreign.columns[0]) if word not in KEY_WORDS]
            if not words or foreign.columns == table.primary_key:
                continue
            names = {word for word in (words[-1], "".join(words)) if word not in lexicon.FUNCTION}
            if any(word in LEADING or _is_short_for_leader(word) for word in words):
                names |= LEADING
            own = (key[0], f"{key[1]}{AS}{'_'.join(words)}")
            yield Role(own, key, Col(key, foreign.columns[0]), frozenset(names))


def _is_short_for_leader(word: str) -> bool:
    """Whether the word is short for one of those who lead: `mgr` of a manager, `reports_to`."""
    return word in ("reports", "supervised", "led") or any(
        len(word) >= 3 and weigh_short_form(word, leader) >= LIKELY for leader in LEADING
    )
