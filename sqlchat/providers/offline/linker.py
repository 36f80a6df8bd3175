"""Schema linking: which tables, columns, values and measures a run of the question's words names.

Every hit carries a tier: 0 the name itself, 1 its stem, 2 a part of the name that stands for it, 3 a synonym. Lower
is better, and a worse tier is only used where a better one finds nothing.
"""

from __future__ import annotations

import os.path
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlchat.providers.offline.dates import is_date, is_number
from sqlchat.providers.offline.lexicon import (
    ABBREVIATIONS,
    COMMANDS,
    COUNTRY_NAMES,
    DEMONYMS,
    FILLERS,
    FUNCTION,
    IN,
    NAME_COLUMNS,
    NOT,
    SYNONYMS,
    UNITS,
    VERBS,
)
from sqlchat.providers.offline.measures import Measure, measures
from sqlchat.providers.offline.words import PRONOUNS, Token, name_words, stem, stems
from sqlchat.sql.catalog import Catalog, Column, Table

Key = tuple[str, str]
"""(schema, table)"""
BOOLEAN_TYPE = re.compile(r"^(bool|tinyint\(1\)|bit$|bit\(1\))", re.IGNORECASE)
PAIRS = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("1", "0"))
LONGEST = 8
"""Words of the longest phrase that is looked for."""
WEAK = FILLERS | IN | NOT | VERBS | {"and", "or", "but"}

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

    def __init__(self, catalog: Catalog, values: Mapping[tuple[str, str, str], tuple[str, ...]]):
        self.tables: dict[Key, Table] = {(t.schema, t.name): t for t in catalog.tables}
        self.measures = [m for key, table in self.tables.items() for m in measures(key, table, catalog.dialect)]
        self.values: dict[Col, tuple[str, ...]] = {}
        self._phrases: dict[tuple[str, ...], dict[Target, Hit]] = {}
        self._glued: dict[str, dict[Target, Hit]] = {}
        self._prefixes: dict[Key, str] = {}
        self._texts: dict[tuple[str, ...], list[Hit]] = {}
        self._prefix = shared_prefix([t.name.lower() for t in catalog.tables]) if len(catalog.tables) > 2 else ""
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
            if link.tables or link.columns or link.values or link.measures:
                found.append(link)
        return found

    def value(self, column: Col, text: str) -> str | None:
        """The value of `column` that `text` spells (any case), where the index holds it."""
        known = self.values.get(column, ())
        exact = [value for value in known if value.lower() == text.lower()]
        # Where the text was typed without an exclamation mark or with another dash.
        loose = exact or [value for value in known if _letters(value) == _letters(text)]
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
        alike = [c for words, c in by_words.items() if tuple(map(stem, words)) == tuple(map(stem, head))]
        return [c for c in alike if not self.is_key(c)][:1] if not named else []

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
        column = self.catalog_column(col)
        held = {value.lower() for value in self.values.get(col, ())}
        if BOOLEAN_TYPE.match(column.type) or any(held == set(pair) for pair in PAIRS):
            return True
        return is_number(column) and name_words(col.name)[:1] in (("is",), ("has",))

    def table_words(self, key: Key) -> tuple[str, ...]:
        name = key[1][len(self._prefix) :] or key[1]
        return _expanded(name_words(name)) or (name.lower(),)

    def column_words(self, key: Key, column: str) -> tuple[str, ...]:
        """Words of a column's name without a prefix that only repeats its table."""
        prefix = self._prefixes.get(key)
        if prefix is None:
            names = [c.name.lower() for c in self.tables[key].columns]
            prefix = self._prefixes[key] = shared_prefix(names) if len(names) > 3 else ""
        words = _expanded(name_words(column[len(prefix) :] or column))
        owner = self.table_words(key)
        for size in range(len(owner), 0, -1):
            head = owner[-size:]
            if len(words) > size and _alike(words[:size], head) and not IN.issuperset(words[size:]):
                return words[size:]
        return words

    def _index_table(self, key: Key, table: Table) -> None:
        words = self.table_words(key)
        self._add(words, Hit(key, 0))
        self._glue("".join(words), Hit(key, 0))
        for name in (table.name.lower(), table.name.lower().replace("_", "")):
            self._glue(name, Hit(key, 0))
        if len(words) > 1:
            vague = stem(words[-1]) in VAGUE
            self._add(words[:-1] if vague else words[-1:], Hit(key, 1 if vague else 2))
        for other in _synonyms(words):
            self._add(other, Hit(key, 3))
        for column in table.columns:
            self._index_column(Col(key, column.name), words, column.comment)
        display = self.display(key)
        if len(display) == 1:
            alike = [c.name for c in table.columns if _alike(self.column_words(key, c.name), words[-1:])]
            for name in {display[0].name, *alike}:
                for phrase in (("name",), (*words, "name"), (*words[-1:], "name")):
                    self._add(phrase, Hit(Col(key, name), 2))

    def _index_column(self, col: Col, owner: tuple[str, ...], comment: str) -> None:
        full, short = _expanded(name_words(col.name)), self.column_words(col.table, col.name)
        dated = is_date(self.catalog_column(col))
        foreign = self.is_key(col) and col.name not in self.tables[col.table].primary_key
        names = {full: 0, short: 0}
        for pair in [short] if len(short) == 2 and not foreign else []:
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
            if short[-1] in ("name", "code", "type", "option"):
                names.setdefault(short[:-1], 2)
            if dated and short[-1] in ("date", "time", "at", "on", "day"):
                names.setdefault(short[:-1], 2)
        for phrase, tier in names.items():
            self._add(phrase, Hit(col, tier))
        self._index_literal(col, owner, foreign=foreign)
        for text in (col.name.lower(), "".join(name_words(col.name)), "".join(full), "".join(short)):
            self._glue(text, Hit(col, 0))
        if not foreign:
            for name in {full, short} | ({short[:-1]} if dated and len(short) > 1 else set()):
                for other in _synonyms(name):
                    self._add(other, Hit(col, 3))
        note = re.split(r"[;,.(:]", comment)[0].split()
        if 1 <= len(note) <= 3 and not any(w.lower() in UNITS or w.lower() in WEAK for w in note):
            self._add(tuple(w.lower() for w in note), Hit(col, 3))

    def _index_literal(self, col: Col, owner: tuple[str, ...], *, foreign: bool) -> None:
        """The column's name as it is written, short forms and all: `amt`, `unit_amt`, `order amt`."""
        plain = name_words(col.name)
        if plain == _expanded(plain):
            return
        self._add(plain, Hit(col, 0))
        if not foreign:
            self._add((*owner[-1:], *plain), Hit(col, 0))
            for cut in range(1, len(plain)):
                self._add(plain[cut:], Hit(col, 0 if _alike(plain[:cut], owner[-cut:]) else 2))

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
            if 0 < len(words) <= LONGEST and not (len(words) == 1 and _weak(text)):
                self._texts.setdefault(words, []).append(Hit(col, 1, text))

    def _add(self, words: tuple[str, ...], hit: Hit) -> None:
        if words and not (len(words) == 1 and words[0] in WEAK and not isinstance(hit.target, tuple)):
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
            for other in _renamed(low):
                found += [Hit(h.target, 3, h.value) for h in self._texts.get(stems(other), ())]
        best = min((hit.tier for hit in found), default=0)
        return [hit for hit in found if hit.tier == best]


