"""Removes a model's thoughts from its answer.

Local servers leave thoughts in the text when they do not know a model's template: in tags of many names, in gpt-oss
channels, without a closing tag when the answer was cut, without an opening one when the template holds it.
"""

from __future__ import annotations

import re
from bisect import bisect

NAMES = (
    r"(?:think|thought|reason|reflect|scratch_?pad|analysis|monologue|ponder|rationale|deliberat"
    r"|denk|pens[aée]|razon|raison|мысл|рассужд|思考|思维|(?<![a-z])(?:cot|plan|draft)(?![a-z]))"
)
MARK = re.compile(
    rf"[<◁⟨《«【]\|?(?P<kind>\\?/|end_of_|end_|begin_of_|start_of_|start_)?(?:\w{{1,20}}:)?[\w.-]{{0,20}}?{NAMES}[\w.-]{{0,20}}"
    r"(?:\s[^<>▷]{0,200})?\|?[>▷⟩》»】]"
    r"|\[(?P<slash>/?)(?:think(?:ing)?|thoughts?|reasoning)\]"
    r"|(?P<open><\|channel>\s*(?:thought|analysis)\b|<unused94>|<\|inner_prefix\|>)"
    r"|(?P<close><channel\|>|<unused95>|<\|inner_suffix\|>)",
    re.IGNORECASE,
)
FENCED = re.compile(
    rf"```[ \t]*{NAMES}\w*[ \t]*\n.*?(?:```|\Z)|<details>\s*<summary>[^<]*{NAMES}[^<]*</summary>.*?</details>",
    re.IGNORECASE | re.DOTALL,
)
TAG = re.compile(r"(?P<open>[<\[{(【]{1,2})(?P<slash>/?)(?P<name>[^\W\d_][\w-]{0,30})[>\]})】]{1,2}")
SQL = re.compile(r"\b(?:SELECT|WITH|sql)\b", re.IGNORECASE)
ANSWERING = re.compile(
    r"(?:answer|sql|query|result|output|response|final|code|pre|json|tool|function|parameter|statement|option"
    r"|alternative|section|div|span|strong|em|ins|li|td|tr|[biup])(?![^\W_])",
    re.IGNORECASE,
)
"""Names of elements that may hold an answer; thoughts stand in those of other names."""
MOST_OPEN = 50
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
STRUCK = re.compile(r"(?<!~)~~(?=`{3}|`?(?:SELECT|WITH)\b).*?(?<!~)~~(?!~)", re.DOTALL | re.IGNORECASE)
CHANNEL = re.compile(
    r"<\|channel\|>\s*(?P<name>\w+)(?P<to>\s+to=[\w.]+)?(?:\s*<\|constrain\|>\s*\w+|\s+(?:code|json))?\s*(?:<\|message\|>)?"
)
CHANNEL_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
BARE_CHANNELS = re.compile(r"\s*(?:assistant)?analysis(?=[A-Z])")
"""gpt-oss whose tokens were dropped: `analysisWe need ...assistantfinal{...}`."""
BARE_FINAL = "assistantfinal"
TOKENS = re.compile(r"<\|\w{1,40}\|>|</?s>|<(?:end|start)_of_turn>|<eos>|\[/?INST\]")


def remove_thoughts(text: str) -> str:
    """Return `text` without thoughts and marks of a chat template; "" if nothing else is there.

    An open thought reaches to the end of the text. A closing mark without an opening one ends a thought that began
    with the text.
    """
    text = _read_final_channel(text)
    text = STRUCK.sub("\n", COMMENT.sub("\n", FENCED.sub("\n", text)))
    answers: list[str] = []
    start, is_thought = 0, False
    for mark in MARK.finditer(text):
        if _closes(mark):
            if not is_thought:
                answers.clear()
            start, is_thought = mark.end(), False
        elif not is_thought:
            answers.append(text[start : mark.start()])
            is_thought = True
    if not is_thought:
        answers.append(text[start:])
    return TOKENS.sub("\n", _remove_asides("\n".join(answers))).strip()


def _remove_asides(text: str) -> str:
    """Remove elements of unknown names that hold SQL, if more SQL follows: that is the answer."""
    starts_of_sql = [keyword.start() for keyword in SQL.finditer(text)]
    opened: dict[tuple[str, str], int] = {}
    asides: list[tuple[int, int]] = []
    for tag in TAG.finditer(text):
        key = tag["open"], tag["name"].lower()
        if not tag["slash"]:
            if len(opened) < MOST_OPEN and not ANSWERING.match(tag["name"]):
                opened.setdefault(key, tag.start())
        elif (start := opened.pop(key, None)) is not None and (
            bisect(starts_of_sql, start) < bisect(starts_of_sql, tag.end()) < len(starts_of_sql)
        ):
            asides = [(begin, end) for begin, end in asides if begin < start]
            asides.append((start, tag.end()))
    for start, end in reversed(asides):
        text = f"{text[:start]}\n{text[end:]}"
    return text


def _closes(mark: re.Match[str]) -> bool:
    return (mark["kind"] or "").lower() in ("/", "\\/", "end_of_", "end_") or bool(mark["slash"] or mark["close"])


def _read_final_channel(text: str) -> str:
    """Return the final channels of gpt-oss, or else the arguments of its tool call; other texts unchanged."""
    if BARE_CHANNELS.match(text):
        return text.rpartition(BARE_FINAL)[2] if BARE_FINAL in text else ""
    finals: list[str] = []
    calls: list[str] = []
    channels = list(CHANNEL.finditer(text))
    for channel in channels:
        end = CHANNEL_END.search(text, channel.end())
        content = text[channel.end() : end.start() if end else len(text)]
        if channel["name"] == "final":
            finals.append(content)
        elif channel["to"]:
            calls.append(content)
    return "\n".join(finals or calls) if channels else text
