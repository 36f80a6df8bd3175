"""Defines the shape of a database's allow-lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.lexer import Lexeme


def split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYWORDS = split_words(
    """
    all and any as asc between case desc distinct else end except exists from group having in intersect limit not
    null offset on or order row select some table then to union using values when where window with
    """
)
"""Words before `(` that make no call, because no function can have them as its name without quotes."""
TYPES = split_words("bit char character dec decimal float interval national nchar numeric time timestamp varchar")
"""Words before `(` that name a type with its length, and no function without quotes."""
OPERAND, NEGATED, GROUPING = "<operand>", "<operand not>", "<group by>"
TYPE, STAR, AS_NOT, SUBQUERY = "<type>", "<star>", "<as not>", "<subquery>"
"""Places in AFTER: after a value or a name, the same with NOT between, in the list of a GROUP BY; in the place of a
type, after the `*` for all columns, after AS NOT, before a query in the brackets."""
AFTER = {
    "bernoulli": split_words("tablesample sample"),
    "by": split_words("group order partition first"),
    "cube": frozenset({GROUPING}),
    "escape": frozenset({OPERAND}),
    "filter": split_words(")"),
    "first": split_words("fetch"),
    "ilike": frozenset({OPERAND, NEGATED}),
    "join": split_words("left right full inner outer cross natural") | {OPERAND},
    "like": frozenset({OPERAND, NEGATED}),
    "materialized": frozenset({"as", AS_NOT}),
    "next": split_words("fetch"),
    "over": split_words(") nulls"),
    "repeatable": split_words(")"),
    "reservoir": split_words("tablesample sample"),
    "rollup": frozenset({GROUPING}),
    "sets": split_words("grouping"),
    "system": split_words("tablesample sample"),
    "varying": split_words("bit char character"),
    "zone": split_words("time"),
}
"""Words before `(` that make no call in one of these places: after one of these words, or as named above."""
OPENERS = split_words(
    """
    at between by content default document escape filter first groups ilike in is join key lateral like local next
    over partition passing path placing range ref returning rows sets similar symmetric value values variadic zone
    """
)
"""Other words that a value follows, so that no value ends with them."""
QUERY_STARTS = frozenset({"select", "with", "values", "table"})


class Inner(NamedTuple):
    """A query inside another statement, such as EXPLAIN's."""

    kind: str
    """Kind of the outer statement."""
    at: int
    """Index of the first lexeme of the query."""


Statement = Callable[[Sequence[Lexeme]], "str | Inner"]
"""Takes the lexemes of a statement that is no query; returns its kind or its query. Raises SQLRefusedError."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    engine: str
    """The database's name in messages."""
    functions: frozenset[str]
    """Names that may be called, in lower case."""
    instead: Mapping[str, str] = field(default_factory=dict)
    """Expressions to suggest, by names of functions of other databases."""
    ways_out: str = ""
    """For messages: the ways to call a user-defined function."""
    others: re.Pattern[str] | None = None
    """Functions that exist but may not be called, if these and `functions` are all that the database has."""
    schemas: frozenset[str] = frozenset()
    """Schemas that may qualify a function's name."""
    grammar: frozenset[str] = frozenset()
    """Calls that are part of the grammar, so that no list of functions has them; their names are never quoted."""
    attributes: bool = False
    """Whether `value.name` may call a function `name(value)`."""
    dangers: re.Pattern[str] = re.compile(r"(?!)")
    """Functions that are refused even if the database's own list has them."""
    keywords: frozenset[str] = KEYWORDS | TYPES
    after: Mapping[str, frozenset[str]] = field(default_factory=AFTER.copy)
    hidden: re.Pattern[str] = re.compile(r"(?!)")
    """Whole names in lower case that must not occur: tables with secrets, access to the system."""
    hidden_schemas: frozenset[str] = frozenset()
    signs: re.Pattern[str] = re.compile(r"(?!)")
    """Signs outside of strings that must not occur."""
    sign_reason: str = ""
    starts: frozenset[str] = QUERY_STARTS
    """First words of queries."""
    statements: Mapping[str, Statement]
    """Other statements that only read, by their first word."""
    methods: bool = False
    """Whether `value.function()` is a call, so that the word before the dot may be no schema."""
    files: re.Pattern[str] | None = None
    """Whole names of tables for which the database would open a file."""
    knows_all_tables: bool = False
    """Whether tables that the catalog does not have are refused, since such a name could be a file's."""


def make_rest_error(lexemes: Sequence[Lexeme], what: str) -> SQLRefusedError:
    text = " ".join(lexeme.text for lexeme in lexemes)
    return SQLRefusedError(f"{text[:60]!r} is not allowed: {what}.")


