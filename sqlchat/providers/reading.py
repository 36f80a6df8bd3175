"""Reads the answer out of a model's text: the JSON that the prompt asks for, or else SQL in fences or prose.

Models draft, find a fault and write again. So the last complete answer counts that the text does not withdraw. Other
code parses and guards the SQL.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlchat.errors import ModelError
from sqlchat.providers.base import Draft
from sqlchat.providers.json_answers import find_answers
from sqlchat.providers.objects import find_objects
from sqlchat.providers.phrases import CONDITIONAL, CORRECTING, COUNTEREXAMPLE, DECLINES, DRAFT_LABEL, WITHDRAWN
from sqlchat.providers.statements import (
    ANY,
    ENTITY,
    NO_STATEMENT,
    PLACEHOLDER,
    READING,
    Fence,
    clean,
    find_fences,
    find_open_fence,
    find_statements,
    unquote,
)
from sqlchat.providers.thoughts import remove_thoughts

LONGEST_ANSWER, LONGEST_EXPLANATION = 60_000, 2000  # characters
MOST_ASSUMPTIONS = 10
FORM = frozenset({"interpretation", "assumptions", "sql", "explanation"})
"""Members of the JSON object that the prompt asks for."""
SQL_LANGUAGE = re.compile(r"\w*sql\w*|sqlite\d?|postgres|duckdb", re.IGNORECASE)
DIFF = re.compile(r"(?:^-(?!-).*\n)+((?:^\+.*(?:\n|\Z))+)", re.MULTILINE)
"""Removed lines, and added ones behind them."""
NO_QUERY = re.compile(
    r"SELECT\s+(?:NULL|'(?P<words>(?:[^']|'')*\s(?:[^']|'')*)')(?:\s+AS\s+[\w\"`\[\]]+)?\s*;?\s*(?P<comment>--.*)?",
    re.IGNORECASE | re.DOTALL,
)
"""SQL that holds a refusal in place of a query."""
LABEL_ENDS = " `*:\n"
BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")


class UnreadableError(ModelError):
    """No answer can be read. The detail says what is wrong with the form, for the model's second call."""


class NoStatementError(UnreadableError):
    """An answer is prose without any SQL. The detail quotes it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A part of a text that offers an answer; `draft` is None if the part is incomplete."""

    start: int
    end: int
    draft: Draft | None


def read(text: str) -> Draft:
    """Return the answer in `text`: SQL, or None with the model's own words if it declines or asks back.

    Raises UnreadableError if there is neither, or if the last answer is incomplete.
    """
    if len(text) > LONGEST_ANSWER:
        raise UnreadableError(f"The model answered with {len(text):,} characters, far more than one statement takes.")
    if complete := read_complete(text):
        return complete
    text = text.replace("\r\n", "\n")
    if "&quot;" in text or (ENTITY.search(text) and not re.search(r"[<>]", text)):
        text = html.unescape(text)
    text = remove_thoughts(text).lstrip("\ufeff\u200b\u2060 \n")
    if complete := read_complete(text):
        return complete
    text = BOXED.sub(r"\n\1\n", DIFF.sub(_read_added_lines, unquote(text)))
    offers = _find_offers(text)
    rest = text[offers[-1].end :] if offers else text
    if offers and (draft := _choose_offer(offers, text)):
        return _read_refusal(draft, rest)
    if DECLINES.search(prose := _read_prose(rest)):
        return Draft(None, _clean_text(prose))
    if offers:
        raise UnreadableError("The model withdrew the statement that it had written, and gave no other.")
    raise NoStatementError(
        f"The model answered with text in which no SQL was found: {_cut_excerpt(text) or '(empty)'}"
    )


def read_complete(text: str) -> Draft | None:
    """Return the answer of a text that is one strict JSON value; None for other texts."""
    text = text.strip().lstrip("\ufeff")
    for _ in range(4):  # JSON in JSON strings
        if not text.startswith(("{", '"')):
            return None
        try:
            value = json.loads(text, strict=False)  # models leave raw line breaks in strings
        except (ValueError, RecursionError):
            return None
        if isinstance(value, dict):
            answers = find_answers(value)
            return _read_refusal(_choose_last(list(map(_make_draft, answers)))) if answers else None
        if not isinstance(value, str):
            return None
        text = value.strip()
    return None


