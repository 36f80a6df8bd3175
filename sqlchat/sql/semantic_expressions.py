"""Rewrites expressions of semantic models with the columns of a database's tables.

For example, `SUM(CASE WHEN sale__status = 'sold' THEN pieces * price END)` names no table. `sale__status` is no
column, but the dimension `status` of the dataset whose key is the entity `sale`.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, deque
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
    """An expression cannot be rewritten. The message is a sentence."""


@dataclass(frozen=True)
class DocumentExpression:
    """An expression as a document has it, and its dialect for sqlglot."""

    text: str
    dialect: str


@dataclass(frozen=True)
class Dataset:
    """A dataset whose table the database has."""

    name: str
    table: Table
    fields: Mapping[str, DocumentExpression] = field(default_factory=dict)
    """Name in lower case -> expression."""
    keys: frozenset[tuple[str, ...]] = frozenset()
    """Keys of the table, each with its columns in lower case."""


@dataclass(frozen=True)
class Link:
    """A relationship: each row of `source` refers to at most one row of `target`."""

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
    """The conditions that join other tables to the aggregated one."""
    query: str
    """A query that computes the expression, for a check."""


class Resolver:
    """Rewrites the expressions of one semantic model."""

    def __init__(self, datasets: Sequence[Dataset], links: Sequence[Link], dialect: str) -> None:
        self._datasets = {dataset.name.lower(): dataset for dataset in datasets}
        self._links, self._dialect = links, dialect

    def resolve(self, expression: DocumentExpression, home: Dataset | None = None) -> Resolved:
        """Rewrite `expression` over columns of tables. `home` is the dataset of a field.

        Raises ExpressionError.
        """
        tree = exp.Paren(this=parse_expression(expression))
        for part in tree.find_all(exp.Sub, exp.Div):
            if part.find(exp.AggFunc) and part.this.unnest() == part.expression.unnest():
                raise ExpressionError("Both sides of its calculation are the same: an offset in time is not told.")
        home = home or self._find_home(tree)
        used: dict[str, Dataset] = {}
        for column in list(tree.find_all(exp.Column)):
            dataset, meaning = self._look_up(column, home)
            for table_column in meaning.find_all(exp.Column):
                table_column.meta["dataset"] = dataset.name
            used[dataset.name] = dataset
            column.replace(meaning)
        base = self._find_base(list(used.values()) or ([home] if home else []))
        self._refuse_repeats(tree, base)
        paths = (self._find_path(base, dataset) for dataset in used.values() if dataset is not base)
        query = exp.select(tree.this.copy()).from_(write_table(base.table))
        joins = []
        for link in dict.fromkeys(itertools.chain.from_iterable(paths)):
            condition = self._write_condition(link)
            query = query.join(write_table(self._find_dataset(link.target).table), on=condition, join_type="left")
            joins.append(condition.sql(self._dialect))
        return Resolved(tree.this.sql(self._dialect), tuple(joins), query.sql(self._dialect))

    def _find_dataset(self, name: str) -> Dataset:
        if dataset := self._datasets.get(name.lower()):
            return dataset
        matches = [each for each in self._datasets.values() if each.table.name.lower() == name.lower()]
        if len(matches) == 1:
            return matches[0]
        raise ExpressionError(f"There is no dataset {name!r} with a table that the database holds.")

    def _look_up(self, column: exp.Column, home: Dataset | None) -> tuple[Dataset, exp.Expr]:
        """Return the dataset and the meaning of a column in an expression. Raises ExpressionError."""
        name = column.name
        if column.table:
            dataset = self._find_dataset(column.table)
            meaning = self._read_field(dataset, name) or self._write_column(dataset, name)
            if meaning is None:
                raise ExpressionError(f"The dataset {dataset.name!r} has no field or column {name!r}.")
            return dataset, meaning
        if home and (meaning := self._find_expression(home, name)):
            return home, meaning
        meanings = [(each, self._find_expression(each, name)) for each in self._datasets.values()]
        matches = [(dataset, meaning) for dataset, meaning in meanings if meaning]
        if len(matches) == 1:
            return matches[0]
        if "__" in name:
            return self._find_dimension(column, home)
        raise ExpressionError(_explain_ambiguity(name, [dataset for dataset, _ in matches]))

    def _find_dimension(self, column: exp.Column, home: Dataset | None) -> tuple[Dataset, exp.Expr]:
        """Return the dataset and meaning of a dimension. Raises ExpressionError.

        `order_id__status` is the field `status` of the dataset with the key `order_id`. A grain may follow:
        `order_id__ordered_on__month`.
        """
        *path, last = column.name.split("__")
        grain = ""
        if len(path) > 1 and last.lower() in GRAINS | PARTS:
            grain, (*path, last) = last.lower(), path
        entity = path[-1].lower()
        owners = [each for each in self._datasets.values() if self._find_expression(each, last)]
        with_key = [each for each in owners if self._is_key(each, entity)]
        with_field = [each for each in owners if entity in each.fields]
        candidates = with_key or with_field or owners
        if len(candidates) > 1 and home in candidates:
            candidates = [each for each in candidates if each is home]
        if len(candidates) != 1:
            raise ExpressionError(_explain_ambiguity(column.name, candidates))
        dataset = candidates[0]
        meaning = self._read_field(dataset, last) or self._write_column(dataset, last)
        assert meaning is not None
        return dataset, self._truncate(meaning, grain, dataset, last, column) if grain else meaning

    def _truncate(self, time: exp.Expr, grain: str, dataset: Dataset, name: str, column: exp.Column) -> exp.Expr:
        """Truncate `time` to a grain. If `column` is compared with a number, return the number of that grain."""
        if grain in PARTS or _is_compared_with_number(column):
            return exp.Extract(this=exp.var(grain.upper()), expression=time)
        table_column = dataset.table.column(time.name if isinstance(time, exp.Column) else name)
        if grain == "day" and table_column is not None and table_column.type.lower() == "date":
            return time
        return exp.TimestampTrunc(this=time, unit=exp.var(grain.upper()))

    def _is_key(self, dataset: Dataset, entity: str) -> bool:
        expression = dataset.fields.get(entity)
        return expression is not None and (expression.text.strip(' "`').lower(),) in dataset.keys

    def _find_home(self, tree: exp.Expr) -> Dataset | None:
        """Return the dataset that has all unqualified names; None without such names or such a dataset.

        Raises ExpressionError if several datasets have them.
        """
        names = {column.name for column in tree.find_all(exp.Column) if not column.table and "__" not in column.name}
        owners = {self._find_dataset(column.table).name for column in tree.find_all(exp.Column) if column.table}
        if not names and len(owners) != 1:
            return None
        matches = [
            each for each in self._datasets.values() if all(self._find_expression(each, name) for name in names)
        ]
        matches = [each for each in matches if each.name in owners] or matches
        if len(matches) > 1:
            raise ExpressionError(_explain_ambiguity(", ".join(sorted(names)), matches))
        return matches[0] if matches else None

    def _find_expression(self, dataset: Dataset, name: str) -> exp.Expr | None:
        return self._write_column(dataset, name) or self._read_field(dataset, name)

    def _read_field(self, dataset: Dataset, name: str) -> exp.Expr | None:
        """Return a field's expression over columns of its table; None if there is no such field."""
        expression = dataset.fields.get(name.lower())
        if expression is None:
            return None
        tree = exp.Paren(this=parse_expression(expression))
        for column in list(tree.find_all(exp.Column)):
            table_column = self._write_column(dataset, column.name)
            if table_column is None:
                raise ExpressionError(f"The table {dataset.table.name!r} has no column {column.name!r}.")
            column.replace(table_column)
        return tree.this.pop() if isinstance(tree.this, exp.Column) else tree

    def _write_column(self, dataset: Dataset, name: str) -> exp.Column | None:
        column = dataset.table.column(name)
        return write_column(dataset.table, column.name, self._dialect) if column else None

    def _find_base(self, used: Sequence[Dataset]) -> Dataset:
        """Return the dataset whose rows lead to at most one row of each other dataset. Raises ExpressionError."""
        if not used:
            raise ExpressionError("It names no dataset.")
        for base in used:
            if all(other is base or self._find_path(base, other) for other in used):
                return base
        names = " and ".join(sorted(dataset.name for dataset in used))
        raise ExpressionError(f"No relationship leads from one of {names} to the others.")

    def _find_path(self, base: Dataset, other: Dataset) -> list[Link]:
        """Return the shortest path from `base` to `other`; empty if there is none. Raises ExpressionError."""
        paths: dict[str, list[Link]] = {base.name: []}
        queue = deque([base.name])
        while queue:
            source = queue.popleft()
            for link in self._links:
                if link.source == source and link.target not in paths:
                    paths[link.target] = [*paths[source], link]
                    queue.append(link.target)
        path = paths.get(other.name, [])
        ends = Counter((link.source, link.target) for link in self._links)
        for link in path:
            if ends[link.source, link.target] > 1:
                raise ExpressionError(f"Several relationships lead from {link.source} to {link.target}.")
        return path

    def _refuse_repeats(self, tree: exp.Expr, base: Dataset) -> None:
        """Raise ExpressionError if an aggregate would count rows of another dataset than `base` several times."""
        for aggregate in tree.find_all(exp.AggFunc):
            if isinstance(aggregate, SAFE_WITH_REPEATS) or isinstance(aggregate.this, exp.Distinct):
                continue
            columns = list(_find_values(aggregate)) or list(aggregate.find_all(exp.Column))
            owners = {column.meta["dataset"] for column in columns}
            if others := sorted(owners - {base.name}):
                raise ExpressionError(f"Rows of {others[0]} would be added up once for each row of {base.name}.")

    def _write_condition(self, link: Link) -> exp.Expr:
        source, target = self._find_dataset(link.source).table, self._find_dataset(link.target).table
        columns = [write_column(source, name, self._dialect) for name in link.columns]
        ref_columns = [write_column(target, name, self._dialect) for name in link.ref_columns]
        pairs = zip(columns, ref_columns, strict=True)
        return exp.and_(*(exp.EQ(this=column, expression=ref_column) for column, ref_column in pairs))


