"""Workbooks of the other formats: an .ods by odfpy, an .xls by xlwt, an .xlsb by pyxlsbwriter, and an .xlsm by
openpyxl, whose content type was made that of a workbook with macros. None was made by what reads them."""

import io
import zipfile
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "workbooks"


@pytest.mark.parametrize("suffix", ["ods", "xls", "xlsb", "xlsm"])
def test_the_same_table_in_each_format(profiled, suffix):
    found = profiled((FOLDER / f"sales.{suffix}").read_bytes(), f"sales.{suffix}", sheet="Sales")
    assert found["row_count"] == 3
    types = {name: column["type"] for name, column in found["by_name"].items()}
    assert types == {
        "id": "INTEGER",
        "name": "TEXT",
        "amount": "DOUBLE PRECISION",
        "day": "DATE",
        "at": "TIMESTAMP",
        "spent": "TEXT" if suffix == "xlsb" else "INTERVAL",  # its writer has no spans of time
        "ok": "BOOLEAN",
    }
    assert {name: column["nulls"] for name, column in found["by_name"].items() if column["nulls"]} == {
        "name": 1,
        "amount": 1,
        "at": 1,
    }
    assert (found["by_name"]["amount"]["min"], found["by_name"]["amount"]["max"]) == (-3.0, 12.5)
    assert (found["by_name"]["day"]["min"], found["by_name"]["day"]["max"]) == ("1999-12-31", "2024-02-29")
    assert found["by_name"]["at"]["max"] == "2024-02-29T23:59:30"
    assert not [warning for warning in found["warnings"] if "sheets" not in warning]


def test_a_sheet_that_is_hidden_is_told_as_such(profiled):
    found = profiled((FOLDER / "sales.xls").read_bytes(), "sales.xls")
    assert found["sheet"] == "Sales"
    assert any("'Lists' (hidden)" in warning for warning in found["warnings"])


def make_ods(rows):
    """An OpenDocument whose cells show numbers as `rows` has them; a tuple is a text and how often it is repeated."""
    lines = []
    for row in rows:
        cells = ""
        for cell in row:
            shown, count = cell if isinstance(cell, tuple) else (cell, 1)
            kind = f'float" office:value="{int(shown)}' if shown.isdecimal() else "string"
            repeated = f' table:number-columns-repeated="{count}"' if count > 1 else ""
            cells += f'<table:table-cell{repeated} office:value-type="{kind}">'
            cells += f"<text:p>{shown}</text:p></table:table-cell>"
        lines.append(f"<table:table-row>{cells}</table:table-row>")
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    other = '<table:table table:name="Other"><table:table-row><table:table-cell office:value-type="float" '
    other += 'office:value="7"><text:p>007</text:p></table:table-cell></table:table-row></table:table>'
    content = f"<office:document-content{spaces}><office:body><office:spreadsheet>"
    content += f'<table:table table:name="Data">{"".join(lines)}</table:table>{other}'
    content += "</office:spreadsheet></office:body></office:document-content>"
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return kept.getvalue()


def test_zeros_that_an_ods_shows_in_front_are_kept(profiled):
    rows = [("n", "plz", "town"), ("1", "01067", "Dresden"), ("22", "50667", "Köln"), (("333", 2), "Ulm")]
    found = profiled(make_ods(rows), "towns.ods", sheet="Data")
    columns = found["by_name"]
    assert (columns["n"]["type"], columns["plz"]["type"]) == ("INTEGER", "TEXT")
    assert {top["value"] for top in columns["plz"]["top"]} == {"01067", "50667", "00333"}
    assert any("'plz' is text, with the zeros in front" in warning for warning in found["warnings"])


def test_numbers_of_an_ods_without_such_zeros_stay_numbers(profiled):
    found = profiled(make_ods([("zip", "n"), ("10115", "0"), ("80331", "14")]), "towns.ods", sheet="Data")
    assert [column["type"] for column in found["columns"]] == ["INTEGER", "INTEGER"]
    assert not [warning for warning in found["warnings"] if "zeros" in warning]


def test_formats_of_an_xls_are_read(profiled):
    result = profiled((FOLDER / "formats.xls").read_bytes(), "formats.xls")
    shown = {name: (each["type"], each["min"], each.get("comment")) for name, each in result["by_name"].items()}
    assert shown == {
        "plz": ("TEXT", "01067", None),
        "amount": ("DOUBLE PRECISION", 10.5, "in $"),
        "share": ("DOUBLE PRECISION", 0.05, "a share: 0.05 is 5%"),
        "spent": ("INTERVAL", "0:30:00", None),
        "price": ("DOUBLE PRECISION", 1.0, "in €"),
        "mixed": ("INTEGER", 1, None),
        "plain": ("INTEGER", 4, None),
    }
    zeros, mixed = result["warnings"]
    assert "'plz' is text, with the zeros in front" in zeros
    assert "'mixed' mixes numbers that the workbook shows in $ and £" in mixed


def test_zeros_of_an_xls_give_way_to_the_callers_type(profiled):
    content = (FOLDER / "codes.xls").read_bytes()
    assert profiled(content, "codes.xls")["by_name"]["plz"]["min"] == "01067"
    typed = profiled(content, "codes.xls", types={"plz": "INTEGER"})
    assert (typed["by_name"]["plz"]["min"], typed["warnings"]) == (1067, [])


def test_zeros_that_an_xlsb_may_hide_are_told(profiled):
    result = profiled((FOLDER / "codes.xlsb").read_bytes(), "codes.xlsb")
    (warning,) = [warning for warning in result["warnings"] if "zeros in front" in warning]
    assert "'plz'" in warning
    assert result["by_name"]["umsatz"]["type"] == "INTEGER"  # of differing lengths too, but no name of a code


def test_a_damaged_part_of_an_xls_does_not_stop_its_values(profiled):
    content = (FOLDER / "formats.xls").read_bytes()
    place = content.index(b"00000")  # a format, whose record is cut
    result = profiled(content[: place - 4] + b"\xff\xff" + content[place - 2 :], "formats.xls")
    assert result["row_count"] == 3
