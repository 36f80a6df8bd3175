"""Puts the chosen readings of a question's words together into one query form. `composer` tries several choices.

Each marker takes its operand among the items beside it (`figures`, `rankings`, `filters`, `placing`, over the state
in `claims`). Every number, value, period, negation, comparison and superlative must find its place, or there is no
query.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from sqlchat.language import lexicon
from sqlchat.providers.offline import dates, grain
from sqlchat.providers.offline.asked import choose_columns
from sqlchat.providers.offline.build import table_of
from sqlchat.providers.offline.claims import Placed, UnfitError
from sqlchat.providers.offline.hierarchies import Hierarchies
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.phrase_evidence import ASKING
from sqlchat.providers.offline.query import Agg, Compare, DatePart, Flag, Null, Query, Related, Shared, Term
from sqlchat.providers.offline.rankings import ROWS
from sqlchat.providers.offline.reader import is_participle
from sqlchat.providers.offline.shares import apply_share
from sqlchat.providers.offline.wholes import ROW_NOUNS, Wholes

AGAIN = lexicon.words("and the their its what which")
"""Words between `and` and a further thing that is asked for."""
NEVER = lexicon.words("never ever nobody none")
UNITED = frozenset({"and", ",", "with"})
"""Words between columns that are shown side by side."""
UNREAD = ("vs", "trail", "cmp", "agg", "number", "sup", "count", "lasting", "aged", "elapsed", "late")


class Assembly(Hierarchies, Wholes):
    def run(self) -> Query:
        """The query. Raises UnfitError, or QuestionError of the parts that it shares with the grammar."""
        self.read_comparison()
        self.read_roles()
        self.read_averages()
        self.read_figures()
        self.read_compared()
        self.read_rank()
        self.read_order()
        self.read_groups()
        self.read_ages()
        for at, table, condition in self.read_late():
            self.placed.append(Placed(at, table, condition))
        self.read_bounds()
        self.read_asked_count()
        self.group_rates()
        self.read_negations()
        self.read_periods()
        self.read_values()
        self._check_words()
        base = self._choose_base()
        mentioned = [item.target for _, item in self.each("table")]
        self.query.subject = base
        if not (self.write_role() or self.write_compared(base)):
            self._write_outputs(base)
        by_verb = any(item.kind == "hint" for item in self.items)
        self.need(not (self.word(0) == "who" and by_verb))  # `who leads`: a person in a column, not of a table
        self.need(not self.each("unit", "when", "who", "distinct") and self.largest_first is None)
        self.write_conditions(base, mentioned)
        self.deny_of_values()
        self.need(not self.each("both"))
        self._check_conditions(base)
        if self.share:
            apply_share(self.query, self.part or self.choose_part())
            if self.query.share_of_groups:
                self.need(all(isinstance(figure.of, tuple) for figure in self.figures.values()))
                self.note("share_of_groups")
        if self.word(0) in ASKING and not (self.figures or self.rank or self.query.groups or self.pair):
            self._ask_whether(base)
        self.query.assumptions += self.reader.query.assumptions
        self.query.conditions += self.reader.query.conditions
        return self.query

    def _check_words(self) -> None:
        """Raises UnfitError for markers without a use, and for a second thing that is asked for."""
        self.need(not self.each(*UNREAD) and self.lows[-1] not in lexicon.IN)
        taken = {at for item in self.items for at in range(item.start, item.end)}
        others = {item.table for item in self.items if item.target is not None and item.evidence != "keyed"}
        self.need(all(item.value in others for item in self.items if item.evidence == "keyed"))
        for at, low in enumerate(self.lows):
            near = [item for item in self.items if item.start - at in (1, 2)]
            if low == "by" and at not in taken:
                self.need(near)
                grouping = any(item.kind in ("table", "column", "unit") for item in near)
                self.need(not grouping or is_participle(self.word(at - 1)))
            if low in ("and", ","):
                self.need(not any(item.kind == "count" for item in near))
                self.need(not any(self.is_table(item) and self.word(item.start - 1) in AGAIN for item in near))

    def _check_conditions(self, base: Key) -> None:
        """Raises UnfitError where rows of which several are alike must have none, or two values of several rows."""
        query = self.query
        without = any(isinstance(condition, Related) and condition.negated for condition in query.conditions)
        known_by = grain.list_names_and_keys(self.ground.linker, base)
        self.need(not without or self.figures or any(term in known_by for term in query.outputs))
        if query.distinct and not NEVER.isdisjoint(self.lows):
            self._deny_for_all()
        self.need(all(self.ground.is_up(base, col.table) for col in self.anded))

    def _deny_for_all(self) -> None:
        """`streets where nobody ever complained`: none of the rows that share the value."""
        query = self.query
        self.need(len(query.outputs) == len(query.conditions) == 1)
        shown, condition = query.outputs[0], query.conditions[0]
        self.need(isinstance(shown, Col) and isinstance(condition, Null | Flag))
        if isinstance(shown, Col) and isinstance(condition, Null | Flag):
            opposite = replace(condition, negated=not condition.negated)
            query.conditions = [Shared(shown, [opposite], negated=True)]

    def _ask_whether(self, base: Key) -> None:
        query = self.query
        self.need(query.conditions and not self.bounds)
        query.outputs, query.distinct, query.order, query.asks_any = [Agg("count", base)], False, [], True

    def _choose_base(self) -> Key:
        """The table whose rows are counted, added up or listed."""
        by = self.rank[0] if self.rank is not None else None
        if self.rank is not None and by == ROWS:
            by = Agg("count", self._find_events())
            self.rank = (by, *self.rank[1:])
        if self.rank is not None and isinstance(by, Col | Measure) and not self._add_up_rank(by):
            for at, item in self.each("table"):
                if item.target == by.table:
                    self.take(at)
            return by.table
        measured = [*self.figures.values(), *([self.rank[0]] if self.rank and isinstance(self.rank[0], Agg) else [])]
        if measured:
            self.need(len({table_of(term) for term in measured}) == 1)
            return table_of(measured[0])
        tables = self.each("table")
        if self.last is not None and any(isinstance(group, tuple) for group in self.groups):
            return self._choose_dated(tables)
        if (people := self.find_counting_people()) is not None:
            return people
        if tables:
            heads = [item for _, item in tables if item.start == tables[0][1].end]
            self.need(not heads or self.word(tables[0][1].end - 1).endswith("s"))  # `plot holders` are no plots
            self.listed = self.take(tables[0][0])
            return tables[0][1].table
        if self.role is not None:
            return self.role.table
        self.note("no_subject")
        columns = [item.table for _, item in self.each("column", "measure")]
        tables_of_conditions = [p.table for p in self.placed]
        tables_of_bounds = [target.table for *_, target in self.bounds if isinstance(target, Col | Measure)]
        found = [*columns, *tables_of_conditions, *tables_of_bounds]
        self.need(found)
        return found[0]

    def _add_up_rank(self, by: Col | Measure) -> bool:
        """Whether the figure is added up for each of what is ranked, as it then is."""
        assert self.rank is not None
        added = isinstance(by, Measure) or grain.is_added_up(self.ground.linker, by)
        grouped = any(item.target != by.table for _, item in self.each("table")) or bool(self.each("unit"))
        if not (added and grouped) or (isinstance(by, Col) and self.varies(0)):
            return False
        self.rank = (Agg("sum", by), *self.rank[1:])
        return True

    def _choose_dated(self, tables: list[tuple[int, Item]]) -> Key:
        """Of `last visit of each customer`: the one table below the groups that has days."""
        own = next(group for group in self.groups if isinstance(group, tuple))
        below = [t for t in self.list_tables() if t != own and self.ground.is_up(t, own)]
        dated = [table for table in below if self.reader.time_column(table) is not None]
        self.need(len(dated) == 1)
        for at, item in tables:
            if item.target == dated[0]:
                self.take(at)
        return dated[0]

    def _find_events(self) -> Key:
        """The rows that are counted where only `most often` is said: those below what is asked for."""
        named = self.list_tables()
        if not named and len(self.ground.linker.tables) == 1:
            return next(iter(self.ground.linker.tables))
        below = [table for table in named if all(self.ground.is_up(table, other) for other in named)]
        self.need(len(below) == 1 and (len(named) > 1 or len(self.ground.linker.tables) == 1))
        return below[0]

    def _write_outputs(self, base: Key) -> None:
        query = self.query
        for group in dict.fromkeys(self.groups):
            query.groups.append(DatePart(self.find_day(base), group) if isinstance(group, str) else group)
            if isinstance(group, str):
                col = self.find_day(base)
                self.reader.assume(f"The {group} is that of {col.table[1]}.{col.name}.")
        if self.average:
            self._write_average(base)
            return
        who, when = bool(self.take_each("who")), bool(self.take_each("when"))
        plain, sums = self._list_columns(when=when)
        figures = [*self.figures.values(), *sums]
        self.need(not (sums and self.figures))
        if self.last is not None:
            self.need(not figures)
            self._write_last(base, plain)
        elif self.rank is not None:
            self.need(not figures)
            self._write_rank(base, plain, who)
        elif query.groups:
            self._write_groups(base, plain, figures)
        else:
            self.need(not (plain and figures))
            self._write_list(base, [*figures, *plain], who=who, when=when)

    def _write_average(self, base: Key) -> None:
        """`how many visits per pet on average`."""
        query = self.query
        for at, item in self.each("table"):
            if not query.groups and self.word(item.start - 1) in ("a", "an", "the"):
                query.groups = [self.take(at).target]
        self.need(len(query.groups) == 1 and len(self.figures) == 1)
        single = [item for _, item in self.each("table") if self.word(item.start - 1) in ("a", "an", "each", "every")]
        self.need(not single)
        self.need(not self.each("column", "measure", "who", "when") and self.rank is None)
        group = query.groups.pop()
        name = (
            f"{group.unit}s"
            if isinstance(group, DatePart)
            else (group[1] if isinstance(group, tuple) else group.name)
        )
        self.reader.assume(f"{name[:1].upper()}{name[1:]} without {base[1]} are left out of the average.")
        query.outputs = [Agg("avg", base, per=group)]

    def _list_columns(self, *, when: bool) -> tuple[list[Col], list[Agg]]:
        """The columns that are shown, and the totals of those that are plainly added up."""
        linker = self.ground.linker
        columns = self.take_each("column", "measure")
        for (_, one), (_, other) in pairwise(columns):
            self.need(not UNITED.isdisjoint(self.lows[one.end : other.start]))
        plain: list[Col] = []
        sums: list[Agg] = []
        for at, item in columns:
            money = item.evidence == "noun" and self.listed is None
            own = any(group == item.table for group in self.query.groups)
            number = self.ground.is_number(item.target)
            if isinstance(item.target, Measure) or (number and (money or (self.query.groups and not own))):
                added = item.evidence == "noun" or isinstance(item.target, Measure)
                self.need(added or grain.is_added_up(linker, item.target))
                sums.append(Agg("sum", item.target))
                self.note("sum_implied")
            elif not self._is_condition(at, item, when=when):
                asked_who = self.word(0) in ("who", "whose")
                self.need(not asked_who or (not linker.is_key(item.target) and item.evidence in ("exact", "part")))
                self.need(not (linker.is_key(item.target) and is_participle(self.word(item.start))))
                plain.append(item.target)
                self.note("column_output")
                far = self.listed is not None and item.table != self.listed.table
                self.note("far_output", int(far and item.evidence in ("root", "meaning", "piece", "loose")))
        return plain, sums

    def _is_condition(self, at: int, item: Item, *, when: bool) -> bool:
        """Whether what the column holds is a condition, which is noted: `with dogs`, `with a number`, `who left`."""
        col, column = item.target, self.ground.linker.catalog_column(item.target)
        lead = self.word(item.start - 2 if self.word(item.start - 1) in ("a", "an", "any") else item.start - 1)
        if lead in ("with", "have", "has") and item.start > 1 and self.listed is not None:
            number = self.ground.is_number(col)
            counts = number and self.ground.words(col)[-1].endswith("s")
            self.need(counts or (column.nullable and not number))
            self.place(at, col, Compare(col, ">", (0,)) if counts else Null(col, negated=True))
            return True
        if self.is_date(item) and is_participle(self.word(item.start)) and not when:
            self.place(at, col, Null(col, negated=True))
            return True
        return False

    def _write_last(self, base: Key, plain: list[Col]) -> None:
        """`when was it last inspected`, `last visit of each customer`: the day itself."""
        below = [item.target for _, item in self.each("table") if self.ground.is_up(item.target, base)]
        days = [col for col in plain if self.ground.is_date(col)]
        col = days[0] if len(days) == 1 else self.find_day(below[0] if len(below) == 1 else base)
        if col.table in below:
            self.query.subject = col.table
        self.query.outputs = [*self.show_groups(self.query.groups), Agg("max" if self.last == "desc" else "min", col)]

    def _write_groups(self, base: Key, plain: list[Col], figures: list[Any]) -> None:
        query = self.query
        own = query.groups[0]
        if plain and not figures and len(query.groups) == 1 and all(col.table == own for col in plain):
            assert isinstance(own, tuple)
            query.groups, query.subject = [], own
            query.outputs = [*dict.fromkeys([*self.choose_display(own), *plain])]
            return
        self.need(all(col in query.groups for col in plain) and not (plain and figures) and self.order is None)
        if not figures:
            self.need(not self.by_whom)
            figures = [Agg("count", base)]
            self.note("count_implied")
        query.outputs = [*self.show_groups(query.groups), *figures]
        if self.largest_first is not None:
            query.order, self.largest_first = [(figures[0], self.largest_first)], None
            self.note("beyond_grammar")

    def _write_list(self, base: Key, outputs: list[Term], *, who: bool, when: bool) -> None:
        query, linker = self.query, self.ground.linker
        if self.order is not None:
            self.need(isinstance(self.order[0], Col) and not self.figures)
            query.order = [self.order]
        if when and not outputs:
            outputs = [self.find_day(base)]
        self.need(all(self.ground.is_up(base, table_of(term)) for term in outputs if isinstance(term, Col)))
        # A number by itself is rather asked for as a total, and a weak name is none to show.
        alone = self.listed is None or self.listed.evidence not in ("exact", "part")
        numbers = [term for term in outputs if isinstance(term, Col) and self.ground.is_number(term)]
        ages = [term for term in numbers if isinstance(term, Computed) and term.kind == "age"]
        self.need(not alone or numbers == ages)
        if not outputs:
            outputs = list(choose_columns(self.reader, base))
            self.note("list")
        if who and not any(isinstance(term, Agg) for term in outputs):
            outputs = list(dict.fromkeys([*self._list_people(base), *outputs]))
        query.outputs = outputs
        categories = all(isinstance(term, Col) and grain.is_category(linker, term) for term in outputs)
        if self.listed is not None and self.listed.evidence in ROW_NOUNS and alone:
            categories = all(isinstance(t, Col) and dates.is_text(linker.catalog_column(t)) for t in outputs)
            self.listed = None if outputs != choose_columns(self.reader, base) else self.listed
        query.distinct = categories and self.listed is None

    def _list_people(self, base: Key) -> list[Col]:
        """The names of the people that the rows belong to."""
        near = [noun for noun in self.ground.vocabulary.nouns["person"] if self.ground.is_up(base, noun.table)]
        self.need(len(near) == 1 and (not near[0].column or near[0].table == base))
        return [Col(near[0].table, near[0].column)] if near[0].column else self.choose_display(near[0].table)

    def _write_rank(self, base: Key, plain: list[Col], who: bool) -> None:
        query = self.query
        assert self.rank is not None
        by, down, limit = self.rank
        if isinstance(by, Agg):
            within = list(query.groups)
            group = self._choose_ranked(base, plain, who)
            if within and group is not within[0]:
                query.within = within
            query.groups = [*query.within, group]
            query.outputs = [*self.show_groups(query.groups), by]
        elif isinstance(by, Col) and query.groups and not plain and limit is None and not who:
            self.need(not isinstance(by, Computed))
            query.outputs = [*self.show_groups(query.groups), Agg("max" if down else "min", by)]
            return
        else:
            by, down = self._rank_rows(base, plain, who, by, down)
        self.largest_first = None if self.largest_first == down else self.largest_first
        query.order, query.limit = [(by, down)], limit or 1

    def _choose_ranked(self, base: Key, plain: list[Col], who: bool) -> Any:
        """The table, category or calendar unit of which each has a figure."""
        groups = self.query.groups
        self.need(len(groups) <= 1 and len(plain) <= 1)
        tables = [(at, item) for at, item in self.each("table") if item.target not in (base, *groups)]
        tables = [(at, item) for at, item in tables if self.ground.is_up(base, item.target)]
        if plain:
            self.need(grain.is_category(self.ground.linker, plain[0]))
            return plain[0]
        if tables:
            return self.take(tables[0][0]).target
        if who:
            people = self._list_people(base)
            return people[0].table if people[0].table != base else people[0]
        if groups:
            return groups[0]
        units = self.each("unit")
        self.need(len(units) == 1)
        return DatePart(self.find_day(base), self.take(units[0][0]).value)

    def _rank_rows(self, base: Key, plain: list[Col], who: bool, by: Any, down: bool) -> tuple[Col, bool]:
        """`the heaviest parcel`: single rows come in order of one of their columns."""
        query = self.query
        self.need(not query.groups)
        if isinstance(by, tuple):
            known = self.reader.adjective(by, base)
            if known is None:
                raise UnfitError
            by, down = known[0], known[1] == "desc"
        self.need(isinstance(by, Col) and self.ground.is_up(base, by.table))
        # Each may have several rows: `which city has the highest fine`.
        self.need(all(item.target == base for _, item in self.each("table")))
        self.need(who or not any(grain.is_category(self.ground.linker, col) for col in plain))
        shown = [*(self._list_people(base) if who else ()), *(plain or self.choose_display(base)), by]
        query.outputs = list(dict.fromkeys(shown))
        return by, down
