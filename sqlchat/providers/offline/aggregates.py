"""Aggregates in what a question asks for: `average`, `total number of`, `different`. Called by the outputs."""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.linker import Col, Hit
from sqlchat.providers.offline.reader import Reader

JOINERS = (
    ("as", "well", "as"), ("along", "with"), ("together", "with"), ("and",), ("and", "also"), ("&",), (",", "and"),
    (",",),
)  # fmt: skip


def distinct(reader: Reader) -> bool:
    """Step over `different` and its like, where they come next."""
    reader.skip({"the", "all", "of", "a"} if reader.low(1) in lexicon.DISTINCT else ())
    if reader.low() in lexicon.DISTINCT:
        reader.at += 1
        reader.skip({"the", "of"})
        return True
    return False


def functions(reader: Reader) -> list[str]:
    """`average, minimum and maximum` -> their functions; nothing where the words name a column instead."""
    found: list[str] = []
    while True:
        mark = reader.at
        joined = bool(found) and reader.take_any(JOINERS)
        reader.skip({"the"} if found else ())
        hit = reader.phrase(lexicon.AGGREGATES)
        if hit is None:
            reader.at = mark
            return found
        function, size = hit
        if is_column(reader, size):
            return found or ["sum"]
        if (named := _named_amount(reader, size)) is not None:
            reader.at += named
            return [*found, "sum"]
        reader.at += size
        if function in ("much", "amount"):
            function = "sum"
        totalled = reader.tokens[reader.at - size].low == "total" and not found
        of_each = function == "count" and reader.low(-1) == "of" and (totalled or (found and not joined))
        if of_each and _numeric(reader):  # `average number of pages`, where each row holds that number
            return found or ["sum"]
        found.append(function)
        if function == "count":
            return found


def _named_amount(reader: Reader, size: int) -> int | None:
    """Words before `amount` in `total amount of`, where a column of that name is meant; None where none is."""
    lows = [reader.low(ahead) for ahead in range(size)]
    if "amount" not in lows:
        return None
    at = lows.index("amount")
    columns = reader.linker.columns_named((reader.tokens[reader.at + at].stem,))
    numbers = [h for h in columns if isinstance(h.target, Col) and dates.is_number(reader.column(h.target))]
    return at if numbers else None


def is_column(reader: Reader, size: int) -> bool:
    """Whether `total` is the name of a column here and not the word for adding up: nothing follows to be added up."""
    token = reader.token()
    columns = reader.linker.columns_named((token.stem,)) if size == 1 and token is not None else []
    numbers = [h for h in columns if isinstance(h.target, Col) and dates.is_number(reader.column(h.target))]
    following = reader.link(reader.at + 1)
    named = following is not None and (following.columns or following.tables or following.measures)
    if numbers and reader.sees("total", "of") and _belongs(reader, numbers):
        return True
    of = reader.low(1) in ("of", "number", "amount", ",", "and", "&") or reader.phrase_at(1)
    return bool(numbers) and not named and not of


def _belongs(reader: Reader, columns: list[Hit]) -> bool:
    """Whether `of the orders` follows, and one of the columns is theirs: `total of the orders`."""
    at = reader.at + 2
    while at < len(reader.tokens) and reader.tokens[at].low in ("the", "all", "our"):
        at += 1
    link = reader.link(at)
    owners = {hit.target.table for hit in columns if isinstance(hit.target, Col)}
    return link is not None and any(hit.target in owners for hit in link.tables)


def _numeric(reader: Reader) -> bool:
    """Whether a column of numbers comes next, and no table."""
    reader.skip({"the", "all"})
    link = reader.link()
    columns = [h.target for h in link.columns if isinstance(h.target, Col)] if link is not None else []
    numbers = [col for col in columns if dates.is_number(reader.column(col)) and not reader.linker.is_key(col)]
    return link is not None and not link.tables and bool(numbers) and len(numbers) == len(columns)
