"""Workbooks of the other formats: an .ods by odfpy, an .xls by xlwt, an .xlsb by pyxlsbwriter, and an .xlsm by
openpyxl, whose content type was made that of a workbook with macros. None was made by what reads them."""

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
