"""Replaces Postgres syntax that sqlglot cannot parse by similar syntax that it can parse.

sqlglot knows a few of the operators that Postgres and its extensions have. All others have the same precedence, so
one can replace another: `a <<= b` becomes `a &   b`, and `@ -1` becomes `~ -1`. `ORDER BY a USING >` becomes
`ORDER BY a ASC    `. Each character keeps its place. The new text is judged and resolved, but never run or shown.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlchat.sql.brackets import QUERIES, Brackets
from sqlchat.sql.guards.rules import split_words
from sqlchat.sql.lexer import Lexeme, split_lexemes

KNOWN_OPERATORS = split_words(
    "+ - * / % ^ < > = <= >= <> != | || & && # << >> ~ ~* !~ !~* ~~ !~~ ~~* !~~* -> ->> #> #>> @> <@ @@ =>"
)
PREFIXES = frozenset(("+", "-", "~", "*", "?", "=>"))
"""Prefix operators that sqlglot knows, `*` for all columns, and the placeholder `?`, which the guard refuses."""
SIGNS = frozenset("+-*/<>=~!@#%^&|`?")
"""Characters of operators."""
AT_END = frozenset("~!@#%^&|`?")
"""Only an operator with one of these may end in `+` or `-`."""
LITERALS = split_words(
    "box cidr circle citext cube halfvec jsonpath line lquery lseg ltree ltxtquery macaddr macaddr8 path pg_lsn "
    "pg_snapshot polygon query_int seg sparsevec tsquery tsvector txid_snapshot varbit xid"
)
"""Types whose names sqlglot does not accept before a string."""
RENAMED = {"cube": "cub_", "delete": "delet_", "json_value": "json_valu_"}
"""Functions whose names or arguments sqlglot takes for keywords, with their substitutes."""
REPLACED = {("xmltable", "for"): "int"} | dict.fromkeys(
    (("xmlexists", "passing"), ("substring", "similar"), ("substring", "escape")), ","
)
"""Function and keyword within its brackets that sqlglot does not read -> the substitute."""
DROPPED = {
    ("xmlparse", "(", "content"), ("xmlparse", "(", "document"), ("xmlserialize", "(", "content"),
    ("xmlserialize", "(", "document"), ("xmlpi", "(", "name"), ("xmlroot", ",", "version"),
    ("xmltable", "for", "ordinality"),
}  # fmt: skip
"""Function, preceding word, and keyword that is left out. No column can be named so in that place."""
JSON_FUNCTIONS = split_words("json json_array json_arrayagg json_exists json_query json_serialize json_value")
JSON_CLAUSE = re.compile(
    r"(((absent|null|error|true|false|unknown|empty( array| object)?) )?on (null|empty|error)"
    r"|(with|without) ((un)?conditional )?(array )?wrapper|(keep|omit) quotes( on scalar string)?"
    r"|(with|without) unique( keys)?|format json|(?P<type>returning))\b"
)
"""Clauses after the arguments of a JSON function. No operand can stand in their place."""
OPENING = split_words(
    "all and any as asc between by case distinct else except from having ilike in intersect is like limit not "
    "offset on or order returning select similar some then to union using values when where with"
)
"""Words after which an operator stands before its operand."""


class PlainText(NamedTuple):
    text: str
    replaced: frozenset[int]
    """Offsets of the words and names that `text` leaves out or replaces."""
    join_aliases: Mapping[int, Lexeme]
    """Offset of the last column in `USING (...) AS alias` -> the alias, which `text` leaves out."""


@functools.lru_cache(maxsize=2)
def write_plainly(sql: str) -> PlainText:
    """Replace each form of the Postgres text `sql` that sqlglot cannot parse.

    Raises SQLSyntaxError and SQLRefusedError as `split_lexemes` does.
    """
    words = split_lexemes(sql, "postgres")
    writer = _Writer(words)
    text, end = "", 0
    for at, substitute in sorted(writer.replaced.items()):
        text += sql[end : words[at].start] + substitute.ljust(len(words[at].text))
        end = words[at].end
    offsets = frozenset(words[at].start for at in writer.replaced if words[at].kind != "sign")
    return PlainText(text + sql[end:], offsets, writer.join_aliases)


def find_operators(words: Sequence[Lexeme]) -> Iterator[tuple[int, int]]:
    """Yield the range of indexes of each operator: its first sign and the one after its last.

    Signs that touch are split as Postgres does: `>=-` is `>=` and `-`, but `@-` is one operator.
    """
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and words[end].text in SIGNS and (end == at or words[end].start == words[end - 1].end):
            end += 1
        if end - at > 1 and AT_END.isdisjoint(word.text for word in words[at:end]):
            while end - at > 1 and words[end - 1].text in "+-":
                end -= 1
        if end > at:
            yield at, end
        at = max(end, at + 1)


class _Writer:
    """Collects the substitutes for the lexemes of one text."""

    def __init__(self, words: Sequence[Lexeme]) -> None:
        self.words, self.brackets = words, Brackets(words)
        self.replaced: dict[int, str] = {}
        """Index of a lexeme -> its substitute, which is not longer."""
        self.join_aliases: dict[int, Lexeme] = {}
        for at, word in enumerate(words):
            if word.kind == "word" and at not in self.replaced:
                self._replace_word(at, word.value)
            elif word.kind == "number" and "_" in word.text:
                self.replaced[at] = word.text.replace("_", "")
        for at, end in find_operators(words):
            if at not in self.replaced:
                self._replace_operator(at, end)

    def _read(self, at: int) -> str:
        """Return the lexeme at `at`, a word in lower case; "" if there is none or it is a quoted name."""
        return self.words[at].value if 0 <= at < len(self.words) and self.words[at].kind != "name" else ""

    def _drop(self, start: int, end: int) -> None:
        self.replaced |= dict.fromkeys(range(start, end), "")

    def _replace_word(self, at: int, word: str) -> None:
        before, after, opener = self._read(at - 1), self._read(at + 1), self.brackets.read_opener(at)
        if (opener, word) in REPLACED:
            self.replaced[at] = REPLACED[opener, word]
        elif opener in JSON_FUNCTIONS and self._replace_json_clause(at, word, opener):
            return
        elif (opener, before, word) in DROPPED or (before, word) in (("bit", "varying"), ("collation", "for")):
            self.replaced[at] = ""
        elif (before, word) == ("at", "local") and self._ends_operand(at - 2):
            self._drop(at - 1, at + 1)
        elif (opener, word, after) == ("xmlserialize", "indent", ")") and before != "as":
            self._drop(at - (before == "no"), at + 1)
        elif opener in ("columns", "json_table") and (clause := self._match_json_clause(at)):
            if opener == "json_table" or not clause[0].endswith(("empty", "error")):  # `parse` drops those of columns
                self._drop(at, at + clause[0].count(" ") + 1)
        elif (opener, word) == ("json_table", "passing") and not self._begins_operand(at):
            self._join_arguments(at)
        elif word == "national" and after in ("char", "character"):
            self.replaced[at] = ""
        elif before == "by" and word in ("ref", "value") and self._read(at - 2) == "passing" and after != ")":
            self._drop(at - 1, at + 1)
        elif word in LITERALS and after[:1] == "'" and self._begins_operand(at):
            self.replaced[at] = "xml" if len(word) == 3 else "text"
        elif word in RENAMED and before != ".":
            if after == "(" and not self.brackets.grouping[at]:
                self.replaced[at] = RENAMED[word]
            elif word == "cube" and (before == ":" or (before == "as" and opener == "cast" and after in (")", "["))):
                self.replaced[at] = "text"
        elif after == "(" and (closing := self.brackets.closing.get(at + 1)):
            self._replace_brackets(at, word, closing)
        elif word == "using" and after in SIGNS:
            self._replace_order(at, next(find_operators(self.words[at + 1 :]))[1] + at + 1)

    def _replace_json_clause(self, at: int, word: str, opener: str) -> bool:
        """Replace the clause of a JSON function that begins at `at`; return whether one begins there."""
        opening = self.brackets.enclosing[at]
        if self._read(opening + 1) in QUERIES:
            return False  # JSON_ARRAY(SELECT ...)
        if clause := self._match_json_clause(at):
            end = at + clause[0].count(" ") + 1
            if clause["type"]:  # RETURNING: its type ends where the next clause begins
                closing = self.brackets.closing.get(opening, 0)
                while end < closing and self._read(end) != "default" and not self._match_json_clause(end):
                    end += 1
            self._drop(at, end)
        elif word in ("passing", "default") and not self._begins_operand(at):
            self.replaced[at] = ","
        elif word == "as" and opener != "json_arrayagg":
            self._drop(at, at + 2)
        else:
            return False
        return True

    def _join_arguments(self, passing: int) -> None:
        """Join the arguments of `JSON_TABLE(document, path PASSING value AS name COLUMNS ...)` to one expression."""
        opening = self.brackets.enclosing[passing]
        self.replaced[passing] = "&"
        for at in range(opening + 1, self.brackets.closing.get(opening, 0)):
            if self.brackets.enclosing[at] != opening:
                continue
            if self.words[at].text == ",":
                self.replaced[at] = "&"
            elif self._read(at) == "as":
                self._drop(at, at + 2)

    def _ends_operand(self, at: int) -> bool:
        """Whether a value certainly ends at `at`, so that no other value can follow."""
        if at < 1 or self.words[at].kind == "sign":
            opening = next((start for start, end in self.brackets.closing.items() if end == at), 0)
            return opening > 0 and self.words[opening - 1].value not in ("on", "all", "distinct")
        return self.words[at].kind != "word" or self.words[at].value not in OPENING

    def _match_json_clause(self, at: int) -> re.Match[str] | None:
        return JSON_CLAUSE.match(" ".join(self._read(at + step) for step in range(6)))

    def _replace_brackets(self, at: int, word: str, closing: int) -> None:
        """Replace the brackets after ONLY, USING and OPERATOR."""
        if word == "only":
            self.replaced |= {at + 1: "", closing: ""}
        elif word == "operator" and self._read(at - 1) == "using" and self._holds_symbol(at + 2, closing):
            self._replace_order(at - 1, closing + 1)
        elif word == "operator" and self._begins_operand(at) and self._holds_symbol(at + 2, closing):
            self._drop(at, closing + 1)
            self.replaced[at] = "~"
        elif word == "using" and self._read(closing + 1) == "as" and self._holds_names(at + 2, closing):
            alias = self.words[closing + 2] if closing + 2 < len(self.words) else None
            if alias and alias.kind in ("word", "name"):
                self._drop(closing + 1, closing + 3)
                self.join_aliases[self.words[closing - 1].start] = alias

    def _replace_order(self, using: int, end: int) -> None:
        self._drop(using, end)
        self.replaced[using] = "asc"

    def _holds_symbol(self, start: int, end: int) -> bool:
        """Whether the lexemes from `start` to `end` are an operator, with or without its schema."""
        if self._read(start + 1) == ".":
            start += 2
        return start < end and all(word.text in SIGNS for word in self.words[start:end])

    def _holds_names(self, start: int, end: int) -> bool:
        names, commas = self.words[start:end:2], self.words[start + 1 : end : 2]
        return all(word.kind in ("word", "name") for word in names) and all(word.text == "," for word in commas)

    def _begins_operand(self, at: int) -> bool:
        """Whether a value begins at `at`, so that an operator there has no left operand."""
        if not at:
            return True
        before = self.words[at - 1]
        if before.kind == "sign":
            return before.text in SIGNS or before.text in ("(", "[", ",", ";")
        return before.kind == "word" and before.value in OPENING

    def _replace_operator(self, at: int, end: int) -> None:
        before, after = self._read(at - 1), self._read(end)
        if before == "." or (before == "(" and after in (")", "")):
            return  # within OPERATOR(), or count(*)
        symbol = "".join(word.text for word in self.words[at:end])
        is_prefix = self._begins_operand(at)
        if is_prefix and symbol in ("@", "#") and after[:1].isalnum() and self.words[end].start == self.words[at].end:
            return  # a variable of another database, which the guard refuses by its name
        if symbol not in (PREFIXES if is_prefix else KNOWN_OPERATORS):
            self._drop(at, end)
            self.replaced[at] = "~" if is_prefix else "&"
