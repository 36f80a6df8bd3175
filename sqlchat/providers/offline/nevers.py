"""Reads what no row of a value meets, in one table: `customers who never ordered bread`, in a table of orders."""

from __future__ import annotations

from dataclasses import replace

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.providers.offline import conditions
from sqlchat.providers.offline.links import Col
from sqlchat.providers.offline.query import Compare, Condition, Flag, Null, Period, Query, Shared
from sqlchat.providers.offline.reader import Reader, is_participle

LEADING = lexicon.words("who that which have has had do does did but and")
NEVER = lexicon.words("never haven't hasn't didn't don't doesn't")


NONE = frozenset({"never", "nobody", "none", "no", "without"})
"""Words that deny something of all rows of a value."""


def deny_of_all(query: Query) -> bool:
    """Turn denied conditions on rows into one on the values that are listed: none of their rows meets them.

    False, and nothing changes, where the query lists no values of one column, or also asks for what is so.
    """
    shown = query.outputs[0] if len(query.outputs) == 1 and query.distinct else None
    parts = [_affirm(condition) for condition in query.conditions]
    denied: list[Condition] = [part for part in parts if part is not None and part.col != shown]
    if not isinstance(shown, Col) or not denied or len(denied) < len(parts):
        return False
    query.conditions = [Shared(shown, denied, negated=True)]
    return True


def _affirm(condition: Condition) -> Null | Flag | Compare | Period | None:
    """What the condition denies; a period as it is; None for what affirms something."""
    if isinstance(condition, Period):
        return condition
    if isinstance(condition, Compare) and condition.op == "!=":
        return replace(condition, op="=")
    if isinstance(condition, Null) and not condition.negated:
        return replace(condition, negated=True)
    if isinstance(condition, Flag) and condition.negated:
        return replace(condition, negated=False)
    return None


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
