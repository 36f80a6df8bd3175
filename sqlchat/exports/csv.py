"""CSV (RFC 4180): names in the first line; null is an empty field, an empty text is `""`."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.connections.streams import Stream
from sqlchat.exports.texts import as_plain, holds_any, join

SPECIAL = b'",\r\n'
QUOTED = r'[",\r\n]|^$'
FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"  # the last four are full-width: some spreadsheets read them as ASCII
END_OF_LINE = "\r\n"


def write(stream: Stream, *, guards_formulas: bool = False) -> Iterator[bytes]:
    """With `guards_formulas`, texts that a spreadsheet would compute begin with an apostrophe; numbers never do."""
    header = stream.header
    names = pa.array(header.columns, pa.string())
    yield _lines([names.slice(index, 1) for index in range(len(names))], [False] * len(names), guards_formulas)
    for batch in stream:
        yield _lines(batch.columns, header.is_json, guards_formulas)


def _lines(columns: list[pa.Array], is_json: list[bool] | tuple[bool, ...], guards_formulas: bool) -> bytes:
    pieces: list[pa.Array | str] = []
    for column, each in zip(columns, is_json, strict=True):
        pieces += [_fields(column, each, guards_formulas), ","]
    # a line of one empty field would be an empty line, which readers skip
    return join([*pieces[:-1], END_OF_LINE], null='""' if len(columns) == 1 else "")


def _fields(column: pa.Array, is_json: bool, guards_formulas: bool) -> pa.Array:
    texts, strings = as_plain(column, is_json)
    if isinstance(strings, pa.Scalar) and not holds_any(texts, b","):
        return texts  # numbers, and no list of them
    if guards_formulas:
        formulas = pc.match_substring_regex(texts, FORMULA)
        if strings is not None:
            formulas = pc.and_(formulas, strings)
        if pc.any(formulas).as_py():
            texts = pc.if_else(formulas, pc.binary_join_element_wise("'", texts, ""), texts)
    if holds_any(texts, SPECIAL) or pc.min(pc.binary_length(texts)).as_py() == 0:
        quoted = pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")
        texts = pc.if_else(pc.match_substring_regex(texts, QUOTED), quoted, texts)
    return texts
