"""The state of reading one question: where we are, what has been understood, and what columns words mean here.
Called by the grammar and its parts.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import Token, stem
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import LOOSE, Col, Hit, Key, Link, Linker
from sqlchat.providers.offline.query import Asked, Compare, Condition, Period, Query, Related, Shared
from sqlchat.sql.catalog import Column


@dataclass
class Focus:
    """What the words just read speak of: a table, and where conditions on it go."""

    table: Key | None
    conditions: list[Condition]
    related: Related | None = None


@dataclass
class Reader:
    tokens: list[Token]
    linker: Linker
    joins: Joins
    today: date
    query: Query = field(default_factory=Query)
    at: int = 0
    focus: Focus = field(default_factory=lambda: Focus(None, []))
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
    listed_all: bool = False
    """True where a superlative is said of several: `which lakes have the largest areas`."""
    most_frequent: bool = False
    """True where the value that most rows have is asked for."""
    timed: Col | None = None
    """The day of what was done, as in `tickets opened per month`."""
    unit: str = ""
    """The unit that a leading `monthly` groups by."""
    category: Col | None = None
    """The repeating column whose values are listed: `which cities ...` of a table of customers."""
    needs_order: bool = False
    """True after `3 customers`: which three must be said."""
    _links: dict[int, list[Link]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.focus = Focus(None, self.query.conditions)
        self.both = any(token.low == "both" for token in self.tokens)
        following = [*self.tokens[1:], None]
        self.tokens = [
            token
            for token, after in zip(self.tokens, following, strict=True)
            if token.low != "both" or after is None or after.value is None  # `in both 2014 and 2015`
        ]

    # Looking at tokens

    @property
    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def token(self, ahead: int = 0) -> Token | None:
        index = self.at + ahead
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def low(self, ahead: int = 0) -> str:
        token = self.token(ahead)
        return token.low if token and token.kind in ("word", "sign", "number") else ""

    def sees(self, *words: str) -> bool:
        return all(self.low(i) == word for i, word in enumerate(words))

    def take(self, *words: str) -> bool:
        """Step over the words if they come next."""
        if words and self.sees(*words):
            self.at += len(words)
            return True
        return False

    def take_any(self, phrases: Iterable[tuple[str, ...]]) -> bool:
        return any(self.take(*phrase) for phrase in sorted(phrases, key=len, reverse=True))

    def skip(self, words: Container[str]) -> None:
        while not self.done and self.low() in words:
            self.at += 1

    def skip_leads(self) -> None:
        """Step over `show me all the`, up to a table that is named like such a word: `which show`."""
        while not self.done and self.low() in lexicon.LEADS:
            named = self.low(-1) in DETERMINERS and self.low() in lexicon.COMMANDS
            if named and (link := self.link()) is not None and link.tables:
                return
            self.at += 1

    def cut(self, start: int) -> None:
        """Take the words from `start` up to here, which are understood, out of the question."""
        del self.tokens[start : self.at]
        self._links.clear()

    def phrase(self, table: Mapping[tuple[str, ...], str]) -> tuple[str, int] | None:
        """The entry of the longest phrase of `table` that comes next and its size, unless a longer name does."""
        for size in range(7, 0, -1):
            words = tuple(self.low(i) for i in range(size))
            if words in table:
                named = self.link()
                if named and named.size > size and (named.columns or named.tables or named.measures):
                    return None
                return table[words], size
        return None

    def trailing(self) -> tuple[str, int] | None:
        """`or later` after a value, unless it begins another comparison: `after 2013 or before 2008`."""
        found = self.phrase(lexicon.TRAILING)
        after = self.token(found[1]) if found is not None else None
        another = after is not None and (after.value is not None or dates.read(self.tokens, self.at + 2, self.today))
        return None if another else found

    def phrase_at(self, ahead: int) -> bool:
        """Whether the word some words ahead begins an aggregate."""
        return (self.low(ahead),) in lexicon.AGGREGATES or (
            self.low(ahead),
            self.low(ahead + 1),
        ) in lexicon.AGGREGATES

    def links(self, at: int | None = None) -> list[Link]:
        index = self.at if at is None else at
        if index < 0:
            return []
        if index not in self._links:
            found = self.linker.links(self.tokens, index) if index < len(self.tokens) else []
            self._links[index] = [link for link in found if not self._parted(link, found) and not self._acting(link)]
        return self._links[index]

    def _acting(self, link: Link) -> bool:
        """Whether a table's name of several words is a thing and what it did: `customers ordered` is no order."""
        last = self.tokens[link.start + link.size - 1]
        return link.size > 1 and bool(link.tables) and not link.columns and last.low in DID

    def _parted(self, link: Link, found: Sequence[Link]) -> bool:
        """Whether a column's full name is a thing and what was done to it: `staff hired` in `staff hired in 2017`."""
        if not link.columns or link.tables or link.size == 1:
            return False
        dated = self.dated(link.start + link.size)
        for thing in found:
            rest = link.size - thing.size
            verb = self.tokens[link.start + thing.size] if rest > 0 else None
            tables = {hit.target for hit in thing.tables}
            own = [_col(hit) for hit in link.columns if _col(hit).table in tables]
            done = {col for col in own if dated or self.linker.is_flag(col)}
            if verb is None or not done or not (is_participle(verb.low) or verb.low in ("is", "are")):
                continue
            after = self.linker.links(self.tokens, link.start + thing.size)
            if any(each.size == rest and any(hit.target in done for hit in each.columns) for each in after):
                return True
        return False

    def dated(self, at: int) -> bool:
        """Whether a period comes at that token, with or without a word such as `in` or `before`."""
        for _ in range(3):
            if dates.read(self.tokens, at, self.today) or dates.opening(self.tokens, at):
                return True
            if at >= len(self.tokens) or self.tokens[at].low not in BEFORE_PERIOD:
                return False
            at += 1
        return False

    def happened(self) -> bool:
        """Whether the next word is what was done to the things spoken of, at a period: `loaned in 2024`, of loans."""
        token, table = self.token(), self.focus.table
        if token is None or table is None or not is_participle(token.low) or not self.dated(self.at + 1):
            return False
        columns = [column for column in self.linker.tables[table].columns if dates.is_date(column)]
        names = [self.linker.column_words(table, column.name) for column in columns]
        return any(stem(words[0]) == token.stem and lexicon.IN.issuperset(words[1:]) for words in names)

    def deed(self, link: Link) -> list[Hit]:
        """The dates that the words name as a verb with a period after it: `loaned` in `loaned in 2024`."""
        end = link.start + link.size
        ordinal = end < len(self.tokens) and self.tokens[end].low in FIRST_OR_LAST
        verb = is_participle(self.tokens[link.start].low) and (ordinal or self.dated(end))
        return [hit for hit in link.columns if verb and dates.is_date(self.column(_col(hit)))]

    def link(self, at: int | None = None) -> Link | None:
        """The longest reading of what comes next."""
        found = self.links(at)
        return found[0] if found else None

    # What words mean

    def table_of(self, link: Link) -> Hit | None:
        """The one table that `link` names. Raises QuestionError on a tie."""
        if not link.tables:
            return None
        best = min(hit.tier for hit in link.tables)
        hits = [hit for hit in link.tables if hit.tier == best]
        if len(hits) > 1 and all(self.joins.distance(_key(a), _key(b))[0] <= 1 for a in hits for b in hits):
            # Rows of these tables are the same things, one for one.
            self.assume(f'"{link.text}" is read as the table {_key(hits[0])[1]}.')
            hits = hits[:1]
        if len(hits) > 1:
            meant = self.linker.preferred([_key(hit) for hit in hits], link.text)
            if len(meant) == 1:
                self.assume(f'"{link.text}" is read as the table {self.linker.shown(meant[0])}.')
            hits = [hit for hit in hits if _key(hit) in meant]
        if len(hits) > 1:
            names = " or ".join(sorted(self.linker.shown(_key(hit)) for hit in hits))
            raise QuestionError(f'"{link.text}" may mean {names}.', words=[link.text], reason="ambiguous")
        if best >= 3:
            self.assume(f'"{link.text}" is read as the table {_key(hits[0])[1]}.')
        return hits[0]

    def rank(self, hit: Hit, table: Key | None) -> tuple[int, int, int]:
        """How well a column hit fits where `table` is spoken of: its own columns first, then those along its keys."""
        assert isinstance(hit.target, Col)
        if table is None:
            return (1, hit.tier, 0)
        near, steps = self.joins.distance(table, hit.target.table)
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
            hits = [hit for hit in hits if self.joins.distance(table, _col(hit).table)[0] == 0]
            if not hits:
                raise QuestionError(f'"{text}" has no place here.', words=[text])
        ranked = sorted(hits, key=lambda hit: self.rank(hit, table))
        best = self.rank(ranked[0], table)
        tied = [hit for hit in ranked if self.rank(hit, table) == best]
        if best[0] == 4 and table is not None:
            raise QuestionError(f'"{text}" has no connection with {table[1]}.', words=[text], reason="no_join")
        if len(tied) > 1:
            tied = self.home(tied)
        if len(tied) > 1:
            tied = self._of_preferred(tied)
        if len(tied) > 1 and len({(_col(hit).table, hit.value) for hit in tied}) == 1 and tied[0].value is not None:
            tied = [hit for hit in tied if _col(hit) in self.linker.display(_col(hit).table)] or tied
        if len(tied) > 1 and table is None:
            tied = [hit for hit in tied if _col(hit).table in self.mentioned()] or tied
        if len(tied) > 1:
            names = " or ".join(sorted({f"{self.linker.shown(_col(hit).table)}.{_col(hit).name}" for hit in tied}))
            raise QuestionError(f'"{text}" may mean {names}.', words=[text], reason="ambiguous")
        col = _col(tied[0])
        if (value := tied[0].value) is not None:
            self.query.matched.append((text, col, value))
        if tied[0].tier >= 3 or (len(hits) > 1 and best[0] > 0):
            shown = f"{self.linker.shown(col.table)}.{col.name}"
            self.assume(f'"{text}" is read as {shown}' + (f" = '{tied[0].value}'." if tied[0].value else "."))
        return tied[0]

    def mentioned(self) -> set[Key]:
        """The tables that the question names anywhere."""
        found = [self.link(at) for at in range(len(self.tokens))]
        return {
            _key(hit)
            for link in found
            if link is not None
            for hit in link.tables
            if hit.tier < 3 and not link.columns
        }

    def _primary(self, hits: list[Hit]) -> list[Hit]:
        """Among columns that hold the same keys, the table's own."""
        own = [hit for hit in hits if _col(hit).name in self.linker.tables[_col(hit).table].primary_key]
        return own if len(own) == 1 else hits

    def home(self, hits: list[Hit]) -> list[Hit]:
        """Those that do not refer to another one of them: of two columns that hold the same, where it is defined."""
        hits = self._primary(hits)
        cols = {_col(hit) for hit in hits}
        kept = []
        for hit in hits:
            col = _col(hit)
            refers = any(
                Col(edge.target, there) in cols
                for edge in self.joins.edges[col.table]
                for here, there in edge.columns
                if edge.single and edge.declared and here == col.name
            )
            if not refers:
                kept.append(hit)
        return kept or hits

    def _of_preferred(self, hits: list[Hit]) -> list[Hit]:
        """Those of tables rather than of views over them, and of the first table on the search path."""
        kept = [hit for hit in hits if self.linker.tables[_col(hit).table].kind == "table"] or hits
        meant = self.linker.preferred(list(dict.fromkeys(_col(hit).table for hit in kept)), "")
        return [hit for hit in kept if _col(hit).table in meant]

    def time_column(self, table: Key) -> Col | None:
        """The table's one column of dates or, failing that, its year. Raises QuestionError where it has several."""
        if self.timed is not None and self.timed.table == table:
            return self.timed
        columns = self.linker.tables[table].columns
        found = [c.name for c in columns if dates.is_date(c)]
        if len(found) > 1:
            # Days that the rows were written say nothing about what happened.
            found = [n for n in found if n.lower() not in BOOKKEEPING] or found
        if not found:
            found = [c.name for c in columns if "year" in self.linker.column_words(table, c.name)]
        if len(found) > 1:
            names = " or ".join(found)
            raise QuestionError(
                f'{table[1]} has several times: {names}. Name the one that is meant: "per month of {found[0]}", '
                f'"{found[0]} in 2024".',
                words=[],
                reason="ambiguous",
                times=found,
            )
        return Col(table, found[0]) if found else None

    def named_column(self, table: Key, name: str) -> Col | None:
        """The column of `table` of that plain name, for adjectives such as `older`; its words, then their last."""
        wanted = tuple(name.split())
        columns = self.linker.tables[table].columns
        words = {c.name: self.linker.column_words(table, c.name) for c in columns}
        exact = [n for n, w in words.items() if w == wanted]
        loose = exact or [n for n, w in words.items() if w[-len(wanted) :] == wanted]
        return Col(table, loose[0]) if len(loose) == 1 else None

    def _named_near(self, table: Key, name: str) -> Col | None:
        """The column of that plain name, of the table or of the one other that each of its rows leads to."""
        own = self.named_column(table, name)
        if own is not None:
            return own
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
            col = self.time_column(table) if name == "*time*" else self._named_near(table, name)
            if col is not None:
                if name == "*time*":
                    self.assume(f"First and last are told by {table[1]}.{col.name}.")
                return col, way
        return None

    def column(self, col: Col) -> Column:
        found = self.linker.tables[col.table].column(col.name)
        assert found is not None
        return found

    # Writing down

    def assume(self, text: str) -> None:
        if text not in self.query.assumptions:
            self.query.assumptions.append(text)

    def add(self, condition: Condition) -> None:
        if self._of_another_row(condition):
            return
        if isinstance(condition, Compare) and condition.op in ("=", "!="):
            told = [c for c in self.focus.conditions if isinstance(c, Compare) and c.op in ("=", "!=")]
            same = [c for c in told if c.col == condition.col]
            if same:
                raise QuestionError(
                    f"{condition.col.name} cannot be {same[0].values[0]} and {condition.values[0]} at once.",
                    words=[str(condition.values[0])],
                    reason="ambiguous",
                )
        if isinstance(condition, Compare) and self._excluded(condition):
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

    def _of_another_row(self, condition: Condition) -> bool:
        """Write down a condition that no row meets together with those before, if several rows are spoken of.

        `stadiums with concerts in both 2014 and 2015` has one concert in each year.
        """
        if not isinstance(condition, Compare | Period):
            return False
        same = [c for c in self.focus.conditions if isinstance(c, type(condition)) and c.col == condition.col]
        if isinstance(condition, Compare):
            apart = self._excluded(condition)
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

    def share(self, category: Col) -> Shared:
        """Speak of another row with the same value from here on."""
        shared = Shared(category)
        self.query.conditions.append(shared)
        self.focus = Focus(self.focus.table, shared.conditions)
        self.assume(f"Each condition is met by some row of the same {category.name}.")
        return shared

    def relate_again(self, related: Related) -> Related:
        """Speak of another row of the related table from here on."""
        again = Related(related.anchor, related.table, loose=related.loose)
        self.query.conditions.append(again)
        self.focus = Focus(related.table, again.conditions, again)
        return again

    def _excluded(self, condition: Compare) -> bool:
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

    def several(self, col: Col) -> bool:
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


BOOKKEEPING = lexicon.words(
    "created_at updated_at modified_at crtd_ts updated_ts last_update last_updated deleted_at"
)
DETERMINERS = lexicon.words("which what each every the of many this that all")
DID = frozenset(verb for verb in lexicon.VERBS if verb.endswith("ed")) | lexicon.PARTICIPLES
FIRST_OR_LAST = lexicon.words("first last earliest latest")
BEFORE_PERIOD = lexicon.IN | lexicon.words("after before since until between later earlier than the prior")
SILENT = frozenset(",.?!:;()")


def is_participle(word: str) -> bool:
    """Whether the word says what was done to a thing: `hired`, `bought`."""
    return (word.endswith("ed") and len(word) > 3) or word in lexicon.PARTICIPLES


def is_lead(token: Token | None) -> bool:
    return token is not None and token.low in lexicon.LEADS


def _col(hit: Hit) -> Col:
    assert isinstance(hit.target, Col)
    return hit.target


def _key(hit: Hit) -> Key:
    assert isinstance(hit.target, tuple)
    return hit.target
