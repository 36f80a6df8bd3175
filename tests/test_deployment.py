"""The service as it is deployed: a real gunicorn with two workers, the Procfile's lines, signals, restarts."""

import contextlib
import http.client
import json
import os
import re
import runpy
import shlex
import signal
import sqlite3
import statistics
import subprocess
import threading
from pathlib import Path

import psycopg2
import pytest
from deployed import ROOT, Service, a_database, environment, flask, ports_of, procfile, stats

SLOW = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 16000000) SELECT count(*) FROM t"
USER = "6f1c3a52-9d0e-4c7b-8a63-2b1f0e9d8c7a"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deployment") / "data"
    a_database(folder / "shop.sqlite")
    return folder


@pytest.fixture(scope="module")
def service(data_dir):
    with Service(data_dir) as service:
        yield service


class TestTwoWorkers:
    def test_a_connection_made_in_one_serves_in_every_one_and_one_deleted_is_gone_everywhere(self, service):
        one, other = service.workers()
        with service.through(one):
            assert service.connect("shared", "shop.sqlite") == 201
            assert service.execute("shared") == (200, [[7]])
        with service.through(other):
            assert service.execute("shared") == (200, [[7]])
            assert service.connect("shared", "shop.sqlite") == 409
            assert service.call("DELETE", "/api/connections/shared")[0] == 200
        for worker in (one, other):
            with service.through(worker):
                assert service.execute("shared") == (404, "connection_not_found")
                assert service.call("GET", "/api/connections/shared")[0] == 404

    def test_a_name_that_is_made_anew_serves_its_new_database_everywhere(self, service, data_dir):
        a_database(data_dir / "other.sqlite", value=8)
        one, other = service.workers()
        for worker in (one, other):
            with service.through(worker):
                service.connect("moving", "shop.sqlite")
                assert service.execute("moving") == (200, [[7]])
        with service.through(one):
            service.call("DELETE", "/api/connections/moving")
            assert service.connect("moving", "other.sqlite") == 201
        with service.through(other):
            assert service.execute("moving") == (200, [[8]])

    def test_settings_that_one_kept_are_known_to_the_other(self, service, data_dir):
        token = flask("flask --app wsgi token --email me@example.com", SQLCHAT_DATA_DIR=str(data_dir)).stdout.strip()
        one, other = service.workers()
        with service.through(one):
            assert service.call("PATCH", "/api/settings", {"theme": "dark"}, token)[0] == 200
        with service.through(other):
            assert service.call("GET", "/api/settings", token=token)[1]["settings"] == {"theme": "dark"}

    def test_connections_that_come_together_are_shared_evenly(self, service):
        """Without counting, the worker that wakes first takes most of them, and a core is idle."""
        most = []
        for _ in range(9):
            with contextlib.ExitStack() as stack:
                clients = [http.client.HTTPConnection("127.0.0.1", service.port, timeout=150) for _ in range(16)]
                for client in clients:
                    stack.callback(client.close)
                    client.connect()
                for client in clients:
                    client.request("GET", "/health")
                for client in clients:
                    client.getresponse().read()
                ports = {client.sock.getsockname()[1] for client in clients}
                taken = [len(ports_of(worker) & ports) for worker in service.workers()]
                assert sum(taken) == 16
                most.append(max(taken))
            service.until(lambda gone=ports: not any(ports_of(worker) & gone for worker in service.workers()))
        assert statistics.median(most) <= 10, most

    def test_what_it_prints_at_its_start_works_when_pasted(self, service):
        service.until(lambda: "curl " in service.out and service.out.endswith("\n"))
        (line,) = re.findall(r"^ *(curl .*)$", service.out, re.MULTILINE)
        words = shlex.split(line)
        url, body = next(w for w in words if w.startswith("http")), json.loads(words[words.index("-d") + 1])
        status, answer, _ = service.call("POST", url.removeprefix(f"http://localhost:{service.port}"), body)
        assert (status, answer["results"]["row_count"]) == (200, 10)
        assert f"http://localhost:{service.port}/docs" in service.out

    def test_web_processes_share_the_modules_of_whole_results_before_the_first_one(self, service):
        for process in (service.process.pid, *service.workers()):
            assert "libparquet" in Path(f"/proc/{process}/maps").read_text()

    def test_it_listens_on_loopback_alone(self, service):
        assert f"Listening at: http://127.0.0.1:{service.port} " in service.out

    def test_its_log_is_json_line_by_line_gunicorn_s_own_included_and_health_is_not_in_it(self, service):
        assert service.call("GET", "/health")[0] == 200
        status, _, headers = service.call("GET", "/api/providers")
        assert status == 200
        service.until(lambda: headers["X-Request-Id"] in service.out)
        lines = service.lines()
        (listening,) = [line for line in lines if line["message"].startswith("Listening at: ")]
        assert (listening["level"], listening["logger"]) == ("INFO", "gunicorn.error")
        assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
        assert "/health" not in {line.get("path") for line in lines}
        plain = [line for line in service.out.splitlines() if line.strip() and not line.startswith("{")]
        assert all(line.startswith(("sqlchat is ready", "Try it:", "  curl ")) for line in plain), plain

    def test_a_token_too_large_is_told_so_by_us(self, service):
        status, problem, _ = service.call("GET", "/api/auth/me", token="x" * 9000)
        assert (status, problem["code"]) == (401, "unauthorized")

    def test_each_request_leaves_one_line_with_its_id_and_no_secret(self, service, data_dir):
        secret = "open-sesame"
        body = {"provider": "postgres", "name": "x", "config": {"host": "127.0.0.1", "port": 9, "password": secret}}
        body["config"] |= {"database": "d", "user": "u"}
        answers = [
            service.call("POST", "/api/connections", body),
            service.call("GET", f"/api/auth/me?access_token={secret}", token=secret),
            service.call("GET", "/api/providers"),
        ]
        service.until(lambda: sum(line["message"] == "request" for line in service.lines()) >= 3)
        assert [status for status, _, _ in answers] == [400, 401, 200]
        for status, _, headers in answers:
            request_id = headers["X-Request-Id"]
            service.until(lambda id=request_id: id in service.out)
            (line,) = [line for line in service.lines() if line.get("request_id") == request_id]
            assert line["status"] == status
            assert {"method", "path", "ms", "time", "level"} <= set(line)
        assert secret not in service.out
        assert secret not in json.dumps([body for _, body, _ in answers])


