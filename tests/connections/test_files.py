"""Connections to stored files: made of real files in a local storage, built and read in real worker processes."""

import gzip
import io
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import duckdb
import orjson
import pandas as pd
import pytest

import sqlchat
from sqlchat.config import Settings
from sqlchat.connections.duckdb.connection import DuckDBConnection
from sqlchat.connections.files.connection import FilesConnection
from sqlchat.connections.files.databases import FileDatabases
from sqlchat.errors import (
    ConnectionConfigError,
    DatabaseUnavailableError,
    FileNotFoundInStorageError,
    SQLRefusedError,
)
from sqlchat.files.storage import open_storage
from sqlchat.sql.catalog import ForeignKey
from sqlchat.workers import Workers

CUSTOMERS = b"id,name,zip,joined\n1,Ann,01067,31.12.2023\n2,Bob,80331,01.02.2024\n3,Cy,NA,15.03.2024\n"
ORDERS = b"order_id,customer_id,total\n10,1,1.50\n11,1,20.25\n12,3,-\n"


@pytest.fixture(scope="module")
def workers():
    pool = Workers(2, 2048)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def readers():
    """Processes that read uploads."""
    pool = Workers(1, Settings().upload_worker_memory_mb)
    yield pool
    pool.close()


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, buckets=("uploads", "reports"), statement_timeout=100, build_timeout=900)


@pytest.fixture
def storage(settings):
    return open_storage(settings)


@pytest.fixture
def put(storage):
    """put(name, content) keeps an object, in place of one of that name."""

    def keep(name, content=CUSTOMERS, bucket="uploads"):
        return storage.put(bucket, name, io.BytesIO(content), len(content), "text/csv", upsert=True)

    return keep


@pytest.fixture
def databases(settings, storage, readers):
    return FileDatabases(settings, storage, readers, ["local"], look_again=0.0)


@pytest.fixture
def connect(settings, workers, databases):
    def connect(*files, owner="local"):
        return FilesConnection({"files": list(files)}, settings, workers, databases, owner)

    return connect


def rows(connection, sql):
    return orjson.loads(connection.run(sql, max_rows=100, timeout=100).rows)


def built(settings):
    """Names of the databases on disk."""
    folder = settings.cache_dir / "files"
    return {path.name for path in folder.iterdir() if path.is_dir()} if folder.exists() else set()


def test_files_are_tables_with_the_types_of_their_profiles(put, connect):
    put("customers.csv")
    put("orders.csv", ORDERS)
    connection = connect("uploads/customers.csv", "uploads/orders.csv")
    assert connection.check() == [
        "uploads/orders.csv: 'total' is NUMERIC but for '-' (1), which were counted as nulls."
    ]
    found = connection.run("SELECT * FROM customers ORDER BY id", max_rows=2, timeout=100)
    assert found.columns == ("id", "name", "zip", "joined")
    assert found.types == ("INTEGER", "VARCHAR", "VARCHAR", "DATE")
    assert orjson.loads(found.rows) == [[1, "Ann", "01067", "2023-12-31"], [2, "Bob", "80331", "2024-02-01"]]
    assert found.truncated
    joined = "SELECT name, sum(total) FROM customers JOIN orders ON customer_id = id GROUP BY name ORDER BY name"
    assert rows(connection, joined) == [["Ann", 21.75], ["Cy", None]]
    assert connection.profiles(connection.catalog(), 10.0)["main", "customers", "name"].values == ("Ann", "Bob", "Cy")
    connection.explain("SELECT zip FROM customers")


def test_infinite_values_are_numbers_and_nan_is_null(put, connect):
    put("ratios.csv", b"id,ratio\n1,1.5\n2,inf\n3,NaN\n4,-Infinity\n5,+Inf\n")
    put("shares.json", b'[{"ratio": 1.5}, {"ratio": NaN}, {"ratio": Infinity}]')
    connection = connect("uploads/ratios.csv", "uploads/shares.json")
    sql = "SELECT count(ratio), count(*), count(*) FILTER (ratio > 1e300), min(ratio) FILTER (ratio > 0) FROM {}"
    assert rows(connection, sql.format("ratios")) == [[4, 5, 2, 1.5]]
    assert rows(connection, sql.format("shares")) == [[2, 3, 1, 1.5]]


