"""Paths between tables along foreign keys. Called by the grammar (what is near) and the builder (what to join)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from sqlchat.errors import QuestionError
from sqlchat.language.abbreviations import is_subsequence
from sqlchat.language.tokens import name_words, singular
from sqlchat.providers.offline.links import Key
from sqlchat.providers.offline.naming import count_shared_words
from sqlchat.providers.offline.roles import get_real_key, list_roles
from sqlchat.sql.catalog import Table

KEY_ENDINGS = ("id", "no", "nr", "num", "number", "code", "key")


@dataclass(frozen=True, slots=True)
class Edge:
    """A step from a row of `source` to rows of `target` that share the columns' values."""

    source: Key
    target: Key
    columns: tuple[tuple[str, str], ...]
    single: bool
    """True where a row of `source` has at most one such row."""
    declared: bool = True

    def back(self, single: bool) -> Edge:
        pairs = tuple((there, here) for here, there in self.columns)
        return Edge(self.target, self.source, pairs, single, self.declared)


class Joins:
    """The graph of foreign keys; if a database declares none at all, `<table>_id` columns stand in for them.

    What the owner says joins comes beside either.
    """

    def __init__(self, tables: Mapping[Key, Table]):
        self.tables = tables
        self._prefix = count_shared_words([table.name for table in tables.values()])
        self.edges: dict[Key, list[Edge]] = {key: [] for key in tables}
        self._named: dict[str, list[Key]] = {}
        for key in tables:
            self._named.setdefault(key[1].lower(), []).append(key)
        self._reach: dict[tuple[Key, bool], dict[Key, int]] = {}
        is_declared = any(not key.by_owner for table in tables.values() for key in table.foreign_keys)
        edges = self._read_keys()
        for edge in edges if is_declared else edges + self._infer_keys(edges):
            self.edges[edge.source].append(edge)
            own = {here for here, _ in edge.columns}
            self.edges[edge.target].append(edge.back(single=own == set(tables[edge.source].primary_key)))
        for role in list_roles(tables):
            self.edges[role.key] = []
            pairs = ((role.col.name, tables[role.table].primary_key[0]),) if tables[role.table].primary_key else ()
            if len(tables[role.table].primary_key) == 1:
                self.edges[role.table].append(Edge(role.table, role.key, pairs, single=True))

    def forget(self) -> None:
        """Forget what was reckoned from the edges, which have changed."""
        self._reach = {}

    def _read_keys(self) -> list[Edge]:
        found: list[Edge] = []
        for key, table in self.tables.items():
            for fk in table.foreign_keys:
                target = self._find(fk.ref_schema or key[0], fk.ref_table)
                if target is None:
                    continue
                there = fk.ref_columns or self.tables[target].primary_key
                if len(there) == len(fk.columns):
                    edge = Edge(key, target, tuple(zip(fk.columns, there, strict=True)), single=not fk.repeats)
                    if edge not in found:
                        found.append(edge)
        return found

    def _infer_keys(self, known: list[Edge]) -> list[Edge]:
        """Columns that bear the name of another table's key: `customer_id` of `customers`, `aid` of `author`.

        Beside those that are `known`.
        """
        owners: dict[str, list[tuple[Key, str]]] = {}
        prefix = self._prefix
        for key, table in self.tables.items():
            for name, own in _key_names(table, prefix):
                owners.setdefault(name, []).append((key, own))
        found = []
        taken = {(edge.source, here) for edge in known for here, _ in edge.columns}
        for key, table in self.tables.items():
            for column in table.columns:
                if (key, column.name) in taken:
                    continue
                name = column.name.lower().replace("_", "").replace(" ", "")
                homes = owners.get(name, ()) if (column.name,) != table.primary_key else ()
                others = [home for home in homes if home[0][0] == key[0] or len(homes) == 1]
                if len(others) == 1 and others[0][0] != key:
                    target, own = others[0]
                    found.append(Edge(key, target, ((column.name, own),), True, declared=False))
        return found

    def row_key(self, key: Key) -> tuple[str, ...]:
        """The columns that tell the rows of a table apart; none if it has neither a key nor a column named so."""
        return find_row_key(self.tables[key], self._prefix)

    def _find(self, schema: str, name: str) -> Key | None:
        wanted = self._named.get(name.lower(), [])
        exact = [key for key in wanted if key[0] == schema]
        return next(iter(exact or wanted), None)

    def up(self, start: Key, target: Key) -> list[Edge] | None:
        """The shortest way on which each row of `start` meets one row of `target` at most; None where none is."""
        return self._search(start, target, single=True)

    def path(self, start: Key, target: Key) -> list[Edge] | None:
        """The shortest way between two tables whatever its direction; None where there is none."""
        return self._search(start, target, single=False)

    def distance(self, start: Key, target: Key) -> tuple[int, int]:
        """(0 same table, 1 up the keys, 2 any way, 3 none; steps), for preferring what is near."""
        if start == target:
            return (0, 0)
        for rank, single in ((1, True), (2, False)):
            steps = self._depths(start, single=single).get(target)
            if steps is not None:
                return (rank, steps)
        return (3, 0)

    def below(self, target: Key) -> set[Key]:
        """The tables of which each row leads to one row of `target` at most, itself among them."""
        if target not in self.tables:  # a role
            return self.below(get_real_key(target))
        found, queue = {target}, deque([target])
        while queue:
            here = queue.popleft()
            for edge in self.edges[here]:
                if edge.target not in found and any(e.single for e in self.edges[edge.target] if e.target == here):
                    found.add(edge.target)
                    queue.append(edge.target)
        return found

    def _depths(self, start: Key, *, single: bool) -> dict[Key, int]:
        """Steps to every table that can be reached."""
        known = self._reach.get((start, single))
        if known is not None:
            return known
        depths, queue = {start: 0}, deque([start])
        while queue:
            here = queue.popleft()
            for edge in self.edges[here]:
                if (edge.single or not single) and edge.target not in depths:
                    depths[edge.target] = depths[here] + 1
                    queue.append(edge.target)
        self._reach[start, single] = depths
        return depths

    def _search(self, start: Key, target: Key, *, single: bool) -> list[Edge] | None:
        found = self._steps(start, target, single=single)
        if len(found) > 1:
            ways = " or ".join(sorted({_shown(way) for way in found}))
            raise QuestionError(
                f"{start[1]} and {target[1]} can be joined in more than one way: {ways}.",
                words=[],
                reason="ambiguous",
            )
        return found[0] if found else None

    def _steps(self, start: Key, target: Key, *, single: bool) -> list[list[Edge]]:
        """All shortest ways (two at most are kept)."""
        if start == target:
            return [[]]
        reached: dict[Key, list[list[Edge]]] = {start: [[]]}
        depth = {start: 0}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            if target in depth and depth[here] >= depth[target]:
                break
            for edge in self.edges[here]:
                if single and not edge.single:
                    continue
                if edge.target not in depth:
                    depth[edge.target] = depth[here] + 1
                    reached[edge.target] = []
                    queue.append(edge.target)
                if depth[edge.target] == depth[here] + 1:
                    ways = reached[edge.target]
                    ways.extend([*way, edge] for way in reached[here][: 3 - len(ways)])
        return reached.get(target, [])

    def link_of(self, link: Key) -> set[Key] | None:
        """The tables that `link` ties together, if it is a pure link: a key made of its foreign keys, or nothing but
        them. None otherwise."""
        out = [edge for edge in self.edges[link] if edge.single]
        own = {here for edge in out for here, _ in edge.columns}
        table = self.tables[link]
        if len(out) < 2 or not ({c.name for c in table.columns} <= own or set(table.primary_key) == own):
            return None
        return {edge.target for edge in out}


