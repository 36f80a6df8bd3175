"""Two keys of one table that lead to the same other one, as where a trip starts and where it ends.

`trips(source_port, dest_port)`: `leave from Bergen` speaks of the first, `to Bergen` of the second. Other pairs are
told apart by the words of their names: `currently` by `current_address_id` beside `permanent_address_id`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlchat.language import lexicon
from sqlchat.language.tokens import Token, name_words, stem
from sqlchat.providers.offline.joins import Edge, Joins
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.operands import read_operands
from sqlchat.providers.offline.query import Compare, Pointed
from sqlchat.providers.offline.reader import Reader

START = lexicon.words("source src from origin departure depart start starting dep orig")
END = lexicon.words("dest destination to arrival arrive target end ending arr")
"""Words of the names of such keys."""
LEAVING = lexicon.words("depart departs departing departed leave leaves leaving originate originates originating")
REACHING = lexicon.words("arrive arrives arriving arrived land lands landing landed")
"""Verbs that say no more than which of the two is meant."""
NOUNS = {"departure": "start", "origin": "start", "source": "start", "destination": "end", "arrival": "end"}
WAYS = {**NOUNS, **dict.fromkeys(LEAVING, "start"), **dict.fromkeys(REACHING, "end")}
PLACES = {"from": "start", "to": "end", "into": "end"}
IDLE = lexicon.words(
    "that which who is are was were have has had do does did go goes going run runs fly flies the a an"
)
SHORTEST_ROLE = 4


@dataclass(frozen=True, slots=True)
class Fork:
    """Keys of `source` that lead to `target`, by the words that tell them apart."""

    source: Key
    target: Key
    edges: dict[str, Edge]


def list_forks(joins: Joins) -> Iterator[Fork]:
    for source, edges in joins.edges.items():
        single = [edge for edge in edges if edge.single and len(edge.columns) == 1 and edge.target != source]
        for target in dict.fromkeys(edge.target for edge in single):
            ways = [edge for edge in single if edge.target == target]
            names = [name_words(edge.columns[0][0]) for edge in ways]
            shared = set.intersection(*map(set, names)) if names else set()
            own = [[word for word in name if word not in shared] for name in names]
            if len(ways) > 1 and all(own):
                yield Fork(source, target, {_find_way(words): edge for words, edge in zip(own, ways, strict=True)})


def _find_way(words: list[str]) -> str:
    return "start" if not START.isdisjoint(words) else "end" if not END.isdisjoint(words) else words[0]


def read(reader: Reader) -> bool:
    """`depart from Bergen`, `arriving in the town Gothenburg`, `to port "HIR"`: a condition on the end of a key."""
    table = reader.focus.table
    fork = next((f for f in list_forks(reader.joins) if f.source == table and {"start", "end"} == set(f.edges)), None)
    if fork is None:
        return False
    mark = reader.at
    reader.skip(IDLE)
    way = WAYS.get(reader.low()) if reader.low() not in NOUNS else None
    reader.at += way is not None
    if way is not None:
        reader.skip({"from", "in", "at", "to", "into", "the", "a"})
    elif (way := PLACES.get(reader.low())) is not None:
        reader.at += 1
        reader.skip({"the", "a"})
    if way is None or not _read_place(reader, fork, fork.edges[way]):
        reader.at = mark
        return False
    return True


def _read_place(reader: Reader, fork: Fork, edge: Edge) -> bool:
    """The value at the end of the key, as one of a column of the table there or as the key itself."""
    link = reader.link()
    named = []
    if link is not None and not link.values and (link.tables or link.columns):
        named = [hit.col for hit in link.columns if hit.col.table == fork.target]
        if not named and not any(hit.target == fork.target for hit in link.tables):
            return False
        reader.at += link.size
        reader.skip({"of", "is", "called", "named", "with", "name", "code"})
        link = reader.link()
    (here, there) = edge.columns[0]
    key = Col(fork.target, there)
    held = [hit.col for hit in link.values if hit.col.table == fork.target] if link is not None else []
    token = reader.token()
    quoted = token is not None and token.kind == "text"
    cols = [col for col in named if col in held] or held or (named[:1] if quoted else [])
    if not cols and quoted:
        cols = [key]
    if len(dict.fromkeys(cols)) > 1:
        cols = [col for col in cols if col == key] or [
            col for col in cols if col in reader.linker.display(fork.target)
        ]
    if len(dict.fromkeys(cols)) != 1 or (operands := read_operands(reader, cols[0], "=")) is None:
        return False
    own = Col(fork.source, here)
    compare = Compare(own if cols[0] == key else cols[0], "=", operands)
    reader.add(compare if cols[0] == key else Pointed(own, key, compare))
    return True


def follow_words(tokens: list[Token], question: str, joins: Joins) -> tuple[Joins, str, Col] | None:
    """The joins by the one key that the words speak of, the question without these words, and which key it is."""
    for fork in list_forks(joins):
        ways = {way: [t for t in tokens if _speaks_of(t, way)] for way in fork.edges}
        spoken = [way for way, words in ways.items() if words]
        if len(spoken) != 1:
            continue
        edge, plain = fork.edges[spoken[0]], question
        for token in ways[spoken[0]]:
            place = rf"(?i)(?<!\w)(?:(?:that|which|who) )?{re.escape(token.text)}(?: (?:there|here)(?=\W*$))?(?!\w)"
            plain = re.sub(place, "", plain, count=1)
        narrowed = copy.copy(joins)
        others = {other.columns[0] for other in fork.edges.values()} - {edge.columns[0]}
        narrowed.edges = dict(joins.edges)
        narrowed.edges[fork.source] = [
            e for e in joins.edges[fork.source] if e.target != fork.target or e.columns[0] not in others
        ]
        narrowed.edges[fork.target] = [
            e for e in joins.edges[fork.target] if e.target != fork.source or e.columns[0][::-1] not in others
        ]
        narrowed.forget()
        plain = re.sub(r"\s+([,.?])", r"\1", re.sub(r"\s+", " ", plain)).strip()
        return narrowed, plain, Col(fork.source, edge.columns[0][0])
    return None


def _speaks_of(token: Token, way: str) -> bool:
    if way in ("start", "end"):
        return WAYS.get(token.low) == way
    return len(way) >= SHORTEST_ROLE and (token.stem == stem(way) or token.low == f"{way}ly")
