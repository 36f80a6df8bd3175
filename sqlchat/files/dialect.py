"""Detects delimiter, quoting, header and footer of a text table. What the caller says goes before."""

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
"""Of the file, to find delimiter and header in; the header must end within them."""
TAIL_BYTES = 1 << 16
"""Of a longer file, to find notes and totals in."""

LONGEST_FIELD = 16 << 20
"""Characters; also of what a quote opens that nothing closes."""
SAMPLE_ROWS = 1000
DELIMITERS = (",", ";", "\t", "|")
RARE_DELIMITERS = ("~", "^", "\x1f", "\x01")
"""Taken if every row has as many, and none of the usual ones."""
BY_NAME = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
"""Suffix -> the delimiter that a name promises."""

MARKUP = re.compile(r"<(!doctype|html|head|body|table|\?xml|!--|svg|rss|div|script)\b", re.IGNORECASE)
JSON = re.compile(r"(\[\s*[\[{\]\"]|\{\s*[\"}])")
SEVERAL_BLANKS = re.compile(r"\S( {2,}|\t)\S")
NAMES_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Quoting:
    """How fields are quoted."""

    backslash: bool = False
    """Does a backslash, rather than another quote, come before a quote within quotes?"""
    blank: bool = False
    """May a blank come before the quote that opens a field?"""

    @property
    def is_usual(self) -> bool:
        return not (self.backslash or self.blank)


@dataclass(frozen=True)
class Row:
    """One row and the physical lines that it takes, from 1."""

    first: int
    last: int
    cells: list[str]


class RowError(Exception):
    """Lines that are no row, from `first` to `last`."""

    def __init__(self, what: str, first: int, last: int) -> None:
        super().__init__(what)
        self.first, self.last = first, last


@dataclass(frozen=True)
class Dialect:
    """How the text is cut into a table."""

    delimiter: str
    quoting: Quoting
    names: list[str]
    """Of the columns; empty ones where there is no header."""
    header: tuple[int, ...]
    """Lines of the header's rows, from 1; (): there is none."""
    preamble: int
    """Physical lines before the header, or before the first row where there is none."""
    only_header: bool = False
    cut: int = 0
    """Rows at the end that are no part of the table."""
    repeated: tuple[list[str], ...] = ()
    """The header's rows if they stand among the rows of the table too."""
    ragged: bool = False
    """Is there a row, as far as was looked, of another width than the header?"""
    warnings: list[str] = field(default_factory=list)


def refuse_other(head: str) -> None:
    """Raise UnsupportedMediaError for JSON or markup under the name of a text table."""
    start = head.lstrip("\ufeff \t\r\n")
    if MARKUP.match(start):
        raise UnsupportedMediaError("The content is HTML or XML, no table of text; save the table itself as CSV.")
    if JSON.match(start):
        raise UnsupportedMediaError("The content is JSON, no table of text: name the file .json (or .jsonl).")


def rows(
    lines: Iterable[str], delimiter: str, quoting: Quoting, first: int = 1, *, strict: bool = False
) -> Iterator[Row]:
    """Cut lines into rows; blank lines give rows without cells. Raises RowError.

    `first` is the number of the first line.
    """
    csv.field_size_limit(LONGEST_FIELD)
    if quoting.backslash:
        lines = (_with_doubled_quotes(line) for line in lines)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=quoting.blank, strict=strict)
    start = first
    try:
        for cells in reader:
            last = first - 1 + reader.line_num
            yield Row(start, last, cells)
            start = last + 1
    except csv.Error as exc:
        raise RowError(str(exc), start, first - 1 + reader.line_num) from exc


def _with_doubled_quotes(line: str) -> str:
    if "\\" not in line:
        return line
    return re.sub(r'\\(["\\])', lambda found: '""' if found[1] == '"' else "\\", line)


