"""Streams of each database, written in each format: the rows of `run`, digit by digit, and their types."""

import base64
import csv
import datetime
import io
import json
import math
import subprocess
import sys
import threading
import time
from decimal import Decimal

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sqlchat.connections.streams import UNLIMITED, StreamClosedError
from sqlchat.errors import QueryError, QueryTimeoutError, SQLRefusedError
from sqlchat.exports import FORMATS

BY_NAME = {each.extension: each for each in FORMATS.values()}


def export(connection, sql, extension, *, max_rows=UNLIMITED, idle=200, **options):
    stream = connection.stream(sql, max_rows=max_rows, idle=idle)
    try:
        return b"".join(BY_NAME[extension].write(stream, **options))
    finally:
        stream.close()


def table(connection, sql, **options):
    """The result as Arrow has it; Parquet must hold the same."""
    arrow = pa.ipc.open_stream(export(connection, sql, "arrows", **options)).read_all()
    parquet = pq.read_table(io.BytesIO(export(connection, sql, "parquet", **options)))
    assert parquet.to_pylist() == arrow.to_pylist()
    return arrow


def types(arrow):
    return [str(kind) for kind in arrow.schema.types]


def lines(connection, sql, **options):
    return [json.loads(line, parse_float=str) for line in export(connection, sql, "ndjson", **options).splitlines()]


def fields(connection, sql, **options):
    return list(csv.reader(io.StringIO(export(connection, sql, "csv", **options).decode(), newline="")))


def as_json(connection, sql):
    return json.loads(connection.run(sql, max_rows=1000, timeout=100).rows, parse_float=str)


TEXTS = ["plain", "", 'say "no"', "back\\slash", "two\nlines\r\n", "a,b", "tab\there", "bell\x07", "null", "é😀", "'"]
SAME = "SELECT 1 AS n, 'a' AS t UNION ALL SELECT NULL, NULL UNION ALL SELECT 3, '' ORDER BY 1"


def test_nulls_empty_texts_and_names_that_occur_twice(any_connection):
    sql = "SELECT 1 AS a, NULL AS b, '' AS a, '' AS a_2 UNION ALL SELECT NULL, NULL, 'x', 'y'"
    names = ["a", "b", "a_3", "a_2"]
    expected = [[1, None, "", ""], [None, None, "x", "y"]]
    found = lines(any_connection, sql)
    assert [list(row) for row in found] == [names] * 2
    assert sorted(map(str, ([*row.values()] for row in found))) == sorted(map(str, expected))
    assert export(any_connection, sql, "csv").splitlines()[0] == b"a,b,a,a_2"
    assert sorted(export(any_connection, sql, "csv").splitlines()[1:]) == sorted([b'1,,"",""', b",,x,y"])
    assert table(any_connection, sql).column_names == names


def test_texts_are_whole(any_connection):
    literals = [text.replace("'", "''") for text in TEXTS]
    if any_connection.dialect == "mysql":
        literals = [text.replace("\\", "\\\\") for text in literals]
    sql = " UNION ALL ".join(f"SELECT {number} AS n, '{text}' AS t" for number, text in enumerate(literals))
    assert sorted(map(tuple, as_json(any_connection, sql))) == list(enumerate(TEXTS))
    assert sorted((row["n"], row["t"]) for row in lines(any_connection, sql)) == list(enumerate(TEXTS))
    assert sorted((int(n), t) for n, t in fields(any_connection, sql)[1:]) == list(enumerate(TEXTS))
    assert sorted((row["n"], row["t"]) for row in table(any_connection, sql).to_pylist()) == list(enumerate(TEXTS))


def test_no_rows_leave_the_names_and_types(any_connection):
    sql = "SELECT 1 AS n, 'x' AS t WHERE 1 = 0"
    if any_connection.dialect == "mysql":
        sql = "SELECT 1 AS n, 'x' AS t FROM dual WHERE 1 = 0"
    assert export(any_connection, sql, "csv") == b"n,t\r\n"
    assert export(any_connection, sql, "ndjson") == b""
    assert table(any_connection, sql).num_rows == 0
    assert table(any_connection, sql).column_names == ["n", "t"]


