"""Notes for models on how to write each dialect, and how names are quoted in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

LOWER, ANY_CASE = re.compile(r"[a-z_][a-z0-9_]*\Z"), re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
    all alter and any as asc between by case check column constraint create cross current_date current_user default
    delete desc distinct drop else end except exists false for foreign from full grant group having in index inner
    insert intersect into is join key left like limit natural not null offset on or order outer primary references
    right select set table then to true union unique update user using values view when where window with
        """,
    )
)


@dataclass(frozen=True, slots=True)
class DialectNotes:
    title: str
    """As its makers call it."""
    notes: tuple[str, ...]
    quote: str = '"'
    plain: re.Pattern[str] = ANY_CASE
    """Names that need no quoting."""

    def quote_name(self, name: str) -> str:
        """`name` as it must be written in a statement."""
        if self.plain.match(name) and name.lower() not in RESERVED:
            return name
        return f"{self.quote}{name.replace(self.quote, self.quote * 2)}{self.quote}"


NOTES = {
    "postgres": DialectNotes(
        "PostgreSQL",
        (
            "Dates: date_trunc('month', d), extract(year from d), d >= DATE '2024-01-01', interval '7 days', "
            "current_date; to_char(d, 'YYYY-MM').",
            "integer / integer drops the fraction: cast one side to numeric. round(x, n) takes a numeric.",
            "A cast of 'n/a' fails: NULLIF(x, 'n/a')::numeric.",
            "ILIKE ignores case, LIKE does not; || concatenates; string_agg(x, ', ').",
            "Beside an aggregate every selected column is grouped; count(*) FILTER (WHERE ...) counts conditionally.",
            "LIMIT n; ORDER BY x DESC puts NULLs first: add NULLS LAST where x can be null.",
        ),
        plain=LOWER,
    ),
    "sqlite": DialectNotes(
        "SQLite",
        (
            "Text literals take single quotes, names alone double ones.",
            "Dates are text or numbers: date(d), strftime('%Y-%m', d), date('now', '-7 days'), julianday(a) - "
            "julianday(b); no date_trunc, extract or interval.",
            "integer / integer drops the fraction: multiply by 1.0 or CAST(x AS REAL).",
            "A cast of 'n/a' gives 0: CAST(NULLIF(x, 'n/a') AS REAL).",
            "LIKE ignores the case of ASCII letters, = does not; no ILIKE; || concatenates; "
            "group_concat(x, ', '); substr(x, 1, 3), instr(x, y).",
            "LIMIT n; NULLs sort first in ascending order: add NULLS LAST where x can be null; "
            "LEFT JOIN, no RIGHT JOIN.",
        ),
    ),
    "duckdb": DialectNotes(
        "DuckDB",
        (
            "Dates: date_trunc('month', d), extract(year from d), DATE '2024-01-01', INTERVAL 7 DAY, current_date, "
            "strftime(d, '%Y-%m').",
            "integer / integer keeps the fraction; // drops it.",
            "A cast of 'n/a' fails: TRY_CAST(x AS DOUBLE).",
            "ILIKE ignores case; || concatenates; string_agg(x, ', ').",
            "LIMIT n; GROUP BY ALL and QUALIFY are known; NULLs sort last.",
        ),
    ),
    "mysql": DialectNotes(
        "MySQL / MariaDB",
        (
            "Names take backticks, text literals single quotes.",
            "Dates: DATE_FORMAT(d, '%Y-%m'), YEAR(d), MONTH(d), d >= '2024-01-01', d - INTERVAL 7 DAY, CURDATE(); "
            "no date_trunc.",
            "/ keeps the fraction; DIV drops it.",
            "A cast of 'n/a' gives 0: CAST(NULLIF(x, 'n/a') AS DECIMAL(20, 6)).",
            "LIKE and = ignore case by the usual collations; no ILIKE; CONCAT(a, b), for || is a logical or; "
            "GROUP_CONCAT(x SEPARATOR ', ').",
            "LIMIT n; no FULL JOIN; NULLs sort first in ascending order; no NULLS LAST: ORDER BY x IS NULL, x.",
            "Beside an aggregate every selected column is grouped.",
        ),
        quote="`",
    ),
    "spark": DialectNotes(
        "Spark SQL",
        (
            "Names take backticks; texts take single quotes, and a quote in one is written \\'.",
            "Dates: date_trunc('month', d), year(d), month(d), d >= DATE '2024-01-01', d - INTERVAL 7 DAYS, "
            "current_date(), date_format(d, 'yyyy-MM').",
            "/ keeps the fraction; DIV drops it.",
            "A cast of 'n/a' fails: try_cast(x AS DOUBLE).",
            "LIKE and = heed case; ILIKE ignores it; || concatenates; array_join(collect_list(x), ', ').",
            "Beside an aggregate every selected column is grouped; count_if(x), count(*) FILTER (WHERE ...).",
            "LIMIT n; NULLs sort first in ascending order: add NULLS LAST where x can be null. "
            "No hints, no pipes (|>), no files by their path.",
        ),
        quote="`",
    ),
}


def find_notes(dialect: str) -> DialectNotes:
    """Find the notes on sqlglot's `dialect`; those of a dialect without an entry are empty."""
    return NOTES.get(dialect) or DialectNotes(dialect, ())
