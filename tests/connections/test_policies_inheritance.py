"""Policies on tables that give the rows of others: children and partitions on a real Postgres."""

import pytest
from policed import PolicedDatabase

from sqlchat.errors import SQLRefusedError

SECRET = "tell-nobody"
TABLES = f"""
CREATE SCHEMA hr;
CREATE TABLE parent (id int, val text);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE grandchild () INHERITS (child);
CREATE TABLE sibling () INHERITS (parent);
CREATE TABLE other (mark text);
CREATE TABLE hr.both () INHERITS (sibling, other);
INSERT INTO parent VALUES (0, 'open');
INSERT INTO child VALUES (1, '{SECRET}', '{SECRET}');
INSERT INTO grandchild VALUES (2, '{SECRET}', '{SECRET}');
INSERT INTO sibling VALUES (3, 'open');
INSERT INTO hr.both VALUES (4, 'open', '{SECRET}');
CREATE TABLE parted (id int, val text) PARTITION BY RANGE (id);
CREATE TABLE part_low PARTITION OF parted FOR VALUES FROM (0) TO (9);
CREATE TABLE part_high PARTITION OF parted FOR VALUES FROM (9) TO (99) PARTITION BY LIST (val);
CREATE TABLE part_deep PARTITION OF part_high DEFAULT;
INSERT INTO parted VALUES (1, '{SECRET}'), (10, '{SECRET}');
CREATE FOREIGN DATA WRAPPER none;
CREATE SERVER away FOREIGN DATA WRAPPER none;
CREATE TABLE remote (id int, val text) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE far PARTITION OF remote FOR VALUES FROM (0) TO (9) SERVER away;
CREATE VIEW v_parent AS SELECT id, val FROM parent;
CREATE VIEW v_only AS SELECT id, val FROM ONLY parent;
CREATE MATERIALIZED VIEW m_parted AS SELECT val FROM parted;
CREATE VIEW v_nested AS SELECT val FROM v_parent UNION SELECT val FROM m_parted;
GRANT USAGE ON SCHEMA hr TO PUBLIC;
"""


@pytest.fixture(scope="module")
def database(postgres_server, tmp_path_factory):
    config = postgres_server.fresh()
    postgres_server.execute(TABLES, config["database"])
    readable = (
        "parent, child, grandchild, sibling, other, hr.both, parted, remote, v_parent, v_only, m_parted, v_nested"
    )
    postgres_server.execute(f"GRANT SELECT ON {readable} TO {config['user']}", config["database"])
    made = PolicedDatabase(tmp_path_factory.mktemp("policy"), "postgres", config)
    yield made
    made.close()
    postgres_server.drop(config)


@pytest.mark.parametrize(
    ("denied", "sql"),
    [
        ("child", "SELECT val FROM parent"),
        ("child", "SELECT p.val FROM public.parent AS p"),
        ("child", "SELECT val FROM parent *"),
        ("child", "TABLE parent"),
        ("child", "SELECT count(*) FROM parent"),
        ("child", "WITH c AS (SELECT * FROM parent) SELECT val FROM c"),
        ("child", "SELECT 1 FROM ONLY parent a, parent b"),
        ("child", "SELECT val FROM grandchild"),
        ("child", "SELECT val FROM v_parent"),
        ("child", "SELECT val FROM v_nested"),
        ("grandchild", "SELECT val FROM parent"),
        ("grandchild", "SELECT val FROM child"),
        ("grandchild", "SELECT val FROM v_parent"),
        ("hr.*", "SELECT val FROM parent"),
        ("hr.*", "SELECT mark FROM other"),
        ("other", "SELECT val FROM sibling"),
        ("parent", "SELECT val FROM child"),
        ("part_low", "SELECT val FROM parted"),
        ("part_low", "SELECT val FROM part_low"),
        ("part_deep", "SELECT val FROM parted"),
        ("part_*", "SELECT val FROM m_parted"),
        ("part_deep", "SELECT val FROM v_nested"),
        ("far", "SELECT val FROM remote"),
    ],
)
def test_the_rows_of_a_denied_child_do_not_come_by_its_parent(database, denied, sql):
    with pytest.raises(SQLRefusedError, match="does not let SQL read"):
        database.run_under(sql, deny_tables=[denied])


@pytest.mark.parametrize(
    ("denied", "sql"),
    [
        ("child.val", "SELECT val FROM parent"),
        ("grandchild.val", "SELECT id FROM parent WHERE val > 'a'"),
        ("child.val", "SELECT * FROM parent"),
        ("child.val", "SELECT val FROM v_parent"),
        ("*.val", "SELECT val FROM ONLY parent"),
        ("parent.val", "SELECT val FROM child"),
        ("part_deep.val", "SELECT val FROM parted"),
        ("part_low.val", "SELECT val FROM m_parted"),
    ],
)
def test_a_denied_column_of_a_child_does_not_come_by_its_parent(database, denied, sql):
    with pytest.raises(SQLRefusedError):
        database.run_under(sql, deny_columns=[denied])


@pytest.mark.parametrize(
    ("policy", "sql", "rows"),
    [
        ({"deny_tables": ["child"]}, "SELECT val FROM ONLY parent", [["open"]]),
        ({"deny_tables": ["child"]}, "SELECT val FROM ONLY public.parent AS p", [["open"]]),
        ({"deny_tables": ["child"]}, "SELECT val FROM v_only", [["open"]]),
        ({"deny_tables": ["child"]}, "SELECT id FROM sibling ORDER BY id", [[3], [4]]),
        ({"deny_tables": ["child"]}, "SELECT count(*) FROM parted", [[2]]),
        ({"deny_columns": ["child.val"]}, "SELECT id FROM parent WHERE id < 2 ORDER BY id", [[0], [1]]),
        ({"deny_columns": ["child.val"]}, "SELECT val FROM ONLY parent", [["open"]]),
        ({"deny_columns": ["child.extra"]}, "SELECT count(val) FROM parent", [[5]]),
        ({"allow_tables": ["parted"]}, "SELECT id FROM parted ORDER BY id", [[1], [10]]),
        ({"allow_tables": ["parent"]}, "SELECT count(*) FROM parent", [[5]]),
        ({"allow_tables": ["v_parent"]}, "SELECT count(*) FROM v_parent", [[5]]),
    ],
)
def test_what_is_not_denied_stays_readable(database, policy, sql, rows):
    assert database.run_under(sql, **policy) == rows


@pytest.mark.parametrize("sql", ["SELECT val FROM child", "SELECT val FROM part_low", "SELECT val FROM sibling"])
def test_naming_a_parent_allows_its_rows_but_not_its_children_by_name(database, sql):
    with pytest.raises(SQLRefusedError):
        database.run_under(sql, allow_tables=["parent", "parted"])


def test_the_catalog_lacks_a_parent_that_needs_only_and_names_no_child(database):
    database.run_under("SELECT 1", deny_tables=["child"])
    visible = database.open(database.names['{"deny_tables": ["child"]}']).catalog
    assert "parent" not in {table.name for table in visible.tables}
    assert "child" not in repr(visible)
