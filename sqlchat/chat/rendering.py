"""What a database holds, as compact text for a prompt. All of it is data: nothing in it can end its block.

Used by `context` (to know how much room a table takes) and by `prompt`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from sqlchat.chat.dialect_notes import DialectNotes
from sqlchat.sql.catalog import LABELLED, Catalog, Column, ForeignKey, Table
from sqlchat.sql.profiles import ColumnProfile, Path

Remarks = Mapping[Path, str]
"""What is said of columns' content, by (schema, table, column)."""

BLOCKS = ("catalog", "rows", "notes", "values", "terms", "examples", "conversation", "question", "fault")
UNSEEN = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0"
)
"""Letters that nobody sees. Some have a meaning in names and values, so they are looked through, not taken away."""
NAMES = "|".join(f"[{UNSEEN}]*".join(name) for name in BLOCKS)
TAG = re.compile(rf"<(?=[\s/\\{UNSEEN}]*(?:{NAMES})\b)", re.IGNORECASE)
UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e0fff]+"
)
"""Also what a model reads and no person sees: the tag characters, which spell ASCII."""
CHARACTERS_A_TOKEN = 3.0
"""Names and types come to 3-4 characters a token with both vendors' tokenizers; the lower end keeps the budget."""
LONGEST_COMMENT, BRIEF_COMMENT, LONGEST_VALUE = 200, 60, 40
MOST_VALUES, LONGEST_LIST, SHOWN_VALUES = 12, 250, 6
"""All of a column's values are shown where they are so few or take so few characters, else the commonest ones."""
MOST_LABELS = 50
SHOWN_OF_MANY = 3
"""Of a column whose values are too many to be known, or each of which stands for one row: they show how such a value
is written."""
LONGEST_FRACTION = 10
SHORT_TYPES = {
    "character varying": "varchar",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}
"""For Postgres' long names of types, the short ones that it knows too."""
LONG_TYPE = re.compile("|".join(SHORT_TYPES))


def block(name: str, content: str) -> str:
    """`content` between the delimiters of its block, which its lines cannot close: each went through `as_data`."""
    return f"<{name}>\n{content}\n</{name}>"


def as_data(text: str, length: int = 10_000, *, lines: bool = False) -> str:
    """A stranger's text on one line (or with its line breaks), cut, and unable to open or close a block."""
    if text.isprintable() and "<" not in text:
        text = text.strip()  # most names and types, of which there may be many
        return text if len(text) <= length else text[: length - 1] + "…"
    if lines:
        text = "\n".join(UNPRINTABLE.sub(" ", line) for line in text.splitlines())
    else:
        text = UNPRINTABLE.sub(" ", text)
    text = TAG.sub("‹", text.strip())
    return text if len(text) <= length else text[: length - 1] + "…"


def tokens_in(text: str) -> int:
    """An upper estimate."""
    return int(len(text) / CHARACTERS_A_TOKEN) + 1


def render_catalog(
    catalog: Catalog, notes: DialectNotes, remarks: Remarks, brief: AbstractSet[tuple[str, str]] = frozenset()
) -> str:
    """All tables, those in `brief` (schema and name) in one line each."""
    return "\n".join(
        render_brief_table(table, catalog, notes)
        if (table.schema, table.name) in brief
        else render_table(table, catalog, notes, remarks)
        for table in catalog.tables
    )


def render_brief_table(table: Table, catalog: Catalog, notes: DialectNotes) -> str:
    """A table in one line, without types: `orders(id,customer_id->customers,total) -- comment`."""
    targets = {key.columns[0]: key for key in table.foreign_keys if len(key.columns) == 1}
    columns = [render_brief_column(column, targets.get(column.name), catalog, notes) for column in table.columns]
    name = _table_name(table.name, table.schema, catalog, notes)
    comment = _remark([as_data(table.comment, BRIEF_COMMENT)])
    return f"{'' if table.kind == 'table' else f'{table.kind.upper()} '}{name}({','.join(columns)}){comment}"


