"""Names: of files, safe for any file system and for URLs; of columns and tables, which must differ."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from pathlib import PurePosixPath

from sqlchat.errors import FileInvalidError

MAX_BYTES = 200
"""File systems take 255 bytes; this leaves room for the suffix of a temporary file beside it."""

RESERVED_CHARACTERS = re.compile(r'[<>:"|?*%#]')
"""Windows refuses the first seven in a name; a URL gives another meaning to the last two."""

RESERVED_STEMS = frozenset({"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))})

SHOWN = 20
"""Names in a message."""

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")


def split_words(name: str) -> list[str]:
    """Split the name of a column or a table into words: `orderID2` is order, id, 2."""
    return [word.lower() for word in WORD.findall(name)]


def find_free_name(
    name: str, taken: Collection[str], reserved: Collection[str] = (), fold: Callable[[str], str] = str
) -> str:
    """Return the first of `name`, `name_2`, `name_3` ... that is neither taken nor reserved. `fold` is their case."""
    free, number = name, 1
    while fold(free) in taken or (number > 1 and fold(free) in reserved):
        number += 1
        free = f"{name}_{number}"
    return free


def pick_name(names: Sequence[str], wanted: str | int, kind: str, separator: str = "\0") -> int:
    """Return the index of the name that a caller wants: by its number from 1, or by its spelling in any case.

    A name's last part, behind `separator`, is enough. Raises FileInvalidError that lists the names of that `kind`.
    """
    if isinstance(wanted, int) and 1 <= wanted <= len(names):
        return wanted - 1
    given = str(wanted)
    spelled = [given, *names]
    for first, *others in (
        spelled,
        [name.casefold().strip() for name in spelled],
        [name.rpartition(separator)[2] for name in spelled],
    ):
        if others.count(first) == 1:
            return others.index(first)
    if given.isdecimal() and 1 <= int(given) <= len(names):
        return int(given) - 1
    listed = ", ".join(map(repr, names[:SHOWN])) or "none"
    raise FileInvalidError(f"There is no {kind} {wanted!r}; there are {listed}.", option="sheet")


def make_safe_name(file_name: str) -> str:
    """Return the last part of `file_name` without signs that file systems or URLs misread; it keeps all letters.

    Raises FileInvalidError if nothing is left.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", file_name))[-1]
    printable = "".join(c for c in last if not unicodedata.category(c).startswith("C"))
    name = RESERVED_CHARACTERS.sub("_", printable).strip().lstrip(". ").rstrip(". ")
    if not name:
        raise FileInvalidError("The file has no usable name; send one such as customers.csv.")
    if name.split(".")[0].lower() in RESERVED_STEMS:
        name = f"_{name}"
    return _shorten(name).rstrip(". ")


def is_safe(name: str) -> bool:
    """Is `name` one that `make_safe_name` returns?"""
    try:
        return make_safe_name(name) == name
    except FileInvalidError:
        return False


def _shorten(name: str) -> str:
    """Cut the stem, never the suffixes, down to MAX_BYTES of UTF-8, between characters."""
    suffix = "".join(PurePosixPath(name).suffixes[-2:])
    if len(suffix.encode()) > MAX_BYTES // 4:
        suffix = ""
    room = MAX_BYTES - len(suffix.encode())
    stem = name[: len(name) - len(suffix)].encode()[:room].decode(errors="ignore")
    return stem + suffix