class TestLife:
    def test_what_was_made_is_there_after_a_restart_and_a_demo_deleted_stays_away(self, tmp_path):
        a_database(tmp_path / "shop.sqlite")
        with Service(tmp_path) as service:
            assert service.connect("kept", "shop.sqlite") == 201
            assert service.call("DELETE", "/api/connections/demo")[0] == 200
            assert service.stop() == 0
        with Service(tmp_path) as service:
            assert service.execute("kept") == (200, [[7]])
            assert service.execute("demo") == (404, "connection_not_found")

    def test_sigterm_lets_a_running_request_finish_and_leaves_nothing(self, tmp_path):
        a_database(tmp_path / "shop.sqlite")
        with Service(tmp_path, SQLCHAT_STATEMENT_TIMEOUT="150", SQLCHAT_READ_AHEAD="false") as service:
            service.connect("shop", "shop.sqlite")
            service.until(lambda: not service.count_statements())
            answers = []
            asking = threading.Thread(target=lambda: answers.append(service.execute("shop", SLOW)))
            asking.start()
            service.until(service.count_statements)
            assert service.stop() == 0
            asking.join(150)
            assert answers == [(200, [[16000000]])]

    def test_sigterm_does_not_wait_for_what_is_read_ahead(self, tmp_path, postgres_server, postgres_database):
        tables = [f"t{n}" for n in range(30)]
        name = postgres_database["database"]
        with contextlib.closing(psycopg2.connect(**postgres_database)) as owner, owner, owner.cursor() as cursor:
            cursor.execute("".join(f"CREATE TABLE {table} (a text);" for table in tables))
        waiting = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'"
        sent = {"provider": "postgres", "name": "held", "config": postgres_database, "privacy": "rows"}
        with (
            Service(tmp_path) as service,
            contextlib.closing(psycopg2.connect(**postgres_database)) as holder,
            holder.cursor() as cursor,
        ):
            cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
            assert service.call("POST", "/api/connections", sent)[0] == 201
            service.until(lambda: postgres_server.execute(waiting))
            assert service.stop() == 0

    def test_a_killed_worker_leaves_no_orphans_and_is_replaced(self, tmp_path):
        a_database(tmp_path / "shop.sqlite")
        with Service(tmp_path) as service:
            service.connect("shop", "shop.sqlite")
            victim, other = service.workers()
            with service.through(victim):
                assert service.execute("shop") == (200, [[7]])
            children = [pid for pid, stat in stats() if stat["parent"] == victim]
            assert children
            os.kill(victim, signal.SIGKILL)
            service.until(lambda: not set(children) & set(service.processes()))
            service.until(service.is_whole)
            (fresh,) = set(service.workers()) - {other}
            with service.through(fresh):
                assert service.execute("shop") == (200, [[7]])

    def test_settings_that_do_not_fit_end_the_start_with_what_is_wrong(self, tmp_path):
        given = environment(SQLCHAT_DATA_DIR=str(tmp_path), DATABASE_URL="postgres://u:open-sesame@h/d", PORT="x")
        for line in (procfile()["web"], procfile()["release"]):
            done = subprocess.run(
                shlex.split(line), cwd=ROOT, env=given, capture_output=True, text=True, timeout=300, check=False
            )
            assert done.returncode == 1
            assert "PORT: say a whole number" in done.stderr
            assert "Traceback" not in done.stderr
            assert "sesame" not in done.stderr

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("WEB_CONCURRENCY", "zero"),
            ("DATABASE_URL", "mysql://u:open-sesame@h/d"),
            ("SUPABASE_JWT_SECRET", "open-sesame"),
            ("SUPABASE_URL", "http://project.example"),
            ("SUPABASE_SERVICE_ROLE_KEY", "sb_publishable_open-sesame"),
            ("SQLCHAT_SQL_WORKER_MEMORY_MB", "64"),
        ],
    )
    def test_one_message_names_what_is_wrong_and_nothing_starts(self, tmp_path, name, value):
        given = environment(SQLCHAT_DATA_DIR=str(tmp_path), SQLCHAT_SECRET_KEY="k" * 40, **{name: value})
        line = shlex.split(procfile()["web"])
        done = subprocess.run(line, cwd=ROOT, env=given, capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(rf"sqlchat cannot start:\n  {name}: .*\n", done.stderr)
        assert "sesame" not in done.stderr

    def test_no_number_of_workers_at_all_is_the_default(self, tmp_path):
        given = environment(SQLCHAT_DATA_DIR=str(tmp_path), WEB_CONCURRENCY="", PORT="none")
        line = shlex.split(procfile()["web"])
        done = subprocess.run(line, cwd=ROOT, env=given, capture_output=True, text=True, timeout=300, check=False)
        assert re.fullmatch(r"sqlchat cannot start:\n  PORT: .*\n", done.stderr)

    def test_a_data_folder_that_cannot_be_used_ends_the_start_before_it_is_ready(self, tmp_path):
        (tmp_path / "file").touch()
        given = environment(SQLCHAT_DATA_DIR=str(tmp_path / "file"))
        line = shlex.split(procfile()["web"])
        done = subprocess.run(line, cwd=ROOT, env=given, capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("SQLCHAT_DATA_DIR: ") == 1
        assert "Traceback" not in done.stderr

    def test_a_setting_that_is_none_is_told_in_one_line(self, tmp_path):
        with Service(tmp_path, SQLCHAT_MAXROWS="5") as service:
            assert service.call("GET", "/health")[0] == 200
        (line,) = (line for line in service.out.splitlines() if "SQLCHAT_MAXROWS" in line)
        assert "did you mean SQLCHAT_MAX_ROWS?" in line


class TestOnPostgres:
    @pytest.fixture
    def given(self, postgres_database):
        config = postgres_database
        url = f"postgres://{config['user']}:{config['password']}@127.0.0.1:{config['port']}/{config['database']}"
        return {"DATABASE_URL": url, "SQLCHAT_SECRET_KEY": "k" * 40, "SUPABASE_JWT_SECRET": "s" * 40}

    def test_the_release_line_migrates_and_the_service_needs_no_restart(self, tmp_path, given):
        a_database(tmp_path / "shop.sqlite")
        token = flask(f"flask --app wsgi token --email me@example.com --sub {USER}", **given).stdout.strip()
        body = {"provider": "sqlite", "name": "shop", "config": {"database": "shop.sqlite"}}
        with Service(tmp_path, **given) as service:
            status, problem, headers = service.call("GET", "/api/connections", token=token)
            assert (status, problem["code"]) == (503, "store_unavailable")
            assert int(headers["Retry-After"]) > 0
            assert service.call("GET", "/health")[0] == 200
            released = flask(procfile()["release"], **given)
            assert (released.returncode, released.stderr) == (0, "")
            for worker in service.workers():
                with service.through(worker):
                    assert service.call("GET", "/api/connections", token=token)[0] == 200
            assert service.call("POST", "/api/connections", body, token)[0] == 201
            assert service.call("GET", "/api/connections/shop", token=token)[0] == 200
            assert service.call("GET", "/api/connections")[0] == 401
        assert not (tmp_path / "state").exists()

    def test_a_release_that_cannot_reach_its_database_fails_with_a_sentence(self, given):
        done = flask(procfile()["release"], **given | {"DATABASE_URL": "postgres://u:open-sesame@127.0.0.1:9/d"})
        assert done.returncode == 1
        assert "store cannot be reached" in done.stderr
        assert "sesame" not in done.stderr
        assert "Traceback" not in done.stderr


class TestCommandLine:
    def test_token_prints_a_token_and_nothing_else(self, service, data_dir):
        line = f"flask --app wsgi token --email me@example.com --sub {USER}"
        done = flask(line, SQLCHAT_DATA_DIR=str(data_dir))
        assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", done.stdout)
        assert done.stderr == ""
        status, body, _ = service.call("GET", "/api/auth/me", token=done.stdout.strip())
        assert (status, body) == (200, {"id": USER, "email": "me@example.com"})

    @pytest.mark.parametrize("options", ["", "--email me@example.com --sub me"])
    def test_token_says_what_it_needs(self, data_dir, options):
        done = flask(f"flask --app wsgi token {options}", SQLCHAT_DATA_DIR=str(data_dir))
        assert (done.returncode, done.stdout) == (2, "")
        assert "Error: " in done.stderr

    def test_only_supabase_mints_where_it_signs_with_key_pairs(self, data_dir):
        line = "flask --app wsgi token --email me@example.com"
        done = flask(line, SQLCHAT_DATA_DIR=str(data_dir), SUPABASE_URL="https://project.supabase.co")
        assert (done.returncode, done.stdout) == (1, "")
        assert "sign in there" in done.stderr

    def test_demo_writes_the_demo_anew(self, tmp_path):
        assert flask("flask --app wsgi demo", SQLCHAT_DATA_DIR=str(tmp_path)).returncode == 0
        with contextlib.closing(sqlite3.connect(tmp_path / "demo.sqlite")) as database:
            assert database.execute("SELECT COUNT(*) FROM customers").fetchone()[0] > 100

    def test_keys_can_be_retired(self, tmp_path):
        old, new = "old-" * 10, "new-" * 10

        def run(line, key):
            return flask(f"flask --app wsgi {line}", SQLCHAT_DATA_DIR=str(tmp_path), SQLCHAT_SECRET_KEY=key)

        assert run("db upgrade", old).returncode == 0
        assert "1" in run("db reencrypt", f"{new},{old}").stdout
        assert run("db reencrypt", new).returncode == 0
        assert "cannot be decrypted" in run("db reencrypt", old).stderr


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "127.0.0.1:8000"),
        ({"PORT": "9000"}, "127.0.0.1:9000"),
        ({"SUPABASE_URL": "https://project.supabase.co"}, "0.0.0.0:8000"),
        ({"SUPABASE_JWT_SECRET": "s" * 40}, "0.0.0.0:8000"),
        ({"SQLCHAT_OPEN_DATA_ROUTES": "true"}, "0.0.0.0:8000"),
    ],
    ids=str,
)
def test_it_listens_to_the_world_only_behind_a_gate(monkeypatch, tmp_path, given, address):
    for name, value in environment(SQLCHAT_DATA_DIR=str(tmp_path), **given).items():
        monkeypatch.setenv(name, value)
    assert runpy.run_path(str(ROOT / "gunicorn.conf.py"))["bind"] == address


def test_gunicorn_waits_longer_than_any_deadline(monkeypatch, tmp_path):
    given = {
        "SQLCHAT_MODEL_TIMEOUT": "100",
        "SQLCHAT_STATEMENT_TIMEOUT": "50",
        "SQLCHAT_BUILD_TIMEOUT": "700",
        "SQLCHAT_DATA_DIR": str(tmp_path),
    }
    for name, value in environment(**given).items():
        monkeypatch.setenv(name, value)
    config = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert config["timeout"] > config["graceful_timeout"] > 2 * 100 + 4 * 50 + 700
