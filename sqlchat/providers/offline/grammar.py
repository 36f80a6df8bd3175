"""Reads a whole question into a query: what is asked for, of what, under which conditions, in which order. Each word
must find its place, or the question is refused. Called by the engine.
"""

from __future__ import annotations

from datetime import date

from sqlchat.errors import QuestionError
from sqlchat.providers.offline import conditions, dates, lexicon, outputs, phrases, relations
from sqlchat.providers.offline.asked import Asked, shown
from sqlchat.providers.offline.asked import terms as asked_terms
from sqlchat.providers.offline.build import table_of
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Col, Key, Linker
from sqlchat.providers.offline.query import Agg, DatePart, Query, Related, Term
from sqlchat.providers.offline.reader import Focus, Reader
from sqlchat.providers.offline.words import Token, tokenize

MOST_TOKENS = 120
PREFIXES = lexicon.words("for in among by per during since before after on between across from")


def parse(question: str, linker: Linker, joins: Joins, today: date) -> Query:
    """The query that `question` asks for. Raises QuestionError with the words that have no place in it."""
    tokens = tokenize(question)
    if not any(t.kind == "word" for t in tokens):
        raise QuestionError("There is no question in this text.", words=[])
    if len(tokens) > MOST_TOKENS:
        raise QuestionError("The question is too long: ask for one thing in one or two sentences.", words=[])
    sentences = _sentences(tokens)
    reader = Reader(_turned(sentences[0]), linker, joins, today)
    asked = _main(reader)
    if not asked:
        sentences = sentences[:1]
    for sentence in sentences[1:]:
        asked = _more(reader, sentence, asked)
    if reader.unknown:
        shown = ", ".join(f'"{word}"' for word in reader.unknown)
        raise QuestionError(f"These words have no meaning for this data: {shown}.", words=reader.unknown)
    return _finish(reader, asked)


def _sentences(tokens: list[Token]) -> list[list[Token]]:
    found: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == "sign" and token.text in ".?!;":
            found.append([])
        else:
            found[-1].append(token)
    return [sentence for sentence in found if sentence]


def _turned(tokens: list[Token]) -> list[Token]:
    """`For each country, how many ...` with its first part behind, where the grammar expects it."""
    if tokens[0].low not in PREFIXES:
        return tokens
    comma = next((i for i, t in enumerate(tokens) if t.text == ","), None)
    if comma is None or comma + 1 >= len(tokens):
        return tokens
    following = tokens[comma + 1].low
    if following in lexicon.COMMANDS or following in ("how", "what", "which", "who"):
        return tokens[comma + 1 :] + tokens[:comma]
    return tokens


def _main(reader: Reader) -> list[Asked]:
    asked = outputs.read_list(reader)
    if not asked:
        _all_unknown(reader)
        return asked
    _set_subject(reader, asked)
    _modifiers(reader, asked)
    return asked


def _all_unknown(reader: Reader) -> None:
    reader.at = 0
    while not reader.done:
        link = reader.link()
        known = reader.low() in lexicon.LEADS or reader.low() in lexicon.FILLERS
        if link is not None or known or reader.phrase(lexicon.AGGREGATES):
            reader.at += link.size if link is not None else 1
        else:
            reader.not_understood()
    if not reader.unknown:
        raise QuestionError("The question does not say what to show.", words=[])
    reader.at = len(reader.tokens)


def _set_subject(reader: Reader, asked: list[Asked]) -> None:
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
        query.subject = _of_table(reader, asked)
    explicit = query.subject is not None
    if query.subject is None:
        owners = [
            item.owner or item.table for item in asked if item.owner or (item.kind == "table" and not item.functions)
        ]
        query.subject = owners[0] if owners else _column_table(reader, asked)
    reader.explicit_subject = explicit or any(item.kind == "table" and not item.functions for item in asked)
    reader.counted = tuple(i.table for i in asked if i.kind == "table" and i.functions and i.table) or tuple(
        (query.subject,) if any(i.functions for i in asked) and query.subject else ()
    )
    table = query.subject or reader.measured
    if reader.unit and (owner := reader.measured or table) is not None:
        query.groups.append(phrases.period_group(reader, owner, reader.unit))
    reader.focus = Focus(table, query.conditions)


def _of_table(reader: Reader, asked: list[Asked]) -> Key | None:
    """`of the singers`, `for the youngest singer`: the table that the list before belongs to."""
    mark = reader.at
    if reader.low() not in ("of", "for", "from", "in", "on", "about", "among"):
        return None
    reader.at += 1
    reader.skip({"the", "all", "our", "of", "those", "any"})
    if reader.low() in ("each", "every", "per"):
        reader.at += 1
        if any(item.functions for item in asked):
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


def _column_table(reader: Reader, asked: list[Asked]) -> Key | None:
    """The table that the columns asked for have in common, where nothing names one."""
    if any(item.kind in ("measure", "table") for item in asked):
        return None
    sets = [{hit.target.table for hit in item.hits if isinstance(hit.target, Col)} for item in asked if item.hits]
    common = set.intersection(*sets) if sets else set()
    if len(common) > 1:
        # A column that is also a key of another table is at home where it is described.
        best = {
            t: sum(min(h.tier for h in i.hits if isinstance(h.target, Col) and h.target.table == t) for i in asked)
            for t in common
        }
        low = min(best.values())
        common = {t for t, tier in best.items() if tier == low}
    return common.pop() if len(common) == 1 else None