def read_thoughts(text: str) -> Draft | None:
    """Return the answer at the end of thoughts, if it has every member of the form; else None.

    Some servers send an answer as a thought. A draft amid thoughts is no answer.
    """
    text = text[-LONGEST_ANSWER:]
    objects = list(find_objects(text))
    if not objects or text[objects[-1].end :].strip("` \n"):
        return None
    answer = objects[-1].value
    return read_complete(json.dumps(answer)) if isinstance(answer, dict) and answer.keys() >= FORM else None


def _read_added_lines(diff: re.Match[str]) -> str:
    """Return the statement that a diff adds; other lines unchanged."""
    added = re.sub(r"^\+", "", diff[1], flags=re.MULTILINE)
    return added if READING.match(added) else diff[0]


def _read_prose(text: str) -> str:
    """Return the words of a text without its fence marks and comments in fences; "" if it holds SQL or JSON."""
    for fence in reversed(list(find_fences(text))):
        body = "" if NO_STATEMENT.match(fence.body) else fence.body
        text = f"{text[: fence.start]}{body}{text[fence.end :]}"
    text = text.strip("`~ \n")
    return "" if re.match(r"\{|\[\s*[\[{\"]", text) or READING.search(text) else text


def join_parts(parts: Sequence[str]) -> str:
    """Join the parts of an answer: without a break if that makes one JSON answer, else each on its own lines."""
    whole = "".join(parts)
    return whole if read_complete(whole) else "\n".join(parts)


def _find_offers(text: str) -> list[Offer]:
    """Return the answers in `text`, in order: JSON, fences, and loose statements that correct them or stand alone."""
    fences = list(find_fences(text))
    queries = [fence for fence in fences if READING.match(fence.body)]
    objects = [
        offer
        for offer in _find_object_offers(text)
        if not any(fence.start < offer.start and offer.end < fence.end for fence in queries)
    ]
    apart = [fence for fence in fences if not _overlaps(fence.start, fence.end, objects)]
    formal = sorted([*objects, *_read_fences(text, apart, reads_only=bool(objects))], key=lambda offer: offer.start)
    covered: list[Offer | Fence] = [*formal, *fences] if formal else []
    loose = [
        Offer(start, end, Draft(clean(sql), _cut_excerpt(text[:start].rstrip(" `*"))))
        for start, end, sql in find_statements(text)
        if not _overlaps(start, end, covered) and not PLACEHOLDER.match(sql)
    ]
    if not formal:
        return loose
    behind = formal[-1].end
    return formal + [o for o in loose if o.start > behind and CORRECTING.search(text[behind : o.start])]


def _overlaps(start: int, end: int, spans: Sequence[Offer | Fence]) -> bool:
    return any(start < span.end and span.start < end for span in spans)


def _find_object_offers(text: str) -> Iterator[Offer]:
    for span in find_objects(text):
        if span.value is None:
            yield Offer(span.start, span.end, None)
        elif answers := find_answers(span.value):
            yield Offer(span.start, span.end, _choose_last(list(map(_make_draft, answers))))


def _read_fences(text: str, fences: Sequence[Fence], *, reads_only: bool) -> list[Offer]:
    """Return the fences that hold a query; if there is none, those with other SQL, unless `reads_only` is set."""
    prose = text
    for fence in reversed(fences):
        prose = f"{prose[: fence.start]} {prose[fence.end :]}"
    prose = _cut_excerpt(prose)
    queries = [f for f in fences if READING.match(f.body) or READING.match(clean(f.body))]
    others = [f for f in fences if not reads_only and (SQL_LANGUAGE.fullmatch(f.language) or ANY.match(f.body))]
    chosen = [f for f in queries or others if not PLACEHOLDER.match(f.body) and not NO_STATEMENT.match(f.body)]
    offers = [Offer(f.start, f.end, Draft(clean(_strip_prose(f.body)) or None, prose)) for f in chosen]
    start = find_open_fence(text)
    if start is not None and (opened := re.match(r"(?:```|~~~)\w*\s*(.*)", text[start:], re.DOTALL)):
        body = opened[1]
        if READING.match(body):
            is_complete = body.rstrip().endswith(";")
            offers.append(Offer(start, len(text), Draft(clean(body), prose) if is_complete else None))
    return offers


