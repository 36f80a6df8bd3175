"""A file's rows in the types of its profile: every value where it was, and nothing guessed a second time."""

import datetime
import decimal
import io
import json
import uuid

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlchat.files.options import Options
from sqlchat.files.profile import profile
from sqlchat.files.typed import TypedTable


@pytest.fixture
def typed(tmp_path):
    """typed(content, name) -> the table opened."""

    def open_(content: str | bytes, name: str = "data.csv", **options):
        path = tmp_path / "upload"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return TypedTable(str(path), name, Options(**options))

    return open_


def types(table):
    return {column.name: column.type for column in table.columns}


def rows(table):
    return [row for batch in table.batches() for row in batch.to_pylist()]


def parquet(**columns):
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("texts", "sql_type", "values"),
    [
        (["1", "", "-3"], "INTEGER", [1, None, -3]),
        (["1", "3000000000"], "BIGINT", [1, 3_000_000_000]),
        (["1.50", "-2", ".25"], "NUMERIC(3, 2)", ["1.50", "-2", ".25"]),
        (["-12", "5", "-.125"], "NUMERIC(5, 3)", ["-12", "5", "-.125"]),
        (["1e+3", "2.5"], "DOUBLE PRECISION", [1000.0, 2.5]),
        (["true", "FALSE"], "BOOLEAN", [True, False]),
        (["2024-02-29", "2023-01-01"], "DATE", [datetime.date(2024, 2, 29), datetime.date(2023, 1, 1)]),
        (["31.12.2024", "01.02.2023"], "DATE", [datetime.date(2024, 12, 31), datetime.date(2023, 2, 1)]),
        (
            ["12/31/2024 1:05 PM", "01/02/2023 12:00 AM"],
            "TIMESTAMP",
            [datetime.datetime(2024, 12, 31, 13, 5), datetime.datetime(2023, 1, 2)],
        ),
        (["2024-01-01T10:00:00+02:00"], "TIMESTAMP", [datetime.datetime(2024, 1, 1, 8)]),
        (
            ["2024-01-01 10:00", "2024-01-01 10:00:00.5"],
            "TIMESTAMP",
            [datetime.datetime(2024, 1, 1, 10), datetime.datetime(2024, 1, 1, 10, 0, 0, 500_000)],
        ),
        (["10:00", "23:59:59.25"], "TIME", [datetime.time(10), datetime.time(23, 59, 59, 250_000)]),
        (["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], "UUID", ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"]),
        (["[1, 2]", "{}"], "JSON", ["[1, 2]", "{}"]),
        (
            ["26:15:30", "-0:00:01", "NA"],
            "INTERVAL",
            [datetime.timedelta(hours=26, minutes=15, seconds=30), datetime.timedelta(seconds=-1), None],
        ),
        (["PT1H30M", "P1DT0.5S"], "INTERVAL", [datetime.timedelta(hours=1.5), datetime.timedelta(1, 0.5)]),
        (["007", "12"], "TEXT", ["007", "12"]),
        (["+1", "2"], "TEXT", ["+1", "2"]),
        (["12345678901234567890", "1"], "TEXT", ["12345678901234567890", "1"]),
        ([" a ", "b"], "TEXT", ["a", "b"]),
        (["NA", "x"], "TEXT", ["NA", "x"]),
        (["2024-01-01", "NA"], "DATE", [datetime.date(2024, 1, 1), None]),
        (["1.234,50 €", "-7 €"], "NUMERIC(6, 2)", ["1234.50", "-7"]),
        (["31.12.99", "--"], "DATE", [datetime.date(1999, 12, 31), None]),
        (["9:05", "10:30"], "TIME", [datetime.time(9, 5), datetime.time(10, 30)]),
        (["true", "?"], "BOOLEAN", [True, None]),
        (["01/02/2024", "03/04/2024"], "TEXT", ["01/02/2024", "03/04/2024"]),
    ],
)
def test_texts_become_what_the_profile_says(typed, texts, sql_type, values):
    cells = [text.replace('"', '""') for text in texts]
    table = typed("row,v\n" + "".join(f'{n},"{cell}"\n' for n, cell in enumerate(cells)))
    assert types(table)["v"] == sql_type
    assert [row["v"] for row in rows(table)] == values


