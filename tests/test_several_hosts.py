"""The service on two hosts: one store in Postgres, one Supabase Storage, a proxy that takes turns."""

import concurrent.futures
import contextlib
import http.client
import itertools
import json
import signal
import threading
import time
import urllib.error
import urllib.request
import uuid

import jwt
import pytest
from balancer import Balancer
from deployed import Service, flask, send_signal
from supabase_storage_kept import Bucket, own_folder
from supabase_storage_server import SERVICE_KEY, SupabaseStorageServer

SIGNING = "only for these tests, and nowhere else in use"
CSV = "city,visits\nOslo,3\nRome,4\n"


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    server = SupabaseStorageServer(tmp_path_factory.mktemp("storage"), SIGNING)
    server.buckets = {"uploads": Bucket(policy=own_folder)}
    yield server
    server.close()


@pytest.fixture(scope="module")
def given(storage, postgres_server):
    """What both hosts are configured with; only their folders differ."""
    store = postgres_server.fresh()
    url = "postgresql://{user}:{password}@{host}:{port}/{database}".format(**store)
    given = {
        "DATABASE_URL": url,
        "SQLCHAT_SECRET_KEY": "a-word-for-tests-on-both-hosts-and-nowhere-else",
        "SUPABASE_URL": storage.url,
        "SUPABASE_JWT_SECRET": SIGNING,
        "SUPABASE_SERVICE_ROLE_KEY": SERVICE_KEY,
        "SQLCHAT_PRIVATE_HOSTS": "true",
    }
    assert flask("flask --app wsgi db upgrade", **given).returncode == 0
    yield given
    postgres_server.drop(store)


@contextlib.contextmanager
def two_hosts(folder, given):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Service(folder / name, is_bound=True, **given)) for name in ("one", "other")]


@pytest.fixture(scope="module")
def hosts(given, tmp_path_factory):
    with two_hosts(tmp_path_factory.mktemp("hosts"), given) as hosts:
        yield hosts


@pytest.fixture
def token(storage):
    now = int(time.time())
    claims = {
        "sub": str(uuid.uuid4()),
        "aud": "authenticated",
        "role": "authenticated",
        "iat": now,
        "exp": now + 7200,
    }
    return jwt.encode(claims | {"iss": f"{storage.url}/auth/v1"}, SIGNING, "HS256")


def call(host, token, method, path, body=None):
    """Status and decoded body."""
    status, answer, _ = host.call(method, path, body, token)
    return status, answer


def execute(host, token, sql, name="shop"):
    status, body = call(host, token, "POST", "/api/execute", {"connection_id": name, "sql": sql})
    return status, body["results"]["rows"] if status == 200 else body["code"]


def upload(host, token, name, content):
    edge = "edge-of-the-form"
    part = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv'
    form = f"--{edge}\r\n{part}\r\n\r\n{content}\r\n--{edge}--\r\n".encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": f"multipart/form-data; boundary={edge}"}
    request = urllib.request.Request(f"{host.url}/api/files/upload", form, headers)
    with urllib.request.urlopen(request, timeout=150) as answer:
        return json.loads(answer.read())


def connect(host, token, config, name="shop"):
    body = {"provider": "postgres", "name": name, "config": config}
    status, answer = call(host, token, "POST", "/api/connections", body)
    assert status == 201, answer


def test_what_one_host_was_told_the_other_knows_at_once(hosts, token, postgres_database, postgres_server):
    one, other = hosts
    database = postgres_database["database"]
    postgres_server.execute("CREATE TABLE orders (id int, secret text)", database)
    postgres_server.execute("INSERT INTO orders VALUES (1, 'a'), (2, 'b')", database)
    postgres_server.execute("GRANT ALL ON orders TO PUBLIC", database)
    connect(one, token, postgres_database)
    assert execute(other, token, "SELECT count(secret) FROM orders") == (200, [[2]])

    denied = {"policy": {"deny_columns": ["orders.secret"]}}
    assert call(one, token, "PATCH", "/api/connections/shop", denied)[0] == 200
    assert execute(other, token, "SELECT secret FROM orders") == (400, "sql_refused")

    assert call(other, token, "PUT", "/api/connections/shop/context", {"notes": "One row an order."})[0] == 200
    assert call(one, token, "GET", "/api/connections/shop/context")[1]["notes"] == "One row an order."
    example = {"question": "How many orders were there?", "sql": "SELECT count(*) FROM orders"}
    kept = call(one, token, "POST", "/api/connections/shop/examples", example)[1]
    asked = {"connection_id": "shop", "prompt": example["question"], "provider": "offline"}
    status, answer = call(other, token, "POST", "/api/chat", asked)
    assert (status, answer["examples_used"]) == (200, [kept["id"]])

    postgres_server.execute("ALTER TABLE orders ADD note text", database)
    assert call(one, token, "POST", "/api/connections/shop/refresh")[0] == 200
    (table,) = call(other, token, "GET", "/api/connections/shop/schema")[1]["tables"]
    assert [column["name"] for column in table["columns"]] == ["id", "note"]

    def read_history():
        """What each host says; what the other one answered may be a moment late on a busy machine."""
        return [call(host, token, "GET", "/api/history")[1]["history"] for host in hosts]

    one.until(lambda: all(len(each) >= 3 for each in read_history()))
    entries = read_history()
    assert entries[0] == entries[1]
    assert [entry["outcome"] for entry in entries[0]] == ["ok", "sql_refused", "ok"]
    again = f"/api/history/{entries[0][0]['id']}/result"
    assert call(one, token, "GET", again)[1]["results"]["rows"] == [[2]]

    assert call(one, token, "DELETE", "/api/connections/shop")[0] == 200
    assert execute(other, token, "SELECT 1") == (404, "connection_not_found")


