"""A person at the page: asks, follows up, uploads, connects, signs in."""

import csv
import json
import shutil
import subprocess
import time
import uuid

import jwt
import pytest
from deployed import Service
from pytest_httpserver import HTTPServer
from selenium.webdriver.common.keys import Keys
from werkzeug import Response

pytestmark = pytest.mark.browser

MONTHS = "Number of orders per month"
SCRIPT = "<script>document.title = 'taken'</script>"
IMAGE = "<img src=x onerror=\"document.title = 'taken'\">"
SECRET = "only for these tests, and nowhere else in use"
TOOLS = {"axe-core": "4.14.1"}


def test_a_question_is_answered_with_chart_rows_sql_and_receipt(browser, service):
    browser.open(service)
    article = browser.ask(MONTHS)
    browser.until(lambda: browser.all(".chart svg path", article))
    assert browser.all(".chart svg .mark-line path", article)
    assert browser.texts("thead th", article) == ["month", "number_of_orders"]
    assert browser.texts("tbody tr:first-child td", article) == ["2023-01", "1"]
    assert "36 rows" in article.text
    assert browser.texts("pre .keyword", article)[0] == "SELECT"
    assert [line.split()[0] for line in browser.one("pre", article).text.splitlines()] == [
        "SELECT",
        "FROM",
        "GROUP",
        "ORDER",
    ]
    assert "Each month without orders is left out." in article.text
    assert "Tokens" not in article.text
    browser.centre(browser.one("summary", article)).click()
    assert "offline, sqlchat-offline-1" in article.text
    browser.shoot("answer")
    browser.look(dark=True)
    browser.shoot("answer-dark")


@pytest.mark.parametrize("width", [360, 390])
def test_it_fits_a_phone(browser, service, width, tmp_path):
    browser.look(width=width, height=844)
    browser.open(service)
    browser.ask(MONTHS)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.shoot(f"answer-on-a-phone-{width}")
    path = tmp_path / f"on-a-phone-{width}.csv"
    path.write_text("day;shop;comment\n" + f"2024-05-01;Harbour;{'a long comment ' * 9}\n" * 5)
    upload(browser, path)
    for name in ("#files", "#databases", "#history"):
        if name != "#files":
            browser.one(f"#open-{name[1:]}").click()
        browser.until(lambda name=name: browser.one(name).is_displayed())
        dialog = browser.one(name)
        assert dialog.get_property("scrollWidth") <= dialog.get_property("clientWidth"), name
        browser.one(f"{name} .close").click()


def test_rows_sort_by_a_column_as_numbers(browser, service):
    browser.open(service)
    article = browser.ask("Number of customers for each country")
    numbers = lambda: [int(text) for text in browser.texts("tbody td.number", article)]  # noqa: E731
    as_they_came = numbers()
    heading = browser.all("thead th", article)[1]
    for direction, expected in [("ascending", sorted(as_they_came)), ("descending", sorted(as_they_came)[::-1])]:
        browser.button("number_of_customers", article).click()
        assert heading.get_attribute("aria-sort") == direction
        assert numbers() == expected
    browser.button("number_of_customers", article).click()
    assert numbers() == as_they_came


def test_example_questions_of_the_demo_and_of_the_verified_ones_are_answered(browser, service):
    example = {"question": "Who are our VIPs?", "sql": "SELECT name FROM customers ORDER BY id LIMIT 3"}
    status, kept, _ = service.call("POST", "/api/connections/demo/examples", example)
    assert status == 201
    try:
        browser.open(service)
        browser.until(lambda: browser.all("#suggestions button"))
        questions = browser.texts("#suggestions button")
        assert questions[0] == "Who are our VIPs?"
        assert len(questions) == 5
        for question in questions:
            browser.button("New conversation").click() if browser.all("article") else None
            browser.button(question, browser.one("#suggestions")).click()
            assert browser.all("table", browser.answered(question)), question
    finally:
        service.call("DELETE", f"/api/connections/demo/examples/{kept['id']}")


