"""The names of one catalog as phrases, each with what it may mean; the base of `linker`.

Every hit carries a tier: 0 the name itself, 1 its stem, 2 a part of the name that stands for it, 3 a synonym. Lower
is better, and a worse tier is only used where a better one finds nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from sqlchat.language.abbreviations import ShortForms
from sqlchat.language.lexicon import COMMANDS, IN, NAME_COLUMNS, PEOPLE, REVENUE, UNITS, VERBS, words
from sqlchat.language.tokens import name_words, singular, stem, stems
from sqlchat.providers.offline.dates import is_date, is_number
from sqlchat.providers.offline.definitions import Definitions
from sqlchat.providers.offline.links import LOOSE, Col, Computed, Hit, Key, Link, Target
from sqlchat.providers.offline.measures import Measure, find_measures, find_namesake, is_side_table
from sqlchat.providers.offline.naming import (
    DELAYS,
    KEPT_IN,
    WEAK,
    count_shared_words,
    drop_unit,
    expand,
    is_alike,
    is_weak,
    list_synonyms,
)
from sqlchat.providers.offline.roles import Tables, get_real_key, list_roles
from sqlchat.sql.catalog import Catalog, Column, Table

FIRST_NAMES = (("first", "name"), ("given", "name"), ("forename",))
LAST_NAMES = (("last", "name"), ("surname",), ("family", "name"))
HEADS = words("name title code type option address details level note status")
"""Last words of columns' names without which a thing is called the same."""
COUNTING = frozenset({"number", "total", "count", "no"})
"""First words of columns that hold how many there are: `number_of_rooms`, `total_horses`."""
DURATIONS = frozenset(
    {
        "duration",
        "minutes",
        "min",
        "mins",
        "hours",
        "hrs",
        "days",
        "nights",
        "weeks",
        "seconds",
        "secs",
        "length",
        "minimum",
    }
)
"""Last words of columns that hold how long something took; `min` is written out as `minimum`."""
LONGEST = 8
"""Words of the longest phrase that is looked for."""

KEYS = frozenset({"id", "no", "nr", "number", "code", "key", "ref"})

VAGUE = frozenset(
    stem(word) for word in (*WEAK, *COMMANDS, "data", "info", "information", "record", "table", "detail")
)
"""Last words of tables' names that do not stand for the whole."""


def _free_names(measure: Measure, taken: set[tuple[str, ...]]) -> Measure | None:
    """The measure under the names that the owner's terms leave to it; None if they take all."""
    names = tuple(name for name in measure.names if stems(name) not in taken)
    if names == measure.names:
        return measure
    return replace(measure, name=names[0], names=names) if names else None


