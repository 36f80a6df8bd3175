"""Refuses user-defined functions, operators and types that have the names of built-in ones.

They may read data that a policy denies, and the name alone does not tell which one the database will choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlglot import exp

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.attributes import find_attributes
from sqlchat.sql.brackets import Brackets
from sqlchat.sql.catalog import Catalog, OwnNames, shorten_name
from sqlchat.sql.guards.rules import split_words
from sqlchat.sql.lexer import Lexeme, is_cast, split_lexemes
from sqlchat.sql.policies.domains import CheckedDomains, find_built_in, read_last_part
from sqlchat.sql.policies.duckdb_parser import read_called_names
from sqlchat.sql.policies.operands import Operands
from sqlchat.sql.postgres_forms import find_operators

BEHIND = {
    "between": (">=", "<=", "<", ">"),
    "case": ("=",),
    "distinct": ("=",),
    "ilike": ("~~*", "!~~*"),
    "in": ("=", "<>"),
    "like": ("~~", "!~~"),
    "natural": ("=",),
    "nullif": ("=",),
    "range": ("in_range",),
    "similar": ("~", "!~"),
    "using": ("=",),
}
"""Keyword -> symbols of the operators that it uses; `in_range` stands for the function behind RANGE 1 PRECEDING."""
MAKERS = {
    "array": split_words("array"),
    "json": split_words("json json_array json_arrayagg json_object json_objectagg json_query json_scalar"),
    "xml": split_words("xmlconcat xmlelement xmlforest xmlparse xmlpi xmlroot"),
    "xid": split_words("xmin xmax"),
    "cid": split_words("cmin cmax"),
}
"""Built-in type -> words that give a value of it although they name no function, operator, cast or user's column."""
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
VOLATILE_OPERATOR = (
    "The operator {name} is not allowed: it may be this database's own, which may do more than read; "
    "the built-in one, if it is meant, is OPERATOR(pg_catalog.{name})."
)
VOLATILE_TYPE = (
    "The type {name!r} is not allowed: its casts or checks are this database's own, and may do more than read."
)
VOLATILE_COLUMN = (
    "A column of this query may only be shown as it is: to compare or cast its type runs a function of this "
    "database's own, which may do more than read. If that only computes, declare it IMMUTABLE."
)
SYSTEM = "pg_catalog"
"""Stands, among the names of volatile types, for one that a column of a system table has."""
VOLATILE_TABLE = (
    "The table {name!r} may not be read: that runs functions of this database's own, which may do more than read."
)
CHECK = (
    "{text} is not allowed here: Postgres may give it the type of a column beside it, whose checks are this "
    "database's own. Give it another type, as in 'x'::text."
)
CASTING = re.compile(r"jsonb?_populate_record(set|_valid)?|populate_record|pg_input_(error_info|is_valid)")
"""Functions that cast texts to the type of a value, or to a type that a text names."""


def refuse_own(sql: str, tree: exp.Expr, catalog: Catalog) -> None:
    """Raise SQLRefusedError if `sql`, parsed as `tree`, could call user-defined code."""
    own = catalog.own
    if catalog.dialect == "duckdb" and (own.functions or own.operators):
        _refuse_macros(sql, own)
    elif own.functions or own.operators or own.types:
        words = split_lexemes(sql, catalog.dialect)
        _refuse_functions(words, own.functions)
        if catalog.dialect == "postgres":
            for name in find_attributes(words, tree, catalog, lambda name: name.lower() in own.functions):
                raise SQLRefusedError(FUNCTION.format(name=name.lower()))
            if symbols := own.operators.intersection(_find_symbols(words)):
                raise SQLRefusedError(OPERATOR.format(name=min(symbols)))
            _refuse_types(words, tree, own.types, TYPE)
            types = frozenset(name for name in own.types if name in own.volatile or not find_built_in(name))
            _refuse_checks(words, tree, catalog, types)


