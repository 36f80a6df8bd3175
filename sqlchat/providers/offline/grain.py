"""What a row stands for where one table holds everything: columns whose values repeat, and what is added up there.

In `orders(order_no, customer, quantity)` the customers are values of a column. `Top 3 customers by quantity` ranks
customers and not rows: the quantity is added up for each of them.
"""

from __future__ import annotations

import re

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import singular, stem
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.dates import INTEGER_TYPE
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.query import Agg, Asked
from sqlchat.providers.offline.reader import Reader

ADDED_UP = lexicon.words(
    "quantity qty amount total subtotal sales sale revenue turnover units spend spending downloads views clicks "
    "visits count sum proceeds kg km kwh litre litres liter liters tonnes grams"
)
"""Words of columns whose values are shares of a whole, so that a group's value is their total."""
OF_EVENTS = lexicon.words("distance fee fees toll tolls tax tip cost costs payment donation fine bonus minutes hours")
"""The same where each row is something that was done on some day."""
RATES = lexicon.words("price rate average unit per percent percentage ratio score rating level age year number")
"""Words of columns of which a total means nothing."""
PER = lexicon.words("rate rates unit per percent percentage pct average avg ratio score rating level")
"""Words of columns whose numbers are already told per something."""

EVENTS = lexicon.words(
    "complaint fault defect error incident issue injury damage problem remark note comment failure accident alert"
)
"""Words of columns that tell what happened to a row."""
HAPPENED = re.compile(
    r"\bwere there\b|\bdid (we|you|they) (have|get|receive|do|perform|give)\b|\bhave (there been|we had)\b"
)


def is_category(linker: Linker, col: Col) -> bool:
    """Whether several rows of the column's table may share a value, by all that is known of it."""
    table = linker.tables[col.table]
    if (col.name,) == table.primary_key or not dates.is_text(linker.catalog_column(col)):
        return False
    if any(col.name in key.columns for key in table.foreign_keys):
        return False
    named = [stem(word) for word in linker.column_words(col.table, col.name)]
    noun = [stem(word) for word in linker.table_words(col.table)[-1:]]
    return col not in linker.display(col.table) and named != noun


def may_repeat(linker: Linker, col: Col) -> bool:
    """Whether the column holds texts that are no keys."""
    return dates.is_text(linker.catalog_column(col)) and not linker.is_key(col)


def check_events(reader: Reader, col: Col, text: str) -> None:
    """Raises QuestionError for `how many complaints were there`: values or the rows that have one.

    People and things are values of a column, each once; what happened is counted each time.
    """
    words = set(reader.linker.column_words(col.table, col.name))
    said = HAPPENED.search(" ".join(token.low for token in reader.tokens)) and words.isdisjoint(lexicon.PEOPLE)
    if dates.is_text(reader.column(col)) and (said or words & EVENTS):
        raise QuestionError(
            f'"{text}" may be the different values of {col.name} or the rows of {col.table[1]} with one.',
            words=[text],
            reason="ambiguous",
            rewrites=[(text, f"different {text}")],
        )


def list_names_and_keys(linker: Linker, table: Key) -> list[Col]:
    """The columns that tell the table's rows apart: names and keys."""
    return [*linker.display(table), *(Col(table, name) for name in linker.tables[table].primary_key)]


def is_figure(linker: Linker, col: Col) -> bool:
    """Whether the column holds amounts of single rows, which mean little as a list without the rows."""
    words = linker.column_words(col.table, col.name)
    is_number = dates.is_number(linker.catalog_column(col)) and not linker.is_key(col) and not linker.is_flag(col)
    return is_number and RATES.isdisjoint(words)


def is_added_up(linker: Linker, col: Col) -> bool:
    """Whether a group's value of the column is plainly the total over its rows."""
    words = linker.column_words(col.table, col.name)
    if not dates.is_number(linker.catalog_column(col)) or not RATES.isdisjoint(words) or linker.is_key(col):
        return False
    if ADDED_UP & set(words):
        return True
    table = linker.tables[col.table]
    parents = [linker.tables.get((key.ref_schema, key.ref_table)) for key in table.foreign_keys]
    lines_of = [table, *(parent for parent in parents if parent is not None)]  # an order's lines are of its day
    dated = any(dates.is_date(column) for one in lines_of for column in one.columns)
    last = words[-1]
    plural = (last.endswith("s") and not last.endswith(("ss", "us"))) or last in ("children", "people")
    return dated and (bool(OF_EVENTS & set(words)) or (plural and not linker.is_flag(col)))


