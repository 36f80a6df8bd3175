"""The catalog of a Postgres."""

import orjson
import pytest

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import QueryError
from sqlchat.sql.lineage import lineage
from sqlchat.sql.names import find_unknown_names
from sqlchat.workers import Workers


def test_tables_with_all_that_is_known_of_them(postgres, execute):
    execute("""
        CREATE SCHEMA sales;
        CREATE TABLE customers (id int PRIMARY KEY, "Full Name" varchar(80) NOT NULL, born date);
        COMMENT ON TABLE customers IS 'Who "buys", it''s them';
        COMMENT ON COLUMN customers.born IS E'day\\nof birth';
        CREATE TABLE sales.orders (customer int REFERENCES customers, line int, total numeric(10, 2)[],
            gone int, PRIMARY KEY (line, customer));
        ALTER TABLE sales.orders DROP COLUMN gone;
        CREATE TABLE sales.parts (a int, b int, FOREIGN KEY (b, a) REFERENCES sales.orders (line, customer));
        CREATE VIEW names AS SELECT "Full Name" FROM customers;
        CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;
        CREATE TABLE events (at date) PARTITION BY RANGE (at);
        CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE nothing ();
        INSERT INTO customers SELECT n, 'x' FROM generate_series(1, 50) n; ANALYZE customers;
    """)
    catalog = postgres.catalog()
    assert catalog.dialect == "postgres"
    assert catalog.default_schema == "public"
    assert {(table.schema, table.name, table.kind) for table in catalog.listed.tables} == {
        ("public", "customers", "table"),
        ("public", "names", "view"),
        ("public", "kept", "view"),
        ("public", "events", "table"),
        ("public", "nothing", "table"),
        ("sales", "orders", "table"),
        ("sales", "parts", "table"),
    }
    customers, orders, parts = (catalog.table(name) for name in ("customers", "orders", "parts"))
    assert [(c.name, c.type, c.nullable, c.comment) for c in customers.columns] == [
        ("id", "integer", False, ""),
        ("Full Name", "character varying(80)", False, ""),
        ("born", "date", True, "day\nof birth"),
    ]
    assert customers.comment == 'Who "buys", it\'s them'
    assert (customers.primary_key, customers.row_estimate) == (("id",), 50)
    assert [c.type for c in orders.columns] == ["integer", "integer", "numeric(10,2)[]"]
    assert orders.primary_key == ("line", "customer")
    assert [
        (k.columns, k.ref_schema, k.ref_table, k.ref_columns) for k in orders.foreign_keys + parts.foreign_keys
    ] == [
        (("customer",), "public", "customers", ("id",)),
        (("b", "a"), "sales", "orders", ("line", "customer")),
    ]
    assert catalog.table("nothing").columns == ()


def test_only_what_the_role_may_read(postgres, postgres_server, postgres_database):
    postgres_server.execute(
        "CREATE SCHEMA closed; CREATE TABLE closed.a (n int); CREATE TABLE hidden (n int); "
        "CREATE TABLE half (open int, shut int); GRANT SELECT (open) ON half TO PUBLIC",
        postgres_database["database"],
    )
    assert [table.name for table in postgres.catalog().tables] == ["half"]


def test_the_version_changes_with_the_content(postgres, execute):
    before = postgres.catalog().version
    assert postgres.catalog().version == before
    execute("CREATE TABLE t (n int)")
    after = postgres.catalog().version
    execute("COMMENT ON COLUMN t.n IS 'told'")
    assert len({before, after, postgres.catalog().version}) == 3


def test_hundreds_of_tables(postgres, execute):
    execute(
        "DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('CREATE TABLE t%s (a int, b text, c date)', i); "
        "END LOOP; END $$"
    )
    catalog = postgres.catalog()
    assert len(catalog.tables) == 300
    assert all(len(table.columns) == 3 for table in catalog.tables)


