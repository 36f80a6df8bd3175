"""Lists all that the words of a question may stand for, each with the kind of evidence. `composer` chooses from it.

A word may be a name, a part of a name, a verb of a name's root, a unit in which a column is kept, a synonym, a slip
of the pen, or a marker such as `per`, `never`, `more than`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sqlchat.language import lexicon
from sqlchat.language.abbreviations import LIKELY, weigh_short_form
from sqlchat.language.derivations import IRREGULAR, have_one_root
from sqlchat.language.thesaurus import MEANING, VAGUE
from sqlchat.language.tokens import Token, singular, stem
from sqlchat.providers.offline import computed, dates, refusal, states
from sqlchat.providers.offline.durations import compute, compute_age, find_due, list_births
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Computed, Hit, Key, Target
from sqlchat.providers.offline.nouns import Vocabulary, holds_people
from sqlchat.providers.offline.reader import Reader
from sqlchat.providers.offline.rephrasing import EMPTY, RELATIONAL
from sqlchat.providers.offline.rephrasing import IRREGULAR as IRREGULAR_VERBS
from sqlchat.providers.offline.roles import Role
from sqlchat.providers.offline.units import UNIT_GROUPS

TIERS = ("exact", "exact", "part", "synonym", "loose")
"""The evidence of the linker's hits by their tier."""
KEPT = lexicon.words(
    "or when where how why more less most least than still now yet ever only already both again if not"
)
"""Words that change what is asked for, so that none may stay unused for nothing."""
IDLE = (
    (
        lexicon.FUNCTION
        | EMPTY
        | lexicon.words(
            "please just got get gets getting so far here really ever had did made making i'm what's whats "
            "'s out up off too then ones one there's thing things else data via about it's am let"
        )
    )
    - lexicon.NOT
    - lexicon.GROUP
    - KEPT
    - lexicon.words("overall altogether")
)
"""Words that may stay unused at no cost."""
COMPARED = lexicon.words("vs versus compare compared against")
SHARES = lexicon.words("share percentage percent proportion fraction")
RATIOS = SHARES | lexicon.words("rate ratio")
"""Words for a number out of two others, so that they stand for no other thing and may not stay unused."""
MONEY = lexicon.REVENUE | lexicon.words("money spent spend paid pay earn earned")
EARNING = lexicon.words("earn earns earned earning")
WAGES = lexicon.words("wage wages salary pay earnings rate income")
CHARGING = EARNING | lexicon.words("charge charges charged cost costs paid pay pays get gets make makes take takes")
PAYMENTS = lexicon.words("price fee cost rent charge salary tariff")
HOURLY = {
    "hour": lexicon.words("hour hours hourly hr hrs"), "day": lexicon.words("day days daily"),
    "week": lexicon.words("week weekly"), "month": lexicon.words("month monthly"),
    "year": lexicon.words("year yearly annual"),
}  # fmt: skip
"""Units after `per`, with the words of columns of what is paid for one."""
SPENT = lexicon.words("cost costs expense expenses spent paid price fine")
"""Words of columns of what people earn, and of money that nobody earns."""
PERSONS = lexicon.words("people persons person anyone everyone somebody someone who whose nobody")
ASKING = lexicon.words("is are was were do does did has have had")
"""First words of questions for yes or no."""
RIVALS = {
    **{(word,): ">" for word in ("more", "higher", "larger", "bigger", "greater", "most", "highest")},
    **{(word,): "<" for word in ("less", "fewer", "lower", "smaller", "least", "fewest", "lowest")},
    **{(word,): options for word, options in lexicon.COMPARATIVES.items()},
    **lexicon.MORE_COMPARATIVES,
}
"""Words that compare two, each with the operator or the columns that it speaks of."""
CALENDAR = lexicon.words("year years month months")
"""Units in which ages are told, so that they name no column of years."""
COMPARATIVE = lexicon.words(
    "better worse higher lower greater larger smaller bigger earlier later sooner fewer above below under over after "
    "before between average total late early ago"
)
GRADES = {
    **dict.fromkeys((*KEPT, *lexicon.UNITS, *RATIOS, *lexicon.ADJECTIVES, *lexicon.COMPARATIVES), "marker"),
    **dict.fromkeys(("overall", "altogether"), "marker"),
    **dict.fromkeys(("number", "code", "name", "date", "time", "id", "type", "amount"), "generic"),
    **dict.fromkeys(lexicon.GROUP, "group"),
    **dict.fromkeys(("still", "now", "currently", "presently", "nowadays"), "now"),
    **dict.fromkeys(("already", "yet", "ever"), "adverb"),
    "or": "or",
    "by": "by",
}
"""Classes of words that may not stay unused, or only at a price."""
PLAIN_VERBS = IRREGULAR_VERBS | lexicon.words(
    "gave give gives giving lie lies lay brought bring bring brings got received took went go goes did"
)
LIGHT_VERBS = lexicon.words(
    "wear wears use uses run runs bring brings carry carries write writes own owns go come comes speak speaks attend "
    "attends belong belongs live lives"
)
"""Verbs after a thing that say no more than that it has to do with another one."""
PASSING = lexicon.words("pass passes passed elapse elapses elapsed")
ACTING = lexicon.words("do does did we they you who that to i never not didn't don't doesn't haven't can could")
PLAIN = VAGUE | lexicon.words("name no nr code status at on is has date time of the in by id key note info details")
"""Words of names that name nothing by themselves."""
PARTICLES = lexicon.words("out off")
"""Words that say nothing after a verb, as in `carried out`."""
UNDONE = lexicon.words("nobody none noone")
SHORTEST_SLIP, SHORTEST_FORM = 5, 4
MOST_HITS = 5


