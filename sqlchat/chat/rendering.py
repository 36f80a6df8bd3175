"""Renders a catalog and its values as compact text for a prompt. It is data: nothing in it can end its block."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from sqlchat.chat.dialect_notes import DialectNotes
from sqlchat.sql.catalog import LABELLED, Catalog, Column, ForeignKey, Table
from sqlchat.sql.profiles import ColumnProfile, Path

Remarks = Mapping[Path, str]
"""Descriptions of columns' values, by (schema, table, column)."""

BLOCKS = ("catalog", "rows", "notes", "values", "terms", "examples", "conversation", "question", "fault")
UNSEEN = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0"
)
"""Invisible letters. They stay, since some matter in names and values, but a tag with them in it counts as a tag."""
NAMES = "|".join(f"[{UNSEEN}]*".join(name) for name in BLOCKS)
TAG = re.compile(rf"<(?=[\s/\\{UNSEEN}]*(?:{NAMES})\b)", re.IGNORECASE)
UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e0fff]+"
)
"""Includes the tag characters, which spell ASCII for a model and are invisible to people."""
CHARACTERS_A_TOKEN = 3.0
"""Names and types come to 3-4 characters a token with both vendors' tokenizers; the lower end keeps the budget."""
LONGEST_COMMENT, BRIEF_COMMENT, LONGEST_VALUE = 200, 60, 40
MOST_VALUES, LONGEST_LIST, SHOWN_VALUES = 12, 250, 6
"""Limits up to which all of a column's values are shown, in values and characters; else the most frequent ones."""
MOST_LABELS = 50
SHOWN_OF_MANY = 3
"""Examples of a column with too many values to list, or with another value in each row."""
LONGEST_FRACTION = 10
SHORT_TYPES = {
    "character varying": "varchar",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}
"""For Postgres' long names of types, the short ones that it knows too."""
LONG_TYPE = re.compile("|".join(SHORT_TYPES))


def wrap_block(name: str, content: str) -> str:
    """Return `content` between the tags of its block, which it cannot close: its parts went through `as_data`."""
    return f"<{name}>\n{content}\n</{name}>"


def as_data(text: str, length: int = 10_000, *, lines: bool = False) -> str:
    """Return an untrusted text on one line (or with its line breaks), cut, and unable to open or close a block."""
    if text.isprintable() and "<" not in text:
        text = text.strip()  # most names and types, of which there may be many
        return text if len(text) <= length else text[: length - 1] + "…"
    if lines:
        text = "\n".join(UNPRINTABLE.sub(" ", line) for line in text.splitlines())
    else:
        text = UNPRINTABLE.sub(" ", text)
    text = TAG.sub("‹", text.strip())
    return text if len(text) <= length else text[: length - 1] + "…"


def estimate_tokens(text: str) -> int:
    """Return an upper estimate."""
    return int(len(text) / CHARACTERS_A_TOKEN) + 1


def render_catalog(
    catalog: Catalog, notes: DialectNotes, remarks: Remarks, brief: AbstractSet[tuple[str, str]] = frozenset()
) -> str:
    """Render all tables, those in `brief` (schema and name) in one line each."""
    return "\n".join(
        render_brief_table(table, catalog, notes)
        if (table.schema, table.name) in brief
        else render_table(table, catalog, notes, remarks)
        for table in catalog.tables
    )


def render_brief_table(table: Table, catalog: Catalog, notes: DialectNotes) -> str:
    """Render a table in one line, without types: `orders(id,customer_id->customers,total) -- comment`."""
    targets = {key.columns[0]: key for key in table.foreign_keys if len(key.columns) == 1}
    columns = [render_brief_column(column, targets.get(column.name), catalog, notes) for column in table.columns]
    name = _render_table_name(table.name, table.schema, catalog, notes)
    comment = _render_remark([as_data(table.comment, BRIEF_COMMENT)])
    return f"{'' if table.kind == 'table' else f'{table.kind.upper()} '}{name}({','.join(columns)}){comment}"


