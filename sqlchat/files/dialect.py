"""Detects delimiter, quoting, header and footer of a text table. The caller's options take precedence."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from sqlchat.errors import FileInvalidError, UnsupportedMediaError
from sqlchat.files import footer, header
from sqlchat.files.options import Options

HEAD_BYTES = 1 << 20
"""Bytes at the start of a file in which delimiter and header are detected; the header must end within them."""
TAIL_BYTES = 1 << 16
"""Bytes at the end of a longer file in which notes and totals are detected."""

LONGEST_FIELD = 16 << 20
"""Characters, also of a field whose quote is never closed."""
SAMPLE_ROWS = 1000
"""Rows that show the dialect of a text."""
DELIMITERS = (",", ";", "\t", "|")
RARE_DELIMITERS = ("~", "^", "\x1f", "\x01")
"""Used if every row has the same number of them, and none of the usual delimiters."""
BY_NAME = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
"""Suffix of a file's name -> the delimiter to try first."""

MARKUP = re.compile(r"<(!doctype|html|head|body|table|\?xml|!--|svg|rss|div|script)\b", re.IGNORECASE)
JSON = re.compile(r"(\[\s*[\[{\]\"]|\{\s*[\"}])")
SEVERAL_BLANKS = re.compile(r"\S( {2,}|\t)\S")
NAMES_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Quoting:
    """How fields are quoted."""

    backslash: bool = False
    """Is a quote within quotes escaped by a backslash rather than doubled?"""
    blank: bool = False
    """May a blank come before the quote that opens a field?"""

    @property
    def is_usual(self) -> bool:
        return not (self.backslash or self.blank)


@dataclass(frozen=True)
class Row:
    """One row and its first and last physical line, from 1."""

    first: int
    last: int
    cells: list[str]


class RowError(Exception):
    """The lines from `first` to `last` are no row."""

    def __init__(self, message: str, first: int, last: int) -> None:
        super().__init__(message)
        self.first, self.last = first, last


@dataclass(frozen=True)
class Dialect:
    """How a text is split into the rows and columns of a table."""

    delimiter: str
    quoting: Quoting
    names: list[str]
    """Names of the columns; empty ones if there is no header."""
    header: tuple[int, ...]
    """Lines of the header's rows, from 1; () if there is none."""
    comments: list[str]
    """Descriptions of the columns; [] if the header has none."""
    preamble: int
    """Physical lines before the header, or before the first row if there is no header."""
    only_header: bool = False
    cut: int = 0
    """Rows at the end that are no part of the table."""
    repeated: tuple[list[str], ...] = ()
    """The header's rows if rows of the table repeat them."""
    ragged: bool = False
    """Has a row of the sample another width than the header?"""
    warnings: list[str] = field(default_factory=list)


def refuse_other(head: str) -> None:
    """Raise UnsupportedMediaError for JSON or markup under the name of a text table."""
    start = head.lstrip("\ufeff \t\r\n")
    if MARKUP.match(start):
        raise UnsupportedMediaError("The content is HTML or XML, no table of text; save the table itself as CSV.")
    if JSON.match(start):
        raise UnsupportedMediaError("The content is JSON, no table of text: name the file .json (or .jsonl).")


def split_rows(
    lines: Iterable[str], delimiter: str, quoting: Quoting, first: int = 1, *, strict: bool = False
) -> Iterator[Row]:
    """Split lines, numbered from `first`, into rows; blank lines give rows without cells. Raises RowError."""
    csv.field_size_limit(LONGEST_FIELD)
    if quoting.backslash:
        lines = (_double_quotes(line) for line in lines)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=quoting.blank, strict=strict)
    start = first
    try:
        for cells in reader:
            last = first - 1 + reader.line_num
            yield Row(start, last, cells)
            start = last + 1
    except csv.Error as exc:
        raise RowError(str(exc), start, first - 1 + reader.line_num) from exc


def _double_quotes(line: str) -> str:
    if "\\" not in line:
        return line
    return re.sub(r'\\(["\\])', lambda match: '""' if match[1] == '"' else "\\", line)