@dataclass(frozen=True, slots=True)
class Item:
    """One reading of the tokens `start` to `start + size`."""

    start: int
    size: int
    kind: str
    """`table`, `column`, `value`, `measure`, `flag`, or that of a marker."""
    target: Any = None
    evidence: str = ""
    value: Any = None
    """The text of a value, the number, the function, the operator, the direction or the span of days."""
    text: str = ""

    @property
    def end(self) -> int:
        return self.start + self.size

    @property
    def table(self) -> Key:
        """The table that is named, or that the column or measure belongs to."""
        table: Key = self.target if isinstance(self.target, tuple) else self.target.table
        return table


@lru_cache(maxsize=8)
def index_names(linker: Linker) -> dict[str, list[tuple[str, Target]]]:
    """The words of all names by their first three letters, each with the table or column it is a word of."""
    index: dict[str, list[tuple[str, Target]]] = {}
    for key, table in linker.tables.items():
        named: list[tuple[tuple[str, ...], Target]] = [(linker.table_words(key), key)]
        for column in table.columns:
            named.append((linker.column_words(key, column.name), Col(key, column.name)))
        for words, target in named:
            glued = stem(words[0]) + "".join(words[1:2])  # `pickup` of `picked_up_at`
            for word in (*words, *([glued] if len(words) > 1 and words[1] not in PLAIN else ())):
                if len(word) > 1 and (word not in PLAIN or len(words) == 1):
                    index.setdefault(word[:3], []).append((word, target))
                    index.setdefault(word[:1], []).append((word, target))
    return index


