"""CSV as people have it."""

import gzip

import pytest

from sqlchat.errors import FileInvalidError


def names(found):
    return [column["name"] for column in found["columns"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(profiled, delimiter):
    rows = [["id", "text"], ["1", "a"], ["2", "b"]]
    found = profiled("\n".join(delimiter.join(row) for row in rows))
    assert (found["delimiter"], names(found), found["row_count"]) == (delimiter, ["id", "text"], 2)


def test_a_delimiter_within_quotes_is_text(profiled):
    found = profiled('name;note\n"a;b";"x,y"\n"c";"p,q"\n')
    assert (found["delimiter"], found["row_count"]) == (";", 2)


@pytest.mark.parametrize(
    ("codec", "mark", "encoding"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16", b"", "utf-16"),
        ("utf-16-le", b"", "utf-16"),
        ("cp1252", b"", "windows-1252"),
    ],
)
def test_encodings_are_found(profiled, codec, mark, encoding):
    text = "Straße,Preis\nGroße Bleiche – Süd,5 €\nMünchner Straße,7 €\n"
    found = profiled(mark + text.encode(codec))
    assert (found["encoding"], names(found)) == (encoding, ["Straße", "Preis"])
    assert found["by_name"]["Preis"]["example"] == 5
    assert found["by_name"]["Straße"]["example"] == "Große Bleiche – Süd"


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        ("Café,Hôtel\nÉlève,5\n", "latin-1", "windows-1252"),
        ("miasto\nŁódź\nKraków\nGdańsk\nŻyrardów\n", "cp1250", "cp1250"),
        ("город,сумма\nМосква,5\nСанкт-Петербург,7\n", "cp1251", "cp1251"),
        ("氏名,金額\n山田太郎,5\n佐藤花子,7\n", "cp932", "cp932"),
    ],
)
def test_older_encodings_are_read_right(profiled, text, codec, encoding):
    found = profiled(text.encode(codec))
    assert found["encoding"] == encoding
    assert names(found) == text.splitlines()[0].split(",")


def test_a_guessed_encoding_is_told(profiled):
    assert "windows-1252" in profiled("name\nMüller\nGröße\n".encode("latin-1"))["warnings"][0]


def test_a_byte_far_down_decides_the_encoding(profiled):
    found = profiled(b"name\n" + b"plain\n" * 300_000 + "Müller\n".encode("cp1252"))
    assert (found["encoding"], found["by_name"]["name"]["distinct"]) == ("windows-1252", 2)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(profiled, end):
    assert profiled(end.join(["a,b", "1,2", "3,4", ""]))["row_count"] == 2


def test_quoted_newlines_and_quotes(profiled):
    found = profiled('a,b\r\n1,"first\r\nsecond, ""quoted"""\r\n2,x\r\n')
    assert found["row_count"] == 2
    assert found["by_name"]["b"]["example"] == 'first\r\nsecond, "quoted"'


def test_a_quoted_text_of_megabytes(profiled):
    found = profiled('a,b\n1,"' + "a line\n" * 500_000 + '"\n2,x\n' + "3,y\n" * 300_000)
    assert (found["row_count"], found["by_name"]["b"]["distinct"]) == (300_002, 3)


def test_empty_strings_are_nulls_quoted_or_not(profiled):
    assert [c["nulls"] for c in profiled('a,b\n,""\n1,x\n')["columns"]] == [1, 1]


@pytest.mark.parametrize("code", ['="0123"', '"=""0123"""'])
def test_texts_written_as_formulas_are_texts(profiled, code):
    found = profiled(f'zip,n\n{code},1\n="9021",2\n')
    assert (found["by_name"]["zip"]["type"], found["by_name"]["zip"]["min"]) == ("TEXT", "0123")


@pytest.mark.parametrize("text", ["a,b\n", "a,b", "\ufeffa,b\r\n"])
def test_a_header_alone_is_a_table_of_no_rows(profiled, text):
    found = profiled(text)
    assert (found["row_count"], names(found)) == (0, ["a", "b"])


def test_one_column(profiled):
    found = profiled("name\nAda\nBob\n")
    assert (found["row_count"], names(found)) == (2, ["name"])


def test_names_that_repeat_or_lack_are_made_and_told(profiled):
    found = profiled("a,a,,a_2\n1,2,3,4\n")
    assert names(found) == ["a", "a_3", "column_3", "a_2"]
    assert "'a_3'" in found["warnings"][0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a,b\n1,2,3\n", 2),
        ("a,b\n1,2\n3\n", 3),
        ('a,b\n1,"x\ny\nz"\n1,2,3\n', 5),
        ("a,b\n\n\n1\n", 4),
        ("Title\n\na,b\n1,2\n1,2,3\n", 5),
        ("name\nSmith, John\n", 2),
        ("a,b\n" + "1,2\n" * 100_000 + "1\n", 100_002),
    ],
)
def test_a_ragged_row_is_refused_with_its_line(profiled, text, line):
    with pytest.raises(FileInvalidError, match=f"Line {line} has") as refused:
        profiled(text)
    assert refused.value.facts["line"] == line


