"""One number per unit of another, room for people, and figures of two periods: each is told, and none by a guess."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlchat.errors import QuestionError
from sqlchat.providers.base import Draft

Asking = Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]

QUARRY = """
CREATE TABLE trucks (id INTEGER PRIMARY KEY, name TEXT NOT NULL, payload_tonnes REAL, bought_on DATE);
INSERT INTO trucks VALUES (1, 'Red', 10, '2020-01-01'), (2, 'Blue', 20, '2021-01-01');
CREATE TABLE loads (id INTEGER PRIMARY KEY, truck_id INTEGER REFERENCES trucks, loaded_on DATE NOT NULL,
  delivered_on DATE, tonnes REAL NOT NULL, kilometres REAL, fee REAL NOT NULL, by_rail BOOLEAN, stone TEXT);
INSERT INTO loads VALUES (1, 1, '2024-01-31', '2024-02-01', 4, 10, 40, 1, 'slate'),
  (2, 1, '2024-02-01', '2024-02-02', 6, 10, 20, 0, 'sand'), (3, 2, '2025-02-03', '2025-02-04', 10, 30, 30, 0, 'sand');
CREATE TABLE plots (id INTEGER PRIMARY KEY, street TEXT, yearly_rent REAL, size_sqm REAL);
INSERT INTO plots VALUES (1, 'Kiln Row', 100, 50), (2, 'Kiln Row', 30, 10);
"""
SALES = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, placed_on DATE);
INSERT INTO orders VALUES (1, '2024-01-01'), (2, '2024-01-02');
CREATE TABLE sales (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders, quantity INTEGER,
  unit_price REAL, weight_kg REAL);
INSERT INTO sales VALUES (1, 1, 2, 5, 4), (2, 2, 1, 30, 6);
"""
HALLS = """
CREATE TABLE hosts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO hosts VALUES (1, 'Mia'), (2, 'Ben');
CREATE TABLE halls (id INTEGER PRIMARY KEY, name TEXT NOT NULL, max_guests INTEGER, min_guests INTEGER);
INSERT INTO halls VALUES (1, 'Oak', 20, 2), (2, 'Elm', 60, 9);
CREATE TABLE flats (id INTEGER PRIMARY KEY, street TEXT, adults INTEGER, children INTEGER);
INSERT INTO flats VALUES (1, 'Mill Lane', 2, 1), (2, 'Mill Lane', 1, NULL), (3, 'High Street', 2, 3);
CREATE TABLE events (id INTEGER PRIMARY KEY, hall_id INTEGER REFERENCES halls, host_id INTEGER REFERENCES hosts,
  flat_id INTEGER REFERENCES flats, held_on DATE);
INSERT INTO events VALUES (1, 1, 1, 1, '2025-01-01'), (2, 2, 2, 2, '2025-02-01');
CREATE TABLE sheds (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO sheds VALUES (1, 'Tool Shed');
"""


@pytest.mark.parametrize(
    ("script", "question", "rows"),
    [
        (QUARRY, "fees per tonne", [(4.5,)]),
        (QUARRY, "total fee per tonne in 2024", [(6.0,)]),
        (SALES, "revenue per kg", [(4.0,)]),
        (QUARRY, "fee per kilometre for each truck", [("Red", 3.0), ("Blue", 1.0)]),
        (QUARRY, "how much did we earn per kilometre, for each truck?", [("Red", 3.0), ("Blue", 1.0)]),
        (QUARRY, "tonnes per payload tonne for each truck", [("Red", 1.0), ("Blue", 0.5)]),
        (QUARRY, "which truck has the highest fee per tonne", [("Red",)]),
        (QUARRY, "which stone has the highest fee per tonne", [("slate",)]),
        (QUARRY, "rent per square metre of the plots in Kiln Row", [(1, 2.0), (2, 3.0)]),
        (QUARRY, "average revenue by stone", [("slate", 40.0), ("sand", 25.0)]),
        (QUARRY, "average tonnes in 2024 and in 2025", [("2024", 5.0), ("2025", 10.0)]),
        (QUARRY, "tonnes per month of delivery in 2024", [("2024-02", 10.0)]),
        (HALLS, "which halls can take 50 people", [("Elm",)]),
        (HALLS, "halls big enough for more than 20", [("Elm",)]),
        (HALLS, "how many people live in all our flats together?", [(9,)]),
        (HALLS, "how many people live in the flats in Mill Lane?", [(4,)]),
    ],
)
def test_a_figure_is_what_its_words_ask_for(
    script: str, question: str, rows: list[tuple[Any, ...]], asking: Asking
) -> None:
    assert asking(script, question)[1] == rows


@pytest.mark.parametrize(
    ("script", "question"),
    [
        (QUARRY, "highest fee per tonne and stone"),
        (QUARRY, "how many trucks had loads in 2024 and in 2025"),
        (QUARRY, "how long does a delivery by rail take"),
        (HALLS, "which sheds can take 5 people"),
        (HALLS, "events for 6 people"),
        (HALLS, "how many people live in sheds"),
        (HALLS, "how many hosts did each host have in 2025"),
    ],
)
def test_what_nothing_tells_is_refused(script: str, question: str, asking: Asking) -> None:
    with pytest.raises(QuestionError):
        asking(script, question)


def test_an_average_of_a_measure_is_offered_for_what_it_may_be_taken_of(asking: Asking) -> None:
    with pytest.raises(QuestionError) as caught:
        asking(SALES, "average revenue")
    assert caught.value.facts["suggestions"][0] == "average revenue per order"


def test_a_ratio_is_told(asking: Asking) -> None:
    draft, _ = asking(QUARRY, "fees per tonne")
    assert "The total of fee is divided by that of loads.tonnes." in draft.assumptions
