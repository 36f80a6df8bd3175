"""Measures in what a question asks for: which one is meant, and of what it is averaged. Called by the outputs."""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import singular
from sqlchat.providers.offline.links import Col, Key, Link
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.query import Asked
from sqlchat.providers.offline.reader import Reader

AMOUNTS = lexicon.words("amount total subtotal value price cost sum revenue worth")
"""Words of columns that say what a row is worth."""


def read_per(reader: Reader, measure: Measure) -> Key | None:
    """`per order` after `average revenue`: the orders whose revenue is averaged."""
    link = reader.link(reader.at + 1)
    if reader.low() != "per" or link is None or not _is_thing(link):
        return None
    hit = reader.table_of(link)
    if hit is None or not isinstance(hit.target, tuple) or not _belongs_to_one(reader, measure, hit.target):
        return None
    reader.at += 1 + link.size
    return hit.target


def read_worth(reader: Reader, link: Link) -> Asked | None:
    """`order value`: the revenue of each order, where orders have no amount of their own."""
    if not _is_thing(link) or reader.low(link.size) not in ("value", "values"):
        return None
    hit = reader.table_of(link)
    assert hit is not None
    key = hit.key
    found = [m for m in reader.linker.measures if m.name in lexicon.REVENUE and _belongs_to_one(reader, m, key)]
    own = [
        c.name for c in reader.linker.tables[key].columns if AMOUNTS & set(reader.linker.column_words(key, c.name))
    ]
    if len(found) != 1 or own:
        return None
    reader.at += link.size + 1
    reader.assume(f'"{link.text} value" is read as the {found[0].name} of each row of {key[1]}.')
    return Asked("measure", found[0].name, ["avg"], measure=found[0], per=key)


def _is_thing(link: Link) -> bool:
    """Whether the words name a table rather than a column."""
    nearest = min((hit.tier for hit in link.columns), default=9)
    return bool(link.tables) and min(hit.tier for hit in link.tables) < nearest


def _belongs_to_one(reader: Reader, measure: Measure, key: Key) -> bool:
    """Whether rows of the measure's table belong to one row each of the other, which a single key tells apart."""
    near, steps = reader.joins.distance(measure.table, key)
    return near == 1 and steps > 0 and len(reader.linker.tables[key].primary_key) == 1


def check_one(link: Link) -> None:
    """Raises QuestionError where the words name several measures."""
    if len(link.measures) > 1:
        names = " or ".join(
            sorted(f"{h.target.table[1]}'s {h.target.name}" for h in link.measures if isinstance(h.target, Measure))
        )
        raise QuestionError(f'"{link.text}" may mean {names}.', words=[link.text], reason="ambiguous")


def check_vague(link: Link) -> None:
    """Raises QuestionError where the words are a part of a table's name as much as of a column's."""
    tier = min((h.tier for h in link.columns), default=0)
    if tier > 1 and link.tables and tier == min(h.tier for h in link.tables):
        names = sorted({f"{h.target.table[1]}.{h.target.name}" for h in link.columns if isinstance(h.target, Col)})
        text = f'"{link.text}" may mean a table or {" or ".join(names)}.'
        raise QuestionError(text, words=[link.text], reason="ambiguous")


def refuse_average(reader: Reader, link: Link, measure: Measure) -> QuestionError:
    """The refusal of an average of which nobody said what it is taken over, and of what else sums have none of."""
    owners = [key for key in reader.linker.tables if _belongs_to_one(reader, measure, key)]
    return QuestionError(
        f"{measure.name.capitalize()} is a sum over {measure.table[1]}: say of what it is to be averaged, such as "
        f'"average {measure.name} per order"; its minimum, maximum and number are not read yet.',
        words=[link.text],
        rewrites=[(link.text, f"{link.text} per {singular(' '.join(reader.linker.table_words(k)))}") for k in owners],
    )