def test_a_column_of_nulls_keeps_its_lines(any_connection):
    assert len(fields(any_connection, "SELECT NULL AS n UNION ALL SELECT NULL")) == 3


def test_lists_and_records_are_one_field_of_csv(duck):
    sql = "SELECT [1, 2] AS list, [] AS none, {'a': 1.5} AS record, [NULL] AS unknown, 7 AS number"
    assert fields(duck, sql)[1] == ["[1,2]", "[]", '{"a":1.5}', "[null]", "7"]


def test_a_limit_holds(any_connection):
    sql = "SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3"
    assert len(lines(any_connection, sql, max_rows=2)) == 2


def test_formulas_are_guarded_where_asked(any_connection):
    sql = "SELECT '=1+1' AS a, '+1' AS b, '-1' AS c, '@x' AS d, -5 AS e, 'a=b' AS f, '\t1' AS \"=g\""
    if any_connection.dialect == "mysql":
        sql = sql.replace('"=g"', "`=g`")
    sql += ", '＝1' AS h, '\n@x' AS i"
    kept, guarded = (fields(any_connection, sql, guards_formulas=guards) for guards in (False, True))
    names, texts = (
        ["a", "b", "c", "d", "e", "f"],
        ["'=1+1", "'+1", "'-1", "'@x", "-5", "a=b", "'\t1", "'＝1", "'\n@x"],
    )
    assert kept == [[*names, "=g", "h", "i"], [text.removeprefix("'") for text in texts]]
    assert guarded == [[*names, "'=g", "h", "i"], texts]


def test_faults_before_the_first_row_are_raised_at_once(any_connection):
    with pytest.raises((QueryError, SQLRefusedError)):
        any_connection.stream("SELECT nothing_of_that_name", max_rows=5, idle=5)
    assert as_json(any_connection, "SELECT 1") == [[1]]


def test_many_rows_arrive_whole_and_in_order(any_connection):
    count = 30_000
    sql = {
        "postgres": f"SELECT n, 'row ' || n AS t FROM generate_series(1, {count}) AS n",
        "duckdb": f"SELECT n, 'row ' || n AS t FROM range(1, {count + 1}) AS r(n)",
        "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 30000) "
        "SELECT n, 'row ' || n AS t FROM s",
        "mysql": "WITH d AS (SELECT 0 AS i UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL "
        "SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) "
        "SELECT 1 + a.i + 10 * b.i + 100 * c.i + 1000 * d.i + 10000 * e.i AS n, CONCAT('row ', 1 + a.i + 10 * b.i + "
        "100 * c.i + 1000 * d.i + 10000 * e.i) AS t FROM d a, d b, d c, d, d e WHERE e.i < 3 ORDER BY 1",
    }[any_connection.dialect]
    expected = [{"n": n, "t": f"row {n}"} for n in range(1, count + 1)]
    assert lines(any_connection, sql) == expected
    assert table(any_connection, sql).to_pylist() == expected


def test_postgres_types(postgres):
    sql = """SELECT 1.50::numeric(10,2) AS d, 12345678901234567890123456789012345678901.5::numeric(50,1) AS big,
        0.1000::numeric AS free, 9223372036854775807 AS i, 2::smallint AS s, 1.5::real AS r, 1e300::float8 AS f,
        true AS b, date '2024-02-29' AS day, timestamp '2024-02-29 12:30:00.5' AS ts,
        timestamptz '2024-02-29 12:30:00+02' AS tz, time '12:30:01' AS t, '00ff'::bytea IS NULL AS no,
        '7d444840-9dc0-11d1-b245-5ffdce74fad2'::uuid AS u"""
    arrow = table(postgres, sql)
    assert types(arrow) == [
        *("decimal128(10, 2)", "decimal256(50, 1)", "string", "int64", "int16", "float", "double", "bool"),
        *("date32[day]", "timestamp[us]", "timestamp[us, tz=UTC]", "time64[us]", "bool", "string"),
    ]
    (row,) = arrow.to_pylist()
    assert row["d"] == Decimal("1.50")
    assert row["big"] == Decimal("12345678901234567890123456789012345678901.5")
    assert (row["free"], row["i"], row["f"]) == ("0.1000", 9223372036854775807, 1e300)
    assert row["tz"] == datetime.datetime(2024, 2, 29, 10, 30, tzinfo=datetime.UTC)
    assert row["ts"] == datetime.datetime(2024, 2, 29, 12, 30, 0, 500000)
    assert [list(each.values()) for each in lines(postgres, sql)] == as_json(postgres, sql)
    assert fields(postgres, sql)[1][:4] == [
        "1.50",
        "12345678901234567890123456789012345678901.5",
        "0.1000",
        str(2**63 - 1),
    ]


