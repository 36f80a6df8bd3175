"""Shares of a whole: `share of orders paid in cash`, `what percentage of tickets is solved`.

A share is read as a count, or a total, of all the rows, of which those that meet the condition are a part. A period
belongs to the whole: `share of cancelled orders in 2024` is the part of the orders of 2024 that was cancelled.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import Token, tokenize
from sqlchat.providers.offline.grain import is_figure
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.query import Agg, AnyOf, Condition, Period, Query

WORDS = lexicon.words("share percentage percent proportion fraction")
LEADING = lexicon.LEADS | lexicon.words("is the")


def read_share(tokens: list[Token], linker: Linker) -> list[Token] | None:
    """`how many orders ...` for `the share of the orders ...`; None where no share is asked for."""
    at = 0
    while at < len(tokens) and tokens[at].low in LEADING:
        at += 1
    rest = [token.low for token in tokens[at : at + 3]]
    if len(rest) < 3 or rest[0] not in WORDS or rest[1] != "of":
        return None
    at += 2
    while at < len(tokens) and tokens[at].low in ("the", "all", "our"):
        at += 1
    if tokens[at].low == "total":
        return tokens[at:]
    return [*tokenize("total" if _is_amount(linker, tokens, at) else "how many"), *tokens[at:]]


def _is_amount(linker: Linker, tokens: list[Token], at: int) -> bool:
    """Whether a measure or a column of amounts comes next, with or without an adjective before it."""
    links = linker.links(tokens, at)[:1]
    if links and links[0].columns and all(linker.is_flag(hit.col) for hit in links[0].columns):
        links = linker.links(tokens, at + links[0].size)[:1]
    link = links[0] if links else None
    if link is None or link.tables:
        return False
    numbers = [hit.col for hit in link.columns if is_figure(linker, hit.col)]
    return bool(link.measures) or (bool(numbers) and len(numbers) == len(link.columns))


def apply_share(query: Query, part: Condition | None = None) -> None:
    """Make the query one for a share. Raises QuestionError where the part or the whole is not clear.

    `part`: the one of the conditions that tells the part; without it there must be just one besides periods.
    """
    if part is not None or not query.groups or any(not _is_period(condition) for condition in query.conditions):
        _apply_part(query, part)
        return
    figures = [term for term in query.outputs if isinstance(term, Agg)]
    if len(figures) != 1 or figures[0].function not in ("count", "sum") or figures[0].per or query.having:
        raise QuestionError("Say which part of which whole the share is of.", words=["share"], reason="ambiguous")
    query.share_of_groups = True
    query.assumptions.append("The share of each group is in percent of all groups together.")


def _apply_part(query: Query, part: Condition | None) -> None:
    parts = [part] if part is not None else [one for one in query.conditions if not _is_period(one)]
    figures = [term for term in query.outputs if isinstance(term, Agg)]
    plain = all(isinstance(term, Agg) or term in query.groups or query.groups for term in query.outputs)
    ordered = any(isinstance(term, Agg) and term not in figures for term, _ in query.order)
    bounded = all(term in figures for term, _, _ in query.having)
    clear = len(figures) == 1 and plain and not ordered and bounded
    clear = clear and (query.limit is None or bool(query.order))
    if not clear or len(parts) != 1 or figures[0].per is not None or figures[0].function not in ("count", "sum"):
        raise QuestionError("Say which part of which whole the share is of.", words=["share"], reason="ambiguous")
    query.part = parts[0]
    query.conditions = [one for one in query.conditions if one is not parts[0]]
    query.arranged = []
    table = figures[0].of if isinstance(figures[0].of, tuple) else figures[0].of.table
    periods = any(_is_period(condition) for condition in query.conditions)
    within = " of the period" * periods + " of each group" * bool(query.groups)
    others = [one for one in query.conditions if not _is_period(one)]
    within = " that meet the other conditions" * bool(others) + within
    query.assumptions.append(f"The share is in percent of all {table[1]}{within}.")


def _is_period(condition: Condition) -> bool:
    if isinstance(condition, AnyOf):
        return all(_is_period(part) for part in condition.conditions)
    return isinstance(condition, Period)
