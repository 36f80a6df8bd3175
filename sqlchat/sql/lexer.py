"""Splits a text into lexemes as the database itself splits it.

The rules follow the databases' own scanners (Postgres' `scan.l`, SQLite's `tokenize.c`, MySQL's `sql_lex.cc`,
Spark's `SqlBaseLexer.g4`), not sqlglot. `agreement.py` compares the two.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from sqlchat.errors import SQLRefusedError, SQLSyntaxError

Kind = Literal["word", "name", "string", "number", "sign"]

MAX_LENGTH = 20_000
"""Most characters of one text."""
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
DISAGREEMENT = "Line {line}, column {column} of this SQL can be read in more than one way; write it more plainly."
PLACEHOLDERS = "Placeholders are not filled in here: put the value itself in place of {shown!r}."
PLACEHOLDER = re.compile(r"(?<!:)[?:@$][A-Za-z0-9_]+|\?")
LETTER = r"A-Za-z_\u0080-\U0010ffff"
NUMBER = r"0[xX][0-9A-Fa-f]+(?:_[0-9A-Fa-f]+)*|(?:\d+(?:_\d+)*(?:\.(?!\.)(?:\d+(?:_\d+)*)?)?)(?:[eE][+-]?\d+)?"
DOUBLED = r"{q}(?:[^{q}]|{q}{q})*{q}"
BACKSLASHED = r"{q}(?:[^{q}\\]|{q}{q}|\\.)*{q}"
SINGLE, DOUBLE, BACKTICK = DOUBLED.format(q="'"), DOUBLED.format(q='"'), DOUBLED.format(q="`")
POSTGRES = {
    "space": r"[ \t\n\r\f\v]+",
    "comment": r"--[^\n\r]*",
    "block": r"/\*",
    "escaped": "[eE]" + BACKSLASHED.format(q="'"),
    "string": "(?:[bBxXnN]|[uU]&)?" + SINGLE,
    "unicode": '[uU]&"',
    "name": DOUBLE,
    "dollar": rf"\$(?:[{LETTER}][{LETTER}0-9]*)?\$",
    "number": NUMBER,
    "word": rf"[{LETTER}][{LETTER}0-9$]*",
    "sign": r"\$\d+|.",
}
SQLITE = {
    "space": r"[ \t\n\r\f]+",
    "comment": r"--[^\n]*|/\*(?s:.)*?\*/",
    "block": r"/\*",
    "string": "[xX]?" + SINGLE,
    "name": rf"{DOUBLE}|{BACKTICK}|\[[^\]]*\]",
    "number": NUMBER,
    "word": rf"[{LETTER}][{LETTER}0-9$]*",
    "sign": rf"[?:@$#][{LETTER}0-9]+|.",
}
MYSQL = {
    "space": r"[ \t\n\r\f\v]+",
    "comment": r"(?:#|--(?=[\s\x00-\x20]|$))[^\n]*|/\*(?![!+]|[Mm]!)(?s:.)*?\*/",
    "block": r"/\*",
    "string": "[xXbBnN]?" + BACKSLASHED.format(q="'") + "|" + BACKSLASHED.format(q='"'),
    "name": BACKTICK,
    "word": rf"(?:\d+[A-Za-z_$\u0080-\U0010ffff]|[$A-Za-z_\u0080-\U0010ffff])[{LETTER}0-9$]*",
    "number": NUMBER,
    "sign": r".",
}
SPARK = {
    "space": r"[ \t\n\r]+",
    "comment": r"--[^\n\r]*",
    "block": r"/\*",
    "string": r"[rR](?:'[^']*'|\"[^\"]*\")|[xXnN]?'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"",
    "name": BACKTICK,
    "number": rf"(?:{NUMBER})(?:[bB][dD]|[LlSsYyDdFf])?(?![{LETTER}0-9])",
    "word": rf"[{LETTER}0-9]+",
    "sign": r"\|>|.",
}


def _compile_scanner(rules: dict[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{kind}>{rule})" for kind, rule in rules.items()), re.DOTALL)


SCANNERS = {
    "postgres": _compile_scanner(POSTGRES),
    "duckdb": _compile_scanner(POSTGRES),
    "sqlite": _compile_scanner(SQLITE),
    "mysql": _compile_scanner(MYSQL),
    "spark": _compile_scanner(SPARK),
}
NESTED_COMMENT = re.compile(r"/\*|\*/")
ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold_word(word: str) -> str:
    """Return `word` as a database folds it: only ASCII letters in lower case."""
    return word.lower() if word.isascii() else word.translate(ASCII_LOWER)


class Lexeme(NamedTuple):
    kind: Kind
    text: str
    start: int
    end: int
    """Offset after the last character."""

    @property
    def value(self) -> str:
        """A word in lower case, a quoted name or SQLite's [name] without its quotes, any other text as written."""
        if self.kind == "word":
            return fold_word(self.text)
        if self.kind == "name":
            closing = self.text[-1]
            return self.text[1:-1].replace(closing * 2, closing)
        return self.text


