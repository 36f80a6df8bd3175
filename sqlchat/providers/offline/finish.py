"""From all that was read to the query: what is choose_columns, for each of what, and whether that is clear.

Called by the grammar.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import singular
from sqlchat.providers.offline import dates, grain, ratios
from sqlchat.providers.offline.asked import choose_columns, make_terms
from sqlchat.providers.offline.build import table_of
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.measures import find_quantity
from sqlchat.providers.offline.naming import is_alike
from sqlchat.providers.offline.query import Agg, Asked, DatePart, Null, Period, Query, Related, Shared, Term
from sqlchat.providers.offline.reader import Reader

LISTING = lexicon.words("which what list show give display find tell name who get are is")
"""Words of questions that ask for the values themselves."""


def finish(reader: Reader, asked: list[Asked]) -> Query:
    query = reader.query
    _rank_clients(reader)
    if reader.ranked or (reader.needs_order and not query.order):
        raise QuestionError(
            "The question does not say what to rank by.", words=["top" if reader.ranked else "number"]
        )
    _share_function(reader, asked)
    if query.groups and not any(item.functions for item in asked) and not query.order and not query.having:
        _count_listed(reader, asked)
    terms = ratios.divide(reader, _make_all_terms(reader, asked))
    _check_listed(reader, asked)
    listed = {table_of(term) for term in terms if not isinstance(term, Agg)}
    shown = [term for item in asked if item.kind == "column" for term in terms]
    within = [group for group in query.groups if group not in shown and {group} != listed]
    if reader.most_frequent:
        _rank_by_count(reader, terms)
    query.distinct = any(item.distinct and not item.functions for item in asked)
    if not query.groups and any(isinstance(t, Agg) for t in terms) and not all(isinstance(t, Agg) for t in terms):
        if isinstance(terms[0], Agg):
            raise QuestionError("It is not clear for each of what to compute this.", words=[], reason="ambiguous")
        _imply_group(reader, terms)
    terms = _name_rows(reader, _add_up(reader, asked, terms))
    _drop_own_rows(reader, terms)
    if within and query.order and query.limit is not None and not asked[0].functions:
        terms = _rank_within_groups(reader, within, terms)
    elif query.groups:
        terms = _with_groups(reader, terms)
    elif query.order and any(isinstance(term, Agg) for term, _ in query.order):
        _group_by_ranked(reader, terms)
    _choose_distinct(reader, asked, terms)
    _list_values_once(reader, asked, terms)
    query.distinct = query.distinct or any(isinstance(condition, Shared) for condition in query.conditions)
    query.outputs = terms
    if query.having and any(isinstance(t, Agg) and t.function == "count" and t.of in query.groups for t in terms):
        raise QuestionError("Counting those whose total meets a condition is not read yet: list them.", words=[])
    if not query.order:
        query.order = [(group, False) for group in query.groups if isinstance(group, DatePart)]
        query.arranged = _choose_arrangement(reader, terms)
    _check_total(reader)
    if (
        not any(isinstance(t, Agg) for t in (*terms, *(t for t, _ in query.order)))
        and query.groups
        and not query.having
    ):
        raise QuestionError("The question groups rows but does not say what to compute for each group.", words=[])
    return query


def _check_listed(reader: Reader, asked: list[Asked]) -> None:
    """Raises QuestionError for two lists in one question, of things that only other things tie together."""
    first = reader.query.subject
    for item in asked[1:]:
        if first is None or item.kind != "table" or item.functions or item.table in (None, first):
            continue
        way = reader.joins.path(first, item.table)
        if way is None or (len(way) > 2 and reader.joins.distance(first, item.table)[0] > 1):
            raise QuestionError(f'"{item.text}": ask for one list at a time.', words=[item.text])


def _make_all_terms(reader: Reader, asked: list[Asked]) -> list[Term]:
    """What is asked for as terms, each once. Raises QuestionError if different words ask for the same."""
    query = reader.query
    table = query.subject or reader.measured
    terms: list[Term] = []
    said: dict[Term, str] = {}
    for item in asked:
        keys = [group for group in query.groups if isinstance(group, tuple)]
        near = keys[0] if len(keys) == 1 and not item.functions else table
        for term in make_terms(reader, item, near):
            if term in terms and said.get(term) != item.text.lower():
                raise QuestionError(
                    f'"{item.text}" would show the same thing twice.', words=[item.text], reason="ambiguous"
                )
            if term not in terms:
                terms.append(term)
            said[term] = item.text.lower()
    return terms


def _choose_distinct(reader: Reader, asked: list[Asked], terms: list[Term]) -> None:
    """List values once if nobody asked to see them row by row."""
    query = reader.query
    if query.limit is None and _lists_column(reader, asked):
        query.distinct = not any(isinstance(term, Agg) for term in terms)
        known_by = [
            col
            for term in terms
            if isinstance(term, Col)
            for col in grain.list_names_and_keys(reader.linker, term.table)
        ]
        query.distinct = query.distinct and not any(term in known_by for term in terms)
        _check_figures(reader, asked, terms)
        negated = any(isinstance(condition, Related) and condition.negated for condition in query.conditions)
        if negated and not any(term in known_by for term in terms):
            raise QuestionError(
                "It is not clear which of the rows must have none.", words=["not"], reason="ambiguous"
            )
    elif grain.find_category(reader, asked) is not None and len(terms) == 1 and isinstance(terms[0], Col):
        query.distinct = query.limit is None and not query.groups and not query.order


def _rank_clients(reader: Reader) -> None:
    """`our best customers`: by the one revenue that they bring."""
    query = reader.query
    found = [m for m in reader.linker.measures if m.name in lexicon.REVENUE]
    dated = any(isinstance(condition, Period) for condition in query.conditions)
    if not reader.ranked or query.order or query.subject is None or len(found) != 1 or dated:
        return
    noun = singular(reader.linker.table_words(query.subject)[-1])
    if noun in lexicon.SERVED and reader.joins.distance(found[0].table, query.subject)[0] == 1:
        query.order.append((Agg("sum", found[0]), reader.ranked == "desc"))
        reader.ranked = ""
        reader.assume("Best is told by revenue.")


def _share_function(reader: Reader, asked: list[Asked]) -> None:
    """`average fee, tip and distance`: the first one's function is meant of all, if all are plain numbers."""
    first = asked[0] if asked else None
    rest = asked[1:]
    if (
        first is None
        or first.kind != "column"
        or len(first.functions) != 1
        or first.functions[0] not in ("avg", "sum")
    ):
        return
    if (
        reader.query.groups
        or not rest
        or any(item.kind != "column" or item.functions or not item.hits for item in rest)
    ):
        return
    if all(
        dates.is_number(reader.column(hit.col)) and not reader.linker.is_key(hit.col) for i in rest for hit in i.hits
    ):
        for item in rest:
            item.functions = list(first.functions)
        reader.assume(f"The {'average' if first.functions == ['avg'] else 'total'} is taken of each.")


