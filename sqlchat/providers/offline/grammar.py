"""Reads a whole question into a query: what is asked for, of what, under which conditions, in which order. Each word
must find its place, or the question is refused. Called by the engine.
"""

from __future__ import annotations

from datetime import date

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import Token, tokenize
from sqlchat.providers.offline import (
    conditions,
    dates,
    empty,
    flags,
    grain,
    having,
    nulls,
    outputs,
    periods,
    phrases,
    refusal,
    relations,
    shares,
)
from sqlchat.providers.offline.finish import finish
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Col, Key, Linker
from sqlchat.providers.offline.query import Asked, Query
from sqlchat.providers.offline.reader import Focus, Reader, is_participle
from sqlchat.providers.offline.rephrasing import RELATIONAL

MOST_TOKENS = 120
ASKING = lexicon.words("which what how who whom whose when where why is are was were do does did can")
"""Words that a sentence which is a question of its own begins with."""
PREFIXES = lexicon.words("for in among by per during since before after on between across from")


def parse(question: str, linker: Linker, joins: Joins, today: date) -> Query:
    """The query that `question` asks for. Raises QuestionError with the words that have no place in it."""
    tokens = tokenize(question)
    if not any(t.kind == "word" for t in tokens):
        raise QuestionError("There is no question in this text.", words=[])
    if len(tokens) > MOST_TOKENS:
        raise QuestionError("The question is too long: ask for one thing in one or two sentences.", words=[])
    share = shares.counted(tokens)
    sentences = _sentences(share or tokens)
    reader = Reader(_turned(sentences[0]), linker, joins, today)
    asked = _main(reader)
    if not asked:
        sentences = sentences[:1]
    for sentence in sentences[1:]:
        asked = _more(reader, sentence, asked)
    if reader.unknown:
        raise refusal.not_understood(linker, tokens, reader.unknown)
    query = finish(reader, asked)
    if share is not None:
        shares.take(query)
    query.complete = any(isinstance(g, tuple) and empty.asked_for(reader.tokens, g, linker) for g in query.groups)
    return query


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
        link, aggregate = reader.link(), reader.phrase(lexicon.AGGREGATES)
        if link is not None or aggregate is not None:
            reader.at += link.size if link is not None else aggregate[1] if aggregate is not None else 1
        elif refusal.known(reader.linker, reader.tokens, reader.at):
            reader.at += 1
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
    if len(asked) == 1 and first.owner is not None and grain.category_of(reader, asked, named=True) is not None:
        reader.explicit_subject = False  # `policy type` is a value that several policies share
    if len(asked) == 1:
        reader.category = grain.category_of(reader, asked)
    reader.counted = tuple(i.table for i in asked if i.kind == "table" and i.functions and i.table) or tuple(
        (query.subject,) if any(i.functions for i in asked) and query.subject else ()
    )
    reader.listed = tuple(item.table for item in asked if item.kind == "table" and not item.functions and item.table)
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
        best = {table: sum(_tier(item, table) for item in asked) for table in common}
        low = min(best.values())
        common = {t for t, tier in best.items() if tier == low}
    if len(common) > 1 and len(asked) == 1:
        home = reader.home(
            [hit for hit in asked[0].hits if isinstance(hit.target, Col) and hit.target.table in common]
        )
        common = {hit.target.table for hit in home if isinstance(hit.target, Col)}
        common = common & reader.mentioned() or common
    return common.pop() if len(common) == 1 else None


def _tier(asked: Asked, table: Key) -> int:
    return min(
        (hit.tier for hit in asked.hits if isinstance(hit.target, Col) and hit.target.table == table), default=0
    )


def _modifiers(reader: Reader, asked: list[Asked]) -> None:
    phrases.rank_ahead(reader, asked)
    while not reader.done:
        if any(item.functions for item in asked) and (reader.take("in", "total") or reader.take("altogether")):
            continue  # it is a total already
        if reader.token() is not None and reader.low() in (",", "(", ")", ":"):
            reader.at += 1
        elif (
            periods.done_per(reader)
            or _most_frequent(reader)
            or phrases.order(reader, asked)
            or phrases.rank(reader, asked)
            or phrases.group(reader, asked)
            or having.spent(reader, asked)
            or relations.superlative(reader, asked)
            or having.having(reader, asked)
            or nulls.read(reader)
            or relations.relation(reader)
            or conditions.read(reader)
            or _repeated(reader)
            or _connector(reader, asked)
            or _of_subject(reader, asked)
        ):
            continue
        elif (
            reader.low() in lexicon.FILLERS
            or (reader.low() in lexicon.VERBS and _followed(reader) and not _another(reader))
            or _dangling(reader)
        ):
            reader.at += 1
        else:
            reader.not_understood()


