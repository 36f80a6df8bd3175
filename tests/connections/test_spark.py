"""Spark Connect as it is served: by Sail, and by a cluster of Apache Spark where one is installed."""

import contextlib
import datetime
import io
import itertools
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from certificates import Authority
from ports import free_port
from relays import relay
from spark_servers import ON_CLUSTER, ON_EACH_SERVER, Sail

from sqlchat.config import Settings
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.spark.connection import SparkConnection
from sqlchat.connections.streams import UNLIMITED
from sqlchat.errors import (
    BusyError,
    ConnectionConfigError,
    DatabaseUnavailableError,
    QueryError,
    QueryTimeoutError,
    SQLRefusedError,
    TooLargeError,
    UnknownNameError,
)
from sqlchat.exports import FORMATS
from sqlchat.sql.policies.policy import Policy, apply_policy

NUMBERS = itertools.count(1)
SLOW = "SELECT count(*) FROM range(1000000000000) WHERE sqrt(id) * rand() > 1e12"


@pytest.fixture
def own(spark_server):
    """A session of the test's own in a fresh database, and the config of a connection that joins it."""
    session = spark_server.open(user="tester")
    name = f"test_{next(NUMBERS)}"
    session.command(f"CREATE DATABASE {name}")
    session.command(f"USE DATABASE {name}")
    yield session, spark_server.config | {"user": "tester", "session_id": session.id, "database": name}
    session.command(f"DROP DATABASE {name} CASCADE")
    session.close()


def connect(config, **settings):
    usual = {"max_result_mb": 1, "pool_size": 2, "pool_timeout": 0.3, "spark_paths": ("/",)}
    return SparkConnection(config, Settings(**(usual | settings)), None)


@pytest.fixture
def spark(spark_server):
    connection = connect(spark_server.config)
    yield connection
    connection.close()


@pytest.fixture
def files(spark_server, tmp_path):
    """A connection that names a folder of Parquet and a file of CSV."""
    tmp_path.chmod(0o755)
    orders = {"id": range(1, 1001), "country": ["Chile", "Peru"] * 500, "amount": [Decimal("1.50")] * 1000}
    (tmp_path / "orders").mkdir()
    pq.write_table(
        pa.table({name: pa.array(list(each)) for name, each in orders.items()}), tmp_path / "orders/1.parquet"
    )
    (tmp_path / "people.csv").write_text("id,name\n1,Ann\n2,Bob\n")
    tables = {"orders": f"{tmp_path}/orders/", "people": f"{tmp_path}/people.csv"}
    connection = connect(spark_server.config | {"tables": tables}, spark_paths=(str(tmp_path),))
    yield connection
    connection.close()


def rows(connection, sql, max_rows=1000, timeout=100.0):
    return json.loads(connection.run(sql, max_rows=max_rows, timeout=timeout).rows, parse_float=Decimal)


@ON_EACH_SERVER
def test_values_keep_their_meaning(spark):
    result = spark.run(
        "SELECT 1.50BD AS price, 9223372036854775807 AS big, CAST('NaN' AS DOUBLE) AS nan, "
        "CAST('-Infinity' AS FLOAT) AS low, CAST(0.1 AS FLOAT) AS tenth, TIMESTAMP '2024-01-02 03:04:05 UTC' AS at, "
        "TIMESTAMP_NTZ '2024-01-02 03:04:05.123456' AS here, DATE '2024-01-02' AS day, X'00ff' AS bytes, "
        "true AS yes, NULL AS nothing, 'ü\\'' AS text",
        max_rows=5,
        timeout=60,
    )
    assert json.loads(result.rows, parse_float=Decimal) == [
        [
            Decimal("1.50"), 9223372036854775807, "NaN", "-Infinity", Decimal("0.1"), "2024-01-02T03:04:05+00:00",
            "2024-01-02T03:04:05.123456", "2024-01-02", "AP8=", True, None, "ü'",
        ]
    ]  # fmt: skip
    assert result.columns[:2] == ("price", "big")
    assert result.types == (
        "decimal(3,2)", "bigint", "double", "float", "float", "timestamp", "timestamp_ntz", "date", "binary",
        "boolean", "void", "string",
    )  # fmt: skip