def test_postgres_values_that_are_decoded(postgres):
    sql = """SELECT 1.50::numeric(10,2) AS d, decode('00ff10', 'hex') AS b, ARRAY[1, NULL, 3] AS a,
        '{"k": [1.10, "x"]}'::jsonb AS j, 'say "x"' AS t, NULL::bytea AS n, now() IS NULL AS no"""
    arrow = table(postgres, sql)
    assert types(arrow) == ["decimal128(10, 2)", "binary", "string", "string", "string", "binary", "bool"]
    (row,) = arrow.to_pylist()
    assert (row["d"], row["b"], row["a"]) == (Decimal("1.50"), b"\x00\xff\x10", "[1,null,3]")
    assert json.loads(row["j"], parse_float=str) == {"k": ["1.10", "x"]}
    assert row["t"] == 'say "x"'
    assert [list(each.values()) for each in lines(postgres, sql)] == as_json(postgres, sql)
    assert fields(postgres, sql)[1][1] == base64.b64encode(b"\x00\xff\x10").decode()


DOCUMENTS = {
    "postgres": """SELECT '"say \\"x\\""'::jsonb AS a, '{"k":\n [1.10, "a,b"]}'::json AS b, 'null'::jsonb AS c,
        '7'::json AS d, ARRAY['x', NULL] AS e, '"\\ud800"'::json AS f, 'plain' AS g""",
    "duck": """SELECT '"say \\"x\\""'::JSON AS a, '{"k":\n [1.10, "a,b"]}'::JSON AS b, 'null'::JSON AS c,
        '7'::JSON AS d, ['x', NULL] AS e, union_value(s := 'x') AS f, 'plain' AS g""",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_valid_json_in_arrow_and_parquet(name, request):
    connection = request.getfixturevalue(name)
    arrow = table(connection, DOCUMENTS[name])
    (row,) = arrow.to_pylist()
    assert set(types(arrow)) == {"string"}
    assert json.loads(row["a"]) == 'say "x"'
    assert json.loads(row["b"], parse_float=str) == {"k": ["1.10", "a,b"]}
    assert (row["c"], json.loads(row["d"]), json.loads(row["e"])) == (None, 7, ["x", None])
    assert json.loads(row["f"])
    assert row["g"] == "plain"
    assert len(export(connection, DOCUMENTS[name], "ndjson").splitlines()) == 1
    assert [list(each.values()) for each in lines(connection, DOCUMENTS[name])] == as_json(
        connection, DOCUMENTS[name]
    )
    assert fields(connection, DOCUMENTS[name])[1][:4] == ['say "x"', row["b"], "", "7"]


def test_values_of_many_rows_keep_their_places(any_connection):
    """Rows with each kind of text beside rows without any, in one block."""
    texts = ["a", "", "b,c", 'd"e', "f\ng", "h\\", "[", "null", "NaN", "=1", "é"]
    literals = [text.replace("'", "''") for text in texts]
    if any_connection.dialect == "mysql":
        literals = [literal.replace("\\", "\\\\") for literal in literals]
    sql = " UNION ALL ".join(
        f"SELECT {number} AS n, '{literal}' AS t, {number % 3} AS m" for number, literal in enumerate(literals)
    )
    sql += " UNION ALL SELECT 98, NULL, NULL ORDER BY 1"
    expected = [[number, text, number % 3] for number, text in enumerate(texts)] + [[98, None, None]]
    assert as_json(any_connection, sql) == expected
    assert [list(row.values()) for row in lines(any_connection, sql)] == expected
    assert [list(row.values()) for row in table(any_connection, sql).to_pylist()] == expected
    shown = [["" if value is None else str(value) for value in row] for row in expected]
    assert fields(any_connection, sql) == [["n", "t", "m"], *shown]


IMPORTING = """
import sys
from sqlchat.connections.postgres.csv import quote_no_numbers
from sqlchat.connections.postgres.rows import read_typed
from sqlchat.connections.results import Header
from sqlchat.connections.streams import Stream
from sqlchat.exports import FORMATS
header = Header(("a", "b"), ("", ""), ("int64", "string"), (False, False))
for each in FORMATS.values():
    stream = Stream(header, [b'1,"x"\\n2,"y"\\n'], lambda: None, quote_no_numbers, read_typed)
    assert b"".join(each.write(stream))
    assert stream.row_count == 2
assert "pandas" not in sys.modules
"""


def test_an_export_imports_no_pandas_and_a_worker_no_arrow():
    worker = "import sys, sqlchat.connections.sqlite.connection, sqlchat.connections.duckdb.connection\n"
    for code in (IMPORTING, worker + "assert 'pyarrow' not in sys.modules"):
        subprocess.run([sys.executable, "-c", code], check=True, timeout=100)


def test_postgres_tells_of_plans_and_settings(postgres):
    assert lines(postgres, "SHOW server_version_num")[0]["server_version_num"].isdigit()


def test_what_arrow_has_no_word_for_is_an_error(postgres):
    sql = "SELECT date '0044-03-15 BC' AS ides"
    with pytest.raises(QueryError, match="'ides' holds a value that date32"):
        export(postgres, sql, "arrows")
    assert "BC" in export(postgres, sql, "csv").decode()


def test_duckdb_types(duck):
    sql = """SELECT 1.50::DECIMAL(10,2) AS d, 170141183460469231731687303715884105727::HUGEINT AS h,
        200::UTINYINT AS u,
        'ab'::BLOB AS b, DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 12:30:00.5' AS ts,
        TIMESTAMPTZ '2024-02-29 12:30:00+02' AS tz, TIMESTAMP_NS '2024-02-29 12:30:00.123456789' AS ns,
        [1, 2] AS l, {'k': 1.10} AS s, true AS f, 1.5::FLOAT AS r, INTERVAL 1 MONTH AS i, '{"k": 1.10}'::JSON AS j"""
    arrow = table(duck, sql)
    assert types(arrow) == [
        *("decimal128(10, 2)", "decimal256(39, 0)", "uint8", "binary", "date32[day]", "timestamp[us]"),
        *("timestamp[us, tz=UTC]", "timestamp[ns]", "string", "string", "bool", "float", "string", "string"),
    ]
    row = {name: arrow.column(name)[0] for name in arrow.column_names}
    assert (row["d"].as_py(), row["h"].as_py()) == (Decimal("1.50"), 2**127 - 1)
    assert (row["b"].as_py(), row["u"].as_py(), row["l"].as_py()) == (b"ab", 200, "[1,2]")
    assert row["ns"].value % 10**9 == 123456789
    assert row["tz"].as_py() == datetime.datetime(2024, 2, 29, 10, 30, tzinfo=datetime.UTC)
    assert [list(each.values()) for each in lines(duck, sql)] == as_json(duck, sql)


def test_sqlite_types_are_those_of_the_first_rows(sqlite):
    sql = "SELECT 1 AS i, 1.5 AS r, 'x' AS t, x'00ff' AS b, NULL AS n UNION ALL SELECT 2, 2, 'y', NULL, NULL"
    arrow = table(sqlite, sql)
    assert types(arrow) == ["int64", "double", "string", "binary", "string"]
    assert [list(row.values()) for row in arrow.to_pylist()] == [
        [1, 1.5, "x", b"\x00\xff", None],
        [2, 2.0, "y", None, None],
    ]
    later = (
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 9000) "
        "SELECT CASE WHEN n < 8000 THEN n ELSE 'late' END AS x FROM s"
    )
    assert lines(sqlite, later)[-1] == {"x": "late"}
    with pytest.raises(QueryError, match="'x' holds a value that int64 cannot hold"):
        export(sqlite, later, "parquet")


