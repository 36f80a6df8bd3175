"""The worker that gunicorn runs: busy threads, slow clients, broken requests, over real sockets."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import select
import signal
import socket
import ssl
import struct
import time

import pytest
from a_model import AModel
from certificates import Authority
from deployed import Service
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http.parser import RequestParser  # type: ignore[import-untyped]
from pytest_httpserver import HTTPServer

from sqlchat.serving.clients import Answer

THREADS = 4
PATIENCE = 3.0  # s
QUEUE_TIMEOUT = 8.0  # s
QUESTION = {"connection_id": "demo", "prompt": "Top 10 customers by revenue"}
HEALTHY = b'{"status":"ok"}\n'
CHUNKED = (
    b"POST /api/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@pytest.fixture(scope="module")
def model():
    with HTTPServer(threaded=True) as server:
        yield AModel(server)


@pytest.fixture(scope="module")
def service(tmp_path_factory, model):
    """One worker with few threads and little patience."""
    given = {
        "WEB_CONCURRENCY": "1",
        "SQLCHAT_THREADS": str(THREADS),
        "SQLCHAT_CLIENT_TIMEOUT": str(PATIENCE),
        "SQLCHAT_QUEUE_TIMEOUT": str(QUEUE_TIMEOUT),
        "SQLCHAT_MODEL_TIMEOUT": "300",
        **model.settings,
    }
    with Service(tmp_path_factory.mktemp("serving"), **given) as service:
        assert service.call("POST", "/api/chat", QUESTION | {"provider": "offline"})[0] == 200
        yield service


@pytest.fixture(scope="module")
def patient_service(tmp_path_factory):
    """One worker with few threads, which waits for its clients longer than a test takes."""
    given = {"WEB_CONCURRENCY": "1", "SQLCHAT_THREADS": str(THREADS), "SQLCHAT_CLIENT_TIMEOUT": "140"}
    with Service(tmp_path_factory.mktemp("patient"), SQLCHAT_QUEUE_TIMEOUT="140", **given) as service:
        yield service


@pytest.mark.parametrize(
    ("headers", "pieces", "sent"),
    [
        ([("Content-Length", "4")], [b"body"], [b"\r\n\r\nbody"]),
        ([], [b"some", b"more"], [b"\r\n\r\n4\r\nsome\r\n", b"4\r\nmore\r\n", b"0\r\n\r\n"]),
        ([("Content-Length", "0")], [], [b"\r\n\r\n"]),
        ([], [], [b"\r\n\r\n", b"0\r\n\r\n"]),
        ([("Content-Length", "70000")], [b"x" * 70_000], [b"\r\n\r\n", b"x" * 70_000]),
    ],
    ids=["whole", "stream", "empty", "no pieces", "large"],
)
def test_headers_leave_with_the_first_bytes_of_the_body(headers, pieces, sent):
    """Each send is one packet of this kind of socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        config = Config()
        (request,) = RequestParser(config, iter([b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"]), ("127.0.0.1", 1))
        answer = Answer(request, ours, config)
        answer.start_response("200 OK", headers)
        for piece in pieces:
            answer.write(piece)
        answer.close()
        ours.close()
        packets = list(iter(lambda: theirs.recv(100_000), b""))
    assert packets[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert [packets[0][-len(sent[0]) :], *packets[1:]] == sent


def connected(service):
    return socket.create_connection(("127.0.0.1", service.port), timeout=150)


def request(method="GET", path="/health", body=None, **headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def answers(line):
    """Everything that comes until the other end closes: a list of (status, headers, decoded body)."""
    with line.makefile("rb") as stream:
        found = []
        while first := stream.readline():
            headers = http.client.parse_headers(stream)
            body = stream.read(int(headers["Content-Length"]))
            found.append((int(first.split()[1]), headers, json.loads(body)))
        return found


def is_problem(answer, status, code):
    got, headers, body = answer
    assert (got, body["status"], body["code"]) == (status, status, code), body
    assert headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "detail", "request_id"} <= body.keys()
    assert headers["X-Request-Id"] == body["request_id"]


@contextlib.contextmanager
def asking(service, model, count):
    """`count` questions, of which as many as there are threads wait for the model.

    Gives their futures, and an event that has the model answer.
    """
    before = model.calls
    with concurrent.futures.ThreadPoolExecutor(count) as pool, model.holding() as go:
        asked = [
            pool.submit(service.call, "POST", "/api/chat", QUESTION | {"provider": "openai"}) for _ in range(count)
        ]
        service.until(lambda: model.calls - before == THREADS)
        yield asked, go


def seconds_for(service, path="/health"):
    started = time.monotonic()
    assert service.call("GET", path)[0] == 200
    return time.monotonic() - started


class TestPaths:
    @pytest.mark.parametrize("header", ["SCRIPT_NAME: /health", "SCRIPT_NAME: /x", "PATH_INFO: /api/connections"])
    def test_no_header_says_which_path_is_asked_for(self, service, header):
        with connected(service) as line:
            line.sendall(f"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n".encode())
            ((status, _, body),) = answers(line)
        assert (status, body) == (200, {"status": "ok"})


class TestBusy:
    def test_health_answers_while_all_threads_work_and_a_request_too_many_is_told_to_come_again(self, service, model):
        kept = http.client.HTTPConnection("127.0.0.1", service.port, timeout=150)
        kept.request("GET", "/health")
        assert kept.getresponse().read() == HEALTHY
        with asking(service, model, 3 * THREADS) as (asked, go):
            for _ in range(10):
                assert service.call("GET", "/health")[:2] == (200, {"status": "ok"})
            kept.request("GET", "/health")
            assert kept.getresponse().read() == HEALTHY
            service.until(lambda: sum(each.done() for each in asked) == 2 * THREADS)
            assert service.call("GET", "/health")[0] == 200
            go.set()
            ends = [each.result(150) for each in asked]
        kept.close()
        assert sorted(status for status, _, _ in ends) == [200] * THREADS + [503] * 2 * THREADS
        for status, body, headers in ends:
            if status == 503:
                is_problem((status, headers, body), 503, "busy")
                assert int(headers["Retry-After"]) > 0
                service.until(lambda id=body["request_id"]: id in service.out)

    def test_a_request_that_waits_for_a_thread_is_served_when_one_is_free(self, service, model):
        with asking(service, model, THREADS) as (asked, go), concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(service.call, "GET", "/api/providers")
            time.sleep(0.5)
            assert not waiting.done()
            go.set()
            assert waiting.result(150)[0] == 200
            assert {each.result(150)[0] for each in asked} == {200}

    def test_connections_that_say_nothing_hold_no_thread_and_are_closed(self, service):
        waits = []
        for _ in range(3):  # another program may keep the machine busy during one of them
            with contextlib.ExitStack() as stack:
                lines = [stack.enter_context(connected(service)) for _ in range(5 * THREADS)]
                waits.append(seconds_for(service, "/api/providers"))
                assert [line.recv(1) for line in lines] == [b""] * len(lines)
        assert min(waits) < PATIENCE / 2

    def test_clients_that_do_not_hang_up_hold_up_nobody(self, service):
        with contextlib.ExitStack() as stack:
            for _ in range(2 * THREADS):
                line = stack.enter_context(connected(service))
                line.sendall(request(Connection="close"))
                assert line.recv(12) == b"HTTP/1.1 200"
            assert min(seconds_for(service) for _ in range(5)) < 1

    def test_idle_connections_make_room_for_new_ones(self, tmp_path):
        given = {"WEB_CONCURRENCY": "1", "SQLCHAT_THREADS": "4", "SQLCHAT_CLIENT_TIMEOUT": "60"}
        with (
            Service(tmp_path, GUNICORN_CMD_ARGS="--worker-connections 20", **given) as service,
            contextlib.ExitStack() as stack,
        ):
            known = [http.client.HTTPConnection("127.0.0.1", service.port, timeout=150) for _ in range(10)]
            for each in known:
                stack.callback(each.close)
                each.request("GET", "/health")
                assert each.getresponse().read() == HEALTHY
            lines = [stack.enter_context(connected(service)) for _ in range(60)]
            for _ in range(20):
                assert seconds_for(service) < 30  # a half of the time after which they would be closed anyway
            assert lines[0].recv(1) == b""
            for each in known[-5:]:  # what never asked anything went first
                each.auto_open = False
                each.request("GET", "/health")
                assert each.getresponse().read() == HEALTHY


class TestEnding:
    def test_who_waited_for_a_worker_that_ends_is_answered_and_who_comes_later_is_refused(self, tmp_path):
        count = 30
        with Service(tmp_path, WEB_CONCURRENCY="1") as service, contextlib.ExitStack() as stack:
            (worker,) = service.workers()
            os.kill(worker, signal.SIGSTOP)
            lines = [stack.enter_context(connected(service)) for _ in range(count)]
            for line in lines:
                line.sendall(request(path="/api/providers"))
            late = stack.enter_context(connected(service))
            service.process.terminate()
            service.until(lambda: "Handling signal: term" in service.out)
            os.kill(worker, signal.SIGCONT)
            late.sendall(request(path="/api/providers"))
            for line in [*lines, late]:
                ((status, headers, _),) = answers(line)
                assert (status, headers["Connection"]) == (200, "close")
            with pytest.raises(ConnectionRefusedError):
                connected(service)


class TestSlowClients:
    @pytest.mark.parametrize(
        "sent",
        [
            request("POST", "/api/execute", b"{}" * 50)[:-1],
            request("POST", "/api/execute", b"{}")[:-2],
            CHUNKED + b"10\r\n{",
            b"GET /api/providers HTTP/1.1\r\nHost: loc",
        ],
        ids=["the last byte", "no byte of a body", "a chunk cut short", "headers cut short"],
    )
    def test_what_does_not_arrive_ends_in_400(self, service, sent):
        started = time.monotonic()
        with connected(service) as line:
            line.sendall(sent)
            (answer,) = answers(line)
            assert PATIENCE - 0.5 < time.monotonic() - started < 30 + PATIENCE
        is_problem(answer, 400, "request_timeout")

    def test_a_trickle_ends_in_400_however_steady(self, service):
        with connected(service) as line:
            line.sendall(request("POST", "/api/execute", b"x" * 1000)[:-1000])
            started = time.monotonic()
            line.settimeout(0.25)
            first = b""
            while not first:
                assert time.monotonic() - started < 20 * PATIENCE
                line.sendall(b" ")
                with contextlib.suppress(TimeoutError):
                    first = line.recv(12)
            assert first == b"HTTP/1.1 400"

    def test_an_upload_that_moves_may_take_longer(self, service):
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nn\r\n'
        body = head + b"1234567\r\n" * 3000 + b"--b--\r\n"
        with connected(service) as line:
            kind = "multipart/form-data; boundary=b"
            line.sendall(
                request("POST", "/api/files/profile", Content_Type=kind, Content_Length=len(body), Connection="close")
            )
            started = time.monotonic()
            for at in range(0, len(body), 500):
                line.sendall(body[at : at + 500])
                time.sleep(0.1)
            assert time.monotonic() - started > 1.5 * PATIENCE
            ((status, _, profile),) = answers(line)
        assert (status, profile["row_count"]) == (200, 3000)

    @pytest.mark.parametrize(
        "sent",
        [request("POST", "/api/execute", b"{}")[:-1], b"POST /api/execute HT", b"\r", CHUNKED + b"10\r\n{"],
        ids=["a body", "a first line", "a byte", "a chunked body"],
    )
    def test_ten_times_more_of_them_than_threads_hold_up_nobody(self, patient_service, sent):
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(connected(patient_service)) for _ in range(10 * THREADS)]
            for line in lines:
                line.sendall(sent)
            assert patient_service.execute("demo", "SELECT 1") == (200, [[1]])
            assert min(seconds_for(patient_service) for _ in range(5)) < 1
            assert not select.select(lines, [], [], 0)[0], "all of them still wait"

    def test_each_of_ten_times_more_than_threads_gets_an_answer(self, service):
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(connected(service)) for _ in range(10 * THREADS)]
            for line in lines:
                line.sendall(request("POST", "/api/execute", b"{}")[:-1])
            codes = [body["code"] for line in lines for _, _, body in answers(line)]
        assert len(codes) == len(lines)
        assert set(codes) <= {"request_timeout", "busy"}

    def test_headers_that_come_byte_by_byte_hold_up_nobody(self, patient_service):
        """Each client sends on, so that none is ever idle."""
        sent = request("POST", "/api/execute", b'{"connection_id": "demo", "sql": "SELECT 2"}', Connection="close")
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(connected(patient_service)) for _ in range(10 * THREADS)]
            for at in range(40):
                for line in lines:
                    line.sendall(sent[at : at + 1])
            assert patient_service.execute("demo", "SELECT 1") == (200, [[1]])
            assert not select.select(lines, [], [], 0)[0], "all of them still wait"
            for line in lines:
                line.sendall(sent[40:])
            assert {
                (status, body["results"]["rows"][0][0]) for line in lines for status, _, body in answers(line)
            } == {(200, 2)}

    def test_clients_that_reset_their_line_leave_threads_and_connections_as_they_were(self, service):
        body = b'{"connection_id": "demo", "sql": "SELECT 3"}'
        for cut in (1, 30, len(request("POST", "/api/execute", body)) - 1, None):
            for _ in range(3 * THREADS):
                with connected(service) as line:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    line.sendall(request("POST", "/api/execute", body)[:cut])
        with concurrent.futures.ThreadPoolExecutor(2 * THREADS) as pool:
            ends = pool.map(lambda number: service.execute("demo", f"SELECT {number}"), range(4 * THREADS))
            assert list(ends) == [(200, [[number]]) for number in range(4 * THREADS)]

    def test_a_client_that_takes_nothing_of_its_answer_loses_it(self, service):
        sql = (
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 10000) "
            "SELECT n, hex(zeroblob(500)) FROM t"
        )
        body = json.dumps({"connection_id": "demo", "sql": sql, "max_rows": 10_000}).encode()
        with contextlib.ExitStack() as stack:
            before = service.out.count('"path":"/api/execute","status":200')
            for _ in range(THREADS):
                line = stack.enter_context(socket.socket())
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                line.connect(("127.0.0.1", service.port))
                line.sendall(request("POST", "/api/execute", body))
            service.until(lambda: service.out.count('"path":"/api/execute","status":200') >= before + THREADS)
            service.until(lambda: service.call("GET", "/api/providers")[0] == 200)


