"""What sets rows apart by what belongs to them: superlatives, numbers of related things, having and not having.
Called by the grammar; each gives True and has stepped over what it read, or False and over nothing.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import singular
from sqlchat.providers.offline import dates, flags, grain, outputs, phrases, ratios, states, things
from sqlchat.providers.offline.asked import make_terms
from sqlchat.providers.offline.links import Col, Key, Link
from sqlchat.providers.offline.measures import find_quantity
from sqlchat.providers.offline.query import Agg, Asked, Compare, Condition, Extreme, Term
from sqlchat.providers.offline.reader import FIRST_OR_LAST, Focus, Reader, is_participle

RELATING = lexicon.IN | lexicon.NOT | lexicon.VERBS | lexicon.WITH | {"do", "does", "did"}
ACTING = frozenset({"not", "never", "did", "do", "does", "who", "that", "which"})
SIZES = lexicon.words("highest lowest largest smallest biggest greatest")
LEADING = lexicon.words("with has have had having that which who the is are was were a whose")


def read_superlative(reader: Reader, asked: list[Asked]) -> bool:
    """`with the highest capacity`, `has the most orders`, `that is the oldest`."""
    mark, limit = reader.at, reader.query.limit
    reader.skip(LEADING | lexicon.VERBS)
    ahead = int(reader.low() == "top")
    token = reader.token(ahead)
    counted = token is not None and isinstance(token.value, int) and (reader.low(ahead + 1),) in lexicon.SUPERLATIVES
    if counted and token is not None and limit is None:  # `with the top 5 largest areas`
        reader.query.limit = int(token.value or 1)
        reader.at += ahead + 1
    if _read_superlative(reader, asked, mark):
        return True
    reader.query.limit = limit
    return False


def _read_superlative(reader: Reader, asked: list[Asked], mark: int) -> bool:
    """Steps over it from here on; the question's next word is at `mark`."""
    if (done := _find_first_deed(reader)) is not None:
        _rank_rows(reader, *done)
        return True
    options, size = things.find_adjective(reader)
    if dates.read(reader.tokens, reader.at, reader.today) is not None:
        options = ()
    if options and (found := reader.adjective(options, reader.focus.table)) is not None:
        reader.at += size
        following = reader.link()
        bare = following is None or not (following.tables or following.columns)
        if following is not None and (following.tables or following.columns):
            named = following.columns and any(hit.target == found[0] for hit in following.columns)
            same = following.tables and any(hit.target == reader.focus.table for hit in following.tables)
            if not named and not same:
                reader.at = mark
                return False
            reader.at += following.size
        if grain.find_category(reader, asked) not in (None, found[0]):
            way = "highest" if found[1] == "desc" else "lowest"
            if bare and dates.is_number(reader.column(found[0])):
                said = " ".join(token.text for token in reader.tokens[mark : reader.at])
                ways = [f"has the {way} {function} {found[0].name}" for function in ("average", "total")]
                raise QuestionError(
                    f'"{said}": several rows share one {asked[0].text}: say which {found[0].name} of theirs counts.',
                    words=[said],
                    reason="ambiguous",
                    rewrites=[(said, way) for way in ways],
                )
            reader.assume(f"The one row with the {way} {found[0].table[1]}.{found[0].name} is taken.")
        _rank_rows(reader, found[0], found[1] == "desc")
        return True
    if reader.low() in lexicon.IN and any(_is_superlative(reader, ahead) for ahead in (1, 2)):
        reader.at += 1
        reader.skip({"the"})
    hit = reader.phrase(lexicon.SUPERLATIVES)
    if hit is None or reader.low() in ("top", "bottom", "best", "worst"):
        reader.at = mark
        return False
    reader.at += hit[1]
    descending = hit[0] == "desc"
    reader.skip({"of", "different", "distinct"} if hit[1] > 1 else ())
    sized = reader.low(-1) in SIZES
    one = outputs.read_one(reader, first=False)
    if one is None or one.kind == "unit":
        reader.at = mark
        return False
    if sized and one.kind == "table" and not one.functions:
        raise QuestionError(
            f'"{one.text}": say the most {one.text}, or what the size of one is.',
            words=[one.text],
            reason="ambiguous",
        )
    rank_by(reader, asked, one, descending)
    return True