def test_an_integer_beside_reals_is_not_rounded(sqlite):
    sql = "SELECT 1.5 AS x UNION ALL SELECT {}"
    assert table(sqlite, sql.format(2**53)).to_pylist() == [{"x": 1.5}, {"x": float(2**53)}]
    odd = sql.format(2**53 + 1)
    assert lines(sqlite, odd)[1] == {"x": 2**53 + 1}
    with pytest.raises(QueryError, match="'x' holds a value that double cannot hold"):
        export(sqlite, odd, "parquet")


def test_mysql_types(mysql):
    sql = """SELECT CAST(1.50 AS DECIMAL(10,2)) AS d, CAST(18446744073709551615 AS UNSIGNED) AS u, 1.5e0 AS f,
        CAST('2024-02-29' AS DATE) AS day, CAST('2024-02-29 12:30:00.5' AS DATETIME(1)) AS ts, x'00ff' AS b, 'x' AS t,
        CAST('12:30:00' AS TIME) AS c"""
    arrow = table(mysql, sql)
    assert types(arrow) == [
        *("decimal128(10, 2)", "uint64", "double", "date32[day]", "timestamp[us]", "binary", "string", "string"),
    ]
    (row,) = arrow.to_pylist()
    assert (row["d"], row["u"], row["b"]) == (Decimal("1.50"), 2**64 - 1, b"\x00\xff")
    assert row["ts"] == datetime.datetime(2024, 2, 29, 12, 30, 0, 500000)
    assert [list(each.values()) for each in lines(mysql, sql)] == as_json(mysql, sql)


