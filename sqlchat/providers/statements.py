"""Finds the SQL statements in a model's text: in fences of any language, in backticks, behind a label, on lines."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

COMMENTS = r"(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*"
PROSE = r"(?:is|was|means|returns|statement|clause|keyword|part)\s+(?!from\b|as\b)\w"
"""Words behind `SELECT` in a sentence about a statement."""
READS = rf"(?:SELECT\b(?!\s+{PROSE})|WITH\s+(?:RECURSIVE\s+)?[\w\"`\[\]]+\s*(?:\(|AS\b)|VALUES\s*\()"
READING = re.compile(rf"\s*{COMMENTS}[\s(]*{READS}", re.IGNORECASE | re.DOTALL)
ANY = re.compile(
    rf"\s*{COMMENTS}[\s(]*(?:{READS}|(?:FROM|TABLE|EXPLAIN|SHOW|DESCRIBE|PRAGMA|SUMMARIZE|PIVOT|INSERT|UPDATE|DELETE"
    r"|MERGE|REPLACE|CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|COPY|ATTACH|SET|CALL|BEGIN)\b)",
    re.IGNORECASE | re.DOTALL,
)
NO_STATEMENT = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*\Z", re.DOTALL)
PLACEHOLDER = re.compile(
    r"\s*(?:SELECT|WITH)?\s*(?:\.\.\.|…|<[\w ]+>)\s*;?\s*\Z|\s*(?:SELECT|WITH)\s*(?:\.\.\.|…)", re.I
)
FENCE = re.compile(r"((?<!`)`{3,}+|(?<!~)~{3,}+)(.*?)\1", re.DOTALL)
OPEN_FENCE = re.compile(r"(?:```|~~~)")
INFO = re.compile(r"[ \t]*\{\.?\w+[^}\n\"]*\}[ \t]*\n|[ \t]*[\w+#.-]*(?:[ \t{][^\n]*)?\n|[ \t]*[\w+#.-]+[ \t]+(?=\S)")
LABEL = re.compile(
    r"\s*(?:[#>*\-]+\s*)?(?:[\w-]+[ \t]+){0,4}[\w-]+\s*(?:\*\*)?(?:[:：]|=#|=>|>)\s*(?:\*\*)?\s*(?=[(\s]*\w)"
)
BEGIN = re.compile(
    rf"(?:^[ \t]*(?:\d+[.)]|[-*]|D|/\*[^*]*\*/)?[ \t]*|[:：>`\]*#\[→➜➔⇒•·–—▶✅][ \t]*|[\"'“‘]\s*)"
    rf"(?P<sql>\(?[ \t]*{READS})",
    re.IGNORECASE | re.MULTILINE,
)
QUOTES = {"`": "`", '"': '"', "'": "'", "“": "”", "‘": "’"}
CLOSING = {opened: re.compile(rf"{closed}+(?=\W*(?:\n|\Z)|\s*[.,;:)|])") for opened, closed in QUOTES.items()} | {
    "`": re.compile("`")
}
LITERAL = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/|(?P<tag>\$\w*\$).*?(?P=tag)""", re.DOTALL
)
ENTITY = re.compile(r"&(?:lt|gt|quot|apos|amp|nbsp|#\d{1,5}|#x[0-9a-f]{1,4});")
END = re.compile(
    rf"```|(?P<literal>{LITERAL.pattern}|{ENTITY.pattern}|[,(]\s*\n)|;|`|</\w|<\||\[/|\]\]>|\n\s*(?=\||[#*]|[-=]{{4}}|-{{3}}\s*(?:\n|\Z)|~~~)"
    r"|\n\s*(?=\d+[.)]\s+[A-Z]|which\b)|\n[ \t]*\n\s*(?=\([A-Z][a-z]+\s)"
    r"|\n\s*(?=(?:explanation|interpretation|assumptions)\b|[A-Z][\w ]{0,30}:\s"
    r"|(?:This|It|The|Here|Note|That|Let|I|You|We|Which|Hope|In)\b\s+[a-z'])"
    rf"|\n[ \t]*\n(?!\s*(?:[(),]|--|/\*|(?:FROM|WHERE|GROUP|ORDER|HAVING|LIMIT|UNION|EXCEPT|INTERSECT|JOIN|LEFT|RIGHT"
    rf"|FULL|INNER|CROSS|AND|OR|ON|SELECT(?!\s+{PROSE})|WINDOW|OFFSET|FETCH|QUALIFY|AS)\b))",
    re.DOTALL,
)
TYPED = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "\u00a0": " ", "\u200b": "", "\ufeff": ""})


