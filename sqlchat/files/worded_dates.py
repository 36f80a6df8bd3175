"""Rewrites dates with a month in words, or with signs of China, Japan and Hungary, in digits for `dates`.

`5. März 2024 10:30` becomes `2024-3-5 10:30`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

MONTHS = (
    "jan january januar janvier janv enero ene gennaio gen janeiro januari ianuarie január tammikuuta "
    "stycznia styczeń sty ledna leden января январь янв січня ocak oca ιανουαρίου ιαν",
    "feb february februar février fevrier févr fév febrero febbraio fevereiro fev februari februarie február "
    "helmikuuta lutego luty lut února únor февраля февраль фев лютого şubat şub φεβρουαρίου φεβ",
    "mar march märz mär mrz mars marzo março maart mrt martie március márc maaliskuuta marca marzec března "
    "březen марта март мар березня mart μαρτίου μαρ",
    "apr april avril avr abril abr aprile aprilie április ápr huhtikuuta kwietnia kwiecień kwi dubna duben "
    "апреля апрель апр квітня nisan nis απριλίου απρ",
    "may mai mayo maggio mag maio mei maj május máj toukokuuta maja května květen мая май травня mayıs μαΐου "
    "μάιος μαϊ",
    "jun june juni juin junio giugno giu junho iunie június jún kesäkuuta czerwca czerwiec cze června červen "
    "июня июнь июн червня haziran haz ιουνίου ιουν",
    "jul july juli juillet juil julio luglio lug julho iulie július júl heinäkuuta lipca lipiec července "
    "červenec июля июль июл липня temmuz tem ιουλίου ιουλ",
    "aug august août aout agosto ago augustus augusti augusztus elokuuta sierpnia sierpień sie srpna srpen "
    "августа август авг серпня ağustos ağu αυγούστου αυγ",
    "sep sept september septembre septiembre settembre sett setembro set septembrie szeptember szept "
    "syyskuuta września wrzesień wrz září сентября сентябрь сен сент вересня eylül eyl σεπτεμβρίου σεπ",
    "oct october okt oktober octobre octubre ottobre ott outubro out octombrie október lokakuuta października "
    "październik paź října říjen октября октябрь окт жовтня ekim eki οκτωβρίου οκτ",
    "nov november novembre noviembre novembro noiembrie marraskuuta listopada listopad lis listopadu ноября "
    "ноябрь ноя листопада kasım kas νοεμβρίου νοε",
    "dec december dez dezember décembre decembre déc diciembre dic dicembre dezembro des desember decembrie "
    "joulukuuta grudnia grudzień gru prosince prosinec декабря декабрь дек грудня aralık ara δεκεμβρίου δεκ",
)
"""The names of each month and their short forms, in lower case."""
NUMBERS = {name: str(number) for number, names in enumerate(MONTHS, 1) for name in names.split()}
NAMES, DIGITS = pa.array(list(NUMBERS)), pa.array(list(NUMBERS.values()))

LETTER = r"\pL"
WEEKDAYS = "mon|tue|wed|thu|fri|sat|sun|die|mit|don|fre|sam|son|lun|mar|mer|mié|jeu|jue|ven|vie|dim|dom"
WEEKDAY = rf"(?:(?i:{WEEKDAYS})\pL*[.,]{{0,2}} )?"
DAY, ORDINAL = r"(?P<day>\d{1,2})", r"(?:st|nd|rd|th|er|[.ºo])?"
MONTH, OF = r"(?P<month>\pL{3,12})\.?", r"(?:(?:de|del|of) )?"
YEAR, SHORT_YEAR = r"(?P<year>\d{4})", r"(?P<year>\d{2})"
SIGN, SIGNS = r"[-/., ]{1,2}", r"[-/., ]{0,2}"
CLOCK = r"(?:[T,:]? ?|,? (?:at|um|à) )(?P<clock>\d{1,2}:.*)"


@dataclass(frozen=True)
class WordedDate:
    """One way to write days.

    >>> WordedDate("%d %b %Y", ..., clock=False).plain(pa.array(["5. März 2024"]))[0].to_pylist()
    ['2024-3-5']
    """

    name: str
    """Near to strptime's notation."""
    pattern: str
    clock: bool = False
    """Does a time of day follow?"""

    @property
    def has_short_year(self) -> bool:
        return SHORT_YEAR in self.pattern

    @cached_property
    def _regex(self) -> str:
        return f"^{WEEKDAY}{self.pattern}{CLOCK if self.clock else ''}$"

    @cached_property
    def _same_in_python(self) -> re.Pattern[str]:
        return re.compile(self._regex.replace(LETTER, r"[^\W\d_]"))

    def may_fit(self, text: str) -> bool:
        found = self._same_in_python.match(text)
        return found is not None and (found["month"].isdecimal() or found["month"].lower() in NUMBERS)

    def plain(self, texts: pa.Array) -> tuple[pa.Array, frozenset[str]] | None:
        """Return the days in digits, year first, and no marks; None if a text is written in another way."""
        found = pc.extract_regex(texts, self._regex)
        if found.null_count:
            return None
        month = found.field("month")
        if MONTH in self.pattern:
            places = pc.index_in(pc.utf8_lower(month), NAMES)
            if places.null_count:
                return None
            month = DIGITS.take(places)
        days = pc.binary_join_element_wise(found.field("year"), month, found.field("day"), "-")
        return (pc.binary_join_element_wise(days, found.field("clock"), " ") if self.clock else days), frozenset()


PATTERNS = {
    "%d %b %Y": f"{DAY}{ORDINAL}{SIGNS}{OF}{MONTH}{SIGNS}{OF}{YEAR}",
    "%d %b %y": f"{DAY}{ORDINAL}{SIGN}{MONTH}{SIGN}{SHORT_YEAR}",
    "%b %d, %Y": f"{MONTH}{SIGN}{DAY}{ORDINAL}{SIGN}{YEAR}",
    "%Y %b %d": f"{YEAR}{SIGN}{MONTH}{SIGN}{DAY}",
    "%d. %m. %Y": rf"{DAY}\. (?P<month>\d{{1,2}})\. {YEAR}",
    "%d. %m. %Y.": rf"{DAY}\. ?(?P<month>\d{{1,2}})\. ?{YEAR}\.",
    "%Y. %m. %d.": rf"{YEAR}\. ?(?P<month>\d{{1,2}})\. ?{DAY}\.",
    "%Y年%m月%d日": f"{YEAR}[年년] ?(?P<month>\\d{{1,2}})[月월] ?{DAY}[日일]",
}
WORDED_DAYS = tuple(WordedDate(name, pattern) for name, pattern in PATTERNS.items())
WORDED_MOMENTS = tuple(WordedDate(name, pattern, clock=True) for name, pattern in PATTERNS.items())
