"""What a profile says of a file as a whole."""

import pytest

from sqlchat.errors import FileInvalidError, UnsupportedMediaError


def test_the_documented_keys(profiled):
    found = profiled("id,name\n1,Ada\n2,\n")
    assert found["row_count"] == 2
    assert [(c["name"], c["type"], c["nulls"]) for c in found["columns"]] == [
        ("id", "INTEGER", 0),
        ("name", "TEXT", 1),
    ]


def test_distinct_is_exact_while_values_are_few(profiled):
    few, many = profiled("few,many\n" + "".join(f"{i % 7},value {i}\n" for i in range(60_000)))["columns"]
    assert (few["distinct"], few["distinct_is_exact"]) == (7, True)
    assert not many["distinct_is_exact"]
    assert many["distinct"] == pytest.approx(60_000, rel=0.05)


def test_common_values_come_with_their_counts(profiled):
    column = profiled("c\n" + "red\n" * 3 + "blue\n" * 2 + "green\n")["columns"][0]
    assert column["top"] == [
        {"value": "red", "count": 3},
        {"value": "blue", "count": 2},
        {"value": "green", "count": 1},
    ]


DECIMALS = "a decimal comma or thousands marks"


@pytest.mark.parametrize(
    ("texts", "how"),
    [
        (["1.234,50", "7", "-0,5", "NA"], DECIMALS),
        (["1,234", "12,345,678.9"], DECIMALS),
        (["1'234.50", "12"], DECIMALS),
        (["1 234,50", "99,90"], DECIMALS),
        (["1.234.567"], DECIMALS),
        (["$1.50", "-$2", "$ 3.10"], "currency signs"),
        (["10%", "12.5 %"], "percent signs"),
        (["1.234,50 €", "3 €"], f"{DECIMALS} and currency signs"),
    ],
)
def test_numbers_that_stay_text_for_their_marks_are_told(profiled, texts, how):
    found = profiled("c;d\n" + "".join(f"{text};x\n" for text in texts))
    column = found["columns"][0]
    assert (column["type"], column["example"]) == ("TEXT", texts[0])
    assert found["warnings"] == [f"'c' looks like numbers written with {how}; it stays text."]


@pytest.mark.parametrize(
    "texts",
    [
        ["0017", "0018"],
        ["1,50", "n.a. yet"],
        ["+4930123456"],
        ["555 123 456"],
        ["10.0.0.1"],
        ["$", "%"],
        ["01,5"],
        ["1.5", "2"],
        ["1,2,3"],
        ["1" * 50],
    ],
)
def test_other_texts_are_not_told(profiled, texts):
    found = profiled("c;d\n" + "".join(f"{text};x\n" for text in texts))
    assert not any("looks like numbers" in warning for warning in found["warnings"])


@pytest.mark.parametrize(("last", "told"), [("7,5", 1), ("7", 1), ("none of these", 0)])
def test_each_block_has_its_say_on_marks(profiled, last, told):
    content = "c;d\n" + "1,5;filler that makes a block full\n" * 400_000 + f"{last};x\n"
    assert sum("looks like numbers" in warning for warning in profiled(content)["warnings"]) == told


def test_long_texts_are_shown_short(profiled):
    assert len(profiled("c\n" + "x" * 5000)["columns"][0]["example"]) == 200


@pytest.mark.parametrize("name", ["data.csv", "data.json", "data.parquet", "data.xlsx", "data.csv.gz", "data"])
def test_an_empty_file_is_refused(profiled, name):
    with pytest.raises(FileInvalidError, match="empty"):
        profiled(b"", name)


@pytest.mark.parametrize("name", ["photo.png", "page.html", "model.pkl", "macro.xlsm", "data.zip"])
def test_unknown_kinds_are_refused_with_those_known(profiled, name):
    with pytest.raises(UnsupportedMediaError, match=r"CSV \(.csv, .tsv, .txt\).*Parquet.*\.xlsx"):
        profiled("a,b\n1,2\n", name)


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7", b"\x89PNG\r\n", b"SQLite format 3\0", b"PK\x03\x04junk", b"PAR1junk", b"\xd0\xcf\x11\xe0"],
)
def test_a_misnamed_file_is_refused(profiled, content):
    with pytest.raises((UnsupportedMediaError, FileInvalidError)):
        profiled(content, "data.csv")


def test_a_file_without_suffix_is_known_by_its_content(profiled):
    assert profiled("a,b\n1,2\n", "data")["format"] == "csv"
    assert profiled('[{"a": 1}]', "data")["format"] == "json"
