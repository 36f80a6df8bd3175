"""Scales of exact numbers in Postgres' results, as the SQL tells them."""

import pytest

from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.scales import find_scales

SALES = Table(
    "sales",
    (
        Column("id", "integer"),
        Column("amount", "numeric(12,2)"),
        Column("rate", "numeric(6,4)"),
        Column("free", "numeric"),
        Column("score", "double precision"),
    ),
    schema="public",
)
CATALOG = Catalog(dialect="postgres", tables=(SALES,), default_schema="public")


@pytest.mark.parametrize(
    ("scales", "sql"),
    [
        (
            (2, 4, 2, 2, 4, 0),
            "SELECT sum(amount), min(rate), max(s.amount), -amount, abs(rate), sum(id) FROM sales s",
        ),
        ((6, 4, 2, 4), "SELECT amount * rate, amount + rate, amount - 1, amount * 1.05 FROM sales"),
        (
            (2, 0, 0, None, None),
            "SELECT round(free, 2), round(amount), ceil(free), round(free, id), round(free, -2) FROM sales",
        ),
        (
            (None, None, None, None, None, None),
            "SELECT avg(amount), amount / 3, free, sum(free), amount * score, sqrt(amount) FROM sales",
        ),
        (
            (2, None, 4, 4),
            "SELECT coalesce(sum(amount), 0), coalesce(rate, free), nullif(rate, 0), least(id, rate) FROM sales",
        ),
        (
            (2, None),
            "SELECT CASE WHEN id > 1 THEN amount ELSE 0 END, CASE WHEN id > 1 THEN amount ELSE free END FROM sales",
        ),
        ((4, 2), "SELECT sum(CASE WHEN id > 1 THEN rate END), sum(DISTINCT amount) FROM sales"),
        ((2, 2), "SELECT sum(amount) FILTER (WHERE id > 1), sum(amount) OVER (ORDER BY id) FROM sales"),
        ((6,), "SELECT sum(x) FROM (SELECT amount * rate AS x FROM sales) AS t"),
        ((2, None), "WITH t AS (SELECT id, sum(amount) AS x FROM sales GROUP BY id) SELECT max(x), avg(x) FROM t"),
        ((4,), "SELECT sum(amount) FROM sales UNION ALL SELECT sum(rate) FROM sales"),
        ((None,), "SELECT sum(amount) FROM sales UNION ALL SELECT avg(rate) FROM sales"),
        (
            (5, 5, 0, None),
            "SELECT amount::numeric(20,5), sum(amount::numeric(20,5)), free::int, amount::numeric FROM sales",
        ),
        ((6,), "SELECT a.amount * b.rate FROM sales a JOIN sales b ON a.id = b.id"),
        ((), "SELECT sum(x) FROM sales AS t(a, x)"),
        ((), "SELECT * FROM sales"),
        ((None,), "SELECT sum(amount) FROM elsewhere"),
        ((None, None), "SELECT sum(1e-3), sum(nothing) FROM sales"),
        ((0,), "SELECT sum(id) FROM sales WHERE EXISTS (SELECT 1 FROM sales) LIMIT 3"),
        ((2,), "WITH t AS (SELECT amount AS rate FROM sales), u AS (SELECT 1 AS x) SELECT rate * 2 FROM t, u"),
        ((2,), "SELECT sum(amount) AS x FROM sales ORDER BY x"),
        ((2, None), "SELECT 1.50 + 1, 10.0 % 3"),
    ],
)
def test_scales(scales, sql):
    assert find_scales(sql, CATALOG) == scales


def test_the_time_does_not_multiply_with_each_query_of_a_chain():
    columns = "id, amount, rate, free, score"
    chain = [f"c{n} AS (SELECT {columns} FROM {f'c{n - 1}' if n else 'sales'})" for n in range(40)]
    joined = [
        f"d{n} AS (SELECT a.amount, b.rate FROM {f'd{n - 1} a, d{n - 1} b' if n else 'sales a, sales b'})"
        for n in range(40)
    ]
    assert find_scales(f"WITH {', '.join(chain)} SELECT amount, rate FROM c39", CATALOG) == (2, 4)
    assert find_scales(f"WITH {', '.join(joined)} SELECT amount, rate FROM d39", CATALOG) == (2, 4)