@pytest.mark.parametrize("name", ["count", "lower", "now", "date_trunc", "random", "jsonb_path_query", "row_number"])
def test_functions_that_only_compute_may_be_called(postgres, name):
    assert name in postgres.catalog().functions


@pytest.mark.parametrize(
    "name",
    ["pg_sleep", "set_config", "current_setting", "pg_read_file", "pg_ls_dir", "lo_get", "lo_import", "nextval",
     "query_to_xml", "database_to_xml_and_xmlschema", "ts_rewrite", "ts_stat", "pg_notify", "pg_advisory_lock",
     "pg_terminate_backend", "txid_current", "pg_create_logical_replication_slot", "array_fill", "dblink",
     "pg_export_snapshot", "pg_reload_conf", "pg_stat_get_activity", "spoil"],
)  # fmt: skip
def test_functions_that_do_more_may_not(postgres, execute, name):
    execute("CREATE FUNCTION spoil() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'")
    assert name not in postgres.catalog().functions


def test_columns_that_the_role_may_not_read_are_not_there(postgres, execute, postgres_server, postgres_database):
    role = f"{postgres_database['user']}_r"
    execute("""
        CREATE TYPE st AS ENUM ('new', 'old');
        CREATE TABLE people (id int PRIMARY KEY, state st, secret text UNIQUE, boss text REFERENCES people (secret));
        CREATE TABLE wages (person text PRIMARY KEY, paid int);
        INSERT INTO people VALUES (1, 'new', 'x', 'x');
    """)
    postgres_server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'a'")
    try:
        execute(f"GRANT SELECT (id, state, boss) ON people TO {role}; GRANT SELECT (paid) ON wages TO {role}")
        config = postgres_database | {"user": role, "password": "a"}
        connection = PostgresConnection(config, Settings(), Workers(1, 1024))
        catalog = connection.catalog()
        assert {table.name: [column.name for column in table.columns] for table in catalog.tables} == {
            "people": ["id", "state", "boss"],
            "wages": ["paid"],
        }
        assert catalog.table("people").foreign_keys == ()
        assert catalog.table("people").primary_key == ("id",)
        assert catalog.table("wages").primary_key == ()
        found = connection.profiles(catalog, 100.0)
        assert {(table, column) for _, table, column in found} == {
            *(("people", "id"), ("people", "state"), ("people", "boss"), ("wages", "paid"))
        }
        with pytest.raises(QueryError, match="name the columns"):
            connection.run("SELECT * FROM people", max_rows=5, timeout=100)
        assert connection.run("SELECT id, state FROM people", max_rows=5, timeout=100).rows == b'[[1,"new"]]'
        connection.close()
    finally:
        execute(f"REVOKE ALL ON people, wages FROM {role}")
        execute(f"REVOKE SELECT (id, state, boss) ON people FROM {role}; REVOKE SELECT (paid) ON wages FROM {role}")
        postgres_server.execute(f"DROP ROLE {role}")


def test_labels_and_domains_are_told(postgres, execute):
    execute("""
        CREATE TYPE st AS ENUM ('pending', 'it''s', 'refunded');
        CREATE DOMAIN kind AS st;
        CREATE DOMAIN price AS numeric(10, 2) CHECK (VALUE > 0);
        CREATE DOMAIN special_price AS price; CREATE DOMAIN special_kind AS kind;
        CREATE TABLE o (a st, b kind, c price, d st[], e text, f special_price, g special_kind);
        INSERT INTO o VALUES ('it''s', 'pending', 1, '{}', 'x'), ('it''s', 'pending', 2, '{}', 'x');
    """)
    catalog = postgres.catalog()
    labels = ("pending", "it's", "refunded")
    assert [(column.type, column.base_type, column.labels) for column in catalog.table("o").columns] == [
        ("st", "", labels),
        ("kind", "st", labels),
        ("price", "numeric(10,2)", ()),
        ("st[]", "", labels),
        ("text", "", ()),
        ("special_price", "numeric(10,2)", ()),
        ("special_kind", "st", labels),
    ]
    profile = postgres.profiles(catalog, 100.0)["public", "o", "a"]
    assert (profile.values, profile.complete, profile.distinct) == (("it's", "pending", "refunded"), True, 1)


