"""Checks that a text is one query, SHOW or DESCRIBE, without relying on the guard, and writes the SQL for Spark."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlchat.connections.faults import make_statement_error, refuse_unsendable
from sqlchat.errors import SQLRefusedError
from sqlchat.sql.guards.rules import split_words

PIECE = re.compile(
    r"""(?P<blank>[\s;]+|--[^\n\r]*)"""
    r"""|(?P<block>/\*)"""
    r"""|(?P<string>[rR](?:'[^']*'|"[^"]*")|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<name>`(?:[^`]|``)*`)"""
    r"""|(?P<word>\w+)|(?P<sign>.)""",
    re.DOTALL,
)
MARK = re.compile(r"/\*|\*/")
QUERIES = frozenset({"(", "select", "with", "values", "table"})
LISTINGS = frozenset({"show", "describe", "desc"})
MODES = frozenset({"codegen", "cost", "extended", "formatted"})
UNSAFE_FUNCTIONS = split_words(
    "from_avro from_protobuf from_xml http_request identifier java_method python_worker_logs read_files read_kafka "
    "read_statestore reflect schema_of_avro schema_of_xml secret to_protobuf try_reflect try_secret"
)
"""Functions that run code, reach files or secrets, or read a name from a text. Spark has no setting against them."""
FORMATS = split_words(
    "arrow avro binaryfile csv delta hudi iceberg image jdbc json kafka libsvm orc parquet rate socket statestore "
    "text vortex xml"
)
"""Formats of files. Spark reads a file by a name such as text.`/etc/passwd`."""
PREFIX = "SELECT * FROM (\n"
LARGEST_LIMIT = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class CheckedStatement:
    """SQL that may be sent. `EXPLAIN COST SELECT 1;` has the text `SELECT 1` and the mode `EXPLAIN COST `."""

    text: str
    """Without a semicolon or comments at its end."""
    is_query: bool
    """False for SHOW, DESCRIBE and EXPLAIN."""
    mode: str = ""

    def write(self, max_rows: int) -> str:
        """Write the SQL to send: a query stands in a place whose grammar takes only a query."""
        if self.mode:
            return f"{self.mode}{PREFIX}{self.text}\n)"
        return f"{PREFIX}{self.text}\n){write_limit(max_rows)}" if self.is_query else self.text


def check_statement(sql: str) -> CheckedStatement:
    """Check a text. Raises SQLRefusedError unless it begins like a reading statement and calls nothing unsafe."""
    refuse_unsendable(sql)
    if "${" in sql:
        raise SQLRefusedError("Variables (${...}) are not allowed; write the value itself.")
    pieces, starts, end = _split(sql)
    at = 0
    if pieces and pieces[0] == ("word", "explain"):
        at = 2 if len(pieces) > 1 and pieces[1][1] in MODES else 1
    first = pieces[at][1] if at < len(pieces) else ""
    if first not in (QUERIES if at else QUERIES | LISTINGS):
        raise make_statement_error()
    _refuse_unsafe(pieces)
    mode = " ".join(text.upper() for _, text in pieces[:at]) + " " if at else ""
    return CheckedStatement(sql[starts[at] if at else 0 : end], first in QUERIES and not at, mode)


def write_limit(max_rows: int) -> str:
    """Write the LIMIT clause; empty for a number that is too large for Spark."""
    return f" LIMIT {max_rows:d}" if max_rows <= LARGEST_LIMIT else ""


def _refuse_unsafe(pieces: list[tuple[str, str]]) -> None:
    for at, (kind, text) in enumerate(pieces):
        after = pieces[at + 1] if at + 1 < len(pieces) else ("", "")
        before = pieces[at - 1] if at else ("", "")
        if kind in ("word", "name") and text in UNSAFE_FUNCTIONS and after[1] == "(":
            raise SQLRefusedError(f"The function {text!r} is not allowed.")
        if (kind, text) == ("word", "using") and after[0] == "string":
            raise SQLRefusedError("TRANSFORM with a program is not allowed.")
        if kind == "name" and re.search(r"[/\\:]", text) and before[1] == "." and pieces[at - 2][1] in FORMATS:
            raise SQLRefusedError("Files cannot be read by queries.")
        if text in FORMATS and before[1] in ("from", "join", "table") and after[1] == ".":
            raise SQLRefusedError("Files cannot be read by queries.")


def _split(sql: str) -> tuple[list[tuple[str, str]], list[int], int]:
    """Split a text without blanks and comments: kind and lower-case text of each piece, their starts, the last end.

    A quoted name loses its quotes.
    """
    pieces: list[tuple[str, str]] = []
    starts: list[int] = []
    at = end = 0
    while at < len(sql):
        piece = PIECE.match(sql, at)
        assert piece is not None  # the last rule takes any character
        kind, at = str(piece.lastgroup), piece.end()
        if kind == "block":
            at = _find_end_of_comment(sql, piece.start())
        elif kind == "blank":
            if piece[0].startswith("--") and piece[0].endswith("\\"):
                raise SQLRefusedError("A comment must not end in a backslash.")
        else:
            text = piece[0].lower()
            pieces.append((kind, text[1:-1].replace("``", "`") if kind == "name" else text))
            starts.append(piece.start())
            end = at
    return pieces, starts, end


def _find_end_of_comment(sql: str, at: int) -> int:
    if sql.startswith("/*+", at):
        raise SQLRefusedError("Hints (/*+) are not allowed.")
    depth = 0
    for mark in MARK.finditer(sql, at):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    raise SQLRefusedError("A comment lacks its end.")
