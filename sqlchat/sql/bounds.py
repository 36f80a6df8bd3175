"""Refuses texts that sqlglot would parse too slowly, by their tokens alone.

sqlglot parses some forms twice: `date(x)` as a type and as a call, a JOIN without ON as the beginning of a nested
one, an arrow as part of a lambda. If they are nested, each level doubles the time. The bounds are far above the needs
of people. The deadline of the worker process ends texts that pass the bounds and are slow all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType

from sqlchat.errors import SQLRefusedError

MAX_NESTING = 100
"""Brackets open at once; sqlglot's parser recurses for each."""
MAX_DOUBLING = 5
"""Brackets open at once that are read twice."""
MAX_READINGS = 6000
"""Readings of such brackets in all: two for each, and twice as many for each that is open around it."""
MAX_JOINS = 8
"""JOINs in a row without ON or USING."""
MAX_ARROWS = 50
"""Arrows in one expression; the time grows with their square."""
MAX_SUBSCRIPTS = 10_000
"""Subscripts in all, each counted with those before it in its expression: sqlglot reads them again for each."""

OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
DOUBLING = {"array", "binary", "if", "row", "struct", "map", "list"}
"""Words whose brackets are read twice; the names of types come on top."""
JOINS = {TokenType.JOIN, TokenType.STRAIGHT_JOIN}
CONDITIONS = {TokenType.ON, TokenType.USING}
JOINED_BY_THEMSELVES = {"cross", "natural", "positional"}


@dataclass(slots=True)
class _Level:
    """Counts within one pair of brackets."""

    doubles: bool = False
    joins: int = 0
    arrows: int = 0
    subscripts: int = 0


def check_bounds(tokens: list[Token], types: Collection[TokenType]) -> None:
    """Raise SQLRefusedError if parsing would take too long; `types` are the tokens that may name a type."""
    level, outer = _Level(), list[_Level]()
    doubling = readings = subscripts = 0
    before: Token | None = None
    for token in tokens:
        kind = token.token_type
        if kind in OPENING:
            level.subscripts += kind == TokenType.L_BRACKET
            subscripts += level.subscripts * (kind == TokenType.L_BRACKET)
            outer.append(level)
            level = _Level(
                doubles=before is not None and (before.token_type in types or _read_last_word(before) in DOUBLING)
            )
            doubling += level.doubles
            readings += 2**doubling * level.doubles
        elif kind in CLOSING and outer:
            doubling -= level.doubles
            level = outer.pop()
        elif kind in JOINS and (before is None or _read_last_word(before) not in JOINED_BY_THEMSELVES):
            level.joins += 1
        elif kind in CONDITIONS:
            level.joins = max(0, level.joins - 1)
        elif kind == TokenType.ARROW:
            level.arrows += 1
        elif kind == TokenType.COMMA:
            level.arrows = level.subscripts = 0
        elif kind in (TokenType.SELECT, TokenType.WHERE):
            level.joins = level.arrows = level.subscripts = 0
        if (
            len(outer) > MAX_NESTING
            or doubling > MAX_DOUBLING
            or readings > MAX_READINGS
            or level.arrows > MAX_ARROWS
            or subscripts > MAX_SUBSCRIPTS
        ):
            raise SQLRefusedError("This SQL is nested too deeply; flatten it, for instance with WITH.")
        if level.joins > MAX_JOINS:
            raise SQLRefusedError("Too many JOINs here lack their ON or USING; write CROSS JOIN where none is meant.")
        before = token


def _read_last_word(token: Token) -> str:
    """Return the last word of a token, which may have several, as in DOUBLE PRECISION."""
    return token.text.lower().rpartition(" ")[2]