@pytest.mark.parametrize(("text", "value"), [("NA", None), (" - ", None), ("   ", None), (" 7 ", 7), ("null", None)])
def test_words_for_no_value_are_nulls_among_numbers(typed, text, value):
    table = typed(f"row,v\n0,1\n1,{text}\n2,3\n")
    assert types(table)["v"] == "INTEGER"
    assert [row["v"] for row in rows(table)] == [1, value, 3]


def test_a_type_that_only_the_last_row_tells(typed):
    numbers = "".join(f"{n},{n}\n" for n in range(300_000))
    table = typed("row,v\n" + numbers + "300000,x\n")
    assert types(table) == {"row": "INTEGER", "v": "TEXT"}
    found = rows(table)
    assert len(found) == 300_001
    assert found[299_999] == {"row": 299_999, "v": "299999"}
    assert found[-1] == {"row": 300_000, "v": "x"}


def test_digits_of_all_blocks_count(typed):
    table = typed("row,v\n" + "".join(f"{n},{n}\n" for n in range(1_200_000)) + "1200000,-0.125\n1200001,123456789\n")
    assert types(table)["v"] == "NUMERIC(12, 3)"


def test_more_digits_than_any_numeric_has(typed):
    table = typed("row,v\n0,1234567890123456789012345678901.5\n1,0.12345678901234567890\n")
    assert types(table)["v"] == "DOUBLE PRECISION"
    assert "rounded, as no NUMERIC holds all its digits" in table.columns[1].remarks
    assert [row["v"] for row in rows(table)] == [1.2345678901234568e30, 0.12345678901234568]


def test_json_values_stay_in_their_rows(typed):
    documents = [
        {"id": 1, "n": 1, "mixed": 5, "deep": {"a": [1]}, "day": "2024-01-01"},
        {"id": 2, "mixed": "five", "late": True},
        {"id": 3, "n": 2.5, "mixed": None, "deep": [2**70], "day": "2024-01-03"},
    ]
    table = typed("\n".join(map(json.dumps, documents)), "data.jsonl")
    assert types(table) == {
        "id": "INTEGER",
        "n": "DOUBLE PRECISION",
        "mixed": "TEXT",
        "deep": "JSON",
        "day": "DATE",
        "late": "BOOLEAN",
    }
    found = rows(table)
    assert [row["n"] for row in found] == [1.0, None, 2.5]
    assert [row["mixed"] for row in found] == ["5", "five", None]
    assert [row["deep"] and json.loads(row["deep"]) for row in found] == [{"a": [1]}, None, [2**70]]
    assert [row["day"] for row in found] == [datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 3)]
    assert [row["late"] for row in found] == [None, True, None]


def test_json_beside_numbers_is_json(typed):
    table = typed('[{"v": 5}, {"v": {"a": 1}}, {"v": true}]', "data.json")
    assert types(table) == {"v": "JSON"}
    assert [json.loads(row["v"]) for row in rows(table)] == [5, {"a": 1}, True]


def test_integers_past_64_bits(typed):
    table = typed(f'[{{"v": {2**64}}}, {{"v": -1}}]', "data.json")
    assert types(table) == {"v": "NUMERIC(38, 0)"}
    assert [row["v"] for row in rows(table)] == [decimal.Decimal(2**64), decimal.Decimal(-1)]


