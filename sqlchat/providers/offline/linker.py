"""Schema linking: which tables, columns, values and measures a run of the question's words names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from sqlchat.language import lexicon
from sqlchat.language.abbreviations import LIKELY, SURE
from sqlchat.language.derivations import have_one_root
from sqlchat.language.lexicon import CLIENTS, FUNCTION, PEOPLE, REVENUE, SERVED, SEXES, STAFF, VERBS
from sqlchat.language.thesaurus import MEANING
from sqlchat.language.tokens import Token, name_words, singular, stem, stems, tokenize
from sqlchat.providers.offline.dates import is_date, is_number
from sqlchat.providers.offline.links import LOOSE, Col, Hit, Key, Link, Target
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.names import LONGEST, Names, keep_best
from sqlchat.providers.offline.naming import WEAK, keep_letters, list_other_names

BOOLEAN_TYPE = re.compile(r"^(bool|tinyint\(1\)|bit$|bit\(1\))", re.IGNORECASE)
PAIRS = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("1", "0"))
MONEY = frozenset(map(singular, REVENUE)) | {"profit", "spending", "money"}
FREE = lexicon.words("remark remarks note notes comment comments text message memo details feedback reason cause")
"""Words of columns in which people write what they like, so that no part of a value names anything."""
VERBAL = ("ing", "ed")
AGENT = ("er", "ers", "or", "ors")
"""Endings of nouns for those who do something."""
AS_NOUN = frozenset({"by", "per", "each", "every"})
"""Words after which `show` or `use` is a noun."""
ASKED = frozenset({"which", "what"})
MOST_KEPT = 5_000
"""Runs of words whose names are kept."""
SHORTEST_FULL, SHORTEST_FORM = 4, 3
"""Letters of a word and of the short form that stands for it in a name."""
SHORTEST_OPENING = 4
"""Letters of a word that stands for a longer value which begins with it."""


class Linker(Names):
    """Finds the phrases of one catalog and its values in a question; safe for several threads."""

    def links(self, tokens: list[Token], start: int) -> list[Link]:
        """The readings of the phrases that start at token `start`, longest first."""
        found = []
        for size in range(min(LONGEST, len(tokens) - start), 0, -1):
            span = tokens[start : start + size]
            if any(t.kind == "sign" and t.text not in "-/&.'(" for t in span[:-1]) or span[-1].kind == "sign":
                continue
            if any(t.possessive for t in span[:-1]) and not all(t.kind == "word" for t in span):
                continue
            link = self._find(start, span)
            noun = start > 0 and tokens[start - 1].low in (AS_NOUN | ASKED if start == 1 else AS_NOUN)
            if size == 1 and not (link.tables or link.columns) and noun:
                link.columns = [hit for hit in self._weak.get(span[0].low, {}).values() if hit.tier <= 2]
            if link.tables or link.columns or link.values or link.measures:
                found.append(link)
        return found

    def _find(self, start: int, span: list[Token]) -> Link:
        """What the words name; looked up once for each question and the ones near to it that are tried."""
        key = tuple((token.text, token.kind) for token in span)
        known = self._looked_up.get(key)
        if known is None:
            known = Link(start, len(span), " ".join(t.text for t in span))
            self._look_up(known, span)
            if len(self._looked_up) >= MOST_KEPT:
                self._looked_up.clear()
            self._looked_up[key] = known
        return replace(known, start=start)

    def value(self, column: Col, text: str) -> str | None:
        """The value of `column` that `text` spells (any case), where the index holds it."""
        known = self.values.get(column, ())
        exact = [value for value in known if value.lower() == text.lower()]
        # Where the text was typed without an exclamation mark or with another dash.
        loose = exact or [value for value in known if keep_letters(value) == keep_letters(text)]
        return loose[0] if exact or len(loose) == 1 else None

    @cached_property
    def lower_values(self) -> dict[str, str]:
        """All values by their small letters."""
        return {value.lower(): value for texts in self.values.values() for value in texts}

    def values_with(self, word: str) -> list[str]:
        """The values of several words of which this is one."""
        return [hit.value for hit in self._inner.get(stem(word.lower()), ()) if hit.value is not None]

    def hits(self, words: tuple[str, ...], low: str) -> list[Hit]:
        """All that the stems name, else what short forms of the word do."""
        return list((self._phrases.get(words) or self._find_short_forms(words, (low,))).values())

    def shown(self, key: Key) -> str:
        """The table's name in a message, with its schema where another one has such a table."""
        return ".".join(key) if key in self._twins else key[1]

    def preferred(self, keys: Sequence[Key], text: str) -> list[Key]:
        """Of tables of one name those that SQL means by it: spelled so, first on the search path, in small letters.

        All of `keys` for tables of different names, and for schemas of which none is on the search path.
        """
        if len({name.lower() for _, name in keys}) > 1:
            return list(keys)
        kept = [key for key in keys if key[1] == text] or list(keys)
        first = min(self.path_rank(schema) for schema, _ in kept)
        kept = [key for key in kept if self.path_rank(key[0]) == first]
        return [key for key in kept if key[1].islower()] or kept if len({schema for schema, _ in kept}) == 1 else kept

    def columns_named(self, words: tuple[str, ...]) -> list[Hit]:
        """The columns that the stems name wholly."""
        return [hit for hit in self._phrases.get(words, {}).values() if isinstance(hit.target, Col) and hit.tier < 2]

    def is_flag(self, col: Col) -> bool:
        """Whether the column says yes or no: by its type, by what it holds, or as a number named `is_x`, `has_x`."""
        if (col.table, col.name) in self.definitions.conditions:
            return True
        column = self.catalog_column(col)
        held = {value.lower() for value in self.values.get(col, ())}
        if BOOLEAN_TYPE.match(column.type) or any(held == set(pair) for pair in PAIRS):
            return True
        return is_number(column) and name_words(col.name)[:1] in (("is",), ("has",))

    def _look_up(self, link: Link, span: list[Token]) -> None:
        if len(span) == 1 and span[0].kind == "text":
            link.values = [Hit(c, 0, v) for c in self.values if (v := self.value(c, span[0].text)) is not None]
            return
        if all(t.kind == "number" for t in span):
            return
        words = tuple(t.stem for t in span if t.kind != "sign")
        lows = tuple(t.low for t in span if t.kind != "sign")
        hits = dict(self._phrases.get(words, {}))
        if span[0].low not in WEAK or len(span) == 1:
            for text in ("".join(lows), "".join(words)):
                for hit in self._glued.get(text, {}).values():
                    keep_best(hits, hit)
        is_doer = len(lows) == 1 and lows[0].endswith(AGENT)
        if is_doer:
            hits = {target: hit for target, hit in hits.items() if not self._is_deed_of_another(target, lows[0])}
        if not hits and all(t.kind == "word" for t in span):
            hits = (self._find_rooted(lows) if is_doer else {}) or self._find_other_names(words, lows)
        for hit in (self._prefer_exact(hits, lows[0]) if len(lows) == 1 else hits).values():
            if isinstance(hit.target, Col):
                link.columns.append(hit)
            elif isinstance(hit.target, Measure):
                link.measures.append(hit)
            else:
                link.tables.append(hit)
        if all(t.kind in ("word", "number", "sign") for t in span):
            plain = len(lows) == 1 and lows[0] in FUNCTION  # `no show` of two such words may be a value
            link.values = self._values(words, " ".join(lows), link.text, link.text if plain else None)
            if not (link.columns or link.tables or link.measures or link.values):
                link.values = self._find_part(words, span)

    def _find_other_names(self, words: tuple[str, ...], lows: tuple[str, ...]) -> dict[Target, Hit]:
        """What words that are no name stand for: a short form, a synonym, a part of a name, people."""
        hits = self._find_short_forms(words, lows, SURE) or self._find_synonyms(words, lows)
        if not hits or len(lows) == 1:  # `country` is rather `ctry` than `state`
            for hit in self._find_short_forms(words, lows).values():
                keep_best(hits, hit)
        return hits or self._find_headed(words, lows) or self._find_rooted(lows) or self._find_people(lows)

    def _prefer_exact(self, hits: dict[Target, Hit], low: str) -> dict[Target, Hit]:
        """A worse tier for tables that share only the stem, if a column has the very name: `interviewer`."""
        noun = singular(low)
        columns = [target for target in hits if isinstance(target, Col)]
        if not any(singular("_".join(self.column_words(col.table, col.name))) == noun for col in columns):
            return hits
        return {
            target: replace(hit, tier=max(hit.tier, 1))
            if isinstance(target, tuple) and singular(self.table_words(target)[-1]) != noun
            else hit
            for target, hit in hits.items()
        }

    def _find_headed(self, words: tuple[str, ...], lows: tuple[str, ...]) -> dict[Target, Hit]:
        """The one table whose name begins with the word, where that is a noun in the plural or names no value."""
        found = self._heads.get(words[0], []) if len(words) == 1 and lows[0] not in WEAK else []
        return {found[0].target: found[0]} if len(found) == 1 and words not in self._texts else {}

    def _find_synonyms(self, words: tuple[str, ...], lows: tuple[str, ...]) -> dict[Target, Hit]:
        """What is named wholly once a word that names nothing is put in another word for the same thing."""
        found: dict[Target, Hit] = {}
        if any(low in WEAK for low in lows) or words in self._texts:
            return found
        for at, (word, low) in enumerate(zip(words, lows, strict=True)):
            if len(words) > 1 and (word,) in self._phrases:
                continue
            for other in MEANING.get(low, MEANING.get(singular(low), frozenset())):
                for hit in self._phrases.get((*words[:at], stem(other), *words[at + 1 :]), {}).values():
                    if hit.tier < 2 and (singular(low) not in MONEY or self._holds_money(hit.target)):
                        keep_best(found, Hit(hit.target, LOOSE))
        return found

    def _holds_money(self, target: Target) -> bool:
        """Whether the target is no column, or one of numbers: an income is no flag and no text."""
        return not isinstance(target, Col) or (
            is_number(self.catalog_column(target)) and not self.is_flag(target) and not self.is_key(target)
        )

    def _find_short_forms(
        self, words: tuple[str, ...], lows: tuple[str, ...], least: float = LIKELY
    ) -> dict[Target, Hit]:
        """What is named once a word is cut as names are: `tenants` for `tbl_ten`, `payment method` for `pmt_mthd`."""
        found: dict[Target, Hit] = {}
        verb = len(lows) == 1 and lows[0] in VERBS and lows[0].endswith("s")
        if (any(low in WEAK for low in lows) and not verb) or words in self._texts:
            return found
        for at, low in enumerate(lows):
            word = singular(low)
            shorts = self._shorts.find(word) if len(word) >= SHORTEST_FULL else {}
            for short, weight in shorts.items():
                if weight < least or len(short) < SHORTEST_FORM or len(word) < len(short) + 2 or short in MEANING:
                    continue
                if len(short) == SHORTEST_FORM and weight < SURE and short[-1] != word[-1]:
                    continue  # `bkg` is booking, and `ord` not overdue
                for hit in self._phrases.get((*words[:at], stem(short), *words[at + 1 :]), {}).values():
                    if hit.tier <= 2 and (isinstance(hit.target, tuple) or not verb):  # `visits` of `tbl_vst`
                        keep_best(found, Hit(hit.target, 3))
        return found

    def _find_people(self, lows: tuple[str, ...]) -> dict[Target, Hit]:
        """The one table of those who are served, for `clients`; of those who work there, for `staff`."""
        word = singular(lows[0])
        if len(lows) > 1 or word not in CLIENTS | STAFF:
            return {}
        people = {key: singular(self.table_words(key)[-1]) for key in self.tables}
        kind = SERVED if word in CLIENTS else PEOPLE - SERVED
        found = [key for key, noun in people.items() if noun in kind]
        return {found[0]: Hit(found[0], 3)} if len(found) == 1 else {}

    def _find_part(self, words: tuple[str, ...], span: list[Token]) -> list[Hit]:
        """The one value that holds all the words: a name by its parts, another text by its last word or two."""
        if any(token.low in WEAK or token.low in FUNCTION or token.kind == "number" for token in span):
            return []
        hits = [hit for hit in self._inner.get(words[0], ()) if set(words) <= set(stems(hit.value or ""))]
        if len({(hit.target, hit.value) for hit in hits}) != 1 or len(span[0].low) < SHORTEST_OPENING - len(words):
            return []
        named = all(token.text[:1].isupper() for token in span if token.kind == "word")
        if not named and not self._is_part_of_name(hits[0], [token.low for token in span]):
            return []
        parts = stems(hits[0].value or "")
        tail = parts[: len(parts) - len(words)] + words == parts or parts[: len(words)] == words
        plain = tail and len(span[0].low) >= SHORTEST_OPENING and (len(words) > 1 or span[0].low not in MEANING)
        headed = len(words) > 1 or parts[-1] == words[0]
        return hits if named or (plain and headed) else []

    def _is_part_of_name(self, hit: Hit, lows: Sequence[str]) -> bool:
        """Whether words in small letters may stand for a value that holds them: in their own forms, and in no remark.

        `climb` is no `Lead Climbing`, and `tickets` are things rather than an `expired ticket`.
        """
        forms = {(token.stem, _find_ending(token.low)) for token in tokenize(hit.value or "")}
        said = {(stem(low), _find_ending(low)) for low in lows}
        return FREE.isdisjoint(self.column_words(hit.col.table, hit.col.name)) and forms >= said

    def _find_rooted(self, lows: tuple[str, ...]) -> dict[Target, Hit]:
        """The columns named by a verb of the noun's root: `delivery date` is `delivered_on`."""
        dated = len(lows) == 2 and lows[1] in ("date", "day", "time")
        if dated:
            return {col: Hit(col, 3) for col in self._days if have_one_root(self._first_word(col), lows[0])}
        if len(lows) > 1 or lows[0] in WEAK | FUNCTION or lows[0].endswith(("ed", "ing")):
            return {}
        if lows[0].endswith(AGENT):  # `publisher` is no `published_year`
            return {col: Hit(col, 3) for col in self._doers if have_one_root(self._first_word(col), lows[0])}
        return {col: Hit(col, 3) for col in self._figures if have_one_root(self._first_word(col), lows[0])}

    @cached_property
    def _figures(self) -> list[Col]:
        """Numbers that are named by what was done: `quoted_amount`."""
        return [col for col in self._list_deeds() if is_number(self.catalog_column(col))]

    @cached_property
    def _doers(self) -> list[Col]:
        """Columns of who did what: `referred_by`."""
        return [col for col in self._list_deeds() if name_words(col.name)[-1:] == ("by",)]

    def _list_deeds(self) -> list[Col]:
        """The columns whose names begin with what was done."""
        columns = [Col(key, column.name) for key, table in self.tables.items() for column in table.columns]
        return [col for col in columns if self._first_word(col).endswith("ed")]

    def _is_deed_of_another(self, target: Target, low: str) -> bool:
        """Whether the word is for a doer, and the target a day: no `referrer` is a `referral_date`."""
        if not isinstance(target, Col) or not is_date(self.catalog_column(target)):
            return False
        return singular(low) not in self.column_words(target.table, target.name)

    def _first_word(self, col: Col) -> str:
        return self.column_words(col.table, col.name)[0]

    def _values(self, words: tuple[str, ...], low: str, said: str, spelled: str | None) -> list[Hit]:
        """Values of these words; where `spelled` is given, only those spelled so, with a capital."""
        if spelled is not None:
            same = [hit for hit in self._texts.get(words, ()) if hit.value == spelled and not spelled.islower()]
            return [Hit(hit.target, 0, hit.value) for hit in same]
        found = []
        for hit in self._texts.get(words, ()):
            exact = hit.value is not None and " ".join(re.findall(r"\w+", hit.value.lower())) == " ".join(
                re.findall(r"\w+", low)
            )
            endings = {_find_verbal_ending(text) for text in (low, (hit.value or "").lower())}
            if not exact and endings == set(VERBAL):  # what was `cleaned` is not in `cleaning`
                continue
            if len(hit.value or "") > 2 or hit.value == said:  # `TK` and `UK` as they are written
                found.append(Hit(hit.target, 0 if exact else 1, hit.value))
        if not found:
            for other in list_other_names(low):
                found += [Hit(h.target, 3, h.value) for h in self._texts.get(stems(other), ())]
        if not found and low in SEXES:
            initial = SEXES[low]
            cols = [col for col in self.values if {"sex", "gender"} & set(self.column_words(col.table, col.name))]
            found = [Hit(col, 3, value) for col in cols for value in self.values[col] if value.lower() in initial]
        if not found and spelled is None and len(words) == 1:
            alike = MEANING.get(low, MEANING.get(singular(low), frozenset()))
            alike = frozenset(other for other in alike if not low.startswith(other))  # `cat` for category
            same = [hit for other in sorted(alike) for hit in self._texts.get((stem(other),), ())]
            if singular(low) in PEOPLE:  # a member is none who pays on account
                same = [hit for hit in same if singular((hit.value or "").lower()) in PEOPLE]
            found = [Hit(hit.target, 3, hit.value) for hit in same] if len({hit.value for hit in same}) == 1 else []
        best = min((hit.tier for hit in found), default=0)
        return [hit for hit in found if hit.tier == best]


def _find_ending(low: str) -> str:
    return next((ending for ending in (*VERBAL, "s") if low.endswith(ending)), "")


def _find_verbal_ending(low: str) -> str:
    return next((ending for ending in VERBAL if low.endswith(ending)), "")