def find_dialect(head: str, tail: str, suffix: str, options: Options, *, whole: bool) -> Dialect:
    """Find how the text is cut, by its first and last characters. `whole`: the first ones are all.

    Raises FileInvalidError where there is no header to be found, or no such row as the caller names.
    """
    lines = (
        head.splitlines(keepends=True) if "\r" not in head else re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", head)
    )
    if not whole and len(lines) > 1:
        lines.pop()  # the last one may be cut
    start, said = _find_beginning(lines, options)
    body = lines[start:]
    if not "".join(body).strip():
        if options.header_row or options.skip_rows:
            raise FileInvalidError(
                f"The file has {len(lines):,} rows, so none is left to name the columns.", option="header_row"
            )
        raise FileInvalidError("The file holds no rows, not even a header.")
    delimiter, quoting = _find_delimiter(body, suffix, options.delimiter or said)
    found = _take_sample(body, delimiter, quoting, start + 1)
    if not whole and len(found) == 1 and len(found[0].cells) == 1 and len(head) >= HEAD_BYTES // 4:
        raise FileInvalidError("The first line is longer than 1 MiB, so this is no table.", line=start + 1)
    head_of = _find_head(found, lines, start, options)
    at, warnings = head_of.header, list(head_of.warnings)
    if (
        start
        and options.header_row is None
        and options.skip_rows is None
        and "".join(lines[:start]).strip() not in {"", "sep=" + delimiter}
    ):
        warnings.insert(0, f"The first {start} lines, before the header, were left out.")
    count = head_of.rows if at is not None else 0
    first = found[at or 0]
    heads = [row.cells for row in found[at or 0 : (at or 0) + max(1, count)]]
    below = found[(at or 0) + count :]
    names = header.join_names(*heads) if count == 2 else list(heads[0])
    names[0] = names[0].removeprefix("\ufeff")
    if count and names[0].startswith("#") and lines[first.first - 1].startswith("#"):
        names[0] = names[0].lstrip("#").strip() or names[0]
    names = _without_empty_end(names, below)
    width = len(names)
    last = (
        [row for row in below if row.cells] if whole else _take_sample(_take_whole_lines(tail), delimiter, quoting, 1)
    )
    foot = footer.Foot(0)
    if width > 1:
        foot = footer.find_foot(
            [_fit_width(row.cells, width) for row in last], width, options.totals == "drop", whole=whole
        )
        warnings += footer.warn_of_totals_within([row.cells for row in below[: len(below) - foot.count * whole]])
    kept = last[: len(last) - foot.cut] if foot.cut else last
    warnings += _warn_of_one_column(found) if width == 1 else footer.warn_of_second_table(below, width)
    repeated = tuple(heads[:count]) if any(row.cells in heads for row in (*below, *last)) else ()
    return Dialect(
        delimiter,
        quoting,
        names if count else [""] * width,
        tuple(row.first for row in found[at or 0 : (at or 0) + count]),
        first.first - 1,
        whole and count > 0 and not any(row.cells for row in below),
        foot.cut,
        repeated if width > 1 else (),
        any(row.cells and len(row.cells) != width for row in (kept if whole else below)),
        [*warnings, *foot.warnings],
    )


def _take_whole_lines(tail: str) -> list[str]:
    """The lines of the end of a file but the first, which is cut."""
    return tail.splitlines(keepends=True)[1:]


def _fit_width(cells: list[str], width: int) -> list[str]:
    """A row without the empty fields past the header."""
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _without_empty_end(names: list[str], below: list[Row]) -> list[str]:
    """A header that ends in delimiters names no columns by them, unless there is something in those."""
    width = len(names)
    while (
        width > 1
        and not names[width - 1].strip()
        and not any(len(row.cells) >= width and row.cells[width - 1].strip() for row in below)
    ):
        width -= 1
    return names[:width]


def _find_head(found: list[Row], lines: list[str], start: int, options: Options) -> header.Head:
    """Find the sample's row that names the columns."""
    if options.header_row == 0:
        return header.Head(None)
    if options.header_row is not None or options.skip_rows is not None:
        return header.Head(0, rows=2 if options.has_two_headers else 1)
    widths = Counter(len(row.cells) for row in found)
    frequent = [width for width, count in widths.items() if count > 1 and 4 * count >= len(found)]
    width = max(frequent) if frequent else widths.most_common(1)[0][0]  # titles and notes are narrower than the table
    if lines[found[0].first - 1].startswith("#"):
        return header.Head(0)
    return header.find_head([row.cells for row in found], [row.first for row in found], width)


def _take_sample(lines: list[str], delimiter: str, quoting: Quoting, first: int) -> list[Row]:
    """The first rows that are not blank."""
    found = []
    try:
        for row in rows(lines, delimiter, quoting, first):
            if row.cells:
                found.append(row)
            if len(found) == SAMPLE_ROWS and len(lines) > SAMPLE_ROWS * 20:
                break
    except RowError:
        pass  # a field past the csv module's limit: the rows so far tell enough
    return found or [Row(first, first, [""])]