def _key_names(table: Table, prefix: int) -> list[tuple[str, str]]:
    """The names under which other tables hold the table's key, without underscores, each with the key's column.

    All tables' names begin with the same `prefix` words.
    """
    plural = name_words(table.name)[prefix:]
    words = [*plural[:-1], singular(table.name).split()[-1]]
    initials = "".join(word[0] for word in words)
    spelled = ("".join(words) + "id", "".join(plural) + "id", initials + "id")
    plain = {column.name.lower().replace("_", "").replace(" ", ""): column.name for column in table.columns}
    first = next(iter(plain), "")
    own = table.primary_key[0] if len(table.primary_key) == 1 else ""
    if not own and not table.primary_key:
        own = plain[first] if first == "id" else next((plain[name] for name in spelled if name in plain), "")
        own = own or (plain[first] if _is_key_of(plain[first], words) else "")
    if not own:
        return []
    its = own.lower().replace("_", "").replace(" ", "")
    names = [name for name in spelled if table.primary_key or its == "id" or name in plain]
    return [(name, own) for name in dict.fromkeys((*names, *((its,) if _is_key_of(own, words) else ())))]


def _is_key_of(column: str, words: list[str]) -> bool:
    """Whether a column's name is the table's and a word for a key: `roomno` of `rooms`, `adj_id` of `adjusters`."""
    heads = ("".join(words), words[-1])
    name = column.lower().replace("_", "").replace(" ", "")
    *short, ending = name_words(column) or ("",)
    is_short = ending in KEY_ENDINGS and len("".join(short)) > 1
    return any(name == head + ending for head in heads for ending in KEY_ENDINGS) or (
        is_short and any(is_subsequence("".join(short), head) for head in heads)
    )


def find_row_key(table: Table, prefix: int) -> tuple[str, ...]:
    """The columns that tell the table's rows apart: its declared key, else the column that is named like one."""
    return table.primary_key or tuple(own for _, own in _key_names(table, prefix)[:1])


def _shown(way: list[Edge]) -> str:
    return " -> ".join(
        f"{edge.source[1]}.{edge.columns[0][0]} = {edge.target[1]}.{edge.columns[0][1]}" for edge in way
    )
