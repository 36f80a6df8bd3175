"""Groups that have no rows: which a query leaves out, and which it keeps with a count of 0. Called by the builder and
the grammar.
"""

from __future__ import annotations

from sqlchat.language.tokens import Token
from sqlchat.providers.offline.joins import Edge, Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.query import Agg, AnyOf, Condition, DatePart, Query, Related, Term

ALL = frozenset({"all", "every"})
BETWEEN = frozenset({"of", "the", "our", "my", "your", "these", "those", "different"})
GROWING = frozenset({">", ">="})


def wants_all(tokens: list[Token], table: Key, linker: Linker) -> bool:
    """Whether the question wants them all: `all customers`, `every German customer`."""
    for before in [at for at, token in enumerate(tokens) if token.low in ALL]:
        at = before + 1
        while at < len(tokens) and tokens[at].low in BETWEEN:
            at += 1
        links = linker.links(tokens, at)
        if links and links[0].values and not links[0].tables:
            links = linker.links(tokens, at + links[0].size)
        if links and any(hit.target == table for hit in links[0].tables):
            return True
    return False


def find_kept(query: Query, root: Key, joins: Joins) -> list[Edge] | None:
    """The way from the rows counted to the rows listed, where each of these can be shown, counted or not."""
    if not query.complete or len(query.groups) != 1 or query.having:
        return None
    group = query.groups[0]
    terms = (*query.outputs, *(term for term, _ in query.order))
    path = joins.up(root, group) if isinstance(group, tuple) and group != root else None
    if not isinstance(group, tuple) or not path or any(joins.up(group, edge.source) for edge in path):
        return None
    own = all(_is_own(term, group) or term == Agg("count", root) for term in terms)
    clear = all(is_on(condition, root) or _above(condition, group, joins) for condition in query.conditions)
    return path if own and clear else None


def _is_own(term: Term, table: Key) -> bool:
    return isinstance(term, Col) and term.table == table


def is_on(condition: Condition, table: Key) -> bool:
    """Whether the condition is on columns of that table alone."""
    if isinstance(condition, AnyOf):
        return all(is_on(part, table) for part in condition.conditions)
    return not isinstance(condition, Related) and condition.col.table == table


def _above(condition: Condition, table: Key, joins: Joins) -> bool:
    if isinstance(condition, AnyOf):
        return all(_above(part, table, joins) for part in condition.conditions)
    return not isinstance(condition, Related) and joins.distance(table, condition.col.table)[0] <= 1


def tell_shown(query: Query, table: Key, counted: Key) -> str:
    """A sentence that says how those without rows are shown."""
    such = "such " if any(is_on(condition, counted) for condition in query.conditions) else ""
    return f"{table[1][:1].upper()}{table[1][1:]} without {such}{counted[1]} are shown with 0."


def tell_left_out(query: Query, root: Key) -> list[str]:
    """A sentence for each kind of group that has no rows and is therefore not in the results."""
    ranked = query.limit is not None and bool(query.order) and query.order[0][1]
    if ranked or any(op in GROWING for _, op, _ in query.having):
        return []
    counted = next(
        (_table(term) for term in (*query.outputs, *(t for t, _ in query.order)) if isinstance(term, Agg)), root
    )
    such = "such " if any(not isinstance(c, Related) or _counts(c) for c in query.conditions) else ""
    found = []
    for group in query.groups:
        table = group if isinstance(group, tuple) else group.col.table if isinstance(group, DatePart) else group.table
        things = root[1] if counted == table else counted[1]
        if isinstance(group, DatePart):
            found.append(f"Each {group.unit} without {such}{counted[1]} is left out.")
        elif table != root:
            name = table[1] if isinstance(group, tuple) else f"Values of {table[1]}.{group.name}"
            found.append(f"{name[:1].upper()}{name[1:]} without {such}{things} are left out.")
    return found


def _counts(related: Related) -> bool:
    """Whether it sets rows apart, and does not only name what the groups belong to."""
    return bool(related.conditions or related.negated or related.op)


def _table(agg: Agg) -> Key:
    return agg.of if isinstance(agg.of, tuple) else agg.of.table
