"""What an operator sees of the deployed service: whether it is ready, and what it counts."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from a_model import AModel
from deployed import ROOT, Service, environment, flask, procfile, send_signal, stats
from pytest_httpserver import HTTPServer

TOKEN = "read-the-metrics"
QUESTION = {"connection_id": "demo", "prompt": "How many customers are there?"}


def read_metrics(service, **headers):
    """Name with labels -> value."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(service.url + "/metrics", headers=named)
    with urllib.request.urlopen(request, timeout=150) as response:
        assert response.headers["Content-Type"].startswith("text/plain")
        lines = response.read().decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
    }


def refused(service, **headers):
    with pytest.raises(urllib.error.HTTPError) as caught:
        read_metrics(service, **headers)
    with caught.value as error:
        return error.code


@pytest.fixture(scope="module")
def model():
    with HTTPServer() as server:
        yield AModel(server, tokens=(100, 20))


@pytest.fixture(scope="module")
def service(tmp_path_factory, model):
    given = {"SQLCHAT_MODEL_PRICES": "a-model=10000/20000", "SQLCHAT_STATEMENT_TIMEOUT": "150"}
    with Service(tmp_path_factory.mktemp("operations"), **given, **model.settings) as service:
        yield service


class TestReady:
    def test_it_is_told_by_a_route(self, service):
        assert service.call("GET", "/ready")[:2] == (200, {"status": "ready"})

    def test_a_store_that_is_not_migrated_is_503_with_the_reason_and_nothing_is_said_to_be_ready(
        self, tmp_path, postgres_database
    ):
        url = "postgres://{user}:{password}@127.0.0.1:{port}/{database}".format(**postgres_database)
        given = {"DATABASE_URL": url, "SQLCHAT_SECRET_KEY": "k" * 40}
        with Service(tmp_path, **given) as service:
            status, problem, headers = service.call("GET", "/ready")
            assert (status, problem["code"]) == (503, "store_unavailable")
            assert "db upgrade" in problem["detail"]
            assert int(headers["Retry-After"]) > 0
            assert service.call("GET", "/health")[0] == 200
            service.until(lambda: "not ready" in service.out)
            assert "sqlchat is ready" not in service.out
            assert flask(procfile()["release"], **given).returncode == 0
            service.until(lambda: "sqlchat is ready" in service.out)
            assert service.call("GET", "/ready")[0] == 200

    def test_worker_processes_that_do_not_start_are_503(self, tmp_path):
        broken = tmp_path / "broken"
        broken.mkdir()
        (broken / "sitecustomize.py").write_text(
            "import sys\nif 'sqlchat.workers.child' in sys.orig_argv: raise SystemExit(1)\n"
        )
        with Service(tmp_path / "data", PYTHONPATH=str(broken)) as service:
            status, problem, _ = service.call("GET", "/ready")
            assert (status, problem["code"]) == (503, "busy")
            assert "do not start" in problem["detail"]
            assert "sqlchat is ready" not in service.out

    def test_it_is_said_once_whatever_becomes_of_workers(self, service):
        service.until(lambda: "sqlchat is ready" in service.out)
        victim = service.workers()[0]
        os.kill(victim, signal.SIGKILL)
        service.until(lambda: victim not in service.workers() and service.is_whole())
        for worker in service.workers():
            with service.through(worker):
                assert service.call("GET", "/ready")[0] == 200
        assert service.out.count("sqlchat is ready") == 1


def test_processes_that_have_nothing_to_do_end_and_the_next_question_starts_them(tmp_path):
    given = {"SQLCHAT_MEMORY_MB": "512", "SQLCHAT_IDLE_SECONDS": "1", "WEB_CONCURRENCY": "1"}
    with Service(tmp_path, **given) as service:
        for _ in range(2):
            with ThreadPoolExecutor(1) as beside:
                answer = beside.submit(service.call, "POST", "/api/chat", QUESTION)
                service.until(lambda: len(service.processes()) > 2)
                assert answer.result(150)[0] == 200
            service.until(lambda: len(service.processes()) == 2)
        assert service.call("GET", "/ready")[0] == 200
        assert len(service.processes()) == 2  # it wakes none


