"""What a profile found is kept, and used once by whoever converts the same bytes next."""

import os
import time

import pytest

from sqlchat.files.analysis import LONGEST_KEPT, AnalysisCache
from sqlchat.files.byte_scan import scan_bytes
from sqlchat.files.options import Options
from sqlchat.files.profile import profile
from sqlchat.files.source import Source
from sqlchat.files.typed import TypedTable

CONTENT = "id;day;price;note\n1;31.12.2024;1.234,50 €;Ada\n2;N/A;-3,00 €;Bo\n3;01.02.2023;7,25 €;\n"


@pytest.fixture
def upload(tmp_path):
    path = tmp_path / "upload"
    path.write_text(CONTENT, encoding="utf-8")
    return str(path)


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "findings")


def rows(table):
    return [row for batch in table.batches() for row in batch.to_pylist()]


def test_a_table_is_the_same_with_what_was_kept(upload, folder):
    found = profile(upload, "orders.csv", None, folder)
    assert len(os.listdir(folder)) == 1
    kept, read = TypedTable(upload, "orders.csv", Options(), folder), TypedTable(upload, "orders.csv", Options())
    assert os.listdir(folder) == []
    assert [(c.name, c.type, c.remarks) for c in kept.columns] == [(c.name, c.type, c.remarks) for c in read.columns]
    assert (kept.row_count, kept.warnings, kept.facts) == (read.row_count, read.warnings, read.facts)
    assert kept.warnings == found.warnings
    assert rows(kept) == rows(read) == rows(kept)
    assert rows(kept)[1]["day"] is None


def test_the_scan_of_the_bytes_is_kept(tmp_path, folder):
    path = tmp_path / "upload"
    content = 'id,name,n\n1,"Müller, A", 7\n2,"B ""x""",8\n'
    path.write_text(content, encoding="utf-8")
    source = Source(str(path), ".csv")
    profile(str(path), "people.csv", None, folder)
    kept, scan = AnalysisCache(folder).take(str(path), "people.csv", Options()).scan, scan_bytes(source, 0)
    assert (kept.row_starts, kept.quotes, kept.utf8, kept.nul) == (scan.row_starts, scan.quotes, True, False)
    assert kept.beside_quotes.tolist() == scan.beside_quotes.tolist()
    assert kept.padded == {"n"}
    path.write_bytes(content.encode("cp1252"))
    profile(str(path), "people.csv", None, folder)
    assert AnalysisCache(folder).take(str(path), "people.csv", Options()).scan is None


def test_no_row_is_kept(upload, folder):
    profile(upload, "orders.csv", None, folder)
    (name,) = os.listdir(folder)
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        text = file.read()
    assert "price" in text
    assert "Ada" not in text


@pytest.mark.parametrize(
    ("name", "options", "more"),
    [
        ("orders.txt.csv", Options(), ""),
        ("orders.csv", Options(decimal=","), ""),
        ("orders.csv", Options(), "4;;;\n"),
    ],
)
def test_other_bytes_or_words_are_read_anew(upload, folder, name, options, more):
    profile(upload, "orders.csv", None, folder)
    with open(upload, "a", encoding="utf-8") as file:
        file.write(more)
    assert AnalysisCache(folder).take(upload, name, options) is None
    assert len(os.listdir(folder)) == 1


def test_what_nobody_used_goes(upload, folder):
    profile(upload, "orders.csv", None, folder)
    (name,) = os.listdir(folder)
    long_ago = time.time() - LONGEST_KEPT - 1
    os.utime(os.path.join(folder, name), (long_ago, long_ago))
    profile(upload, "orders.csv", Options(decimal=","), folder)
    assert os.listdir(folder) != [name]
    assert len(os.listdir(folder)) == 1


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_file(upload, tmp_path):
    (tmp_path / "taken").write_text("")
    assert profile(upload, "orders.csv", None, str(tmp_path / "taken")).row_count == 3
