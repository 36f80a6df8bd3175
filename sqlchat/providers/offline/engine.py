"""The provider `offline`: a question in, SQL and the way it was read out. For callers outside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.language.detection import foreign_language
from sqlchat.providers.base import Draft, Provider, Task, Term
from sqlchat.providers.offline.build import build
from sqlchat.providers.offline.conversions import convert
from sqlchat.providers.offline.definitions import Definitions, define
from sqlchat.providers.offline.explain import explain, interpret
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.nouns import Vocabulary, build_vocabulary
from sqlchat.providers.offline.present import narrow
from sqlchat.providers.offline.query import Query
from sqlchat.providers.offline.refusal import check_persons
from sqlchat.providers.offline.search import Search
from sqlchat.providers.offline.shortlist import MOST_TABLES, Shortlist, Values
from sqlchat.sql.catalog import Catalog

Part = tuple[Linker, Joins, Vocabulary]
"""What is known of a catalog, or of the part of it that matters to a question."""
MODEL = "sqlchat-offline-1"
LONGEST_QUESTION = 2_000
"""Characters."""
MOST_INDEXES = 8
"""Catalogs whose phrases are kept: connections that are asked in turn."""


class OfflineProvider(Provider):
    """Answers from the catalog alone, always the same way; refuses what it cannot map wholly."""

    name = "offline"
    model = MODEL
    repairs = False

    def __init__(self, today: Callable[[], date] = date.today):
        """`today` tells the day that `last year` is counted from."""
        self._today = today
        self._indexes: list[Index] = []
        self._lock = threading.Lock()

    def draft(self, task: Task) -> Draft:
        """SQL for the task's question. Raises QuestionError with the words that were not understood (`words`)."""
        if len(task.question) > LONGEST_QUESTION:
            raise QuestionError("The question is too long: ask for one thing in one or two sentences.", words=[])
        language = foreign_language(task.question)
        if language is not None:
            raise QuestionError(
                f"This seems to be {language}: the built-in engine reads English; a language model reads others.",
                words=[],
                reason="language",
            )
        linker, joins, vocabulary = self._find_index(task)
        search = Search(linker, joins, vocabulary, self._today(), task.catalog.dialect)
        query, select = search.read(task.question)
        try:
            check_persons(linker, task.question, query, {table.name for table in select.find_all(exp.Table)})
        except QuestionError as fault:
            fault.facts["suggestions"] = [q for q in fault.facts["suggestions"] if _can_read(search, q)]
            raise
        converted = convert(task.question, query, linker)
        if narrow(task.question, query, linker, joins, self._today()) or converted:
            query.assumptions[:] = [text for text in query.assumptions if not text.endswith("left out.")]
            select = build(query, linker, joins, task.catalog.dialect)
        sql = select.sql(dialect=task.catalog.dialect)
        read = interpret(query)
        return Draft(
            sql,
            explain(query),
            self.model,
            assumptions=tuple(query.assumptions),
            interpretation=f"{read[:1].upper()}{read[1:]}.",
            values=tuple(
                (words, (*col.table, col.name), value)
                for words, col, value in dict.fromkeys(query.matched)
                if exp.Literal.string(value).sql(dialect=task.catalog.dialect) in sql
            ),
            terms=tuple(dict.fromkeys(_find_used_terms(query, linker.definitions))),
        )

    def _find_index(self, task: Task) -> Part:
        """The phrases and the paths of the tables that matter, kept for the catalogs that were asked about last."""
        with self._lock:
            index = next((i for i in self._indexes if i.is_of(task)), None)
            if index is None:
                index = Index(task)
                self._indexes = [index, *self._indexes[: MOST_INDEXES - 1]]
        return index.of(task.question, task.terms)


class Index:
    """What the engine knows of one catalog: all of a small one, of a large one the part near to a question."""

    def __init__(self, task: Task):
        self._task = task
        catalog, values = _set_types(task), task.values
        self.catalog, self.values = catalog, values
        large = len(catalog.tables) > MOST_TABLES
        self._shortlist = Shortlist(catalog, values) if large else None
        self._parts: dict[tuple[tuple[str, str], ...], Part] = {}
        """Those of a large catalog that were asked about last, by their tables."""
        self._whole = None if large else _link_catalog(catalog, values)

    def is_of(self, task: Task) -> bool:
        own = self._task
        same = own.catalog is task.catalog and own.values == task.values
        return same and own.plain_kinds == task.plain_kinds

    def of(self, question: str, terms: tuple[Term, ...]) -> Part:
        """The linker and the paths for a question that uses these terms."""
        if self._whole is not None:
            return _link_catalog(self.catalog, self.values, terms) if terms else self._whole
        assert self._shortlist is not None
        said = " ".join((question, *(term.sql for term in terms)))
        part, values = self._shortlist.pick(said)
        names = tuple((table.schema, table.name) for table in part.tables)
        known = self._parts.get(names) if not terms else None
        if known is None:
            known = _link_catalog(part, values, terms)
        if not terms:
            self._parts = {names: known, **dict(list(self._parts.items())[: MOST_INDEXES - 1])}
        return known


def _can_read(search: Search, question: str) -> bool:
    try:
        search.read(question)
    except QuestionError:
        return False
    return True


def _set_types(task: Task) -> Catalog:
    """The catalog with the types that columns have by what they hold.

    Days kept as text are days in SQLite alone, which has no type of its own for them.
    """
    types = {"flag": "tinyint(1)"} | ({"day": "date"} if task.catalog.dialect == "sqlite" else {})
    kinds = {path: types[kind] for path, kind in task.plain_kinds.items() if kind in types}
    tables = []
    for table in task.catalog.tables if kinds else ():
        held = {path[2]: type_ for path, type_ in kinds.items() if path[:2] == (table.schema, table.name)}
        keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
        columns = (replace(c, type=held[c.name]) if c.name in held.keys() - keys else c for c in table.columns)
        tables.append(replace(table, columns=tuple(columns)) if held else table)
    return replace(task.catalog, tables=tuple(tables)) if kinds else task.catalog


def _link_catalog(catalog: Catalog, values: Values, terms: tuple[Term, ...] = ()) -> Part:
    definitions = define(catalog, terms)
    linker = Linker(definitions.catalog, values, definitions)
    joins = Joins(linker.tables)
    return linker, joins, build_vocabulary(linker, joins)


def _find_used_terms(query: Query, definitions: Definitions) -> Iterator[str]:
    """The terms that the query rests on."""
    text = repr(query)
    for name, term in definitions.terms.items():
        if f"name={name!r}" in text:
            yield term
