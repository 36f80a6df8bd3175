"""Titles, headers, totals and notes of tables, in CSV and in workbooks alike."""

import io

import openpyxl
import pytest

from sqlchat.errors import FileInvalidError

TITLED = "Sales of May,,\nmade on 2024-06-01,,\n,,\nplace,units,amount\nHull,10,1.5\nYork,20,2.5\n"


def workbook(text):
    book = openpyxl.Workbook()
    for line in text.splitlines():
        cells = [cell or None for cell in line.split(",")]
        book.active.append([float(c) if c and c.replace(".", "", 1).isdigit() else c for c in cells])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.fixture(params=["csv", "xlsx"])
def read(request, profiled):
    def read(text, **options):
        if request.param == "csv":
            return profiled(text, **options)
        return profiled(workbook(text), "data.xlsx", **options)

    return read


def names(found):
    return [column["name"] for column in found["columns"]]


def test_titles_above_a_header_are_left_out_and_told(read):
    found = read(TITLED)
    assert (names(found), found["row_count"], found["read"]["header_row"]) == (["place", "units", "amount"], 2, 4)
    assert "row 4" in found["warnings"][0]


def test_the_caller_names_the_header(read):
    found = read("place,units,x\nHull,10,1\nYork,20,2\n", header_row=2)
    assert (names(found), found["row_count"]) == (["Hull", "10", "1"], 1)


def test_a_second_header_below_one_of_groups(read):
    found = read(",2023,2023,2024\nplace,q1,q2,q3\nHull,1,2,3\nYork,5,6,7\n")
    assert (found["read"]["header_row"], found["row_count"], names(found)[0]) == (2, 2, "place")


@pytest.mark.parametrize("title", ["", "Sales of May,,,,\n"])
def test_groups_over_names_are_joined_with_them(read, title):
    text = title + ",2023,,2024,\nplace,units,price,units,price\nHull,1,2.5,3,4.5\nYork,5,6.5,7,8.5\n"
    found = read(text)
    assert names(found) == ["place", "2023 units", "2023 price", "2024 units", "2024 price"]
    assert (found["row_count"], found["by_name"]["2024 units"]["max"]) == (2, 7)
    assert any("were joined" in warning for warning in found["warnings"])
    again = read(text, header_row=tuple(found["read"]["header_row"]))
    assert (names(again), again["row_count"]) == (names(found), 2)
    last = found["read"]["header_row"][1]
    assert names(read(text, header_row=last))[1] == "units"


@pytest.mark.parametrize(
    "text",
    [
        "Report 2024,,\n,units,price\nHull,1,2.5\nYork,5,6.5\n",
        "name,place,score\nAnn,Hull,\nBob,York,5\nCid,Bath,6\n",
        "name,grade,score\nAnn,A,n/a\nBob,C,5\nCid,F,6\n",
    ],
)
def test_a_title_or_a_row_of_texts_is_no_part_of_a_header(read, text):
    assert not any("were joined" in warning for warning in read(text)["warnings"])


def test_units_below_names_are_joined_with_them(read):
    found = read("time,temp,pressure\ns,°C,hPa\n0.5,20.5,1013\n1.5,20.7,1012\n")
    assert names(found) == ["time (s)", "temp (°C)", "pressure (hPa)"]
    assert found["row_count"] == 2


def test_a_moment_needs_no_unit_below_its_name(read):
    found = read("time,temp,rh\n,°C,%\n2024-06-01 10:00:00,20.5,40\n2024-06-01 10:10:00,20.7,41\n")
    assert names(found) == ["time", "temp (°C)", "rh (%)"]
    assert found["row_count"] == 2


def test_rows_that_repeat_the_header_are_left_out_and_told(read):
    found = read("place,units\nHull,10\nYork,20\nplace,units\nBath,30\nplace,units\nDeal,40\n")
    assert (found["row_count"], found["by_name"]["units"]["type"]) == (4, "INTEGER")
    assert "2 rows that repeat the header were left out." in found["warnings"]


