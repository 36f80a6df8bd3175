"""What is process-wide: how it begins, and that it ends."""

import dataclasses
import multiprocessing
import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from deployed import stats

from sqlchat.chat.question import Question
from sqlchat.config import Settings
from sqlchat.errors import ConnectionNotFoundError
from sqlchat.runtime import LOCAL_OWNER, Runtime

MANY = Question(owner=LOCAL_OWNER, connection_id="demo", text="How many customers are there?")


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def start():
    """Runtimes that are closed at the end."""
    made = []

    def start(settings):
        made.append(Runtime(settings))
        return made[-1]

    yield start
    for runtime in made:
        runtime.close()


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def names(runtime):
    return [described.name for described in runtime.manager.list(LOCAL_OWNER)]


def test_the_first_start_has_a_demo_that_answers(settings, start):
    runtime = start(settings)
    assert names(runtime) == ["demo"]
    answer = runtime.pipeline.answer(MANY)
    with sqlite3.connect(settings.data_dir / "demo.sqlite") as database:
        (count,) = database.execute("SELECT COUNT(*) FROM customers").fetchone()
    database.close()
    assert answer.results.rows == f"[[{count}]]".encode()


def test_a_demo_that_was_deleted_stays_away(settings, start):
    start(settings).manager.delete(LOCAL_OWNER, "demo")
    assert names(start(settings)) == []


def test_the_demo_can_be_built_anew(settings, start):
    runtime = start(settings)
    (settings.data_dir / "demo.sqlite").write_bytes(b"broken")
    runtime.manager.delete(LOCAL_OWNER, "demo")
    runtime.build_demo()
    answer = runtime.pipeline.answer(MANY)
    assert answer.results.row_count == 1


@pytest.mark.parametrize(
    "more",
    [{"supabase_jwt_secret": "s" * 40}, {"supabase_url": "https://project.supabase.co"}],
    ids=["secret", "url"],
)
def test_there_is_no_demo_where_nobody_could_open_it(settings, start, more):
    runtime = start(dataclasses.replace(settings, **more))
    assert names(runtime) == []
    with pytest.raises(ConnectionNotFoundError):
        runtime.store.connections.get(LOCAL_OWNER, "demo")


def test_the_demo_stays_where_more_folders_are_named(settings, start, tmp_path):
    runtime = start(dataclasses.replace(settings, database_dirs=(tmp_path / "elsewhere",)))
    assert names(runtime) == ["demo"]
    assert runtime.pipeline.answer(MANY).results.row_count == 1


def children():
    """Ids of this process's own."""
    return [pid for pid, stat in stats() if stat["parent"] == os.getpid() and stat["state"] != "Z"]


def begin(settings, gate):
    gate.wait(60)
    Runtime(settings).close()


def test_processes_that_start_at_once_make_one_demo(settings, start):
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(3)
    processes = [context.Process(target=begin, args=(settings, gate)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert names(start(settings)) == ["demo"]


def test_closing_ends_the_processes_and_may_be_done_twice(settings):
    before = set(children())
    runtime = Runtime(settings)
    runtime.warm()
    runtime.pipeline.answer(MANY)
    assert set(children()) - before
    runtime.close()
    runtime.close()
    assert set(children()) <= before


def test_a_store_that_is_gone_does_not_stop_the_start(settings, start):
    url = "postgres://ann:open-sesame@127.0.0.1:9/db"
    assert start(dataclasses.replace(settings, database_url=url, secret_key="k" * 40))


def test_an_upload_does_not_wait_for_tables_that_are_made_of_files(settings, start, tmp_path):
    path = tmp_path / "small.csv"
    path.write_text("a\n1\n")
    runtime = start(dataclasses.replace(settings, upload_timeout=150.0))
    with ThreadPoolExecutor(1) as pool:
        build = pool.submit(runtime.build_workers.call, time.sleep, 300.0, deadline=300.0)
        until(lambda: runtime.build_workers.count_use()["busy"])
        assert runtime.files.profile(path, "small.csv").row_count == 1
        assert not build.done()
        runtime.build_workers.close()


def test_slow_queries_of_one_do_not_hold_up_what_judges_the_sql_of_others(settings, start, postgres_database):
    runtime = start(
        dataclasses.replace(settings, supabase_jwt_secret="s" * 40, private_hosts=True, statement_timeout=150.0)
    )
    runtime.manager.create("ann", "duckdb", "memory", {"database": ":memory:"})
    runtime.manager.create("bob", "postgres", "pg", postgres_database)
    assert runtime.execute("bob", "pg", "SELECT 1").rows == b"[[1]]"
    heavy = "SELECT count(*) FROM range(1000000000) a, range(1000) b"
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(runtime.execute, "ann", "memory", heavy) for _ in range(4)]
        until(lambda: runtime.workers.count_use()["waiting"])
        assert runtime.execute("bob", "pg", "SELECT 1").rows == b"[[1]]"
        assert not all(each.done() for each in asked)
        until(lambda: runtime.workers.close() or all(each.done() for each in asked))
        assert all(each.exception() for each in asked)