def _is_superlative(reader: Reader, ahead: int) -> bool:
    return (reader.low(ahead),) in lexicon.SUPERLATIVES and (ahead == 1 or reader.low(1) == "the")


def _find_first_deed(reader: Reader) -> tuple[Col, bool] | None:
    """`joined first`, `was hired last`: the day of what was done, and whether the latest comes first."""
    link, table = reader.link(), reader.focus.table
    if link is None or table is None or not (deeds := reader.find_deeds(link)):
        return None
    word = reader.low(link.size)
    if word not in FIRST_OR_LAST or reader.is_dated(reader.at + link.size):
        return None
    col = reader.resolve(deeds, link.text, table).target
    reader.at += link.size + 1
    return (col, word in ("last", "latest")) if isinstance(col, Col) else None


def rank_by(reader: Reader, asked: list[Asked], one: Asked, descending: bool) -> None:
    query = reader.query
    if one.kind == "table":
        if reader.focus.related is not None:
            raise QuestionError(f'"{one.text}": counting inside a condition is not read yet.', words=[one.text])
        assert one.table is not None
        if not one.functions and one.table == query.subject and reader.explicit_subject:
            raise QuestionError(f'"{one.text}" is what the question is about already.', words=[one.text])
        term: Term = Agg("count", one.table)
        focus_measured(reader, one.table)
    elif one.kind == "measure" or one.functions:
        found = make_terms(reader, one, reader.focus.table)
        term = found[0]
        if one.measure is not None:
            reader.measured = one.measure.table
            term = _count_pieces(reader, one, descending) or term
    else:
        hit = reader.resolve(one.hits, one.text, reader.focus.table)
        near = reader.joins.distance(reader.focus.table, hit.col.table)[0] if reader.focus.table else 0
        total = ratios.rank_groups(reader, asked, hit.col, near)
        total = total or grain.rank_groups(reader, asked, hit.col, one.text)
        if total is None:
            phrases.check_sortable(reader, hit.col, one.text)
        by_number = reader.low(-len(one.text.split()) - 1) in ("most", "fewest", "least")
        if near > 1 and reader.focus.table and total is None and by_number:
            total = grain.add_up_children(reader, reader.focus.table, hit.col, one.text)
            if total is not None:
                focus_measured(reader, hit.col.table)
        if near > 1 and total is None and not by_number and grain.is_rate(reader.linker, hit.col):
            way = "highest" if descending else "lowest"
            reader.assume(f"The one row with the {way} {hit.col.table[1]}.{hit.col.name} is taken.")
            total = Agg("max" if descending else "min", hit.col)
            focus_measured(reader, hit.col.table)
        if near > 1 and total is None:
            raise QuestionError(
                f"Each of {reader.focus.table and reader.focus.table[1]} may have several {one.text}.",
                words=[one.text],
                reason="ambiguous",
            )
        if total is None:
            _rank_rows(reader, hit.col, descending)
            return
        term = total
    query.order.append((term, descending))
    query.limit = query.limit or 1
    reader.ranked, reader.needs_order = "", False
    one.functions = one.functions or [term.function if isinstance(term, Agg) else "count"]
    reader.ranking = one


def _count_pieces(reader: Reader, one: Asked, descending: bool) -> Agg | None:
    """The number of pieces for `the most sale`, which a verb became: what is sold most is sold in large numbers."""
    if one.measure is None or one.measure.name not in lexicon.REVENUE:
        return None
    if singular(one.text.lower()) != singular(reader.linker.table_words(one.measure.table)[-1]):
        return None
    quantity = find_quantity(reader.linker.tables[one.measure.table])
    if quantity is None:
        return None
    col = Col(one.measure.table, quantity)
    reader.assume(f"{'Most' if descending else 'Least'} is told by the total of {col.table[1]}.{col.name}.")
    return Agg("sum", col)


def focus_measured(reader: Reader, table: Key) -> None:
    """Conditions after `the most orders` are on the orders that are counted."""
    reader.measured = table
    reader.focus = Focus(table, reader.query.conditions)