def test_a_question_after_an_answer_follows_it_up(browser, service):
    browser.open(service)
    browser.ask("How many customers are there?")
    assert "follow-up" in browser.ask("How many orders are there?").text
    _, page, _ = service.call("GET", "/api/history?limit=2")
    first, second = (entry["conversation_id"] for entry in page["history"])
    assert first == second
    browser.button("New conversation").click()
    assert "follow-up" not in browser.ask("How many products are there?").text


def test_thumbs_tell_what_was_right_and_the_history_shows_it(browser, service):
    browser.open(service)
    article = browser.ask("How many customers are there?")
    good, bad = browser.all("[role=group][aria-label='Was this answer right?'] button", article)
    assert [each.accessible_name for each in (good, bad)] == ["Good answer", "Bad answer"]
    told = lambda: browser.one(".feedback [role=status]", article).text  # noqa: E731
    browser.centre(bad).send_keys(Keys.ENTER)
    browser.until(lambda: told() == "Marked as bad. What would be right?")
    assert (good.get_attribute("aria-pressed"), bad.get_attribute("aria-pressed")) == ("false", "true")
    comment, sql = browser.all(".feedback textarea", article)
    comment.send_keys("<b>Only</b> those of today")
    sql.clear()
    sql.send_keys("SELECT nonsense FROM customers")
    browser.button("Send feedback", article).click()
    browser.until(lambda: "nonsense" in told())
    sql.clear()
    sql.send_keys("SELECT COUNT(*) - 1 FROM customers")
    browser.shoot("feedback")
    browser.button("Send feedback", article).click()
    browser.until(lambda: told() == "Sent.")
    _, page, _ = service.call("GET", "/api/history?limit=1&feedback=bad")
    assert page["history"][0]["feedback"]["corrected_sql"] == "SELECT COUNT(*) - 1 FROM customers"
    browser.button("History").click()
    browser.until(lambda: browser.all("#history-list li"))
    shown = browser.one("#history-list li").text
    assert shown.endswith("found bad: <b>Only</b> those of today: SQL corrected")
    browser.button("Close", browser.one("#history")).click()
    browser.centre(bad).click()
    browser.until(lambda: told() == "Feedback removed.")
    assert not browser.one(".feedback form", article).is_displayed()
    _, page, _ = service.call("GET", "/api/history?limit=1&feedback=any")
    assert page["history"] == []


def test_sql_is_edited_and_run_again(browser, service):
    browser.open(service)
    article = browser.ask("How many customers are there?")
    browser.button("Edit", article).click()
    editor = browser.one("textarea", article)
    editor.clear()
    editor.send_keys("SELECT NULL AS missing, 1 AS many")
    browser.button("Run this SQL", article).click()
    browser.until(lambda: browser.texts("section thead th", article) == ["missing", "many"])
    assert browser.texts("section td.null", article) == ["NULL"]
    editor.clear()
    editor.send_keys("DELETE FROM customers" + Keys.CONTROL + Keys.ENTER)
    browser.until(lambda: browser.all("section .problem", article))
    assert "DELETE" in browser.one("section .problem", article).text


def test_digits_that_a_double_cannot_hold_are_shown(browser, service):
    browser.open(service)
    article = browser.ask("How many customers are there?")
    browser.button("Edit", article).click()
    editor = browser.one("textarea", article)
    editor.clear()
    editor.send_keys("SELECT 9007199254740993 AS big")
    browser.button("Run this SQL", article).click()
    browser.until(lambda: browser.texts("section tbody td", article) == ["9007199254740993"])


def test_rounding_noise_of_floating_numbers_is_a_title(browser, service):
    browser.open(service)
    article = browser.ask("How many customers are there?")
    browser.button("Edit", article).click()
    editor = browser.one("textarea", article)
    editor.clear()
    editor.send_keys("SELECT 0.1 + 0.2 AS noisy, 0.25 AS exact, '0.30000000000000004' AS worded")
    browser.button("Run this SQL", article).click()
    browser.until(lambda: browser.texts("section tbody td", article) == ["0.3", "0.25", "0.30000000000000004"])
    titles = [cell.get_attribute("title") for cell in browser.all("section tbody td", article)]
    assert titles == ["0.30000000000000004", "", ""]


