"""Things asked for, and the terms that they become once it is known what is spoken of. Called by the outputs, the
phrases and the grammar.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.providers.offline import dates, flags, grain, periods
from sqlchat.providers.offline.links import LOOSE, Col, Key
from sqlchat.providers.offline.measures import find_quantity
from sqlchat.providers.offline.query import Agg, Asked, DatePart, Term
from sqlchat.providers.offline.reader import Reader, is_participle


def make_terms(reader: Reader, asked: Asked, subject: Key | None) -> list[Term]:
    """`asked` as terms of the query, now that it is known what is spoken of."""
    if asked.kind == "table":
        assert asked.table is not None
        if asked.per is not None:
            return [Agg("avg", asked.table, per=asked.per)]
        if asked.functions:
            return [Agg("count", asked.table)]
        if asked.distinct and not reader.linker.display(asked.table):
            name = asked.table[1]
            raise QuestionError(f'Say which column of {name} "different" is asked of.', words=[], reason="ambiguous")
        return list(choose_columns(reader, asked.table))
    if asked.kind == "measure":
        assert asked.measure is not None
        return [Agg(function, asked.measure, per=asked.per) for function in asked.functions]
    if asked.kind == "unit":
        table = reader.measured or subject
        col = periods.find_time(reader, table) if table else None
        if col is None or not dates.is_date(reader.column(col)):
            raise QuestionError(f'There is no date to take the "{asked.text}" of.', words=[asked.text])
        if asked.functions:
            reader.assume(f"The day is that of {col.table[1]}.{col.name}.")
            return [Agg(function, col) for function in asked.functions]
        reader.assume(f"The {asked.unit} is that of {col.table[1]}.{col.name}.")
        return [DatePart(col, asked.unit)]
    hit = reader.resolve(asked.hits, asked.text, asked.owner or subject)
    if not asked.functions:
        return [hit.col]
    functions = asked.functions
    if functions == ["avg", "count"] and grain.is_added_up(reader.linker, hit.col):
        functions = ["avg"]  # `average number of guests`, of which each row holds a number
    return [_write_aggregate(reader, function, hit.col, asked) for function in functions]


def _write_aggregate(reader: Reader, function: str, col: Col, asked: Asked) -> Agg | Col:
    column = reader.column(col)
    if reader.linker.is_flag(col):
        raise flags.refuse_number(col, asked.text)
    if function == "count":
        if not asked.distinct and grain.is_added_up(reader.linker, col):
            reader.assume(grain.tell_added_up(col))
            return Agg("sum", col)
        if dates.is_number(column) and not asked.distinct and not reader.linker.is_key(col):
            raise QuestionError(
                f'"{asked.text}" is a number in each row of {col.table[1]}: say "total {asked.text}" to add it up, '
                f'or "number of different {asked.text}" to count its different values.',
                words=[asked.text],
                reason="ambiguous",
            )
        if dates.is_date(column) and not asked.distinct and any(map(is_participle, asked.text.lower().split())):
            raise refuse_undated(col, asked.text)
        if not asked.distinct:
            if min((hit.tier for hit in asked.hits if hit.target == col), default=0) >= LOOSE:
                raise QuestionError(f'"{asked.text}" names nothing here that can be counted.', words=[asked.text])
            grain.check_events(reader, col, asked.text)
            reader.assume(f'Different values of "{asked.text}" are counted, each once.')
        return Agg("count", col, distinct=True)
    if function in ("sum", "avg") and not dates.is_number(column):
        raise QuestionError(f"{col.name} holds no numbers to add up.", words=[asked.text], reason="text_column")
    if function in ("min", "max") and dates.is_text(column):
        raise QuestionError(
            f"{col.name} is kept as text, which has no largest or smallest.", words=[asked.text], reason="text_column"
        )
    if function == "sum":
        _check_prices(reader, col, asked.text)
    return Agg(function, col)


def _check_prices(reader: Reader, col: Col, text: str) -> None:
    """Raises QuestionError for a total of prices where each row has a number of pieces: nobody paid that."""
    table, words = reader.linker.tables[col.table], reader.linker.column_words(col.table, col.name)
    if "price" in words and find_quantity(table) not in (None, col.name):
        raise QuestionError(
            f'"{text}" is the price of one piece in each row of {col.table[1]}: say "average {text}" or "revenue".',
            words=[text],
            rewrites=[(f"total {text}", f"average {text}"), (f"total {text}", "revenue")],
        )


def refuse_undated(col: Col, text: str) -> QuestionError:
    """The refusal of what was done without a period in which it was."""
    return QuestionError(
        f'"{text}" is a date of each row of {col.table[1]}: say when, such as "{col.name} in 2024".',
        words=[text],
        reason="ambiguous",
    )


def choose_columns(reader: Reader, table: Key) -> list[Col]:
    """The columns that stand for a row of the table."""
    display = reader.linker.display(table)
    if display:
        return display
    reader.assume(f"{table[1]} has no column of names, so all its columns are shown.")
    defined = reader.linker.definitions.conditions
    columns = reader.linker.tables[table].columns
    return [Col(table, column.name) for column in columns if (table, column.name) not in defined]
