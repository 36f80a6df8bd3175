"""Finds the functions that a text calls: each name before `(` that is no part of the grammar there.

A user-defined function may be named by almost any keyword, such as `by` or `escape`. A word is part of the grammar
only if no function can have it as its name unquoted (`Rules.keywords`), or if the words before it show that
(`Rules.after`). `check_tree` compares these calls with the ones in sqlglot's tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlglot import exp

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.brackets import CLOSING, QUERIES, Brackets
from sqlchat.sql.guards.rules import AS_NOT, GROUPING, NEGATED, OPENERS, OPERAND, STAR, SUBQUERY, TYPE, Rules
from sqlchat.sql.lexer import Lexeme, is_cast


class Layout(Brackets):
    """Holds the lexemes of one statement, their brackets, and the rules for words before a bracket."""

    def __init__(self, words: Sequence[Lexeme], rules: Rules) -> None:
        super().__init__(words)
        self.rules = rules

    def find_lexeme_after(self, opening: int) -> Lexeme | None:
        """Return the lexeme after the bracket that closes the one at `opening`; None if there is none."""
        at = self.closing.get(opening, len(self.words)) + 1
        return self.words[at] if at < len(self.words) else None

    def ends_operand(self, at: int) -> bool:
        """Whether a value or a name can end with the lexeme at `at`, so that no other operand can follow it."""
        if at < 0:
            return False
        word = self.words[at]
        if word.kind == "word":
            return word.value not in self.rules.keywords and word.value not in OPENERS
        return word.kind != "sign" or word.text in CLOSING

    def is_structure(self, at: int) -> bool:
        """Whether the word at `at`, before `(`, is part of the grammar and calls nothing."""
        words, word = self.words, self.words[at]
        if word.kind != "word" or (at and words[at - 1].text == "."):
            return False
        if word.value in self.rules.keywords:
            return True
        wanted = self.rules.after.get(word.value)
        if wanted is None or not at:
            return False
        before = words[at - 1].value if words[at - 1].kind in ("word", "sign") else ""
        if before in wanted:
            return True
        if before == "not" and at > 1:
            if AS_NOT in wanted and words[at - 2].value == "as":
                return True
            if NEGATED in wanted and self.ends_operand(at - 2):
                return True
        return (
            (OPERAND in wanted and self.ends_operand(at - 1))
            or (SUBQUERY in wanted and at + 2 < len(words) and words[at + 2].value in QUERIES - {"("})
            or (GROUPING in wanted and self.grouping[at])
            or (TYPE in wanted and self._names_type(at))
            or (STAR in wanted and before == "*" and not self.ends_operand(at - 2))
        )

    def _names_type(self, at: int) -> bool:
        """Whether the word names a type with its length: in a cast, a column's definition, or before a literal."""
        words, before = self.words, self.words[at - 1]
        if before.text == ":":
            return is_cast(words, at)
        if (before.kind == "word" and before.value == "as") or self.ends_operand(at - 1):
            return True
        if (after := self.find_lexeme_after(at + 1)) is not None and after.kind == "string":
            return True
        if self.rules.methods and before.text in ("(", ","):  # DuckDB's types have types inside
            inside = self.enclosing[at] - 1
            return inside > 0 and TYPE in self.rules.after.get(words[inside].value, ()) and self._names_type(inside)
        return False

    def is_alias(self, at: int) -> bool:
        """Whether `name(` at `at` can begin the columns of an alias: after AS or a source, or of a CTE."""
        words, before = self.words, self.words[at - 1] if at else self.words[at]
        if before.kind == "word" and before.value in ("as", "with", "recursive"):
            return True
        if before.text != ",":
            return self.ends_operand(at - 1)
        at = self.closing.get(at + 1, len(words)) + 1
        if at >= len(words) or words[at].value != "as":
            return False
        at += 1
        while at < len(words) and words[at].value in ("not", "materialized"):
            at += 1
        return at + 1 < len(words) and words[at].text == "(" and words[at + 1].value in QUERIES


def find_calls(layout: Layout, tree: exp.Expr) -> Iterator[int]:
    """Yield the indexes of the called names in the layout's words."""
    aliases = {start for start in map(_find_alias_start, tree.find_all(exp.TableAlias)) if start is not None}
    for at, (word, after) in enumerate(pairwise(layout.words)):
        if after.text != "(" or word.kind not in ("word", "name", "string"):
            continue
        if word.start in aliases and layout.is_alias(at):
            continue
        if not layout.is_structure(at):
            yield at


def check_tree(layout: Layout, tree: exp.Expr, calls: set[int]) -> None:
    """Raise SQLRefusedError if `tree` calls a function that is not in `calls`, the offsets of judged names."""
    keywords = layout.rules.keywords
    words = {word.start: word for word, after in pairwise(layout.words) if after.text == "("}
    judged_names = {words[start].value.lower() for start in calls if start in words} | keywords
    for node in tree.find_all(exp.Func):
        start = int(node.meta.get("start", -1))
        word = words.get(start)
        if start in calls or (word is not None and word.kind == "word" and word.value in keywords):
            continue
        if word is None and (not isinstance(node, exp.Anonymous) or node.name.lower() in judged_names):
            continue  # sqlglot does not tell the place of some calls
        shown = word.text if word else node.name
        raise SQLRefusedError(f"The function {shown[:80]!r} is not allowed: its name is a word of the language.")


def _find_alias_start(alias: exp.TableAlias) -> int | None:
    """Return the offset of the name in an alias `name(column, ...)`, which is no call; None if it has no columns."""
    name = alias.this
    if not isinstance(name, exp.Identifier) or not alias.args.get("columns"):
        return None
    start = name.meta.get("start")
    return start if isinstance(start, int) else None