def test_the_catalog_says_where_from_and_how_read(put, connect):
    put("customers.csv")
    put("orders.csv", ORDERS)
    catalog = connect("uploads/customers.csv", "uploads/orders.csv").catalog()
    customers, orders = catalog.tables
    assert (catalog.dialect, catalog.default_schema) == ("duckdb", "main")
    assert customers.comment == (
        "from the file uploads/customers.csv; key inferred: id is unique and never null in all 3 rows"
    )
    assert customers.column("joined").comment == "written as %d.%m.%Y in the file"
    assert orders.column("total").type == "DECIMAL(4,2)"
    assert orders.column("total").comment == "'-' in the file is null"
    assert orders.column("customer_id").comment == "inferred: all 2 values looked up are in customers.id"
    assert (customers.primary_key, orders.primary_key) == (("id",), ("order_id",))
    assert orders.foreign_keys == (ForeignKey(("customer_id",), "main", "customers", ("id",), inferred=True),)
    assert (customers.row_estimate, customers.foreign_keys) == (3, ())


def workbook():
    book = io.BytesIO()
    with pd.ExcelWriter(book) as writer:
        for sheet in ("May", "June"):
            pd.DataFrame({"sold": [len(sheet)]}).to_excel(writer, sheet_name=sheet, index=False)
    return book.getvalue()


def test_sheets_are_tables_of_their_own(put, connect):
    put("Sales 2024.xlsx", workbook())
    path = "uploads/Sales 2024.xlsx"
    connection = connect(
        path,
        {"path": path, "sheet": "June"},
        {"path": path, "sheet": 2},
        {"path": path, "table": "Mine", "sheet": "May"},
    )
    connection.check()
    names = [table.name for table in connection.catalog().tables]
    assert names == ["Mine", "sales_2024", "sales_2024_2", "sales_2024_june"]
    assert [rows(connection, f"SELECT sold FROM {name}")[0][0] for name in names] == [3, 3, 4, 4]


def test_columns_without_a_name(put, connect):
    put("x.json", b'[{"": 1, "column_3": 2, "COLUMN_1": 3}]')
    connection = connect("uploads/x.json")
    assert connection.check()[0] == "uploads/x.json: A column has no name; it is 'column_1' here."
    names = [column.name for column in connection.catalog().tables[0].columns]
    assert names == ["column_1", "column_3", "COLUMN_1_2"]
    assert rows(connection, "SELECT * FROM x") == [[1, 2, 3]]


def test_columns_that_differ_by_case_alone(put, connect):
    put("x.csv", b"Id,ID,id_2\n1,2,3\n")
    connection = connect("uploads/x.csv")
    assert connection.check() == [
        "uploads/x.csv: The column 'ID' differs from another by its case alone; it is 'ID_3' here."
    ]
    assert rows(connection, "SELECT id, id_3, id_2 FROM x") == [[1, 2, 3]]


def test_names_and_values_cannot_be_sql(put, connect):
    put("x.csv", b'"a"" int); DROP TABLE x; --",b\n1,"\'); ATTACH \'y\'; --"\n')
    connection = connect({"path": "uploads/x.csv", "table": 'x"; DROP TABLE x; --'})
    (table,) = connection.catalog().tables
    assert table.name == 'x"; DROP TABLE x; --'
    assert [column.name for column in table.columns] == ['a" int); DROP TABLE x; --', "b"]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO customers VALUES (4, 'Di', '1', NULL)",
        "COPY customers TO '/tmp/stolen.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "ATTACH '/tmp/other.duckdb'",
        "SELECT * FROM '../../../files/uploads/customers.csv'",
    ],
)
def test_it_is_locked_like_any_duckdb_database(put, connect, sql):
    put("customers.csv")
    connection = connect("uploads/customers.csv")
    with pytest.raises(SQLRefusedError):
        connection.run(sql, max_rows=1, timeout=100)
    assert rows(connection, "SELECT count(*) FROM customers") == [[3]]