def test_parquet_keeps_what_it_knows(typed):
    moment = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC)
    mine = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
    table = typed(
        parquet(
            small=pa.array([1, None], pa.int8()),
            big=pa.array([2**63, 1], pa.uint64()),
            price=pa.array([decimal.Decimal("1.50"), None], pa.decimal128(9, 2)),
            real=pa.array([None, 1.5], pa.float32()),
            day=pa.array([moment.date(), None], pa.date32()),
            zoned=pa.array([moment, None], pa.timestamp("ms", "Europe/Berlin")),
            fine=pa.array([1, 2_000], pa.timestamp("ns")),
            clock=pa.array([datetime.time(1, 2), None], pa.time32("s")),
            sure=pa.array([True, None]),
            kind=pa.array(["a", None]).dictionary_encode(),
            raw=pa.array(["ä".encode(), b"\xff\x00"], pa.binary()),
            deep=pa.array([{"a": 1}, None], pa.struct([("a", pa.int32())])),
            span=pa.array([datetime.timedelta(hours=1), None], pa.duration("s")),
            own=pa.array([mine.bytes, None], pa.uuid()),
            empty=pa.nulls(2),
        ),
        "data.parquet",
    )
    assert types(table) == {
        "small": "INTEGER",
        "big": "NUMERIC(19, 0)",
        "price": "NUMERIC(9, 2)",
        "real": "DOUBLE PRECISION",
        "day": "DATE",
        "zoned": "TIMESTAMP",
        "fine": "TIMESTAMP",
        "clock": "TIME",
        "sure": "BOOLEAN",
        "kind": "TEXT",
        "raw": "TEXT",
        "deep": "JSON",
        "span": "INTERVAL",
        "own": "UUID",
        "empty": "TEXT",
    }
    first, second = rows(table)
    assert first == {
        "small": 1,
        "big": decimal.Decimal(2**63),
        "price": decimal.Decimal("1.50"),
        "real": None,
        "day": datetime.date(2024, 1, 1),
        "zoned": datetime.datetime(2024, 1, 1, 12),
        "fine": datetime.datetime(1970, 1, 1),
        "clock": datetime.time(1, 2),
        "sure": True,
        "kind": "a",
        "raw": "ä",
        "deep": '{"a":1}',
        "span": datetime.timedelta(hours=1),
        "own": str(mine),
        "empty": None,
    }
    assert (second["raw"], second["real"], second["fine"]) == ("ff00", 1.5, datetime.datetime(1970, 1, 1, 0, 0, 0, 2))
    assert table.cut() == ["fine"]


def test_a_sheet(typed):
    book = io.BytesIO()
    with pd.ExcelWriter(book) as writer:
        pd.DataFrame({"a": [1]}).to_excel(writer, sheet_name="first", index=False)
        pd.DataFrame(
            {"id": [1, 2], "when": pd.to_datetime(["2024-01-01 09:30", "2024-01-02 10:00"]), "code": ["x", 12]}
        ).to_excel(writer, sheet_name="second", index=False)
    table = typed(book.getvalue(), "book.xlsx", sheet="second")
    assert types(table) == {"id": "INTEGER", "when": "TIMESTAMP", "code": "TEXT"}
    assert rows(table)[1] == {"id": 2, "when": datetime.datetime(2024, 1, 2, 10), "code": "12"}
    assert table.facts["sheet"] == "second"


def test_a_file_of_a_header_only(typed):
    table = typed("a,b\n")
    assert (table.row_count, types(table), rows(table)) == (0, {"a": "TEXT", "b": "TEXT"}, [])


CELLS = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(-1000, 1000, places=3).map(str),
    st.dates(datetime.date(1700, 1, 1), datetime.date(2200, 1, 1)).map(lambda day: day.strftime("%d.%m.%Y")),
    st.dates().map(str),
    st.sampled_from(["NA", "-", "", " 5 ", "true", "False", "007", "null", "1e5", "[]", "x"]),
)


@settings(max_examples=60)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=30))
def test_whatever_a_profile_accepts_is_converted(tmp_path, cells):
    """As many nulls in each column as the profile counts, and texts as they are written."""
    path = tmp_path / "any.csv"
    pd.DataFrame(cells, columns=["a", "b", "c"]).assign(row=range(len(cells))).to_csv(path, index=False)
    told = profile(str(path), "any.csv").as_dict()
    table = TypedTable(str(path), "any.csv", Options())
    found = rows(table)
    assert len(found) == told["row_count"] == table.row_count
    for place, column in enumerate(told["columns"]):
        values = [row[column["name"]] for row in found]
        assert values.count(None) == column["nulls"]
        assert types(table)[column["name"]].startswith(column["type"])
        if column["type"] == "TEXT":
            assert values == [row[place].strip() or None for row in cells]


def test_a_cell_merged_over_rows_has_its_value_in_each(typed):
    book = openpyxl.Workbook()
    for row in [["area", "shop", "units"], ["North", "a", 1], [None, "b", 2], ["South", "c", 3], [None, "d", 4]]:
        book.active.append(row)
    for cells in ("A2:A3", "A4:A5"):
        book.active.merge_cells(cells)
    kept = io.BytesIO()
    book.save(kept)
    table = typed(kept.getvalue(), "areas.xlsx")
    assert [row["area"] for row in rows(table)] == ["North", "North", "South", "South"]
    assert any("'area' has 2 cells merged over several rows" in warning for warning in table.warnings)
