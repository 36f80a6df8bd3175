"""Excel workbooks, made with another library than the one that reads them."""

import datetime
import io
import zipfile

import openpyxl
import pytest

from sqlchat.errors import FileInvalidError, TooLargeError, UnsupportedMediaError


def workbook(*sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    return saved(book)


def saved(book):
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_types_and_nulls(profiled):
    when, day = datetime.datetime(2024, 1, 2, 3, 4), datetime.date(2024, 1, 2)
    rows = [
        ["id", "price", "when", "day", "time", "ok", "code"],
        [1, 1.5, when, day, datetime.time(8, 30), True, "007"],
        [2, 2, datetime.datetime(2024, 1, 3), day, datetime.time(9), False, None],
    ]
    found = profiled(workbook(("Sales", rows)), "data.xlsx")
    assert (found["row_count"], found["sheet"]) == (2, "Sales")
    assert [(c["type"], c["nulls"]) for c in found["columns"]] == [
        ("INTEGER", 0),
        ("DOUBLE PRECISION", 0),
        ("TIMESTAMP", 0),
        ("DATE", 0),
        ("TIME", 0),
        ("BOOLEAN", 0),
        ("TEXT", 1),
    ]


def test_the_first_sheet_is_read_and_told(profiled):
    found = profiled(workbook(("one", [["a"], [1]]), ("two", [["b"], [2], [3]])), "data.xlsx")
    assert (found["sheet"], found["row_count"]) == ("one", 1)
    assert "2 sheets" in found["warnings"][0]


@pytest.mark.parametrize("sheet", ["two", 2, "2"])
def test_a_sheet_by_name_or_number(profiled, sheet):
    content = workbook(("one", [["a"], [1]]), ("two", [["b"], [2], [3]]))
    assert profiled(content, "data.xlsx", sheet=sheet)["row_count"] == 2


def test_an_unknown_sheet_is_refused_with_those_there(profiled):
    with pytest.raises(FileInvalidError, match="'one'"):
        profiled(workbook(("one", [["a"], [1]])), "data.xlsx", sheet="three")


def test_blank_rows_and_a_table_off_the_corner(profiled):
    found = profiled(workbook(("s", [[], [None, "a", "b"], [None, 1, 2], [], [None, 3, 4]])), "data.xlsx")
    assert (found["row_count"], [c["name"] for c in found["columns"]]) == (2, ["a", "b"])


def test_an_empty_sheet_is_refused(profiled):
    with pytest.raises(FileInvalidError, match="empty"):
        profiled(workbook(("s", [])), "data.xlsx")


def test_a_cell_in_the_far_corner_is_refused(profiled):
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "a", 1
    with pytest.raises(TooLargeError, match="1,048,576"):
        profiled(saved(book), "data.xlsx")


def test_a_zip_bomb_is_refused(profiled):
    target = io.BytesIO(workbook(("s", [["a"], [1]])))
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/big.bin", bytes(200 << 20))
    with pytest.raises(TooLargeError, match="times its size"):
        profiled(target.getvalue(), "data.xlsx")


@pytest.mark.parametrize("beginning", ["<c ", '<c a="', "<c r", "<x:c t="])
def test_beginnings_of_tags_are_each_read_once(profiled, beginning):
    """Each of 300,000 used to be compared with all that follows it, which took minutes."""
    content, written = workbook(("one", [["a"], [1]])), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            part = old.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                part = part.replace(b"<sheetData>", b"<sheetData>" + 300_000 * beginning.encode())
            new.writestr(item.filename, part)
    with pytest.raises(FileInvalidError):
        profiled(written.getvalue(), "data.xlsx")


def test_another_archive_is_refused(profiled):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(UnsupportedMediaError, match="zip"):
        profiled(target.getvalue(), "data.xlsx")


def test_a_damaged_workbook_is_refused(profiled):
    whole = workbook(("s", [["a"], [1]]))
    cells = whole.index(b"xl/worksheets/sheet1.xml") + 40
    for content in (whole[:-200], b"PK\x03\x04" + bytes(100), whole[:cells] + b"\xff" * 99 + whole[cells + 99 :]):
        with pytest.raises(FileInvalidError):
            profiled(content, "data.xlsx")


def test_ids_that_a_workbook_rounds_are_told(profiled):
    found = profiled(workbook(("S", [["id"], [12345678901234567890], [12345678901234567891]])), "data.xlsx")
    assert any("more than 15 digits" in warning for warning in found["warnings"])


def test_numbers_kept_as_texts_are_told(profiled):
    content = workbook(("S", [["k", "v"], ["a", "1,5"], ["b", "2,75"]]))
    found = profiled(content, "data.xlsx")
    assert found["by_name"]["v"]["type"] == "TEXT"
    assert any("`types`" in warning for warning in found["warnings"])
    read = profiled(content, "data.xlsx", types={"v": "NUMERIC"}, decimal=",")["by_name"]["v"]
    assert (read["type"], read["max"]) == ("NUMERIC", 2.75)


def test_numbers_shown_with_zeros_in_front_are_codes(profiled):
    book = openpyxl.Workbook()
    book.active.append(["place", "zip", "ssn", "mixed"])
    for row in (["Hull", 1069, 12345678, 7], ["York", 80331, 987654321, 8]):
        book.active.append(row)
    for row in (2, 3):
        book.active.cell(row, 2).number_format = "00000"
        book.active.cell(row, 3).number_format = "000\\-00\\-0000"
    book.active.cell(2, 4).number_format = "000"
    kept = io.BytesIO()
    book.save(kept)
    found = profiled(kept.getvalue(), "codes.xlsx")
    shown = {name: (each["type"], each["min"]) for name, each in found["by_name"].items()}
    assert shown == {
        "place": ("TEXT", "Hull"),
        "zip": ("TEXT", "01069"),
        "ssn": ("TEXT", "012-34-5678"),
        "mixed": ("INTEGER", 7),
    }
    assert [name in " ".join(found["warnings"]) for name in ("'zip'", "'ssn'", "'mixed'")] == [True, True, True]
    assert profiled(kept.getvalue(), "codes.xlsx", types={"zip": "INTEGER"})["by_name"]["zip"]["min"] == 1069


def test_currencies_and_shares_are_comments(profiled):
    book = openpyxl.Workbook()
    book.active.append(["price", "share", "mixed", "some", "day"])
    for row in ([9.5, 0.05, 1, 1.5, datetime.date(2024, 1, 2)], [10, 0.5, 2, 2.5, datetime.date(2024, 1, 3)]):
        book.active.append(row)
    for row, currency in ((2, '[$€-407] #,##0.00;[Red]-0"€"'), (3, '#,##0.00\\ "€"')):
        book.active.cell(row, 1).number_format = currency
        book.active.cell(row, 2).number_format = ["0%", "0.00%"][row - 2]
        book.active.cell(row, 3).number_format = ["[$USD] 0", "#,##0 kr"][row - 2]
    book.active.cell(2, 4).number_format = "0%"
    result = profiled(saved(book), "data.xlsx")
    comments = {name: each.get("comment") for name, each in result["by_name"].items()}
    assert comments == {"price": "in €", "share": "a share: 0.05 is 5%", "mixed": None, "some": None, "day": None}
    assert result["warnings"] == ["'mixed' mixes numbers that the workbook shows in USD and kr."]


def test_words_for_infinity_among_numbers_are_told(profiled):
    rows = [["v", "w"], [1.5, 1], ["inf", "NaN"], ["-inf", 3.5]]
    result = profiled(workbook(("s", rows)), "data.xlsx")
    assert [(c["type"], c["nulls"]) for c in result["columns"]] == [("TEXT", 0), ("DOUBLE PRECISION", 1)]
    mixed, missing = result["warnings"]
    assert "'inf' (1), '-inf' (1)" in mixed
    assert "`nulls`" in mixed
    assert "'NaN' (1)" in missing
    read = profiled(workbook(("s", rows)), "data.xlsx", nulls=("inf", "-inf"))
    assert (read["columns"][0]["type"], read["columns"][0]["nulls"]) == ("DOUBLE PRECISION", 2)
