"""Reads virtual tables and generated columns from the text of CREATE statements, which SQLite stores unchanged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlchat.connections.sqlite.comments import PIECE
from sqlchat.sql.catalog import Origin

NAME = r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\w+"""
MODULE = re.compile(rf"CREATE\s+VIRTUAL\s+TABLE\s+(?:{NAME})\s+USING\s+(\w+)\s*(?=[(;]|\Z)", re.IGNORECASE)
OPTION = re.compile(r"(\w+)\s*=\s*(.*)", re.DOTALL)
ROW_IDS = frozenset({"rowid", "oid", "_rowid_"})
MODULES_WITH_DATA = frozenset({"rtree", "rtree_i32", "geopoly"})
INDEXES = frozenset({"fts3", "fts4", "fts5"})
VOCABULARIES = frozenset({"fts5vocab", "fts4aux"})
UNKNOWN = Origin()


@dataclass(frozen=True, slots=True)
class Holdings:
    """The tables of a database. All names but those of columns are in lower case."""

    tables: frozenset[str]
    """Includes the tables in which virtual tables keep their data."""
    columns: Mapping[str, Sequence[str]]
    """Names of columns by table or view."""
    primary_keys: Mapping[str, Sequence[str]]


def split_definitions(sql: str) -> list[str]:
    """Split the first parentheses of a CREATE statement at their commas, without comments."""
    items, depth = [""], 0
    for match in PIECE.finditer(sql):
        piece = match.group()
        depth -= piece == ")"
        if depth == 1 and piece == ",":
            items.append("")
        elif depth >= 1:
            items[-1] += " " if piece.startswith(("--", "/*")) else piece
        elif piece == ")":
            break
        depth += piece == "("
    return [item.strip() for item in items]


def read_expressions(sql: str, generated: Sequence[str]) -> dict[str, str]:
    """Return the definitions of `generated` columns by name, from a CREATE TABLE; all of `sql` for an unknown one.

    Example: `{"total": "total GENERATED ALWAYS AS (price * amount)"}`.
    """
    if not generated:
        return {}
    items = {_unquote(match[0]).lower(): item for item in split_definitions(sql) if (match := re.match(NAME, item))}
    return {name: items.get(name.lower(), sql) for name in generated}


def read_origin(sql: str, name: str, holdings: Holdings) -> Origin | None:
    """Return the origin of the values of the virtual table `name`, from its CREATE `sql`; None if it stores them.

    Returns UNKNOWN for an unknown module.
    """
    match = MODULE.match(sql)
    module = match[1].lower() if match else ""
    arguments = split_definitions(sql)
    if module in MODULES_WITH_DATA:
        return None
    if module in VOCABULARIES:
        table = _unquote(arguments[0])
        return Origin(table, tuple(holdings.columns.get(table.lower(), ())))
    if module not in INDEXES:
        return UNKNOWN
    options = {} if module == "fts3" else _read_options(arguments)
    content = _find_option(options, module, "content")
    if content is None:
        return None if f"{name}_content".lower() in holdings.tables else UNKNOWN
    rowid = _find_option(options, module, "content_rowid") or "rowid"
    key = holdings.primary_keys.get(content.lower(), ()) if rowid.lower() in ROW_IDS else (rowid,)
    language = filter(None, [options.get("languageid")])
    return Origin(content, (*holdings.columns.get(name.lower(), ()), *key, *language))


def _read_options(arguments: Sequence[str]) -> dict[str, str]:
    return {match[1].lower(): _unquote(match[2]) for item in arguments if (match := OPTION.fullmatch(item))}


def _find_option(options: Mapping[str, str], module: str, name: str) -> str | None:
    """Return an option's value. FTS5 accepts the first letters of an option's name."""
    if module != "fts5":
        return options.get(name)
    shortest = len("content_") if name == "content_rowid" else 1
    return next((value for key, value in options.items() if name.startswith(key) and len(key) >= shortest), None)


def _unquote(name: str) -> str:
    if name[:1] not in ("'", '"', "`", "["):
        return name
    closing = name[-1]
    return name[1:-1].replace(closing * 2, closing)