def check_text(sql: str) -> None:
    """Raise SQLRefusedError for a text that is too long or holds control characters."""
    if len(sql) > MAX_LENGTH:
        raise SQLRefusedError(f"This SQL has {len(sql):,} characters; at most {MAX_LENGTH:,} are read.")
    if character := UNPRINTABLE.search(sql):
        at = character.start() + 1
        raise SQLRefusedError(
            f"Character {at} of the SQL is the control character U+{ord(character[0]):04X}; remove it."
        )


def find_position(sql: str, offset: int) -> tuple[int, int]:
    """Return line and column, both from 1, of the character at `offset`."""
    before = sql[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def is_cast(words: Sequence[Lexeme], at: int) -> bool:
    """Whether the sign `::` stands before the word at `at`."""
    first, second = words[at - 2 : at] if at > 1 else (None, None)
    return bool(first and second and first.text == second.text == ":" and first.end == second.start)


@functools.lru_cache(maxsize=4)  # several modules read the lexemes of one text
def split_lexemes(sql: str, dialect: str) -> tuple[Lexeme, ...]:
    """Split `sql` by the rules of the database, without comments. Raises SQLSyntaxError, SQLRefusedError."""
    check_text(sql)
    if dialect == "spark" and "${" in sql:  # Spark replaces it by a value of its settings, in strings too
        raise SQLRefusedError("Variables (${...}) are not allowed; write the value itself.")
    match, lexemes, at, escaped = SCANNERS[dialect].match, list[Lexeme](), 0, False
    while at < len(sql):
        piece = match(sql, at)
        assert piece is not None  # the last rule takes any character
        kind, end = str(piece.lastgroup), piece.end()
        if kind == "block":
            end = _find_comment_end(sql, at, dialect)
        elif kind == "unicode":
            raise SQLRefusedError('Names in the form U&"..." are not read here; write the letters themselves.')
        elif kind == "dollar":
            end = _find_dollar_end(sql, piece)
            lexemes.append(Lexeme("string", sql[at:end], at, end))
        elif kind in ("string", "escaped"):
            if escaped:  # after E'..' and a line break, 'x' continues with the escapes of the first
                raise make_disagreement(sql, at)
            lexemes.append(Lexeme("string", piece[0], at, end))
        elif kind == "comment" and dialect == "spark" and piece[0].endswith("\\"):
            raise make_disagreement(sql, at)  # Spark reads on in the next line
        elif kind not in ("space", "comment"):
            if kind == "sign" and piece[0] in "'\"`":
                raise _make_unclosed_error(sql, at, piece[0])
            lexemes.append(Lexeme(kind, piece[0], at, end))  # type: ignore[arg-type]
        if kind not in ("space", "comment", "block"):
            escaped = kind == "escaped"
        at = end
    return tuple(lexemes)


def _find_comment_end(sql: str, at: int, dialect: str) -> int:
    if dialect == "mysql":
        if sql[at : at + 3] in ("/*!", "/*+") or sql[at : at + 4].upper() == "/*M!":
            raise SQLRefusedError("Comments that the server would execute (/*!, /*M!, /*+) are not allowed.")
        raise _make_unclosed_error(sql, at, "*/")
    if dialect == "sqlite":
        raise _make_unclosed_error(sql, at, "*/")
    if dialect == "spark" and sql[at : at + 3] == "/*+":
        raise SQLRefusedError("Hints (/*+) are not allowed.")
    depth = 0
    for mark in NESTED_COMMENT.finditer(sql, at):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    raise _make_unclosed_error(sql, at, "*/")


def _find_dollar_end(sql: str, opening: re.Match[str]) -> int:
    end = sql.find(opening[0], opening.end())
    if end < 0:
        raise _make_unclosed_error(sql, opening.start(), opening[0])
    return end + len(opening[0])


def make_disagreement(sql: str, offset: int) -> SQLRefusedError:
    if placeholder := PLACEHOLDER.match(sql, offset):
        return make_placeholder_error(placeholder[0])
    line, column = find_position(sql, offset)
    return SQLRefusedError(DISAGREEMENT.format(line=line, column=column))


def make_placeholder_error(shown: str) -> SQLRefusedError:
    return SQLRefusedError(PLACEHOLDERS.format(shown=shown[:40]))


def _make_unclosed_error(sql: str, offset: int, closing: str) -> SQLSyntaxError:
    line, column = find_position(sql, offset)
    return SQLSyntaxError(
        f"What begins with {sql[offset : offset + 2].strip()} in line {line}, column {column} lacks its closing "
        f"{closing}.",
        line=line,
        column=column,
    )