def test_a_file_that_one_host_took_is_asked_at_the_other(hosts, token):
    one, other = hosts
    path = upload(one, token, "visits.csv", CSV)["storage_path"]
    (listed,) = call(other, token, "GET", "/api/files")[1]["files"]
    assert listed["storage_path"] == path
    body = {"provider": "files", "name": "visits", "config": {"files": [{"path": path}]}}
    assert call(other, token, "POST", "/api/connections", body)[0] == 201
    for host in hosts:
        assert execute(host, token, "SELECT sum(visits) FROM visits", "visits") == (200, [[7]])
    assert call(one, token, "DELETE", f"/api/files/{path}")[0] == 200
    assert call(other, token, "GET", "/api/files")[1]["files"] == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_host_that_ends_under_load_loses_no_answered_request(given, tmp_path, token, postgres_database, ending):
    """What is answered is kept. At SIGKILL the history of the last moment may miss; nothing else."""
    with two_hosts(tmp_path, given) as (one, other):
        connect(one, token, postgres_database)
        end_under_load(one, other, token, ending)


def read_history(host, token):
    """The SQL of all its entries."""
    entries, after = set(), ""
    while after is not None:
        page = call(host, token, "GET", f"/api/history?limit=200{after and f'&before={after}'}")[1]
        entries |= {entry["sql"] for entry in page["history"]}
        after = page["next"]
    return entries


def end_under_load(one, other, token, ending):
    balancer = Balancer([one.port, other.port])
    url = f"http://127.0.0.1:{balancer.port}"
    numbers, answered, unanswered, over = itertools.count(), {}, [], threading.Event()

    def load():
        while not over.is_set():
            number = next(numbers)
            body = {"question": f"Which number is {number}?", "sql": f"SELECT {number} AS n"}
            if number % 4:
                body, path = {"connection_id": "shop", "sql": body["sql"]}, "/api/execute"
            else:
                path = "/api/connections/shop/examples"
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
            try:
                asked = time.monotonic()
                with urllib.request.urlopen(request, timeout=150) as answer:
                    answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    problem = json.load(error)
                if problem["code"] != "busy":  # as it may be on a machine that is: come again
                    unanswered.append((error.code, problem))
            except (OSError, http.client.HTTPException) as error:
                unanswered.append(error)
            else:
                answered[number] = asked

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [pool.submit(load) for _ in range(4)]
        try:
            one.until(lambda: len(answered) > 30)
            sure = {number for number in list(answered) if number % 4}
            one.until(lambda: {f"SELECT {number} AS n" for number in sure} <= read_history(other, token))
            for pid in [one.process.pid] if ending == signal.SIGTERM else one.processes():
                send_signal(pid, ending)
            one.process.wait(150)
            ended = time.monotonic()
            other.until(lambda: sum(asked > ended for asked in list(answered.values())) > 30)
        finally:
            over.set()
            assert not [each for each in running if each.exception(150)]
            balancer.close()
    # What was on its way to a host that was killed got no answer: a client sends it again. No answer tells a fault.
    assert not [each for each in unanswered if isinstance(each, tuple)]
    if ending == signal.SIGTERM:  # the kernel may queue one more while the listener closes
        assert len(unanswered) <= 2
    kept = {each["sql"] for each in call(other, token, "GET", "/api/connections/shop/examples")[1]["examples"]}
    assert {f"SELECT {number} AS n" for number in answered if not number % 4} <= kept
    entries = read_history(other, token)
    for number, asked in answered.items():
        if number % 4 and (ending == signal.SIGTERM or number in sure or asked > ended):
            assert f"SELECT {number} AS n" in entries
