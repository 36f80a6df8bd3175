"""Dates with months in words, in the languages of exports, and other dates that signs decide."""

import datetime

import pytest

from sqlchat.files.options import Options
from sqlchat.files.profile import profile
from sqlchat.files.typed import TypedTable

MARCH, OCTOBER = datetime.date(2024, 3, 9), datetime.date(2023, 10, 21)


@pytest.mark.parametrize(
    ("march", "october"),
    [
        ("9. März 2024", "21. Oktober 2023"),
        ("9 mars 2024", "21 octobre 2023"),
        ("9 de marzo de 2024", "21 de octubre de 2023"),
        ("9 marzo 2024", "21 ottobre 2023"),
        ("9 de março de 2024", "21 de outubro de 2023"),
        ("9 maart 2024", "21 oktober 2023"),
        ("9 marca 2024", "21 października 2023"),
        ("9. března 2024", "21. října 2023"),
        ("9 марта 2024", "21 октября 2023"),
        ("9 Mart 2024", "21 Ekim 2023"),
        ("09-Mrz-2024", "21-Okt-2023"),
        ("09-MAR-24", "21-OCT-23"),
        ("09MAR2024", "21OCT2023"),
        ("March 9, 2024", "October 21, 2023"),
        ("Sat, Mar 9, 2024", "Sat, Oct 21, 2023"),
        ("9th March 2024", "21st October 2023"),
        ("2024-Mar-09", "2023-Oct-21"),
        ("9. 3. 2024", "21. 10. 2023"),
        ("2024. 03. 09.", "2023. 10. 21."),
        ("2024年3月9日", "2023年10月21日"),
    ],
)
def test_days(tmp_path, march, october):
    path = tmp_path / "upload"
    path.write_text(f"day|n\n{march}|1\n{october}|2\n", encoding="utf-8")
    table = TypedTable(str(path), "data.psv", Options())
    assert [row["day"] for batch in table.batches() for row in batch.to_pylist()] == [MARCH, OCTOBER]
    assert profile(str(path), "data.psv").as_dict()["columns"][0]["min"] == "2023-10-21"


def test_moments(profiled):
    found = profiled("at|n\n5. März 2024 14:30|1\n17. Mai 2024 08:05|2\n", "data.psv")["by_name"]["at"]
    assert (found["type"], found["min"], found["format"]) == ("TIMESTAMP", "2024-03-05T14:30:00", "%d %b %Y %H:%M")


@pytest.mark.parametrize(
    "texts", [["5 Marzipan 2024", "6 Marzipan 2024"], ["31 June 2024"], ["Room 5 May"], ["5 May 2024", "6 X 2024"]]
)
def test_other_texts_stay(profiled, texts):
    assert profiled("\n".join(["t", *texts]))["columns"][0]["type"] == "TEXT"


def test_mail_dates_stay_text_and_are_told(profiled):
    found = profiled("sent|n\nTue, 05 Mar 2024 10:00:00 +0000|1\nWed, 06 Mar 2024 12:30:00 +0000|2\n", "data.psv")
    assert found["by_name"]["sent"]["type"] == "TEXT"
    assert any("'sent'" in warning for warning in found["warnings"])
