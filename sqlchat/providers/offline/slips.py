"""Puts right the slips of the pen in words that questions are built of: `avarage`, `wich`, `higest`."""

from __future__ import annotations

from dataclasses import replace

from sqlchat.language import lexicon
from sqlchat.language.thesaurus import MEANING
from sqlchat.language.tokens import Token, stem
from sqlchat.providers.offline import refusal
from sqlchat.providers.offline.evidence import GRADES, IDLE
from sqlchat.providers.offline.linker import Linker

BUILDING = sorted(
    lexicon.words(
        "which what many much average total number percentage percent share highest lowest longest shortest biggest "
        "largest smallest cheapest oldest youngest latest most between without never every each before after since "
        "month months year years week weeks quarter yesterday today busiest expensive different"
    )
)
SHORTEST = 4


def correct_slips(linker: Linker, tokens: list[Token]) -> tuple[list[Token], list[str]]:
    """The tokens, and a sentence for each word that was taken for another one."""
    corrected, told = [], []
    for at, spelled in enumerate(tokens):
        token, low = spelled, spelled.low
        odd = token.kind == "word" and token.text.isalpha() and (token.text.islower() or not at)
        odd = (
            odd
            and len(low) >= SHORTEST
            and low not in lexicon.VERBS | IDLE
            and low not in GRADES
            and low not in MEANING
        )
        close = refusal.find_close(low, BUILDING) if odd and not refusal.is_known(linker, tokens, at) else []
        close = [word for word in close if abs(len(word) - len(low)) <= 1]
        if len(close) == 1 and low not in BUILDING:
            told.append(f'"{token.text}" is read as "{close[0]}".')
            token = replace(spelled, text=close[0], low=close[0], stem=stem(close[0]))
        corrected.append(token)
    return corrected, told
