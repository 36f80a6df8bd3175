"""Expressions of semantic models, written anew over the columns of a database's tables.

`SUM(CASE WHEN sale__status = 'sold' THEN pieces * price END)` names no table, and `sale__status` is no column but the
dimension `status` of the dataset whose key is the entity `sale`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.catalog import Table
from sqlchat.sql.names import spell_name
from sqlchat.sql.parse import parse

GRAINS = frozenset(("second", "minute", "hour", "day", "week", "month", "quarter", "year"))
PARTS = frozenset(("dow", "doy"))
SAFE_WITH_REPEATS = exp.Min | exp.Max
DATED = re.compile(r"(19|20)\d\d\b")


class ExpressionError(Exception):
    """Why an expression cannot be written over the tables, in a sentence."""


@dataclass(frozen=True)
class Written:
    """An expression in its document, and the dialect that sqlglot reads it in."""

    text: str
    dialect: str


@dataclass(frozen=True)
class Dataset:
    """A dataset whose table the database holds."""

    name: str
    table: Table
    fields: Mapping[str, Written] = field(default_factory=dict)
    """By their names in lower case."""
    keys: frozenset[tuple[str, ...]] = frozenset()
    """Columns in lower case, each of which identifies a row."""


@dataclass(frozen=True)
class Link:
    """Each row of `source` refers to one row of `target` at most."""

    source: str
    target: str
    columns: tuple[str, ...]
    ref_columns: tuple[str, ...]


@dataclass(frozen=True)
class Resolved:
    """An expression over columns of tables."""

    sql: str
    """In the database's dialect."""
    joins: tuple[str, ...]
    """The conditions by which other tables are joined to the one that is added up."""
    query: str
    """A query that computes it, for a check."""


