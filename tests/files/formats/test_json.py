"""JSON in the shapes that tables come in."""

import gzip
import json

import pytest

from sqlchat.errors import FileInvalidError, TooLargeError


def test_an_array_of_objects(profiled):
    rows = [{"id": 1, "price": 1.5, "ok": True, "tags": ["a"], "day": "2024-01-01", "code": "007"}, {"id": 2}]
    found = profiled(json.dumps(rows), "data.json")
    assert found["row_count"] == 2
    assert [(c["name"], c["type"], c["nulls"]) for c in found["columns"]] == [
        ("id", "INTEGER", 0),
        ("price", "DOUBLE PRECISION", 1),
        ("ok", "BOOLEAN", 1),
        ("tags", "JSON", 1),
        ("day", "DATE", 1),
        ("code", "TEXT", 1),
    ]


def test_a_string_of_digits_is_text(profiled):
    assert profiled('[{"a": "12"}]', "data.json")["columns"][0]["type"] == "TEXT"


@pytest.mark.parametrize("name", ["data.jsonl", "data.ndjson", "data.json"])
def test_json_lines(profiled, name):
    found = profiled('{"a": 1}\n\n{"a": 2, "b": null}\n{"a": 3}', name)
    assert (found["row_count"], [c["nulls"] for c in found["columns"]]) == (3, [0, 3])


def test_columns_that_come_late_are_null_before(profiled):
    rows = [{"a": i} for i in range(50_000)] + [{"a": 1, "late": 5}]
    assert profiled("\n".join(map(json.dumps, rows)), "data.jsonl")["by_name"]["late"]["nulls"] == 50_000


def test_an_object_of_arrays(profiled):
    found = profiled('{"a": [1, 2], "b": ["x", null]}', "data.json")
    assert (found["row_count"], [c["nulls"] for c in found["columns"]]) == (2, [0, 1])


def test_an_object_around_the_rows(profiled):
    found = profiled('{"count": 1, "data": [{"a": 1}]}', "data.json")
    assert [c["name"] for c in found["columns"]] == ["a"]
    assert "'data'" in found["warnings"][0]


def test_mixed_types_are_text_and_told(profiled):
    found = profiled('[{"a": 1}, {"a": "x"}]', "data.json")
    assert found["columns"][0]["type"] == "TEXT"
    assert "several types" in found["warnings"][0]


def test_numbers_past_64_bits_stay_exact_types(profiled):
    assert profiled('[{"a": 99999999999999999999}]', "data.json")["columns"][0]["type"] == "NUMERIC"


def test_nan_is_null_and_told(profiled):
    found = profiled('[{"a": NaN}, {"a": 1}]', "data.json")
    assert found["columns"][0]["nulls"] == 1
    assert "NaN for a value (1)" in found["warnings"][0]


def test_infinity_stays_a_number_and_is_told(profiled):
    result = profiled(
        '[{"a": 1.5, "b": "NaN"}, {"a": Infinity, "b": "Infinity"}, {"a": -Infinity, "b": 2.5}]', "data.json"
    )
    assert [c["type"] for c in result["columns"]] == ["DOUBLE PRECISION", "TEXT"]
    infinite, mixed = result["warnings"]
    assert "'a' has infinite values (2)" in infinite
    assert "'Infinity' (1)" in mixed
    assert "`nulls`" in mixed


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[{"a": 1},\n{"a": }]', 2),
        ('{"a": 1}\n{"a": 2\n', 3),
        ("[1, 2]", 1),
        ('[{"a": 1}] x', 1),
        ('[{"a": 1}', 1),
        ("nothing", 1),
        ('[{"a": ' + "[" * 100_000, 1),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(profiled, text, line):
    with pytest.raises(FileInvalidError) as refused:
        profiled(text, "data.json")
    assert refused.value.facts["line"] == line


@pytest.mark.parametrize("text", ["[]", '{"a": [1], "b": [1, 2]}', "[{}]", b'[{"a": "\xff"}]'])
def test_what_has_no_rows_is_refused(profiled, text):
    with pytest.raises(FileInvalidError):
        profiled(text, "data.json")


def test_too_many_keys_are_refused(profiled):
    with pytest.raises(TooLargeError, match="columns"):
        profiled("\n".join(f'{{"k{i}": 1}}' for i in range(5000)), "data.jsonl")


def test_half_a_surrogate_does_no_harm(profiled):
    assert profiled('[{"a": "\\ud800", "b": ["\\udfff"]}]', "data.json")["row_count"] == 1


def test_gzip(profiled):
    assert profiled(gzip.compress(b'{"a": 1}'), "data.jsonl.gz")["row_count"] == 1


def test_arrays_of_values_take_the_names_that_stand_elsewhere(profiled):
    text = {"meta": {"view": {"columns": [{"name": "id"}, {"name": "pop"}]}}, "data": [[1, 100], [2, 200]]}
    found = profiled(json.dumps(text), "data.json")
    assert [(c["name"], c["type"], c["max"]) for c in found["columns"]] == [
        ("id", "INTEGER", 2),
        ("pop", "INTEGER", 200),
    ]