def test_parquet_is_read_by_duckdb(postgres, tmp_path):
    sql = "SELECT n, (n / 4.0)::numeric(12,2) AS d, date '2024-01-01' + n AS day FROM generate_series(1, 1000) AS n"
    path = tmp_path / "x.parquet"
    path.write_bytes(export(postgres, sql, "parquet"))
    with duckdb.connect() as reader:
        found = reader.execute(f"SELECT count(*), sum(d), max(day), typeof(any_value(d)) FROM '{path}'").fetchall()
    assert found == [(1000, Decimal("125125.00"), datetime.date(2026, 9, 27), "DECIMAL(12,2)")]


ENDLESS = {
    "postgres": "SELECT count(*) FROM generate_series(1, 10000000000)",
    "duckdb": "SELECT count(*) FROM range(10000000000) a, range(100) b WHERE a.range * b.range % 7 = 3",
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT count(*) FROM s",
    "mysql": "WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 1000) "
    "SELECT count(*) FROM s a, s b, s c, s d WHERE a.n * b.n * c.n * d.n % 7 = 3",
}
FLOWING = {
    "postgres": "SELECT generate_series(1, 100000000) AS n, repeat('x', 200) AS t",
    "duckdb": "SELECT n, repeat('x', 200) AS t FROM range(100000000) AS r(n)",
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT n, printf('%200d', n) FROM s",
    "mysql": "WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 1000) "
    "SELECT a.n, repeat('x', 200) AS t FROM s a, s b, s c",
}


def test_a_statement_without_rows_ends_at_the_idle_limit(any_connection):
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        export(any_connection, ENDLESS[any_connection.dialect], "csv", idle=0.7)
    assert time.monotonic() - started < 100
    assert as_json(any_connection, "SELECT 1") == [[1]]


def test_rows_that_flow_outlive_the_limit_and_a_slow_reader(any_connection):
    export(any_connection, "SELECT 1 AS n", "csv")  # by which all that takes part has begun
    stream = any_connection.stream(FLOWING[any_connection.dialect], max_rows=UNLIMITED, idle=5)
    batches = iter(stream)
    started = time.monotonic()
    while time.monotonic() - started < 7:
        next(batches)
        time.sleep(0.3)
    stream.close()


