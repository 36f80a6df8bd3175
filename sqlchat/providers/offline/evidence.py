"""Lists all that the words of a question may stand for, each with the kind of evidence. `composer` chooses from it.

A word may be a name, a part of a name, a verb of a name's root, a unit in which a column is kept, a synonym, a slip
of the pen, or a marker such as `per`, `never`, `more than`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from sqlchat.language import lexicon
from sqlchat.language.abbreviations import LIKELY, weigh_short_form
from sqlchat.language.derivations import IRREGULAR, have_one_root
from sqlchat.language.thesaurus import MEANING
from sqlchat.language.tokens import Token, singular, stem
from sqlchat.providers.offline import computed, dates, refusal
from sqlchat.providers.offline.items import Item
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Computed, Hit, Target
from sqlchat.providers.offline.markers import MARKERS, SHARES
from sqlchat.providers.offline.nouns import Vocabulary
from sqlchat.providers.offline.phrase_evidence import (
    ASKING,
    CHARGING,
    EARNING,
    LIGHT_VERBS,
    PARTICLES,
    PASSING,
    SPENT,
    UNDONE,
    PhraseEvidence,
)
from sqlchat.providers.offline.reader import Reader
from sqlchat.providers.offline.rephrasing import EMPTY, RELATIONAL
from sqlchat.providers.offline.rephrasing import IRREGULAR as IRREGULAR_VERBS
from sqlchat.providers.offline.row_nouns import list_state_values
from sqlchat.providers.offline.standins import (
    OPPOSITES,
    VERB_PARTICLES,
    index_names,
    list_for_rows,
    list_roles,
    list_signed,
)
from sqlchat.providers.offline.units import UNIT_GROUPS
from sqlchat.providers.offline.value_directions import keep_direction

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
RATIOS = SHARES | lexicon.words("rate ratio")
"""Words for a number out of two others, so that they stand for no other thing and may not stay unused."""
MONEY = lexicon.REVENUE | lexicon.words("money spent spend paid pay earn earned")
PERSONS = lexicon.words("people persons person anyone everyone somebody someone who whose nobody")
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
ACTING = lexicon.words("do does did we they you who that to i never not didn't don't doesn't haven't can could")
COMPARING = {phrase[-1] for phrase in lexicon.OPERATORS}
"""Words after which `one` is a number."""
SHORTEST_SLIP, SHORTEST_FORM = 5, 4
MOST_HITS = 5


class Evidence(PhraseEvidence):
    """Reads the tokens of one question."""

    def __init__(self, linker: Linker, joins: Joins, vocabulary: Vocabulary, tokens: list[Token], today: date):
        super().__init__(linker, joins, vocabulary, tokens, today)
        self._index = index_names(linker)

    def list_items(self, at: int) -> list[Item]:
        """The readings of the words that begin at token `at`."""
        token = self.tokens[at]
        if signed := [Item(at, *reading) for reading in list_signed(self._linker, self.tokens, at)]:
            return signed
        items = [*self._mark(at), *self._read_phrases(at), *self._link(at), *self._stand_for(at)]
        named = any(item.size == 1 and item.target is not None and item.evidence != "loose" for item in items)
        if token.kind == "word" and not named and len(token.low) > 1:
            items += [*self._deny(at), *self._oppose(at), *self._guess(at)]
        if token.kind == "word":
            items += self._stand_in(at, items)
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
        number = token.percent if token.value is None else token.value
        if number is not None and token.kind in ("number", "word"):
            metres = token.text.endswith(" m")  # `450 m` is a height here, and no number of millions
            yield Item(at, 1, "number", value=number // 1_000_000 if metres else number, text=token.text)
        if token.low in computed.TIME_UNITS or token.low in computed.SPANS or token.low in computed.TAKING:
            yield from self._compute(at)
        for kind, table in MARKERS:
            for size in range(min(5, len(lows) - at), 0, -1):
                phrase = tuple(lows[at : at + size])
                late = kind == "lasting" and self._lows[at + size : at + size + 1] in (["late"], ["overdue"])
                if phrase in table and not late:
                    yield Item(at, size, kind, value=table[phrase], text=" ".join(phrase))
                    break

    def _compute(self, at: int) -> Iterator[Item]:
        """`days between A and B`, `length of stay`: a number that two columns give."""
        reader = Reader(self.tokens, self._linker, self._joins, self._today)
        reader.at = at
        asked = computed.read(reader)
        if asked is not None:
            yield Item(at, reader.at - at, "column", asked.hits[0].target, "computed", text=asked.text)

    def _link(self, at: int) -> Iterator[Item]:
        for link in self._linker.links(self.tokens, at):
            if link.size == 1 and self._lows[at] in lexicon.FUNCTION and self.tokens[at].text.islower():
                continue
            known = link.values if self._lows[at] not in RATIOS else []
            values = keep_direction(self._linker, known, self._lows[:at])
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
                if (item.kind, item.evidence, item.size, named) == ("column", "part", 1, False) and low.endswith("s"):
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

    def _stand_for(self, at: int) -> Iterator[Item]:
        """The tables and columns that general nouns such as `people` and `money` stand for."""
        token, low = self.tokens[at], self._lows[at]
        if low in (PERSONS | lexicon.CLIENTS | lexicon.STAFF) - UNDONE:
            for noun in self._vocabulary.nouns["person"]:
                yield self._write(at, 1, self._find(noun.table, noun.column), "noun", token.text)
        wages = self._list_wages() if low in EARNING else []
        yield from (Item(at, 1, "column", col, "noun", text=token.text) for col in wages)
        for noun in self._vocabulary.nouns["money"] if low in MONEY and not wages else ():
            if low not in EARNING or SPENT.isdisjoint(noun.column.lower().split("_")):
                yield self._write(at, 1, self._find(noun.table, noun.column), "noun", token.text)

    def _stand_in(self, at: int, items: list[Item]) -> Iterator[Item]:
        """The tables whose rows a noun means that is not their name."""
        if self._lows[at] in IDLE or any(item.kind in ("table", "value") for item in items):
            return
        columns = [item for item in items if item.kind == "column"]
        named = [item.target for item in columns if item.evidence in ("exact", "part", "piece")]
        for reading in list_for_rows(self._linker, self.tokens, at, named, known=bool(items)):
            yield Item(at, *reading)
        for item in columns:
            if item.size == 1 and item.evidence in ("part", "piece"):
                yield from (Item(at, *role) for role in list_roles(self._linker, item.target, item.text.lower()))

    def _oppose(self, at: int) -> Iterator[Item]:
        """`failed` of a column `passed`: the flag, denied."""
        low = self._lows[at]
        for other in OPPOSITES.get(low, ()):
            for item in self._name(at, other, "part"):
                if item.kind == "flag":
                    yield replace(item, kind="opposite", text=low)

    def _guess(self, at: int) -> Iterator[Item]:
        """Weaker evidence for a word that names nothing wholly."""
        token, low = self.tokens[at], self._lows[at]
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
        for col, value in list_state_values(self._linker, low):
            yield Item(at, 1, "value", col, "root", value, low)
        after = self._lows[at + 1] if at + 1 < len(self._lows) else ""
        if not seen and after in VERB_PARTICLES:  # `logged in` of `last_login_at`
            for item in self._name(at, token.stem + after, "root"):
                seen.add(item.target)
                yield replace(item, size=2)
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
                    plain = name in lexicon.NAME_COLUMNS  # `describing` is said of any description
                    if evidence == "root" and isinstance(target, Col) and item.kind == "column" and not plain:
                        yield from self._hint(at, target)

    def _abbreviate(self, at: int, low: str) -> Iterator[Item]:
        """Names that are short for the word; `windy` is no name of the windiest."""
        if low.endswith("iest"):
            return
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
        for value in refusal.find_close_values(low, self._linker):
            for col, texts in self._linker.values.items():
                if value in texts:
                    yield Item(at, 1, "value", col, "slip", value, value)

    def _words(self) -> list[str]:
        names = refusal.list_names(self._linker)
        return [*names, *(f"{name}s" for name in names)]

    def _find(self, table: Any, column: str) -> Hit:
        if not column:
            return Hit(table, 3)
        measure = next((m for m in self._linker.measures if m.table == table and m.name == column), None)
        return Hit(measure if measure is not None else Col(table, column), 3)

    def grade_unused(self, at: int) -> str:
        """The class of a word that no item takes; empty for one that may be left out."""
        token = self.tokens[at]
        low = token.low
        if token.kind == "sign":
            return "" if low in ",.?!:;()'\"-/€$£" else "sign"
        if token.kind != "word" or token.value is not None:
            return "number" if low != "one" or self._lows[at - 1] in COMPARING else ""
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
        if low == "out" and self._lows[at + 1 : at + 2] == ["of"]:
            return "not"
        if low in PARTICLES and at and not self._is_verb(at - 1):
            return "marker"  # `out of stock`
        if low == "still":
            return "now" if self._is_named(at + 1) else "marker"
        if low == "number" and (before,) in lexicon.AGGREGATES:
            return ""  # `average number of`
        who = low in ("who", "whose") and not at
        if low in ("member", "members") and self._is_table(at - 1):
            return ""  # `crew members`
        if low in lexicon.COMMANDS and before in ("which", "what", "many", "per", "each", "every"):
            return "noun"
        if low == "names" and not {before, *self._lows[at + 1 : at + 2]}.isdisjoint(("and", ",")):
            return "marker"  # one of several things to show
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
