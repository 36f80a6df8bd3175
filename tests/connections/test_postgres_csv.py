"""Rows that leave Postgres as CSV are byte for byte what the decoders make of COPY's text."""

import json
from contextlib import closing

import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg2.extras import execute_values

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.connections.postgres.csv import CsvColumns, write_json_rows
from sqlchat.connections.postgres.types import PgType, encode_copied_cells, find_decoder
from sqlchat.errors import TooLargeError
from sqlchat.workers import Workers

COLUMNS = {
    "small": "smallint",
    "whole": "integer",
    "big": "bigint",
    "id": "oid",
    "exact": "numeric",
    "money2": "numeric(12, 2)",
    "real4": "real",
    "real8": "double precision",
    "yes": "boolean",
    "words": "text",
    "few": "varchar(40)",
    "fixed": "char(5)",
    "ident": "name",
    "byte": '"char"',
    "day": "date",
    "moment": "timestamp",
    "instant": "timestamptz",
    "clock": "time",
    "long": "interval",
    "key": "uuid",
    "place": "inet",
    "span": "int4range",
    "mood": "mood",
    "cents": "cents",
    "since": "since",
    "pair": "pair",
}
NASTY = [
    "",
    "null",
    "NULL",
    "\\N",
    "\\.",
    '"',
    '""',
    "\\",
    '\\"',
    "\n",
    "\r\n",
    "\t",
    "a,b",
    "[1],[2]",
    "],[",
    "],\n[",
]
NASTY += [
    "NaN",
    "Infinity",
    "infinity",
    "t",
    "\x01\x1f\x7f",
    "\u2028",
    "größe 🐬",
    "\b\f\v",
    " ",
    "'",
    "{}",
    "$1",
    "%s",
]
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    st.text(st.sampled_from('"\\\n\r\t,\x00][N\x1fé'.replace("\0", "")), max_size=12),
)
FLOATS = st.one_of(st.floats(), st.sampled_from([-0.0, 5e-324, 1e22, 1e-7, 1e15, 123456789012345680.0]))
EXACT = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda found: f"{found:.40g}"),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "-0.00", "0.0000", "1e300", "1e-40", "9" * 200 + ".50"]),
)
DAYS = ["infinity", "-infinity", "0044-03-15 BC", "0001-01-01", "0001-12-31 BC", "9999-12-31", "12024-02-29"]
TIMES = ["00:00:00", "23:59:59.999999", "12:30:00.5", "01:02:03.000010"]
DATES = st.one_of(st.sampled_from(DAYS), st.dates().map(str))
CLOCKS = st.one_of(st.sampled_from(TIMES), st.times().map(str))


def moment(day, clock):
    day, bc, _ = day.partition(" BC")
    return day if "infinity" in day else f"{day} {clock}{bc}"


MOMENTS = st.builds(moment, DATES.filter(lambda day: not day.startswith("0001-12-31")), CLOCKS)
VALUES = {
    "small": st.integers(-(2**15), 2**15 - 1),
    "whole": st.integers(-(2**31), 2**31 - 1),
    "big": st.integers(-(2**63), 2**63 - 1),
    "id": st.integers(0, 2**32 - 1),
    "exact": EXACT,
    "money2": st.one_of(st.integers(-(10**9), 10**9).map(lambda n: f"{n}.5"), st.just("NaN")),
    "real4": st.floats(width=32),
    "real8": FLOATS,
    "yes": st.booleans(),
    "words": TEXTS,
    "few": TEXTS,
    "fixed": TEXTS.map(lambda text: text[:5]),
    "ident": TEXTS,
    "byte": st.sampled_from(["a", '"', "\\", "\n", "", ","]),
    "day": DATES,
    "moment": MOMENTS,
    "instant": MOMENTS.map(lambda found: found.replace(" BC", "+00 BC")),
    "clock": CLOCKS,
    "long": st.sampled_from(["1 day 02:03:04.5", "-1 year", "3 mons -4 days", "00:00:00"]),
    "key": st.uuids().map(str),
    "place": st.sampled_from(["10.0.0.1/8", "::1"]),
    "span": st.sampled_from(["[1,5)", "empty", "(,3)"]),
    "mood": st.sampled_from(["sad", 'gl"ad', "a\nb\\"]),
    "cents": st.integers(-5, 5),
    "since": MOMENTS,
    "pair": st.tuples(st.sampled_from(["1", ""]), st.sampled_from(["x", '"a""b"', '"\\\\"', ""])).map(
        lambda pair: f"({pair[0]},{pair[1]})"
    ),
}
ZONES = ["UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Amsterdam", "Africa/Monrovia", "America/New_York"]
"""Those in the middle have had offsets of minutes, and of seconds long ago."""
PINS = "SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET extra_float_digits = 1"