def _rank_by_count(reader: Reader, terms: list[Term]) -> None:
    """The value that most rows of what is spoken of have."""
    query = reader.query
    plain = len(terms) == 1 and not query.order
    if not plain or not isinstance(terms[0], Col) or not grain.may_repeat(reader.linker, terms[0]):
        raise QuestionError("It is not clear what is to be the most frequent.", words=["most"], reason="ambiguous")
    query.groups.append(terms[0])
    if reader.column(terms[0]).nullable:
        query.conditions.append(Null(terms[0], negated=True))
    query.order.append((Agg("count", query.subject or terms[0].table), True))
    query.limit = query.limit or 1


def _choose_arrangement(reader: Reader, terms: list[Term]) -> list[tuple[Term, bool]]:
    """The order of groups that nobody asked for: years as they come, else the largest figure first."""
    query = reader.query
    figures = [term for term in terms if isinstance(term, Agg)]
    years = [g for g in query.groups if isinstance(g, Col) and "year" in reader.linker.column_words(g.table, g.name)]
    if query.order or not query.groups or len(figures) != 1:
        return []
    return [(years[0], False)] if years else [(figures[0], True)]


def _add_up(reader: Reader, asked: list[Asked], terms: list[Term]) -> list[Term]:
    """`quantity of bread in Bonn`: one total, where a column holds shares of a whole and no rows are named."""
    query = reader.query
    bare = len(asked) == 1 and asked[0].kind == "column" and not asked[0].functions and not asked[0].distinct
    if not bare or len(terms) != 1 or query.order or not (query.conditions or query.groups):
        return terms
    col = terms[0]
    own = reader.explicit_subject and (not isinstance(col, Col) or query.subject == col.table)
    if own or not isinstance(col, Col) or not grain.is_added_up(reader.linker, col):
        return terms
    reader.assume(grain.tell_added_up(col))
    return [Agg("sum", col)]


