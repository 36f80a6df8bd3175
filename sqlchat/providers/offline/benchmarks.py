"""A number of each row against the average, the highest or the lowest of rows, or that of one row.

`above the average age`, `larger than every island of the Coral Group`, `older than the "Silver Gull"`.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.operands import add_comparison, read_operands
from sqlchat.providers.offline.query import Benchmark, Compare
from sqlchat.providers.offline.reader import Reader

FUNCTIONS = {
    **dict.fromkeys(("average", "mean"), "avg"),
    **dict.fromkeys(("minimum", "lowest", "smallest", "least"), "min"),
    **dict.fromkeys(("maximum", "highest", "largest", "greatest"), "max"),
}
EVERY = lexicon.words("all every each")
SIZED = {"bigger": ">", "larger": ">", "smaller": "<"}
AGED = {"older": "<", "newer": ">"}
"""Comparatives of a year or a day, where no age is kept."""
MORE = lexicon.words("greater larger bigger higher more")
LESS = lexicon.words("smaller lower less fewer")
COMPARING = MORE | LESS | {*SIZED, *AGED, *lexicon.COMPARATIVES}
OPENING = lexicon.words("with has have had having that which who is are was were a an whose")
TYING = lexicon.words("of for among in all the")


def read(reader: Reader) -> bool:
    """`older than average`, `with a larger area than every town of Kent`, `bigger than the town Rye`."""
    mark, kept = reader.at, list(reader.query.assumptions)
    reader.skip(OPENING)
    found = _read_compared(reader)
    if found is not None and read_bench(reader, *found):
        return True
    if found is not None and found[0] is not None and reader.low(-1) == "than" and reader.low(-2) not in COMPARING:
        operands = read_operands(reader, found[0], found[1])  # `a greater weight than 10`
        if operands is not None:
            add_comparison(reader, found[0], found[1], operands, negated=False)
            return True
    reader.at, reader.query.assumptions[:] = mark, kept
    return False


def _read_compared(reader: Reader) -> tuple[Col | None, str] | None:
    """The column, if it is named yet, and the operator of `older than`, `a greater weight than`, `above`."""
    table, word = reader.focus.table, reader.low()
    if table is None:
        return None
    options = lexicon.COMPARATIVES.get(word, ())
    options = options or tuple((name, SIZED[word]) for name, _ in lexicon.SIZES["largest"] if word in SIZED)
    if reader.low(1) == "than" and options:
        found = reader.adjective(options, table)
        if found is None and word in AGED and (day := reader.time_column(table)) is not None:
            found = day, AGED[word]
        if found is not None and (word in SIZED or found[1] == AGED.get(word)):
            reader.assume(f"{word.capitalize()} is told by {found[0].table[1]}.{found[0].name}.")
        if found is not None:
            reader.at += 2
            return found[0], found[1]
    hit = reader.phrase(lexicon.OPERATORS)
    if hit is not None and lexicon.COMPARISONS.get(hit[0]) in (">", "<", ">=", "<="):
        reader.at += hit[1]
        return None, lexicon.COMPARISONS[hit[0]]
    link = reader.link(reader.at + 1) if word in MORE | LESS else None
    if link is None or not link.columns or reader.low(1 + link.size) != "than":
        return None
    reader.at += 2 + link.size
    return reader.resolve(link.columns, link.text, table).col, ">" if word in MORE else "<"


def read_bench(reader: Reader, col: Col | None, op: str) -> bool:
    """What the column is compared with, after the operator; the column itself may be named only here."""
    mark, table = reader.at, reader.focus.table
    reader.skip({"the", "that", "those", "of", "a"})
    function = FUNCTIONS.get(reader.low())
    if function is not None:
        reader.at += 1
        named = col
        col = _read_own(reader, col)
        if col is None or (named is None and col.table != table) or not dates.is_number(reader.column(col)):
            reader.at = mark
            return False
        bench = Benchmark(col, op, function)
        reader.add(bench)
        _read_rows(reader, col.table, bench)
        return True
    farthest = "max" if op in (">", ">=") else "min"
    if col is not None and col.table == table and reader.low() in EVERY:
        reader.at += 1
        reader.skip({"the", "other", "of"})
        bench, conditions = Benchmark(col, op, farthest), reader.focus.conditions
        if _read_rows(reader, col.table, bench):
            conditions.append(bench)
            return True
    elif col is not None and col.table == table and _read_one_row(reader, Benchmark(col, op, farthest)):
        return True
    reader.at = mark
    return False


def _read_own(reader: Reader, col: Col | None) -> Col | None:
    """The column after `average`, which is the one compared if that is known."""
    link = reader.link()
    if link is None or not link.columns or (link.tables and col is not None):
        return col
    if col is None:
        col = reader.resolve(link.columns, link.text, reader.focus.table).col
    elif all(hit.target != col for hit in link.columns):
        return None
    reader.at += link.size
    return col


def _read_rows(reader: Reader, table: Key, bench: Benchmark) -> bool:
    """`of all towns`: conditions that follow are those of the rows compared with."""
    mark = reader.at
    reader.skip(TYING)
    link = reader.link()
    if link is None or all(hit.target != table for hit in link.tables):
        reader.at = mark
        return False
    reader.at += link.size
    if not reader.done and {"and", "or", "but"} & {token.low for token in reader.tokens[reader.at :]}:
        raise QuestionError(
            "Whether what follows is said of the one or the other rows is not clear.",
            words=["and"],
            reason="ambiguous",
        )
    reader.focus = type(reader.focus)(table, bench.conditions)
    return True


def _read_one_row(reader: Reader, bench: Benchmark) -> bool:
    """`the "Silver Gull"`, `the horse Comet`: the row of that name."""
    table = bench.col.table
    display = reader.linker.display(table)
    link = reader.link()
    if link is not None and any(hit.target == table for hit in link.tables) and not link.values:
        reader.at += link.size
        reader.skip({"named", "called"})
        link = reader.link()
    token = reader.token()
    named = next((hit.value for hit in link.values if [hit.target] == display), None) if link is not None else None
    if named is not None and link is not None:
        reader.at += link.size
    elif token is not None and token.kind == "text" and len(display) == 1:
        named = token.text
        reader.at += 1
    if named is None:
        return False
    bench.conditions.append(Compare(display[0], "=", (named,)))
    reader.add(bench)
    return True
