"""Making the database of files: what it may take of memory, disk and time, what is told where that is too much."""

import contextlib
import os
import random
import resource
import signal
import threading
import time

import orjson
import pyarrow as pa
import pyarrow.parquet
import pytest
from memory import Watch

from sqlchat.config import Settings
from sqlchat.connections.files.build import FileTable, build
from sqlchat.connections.files.connection import FilesConnection
from sqlchat.connections.files.databases import FileDatabases
from sqlchat.errors import BusyError, ConnectionConfigError, DatabaseUnavailableError, TooLargeError
from sqlchat.files.options import Options
from sqlchat.files.service import Files
from sqlchat.files.storage import open_storage
from sqlchat.files.storage.local import LocalStorage
from sqlchat.workers import Workers


@pytest.fixture(scope="module")
def sql_workers():
    pool = Workers(1, 2048)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def builders():
    pool = Workers(1, Settings().upload_worker_memory_mb)
    yield pool
    pool.close()


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, statement_timeout=100, build_timeout=900)


@pytest.fixture
def put(settings):
    """put(name, content) keeps an object."""

    def keep(name, content):
        path = settings.files_dir / "uploads" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return keep


@pytest.fixture
def connect(settings, sql_workers, builders):
    """connect(names, ...) -> a connection to uploads of those names."""

    def connect(*names, databases=None):
        databases = databases or FileDatabases(settings, open_storage(settings), builders, ["local"], look_again=0.0)
        files = [f"uploads/{name}" for name in names]
        return FilesConnection({"files": files}, settings, sql_workers, databases, "local")

    return connect


def rows(connection, sql):
    return orjson.loads(connection.run(sql, max_rows=100, timeout=100).rows)


def left(settings):
    """What is in the cache beside locks."""
    return sorted(path.name for path in (settings.cache_dir / "files").iterdir() if path.suffix != ".lock")


def words(count, length):
    chosen = random.Random(1)
    return ["".join(chosen.choices("abcdefghijklmnop", k=length)) for _ in range(count)]


def wide(columns, lines):
    texts = words(5_000, 12)
    head = ",".join(f"c{number}" for number in range(columns))
    body = (",".join(random.Random(line).choices(texts, k=columns)) for line in range(lines))
    return "\n".join([head, *body, ""]).encode()


def test_a_hostile_file_is_refused_at_the_cost_of_a_gigabyte_at_most(settings, connect, builders):
    indices = pa.nulls(1 << 18, pa.int32()).fill_null(0)
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 20_000]))
    folder = settings.files_dir / "uploads"
    folder.mkdir(parents=True)
    table = pa.table({f"c{number}": column for number in range(8)})
    pa.parquet.write_table(table, folder / "hostile.parquet", compression="zstd")
    builders.close()  # so that the most is this file's
    with Watch(builders) as watch, pytest.raises(ConnectionConfigError, match="more memory than a worker process"):
        connect("hostile.parquet").check()
    assert 0 < watch.most - watch.before <= 1024, "MiB"
    assert left(settings) == []


def test_columns_by_the_thousand_take_no_address_space_that_they_do_not_fill(put, connect, builders):
    put("wide.csv", wide(1_900, 200))
    builders.close()
    connection = connect("wide.csv")
    with Watch(builders) as watch:
        assert connection.check() == []
    assert len(connection.catalog().tables[0].columns) == 1_900
    assert rows(connection, "SELECT count(c1899) FROM wide") == [[200]]
    assert 0 < watch.most - watch.before <= 1024, "MiB"


def test_a_small_file_is_built_by_the_process_that_a_hostile_one_was_refused_by(put, connect, builders):
    put("long.csv", b'a,b\n1,"' + b"x" * (70 << 20))
    put("small.csv", b"a,b\n1,2\n")
    process = builders.call(os.getpid, deadline=120)
    with pytest.raises(ConnectionConfigError):
        connect("long.csv").check()
    assert rows(connect("small.csv"), "SELECT a + b FROM small") == [[3]]
    assert builders.call(os.getpid, deadline=120) == process


