"""Uploads as they arrive at a real gunicorn: memory, limits on the way, clients that go away, a disk that is full."""

import json
import os
import re
import resource
import signal
import socket
from pathlib import Path

import pytest
from deployed import Service

LIMIT_MB = 80
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\nContent-Type: text/csv\r\n\r\n'
TAIL = b"\r\n--b--\r\n"
LINES = b"12345,some text that is much the same,2024-01-31\n" * 20_000  # about 1 MB


@pytest.fixture(scope="module")
def arriving(tmp_path_factory):
    """The folder that uploads are spooled to."""
    return tmp_path_factory.mktemp("arriving")


@pytest.fixture(scope="module")
def service(tmp_path_factory, arriving):
    data_dir = tmp_path_factory.mktemp("uploads") / "data"
    given = {
        "TMPDIR": str(arriving),
        "SQLCHAT_MAX_UPLOAD_MB": str(LIMIT_MB),
        "SQLCHAT_THREADS": "4",
        "SQLCHAT_UPLOAD_TIMEOUT": "600",
    }
    with Service(data_dir, **given) as running:
        yield running


@pytest.fixture
def connection(service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=150) as made:
        yield made


def csv(megabytes):
    """A file of about that many, a piece at a time."""
    yield b"id,text,day\n"
    for _ in range(megabytes):
        yield LINES


def start(connection, length=None, path="/api/files/profile", kind="multipart/form-data; boundary=b"):
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{size}\r\n\r\n".encode())


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def answered(connection, seconds=150):
    """Status and body of the answer that comes."""
    connection.settimeout(seconds)
    received = b""
    while True:
        head, found, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if found and length and len(body) >= int(length[1]):
            return int(head.split()[1]), json.loads(body)
        piece = connection.recv(1 << 16)
        assert piece, received
        received += piece


def send(connection, pieces):
    """Send as much as the server takes: it may answer, and close, before it has it all."""
    sent = 0
    try:
        for piece in pieces:
            connection.sendall(piece)
            sent += len(piece)
    except OSError:
        pass
    return sent


def whole(name, pieces):
    return [HEAD % name, *pieces, TAIL]


def peak(pid):
    """The most memory a process has had, in MiB."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) >> 10


def threads(pid):
    return int(re.search(r"Threads:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def is_clean(arriving):
    return not [path for path in arriving.iterdir() if path.name.startswith("sqlchat-upload-")]


@pytest.mark.parametrize("chunked", [False, True], ids=["Content-Length", "chunked"])
def test_a_large_file_never_stands_in_the_web_worker_s_memory(service, connection, arriving, chunked):
    body = whole(b"large.csv", csv(64))
    before = {pid: peak(pid) for pid in service.workers()}
    start(connection, None if chunked else sum(map(len, body)))
    send(connection, [*map(chunk, body), b"0\r\n\r\n"] if chunked else body)
    status, profile = answered(connection)
    assert (status, profile["row_count"]) == (200, 64 * 20_000)
    for pid, most in before.items():
        assert peak(pid) - most < 32, "MiB"
    service.until(lambda: is_clean(arriving))


def test_an_announced_size_above_the_limit_is_refused_before_it_is_sent(service, connection, arriving):
    start(connection, (LIMIT_MB << 20) + 1)
    status, problem = answered(connection)
    assert (status, problem["code"]) == (413, "request_entity_too_large")
    service.until(lambda: is_clean(arriving))


def test_a_size_that_is_not_announced_is_refused_on_the_way(service, connection, arriving):
    start(connection)
    sent = send(connection, map(chunk, whole(b"endless.csv", csv(4 * LIMIT_MB))))
    assert sent < (2 * LIMIT_MB) << 20
    service.until(lambda: is_clean(arriving))
    assert service.call("GET", "/health")[0] == 200


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ([b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n', b"x" * (2 << 20), TAIL], None),
        ([b'--b\r\nContent-Disposition: form-data; name="t"\r\n\r\n1\r\n' * 10_000, b"--b--\r\n"], None),
        ([(HEAD % b"a.csv") + b"a\n1\n\r\n"] * 10_000 + [b"--b--\r\n"], None),
        ([b"file=", b"x" * (2 << 20)], "application/x-www-form-urlencoded"),
        ([b"x" * (2 << 20)], "application/json"),
    ],
    ids=["a large part that is no file", "10,000 parts", "10,000 files", "another form", "JSON"],
)
def test_a_form_of_another_shape_is_refused(service, connection, arriving, parts, kind):
    start(connection, sum(map(len, parts)), kind=kind or "multipart/form-data; boundary=b")
    connection.settimeout(150)
    send(connection, parts)
    status, problem = answered(connection)
    assert (status, problem["status"]) == (413, 413)
    service.until(lambda: is_clean(arriving))


def test_of_several_files_the_one_that_is_asked_for_is_read(service, connection, arriving):
    other = HEAD.replace(b'"file"', b'"other"') % b"b.csv"
    body = [other + b"b\n1\n2\n\r\n", (HEAD % b"a.csv") + b"a\n1\n", TAIL]
    start(connection, sum(map(len, body)))
    send(connection, body)
    status, answer = answered(connection)
    assert (status, [column["name"] for column in answer["columns"]], answer["row_count"]) == (200, ["a"], 1)
    service.until(lambda: is_clean(arriving))


@pytest.mark.parametrize("chunked", [False, True], ids=["Content-Length", "chunked"])
def test_a_client_that_goes_away_leaves_nothing(service, arriving, chunked):
    before = {pid: threads(pid) for pid in service.workers()}
    for _ in range(8):  # twice as many as there are threads
        with socket.create_connection(("127.0.0.1", service.port), timeout=150) as made:
            start(made, None if chunked else 40 << 20)
            pieces = whole(b"broken.csv", csv(3))[:-1]
            send(made, map(chunk, pieces) if chunked else pieces)
            service.until(lambda: not is_clean(arriving))
            if chunked:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not a close
    service.until(lambda: is_clean(arriving))
    assert service.call("GET", "/health")[0] == 200
    service.until(lambda: all(threads(pid) <= count + 4 for pid, count in before.items()))


def test_a_worker_that_is_killed_leaves_nothing(service, arriving):
    workers = service.workers()
    with socket.create_connection(("127.0.0.1", service.port), timeout=150) as made:
        start(made, 40 << 20)
        send(made, whole(b"broken.csv", csv(3))[:-1])
        service.until(lambda: not is_clean(arriving))
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        service.until(lambda: is_clean(arriving))
    service.until(lambda: len(service.workers()) == len(workers) and not set(service.workers()) & set(workers))
    service.until(service.is_whole)


def test_a_disk_that_is_full_is_told_and_left_as_it_was(service, arriving):
    for pid in service.workers():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (2 << 20, resource.RLIM_INFINITY))
    try:
        for path in ("/api/files/profile", "/api/files/upload"):
            with socket.create_connection(("127.0.0.1", service.port), timeout=150) as connection:
                body = whole(b"full.csv", csv(5))
                start(connection, sum(map(len, body)), path)
                send(connection, body)
                status, problem = answered(connection)
                assert (status, problem["code"]) == (503, "unavailable")
                assert problem["detail"].startswith("There is no room")
            service.until(lambda: is_clean(arriving))
    finally:
        for pid in service.workers():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with socket.create_connection(("127.0.0.1", service.port), timeout=150) as connection:
        body = whole(b"full.csv", csv(5))
        start(connection, sum(map(len, body)), "/api/files/upload")
        send(connection, body)
        assert answered(connection)[0] == 201