class Lines(list):
    write = list.append


@pytest.fixture(scope="module")
def database(postgres_server):
    config = postgres_server.fresh()
    yield config
    postgres_server.drop(config)


@pytest.fixture(scope="module")
def plain(database):
    """A connection of the driver's own, with a table of all these columns."""
    fields = dict(database)
    with closing(psycopg2.connect(dbname=fields.pop("database"), **fields)) as raw:
        raw.autocommit = True
        with raw.cursor() as cursor:
            cursor.execute(
                "CREATE TYPE mood AS ENUM ('sad', 'gl\"ad', E'a\\nb\\\\'); CREATE DOMAIN cents AS bigint; "
                "CREATE DOMAIN since AS timestamp; CREATE TYPE pair AS (a int, b text); "
                f"CREATE TABLE things (nr serial, {', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())}); "
                + PINS
            )
        yield raw


@pytest.fixture(scope="module")
def zones(database, plain):
    """For each time zone a connection whose session has it, and the driver's cursor set to the same."""
    opened = {}
    for zone in ZONES:
        with plain.cursor() as cursor:
            cursor.execute(f"ALTER ROLE CURRENT_USER SET timezone = '{zone}'")
        opened[zone] = PostgresConnection(database, Settings(max_result_mb=4, pool_size=1), Workers(1, 1024))
        opened[zone].explain("SELECT 1")
    yield opened
    for connection in opened.values():
        connection.close()


def decoded(plain, query, zone):
    """What the decoders make of COPY's text."""
    lines = Lines()
    with plain.cursor() as cursor:
        cursor.execute(f"SET timezone = '{zone}'")
        cursor.execute(query)
        oids = [column.type_code for column in cursor.description]
        cursor.copy_expert(f"COPY ({query}) TO STDOUT", lines)
    decoders = [find_decoder(oid, {}) for oid in oids]
    return b"[" + b",".join(b"[" + b",".join(encode_copied_cells(line, decoders)) + b"]" for line in lines) + b"]"


@settings(max_examples=60)
@given(
    zone=st.sampled_from(ZONES),
    rows=st.lists(st.tuples(*(st.one_of(st.none(), VALUES[name]) for name in COLUMNS)), min_size=1, max_size=8),
)
def test_rows_are_what_the_decoders_would_give(plain, zones, zone, rows):
    with plain.cursor() as cursor:
        cursor.execute("TRUNCATE things; SET timezone = 'UTC'")
        casts = ", ".join(f"%s::{kind}" for kind in COLUMNS.values())
        written = [[None if value is None else str(value) for value in row] for row in rows]
        execute_values(cursor, f"INSERT INTO things ({', '.join(COLUMNS)}) VALUES %s", written, template=f"({casts})")
    query = f"SELECT {', '.join(COLUMNS)} FROM things ORDER BY nr"
    found = zones[zone].run(query, max_rows=100, timeout=100)
    assert found.rows == decoded(plain, query, zone)
    assert len(json.loads(found.rows)) == found.row_count == len(rows)


def test_these_columns_do_leave_as_csv(plain):
    with plain.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM things LIMIT 0")
        oids = [column.type_code for column in cursor.description]
    assert CsvColumns.choose(oids, {}) is not None


@pytest.mark.parametrize("oid", [17, 114, 3802, 1266, 1007, 900001], ids=str)
def test_other_types_are_left_to_the_decoders(oid):
    types = {1007: PgType("integer[]", "A", 0, 23), 900001: PgType("bag", "A", 1007, 0)}
    assert CsvColumns.choose([23, oid], types) is None