def shared_prefix(names: list[str]) -> str:
    """What all names begin with, where that is more than a letter and leaves each a rest."""
    prefix = os.path.commonpath(names)
    if len(names) < 3 or len(prefix) < 2:
        return ""
    return prefix if all(len(n) > len(prefix) for n in names) else ""


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _weak(text: str) -> bool:
    return text not in PRONOUNS and (len(text) < 3 or text.lower() in WEAK | FUNCTION)


def _alike(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    return tuple(map(stem, left)) == tuple(map(stem, right))


def _expanded(words: tuple[str, ...]) -> tuple[str, ...]:
    if "".join(words) in ABBREVIATIONS:
        return ABBREVIATIONS["".join(words)]
    return tuple(full for word in words for full in ABBREVIATIONS.get(word, (word,)))


def _synonyms(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The phrase with one of its parts put in other words."""
    stemmed = tuple(map(stem, words))
    for at, first in enumerate(stemmed):
        for part, others in SYNONYMS_BY_STEM.get(first, ()):
            if stemmed[at : at + len(part)] == part:
                for other in others:
                    yield (*words[:at], *other, *words[at + len(part) :])


def _by_stem() -> dict[str, list[tuple[tuple[str, ...], list[tuple[str, ...]]]]]:
    index: dict[str, list[tuple[tuple[str, ...], list[tuple[str, ...]]]]] = {}
    for group in SYNONYMS:
        for name in group:
            part = tuple(map(stem, name.split()))
            others = [tuple(other.split()) for other in group if other != name]
            index.setdefault(part[0], []).append((part, others))
    return index


SYNONYMS_BY_STEM = _by_stem()


def _renamed(low: str) -> Iterator[str]:
    if low in DEMONYMS:
        low = DEMONYMS[low]
        yield low
    for group in COUNTRY_NAMES:
        if low in group:
            yield from (other for other in group if other != low)


def _keep(hits: dict[Target, Hit], hit: Hit) -> None:
    """For each target its best tier."""
    known = hits.get(hit.target)
    if known is None or hit.tier < known.tier:
        hits[hit.target] = hit