def render_brief_column(column: Column, key: ForeignKey | None, catalog: Catalog, notes: DialectNotes) -> str:
    """Render a column as its name and the table that it refers to by `key`."""
    target = f"->{_render_table_name(key.ref_table, key.ref_schema, catalog, notes)}" if key else ""
    return _render_name(column.name, notes) + target


def render_table(table: Table, catalog: Catalog, notes: DialectNotes, remarks: Remarks) -> str:
    """Render a table in a line, and each of its columns in one below it."""
    about = [as_data(table.comment, LONGEST_COMMENT)]
    if table.row_estimate is not None and table.row_estimate >= 0:
        about.append(f"about {table.row_estimate} rows")
    lines = [
        f"{table.kind.upper()} {_render_table_name(table.name, table.schema, catalog, notes)}{_render_remark(about)}"
    ]
    lines += [render_column(column, table, catalog, notes, remarks) for column in table.columns]
    if len(table.primary_key) > 1:
        lines.append(f"  primary key {_render_names(table.primary_key, notes)}")
    for key in table.foreign_keys:
        if len(key.columns) > 1:
            target = _render_table_name(key.ref_table, key.ref_schema, catalog, notes)
            columns, refs = _render_names(key.columns, notes), _render_names(key.ref_columns, notes)
            lines.append(f"  {columns} -> {target} {refs}{_render_source(key)}")
    return "\n".join(lines)


def render_column(column: Column, table: Table, catalog: Catalog, notes: DialectNotes, remarks: Remarks) -> str:
    line = (
        f"  {_render_name(column.name, notes)} {as_data(_shorten_type(column.type), 60)}{_render_base_type(column)}"
    )
    if table.primary_key == (column.name,):
        line += " primary key"
    for key in table.foreign_keys:
        if key.columns == (column.name,):
            line += f" -> {_render_table_name(key.ref_table, key.ref_schema, catalog, notes)}"
            line += "".join(f".{_render_name(ref, notes)}" for ref in key.ref_columns) + _render_source(key)
    known = remarks.get((table.schema, table.name, column.name), "") or _render_labels(column)
    return line + _render_remark([as_data(column.comment, LONGEST_COMMENT), known])


def _render_base_type(column: Column) -> str:
    return f" ({as_data(_shorten_type(column.base_type), 60)})" if column.base_type else ""


def _render_labels(column: Column) -> str:
    """Render the labels of an enum. They belong to the type, so they are shown even if no data may be."""
    if not column.labels or LABELLED.match(column.type):
        return ""
    rest = ", …" if column.labels[MOST_LABELS:] else ""
    return f"values {', '.join(map(quote_literal, column.labels[:MOST_LABELS]))}{rest}"


def _shorten_type(name: str) -> str:
    return LONG_TYPE.sub(lambda found: SHORT_TYPES[found[0]], name)


def _render_source(key: ForeignKey) -> str:
    """Render the source of a foreign key that the database does not declare, and whether values repeat."""
    source = " (said by the owner)" if key.by_owner else " (inferred)" if key.inferred else ""
    return f"{source} (several rows may match)" if key.repeats else source


def describe_values(profile: ColumnProfile) -> str:
    """List the texts of a column with few: all if they are short together, else some; "" if a range says more."""
    short = _list_short_values(profile)
    if profile.kind != "text" or not profile.few or not short or profile.least:
        return ""
    listed = sum(len(value) + 4 for value in profile.values) <= LONGEST_LIST and not _is_of_one_row_each(profile)
    if len(profile.values) <= MOST_VALUES or listed:
        return f"values {', '.join(map(quote_literal, short))}{'' if profile.complete else ', …'}"
    return _describe_some(profile, SHOWN_OF_MANY if profile.unique or profile.strays else SHOWN_VALUES)


def describe_facts(profile: ColumnProfile, *, key: bool) -> str:
    """Describe examples of many texts, uniqueness, range and share of NULL, without the numbers of keys."""
    facts = [_describe_examples(profile)]
    if profile.unique and profile.kind == "text" and not key and (profile.distinct or 0) > MOST_VALUES:
        facts.append("unique")
    if profile.kind == "number":
        facts += [] if key else [_describe_numbers(profile)]
        strays = [quote_literal(value) for value in _list_short_values(profile) if not _is_numeric(value)]
        facts += [f"also {', '.join(strays)}"] if strays else []
    elif profile.least != profile.most:
        facts.append(f"{_render_about(profile)}{quote_literal(profile.least)}..{quote_literal(profile.most)}")
    if profile.null_share >= 1:
        facts.append("always null")
    elif profile.null_share > 0:
        facts.append(f"{max(1, round(100 * profile.null_share))} % null")
    return join_remarks(*facts)


