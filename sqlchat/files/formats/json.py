"""JSON: an array of objects, JSON lines, an object of equally long arrays, or objects around an array of objects.

What is nested in a row becomes columns of its own, as `documents` has it. Rows are decoded one after the other from a
window over the text: an array of any length takes a block of memory.
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
from sqlchat.files.formats.documents import Flattening, document_rows
from sqlchat.files.formats.values import parts, valid_text
from sqlchat.files.options import Options
from sqlchat.files.source import Source

BLOCK_ROWS = 20_000
WINDOW = 1 << 20
"""Characters read at a time."""

MAX_DOCUMENT = 64 << 20
"""Characters of a single object that holds the whole table."""

BLANK = re.compile(r"[ \t\r\n]*")


def read(source: Source, options: Options) -> Table:
    """A table of typed values. Raises FileInvalidError with the fact `line` where the text is no JSON."""
    start = source.head(4)
    utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    table = Table([], iter(()), {"encoding": "utf-16" if utf16 else "utf-8"})
    table.blocks = _blocks(source, table, options.sheet)
    return table


def _blocks(source: Source, table: Table, part: str | int | None) -> Iterator[Load]:
    flatten = Flattening()
    codec = "utf-16" if table.facts["encoding"] == "utf-16" else "utf-8-sig"
    with io.TextIOWrapper(source.open(), codec, newline="") as text:
        window = _Window(text)
        try:
            rows = _rows(window, table, part)
            while block := list(islice(rows, BLOCK_ROWS)):
                flatten.look(block)
                yield partial(_block, block, window.line, flatten)
        except UnicodeDecodeError as exc:
            raise FileInvalidError("The file is no UTF-8, as JSON must be.") from exc
        except RecursionError as exc:
            raise _too_deep(window.line) from exc
    if window.constants:
        table.warnings.append("NaN and Infinity, which JSON does not have, were read as nulls.")


def _rows(window: _Window, table: Table, part: str | int | None) -> Iterator[dict[str, Any]]:
    if window.peek() == "[":
        window.skip()
        yield from _elements(window, table)
        if window.peek():
            raise window.fault("There is more after the end of the array")
        return
    first = _object(window, MAX_DOCUMENT)
    if window.peek():
        yield first
        while window.peek():
            yield _object(window, BLOCK_BYTES)
    else:
        yield from document_rows(first, table, part)


def _elements(window: _Window, table: Table) -> Iterator[dict[str, Any]]:
    if window.peek() == "]":
        raise FileInvalidError("The array is empty, so there is no table in it.")
    if window.peek() == "[":
        yield from _read_lists(window, table)
        return
    while True:
        yield _object(window, BLOCK_BYTES)
        following = window.peek()
        if following not in {",", "]"}:
            raise window.fault("Expected a comma or the end of the array")
        window.skip()
        if following == "]":
            return


def _object(window: _Window, limit: int) -> dict[str, Any]:
    if window.peek() != "{":
        raise window.fault('Expected an object such as {"id": 1} for each row')
    value = window.value(limit)
    assert isinstance(value, dict)
    return value


def _read_lists(window: _Window, table: Table) -> Iterator[dict[str, Any]]:
    """Rows that are arrays; the first may hold their names."""
    first, ended = _list(window)
    named = (
        bool(first)
        and all(isinstance(name, str) and name.strip() for name in first)
        and len(set(first)) == len(first)
    )
    names = first if named else [f"column_{number}" for number in range(1, len(first) + 1)]
    table.warnings.append(f"The rows are arrays; their names are {'those of the first' if named else 'numbers'}.")
    if not named:
        yield dict(zip(names, first, strict=True))
    while not ended:
        row, ended = _list(window)
        if len(row) != len(names):
            raise window.fault(f"A row has {len(row)} values where the first has {len(names)}")
        yield dict(zip(names, row, strict=True))


def _list(window: _Window) -> tuple[list[Any], bool]:
    """An array, and whether it was the last."""
    if window.peek() != "[":
        raise window.fault("Expected an array for each row, as the first one is")
    value: list[Any] = window.value(BLOCK_BYTES)
    following = window.peek()
    if following not in {",", "]"}:
        raise window.fault("Expected a comma or the end of the array")
    window.skip()
    return value, following == "]"


def _block(rows: list[dict[str, Any]], line: int, flatten: Flattening) -> Block:
    """`line` is where they end."""
    names: dict[str, None] = {}
    try:
        rows = [flatten.flat(row) for row in rows]
        for row in rows:
            names.update(dict.fromkeys(row))
            check_width(len(names))
        return Block(len(rows), {valid_text(name): parts([row.get(name) for row in rows]) for name in names})
    except RecursionError as exc:
        raise _too_deep(line) from exc


def _too_deep(line: int) -> FileInvalidError:
    return FileInvalidError("Values are nested too deeply to be read.", line=line)


class _Window:
    """A text seen through a window that moves forward, value by value."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text, self._seen, self._at, self._lines, self._ended = text, "", 0, 0, False
        self._decode = json.JSONDecoder(parse_constant=self._constant).raw_decode
        self.constants = 0

    @property
    def line(self) -> int:
        """Of what comes next, from 1."""
        return self._lines + self._seen.count("\n", 0, self._at) + 1

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            match = BLANK.match(self._seen, self._at)
            assert match is not None
            self._at = match.end()
            if self._at < len(self._seen):
                return self._seen[self._at]
            if not self._more(WINDOW):
                return ""

    def skip(self) -> None:
        self._at += 1

    def value(self, limit: int) -> Any:
        """Decode the next value, of `limit` characters at most."""
        size = WINDOW
        while True:
            try:
                value, self._at = self._decode(self._seen, self._at)
            except ValueError as exc:
                if len(self._seen) - self._at > limit:
                    raise TooLargeError(
                        f"The value on line {self.line} is longer than {limit >> 20} MiB; send rows as JSON lines."
                    ) from exc
                if self._more(size):
                    size *= 2
                    continue
                raise self.fault("The text is no JSON", getattr(exc, "pos", self._at)) from exc
            return value

    def fault(self, what: str, position: int | None = None) -> FileInvalidError:
        if position is not None:
            self._at = min(position, len(self._seen))
        return FileInvalidError(f"{what} (line {self.line}).", line=self.line)

    def _more(self, size: int) -> bool:
        """Move on past what was decoded, and read further. False at the end."""
        text = "" if self._ended else self._text.read(size)
        self._ended = not text
        if text:
            self._lines += self._seen.count("\n", 0, self._at)
            self._seen, self._at = self._seen[self._at :] + text, 0
        return bool(text)

    def _constant(self, _name: str) -> None:
        self.constants += 1
