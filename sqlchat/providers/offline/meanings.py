"""What names mean here: which of several tables or columns, and the column that an adjective or a period speaks of.
The base of `reader`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.abbreviations import weigh_short_form
from sqlchat.language.derivations import have_one_root
from sqlchat.language.tokens import name_words, stem
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.cursor import Cursor, is_participle
from sqlchat.providers.offline.durations import BORN, find_duration
from sqlchat.providers.offline.links import LOOSE, Col, Hit, Key, Link
from sqlchat.providers.offline.naming import DELAYS, drop_unit
from sqlchat.providers.offline.nouns import holds_people
from sqlchat.providers.offline.query import Null
from sqlchat.providers.offline.value_directions import keep_direction

BOOKKEEPING = lexicon.words(
    "created_at updated_at modified_at crtd_ts updated_ts last_update last_updated deleted_at"
)
COSTS = lexicon.words("cost purchase buying")
SUMS = {stem(word) for word in ("total", "subtotal", "paid", "sum")}
"""Stems of words for an amount of money."""
OF_TIME = lexicon.words("date day time on at")
SHORTEST_ROOT = 4
"""Letters that a table's name and its day have in common: `donations` and `donated_on`."""


@dataclass
class Meanings(Cursor):
    timed: Col | None = None
    """The day of what was done, as in `tickets opened per month`."""

    def table_of(self, link: Link) -> Hit | None:
        """The one table that `link` names. Raises QuestionError on a tie."""
        if not link.tables:
            return None
        best = min(hit.tier for hit in link.tables)
        hits = [hit for hit in link.tables if hit.tier == best]
        if len(hits) > 1 and all(self.joins.distance(a.key, b.key)[0] <= 1 for a in hits for b in hits):
            # Rows of these tables are the same things, one for one.
            self.assume(f'"{link.text}" is read as the table {hits[0].key[1]}.')
            hits = hits[:1]
        if len(hits) > 1 and len(things := [hit for hit in hits if self.linker.display(hit.key)]) == 1:
            # The other tables only tie things together.
            self.assume(f'"{link.text}" is read as the table {self.linker.shown(things[0].key)}.')
            hits = things
        if len(hits) > 1:
            meant = self.linker.preferred([hit.key for hit in hits], link.text)
            if len(meant) == 1:
                self.assume(f'"{link.text}" is read as the table {self.linker.shown(meant[0])}.')
            hits = [hit for hit in hits if hit.key in meant]
        if len(hits) > 1:
            names = " or ".join(sorted(self.linker.shown(hit.key) for hit in hits))
            raise QuestionError(f'"{link.text}" may mean {names}.', words=[link.text], reason="ambiguous")
        if best >= 3:
            self.assume(f'"{link.text}" is read as the table {hits[0].key[1]}.')
        return hits[0]

    def rank(self, hit: Hit, table: Key | None) -> tuple[int, int, int]:
        """How well a column hit fits where `table` is spoken of: its own columns first, then those along its keys."""
        if table is None:
            return (1, hit.tier, 0)
        near, steps = self.joins.distance(table, hit.col.table)
        if near == 0:
            return (0, hit.tier, 0)
        if near == 1:
            return (1 if hit.tier <= 2 else 2, hit.tier, steps)
        return (3 if near == 2 else 4, hit.tier, steps)

    def resolve(self, hits: Sequence[Hit], text: str, table: Key | None) -> Hit:
        """The one hit that fits best near `table`. Raises QuestionError on a tie."""
        if not hits:
            raise QuestionError(f'"{text}" has no place here.', words=[text])
        if table is not None and all(hit.tier == LOOSE and hit.value is None for hit in hits):
            hits = [hit for hit in hits if self.joins.distance(table, hit.col.table)[0] == 0]
            if not hits:
                raise QuestionError(f'"{text}" has no place here.', words=[text])
        ranked = sorted(hits, key=lambda hit: self.rank(hit, table))
        best = self.rank(ranked[0], table)
        tied = [hit for hit in ranked if self.rank(hit, table) == best]
        if best[0] == 4 and table is not None:
            raise QuestionError(f'"{text}" has no connection with {table[1]}.', words=[text], reason="no_join")
        if len(tied) > 1:
            tied = self.keep_home(tied)
        if len(tied) > 1:
            tied = self._keep_preferred(tied)
        if len(tied) > 1 and len({(hit.col.table, hit.value) for hit in tied}) == 1 and tied[0].value is not None:
            tied = [hit for hit in tied if hit.col in self.linker.display(hit.col.table)] or tied
        if len(tied) > 1:
            tied = [hit for hit in tied if self._is_told_by_verb(hit.col.table)] or tied
        if len(tied) > 1 or tied[0].value is not None:
            lows, words = [token.low for token in self.tokens], text.lower().split()
            at = next((i for i in range(len(lows)) if lows[i : i + len(words)] == words), 0)
            tied = keep_direction(self.linker, tied, lows[:at])
            if not tied:
                raise QuestionError(f'"{text}" is no value of the column that is meant.', words=[text])
        if len(tied) > 1 and table is None:
            tied = [hit for hit in tied if hit.col.table in self.list_mentioned()] or tied
        if len(tied) > 1:
            names = " or ".join(sorted({f"{self.linker.shown(hit.col.table)}.{hit.col.name}" for hit in tied}))
            raise QuestionError(f'"{text}" may mean {names}.', words=[text], reason="ambiguous")
        col = tied[0].col
        self._check_rivals(tied[0], text)
        nearer = [hit for hit in hits if hit.value is None and self._count_steps(hit, table) < 3]
        if tied[0].value is None and nearer and self._count_steps(tied[0], table) >= 3:
            far = f"{col.table[1]}.{col.name}"
            raise QuestionError(
                f'"{text}" may mean {far} or {nearer[0].col.table[1]}.{nearer[0].col.name}.',
                words=[text],
                reason="ambiguous",
            )
        if (value := tied[0].value) is not None:
            self.query.matched.append((text, col, value))
        if tied[0].tier >= 3 or (len(hits) > 1 and (best[0] > 0 or value is not None)):
            shown = f"{self.linker.shown(col.table)}.{col.name}"
            self.assume(f'"{text}" is read as {shown}' + (f" = '{tied[0].value}'." if tied[0].value else "."))
        return tied[0]

    def _count_steps(self, hit: Hit, table: Key | None) -> int:
        return self.joins.distance(table, hit.col.table)[1] if table is not None else 0

    def _check_rivals(self, hit: Hit, text: str) -> None:
        """Raises QuestionError if a number is called by a part of its name that another one of its table has as well.

        `price` may be `full_price` or `price_paid`, though only the one ends so.
        """
        if hit.value is not None or hit.tier < 2 or not dates.is_number(self.column(hit.col)) or " " in text:
            return
        names = {stem(text.lower())} | (SUMS if text.lower() == "amount" else set())
        rivals = [
            column.name
            for column in self.linker.tables[hit.col.table].columns
            if dates.is_number(column) and not self.linker.is_key(Col(hit.col.table, column.name))
            if column.name != hit.col.name and not names.isdisjoint(map(stem, name_words(column.name)))
            if not self.linker.is_flag(Col(hit.col.table, column.name))
        ]
        if rivals:
            raise QuestionError(
                f'"{text}" may mean {hit.col.name} or {" or ".join(rivals)}.',
                words=[text],
                reason="ambiguous",
                rewrites=[(text, " ".join(name_words(name))) for name in (hit.col.name, *rivals)],
            )

    def _is_told_by_verb(self, table: Key) -> bool:
        """Whether a participle beside here has the root of the table's name: `units sold` of `sales`."""
        near = [token.low for ahead in (0, 1, 2) if (token := self.token(ahead)) is not None]
        verbs = [low for low in near if is_participle(low)]
        return any(have_one_root(verb, self.linker.table_words(table)[-1]) for verb in verbs)

    def list_mentioned(self) -> set[Key]:
        """The tables that the question names anywhere."""
        found = [self.link(at) for at in range(len(self.tokens))]
        return {
            hit.key for link in found if link is not None for hit in link.tables if hit.tier < 3 and not link.columns
        }

    def _keep_primary(self, hits: list[Hit]) -> list[Hit]:
        """Among columns that hold the same keys, the table's own."""
        own = [hit for hit in hits if hit.col.name in self.linker.tables[hit.col.table].primary_key]
        return own if len(own) == 1 else hits

    def keep_home(self, hits: list[Hit]) -> list[Hit]:
        """Those that do not refer to another one of them: of two columns that hold the same, where it is defined."""
        hits = self._keep_primary(hits)
        cols = {hit.col for hit in hits}
        kept = []
        for hit in hits:
            col = hit.col
            refers = any(
                Col(edge.target, there) in cols
                for edge in self.joins.edges[col.table]
                for here, there in edge.columns
                if edge.single and edge.declared and here == col.name
            )
            if not refers:
                kept.append(hit)
        return kept or hits

    def _keep_preferred(self, hits: list[Hit]) -> list[Hit]:
        """Those of tables rather than of views over them, and of the first table on the search path."""
        kept = [hit for hit in hits if self.linker.tables[hit.col.table].kind == "table"] or hits
        meant = self.linker.preferred(list(dict.fromkeys(hit.col.table for hit in kept)), "")
        return [hit for hit in kept if hit.col.table in meant]

    def time_column(self, table: Key, *, by_deed: bool = True) -> Col | None:
        """The table's one column of dates or, failing that, its year; `by_deed`: the one of a deed that is named."""
        if self.timed is not None and self.timed.table == table:
            return self.timed
        columns = self.linker.tables[table].columns
        found = [c.name for c in columns if dates.is_date(c) and not self._tells_birth(Col(table, c.name))]
        if len(found) > 1:
            every, found = found, self._find_main_times(table, found, by_deed=by_deed)
            if len(found) == 1 and (others := [n for n in every if n != found[0] and n.lower() not in BOOKKEEPING]):
                self.assume(f"Times are those of {table[1]}.{found[0]}, not of {' or '.join(others)}.")
        if not found:
            years = [c.name for c in columns if "year" in self.linker.column_words(table, c.name)]
            found = [name for name in years if not self._tells_birth(Col(table, name))]
        if len(found) > 1:
            rest = " or ".join(found[1:])
            self.assume(f'Times are those of {table[1]}.{found[0]}; say "{found[1]} in 2024" for {rest}.')
        return Col(table, found[0]) if found else None

    def _tells_birth(self, col: Col) -> bool:
        """Whether the column holds births, which date nothing else; not if the question speaks of them."""
        words = self.linker.column_words(col.table, col.name)
        return not BORN.isdisjoint(words) and not any(token.low in BORN for token in self.tokens)

    def _find_main_times(self, table: Key, names: list[str], *, by_deed: bool) -> list[str]:
        """The days that tell when a row of the table came about: `donated_on` of donations, else what comes first.

        A deed that the question names comes before: `sold` in `per month sold` means `sold_on`.

        Days that rows were written say nothing about what happened, and days of birth are no days of a member.
        """
        words = {name: self.linker.column_words(table, name) for name in names}
        deeds = [token.low for token in self.tokens if is_participle(token.low)]
        named = [
            n for n in names if any(deed == word or have_one_root(deed, word) for deed in deeds for word in words[n])
        ]
        if by_deed and len(named) == 1:
            return named
        found = [n for n in names if n.lower() not in BOOKKEEPING and BORN.isdisjoint(words[n])] or names
        roots = {word[:SHORTEST_ROOT] for word in self.linker.table_words(table) if len(word) >= SHORTEST_ROOT}
        alike = [
            n
            for n in found
            if words[n][0][:SHORTEST_ROOT] in roots
            or any(weigh_short_form(words[n][0], word) for word in self.linker.table_words(table))
        ]
        alike = [n for n in alike if words[n][-1] != "time"] or alike
        if len(alike) > 1:
            alike = [n for n in alike if n == found[0] or not self.column(Col(table, n)).nullable]
        plain = [n for n in found if OF_TIME.issuperset(words[n])]
        return alike if len(alike) == 1 else plain if len(plain) == 1 else found

    def named_column(self, table: Key, name: str) -> Col | None:
        """The column of `table` of that plain name, for adjectives such as `older`; its words, then their last."""
        wanted = tuple(name.split())
        columns = self.linker.tables[table].columns
        words = {c.name: drop_unit(self.linker.column_words(table, c.name)) for c in columns}
        if name in ("length", "duration"):  # `length_min`, in minutes
            words = {n: w[:-1] if w[1:] == ("minimum",) and w[0] == name else w for n, w in words.items()}
        exact = [n for n, w in words.items() if w == wanted]
        loose = exact or [n for n, w in words.items() if w[-len(wanted) :] == wanted and DELAYS.isdisjoint(w)]
        if len(loose) > 1:  # `cheapest` speaks of what a thing is sold for
            loose = [n for n in loose if COSTS.isdisjoint(words[n])]
        return Col(table, loose[0]) if len(loose) == 1 else None

    def _find_named_near(self, table: Key, name: str) -> Col | None:
        """The column of that plain name, of the table or, if its rows have no names, of the one they lead to."""
        own = self.named_column(table, name)
        if own is not None:
            return own
        if self.linker.display(table):  # `the oldest band` is not the one with the oldest singer
            return None
        above = {edge.target for edge in self.joins.edges[table] if edge.single}
        found = [col for other in above if (col := self.named_column(other, name)) is not None]
        return (
            found[0]
            if len(found) == 1 and " ".join(self.linker.column_words(found[0].table, found[0].name)) == name
            else None
        )

    def adjective(self, options: Sequence[tuple[str, str]], table: Key | None) -> tuple[Col, str] | None:
        """The column that an adjective speaks of in `table`, and the direction or operator that goes with it."""
        if table is None:
            return None
        for name, way in options:
            col = self.time_column(table) if name == "*time*" else self._find_named_near(table, name)
            if col is not None:
                if name == "*time*":
                    self.assume(f"First and last are told by {table[1]}.{col.name}.")
                if name == "distance" and (span := find_duration(self, table)) is not None:
                    raise QuestionError(
                        f"Long may speak of {table[1]}.{col.name} or of {span.words}.", words=[], reason="ambiguous"
                    )
                return col, way
        lasting = [way for name, way in options if name == "duration"]
        span = find_duration(self, table) if lasting else None
        if span is None:
            return None
        if lasting[0] == "desc" and holds_people(self.linker, table):  # `the longest serving employee`
            self.assume(f"Who has been there longest has the first {table[1]}.{span.left.name} of those still there.")
            self.query.conditions.append(Null(span.right))
            return span.left, "asc"
        self.assume(f"How long it took is {span.words}.")
        return span, lasting[0]

    def assume(self, text: str) -> None:
        if text not in self.query.assumptions:
            self.query.assumptions.append(text)
