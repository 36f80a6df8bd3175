"""Builds the demo database: a small shop in SQLite, with the same rows each time.

SQLite keeps the text of CREATE TABLE statements, so comments are there: behind the opening line the table's, behind a
column the column's.
"""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

SCHEMA = """\
CREATE TABLE countries ( -- where customers live
  code TEXT PRIMARY KEY, -- ISO 3166 code
  name TEXT NOT NULL,
  region TEXT NOT NULL -- part of the world
);
CREATE TABLE customers ( -- people and companies that buy
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  city TEXT NOT NULL,
  country_code TEXT NOT NULL REFERENCES countries (code),
  segment TEXT NOT NULL, -- Consumer, Corporate or Home Office
  signup_date DATE NOT NULL, -- the day they signed up
  age INTEGER -- years; null for companies
);
CREATE TABLE categories ( -- groups of products
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL
);
CREATE TABLE products ( -- what the shop sells
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  category_id INTEGER NOT NULL REFERENCES categories (id),
  price NUMERIC NOT NULL, -- today's list price in euros
  stock INTEGER NOT NULL -- pieces in the warehouse
);
CREATE TABLE orders ( -- one purchase of one customer
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  order_date DATE NOT NULL,
  status TEXT NOT NULL -- completed, shipped, cancelled or returned
);
CREATE TABLE order_lines ( -- products on an order; revenue = quantity * unit_price * (1 - discount)
  order_id INTEGER NOT NULL REFERENCES orders (id),
  line INTEGER NOT NULL, -- number of the line on its order
  product_id INTEGER NOT NULL REFERENCES products (id),
  quantity INTEGER NOT NULL, -- pieces
  unit_price NUMERIC NOT NULL, -- euros a piece on the day of the order
  discount NUMERIC NOT NULL, -- share taken off, 0 to 1
  PRIMARY KEY (order_id, line)
);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX order_lines_product ON order_lines (product_id);
"""

COUNTRIES = (
    ("DE", "Germany", "Europe", ("Berlin", "Hamburg", "Munich")),
    ("FR", "France", "Europe", ("Lyon", "Paris")),
    ("GB", "United Kingdom", "Europe", ("Leeds", "London")),
    ("NL", "Netherlands", "Europe", ("Amsterdam", "Utrecht")),
    ("ES", "Spain", "Europe", ("Madrid", "Seville")),
    ("US", "United States", "North America", ("Austin", "Boston", "Chicago")),
    ("CA", "Canada", "North America", ("Toronto", "Vancouver")),
    ("BR", "Brazil", "South America", ("Recife", "Santos")),
    ("JP", "Japan", "Asia", ("Kyoto", "Osaka")),
    ("IN", "India", "Asia", ("Mumbai", "Pune")),
    ("AU", "Australia", "Oceania", ("Perth", "Sydney")),
    ("NZ", "New Zealand", "Oceania", ("Auckland",)),
)
EMPTY_COUNTRY = "NZ"
"""A country without customers, so that questions about what is missing have an answer."""

CATEGORIES: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = (
    ("Furniture", (("Desk", 24900), ("Office Chair", 15900), ("Bookcase", 8900), ("Filing Cabinet", 13900))),
    ("Lighting", (("Desk Lamp", 3490), ("Floor Lamp", 7990), ("Light Strip", 1990))),
    ("Computers", (("Laptop", 99900), ("Tablet", 44900), ("Monitor", 21900), ("Docking Station", 12900))),
    ("Accessories", (("Keyboard", 5990), ("Mouse", 2990), ("Headset", 8490), ("Webcam", 6990), ("USB Cable", 890))),
    ("Stationery", (("Notebook", 450), ("Fountain Pen", 3200), ("Marker Set", 1250), ("Stapler", 1490))),
    ("Kitchen", (("Kettle", 3990), ("Coffee Machine", 18900), ("Mug", 950), ("Toaster", 4490))),
)
FIRST = (
    "Ada", "Amir", "Anna", "Bruno", "Carla", "Chen", "Clara", "David", "Elena", "Emil", "Farah", "Felix", "Grace",
    "Hana", "Hugo", "Ida", "Ivan", "Jonas", "Julia", "Kenji", "Lara", "Liam", "Maya", "Nina", "Noah", "Olga",
    "Omar", "Paula", "Priya", "Rosa", "Samuel", "Sofia", "Tara", "Theo", "Vera", "Yuki",
)  # fmt: skip
LAST = (
    "Almeida", "Bauer", "Brown", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Hansen", "Ito", "Jansen", "Kaur",
    "Keller", "Lopez", "Martin", "Meyer", "Nakamura", "Novak", "Okafor", "Patel", "Rossi", "Sato", "Schmidt",
    "Silva", "Smith", "Tanaka", "Visser", "Weber", "Wilson", "Young",
)  # fmt: skip
COMPANIES = ("Acme", "Borealis", "Cobalt", "Delta", "Everest", "Fjord", "Granite", "Harbor", "Indigo", "Juniper")
FORMS = ("Labs", "Logistics", "Partners", "Studio", "Works")
FIRST_DAY, LAST_DAY = date(2023, 1, 1), date(2025, 12, 31)
CUSTOMERS, BUYERS, ORDERS = 240, 225, 1800


