"""Operator classes, ranges and casts of a Postgres' users, which sort and compare values without being named."""

import pytest
from policed import PolicedDatabase

from sqlchat.errors import SQLRefusedError

SYMBOLS = {"lt": "<", "le": "<=", "eq": "=", "ge": ">=", "gt": ">"}
SETUP = """
CREATE SCHEMA aside;
CREATE TABLE orders (id int, note text, code varchar(9), spot point, body json, marks text[]);
INSERT INTO orders SELECT i, 'n' || i, 'c', '(1,2)', '{}', '{a}' FROM generate_series(1, 3) i;
"""
NOTHING_CALLED = "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions"


def define(name, arguments, result, value):
    return (
        f"CREATE FUNCTION aside.{name}({arguments}) RETURNS {result} LANGUAGE plpgsql AS "
        f"$$ BEGIN RETURN {value}; END $$;"
    )


def define_class(data_type, method="btree", default="DEFAULT"):
    """Volatile functions and operators for all of a type, in a schema that is not searched, and their class."""
    pair = f"a {data_type}, b {data_type}"
    made = "".join(
        define(name, pair, "boolean", f"a::text {symbol} b::text")
        + f"CREATE OPERATOR aside.{symbol} (leftarg = {data_type}, rightarg = {data_type}, function = aside.{name});"
        for name, symbol in SYMBOLS.items()
    )
    made += define("cmp", pair, "int", "CASE WHEN a::text < b::text THEN -1 WHEN a::text > b::text THEN 1 ELSE 0 END")
    listed = ", ".join(f"OPERATOR {at} aside.{symbol}" for at, symbol in enumerate(SYMBOLS.values(), 1))
    return made + (
        f"CREATE OPERATOR CLASS aside.ordered {default} FOR TYPE {data_type} USING {method} AS {listed}, "
        f"FUNCTION 1 aside.cmp({data_type}, {data_type});"
    )


