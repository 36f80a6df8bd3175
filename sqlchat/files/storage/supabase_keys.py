"""Spells names of files in the characters that Supabase Storage takes in keys."""

from __future__ import annotations

import contextlib
import re

REFUSED_IN_KEYS = re.compile(rb"[^A-Za-z0-9_/!.*'() &$@:+,?-]")
"""Storage takes ASCII letters, digits and this punctuation in an object's key, and `=`, which escapes the rest.

It takes `;` too, but many of its versions end the path at one that the client leaves as it is in the URL.
"""
ESCAPED = re.compile(rb"=([0-9A-F]{2})")
DENSE, LONGEST = "==", 255
"""Prefix of a key in Punycode, and most bytes of a key: a self-hosted Storage names files by it."""


def make_object_key(name: str) -> str:
    """Spell `name` in the characters that Storage allows, the others as in quoted-printable (RFC 2045): Ä is =C3=84.

    What that makes too long for a file's name is in Punycode (RFC 3492) first.
    """
    return "/".join(map(_spell, name.split("/")))


def read_object_name(key: str) -> str:
    """Return the name that `make_object_key` spelled as `key`."""
    return "/".join(map(_read, key.split("/")))


def _spell(part: str) -> str:
    plain = _escape(part)
    if len(plain) > LONGEST:
        dense = DENSE + _escape(part.encode("punycode").decode())
        if len(dense) <= LONGEST:
            return dense
    return plain


def _read(part: str) -> str:
    if part.startswith(DENSE) and len(part) <= LONGEST:
        with contextlib.suppress(UnicodeError):  # another program's, or half a character
            name = _unescape(part[len(DENSE) :]).encode("ascii").decode("punycode")
            name.encode()
            return name
    return _unescape(part)


def _escape(text: str) -> str:
    return REFUSED_IN_KEYS.sub(lambda found: b"=%02X" % ord(found[0]), text.encode()).decode()


def _unescape(text: str) -> str:
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text.encode()).decode(errors="replace")
