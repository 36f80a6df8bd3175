"""Refuses what a database's users defined themselves under names of built-in functions, operators and types.

Any of it may read what a policy denies, and the name alone does not tell which one the database will choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from sqlglot import exp
from sqlglot.errors import ParseError

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.catalog import LONGEST_NAME, Catalog, OwnNames
from sqlchat.sql.lexer import Lexeme, split_lexemes
from sqlchat.sql.policies.duckdb_parser import read_called_names

SIGNS = frozenset("+-*/<>=~!@#%^&|`?")
"""Of which Postgres' operators are made."""
AT_END = frozenset("~!@#%^&|`?")
"""Only an operator with one of these may end in `+` or `-`."""
BEHIND = {
    "between": (">=", "<=", "<", ">"),
    "case": ("=",),
    "distinct": ("=",),
    "ilike": ("~~*", "!~~*"),
    "in": ("=", "<>"),
    "like": ("~~", "!~~"),
    "natural": ("=",),
    "nullif": ("=",),
    "similar": ("~", "!~"),
    "using": ("=",),
}
"""Words that use operators of these symbols."""
IS = frozenset({"is", "not"})
BEFORE_STAR = frozenset({"(", ",", ".", "select", "distinct", "all"})
AFTER_STAR = frozenset({")", ",", ";", "from"})
FUNCTION = (
    "{name!r} is also a function of this database's own, which a policy does not let run; "
    "write pg_catalog.{name} for the built-in one."
)
MACRO = "{name!r} means a macro of this database's own, which a policy does not let run."
OPERATOR = (
    "{name} is also an operator of this database's own, which a policy does not let run; "
    "write OPERATOR(pg_catalog.{name}) for the built-in one."
)
TYPE = "The type {name!r} has casts or checks of this database's own, which a policy does not let run."
VOLATILE_OPERATOR = "The operator {name} is not allowed: it is this database's own, and may do more than read."
VOLATILE_TYPE = (
    "The type {name!r} is not allowed: its casts or checks are this database's own, and may do more than read."
)
CASTING = re.compile(r"jsonb?_populate_record(set|_valid)?|populate_record|pg_input_(error_info|is_valid)")
"""Functions that cast texts to types which they take from a value or a text."""


def refuse_own(sql: str, tree: exp.Expr, catalog: Catalog) -> None:
    """Raise SQLRefusedError if `sql`, parsed as `tree`, could call what users of the database defined."""
    own = catalog.own
    if catalog.dialect == "duckdb" and (own.functions or own.operators):
        _refuse_macros(sql, own)
    elif own.functions or own.operators or own.types:
        words = split_lexemes(sql, catalog.dialect)
        _refuse_functions(words, own.functions, _find_columns(tree, catalog))
        if catalog.dialect == "postgres":
            _refuse_operators(words, own.operators, OPERATOR)
            _refuse_types(words, tree, own.types, TYPE)


def refuse_volatile(words: Sequence[Lexeme], tree: exp.Expr, own: OwnNames) -> None:
    """Raise SQLRefusedError for own operators and types of Postgres that may do more than read."""
    if own.volatile:
        _refuse_operators(words, own.volatile, VOLATILE_OPERATOR)
        _refuse_types(words, tree, own.volatile, VOLATILE_TYPE)


def _refuse_macros(sql: str, own: OwnNames) -> None:
    words = split_lexemes(sql, "duckdb")
    if words and words[0].value == "create":
        start = next((word.end for word in words if (word.kind, word.value) == ("word", "as")), 0)
        sql = sql[start:]
    called = read_called_names(sql)
    if called is None:
        raise SQLRefusedError("It cannot be told which functions this SQL calls, as the policy demands.")
    if found := sorted(called & (own.functions | own.operators)):
        raise SQLRefusedError(MACRO.format(name=found[0]))


def _refuse_functions(
    words: Sequence[Lexeme], functions: frozenset[str], columns: Mapping[str, frozenset[str]]
) -> None:
    """Refuse calls of `functions`, and their names after a dot, which call them too if no column has that name."""
    for at, word in enumerate(words):
        if word.kind not in ("word", "name") or (name := _shorten_name(word.value).lower()) not in functions:
            continue
        is_called = at + 1 < len(words) and words[at + 1].text == "("
        before = words[at - 2].value if at > 1 and words[at - 1].text == "." else None
        is_deeper = at > 3 and words[at - 3].text == "."
        if is_called and (before != "pg_catalog" or is_deeper):
            raise SQLRefusedError(FUNCTION.format(name=name))
        if not is_called and before is not None and (is_deeper or word.value not in columns.get(before, ())):
            raise SQLRefusedError(FUNCTION.format(name=name))


