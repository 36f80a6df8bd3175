"""Nouns that stand for rows though no table is called so: `calls` of a table `log`, `complaints` of a column.

A table on its own is often named by its file. What its rows are is then told by its key, by its day or not at all, so
that a general noun for something that is recorded will do. A part of the rows is meant where the noun names a column
that is empty in the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlchat.language import lexicon
from sqlchat.language.derivations import have_one_root
from sqlchat.language.tokens import Token, singular, stem
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.grain import EVENTS
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Key

RECORDED = lexicon.words("record entry row line case item job transaction ticket event task")
"""Nouns for whatever is written down once, on some day."""
_SOLD = lexicon.words("price amount total quantity qty product item buyer customer client sku paid")
_BOOKED = lexicon.words("guest customer client room seat party table price guests seats slot arrival departure")
_DRIVEN = lexicon.words("km mile distance driver vehicle truck van bus boat bike destination passenger route fare")
_CARRIED = lexicon.words(
    "tonnes ton tonne weight kg gross tare net truck vehicle lorry driver material haulier cargo courier parcel "
    "address recipient destination supplier"
)
FRAMES = {
    **dict.fromkeys(("sale", "order", "purchase", "deal"), _SOLD),
    **dict.fromkeys(("booking", "reservation", "appointment"), _BOOKED),
    **dict.fromkeys(("trip", "ride", "run", "journey"), _DRIVEN),
    **dict.fromkeys(("load", "delivery", "shipment", "haul"), _CARRIED),
    "call": lexicon.words("caller phone number agent duration minutes seconds line"),
    "visit": lexicon.words("visitor guest patient doctor arrival departure reason host"),
    "session": lexicon.words("minutes duration room trainer coach topic participant"),
}
"""Nouns for one kind of thing, with words of the columns in which it is recorded; a table needs some of them."""
LEAST_COLUMNS = 2
KEYED = lexicon.words("no nr num number id code ref reference key")
"""Words of keys after that of the thing."""
DATED = lexicon.words("date day on at dt time")
SHORTEST = 3
STATES = lexicon.words("status stat state result outcome condition stage decision verdict")
"""Words of columns that say how things stand or ended."""
STATE_GROUPS = tuple(
    frozenset(group.split())
    for group in (
        "done completed complete finished fulfilled",
        "cancelled canceled",
        "open pending outstanding unresolved",
        "rejected refused declined denied",
        "accepted approved granted allowed upheld",
        "passed pass success successful succeeded",
        "failed fail failure unsuccessful",
    )
)
"""Words for one state of things, of which a database has one."""
MOST_STATES = 12


def list_row_tables(linker: Linker, tokens: list[Token], at: int) -> Iterator[tuple[Key, str]]:
    """The table whose rows the noun stands for, with the evidence: `row` for what is only likely, `rooted`."""
    noun = singular(tokens[at].low)
    if len(linker.tables) != 1 or len(noun) < SHORTEST or noun in lexicon.PEOPLE or not tokens[at].text.islower():
        return
    (key, table), *_ = linker.tables.items()
    words = [linker.column_words(key, column.name) for column in table.columns]
    keyed = len(words[0]) > 1 and words[0][-1] in KEYED and stem(words[0][0]) == stem(noun)
    days = [name for name, column in zip(words, table.columns, strict=True) if dates.is_date(column)]
    done = bool(days) and (days[0][0] == noun or have_one_root(noun, days[0][0])) and days[0][-1] in DATED
    if keyed or done:
        yield key, "rooted"
    elif days and (noun in RECORDED or _is_recorded(noun, words)):
        yield key, "row"


def _is_recorded(noun: str, columns: list[tuple[str, ...]]) -> bool:
    frame = {stem(word) for word in FRAMES.get(noun, ())}
    return sum(not frame.isdisjoint(map(stem, words)) for words in columns) >= LEAST_COLUMNS


def is_kind_of_row(linker: Linker, noun: str) -> bool:
    """Whether the noun after a value, as in `a taxi ride`, stands for rows of the only table."""
    return len(linker.tables) == 1 and (singular(noun) in RECORDED or singular(noun) in FRAMES)


def list_event_columns(linker: Linker, noun: str, cols: Sequence[Col]) -> Iterator[Col]:
    """Those of `cols` that are empty in rows to which it did not happen: `Complaint`, the day of an `Appeal Date`."""
    for col in cols:
        column, words = linker.catalog_column(col), linker.column_words(col.table, col.name)
        if not column.nullable or linker.is_key(col):
            continue
        told = words == (singular(noun),) and words[0] in EVENTS and dates.is_text(column)
        dated = len(words) > 1 and words[0] == singular(noun) and words[-1] in DATED and dates.is_date(column)
        if told or dated:
            yield col


def _is_process(*words: str) -> bool:
    """Whether one word is what was done and the other one what is being done: `cleaned` and `cleaning`."""
    return {word[-3:] for word in words} == {"ing", words[0][-3:]} and any(word.endswith("ed") for word in words)


def list_state_values(linker: Linker, word: str) -> Iterator[tuple[Col, str]]:
    """The values of columns of states that the word means: `cancelled` by `cancellation`, `done` by `completed`."""
    for col, texts in linker.values.items():
        if len(texts) > MOST_STATES or STATES.isdisjoint(linker.column_words(col.table, col.name)):
            continue
        lows = {text.lower(): text for text in texts}
        alike = [text for low, text in lows.items() if have_one_root(word, low) and not _is_process(word, low)]
        groups = [group for group in STATE_GROUPS if word in group]
        alike = alike or [text for low, text in lows.items() for group in groups if low in group]
        if len(alike) == 1 and word not in lows:
            yield col, alike[0]