def _describe_examples(profile: ColumnProfile) -> str:
    """List some values of a column with many, to show their spelling."""
    if profile.kind not in ("text", "time") or profile.least or describe_values(profile):
        return ""
    return _describe_some(profile, SHOWN_OF_MANY)


def _describe_some(profile: ColumnProfile, most: int) -> str:
    """List some texts, and in a column of numbers the texts that are none: a cast fails or makes them 0."""
    usual = [value for value in profile.examples or _list_short_values(profile) if value not in profile.strays]
    if not usual:
        return ""
    shown = f"for example {', '.join(map(quote_literal, usual[:most]))}"
    shown += "" if profile.distinct is None else f" of {_render_about(profile)}{profile.distinct}"
    return join_remarks(shown, f"also {', '.join(map(quote_literal, profile.strays))}" if profile.strays else "")


def _is_of_one_row_each(profile: ColumnProfile) -> bool:
    """Are the texts numbers, addresses and the like, one for each row? A question spells the one that it means."""
    return profile.unique and all(any(map(str.isdigit, value)) for value in profile.values)


def _list_short_values(profile: ColumnProfile) -> list[str]:
    return [value for value in profile.values if len(value) <= LONGEST_VALUE]


def _describe_numbers(profile: ColumnProfile) -> str:
    if numbers := sorted(filter(_is_numeric, profile.values), key=float):
        return f"values {', '.join(map(_render_number, numbers))}{'' if profile.complete else ', …'}"
    if profile.least == profile.most:
        return ""
    return f"{_render_about(profile)}{_render_number(profile.least)}..{_render_number(profile.most)}"


def _render_about(profile: ColumnProfile) -> str:
    return "" if profile.exact else "about "


def join_remarks(*remarks: str) -> str:
    return "; ".join(filter(None, remarks))


def render_rows(table: Table, rows: Sequence[Sequence[str]], catalog: Catalog, notes: DialectNotes) -> str:
    """Render rows of a table below the names of their columns."""
    names = [_render_name(column.name, notes) for column in table.columns][: len(rows[0])]
    lines = [f"{_render_table_name(table.name, table.schema, catalog, notes)} ({', '.join(names)})"]
    lines += ["  " + " | ".join(as_data(value, LONGEST_VALUE) for value in row) for row in rows]
    return "\n".join(lines)


def quote_literal(value: str) -> str:
    """Return `value` as a text literal that is safe to show."""
    return "'" + as_data(value).replace("'", "''") + "'"


def render_path(path: tuple[str, str, str], catalog: Catalog, notes: DialectNotes) -> str:
    """Render (schema, table, column) as a statement spells it."""
    schema, table, column = path
    return f"{_render_table_name(table, schema, catalog, notes)}.{_render_name(column, notes)}"


def _is_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _render_number(text: str) -> str:
    if not _is_numeric(text):
        return quote_literal(text)
    if "." in text:
        text = text.rstrip("0").removesuffix(".") if "e" not in text.lower() else text
        return text if len(text) <= LONGEST_FRACTION else f"{float(text):.6g}"
    return as_data(text)


def _render_remark(parts: list[str]) -> str:
    text = join_remarks(*parts)
    return f" -- {text}" if text else ""


def _render_table_name(name: str, schema: str, catalog: Catalog, notes: DialectNotes) -> str:
    if not schema or schema == catalog.default_schema:
        return _render_name(name, notes)
    return f"{_render_name(schema, notes)}.{_render_name(name, notes)}"


def _render_name(name: str, notes: DialectNotes) -> str:
    return as_data(notes.quote_name(name))


def _render_names(names: tuple[str, ...], notes: DialectNotes) -> str:
    return f"({', '.join(_render_name(name, notes) for name in names)})"
