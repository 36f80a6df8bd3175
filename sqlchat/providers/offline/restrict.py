"""Conditions of a query as SQL. What belongs to the rows being read is joined; what belongs to rows that a row may
have several of becomes EXISTS or a counting subquery, so that it never multiplies rows. Called by the builder.
"""

from __future__ import annotations

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.providers.offline import dates, flags
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.query import (
    AnyOf,
    Benchmark,
    Compare,
    Condition,
    Extreme,
    Flag,
    Null,
    Period,
    Pointed,
    Related,
    Shared,
    Versus,
)
from sqlchat.providers.offline.scope import OPERATORS, Scope

BENCHES = {"avg": exp.Avg, "max": exp.Max, "min": exp.Min}
NUMBERED = frozenset({"sqlite", "mysql", "tsql", "oracle"})
"""Dialects in which yes and no are 1 and 0."""
MOST_GUESSED = 3
"""Joins on the way to a related table where the database declares no keys."""


class Restrictions:
    def __init__(self, scope: Scope):
        self.scope = scope

    def sql(self, condition: Condition, anchor: Key) -> exp.Expr | None:
        """The condition on rows of `anchor`; None where joining already says it."""
        if isinstance(condition, AnyOf):
            parts = [self.sql(part, anchor) for part in condition.conditions]
            return exp.paren(exp.or_(*[part for part in parts if part is not None]))
        if isinstance(condition, Related):
            return self._related(condition)
        if isinstance(condition, Shared):
            return self._shared(condition)
        if not self.scope.reaches(condition.col.table):
            return self._related(Related(anchor, condition.col.table, [condition]))
        return self._plain(condition)

    def _plain(self, condition: Compare | Period | Benchmark | Versus | Pointed | Extreme | Null | Flag) -> exp.Expr:
        column = self.scope.column(condition.col)
        if isinstance(condition, Compare):
            return self._compare(column, condition)
        if isinstance(condition, Period):
            known, dialect = self.scope.catalog_column(condition.col), self.scope.dialect
            parts: list[exp.Expr] = []
            if condition.start:
                parts.append(exp.GTE(this=column, expression=dates.day_literal(condition.start, known, dialect)))
            if condition.end:
                parts.append(exp.LT(this=column.copy(), expression=dates.day_literal(condition.end, known, dialect)))
            return exp.and_(*parts)
        if isinstance(condition, Null):
            null = exp.Is(this=column, expression=exp.Null())
            return exp.Not(this=null) if condition.negated else null
        if isinstance(condition, Versus):
            return OPERATORS[condition.op](this=column, expression=self.scope.column(condition.other))
        if isinstance(condition, Flag):
            return self._flag(column, condition)
        if isinstance(condition, Pointed):
            there = self._inner(condition.to.table)
            met = Restrictions(there).sql(condition.condition, condition.to.table)
            keys = there.frame(exp.select(there.column(condition.to))).where(met)
            return exp.In(this=column, query=keys.subquery())
        inner = self._inner(condition.col.table)
        if isinstance(condition, Benchmark):
            figure = BENCHES[condition.function](this=inner.column(condition.col))
            clauses = [Restrictions(inner).sql(part, condition.col.table) for part in condition.conditions]
            value = (
                inner.frame(exp.select(figure))
                .where(*[clause for clause in clauses if clause is not None])
                .subquery()
            )
            return OPERATORS[condition.op](this=column, expression=value)
        function = exp.Max if condition.descending else exp.Min
        value = inner.frame(exp.select(function(this=inner.column(condition.col)))).subquery()
        return exp.EQ(this=column, expression=value)

    def _flag(self, column: exp.Expr, flag: Flag) -> exp.Expr:
        """By itself only where the database has a type for truth; else as it keeps yes and no."""
        if (flag.col.table, flag.col.name) in self.scope.linker.definitions.conditions:
            return exp.Not(this=column) if flag.negated else column
        text = flags.spell_flag(self.scope.linker, flag.col, negated=flag.negated)
        if text is not None:
            return exp.EQ(this=column, expression=exp.Literal.string(text))
        typed = self.scope.catalog_column(flag.col).type.lower().startswith("bool")
        if typed and self.scope.dialect not in NUMBERED:
            return exp.Not(this=column) if flag.negated else column
        return exp.EQ(this=column, expression=exp.Literal.number(int(not flag.negated)))

    def _compare(self, column: exp.Expr, condition: Compare) -> exp.Expr:
        values = [self.scope.literal(condition.col, value, condition.op) for value in condition.values]
        if condition.op.removeprefix("not ") in ("contains", "starts", "ends"):
            return self._like(column, condition)
        if condition.op == "between":
            return exp.Between(this=column, low=values[0], high=values[1])
        if len(values) > 1:
            found = exp.In(this=column, expressions=values)
            return exp.Not(this=found) if condition.op == "!=" else found
        return OPERATORS[condition.op](this=column, expression=values[0])

    def _like(self, column: exp.Expr, condition: Compare) -> exp.Expr:
        text = str(condition.values[0])
        if "%" in text or "_" in text:
            raise QuestionError("Texts with % or _ cannot be searched for.", words=[text])
        op = condition.op.removeprefix("not ")
        before, after = {"contains": ("%", "%"), "starts": ("", "%"), "ends": ("%", "")}[op]
        pattern = exp.Literal.string(f"{before}{text.lower()}{after}")
        found = exp.Like(this=exp.Lower(this=column), expression=pattern)
        return exp.Not(this=found) if condition.op.startswith("not ") else found

    def _inner(self, root: Key, base: Key | None = None) -> Scope:
        outer = self.scope
        return Scope(root, outer.linker, outer.joins, outer.dialect, outer.taken, base=base)

    def _related(self, related: Related) -> exp.Expr | None:
        scope, target = self.scope, related.table
        positive = not related.negated and not related.op
        self._check_owners(related)
        if positive and target == scope.root:
            return self._all(related, self)
        if (
            positive
            and scope.reaches(target)
            and (related.loose or scope.joins.up(related.anchor, target) is not None)
        ):
            scope.join(target)
            return self._all(related, self)
        anchor = related.anchor if scope.reaches(related.anchor) else scope.root
        if positive and anchor != scope.root and scope.reaches(target):
            raise QuestionError(
                f"It is not clear whether the {target[1]} restrict {scope.root[1]} or only {anchor[1]}.",
                words=[],
                reason="ambiguous",
            )
        path = scope.joins.path(anchor, target)
        if not path:
            raise QuestionError(f"No foreign keys lead from {anchor[1]} to {target[1]}.", words=[], reason="no_join")
        if len(path) > MOST_GUESSED and not all(edge.declared for edge in path):
            raise QuestionError(f"Only a long way leads from {anchor[1]} to {target[1]}.", words=[], reason="no_join")
        scope.join(anchor)
        first, rest = path[0], path[1:]
        inner = self._inner(target, base=first.target)
        inner.follow(rest)
        restrictions = Restrictions(inner)
        where = [inner.on(first, outer=scope), self._all(related, restrictions)]
        conditions = [part for part in where if part is not None]
        if related.op:
            several = any(not edge.single for edge in path[1:]) or (any(not e.single for e in path[:1]) and rest)
            count = self._count(inner, target, distinct=bool(several))
            query = inner.frame(exp.select(count)).where(*conditions)
            return OPERATORS[related.op](this=query.subquery(), expression=exp.convert(related.count))
        exists = exp.Exists(this=inner.frame(exp.select("1")).where(*conditions))
        return exp.Not(this=exists) if related.negated else exists

    @staticmethod
    def _check_owners(related: Related) -> None:
        """Raises QuestionError if what related rows are to meet is said of the rows that they belong to."""
        plain = [c for c in related.conditions if not isinstance(c, AnyOf | Related | Shared)]
        strange = [c.col for c in plain if c.col.table == related.anchor != related.table]
        if strange and (related.negated or len(related.conditions) > 1):
            raise QuestionError(
                f"It is not clear whether {strange[0].name} is that of {related.anchor[1]} or of {related.table[1]}.",
                words=[],
                reason="ambiguous",
            )

    def _shared(self, shared: Shared) -> exp.Expr:
        table = shared.col.table
        inner = self._inner(table)
        same = exp.EQ(this=inner.column(shared.col), expression=self.scope.column(shared.col))
        met = [Restrictions(inner).sql(condition, table) for condition in shared.conditions]
        clauses = [same, *(clause for clause in met if clause is not None)]
        exists = exp.Exists(this=inner.frame(exp.select("1")).where(*clauses))
        return exp.Not(this=exists) if shared.negated else exists

    @staticmethod
    def _all(related: Related, restrictions: Restrictions) -> exp.Expr | None:
        parts = [restrictions.sql(condition, related.table) for condition in related.conditions]
        known = [part for part in parts if part is not None]
        return exp.and_(*known) if known else None

    @staticmethod
    def _count(inner: Scope, target: Key, *, distinct: bool) -> exp.Expr:
        if not distinct:
            return exp.Count(this=exp.Star())
        keys = inner.joins.row_key(target)
        if len(keys) != 1:
            raise QuestionError(f"The rows of {target[1]} cannot be told apart: it has no single key.", words=[])
        return exp.Count(this=exp.Distinct(expressions=[inner.column(Col(target, keys[0]))]))
