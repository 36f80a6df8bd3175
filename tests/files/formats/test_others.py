"""Spreadsheets but .xlsx, archives, databases, nested JSON: each as a table with the types that it has."""

import datetime
import io
import json
import sqlite3
import zipfile

import duckdb
import openpyxl
import pytest

from sqlchat.errors import FileInvalidError, UnsupportedMediaError


def types(found):
    return {column["name"]: column["type"] for column in found["columns"]}


def archive(**members):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return kept.getvalue()


def saved(book):
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize(("name", "separator"), [("a.tab", "\t"), ("a.psv", "|")])
def test_names_that_say_the_delimiter(profiled, name, separator):
    assert types(profiled(f"id{separator}x\n1{separator}a,b\n", name)) == {"id": "INTEGER", "x": "TEXT"}


def test_a_zip_of_one_table(profiled):
    found = profiled(archive(a__csv="id\n1\n2\n", README__md="about"), "export.zip")
    assert (found["row_count"], found["compression"]) == (2, "zip")


def test_a_text_that_tells_of_a_zip_is_no_table(profiled):
    assert profiled(archive(README__txt="See below.", a__csv="id\n1\n2\n"), "export.zip")["row_count"] == 2


def test_a_zip_of_several_names_them(profiled):
    content = archive(a__csv="id\n1\n", b__csv="id\n1\n2\n")
    with pytest.raises(FileInvalidError, match=r"'a.csv', 'b.csv'"):
        profiled(content, "export.zip")
    assert profiled(content, "export.zip", sheet="b.csv")["row_count"] == 2


def test_a_zip_without_a_table_or_out_of_proportion_is_refused(profiled):
    with pytest.raises(UnsupportedMediaError, match="no table"):
        profiled(archive(a__pdf="x"), "export.zip")


@pytest.mark.parametrize(
    "content", ["<!DOCTYPE html><p>Not found", "<?xml version='1.0'?><a/>", '[{"a": 1}]', '{"a": 1}\n']
)
def test_other_content_by_the_name_of_csv_is_refused(profiled, content):
    with pytest.raises(UnsupportedMediaError):
        profiled(content, "data.csv")


def test_a_hidden_sheet_is_not_read_unless_asked_for(profiled):
    book = openpyxl.Workbook()
    book.active.title = "Lists"
    book.active.append(["code"])
    book.active.sheet_state = "hidden"
    book.create_sheet("Orders").append(["id", "amount"])
    found = profiled(saved(book), "book.xlsx")
    assert (found["sheet"], found["sheets"]) == ("Orders", ["Lists", "Orders"])
    assert "'Lists' (hidden)" in found["warnings"][0]
    assert profiled(saved(book), "book.xlsx", sheet="lists")["sheet"] == "Lists"


def test_cells_without_a_value_are_told(profiled):
    book = openpyxl.Workbook()
    for row in (["id", "total", "ratio"], [1, "=A2*2", 0.5], [2, "=A3*2", "#DIV/0!"]):
        book.active.append(row)
    book.active["C3"].data_type = "e"
    warnings = "\n".join(profiled(saved(book), "book.xlsx")["warnings"])
    assert "'total' has 2 formulas without a stored result" in warnings
    assert "'ratio' has 1 error cells, which are nulls here: #DIV/0! (1)" in warnings


def test_words_for_no_value_and_spans_of_time_in_a_workbook(profiled):
    book = openpyxl.Workbook()
    rows = (
        ["n", "day", "ok", "span"],
        [1.5, datetime.date(2024, 1, 2), True, datetime.timedelta(hours=26)],
        ["N/A", "-", "n/a", datetime.timedelta(hours=3)],
    )
    for row in rows:
        book.active.append(row)
    found = profiled(saved(book), "book.xlsx")
    assert types(found) == {"n": "DOUBLE PRECISION", "day": "DATE", "ok": "BOOLEAN", "span": "INTERVAL"}
    assert [column["nulls"] for column in found["columns"]] == [1, 1, 1, 0]
    assert len(found["warnings"]) == 3