def render_brief_column(column: Column, key: ForeignKey | None, catalog: Catalog, notes: DialectNotes) -> str:
    """Its name, and the table that it refers to by `key`."""
    target = f"->{_table_name(key.ref_table, key.ref_schema, catalog, notes)}" if key else ""
    return _name(column.name, notes) + target


def render_table(table: Table, catalog: Catalog, notes: DialectNotes, remarks: Remarks) -> str:
    """A table in a line, and each of its columns in one below it."""
    about = [as_data(table.comment, LONGEST_COMMENT)]
    if table.row_estimate is not None and table.row_estimate >= 0:
        about.append(f"about {table.row_estimate} rows")
    lines = [f"{table.kind.upper()} {_table_name(table.name, table.schema, catalog, notes)}{_remark(about)}"]
    lines += [render_column(column, table, catalog, notes, remarks) for column in table.columns]
    if len(table.primary_key) > 1:
        lines.append(f"  primary key {_names(table.primary_key, notes)}")
    for key in table.foreign_keys:
        if len(key.columns) > 1:
            target = _table_name(key.ref_table, key.ref_schema, catalog, notes)
            lines.append(f"  {_names(key.columns, notes)} -> {target} {_names(key.ref_columns, notes)}{_how(key)}")
    return "\n".join(lines)


def render_column(column: Column, table: Table, catalog: Catalog, notes: DialectNotes, remarks: Remarks) -> str:
    line = f"  {_name(column.name, notes)} {as_data(_type(column.type), 60)}{_base_type(column)}"
    if table.primary_key == (column.name,):
        line += " primary key"
    for key in table.foreign_keys:
        if key.columns == (column.name,):
            line += f" -> {_table_name(key.ref_table, key.ref_schema, catalog, notes)}"
            line += "".join(f".{_name(ref, notes)}" for ref in key.ref_columns) + _how(key)
    known = remarks.get((table.schema, table.name, column.name), "") or _labels(column)
    return line + _remark([as_data(column.comment, LONGEST_COMMENT), known])


def _base_type(column: Column) -> str:
    return f" ({as_data(_type(column.base_type), 60)})" if column.base_type else ""


def _labels(column: Column) -> str:
    """They belong to the type and not to the data, so they are told where nothing of the data is."""
    if not column.labels or LABELLED.match(column.type):
        return ""
    return (
        f"values {', '.join(map(literal, column.labels[:MOST_LABELS]))}{', …' if column.labels[MOST_LABELS:] else ''}"
    )


def _type(name: str) -> str:
    return LONG_TYPE.sub(lambda found: SHORT_TYPES[found[0]], name)


def _how(key: ForeignKey) -> str:
    """Who says so, if the database does not."""
    said = " (said by the owner)" if key.by_owner else " (inferred)" if key.inferred else ""
    return f"{said} (several rows may match)" if key.repeats else said


def values_of(profile: ColumnProfile) -> str:
    """Texts of a column that holds few: all where they are short together, else some; "" where a range says more."""
    short = _short(profile)
    if profile.kind != "text" or not profile.few or not short or profile.least:
        return ""
    listed = sum(len(value) + 4 for value in profile.values) <= LONGEST_LIST and not _of_one_row_each(profile)
    if len(profile.values) <= MOST_VALUES or listed:
        return f"values {', '.join(map(literal, short))}{'' if profile.complete else ', …'}"
    return _for_example(profile, SHOWN_OF_MANY if profile.unique or profile.strays else SHOWN_VALUES)


