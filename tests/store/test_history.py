"""History on SQLite and Postgres: kept, paged, forgotten in time."""

import dataclasses
import pickle
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update

from sqlchat.errors import StoreUnavailableError
from sqlchat.store import Entry, Turn
from sqlchat.store import history as module
from sqlchat.store.tables import history


def entry(number=0, owner="ann", **more):
    return Entry(owner, "warehouse", "execute", request_id=f"request-{number}", **more)


def requests(page):
    return [each.request_id for each in page]


def aged(store, days):
    """Make every entry of the store `days` older."""
    with store.history._database.writing() as connection:
        for id in connection.scalars(select(history.c.id)).all():
            older = uuid.UUID(int=id.int - (days * 86_400_000 << 80))
            connection.execute(update(history).where(history.c.id == id).values(id=older))


def count(store):
    ((entries,),) = store.history._database.fetch(select(func.count()).select_from(history))
    return entries


def test_an_entry_comes_back_as_it_was(store):
    whole = Entry(
        "ann",
        "warehouse",
        "chat",
        request_id="abc-12345",
        user_id="0b7c6f1e-8f5a-4c62-9a55-2f8f6f0f3a10",
        question="Wie viele Kunden? 日本",
        sql="SELECT COUNT(*) FROM customers -- 100 % sure, %(s)s",
        provider="openai",
        model="gpt-4o-mini",
        prompt_tokens=120,
        completion_tokens=90,
        row_count=1,
        ms=12.5,
        conversation_id=uuid.uuid4(),
        interpretation="The number of customers.",
    )
    failed = entry(outcome="query_timeout", status=504)
    store.history.add(whole)
    store.history.add(failed)
    page, after = store.history.page("ann", limit=10)
    assert page == [failed, whole]
    assert after is None
    assert abs(datetime.now(UTC) - page[0].at) < timedelta(minutes=10)


def test_texts_are_cut_and_freed_of_what_cannot_be_kept(store):
    long = "q\0\ud800" + "x" * 9000
    store.history.add(entry(question=long, sql="s" * 30_000, provider="p" * 9000, interpretation=long))
    store.history.add(Entry("ann", "no\0such" + "n" * 999_999, "chat"))
    (named, kept), _ = store.history.page("ann", limit=10)
    assert kept.question.startswith("q\N{REPLACEMENT CHARACTER}?xxx")
    assert kept.interpretation == kept.question
    assert [len(kept.question), len(kept.sql), len(kept.provider), len(named.connection_id)] == [
        4000,
        20_000,
        200,
        200,
    ]
    assert store.history.page("ann", limit=1, connection_id="no\0such" + "n" * 999_999)[0] == [named]


def test_neither_question_nor_sql_shows_in_a_repr():
    assert "customers" not in repr(entry(question="Which customers?", sql="SELECT * FROM customers"))


def test_pages_lead_through_all_of_it_while_more_comes_in(store):
    for number in range(25):
        store.history.add(entry(number))
    seen, before = [], None
    while True:
        page, before = store.history.page("ann", limit=10, before=before)
        seen += requests(page)
        store.history.add(entry("new"))
        if before is None:
            break
    assert seen == [f"request-{number}" for number in reversed(range(25))]


def test_the_last_page_says_that_it_is_the_last(store):
    for number in range(4):
        store.history.add(entry(number))
    page, after = store.history.page("ann", limit=2)
    assert after == page[-1].id
    page, after = store.history.page("ann", limit=2, before=after)
    assert (requests(page), after) == (["request-1", "request-0"], None)


def test_owners_see_their_own_alone_with_any_filter_and_any_cursor(store):
    for number in range(3):
        store.history.add(entry(number, owner="ann"))
        store.history.add(entry(number, owner="bob"))
    (newest, *_), _ = store.history.page("bob", limit=1)
    page, _ = store.history.page("ann", limit=10, before=newest.id)
    assert {each.owner for each in page} == {"ann"}
    assert store.history.page("carol", limit=10, before=newest.id, connection_id="warehouse") == ([], None)