class Resolver:
    """Of one semantic model."""

    def __init__(self, datasets: Sequence[Dataset], links: Sequence[Link], dialect: str) -> None:
        self._datasets = {dataset.name.lower(): dataset for dataset in datasets}
        self._links, self._dialect = links, dialect

    def resolve(self, written: Written, home: Dataset | None = None) -> Resolved:
        """The expression over columns of tables; `home` is the dataset to which a field belongs.

        Raises ExpressionError.
        """
        tree = exp.Paren(this=parse_expression(written))
        for part in tree.find_all(exp.Sub, exp.Div):
            if part.find(exp.AggFunc) and part.this.unnest() == part.expression.unnest():
                raise ExpressionError("Both sides of its calculation are the same: an offset in time is not told.")
        home = home or self._find_home(tree)
        used: dict[str, Dataset] = {}
        for column in list(tree.find_all(exp.Column)):
            dataset, found = self._look_up(column, home)
            for each in found.find_all(exp.Column):
                each.meta["dataset"] = dataset.name
            used[dataset.name] = dataset
            column.replace(found)
        base = self._find_base(list(used.values()) or ([home] if home else []))
        self._refuse_repeats(tree, base)
        links = [link for other in used.values() if other is not base for link in self._find_path(base, other)]
        links = list(dict.fromkeys(links))
        query = exp.select(tree.this.copy()).from_(write_table(base.table))
        for link in links:
            query = query.join(
                write_table(self._find_dataset(link.target).table), on=self._write_condition(link), join_type="left"
            )
        joins = tuple(self._write_condition(link).sql(self._dialect) for link in links)
        return Resolved(tree.this.sql(self._dialect), joins, query.sql(self._dialect))

    def _find_dataset(self, name: str) -> Dataset:
        if dataset := self._datasets.get(name.lower()):
            return dataset
        of_table = [each for each in self._datasets.values() if each.table.name.lower() == name.lower()]
        if len(of_table) == 1:
            return of_table[0]
        raise ExpressionError(f"There is no dataset {name!r} with a table that the database holds.")

    def _look_up(self, column: exp.Column, home: Dataset | None) -> tuple[Dataset, exp.Expr]:
        name = column.name
        if column.table:
            dataset = self._find_dataset(column.table)
            found = self._read_field(dataset, name) or self._write_column(dataset, name)
            if found is None:
                raise ExpressionError(f"The dataset {dataset.name!r} has no field or column {name!r}.")
            return dataset, found
        if home and (found := self._find_expression(home, name)):
            return home, found
        holders = [(each, found) for each in self._datasets.values() if (found := self._find_expression(each, name))]
        if len(holders) == 1:
            return holders[0]
        if "__" in name:
            return self._find_dimension(column, home)
        raise ExpressionError(_say_holders(name, [each.name for each, _ in holders]))

    def _find_dimension(self, column: exp.Column, home: Dataset | None) -> tuple[Dataset, exp.Expr]:
        """`order_id__status`: the field `status` of the dataset that the entity `order_id` identifies.

        A grain may follow it: `order_id__ordered_on__month`.
        """
        *path, last = column.name.split("__")
        grain = ""
        if len(path) > 1 and last.lower() in GRAINS | PARTS:
            grain, (*path, last) = last.lower(), path
        entity = path[-1].lower()
        having = [each for each in self._datasets.values() if self._find_expression(each, last)]
        of_key = [each for each in having if self._is_key(each, entity)]
        named = [each for each in having if entity in each.fields]
        candidates = next(filter(None, (of_key, named, having)), [])
        if len(candidates) > 1 and home in candidates:
            candidates = [each for each in candidates if each is home]
        if len(candidates) != 1:
            raise ExpressionError(_say_holders(column.name, [each.name for each in candidates]))
        dataset = candidates[0]
        found = self._read_field(dataset, last) or self._write_column(dataset, last)
        assert found is not None
        return dataset, self._truncate(found, grain, dataset, last, column) if grain else found

    def _truncate(self, found: exp.Expr, grain: str, dataset: Dataset, name: str, column: exp.Column) -> exp.Expr:
        """A time at a grain; its number if it is compared with one, since a document writes both alike."""
        if grain in PARTS or _is_compared_with_number(column):
            return exp.Extract(this=exp.var(grain.upper()), expression=found)
        known = dataset.table.column(found.name if isinstance(found, exp.Column) else name)
        if grain == "day" and known is not None and known.type.lower() == "date":
            return found
        return exp.TimestampTrunc(this=found, unit=exp.var(grain.upper()))

    def _is_key(self, dataset: Dataset, entity: str) -> bool:
        written = dataset.fields.get(entity)
        return written is not None and (written.text.strip(' "`').lower(),) in dataset.keys

    def _find_home(self, tree: exp.Expr) -> Dataset | None:
        """The dataset that unqualified names belong to; None if there are none, or no one dataset has them all."""
        names = {column.name for column in tree.find_all(exp.Column) if not column.table and "__" not in column.name}
        owners = {self._find_dataset(column.table).name for column in tree.find_all(exp.Column) if column.table}
        if not names and len(owners) != 1:
            return None
        holders = [
            each for each in self._datasets.values() if all(self._find_expression(each, name) for name in names)
        ]
        preferred = [each for each in holders if each.name in owners] or holders
        if len(preferred) > 1:
            raise ExpressionError(_say_holders(", ".join(sorted(names)), [each.name for each in preferred]))
        return preferred[0] if preferred else None

    def _find_expression(self, dataset: Dataset, name: str) -> exp.Expr | None:
        return self._write_column(dataset, name) or self._read_field(dataset, name)

    def _read_field(self, dataset: Dataset, name: str) -> exp.Expr | None:
        """A field's expression over columns of its table; None if there is no such field."""
        written = dataset.fields.get(name.lower())
        if written is None:
            return None
        tree = exp.Paren(this=parse_expression(written))
        for column in list(tree.find_all(exp.Column)):
            found = self._write_column(dataset, column.name)
            if found is None:
                raise ExpressionError(f"The table {dataset.table.name!r} has no column {column.name!r}.")
            column.replace(found)
        return tree.this.pop() if isinstance(tree.this, exp.Column) else tree

    def _write_column(self, dataset: Dataset, name: str) -> exp.Column | None:
        column = dataset.table.column(name)
        return write_column(dataset.table, column.name, self._dialect) if column else None

    def _find_base(self, used: Sequence[Dataset]) -> Dataset:
        """The one dataset of which each row leads to one row of each other at most."""
        if not used:
            raise ExpressionError("It names no dataset.")
        for base in used:
            if all(other is base or self._find_path(base, other) for other in used):
                return base
        names = " and ".join(sorted(dataset.name for dataset in used))
        raise ExpressionError(f"No relationship leads from one of {names} to the others.")

    def _find_path(self, base: Dataset, other: Dataset) -> list[Link]:
        """The shortest way from rows of `base` to rows of `other`; empty if there is none."""
        ways: dict[str, list[Link]] = {base.name: []}
        queue = deque([base.name])
        while queue:
            here = queue.popleft()
            for link in self._links:
                if link.source == here and link.target not in ways:
                    ways[link.target] = [*ways[here], link]
                    queue.append(link.target)
        way = ways.get(other.name, [])
        for link in way:
            if sum((each.source, each.target) == (link.source, link.target) for each in self._links) > 1:
                raise ExpressionError(f"Several relationships lead from {link.source} to {link.target}.")
        return way

    def _refuse_repeats(self, tree: exp.Expr, base: Dataset) -> None:
        """Raise ExpressionError if rows of another dataset than `base` would be added up more than once."""
        for total in tree.find_all(exp.AggFunc):
            if isinstance(total, SAFE_WITH_REPEATS) or isinstance(total.this, exp.Distinct):
                continue
            columns = list(_find_values(total)) or list(total.find_all(exp.Column))
            owners = {column.meta["dataset"] for column in columns}
            if others := sorted(owners - {base.name}):
                raise ExpressionError(f"Rows of {others[0]} would be added up once for each row of {base.name}.")

    def _write_condition(self, link: Link) -> exp.Expr:
        one, other = self._find_dataset(link.source).table, self._find_dataset(link.target).table
        pairs = zip(link.columns, link.ref_columns, strict=True)
        equal = (
            exp.EQ(this=write_column(one, mine, self._dialect), expression=write_column(other, its, self._dialect))
            for mine, its in pairs
        )
        return exp.and_(*equal)


