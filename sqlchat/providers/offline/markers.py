"""Phrases of which questions are built, such as `how many`, `per` and `more than`: data for `evidence`."""

from __future__ import annotations

from typing import Any

from sqlchat.language import lexicon
from sqlchat.providers.offline import states
from sqlchat.providers.offline.phrase_evidence import COMPARED, PHRASE_MARKERS

SHARES = lexicon.words("share percentage percent proportion fraction")
LASTING = {"days": "days", "hours": "hours", "minutes": "minutes", "weeks": "weeks", "nights": "days"}


def _single(words: Any, value: Any = None) -> dict[tuple[str, ...], Any]:
    return {(word,): value if value is not None else word for word in words}


MARKERS: tuple[tuple[str, dict[tuple[str, ...], Any]], ...] = (
    ("agg", {p: f for p, f in lexicon.AGGREGATES.items() if f in ("sum", "avg", "min", "max")} | {
        ("on", "average"): "avg", ("in", "total"): "total", ("altogether",): "total", ("overall",): "total",
        ("typical",): "avg"}),
    ("count", {p: f for p, f in lexicon.AGGREGATES.items() if f == "count"} | {
        ("how", "often"): "times", ("how", "many", "times"): "times"}),
    ("much", {("how", "much"): "much", ("amount", "of"): "much"}),
    ("lasting", {("how", "long"): "", ("length", "of", "stay"): "", ("duration",): "", **{
        (lead, *between, word): unit for lead in ("number", "average", "how") for word, unit in LASTING.items()
        for between in ((("of",),) if lead == "number" else (("many",),) if lead == "how" else ())}}),
    ("sup", {**lexicon.SUPERLATIVES, **{(w,): o for w, o in lexicon.ADJECTIVES.items()},
             **{(w,): o for w, o in lexicon.SIZES.items()}, **lexicon.MOST_ADJECTIVES,
             ("most", "often"): "desc", ("most", "common"): "desc", ("most", "popular"): "desc",
             ("busiest",): "desc"}),
    ("cmp", {**lexicon.OPERATORS, **{(w, "than"): o for w, o in lexicon.COMPARATIVES.items()},
             **{(*w, "than"): o for w, o in lexicon.MORE_COMPARATIVES.items()},
             ("better", "than"): ">", ("worse", "than"): "<"}),
    ("trail", dict(lexicon.TRAILING)),
    ("group", {(w,): w for w in ("per", "by", "each", "every")} | {
        ("for", "each"): "per", ("for", "every"): "per", ("in", "each"): "per", ("of", "each"): "per"}),
    ("neg", _single(lexicon.NOT | lexicon.words("nobody none")) | {("no", "one"): "nobody", ("not", "a"): "not"}),
    ("unit", {(w,): u for w, u in lexicon.UNITS.items()} | {("day", "of", "the", "week"): "weekday"}),
    ("share", {**_single(SHARES), ("what", "part", "of"): "share", ("which", "part", "of"): "share"}),
    ("rate", _single(("rate", "rates"))),
    ("who", _single(("who", "whose"))),
    ("when", _single(("when",))),
    ("vs", _single(COMPARED)),
    ("or", _single(("or",))),
    *PHRASE_MARKERS,
    ("both", _single(("both",))),
    ("distinct", _single(lexicon.DISTINCT)),
    ("down", dict.fromkeys(lexicon.DESCENDING, "desc") | dict.fromkeys(lexicon.ASCENDING, "asc")),
    ("ordered", dict.fromkeys(lexicon.ORDERED, "by")),
    ("state", _single(states.DESCRIBING)),
)  # fmt: skip
"""Kinds of markers, each with its phrases and what they say."""
