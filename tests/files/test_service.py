"""Uploads from end to end: profiled in another process, then stored."""

import pytest

from sqlchat.config import Settings
from sqlchat.errors import BucketNotFoundError, ConflictError, FileInvalidError, TooLargeError
from sqlchat.files.service import Files
from sqlchat.files.storage import open_storage
from sqlchat.workers import Workers


@pytest.fixture(scope="module")
def workers():
    pool = Workers(1, Settings().upload_worker_memory_mb)
    yield pool
    pool.close()


@pytest.fixture
def files(tmp_path, workers):
    settings = Settings(data_dir=tmp_path / "var", upload_timeout=600.0, buckets=("uploads", "reports"))
    return Files(settings, open_storage(settings), workers)


@pytest.fixture
def spooled(tmp_path):
    def spool(content=b"id,name\n1,Ada\n"):
        path = tmp_path / "spooled"
        path.write_bytes(content)
        return path

    return spool


def test_an_upload_is_profiled_and_stored(files, spooled, tmp_path):
    uploaded = files.upload(spooled(), "customers.csv", "text/csv", bucket="uploads").as_dict()
    assert {k: v for k, v in uploaded.items() if k != "profile"} == {
        "file_name": "customers.csv",
        "storage_path": "uploads/customers.csv",
        "content_type": "text/csv",
        "size_bytes": 14,
    }
    assert uploaded["profile"]["row_count"] == 1
    assert (tmp_path / "var/files/uploads/customers.csv").read_bytes() == b"id,name\n1,Ada\n"


def test_a_broken_file_is_not_stored(files, spooled, tmp_path):
    with pytest.raises(FileInvalidError) as refused:
        files.upload(spooled(b"a,b\n1,2,3\n"), "x.csv", None, bucket="uploads")
    assert refused.value.facts["line"] == 2
    assert not (tmp_path / "var/files").exists()


def test_a_name_taken(files, spooled):
    files.upload(spooled(), "a.csv", None, bucket="uploads")
    with pytest.raises(ConflictError):
        files.upload(spooled(), "a.csv", None, bucket="uploads")
    assert files.upload(spooled(), "a.csv", None, bucket="reports").storage_path == "reports/a.csv"
    assert files.upload(spooled(b"n\n1\n"), "a.csv", None, bucket="uploads", upsert=True).size_bytes == 4


def test_a_folder_keeps_callers_apart(files, spooled):
    for owner in ("one", "two"):
        assert files.upload(spooled(), "a.csv", None, bucket="uploads", folder=owner).storage_path == (
            f"uploads/{owner}/a.csv"
        )


def test_an_unknown_bucket_names_those_allowed(files, spooled):
    with pytest.raises(BucketNotFoundError, match="'uploads', 'reports'"):
        files.upload(spooled(), "a.csv", None, bucket="secrets")


@pytest.mark.parametrize(
    ("name", "given", "content_type"),
    [
        ("a.csv", None, "text/csv"),
        ("a.csv", "application/octet-stream", "text/csv"),
        ("a.csv", "application/vnd.ms-excel", "text/csv"),
        ("a.csv", "text/csv; charset=utf-8", "text/csv"),
        ("a.csv", "text/html", "text/csv"),
        ("a.csv", "text/csv\r\nX-Evil: 1", "text/csv"),
        ("a.csv", "text/x-csv", "text/x-csv"),
        ("a.tsv", "", "text/tab-separated-values"),
        ("a", None, "application/octet-stream"),
    ],
)
def test_content_types(files, spooled, name, given, content_type):
    assert files.upload(spooled(), name, given, bucket="uploads").content_type == content_type


def test_a_costly_file_ends_at_the_deadline(tmp_path, spooled, workers):
    settings = Settings(data_dir=tmp_path, upload_timeout=0.05)
    files = Files(settings, open_storage(settings), workers)
    with pytest.raises(FileInvalidError, match="too costly to read"):
        files.profile(spooled(b"a,b,c\n" + b"1.5,2020-01-01,x\n" * 2_000_000), "a.csv")


def test_a_file_that_needs_too_much_memory_is_refused(tmp_path, spooled):
    small = Workers(1, 700)
    settings = Settings(data_dir=tmp_path, upload_timeout=600.0)
    content = b'{"a": [' + b"1.5," * 14_000_000 + b"1]}"
    try:
        with pytest.raises(TooLargeError):
            Files(settings, open_storage(settings), small).profile(spooled(content), "a.json")
    finally:
        small.close()
