"""The profile of a file: rows, columns, SQL types, nulls, bounds. Runs in a killable worker process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlchat.files import formats
from sqlchat.files.memory import tune_allocator
from sqlchat.files.options import Options


@dataclass(frozen=True)
class Profile:
    row_count: int
    columns: list[Mapping[str, Any]]
    """name, type (SQL's narrowest that holds every value), nulls, distinct, distinct_is_exact, min, max, example;
    for some columns also mean, top, format, comment."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Facts of the file: format, and by format encoding, delimiter, header, sheet."""
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values: {"row_count": 120, "columns": [{"name": "id", "type": "INTEGER", ...}], ...}."""
        return {"row_count": self.row_count, "columns": self.columns, **self.facts, "warnings": self.warnings}


def profile(path: str, file_name: str, options: Options | None = None, keep_in: str | None = None) -> Profile:
    """Profile the file at `path`, which its owner calls `file_name`; keep its analysis in the folder `keep_in`.

    Raises FileInvalidError (with the fact `line` if it is known), TooLargeError, UnsupportedMediaError.
    """
    from sqlchat.files.analysis import AnalysisCache, analyze  # only in the worker: it imports Arrow and pandas

    options = options or Options()
    format, source = formats.detect_format(path, file_name, options.sheet)
    table = format.read(source, options)
    tune_allocator(len(table.names))
    analysis = analyze(table)
    if keep_in is not None:
        AnalysisCache(keep_in).keep(path, file_name, options, analysis)
    facts = {"format": format.name.lower(), **table.facts, "read": table.read}
    if source.packed:
        facts["compression"] = source.packed
    return Profile(analysis.row_count, [column.facts for column in analysis.columns], facts, analysis.warnings)
