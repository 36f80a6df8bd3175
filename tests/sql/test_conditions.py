"""Which texts a statement compares columns with, and whose columns those are."""

from __future__ import annotations

import pytest

from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.conditions import find_text_conditions

CUSTOMERS = Table("customers", (Column("id", "int"), Column("name", "text"), Column("country", "text")), "public")
ORDERS = Table("orders", (Column("id", "int"), Column("name", "text"), Column("status", "text")), "public")
SHOP = Catalog((CUSTOMERS, ORDERS), "postgres", "public")
COUNTRY = ("public", "customers", "country")


@pytest.mark.parametrize(
    ("sql", "path"),
    [
        ("SELECT 1 FROM customers WHERE country = 'Spain'", COUNTRY),
        ("SELECT 1 FROM customers c WHERE 'Spain' = c.Country", COUNTRY),
        ("SELECT 1 FROM customers AS c JOIN orders AS o ON o.id = c.id WHERE country IN ('Spain')", COUNTRY),
        ("SELECT 1 FROM public.customers WHERE lower(country) = lower('Spain')", COUNTRY),
        ("SELECT 1 FROM orders WHERE EXISTS (SELECT 1 FROM customers c WHERE c.country = 'Spain')", COUNTRY),
        ("SELECT 1 FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE c.country = 'Spain')", COUNTRY),
        ("SELECT 1 FROM customers c JOIN orders o ON o.id = c.id WHERE name = 'Spain'", None),
        ("WITH customers AS (SELECT 'x' AS country) SELECT 1 FROM customers WHERE country = 'Spain'", None),
        ("SELECT 1 FROM customers, (SELECT 1 AS n) AS s WHERE country = 'Spain'", COUNTRY),
        ("SELECT 1 FROM customers, f() AS s WHERE country = 'Spain'", COUNTRY),
        ("SELECT 1 FROM customers, nowhere WHERE country = 'Spain'", COUNTRY),
        ("SELECT 1 FROM customers c WHERE c.nothing = 'Spain'", None),
    ],
)
def test_the_column_is_told_where_there_is_no_doubt(sql: str, path: tuple[str, str, str] | None) -> None:
    (found,) = find_text_conditions(sql, "postgres", SHOP)
    assert (found.text, found.path) == ("Spain", path)


@pytest.mark.parametrize(
    ("condition", "demanded"),
    [
        ("country = 'Spain'", True),
        ("country = 'Spain' AND id > 1", True),
        ("country IS NOT DISTINCT FROM 'Spain'", True),
        ("country <> 'Spain'", False),
        ("NOT country = 'Spain'", False),
        ("country NOT IN ('Spain')", False),
        ("country = 'Spain' OR id > 1", False),
        ("country LIKE 'Spain'", False),
        ("CASE WHEN country = 'Spain' THEN true END", False),
    ],
)
def test_what_every_row_must_have_is_told_apart(condition: str, demanded: bool) -> None:
    (found,) = find_text_conditions(f"SELECT 1 FROM customers WHERE {condition}", "postgres", SHOP)
    assert found.demanded is demanded