@ON_EACH_SERVER
@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("CAST('0.000000000000000001' AS DECIMAL(38, 18))", Decimal("1E-18")),
        (
            "CAST('-123456789012345678901234567890.12345678' AS DECIMAL(38, 8))",
            Decimal("-123456789012345678901234567890.12345678"),
        ),
        ("TIMESTAMP '1600-01-01 00:00:00.5 UTC'", "1600-01-01T00:00:00.500000+00:00"),
        ("TIMESTAMP_NTZ '2024-12-31 23:59:59'", "2024-12-31T23:59:59"),
        ("DATE '0001-01-01'", "0001-01-01"),
        ("CAST(1 AS DOUBLE)", 1),
        ("named_struct('a', 1.50BD, 'b', array(1, NULL))", {"a": Decimal("1.50"), "b": [1, None]}),
        ("map('k', array(1, 2))", {"k": [1, 2]}),
        ("map(1, 'x')", {"1": "x"}),
        ("INTERVAL '3' DAY", "3 days"),
        ("INTERVAL '1 02:03:04.5' DAY TO SECOND", "1 day 02:03:04.5"),
        ("INTERVAL '14' MONTH", "INTERVAL '14' MONTH"),
        ('parse_json(\'{"a": [1, "x"]}\')', {"a": [1, "x"]}),
        ("array(CAST('NaN' AS DOUBLE))", ["NaN"]),
        ("array(named_struct('f', CAST(0.1 AS FLOAT)), NULL)", [{"f": Decimal("0.1")}, None]),
        ("array(make_date(12024, 1, 2), DATE '0001-01-01')", ["12024-01-02", "0001-01-01"]),
        ("map(array(1, 2), named_struct('a', 1.50BD))", {"[1,2]": {"a": Decimal("1.50")}}),
        ("map(named_struct('d', DATE '2024-01-02'), array())", {'{"d":"2024-01-02"}': []}),
        ("map(CAST('NaN' AS DOUBLE), NULL)", {"NaN": None}),
        ("map(1.50BD, map(X'00ff', 'x'))", {"1.50": {"AP8=": "x"}}),
    ],
)
def test_nested_values_and_intervals(spark, sql, value):
    assert rows(spark, f"SELECT 1 AS n, {sql} AS v, 2 AS n") == [[1, value, 2]]


@ON_EACH_SERVER
def test_fields_of_one_name_are_numbered(spark):
    ((value,),) = rows(spark, "SELECT named_struct('a', 1, 'a', 2) AS v")
    assert value in ({"a": 1, "a_2": 2}, {"a_0": 1, "a_1": 2})  # Apache Spark numbers them itself


def test_nested_values_keep_their_rows(spark):
    sql = (
        "SELECT id, CASE WHEN id % 2 = 0 THEN sequence(1, id) END AS l, "
        "CASE WHEN id % 3 > 0 THEN named_struct('s', id, 'm', map(id, array(id))) END AS s "
        "FROM range(7) ORDER BY id"
    )
    made = [[n, list(range(1, n + 1)), {"s": n, "m": {str(n): [n]}}] for n in range(7)]
    made[0][1] = [1, 0]  # Spark counts down
    expected = [[n, None if n % 2 else one, two if n % 3 else None] for n, one, two in made]
    assert rows(spark, sql) == expected
    assert rows(spark, sql, max_rows=5) == expected[:5]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("array()", "[]"),
        ("map()", "{}"),
        ("array(make_date(12024, 1, 2))", '["12024-01-02"]'),
        ("map(array(1), 'x')", '{"[1]":"x"}'),
        ("CAST('12:34:56.5' AS TIME)", '"12:34:56.500000"'),
    ],
)
def test_each_format_takes_what_an_answer_does(spark, sql, text):
    sql = f"SELECT {sql} AS v"
    assert spark.run(sql, max_rows=5, timeout=60).rows.decode() == f"[[{text}]]"
    for each in FORMATS.values():
        stream = spark.stream(sql, max_rows=UNLIMITED, idle=60)
        written = b"".join(each.write(stream))
        stream.close()
        if each.extension == "ndjson":
            assert written.decode() == f'{{"v":{text}}}\n'
        elif each.extension == "parquet":
            assert pq.read_table(io.BytesIO(written)).num_rows == 1


