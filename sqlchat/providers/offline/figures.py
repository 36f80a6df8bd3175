"""Counts, totals, averages and shares: what each is taken of. A part of `assembly`."""

from __future__ import annotations

from dataclasses import replace

from sqlchat.language import lexicon
from sqlchat.language.tokens import stem
from sqlchat.providers.offline import grain
from sqlchat.providers.offline.claims import FAR, Placed
from sqlchat.providers.offline.durations import list_births
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.query import Agg, Compare, Condition, Flag, Null
from sqlchat.providers.offline.timespans import Timespans

FURTHEST = 9
"""Tokens from `how often` to what happened."""


class Figures(Timespans):
    def read_figures(self) -> None:
        self.read_elapsed()
        for at, _ in self.take_each("rate"):
            self._read_rate(at)
        self._read_events()
        shares = [one for one in self.take_each("share") if self.part is None or not self._is_unit(one[1])]
        self.need(len(shares) + self.share <= 1)
        for at, _ in shares:
            self.share = True
            self._count(at, "share")
        for at, marker in self.take_each("count"):
            self._count(at, marker.value)
        for at, marker in self.take_each("agg", "much"):
            if marker.value == "total":  # `in total` beside a figure
                continue
            beside = [place for place in self.figures if place in (at + 1, at - 1) or marker.size == 2]
            counts = [place for place in self.figures if isinstance(self.figures[place].of, tuple)]
            sums = [place for place in beside if isinstance(self.figures[place].of, Col)]
            sums = sums or [place for place in self.figures if isinstance(self.figures[place].of, Computed)]
            if marker.value == "avg" and len(sums) == 1:  # `average number of hints`: of a column that holds it
                self.figures[sums[0]] = Agg("avg", self.figures[sums[0]].of)
                continue
            if marker.value == "avg" and len(counts) == 1 and counts[0] in beside:
                self.average = True
            else:
                self._aggregate(at, "sum" if marker.value == "much" else marker.value)

    def _is_unit(self, marker: Item) -> bool:
        """Whether it is the `percent` of `50 percent`."""
        return any(item.kind == "number" and item.end == marker.start for item in self.items)

    def _read_rate(self, at: int) -> None:
        """`no-show rate`, `complaint rate`: the share of the rows of which that is so, among those that tell it."""
        kinds = ("value", "flag", "event", "opposite")
        place = self.left(at, lambda item: item.kind in kinds, 0)
        if place is None and self.word(self.items[at].end) == "of":
            place = self.right(at, lambda item: item.kind in kinds, 1)
        self.need(place is not None and not self.share)
        item = self.take(place or 0)
        col: Col = item.target
        parts: dict[str, Condition] = {
            "value": Compare(col, "=", (item.value,)), "flag": Flag(col), "event": Null(col, negated=True),
            "opposite": Flag(col, negated=True),
        }  # fmt: skip
        self.need(item.kind != "opposite" or self.ground.linker.is_flag(col))
        self.part, self.share = parts[item.kind], True
        if item.kind == "value":
            self.query.matched.append((item.text, col, item.value))
        if item.kind != "event" and self.ground.linker.catalog_column(col).nullable:
            self.placed.append(Placed(at, col.table, Null(col, negated=True)))
        self.figures[place or 0] = Agg("count", col.table)

    def _read_events(self) -> None:
        """`complaints`: rows with something in that column."""
        events = self.each("event")
        self.need(len({item.target for _, item in events}) <= 1)
        for at, item in events:
            self.items[at] = replace(item, kind="table", target=item.table)
        for at, item in events[:1]:
            self.placed.append(Placed(at, item.table, Null(item.target, negated=True)))
            self.day = item.target if self.is_date(item) else None

    def _aggregate(self, at: int, function: str) -> None:
        over = ("unit", "value", "flag", "table", "count")
        target = self.right(at, self.is_number, FAR, over=over)
        if function in ("min", "max") and target is None:
            target = self.right(at, self.is_date, FAR, over=over)
        if target is None:
            target = self.left(at, self.is_number, FAR, over=("value", "table"))
        if target is not None:
            of = self.take(target).target
            self.need(function != "avg" or isinstance(of, Col))  # of the rows, or of what they belong to
            self.figures[at] = Agg(function, of)
            return
        place = self.right(at, lambda item: item.kind in ("table", "hint"), FAR, over=(*over[:3], "column"))
        if self.read_taking(at, function) or self.read_span(at, function):
            return
        if place is None and self.read_lasting(at, function):
            return
        self.need(place is not None)
        thing = self.items[place or 0]
        if thing.kind == "hint":
            self.take(place or 0)
        if thing.kind == "table" and function == "avg" and thing.text.endswith("s"):  # `average calls per day`
            self.take(place or 0)
            self.average = True
            self.figures[at] = Agg("count", thing.target)
            return
        self.figures[at] = Agg(function, self.find_amount(thing.target))
        self.note("implied_amount")

    def find_amount(self, table: Key) -> Col | Measure:
        """The one number of a table that is added up where only the table is named."""
        amounts = grain.list_amounts(self.ground.linker, table)
        measures = [m for m in self.ground.linker.measures if m.table == table and m.name in lexicon.REVENUE]
        self.need(len(amounts) == 1 or (len(measures) == 1 and not amounts))
        return amounts[0] if amounts else measures[0]

    def _count(self, at: int, kind: str) -> None:
        kinds = ("table",) if kind == "times" else ("table", "column", "measure", "hint")
        over: tuple[str, ...] = ("value", "flag", "state", "distinct", "sup", "neg")
        if kind == "times":
            over = (*over, "table", "column", "measure", "period")
        gap = FURTHEST if kind == "times" else FAR
        place = self.right(at, lambda item: item.kind in kinds, gap, over=over)
        if self.right(at, lambda item: item.evidence == "aged", over=("cmp",)) is not None:  # `how many under 18s`
            births = list_births(self.ground.linker)
            self.need(len(births) == 1)
            self.figures[at] = Agg("count", births[0].table)
            return
        if place is None and kind == "count" and (table := self._find_valued(at)) is not None:
            self.figures[at] = Agg("count", table)
            self.note("implied_count")
            return
        if place is None:
            rows = self.ground.vocabulary.nouns["row"]
            self.need(kind == "times" and len(rows) == 1)
            self.figures[at] = Agg("count", rows[0].table)
            self.note("implied_count")
            return
        if isinstance(self.items[place].target, Computed):  # `how many days from order to delivery`
            return
        item = self.take(place)
        following = self.items[place + 1] if place + 1 < len(self.items) else None
        self.need(following is None or following.start > item.end or following.kind not in ("table", "column"))
        distinct = place > 0 and self.items[place - 1].kind == "distinct"
        if distinct:
            self.need(self.take(place - 1).end == item.start)
        self.figures[at] = self._write_count(item, distinct=distinct)

    def _find_valued(self, at: int) -> Key | None:
        """Of `how many seniors are volunteers`: the table of those of whom the value is said."""
        place = self.right(at, lambda item: item.kind == "value", 0)
        if place is None or not self.items[place].text.endswith("s"):
            return None
        of = self.items[place].table
        below = {item.table for item in self.items if item.target is not None and self.ground.is_up(item.table, of)}
        below -= {of}
        return below.pop() if len(below) == 1 else None

    def _write_count(self, item: Item, *, distinct: bool) -> Agg:
        linker = self.ground.linker
        if isinstance(item.target, tuple):
            self.need(not distinct or (item.kind == "table" and item.evidence == "exact"))
            return Agg("count", item.target)
        if self.ground.is_number(item.target):
            noun = self.tokens[item.end - 1].stem
            added = isinstance(item.target, Measure) or grain.is_added_up(linker, item.target)
            self.need(added and not distinct)
            self.need(all(stem(linker.table_words(key)[-1]) != noun for key in linker.tables))
            self.note("sum_for_count")
            return Agg("sum", item.target)
        named = item.evidence == "exact" or (distinct and item.evidence == "part")
        self.need(item.kind == "column" and named and not self.is_date(item))
        self.need(grain.EVENTS.isdisjoint(self.ground.words(item.target)))
        self.note("count_column")
        return Agg("count", item.target, distinct=True)
