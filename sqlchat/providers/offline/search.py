"""The readings of a question: as it stands, else in simpler words; and for a refusal, questions that do work.

The best-first search goes from the cheapest rephrasing on. The first reading answers, unless another one that costs
no more asks for something else.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import count

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.thesaurus import MEANING
from sqlchat.language.tokens import singular, tokenize
from sqlchat.providers.offline import directions, misfits, refusal
from sqlchat.providers.offline.alternatives import list_choices, list_tied
from sqlchat.providers.offline.build import build
from sqlchat.providers.offline.composer import Candidate, Composer, choose
from sqlchat.providers.offline.evidence import Evidence
from sqlchat.providers.offline.grammar import parse
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Key
from sqlchat.providers.offline.nearest import read_nearest
from sqlchat.providers.offline.nevers import NONE, deny_of_all
from sqlchat.providers.offline.nouns import Vocabulary
from sqlchat.providers.offline.phrase_evidence import find_roles
from sqlchat.providers.offline.query import Agg, Null, Query
from sqlchat.providers.offline.rephrasing import (
    MOST_STEPS,
    MOST_SUGGESTED,
    MOST_TRIES,
    SHORTEST_SLIP,
    Nouns,
    Rephrasing,
    correct,
    leave_out,
    rephrase,
)
from sqlchat.providers.offline.rules import (
    COMPARED,
    EXISTING,
    LASTING,
    LIVES,
    MONEY_VERB,
    NO_ONE,
    STATES,
    UNIVERSAL,
    YES_NO,
)
from sqlchat.providers.offline.scoring import LEAST
from sqlchat.providers.offline.scoring import MARGIN as TIED
from sqlchat.providers.offline.spoken_dates import write_dates
from sqlchat.providers.offline.suggestions import BROKEN, list_near
from sqlchat.providers.offline.verbs import find_verbs, rewrite_rates, rewrite_sides, rewrite_verb
from sqlchat.providers.offline.wording import write_plainly

Reading = tuple[Query, exp.Select]
Found = tuple[float, Reading, Rephrasing]
PLAIN_VERBS = frozenset(
    {"got", "get", "gets", "received", "had", "made", "took", "gave", "did", "earned", "still", "most"}
)
SPENDING = lexicon.words("spent spend spends")
"""What these verbs say of customers is read without rules where a measure tells it."""
RULE_WORDS = lexicon.words("current overdue revenue income average different between without unpaid percentage")
MARGIN = 0.5
"""By how much the best reading must be cheaper than one that asks for something else."""
REREAD = (None, "no_join", "in_groups")
"""Reasons of the grammar that do not keep the composer from an answer."""
MOST_SUGGESTIONS = 3
MOST_WORDINGS = 3
"""Questions that are tried for one of several readings."""
RATES = re.compile(r"(?i)\b(rates?|share|percent|percentage|proportion|average number of|on average)\b")
"""Words of figures that the composer reads in more ways than the grammar."""
PUT = {
    "money": "Money is that of {}.",
    "cost": "What was paid is {}.",
    "person": "The people are those of {}.",
    "row": "Rows of {} are counted.",
    "heads": "People are those that {} adds up.",
    "quantity": "What sells is told by the total of {}.",
    "closed": "What is still open or active has no {}.",
}


class Search:
    """Reads questions on one catalog on one day."""

    def __init__(self, linker: Linker, joins: Joins, vocabulary: Vocabulary, today: date, dialect: str):
        self._linker, self._joins, self._today, self._dialect = linker, joins, today, dialect
        self._vocabulary = vocabulary
        self._asks_any = self._is_yes_no = self._asks_whether_any = False
        self._candidates: dict[str, list[Candidate]] = {}
        """The composer's readings of each question that was tried."""

    def read(self, question: str) -> Reading:
        """The query and its SQL. Raises QuestionError, with questions that can be answered as `suggestions`."""
        try:
            return self._answer(question, question)
        except QuestionError as fault:
            if (followed := self._follow_words(question)) is not None:
                return followed
            evidence = Evidence(self._linker, self._joins, self._vocabulary, tokenize(question), self._today)
            attempt = partial(self._answer, asked=question)
            if (nearest := read_nearest(self._linker, evidence, question, attempt)) is not None:
                return nearest
            alternatives = [] if fault.facts.get("rewrites") else self._list_alternatives(question, fault)
            read_last = fault.facts.pop("question", question)
            near = self._suggest(read_last, fault) if len(alternatives) < 2 else []
            fault.facts["suggestions"] = list(dict.fromkeys([*alternatives, *near]))[:MOST_SUGGESTIONS]
            fault.facts.pop("rewrites", None)
            raise

    def _answer(self, question: str, asked: str) -> Reading:
        """The reading of `question`, in other words what was `asked`. Raises QuestionError if it cannot be meant."""
        query, select = self._attempt(question)
        misfits.check_spending(self._linker, asked, select)
        return query, select

    def _follow_words(self, question: str) -> Reading | None:
        """The reading by the one of several keys between two tables that the question speaks of."""
        narrowed = directions.follow_words(tokenize(question), question, self._joins)
        if narrowed is None:
            return None
        joins, plain, col = narrowed
        try:
            query, select = Search(self._linker, joins, self._vocabulary, self._today, self._dialect)._attempt(plain)
        except QuestionError:
            return None
        if not any(column.name == col.name for column in select.find_all(exp.Column)):
            return None
        query.assumptions.append(f"Of several keys {col.table[1]}.{col.name} is followed.")
        return query, select

    def _attempt(self, question: str) -> Reading:
        """The query and its SQL. Raises QuestionError, with the `question` in the words that were read last."""
        if UNIVERSAL.search(question):
            raise QuestionError(
                "Ask for those of which it is not true: whether it is true of all is not read.", words=[]
            )
        self._is_yes_no = YES_NO.search(question) is not None and not EXISTING.search(question)
        self._asks_whether_any = re.search(r"(?i)\b(any|ever)\b", question) is not None
        self._asks_any = EXISTING.search(question) is not None
        asked = question = NO_ONE.sub("nobody", question)
        question = EXISTING.sub("how many ", question)
        question = LASTING.sub(r" that lasted ", question)
        question = COMPARED.sub(r"\1 for \2 versus \3", question)
        try:
            if self._has_role(question):
                raise QuestionError("Which rows of the table are meant is not clear.", words=[])
            return self._read(question)
        except QuestionError as fault:
            found = self._read_rephrased(question, fault) if not self._has_role(question) else None
            if found is not None:
                return found
            if (plain := write_plainly(question)) != question:
                return self._attempt(plain)
            if (dated := write_dates(question, self._today)) != question:
                return self._attempt(dated)
            composed = self._compose(asked, fault)
            if composed is not None:
                return composed
            fault.facts["question"] = question
            raise

    def _list_alternatives(self, question: str, fault: QuestionError) -> list[str]:
        """For each of several readings that are equally likely a question that gives it and was tried."""
        found = []
        for col, texts in list_choices(question, fault, self._linker):
            found += self._find_working(texts, column=col.name)
        tied = self._list_tied(question) if not found and not fault.facts.get("reason") else []
        for candidate, texts in tied:
            found += self._find_working(texts, sql=candidate.select.sql())
        if tied and len(found) == len(tied):
            fault.facts["reason"] = "ambiguous"
            fault.detail = f"""This can be read in two ways: {" or ".join(f'"{text}"' for text in found)}."""
            fault.args = (fault.detail, *fault.args[1:])
        return found

    def _list_tied(self, question: str) -> list[tuple[Candidate, list[str]]]:
        candidates = self._list_candidates(question)[:2]
        if len(candidates) < 2 or candidates[0].score < LEAST or candidates[0].score - candidates[1].score >= TIED:
            return []
        return list_tied(question, tokenize(question), candidates[0], candidates[1], self._linker)

    def _find_working(self, questions: list[str], *, column: str = "", sql: str = "") -> list[str]:
        """The first of the questions whose reading is the SQL, or speaks of the column; none if there is none."""
        for question in questions[:MOST_WORDINGS]:
            try:
                select = self._attempt(question)[1]
            except QuestionError:
                continue
            if select.sql() == sql or any(column == other.name for other in select.find_all(exp.Column)):
                return [question]
        return []

    def _has_role(self, question: str) -> bool:
        """Whether a row is named by one that points to it: `the boss of Ann`, which the composer alone reads."""
        tokens = tokenize(question) if self._linker.roles else []
        return any(True for at in range(len(tokens)) for _ in find_roles(self._linker, tokens, at))

    def _list_candidates(self, question: str) -> list[Candidate]:
        if question not in self._candidates:
            composer = Composer(self._linker, self._joins, self._vocabulary, self._today, self._dialect)
            self._candidates[question] = composer.compose(question)
        return self._candidates[question]

    def _compose(self, question: str, fault: QuestionError) -> Reading | None:
        """The composer's reading, if it is good enough and clearly better than another one."""
        candidates = self._list_candidates(question)
        if self._has_role(question):
            candidates = [candidate for candidate in candidates if candidate.features.get("role")]
        chosen = choose(candidates)
        if chosen is None:
            return None
        read = fault.facts.get("reason") or fault.facts.get("rewrites")  # by the grammar in more than one way
        words = _find_words(fault) if len(self._linker.tables) == 1 else []
        thing = any(i.evidence == "event" or (i.kind == "table" and i.text in words) for i in chosen.items)
        if read not in REREAD and not (chosen.goes_beyond_grammar or thing or RATES.search(question)):
            return None
        try:
            refusal.check_query(self._linker, self._joins, question, chosen.query)
            refusal.check_contradictions(chosen.select)
        except QuestionError:
            return None
        chosen.query.assumptions.extend(chosen.tell())
        return chosen.query, chosen.select

    def _read(self, question: str) -> Reading:
        query = parse(question, self._linker, self._joins, self._today)
        if not NONE.isdisjoint(token.low for token in tokenize(question)) and any(
            isinstance(condition, Null) and not condition.negated for condition in query.conditions
        ):
            deny_of_all(query)
        if self._is_yes_no:
            _count_whether(query, clear=self._asks_whether_any)
        query.asks_any = (self._asks_any or self._is_yes_no) and len(query.outputs) == 1 and not query.groups
        refusal.check_query(self._linker, self._joins, question, query)
        select = build(query, self._linker, self._joins, self._dialect)
        refusal.check_contradictions(select)
        refusal.check_verbs(self._linker, self._joins, question, {table.name for table in select.find_all(exp.Table)})
        return query, select

    def _read_rephrased(self, question: str, fault: QuestionError) -> Reading | None:
        """The reading of the cheapest rephrasing that is understood wholly; None where none is, or two differ."""
        number = count()
        queue: list[tuple[float, int, Rephrasing]] = []
        seen = {question}

        def add(steps: Iterator[Rephrasing]) -> None:
            for step in steps:
                if step.question not in seen and len(step.left_out) <= MOST_STEPS:
                    seen.add(step.question)
                    heapq.heappush(queue, (step.cost, next(number), step))

        verbs = dict(find_verbs(question, self._linker))
        nouns = self._choose_nouns(question, list(verbs.values()))
        add(rephrase(question, nouns))
        for rewrite in (rewrite_rates, rewrite_sides):
            add(Rephrasing(changed, 0.5) for changed in rewrite(question, self._linker))
        for verb, key in verbs.items():
            money = bool(nouns["money"]) and MONEY_VERB.fullmatch(verb) is not None
            words = " ".join(self._linker.table_words(key))
            for changed in rewrite_verb(question, verb, words) if not money else ():
                add(iter([Rephrasing(changed, 0.5)]))
                add(rephrase(changed, nouns, 0.5))
        add(self._simplify(Rephrasing(question, 0.0), fault, nouns))
        best: Found | None = None
        for _ in range(MOST_TRIES):
            if not queue or (best is not None and queue[0][0] >= best[0] + MARGIN):
                break
            cost, _, step = heapq.heappop(queue)
            try:
                reading = self._read(step.question)
            except QuestionError as again:
                add(self._simplify(step, again, nouns))
                continue
            if self._guesses_who(step) or any(word.lower() in self._linker.lower_values for word in step.left_out):
                continue
            if best is None:
                best = cost, reading, step
            elif reading[1] != best[1][1]:
                nearer = _choose_nearer(best, (cost, reading, step))
                if nearer is None:
                    return None
                best = nearer
        if best is None:
            return None
        _, reading, step = best
        reading[0].assumptions.extend(PUT[noun].format(place) for noun, place in step.put)
        reading[0].assumptions.extend(f'"{word}" is read as "{name}".' for word, name in step.slips)
        if step.left_out:
            words = ", ".join(f'"{word}"' for word in step.left_out)
            reading[0].assumptions.append(f"{words} {'adds' if len(step.left_out) == 1 else 'add'} nothing to this.")
        return reading

    def _guesses_who(self, step: Rephrasing) -> bool:
        """Whether people are put for a word and what they did is left out: not all who saw a play direct one."""
        role = any(word == "person" for word, _ in step.put)
        plain = PLAIN_VERBS | self._vocabulary.done_by.keys()
        return role and not plain.issuperset(word.lower() for word in step.left_out)

    def _simplify(self, step: Rephrasing, fault: QuestionError, nouns: Nouns) -> Iterator[Rephrasing]:
        """The question without one of the words at fault, or with a slip in it put right."""
        words = _find_culprits(fault)
        tokens = tokenize(step.question)
        yield from leave_out(step, words, self._today, self._vocabulary.doers, self._vocabulary.deeds)
        unknown = {t.text for at, t in enumerate(tokens) if not refusal.is_known(self._linker, tokens, at)}
        named = {word for word in words if word[:1].isupper() and not step.question.startswith(word)}
        for better in correct(step, [word for word in words if word in unknown - named], self._list_spellings()):
            yield better
            for changed in rephrase(better.question, nouns, better.cost):
                yield replace(changed, slips=better.slips)

    def _list_spellings(self) -> Mapping[str, Sequence[str]]:
        """Words that a slip of the pen may have meant, by their first letter; made once for a catalog."""
        found = self._linker.spellings
        if not found:
            names = refusal.list_names(self._linker)
            names += [f"{name}s" for name in names] + [singular(name) for name in names]
            held = [word.lower() for texts in self._linker.values.values() for text in texts for word in text.split()]
            words = dict.fromkeys((*names, *held, *refusal.GRAMMAR, *lexicon.VERBS, *MEANING, *RULE_WORDS))
            by_letter: dict[str, list[str]] = {}
            for word in words:
                if len(word) >= SHORTEST_SLIP - 1:
                    by_letter.setdefault(word[0], []).append(word)
            found = self._linker.spellings = by_letter
        return found

    def _choose_nouns(self, question: str, done: list[Key]) -> Nouns:
        """What may be put for `person`, where a verb names a table: those whose rows a row of it leads to.

        A word such as `open` that is a value is never put in other words.
        """
        people = self._vocabulary.nouns["person"]
        near = [p for p in people if any(self._joins.distance(key, p.table)[1] == 1 for key in done)]
        tokens = tokenize(question)
        agents = [self._vocabulary.done_by.get(token.low) for token in tokens]
        near = [p for p in people if p.table in agents] or near
        states = [at for at, token in enumerate(tokens) if token.low in STATES]
        valued = any(link.values for at in states for link in self._linker.links(tokens, at))
        money = self._vocabulary.nouns["money"]
        spent = any(token.low in SPENDING for token in tokens)
        inside = self._vocabulary.nouns["heads"] and LIVES.search(question) is not None
        return {
            **self._vocabulary.nouns,
            "money": () if spent and any(noun.column == "revenue" for noun in money) else money,
            "person": () if inside else near or people,
            "closed": () if valued else self._vocabulary.nouns["closed"],
        }

    def _suggest(self, question: str, fault: QuestionError) -> list[str]:
        """Questions near to this one that were tried and can be answered."""
        found: list[str] = []
        for tries, near in enumerate(list_near(question, fault, self._linker, self._joins)):
            if len(found) == MOST_SUGGESTIONS or tries == MOST_SUGGESTED:
                break
            if near not in found and near != question and not BROKEN.search(near):
                try:
                    self._read(near)
                except QuestionError:
                    continue
                found.append(near)
        return found


