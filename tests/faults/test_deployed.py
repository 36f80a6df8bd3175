"""What breaks around the deployed service, and what its clients see of it."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import resource
import signal
import sqlite3
import statistics
import threading
import time

import pytest
from deployed import Service, a_database, flask, ports_of, procfile, stats

SLOW = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 16000000) SELECT count(*) FROM t"
ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
ASKED_ALONE = {"SQLCHAT_STATEMENT_TIMEOUT": "150", "SQLCHAT_READ_AHEAD": "false"}
"""Runs no statement that no request asked for."""


def connect(service, name, config, provider="postgres"):
    status, body, _ = service.call("POST", "/api/connections", {"provider": provider, "name": name, "config": config})
    assert status == 201, body


def execute(service, name, sql="SELECT 1"):
    return service.call("POST", "/api/execute", {"connection_id": name, "sql": sql})


def timed(ask, *given):
    """Seconds until the answer, and the answer."""
    started = time.monotonic()
    answer = ask(*given)
    return time.monotonic() - started, answer


def history(service):
    """Its newest entries. Those of another worker may be a moment late on a busy machine."""
    return service.call("GET", "/api/history")[1]["history"]


def is_clear(answer, *expected):
    """A problem with one of the `expected` pairs of status and code, which says when to come again where it can."""
    status, body, headers = answer
    assert (status, body["code"]) in expected, body
    assert (status, headers["Content-Type"]) == (body["status"], "application/problem+json")
    assert status != 503 or int(headers["Retry-After"]) > 0


class TestDatabase:
    def test_restarted_under_load_it_serves_the_next_requests(self, tmp_path, own_postgres):
        config = own_postgres.fresh()
        with Service(tmp_path) as service, concurrent.futures.ThreadPoolExecutor(8) as pool:
            connect(service, "pg", config)
            answers, over = [], threading.Event()

            def load():
                while not over.is_set():
                    asked = time.monotonic()
                    answer = execute(service, "pg", "SELECT count(*) FROM generate_series(1, 50000)")
                    answers.append((asked, *answer))

            running = [pool.submit(load) for _ in range(8)]
            try:
                service.until(lambda: len(answers) > 20)
                own_postgres.stop()
                service.until(lambda: sum(status == 503 for _, status, _, _ in answers) > 8)
                own_postgres.start()
                back = time.monotonic()
                service.until(lambda: sum(asked > back for asked, *_ in answers) > 40)
            finally:
                over.set()
            assert not [each for each in running if each.exception(150)]
            assert {status for _, status, _, _ in answers} == {200, 503}
            for _, *answer in answers:
                assert answer[0] == 200 or is_clear(answer, (503, "database_unavailable")) is None
            assert {status for asked, status, _, _ in answers if asked > back} == {200}

    def test_200_at_once_on_pools_of_five_all_get_a_whole_answer(self, tmp_path, postgres_database, postgres_server):
        postgres_server.execute("CREATE VIEW slow AS SELECT pg_sleep(0.6)::text AS s", postgres_database["database"])
        postgres_server.execute("GRANT SELECT ON slow TO PUBLIC", postgres_database["database"])
        with Service(tmp_path, SQLCHAT_POOL_TIMEOUT="1", SQLCHAT_QUEUE_TIMEOUT="2") as service:
            connect(service, "pg", postgres_database)
            with concurrent.futures.ThreadPoolExecutor(200) as pool:
                asked = [pool.submit(timed, execute, service, "pg", "SELECT s FROM slow") for _ in range(200)]
                healthy = [timed(service.call, "GET", "/health") for _ in range(9)]
                waits, answers = zip(*(each.result(150) for each in asked), strict=True)
            assert {answer[0] for _, answer in healthy} == {200}
            # /health does not queue behind the others, however slow the machine is.
            assert statistics.median(wait for wait, _ in healthy) < statistics.median(waits) / 2
            served = [answer for answer in answers if answer[0] == 200]
            assert len(served) > 10
            assert len(served) < 200
            for answer in answers:
                assert answer[0] == 200 or is_clear(answer, (503, "busy")) is None
            assert execute(service, "pg", "SELECT s FROM slow")[0] == 200


class TestStore:
    def test_its_postgres_gone_for_a_while_is_503_and_it_recovers_by_itself(self, tmp_path, own_postgres):
        config = own_postgres.fresh()
        given = {
            "DATABASE_URL": "postgres://{user}:{password}@127.0.0.1:{port}/{database}".format(**config),
            "SQLCHAT_SECRET_KEY": "k" * 40,
        }
        assert flask(procfile()["release"], **given).returncode == 0
        a_database(tmp_path / "shop.sqlite")
        with Service(tmp_path, **given) as service:
            assert service.connect("shop", "shop.sqlite") == 201
            own_postgres.stop()
            for method, path, body in [
                ("GET", "/api/connections", None),
                ("POST", "/api/execute", {"connection_id": "shop", "sql": "SELECT n FROM t"}),
                ("GET", "/api/history", None),
            ]:
                is_clear(service.call(method, path, body), (503, "store_unavailable"))
            assert service.call("GET", "/health")[0] == 200
            own_postgres.start()
            for worker in service.workers():
                with service.through(worker):
                    assert service.execute("shop") == (200, [[7]])
                    assert service.call("GET", "/api/history")[0] == 200

    def test_with_the_disk_full_answers_still_come_and_what_must_be_kept_is_refused(self, tmp_path):
        a_database(tmp_path / "shop.sqlite")
        with Service(tmp_path) as service:
            assert service.connect("shop", "shop.sqlite") == 201
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        with Service(tmp_path) as service:
            assert service.execute("shop") == (200, [[7]])
            service.until(lambda: len(history(service)) == 1)
            for pid in service.processes():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, limits[1]))  # no file may grow any more
            assert service.execute("shop") == (200, [[7]])
            body = {"provider": "sqlite", "name": "more", "config": {"database": "shop.sqlite"}}
            is_clear(service.call("POST", "/api/connections", body), (503, "store_unavailable"))
            assert service.execute("shop") == (200, [[7]])
            assert service.call("GET", "/api/connections/shop")[0] == 200
            service.until(lambda: service.out.count("history entry lost") == 2)
            assert len(history(service)) == 1
            for pid in service.processes():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
            assert service.connect("more", "shop.sqlite") == 201
            assert service.execute("more") == (200, [[7]])
            service.until(lambda: len(history(service)) == 2)
            assert "Traceback" not in service.out
        with contextlib.closing(sqlite3.connect(tmp_path / "state" / "store.db")) as kept:
            assert kept.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


class TestFiles:
    """What happens to tables that are being made of files."""

    @pytest.fixture
    def uploads(self, tmp_path):
        folder = tmp_path / "files" / "uploads"
        folder.mkdir(parents=True)
        return folder

    @staticmethod
    def ask(service, name, file):
        body = {"provider": "files", "name": name, "config": {"files": [f"uploads/{file}"]}}
        return service.call("POST", "/api/connections", body)

    def test_with_the_disk_full_it_is_said_so_and_later_they_are_made(self, tmp_path, uploads):
        (uploads / "large.csv").write_bytes(b"a,b\n" + b"1,2\n" * 50_000)
        (uploads / "small.csv").write_bytes(b"a\n7\n")
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        with Service(tmp_path) as service:
            for pid in service.processes():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (100_000, limits[1]))  # no file may grow any more
            for file in ("large.csv", "small.csv"):  # of which one cannot be fetched, and the other not built
                answer = self.ask(service, "x", file)
                is_clear(answer, (503, "database_unavailable"))
                assert answer[1]["detail"] == "The files cannot be prepared: File too large."
            for pid in service.processes():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
            assert self.ask(service, "x", "small.csv")[0] == 201
            assert service.execute("x", "SELECT a FROM small") == (200, [[7]])
            assert not list((tmp_path / "cache" / "files").glob("*.part"))

    def test_a_web_worker_killed_at_it_leaves_the_work_to_the_next_and_nothing_behind(self, tmp_path, uploads):
        (uploads / "large.csv").write_bytes(b"a,b\n" + b"1,2\n" * 8_000_000)
        cache = tmp_path / "cache" / "files"
        with Service(tmp_path) as service, concurrent.futures.ThreadPoolExecutor(2) as pool:
            victim, other = service.workers()
            with service.through(victim):
                lost = pool.submit(self.ask, service, "x", "large.csv")
                service.until(lambda: list(cache.glob("*.part/data.duckdb")))
            with service.through(other):
                waiting = pool.submit(self.ask, service, "y", "large.csv")
                time.sleep(0.5)
                os.kill(victim, signal.SIGKILL)  # while it is halted, so that it cannot finish before
            assert isinstance(lost.exception(150), OSError)
            assert waiting.result(150)[0] == 201
            assert service.execute("y", "SELECT sum(a), sum(b) FROM large") == (200, [[8_000_000, 16_000_000]])
            assert sorted(path.suffix for path in cache.iterdir()) == ["", ".lock"]
            service.until(service.is_whole)


class TestProcesses:
    @pytest.fixture
    def service(self, tmp_path):
        a_database(tmp_path / "shop.sqlite")
        with Service(tmp_path, **ASKED_ALONE) as service:
            assert service.connect("shop", "shop.sqlite") == 201
            yield service

    def test_a_killed_sql_process_costs_its_own_request_alone(self, service):
        (one, _) = service.workers()
        with service.through(one):
            assert service.execute("shop") == (200, [[7]])
        service.until(lambda: not service.count_statements())  # of which one that is halted tells its last
        with service.through(one), concurrent.futures.ThreadPoolExecutor(2) as pool:
            before = _cpu(one)
            slow = pool.submit(execute, service, "shop", ENDLESS)
            service.until(service.count_statements)
            service.until(lambda: busiest(one, before)[0] > 20)
            os.kill(busiest(one, before)[1], signal.SIGKILL)
            assert [service.execute("shop") for _ in range(3)] == [(200, [[7]])] * 3
            is_clear(slow.result(150), (413, "too_large"), (503, "busy"), (504, "deadline_exceeded"))
            service.until(lambda: len(_cpu(one)) >= len(before))
        service.until(service.is_whole)

    def test_a_killed_web_worker_costs_its_own_requests_alone_and_its_sql_processes_end(self, service):
        victim, other = service.workers()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            service.until(lambda: not service.count_statements())
            with service.through(victim):
                lost = pool.submit(execute, service, "shop", ENDLESS)
                service.until(service.count_statements)
            with service.through(other):
                children = list(_cpu(victim))
                kept = pool.submit(execute, service, "shop", SLOW)
                service.until(lambda: service.count_statements() == 2)
                os.kill(victim, signal.SIGKILL)
            assert isinstance(lost.exception(150), OSError)
            assert kept.result(150)[0] == 200
        service.until(lambda: not set(children) & set(service.processes()))
        service.until(service.is_whole)

    def test_sigterm_lets_the_requests_that_wait_for_a_thread_finish_too(
        self, tmp_path, postgres_database, postgres_server
    ):
        postgres_server.execute("CREATE VIEW slow AS SELECT pg_sleep(0.5)::text AS s", postgres_database["database"])
        postgres_server.execute("GRANT SELECT ON slow TO PUBLIC", postgres_database["database"])
        given = {"WEB_CONCURRENCY": "1", "SQLCHAT_THREADS": "4", "SQLCHAT_QUEUE_TIMEOUT": "150"}
        with Service(tmp_path, **given) as service, contextlib.ExitStack() as stack:
            connect(service, "pg", postgres_database)
            (worker,) = service.workers()
            body = json.dumps({"connection_id": "pg", "sql": "SELECT s FROM slow"})
            clients = [http.client.HTTPConnection("127.0.0.1", service.port, timeout=150) for _ in range(12)]
            for client in clients:
                stack.callback(client.close)
                client.request("POST", "/api/execute", body, {"Content-Type": "application/json"})
            service.until(lambda: ports_of(worker) >= {client.sock.getsockname()[1] for client in clients})
            assert service.stop() == 0
            assert [client.getresponse().status for client in clients] == [200] * 12


def _cpu(worker):
    """Ticks that each process below `worker` has used."""
    return {pid: stat["ticks"] for pid, stat in stats() if stat["parent"] == worker and stat["state"] != "Z"}


def busiest(worker, before):
    """Ticks since `before` of the process below `worker` that used most, and its id."""
    return max((ticks - before.get(pid, ticks), pid) for pid, ticks in _cpu(worker).items())


class TestHistory:
    """Entries of answers that have gone out, when what was to write them ends."""

    @pytest.fixture
    def shop(self, tmp_path):
        a_database(tmp_path / "shop.sqlite")
        return tmp_path

    @staticmethod
    def kept(folder):
        with contextlib.closing(sqlite3.connect(folder / "state" / "store.db")) as store:
            return {request_id for (request_id,) in store.execute("SELECT request_id FROM history")}

    @staticmethod
    def asking(service, answered):
        """Add the ids of requests that were answered, until nobody answers."""
        with contextlib.suppress(OSError):
            while True:
                status, _, headers = execute(service, "shop", "SELECT n FROM t")
                if status == 200:
                    answered.append(headers["X-Request-Id"])

    def test_a_sigterm_loses_none(self, shop):
        with Service(shop) as service, concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert service.connect("shop", "shop.sqlite") == 201
            answered = []
            asked = [pool.submit(self.asking, service, answered) for _ in range(4)]
            service.until(lambda: len(answered) > 40)
            assert service.stop() == 0
            assert not any(each.exception(150) for each in asked)
        assert set(answered) <= self.kept(shop)

    def test_a_kill_loses_what_is_younger_than_a_moment_at_most(self, shop):
        with Service(shop, WEB_CONCURRENCY="1") as service, concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert service.connect("shop", "shop.sqlite") == 201
            answered = []
            asked = [pool.submit(self.asking, service, answered) for _ in range(4)]
            (worker,) = service.workers()
            service.until(lambda: len(answered) > 20)
            old = set(answered)
            service.until(lambda: old <= self.kept(shop))  # by themselves; requests go on meanwhile
            service.until(lambda: len(answered) > len(old) + 20)
            os.kill(service.process.pid, signal.SIGKILL)  # else it would start another worker
            os.kill(worker, signal.SIGKILL)
            assert not any(each.exception(150) for each in asked)
            assert old <= self.kept(shop)

    def test_whichever_worker_is_asked_shows_what_was_just_answered(self, shop):
        with Service(shop) as service:
            assert service.connect("shop", "shop.sqlite") == 201
            for _ in range(20):  # each call is a connection of its own, and goes to one worker or the other
                _, _, headers = execute(service, "shop", "SELECT n FROM t")
                shown = [headers["X-Request-Id"]]
                service.until(lambda shown=shown: [each["request_id"] for each in history(service)[:1]] == shown)
