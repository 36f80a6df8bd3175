"""MySQL or MariaDB as it is served, on a real server where one is installed."""

import contextlib
import gc
import itertools
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pymysql
import pytest
from certificates import Authority

from sqlchat.config import Settings
from sqlchat.connections.mysql.connection import MySQLConnection
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.errors import (
    BadRequestError,
    BusyError,
    ConnectionConfigError,
    DatabaseUnavailableError,
    QueryError,
    QueryTimeoutError,
    SQLRefusedError,
    TooLargeError,
)
from sqlchat.sql.guard import check
from sqlchat.workers import Workers

pytestmark = pytest.mark.mysql
WORKERS = Workers(1, 1024)
NUMBERS = itertools.count(1)


@pytest.fixture
def execute(mysql_server):
    """Runs statements as root; gives the rows of the last."""

    def run(*statements):
        with mysql_server() as raw, raw.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    return run


@pytest.fixture
def config(execute, mysql_server):
    name = f"test_{next(NUMBERS)}"
    execute(
        f"CREATE DATABASE {name} CHARACTER SET utf8mb4",
        f"CREATE USER {name}@'%' IDENTIFIED BY 'a-pässword'",
        f"GRANT ALL ON {name}.* TO {name}@'%'",
        f"USE {name}",
        f"CREATE TABLE {name}.kept (n int)",
        f"INSERT INTO {name}.kept VALUES (1), (2)",
    )
    yield {"host": "127.0.0.1", "port": mysql_server.port, "database": name, "user": name, "password": "a-pässword"}
    execute(f"DROP DATABASE {name}", f"DROP USER {name}@'%'")


@pytest.fixture(params=["user", "root"])
def attacked(request, config):
    used = config if request.param == "user" else config | {"user": "root", "password": ""}
    connection = MySQLConnection(used, Settings(max_result_mb=1, pool_size=1, pool_timeout=0.3), WORKERS)
    yield connection
    connection.close()


@pytest.fixture
def mysql(config):
    connection = MySQLConnection(config, Settings(max_result_mb=1, pool_size=2, pool_timeout=0.3), WORKERS)
    yield connection
    connection.close()


def rows(connection, sql, max_rows=1000, timeout=100.0):
    return json.loads(connection.run(sql, max_rows=max_rows, timeout=timeout).rows, parse_float=Decimal)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1", 1),
        ("18446744073709551615", 18446744073709551615),
        ("CAST('12345678901234567890.1234567890' AS DECIMAL(40,10))", Decimal("12345678901234567890.1234567890")),
        ("1e300", Decimal("1e300")),
        ("NULL", None),
        ("'größe 🐬\\n'", "größe 🐬\n"),
        ("''", ""),
        ("X'00ff'", "AP8="),
        ("CAST('a' AS BINARY(3))", "YQAA"),
        ("DATE '2024-02-29'", "2024-02-29"),
        ("TIMESTAMP '2024-02-29 01:02:03.5'", "2024-02-29T01:02:03.5"),
        ("TIME '-30:02:03'", "-30:02:03"),
        ("YEAR('2024-01-01')", 2024),
        ("1 = 1", 1),
    ],
)
def test_a_value_keeps_its_meaning(mysql, expression, value):
    assert rows(mysql, f"SELECT {expression} AS v") == [[value]]


def test_columns_of_all_types(mysql, execute, config):
    execute(
        f"CREATE TABLE {config['database']}.t (a int(5) zerofill, b bit(10), c enum('x','y'), d set('p','q'), "
        "e json, f timestamp NULL, g double, h blob, i text, j year, k tinyint(1))",
        "SET time_zone = '+00:00'",
        f"INSERT INTO {config['database']}.t VALUES (42, b'1000000001', 'y', 'p,q', '{{\"a\":[1]}}', "
        "'2024-02-29 01:02:03', 0.1, 'x', 'y', 2024, 1), (0, 0, NULL, '', NULL, NULL, -1e-30, '', '', NULL, 0)",
    )
    result = mysql.run("SELECT * FROM t", max_rows=10, timeout=100)
    first, second = json.loads(result.rows)
    assert first[:4] == [42, 513, "y", "p,q"]
    assert first[4] in ({"a": [1]}, '{"a":[1]}')  # MariaDB keeps JSON as a text
    assert first[5].startswith("2024-02-29T01:02:03")
    assert first[6:] == [0.1, "eA==", "y", 2024, 1]
    assert second == [0, 0, None, "", None, None, -1e-30, "", "", None, 0]
    assert result.types == (
        *("int unsigned", "bit", "enum", "set"),
        *(("json",) if isinstance(first[4], dict) else ("longtext",)),
        *("timestamp", "double", "blob", "text", "year", "tinyint"),
    )