def test_a_duckdb_connection_does_not_open_what_was_built(put, connect, settings, workers):
    put("customers.csv")
    connect("uploads/customers.csv").check()
    (key,) = built(settings)
    for path in (f"cache/files/{key}/data.duckdb", str(settings.cache_dir / "files" / key / "data.duckdb")):
        with pytest.raises(ConnectionConfigError):
            DuckDBConnection({"database": path}, settings, workers)


def test_a_file_is_built_once_and_the_copy_goes(put, connect, settings):
    put("customers.csv")
    connect("uploads/customers.csv").check()
    (key,) = built(settings)
    folder = settings.cache_dir / "files" / key
    assert sorted(path.name for path in folder.iterdir()) == ["data.duckdb", "found.json"]
    made = (folder / "data.duckdb").stat()
    connect("uploads/customers.csv").check()
    assert (folder / "data.duckdb").stat() == made


def test_a_file_that_changed_is_built_anew_and_the_old_database_goes(put, connect, settings):
    put("customers.csv")
    connection = connect("uploads/customers.csv")
    assert rows(connection, "SELECT count(*) FROM customers") == [[3]]
    before, revision = built(settings), connection.revision()
    put("customers.csv", b"id,email\n1,ann@example.com\n")
    assert connection.revision() != revision
    assert rows(connection, "SELECT * FROM customers") == [[1, "ann@example.com"]]
    assert len(built(settings)) == 1
    assert built(settings) != before


def test_what_another_process_changes_is_seen_a_little_later(put, workers, readers, storage, settings):
    put("customers.csv")
    databases = FileDatabases(settings, storage, readers, ["local"], look_again=0.5)
    connection = FilesConnection({"files": ["uploads/customers.csv"]}, settings, workers, databases, "local")
    connection.check()
    before = connection.revision()
    started = time.monotonic()
    put("customers.csv", b"id\n1\n")
    while connection.revision() == before:
        assert time.monotonic() - started < 100
        time.sleep(0.02)
    assert rows(connection, "SELECT * FROM customers") == [[1]]


def test_what_this_process_changes_is_seen_at_once(put, workers, readers, storage, settings):
    put("customers.csv")
    databases = FileDatabases(settings, storage, readers, ["local"], look_again=60.0)
    connection = FilesConnection({"files": ["uploads/customers.csv"]}, settings, workers, databases, "local")
    connection.check()
    put("customers.csv", b"id\n1\n")
    assert rows(connection, "SELECT count(*) FROM customers") == [[3]]
    databases.look_again_at("uploads", "customers.csv")
    assert rows(connection, "SELECT count(*) FROM customers") == [[1]]


def test_a_file_that_is_gone(put, connect, storage, settings):
    put("customers.csv")
    connection = connect("uploads/customers.csv")
    connection.check()
    storage.delete("uploads", "customers.csv")
    for use in (connection.catalog, connection.revision, lambda: rows(connection, "SELECT 1")):
        with pytest.raises(FileNotFoundInStorageError) as caught:
            use()
        assert caught.value.detail == "There is no file 'uploads/customers.csv'; upload it first."
        assert caught.value.facts == {"file": "uploads/customers.csv"}
    with pytest.raises(ConnectionConfigError):
        connection.check()
    assert built(settings) == set()


