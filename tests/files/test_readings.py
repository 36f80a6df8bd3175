"""SQL types of texts: true for all rows, and nothing that a round trip would change."""

import pyarrow as pa
import pytest

from sqlchat.errors import FileInvalidError
from sqlchat.files.options import Options
from sqlchat.files.readings import READINGS, apply_readings, list_readings


@pytest.mark.parametrize(
    ("texts", "sql_type"),
    [
        (["9223372036854775807"], "BIGINT"),
        (["9223372036854775808"], "TEXT"),
        (["4111111111111111", "12345678901234567890"], "TEXT"),
        (["0.1234567890123456789"], "NUMERIC"),
        (["1E5", "2E10"], "TEXT"),
        (["1.5", "2e10"], "TEXT"),
        (["1", "2.5", "3E-2"], "DOUBLE PRECISION"),
        (["-01", "2"], "TEXT"),
        (["00.5"], "TEXT"),
        (["7", "-00.5"], "TEXT"),
        (["-0.5", "0", "0.25"], "NUMERIC"),
        (["7", "12345678901234567890.5"], "NUMERIC"),
        (["7.5", "12345678901234567890"], "TEXT"),
        (["0x10"], "TEXT"),
        (["true", "1"], "TEXT"),
        (["yes", "no"], "TEXT"),
        (["2023-02-29"], "TEXT"),
        (["13/01/2024", "02/03/2024"], "DATE"),
        (["01/13/2024", "02/03/2024"], "DATE"),
        (["13/01/2024", "01/13/2024"], "TEXT"),
        (["3 Mar 2024", "14 Apr 2024"], "DATE"),
        (["2024-01-01", "01.02.2024"], "TEXT"),
        (["2024-01-01 10:00:00", "2024-01-01T10:00:00.5"], "TIMESTAMP"),
        (["2024-01-01", "2024-01-01 10:00"], "TEXT"),
        (["2024-01-01T10:00:00Z", "2024-01-01T10:00:00+02:00"], "TIMESTAMP"),
        (["2024-01-01T10:00:00Z", "2024-01-01T10:00:00"], "TEXT"),
        (["13/01/2024 10:30", "01/02/2024 11:00"], "TIMESTAMP"),
        (["1/31/2024 5:30 PM", "2/1/2024 6:00 AM"], "TIMESTAMP"),
        (["25:00:00"], "INTERVAL"),
        (["1:30:00", "112:00:05"], "INTERVAL"),
        (["1:30:00", "23:59:59"], "TIME"),
        (["PT1H30M", "P1DT2H"], "INTERVAL"),
        (["25:30", "3:15"], "TEXT"),
        (["26:75:00", "1:00:00"], "TEXT"),
        (["123e4567-e89b-12d3-a456-426614174000"], "UUID"),
        (['"{""a"": 1}"', '"[1, 2]"'], "JSON"),
        (['"{""a"": 1}"', "{oops}"], "TEXT"),
        (["NA", "N/A"], "TEXT"),
        (["NA", "text"], "TEXT"),
        (["None", "2024-01-01"], "DATE"),
        (["12/31/99", "1/5/24"], "DATE"),
        (["17-03-24"], "TEXT"),
        (["5-Mar-24"], "DATE"),
        (["2014-7-1"], "DATE"),
        (["2024.01.31"], "DATE"),
        (["March 5 2024"], "DATE"),
        (["9:05 AM", "10:30 pm"], "TIME"),
        (["2024-02-05 10:00:00 UTC"], "TIMESTAMP"),
        (["2024-02-05 10:00 +0200"], "TIMESTAMP"),
        (["１２"], "TEXT"),
    ],
)
def test_type_of_a_column(profiled, texts, sql_type):
    quoted = [text if text.startswith('"') or "," not in text else f'"{text}"' for text in texts]
    found = profiled("\n".join(["value,other", *(f"{text},x" for text in quoted)]))
    assert found["by_name"]["value"]["type"] == sql_type


def test_a_type_that_holds_late_holds_in_every_block(profiled):
    rows = ["n,m", *("NA,1" for _ in range(2_000_000)), *("5,2.5" for _ in range(2_000_000))]
    n, m = profiled("\n".join(rows))["columns"]
    assert (n["type"], n["nulls"], n["mean"], n["distinct"]) == ("INTEGER", 2_000_000, 5, 1)
    assert (m["type"], m["mean"], m["top"][0]["count"]) == ("NUMERIC", 1.75, 2_000_000)


def test_words_for_no_value_are_told(profiled):
    found = profiled("n,t\n1,NA\nNA,x\n,\n1,x\n")
    n, t = found["columns"]
    assert (n["type"], n["nulls"], n["distinct"]) == ("INTEGER", 2, 1)
    assert (t["type"], t["nulls"], t["distinct"]) == ("TEXT", 1, 2)
    assert found["warnings"] == ["'n' is INTEGER but for 'NA' (1), which were counted as nulls."]


