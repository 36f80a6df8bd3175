"""Reads the answer out of a model's text: the JSON that was asked for, or the next best form that came instead.

The last complete answer counts, and none that the text withdraws: models draft, find a fault, and write anew. Pure
functions over text. The SQL is a stranger's still: it is parsed, guarded and run read-only by others.
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
"""Members of the JSON object that a model is asked for."""
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
    """An answer is prose without any SQL, which the detail quotes."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A part of a text that is meant as an answer; `draft` is None if it is incomplete."""

    start: int
    end: int
    draft: Draft | None


def read(text: str) -> Draft:
    """The answer in `text`: SQL, or None with the model's own words if it declines or asks back.

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
    """The answer of a text that is strict JSON from end to end and holds one; else None."""
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
    """The answer with which thoughts end, if it has every member of the form that was asked for; else None.

    Servers that take an answer for a thought send it so. A draft amid thoughts is no answer.
    """
    text = text[-LONGEST_ANSWER:]
    found = list(find_objects(text))
    if not found or not isinstance(found[-1].value, dict) or not found[-1].value.keys() >= FORM:
        return None
    return None if text[found[-1].end :].strip("` \n") else read_complete(json.dumps(found[-1].value))


def _read_added_lines(lines: re.Match[str]) -> str:
    """The statement that a diff adds; other lines as they are."""
    added = re.sub(r"^\+", "", lines[1], flags=re.MULTILINE)
    return added if READING.match(added) else lines[0]


def _read_prose(text: str) -> str:
    """The words of a text around fences with nothing but comments, or in one fence; "" if it holds SQL or JSON."""
    for fence in reversed(list(find_fences(text))):
        shown = "" if NO_STATEMENT.match(fence.body) else fence.body
        text = f"{text[: fence.start]}{shown}{text[fence.end :]}"
    text = text.strip("`~ \n")
    return "" if re.match(r"\{|\[\s*[\[{\"]", text) or READING.search(text) else text


def join_parts(parts: Sequence[str]) -> str:
    """One text of the parts that an answer came in: units of their own, unless they make up one JSON object."""
    whole = "".join(parts)
    return whole if read_complete(whole) else "\n".join(parts)


def _find_offers(text: str) -> list[Offer]:
    """The answers that `text` offers, in its order."""
    fences = list(find_fences(text))
    written = [f for f in fences if READING.match(f.body)]
    objects = [o for o in _find_object_offers(text) if not any(f.start < o.start and o.end < f.end for f in written)]
    apart = [f for f in fences if not any(f.start < o.end and o.start < f.end for o in objects)]
    formal = sorted([*objects, *_read_fences(text, apart, reads_only=bool(objects))], key=lambda offer: offer.start)
    covered = [(o.start, o.end) for o in formal] + [(f.start, f.end) for f in fences if formal]
    loose = [
        Offer(start, end, Draft(clean(sql), _cut_excerpt(text[:start].rstrip(" `*"))))
        for start, end, sql in find_statements(text)
        if not any(start < stop and begin < end for begin, stop in covered) and not PLACEHOLDER.match(sql)
    ]
    if not formal:
        return loose
    last = formal[-1]
    corrected = [o for o in loose if o.start > last.end and CORRECTING.search(text[last.end : o.start])]
    return formal + corrected


def _find_object_offers(text: str) -> Iterator[Offer]:
    for found in find_objects(text):
        if found.value is None:
            yield Offer(found.start, found.end, None)
        elif answers := find_answers(found.value):
            yield Offer(found.start, found.end, _choose_last([_make_draft(answer) for answer in answers]))


def _read_fences(text: str, fences: Sequence[Fence], *, reads_only: bool) -> list[Offer]:
    """Fences that hold a statement; those that read win over others in SQL, which `reads_only` leaves out."""
    prose = text
    for fence in reversed(fences):
        prose = f"{prose[: fence.start]} {prose[fence.end :]}"
    prose = _cut_excerpt(prose)
    reads = [f for f in fences if READING.match(f.body) or READING.match(clean(f.body))]
    others = [f for f in fences if not reads_only and (SQL_LANGUAGE.fullmatch(f.language) or ANY.match(f.body))]
    shown = [f for f in reads or others if not PLACEHOLDER.match(f.body) and not NO_STATEMENT.match(f.body)]
    offers = [Offer(f.start, f.end, Draft(clean(_strip_prose(f.body)) or None, prose)) for f in shown]
    start = find_open_fence(text)
    if start is not None and (begun := re.match(r"(?:```|~~~)\w*\s*(.*)", text[start:], re.DOTALL)):
        body = begun[1]
        if READING.match(body):
            closed = body.rstrip().endswith(";")
            offers.append(Offer(start, len(text), Draft(clean(body), prose) if closed else None))
    return offers


def _strip_prose(body: str) -> str:
    """The one statement of a fence without what is said behind it; several statements stay as they are."""
    found = list(find_statements(body))
    if len(found) == 1 and READING.match(body):
        start, end, _ = found[0]
        if body[end : end + 1] == ";" and not ANY.match(body, end + 1):
            return body[:end]
        if body[end:].strip() and not body[end:].lstrip().startswith((";", "`")) and start == 0:
            return body[:end]
    return body


def _choose_offer(offers: Sequence[Offer], text: str) -> Draft | None:
    """The last answer that stands; None if none does. Raises UnreadableError if the last one is incomplete."""
    standing: list[Draft | None] = []
    drafts: list[Draft | None] = []
    conditional: list[Draft | None] = []
    before = [text[end : offer.start] for end, offer in zip([0, *(o.end for o in offers)], offers, strict=False)]
    before[0] = f"\n{before[0]}"
    is_shown = [COUNTEREXAMPLE.search(words.rstrip()) is not None for words in before]
    for place, offer in enumerate(offers):
        is_last = place + 1 == len(offers)
        after = text[offer.end :] if is_last else before[place + 1]
        shows_another = not is_last and is_shown[place + 1]
        corrects = not is_last and CORRECTING.search(after) and not CONDITIONAL.search(after.rstrip(LABEL_ENDS))
        if is_shown[place] or ((corrects or WITHDRAWN.search(after)) and not shows_another):
            continue
        words = before[place].rstrip(LABEL_ENDS)
        kind = drafts if DRAFT_LABEL.search(words) else conditional if CONDITIONAL.search(words) else standing
        kind.append(offer.draft)
    left = (conditional + standing if standing else conditional) or drafts
    if not left:
        return None
    last = left[-1]
    if last is None:
        raise UnreadableError(f"The model's answer is incomplete or broken JSON or SQL: {_cut_excerpt(text)}")
    return _choose_last([each for each in left if each is not None])


def _choose_last(drafts: Sequence[Draft]) -> Draft:
    """The last of `drafts`, with a warning if others with another statement stand beside it."""
    last = drafts[-1]
    others = {_fold_statement(each.sql) for each in drafts if each.sql} - {_fold_statement(last.sql or "")}
    if not others or last.sql is None:
        return last
    count = len(others) + 1
    warning = f"The model gave {count} different statements as answers; this is the last of them."
    return replace(last, warnings=(*last.warnings, warning))


def _read_refusal(draft: Draft, behind: str = "") -> Draft:
    """`draft` without its SQL if that is no query but a refusal, such as `SELECT 'No such table'`."""
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
    """Without the halves of surrogate pairs that JSON can smuggle in and no database can take."""
    return text.encode("utf-8", "replace").decode()


def _cut_excerpt(text: str, length: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
