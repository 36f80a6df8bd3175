"""Parquet, whose types are in the file."""

import datetime
import io

import pyarrow as pa
import pyarrow.parquet
import pytest

from sqlchat.errors import FileInvalidError, TooLargeError, UnsupportedMediaError
from sqlchat.files.formats import parquet


def written(**columns):
    target = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), target)
    return target.getvalue()


def test_bounds(profiled):
    column = profiled(written(d=[datetime.date(2024, 1, 1), datetime.date(2023, 1, 1)]), "data.parquet")["columns"][0]
    assert (column["min"], column["max"], column["distinct"]) == ("2023-01-01", "2024-01-01", 2)


def test_no_rows(profiled):
    assert profiled(written(a=pa.array([], pa.int64())), "data.parquet")["row_count"] == 0


def test_a_damaged_file_is_refused(profiled):
    whole = written(a=list(range(10_000)))
    for content in (whole[:-100], b"PAR1" + whole[4:200] + b"PAR1", whole[:100] + b"\xff" * 5000 + whole[5100:]):
        with pytest.raises((FileInvalidError, TooLargeError)):
            profiled(content, "data.parquet")


def test_a_bomb_is_refused_before_it_is_read(profiled, monkeypatch):
    monkeypatch.setattr(parquet, "MAX_VALUES", 1_000_000)
    with pytest.raises(TooLargeError, match="2,000,000 rows"):
        profiled(written(a=pa.array([1] * 2_000_000, pa.int8())), "data.parquet")


def test_parquet_in_a_gzip_is_refused(profiled):
    import gzip

    with pytest.raises(UnsupportedMediaError, match="text files"):
        profiled(gzip.compress(written(a=[1])), "data.parquet.gz")


def test_nan_is_null_and_infinity_is_told(profiled):
    values = [1.5, float("nan"), float("inf"), None]
    result = profiled(written(a=pa.array(values), b=pa.array(values, pa.float32())), "data.parquet")
    assert [(c["type"], c["nulls"], c["distinct"]) for c in result["columns"]] == [("DOUBLE PRECISION", 2, 2)] * 2
    infinite, missing = result["warnings"][:2]
    assert "'a' has infinite values (1)" in infinite
    assert "'a' has NaN for a value (1)" in missing