class Names:
    """The phrases of one catalog and its values; built once for a question, read-only afterwards."""

    def __init__(
        self,
        catalog: Catalog,
        values: Mapping[tuple[str, str, str], tuple[str, ...]],
        definitions: Definitions | None = None,
    ):
        self.definitions = definitions or Definitions(catalog)
        self.tables: dict[Key, Table] = Tables({(t.schema, t.name): t for t in catalog.tables})
        self.roles = list(list_roles(self.tables))
        defined = self.definitions.measures
        taken = {stems(name) for measure in defined for name in measure.names}
        derived = (m for key, table in self.tables.items() for m in find_measures(key, table, catalog.dialect))
        self.measures = [free for measure in derived if (free := _free_names(measure, taken))] + defined
        self.namesakes = {
            key: own for key, table in self.tables.items() if (own := find_namesake(key, table)) is not None
        }
        """Tables that are named like one of their numbers: `downloads(day, downloads)`."""
        self.values: dict[Col, tuple[str, ...]] = {}
        self._phrases: dict[tuple[str, ...], dict[Target, Hit]] = {}
        self._weak: dict[str, dict[Target, Hit]] = {}
        """Columns named like words that build sentences, such as `Created`: meant after `by`."""
        self._glued: dict[str, dict[Target, Hit]] = {}
        self._prefixes: dict[Key, int] = {}
        self._displays: dict[Key, list[Col]] = {}
        self._table_words: dict[Key, tuple[str, ...]] = {}
        self._column_words: dict[tuple[Key, str], tuple[str, ...]] = {}
        self._texts: dict[tuple[str, ...], list[Hit]] = {}
        self.spellings: Mapping[str, list[str]] = {}
        """Words that a slip of the pen may have meant, by their first letter, once they were asked for."""
        self._looked_up: dict[tuple[tuple[str, str], ...], Link] = {}
        self._inner: dict[str, list[Hit]] = {}
        """Values of several words by each of them: `Acme` of `Acme Corp`, `lasagne` of `Veggie Lasagne`."""
        self._heads: dict[str, list[Hit]] = {}
        """Tables by the first word of their names: `degree` of `degree_programs`."""
        self._days = [
            Col(key, column.name) for key, table in self.tables.items() for column in table.columns if is_date(column)
        ]
        self._prefix = count_shared_words([t.name for t in catalog.tables])
        self.path_rank = catalog.path_rank
        every = [tuple(map(stem, self.table_words(key))) for key in self.tables]
        self._tails = {words[at:] for words in every for at in range(len(words))}
        """What tables' names end with, stemmed."""
        spread = Counter(name.lower() for _, name in {(schema, name.lower()) for schema, name in self.tables})
        self._twins = {key for key in self.tables if spread[key[1].lower()] > 1}
        for key, table in self.tables.items():
            self._index_table(key, table)
            if key in self._twins:
                self._index_schema(key)
        parts = {word for key in self.tables for word in self.table_words(key)}
        parts |= {
            word
            for key, table in self.tables.items()
            for c in table.columns
            for word in self.column_words(key, c.name)
        }
        self._shorts = ShortForms(parts)
        self.measures = [self._name_side_revenue(measure) for measure in self.measures]
        for measure in self.measures:
            for name in measure.names:
                self._add(stems(name), Hit(measure, 0 if name == measure.name else 3))
        for (schema, name, column), texts in values.items():
            if (schema, name) in self.tables and self.tables[schema, name].column(column):
                self._index_values(Col((schema, name), column), texts)

    def _name_side_revenue(self, measure: Measure) -> Measure:
        """The revenue of a table that only adds to another's amounts, which goes by its table's name alone."""
        if measure.defined or measure.name not in REVENUE or not is_side_table(measure.table, self.tables):
            return measure
        own = " ".join(self.table_words(measure.table))
        return replace(measure, name=f"{own} revenue", names=tuple(f"{own} {name}" for name in measure.names))

    def display(self, key: Key) -> list[Col]:
        """The columns by which people know a row of the table: its name or title, or first and last name."""
        known = self._displays.get(key)
        if known is None and key not in self.tables:  # a role
            known = self._displays[key] = [Col(key, col.name) for col in self.display(get_real_key(key))]
        if known is None:
            known = self._displays[key] = self._choose_display(key)
        return list(known)

    def _choose_display(self, key: Key) -> list[Col]:
        table = self.tables[key]
        by_words = {self.column_words(key, c.name): Col(key, c.name) for c in table.columns}
        for wanted in NAME_COLUMNS:
            if tuple(wanted.split()) in by_words:
                return [by_words[tuple(wanted.split())]]
        for first, last in product(FIRST_NAMES, LAST_NAMES):
            if first in by_words and last in by_words:
                return [by_words[first], by_words[last]]
        head = self.table_words(key)[-1:]
        own = singular(head[0])
        by_words = {
            words: col
            for words, col in by_words.items()
            if len(words) < 2 or words[0] == own or not (words[0] in PEOPLE or self._names_another(key, words[0]))
        }
        named = [col for words, col in by_words.items() if words[-1] in ("name", "title") and not self.is_key(col)]
        if len(named) == 1:
            return named
        same = [c for words, c in by_words.items() if tuple(map(stem, words)) == tuple(map(stem, head))]
        return [c for c in same if not self.is_key(c)][:1] if not named else []

    def _names_another(self, key: Key, word: str) -> bool:
        """Whether a name that begins with the word repeats: `Supplier Name`, in the only table, of numbered rows.

        Rows are called by their own noun, which the table's name or its first column tells: `Ticket No`.
        """
        first = name_words(self.tables[key].columns[0].name)
        numbered = len(first) > 1 and first[-1] in KEYS
        return len(self.tables) == 1 and numbered and word not in (*first, *self.table_words(key))

    def catalog_column(self, col: Col) -> Column:
        if isinstance(col, Computed):
            return Column(col.name, "real")
        found = self.tables[col.table].column(col.name)
        assert found is not None
        return found

    def is_key(self, col: Col) -> bool:
        """Whether the column is part of a key, primary or foreign."""
        table = self.tables[col.table]
        return col.name in table.primary_key or any(col.name in fk.columns for fk in table.foreign_keys)

    def table_words(self, key: Key) -> tuple[str, ...]:
        words = self._table_words.get(key)
        if words is None:
            words = self._table_words[key] = expand(name_words(key[1])[self._prefix :]) or (key[1].lower(),)
        return words

    def column_words(self, key: Key, column: str) -> tuple[str, ...]:
        """Words of a column's name without a prefix that only repeats its table."""
        known = self._column_words.get((key, column))
        if known is None:
            known = self._column_words[key, column] = self._split_column(key, column)
        return known

    def _split_column(self, key: Key, column: str) -> tuple[str, ...]:
        prefix = self._prefixes.get(key)
        if prefix is None:
            names = [c.name for c in self.tables[key].columns]
            prefix = self._prefixes[key] = count_shared_words(names) if len(names) > 3 else 0
        words = expand(name_words(column)[prefix:]) or (column.lower(),)
        owner = self.table_words(key)
        for size in range(len(owner), 0, -1):
            head = owner[-size:]
            if len(words) > size and is_alike(words[:size], head) and not IN.issuperset(words[size:]):
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
            compound = vague and tuple(map(stem, named)) in self._tails
            self._add(named, Hit(key, 3 if compound else 1 if vague else 2))
        for other in list_synonyms(words):
            self._add(other, Hit(key, 3))
        self._index_rows(key, table)
        for column in table.columns:
            self._index_column(Col(key, column.name), words, column.comment)
        display = self.display(key)
        if len(display) == 1:
            same = [c.name for c in table.columns if is_alike(self.column_words(key, c.name), words[-1:])]
            for name in {display[0].name, *same}:
                for phrase in (("name",), (*words, "name"), (*words[-1:], "name")):
                    self._add(phrase, Hit(Col(key, name), 2))

    def _index_rows(self, key: Key, table: Table) -> None:
        """The rows by the name of their key: `sessions` for the rows of `parking`, whose key is `session_id`."""
        first = table.primary_key if len(table.primary_key) == 1 else tuple(c.name for c in table.columns[:1])
        for name in first if not any(first[0] in fk.columns for fk in table.foreign_keys) else ():
            full = name_words(name)
            noun = expand(full[:-1]) if len(full) > 1 and full[-1] in KEYS else ()
            if noun and not any(is_alike(noun, self.table_words(other)) for other in self.tables):
                self._add(noun, Hit(key, 2))

    def _index_column(self, col: Col, owner: tuple[str, ...], comment: str) -> None:
        full, short = expand(name_words(col.name)), self.column_words(col.table, col.name)
        if col.table in self.namesakes and self.namesakes[col.table].column == col.name:
            return
        dated = is_date(self.catalog_column(col))
        foreign = self.is_key(col) and col.name not in self.tables[col.table].primary_key
        names = {full: 0, short: 0}
        if "of" in full[1:-1]:  # `membership level` for `level_of_membership`
            self._add((*full[full.index("of") + 1 :], *full[: full.index("of")]), Hit(col, 1))
        thing = len(short) == 2 and (stem(short[0]),) in self._tails
        for pair in [short] if len(short) == 2 and not foreign and not thing else []:
            self._add((pair[1], "of", pair[0]), Hit(col, 1))
            self._add((pair[1], "of", "the", pair[0]), Hit(col, 1))
        if len(short) > 1 and short[-1] in ("maximum", "minimum"):
            names[short[-1], *short[:-1]] = 0
        if not foreign and short[-1] not in IN:
            names |= {(*owner, *short): 0, (*owner[-1:], *short): 0}
        if foreign:
            names.pop(short if short != full else (), None)
        if len(short) > 1 and not foreign:
            for cut in range(1, len(short)):
                apart = short[cut - 1] == "per" or (dated and short[cut - 1] in ("first", "last"))
                if short[cut] not in KEPT_IN and not apart:  # `price per tonne` is no `tonne`
                    names.setdefault(short[cut:], 2)
            for size in range(2, len(short)):
                names.setdefault(short[:size], 2)
            if short[-1] in HEADS and (short[-1] != "type" or short[0] not in PEOPLE):  # no `owner type` is an owner
                names.setdefault(short[:-1], 2)
            if (plain := drop_unit(short)) != short:
                names.setdefault(plain, 1)
            if short[0] == "cost" and len(short) == 2:
                names.setdefault(short[:1], 1)
            if short[-1] in DURATIONS:
                names.setdefault((*short[:-1], "time"), 1)
            if short[-1] == "count":
                names |= {("number", "of", *short[:-1]): 0, short[:-1]: 1}
            if short[0] in COUNTING and not dated and is_number(self.catalog_column(col)):
                for said in (("number",), ("total", "number"), ("count",)):
                    names.setdefault((*said, "of", *short[1:]), 1)
            if dated and short[-1] in ("date", "time", "at", "on", "day"):
                names.setdefault(short[:-1], 2)
        if short[-1] == "year" and len(short) > 1:
            names.setdefault(short[:-1], 3)  # `born` for `birth_year`
        if short[-1] in DURATIONS and not foreign and not dated and DELAYS.isdisjoint(short):
            names.setdefault(("duration",), 3)
            names.setdefault(("length",), 3)
        if dated and short[-1] not in (*IN, "date", "time", "day"):
            names.setdefault((*short, "date"), 2)  # `start date` for `start`
        for phrase, tier in names.items():
            self._add(phrase, Hit(col, tier))
        self._index_literal(col, owner, foreign=foreign)
        for text in (col.name.lower(), "".join(name_words(col.name)), "".join(full), "".join(short)):
            self._glue(text, Hit(col, 0))
        if not foreign:
            for name in {full, short, drop_unit(short)} | (
                {short[:-1]} if (dated or short[-1] == "year") and len(short) > 1 else set()
            ):
                for other in list_synonyms(name):
                    self._add(other, Hit(col, 3))
        note = re.split(r"[;,.(:]", comment)[0].split()
        if 1 <= len(note) <= 3 and not any(w.lower() in UNITS or w.lower() in WEAK for w in note):
            self._add(tuple(w.lower() for w in note), Hit(col, 3))

    def _index_literal(self, col: Col, owner: tuple[str, ...], *, foreign: bool) -> None:
        """The column's name as it is written, short forms and all: `amt`, `unit_amt`, `order amt`."""
        plain = name_words(col.name)
        if plain == expand(plain):
            return
        self._add(plain, Hit(col, 0))
        largest = self.tables[col.table].column("_".join((*plain[:-1], "max")))
        if (
            unitless := drop_unit(plain)
        ) != plain and largest is None:  # `salary_min` beside `salary_max`: no minutes
            self._add(unitless, Hit(col, 1))
        if not foreign:
            self._add((*owner[-1:], *plain), Hit(col, 0))
            for cut in range(1, len(plain)):
                self._add(plain[cut:], Hit(col, 0 if is_alike(plain[:cut], owner[-cut:]) else 2))

    def _index_schema(self, key: Key) -> None:
        """`backup.orders`, `backup orders`, `orders in backup`: of tables whose name alone is not theirs alone."""
        schema, name = name_words(key[0]), name_words(key[1])
        for phrase in ((*schema, *name), *((*name, between, *schema) for between in ("in", "of", "from"))):
            self._add(phrase, Hit(key, 0))
        self._glue(".".join(key).lower(), Hit(key, 0))

    def _index_values(self, col: Col, texts: tuple[str, ...]) -> None:
        self.values[col] = texts
        for text in texts:
            words = stems(text.replace("_", " "))
            if 0 < len(words) <= LONGEST and not (len(words) == 1 and is_weak(text)):
                self._texts.setdefault(words, []).append(Hit(col, 1, text))
                for word in set(words) if len(words) > 1 else ():
                    self._inner.setdefault(word, []).append(Hit(col, 3, text))

    def _add(self, words: tuple[str, ...], hit: Hit) -> None:
        if len(words) == 1 and words[0] in WEAK and not isinstance(hit.target, tuple):
            keep_best(self._weak.setdefault(words[0], {}), hit)
        elif words:
            keep_best(self._phrases.setdefault(tuple(map(stem, words)), {}), hit)

    def _glue(self, text: str, hit: Hit) -> None:
        keep_best(self._glued.setdefault(text, {}), hit)


def keep_best(hits: dict[Target, Hit], hit: Hit) -> None:
    """For each target its best tier."""
    known = hits.get(hit.target)
    if known is None or hit.tier < known.tier:
        hits[hit.target] = hit