def _repeated(reader: Reader) -> bool:
    """`shops with books in French and books in German`: the things are named again, so another row is spoken of."""
    link = reader.link(reader.at + 1) if reader.low() == "and" else None
    focus, query = reader.focus, reader.query
    if link is None or not any(hit.target == focus.table for hit in link.tables) or not focus.conditions:
        return False
    after = reader.low(1 + link.size)
    if after not in lexicon.WITH | lexicon.IN | lexicon.VERBS | set(lexicon.COMPARATIVES) and not is_participle(
        after
    ):
        return False
    if (related := focus.related) is not None:
        if related.negated or related.op or related not in query.conditions:
            return False
        reader.relate_again(related)
    elif reader.category is not None and focus.conditions is query.conditions:
        reader.share(reader.category)
    else:
        return False
    reader.at += 1 + link.size
    return True


def _of_subject(reader: Reader, asked: list[Asked]) -> bool:
    """`heads of the departments older than 56`: a condition that only what the question is about can meet."""
    subject, focus, mark = reader.query.subject, reader.focus, reader.at
    if focus.related is None or focus.related.negated or subject is None or focus.table == subject:
        return False
    reader.back_to_subject()
    try:
        if relations.superlative(reader, asked) or conditions.read(reader):
            return True
    except QuestionError:
        pass
    reader.at, reader.focus = mark, focus
    return False


def _most_frequent(reader: Reader) -> bool:
    """`that is the most frequent`, said of the value that is listed."""
    mark = reader.at
    reader.skip({"that", "which", "is", "are", "the"})
    if reader.most_frequent or not reader.take("most", "frequent"):
        reader.at = mark
        return False
    reader.most_frequent = True
    return True


def _another(reader: Reader) -> bool:
    """Whether a verb is also the name of another table than the one spoken of: `ordered`, of customers."""
    link = reader.link()
    return link is not None and bool(link.tables) and all(hit.target != reader.focus.table for hit in link.tables)


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
    bound = bool(reader.query.groups) or reader.focus.related is not None
    verb = (reader.low() in lexicon.VERBS or reader.tokens[-1].stem in RELATIONAL) and bound
    asking = any(token.low in ("do", "does", "did") for token in reader.tokens[: reader.at])
    return last and ((reader.low() in lexicon.IN and reader.low(-1) in lexicon.VERBS) or (verb and asking))


def _connector(reader: Reader, asked: list[Asked]) -> bool:
    """`and`, `but`: one more thing to show, or one more condition on what the question is about."""
    if reader.low() not in ("and", "but"):
        return False
    mark = reader.at
    reader.at += 1
    listed = reader.at
    if _how_many(reader, asked) or flags.read(reader) or nulls.done(reader):
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
    if sentence[0].low in ASKING:
        raise QuestionError("Ask one question at a time.", words=[token.text for token in sentence])
    sub = Reader(sentence, reader.linker, reader.joins, reader.today, query=query)
    sub.measured, sub.unknown = reader.measured, reader.unknown
    sub.focus = Focus(query.subject or reader.measured, query.conditions)
    sub.explicit_subject, sub.ranked, sub.needs_order = reader.explicit_subject, reader.ranked, reader.needs_order
    sub.earlier = tuple(asked)
    if sub.low() in lexicon.COMMANDS and not sub.sees("include", "only"):
        sub.skip(lexicon.LEADS | {"only", "just"})
        shown = outputs.read_list(sub)
        lows = [token.low for token in sentence]
        also = "also" in lows or lows[-2:] == ["as", "well"] or lows[-1] == "too"
        if shown:
            asked = [*asked, *shown] if also else shown
    _modifiers(sub, asked)
    reader.ranked, reader.needs_order = sub.ranked, sub.needs_order
    return asked