def parse_expression(expression: DocumentExpression) -> exp.Expr:
    """Parse one expression. Raises ExpressionError, also if there is a query in it."""
    try:
        trees = parse(f"SELECT (\n{expression.text}\n)", expression.dialect)
    except (SQLSyntaxError, SQLRefusedError) as exc:
        raise ExpressionError(exc.detail) from exc
    outputs = trees[0].expressions if len(trees) == 1 and isinstance(trees[0], exp.Select) else []
    if len(outputs) != 1 or not isinstance(outputs[0], exp.Paren) or outputs[0].find(exp.Query):
        raise ExpressionError("It is no expression over columns.")
    inside: exp.Expr = outputs[0].this.pop()
    return inside


def has_period(expression: DocumentExpression) -> bool:
    """Whether the expression has a window, a date or a clock; True if it cannot be parsed."""
    try:
        tree = parse_expression(expression)
    except ExpressionError:
        return True
    clocks = (exp.Window, exp.CurrentDate, exp.CurrentTimestamp)
    return tree.find(*clocks) is not None or any(DATED.match(each.name) for each in tree.find_all(exp.Literal))


def write_table(table: Table) -> exp.Table:
    schema = exp.to_identifier(table.schema, quoted=True) if table.schema else None
    return exp.Table(this=exp.to_identifier(table.name, quoted=True), db=schema)


