"""Reads comments on tables and columns from the text of a CREATE TABLE, which SQLite stores unchanged.

SQLite has no COMMENT ON, so people write `-- ...` or `/* ... */` beside a definition. A comment on the first line
belongs to the table, one behind a column to that column, and one on a separate line to the next column. A comment
before the first column belongs to the table, unless other columns have comments above them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

PIECE = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<text>'(?:[^']|'')*'?)
      | (?P<quoted>"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?)
      | (?P<line>\n)
      | (?P<space>[^\S\n]+)
      | (?P<word>\w+)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
CONSTRAINTS = frozenset({"constraint", "primary", "unique", "check", "foreign"})


@dataclass(slots=True)
class Comments:
    table: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    """By lower-case column name."""


@dataclass(slots=True)
class _Definition:
    """One item between the outermost commas: a column, or a constraint."""

    name: str = ""
    above: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


def read_comments(sql: str) -> Comments:
    """Return the comments of a CREATE TABLE, or of a CREATE VIEW before its AS."""
    head: list[str] = []
    definitions = [_Definition()]
    previous: _Definition | None = None
    depth, at_line_start = 0, False
    for kind, piece in _split_pieces(sql):
        current = definitions[-1]
        if kind == "line":
            at_line_start, previous = True, None
        elif kind == "comment":
            if text := _read_text(piece):
                if depth == 0:
                    head.append(text)
                elif current.name:
                    current.beside.append(text)
                elif previous:
                    previous.beside.append(text)
                else:
                    (current.above if at_line_start else head).append(text)
        else:
            at_line_start = False
            depth += (piece == "(") - (piece == ")")
            if depth == 0 and (piece == ")" or piece.lower() == "as"):
                break
            if depth == 1 and piece == ",":
                previous = current
                definitions.append(_Definition())
            elif depth >= 1 and piece != "(" and not current.name:
                current.name = _read_name(kind, piece)
    return _assign_comments(head, definitions)


def _assign_comments(head: list[str], definitions: list[_Definition]) -> Comments:
    first, *others = definitions
    if first.above and not head and not any(definition.above for definition in others):
        head, first.above = first.above, []
    columns = {}
    for definition in definitions:
        if definition.name.strip() and (texts := definition.above + definition.beside):
            columns[definition.name] = " ".join(texts)
    return Comments(" ".join(head), columns)


def _split_pieces(sql: str) -> Iterator[tuple[str, str]]:
    for match in PIECE.finditer(sql):
        if match.lastgroup and match.lastgroup != "space":
            yield match.lastgroup, match.group()


def _read_name(kind: str, piece: str) -> str:
    """The lower-case name of a column; " " for the first word of a constraint, which is no column's name."""
    if kind == "quoted":
        piece = piece[1:-1].replace(piece[0] * 2, piece[0])
    elif piece.lower() in CONSTRAINTS:
        return " "
    return piece.lower()


def _read_text(piece: str) -> str:
    inner = piece.lstrip("-") if piece.startswith("--") else piece.removeprefix("/*").removesuffix("*/")
    return " ".join(inner.strip("* \t\n").split())
