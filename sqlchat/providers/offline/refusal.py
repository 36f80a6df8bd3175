"""Which words of a question are at fault, and what may have been meant by them. Called by grammar and outputs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from itertools import product

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.derivations import have_one_root
from sqlchat.language.tokens import Token, name_words, singular, stem, tokenize
from sqlchat.providers.offline import dates, grain, misfits
from sqlchat.providers.offline.asked import refuse_undated
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Link
from sqlchat.providers.offline.misfits import list_parts
from sqlchat.providers.offline.nouns import holds_people
from sqlchat.providers.offline.query import Agg, Compare, DatePart, Period, Query, Related
from sqlchat.providers.offline.reader import Reader, is_participle
from sqlchat.providers.offline.rules import LIVES
from sqlchat.providers.offline.units import HOURLY

PHRASES = (
    lexicon.AGGREGATES, lexicon.SUPERLATIVES, lexicon.OPERATORS, lexicon.TRAILING, lexicon.LIKES, lexicon.ORDERED,
    lexicon.DESCENDING, lexicon.ASCENDING,
)  # fmt: skip
GRAMMAR = (
    lexicon.LEADS | lexicon.COMMANDS | lexicon.WITH | lexicon.FUNCTION | lexicon.DISTINCT
    | frozenset(lexicon.UNITS) | frozenset(lexicon.MONTHS) | frozenset(lexicon.ADJECTIVES)
    | frozenset(word for phrases in PHRASES for phrase in phrases for word in phrase)
)  # fmt: skip
"""Words that questions are built of, whatever the data."""
CLOSE = 0.8
"""How alike a word and a name are, from 0 to 1, for the one to be a slip of the other."""
MOST_LETTERS = 2
DOING = lexicon.words("who that which never not")
DOING_AFTER = lexicon.words("take takes took last lasts cost costs")
"""Verbs of a thing and not of groups of it."""
ARRANGED = frozenset(phrase[:1] for phrase in lexicon.ORDERED)
PERSON = re.compile(
    r"(?i)\b(?:which (?=people))?(?:(people|persons?|anyone|everyone|somebody|someone)(?! who\b| that\b)"
    r"|(?:\w+ )??who\b)"
)
WORKING = re.compile(r"(?i)\b(works?|worked|working|employed)\b(?= (?:at|for|in|on|here|there|with)\b|\W*$)")
SHORTEST = 4
SHORTEST_VERB = 5
"""Letters that a verb and a table's name have in common: `attended` and `attendance`."""


def is_known(linker: Linker, tokens: list[Token], at: int) -> bool:
    """Whether the token means something by itself, though it may have no place where it stands."""
    token = tokens[at]
    return token.low in GRAMMAR or token.kind in ("number", "date") or bool(linker.links(tokens, at))


def refuse_words(linker: Linker, tokens: list[Token], unknown: list[str]) -> QuestionError:
    """The refusal that names those of the `unknown` words which mean nothing; all of them where each does mean."""
    places = {token.text: at for at, token in reversed(list(enumerate(tokens)))}
    faults = [word for word in unknown if word not in places or not is_known(linker, tokens, places[word])]
    words = faults or unknown
    shown = ", ".join(f'"{word}"' for word in words)
    known_names = list_names(linker) if faults else []
    close = [name for word in faults for name in (*_near(word, known_names), *find_close_values(word, linker))]
    near = [name for name in dict.fromkeys(close) if name.lower() not in {word.lower() for word in faults}]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return QuestionError(f"These words have no meaning for this data: {shown}.{hint}", words=words)


def _near(word: str, names: Iterable[str]) -> list[str]:
    if len(word) < SHORTEST:
        return []
    found = find_close(word, names)
    return found[:1] if len({stem(name) for name in found}) == 1 else found


def find_close(word: str, names: Iterable[str]) -> list[str]:
    """The two names at most that the word may be a slip of."""
    low = word.lower()
    fitting = [name for name in names if name[:1] == low[:1] and abs(len(name) - len(low)) <= MOST_LETTERS]
    return get_close_matches(low, fitting, n=2, cutoff=CLOSE)