def test_more_rows_than_an_answer_has_are_told(browser, service):
    browser.open(service)
    article = browser.ask("List all order lines")
    assert "First 1,000 of more rows" in article.text
    assert len(browser.all("tbody tr", article)) == 100
    browser.button("Show all 1,000 rows", article).click()
    assert len(browser.all("tbody tr", article)) == 1000


def test_all_rows_are_downloaded_as_a_file(browser, service, tmp_path):
    allowed = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", allowed)
    browser.open(service)
    article = browser.ask("List all order lines")
    browser.button("CSV", article).click()
    browser.until(lambda: "Saved as" in browser.one(".downloads", article).text)
    (file,) = browser.until(lambda: list(tmp_path.glob("demo-*.csv")))
    _, count, _ = service.call(
        "POST", "/api/execute", {"connection_id": "demo", "sql": "SELECT count(*) FROM order_lines"}
    )
    rows = list(csv.reader(file.read_text().splitlines()))
    assert len(rows) == 1 + count["results"]["rows"][0][0]


def test_a_refusal_says_why_and_keeps_the_question_for_editing(browser, service):
    browser.open(service)
    article = browser.ask("Number of purple unicorns")
    assert "could not be turned into SQL" in browser.one(".problem", article).text
    assert browser.one("#question").get_attribute("value") == "Number of purple unicorns"
    assert browser.one("#announcements").get_attribute("textContent")


def test_a_refusal_without_suggestions_offers_questions_of_the_catalog(browser, service):
    browser.open(service)
    article = browser.ask("What colour is happiness?")
    (first, *_) = browser.texts(".problem .chip", article)
    browser.button(first, article).click()
    assert browser.all("table", browser.answered(first))


def test_the_suggestions_of_a_refusal_are_buttons_that_ask(browser, service):
    problem = {"title": "Refused", "detail": "No.", "suggestions": ["How many customers are there?"]}
    browser.open(service)
    with_refusal = """
        const real = window.fetch
        window.fetch = (path, options) => {
          if (path !== "/api/chat") return real(path, options)
          window.fetch = real
          return Promise.resolve(new Response(arguments[0], {status: 422}))
        }"""
    browser.run(with_refusal.replace("arguments[0]", json.dumps(json.dumps(problem))))
    browser.button("How many customers are there?", browser.ask("Something")).click()
    assert browser.all("table", browser.answered("How many customers are there?"))


def test_history_lists_what_was_asked_and_asks_it_again(browser, service):
    browser.open(service)
    browser.ask("How many products are there?")
    browser.button("History").click()
    browser.until(lambda: browser.texts("#history-list button")[:1] == ["How many products are there?"])
    browser.shoot("history")
    browser.one("#history-list button").click()
    browser.until(lambda: len(browser.all("article")) == 2)
    assert browser.all("table", browser.answered("How many products are there?"))


def upload(browser, path):
    browser.button("Add a file").click()
    browser.one("#file").send_keys(str(path))
    browser.until(lambda: browser.all("#file-result .profile"))


def test_a_file_is_uploaded_profiled_and_asked(browser, service, tmp_path):
    path = tmp_path / "sales.csv"
    rows = "0017;31.01.2024;Germany;120.50\n0018;02.02.2024;France;80\n0019;09.02.2024;Germany;99.90\n"
    path.write_text("number;ordered;country;amount\n" + rows)
    browser.open(service)
    upload(browser, path)
    assert browser.texts(".profile tbody th") == ["number", "ordered", "country", "amount"]
    pictures = [each.get_attribute("aria-label") for each in browser.all(".profile svg")]
    assert pictures[2] == "Most frequent: Germany (2), France (1)"
    browser.shoot("profile")
    browser.button("Ask this file").click()
    browser.until(lambda: browser.one("#connection").get_property("value") == "sales")
    browser.until(lambda: browser.texts("#suggestions button"))
    for question in browser.texts("#suggestions button"):
        assert browser.all("table", browser.ask(question)), question
    article = browser.ask("Total amount for each country")
    browser.until(lambda: browser.all(".chart svg", article))
    assert sorted(browser.texts("tbody tr", article)) == ["France 80.00", "Germany 220.40"]
    browser.button("Add a file").click()
    browser.one("#file").send_keys(str(path))
    browser.until(lambda: "already a file" in browser.one("#file-result").text)
    browser.button("Replace it").click()
    browser.until(lambda: browser.all("#file-result .profile"))


