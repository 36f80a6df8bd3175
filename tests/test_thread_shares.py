"""One signed-in caller's slow requests leave threads for the others, whatever makes them slow."""

import concurrent.futures
import contextlib
import json
import socket
import time
import uuid

import jwt
import pytest
from deployed import Service

SECRET = "only for the tests of thread shares, and nowhere else"
THREADS = 8
SHARE = 6
MEMORY = {"provider": "sqlite", "name": "mine", "config": {"database": ":memory:"}}
LARGE = (
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 10000) "
    "SELECT n, hex(zeroblob(400)) AS text FROM t"
)


def make_token():
    now = int(time.time())
    claims = {
        "sub": str(uuid.uuid4()),
        "aud": "authenticated",
        "role": "authenticated",
        "iat": now,
        "exp": now + 3600,
    }
    return jwt.encode(claims, SECRET, "HS256")


@pytest.fixture(scope="module")
def silent_model():
    """The base URL of a model that takes every request and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=500) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@pytest.fixture(scope="module")
def service(tmp_path_factory, silent_model):
    given = {
        "WEB_CONCURRENCY": "1",
        "SUPABASE_JWT_SECRET": SECRET,
        "SQLCHAT_THREADS": str(THREADS),
        "SQLCHAT_CLIENT_TIMEOUT": "90",
        "SQLCHAT_QUEUE_TIMEOUT": "60",
        "SQLCHAT_MODEL_TIMEOUT": "20",
        "OPENAI_API_KEY": "a-key",
        "OPENAI_BASE_URL": silent_model,
    }
    with Service(tmp_path_factory.mktemp("shares"), is_bound=True, **given) as service:
        yield service


@pytest.fixture
def ann(service):
    return sign_in(service)


@pytest.fixture
def bob(service):
    return sign_in(service)


def sign_in(service):
    token = make_token()
    assert service.call("POST", "/api/connections", MEMORY, token)[0] == 201
    return token


def is_served(service, token):
    body = {"connection_id": "mine", "sql": "SELECT 1"}
    status, answer, _ = service.call("POST", "/api/execute", body, token, timeout=45)
    assert service.call("GET", "/health", timeout=45)[0] == 200
    return status == 200 and answer["results"]["rows"] == [[1]]


def test_two_hundred_slow_questions_of_one_caller_leave_threads_for_another(service, ann, bob):
    question = {"connection_id": "mine", "prompt": "How many are there?", "provider": "openai"}
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        asked = [pool.submit(service.call, "POST", "/api/chat", question, ann) for _ in range(200)]
        service.until(lambda: sum(each.done() for each in asked) >= 200 - SHARE)
        assert is_served(service, bob)
        assert not all(each.done() for each in asked)
        ends = [each.result() for each in asked]
    refused = [body for status, body, _ in ends if status == 503]
    assert {body["code"] for body in refused} == {"busy"}
    assert len(refused) >= 200 - 2 * SHARE
    assert is_served(service, ann)


def test_answers_that_one_caller_never_reads_leave_threads_for_another(service, ann, bob):
    body = json.dumps({"connection_id": "mine", "sql": LARGE, "max_rows": 10_000}).encode()
    lines = [
        "POST /api/execute HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Authorization: Bearer {ann}",
    ]
    asked = "\r\n".join([*lines, "", ""]).encode() + body
    known = service.out.count('"path":"/api/execute"')
    with contextlib.ExitStack() as stack:
        for _ in range(2 * THREADS):
            line = stack.enter_context(socket.socket())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", service.port))
            line.sendall(asked)
        service.until(lambda: service.out.count('"path":"/api/execute"') >= known + 2 * THREADS)
        assert is_served(service, bob)
    service.until(lambda: is_served(service, ann))


def test_bodies_that_one_caller_never_ends_leave_threads_for_another(service, ann, bob):
    head = (
        "POST /api/files/profile HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: 10000000\r\nAuthorization: Bearer {ann}\r\n\r\n--b\r\n"
    )
    with contextlib.ExitStack() as stack:
        for _ in range(4 * THREADS):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            line.sendall(head.encode())
        assert is_served(service, bob)