@dataclass(frozen=True, slots=True)
class Fence:
    start: int
    end: int
    body: str
    language: str


def find_fences(text: str) -> Iterator[Fence]:
    """Yield the closed fences of `text`, on several lines or on one."""
    for fence in FENCE.finditer(text):
        body, language = fence[2], ""
        info = INFO.match(body)
        if info and not ANY.match(body) and (info[0].strip().endswith("}") or body.lstrip()[:1] not in "{[("):
            language, body = info[0].strip(" {}.\n").lower().split(" ")[0], body[info.end() :]
        yield Fence(fence.start(), fence.end(), body.strip(), language)


def find_open_fence(text: str) -> int | None:
    """Return the start of a fence that has no end; None if there is none."""
    opened = OPEN_FENCE.search(FENCE.sub(lambda closed: " " * len(closed[0]), text))
    return opened.start() if opened else None


def find_statements(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and text of statements that begin a line, follow a label, or stand in backticks or quotes."""
    position = 0
    while begin := BEGIN.search(text, position):
        start = begin.start("sql")
        quote = text[max(start - 3, 0) : start].rstrip()[-1:]
        closing = CLOSING[quote].search(text, start) if quote in CLOSING else None
        end = closing or next((m for m in END.finditer(text, start) if m["literal"] is None), None)
        stop = end.start() if end else len(text)
        position = max(stop, start + 1)
        yield start, stop, text[start:stop].strip()


def strip_fence(sql: str) -> str:
    """Return `sql` without the fence around it and the semicolons behind it."""
    sql = sql.strip()
    if FENCE.fullmatch(sql) and (fence := next(find_fences(sql), None)):
        sql = fence.body
    while sql.endswith(";"):
        sql = sql[:-1].rstrip()
    return sql


def unquote(text: str) -> str:
    """Return a statement without the quotes around it; other texts unchanged."""
    within = text[1:-1].strip()
    return within if text[1:].endswith(QUOTES.get(text[:1], "\0")) and READING.match(within) else text


def clean(sql: str) -> str:
    """Return `sql` without fence, quotes, label, semicolons, and comments before it.

    Outside literals and quoted names, typographic quotes become plain ones. HTML entities become characters.
    """
    sql = re.sub(r"\A\w*sql\w*\s*\n|(?:\\[nrt])+\Z", "", unquote(strip_fence(sql)), flags=re.IGNORECASE)
    if not ANY.match(sql) and (label := LABEL.match(sql)) and ANY.match(sql, label.end()):
        sql = sql[label.end() :]
    sql = re.sub(rf"\A{COMMENTS}(?=[\s(]*\w)", "", sql, flags=re.DOTALL)
    outside = LITERAL.sub("", sql)
    if ENTITY.search(outside):
        sql = html.unescape(sql)
        outside = LITERAL.sub("", sql)
    if outside != _write_plainly(outside):
        parts, position = [], 0
        for literal in LITERAL.finditer(sql):
            parts += [_write_plainly(sql[position : literal.start()]), literal[0]]
            position = literal.end()
        sql = "".join([*parts, _write_plainly(sql[position:])])
    return strip_fence(sql)


def _write_plainly(text: str) -> str:
    """Replace typographic quotes, and line breaks and tabs that are escaped once too often."""
    return text.translate(TYPED).replace("\\n", "\n").replace("\\t", " ")