def _rank_rows(reader: Reader, col: Col, descending: bool) -> None:
    """The first row by a column: an order and a limit for what is listed, a condition where something else is."""
    query = reader.query
    if reader.focus.related is not None or any(True for _ in reader.counted):
        reader.add(Extreme(col, descending))
        return
    query.order.append((col, descending))
    query.limit = query.limit or 1
    reader.ranked, reader.needs_order = "", False


def read_plain_operator(reader: Reader) -> str:
    hit = reader.phrase(lexicon.OPERATORS)
    if hit is None or hit[0] not in (">", "<", ">=", "<=", "=", "!="):
        return ""
    reader.at += hit[1]
    return hit[0]


def read_relation(reader: Reader) -> bool:
    """`who placed orders`, `without any concert`, `with more than 3 models`, `of customers`."""
    mark = reader.at
    loose, negated = True, False
    if reader.focus.table is None:
        return False
    seen = reader.focus.related is not None and (
        is_participle(reader.low(-1)) or reader.low(-1) in lexicon.VERBS or reader.low(-2) in ACTING
    )  # `attended courses`
    while not reader.done:
        word = reader.low()
        if reader.phrase(lexicon.OPERATORS) is not None:
            break
        if word in lexicon.NOT:
            negated, loose = True, False
        elif word in ("who", "that", "which", "whose", "where") or word in lexicon.VERBS:
            loose = loose and word in ("where",)
            if word in lexicon.VERBS and (link := reader.link()) is not None and link.tables:
                seen = seen or word.endswith("ed")  # `customers ordered`: the verb itself relates
                break
        elif (
            word not in lexicon.IN and word not in lexicon.FILLERS and word not in ("single", "also", "been", "both")
        ):
            seen = seen or (
                is_participle(word) and any(hit.tier < 2 for link in reader.links() for hit in link.tables)
            )
            break
        seen = seen or word in RELATING
        reader.at += 1
    op, count = _read_count(reader)
    if (op, count) == ("=", 1) and reader.low(-2) in lexicon.IN and reader.focus.related and reader.focus.related.op:
        raise QuestionError(
            "A number of things that share another one is not read yet.", words=[reader.low(-1)], reason="ambiguous"
        )
    values, link = states.read_described(reader)
    if link is None:
        values, link = flags.read_described(reader)
    if link is None:
        reader.at = mark
        return False
    if not values:
        values, link = _read_narrowed(reader, link)
    if link.values and not link.tables and not link.columns:
        return _read_related_value(reader, link, mark, negated=negated, op=op)
    if op and (kinds := things.find_kinds(reader, link)) is not None:
        return _relate(
            reader, mark, link, kinds, loose=loose, negated=negated, op=op, count=count, values=values, seen=seen
        )
    if not link.tables or (link.columns and min(h.tier for h in link.columns) < min(h.tier for h in link.tables)):
        reader.at = mark
        return False
    hit = reader.table_of(link)
    assert hit is not None
    following = reader.link(reader.at + link.size)
    if following is not None and following.columns and reader.tokens[reader.at + link.size - 1].possessive:
        reader.at = mark
        return False
    return _relate(
        reader, mark, link, hit.key, loose=loose, negated=negated, op=op, count=count, values=values, seen=seen
    )


def _read_narrowed(reader: Reader, link: Link) -> tuple[list[Condition], Link]:
    """`German customers`: the value as a condition on the table after it, and that table's link."""
    following = reader.link(reader.at + link.size)
    if not link.values or link.tables or link.columns or following is None or not following.tables:
        return [], link
    hit = reader.table_of(following)
    if hit is None or not isinstance(hit.target, tuple):
        return [], link
    found = reader.resolve(link.values, link.text, hit.target)
    if not isinstance(found.target, Col) or found.value is None:
        return [], link
    if found.target.table == hit.target or reader.joins.distance(hit.target, found.target.table)[0] > 1:
        return [], link
    reader.at += link.size
    return [Compare(found.target, "=", (found.value,))], following