def _find_beginning(lines: list[str], options: Options) -> tuple[int, str]:
    """Lines to leave out before anything is looked at, and the delimiter that one of them names.

    Those are what the caller says, or blank lines, comments, Excel's `sep=`, a title that a blank line parts from the
    table.
    """
    said = next(
        (found[1] for line in lines[:1] if (found := NAMES_SEPARATOR.fullmatch(line.removeprefix("\ufeff")))), ""
    )
    if options.header_row:
        at = options.first_header - 1
        if at < len(lines) and not lines[at].strip():
            raise FileInvalidError(f"Row {at + 1} is blank, so it names no columns.", option="header_row")
        return min(at, len(lines)), said
    at = options.skip_rows or 0
    while at < len(lines) and (
        not lines[at].strip() or lines[at].startswith("#") or NAMES_SEPARATOR.fullmatch(lines[at])
    ):
        at += 1
    if 0 < at < len(lines) and lines[at - 1].startswith("#") and _is_header_in_comment(lines, at):
        at -= 1
    if options.skip_rows is not None or options.header_row is not None:
        return at, said
    title = at
    while (
        title < min(len(lines), at + header.MOST_TITLES)
        and lines[title].strip()
        and not any(d in lines[title] for d in DELIMITERS)
    ):
        title += 1
    blank = title
    while blank < len(lines) and not lines[blank].strip(" ,;\t\r\n"):
        blank += 1
    parted = title > at and blank > title and blank + 1 < len(lines)
    return blank if parted and any(d in lines[blank] for d in DELIMITERS) else at, said


def _is_header_in_comment(lines: list[str], at: int) -> bool:
    """Does the comment above the first row name its columns, as in `#id,name`?"""
    comment, first = lines[at - 1].rstrip("\r\n"), lines[at].rstrip("\r\n")
    for delimiter in DELIMITERS:
        if comment.count(delimiter) and comment.count(delimiter) == first.count(delimiter):
            kinds = [header.kind(cell) for cell in first.split(delimiter)]
            names = [header.kind(cell) for cell in comment.lstrip("#").split(delimiter)]
            return all(name in {"text", ""} for name in names) and any(kind not in {"text", ""} for kind in kinds)
    return False


def _find_delimiter(lines: list[str], suffix: str, said: str) -> tuple[str, Quoting]:
    """The delimiter by which most rows have as many fields as most others, and how its fields are quoted."""
    promised = BY_NAME.get(suffix)
    order = (said,) if said else tuple(dict.fromkeys((promised, *DELIMITERS) if promised else DELIMITERS))
    best, score = (order[0], Quoting()), (False, 0.0, 0)
    for delimiter in order:
        quoting = _find_quoting(lines, delimiter)
        found = _plausible(_take_sample(lines, delimiter, quoting, 1))
        if found > score or delimiter == order[0]:
            best, score = (delimiter, quoting), found
    if not score[2] and not said:
        for delimiter in RARE_DELIMITERS:
            if _plausible(_take_sample(lines, delimiter, Quoting(), 1))[:2] == (True, 1.0):
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
        if _plausible(_take_sample(lines, delimiter, blank, 1)) >= _plausible(
            _take_sample(lines, delimiter, quoting, 1)
        ):
            quoting = blank
    return quoting


def _plausible(found: list[Row]) -> tuple[bool, float, int]:
    """A delimiter is plausible by the share of rows that have the width of most, then by the number of fields."""
    widths = Counter(len(row.cells) for row in found)
    wide = {width: count for width, count in widths.items() if width > 1}
    if not wide:
        return False, 0.0, 0
    width = max(wide, key=lambda each: (wide[each], each))
    share = wide[width] / len(found)
    first = len(found[0].cells) > 1
    return share > 0.5 or first, round(share, 3), width


def _warn_of_one_column(found: list[Row]) -> list[str]:
    """A warning if another sign may separate fields of rows that were read as one."""
    texts = [row.cells[0] for row in found if row.cells]
    for mark, name in ((":", "colons"), (" ", "blanks")):
        parted = list(csv.reader(texts, delimiter=mark))
        width = len(parted[-1])
        is_even = len(parted[0]) in {width, width - 1} and {len(row) for row in parted[1:]} == {width}
        if width > 1 and is_even and all(map(all, parted)) and _has_numbers(parted[1:]):
            return [f"The table has one column; if {name} part its fields, set `delimiter` to {mark!r}."]
    if any(len(row) > 1 and row[0] for row in csv.reader(texts[:2])) or any(texts[0].count(d) for d in ";\t|"):
        return ["The table has one column, whose texts hold delimiters: each line seems to be in quotes as a whole."]
    if len(texts) > 2 and all(map(SEVERAL_BLANKS.search, texts)):
        return ["The table has one column; it seems to have columns of fixed width, which are not read as such."]
    return []


def _has_numbers(rows: list[list[str]]) -> bool:
    """Are the fields of one place numbers in all rows?"""
    return any(all(header.kind(row[at]) == "number" for row in rows) for at in range(len(rows[0])))
