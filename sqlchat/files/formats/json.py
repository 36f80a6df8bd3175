"""JSON: an array of objects, JSON lines, an object of equally long arrays, or objects around an array of objects.

`documents` makes columns of objects that are nested in a row. Rows are decoded one by one from a window over the
text, so an array of any length takes one block of memory.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from sqlchat.errors import FileInvalidError, TooLargeError
from sqlchat.files.formats import BLOCK_BYTES, Block, Load, Table, check_width
from sqlchat.files.formats.documents import Flattening, read_document_rows
from sqlchat.files.formats.values import make_parts, replace_surrogates
from sqlchat.files.options import Options
from sqlchat.files.source import Source

BLOCK_ROWS = 20_000
WINDOW = 1 << 20
"""Characters read at a time."""

MAX_DOCUMENT = 64 << 20
"""Characters of a single object that holds the whole table."""

BLANK = re.compile(r"[ \t\r\n]*")


def read(source: Source, options: Options) -> Table:
    """Open a table of typed values. Raises FileInvalidError with the fact `line` if the text is no JSON."""
    is_utf16 = source.head(4).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    table = Table([], iter(()), {"encoding": "utf-16" if is_utf16 else "utf-8"})
    table.blocks = _read_blocks(source, table, options.sheet)
    return table


def _read_blocks(source: Source, table: Table, part: str | int | None) -> Iterator[Load]:
    flatten = Flattening()
    codec = "utf-16" if table.facts["encoding"] == "utf-16" else "utf-8-sig"
    with io.TextIOWrapper(source.open(), codec, newline="") as text:
        window = _Window(text)
        try:
            rows = _read_rows(window, table, part)
            while block := list(islice(rows, BLOCK_ROWS)):
                flatten.look(block)
                yield partial(_make_block, block, window.line, flatten)
        except UnicodeDecodeError as exc:
            raise FileInvalidError("The file is no UTF-8, as JSON must be.") from exc
        except RecursionError as exc:
            raise _make_depth_error(window.line) from exc


def _read_rows(window: _Window, table: Table, part: str | int | None) -> Iterator[dict[str, Any]]:
    if window.peek() == "[":
        window.skip()
        yield from _read_elements(window, table)
        if window.peek():
            raise window.make_error("There is more after the end of the array")
        return
    first = _read_object(window, MAX_DOCUMENT)
    if window.peek():
        yield first
        while window.peek():
            yield _read_object(window, BLOCK_BYTES)
    else:
        yield from read_document_rows(first, table, part)


def _read_elements(window: _Window, table: Table) -> Iterator[dict[str, Any]]:
    if window.peek() == "]":
        raise FileInvalidError("The array is empty, so there is no table in it.")
    if window.peek() == "[":
        yield from _read_lists(window, table)
        return
    is_last = False
    while not is_last:
        yield _read_object(window, BLOCK_BYTES)
        is_last = _skip_separator(window)


def _skip_separator(window: _Window) -> bool:
    """Skip the comma or the bracket behind an element of an array. Returns True for the bracket."""
    separator = window.peek()
    if separator not in {",", "]"}:
        raise window.make_error("Expected a comma or the end of the array")
    window.skip()
    return separator == "]"


def _read_object(window: _Window, limit: int) -> dict[str, Any]:
    if window.peek() != "{":
        raise window.make_error('Expected an object such as {"id": 1} for each row')
    value = window.value(limit)
    assert isinstance(value, dict)
    return value


def _read_lists(window: _Window, table: Table) -> Iterator[dict[str, Any]]:
    """Read rows that are arrays; the first may hold their names."""
    first, is_last = _read_list(window)
    is_all_text = bool(first) and all(isinstance(name, str) and name.strip() for name in first)
    has_names = is_all_text and len(set(first)) == len(first)
    names = first if has_names else [f"column_{number}" for number in range(1, len(first) + 1)]
    table.warnings.append(f"The rows are arrays; their names are {'those of the first' if has_names else 'numbers'}.")
    if not has_names:
        yield dict(zip(names, first, strict=True))
    while not is_last:
        row, is_last = _read_list(window)
        if len(row) != len(names):
            raise window.make_error(f"A row has {len(row)} values where the first has {len(names)}")
        yield dict(zip(names, row, strict=True))


def _read_list(window: _Window) -> tuple[list[Any], bool]:
    """Read one inner array. Returns it, and True if it is the last."""
    if window.peek() != "[":
        raise window.make_error("Expected an array for each row, as the first one is")
    return window.value(BLOCK_BYTES), _skip_separator(window)


def _make_block(rows: list[dict[str, Any]], line: int, flatten: Flattening) -> Block:
    """Make a block of rows. `line` is the line of their end. Raises FileInvalidError."""
    names: dict[str, None] = {}
    try:
        rows = [flatten.flat(row) for row in rows]
        for row in rows:
            names.update(dict.fromkeys(row))
            check_width(len(names))
        return Block(
            len(rows), {replace_surrogates(name): make_parts([row.get(name) for row in rows]) for name in names}
        )
    except RecursionError as exc:
        raise _make_depth_error(line) from exc


def _make_depth_error(line: int) -> FileInvalidError:
    return FileInvalidError("Values are nested too deeply to be read.", line=line)


class _Window:
    """A text seen through a window that moves forward, value by value."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text, self._window, self._at, self._lines, self._is_ended = text, "", 0, 0, False
        self._decode = json.JSONDecoder().raw_decode

    @property
    def line(self) -> int:
        """Return the line of the next character, from 1."""
        return self._lines + self._window.count("\n", 0, self._at) + 1

    def peek(self) -> str:
        """Return the next character that is not blank; "" at the end."""
        while True:
            match = BLANK.match(self._window, self._at)
            assert match is not None
            self._at = match.end()
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._read_more(WINDOW):
                return ""

    def skip(self) -> None:
        self._at += 1

    def value(self, limit: int) -> Any:
        """Decode the next value, of `limit` characters at most."""
        size = WINDOW
        while True:
            try:
                value, self._at = self._decode(self._window, self._at)
            except ValueError as exc:
                if len(self._window) - self._at > limit:
                    raise TooLargeError(
                        f"The value on line {self.line} is longer than {limit >> 20} MiB; send rows as JSON lines."
                    ) from exc
                if self._read_more(size):
                    size *= 2
                    continue
                raise self.make_error("The text is no JSON", getattr(exc, "pos", self._at)) from exc
            return value

    def make_error(self, what: str, position: int | None = None) -> FileInvalidError:
        if position is not None:
            self._at = min(position, len(self._window))
        return FileInvalidError(f"{what} (line {self.line}).", line=self.line)

    def _read_more(self, size: int) -> bool:
        """Drop the decoded text and read more. Returns False at the end."""
        text = "" if self._is_ended else self._text.read(size)
        self._is_ended = not text
        if text:
            self._lines += self._window.count("\n", 0, self._at)
            self._window, self._at = self._window[self._at :] + text, 0
        return bool(text)