def test_a_file_that_is_dropped_on_the_page_is_uploaded(browser, service):
    browser.open(service)
    browser.run("""
        const data = new DataTransfer()
        data.items.add(new File(["a,b\\n1,2\\n"], "dropped.csv", {type: "text/csv"}))
        const event = name => new DragEvent(name, {dataTransfer: data, bubbles: true, cancelable: true})
        document.body.dispatchEvent(event("dragover"))
        document.body.dispatchEvent(event("drop"))""")
    browser.until(lambda: browser.texts("#file-result .profile tbody th") == ["a", "b"])


def test_a_wrong_password_is_shown_beside_its_field(browser, service, postgres_database):
    browser.open(service)
    browser.button("Add a database").click()
    fields = {"name": "warehouse"} | {name: str(value) for name, value in postgres_database.items()}
    for name, value in fields.items():
        browser.one(f"#database-form [name={name}]").send_keys("wrong" if name == "password" else value)
    browser.button("Add it").click()
    browser.until(lambda: browser.one("#error-password").text)
    password = browser.one("#database-form [name=password]")
    assert password.get_attribute("aria-invalid") == "true"
    assert browser.run("return document.activeElement === arguments[0]", password)
    browser.shoot("wrong-password")
    password.clear()
    password.send_keys(postgres_database["password"])
    browser.button("Add it").click()
    browser.until(lambda: browser.one("#announcements").get_property("textContent") == "Connected to warehouse.")
    assert browser.one("#connection").get_property("value") == "warehouse"
    assert service.call("DELETE", "/api/connections/warehouse")[0] == 200


def test_missing_fields_are_named(browser, service):
    browser.open(service)
    browser.button("Add a database").click()
    browser.one("#database-form [name=name]").send_keys("no host")
    browser.button("Add it").click()
    browser.until(lambda: [each.text for each in browser.all(".field-error") if each.text])
    assert browser.all("#database-form [aria-invalid]")


def test_a_path_out_of_the_data_folder_is_refused_beside_its_field(browser, service):
    browser.open(service)
    browser.button("Add a database").click()
    browser.one("#database-form [name=name]").send_keys("outside")
    browser.one("#database-form [name=provider]").send_keys("SQLite")
    browser.one("#database-form [name=database]").send_keys("../secrets")
    browser.button("Add it").click()
    browser.until(lambda: ".." in browser.one("#error-database").text)
    assert not browser.one("#database-error").text


@pytest.fixture
def hostile_service(tmp_path, httpserver: HTTPServer):
    """A service whose model explains itself in HTML."""
    draft = {"sql": "SELECT * FROM hostile", "interpretation": SCRIPT, "explanation": IMAGE, "assumptions": [IMAGE]}
    message = {"role": "assistant", "content": json.dumps(draft)}
    completion = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": SCRIPT,
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    httpserver.expect_request("/v1/chat/completions").respond_with_json(completion)
    model = {"OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": httpserver.url_for("/v1")}
    with Service(tmp_path / "data", WEB_CONCURRENCY="1", **model) as running:
        yield running


