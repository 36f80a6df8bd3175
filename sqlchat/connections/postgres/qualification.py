"""Qualifies the names in our own SQL, so that no search path makes them mean objects of users."""

from __future__ import annotations

import re

PIECE = re.compile(
    r"""
    '(?P<relation>pg_\w+)'(?=::regclass)
    | (?P<constant>'[^']*')
    | (?<![\w."]) (?= pg_\w+\b (?![.\w]) | (?!(?:coalesce|nullif)\b) [a-z]\w+\( )  # a relation, a call
    | (?<=::) (?= (?!pg_catalog\.) [a-z] )  # a type
    """,
    re.VERBOSE,
)


def qualify(sql: str) -> str:
    """Put `pg_catalog.` before relations, functions and types: `lower(a::text)`, `FROM pg_class`.

    A function is a word of two letters or more, in lower case, right before a parenthesis. So a space stands before a
    list of columns: `names (n)`.
    """
    return PIECE.sub(_qualify_piece, sql)


def _qualify_piece(match: re.Match[str]) -> str:
    relation = match["relation"]
    return f"'pg_catalog.{relation}'" if relation else match["constant"] or "pg_catalog."