PLACES = [
    "SELECT {0} FROM orders o ORDER BY {0}",
    "SELECT {0} AS q FROM orders o ORDER BY 1",
    "SELECT DISTINCT {0} FROM orders o",
    "SELECT {0} AS q FROM orders o GROUP BY q",
    "SELECT {0} FROM orders o UNION SELECT {0} FROM orders o",
    "SELECT greatest({0}, {0}) FROM orders o",
    "SELECT ARRAY[{0}] = ARRAY[{0}] FROM orders o",
    "SELECT count(*) OVER (PARTITION BY {0}) FROM orders o",
    "SELECT x FROM (SELECT {0} AS x FROM orders o OFFSET 0) s ORDER BY x",
]
BUILT_IN = {
    "varchar": ["code", "note::varchar(3)", "varchar 'x'"],
    "point": ["spot", "point(1, 2)", "spot + spot", "'(1,2)'::point"],
    "json": ["body", "to_json(note)", "JSON_OBJECT('a': 1)", "body -> 'a'"],
    "text[]": ["marks", "ARRAY[note]", "string_to_array(note, 'x')", "marks || note"],
    "xid": ["o.xmin", "'1'::xid"],
}
SYSTEM = {
    "varchar": ["SELECT DISTINCT data_type FROM information_schema.columns"],
    "xid": ["SELECT relfrozenxid FROM pg_class ORDER BY 1"],
}
"""Queries of system tables, some of whose columns have the type."""
HONEST = [
    "SELECT * FROM orders ORDER BY id",
    "SELECT note, count(*), max(id) FROM orders GROUP BY note ORDER BY 2 DESC",
    "SELECT id FROM orders WHERE note LIKE 'n%' AND id IN (1, 2)",
]
INTEGERS = (
    define("whole_cmp", "a int, b int", "int", "CASE WHEN a < b THEN -1 WHEN a > b THEN 1 ELSE 0 END")
    + define("whole_hash", "a int, b bigint", "bigint", "a")
    + """
CREATE OPERATOR CLASS aside.whole FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
    OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 aside.whole_cmp(int, int);
CREATE OPERATOR CLASS aside.whole_hashed FOR TYPE int USING hash AS OPERATOR 1 =,
    FUNCTION 2 aside.whole_hash(int, bigint);
CREATE TABLE by_range (id int, v text) PARTITION BY RANGE (id aside.whole);
CREATE TABLE by_range_1 PARTITION OF by_range FOR VALUES FROM (0) TO (9);
CREATE TABLE by_hash (id int, v text) PARTITION BY HASH (id aside.whole_hashed);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE indexed (id int, v text); INSERT INTO indexed SELECT i, repeat('v', 500) FROM generate_series(1, 999) i;
CREATE INDEX ON indexed (id aside.whole); ANALYZE indexed;
CREATE VIEW seen AS SELECT id, v FROM indexed;
CREATE TYPE spread AS RANGE (subtype = int, subtype_opclass = aside.whole, multirange_type_name = spreads);
CREATE TABLE ranged (id int, r spread, m spreads); INSERT INTO ranged VALUES (1, '[1,2]', '{[1,3]}');
"""
    + define("near", "a int, b int, o numeric, s boolean, l boolean", "boolean", "true")
    + "ALTER OPERATOR FAMILY integer_ops USING btree ADD FUNCTION 3 (int, numeric) "
    "aside.near(int, int, numeric, boolean, boolean);"
    + define("checked", "t text", "boolean", "true")
    + "CREATE DOMAIN short AS text CHECK (aside.checked(value));"
    + define("spot_number", "p point", "int", "1")
    + "CREATE CAST (point AS int) WITH FUNCTION aside.spot_number(point) AS IMPLICIT;"
    + define("truth_day", "b boolean", "date", "now()::date")
    + "CREATE CAST (boolean AS date) WITH FUNCTION aside.truth_day(boolean);"
)
CALLING = [
    "SELECT * FROM by_range",
    "SELECT * FROM by_range WHERE id = 3",
    "EXPLAIN SELECT * FROM by_range WHERE id = 3",
    "SELECT * FROM by_hash WHERE id IN (1, 2)",
    "SELECT v FROM indexed WHERE id = 7",
    "SELECT o.id FROM orders o JOIN indexed i ON i.id = o.id WHERE o.id = 2",
    "SELECT v FROM seen WHERE id = 7",
    "SELECT '[1,2]'::spread",
    "SELECT spread(1, 2)",
    "SELECT r @> 1 FROM ranged",
    "SELECT m @> 1 FROM ranged",
    "SELECT range_agg(r) FROM ranged",
    "SELECT '{[1,2]}'::spreads",
    "SELECT range_in('[1,2]', 'spread'::regtype::oid, -1)",
    "SELECT domain_in('x', 'short'::regtype::oid, -1)",
    "SELECT array_in('{x}', 'short'::regtype::oid, -1)",
    "SELECT satisfies_hash_partition('by_hash'::regclass, 1, 0, 3)",
    "SELECT count(*) OVER (ORDER BY id RANGE 1.5 PRECEDING) FROM orders",
    "SELECT count(*) OVER w FROM orders WINDOW w AS (ORDER BY id RANGE BETWEEN 1.5 PRECEDING AND CURRENT ROW)",
    "SELECT abs(spot) FROM orders",
    "SELECT marks[spot] FROM orders",
    "SELECT id = spot FROM orders",
    "SELECT lpad('x', '(1,1)'::point)",
    "SELECT lpad('x', point(1, 1))",
    "SELECT true::date",
    "SELECT CAST(id = 1 AS date) FROM orders",
    "SELECT ARRAY[id = 1]::date[] FROM orders",
]
OTHERS = [
    *HONEST,
    "SELECT id, v FROM indexed LIMIT 1",
    "SELECT ARRAY[id, 2] FROM orders",
    "SELECT id, spot, '2024-01-01'::date FROM orders WHERE id BETWEEN 1 AND 2",
    "SELECT count(*) OVER (ORDER BY id ROWS 1 PRECEDING), now()::date FROM orders",
    "SELECT id, r FROM ranged WHERE id = 1",
]