def _count_whether(query: Query, *, clear: bool) -> None:
    """Ask for the number of rows instead of a list of them. Raises QuestionError where no list was asked for."""
    plain = not any(isinstance(term, Agg) for term in query.outputs) and not query.groups and query.limit is None
    if query.subject is None or not plain or not clear:
        raise QuestionError("Whether this is so is not read: ask how many there are, or for a list.", words=[])
    query.outputs, query.distinct, query.order = [Agg("count", query.subject)], False, []


def _choose_nearer(one: Found, other: Found) -> Found | None:
    """Of two readings that take people or money for different ones, the one that joins fewer tables; else None."""
    words = [{word for word, _ in found[2].put} for found in (one, other)]
    if one[2].put == other[2].put or words[0] != words[1]:
        return None
    sizes = [len(list(found[1][1].find_all(exp.Table))) for found in (one, other)]
    if "person" in words[0] and min(sizes) > 1:  # members and trainers may both have attended
        return None
    return None if sizes[0] == sizes[1] else one if sizes[0] < sizes[1] else other


def _find_culprits(fault: QuestionError) -> list[str]:
    """The words that kept the question from being read, unless it was read in more than one way."""
    return [] if fault.facts.get("reason") else _find_words(fault)


def _find_words(fault: QuestionError) -> list[str]:
    return [word for word in fault.facts.get("words", ()) if isinstance(word, str)]
