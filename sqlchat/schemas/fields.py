"""Makes marshmallow fields with a description, for the documents (OpenAPI, MCP) and for texts that go to a model."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate

F = TypeVar("F", bound="fields.Field[Any]")
LAYOUT = frozenset("\t\n\r\x85")
"""Control characters that a text may hold: tabs and ends of lines."""
NOT_EMPTY = validate.Length(min=1)


def make_field(kind: type[F], description: str = "", *inner: Any, example: Any = None, **options: Any) -> F:
    """Make an optional field, such as `make_field(fields.List, "The newest first.", fields.String())`."""
    metadata = {"description": description, "example": example}
    return kind(
        *inner, metadata={name: value for name, value in metadata.items() if value not in ("", None)}, **options
    )


def required_field(kind: type[F], description: str = "", *inner: Any, **options: Any) -> F:
    """Make a required field; the arguments are those of `make_field`."""
    return make_field(kind, description, *inner, required=True, **options)


def make_choice_field(*choices: str, description: str = "", **options: Any) -> fields.String:
    """Make a field whose value is one of `choices`."""
    return make_field(fields.String, description, validate=validate.OneOf(choices), **options)


def refuse_control_characters(text: str) -> None:
    """Raise ValidationError for a text with a control character that is not in LAYOUT."""
    for character in text:
        if character not in LAYOUT and unicodedata.category(character) == "Cc":
            raise ValidationError(f"Holds the control character U+{ord(character):04X}; take it out.")


def make_text_field(
    most: int, description: str = "", *, least: int | None = None, demand: str = "", **options: Any
) -> fields.String:
    """Make a field of `least` to `most` characters. With `demand`, a blank text is refused with that message."""
    rules: list[Any] = [validate.Length(least, most)]
    if demand:
        rules.append(validate.Regexp(r".*\S", flags=re.DOTALL, error=demand))
    return make_field(fields.String, description, validate=[*rules, refuse_control_characters], **options)


def make_connection_field() -> fields.String:
    return make_field(fields.String, "Name of the connection; else the caller's default.", validate=NOT_EMPTY)


class MaxRows(fields.Integer):
    """A field for the most rows of an answer. A number above SQLCHAT_MAX_ROWS_CEILING counts as that."""

    def __init__(self, **options: Any) -> None:
        metadata = {"description": "Most rows to answer with."}
        super().__init__(strict=True, validate=validate.Range(min=1), metadata=metadata, **options)

    def _validated(self, value: Any) -> int:
        """Take 5.0 as 5: JSON has one kind of number, and one above 64 bits arrives as a float."""
        is_whole = isinstance(value, float) and value.is_integer()
        return super()._validated(int(value) if is_whole else value)
