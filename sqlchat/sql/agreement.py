"""Refuses texts that sqlglot and the database split in different ways. For `guard.py`.

The guard judges sqlglot's tree, while the database runs the text. Where the two disagree about the end of a string, a
quoted name or a comment, an attack hides in between.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.lexer import Lexeme, make_disagreement, split_lexemes
from sqlchat.sql.parse import tokenize
from sqlchat.sql.postgres_forms import write_plainly


def check_agreement(sql: str, dialect: str, ours: Sequence[Lexeme]) -> None:
    """Raise SQLRefusedError if sqlglot splits `sql` differently from `ours`; else as `parse.tokenize` does."""
    if dialect == "postgres" and (plain := write_plainly(sql)).text != sql:
        given, ours, sql = ours, split_lexemes(plain.text, dialect), plain.text
        if not _differ_in_replaced_words_alone(given, ours, plain.replaced):
            raise SQLRefusedError("This SQL can be read in more than one way; put blanks around its operators.")
    rest = iter(ours)
    start = -1
    for token in tokenize(sql, dialect):
        if token.start == start:  # sqlglot makes three tokens of Spark's 1L, as if it were 1::BIGINT
            continue
        start = token.start
        first = last = next(rest, None)
        quoted = first is not None and _is_quoted(first)
        while last is not None and last.end <= token.end:  # sqlglot joins words such as GROUP BY
            last = next(rest, None)
            quoted = True if quoted or last is None else _is_quoted(last)
        if first is None or last is None or first.start != token.start or last.end != token.end + 1:
            raise make_disagreement(sql, token.start)
        if first is not last and quoted:
            raise make_disagreement(sql, token.start)
    if (left := next(rest, None)) is not None:
        raise make_disagreement(sql, left.start)


def _differ_in_replaced_words_alone(
    given: Sequence[Lexeme], plain: Sequence[Lexeme], replaced: frozenset[int]
) -> bool:
    """Whether two readings are equal, signs and the words at the offsets `replaced` left out."""
    one, other = (
        [each for each in words if each.kind != "sign" and each.start not in replaced] for words in (given, plain)
    )
    return one == other and all(
        each.kind != "string" for each in given if each.start in replaced and each.kind != "sign"
    )


def _is_quoted(lexeme: Lexeme) -> bool:
    return lexeme.kind in ("string", "name")