def find_dialect(head: str, tail: str, suffix: str, options: Options, *, whole: bool) -> Dialect:
    """Find the dialect of a text by its first and last characters. `whole`: `head` is the whole text.

    Raises FileInvalidError if there is no header, or no such row as the caller names.
    """
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", head) if "\r" in head else head.splitlines(keepends=True)
    if not whole and len(lines) > 1:
        lines.pop()  # the last one may be cut
    start = _find_beginning(lines, options)
    body = lines[start:]
    if not "".join(body).strip():
        if options.header_row or options.skip_rows:
            raise FileInvalidError(
                f"The file has {len(lines):,} rows, so none is left to name the columns.", option="header_row"
            )
        raise FileInvalidError("The file holds no rows, not even a header.")
    delimiter, quoting = _find_delimiter(body, suffix, options.delimiter or _find_named_delimiter(lines))
    sample = _take_sample(body, delimiter, quoting, start + 1, len(body) if whole else SAMPLE_ROWS)
    if not whole and len(sample) == 1 and len(sample[0].cells) == 1 and len(head) >= HEAD_BYTES // 4:
        raise FileInvalidError("The first line is longer than 1 MiB, so this is no table.", line=start + 1)
    found_head = _find_head(sample, lines, start, options)
    warnings = list(found_head.warnings)
    is_start_detected = options.header_row is None and options.skip_rows is None
    if start and is_start_detected and "".join(lines[:start]).strip() not in {"", "sep=" + delimiter}:
        warnings.insert(0, f"The first {start} lines, before the header, were left out.")
    place = found_head.header or 0
    header_count = found_head.rows if found_head.header is not None else 0
    header_rows, below = sample[place : place + header_count], sample[place + header_count :]
    first_line = sample[place].first
    first_cells = [row.cells for row in header_rows or sample[:1]]
    if len(first_cells) < header_count:
        raise FileInvalidError("The rows of the header are more than the file holds.", option="header_row")
    names, comments = header.name_columns(first_cells[: header_count or 1])
    names[0] = names[0].removeprefix("\ufeff")
    if header_rows and names[0].startswith("#") and lines[first_line - 1].startswith("#"):
        names[0] = names[0].lstrip("#").strip() or names[0]
    names = _drop_unused_names(names, below)
    width = len(names)
    if whole:
        last_rows = [row for row in below if row.cells]
    else:
        last_lines = tail.splitlines(keepends=True)[1:]  # the first line is cut
        last_rows = _take_sample(last_lines, delimiter, quoting, 1, len(last_lines))
    foot = footer.Foot(0)
    if width > 1:
        last_cells = [fit_width(row.cells, width) for row in last_rows]
        foot = footer.find_foot(last_cells, width, options.totals == "drop", whole=whole)
        warnings += footer.warn_of_totals_within([row.cells for row in below[: len(below) - foot.count * whole]])
    warnings += _warn_of_one_column(sample) if width == 1 else footer.warn_of_second_table(below, width)
    is_repeated = width > 1 and any(row.cells in first_cells for row in (*below, *last_rows))
    checked_rows = last_rows[: len(last_rows) - foot.cut] if whole else below
    return Dialect(
        delimiter,
        quoting,
        names=names if header_rows else [""] * width,
        header=tuple(row.first for row in header_rows),
        comments=comments,
        preamble=first_line - 1,
        only_header=whole and bool(header_rows) and not any(row.cells for row in below),
        cut=foot.cut,
        repeated=tuple(row.cells for row in header_rows) if is_repeated else (),
        ragged=any(row.cells and len(row.cells) != width for row in checked_rows),
        warnings=[*warnings, *foot.warnings],
    )


def fit_width(cells: list[str], width: int) -> list[str]:
    """Return a row without the empty fields past the width of the header."""
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _drop_unused_names(names: list[str], below: list[Row]) -> list[str]:
    """Drop empty names at the end of a header if no row has a value in their columns."""
    width = len(names)
    while (
        width > 1
        and not names[width - 1].strip()
        and not any(len(row.cells) >= width and row.cells[width - 1].strip() for row in below)
    ):
        width -= 1
    return names[:width]


def _find_head(sample: list[Row], lines: list[str], start: int, options: Options) -> header.Head:
    """Find the sample's row that names the columns."""
    if options.header_row == 0:
        return header.Head(None)
    if options.header_row is not None or options.skip_rows is not None:
        return header.Head(0, rows=options.header_count)
    widths = Counter(len(row.cells) for row in sample)
    frequent = [width for width, count in widths.items() if count > 1 and 4 * count >= len(sample)]
    width = max(frequent) if frequent else widths.most_common(1)[0][0]  # titles and notes are narrower than the table
    if lines[sample[0].first - 1].startswith("#"):
        return header.Head(0)
    return header.find_head([row.cells for row in sample], [row.first for row in sample], width)


def _take_sample(
    lines: list[str], delimiter: str, quoting: Quoting, first: int = 1, most: int = SAMPLE_ROWS
) -> list[Row]:
    """Split the first lines into at most `most` rows that are not blank; one empty row if there is none."""
    sample = []
    try:
        for row in split_rows(lines, delimiter, quoting, first):
            if row.cells:
                sample.append(row)
            if len(sample) == most:
                break
    except RowError:
        pass  # a field past the csv module's limit: the rows before it are enough
    return sample or [Row(first, first, [""])]


def _find_named_delimiter(lines: list[str]) -> str:
    """Return the delimiter that Excel's `sep=` names in the first line; empty if there is none."""
    match = NAMES_SEPARATOR.fullmatch(lines[0].removeprefix("\ufeff")) if lines else None
    return match[1] if match else ""


