"""Ages in years, by the day of birth: `older than 40`, `aged 30 to 45`, `under 18s`. A part of `assembly`."""

from __future__ import annotations

from datetime import date, timedelta

from sqlchat.language import lexicon
from sqlchat.providers.offline.durations import list_births
from sqlchat.providers.offline.filters import Filters
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.links import Col, Computed
from sqlchat.providers.offline.query import Period

OLDER = lexicon.words("older younger")
MOST_YEARS = 130
"""Years that somebody may be old."""


class Ages(Filters):
    def read_ages(self) -> None:
        """Claims comparisons with an age where a column tells the day of birth."""
        births = list_births(self.ground.linker)
        things = [item.target for _, item in self.each("table")]
        for item in self.items:  # `average age of the ships` is not that of their crew
            aged = isinstance(item.target, Computed) and item.target.kind == "age"
            self.need(not aged or not things or item.table in things)
        for at, number in self.each("number") if births else []:
            if at not in self.free or not self._is_age(at, number):
                continue
            years, op = [number.value], "="
            self.take(at)
            marker = self.take_left(at, lambda item: item.kind == "cmp", 1)
            if marker is not None:
                op = marker.value if isinstance(marker.value, str) else marker.value[0][1]
                op = lexicon.COMPARISONS.get(op, op)
            trail = self.take_right(at, lambda item: item.kind == "trail", 3, over=("unit", "aged"))
            if trail is not None:
                self.need(marker is None)
                op = "<=" if trail.text.endswith("younger") else lexicon.COMPARISONS.get(trail.value, ">=")
            second = self.right(at, lambda item: item.kind == "number", 1)
            if second is not None:
                self.need(self.word(self.items[second].start - 1) in ("and", "to", "-") and op in ("=", "between"))
                years.append(self.take(second).value)
                op = "between"
            last = at if second is None else second
            for kind in ("unit", "aged"):
                self.take_right(last, lambda item, kind=kind: item.kind == kind, 1, over=("unit",))  # type: ignore[misc]
            self.take_left(at, lambda item: item.kind == "aged", 2, over=("cmp",))
            self._place_age(at, op, years, births)

    def _is_age(self, at: int, number: Item) -> bool:
        """Whether the number tells an age: `aged 40`, `40 years old`, `older than 40`, `40 or older`."""
        before, after = self.lows[max(number.start - 4, 0) : number.start], self.lows[number.end : number.end + 4]
        units = {"years", "year"}
        thing = self.word(number.end + 1 if self.word(number.end) in units else number.end)
        compared = not OLDER.isdisjoint(before[-2:]) and before[-1:] == ["than"]
        trailing = not OLDER.isdisjoint(after[:3]) and "or" in after[:2]
        fitting = isinstance(number.value, int) and number.value <= MOST_YEARS
        old = "aged" in before or number.evidence == "aged" or (after[:1] and after[0] in units and thing == "old")
        range_of_ages = after[:1] in (["and"], ["to"]) and (after[3:4] == ["old"] or after[2:3] == ["old"])
        return fitting and bool(compared or trailing or old or range_of_ages)

    def _place_age(self, at: int, op: str, years: list[int], births: list[Col]) -> None:
        named = [item.target for item in self.items[:at] if item.kind == "table"][-1:]
        near = [col for col in births if col.table in named] if named else births
        self.need(len(near) == 1)
        col = near[0]
        first, last = {
            ">": (None, self._go_back(years[0])),
            ">=": (None, self._go_back(years[0], 1)),
            "<": (self._go_back(years[0], 1), None),
            "<=": (self._go_back(years[0] + 1, 1), None),
            "=": (self._go_back(years[0] + 1, 1), self._go_back(years[0], 1)),
            "between": (self._go_back(years[-1] + 1, 1), self._go_back(years[0], 1)),
        }.get(op, (None, None))
        self.need(first or last)
        self.place(at, col, Period(col, first, last))
        self.reader.assume(f"Ages are counted from {col.table[1]}.{col.name} to {self.ground.today}.")

    def _go_back(self, years: int, days: int = 0) -> str:
        """The day so many years ago, and so many days after it."""
        today: date = self.ground.today
        day = min(today.day, 28) if today.month == 2 else today.day
        return (date(today.year - years, today.month, day) + timedelta(days=days)).isoformat()
