"""Writes Postgres' operators and typed literals so that sqlglot reads them. For `parse.py` and `lexer.py`.

Postgres has operators without end, of its own and of extensions, and sqlglot knows a few. All that it does not know
have one precedence, so that each can stand for another: `a <<= b` becomes `a &   b`, and `@ -1` becomes `~ -1`. Each
character keeps its place. Such a text is judged and resolved; it never runs, and is never given to anybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


def _split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KNOWN = _split_words(
    "+ - * / % ^ < > = <= >= <> != | || & && # << >> ~ ~* !~ !~* ~~ !~~ ~~* !~~* -> ->> #> #>> @> <@ @@"
)
PREFIXES = frozenset(("+", "-", "~", "*", "?"))
"""What may stand before a value, `*` for all columns, and `?`, a placeholder that is refused by its name."""
LITERALS = _split_words(
    "box cidr circle citext cube halfvec jsonpath line lquery lseg ltree ltxtquery macaddr macaddr8 path pg_lsn "
    "pg_snapshot polygon query_int seg sparsevec tsquery tsvector txid_snapshot varbit xid"
)
"""Types whose names sqlglot does not take before a string."""
RENAMED = {"cube": "cub_", "delete": "delet_"}
"""Functions of extensions whose names sqlglot takes for words of the language."""
DROPPED = {
    ("xmlparse", "content"): "", ("xmlparse", "document"): "", ("xmlserialize", "content"): "",
    ("xmlserialize", "document"): "", ("xmlpi", "name"): "", ("xmlroot", "version"): "",
    ("xmlexists", "passing"): ",", ("substring", "similar"): ",", ("substring", "escape"): ",",
    ("xmltable", "for"): "int", ("xmltable", "ordinality"): "",
}  # fmt: skip
"""Words of the grammar, each in the brackets of one function, that sqlglot does not read, and what stands for it."""
REPLACED = LITERALS | RENAMED.keys() | {word for _, word in DROPPED} | {"varying"}
"""Words of which a plain text may have none, or others."""
NESTED_GROUPS = frozenset({"sets", "cube", "rollup"})
CLAUSES = frozenset({"select", "from", "where", "having", "order", "case", "when", "on", "limit", "union", "window"})
"""Words behind which the list of a GROUP BY has ended."""
OPENING = _split_words(
    "all and any as asc between by case distinct else except from having ilike in intersect is like limit not "
    "offset on or order returning select similar some then to union using values when where with"
)
"""Words after which an operator stands before its operand."""
PIECE = re.compile(
    r"""
    (?P<blank>\s+|--[^\n\r]*)
    |(?P<block>/\*)
    |(?P<string>[eE]'(?:[^'\\]|''|\\.)*'|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")*")
    |(?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff]*)?\$)
    |(?P<word>[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
    |(?P<number>\d[\w.]*|\$\d+)
    |(?P<operator>(?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])+)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
STRING = re.compile(r"\s*'")
OPENED = re.compile(r"\s*\(")
TYPE_ENDS = re.compile(r"\s*[)\[]")
MARKS = re.compile(r"/\*|\*/")


@dataclass(slots=True)
class Bracket:
    """An open bracket: the word before it, and whether the list of a GROUP BY is open in it."""

    before: str
    in_group_by: bool


def write_plainly(sql: str) -> str:
    """`sql`, which is Postgres', with each operator and type that sqlglot does not read replaced by one it does."""
    found = list[str]()
    at, before, kind = 0, "", ""
    inside = [Bracket("", in_group_by=False)]
    while at < len(sql):
        piece = PIECE.match(sql, at)
        assert piece is not None  # the last rule takes any character
        now, end = str(piece.lastgroup), piece.end()
        if now in ("block", "dollar"):
            end = _find_comment_end(sql, at) if now == "block" else _find_dollar_end(sql, piece[0], end)
        text = sql[at:end]
        if now == "operator":
            found.append(_write_operators(text, sql[end : end + 1], before, kind))
        elif now == "word" and text.lower() in LITERALS and _begins_operand(before, kind) and STRING.match(sql, end):
            found.append(("xml" if len(text) == 3 else "text").ljust(len(text)))
        elif now == "word":
            found.append(_write_word(text, sql, end, before, inside[-1]))
        elif now == "other" and text == "(":
            inside.append(Bracket(before, in_group_by=inside[-1].in_group_by and before in NESTED_GROUPS))
            found.append(text)
        elif now == "other" and text == ")" and len(inside) > 1:
            inside.pop()
            found.append(text)
        else:
            found.append(text)
        if now not in ("blank", "block"):
            if now == "word" and (text.lower() in CLAUSES or text.lower() == "by"):
                inside[-1].in_group_by = text.lower() == "by" and before == "group"
            before, kind = text.lower() if now == "word" else text[-1], now
        at = end
    return "".join(found)


def _write_word(text: str, sql: str, end: int, before: str, bracket: Bracket) -> str:
    """A word that ends at `end`, or one of its length that sqlglot takes for a type or a function in its place."""
    word = text.lower()
    if (replaced := DROPPED.get((bracket.before, word))) is not None and (replaced or before in ("(", ",", "for")):
        return replaced.ljust(len(text))
    if word == "varying" and before == "bit":
        return " " * len(text)
    if word not in RENAMED or before == ".":
        return text
    if OPENED.match(sql, end) and not bracket.in_group_by:
        return RENAMED[word]
    is_cast = before == ":" or (before == "as" and bracket.before == "cast" and TYPE_ENDS.match(sql, end))
    return "text" if word == "cube" and is_cast else text


def _write_operators(run: str, after: str, before: str, kind: str) -> str:
    """One run of operators' characters, split as Postgres splits it."""
    if (before == "." and kind == "other") or (before == "(" and after in (")", "")):
        return run  # within OPERATOR(), or count(*)
    first = run
    if not set("~!@#%^&|`?") & set(run):
        while len(first) > 1 and first[-1] in "+-":
            first = first[:-1]
    is_prefix = _begins_operand(before, kind)
    if is_prefix and run in ("@", "#") and after.isalnum():
        return run  # other databases' variables, which are refused by their name
    known = PREFIXES if is_prefix else KNOWN
    if first not in known and first != "=>":
        first = ("~" if is_prefix else "&").ljust(len(first))
    rest = run[len(first) :]
    return first + (_write_operators(rest, after, "", "operator") if rest else "")


def _begins_operand(before: str, kind: str) -> bool:
    """Whether a value begins behind the piece `before`, so that an operator there has none on its left."""
    return before in OPENING if kind == "word" else kind in ("", "operator") or before in ("(", "[", ",", ";")


def _find_comment_end(sql: str, at: int) -> int:
    depth = 0
    for mark in MARKS.finditer(sql, at):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return len(sql)


def _find_dollar_end(sql: str, opening: str, at: int) -> int:
    end = sql.find(opening, at)
    return len(sql) if end < 0 else end + len(opening)
