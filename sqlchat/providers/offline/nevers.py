"""Reads `never` with a value in one table: `customers who never ordered bread`, in a table of orders."""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.providers.offline import conditions
from sqlchat.providers.offline.query import Shared
from sqlchat.providers.offline.reader import Reader, is_participle

LEADING = lexicon.words("who that which have has had do does did but and")
NEVER = lexicon.words("never haven't hasn't didn't don't doesn't")


def read_never(reader: Reader) -> bool:
    """The conditions after `never`, up to the end, as those that no row of the same value meets."""
    mark, category = reader.at, reader.category
    reader.skip(LEADING)
    plain = reader.focus.related is None and reader.focus.conditions is reader.query.conditions
    if category is None or not plain or not (reader.low() in NEVER or reader.sees("not", "yet")):
        reader.at = mark
        return False
    reader.at += 1
    conditions_before = list(reader.query.conditions)
    while reader.low() in lexicon.VERBS | lexicon.FILLERS or is_participle(reader.low()):
        if reader.link() is not None and reader.link().values:  # type: ignore[union-attr]
            break
        reader.at += 1
    shared = reader.share(category, negated=True)
    while not reader.done and conditions.read(reader):
        reader.skip(lexicon.words("and , .") if reader.low() in ("and", ",") else ())
    if not shared.conditions or any(isinstance(c, Shared) for c in shared.conditions):
        reader.query.conditions[:] = conditions_before
        raise QuestionError("What never happened is not clear here.", words=["never"])
    reader.back_to_subject()
    return True
