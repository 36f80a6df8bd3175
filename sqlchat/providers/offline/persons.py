"""Reads people by a part of their names: `the email of Anna`, `Anna's orders`. Called by the conditions."""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.language.tokens import stem, stems
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.links import Col
from sqlchat.providers.offline.nouns import holds_people
from sqlchat.providers.offline.query import Compare
from sqlchat.providers.offline.reader import Reader

BEFORE = lexicon.words("of by did does has is was and")
SHORTEST, MOST = 3, 10
"""Letters of a part of a name; people of that name who are told."""


def read(reader: Reader) -> bool:
    mark = reader.at
    if reader.low() in BEFORE:
        reader.at += 1
    token = reader.token()
    words = _read_capitalised(reader)
    introduced = reader.low(-len(words) - 1) in BEFORE or (token is not None and token.possessive)
    col = _find_names(reader) if words and introduced and len(words[0]) >= SHORTEST else None
    if col is None:
        reader.at = mark
        return False
    said = " ".join(words)
    if col in reader.linker.values:
        parts = {stem(word.lower()) for word in words}
        found = tuple(name for name in reader.linker.values[col] if parts <= set(stems(name)))
        if not 0 < len(found) <= MOST:
            reader.at = mark
            return False
        reader.assume(f'"{said}" is read as {col.table[1]}.{col.name} {" or ".join(found)}.')
        reader.add(Compare(col, "=", found))
        return True
    listed = any(hit.target == col.table for link in reader.links(reader.at - len(words) - 2) for hit in link.tables)
    if col.table != reader.focus.table or listed:  # `customers of Vienna` names a place
        reader.at = mark
        return False
    reader.assume(f'"{said}" is read as any {col.table[1]}.{col.name} that contains it.')
    reader.add(Compare(col, "contains", (said,)))
    return True


def _read_capitalised(reader: Reader) -> list[str]:
    """The words with a capital letter that come next and mean nothing else, stepped over."""
    words = []
    while (token := reader.token()) is not None and token.kind == "word" and token.text[:1].isupper():
        plain = token.low not in lexicon.FUNCTION | lexicon.LEADS | lexicon.VERBS
        if reader.at == 0 or not plain or reader.links() or token.text.isupper():
            break
        words.append(token.text)
        reader.at += 1
        if token.possessive:
            break
    return words


def _find_names(reader: Reader) -> Col | None:
    """The column of the names of the only people there are, or of those spoken of."""
    linker, focus = reader.linker, reader.focus.table
    people = [key for key in linker.tables if holds_people(linker, key)]
    if focus in people:
        people = [focus] if focus is not None else []
    names = linker.display(people[0]) if len(people) == 1 else []
    near = focus is not None and bool(people) and reader.joins.distance(focus, people[0])[0] < 3
    return names[0] if near and len(names) == 1 and dates.is_text(reader.column(names[0])) else None
