"""An upload, however hostile, makes the process that reads it grow by at most 1 GB."""

import gzip
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
from memory import Watch

from sqlchat.config import Settings
from sqlchat.errors import FileInvalidError, TooLargeError
from sqlchat.files.service import Files
from sqlchat.files.storage import open_storage
from sqlchat.workers import Workers

REFUSED = (FileInvalidError, TooLargeError)


def repeated(text, rows, columns=1):
    """A dictionary of one value, which unpacks to rows times its length."""
    indices = pa.nulls(rows, pa.int32()).fill_null(0)
    column = pa.DictionaryArray.from_arrays(indices, pa.array([text]))
    return pa.table({f"c{number}": column for number in range(columns)})


def lists_of_zeros(rows, length):
    ends = pa.array(range(0, rows * length + 1, length), pa.int32())
    return pa.table({"a": pa.ListArray.from_arrays(ends, pa.nulls(rows * length, pa.int8()).fill_null(0))})


def parquet(table):
    return lambda path: pa.parquet.write_table(table(), path, compression="zstd")


def a_far_cell(path):
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "a", 1
    book.save(path)


def a_workbook_that_unpacks(part, piece, megabytes):
    """A workbook of which one part is very long."""

    def make(path):
        openpyxl.Workbook().save(path)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book, book.open(part, "w") as file:
            for _ in range(megabytes):
                file.write(piece * ((1 << 20) // len(piece)))

    return make


def text(*pieces):
    def make(path):
        with path.open("wb") as file:
            for piece, times in pieces:
                file.write(piece * times)

    return make


def a_gzip(piece, times):
    def make(path):
        with gzip.open(path, "wb", 9) as file:
            for _ in range(times):
                file.write(piece * 10_000)

    return make


HOSTILE = {
    "far.xlsx": a_far_cell,
    "bomb.xlsx": a_workbook_that_unpacks("xl/worksheets/sheet2.xml", b"<c/>", 150),
    "strings.xlsx": a_workbook_that_unpacks("xl/sharedStrings.xml", b"<si><t>x</t></si>", 150),
    "dictionary.parquet": parquet(lambda: repeated("x" * 20_000, 1 << 18, 8)),
    "strings.parquet": parquet(lambda: repeated("x" * (1 << 20), 1 << 16)),
    "lists.parquet": parquet(lambda: lists_of_zeros(4, 4_000_000)),
    "wide.csv": text((b"c,", 1_000_000), (b"\n", 1), (b"1,", 1_000_000)),
    "line.csv": text((b'a,b\n1,"', 1), (b"x", 70 << 20)),
    "quotes.csv": text((b"a\n", 1), (b'"', 70 << 20)),
    "deep.json": text((b'[{"a":', 1), (b'{"a":', 1_000_000)),
    "flat.json": text((b'{"a": [', 1), (b"[],", 4_000_000)),
    "line.jsonl": text((b'{"a": "', 1), (b"x", 70 << 20)),
    "bomb.csv.gz": a_gzip(b"1,2\n", 4_000),
}


@pytest.fixture(scope="module")
def workers():
    pool = Workers(1, Settings().upload_worker_memory_mb, preload=("sqlchat.files.profile",))
    yield pool
    pool.close()


@pytest.fixture
def files(workers, tmp_path):
    settings = Settings(data_dir=tmp_path, upload_timeout=5.0)
    return Files(settings, open_storage(settings), workers)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_at_the_cost_of_a_gigabyte_at_most(files, workers, tmp_path, name):
    path = tmp_path / name
    HOSTILE[name](path)
    workers.close()  # so that the most is this file's
    with Watch(workers) as watch, pytest.raises(REFUSED):
        files.profile(path, name)
    assert 0 < watch.most - watch.before <= 1024, "MiB"


@pytest.mark.parametrize(("columns", "rows"), [(200, 24_000), (1900, 2_500)])
def test_a_wide_file_of_several_blocks_is_read(workers, tmp_path, columns, rows):
    """Each value is another one than its neighbours, so that nothing is read once for all."""
    path = tmp_path / "wide.csv"
    head = ",".join(f"c{number}" for number in range(columns))
    lines = [",".join(str(100_000 + (number * 7919 + k) % 899_999) for number in range(columns)) for k in range(100)]
    path.write_text("\n".join([head, *lines * (rows // 100)]))
    settings = Settings(data_dir=tmp_path, upload_timeout=300.0)
    workers.close()  # so that the most is this file's
    with Watch(workers) as watch:
        found = Files(settings, open_storage(settings), workers).profile(path, "wide.csv")
    assert (found.row_count, {column["type"] for column in found.columns}) == (rows, {"INTEGER"})
    assert 0 < watch.most - watch.before <= 512, "MiB"
