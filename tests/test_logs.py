"""What a line of the log looks like, read as whoever runs the service reads it."""

import json
import subprocess
import sys

SCRIPT = """
import logging
from sqlchat import logs
from sqlchat.config import Settings

before = len(logging.getLogger().handlers)
for _ in range(2):
    logs.configure(Settings(log_level={level!r}))
logging.getLogger("sqlchat.request").info("request", extra={{"request_id": "abc", "status": 200, "ms": 1.5}})
logging.getLogger("sqlchat.request").debug("fine")
for library in ("httpx", "openai._base_client", "urllib3"):
    logging.getLogger(library).info("a prompt")
    logging.getLogger(library).debug("a header")
try:
    raise ValueError("two\\nlines")
except ValueError:
    logging.getLogger("sqlchat").exception("bug")
"""


def lines(level):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(level=level)], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_each_record_is_one_line_of_json_with_its_facts():
    request, bug = lines("info")
    assert request["message"] == "request"
    assert (request["level"], request["logger"]) == ("INFO", "sqlchat.request")
    assert (request["request_id"], request["status"], request["ms"]) == ("abc", 200, 1.5)
    assert request["time"].startswith("20")
    assert "two\nlines" in bug["exc_info"]


def test_a_finer_level_is_ours_alone():
    assert [line["message"] for line in lines("DEBUG")] == ["request", "fine", "bug"]


def test_a_coarser_level_leaves_the_rest_out():
    assert [line["message"] for line in lines("ERROR")] == ["bug"]
