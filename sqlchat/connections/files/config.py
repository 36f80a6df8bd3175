"""Reads the config of a connection to files: the stored objects and the tables that they become."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
    says_how: bool = False
    """Does its entry say how it is to be read? Then what its upload said does not count."""


def read_files(
    config: Mapping[str, Any], buckets: Sequence[str], folder: str, named: Callable[[str], str]
) -> tuple[NamedFile, ...]:
    """The files of a config. Raises ConnectionConfigError.

    Paths lead into the owner's `folder` of a bucket ("": the bucket itself) and nowhere else, whether they name it or
    not. `named` tells which name a path's spelling means.
    """
    if unknown := sorted(set(config) - {"files"}):
        fields = ", ".join(f"`{name}`" for name in unknown)
        raise ConnectionConfigError(f"A connection to files takes the field `files` alone; unknown: {fields}.")
    given = config.get("files")
    if not isinstance(given, list) or not given:
        raise ConnectionConfigError(SHAPE)
    if len(given) > MOST_FILES:
        raise ConnectionConfigError(f"A connection takes up to {MOST_FILES} files; these are {len(given)}.")
    entries = [_read_entry(each) for each in given]
    tables = _name_tables(
        [(each.get("table"), _make_stem(named(each["path"])), each["options"].sheet) for each in entries]
    )
    return tuple(
        NamedFile(
            *_find_object(each["path"], buckets, folder, named),
            table,
            each["options"],
            "read" in each,
        )
        for each, table in zip(entries, tables, strict=True)
    )


def _read_entry(given: Any) -> dict[str, Any]:
    entry = {"path": given} if isinstance(given, str) else given
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
    """Bucket, key and shown path. Another owner's folder is answered like a file that is not there."""
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
    """A file of a config is not there."""


def make_no_such_file_error(path: str) -> NoSuchFileError:
    return NoSuchFileError(f"There is no file {path[:200]!r}; upload it first.", file=path[:200])


def _make_stem(path: str) -> str:
    """A table's name from that of a file: words of letters and digits, in lower case."""
    name = unicodedata.normalize("NFC", path.rsplit("/", 1)[-1])
    for suffix in (".gz", formats.ZIP, *(suffix for each in formats.FORMATS for suffix in each.content_types)):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            name = name[: -len(suffix)]
    return _make_word(name) or "table"


def _make_word(text: str) -> str:
    word = re.sub(r"\W+|_{2,}", "_", text).strip("_").lower()[:LONGEST_NAME].rstrip("_")
    return f"_{word}" if word[:1].isdigit() else word


def _name_tables(wanted: list[tuple[Any, str, str | int | None]]) -> list[str]:
    """Names that differ: those asked for as they are, the others with their sheet or a number where they must."""
    asked = [table for table, _, _ in wanted if table is not None]
    for table in asked:
        if not isinstance(table, str) or not 0 < len(table.strip()) <= LONGEST_NAME or not table.isprintable():
            raise ConnectionConfigError(f"A `table` is a name of 1 to {LONGEST_NAME} printable characters.")
    taken = {table.strip().lower() for table in asked}
    if len(taken) < len(asked):
        raise ConnectionConfigError("Two files are given the same `table`; each needs a name of its own.")
    found = []
    for table, stem, sheet in wanted:
        found.append(table.strip() if table is not None else _choose_free_name(stem, sheet, taken))
        taken.add(found[-1])
    return found


def _choose_free_name(stem: str, sheet: str | int | None, taken: set[str]) -> str:
    base = f"{stem}_{_make_word(sheet)}" if stem in taken and isinstance(sheet, str) and _make_word(sheet) else stem
    return find_free_name(base, taken)
