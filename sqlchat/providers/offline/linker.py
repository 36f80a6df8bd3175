"""Schema linking: which tables, columns, values and measures a run of the question's words names.

Every hit carries a tier: 0 the name itself, 1 its stem, 2 a part of the name that stands for it, 3 a synonym. Lower
is better, and a worse tier is only used where a better one finds nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlchat.language.lexicon import (
    COMMANDS,
    FUNCTION,
    IN,
    NAME_COLUMNS,
    SEXES,
    UNITS,
    VERBS,
)
from sqlchat.language.thesaurus import MEANING
from sqlchat.language.tokens import Token, name_words, singular, stem, stems
from sqlchat.providers.offline.dates import is_date, is_number
from sqlchat.providers.offline.definitions import Definitions
from sqlchat.providers.offline.measures import Measure, measures, namesake
from sqlchat.providers.offline.naming import (
    WEAK,
    alike,
    expanded,
    is_weak,
    letters,
    renamed,
    shared_prefix,
    synonyms,
    without_unit,
)
from sqlchat.sql.catalog import Catalog, Column, Table

Key = tuple[str, str]
"""(schema, table)"""
BOOLEAN_TYPE = re.compile(r"^(bool|tinyint\(1\)|bit$|bit\(1\))", re.IGNORECASE)
PAIRS = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("1", "0"))
COUNTING = frozenset({"number", "total", "count", "no"})
"""First words of columns that hold how many there are: `number_of_rooms`, `total_horses`."""
LOOSE = 4
"""The tier of names that stand for the same by the thesaurus alone."""
SHORTEST_OPENING = 4
"""Letters of a word that stands for a longer value which begins with it."""
LONGEST = 8
"""Words of the longest phrase that is looked for."""

VAGUE = frozenset(
    stem(word) for word in (*WEAK, *COMMANDS, "data", "info", "information", "record", "table", "detail")
)
"""Last words of tables' names that do not stand for the whole."""


@dataclass(frozen=True, slots=True)
class Col:
    table: Key
    name: str


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


