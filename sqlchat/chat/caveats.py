"""Finds reasons to doubt an answer, as sentences for the asker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rapidfuzz import fuzz, process

from sqlchat.chat.answer import Agreement, Basis
from sqlchat.connections.base import Results
from sqlchat.language.words import folded
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.conditions import TextCondition
from sqlchat.sql.lineage import Lineage
from sqlchat.sql.profiles import Profiles

SIMILAR = 60.0
"""rapidfuzz's normalized indel similarity, 0 to 100, from which a value may be the one that was meant."""
MOST_NEAR = 3
LONGEST = 80  # characters shown of a text
SAID = {"inferred": "inferred from names and values", "owner": "said by the owner"}


def find_caveats(
    basis: Basis,
    results: Results | None,
    agreement: Agreement | None,
    demanded: Iterable[TextCondition],
    profiles: Profiles,
) -> Iterator[str]:
    """The sentences. `demanded` are the texts that every row must have, `profiles` those of their columns."""
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
        unmatched = [sentence for each in demanded if (sentence := _explain_unmatched(each, profiles))]
        yield " ".join(["The query ran and found no rows.", *unmatched])


def list_unsure_references(catalog: Catalog, origin: Lineage) -> Iterator[str]:
    """A sentence for each foreign key that the database does not hold and of which the SQL uses both ends."""
    used = {column.lower() for column in origin.columns_used}
    for table in catalog.tables:
        for key in table.foreign_keys:
            if key.source == "database":
                continue
            here = [(table.schema, table.name, column) for column in key.columns]
            there = [(key.ref_schema, key.ref_table, column) for column in key.ref_columns]
            if all(_list_spellings(end) & used for end in (*here, *there)):
                pairs = zip(here, there, strict=False)
                shown = " and ".join(f"{one[1]}.{one[2]} refers to {other[1]}.{other[2]}" for one, other in pairs)
                yield f"{shown}: {SAID[key.source]}."


def _list_spellings(column: tuple[str, str, str]) -> set[str]:
    """As lineage may tell a column: with its table, with the schema too."""
    path = ".".join(part for part in column if part).lower()
    return {path, ".".join(column[1:]).lower()}


def _explain_unmatched(condition: TextCondition, profiles: Profiles) -> str:
    """A sentence that no row has the text, if all texts of the column are known; else ""."""
    profile = profiles.get(condition.path) if condition.path else None
    if condition.path is None or profile is None or not profile.complete or profile.kind != "text":
        return ""
    known = profile.values
    wanted = folded(condition.text)
    if any(value == condition.text or (condition.any_case and folded(value) == wanted) for value in known):
        return ""
    _, table, column = condition.path
    near = process.extract(
        condition.text, known, scorer=fuzz.ratio, processor=folded, limit=MOST_NEAR, score_cutoff=SIMILAR
    )
    sentence = f"No row has {table}.{column} = {_quote(condition.text)}"
    return f"{sentence}; near it are {', '.join(_quote(value) for value, *_ in near)}." if near else f"{sentence}."


def _quote(text: str) -> str:
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return "'" + shown.replace("'", "''") + "'"
