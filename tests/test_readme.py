"""The README is the product's face: what it says is there, is there."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from sqlchat import __version__
from sqlchat.config import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
RUN = "python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt && .venv/bin/gunicorn wsgi:app"
TEST = (
    "python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt -r tests/requirements.txt "
    "&& .venv/bin/pytest"
)


def test_each_setting_is_documented_with_its_help(subtests):
    for row in fields(Settings):
        with subtests.test(row.metadata["env"]):
            assert f"| `{row.metadata['env']}` |" in README
            assert f"| {row.metadata['help']} |" in README
            assert f"#{row.metadata['env']}=" in EXAMPLE


def test_no_setting_is_documented_that_does_not_exist():
    known = {row.metadata["env"] for row in fields(Settings)}
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)) == known


def test_the_two_commands_stand_in_the_first_screen_and_ci_runs_the_second():
    first_screen = "\n".join(README.splitlines()[:45])
    assert RUN in first_screen
    assert TEST in first_screen
    assert f"{TEST} || status=$?" in (ROOT / ".ci/run").read_text().splitlines()


def test_every_route_has_its_curl_line():
    from sqlchat.app import BLUEPRINTS

    for blueprint in BLUEPRINTS:
        path = (blueprint.url_prefix or "/health").removesuffix("/auth") + (
            "/auth/me" if blueprint.name == "auth" else ""
        )
        assert f"$S{path}" in README, path


def test_each_link_within_the_readme_leads_to_a_heading():
    links = set(re.findall(r"\]\(#([^)]+)\)", README))
    assert links
    assert links <= list_anchors(README)


@pytest.mark.parametrize(
    "name", ["README.md", ".github/DATABASES.md", ".github/OPERATIONS.md", ".github/CONTRIBUTING.md"]
)
def test_each_link_to_another_document_leads_there(name):
    for path, anchor in re.findall(r"\]\(([\w./]+)(?:#([^)]+))?\)", (ROOT / name).read_text()):
        document = ROOT / name
        linked = document.parent / path
        assert linked.exists(), path
        if anchor:
            assert anchor in list_anchors(linked.read_text()), (path, anchor)


def list_anchors(text):
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_changelog_begins_with_this_version():
    changelog = (ROOT / ".github/CHANGELOG.md").read_text()
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == __version__
