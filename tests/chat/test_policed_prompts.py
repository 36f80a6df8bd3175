"""What one connection hides from a model is not shown because another connection, to the same database, shows it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

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
