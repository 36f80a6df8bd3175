"""What words may name: a table, a column, a value of a column, or a measure. Plain data of `names` and `linker`."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlchat.providers.offline.measures import Measure

Key = tuple[str, str]
"""(schema, table)"""
LOOSE = 4
"""The tier of names that stand for the same by the thesaurus alone."""


@dataclass(frozen=True, slots=True)
class Col:
    table: Key
    name: str


@dataclass(frozen=True, slots=True)
class Computed(Col):
    """A number of each row that two of its columns give: `days` from one date to another, a difference, a ratio."""

    kind: str
    """`minutes`, `hours`, `days`, `weeks`, `minus` or `over`; `weekday`, `age` and `scaled` of one column,
    given twice."""
    left: Col
    right: Col
    factor: float = 1.0
    """What a `scaled` column, given twice, is multiplied by: minutes in hours."""
    day: str = ""
    """The day up to which ages and times are told that begin on a day of the row."""

    @property
    def words(self) -> str:
        names = [f"{col.table[1]}.{col.name}" for col in (self.left, self.right)]
        if self.kind == "weekday":
            return f"the day of the week of {names[0]} (0 is Sunday)"
        if self.kind == "scaled":
            return f"{names[0]} in {self.name.rsplit('_', 1)[-1]}"
        if self.kind == "age":
            return f"the age in whole years by {names[0]} on {self.day}"
        if self.kind in ("minus", "over"):
            return f"{names[0]} {'minus' if self.kind == 'minus' else 'divided by'} {names[1]}"
        return f"the {self.kind} from {names[0]} to {self.day or names[1]}"


Target = Key | Col | Measure


@dataclass(frozen=True, slots=True)
class Hit:
    """What a phrase may mean: a table, a column, a value of a column, or a measure."""

    target: Target
    tier: int
    value: str | None = None

    @property
    def col(self) -> Col:
        """The column that is meant, of a hit that is known to mean one."""
        assert isinstance(self.target, Col)
        return self.target

    @property
    def key(self) -> Key:
        """The table that is meant, of a hit that is known to mean one."""
        assert isinstance(self.target, tuple)
        return self.target


@dataclass
class Link:
    """The readings of the tokens `start` to `start + size`."""

    start: int
    size: int
    text: str
    tables: list[Hit] = field(default_factory=list)
    columns: list[Hit] = field(default_factory=list)
    values: list[Hit] = field(default_factory=list)
    measures: list[Hit] = field(default_factory=list)
