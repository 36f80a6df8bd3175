"""Of what a figure or a condition is said: of all rows of a group, a part of them, or people. Base of `assembly`."""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.providers.offline.links import Key
from sqlchat.providers.offline.nevers import NONE, deny_of_all
from sqlchat.providers.offline.placing import Placing
from sqlchat.providers.offline.query import Agg, Condition, Period

ROW_NOUNS = frozenset({"row", "rooted", "event"})
"""Evidence of nouns that stand for rows, so that what is listed are rather the values of a column."""
SAYING = lexicon.words(
    "is are was were do does did has have had that who which being get gets got receive receives use uses need needs"
)
"""Words between the whole and the part of which a share is asked."""


class Wholes(Placing):
    def deny_of_values(self) -> None:
        """`streets where no one appealed`: values of a column without a row of which that is so."""
        denied = not NONE.isdisjoint({item.value for item in self.items if item.kind == "neg"})
        self.need(not (denied and self.query.distinct) or deny_of_all(self.query))

    def choose_part(self) -> Condition | None:
        """The condition after the verb: the late ones of `what share of delivered jobs was late`."""
        query = self.query
        start = max((self.items[at].end for at in self.figures), default=0)
        verb = next((at for at, low in enumerate(self.lows) if at >= start and low in SAYING), len(self.lows))
        after = [p.condition for p in self.placed if self.items[p.at].start > verb]
        after = [condition for condition in after if not isinstance(condition, Period)]
        parts = [one for one in query.conditions if any(one is other for other in after)]
        return parts[0] if len(parts) == 1 and len(after) == 1 else None

    def group_rates(self) -> None:
        """`teams with a win rate above 50 %`: of each team."""
        figures = [target for *_, target in self.bounds if isinstance(target, Agg)]
        if self.share and figures and not self.groups:
            table = figures[0].of
            tables = [(at, item) for at, item in self.each("table") if item.target != table]
            self.need(len(tables) == 1 and isinstance(table, tuple) and self.ground.is_up(table, tables[0][1].target))
            self.groups.append(self.take(tables[0][0]).target)

    def find_counting_people(self) -> Key | None:
        """Of `who has made at least 6 bookings`: the people, each of whom has so many rows."""
        counted = [table for *_, table in self.bounds if table in self.ground.linker.tables]
        if not self.each("who") or len(counted) != 1:
            return None
        people = [
            noun for noun in self.ground.vocabulary.nouns["person"] if self.ground.is_up(counted[0], noun.table)
        ]
        self.need(len(people) == 1 and not people[0].column and people[0].table != counted[0])
        return people[0].table
