"""Chooses a chart for an answer's rows, as a Vega-Lite specification, from their types and values.

The rules follow the effectiveness ranking of Mackinlay (1986): position along a common scale first, so lines for
times, bars for categories, points for two amounts. A specification names the columns by their place (`c0`, `c1`),
since names may repeat or hold dots; it expects the rows as its `data.values`, one object a row.

For example, columns `month` (DATE) and `revenue` (NUMERIC) with twelve rows give the kind `time_series`: a line with
`c0` of type temporal on x and `c1` of type quantitative on y.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from sqlchat.connections.results import Results

Kind = Literal["none", "number", "time_series", "bars", "grouped_bars", "scatter"]
Role = Literal["time", "number", "category", "other"]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
OVER_TIME = "numbers over time"
MOST_ROWS = 5000
MOST_BARS, MOST_SERIES = 30, 12
LONGEST_LABEL = 80  # characters of a text that can stand on an axis
TIME_TYPE = re.compile(r"\b(date|datetime|timestamp\w*)\b", re.IGNORECASE)
ISO_TIME = re.compile(r"\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?")
KEY = re.compile(r"(^|_)(id|key|code|zip|year)$|[a-z]I[dD]$", re.IGNORECASE)
"""Names of numbers that are no amounts: they name a thing."""


@dataclass(frozen=True, slots=True)
class Chart:
    kind: Kind
    reason: str
    spec: dict[str, Any] | None
    """A Vega-Lite specification without data; None if a table shows more."""


def choose_chart(results: Results) -> Chart:
    """Choose the chart of `results`. Reads each value once; no value makes it fail."""
    if not results.row_count:
        return _draw_nothing("no rows")
    if results.row_count > MOST_ROWS:
        return _draw_nothing("too many rows")
    rows = results.read_rows()
    columns = list(zip(*rows, strict=True))
    roles = [
        _choose_role(name, type_, values)
        for name, type_, values in zip(results.columns, results.types, columns, strict=True)
    ]
    places = {role: [at for at, each in enumerate(roles) if each == role] for role in ("time", "number", "category")}
    times, numbers, categories = places["time"], places["number"], places["category"]
    if "other" in roles:
        return _draw_nothing("values that no axis has")
    if len(rows) == 1:
        return _draw_number(results, numbers[0]) if len(roles) == len(numbers) == 1 else _draw_nothing("a single row")
    if len(times) == 1 and numbers and len(categories) <= 1:
        return _draw_time_series(results, columns, times[0], numbers, categories)
    if not times and numbers and len(categories) in (1, 2):
        return _draw_bars(results, columns, numbers, categories)
    if not times and not categories and len(numbers) == 2:
        x, y = numbers
        return _make_chart(
            "scatter", "two numbers", "point", x=_make_axis(results, x, "quantitative"), y=_make_axis(results, y)
        )
    return _draw_nothing("no number to draw" if not numbers else "too many columns")


def _choose_role(name: str, type_: str, values: Sequence[Any]) -> Role:
    known = [value for value in values if value is not None]
    if not known:
        return "other"
    if all(isinstance(value, str) for value in known):
        if (TIME_TYPE.search(type_) or not type_ or "char" in type_.lower() or type_.upper() == "TEXT") and all(
            ISO_TIME.fullmatch(value) for value in known
        ):
            return "time"
        return "category" if all(len(value) <= LONGEST_LABEL for value in known) else "other"
    if all(isinstance(value, bool) for value in known):
        return "category"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return "category" if KEY.search(name) else "number"
    return "other"


def _draw_time_series(
    results: Results, columns: Sequence[Sequence[Any]], time: int, numbers: list[int], categories: list[int]
) -> Chart:
    x = _make_axis(results, time, "temporal")
    if categories and len(numbers) == 1 and len(set(columns[categories[0]])) <= MOST_SERIES:
        color = _make_axis(results, categories[0], "nominal")
        return _make_chart("time_series", OVER_TIME, "line", x=x, y=_make_axis(results, numbers[0]), color=color)
    if not categories and len(set(columns[time])) == len(columns[time]):
        return _draw_amounts(results, "time_series", x, numbers)
    return _draw_nothing("several rows for one time")


def _draw_bars(
    results: Results, columns: Sequence[Sequence[Any]], numbers: list[int], categories: list[int]
) -> Chart:
    first, counts = categories[0], [len(set(columns[at])) for at in categories]
    x = {**_make_axis(results, first, "nominal"), "sort": None}  # the order of the rows says something
    if counts[0] > MOST_BARS:
        return _draw_nothing("too many bars")
    if len(categories) == 2 and len(numbers) == 1 and counts[1] <= MOST_SERIES:
        color = _make_axis(results, categories[1], "nominal")
        offset = {"xOffset": {"field": f"c{categories[1]}"}}
        y = _make_axis(results, numbers[0])
        return _make_chart("grouped_bars", "a number for each pair", "bar", x=x, y=y, color=color, **offset)
    if len(categories) == 1 and counts[0] == len(columns[first]) and len(numbers) <= MOST_SERIES:
        kind: Kind = "bars" if len(numbers) == 1 else "grouped_bars"
        return _draw_amounts(results, kind, x, numbers)
    return _draw_nothing("several rows for one name")


def _draw_amounts(results: Results, kind: Kind, x: dict[str, Any], numbers: list[int]) -> Chart:
    """Draw one or several amounts along x; several become one field, with a color each."""
    mark, reason = ("line", OVER_TIME) if kind == "time_series" else ("bar", "a number for each name")
    if len(numbers) == 1:
        return _make_chart(kind, reason, mark, x=x, y=_make_axis(results, numbers[0]))
    names = {f"c{at}": results.columns[at] for at in numbers}
    labels = " : ".join(f"datum.amount == '{field}' ? {orjson.dumps(name).decode()}" for field, name in names.items())
    fold = [{"fold": [*names], "as": ["amount", "value"]}, {"calculate": f"{labels} : ''", "as": "name"}]
    offset = {"xOffset": {"field": "name"}} if mark == "bar" else {}
    color = {"field": "name", "type": "nominal", "title": None}
    y = {"field": "value", "type": "quantitative", "title": None}
    chart = _make_chart(kind, reason, mark, x=x, y=y, color=color, **offset)
    assert chart.spec is not None
    return Chart(kind, reason, {**chart.spec, "transform": fold})


def _draw_number(results: Results, at: int) -> Chart:
    text = {"field": f"c{at}", "type": "quantitative", "format": ",", "title": results.columns[at]}
    return _make_chart("number", "a single number", {"type": "text", "fontSize": 48}, text=text)


def _make_axis(results: Results, at: int, type_: str = "quantitative") -> dict[str, Any]:
    return {"field": f"c{at}", "type": type_, "title": results.columns[at]}


def _make_chart(kind: Kind, reason: str, mark: str | dict[str, Any], **encoding: Any) -> Chart:
    shown = {"type": mark, "tooltip": True} if isinstance(mark, str) else mark
    return Chart(kind, reason, {"$schema": SCHEMA, "mark": shown, "encoding": encoding})


def _draw_nothing(reason: str) -> Chart:
    return Chart("none", reason, None)
