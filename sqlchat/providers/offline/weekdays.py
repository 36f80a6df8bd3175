"""Reads conditions on the day of the week: `on a Friday`, `at weekends`, `not on Mondays`.

`on Friday` is not read: it may be the last one, or each. Called by the conditions.
"""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.providers.offline import dates, periods
from sqlchat.providers.offline.links import Col, Computed
from sqlchat.providers.offline.query import Compare
from sqlchat.providers.offline.reader import Reader

NAMES = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
DAYS = {
    **{name: (number,) for number, name in enumerate(NAMES)},
    **{f"{name}s": (number,) for number, name in enumerate(NAMES)},
    **dict.fromkeys(("weekend", "weekends"), (0, 6)),
}
"""Words for days of the week, by their numbers from Sunday, 0, on."""
WORKING = (1, 2, 3, 4, 5)
LEADING = lexicon.words("that which who are is was were been on at in during a an the any every either")
ANY = lexicon.words("a any every each")
FOLLOWING = DAYS.keys() | {"weekday", "weekdays", "a", "any", "every", "not"}
JOINING = lexicon.words("and or , on a")


def read(reader: Reader) -> bool:
    mark = reader.at
    col = reader.find_column_before(mark, dates.is_date) or periods.find_named_time(reader, FOLLOWING)
    reader.skip(LEADING)
    negated = reader.take("not")
    reader.skip(LEADING)
    numbers, words = _read_days(reader)
    if not numbers:
        reader.at = mark
        return False
    col = col or periods.find_spoken_time(reader)
    if col is None or not dates.is_date(reader.column(col)) or (negated and reader.has_several(col)):
        reader.at = mark
        return False
    reader.assume(f"The day of the week, {words}, is that of {col.table[1]}.{col.name}.")
    reader.add(Compare(_number_day(col), "!=" if negated else "=", numbers))
    return True


def _read_days(reader: Reader) -> tuple[tuple[int, ...], str]:
    """The numbers of the days that come next, stepped over, and their words; nothing where a value has the words."""
    start, numbers = reader.at, list[int]()
    while reader.low() in DAYS or (reader.low() in ("weekday", "weekdays") and reader.low(-1) in ("on", "a")):
        if any(link.values for link in reader.links()):
            reader.at = start
            return (), ""
        numbers += DAYS.get(reader.low(), WORKING)
        reader.at += 1
        ahead = 0
        while reader.token(ahead) is not None and reader.token(ahead).text.lower() in JOINING:  # type: ignore[union-attr]
            ahead += 1
        reader.at += ahead if reader.low(ahead) in DAYS else 0
    if len(numbers) == 1 and not reader.low(-1).endswith("s") and reader.tokens[start - 1].text.lower() not in ANY:
        reader.at = start
        return (), ""
    words = " ".join(token.text for token in reader.tokens[start : reader.at])
    return tuple(dict.fromkeys(numbers)), words


def _number_day(col: Col) -> Computed:
    return Computed(col.table, "weekday", "weekday", col, col)