def test_a_ragged_file_is_told_with_its_line(put, connect, settings):
    put("r.csv", b"a,b\n1,2\n3,4,5\n")
    with pytest.raises(ConnectionConfigError) as caught:
        connect("uploads/r.csv").check()
    assert caught.value.detail == (
        "The file 'uploads/r.csv' cannot be read: Line 3 has 3 fields where the header has 2; on_bad_rows=skip "
        "leaves such rows out."
    )
    assert caught.value.facts["line"] == 3
    skipping = connect({"path": "uploads/r.csv", "on_bad_rows": "skip"})
    assert skipping.check() == ["uploads/r.csv: 1 rows had too many or too few fields and were left out."]
    assert rows(skipping, "SELECT * FROM r") == [[1, 2]]
    assert len(built(settings)) == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("wide.csv", ",".join(map(str, range(3000))).encode() + b"\n", "columns"),
        ("bomb.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 40_000_000, 1), "unpacks"),
        ("fake.parquet", b"PAR1 and nothing else", "Parquet"),
        ("page.csv", b"%PDF-1.7 ...", "PDF"),
        ("empty.csv", b"", "empty"),
        ("cut.json", b'[{"a": 1}, {"a"', "JSON"),
        ("open.csv", b'a,b\n1,"2\n3,4\n', "never closed"),
    ],
)
def test_hazards_are_refused_by_name(put, connect, settings, name, content, words):
    put(name, content)
    with pytest.raises(ConnectionConfigError) as caught:
        connect(f"uploads/{name}").check()
    assert f"'uploads/{name}'" in caught.value.detail
    assert words in caught.value.detail
    assert built(settings) == set()
    assert not list((settings.cache_dir / "files").glob("*.part"))


def test_a_failure_is_kept_for_a_while(put, connect):
    put("bad.csv", b"a,b\n1,2,3\n" + b"4,5\n" * 3_000_000)
    connection = connect("uploads/bad.csv")
    with pytest.raises(ConnectionConfigError) as first:
        connection.check()
    took = []
    for _ in range(5):  # another program may keep the machine busy meanwhile
        started = time.monotonic()
        with pytest.raises(ConnectionConfigError) as again:
            connection.check()
        took.append(time.monotonic() - started)
        assert (again.value.detail, again.value.facts) == (first.value.detail, first.value.facts)
    assert min(took) < 0.2


def test_files_larger_than_the_disk_space_for_them_are_not_fetched(put, workers, readers, storage, settings):
    put("x.csv", b"a,b\n" + b"4,5\n" * 600_000)
    small = Settings(data_dir=settings.data_dir, files_cache_mb=1)
    connection = FilesConnection(
        {"files": ["uploads/x.csv"]}, small, workers, FileDatabases(small, storage, readers, ["local"]), "local"
    )
    with pytest.raises(ConnectionConfigError, match="take 2 MiB; up to 1 can be asked"):
        connection.check()
    assert built(settings) == set()


def test_a_storage_that_cannot_be_reached_is_an_outage(settings, workers, readers):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nobody listens
        away = Settings(
            data_dir=settings.data_dir,
            supabase_url=f"http://127.0.0.1:{closed.getsockname()[1]}",
            supabase_service_role_key="a.key.of-the-tests",
            storage_timeout=2,
        )
        storage = open_storage(away)
        connection = FilesConnection(
            {"files": ["uploads/a.csv"]}, away, workers, FileDatabases(away, storage, readers, []), "ann"
        )
        for use in (connection.check, connection.revision, connection.catalog):
            with pytest.raises(DatabaseUnavailableError, match="The storage of the files fails"):
                use()
        storage.close()


def test_a_database_that_was_evicted_is_made_again(put, connect, settings, databases):
    put("customers.csv")
    connection = connect("uploads/customers.csv")
    connection.check()
    target = connection._present()
    databases.discard(Path(target.path).parent.name)
    assert built(settings) == set()
    assert rows(connection, "SELECT count(*) FROM customers") == [[3]]


def cut(path):
    os.truncate(path, 100)


def overwrite(path):
    path.write_bytes(b"x" * 20_000)


