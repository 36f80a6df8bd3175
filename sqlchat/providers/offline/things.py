"""Things that a question names, with what narrows them: `completed orders`, `the 3 urgent tickets`."""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.providers.offline import flags
from sqlchat.providers.offline.links import Col, Link
from sqlchat.providers.offline.query import Asked, Compare
from sqlchat.providers.offline.reader import Reader


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


def read_thing(reader: Reader) -> Asked | None:
    if (narrowed := read_qualified(reader)) is not None:
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


def read_qualified(reader: Reader) -> Asked | None:
    """`completed orders`, `urgent admissions`: values and adjectives before the table whose rows they narrow."""
    mark = reader.at
    found: list[Link | flags.Said] = []
    while len(found) <= 3:
        if (said := flags.find_flag(reader)) is not None:
            reader.at += said.size
            found.append(said)
            reader.at += reader.low() in ("and", ",") and flags.find_flag(reader, 1) is not None
        elif (link := reader.link()) is not None and link.values and not link.tables:
            reader.at += link.size
            found.append(link)
        else:
            break
    link = reader.link()
    bare = any(isinstance(value, Link) and any(hit.tier == 0 for hit in value.columns) for value in found)
    if not found or link is None or not link.tables or bare:
        reader.at = mark
        return None
    table = reader.table_of(link)
    assert table is not None
    for value in found:
        if isinstance(value, flags.Said):
            reader.query.conditions.append(flags.make_condition(reader, value, table.key))
            continue
        hit = reader.resolve(value.values, value.text, table.key)
        assert hit.value is not None
        if reader.joins.distance(table.key, hit.col.table)[0] > 1:
            reader.at = mark
            return None
        reader.query.conditions.append(Compare(hit.col, "=", (hit.value,)))
    return read_table(reader, link)


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