def _modifiers(reader: Reader, asked: list[Asked]) -> None:
    while not reader.done:
        if reader.token() is not None and reader.low() in (",", "(", ")", ":"):
            reader.at += 1
        elif (
            phrases.order(reader, asked)
            or phrases.rank(reader, asked)
            or phrases.group(reader, asked)
            or relations.superlative(reader, asked)
            or relations.having(reader, asked)
            or relations.relation(reader)
            or conditions.read(reader)
            or _connector(reader, asked)
        ):
            continue
        elif (
            reader.low() in lexicon.FILLERS
            or (reader.low() in lexicon.VERBS and _followed(reader))
            or _dangling(reader)
        ):
            reader.at += 1
        else:
            reader.not_understood()


def _followed(reader: Reader) -> bool:
    """Whether a verb has something after it that it can bind; at the end only verbs of mere existence may stand."""
    if reader.low() in ("listed", "recorded", "registered", "exist", "exists", "given"):
        return True
    ahead = 1
    if dates.read(reader.tokens, reader.at + 1, reader.today) is not None or reader.low(1) in ("it", "them"):
        return True
    while reader.low(ahead) in lexicon.FILLERS and reader.token(ahead) is not None:
        ahead += 1
    token = reader.token(ahead)
    if token is None or token.text in (",", "and", "or"):
        return False
    known = reader.link(reader.at + ahead) is not None or token.value is not None or token.kind in ("text", "date")
    return (
        known
        or reader.low(ahead) in lexicon.IN | lexicon.NOT | lexicon.GROUP
        or (reader.low(ahead),) in lexicon.OPERATORS
    )


def _dangling(reader: Reader) -> bool:
    """The last word of `do customers live in`, or of `how many models does each maker produce`."""
    last = reader.at == len(reader.tokens) - 1
    verb = reader.low() in lexicon.VERBS and bool(reader.query.groups)
    asking = any(token.low in ("do", "does", "did") for token in reader.tokens[: reader.at])
    return last and ((reader.low() in lexicon.IN and reader.low(-1) in lexicon.VERBS) or (verb and asking))


def _connector(reader: Reader, asked: list[Asked]) -> bool:
    """`and`, `but`: one more thing to show, or one more condition on what the question is about."""
    if reader.low() not in ("and", "but"):
        return False
    mark = reader.at
    reader.at += 1
    listed = reader.at
    if _how_many(reader, asked):
        return True
    reader.skip(lexicon.LEADS)
    if not (outputs.starts_output(reader) and not reader.focus.related):
        reader.at = listed
    else:
        more = outputs.read_list(reader)
        if all(item.kind == "column" and not item.functions for item in more):
            _own(reader, more)
        asked.extend(more)
        for item in more:
            if item.kind == "table" and item.functions:
                reader.measured = item.table
        return True
    if reader.low() in lexicon.NOT | lexicon.WITH | lexicon.FILLERS | lexicon.VERBS and reader.focus.related:
        reader.back_to_subject()
    if reader.done:
        reader.at = mark
        return False
    return True


def _how_many(reader: Reader, asked: list[Asked]) -> bool:
    """`and how many does it have`, after `which country has the most cities`."""
    rest = reader.tokens[reader.at + 2 :]
    if reader.ranking is None or not reader.sees("how", "many"):
        return False
    if not all(t.low in lexicon.FILLERS or t.low in lexicon.VERBS or t.low in lexicon.IN for t in rest):
        return False
    asked.append(reader.ranking)
    reader.at = len(reader.tokens)
    return True


def _own(reader: Reader, more: list[Asked]) -> None:
    """`titles of songs and names of singers`: the columns just read belong to the table that follows."""
    mark = reader.at
    if reader.low() not in ("of", "for"):
        return
    reader.at += 1
    reader.skip({"the", "all", "their"})
    link = reader.link()
    if link is None or not link.tables or reader.table_of(link) is None:
        reader.at = mark
        return
    hit = reader.table_of(link)
    for item in more:
        item.owner = hit.target if hit is not None and isinstance(hit.target, tuple) else None
    reader.at += link.size


def _more(reader: Reader, sentence: list[Token], asked: list[Asked]) -> list[Asked]:
    """A further sentence: how to order, or what exactly to show, which takes the place of what was said before."""
    query = reader.query
    sub = Reader(sentence, reader.linker, reader.joins, reader.today, query=query)
    sub.measured, sub.unknown = reader.measured, reader.unknown
    sub.focus = Focus(query.subject or reader.measured, query.conditions)
    sub.explicit_subject, sub.ranked, sub.needs_order = reader.explicit_subject, reader.ranked, reader.needs_order
    sub.earlier = tuple(asked)
    if sub.low() in lexicon.COMMANDS and not sub.sees("include", "only"):
        sub.skip(lexicon.LEADS | {"only", "just"})
        shown = outputs.read_list(sub)
        if shown:
            asked = shown
    _modifiers(sub, asked)
    reader.ranked, reader.needs_order = sub.ranked, sub.needs_order
    return asked


