"""Which files a config may name, and what their tables are called."""

import pytest

from sqlchat.connections.files.config import NamedFile, read_files
from sqlchat.errors import ConnectionConfigError
from sqlchat.files.options import Options
from sqlchat.files.storage.supabase_keys import read_object_name

ME, OTHER = "0b5c9f0a-3a39-4b0e-9d3e-3f1f2f7f5c11", "7d1f0e0e-62f0-4d7c-8f53-6a2f5d1e8a22"


def named(*files, folder="", spelled=str, buckets=("uploads", "reports")):
    return read_files({"files": list(files)}, buckets, folder, spelled)


def test_a_path_or_an_object():
    one, other = named(
        "uploads/customers.csv",
        {"path": "reports/Q1.xlsx", "table": "first quarter", "sheet": 2, "on_bad_rows": "skip"},
    )
    assert one == NamedFile("uploads", "customers.csv", "uploads/customers.csv", "customers", Options())
    assert other == NamedFile("reports", "Q1.xlsx", "reports/Q1.xlsx", "first quarter", Options(2, "skip"))


@pytest.mark.parametrize("path", ["uploads/a.csv", f"uploads/{ME}/a.csv"])
def test_a_user_s_files_are_in_the_user_s_folder_named_or_not(path):
    (file,) = named(path, folder=ME)
    assert (file.bucket, file.name, file.shown) == ("uploads", f"{ME}/a.csv", "uploads/a.csv")


@pytest.mark.parametrize(
    "path",
    [
        f"uploads/{OTHER}/a.csv",
        f"uploads/{ME}/{OTHER}/a.csv",
        f"uploads/../{OTHER}/a.csv",
        f"uploads/{ME}/../{OTHER}/a.csv",
        "uploads/..",
        "uploads/.",
        "uploads/",
        "uploads",
        "uploads//a.csv",
        "uploads/.hidden.part",
        "uploads/a\\..\\b.csv",
        "uploads/a\0.csv",
        f"uploads/{OTHER}=2Fa.csv",
        "uploads/=2E=2E",
    ],
)
@pytest.mark.parametrize("folder", [ME, ""])
def test_nobody_else_s(path, folder):
    with pytest.raises(ConnectionConfigError) as caught:
        named(path, folder=folder, spelled=read_object_name)
    assert caught.value.detail == f"There is no file {path!r}; upload it first."


@pytest.mark.parametrize("path", ["private/a.csv", "/etc/passwd", "", "../uploads/a.csv", "a.csv"])
def test_buckets_are_on_a_list(path):
    with pytest.raises(ConnectionConfigError) as caught:
        named(path)
    assert "begin it with one of 'uploads', 'reports'" in caught.value.detail


def test_a_path_as_the_storage_spells_it():
    (file,) = named("uploads/=C3=84pfel.csv", spelled=read_object_name)
    assert (file.name, file.table) == ("Äpfel.csv", "äpfel")


@pytest.mark.parametrize(
    ("paths", "tables"),
    [
        (["uploads/Customers.CSV"], ["customers"]),
        (["uploads/Q3 Sales (final).xlsx"], ["q3_sales_final"]),
        (["uploads/2024-orders.jsonl"], ["_2024_orders"]),
        (["uploads/data.tsv.gz"], ["data"]),
        (["uploads/v1.2.parquet"], ["v1_2"]),
        (["uploads/日本語.csv"], ["日本語"]),
        (["uploads/!!.csv"], ["table"]),
        (["uploads/a.csv", "reports/A.csv", "uploads/a.json"], ["a", "a_2", "a_3"]),
        (["uploads/a_2.csv", "uploads/a.csv", "reports/a.csv"], ["a_2", "a", "a_3"]),
        ([f"uploads/{'x' * 90}.csv"], ["x" * 63]),
    ],
)
def test_names_of_tables(paths, tables):
    assert [file.table for file in named(*paths)] == tables


def test_a_name_asked_for_is_not_given_to_another():
    files = named("uploads/a.csv", {"path": "uploads/b.csv", "table": "A"})
    assert [file.table for file in files] == ["a_2", "A"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "list of paths"),
        ({"files": []}, "list of paths"),
        ({"files": "uploads/a.csv"}, "list of paths"),
        ({"files": [3]}, "list of paths"),
        ({"files": [{"table": "a"}]}, "list of paths"),
        ({"files": [{"path": "uploads/a.csv", "folder": OTHER}]}, "list of paths"),
        ({"files": [{"path": "uploads/a.csv", "tabel": "a"}]}, "Unknown in an entry of `files`: `tabel`. The field"),
        ({"files": [{"tabel": "a", "shet": 1}]}, "`shet`, `tabel`"),
        ({"files": ["uploads/a.csv"], "folder": OTHER}, "unknown: `folder`"),
        ({"files": ["uploads/a.csv"] * 51}, "up to 50 files"),
        ({"files": [{"path": "uploads/a.csv", "sheet": True}]}, "`sheet`"),
        ({"files": [{"path": "uploads/a.csv", "sheet": [1]}]}, "`sheet`"),
        ({"files": [{"path": "uploads/a.csv", "on_bad_rows": "guess"}]}, "`on_bad_rows`"),
        ({"files": [{"path": "uploads/a.csv", "on_bad_rows": ["skip"]}]}, "`on_bad_rows`"),
        ({"files": [{"path": "uploads/a.csv", "table": " "}]}, "`table`"),
        ({"files": [{"path": "uploads/a.csv", "table": "x" * 64}]}, "`table`"),
        ({"files": [{"path": "uploads/a.csv", "table": "a\n"}]}, "`table`"),
        ({"files": [{"path": "uploads/a.csv", "table": 7}]}, "`table`"),
        ({"files": [{"path": "uploads/a.csv", "table": "A"}, {"path": "uploads/b.csv", "table": "a"}]}, "same"),
    ],
)
def test_what_is_no_config(config, words):
    with pytest.raises(ConnectionConfigError) as caught:
        read_files(config, ("uploads",), "", str)
    assert words in caught.value.detail
