"""Numbers that stay text because of how they are written: a decimal comma, thousands marks, currency, percent.

They are told of and not converted, since `1.234` is a thousand to one reader and one to another.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

CURRENCY = "$€£¥₹"
DECIMALS = r"(?:[.,]\d+)?"
NUMBER = (
    rf"(?:(?:0|[1-9]\d*){DECIMALS}"
    rf"|[1-9]\d{{0,2}}(?:[.,'’\x{{A0}}\x{{202F}}]\d{{3}})+{DECIMALS}"
    r"|[1-9]\d{0,2}(?: \d{3})+[.,]\d{1,2})"  # by blanks alone, a telephone number is grouped too
)
BLANK = r"[ \x{A0}\x{202F}]?"
MARKED = rf"^-?(?:[{CURRENCY}]{BLANK})?-?{NUMBER}(?:{BLANK}[%{CURRENCY}])?$"
KINDS = {
    "a decimal comma or thousands marks": r"[,'’\x{A0}\x{202F}]|\..*\.|\d \d",
    "currency signs": f"[{CURRENCY}]",
    "percent signs": "%",
}
FEW = 32


def marks(texts: pa.Array, ignored: frozenset[str]) -> frozenset[str] | None:
    """How the numbers in `texts` are marked; empty for plain ones, None where a text is no number at all.

    `ignored` are words for no value.
    """
    if len(texts) > FEW and marks(texts.slice(0, FEW), ignored) is None:
        return None
    texts = pc.utf8_trim_whitespace(texts)
    texts = texts.filter(pc.invert(pc.is_in(texts, pa.array([*ignored, ""], texts.type))))
    if not _all(pc.match_substring_regex(texts, MARKED)):
        return None
    return frozenset(kind for kind, mark in KINDS.items() if _any(pc.match_substring_regex(texts, mark)))


def _all(flags: pa.Array) -> bool:
    found: Any = pc.all(flags).as_py()
    return found is not False  # None without any


def _any(flags: pa.Array) -> bool:
    return bool(pc.any(flags).as_py())
