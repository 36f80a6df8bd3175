"""The items chosen for one question, and which of them are still free. The base of `assembly`.

A marker such as `more than` takes its operand among the free items beside it, across items of given kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlchat.language.tokens import Token
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.nouns import Vocabulary
from sqlchat.providers.offline.query import Condition, Query, Term
from sqlchat.providers.offline.reader import Reader

NEAR, FAR = 2, 5
"""Tokens between a marker and its operand."""
Fits = Callable[[Item], bool]


class UnfitError(Exception):
    """The items cannot be put together in this way."""


@dataclass
class Ground:
    """What is known of the database and the day."""

    linker: Linker
    joins: Joins
    vocabulary: Vocabulary
    today: date

    def is_number(self, target: Any) -> bool:
        """Whether it is a measure, or a column of numbers that are neither keys nor yes and no."""
        if not isinstance(target, Col):
            return isinstance(target, Measure)
        number = dates.is_number(self.linker.catalog_column(target))
        return number and not self.linker.is_key(target) and not self.linker.is_flag(target)

    def is_date(self, target: Any) -> bool:
        return isinstance(target, Col) and dates.is_date(self.linker.catalog_column(target))

    def is_up(self, start: Key, target: Key) -> bool:
        """Whether each row of `start` leads to one row of `target` at most."""
        return self.joins.distance(start, target)[0] <= 1

    def words(self, col: Col) -> tuple[str, ...]:
        return self.linker.column_words(col.table, col.name)


@dataclass(frozen=True, slots=True)
class Placed:
    """A condition, the item that says it, and the table that it is about."""

    at: int
    table: Key
    condition: Condition
    negated: bool = False


@dataclass
class Claims:
    ground: Ground
    tokens: list[Token]
    items: list[Item]
    variant: tuple[bool, bool]
    """Whether `most` adds up the amount of what it stands before; whether a period is that of the subject."""
    features: Counter[str] = field(default_factory=Counter)
    query: Query = field(default_factory=Query)
    varied: set[int] = field(default_factory=set)
    """The parts of the variant that made a difference."""
    figures: dict[int, Any] = field(default_factory=dict)
    """Counts and aggregates by their markers."""
    rank: tuple[Any, bool, int | None] | None = None
    """(what by, descending, limit)"""
    limit: int | None = None
    last: str | None = None
    """The direction of `last` or `first`, where the day itself is asked for."""
    average: bool = False
    """True where a count is to be averaged."""
    order: tuple[Term, bool] | None = None
    largest_first: bool | None = None
    """Whether groups come with the largest figure first, where that is said."""
    groups: list[Any] = field(default_factory=list)
    """Tables, columns and calendar units."""
    by_whom: bool = False
    """True where `by` stands before a table, whose rows may also be who did it."""
    bounds: list[tuple[int, str, tuple[Any, ...], Any]] = field(default_factory=list)
    """(place, operator, values, a column, table, figure or an adjective's columns)"""
    placed: list[Placed] = field(default_factory=list)
    nevers: list[tuple[int, Key]] = field(default_factory=list)
    periods: list[tuple[int, str, tuple[str | None, str | None], Col | None]] = field(default_factory=list)
    """(place, words, first day and the day after the last, the column that is named)"""
    anded: list[Col] = field(default_factory=list)
    """Columns of which two values are joined by `and`."""
    share: bool = False
    day: Col | None = None
    """That of the event that is spoken of: of the moves, where a column is called `move_date`."""
    part: Condition | None = None
    """Of a rate: what the rows of the part meet."""
    listed: Item | None = None
    """The table that is listed."""

    def __post_init__(self) -> None:
        self.free = dict.fromkeys(range(len(self.items)))
        self.reader = Reader(list(self.tokens), self.ground.linker, self.ground.joins, self.ground.today)
        self.lows = [token.low for token in self.tokens]

    def need(self, condition: object) -> None:
        if not condition:
            raise UnfitError

    def note(self, name: str, amount: int = 1) -> None:
        self.features[name] += amount

    def varies(self, part: int) -> bool:
        self.varied.add(part)
        return self.variant[part]

    def word(self, at: int) -> str:
        """The word at a token, or an empty text outside the question."""
        return self.lows[at] if 0 <= at < len(self.lows) else ""

    def each(self, *kinds: str) -> list[tuple[int, Item]]:
        """The free items of these kinds with their places."""
        return [(at, self.items[at]) for at in self.free if self.items[at].kind in kinds]

    def take(self, at: int) -> Item:
        self.free.pop(at, None)
        return self.items[at]

    def take_each(self, *kinds: str) -> list[tuple[int, Item]]:
        taken = self.each(*kinds)
        for at, _ in taken:
            self.take(at)
        return taken

    def right(self, at: int, fits: Fits, gap: int = NEAR, *, over: Sequence[str] = ()) -> int | None:
        """The place of the first free item after `at` that fits, each step no further than `gap` tokens."""
        end = self.items[at].end
        for place in range(at + 1, len(self.items)):
            item = self.items[place]
            if item.start - end > gap:
                return None
            if place in self.free and fits(item):
                return place
            if item.kind not in over:
                return None
            end = item.end
        return None

    def left(self, at: int, fits: Fits, gap: int = NEAR, *, over: Sequence[str] = ()) -> int | None:
        """The same, before `at`."""
        start = self.items[at].start
        for place in range(at - 1, -1, -1):
            item = self.items[place]
            if start - item.end > gap:
                return None
            if place in self.free and fits(item):
                return place
            if item.kind not in over:
                return None
            start = item.start
        return None

    def take_right(self, at: int, fits: Fits, gap: int = NEAR, *, over: Sequence[str] = ()) -> Item | None:
        place = self.right(at, fits, gap, over=over)
        return None if place is None else self.take(place)

    def take_left(self, at: int, fits: Fits, gap: int = NEAR, *, over: Sequence[str] = ()) -> Item | None:
        place = self.left(at, fits, gap, over=over)
        return None if place is None else self.take(place)

    def is_number(self, item: Item) -> bool:
        return item.kind in ("column", "measure") and self.ground.is_number(item.target)

    def is_date(self, item: Item) -> bool:
        return self.ground.is_date(item.target)

    @staticmethod
    def is_table(item: Item) -> bool:
        return item.kind == "table"

    def list_tables(self) -> list[Key]:
        """The tables that the items name or belong to, each once."""
        return list(dict.fromkeys(item.table for item in self.items if item.target is not None))

    def choose_display(self, table: Key) -> list[Col]:
        """The columns that stand for a row: its name, else its key."""
        keys = [Col(table, name) for name in self.ground.joins.row_key(table)]
        return self.ground.linker.display(table) or keys

    def show_groups(self, groups: Sequence[Any]) -> list[Term]:
        """The columns by which groups are told apart in the answer."""
        shown: list[Term] = []
        for group in groups:
            shown += self.choose_display(group) if isinstance(group, tuple) else [group]
        return shown