def test_hostile_names_values_and_explanations_are_text(browser, hostile_service, tmp_path):
    path = tmp_path / f"{SCRIPT.replace('/', '_')}.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["amount", SCRIPT], [1, IMAGE], [2, "plain"]])
    browser.open(hostile_service)
    upload(browser, path)
    assert browser.texts(".profile tbody th") == ["amount", SCRIPT]
    kept = browser.one("#file-result p").text.split(" · ")[0]
    config = {"files": [{"path": kept, "table": "hostile"}]}
    body = {"provider": "files", "name": "hostile", "config": config}
    assert hostile_service.call("POST", "/api/connections", body)[0] == 201
    browser.open(hostile_service)
    browser.one("#connection option[value=hostile]").click()
    article = browser.ask(IMAGE)
    assert browser.texts("h2", article) == [IMAGE]
    assert browser.texts(".interpretation", article) == [SCRIPT]
    assert IMAGE in browser.texts(".notes li", article)
    assert browser.texts("thead th", article) == ["amount", SCRIPT]
    assert IMAGE in browser.texts("tbody td", article)
    browser.until(lambda: browser.all(".chart svg", article))
    browser.centre(browser.one("summary", article)).click()
    assert SCRIPT in browser.one("dl", article).text
    browser.shoot("hostile")
    assert browser.all("article img, article script, dialog img, dialog script") == []
    assert browser.driver.title == "sqlchat"


def a_token(**claims):
    now = int(time.time())
    usual = {"sub": str(uuid.uuid4()), "email": "ann@example.com", "aud": "authenticated", "role": "authenticated"}
    return jwt.encode(usual | {"iat": now, "exp": now + 600} | claims, SECRET, "HS256")


@pytest.fixture
def guarded_service(tmp_path, httpserver: HTTPServer):
    """A service behind Supabase auth, whose project is the test's own server."""

    issuer = httpserver.url_for("/auth/v1")

    def sign_in(request):
        allowed = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        if request.method == "OPTIONS":
            return Response("", 200, allowed)
        if request.json != {"email": "ann@example.com", "password": "right"}:
            return Response(json.dumps({"msg": "Invalid login credentials"}), 400, allowed)
        return Response(json.dumps({"access_token": a_token(iss=issuer)}), 200, allowed)

    httpserver.expect_request("/auth/v1/token", query_string="grant_type=password").respond_with_handler(sign_in)
    given = {
        "SUPABASE_URL": httpserver.url_for("").rstrip("/"),
        "SUPABASE_JWT_SECRET": SECRET,
        "SUPABASE_ANON_KEY": a_token(role="anon"),
    }
    service = Service(tmp_path / "data", WEB_CONCURRENCY="1", **given)
    service.environment["GUNICORN_CMD_ARGS"] = f"--bind 127.0.0.1:{service.port}"
    with service:
        yield service


def connect_own(service, token):
    status, _, _ = service.call(
        "POST", "/api/connections", {"provider": "duckdb", "name": "mine", "config": {"database": ":memory:"}}, token
    )
    assert status == 201


def test_signing_in_with_a_token(browser, guarded_service, httpserver):
    token = a_token(iss=httpserver.url_for("/auth/v1"))
    connect_own(guarded_service, token)
    browser.open(guarded_service)
    browser.until(lambda: browser.one("#signin").is_displayed())
    browser.one("#signin [name=token]").send_keys("no token" + Keys.ENTER)
    browser.until(lambda: "token" in browser.one("#signin-error").text.lower())
    browser.one("#signin [name=token]").send_keys(token + Keys.ENTER)
    browser.until(lambda: browser.texts("#connection option") == ["mine"])
    assert not browser.one("#signin").is_displayed()
    assert browser.run("return localStorage.length + sessionStorage.length + document.cookie.length") == 0
    browser.button("Sign out").click()
    browser.until(lambda: browser.one("#signin").is_displayed())
    assert browser.texts("#connection option") == []


