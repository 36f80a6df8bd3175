"""How long things took, how late they were, and how long ago: times between two days. A part of `assembly`."""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.providers.offline import periods
from sqlchat.providers.offline.claims import FAR, Claims, UnfitError
from sqlchat.providers.offline.durations import choose_unit, compute, compute_elapsed, find_due, find_duration
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.markers import LASTING
from sqlchat.providers.offline.query import Agg, Versus

LASTING_WORDS = lexicon.words("minutes hours min mins duration nights length")
"""Words of columns that hold how long something took."""
TO = frozenset({"to", "and", "until"})


class Timespans(Claims):
    def read_elapsed(self) -> None:
        """`days since the last visit`: from the latest day to today."""
        for at, marker in self.take_each("elapsed"):
            self.take_right(at, lambda item: item.kind == "sup" and item.value == lexicon.ADJECTIVES["last"], 1)
            thing = self.right(at, lambda item: self.is_table(item) or self.is_date(item), over=("sup",))
            self.need(thing is not None)
            item = self.items[thing or 0]
            col = item.target if self.is_date(item) else periods.find_time(self.reader, item.target)
            if col is None or not self.ground.is_date(col):
                raise UnfitError
            self.take(thing or 0)
            self.figures[at] = Agg("min", compute_elapsed(col, marker.value, self.ground.today))
            day = f"{col.table[1]}.{col.name}"
            self.reader.assume(f"The {marker.value} are counted from {day} to {self.ground.today}.")

    def read_late(self) -> list[tuple[int, Key, Versus]]:
        """The conditions of `that came late` and `on time`: what happened after the day on which it was due."""
        late = []
        for at, marker in self.take_each("late"):
            spans = []
            for table in self.list_tables():
                due, end = find_due(self.reader, table, "")
                spans += [(table, Versus(end, marker.value, due))] if due is not None and end is not None else []
            self.need(len(spans) == 1)
            table, condition = spans[0]
            self.reader.assume(f"The due day is {table[1]}.{condition.other.name}.")
            late.append((at, table, condition))
        return late

    def read_lasting(self, at: int, function: str) -> bool:
        """`how long ... on average`: of the table whose rows begin and end."""
        lasting = self.each("lasting")
        if len(lasting) != 1:
            return False
        self.take(lasting[0][0])
        self.figures[at] = Agg(function, self.find_span(lasting[0][1].value, converted=True))
        return True

    def read_taking(self, at: int, function: str) -> bool:
        """`how long does it take on average to close a ticket`: from the first day of the row to that one."""
        lasting = self.each("lasting")
        days = [(place, item) for place, item in self.each("column") if self.is_date(item)]
        if len(lasting) != 1 or len(days) != 1 or self.word(days[0][1].start - 1) != "to":
            return False
        end: Col = days[0][1].target
        columns = [Col(end.table, column.name) for column in self.ground.linker.tables[end.table].columns]
        start = next((col for col in columns if self.ground.is_date(col)), end)
        self.need(start != end)
        unit = self.take(lasting[0][0]).value
        self.take(days[0][0])
        for place, item in self.each("unit"):
            if self.word(item.start - 1) == "in":
                unit = LASTING.get(self.take(place).text, unit)
        span = compute(start, end, unit or choose_unit(self.reader, start, end))
        self.reader.assume(f"How long it took is {span.words}.")
        self.figures[at] = Agg(function, span)
        return True

    def read_span(self, at: int, function: str) -> bool:
        """`average days from A to B`, `hours that pass on average between A and B`."""
        over = ("unit", "lasting", "cmp", "table", "agg")
        first = self.right(at, self.is_date, FAR, over=over)
        second = None if first is None else self.right(first, self.is_date)
        if first is None or second is None or self.word(self.items[second].start - 1) not in TO:
            return False
        start, end = self.take(first).target, self.take(second).target
        self.need(start.table == end.table and start != end)
        for place in [place for place, item in self.each("cmp") if item.text == "between" and place < first]:
            self.take(place)
        units = self.take_each("unit", "lasting")
        self.need(len(units) <= 1)
        words = [LASTING[word] for _, item in units for word in item.text.split() if word in LASTING]
        kind = words[0] if words else "days"
        self.figures[at] = Agg(function, compute(start, end, kind))
        return True

    def find_span(self, unit: str, *, converted: bool = False) -> Col:
        """How long rows lasted: the one column that holds it, else the time between two days.

        `converted`: the column may be kept in another unit, as figures are converted to the one asked for.
        """
        linker = self.ground.linker
        for at, item in self.each("unit"):
            if self.word(item.start - 1) == "in":
                unit = LASTING.get(item.text, unit)
                self.take(at)
        tables = self.list_tables()
        columns = [Col(table, column.name) for table in tables for column in linker.tables[table].columns]
        numbers = [col for col in columns if self.ground.is_number(col)]
        lasting = [col for col in numbers if not LASTING_WORDS.isdisjoint(self.ground.words(col))]
        if lasting:
            self.need(len(lasting) == 1)
            kept_in = {LASTING[word] for word in self.ground.words(lasting[0]) if word in LASTING}
            self.need(converted or not unit or not kept_in or unit in kept_in)  # no minutes for hours
            for at in [at for at in self.free if self.items[at].target == lasting[0]]:
                self.take(at)
            return lasting[0]
        spans = self._list_spans(tables, unit)
        if not spans and all(not self.ground.linker.tables[table].foreign_keys for table in tables):
            below = [key for key in linker.tables if any(self.ground.is_up(key, table) for table in tables)]
            spans = self._list_spans(below or list(linker.tables), unit)
            self.note("implied_count")
        if len(spans) != 1:
            raise UnfitError
        for at in [at for at in self.free if self.items[at].target in (spans[0].left, spans[0].right)]:
            self.take(at)
        self.reader.assume(f"How long it took is {spans[0].words}.")
        return spans[0]

    def _list_spans(self, tables: list[Key], unit: str) -> list[Computed]:
        return [span for table in tables if (span := find_duration(self.reader, table, unit)) is not None]
