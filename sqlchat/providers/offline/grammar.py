"""Reads a whole question into a query: what is asked for, of what, under which conditions, in which order. Each word
must find its place, or the question is refused. Called by the engine.
"""

from __future__ import annotations

from datetime import date

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import Token, tokenize
from sqlchat.providers.offline import (
    amount_conditions,
    conditions,
    dates,
    directions,
    empty,
    flags,
    having,
    nevers,
    nulls,
    outputs,
    periods,
    phrases,
    refusal,
    relations,
    shares,
    subject,
)
from sqlchat.providers.offline.finish import finish
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.query import Asked, Query
from sqlchat.providers.offline.reader import Focus, Reader
from sqlchat.providers.offline.rephrasing import RELATIONAL

TITLES = lexicon.words("dr mr mrs ms prof st")
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
    share = shares.read_share(tokens, linker)
    sentences = _split_sentences(share or tokens)
    reader = Reader(_turn(sentences[0]), linker, joins, today)
    asked = _read_main(reader)
    if not asked:
        sentences = sentences[:1]
    for sentence in sentences[1:]:
        asked = _read_sentence(reader, sentence, asked)
    if reader.unknown:
        raise refusal.refuse_words(linker, tokens, reader.unknown)
    query = finish(reader, asked)
    if share is not None:
        shares.apply_share(query)
    query.complete = any(isinstance(g, tuple) and empty.wants_all(reader.tokens, g, linker) for g in query.groups)
    return query


def _split_sentences(tokens: list[Token]) -> list[list[Token]]:
    found: list[list[Token]] = [[]]
    for token in tokens:
        titled = found[-1] and found[-1][-1].low in TITLES and token.text == "."
        if titled:
            continue
        if token.kind == "sign" and token.text in ".?!;":
            found.append([])
        else:
            found[-1].append(token)
    return [sentence for sentence in found if sentence]


def _turn(tokens: list[Token]) -> list[Token]:
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


def _read_main(reader: Reader) -> list[Asked]:
    asked = outputs.read_list(reader)
    if not asked:
        _note_unknown(reader)
        return asked
    subject.choose_subject(reader, asked)
    _read_modifiers(reader, asked)
    return asked


def _note_unknown(reader: Reader) -> None:
    reader.at = 0
    while not reader.done:
        link, aggregate = reader.link(), reader.phrase(lexicon.AGGREGATES)
        if link is not None or aggregate is not None:
            reader.at += link.size if link is not None else aggregate[1] if aggregate is not None else 1
        elif refusal.is_known(reader.linker, reader.tokens, reader.at):
            reader.at += 1
        else:
            reader.not_understood()
    if not reader.unknown:
        raise QuestionError("The question does not say what to show.", words=[])
    reader.at = len(reader.tokens)


def _read_modifiers(reader: Reader, asked: list[Asked]) -> None:
    phrases.read_rank_ahead(reader, asked)
    while not reader.done:
        if any(item.functions for item in asked) and (reader.take("in", "total") or reader.take("altogether")):
            continue  # it is a total already
        if reader.token() is not None and reader.low() in (",", "(", ")", ":"):
            reader.at += 1
        elif (
            directions.read(reader)
            or nevers.read_never(reader)
            or periods.read_done_per(reader)
            or _read_most_frequent(reader)
            or phrases.read_order(reader, asked)
            or phrases.read_rank(reader, asked)
            or phrases.read_group(reader, asked)
            or having.read_spent(reader, asked)
            or relations.read_superlative(reader, asked)
            or amount_conditions.read_capacity(reader)
            or having.read_having(reader, asked)
            or nulls.read(reader)
            or relations.read_relation(reader)
            or conditions.read(reader)
            or _read_connector(reader, asked)
        ):
            continue
        elif (
            reader.low() in lexicon.FILLERS
            or (reader.low() in lexicon.VERBS and _is_followed(reader) and not _names_another(reader))
            or _is_dangling(reader)
        ):
            reader.at += 1
        else:
            reader.not_understood()


