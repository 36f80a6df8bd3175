"""Which verified examples are near to a question, and which one is the same."""

import logging
import uuid
from datetime import UTC, datetime

import pytest

from sqlchat.chat.examples import ExampleIndex, fixes_relative_dates, normalize_question
from sqlchat.store.knowledge import Example

QUESTIONS = (
    "How many customers are in France?",
    "Revenue per month in 2024",
    "Top 10 products by revenue",
    "How many orders were cancelled last week?",
    "Which employees report to Ann?",
)


def example(question):
    return Example(uuid.uuid4(), question, "SELECT 1", "", "v1", datetime.now(UTC))


@pytest.fixture(scope="module")
def index():
    return ExampleIndex([example(question) for question in QUESTIONS])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How many customers are in France?", "how many CUSTOMERS are  in france"),
        ("Café sales", "cafe\u0301 SALES!"),
        ("¿Cuántos clientes?", "cuantos clientes"),
        ("Paris, Rome: revenue.", "Paris Rome revenue"),
        ("people named “Ann”?", 'people named "Ann"'),
        ("What's new?", "what’s new"),
        ("Straße", "STRASSE"),
        ("\tHow many\n orders ?", "how many orders"),
        ("今日の売上は？", "今日の売上は"),
    ],
)
def test_the_same_question_in_another_spelling(one, other):
    assert normalize_question(one) == normalize_question(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("customers in France", "customers in Germany"),
        ("top 10 products", "top 100 products"),
        ("items above 1.5", "items above 15"),
        ("items above 1,5", "items above 15"),
        ("revenue > 5", "revenue < 5"),
        ("status != open", "status = open"),
        ("change of -5", "change of 5"),
        ("growth of 5%", "growth of 5"),
        ("C++ projects", "C projects"),
        ("revenue - cost", "revenue cost"),
        ('people named "Ann"', 'people named "ann"'),
        ('people named "Ann"', "people named Ann"),
        ("tax at 10:30", "tax at 1030"),
        ("パパの数", "ハハの数"),
        ("мои заказы", "мой заказы"),
        ("orders in 2023", "orders in 2024"),
        ("customers", "customer"),
        ("?", "!"),
        ("orders of customers", "customers of orders"),
    ],
)
def test_what_may_change_the_meaning_stays(one, other):
    assert normalize_question(one) != normalize_question(other)
    index = ExampleIndex([example(one)])
    assert index.find_same(other) is None
    assert index.find_same(one.upper() if '"' not in one else one)


@pytest.mark.parametrize(
    ("question", "nearest"),
    [
        ("customers in Germany", "How many customers are in France?"),
        ("cancelled orders", "How many orders were cancelled last week?"),
        ("top 5 products by revenue", "Top 10 products by revenue"),
        ("revenu per mnth in 2024", "Revenue per month in 2024"),
        ("who reports to Ann", "Which employees report to Ann?"),
    ],
)
def test_the_nearest_comes_first(index, question, nearest):
    assert index.find_nearest(question, 4)[0].question == nearest


@pytest.mark.parametrize("question", ["Will it rain tomorrow?", "how many", "", "日本"])
def test_what_has_nothing_in_common_is_not_near(index, question):
    assert index.find_nearest(question, 4) == []


def test_there_are_no_more_than_asked_for():
    index = ExampleIndex([example(f"customers in city {number}") for number in range(20)])
    assert len(index.find_nearest("customers in city 7", 4)) == 4
    assert index.find_nearest("customers in city 7", 4)[0].question == "customers in city 7"


def test_an_example_of_nothing_but_common_words_is_found_again():
    index = ExampleIndex([example("How many are there?"), example("???")])
    assert index.find_nearest("how many are there", 4)[0].question == "How many are there?"
    assert index.find_same("how many are there").question == "How many are there?"


def test_building_an_index_writes_nothing_to_the_log(caplog):
    caplog.set_level(logging.DEBUG)
    ExampleIndex([example("How many customers?")])
    assert caplog.records == []


def test_without_examples_nothing_is_near():
    assert ExampleIndex(()).find_nearest("customers", 4) == []
    assert ExampleIndex(()).find_same("customers") is None


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("Revenue last month", "SELECT 1 FROM orders WHERE at >= '2026-02-01' AND at < '2026-03-01'"),
        ("orders in the past 3 months", "SELECT 1 FROM orders WHERE at >= DATE '2025-12-01'"),
        ("Sales this year", "SELECT 1 FROM sales WHERE year = 2026"),
        ("last year compared with 2024", "SELECT 1 FROM sales WHERE year IN (2024, 2025)"),
        ("Revenue to date", "SELECT 1 FROM sales WHERE at >= '2026-01-01'"),
    ],
)
def test_a_fixed_date_for_a_time_relative_to_today_is_outlived(question, sql):
    assert fixes_relative_dates(question, sql)


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("Revenue in February 2026", "SELECT 1 FROM orders WHERE at >= '2026-02-01' AND at < '2026-03-01'"),
        ("Revenue last month", "SELECT 1 FROM orders WHERE at >= date_trunc('month', now()) - interval '1 month'"),
        ("Revenue last month", "SELECT 1 FROM orders WHERE month = (SELECT MAX(month) FROM orders)"),
        ("Orders since 2020 until today", "SELECT 1 FROM orders WHERE at BETWEEN '2020-01-01' AND CURRENT_DATE"),
        ("last month of 2024", "SELECT 1 FROM orders WHERE at >= '2024-12-01'"),
        ("last 5 orders of Ann", "SELECT 1 FROM orders WHERE id > 20260101 LIMIT 5"),
        ("sales yesterday", "SELECT 1 FROM sales WHERE at = date('now', '-1 day') AND shop = 2026"),
        ("orders this year above 2000 euros", "SELECT 1 FROM o WHERE total > 2000 AND y = EXTRACT(YEAR FROM now())"),
    ],
)
def test_what_says_its_year_or_looks_at_the_clock_is_not(question, sql):
    assert not fixes_relative_dates(question, sql)
