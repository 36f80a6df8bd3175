"""The Dockerfile that README gives to copy: what it names exists, and its commands do what they are for."""

import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import fields

import pytest
from deployed import ROOT, Service, environment
from ports import free_port

from sqlchat.config import Settings

README = (ROOT / "README.md").read_text()
SETTINGS = {row.metadata["env"]: row.default for row in fields(Settings)}


def dockerfile():
    """(instruction, its text), line by line."""
    (block,) = re.findall(r"```dockerfile\n(.*?)```", README, re.DOTALL)
    lines = block.replace("\\\n", " ").splitlines()
    return [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]


def only(instruction):
    (text,) = [text for name, text in dockerfile() if name == instruction]
    return text


def command(text):
    """As Docker reads it; the image's `python` is the tests' own."""
    words = json.loads(text[text.index("[") :])
    assert words[0] == "python"
    return [sys.executable, *words[1:]]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A folder with what COPY copies, and nothing else."""
    folder = tmp_path_factory.mktemp("image")
    for name, text in dockerfile():
        if name == "COPY":
            *sources, target = text.split()
            for source in sources:
                copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
                copy(ROOT / source, folder / (target if len(sources) == 1 and target != "./" else source))
    return folder


def check_health(port):
    """The exit status of HEALTHCHECK's command."""
    return subprocess.run(
        command(only("HEALTHCHECK")),
        env=environment(PORT=str(port)),
        capture_output=True,
        timeout=1500,
        check=False,
    ).returncode


def test_the_image_has_a_python_that_the_service_runs_on():
    version = tuple(map(int, re.fullmatch(r"python:(\d+)\.(\d+)-slim", only("FROM")).groups()))
    assert version >= (3, 11)


def test_it_runs_as_a_user_without_rights_who_owns_the_data_volume():
    user = only("USER")
    assert re.fullmatch(r"[1-9]\d+", user)
    settings = dict(pair.split("=", 1) for pair in only("ENV").split())
    folder = only("VOLUME")
    assert settings.pop("SQLCHAT_DATA_DIR") == folder
    assert set(settings) <= SETTINGS.keys() | {"PYTHONUNBUFFERED"}
    made = next(text for name, text in dockerfile() if name == "RUN" and folder in text)
    assert f"--uid {user}" in made
    assert re.search(rf"install -d -o sqlchat {folder}(?:\s|$)", made)
    assert int(only("EXPOSE")) == SETTINGS["PORT"]


def test_what_is_copied_starts_and_its_health_check_tells_when_it_is_ready(image, tmp_path):
    assert check_health(free_port()) != 0
    with Service(tmp_path, command=command(only("CMD")), folder=image) as service:
        service.until(lambda: "sqlchat is ready" in service.out)
        assert check_health(service.port) == 0
        asked = {"connection_id": "demo", "prompt": "How many customers are in Germany?"}
        assert service.call("POST", "/api/chat", asked)[0] == 200


def test_it_is_not_healthy_without_its_store(image, tmp_path):
    given = {"DATABASE_URL": "postgresql://u:p@127.0.0.1:9/d", "SQLCHAT_SECRET_KEY": "k" * 40}
    with Service(tmp_path, command=command(only("CMD")), folder=image, **given) as service:
        assert service.call("GET", "/health")[0] == 200
        assert check_health(service.port) != 0


def test_in_local_mode_it_can_be_reached_from_outside_the_container_under_the_name_localhost(image, tmp_path):
    (line,) = re.findall(r"^docker run .*GUNICORN_CMD_ARGS.*$", README, re.MULTILINE)
    words = shlex.split(line)
    assert words[words.index("-p") + 1] == f"127.0.0.1:{SETTINGS['PORT']}:{SETTINGS['PORT']}"
    name, _, arguments = next(word for word in words if word.startswith("GUNICORN_CMD_ARGS")).partition("=")
    outside = socket.gethostbyname(socket.gethostname())
    if outside.startswith("127."):
        outside = "127.0.0.2"  # at least another address than the one that is bound by default
    service = Service(tmp_path, command=command(only("CMD")), folder=image)
    service.environment[name] = arguments.replace(str(SETTINGS["PORT"]), str(service.port))
    with service:
        url = f"http://{outside}:{service.port}/api/connections"
        asked = urllib.request.Request(url, headers={"Host": f"localhost:{service.port}"})
        with urllib.request.urlopen(asked, timeout=150) as response:
            assert response.status == 200
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url, timeout=150)
        with caught.value as error:
            assert error.code == 400
