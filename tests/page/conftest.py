"""The page in a real Chromium, against the service as it is deployed."""

import shutil

import pytest
from deployed import Service
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --force-device-scale-factor=1"
)
PATIENCE = 150  # seconds


class Browser:
    """One Chromium with an empty profile; its methods do what a person does, and wait for what comes of it."""

    def __init__(self, profile, screenshots):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in [*FLAGS.split(), f"--user-data-dir={profile}", "--window-size=1200,1000"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Driver(DRIVER))
        self.driver.set_script_timeout(PATIENCE)
        self._screenshots = screenshots

    def open(self, service):
        self.driver.get(f"{service.url}/")
        self.until(lambda: self.run("return document.body.dataset.ready"))

    def until(self, condition):
        return WebDriverWait(self.driver, PATIENCE, 0.1, [StaleElementReferenceException]).until(
            lambda _: condition()
        )

    def run(self, script, *given):
        return self.driver.execute_script(script, *given)

    def all(self, selector, within=None):
        return (within or self.driver).find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector, within=None):
        return (within or self.driver).find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector, within=None):
        return [each.text for each in self.all(selector, within)]

    def button(self, text, within=None):
        """The button of that text, brought to the middle of the window, where nothing lies over it."""
        return self.centre(next(each for each in self.all("button", within) if each.text == text))

    def centre(self, element):
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        return element

    def ask(self, question):
        """Type a question and press Enter; gives its article, with the answer in it."""
        box = self.one("#question")
        box.clear()
        box.send_keys(question + "\n")
        return self.answered(question)

    def answered(self, question):
        """The last article, once it is of `question` and has its answer."""

        def last():
            articles = [each for each in self.all("article") if self.texts("h2", each) == [question]]
            return articles[-1] if articles and not self.all("[aria-busy]", articles[-1]) else None

        return self.until(last)

    def look(self, *, dark=False, width=1200, height=1000):
        """Show the page as a device of this width, in this scheme."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def shoot(self, name):
        self.driver.save_screenshot(str(self._screenshots / f"{name}.png"))

    def complaints(self):
        """What the browser logged: scripts that failed, and what the Content-Security-Policy refused."""
        return [line["message"] for line in self.driver.get_log("browser")]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    if not (CHROMIUM and DRIVER):
        pytest.skip("no Chromium with its driver here")
    browser = Browser(tmp_path_factory.mktemp("profile"), tmp_path_factory.mktemp("screenshots"))
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(chromium):
    """Chromium on no page yet. The page must have made it log nothing but answers that are failures on purpose."""
    chromium.driver.get("about:blank")
    chromium.look()
    chromium.complaints()
    yield chromium
    assert [line for line in chromium.complaints() if "the server responded with a status of 4" not in line] == []


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("data"), WEB_CONCURRENCY="1") as running:
        yield running