def test_what_does_not_fit_into_memory_takes_no_more_of_the_disk_than_it_may(tmp_path, builders):
    path = tmp_path / "x.csv"
    path.write_text("a,b,c\n" + "\n".join(map(",".join, zip(*[iter(words(300_000, 40))] * 3, strict=True))))
    files = (FileTable("x", "uploads/x.csv", str(path), Options()),)
    for most, made in ((1, False), (200, True)):
        folder = tmp_path / str(most)
        folder.mkdir()
        refused = pytest.raises(TooLargeError, match="more than 1 MiB of disk space beside the database")
        with contextlib.nullcontext() if made else refused:
            builders.call(build, str(folder), files, 32, most, deadline=120)
        assert {path.name for path in folder.iterdir()} >= ({"data.duckdb", "found.json"} if made else set())
        assert not made or not (folder / "spilled").exists()


@pytest.mark.parametrize("most", [0, 1_000, 12_288, 100_000, 300_000, 600_000, 800_000, 1_100_000])
def test_a_disk_that_takes_no_more_is_an_outage_for_as_long_as_that(put, connect, settings, builders, most):
    """Wherever it strikes: at the beginning, in a table, in its log, at the last checkpoint."""
    put("s.csv", "\n".join(["id,name", *(f"{number},name{number}" for number in range(3_000)), ""]).encode())
    lines = (f"{number},{number % 3000},{number * 7919 % 1000003}" for number in range(200_000))
    put("t.csv", "\n".join(["id,s_id,x", *lines, ""]).encode())
    connection, process = connect("s.csv", "t.csv"), builders.call(os.getpid, deadline=120)
    unlimited = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (most, unlimited[1]))  # no file may become larger
    try:
        with pytest.raises(DatabaseUnavailableError, match=r"cannot be prepared: File too large\.") as caught:
            connection.check()
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, unlimited)
    assert caught.value.retry_after
    assert left(settings) == []
    assert rows(connection, "SELECT count(*) FROM s JOIN t ON t.s_id = s.id") == [[200_000]]


def test_a_cache_that_cannot_be_made_is_an_outage(put, connect, settings):
    put("x.csv", b"a\n1\n")
    settings.cache_dir.write_text("a file in its place")
    connection = connect("x.csv")
    with pytest.raises(DatabaseUnavailableError, match="The files cannot be prepared") as caught:
        connection.check()
    assert caught.value.retry_after
    settings.cache_dir.unlink()
    assert connection.check() == []


class Slow(LocalStorage):
    """Sends what it has once it is let."""

    def __init__(self, folder):
        super().__init__(folder)
        self.asked, self.sent, self.fetched = threading.Event(), threading.Event(), 0

    def fetch(self, bucket, name, target, *, token=None):
        self.fetched += 1
        self.asked.set()
        self.sent.wait(150)
        super().fetch(bucket, name, target, token=token)


@pytest.fixture
def slow(settings):
    storage = Slow(settings.files_dir)
    yield storage
    storage.sent.set()


def asking(connection, answers):
    def ask():
        try:
            answers.append(rows(connection, "SELECT a FROM x"))
        except (BusyError, DatabaseUnavailableError) as exc:
            answers.append(exc)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_who_comes_while_it_is_made_waits_longer_than_for_an_upload(put, connect, settings, builders, slow):
    put("x.csv", b"a\n1\n")
    hurried = Settings(data_dir=settings.data_dir, upload_timeout=0.2)
    databases = FileDatabases(hurried, slow, builders, ["local"])
    answers = []
    first = asking(connect("x.csv", databases=databases), answers)
    slow.asked.wait(150)
    others = [asking(connect("x.csv", databases=databases), answers) for _ in range(3)]
    time.sleep(1)
    assert answers == []
    slow.sent.set()
    for thread in (first, *others):
        thread.join(150)
    assert answers == [[[1]]] * 4
    assert slow.fetched == 1


