"""What a question was read as: plain data between the grammar, which writes it, and the builder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as Choice

from sqlchat.providers.offline.links import Col, Hit, Key
from sqlchat.providers.offline.measures import Measure

Literal = str | int | float


@dataclass(frozen=True, slots=True)
class DatePart:
    """A date cut to its year, quarter, month, week or day."""

    col: Col
    unit: str


@dataclass(frozen=True, slots=True)
class Agg:
    """An aggregate; over a table it counts its rows."""

    function: str
    of: Col | Measure | Key
    distinct: bool = False
    per: Key | Col | DatePart | None = None
    """Of an average of a count or a measure: the rows, values or days for each of which it is taken first."""
    over: Col | None = None
    """Of a total: the column whose total divides it."""


Term = Col | Measure | DatePart | Agg


@dataclass(frozen=True, slots=True)
class Compare:
    """`col op values`; several values with `=` mean any of them; `between` has two."""

    col: Col
    op: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` up to and without `end` (ISO dates); either may be open."""

    col: Col
    start: str | None
    end: str | None


@dataclass(frozen=True, slots=True)
class Versus:
    """The column against another one of the same row: `returned after it was due`."""

    col: Col
    op: str
    other: Col


@dataclass(frozen=True, slots=True)
class Pointed:
    """The row that the column leads to by the key `to` meets the condition: `from Bergen`, of trips."""

    col: Col
    to: Col
    condition: Compare


@dataclass(frozen=True, slots=True)
class Extreme:
    """The row of the column's table that has its largest (or smallest) value."""

    col: Col
    descending: bool


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the conditions."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Null:
    col: Col
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """The column says yes, or no."""

    col: Col
    negated: bool = False


@dataclass(slots=True)
class Benchmark:
    """The column against its own average, highest or lowest over the rows that meet the conditions."""

    col: Col
    op: str
    function: str = "avg"
    conditions: list[Condition] = field(default_factory=list)


@dataclass(slots=True)
class Shared:
    """Another row with the same value of `col` meets the conditions: `publishers with books in 2014 and in 2015`.

    `negated`: none does, as in `customers who never ordered bread`, where customers are values of a column.
    """

    col: Col
    conditions: list[Condition] = field(default_factory=list)
    negated: bool = False


@dataclass(slots=True)
class Related:
    """A row of `anchor` has rows in `table` that meet `conditions`: some, none, or a number of them."""

    anchor: Key
    table: Key
    conditions: list[Condition] = field(default_factory=list)
    negated: bool = False
    op: str = ""
    count: int = 0
    loose: bool = False
    """True where words such as `of` or `in` name the relation: then it may restrict the rows themselves."""


Condition = Compare | Period | Benchmark | Versus | Pointed | Extreme | AnyOf | Null | Flag | Related | Shared


@dataclass
class Query:
    subject: Key | None = None
    """The table whose rows are listed or counted."""
    outputs: list[Term] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    groups: list[Col | DatePart | Key] = field(default_factory=list)
    having: list[tuple[Agg, str, Literal]] = field(default_factory=list)
    order: list[tuple[Term, bool]] = field(default_factory=list)
    """(term, descending)"""
    part: Condition | None = None
    """Of a share: what the rows of the part meet."""
    asks_any: bool = False
    """True where the question is whether there are any: the count comes with a yes or no."""
    bound: tuple[str, Literal] = (">", 0)
    """Of such a question: what the figure is to be."""
    sides: tuple[tuple[str, Condition], ...] = ()
    """Of a comparison for yes or no: the two, each with its words and what its rows meet."""
    sides_op: str = ">"
    """What the figure of the first is to be to that of the second."""
    share_of_groups: bool = False
    """True where the figure of each group is its percentage of all."""
    within: list[Col | DatePart | Key] = field(default_factory=list)
    """Of a top in each group, as in `the oldest member in each city`: the groups; `limit` rows of each are kept."""
    arranged: list[tuple[Term, bool]] = field(default_factory=list)
    """How groups come where the question names no order; the answer does not rest on it."""
    limit: int | None = None
    distinct: bool = False
    hidden_groups: bool = False
    """True where the groups themselves are not to be shown."""
    complete: bool = False
    """True where groups without rows are asked for as well: `all customers and their number of orders`."""
    matched: list[tuple[str, Col, str]] = field(default_factory=list)
    """(words of the question, column, the value that they name)"""
    assumptions: list[str] = field(default_factory=list)


@dataclass
class Asked:
    """One thing asked for, before it is known which table is spoken of."""

    kind: Choice["column", "table", "measure", "unit"]
    text: str
    functions: list[str] = field(default_factory=list)
    """Aggregates asked of it; empty for the thing itself."""
    hits: list[Hit] = field(default_factory=list)
    table: Key | None = None
    measure: Measure | None = None
    distinct: bool = False
    per: Key | None = None
    """The table for whose rows a measure is added up before it is averaged."""
    unit: str = ""
    owner: Key | None = None
    """The table that the words themselves put it in: `the students' names`."""