def test_closing_frees_everything_soon(any_connection):
    stream = any_connection.stream(FLOWING[any_connection.dialect], max_rows=UNLIMITED, idle=200)
    next(iter(stream))
    started = time.monotonic()
    stream.close()
    while any(thread.name == "stream" for thread in threading.enumerate()):
        assert time.monotonic() - started < 100
        time.sleep(0.01)
    with pytest.raises(StreamClosedError):
        list(stream)
    assert as_json(any_connection, "SELECT 1") == [[1]]


def test_closing_wakes_whoever_waits_for_rows(postgres):
    stream = postgres.stream("SELECT 1 UNION ALL SELECT pg_sleep(300) IS NULL::int", max_rows=5, idle=200)
    threading.Timer(0.3, stream.close).start()
    started = time.monotonic()
    with pytest.raises(StreamClosedError):
        list(stream)
    assert time.monotonic() - started < 100


def test_what_was_sent_before_a_fault_is_there(postgres):
    stream = postgres.stream(
        "SELECT 1 / (20000 - n) FROM generate_series(1, 30000) AS n", max_rows=UNLIMITED, idle=200
    )
    with pytest.raises(QueryError, match="Division by zero"):
        list(stream)
    stream.close()


def test_json_is_read_back_as_what_run_answers(any_connection):
    found = orjson.loads(any_connection.run(SAME, max_rows=10, timeout=100).rows)
    assert [list(row.values()) for row in lines(any_connection, SAME)] == found


def test_what_is_no_number_is_told_apart_from_null(postgres, execute):
    execute("CREATE TYPE st AS ENUM ('new', 'paid')")
    sql = (
        "SELECT 'NaN'::float8 AS a, '-Infinity'::real AS b, 'NaN'::numeric AS c, 'paid'::st AS d, "
        "'{Infinity,NULL}'::float8[] AS e, NULL::float8 AS f, ''::text AS g"
    )
    words = ["NaN", "-Infinity", "NaN", "paid"]
    assert as_json(postgres, sql) == [[*words, ["Infinity", None], None, ""]]
    assert fields(postgres, sql)[1] == [*words, '["Infinity",null]', "", ""]
    assert list(lines(postgres, sql)[0].values()) == [*words, ["Infinity", None], None, ""]
    arrow = table(postgres, sql.replace("'NaN'::float8 AS a, ", ""))
    assert list(arrow.to_pylist()[0].values()) == [-math.inf, "NaN", "paid", '["Infinity",null]', None, ""]
    day = "SELECT 'infinity'::timestamptz AS a, '-infinity'::date AS b, NULL::date AS c"
    assert as_json(postgres, day) == [["infinity", "-infinity", None]]
    assert fields(postgres, day)[1] == ["infinity", "-infinity", ""]


def test_mysql_values_of_declared_types(mysql, mysql_server):
    with mysql_server() as raw, raw.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS declared")
        cursor.execute(
            "CREATE OR REPLACE TABLE declared.t (a BIGINT UNSIGNED, b ENUM('x', ''), c SET('p', 'q'), d BLOB, "
            "e BINARY(2), f DOUBLE, g BIT(3))"
        )
        cursor.execute("INSERT INTO declared.t VALUES (18446744073709551615, 'x', 'p,q', x'00ff', 'a', 0.1, b'101')")
        cursor.execute("INSERT INTO declared.t (b) VALUES ('')")
    sql = "SELECT * FROM declared.t ORDER BY a DESC"
    assert mysql.run(sql, max_rows=9, timeout=100).types == (
        "bigint unsigned", "enum", "set", "blob", "binary", "double", "bit",
    )  # fmt: skip
    shown = [18446744073709551615, "x", "p,q", "AP8=", "YQA=", "0.1", 5]
    assert as_json(mysql, sql) == [shown, [None, "", *[None] * 5]]
    assert fields(mysql, sql)[1:] == [list(map(str, shown)), [""] * 7]
    assert [list(line.values()) for line in lines(mysql, sql)] == as_json(mysql, sql)
    arrow = table(mysql, sql)
    assert types(arrow) == ["uint64", "string", "string", "binary", "binary", "double", "uint64"]
    assert list(arrow.to_pylist()[0].values()) == [shown[0], "x", "p,q", b"\x00\xff", b"a\x00", 0.1, 5]