def facts_of(profile: ColumnProfile, *, key: bool) -> str:
    """Examples of many texts, uniqueness, range and share of NULL; of a key the numbers tell nothing."""
    facts = [_examples(profile)]
    if profile.unique and profile.kind == "text" and not key and (profile.distinct or 0) > MOST_VALUES:
        facts.append("unique")
    if profile.kind == "number":
        facts += [] if key else [_numbers(profile)]
        strays = [literal(value) for value in _short(profile) if not _numeric(value)]
        facts += [f"also {', '.join(strays)}"] if strays else []
    elif profile.least != profile.most:
        facts.append(f"{_about(profile)}{literal(profile.least)}..{literal(profile.most)}")
    if profile.null_share >= 1:
        facts.append("always null")
    elif profile.null_share > 0:
        facts.append(f"{max(1, round(100 * profile.null_share))} % null")
    return joined(*facts)


def _examples(profile: ColumnProfile) -> str:
    """They show how the values of the column are written."""
    if profile.kind not in ("text", "time") or profile.least or values_of(profile):
        return ""
    return _for_example(profile, SHOWN_OF_MANY)


def _for_example(profile: ColumnProfile, most: int) -> str:
    """Some texts, and beside numbers those that are none: a cast of them fails, or makes them 0."""
    usual = [value for value in profile.examples or _short(profile) if value not in profile.strays]
    if not usual:
        return ""
    shown = f"for example {', '.join(map(literal, usual[:most]))}"
    shown += "" if profile.distinct is None else f" of {_about(profile)}{profile.distinct}"
    return joined(shown, f"also {', '.join(map(literal, profile.strays))}" if profile.strays else "")


def _of_one_row_each(profile: ColumnProfile) -> bool:
    """Whether the texts are numbers, addresses and the like: a question that means one of them spells it."""
    return profile.unique and all(any(map(str.isdigit, value)) for value in profile.values)


def _short(profile: ColumnProfile) -> list[str]:
    return [value for value in profile.values if len(value) <= LONGEST_VALUE]


def _numbers(profile: ColumnProfile) -> str:
    if numbers := sorted(filter(_numeric, profile.values), key=float):
        return f"values {', '.join(map(_number, numbers))}{'' if profile.complete else ', …'}"
    if profile.least == profile.most:
        return ""
    return f"{_about(profile)}{_number(profile.least)}..{_number(profile.most)}"


def _about(profile: ColumnProfile) -> str:
    return "" if profile.exact else "about "


def joined(*remarks: str) -> str:
    return "; ".join(filter(None, remarks))


def render_rows(table: Table, rows: Sequence[Sequence[str]], catalog: Catalog, notes: DialectNotes) -> str:
    """Rows of a table below the names of their columns."""
    names = [_name(column.name, notes) for column in table.columns][: len(rows[0])]
    lines = [f"{_table_name(table.name, table.schema, catalog, notes)} ({', '.join(names)})"]
    lines += ["  " + " | ".join(as_data(value, LONGEST_VALUE) for value in row) for row in rows]
    return "\n".join(lines)


def literal(value: str) -> str:
    """`value` as a text literal that is safe to show."""
    return "'" + as_data(value).replace("'", "''") + "'"


def column_path(path: tuple[str, str, str], catalog: Catalog, notes: DialectNotes) -> str:
    """(schema, table, column) as it is written in a statement."""
    schema, table, column = path
    return f"{_table_name(table, schema, catalog, notes)}.{_name(column, notes)}"


def _numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> str:
    if not _numeric(text):
        return literal(text)
    if "." in text:
        text = text.rstrip("0").removesuffix(".") if "e" not in text.lower() else text
        return text if len(text) <= LONGEST_FRACTION else f"{float(text):.6g}"
    return as_data(text)


def _remark(parts: list[str]) -> str:
    text = joined(*parts)
    return f" -- {text}" if text else ""


def _table_name(name: str, schema: str, catalog: Catalog, notes: DialectNotes) -> str:
    if not schema or schema == catalog.default_schema:
        return _name(name, notes)
    return f"{_name(schema, notes)}.{_name(name, notes)}"


def _name(name: str, notes: DialectNotes) -> str:
    return as_data(notes.quoted(name))


def _names(names: tuple[str, ...], notes: DialectNotes) -> str:
    return f"({', '.join(_name(name, notes) for name in names)})"
