"""Refuses texts that sqlglot and the database split into different tokens.

The guard judges sqlglot's tree, but the database runs the text. If the two disagree about the end of a string, a
quoted name or a comment, an attack can hide in between.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.lexer import Lexeme, make_disagreement, split_lexemes
from sqlchat.sql.parse import tokenize
from sqlchat.sql.postgres_forms import write_plainly

QUOTED = ("string", "name")


def check_agreement(sql: str, dialect: str, lexemes: Sequence[Lexeme]) -> None:
    """Raise SQLRefusedError if sqlglot does not split `sql` into `lexemes`; else as `parse.tokenize` does."""
    if dialect == "postgres" and (plain := write_plainly(sql)).text != sql:
        plain_lexemes = split_lexemes(plain.text, dialect)
        if not _differ_only_in_replaced_words(lexemes, plain_lexemes, plain.replaced):
            raise SQLRefusedError("This SQL can be read in more than one way; put blanks around its operators.")
        lexemes, sql = plain_lexemes, plain.text
    remaining = iter(lexemes)
    start = -1
    for token in tokenize(sql, dialect):
        if token.start == start:  # sqlglot makes three tokens of Spark's 1L, as if it were 1::BIGINT
            continue
        start = token.start
        first = last = next(remaining, None)
        has_quotes = first is not None and first.kind in QUOTED
        while last is not None and last.end <= token.end:  # sqlglot joins words such as GROUP BY
            last = next(remaining, None)
            has_quotes = has_quotes or last is None or last.kind in QUOTED
        if first is None or last is None or first.start != token.start or last.end != token.end + 1:
            raise make_disagreement(sql, token.start)
        if first is not last and has_quotes:
            raise make_disagreement(sql, token.start)
    if (unread := next(remaining, None)) is not None:
        raise make_disagreement(sql, unread.start)


def _differ_only_in_replaced_words(
    lexemes: Sequence[Lexeme], plain: Sequence[Lexeme], replaced: frozenset[int]
) -> bool:
    """Whether two readings are equal apart from signs and the words, never strings, at the offsets `replaced`."""
    if any(each.kind == "string" and each.start in replaced for each in lexemes):
        return False
    kept, plain_kept = (
        [each for each in words if each.kind != "sign" and each.start not in replaced] for words in (lexemes, plain)
    )
    return kept == plain_kept
