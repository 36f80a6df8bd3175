"""Finds the names that a policy hides in SQL and in texts that people wrote."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from sqlchat.sql.catalog import WORD, Catalog, Table
from sqlchat.sql.policies.enforcement import fold_name


@dataclass(frozen=True, slots=True)
class HiddenNames:
    """For example, a policy denies the table `wages` and the column `orders.unit_cost`.

    Then `SUM(total - unit_cost)` names what is hidden, and so do the texts "as in wages" and "see orders.unit_cost".
    """

    tables: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    """Without names that a visible table or column has too."""
    paths: frozenset[tuple[str, str]] = frozenset()
    """Table and column, where the table is visible."""

    def are_in_sql(self, sql: str) -> bool:
        return self._are_in(sql, self.tables | self.columns)

    def are_in_text(self, text: str) -> bool:
        """As in SQL, but a column that is called by a plain word, such as `date`, must have its table before it."""
        return self._are_in(text, self.tables | {name for name in self.columns if not name.isalpha()})

    def _are_in(self, text: str, names: frozenset[str]) -> bool:
        if not (self.tables or self.columns or self.paths):
            return False
        text = fold_name(text)
        places = [(match.group(), match.start(), match.end()) for match in WORD.finditer(text)]
        words = {word for word, *_ in places}
        if any(name in words if WORD.fullmatch(name) else name in text for name in names):
            return True
        pairs = {
            (one, other)
            for (one, _, end), (other, start, _) in pairwise(places)
            if text[end:start].strip(' "`[]') == "."
        }
        return not pairs.isdisjoint(self.paths)


def find_hidden_names(full: Catalog, visible: Catalog) -> HiddenNames:
    """Find the names in `full` that `visible` has not; names are compared without case and accents."""
    shown = {fold_name(table.name): _name_columns(table) for table in visible.tables}
    shown_names = frozenset(shown).union(*shown.values())
    tables, columns, paths = set[str](), set[str](), set[tuple[str, str]]()
    for table in full.tables:
        name = fold_name(table.name)
        hidden = _name_columns(table) - shown.get(name, frozenset())
        columns |= hidden
        if name in shown:
            paths |= {(name, column) for column in hidden}
        else:
            tables.add(name)
    return HiddenNames(frozenset(tables - shown_names), frozenset(columns - shown_names), frozenset(paths))


def _name_columns(table: Table) -> frozenset[str]:
    return frozenset(fold_name(column.name) for column in table.columns)