def _relate(
    reader: Reader, mark: int, link: Link, table: Key, *, loose: bool, negated: bool, op: str, count: int,
    values: list[Condition], seen: bool,
) -> bool:  # fmt: skip
    focus = reader.focus.table
    assert focus is not None
    if table == focus and not negated and not op:
        reader.at += link.size
        reader.take("table")
        named = table == reader.query.subject and not is_participle(link.text.lower())
        reader.explicit_subject = reader.explicit_subject or named
        return True
    if table == focus:
        reader.at = mark
        return False
    if reader.joins.path(focus, table) is None:
        raise QuestionError(
            f"No foreign keys lead from {focus[1]} to {table[1]}.", words=[link.text], reason="no_join"
        )
    if not seen and not op:
        reader.at = mark
        return False
    if (
        op
        and (count != 1 or op == ">")
        and (reader.focus.related is not None or count > 1)
        and reader.joins.distance(focus, table)[0] == 1
    ):
        raise QuestionError(
            f"Each of {focus[1]} has one of {table[1]} at most: say how many {focus[1]}.",
            words=[link.text],
            reason="ambiguous",
        )
    reader.at += link.size
    reader.take("table")
    by = [t.low for t in reader.tokens[mark : reader.at]][:1] == ["by"]
    before = reader.link(mark - 1)
    verb = reader.tokens[mark - 1].low in lexicon.VERBS and not (before is not None and before.tables)
    if by and not values and reader.done and not verb:
        raise QuestionError(f'"by {link.text}": say whether to count or to add up for each.', words=[link.text])
    reader.relate(table, loose=loose, negated=negated, op=op, count=count)
    for value in values:
        reader.add(value)
    return True


def _read_count(reader: Reader) -> tuple[str, int]:
    """`more than 3`, `at least one`, `3`: a number of related things."""
    mark = reader.at
    op = read_plain_operator(reader) or "="
    token = reader.token()
    if token is None or not isinstance(token.value, int):
        reader.at = mark
        return "", 0
    said = flags.find_flag(reader, 1)
    following = reader.link(reader.at + 1 + (said.size if said is not None else 0))
    if following is None or not (following.tables or things.find_kinds(reader, following)):
        reader.at = mark
        return "", 0
    reader.at += 1
    return op, token.value


def _read_related_value(reader: Reader, link: Link, mark: int, *, negated: bool, op: str) -> bool:
    """`have a cat`, `do not own dogs`, `dog pets`: related things told by a value."""
    table = reader.focus.table
    assert table is not None
    hit = reader.resolve(link.values, link.text, table)
    assert hit.value is not None
    col = hit.col
    noun = reader.link(reader.at + link.size)
    owner = noun is not None and any(h.target == col.table for h in noun.tables)
    if reader.joins.distance(table, col.table)[0] <= 1 and not owner:
        reader.at = mark
        return False
    if op or (owner and col.table == table):
        reader.at = mark
        return False
    reader.at += link.size
    more = reader.link(reader.at + 1) if reader.low() == "and" else None
    other = next((v.value for v in more.values if v.target == col and v.value), None) if more is not None else None
    both = any(token.low == "both" for token in reader.tokens[mark : reader.at])
    if more is not None and other is not None and both and not negated:
        reader.at += 1 + more.size
        noun = reader.link()
        reader.at += noun.size if noun is not None and any(h.target == col.table for h in noun.tables) else 0
        reader.relate(col.table, loose=False)
        reader.add(Compare(col, "=", (hit.value,)))
        related = reader.focus.related
        assert related is not None
        reader.relate_again(related).conditions.append(Compare(col, "=", (other,)))
        return True
    if other is not None:
        raise QuestionError('"and" may mean both or any of them.', words=["and"], reason="ambiguous")
    chosen = [hit.value]
    while reader.low() == "or" and (more := reader.link(reader.at + 1)) is not None:
        either = next((v.value for v in more.values if v.target == col and v.value), None)
        if either is None:
            break
        chosen.append(either)
        reader.at += 1 + more.size
    noun = reader.link()
    if noun is not None and any(h.target == col.table for h in noun.tables):
        reader.at += noun.size
    reader.relate(col.table, loose=False, negated=negated)
    reader.add(Compare(col, "=", tuple(chosen)))
    return True