def parse_expression(written: Written) -> exp.Expr:
    """One expression without a query in it. Raises ExpressionError."""
    try:
        trees = parse(f"SELECT (\n{written.text}\n)", written.dialect)
    except (SQLSyntaxError, SQLRefusedError) as exc:
        raise ExpressionError(exc.detail) from exc
    found = trees[0].expressions if len(trees) == 1 and isinstance(trees[0], exp.Select) else []
    if len(found) != 1 or not isinstance(found[0], exp.Paren) or found[0].find(exp.Query):
        raise ExpressionError("It is no expression over columns.")
    inside: exp.Expr = found[0].this.pop()
    return inside


def has_period(written: Written) -> bool:
    """Whether the expression has a window, or compares with a date, as far as it can be read."""
    try:
        tree = parse_expression(written)
    except ExpressionError:
        return True
    clocks = (exp.Window, exp.CurrentDate, exp.CurrentTimestamp)
    return tree.find(*clocks) is not None or any(DATED.match(each.name) for each in tree.find_all(exp.Literal))


def write_table(table: Table) -> exp.Table:
    schema = exp.to_identifier(table.schema, quoted=True) if table.schema else None
    return exp.Table(this=exp.to_identifier(table.name, quoted=True), db=schema)


def write_column(table: Table, name: str, dialect: str) -> exp.Column:
    """`table.column`, in quotes where they are needed."""
    parts = (exp.to_identifier(each, quoted=spell_name(each, dialect) != each) for each in (name, table.name))
    return exp.Column(**dict(zip(("this", "table"), parts, strict=True)))


def _find_values(node: exp.Expr) -> Iterator[exp.Column]:
    """The columns below `node` but those of conditions: CASE and IF choose by them and do not add them up."""
    for key, children in node.args.items():
        if isinstance(node, exp.If) and key == "this":
            continue
        for child in children if isinstance(children, list) else [children]:
            if isinstance(child, exp.Column):
                yield child
            elif isinstance(child, exp.Expr):
                yield from _find_values(child)


def _is_compared_with_number(column: exp.Column) -> bool:
    """Whether it is compared with a number."""
    parent = column.parent
    if not isinstance(parent, exp.Binary | exp.In | exp.Between):
        return False
    return any(isinstance(each, exp.Literal) and each.is_number for each in parent.iter_expressions())


def _say_holders(name: str, holders: Sequence[str]) -> str:
    if not holders:
        return f"No dataset with a table that the database holds has {name!r}."
    return f"{name!r} may be of {' or '.join(sorted(holders))}."
