"""The state of reading one question: what it asks for and of what, and the conditions written down so far.
The grammar and its parts read with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlchat.errors import QuestionError
from sqlchat.providers.offline.cursor import FIRST_OR_LAST, Focus, is_participle
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.meanings import Meanings
from sqlchat.providers.offline.query import Asked, Compare, Condition, Period, Related, Shared
from sqlchat.sql.catalog import Column

__all__ = ["FIRST_OR_LAST", "Focus", "Reader", "is_participle"]

SILENT = frozenset(",.?!:;()")


@dataclass
class Reader(Meanings):
    unknown: list[str] = field(default_factory=list)
    measured: Key | None = None
    """The table that is counted or added up, to which a period belongs."""
    ranked: str = ""
    """`desc` for top, `asc` for bottom, until a measure to rank by is read."""
    explicit_subject: bool = False
    """True where the question names the subject's table, not only columns of it."""
    counted: tuple[Key, ...] = ()
    """Tables that the question asks to count, so that it lists no rows which an order could pick from."""
    listed: tuple[Key, ...] = ()
    """Tables whose rows the question lists side by side: `customers and their orders`."""
    earlier: tuple[Asked, ...] = ()
    """What the sentences before asked for: `the number` of a later one is theirs."""
    ranking: Asked | None = None
    """What `the most ...` counts, for `and how many` after it."""
    divisor: Col | None = None
    """The quantity that a measure is divided by: `revenue per tonne`."""
    most_frequent: bool = False
    """True where the value that most rows have is asked for."""
    unit: str = ""
    """The unit that a leading `monthly` groups by."""
    category: Col | None = None
    """The repeating column whose values are listed: `which cities ...` of a table of customers."""
    needs_order: bool = False
    """True after `3 customers`: which three must be said."""

    def add(self, condition: Condition) -> None:
        if self._speak_of_another_row(condition):
            return
        if isinstance(condition, Compare) and condition.op in ("=", "!="):
            told = [c for c in self.focus.conditions if isinstance(c, Compare) and c.op in ("=", "!=")]
            same = [c for c in told if c.col == condition.col]
            if any(c.values == condition.values and c.op == condition.op for c in same):
                return
            if same:
                raise QuestionError(
                    f"{condition.col.name} cannot be {same[0].values[0]} and {condition.values[0]} at once.",
                    words=[str(condition.values[0])],
                    reason="ambiguous",
                )
        if isinstance(condition, Compare) and self._excludes(condition):
            raise QuestionError(
                f"No value of {condition.col.name} meets both conditions: say whether each is of another row.",
                words=[str(condition.values[0])],
                reason="ambiguous",
            )
        if isinstance(condition, Period) and condition.start and condition.end:
            periods = [c for c in self.focus.conditions if isinstance(c, Period) and c.col == condition.col]
            if any(c.start and c.end for c in periods):
                raise QuestionError(
                    f"Two periods for {condition.col.name} are not read yet.", words=[condition.start]
                )
        self.focus.conditions.append(condition)

    def _speak_of_another_row(self, condition: Condition) -> bool:
        """Write down a condition that no row meets together with those before, if several rows are spoken of.

        `stadiums with concerts in both 2014 and 2015` has one concert in each year.
        """
        if not isinstance(condition, Compare | Period):
            return False
        same = [c for c in self.focus.conditions if isinstance(c, type(condition)) and c.col == condition.col]
        if isinstance(condition, Compare):
            apart = self._excludes(condition)
            alike = condition.op == "=" and any(isinstance(c, Compare) and c.op == "=" for c in same)
        else:
            apart, alike = False, bool(same and condition.start and condition.end)
        related, query = self.focus.related, self.query
        if not (alike and self.both) and not apart:
            return False
        if related is not None:
            plain = not (related.negated or related.op) and related in query.conditions
            if not plain or self.joins.distance(related.anchor, related.table)[0] < 2:
                return False
            self.relate_again(related).conditions.append(condition)
            return True
        if self.category is None or self.focus.conditions is not query.conditions:
            return False
        self.share(self.category).conditions.append(condition)
        return True

    def share(self, category: Col, *, negated: bool = False) -> Shared:
        """Speak of another row with the same value from here on."""
        shared = Shared(category, negated=negated)
        self.query.conditions.append(shared)
        self.focus = Focus(self.focus.table, shared.conditions)
        met = "No row" if negated else "Some row"
        self.assume(f"{met} of the same {category.name} meets the condition{' after never' if negated else ''}.")
        return shared

    def relate_again(self, related: Related) -> Related:
        """Speak of another row of the related table from here on."""
        again = Related(related.anchor, related.table, loose=related.loose)
        self.query.conditions.append(again)
        self.focus = Focus(related.table, again.conditions, again)
        return again

    def _excludes(self, condition: Compare) -> bool:
        """Whether a condition on the same column leaves no value for this one: under 1945 and over 1955."""
        told = [c for c in self.focus.conditions if isinstance(c, Compare) and c.col == condition.col]
        bounds = [(c.op[0], c.values[0]) for c in (*told, condition) if c.op in (">", ">=", "<", "<=")]
        above = [value for op, value in bounds if op == ">" and not isinstance(value, str)]
        below = [value for op, value in bounds if op == "<" and not isinstance(value, str)]
        return bool(above and below) and max(above) >= min(below)

    def relate(self, table: Key, *, loose: bool, negated: bool = False, op: str = "", count: int = 0) -> None:
        """Speak of `table` from here on, as related to what was spoken of before."""
        anchor = self.focus.table
        assert anchor is not None
        if negated and self.focus.related is not None:
            raise QuestionError(f"What has no {table[1]} is not clear here.", words=["not"], reason="ambiguous")
        related = Related(anchor, table, [], negated, op, count, loose)
        self.focus.conditions.append(related)
        self.focus = Focus(table, related.conditions, related)

    def find_column_before(self, at: int, fits: Callable[[Column], bool]) -> Col | None:
        """The column whose name ends before that token: `delivery dates` of `delivery dates on a Friday`."""
        for start in range(max(0, at - 3), at):
            for link in self.links(start):
                hits = [hit for hit in link.columns if fits(self.column(hit.col))]
                if start + link.size == at and hits and not link.tables:
                    return self.resolve(hits, link.text, self.focus.table).col
        return None

    def has_several(self, col: Col) -> bool:
        """Whether what the question is about may have more than one value of the column."""
        related = self.focus.related
        if related is not None and self.joins.distance(related.anchor, related.table)[0] > 1:
            return True
        return self.focus.table is not None and self.joins.distance(self.focus.table, col.table)[0] > 1

    def back_to_subject(self) -> None:
        self.focus = Focus(self.query.subject, self.query.conditions)

    def not_understood(self) -> None:
        """Note the next word as one that has no place, and go on to find the others."""
        token = self.token()
        if (token is not None and token.kind != "sign" and token.text not in self.unknown) or (
            token is not None and token.kind == "sign" and token.text not in SILENT
        ):
            self.unknown.append(token.text)
        self.at += 1
