"""Tells whether a verb and a noun have one root: `rented` and `rental`, `prescribed` and `prescription`."""

from __future__ import annotations

import functools
import re

ENDINGS = frozenset(
    re.findall(
        r"[^\s]+",
        """
        - e s es ed d ing ings er ers r rs or ors ion ions ation ations ment ments al als y ies ied ier iers ance
        ances ence ition ered ering ration rations bed bing ption ptions is ee ees ure ures age ages ive
        t ce ces ication ications tted ssion ssions
        """,
    )
)
"""What may follow a common root; `-` stands for nothing."""
SHORTEST_ROOT = 4
DOUBLED = re.compile(r"([lptnmrgb])\1(ed|ing)$")
"""`enrolled` of `enrol`."""
IRREGULAR = {
    "sold": "sale", "sell": "sale", "bought": "purchase", "paid": "payment", "pay": "payment", "pays": "payment",
    "gave": "gift", "sent": "shipment", "flew": "flight", "flown": "flight", "fly": "flight", "drove": "drive",
    "driven": "drive", "wrote": "writing", "said": "statement", "lost": "loss", "lent": "loan", "borrowed": "loan",
    "borrow": "loan", "chose": "choice", "ate": "meal", "rode": "ride", "ridden": "ride", "stayed": "stay",
    "caught": "catch", "leaving": "left", "leave": "left", "leaves": "left",
    "drive": "drive", "ride": "ride", "took": "taking", "met": "meeting", "played": "game",
}  # fmt: skip


@functools.lru_cache(maxsize=65_536)
def have_one_root(word: str, noun: str) -> bool:
    """Whether both, in lower case, are the same root with endings that verbs and nouns take."""
    word = IRREGULAR.get(word, word)
    single = DOUBLED.sub(r"\1\2", word)
    return _share_root(word, noun) or (single != word and _share_root(single, noun))


def _share_root(word: str, noun: str) -> bool:
    size = 0
    while size < min(len(word), len(noun)) and word[size] == noun[size]:
        size += 1
    cuts = [cut for cut in (size, size - 1) if cut >= SHORTEST_ROOT]
    return any({word[cut:] or "-", noun[cut:] or "-"} <= ENDINGS for cut in cuts)