def test_subtotals_within_are_told(read):
    text = "area,place,units\nNorth,Hull,10\nNorth,York,20\nSubtotal North,,30\nSouth,Bath,5\nSouth,Deal,6\n"
    assert any("'Subtotal North'" in warning for warning in read(text)["warnings"])
    assert any("'Total'" in each for each in read("place,units\nHull,10\nYork,20\nTotal,30\nBath,5\n")["warnings"])
    assert read("brand,units\nShell,10\nAral,25\nTotal,20\nEsso,30\n")["warnings"] == []
    assert read("sex,place,units\nTotal,Hull,10\nmale,Hull,4\nTotal,Bath,5\nmale,Bath,2\n")["warnings"] == []


def test_statements_with_labels_and_values_above_the_header(profiled):
    text = (
        "Account:;DE00 1234;\nFrom:;01.01.2024;\nUntil:;31.01.2024;\nBalance:;1234,56;\n"
        "day;text;payee;amount;\n31.01.2024;debit;Works;-85,20;\n29.01.2024;credit;Firm;2500,00;\n"
    )
    found = profiled(text)
    assert (names(found), found["row_count"]) == (["day", "text", "payee", "amount"], 2)


def test_a_table_without_a_header(read):
    found = read("5.5,3.5,rose\n4.5,3.25,lily\n6.5,3.75,rose\n")
    assert (found["row_count"], found["read"]["header_row"], found["header"]) == (3, 0, False)
    assert "looks like data" in found["warnings"][0]
    assert read("5.5,3.5,rose\n4.5,3.25,lily\n", header_row=1)["row_count"] == 1


def test_years_may_be_names(read):
    assert names(read("place,2023,2024\nHull,1,2\nYork,3,4\n")) == ["place", "2023", "2024"]


@pytest.mark.parametrize("last", ["Total,30,4", "Grand total,30,4", ",30,4"])
def test_totals_are_told_and_left_out_if_asked(read, last):
    text = f"place,units,amount\nHull,10,1.5\nYork,20,2.5\n{last}\n"
    assert any("total" in warning for warning in read(text)["warnings"])
    assert read(text)["row_count"] == 3
    assert read(text, totals="drop")["by_name"]["units"]["max"] == 20


def test_notes_below_a_table_are_left_out_and_told(read):
    found = read("place,units,amount\nHull,10,1.5\nYork,20,2.5\nSource: office of numbers,,\n")
    assert (found["row_count"], found["by_name"]["units"]["nulls"]) == (2, 0)
    assert "Source: office of numbers" in found["warnings"][0]


def test_a_name_alone_in_the_last_row_is_a_row(read):
    assert read("place,units,amount\nHull,10,1.5\nYork,20,2.5\nBath,,\n")["row_count"] == 3


def test_titles_of_one_field(profiled):
    text = "Sales of May\nmade on 2024-06-01\nplace,units\nHull,10\nYork,20\n"
    assert profiled(text, on_bad_rows="skip")["row_count"] == 2
    assert profiled(text, skip_rows=2)["row_count"] == 2


@pytest.mark.parametrize(
    ("text", "rows", "options"),
    [
        ("id,name\n1,Ann,\n2,Bob,\n", 2, {}),
        ("id,name,x\n1,Ann\n2,Bob,y\n", 2, {"on_bad_rows": "pad"}),
        ('id, name\n1, "Smith, J"\n', 1, {}),
        ('id,said\n1,"a \\"b\\", c"\n', 1, {}),
        ("#id,name\n1,Ann\n", 1, {}),
    ],
)
def test_rows_that_are_not_quite_as_wide_or_quoted_as_usual(profiled, text, rows, options):
    found = profiled(text, **options)
    assert (found["row_count"], names(found)[:1]) == (rows, ["id"])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('a,b\n"x,2\n' + "1,2\n" * 60_000, "never closed"),
        ('id,q\n1,a\n2,"b\n3,c\n4,"d\n5,e\n', "line 3"),
        ("id,name\n1,Ann\n2,Bob,more\n", "Line 3"),
    ],
)
def test_rows_that_cannot_be_told_apart_are_refused(profiled, text, word):
    with pytest.raises(FileInvalidError, match=word):
        profiled(text)


def test_a_bad_byte_among_good_ones_is_told(profiled):
    found = profiled(b"name\n" + "Zoë\n".encode() * 20 + b"M\xfcller\n")
    assert (found["encoding"], found["by_name"]["name"]["top"][0]["value"]) == ("utf-8", "Zoë")
    assert "line 22" in found["warnings"][0]


