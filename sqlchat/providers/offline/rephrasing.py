"""Other words for a question that is not read as it stands: by `rules`, and without words that only connect.

A rephrasing never adds a meaning. A word may be left out only if it says no more than that two things belong
together, so that no condition is lost with it; what is left must be understood wholly.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from types import MappingProxyType

from sqlchat.language import lexicon
from sqlchat.language.derivations import have_one_root
from sqlchat.language.tokens import Token, stem, tokenize
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.nouns import Noun
from sqlchat.providers.offline.rules import MONEY_VERB, RULES

RELATIONAL = frozenset(
    stem(word)
    for word in (
        lexicon.VERBS
        | lexicon.words(
            "belong borrow lend loan associate relate link locate situate register record carry appear feature "
            "compose direct sing study enroll attend travel possess supply employ manufacture publish present "
            "organize organise arrange conduct manage operate maintain involve participate compete receive come flow "
            "run traverse reside inhabit develop design author pay book rent drive fly speak teach instruct coach "
            "see meet get treat handle "
            "submit post upload tag mention list store stock distribute issue provide deliver grow star "
            "keep lie need use learn send contain hold offer serve host visit join read watch cook eat wear ride "
            "walk sit stand hang gather bring put place call name label assign allocate allot occupy feed train "
            "groom breed raise stage operate plant pick harvest collect cover include cite choose select want prefer "
            "consume perform"
        )
    )
)
"""Stems of verbs that say no more than that two things belong together."""
EMPTY = lexicon.words(
    "currently overall entire whole various actually also just simply please yet "
    "together ever either names records entries rows corresponding along altogether ones one such still already now "
    "anything something"
)
"""Words that may be left out without a word lost."""
IRREGULAR = lexicon.words(
    "came went flew ran wrote sang drove spoke taught paid seen saw met got gave given took taken driven flown "
    "ridden kept lay sent learnt held brought chose chosen ate eaten wore worn rode sat stood hung fed bred spoken "
    "done sung"
)
CLAUSES = lexicon.words("who that which does do did they it we you never not")
BEFORE_NOUN = lexicon.words("a an the our their its his her my your per by each every")
COUNTING = lexicon.words("at more less fewer exactly over under")
"""Words before a number of things that somebody has."""
UNTIL = lexicon.words("before after since until between last this previous past first and or but")
SHORTEST_VERB = 4
SHORTEST_SLIP, LONG_SLIP = 6, 9
"""Letters of a word of which one may be wrong, and of which two may be."""
MOST_STEPS = 3
MOST_TRIES = 12
MOST_SUGGESTED = 5
"""Questions near to a refused one that are tried."""


Nouns = Mapping[str, Sequence[Noun]]
"""What may be put for `{money}` and `{person}`."""
PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Rephrasing:
    question: str
    cost: float
    left_out: tuple[str, ...] = ()
    slips: tuple[tuple[str, str], ...] = ()
    """(a word, the one that was read for it)"""
    put: tuple[tuple[str, str], ...] = ()
    """(the word, the table or column that was put for it)"""


def rephrase(question: str, nouns: Nouns = MappingProxyType({}), cost: float = 0.0) -> Iterator[Rephrasing]:
    """The question with each rule that fits it, then with all of them; `cost` is that of the question itself."""
    steps, whole = 0, question
    for pattern, put, _ in RULES:
        changed = _tidy(pattern.sub(put, question))
        if changed != question:
            yield from _put_nouns(changed, cost + 0.5, nouns)
        further = _tidy(pattern.sub(put, whole))
        steps, whole = steps + (further != whole), further
    if steps > 1:
        yield from _put_nouns(whole, cost + 0.5 * steps, nouns)


def _put_nouns(text: str, cost: float, nouns: Nouns) -> Iterator[Rephrasing]:
    """`text` with each of the names that may be put for its nouns; nothing where there is none."""
    wanted = sorted(set(PLACE.findall(text)))
    for chosen in product(*(nouns.get(word, ()) for word in wanted)):
        filled = text
        for word, noun in zip(wanted, chosen, strict=True):
            filled = filled.replace("{" + word + "}", noun.name)
        told = tuple((word, noun.place) for word, noun in zip(wanted, chosen, strict=True))
        yield Rephrasing(filled, cost, put=told)


def leave_out(
    step: Rephrasing, words: list[str], today: date, doers: Collection[str] = (), deeds: Collection[str] = ()
) -> Iterator[Rephrasing]:
    """The question without one of the `words` that it can do without.

    `doers` are the words of tables' names, `deeds` nouns in names of columns of texts.
    """
    tokens = tokenize(step.question)
    for word in words:
        at = next((at for at, token in enumerate(tokens) if token.text == word), None)
        if at is None or (word == "names" and not {t.low for t in tokens[at - 1 : at + 2]}.isdisjoint(("and", ","))):
            continue  # a thing to show beside others says something
        cost = 0.5 if tokens[at].low in EMPTY else 1.0 if _only_relates(tokens, at, today, doers, deeds) else 0.0
        if cost:
            agent = cost == 1.0 and tokens[at + 1 : at + 2] and tokens[at + 1].low == "by"
            place = rf"(?<!\w){re.escape(word)}{' by' if agent else ''}(?!\w)"
            counted = (
                cost == 1.0
                and at + 1 < len(tokens)
                and (tokens[at + 1].low in COUNTING or tokens[at + 1].value is not None)
            )
            shorter = _tidy(re.sub(place, "of" if agent else "have" if counted else "", step.question, count=1))
            yield replace(step, question=shorter, cost=step.cost + cost, left_out=(*step.left_out, word))


def correct(step: Rephrasing, words: list[str], names: Mapping[str, Sequence[str]]) -> Iterator[Rephrasing]:
    """The question with a slip of the pen put right, where only one of the `names` (by first letter) is that near."""
    for word in words:
        near = {stem(name): name for name in names.get(word[0].lower(), ()) if _is_slip(word.lower(), name)}
        if len(near) == 1 and word.lower() not in RELATIONAL and stem(word.lower()) not in RELATIONAL:
            name = next(iter(near.values()))
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", name, step.question, count=1)
            yield replace(step, question=text, cost=step.cost + 0.5, slips=(*step.slips, (word, name)))


def _is_slip(word: str, name: str) -> bool:
    """Whether one letter is wrong, missing, doubled or out of turn; of long words two."""
    if len(word) < SHORTEST_SLIP or word[0] != name[0] or abs(len(word) - len(name)) > 1 + (len(word) >= LONG_SLIP):
        return False
    if (
        word == name
        or stem(word) == stem(name)
        or word in IRREGULAR | {"lasted"}
        or (_is_done(word) and not _is_done(name))
    ):
        return False  # what was done is no slip of a thing, nor `brought` of `bought`
    rows = [list(range(len(name) + 1))]
    for at, letter in enumerate(word, 1):
        row = [at]
        for to, other in enumerate(name, 1):
            row.append(min(rows[-1][to] + 1, row[-1] + 1, rows[-1][to - 1] + (letter != other)))
            if at > 1 and to > 1 and letter == name[to - 2] and word[at - 2] == other:
                row[-1] = min(row[-1], rows[-2][to - 2] + 1)
        rows.append(row)
    return rows[-1][-1] <= 1 + (len(word) >= LONG_SLIP)


def _is_done(word: str) -> bool:
    return word.endswith("ed") or word in lexicon.PARTICIPLES | IRREGULAR


def _only_relates(tokens: list[Token], at: int, today: date, doers: Collection[str], deeds: Collection[str]) -> bool:
    """Whether the verb only ties what is before it to what is after it, and no period dates what it tells of."""
    low, before = tokens[at].low, {token.low for token in tokens[max(0, at - 4) : at]}
    does = len(low) >= SHORTEST_VERB and any(doer.startswith(tokens[at].stem) for doer in doers)  # `climb`, `climber`
    if at and tokens[at - 1].low in ("and", "or", "but"):
        return False  # nothing tells what it is said of
    if at and tokens[at - 1].low in BEFORE_NOUN:
        return False  # `the coach of Turin`, `per driver`: a thing, and not what was done
    if MONEY_VERB.fullmatch(low) and (tokens[0].low == "what" or [t.low for t in tokens[:2]] == ["how", "much"]):
        return False  # an amount is asked for
    does = does or any(have_one_root(low, doer) for doer in doers)
    does = does or (low.endswith("ed") and any(have_one_root(low, deed) for deed in deeds))
    inflected = low.endswith(("ed", "ing")) or low in lexicon.PARTICIPLES | IRREGULAR
    if (
        (stem(low) not in RELATIONAL and low not in IRREGULAR and not does)
        or not (inflected or before & CLAUSES or _is_plural(tokens, at - 1))
        or low.endswith(("er", "ers", "or", "ors"))
    ):
        return False
    after = at + 1
    while after < len(tokens) and tokens[after].low in lexicon.IN | lexicon.FILLERS:
        after += 1
    if after == len(tokens) or tokens[after].kind == "sign":
        lows = [token.low for token in tokens[:at]]
        if "where" in lows and lows[-1] in ("is", "are") and tokens[at - 2].text[:1].isupper():
            return True  # `islands where English is spoken`
        return does and (tokens[at - 1].low in ("they", "it", "he", "she") or inflected)
    dated = any(dates.read(tokens, place, today) for place in range(at + 1, after + 1))
    return not dated and tokens[after].low not in UNTIL


def _is_plural(tokens: list[Token], at: int) -> bool:
    """Whether the token names several things, so that a verb may follow: `islands speak`."""
    return at > 0 and tokens[at].kind == "word" and tokens[at].low.endswith("s") and not tokens[at].low.endswith("ss")


def _tidy(text: str) -> str:
    return re.sub(r"\s+([,.?])", r"\1", re.sub(r"\s+", " ", text)).strip()
