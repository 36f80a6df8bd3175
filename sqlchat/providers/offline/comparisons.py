"""Comparisons of two: `do members or guests spend more`, `more orders in 2025 than in 2026`. A part of `assembly`.

The two are values of one column or two periods of one length. Each becomes a group with its figure.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlchat.language import lexicon
from sqlchat.providers.offline import dates, grain
from sqlchat.providers.offline.ages import OLDER
from sqlchat.providers.offline.claims import Placed, UnfitError
from sqlchat.providers.offline.dates import Span
from sqlchat.providers.offline.durations import compute_age, list_births
from sqlchat.providers.offline.evidence import MONEY
from sqlchat.providers.offline.filters import DOING
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.phrase_evidence import ASKING, WAGES
from sqlchat.providers.offline.placing import Placing
from sqlchat.providers.offline.query import Agg, AnyOf, Compare, Condition, Period

AMOUNTS = lexicon.words("more less fewer most least fewest")
"""Comparatives that count or add up; the others speak of one number of each row."""
EXISTING = lexicon.words("are is were was have has there")


class Comparisons(Placing):
    pair: tuple[Item, Item] | None = None
    rival: Item | None = None
    """The comparative: `more`, `longer`."""
    shown: Col | None = None
    """The number of single rows that are compared by it."""
    by_birth: bool = False
    """True where the older one is told by its earlier day of birth."""
    asks_whether: bool = False
    """True where the question is for yes or no, and not which of the two."""

    def read_comparison(self) -> None:
        """Claims the two that are compared, and the words that compare them."""
        rivals = self.each("rival")
        for at, pivot in self.each("or", "than", "vs", "cmp"):
            plain = pivot.kind == "cmp" and pivot.value in (">", "<", *lexicon.COMPARATIVES.values())
            if not (plain or rivals or pivot.kind == "vs") or self.pair is not None:
                continue
            pair = self._find_pair(at)
            if pair is None or (pivot.kind == "cmp" and self.word(0) not in ASKING):
                continue
            self.pair = pair
            self.rival = rivals[0][1] if rivals else pivot if plain else None
            self.need(len(rivals) <= 1)
            self.asks_whether = pivot.kind != "or" and self.word(0) in ASKING
            self._claim(pivot)
        self.need(self.pair is not None or not self.each("rival", "than"))

    def _find_pair(self, pivot: int) -> tuple[Item, Item] | None:
        fits = ("value", "period")
        before = [item for item in self.items[:pivot] if item.kind in fits][-1:]
        after = [item for item in self.items[pivot:] if item.kind in fits][:1]
        if not before or not after or before[0].kind != after[0].kind:
            return None
        one, other = before[0], after[0]
        if one.kind == "value":
            return (one, other) if one.target == other.target and one.value != other.value else None
        return one, other

    def _claim(self, pivot: Item) -> None:
        """Makes groups of the two, and takes them and the comparing words out of the items."""
        assert self.pair is not None
        one, other = self.pair
        marks = [item for item in self.items if item in (pivot, self.rival) or item.kind == "than"]
        self.need(all(item.start > one.end - 1 or item.kind == "rival" for item in marks if item.kind == "than"))
        self.items = [item for item in self.items if item not in (one, other, *marks)]
        if one.kind == "period":
            self._claim_periods(one, other)
        self.free = dict.fromkeys(range(len(self.items)))
        if one.kind == "value":
            col = one.target
            for item in (one, other):
                if self.word(item.start - 1) not in DOING:  # `do members pay more than guests`
                    self._check_value(item)
                self.query.matched.append((item.text, col, item.value))
            self.place(0, col, Compare(col, "=", (one.value, other.value)))
            named = self.choose_display(col.table) == [col]
            self.groups.append(col.table if named else col)
            for at, item in self.each("column"):
                if item.target == col:
                    self.take(at)
        self.note("beyond_grammar")

    def _claim_periods(self, one: Item, other: Item) -> None:
        spans = [one.value, other.value]
        self.need(not any(item.kind == "period" for item in self.items))
        units = {dates.unit_of(span.start, span.end) for span in spans}
        self.need(len(units) == 1 and None not in units and spans[0].start != spans[1].start)
        unit = units.pop()
        self.items = [
            item for item in self.items if (item.kind, item.value) != ("unit", unit)
        ]  # `which year had more`
        self.groups.append(unit)

    def read_compared(self) -> None:
        """The figure of each of the two, unless one is named: what stands beside `more`, or an adjective's column."""
        if self.pair is None:
            return
        rival = self.rival
        self.need(len(self.groups) == 1 and len(self.figures) <= 1)
        if rival is None or self.figures:
            self.need(rival is None or rival.text in (*AMOUNTS, *GENERAL))
            return
        if rival.text not in (*AMOUNTS, *GENERAL):
            return  # an adjective, whose column is known with the base
        numbers, tables = self.each("column", "measure"), self.each("table", "hint")
        numbers = [(at, item) for at, item in numbers if self.is_number(item)]
        near = [at for at, item in numbers if -3 <= item.start - rival.end <= 2]
        counted = [at for at, item in tables if 0 <= item.start - rival.end <= 1 and item.evidence != "hint"]
        if rival.text in AMOUNTS and counted and not near:
            self.figures[0] = Agg("count", self.take(counted[0]).table)
        elif numbers:
            self.need(len(numbers) == 1 or len(near) == 1)
            item = self.take(near[0] if near else numbers[0][0])
            self._compare_number(item)
        elif rival.text in AMOUNTS and tables:
            self._compare_things(tables)
        else:
            one = self.pair[0]
            self.need(rival.text in AMOUNTS and one.kind == "value" and self.word(0) in EXISTING | {"do", "did"})
            self.need((self.groups == [one.target] and self.word(0) not in ("do", "did")) or "have" in self.lows)
            self.figures[0] = Agg("count", one.target.table)
            self.note("implied_count")

    def read_asked_count(self) -> None:
        """`did Ann make more than 2 trips`: whether what one row has is more than a number."""
        if self.word(0) not in ASKING or self.figures or self.groups or self.rank or len(self.bounds) != 1:
            return
        at, op, values, table = self.bounds[0]
        names = [item for _, item in self.each("value") if self.choose_display(item.table) == [item.target]]
        if isinstance(table, tuple) and isinstance(table[0], str) and len(names) == 1 and names[0].table != table:
            self.need(self.ground.is_up(table, names[0].table) and not self.each("table"))
            self.figures[at] = Agg("count", table)
            self.bounds[0] = (at, op, values, self.figures[at])

    def _compare_things(self, tables: list[tuple[int, Item]]) -> None:
        """`did members visit more than guests`: rows are counted, unless they have an amount that may be meant."""
        own = self._find_own()
        below = [(at, item) for at, item in tables if item.table != own]
        self.need(len(below) == 1)
        at, item = below[0]
        self.take(at)
        if item.kind == "hint":
            self.figures[0] = Agg("sum", self.find_amount(item.table))
            self.note("implied_amount")
            return
        often = "often" in self.lows
        self.need(often or not grain.list_amounts(self.ground.linker, item.table))
        self.figures[0] = Agg("count", item.table)

    def _find_own(self) -> Key | None:
        """The table whose rows are compared, where names of rows are."""
        group = self.groups[0]
        return group if isinstance(group, tuple) else None

    def _compare_number(self, item: Item) -> None:
        assert self.rival is not None
        linker, target = self.ground.linker, item.target
        own = self._find_own()
        rated = isinstance(target, Col) and not WAGES.isdisjoint(self.ground.words(target))
        amount = isinstance(target, Measure) or grain.is_added_up(linker, target) or item.text.lower() in MONEY
        if isinstance(target, Col) and own == target.table:
            self.shown = target
        elif rated or self.rival.text not in AMOUNTS:
            self.need(rated or not amount)
            self.figures[0] = Agg("avg", target)
        else:
            self.need(amount or item.evidence == "noun")
            self.figures[0] = Agg("sum", target)

    def write_compared(self, base: Key) -> bool:
        """The outputs, unless they are those of two groups with a figure."""
        if self.pair is None:
            return False
        query = self.query
        self.need(len(self.groups) == 1)
        self._read_adjective(base)
        down = (self.rival is None or FALLING.isdisjoint(self.rival.text.split())) != self.by_birth
        plain = not self.each("column", "measure", "unit", "when", "who") and self.rank is None
        if self.asks_whether:
            self.need(plain and (self.shown or self.figures))
            figure = Agg("max", self.shown) if self.shown is not None else next(iter(self.figures.values()))
            query.outputs, query.sides = [figure], tuple(self._list_sides(base))
            query.sides_op = ">" if down else "<"
            return True
        if self.shown is None:
            self.need(self.figures)
            self.largest_first = down
            return False
        self.need(plain)
        query.outputs = [*self.choose_display(self.shown.table), self.shown]
        query.order = [(self.shown, down)]
        return True

    def _read_adjective(self, base: Key) -> None:
        """`longer`: the column that the adjective speaks of, where no other number is compared."""
        rival = self.rival
        if rival is None or isinstance(rival.value, str) or self.figures or self.shown is not None:
            return
        births = [col for col in list_births(self.ground.linker) if self.ground.is_up(base, col.table)]
        if rival.text in OLDER and len(births) == 1:
            rows = self._find_own() == births[0].table
            self.by_birth = rows
            col = births[0] if rows else compute_age(births[0], self.ground.today)
        elif (known := self.reader.adjective(rival.value, base)) is not None:
            col = known[0]
        else:
            raise UnfitError
        if self._find_own() == col.table:
            self.shown = col
        else:
            self.figures[0] = Agg("avg", col)

    def _list_sides(self, base: Key) -> Iterator[tuple[str, Condition]]:
        assert self.pair is not None
        for item in self.pair:
            if item.kind == "value":
                yield item.value, Compare(item.target, "=", (item.value,))
            else:
                span: Span = item.value
                yield item.text, Period(self.find_day(base), span.start.isoformat(), span.end.isoformat())

    def _place_periods(self, base: Key, below: list[Key]) -> list[Placed]:
        placed = super()._place_periods(base, below)
        if self.pair is None or self.pair[0].kind != "period":
            return placed
        for item in self.pair:
            span: Span = item.value
            text = f"{item.text[:1].upper()}{item.text[1:]}"
            self.reader.assume(f"{text} is read as the days from {span.start} up to and without {span.end}.")
        either = AnyOf(tuple(condition for _, condition in self._list_sides(base)))
        return [*placed, Placed(0, self.find_day(base).table, either)]


GENERAL = lexicon.words("higher lower larger bigger greater smaller highest lowest")
FALLING = lexicon.words("less fewer lower smaller least fewest lowest younger lighter shorter cheaper slower")
