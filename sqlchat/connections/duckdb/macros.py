"""Finds the built-in functions and operators that macros of a DuckDB database replace."""

from __future__ import annotations

import re

from sqlchat.connections.duckdb.instance import SYSTEM
from sqlchat.connections.embedded import Query
from sqlchat.sql.catalog import OwnNames
from sqlchat.sql.guards.duckdb import RULES

MACROS = f"SELECT function_name FROM {SYSTEM}.duckdb_functions() WHERE NOT internal"  # noqa: S608
BUILT_IN = f"SELECT function_name, macro_definition FROM {SYSTEM}.duckdb_functions() WHERE internal"  # noqa: S608
WORD = re.compile(r"\w+")


def read_own(query: Query) -> OwnNames:
    """Return macros named like a built-in function or operator, and built-in macros that call one of them.

    DuckDB looks up the function of an operator, or of a built-in macro, when it is called.
    """
    macros = {name.lower() for (name,) in query(MACROS)}
    if not macros:
        return OwnNames()
    built_in = [(name.lower(), definition or "") for name, definition in query(BUILT_IN)]
    own = macros & ({name for name, _ in built_in} | RULES.functions | RULES.grammar)
    while calling := {name for name, definition in built_in if name not in own and _calls_any(definition, own)}:
        own |= calling
    words = frozenset(filter(WORD.fullmatch, own))
    return OwnNames(functions=words, operators=frozenset(own) - words)


def _calls_any(definition: str, names: set[str]) -> bool:
    if not names.isdisjoint(WORD.findall(definition.lower())):
        return True
    return any(name in definition for name in names if not WORD.fullmatch(name))