def test_types_are_told_as_they_are_declared(mysql, execute, config):
    declared = (
        *("bigint unsigned", "decimal", "tinytext", "mediumtext", "longtext", "tinyblob", "mediumblob", "longblob"),
        *("binary", "varbinary", "char", "varchar", "smallint unsigned", "float", "datetime"),
    )
    sizes = {"decimal": "(9,2)", "binary": "(3)", "varbinary": "(5)", "char": "(4)", "varchar": "(20000)"}
    columns = ", ".join(f"c{n} {kind}{sizes.get(kind, '')}" for n, kind in enumerate(declared))
    execute(f"CREATE TABLE {config['database']}.t ({columns}) CHARACTER SET latin1")
    assert mysql.run("SELECT * FROM t", max_rows=1, timeout=100).types == declared
    assert mysql.run("SELECT COUNT(*), SUM(c0), 'x' FROM t", max_rows=1, timeout=100).types == (
        "bigint",
        "decimal",
        "varchar",
    )


@pytest.mark.parametrize("sql", ["SELECT seq FROM seq_1_to_1000000", "SELECT seq FROM seq_1_to_1000000 LIMIT 900000"])
def test_one_row_more_tells_that_there_are_more(mysql, execute, sql):
    if "MariaDB" not in execute("SELECT VERSION()")[0][0]:
        pytest.skip("the table of numbers is MariaDB's")
    for _ in range(3):
        result = mysql.run(sql, max_rows=3, timeout=100)
        assert (result.rows, result.row_count, result.truncated) == (b"[[1],[2],[3]]", 3, True)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1;",
        "SELECT 1 ; ; -- end; of it",
        "/* first */ SELECT 1 /* ; */ ; # x",
        "(SELECT 1)",
        "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
        "SELECT CHAR_LENGTH(';') -- '",
        "SELECT CHAR_LENGTH('\\'');",
        "SELECT COUNT(*) FROM (SELECT 1 AS `update;`) AS v WHERE `update;` = 1",
    ],
)
def test_honest_texts_run_as_they_are_written(mysql, sql):
    assert rows(mysql, sql) == [[1]]


def test_show_and_explain(mysql):
    assert ["kept"] in rows(mysql, "SHOW TABLES")
    assert rows(mysql, "DESCRIBE kept")[0][0] == "n"
    assert rows(mysql, "EXPLAIN SELECT * FROM kept")


def test_what_a_query_is_expected_to_cost(mysql, execute, config):
    name = config["database"]
    execute(
        f"CREATE TABLE {name}.many (id int PRIMARY KEY)",
        f"INSERT INTO {name}.many WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900) "
        "SELECT i FROM n",
        f"ANALYZE TABLE {name}.many",
    )
    one, all_rows = mysql.explain("SELECT * FROM many WHERE id = 5"), mysql.explain("(SELECT * FROM many); -- end")
    assert one.cost < 10 < all_rows.cost < 2000
    assert mysql.explain("SELECT * FROM many UNION ALL SELECT * FROM many").cost > 1.5 * all_rows.cost
    pairs = mysql.explain("SELECT COUNT(*) FROM many a, many b, many c, (SELECT MAX(id) FROM many) d")
    assert pairs.cost > 1e6
    held = OpenConnection(mysql, Settings(max_plan_cost=1e6), WORKERS)
    with pytest.raises(SQLRefusedError, match="the ceiling") as refused:
        held.run(held.examine("SELECT COUNT(*) FROM many a, many b, many c"))
    assert refused.value.facts["plan_cost"] > 1e6
    assert held.run(held.examine("SELECT COUNT(*) FROM many")).rows == b"[[900]]"


