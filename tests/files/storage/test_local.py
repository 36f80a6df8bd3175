"""Objects in a local folder."""

import io
import re
import resource
import threading
from datetime import UTC, datetime, timedelta

import pytest

from sqlchat.errors import ConflictError, FileNotFoundInStorageError, StorageError
from sqlchat.files.storage.local import LocalStorage


@pytest.fixture
def storage(tmp_path):
    return LocalStorage(tmp_path / "files")


def put(storage, content=b"a,b\n", name="a.csv", **options):
    return storage.put("uploads", name, io.BytesIO(content), len(content), "text/csv", **options)


def test_an_object_is_kept_below_its_bucket(storage, tmp_path):
    assert put(storage, name="日本語.csv") == "uploads/日本語.csv"
    assert (tmp_path / "files/uploads/日本語.csv").read_bytes() == b"a,b\n"


def test_an_existing_name_is_a_conflict_and_stays(storage, tmp_path):
    put(storage)
    with pytest.raises(ConflictError, match="upsert=true"):
        put(storage, b"other")
    assert (tmp_path / "files/uploads/a.csv").read_bytes() == b"a,b\n"


def test_upsert_replaces(storage, tmp_path):
    put(storage)
    put(storage, b"other", upsert=True)
    assert (tmp_path / "files/uploads/a.csv").read_bytes() == b"other"


def test_a_file_is_stored_from_its_beginning(storage, tmp_path):
    file = io.BytesIO(b"a,b\n")
    file.read()
    storage.put("uploads", "a.csv", file, 4, "text/csv")
    assert (tmp_path / "files/uploads/a.csv").read_bytes() == b"a,b\n"


def test_of_many_at_once_one_wins(storage, tmp_path):
    outcomes = []

    def race(number):
        try:
            outcomes.append(put(storage, b"%d" % number * 100_000))
        except ConflictError:
            outcomes.append(None)

    threads = [threading.Thread(target=race, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert len(set((tmp_path / "files/uploads/a.csv").read_bytes())) == 1


def test_nothing_is_left_of_what_failed(storage, tmp_path):
    with pytest.raises(StorageError, match="4 of 9 bytes"):
        storage.put("uploads", "a.csv", io.BytesIO(b"a,b\n"), 9, "text/csv")
    assert list((tmp_path / "files/uploads").iterdir()) == []


@pytest.mark.parametrize("name", ["../a.csv", "a/../../b", "", "a//b", "/etc/passwd", "..\\a"])
def test_a_name_never_leads_out_of_its_bucket(storage, tmp_path, name):
    with pytest.raises(StorageError):
        put(storage, name=name)
    assert not (tmp_path / "files").exists()


def test_a_disk_that_is_full_leaves_nothing_of_a_file(storage, tmp_path):
    put(storage, b"old", "a.csv")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limit[1]))
    try:
        for name in ("a.csv", "b.csv"):
            with pytest.raises(StorageError, match="could not be stored"):
                put(storage, bytes(2 << 20), name, upsert=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    (kept,) = (tmp_path / "files/uploads").iterdir()
    assert kept.read_bytes() == b"old"


def test_what_is_kept_can_be_looked_at_read_listed_and_removed(storage, tmp_path):
    for name in ("b.csv", "日本語.parquet", "someone/c.csv"):
        put(storage, name=name)
    (tmp_path / "files/uploads/.part").write_bytes(b"on its way")
    listed = storage.list("uploads", "")
    assert [(each.name, each.content_type) for each in listed] == [
        ("b.csv", "text/csv"),
        ("日本語.parquet", "application/vnd.apache.parquet"),
    ]
    assert storage.list("uploads", "someone") == [storage.stat("uploads", "someone/c.csv")]
    assert storage.list("uploads", "nobody") == storage.list("nowhere", "") == []
    found = storage.stat("uploads", "b.csv")
    assert found == listed[0]
    assert (found.size_bytes, abs(datetime.now(UTC) - found.updated_at) < timedelta(minutes=10)) == (4, True)
    target = io.BytesIO()
    storage.fetch("uploads", "b.csv", target)
    assert target.getvalue() == b"a,b\n"
    put(storage, b"c,d\n", "b.csv", upsert=True)
    assert storage.stat("uploads", "b.csv").version != found.version
    storage.delete("uploads", "b.csv")
    assert [each.name for each in storage.list("uploads", "")] == ["日本語.parquet"]


@pytest.mark.parametrize("name", ["no.csv", "a.csv/b", "folder", "no/a.csv"])
def test_what_is_not_there_cannot_be_read_or_removed(storage, name):
    put(storage)
    put(storage, name="folder/a.csv")
    for act in (storage.stat, storage.delete, lambda bucket, name: storage.fetch(bucket, name, io.BytesIO())):
        with pytest.raises(FileNotFoundInStorageError, match=re.escape(repr(f"uploads/{name}"))):
            act("uploads", name)
    assert len(storage.list("uploads", "folder")) == 1


@pytest.mark.parametrize("name", ["../a.csv", "a/../../b", "", "/etc/passwd", "..\\a"])
def test_nothing_outside_of_a_bucket_is_read_listed_or_removed(storage, tmp_path, name):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/a.csv").write_text("not in a bucket")
    for act in (storage.stat, storage.delete, lambda bucket, name: storage.fetch(bucket, name, io.BytesIO())):
        with pytest.raises(StorageError, match="leads out"):
            act("uploads", name)
    if name:
        with pytest.raises(StorageError, match="leads out"):
            storage.list("uploads", name)
    assert (tmp_path / "files/a.csv").exists()


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "files").write_text("no folder")
    with pytest.raises(StorageError):
        put(LocalStorage(tmp_path / "files"))


def test_a_link_is_no_file(storage, tmp_path):
    put(storage)
    (tmp_path / "secret.csv").write_text("user,password\n")
    (tmp_path / "files/uploads/link.csv").symlink_to(tmp_path / "secret.csv")
    for look in (storage.stat, storage.delete, lambda *place: storage.fetch(*place, io.BytesIO())):
        with pytest.raises(FileNotFoundInStorageError):
            look("uploads", "link.csv")
    assert [each.name for each in storage.list("uploads", "")] == ["a.csv"]


def test_a_name_that_no_file_can_have_is_not_found(storage):
    for name in ("a" * 300 + ".csv", "é" * 200):
        with pytest.raises(FileNotFoundInStorageError):
            storage.stat("uploads", name)
