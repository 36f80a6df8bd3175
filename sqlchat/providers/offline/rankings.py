"""Superlatives, orders and groups: what is ranked by, and for each of what. A part of `assembly`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlchat.language import lexicon
from sqlchat.providers.offline import grain
from sqlchat.providers.offline.durations import compute
from sqlchat.providers.offline.figures import Figures
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.links import Col
from sqlchat.providers.offline.measures import Measure, find_quantity
from sqlchat.providers.offline.query import Agg
from sqlchat.providers.offline.reader import is_participle

COUNTED = frozenset({"most", "fewest", "least", "top", "busiest", "most often", "most common", "most popular"})
"""Superlatives that count what they stand before, or add it up."""
RANKING = frozenset({"top", "best", "bottom", "worst"})
OFTEN = frozenset({"most", "most often", "most common"})
ORDERING = lexicon.words("ordered sorted order sort from in by with ,")
"""Words before `highest to lowest` and the like."""
NUMBERED = lexicon.words("which what the our name list show give")
"""Words before the number of things that are asked for."""
ROWS = "rows"
"""Stands for the number of rows, until it is known of which table."""


class Rankings(Figures):
    def read_rank(self) -> None:
        for at, item in self.each("number"):
            beside = [
                self.left(at, lambda other: other.kind == "sup", 0),
                self.right(at, lambda o: o.kind == "sup", 0),
            ]
            if (beside != [None, None] or self._limits(at, item)) and isinstance(item.value, int):
                self.limit = item.value
                self.take(at)
        self._read_ending()
        for at, marker in self.take_each("sup"):
            self.need(self.rank is None)
            if isinstance(marker.value, str):
                self._rank(at, marker)
            else:
                self._rank_by_adjective(at, marker)
        self.need(self.limit is None or self.rank is not None)

    def _limits(self, at: int, item: Item) -> bool:
        """`which 5 authors wrote the most`."""
        thing = self.right(at, lambda other: other.kind in ("table", "column"), 0)
        return thing is not None and self.word(item.start - 1) in NUMBERED and bool(self.each("sup"))

    def _read_ending(self) -> None:
        """`most expensive material first` at the end: the order of what is listed."""
        sups = self.each("sup")
        if len(sups) < 2 or sups[-1][1].text != "first" or sups[-1][1].end != len(self.lows):
            return
        place, marker = sups[-2]
        self.need(sups[-1][1].start - marker.end <= 1)
        self.take(place)
        self.take(sups[-1][0])
        for at, item in self.each("column", "table"):
            if item.start == marker.end:
                self.take(at)
        self.largest_first = marker.value == "desc" if isinstance(marker.value, str) else marker.value[0][1] == "desc"

    def _find_by(self, at: int) -> int | None:
        return next((place for place, item in self.each("group") if item.text == "by" and place > at), None)

    def _take_figure(self, end: int) -> Any:
        """The figure whose marker begins at that token or one later."""
        place = next((place for place in self.figures if 0 <= self.items[place].start - end <= 1), None)
        return None if place is None else self.figures.pop(place)

    def _rank(self, at: int, marker: Item) -> None:
        down = marker.value == "desc"
        by: Any = self._take_figure(marker.end)
        far = self._find_by(at)
        if by is None and far is not None and marker.text in RANKING:
            by = self._take_figure(self.take(far).end)
            if by is None:
                operand = self.take_right(far, lambda item: self.is_number(item) or self.is_table(item), 1)
                self.need(operand is not None)
                by = operand.target if operand is not None else None
                by = Agg("count", by) if isinstance(by, tuple) else by
        if by is None and marker.text != "busiest":
            operand = self.take_right(at, self.is_number, 1, over=("table", "value", "flag"))
            if operand is not None:
                by = operand.target
                if marker.text in COUNTED:
                    plural = operand.text.endswith("s") and grain.RATES.isdisjoint(self.ground.words(by))
                    self.need(isinstance(by, Measure) or plural or grain.is_added_up(self.ground.linker, by))
                    by = Agg("sum", by)
        self.rank = (self._count_things(at, marker) if by is None else by, down, self.limit)

    def _count_things(self, at: int, marker: Item) -> Any:
        """`most visits` counts rows, `most honey` adds up the one amount of its table."""
        thing = self.take_right(at, lambda item: item.kind in ("table", "hint"), 1, over=("value", "flag"))
        amount = self._find_quantity(at, marker) if thing is None else None
        if amount is not None:
            self.note("implied_amount")
            return Agg("sum", amount)
        if thing is None:  # `most often`
            done = self.word(marker.start - 1) in ("do", "does", "did") and marker.end == len(self.lows)
            busy = marker.text == "busiest" and self.right(at, lambda item: item.kind == "unit", 0) is not None
            self.need(busy or (marker.text in OFTEN and (marker.text != "most" or done)))
            return ROWS
        self.need(marker.text in COUNTED)
        if not self.varies(0) and thing.kind == "table":
            self.note("most_mass", not self.word(thing.end - 1).endswith("s"))
            return Agg("count", thing.target)
        self.need(not thing.text.endswith("s"))
        self.note("implied_amount")
        return Agg("sum", self.find_amount(thing.target))

    def _find_quantity(self, at: int, marker: Item) -> Col | None:
        """Of `sold the most apples`, a value: how much of it there was, by the one column that tells that."""
        place = self.right(at, lambda item: item.kind == "value", 0)
        if place is None or marker.text not in COUNTED:
            return None
        table = self.items[place].table
        name = find_quantity(self.ground.linker.tables[table])
        amounts = grain.list_amounts(self.ground.linker, table)
        if name is not None:
            return Col(table, name)
        return amounts[0] if len(amounts) == 1 and not self.items[place].text.endswith("s") else None

    def _rank_by_adjective(self, at: int, marker: Item) -> None:
        options = marker.value
        ways = {way for _, way in options}
        far = self._find_by(at)
        operand = None if far is None else self.take_right(far, self.is_number, 1)
        if operand is not None and far is not None:
            self.take(far)
        else:
            operand = self.take_right(at, self.is_number, 1, over=("table",))
        if operand is not None:
            self.need(len(ways) == 1)
            self.rank = (operand.target, ways == {"desc"}, self.limit)
            self.note("adjective_column")
        elif options[0][0] == "*time*" and (self.each("when") or (self.each("group") and self.limit is None)):
            self.need(self.last is None)
            self.take_each("when")
            self.last = options[0][1]
        else:
            self.rank = (options, True, self.limit)

    def read_order(self) -> None:
        """`sorted by price`, `biggest first`: the order of what is listed."""
        ways, fits = self.take_each("down"), (lambda item: item.kind in ("column", "measure"))
        ends = [way.end == len(self.lows) or self.word(way.start - 1) in ORDERING for _, way in ways]
        self.need(len(ways) <= 1 and all(ends))
        down = bool(ways) and ways[0][1].value == "desc"
        ordered = self.take_each("ordered")
        self.need(len(ordered) <= 1)
        if not ordered and not ways:
            return
        at = ordered[0][0] if ordered else ways[0][0]
        place = self.right(at, fits, 1)
        if place is None and not ordered:
            place = self.left(at, fits, 1)
        if not ordered and (place is None or self.each("group")):
            self.largest_first = down
            return
        self.need(place is not None)
        self.order = (self.items[place or 0].target, down)
        if ordered:
            self.take(place or 0)

    def read_groups(self) -> None:
        for at, marker in self.take_each("group"):
            unit = self.right(at, lambda item: item.kind == "unit", 1)
            done = marker.value == "by" and is_participle(self.word(marker.start - 1))
            head = all(low in lexicon.LEADS for low in self.lows[: marker.start])
            if marker.text in ("every", "each") and head and self.right(at, self.is_table, 1) is not None:
                continue  # `list every order`
            self.need(not done or unit is not None)  # `placed by ...` groups nothing
            if unit is not None:
                self.groups.append(self.take(unit).value)
                self._read_more_groups(unit)
            elif not (self._read_group(at, marker) or self._read_ratio(at, marker)):
                following = self.items[at + 1] if at + 1 < len(self.items) else None
                self.need(marker.value == "by" and following is not None and following.start - marker.end <= 1)
                self.note("idle_by")

    def _is_group(self, item: Item) -> bool:
        plain = item.kind in ("table", "column", "flag")
        return plain and not self.ground.is_number(item.target) and not self.is_date(item)

    def _read_group(self, at: int, marker: Item) -> bool:
        place = self.right(at, self._is_group, 1, over=("value", "flag"))
        if place is None:
            value = self.right(at, lambda item: item.kind == "value", 1)
            if value is None or marker.value == "by":
                return False
            self.groups.append(self.items[value].table)  # `each BMW`
            return True
        target = self.take(place).target
        self.by_whom = self.by_whom or (marker.value == "by" and isinstance(target, tuple))
        named = self.right(place, lambda item: item.kind == "column" and not self.is_number(item), 0)
        if named is not None and self.items[named].table == target:
            target = self.take(named).target
        self.groups.append(target)
        self._read_more_groups(place)
        return True

    def _read_more_groups(self, last: int) -> None:
        """`and roaster` of `per month and roaster`."""
        place = self.right(last, lambda item: item.kind in ("column", "unit") and not self.is_number(item), 1)
        if place is not None and self.word(self.items[last].end) == "and":
            item = self.take(place)
            self.groups.append(item.value if item.kind == "unit" else item.target)

    def _read_ratio(self, at: int, marker: Item) -> bool:
        """`fee per lesson`: one number of each row divided by another; `total fee per lesson`: their totals."""
        divisor, number = self.right(at, self.is_number, 1), self.left(at, self.is_number, 1)
        right = self.items[divisor].target if divisor is not None else None
        if divisor is None or marker.value != "per" or not isinstance(right, Col):
            return False
        if number is None:
            totals = [place for place, figure in self.figures.items() if isinstance(figure.of, Col | Measure)]
            self.need(len(totals) == 1 and totals[0] < at and self.figures[totals[0]].function in ("sum", "avg"))
            number, left = totals[0], self.figures[totals[0]].of
        else:
            left = self.items[number].target
        self.take(divisor)
        near = self.ground.is_up(left.table, right.table)
        self.need(isinstance(left, Measure) or grain.is_divisible(self.ground.linker, left))
        self.need(near and left != right and grain.is_quantity(self.ground.linker, right))
        rows = isinstance(left, Col) and left.table == right.table and number not in self.figures
        if rows and not (self.groups or self.each("group") or grain.is_added_up(self.ground.linker, left)):
            self.items[number] = replace(self.items[number], target=compute(left, right, "over"))
            return True
        self.need(number in self.figures or grain.is_added_up(self.ground.linker, left) or isinstance(left, Measure))
        self.take(number)
        self.figures[number] = Agg("sum", left, over=right)
        self.reader.assume(f"The total of {left.name} is divided by that of {right.table[1]}.{right.name}.")
        return True