@pytest.fixture
def reader(execute, config):
    """Config of a user who may SELECT, and nothing else, in a database with a view."""
    name = config["database"]
    execute(
        f"CREATE VIEW {name}.seen AS SELECT n FROM {name}.kept",
        f"CREATE USER {name}_r@'%' IDENTIFIED BY 'a'",
        f"GRANT SELECT ON {name}.* TO {name}_r@'%'",
    )
    yield config | {"user": f"{name}_r", "password": "a"}
    execute(f"DROP USER {name}_r@'%'")


def test_a_view_needs_no_right_but_to_select(reader, execute, tmp_path):
    connection = MySQLConnection(reader, Settings(), WORKERS)
    assert connection.check() == []
    for sql in ("SELECT * FROM seen ORDER BY n", "SELECT kept.n FROM kept JOIN seen USING (n) ORDER BY n"):
        assert rows(connection, sql) == [[1], [2]]
        assert connection.explain(sql).cost is None
    assert rows(connection, "SELECT COUNT(*) FROM seen") == [[2]]
    with pytest.raises(QueryError, match="nope"):
        rows(connection, "SELECT nope FROM seen")
    for sql in (f"SELECT n FROM seen INTO OUTFILE '{tmp_path / 'made'}'", "SELECT n FROM seen INTO @a"):
        with pytest.raises(QueryError):
            rows(connection, sql)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(QueryError, match="GRANT SHOW VIEW"):
        rows(connection, "EXPLAIN SELECT * FROM seen")
    assert connection.profiles(connection.catalog(), 100.0)[reader["database"], "seen", "n"].values == ("1", "2")
    connection.close()


def test_a_view_is_read_with_rights_on_it_alone(reader, execute, config):
    name = config["database"]
    execute(f"REVOKE SELECT ON {name}.* FROM {name}_r@'%'", f"GRANT SELECT, SHOW VIEW ON {name}.seen TO {name}_r@'%'")
    connection = MySQLConnection(reader, Settings(), WORKERS)
    assert [table.name for table in connection.catalog().tables] == ["seen"]
    assert rows(connection, "SELECT * FROM seen ORDER BY n") == [[1], [2]]
    connection.close()


def test_a_ceiling_of_cost_refuses_what_is_not_explained(reader):
    connection = MySQLConnection(reader, Settings(), WORKERS)
    held = OpenConnection(connection, Settings(max_plan_cost=1e6), WORKERS)
    with pytest.raises(SQLRefusedError, match="GRANT SHOW VIEW"):
        held.run(held.examine("SELECT COUNT(*) FROM seen"))
    assert held.run(held.examine("SELECT COUNT(*) FROM kept")).rows == b"[[2]]"


def test_columns_that_the_user_may_not_read_are_not_there(reader, execute, config):
    name = config["database"]
    execute(
        f"CREATE TABLE {name}.people (id int, secret int, boss int, PRIMARY KEY (id), UNIQUE (secret))",
        f"ALTER TABLE {name}.people ADD FOREIGN KEY (boss) REFERENCES {name}.people (secret)",
        f"INSERT INTO {name}.people VALUES (1, 5, NULL)",
        f"REVOKE SELECT ON {name}.* FROM {name}_r@'%'",
        f"GRANT SELECT (id, boss), INSERT (secret) ON {name}.people TO {name}_r@'%'",
        f"GRANT INSERT ON {name}.kept TO {name}_r@'%'",
    )
    connection = MySQLConnection(reader, Settings(), WORKERS)
    catalog = connection.catalog()
    (people,) = catalog.tables
    assert [column.name for column in people.columns] == ["id", "boss"]
    assert people.foreign_keys == ()
    assert {column for *_, column in connection.profiles(catalog, 100.0)} == {"id", "boss"}
    with pytest.raises(QueryError, match="name the columns"):
        rows(connection, "SELECT * FROM people")
    assert rows(connection, "SELECT COUNT(*) FROM people") == [[1]]
    connection.close()