def test_filters_and_their_pages(store):
    for number in range(6):
        store.history.add(entry(number, outcome="ok" if number % 2 else "sql_refused"))
    store.history.add(Entry("ann", "demo", "chat", request_id="other"))
    page, after = store.history.page("ann", limit=2, outcome="sql_refused")
    assert requests(page) == ["request-4", "request-2"]
    assert requests(store.history.page("ann", limit=2, outcome="sql_refused", before=after)[0]) == ["request-0"]
    assert requests(store.history.page("ann", limit=5, connection_id="demo")[0]) == ["other"]
    assert store.history.page("ann", limit=5, connection_id="demo", outcome="sql_refused")[0] == []


def turn(number, conversation, owner="ann", **more):
    told = {"question": f"question {number}", "sql": f"SELECT {number}", "interpretation": f"read as {number}"}
    return Entry(owner, "warehouse", "chat", conversation_id=conversation, **told | more)


def test_a_conversation_is_its_last_answered_questions_the_oldest_first(store, settings, make_store):
    mine, other = uuid.uuid4(), uuid.uuid4()
    for number in range(6):
        store.history.add(turn(number, mine))
        store.history.add(turn(number, other, sql="SELECT 'other'"))
        store.history.add(turn(number, mine, outcome="query_timeout", status=504))
    store.history.add(turn(9, mine, sql=None))
    store.history.add(turn(9, None))
    turns = make_store(settings).history.conversation("ann", mine, limit=3)
    assert [each.question for each in turns] == ["question 3", "question 4", "question 5"]
    assert turns[0] == Turn("question 3", "read as 3", "SELECT 3", "warehouse")
    assert len(store.history.conversation("ann", mine, limit=50)) == 6


def test_another_s_conversation_is_as_empty_as_one_that_never_was(store):
    conversation = uuid.uuid4()
    store.history.add(turn(1, conversation))
    store.history.add(turn(2, conversation, owner="bob", sql="SELECT 'bob'"))
    assert [each.sql for each in store.history.conversation("ann", conversation, limit=9)] == ["SELECT 1"]
    assert store.history.conversation("carol", conversation, limit=9) == []
    assert store.history.conversation("ann", uuid.uuid4(), limit=9) == []


def test_a_conversation_is_forgotten_as_the_history_is(store, settings, make_store):
    conversation = uuid.uuid4()
    store.history.add(turn(1, conversation))
    none = make_store(dataclasses.replace(settings, history_days=0))
    assert none.history.conversation("ann", conversation, limit=9) == []
    aged(store, 91)
    store.history.add(turn(2, conversation))
    assert [each.sql for each in store.history.conversation("ann", conversation, limit=9)] == ["SELECT 2"]


def test_a_page_can_be_of_one_conversation(store):
    mine, other = uuid.uuid4(), uuid.uuid4()
    for number in range(4):
        store.history.add(turn(number, mine, request_id=f"request-{number}"))
        store.history.add(turn(number, other))
        store.history.add(turn(number, mine, owner="bob"))
    page, after = store.history.page("ann", limit=3, conversation_id=mine)
    assert requests(page) == ["request-3", "request-2", "request-1"]
    page, after = store.history.page("ann", limit=3, conversation_id=mine, before=after)
    assert (requests(page), after) == (["request-0"], None)


def test_the_tokens_of_an_owner_s_day_are_summed_by_model(store):
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for number, (owner, model) in enumerate([("ann", "large"), ("ann", "large"), ("ann", "small"), ("bob", "large")]):
        store.history.add(entry(number, owner, model=model, prompt_tokens=100, completion_tokens=10))
    store.history.add(entry(9))
    sums = sorted(store.history.sum_tokens("ann", today))
    assert sums == [("", 0, 0), ("large", 200, 20), ("small", 100, 10)]
    aged(store, days=2)
    assert store.history.sum_tokens("ann", today) == []


def test_a_day_is_summed_by_its_index(on_postgres, make_store, postgres_server):
    store = make_store(on_postgres)
    store.upgrade()
    name = on_postgres.database_url.rsplit("/", 1)[1]
    postgres_server.execute(
        "INSERT INTO sqlchat.history SELECT gen_random_uuid(), now(), 'o' || n % 50, NULL, 'x', 'chat', 'q', 's'"
        ", NULL, 'm', 'ok', 200, 1, 1, 0, 0, 'r', NULL FROM generate_series(1, 20000) n;"
        "ANALYZE sqlchat.history",
        name,
    )
    plan = postgres_server.execute(
        "EXPLAIN SELECT model, sum(prompt_tokens), sum(completion_tokens) FROM sqlchat.history"
        f" WHERE owner = 'o7' AND id >= '{uuid.UUID(int=0xF0 << 120)}' GROUP BY model",
        name,
    )
    assert "history_owner_id" in str(plan)


