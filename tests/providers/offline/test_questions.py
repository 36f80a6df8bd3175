"""Questions on the demo shop: the rows of the engine's SQL against those of SQL written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sqlchat.providers.base import Draft

REVENUE = "SUM(l.quantity * l.unit_price * (1 - l.discount))"
LINES = "order_lines l JOIN orders o ON o.id = l.order_id"
SOLD = f"{LINES} JOIN products p ON p.id = l.product_id"
BOUGHT = f"{LINES} JOIN customers c ON c.id = o.customer_id"
HOME = "customers c JOIN countries k ON k.code = c.country_code"

LISTS = [
    ("List all countries", "SELECT name FROM countries"),
    ("Show the name and city of all customers", "SELECT name, city FROM customers"),
    ("List the names and emails of customers in Berlin", "SELECT name, email FROM customers WHERE city = 'Berlin'"),
    ("customers in Germany", f"SELECT c.name FROM {HOME} WHERE k.name = 'Germany'"),
    ("Show customers from France or Spain", f"SELECT c.name FROM {HOME} WHERE k.name IN ('France', 'Spain')"),
    ("Which customers live in the United Kingdom?", f"SELECT c.name FROM {HOME} WHERE k.name = 'United Kingdom'"),
    ("List the French customers", f"SELECT c.name FROM {HOME} WHERE k.name = 'France'"),
    ("customers not in Europe", f"SELECT c.name FROM {HOME} WHERE k.region <> 'Europe'"),
    ("customers older than 70", "SELECT name FROM customers WHERE age > 70"),
    ("Which customers are at least 75 years old?", "SELECT name FROM customers WHERE age >= 75"),
    ("names of customers aged between 20 and 25", "SELECT name FROM customers WHERE age BETWEEN 20 AND 25"),
    ("customers older than average", "SELECT name FROM customers WHERE age > (SELECT avg(age) FROM customers)"),
    (
        "List all products in the Furniture category",
        "SELECT p.name FROM products p JOIN categories g ON g.id = p.category_id WHERE g.name = 'Furniture'",
    ),
    ("Which products cost more than 500?", "SELECT name FROM products WHERE price > 500"),
    ("products with a price between 100 and 200", "SELECT name FROM products WHERE price BETWEEN 100 AND 200"),
    ("Show products with less than 10 in stock", "SELECT name FROM products WHERE stock < 10"),
    ('products whose name contains "lamp"', "SELECT name FROM products WHERE name LIKE '%lamp%'"),
    ('Which products start with "Pro"?', "SELECT name FROM products WHERE name LIKE 'Pro%'"),
    (
        'What is the price of the product "Classic Laptop"?',
        "SELECT price FROM products WHERE name = 'Classic Laptop'",
    ),
    ("What are the different segments of customers?", "SELECT DISTINCT segment FROM customers"),
    (
        "List cities in Germany",
        f"SELECT DISTINCT c.city FROM {HOME} WHERE k.name = 'Germany'",
    ),
    (
        "List orders placed in March 2024",
        "SELECT * FROM orders WHERE order_date >= '2024-03-01' AND order_date < '2024-04-01'",
    ),
    ("orders on 2024-05-17", "SELECT * FROM orders WHERE order_date = '2024-05-17'"),
    ("Which customers signed up in 2024?", "SELECT name FROM customers WHERE signup_date LIKE '2024-%'"),
    ("customers with a signup date before 2022-03-01", "SELECT name FROM customers WHERE signup_date < '2022-03-01'"),
    ("orders not in 2024", "SELECT * FROM orders WHERE order_date NOT LIKE '2024-%'"),
    ("orders in the last 30 days",
     "SELECT * FROM orders WHERE order_date >= '2025-10-22' AND order_date <= '2025-11-20'"),
    ("products under 20 euros", "SELECT name FROM products WHERE price < 20"),
    ("Which products are out of stock?", "SELECT name FROM products WHERE stock = 0"),
    ("products more expensive than 500", "SELECT name FROM products WHERE price > 500"),
    ("products between 50 and 100 euros", "SELECT name FROM products WHERE price BETWEEN 50 AND 100"),
    ("order lines with a discount above 10%", "SELECT * FROM order_lines WHERE discount > 0.1"),
    ("orders of customer Acme Labs",
     "SELECT o.* FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.name = 'Acme Labs'"),
    ("orders by customer Hugo Okafor in 2024",
     "SELECT o.* FROM orders o JOIN customers c ON c.id = o.customer_id "
     "WHERE c.name = 'Hugo Okafor' AND o.order_date LIKE '2024-%'"),
    ("orders of customers in Germany in 2024",
     "SELECT o.* FROM orders o JOIN customers c ON c.id = o.customer_id "
     "WHERE c.country_code = 'DE' AND o.order_date LIKE '2024-%'"),
    ("customers excluding Germany", f"SELECT c.name FROM {HOME} WHERE k.name <> 'Germany'"),
    ("customers who spent more than 10000 euros",
     f"SELECT c.name FROM {BOUGHT} GROUP BY c.id HAVING {REVENUE} > 10000"),
    ("customers from Paris who are younger than 30", "SELECT name FROM customers WHERE city = 'Paris' AND age < 30"),
]  # fmt: skip
COUNTS = [
    ("How many customers are there?", "SELECT count(*) FROM customers"),
    ("What is the number of products?", "SELECT count(*) FROM products"),
    ("count the orders", "SELECT count(*) FROM orders"),
    ("How many customers are there in Germany?", f"SELECT count(*) FROM {HOME} WHERE k.name = 'Germany'"),
    ("How many German customers do we have?", f"SELECT count(*) FROM {HOME} WHERE k.name = 'Germany'"),
    ("How many customers do not live in Germany?", f"SELECT count(*) FROM {HOME} WHERE k.name <> 'Germany'"),
    (
        "How many customers placed exactly one order?",
        "SELECT count(*) FROM (SELECT customer_id FROM orders GROUP BY 1 HAVING count(*) = 1)",
    ),
    (
        "How many orders did German customers place in 2024?",
        "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id "
        "WHERE c.country_code = 'DE' AND o.order_date LIKE '2024-%'",
    ),
    ("How many orders were cancelled?", "SELECT count(*) FROM orders WHERE status = 'cancelled'"),
    ("How many orders were not completed?", "SELECT count(*) FROM orders WHERE status <> 'completed'"),
    (
        "How many cancelled orders were there in 2025?",
        "SELECT count(*) FROM orders WHERE status = 'cancelled' AND order_date LIKE '2025-%'",
    ),
    ("How many orders were placed since 2025?", "SELECT count(*) FROM orders WHERE order_date >= '2025-01-01'"),
    ("How many orders were placed before 2024?", "SELECT count(*) FROM orders WHERE order_date < '2024-01-01'"),
    ("How many orders were placed after 2024?", "SELECT count(*) FROM orders WHERE order_date >= '2025-01-01'"),
    (
        "How many orders were placed between 2023-01-01 and 2023-06-30?",
        "SELECT count(*) FROM orders WHERE order_date BETWEEN '2023-01-01' AND '2023-06-30'",
    ),
    (
        "How many orders in the first quarter of 2024?",
        "SELECT count(*) FROM orders WHERE order_date BETWEEN '2024-01-01' AND '2024-03-31'",
    ),
    ("How many orders were placed last year?", "SELECT count(*) FROM orders WHERE order_date LIKE '2024-%'"),
    ("How many orders were placed this month?", "SELECT count(*) FROM orders WHERE order_date LIKE '2025-11-%'"),
    ("how many customers do we have in total", "SELECT count(*) FROM customers"),
    ("How many orders are neither cancelled nor returned?",
     "SELECT count(*) FROM orders WHERE status NOT IN ('cancelled', 'returned')"),
    ("How many customers placed orders in 2024?",
     "SELECT count(DISTINCT customer_id) FROM orders WHERE order_date LIKE '2024-%'"),
    ("How many customers in Germany ordered in 2024?",
     "SELECT count(DISTINCT o.customer_id) FROM orders o JOIN customers c ON c.id = o.customer_id "
     "WHERE c.country_code = 'DE' AND o.order_date LIKE '2024-%'"),
    ("How many distinct customers ordered in 2025?",
     "SELECT count(DISTINCT customer_id) FROM orders WHERE order_date LIKE '2025-%'"),
    ("how many orders contain Furniture in 2024",
     f"SELECT count(DISTINCT o.id) FROM {SOLD} WHERE p.category_id = 1 AND o.order_date LIKE '2024-%'"),
    ("number of orders by corporate customers in 2024",
     "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id "
     "WHERE c.segment = 'Corporate' AND o.order_date LIKE '2024-%'"),
    ("How many different cities do customers live in?", "SELECT count(DISTINCT city) FROM customers"),
    ("Number of distinct segments", "SELECT count(DISTINCT segment) FROM customers"),
    (
        "How many customers bought a Pro Laptop?",
        f"SELECT count(DISTINCT o.customer_id) FROM {SOLD} WHERE p.name = 'Pro Laptop'",
    ),
    (
        "How many customers have no orders?",
        "SELECT count(*) FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)",
    ),
    (
        "How many orders are from customers in Spain?",
        "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.country_code = 'ES'",
    ),
]  # fmt: skip
FIGURES = [
    ("average number of orders per customer", "SELECT 1.0 * count(*) / count(DISTINCT customer_id) FROM orders"),
    ("share of orders that were cancelled", "SELECT 100.0 * avg(status = 'cancelled') FROM orders"),
    ("What percentage of customers live in Germany?",
     "SELECT 100.0 * avg(coalesce(k.name = 'Germany', 0)) FROM customers c LEFT JOIN countries k "
     "ON k.code = c.country_code"),
    ("share of cancelled orders in 2024",
     "SELECT 100.0 * avg(status = 'cancelled') FROM orders WHERE order_date LIKE '2024-%'"),
    ("What is the average price of products?", "SELECT avg(price) FROM products"),
    ("What is the highest price?", "SELECT max(price) FROM products"),
    ("minimum, maximum and average age of customers", "SELECT min(age), max(age), avg(age) FROM customers"),
    ("What is the total stock of all products?", "SELECT sum(stock) FROM products"),
    ("What is the average discount?", "SELECT avg(discount) FROM order_lines"),
    ("total revenue", f"SELECT {REVENUE} FROM {LINES}"),
    ("What was the revenue in 2024?", f"SELECT {REVENUE} FROM {LINES} WHERE o.order_date LIKE '2024-%'"),
    ("How much revenue did we make last month?",
     f"SELECT {REVENUE} FROM {LINES} WHERE o.order_date LIKE '2025-10-%'"),
    ("total sales in Germany", f"SELECT {REVENUE} FROM {BOUGHT} WHERE c.country_code = 'DE'"),
    ("Revenue of German customers in 2025",
     f"SELECT {REVENUE} FROM {BOUGHT} WHERE c.country_code = 'DE' AND o.order_date LIKE '2025-%'"),
    ("What is the total quantity sold of Pro Laptop?",
     "SELECT sum(quantity) FROM order_lines l JOIN products p ON p.id = l.product_id WHERE p.name = 'Pro Laptop'"),
    ("revenue between January and June 2024",
     f"SELECT {REVENUE} FROM {LINES} WHERE o.order_date >= '2024-01-01' AND o.order_date < '2024-07-01'"),
    ("What's our total revenue?", f"SELECT {REVENUE} FROM {LINES}"),
    ("What is the average order value in 2024?",
     f"SELECT avg(value) FROM (SELECT {REVENUE} AS value FROM {LINES} WHERE o.order_date LIKE '2024-%' "
     "GROUP BY o.id)"),
    ("average revenue per customer",
     f"SELECT avg(value) FROM (SELECT {REVENUE} AS value FROM {LINES} GROUP BY o.customer_id)"),
    ("Total revenue excluding cancelled orders",
     f"SELECT {REVENUE} FROM {LINES} WHERE o.status <> 'cancelled'"),
    ("revenue excluding cancelled and returned orders",
     f"SELECT {REVENUE} FROM {LINES} WHERE o.status NOT IN ('cancelled', 'returned')"),
    ("revenue of completed orders", f"SELECT {REVENUE} FROM {LINES} WHERE o.status = 'completed'"),
]  # fmt: skip
GROUPS = [
    ("total revenue and number of orders by country",
     f"SELECT k.name, {REVENUE}, count(DISTINCT o.id) FROM {BOUGHT} "
     "JOIN countries k ON k.code = c.country_code GROUP BY 1"),
    ("average order value by segment",
     f"SELECT segment, avg(value) FROM (SELECT segment, {REVENUE} AS value FROM {BOUGHT} GROUP BY o.id) GROUP BY 1"),
    ("Which categories had no orders in January 2023?",
     "SELECT name FROM categories WHERE id NOT IN (SELECT p.category_id FROM products p JOIN order_lines l ON "
     "l.product_id = p.id JOIN orders o ON o.id = l.order_id WHERE o.order_date LIKE '2023-01-%')"),
    ("Number of customers by segment", "SELECT segment, count(*) FROM customers GROUP BY 1"),
    ("How many products are in each category?",
     "SELECT g.name, count(*) FROM products p JOIN categories g ON g.id = p.category_id GROUP BY 1"),
    ("customers per country", f"SELECT k.name, count(*) FROM {HOME} GROUP BY 1"),
    ("Average price of products per category",
     "SELECT g.name, avg(price) FROM products p JOIN categories g ON g.id = p.category_id GROUP BY 1"),
    ("What is the average age of customers by country?", f"SELECT k.name, avg(age) FROM {HOME} GROUP BY 1"),
    ("Number of orders per month in 2024",
     "SELECT strftime('%Y-%m', order_date), count(*) FROM orders WHERE order_date LIKE '2024-%' GROUP BY 1"),
    ("How many orders per status?", "SELECT status, count(*) FROM orders GROUP BY 1"),
    ("How many orders does each customer have?",
     "SELECT c.name, count(*) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.id"),
    ("For each country, how many customers are there?", f"SELECT k.name, count(*) FROM {HOME} GROUP BY 1"),
    ("Revenue by country",
     f"SELECT k.name, {REVENUE} FROM {BOUGHT} JOIN countries k ON k.code = c.country_code GROUP BY 1"),
    ("Total revenue by category",
     f"SELECT g.name, {REVENUE} FROM {SOLD} JOIN categories g ON g.id = p.category_id GROUP BY 1"),
    ("revenue per year", f"SELECT strftime('%Y', o.order_date), {REVENUE} FROM {LINES} GROUP BY 1"),
    ("Monthly revenue in 2024",
     f"SELECT strftime('%Y-%m', o.order_date), {REVENUE} FROM {LINES} WHERE o.order_date LIKE '2024-%' GROUP BY 1"),
    ("Show me the revenue by month and category",
     f"SELECT strftime('%Y-%m', o.order_date), g.name, {REVENUE} FROM {SOLD} "
     "JOIN categories g ON g.id = p.category_id GROUP BY 1, 2"),
    ("total quantity by product in 2025",
     f"SELECT p.name, sum(l.quantity) FROM {SOLD} WHERE o.order_date LIKE '2025-%' GROUP BY 1"),
    ("Which countries have more than 20 customers?", f"SELECT k.name FROM {HOME} GROUP BY 1 HAVING count(*) > 20"),
    ("cities with at least 15 customers", "SELECT city FROM customers GROUP BY 1 HAVING count(*) >= 15"),
    ("Which customers placed more than 15 orders?",
     "SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id HAVING count(*) > 15"),
    ("customers with revenue over 10000", f"SELECT c.name FROM {BOUGHT} GROUP BY c.id HAVING {REVENUE} > 10000"),
]  # fmt: skip
RELATED = [
    ("Customers without orders", "SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)"),
    ("Which product has never been ordered?",
     "SELECT name FROM products WHERE id NOT IN (SELECT product_id FROM order_lines)"),
    ("countries without customers",
     "SELECT name FROM countries WHERE code NOT IN (SELECT country_code FROM customers)"),
    ("Which customers have ordered Furniture?",
     f"SELECT DISTINCT c.name FROM {BOUGHT} JOIN products p ON p.id = l.product_id WHERE p.category_id = 1"),
    ("customers with orders in 2023",
     "SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE order_date LIKE '2023-%')"),
    ("customers who have cancelled orders",
     "SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE status = 'cancelled')"),
    ("customers without orders in 2025",
     "SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE order_date LIKE '2025-%')"),
]  # fmt: skip
RANKED = [
    ("Top 10 customers by revenue", f"SELECT c.name, {REVENUE} FROM {BOUGHT} GROUP BY c.id ORDER BY 2 DESC LIMIT 10"),
    ("Top 3 countries by number of customers",
     f"SELECT k.name, count(*) FROM {HOME} GROUP BY 1 ORDER BY 2 DESC LIMIT 3"),
    ("top 5 products by total quantity in 2025",
     f"SELECT p.name, sum(l.quantity) FROM {SOLD} WHERE o.order_date LIKE '2025-%' GROUP BY p.id "
     "ORDER BY 2 DESC, p.id LIMIT 5"),
    ("top 3 cities by number of customers",
     "SELECT city, count(*) FROM customers GROUP BY 1 ORDER BY 2 DESC LIMIT 3"),
    ("bottom 2 categories by revenue",
     f"SELECT g.name, {REVENUE} FROM {SOLD} JOIN categories g ON g.id = p.category_id GROUP BY 1 ORDER BY 2 LIMIT 2"),
    ("Which category has the highest revenue?",
     f"SELECT g.name FROM {SOLD} JOIN categories g ON g.id = p.category_id GROUP BY 1 "
     f"ORDER BY {REVENUE} DESC LIMIT 1"),
    ("Which customer has the most orders?",
     "SELECT c.name FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.id "
     "ORDER BY count(*) DESC, c.id LIMIT 1"),
    ("Which month had the highest revenue?",
     f"SELECT strftime('%Y-%m', o.order_date) FROM {LINES} GROUP BY 1 ORDER BY {REVENUE} DESC LIMIT 1"),
    ("top customers in 2024 by revenue",
     f"SELECT c.name, {REVENUE} FROM {BOUGHT} WHERE o.order_date LIKE '2024-%' GROUP BY c.id ORDER BY 2 DESC"),
    ("Who are our top 3 customers by revenue in Germany?",
     f"SELECT c.name, {REVENUE} FROM {BOUGHT} WHERE c.country_code = 'DE' GROUP BY c.id ORDER BY 2 DESC LIMIT 3"),
    ("top 3 cities by revenue in Germany",
     f"SELECT c.city, {REVENUE} FROM {BOUGHT} WHERE c.country_code = 'DE' GROUP BY 1 ORDER BY 2 DESC LIMIT 3"),
    ("top 2 regions by number of orders",
     f"SELECT k.region, count(DISTINCT o.id) FROM {BOUGHT} JOIN countries k ON k.code = c.country_code "
     "GROUP BY 1 ORDER BY 2 DESC LIMIT 2"),
    ("top 3 customers by average order value",
     f"SELECT c.name, {REVENUE} / count(DISTINCT o.id) FROM {BOUGHT} GROUP BY c.id ORDER BY 2 DESC LIMIT 3"),
    ("categories by revenue ascending",
     f"SELECT g.name, {REVENUE} FROM {SOLD} JOIN categories g ON g.id = p.category_id GROUP BY 1 ORDER BY 2"),
    ("products by revenue", f"SELECT p.name, {REVENUE} FROM {SOLD} GROUP BY p.id ORDER BY 2 DESC"),
    ("which customer spent the most in 2024",
     f"SELECT c.name FROM {BOUGHT} WHERE o.order_date LIKE '2024-%' GROUP BY c.id ORDER BY {REVENUE} DESC LIMIT 1"),
    ("how many customers per country sorted by count descending",
     f"SELECT k.name, count(*) FROM {HOME} GROUP BY 1 ORDER BY 2 DESC"),
    ("Which city has the most customers?", "SELECT city FROM customers GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"),
    ("Show the 5 most expensive products", "SELECT name FROM products ORDER BY price DESC LIMIT 5"),
    ("What is the cheapest product?", "SELECT name FROM products ORDER BY price LIMIT 1"),
    ("name and price of the most expensive product", "SELECT name, price FROM products ORDER BY price DESC LIMIT 1"),
    ("Which product has the lowest price?", "SELECT name FROM products ORDER BY price LIMIT 1"),
    ("List the name and price of products ordered by price descending",
     "SELECT name, price FROM products ORDER BY price DESC"),
    ("names of customers in Paris in alphabetical order",
     "SELECT name FROM customers WHERE city = 'Paris' ORDER BY 1"),
    ("number of customers by city sorted by number of customers in descending order",
     "SELECT city, count(*) FROM customers GROUP BY 1 ORDER BY 2 DESC"),
]  # fmt: skip


def comparable(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(round(cell, 4) if isinstance(cell, float) else cell for cell in row) for row in rows]


@pytest.mark.parametrize(("question", "sql"), [*LISTS, *COUNTS, *FIGURES, *GROUPS, *RELATED])
def test_rows_are_those_of_the_hand_written_sql(
    question: str, sql: str, shop: Any, ask: Callable[[str], Draft]
) -> None:
    draft = ask(question)
    expected = comparable(shop.rows(sql))
    assert expected
    assert Counter(comparable(shop.rows(draft.sql))) == Counter(expected)


@pytest.mark.parametrize(("question", "sql"), RANKED)
def test_ranked_rows_come_in_the_order_asked_for(
    question: str, sql: str, shop: Any, ask: Callable[[str], Draft]
) -> None:
    rows, expected = comparable(shop.rows(ask(question).sql)), comparable(shop.rows(sql))
    assert Counter(rows) == Counter(expected)
    assert [row[-1] for row in rows] == [row[-1] for row in expected]


def test_top_customers_by_revenue_are_named_with_their_revenue(shop: Any, ask: Callable[[str], Draft]) -> None:
    draft = ask("Top 10 customers by revenue")
    cursor = shop.database.execute(draft.sql)
    assert [column[0] for column in cursor.description] == ["name", "revenue"]
    assert len(cursor.fetchall()) == 10
    assert draft.explanation.startswith("Read as: customers.name and the total revenue")
    assert "quantity * unit_price * (1 - discount)" in draft.explanation


def test_the_same_question_gives_the_same_sql(ask: Callable[[str], Draft]) -> None:
    assert ask("revenue by country in 2024") == ask("revenue by country in 2024")


def test_nothing_is_spent_on_a_model(ask: Callable[[str], Draft]) -> None:
    draft = ask("How many orders are there?")
    assert (draft.model, draft.tokens.total) == ("sqlchat-offline-1", 0)


def test_a_sum_is_never_multiplied_by_a_join(shop: Any, ask: Callable[[str], Draft]) -> None:
    """Stock of products that were ordered: each product once, however many lines name it."""
    rows = shop.rows(ask("What is the total stock of products that have order lines?").sql)
    expected = "SELECT sum(stock) FROM products WHERE id IN (SELECT product_id FROM order_lines)"
    assert rows == shop.rows(expected)


def test_what_is_relative_to_today_says_so(ask: Callable[[str], Draft]) -> None:
    assert any("2025-11-20" in text for text in ask("How many orders were placed last year?").assumptions)