def test_labels_of_enums_and_sets(mysql, execute, config):
    execute(f"CREATE TABLE {config['database']}.t (a enum('new','it''s','old,er'), b set('x','y'), c text)")
    (table,) = (table for table in mysql.catalog().tables if table.name == "t")
    assert [column.labels for column in table.columns] == [("new", "it's", "old,er"), ("x", "y"), ()]


def test_nothing_but_queries_has_a_cost(mysql):
    for sql in ("SHOW TABLES", "EXPLAIN SELECT 1", "DESCRIBE kept", "SELECT 1"):
        assert mysql.explain(sql).cost is None


def test_faults_are_told(mysql):
    for attempt in (mysql.explain, lambda sql: rows(mysql, sql)):
        with pytest.raises(QueryError, match="nope") as caught:
            attempt("SELECT nope FROM kept")
        assert caught.value.facts["errno"] == 1054
    with pytest.raises(QueryError, match="syntax"):
        rows(mysql, "SELECT FROM WHERE")


def test_a_long_query_is_stopped(mysql):
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        mysql.run("SELECT COUNT(*) FROM kept a, (SELECT SLEEP(300)) b", max_rows=1, timeout=0.5)
    assert time.monotonic() - started < 200
    assert rows(mysql, "SELECT 1") == [[1]]


def test_a_function_that_hears_no_kill_is_hung_up_on(mysql):
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        mysql.run("SELECT REPLACE(REPEAT('x', 100000), 'x', 'yyyyyyyy')", max_rows=1, timeout=0.2)
    assert time.monotonic() - started < 200
    assert rows(mysql, "SELECT 1") == [[1]]


def wait_until_idle(execute, config):
    """A session is no longer at work a moment after its answer has gone out."""
    at_work = f"SELECT id FROM information_schema.processlist WHERE user = '{config['user']}' AND command <> 'Sleep'"
    deadline = time.monotonic() + 120
    while execute(at_work):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM kept a, (SELECT SLEEP(300)) b",
        "SELECT SUM(CRC32(CONCAT(t0.n, t1.n))) FROM "
        + ", ".join(f"(SELECT {n} AS n UNION ALL SELECT 8 UNION ALL SELECT 9) t{n}" for n in range(20)),
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT SUM(a.n * b.n) FROM c a, c b, c d",
    ],
)
def test_what_was_stopped_computes_no_longer(mysql, execute, config, sql):
    with pytest.raises(QueryTimeoutError):
        mysql.run(sql, max_rows=1, timeout=0.2)
    wait_until_idle(execute, config)


def test_what_the_caller_gave_up_computes_no_longer(mysql, execute, config):
    numbers = "(SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4)"
    crossed = ", ".join(f"{numbers} t{n}" for n in range(15))
    with pytest.raises(TooLargeError):
        mysql.run(f"SELECT REPEAT('x', 2000) FROM {crossed}", max_rows=10_000, timeout=100)
    wait_until_idle(execute, config)
    assert rows(mysql, "SELECT 1") == [[1]]


def test_a_server_that_says_nothing_is_not_waited_for(config):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = MySQLConnection(config | {"port": silent.getsockname()[1]}, Settings(), WORKERS)
        started = time.monotonic()
        with pytest.raises(ConnectionConfigError, match="2013"):
            connection.check()
        assert time.monotonic() - started < 100
        connection.close()


def test_no_free_connection(mysql, execute):
    with ThreadPoolExecutor(2) as threads:
        sleepers = [threads.submit(rows, mysql, "SELECT SLEEP(300)", timeout=300.0) for _ in range(2)]
        while len(asleep := execute(SLEEPING)) != 2:
            assert not any(sleeper.done() for sleeper in sleepers)
            time.sleep(0.01)
        with pytest.raises(BusyError):
            rows(mysql, "SELECT 1")
        for (number,) in asleep:
            execute(f"KILL QUERY {number}")
        assert all(isinstance(sleeper.exception(), QueryTimeoutError) for sleeper in sleepers)


SLEEPING = "SELECT id FROM information_schema.processlist WHERE state = 'User sleep'"


