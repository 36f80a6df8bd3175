"""The object `read` of profiles, uploads and connections: how a caller wants a file to be read."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from sqlchat.errors import FileInvalidError

DECIMALS = (".", ",")
GROUPS = (".", ",", " ", "'")
SAME_GROUP = {"’": "'", "\xa0": " ", "\u202f": " ", "\u2009": " "}
"""Thousands marks that are read like another."""
DATE_ORDERS = ("dmy", "mdy", "ymd")
BAD_ROWS = ("error", "skip", "pad")
TOTALS = ("keep", "drop")
NO_TEXT = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem", "utf_7"})
"""Codecs of Python that are no encoding of a table."""
MOST_NULLS, LONGEST_NULL = 100, 100

ALIASES = {
    "TEXT": ("VARCHAR", "STRING"),
    "INTEGER": ("INT",),
    "NUMERIC": ("DECIMAL",),
    "DOUBLE PRECISION": ("DOUBLE", "FLOAT", "REAL"),
    "BOOLEAN": ("BOOL",),
    "TIMESTAMP": ("DATETIME",),
    **dict.fromkeys(("BIGINT", "DATE", "TIME", "INTERVAL", "UUID", "JSON"), ()),
}
TYPES = {alias: name for name, aliases in ALIASES.items() for alias in (name, *aliases)}
"""Names of a type that a column may be given -> the type."""


@dataclass(frozen=True)
class Options:
    """Options of a caller for one file. None: we decide."""

    sheet: str | int | None = None
    """Excel: name or number (from 1) of the sheet; name of a table, a list of objects or a file within a file."""
    on_bad_rows: Literal["error", "skip", "pad"] = "error"
    """A row with too many or too few fields ends the reading, is left out, or a short one gets nulls; all counted."""
    header_row: int | tuple[int, ...] | None = None
    """From 1, as an editor or Excel counts; 0: there is none; two that follow each other are joined, and of three the
    first names the columns, the second describes them and the third is left out."""
    skip_rows: int | None = None
    """Rows at the beginning that are no part of the table."""
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    nulls: tuple[str, ...] = ()
    """Texts that stand for no value, beside those that are known."""
    date_order: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    """Column -> SQL type, as the caller writes it."""
    totals: Literal["keep", "drop"] = "keep"

    @property
    def first_header(self) -> int:
        """0: there is none, or it is not said."""
        return self.header_row[0] if isinstance(self.header_row, tuple) else self.header_row or 0

    @property
    def header_count(self) -> int:
        """Number of rows of the header, if there is one."""
        return len(self.header_row) if isinstance(self.header_row, tuple) else 1

    @classmethod
    def parse(cls, given: object) -> Options:
        """Check a caller's `read`. Raises FileInvalidError that says what is wrong, with the fact `option`."""
        if given is None:
            return cls()
        if not isinstance(given, Mapping):
            raise FileInvalidError('`read` is an object such as {"header_row": 3}.')
        known = [each.name for each in fields(cls)]
        if unknown := [str(name)[:80] for name in given if name not in known]:
            raise FileInvalidError(
                f"Unknown in `read`: {', '.join(f'`{name}`' for name in unknown)}; known are {', '.join(known)}.",
                option=unknown[0],
            )
        found = {name: CHECKS[name](name, value) for name, value in given.items() if value is not None}
        options = cls(**found)
        if options.decimal and options.decimal == options.thousands:
            raise _wrong("thousands", "another mark than `decimal`")
        if options.skip_rows and 0 < options.first_header <= options.skip_rows:
            raise _wrong("header_row", "0, or a row after those that `skip_rows` leaves out")
        return options

    def given(self) -> dict[str, Any]:
        """The options that differ from the defaults, as JSON values: {"header_row": 3, "nulls": ["***"]}."""
        plain = Options()
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        told = {name: value for name, value in found.items() if value != getattr(plain, name)}
        told |= {name: list(value) for name, value in told.items() if isinstance(value, tuple)}
        if self.types:
            told["types"] = dict(self.types)
        return told

    def wanted(self, column: str) -> str | None:
        """The SQL type that a column is given, without precision."""
        given = self.types.get(column)
        return sql_type(given) if given is not None else None


def sql_type(name: str) -> str | None:
    """The type that a name means, such as NUMERIC for `decimal(10, 2)`; None where it means none."""
    bare = re.sub(r"\(\s*\d+\s*(,\s*\d+\s*)?\)$", "", name.strip())
    return TYPES.get(" ".join(bare.upper().split()))


def _wrong(name: str, right: str) -> FileInvalidError:
    return FileInvalidError(f"`{name}` of `read` is {right}.", option=name)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise _wrong(name, "a whole number from 0")
    return value


def _header(name: str, value: Any) -> int | tuple[int, ...]:
    if isinstance(value, list | tuple):
        rows = [_count(name, row) for row in value]
        if len(rows) not in {2, 3} or rows != sorted({*rows} - {0}):
            raise _wrong(name, "one row, a list of two that are joined, such as [3, 4], or of names, texts and ids")
        return tuple(rows)
    return _count(name, value)


def _choice(*choices: str) -> Any:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise _wrong(name, f"one of {', '.join(map(repr, choices))}")
        return value

    return check


def _sheet(name: str, value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _wrong(name, "the name of one or its number, from 1")
    return value


def _encoding(name: str, value: Any) -> str:
    try:
        found = codecs.lookup(value)
        text = found._is_text_encoding and found.name.replace("-", "_") not in NO_TEXT  # Python has no public name
    except (LookupError, TypeError, ValueError):
        text = False
    if not text:
        raise _wrong(name, 'the name of one, such as "utf-8" or "windows-1252"')
    return str(value)


def _delimiter(name: str, value: Any) -> str:
    value = {"\\t": "\t", "tab": "\t"}.get(value, value) if isinstance(value, str) else value
    if (
        not isinstance(value, str)
        or len(value) != 1
        or value in '"\r\n\0\\'
        or value.isalnum()
        or not value.isascii()
    ):
        raise _wrong(name, "one character that separates fields, such as , or ;")
    return value


def _thousands(name: str, value: Any) -> str:
    value = SAME_GROUP.get(value, value) if isinstance(value, str) else value
    return str(_choice(*GROUPS)(name, value))


def _nulls(name: str, value: Any) -> tuple[str, ...]:
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list | tuple) or len(value) > MOST_NULLS:
        raise _wrong(name, f"a list of up to {MOST_NULLS} texts")
    if not all(isinstance(each, str) and len(each) <= LONGEST_NULL for each in value):
        raise _wrong(name, f"a list of texts of up to {LONGEST_NULL} characters")
    return tuple(value)


def _types(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise _wrong(name, 'an object of columns and their types, such as {"zip": "TEXT"}')
    for given in value.values():
        if sql_type(given) is None:
            raise _wrong(name, f"made of {', '.join(dict.fromkeys(TYPES.values()))}; {given[:40]!r} is none")
    return dict(value)


CHECKS: dict[str, Any] = {
    "sheet": _sheet,
    "on_bad_rows": _choice(*BAD_ROWS),
    "header_row": _header,
    "skip_rows": _count,
    "encoding": _encoding,
    "delimiter": _delimiter,
    "decimal": _choice(*DECIMALS),
    "thousands": _thousands,
    "nulls": _nulls,
    "date_order": _choice(*DATE_ORDERS),
    "types": _types,
    "totals": _choice(*TOTALS),
}
