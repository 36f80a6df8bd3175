"""Detects the encoding of a text that does not name it.

A language writes few letters beyond ASCII. In the right encoding nearly all bytes beyond ASCII are letters of one
language; in a wrong one they are letters of several, or signs within words.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

import charset_normalizer

from sqlchat.errors import FileInvalidError
from sqlchat.files.byte_scan import ByteScan, scan_bytes
from sqlchat.files.source import Source

SUPPOSED = ("cp1252", "latin_1")
"""Encodings that are assumed if nothing shows another one, the most usual first."""

USUAL = ("cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "cp932", "gb18030", "big5", "cp949", "euc_jp", "koi8_r")
MORE_USUAL = ("mac_roman", "cp850", "cp866", "cp1255", "cp1256", "iso8859_2")
"""Other encodings of tables."""

THAI_CONSONANTS, BEHIND, AHEAD = "".join(map(chr, range(0xE01, 0xE2F))), "ะัาำิีึืุู็่้๊๋์", "เแโใไ"
"""Vowels and tones that stand behind a consonant, or behind another of them, and vowels that stand before one."""

LANGUAGES: tuple[tuple[str, str], ...] = (
    ("cp1252", "äöüß"),
    ("cp1252", "àâæçéèêëîïôùûüÿœ"),
    ("cp1252", "áéíñóúü"),
    ("cp1252", "àáâãçéêíóôõú"),
    ("cp1252", "àèéìíîòóùú"),
    ("cp1252", "æøåéöäüô"),
    ("cp1252", "åäöé"),
    ("cp1252", "áéëïíóöúüè"),
    ("cp1252", "àçéèíïóòúü"),
    ("cp1254", "çğıöşüâîûİ"),
    ("cp1250", "áéíóöőúüű"),
    ("cp1250", "ąćęłńóśźż"),
    ("cp1250", "áčďéěíňóřšťúůýž"),
    ("cp1250", "áäčďéíĺľňóôŕšťúýž"),
    ("cp1250", "čćđšž"),
    ("cp1250", "ăâîşţ"),
    ("iso8859_2", "ąćęłńóśźż"),
    ("iso8859_2", "áčďéěíňóřšťúůýž"),
    ("iso8859_2", "áäčďéíĺľňóôŕšťúýž"),
    ("iso8859_2", "čćđšž"),
    ("cp1257", "ąčęėįšųūž"),
    ("cp1257", "āčēģīķļņšūž"),
    ("cp1252", "áðéíóúýþæö"),
    ("cp1252", "äõöüšž"),
    ("iso8859_15", "äöüß"),
    ("iso8859_15", "àâæçéèêëîïôùûüÿœ"),
    ("iso8859_15", "áéíñóúü"),
    ("iso8859_15", "àèéìíîòóùú"),
    ("cp1251", "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўђјљњћџ"),
    ("cp1253", "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"),
    ("iso8859_7", "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"),
    ("cp874", THAI_CONSONANTS + BEHIND + AHEAD),
    ("cp1255", "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    ("cp1256", "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ"),
    ("koi8_r", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
    ("cp866", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
    ("cp850", "äöüßéàèçáíóúñ"),
    ("cp852", "ąćęłńóśźżáčďéěíňřšťúůýžőű"),
    ("mac_roman", "äöüßéàèçáíóúñ"),
)
"""Encoding and the letters of a language in it, in lower case; the likelier first."""

SCRIPTS = frozenset({"cp1251", "koi8_r", "cp866", "cp1253", "iso8859_7", "cp1255", "cp1256", "cp874"})
"""Encodings of other scripts, whose letters make most of a word."""
RICH_IN_VOWELS = frozenset({"cp1251", "koi8_r", "cp866", "cp874"})
VOWELS, LEAST_VOWELS = frozenset("аеёиоуыэюяіїє" + BEHIND + AHEAD), 0.25
"""Encodings of scripts, their vowels, and the vowels' least share: other scripts read as they have fewer."""
GREEK, ACCENTS, LEAST_ACCENTS = frozenset({"cp1253", "iso8859_7"}), frozenset("άέήίόύώ"), 0.05
"""The same of Greek, of which nearly every word has an accent."""
NEVER_IN_WORDS = frozenset("£¥¼½¾¹±¬")
SIGNS = frozenset("€‚„…‘’“”•–—™§°±²³µ·«»¿¡£¥©®½¼¾\xa0ºª¹×÷´`")
ALMOST = 0.97
"""Share of letters of one language from which an encoding is taken."""
SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
ASCII = bytes(range(0x20, 0x7F))
PROBE = bytes(range(0x100)) + b"~{!!~}\x1b$B!!"
"""All bytes, and marks that switch alphabets in HZ and ISO 2022. One byte a character keeps the length."""


@dataclass(frozen=True)
class Encoding:
    """The encoding of a file and facts of its bytes."""

    name: str
    """Python's name of it."""
    traits: ByteScan
    """Facts of the bytes; only the quotes are valid for UTF-16."""
    guessed: bool = False
    bad_bytes: int = 0
    """Number of invalid bytes, which are read as U+FFFD."""
    bad_lines: list[int] = field(default_factory=list)
    """The first lines with such bytes."""

    @property
    def has_single_byte_marks(self) -> bool:
        """Does each ASCII byte of a delimiter, a quote or a line's end always mean that character?"""
        is_single = self.name == "utf-8" or len(PROBE.decode(self.name, "replace")) == len(PROBE)
        return is_single and ASCII.decode(self.name, "replace") == ASCII.decode("ascii")