class TestBrokenRequests:
    @pytest.mark.parametrize(
        ("sent", "status", "code"),
        [
            (b"nonsense\r\n\r\n", 400, "bad_request"),
            (b"GET /health HTTP/9.9\r\n\r\n", 400, "bad_request"),
            (b"GET /health HTTP/1.1\r\nHost localhost\r\n\r\n", 400, "bad_request"),
            (b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400, "bad_request"),
            (request(path="/" + "x" * 5000), 400, "uri_too_long"),
            (request(X_Large="x" * 20_000), 400, "headers_too_large"),
            (request(**{f"X_{n}": n for n in range(200)}), 400, "headers_too_large"),
            (request("POST", Transfer_Encoding="miracles"), 400, "not_implemented"),
            (request("POST", "/api/execute", b"{}", Expect="miracles"), 400, "expectation_failed"),
            (CHUNKED + b"nonsense\r\n", 400, "bad_request"),
            (CHUNKED + b"2\r\n{}nonsense\r\n", 400, "bad_request"),
        ],
        ids=str,
    )
    def test_they_get_a_problem_and_leave_a_line(self, service, sent, status, code):
        with connected(service) as line:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            (answer,) = answers(line)
        is_problem(answer, status, code)
        service.until(lambda: answer[2]["request_id"] in service.out)

    def test_a_body_that_nobody_read_and_that_is_malformed_gets_no_second_answer(self, service):
        with connected(service) as line:
            line.sendall(CHUNKED.replace(b"/api/execute", b"/nowhere") + b"nonsense\r\n\r\n")
            (answer,) = answers(line)
        is_problem(answer, 404, "not_found")