def _name_rows(reader: Reader, terms: list[Term]) -> list[Term]:
    """A number that two columns give, of each row: with what the rows are called, and no group of one row each."""
    query = reader.query
    if len(terms) != 1 or not isinstance(terms[0], Computed) or query.order:
        return terms
    table = terms[0].table
    query.groups[:] = [group for group in query.groups if group != table]
    named = reader.linker.display(table) or [Col(table, name) for name in reader.joins.row_key(table)]
    return terms if query.groups else [*named, *terms]


def _drop_own_rows(reader: Reader, terms: list[Term]) -> None:
    """`average minutes per visit`: each row is one visit, so that the average is over all of them."""
    query = reader.query
    own = next((group for group in query.groups if isinstance(group, tuple)), None)
    if own is None or query.order or query.having:
        return
    events = any(map(dates.is_date, reader.linker.tables[own].columns)) and not reader.linker.display(own)
    for term in terms:
        if not isinstance(term, Agg) or not isinstance(term.of, Col) or term.function != "avg":
            continue
        names = (reader.linker.column_words(term.of.table, term.of.name), reader.linker.table_words(term.of.table))
        if not events and not is_alike(*names):  # `downloads(day, downloads)`
            continue
        pieces = term.of.name == find_quantity(reader.linker.tables[term.of.table])
        if term.of.table != own and (pieces or grain.is_added_up(reader.linker, term.of)):
            raise QuestionError(
                f"Each of {own[1]} may have several {term.of.table[1]}: say the total {term.of.name} of each.",
                words=[term.of.name],
                reason="ambiguous",
            )
    if terms and all(isinstance(term, Agg) and term.function == "avg" and table_of(term) == own for term in terms):
        query.groups.remove(own)
        reader.assume(f"Each row of {own[1]} is one {singular(own[1])}.")


def _count_listed(reader: Reader, asked: list[Asked]) -> None:
    """`customers per country`: how many."""
    if len(asked) == 1 and asked[0].kind == "table" and asked[0].table is not None:
        asked[0].functions = ["count"]
        reader.assume(f"{asked[0].table[1]} are counted.")


def _check_total(reader: Reader) -> None:
    """`revenue of countries` may mean one total or one for each."""
    query = reader.query
    aggregates = [term for term in query.outputs if isinstance(term, Agg)]
    for condition in query.conditions if aggregates and not query.groups else ():
        bare = isinstance(condition, Related) and not (condition.conditions or condition.negated or condition.op)
        if (
            bare
            and isinstance(condition, Related)
            and reader.joins.distance(condition.anchor, condition.table)[0] == 1
        ):
            name = condition.table[1]
            text = f"Say whether you want one total for all {name} or one for each."
            raise QuestionError(text, words=[name], reason="ambiguous")
    if query.subject is None or query.groups or query.conditions or not aggregates:
        return
    if all(table_of(agg) != query.subject for agg in aggregates):
        name = query.subject[1]
        raise QuestionError(
            f"Say whether you want one total for all {name} or one for each.", words=[name], reason="ambiguous"
        )


def _lists_column(reader: Reader, asked: list[Asked]) -> bool:
    """Whether values of columns are listed that nobody asked to see row by row: `which countries have ...`."""
    query = reader.query
    named = any(item.kind == "table" for item in asked) or reader.explicit_subject
    plain = all(item.kind == "column" and not item.functions for item in asked)
    return plain and not named and not query.groups and bool(query.conditions) and not query.order


def _check_figures(reader: Reader, asked: list[Asked], terms: list[Term]) -> None:
    """`consumption of gas in Turku`: raises QuestionError, since neither the total nor the values are asked for."""
    if not reader.query.distinct or any(token.low in LISTING for token in reader.tokens):
        return
    for item, term in zip(asked, terms, strict=False):
        if isinstance(term, Col) and grain.is_figure(reader.linker, term):
            raise QuestionError(
                f'"{item.text}": say "total {item.text}", "average {item.text}" or "list {item.text}".',
                words=[item.text],
                reason="ambiguous",
                rewrites=[(item.text, f"{way} {item.text}") for way in ("total", "average", "list")],
            )


def _list_values_once(reader: Reader, asked: list[Asked], terms: list[Term]) -> None:
    if _asks_which_values(reader, asked, terms):
        reader.query.distinct = True


