"""Which type columns have that people write in odd ways, and what they are told."""

import pytest


def column(*values):
    return "k;v\n" + "".join(f"row {number};{value}\n" for number, value in enumerate(values))


@pytest.mark.parametrize(
    ("values", "sql_type", "least"),
    [
        (["1", "Na", "n/A", "NULL", "3"], "INTEGER", 1),
        (["1.5", "#N/A", "nan", "missing", "N/V"], "NUMERIC", 1.5),
        (["3.1", ":", "2.9"], "NUMERIC", 2.9),
        (["2024-01-05", "0000-00-00", "2024-01-07"], "DATE", "2024-01-05"),
        (["+5", "-3", "+2"], "INTEGER", -3),
        (["+1.5", "2.5"], "NUMERIC", 1.5),
        (["1,2E+05", "3,4E-03"], "DOUBLE PRECISION", 0.0034),
        (["0.000e+00", " 0 "], "DOUBLE PRECISION", 0.0),
        (["(12.50)", "3.25"], "NUMERIC", -12.5),
        (["12,50-", "3,25"], "NUMERIC", -12.5),
    ],
)
def test_numbers_and_dates(profiled, values, sql_type, least):
    found = profiled(column(*values))["by_name"]["v"]
    assert (found["type"], found["min"]) == (sql_type, least)


@pytest.mark.parametrize(
    "values",
    [
        ["+49", "+1", "+33"],
        ["+4930123456", "+4989123"],
        ["01234", "98765", "10115"],
        ["1.2.3", "1.2.4"],
        ["10.0.0.1"] * 3,
    ],
)
def test_codes_stay_text_and_are_not_told(profiled, values):
    found = profiled(column(*values))
    assert found["by_name"]["v"]["type"] == "TEXT"
    assert found["warnings"] == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["1,5", "2.5", "3,7"], "written in several ways"),
        (["5*", "6", "7*", "8"], "'5*' (1)"),
        (["13.5 (1)", "12.1", "10.9"], "'13.5 (1)' (1)"),
        (["2024-01-05", "2024/01/06"], "no one format"),
    ],
)
def test_texts_that_are_nearly_values_are_told(profiled, values, words):
    found = profiled(column(*values))
    assert found["by_name"]["v"]["type"] == "TEXT"
    assert [words in warning for warning in found["warnings"]] == [True]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("date", 20240217, "days written 20240218"),
        ("order_date", 45294, "2024-01-04"),
        ("created_at", 1704067320, "seconds since 1970"),
        ("ts", 1704067320000, "milliseconds since 1970"),
    ],
)
def test_numbers_that_may_be_moments_are_told(profiled, name, value, words):
    found = profiled(f"{name},v\n{value},1\n{value + 1},2\n")
    assert found["by_name"][name]["type"] in {"INTEGER", "BIGINT"}
    assert any(words in warning for warning in found["warnings"])


@pytest.mark.parametrize(("name", "value"), [("amount", 45294), ("days", 12), ("candidates", 45294), ("date", 7)])
def test_other_numbers_are_not(profiled, name, value):
    assert profiled(f"{name},v\n{value},1\n{value + 1},2\n")["warnings"] == []


def test_compact_days_are_days_if_the_caller_says_so(profiled):
    found = profiled("date,v\n20240105,1\n20231231,2\n", types={"date": "DATE"})["by_name"]["date"]
    assert (found["type"], found["min"], found["max"]) == ("DATE", "2023-12-31", "2024-01-05")


def test_hours_and_minutes_past_a_day_are_told_and_read_if_the_caller_says_so(profiled):
    text = "spent,v\n25:30,1\n101:05,2\n"
    found = profiled(text)
    assert found["by_name"]["spent"]["type"] == "TEXT"
    assert "INTERVAL" in found["warnings"][0]
    given = profiled(text, types={"spent": "INTERVAL"})["by_name"]["spent"]
    assert (given["type"], given["max"]) == ("INTERVAL", "4 days, 5:05:00")


@pytest.mark.parametrize("name", ["version", "app_version", "Section", "Kapitel"])
def test_versions_are_no_decimals(profiled, name):
    found = profiled(f"{name},n\n1.9,1\n1.10,2\n")
    assert found["by_name"][name]["type"] == "TEXT"
    assert "1.10" in found["warnings"][0]
    assert profiled(f"{name},n\n1.9,1\n1.10,2\n", types={name: "NUMERIC"})["by_name"][name]["type"] == "NUMERIC"