def is_quantity(linker: Linker, col: Col) -> bool:
    """Whether the column holds amounts of which something is told per unit, and no level or number of a kind."""
    words = linker.column_words(col.table, col.name)
    if not is_figure(linker, col):
        return False
    whole = INTEGER_TYPE.search(linker.catalog_column(col).type) is not None
    return not whole or is_added_up(linker, col) or not lexicon.MEASURE_UNITS.isdisjoint(words)


def is_divisible(linker: Linker, col: Col) -> bool:
    """Whether the column's numbers can be told per unit of another one, and are no rates already."""
    return dates.is_number(linker.catalog_column(col)) and PER.isdisjoint(linker.column_words(col.table, col.name))


def is_rate(linker: Linker, col: Col) -> bool:
    """Whether a total of the column means nothing, as of a rating."""
    words = linker.column_words(col.table, col.name)
    return dates.is_number(linker.catalog_column(col)) and not RATES.isdisjoint(words) and not linker.is_key(col)


def add_up_children(reader: Reader, table: Key, col: Col, text: str) -> Agg | None:
    """The total of a column by which rows of `table` are ranked that may have several of it; None for a rate."""
    if not is_added_up(reader.linker, col):
        return None
    reader.assume(
        f"The total of {col.table[1]}.{col.name} is taken for each {singular(table[1])}; "
        f'say "average {text}" for the average of its rows.'
    )
    return Agg("sum", col)


def tell_added_up(col: Col) -> str:
    """The sentence for a column of which a total was taken though nobody said so."""
    return f'The total of {col.table[1]}.{col.name} is taken; say "average {col.name}" for the average of its rows.'


def find_category(reader: Reader, asked: list[Asked], *, named: bool = False) -> Col | None:
    """The repeating column that the question lists, if it lists one alone and names no table, or if `named`."""
    if (reader.explicit_subject and not named) or not asked or asked[0].kind != "column" or asked[0].functions:
        return None
    col = reader.resolve(asked[0].hits, asked[0].text, asked[0].owner or reader.query.subject).target
    return col if isinstance(col, Col) and is_category(reader.linker, col) else None


def rank_groups(reader: Reader, asked: list[Asked], col: Col, text: str) -> Agg | None:
    """The total by which the values of a repeating column are ranked; None where single rows are ranked.

    Raises QuestionError where nothing tells whether a total, an average or a single row is meant.
    """
    category = find_category(reader, asked)
    same = category is not None and col.table == category.table
    if category is None or not same or category == col:
        return None
    if is_category(reader.linker, col) and not text.lower().endswith("s"):
        raise QuestionError(f'"{text}" is no number to rank by.', words=[text], reason="ambiguous")
    if is_category(reader.linker, col) and reader.low(-2) in ("most", "fewest", "least"):
        check_events(reader, col, text)
        reader.assume(f'Different values of "{text}" are counted, each once.')
        reader.query.groups.append(category)
        return Agg("count", col, distinct=True)
    if not dates.is_number(reader.column(col)):
        return None
    if is_added_up(reader.linker, col):
        reader.assume(
            f"The total of {col.table[1]}.{col.name} is taken for each {singular(category.name)}; "
            f'say "average {text}" for the average of its rows.'
        )
        if category not in reader.query.groups:
            reader.query.groups.append(category)
        return Agg("sum", col)
    ways = ("average",) if is_rate(reader.linker, col) else ("average", "total")
    raise QuestionError(
        f"Each {singular(category.name)} has several rows of {col.table[1]}: say "
        + " or ".join(f'"{way} {text}"' for way in ways)
        + ".",
        words=[text],
        reason="ambiguous",
        rewrites=[(text, f"{way} {text}") for way in ways],
    )


def list_amounts(linker: Linker, table: Key) -> list[Col]:
    """The columns of the table that hold amounts to add up."""
    columns = [Col(table, column.name) for column in linker.tables[table].columns]
    return [col for col in columns if is_added_up(linker, col) and not linker.is_key(col)]
