"""From a query to SQL: picks the rows that everything hangs on, joins the rest to them, and never lets a join
multiply what is added up. Called by the engine.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from sqlchat.errors import QuestionError
from sqlchat.language.tokens import singular
from sqlchat.providers.offline import dates, empty
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.query import Agg, DatePart, Query, Term
from sqlchat.providers.offline.restrict import Restrictions
from sqlchat.providers.offline.scope import OPERATORS, Scope


def build(query: Query, linker: Linker, joins: Joins, dialect: str) -> exp.Select:
    """The SELECT for `query`, to whose assumptions it adds what becomes of groups without rows.

    Raises QuestionError where no joins give it, or more than one way does.
    """
    builder = _Builder(query, linker, joins, dialect)
    select = builder.select()
    if builder.kept is not None:
        query.assumptions.append(empty.tell_shown(query, builder.root, builder.counted))
    else:
        query.assumptions += empty.tell_left_out(query, builder.root)
    return select


class _Builder:
    def __init__(self, query: Query, linker: Linker, joins: Joins, dialect: str):
        self.query, self.linker, self.joins, self.dialect = query, linker, joins, dialect
        self.root = self._root()
        self.kept = empty.find_kept(query, self.root, joins)
        self.counted = self.root
        if self.kept is not None:
            self.root = self.kept[-1].target
        self.scope = Scope(self.root, linker, joins, dialect, taken=set())
        if self.kept is not None:
            for edge in reversed(self.kept):
                self.scope.left(edge)

    def select(self) -> exp.Select:
        query = self.query
        outputs = [self._named(term) for term in query.outputs]
        restrictions = Restrictions(self.scope)
        anchor = query.subject or self.root
        where: list[exp.Expr] = []
        for condition in query.conditions:
            clause = restrictions.sql(condition, anchor)
            if self.kept is not None and clause is not None and empty.is_on(condition, self.counted):
                self.scope.narrow(self.counted, clause)
            elif clause is not None:
                where.append(clause)
        keys = self._group_keys()
        bounded = [self._term(agg) for agg, _, _ in query.having]
        order = self._order()
        if query.part is not None:
            clause = restrictions.sql(query.part, anchor)
            figure = next(at for at, term in enumerate(query.outputs) if isinstance(term, Agg))
            outputs[figure] = self._share(query.outputs[figure], clause)
            for (term, _), ordered in zip(query.order, order, strict=False):
                if term == query.outputs[figure]:
                    ordered.set("this", outputs[figure].unalias().copy())
            bounded = [outputs[figure].unalias().copy() for _ in bounded]
        if query.sides:
            clauses = [restrictions.sql(condition, anchor) for _, condition in query.sides]
            outputs = self._compare_sides(outputs[-1].unalias(), clauses)
        if query.share_of_groups:
            outputs = [
                self._share_of_all(s) if isinstance(t, Agg) else s
                for t, s in zip(query.outputs, outputs, strict=True)
            ]
        if query.asks_any and isinstance(query.outputs[0], Agg):
            asked = self.scope.compare(outputs[0].unalias().copy(), *query.bound)
            outputs.append(exp.alias_(asked, "any" if query.bound == (">", 0) else "answer", quoted=True))
        if query.within:
            outputs, names = self._rank_within(outputs, where, order)
            order = []
        select = self.scope.frame(exp.select(*outputs), keep=query.part is not None)
        if query.distinct:
            select = select.distinct()
        for clause in where:
            select = select.where(clause)
        if keys:
            select = select.group_by(*keys)
        for left, (_, op, value) in zip(bounded, query.having, strict=True):
            clause = self.scope.compare(left, op, value)
            select = select.having(clause)
        if order:
            select = select.order_by(*order)
        if query.within:
            inner = select.subquery("ranked")
            place = exp.LTE(this=exp.column("place"), expression=exp.Literal.number(query.limit or 1))
            return exp.select(*names).from_(inner).where(place).order_by(*names[:1])
        return select.limit(query.limit) if query.limit is not None else select

    def _rank_within(
        self, outputs: list[exp.Expr], where: list[exp.Expr], order: list[exp.Ordered]
    ) -> tuple[list[exp.Expr], list[exp.Expr]]:
        """The outputs, each under a name of its own, and the place of the row in its group; and those names."""
        names: list[str] = []
        for output in outputs:
            name = output.alias_or_name
            owner = output.table if isinstance(output, exp.Column) else "other"
            names.append(name if name not in names else f"{owner}_{name}")
        named = [
            exp.alias_(output.unalias(), name, quoted=not name.isidentifier())
            for output, name in zip(outputs, names, strict=True)
        ]
        keys = [key for group in self.query.within for key in self._keys_of(group)]
        ranked = self.query.order[0][0]
        if not isinstance(ranked, Agg):
            where.append(exp.Not(this=exp.Is(this=self._term(ranked), expression=exp.Null())))
        timed = isinstance(ranked, Col) and dates.is_date(self.linker.catalog_column(ranked))
        if timed:
            tie = [self.scope.column(Col(table_of(ranked), name)) for name in self.joins.row_key(table_of(ranked))]
            order = [*order, *(exp.Ordered(this=key) for key in tie)]
        place = exp.Window(
            this=exp.RowNumber() if timed else exp.Rank(), partition_by=keys, order=exp.Order(expressions=order)
        )
        columns: list[exp.Expr] = [
            exp.column(exp.to_identifier(name, quoted=not name.isidentifier())) for name in names
        ]
        return [*named, exp.alias_(place, "place")], columns

    @staticmethod
    def _share_of_all(figure: exp.Expr) -> exp.Expr:
        amount = figure.unalias()
        every = exp.Window(this=exp.Sum(this=amount.copy()))
        share = exp.Mul(this=exp.Literal.number("100.0"), expression=amount)
        return exp.alias_(exp.Div(this=share, expression=every, typed=True), "percentage")

    def _share(self, term: Term, clause: exp.Expr | None) -> exp.Expr:
        """The percentage of what is counted or added up that the rows of the part have."""
        if clause is None or not isinstance(term, Agg) or table_of(term) != self.root:
            raise QuestionError("The share of this is not read yet.", words=["share"])
        amount = exp.Literal.number(1) if isinstance(term.of, tuple) else self._term(term).this
        chosen = exp.Case(ifs=[exp.If(this=clause, true=amount.copy())], default=exp.Literal.number(0))
        total = exp.Nullif(this=exp.Sum(this=amount.copy()), expression=exp.Literal.number(0))
        share = exp.Mul(this=exp.Literal.number("100.0"), expression=exp.Sum(this=chosen))
        return exp.alias_(exp.Div(this=share, expression=total, typed=True), "percentage")

    def _compare_sides(self, figure: exp.Expr, clauses: list[exp.Expr | None]) -> list[exp.Expr]:
        """The figure of either side, and whether that of the first is as the question asks."""
        figures = []
        for clause in clauses:
            if clause is None:
                raise QuestionError("The two that are compared are not clear.", words=[])
            tree = figure.copy()
            for function in list(tree.find_all(exp.AggFunc)):
                counted = function.this
                distinct = isinstance(counted, exp.Distinct)
                inner = counted.expressions[0] if distinct else counted
                true = exp.Literal.number(1) if isinstance(inner, exp.Star) else inner.copy()
                chosen = exp.Case(ifs=[exp.If(this=clause.copy(), true=true)])
                function.set("this", exp.Distinct(expressions=[chosen]) if distinct else chosen)
            figures.append(tree)
        answer = OPERATORS[self.query.sides_op](this=figures[0].copy(), expression=figures[1].copy())
        names = [words for words, _ in self.query.sides]
        named = [exp.alias_(tree, name, quoted=True) for tree, name in zip(figures, names, strict=True)]
        return [*named, exp.alias_(answer, "answer", quoted=True)]

    def _root(self) -> Key:
        """The table whose rows are read: each of them leads to at most one row of every other table in play."""
        query, needed = self.query, []
        for term in (*query.outputs, *(t for t, _ in query.order), *(agg for agg, _, _ in query.having)):
            needed.append(table_of(term))
            if isinstance(term, Agg) and term.per is not None:
                needed.append(term.per if isinstance(term.per, tuple) else table_of(term.per))
            if isinstance(term, Agg) and term.over is not None:
                needed.append(term.over.table)
        needed += [group if isinstance(group, tuple) else table_of(group) for group in (*query.groups, *query.within)]
        if query.subject and not any(isinstance(t, Agg) for t in query.outputs) and not query.groups:
            needed.append(query.subject)
        needed = list(dict.fromkeys(needed))
        if not needed:
            raise QuestionError("The question does not say what to show.", words=[])
        costs = []
        roots = self.joins.below(needed[0])
        for root in (table for table in self.linker.tables if table in roots):
            paths = [self.joins.distance(root, table) for table in needed]
            if all(rank <= 1 for rank, _ in paths):
                costs.append((sum(steps for _, steps in paths), root not in needed, root))
        if not costs:
            names = " and ".join(key[1] for key in needed)
            raise QuestionError(f"No foreign keys lead from one table to all of {names}.", words=[], reason="no_join")
        costs.sort(
            key=lambda cost: (
                cost[0], cost[1], cost[2] != query.subject, needed.index(cost[2]) if cost[2] in needed else 0
            )
        )  # fmt: skip
        best = [cost for cost in costs if cost[:2] == costs[0][:2]]
        if len(best) > 1 and best[0][1]:
            ways = " or ".join(sorted(cost[2][1] for cost in best))
            names = " and ".join(key[1] for key in needed)
            raise QuestionError(f"{names} can be joined through {ways}.", words=[], reason="ambiguous")
        return costs[0][2]

    def _named(self, term: Term) -> exp.Expr:
        sql = self._term(term)
        name = output_name(term)
        plain = isinstance(term, Col) and not isinstance(term, Computed)
        return sql if plain else exp.alias_(sql, name, quoted=not name.isidentifier())

    def _term(self, term: Term) -> exp.Expr:
        if isinstance(term, Col):
            return self.scope.column(term)
        if isinstance(term, DatePart):
            return dates.cut(self.scope.column(term.col), term.unit, self.dialect)
        if isinstance(term, Measure):
            return self._measure(term)
        if isinstance(term.of, tuple):
            if term.per is None:
                return self._count(term.of)
            rows = exp.Nullif(this=self._count_groups(term.per), expression=exp.Literal.number(0))
            total = exp.Mul(this=exp.Literal.number("1.0"), expression=self._count(term.of))
            return exp.Div(this=total, expression=rows, typed=True)
        inner = self._measure(term.of) if isinstance(term.of, Measure) else self.scope.column(term.of)
        if term.function == "count":
            return exp.Count(this=exp.Distinct(expressions=[inner]) if term.distinct else inner)
        if term.function in ("sum", "avg"):
            self._check_fan_out(term)
        if term.per is not None or term.over is not None:
            parts = self._count_groups(term.per) if term.per is not None else self._divisor(term)
            rows = exp.Nullif(this=parts, expression=exp.Literal.number(0))
            total = exp.Mul(this=exp.Literal.number("1.0"), expression=exp.Sum(this=inner))
            return exp.Div(this=total, expression=rows, typed=True)
        kinds: dict[str, type[exp.AggFunc]] = {"sum": exp.Sum, "avg": exp.Avg, "min": exp.Min, "max": exp.Max}
        return kinds[term.function](this=inner)

    def _measure(self, measure: Measure) -> exp.Expr:
        tree = sqlglot.parse_one(measure.sql)
        for column in list(tree.find_all(exp.Column)):
            column.replace(self.scope.column(Col(measure.table, column.name)))
        return tree

    def _count(self, key: Key) -> exp.Expr:
        if key == self.root:
            return exp.Count(this=exp.Star())
        if self.kept is not None and key == self.counted:
            return exp.Count(this=self.scope.column(Col(key, self.kept[0].columns[0][0])))
        keys = self.joins.row_key(key)
        if len(keys) != 1:
            raise QuestionError(f"The rows of {key[1]} cannot be told apart: it has no single key.", words=[])
        return exp.Count(this=exp.Distinct(expressions=[self.scope.column(Col(key, keys[0]))]))

    def _count_groups(self, group: Key | Col | DatePart) -> exp.Expr:
        if isinstance(group, tuple):
            return self._count(group)
        return exp.Count(this=exp.Distinct(expressions=[self._term(group)]))

    def _divisor(self, term: Agg) -> exp.Expr:
        """The total of the column that divides a total: that of the same rows, or of the one row of the group."""
        over = term.over
        assert over is not None
        if over.table == table_of(term):
            return exp.Sum(this=self.scope.column(over))
        if over.table not in self.query.groups:
            raise QuestionError(
                f"{over.name} belongs to {over.table[1]}: ask for each of them.", words=[], reason="fan_out"
            )
        return exp.Max(this=self.scope.column(over))

    def _check_fan_out(self, agg: Agg) -> None:
        """Adding up is only right where each row of the aggregated table occurs once (in its group)."""
        table = table_of(agg)
        if table == self.root:
            return
        ends = self.joins.link_of(self.root)
        groups = {group if isinstance(group, tuple) else table_of(group) for group in self.query.groups}
        if ends is not None and table in ends and groups and groups == ends - {table}:
            keyed = all(isinstance(group, tuple) for group in self.query.groups)
            if keyed:
                return
        raise QuestionError(
            f"Adding up {output_name(agg)} over {self.root[1]} would count rows of {table[1]} more than once.",
            words=[],
            reason="fan_out",
        )

    def _group_keys(self) -> list[exp.Expr]:
        if not self.query.groups:
            return []
        keys: list[exp.Expr] = []
        for group in self.query.groups:
            keys += self._keys_of(group)
        plain = [
            t for t in (*self.query.outputs, *(t for t, _ in self.query.order)) if not isinstance(t, Agg | Measure)
        ]
        for term in plain:
            sql = self._term(term)
            if sql not in keys:
                keys.append(sql)
        return keys

    def _keys_of(self, group: Col | DatePart | Key) -> list[exp.Expr]:
        if isinstance(group, tuple):
            return [self.scope.column(Col(group, name)) for name in self._row_key(group)]
        return [self._term(group)]

    def _row_key(self, key: Key) -> tuple[str, ...]:
        found = self.joins.row_key(key) or tuple(col.name for col in self.linker.display(key))
        if not found:
            raise QuestionError(f"The rows of {key[1]} cannot be told apart: it has no key.", words=[])
        return found

    def _order(self) -> list[exp.Ordered]:
        limited = self.query.limit is not None
        return [
            self._ordered(self._term(term), descending, last=limited)
            for term, descending in self.query.order or self.query.arranged
        ]

    def _ordered(self, term: exp.Expr, descending: bool, *, last: bool) -> exp.Ordered:
        """`last`: unknown values come last; else where the database puts them, which needs no word in the SQL."""
        ordering = Dialect.get_or_raise(self.dialect).NULL_ORDERING
        first = not last and ordering != "nulls_are_last" and (ordering == "nulls_are_small") != descending
        return exp.Ordered(this=term.copy(), desc=descending or None, nulls_first=first)


def table_of(term: Term) -> Key:
    """The table whose rows the term is computed from."""
    if isinstance(term, Agg):
        return term.of if isinstance(term.of, tuple) else term.of.table
    return term.col.table if isinstance(term, DatePart) else term.table


def output_name(term: Term) -> str:
    """The column's name in the results: `revenue`, `average_age`, `orders`."""
    if isinstance(term, Col):
        return term.name
    if isinstance(term, DatePart):
        return term.unit
    if isinstance(term, Measure):
        return term.name.replace(" ", "_")
    if isinstance(term.of, tuple):
        return ("average_" if term.per else "") + f"number_of_{term.of[1].lower()}"
    name = output_name(term.of).lower()
    if term.over is not None:
        return f"{name}_per_{singular(term.over.name.lower()).replace(' ', '_')}"
    if isinstance(term.of, Measure) and term.function == "sum":
        return name
    words = {"avg": "average", "sum": "total", "min": "lowest", "max": "highest", "count": "number_of"}
    return f"{words[term.function]}_{name}"
