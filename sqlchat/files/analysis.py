"""Analyzes all rows of a file: the type of each column, how its texts are read, and warnings.

`AnalysisCache` keeps an analysis on disk, so that a connection made after an upload reads the same bytes only once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import orjson

from sqlchat.files.byte_scan import ByteScan
from sqlchat.files.columns import Column, read_columns
from sqlchat.files.conversion import Conversion
from sqlchat.files.formats import Table
from sqlchat.files.options import Options
from sqlchat.files.readers import NUMERIC_DIGITS
from sqlchat.files.readings import Reading
from sqlchat.files.summaries import show_value, summarize

READER = 4
"""Version of the rules by which files are read: raise it with every change, which makes old analyses unusable."""
LONGEST_KEPT = 3600.0
"""Seconds: users query an uploaded table soon."""
FACTS = ("nulls", "distinct", "distinct_is_exact")
"""Facts of a column that are kept; the others are values of the file."""


@dataclass(frozen=True)
class TypedColumn:
    name: str
    type: str
    """SQL name: that of the profile, a NUMERIC with precision and scale."""
    facts: Mapping[str, Any]
    """The profile's entry: nulls, distinct, distinct_is_exact, min, max, ..."""
    remarks: tuple[str, ...]
    """Remarks for readers of the values: how the file wrote them, which words are null."""


@dataclass(frozen=True)
class Analysis:
    row_count: int
    columns: list[TypedColumn]
    conversions: list[Conversion]
    """The conversion of each column's values to its type."""
    facts: dict[str, Any]
    """Facts of the file: encoding, delimiter, sheet, ..."""
    warnings: list[str]
    """Warnings of the file, then of its columns."""
    scan: ByteScan | None = None
    """The scan of a text table's bytes, which a second reading need not make."""


def analyze(table: Table) -> Analysis:
    """Analyze all rows of an open table. Raises FileInvalidError, TooLargeError."""
    rows, columns = read_columns(table)
    warnings: list[str] = []
    entries = summarize(list(columns.values()), rows, warnings)
    for name, comment in table.comments.items():
        if comment.strip() and comment.strip() != name:
            next(entry for entry in entries if entry["name"] == name)["comment"] = show_value(comment.strip())
    typed = [_type_column(column, entry) for column, entry in zip(columns.values(), entries, strict=True)]
    warnings = [*table.warnings, *warnings]
    return Analysis(rows, [c for c, _ in typed], [c for _, c in typed], table.facts, warnings, table.scan)


def _type_column(column: Column, entry: dict[str, Any]) -> tuple[TypedColumn, Conversion]:
    sql_type, remarks = entry["type"], [entry["comment"]] if "comment" in entry else []
    precision, scale = column.find_decimal() if sql_type == "NUMERIC" else (0, 0)
    if precision > NUMERIC_DIGITS:
        sql_type = "DOUBLE PRECISION"
        remarks.append("rounded, as no NUMERIC holds all its digits")
    missing = frozenset(column.missing) if sql_type not in {"TEXT", "JSON"} else frozenset()
    if words := sorted(missing - {""}):
        remarks.append(f"{', '.join(map(repr, words[:3]))} in the file is null")
    if written := entry.get("format"):
        remarks.append(f"written as {written} in the file")
    remarks += column.list_remarks()
    is_typed = sql_type == "NUMERIC" and bool(column.kinds or not column.texts)
    conversion = Conversion(
        sql_type, column.decide().reading, missing, scale if is_typed else None, months=column.has_months()
    )
    if sql_type == "NUMERIC":
        sql_type = f"NUMERIC({precision}, {scale})"
    return TypedColumn(column.name, sql_type, entry, tuple(remarks)), conversion


class AnalysisCache:
    """Keeps analyses as JSON files in a folder. Their names are hashes of a file's bytes and options.

    They hold names of columns and texts of warnings, no rows, and are kept for an hour or until they are used.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def keep(self, path: str, file_name: str, options: Options, analysis: Analysis) -> None:
        """Write the analysis of the file at `path`, unless the disk refuses it."""
        columns = [replace(column, facts={name: column.facts[name] for name in FACTS}) for column in analysis.columns]
        scan = analysis.scan if analysis.scan and analysis.scan.utf8 else None  # of others, the sample is not kept
        content = replace(analysis, columns=columns, scan=scan)
        with contextlib.suppress(OSError, TypeError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove_old()
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".new-", delete=False) as file:
                file.write(orjson.dumps(content, _to_json, orjson.OPT_PASSTHROUGH_DATACLASS))
            os.replace(file.name, self._make_path(path, file_name, options))

    def take(self, path: str, file_name: str, options: Options) -> Analysis | None:
        """Remove and return the analysis of the same bytes; None if there is none."""
        if not self._folder.exists():
            return None
        place = self._make_path(path, file_name, options)
        try:
            content = orjson.loads(place.read_bytes())
            place.unlink()
            columns = [TypedColumn(**column | {"remarks": tuple(column["remarks"])}) for column in content["columns"]]
            conversions = list(map(Conversion.of_dict, content["conversions"]))
            scan = content["scan"] and ByteScan.of_dict(content["scan"])
            return Analysis(**content | {"columns": columns, "conversions": conversions, "scan": scan})
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _make_path(self, path: str, file_name: str, options: Options) -> Path:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        suffixes = [suffix.lower() for suffix in PurePath(file_name).suffixes[-2:]]
        digest.update(repr((READER, suffixes, sorted(options.given().items()))).encode())
        return self._folder / f"{digest.hexdigest()}.json"

    def _remove_old(self) -> None:
        for entry in os.scandir(self._folder):
            if entry.stat().st_mtime < time.time() - LONGEST_KEPT:
                os.unlink(entry.path)


def _to_json(value: Any) -> Any:
    """Convert a dataclass, or one of its values: a reading is its name, an array of booleans the places of true."""
    match value:
        case Reading():
            return value.name
        case set() | frozenset():
            return sorted(value)
        case bytes():
            return ""
        case np.ndarray():
            return np.flatnonzero(value).tolist()
    return vars(value)
