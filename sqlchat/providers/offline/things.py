"""Things that a question names, with what narrows them: `completed orders`, `the 3 urgent tickets`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlchat.language import lexicon
from sqlchat.language.lexicon import QUANTITY_WORDS
from sqlchat.providers.offline import flags, grain, states
from sqlchat.providers.offline.links import Col, Hit, Key, Link
from sqlchat.providers.offline.measures import find_quantity
from sqlchat.providers.offline.query import Asked, Compare
from sqlchat.providers.offline.reader import Reader, is_participle

KINDS = lexicon.words("type kind category class genre")
"""Words of columns that say what kind of thing a row is."""


def is_plural(text: str) -> bool:
    """Whether more than one is asked for: `top customers`, which are all of them in order."""
    return text.lower().endswith("s") and not text.lower().endswith(("ss", "us"))


def find_adjective(reader: Reader) -> tuple[tuple[tuple[str, str], ...], int]:
    pair = (reader.low(), reader.low(1))
    if pair in lexicon.MOST_ADJECTIVES:
        return lexicon.MOST_ADJECTIVES[pair], 2
    return lexicon.ADJECTIVES.get(reader.low(), ()), 1


def read_number(reader: Reader) -> int | None:
    token = reader.token()
    if token is None or not isinstance(token.value, int) or isinstance(token.value, bool) or token.value < 1:
        return None
    if token.kind == "number" and not token.text.replace(",", "").isdigit():
        return None
    reader.at += 1
    return token.value


def read_thing(reader: Reader, *, one: bool = False) -> Asked | None:
    """The table, or the column, that comes next; `one`: a kind of thing may stand in the singular."""
    if (narrowed := read_qualified(reader, one=one)) is not None:
        return narrowed
    link = reader.link()
    if link is None:
        return None
    if link.tables:
        return read_table(reader, link)
    if link.columns:
        reader.at += link.size
        return Asked("column", link.text, [], link.columns)
    return None


def read_qualified(reader: Reader, *, one: bool = False) -> Asked | None:
    """`completed orders`, `urgent admissions`, `villas or houses`: values and adjectives that narrow rows.

    The table follows them, or the last of them is what rows are called: `houses`, where `type` holds 'house'.
    """
    current, link = states.read_described(reader)
    if link is not None:
        reader.query.conditions.extend(current)
        return read_table(reader, link)
    mark = reader.at
    found: list[Link | flags.Said] = []
    others: list[Link] = []
    while len(found) <= 3:
        if (said := flags.find_flag(reader)) is not None:
            reader.at += said.size
            found.append(said)
            reader.at += reader.low() in ("and", ",") and flags.find_flag(reader, 1) is not None
        elif (link := reader.link()) is not None and link.values and not link.tables:
            reader.at += link.size
            found.append(link)
            others = _read_alternatives(reader, link) or others
        else:
            break
    link = reader.link()
    noun = None if link is None or not link.tables else reader.table_of(link)
    bare = link is not None and noun is not None and _is_what_they_do(found, link)
    bare = bare or any(isinstance(value, Link) and any(hit.tier == 0 for hit in value.columns) for value in found)
    kind = None if not found or noun is not None else _find_kind(reader, [found[-1], *others], one=one)
    only = found[0] if len(found) == 1 and noun is None else None
    if isinstance(only, flags.Said) and is_plural(only.text):
        tables = {hit.col.table for hit in only.hits}
        kind = next(iter(tables)) if len(tables) == 1 and not only.negated else None  # `emergencies`
    if not found or bare or (noun is None and kind is None) or (len(found) > 1 and others):
        reader.at = mark
        return None
    table = noun.key if noun is not None else kind
    assert table is not None
    if noun is None and len(found) == 1 and not others and isinstance(found[0], Link):
        reader.at = mark
        pieces = read_pieces(reader, found[0])
        if pieces is not None:
            return pieces
        reader.at += found[0].size
    conditions, before = reader.query.conditions, len(reader.query.conditions)
    for value in found:
        if isinstance(value, flags.Said):
            conditions.append(flags.make_condition(reader, value, table))
            continue
        hit = reader.resolve(value.values, value.text, table)
        assert hit.value is not None
        texts = [hit.value, *(_find_value(other, hit.col) for other in others)]
        if reader.joins.distance(table, hit.col.table)[0] > 1 or None in texts:
            reader.at = mark
            del conditions[before:]
            return None
        conditions.append(Compare(hit.col, "=", tuple(text for text in texts if text is not None)))
        if hit.col.table != table:
            reader.assume(f"\"{value.text}\" is read as {hit.col.table[1]}.{hit.col.name} = '{hit.value}'.")
    if noun is not None and link is not None:
        return read_table(reader, link)
    return Asked("table", reader.tokens[reader.at - 1].text, table=table)


def _is_what_they_do(found: Sequence[Link | flags.Said], link: Link) -> bool:
    """Whether a table's name is a verb after a value in the plural: `cafes order`."""
    last = found[-1] if found else None
    if not isinstance(last, Link) or not is_plural(last.text) or is_plural(link.text):
        return False
    return not is_participle(link.text.lower()) and not any(is_plural(hit.value or "") for hit in last.values)