def build_demo(path: Path) -> None:
    """Write the shop to `path`, whole or not at all, and replace an existing file. Takes well under a second.

    Several processes may build at once: each writes a file of its own and renames it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        database = sqlite3.connect(name)
        try:
            database.executescript(SCHEMA)
            _fill_tables(database, random.Random(20230101))  # noqa: S311 - the same shop each time is the point
            database.commit()
            database.execute("ANALYZE")
            database.commit()
        finally:
            database.close()
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _fill_tables(database: sqlite3.Connection, rng: random.Random) -> None:
    database.executemany("INSERT INTO countries VALUES (?, ?, ?)", [row[:3] for row in COUNTRIES])
    database.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _make_customers(rng))
    database.executemany("INSERT INTO categories VALUES (?, ?)", enumerate((name for name, _ in CATEGORIES), 1))
    products = list(_make_products(rng))
    database.executemany("INSERT INTO products VALUES (?, ?, ?, ?, ?)", products)
    orders = list(_make_orders(rng))
    database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", orders)
    # The last product is never sold.
    database.executemany("INSERT INTO order_lines VALUES (?, ?, ?, ?, ?, ?)", _make_lines(rng, orders, products[:-1]))


def _make_customers(rng: random.Random) -> Iterator[tuple[object, ...]]:
    homes = [(code, city) for code, _, _, cities in COUNTRIES if code != EMPTY_COUNTRY for city in cities]
    people = [f"{first} {last}" for first in FIRST for last in LAST]
    firms = [f"{firm} {form}" for firm in COMPANIES for form in FORMS]
    rng.shuffle(people)
    rng.shuffle(firms)
    for number in range(1, CUSTOMERS + 1):
        is_corporate = number % 5 == 0
        name = firms.pop() if is_corporate else people.pop()
        segment = "Corporate" if is_corporate else rng.choice(("Consumer", "Consumer", "Home Office"))
        # Earlier homes are likelier, so that the countries differ in size.
        code, city = homes[min(rng.randrange(len(homes)), rng.randrange(len(homes)))]
        signed_up = FIRST_DAY - timedelta(days=365) + timedelta(days=rng.randrange(365 * 3))
        email = name.lower().replace(" ", ".") + "@example.com"
        age = None if is_corporate else rng.randrange(18, 80)
        yield number, name, email, city, code, segment, signed_up.isoformat(), age


def _make_products(rng: random.Random) -> Iterator[tuple[int, str, int, float, int]]:
    number = 0
    for category, (_, items) in enumerate(CATEGORIES, 1):
        for item, cents in items:
            for grade, factor in (("Basic", 80), ("Classic", 100), ("Pro", 145)):
                number += 1
                yield number, f"{grade} {item}", category, cents * factor // 100 / 100, rng.randrange(0, 250)


def _make_orders(rng: random.Random) -> Iterator[tuple[int, int, str, str]]:
    span = (LAST_DAY - FIRST_DAY).days + 1
    # The larger of two draws: the shop grows over the years.
    days = sorted(max(rng.randrange(span), rng.randrange(span)) for _ in range(ORDERS))
    for number, day in enumerate(days, 1):
        customer = 1 + min(rng.randrange(BUYERS), rng.randrange(BUYERS))
        status = rng.choices(("completed", "shipped", "cancelled", "returned"), (80, 8, 7, 5))[0]
        yield number, customer, (FIRST_DAY + timedelta(days=day)).isoformat(), status


def _make_lines(
    rng: random.Random, orders: list[tuple[int, int, str, str]], products: list[tuple[int, str, int, float, int]]
) -> Iterator[tuple[int, int, int, int, float, float]]:
    for order_id, *_ in orders:
        for line, (product_id, _, _, price, _) in enumerate(rng.sample(products, rng.choice((1, 1, 2, 2, 3, 4))), 1):
            cents = round(price * 100) * rng.choice((90, 95, 100)) // 100
            discount = rng.choice((0, 0, 0, 0.05, 0.1, 0.2))
            yield order_id, line, product_id, rng.choice((1, 1, 1, 2, 2, 3, 5)), cents / 100, discount
