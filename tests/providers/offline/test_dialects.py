"""The same questions in other dialects: SQL that parses there, and on DuckDB the same rows as on SQLite."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot

from sqlchat.providers.base import Task
from sqlchat.providers.offline.engine import OfflineProvider
from sqlchat.sql import guard
from sqlchat.sql.catalog import Catalog, Column, Table

QUESTIONS = [
    "Top 10 customers by revenue",
    "Number of orders per month in 2024",
    "revenue per year",
    "all countries and their number of orders in January 2023",
    "total sales by quarter in 2024",
    "orders per week",
    "How many orders per day in March 2024?",
    "How many orders were placed since 2025?",
    "customers older than 70",
    "customers in Germany with more than 10 orders",
    "Customers without orders",
    "Which customers have ordered Furniture?",
    'products whose name contains "lamp"',
    "Which category has the highest revenue?",
    "What is the average age of customers by country?",
    "How many different cities do customers live in?",
    "customers older than average",
    "Show the 5 most expensive products",
]
DIALECTS = ["postgres", "duckdb", "mysql", "sqlite", "bigquery", "snowflake", "tsql"]


@pytest.fixture(scope="module")
def duck(shop: Any) -> Any:
    database = duckdb.connect(":memory:")
    database.execute(
        """
        CREATE TABLE countries (code TEXT, name TEXT, region TEXT);
        CREATE TABLE customers (id INTEGER, name TEXT, email TEXT, city TEXT, country_code TEXT, segment TEXT,
                                signup_date DATE, age INTEGER);
        CREATE TABLE categories (id INTEGER, name TEXT);
        CREATE TABLE products (id INTEGER, name TEXT, category_id INTEGER, price DOUBLE, stock INTEGER);
        CREATE TABLE orders (id INTEGER, customer_id INTEGER, order_date DATE, status TEXT);
        CREATE TABLE order_lines (order_id INTEGER, line INTEGER, product_id INTEGER, quantity INTEGER,
                                  unit_price DOUBLE, discount DOUBLE);
        """
    )
    for table in shop.catalog.tables:
        rows = shop.rows(f"SELECT * FROM {table.name}")
        marks = ", ".join("?" * len(table.columns))
        database.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
    yield database
    database.close()


PROVIDER = OfflineProvider()
CATALOGS: dict[str, Catalog] = {}
"""The demo's catalog in each dialect, kept so that the engine indexes each once."""


def told(question: str, shop: Any, dialect: str) -> str:
    catalog = CATALOGS.setdefault(dialect, replace(shop.catalog, dialect=dialect))
    sql = PROVIDER.draft(Task(question, catalog, values=shop.values)).sql
    assert sql is not None
    return sql


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_sql_parses_in_the_dialect(question: str, dialect: str, shop: Any) -> None:
    statements = sqlglot.parse(told(question, shop, dialect), read=dialect)
    assert [statement.key for statement in statements if statement] == ["select"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_duckdb_gives_as_many_rows_and_the_same_figures(question: str, shop: Any, duck: Any) -> None:
    here = shop.rows(told(question, shop, "sqlite"))
    there = duck.execute(told(question, shop, "duckdb")).fetchall()
    assert len(here) == len(there) > 0
    assert Counter(figures(here)) == Counter(figures(there))


SHIPPED = Catalog(
    (
        Table(
            "shipments",
            (
                Column("shipment_id", "integer"), Column("sent_on", "date"), Column("arrived_on", "date"),
                Column("due_on", "date"), Column("port", "varchar(40)"), Column("fee", "numeric"),
            ),
            primary_key=("shipment_id",),
        ),
    ),
    "postgres",
)  # fmt: skip


@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "mysql", "sqlite", "spark"])
@pytest.mark.parametrize(
    "question",
    [
        "average days between sent and arrived per port",
        "hours between sent and arrived",
        "shipments that arrived late",
        "highest fee in each port",
        "latest shipment of each port",
        "share of shipments per port",
        "are there any shipments with a fee over 10",
    ],
)
def test_the_guard_lets_what_is_computed_run(question: str, dialect: str) -> None:
    catalog = replace(SHIPPED, dialect=dialect)
    sql = OfflineProvider().draft(Task(question, catalog)).sql or ""
    assert guard.check(sql, dialect, catalog=catalog).kind == "SELECT"


def figures(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The cells that are spelled alike in both: numbers (floats as SQLite keeps them) and names, not dates."""
    return [tuple(round(float(c), 3) if isinstance(c, int | float) else "" for c in row[1:]) for row in rows]


def test_schemas_are_written_where_the_database_has_them(shop: Any) -> None:
    tables = tuple(replace(table, schema="sales") for table in shop.catalog.tables)
    catalog = replace(shop.catalog, tables=tables, dialect="postgres", default_schema="public")
    values = {("sales", table, column): texts for (_, table, column), texts in shop.values.items()}
    sql = OfflineProvider().draft(Task("customers in Germany", catalog, values=values)).sql
    found = {table.sql() for table in sqlglot.parse_one(sql or "", read="postgres").find_all(sqlglot.exp.Table)}
    assert found == {"sales.customers", "sales.countries"}


def test_names_that_need_quotes_get_them(tmp_path: Path) -> None:
    table = Table("Order Items", (Column("Item Id", "integer"), Column("Unit Price", "numeric")), "public")
    catalog = Catalog((table,), "postgres", "public")
    sql = OfflineProvider().draft(Task("average unit price of order items", catalog)).sql or ""
    assert '"Order Items"."Unit Price"' in sql
