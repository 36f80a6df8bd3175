"""Rows and the row of the same table that they point to: `the boss of Ann`, `who earn more than their boss`.

A part of `assembly`.
"""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.providers.offline.ages import OLDER
from sqlchat.providers.offline.comparisons import Comparisons
from sqlchat.providers.offline.durations import list_births
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.query import Compare, Null, Versus
from sqlchat.providers.offline.roles import Role

OWNING = lexicon.words("their his her its the an a own each every")
ASKED = lexicon.words("who what which show list name tell")
FLIPPED = {">": "<", "<": ">"}


class Hierarchies(Comparisons):
    role: Role | None = None
    shows_role: bool = False
    """True where the role itself is asked for."""

    def read_roles(self) -> None:
        marks = self.take_each("role")
        nouns = [(at, item) for at, item in marks if item.value == "noun"]
        verbs = [(at, item) for at, item in marks if item.value != "noun"]
        if not marks:
            return
        self.need(len(nouns) <= 1 and len(verbs) <= 1)
        at, item = (nouns or verbs)[0]
        self.role = next(role for role in self.ground.linker.roles if role.key == item.target)
        if nouns:
            self._read_noun(at, item)
        else:
            self._read_verb(at, item)
        self.note("role")

    def _read_noun(self, at: int, item: Item) -> None:
        """`the boss of Ann`, `than their boss`, `per boss`, `whose boss is Ann`, `without a boss`."""
        assert self.role is not None
        names = self._is_name
        before = self.word(item.start - 1)
        owned = before in OWNING
        bound = self.left(at, lambda other: other.kind == "cmp", 2)
        group = self.left(at, lambda other: other.kind == "group", 1)
        if bound is not None and owned:
            self.take(bound)
            self._compare_with_role(bound)
        elif group is not None:
            self.take(group)
            self.groups.append(self.role.key)
        elif self.take_left(at, lambda other: other.kind == "neg", 1) is not None:
            self.place(at, self.role.col, Null(self.role.col))
        elif (name := self._find_name(at)) is not None:
            self._place_name(name)
        elif self.right(at, names, 2) is not None or self.left(at, names, 0) is not None:
            self.need(self.word(0) in ASKED and self.word(1) not in ("do", "does", "did"))
            self.need(self.word(item.end) == "of" or self.left(at, names, 0) is not None)
            self.shows_role = True
        else:
            self.need(owned and self.word(item.start - 2) in ("and", "with"))
            self.shows_role = True

    def _find_name(self, at: int) -> int | None:
        """The name in `whose boss is Ann` and `with Ann as boss`."""
        item, after, before = self.items[at], self.right(at, self._is_name, 2), self.left(at, self._is_name, 3)
        if after is not None and self.word(item.end) in ("is", "was", "="):
            return after
        led = before is not None and "as" in self.lows[self.items[before].end : item.start]
        return before if led else None

    def _read_verb(self, at: int, item: Item) -> None:
        """`who manages Ann` and `whom does Ann report to` ask for the role, `who reports to Ann` for the others."""
        after, before = self.right(at, self._is_name, 1), self.left(at, self._is_name, 1)
        self.need((after is None) != (before is None))
        if (item.value == "over") == (after is not None):
            self.shows_role = True
            return
        self._place_name(after if after is not None else before or 0)

    def _is_name(self, item: Item) -> bool:
        assert self.role is not None
        return item.kind == "value" and item.target in self.choose_display(self.role.table)

    def _place_name(self, at: int) -> None:
        """The condition that the role has this name."""
        assert self.role is not None
        item = self.take(at)
        col = Col(self.role.key, item.target.name)
        self.place(at, col, Compare(col, "=", (item.value,)))
        self.query.matched.append((item.text, item.target, item.value))

    def _compare_with_role(self, bound: int) -> None:
        assert self.role is not None
        marker = self.items[bound]
        op = marker.value if isinstance(marker.value, str) else marker.value[0][1]
        births = [col for col in list_births(self.ground.linker) if col.table == self.role.table]
        own = self.left(bound, lambda item: self.is_number(item) and item.table == self.role_table, 3)
        col: Col | None = None
        if own is not None:
            col = self.take(own).target
        elif marker.text.split()[0] in OLDER and len(births) == 1:
            col, op = births[0], FLIPPED[op]
        elif not isinstance(marker.value, str):
            known = self.reader.adjective(marker.value, self.role.table)
            col = known[0] if known is not None else None
        self.need(col is not None and col.table == self.role.table and op in (">", "<"))
        if col is not None:
            self.place(bound, col, Versus(col, op, Col(self.role.key, col.name)))

    @property
    def role_table(self) -> Key | None:
        return self.role.table if self.role is not None else None

    def write_role(self) -> bool:
        """The outputs where the role is asked for; False elsewhere."""
        if self.role is None or not self.shows_role:
            return False
        self.take_each("who")
        self.need(not self.each("column", "measure", "unit", "when") and self.rank is None)
        self.need(not (self.figures or self.groups))
        shown = self.choose_display(self.role.key)
        self.query.outputs = [*shown]
        if not any(placed.table == self.role.table for placed in self.placed):
            self.query.outputs[:0] = self.choose_display(self.role.table)
            self.reader.assume(f"Rows of {self.role.table[1]} without {self.role.col.name} are left out.")
        return True
