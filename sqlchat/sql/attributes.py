"""Judges names after a dot, which may be calls in Postgres.

`alias.name` and `(value).name` call `name(value)` if no column or attribute has that name. So such a name passes only
if it is one of these:

- a function that SQL may call,
- a name that some attribute has (`Catalog.attributes`) and no other function of one argument (`Catalog.callables`),
- a column of the source that its alias means: of a table in the catalog, or an output of a subquery or CTE,
- part of the name of a table, a type or a collation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.catalog import Catalog, shorten_name
from sqlchat.sql.guards.rules import Rules
from sqlchat.sql.lexer import Lexeme, fold_word, is_cast
from sqlchat.sql.statements import StatementResolver

DEFAULT_NAMES = re.compile(r"f\d{1,4}|column\d{1,4}|\?column\?")
"""Names that Postgres gives to fields and outputs without one."""


def check_attributes(
    words: Sequence[Lexeme],
    tree: exp.Expr,
    rules: Rules,
    may_call: Callable[[str], bool],
    catalog: Catalog | None,
) -> None:
    """Raise SQLRefusedError for a name after a dot that may call a function that is not allowed.

    `may_call` tells whether SQL may call the function of a name. `catalog` and the query itself define the columns.
    The error has `unknown_names` if the name is neither a known column nor a function.
    """
    attributes = catalog.attributes if catalog is not None else None
    callables = catalog.callables if catalog is not None else frozenset()

    def is_doubtful(name: str) -> bool:
        return not may_call(name) and (attributes is None or name in callables or name not in attributes)

    aliases = _read_aliases(tree) if attributes is not None else frozenset()
    for name in find_attributes(words, tree, catalog, is_doubtful):
        if attributes is not None and name not in callables:
            if name in aliases or name in rules.grammar | rules.keywords or DEFAULT_NAMES.fullmatch(name):
                continue
            raise SQLRefusedError(
                f"There is no column {name[:80]!r} here that is known, and a function of that name is not allowed.",
                unknown_names=[name[:80]],
            )
        raise SQLRefusedError(
            f"The function {name[:80]!r} is not allowed: it is not among those known to do nothing but read, and a "
            "name after a dot calls one unless it is certainly a column."
        )


def find_attributes(
    words: Sequence[Lexeme], tree: exp.Expr, catalog: Catalog | None, is_doubtful: Callable[[str], bool]
) -> Iterator[str]:
    """Return the doubtful names after a dot, as Postgres stores them, except certain columns, tables and types."""
    names = ((words[at].start, shorten_name(words[at].value)) for at in _find_names_after_dots(words))
    doubtful = [(start, name) for start, name in names if is_doubtful(name)]
    certain = _find_name_offsets(tree) | _find_certain_columns(tree, catalog) if doubtful else set()
    return (name for start, name in doubtful if start not in certain)


def _find_names_after_dots(words: Sequence[Lexeme]) -> Iterator[int]:
    """Yield the indexes of the names after dots that may be a column or a call.

    Left out are qualifiers (`schema.table.` before the last name of a chain that begins with a name), calls with
    `(`, and names after `::` or COLLATE.
    """
    names = ("word", "name")
    in_chain = typed = False
    """Whether the current chain of dots began with a name, and whether it names a type or collation."""
    for at, word in enumerate(words):
        if word.kind not in names:
            continue
        after = words[at + 1].text if at + 1 < len(words) and words[at + 1].kind == "sign" else ""
        if not at or words[at - 1].text != ".":
            in_chain, typed = True, _begins_type(words, at)
            continue
        if words[at - 2].kind not in names:
            in_chain = typed = False
        if after != "(" and not typed and not (in_chain and after == "."):
            yield at


def _begins_type(words: Sequence[Lexeme], at: int) -> bool:
    return is_cast(words, at) or (at > 0 and (words[at - 1].kind, words[at - 1].value) == ("word", "collate"))


def _find_name_offsets(tree: exp.Expr) -> set[int]:
    """Return the offsets of all words in names of tables and types."""
    offsets: set[int] = set()
    for node in tree.find_all(exp.Table, exp.DataType):
        parts = node.parts if isinstance(node, exp.Table) else list(node.find_all(exp.Identifier))
        offsets.update(
            part.meta["start"] for part in parts if isinstance(part, exp.Identifier) and "start" in part.meta
        )
    return offsets


def _find_certain_columns(tree: exp.Expr, catalog: Catalog | None) -> set[int]:
    """Return the offset of the last word of each `alias.column` that is certainly a column."""
    resolver = StatementResolver("postgres", catalog)
    resolver.resolve_statement(tree)
    return resolver.findings.certain


def _read_aliases(tree: exp.Expr) -> frozenset[str]:
    """Return the aliases of outputs and columns in the query, as Postgres stores them."""
    aliases = set()
    for node in tree.find_all(exp.Alias, exp.TableAlias, exp.Aliases):
        named = [*(node.args.get("columns") or ()), *(node.args.get("expressions") or ()), node.args.get("alias")]
        for each in named:
            name = each.this if isinstance(each, exp.ColumnDef) else each
            if isinstance(name, exp.Identifier):
                aliases.add(_fold_identifier(name))
    for node in tree.find_all(exp.ColumnDef, exp.JSONColumnDef, exp.Unnest):
        name = node.args.get("offset") if isinstance(node, exp.Unnest) else node.this
        if isinstance(name, exp.Identifier):
            aliases.add(_fold_identifier(name))
    return frozenset(aliases)


def _fold_identifier(name: exp.Identifier) -> str:
    return shorten_name(name.name if name.args.get("quoted") else fold_word(name.name))