class Linker:
    """The phrases of one catalog and its values; built once for a question, read-only afterwards."""

    def __init__(
        self,
        catalog: Catalog,
        values: Mapping[tuple[str, str, str], tuple[str, ...]],
        definitions: Definitions | None = None,
    ):
        self.definitions = definitions or Definitions(catalog)
        self.tables: dict[Key, Table] = {(t.schema, t.name): t for t in catalog.tables}
        self.measures = [m for key, table in self.tables.items() for m in measures(key, table, catalog.dialect)]
        self.measures += self.definitions.measures
        self.namesakes = {key: own for key, table in self.tables.items() if (own := namesake(key, table)) is not None}
        """Tables that are named like one of their numbers: `downloads(day, downloads)`."""
        self.values: dict[Col, tuple[str, ...]] = {}
        self._phrases: dict[tuple[str, ...], dict[Target, Hit]] = {}
        self._weak: dict[str, dict[Target, Hit]] = {}
        """Columns named like words that build sentences, such as `Created`: meant after `by`."""
        self._glued: dict[str, dict[Target, Hit]] = {}
        self._prefixes: dict[Key, int] = {}
        self._texts: dict[tuple[str, ...], list[Hit]] = {}
        self._openings: dict[tuple[str, ...], list[Hit]] = {}
        """Values by the words that they begin with: `Acme` of `Acme Corp`."""
        self._heads: dict[str, list[Hit]] = {}
        """Tables by the first word of their names: `degree` of `degree_programs`."""
        self._prefix = shared_prefix([t.name for t in catalog.tables])
        self.path_rank = catalog.path_rank
        spread = Counter(name.lower() for _, name in {(schema, name.lower()) for schema, name in self.tables})
        self._twins = {key for key in self.tables if spread[key[1].lower()] > 1}
        for key, table in self.tables.items():
            self._index_table(key, table)
            if key in self._twins:
                self._index_schema(key)
        for measure in self.measures:
            for name in measure.names:
                self._add(stems(name), Hit(measure, 0 if name == measure.name else 3))
        for (schema, name, column), texts in values.items():
            if (schema, name) in self.tables and self.tables[schema, name].column(column):
                self._index_values(Col((schema, name), column), texts)

    def links(self, tokens: list[Token], start: int) -> list[Link]:
        """The readings of the phrases that start at token `start`, longest first."""
        found = []
        for size in range(min(LONGEST, len(tokens) - start), 0, -1):
            span = tokens[start : start + size]
            if any(t.kind == "sign" and t.text not in "-/&.'(" for t in span[:-1]) or span[-1].kind == "sign":
                continue
            if any(t.possessive for t in span[:-1]) and not all(t.kind == "word" for t in span):
                continue
            link = Link(start, size, " ".join(t.text for t in span))
            self._look_up(link, span)
            if size == 1 and not (link.tables or link.columns) and start and tokens[start - 1].low in ("by", "per"):
                link.columns = [hit for hit in self._weak.get(span[0].low, {}).values() if hit.tier < 2]
            if link.tables or link.columns or link.values or link.measures:
                found.append(link)
        return found

    def value(self, column: Col, text: str) -> str | None:
        """The value of `column` that `text` spells (any case), where the index holds it."""
        known = self.values.get(column, ())
        exact = [value for value in known if value.lower() == text.lower()]
        # Where the text was typed without an exclamation mark or with another dash.
        loose = exact or [value for value in known if letters(value) == letters(text)]
        return loose[0] if exact or len(loose) == 1 else None

    def display(self, key: Key) -> list[Col]:
        """The columns by which people know a row of the table: its name or title, or first and last name."""
        table = self.tables[key]
        by_words = {self.column_words(key, c.name): Col(key, c.name) for c in table.columns}
        for wanted in NAME_COLUMNS:
            if tuple(wanted.split()) in by_words:
                return [by_words[tuple(wanted.split())]]
        if ("first", "name") in by_words and ("last", "name") in by_words:
            return [by_words["first", "name"], by_words["last", "name"]]
        head = self.table_words(key)[-1:]
        named = [col for words, col in by_words.items() if words[-1] in ("name", "title") and not self.is_key(col)]
        if len(named) == 1:
            return named
        same = [c for words, c in by_words.items() if tuple(map(stem, words)) == tuple(map(stem, head))]
        return [c for c in same if not self.is_key(c)][:1] if not named else []

    def hits(self, words: tuple[str, ...]) -> list[Hit]:
        """All that the stems name."""
        return list(self._phrases.get(words, {}).values())

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

    def catalog_column(self, col: Col) -> Column:
        found = self.tables[col.table].column(col.name)
        assert found is not None
        return found

    def is_key(self, col: Col) -> bool:
        """Whether the column is part of a key, primary or foreign."""
        table = self.tables[col.table]
        return col.name in table.primary_key or any(col.name in fk.columns for fk in table.foreign_keys)

    def is_flag(self, col: Col) -> bool:
        """Whether the column says yes or no: by its type, by what it holds, or as a number named `is_x`, `has_x`."""
        if (col.table, col.name) in self.definitions.conditions:
            return True
        column = self.catalog_column(col)
        held = {value.lower() for value in self.values.get(col, ())}
        if BOOLEAN_TYPE.match(column.type) or any(held == set(pair) for pair in PAIRS):
            return True
        return is_number(column) and name_words(col.name)[:1] in (("is",), ("has",))

    def table_words(self, key: Key) -> tuple[str, ...]:
        return expanded(name_words(key[1])[self._prefix :]) or (key[1].lower(),)

    def column_words(self, key: Key, column: str) -> tuple[str, ...]:
        """Words of a column's name without a prefix that only repeats its table."""
        prefix = self._prefixes.get(key)
        if prefix is None:
            names = [c.name for c in self.tables[key].columns]
            prefix = self._prefixes[key] = shared_prefix(names) if len(names) > 3 else 0
        words = expanded(name_words(column)[prefix:]) or (column.lower(),)
        owner = self.table_words(key)
        for size in range(len(owner), 0, -1):
            head = owner[-size:]
            if len(words) > size and alike(words[:size], head) and not IN.issuperset(words[size:]):
                return words[size:]
        return words

    def _index_table(self, key: Key, table: Table) -> None:
        words = self.table_words(key)
        own: Target = self.namesakes.get(key, key)
        self._add(words, Hit(own, 0))
        self._glue("".join(words), Hit(own, 0))
        for name in (table.name.lower(), table.name.lower().replace("_", "")):
            self._glue(name, Hit(own, 0))
        if len(words) > 1 and key not in self.namesakes:
            self._heads.setdefault(stem(words[0]), []).append(Hit(key, LOOSE))
            several = words[-1] in VERBS and words[-1].endswith("s") and key[1].lower().endswith(words[-1])
            vague = stem(words[-1]) in VAGUE and not several
            named = words[:-1] if vague else words[-1:]
            compound = vague and any(named == self.table_words(k)[-len(named) :] for k in self.tables if k != key)
            self._add(named, Hit(key, 3 if compound else 1 if vague else 2))
        for other in synonyms(words):
            self._add(other, Hit(key, 3))
        for column in table.columns:
            self._index_column(Col(key, column.name), words, column.comment)
        display = self.display(key)
        if len(display) == 1:
            same = [c.name for c in table.columns if alike(self.column_words(key, c.name), words[-1:])]
            for name in {display[0].name, *same}:
                for phrase in (("name",), (*words, "name"), (*words[-1:], "name")):
                    self._add(phrase, Hit(Col(key, name), 2))

    def _index_column(self, col: Col, owner: tuple[str, ...], comment: str) -> None:
        full, short = expanded(name_words(col.name)), self.column_words(col.table, col.name)
        if col.table in self.namesakes and self.namesakes[col.table].column == col.name:
            return
        dated = is_date(self.catalog_column(col))
        foreign = self.is_key(col) and col.name not in self.tables[col.table].primary_key
        names = {full: 0, short: 0}
        if "of" in full[1:-1]:
            at = full.index("of")
            self._add((*full[at + 1 :], *full[:at]), Hit(col, 1))  # `membership level` for `level_of_membership`
        thing = len(short) == 2 and any(alike(self.table_words(k)[-1:], short[:1]) for k in self.tables)
        for pair in [short] if len(short) == 2 and not foreign and not thing else []:
            self._add((pair[1], "of", pair[0]), Hit(col, 1))
            self._add((pair[1], "of", "the", pair[0]), Hit(col, 1))
        if not foreign and short[-1] not in IN:
            names |= {(*owner, *short): 0, (*owner[-1:], *short): 0}
        if foreign:
            names.pop(short if short != full else (), None)
        if len(short) > 1 and not foreign:
            for cut in range(1, len(short)):
                names.setdefault(short[cut:], 2)
            for size in range(2, len(short)):
                names.setdefault(short[:size], 2)
            if short[-1] in ("name", "code", "type", "option", "address", "details", "level"):
                names.setdefault(short[:-1], 2)
            if (plain := without_unit(short)) != short:
                names.setdefault(plain, 1)
            if short[0] in COUNTING and not dated and is_number(self.catalog_column(col)):
                for said in (("number",), ("total", "number"), ("count",)):
                    names.setdefault((*said, "of", *short[1:]), 1)
            if dated and short[-1] in ("date", "time", "at", "on", "day"):
                names.setdefault(short[:-1], 2)
        if dated and short[-1] not in (*IN, "date", "time", "day"):
            names.setdefault((*short, "date"), 2)  # `start date` for `start`
        for phrase, tier in names.items():
            self._add(phrase, Hit(col, tier))
        self._index_literal(col, owner, foreign=foreign)
        for text in (col.name.lower(), "".join(name_words(col.name)), "".join(full), "".join(short)):
            self._glue(text, Hit(col, 0))
        if not foreign:
            for name in {full, short} | ({short[:-1]} if dated and len(short) > 1 else set()):
                for other in synonyms(name):
                    self._add(other, Hit(col, 3))
        note = re.split(r"[;,.(:]", comment)[0].split()
        if 1 <= len(note) <= 3 and not any(w.lower() in UNITS or w.lower() in WEAK for w in note):
            self._add(tuple(w.lower() for w in note), Hit(col, 3))

    def _index_literal(self, col: Col, owner: tuple[str, ...], *, foreign: bool) -> None:
        """The column's name as it is written, short forms and all: `amt`, `unit_amt`, `order amt`."""
        plain = name_words(col.name)
        if plain == expanded(plain):
            return
        self._add(plain, Hit(col, 0))
        if (unitless := without_unit(plain)) != plain:
            self._add(unitless, Hit(col, 1))
        if not foreign:
            self._add((*owner[-1:], *plain), Hit(col, 0))
            for cut in range(1, len(plain)):
                self._add(plain[cut:], Hit(col, 0 if alike(plain[:cut], owner[-cut:]) else 2))

    def _index_schema(self, key: Key) -> None:
        """`backup.orders`, `backup orders`, `orders in backup`: of tables whose name alone is not theirs alone."""
        schema, name = name_words(key[0]), name_words(key[1])
        for phrase in ((*schema, *name), *((*name, between, *schema) for between in ("in", "of", "from"))):
            self._add(phrase, Hit(key, 0))
        self._glue(".".join(key).lower(), Hit(key, 0))

    def _index_values(self, col: Col, texts: tuple[str, ...]) -> None:
        self.values[col] = texts
        for text in texts:
            words = stems(text)
            if 0 < len(words) <= LONGEST and not (len(words) == 1 and is_weak(text)):
                self._texts.setdefault(words, []).append(Hit(col, 1, text))
                for size in range(1, min(len(words), 3)):
                    self._openings.setdefault(words[:size], []).append(Hit(col, 3, text))

    def _add(self, words: tuple[str, ...], hit: Hit) -> None:
        if len(words) == 1 and words[0] in WEAK and not isinstance(hit.target, tuple):
            _keep(self._weak.setdefault(words[0], {}), hit)
        elif words:
            _keep(self._phrases.setdefault(tuple(map(stem, words)), {}), hit)

    def _glue(self, text: str, hit: Hit) -> None:
        _keep(self._glued.setdefault(text, {}), hit)

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
                    _keep(hits, hit)
        if not hits and all(t.kind == "word" for t in span):
            hits = self._same_meaning(words, lows) or self._headed(words, lows)
        for hit in hits.values():
            if isinstance(hit.target, Col):
                link.columns.append(hit)
            elif isinstance(hit.target, Measure):
                link.measures.append(hit)
            else:
                link.tables.append(hit)
        if all(t.kind in ("word", "number", "sign") for t in span):
            plain = all(low in FUNCTION for low in lows)
            link.values = self._values(words, " ".join(lows), link.text if plain else None)
            named = link.columns or link.tables or link.measures or link.values
            if not named and len(lows[0]) >= SHORTEST_OPENING and span[0].text[:1].isupper():
                begun = self._openings.get(words, [])
                link.values = begun if len({(hit.target, hit.value) for hit in begun}) == 1 else []

    def _headed(self, words: tuple[str, ...], lows: tuple[str, ...]) -> dict[Target, Hit]:
        """The one table whose name begins with the word, where that is a noun in the plural or names no value."""
        found = self._heads.get(words[0], []) if len(words) == 1 and lows[0] not in WEAK else []
        return {found[0].target: found[0]} if len(found) == 1 and words not in self._texts else {}

    def _same_meaning(self, words: tuple[str, ...], lows: tuple[str, ...]) -> dict[Target, Hit]:
        """What is named wholly once a word that names nothing is put in another word for the same thing."""
        found: dict[Target, Hit] = {}
        if any(low in WEAK for low in lows) or words in self._texts:
            return found
        for at, (word, low) in enumerate(zip(words, lows, strict=True)):
            if len(words) > 1 and (word,) in self._phrases:
                continue
            for other in MEANING.get(low, MEANING.get(singular(low), frozenset())):
                for hit in self._phrases.get((*words[:at], stem(other), *words[at + 1 :]), {}).values():
                    if hit.tier < 2:
                        _keep(found, Hit(hit.target, LOOSE))
        return found

    def _values(self, words: tuple[str, ...], low: str, spelled: str | None) -> list[Hit]:
        """Values of these words; where `spelled` is given, only those spelled so, with a capital."""
        if spelled is not None:
            same = [hit for hit in self._texts.get(words, ()) if hit.value == spelled and not spelled.islower()]
            return [Hit(hit.target, 0, hit.value) for hit in same]
        found = []
        for hit in self._texts.get(words, ()):
            exact = hit.value is not None and " ".join(re.findall(r"\w+", hit.value.lower())) == " ".join(
                re.findall(r"\w+", low)
            )
            found.append(Hit(hit.target, 0 if exact else 1, hit.value))
        if not found:
            for other in renamed(low):
                found += [Hit(h.target, 3, h.value) for h in self._texts.get(stems(other), ())]
        if not found and low in SEXES:
            initial = SEXES[low]
            cols = [col for col in self.values if {"sex", "gender"} & set(self.column_words(*_place(col)))]
            found = [Hit(col, 3, value) for col in cols for value in self.values[col] if value.lower() in initial]
        best = min((hit.tier for hit in found), default=0)
        return [hit for hit in found if hit.tier == best]


def _place(col: Col) -> tuple[Key, str]:
    return col.table, col.name


def _keep(hits: dict[Target, Hit], hit: Hit) -> None:
    """For each target its best tier."""
    known = hits.get(hit.target)
    if known is None or hit.tier < known.tier:
        hits[hit.target] = hit