@ON_EACH_SERVER
def test_rows_are_cut_and_said_to_be(spark):
    result = spark.run("SELECT id FROM range(10) ORDER BY id DESC", max_rows=3, timeout=100)
    assert (result.rows, result.row_count, result.truncated) == (b"[[9],[8],[7]]", 3, True)
    result = spark.run("SELECT id FROM range(3)", max_rows=3, timeout=100)
    assert (result.row_count, result.truncated) == (3, False)
    empty = spark.run("SELECT id, 'x' AS t FROM range(3) WHERE id > 5", max_rows=3, timeout=100)
    assert (empty.columns, empty.types, empty.rows) == (("id", "t"), ("bigint", "string"), b"[]")
    assert spark.run("SELECT 1 AS a", max_rows=0, timeout=100).truncated


def test_a_result_of_too_many_bytes_is_refused(spark):
    with pytest.raises(TooLargeError, match="larger than 1 MiB"):
        spark.run("SELECT repeat('x', 1000) AS t FROM range(2000)", max_rows=5000, timeout=100)


@ON_EACH_SERVER
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 -- a comment",
        "SELECT 1;",
        "/* one /* in another */ */ SELECT 1",
        "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
        "(SELECT 1)",
        "VALUES (1)",
        "SELECT n FROM (SELECT 1 AS n) a JOIN (SELECT 1 AS n) b USING (n)",
        "SELECT transform(array(1), x -> x)[0]",
    ],
)
def test_honest_texts_run_as_they_are_written(spark, sql):
    assert rows(spark, sql) == [[1]]


@ON_EACH_SERVER
@pytest.mark.parametrize(
    ("sql", "kind", "said"),
    [
        ("SELECT nope FROM range(1)", UnknownNameError, "nope"),
        ("SELECT * FROM nope", UnknownNameError, "nope"),
        ("SELECT 1 +", QueryError, ""),
        ("SELECT raise_error('a fault of its own')", QueryError, "a fault of its own"),
    ],
)
def test_faults_are_told_in_the_server_s_words_without_ours(spark, sql, kind, said):
    with pytest.raises(kind) as caught:
        spark.run(sql, max_rows=5, timeout=100)
    assert said in caught.value.detail
    assert "SELECT * FROM (" not in caught.value.detail
    assert "LIMIT" not in caught.value.detail
    with pytest.raises(QueryError):
        spark.run(sql, max_rows=5, timeout=100)


@ON_EACH_SERVER
def test_a_statement_ends_at_its_deadline_and_the_session_goes_on(spark, spark_server):
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError, match=f"longer than {spark_server.short:g} s"):
        spark.run(SLOW, max_rows=5, timeout=spark_server.short)
    assert time.monotonic() - started < spark_server.short + 60
    assert rows(spark, "SELECT 1") == [[1]]


def test_who_finds_no_free_session_is_told_so(spark_server):
    connection = connect(spark_server.config, pool_size=1)
    try:
        rows(connection, "SELECT 1")
        slow = ThreadPoolExecutor(1).submit(rows, connection, SLOW, 5, 5 * spark_server.short)
        time.sleep(1)
        with pytest.raises(BusyError):
            rows(connection, "SELECT 1")
        assert isinstance(slow.exception(), QueryTimeoutError)
        assert rows(connection, "SELECT 1") == [[1]]
    finally:
        connection.close()


