"""Bare values in a question's words: `in Germany`, `not cancelled`, `French or Spanish`. Called by the conditions."""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.providers.offline.links import Col
from sqlchat.providers.offline.query import Compare, Literal
from sqlchat.providers.offline.reader import Reader

SKIPPED = lexicon.words("not neither excluding except for the a an are is were was do does did who that which")
COMPARED = frozenset({"compared", "versus", "vs"})
EXCLUDING = frozenset({"not", "neither", "excluding", "except"})


def read(reader: Reader) -> bool:
    """`in Germany`, `from France or Spain`, `"Desk"`, `not cancelled`."""
    mark = reader.at
    negated = neither = both = False
    while reader.low() in lexicon.IN | lexicon.VERBS | SKIPPED | {"both"}:
        if any(link.values and link.size > 1 for link in reader.links()):  # `on hold`
            break
        both = both or reader.low() == "both"
        negated = negated or reader.low() in EXCLUDING
        neither = neither or reader.low() == "neither"
        reader.at += 1
    link = next((found for found in reader.links() if found.values), None)
    table = reader.focus.table
    if link is None or table is None:
        reader.at = mark
        return False
    own = any(hit.tier == 0 and hit.col.table == table for hit in link.columns)
    if own and all(hit.col.table != table for hit in link.values):  # `the city of Bonn`, where bikes are for the city
        reader.at = mark
        return False
    hit = reader.resolve(link.values, link.text, table)
    col = hit.col
    assert hit.value is not None
    if hit.tier == 3:
        reader.assume(f"\"{link.text}\" is read as {col.table[1]}.{col.name} = '{hit.value}'.")
    reader.at += link.size
    values, connector, compared = _read_others(reader, col, hit.value, neither=neither)
    if neither and connector != "nor":
        reader.at = mark
        return False
    if connector == "and" and both and reader.has_several(col):
        for value in values:
            reader.add(Compare(col, "=", (value,)))
        return True
    if connector == "and" and reader.has_several(col):
        raise QuestionError(f'"{link.text} and ..." may mean both or any of them.', words=["and"], reason="ambiguous")
    if connector == "and" and not negated:
        reader.assume(f"Rows with any of {', '.join(map(str, values))} are meant.")
    _skip_noun(reader, col)
    if compared and col not in reader.query.groups:
        reader.query.groups.append(col)
    if negated and reader.joins.distance(table, col.table)[0] > 1:
        raise QuestionError(f'"not {link.text}" may mean none or some other.', words=["not"], reason="ambiguous")
    reader.add(Compare(col, "!=" if negated else "=", tuple(values)))
    return True


def _read_others(reader: Reader, col: Col, first: str, *, neither: bool) -> tuple[list[Literal], str, bool]:
    """`first` and the values listed after it, the word that ties them, and whether they are to be compared."""
    values: list[Literal] = [first]
    connector, compared = "", False
    while reader.low() in (("nor",) if neither else ("or", "and", ",", *COMPARED)):
        here = reader.at
        word = reader.low()
        reader.at += 1
        if word in COMPARED:
            compared, word = True, "or"
            reader.skip({"to", "with", "."})
        if word == "," and reader.low() in ("or", "and"):
            word = reader.low()
            reader.at += 1
        reader.skip({"in", "from", "the"})
        more = next((found for found in reader.links() if any(v.target == col for v in found.values)), None)
        if more is None:
            reader.at = here
            break
        reader.at += more.size
        values.append(next(v.value for v in more.values if v.target == col and v.value is not None))
        connector = word if word != "," else connector
    return values, connector, compared


def _skip_noun(reader: Reader, col: Col) -> None:
    """`the English language`, `the Furniture category`: the column's or its table's own name after a value."""
    link = reader.link()
    if link is None:
        return
    homes = {
        col.table,
        *(e.target for e in reader.joins.edges[col.table] if (col.name,) == tuple(h for h, _ in e.columns)),
    }
    if any(hit.target == col for hit in link.columns) or any(hit.target in homes for hit in link.tables):
        reader.at += link.size
