"""Patterns of a policy: what they match, and that matching never takes long."""

import time

import pytest

from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.policies.patterns import Patterns
from sqlchat.sql.policies.policy import Policy, apply_policy


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("users", "users", True),
        ("users", "USERS", True),
        ("Users*", "users", True),
        ("*", "anything at all", True),
        ("a*b*c", "abc", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("ab*ba", "abba", True),
        ("*ab", "abab", True),
        ("*a*a*", "a", False),
        ("**", "", True),
        ("a*\n*", "a\n", True),
        ("us.r", "user", False),
        ("hr.*", "hr.pay", True),
        ("hr.*", "hr", False),
        ("*.pay", "hr.pay", True),
        ("STRASSE*", "straße 1", True),
    ],
)
def test_a_star_stands_for_any_characters_of_its_part(pattern, name, matches):
    assert Patterns([pattern]).match([tuple(name.split("."))]) is matches


@pytest.mark.parametrize(
    ("pattern", "names", "column", "hidden"),
    [
        ("users.email", [("users",)], "EMAIL", True),
        ("users.email", [("orders",)], "email", False),
        ("*.ssn", [("users",), ("main", "users")], "ssn", True),
        ("main.*.s*", [("users",), ("main", "users")], "ssn", True),
        ("main.users", [("users",), ("main", "users")], "users", False),
    ],
)
def test_columns_are_told_by_the_last_part(pattern, names, column, hidden):
    columns = Patterns([pattern]).without_last(names)
    assert (columns is not None and columns.match([(column,)])) is hidden


def test_many_stars_take_no_time():
    tables = tuple(
        Table("a" * 60 + str(number), (Column("a" * 63, "text"), Column("b" * 63, "text"))) for number in range(300)
    )
    stars = [f"{'a*' * 40}{number}z*" for number in range(100)]
    policy = Policy(deny_tables=tuple(stars), deny_columns=tuple(f"*.{each}" for each in stars))
    begun = time.thread_time()
    judged = apply_policy(Catalog(tables, "sqlite"), policy)
    assert time.thread_time() - begun < 30
    assert len(judged.readable) == 300