def refuse_volatile(words: Sequence[Lexeme], tree: exp.Expr, catalog: Catalog) -> None:
    """Raise SQLRefusedError for user-defined operators, types and tables of Postgres that may do more than read."""
    if any(overload.is_volatile for overload in catalog.own.overloads):
        operands = Operands(tree, catalog)
        if symbol := operands.find_volatile(_find_symbols(words)):
            raise SQLRefusedError(VOLATILE_OPERATOR.format(name=symbol))
        if name := operands.find_volatile_cast():
            raise SQLRefusedError(VOLATILE_TYPE.format(name=name))
    volatile = catalog.own.volatile
    if volatile:
        _refuse_types(words, tree, volatile, VOLATILE_TYPE)
        _refuse_checks(words, tree, catalog, volatile)
        makers = frozenset[str]().union(*(MAKERS.get(name, ()) for name in volatile))
        if name := next((word.value for word in words if word.kind != "string" and word.value in makers), ""):
            raise SQLRefusedError(VOLATILE_TYPE.format(name=name))
    _refuse_volatile_tables(tree, catalog)
    _refuse_volatile_columns(tree, catalog)


def _refuse_macros(sql: str, own: OwnNames) -> None:
    words = split_lexemes(sql, "duckdb")
    if words and words[0].value == "create":
        start = next((word.end for word in words if (word.kind, word.value) == ("word", "as")), 0)
        sql = sql[start:]
    called_names = read_called_names(sql)
    if called_names is None:
        raise SQLRefusedError("It cannot be told which functions this SQL calls, as the policy demands.")
    if names := sorted(called_names & (own.functions | own.operators)):
        raise SQLRefusedError(MACRO.format(name=names[0]))


def _refuse_functions(words: Sequence[Lexeme], functions: frozenset[str]) -> None:
    for at, (word, after) in enumerate(pairwise(words)):
        if word.kind in ("word", "name") and after.text == "(" and shorten_name(word.value).lower() in functions:
            before = [each.value for each in words[max(at - 3, 0) : at]]
            if before[-2:] != ["pg_catalog", "."] or before[0] == ".":
                raise SQLRefusedError(FUNCTION.format(name=shorten_name(word.value).lower()))


def _find_symbols(words: Sequence[Lexeme]) -> Iterator[str]:
    """Yield the symbols of all operators in a text, except those that name pg_catalog."""
    edge = Lexeme("sign", ",", 0, 0)
    for before, word, after in zip((edge, *words), words, (*words[1:], edge), strict=False):
        is_of_list = word.value == "distinct" and before.value not in IS
        is_of_order = word.value == "using" and after.text != "("
        if word.kind == "word" and not (is_of_list or is_of_order):
            yield from BEHIND.get(word.value, ())
    for at, end in find_operators(words):
        if not (_is_qualified(words, at) or _is_star(words, at, end) or _is_assignment(words, at, end)):
            symbol = "".join(sign.text for sign in words[at:end])
            yield "<>" if symbol == "!=" else symbol


def _is_qualified(words: Sequence[Lexeme], at: int) -> bool:
    """Whether the symbol stands in OPERATOR(pg_catalog.symbol)."""
    return [word.value for word in words[max(at - 4, 0) : at]] == ["operator", "(", "pg_catalog", "."]


def _is_star(words: Sequence[Lexeme], at: int, end: int) -> bool:
    """Whether a `*` stands for columns or rows, not between two values."""
    if end - at > 1 or words[at].text != "*":
        return False
    if at == 0 or end == len(words):
        return True
    before, after = words[at - 1], words[end]
    if before.kind in ("word", "sign") and before.value in BEFORE_STAR:
        return True
    return after.kind in ("word", "sign") and after.value in AFTER_STAR


def _is_assignment(words: Sequence[Lexeme], at: int, end: int) -> bool:
    """Whether this is the sign of a named argument, `=>` or `:=`."""
    text = "".join(word.text for word in words[at:end])
    is_after_colon = at > 0 and words[at - 1].text == ":" and words[at - 1].end == words[at].start
    return text == "=>" or (text == "=" and is_after_colon)


def _refuse_types(words: Sequence[Lexeme], tree: exp.Expr, types: frozenset[str], message: str) -> None:
    """Refuse casts to `types`, also in literals (`mood 'x'`), and functions that cast to any type."""
    own_types = {data_type for name in types if (data_type := find_built_in(name))}
    for node in tree.find_all(exp.DataType):
        name = read_last_part(node.sql("postgres"))
        if name in types or node.this in own_types:
            raise SQLRefusedError(message.format(name=name))
    brackets = Brackets(words)
    for at, (before, word) in enumerate(pairwise(words), 1):
        name = shorten_name(before.value).lower() if before.kind in ("word", "name") else ""
        if types and CASTING.fullmatch(name):
            raise SQLRefusedError(
                f"The function {name!r} is not allowed: it may cast to a type of this database's own."
            )
        if is_cast(words, at) or name == "returning" or (name == "as" and brackets.read_opener(at) == "xmlserialize"):
            name = _read_dotted(words, at)
        elif word.kind != "string":
            continue
        if name in types:
            raise SQLRefusedError(message.format(name=name))


