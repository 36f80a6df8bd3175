"""Aggregates in what a question asks for: `average`, `total number of`, `different`. Called by the outputs."""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import singular
from sqlchat.providers.offline import amounts, computed, dates, flags, grain, refusal, things
from sqlchat.providers.offline.links import LOOSE, Col, Hit, Link
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.query import Asked
from sqlchat.providers.offline.reader import Reader, is_participle

KINDS = lexicon.words("type kind status level category option")
"""Last words of columns that tell of what kind a thing is."""
OWED = lexicon.words("due fee fine cost expense donation wage charge refund tip tax debt rent premium toll fare")
"""Things that are sums of money: a total of them is no count."""
JOINERS = (
    ("as", "well", "as"), ("along", "with"), ("together", "with"), ("and",), ("and", "also"), ("&",), (",", "and"),
    (",",),
)  # fmt: skip


def take_distinct(reader: Reader) -> bool:
    """Step over `different` and its like, where they come next."""
    reader.skip({"the", "all", "of", "a"} if reader.low(1) in lexicon.DISTINCT else ())
    if reader.low() in lexicon.DISTINCT:
        reader.at += 1
        reader.skip({"the", "of"})
        return True
    return False


def read_functions(reader: Reader) -> list[str]:
    """`average, minimum and maximum` -> their functions; nothing where the words name a column instead."""
    found: list[str] = []
    while True:
        mark = reader.at
        joined = bool(found) and reader.take_any(JOINERS)
        reader.skip({"the"} if found else ())
        hit = reader.phrase(lexicon.AGGREGATES)
        if hit is None:
            reader.at = mark
            return found
        function, size = hit
        if is_column(reader, size):
            return found or ["sum"]
        reader.at += size
        if function in ("much", "amount"):
            function = "sum"
        totalled = reader.tokens[reader.at - size].low == "total" and not found
        of_each = function == "count" and reader.low(-1) == "of" and (totalled or (found and not joined))
        if of_each and _is_number_next(reader):  # `average number of pages`, where each row holds that number
            return found or ["sum"]
        found.append(function)
        if function == "count":
            return found


def is_column(reader: Reader, size: int) -> bool:
    """Whether `total` is the name of a column here and not the word for adding up: nothing follows to be added up."""
    token = reader.token()
    columns = reader.linker.columns_named((token.stem,)) if size == 1 and token is not None else []
    numbers = [h for h in columns if isinstance(h.target, Col) and dates.is_number(reader.column(h.target))]
    following = reader.link(reader.at + 1)
    named = following is not None and (following.columns or following.tables or following.measures)
    if numbers and reader.sees("total", "of") and _is_of_table(reader, numbers):
        return True
    of = reader.low(1) in ("of", "number", "amount", ",", "and", "&") or reader.phrase_at(1)
    return bool(numbers) and not named and not of


def _is_of_table(reader: Reader, columns: list[Hit]) -> bool:
    """Whether `of the orders` follows, and one of the columns is theirs: `total of the orders`."""
    at = reader.at + 2
    while at < len(reader.tokens) and reader.tokens[at].low in ("the", "all", "our"):
        at += 1
    link = reader.link(at)
    owners = {hit.target.table for hit in columns if isinstance(hit.target, Col)}
    return link is not None and any(hit.target in owners for hit in link.tables)


def _is_number_next(reader: Reader) -> bool:
    """Whether a column of numbers comes next, and no table."""
    reader.skip({"the", "all"})
    link = reader.link()
    columns = [h.target for h in link.columns if isinstance(h.target, Col)] if link is not None else []
    numbers = [col for col in columns if dates.is_number(reader.column(col)) and not reader.linker.is_key(col)]
    return link is not None and not link.tables and bool(numbers) and len(numbers) == len(columns)


def read_aggregated(reader: Reader, functions: list[str], distinct: bool) -> Asked | None:
    totalled = functions == ["sum"] and reader.low(-1) == "total" and flags.find_flag(reader) is not None
    skipped = {"of", "the", "all", "a", "values", "value", "for"} if functions != ["count"] else {"the", "all", "of"}
    reader.skip(skipped)
    if functions != ["count"] and not is_column(reader, 1):
        reader.skip(skipped | {"total"})
    distinct = take_distinct(reader) or distinct
    if functions != ["count"] and (figure := computed.read(reader)) is not None:
        figure.functions = [name for name in functions if name != "count"]
        return figure
    if (functions == ["count"] or totalled) and (qualified := things.read_qualified(reader)) is not None:
        qualified.functions = ["count"]
        return qualified
    link = reader.link()
    if link is not None and link.values and not (link.tables or link.columns or link.measures):
        return _read_valued(reader, link, functions)
    if link is None:
        return None
    if functions == ["avg"] and (worth := amounts.read_worth(reader, link)) is not None:
        return worth
    amounts.check_vague(link)
    if (
        functions == ["avg", "count"]
        and link.tables
        and not link.measures
        and (each := _read_average_count(reader, link)) is not None
    ):
        return each
    exact = functions == ["count"] and any(
        hit.tier < 2 or link.text.lower() == "sales" for hit in link.tables
    )  # `how many sales`, of a table `sale`
    if functions in (["sum"], ["count"]) and link.tables and (exact or not link.measures):
        if functions == ["sum"] and (amount := _find_amount_of(reader, link)) is not None:
            return amount
        asked = things.read_table(reader, link)
        asked.functions, asked.distinct = ["count"], distinct
        if functions == ["sum"] and asked.table is not None:
            _check_countable(reader, link)
            reader.assume(f"{asked.table[1]} are counted, not added up.")
        following = reader.link()
        if following is not None and following.columns and reader.tokens[reader.at - 1].possessive:
            raise QuestionError("A count of a column of something is not read yet.", words=[following.text])
        return asked
    if link.measures:
        reader.at += link.size
        measure = link.measures[0].target
        assert isinstance(measure, Measure)
        amounts.check_one(link)
        if functions == ["avg"] and not measure.column and (per := amounts.read_per(reader, measure)) is not None:
            return Asked("measure", link.text, functions, measure=measure, per=per)
        if measure.column and functions == ["count"]:
            reader.assume(f"{measure.table[1]}.{measure.column} is added up; its rows are not counted.")
            functions = ["sum"]
        if measure.column and functions != ["sum"]:
            return Asked("column", link.text, functions, [Hit(Col(measure.table, measure.column), 0)])
        if functions != ["sum"]:
            raise amounts.refuse_average(reader, link, measure)
        return Asked("measure", link.text, functions, measure=measure)
    if link.columns:
        if functions == ["count"] and not distinct:
            refusal.check_told(reader, link)
            check_kind(reader, link)
            if (dated := _count_days(reader, link)) is not None:
                return dated
        reader.at += link.size
        return Asked("column", link.text, functions, link.columns, distinct=distinct)
    return None