def find_close_values(word: str, linker: Linker) -> list[str]:
    """The values at most two that the word may be a slip of: `Germany` for `Germny`."""
    holding = linker.values_with(word) if word[:1].isupper() else []
    if holding or len(word) < SHORTEST:
        return holding[:2]
    values = linker.lower_values
    return [values[low] for low in find_close(word, values)]


def list_names(linker: Linker) -> list[str]:
    """Names and words of names of what there is to ask for; no values."""
    found: dict[str, None] = {}
    for key, table in linker.tables.items():
        for name in (key[1], *(column.name for column in table.columns)):
            found |= dict.fromkeys((name.lower(), *name_words(name)))
    for measure in linker.measures:
        found |= dict.fromkeys(measure.names)
    return [name for name in (*found, *lexicon.UNITS) if len(name) >= SHORTEST]


def check_told(reader: Reader, link: Link) -> None:
    """Raises QuestionError where a column stands as an adjective of its table: nothing tells which value is meant."""
    following = reader.link(link.start + link.size)
    if (
        following is None
        or (following.columns and not _is_table_rather(following))
        or reader.tokens[link.start + link.size - 1].possessive
    ):
        return
    owners = {hit.target for hit in following.tables}
    col = next((h.target for h in link.columns if isinstance(h.target, Col) and h.target.table in owners), None)
    if col is not None:
        raise QuestionError(
            f'"{link.text} {following.text}": say which value of {col.name} is meant, such as '
            f'"{following.text} where {col.name} is ...".',
            words=[link.text],
            reason="ambiguous",
        )


def _is_table_rather(link: Link) -> bool:
    """Whether the words name a table better than a column, and are not what was done."""
    nearest = [min((hit.tier for hit in hits), default=9) for hits in (link.tables, link.columns)]
    return nearest[0] < nearest[1] and not is_participle(link.text.lower())


def check_verbs(linker: Linker, joins: Joins, question: str, read: Collection[str]) -> None:
    """Raises QuestionError where a verb names a table near to those `read` that the reading leaves out.

    `students who attended courses` is not told by the table of registrations, if there is one of attendances.
    """
    before = ""
    for token in tokenize(question):
        inflected = token.low.endswith(("ed", "ing")) or (token.low.endswith("s") and before in DOING)
        before = token.low
        if token.kind != "word" or not inflected or len(token.stem) < SHORTEST_VERB or (token.low,) in ARRANGED:
            continue
        named = [
            key
            for key in linker.tables
            if any(word[:SHORTEST_VERB] == token.stem[:SHORTEST_VERB] for word in linker.table_words(key))
        ]
        near = [key for key in named if any(joins.distance(key, k)[0] < 3 for k in linker.tables if k[1] in read)]
        if near and not any(key[1] in read for key in named):
            raise QuestionError(
                f'"{token.text}" may speak of {linker.shown(near[0])}: name that table.',
                words=[token.text],
                reason="ambiguous",
            )


def check_persons(linker: Linker, question: str, query: Query, read: Collection[str]) -> None:
    """Raises QuestionError where `people` may be the rows of a table or those whom a column of the others names.

    The people of `items(owner_name, volunteer_id)` are owners and volunteers.
    """
    person = PERSON.search(question)
    chosen = query.subject
    if person is None or chosen is None or f"The people are those of {chosen[1]}." not in query.assumptions:
        return
    if (working := WORKING.search(question)) and singular(linker.table_words(chosen)[-1]) in lexicon.SERVED:
        raise QuestionError(
            f'"{working.group()}": nothing here tells who does.', words=[working.group()], suggestions=[]
        )
    for key, table in linker.tables.items():
        for column in table.columns if key != chosen and key[1] in read else ():
            words = linker.column_words(key, column.name)
            role = words[0] in lexicon.PEOPLE and words[1:] in ((), ("name",)) and dates.is_text(column)
            if role and not linker.is_key(Col(key, column.name)):
                names = (" ".join(linker.table_words(chosen)), " ".join(words))
                raise QuestionError(
                    f'"{person.group()}" may mean {chosen[1]} or {key[1]}.{column.name}.',
                    words=[person.group()],
                    reason="ambiguous",
                    suggestions=[
                        PERSON.sub(name if person.group(1) else f"which {name}", question, count=1) for name in names
                    ],
                )


