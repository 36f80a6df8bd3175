"""Puts the chosen readings of a question's words together into one query form. `composer` tries several choices.

Each marker takes its operand among the items beside it; every number, value, period, negation, comparison and
superlative must find its place, or there is no query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import Token, stem
from sqlchat.providers.offline import dates, grain, periods, states
from sqlchat.providers.offline.asked import choose_columns
from sqlchat.providers.offline.build import table_of
from sqlchat.providers.offline.durations import CLOCKS, compute, find_duration
from sqlchat.providers.offline.evidence import LASTING, Item, list_unit_columns
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.nouns import Vocabulary
from sqlchat.providers.offline.query import (
    Agg,
    Average,
    AnyOf,
    Compare,
    Condition,
    DatePart,
    Flag,
    Null,
    Period,
    Query,
    Related,
    Term,
    Versus,
)
from sqlchat.providers.offline.reader import Reader, is_participle
from sqlchat.providers.offline.shares import apply_share

THINGS = ("table", "column", "flag", "measure", "value")
NEAR, FAR = 2, 5
"""Tokens between a marker and its operand."""
COUNTED = frozenset({"most", "fewest", "least", "top", "busiest", "most often", "most common", "most popular"})
NAMING = lexicon.words("which what many per by each every")
"""Words before a thing, which is no value."""
AGAIN = lexicon.words("and the their its what which")
LASTING_WORDS = lexicon.words("minutes hours min mins duration nights length")
ASKING = lexicon.words("is are was were do does did has have had")
PLACES = frozenset({"city", "town", "location", "address", "place", "country", "village"})


class UnfitError(Exception):
    """The items cannot be put together in this way."""


@dataclass
class Catalog:
    """What is known of the database and the day."""

    linker: Linker
    joins: Joins
    vocabulary: Vocabulary
    today: date

    def is_number(self, target: Any) -> bool:
        if isinstance(target, Measure):
            return True
        return (
            isinstance(target, Col)
            and dates.is_number(self.linker.catalog_column(target))
            and not self.linker.is_key(target)
            and not self.linker.is_flag(target)
        )

    def is_date(self, target: Any) -> bool:
        return isinstance(target, Col) and dates.is_date(self.linker.catalog_column(target))

    def is_up(self, start: Key, target: Key) -> bool:
        """Whether each row of `start` leads to one row of `target` at most."""
        return self.joins.distance(start, target)[0] <= 1


@dataclass
class Assembly:
    catalog: Catalog
    tokens: list[Token]
    items: Sequence[Item]
    variant: tuple[bool, bool]
    """Whether `most` of a thing that is counted adds up its amount; whether a period is that of the subject."""
    features: Counter[str] = field(default_factory=Counter)
    query: Query = field(default_factory=Query)
    asked: set[int] = field(default_factory=set)
    """The parts of the variant that made a difference."""

    def _varies(self, part: int) -> bool:
        self.asked.add(part)
        return self.variant[part]

    def __post_init__(self) -> None:
        self.free = dict.fromkeys(range(len(self.items)))
        self.reader = Reader(list(self.tokens), self.catalog.linker, self.catalog.joins, self.catalog.today)
        self.lows = [token.low for token in self.tokens]
        self.figures: dict[int, Term] = {}
        """By the place of the marker."""
        self.bounds: list[tuple[int, str, Any, Any]] = []
        """(place, operator, value, column, table or figure)"""
        self.conditions: list[tuple[int, Key, Condition, bool]] = []
        """(place, table, condition, negated)"""
        self.groups: list[tuple[int, Any]] = []
        self.rank: tuple[int, Any, bool, int | None] | None = None
        """(place, what by, descending, limit)"""
        self.nevers: list[tuple[int, Key]] = []
        self.share = False

    # -- finding operands

    def right(self, at: int, fits: Callable[[Item], bool], gap: int = NEAR, *, over: Sequence[str] = ()) -> int | None:
        """The first free item after item `at` that fits, no further than `gap` tokens, across items of kinds `over`."""
        end = self.items[at].end
        for j in range(at + 1, len(self.items)):
            item = self.items[j]
            if item.start - end > gap:
                return None
            if j in self.free and fits(item):
                return j
            if item.kind not in over:
                return None
            end = item.end
        return None

    def left(self, at: int, fits: Callable[[Item], bool], gap: int = NEAR, *, over: Sequence[str] = ()) -> int | None:
        start = self.items[at].start
        for j in range(at - 1, -1, -1):
            item = self.items[j]
            if start - item.end > gap:
                return None
            if j in self.free and fits(item):
                return j
            if item.kind not in over:
                return None
            start = item.start
        return None

    def take(self, at: int | None) -> Item | None:
        if at is None:
            return None
        self.free.pop(at, None)
        return self.items[at]

    def each(self, *kinds: str) -> list[tuple[int, Item]]:
        return [(at, self.items[at]) for at in list(self.free) if self.items[at].kind in kinds]

    def note(self, name: str, amount: float = 1) -> None:
        self.features[name] += amount

    def need(self, condition: object) -> None:
        if not condition:
            raise UnfitError

    # -- the whole

    def run(self) -> Query:
        self._read_figures()
        self._read_limits()
        self._read_rank()
        self._read_order()
        self._read_groups()
        self._read_bounds()
        self._read_negations()
        self._read_periods()
        self._read_values()
        return self._write()

    def _number(self, item: Item) -> bool:
        return item.kind in ("column", "measure") and self.catalog.is_number(item.target)

    def _read_figures(self) -> None:
        """Counts, totals, averages, shares: each marker with what it is taken of."""
        for at, marker in self.each("share"):
            self.take(at)
            self.need(not self.share)
            self.share = True
            self.note("share")
            self._count(at, "share")
        for at, marker in self.each("count"):
            self.take(at)
            self._count(at, marker.value)
        for at, marker in self.each("agg", "much"):
            self.take(at)
            if marker.value == "total":
                continue
            counts = [j for j, term in self.figures.items() if isinstance(term.of, tuple) and j != at]
            beside = [j for j in counts if self.items[j].start == marker.end or marker.size == 2]
            if marker.value == "avg" and len(counts) == len(beside) == 1:
                self.average = beside[0]
                continue
            function = "sum" if marker.value == "much" else marker.value
            over = ("unit", "value", "flag", "table", "count")
            target = self.right(at, self._number, FAR, over=over)
            if function in ("min", "max") and target is None:
                target = self.right(at, lambda item: self.catalog.is_date(item.target), FAR, over=over)
            if target is None:
                target = self.left(at, self._number, FAR, over=("value", "table"))
            if target is not None:
                item = self.take(target)
                assert item is not None
                self.figures[at] = Agg(function, item.target)
                self.note("figure_gap", abs(item.start - marker.end))
                continue
            thing = self.right(at, lambda item: item.kind in ("table", "hint"), FAR, over=("value", "flag", "unit", "column"))
            if self._read_span(at, function) or (thing is None and self._read_lasting(at, function)):
                continue
            self.need(thing is not None)
            assert thing is not None
            if self.items[thing].kind == "hint":
                self.take(thing)
            self.figures[at] = Agg(function, self._find_amount(self.items[thing].target, marker))
            self.note("implied_amount")

    def _read_lasting(self, at: int, function: str) -> bool:
        """`how long ... on average`: of the table whose rows begin and end."""
        lasting = self.each("lasting")
        if len(lasting) != 1:
            return False
        self.take(lasting[0][0])
        span = self._find_span(lasting[0][1].value)
        self.figures[at] = Agg(function, span)
        return True

    def _read_span(self, at: int, function: str) -> bool:
        """`average days from A to B`."""
        unit = self.right(at, lambda item: item.kind in ("unit", "lasting"), 2)
        first = self.right(at, lambda item: self.catalog.is_date(item.target), FAR, over=("unit", "lasting"))
        second = self.right(first, lambda item: self.catalog.is_date(item.target), 2) if first is not None else None
        if first is None or second is None or self.lows[self.items[second].start - 1] not in ("to", "and", "until"):
            return False
        one, other = self.take(first), self.take(second)
        assert one is not None and other is not None
        self.need(one.target.table == other.target.table and one.target != other.target)
        kind = LASTING.get(self.items[unit].text.split()[-1], "days") if unit is not None else "days"
        self.take(unit)
        self.figures[at] = Agg(function, compute(one.target, other.target, kind))
        self.note("span")
        return True

    def _find_span(self, unit: str) -> Col:
        tables = dict.fromkeys(self._table(item) for item in self.items if item.target is not None)
        for at, item in self.each("unit"):
            if self.lows[item.start - 1] == "in":
                unit = LASTING.get(item.text, "") if item.text in LASTING else unit
                self.take(at)
        columns = [
            Col(table, column.name) for table in tables for column in self.catalog.linker.tables[table].columns
            if self.catalog.is_number(Col(table, column.name))
            and not LASTING_WORDS.isdisjoint(self.catalog.linker.column_words(table, column.name))
        ]  # fmt: skip
        if columns:
            self.need(len(columns) == 1)
            for at in [at for at in self.free if self.items[at].target == columns[0]]:
                self.take(at)
            self.note("lasting")
            return columns[0]
        spans = [span for table in tables if (span := find_duration(self.reader, table, unit)) is not None]
        self.need(len(spans) == 1)
        self.reader.assume(f"How long it took is {spans[0].words}.")
        self.note("lasting")
        return spans[0]

    @staticmethod
    def _table(item: Item) -> Key:
        return item.target if isinstance(item.target, tuple) else item.target.table

    def _find_amount(self, table: Key, marker: Item) -> Col | Measure:
        measures = [m for m in self.catalog.linker.measures if m.table == table and m.name in lexicon.REVENUE]
        amounts = grain.list_amounts(self.catalog.linker, table)
        if len(amounts) == 1:
            return amounts[0]
        self.need(len(measures) == 1 and not amounts)
        return measures[0]

    def _count(self, at: int, kind: str) -> None:
        over = ("value", "flag", "state", "distinct", "sup", "neg") if kind != "times" else THINGS
        thing = self.right(at, lambda item: item.kind in ("table", "column", "measure", "hint"), FAR, over=over)
        if kind == "times":
            thing = self.right(at, lambda item: item.kind == "table", 9, over=(*THINGS, "neg", "period"))
        if thing is None:
            rows = self.catalog.vocabulary.nouns["row"]
            self.need(kind == "times" and len(rows) == 1)
            self.figures[at] = Agg("count", rows[0].table)
            self.note("implied_count")
            return
        item = self.take(thing)
        assert item is not None
        distinct = thing > 0 and self.items[thing - 1].kind == "distinct"
        if distinct:
            self.take(thing - 1)
        if isinstance(item.target, tuple):
            self.need(not distinct or item.kind == "table")
            self.figures[at] = Agg("count", item.target)
            return
        if self.catalog.is_number(item.target):
            added = isinstance(item.target, Measure) or grain.is_added_up(self.catalog.linker, item.target)
            self.need(added and not distinct)
            text = self.tokens[item.end - 1].stem
            self.need(all(stem(self.catalog.linker.table_words(key)[-1]) != text for key in self.catalog.linker.tables))
            self.figures[at] = Agg("sum", item.target)
            self.note("sum_for_count")
            return
        self.need(isinstance(item.target, Col) and not self.catalog.is_date(item.target))
        self.need(item.evidence == "exact")
        self.figures[at] = Agg("count", item.target, distinct=True)
        self.note("count_column")

    def _read_limits(self) -> None:
        """Numbers beside a superlative, and numbers that are the key of a row."""
        self.limit: int | None = None
        for at, item in self.each("number"):
            before = self.left(at, lambda other: other.kind == "sup", 0)
            after = self.right(at, lambda other: other.kind == "sup", 0)
            if (before is not None or after is not None) and isinstance(item.value, int):
                self.limit = item.value
                self.take(at)

    def _read_rank(self) -> None:
        for at, marker in self.each("sup"):
            self.take(at)
            self.need(self.rank is None)
            options = marker.value
            adjective = not isinstance(options, str)
            by: Any = None
            figure = next((j for j in self.figures if 0 <= self.items[j].start - marker.end <= 1 and j > at), None)
            if figure is not None:
                by = self.figures.pop(figure)
                self.rank = (at, by, options == "desc", self.limit)
                self.need(not adjective)
                continue
            far = next((j for j, item in self.each("group") if item.text == "by" and j > at), None)
            if not adjective and marker.text in ("top", "best", "bottom", "worst") and far is not None:
                figure = next((j for j in self.figures if 0 <= self.items[j].start - self.items[far].end <= 1), None)
                operand = self.right(far, lambda item: self._number(item) or item.kind == "table", 1)
                self.need(figure is not None or operand is not None)
                self.take(far)
                if figure is not None:
                    by = self.figures.pop(figure)
                else:
                    assert operand is not None
                    by = self.items[operand].target
                    self.take(operand)
                    by = Agg("count", by) if isinstance(by, tuple) else by
                self.rank = (at, by, options == "desc", self.limit)
                continue
            if adjective and far is not None and (operand := self.right(far, self._number, 1)) is not None:
                ways = {way for _, way in options}
                self.need(len(ways) == 1)
                self.take(far)
                item = self.take(operand)
                assert item is not None
                self.rank = (at, item.target, ways == {"desc"}, self.limit)
                self.note("adjective_by")
                continue
            operand = self.right(at, lambda item: self._number(item) or self.catalog.is_date(item.target), 1, over=("table",))
            if operand is not None and not (adjective and self.catalog.is_date(self.items[operand].target)):
                item = self.take(operand)
                assert item is not None
                if adjective:
                    ways = {way for _, way in options}
                    self.need(len(ways) == 1 and not self.catalog.is_date(item.target))
                    self.note("adjective_column")
                by, down = item.target, (options == "desc" if not adjective else ways == {"desc"})
                if marker.text in COUNTED:
                    self.need(isinstance(by, Measure) or grain.is_added_up(self.catalog.linker, by))
                    by = Agg("sum", by)
                self.rank = (at, by, down, self.limit)
                continue
            asked = self.each("when")
            if adjective and asked and options[0][0] == "*time*":
                self.take(asked[0][0])
                self.last = options[0][1]
                self.note("when_last")
                continue
            if adjective and options[0][0] == "*time*" and self.each("group") and self.limit is None:
                self.need(getattr(self, "last", None) is None)
                self.last = options[0][1]
                self.note("last_of_each")
                continue
            if adjective:
                self.rank = (at, options, True, self.limit)
                self.note("adjective")
                continue
            thing = self.right(at, lambda item: item.kind in ("table", "hint"), 1, over=("value", "flag"))
            if thing is not None and marker.text in COUNTED:
                item = self.take(thing)
                assert item is not None
                table = item.target
                if self._varies(0) or item.kind == "hint":
                    self.need(not item.text.endswith("s"))
                    by = Agg("sum", self._find_amount(table, marker))
                    self.note("implied_amount")
                else:
                    by = Agg("count", table)
                    self.note("most_mass", not self.tokens[item.end - 1].low.endswith("s"))
                self.rank = (at, by, options == "desc", self.limit)
                continue
            self.need(marker.text in ("most", "most often", "most common") and options == "desc")
            done = marker.end == len(self.lows) and self.lows[marker.start - 1] in ("do", "does", "did")
            self.need(marker.text != "most" or done)
            self.rank = (at, "rows", True, self.limit)
            self.note("most_often")
        self.need(self.limit is None or self.rank is not None)

    def _read_order(self) -> None:
        """`sorted by price`, `from highest to lowest`: the order of what is listed."""
        self.order: list[tuple[Any, bool]] = []
        ways = self.each("down")
        ordering = ("ordered", "sorted", "order", "sort", "from", "in", "by", "with", ",")
        self.need(all(way.end == len(self.lows) or self.lows[way.start - 1] in ordering for _, way in ways))
        self.need(len(ways) <= 1)
        for at, _ in self.each("ordered"):
            self.take(at)
            operand = self.right(at, lambda item: item.kind in ("column", "measure", "table"), 1)
            self.need(operand is not None and not self.order)
            item = self.take(operand)
            assert item is not None
            self.order.append((item.target, bool(ways) and ways[0][1].value == "desc"))
        if ways:
            self.take(ways[0][0])
            if not self.order:
                operand = self.right(ways[0][0], lambda item: item.kind in ("column", "measure"), 1)
                operand = operand or self.left(ways[0][0], lambda item: item.kind in ("column", "measure"), 1)
                if operand is None or self.each("group"):
                    self.largest_first = ways[0][1].value == "desc"
                    return
                self.order.append((self.items[operand].target, ways[0][1].value == "desc"))

    def _read_groups(self) -> None:
        for at, marker in self.each("group"):
            self.take(at)
            head = all(low in lexicon.LEADS for low in self.lows[: marker.start])
            if marker.text in ("every", "each") and head and self.right(at, lambda item: item.kind == "table", 1) is not None:
                continue
            done = marker.start and is_participle(self.lows[marker.start - 1])
            self.need(marker.value != "by" or not done or self.right(at, lambda item: item.kind == "unit", 1) is not None)
            unit = self.right(at, lambda item: item.kind == "unit", 1)
            if unit is not None:
                item = self.take(unit)
                assert item is not None
                self.groups.append((at, item.value))
                self._read_more_groups(at, unit)
                continue
            thing = self.right(
                at,
                lambda item: item.kind in ("table", "column", "flag")
                and not self.catalog.is_number(item.target)
                and not self.catalog.is_date(item.target),
                1,
                over=("value", "flag"),
            )
            of_value = self.right(at, lambda item: item.kind == "value", 1) if thing is None else None
            if of_value is not None and marker.value != "by":
                self.groups.append((at, self.items[of_value].target.table))
                self.note("group_of_value")
                continue
            divisor = self.right(at, self._number, 1)
            number = self.left(at, self._number, 1)
            if thing is None and divisor is not None and number is not None and marker.value == "per":
                left, right = self.items[number].target, self.items[divisor].target
                self.need(isinstance(left, Col) and isinstance(right, Col) and left.table == right.table)
                self.take(divisor)
                self.items = [*self.items]
                self.items[number] = replace(self.items[number], target=compute(left, right, "over"))
                self.note("ratio")
                continue
            if thing is None:
                self.need(marker.value == "by")
                self.note("idle_by")
                continue
            item = self.take(thing)
            assert item is not None
            target = item.target
            named = self.right(thing, lambda other: other.kind == "column" and not self._number(other), 0)
            if named is not None and isinstance(target, tuple) and self.items[named].target.table == target:
                self.take(named)
                target = self.items[named].target
            self.groups.append((at, target))
            self._read_more_groups(at, thing)

    def _read_more_groups(self, at: int, last: int) -> None:
        """`and roaster` of `per month and roaster`."""
        more = self.right(last, lambda item: item.kind in ("column", "unit") and not self._number(item), 1)
        if more is not None and self.lows[self.items[last].end] == "and":
            item = self.take(more)
            assert item is not None
            self.groups.append((at, item.value if item.kind == "unit" else item.target))
            self.note("two_groups")

    def _read_bounds(self) -> None:
        """Comparisons: the operator, its number, and the column or count that it is about."""
        for at, marker in self.each("cmp"):
            if self.right(at, lambda item: item.kind == "period", 1) is not None:
                continue
            number = self.right(at, lambda item: item.kind == "number", 1)
            self.take(at)
            op = marker.value
            options = None if isinstance(op, str) else op
            if options is not None:
                op = options[0][1]
            op = lexicon.COMPARISONS.get(op, op)
            if number is None:
                self._compare_columns(at, op)
                continue
            item = self.take(number)
            assert item is not None
            values: tuple[Any, ...] = (item.value,)
            last = number
            if op == "between":
                second = self.right(number, lambda other: other.kind == "number", 1)
                self.need(second is not None)
                values = (item.value, self.take(second).value)  # type: ignore[union-attr]
                last = second or number
            self.need(op in (">", ">=", "<", "<=", "=", "!=", "between"))
            self._bind(at, last, op, values, options)
        for at, item in self.each("number"):
            trail = self.right(at, lambda other: other.kind == "trail", 0)
            op = "="
            if trail is not None:
                op = lexicon.COMPARISONS.get(self.items[trail].value, "=")
                self.take(trail)
            self.take(at)
            self._bind(at, at if trail is None else trail, op, (item.value,), None, bare=trail is None)

    def _compare_columns(self, at: int, op: str) -> None:
        """`paid more than the full price`, `arrived after the promised date`: two columns of one row."""
        for fits in (self._number, lambda item: self.catalog.is_date(item.target)):
            other = self.right(at, fits, 2)
            own = self.left(at, fits, 3, over=("neg",))
            if other is not None and own is not None:
                left, right = self.items[own].target, self.items[other].target
                self.need(isinstance(left, Col) and isinstance(right, Col) and left != right)
                self.need(left.table == right.table)
                words = [CLOCKS & set(self.catalog.linker.column_words(c.table, c.name)) for c in (left, right)]
                self.need(bool(words[0]) == bool(words[1]))  # a day is no moment
                self.take(own)
                self.take(other)
                self.conditions.append((at, left.table, Versus(left, op, right), False))
                self.note("versus")
                return
        raise UnfitError

    def _bind(self, at: int, last: int, op: str, values: tuple[Any, ...], options: Any, *, bare: bool = False) -> None:
        after = self.right(last, lambda item: self._number(item) or item.kind == "table", 1)
        if after is not None and not (bare and self.items[after].kind == "table"):
            item = self.take(after)
            assert item is not None
            self.bounds.append((at, op, values, item.target))
            return
        end = self.items[last].end
        unit = "m" if self.items[last].text.endswith(" m") else self.lows[end] if end < len(self.lows) else ""
        columns = list_unit_columns(self.catalog.linker, unit) if unit else []
        columns = [c for c in columns if any(i.target == c for i in self.items)] or columns
        columns = [c for c in columns if c.table in {self._table(i) for i in self.items if i.target}] or columns
        for column in columns:
            self.need(len(columns) == 1)
            mentioned = [i for i in self.free if self.items[i].target == column]
            for i in mentioned:
                self.take(i)
            for i in [i for i in self.free if self.items[i].start == end and self.items[i].kind == "unit"]:
                self.take(i)
            self.bounds.append((at, op, values, column))
            self.note("implied_unit", not mentioned)
            return
        before = self.left(at, lambda item: self._number(item), 3, over=("neg",))
        lasting = end < len(self.lows) and self.lows[end] in LASTING
        unit = next((i for i in self.free if self.items[i].start == end and self.items[i].kind == "unit"), None)
        if before is not None:
            self.take(unit)
        if lasting and before is None and (options is not None or not bare):
            self.bounds.append((at, op, values, self._find_span(LASTING[self.lows[end]])))
            for i in [i for i in self.free if self.items[i].start == end]:
                self.take(i)
            return
        if before is None and bare:  # the key of a row, or a value that is a number
            named = self.left(at, lambda item: item.kind in ("table", "column"), 0)
            self.need(named is not None)
            item = self.take(named)
            assert item is not None
            key = self.catalog.joins.row_key(item.target) if isinstance(item.target, tuple) else (item.target.name,)
            self.need(len(key) == 1)
            col = Col(item.target, key[0]) if isinstance(item.target, tuple) else item.target
            self.conditions.append((at, col.table, Compare(col, "=", values), False))
            return
        if before is not None:
            item = self.take(before)
            assert item is not None
            self.bounds.append((at, op, values, item.target))
            return
        figure = max((j for j in self.figures if j < at), default=None)
        if figure is not None and not bare and self.groups:
            self.bounds.append((at, op, values, self.figures[figure]))
            return
        self.need(options is not None)
        self.bounds.append((at, op, values, options))

    def _read_negations(self) -> None:
        for at, marker in self.each("neg"):
            self.take(at)
            fits = lambda item: item.kind in ("value", "flag", "table", "measure") or self.catalog.is_date(item.target)
            target = self.right(at, fits, 3)
            if target is None and marker.value in ("without", "no", "lacking"):
                target = self.right(at, lambda item: item.kind == "column" and not self.catalog.is_number(item.target), 2)
            if target is None:
                target = self.right(at, fits, 3, over=("column", "who"))
            self.need(target is not None)
            item = self.items[target]  # type: ignore[index]
            self.take(target)
            self.note("negation")
            if item.kind in ("table", "measure"):
                self.nevers.append((at, self._table(item)))
            elif item.kind == "value":
                self.conditions.append((at, item.target.table, Compare(item.target, "=", (item.value,)), True))
                self.query.matched.append((item.text, item.target, item.value))
            elif item.kind == "flag":
                self.conditions.append((at, item.target.table, Flag(item.target, True), False))
            else:
                self.need(self.catalog.linker.catalog_column(item.target).nullable)
                self.conditions.append((at, item.target.table, Null(item.target), False))
                self.note("not_dated")

        for at, item in self.each("opposite"):
            self.take(at)
            flag = self.catalog.linker.is_flag(item.target)
            condition = Flag(item.target, True) if flag else Null(item.target)
            self.conditions.append((at, item.target.table, condition, False))
            self.note("opposite")

    def _read_periods(self) -> None:
        self.periods: list[tuple[int, str, Any, Col | None]] = []
        for at, item in self.each("period"):
            self.take(at)
            marker = self.left(at, lambda other: other.kind == "cmp", 1)
            op = "in"
            if marker is not None:
                op = str(self.items[marker].value)
                self.take(marker)
                self.need(op in ("after", "before", "since", "until", "between"))
            span = item.value
            days = (span.start.isoformat(), span.end.isoformat())
            if op == "between":
                second = self.right(at, lambda other: other.kind == "period", 1)
                self.need(second is not None)
                days = (days[0], self.take(second).value.end.isoformat())  # type: ignore[union-attr]
            named = self.left(at, lambda other: self.catalog.is_date(other.target), 3)
            col = self.items[named].target if named is not None else None
            self.take(named)
            start, end = {
                "after": (days[1], None), "before": (None, days[0]), "since": (days[0], None),
                "until": (None, days[1]),
            }.get(op, days)  # fmt: skip
            self.periods.append((at, item.text, (start, end), col))
            self.note("period")

    def _read_values(self) -> None:
        chosen: dict[Col, list[tuple[int, str]]] = {}
        for at, item in self.each("value"):
            self.take(at)
            self.need(not any(c.kind == "both" for c in self.items))
            lead = self.lows[item.start - 1] if item.start else ""
            self.need(lead not in NAMING or not self.tokens[item.start].text.islower())
            follows = self.lows[item.end] if item.end < len(self.lows) else ""
            self.need(follows not in ("number", "code", "address"))
            done = item.text.lower() != item.value.lower()
            self.need(not (done and lead in ("we", "you", "they", "do", "did")))
            words = [
                (other, self.catalog.linker.column_words(other.target.table, other.target.name))
                for other in self.items if other.kind == "column" and other.evidence != "computed"
                and isinstance(other.target, Col) and other.target != item.target
            ]  # fmt: skip
            self.need(not any(item.text.lower() in names and abs(other.start - item.end) <= 2 for other, names in words))
            chosen.setdefault(item.target, [])
            if item.value not in [value for _, value in chosen[item.target]]:
                chosen[item.target].append((at, item.value))
            self.query.matched.append((item.text, item.target, item.value))
        for col, values in chosen.items():
            for at, item in self.each("column"):
                if item.target == col and any(abs(at - place) <= 1 for place, _ in values):
                    self.take(at)
            self.conditions.append((values[0][0], col.table, Compare(col, "=", tuple(v for _, v in values)), False))
            self.note("several_values", len(values) > 1)
            self.need(len(values) == 1 or not self.figures or "and" not in self.lows or self.each("vs"))
            self.anded = getattr(self, "anded", []) + ([col] if len(values) > 1 and "and" in self.lows[
                self.items[values[0][0]].end : self.items[values[-1][0]].start] else [])
            if len(values) > 1:
                versus = self.each("vs")
                self.need(versus or len(values) == 2 or self.share is False)
                for at, _ in versus:
                    self.take(at)
                if versus:
                    self.groups.append((values[0][0], col))
        for at, item in self.each("flag"):
            self.take(at)
            words = self.catalog.linker.column_words(item.target.table, item.target.name)
            self.need(item.evidence != "part" or 2 * item.size >= len(words))
            weak = item.evidence not in ("exact", "part", "synonym", "slip")
            before_thing = any(other.kind == "table" and other.start == item.end for other in self.items)
            said = is_participle(self.lows[item.start]) or self.lows[item.start] == words[-1]
            self.need(not weak or said or (before_thing and item.evidence == "piece"))
            self.conditions.append((at, item.target.table, Flag(item.target, False), False))

    # -- what is asked, and of which rows

    def _write(self) -> Query:
        taken = {at for item in self.items for at in range(item.start, item.end)}
        for at, low in enumerate(self.lows):
            if low == "by" and at not in taken and at and not is_participle(self.lows[at - 1]):
                following = [i for i in self.items if i.start - at in (1, 2) and i.kind in ("table", "column", "unit")]
                self.need(not following)
        for at, low in enumerate(self.lows):
            if low in ("and", ",") and at:
                after = [i for i in self.items if i.start - at in (1, 2) and i.kind in ("table", "count")]
                self.need(not any(i.kind == "count" or self.lows[i.start - 1] in AGAIN for i in after))
        self.need(not self.each("vs", "trail", "cmp", "agg", "number", "sup", "count", "lasting"))
        query = self.query
        base = self._choose_base()
        tables = [item.target for _, item in self.each("table")]
        query.subject = base
        self._write_outputs(base)
        self.need(not self.each("unit", "when", "who", "distinct"))
        self.need(getattr(self, "largest_first", None) is None)
        self._write_conditions(base, tables)
        without = any(isinstance(c, Related) and c.negated for c in query.conditions)
        known_by = grain.list_names_and_keys(self.catalog.linker, base)
        self.need(not without or self.figures or any(term in known_by for term in query.outputs))
        anded = getattr(self, "anded", [])
        self.need(all(self.catalog.is_up(base, col.table) for col in anded))
        if self.share:
            apply_share(query)
            self.need(not query.share_of_groups)
        if self.lows[0] in ASKING and not self.figures and self.rank is None and not query.groups:
            self.need(not self.bounds)
            query.outputs, query.distinct, query.order, query.asks_any = [Agg("count", base)], False, [], True
            self.need(query.conditions)
            self.note("yes_no")
        return query

    def _choose_base(self) -> Key:
        """The table whose rows are counted, added up or listed."""
        if self.rank is not None and isinstance(self.rank[1], (Col, Measure)):
            at, by, down, limit = self.rank
            added = isinstance(by, Measure) or grain.is_added_up(self.catalog.linker, by)
            others = [item.target for _, item in self.each("table") if item.target != by.table]
            grouped = bool(others) or bool(self.groups)
            if added and grouped and (isinstance(by, Measure) or not self._varies(0)):
                self.rank = (at, Agg("sum", by), down, limit)
                self.note("rank_sum")
            else:
                for i, item in self.each("table"):
                    if item.target == by.table:
                        self.take(i)
                return by.table
        if self.rank is not None and self.rank[1] == "rows":
            at, _, down, limit = self.rank
            self.rank = (at, Agg("count", self._find_events()), down, limit)
        measured = [*self.figures.values(), *([self.rank[1]] if self.rank and isinstance(self.rank[1], Agg) else [])]
        if measured:
            self.need(len({table_of(term) for term in measured}) == 1)
            return table_of(measured[0])
        tables = self.each("table")
        own = [group for _, group in self.groups if isinstance(group, tuple)]
        if getattr(self, "last", None) is not None and own:
            named = dict.fromkeys(self._table(item) for item in self.items if item.target is not None)
            dated = [t for t in named if t not in own and self.catalog.is_up(t, own[0]) and self.reader.time_column(t)]
            self.need(len(dated) == 1)
            for at, item in tables:
                if item.target == dated[0]:
                    self.take(at)
            return dated[0]
        if tables:
            self.listed = tables[0][1]
            self.take(tables[0][0])
            self.note("listed_at", tables[0][1].start)
            return self.listed.target
        columns = [item.target for _, item in self.each("column", "measure")]
        self.need(columns or self.conditions or self.bounds)
        self.note("no_subject")
        if columns:
            return columns[0].table
        if self.conditions:
            return self.conditions[0][1]
        target = self.bounds[0][3]
        self.need(isinstance(target, (Col, Measure)))
        return target.table

    def _find_events(self) -> Key:
        """The rows that are counted where only `most often` is said: those below what is asked for."""
        named = dict.fromkeys(self._table(item) for item in self.items if item.target is not None)
        below = [t for t in named if all(self.catalog.is_up(t, other) for other in named)]
        if len(below) == 1 and (len(named) > 1 or len(self.catalog.linker.tables) == 1):
            return below[0]
        raise UnfitError

    def _unit_column(self, base: Key) -> Col:
        col = periods.find_time(self.reader, base)
        self.need(col is not None and dates.is_date(self.catalog.linker.catalog_column(col)))
        assert col is not None
        return col

    def _display(self, table: Key) -> list[Col]:
        linker = self.catalog.linker
        return linker.display(table) or [Col(table, name) for name in self.catalog.joins.row_key(table)]

    def _write_outputs(self, base: Key) -> None:
        query, linker = self.query, self.catalog.linker
        for _, unit in self.groups:
            if isinstance(unit, str):
                col = self._unit_column(base)
                query.groups.append(DatePart(col, unit))
                self.reader.assume(f"The {unit} is that of {col.table[1]}.{col.name}.")
            elif unit not in query.groups:
                query.groups.append(unit)
        if getattr(self, "average", None) is not None:
            others = [(at, item) for at, item in self.each("table") if self.lows[item.start - 1] in ("a", "an", "the")]
            if not query.groups and len(others) == 1:
                self.take(others[0][0])
                query.groups = [others[0][1].target]
            self.need(len(query.groups) == 1 and len(self.figures) == 1 and isinstance(query.groups[0], tuple))
            query.outputs = [Agg("avg", base, per=query.groups[0])]
            query.groups = []
            self.need(not self.each("column", "measure", "who", "when") and self.rank is None)
            self.note("average_count")
            return
        who = [at for at, _ in self.each("who")]
        when = [at for at, _ in self.each("when")]
        for at in (*who, *when):
            self.take(at)
        outputs: list[Term] = list(self.figures.values())
        columns = [(at, item) for at, item in self.each("column", "measure")]
        for (_, one), (_, other) in zip(columns, columns[1:], strict=False):
            between = self.lows[one.end : other.start]
            self.need("and" in between or "," in between or "with" in between)
        for at, item in columns:
            self.take(at)
            money = item.evidence == "noun" and self.catalog.is_number(item.target) and not hasattr(self, "listed")
            each = any(isinstance(group, tuple) and group == self._table(item) for group in query.groups)
            number = self.catalog.is_number(item.target) and query.groups and not each
            if isinstance(item.target, Measure) or money or number:
                added = isinstance(item.target, Measure) or grain.is_added_up(linker, item.target)
                self.need((added or item.evidence == "noun") and not self.figures)
                outputs.append(Agg("sum", item.target))
                self.note("sum_implied")
            else:
                lead = self.lows[item.start - 1] if item.start else ""
                lead = self.lows[item.start - 2] if lead in ("a", "an", "any") and item.start > 1 else lead
                if lead in ("with", "have", "has") and item.start > 1 and len(outputs) + len(self.conditions) >= 0 and hasattr(self, "listed"):
                    column = linker.catalog_column(item.target)
                    if self.catalog.is_number(item.target) and not column.nullable or self._holds_counts(item.target):
                        self.conditions.append((at, item.target.table, Compare(item.target, ">", (0,)), False))
                    else:
                        self.need(column.nullable and not self.catalog.is_number(item.target))
                        self.conditions.append((at, item.target.table, Null(item.target, negated=True), False))
                    self.note("with_column")
                    continue
                if self.catalog.is_date(item.target) and is_participle(self.lows[item.start]) and not when:
                    self.conditions.append((at, item.target.table, Null(item.target, negated=True), False))
                    self.note("dated")
                    continue
                asked_who = self.lows[0] in ("who", "whose")
                self.need(not asked_who or (not linker.is_key(item.target) and item.evidence in ("exact", "part")))
                outputs.append(item.target)
                self.note("column_output")
                self.note("column_at", item.start)
        last = getattr(self, "last", None)
        if last is not None:
            plain = [term for term in outputs if isinstance(term, Col)]
            self.need(len(plain) == len(outputs))
            below = [item.target for _, item in self.each("table") if self.catalog.is_up(item.target, base)]
            days = [t for t in plain if self.catalog.is_date(t)]
            col = days[0] if len(days) == 1 else self._unit_column(below[0] if len(below) == 1 else base)
            if col.table in below:
                query.subject = col.table
            shown = [c for g in query.groups for c in (self._display(g) if isinstance(g, tuple) else [g])]
            query.outputs = [*shown, Agg("max" if last == "desc" else "min", col)]
            return
        if query.groups and not outputs:
            outputs.append(Agg("count", base))
            self.note("count_implied")
        plain = [term for term in outputs if isinstance(term, Col)]
        figures = [term for term in outputs if isinstance(term, Agg)]
        if self.rank is not None:
            self._write_rank(base, outputs, bool(who))
            return
        if self.order:
            by, down = self.order[0]
            self.need(isinstance(by, Col) and not query.groups and not figures)
            query.order = [(by, down)]
            self.note("ordered")
        own = [group for group in query.groups if isinstance(group, tuple)]
        if plain and not figures and len(own) == 1 and len(query.groups) == 1 and all(t.table == own[0] for t in plain):
            query.groups, query.subject = [], own[0]
            query.outputs = [*dict.fromkeys([*self._display(own[0]), *plain])]
            self.note("listed_each")
            return
        self.need(not (figures and plain))
        if query.groups and not figures:
            self.need(all(term in query.groups for term in plain))
            figures = [Agg("count", base)]
            self.note("count_implied")
        if query.groups:
            shown: list[Term] = []
            for group in query.groups:
                shown += self._display(group) if isinstance(group, tuple) else [group]
            query.outputs = [*shown, *figures]
            if (down := getattr(self, "largest_first", None)) is not None:
                query.order = [(figures[0], down)]
                self.largest_first = None
            query.arranged = []
            return
        if when and not outputs:
            col = self._unit_column(base)
            outputs = [col]
        if not outputs:
            outputs = list(choose_columns(self.reader, base))
            self.note("list")
        if who:
            people = self._people(base)
            outputs = [*people, *(term for term in outputs if term not in people)] if not figures else outputs
        query.outputs = outputs
        category = all(isinstance(t, Col) and grain.is_category(linker, t) for t in outputs)
        query.distinct = category and not figures and not hasattr(self, "listed")

    def _holds_counts(self, col: Col) -> bool:
        return self.catalog.is_number(col) and self.catalog.linker.column_words(col.table, col.name)[-1].endswith("s")

    def _people(self, base: Key) -> list[Col]:
        near = [
            noun for noun in self.catalog.vocabulary.nouns["person"]
            if self.catalog.is_up(base, noun.table)
        ]  # fmt: skip
        self.need(len(near) == 1)
        self.note("who")
        return [Col(near[0].table, near[0].column)] if near[0].column else self._display(near[0].table)

    def _write_rank(self, base: Key, outputs: list[Term], who: bool) -> None:
        query, linker = self.query, self.catalog.linker
        assert self.rank is not None
        _, by, down, limit = self.rank
        figures = [term for term in outputs if isinstance(term, Agg)]
        plain = [term for term in outputs if isinstance(term, Col)]
        self.need(not figures)
        group: Any = None
        if isinstance(by, Agg):
            tables = [(at, item) for at, item in self.each("table") if item.target != base]
            tables = [(at, item) for at, item in tables if self.catalog.is_up(base, item.target)]
            if query.groups:
                self.need(len(query.groups) == 1)
                group = query.groups[0]
                above = [c for c in plain if grain.is_category(linker, c)] or [
                    item.target for at, item in tables if item.target != group
                ]
                if not above and who:
                    people = self._people(base)
                    above = [people[0].table if people[0].table != base else people[0]]
                if above:
                    self.need(len(above) == 1 and len(plain) <= 1)
                    for at, item in tables:
                        if item.target == above[0]:
                            self.take(at)
                    self.note("within")
                    query.within, query.groups = [group], [group, above[0]]
                    names = [c for g in query.groups for c in (self._display(g) if isinstance(g, tuple) else [g])]
                    query.outputs = [*names, by]
                    query.order, query.limit = [(by, down)], limit or 1
                    return
                self.need(not plain)
            elif plain and len(plain) == 1 and grain.is_category(linker, plain[0]):
                group = plain[0]
            elif tables:
                group = tables[0][1].target
                self.take(tables[0][0])
            elif who:
                people = self._people(base)
                group = people[0].table if people[0].table != base else people[0]
            else:
                units = self.each("unit")
                self.need(len(units) == 1)
                self.take(units[0][0])
                group = DatePart(self._unit_column(base), units[0][1].value)
            query.groups = [group]
            shown = self._display(group) if isinstance(group, tuple) else [group]
            query.outputs = [*shown, by]
        elif isinstance(by, Col) and query.groups and not plain and limit is None and not who:
            self.need(not isinstance(by, Computed))
            shown = [c for g in query.groups for c in (self._display(g) if isinstance(g, tuple) else [g])]
            query.outputs = [*shown, Agg("max" if down else "min", by)]
            self.note("extreme_of_each")
            return
        else:
            self.need(not query.groups)
            if isinstance(by, tuple):
                self.reader.query.assumptions.clear()
                known = self.reader.adjective(by, base)
                self.need(known is not None)
                assert known is not None
                by, way = known
                down = way == "desc"
            self.need(isinstance(by, Col) and self.catalog.is_up(base, by.table))
            others = [item for _, item in self.each("table") if item.target != base]
            self.need(not others)  # rows of several may belong to each: `which city has the highest fine`
            self.need(not any(grain.is_category(linker, col) for col in plain) or who)
            shown = [*plain] or self._display(base)
            if who:
                shown = [*self._people(base), *shown]
            query.outputs = [*dict.fromkeys([*shown, by])]
        query.order = [(by, down)]
        query.limit = limit or 1
        self.note("rank")

    def _write_conditions(self, base: Key, mentioned: list[Key]) -> None:
        query, catalog = self.query, self.catalog
        mentioned = [table for table in dict.fromkeys(mentioned) if table != base]
        below = [table for table in mentioned if not catalog.is_up(base, table)]
        placed: list[tuple[int, Key, Condition]] = []
        for at, op, values, target in self.bounds:
            if isinstance(target, tuple) and target and isinstance(target[0], tuple):
                known = self.reader.adjective(target, base)
                self.need(known is not None)
                assert known is not None
                placed.append((at, known[0].table, Compare(known[0], op, values)))
            elif isinstance(target, tuple):
                self.need(op != "between" and isinstance(values[0], int))
                shown = query.outputs[0] if len(query.outputs) == 1 else None
                if isinstance(shown, Col) and target == base and grain.is_category(catalog.linker, shown):
                    query.groups, query.distinct = [shown], False
                    query.outputs = [shown, Agg("count", base)]
                if query.groups or catalog.is_up(base, target):
                    self.need(target == base and query.groups)
                    query.having.append((Agg("count", target), op, values[0]))
                else:
                    query.conditions.append(Related(base, target, [], False, op, values[0]))
                self.note("count_bound")
            elif isinstance(target, Agg):
                query.having.append((target, op, values[0]))
            else:
                self.need(isinstance(target, Col))
                placed.append((at, target.table, Compare(target, op, values)))
            self.note("bound")
        for at, text, (start, end), named in self.periods:
            col = named or self._find_time(at, base, below)
            days = [c for c in catalog.linker.tables[col.table].columns if dates.is_date(c)]
            self.need(named or len(days) == 1 or not start or start <= catalog.today.isoformat())
            if catalog.is_date(col):
                placed.append((at, col.table, Period(col, start, end)))
            else:
                self.need(start and end and start.endswith("-01-01") and end.endswith("-01-01"))
                placed.append((at, col.table, Compare(col, "=", (int(start[:4]),))))
            self.reader.assume(f"{text[:1].upper()}{text[1:]} is read as a period of {col.table[1]}.{col.name}.")
        for at, table, condition, negated in self.conditions:
            if negated and catalog.is_up(base, table) and isinstance(condition, Compare):
                placed.append((at, table, Compare(condition.col, "!=", condition.values)))
            elif negated:
                query.conditions.append(Related(base, table, [condition], True))
            else:
                placed.append((at, table, condition))
        for at, _ in self.each("or"):
            self.take(at)
            before = [place for place in placed if place[0] < at]
            after = [place for place in placed if place[0] > at]
            if any(isinstance(c, Compare) and len(c.values) > 1 and p[0] < at for p in placed for c in [p[2]]):
                continue
            self.need(before and after)
            one, other = before[-1], min(after, key=lambda place: place[0])
            self.need(catalog.is_up(base, one[1]) and catalog.is_up(base, other[1]))
            placed = [place for place in placed if place not in (one, other)]
            placed.append((one[0], base, AnyOf((one[2], other[2]))))
            self.note("or")
        self.need(not self.each("both"))
        for at, item in self.each("state"):
            self.take(at)
            lead = self.lows[item.start - 1] if item.start else ""
            self.need(item.end < len(self.lows) and any(o.kind == "table" and o.start == item.end for o in self.items)
                      or lead in ("is", "are", "still", "currently", "were", "was"))
            made = states._make_conditions(self.reader, base, item.value)
            self.need(made)
            query.conditions += made
            self.note("state")
        for at, never in self.nevers:
            self.need(not catalog.is_up(base, never))
            inside = [
                place for place in placed if place[0] > at
                and not catalog.is_up(base, place[1]) and catalog.is_up(never, place[1])
            ]  # fmt: skip
            inside += [
                place for place in placed
                if place not in inside and catalog.is_up(never, place[1]) and not catalog.is_up(base, place[1])
            ]  # fmt: skip
            placed = [place for place in placed if place not in inside]
            query.conditions.append(Related(base, never, [condition for _, _, condition in inside], True))
        for table in below:
            inside = [p for p in placed if not catalog.is_up(base, p[1]) and catalog.is_up(table, p[1])]
            placed = [place for place in placed if place not in inside]
            counted = next((c for c in query.conditions if isinstance(c, Related) and c.table == table), None)
            if counted is not None:
                counted.conditions += [condition for _, _, condition in inside]
            else:
                query.conditions.append(Related(base, table, [condition for _, _, condition in inside]))
            self.note("related")
        others: dict[Key, list[Condition]] = {}
        for _, table, condition in placed:
            self.need(not isinstance(condition, Versus) or table == base)
            if catalog.is_up(base, table):
                same = [c for c in query.conditions if isinstance(c, Compare) and isinstance(condition, Compare)]
                self.need(not any(c.col == condition.col and c.op == condition.op for c in same))
                query.conditions.append(condition)
            else:
                others.setdefault(table, []).append(condition)
        for table, conditions in others.items():
            counted = next((c for c in query.conditions if isinstance(c, Related) and c.table == table), None)
            if counted is not None and not counted.negated:
                counted.conditions += conditions
            else:
                query.conditions.append(Related(base, table, conditions))
                self.note("related_unnamed")
        query.assumptions += [text for text in self.reader.query.assumptions if text not in query.assumptions]

    def _find_time(self, at: int, base: Key, below: list[Key]) -> Col:
        """The days that a period speaks of: those of the thing named last before it, else of the base."""
        place = self.items[at].start
        near = [
            item.target for item in self.items
            if item.kind == "table" and item.start < place and item.target in below
        ]  # fmt: skip
        near += [never for _, never in self.nevers]
        order = [base, *near] if near and self._varies(1) else [*reversed(near), base]
        for table in order:
            col = self.reader.time_column(table)
            if col is not None:
                return col
        col = periods.find_time(self.reader, base)
        self.need(col is not None)
        assert col is not None
        return col
