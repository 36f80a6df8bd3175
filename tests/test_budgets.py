"""What a caller may spend and take in the deployed service: model calls of a day, threads, pools."""

import contextlib
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import jwt
import pytest
from a_model import AModel
from deployed import Service, a_database, flask
from pytest_httpserver import HTTPServer

SECRET = "s" * 40
LIMIT, EACH = 250, 120  # tokens
PRICE = 1000.0  # dollars a million tokens
THREADS = 8


class Caller:
    """Somebody of whom the service has not heard, with a connection to ask."""

    def __init__(self, service):
        self._service, now = service, int(time.time())
        claims = {"sub": str(uuid.uuid4()), "email": "ann@example.com", "aud": "authenticated", "iat": now}
        self.token = jwt.encode(claims | {"role": "authenticated", "exp": now + 3600}, SECRET, "HS256")
        body = {"provider": "sqlite", "name": "shop", "config": {"database": "shop.sqlite"}}
        assert self.call("POST", "/api/connections", body)[0] == 201

    def call(self, method, path, body=None):
        return self._service.call(method, path, body, self.token)

    def ask(self, **more):
        return self.call("POST", "/api/chat", {"connection_id": "shop", "prompt": "What is in t?"} | more)

    def ask_at_once(self, count):
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: self.ask(), range(count)))


@pytest.fixture(scope="module")
def model():
    with HTTPServer(threaded=True) as server:
        yield AModel(server, sql="SELECT n FROM t", tokens=(EACH - 20, 20))


def start(folder, model, **given):
    a_database(folder / "shop.sqlite")
    given = {"SUPABASE_JWT_SECRET": SECRET, "SQLCHAT_THREADS": str(THREADS), **given}
    return Service(folder, **given, **model.settings)


@pytest.fixture(scope="module")
def service(tmp_path_factory, model):
    with start(tmp_path_factory.mktemp("budgets"), model, SQLCHAT_DAILY_TOKENS=str(LIMIT)) as service:
        yield service


@pytest.fixture
def spent(service):
    """A caller whose day is spent."""
    caller = Caller(service)
    for _ in range(3):
        assert caller.ask()[0] == 200
    return caller


def until_midnight():
    now = datetime.now(UTC)
    return 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)


@pytest.fixture(autouse=True)
def one_day():
    """No test begins so late in a day that the next one may come before its end."""
    if until_midnight() < 150:
        time.sleep(until_midnight() + 1)


def test_a_day_that_is_spent_is_429_with_the_numbers_and_others_are_answered(service, spent, model):
    asked = model.calls
    status, problem, headers = spent.ask()
    assert (status, problem["code"]) == (429, "budget_spent")
    assert problem["budget"]["tokens"] == {"limit": LIMIT, "used": 3 * EACH}
    assert problem["budget"]["resets_at"].endswith("T00:00:00Z")
    assert int(headers["Retry-After"]) == pytest.approx(until_midnight(), abs=150)
    assert model.calls == asked
    assert Caller(service).ask()[0] == 200


def test_what_asks_no_model_costs_nothing(spent):
    assert spent.ask(provider="offline", prompt="How many t are there?")[0] in (200, 422)
    assert spent.call("POST", "/api/execute", {"connection_id": "shop", "sql": "SELECT n FROM t"})[0] == 200


def test_a_stream_is_refused_alike(service, spent):
    import urllib.error
    import urllib.request

    body = json.dumps({"connection_id": "shop", "prompt": "What is in t?"}).encode()
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    headers["Authorization"] = f"Bearer {spent.token}"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(service.url + "/api/chat", body, headers), timeout=150)
    with caught.value as error:
        assert (error.code, json.loads(error.read())["code"]) == (429, "budget_spent")


def test_an_assistant_is_told_too(spent):
    params = {"name": "ask", "arguments": {"connection": "shop", "question": "What is in t?"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    status, reply, _ = spent.call("POST", "/mcp", message)
    assert status == 200
    assert reply["result"]["isError"]
    told = reply["result"]["structuredContent"]
    assert (told["code"], told["budget"]["tokens"]["used"]) == ("budget_spent", 3 * EACH)


def test_questions_at_once_pass_the_limit_by_one_a_process_at_most(service, model):
    caller, asked = Caller(service), model.calls
    model.pause = lambda: time.sleep(0.3)
    try:
        answers = caller.ask_at_once(THREADS - 2)
    finally:
        model.pause = None
    assert {status for status, _, _ in answers} == {200, 429}
    taken = (model.calls - asked) * EACH
    assert LIMIT <= taken < LIMIT + EACH * service.count
    status, problem, _ = caller.ask()
    assert (status, problem["budget"]["tokens"]["used"]) == (429, taken)


def test_far_from_the_limit_questions_do_not_wait_for_one_another(tmp_path, model):
    with start(tmp_path, model, SQLCHAT_DAILY_TOKENS="10000000", WEB_CONCURRENCY="1") as service:
        caller = Caller(service)
        assert caller.ask()[0] == 200
        together = threading.Barrier(4)

        def wait_for_the_others():
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(60)

        model.pause = wait_for_the_others
        try:
            assert [status for status, _, _ in caller.ask_at_once(4)] == [200] * 4
        finally:
            model.pause = None
        assert not together.broken


def test_a_cost_is_a_limit_and_a_model_without_a_price_has_the_highest(tmp_path, model):
    given = {"SQLCHAT_DAILY_COST": "0.3", "SQLCHAT_MODEL_PRICES": f"other=1/1, another={PRICE}/{PRICE}"}
    with start(tmp_path, model, WEB_CONCURRENCY="1", **given) as service:
        caller = Caller(service)
        assert [caller.ask()[0] for _ in range(4)] == [200, 200, 200, 429]
        problem = caller.ask()[1]
        assert problem["budget"]["cost_usd"] == {"limit": 0.3, "used": pytest.approx(3 * EACH * PRICE / 1e6)}
        assert "tokens" not in problem["budget"]


def test_one_caller_leaves_threads_to_the_others(tmp_path, model):
    with start(tmp_path, model, WEB_CONCURRENCY="1") as service:
        greedy, other = Caller(service), Caller(service)
        before = model.calls
        with ThreadPoolExecutor(THREADS) as pool, model.holding() as go:
            asked = [pool.submit(greedy.ask) for _ in range(THREADS)]
            service.until(lambda: sum(each.done() for each in asked) == 2)
            service.until(lambda: model.calls - before == THREADS * 3 // 4)
            assert other.call("GET", "/api/connections")[0] == 200
            assert sum(each.done() for each in asked) == 2
            go.set()
            told = [(status, body.get("code")) for status, body, _ in (each.result(150) for each in asked)]
        assert sorted(told, key=str) == sorted([(200, None)] * (THREADS * 3 // 4) + [(503, "busy")] * 2, key=str)
        assert [status for status, _, _ in greedy.ask_at_once(THREADS * 3 // 4)] == [200] * (THREADS * 3 // 4)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SQLCHAT_DAILY_TOKENS": "5", "SQLCHAT_HISTORY_DAYS": "0"}, "SQLCHAT_HISTORY_DAYS"),
        ({"SQLCHAT_DAILY_COST": "5"}, "SQLCHAT_MODEL_PRICES"),
        ({"SQLCHAT_DAILY_COST": "-5"}, "SQLCHAT_DAILY_COST"),
    ],
)
def test_a_limit_that_cannot_be_held_ends_the_start(tmp_path, given, named):
    done = flask("flask --app wsgi db upgrade", SQLCHAT_DATA_DIR=str(tmp_path), **given)
    assert done.returncode == 1
    assert f"\n  {named}: " in done.stderr