def is_dotted_name(lexemes: Sequence[Lexeme]) -> bool:
    """Whether these are only one name, or several names joined by dots."""
    return (
        len(lexemes) % 2 == 1
        and all(lexeme.kind in ("word", "name") for lexeme in lexemes[::2])
        and all(lexeme.text == "." for lexeme in lexemes[1::2])
    )


def make_explain_reader(options: frozenset[str], flags: frozenset[str]) -> Statement:
    """Return a reader of EXPLAIN with bare `flags` or `(options)` before its query.

    They may include ANALYZE, which runs the query: the query must follow the same rules as without EXPLAIN.
    """

    def read(lexemes: Sequence[Lexeme]) -> str | Inner:
        at = 1
        while at < len(lexemes) and lexemes[at].value in flags:
            at += 1
        if at == 1 and options and at < len(lexemes) and lexemes[at].text == "(" and lexemes[at + 1].value in options:
            closing = next((i for i, lexeme in enumerate(lexemes) if lexeme.text == ")"), len(lexemes))
            inside = lexemes[at + 1 : closing]
            if any(lexeme.kind not in ("word", "string", "number") and lexeme.text != "," for lexeme in inside):
                raise make_rest_error(lexemes[: closing + 1], "its options are not understood")
            at = closing + 1
        if at >= len(lexemes):
            raise make_rest_error(lexemes, "EXPLAIN needs a query")
        return Inner("EXPLAIN", at)

    return read


def make_show_reader(form: re.Pattern[str], signs: str, files: re.Pattern[str] | None = None) -> Statement:
    """Return a reader of SHOW. `form` matches its text after SHOW, which has no signs but `signs`."""

    def read(lexemes: Sequence[Lexeme]) -> str | Inner:
        is_plain = all(lexeme.kind != "sign" or lexeme.text in tuple(signs) for lexeme in lexemes)
        if not is_plain or not form.fullmatch(" ".join(lexeme.value for lexeme in lexemes[1:])):
            raise make_rest_error(lexemes, "SHOW lists tables, columns, databases and their like here")
        _refuse_files(lexemes, files)
        return "SHOW"

    return read


def make_describe_reader(
    query_kind: str,
    table_kind: str,
    starts: frozenset[str],
    *,
    flags: frozenset[str] = frozenset(),
    files: re.Pattern[str] | None = None,
    takes_nothing: bool = False,
) -> Statement:
    """Return a reader of DESCRIBE and its like: bare `flags`, then a query, or a table's name and maybe a column's.

    Its verdict is `query_kind` or `table_kind`. `FORMAT = name` may precede a query; `AS JSON` may follow a table.
    """

    def read(lexemes: Sequence[Lexeme]) -> str | Inner:
        at = 1
        while at < len(lexemes) - 1 and lexemes[at].value in flags:
            at += 1
        if [lexeme.value for lexeme in lexemes[at : at + 2]] == ["format", "="]:
            at += 3
        rest = lexemes[at:]
        if rest and (rest[0].value in starts or rest[0].text == "("):
            return Inner(query_kind, at)
        if [lexeme.value for lexeme in rest[-2:]] == ["as", "json"]:
            rest = rest[:-2]
        name = rest[:-1] if len(rest) > 1 and rest[-2].text != "." else rest
        is_named = is_dotted_name(name) and (name is rest or rest[-1].kind != "sign")
        if not (is_named or (takes_nothing and not rest)):
            raise make_rest_error(lexemes, "it takes the name of one table, or a query")
        _refuse_files(name, files)
        return table_kind

    return read


def make_pragma_reader(plain: frozenset[str], of_table: frozenset[str]) -> Statement:
    """Return a reader of `PRAGMA [schema.]name` and `PRAGMA name(table)`; `user_version(5)` would set it."""

    def read(lexemes: Sequence[Lexeme]) -> str | Inner:
        rest = lexemes[3:] if len(lexemes) > 3 and lexemes[2].text == "." else lexemes[1:]
        name, argument = (rest[0].value if rest else ""), [lexeme.text for lexeme in rest[1:]]
        if name in plain and not argument:
            return "PRAGMA"
        if name in of_table and len(argument) == 3 and (argument[0], argument[2]) == ("(", ")"):
            return "PRAGMA"
        raise make_rest_error(lexemes, "of the PRAGMAs only those that describe tables are")

    return read


def _refuse_files(lexemes: Sequence[Lexeme], files: re.Pattern[str] | None) -> None:
    """Raise SQLRefusedError if a name among `lexemes`, with the parts before its dots, is a file's."""
    name = ""
    for lexeme in lexemes:
        is_part = lexeme.kind in ("word", "name") and name.endswith(".")
        name = name + lexeme.value if is_part or lexeme.text == "." else lexeme.value
        if files is not None and lexeme.kind != "string" and files.fullmatch(name):
            raise make_rest_error(lexemes, "files cannot be read here")