@pytest.mark.parametrize(
    ("document", "columns", "rows"),
    [
        ([{"id": 1, "user": {"addr": {"city": "Bern"}, "tags": [1]}}], ["id", "user.addr.city", "user.tags"], 1),
        ([{"id": 1, "user": None}, {"id": 2, "user": {"name": "Ann"}}], ["id", "user.name"], 2),
        ([{"v": {"a": 1}}, {"v": 5}], ["v"], 2),
        ({"result": {"records": [{"id": 1}, {"id": 2}]}}, ["id"], 2),
        ({"meta": [{"a": 1}], "data": [{"id": 1}, {"id": 2}]}, ["id"], 2),
        ({"columns": ["id", "v"], "data": [[1, 2], [3, 4]]}, ["id", "v"], 2),
        ([["id", "v"], [1, 2], [3, 4]], ["id", "v"], 2),
        ({"a": {"v": 1}, "b": {"v": 2}}, ["key", "v"], 2),
        (
            {
                "type": "FeatureCollection",
                "features": [{"type": "Feature", "geometry": None, "properties": {"n": 1}}],
            },
            ["n", "geometry"],
            1,
        ),
    ],
)
def test_where_the_rows_of_a_document_are(profiled, document, columns, rows):
    found = profiled(json.dumps(document), "data.json")
    assert ([column["name"] for column in found["columns"]], found["row_count"]) == (columns, rows)


def test_a_document_of_several_tables_names_them(profiled):
    document = json.dumps({"orders": [{"a": 1}], "people": [{"id": 1}, {"id": 2}]})
    with pytest.raises(FileInvalidError, match="'orders', 'people'"):
        profiled(document, "data.json")
    assert profiled(document, "data.json", sheet="people")["row_count"] == 2


@pytest.fixture
def databases(tmp_path):
    """Bytes of an SQLite and of a DuckDB file with the same two tables."""
    statements = (
        "CREATE TABLE orders (id INTEGER, day DATE, code TEXT)",
        "INSERT INTO orders VALUES (1, '2024-01-02', '007'), (2, NULL, 'x')",
        "CREATE TABLE people (id INTEGER)",
    )
    with sqlite3.connect(tmp_path / "a.sqlite") as one, duckdb.connect(tmp_path / "a.duckdb") as other:
        for statement in statements:
            one.execute(statement)
            other.execute(statement)
    one.close()
    return {name: (tmp_path / name).read_bytes() for name in ("a.sqlite", "a.duckdb")}


@pytest.mark.parametrize("name", ["a.sqlite", "a.duckdb"])
def test_a_database_is_read_table_by_table(profiled, databases, name):
    found = profiled(databases[name], name)
    assert types(found) == {"id": "INTEGER", "day": "DATE", "code": "TEXT"}
    assert (found["row_count"], found["by_name"]["day"]["nulls"], found["sheets"]) == (2, 1, ["orders", "people"])
    assert profiled(databases[name], name, sheet="people")["row_count"] == 0
    with pytest.raises(FileInvalidError, match="people"):
        profiled(databases[name], name, sheet="nobody")
    with pytest.raises((FileInvalidError, UnsupportedMediaError)):
        profiled(databases[name][:200], name)


def test_generated_columns_of_sqlite_are_read(profiled, tmp_path):
    with sqlite3.connect(tmp_path / "a.sqlite") as made:
        made.executescript(
            """CREATE TABLE goods (net INTEGER, gross REAL AS (net * 1.2) STORED, day DATE AS ('2024-01-0' || net),
                name TEXT); INSERT INTO goods (net, name) VALUES (1, 'a'), (2, 'b')"""
        )
    made.close()
    found = profiled((tmp_path / "a.sqlite").read_bytes(), "a.sqlite")
    types = [(column["name"], column["type"]) for column in found["columns"]]
    assert types == [("net", "INTEGER"), ("gross", "DOUBLE PRECISION"), ("day", "DATE"), ("name", "TEXT")]