def test_a_header_of_which_most_names_are_blank(profiled):
    found = profiled(",name,\n1,a,x\n2,b,y\n")
    assert [column["name"] for column in found["columns"]] == ["column_1", "name", "column_3"]
    assert found["row_count"] == 2


def test_a_second_table_below_a_blank_line_is_told(profiled):
    found = profiled("a,b\n1,2\n3,4\n\nx,y\nfoo,bar\n")
    assert any("line 5" in warning for warning in found["warnings"])
    assert profiled("a,b\n1,2\n\n3,4\n\n5,6\n")["warnings"] == []


def test_numbered_rows_end_in_no_total(profiled):
    assert profiled("id,name\n1,Ann\n2,Bo\n3,\n")["warnings"] == []


@pytest.mark.parametrize("mark", ["~", "^"])
def test_rare_delimiters_that_every_row_has(profiled, mark):
    found = profiled(f"a{mark}b{mark}c\n1{mark}x{mark}2\n2{mark}y{mark}3\n", "data.txt")
    assert [column["type"] for column in found["columns"]] == ["INTEGER", "TEXT", "INTEGER"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a:b\n1:2\n2:3\n", "set `delimiter` to ':'"),
        ("a b c\n1 2 3\n4 5 6\n", "set `delimiter` to ' '"),
        ('"a,b"\n"1,x"\n"2,y"\n', "in quotes as a whole"),
        ("name   age\nAnn    34\nBob    45\n", "fixed width"),
    ],
)
def test_one_column_that_may_be_several_is_told(profiled, text, words):
    found = profiled(text, "data.txt")
    assert len(found["columns"]) == 1
    assert any(words in warning for warning in found["warnings"])


SURVEY = (
    "StartDate,Q1,Q2\n"
    'Start Date,"How old are you,\nin years?","Where, do you live?"\n'
    '"{""ImportId"":""startDate"",""timeZone"":""Europe/Oslo""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2""}"\n'
    "2024-03-01 10:00:00,34,Oslo\n2024-03-02 11:30:00,51,Bergen\n"
)


def test_the_second_row_of_a_survey_describes_the_columns(profiled):
    found = profiled(SURVEY)
    assert (names(found), found["row_count"]) == (["StartDate", "Q1", "Q2"], 2)
    assert [column["type"] for column in found["columns"]] == ["TIMESTAMP", "INTEGER", "TEXT"]
    assert found["by_name"]["Q2"]["comment"] == "Where, do you live?"
    assert found["by_name"]["Q1"]["comment"] == "How old are you,\nin years?"
    assert "row 2 describes them" in found["warnings"][0]
    again = profiled(SURVEY, header_row=tuple(found["read"]["header_row"]))
    assert again["columns"] == found["columns"]


def test_a_named_header_row_makes_rows_of_the_others_of_a_survey(profiled):
    found = profiled(SURVEY, header_row=1)
    assert (found["row_count"], found["by_name"]["Q1"]["type"]) == (4, "TEXT")


def test_a_survey_in_a_workbook(profiled):
    book = openpyxl.Workbook()
    for row in (["Q1", "Q2"], ["Age?", "Town?"], ['{"ImportId":"QID1"}', '{"ImportId":"QID2"}'], [34, "Oslo"]):
        book.active.append(row)
    kept = io.BytesIO()
    book.save(kept)
    found = profiled(kept.getvalue(), "survey.xlsx")
    assert (found["row_count"], found["read"]["header_row"]) == (1, [1, 2, 3])
    assert [column["comment"] for column in found["columns"]] == ["Age?", "Town?"]


def test_a_column_of_json_is_no_survey(profiled):
    found = profiled('id,body\n1,"{""a"":1}"\n2,"{""a"":2}"\n3,"{""a"":3}"\n')
    assert (found["row_count"], found["by_name"]["body"]["type"]) == (3, "JSON")


def test_the_end_of_a_long_file_of_short_lines_is_found(profiled):
    found = profiled("a,b\n" + "1,2\n" * 30_000 + "Source: a survey\n")
    assert (found["row_count"], found["by_name"]["a"]["type"]) == (30_000, "INTEGER")
