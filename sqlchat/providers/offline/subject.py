"""Which table a question is about, told by the things that it asks for. Called by the grammar."""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.providers.offline import dates, grain, outputs, phrases
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.query import Asked
from sqlchat.providers.offline.reader import Focus, Reader


def choose_subject(reader: Reader, asked: list[Asked]) -> None:
    """Note the subject of the question, and what it counts, adds up and lists."""
    query = reader.query
    for item in asked:
        if item.kind == "measure" and item.measure is not None:
            reader.measured = item.measure.table
        elif item.kind == "table" and item.functions:
            reader.measured = item.table
    if not asked:
        return
    first = asked[0]
    only_tables = all(item.kind == "table" for item in asked)
    if (only_tables and not first.functions) or (first.kind == "table" and first.functions and len(asked) == 1):
        query.subject = first.table
    elif first.owner is not None:
        query.subject = first.owner
    else:
        query.subject = _read_of_table(reader, asked)
    explicit = query.subject is not None
    if query.subject is None:
        owners = [
            item.owner or item.table for item in asked if item.owner or (item.kind == "table" and not item.functions)
        ]
        query.subject = owners[0] if owners else _find_common_table(reader, asked)
    reader.explicit_subject = explicit or any(item.kind == "table" and not item.functions for item in asked)
    if len(asked) == 1 and first.owner is not None and grain.find_category(reader, asked, named=True) is not None:
        reader.explicit_subject = False  # `policy type` is a value that several policies share
    if reader.measured is None and query.subject is not None:
        reader.measured = _find_measured(reader, asked, query.subject)
    if len(asked) == 1:
        reader.category = grain.find_category(reader, asked)
    reader.counted = tuple(i.table for i in asked if i.kind == "table" and i.functions and i.table) or tuple(
        (query.subject,) if any(i.functions for i in asked) and query.subject else ()
    )
    reader.listed = tuple(item.table for item in asked if item.kind == "table" and not item.functions and item.table)
    table = query.subject or reader.measured
    if reader.unit and (owner := reader.measured or table) is not None:
        query.groups.append(phrases.make_period_group(reader, owner, reader.unit))
    reader.focus = Focus(table, query.conditions)


def _read_of_table(reader: Reader, asked: list[Asked]) -> Key | None:
    """`of the singers`, `for the youngest singer`: the table that the list before belongs to."""
    mark = reader.at
    if reader.low() not in ("of", "for", "from", "in", "on", "about", "among"):
        return None
    reader.at += 1
    reader.skip({"the", "all", "our", "of", "those", "any"})
    if reader.low() in ("each", "every", "per"):
        reader.at += 1
        if any(item.functions for item in asked) or reader.most_frequent or reader.query.order or reader.ranked:
            reader.at = mark
            return None
    try:
        found = outputs.read_one(reader, first=True)
    except QuestionError:
        found = None
    if found is None or found.kind != "table" or found.functions or found.table is None:
        reader.at = mark
        return None
    if reader.ranked:
        raise QuestionError("A top list of something inside a list is not read yet.", words=[found.text])
    return found.table


def _find_common_table(reader: Reader, asked: list[Asked]) -> Key | None:
    """The table that the columns asked for have in common, where nothing names one."""
    if any(item.kind in ("measure", "table") for item in asked):
        return None
    sets = [{hit.target.table for hit in item.hits if isinstance(hit.target, Col)} for item in asked if item.hits]
    common = set.intersection(*sets) if sets else set()
    if len(common) > 1:
        # A column that is also a key of another table is at home where it is described.
        best = {table: sum(_find_tier(item, table) for item in asked) for table in common}
        low = min(best.values())
        common = {t for t, tier in best.items() if tier == low}
    if len(common) > 1 and len(asked) == 1:
        home = reader.keep_home(
            [hit for hit in asked[0].hits if isinstance(hit.target, Col) and hit.target.table in common]
        )
        common = {hit.target.table for hit in home if isinstance(hit.target, Col)}
        common = common & reader.list_mentioned() or common
    return common.pop() if len(common) == 1 else None


def _find_measured(reader: Reader, asked: list[Asked], subject: Key) -> Key | None:
    """The table whose column is added up or averaged for another one, if its rows have a day of their own."""
    for item in asked:
        if item.kind == "column" and item.functions and item.hits:
            table = reader.resolve(item.hits, item.text, item.owner or subject).col.table
            if table != subject and any(dates.is_date(column) for column in reader.linker.tables[table].columns):
                return table
    return None


def _find_tier(asked: Asked, table: Key) -> int:
    return min(
        (hit.tier for hit in asked.hits if isinstance(hit.target, Col) and hit.target.table == table), default=0
    )