def _refuse_checks(words: Sequence[Lexeme], tree: exp.Expr, catalog: Catalog, types: frozenset[str]) -> None:
    """Refuse texts without a type beside a column of one of `types`, if Postgres would give them its domain."""
    if types and (text := CheckedDomains(words, tree, catalog, types).find_text()):
        raise SQLRefusedError(CHECK.format(text=text.sql("postgres")[:80]))


def _refuse_volatile_tables(tree: exp.Expr, catalog: Catalog) -> None:
    """Refuse tables that run volatile user-defined functions if anything of them is read."""
    unreadable = {table.name.lower() for table in catalog.tables if table.runs_volatile}
    if not unreadable and SYSTEM not in catalog.own.volatile:
        return
    readable = {table.name.lower() for table in catalog.tables} | {
        cte.alias.lower() for cte in tree.find_all(exp.CTE)
    }
    for node in tree.find_all(exp.Table):
        name = node.name.lower()
        is_of_system = isinstance(node.this, exp.Identifier) and name not in readable
        if name in unreadable or (is_of_system and SYSTEM in catalog.own.volatile):
            raise SQLRefusedError(VOLATILE_TABLE.format(name=node.name))


def _refuse_volatile_columns(tree: exp.Expr, catalog: Catalog) -> None:
    """Refuse to compare, cast or pass on a column if its type then runs a volatile user-defined function.

    Such a column may be an output of the outermost query, without change.
    """
    columns = {
        table.name.lower(): {column.name.lower() for column in table.columns if column.runs_volatile}
        for table in catalog.tables
    }
    names = set[str]().union(*columns.values())
    if not names:
        return
    sources = [node for node in tree.find_all(exp.Table) if columns.get(node.name.lower())]
    names |= {node.alias_or_name.lower() for node in sources}  # of whole rows
    shown, places = set[int](), set[str]()
    for select in _list_plain_selects(tree):
        for place, output in enumerate(select.selects, 1):
            if isinstance(column := output.unalias(), exp.Column | exp.Star) and (
                output.is_star or column.name.lower() in names
            ):
                shown.update(map(id, column.walk()))
                names.add(output.alias_or_name.lower())
                places.add("*" if output.is_star else str(place))
    for node in tree.walk():
        match node:
            case exp.Identifier():
                is_used = node.name.lower() in names and id(node) not in shown and not _is_alias_or_qualifier(node)
            case exp.Star():
                is_used = bool(sources) and id(node) not in shown and not isinstance(node.parent, exp.Count)
            case exp.TableAlias() if node.columns and node.parent:
                is_used = any(table in sources for table in node.parent.find_all(exp.Table))
            case exp.Literal():
                is_used = isinstance(node.parent, exp.Ordered | exp.Group) and not places.isdisjoint({"*", node.name})
            case _:
                is_used = isinstance(node, exp.Join) and node.method == "NATURAL"
        if is_used:
            raise SQLRefusedError(VOLATILE_COLUMN)


def _list_plain_selects(tree: exp.Expr) -> Iterator[exp.Select]:
    """Yield the outermost queries, also those in UNION ALL, that neither compare nor count their rows."""
    waiting = [tree]
    while waiting:
        match waiting.pop():
            case exp.Union() as node if node.args.get("distinct") is False:
                waiting += [node.this, node.expression]
            case exp.Subquery() as node:
                waiting.append(node.this)
            case exp.Select() as node if not node.args.get("distinct"):
                yield node


def _is_alias_or_qualifier(name: exp.Identifier) -> bool:
    parent = name.parent
    return isinstance(parent, exp.Alias | exp.Table | exp.TableAlias) or (
        isinstance(parent, exp.Column) and name is not parent.this
    )


def _read_dotted(words: Sequence[Lexeme], at: int) -> str:
    """Return the last part of the dotted name that begins at `at`, shortened and in lower case."""
    while at + 2 < len(words) and words[at + 1].text == ".":
        at += 2
    return shorten_name(words[at].value).lower()
