"""Finds the names and texts that a gold SQL needs and a prompt lacks (context recall)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlchat.chat.rendering import as_data
from sqlchat.evaluation.gold import Gold
from sqlchat.providers.base import Message
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.conditions import TextCondition

WILDCARDS = re.compile(r"[%_*?]+")


@dataclass(frozen=True, slots=True)
class Missing:
    """Names and texts that the gold SQL needs and the prompt lacks."""

    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """`table.column`"""
    literals: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns or self.literals)


def find_missing(gold: Gold, shown: Catalog, messages: Sequence[Message]) -> Missing:
    """Return the needs of `gold` that a prompt lacks: `shown` is its catalog, `messages` are its texts."""
    tables = {(table.schema, table.name): table for table in shown.tables}
    text = "\n".join(message.content for message in messages)
    return Missing(
        tuple(name for schema, name in gold.tables if (schema, name) not in tables),
        tuple(
            f"{name}.{column}"
            for schema, name, column in gold.columns
            if (table := tables.get((schema, name))) is None or table.column(column) is None
        ),
        tuple(literal.text for literal in gold.literals if not _is_present(literal, text)),
    )


def _is_present(literal: TextCondition, text: str) -> bool:
    """Does `text` hold the literal as whole words, or all parts between the wildcards of a pattern?"""
    flags = re.IGNORECASE if literal.any_case else 0
    if literal.pattern:
        parts = WILDCARDS.split(literal.text)
        return all(re.search(re.escape(as_data(part)), text, flags) for part in parts)
    spelled = as_data(literal.text)
    spellings = "|".join(re.escape(form) for form in {spelled, spelled.replace("'", "''")})
    return re.search(rf"(?<!\w)(?:{spellings})(?!\w)", text, flags) is not None