def test_neither_question_nor_reading_of_a_turn_shows_in_its_repr():
    assert repr(Turn("Which customers?", "customers who", "SELECT 'customers'", "x")).count("customers") == 0


def test_a_conversation_is_read_by_its_index(on_postgres, make_store, postgres_server):
    store = make_store(on_postgres)
    store.upgrade()
    name = on_postgres.database_url.rsplit("/", 1)[1]
    postgres_server.execute(
        "INSERT INTO sqlchat.history SELECT gen_random_uuid(), now(), 'ann', NULL, 'x', 'chat', 'q', 's', NULL,"
        " NULL, 'ok', 200, 1, 1, 0, 0, 'r', CASE WHEN n % 2 = 0 THEN gen_random_uuid() END"
        " FROM generate_series(1, 20000) n;"
        "ANALYZE sqlchat.history",
        name,
    )
    plan = postgres_server.execute(
        "EXPLAIN SELECT sql FROM sqlchat.history WHERE owner = 'ann'"
        f" AND conversation_id = '{uuid.uuid4()}' ORDER BY id DESC LIMIT 10",
        name,
    )
    assert "history_conversation" in str(plan)


def test_threads_at_once_lose_nothing_and_keep_the_order(store):
    def add(worker):
        for number in range(20):
            store.history.add(entry(f"{worker}-{number}"))

    threads = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page, _ = store.history.page("ann", limit=200)
    assert len(page) == 80
    assert [each.at for each in page] == sorted((each.at for each in page), reverse=True)


def test_what_is_too_old_is_not_shown_and_swept_the_oldest_first(store, monkeypatch):
    monkeypatch.setattr(module, "SWEPT_AT_ONCE", 2)
    for number in range(3):
        store.history.add(entry(number))
    aged(store, 91)
    store.history.add(entry("young"))
    aged(store, 89)
    store.history.add(entry("now"))
    assert requests(store.history.page("ann", limit=10)[0]) == ["request-now", "request-young"]
    assert (store.history.sweep(), store.history.sweep(), store.history.sweep()) == (2, 1, 0)
    assert count(store) == 2


def test_adding_sweeps_now_and_then(store, settings, make_store):
    for number in range(3):
        store.history.add(entry(number))
    aged(store, 91)
    store.history.add(entry("later"))
    assert count(store) == 4
    make_store(settings).history.add(entry("of a new process"))
    assert count(store) == 2
    aged(store, 91)
    for number in range(module.SWEEP_AFTER):
        store.history.add(entry(number))
    assert count(store) == module.SWEEP_AFTER


def test_with_0_days_nothing_is_kept_and_what_there_was_goes(store, settings, make_store):
    store.history.add(entry("before"))
    none = make_store(dataclasses.replace(settings, history_days=0))
    assert none.history.page("ann", limit=10) == ([], None)
    none.history.add(entry("after"))
    assert count(store) == 0


def test_an_entry_that_comes_twice_is_kept_once(store):
    """As when the connection broke after the server had the row, before it could say so."""
    first = entry()
    store.history.add(first)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_make_ordered_id", lambda now, **_: first.id)
        store.history.add(entry("twice"))
    assert count(store) == 1


def test_a_connection_that_the_server_cut_is_replaced(on_postgres, make_store, postgres_server):
    store = make_store(on_postgres)
    store.upgrade()
    store.history.add(entry(1))
    name = on_postgres.database_url.rsplit("/", 1)[1]
    postgres_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    store.history.add(entry(2))
    assert requests(store.history.page("ann", limit=10)[0]) == ["request-2", "request-1"]


