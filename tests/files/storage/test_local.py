"""Objects in a local folder."""

import io
import threading

import pytest

from sqlchat.errors import ConflictError, StorageError
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


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "files").write_text("no folder")
    with pytest.raises(StorageError):
        put(LocalStorage(tmp_path / "files"))
