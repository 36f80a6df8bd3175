"""Matches the brackets of a statement."""

from __future__ import annotations

from collections.abc import Sequence

from sqlchat.sql.lexer import Lexeme

QUERIES = frozenset({"select", "with", "values", "table", "("})
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
NESTED_GROUPS = frozenset({"sets", "cube", "rollup"})
CLAUSES = frozenset({"select", "from", "where", "having", "order", "case", "when", "on", "limit", "union", "window"})
"""Words that end the list of a GROUP BY."""


class Brackets:
    """Holds the lexemes of a text and the pairs of their brackets."""

    def __init__(self, words: Sequence[Lexeme]) -> None:
        self.words = words
        self.closing: dict[int, int] = {}
        """Index of an opening bracket -> index of its closing bracket."""
        self.enclosing = [0] * len(words)
        """For each lexeme: index of the innermost bracket that is open there; 0 for none."""
        self.grouping = [False] * len(words)
        """For each lexeme: whether it stands in the list of a GROUP BY, also within GROUPING SETS."""
        open_at, grouping = [0], [False]
        for at, word in enumerate(words):
            if word.kind == "sign" and word.text in CLOSING and len(open_at) > 1:
                self.closing[open_at.pop()] = at
                grouping.pop()
            elif word.kind == "word" and word.value == "by":
                grouping[-1] = at > 0 and words[at - 1].value == "group"
            elif word.kind == "word" and word.value in CLAUSES:
                grouping[-1] = False
            self.enclosing[at], self.grouping[at] = open_at[-1], grouping[-1]
            if word.kind == "sign" and word.text in OPENING:
                open_at.append(at)
                grouping.append(grouping[-1] and at > 0 and words[at - 1].value in NESTED_GROUPS)

    def read_opener(self, at: int) -> str:
        """Return the word before the round bracket that is open at `at`; "" if there is none."""
        opening = self.enclosing[at]
        return self.words[opening - 1].value if opening and self.words[opening].text == "(" else ""
