"""The documents beside the code say what is so."""

import re
from pathlib import Path

import pytest

import sqlchat

ROOT = Path(__file__).parents[1]
ARCHITECTURE = (ROOT / "sqlchat/ARCHITECTURE.md").read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(?!tests)((?:[a-z_]+/)+[a-z_]*)(?:\.py)?`", ARCHITECTURE))))
def test_the_modules_that_the_architecture_names_exist(name):
    place = ROOT / "sqlchat" / name
    assert place.is_dir() or place.with_suffix(".py").is_file(), name


def test_every_package_is_in_the_picture():
    packages = {path.parent.name for path in (ROOT / "sqlchat").glob("*/__init__.py")}
    assert {name for name in packages if not re.search(rf"\b{name}\b", ARCHITECTURE)} == set()


def test_the_changelog_begins_with_this_version():
    changelog = (ROOT / ".github/CHANGELOG.md").read_text()
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == sqlchat.__version__