class TestMetrics:
    def test_requests_of_all_processes_are_counted_by_route_and_status(self, service):
        before = read_metrics(service)
        for worker in service.workers():
            with service.through(worker):
                assert service.call("GET", "/api/connections/demo")[0] == 200
                assert service.call("GET", "/api/connections/none")[0] == 404
                assert service.call("GET", f"/nowhere/{worker}")[0] == 404
        route = 'route="GET /api/connections/<connection_id>"'

        def grown(name):
            return read_metrics(service).get(name, 0) - before.get(name, 0)

        # A request is counted when its answer has gone out, which the client may see before.
        service.until(lambda: grown(f"sqlchat_request_seconds_count{{{route}}}") == 4)
        service.until(lambda: grown('sqlchat_requests_total{route="unmatched",status="404"}') == 2)
        assert grown(f'sqlchat_requests_total{{{route},status="200"}}') == 2
        assert grown(f'sqlchat_requests_total{{{route},status="404"}}') == 2
        assert grown('sqlchat_refusals_total{code="connection_not_found"}') == 2
        assert read_metrics(service)[f"sqlchat_request_seconds_sum{{{route}}}"] > 0

    def test_model_calls_are_counted_with_tokens_and_cost(self, service, model):
        assert service.call("POST", "/api/chat", QUESTION)[0] == 200
        told = read_metrics(service)
        assert told['sqlchat_model_calls_total{outcome="ok",provider="openai"}'] == model.calls
        assert told['sqlchat_model_tokens_total{kind="prompt",provider="openai"}'] == 100 * model.calls
        assert told['sqlchat_model_tokens_total{kind="completion",provider="openai"}'] == 20 * model.calls
        assert told['sqlchat_model_cost_usd_total{provider="openai"}'] == pytest.approx(1.4 * model.calls)
        assert told['sqlchat_model_seconds_count{provider="openai"}'] == model.calls

    def test_an_answer_that_cannot_be_read_costs_its_tokens_too(self, service, model):
        before = read_metrics(service)
        kept, model.sql = model.sql, None
        try:
            assert service.call("POST", "/api/chat", QUESTION)[0] == 502
        finally:
            model.sql = kept
        after = read_metrics(service)
        name = 'sqlchat_model_tokens_total{kind="prompt",provider="openai"}'
        assert after[name] - before.get(name, 0) == 200
        failed = "/api/history?outcome=model_failed"
        service.until(lambda: service.call("GET", failed)[1]["history"])  # which may be a moment late
        assert service.call("GET", failed)[1]["history"][0]["tokens"]["prompt"] == 200

    def test_a_killed_process_and_those_in_use_are_counted(self, service):
        slow = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
        busy = 'sqlchat_worker_processes{pool="databases",state="busy"}'
        with ThreadPoolExecutor(1) as beside:
            answer = beside.submit(service.execute, "demo", slow)
            service.until(lambda: read_metrics(service).get(busy))
            workers = service.workers()
            for pid, stat in stats():
                if stat["parent"] in workers:
                    send_signal(pid, signal.SIGKILL)
            assert answer.result(150) == (413, "too_large")
        killed = 'sqlchat_worker_processes_killed_total{pool="databases",reason="died"}'
        assert read_metrics(service)[killed] == 1
        service.until(lambda: read_metrics(service)['sqlchat_worker_processes{pool="sql",state="idle"}'] >= 1)
        assert read_metrics(service)['sqlchat_threads{state="idle"}'] >= service.count

    def test_an_upload_is_counted(self, service):
        form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\n1,2\n\r\n--b--\r\n'
        url = service.url + "/api/files/upload?bucket=uploads"
        request = urllib.request.Request(url, form, {"Content-Type": "multipart/form-data; boundary=b"})
        with urllib.request.urlopen(request, timeout=150) as response:
            assert response.status == 201
        told = read_metrics(service)
        assert (told["sqlchat_uploads_total"], told["sqlchat_upload_bytes_total"]) == (1, 8)

    def test_what_a_dead_process_counted_stays_and_what_it_used_goes(self, service):
        requests = re.compile(r"sqlchat_requests_total\{")

        def count():
            return sum(value for name, value in read_metrics(service).items() if requests.match(name))

        for worker in service.workers():
            with service.through(worker):
                service.call("GET", "/api/providers")
        before, threads = count(), service.count * 32
        os.kill(service.workers()[0], signal.SIGKILL)
        service.until(service.is_whole)
        assert count() >= before

        def all_threads():
            told = read_metrics(service)
            return told['sqlchat_threads{state="idle"}'] + told['sqlchat_threads{state="busy"}']

        service.until(lambda: all_threads() == threads)

    def test_no_label_is_made_up_by_a_client(self, service):
        for name in ("abcdefg", "hijklmn"):
            service.call("GET", f"/api/connections/{name}")
            service.call("GET", f"/{name}")
        text = " ".join(read_metrics(service))
        assert "abcdefg" not in text
        assert "hijklmn" not in text

    def test_behind_a_proxy_that_nobody_told_of_they_are_closed(self, service):
        assert refused(service, X_Forwarded_For="203.0.113.7") == 403
        assert refused(service, Forwarded="for=203.0.113.7") == 403


