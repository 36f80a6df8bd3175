"""Reads one number per unit of another: `revenue per tonne`, `rent per square metre`.

For groups, and where each row is an event, it is the total of the one divided by that of the other. Else each row has
a ratio of its own. Called by the phrases, `computed` and the end of the grammar.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.providers.offline import dates, grain
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.query import Agg, Asked, Term
from sqlchat.providers.offline.reader import Reader
from sqlchat.providers.offline.units import list_unit_columns


def read_quantity(reader: Reader, table: Key) -> Col | None:
    """The quantity that is named next, by its column or its unit; of the table, or of one that its rows lead to.

    Raises QuestionError if a unit of the calendar is as likely.
    """
    link, unit, size = reader.link(), dates.find_unit(reader.low()), 1
    if link is not None and link.tables:
        return None
    if link is not None and link.columns:
        size = link.size
        col = reader.resolve(link.columns, link.text, table).target
        found = [col] if isinstance(col, Col) and grain.is_quantity(reader.linker, col) else []
    else:
        size += reader.low() == "square"
        found = [col for col in list_unit_columns(reader.linker, reader.low()) if col.table == table and not unit]
    if len(found) != 1 or reader.joins.distance(table, found[0].table)[0] > 1:
        return None
    if unit and any(map(dates.is_date, reader.linker.tables[found[0].table].columns)):
        raise QuestionError(
            f'"per {unit}" may mean each {unit}, or the total divided by {found[0].name}.',
            words=[reader.low()],
            reason="ambiguous",
        )
    reader.at += size
    return found[0]


def read_divisor(reader: Reader, asked: list[Asked]) -> bool:
    """`per tonne` after a measure or a total: notes the quantity that it is divided by."""
    mark, one = reader.at, asked[0] if len(asked) == 1 else None
    if one is None or one.functions != ["sum"] or reader.divisor is not None or not reader.take("per"):
        return False
    table = one.measure.table if one.measure is not None else reader.query.subject
    reader.divisor = read_quantity(reader, table) if table is not None else None
    if reader.divisor is None:
        reader.at = mark
    return reader.divisor is not None


def divide(reader: Reader, terms: list[Term]) -> list[Term]:
    """The terms, with totals divided by totals where these are meant and no ratio of each row."""
    return [_divide(reader, term) for term in terms]


def _divide(reader: Reader, term: Term) -> Term:
    of = term.of if isinstance(term, Agg) else term
    if isinstance(of, Computed) and of.kind == "over":
        groups = [group for group in reader.query.groups if group != of.table]
        plain = not isinstance(term, Agg) or term.function in ("sum", "avg")
        return divide_totals(reader, of) if plain and (groups or grain.is_added_up(reader.linker, of.left)) else term
    if reader.divisor is None or not isinstance(of, Col | Measure):
        return term
    return _write(reader, of, reader.divisor)


def rank_groups(reader: Reader, asked: list[Asked], col: Col, near: int) -> Agg | None:
    """The ratio by which groups of rows are ranked; None for another number, or a ratio of single rows."""
    category = grain.find_category(reader, asked)
    if not isinstance(col, Computed) or col.kind != "over" or (near < 2 and category is None):
        return None
    reader.query.groups += [category] if category is not None else []
    return divide_totals(reader, col)


def divide_totals(reader: Reader, ratio: Computed) -> Agg:
    """The total of the one column divided by that of the other, in place of the ratio of each row."""
    reader.query.assumptions.remove(tell(ratio))
    return _write(reader, ratio.left, ratio.right)


def tell(computed: Computed) -> str:
    """The sentence on a number of each row."""
    return f"{computed.words[:1].upper()}{computed.words[1:]} is taken."


def _write(reader: Reader, of: Col | Measure, over: Col) -> Agg:
    reader.assume(f"The total of {of.name} is divided by that of {over.table[1]}.{over.name}.")
    return Agg("sum", of, over=over)
