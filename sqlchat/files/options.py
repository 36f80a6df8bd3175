"""The object `read` of profiles, uploads and connections: how a caller wants a file to be read."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlchat.errors import FileInvalidError

SAME_GROUP = {"’": "'", "\xa0": " ", "\u202f": " ", "\u2009": " "}
"""Thousands marks that are read like another."""
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
    """Options of a caller for one file. None: the option is detected."""

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
        """Number of the header's first row; 0 if there is none, or none is named."""
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
        if unknown := [str(name)[:80] for name in given if name not in RULES]:
            raise FileInvalidError(
                f"Unknown in `read`: {', '.join(f'`{name}`' for name in unknown)}; known are {', '.join(RULES)}.",
                option=unknown[0],
            )
        options = cls(**{name: RULES[name].read(name, value) for name, value in given.items() if value is not None})
        if options.decimal and options.decimal == options.thousands:
            raise _make_error("thousands", "another mark than `decimal`")
        if options.skip_rows and 0 < options.first_header <= options.skip_rows:
            raise _make_error("header_row", "0, or a row after those that `skip_rows` leaves out")
        if unknown := [each for each in options.types.values() if find_sql_type(each) is None]:
            known = ", ".join(dict.fromkeys(TYPES.values()))
            raise _make_error("types", f"made of {known}; {unknown[0][:40]!r} is none")
        return options

    def given(self) -> dict[str, Any]:
        """Return the options that differ from the defaults, as JSON values: {"header_row": 3, "nulls": ["***"]}."""
        defaults = vars(Options())
        given = {name: value for name, value in vars(self).items() if value != defaults[name]}
        return given | {name: list(value) for name, value in given.items() if isinstance(value, tuple)}

    def wanted(self, column: str) -> str | None:
        """Return the SQL type that the caller gives a column, without precision; None for none."""
        given = self.types.get(column)
        return find_sql_type(given) if given is not None else None


def find_sql_type(name: str) -> str | None:
    """Return the type of a name, such as NUMERIC for `decimal(10, 2)`; None if it names none."""
    bare = re.sub(r"\(\s*\d+\s*(,\s*\d+\s*)?\)$", "", name.strip())
    return TYPES.get(" ".join(bare.upper().split()))


@dataclass(frozen=True, slots=True)
class Rule:
    """A check of one option's value."""

    accepts: Callable[[Any], bool]
    words: str
    """A sentence's end for a refusal: `delimiter` of `read` is ..."""
    respell: Callable[[str], Any] = str
    """Returns the usual spelling of a text."""

    def read(self, name: str, value: Any) -> Any:
        """Return a value in its usual spelling, a list as a tuple. Raises FileInvalidError if it is not accepted."""
        value = self.respell(value) if isinstance(value, str) else value
        value = tuple(value) if isinstance(value, list) else value
        if not self.accepts(value):
            raise _make_error(name, self.words)
        return value


def _make_error(name: str, words: str) -> FileInvalidError:
    return FileInvalidError(f"`{name}` of `read` is {words}.", option=name)


def _accept_one_of(*choices: str, respell: Callable[[str], str] = str) -> Rule:
    return Rule(lambda value: isinstance(value, str) and value in choices, f"one of {choices}", respell)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31


def _is_header(value: Any) -> bool:
    if not isinstance(value, tuple):
        return _is_count(value)
    return len(value) in {2, 3} and all(map(_is_count, value)) and list(value) == sorted({*value} - {0})


def _is_encoding(value: Any) -> bool:
    try:
        codec = codecs.lookup(value)
    except (LookupError, TypeError, ValueError):
        return False
    return codec._is_text_encoding and codec.name.replace("-", "_") not in NO_TEXT  # Python has no public name for it


def _is_delimiter(value: Any) -> bool:
    is_sign = isinstance(value, str) and len(value) == 1 and value.isascii() and not value.isalnum()
    return is_sign and value not in '"\r\n\0\\'


def _are_nulls(value: Any) -> bool:
    is_short = isinstance(value, tuple) and len(value) <= MOST_NULLS
    return is_short and all(isinstance(each, str) and len(each) <= LONGEST_NULL for each in value)


def _are_types(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, str) for each in value.values())


COUNT = Rule(_is_count, "a whole number from 0")
RULES = {
    "sheet": Rule(
        lambda value: isinstance(value, str | int) and not isinstance(value, bool),
        "the name of one or its number, from 1",
    ),
    "on_bad_rows": _accept_one_of("error", "skip", "pad"),
    "header_row": Rule(
        _is_header,
        "a whole number from 0, a list of two rows that are joined, such as [3, 4], or of names, texts and ids",
    ),
    "skip_rows": COUNT,
    "encoding": Rule(_is_encoding, 'the name of one, such as "utf-8" or "windows-1252"'),
    "delimiter": Rule(
        _is_delimiter,
        "one character that separates fields, such as , or ;",
        lambda mark: "\t" if mark in {"\\t", "tab"} else mark,
    ),
    "decimal": _accept_one_of(".", ","),
    "thousands": _accept_one_of(".", ",", " ", "'", respell=lambda mark: SAME_GROUP.get(mark, mark)),
    "nulls": Rule(
        _are_nulls, f"a list of up to {MOST_NULLS} texts of up to {LONGEST_NULL} characters", lambda text: (text,)
    ),
    "date_order": _accept_one_of("dmy", "mdy", "ymd"),
    "types": Rule(_are_types, 'an object of columns and their types, such as {"zip": "TEXT"}'),
    "totals": _accept_one_of("keep", "drop"),
}
