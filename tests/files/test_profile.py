"""What a profile says of a file as a whole."""

import pytest

from sqlchat.errors import FileInvalidError, UnsupportedMediaError


def test_distinct_is_exact_while_values_are_few(profiled):
    rows = "".join(f"{i % 7},value {i},{i},{i + 9 * (i % 2)}\n" for i in range(60_000))
    few, many, rising, jumping = profiled("few,many,rising,jumping\n" + rows)["columns"]
    assert (few["distinct"], few["distinct_is_exact"]) == (7, True)
    assert (rising["distinct"], rising["distinct_is_exact"]) == (60_000, True)  # no number twice
    assert not jumping["distinct_is_exact"]
    assert not many["distinct_is_exact"]
    assert many["distinct"] == pytest.approx(60_000, rel=0.05)


def test_common_values_come_with_their_counts(profiled):
    column = profiled("c\n" + "red\n" * 3 + "blue\n" * 2 + "green\n")["columns"][0]
    assert column["top"] == [
        {"value": "red", "count": 3},
        {"value": "blue", "count": 2},
        {"value": "green", "count": 1},
    ]


GERMAN = "a decimal comma and '.' as thousands mark"


@pytest.mark.parametrize(
    ("texts", "how", "most"),
    [
        (["1.234,50", "7", "-0,5", "NA"], GERMAN, 1234.5),
        (["1,234", "12,345,678.9"], "',' as thousands mark", 12345678.9),
        (["1'234.50", "12"], '"\'" as thousands mark', 1234.5),
        (["1 234,50", "99,90"], "a decimal comma and ' ' as thousands mark", 1234.5),
        (["1.234.567", "5"], "'.' as thousands mark", 1234567),
        (["12,34,567"], "',' as thousands mark", 1234567),
        (["$1.50", "-$2", "$ 3.10", "($4)"], "currency signs ($)", 3.1),
        (["USD 5", "USD 6.50"], "currency signs (USD)", 6.5),
        (["1.234,50 €", "3 €"], f"currency signs (€) and {GERMAN}", 1234.5),
    ],
)
def test_numbers_of_one_reading_are_numbers_and_told(profiled, texts, how, most):
    found = profiled("c;d\n" + "".join(f"{text};x\n" for text in texts))
    column = found["columns"][0]
    assert (column["type"] != "TEXT", column["max"]) == (True, most)
    assert found["warnings"][0] == f"'c' is read as numbers written with {how}."


def test_percent_is_told(profiled):
    found = profiled("c;d\n10%;x\n12.5 %;x\n")
    assert (found["columns"][0]["max"], found["warnings"]) == (12.5, ["'c' is read as numbers of percent: 7% is 7."])


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["1.234", "2.500"], "two ways"),
        (["1,234", "56"], "two ways"),
        (["$5", "€6"], "several currencies"),
        (["5%", "6"], "with and without a percent sign"),
        (["555 123", "555 124"], "or codes"),
    ],
)
def test_numbers_of_two_readings_stay_text_and_are_told(profiled, texts, told):
    found = profiled("c;d\n" + "".join(f"{text};x\n" for text in texts))
    assert found["columns"][0]["type"] == "TEXT"
    assert told in found["warnings"][0]


@pytest.mark.parametrize(
    ("read", "most"),
    [({"decimal": ","}, 2500), ({"thousands": "."}, 2500), ({"decimal": "."}, 2.5), ({"thousands": ","}, 2.5)],
)
def test_the_caller_says_how_numbers_are_written(profiled, read, most):
    found = profiled("c;d\n1.234;x\n2.500;y\n", **read)
    assert found["columns"][0]["max"] == most
    assert found["read"] | read == found["read"]


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


@pytest.mark.parametrize(("last", "sql_type"), [("7,5", "NUMERIC"), ("7", "NUMERIC"), ("none of these", "TEXT")])
def test_each_block_has_its_say_on_notations(profiled, last, sql_type):
    content = "c;d\n" + "1,5;filler that makes a block full\n" * 400_000 + f"{last};x\n"
    column = profiled(content)["columns"][0]
    assert (column["type"], column["distinct"]) == (sql_type, 2)


def test_long_texts_are_shown_short(profiled):
    assert len(profiled("c\n" + "x" * 5000)["columns"][0]["example"]) == 200


@pytest.mark.parametrize("name", ["data.csv", "data.json", "data.parquet", "data.xlsx", "data.csv.gz", "data"])
def test_an_empty_file_is_refused(profiled, name):
    with pytest.raises(FileInvalidError, match="empty"):
        profiled(b"", name)


@pytest.mark.parametrize("name", ["photo.png", "page.html", "model.pkl"])
def test_unknown_kinds_are_refused_with_those_known(profiled, name):
    with pytest.raises(UnsupportedMediaError, match=r"CSV \(.csv, .tsv, .*\).*Parquet.*\.xlsx"):
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
