"""Checks against pg_proc the own functions that a connection's owner lets SQL call.

A function is allowed if each of its variants is declared immutable, runs with the caller's
rights and is written in a trusted language, from which no file or other server can be reached. Postgres does not
prove that a function is immutable: to name it is the owner's word for that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sqlchat.errors import ConnectionConfigError

FIELDS = ("allow_functions",)
MOST = 100
SYSTEM = "pg_catalog"
NAME = re.compile(r"(?:(?P<schema>[^\s.\"()]{1,63})\.)?(?P<name>[^\s.\"()]{1,63})")
VOLATILITY = {"i": "immutable", "s": "stable", "v": "volatile"}

FUNCTIONS = """
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(n.nspname, p.proname, l.lanname,
    l.lanpltrusted OR l.lanname = 'sql', p.provolatile, p.prosecdef, p.prokind,
    pg_catalog.pg_function_is_visible(p.oid))
    ORDER BY n.nspname, p.proname), '[]')
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.proname = ANY (%s::pg_catalog.text[])
"""


@dataclass(frozen=True, slots=True)
class Variant:
    """A function by its name and arguments: of one name there may be several."""

    schema: str
    name: str
    language: str
    is_trusted: bool
    volatility: str
    is_definer: bool
    kind: str
    """pg_proc.prokind: `f` is a plain function."""
    is_visible: bool

    def find_fault(self) -> str:
        """Return why it may not be called; "" if it may."""
        if self.kind != "f":
            return "is no plain function"
        if self.volatility != "i":
            return f"is {VOLATILITY[self.volatility]} in {self.language}, and only immutable functions may be allowed"
        if self.is_definer:
            return "runs with the rights of its owner (SECURITY DEFINER)"
        return "" if self.is_trusted else f"is written in {self.language}, which reaches out of the database"


def read_names(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The field `allow_functions`: names, each with its schema or without. Raises ConnectionConfigError."""
    given = config.get("allow_functions")
    names = [] if given is None else given
    is_list = isinstance(names, list) and all(isinstance(name, str) and NAME.fullmatch(name) for name in names)
    if not is_list or len(names) > MOST:
        raise ConnectionConfigError(
            f"allow_functions: must be a list of at most {MOST} names of functions, such as f or app.f."
        )
    return tuple(names)


def strip_schemas(names: Sequence[str]) -> list[str]:
    """The names without schemas, for FUNCTIONS."""
    return sorted({name.rpartition(".")[2] for name in names})


def describe_functions(functions_json: str, names: Sequence[str]) -> list[str]:
    """Describe each allowed function by its language and volatility.

    Raises ConnectionConfigError for a name that stands for no function, or for one that may not be called.
    """
    warnings = []
    for name, variants in _group_by_name(functions_json, names).items():
        if not variants:
            raise ConnectionConfigError(f"allow_functions: there is no function {name!r} of your own.")
        if fault := next(filter(None, (each.find_fault() for each in variants)), ""):
            raise ConnectionConfigError(f"allow_functions: {name!r} {fault}; a view may call it instead.")
        languages = " and ".join(sorted({each.language for each in variants}))
        warnings.append(
            f"SQL may call {name}(), which is declared immutable in {languages}; Postgres does not prove that."
        )
    return warnings


def list_allowed(functions_json: str, names: Sequence[str]) -> frozenset[str]:
    """The names, in lower case, by which SQL may call the functions that still may be called.

    That is `schema.name`, and the bare name unless it may also mean a function that is not allowed.
    """
    every = [Variant(*row) for row in orjson.loads(functions_json)]
    variants = [
        found
        for found in _group_by_name(functions_json, names).values()
        if not any(each.find_fault() for each in found)
    ]
    may_be = {each for found in variants for each in found}
    spoilt = {each.name.lower() for each in every if each.is_visible and each not in may_be}
    qualified = {f"{each.schema}.{each.name}".lower() for each in may_be}
    return frozenset(qualified | {each.name.lower() for each in may_be if each.is_visible} - spoilt)


def _group_by_name(functions_json: str, names: Sequence[str]) -> dict[str, list[Variant]]:
    """The variants of each given name: of a bare one those of all schemas, since the search path may find any."""
    variants = [variant for row in orjson.loads(functions_json) if (variant := Variant(*row)).schema != SYSTEM]
    return {
        name: [each for each in variants if name in (each.name, f"{each.schema}.{each.name}")]
        for name in dict.fromkeys(names)
    }
