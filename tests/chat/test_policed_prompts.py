"""What one connection hides from a model is not shown because another connection, to the same database, shows it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.policies.hidden_names import HiddenNames, find_hidden_names
from sqlchat.store import Entry
from sqlchat.store.knowledge import BusinessContext, Term

OWNER = "local"
WIDE = "".join(
    f"CREATE TABLE payroll_{n} (id integer, secret_salary_{n} text, payroll_note_{n} text);" for n in range(60)
)
POLICY = {"deny_tables": ["payroll_1*"], "deny_columns": ["*.secret_salary_2*"]}


@pytest.mark.parametrize("budget", [100_000, 1_000])
@pytest.mark.parametrize("privacy", ["schema", "samples"])
def test_a_prompt_holds_no_name_that_a_policy_denies(house, tmp_path: Path, budget: int, privacy) -> None:
    with closing(sqlite3.connect(tmp_path / "wide.sqlite")) as database:
        database.executescript(WIDE)
    fields = "sqlite", {"database": "wide.sqlite"}
    house.manager.create(OWNER, fields[0], "open", fields[1], privacy=privacy)
    house.manager.create("another", fields[0], "policed", fields[1], POLICY, privacy=privacy)
    pipeline = house.pipeline_with(replace(house.settings, prompt_budget=budget), house.factory)
    text = "What are payroll_10, secret_salary_20 and payroll_note_2?"
    for _ in range(2):
        _, shown = pipeline.make_prompt(house.question(text, "open"))
        assert "secret_salary_2" in str(shown)
        _, policed = pipeline.make_prompt(house.question(text, "policed", "another"))
        catalog = str(policed).rpartition("\\n<catalog>")[2].partition("</catalog>")[0]
        assert "payroll_note_2" in catalog
        assert "payroll_10" not in catalog
        assert "secret_salary_2" not in catalog


def test_the_version_of_a_catalog_changes_with_the_policy(house) -> None:
    versions = set()
    for name, policy in (("a", None), ("b", {"deny_tables": ["orders"]}), ("c", {"deny_columns": ["orders.total"]})):
        house.manager.create(OWNER, "sqlite", name, {"database": "shop.sqlite"}, policy)
        versions.add(house.manager.open(OWNER, name).catalog.version)
    assert len(versions) == 3


TOLD = BusinessContext(
    "Amounts are in euros.\nSee orders.total for what a thing cost.\nPAYROLL is monthly.",
    (
        Term("order count", "How many there are.", "COUNT(orders.id)"),
        Term("revenue", "All that came in.", 'SUM("Orders" . total)'),
        Term("wages", "All that went out.", "(SELECT SUM(pay) FROM payroll)"),
        Term("earnings", "From orders.total alone."),
    ),
)


def test_what_was_told_before_a_policy_shows_nothing_that_it_denies(house, tmp_path: Path, model) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as database:
        database.execute("CREATE TABLE payroll (id integer, pay integer)")
    house.manager.create(OWNER, "sqlite", "policed", {"database": "shop.sqlite"})
    house.store.knowledge.replace_context(OWNER, "policed", TOLD)
    text = "Order count, revenue, wages and earnings of all"
    model.says("SELECT SUM(total) FROM orders")
    entry = Entry(OWNER, "policed", "chat", question="What came in?")
    first = house.pipeline.answer(house.question("What came in?", "policed"), entry)
    entry.outcome = "ok"
    house.store.history.add(entry)
    question = replace(house.question(text, "policed"), conversation=first.conversation)

    def shown(question) -> str:
        return str(house.pipeline.make_prompt(question)[1]).lower()

    assert all(part in shown(question) for part in ("sum(total)", "payroll", "orders.total", "came in?"))
    house.manager.change(OWNER, "policed", {"policy": {"deny_tables": ["payroll"], "deny_columns": ["orders.total"]}})
    prompt = shown(question).rpartition("</instructions>")[2]
    assert all(part in prompt for part in ("count(orders.id)", "amounts are in euros"))
    assert not any(part in prompt for part in ("sum(total)", "payroll", "orders.total", "sum(", "pay)"))


@pytest.mark.parametrize(
    ("text", "is_in_sql", "is_in_text"),
    [
        ("SUM(unit_cost)", True, True),
        ("sum(x.UNIT_COST)", True, True),
        ("the date", True, False),
        ('orders."date"', True, True),
        ("name of wages", True, True),
        ('"per cent" + 1', True, True),
        ("orders.total", False, False),
        ("orders.name", True, True),
        ("customers.name", False, False),
        ("orders, name", False, False),
        ("dated, unit, cost, wage", False, False),
    ],
)
def test_hidden_names_are_found_in_texts(text: str, is_in_sql: bool, is_in_text: bool) -> None:
    def holding(*tables: tuple[str, str]) -> Catalog:
        columns = {name: tuple(Column(each, "") for each in of.split(",")) for name, of in tables}
        return Catalog(tuple(Table(name, of) for name, of in columns.items()), "sqlite", "")

    full = holding(("orders", "id,total,unit_cost,date,name,per cent"), ("customers", "id,name"), ("wages", "id,sum"))
    names = find_hidden_names(full, holding(("orders", "id,total"), ("customers", "id,name")))
    assert (names.are_in_sql(text), names.are_in_text(text)) == (is_in_sql, is_in_text)
    assert not HiddenNames().are_in_sql(text)
