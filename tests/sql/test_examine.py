"""One look at a text: verdict, names, lineage and conditions, of trees that are parsed once."""

from dataclasses import replace

import pytest

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.examine import examine
from sqlchat.sql.parse import parse, share_trees
from sqlchat.sql.policies.policy import Policy, apply_policy

CATALOG = Catalog(
    (
        Table("customers", (Column("id", "int"), Column("name", "text"), Column("email", "text"))),
        Table("orders", (Column("id", "int"), Column("customer_id", "int"), Column("total", "numeric"))),
    ),
    "sqlite",
    version="1",
)
SQL = "SELECT c.name, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.name = 'Ann'"


def test_an_examination_holds_all_that_is_known_of_a_text():
    examined = examine(SQL, CATALOG)
    assert (examined.sql, examined.kind, examined.is_plannable, examined.analyzed) == (SQL, "SELECT", True, "")
    assert examined.catalog_version == "1"
    assert examined.unknown == ()
    assert examined.lineage.tables_read == ("customers", "orders")
    assert [(each.text, each.path) for each in examined.conditions] == [("Ann", ("", "customers", "name"))]


def test_what_a_policy_denies_is_refused():
    judged = apply_policy(CATALOG, Policy(deny_columns=("customers.email",)))
    assert examine(SQL, judged.visible, judged.select_part(SQL)).lineage.tables_read == ("customers", "orders")
    denied = "SELECT email FROM customers"
    with pytest.raises(SQLRefusedError, match="email"):
        examine(denied, judged.visible, judged.select_part(denied))


def test_trees_are_shared_within_one_look_and_not_beyond():
    with share_trees():
        (first,), (second,) = parse(SQL, "sqlite"), parse(SQL, "sqlite")
        (other,) = parse(SQL, "postgres")
        assert first is second
        assert other is not first
    (later,) = parse(SQL, "sqlite")
    assert later is not first
    assert later == first


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("DESCRIBE customers email", ("customers",)),
        ("DESCRIBE TABLE EXTENDED customers email", ("customers",)),
        ("DESC EXTENDED customers email", ("customers",)),
        ("DESCRIBE QUERY SELECT id FROM orders", ("orders",)),
        ("EXPLAIN FORMATTED SELECT id FROM orders", ("orders",)),
        ("EXPLAIN COST SELECT id FROM orders", ("orders",)),
        ("SELECT count(*) FROM orders GROUP BY window(id, '1 day')", ("orders",)),
    ],
)
def test_statements_of_spark_that_show_and_describe_are_examined(sql, tables):
    catalog = replace(CATALOG, dialect="spark")
    assert examine(sql, catalog).lineage.tables_read == tables
    with pytest.raises(SQLRefusedError, match="There is no table 'elsewhere'"):
        examine(sql.replace(tables[0], "elsewhere"), catalog)


@pytest.mark.parametrize("clause", ["CLUSTER BY email", "DISTRIBUTE BY email", "SORT BY email"])
def test_a_denied_column_cannot_sort_or_spread_rows_on_spark(clause):
    judged = apply_policy(replace(CATALOG, dialect="spark"), Policy(deny_columns=("customers.email",)))
    sql = f"SELECT id FROM customers {clause}"
    with pytest.raises(SQLRefusedError, match="email"):
        examine(sql, judged.visible, judged.select_part(sql))