def _check_countable(reader: Reader, link: Link) -> None:
    """Raises QuestionError for `how much wine`, or a total of what only resembles a table: rows are no amount."""
    much = any(token.low == "much" for token in reader.tokens[max(0, link.start - 3) : link.start])
    if much or min(hit.tier for hit in link.tables) >= LOOSE:
        raise QuestionError(f'"{link.text}": nothing here is called so that can be added up.', words=[link.text])


def check_kind(reader: Reader, link: Link) -> None:
    """Raises QuestionError for `how many jobs` or `jobs not closed`, if only a column tells the kind of job."""
    for hit in link.columns:
        words = reader.linker.column_words(hit.col.table, hit.col.name)
        if hit.tier == 2 and words[-1] in KINDS and words[-1] not in link.text.lower():
            kind = f"{' '.join(words)}s"
            raise QuestionError(
                f'"{link.text}" may be the {kind} or something else that is counted.',
                words=[link.text],
                reason="ambiguous",
                rewrites=[(link.text, f"different {kind}")],
            )


def _count_days(reader: Reader, link: Link) -> Asked | None:
    """`how many arrivals`, of a column of days: its rows, of which these are the days."""
    cols = [hit.col for hit in link.columns]
    last = link.text.lower().split()[-1]
    if len(cols) != 1 or not dates.is_date(reader.column(cols[0])) or last == "date" or is_participle(last):
        return None
    reader.at += link.size
    reader.timed = cols[0]
    reader.assume(f'"{link.text}" are the rows of {cols[0].table[1]}, each with its {cols[0].name}.')
    return Asked("table", link.text, ["count"], table=cols[0].table)


def _find_amount_of(reader: Reader, link: Link) -> Asked | None:
    """`total amount of orders`, `total fees`: what each amounts to. Raises QuestionError if several columns may."""
    said = [token.low for token in reader.tokens[max(0, reader.at - 3) : reader.at]]
    named = "amount" in said or singular(link.text.lower()) in OWED
    hit = reader.table_of(link) if named else None
    columns = grain.list_amounts(reader.linker, hit.target) if hit and isinstance(hit.target, tuple) else []
    if len(columns) > 1:
        raise QuestionError(
            f'The amount of "{link.text}" may be {" or ".join(col.name for col in columns)}.',
            words=["amount" if "amount" in said else link.text],
            reason="ambiguous",
            rewrites=[("total amount" if "total" in said else "amount", f"sum of {col.name}") for col in columns],
        )
    if not columns:
        return None
    reader.assume(f"{columns[0].table[1]}.{columns[0].name} is added up.")
    reader.at += link.size
    return Asked("column", columns[0].name, ["sum"], [Hit(columns[0], 0)], owner=columns[0].table)


def _read_valued(reader: Reader, value: Link, functions: list[str]) -> Asked | None:
    """`how many lamps`: the pieces of what the value names, unless a table follows."""
    following = reader.link(reader.at + value.size)
    counted = functions == ["count"] and (following is None or not following.tables)
    return things.read_pieces(reader, value) if counted else None


def _read_average_count(reader: Reader, link: Link) -> Asked | None:
    """`average number of loans per member`: of the members that have any."""
    mark, counted = reader.at, reader.table_of(link)
    reader.at += link.size
    reader.take_any((("per",), ("for", "each"), ("of", "each"), ("by", "each"), ("for", "every")))
    following = reader.link() if reader.at > mark + link.size else None
    owner = reader.table_of(following) if following is not None and following.tables else None
    if (
        counted is None
        or owner is None
        or not isinstance(counted.target, tuple)
        or not isinstance(owner.target, tuple)
    ):
        reader.at = mark
        return None
    near, steps = reader.joins.distance(counted.target, owner.target)
    if near != 1 or not steps or following is None or len(reader.linker.tables[owner.target].primary_key) != 1:
        reader.at = mark
        return None
    reader.at += following.size
    reader.assume(f"{owner.target[1]} without {counted.target[1]} are left out of the average.")
    return Asked("table", link.text, ["avg"], table=counted.target, per=owner.target)
