"""When two result sets count as the same."""

from __future__ import annotations

from typing import Any

import pytest

from sqlchat.chat.compare import Order, ResultSet, describe_difference


def rows(*rows: list[Any], columns: str = "abcdefgh") -> ResultSet:
    return ResultSet(tuple(columns[: len(rows[0])]), rows)


@pytest.mark.parametrize(
    ("gold", "got"),
    [
        (rows([1, "x"], [2, "y"]), rows([2, "y"], [1, "x"])),
        (rows([1, "x"], [2, "y"]), rows(["x", 1], ["y", 2])),
        (rows([1, 2], [2, 1]), rows([2, 1], [1, 2])),
        (rows([0.1 + 0.2]), rows([0.3])),
        (rows([1_000_000.25]), rows([1_000_000.5])),
        (rows([10]), rows([10.0])),
        (rows([None, "x"]), rows(["x", None])),
        (rows([{"a": 1, "b": [2]}]), rows([{"b": [2], "a": 1}])),
        (ResultSet(("a", "b"), []), ResultSet(("n", "m"), [])),
        (rows([1, 1, 2], [1, 2, 1], [2, 1, 1]), rows([2, 1, 1], [1, 1, 2], [1, 2, 1])),
    ],
    ids=["rows", "columns", "like columns", "float", "rounding", "10.0", "null", "json", "empty", "three alike"],
)
def test_the_same_content_is_the_same_whatever_its_order(gold: ResultSet, got: ResultSet) -> None:
    assert describe_difference(gold, got) == ""
    assert describe_difference(got, gold) == ""


@pytest.mark.parametrize(
    ("gold", "got", "why"),
    [
        (rows([1], [1], [2]), rows([1], [2], [2]), "other values"),
        (rows([1], [1]), rows([1]), "1 row where the gold has 2"),
        (rows([1, "x"], [2, "y"]), rows([1, "y"], [2, "x"]), "other values"),
        (rows([1_000_000]), rows([1_000_001]), "other values"),
        (rows([0.5]), rows([0.50001]), "other values"),
        (rows(["1"]), rows([1]), "other values"),
        (rows([True]), rows([1]), "other values"),
        (rows([None]), rows([0]), "other values"),
        (rows(["2024-01-01"]), rows(["2024-01-01T00:00:01"]), "other values"),
        (rows([7]), rows([7, "x"]), "2 columns, the gold's 1 among them"),
        (rows([7, "x"]), rows(["x"]), "only 1 of the gold's 2 columns"),
        (rows([7]), rows([8, 9]), "2 columns where the gold has 1"),
        (rows([7]), rows([8, 9], [8, 9]), "2 columns where the gold has 1, 2 rows where the gold has 1"),
    ],
)
def test_what_differs_is_told(gold: ResultSet, got: ResultSet, why: str) -> None:
    assert why in describe_difference(gold, got)


def test_cells_that_agree_column_by_column_but_not_row_by_row_differ() -> None:
    gold = rows(["a", 1, 1], ["b", 2, 2], ["c", 1, 2])
    got = rows(["a", 2, 1], ["b", 1, 2], ["c", 1, 2])
    assert describe_difference(gold, got) == "other values than the gold's"


def test_order_counts_where_the_gold_orders() -> None:
    gold, got = rows([3, "x"], [2, "y"]), rows([2, "y"], [3, "x"])
    assert describe_difference(gold, got, Order((0,))) == "the right rows in another order"
    assert describe_difference(gold, rows(["x", 3], ["y", 2]), Order((0,))) == ""


def test_ties_of_the_order_may_come_either_way() -> None:
    gold, got = rows([3, "x"], [3, "y"], [2, "z"]), rows([3, "y"], [3, "x"], [2, "z"])
    assert describe_difference(gold, got, Order((0,))) == ""
    assert describe_difference(gold, got, Order(("A",))) == "", "by name, in any case"
    assert describe_difference(gold, got, Order((0, 1))) == "the right rows in another order"
    assert describe_difference(gold, got, Order(None)) == "the right rows in another order", (
        "a key that is not put out"
    )
    assert describe_difference(gold, got, Order(("elsewhere",))) == "the right rows in another order"


def test_a_date_is_its_midnight() -> None:
    for midnight in ("2024-01-01T00:00:00", "2024-01-01 00:00:00.000", "2024-01-01T00:00:00+00:00"):
        assert describe_difference(rows(["2024-01-01", "x"]), rows([midnight, "x"])) == ""


def test_what_was_cut_off_is_not_compared() -> None:
    cut = ResultSet(("a",), [[1], [2]], truncated=True)
    assert describe_difference(cut, cut) == "more rows than the 2 that are compared"


def test_many_columns_alike_are_assigned_at_once() -> None:
    wide = [[1] * 60, [2] * 60]
    assert describe_difference(ResultSet(("a",) * 60, wide), ResultSet(("b",) * 60, wide[::-1])) == ""