def test_a_table_that_is_locked_is_waited_for_a_bounded_time(on_postgres, make_store, postgres_server, monkeypatch):
    import psycopg2

    store = make_store(on_postgres)
    store.upgrade()
    store.history.add(entry(1))
    locker = psycopg2.connect(postgres_server.superuser_dsn(on_postgres.database_url.rsplit("/", 1)[1]))
    try:
        locker.cursor().execute("LOCK TABLE sqlchat.history IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailableError):
            store.history.add(entry(2))
    finally:
        locker.close()
    store.history.add(entry(3))
    assert requests(store.history.page("ann", limit=10)[0]) == ["request-3", "request-1"]


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestLater:
    """Entries that are written together, a little later."""

    def test_they_are_there_soon_by_themselves_and_in_their_order(self, store):
        for number in range(20):
            store.history.add_soon(entry(number))
        until(lambda: count(store) == 20)
        page, _ = store.history.page("ann", limit=50)
        assert requests(page) == [f"request-{number}" for number in reversed(range(20))]

    def test_whoever_reads_sees_them_at_once_in_every_process(self, store, settings, make_store, monkeypatch):
        monkeypatch.setattr(module, "SETTLING", 0.5)
        other = make_store(settings)
        other.history.page("ann", limit=1)

        def is_seen(number, reader):
            store.history.add_soon(entry(number))
            return requests(reader.history.page("ann", limit=1)[0]) == [f"request-{number}"]

        assert is_seen(0, store)
        assert any(is_seen(number, other) for number in range(1, 9)), "a busy machine may write a moment later"
        assert is_seen(9, store)

    def test_an_id_is_found_though_the_process_that_gave_it_out_writes_late(self, settings, make_store, monkeypatch):
        reader = make_store(settings)
        reader.upgrade()
        monkeypatch.setattr(module, "WINDOW", 0.5)
        monkeypatch.setattr(module, "YOUNG", 120.0)
        given = entry(1)
        make_store(settings).history.add_soon(given)
        assert reader.history.find("ann", given.id).request_id == "request-1"

    def test_an_id_that_nobody_gave_out_is_not_waited_for(self, store):
        took = []
        for _ in range(5):  # another program may keep the machine busy meanwhile
            started = time.monotonic()
            assert store.history.find("ann", uuid.uuid4()) is None
            took.append(time.monotonic() - started)
        assert min(took) < module.YOUNG

    def test_closing_writes_what_is_left_and_more_may_follow(self, store, settings, make_store):
        store.history.add_soon(entry(1))
        store.close()
        assert count(make_store(settings)) == 1
        store.history.add_soon(entry(2))
        store.close()
        assert count(make_store(settings)) == 2

    def test_more_than_one_statement_takes_and_from_many_threads_all_are_kept(self, store):
        def add(worker):
            for number in range(300):
                store.history.add_soon(entry(f"{worker}-{number}"))

        threads = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.close()
        assert count(store) == 1200

    def test_where_the_store_is_gone_each_is_reported_and_those_after_are_kept(self, store, caplog):
        with store.history._database.writing() as connection:
            connection.execute(
                text(f"ALTER TABLE {history.fullname if not store.embedded else 'history'} RENAME TO x")
            )
        store.history.add_soon(entry(1, outcome="sql_failed"))
        store.history.add_soon(entry(2))
        until(lambda: [record.message for record in caplog.records].count("history entry lost") == 2)
        (first, _) = [record for record in caplog.records if record.message == "history entry lost"]
        assert (first.request_id, first.outcome) == ("request-1", "sql_failed")
        with store.history._database.writing() as connection:
            connection.execute(text(f"ALTER TABLE {'x' if store.embedded else 'sqlchat.x'} RENAME TO history"))
        store.history.add_soon(entry(3))
        assert requests(store.history.page("ann", limit=10)[0]) == ["request-3"]

    def test_the_end_of_the_process_writes_them(self, settings, make_store):
        code = (
            "import pickle, sys; from sqlchat.store import Entry, Store;"
            "store = Store(pickle.load(sys.stdin.buffer)); store.upgrade();"
            "store.history.add_soon(Entry('ann', 'warehouse', 'execute'))"
        )
        subprocess.run([sys.executable, "-c", code], input=pickle.dumps(settings), check=True, timeout=300)
        assert count(make_store(settings)) == 1
