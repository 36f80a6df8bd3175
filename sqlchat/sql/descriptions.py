"""Adds an owner's descriptions of tables and columns to a catalog, as comments."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from sqlchat.sql.catalog import Catalog, Table

Description = tuple[str, str, str, str]
"""Schema, table, column ("" for the table itself) and text."""


def add_descriptions(catalog: Catalog, descriptions: Iterable[Description]) -> Catalog:
    """Return `catalog` with each text after the comment of its table or column; other texts are left out."""
    texts: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for schema, table, column, text in descriptions:
        texts[schema, table][column] = text
    described = [table for table in catalog.tables if (table.schema, table.name) in texts]
    if not described:
        return catalog
    tables = tuple(_describe(table, texts.get((table.schema, table.name), {})) for table in catalog.tables)
    added = repr([(table.schema, table.name, texts[table.schema, table.name]) for table in described])
    version = hashlib.blake2b(f"{catalog.version}{added}".encode(), digest_size=8).hexdigest()
    return replace(catalog, tables=tables, version=version if catalog.version else "")


def _describe(table: Table, texts: dict[str, str]) -> Table:
    if not texts:
        return table
    columns = tuple(
        replace(column, comment=_append(column.comment, texts.get(column.name, ""))) for column in table.columns
    )
    return replace(table, comment=_append(table.comment, texts.get("", "")), columns=columns)


def _append(comment: str, text: str) -> str:
    if not text or text in comment:
        return comment
    return f"{comment}; {text}" if comment else text