@ON_EACH_SERVER
def test_the_catalog_has_tables_views_and_their_columns(own):
    session, config = own
    session.command("CREATE TABLE kept (n INT COMMENT 'a number', price DECIMAL(10, 2), tags ARRAY<STRING>)")
    session.command("CREATE VIEW seen AS SELECT n FROM kept")
    session.command("CREATE TEMPORARY VIEW passing AS SELECT 1 AS n")
    connection = connect(config)
    catalog = connection.catalog()
    connection.close()
    tables = {table.name: table for table in catalog.tables}
    assert set(tables) == {"kept", "seen"}
    assert [(each.name, each.type) for each in tables["kept"].columns] == [
        ("n", "int"), ("price", "decimal(10,2)"), ("tags", "array<string>"),
    ]  # fmt: skip
    assert tables["kept"].columns[0].comment == "a number"
    assert (tables["seen"].kind, tables["kept"].kind) == ("view", "table")
    assert tables["seen"].definition.strip() == "SELECT n FROM kept"
    assert {table.schema for table in catalog.tables} == {config["database"]} == {catalog.default_schema}
    assert catalog.database


@ON_EACH_SERVER
def test_a_view_shows_nothing_of_a_table_of_the_same_name_in_another_schema(own):
    session, config = own
    other = f"{config['database']}_b"
    session.command("CREATE TABLE kept (n INT)")
    session.command(f"CREATE DATABASE {other}")
    session.command(f"CREATE TABLE {other}.kept (n INT)")
    session.command(f"USE DATABASE {other}")
    session.command("CREATE VIEW seen AS SELECT n FROM kept")
    session.command(f"USE DATABASE {config['database']}")
    connection = connect({name: each for name, each in config.items() if name != "database"})
    catalog = connection.catalog()
    connection.close()
    session.command(f"DROP DATABASE {other} CASCADE")
    judged = apply_policy(catalog, Policy.read({"deny_tables": [f"{other}.kept"]}))
    assert (config["database"], "kept") in judged.readable
    assert judged.readable.isdisjoint({(other, "kept"), (other, "seen")})


def test_names_of_three_parts_are_known(own, workers):
    session, config = own
    session.command("CREATE TABLE kept (n INT)")
    opened = OpenConnection(connect(config), Settings(), workers)
    catalog = opened.catalog.database
    name = f"{catalog}.{config['database']}.kept"
    assert json.loads(opened.run(opened.examine(f"SELECT n FROM {name}")).rows) == []
    with pytest.raises(UnknownNameError, match="nope"):
        opened.examine("SELECT n FROM nope")
    with pytest.raises(UnknownNameError):
        opened.examine(f"SELECT n FROM elsewhere.{config['database']}.kept")


def test_a_catalog_is_chosen_by_its_name(spark_server, own):
    session, config = own
    ((name,),) = session.ask("SELECT current_catalog()", 60)
    connection = connect(config | {"catalog": name})
    assert connection.check() == []
    assert connection.catalog().database == name
    connection.close()
    nowhere = connect(spark_server.config | {"catalog": "nowhere"})
    with pytest.raises(ConnectionConfigError):
        nowhere.check()


@ON_CLUSTER
def test_column_statistics_tell_of_all_rows(spark_server):
    session = spark_server.open()
    rows_of_big = "SELECT id AS n, concat('name ', id % 5) AS t FROM range(20000)"
    session.command(f"CREATE TABLE big AS {rows_of_big}")
    session.command("ANALYZE TABLE big COMPUTE STATISTICS FOR ALL COLUMNS")
    connection = connect(spark_server.config | {"database": "default"})
    catalog = connection.catalog()
    assert catalog.table("big").row_estimate == 20000
    profiles = connection.profiles(catalog, 100)
    number, text = profiles["default", "big", "n"], profiles["default", "big", "t"]
    assert (number.least, number.most) == ("0", "19999")
    assert number.distinct == pytest.approx(20000, rel=0.1)
    assert (text.distinct, len(text.values)) == (5, 5)
    connection.close()
    session.command("DROP TABLE big")
    session.close()


def test_profiles_tell_what_columns_hold(files):
    catalog = files.catalog()
    profiles = files.profiles(catalog, 60)
    country, number = profiles["", "orders", "country"], profiles["", "orders", "id"]
    assert (country.values, country.complete, country.exact) == (("Chile", "Peru"), True, True)
    assert (number.least, number.most, number.unique) == ("1", "1000", True)
    assert profiles["", "orders", "amount"].values == ("1.50",)
    assert profiles["", "people", "name"].values == ("Ann", "Bob")


