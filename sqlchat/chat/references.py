"""Lists the references that an answer joins by and that the database does not declare."""

from __future__ import annotations

from collections.abc import Iterator

from sqlchat.sql.catalog import Catalog
from sqlchat.sql.lineage import Lineage

SAID = {"inferred": "inferred from names and values", "owner": "said by the owner"}


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