def _strip_prose(body: str) -> str:
    """Return the one statement of a fence without the prose behind it; several statements unchanged."""
    statements = list(find_statements(body))
    if len(statements) == 1 and READING.match(body):
        start, end, _ = statements[0]
        if body[end : end + 1] == ";" and not ANY.match(body, end + 1):
            return body[:end]
        if body[end:].strip() and not body[end:].lstrip().startswith((";", "`")) and start == 0:
            return body[:end]
    return body


def _choose_offer(offers: Sequence[Offer], text: str) -> Draft | None:
    """Return the last answer that stands, then conditional ones, then drafts; None if the text withdraws all.

    Raises UnreadableError if the chosen answer is incomplete.
    """
    standing: list[Draft | None] = []
    drafts: list[Draft | None] = []
    conditional: list[Draft | None] = []
    before = [text[end : offer.start] for end, offer in zip([0, *(o.end for o in offers)], offers, strict=False)]
    before[0] = f"\n{before[0]}"
    is_counterexample = [COUNTEREXAMPLE.search(words.rstrip()) is not None for words in before]
    for place, offer in enumerate(offers):
        is_last = place + 1 == len(offers)
        after = text[offer.end :] if is_last else before[place + 1]
        precedes_counterexample = not is_last and is_counterexample[place + 1]
        corrects = not is_last and CORRECTING.search(after) and not CONDITIONAL.search(after.rstrip(LABEL_ENDS))
        is_withdrawn = (corrects or WITHDRAWN.search(after)) and not precedes_counterexample
        if is_counterexample[place] or is_withdrawn:
            continue
        words = before[place].rstrip(LABEL_ENDS)
        if DRAFT_LABEL.search(words):
            drafts.append(offer.draft)
        elif CONDITIONAL.search(words):
            conditional.append(offer.draft)
        else:
            standing.append(offer.draft)
    remaining = conditional + standing or drafts
    if not remaining:
        return None
    if remaining[-1] is None:
        raise UnreadableError(f"The model's answer is incomplete or broken JSON or SQL: {_cut_excerpt(text)}")
    return _choose_last([draft for draft in remaining if draft is not None])


def _choose_last(drafts: Sequence[Draft]) -> Draft:
    """Return the last of `drafts`, with a warning if others have another statement."""
    last = drafts[-1]
    others = {_fold_statement(draft.sql) for draft in drafts if draft.sql} - {_fold_statement(last.sql or "")}
    if not others or last.sql is None:
        return last
    count = len(others) + 1
    warning = f"The model gave {count} different statements as answers; this is the last of them."
    return replace(last, warnings=(*last.warnings, warning))


def _read_refusal(draft: Draft, behind: str = "") -> Draft:
    """Return `draft`, without its SQL if that is a refusal such as `SELECT 'No such table'`."""
    if not (match := NO_QUERY.fullmatch(draft.sql or "")):
        return draft
    words = match["words"] or (match["comment"] or behind).strip("-; \n") or draft.explanation
    declines = words and (match["words"] is None or DECLINES.search(words))
    return replace(draft, sql=None, explanation=_clean_text(words)) if declines else draft


def _fold_statement(sql: str) -> str:
    return "".join(sql.split()).lower()


def _make_draft(answer: dict[str, Any]) -> Draft:
    assumptions = answer.get("assumptions")
    listed = map(_clean_text, assumptions) if isinstance(assumptions, list) else ()
    return Draft(
        _strip_surrogates(clean(answer["sql"] or "")) or None,
        _clean_text(answer.get("explanation")),
        assumptions=tuple(filter(None, listed))[:MOST_ASSUMPTIONS],
        interpretation=_clean_text(answer.get("interpretation")),
    )


def _clean_text(text: Any) -> str:
    return _strip_surrogates(_cut_excerpt(text, LONGEST_EXPLANATION)) if isinstance(text, str) else ""


def _strip_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can hold and no database takes."""
    return text.encode("utf-8", "replace").decode()


def _cut_excerpt(text: str, length: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