def test_strays_among_numbers_are_told_with_their_count(profiled):
    found = profiled("v\n" + "1.5\n" * 30 + "tbd\ntbd\n")
    assert found["columns"][0]["type"] == "TEXT"
    assert "30 of 32 values are numbers; the others: 'tbd' (2)" in found["warnings"][0]


def test_ambiguous_dates_are_told(profiled):
    assert "%d/%m/%Y or %m/%d/%Y" in profiled("d\n01/02/2024\n03/04/2024\n")["warnings"][0]


def test_bounds_are_those_of_the_type(profiled):
    found = profiled("n,d,t,big\n10,31.01.2024,b,1\n9,01.02.2024,a,1\n")["by_name"]
    assert (found["n"]["min"], found["n"]["max"], found["n"]["example"], found["n"]["mean"]) == (9, 10, 10, 9.5)
    assert (found["d"]["min"], found["d"]["max"], found["d"]["format"]) == ("2024-01-31", "2024-02-01", "%d.%m.%Y")
    assert (found["t"]["min"], found["t"]["max"]) == ("a", "b")


def test_values_are_told_apart_by_what_they_are(profiled):
    found = profiled("n,b,t,code\n1.50,TRUE,2024-01-01 10:00,1\n1.5,true,2024-01-01T10:00:00,01\n2,False,,1\n")[
        "by_name"
    ]
    assert [found[name]["distinct"] for name in ("n", "b", "t", "code")] == [2, 2, 1, 2]
    assert found["n"]["top"] == [{"value": 1.5, "count": 2}, {"value": 2, "count": 1}]


def test_distinct_texts_are_counted_where_the_first_million_were_numbers(profiled):
    found = profiled("c\n" + "7\n8.0\n8\n" * 1_500_000 + "x\n")["columns"][0]
    assert (found["type"], found["distinct"], found["min"], found["max"]) == ("TEXT", 4, "7", "x")


@pytest.mark.parametrize(
    ("texts", "format", "fits"),
    [
        (["2024-01-31", "1999-12-01"], "%Y-%m-%d", True),
        (["2024-01-31 10:00:00", "1999-12-01 09:05:59"], "%Y-%m-%d %H:%M:%S", True),
        (["2024-01-31 10:00", "1999-12-01 09:05"], "%Y-%m-%d %H:%M", True),
        (["2024-01-31 10:00:00"] * 40 + ["2024-01-31T10:00:00"], "%Y-%m-%d %H:%M:%S", False),
        (["2024-01-31 10:00:00"] * 40 + ["2024-01-31 10:00"], "%Y-%m-%d %H:%M:%S", False),
    ],
)
def test_texts_of_iso_8601_fit_their_format_if_it_reads_them_alike(texts, format, fits):
    array = pa.array(texts)
    shared = apply_readings(array, list_readings(Options())).get(format)
    read = READINGS[format].fit(array)
    assert (shared is not None, read is not None) == (fits, fits)
    if shared is not None:
        assert (shared.least, shared.most) == (read.least, read.most)


def test_a_day_with_a_dot_behind_its_year(profiled):
    found = profiled("datum;gost\n1.2.2024.;A\n15.2.2024.;B\n")
    assert (found["by_name"]["datum"]["type"], found["by_name"]["datum"]["max"]) == ("DATE", "2024-02-15")


def test_infinite_values_are_numbers_among_fractions(profiled):
    content = "v\n1.5\nInfinity\n-inf\nNaN\n+Inf\n"
    result = profiled(content)
    assert (result["columns"][0]["type"], result["columns"][0]["nulls"]) == ("DOUBLE PRECISION", 1)
    infinite, missing = result["warnings"]
    assert "infinite values (3)" in infinite
    assert "`nulls`" in infinite
    assert "'NaN' (1)" in missing
    column = profiled(content, nulls=("Infinity", "-inf", "+Inf"))["columns"][0]
    assert (column["type"], column["nulls"]) == ("NUMERIC", 4)


def test_infinite_values_among_whole_numbers_are_left_to_the_caller(profiled):
    result = profiled("v\n1\ninf\n3\n")
    assert result["columns"][0]["type"] == "TEXT"
    (warning,) = result["warnings"]
    assert "infinite values (1)" in warning
    assert "`types`" in warning
    assert "`nulls`" in warning
    assert profiled("v\n1\ninf\n3\n", types={"v": "DOUBLE"})["columns"][0]["type"] == "DOUBLE PRECISION"
    with pytest.raises(FileInvalidError, match="cannot be read as INTEGER"):
        profiled("v\n1\ninf\n3\n", types={"v": "INTEGER"})
    assert not profiled("v\ninf\ninf\n")["warnings"]


def test_infinite_values_are_told_where_the_first_million_were_none(profiled):
    result = profiled("v\n" + "1.5\n" * 2_500_000 + "inf\n")
    assert result["columns"][0]["type"] == "DOUBLE PRECISION"
    assert "infinite values (1)" in result["warnings"][0]
