"""Statements for Postgres that name a function in every place and notation: see `sql/corpus/calls.setup.sql`."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

WORDS = [
    "by",
    "binary",
    "bpchar",
    "collation",
    "columns",
    "cube",
    "escape",
    "filter",
    "first",
    "geography",
    "geometry",
    "halfvec",
    "ilike",
    "is",
    "join",
    "like",
    "materialized",
    "next",
    "operator",
    "over",
    "overlay",
    "repeatable",
    "reservoir",
    "rollup",
    "sets",
    "similar",
    "system",
    "timestamptz",
    "timetz",
    "varbit",
    "varying",
    "vector",
    "zone",
    "bernoulli",
    "path",
    "rows",
    "range",
    "partition",
    "substring",
]
LONG = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
OF_INT = ["fn", "more", "many", "every_one", "größe", "gather", LONG, LONG + "ggggg", *WORDS]
OF_ROW = ["fn", "Fn"]
SPACES = ["", "", "", " ", "\n", "/* c */", " -- c\n"]

PLACES = [
    "SELECT {}",
    "SELECT {} AS x",
    "SELECT 1 FROM orders o WHERE {} IS NOT NULL",
    "SELECT 1 FROM orders o ORDER BY {}",
    "SELECT 1 FROM orders o GROUP BY {}",
    "SELECT 1 FROM orders o GROUP BY o.id, CUBE ({})",
    "SELECT 1 FROM orders o GROUP BY o.id HAVING max({}) <> ''",
    "SELECT 1 FROM orders o JOIN customers c ON {} = 'x'",
    "SELECT DISTINCT ON ({}) 1 FROM orders o",
    "SELECT CASE WHEN {} = 'x' THEN 1 END FROM orders o",
    "SELECT CASE {} WHEN 'x' THEN 1 END FROM orders o",
    "SELECT array_agg(o.id ORDER BY {}) FROM orders o",
    "SELECT count(*) FILTER (WHERE {} = 'x') FROM orders o",
    "SELECT row_number() OVER (ORDER BY {}) FROM orders o",
    "SELECT row_number() OVER (PARTITION BY {}) FROM orders o",
    "SELECT sum(1) OVER w FROM orders o WINDOW w AS (ORDER BY {})",
    "SELECT l.x FROM orders o, LATERAL (SELECT {} AS x) l",
    "SELECT 1 FROM orders o LIMIT length((SELECT {} FROM orders o LIMIT 1))",
    "VALUES (({}))",
    "SELECT * FROM generate_series(1, length({}))",
    "SELECT * FROM orders o, generate_series(1, length({}))",
    "EXPLAIN ANALYZE SELECT {} FROM orders o",
    "WITH w AS MATERIALIZED (SELECT {} AS x FROM orders o) SELECT w.x FROM w",
    "WITH RECURSIVE w(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM w, orders o WHERE n < 2 AND {} <> '') TABLE w",
    "SELECT (SELECT {} FROM orders o LIMIT 1)",
    "SELECT 1 FROM orders o WHERE EXISTS (SELECT 1 WHERE {} <> '')",
    "SELECT o.id FROM orders o UNION SELECT length({}) FROM orders o",
    "SELECT coalesce({}, 'x') FROM orders o",
    "SELECT {}::text FROM orders o",
    "SELECT CAST({} AS text) FROM orders o",
    "SELECT {} || 'x' FROM orders o",
    "SELECT 'x' LIKE {} FROM orders o",
    "SELECT 'x' NOT LIKE 'y' ESCAPE {} FROM orders o",
    "SELECT now() AT TIME ZONE {} FROM orders o",
    "SELECT NOT {} = 'x' FROM orders o",
    "SELECT ARRAY[{}] FROM orders o",
    "SELECT ROW({}) FROM orders o",
    "SELECT 'x' IN ({}) FROM orders o",
    "SELECT 'x' BETWEEN {} AND 'y' FROM orders o",
    "SELECT (ARRAY['a'])[length({})] FROM orders o",
    "SELECT (ARRAY['a'])[1:length({})] FROM orders o",
    "SELECT extract(year FROM now() + length({}) * interval '1 day') FROM orders o",
    "SELECT position('x' IN {}) FROM orders o",
    "SELECT trim(both 'x' FROM {}) FROM orders o",
    "SELECT jsonb_build_object('a', {}) FROM orders o",
    "SELECT {} IS DISTINCT FROM {} FROM orders o",
    'SELECT {} COLLATE "C" FROM orders o',
    "SELECT JSON_OBJECT('a': {}) FROM orders o",
    "SELECT 1 FROM (SELECT {} AS x FROM orders o) s WHERE s.x = 'y'",
    "SELECT concat(VARIADIC ARRAY[{}]) FROM orders o",
    "SELECT * FROM (VALUES ({})) v(a)",
    "SELECT o.id FROM orders o OFFSET length((SELECT {} FROM orders o LIMIT 1))",
]
FROM_PLACES = [
    "SELECT * FROM {}",
    "SELECT * FROM orders o, {}",
    "SELECT * FROM orders o, LATERAL {} x",
    "SELECT * FROM orders o JOIN {} ON true",
    "SELECT * FROM orders o LEFT JOIN LATERAL {} ON true",
    "SELECT * FROM ROWS FROM ({}) x",
    "SELECT * FROM {} WITH ORDINALITY",
    "SELECT * FROM {} AS x(y)",
]
INTS = [
    "(1)", "((1))", "(1 + 1)", "(SELECT 1)", "(o.id)", "((o).id)", "(1::int)", "(CAST(1 AS int))", "(ARRAY[1])[1]",
    "(length('x'))", "(CASE WHEN true THEN 1 END)", "(coalesce(1, 2))", "(- 1)",
    "((SELECT x.a FROM (SELECT 1) x(a)))",
]  # fmt: skip
ROWS = [
    "o",
    "(o)",
    "((o))",
    "(o.*)",
    "(SELECT o2 FROM orders o2 LIMIT 1)",
    "orders",
    "(orders)",
    "public.orders",
    "O",
]
RECORDS = ["s", "(s)", "(SELECT s)", "(ROW(1, 2))", "((SELECT s2 FROM (SELECT 1 a) s2))"]


def _spelled(name: str, draw: Callable[..., Any]) -> str:
    """The name as one of the ways in which a text can write it."""
    quoted = '"' + name.replace('"', '""') + '"'
    if name != name.lower():
        return quoted
    cased = name.upper() if name.isascii() else name
    escaped = "".join(f"\\{ord(sign):04x}" for sign in name)
    return str(draw(st.sampled_from([name, name, name, cased, quoted, quoted, f'U&"{escaped}"', name.capitalize()])))


@st.composite
def statements(draw: Callable[..., Any]) -> str:
    """One statement that would call a function which SQL may not call."""

    def space() -> str:
        return str(draw(st.sampled_from(SPACES)))

    notation = draw(st.integers(0, 9))
    table = "orders o"
    if notation <= 3:
        value, name = draw(st.sampled_from(INTS)), draw(st.sampled_from(OF_INT))
        text = f"{value}{space()}.{space()}{_spelled(name, draw)}"
    elif notation <= 5:
        value, name = draw(st.sampled_from(ROWS)), draw(st.sampled_from(OF_ROW))
        table = "orders" if "orders" in value and "SELECT" not in value else table
        text = f"{value}{space()}.{space()}{_spelled(name, draw)}"
    elif notation == 6:
        table = "(SELECT 1 a, 2 b) s"
        text = f"{draw(st.sampled_from(RECORDS))}{space()}.{space()}{_spelled('fn', draw)}"
    elif notation == 7:
        text = draw(st.sampled_from(["sqrt('x'::text)", "('x'::text).sqrt", "fn(o)", "public.fn(1)", "('x').held"]))
    else:
        name = _spelled(draw(st.sampled_from(OF_INT)), draw)
        text = f"{draw(st.sampled_from(['', '', 'public.']))}{name}{space()}({draw(st.sampled_from(['1', 'o.id']))})"
        if draw(st.booleans()):
            return str(draw(st.sampled_from(FROM_PLACES))).replace("{}", text)
    text = draw(st.sampled_from(["{}", "{}", "({})", "lower({}::text)", "({}).x", "{}[1]"])).replace("{}", text)
    place = str(draw(st.sampled_from(PLACES))).replace("{}", text).replace("orders o", table)
    if " FROM " not in place and not place.startswith("VALUES"):
        place += f" FROM {table}"
    return place
