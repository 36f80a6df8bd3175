"""What values look like in JSON."""

import datetime
import json
import uuid
from decimal import Decimal

import orjson
import pytest

from sqlchat.connections.encoding import DEEPEST, encode_rows, is_deep

UTC = datetime.UTC
INDIA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (2**64 - 1, "18446744073709551615"),
        (2**127, "170141183460469231731687303715884105728"),
        (-(2**63) - 1, "-9223372036854775809"),
        (0.1, "0.1"),
        (float("nan"), '"NaN"'),
        (float("-inf"), '"-Infinity"'),
        ([1.5, {"a": (float("inf"), None)}], '[1.5,{"a":["Infinity",null]}]'),
        (Decimal("12345678901234567890.123456789000"), "12345678901234567890.123456789000"),
        (Decimal("0.0000000000"), "0.0000000000"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E+5000"), "1E+5000"),
        (Decimal("NaN"), '"NaN"'),
        (Decimal("Infinity"), '"Infinity"'),
        ("größe\n\u2028", '"größe\\n\u2028"'),
        (b"\x00\xff", '"AP8="'),
        (memoryview(b"abc"), '"YWJj"'),
        (datetime.date(2024, 2, 29), '"2024-02-29"'),
        (datetime.datetime(2024, 2, 29, 1, 2, 3, 500000), '"2024-02-29T01:02:03.500000"'),
        (datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC), '"2024-02-29T01:02:03+00:00"'),
        (datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=INDIA), '"2024-02-29T01:02:03+05:30"'),
        (datetime.time(1, 2, 3), '"01:02:03"'),
        (datetime.time(1, 2, 3, tzinfo=INDIA), '"01:02:03+05:30"'),
        (datetime.timedelta(days=3, hours=4, seconds=6, milliseconds=700), '"3 days 04:00:06.7"'),
        (datetime.timedelta(days=1), '"1 day"'),
        (-datetime.timedelta(seconds=1), '"-00:00:01"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        ([1, [None, Decimal("1.50")]], "[1,[null,1.50]]"),
        ((1, 2), "[1,2]"),
        ({"a": {"b": b"x"}}, '{"a":{"b":"eA=="}}'),
        ({1: "x", None: "y"}, '{"1":"x","null":"y"}'),
        ({(1, 2): "x", 2**70: "y"}, '{"[1,2]":"x","1180591620717411303424":"y"}'),
        ("\ud800", '"�"'),
    ],
)
def test_a_value_keeps_its_meaning(value, written):
    assert encode_rows([(value,)]).decode() == f"[[{written}]]"
    beside_a_large_number = encode_rows([[value, 2**80]]).decode()
    assert beside_a_large_number == f"[[{written},{2**80}]]"


def test_digits_beside_what_is_no_number_stay_digits():
    digits = orjson.Fragment("170141183460469231731687303715884105727")
    written = encode_rows([(digits, float("nan"), {"a": digits})])
    assert (
        written == b'[[170141183460469231731687303715884105727,"NaN",{"a":170141183460469231731687303715884105727}]]'
    )


def test_rows_come_from_any_iterable():
    assert json.loads(encode_rows((n, str(n)) for n in range(3))) == [[0, "0"], [1, "1"], [2, "2"]]


def test_no_rows():
    assert encode_rows([]) == b"[]"


@pytest.mark.parametrize(
    ("opening", "closing", "levels"), [(b"[", b"]", 1), (b'{"a":', b"}", 1), (b'[{"]":', b"}]", 2)]
)
def test_how_deep_a_value_is_nested_is_told_by_its_brackets(opening, closing, levels):
    for times in (1, 10, 30, 31, 60, 61, 3000):
        assert is_deep(opening * times + b"1" + closing * times) == (times * levels > DEEPEST)


@pytest.mark.parametrize("value", [b"[" + b",".join([b'{"a":[]}'] * 5000) + b"]", b'["' + b'[{\\"' * 5000 + b'"]'])
def test_a_value_that_is_only_wide_or_holds_brackets_in_its_texts_is_not_deep(value):
    assert not is_deep(value)