def test_a_token_that_expires_leaves_the_conversation_to_the_same_person(browser, guarded_service, httpserver):
    """And to nobody else; without a token at first, no word of the API is shown."""
    sub, iss = str(uuid.uuid4()), httpserver.url_for("/auth/v1")
    service_token = a_token(sub=sub, iss=iss)
    connect_own(guarded_service, service_token)
    browser.open(guarded_service)
    browser.until(lambda: browser.one("#signin").is_displayed())
    assert browser.texts("#signin-error") == [""]

    def sign_in(token):
        browser.one("#signin [name=token]").send_keys(token + Keys.ENTER)
        browser.until(lambda: not browser.one("#signin").is_displayed())
        browser.until(lambda: browser.run("return document.querySelector('#ask').disabled") is False)

    def expire():
        """As the service would say it of any request."""
        event = "new CustomEvent('signin', {detail: 'The token has expired.'})"
        browser.run(f"document.dispatchEvent({event})")
        assert browser.one("#signin-error").text == "The token has expired."

    sign_in(service_token)
    browser.until(lambda: browser.texts("#connection option") == ["mine"])
    browser.ask("How many zorgles are there?")
    expire()
    sign_in(a_token(sub=sub, iss=iss))
    assert browser.texts("article h2") == ["How many zorgles are there?"]
    expire()
    sign_in(a_token(iss=iss))
    browser.until(lambda: browser.texts("article h2") == [])


def test_signing_in_with_email_and_password(browser, guarded_service):
    browser.open(guarded_service)
    browser.until(lambda: browser.one("#signin").is_displayed())
    browser.one("#signin [name=email]").send_keys("ann@example.com")
    browser.one("#signin [name=password]").send_keys("wrong" + Keys.ENTER)
    browser.until(lambda: browser.one("#signin-error").text == "Invalid login credentials")
    browser.shoot("sign-in")
    browser.one("#signin [name=password]").clear()
    browser.one("#signin [name=password]").send_keys("right" + Keys.ENTER)
    browser.until(lambda: browser.one("#none").is_displayed())
    assert not browser.one("#signin").is_displayed()


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The source of axe-core, fetched from npm, for its licence is not one that is vendored here."""
    folder = tmp_path_factory.mktemp("axe")
    if not shutil.which("npm"):
        pytest.skip("no npm here to fetch axe-core with")
    ((name, version),) = TOOLS.items()
    command = ["npm", "pack", "--silent", f"{name}@{version}"]
    try:
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=150)
    except subprocess.SubprocessError as exc:
        pytest.skip(f"npm could not fetch axe-core: {exc}")
    shutil.unpack_archive(folder / packed.stdout.strip(), folder, filter="data")
    return (folder / "package/axe.min.js").read_text()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(browser, service, axe, dark, tmp_path):
    path = tmp_path / f"seen-{dark}.csv"
    path.write_text("city,people\nBerlin,3\nParis,2\n")
    browser.look(dark=dark)
    browser.open(service)

    def faults():
        browser.run(axe)
        found = browser.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")["violations"]
        return [
            (each["id"], [node["html"] for node in each["nodes"]])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]

    assert faults() == []
    article = browser.ask(MONTHS)
    browser.until(lambda: browser.all(".chart svg path", article))
    browser.centre(browser.one("summary", article)).click()
    browser.ask("Number of purple unicorns")
    assert faults() == []
    upload(browser, path)
    assert faults() == []
    browser.one("#files .close").click()
    for name in ("Add a database", "History"):
        browser.button(name).click()
        browser.until(lambda: browser.one("dialog[open]"))
        assert faults() == []
        browser.one("dialog[open] .close").click()


def test_everything_is_reached_by_keyboard(browser, service):
    browser.open(service)
    assert browser.run("return document.activeElement.id") == "question"
    reached = set()
    for _ in range(20):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(browser.run("return document.activeElement.id || document.activeElement.textContent"))
    assert {"connection", "open-files", "open-databases", "open-history", "question", "ask"} <= reached
    browser.one("#open-history").send_keys(Keys.ENTER)
    browser.until(lambda: browser.one("#history").is_displayed())
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    browser.until(lambda: not browser.one("#history").is_displayed())
    assert browser.run("return document.activeElement.id") == "open-history"