def _asks_which_values(reader: Reader, asked: list[Asked], terms: list[Term]) -> bool:
    """`which industries do our clients come from`: each value once."""
    query, first = reader.query, reader.tokens[0].low
    if first not in ("which", "what") or len(terms) != 1 or query.groups or query.order or query.limit:
        return False
    plain = asked[0].kind == "column" and asked[0].text.endswith("s") and not asked[0].functions
    named = reader.tokens[1].text in asked[0].text.split() if len(reader.tokens) > 1 else False
    return plain and named and isinstance(terms[0], Col) and grain.is_category(reader.linker, terms[0])


def _imply_group(reader: Reader, terms: list[Term]) -> None:
    """`the names of the stadiums and the number of concerts`: one row for each of what is named."""
    plain = [term for term in terms if not isinstance(term, Agg)]
    aggregates = [term for term in terms if isinstance(term, Agg)]
    tables = {table_of(term) for term in plain}
    counted = all(isinstance(agg.of, tuple) or agg.function == "sum" or agg.per for agg in aggregates)
    if len(tables) != 1 or not counted:
        raise QuestionError("It is not clear for each of what to compute this.", words=[], reason="ambiguous")
    table = tables.pop()
    known_by = grain.list_names_and_keys(reader.linker, table)
    if any(table_of(agg) == table for agg in aggregates) or not (
        reader.explicit_subject or any(term in known_by for term in plain)
    ):
        reader.query.groups.extend(term for term in plain if isinstance(term, Col | DatePart))
    else:
        reader.query.groups.append(table)


def _with_groups(reader: Reader, terms: list[Term]) -> list[Term]:
    plain = [term for term in terms if not isinstance(term, Agg)]
    added: list[Term] = []
    for group in reader.query.groups:
        if isinstance(group, tuple):
            if not any(table_of(term) == group for term in plain):
                keys = reader.linker.tables[group].primary_key
                added += (
                    reader.linker.display(group)
                    or [Col(group, name) for name in keys]
                    or choose_columns(reader, group)
                )
        elif group not in plain and not reader.query.hidden_groups:
            added.append(group)
    keyed = {g for g in reader.query.groups if isinstance(g, tuple)}
    for term in plain:
        if (
            term not in reader.query.groups
            and table_of(term) not in keyed
            and not any(reader.joins.distance(key, table_of(term))[0] <= 1 for key in keyed)
        ):
            raise QuestionError("What is listed differs within the groups.", words=[], reason="in_groups")
    return added + terms


def _rank_within_groups(reader: Reader, within: list[Col | DatePart | Key], terms: list[Term]) -> list[Term]:
    """`the oldest member in each city`: the first of each group."""
    query = reader.query
    query.within, query.groups = within, []
    if len(query.order) != 1 or query.having:
        raise QuestionError("A top of each group by several things is not read yet.", words=[])
    ranked = query.order[0][0]
    if isinstance(ranked, Agg):
        _group_by_ranked(reader, terms)
        query.groups += query.within
    elif isinstance(ranked, Col) and dates.is_date(reader.column(ranked)):
        if query.subject is not None and not reader.linker.display(query.subject) and len(terms) > 1:
            keys = [Col(query.subject, name) for name in reader.joins.row_key(query.subject)]
            terms = [*keys, ranked]
    else:
        reader.assume("Of several with the same figure all are shown.")
    added: list[Term] = []
    for group in query.within:
        added += choose_columns(reader, group) if isinstance(group, tuple) else [group]
    return [*(term for term in added if term not in terms), *terms]


def _group_by_ranked(reader: Reader, terms: list[Term]) -> None:
    """`which country has the most ...`: grouped by what is listed."""
    query = reader.query
    plain = [term for term in terms if isinstance(term, Col | DatePart)]
    if query.subject is not None and (reader.explicit_subject or not plain):
        _check_single_rows(reader, query.subject)
        query.groups.append(query.subject)
    else:
        query.groups.extend(plain)


def _check_single_rows(reader: Reader, table: Key) -> None:
    """Raises QuestionError for a total by which single rows without a name would be ranked: `best selling extra`."""
    totals = [term for term, _ in reader.query.order if isinstance(term, Agg) and term.function == "sum"]
    own = [term.of for term in totals if isinstance(term.of, Col) and term.of.table == table]
    if own and not reader.linker.display(table):
        raise QuestionError(
            f"Each row of {table[1]} has one {own[0].name}: name the column whose values are ranked.",
            words=[],
            reason="ambiguous",
        )
