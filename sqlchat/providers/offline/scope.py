"""One FROM clause in the making: its tables, their aliases, and the joins that columns asked of it need.

Called by the builder, for the query and for each of its subqueries.
"""

from __future__ import annotations

from datetime import date

import sqlglot
from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.joins import Edge, Joins
from sqlchat.providers.offline.linker import BOOLEAN_TYPE, Linker
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.query import Literal
from sqlchat.providers.offline.roles import get_alias, get_real_key
from sqlchat.sql.catalog import Column

OPERATORS: dict[str, type[exp.Binary]] = {
    "=": exp.EQ, "!=": exp.NEQ, ">": exp.GT, ">=": exp.GTE, "<": exp.LT, "<=": exp.LTE,
}  # fmt: skip
YEARS = range(1000, 3000)


class Scope:
    """Joins grow from `root` along keys of which each row has one partner at most, so that rows never multiply."""

    def __init__(
        self, root: Key, linker: Linker, joins: Joins, dialect: str, taken: set[str], *, base: Key | None = None
    ):
        self.root, self.linker, self.joins, self.dialect = root, linker, joins, dialect
        self.taken = taken
        """Aliases of this query and of those around it."""
        self.aliases: dict[Key, str] = {}
        self.base = base or root
        self._joins: list[tuple[Key, exp.Expr]] = []
        self._left: set[Key] = set()
        self.alias(self.base)

    def alias(self, key: Key) -> str:
        if key not in self.aliases:
            plain = key[1] if key in self.linker.tables else get_alias(key)
            name, number = plain, 2
            while name.lower() in self.taken:
                name, number = f"{plain}_{number}", number + 1
            self.taken.add(name.lower())
            self.aliases[key] = name
        return self.aliases[key]

    def reaches(self, key: Key) -> bool:
        return key in self.aliases or self.joins.up(self.root, key) is not None

    def join(self, key: Key) -> None:
        """Make the table part of the FROM clause."""
        if key in self.aliases:
            return
        path = self.joins.up(self.root, key)
        if path is None:
            raise QuestionError(f"No foreign keys lead from {self.root[1]} to {key[1]}.", words=[], reason="no_join")
        self.follow(path)

    def follow(self, path: list[Edge]) -> None:
        for edge in path:
            if edge.target not in self.aliases:
                self.alias(edge.target)
                self._joins.append((edge.target, self.on(edge)))

    def left(self, edge: Edge) -> None:
        """Join the edge's source to its target, each of whose rows stays where there is none."""
        self.alias(edge.source)
        self._joins.append((edge.source, self.on(edge)))
        self._left.add(edge.source)

    def narrow(self, key: Key, condition: exp.Expr) -> None:
        """Join only those rows of the table that meet the condition."""
        self._joins = [(k, exp.and_(on, condition) if k == key else on) for k, on in self._joins]

    def on(self, edge: Edge, outer: Scope | None = None) -> exp.Expr:
        """The edge's condition; its source is in `outer` where given."""
        pairs = [
            exp.EQ(
                this=(outer or self).raw(Col(edge.source, here)),
                expression=self.raw(Col(edge.target, there)),
            )
            for here, there in edge.columns
        ]
        return exp.and_(*pairs)

    def raw(self, col: Col) -> exp.Column:
        return exp.column(
            exp.to_identifier(col.name, quoted=not _plain(col.name, self.dialect)),
            table=exp.to_identifier(self.alias(col.table), quoted=not _plain(self.alias(col.table), self.dialect)),
        )

    def column(self, col: Col) -> exp.Expr:
        """The column, or the condition that a term of that name stands for."""
        if isinstance(col, Computed):
            return self._compute(col)
        self.join(col.table)
        defined = self.linker.definitions.conditions.get((col.table, col.name))
        if defined is None:
            return self.raw(col)
        tree = sqlglot.parse_one(defined)
        for column in list(tree.find_all(exp.Column)):
            column.replace(self.raw(Col(col.table, column.name)))
        return exp.paren(tree)

    def _compute(self, col: Computed) -> exp.Expr:
        left, right = self.column(col.left), self.column(col.right)
        if col.kind == "weekday":
            return exp.cast(dates.cut(left, "weekday", self.dialect), "int")
        if col.kind == "scaled" and col.factor < 1:
            return exp.Div(this=left, expression=exp.Literal.number(f"{1 / col.factor:.10g}.0"), typed=True)
        if col.kind == "scaled":
            return exp.Mul(this=left, expression=exp.Literal.number(f"{col.factor:.10g}"))
        if col.kind == "age":
            return dates.count_years(left, date.fromisoformat(col.day), self.dialect)
        if col.kind == "minus":
            return exp.paren(exp.Sub(this=left, expression=right))
        if col.kind == "over":
            whole = exp.Mul(this=exp.Literal.number("1.0"), expression=left)
            part = exp.Nullif(this=right, expression=exp.Literal.number(0))
            return exp.Div(this=whole, expression=part, typed=True)
        if col.day:
            right = dates.day_literal(col.day, self.catalog_column(col.left), self.dialect)
        return dates.subtract(left, right, col.kind, self.dialect)

    def catalog_column(self, col: Col) -> Column:
        return self.linker.catalog_column(col)

    def frame(self, select: exp.Select, *, keep: bool = False) -> exp.Select:
        """`select` with this FROM clause; `keep` leaves no row of the root out for want of a partner."""
        select = select.from_(self._table(self.base))
        for key, on in self._joins:
            select = select.join(self._table(key), on=on, join_type="left" if keep or key in self._left else "")
        return select

    def _table(self, key: Key) -> exp.Table:
        schema, name = key if key in self.linker.tables else get_real_key(key)
        table = exp.Table(
            this=exp.to_identifier(name, quoted=not _plain(name, self.dialect)),
            db=exp.to_identifier(schema, quoted=not _plain(schema, self.dialect)) if schema else None,
        )
        if self.aliases[key] != name:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(self.aliases[key])))
        return table

    def compare(self, left: exp.Expr, op: str, value: Literal) -> exp.Expr:
        return OPERATORS[op](this=left, expression=exp.convert(value))

    def literal(self, col: Col, value: Literal, op: str) -> exp.Expr:
        """`value` as the column's type takes it. Raises QuestionError where the comparison would mean nothing."""
        column = self.catalog_column(col)
        if isinstance(value, str):
            if dates.is_number(column):
                raise QuestionError(f"{col.name} holds numbers, not texts such as {value!r}.", words=[value])
            return exp.Literal.string(value)
        if BOOLEAN_TYPE.match(column.type):
            raise QuestionError(f"{col.name} says yes or no, which is not compared with {value}.", words=[str(value)])
        if dates.is_text(column):
            # Text sorts by letters: only four-digit years sort as numbers do.
            if op not in ("=", "!=") and not (isinstance(value, int) and value in YEARS):
                raise QuestionError(
                    f"{col.name} is kept as text, so it cannot be compared with the number {value}.",
                    words=[str(value)],
                    reason="text_column",
                )
            return exp.Literal.string(str(value))
        return exp.convert(value)


def _plain(name: str, dialect: str) -> bool:
    """Whether the name means itself without quotes in every dialect: quoting all would make the SQL hard to read."""
    folded = name.islower() or dialect in ("sqlite", "duckdb", "mysql", "spark")
    plain = folded and name.isidentifier() and name.isascii()
    return plain and name.lower() not in RESERVED


RESERVED = lexicon.words(
    "all alter and any as asc between by case cast check collate column constraint create cross current_date "
    "default delete desc distinct drop else end except exists false fetch for foreign from full grant group "
    "having in index inner insert intersect into is join key left like limit lines match natural not null offset "
    "on or order outer primary rank references right rows select set share show some table then to true union "
    "unique update user using values view when where window with year month day date time interval condition "
    "change row system read write precision language function trigger usage release schema database keys kill "
    "loop option procedure range"
)