def _find_columns(tree: exp.Expr, catalog: Catalog) -> dict[str, frozenset[str]]:
    """Column names that all sources of a query under one name have, by that name."""
    found: dict[str, frozenset[str]] = {}
    for node in tree.find_all(exp.Table, exp.Subquery, exp.CTE):
        alias = node.args.get("alias")
        if isinstance(node, exp.Table):
            table = catalog.table(node.name, node.db or None)
            names = frozenset(column.name for column in table.columns) if table else frozenset()
        else:
            names = frozenset(node.this.named_selects) if isinstance(node.this, exp.Query) else frozenset()
        if isinstance(alias, exp.TableAlias) and alias.columns:
            names = frozenset()
        name = node.alias_or_name
        found[name] = found[name] & names if name in found else names
    return found


def _refuse_operators(words: Sequence[Lexeme], operators: frozenset[str], said: str) -> None:
    for symbol in _find_symbols(words):
        if symbol in operators:
            raise SQLRefusedError(said.format(name=symbol))


def _find_symbols(words: Sequence[Lexeme]) -> Iterator[str]:
    """Symbols of all operators in a text but for those that name pg_catalog; some more where signs touch."""
    at = 0
    while at < len(words):
        word = words[at]
        if word.kind == "word" and not (word.value == "distinct" and (not at or words[at - 1].value not in IS)):
            yield from BEHIND.get(word.value, ())
        if word.text not in SIGNS:
            at += 1
            continue
        end = at + 1
        while end < len(words) and words[end].text in SIGNS and words[end].start == words[end - 1].end:
            end += 1
        if not (_is_qualified(words, at) or _is_star(words, at, end) or _is_assignment(words, at, end)):
            run = "".join(sign.text for sign in words[at:end])
            yield from _split_run(run)
        at = end


def _split_run(run: str) -> Iterator[str]:
    """The operators that Postgres reads in signs that touch: `>=-` is `>=` and `-`, but `@-` is one."""
    while run:
        symbol = run
        if AT_END.isdisjoint(symbol):
            symbol = symbol[0] + symbol[1:].rstrip("+-")
        yield "<>" if symbol == "!=" else symbol
        run = run[len(symbol) :]


def _is_qualified(words: Sequence[Lexeme], at: int) -> bool:
    """Whether the symbol stands in OPERATOR(pg_catalog.symbol)."""
    return [word.value for word in words[max(at - 4, 0) : at]] == ["operator", "(", "pg_catalog", "."]


def _is_star(words: Sequence[Lexeme], at: int, end: int) -> bool:
    """Whether a `*` stands for columns or rows, not between two values."""
    if end - at > 1 or words[at].text != "*":
        return False
    before = words[at - 1] if at else None
    after = words[end] if end < len(words) else None
    return (
        before is None
        or (before.kind in ("word", "sign") and before.value in BEFORE_STAR)
        or after is None
        or (after.kind in ("word", "sign") and after.value in AFTER_STAR)
    )


def _is_assignment(words: Sequence[Lexeme], at: int, end: int) -> bool:
    """Whether this is the sign of a named argument, `=>` or `:=`."""
    text = "".join(word.text for word in words[at:end])
    is_after_colon = at > 0 and words[at - 1].text == ":" and words[at - 1].end == words[at].start
    return text == "=>" or (text == "=" and is_after_colon)


def _refuse_types(words: Sequence[Lexeme], tree: exp.Expr, types: frozenset[str], said: str) -> None:
    """Refuse casts to `types`, also those of literals (`mood 'x'`), and functions that cast to any type."""
    known = {
        found.this for name in types if (found := _build_type(name)) and found.this != exp.DataType.Type.USERDEFINED
    }
    for node in tree.find_all(exp.DataType):
        name = _read_last_part(node.sql("postgres"))
        if name in types or node.this in known:
            raise SQLRefusedError(said.format(name=name))
    for before, word in pairwise(words):
        name = _shorten_name(before.value).lower()
        if types and CASTING.fullmatch(name) and before.kind in ("word", "name"):
            raise SQLRefusedError(
                f"The function {name!r} is not allowed: it may cast to a type of this database's own."
            )
        is_cast = before.text == ":" and word.kind in ("word", "name") and _shorten_name(word.value).lower() in types
        if before.kind in ("word", "name") and name in types and word.kind == "string":
            raise SQLRefusedError(said.format(name=name))
        if is_cast:
            raise SQLRefusedError(said.format(name=_shorten_name(word.value).lower()))


def _build_type(name: str) -> exp.DataType | None:
    try:
        return exp.DataType.build(name, dialect="postgres", udt=True)
    except (ValueError, ParseError):
        return None


def _read_last_part(name: str) -> str:
    bare = re.sub(r"(\[[^\]]*\]|\([^)]*\))+$", "", name.strip())
    return _shorten_name(bare.rpartition(".")[2].strip('"')).lower()


def _shorten_name(name: str) -> str:
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")
