"""A place in the question's tokens: what comes next, and which names it may be. The base of `meanings`."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlchat.language import lexicon
from sqlchat.language.tokens import Token
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import LOOSE, Col, Hit, Key, Link
from sqlchat.providers.offline.query import Condition, Query, Related
from sqlchat.sql.catalog import Column

LONGEST_PHRASE = 7
SAID = frozenset({"word", "sign", "number"})
LATE = (("late",), ("early",), ("within",), ("overdue",))
DETERMINERS = lexicon.words("which what each every the of many this that all")
FIRST_OR_LAST = lexicon.words("first last earliest latest")
OPENING = lexicon.words("since until till before after from")
MARKERS = lexicon.words(
    "first last latest earliest next top bottom no not never without over under open more less most"
)
"""Words of orders, limits and conditions with which names begin as well."""
BEFORE_PERIOD = lexicon.IN | lexicon.words("after before since until between later earlier than the prior")


@dataclass
class Focus:
    """What the words just read speak of: a table, and where conditions on it go."""

    table: Key | None
    conditions: list[Condition]
    related: Related | None = None


@dataclass
class Cursor:
    tokens: list[Token]
    linker: Linker
    joins: Joins
    today: date
    query: Query = field(default_factory=Query)
    at: int = 0
    focus: Focus = field(default_factory=lambda: Focus(None, []))
    both: bool = False
    """True where the question asks for both of two things."""
    _links: dict[int, list[Link]] = field(default_factory=dict)
    _named: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.focus = Focus(None, self.query.conditions)
        self.both = any(token.low == "both" for token in self.tokens)
        following = [*self.tokens[1:], None]
        self.tokens = [
            token
            for token, after in zip(self.tokens, following, strict=True)
            if token.low != "both" or after is None or after.value is None  # `in both 2014 and 2015`
        ]
        self._find_names()

    def _find_names(self) -> None:
        """Note the words of orders and limits that begin a name here: `first` in `first aiders`."""
        self._named = {
            at
            for at, token in enumerate(self.tokens)
            if token.low in MARKERS and any(_is_whole(link) for link in self.linker.links(self.tokens, at))
        }

    @property
    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def token(self, ahead: int = 0) -> Token | None:
        index = self.at + ahead
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def low(self, ahead: int = 0) -> str:
        index = self.at + ahead
        token = self.tokens[index] if 0 <= index < len(self.tokens) and index not in self._named else None
        return token.low if token is not None and token.kind in SAID else ""

    def _lows(self, size: int) -> tuple[str, ...]:
        """The next words, as many as there are."""
        return tuple(self.low(ahead) for ahead in range(min(size, len(self.tokens) - self.at)))

    def sees(self, *words: str) -> bool:
        return all(self.low(i) == word for i, word in enumerate(words))

    def take(self, *words: str) -> bool:
        """Step over the words if they come next."""
        if words and self.sees(*words):
            self.at += len(words)
            return True
        return False

    def take_any(self, phrases: Iterable[tuple[str, ...]]) -> bool:
        lows = self._lows(LONGEST_PHRASE)
        fitting = [phrase for phrase in phrases if lows[: len(phrase)] == phrase]
        self.at += max(map(len, fitting), default=0)
        return bool(fitting)

    def skip(self, words: Container[str]) -> None:
        while not self.done and self.low() in words:
            self.at += 1

    def skip_leads(self) -> None:
        """Step over `show me all the`, up to a table that is named like such a word: `which show`."""
        while not self.done and self.low() in lexicon.LEADS:
            named = self.low(-1) in DETERMINERS and self.low() in lexicon.COMMANDS
            link = self.link() if named or self.low() == "list" else None
            if link is not None and (
                (named and (link.tables or link.columns)) or any(hit.tier == 0 for hit in link.columns)
            ):
                return
            self.at += 1

    def cut(self, start: int) -> None:
        """Take the words from `start` up to here, which are understood, out of the question."""
        del self.tokens[start : self.at]
        self._links.clear()
        self._find_names()

    def phrase(self, table: Mapping[tuple[str, ...], str]) -> tuple[str, int] | None:
        """The entry of the longest phrase of `table` that comes next and its size, unless a longer name does."""
        lows = self._lows(LONGEST_PHRASE)
        for size in range(len(lows), 0, -1):
            words = lows[:size]
            if words in table:
                named = self.link()
                if (
                    named
                    and named.size > size
                    and any(hit.tier < LOOSE for hit in (*named.columns, *named.tables, *named.measures))
                ):
                    return None
                return table[words], size
        return None

    def trailing(self) -> tuple[str, int] | None:
        """`or later` after a value, unless it begins another comparison: `after 2013 or before 2008`."""
        found = self.phrase(lexicon.TRAILING)
        after = self.token(found[1]) if found is not None else None
        another = after is not None and (after.value is not None or dates.read(self.tokens, self.at + 2, self.today))
        return None if another else found

    def phrase_at(self, ahead: int) -> bool:
        """Whether the word some words ahead begins an aggregate."""
        return (self.low(ahead),) in lexicon.AGGREGATES or (
            self.low(ahead),
            self.low(ahead + 1),
        ) in lexicon.AGGREGATES

    def links(self, at: int | None = None) -> list[Link]:
        index = self.at if at is None else at
        if index < 0:
            return []
        if index not in self._links:
            found = self.linker.links(self.tokens, index) if index < len(self.tokens) else []
            self._links[index] = [
                link
                for link in found
                if not (self._is_parted(link, found) or self._is_done_by_us(link) or self._is_opening(link))
            ]
        return self._links[index]

    def _is_opening(self, link: Link) -> bool:
        """Whether a part of a column's name opens a period: `rented since June`, no `member_since`."""
        end = link.start + link.size - 1
        low, inner = self.tokens[end].low, all(hit.tier > 0 for hit in link.columns)
        named = bool(link.columns) and (inner or link.size > 1 or low in ("since", "until"))
        return low in OPENING and named and self.is_dated(end)

    def _is_done_by_us(self, link: Link) -> bool:
        """Whether a word for a value is what someone does, such as `do we deliver to`: no state like `delivered`."""
        if link.size > 1 or not link.values or link.tables or link.measures or link.start < 2:
            return False
        auxiliary, pronoun = (token.low for token in self.tokens[link.start - 2 : link.start])
        after = self.tokens[link.start + 1].low if link.start + 1 < len(self.tokens) else ""
        done = auxiliary == "do" or (auxiliary == "did" and after in ("to", "from"))
        word = self.tokens[link.start].low
        return done and pronoun in ("we", "you", "they") and all((h.value or "").lower() != word for h in link.values)

    def _is_parted(self, link: Link, found: Sequence[Link]) -> bool:
        """Whether a column's full name is a thing and what was done to it: `staff hired` in `staff hired in 2017`."""
        if not link.columns or link.tables or link.size == 1:
            return False
        dated = self.is_dated(link.start + link.size)
        end = link.start + link.size
        lows = tuple(token.low for token in self.tokens[end : end + 2])
        compared = lows in lexicon.OPERATORS or lows[:1] in lexicon.OPERATORS  # `repairs cost more than 10`
        compared = compared or lows[:1] in LATE or lows == ("on", "time")
        for thing in found:
            rest = link.size - thing.size
            verb = self.tokens[link.start + thing.size] if rest > 0 else None
            tables = {hit.target for hit in thing.tables}
            own = [hit.col for hit in link.columns if hit.col.table in tables]
            several = compared and self.tokens[link.start + thing.size - 1].low.endswith("s")
            tied = end < len(self.tokens) and self.tokens[end].low in lexicon.IN
            valued = self._values_at(end + 1) if tied else set()
            done = {col for col in own if dated or several or col in valued or self.linker.is_flag(col)}
            if verb is None or not done or not (several or is_participle(verb.low) or verb.low in ("is", "are")):
                continue
            after = self.linker.links(self.tokens, link.start + thing.size)
            if any(each.size == rest and any(hit.target in done for hit in each.columns) for each in after):
                return True
        return False

    def _values_at(self, at: int) -> set[Col]:
        """The columns of which a value stands there."""
        return {hit.col for link in self.linker.links(self.tokens, at) for hit in link.values}

    def is_dated(self, at: int) -> bool:
        """Whether a period comes at that token, with or without a word such as `in` or `before`."""
        for _ in range(3):
            if dates.read(self.tokens, at, self.today) or dates.read_opening(self.tokens, at):
                return True
            if at >= len(self.tokens) or self.tokens[at].low not in BEFORE_PERIOD:
                return False
            at += 1
        return False

    def find_deeds(self, link: Link) -> list[Hit]:
        """The dates that the words name as a verb with a period after it: `loaned` in `loaned in 2024`."""
        end = link.start + link.size
        ordinal = end < len(self.tokens) and self.tokens[end].low in FIRST_OR_LAST
        verb = is_participle(self.tokens[link.start].low) and (ordinal or self.is_dated(end))
        return [hit for hit in link.columns if verb and dates.is_date(self.column(hit.col))]

    def link(self, at: int | None = None) -> Link | None:
        """The longest reading of what comes next."""
        found = self.links(at)
        return found[0] if found else None

    def column(self, col: Col) -> Column:
        return self.linker.catalog_column(col)


def _is_whole(link: Link) -> bool:
    """Whether several words are the whole name of something, or a whole value."""
    names = (*link.tables, *link.columns, *link.measures, *link.values)
    return link.size > 1 and any(hit.tier == 0 for hit in names)


def is_participle(word: str) -> bool:
    """Whether the word says what was done to a thing: `hired`, `bought`."""
    return (word.endswith("ed") and len(word) > 3) or word in lexicon.PARTICIPLES