def kill_all(execute, config):
    for (number,) in execute(f"SELECT id FROM information_schema.processlist WHERE user = '{config['user']}'"):
        with contextlib.suppress(pymysql.OperationalError):  # it has gone by itself
            execute(f"KILL {number}")


def test_connections_that_died_in_the_pool_are_replaced_unseen(mysql, execute, config):
    for _ in range(4):
        assert rows(mysql, "SELECT 1") == [[1]]
        kill_all(execute, config)


def test_a_connection_that_dies_midway_is_told(mysql, execute, config):
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(rows, mysql, "SELECT SLEEP(300)")
        while not execute(SLEEPING):
            assert not asked.done()
            time.sleep(0.05)
        kill_all(execute, config)
        assert isinstance(asked.exception(), DatabaseUnavailableError)
    assert rows(mysql, "SELECT 1") == [[1]]


def test_a_line_that_breaks_among_the_rows_is_told_once(mysql, execute, config):
    """The driver's objects, when they go, do not try to read the rest."""
    numbers = "WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 1000) "
    stream = mysql.stream(numbers + "SELECT a.n, b.n AS m FROM s a, s b, s c", max_rows=10**9, idle=100)
    batches = iter(stream)
    next(batches)
    kill_all(execute, config)
    with pytest.raises(DatabaseUnavailableError):
        list(batches)
    gc.collect()
    assert rows(mysql, "SELECT 1") == [[1]]


def test_the_catalog(mysql, execute, config):
    name = config["database"]
    execute(
        f"CREATE TABLE {name}.parents (id int PRIMARY KEY COMMENT 'the key', "
        "name varchar(20) NOT NULL) COMMENT 'all'",
        f"CREATE TABLE {name}.children (a int, b int, parent int, PRIMARY KEY (b, a), "
        f"CONSTRAINT up FOREIGN KEY (parent) REFERENCES {name}.parents (id))",
        f"CREATE VIEW {name}.seen AS SELECT name FROM {name}.parents",
    )
    catalog = mysql.catalog()
    assert (catalog.dialect, catalog.default_schema) == ("mysql", name)
    assert {table.name: table.kind for table in catalog.tables} == {
        "kept": "table", "parents": "table", "children": "table", "seen": "view",
    }  # fmt: skip
    parents, children = catalog.table("parents"), catalog.table("children")
    assert parents.comment == "all"
    assert [(c.name, c.nullable, c.comment) for c in parents.columns] == [
        ("id", False, "the key"),
        ("name", False, ""),
    ]
    assert parents.columns[1].type == "varchar(20)"
    assert children.primary_key == ("b", "a")
    assert children.foreign_keys[0].columns == ("parent",)
    assert (children.foreign_keys[0].ref_table, children.foreign_keys[0].ref_columns) == ("parents", ("id",))
    assert mysql.catalog().version == catalog.version
    execute(f"ALTER TABLE {name}.kept ADD COLUMN m int")
    assert mysql.catalog().version != catalog.version


def test_columns_are_profiled(mysql, execute, config):
    name = config["database"]
    execute(
        f"CREATE TABLE {name}.`odd``name` (city varchar(20) CHARACTER SET latin1, size int, "
        "state enum('sad', 'glad'), born date, at datetime, prose text, raw blob, doc json)",
        f"""INSERT INTO {name}.`odd``name` VALUES
            ('Rome', 1, 'sad', '2024-01-02', '2024-01-02 03:04:05', repeat('y', 500), 'z', '{{}}'),
            ('Oslo', 2, 'glad', '2023-01-02', '2024-01-02 03:04:05', '', NULL, NULL),
            ('Rome', 30, 'sad', NULL, '2020-01-02 03:04:05', NULL, NULL, NULL),
            (NULL, 40, NULL, NULL, NULL, NULL, NULL, NULL)""",
        f"CREATE VIEW {name}.seen AS SELECT city FROM {name}.`odd``name`",
    )
    found = mysql.profiles(mysql.catalog(), 100.0)
    assert found[name, "seen", "city"].values == ("Rome", "Oslo")
    city, size, state, born, at, prose, raw, _ = (
        found[name, "odd`name", column] for column in ("city", "size", "state", "born", "at", "prose", "raw", "doc")
    )
    assert (city.values, city.complete, city.null_share) == (("Rome", "Oslo"), True, 0.25)
    assert (size.values, size.least, size.most) == (("1", "2", "30", "40"), "1", "40")
    assert state.values == ("sad", "glad")
    assert (born.least, born.most, born.null_share) == ("2023-01-02", "2024-01-02", 0.5)
    assert (at.least, at.most) == ("2020-01-02 03:04:05", "2024-01-02 03:04:05")
    assert (prose.values, prose.complete) == (("",), False)
    assert (raw.kind, raw.null_share) == ("other", 0.75)