def test_partitions_are_known_and_not_listed(postgres, execute):
    execute("""
        CREATE TABLE events (at date, kind text) PARTITION BY RANGE (at);
        CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        INSERT INTO events VALUES ('2024-05-05', 'x');
    """)
    catalog = postgres.catalog()
    partition = catalog.table("events_2024")
    assert (partition.listed, partition.partition_of) == (False, ("public", "events"))
    assert [column.name for column in partition.columns] == ["at", "kind"]
    assert {table.name for table in catalog.listed.tables} == {"events"}
    assert {table for _, table, _ in postgres.profiles(catalog, 100.0)} == {"events"}
    assert lineage("SELECT * FROM events_2024", "postgres", catalog).columns_used == (
        *("events_2024.at", "events_2024.kind"),
    )


def test_a_name_in_two_schemas_is_looked_up_along_the_search_path(execute, postgres_database):
    execute("""
        CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c;
        CREATE TABLE a.t (of_a int); CREATE TABLE b.t (of_b int); CREATE TABLE c.t (of_c int);
    """)
    connection = PostgresConnection(postgres_database | {"schema": "c, b"}, Settings(), Workers(1, 1024))
    catalog = connection.catalog()
    assert (catalog.default_schema, catalog.search_path) == ("c", ("c", "b"))
    assert catalog.table("t").schema == "c"
    assert lineage("SELECT * FROM t", "postgres", catalog).columns_used == ("t.of_c",)
    connection.close()


def test_a_materialized_view_is_profiled(postgres, execute):
    execute("CREATE MATERIALIZED VIEW mv AS SELECT 'red' AS colour; CREATE VIEW v AS SELECT colour FROM mv")
    for _ in range(2):
        found = postgres.profiles(postgres.catalog(), 100.0)
        for name in ("mv", "v"):
            assert (found["public", name, "colour"].values, found["public", name, "colour"].complete) == (
                ("red",),
                True,
            )
        execute("ANALYZE mv")


def test_tables_of_an_extension_are_known_and_not_listed(postgres, execute, postgres_server, postgres_database):
    execute("CREATE TABLE brought (n int); CREATE VIEW own AS SELECT n FROM brought")
    postgres_server.execute("ALTER EXTENSION plpgsql ADD TABLE brought", postgres_database["database"])
    catalog = postgres.catalog()
    assert {table.name for table in catalog.tables} == {"brought", "own"}
    assert {table.name for table in catalog.listed.tables} == {"own"}
    assert find_unknown_names("SELECT n FROM brought", catalog) == ()
    assert {table for _, table, _ in postgres.profiles(catalog, 100.0)} == {"own"}
    postgres_server.execute("ALTER EXTENSION plpgsql DROP TABLE brought", postgres_database["database"])


def test_labels_of_an_array_of_an_enum_are_told(postgres, execute):
    execute("CREATE TYPE state AS ENUM ('new', 'paid'); CREATE TABLE t (s state[]); INSERT INTO t VALUES ('{new}')")
    catalog = postgres.catalog()
    assert catalog.table("t").columns[0].labels == ("new", "paid")
    profile = postgres.profiles(catalog, 100.0)["public", "t", "s"]
    assert profile.kind == "other"
    assert not profile.values


def test_what_plans_the_catalog_ends_with_its_transaction(postgres):
    postgres.catalog()
    settings = "SELECT name, setting FROM pg_settings WHERE name IN ('jit', 'enable_nestloop') ORDER BY name"
    run = postgres.run(settings, max_rows=5, timeout=100)
    assert orjson.loads(run.rows)[0] == ["enable_nestloop", "on"]
