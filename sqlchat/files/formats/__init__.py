"""Detects the format of a table file and reads it. Each format is one module and one line of FORMATS.

A module offers `read(source, options) -> Table`. A new format is its module, its line here and its test.
"""

from __future__ import annotations

import importlib
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from sqlchat.errors import FileInvalidError, TooLargeError, UnsupportedMediaError
from sqlchat.files.dialect import refuse_other
from sqlchat.files.names import SHOWN, find_free_name, pick_name
from sqlchat.files.options import Options
from sqlchat.files.source import Source, list_members, unpack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from sqlchat.files.byte_scan import ByteScan

MAX_COLUMNS = 2000
"""Postgres allows 1,600 columns; a wider file is no table."""

BLOCK_BYTES = 8 << 20
"""About the bytes of a file in one block; a single row may not be longer."""


@dataclass(frozen=True)
class Part:
    """Values of one column in one block, without nulls and of one type."""

    array: pa.Array
    rows: npt.NDArray[np.int64] | None = None
    """Row of each value in the block, from 0; None if each row has a value."""
    inferred: Literal["text", "string", "json"] | None = None
    """How the type is found. `text`: by the look of the values, which have no outer blanks; `string`: likewise, but
    never as numbers, and blanks may be there; `json`: they are JSON texts; None: by the array's type."""
    nan: int = 0
    """Number of NaN values, which are no values here."""


@dataclass(frozen=True)
class Block:
    """Some rows, as the values of each column; a row without a value is a null."""

    rows: int
    columns: Mapping[str, tuple[Part, ...]]
    left_out: int = 0
    """Wrong rows of the file that are left out here."""


Load = Callable[[], Block]
"""Reads one block, once, in any thread. Raises FileInvalidError, TooLargeError."""


@dataclass
class Table:
    """An open file. Its blocks can be read once, in order."""

    names: list[str]
    """Known columns in their order; blocks may have more."""
    blocks: Iterator[Load]
    facts: dict[str, Any] = field(default_factory=dict)
    """Facts of the file: format, encoding, delimiter, ..."""
    warnings: list[str] = field(default_factory=list)
    """Warnings, complete when the blocks were read."""
    again: Callable[[list[str]], Iterator[Load]] | None = None
    """Reads the blocks of some columns again; only formats with `text` parts have it."""
    options: Options = field(default_factory=Options)
    """The caller's options."""
    scan: ByteScan | None = None
    """The scan of a text table's bytes."""
    comments: dict[str, str] = field(default_factory=dict)
    """Column -> its description in the file."""
    used: dict[str, Any] = field(default_factory=dict)
    """Options of `read` as they were detected in the file."""

    @property
    def read(self) -> dict[str, Any]:
        """How the file was read, as `Options.parse` takes it: the caller's options and the detected ones."""
        rows = {"on_bad_rows": self.options.on_bad_rows, "totals": self.options.totals}
        return {**rows, **self.used, **self.options.given()}


@dataclass(frozen=True)
class Format:
    name: str
    module: str
    content_types: dict[str, str]
    """Suffix -> media type."""
    is_text: bool = False
    is_database: bool = False
    """Does it hold several tables that belong together? Then its module offers `list_tables(path)` too."""

    def read(self, source: Source, options: Options) -> Table:
        """Open a file. Raises FileInvalidError, TooLargeError, UnsupportedMediaError, here or while its blocks are
        read."""
        said = replace(options, sheet=None) if source.member and options.sheet is not None else options
        table: Table = importlib.import_module(self.module).read(source, said)
        table.options = options
        if source.member:
            table.used["sheet"] = source.member
        if options.nulls:
            again, drop = table.again, lambda load: partial(_drop_nulls, load, options.nulls)
            table.blocks = map(drop, table.blocks)
            if again is not None:
                table.again = lambda columns: map(drop, again(columns))
        return table


SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NDJSON = "application/x-ndjson"
TABS = "text/tab-separated-values"
CSV = Format(
    "CSV",
    "sqlchat.files.formats.csv",
    {".csv": "text/csv", ".tsv": TABS, ".tab": TABS, ".psv": "text/plain", ".txt": "text/plain"},
    is_text=True,
)
JSON = Format(
    "JSON",
    "sqlchat.files.formats.json",
    {".json": "application/json", ".jsonl": NDJSON, ".ndjson": NDJSON, ".geojson": "application/geo+json"},
    is_text=True,
)
PARQUET = Format("Parquet", "sqlchat.files.formats.parquet", {".parquet": "application/vnd.apache.parquet"})
EXCEL = Format(
    "Excel",
    "sqlchat.files.formats.excel",
    {
        ".xlsx": SPREADSHEET,
        ".xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
        ".xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12",
        ".xls": "application/vnd.ms-excel",
        ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    },
)
SQLITE = Format(
    "SQLite",
    "sqlchat.files.formats.sqlite",
    dict.fromkeys((".sqlite", ".sqlite3", ".db"), "application/vnd.sqlite3"),
    is_database=True,
)
DUCKDB = Format("DuckDB", "sqlchat.files.formats.duckdb", {".duckdb": "application/octet-stream"}, is_database=True)
FORMATS = (CSV, JSON, PARQUET, EXCEL, SQLITE, DUCKDB)
DATABASES = frozenset({*SQLITE.content_types, *DUCKDB.content_types})
ZIP = ".zip"
README = re.compile(r"(read.?me|licen[cs]e|about|notes?)\b.*\.txt$", re.IGNORECASE)
"""Files beside the tables of an archive."""

GZIP, PK = b"\x1f\x8b", b"PK\x03\x04"
SIGNATURES = (
    (0, b"PAR1", PARQUET),
    (0, b"\xd0\xcf\x11\xe0", EXCEL),
    (0, b"SQLite format 3\x00", SQLITE),
    (8, b"DUCK", DUCKDB),
)
"""Offset and bytes that every file of a format has."""

FOREIGN = {
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"\x7fELF": "a program",
    b"MZ\x90\x00": "a program",
    b"{\\rtf": "a text of Word (.rtf)",
    b"BZh": "a bzip2 archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"\xfd7zXZ": "an xz archive",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"ARROW1": "an Arrow file",
}
"""Formats that are refused by their first bytes, whatever the name says."""


def list_formats() -> str:
    """List the formats for an error's sentence."""
    listed = [f"{f.name} ({', '.join(f.content_types)})" for f in FORMATS]
    return f"{', '.join(listed[:-1])} and {listed[-1]}; the text ones also as .gz, and each as a .zip of one"


def detect_format(path: str, file_name: str, sheet: str | int | None = None) -> tuple[Format, Source]:
    """Detect the format of a file by its name and first bytes, which must agree. In a zip, the file in it counts.

    `sheet` names the file in a zip of several.
    Raises UnsupportedMediaError that lists the known formats, FileInvalidError for an empty or misnamed file,
    TooLargeError for a zip out of proportion.
    """
    suffixes = [s.lower() for s in PurePath(file_name.strip()).suffixes]
    named_gz = suffixes[-1:] == [".gz"]
    suffix = ((suffixes[:-1] if named_gz else suffixes)[-1:] or [""])[0]
    with open(path, "rb") as stream:
        start = stream.read(16)
    if not start:
        raise FileInvalidError("The file is empty.")
    gzipped = start.startswith(GZIP)
    if named_gz and not gzipped:
        raise FileInvalidError("The file ends in .gz, but it is no gzip file.")
    source = Source(path, suffix)
    if gzipped:
        unpacked = unpack(path)
        source = Source(unpacked.name, suffix, "gzip", kept=unpacked)
        start = source.head(16)
        if not start:
            raise FileInvalidError("The file is empty.")
    named = [f for f in FORMATS if suffix in f.content_types]
    if not named and suffix and suffix != ZIP:
        raise UnsupportedMediaError(f"Files named *{suffix[:20]} are not read; known are {list_formats()}.")
    for signature, what in FOREIGN.items():
        if start.startswith(signature):
            raise UnsupportedMediaError(f"This is {what}; known are {list_formats()}.")
    found = _detect_by_content(start, source)
    if found is None and not gzipped and suffix in {ZIP, ""}:
        return _open_zipped_table(source, sheet)
    if found is None:
        raise UnsupportedMediaError(f"This is a zip archive, no workbook: name it .zip. Known are {list_formats()}.")
    if gzipped and not found.is_text:
        raise UnsupportedMediaError(f"Only text files are read from a .gz; known are {list_formats()}.")
    if suffix == ZIP:
        raise FileInvalidError(f"The name ends in .zip, but the content is no zip archive but {found.name}.")
    if named and found not in named and not (found.is_text and named[0].is_text):
        if found.is_text:
            refuse_other(source.head(4096).decode(errors="replace"))
        text = "" if named[0].is_text else " but text: name it .csv"
        other = f" but {found.name}: name it {next(iter(found.content_types))}" if not found.is_text else text
        raise FileInvalidError(f"The name ends in {suffix}, but the content is no {named[0].name}{other}.")
    return (named[0] if named and found.is_text else found), source


