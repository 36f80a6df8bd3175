"""The demo shop: what it holds, and that it is the same wherever and however often it is built."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from sqlchat import demo
from sqlchat.connections.sqlite.catalog import read as read_catalog
from sqlchat.sql.catalog import Catalog

TABLES = {"countries": 12, "customers": 240, "categories": 6, "products": 72, "orders": 1800, "order_lines": 3929}


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def catalog(path: Path) -> Catalog:
    with closing(sqlite3.connect(path)) as database:
        return read_catalog(lambda sql, *values: database.execute(sql, values).fetchall(), sqlite3.Error)


def test_it_holds_a_small_shop(tmp_path: Path) -> None:
    demo.build_demo(tmp_path / "shop.sqlite")
    counts = {name: rows(tmp_path / "shop.sqlite", f"SELECT count(*) FROM {name}")[0][0] for name in TABLES}
    assert counts == TABLES


def test_two_builds_hold_the_same_rows(tmp_path: Path) -> None:
    demo.build_demo(tmp_path / "one.sqlite")
    demo.build_demo(tmp_path / "two.sqlite")
    assert dump(tmp_path / "one.sqlite") == dump(tmp_path / "two.sqlite")


def test_orders_span_three_years(tmp_path: Path) -> None:
    demo.build_demo(tmp_path / "shop.sqlite")
    years = rows(tmp_path / "shop.sqlite", "SELECT DISTINCT substr(order_date, 1, 4) FROM orders ORDER BY 1")
    assert years == [("2023",), ("2024",), ("2025",)]


def test_every_key_leads_somewhere(tmp_path: Path) -> None:
    demo.build_demo(tmp_path / "shop.sqlite")
    assert rows(tmp_path / "shop.sqlite", "PRAGMA foreign_key_check") == []
    assert rows(tmp_path / "shop.sqlite", "PRAGMA integrity_check") == [("ok",)]


def test_names_tell_customers_and_products_apart(tmp_path: Path) -> None:
    demo.build_demo(tmp_path / "shop.sqlite")
    for table in ("customers", "products", "categories", "countries"):
        repeated = f"SELECT name FROM {table} GROUP BY name HAVING count(*) > 1"
        assert rows(tmp_path / "shop.sqlite", repeated) == []


def test_there_is_something_to_miss(tmp_path: Path) -> None:
    """Questions about what is not there have an answer."""
    demo.build_demo(tmp_path / "shop.sqlite")
    idle = "SELECT count(*) FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)"
    unsold = "SELECT count(*) FROM products WHERE id NOT IN (SELECT product_id FROM order_lines)"
    empty = "SELECT count(*) FROM countries WHERE code NOT IN (SELECT country_code FROM customers)"
    assert all(rows(tmp_path / "shop.sqlite", sql)[0][0] for sql in (idle, unsold, empty))


def test_the_catalog_shows_comments_and_keys(tmp_path: Path) -> None:
    demo.build_demo(tmp_path / "shop.sqlite")
    lines = catalog(tmp_path / "shop.sqlite").table("order_lines")
    assert lines is not None
    assert "revenue = quantity * unit_price * (1 - discount)" in lines.comment
    assert lines.primary_key == ("order_id", "line")
    assert {key.ref_table for key in lines.foreign_keys} == {"orders", "products"}
    assert all(table.comment for table in catalog(tmp_path / "shop.sqlite").tables)


def test_what_was_there_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "made" / "shop.sqlite"
    demo.build_demo(path)
    path.write_bytes(b"not a database")
    demo.build_demo(path)
    assert rows(path, "SELECT count(*) FROM orders") == [(1800,)]
    assert [file.name for file in path.parent.iterdir()] == ["shop.sqlite"]


def test_several_may_build_at_once(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: demo.build_demo(path), range(8)))
    assert rows(path, "SELECT count(*) FROM order_lines") == [(3929,)]
    assert [file.name for file in tmp_path.iterdir()] == ["shop.sqlite"]


def test_it_is_built_before_anyone_waits(tmp_path: Path) -> None:
    start = time.thread_time()
    demo.build_demo(tmp_path / "shop.sqlite")
    assert time.thread_time() - start < 5
