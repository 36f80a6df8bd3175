"""Writes dates as people say them in full: `from 1 to 14 February`, `summer 2026`, `in March`.

`search` tries the full wording of a question that is not read as it stands.
"""

from __future__ import annotations

import re
from datetime import date

from sqlchat.language.lexicon import MONTHS

_NAMES = "|".join(sorted(set(MONTHS) - {"may"}, key=lambda name: (-len(name), name)))
MONTH = rf"(?:(?i:{_NAMES})|May)\b\.?"
ENDLESS = r"(?!,?\s*(?:of |in )?(?:\d|last\b|this\b))"
DAY = r"(?<![\d.-])([0-3]?\d)(?:st|nd|rd|th)?(?: of)?"
TO = r"(?i: ?(?:to|and|until|till|-|–) ?)(?i:the )?"
TWO_DAYS = re.compile(rf"(?i:\b(?:from |between )?)(?i:the )?{DAY}{TO}{DAY} ({MONTH})(,? \d{{4}}\b)?")
"""`from 1 to 14 February 2026`: two days of one month."""
ONE_DAY = re.compile(
    rf"(?i:\b(on|since|until|till|before|after|from|by)) (?i:the )?{DAY} ({MONTH}){ENDLESS}"
    r"(?! (?:to|until|till|and|[A-Z]))"
)
SEASON = re.compile(r"(?i)\b(?:(?:in|during|for) )?(?:the )?(spring|summer|autumn|fall)(?: of)? (\d{4})\b")
SEASONS = {"spring": ("March", "May"), "summer": ("June", "August")} | dict.fromkeys(
    ("autumn", "fall"), ("September", "November")
)
COMPARED = re.compile(r"(?i)\b(?:or|than|versus|vs|compared?)\b")
LEADS = r"in|during|since|for|of|until|before|after"
WITHIN = r"(?!,?\s*(?:\d|to\b|and\b|or\b|until\b|through\b|-|–|of\b|last\b|this\b))"
BARE_MONTH = re.compile(rf"\b(?i:({LEADS})) ({MONTH}){WITHIN}")
"""A month without its year, after a word that makes it a period."""
COMPARED_MONTH = re.compile(rf"(?i:(\b(?:{LEADS}|or|than|and|versus|vs|to|with)|,)) ({MONTH}){ENDLESS}")
SPOKEN_YEAR = re.compile(r"(?i),? (?:in )?(last|this) year\b")
YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def write_dates(question: str, today: date) -> str:
    """The question with its days, seasons and months in full; itself if there is nothing to change.

    A month or day without a year is the last one that has begun, or that of the other month if two are compared.
    """
    question = SEASON.sub(lambda found: _write_season(found[1].lower(), found[2]), question)
    question = TWO_DAYS.sub(lambda found: _write_days(found, today), question)
    question = ONE_DAY.sub(lambda found: f"{found[0]} {_find_year(found[3], int(found[2]), today)}", question)
    if COMPARED.search(question) is None:
        return BARE_MONTH.sub(lambda found: f"{found[0]} {_find_year(found[2], 1, today)}", question)
    spoken = SPOKEN_YEAR.findall(question)
    years = {*YEAR.findall(question), *(str(today.year - (way.lower() == "last")) for way in spoken)}
    if len(years) > 1:
        return question
    year = next(iter(years), None)
    plain = SPOKEN_YEAR.sub("", question)
    full = COMPARED_MONTH.sub(lambda found: f"{found[0]} {year or _find_year(found[2], 1, today)}", plain)
    return full if full != plain else question


def _find_year(month: str, day: int, today: date) -> int:
    """The year of the last such day."""
    return today.year - ((MONTHS[month.lower().rstrip(".")], day) > (today.month, today.day))


def _write_days(found: re.Match[str], today: date) -> str:
    first, last, month = found[1], found[2], found[3]
    year = found[4].strip(" ,") if found[4] else _find_year(month, int(first), today)
    return f"from {first} {month} {year} to {last} {month} {year}" if int(first) < int(last) else found[0]


def _write_season(season: str, year: str) -> str:
    first, last = SEASONS[season]
    return f"from {first} {year} to {last} {year}"