def _find_beginning(lines: list[str], options: Options) -> int:
    """Count the lines to leave out before delimiter and header are looked for.

    The caller names them, or they are blank lines, comments, Excel's `sep=`, or a title that a blank line separates
    from the table. Raises FileInvalidError if the caller names a blank line as the header.
    """
    if options.header_row:
        at = options.first_header - 1
        if at < len(lines) and not lines[at].strip():
            raise FileInvalidError(f"Row {at + 1} is blank, so it names no columns.", option="header_row")
        return min(at, len(lines))
    at = options.skip_rows or 0
    while at < len(lines) and (
        not lines[at].strip() or lines[at].startswith("#") or NAMES_SEPARATOR.fullmatch(lines[at])
    ):
        at += 1
    if 0 < at < len(lines) and lines[at - 1].startswith("#") and _is_header_in_comment(lines, at):
        at -= 1
    if options.skip_rows is not None or options.header_row is not None:
        return at
    return _skip_title(lines, at)


def _skip_title(lines: list[str], at: int) -> int:
    """Return the line below a title and its blank lines; `at` if there is no title."""
    title_end = at
    while (
        title_end < min(len(lines), at + header.MOST_TITLES)
        and lines[title_end].strip()
        and not any(delimiter in lines[title_end] for delimiter in DELIMITERS)
    ):
        title_end += 1
    blank_end = title_end
    while blank_end < len(lines) and not lines[blank_end].strip(" ,;\t\r\n"):
        blank_end += 1
    is_title = at < title_end < blank_end < len(lines) - 1
    return blank_end if is_title and any(delimiter in lines[blank_end] for delimiter in DELIMITERS) else at


def _is_header_in_comment(lines: list[str], at: int) -> bool:
    """Does the comment above the first row name its columns, as in `#id,name`?"""
    comment, first = lines[at - 1].rstrip("\r\n"), lines[at].rstrip("\r\n")
    for delimiter in DELIMITERS:
        if comment.count(delimiter) and comment.count(delimiter) == first.count(delimiter):
            kinds = [header.find_kind(cell) for cell in first.split(delimiter)]
            names = [header.find_kind(cell) for cell in comment.lstrip("#").split(delimiter)]
            return all(name in {"text", ""} for name in names) and any(kind not in {"text", ""} for kind in kinds)
    return False


def _find_delimiter(lines: list[str], suffix: str, named: str) -> tuple[str, Quoting]:
    """Find the delimiter that gives most rows the same number of fields, unless one is named, and its quoting."""
    promised = BY_NAME.get(suffix)
    candidates = (promised, *DELIMITERS) if promised else DELIMITERS
    order = (named,) if named else tuple(dict.fromkeys(candidates))
    best, score = (order[0], Quoting()), (False, 0.0, 0)
    for delimiter in order:
        quoting = _find_quoting(lines, delimiter)
        rating = _rate_sample(_take_sample(lines, delimiter, quoting))
        if rating > score or delimiter == order[0]:
            best, score = (delimiter, quoting), rating
    if not score[2] and not named:
        for delimiter in RARE_DELIMITERS:
            if _rate_sample(_take_sample(lines, delimiter, Quoting()))[:2] == (True, 1.0):
                return delimiter, Quoting()
    return best


def _find_quoting(lines: list[str], delimiter: str) -> Quoting:
    text = "".join(lines)
    if '"' not in text:
        return Quoting()
    mark = re.escape(delimiter)
    quoting = Quoting()
    if re.search(rf'\\"(?!{mark}|["\r\n]|$)', text):
        quoting = replace(quoting, backslash=True)
    if re.search(rf'{mark}[ ]+"', text):
        blank = replace(quoting, blank=True)
        rating = _rate_sample(_take_sample(lines, delimiter, quoting))
        if _rate_sample(_take_sample(lines, delimiter, blank)) >= rating:
            quoting = blank
    return quoting


def _rate_sample(sample: list[Row]) -> tuple[bool, float, int]:
    """Rate a delimiter by its rows: is it plausible, the share of rows with the commonest width, that width."""
    counts = Counter(len(row.cells) for row in sample if len(row.cells) > 1)
    if not counts:
        return False, 0.0, 0
    width = max(counts, key=lambda width: (counts[width], width))
    share = counts[width] / len(sample)
    return share > 0.5 or len(sample[0].cells) > 1, round(share, 3), width


def _warn_of_one_column(sample: list[Row]) -> list[str]:
    """Warn if another character may separate the fields of a table that was read as one column."""
    texts = [row.cells[0] for row in sample if row.cells]
    for mark, name in ((":", "colons"), (" ", "blanks")):
        fields = list(csv.reader(texts, delimiter=mark))
        width = len(fields[-1])
        is_even = len(fields[0]) in {width, width - 1} and {len(row) for row in fields[1:]} == {width}
        is_number = [
            all(header.find_kind(row[at]) == "number" for row in fields[1:]) for at in range(width) if is_even
        ]
        if width > 1 and all(map(all, fields)) and any(is_number):
            return [f"The table has one column; if {name} part its fields, set `delimiter` to {mark!r}."]
    if any(len(row) > 1 and row[0] for row in csv.reader(texts[:2])) or any(texts[0].count(d) for d in ";\t|"):
        return ["The table has one column, whose texts hold delimiters: each line seems to be in quotes as a whole."]
    if len(texts) > 2 and all(map(SEVERAL_BLANKS.search, texts)):
        return ["The table has one column; it seems to have columns of fixed width, which are not read as such."]
    return []
