"""CSV (RFC 4180): names in the first line; null is an empty field, an empty text is `""`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from sqlchat.connections.streams import Stream
from sqlchat.exports.values import Values, read_values

SPECIAL = re.compile(r'[",\r\n]|^$')
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # the last four are full-width: some spreadsheets read them as ASCII
FIRST_BYTES = np.frombuffer(b"=+-@" + "＝".encode()[:1], np.uint8)
"""Of formulas, whose other first signs are escaped."""
EMPTY = b'""'


def write(stream: Stream, *, guards_formulas: bool = False) -> Iterator[bytes]:
    """Write CSV. `guards_formulas` puts an apostrophe before texts that a spreadsheet would compute, not numbers."""
    yield b",".join(_write_field(name, guards_formulas) for name in stream.header.columns) + b"\r\n"
    for values in read_values(stream):
        yield _write_lines(values, guards_formulas)


def _write_lines(values: Values, guards_formulas: bool) -> bytes:
    is_bare = values.is_text & ~values.holds_comma & (values.ends - values.starts > len(EMPTY))
    is_special = values.is_escaped | values.is_nested
    if not guards_formulas and not (is_special | values.is_null | (values.is_text & ~is_bare)).any():
        return values.data.translate(None, b'"').replace(b"\n", b"\r\n")
    starts, ends = values.find_contents(strips=is_bare)
    if guards_formulas:
        is_special |= values.is_text & np.isin(np.frombuffer(values.data, np.uint8)[values.starts + 1], FIRST_BYTES)
    instead = {
        index: _write_field(values.read(index), guards_formulas and bool(values.is_text[index]))
        for index in np.flatnonzero(is_special).tolist()
    }
    if values.width == 1:  # a line of one empty field would be an empty line, which readers skip
        instead |= dict.fromkeys(np.flatnonzero(values.is_null).tolist(), EMPTY)
    return values.join_rows(starts, ends, [b"", *[b","] * (values.width - 1), b"\r\n"], instead)


def _write_field(text: str, guards_formulas: bool) -> bytes:
    if guards_formulas and FORMULA.match(text):
        text = f"'{text}"
    return ('"' + text.replace('"', '""') + '"' if SPECIAL.search(text) else text).encode()