def test_who_waited_in_vain_is_told_what_the_other_found(put, connect, settings, builders, slow):
    put("x.csv", b"a,b\n1,2,3\n")
    databases = FileDatabases(settings, slow, builders, ["local"])
    told = []

    def ask():
        try:
            connect("x.csv", databases=databases).check()
        except ConnectionConfigError as exc:
            told.append(exc.detail)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    slow.asked.wait(150)
    time.sleep(0.5)
    slow.sent.set()
    for thread in threads:
        thread.join(150)
    assert len(told) == 4
    assert len(set(told)) == 1
    assert slow.fetched == 1


def test_a_storage_that_is_too_slow_ends_the_wait(put, connect, settings, builders, slow):
    put("x.csv", b"a\n1\n")
    impatient = Settings(data_dir=settings.data_dir, storage_timeout=0.4, max_upload_mb=1, build_timeout=120)
    assert impatient.build_wait == pytest.approx(120.65)
    databases = FileDatabases(impatient, slow, builders, ["local"])
    answers = []
    thread = asking(connect("x.csv", databases=databases), answers)
    slow.asked.wait(150)
    time.sleep(2)
    slow.sent.set()
    thread.join(150)
    assert "the storage takes too long" in answers[0].detail
    assert left(settings) == []
    found = []
    while not found or (isinstance(found[-1], DatabaseUnavailableError) and len(found) < 20):  # on a busy machine
        asking(connect("x.csv", databases=databases), found).join(150)
    assert found[-1] == [[1]]


def test_a_process_that_is_busy_is_waited_for(put, connect, settings):
    put("x.csv", b"a\n1\n")
    builders = Workers(1, settings.upload_worker_memory_mb, patience=0.1)
    databases = FileDatabases(settings, open_storage(settings), builders, ["local"])
    builders.warm()
    other = threading.Thread(target=builders.call, args=(time.sleep, 2), kwargs={"deadline": 20})
    other.start()
    time.sleep(0.2)
    assert rows(connect("x.csv", databases=databases), "SELECT a FROM x") == [[1]]
    other.join(120)
    builders.close()


def test_a_build_past_its_own_time_is_too_costly(put, connect, settings, builders):
    put("x.csv", b"a,b\n" + b"4,5\n" * 4_000_000)
    hurried = Settings(data_dir=settings.data_dir, build_timeout=0.1)
    databases = FileDatabases(hurried, open_storage(hurried), builders, ["local"])
    with pytest.raises(ConnectionConfigError, match=r"too costly to read: it was not done after 0\.1 s"):
        connect("x.csv", databases=databases).check()
    assert left(settings) == []


def test_the_work_of_a_process_that_the_host_ends_is_done_again(put, connect, settings, builders):
    put("s.csv", b"a\n1\n")
    put("x.csv", b"a,b\n" + b"4,5\n" * 4_000_000)
    connection, process, found = connect("s.csv", "x.csv"), builders.call(os.getpid, deadline=120), []
    asking = threading.Thread(target=lambda: found.extend(rows(connection, "SELECT sum(a), sum(b) FROM x")))
    asking.start()
    logs = "*.part/data.duckdb.wal"
    while asking.is_alive() and not any(log.stat().st_size for log in (settings.cache_dir / "files").glob(logs)):
        time.sleep(0.02)
    os.kill(process, signal.SIGTERM)  # one table is in the database
    asking.join(150)
    assert found == [[16_000_000, 20_000_000]]


def test_what_an_upload_found_is_used_once(settings, builders, connect, tmp_path):
    spooled = tmp_path / "spooled"
    spooled.write_text("id;day\n1;31.12.2024\n2;N/A\n")
    Files(settings, open_storage(settings), builders).upload(spooled, "orders.csv", None, bucket="uploads")
    assert len(list(settings.findings_dir.iterdir())) == 1
    assert rows(connect("orders.csv"), "SELECT max(day), count(day) FROM orders") == [["2024-12-31", 1]]
    assert list(settings.findings_dir.iterdir()) == []
