"""Which chart an answer's rows get."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sqlchat.chat.chart import MOST_ROWS, Chart, choose_chart
from sqlchat.connections.results import Results


def chart(columns: dict[str, str], *rows: tuple[Any, ...]) -> Chart:
    return choose_chart(Results(tuple(columns), tuple(columns.values()), orjson.dumps(rows), len(rows), False))


MONTHS = [("2024-01-01", 5), ("2024-02-01", 7.5), ("2024-03-01", None)]
DAYS = [("2024-01-01T10:00:00Z", 1, 2), ("2024-01-02T10:00:00Z", 2, 3)]
PAIRS = [("2024-01-01", "a", 1), ("2024-01-01", "b", 2)]
SHOPS = [("Berlin", 5), ("Paris", 7), (None, 3)]


@pytest.mark.parametrize(
    ("columns", "rows", "kind"),
    [
        ({"month": "DATE", "revenue": "NUMERIC"}, MONTHS, "time_series"),
        ({"month": "TEXT", "revenue": "REAL"}, [("2024-01", 1), ("2024-02", 2)], "time_series"),
        ({"day": "timestamptz", "a": "int", "b": "int"}, DAYS, "time_series"),
        ({"month": "DATE", "shop": "TEXT", "n": "INT"}, PAIRS, "time_series"),
        ({"month": "DATE", "n": "INT"}, [("2024-01-01", 1), ("2024-01-01", 2)], "none"),
        ({"shop": "TEXT", "revenue": "NUMERIC"}, SHOPS, "bars"),
        ({"shop_id": "INT", "revenue": "NUMERIC"}, [(1, 5), (2, 7)], "bars"),
        ({"paid": "BOOL", "n": "INT"}, [(True, 5), (False, 7)], "bars"),
        ({"shop": "TEXT", "n": "INT", "m": "INT"}, [("a", 1, 2), ("b", 2, 3)], "grouped_bars"),
        ({"shop": "TEXT", "size": "TEXT", "n": "INT"}, [("a", "S", 1), ("a", "L", 2)], "grouped_bars"),
        ({"shop": "TEXT", "n": "INT"}, [("a", 1), ("a", 2)], "none"),
        ({"shop": "TEXT", "n": "INT"}, [(str(n), n) for n in range(31)], "none"),
        ({"height": "REAL", "weight": "REAL"}, [(1.5, 50), (1.6, 60), (1.7, 65)], "scatter"),
        ({"n": "INT"}, [(42,)], "number"),
        ({"shop": "TEXT", "n": "INT"}, [("a", 42)], "none"),
        ({"shop": "TEXT"}, [("a",), ("b",)], "none"),
        ({"a": "INT", "b": "INT", "c": "INT"}, [(1, 2, 3), (2, 3, 4)], "none"),
        ({"n": "INT"}, [], "none"),
        ({"n": "INT"}, [(None,), (None,)], "none"),
        ({"tags": "JSON", "n": "INT"}, [(["x"], 1), (["y"], 2)], "none"),
        ({"text": "TEXT", "n": "INT"}, [("long " * 50, 1), ("b", 2)], "none"),
    ],
)  # fmt: skip
def test_rows_get_the_chart_that_shows_them(columns: dict[str, str], rows: list[Any], kind: str) -> None:
    found = chart(columns, *rows)
    assert found.kind == kind
    assert found.reason
    assert (found.spec is None) == (kind == "none")


def test_a_line_has_its_time_on_x_and_its_amount_on_y() -> None:
    found = chart({"month": "DATE", "revenue": "NUMERIC"}, *MONTHS)
    assert found.spec is not None
    assert found.spec["mark"] == {"type": "line", "tooltip": True}
    assert found.spec["encoding"] == {
        "x": {"field": "c0", "type": "temporal", "title": "month"},
        "y": {"field": "c1", "type": "quantitative", "title": "revenue"},
    }


def test_bars_keep_the_order_of_the_rows() -> None:
    found = chart({"shop": "TEXT", "revenue": "NUMERIC"}, *SHOPS)
    assert found.spec is not None
    assert found.spec["encoding"]["x"] == {"field": "c0", "type": "nominal", "title": "shop", "sort": None}


@pytest.mark.parametrize("name", ["a.b[0]", 'it\'s "x"', "'); alert(1); ('", "<script>", "same"])
def test_a_name_is_a_title_and_never_a_field_or_code(name: str) -> None:
    results = Results(("shop", name, "other"), ("TEXT", "INT", "INT"), b'[["a",1,2],["b",3,4]]', 2, False)
    found = choose_chart(results)
    assert found.spec is not None
    assert found.spec["transform"][0] == {"fold": ["c1", "c2"], "as": ["amount", "value"]}
    labels = found.spec["transform"][1]["calculate"]
    assert orjson.dumps(name).decode() in labels
    assert labels.count("datum.amount == ") == 2


def test_more_rows_than_can_be_drawn_get_none() -> None:
    found = chart({"a": "INT", "b": "INT"}, *[(n, n) for n in range(MOST_ROWS + 1)])
    assert (found.kind, found.reason) == ("none", "too many rows")


def test_numbers_beyond_a_double_do_not_fail() -> None:
    big = f'[[1,1{"0" * 400}],[2,1e400],[3,{"{"}"a":-1e999{"}"}]]'.encode()
    results = Results(("id", "n"), ("INT", "NUMERIC"), big, 3, False)
    assert choose_chart(results).kind in ("none", "scatter", "bars")
    assert [row[0] for row in results.read_rows()] == [1, 2, 3]