def check_query(linker: Linker, joins: Joins, question: str, query: Query) -> None:
    """Raises QuestionError if the query is none that the question can ask for."""
    _check_who(linker, joins, question, query)
    _check_counts(linker, question, query)
    _check_groups(linker, joins, question, query)
    _check_days(query)
    misfits.check_columns(linker, joins, question, query)
    _check_doers(linker, joins, question, query)
    if LIVES.search(question) is None:
        return
    for related in query.conditions:
        if isinstance(related, Related) and joins.distance(related.anchor, related.table)[1] > 1:
            raise QuestionError(f"Nothing tells who lives in {related.table[1]}.", words=["live"])


def _check_counts(linker: Linker, question: str, query: Query) -> None:
    """Raises QuestionError if rows are counted for each of themselves, of which there is one."""
    counted = {term.of for term in query.outputs if isinstance(term, Agg) and term.function == "count"}
    own = [
        group.table
        for group in query.groups
        if isinstance(group, Col)
        and group.table in counted
        and (linker.is_key(group) or group in linker.display(group.table))
        and "name" not in question.lower()
    ]
    own += [group for group in query.groups if isinstance(group, tuple) and group in counted]
    if own:
        raise QuestionError(f"It is not clear what to count for each of {own[0][1]}.", words=[])


def _check_groups(linker: Linker, joins: Joins, question: str, query: Query) -> None:
    """Raises QuestionError if rows are grouped by a quantity, of which `per` speaks as a unit, or by what a thing is.

    `How long does a delivery by van take` speaks of those by van, if a flag tells it.
    """
    words = question.lower().split()
    for group in query.groups:
        unit = HOURLY.get(group.unit, frozenset()) if isinstance(group, DatePart) else frozenset()
        told = [t.of for t in query.outputs if isinstance(t, Agg) and isinstance(t.of, Col)]
        if any(not unit.isdisjoint(linker.column_words(col.table, col.name)) for col in told):
            raise QuestionError(f"{told[0].name} is told per unit of time already.", words=["per"])
    for within in query.within:
        ranked = [group for group in query.groups if isinstance(group, tuple) and group != within]
        if isinstance(within, tuple) and any(joins.distance(within, group)[0] <= 1 for group in ranked):
            raise QuestionError(f"Each of {within[1]} has one of {ranked[0][1]} at most.", words=["per"])
    compared = {c.col for c in query.conditions if isinstance(c, Compare)}
    sums = {col for col in compared if dates.is_number(linker.catalog_column(col))}
    if query.distinct and sums and not {"spent", "spend", "spends"}.isdisjoint(words):
        raise QuestionError("It is not clear whether one row or all of them are to sum up to this.", words=["spent"])
    behind = words[words.index("by") + 1 :] if "by" in words else []
    for col in query.groups:
        if not isinstance(col, Col):
            continue
        if "per" in words and not behind and grain.is_quantity(linker, col):
            raise QuestionError(f"What is meant per {col.name} is not clear.", words=["per"])
        if linker.is_flag(col) and not DOING_AFTER.isdisjoint(behind):
            raise QuestionError(f'"by" may mean each of {col.name}, or those that have it.', words=["by"])


def _check_days(query: Query) -> None:
    """Raises QuestionError if rows of one period by one of their days are grouped by another of their days."""
    cut = [group.col for group in query.groups if isinstance(group, DatePart)]
    periods = [c.col for c in list_parts(query.conditions) if isinstance(c, Period)]
    for one, other in ((one, other) for one in cut for other in periods if other.table == one.table):
        if one != other:
            raise QuestionError(
                f"It is not clear whether {one.name} or {other.name} is meant.",
                words=[],
                reason="ambiguous",
            )


def _check_doers(linker: Linker, joins: Joins, question: str, query: Query) -> None:
    """Raises QuestionError if others than those who are shown are nearer to what the verb after `who` names."""
    tokens = tokenize(question)
    shown = {term.table for term in query.outputs if isinstance(term, Col)}
    if tokens[0].low != "who" or len(tokens) < 3 or len(shown) != 1:
        return
    verb = next((token.low for token in tokens[1:] if token.low not in lexicon.FUNCTION), "")
    people = [key for key in linker.tables if holds_people(linker, key)]
    done = [key for key in linker.tables if have_one_root(verb, singular(linker.table_words(key)[-1]))]
    own = shown.pop()
    for key in done if own in people and own not in done else ():
        steps = {person: joins.distance(key, person)[1] for person in people if joins.distance(key, person)[0] == 1}
        if own in steps and min(steps.values()) < steps[own]:
            raise QuestionError(f'"Who" may be another one than {linker.shown(own)}.', words=[tokens[0].text])


