"""Reads the config of a connection to files: the stored objects and the tables that they become."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlchat.errors import ConnectionConfigError, FileInvalidError
from sqlchat.files import formats
from sqlchat.files.names import find_free_name, is_safe
from sqlchat.files.options import Options

MOST_FILES = 50
LONGEST_NAME = 63
FIELDS = ("path", "table", "read", "sheet", "on_bad_rows")
SHAPE = (
    'The field `files` is a list of paths such as "uploads/customers.csv", or of objects with `path` and optionally '
    "`table`, `read`, `sheet` and `on_bad_rows`."
)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A stored object, and the table that is made of it."""

    bucket: str
    name: str
    """Key within the bucket, the owner's folder included."""
    shown: str
    """The path as its owner knows it: the only one that a message may hold."""
    table: str
    options: Options
    has_read: bool = False
    """Whether its entry has a `read`: then the options of its upload do not apply."""

    @property
    def place(self) -> tuple[str, str]:
        """The bucket and the key within it."""
        return self.bucket, self.name


def read_files(
    config: Mapping[str, Any], buckets: Sequence[str], folder: str, named: Callable[[str], str]
) -> tuple[NamedFile, ...]:
    """Read the files of a config. Raises ConnectionConfigError.

    Paths lead only into the owner's `folder` of a bucket ("": the bucket itself), and need not name it. `named`
    returns the name that a path spells.
    """
    if unknown := sorted(set(config) - {"files"}):
        fields = ", ".join(f"`{name}`" for name in unknown)
        raise ConnectionConfigError(f"A connection to files takes the field `files` alone; unknown: {fields}.")
    listed = config.get("files")
    if not isinstance(listed, list) or not listed:
        raise ConnectionConfigError(SHAPE)
    if len(listed) > MOST_FILES:
        raise ConnectionConfigError(f"A connection takes up to {MOST_FILES} files; these are {len(listed)}.")
    entries = list(map(_read_entry, listed))
    tables = _name_tables(
        [(entry.get("table"), _make_stem(named(entry["path"])), entry["options"].sheet) for entry in entries]
    )
    return tuple(
        NamedFile(*_find_object(entry["path"], buckets, folder, named), table, entry["options"], "read" in entry)
        for entry, table in zip(entries, tables, strict=True)
    )


def _read_entry(item: Any) -> dict[str, Any]:
    """Check one entry of `files` and add its `options`. Raises ConnectionConfigError."""
    entry = {"path": item} if isinstance(item, str) else item
    if isinstance(entry, dict) and (unknown := sorted(set(entry) - set(FIELDS))):
        names = ", ".join(f"`{name[:80]}`" for name in unknown)
        raise ConnectionConfigError(f"Unknown in an entry of `files`: {names}. {SHAPE}")
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise ConnectionConfigError(SHAPE)
    read = entry.get("read")
    if not isinstance(read, Mapping | None):
        raise ConnectionConfigError(f"The `read` of an entry of `files` is an object. {SHAPE}")
    beside = {name: entry[name] for name in ("sheet", "on_bad_rows") if name in entry}
    try:
        return entry | {"options": Options.parse(beside | dict(read or {}))}
    except FileInvalidError as exc:
        raise ConnectionConfigError(exc.detail) from exc


def _find_object(path: str, buckets: Sequence[str], folder: str, named: Callable[[str], str]) -> tuple[str, str, str]:
    """Return bucket, key and shown path. The error for another owner's folder is that for a missing file."""
    bucket, *parts = path.strip().split("/")
    if bucket not in buckets:
        listed = ", ".join(map(repr, buckets)) or "none"
        raise ConnectionConfigError(
            f"The path {path[:200]!r} is in no bucket for uploads; begin it with one of {listed}, as in "
            f"{f'{buckets[0]}/customers.csv' if buckets else 'uploads/customers.csv'!r}."
        )
    if folder and parts[:1] == [folder]:
        del parts[0]
    name = named(parts[0]) if len(parts) == 1 else ""
    if not is_safe(name):
        raise make_no_such_file_error(path)
    return bucket, f"{folder}/{name}" if folder else name, f"{bucket}/{name}"


class NoSuchFileError(ConnectionConfigError):
    """A file of a config does not exist."""


def make_no_such_file_error(path: str) -> NoSuchFileError:
    return NoSuchFileError(f"There is no file {path[:200]!r}; upload it first.", file=path[:200])


def _make_stem(path: str) -> str:
    """Make a table's name from a file's name: words of letters and digits, in lower case."""
    name = unicodedata.normalize("NFC", path.rsplit("/", 1)[-1])
    for suffix in (".gz", formats.ZIP, *chain.from_iterable(format.content_types for format in formats.FORMATS)):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            name = name[: -len(suffix)]
    return _make_word(name) or "table"


def _make_word(text: str) -> str:
    word = re.sub(r"\W+|_{2,}", "_", text).strip("_").lower()[:LONGEST_NAME].rstrip("_")
    return f"_{word}" if word[:1].isdigit() else word


def _name_tables(entries: list[tuple[Any, str, str | int | None]]) -> list[str]:
    """Name the tables of entries (`table`, stem, sheet). A name from a stem takes its sheet or a number if needed."""
    chosen = [table for table, _, _ in entries if table is not None]
    for table in chosen:
        if not isinstance(table, str) or not 0 < len(table.strip()) <= LONGEST_NAME or not table.isprintable():
            raise ConnectionConfigError(f"A `table` is a name of 1 to {LONGEST_NAME} printable characters.")
    taken = {table.strip().lower() for table in chosen}
    if len(taken) < len(chosen):
        raise ConnectionConfigError("Two files are given the same `table`; each needs a name of its own.")
    names = []
    for table, stem, sheet in entries:
        names.append(table.strip() if table is not None else _choose_free_name(stem, sheet, taken))
        taken.add(names[-1])
    return names


def _choose_free_name(stem: str, sheet: str | int | None, taken: set[str]) -> str:
    suffix = _make_word(sheet) if stem in taken and isinstance(sheet, str) else ""
    return find_free_name(f"{stem}_{suffix}" if suffix else stem, taken)