def list_tables(path: str, file_name: str) -> list[str]:
    """List the tables of a file that is a database; [] for any other. Raises as `detect`."""
    found, source = detect_format(path, file_name) if PurePath(file_name).suffix.lower() in DATABASES else (CSV, None)
    if source is None or not found.is_database:
        return []
    names: list[str] = importlib.import_module(found.module).list_tables(source.path)
    return names


def find_content_type(file_name: str) -> str | None:
    """Return the media type for a file name; None if its suffix is unknown."""
    suffix = PurePath(file_name).suffix.lower()
    if suffix == ".gz":
        return "application/gzip"
    if suffix == ZIP:
        return "application/zip"
    return next((f.content_types[suffix] for f in FORMATS if suffix in f.content_types), None)


def make_unique_names(names: list[str], warnings: list[str]) -> list[str]:
    """Make column names: blank ones get their number, repeated ones a suffix. Adds to `warnings`."""
    check_width(len(names))
    taken, result, changed = {n.strip() for n in names}, [], []
    seen: set[str] = set()
    for number, name in enumerate((n.strip() for n in names), 1):
        unique = find_free_name(name or f"column_{number}", seen if name else seen | taken, taken)
        if unique != name:
            changed.append(
                f"column {number} ({name!r}) is called {unique!r}"
                if name
                else f"column {number} had no name and is called {unique!r}"
            )
        seen.add(unique)
        result.append(unique)
    if changed:
        more = f"; and {len(changed) - 5} more" if len(changed) > 5 else ""
        warnings.append(f"Column names must be there and differ: {'; '.join(changed[:5])}{more}.")
    return result


def check_width(columns: int) -> None:
    """Raise TooLargeError if a table has too many columns."""
    if columns > MAX_COLUMNS:
        raise TooLargeError(f"The file has {columns:,} columns; up to {MAX_COLUMNS:,} are read.")


def _drop_nulls(load: Load, nulls: tuple[str, ...]) -> Block:
    """Read a block, and drop the texts that mean no value."""
    block = load()
    columns = {
        name: tuple(_drop_nulls_of_part(part, nulls) for part in parts) for name, parts in block.columns.items()
    }
    return Block(block.rows, columns, block.left_out)


def _drop_nulls_of_part(part: Part, nulls: tuple[str, ...]) -> Part:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if part.inferred not in {"text", "string"} or not len(part.array):
        return part
    words = pc.is_in(part.array, pa.array(nulls, pa.string())).to_numpy(zero_copy_only=False)
    if not words.any():
        return part
    rows = np.flatnonzero(~words) if part.rows is None else part.rows[~words]
    return Part(part.array.filter(pa.array(~words)), rows, part.inferred)


def _detect_by_content(start: bytes, source: Source) -> Format | None:
    """Detect a format by the first bytes; None for an archive that is no workbook."""
    for at, signature, found in SIGNATURES:
        if start[at:].startswith(signature):
            return found
    if start.startswith(PK):
        return EXCEL if _is_workbook(source.path) else None
    if source.suffix:
        return CSV
    return JSON if source.head(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else CSV


def _is_workbook(path: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            return bool(names & {"xl/workbook.xml", "xl/workbook.bin"}) or {"content.xml", "mimetype"} <= names
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return True  # a damaged workbook more likely than another archive: its reader says what is wrong


def _open_zipped_table(source: Source, sheet: str | int | None) -> tuple[Format, Source]:
    """Open the one table in an archive, or the one of several that `sheet` names."""
    known_suffixes = {suffix for format in FORMATS for suffix in format.content_types}
    members = [name for name in list_members(source.path) if _find_suffix(name) in known_suffixes]
    members = [name for name in members if not README.match(PurePath(name).name)] or members
    if not members:
        raise UnsupportedMediaError(f"There is no table in the zip archive; known are {list_formats()}.")
    if len(members) > 1 and sheet is None:
        listed = ", ".join(map(repr, members[:SHOWN]))
        raise FileInvalidError(
            f"The zip archive holds {len(members)} tables: {listed}. Name one in `sheet`.", option="sheet"
        )
    name = members[pick_name(members, sheet, "file in the zip archive", "/") if sheet and len(members) > 1 else 0]
    unpacked = unpack(source.path, name)
    format, inner = detect_format(unpacked.name, name)
    chosen = name if len(members) > 1 else ""
    return format, replace(inner, suffix=_find_suffix(name), member=chosen, kept=unpacked, packed="zip")


def _find_suffix(name: str) -> str:
    return PurePath(name).suffix.lower()
