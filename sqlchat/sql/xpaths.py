"""Refuses XPath expressions that could keep Postgres busy for any time.

libxml2 does not check the clock: no timeout, cancellation or lost connection ends an XPath. So an expression passes
only if its cost grows with the document alone: a literal of plain steps, whose predicates use only the children of
their own node. `//item[@id = "1"]/price` passes; `//a[count(//a) > 0]` and `//a/preceding::a` do not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.brackets import Brackets
from sqlchat.sql.lexer import Lexeme

FUNCTIONS = frozenset({"xpath", "xpath_exists", "xmlexists", "xmltable"})
BEHIND = frozenset({",", ")", "passing", "default", "not", "null"})
"""Words and signs that may follow the expression, so that it is the whole argument."""
QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
WANDERING = re.compile(r"(?:ancestor|descendant|preceding|following)[\w-]*\s*::|[^./\s]\s*/\s*\.\.|//[^|]*//")
"""Steps from each of many nodes to many other nodes."""
LEAVING = re.compile(r"\[.*(?://|\.\.|::|\bid\s*\(|(?<![\w)\]])/|\b(?:or|and|div|mod)/).*\]", re.DOTALL)
"""Conditions that leave their node."""


def check_xpaths(words: Sequence[Lexeme]) -> None:
    """Raise SQLRefusedError for an XPath that is no plain literal, or that may cost more than its document's size."""
    if FUNCTIONS.isdisjoint(word.value for word in words):
        return
    brackets = Brackets(words)
    for at, word in enumerate(words[:-1]):
        if word.kind == "string":
            continue
        if word.value in FUNCTIONS and words[at + 1].text == "(":
            start = at + 2
            if start + 1 < len(words) and words[start].value == "xmlnamespaces":
                start = brackets.closing.get(start + 1, start) + 2
            _check_expression(words, start)
        elif word.value == "path" and brackets.read_opener(at) == "xmltable" and words[at + 1].text not in ",)":
            _check_expression(words, at + 1)


def _check_expression(words: Sequence[Lexeme], at: int) -> None:
    expression = words[at].text if at + 1 < len(words) and words[at].kind == "string" else ""
    if not expression or words[at + 1].value not in BEHIND or (expression[0] not in "'$" and "\\" in expression):
        raise SQLRefusedError("An XPath has to be written as one plain literal.")
    path = expression[1:-1].replace("''", "'") if expression[0] == "'" else expression.strip("$")
    path = QUOTED.sub("0", path)
    if WANDERING.search(path) or LEAVING.search(path):
        raise SQLRefusedError(
            "This XPath may look at all nodes again for each node; leave out a second //, .. behind a step, axes "
            "such as preceding::, and conditions that leave their node."
        )