class TestProtocol:
    def test_requests_on_one_connection_are_answered_in_their_order(self, service):
        statement = json.dumps({"connection_id": "demo", "sql": "SELECT 1 AS one"}).encode()
        sent = [
            request(),
            request("POST", "/api/execute", statement),
            request(),
            request(path="/api/providers"),
            request(path="/health?", Connection="close"),
        ]
        for parts in ([b"".join(sent)], sent):
            with connected(service) as line:
                for part in parts:
                    line.sendall(part)
                    time.sleep(0.1)
                bodies = [sorted(body) for _, _, body in answers(line)]
            assert bodies == [["status"], ["results"], ["status"], ["configured", "default", "providers"], ["status"]]

    def test_health_with_a_token_that_is_invalid_is_refused_as_everywhere(self, service):
        with connected(service) as line:
            line.sendall(request(Authorization="Bearer x", Connection="close"))
            (answer,) = answers(line)
        is_problem(answer, 401, "unauthorized")

    def test_health_in_pieces_and_its_head(self, service):
        with connected(service) as line:
            for byte in request("HEAD", Connection="close"):
                line.sendall(bytes([byte]))
                time.sleep(0.01)
            with line.makefile("rb") as stream:
                assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
                assert http.client.parse_headers(stream)["Connection"] == "close"
                assert stream.read() == b""

    def test_a_stop_waits_for_no_client_that_says_nothing(self, tmp_path):
        with Service(tmp_path, WEB_CONCURRENCY="1", SQLCHAT_CLIENT_TIMEOUT="60") as service, connected(service):
            time.sleep(0.5)
            started = time.monotonic()
            assert service.stop() == 0
            assert time.monotonic() - started < 45

    def test_over_tls(self, tmp_path):
        authority = Authority()
        certificate, key = authority.files(tmp_path, "localhost")
        given = {"GUNICORN_CMD_ARGS": f"--certfile {certificate} --keyfile {key}", "WEB_CONCURRENCY": "1"}
        service = Service(tmp_path / "data", **given)
        context = ssl.create_default_context(cadata=authority.pem)
        service.serves = lambda _: _health_over(context, service)  # else it would ask in plain HTTP
        with service:
            line = http.client.HTTPSConnection("localhost", service.port, timeout=150, context=context)
            for _ in range(3):
                line.request("GET", "/health")
                assert line.getresponse().read() == HEALTHY
                line.request(
                    "POST",
                    "/api/execute",
                    json.dumps({"connection_id": "demo", "sql": "SELECT 1"}),
                    {"Content-Type": "application/json"},
                )
                assert json.load(line.getresponse())["results"]["rows"] == [[1]]
            line.close()


def _health_over(context, service):
    line = http.client.HTTPSConnection("localhost", service.port, timeout=20, context=context)
    with contextlib.closing(line), contextlib.suppress(OSError):
        line.request("GET", "/health")
        return line.getresponse().status == 200
    return False