@pytest.mark.parametrize("harm", [Path.unlink, cut, overwrite])
@pytest.mark.parametrize("part", ["data.duckdb", "found.json"])
def test_a_database_that_is_no_longer_whole_is_made_again(put, connect, settings, part, harm):
    put("customers.csv")
    connection = connect("uploads/customers.csv")
    connection.check()
    (key,) = built(settings)
    harm(settings.cache_dir / "files" / key / part)
    assert connection.catalog().tables[0].primary_key == ("id",)
    assert connection.check() == []
    assert rows(connection, "SELECT count(*) FROM customers") == [[3]]


def test_the_cache_may_be_removed_while_it_is_in_use(put, connect, settings):
    put("customers.csv")
    connection = connect("uploads/customers.csv")
    for _ in range(2):
        assert rows(connection, "SELECT count(*) FROM customers") == [[3]]
        shutil.rmtree(settings.cache_dir)


def test_a_lock_that_is_not_to_be_had_is_an_outage(put, connect, settings):
    """As on a disk that is read-only, where the lock is not there yet."""
    put("customers.csv")
    connection = connect("uploads/customers.csv")
    connection.check()
    (key,) = built(settings)
    lock = settings.cache_dir / "files" / f"{key}.lock"
    lock.unlink()
    lock.mkdir()
    for use in (connection.check, connection.catalog, lambda: rows(connection, "SELECT 1")):
        with pytest.raises(DatabaseUnavailableError, match="cannot be prepared: Is a directory"):
            use()
    lock.rmdir()
    assert rows(connection, "SELECT count(*) FROM customers") == [[3]]


BUILDER = """
import sys
from contextlib import closing
from pathlib import Path
from sqlchat.config import Settings
from sqlchat.connections.files.connection import FilesConnection
from sqlchat.connections.files.databases import FileDatabases
from sqlchat.files.storage import open_storage
from sqlchat.workers import Workers

def main():
    settings = Settings(data_dir=Path(sys.argv[1]))
    sql, reading = Workers(1, 2048), Workers(1, 4096)
    databases = FileDatabases(settings, open_storage(settings), reading, ["local"])
    connection = FilesConnection({"files": ["uploads/big.csv"]}, settings, sql, databases, "local")
    connection.check()
    found = connection.run("SELECT count(*), sum(b) FROM big", max_rows=1, timeout=100)
    path = connection._present().path
    print(found.rows.decode(), Path(path).stat().st_ino)
    sql.close(), reading.close()

if __name__ == "__main__":
    main()
"""


def test_two_processes_build_at_once_and_one_does_the_work(put, settings, tmp_path):
    put("big.csv", b"a,b\n" + b"4,5\n" * 1_000_000)
    script = tmp_path / "builder.py"
    script.write_text(BUILDER)
    command = [sys.executable, str(script), str(settings.data_dir)]
    environment = {**os.environ, "PYTHONPATH": str(Path(sqlchat.__file__).parents[1])}
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    answers = [each.communicate(timeout=300)[0].split() for each in running]
    assert answers[0] == answers[1]
    assert answers[0][0] == "[[1000000,5000000]]"
    assert len(built(settings)) == 1


@pytest.mark.parametrize("name", ["shop.sqlite", "shop.duckdb"])
def test_an_uploaded_database_is_connected_in_one_step(put, connect, tmp_path, name):
    connector = duckdb.connect if name.endswith(".duckdb") else sqlite3.connect
    with closing(connector(tmp_path / name)) as made:
        made.execute("CREATE TABLE customers (id INTEGER, name TEXT)")
        made.execute("INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob')")
        made.execute("CREATE TABLE orders (nr INTEGER, customer_id INTEGER)")
        made.execute("INSERT INTO orders VALUES (7, 1), (8, 1)")
        made.commit()
    put(name, (tmp_path / name).read_bytes())
    connection = connect(f"uploads/{name}")
    assert connection.check() == []
    sql = "SELECT name, count(*) FROM orders JOIN customers ON id = customer_id GROUP BY 1"
    assert rows(connection, sql) == [["Ann", 2]]
    assert rows(
        connect({"path": f"uploads/{name}", "table": "c", "read": {"sheet": "customers"}}), "SELECT count(*) FROM c"
    ) == [[2]]
