"""What a database holds, as compact text for a prompt. All of it is data: nothing in it can end its block.

Used by `context` (to know how much room a table takes) and by `prompt`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlchat.chat.dialect_notes import DialectNotes
from sqlchat.sql.catalog import Catalog, Column, ForeignKey, Table

Values = Mapping[tuple[str, str, str], tuple[str, ...]]

BLOCKS = ("catalog", "notes", "values", "terms", "examples", "conversation", "question", "fault")
TAG = re.compile(rf"<(?=\s*/?\s*(?:{'|'.join(BLOCKS)})\b)", re.IGNORECASE)
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
CHARACTERS_A_TOKEN = 3.0
"""Names and types come to 3-4 characters a token with both vendors' tokenizers; the lower end keeps the budget."""
LONGEST_COMMENT, LONGEST_VALUE = 200, 40
MOST_VALUES, LONGEST_LIST, SHOWN_VALUES = 12, 250, 6
"""All of a column's values are shown where they are so few or take so few characters, else the commonest ones."""


def block(name: str, content: str) -> str:
    """`content` between the delimiters of its block, which its lines cannot close: each went through `as_data`."""
    return f"<{name}>\n{content}\n</{name}>"


def as_data(text: str, length: int = 10_000, *, lines: bool = False) -> str:
    """A stranger's text on one line (or with its line breaks), cut, and unable to open or close a block."""
    if lines:
        text = "\n".join(UNPRINTABLE.sub(" ", line) for line in text.splitlines())
    else:
        text = UNPRINTABLE.sub(" ", text)
    text = TAG.sub("‹", text.strip())
    return text if len(text) <= length else text[: length - 1] + "…"


def tokens_in(text: str) -> int:
    """An upper estimate."""
    return int(len(text) / CHARACTERS_A_TOKEN) + 1


def render_catalog(catalog: Catalog, notes: DialectNotes, values: Values) -> str:
    return "\n".join(render_table(table, catalog, notes, values) for table in catalog.tables)


def render_table(table: Table, catalog: Catalog, notes: DialectNotes, values: Values) -> str:
    """A table in a line, and each of its columns in one below it."""
    about = [as_data(table.comment, LONGEST_COMMENT)]
    if table.row_estimate is not None and table.row_estimate >= 0:
        about.append(f"about {table.row_estimate} rows")
    lines = [f"{table.kind.upper()} {_table_name(table.name, table.schema, catalog, notes)}{_remark(about)}"]
    lines += [render_column(column, table, catalog, notes, values) for column in table.columns]
    if len(table.primary_key) > 1:
        lines.append(f"  primary key {_names(table.primary_key, notes)}")
    for key in table.foreign_keys:
        if len(key.columns) > 1:
            target = _table_name(key.ref_table, key.ref_schema, catalog, notes)
            lines.append(f"  {_names(key.columns, notes)} -> {target} {_names(key.ref_columns, notes)}{_how(key)}")
    return "\n".join(lines)


def render_column(column: Column, table: Table, catalog: Catalog, notes: DialectNotes, values: Values) -> str:
    line = f"  {_name(column.name, notes)} {as_data(column.type, 60)}"
    if table.primary_key == (column.name,):
        line += " primary key"
    for key in table.foreign_keys:
        if key.columns == (column.name,):
            line += f" -> {_table_name(key.ref_table, key.ref_schema, catalog, notes)}"
            line += "".join(f".{_name(ref, notes)}" for ref in key.ref_columns) + _how(key)
    known = examples(values.get((table.schema, table.name, column.name), ()))
    return line + _remark([as_data(column.comment, LONGEST_COMMENT), known])


def _how(key: ForeignKey) -> str:
    """A reference that the database does not hold is only likely."""
    return " (inferred)" if key.inferred else ""


def examples(values: tuple[str, ...]) -> str:
    """All the values of a column where they are short together, else some; "" where none is short."""
    if not values:
        return ""
    short = [value for value in values if len(value) <= LONGEST_VALUE]
    if len(values) <= MOST_VALUES or sum(len(value) + 4 for value in values) <= LONGEST_LIST:
        return "values " + ", ".join(map(literal, short)) if short else ""
    return "for example " + ", ".join(map(literal, short[:SHOWN_VALUES])) if short else ""


def literal(value: str) -> str:
    """`value` as a text literal that is safe to show."""
    return "'" + as_data(value).replace("'", "''") + "'"


def column_path(path: tuple[str, str, str], catalog: Catalog, notes: DialectNotes) -> str:
    """(schema, table, column) as it is written in a statement."""
    schema, table, column = path
    return f"{_table_name(table, schema, catalog, notes)}.{_name(column, notes)}"


def _remark(parts: list[str]) -> str:
    text = "; ".join(part for part in parts if part)
    return f" -- {text}" if text else ""


def _table_name(name: str, schema: str, catalog: Catalog, notes: DialectNotes) -> str:
    if not schema or schema == catalog.default_schema:
        return _name(name, notes)
    return f"{_name(schema, notes)}.{_name(name, notes)}"


def _name(name: str, notes: DialectNotes) -> str:
    return as_data(notes.quoted(name))


def _names(names: tuple[str, ...], notes: DialectNotes) -> str:
    return f"({', '.join(_name(name, notes) for name in names)})"
