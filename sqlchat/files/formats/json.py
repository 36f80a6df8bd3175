"""JSON: an array of objects, JSON lines, an object of equally long arrays, or an object around an array of objects.

Rows are decoded one after the other from a window over the text: an array of any length takes a block of memory.
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
from sqlchat.files.formats import BLOCK_BYTES, Block, Load, Options, Table, check_width
from sqlchat.files.formats.values import parts, valid_text
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
    table.blocks = _blocks(source, table)
    return table


def _blocks(source: Source, table: Table) -> Iterator[Load]:
    codec = "utf-16" if table.facts["encoding"] == "utf-16" else "utf-8-sig"
    with io.TextIOWrapper(source.open(), codec, newline="") as text:
        window = _Window(text)
        try:
            rows = _rows(window, table)
            while block := list(islice(rows, BLOCK_ROWS)):
                yield partial(_block, block, window.line)
        except UnicodeDecodeError as exc:
            raise FileInvalidError("The file is no UTF-8, as JSON must be.") from exc
        except RecursionError as exc:
            raise _too_deep(window.line) from exc
    if window.constants:
        table.warnings.append("NaN and Infinity, which JSON does not have, were read as nulls.")


def _rows(window: _Window, table: Table) -> Iterator[dict[str, Any]]:
    if window.peek() == "[":
        window.skip()
        yield from _elements(window)
        if window.peek():
            raise window.fault("There is more after the end of the array")
        return
    first = _object(window, MAX_DOCUMENT)
    if window.peek():
        yield first
        while window.peek():
            yield _object(window, BLOCK_BYTES)
    else:
        yield from _document(first, table)


def _elements(window: _Window) -> Iterator[dict[str, Any]]:
    if window.peek() == "]":
        raise FileInvalidError("The array is empty, so there is no table in it.")
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


def _document(value: dict[str, Any], table: Table) -> Iterator[dict[str, Any]]:
    """The rows in a file that is one object."""
    lists = {k: v for k, v in value.items() if isinstance(v, list)}
    by_column = lists and len(lists) == len(value) and len({len(v) for v in lists.values()}) == 1
    if by_column and (len(lists) > 1 or not all(isinstance(v, dict) for v in next(iter(lists.values())))):
        check_width(len(lists))
        yield from (dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True))
        return
    tables = [k for k, v in lists.items() if v and all(isinstance(row, dict) for row in v)]
    if len(tables) == 1:
        if len(value) > 1:
            table.warnings.append(f"The rows are those of {tables[0]!r}; what stands beside it was left out.")
        yield from lists[tables[0]]
        return
    if lists and len(lists) == len(value):
        lengths = ", ".join(f"{k!r} {len(v):,}" for k, v in list(lists.items())[:5])
        raise FileInvalidError(f"The arrays of an object must be of one length; here they have {lengths}.")
    yield value


def _block(rows: list[dict[str, Any]], line: int) -> Block:
    """`line` is where they end."""
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
        check_width(len(names))
    try:
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
