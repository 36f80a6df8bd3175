"""Free texts that go to a model."""

from __future__ import annotations

import unicodedata

from marshmallow import ValidationError

LAYOUT = frozenset("\t\n\r\x85")
"""Control characters that people's texts hold: tabs and ends of lines."""


def refuse_control_characters(text: str) -> None:
    """Raises ValidationError for a text with a NUL or another control character but those of LAYOUT."""
    for character in text:
        if character not in LAYOUT and unicodedata.category(character) == "Cc":
            raise ValidationError(f"Holds the control character U+{ord(character):04X}; take it out.")
