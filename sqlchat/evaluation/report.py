"""Sums up the outcomes of an evaluation, as a table to read and as JSON to keep."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from sqlchat.chat.rendering import UNPRINTABLE
from sqlchat.evaluation.run import Outcome, Verdict
from sqlchat.providers.base import Tokens

Summary = dict[str, Any]
ANSWERS: tuple[Verdict, ...] = ("right", "wrong", "refused", "failed")
KINDS = ("tables", "columns", "literals")


def summarize(outcomes: Sequence[Outcome]) -> Summary:
    """Return the figures. Shares are from 0 to 1, or None without any question to count; times are in ms.

    `execution_accuracy` is the share of right answers among all answerable questions that were asked, with refused
    and failed ones; `accuracy_of_answered` leaves these out. Context recall is the share of questions with a gold SQL
    whose prompt holds all tables, columns and texts that the SQL names. SQLCHAT_PROMPT_TOKENS limits the prompt.
    """
    answerable = [o for o in outcomes if o.case.answerable]
    unanswerable = [o for o in outcomes if not o.case.answerable and o.verdict != "unasked"]
    asked = [o for o in answerable if o.verdict not in ("unasked", "gold_failed")]
    verdicts = Counter(o.verdict for o in asked)
    right, answered = verdicts["right"], verdicts["right"] + verdicts["wrong"]
    called = [o for o in outcomes if o.verdict not in ("unasked", "gold_failed")]
    missing = [o.missing for o in answerable if o.missing is not None]
    tokens = sum((o.tokens for o in outcomes), Tokens())
    return {
        "questions": len(outcomes),
        "asked": len(asked),
        **{verdict: verdicts[verdict] for verdict in ANSWERS},
        "unasked": sum(o.verdict == "unasked" for o in outcomes),
        "gold_failed": sum(o.verdict == "gold_failed" for o in outcomes),
        "execution_accuracy": _compute_share(right, len(asked)),
        "answered_share": _compute_share(answered, len(asked)),
        "accuracy_of_answered": _compute_share(right, answered),
        "unanswerable": len(unanswerable),
        "unanswerable_refused": _compute_share(sum(o.verdict == "refused" for o in unanswerable), len(unanswerable)),
        "tokens": _write_tokens(tokens),
        "second_tries": sum(len(o.prompts) > 1 for o in called),
        "milliseconds": _compute_spread([o.milliseconds for o in called]),
        "context_recall": {
            "questions": len(missing),
            "tables": _compute_share(sum(not m.tables for m in missing), len(missing)),
            "columns": _compute_share(sum(not m.columns for m in missing), len(missing)),
            "tables_and_columns": _compute_share(sum(not (m.tables or m.columns) for m in missing), len(missing)),
            "literals": _compute_share(sum(not m.literals for m in missing), len(missing)),
            "all": _compute_share(sum(not m for m in missing), len(missing)),
        },
        "prompt_tokens": _compute_spread([o.prompt_tokens for o in outcomes]),
    }


def write_json(outcomes: Sequence[Outcome], provider: str) -> bytes:
    """Return the figures and all questions as JSON."""
    body = {"provider": provider, "summary": summarize(outcomes), "questions": [_write_question(o) for o in outcomes]}
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_table(outcomes: Sequence[Outcome], provider: str) -> str:
    """Return a text with the figures, then each miss, then the names that prompts lack."""
    rows = [("provider", provider), *_write_figures(summarize(outcomes))]
    lines = _align_columns(rows)
    misses = [o for o in outcomes if o.miss]
    if misses:
        lines += ["", f"MISSES ({len(misses)})"]
    for outcome in misses:
        facts = [("question", outcome.case.question)]
        facts += [("gold", sql) for sql in outcome.case.golds[:1]]
        facts += [("got", outcome.sql)] if outcome.sql else []
        lines += ["", f"{outcome.case.id}: {outcome.verdict.replace('_', ' ')}"]
        lines += _align_columns([*facts, ("why", outcome.why)], "  ")
    lacking = [o for o in outcomes if o.missing]
    if lacking:
        lines += ["", f"NOT IN THE PROMPT ({len(lacking)})"]
    for outcome in lacking:
        facts = [("question", outcome.case.question)]
        facts += [(kind, ", ".join(names)) for kind in KINDS if (names := getattr(outcome.missing, kind))]
        lines += ["", outcome.case.id, *_align_columns(facts, "  ")]
    return "\n".join(lines)


def _write_figures(figures: Summary) -> Iterator[tuple[str, str]]:
    recall, tokens = figures["context_recall"], figures["tokens"]
    time, size = figures["milliseconds"], figures["prompt_tokens"]
    yield "questions", str(figures["questions"])
    if figures["gold_failed"]:
        yield "gold fails", f"{figures['gold_failed']} (left out below)"
    if figures["unasked"]:
        yield "not asked", f"{figures['unasked']} (no stored answer; left out below)"
    if figures["asked"]:
        yield "execution accuracy", f"{_write_percent(figures['execution_accuracy'])} of {figures['asked']}"
        yield from ((f"  {verdict}", str(figures[verdict])) for verdict in ANSWERS)
        yield "of the answered", f"{_write_percent(figures['accuracy_of_answered'])} right"
    if figures["unanswerable"]:
        yield (
            "unanswerable",
            f"{_write_percent(figures['unanswerable_refused'])} of {figures['unanswerable']} refused",
        )
    if tokens["total"]:
        yield "tokens", f"{tokens['prompt']:,} prompt + {tokens['completion']:,} completion"
    if time:
        yield "second tries", str(figures["second_tries"])
        yield "time", f"median {time['median']:,.0f} ms, p95 {time['p95']:,.0f} ms, at most {time['max']:,.0f} ms"
    if recall["questions"]:
        number, *kinds = recall
        shares = ", ".join(f"{kind.replace('_', ' ')} {_write_percent(recall[kind])}" for kind in kinds)
        yield "context recall", f"{shares} of {recall[number]}"
    if size:
        yield (
            "prompt size",
            f"median {size['median']:,.0f} tokens, p95 {size['p95']:,.0f}, at most {size['max']:,.0f}",
        )


def _write_question(outcome: Outcome) -> dict[str, Any]:
    case, lacks = outcome.case, outcome.missing
    return {
        "id": case.id,
        "db": case.db,
        "question": case.question,
        "answerable": case.answerable,
        "verdict": outcome.verdict,
        "miss": outcome.miss,
        "why": outcome.why,
        "gold": list(case.golds),
        "got": outcome.sql or None,
        "model": outcome.model,
        "tokens": _write_tokens(outcome.tokens),
        "milliseconds": outcome.milliseconds,
        "prompts": list(outcome.prompts),
        "prompt_tokens": outcome.prompt_tokens,
        "not_in_prompt": None if lacks is None else {kind: getattr(lacks, kind) for kind in KINDS},
    }


def _write_tokens(tokens: Tokens) -> dict[str, int]:
    return {"prompt": tokens.prompt, "completion": tokens.completion, "total": tokens.total}


def _align_columns(rows: Sequence[tuple[str, str]], indent: str = "") -> list[str]:
    width = max(len(name) for name, _ in rows)
    return [f"{indent}{name:<{width}}  {' '.join(UNPRINTABLE.sub(' ', text).split())}" for name, text in rows]


def _compute_share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _write_percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _compute_spread(numbers: Sequence[float]) -> dict[str, float] | None:
    if not numbers:
        return None
    ranked = sorted(numbers)
    return {
        "median": statistics.median(ranked),
        "p95": ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))],
        "max": ranked[-1],
    }