def _finish(reader: Reader, asked: list[Asked]) -> Query:
    query = reader.query
    if reader.ranked or (reader.needs_order and not query.order):
        raise QuestionError(
            "The question does not say what to rank by.", words=["top" if reader.ranked else "number"]
        )
    table = query.subject or reader.measured
    terms: list[Term] = []
    said: dict[Term, str] = {}
    if query.groups and not any(item.functions for item in asked) and not query.order and not query.having:
        _count_tables(reader, asked)
    for item in asked:
        keys = [group for group in query.groups if isinstance(group, tuple)]
        near = keys[0] if len(keys) == 1 and not item.functions else table
        for term in asked_terms(reader, item, near):
            if term in terms and said.get(term) != item.text.lower():
                raise QuestionError(
                    f'"{item.text}" would show the same thing twice.', words=[item.text], reason="ambiguous"
                )
            if term not in terms:
                terms.append(term)
            said[term] = item.text.lower()
    query.distinct = any(item.distinct and not item.functions for item in asked)
    if not query.groups and any(isinstance(t, Agg) for t in terms) and not all(isinstance(t, Agg) for t in terms):
        if isinstance(terms[0], Agg):
            raise QuestionError("It is not clear for each of what to compute this.", words=[], reason="ambiguous")
        _group_implied(reader, terms)
    if query.groups:
        terms = _with_groups(reader, terms)
    elif query.order and any(isinstance(term, Agg) for term, _ in query.order):
        _group_ranked(reader, terms)
    if query.limit is None and _column_listed(reader, asked):
        query.distinct = True
        if any(isinstance(condition, Related) and condition.negated for condition in query.conditions):
            raise QuestionError(
                "It is not clear which of the rows must have none.", words=["not"], reason="ambiguous"
            )
    query.outputs = terms
    if not query.order:
        query.order = [(group, False) for group in query.groups if isinstance(group, DatePart)]
    _check_total(reader)
    if (
        not any(isinstance(t, Agg) for t in (*terms, *(t for t, _ in query.order)))
        and query.groups
        and not query.having
    ):
        raise QuestionError("The question groups rows but does not say what to compute for each group.", words=[])
    return query


def _count_tables(reader: Reader, asked: list[Asked]) -> None:
    """`customers per country`: how many."""
    if len(asked) == 1 and asked[0].kind == "table" and asked[0].table is not None:
        asked[0].functions = ["count"]
        reader.assume(f"{asked[0].table[1]} are counted.")


def _check_total(reader: Reader) -> None:
    """`revenue of countries` may mean one total or one for each."""
    query = reader.query
    aggregates = [term for term in query.outputs if isinstance(term, Agg)]
    if query.subject is None or query.groups or query.conditions or not aggregates:
        return
    if all(table_of(agg) != query.subject for agg in aggregates):
        name = query.subject[1]
        raise QuestionError(
            f"Say whether you want one total for all {name} or one for each.", words=[name], reason="ambiguous"
        )


def _column_listed(reader: Reader, asked: list[Asked]) -> bool:
    """Whether values of columns are listed that nobody asked to see row by row: `which countries have ...`."""
    query = reader.query
    named = any(item.kind == "table" for item in asked) or reader.explicit_subject
    plain = all(item.kind == "column" and not item.functions for item in asked)
    return plain and not named and not query.groups and bool(query.conditions) and not query.order


def _group_implied(reader: Reader, terms: list[Term]) -> None:
    """`the names of the stadiums and the number of concerts`: one row for each of what is named."""
    plain = [term for term in terms if not isinstance(term, Agg)]
    aggregates = [term for term in terms if isinstance(term, Agg)]
    tables = {table_of(term) for term in plain}
    counted = all(isinstance(agg.of, tuple) or agg.function == "sum" for agg in aggregates)
    if len(tables) != 1 or not counted:
        raise QuestionError("It is not clear for each of what to compute this.", words=[], reason="ambiguous")
    table = tables.pop()
    if any(table_of(agg) == table for agg in aggregates):
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
                added += reader.linker.display(group) or [Col(group, name) for name in keys] or shown(reader, group)
        elif group not in plain and not reader.query.hidden_groups:
            added.append(group)
    keyed = {g for g in reader.query.groups if isinstance(g, tuple)}
    for term in plain:
        if (
            term not in reader.query.groups
            and table_of(term) not in keyed
            and not any(reader.joins.distance(key, table_of(term))[0] <= 1 for key in keyed)
        ):
            raise QuestionError("What is listed differs within the groups.", words=[], reason="ambiguous")
    return added + terms


def _group_ranked(reader: Reader, terms: list[Term]) -> None:
    """`which country has the most ...`: grouped by what is listed."""
    query = reader.query
    plain = [term for term in terms if isinstance(term, Col | DatePart)]
    if query.subject is not None and (reader.explicit_subject or not plain):
        query.groups.append(query.subject)
    else:
        query.groups.extend(plain)
