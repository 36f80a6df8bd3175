"""Every curl line of the README, in its order, against one real gunicorn.

Only the address and the path of `flask` are replaced. The lines run in one shell and in a folder that holds the file
of a semantic model, because one of them sends it.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deployed import ROOT, Service

README = (ROOT / "README.md").read_text()
FLASK = f"{Path(sys.executable).parent}/flask"
NOT_OURS = {"db.example.com": "400"}  # a database that only the reader has
RECORDED_CURL = """
number=0
curl() {
    number=$((number + 1))
    command curl -s --max-time 60 "$@" -w '%{stderr}%{http_code}' >$number.body 2>$number.status || true
}
"""


def read_commands(text):
    """The commands of all `sh` blocks of `text` in order, each with its line breaks and without comments above it."""
    commands = []
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        command = ""
        for line in block.splitlines(keepends=True):
            if command or not re.match(r"#|$", line):
                command += line
            if command and is_complete(command):
                commands.append(command)
                command = ""
        assert not command, f"this command does not end: {command}"
    return commands


def is_complete(command):
    try:
        shlex.split(command, comments=True)
    except ValueError:  # a quote is open
        return False
    return not command.endswith("\\\n")


def is_run(command):
    """Is it a curl line, or does it prepare one: the variables, and the file that is uploaded?"""
    return bool(re.match(r"curl |printf |[A-Z]=", command))


COMMANDS = [command for command in read_commands(README) if is_run(command)]
CURLS = [command for command in COMMANDS if command.startswith("curl ")]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """(status, body) of each of CURLS; the status is a text of three digits."""
    if not shutil.which("curl"):
        pytest.skip("no curl on the PATH")
    folder = tmp_path_factory.mktemp("reader")
    (folder / "target").mkdir()
    shutil.copy(ROOT / "tests/parts/semantic/shop.json", folder / "target/osi_document.json")
    with Service(tmp_path_factory.mktemp("data"), WEB_CONCURRENCY="1") as service:
        script = RECORDED_CURL + "".join(COMMANDS)
        script = script.replace("localhost:8000", f"localhost:{service.port}")
        script = script.replace(".venv/bin/flask --app wsgi", f"{FLASK} --app {ROOT}/wsgi")
        ran = subprocess.run(
            ["bash", "-eu", "-c", script],
            cwd=folder,
            env=service.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    return [
        ((folder / f"{number}.status").read_text(), (folder / f"{number}.body").read_text())
        for number in range(1, len(CURLS) + 1)
    ]


@pytest.mark.parametrize("number", range(len(CURLS)), ids=lambda number: " ".join(CURLS[number].split())[5:60])
def test_a_curl_line_succeeds(answers, number):
    status, body = answers[number]
    expected = next((status for text, status in NOT_OURS.items() if text in CURLS[number]), "20[01]")
    assert re.fullmatch(expected, status), body


def test_printed_answers_are_what_the_service_answers(answers):
    printed = re.findall(r"^(curl [^`]*)```\n\n```json\n(.*?)```", README, re.MULTILINE | re.DOTALL)
    assert printed[0][0] == CURLS[0]
    for commands, answer in printed:
        number = next(number for number, command in enumerate(CURLS) if commands.endswith(command))
        assert_holds(json.loads(answers[number][1]), json.loads(answer))


def assert_holds(answer, printed):
    """`answer` has all that is printed; `"..."` as a name stands for more members."""
    if isinstance(printed, dict):
        for name in printed.keys() - {"..."}:
            assert_holds(answer[name], printed[name])
        assert "..." in printed or answer.keys() == printed.keys()
    else:
        assert answer == printed