def test_ragged_rows_are_counted_where_the_caller_says_so(profiled):
    found = profiled("a,b\n1,2,3\n4,5\n6\n", on_bad_rows="skip")
    assert found["row_count"] == 1
    assert "2 rows" in found["warnings"][0]


def test_a_quote_never_closed_is_refused_with_its_line(profiled):
    with pytest.raises(FileInvalidError, match="never closed") as refused:
        profiled('a,b\n1,2\n3,"4\n5,6\n')
    assert refused.value.facts["line"] == 3


def test_lines_before_the_header_are_told(profiled):
    found = profiled("# exported\nSales report\n\nid,amount\n1,2\n")
    assert (names(found), found["row_count"]) == (["id", "amount"], 1)
    assert "3 lines" in found["warnings"][0]


def test_gzip(profiled):
    found = profiled(gzip.compress(b"a,b\n1,2\n"), "data.csv.gz")
    assert (found["row_count"], found["compression"]) == (1, "gzip")


def test_a_gzip_cut_off_is_refused(profiled):
    with pytest.raises(FileInvalidError, match="gz"):
        profiled(gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-10], "data.csv.gz")


def test_nul_bytes_are_refused(profiled):
    with pytest.raises(FileInvalidError, match="NUL"):
        profiled(b"a,b\n" + b"1,2\n" * 5000 + b"\0,2\n")


LINES = 200_000
"""Of some 100 bytes: a file of three blocks."""


def long_file(quoted, end="\n"):
    """A note of two lines in every fifth row, if `quoted`."""
    text = "x" * 80
    for number in range(LINES):
        note = f'"{text}\n{number}"' if quoted and number % 5 == 0 else text
        yield f"{number},{note}{end}"


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_files_of_several_blocks(profiled, quoted, end):
    found = profiled(f"id,note{end}" + "".join(long_file(quoted, end)))
    assert (found["row_count"], found["warnings"]) == (LINES, [])
    numbers = found["by_name"]["id"]
    assert (numbers["type"], numbers["min"], numbers["max"]) == ("INTEGER", 0, LINES - 1)
    assert numbers["mean"] == pytest.approx((LINES - 1) / 2)
    distinct = found["by_name"]["note"]["distinct"]
    assert distinct == pytest.approx(LINES // 5 + 1, rel=0.05) if quoted else distinct == 1


def test_a_quote_within_a_text_is_no_quoting_in_a_file_of_several_blocks(profiled):
    lines = list(long_file(quoted=False))
    lines[100] = '100,5" pipe\n'
    lines[150_000] = '150000,7" pipe\n'
    found = profiled("id,note\n" + "".join(lines))
    assert (found["row_count"], found["by_name"]["note"]["distinct"]) == (LINES, 3)


@pytest.mark.parametrize("codec", ["cp1252", "utf-16", "utf-8-sig"])
def test_encodings_of_files_of_several_blocks(profiled, codec):
    content = "id,note\n" + "".join(long_file(quoted=True)).replace("xx", "xä")
    assert profiled(content.encode(codec))["row_count"] == LINES


def test_wrong_rows_far_into_a_file(profiled):
    lines = list(long_file(quoted=False))
    lines[150_000] = lines[180_000] = "1,2,3\n"
    with pytest.raises(FileInvalidError, match="Line 150002 has 3 fields"):
        profiled("id,note\n" + "".join(lines))
    found = profiled("id,note\n" + "".join(lines), on_bad_rows="skip")
    assert found["row_count"] == LINES - 2
    assert found["warnings"] == ["2 rows had too many or too few fields and were left out."]


@pytest.mark.parametrize("codec", ["utf-8", "cp1252"])
@pytest.mark.parametrize("quote", ['"', ""])
def test_a_row_may_be_as_long_as_16_mib(profiled, quote, codec):
    row = f"1,{quote}{'x' * (12 << 20)}{quote}\n"
    found = profiled(("id,note\n" + "0,€\n" * 1000 + row.replace("x", "€", 4 << 20) + "2,b\n").encode(codec))
    assert found["row_count"] == 1002
    with pytest.raises(FileInvalidError, match="longer than 16 MiB"):
        profiled("id,note\n" + row[:-2] + "x" * (20 << 20) + row[-2:] + "2,b\n")


def test_a_header_of_more_rows_than_the_file_holds_is_refused(profiled):
    with pytest.raises(FileInvalidError, match="more than the file holds"):
        profiled("place,units\n", header_row=(1, 2))