def test_the_first_rows_of_a_large_table_do_not_pass_for_all(own):
    session, config = own
    session.command("CREATE TABLE big AS SELECT id AS n, concat('name ', id) AS t FROM range(20000)")
    connection = connect(config)
    profiles = connection.profiles(connection.catalog(), 60)
    connection.close()
    number = profiles[config["database"], "big", "n"]
    assert (number.exact, number.unique, number.least) == (False, False, "")


@ON_EACH_SERVER
def test_named_paths_are_tables(files):
    assert rows(files, "SELECT country, count(*), sum(amount) FROM orders GROUP BY 1 ORDER BY 1") == [
        ["Chile", 500, Decimal("750.00")],
        ["Peru", 500, Decimal("750.00")],
    ]
    assert rows(files, "SELECT p.name, o.id FROM people p JOIN orders o ON o.id = p.id ORDER BY 2 DESC") == [
        ["Bob", 2],
        ["Ann", 1],
    ]
    catalog = files.catalog()
    assert {(table.schema, table.name) for table in catalog.tables} >= {("", "orders"), ("", "people")}
    assert [each.name for each in catalog.table("people").columns] == ["id", "name"]
    assert {row[1] for row in rows(files, "SHOW TABLES")} >= {"orders", "people"}


@ON_EACH_SERVER
def test_a_path_that_is_not_there_makes_no_connection(spark_server, tmp_path):
    connection = connect(spark_server.config | {"tables": {"orders": f"{tmp_path}/nothing/"}})
    with pytest.raises(ConnectionConfigError, match=r"(?i)nothing|path"):
        connection.check()
    connection.close()


@pytest.fixture
def delta(tmp_path):
    """A Delta table of cities, one of whose rows was deleted and another added later."""
    deltalake = pytest.importorskip("deltalake")
    tmp_path.chmod(0o755)
    place = str(tmp_path / "cities")
    deltalake.write_deltalake(place, pa.table({"id": [1, 2, 3], "city": ["Lima", "Quito", "Cusco"]}))
    deltalake.write_deltalake(place, pa.table({"id": [4], "city": ["Bogota"]}), mode="append")
    deltalake.DeltaTable(place).delete("id = 2")
    return place


def test_a_delta_table_shows_its_present_rows(spark_server, delta):
    connection = connect(spark_server.config | {"tables": {"cities": {"path": delta, "format": "delta"}}})
    assert connection.check() == []
    assert rows(connection, "SELECT city FROM cities ORDER BY id") == [["Lima"], ["Cusco"], ["Bogota"]]
    assert [column.name for column in connection.catalog().table("cities").columns] == ["id", "city"]
    connection.close()


@ON_EACH_SERVER
def test_a_delta_table_is_not_read_as_the_parquet_files_of_its_past(spark_server, delta):
    connection = connect(spark_server.config | {"tables": {"cities": f"{delta}/"}})
    with pytest.raises(ConnectionConfigError, match="cities is a Delta table; give it the format delta"):
        connection.check()
    connection.close()


@pytest.mark.parametrize(
    ("spark_server", "kind"),
    [
        pytest.param("sail", "orc", id="sail"),
        pytest.param("spark_cluster", "delta", marks=pytest.mark.spark, id="cluster"),
    ],
    indirect=["spark_server"],
    scope="session",
)
def test_a_server_without_the_package_of_a_format_says_so(spark_server, kind, tmp_path):
    connection = connect(spark_server.config | {"tables": {"cities": {"path": f"{tmp_path}/", "format": kind}}})
    with pytest.raises(ConnectionConfigError, match=f"lacks the package that reads the format {kind}"):
        connection.check()
    connection.close()