@pytest.fixture(scope="module")
def open_database(postgres_server, tmp_path_factory):
    """Makes a database of the given SQL; gives what runs SQL there, and counts the calls of its functions."""
    opened = []

    def make(setup):
        config = postgres_server.fresh()
        postgres_server.execute(SETUP + setup, config["database"])
        name = config["database"]
        postgres_server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {config['user']}", name)
        postgres_server.execute(f"ALTER DATABASE {name} SET track_functions = 'all'")
        database = PolicedDatabase(tmp_path_factory.mktemp("classes"), "postgres", config, {"deny_tables": ["kept"]})
        database.manager.create("me", "postgres", "free", config, None)
        opened.append((database, config))
        return database, lambda: postgres_server.execute(NOTHING_CALLED, name)

    yield make
    for database, config in opened:
        database.close()
        postgres_server.drop(config)


@pytest.fixture(scope="module", params=BUILT_IN)
def typed(request, open_database):
    return request.param, *open_database(define_class(request.param))


def test_a_default_class_of_a_built_in_type_runs_nowhere(typed):
    data_type, database, count_calls = typed
    for expression in BUILT_IN[data_type]:
        for place in PLACES:
            with pytest.raises(SQLRefusedError):
                database.run(place.format(expression), "free")
    for sql in SYSTEM.get(data_type, ()):
        with pytest.raises(SQLRefusedError):
            database.run(sql, "free")
    for sql in HONEST:
        assert database.run(sql, "free")
    assert count_calls() == [(0,)]


@pytest.fixture(scope="module")
def integers(open_database):
    return open_database(INTEGERS)


@pytest.mark.parametrize("name", ["free", "data"])
@pytest.mark.parametrize("sql", CALLING)
def test_classes_of_indexes_partitions_and_ranges_and_casts_run_nowhere(integers, sql, name):
    with pytest.raises(SQLRefusedError):
        integers[0].run(sql, name)


@pytest.mark.parametrize("sql", OTHERS)
def test_other_uses_of_these_types_and_tables_stay(integers, sql):
    assert integers[0].run(sql, "free")


def test_a_table_made_after_the_catalog_was_read_is_judged_by_its_types(open_database, postgres_server):
    database, count_calls = open_database("CREATE TYPE pair AS (a int);" + define_class("pair"))
    name = database.config["database"]
    assert database.run("SELECT id FROM orders WHERE id = 1", "free") == [[1]]
    postgres_server.execute("CREATE TABLE late (p pair); GRANT SELECT ON late TO PUBLIC", name)
    postgres_server.execute("INSERT INTO late VALUES (ROW(1)), (ROW(2))", name)
    with pytest.raises(SQLRefusedError):
        database.run("SELECT p FROM late ORDER BY p", "free")
    assert count_calls() == [(0,)]


def test_immutable_classes_stay_usable_without_a_policy(open_database):
    setup = define_class("point").replace("LANGUAGE plpgsql AS", "LANGUAGE plpgsql IMMUTABLE AS")
    database, _ = open_database(setup)
    assert database.run("SELECT DISTINCT spot FROM orders ORDER BY spot", "free") == [["(1,2)"]]


def test_overloads_of_volatile_functions_that_are_allowed_run_nowhere(open_database):
    names = ["random", "uuidv7", "array_sample", "pg_relation_size"]
    setup = "".join(define(name, "t text", "text", "t").replace("aside.", "") for name in names)
    database, count_calls = open_database(setup)
    for name in names:
        for sql in (
            f"SELECT {name}('a'::text)",
            f"SELECT o.note.{name} FROM orders o",
            f"SELECT (note).{name} FROM orders",
        ):
            with pytest.raises(SQLRefusedError):
                database.run(sql, "free")
    assert database.run("SELECT pg_catalog.random() < 1, clock_timestamp() > '2020-01-01'", "free") == [[True, True]]
    assert count_calls() == [(0,)]