class TestWhoMayRead:
    def test_a_service_for_others_asks_for_the_token(self, tmp_path):
        given = {"SUPABASE_JWT_SECRET": "s" * 40, "SQLCHAT_METRICS_TOKEN": TOKEN, "WEB_CONCURRENCY": "1"}
        with Service(tmp_path, **given) as service:
            assert refused(service) == 401
            assert refused(service, Authorization="Bearer another-token-of-them") == 401
            assert refused(service, Authorization=TOKEN) == refused(service, Authorization="Bearer ") == 401
            assert read_metrics(service, Authorization=f"bearer {TOKEN}")
            assert read_metrics(service, Authorization=f"Bearer {TOKEN}")
            assert service.call("GET", "/api/connections", token=TOKEN)[0] == 401
            assert TOKEN not in service.out

    def test_without_a_token_the_address_counts_where_a_trusted_proxy_tells_it(self, tmp_path):
        given = {"SUPABASE_JWT_SECRET": "s" * 40, "SQLCHAT_TRUSTED_PROXIES": "1", "WEB_CONCURRENCY": "1"}
        with Service(tmp_path, **given) as service:
            assert read_metrics(service)
            assert refused(service, X_Forwarded_For="203.0.113.7") == 403
            assert refused(service, X_Forwarded_For="127.0.0.1, 203.0.113.7") == 403

    def test_without_either_they_are_closed(self, tmp_path):
        with Service(tmp_path, SUPABASE_JWT_SECRET="s" * 40, WEB_CONCURRENCY="1") as service:
            assert refused(service) == 403


def test_the_counts_of_a_service_that_ended_are_cleared_away(tmp_path):
    from sqlchat.telemetry.folder import PREFIX

    with Service(tmp_path, WEB_CONCURRENCY="1") as service:
        name = f"{PREFIX}{service.process.pid}-*"
        found = subprocess.run(
            ["find", "/dev/shm", os.environ.get("TMPDIR", "/tmp"), "-maxdepth", "1", "-name", name],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        assert found
        assert service.stop() == 0
    assert not any(os.path.exists(line) for line in found.splitlines())


def test_threads_that_count_for_the_first_time_at_once_share_a_metric():
    count = (
        "import sys, threading\nfrom sqlchat.telemetry import metrics as m\n"
        "sys.setswitchinterval(1e-6)\nstart, faults = threading.Barrier(8), []\n"
        "def count():\n    start.wait()\n    try:\n"
        "        m.count_request('GET /x', 200, 0.3, None)\n"
        "    except ValueError as exc:\n        faults.append(exc)\n"
        "threads = [threading.Thread(target=count) for _ in range(8)]\n"
        "for each in (*threads,): each.start()\nfor each in threads: each.join()\nprint(faults)"
    )
    done = subprocess.run([sys.executable, "-c", count], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_counts_of_many_processes_that_ended_are_kept_in_few_files(tmp_path):
    count = "from sqlchat.telemetry import metrics as m; m.count_request('GET /x', 200, 0.3, None)"
    tell = "from sqlchat.telemetry import metrics as m; m.fold_dead(); m.fold_dead(); print(m.render()[0].decode())"
    given = environment(PROMETHEUS_MULTIPROC_DIR=str(tmp_path), PYTHONPATH=str(ROOT))

    def run(code):
        done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=True)
        return done.stdout

    for _ in range(9):
        run(count)
    told = run(tell)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["counter_0.db", "histogram_0.db"]
    run(count)
    assert 'sqlchat_requests_total{route="GET /x",status="200"} 9.0' in told
    assert 'sqlchat_request_seconds_count{route="GET /x"} 9.0' in told
    assert 'sqlchat_requests_total{route="GET /x",status="200"} 10.0' in run(tell)