def write_column(table: Table, name: str, dialect: str) -> exp.Column:
    """Return `table.column`, in quotes if SQL needs them."""
    parts = (exp.to_identifier(each, quoted=spell_name(each, dialect) != each) for each in (name, table.name))
    return exp.Column(**dict(zip(("this", "table"), parts, strict=True)))


def _find_values(node: exp.Expr) -> Iterator[exp.Column]:
    """Yield the columns below `node`, without those in conditions of CASE and IF, which are not aggregated."""
    for key, children in node.args.items():
        if isinstance(node, exp.If) and key == "this":
            continue
        for child in children if isinstance(children, list) else [children]:
            if isinstance(child, exp.Column):
                yield child
            elif isinstance(child, exp.Expr):
                yield from _find_values(child)


def _is_compared_with_number(column: exp.Column) -> bool:
    parent = column.parent
    if not isinstance(parent, exp.Binary | exp.In | exp.Between):
        return False
    return any(isinstance(each, exp.Literal) and each.is_number for each in parent.iter_expressions())


def _explain_ambiguity(name: str, datasets: Sequence[Dataset]) -> str:
    """Return a sentence about a name that no dataset has, or several of them."""
    if not datasets:
        return f"No dataset with a table that the database holds has {name!r}."
    return f"{name!r} may be of {' or '.join(sorted(dataset.name for dataset in datasets))}."
