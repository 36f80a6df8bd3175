"""What a gold SQL needs and orders by."""

from __future__ import annotations

import pytest

from sqlchat.chat.compare import Order
from sqlchat.evaluation.gold import inspect_gold
from sqlchat.evaluation.recall import Missing, find_missing
from sqlchat.providers.base import Message
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.conditions import TextCondition

CUSTOMERS = Table("customers", (Column("id", "int"), Column("name", "text"), Column("country", "text")), "public")
ORDERS = Table("orders", (Column("id", "int"), Column("customer_id", "int"), Column("placed", "date")), "public")
SHOP = Catalog((CUSTOMERS, ORDERS), "postgres", "public")


@pytest.mark.parametrize(
    ("sql", "keys"),
    [
        ("SELECT name FROM customers ORDER BY name", (0,)),
        ("SELECT id, name AS n FROM customers ORDER BY n DESC, 1", (1, 0)),
        ("SELECT country, count(*) FROM customers GROUP BY country ORDER BY count(*) DESC", (1,)),
        ("SELECT c.name FROM customers c ORDER BY c.name", (0,)),
        ("SELECT c.name FROM customers c ORDER BY name", (0,)),
        ("SELECT * FROM customers ORDER BY name", ("name",)),
        ("SELECT name FROM customers UNION SELECT country FROM customers ORDER BY 1", (0,)),
        ("(SELECT name FROM customers ORDER BY 1)", (0,)),
        ("SELECT name FROM customers ORDER BY id", None),
    ],
)
def test_an_order_at_the_root_is_kept_by_its_keys(sql: str, keys: tuple[int | str, ...] | None) -> None:
    assert inspect_gold(sql, "postgres", SHOP).order == Order(keys)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM customers",
        "SELECT name FROM (SELECT name FROM customers ORDER BY name LIMIT 3) AS t",
        "SELECT name, rank() OVER (ORDER BY id) FROM customers",
        "VALUES (1), (2)",
    ],
)
def test_an_order_within_promises_nothing(sql: str) -> None:
    assert inspect_gold(sql, "postgres", SHOP).order is None


def test_tables_and_columns_are_the_catalog_s() -> None:
    placed = "WITH x AS (SELECT customer_id FROM orders)"
    sql = f"{placed} SELECT count(*), Name FROM Customers c JOIN x ON c.id = x.customer_id GROUP BY 2"
    gold = inspect_gold(sql, "postgres", SHOP)
    assert set(gold.tables) == {("public", "orders"), ("public", "customers")}
    assert {column[1:] for column in gold.columns} == {
        ("orders", "customer_id"),
        ("customers", "name"),
        ("customers", "id"),
    }


def texts(sql: str, dialect: str = "postgres") -> list[TextCondition]:
    return list(inspect_gold(sql, dialect, SHOP).literals)


def test_texts_are_those_that_are_compared_with_a_column() -> None:
    assert texts("SELECT 'x' FROM customers WHERE country = 'Spain' AND name IN ('A', 'B') AND id > 3") == [
        TextCondition("Spain"),
        TextCondition("A"),
        TextCondition("B"),
    ]
    assert texts("SELECT 1 FROM orders WHERE placed >= '2024-01-01' AND to_char(placed, 'YYYY') = '2024'") == []
    assert texts("SELECT 1 FROM customers WHERE lower(country) = 'spain'") == [TextCondition("spain", any_case=True)]
    assert texts("SELECT 1 FROM customers WHERE country ILIKE '%pai%'") == [TextCondition("%pai%", True, True)]
    assert texts("SELECT sum(CASE WHEN country = 'Spain' THEN 1 END) FROM customers") == [TextCondition("Spain")]


def test_sqlite_s_double_quoted_texts_are_texts() -> None:
    assert texts('SELECT "name" FROM customers WHERE country = "Spain"', "sqlite") == [TextCondition("Spain")]
    assert inspect_gold('SELECT "name" FROM customers WHERE country = "Spain"', "sqlite", SHOP).columns == (
        ("public", "customers", "name"),
        ("public", "customers", "country"),
    )


def lacking(sql: str, prompt: str, shown: Catalog = SHOP, dialect: str = "postgres") -> Missing:
    return find_missing(inspect_gold(sql, dialect, SHOP), shown, (Message("user", prompt),))


def test_a_prompt_lacks_what_is_not_in_it() -> None:
    narrow = Table("customers", (Column("id", "int"),), "public")
    sql = "SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id WHERE country = 'Spain'"
    assert lacking(sql, "How many from Spain?") == Missing()
    found = lacking(sql, "How many Spaniards?", Catalog((narrow,), "postgres", "public"))
    assert found.tables == ("orders",)
    assert set(found.columns) == {"customers.name", "customers.country", "orders.customer_id"}
    assert found.literals == ("Spain",)
    assert found


@pytest.mark.parametrize(
    ("condition", "prompt", "stands"),
    [
        ("country = 'F'", "values 'F', 'M'", True),
        ("country = 'F'", "from France", False),
        ("country = 'france'", "from France", False),
        ("lower(country) = 'france'", "from France", True),
        ("name = 'O''Hara'", "customers.name = 'O''Hara'", True),
        ("name = 'O''Hara'", "what of O'Hara?", True),
        ("name LIKE '%Lake%'", "a name with Lakes", True),
        ("name LIKE '%Lake%'", "a name with lakes", False),
        ("name ILIKE '%Lake%'", "a name with lakes", True),
    ],
)
def test_texts_must_stand_there_as_the_gold_spells_them(condition: str, prompt: str, stands: bool) -> None:
    assert (lacking(f"SELECT 1 FROM customers WHERE {condition}", prompt).literals == ()) is stands
