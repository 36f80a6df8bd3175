"""What a text table does not say of itself: encoding, delimiter, header. Used by `formats/csv`, at bounded cost.

One pass over the bytes (`overview`), then the first rows under each delimiter.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field

import charset_normalizer

from sqlchat.errors import FileInvalidError
from sqlchat.files.overview import Overview, overview
from sqlchat.files.source import Source

HEAD_BYTES = 1 << 20
"""Of the file, to find delimiter and header in; the header must end within them."""

SAMPLE_ROWS = 200
DELIMITERS = (",", ";", "\t", "|")

SUPPOSED = ("cp1252", "latin_1")
"""Encodings, most usual first, that are taken where the detector finds another reading no better."""

USUAL = ("cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "cp932", "gb18030", "big5", "cp949", "koi8_r", "mac_roman")
"""The other encodings that tables still come in."""

SYMBOL_IN_WORD = re.compile(r"[^\W\d_][\xa1-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf][^\W\d_]|[\xa3\xa5\xaf\xb9\xb3][^\W\d_]")
"""Polish read as Windows-1252 has a pound sign within a word or before it; no Western text does."""

TYPED = re.compile(r"-?\d+([.,]\d+)?|\d{4}-\d\d-\d\d.*|true|false", re.IGNORECASE)


@dataclass(frozen=True)
class Encoding:
    """How the bytes are read."""

    name: str
    """As Python knows it."""
    traits: Overview
    """Of the bytes. Those of UTF-16 are of no use but for their quotes."""
    guessed: bool = False


@dataclass(frozen=True)
class Dialect:
    """How the text is cut into fields."""

    delimiter: str
    header: list[str]
    preamble: int = 0
    """Physical lines before the header."""
    only_header: bool = False
    warnings: list[str] = field(default_factory=list)


def encoding(source: Source) -> Encoding:
    """Find the encoding of the whole file. Raises FileInvalidError for what is no text."""
    start = source.head(4096)
    wide = None
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        wide = "utf-16"
    elif b"\0" in start:
        wide = _utf16_without_mark(start)
    traits = overview(source, len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
    if wide:
        return Encoding(wide, traits, guessed=wide != "utf-16")
    if traits.nul:
        raise FileInvalidError("The file holds NUL bytes, so it is no text table.")
    if traits.utf8:
        return Encoding("utf-8", traits)
    return Encoding(_eight_bit(traits.odd_lines or start), traits, guessed=True)


def dialect(head: str, *, whole: bool, tabs: bool) -> Dialect:
    """Find delimiter and header in the first characters of a file. `whole`: there is no more; `tabs`: its name says
    that tabs separate. Raises FileInvalidError where there is no header to be found."""
    lines = head.splitlines(keepends=True)
    if not whole and len(lines) > 1:
        lines.pop()  # the last one may be cut
    skipped = _preamble(lines)
    text = "".join(lines[skipped:])
    if not text.strip():
        raise FileInvalidError("The file holds no rows, not even a header.")
    order = ("\t", *(d for d in DELIMITERS if d != "\t")) if tabs else DELIMITERS
    samples = {d: _rows(text, d) for d in order}
    delimiter = max(order, key=lambda d: _plausible(samples[d]))
    rows = samples[delimiter]
    if not whole and len(rows) == 1 and len(rows[0]) == 1 and len(text) >= HEAD_BYTES // 4:
        raise FileInvalidError("The first line is longer than 1 MiB, so this is no table.", line=skipped + 1)
    warnings = []
    if any(line.strip() for line in lines[:skipped]):
        warnings.append(f"The first {skipped} lines, before the header, were left out.")
    if _looks_like_data(rows):
        warnings.append("The first row, taken as the header, looks like data.")
    return Dialect(delimiter, rows[0], skipped, whole and len(rows) == 1, warnings)


def _utf16_without_mark(start: bytes) -> str:
    """UTF-16 that is mostly ASCII has its zeros on one side; other bytes with NUL are no text."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 3 > len(start) and min(even, odd) == 0:
        return "utf-16-le" if odd else "utf-16-be"
    raise FileInvalidError("The file holds NUL bytes, so it is no text table.")


def _eight_bit(sample: bytes) -> str:
    """The encoding that the detector finds likely: Windows-1252, unless another reads clearly better."""
    matches = charset_normalizer.from_bytes(sample, steps=5, chunk_size=512, cp_isolation=list(SUPPOSED + USUAL))
    best = matches.best()
    if best is None:
        return SUPPOSED[-1]
    for name in SUPPOSED:
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        like = next((m for m in matches if m.encoding == name or str(m) == text), None)
        if like is not None and like.chaos <= best.chaos + 0.1 and like.coherence + 0.1 >= best.coherence:
            return best.encoding if SYMBOL_IN_WORD.search(text) and str(best) != text else name
    return best.encoding


def _preamble(lines: list[str]) -> int:
    """Lines to leave out: blank ones, comments, Excel's `sep=`, a title that a blank line parts from the table."""
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith("#") or _names_separator(lines[at])):
        at += 1
    title = at
    while (
        title < min(len(lines), at + 20) and lines[title].strip() and not any(d in lines[title] for d in DELIMITERS)
    ):
        title += 1
    blank = title
    while blank < len(lines) and not lines[blank].strip(" ,;\t\r\n"):
        blank += 1
    parted = title > at and blank > title and blank + 1 < len(lines)
    return blank if parted and any(d in lines[blank] for d in DELIMITERS) else at


def _names_separator(line: str) -> bool:
    return bool(re.fullmatch(r"sep=.\s*", line))


def _rows(text: str, delimiter: str) -> list[list[str]]:
    rows = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) == SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # a field past the csv module's limit: the rows so far tell enough
    return rows or [[""]]


def _plausible(rows: list[list[str]]) -> tuple[bool, float, int]:
    """A delimiter is plausible if it is in the header, and then by the share of rows as wide as the header."""
    width = len(rows[0])
    if width == 1:
        return False, 0.0, 0
    return True, Counter(map(len, rows))[width] / len(rows), width


def _looks_like_data(rows: list[list[str]]) -> bool:
    """Numbers, dates or truth values in the header, over the like."""
    header, *body = rows
    return any(
        TYPED.fullmatch(cell.strip())
        and body
        and all(len(r) > i and TYPED.fullmatch(r[i].strip()) for r in body[:20])
        for i, cell in enumerate(header)
    )
