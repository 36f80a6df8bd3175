"""Puts conditions where they belong: on the rows asked for, or on rows that these may have several of."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

from sqlchat.providers.offline import dates, grain, periods, states
from sqlchat.providers.offline.ages import Ages
from sqlchat.providers.offline.claims import NEAR, Placed, UnfitError
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.query import Agg, AnyOf, Compare, Condition, Period, Related, Versus

BEING = frozenset({"is", "are", "was", "were", "still", "currently"})
FIRST_YEAR = 1000


class Placing(Ages):
    def write_conditions(self, base: Key, mentioned: list[Key]) -> None:
        """The conditions of the query, whose rows are those of `base`; `mentioned` tables must have such rows."""
        is_up = self.ground.is_up
        below = [table for table in dict.fromkeys(mentioned) if table != base and not is_up(base, table)]
        placed = [*self._place_bounds(base), *self._place_periods(base, below)]
        for one in self.placed:
            if not one.negated:
                placed.append(one)
            elif is_up(base, one.table) and isinstance(one.condition, Compare):
                col, values = one.condition.col, one.condition.values
                placed.append(Placed(one.at, one.table, Compare(col, "!=", values)))
            else:
                self.query.conditions.append(Related(base, one.table, [one.condition], True))
        placed = self._join_by_or(base, placed)
        self._write_states(base)
        for at, never in self.nevers:
            self.need(not is_up(base, never))
            inside = [p for p in placed if is_up(never, p.table) and not is_up(base, p.table)]
            inside.sort(key=lambda p: p.at < at)
            placed = [p for p in placed if p not in inside]
            self.query.conditions.append(Related(base, never, [p.condition for p in inside], True))
        for table in below:
            inside = [p for p in placed if is_up(table, p.table) and not is_up(base, p.table)]
            placed = [p for p in placed if p not in inside]
            self._relate(base, table, [p.condition for p in inside])
        others: dict[Key, list[Condition]] = {}
        for one in placed:
            self.need(not isinstance(one.condition, Versus) or one.table == base)
            if is_up(base, one.table):
                self._add(one.condition)
            else:
                others.setdefault(one.table, []).append(one.condition)
        for table, conditions in others.items():
            self._relate(base, table, conditions)
            self.note("related_unnamed")

    def _add(self, condition: Condition) -> None:
        """Raises UnfitError for a second comparison of the same kind with one column."""
        for other in self.query.conditions if isinstance(condition, Compare) else ():
            same = isinstance(other, Compare) and (other.col, other.op) == (condition.col, condition.op)  # type: ignore[union-attr]
            self.need(not same)
        self.query.conditions.append(condition)

    def _relate(self, base: Key, table: Key, conditions: list[Condition]) -> None:
        known = [c for c in self.query.conditions if isinstance(c, Related) and c.table == table and not c.negated]
        if known:
            known[0].conditions += conditions
        else:
            self.query.conditions.append(Related(base, table, conditions))

    def _place_bounds(self, base: Key) -> list[Placed]:
        placed = []
        for at, op, values, target in self.bounds:
            if isinstance(target, Col):
                is_year = self.ground.words(target)[-1] == "year"
                self.need(not is_year or all(value >= FIRST_YEAR for value in values))  # `older than 10 years`
                placed.append(Placed(at, target.table, Compare(target, op, values)))
            elif isinstance(target, Agg) and not self.query.groups:  # `is the average wage above 3000`
                self.need(op != "between" and not self.query.asks_any)
                self.query.asks_any, self.query.bound = True, (op, values[0])
            elif isinstance(target, Agg):
                self.query.having.append((target, op, values[0]))
            elif isinstance(target, tuple) and isinstance(target[0], tuple):
                known = self.reader.adjective(target, base)
                if known is None:
                    raise UnfitError
                placed.append(Placed(at, known[0].table, Compare(known[0], op, values)))
            else:
                self._bound_count(base, target, op, values[0])
        return placed

    def _bound_count(self, base: Key, table: Any, op: str, value: Any) -> None:
        """`with more than 3 visits`: rows below, or the rows of a group."""
        query = self.query
        self.need(op != "between" and isinstance(value, int) and isinstance(table, tuple))
        shown = query.outputs[0] if len(query.outputs) == 1 else None
        if isinstance(shown, Col) and table == base and grain.is_category(self.ground.linker, shown):
            query.groups, query.distinct = [shown], False
            query.outputs = [shown, Agg("count", base)]
        if table == base:
            self.need(query.groups)
            query.having.append((Agg("count", table), op, value))
        else:
            self.need(not query.groups and not self.ground.is_up(base, table))
            query.conditions.append(Related(base, table, [], False, op, value))

    def _place_periods(self, base: Key, below: list[Key]) -> list[Placed]:
        placed: list[Placed] = []
        columns: list[Col] = []
        spans = [self.items[at] for at, *_ in self.periods]
        for one, other in pairwise(sorted(spans, key=lambda item: item.start)):
            self.need(not {"and", "or"} & set(self.lows[one.end : other.start]) or other.start - one.end > NEAR)
        for at, text, (start, end), named in self.periods:
            col = named or self._find_time(at, base, below)
            days = [c for c in self.ground.linker.tables[col.table].columns if dates.is_date(c)]
            past = not start or start <= self.ground.today.isoformat()
            self.need(named or len(days) == 1 or past)  # what is to come is not told by the first day of several
            condition: Condition = Period(col, start, end)
            if not self.ground.is_date(col):
                first, after = (date.fromisoformat(day) if day else None for day in (start, end))
                if first is None or after is None or (first.month, first.day, after.month, after.day) != (1, 1, 1, 1):
                    raise UnfitError
                condition = Compare(col, "=", tuple(range(first.year, after.year)))
            placed.append(Placed(at, col.table, condition))
            self.need(col not in columns)  # nothing is of two periods at once
            columns.append(col)
            self.reader.assume(f"{text[:1].upper()}{text[1:]} is read as a period of {col.table[1]}.{col.name}.")
        return placed

    def find_day(self, base: Key) -> Col:
        """The one day of a row of `base`. Raises UnfitError if it is not clear which."""
        col = periods.find_time(self.reader, base)
        if col is None or not self.ground.is_date(col):
            raise UnfitError
        return col

    def _find_time(self, at: int, base: Key, below: list[Key]) -> Col:
        """The days that a period speaks of: those of the thing named last before it, else of the base."""
        if self.day is not None and self.day.table == base:
            return self.day
        start = self.items[at].start
        near = [item.target for item in self.items if self.is_table(item) and item.start < start]
        near = [table for table in near if table in below] + [never for _, never in self.nevers]
        order = [base, *near] if near and self.varies(1) else [*reversed(near), base]
        found = [col for table in order if (col := self.reader.time_column(table)) is not None]
        col = found[0] if found else periods.find_time(self.reader, base)
        if col is None:
            raise UnfitError
        return col

    def _join_by_or(self, base: Key, placed: list[Placed]) -> list[Placed]:
        for at, _ in self.take_each("or"):
            if any(isinstance(p.condition, Compare) and len(p.condition.values) > 1 and p.at < at for p in placed):
                continue  # between two values of one column
            before, after = [p for p in placed if p.at < at], [p for p in placed if p.at > at]
            self.need(before and after)
            pair = (before[-1], min(after, key=lambda p: p.at))
            self.need(all(self.ground.is_up(base, p.table) for p in pair))
            both = AnyOf(tuple(p.condition for p in pair))
            placed = [*(p for p in placed if p not in pair), Placed(pair[0].at, base, both)]
        return placed

    def _write_states(self, base: Key) -> None:
        """`current leases`, `are overdue`."""
        for _, item in self.take_each("state"):
            beside = any(self.is_table(other) and other.start == item.end for other in self.items)
            self.need(beside or self.word(item.start - 1) in BEING)
            made = states.make_conditions(self.reader, base, item.value)
            self.need(made)
            self.query.conditions += made
