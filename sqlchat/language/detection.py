"""Tells whether a question is written in a language other than English, by the little words that sentences need."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W\d_]+")
LITTLE_WORDS = {
    "German": """
        aber alle als am auf aus bei bis das dem den der des die dies durch ein eine einem einen einer es für gibt
        hat haben ist im ihr jahr jede jeder jedem kein keine liste mit nach nicht oder pro sind sie und uns unsere
        viel viele von vom war waren was welche welcher welches wer wie wo wurde wurden zeige zu zum zur über
        größte meisten
    """,
    "French": """
        au aux avec avons ce ces cette chaque combien dans de des donne du elle est et fait il ils je la le les leur
        liste mois nombre nous ont où par pas plus pour quel quelle quelles quels qui sans ses son sont sur tous
        toutes un une vous année moyenne
    """,
    "Spanish": """
        al año con cada como cual cuál cuales cuáles cuando cuántas cuántos cuanto de del donde dónde el ella en entre
        es está están este esta hay la las lista los más mes muestra no nos número o para pero por promedio qué que
        quién quiénes se según sin son su sus tiene tienen todas todos total un una y
    """,
}
SHARED = frozenset(
    [
        "a",
        "all",
        "am",
        "as",
        "at",
        "die",
        "from",
        "in",
        "is",
        "no",
        "not",
        "of",
        "on",
        "or",
        "order",
        "or",
        "per",
        "son",
        "the",
        "total",
        "war",
        "was",
    ]
)
"""Words that English has too, with whatever meaning."""
ENGLISH = frozenset(
    WORD.findall("""
        a all an and are as at average by count did do does each find for from give has have how in is it list many me
        most much number of on or our per show that the their there these those to total was were what when where
        which who whose with without
    """)
)
LEAST = 2
"""Little words of another language by which a question is in it."""


def foreign_language(question: str) -> str | None:
    """The language of the question if it is German, French or Spanish, in English; else None."""
    words = [word.lower() for word in WORD.findall(question)]
    english = sum(word in ENGLISH for word in words)
    counts = {
        name: sum(word in known for word in words)
        for name, text in LITTLE_WORDS.items()
        if (known := frozenset(WORD.findall(text)) - SHARED)
    }
    name = max(counts, key=lambda each: counts[each])
    return name if counts[name] >= LEAST and counts[name] > english else None