@ON_EACH_SERVER
def test_a_plan_s_cost_grows_with_what_is_read(files):
    one = files.explain("SELECT country FROM people, orders WHERE people.id = orders.id AND people.id = 1")
    assert one.cost or one.no_cost_because
    few = files.explain("SELECT id FROM orders").cost
    crossed = files.explain("SELECT a.id FROM orders a, orders b, orders c WHERE a.id > b.id AND b.id > c.id").cost
    assert 0 < few < crossed / 100
    with pytest.raises(UnknownNameError):
        files.explain("SELECT nope FROM orders")
    with pytest.raises(QueryError):
        files.explain("SELECT (1 FROM orders")


@ON_EACH_SERVER
def test_whole_results_keep_their_types(files):
    sql = (
        "SELECT id, country, amount, array(id) AS ids, named_struct('a', amount) AS s, INTERVAL '1' MONTH AS m, "
        "INTERVAL '2' DAY AS d, X'00ff' AS b, TIMESTAMP '2024-01-02 03:04:05 UTC' AS at FROM orders ORDER BY id"
    )
    written = {}
    for each in FORMATS.values():
        stream = files.stream(sql, max_rows=UNLIMITED, idle=60)
        written[each.extension] = b"".join(each.write(stream))
        assert stream.row_count == 1000
        stream.close()
    arrow = pa.ipc.open_stream(written["arrows"]).read_all()
    assert arrow.equals(pq.read_table(io.BytesIO(written["parquet"])).cast(arrow.schema))
    assert [str(kind) for kind in arrow.schema.types[:3]] == ["int64", "string", "decimal128(3, 2)"]
    first = arrow.slice(0, 1).to_pylist()[0]
    assert first["ids"] == [1]
    assert first["s"] == {"a": Decimal("1.50")}
    assert (first["m"], first["d"], first["b"]) == ("INTERVAL '1' MONTH", "2 days", b"\x00\xff")
    assert first["at"] == datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    lines = [json.loads(line, parse_float=str) for line in written["ndjson"].splitlines()]
    assert (len(lines), lines[0]["amount"], lines[0]["s"]) == (1000, "1.50", {"a": "1.50"})
    assert written["csv"].splitlines()[1] == (
        b'1,Chile,1.50,[1],"{""a"":1.50}",INTERVAL \'1\' MONTH,2 days,AP8=,2024-01-02T03:04:05+00:00'
    )


@ON_EACH_SERVER
def test_an_empty_result_has_its_types(spark):
    stream = spark.stream("SELECT id, 'x' AS t FROM range(3) WHERE id > 5", max_rows=UNLIMITED, idle=60)
    assert b"".join(stream) == b""
    assert [str(kind) for kind in stream.header.arrow] == ["int64", "string"]


@ON_EACH_SERVER
def test_a_stream_ends_at_its_limit_and_when_it_is_closed(spark, spark_server):
    stream = spark.stream("SELECT id FROM range(100000000)", max_rows=5, idle=60)
    assert sum(block.count(b"\n") for block in stream) == 5
    stream.close()
    stream = spark.stream("SELECT id FROM range(3000000)", max_rows=UNLIMITED, idle=60)
    next(iter(stream))
    stream.close()
    assert rows(spark, "SELECT 1") == [[1]]
    with pytest.raises(QueryTimeoutError):
        list(spark.stream(SLOW, max_rows=5, idle=spark_server.short))


def test_nothing_of_one_connection_s_session_is_seen_by_another(spark_server):
    mine, other = connect(spark_server.config), connect(spark_server.config)
    try:
        rows(mine, "SELECT 1")
        pooled = mine._pool.lend()
        pooled.session.command("CREATE TEMPORARY VIEW secret AS SELECT 42 AS n")
        pooled.close()
        assert rows(mine, "SELECT n FROM secret") == [[42]]
        with pytest.raises(UnknownNameError):
            rows(other, "SELECT n FROM secret")
    finally:
        mine.close()
        other.close()


def test_a_statement_that_the_server_gives_up_does_not_pass_for_a_slow_one(spark):
    with pytest.raises(QueryError, match="ended the statement before its time"):
        spark.run("SELECT explode(map('a', 1))", max_rows=5, timeout=100)  # Sail 0.7 closes the line
    assert rows(spark, "SELECT 1") == [[1]]


