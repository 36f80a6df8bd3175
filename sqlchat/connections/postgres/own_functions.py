"""Checks functions that the owner of a connection lets SQL call.

A function is allowed if each of its variants is declared immutable, runs with the caller's rights and is written in a
trusted language, which reaches no file or other server. Postgres does not prove that a function is immutable: the
owner vouches for it by naming it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from sqlchat.connections.postgres.qualification import qualify
from sqlchat.errors import ConnectionConfigError

FIELDS = ("allow_functions",)
MOST = 100
SYSTEM = "pg_catalog"
NAME = re.compile(r"(?:(?P<schema>[^\s.\"()]{1,63})\.)?(?P<name>[^\s.\"()]{1,63})")

FUNCTIONS = qualify("""
SELECT coalesce(json_agg(json_build_array(n.nspname, p.proname, l.lanname, pg_function_is_visible(p.oid), CASE
    WHEN p.prokind <> 'f' THEN 'is no plain function'
    WHEN p.provolatile <> 'i' THEN concat('is ', CASE p.provolatile WHEN 's' THEN 'stable' ELSE 'volatile' END,
        ' in ', l.lanname, ', and only immutable functions may be allowed')
    WHEN p.prosecdef THEN 'runs with the rights of its owner (SECURITY DEFINER)'
    WHEN NOT (l.lanpltrusted OR l.lanname = 'sql')
        THEN concat('is written in ', l.lanname, ', which reaches out of the database') ELSE '' END)
    ORDER BY n.nspname, p.proname), '[]')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.proname = ANY (%s::text[])
""")


class Variant(NamedTuple):
    """One of the functions that share a name and differ in their arguments."""

    schema: str
    name: str
    language: str
    is_visible: bool
    fault: str
    """Why it may not be called; empty if it may."""


def read_names(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the field `allow_functions`: names with or without a schema. Raises ConnectionConfigError."""
    names = config.get("allow_functions")
    if names is None:
        return ()
    is_list = isinstance(names, list) and all(isinstance(name, str) and NAME.fullmatch(name) for name in names)
    if not is_list or len(names) > MOST:
        raise ConnectionConfigError(
            f"allow_functions: must be a list of at most {MOST} names of functions, such as f or app.f."
        )
    return tuple(names)


def strip_schemas(names: Sequence[str]) -> list[str]:
    """Return the names without schemas, for FUNCTIONS."""
    return sorted({name.rpartition(".")[2] for name in names})


def describe_functions(functions_json: str, names: Sequence[str]) -> list[str]:
    """Describe each allowed function by its language and volatility.

    Raises ConnectionConfigError for a name that stands for no function, or for one that may not be called.
    """
    warnings = []
    for name, variants in _group_by_name(functions_json, names).items():
        if not variants:
            raise ConnectionConfigError(f"allow_functions: there is no function {name!r} of your own.")
        if fault := next(filter(None, (variant.fault for variant in variants)), ""):
            raise ConnectionConfigError(f"allow_functions: {name!r} {fault}; a view may call it instead.")
        languages = " and ".join(sorted({variant.language for variant in variants}))
        warnings.append(
            f"SQL may call {name}(), which is declared immutable in {languages}; Postgres does not prove that."
        )
    return warnings


def list_allowed(functions_json: str, names: Sequence[str]) -> frozenset[str]:
    """Return the names, in lower case, by which SQL may call the allowed functions.

    These are `schema.name`, and the bare name unless it may also mean a function that is not allowed.
    """
    allowed: set[Variant] = set()
    for variants in _group_by_name(functions_json, names).values():
        if not any(variant.fault for variant in variants):
            allowed.update(variants)
    visible = [variant for row in orjson.loads(functions_json) if (variant := Variant(*row)).is_visible]
    ambiguous = {variant.name.lower() for variant in visible if variant not in allowed}
    qualified = {f"{variant.schema}.{variant.name}".lower() for variant in allowed}
    return frozenset(qualified | {variant.name.lower() for variant in allowed if variant.is_visible} - ambiguous)


def _group_by_name(functions_json: str, names: Sequence[str]) -> dict[str, list[Variant]]:
    """Return the variants of each name; of all schemas for a bare name, since the search path may find any."""
    variants = [variant for row in orjson.loads(functions_json) if (variant := Variant(*row)).schema != SYSTEM]
    return {
        name: [variant for variant in variants if name in (variant.name, f"{variant.schema}.{variant.name}")]
        for name in dict.fromkeys(names)
    }