def read_pieces(reader: Reader, link: Link) -> Asked | None:
    """`how many lamps`, where rows hold a quantity of what a value names: the quantities are added up."""
    for hit in link.values:
        table = hit.col.table
        columns = reader.linker.tables[table].columns
        quantities = [
            c.name
            for c in columns
            if " ".join(reader.linker.column_words(table, c.name)) in QUANTITY_WORDS
            or c.name == find_quantity(reader.linker.tables[table])
        ]
        if len(quantities) != 1 or hit.value is None or len({h.col for h in link.values}) > 1:
            continue
        col = Col(table, quantities[0])
        reader.at += link.size
        reader.query.conditions.append(Compare(hit.col, "=", (hit.value,)))
        reader.assume(f"{table[1]}.{col.name} is added up; its rows are not counted.")
        return Asked("column", link.text, ["sum"], [Hit(col, 0)], owner=table)
    return None


def _read_alternatives(reader: Reader, link: Link) -> list[Link]:
    """`or houses`, `, houses and villas` after a value: the other values of the same column."""
    found: list[Link] = []
    columns = {hit.target for hit in link.values}
    while reader.low() in ("or", "and", ","):
        size = 2 if reader.low() == "," and reader.low(1) in ("or", "and") else 1
        more = reader.link(reader.at + size)
        if more is None or more.tables or not any(hit.target in columns for hit in more.values):
            break
        reader.at += size + more.size
        found.append(more)
    return found


def _find_value(link: Link, col: Col) -> str | None:
    return next((hit.value for hit in link.values if hit.target == col), None)


def _find_kind(reader: Reader, links: Sequence[Link | flags.Said], *, one: bool) -> Key | None:
    """The table whose rows the values name by their kind, said in the plural: `vans` for `type = 'van'`."""
    cols = set()
    for link in links:
        if not isinstance(link, Link) or not (one or is_plural(link.text)):
            return None
        plain = is_plural(link.text)
        cols |= {
            hit.col
            for hit in link.values
            if KINDS & set(reader.linker.column_words(hit.col.table, hit.col.name))
            or (plain and hit.value and not is_plural(hit.value) and grain.is_category(reader.linker, hit.col))
        }
    return cols.pop().table if len(cols) == 1 else None


def read_table(reader: Reader, link: Link) -> Asked:
    hit = reader.table_of(link)
    assert hit is not None
    reader.at += link.size
    reader.take("table")
    return Asked("table", link.text, table=hit.key)


def find_doers(reader: Reader, link: Link) -> Asked | None:
    """The things that `hired in 2017` speaks of, all by itself; the verb stays to be read as a condition."""
    hits = reader.find_deeds(link)
    if not hits or len(hits) < len(link.columns) or link.tables:
        return None
    found = reader.resolve(hits, link.text, None).target
    assert isinstance(found, Col)
    return Asked("table", link.text, table=found.table)


def find_kinds(reader: Reader, link: Link) -> Key | None:
    """The table that has one row for each value of the column and row spoken of: `3 languages` of a country."""
    focus, best = reader.focus.table, min((hit.tier for hit in link.columns), default=0)
    found = {hit.col for hit in link.columns if hit.tier == best} if not link.tables else set()
    for col in found if len(found) == 1 and focus is not None else ():
        own = [{here for here, _ in edge.columns} for edge in reader.joins.edges[col.table] if edge.target == focus]
        if any({*keys, col.name} == set(reader.linker.tables[col.table].primary_key) != keys for keys in own):
            return col.table
    return None
