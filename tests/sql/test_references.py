"""Names of references as people write them, and the keys that come of them."""

import pytest

from sqlchat.sql.catalog import Catalog, Column, ForeignKey, Table
from sqlchat.sql.profiles import ColumnProfile, Profiles
from sqlchat.sql.references import add_references, find_column, find_faults, write_comparison


def table(name, *columns, schema="main", **more):
    pairs = (each.split(":") for each in columns)
    return Table(name, tuple(Column(column, type) for column, type in pairs), schema, **more)


TICKETS = table("tickets", "id:BIGINT", "agent:VARCHAR", "opened:DATE", "done:BOOLEAN", "code:UUID")
STAFF = table("staff", "login:VARCHAR(20)", "id:INTEGER", "born:TIMESTAMP", "badge:UUID", primary_key=("login",))
DOTTED = table("q1.csv", "Sales.net:DOUBLE", schema="files")
OLD = table("staff", "login:VARCHAR", schema="archive")
CATALOG = Catalog((TICKETS, STAFF, DOTTED, OLD), "postgres", "main", "v1")
REFERENCE = (("tickets.agent",), ("staff.login",))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("tickets.agent", (TICKETS, "agent")),
        ("TICKETS.Agent", (TICKETS, "agent")),
        ("main.tickets.agent", (TICKETS, "agent")),
        ("staff.login", (STAFF, "login")),
        ("archive.staff.login", (OLD, "login")),
        ("q1.csv.Sales.net", (DOTTED, "Sales.net")),
        ("files.q1.csv.Sales.net", (DOTTED, "Sales.net")),
    ],
)
def test_a_name_is_found_with_and_without_schema_and_with_dots_in_it(name, found):
    column = find_column(name, CATALOG)
    assert not isinstance(column, str)
    assert (column[0], column[1].name) == found


@pytest.mark.parametrize(
    ("one", "other", "is_fault"),
    [
        ("tickets.id", "staff.id", False),
        ("tickets.opened", "staff.born", False),
        ("tickets.code", "staff.login", False),
        ("tickets.id", "staff.login", True),
        ("tickets.done", "staff.id", True),
        ("tickets.opened", "staff.id", True),
    ],
)
def test_columns_of_two_families_of_types_do_not_belong_together(one, other, is_fault):
    assert bool(find_faults(((one,), (other,)), CATALOG)) is is_fault


def test_types_that_differ_are_put_to_the_database():
    assert write_comparison((("archive.staff.login",), ("tickets.agent",)), CATALOG) == ""
    compared = write_comparison((("tickets.code",), ("staff.login",)), CATALOG)
    assert compared == (
        'SELECT 1 FROM "main"."tickets" AS one JOIN "main"."staff" AS other ON one."code" = other."login"'
    )


def key_of(catalog, profiles=None):
    (key,) = add_references(catalog, [REFERENCE], profiles or Profiles()).tables[0].foreign_keys
    return key


def with_keys(*keys):
    return Catalog((table("tickets", "agent:VARCHAR", foreign_keys=keys), STAFF), "duckdb", "main", "v1")


def test_a_reference_becomes_a_key_of_a_catalog_of_another_version():
    made = add_references(CATALOG, [REFERENCE], Profiles())
    assert made.tables[0].foreign_keys == (ForeignKey(("agent",), "main", "staff", ("login",), by_owner=True),)
    assert made.version != CATALOG.version
    assert add_references(CATALOG, [REFERENCE], Profiles()).version == made.version
    assert add_references(CATALOG, [(("tickets.gone",), ("staff.login",))], Profiles()) is CATALOG


def test_what_the_database_declares_stays_and_a_guess_gives_way():
    declared = ForeignKey(("agent",), "main", "staff", ("login",))
    assert key_of(with_keys(declared)) == declared
    guessed = ForeignKey(("agent",), "main", "staff", ("badge",), inferred=True)
    assert key_of(with_keys(guessed)).source == "owner"


@pytest.mark.parametrize(
    ("profile", "repeats"),
    [
        (ColumnProfile("text", 0, exact=True, unique=False), True),
        (ColumnProfile("text", 0, exact=True, unique=True), False),
        (ColumnProfile("text", 0, exact=False, unique=False), False),
    ],
)
def test_a_column_that_is_known_to_repeat_is_told(profile, repeats):
    catalog = Catalog((TICKETS, table("staff", "login:VARCHAR")), "duckdb", "main")
    assert key_of(catalog, Profiles({("main", "staff", "login"): profile})).repeats is repeats


def test_a_primary_key_does_not_repeat_whatever_was_seen():
    seen = Profiles({("main", "staff", "login"): ColumnProfile("text", 0, exact=True, unique=False)})
    assert key_of(CATALOG, seen).repeats is False
