"""Numbers as people write them: a decimal comma, thousands marks, currency and percent signs.

A notation reads all texts of a column or none. `decisions` compares the numbers if several notations read a column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

SIGNS = "$€£¥₹₽₩₺₪฿₫₴₦₱₡₲₸₼₾"
CODES = (
    "USD EUR GBP CHF JPY CNY INR RUB TRY BRL CAD AUD NZD MXN ZAR SEK NOK DKK ISK PLN CZK HUF RON BGN UAH ILS KRW "
    "THB SGD HKD TWD IDR MYR PHP VND AED SAR EGP NGN KES ARS CLP COP PEN"
)
WORDS = "US$ R$ A$ C$ kr. kr zł Kč Ft Fr. SFr. lei лв. лв руб. руб Rs."
CURRENCY = "|".join([f"[{SIGNS}]", *map(re.escape, (CODES + " " + WORDS).split())])
GAP = r"[ \x{A0}\x{202F}\x{2009}]*"
MINUS = "[-\u2212\u2013]"
GROUP_MARKS = {" ": r"[ \x{A0}\x{202F}\x{2009}]", "'": "['’]", ",": ",", ".": r"\."}
PERCENT = "%"
BLANKS = "grouped by blanks"
PLUS = "plus sign"
LONGEST_PLUS = 7
"""Characters of a number after a plus sign; a telephone number has more."""


@dataclass(frozen=True)
class Notation:
    """One way to write numbers.

    >>> Notation(",", ".").plain(pa.array(["1.234,50 €", "-3 €"]))[0].to_pylist()
    ['1234.50', '-3']
    """

    decimal: str
    group: str

    @property
    def name(self) -> str:
        return f"number 1{self.group}234{self.decimal}5"

    @cached_property
    def _pattern(self) -> str:
        group, point = GROUP_MARKS[self.group], "," if self.decimal == "," else r"\."
        whole = rf"(?:0|[1-9]\d{{0,2}}(?:{group}\d{{3}})+|[1-9]\d*)"
        if self.group == ",":
            whole = r"(?:0|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d\d)+,\d{3}|[1-9]\d*)"  # 12,34,567 in India
        number = rf"(?P<number>(?:{whole}(?:{point}\d+)?|{point}\d+)(?:[eE][-+]?\d+)?)"
        sign = rf"(?P<plus>\+?)(?P<minus>{MINUS}?)"
        before = rf"(?P<open>\()?{GAP}{sign}{GAP}(?P<before>{CURRENCY})?{GAP}(?P<inner>{MINUS}?){GAP}"
        after = rf"{GAP}(?P<after>{CURRENCY}|%)?{GAP}(?P<last>-?)(?P<close>\))?"
        return f"^{before}{number}{after}$"

    def plain(self, texts: pa.Array) -> tuple[pa.Array, frozenset[str]] | None:
        """Return the numbers as SQL writes them, and their marks; None if a text is no such number.

        `texts` have neither nulls nor outer blanks. Marks are currency signs, `%`, `no %` beside it, `grouped`.
        """
        found = pc.extract_regex(texts, self._pattern)
        if found.null_count or found.type.num_fields == 0:
            return None
        part = {name: found.field(name) for name in ("open", "close", "minus", "inner", "last", "number")}
        opened, closed = pc.equal(part["open"], "("), pc.equal(part["close"], ")")
        signs = [pc.not_equal(found.field(name), "") for name in ("plus", "minus", "inner", "last")]
        minuses: Any = [each.cast(pa.int8()) for each in (*signs, opened)]
        count = minuses[0]
        for each in minuses[1:]:
            count = pc.add(count, each)
        if not pc.all(pc.equal(opened, closed)).as_py() or pc.max(count).as_py() > 1:
            return None
        signed = found.field("number").filter(pc.equal(found.field("plus"), "+"))
        if len(signed) and pc.max(pc.binary_length(signed)).as_py() > LONGEST_PLUS:
            return None
        numbers = pc.replace_substring_regex(part["number"], GROUP_MARKS[self.group], "")
        if self.decimal == ",":
            numbers = pc.replace_substring(numbers, ",", ".")
        numbers = pc.if_else(
            pc.and_(pc.equal(count, 1), pc.invert(signs[0])), pc.binary_join_element_wise("-", numbers, ""), numbers
        )
        return numbers, self._marks(found)

    def _marks(self, found: pa.Array) -> frozenset[str]:
        after = found.field("after")
        marks = {*pc.unique(found.field("before")).to_pylist(), *pc.unique(after).to_pylist()} - {""}
        if (PERCENT in marks and not pc.all(pc.equal(after, PERCENT)).as_py()) or PERCENT not in marks:
            marks.add(f"no {PERCENT}")
        if pc.any(pc.match_substring_regex(found.field("number"), GROUP_MARKS[self.group])).as_py():
            marks.add("grouped")
        if self.group == " " and pc.any(pc.match_substring(found.field("number"), " ")).as_py():
            marks.add(BLANKS)
        if pc.any(pc.match_substring(found.field("number"), self.decimal)).as_py():
            marks.add("fraction")
        if pc.any(pc.equal(found.field("plus"), "+")).as_py():
            marks.add(PLUS)
        return frozenset(marks)


NOTATIONS = tuple(Notation(d, g) for g in (",", ".", " ", "'") for d in (".", ",") if d != g)


def list_currencies(marks: frozenset[str]) -> list[str]:
    """Return the currency signs among marks, sorted."""
    return sorted(marks - {PERCENT, f"no {PERCENT}", "grouped", "fraction", BLANKS, PLUS})


def name_marks(marks: frozenset[str]) -> list[str]:
    """List the units of numbers that SQL does not show: `in percent`, `in $`."""
    return [f"in {mark}" for mark in list_currencies(marks)] + (["in percent"] if PERCENT in marks else [])