def _read_most_frequent(reader: Reader) -> bool:
    """`that is the most frequent`, said of the value that is listed."""
    mark = reader.at
    reader.skip({"that", "which", "is", "are", "the"})
    if reader.most_frequent or not reader.take("most", "frequent"):
        reader.at = mark
        return False
    reader.most_frequent = True
    return True


def _names_another(reader: Reader) -> bool:
    """Whether a verb is also the name of another table than the one spoken of: `ordered`, of customers."""
    link = reader.link()
    return link is not None and bool(link.tables) and all(hit.target != reader.focus.table for hit in link.tables)


def _is_followed(reader: Reader) -> bool:
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


def _is_dangling(reader: Reader) -> bool:
    """The last word of `do customers live in`, or of `how many models does each maker produce`."""
    last = reader.at == len(reader.tokens) - 1
    bound = bool(reader.query.groups) or reader.focus.related is not None
    verb = (reader.low() in lexicon.VERBS or reader.tokens[-1].stem in RELATIONAL) and bound
    asking = any(token.low in ("do", "does", "did") for token in reader.tokens[: reader.at])
    return last and ((reader.low() in lexicon.IN and reader.low(-1) in lexicon.VERBS) or (verb and asking))


def _read_connector(reader: Reader, asked: list[Asked]) -> bool:
    """`and`, `but`: one more thing to show, or one more condition on what the question is about."""
    if reader.low() not in ("and", "but"):
        return False
    mark = reader.at
    reader.at += 1
    listed = reader.at
    if _read_not_in_period(reader) or _read_how_many(reader, asked) or flags.read(reader) or nulls.read_done(reader):
        return True
    reader.skip(lexicon.LEADS)
    if _read_another_row(reader):
        return True
    if not (outputs.starts_output(reader) and not reader.focus.related):
        reader.at = listed
    else:
        more = outputs.read_list(reader)
        if all(item.kind == "column" and not item.functions for item in more):
            _read_owner(reader, more)
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


def _read_another_row(reader: Reader) -> bool:
    """`and members born after 2000`, after `cities with members born before 1950`: another row of the same city."""
    link, met = reader.link(), reader.focus.conditions
    again = link is not None and any(hit.target == reader.focus.table for hit in link.tables)
    if link is None or not again or reader.category is None or not met:
        return False
    reader.at += link.size
    reader.share(reader.category)
    return True


def _read_not_in_period(reader: Reader) -> bool:
    """`but not in 2026`, after `who ordered in 2025`: no such row in that period."""
    related = reader.focus.related
    if (
        reader.low() != "not"
        or related is None
        or related.negated
        or related.op
        or not reader.is_dated(reader.at + 1)
    ):
        return False
    if related not in reader.query.conditions:
        return False
    reader.at += 1
    reader.relate_again(related)
    assert reader.focus.related is not None
    reader.focus.related.negated = True
    return True


def _read_how_many(reader: Reader, asked: list[Asked]) -> bool:
    """`and how many does it have`, after `which country has the most cities`."""
    rest = reader.tokens[reader.at + 2 :]
    first = asked[0] if len(asked) == 1 else None
    if (
        first is not None
        and first.kind == "column"
        and not first.functions
        and reader.sees("how", "many", "of", "each")
    ):
        col = reader.resolve(first.hits, first.text, reader.query.subject).col
        asked.append(Asked("table", col.table[1], ["count"], table=col.table))
        reader.at += 4
        reader.skip(lexicon.FILLERS | lexicon.VERBS | lexicon.words("we they there"))
        return True
    if reader.ranking is None or not reader.sees("how", "many"):
        return False
    if not all(t.low in lexicon.FILLERS or t.low in lexicon.VERBS or t.low in lexicon.IN for t in rest):
        return False
    asked.append(reader.ranking)
    reader.at = len(reader.tokens)
    return True


def _read_owner(reader: Reader, more: list[Asked]) -> None:
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


def _read_sentence(reader: Reader, sentence: list[Token], asked: list[Asked]) -> list[Asked]:
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
    _read_modifiers(sub, asked)
    reader.ranked, reader.needs_order = sub.ranked, sub.needs_order
    return asked
