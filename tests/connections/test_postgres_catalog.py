"""The catalog of a Postgres."""

import pytest


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
    assert {(table.schema, table.name, table.kind) for table in catalog.tables} == {
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
