"""Readings of phrases that only a part of questions has: comparisons, ages, delays, rates, roles. For `evidence`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from sqlchat.language import lexicon
from sqlchat.language.tokens import Token, stem
from sqlchat.providers.offline import computed, dates
from sqlchat.providers.offline.durations import compute, compute_age, find_due, list_births
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col
from sqlchat.providers.offline.nouns import Vocabulary, holds_people
from sqlchat.providers.offline.reader import Reader
from sqlchat.providers.offline.roles import Role
from sqlchat.providers.offline.units import HOURLY

COMPARED = lexicon.words("vs versus compare compared against")
EARNING = lexicon.words("earn earns earned earning")
WAGES = lexicon.words("wage wages salary pay earnings rate income")
CHARGING = EARNING | lexicon.words("charge charges charged cost costs paid pay pays get gets make makes take takes")
PAYMENTS = lexicon.words("price fee cost rent charge salary tariff")
SPENT = lexicon.words("cost costs expense expenses spent paid price fine")
"""Words of columns of what people earn, and of money that nobody earns."""
ASKING = lexicon.words("is are was were do does did has have had")
"""First words of questions for yes or no."""
RIVALS: dict[tuple[str, ...], Any] = {
    **{(word,): ">" for word in ("more", "higher", "larger", "bigger", "greater", "most", "highest")},
    **{(word,): "<" for word in ("less", "fewer", "lower", "smaller", "least", "fewest", "lowest")},
    **{(word,): options for word, options in lexicon.COMPARATIVES.items()},
    **{tuple(phrase): options for phrase, options in lexicon.MORE_COMPARATIVES.items()},
}
"""Words that compare two, each with the operator or the columns that it speaks of."""
LIGHT_VERBS = lexicon.words(
    "wear wears use uses run runs bring brings carry carries write writes own owns go come comes speak speaks attend "
    "attends belong belongs live lives hold have need like want keep do make take give get offer serve see"
)
"""Verbs after a thing that say no more than that it has to do with another one."""
PASSING = lexicon.words("pass passes passed elapse elapses elapsed")
PARTICLES = lexicon.words("out off")
"""Words that say nothing after a verb, as in `carried out`."""
UNDONE = lexicon.words("nobody none noone")
SUPERLATIVE_WAYS: dict[tuple[str, ...], str] = {
    **lexicon.SUPERLATIVES,
    **{(word,): options[0][1] for word, options in (*lexicon.ADJECTIVES.items(), *lexicon.SIZES.items())},
    **{phrase: options[0][1] for phrase, options in lexicon.MOST_ADJECTIVES.items()},
    ("dearest",): "desc",
}
"""Superlatives with the direction in which they put things."""

PHRASE_MARKERS: tuple[tuple[str, dict[tuple[str, ...], str]], ...] = (
    ("aged", {("aged",): "", ("years", "old"): "", ("year", "old"): "", ("years", "of", "age"): ""}),
    ("elapsed", {
        (*lead, unit, *link, "since"): kind
        for unit, kind in computed.TIME_UNITS.items() if unit.endswith("s")
        for lead in ((), ("how", "many")) for link in ((), ("is", "it"), ("has", "it", "been"))
    }),
    ("late", {("late",): ">", ("too", "late"): ">", ("on", "time"): "<=", ("in", "time"): "<="}),
)  # fmt: skip
"""Kinds of markers with their phrases and what they say, as in `evidence`."""


class PhraseEvidence:
    """The tokens of one question, and the readings of such phrases in it."""

    def __init__(self, linker: Linker, joins: Joins, vocabulary: Vocabulary, tokens: list[Token], today: date):
        self._joins = joins
        self._linker, self._vocabulary, self.tokens, self._today = linker, vocabulary, tokens, today
        self._lows = [token.low for token in tokens]
        self._comparing = is_comparing(self._lows)

    def _is_table(self, at: int) -> bool:
        return at >= 0 and any(link.tables for link in self._linker.links(self.tokens, at))

    def _read_phrases(self, at: int) -> Iterator[Item]:
        """The readings of phrases that are no names."""
        if self._comparing:
            yield from self._compare(at)
        yield from self._tell_age(at)
        yield from self._tell_delay(at)
        yield from self._order(at)
        yield from self._read_value(at)
        yield from self._read_rate(at)
        yield from self._read_role(at)

    def _compare(self, at: int) -> Iterator[Item]:
        """The words that compare two."""
        for size in (2, 1):
            phrase = tuple(self._lows[at : at + size])
            if len(phrase) == size and phrase in RIVALS:
                yield Item(at, size, "rival", value=RIVALS[phrase], text=" ".join(phrase))
                break
        if self._lows[at] == "than":
            yield Item(at, 1, "than", text="than")

    def _order(self, at: int) -> Iterator[Item]:
        """`biggest first`, `most expensive material first`: the order of what is listed."""
        for size in (2, 1):
            phrase = tuple(self._lows[at : at + size])
            way = SUPERLATIVE_WAYS.get(phrase) if len(phrase) == size else None
            for gap in (0, 1):
                end = at + size + gap
                if way is not None and end == len(self._lows) - 1 and self._lows[end] == "first" and at:
                    yield Item(at, size + gap + 1, "down", value=way, text=" ".join(self._lows[at : end + 1]))

    def _tell_delay(self, at: int) -> Iterator[Item]:
        """`days late`: the time from the day on which a row was due."""
        lead = 2 if self._lows[at : at + 2] == ["how", "many"] else 0
        unit, late = (*self._lows[at + lead : at + lead + 2], "", "")[:2]
        reader = Reader(self.tokens, self._linker, self._joins, self._today)
        for table in self._linker.tables if unit in computed.TIME_UNITS and late in ("late", "overdue") else ():
            due, end = find_due(reader, table, "")
            if due is not None and end is not None:
                span = compute(due, end, computed.TIME_UNITS[unit])
                yield Item(at, lead + 2, "column", span, "computed", text=f"{unit} {late}")

    def _tell_age(self, at: int) -> Iterator[Item]:
        """`age`, `how old`: the years since a day of birth; and the number of `under 18s`."""
        low = self._lows[at]
        size = 2 if self._lows[at : at + 2] == ["how", "old"] else 1 if low in ("age", "ages") else 0
        for col in list_births(self._linker) if size else ():
            text = " ".join(self._lows[at : at + size])
            yield Item(at, size, "column", compute_age(col, self._today), "computed", text=text)
        if at and self._lows[at - 1] in ("under", "over") and low[:-1].isdigit() and low.endswith("s"):
            yield Item(at, 1, "number", None, "aged", int(low[:-1]), low)

    def _list_wages(self) -> list[Col]:
        """The columns that hold what people earn."""
        people = [key for key in self._linker.tables if holds_people(self._linker, key)]
        columns = [Col(key, column.name) for key in people for column in self._linker.tables[key].columns]
        numbers = [col for col in columns if dates.is_number(self._linker.catalog_column(col))]
        words = {col: frozenset(self._linker.column_words(col.table, col.name)) for col in numbers}
        earned = [col for col in numbers if words[col] & WAGES]
        return [col for col in earned if "rate" not in words[col]] or earned

    def _read_role(self, at: int) -> Iterator[Item]:
        """`boss`, `manages`, `reports to`: the row of the same table that a row points to."""
        for role, mark, size in find_roles(self._linker, self.tokens, at):
            yield Item(at, size, "role", role.key, "exact", mark, " ".join(self._lows[at : at + size]))

    def _read_signed(self, at: int) -> Iterator[Item]:
        """`AB-`: a value with a sign at its end."""
        sign = self.tokens[at + 1].text if at + 1 < len(self.tokens) else ""
        text = self.tokens[at].text + sign
        for col in self._linker.values if sign in ("+", "-") else ():
            if text in self._linker.values[col]:
                yield Item(at, 2, "value", col, "value", text, text)

    def _read_value(self, at: int) -> Iterator[Item]:
        """`C` of `zone C`: a short value after the name of its column."""
        text = self.tokens[at].text
        if not at or len(text) > 2 or self._lows[at - 1] in lexicon.FUNCTION:
            return
        for link in self._linker.links(self.tokens, at - 1):
            for hit in link.columns if link.size == 1 and text.isalnum() else ():
                value = self._linker.value(hit.col, text) if isinstance(hit.target, Col) else None
                if value is not None and hit.tier < 2:
                    yield Item(at, 1, "value", hit.col, "value", value, text)

    def _read_rate(self, at: int) -> Iterator[Item]:
        """`per hour` of `charges more per hour`: the columns of what is paid for an hour."""
        unit = self._lows[at + 1] if at + 1 < len(self._lows) else ""
        if self._lows[at] not in ("per", "an", "a") or unit not in HOURLY:
            return
        for key, table in self._linker.tables.items():
            for column in table.columns if CHARGING.intersection(self._lows) else ():
                words = set(self._linker.column_words(key, column.name))
                if words & HOURLY[unit] and words & (WAGES | PAYMENTS) and dates.is_number(column):
                    yield Item(at, 2, "column", Col(key, column.name), "unit", text=unit)

    def _read_rates(self, at: int) -> Iterator[Item]:
        """The rates that are named up to five tokens after `at`: `earns more than 15 an hour`."""
        for place in range(at + 1, min(at + 6, len(self.tokens))):
            yield from self._read_rate(place)

    def _deny(self, at: int) -> Iterator[Item]:
        """`unpaid`, `inactive`: the flag, or the day, that the rest of the word names, denied."""
        low = self._lows[at]
        for prefix in ("un", "in", "non"):
            rest = low[len(prefix) :]
            if low.startswith(prefix) and len(rest) >= 4:
                token = replace(self.tokens[at], text=rest, low=rest, stem=stem(rest))
                for link in self._linker.links([token], 0):
                    for hit in link.columns:
                        column = self._linker.catalog_column(hit.col)
                        if self._linker.is_flag(hit.col) or (dates.is_date(column) and column.nullable):
                            yield Item(at, 1, "opposite", hit.col, "part", text=low)

    def _is_named(self, at: int) -> bool:
        """Whether a state or a thing of the data is named from the token on, or denied: `unpaid`."""
        if at >= len(self.tokens):
            return False
        links = self._linker.links(self.tokens, at)
        return any(link.values or link.columns or link.tables for link in links) or any(self._deny(at))


def find_roles(linker: Linker, tokens: list[Token], at: int) -> Iterator[tuple[Role, str, int]]:
    """The roles that the words at `at` speak of, unless they name another table or column."""
    lows = [token.low for token in tokens]
    for role in linker.roles:
        mark = role.find_mark(lows, at)
        links = linker.links(tokens, at) if mark is not None else []
        hits = [hit for link in links if link.size == 1 for hit in (*link.tables, *link.columns) if hit.tier < 2]
        if mark is not None and all(hit.target == role.col for hit in hits):
            yield role, *mark


def is_comparing(lows: Sequence[str]) -> bool:
    """Whether the words may ask which of two has more, or whether one has more than the other."""
    if not COMPARED.isdisjoint(lows):
        return True
    if len(lows) < 4:
        return False
    asks = lows[0] in ASKING or lows[0] in ("who", "which", "what") or lows[:2] in (["how", "many"], ["how", "much"])
    rival = any((low,) in RIVALS for low in lows) or any(pair in lexicon.MORE_COMPARATIVES for pair in pairwise(lows))
    return asks and rival and ("or" in lows or "than" in lows)