def test_of_a_large_table_the_profile_is_a_sample(mysql, execute, config):
    name = config["database"]
    rows = ", ".join(f"({n}, 'k{n % 3}')" for n in range(12_000))
    execute(f"CREATE TABLE {name}.many (n int, kind varchar(9))", f"INSERT INTO {name}.many VALUES {rows}")
    found = mysql.profiles(mysql.catalog(), 100.0)
    kind, n = found[name, "many", "kind"], found[name, "many", "n"]
    assert (len(kind.values), kind.complete, kind.exact) == (3, False, False)
    assert (n.least, n.most, n.distinct) == ("", "", None)


def test_what_a_user_may_do_is_warned_of(mysql, execute, config):
    assert mysql.check() == ["The user has all privileges; give this connection a user that may only read."]
    name = config["database"]
    execute(f"REVOKE ALL ON {name}.* FROM {name}@'%'", f"GRANT SELECT, INSERT ON {name}.* TO {name}@'%'")
    assert mysql.check() == ["The user may write; a user that may only read is safer."]
    execute(f"REVOKE INSERT ON {name}.* FROM {name}@'%'")
    assert mysql.check() == []


@pytest.mark.parametrize(
    ("change", "words"),
    [({"password": "wrong-one"}, "1045"), ({"database": "nowhere"}, "104[49]"), ({"port": 1}, "2003")],
)
def test_a_connection_that_cannot_be_made(config, change, words):
    connection = MySQLConnection(config | change, Settings(), WORKERS)
    with pytest.raises(ConnectionConfigError, match=words) as caught:
        connection.check()
    assert "wrong-one" not in caught.value.detail
    with pytest.raises(DatabaseUnavailableError):
        rows(connection, "SELECT 1")