class Evidence:
    """Reads the tokens of one question."""

    def __init__(self, linker: Linker, joins: Joins, vocabulary: Vocabulary, tokens: list[Token], today: date):
        self._joins = joins
        self._linker, self._vocabulary, self.tokens, self._today = linker, vocabulary, tokens, today
        self._index = index_names(linker)
        self._lows = [token.low for token in tokens]
        self._comparing = is_comparing(self._lows)

    def list_items(self, at: int) -> list[Item]:
        """The readings of the words that begin at token `at`."""
        token = self.tokens[at]
        if signed := list(self._read_signed(at)):
            return signed
        items = [*self._mark(at), *self._link(at), *self._stand_for(at), *self._read_value(at), *self._read_rate(at)]
        items += self._read_role(at)
        named = any(item.size == 1 and item.target is not None and item.evidence != "loose" for item in items)
        if token.kind == "word" and not named and len(token.low) > 1:
            items += [*self._deny(at), *self._guess(at)]
        return [item for item in items if not self._divides(item)]

    def _divides(self, item: Item) -> bool:
        """Whether the item is only what a number is counted by: `seat` of `price_per_seat`."""
        if (
            not isinstance(item.target, Col)
            or isinstance(item.target, Computed)
            or item.evidence in ("exact", "value")
        ):
            return False
        words = self._linker.column_words(item.target.table, item.target.name)
        return "per" in words and stem(item.text.lower()) in map(stem, words[words.index("per") :])

    def _mark(self, at: int) -> Iterator[Item]:
        token, lows = self.tokens[at], self._lows
        span = dates.read(self.tokens, at, self._today)
        if span is not None:
            yield Item(at, span.size, "period", value=span, text=" ".join(lows[at : at + span.size]))
        if self._comparing:
            yield from self._compare(at, bare=span is None)
        number = token.percent if token.value is None else token.value
        if number is not None and token.kind in ("number", "word"):
            metres = token.text.endswith(" m")  # `450 m` is a height here, and no number of millions
            yield Item(at, 1, "number", value=number // 1_000_000 if metres else number, text=token.text)
        if token.low in computed.TIME_UNITS or token.low in computed.SPANS or token.low in computed.TAKING:
            yield from self._compute(at)
        yield from self._tell_age(at)
        yield from self._tell_delay(at)
        yield from self._order(at)
        for kind, table in MARKERS:
            for size in range(min(5, len(lows) - at), 0, -1):
                phrase = tuple(lows[at : at + size])
                if phrase in table:
                    yield Item(at, size, kind, value=table[phrase], text=" ".join(phrase))
                    break

    def _compare(self, at: int, *, bare: bool) -> Iterator[Item]:
        """The words that compare two, and months without a year: the last ones that have begun."""
        low = self._lows[at]
        for size in (2, 1):
            phrase = tuple(self._lows[at : at + size])
            if len(phrase) == size and phrase in RIVALS:
                yield Item(at, size, "rival", value=RIVALS[phrase], text=" ".join(phrase))
                break
        if low == "than":
            yield Item(at, 1, "than", text=low)
        if bare and low in lexicon.MONTHS and self._lows[at - 1] in ("in", "or", "than", "and", "during"):
            month = lexicon.MONTHS[low]
            span = dates.find_span(self._today, "month", -((self._today.month - month) % 12))
            yield Item(at, 1, "period", None, "month", dates.Span(*span, 1), low)

    def _compute(self, at: int) -> Iterator[Item]:
        """`days between A and B`, `length of stay`: a number that two columns give."""
        reader = Reader(self.tokens, self._linker, self._joins, self._today)
        reader.at = at
        asked = computed.read(reader)
        if asked is not None:
            yield Item(at, reader.at - at, "column", asked.hits[0].target, "computed", text=asked.text)

    def _order(self, at: int) -> Iterator[Item]:
        """`biggest first`, `most expensive material first`: the order of what is listed."""
        for size in (2, 1):
            phrase = tuple(self._lows[at : at + size])
            way = SUPERLATIVE_WAYS.get(phrase) if len(phrase) == size else None
            for gap in (0, 1):
                end = at + size + gap
                if way is not None and end == len(self._lows) - 1 and self._lows[end] == "first" and at:
                    yield Item(at, size + gap + 1, "down", value=way, text=" ".join(self._lows[at : end + 1]))

    def _tell_delay(self, at: int) -> Iterator[Item]:
        """`days late`: the time from the day on which a row was due."""
        lead = 2 if self._lows[at : at + 2] == ["how", "many"] else 0
        unit, late = (*self._lows[at + lead : at + lead + 2], "", "")[:2]
        reader = Reader(self.tokens, self._linker, self._joins, self._today)
        for table in self._linker.tables if unit in computed.TIME_UNITS and late in ("late", "overdue") else ():
            due, end = find_due(reader, table, "")
            if due is not None and end is not None:
                span = compute(due, end, computed.TIME_UNITS[unit])
                yield Item(at, lead + 2, "column", span, "computed", text=f"{unit} {late}")

    def _tell_age(self, at: int) -> Iterator[Item]:
        """`age`, `how old`: the years since a day of birth; and the number of `under 18s`."""
        low = self._lows[at]
        size = 2 if self._lows[at : at + 2] == ["how", "old"] else 1 if low in ("age", "ages") else 0
        for col in list_births(self._linker) if size else ():
            text = " ".join(self._lows[at : at + size])
            yield Item(at, size, "column", compute_age(col, self._today), "computed", text=text)
        if at and self._lows[at - 1] in ("under", "over") and low[:-1].isdigit() and low.endswith("s"):
            yield Item(at, 1, "number", None, "aged", int(low[:-1]), low)

    def _link(self, at: int) -> Iterator[Item]:
        for link in self._linker.links(self.tokens, at):
            if link.size == 1 and self._lows[at] in lexicon.FUNCTION and self.tokens[at].text.islower():
                continue
            values = link.values if self._lows[at] not in RATIOS else []
            hits = [*link.tables, *link.columns, *values, *link.measures]
            hits.sort(key=lambda hit: hit.tier)
            named = any(hit.tier < 2 for hit in link.tables)
            for hit in hits[: MOST_HITS + 1]:
                evidence = TIERS[min(hit.tier, 4)]
                if named and evidence == "part" and isinstance(hit.target, Col) and hit.value is None:
                    number = dates.is_number(self._linker.catalog_column(hit.col))
                    evidence = "loose" if number else evidence  # `donations` are rows, and no `target_donations`
                item = self._write(at, link.size, hit, evidence, link.text)
                yield item
                low = self._lows[at]
                if item.kind == "column" and item.evidence == "part" and item.size == 1 and low.endswith("s"):
                    words = self._linker.column_words(hit.col.table, hit.col.name)
                    if stem(words[0]) == stem(low):
                        yield from self._hint(at, hit.col)

    def _hint(self, at: int, col: Col) -> Iterator[Item]:
        """The table of a column of texts: `honey` of `honey_sort` speaks of harvests."""
        if dates.is_text(self._linker.catalog_column(col)):
            yield Item(at, 1, "hint", col.table, "hint", text=self.tokens[at].text)

    def _write(self, at: int, size: int, hit: Hit, evidence: str, text: str) -> Item:
        if hit.value is not None:
            return Item(at, size, "value", hit.col, "value" if hit.tier < 3 else "in_value", hit.value, text)
        if isinstance(hit.target, tuple):
            return Item(at, size, "table", hit.target, evidence, text=text)
        if hasattr(hit.target, "sql"):
            rivals = self._vocabulary.nouns["money"]
            rival = evidence == "exact" and text.lower() in MONEY and any(noun.column != "revenue" for noun in rivals)
            return Item(at, size, "measure", hit.target, "noun" if rival else evidence, text=text)
        kind = "flag" if self._linker.is_flag(hit.col) else "column"
        return Item(at, size, kind, hit.target, evidence, text=text)

    def _read_signed(self, at: int) -> Iterator[Item]:
        """`AB-`: a value with a sign at its end."""
        sign = self.tokens[at + 1].text if at + 1 < len(self.tokens) else ""
        text = self.tokens[at].text + sign
        for col in self._linker.values if sign in ("+", "-") else ():
            if text in self._linker.values[col]:
                yield Item(at, 2, "value", col, "value", text, text)

    def _read_value(self, at: int) -> Iterator[Item]:
        """`C` of `zone C`: a short value after the name of its column."""
        text = self.tokens[at].text
        if not at or len(text) > 2 or self._lows[at - 1] in lexicon.FUNCTION:
            return
        for link in self._linker.links(self.tokens, at - 1):
            for hit in link.columns if link.size == 1 and text.isalnum() else ():
                value = self._linker.value(hit.col, text) if isinstance(hit.target, Col) else None
                if value is not None and hit.tier < 2:
                    yield Item(at, 1, "value", hit.col, "value", value, text)

    def _read_rate(self, at: int) -> Iterator[Item]:
        """`per hour` of `charges more per hour`: the columns of what is paid for an hour."""
        unit = self._lows[at + 1] if at + 1 < len(self._lows) else ""
        if self._lows[at] not in ("per", "an", "a") or unit not in HOURLY:
            return
        for key, table in self._linker.tables.items():
            for column in table.columns if CHARGING.intersection(self._lows) else ():
                words = set(self._linker.column_words(key, column.name))
                if words & HOURLY[unit] and words & (WAGES | PAYMENTS) and dates.is_number(column):
                    yield Item(at, 2, "column", Col(key, column.name), "unit", text=unit)

    def _read_role(self, at: int) -> Iterator[Item]:
        """`boss`, `manages`, `reports to`: the row of the same table that a row points to."""
        for role, mark, size in find_roles(self._linker, self.tokens, at):
            yield Item(at, size, "role", role.key, "exact", mark, " ".join(self._lows[at : at + size]))

    def _stand_for(self, at: int) -> Iterator[Item]:
        """The tables and columns that general nouns such as `people` and `money` stand for."""
        token = self.tokens[at]
        low = token.low
        if low in (PERSONS | lexicon.CLIENTS | lexicon.STAFF) - UNDONE:
            for noun in self._vocabulary.nouns["person"]:
                yield self._write(at, 1, self._find(noun.table, noun.column), "noun", token.text)
        wages = self._list_wages() if low in EARNING else []
        yield from (Item(at, 1, "column", col, "noun", text=token.text) for col in wages)
        if low in MONEY and not wages:
            for noun in self._vocabulary.nouns["money"]:
                hit = self._find(noun.table, noun.column)
                earned = low not in EARNING or SPENT.isdisjoint(noun.column.lower().split("_"))
                if earned:
                    yield self._write(at, 1, hit, "noun", token.text)

    def _list_wages(self) -> list[Col]:
        """The columns that hold what people earn."""
        people = [key for key in self._linker.tables if holds_people(self._linker, key)]
        columns = [Col(key, column.name) for key in people for column in self._linker.tables[key].columns]
        numbers = [col for col in columns if dates.is_number(self._linker.catalog_column(col))]
        words = {col: frozenset(self._linker.column_words(col.table, col.name)) for col in numbers}
        earned = [col for col in numbers if words[col] & WAGES]
        return [col for col in earned if "rate" not in words[col]] or earned

    def _deny(self, at: int) -> Iterator[Item]:
        """`unpaid`, `inactive`: the flag, or the day, that the rest of the word names, denied."""
        low = self._lows[at]
        for prefix in ("un", "in", "non"):
            rest = low[len(prefix) :]
            if low.startswith(prefix) and len(rest) >= 4:
                token = replace(self.tokens[at], text=rest, low=rest, stem=stem(rest))
                for link in self._linker.links([token], 0):
                    for hit in link.columns:
                        column = self._linker.catalog_column(hit.col)
                        if self._linker.is_flag(hit.col) or (dates.is_date(column) and column.nullable):
                            yield Item(at, 1, "opposite", hit.col, "part", text=low)

    def _guess(self, at: int) -> Iterator[Item]:
        """Weaker evidence for a word that names nothing wholly."""
        token = self.tokens[at]
        low = token.low
        if low in IDLE | RATIOS or token.kind != "word" or (low in refusal.GRAMMAR and low not in lexicon.UNITS):
            return
        size = 2 if low == "square" and at + 1 < len(self._lows) and self._lows[at + 1] not in IDLE else 1
        for group in UNIT_GROUPS:
            if low in group:
                for word in sorted(group):
                    for item in self._name(at, word, "unit"):
                        if item.kind == "column" and dates.is_number(self._linker.catalog_column(item.target)):
                            yield replace(item, size=size)
        if low in CALENDAR:
            return
        seen: set[Target] = set()
        for evidence, words in (("root", [low]), ("meaning", MEANING.get(low) or MEANING.get(singular(low)) or ())):
            for word in sorted(words):
                for item in self._name(at, word, evidence):
                    if item.target not in seen:
                        seen.add(item.target)
                        yield item
        if not seen:
            for item in self._abbreviate(at, low):
                seen.add(item.target)
                yield item
        plain = token.text.isalpha() and (token.text.islower() or not at)
        if not seen and plain and len(low) >= SHORTEST_SLIP and not refusal.is_known(self._linker, self.tokens, at):
            yield from self._correct(at, low)

    def _name(self, at: int, word: str, evidence: str) -> Iterator[Item]:
        """The tables and columns with a word of the same root in their names."""
        for start in dict.fromkeys((word[:3], IRREGULAR.get(word, word)[:3])):
            for name, target in self._index.get(start, ()):
                same = stem(name) == stem(word)
                if same or (evidence == "root" and len(name) > 3 and have_one_root(word, name)):
                    told = "piece" if same and evidence == "root" else evidence
                    item = self._write(at, 1, Hit(target, 3), told, word)
                    yield item
                    if evidence == "root" and isinstance(target, Col) and item.kind == "column":
                        yield from self._hint(at, target)

    def _abbreviate(self, at: int, low: str) -> Iterator[Item]:
        """Names that are short for the word."""
        for name, target in self._index.get(low[:1], ()):
            if SHORTEST_FORM <= len(name) < len(low) - 1 and weigh_short_form(name, low) >= LIKELY:
                yield self._write(at, 1, Hit(target, 3), "short", low)

    def _correct(self, at: int, low: str) -> Iterator[Item]:
        """What is named by the words that this one may be a slip of."""
        for better in refusal.find_close(low, self._words()):
            token = replace(self.tokens[at], text=better, low=better, stem=stem(better))
            for link in self._linker.links([token], 0):
                for hit in (*link.tables, *link.columns, *link.measures):
                    yield replace(self._write(at, 1, hit, "slip", better), evidence="slip")

    def _words(self) -> list[str]:
        names = refusal.list_names(self._linker)
        return [*names, *(f"{name}s" for name in names)]

    def _find(self, table: Any, column: str) -> Hit:
        if not column:
            return Hit(table, 3)
        measure = next((m for m in self._linker.measures if m.table == table and m.name == column), None)
        return Hit(measure if measure is not None else Col(table, column), 3)

    def _read_rates(self, at: int) -> Iterator[Item]:
        """The rates that are named up to three tokens after `at`."""
        for place in range(at + 1, min(at + 4, len(self.tokens))):
            yield from self._read_rate(place)

    def grade_unused(self, at: int) -> str:
        """The class of a word that no item takes; empty for one that may be left out."""
        token = self.tokens[at]
        low = token.low
        if token.kind == "sign":
            return "" if low in ",.?!:;()'\"-/€$£" else "sign"
        if token.kind != "word" or token.value is not None:
            return "" if low == "one" else "number"
        if low in lexicon.NOT or low in ("nobody", "none", "only"):
            return "not"
        before = self._lows[at - 1] if at else ""
        denied = not lexicon.NOT.isdisjoint(self._lows) or not UNDONE.isdisjoint(self._lows)
        if (low == "ever" and (denied or self._lows[0] in ASKING)) or (low == "yet" and denied):
            return ""
        if low in PASSING and "between" in self._lows:
            return ""  # `how many days pass between`
        if low in ("moment", "present") and self._lows[max(at - 2, 0) : at] in (["at", "the"], ["is", "at"]):
            return "now"
        if low in MONEY and before in MONEY:
            return ""  # `money spent`
        if low in PERSONS and before in ("do", "does", "did") and "long" in self._lows[:at]:
            return ""  # `how long do people wait`
        if low in PARTICLES and at and not self._is_verb(at - 1):
            return "marker"  # `out of stock`
        if low == "still":
            return "now" if self._is_named(at + 1) else "marker"
        if low == "number" and (before,) in lexicon.AGGREGATES:
            return ""  # `average number of`
        who = low in ("who", "whose") and not at
        if low in ("member", "members") and at and any(link.tables for link in self._linker.links(self.tokens, at - 1)):
            return ""  # `crew members`
        if low in lexicon.COMMANDS and before in ("which", "what", "many", "per", "each", "every"):
            return "noun"
        if (low in IDLE and not who) or (low == "where" and at):
            return ""
        if token.text[:1].isupper() and at > 0:
            return "capital"
        if low in GRADES:
            return GRADES[low]
        if who or low in COMPARATIVE or (low,) in lexicon.SUPERLATIVES or (low,) in lexicon.AGGREGATES:
            return "marker"
        if low in CHARGING and any(self._read_rates(at)):
            return "verb"
        if self._is_verb(at):
            return "verb"
        if low.endswith(("ed", "ing")):
            return "deed"
        return "noun"

    def _is_verb(self, at: int) -> bool:
        """Whether the token is a verb that says no more than that two things belong together."""
        low, before = self._lows[at], self._lows[at - 1] if at else ""
        acting = low.endswith(("ed", "ing")) or before in ACTING or low in lexicon.PARTICIPLES
        light = low in LIGHT_VERBS and at > 0 and self._is_named(at - 1)
        return light or low in lexicon.VERBS or low in PLAIN_VERBS or (self.tokens[at].stem in RELATIONAL and acting)

    def _is_named(self, at: int) -> bool:
        """Whether a state or a thing of the data is named from the token on, or denied: `unpaid`."""
        if at >= len(self.tokens):
            return False
        links = self._linker.links(self.tokens, at)
        return any(link.values or link.columns or link.tables for link in links) or any(self._deny(at))


def find_roles(linker: Linker, tokens: list[Token], at: int) -> Iterator[tuple[Role, str, int]]:
    """The roles that the words at `at` speak of, unless they name another table or column."""
    lows = [token.low for token in tokens]
    for role in linker.roles:
        mark = role.find_mark(lows, at)
        links = linker.links(tokens, at) if mark is not None else []
        hits = [hit for link in links if link.size == 1 for hit in (*link.tables, *link.columns) if hit.tier < 2]
        if mark is not None and all(hit.target == role.col for hit in hits):
            yield role, *mark


def is_comparing(lows: Sequence[str]) -> bool:
    """Whether the words may ask which of two has more, or whether one has more than the other."""
    if not COMPARED.isdisjoint(lows):
        return True
    if len(lows) < 4:
        return False
    asks = lows[0] in ASKING or lows[0] in ("who", "which", "what") or lows[:2] == ["how", "many"]
    rival = any((low,) in RIVALS for low in lows) or any(pair in lexicon.MORE_COMPARATIVES for pair in pairwise(lows))
    return asks and rival and ("or" in lows or "than" in lows)


LASTING = {"days": "days", "hours": "hours", "minutes": "minutes", "weeks": "weeks", "nights": "days"}


def _single(words: Any, value: Any = None) -> dict[tuple[str, ...], Any]:
    return {(word,): value if value is not None else word for word in words}


MARKERS: tuple[tuple[str, dict[tuple[str, ...], Any]], ...] = (
    ("agg", {p: f for p, f in lexicon.AGGREGATES.items() if f in ("sum", "avg", "min", "max")} | {
        ("on", "average"): "avg", ("in", "total"): "total", ("altogether",): "total", ("typical",): "avg"}),
    ("count", {p: f for p, f in lexicon.AGGREGATES.items() if f == "count"} | {
        ("how", "often"): "times", ("how", "many", "times"): "times"}),
    ("much", {("how", "much"): "much", ("amount", "of"): "much"}),
    ("lasting", {("how", "long"): "", ("length", "of", "stay"): "", ("duration",): "", **{
        (lead, *between, word): unit for lead in ("number", "average", "how") for word, unit in LASTING.items()
        for between in ((("of",),) if lead == "number" else (("many",),) if lead == "how" else ())}}),
    ("sup", {**lexicon.SUPERLATIVES, **{(w,): o for w, o in lexicon.ADJECTIVES.items()},
             **{(w,): o for w, o in lexicon.SIZES.items()}, **lexicon.MOST_ADJECTIVES,
             ("most", "often"): "desc", ("most", "common"): "desc", ("most", "popular"): "desc",
             ("busiest",): "desc"}),
    ("cmp", {**lexicon.OPERATORS, **{(w, "than"): o for w, o in lexicon.COMPARATIVES.items()},
             **{(*w, "than"): o for w, o in lexicon.MORE_COMPARATIVES.items()},
             ("better", "than"): ">", ("worse", "than"): "<"}),
    ("trail", dict(lexicon.TRAILING)),
    ("group", {(w,): w for w in ("per", "by", "each", "every")} | {
        ("for", "each"): "per", ("for", "every"): "per", ("in", "each"): "per", ("of", "each"): "per"}),
    ("neg", _single(lexicon.NOT | lexicon.words("nobody none")) | {("no", "one"): "nobody", ("not", "a"): "not"}),
    ("unit", {(w,): u for w, u in lexicon.UNITS.items()} | {("day", "of", "the", "week"): "weekday"}),
    ("share", {**_single(SHARES), ("what", "part", "of"): "share", ("which", "part", "of"): "share"}),
    ("who", _single(("who", "whose"))),
    ("when", _single(("when",))),
    ("vs", _single(COMPARED)),
    ("or", _single(("or",))),
    ("aged", {("aged",): "", ("years", "old"): "", ("year", "old"): "", ("years", "of", "age"): ""}),
    ("elapsed", {(*lead, unit, *link, "since"): kind for unit, kind in computed.TIME_UNITS.items() if unit.endswith("s")
                 for lead in ((), ("how", "many")) for link in ((), ("is", "it"), ("has", "it", "been"))}),
    ("late", {("late",): ">", ("too", "late"): ">", ("on", "time"): "<=", ("in", "time"): "<="}),
    ("both", _single(("both",))),
    ("distinct", _single(lexicon.DISTINCT)),
    ("down", dict.fromkeys(lexicon.DESCENDING, "desc") | dict.fromkeys(lexicon.ASCENDING, "asc")),
    ("ordered", dict.fromkeys(lexicon.ORDERED, "by")),
    ("state", _single(states.DESCRIBING)),
)  # fmt: skip
"""Kinds of markers, each with its phrases and what they say."""
SUPERLATIVE_WAYS = {
    **lexicon.SUPERLATIVES,
    **{(word,): options[0][1] for word, options in (*lexicon.ADJECTIVES.items(), *lexicon.SIZES.items())},
    **{phrase: options[0][1] for phrase, options in lexicon.MOST_ADJECTIVES.items()},
    ("dearest",): "desc",
}
"""Superlatives with the direction in which they put things."""
