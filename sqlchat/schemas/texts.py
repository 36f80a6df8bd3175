"""Makes required fields with a description, and fields for texts that go to a model."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate

F = TypeVar("F", bound="fields.Field[Any]")
LAYOUT = frozenset("\t\n\r\x85")
"""Control characters that a text may hold: tabs and ends of lines."""


def required_field(kind: type[F], description: str, *inner: Any, **options: Any) -> F:
    """Make a required field, such as `required_field(fields.List, "The newest first.", fields.String())`."""
    return kind(*inner, required=True, metadata={"description": description}, **options)


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
    metadata = {"description": description} if description else {}
    return fields.String(validate=[*rules, refuse_control_characters], metadata=metadata, **options)
