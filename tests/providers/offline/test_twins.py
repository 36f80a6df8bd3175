"""Tables that share a name, and connections that are asked in turn."""

import time

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Task
from sqlchat.providers.offline.engine import OfflineProvider
from sqlchat.sql.catalog import Catalog, Column, Table

COLUMNS = (Column("id", "integer"), Column("price", "numeric"), Column("status", "text"))


def catalog(*names, path=("public",)):
    tables = tuple(Table(name, COLUMNS, schema=schema) for schema, name in names)
    return Catalog(tables, "postgres", default_schema=path[0], search_path=path)


def draft(question, of, values=None):
    return OfflineProvider().draft(Task(question, of, values=values or {}))


ORDERS = catalog(("backup", "orders"), ("public", "orders"))


@pytest.mark.parametrize(
    ("question", "schema"),
    [
        ("How many orders are there?", "public"),
        ("List all orders", "public"),
        ("How many public.orders are there?", "public"),
        ("How many orders in backup?", "backup"),
        ("How many backup.orders are there?", "backup"),
        ("How many backup orders are there?", "backup"),
    ],
)
def test_the_search_path_tells_tables_of_one_name_apart(question, schema):
    made = draft(question, ORDERS)
    assert f"FROM {schema}.orders" in made.sql
    named = "backup" in question or "public" in question
    assert named or '"orders" is read as the table public.orders.' in made.assumptions


def test_values_of_both_are_those_of_the_table_that_is_meant():
    values = {("backup", "orders", "status"): ("paid",), ("public", "orders", "status"): ("paid", "new")}
    assert "FROM public.orders WHERE" in draft("How many paid orders are there?", ORDERS, values).sql
    assert "FROM backup.orders WHERE" in draft("How many backup orders are paid?", ORDERS, values).sql


def test_the_whole_search_path_counts():
    of = catalog(("old", "orders"), ("b", "orders"), path=("a", "b"))
    assert "FROM b.orders" in draft("How many orders are there?", of).sql


def test_schemas_are_named_where_none_is_on_the_search_path():
    with pytest.raises(QuestionError, match=r"may mean backup\.orders or old\.orders"):
        draft("How many orders are there?", catalog(("old", "orders"), ("backup", "orders")))


def test_the_spelling_tells_names_of_other_letters_apart():
    of = catalog(("public", "invoices"), ("public", "Invoices"))
    assert "FROM public.invoices" in draft("How many invoices are there?", of).sql
    assert 'FROM public."Invoices"' in draft("How many Invoices are there?", of).sql


def test_asking_two_connections_in_turn_costs_nothing_extra():
    names = [("public", f"thing_{n}_kept") for n in range(800)]
    tasks = [Task("How many thing 5 kept are there?", catalog(*names, path=(path,)), values={}) for path in "ab"]
    provider = OfflineProvider()
    started = time.thread_time()
    for task in tasks:
        provider.draft(task)
    first = time.thread_time() - started
    later = []
    for _ in range(3):  # another program may keep the machine busy meanwhile
        started = time.thread_time()
        for task in tasks * 2:
            provider.draft(task)
        later.append(time.thread_time() - started)
    assert min(later) < first, "twice as many tasks"
