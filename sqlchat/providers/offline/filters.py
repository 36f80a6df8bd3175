"""Comparisons, negations, periods and values: which column each is about. A part of `assembly`."""

from __future__ import annotations

from typing import Any

from sqlchat.language import lexicon
from sqlchat.providers.offline.claims import Placed, UnfitError
from sqlchat.providers.offline.durations import CLOCKS
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.links import Col, Computed
from sqlchat.providers.offline.markers import LASTING
from sqlchat.providers.offline.phrase_evidence import ASKING
from sqlchat.providers.offline.query import Agg, Benchmark, Compare, Condition, Flag, Null, Versus
from sqlchat.providers.offline.rankings import Rankings
from sqlchat.providers.offline.reader import is_participle
from sqlchat.providers.offline.units import list_unit_columns

LACKING = frozenset({"without", "no", "lacking"})
NAMING = lexicon.words("which what many per by each every")
"""Words before a thing, which is no value."""
JOINING = lexicon.words("and or vs versus to with nor plus") | frozenset({",", "/", "&"})
"""Words between two values of one column."""
DOING = frozenset({"we", "you", "they", "do", "did"})
NAMES = frozenset({"number", "code", "address"})
"""Nouns that make a name of the value before them: `phone number`."""


class Filters(Rankings):
    def place(self, at: int, col: Col, condition: Condition, *, negated: bool = False) -> None:
        self.placed.append(Placed(at, col.table, condition, negated))

    def read_averages(self) -> None:
        """`cost more than our average price`: a number of each row against its average over all of them."""
        for at, marker in self.each("cmp"):
            average = self.right(at, lambda item: item.kind == "agg" and item.value == "avg", 1)
            if average is None:
                continue
            op = marker.value if isinstance(marker.value, str) else marker.value[0][1]
            after = self.right(average, self.is_number, 1)
            before = self.left(at, self.is_number, 2)
            place = after if after is not None else before
            self.need(place is not None and op in (">", "<"))
            col = self.items[place or 0].target
            if before is not None and before != place:  # `cost` is said of the price
                self.need(self.items[before].target == col or self.items[before].evidence != "exact")
                self.take(before)
            self.need(isinstance(col, Col) and not isinstance(col, Computed))
            for taken in (at, average, place or 0):
                self.take(taken)
            self.place(at, col, Benchmark(col, op))
            self.note("beyond_grammar")

    def read_bounds(self) -> None:
        for at, marker in self.each("cmp"):
            if self.right(at, lambda item: item.kind == "period", 1) is not None:
                continue
            self.take(at)
            options = None if isinstance(marker.value, str) else marker.value
            op = marker.value if options is None else options[0][1]
            op = lexicon.COMPARISONS.get(op, op)
            number = self.right(at, lambda item: item.kind == "number", 1)
            if number is None and self._compare_average(at, op):
                continue
            if number is None:
                self._compare_columns(at, op)
                continue
            values: tuple[Any, ...] = (self.take(number).value,)
            last = number
            if op == "between":
                second = self.right(number, lambda item: item.kind == "number", 1)
                self.need(second is not None)
                last = second or number
                values = (*values, self.take(last).value)
            self.need(op in (*lexicon.COMPARISONS.values(), "between"))
            self.bounds.append((at, op, values, self._find_operand(at, last, options)))
        for at, item in self.take_each("number"):
            place = self.right(at, lambda other: other.kind == "trail", 0)
            op = "=" if place is None else lexicon.COMPARISONS.get(self.take(place).value, "=")
            target = self._find_operand(at, place or at, None, bare=place is None)
            if target is None:
                self._compare_key(at, item)
            else:
                self.bounds.append((at, op, (item.value,), target))

    def _compare_average(self, at: int, op: str) -> bool:
        """`for more than the average retail price`."""
        figure = self.figures.get(at + 1)
        if not isinstance(figure, Agg) or figure.function != "avg" or not isinstance(figure.of, Col):
            return False
        self.need(op in lexicon.COMPARISONS.values() and not isinstance(figure.of, Computed))
        self.place(at, figure.of, Benchmark(figure.of, op))
        del self.figures[at + 1]
        return True

    def _compare_columns(self, at: int, op: str) -> None:
        """`paid more than the full price`, `returned after the due date`: two columns of one row."""
        for fits in (self.is_number, self.is_date):
            other, own = self.right(at, fits), self.left(at, fits, 3, over=("neg",))
            if other is not None and own is not None:
                left, right = self.take(own).target, self.take(other).target
                self.need(isinstance(left, Col) and isinstance(right, Col) and left != right)
                self.need(left.table == right.table)
                clocks = [CLOCKS.isdisjoint(self.ground.words(col)) for col in (left, right)]
                self.need(clocks[0] == clocks[1])  # a day is no moment
                self.place(at, left, Versus(left, op, right))
                return
        raise UnfitError

    def _find_operand(self, at: int, last: int, options: Any, *, bare: bool = False) -> Any:
        """The column, table or figure that is compared; `bare` numbers stand without a comparison.

        None for a bare number that only the key of a row can be. Raises UnfitError where nothing can be meant.
        """
        after = self.right(last, lambda item: self.is_number(item) or (self.is_table(item) and not bare), 1)
        if after is not None:
            return self.take(after).target
        end = self.items[last].end
        measured = self._find_measured(last)
        before = self.left(at, self.is_number, 3, over=("neg",))
        lasting = LASTING.get(self.word(end), "")
        target: Any = None
        if measured is not None:
            target = measured
        elif before is not None:
            target = self.take(before).target
        elif lasting and (options is not None or not bare):
            target = self.find_span(lasting)
        if target is not None:
            for place in [place for place in self.free if self.items[place].start == end]:
                if self.items[place].kind == "unit" or self.items[place].target == target:
                    self.take(place)
            return target
        figure = max((place for place in self.figures if place < at), default=None)
        if bare:
            return None
        if figure is not None and (self.groups or self.part is not None or self.word(0) in ASKING):
            return self.figures[figure]
        self.need(options is not None)
        return options

    def _find_measured(self, last: int) -> Col | None:
        """The column that is kept in the unit after the number."""
        end = self.items[last].end
        unit = "m" if self.items[last].text.endswith(" m") else self.word(end)
        columns: list[Col] = list_unit_columns(self.ground.linker, unit)
        named = [col for col in columns if any(item.target == col for item in self.items)]
        tables = self.list_tables()
        columns = named or [col for col in columns if col.table in tables] or columns
        self.need(len(columns) <= 1)
        if not columns:
            return None
        for place in [place for place in self.free if self.items[place].target == columns[0]]:
            self.take(place)
        self.note("implied_unit", not named)
        return columns[0]

    def _compare_key(self, at: int, item: Item) -> None:
        """`room 2`, `order 17`: the number is the key of a row, or the whole value."""
        named = self.take_left(at, lambda other: other.kind in ("table", "column"), 0)
        if named is None:
            raise UnfitError
        key = self.ground.joins.row_key(named.target) if isinstance(named.target, tuple) else (named.target.name,)
        self.need(len(key) == 1)
        col = Col(named.table, key[0])
        self.place(at, col, Compare(col, "=", (item.value,)))

    def read_negations(self) -> None:
        for at, marker in self.take_each("neg"):
            fits = lambda item: item.kind in ("value", "flag", "table", "measure") or self.is_date(item)  # noqa: E731
            place = self.right(at, fits, 3)
            if place is None and marker.value in LACKING:
                place = self.right(at, lambda item: item.kind == "column" and not self.is_number(item))
            if place is None:
                place = self.right(at, fits, 3, over=("column", "who"))
            self.need(place is not None)
            item = self.take(place or 0)
            if item.kind in ("table", "measure"):
                self.nevers.append((at, item.table))
            elif item.kind == "value":
                self.place(at, item.target, Compare(item.target, "=", (item.value,)), negated=True)
                self.query.matched.append((item.text, item.target, item.value))
            else:
                self._deny(at, item)
        for at, item in self.take_each("opposite"):
            self._deny(at, item)

    def _deny(self, at: int, item: Item) -> None:
        flag = self.ground.linker.is_flag(item.target)
        self.need(lexicon.NOT.isdisjoint(self.ground.words(item.target)))
        self.need(flag or self.ground.linker.catalog_column(item.target).nullable)
        self.place(at, item.target, Flag(item.target, True) if flag else Null(item.target))

    def read_periods(self) -> None:
        for at, item in self.each("period"):
            if at not in self.free:
                continue
            self.take(at)
            marker = self.take_left(at, lambda other: other.kind == "cmp", 1)
            op = "in" if marker is None else str(marker.value)
            start, end = item.value.start.isoformat(), item.value.end.isoformat()
            if op == "between":
                second = self.take_right(at, lambda other: other.kind == "period", 1)
                if second is None:
                    raise UnfitError
                end = second.value.end.isoformat()
            named = self.take_left(at, self.is_date, 3, over=("cmp",))
            days = {
                "in": (start, end), "between": (start, end), "after": (end, None), "before": (None, start),
                "since": (start, None), "until": (None, end),
            }.get(op)  # fmt: skip
            if days is None:
                raise UnfitError
            self.periods.append((at, item.text, days, None if named is None else named.target))

    def read_values(self) -> None:
        chosen: dict[Col, list[tuple[int, str]]] = {}
        for at, item in self.take_each("value"):
            self._check_value(item)
            texts = chosen.setdefault(item.target, [])
            if item.value not in [text for _, text in texts]:
                texts.append((at, item.value))
            self.query.matched.append((item.text, item.target, item.value))
        for col, texts in chosen.items():
            for at, item in self.each("column"):
                if item.target == col and any(abs(at - place) <= 1 for place, _ in texts):
                    self.take(at)
            self.place(texts[0][0], col, Compare(col, "=", tuple(text for _, text in texts)))
            if len(texts) > 1:
                self._join_values(col, texts)
        for at, item in self.take_each("flag"):
            self._check_flag(item)
            self.place(at, item.target, Flag(item.target, False))

    def _join_values(self, col: Col, texts: list[tuple[int, str]]) -> None:
        """Values to compare make groups; those joined by `and` must be of the rows themselves."""
        ends = [item.end for item in self.items if item.kind == "value" and item.target == col]
        starts = [item.start for item in self.items if item.kind == "value" and item.target == col]
        for end, start in zip(ends, starts[1:], strict=False):  # `ready to be collected` is no list
            self.need(not JOINING.isdisjoint(self.lows[end:start]) or start == end)
        first, second = (next(i for i in self.items if (i.target, i.value) == (col, text)) for _, text in texts[:2])
        lead = self.word(first.start - 1)
        apart = lead in lexicon.IN and self.lows[first.end : second.start] == ["and", lead]  # `of men and of women`
        versus = bool(self.take_each("vs")) or apart
        self.need(versus or not self.figures or "and" not in self.lows)
        self.note("beyond_grammar", int(apart))
        if versus:
            self.groups.append(col)
        if not apart and "and" in self.lows[self.items[texts[0][0]].end : self.items[texts[-1][0]].start]:
            self.anded.append(col)

    def _check_value(self, item: Item) -> None:
        """Raises UnfitError where the words are rather a thing, a deed or a part of a column's name."""
        lead, start = self.word(item.start - 1), self.tokens[item.start]
        self.need(not any(other.kind == "both" for other in self.items))
        self.need(lead not in NAMING or not start.text.islower())
        self.need(self.word(item.end) not in NAMES)
        self.need(item.text.lower() == item.value.lower() or lead not in DOING)
        for other in self.items:
            near = other.kind == "column" and abs(other.start - item.end) <= NEAR_NAME
            if near and not isinstance(other.target, Computed) and other.target != item.target:
                self.need(item.text.lower() not in self.ground.words(other.target))

    def _check_flag(self, item: Item) -> None:
        """Raises UnfitError where a part of the flag's name is no adjective here."""
        words = self.ground.words(item.target)
        self.need(lexicon.NOT.isdisjoint(words) or item.evidence == "exact")  # `contact` of `do_not_contact`
        said = is_participle(self.word(item.start)) or self.word(item.start) == words[-1]
        before_thing = any(self.is_table(other) and other.start == item.end for other in self.items)
        if item.evidence == "part":
            self.need(2 * item.size >= len(words))
        elif item.evidence not in ("exact", "synonym", "slip"):
            self.need(said or (before_thing and item.evidence == "piece"))


NEAR_NAME = 2
"""Tokens between a value and a column of whose name it may be a part."""
