"""Columns that say yes or no of each row, and the adjectives that they are in a question: `urgent admissions`,
`members who are not active`. Called by the outputs, the relations and the conditions.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import name_words, stem
from sqlchat.providers.offline.linker import BOOLEAN_TYPE, PAIRS, Linker
from sqlchat.providers.offline.links import Col, Hit, Key, Link
from sqlchat.providers.offline.query import Condition, Flag
from sqlchat.providers.offline.reader import Reader

LEADING = lexicon.words(
    "that which who whom whose where with is are was were be been being the a an of for has have had having"
)
NOT = lexicon.words("not non isn't aren't wasn't weren't")
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
OPPOSITE = ("un", "in", "non")
SHORTEST = 4
"""Letters of a word that `un` or `in` may turn into its opposite."""


@dataclass(frozen=True, slots=True)
class Said:
    """An adjective at some word of the question."""

    hits: list[Hit]
    text: str
    at: int
    """The token that names the column."""
    size: int
    negated: bool


def spell_flag(linker: Linker, col: Col, *, negated: bool) -> str | None:
    """The text that stands for yes (or no) in a column of texts; None where it holds no texts."""
    held = {value.lower(): value for value in linker.values.get(col, ())}
    pair = next((pair for pair in PAIRS if held.keys() & set(pair)), None)
    return held.get(pair[negated], pair[negated]) if pair is not None else None


def find_flag(reader: Reader, ahead: int = 0) -> Said | None:
    """The adjective that comes next, or some words ahead: `urgent`, `not urgent`, `non-urgent`, `inactive`."""
    negated = reader.low(ahead) in NOT
    start = reader.at + ahead + negated
    token, link = reader.token(ahead + negated), reader.link(start)
    if token is None or token.kind != "word":
        return None
    if link is None:
        hits = _opposite(reader, token.low) if not negated else []
        return Said(hits, token.text, start, 1, negated=True) if hits else None
    nearest = min((hit.tier for hit in link.columns), default=0)
    hits = [hit for hit in link.columns if hit.tier == nearest]
    flagged = bool(hits) and all(_flag(reader.linker, hit) for hit in hits)
    valued = any(hit.tier == 0 for hit in link.values)
    if valued and any(hit.tier > 1 and name_words(hit.col.name)[0] not in ("is", "has") for hit in hits):
        return None  # `by card`, a way to pay, is no `loyalty card`
    if not flagged or link.tables or link.measures or reader.find_deeds(link):
        return None
    return Said(hits, link.text, start, link.size + negated, negated)


def _opposite(reader: Reader, word: str) -> list[Hit]:
    """The flags that `inactive` or `unpaid` denies, where the word names nothing else."""
    for prefix in OPPOSITE:
        rest = word[len(prefix) :]
        if word.startswith(prefix) and len(rest) >= SHORTEST:
            return [hit for hit in reader.linker.hits((stem(rest),), rest) if _flag(reader.linker, hit)]
    return []


def _flag(linker: Linker, hit: Hit) -> bool:
    return isinstance(hit.target, Col) and linker.is_flag(hit.target)


def make_condition(reader: Reader, said: Said, table: Key) -> Flag:
    """What `said` says of rows of `table`. Raises QuestionError where it may be said of several rows, or of none."""
    values = [link for link in reader.links(said.at) if link.values]
    col = reader.resolve(said.hits, said.text, table).target
    assert isinstance(col, Col)
    if reader.joins.distance(table, col.table)[0] > 1:
        raise QuestionError(
            f'"{said.text}" is said of {col.table[1]}, of which each of {table[1]} may have several.',
            words=[said.text],
            reason="ambiguous",
        )
    for link in values:
        near = [h.target for h in link.values if isinstance(h.target, Col) and h.target.table == table]
        if any(other != col for other in near):
            raise QuestionError(
                f'"{said.text}" may mean {col.name} or a value of another column.',
                words=[said.text],
                reason="ambiguous",
            )
    if Flag(col, not said.negated) in (*reader.query.conditions, *reader.focus.conditions):
        raise QuestionError(f"{col.name} cannot be both true and false.", words=[said.text], reason="ambiguous")
    if not BOOLEAN_TYPE.match(reader.column(col).type):
        reader.assume(f'"{said.text}" is read as {col.table[1]}.{col.name} being {str(not said.negated).lower()}.')
    return Flag(col, said.negated)


def read(reader: Reader) -> bool:
    """`are urgent`, `who are not active`, `where urgent is true`, `is inactive`: a condition on what is spoken of."""
    mark, table = reader.at, reader.focus.table
    negated = False
    said = find_flag(reader)
    while said is None and (reader.low() in LEADING or reader.low() in NOT):
        negated = negated or reader.low() in NOT
        reader.at += 1
        said = find_flag(reader)
    if said is None or table is None:
        reader.at = mark
        return False
    reader.at += said.size
    said = Said(said.hits, said.text, said.at, said.size, said.negated != negated)
    asserted = _truth(reader)
    following = reader.link()
    noun = following is not None and any(hit.target == table for hit in following.tables)
    if asserted is None or (following is not None and not noun and (following.columns or following.tables)):
        reader.at = mark
        return False
    if noun and following is not None:
        reader.at += following.size
    said = Said(said.hits, said.text, said.at, said.size, said.negated == asserted)
    reader.add(make_condition(reader, said, table))
    return True


def read_described(reader: Reader) -> tuple[list[Condition], Link | None]:
    """`urgent admissions`: the adjective as a condition on the table after it, and the link of what comes next."""
    said = find_flag(reader)
    following = reader.link(reader.at + said.size) if said is not None else None
    if said is None or following is None or not following.tables:
        return [], reader.link()
    hit = reader.table_of(following)
    if hit is None or not isinstance(hit.target, tuple) or hit.target == reader.focus.table:
        return [], reader.link()
    reader.at += said.size
    return [make_condition(reader, said, hit.target)], following


def _truth(reader: Reader) -> bool | None:
    """Whether `is true`, `= 0`, `is not false` affirm, or nothing, which does; None for any other comparison."""
    mark = reader.at
    linked = False
    while reader.low() in ("is", "are", "was", "were", "=", "equals", "set", "to", "equal"):
        linked = True
        reader.at += 1
    negated = linked and reader.low() == "not"
    reader.at += negated
    token = reader.token()
    word = token.low if token is not None else ""
    if word in TRUTH:
        reader.at += 1
        return TRUTH[word] != negated
    if linked or reader.phrase(lexicon.OPERATORS) is not None or reader.phrase(lexicon.LIKES) is not None:
        reader.at = mark
        return None
    return True


def refuse_number(col: Col, text: str) -> QuestionError:
    """The refusal to count or add up yes and no."""
    return QuestionError(
        f'"{text}" says yes or no of each row of {col.table[1]}: ask for those of which it is true, such as '
        f'"{col.table[1]} where {col.name} is true".',
        words=[text],
    )