def check_contradictions(select: exp.Select) -> None:
    """Raises QuestionError if a column has to equal two texts at once, or to be empty and compared."""
    for where in select.find_all(exp.Where):
        values: dict[exp.Expr, str] = {}
        empty, compared = set(), set()
        for same in _list_conjuncts(where.this):
            if isinstance(same, exp.Is) and isinstance(same.expression, exp.Null):
                empty.add(same.this)
            elif isinstance(same, exp.Predicate) and isinstance(same.this, exp.Column):
                compared.add(same.this)
            if isinstance(same, exp.EQ) and isinstance(same.this, exp.Column) and same.expression.is_string:
                value = values.setdefault(same.this, same.expression.name)
                if value != same.expression.name:
                    both = [value, same.expression.name]
                    raise QuestionError(f"{same.this.name} cannot be {both[0]} and {both[1]} at once.", words=both)
        for column in empty & compared:
            raise QuestionError(f"{column.name} cannot be empty and compared at once.", words=[])


def _list_conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the conditions that have to hold together."""
    condition = condition.unnest()
    for part in condition.flatten() if isinstance(condition, exp.And) else ():
        yield from _list_conjuncts(part)
    if not isinstance(condition, exp.And):
        yield condition


def _check_who(linker: Linker, joins: Joins, question: str, query: Query) -> None:
    """Raises QuestionError where `who` asks for rows that have no name."""
    first = next(iter(question.split()), "").lower()
    tables = {term.table for term in query.outputs if isinstance(term, Col)}
    if first == "who" and not tables:
        raise QuestionError("Nothing here tells who that is.", words=["Who"])
    cols = [term for term in query.outputs if isinstance(term, Col)]
    if first == "who" and not any(dates.is_text(linker.catalog_column(col)) or linker.is_key(col) for col in cols):
        raise QuestionError("Nothing here tells who that is.", words=["Who"])
    roles = [col for col in cols if not lexicon.PEOPLE.isdisjoint(linker.column_words(col.table, col.name))]
    people = [key for key in linker.tables if holds_people(linker, key)]
    if first == "who" and not roles and tables.isdisjoint(people):
        for table, person in product(tables, people):
            if joins.distance(table, person)[0] == 1:
                raise QuestionError(f"{table[1]} are nobody: say which of {person[1]} are meant.", words=["Who"])
    plain = first == "who" and tables == {query.subject} and query.subject is not None
    if plain and query.subject and not linker.display(query.subject):
        raise QuestionError(f"Rows of {query.subject[1]} are nobody.", words=["Who"])


def check_cost(reader: Reader, col: Col, text: str) -> None:
    """Raises QuestionError where things `cost` a price, but what was paid for them is kept as well."""
    if text.lower() not in ("cost", "costs", "costing") or dates.is_date(reader.column(col)):
        return
    names = {c.name: reader.linker.column_words(col.table, c.name) for c in reader.linker.tables[col.table].columns}
    prices = [name for name, words in names.items() if words[-1] == "price" and "cost" not in words]
    if prices and "cost" in names[col.name] and len(names[col.name]) > 1:
        both = [" ".join(name_words(name)) for name in (col.name, *prices)]
        raise QuestionError(
            f'"{text}" may mean {col.name} or {" or ".join(prices)}.',
            words=[text],
            reason="ambiguous",
            rewrites=[(text, f"with {name}") for name in both],
        )


def check_dated(reader: Reader, link: Link) -> None:
    """Raises QuestionError where things and what was done to them are named, and no period: `staff hired`."""
    last = reader.tokens[link.start + link.size - 1]
    dated = [h.target for h in link.columns if isinstance(h.target, Col) and dates.is_date(reader.column(h.target))]
    if link.size > 1 and is_participle(last.low) and dated and len(dated) == len(link.columns):
        raise refuse_undated(dated[0], link.text)
