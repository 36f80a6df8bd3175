"""A pass over the bytes of a text table finds what they are and where rows begin, wherever its chunks end."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqlchat.files.byte_scan import scan_bytes
from sqlchat.files.source import Source

quick = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
blocks = st.integers(1, 60)
fields = st.text(st.sampled_from(['"', ",", "\n", "\r", "a", "ü", "€", "𝄞", " "]), max_size=12)
tables = st.lists(st.lists(fields, min_size=2, max_size=2), min_size=1, max_size=30)


@pytest.fixture
def written(tmp_path):
    """written(bytes) -> a source that holds them."""

    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content)
        return Source(str(path), ".csv")

    return write


def rows(text):
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


@quick
@given(table=tables, end=st.sampled_from(["\n", "\r\n", "\r"]), block=blocks)
def test_rows_are_whole_between_the_offsets(written, table, end, block):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    content = text.getvalue().encode()
    found = scan_bytes(written(content), 0, block=block)
    assert found.quotes_enclose(",")
    assert (found.row_starts[0], found.row_starts[-1]) == (0, len(content))
    stretches = [content[a:b].decode() for a, b in pairwise(found.row_starts)]
    assert [row for stretch in stretches for row in rows(stretch)] == rows(content.decode())


@quick
@given(content=st.binary(min_size=1, max_size=80), block=blocks)
def test_utf8_and_nul_are_told_by_all_bytes(written, content, block):
    found = scan_bytes(written(content), 0, block=block)
    try:
        content.decode()
        valid = True
    except UnicodeDecodeError:
        valid = False
    assert (found.utf8, found.nul, found.quotes) == (valid, b"\0" in content, content.count(b'"'))


@quick
@given(text=st.text(st.sampled_from('aü€𝄞"\n'), min_size=1, max_size=60), block=blocks)
def test_a_character_may_lie_across_chunks(written, text, block):
    assert scan_bytes(written(text.encode()), 0, block=block).utf8


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
@pytest.mark.parametrize(
    ("text", "enclose"),
    [
        ('a,"b"\n"c","d"', True),
        ('"a""b",c\n"""",""\n', True),
        ('"a\nb",c\r\n', True),
        ('5",6\n7,8\n', False),
        ('5",6"\n7,8\n', False),
        ('say "hi",x\n', False),
        ('"a"b,c\n', False),
        ('"a" ,c\n', False),
        ('a;"b";c\n', False),
        ('"a","b\n', False),
    ],
)
def test_quotes_enclose_or_are_mere_characters(written, text, enclose, size):
    assert scan_bytes(written(text.encode()), 0, block=size).quotes_enclose(",") is enclose


def test_a_byte_order_mark_is_no_part_of_the_text(written):
    found = scan_bytes(written(b'\xef\xbb\xbf"a","b"\n'), 3, block=1)
    assert (found.quotes_enclose(","), found.row_starts) == (True, [3, 11])