def find_encoding(source: Source, given: str | None = None) -> Encoding:
    """Find the encoding of a file, unless the caller gives it. Raises FileInvalidError if the file is no text."""
    start = source.head(4096)
    name = codecs.lookup(given).name.replace("utf-8-sig", "utf-8") if given else ""
    name = {"iso8859-1": "latin_1"}.get(name, name)
    wide = None
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) and not name:
        name = "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not name.startswith("utf-32"):
        wide = "utf-16"
    elif b"\0" in start and not name.startswith("utf-32"):
        wide = _detect_utf16(start)
    traits = source.scan or scan_bytes(source, len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
    if wide:
        return Encoding(wide, traits, guessed=wide != "utf-16" and not given)
    if traits.nul and not name.startswith("utf-32"):
        raise FileInvalidError("The file holds NUL bytes, so it is no text table.")
    if name and name != "utf-8":
        return Encoding(name, traits)
    if traits.utf8:
        return Encoding("utf-8", traits)
    if name == "utf-8" or _is_broken_utf8(traits.odd_lines):
        count, lines = _find_bad_bytes(source)
        return Encoding("utf-8", traits, bad_bytes=count, bad_lines=lines)
    return Encoding(guess_eight_bit(traits.odd_lines or start), traits, guessed=True)


def guess_eight_bit(sample: bytes) -> str:
    """Guess the encoding of bytes that are no UTF-8: the first one that gives the letters of one language."""
    best, score = "", 0.0
    for name, letters in LANGUAGES:
        share = _rate_language(sample, name, letters)
        if share > score + 0.01:
            best, score = name, share
    if score >= ALMOST:
        return best
    matches = charset_normalizer.from_bytes(
        sample, steps=5, chunk_size=512, cp_isolation=[*SUPPOSED, *USUAL, *MORE_USUAL]
    )
    match = matches.best()
    if match is None:
        return SUPPOSED[-1]
    for name in SUPPOSED:
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        like = next((m for m in matches if m.encoding == name or str(m) == text), None)
        if like is not None and like.chaos <= match.chaos + 0.1 and like.coherence + 0.1 >= match.coherence:
            return name
    return match.encoding


def _rate_language(sample: bytes, name: str, letters: str) -> float:
    """Return the share of characters beyond ASCII that are letters of a language in a plausible place."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return 0.0
    own = frozenset(letters)
    good = bad = vowels = accents = 0
    before = " "
    for place, character in enumerate(text):
        if character.isascii():
            before = character
            continue
        after = text[place + 1 : place + 2]
        lower = "i" if character == "İ" else character.lower()
        if lower in own or character in own:
            shouts = character.isupper() and before.islower()
            good, bad = good + (not shouts), bad + shouts
            vowels += lower in VOWELS
            accents += lower in ACCENTS
            # ã and õ together are Portuguese, which has õ before an e only; Hungarian's ő is the same byte
            bad += character == "õ" and "ã" in own and after != "e"
            bad += name == "cp874" and _is_misplaced(character, before, after)
            bad += name in SCRIPTS and any(each.isascii() and each.isalpha() for each in (before, after))
        else:
            bad += not _is_sign(character, before, after)
        before = character
    if not good:
        return 0.0 if bad or name != SUPPOSED[0] else 1.0
    if name in RICH_IN_VOWELS and vowels < LEAST_VOWELS * good:
        return 0.0
    if name in GREEK and accents < LEAST_ACCENTS * good:
        return 0.0
    return good / (good + bad)


def _is_misplaced(character: str, before: str, after: str) -> bool:
    """Does a Thai vowel or tone stand in an impossible place?"""
    if character in BEHIND:
        return before not in THAI_CONSONANTS and before not in BEHIND
    return character in AHEAD and after not in THAI_CONSONANTS


def _is_sign(character: str, before: str, after: str) -> bool:
    """Is a character a sign of any language, in a plausible place?"""
    if character in NEVER_IN_WORDS:
        return not (before.isalpha() or after.isalpha())
    return character in SIGNS and (character in "’'·" or not (before.isalpha() and after.isalpha()))


def _detect_utf16(start: bytes) -> str:
    """Detect UTF-16 without a byte order mark by its zeros. Raises FileInvalidError for other bytes with NUL."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 3 > len(start) and min(even, odd) == 0:
        return "utf-16-le" if odd else "utf-16-be"
    raise FileInvalidError("The file holds NUL bytes, so it is no text table.")


def _is_broken_utf8(odd_lines: bytes) -> bool:
    """Are there as many UTF-8 characters as invalid bytes? Other encodings have hardly any."""
    whole = len(SEQUENCE.findall(odd_lines))
    return whole > 0 and whole >= len(BEYOND_ASCII.findall(SEQUENCE.sub(b"", odd_lines)))


def _find_bad_bytes(source: Source) -> tuple[int, list[int]]:
    """Count the bytes that are no UTF-8, and list the first lines with one."""
    count, lines = 0, []
    with source.open() as stream:
        for number, line in enumerate(stream, 1):
            if line.isascii():
                continue
            try:
                line.decode()
            except UnicodeDecodeError:
                count += line.decode(errors="replace").count("\ufffd") - line.count("\ufffd".encode())
                lines.append(number)
    return count, lines[:5]
