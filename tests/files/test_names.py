"""Names of stored files: safe, and still readable."""

import pytest

from sqlchat.errors import FileInvalidError
from sqlchat.files.names import MAX_BYTES, make_safe_name


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("customers.csv", "customers.csv"),
        ("日本語.csv", "日本語.csv"),
        ("Größe & Preis (2024).csv", "Größe & Preis (2024).csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\sales.csv", "sales.csv"),
        ("..hidden.csv", "hidden.csv"),
        ("a\x00b\nc\u202egnp.csv", "abcgnp.csv"),
        ('what?<"*|:>.csv', "what_______.csv"),
        ("100%#1.csv", "100__1.csv"),
        ("con.csv", "_con.csv"),
        ("LPT1", "_LPT1"),
        ("  spaced.csv. ", "spaced.csv"),
        ("e\u0301.csv", "é.csv"),
    ],
)
def test_names_are_made_safe(given, safe):
    assert make_safe_name(given) == safe


@pytest.mark.parametrize("given", ["", "   ", "..", "/", "folder/", "\u200b\x07"])
def test_a_name_with_nothing_in_it_is_refused(given):
    with pytest.raises(FileInvalidError):
        make_safe_name(given)


def test_a_long_name_keeps_its_suffix_and_whole_characters():
    name = make_safe_name("語" * 200 + ".csv.gz")
    assert name.endswith("語.csv.gz")
    assert len(name.encode()) <= MAX_BYTES


def test_a_safe_name_stays_as_it_is():
    for given in ("日本語.csv", "con.csv", "语" * 300 + ".csv", "a.b.c." + "x" * 300):
        assert make_safe_name(make_safe_name(given)) == make_safe_name(given)