def test_an_offset_of_seconds_and_the_years_around_zero(plain, zones):
    query = (
        "SELECT t::timestamptz, t::timestamp FROM (VALUES ('0001-01-01 00:00+00'), ('0001-01-01 03:00-08'), "
        "('0001-12-31 23:59:59.5+00 BC'), ('1900-01-01 00:00+00'), ('294276-12-31 23:59:59+00')) v (t)"
    )
    for zone, connection in zones.items():
        assert connection.run(query, max_rows=9, timeout=100).rows == decoded(plain, query, zone)


def test_each_nasty_value_in_each_kind_of_column(plain, zones):
    texts = ", ".join(f"$q${text}$q$" for text in NASTY)
    days = ", ".join(f"'{day}'" for day in DAYS)
    query = (
        f"SELECT w, w::varchar, d::date, d::timestamp, d::timestamptz, f::float4, f::float8, f::numeric, b "
        f"FROM unnest(ARRAY[{texts}]) w, unnest(ARRAY[{days}]) d, "
        "unnest('{NaN,Infinity,-Infinity,-0,1e30,-1e-30}'::text[]) f, unnest('{t,f,NULL}'::bool[]) b"
    )
    found = zones["Asia/Kolkata"].run(query, max_rows=10_000, timeout=30)
    assert found.rows == decoded(plain, query, "Asia/Kolkata")
    assert found.row_count == len(NASTY) * len(DAYS) * 6 * 3


def test_rows_that_hold_newlines_stay_apart(zones):
    found = zones["UTC"].run("SELECT E'a\\n' || n, E'\\n' FROM generate_series(1, 3) n", max_rows=2, timeout=100)
    assert json.loads(found.rows) == [["a\n1", "\n"], ["a\n2", "\n"]]
    assert (found.row_count, found.truncated) == (2, True)


def test_a_result_is_bounded_in_bytes_as_it_leaves(zones):
    fits = "SELECT repeat('x', 1048500) FROM generate_series(1, 3)"
    assert zones["UTC"].run(fits, max_rows=9, timeout=100).row_count == 3
    for sql in ("SELECT repeat('x', 1048500) FROM generate_series(1, 5)", "SELECT repeat(chr(1), 1000000)"):
        with pytest.raises(TooLargeError, match="larger than 4 MiB"):
            zones["UTC"].run(sql, max_rows=9, timeout=100)


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=8).map(lambda value: value.replace(b"\0", b"")), min_size=1, max_size=5))
def test_bytes_that_are_no_text_are_replaced_as_the_decoders_do(values):
    """As a database that has been damaged sends them; a sound one refuses to."""
    lines = [b'"' + v.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'",7\n' for v in values]
    escapes = {
        b"\\": b"\\\\",
        b"\n": b"\\n",
        b"\t": b"\\t",
        b"\r": b"\\r",
        b"\b": b"\\b",
        b"\f": b"\\f",
        b"\v": b"\\v",
    }
    copied = [b"".join(escapes.get(bytes([c]), bytes([c])) for c in v) + b"\t7\n" for v in values]
    text, number = find_decoder(25, {}), find_decoder(23, {})
    decoded_rows = [b",".join(encode_copied_cells(line, [text, number])) + b"\n" for line in copied]
    assert write_json_rows(lines) == b"".join(decoded_rows)


def test_numbers_keep_every_digit(zones):
    sql = "SELECT f, 1.50 FROM unnest('{0.1,-0,1e-320,1.7976931348623157e308}'::float8[]) f"
    found = zones["UTC"].run(sql, max_rows=9, timeout=100)
    assert found.rows == b"[[0.1,1.50],[-0,1.50],[1e-320,1.50],[1.7976931348623157e+308,1.50]]"


def test_what_is_no_number_is_told_apart_from_null(zones):
    query = (
        "SELECT f::float4, f::numeric, '\"NaN, -Infinity' AS said, 'NaN' || f FROM unnest("
        "'{NaN,Infinity,-Infinity,NULL,1.5}'::text[]) f"
    )
    found = zones["UTC"].run(query, max_rows=9, timeout=100)
    said = '"NaN, -Infinity'
    assert json.loads(found.rows) == [
        *([word, word, said, f"NaN{word}"] for word in ("NaN", "Infinity", "-Infinity")),
        [None, None, said, None],
        [1.5, 1.5, said, "NaN1.5"],
    ]
