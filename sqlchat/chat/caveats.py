"""Finds reasons to doubt an answer, as sentences for the asker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rapidfuzz import fuzz, process

from sqlchat.chat.answer import Agreement, Basis
from sqlchat.connections.results import Results
from sqlchat.language.words import folded
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.conditions import TextCondition
from sqlchat.sql.lineage import Lineage
from sqlchat.sql.profiles import Profiles

SIMILAR = 60.0
"""The least similarity (rapidfuzz's normalized indel similarity, 0 to 100) of a value that the sentence suggests."""
MOST_NEAR = 3
LONGEST = 80  # characters shown of a text
SOURCES = {"inferred": "inferred from names and values", "owner": "said by the owner"}


def find_caveats(
    basis: Basis,
    results: Results | None,
    agreement: Agreement | None,
    demanded: Iterable[TextCondition],
    profiles: Profiles,
) -> Iterator[str]:
    """Yield the sentences. `demanded` are conditions that every row must meet, `profiles` those of their columns."""
    if basis.tables_omitted and basis.sent:
        shown, all_tables = basis.tables_shown, basis.tables_shown + len(basis.tables_omitted)
        yield (
            f"The model saw the {shown} tables nearest to the question of {all_tables}: "
            "the others did not fit the prompt."
        )
    if agreement and agreement.agreeing < agreement.candidates:
        if agreement.agreeing == 1:
            yield f"{agreement.candidates} candidates gave as many different results: read the SQL before you use it."
        else:
            yield f"{agreement.agreeing} of {agreement.candidates} candidates agree on this result."
    if results is not None and results.truncated:
        yield f"These are the first {results.row_count} rows of more; `max_rows` asks for another number."
    if results is not None and results.row_count == 0:
        unmatched = (_explain_unmatched(condition, profiles) for condition in demanded)
        yield " ".join(["The query ran and found no rows.", *filter(None, unmatched)])


def list_unsure_references(catalog: Catalog, lineage: Lineage) -> Iterator[str]:
    """Yield a sentence for each foreign key that the database does not declare, if the SQL uses both its ends."""
    used = {column.lower() for column in lineage.columns_used}
    for table in catalog.tables:
        for key in table.foreign_keys:
            if key.source == "database":
                continue
            columns = [(table.schema, table.name, column) for column in key.columns]
            targets = [(key.ref_schema, key.ref_table, column) for column in key.ref_columns]
            if all(_list_spellings(path) & used for path in (*columns, *targets)):
                pairs = zip(columns, targets, strict=False)
                shown = " and ".join(f"{'.'.join(path[1:])} refers to {'.'.join(ref[1:])}" for path, ref in pairs)
                yield f"{shown}: {SOURCES[key.source]}."


def _list_spellings(path: tuple[str, str, str]) -> set[str]:
    """Return the spellings of a column in a lineage: with its table, and with its schema and table."""
    return {".".join(filter(None, path)).lower(), ".".join(path[1:]).lower()}


def _explain_unmatched(condition: TextCondition, profiles: Profiles) -> str:
    """Return a sentence that no row has the text; "" if one has it or not all texts of the column are known."""
    profile = profiles.get(condition.path) if condition.path else None
    if condition.path is None or profile is None or not profile.complete or profile.kind != "text":
        return ""
    text, values = condition.text, profile.values
    if text in values or (condition.any_case and folded(text) in map(folded, values)):
        return ""
    _, table, column = condition.path
    near = process.extract(text, values, scorer=fuzz.ratio, processor=folded, limit=MOST_NEAR, score_cutoff=SIMILAR)
    sentence = f"No row has {table}.{column} = {_quote(text)}"
    return f"{sentence}; near it are {', '.join(_quote(value) for value, *_ in near)}." if near else f"{sentence}."


def _quote(text: str) -> str:
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return "'" + shown.replace("'", "''") + "'"
