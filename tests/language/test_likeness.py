"""The likeness of nouns, by the table that is shipped."""

import subprocess
import sys

import pytest

from sqlchat.language.likeness import is_kind_of, rate_likeness


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [
        ("vocalist", "singer", "concert"),
        ("nation", "country", "city"),
        ("wages", "salary", "name"),
        ("instructors", "teacher", "course"),
        ("physician", "doctors", "patients"),
    ],
)
def test_a_word_of_the_same_meaning_is_nearer(word, near, far):
    assert rate_likeness(word, near) > 50 > rate_likeness(word, far)
    assert rate_likeness(near, word) == rate_likeness(word, near)


def test_words_that_are_in_no_table_are_far():
    assert rate_likeness("qwertz", "singer") == 0


def test_a_kind_of_a_thing_is_told_from_the_thing():
    assert is_kind_of("trucks", "vehicle")
    assert not is_kind_of("vehicle", "trucks")
    assert not is_kind_of("wage", "salary")


def test_the_table_is_read_when_it_is_first_asked_for():
    code = (
        "from sqlchat.providers.offline import engine; from sqlchat.language import likeness;"
        "print(likeness._read_table.cache_info().currsize)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "0"