def test_a_server_that_was_away_is_found_again():
    server = Sail()
    connection = connect(server.config)
    try:
        assert rows(connection, "SELECT 1") == [[1]]
        server.stop_processes()
        with pytest.raises(DatabaseUnavailableError):
            rows(connection, "SELECT 1")
        server.start_again()
        assert rows(connection, "SELECT 1") == [[1]]
    finally:
        connection.close()
        server.close()


def test_where_nobody_listens():
    connection = connect({"host": "127.0.0.1", "port": free_port()})
    with pytest.raises(ConnectionConfigError, match="nothing answers there"):
        connection.check()
    with pytest.raises(DatabaseUnavailableError):
        rows(connection, "SELECT 1")


def test_private_hosts_are_refused_where_the_operator_wants_so(spark_server):
    connection = connect(spark_server.config, private_hosts=False)
    with pytest.raises(ConnectionConfigError, match="SQLCHAT_PRIVATE_HOSTS"):
        connection.check()


def test_tls_that_the_server_does_not_speak_is_an_error(spark_server):
    connection = connect(spark_server.config | {"token": "let-me-in"})
    with pytest.raises(ConnectionConfigError) as caught:
        connection.check()
    assert "let-me-in" not in caught.value.detail


@pytest.fixture
def tls(spark_server, tmp_path):
    """The port of a server that speaks TLS in front of the other, as `localhost`, and the authority's certificate."""
    authority = Authority()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.files(tmp_path, "localhost"))
    context.set_alpn_protocols(["h2"])
    listening = socket.create_server(("127.0.0.1", free_port()))
    sockets = [listening]

    def pass_on(line):
        with contextlib.suppress(OSError), context.wrap_socket(line, server_side=True) as client:
            sockets.append(client)
            with socket.create_connection((spark_server.host, spark_server.port)) as server:
                sockets.append(server)
                relay(client, server)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                line, _ = listening.accept()
                threading.Thread(target=pass_on, args=[line], daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1], authority.pem
    for each in sockets:
        with contextlib.suppress(OSError):  # it has ended by itself
            each.shutdown(socket.SHUT_RDWR)
        each.close()
    thread.join(100)


def test_tls_verifies_the_server_by_its_name(tls):
    port, pem = tls
    config = {"host": "localhost", "port": port, "token": "let-me-in", "sslrootcert": pem}
    connection = connect(config)
    assert connection.check() == []
    assert rows(connection, "SELECT 1") == [[1]]
    connection.close()
    for wrong in ({"host": "127.0.0.1"}, {"sslrootcert": Authority("another").pem}, {"sslrootcert": None}):
        refused = connect(config | wrong)
        with pytest.raises(ConnectionConfigError):
            refused.check()
        refused.close()


@ON_EACH_SERVER
def test_what_is_shown_described_and_explained_is_told(spark):
    assert spark.run("SHOW TABLES", max_rows=5, timeout=100).columns[1] == "tableName"
    assert spark.explain("SHOW TABLES").cost is None
    for sql in ("EXPLAIN SELECT id FROM range(3)", "explain /* a */ formatted\nSELECT id FROM range(3);"):
        ((plan,),) = rows(spark, sql)
        assert "Physical Plan ==" in plan
    for sql in (
        "EXPLAIN",
        "EXPLAIN SHOW TABLES",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN CREATE TABLE made AS SELECT 1",
    ):
        with pytest.raises(SQLRefusedError):
            spark.run(sql, max_rows=5, timeout=100)


def test_without_its_package_the_error_names_it():
    code = (
        "import sys; sys.modules['pyspark'] = None; from sqlchat.config import Settings; "
        "from sqlchat.connections.registry import connection_class; from sqlchat.errors import BadRequestError\n"
        "try: connection_class('spark')({'host': '::1'}, Settings(), None).check()\n"
        "except BadRequestError as exc: print(exc.detail)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install 'pyspark-client" in done.stdout
