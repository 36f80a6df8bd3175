"""A shop's catalog, as a database of each kind would describe it."""

from __future__ import annotations

import pytest

from sqlchat.sql.catalog import Catalog, Column, ForeignKey, Table

Values = dict[tuple[str, str, str], tuple[str, ...]]


@pytest.fixture
def shop() -> Catalog:
    customers = Table(
        "customers",
        (
            Column("id", "integer", nullable=False),
            Column("name", "text"),
            Column("country", "text", comment="Where they live"),
        ),
        "public",
        comment="People who bought something",
        primary_key=("id",),
        row_estimate=300,
    )
    orders = Table(
        "orders",
        (
            Column("id", "integer", nullable=False),
            Column("customer_id", "integer"),
            Column("Total Price", "numeric(10,2)"),
            Column("status", "text"),
        ),
        "public",
        primary_key=("id",),
        foreign_keys=(ForeignKey(("customer_id",), "public", "customers", ("id",)),),
    )
    lines = Table(
        "order_lines",
        (Column("order_id", "integer"), Column("line", "integer"), Column("product", "text")),
        "sales",
        primary_key=("order_id", "line"),
        foreign_keys=(ForeignKey(("order_id", "line"), "sales", "shipments", ("order_id", "line")),),
    )
    return Catalog((customers, orders, lines), "postgres", "public", "v1")


@pytest.fixture
def values() -> Values:
    return {
        ("public", "customers", "country"): ("Germany", "United States", "Côte d'Ivoire"),
        ("public", "orders", "status"): ("open", "paid", "cancelled"),
    }