def is_encrypted(config):
    connection = MySQLConnection(config, Settings(), WORKERS)
    try:
        connection.check()
        ((_, cipher),) = rows(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        return bool(cipher)
    finally:
        connection.close()


def test_tls_trusts_whom_it_is_told_to(config, mysql_server):
    by_name, pem = config | {"host": "localhost"}, mysql_server.authority.pem
    assert not is_encrypted(config | {"sslmode": "disable"})
    assert is_encrypted(config | {"sslmode": "require"})
    assert is_encrypted(by_name | {"sslrootcert": pem})
    assert is_encrypted(config | {"sslrootcert": pem, "sslmode": "verify-ca"})
    stranger = Authority("a stranger").pem
    for untrusted in (
        by_name | {"sslmode": "verify-full"},
        by_name | {"sslrootcert": stranger},
        by_name | {"sslrootcert": stranger, "sslmode": "verify-ca"},
        config | {"sslrootcert": pem},  # an address that its certificate does not hold
    ):
        with pytest.raises(ConnectionConfigError):
            is_encrypted(untrusted)


def test_a_url_is_taken_apart(config):
    url = f"mysql://{config['user']}:a-p%C3%A4ssword@127.0.0.1:{config['port']}/{config['database']}"
    connection = MySQLConnection({"url": url}, Settings(), WORKERS)
    assert rows(connection, "SELECT DATABASE()") == [[config["database"]]]
    connection.close()


REFUSED = [
    "DROP TABLE kept",
    "DELETE FROM kept",
    "DELETE FROM kept RETURNING n",
    "INSERT INTO kept VALUES (9)",
    "UPDATE kept SET n = 9",
    "WITH a AS (SELECT 1) DELETE FROM kept",
    "SELECT 1; DROP TABLE kept",
    "SELECT 1) ; DROP TABLE kept; -- ",
    "SELECT 1 INTO OUTFILE '{path}'",
    "(SELECT 1) INTO OUTFILE '{path}'",
    "SELECT 1 INTO DUMPFILE '{path}'",
    "SELECT 1 UNION SELECT 2 INTO OUTFILE '{path}'",
    "SELECT 1 INTO @a",
    "SELECT 1) INTO OUTFILE '{path}' -- ",
    "SELECT 1 /*! INTO OUTFILE '{path}' */",
    "SELECT 1 /*M! INTO OUTFILE '{path}' */",
    "SELECT 1 /*+ SET_VAR(max_execution_time=0) */",
    "/*! DROP TABLE kept */",
    "CALL spoil()",
    "SELECT spoilt()",
    "DO SLEEP(1)",
    "SET GLOBAL max_connections = 5",
    "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE kept",
    "PREPARE p FROM 'DROP TABLE kept'",
    "LOCK TABLES kept WRITE",
    "COMMIT",
    "START TRANSACTION READ WRITE",
    "ANALYZE DELETE FROM kept",
    "HANDLER kept OPEN",
    "CREATE TEMPORARY TABLE made (n int)",
    "",
    "-- nothing",
]


def test_what_writes_is_refused_and_changes_nothing(attacked, execute, config, tmp_path, subtests):
    name = config["database"]
    execute(
        f"CREATE PROCEDURE {name}.spoil() DELETE FROM {name}.kept",
        f"CREATE FUNCTION {name}.spoilt() RETURNS int BEGIN DELETE FROM {name}.kept; RETURN 1; END",
    )
    for sql in REFUSED:
        with subtests.test(ascii(sql)):
            with pytest.raises((QueryError, SQLRefusedError)):
                rows(attacked, sql.format(path=tmp_path / "made"))
            assert execute(f"SELECT COUNT(*) FROM {name}.kept") == ((2,),)
            assert list(tmp_path.iterdir()) == []
            assert rows(attacked, "SELECT COUNT(*) FROM kept") == [[2]]


@pytest.mark.parametrize("word", ["EXPLAIN", "DESCRIBE", "EXPLAIN EXTENDED"])
def test_explaining_does_not_write(attacked, execute, config, word, tmp_path):
    for sql in (f"SELECT 1 INTO OUTFILE '{tmp_path / 'made'}'", "DELETE FROM kept", "INSERT INTO kept VALUES (9)"):
        with contextlib.suppress(QueryError):
            rows(attacked, f"{word} {sql}")
    assert list(tmp_path.iterdir()) == []
    assert execute(f"SELECT COUNT(*) FROM {config['database']}.kept") == ((2,),)


def test_named_locks_do_not_outlive_a_request(attacked, execute):
    assert rows(attacked, "SELECT GET_LOCK('held', 0)") == [[1]]
    assert execute("SELECT IS_FREE_LOCK('held')") == ((1,),)


WORDS = (
    "against array asymmetric columns cube escape filter first ilike lateral materialized next placing repeatable "
    "rollup sets similar symmetric system zone any_value regexp_like to_date uuid_to_bin json_schema_valid kdf"
)
PLACES = [
    "SELECT {}('a')",
    "SELECT 1, {}('a')",
    "SELECT {database}.{}('a')",
    "SELECT NOT {}('a')",
    "SELECT n FROM kept WHERE n = {}('a')",
    "SELECT n FROM kept ORDER BY {}('a')",
]


def test_no_stored_function_runs_under_a_word_of_the_language(mysql, config, execute, subtests):
    database = config["database"]
    made = f"CREATE FUNCTION {database}.`{{}}`(a TEXT) RETURNS TEXT DETERMINISTIC RETURN 'RAN'"
    execute(*(made.format(word) for word in WORDS.split()))
    catalog = mysql.catalog()
    for word, place in itertools.product(WORDS.split(), PLACES):
        for name in (word, f"`{word}`", word.upper()):
            sql = place.format(name, database=database)
            with subtests.test(ascii(sql)), pytest.raises(BadRequestError):
                check(sql, "mysql", catalog.functions, catalog)
